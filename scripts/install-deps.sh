#!/usr/bin/env bash
# Install what clgrad builds and runs with, unless it is there already.
#   scripts/install-deps.sh          the library, the samples and a device to run on
#   scripts/install-deps.sh --test   the same and what the tests need
#   scripts/install-deps.sh --bench  the same and what scripts/bench.sh needs
# Debian and Ubuntu: through apt, as root or with sudo. Elsewhere: names the packages and stops.
set -euo pipefail

build="gcc libc6-dev cmake ninja-build pkg-config ocl-icd-opencl-dev opencl-c-headers libclblast-dev
       libopenblas-dev librandom123-dev libjansson-dev zlib1g-dev libpango1.0-dev"
test="g++ libcmocka-dev pocl-opencl-icd oclgrind abigail-tools clang libclang-rt-dev valgrind python3-numpy
      python3-venv libexpat1-dev doxygen clang-format-14 clang-tidy-14"
bench="pocl-opencl-icd python3-venv g++"
device="pocl-opencl-icd"

name_packages() {
    cat >&2 <<END
scripts/install-deps.sh installs packages on Debian and Ubuntu only. Elsewhere, install:
  Fedora    gcc cmake ninja-build pkgconf ocl-icd-devel opencl-headers clblast-devel openblas-devel jansson-devel
            zlib-devel pango-devel; libcmocka-devel expat-devel clang compiler-rt valgrind doxygen (tests); pocl (a device, where there
            is no GPU driver); Random123's headers from its authors
  Arch      gcc cmake ninja pkgconf ocl-icd opencl-headers clblast openblas jansson zlib pango cmocka expat; AUR: random123; pocl
  Homebrew  cmake ninja pkg-config clblast openblas jansson pango cmocka expat pocl opencl-headers ocl-icd; Random123's headers
            from its authors
then: cmake --preset release && cmake --build --preset release
END
    exit 1
}

wanted=$build
if [ "${1:-}" = --test ]; then
    wanted="$wanted $test"
elif [ "${1:-}" = --bench ]; then
    wanted="$wanted $bench"
elif ! ls "${OCL_ICD_VENDORS:-/etc/OpenCL/vendors}"/*.icd >/dev/null 2>&1; then
    wanted="$wanted $device"
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    # No Debian: go on only where everything can be seen to be there already.
    include=$(printf '#include <Random123/philox.h>\n#include <jansson.h>\n#include <zlib.h>\n')
    for program in cc cmake ninja pkg-config; do command -v "$program" >/dev/null || name_packages; done
    pkg-config --exists OpenCL clblast openblas pangocairo || name_packages
    cc -E -x c - <<<"$include" >/dev/null 2>&1 || name_packages
    exit 0
fi

missing=()
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    as_root=()
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || { echo "missing: ${missing[*]}; install them as root (there is no sudo here)" >&2; exit 1; }
        as_root=(sudo)
    fi
    echo "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -q
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}"
fi

version=$(cmake --version | sed -n 's/^cmake version //p')
if [ "$(printf '%s\n' 3.25 "$version" | sort -V | head -n 1)" != 3.25 ]; then
    echo "clgrad needs CMake 3.25 or newer, this is $version (Debian 12 and Ubuntu 24.04 have one)" >&2
    exit 1
fi
