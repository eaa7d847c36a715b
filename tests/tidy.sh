#!/usr/bin/env bash
# What the compiler does not check: layers, banned calls, libm, mutable globals, lengths, form.
#
#     tests/tidy.sh [--root FOLDER] [--long] [BUILD...]   every violation as file:line: sentence
#     tests/tidy.sh --self-test                           each kind of violation is found
#
# BUILD is a build folder whose layer archives are read with nm and objdump.  --long adds clang-tidy,
# for which the first BUILD needs a compile_commands.json; QUINTET_TIDY_S bounds it (1200 seconds).
# Ends with 1 when there is a violation, 2 when the checks themselves could not run.
set -uo pipefail

here=$(cd "$(dirname "$0")" && pwd)
# Exact by definition.  At -O3 gcc writes trunc for the floor of what cannot be negative.
libm_allowed='sqrt fabs floor ceil trunc'

sources() {
    find sim models tools tests -type f \( -name '*.c' -o -name '*.h' \) 2>/dev/null | LC_ALL=C sort
}

# Archives of sim/ and of the models; the tools may use what they like.
archives() {
    find "$1" -maxdepth 1 -name 'lib*.a' ! -name 'libtools.a' | LC_ALL=C sort
}

# What libm defines, so that nobody has to keep a list.
libm_names() {
    local libm

    libm=$(gcc -print-file-name=libm.so.6)
    nm -D --defined-only "$libm" 2>/dev/null | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort -u
}

check_libm() {
    local build=$1 names

    names=$(libm_names)
    if [ -z "$names" ]; then
        echo "$build:1: nothing is known of libm here, so its use cannot be checked"
        return
    fi
    archives "$build" | xargs -r nm -A -u 2>/dev/null |
        awk -v names="$names" -v allowed="$libm_allowed" '
            BEGIN {
                n = split(names, list, "\n"); for (i = 1; i <= n; i++) libm[list[i]] = 1
                n = split(allowed, list, " "); for (i = 1; i <= n; i++) delete libm[list[i]]
            }
            $NF in libm {
                split($1, at, ":")
                printf "%s:1: %s uses %s() of libm; only sqrt, fabs, floor, ceil and trunc give the same bits everywhere\n",
                    at[1], at[2], $NF
            }'
}

# Data that a program may write: sections .data, .bss, .tdata, .tbss (constant tables of pointers are in
# .data.rel.ro).  The one exception is the thread's context of sim/ensure.c.
check_globals() {
    archives "$1" | while read -r archive; do
        objdump -t "$archive" 2>/dev/null | awk -v archive="$archive" '
            /^[^ ]*\.o: / { object = $1; sub(/:$/, "", object) }
            $0 ~ / O [^ ]*(\.data|\.bss|\.tdata|\.tbss)[^ ]*\t/ && $0 !~ /\.data\.rel\.ro/ && object !~ /^ensure\./ {
                printf "%s:1: %s keeps %s, which is neither constant nor owned by a run\n", archive, object, $NF
            }'
    done
}

check_format() {
    if ! command -v clang-format >/dev/null; then
        echo ".clang-format:1: clang-format is not there, so the format cannot be checked"
        return
    fi
    sources | xargs -r clang-format --dry-run 2>&1 | awk -F: '
        /-Wclang-format-violations/ && !seen[$1]++ { printf "%s:%s: not as clang-format would write it\n", $1, $2 }'
}

check_tidy() {
    local build=$1

    if [ ! -f "$build/compile_commands.json" ] || ! command -v clang-tidy >/dev/null; then
        echo "$build:1: clang-tidy needs itself and a compile_commands.json"
        return
    fi
    sources | grep '\.c$' | while read -r source; do
        grep -q "/$source\"" "$build/compile_commands.json" && echo "$source"
    done | timeout "${QUINTET_TIDY_S:-1200}" xargs -r -n 4 -P "$(nproc)" clang-tidy --quiet -p "$build" \
        >"$build/clang-tidy.log" 2>/dev/null
    [ "${PIPESTATUS[3]}" -ne 124 ] || echo "$build:1: clang-tidy did not finish in time"
    # What .clang-tidy holds to be an error counts; the rest is advice, left in the log.  Its analyzer does
    # not know the cleanup attribute, so that whatever is g_autofree or g_autoptr leaks for it; leaks are
    # looked for by the tests with sanitizers, and use after free and double free still count here.
    sed -n "s|^$PWD/||; s|: error: |: |p" "$build/clang-tidy.log" | grep -v ': Potential leak of memory ' | sort -u
}

# Headers and sources in one awk; the builds by their symbols.
run_checks() {
    local is_long=$1

    shift
    sources | xargs -r awk -f "$here/tidy.awk"
    check_format
    for build in "$@"; do
        if [ -z "$(archives "$build")" ]; then
            echo "$build:1: no archive of a layer is in this folder; is it built?"
        else
            check_libm "$build"
            check_globals "$build"
        fi
    done
    [ "$is_long" = no ] || check_tidy "${1-build}"
}

check_tree() {
    local found

    found=$(run_checks "$@")
    if [ -n "$found" ]; then
        printf '%s\n' "$found"
        printf 'tidy: %d violations\n' "$(printf '%s\n' "$found" | wc -l)"
        return 1
    fi
    echo "tidy: $(sources | wc -l) files, no violation"
}

