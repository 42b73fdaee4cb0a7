# Installing, in three components: runtime (the shared library), development (headers, the static library, a CMake package, a
# pkg-config file) and tools (programs with their man pages). An installed clgrad needs no file of its own at run time: the
# kernels are inside the library.

include(CMakePackageConfigHelpers)
set(config_folder ${CMAKE_INSTALL_LIBDIR}/cmake/clgrad)

install(TARGETS clgrad EXPORT clgrad
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT runtime NAMELINK_COMPONENT development)
install(TARGETS clgrad_static EXPORT clgrad ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(EXPORT clgrad NAMESPACE clgrad:: DESTINATION ${config_folder} FILE clgrad-targets.cmake COMPONENT development)

# opencl.h is there where its functions are.
if(CLGRAD_OPENCL)
    install(DIRECTORY include/clgrad DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development FILES_MATCHING PATTERN "*.h")
else()
    install(DIRECTORY include/clgrad DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT development
            FILES_MATCHING PATTERN "*.h" PATTERN opencl.h EXCLUDE)
endif()

configure_package_config_file(cmake/clgrad-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/clgrad-config.cmake
                              INSTALL_DESTINATION ${config_folder})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/clgrad-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/clgrad-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/clgrad-config-version.cmake
        DESTINATION ${config_folder} COMPONENT development)

# The file finds the prefix by where it lies, so that an installed tree can be moved.
file(RELATIVE_PATH CLGRAD_PC_TO_PREFIX /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
list(JOIN CLGRAD_DEPENDENCIES " " CLGRAD_PC_LIBRARIES)
configure_file(cmake/clgrad.pc.in ${CMAKE_CURRENT_BINARY_DIR}/clgrad.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/clgrad.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT development)
