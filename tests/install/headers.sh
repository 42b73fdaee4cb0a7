#!/usr/bin/env bash
# Each installed header compiles alone, twice in a row, as C11, C17 and C++17, with every warning an error:
# headers.sh TREE CC [CXX]
set -euo pipefail
tree=$1 cc=$2 cxx=${3:-}
warnings=(-Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wundef -Wcast-qual -Wdouble-promotion -Werror)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
count=0
for header in "$tree"/include/clgrad/*.h; do
    name=clgrad/$(basename "$header")
    printf '#include <%s>\n#include <%s>\n' "$name" "$name" | tee "$work/one.c" >"$work/one.cpp"
    # -I and not -isystem: there warnings would be switched off.
    for standard in c11 c17; do
        "$cc" -std=$standard "${warnings[@]}" -Wstrict-prototypes -I "$tree/include" -fsyntax-only "$work/one.c"
    done
    [ -z "$cxx" ] || "$cxx" -std=c++17 "${warnings[@]}" -I "$tree/include" -fsyntax-only "$work/one.cpp"
    count=$((count + 1))
done
echo "$count headers compile alone"
[ "$count" -gt 20 ]
