#!/usr/bin/env bash
# Run a test program on oclgrind's simulated device, and fail if a test fails, or if oclgrind finds an invalid
# access or a data race, or (with --uninitialized) a read of uninitialised memory. The work-groups are padded past
# n, so that a missing bounds check shows.
#   run_oclgrind.sh [--uninitialized KERNELS] [--cpu] LAYER PROGRAM [CASE...]
# KERNELS is a file for the names of the kernels that have run. --cpu: the device is a CPU, which some kernels have
# a form of their own for. LAYER is the library made of oclgrind_layer.c, which says what it stands in for; CASE the
# names of the only cases to run.
# With --uninitialized kernels are built without optimisation: for that check oclgrind 21.10 does not know the
# instruction freeze, and reads beyond its shadows in a shufflevector with undefined lanes; the optimiser makes
# both. Such kernels take longer, and so run in groups of 16.
set -euo pipefail
options=()
export CLGRAD_TEST_SMALL=1 CLGRAD_TEST_DEVICE=opencl:0.0
if [ "$1" = --uninitialized ]; then
    options=(--uninitialized --build-options -cl-opt-disable --max-wgsize 16)
    export CLGRAD_TEST_KERNELS=$2
    mkdir -p "$(dirname "$2")"
    : >"$2"
    shift 2
fi
if [ "$1" = --cpu ]; then
    export CLGRAD_TEST_FORM=cpu
    shift
else # as on GPUs, also where the groups of 16 would be too small for CLBlast itself
    export CLGRAD_GEMM=clblast
fi
layer=$1
program=$2
shift 2
export CLGRAD_TEST_CASES=$*
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# oclgrind preloads itself before what is preloaded already; the layer must come before it.
status=0
oclgrind --check-api --data-races "${options[@]}" --max-errors 1000 --log "$log" \
    sh -c 'LD_PRELOAD="$1:$LD_PRELOAD" exec "$2"' sh "$layer" "$program" || status=$?
if [ -s "$log" ]; then
    head -n 60 "$log"
    status=1
fi
exit $status
