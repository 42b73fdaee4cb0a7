#!/usr/bin/env bash
# Hold a page of documentation against the programs that it speaks of:
#     check_page.sh PAGE SOURCE_DIR PROGRAM_DIR DEVICE...
#
# Every fenced block of the page has a line in front of it that says where it is from:
#   <!-- from samples/tutorial/step1.c -->            the whole file (of several files: it is the same in each)
#   <!-- from samples/tutorial/step2.c: tensors -->   what stands between "// [tensors]" and "// [tensors end]" (in
#                                                     Python "# [...]"), less the first line's indentation
#   <!-- output of step1 -->                          what the program of PROGRAM_DIR prints, on each device
#   <!-- output of read tests/file -->                the same with a file of SOURCE_DIR for an argument
#   <!-- output of step1 with NAME=VALUE ... -->      the same with environment variables of its own, once
#   <!-- output of step8 in an empty folder -->       the same elsewhere than the programs before
# These lines are not seen where the page is rendered, so what a reader needs of them has to stand in the text too: the
# file's name somewhere, and the command (./step1, CLGRAD_DEVICE=gpu ./step1) between the output and the
# block before it.
# The blocks of Python, one after the other, are a program that has to run; that is left out where there is no Python with
# PyTorch and safetensors (CLGRAD_PYTHON names one; python3 if not set).
# What it links to in the project has to be there.
# A line of an output that ends in "..." is compared up to there; "..." alone stands for any number of lines.
# Programs run in the order of the page, in one folder that begins empty. DEVICE is what CLGRAD_DEVICE is set to,
# or "best".
set -uo pipefail
page=$1 source=$2 programs=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/run"
failures=0 blocks=0
fail() {
    echo "$(basename "$page"): $*" >&2
    failures=$((failures + 1))
}

# The blocks as files block.N, where they are from in origin.N, the text since the block before in shown.N.
awk -v work="$work" '
    /^```/ && !inside {
        inside = 1
        n++
        print (before ~ /^<!-- (from|output of) .* -->$/ ? before : "line " NR) >(work "/origin." n)
        printf "" >(work "/block." n)
        printf "%s", text >(work "/shown." n)
        text = ""
        program = $0 == "```python" ? work "/blocks.py" : ""
        next
    }
    /^```/ { inside = 0; before = ""; next }
    inside { print >(work "/block." n) }
    inside && program { print >program }
    inside { next }
    NF { before = $0 }
    !/^<!--/ { text = text $0 "\n" }
    END { exit inside }' "$page" || fail "the last block has no end"

# Part NAME of a file, or all of it without the lines that name parts.
part() {
    awk -v name="$2" '
        $1 ~ /^(\/\/|#)$/ && $2 ~ /^\[/ {
            if ($0 ~ "\\[" name "\\]$") on = found = 1
            else if ($0 ~ "\\[" name " end\\]$") on = 0
            next
        }
        name == "" { on = found = 1 }
        on {
            if (indent == "") { match($0, /^ */); indent = RLENGTH }
            lead = substr($0, 1, indent)
            print lead ~ /[^ ]/ ? $0 : substr($0, indent + 1)
        }
        END { exit !found }' "$1"
}

# Whether the lines of file $2 are what $1 says.
matches() {
    awk '
        NR == FNR { wanted[++n] = $0; next }
        { got[++m] = $0 }
        function same(i, j) {
            if (i > n) return j > m
            if (wanted[i] == "...") {
                for (; j <= m + 1; j++)
                    if (same(i + 1, j)) return 1
                return 0
            }
            if (j > m) return 0
            if (wanted[i] ~ /\.\.\.$/) {
                if (index(got[j], substr(wanted[i], 1, length(wanted[i]) - 3)) != 1) return 0
            } else if (wanted[i] != got[j]) return 0
            return same(i + 1, j + 1)
        }
        END { exit !same(1, 1) }' "$1" "$2"
}

# The part of each file, and the block.
compare_part() {
    local files=$1 name=$2 file
    for file in $files; do
        grep -qF "$(basename "$file")" "$work"/shown.* || fail "the text does not name $file, which a block is from"
        if ! part "$source/$file" "$name" >"$work/part"; then
            fail "$file has no part \"$name\""
        elif ! diff "$work/part" "$block" >"$work/difference"; then
            fail "the block from $file${name:+: $name} differs from the file (<) on the page (>):"
            cat "$work/difference" >&2
        fi
    done
}

# Whether the text before a block has the command with which its program was run: program and files, variables.
command_is_shown() {
    local files=${1#"${1%% *}"}
    local command="${2:+$2 }./${1%% *}${files:+ $(basename "$files")}"
    grep -qF "$command" "$work/shown.$blocks" || fail "the text before an output does not show the command: $command"
}

# Run the program of a block with environment variables, and compare what it prints.
output() {
    local block=$1 program=${2%% *} files=${2#"${2%% *}"}
    shift 2
    # shellcheck disable=SC2086 # none or one
    (cd "$folder" && exec env "$@" "$programs/$program" ${files:+$source/${files# }}) >"$work/printed" 2>&1
    matches "$block" "$work/printed" || {
        fail "$program does not print with ${*:-the best device} what is on the page:"
        diff "$block" "$work/printed" >&2
    }
}

while [ -e "$work/origin.$((blocks + 1))" ]; do
    blocks=$((blocks + 1))
    origin=$work/origin.$blocks block=$work/block.$blocks
    read -r _ kind rest <"$origin"
    rest=${rest% -->}
    case $kind in
    from)
        files=${rest%%: *} name=""
        [ "$files" = "$rest" ] || name=${rest#*: }
        compare_part "$files" "$name" ;;
    output)
        rest=${rest#of } folder=$work/run
        if [ "$rest" != "${rest% in an empty folder}" ]; then
            rest=${rest% in an empty folder} folder=$(mktemp -d -p "$work")
        fi
        program=${rest%% with *} variables=""
        [ "$program" = "$rest" ] || variables=${rest#* with }
        command_is_shown "$program" "$variables"
        if [ -n "$variables" ]; then
            # shellcheck disable=SC2086 # several variables
            output "$block" "$program" $variables
        else
            for device in "$@"; do
                if [ "$device" = best ]; then output "$block" "$program" -u CLGRAD_DEVICE
                else output "$block" "$program" "CLGRAD_DEVICE=$device"; fi
            done
        fi ;;
    *) fail "$(cat "$origin"): a block without a line that says where it is from" ;;
    esac
done
python=${CLGRAD_PYTHON:-python3}
if [ -e "$work/blocks.py" ]; then
    if ! "$python" -c "import torch, safetensors.torch" 2>"$work/printed"; then
        echo "the blocks of Python are not run: $(tail -n 1 "$work/printed")"
    elif ! (cd "$work/run" && "$python" "$work/blocks.py") >"$work/printed" 2>&1; then
        fail "the blocks of Python do not run:"
        cat "$work/printed" >&2
    fi
fi
# Links to files of the project.
while read -r link; do
    [ -e "$(dirname "$page")/$link" ] || fail "there is no $link"
done < <(grep -o '](\([^)#:]*\)[)#]' "$page" | sed 's/^](//; s/.$//' | grep .)
[ "$blocks" -gt 0 ] || fail "there is no block in it"
[ "$failures" = 0 ] && echo "$blocks blocks are as in their files, and as printed"
