#!/usr/bin/env bash
# The library's binary interface, beside that of the last release (abi/clgrad.abi; docs/abi.md has the rules).
#   scripts/abi.sh check LIBRARY    what is in the description and not, or otherwise, in this library; fails where there is such
#   scripts/abi.sh write LIBRARY    at a release: describe this library
# LIBRARY is a libclgrad.so built with debug information. Needs Debian's abigail-tools.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
description=$root/abi/clgrad.abi
accepted=$root/abi/accepted.abignore
opaque=$root/abi/opaque.abignore
readable() { # by libabigail: what it cannot read it takes for unchanged
    command -v abidiff >/dev/null || { echo "abidiff is missing (Debian: abigail-tools)" >&2; exit 1; }
    readelf --sections "$1" | grep '\.debug_info' >/dev/null || { echo "$1 has no debug information: build it with -g (the preset sanitize does)" >&2; exit 1; }
}
case ${1:-} in
check)
    readable "$2"
    # What is new is compatible: a program that was built before does not call it.
    exec abidiff --no-added-syms --drop-private-types --headers-dir2 "$root/include" --suppressions "$accepted" \
        --suppressions "$opaque" "$description" "$2"
    ;;
write)
    readable "$2"
    abidw --headers-dir "$root/include" --drop-private-types --exported-interfaces-only --no-corpus-path --no-comp-dir-path \
        --no-elf-needed --type-id-style hash "$2" | sed "s#$root/##" >"$description.new"
    mv "$description.new" "$description"
    ;;
*)
    sed -n '2,/^set/s/^# \{0,1\}//p' "$0" >&2
    exit 2
    ;;
esac
