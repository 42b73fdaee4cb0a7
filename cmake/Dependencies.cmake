# What clgrad is built with: OpenCL and CLBlast for the device, a host BLAS for CPU devices, Random123 for random numbers,
# Jansson for the JSON in checkpoints; the samples' pictures with Pango and Cairo. What is missing is named with the package that has it.

# clgrad_missing(LEVEL "what is missing, and what that means" debian fedora arch homebrew)
function(clgrad_missing level what debian fedora arch homebrew)
    message(${level} "${what}\nIt is in:\n  Debian, Ubuntu  ${debian}\n  Fedora          ${fedora}\n"
                     "  Arch            ${arch}\n  Homebrew        ${homebrew}\n"
                     "scripts/install-deps.sh installs or names all that clgrad needs.")
endfunction()

if(CLGRAD_OPENCL)
    find_package(OpenCL QUIET)
    if(NOT OpenCL_FOUND)
        clgrad_missing(FATAL_ERROR "OpenCL's headers and loader are missing. (CLGRAD_OPENCL=OFF builds without: the reference alone.)"
                       "ocl-icd-opencl-dev" "ocl-icd-devel opencl-headers" "ocl-icd opencl-headers" "ocl-icd opencl-headers")
    endif()
    find_package(CLBlast CONFIG QUIET)
    if(NOT CLBlast_FOUND)
        clgrad_missing(FATAL_ERROR "CLBlast, for matrix products on the device, is missing."
                       "libclblast-dev" "clblast-devel" "clblast" "clblast")
    endif()
endif()

find_path(RANDOM123_INCLUDE_DIR Random123/philox.h)
if(NOT RANDOM123_INCLUDE_DIR)
    clgrad_missing(FATAL_ERROR "Random123's headers, for random numbers, are missing."
                   "librandom123-dev" "none: https://github.com/DEShawResearch/random123 (headers alone)" "random123 (AUR)"
                   "none: https://github.com/DEShawResearch/random123 (headers alone)")
endif()

find_path(JANSSON_INCLUDE_DIR jansson.h)
find_library(JANSSON_LIBRARY jansson)
if(NOT JANSSON_INCLUDE_DIR OR NOT JANSSON_LIBRARY)
    clgrad_missing(FATAL_ERROR "Jansson, for the JSON in checkpoints, is missing."
                   "libjansson-dev" "jansson-devel" "jansson" "jansson")
endif()

if(CLGRAD_OPENCL AND CLGRAD_BLAS)
    find_package(PkgConfig QUIET)
    if(PkgConfig_FOUND)
        pkg_check_modules(OPENBLAS QUIET IMPORTED_TARGET openblas)
    endif()
    if(NOT TARGET PkgConfig::OPENBLAS)
        clgrad_missing(WARNING "OpenBLAS is missing (found by pkg-config): CLGRAD_GEMM=blas cannot be chosen. CLGRAD_BLAS=OFF asks for that."
                       "libopenblas-dev pkg-config" "openblas-devel pkgconf" "openblas pkgconf" "openblas pkg-config")
    endif()
endif()

if(CLGRAD_SAMPLES)
    find_package(ZLIB QUIET)
    if(NOT ZLIB_FOUND)
        clgrad_missing(FATAL_ERROR "zlib, with which the samples read MNIST's files, is missing. (CLGRAD_SAMPLES=OFF leaves them out.)"
                       "zlib1g-dev" "zlib-devel" "zlib" "zlib")
    endif()
    if(CLGRAD_PLOTS)
        find_package(PkgConfig QUIET)
        if(PkgConfig_FOUND)
            pkg_check_modules(PANGOCAIRO QUIET IMPORTED_TARGET pangocairo cairo-png cairo-svg)
        endif()
        if(NOT TARGET PkgConfig::PANGOCAIRO)
            clgrad_missing(WARNING "Pango with Cairo, which draw the trainer's pictures, are missing (found by pkg-config): its --plot is refused. CLGRAD_PLOTS=OFF asks for that."
                           "libpango1.0-dev pkg-config" "pango-devel pkgconf" "pango pkgconf" "pango pkg-config")
        endif()
    endif()
endif()
