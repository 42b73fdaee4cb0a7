#!/bin/sh
# Write the API reference; any warning is an error: doxygen.sh DOXYGEN LISTS_PROGRAM VERSION FOLDER
# LISTS_PROGRAM is tools/doc_lists.c's.
set -eu
doxygen=$1 lists=$2 version=$3 folder=$4
mkdir -p "$folder"
"$lists" >"$folder/lists.txt"
cd "$(dirname "$0")/.."
# What Doxygen 1.9.4 lets pass.
awk '/^    CLGRAD_[A-Z0-9_]+ = [0-9]+,?$/ && before !~ /[*]\/$/ {
         print FILENAME ":" FNR ": " $1 " is not documented"
         bad = 1
     }
     { before = $0 }
     END { exit bad }' include/clgrad/*.h >&2
CLGRAD_DOC=$folder CLGRAD_VERSION=$version "$doxygen" docs/Doxyfile
echo "$folder/html/index.html"
