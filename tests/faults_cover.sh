#!/bin/sh
# Every OpenCL function that the library and CLBlast call is one that test_faults stands in for.
#     faults_cover.sh NM TEST_FAULTS LIBRARY CLBLAST
nm=$1 program=$2 library=$3 clblast=$4
known=$("$nm" "$program" | sed -n 's/.* [TW] \(cl[A-Z].*\)/\1/p')
used=$({ "$nm" -u "$library"; "$nm" -D -u "$clblast"; } 2>/dev/null | sed -n 's/.* U \(cl[A-Z][A-Za-z]*\).*/\1/p' | sort -u)
missing=$(for name in $used; do echo "$known" | grep -qx "$name" || echo "$name"; done)
[ -n "$used" ] && [ -z "$missing" ] && exit 0
echo "not in tests/faults_opencl.c:" $missing
exit 1
