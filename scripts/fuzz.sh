#!/usr/bin/env bash
# Fuzz the parsers: build them with clang, AddressSanitizer and UndefinedBehaviorSanitizer, and let libFuzzer make inputs up.
#   scripts/fuzz.sh SECONDS          every parser, as many at a time as there are processors
#   scripts/fuzz.sh SECONDS NAME...  csv, device, idx, options, safetensors
# What has been found so far is kept in build/fuzz/tests/fuzz/found/NAME, and the next run begins with it. An input that
# stops a parser is left beside that, and the script fails: once it is understood, it belongs into tests/fuzz/corpus/NAME.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
if ! [[ "${1:-}" =~ ^[0-9]+$ ]]; then
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
fi
seconds=$1
shift
names=${*:-csv device idx options safetensors}
build=$root/build/fuzz/tests/fuzz
for name in $names; do
    [ -d "$root/tests/fuzz/corpus/$name" ] || { echo "scripts/fuzz.sh: there is no parser $name" >&2; exit 2; }
done

"$root/scripts/install-deps.sh" --test
cmake -S "$root" --preset fuzz
(cd "$root" && cmake --build --preset fuzz)

# The fuzzers print a great deal, which is of use only where one stops.
mkdir -p "$build/found"
export build seconds root
printf '%s\n' $names | xargs -P "$(nproc)" -I{} sh -c \
    '"$root/tests/fuzz/run.sh" "$build/fuzz_{}" "$seconds" >"$build/found/{}.log" 2>&1; echo $? >"$build/found/{}.rc"'

figure() { # of libFuzzer's final statistics, or the last of its progress
    sed -n "s/.*$2:* *\([0-9][0-9]*\).*/\1/p" "$build/found/$1.log" | tail -n 1
}
failed=0
printf '%-12s %12s %10s %10s %10s  %s\n' parser executions per-second edges features findings
for name in $names; do
    findings=none
    if [ "$(cat "$build/found/$name.rc")" != 0 ]; then
        findings=$(sed -n 's/.*Test unit written to //p; s/.*this does not hold/does not hold/p' "$build/found/$name.log" | head -n 2 | xargs)
        findings=${findings:-see $build/found/$name.log}
        failed=1
    fi
    printf '%-12s %12s %10s %10s %10s  %s\n' "$name" "$(figure "$name" number_of_executed_units)" \
        "$(figure "$name" average_exec_per_sec)" "$(figure "$name" cov)" "$(figure "$name" ft)" "$findings"
done
exit $failed