compile_command() {
    printf '{"directory": "%s", "file": "%s", "command": "cc -c %s"}' "$PWD" "$PWD/$1" "$PWD/$1"
}

# A tree with one violation of each kind, so that a check that finds nothing can be told from one that
# looks at nothing.
write_wrong_tree() {
    mkdir -p sim models/crdt models/faults models/operators tools
    printf '/* Wrong on purpose. */\n#include "models/crdt/clock.h"\n' >sim/layer.c
    printf '/* Wrong on purpose. */\n#include "models/operators/verb.h"\n' >models/faults/beside.c
    printf '/* Wrong on purpose. */\n#include "near.h"\n' >sim/near.c
    printf '/* Calls time() in words only. */\nint now(void);\nint now(void)\n{\n    return (int)time(0);\n}\n' >sim/call.c
    printf '/* Wrong on purpose. */\nvoid walk(void *t)\n{\n    g_hash_table_iter_init(t, t);\n}\n' >models/crdt/iterate.c
    printf '/* Wrong on purpose. */\nint six(int a, int b, int c, int d, int e, int f);\nint seven(int a, int b, int c, int d, int e, int f, int g);\n' >sim/many.c
    printf '/* No guard. */\nint bare;\n' >sim/bare.h
    printf '/* TO''DO: later */\n' >tools/task.c
    printf 'int none;\n' >sim/silent.c
    printf '/* Wrong on purpose. */\n#include <sqlite3.h>\n' >tools/report.c
    printf '/* Wrong on purpose. */\nint   wide;\n' >sim/form.c
    { echo '/* Long. */'; yes '' | head -n 600; } >sim/long.c
    { printf '/* Long. */\nvoid tall(void)\n{\n'; yes '    ;' | head -n 71; echo '}'; } >sim/tall.c
    { printf '/* Just right. */\nvoid fits(void)\n{\n'; yes '    ;' | head -n 70; echo '}'; } >sim/fits.c
    mkdir objects
    printf 'double pow(double, double);\nstatic int counter;\nint count(double x);\nint count(double x)\n{\n    counter += (int)pow(x, x);\n    return counter;\n}\n' >objects/wrong.c
    gcc -c -O1 -o objects/wrong.o objects/wrong.c && ar rc objects/libsim.a objects/wrong.o
    printf '/* Wrong on purpose. */\nint first(void);\nint first(void)\n{\n    int *none = 0;\n    return *none;\n}\n' >sim/null.c
    printf '/* Right. */\n#include <stdlib.h>\nstatic void drop(void **p)\n{\n    free(*p);\n}\nint kept(void);\nint kept(void)\n{\n    __attribute__((cleanup(drop))) void *all = malloc(1);\n    return all != 0;\n}\n' >sim/kept.c
    printf '[%s,\n%s]\n' "$(compile_command sim/null.c)" "$(compile_command sim/kept.c)" >objects/compile_commands.json
}

self_test() {
    local folder found failed=0 expected

    folder=$(mktemp -d) || return 2
    # shellcheck disable=SC2064 # the folder is known now
    trap "rm -rf '$folder'" EXIT
    cp "$here"/../.clang-{format,tidy} "$folder" || return 2
    cd "$folder" && write_wrong_tree || return 2
    found=$(run_checks yes objects)
    while read -r expected; do
        if ! printf '%s\n' "$found" | grep -q -e "$expected"; then
            echo "tests/tidy.sh:1: does not find what it should: $expected"
            failed=1
        fi
    done <<'LIST'
^sim/layer.c:2: sim/ may not know models/crdt/
^models/faults/beside.c:2: models/faults/ may not know models/operators/
^sim/near.c:2: "near.h": includes are written from the root
^sim/call.c:5: time() is banned
^models/crdt/iterate.c:4: g_hash_table_iter_init() is banned
^sim/many.c:3: 7 parameters
^sim/bare.h:1: a header needs #pragma once
^tools/task.c:1: a task without an issue number
^sim/silent.c:1: a file opens with a comment
^tools/report.c:2: SQLite
^sim/form.c:2: not as clang-format
^sim/long.c:601: 601 lines
^sim/tall.c:3: a function of 71 lines
^objects/libsim.a:1: wrong.o uses pow() of libm
^objects/libsim.a:1: wrong.o keeps counter
^sim/null.c:6:.*null pointer
LIST
    if printf '%s\n' "$found" | grep -e '^sim/fits.c.*function' -e '^sim/call.c:1:' -e '^sim/many.c:2:' -e '^sim/kept.c.*leak'; then
        echo "tests/tidy.sh:1: finds what is right (above)"
        failed=1
    fi
    [ $failed -eq 1 ] || echo "tidy: each kind of violation is found"
    return $failed
}

root=$here/..
is_long=no
builds=()
while [ $# -gt 0 ]; do
    case $1 in
    --self-test)
        self_test
        exit
        ;;
    --long) is_long=yes ;;
    --root)
        root=${2-}
        shift
        ;;
    -*)
        sed -n '2,9s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    *) builds+=("$(realpath -- "$1" 2>/dev/null || echo "$1")") ;;
    esac
    shift
done
cd "$root" || exit 2
# Folders in messages are short when they are inside the tree.
check_tree "$is_long" "${builds[@]/#"$PWD"\//}"
