#!/usr/bin/env bash
# Programs built by the compiler and pkg-config alone, with the shared library and with the static one: pkgconfig.sh TREE CC SOURCE
set -euo pipefail
tree=$1 cc=$2 source=$3
folder=$(dirname "$(find "$tree" -name libclgrad.a)")
export PKG_CONFIG_PATH=$folder/pkgconfig
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# As docs and README have it.
"$cc" "$source" -o "$work/shared" $(pkg-config --cflags --libs clgrad) "-Wl,-rpath,$folder"
"$cc" "$source" -o "$work/static" $(pkg-config --cflags clgrad) "$folder/libclgrad.a" $(pkg-config --libs-only-l --static clgrad | sed 's/-lclgrad//')
ldd "$work/shared" | grep libclgrad.so >/dev/null # all of it is read: ldd would die of a pipe closed before its end
if ldd "$work/static" | grep libclgrad.so; then
    echo "the static program needs the shared library" >&2
    exit 1
fi
for program in shared static; do
    "$work/$program" | tee "$work/said"
    grep -q 'loss after 1000 steps: 0\.00' "$work/said"
done
