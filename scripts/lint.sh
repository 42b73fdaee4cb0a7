#!/usr/bin/env bash
# The sources' form and what clang's linter sees in them, both by the version that the rules were made for:
#   scripts/lint.sh format          clang-format 14 over every C, C++ and OpenCL file; fails where one would be changed
#   scripts/lint.sh format --fix    change them
#   scripts/lint.sh tidy BUILD      clang-tidy 14 (.clang-tidy) over the library, samples and tools of a build folder
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
case ${1:-} in
format)
    options=(--dry-run -Werror)
    [ "${2:-}" != --fix ] || options=(-i)
    # Not generated golden values; and not faults.h, whose list clang-format would take apart.
    find include src kernels samples tools tests -regex '.*\.\(c\|h\|cl\|cpp\)' -not -path 'tests/golden/*' -not -name faults.h -print0 |
        xargs -0 clang-format-14 "${options[@]}"
    ;;
tidy)
    log=$(mktemp)
    trap 'rm -f "$log"' EXIT
    if ! run-clang-tidy-14 -j "$(nproc)" -quiet -p "$2" "$root/(src|samples|tools)/.*\.c$" >"$log" 2>&1; then
        sed 's/\x1b\[[0-9;]*m//g' "$log" | grep -A 6 -E 'error:|Error' | head -n 100
        exit 1
    fi
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
