#!/usr/bin/env bash
# The benchmark, see docs/performance.md: clgrad side by side with PyTorch, OpenBLAS and the device's own copy.
# Installs what is missing, makes the peers an environment of their own in build/bench, builds, measures.
# Options go to tests/performance/bench.py: scripts/bench.sh --quick --only loss
# CLGRAD_BENCH_PYTHON: a Python that has torch, numpy and matplotlib already; then nothing is downloaded for the peers.
# Real data is looked for in CLGRAD_DATA (default: ../shared/data beside the project).
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
export CLGRAD_DATA=${CLGRAD_DATA:-$root/../shared/data}

"$root/scripts/install-deps.sh" --bench
python=${CLGRAD_BENCH_PYTHON:-$root/build/bench/venv/bin/python}
if [ -z "${CLGRAD_BENCH_PYTHON:-}" ] && ! [ -x "$python" ]; then
    python3 -m venv "$root/build/bench/venv"
fi
if ! "$python" -c 'import torch, numpy, matplotlib' 2>/dev/null; then
    [ -z "${CLGRAD_BENCH_PYTHON:-}" ] || { echo "$python lacks torch, numpy or matplotlib" >&2; exit 1; }
    "$python" -m pip install torch numpy matplotlib
fi

cmake -S "$root" --preset release
cmake --build "$root/build/release" --target benchmark
exec "$python" "$root/tests/performance/bench.py" --build "$root/build/release" --output "$root/build/bench" "$@"
