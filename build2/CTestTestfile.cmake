# CMake generated Testfile for 
# Source directory: /tmp/w-int
# Build directory: /tmp/w-int/build2
# 
# This file includes the relevant testing commands required for 
# testing this directory and lists subdirectories to be tested as well.
subdirs("samples")
subdirs("tools")
subdirs("tests")
