# What Doxygen sees instead of a header: awk -v lists=FILE -f doxygen.awk HEADER. Lines stay where they are.
#
# - The enumerators that a list makes, with what the list says of them (tools/doc_lists.c wrote them into FILE).
# - No macro that only lists need: CLGRAD_..._PARAMETERS, CLGRAD_..._ENUM, CLGRAD_..._ONE.
# - A comment behind several fields, for each of them.
# - Names of functions and types in comments as links.

BEGIN {
    while ((getline line < lists) > 0) {
        split(line, half, "\t")
        enumerators[half[1]] = half[2]
    }
}

# A comment that begins a line is kept back until it is seen what it belongs to.
function release() {
    printf "%s", comment
    comment = ""
}

# "    float lower, upper; /**< text */" as one declaration for each.
function distribute(text,    at, note, type, names, n, i) {
    at = index(text, ";")
    note = substr(text, at + 1)
    text = substr(text, 1, at - 1)
    sub(/^ +/, "", text)
    match(text, /^(const )?[A-Za-z0-9_]+ /)
    type = substr(text, 1, RLENGTH)
    n = split(substr(text, length(type) + 1), names, /, */)
    for (i = 1; i <= n; i++)
        printf "    %s%s;%s", type, names[i], note
}

# clgrad_names as #clgrad_names, which Doxygen links; but for those that are beginnings of names, or of files.
function link(text,    done, name, behind) {
    done = ""
    while (match(text, /clgrad_[a-z0-9_]+/)) {
        name = substr(text, RSTART, RLENGTH)
        behind = substr(text, RSTART + RLENGTH, 2)
        done = done substr(text, 1, RSTART - 1)
        if (done !~ /[A-Za-z0-9_#"]$/ && behind !~ /^([.]h|\/|[.][.]|")/ && name !~ /_$/)
            name = "#" name
        done = done name
        text = substr(text, RSTART + RLENGTH)
    }
    return done text
}

{
    at = incomment ? 1 : index($0, "/**")
    if (at > 0)
        $0 = substr($0, 1, at - 1) link(substr($0, at))
}

skipping { skipping = /\\$/; print ""; next }

# Inside an enumeration: the macro, the list, and the end of the macro make way for the enumerators.
/^#define CLGRAD_[A-Z]+_(ENUM|ONE)\(/ {
    name = $2
    sub(/\(.*/, "", name)
    if (!(name in enumerators)) {
        print FILENAME ": no enumerators for " name > "/dev/stderr"
        exit 1
    }
    release()
    print enumerators[name]
    replaced = 1
    next
}
replaced { if (/^#undef/) replaced = 0; print ""; next }

/^#define CLGRAD_[A-Z0-9_]+_PARAMETERS\(P\)/ {
    gsub(/[^\n]/, "", comment)
    release()
    skipping = /\\$/
    print ""
    next
}

# Declarations of several names, which end with a comment, on this line or a later one.
{
    code = $0
    sub(/\/\*.*/, "", code)
}
declaration == "" && code ~ /^    (const )?[A-Za-z0-9_]+ \*?[A-Za-z0-9_]+, / && code !~ /\(/ { several = 1 }
several {
    if (declaration != "")
        sub(/^ +\*?/, " ")
    declaration = declaration $0
    several = $0 !~ /\*\/$/
    if (!several) {
        distribute(declaration)
        declaration = ""
    }
    print ""
    next
}

/^\/\*\*/ { incomment = 1 }
incomment { comment = comment $0 "\n"; if (/\*\/$/) incomment = 0; next }
comment != "" { release() }
{ print }
END { release() }
