#!/usr/bin/env bash
# The digest of every shipped scenario, in its short form, is the committed one in every build.
#
#     tests/digests.sh [--until DURATION] [--threads] [--worlds COUNT] BUILD...
#                                      compares with tests/golden/digests.txt
#     tests/digests.sh --update BUILD  rewrites it
#
# The short form is base and variants on one key in 1024, expectations not judged, until 20m (or 2m,
# for builds that are slow on purpose).  Where that ends before anything goes wrong, a second form
# (early_forms, below) brings the fault forward; --until 2m leaves it out, as it lasts longer.
# --threads asks the first BUILD with 1, 2 and 5 threads instead of one a core.  --worlds adds the first
# COUNT random worlds of the first BUILD's test_worlds, whole: no digest of theirs is committed, the
# builds must agree.  A committed digest changes only in a commit that says why.  Ends with 1 when one
# differs.
set -uo pipefail

golden=tests/golden/digests.txt
header='# scenario, until (and what is set), `quintet digest` of its short form; rewritten by tests/digests.sh --update'
# SCENARIO UNTIL SET... (no blanks in a set): the fault, its alert, the runbooks and what is sent
# again, all within 15 minutes.
early_forms='
scenarios/rehearsals/sports-live-score.json 15m faults.asia-isolated.at=4m params.isolation=6m operators.oncall.ack=15s operators.oncall.decide=15s variants.drill-repeated.seeds=2
'
until=20m
threads=$(nproc)
thread_counts=()
worlds=0
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
    --worlds)
        worlds=${2-}
        shift
        ;;
    -*)
        sed -n '2,16s/^# \{0,1\}//p' "$0" >&2
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
slice=1/1024
declare -A told

scenarios() {
    find scenarios -name '*.json' -exec grep -l '"quintet"' {} + | grep -v '^scenarios/schema.json$' | LC_ALL=C sort
}

# forms UNTIL: one form a line, SCENARIO UNTIL SET...
forms() {
    for scenario in $(scenarios); do
        echo "$scenario $1"
        if [ "$1" = 20m ]; then
            grep "^$scenario " <<<"$early_forms"
        fi
    done
}

# digest_of BUILD THREADS SCENARIO UNTIL SET...: 16 digits, or what went wrong on stderr.
digest_of() {
    local out=$folder/results.db build=$1 threads=$2 scenario=$3 until=$4 sets=()

    shift 4
    for set in "$@"; do
        sets+=(--set "$set")
    done
    rm -f "$out"
    if ! "$build/quintet" run "$scenario" --slice "$slice" --until "$until" "${sets[@]}" --no-expect --quiet \
        --threads "$threads" --out "$out" >"$folder/said" 2>&1; then
        cat "$folder/said" >&2
        return 1
    fi
    "$build/quintet" digest "$out"
}

# A form is known by its words, joined: "15m,faults.asia-isolated.at=5m,...".
golden_of() {
    local scenario=$1 form

    shift
    form=$(IFS=,; echo "$*")
    awk -v s="$scenario" -v f="$form" '$1 == s && $2 == f { print $3 }' $golden 2>/dev/null
}

# check EXPECTED BUILD THREADS SCENARIO UNTIL SET...
check() {
    local expected=$1 build=$2 threads=$3 digest

    shift
    digest=$(digest_of "$@") || digest=none
    shift 2
    compared=$((compared + 1))
    if [ "$digest" != "$expected" ] || [ "$digest" = none ]; then
        failed=$((failed + 1))
        echo "${1#"$folder"/} until ${*:2}, ${build#"$PWD"/}, $threads threads: $digest, expected ${expected:-one: there is none}"
        # Two builds that differ are compared table by table.
        if [ -f "$folder/results.db" ] && [ -z "${told[$digest]-}" ]; then
            told[$digest]=yes
            "$build/quintet" digest --tables "$folder/results.db" | sed 's/^/    /'
        fi
    fi
}

# check_builds EXPECTED SCENARIO UNTIL SET...
check_builds() {
    local expected=$1 build count is_counted=$((${#thread_counts[@]} > 0))

    shift
    for build in "${builds[@]:is_counted}"; do
        check "$expected" "$build" "$threads" "$@"
    done
    # How many runs share the machine must not matter, nor in which order they end.
    for count in "${thread_counts[@]}"; do
        check "$expected" "${builds[0]}" "$count" "$@"
    done
}

# Each build that has the test draws the same world, and each makes of it what the first does.
check_worlds() {
    local seed world build slice=1/1

    for ((seed = 1; seed <= worlds; seed++)); do
        world=$folder/random-world-$seed.json
        if ! "${builds[0]}/test_worlds" --print $seed >"$world"; then
            echo "${builds[0]#"$PWD"/}: test_worlds prints no random world $seed"
            failed=$((failed + 1))
            return
        fi
        for build in "${builds[@]:1}"; do
            if [ -x "$build/test_worlds" ] && ! "$build/test_worlds" --print $seed | cmp -s - "$world"; then
                echo "${build#"$PWD"/} draws another random world $seed"
                failed=$((failed + 1))
            fi
        done
        check_builds "$(digest_of "${builds[0]}" "$threads" "$world" 90s)" "$world" 90s </dev/null
    done
}

if [ $is_update = yes ]; then
    {
        echo "$header"
        { forms 20m; forms 2m; } | LC_ALL=C sort | while read -r -a form; do
            digest=$(digest_of "${builds[0]}" "$threads" "${form[@]}" </dev/null) || exit 1
            echo "${form[0]} $(IFS=,; echo "${form[*]:1}") $digest"
        done || exit 1
    } >"$folder/digests.txt" || exit 1
    mkdir -p tests/golden
    mv "$folder/digests.txt" $golden
    exit 0
fi

while read -r -a form; do
    expected=$(golden_of "${form[@]}")
    check_builds "$expected" "${form[@]}" </dev/null
done < <(forms "$until")
check_worlds
echo "$compared digests compared, $failed differ"
[ $failed -eq 0 ] && [ $compared -gt 0 ]
