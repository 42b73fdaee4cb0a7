#!/usr/bin/env bash
# Watch a network train: install what is missing, build in release mode, run the trainer with the options given.
#   scripts/demo.sh                          digits of the trainer's own making
#   scripts/demo.sh --data FOLDER            a folder with MNIST's four files
#   scripts/demo.sh --help                   everything else
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

"$root/scripts/install-deps.sh"
if [ -t 1 ] && ! [ -x "$root/build/demo/samples/train" ]; then echo "building (half a minute, the first time)" >&2; fi
log=$(mktemp)
if ! { cmake -S "$root" -B "$root/build/demo" -G Ninja -DCMAKE_BUILD_TYPE=Release -DCLGRAD_TESTS=OFF &&
       cmake --build "$root/build/demo"; } >"$log" 2>&1; then
    cat "$log" >&2
    exit 1
fi
rm -f "$log"
exec "$root/build/demo/samples/train" "$@"
