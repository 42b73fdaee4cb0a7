#!/usr/bin/env bash
# Let one fuzzer run: run.sh PROGRAM SECONDS [libFuzzer's OPTIONS]. It begins with the corpus beside this file; what it finds beyond that is kept
# beside the program, in found/NAME, for the next time, and an input that stops it is left there as found/NAME-crash-...
# (or leak, timeout, oom). Fails where there is one.
set -euo pipefail
program=$1
seconds=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$program")
name=${name#fuzz_}
found=$(dirname "$program")/found
mkdir -p "$found/$name"

dictionary=()
[ ! -e "$here/$name.dict" ] || dictionary=(-dict="$here/$name.dict")
export ASAN_OPTIONS=allocator_may_return_null=1:detect_stack_use_after_return=1
export UBSAN_OPTIONS=print_stacktrace=1
export LSAN_OPTIONS=suppressions=$here/../sanitizers/leaks.txt:print_suppressions=0
exec "$program" -max_total_time="$seconds" -max_len=4096 -timeout=25 -rss_limit_mb=2560 -use_value_profile=1 \
    -print_final_stats=1 -artifact_prefix="$found/$name-" "${dictionary[@]}" "$@" "$found/$name" "$here/corpus/$name"
