# `cpack` in a build folder makes Debian packages of the three components; the packages' dependencies on libraries are read from
# what was linked (dpkg-shlibdeps). scripts/test-packages.sh installs them on a system that has nothing else.

if(CMAKE_INSTALL_PREFIX STREQUAL "/usr") # the preset; without these the packages would lack what they depend on
    foreach(program file dpkg-shlibdeps)
        find_program(HAVE_${program} ${program})
        if(NOT HAVE_${program})
            message(FATAL_ERROR "${program} is missing, which makes the packages (Debian: apt install file dpkg-dev)")
        endif()
    endforeach()
endif()

set(CPACK_PACKAGE_NAME clgrad)
set(CPACK_PACKAGE_CONTACT "clgrad developers <clgrad@localhost>")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_GENERATOR DEB)
set(CPACK_COMPONENTS_ALL runtime development tools)
set(CPACK_STRIP_FILES ON)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${CPACK_PACKAGE_CONTACT}")
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_CURRENT_BINARY_DIR}) # the tools' own library
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")

set(soname ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME libclgrad${soname})
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION libs)
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION "Trains neural networks on any OpenCL device: the library")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA ${CMAKE_CURRENT_SOURCE_DIR}/cmake/debian/triggers)
# Without a driver there is the reference alone.
set(CPACK_DEBIAN_RUNTIME_PACKAGE_RECOMMENDS "pocl-opencl-icd | opencl-icd")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libclgrad-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION "Trains neural networks on any OpenCL device: headers and static library")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libclgrad${soname} (= ${PROJECT_VERSION})")
# For <clgrad/opencl.h>, and for the static library.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "ocl-icd-opencl-dev, libclblast-dev, libopenblas-dev, libjansson-dev")

set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME clgrad-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION utils)
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "Trains neural networks on any OpenCL device: checks of a machine's drivers")
set(CPACK_DEBIAN_TOOLS_PACKAGE_DEPENDS "libclgrad${soname} (= ${PROJECT_VERSION})")

# Where Debian's tools look for them.
foreach(component runtime development tools)
    string(TOUPPER ${component} upper)
    set(folder ${CMAKE_INSTALL_DATAROOTDIR}/doc/${CPACK_DEBIAN_${upper}_PACKAGE_NAME})
    install(FILES LICENSE DESTINATION ${folder} RENAME copyright COMPONENT ${component})
endforeach()

include(CPack)
