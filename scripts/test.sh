#!/usr/bin/env bash
# Install what is missing, build in release mode with warnings as errors, and run every test on every device there
# is, then the small ones under oclgrind; the conformance suite on further OpenCL implementations, which
# scripts/opencl-from-pypi.sh puts into build/opencl where they can be had. The same tests run under AddressSanitizer and
# UndefinedBehaviorSanitizer, those with threads under ThreadSanitizer, a training under valgrind, and the parsers'
# fuzzers for some seconds each.
# Options go to ctest: scripts/test.sh -R loss, or -LE sanitizer to leave out the last sentence.
#   --full    under the sanitizers large sizes too, which takes far longer and finds little more; tensors beyond 2^31
#             elements, which want 20 GiB of memory; more tests on devices with small work-groups; and the Debian packages on
#             a fresh Debian (scripts/test-packages.sh)
# Tests on real data look in CLGRAD_DATA (default: ../shared/data beside the project) and are skipped without it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
sizes=OFF
if [ "${1:-}" = --full ]; then
    sizes=ON
    shift
fi

"$root/scripts/install-deps.sh" --test
"$root/scripts/opencl-from-pypi.sh"
presets="release sanitize threads fuzz"
for preset in $presets; do
    cmake -S "$root" --preset "$preset" -DCLGRAD_WERROR=ON -DCLGRAD_TEST_ALL_SIZES=$sizes
    (cd "$root" && cmake --build --preset "$preset")
done

# On what the suite runs, by the names of the tests.
for file in "$root"/build/release/tests/opencl/*/*.icd; do
    [ -e "$file" ] || continue
    echo "conformance_$(basename "$file" .icd):"
    OCL_ICD_VENDORS=$(dirname "$file") "$root/build/release/tools/clgrad-doctor" --list --only relu |
        sed -n '/^  opencl/,+1p' || echo "  cannot be listed"
done

# One run of all four, so that no processor waits for the end of one of them.
printf 'subdirs("%s")\n' $presets >"$root/build/CTestTestfile.cmake"
runner=(ctest --test-dir "$root/build" --output-on-failure --parallel "$(nproc)")
# ThreadSanitizer gives up where addresses are more random than it knows.
if [ "$(cat /proc/sys/vm/mmap_rnd_bits 2>/dev/null || echo 0)" -gt 28 ]; then
    runner=(setarch "$(uname -m)" --addr-no-randomize "${runner[@]}")
fi
if [ $sizes = ON ]; then
    "$root/scripts/test-packages.sh"
fi
exec "${runner[@]}" "$@"
