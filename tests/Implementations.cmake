# The conformance suite on every implementation of OpenCL that is there, each alone: conformance_NAME, after its .icd
# file. Those installed are /etc/OpenCL/vendors/*.icd (or OCL_ICD_VENDORS when CMake runs), those of
# scripts/opencl-from-pypi.sh are in CLGRAD_OPENCL_FOLDER. One that is installed and has no device here (a GPU's driver
# without a GPU) is skipped, and ctest says so; one that was taken on purpose has to have one.

set(CLGRAD_OPENCL_FOLDER ${PROJECT_SOURCE_DIR}/build/opencl CACHE PATH "Where scripts/opencl-from-pypi.sh has put OpenCL implementations")

# A program runs with the implementation whose .icd file is in a folder, and with no other.
function(clgrad_test_alone_with folder name)
    add_test(NAME ${name} COMMAND ${ARGN})
    set_tests_properties(${name} PROPERTIES ENVIRONMENT_MODIFICATION OCL_ICD_VENDORS=set:${folder} TIMEOUT 1800)
endfunction()

set(vendors /etc/OpenCL/vendors)
if(IS_DIRECTORY "$ENV{OCL_ICD_VENDORS}")
    set(vendors $ENV{OCL_ICD_VENDORS})
endif()
file(GLOB installed CONFIGURE_DEPENDS ${vendors}/*.icd)
file(GLOB taken CONFIGURE_DEPENDS ${CLGRAD_OPENCL_FOLDER}/*/*.icd)
if(CLGRAD_SANITIZE) # which is slow, and sees into none of them
    set(taken "")
endif()

file(REMOVE_RECURSE ${CMAKE_CURRENT_BINARY_DIR}/opencl)
foreach(file ${installed} ${taken})
    get_filename_component(name ${file} NAME_WLE)
    set(test ${prefix}conformance_${name})
    set(folder ${CMAKE_CURRENT_BINARY_DIR}/opencl/${name})
    configure_file(${file} ${folder}/${name}.icd COPYONLY)
    clgrad_test_alone_with(${folder} ${test} clgrad-doctor)
    set_tests_properties(${test} PROPERTIES COST 1000) # long: they begin first
    if(file IN_LIST installed)
        set_tests_properties(${test} PROPERTIES SKIP_REGULAR_EXPRESSION "there is no OpenCL device for")
    elseif(name STREQUAL "intel")
        # Another compiler and other threads than PoCL's: the tests of what is calculated too, those that take seconds.
        foreach(program activation activation_backward activation_call clip dense gated gather loss_classes loss_ctc
                loss_special_rows network_golden network_training noise normalization optimizer optimizer_golden
                optimizer_groups)
            clgrad_test_alone_with(${folder} intel_${program} test_${program})
            set_property(TEST intel_${program} APPEND PROPERTY ENVIRONMENT_MODIFICATION
                         CLGRAD_TEST_SMALL=set:1 CLGRAD_TEST_DEVICE=set:opencl:0.0)
        endforeach()
    endif()
endforeach()
if(NOT installed AND NOT taken) # a system that has its implementations elsewhere: all of them at once
    add_test(NAME ${prefix}clgrad-doctor COMMAND clgrad-doctor)
    set_tests_properties(${prefix}clgrad-doctor PROPERTIES TIMEOUT 1800)
endif()
