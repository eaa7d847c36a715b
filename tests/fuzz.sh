#!/usr/bin/env bash
# Runs each fuzz target over its committed corpus and a bounded number of inputs made from it.
#
#     tests/fuzz.sh BUILD [RUNS]
#
# BUILD is a folder configured with clang and -DQUINTET_FUZZ=ON, whose target "fuzz" is built.  The same
# program tries the same inputs each time (one seed), so a failure repeats; new inputs are not kept.
# Ends with 1 when a target failed; what it failed on is left in BUILD.
set -uo pipefail

build=$1
runs=${2-20000}
failed=0
scratch=$(mktemp -d)
log=$scratch/log
trap 'rm -rf "$scratch"' EXIT

for source in tests/fuzz/fuzz_*.c; do
    name=$(basename "$source" .c)
    corpus=tests/fuzz/corpus/${name#fuzz_}
    mkdir -p "$scratch/$name" # libFuzzer writes to the first folder it is given
    if "$build/$name" -seed=1 -runs="$runs" -max_len=1024 -timeout=10 -rss_limit_mb=1024 \
        -print_final_stats=1 -artifact_prefix="$build/$name-" "$scratch/$name" "$corpus" >"$log" 2>&1; then
        printf '%s: %s\n' "$name" "$(grep 'number_of_executed_units' "$log" | sed 's/.*: */inputs tried: /')"
    else
        printf '%s failed:\n' "$name"
        tail -n 60 "$log"
        failed=1
    fi
done
exit $failed
