#!/usr/bin/env bash
# Run a test program on oclgrind's simulated device, and fail if a test fails, or if oclgrind finds an invalid access or
# a data race, or (with --uninitialized) a read of uninitialised memory. The work-groups are padded past n, so that a
# missing bounds check shows.
#   run_oclgrind.sh [--uninitialized] PROGRAM
# oclgrind 21.10 takes for uninitialised what CLBlast's kernels write, and what the host writes into a buffer that takes
# the place of a smaller one: the check is for programs that do neither.
set -euo pipefail
check=()
if [ "$1" = --uninitialized ]; then
    check=(--uninitialized)
    shift
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT
CLGRAD_TEST_SMALL=1 CLGRAD_TEST_DEVICE=opencl:0.0 \
    oclgrind --check-api --data-races "${check[@]}" --max-errors 1000 --log "$log" "$1"
if [ -s "$log" ]; then
    head -n 60 "$log"
    exit 1
fi
