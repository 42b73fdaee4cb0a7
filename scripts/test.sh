#!/usr/bin/env bash
# Install what is missing, build in release mode with warnings as errors, and run every test on every device there
# is, then the small ones under oclgrind. Options go to ctest: scripts/test.sh -R loss
# Tests on real data look in CLGRAD_DATA (default: ../shared/data beside the project) and are skipped without it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

"$root/scripts/install-deps.sh" --test
cmake -S "$root" --preset release -DCLGRAD_WERROR=ON
cmake --build "$root/build/release"
ctest --test-dir "$root/build/release" --output-on-failure --parallel "$(nproc)" "$@"
