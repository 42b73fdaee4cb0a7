# What sanitizers change about the tests: ${prefix} before their names, a label, and how the sanitizer is to behave. Sizes are
# small, as under oclgrind: memory and threads go wrong there as well. CLGRAD_TEST_ALL_SIZES has the large ones too.

option(CLGRAD_TEST_ALL_SIZES "Test large sizes under a sanitizer too, tensors beyond 2^31 elements, more small devices" OFF)
find_package(Threads REQUIRED)

# Each test compiles for itself, whatever this user's cache of compiled programs holds.
set(environment CLGRAD_CACHE=off)
if(NOT CLGRAD_OPENCL) # the samples and tools look for an OpenCL device unless they are told
    list(APPEND environment CLGRAD_DEVICE=reference)
endif()
set(prefix "")
if(CLGRAD_SANITIZE STREQUAL "address")
    set(prefix sanitize_)
    # Tests ask for more memory than there is. A leak is reported with all of its call stack (PoCL has no frame pointers) by
    # ASAN_OPTIONS=fast_unwind_on_malloc=0, which is slow.
    list(APPEND environment ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1:use_sigaltstack=0
         UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS=suppressions=${CMAKE_CURRENT_LIST_DIR}/leaks.txt:print_suppressions=0)
elseif(CLGRAD_SANITIZE STREQUAL "thread")
    set(prefix tsan_)
    list(APPEND environment TSAN_OPTIONS=suppressions=${CMAKE_CURRENT_LIST_DIR}/races.txt:second_deadlock_stack=1)
endif()
if(CLGRAD_SANITIZE AND NOT CLGRAD_TEST_ALL_SIZES)
    list(APPEND environment CLGRAD_TEST_SMALL=1)
endif()

# For all tests of the calling folder, once they are there.
function(clgrad_set_up_tests)
    get_property(tests DIRECTORY PROPERTY TESTS)
    set_tests_properties(${tests} PROPERTIES ENVIRONMENT "${environment}")
    if(CLGRAD_SANITIZE)
        set_tests_properties(${tests} PROPERTIES LABELS sanitizer)
    endif()
endfunction()
