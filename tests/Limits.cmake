# Tests of limits (docs/reliability.md): what is large, and devices that are small.

# Beyond 32 bits. PoCL allows an allocation of a part of the memory that it believes in: so it
# is told of more. What a test touches must be there all the same.
if(CMAKE_SIZEOF_VOID_P EQUAL 8)
    set(huge_memory HWLOC_SYNTHETIC=node:1\(memory=4398046511104\)\ pu:4 HWLOC_THISSYSTEM=1)
    add_executable(test_limits_large test_limits_large.c)
    target_link_libraries(test_limits_large PRIVATE clgrad_test_harness clgrad_warnings)
    if(CLGRAD_TEST_ALL_SIZES) # for it takes a minute or two
        add_test(NAME limits_large COMMAND ${CMAKE_COMMAND} -E env ${huge_memory} $<TARGET_FILE:test_limits_large>)
        set_tests_properties(limits_large PROPERTIES RUN_SERIAL ON TIMEOUT 1200)
    endif()
    foreach(program activation_backward clip dense gated gather loss_classes loss_ctc loss_values_rows network_noise noise
            normalization optimizer optimizer_groups softmax tensor)
        add_test(NAME far_${program} COMMAND ${CMAKE_COMMAND} -E env ${huge_memory} CLGRAD_TEST_SMALL=1
                 CLGRAD_TEST_OFFSET=2147483653 $<TARGET_FILE:test_${program}>)
        set_tests_properties(far_${program} PROPERTIES TIMEOUT 1200)
    endforeach()
endif()

# Smaller devices than there are (limits_layer.c): work-groups of 1 and of 64 work-items at most, without double precision,
# and with the kernels that GPUs get. PoCL compiles most of these anew, so the rest is for --full.
add_library(limits_layer MODULE limits_layer.c)
target_link_libraries(limits_layer PRIVATE OpenCL::OpenCL ${CMAKE_DL_LIBS} clgrad_warnings)
set_target_properties(limits_layer PROPERTIES C_VISIBILITY_PRESET default)
set(limited_programs clip loss_ctc normalization softmax tensor)
if(CLGRAD_TEST_ALL_SIZES)
    list(APPEND limited_programs dense gated loss_classes loss_values_rows network_layers optimizer)
endif()
foreach(limit 1 64)
    set(limited CLGRAD_TEST_SMALL=1 CLGRAD_TEST_GROUP_LIMIT=${limit} CLGRAD_TEST_NO_DOUBLE=1 CLGRAD_TEST_TYPE=gpu
        LD_PRELOAD=$<TARGET_FILE:limits_layer>)
    foreach(program ${limited_programs})
        add_test(NAME group_${limit}_${program}
                 COMMAND ${CMAKE_COMMAND} -E env ${limited} CLGRAD_GEMM=tiles $<TARGET_FILE:test_${program}>)
        set_tests_properties(group_${limit}_${program} PROPERTIES TIMEOUT 1800)
    endforeach()
    if(CLGRAD_SAMPLES AND limit EQUAL 1) # where CLBlast cannot multiply, and must not be chosen
        add_test(NAME group_1_minimal COMMAND ${CMAKE_COMMAND} -E env ${limited} $<TARGET_FILE:minimal>)
        set_tests_properties(group_1_minimal PROPERTIES PASS_REGULAR_EXPRESSION "loss after 1000 steps: 0\\.00")
        # A host BLAS cannot be chosen there, nor where this build has none: the sentence says which of the two it is.
        add_test(NAME no_blas_minimal COMMAND ${CMAKE_COMMAND} -E env ${limited} CLGRAD_GEMM=blas $<TARGET_FILE:minimal>)
        if(TARGET PkgConfig::OPENBLAS)
            set(reason "[(]gpu[)] runs no native kernels; CPU devices do")
        else()
            set(reason "this clgrad was built without a BLAS")
        endif()
        set_tests_properties(no_blas_minimal PROPERTIES PASS_REGULAR_EXPRESSION "CLGRAD_GEMM is blas, but .*${reason}")
    endif()
endforeach()
