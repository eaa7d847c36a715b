#!/usr/bin/env bash
# The commands that the pages show are ones that work.
#
#     tests/readme.sh BUILD
#
# Reads the fenced blocks of README.md, CONTRIBUTING.md and results/README.md.  Scripts, subcommands,
# options and files they name must exist; those of README.md that only look (check, conform, list, schema) are
# run, unless they speak of a <placeholder>.  Ends with 1 when one does not work.
set -uo pipefail

[ $# -eq 1 ] || { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 2; }
quintet=$(realpath -- "$1")/quintet
cd "$(dirname "$0")/.." || exit 2
failed=0
count=0

# page:line: command, of each line in a fenced block that calls something of ours.
commands() {
    # shellcheck disable=SC2016,SC2038 # an awk program; our own names
    find README.md CONTRIBUTING.md results/README.md 2>/dev/null | xargs -r awk '
        FNR == 1 { inside = 0 }
        /^ *```/ { inside = !inside; next }
        inside && /^ *(\$ )?(tools\/(run|test|bench)|build\/quintet|tests\/[a-z]+\.sh|quintet [a-z])/ {
            sub(/^ *(\$ )?/, ""); sub(/ +#.*$/, "")
            printf "%s:%d: %s\n", FILENAME, FNR, $0
        }'
}

wrong() {
    echo "$1: $2"
    failed=$((failed + 1))
}

check_quintet() {
    local at=$1 help option

    shift
    case ${1-} in
    --version | --help | help | "") return ;;
    esac
    if ! help=$("$quintet" help "$1" 2>&1); then
        wrong "$at" "quintet has no subcommand $1"
        return
    fi
    for option in "${@:2}"; do
        [[ $option == --* ]] || continue
        grep -qE -e "(^|[^a-z-])${option%%=*}([^a-z-]|$)" <<<"$help" ||
            wrong "$at" "quintet $1 has no option ${option%%=*}"
    done
    case $1 in
    check | conform | list | schema)
        if [[ $at == README.md:* && "$*" != *"<"* ]] && ! "$quintet" "$@" >/dev/null 2>&1; then
            wrong "$at" "quintet $* fails"
        fi
        ;;
    esac
}

check_command() {
    local at=$1 words word

    # Up to the first pipe or redirection; quotes do not matter here.
    read -ra words <<<"$(sed "s/[|>;&].*//; s/['\"]//g" <<<"$2")"
    for word in "${words[@]:1}"; do
        case $word in
        *'<'* | *'$'* | *'*'* | *=*) ;; # a placeholder, or an option's value
        scenarios/* | tests/*) [ -e "$word" ] || wrong "$at" "$word does not exist" ;;
        esac
    done
    case ${words[0]} in
    build/quintet | quintet) check_quintet "$at" "${words[@]:1}" ;;
    tools/run)
        [ -x tools/run ] || wrong "$at" "tools/run is not there"
        [[ ${words[1]-} != -* ]] && words=(tools/run "" "${words[@]:2}")
        check_quintet "$at" run "${words[@]:1}"
        ;;
    *) [ -x "${words[0]}" ] || wrong "$at" "${words[0]} is not there" ;;
    esac
}

while IFS= read -r line; do
    count=$((count + 1))
    check_command "$(cut -d: -f1,2 <<<"$line")" "$(cut -d: -f3- <<<"$line" | sed 's/^ //')"
done < <(commands)

for first in tools/run tools/test; do
    grep -q "^ *\(\$ \)\?$first" README.md 2>/dev/null || wrong README.md:1 "does not show $first"
done
echo "$count commands of the pages looked at, $failed do not work"
[ $failed -eq 0 ]
