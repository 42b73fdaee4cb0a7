# A short training under valgrind's memcheck, which sees reads of uninitialised memory as well, and in code without source: what
# of ours is handed to the OpenCL implementation, for one. What that does by itself is suppressed by name in valgrind.txt.

find_program(VALGRIND valgrind)
if(VALGRIND)
    function(clgrad_valgrind_test name)
        add_test(NAME valgrind_${name}
                 COMMAND ${VALGRIND} --quiet --fair-sched=try --error-exitcode=9 --leak-check=full --show-leak-kinds=definite,indirect
                         --errors-for-leak-kinds=definite,indirect --suppressions=${CMAKE_CURRENT_LIST_DIR}/valgrind.txt
                         $<TARGET_FILE:train> ${ARGN})
        # Where there is no such device, there is nothing to see.
        set_tests_properties(valgrind_${name} PROPERTIES LABELS sanitizer TIMEOUT 1200
                             SKIP_REGULAR_EXPRESSION "no OpenCL device")
    endfunction()

    # Saved, and resumed from what is then there.
    set(options --samples 60 --batch 15 --layers 12:identity,batch_norm,gelu,dropout,layer_norm,8:tanh --optimizer adamw
        --clip-norm 1 --accumulate 2 --schedule step --save ${CMAKE_CURRENT_BINARY_DIR}/valgrind.safetensors)
    clgrad_valgrind_test(reference --device reference ${options} --epochs 2)
    clgrad_valgrind_test(resume --device reference ${options} --epochs 3 --resume ${CMAKE_CURRENT_BINARY_DIR}/valgrind.safetensors)
    set_tests_properties(valgrind_reference PROPERTIES FIXTURES_SETUP valgrind_checkpoint)
    set_tests_properties(valgrind_resume PROPERTIES FIXTURES_REQUIRED valgrind_checkpoint)

    # On PoCL, whose compiler takes minutes under valgrind: with scripts/test.sh --full alone.
    if(CLGRAD_TEST_ALL_SIZES)
        clgrad_valgrind_test(opencl --device opencl:cpu --samples 20 --batch 10 --layers 6 --epochs 1)
    endif()
endif()
