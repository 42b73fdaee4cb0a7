# Write the kernel sources as C strings into one header, so that an installed library needs no files.
# Run by the build: cmake -D OUTPUT=kernels.h -D "SOURCES=a.cl;b.cl" -P EmbedKernels.cmake
# A file NAME.cl becomes the array clgrad_kernel_NAME, byte by byte: no limit on a string's length, nothing to escape.

set(text "/* Generated from kernels/ by cmake/EmbedKernels.cmake. */\n")
foreach(source IN LISTS SOURCES)
    get_filename_component(name ${source} NAME_WE)
    file(READ ${source} hex HEX)
    string(REGEX REPLACE "(................................)" "\\1\n" hex "${hex}")
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${hex}")
    string(APPEND text "static const char clgrad_kernel_${name}[] = {\n${bytes}0};\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
