# CMake generated Testfile for 
# Source directory: /tmp/w-int/tests/performance
# Build directory: /tmp/w-int/build2/tests/performance
# 
# This file includes the relevant testing commands required for 
# testing this directory and lists subdirectories to be tested as well.
add_test([=[benchmark]=] "/root/.pyenv/shims/python3" "/tmp/w-int/tests/performance/bench.py" "--build" "/tmp/w-int/build2" "--smoke" "--output" "/tmp/w-int/build2/tests/performance/smoke")
set_tests_properties([=[benchmark]=] PROPERTIES  TIMEOUT "600" _BACKTRACE_TRIPLES "/tmp/w-int/tests/performance/CMakeLists.txt;24;add_test;/tmp/w-int/tests/performance/CMakeLists.txt;0;")
