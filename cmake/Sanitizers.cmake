# Builds under a sanitizer, and for fuzzing: the presets sanitize, threads and fuzz.

set(CLGRAD_SANITIZE "" CACHE STRING
    "address: AddressSanitizer, LeakSanitizer, UndefinedBehaviorSanitizer; thread: ThreadSanitizer")
option(CLGRAD_FUZZ "Build the fuzzers of tests/fuzz (clang alone has libFuzzer)" OFF)
set_property(CACHE CLGRAD_SANITIZE PROPERTY STRINGS "" address thread)

if(CLGRAD_SANITIZE STREQUAL "address")
    set(sanitizers -fsanitize=address,undefined,float-cast-overflow -fno-sanitize-recover=all)
elseif(CLGRAD_SANITIZE STREQUAL "thread")
    set(sanitizers -fsanitize=thread)
elseif(NOT CLGRAD_SANITIZE STREQUAL "")
    message(FATAL_ERROR "CLGRAD_SANITIZE is \"${CLGRAD_SANITIZE}\", it must be address, thread or empty")
endif()
if(CLGRAD_FUZZ)
    if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang")
        message(FATAL_ERROR "CLGRAD_FUZZ needs clang, which has libFuzzer; this compiler is ${CMAKE_C_COMPILER_ID} "
                            "(cmake --preset fuzz takes clang)")
    endif()
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CLGRAD_SANITIZE)
    add_compile_options(${sanitizers} -fno-omit-frame-pointer)
    add_link_options(${sanitizers})
endif()
