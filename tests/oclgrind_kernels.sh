#!/usr/bin/env bash
# Whether every kernel has run under oclgrind with all of its checks (run_oclgrind.sh --uninitialized), in the form
# for GPUs and in the one for CPUs. Dense layers have kernels for each.
#   oclgrind_kernels.sh SOURCES RAN...
# SOURCES is the folder of the kernels, RAN the files with the names of those that ran.
set -euo pipefail
sources=$1
shift

# A kernel is __kernel ... void NAME(, or A_KERNEL(NAME, where that is a macro for as much.
names=$(cat "$sources"/*.cl | tr '\n' ' ' |
    grep -oE '(__kernel[^{;]*\bvoid|\b[A-Z]+_KERNEL\() *[a-z_0-9]+ *[,()]' |
    sed -E 's/ *[,()]$//; s/.*[ (]//' | grep -v '^name$' | sort -u)
# One that stands beside others has an #ifdef, which knows its name too.
beside=$(sed -nE 's/^#ifdef KERNEL_([a-z_0-9]+)$/\1/p' "$sources"/*.cl | sort -u)
status=0
if [ -n "$(comm -13 <(echo "$names") <(echo "$beside"))" ]; then
    echo "not recognised as kernels: $(comm -13 <(echo "$names") <(echo "$beside") | tr '\n' ' ')"
    status=1
fi
for form in gpu cpu; do
    elsewhere='^dense_tiles_'
    [ $form = gpu ] || elsewhere='^dense_(forward|backward)$'
    wanted=$(grep -vE "$elsewhere" <<<"$names")
    missing=$(comm -23 <(echo "$wanted") <(sed -n "s/^$form //p" "$@" | sort -u))
    if [ -n "$missing" ]; then
        echo "not run in the form for ${form}s:" $missing
        status=1
    else
        echo "$form: all $(wc -l <<<"$wanted") kernels have run"
    fi
done
exit $status
