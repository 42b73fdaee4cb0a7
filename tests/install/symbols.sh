#!/usr/bin/env bash
# The shared library bears its version and exports what begins with clgrad_, and nothing else: symbols.sh TREE VERSION NM READELF
set -euo pipefail
tree=$1 version=$2 nm=$3 readelf=$4
library=$(find "$tree" -name "libclgrad.so.$version")
[ -n "$library" ] || { echo "there is no libclgrad.so.$version" >&2; exit 1; }
"$readelf" -d "$library" | grep "SONAME.*\[libclgrad\.so\.${version%.*}\]" || { echo "its SONAME is another" >&2; exit 1; }

"$nm" -D --defined-only "$library" | awk '{print $NF}' >"$tree/exported"
if grep -v '^clgrad_' "$tree/exported"; then
    echo "these are exported and do not begin with clgrad_" >&2
    exit 1
fi
# Functions inside the library begin so too: what is exported must stand in a header.
while read -r name; do
    grep -qrw "$name" "$tree/include" || { echo "$name is exported, and in no header" >&2; exit 1; }
done <"$tree/exported"
echo "$(wc -l <"$tree/exported") functions are exported"
