# The kernels under oclgrind, at small sizes: with all of its checks in both forms that kernels have, where a program (or the
# cases named behind it) is short enough for unoptimised kernels; else without the check for uninitialised memory.

add_library(oclgrind_layer MODULE oclgrind_layer.c)
target_link_libraries(oclgrind_layer PRIVATE clgrad_warnings OpenCL::OpenCL clblast ${CMAKE_DL_LIBS})
add_executable(oclgrind_cases oclgrind_cases.c)
target_link_libraries(oclgrind_cases PRIVATE clgrad_warnings OpenCL::OpenCL)
set(oclgrind_ran ${CMAKE_CURRENT_BINARY_DIR}/oclgrind)
function(clgrad_oclgrind_test name script)
    add_test(NAME oclgrind_${name} COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/${script} ${ARGN})
    set_tests_properties(oclgrind_${name} PROPERTIES LABELS oclgrind TIMEOUT 1200)
endfunction()
# What has run with all checks is noted for oclgrind_kernels, below.
function(clgrad_oclgrind_form form program)
    set(option "")
    if(form STREQUAL cpu)
        set(option --cpu)
    endif()
    clgrad_oclgrind_test(${form}_${program} run_oclgrind.sh
                         --uninitialized ${oclgrind_ran}/${form}_${program} ${option}
                         $<TARGET_FILE:oclgrind_layer> $<TARGET_FILE:test_${program}> ${ARGN})
    set_tests_properties(oclgrind_${form}_${program} PROPERTIES FIXTURES_SETUP oclgrind_ran)
    set_property(DIRECTORY APPEND PROPERTY clgrad_oclgrind_ran ${oclgrind_ran}/${form}_${program})
endfunction()
foreach(form gpu cpu)
    foreach(program anomaly gated loss_special loss_special_rows network_golden normalization_call tensor)
        clgrad_oclgrind_form(${form} ${program})
    endforeach()
    clgrad_oclgrind_form(${form} clip devices_match_golden_values nothing_to_clip)
    clgrad_oclgrind_form(${form} dense golden_values)
    clgrad_oclgrind_form(${form} loss_ctc short_alignments_by_hand padding_does_not_count)
    clgrad_oclgrind_form(${form} noise device_matches_golden_values)
    clgrad_oclgrind_form(${form} optimizer_groups each_group_has_its_options)
endforeach()
foreach(program activation activation_backward anomaly_results gather loss_golden optimizer_memory)
    clgrad_oclgrind_form(gpu ${program})
endforeach()
# At larger sizes, optimised, in groups of 256: invalid accesses and races alone.
set(programs activation_call clip dense loss_classes loss_ctc loss_values_rows network network_forward noise normalization
    optimizer optimizer_groups softmax)
if(CLGRAD_TEST_ALL_SIZES) # the same kernels with other numbers
    list(APPEND programs loss_nan loss_tails loss_values loss_weights network_batches network_noise network_parts optimizer_call
         optimizer_golden)
endif()
foreach(program ${programs})
    clgrad_oclgrind_test(${program} run_oclgrind.sh $<TARGET_FILE:oclgrind_layer> $<TARGET_FILE:test_${program}>)
endforeach()

# Faults on purpose, and that no kernel is left out.
clgrad_oclgrind_test(finds oclgrind_finds.sh ${oclgrind_ran}/finds $<TARGET_FILE:oclgrind_layer>
                     $<TARGET_FILE:oclgrind_cases>)
get_property(ran DIRECTORY PROPERTY clgrad_oclgrind_ran)
clgrad_oclgrind_test(kernels oclgrind_kernels.sh ${PROJECT_SOURCE_DIR}/kernels ${ran})
set_tests_properties(oclgrind_kernels PROPERTIES FIXTURES_REQUIRED oclgrind_ran)
