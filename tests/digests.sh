#!/usr/bin/env bash
# The digest of every shipped scenario, in its short form, is the committed one in every build.
#
#     tests/digests.sh [--until DURATION] [--threads] BUILD...   compares with tests/golden/digests.txt
#     tests/digests.sh --update BUILD                            rewrites it
#
# The short form is base and variants on one key in 1024, expectations not judged, until 20m (or 2m,
# for builds that are slow on purpose).  --threads asks the first BUILD with 1, 2 and 5 threads.  A
# digest changes only in a commit that says why.  Ends with 1 when one differs.
set -uo pipefail

golden=tests/golden/digests.txt
header='# scenario, until, `quintet digest` of its short form; rewritten by tests/digests.sh --update'
until=20m
threads=$(nproc)
thread_counts=()
builds=()
is_update=no
while [ $# -gt 0 ]; do
    case $1 in
    --update) is_update=yes ;;
    --threads) thread_counts=(1 2 5) ;;
    --until)
        until=${2-}
        shift
        ;;
    -*)
        sed -n '2,10s/^# \{0,1\}//p' "$0" >&2
        exit 2
        ;;
    *) builds+=("$(realpath -- "$1")") ;;
    esac
    shift
done
cd "$(dirname "$0")/.." || exit 2
[ ${#builds[@]} -gt 0 ] || { echo "tests/digests.sh: name a build folder" >&2; exit 2; }

folder=$(mktemp -d) || exit 2
trap 'rm -rf "$folder"' EXIT
failed=0
compared=0
declare -A told

scenarios() {
    find scenarios -name '*.json' -exec grep -l '"quintet"' {} + | grep -v '^scenarios/schema.json$' | LC_ALL=C sort
}

# digest_of BUILD SCENARIO UNTIL THREADS: 16 digits, or what went wrong on stderr.
digest_of() {
    local out=$folder/results.db

    rm -f "$out"
    if ! "$1/quintet" run "$2" --slice 1/1024 --until "$3" --no-expect --quiet --threads "$4" --out "$out" \
        >"$folder/said" 2>&1; then
        cat "$folder/said" >&2
        return 1
    fi
    "$1/quintet" digest "$out"
}

check() {
    local build=$1 scenario=$2 until=$3 threads=$4 digest expected

    digest=$(digest_of "$build" "$scenario" "$until" "$threads") || digest=none
    expected=$(awk -v s="$scenario" -v u="$until" '$1 == s && $2 == u { print $3 }' $golden 2>/dev/null)
    compared=$((compared + 1))
    if [ "$digest" != "$expected" ] || [ "$digest" = none ]; then
        failed=$((failed + 1))
        echo "$scenario until $until, ${build#"$PWD"/}, $threads threads: $digest, expected ${expected:-one: there is none}"
        # Two builds that differ are compared table by table.
        if [ -f "$folder/results.db" ] && [ -z "${told[$digest]-}" ]; then
            told[$digest]=yes
            "$build/quintet" digest --tables "$folder/results.db" | sed 's/^/    /'
        fi
    fi
}

if [ $is_update = yes ]; then
    {
        echo "$header"
        for scenario in $(scenarios); do
            for until in 20m 2m; do
                digest=$(digest_of "${builds[0]}" "$scenario" "$until" "$threads") || exit 1
                echo "$scenario $until $digest"
            done
        done
    } >"$folder/digests.txt" || exit 1
    mkdir -p tests/golden
    mv "$folder/digests.txt" $golden
    exit 0
fi

for scenario in $(scenarios); do
    for build in "${builds[@]}"; do
        check "$build" "$scenario" "$until" "$threads"
    done
    # How many runs share the machine must not matter, nor in which order they end.
    for count in "${thread_counts[@]}"; do
        check "${builds[0]}" "$scenario" "$until" "$count"
    done
done
echo "$compared digests compared, $failed differ"
[ $failed -eq 0 ] && [ $compared -gt 0 ]
