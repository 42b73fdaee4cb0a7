#!/bin/sh
# Every function in kernels/ that is handed a __local array is a LOCAL_FUNCTION (kernels/common.cl says why).
#     local_functions.sh KERNELS
heads() { # of functions with such a parameter: what stands before an opening brace, since the last statement or body
    tr '\n' ' ' | sed 's/[{};]/&\n/g' | grep '[(, ]\(__\)\?local [^,()]*\*.*{$'
}
apart() {
    grep -v 'LOCAL_FUNCTION [a-z_]* [a-z0-9_]*([^()]*) {$'
}
for bad in 'static real f(__local real *a) {' 'static void f(int n, __local const float4 *a) {' 'void f(local float *a) {'; do
    echo "$bad" | heads | apart >/dev/null || { echo "this was not seen: $bad"; exit 1; }
done
[ -n "$(cat "$1"/*.cl | heads)" ] || { echo "there is none in $1"; exit 1; }
if found=$(cat "$1"/*.cl | heads | apart); then
    echo "not LOCAL_FUNCTION: $found"
    exit 1
fi
