#!/usr/bin/env bash
# Build the Debian packages and use them on a machine that has nothing else: a fresh Debian in a folder, where they are installed,
# a program is compiled against them and trained, without an OpenCL device and with one, and they are removed again.
#   scripts/test-packages.sh [RELEASE]    of Debian; bookworm if not given
# As root, with debootstrap (apt install debootstrap) and a network; some minutes. scripts/test.sh --full runs it.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
release=${1:-bookworm}
build=$root/build/package
clean=$build/$release
[ "$(id -u)" = 0 ] || { echo "scripts/test-packages.sh needs root: it makes a root of its own" >&2; exit 1; }
command -v debootstrap >/dev/null || { echo "debootstrap is missing (apt install debootstrap)" >&2; exit 1; }

"$root/scripts/install-deps.sh"
rm -f "$build"/*.deb
(cd "$root" && cmake --workflow --preset package)

# The fresh Debian is kept as an archive: every run begins with it.
if [ ! -e "$build/$release.tar" ]; then
    rm -rf "$clean"
    debootstrap --variant=minbase "$release" "$clean"
    tar -C "$clean" -cf "$build/$release.tar.new" .
    mv "$build/$release.tar.new" "$build/$release.tar"
fi
rm -rf "$clean"
mkdir "$clean"
tar -C "$clean" -xf "$build/$release.tar"
mkdir "$clean/here"
cp "$build"/*.deb "$root/samples/minimal.c" "$clean/here"
cp /etc/resolv.conf "$clean/etc/resolv.conf"

cat >"$clean/here/use.sh" <<'END'
set -eu
export DEBIAN_FRONTEND=noninteractive CLGRAD_CACHE=off
cd /here
install() { apt-get install -q -y --no-install-recommends "$@" >/here/apt.log 2>&1 || { cat /here/apt.log; exit 1; }; }
says() { # the program says this, whatever its exit status
    text=$1
    shift
    "$@" >/here/said 2>&1 || true
    cat /here/said
    grep -q "$text" /here/said || { echo "expected: $text" >&2; exit 1; }
}
apt-get update -q >/here/apt.log

echo "== tools and library, no OpenCL device"
install ./clgrad-tools_*.deb ./libclgrad[0-9]*.deb
says "^clgrad-doctor [0-9]" clgrad-doctor --version
says "pocl-opencl-icd" clgrad-doctor
clgrad-doctor --device reference --only softmax

echo "== a program against the development package"
install gcc libc6-dev pkg-config ./libclgrad-dev_*.deb
cc minimal.c -o minimal $(pkg-config --cflags --libs clgrad)
says "pocl-opencl-icd" ./minimal
says "loss after 1000 steps: 0.00" env CLGRAD_DEVICE=reference ./minimal

echo "== the same with a device, and linked statically"
install pocl-opencl-icd ocl-icd-opencl-dev libclblast-dev libopenblas-dev libjansson-dev
says "loss after 1000 steps: 0.00" ./minimal
cc minimal.c -o minimal_static $(pkg-config --cflags clgrad) -Wl,-Bstatic -lclgrad -Wl,-Bdynamic \
    $(pkg-config --static --libs-only-l clgrad | sed 's/-lclgrad//')
says "loss after 1000 steps: 0.00" ./minimal_static
clgrad-doctor --only softmax

echo "== removed"
apt-get remove -q -y libclgrad-dev clgrad-tools 'libclgrad[0-9]*' >/here/apt.log
left=$(find / -xdev -name '*clgrad*' -not -path '/here/*' -not -path '/proc/*' -not -path '/var/*')
[ -z "$left" ] || { echo "left behind: $left" >&2; exit 1; }
END
# Its own processes and mounts, which end with it.
unshare --mount --pid --fork sh -c 'mount -t proc proc "$1/proc" && mount -t sysfs sys "$1/sys" && exec chroot "$1" /bin/sh /here/use.sh' sh "$clean"
rm -rf "$clean"
echo "the packages work on a clean Debian $release"
