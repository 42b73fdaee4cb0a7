#!/usr/bin/env bash
# Put further OpenCL implementations for CPUs beside those that are installed, from PyPI by pip: Intel's runtime and
# another PoCL. The tests run the conformance suite on each that is there. Nothing is installed on the system, and
# what is there already in these versions stays.
#   scripts/opencl-from-pypi.sh [FOLDER]    into FOLDER/NAME (default: build/opencl): 330 MB to download, 560 on disk
# Any program uses one of them, and no other, with OCL_ICD_VENDORS=FOLDER/NAME. Python is needed for this alone.
# What cannot be had (no network, no pip, another processor or system) is said, and is no failure.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
folder=${1:-$root/build/opencl}

# The versions.
intel=(intel-opencl-rt==2026.2.0 tbb==2023.2.0 intel-cmplr-lib-rt==2026.2.0)
pocl=(pocl-binary-distribution==3.0)

if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "PyPI's OpenCL implementations are for Linux on x86-64, this is $(uname -sm): none was taken"
    exit 0
fi
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
work=$(mktemp -d "$folder/.new.XXXXXX")
trap 'rm -rf "$work"' EXIT

# take NAME PACKAGE...: pip installs them as a tree of their own, $work/NAME.
take() {
    local name=$1
    shift
    [ -x "$work/python/bin/pip" ] || python3 -m venv "$work/python" || return 1
    "$work/python/bin/pip" install --quiet --retries 2 --no-deps --no-compile --only-binary :all: \
        --prefix "$work/$name" "$@"
}

# add NAME LIBRARY KEPT PACKAGE...: what KEPT (globs, in lib of that tree) names, in a folder with an .icd file for
# LIBRARY. The last to come is the list of packages, without which a folder is not whole.
add() {
    local name=$1 library=$2 kept=$3
    shift 3
    if [ "$(cat "$folder/$name/packages" 2>/dev/null)" != "$*" ]; then
        echo "$name: taking $*"
        if ! take "$name" "$@" >"$work/log" 2>&1; then
            echo "$name cannot be had here: $(tail -n 1 "$work/log")"
            return
        fi
        rm -rf "${folder:?}/$name"
        mkdir "$folder/$name"
        (cd "$work/$name/lib" && mv $kept "$folder/$name")
        rm -rf "${work:?}/$name"
        echo "$*" >"$folder/$name/packages"
    fi
    echo "$folder/$name/"$library >"$folder/$name/$name.icd"
    echo "$name: OCL_ICD_VENDORS=$folder/$name"
}

# The wheels also hold a loader, a compiler's driver and each library several times.
add intel 'libintelocl.so.*' 'libintelocl.so.*.* libcommon_clang.so.*.* clbltfn*.rtl cllibrary* libocl_svml_* cl.cfg
    libtbb.so.12 libimf.so libsvml.so libirng.so libintlc.so.5' "${intel[@]}"
add pocl_3.0 'pyopencl/.libs/libpocl-*.so' 'python*/site-packages/*' "${pocl[@]}"
