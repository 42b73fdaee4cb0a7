#!/bin/sh
# Every function in kernels/ that is handed a __local array is a LOCAL_FUNCTION (kernels/common.cl says why).
#     local_functions.sh KERNELS
# A head is what stands before an opening brace, since the last statement or body.
heads=$(cat "$1"/*.cl | tr '\n' ' ' | sed 's/[{};]/&\n/g' | grep '__local [a-z]* \*.*{$')
apart=$(echo "$heads" | grep -v 'LOCAL_FUNCTION [a-z_]* [a-z0-9_]*([^()]*) {$')
[ -n "$heads" ] && [ -z "$apart" ] && exit 0
echo "not LOCAL_FUNCTION: $apart"
exit 1
