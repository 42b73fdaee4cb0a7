#!/usr/bin/env bash
# Install a build into an empty folder: install.sh CMAKE BUILD FOLDER. Every component has its files.
set -euo pipefail
cmake=$1 build=$2 tree=$3
rm -rf "$tree"
# By the list of what was installed somebody may want to uninstall: it stays that of their own installation.
list=$build/install_manifest.txt
[ ! -e "$list" ] || cp "$list" "$list.kept"
"$cmake" --install "$build" --prefix "$tree" >/dev/null
[ ! -e "$list.kept" ] || mv "$list.kept" "$list"

for file in 'include/clgrad/clgrad.h' 'lib*/libclgrad.so' 'lib*/libclgrad.a' 'lib*/pkgconfig/clgrad.pc' \
    'lib*/cmake/clgrad/clgrad-config.cmake' 'bin/clgrad-doctor' 'share/man/man1/clgrad-doctor.1*'; do
    find "$tree" -path "$tree/$file" -o -path "$tree/${file/lib\*/lib/*}" | grep -q . || {
        echo "nothing was installed as $file" >&2
        exit 1
    }
done
"$tree/bin/clgrad-doctor" --version
