# shellcheck shell=bash
# What the program needs from the machine, and how it is built; sourced by tools/run, tools/test and
# tools/bench, from the repository's root.
#
# A package is missing when neither dpkg knows it nor its probe finds what we want from it, so a
# machine that has the tools from elsewhere is left alone.  Nothing is asked of the network unless
# something is missing.

run_packages="gcc libc6-dev make cmake ninja-build pkg-config libglib2.0-dev libcjson-dev libsqlite3-dev
    libcunit1-dev gnuplot-nox"
test_packages="clang clang-format clang-tidy python3-jsonschema libhiredis-dev redis-server"

say() {
    printf '%s\n' "$*" >&2
}

# Whether what we want from a package is there, whoever put it there.
probe() {
    case $1 in
    libc6-dev) echo '#include <stdio.h>' | gcc -E - ;;
    gcc | make | cmake | clang | clang-format | clang-tidy | pkg-config | redis-server) command -v "$1" ;;
    ninja-build) command -v ninja ;;
    gnuplot-nox) command -v gnuplot ;;
    libglib2.0-dev) pkg-config --exists 'glib-2.0 >= 2.74' ;;
    libcjson-dev) pkg-config --exists libcjson ;;
    libsqlite3-dev) pkg-config --exists sqlite3 ;;
    libcunit1-dev) pkg-config --exists cunit ;;
    libhiredis-dev) pkg-config --exists hiredis ;;
    python3-jsonschema) find_python_jsonschema ;;
    *) return 1 ;;
    esac >/dev/null 2>&1
}

# Debian's, which everybody has, before a python3 of the PATH that may not see its packages.
find_python_jsonschema() {
    local python

    for python in /usr/bin/python3 python3; do
        if "$python" -W ignore -c 'import jsonschema; jsonschema.Draft202012Validator' 2>/dev/null; then
            echo "$python"
            return 0
        fi
    done
    return 1
}

packages_missing() {
    local package

    for package in "$@"; do
        probe "$package" && continue
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' && continue
        printf '%s ' "$package"
    done
}

# Runs apt-get as root, through sudo when we are not.
apt_get() {
    local as_root=()

    if [ "$(id -u)" -ne 0 ]; then
        as_root=(sudo)
        [ -t 0 ] || as_root=(sudo -n) # nobody is there to type a password
    fi
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq "$@"
}

# setup_packages PACKAGE...: ends the script with 2 when something is missing and cannot be had.
setup_packages() {
    local missing log

    missing=$(packages_missing "$@")
    missing=${missing% }
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "missing, and there is no apt-get to install it; the packages are called in Debian: $missing"
        exit 2
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        say "missing: $missing; installing takes root or sudo: apt-get install $missing"
        exit 2
    fi
    say "installing: $missing"
    log=$(mktemp)
    # shellcheck disable=SC2086 # a list of words
    if ! { apt_get update; apt_get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        rm -f "$log"
        say "apt-get could not install: $missing"
        exit 2
    fi
    rm -f "$log"
}

setup_for_run() {
    # shellcheck disable=SC2086
    setup_packages $run_packages
}

setup_for_test() {
    # shellcheck disable=SC2086
    setup_packages $run_packages $test_packages
}

cores() {
    nproc 2>/dev/null || getconf _NPROCESSORS_ONLN
}

# Goes on after an error, so that one call shows them all.
build_going_on() {
    local on_error=(-k)

    grep -q '^CMAKE_GENERATOR:.*Ninja' "$1/CMakeCache.txt" && on_error=(-k 0)
    cmake --build "$1" --target "$2" --parallel "$(cores)" -- "${on_error[@]}"
}

# build_tree FOLDER TARGET [cmake options]: quiet unless it fails; TARGET may be "all".
build_tree() {
    local folder=$1 target=$2 generator=()

    shift 2
    mkdir -p "$folder" || return 3
    if [ ! -f "$folder/CMakeCache.txt" ] && command -v ninja >/dev/null; then
        generator=(-G Ninja)
    fi
    if ! { cmake -S . -B "$folder" "${generator[@]}" "$@" &&
        build_going_on "$folder" "$target"; } >"$folder/build.log" 2>&1; then
        grep -E -A 8 'error|Error|warning:' "$folder/build.log" | head -n 80 >&2 ||
            tail -n 40 "$folder/build.log" >&2
        say "the build in $folder failed; all it said is in $folder/build.log"
        return 1
    fi
}

# Seconds since $1, an EPOCHREALTIME, with one decimal, in any locale.
elapsed() {
    local from=${1/,/.} now=${EPOCHREALTIME/,/.} tenths

    tenths=$(((10#${now/./} - 10#${from/./}) / 100000))
    printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
}
