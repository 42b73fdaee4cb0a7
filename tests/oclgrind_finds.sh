#!/usr/bin/env bash
# That the runs under oclgrind would see a fault, and that the layer keeps it from seeing others: each case of
# oclgrind_cases.c gets the report that it should, or none.
#   oclgrind_finds.sh KERNELS LAYER PROGRAM
set -euo pipefail
runner=$(dirname "$0")/run_oclgrind.sh
failures=0
check() {
    local case=$1 wanted=$2 output status=0
    output=$("$runner" --uninitialized "$kernels" "$layer" "$program" "$case" 2>&1) || status=$?
    if [ -n "$wanted" ] && { [ $status = 0 ] || ! grep -q "$wanted" <<<"$output"; }; then
        printf '%s: no "%s" (status %s)\n%s\n' "$case" "$wanted" $status "$output"
        failures=$((failures + 1))
    elif [ -z "$wanted" ] && [ $status != 0 ]; then
        printf '%s: should be right (status %s)\n%s\n' "$case" $status "$output"
        failures=$((failures + 1))
    fi
}
kernels=$1 layer=$2 program=$3

check within ""
check beyond "Invalid write of size 4 at global memory"
check waiting ""
check hasty "Read-write data race at local memory"
check crowded "Write-write data race at global memory"

check never_written "Uninitialized value written"
check local_never_written "Uninitialized value written"
check before_what_is_written "Uninitialized value written"
check behind_what_is_written "Uninitialized value written"
check in_place_of_a_written_one "Uninitialized value written"
check copied_from_unwritten "Uninitialized value written"
check a_word_for_unwritten "Uninitialized value written"

check written_in_parts ""
check written_by_a_kernel_behind_a_write ""
check written_by_a_kernel_in_place_of_a_smaller_one ""
check copied ""
check filled ""
check created_with_contents ""
exit $failures
