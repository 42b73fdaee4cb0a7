#!/usr/bin/env bash
# Run a test program on oclgrind's simulated device, and fail if it finds an invalid access, a data race or a read of
# uninitialised memory. The work-groups are padded past n, so that a missing bounds check shows.
#   run_oclgrind.sh PROGRAM
# What CLBlast's own kernels do is left out of the verdict: oclgrind calls them uninitialised.
set -euo pipefail
log=$(mktemp)
trap 'rm -f "$log"' EXIT
CLGRAD_TEST_SMALL=1 CLGRAD_TEST_DEVICE=opencl:0.0 \
    oclgrind --check-api --uninitialized --data-races --max-errors 100000 --log "$log" "$1"
awk -v RS= '!/Kernel: (Xgemm|Copy|Transpose|Pad)/' "$log" >"$log.ours"
if [ -s "$log.ours" ]; then
    head -n 60 "$log.ours"
    rm -f "$log.ours"
    exit 1
fi
rm -f "$log.ours"
