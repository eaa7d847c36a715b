# The table of tools/bench, or its JSON: from lines "round name value" to medians, ratios and
# verdicts.  Targets and floors are those of performance work: a floor must be reached.  Plain POSIX
# awk.

{
    value[$2, $1] = $3
}

# Commands on collections, in the order they came.
$1 == 1 && $2 ~ /^big_.*_ours_10000$/ {
    name = $2
    sub(/^big_/, "", name)
    sub(/_ours_10000$/, "", name)
    big[++big_count] = name
}

$2 ~ /^big_.*_redis_/ {
    compared = 1
}

function median(list, count,    i, j, held) {
    for (i = 2; i <= count; i++)
        for (j = i; j > 1 && list[j] < list[j - 1]; j--) {
            held = list[j]
            list[j] = list[j - 1]
            list[j - 1] = held
        }
    low = list[1]
    high = list[count]
    return count % 2 ? list[(count + 1) / 2] : (list[count / 2] + list[count / 2 + 1]) / 2
}

function of(name,    r, list) {
    for (r = 1; r <= rounds; r++)
        list[r] = value[name, r] + 0
    return median(list, rounds)
}

function ratio_of(name, base,    r, list) {
    for (r = 1; r <= rounds; r++)
        list[r] = value[base, r] > 0 ? value[name, r] / value[base, r] : 0
    return median(list, rounds)
}

# The slowest over the fastest of the three sizes.
function flatness(    r, list, i, least, most, v) {
    split("hold_1000 hold_100000 hold_1000000", sizes, " ")
    for (r = 1; r <= rounds; r++) {
        least = most = value[sizes[1], r] + 0
        for (i = 2; i <= 3; i++) {
            v = value[sizes[i], r] + 0
            least = v < least ? v : least
            most = v > most ? v : most
        }
        list[r] = least > 0 ? most / least : 0
    }
    return median(list, rounds)
}

function per_key(    r, list) {
    for (r = 1; r <= rounds; r++)
        list[r] = (value["bytes_large", r] - value["bytes_small", r]) / (1000000 - 10000)
    return median(list, rounds)
}

# How many times longer a command takes on ten times the elements.  What takes no longer than Redis's
# command on the fewer elements counts as that, and a microsecond is added to all: what is quicker
# grows with the processor's caches, not with the work.
function growth(name, side, r,    least) {
    least = compared ? value["big_" name "_redis_10000", r] + 0 : 0
    return (at_least(value["big_" name "_" side "_100000", r], least) + 1) / \
        (at_least(value["big_" name "_" side "_10000", r], least) + 1)
}

function at_least(x, least) {
    return x > least ? x + 0 : least
}

function growth_ratio(name,    r, list) {
    for (r = 1; r <= rounds; r++)
        list[r] = growth(name, "ours", r) / (compared ? growth(name, "redis", r) : 1)
    return median(list, rounds)
}

# Microseconds, on fewer and on more elements.
function big_times(name, side,    fewer, more) {
    fewer = of("big_" name "_" side "_10000")
    more = of("big_" name "_" side "_100000")
    if (is_json == "yes")
        return sprintf(", \"%s_us\": [%.4g, %.4g]", side, fewer, more)
    return sprintf("  %s %s > %s us", side, number(fewer), number(more))
}

# Edits of a string ship the whole new value, as documented, so their time is that of its bytes.
function ships_whole(name) {
    return name ~ /^(SETRANGE|APPEND|SETBIT)$/
}

function big_row(name,    shown, judged) {
    shown = name
    gsub(/_/, " ", shown)
    judged = compared && !ships_whole(name)
    note = big_times(name, "ours") (compared ? big_times(name, "redis") : "")
    row("big_" name, shown (ships_whole(name) ? " (ships the whole value)" : ""), "x", growth_ratio(name), "less", \
        (judged ? 1.2 : ""), (judged ? 1.5 : ""))
    note = ""
}

function number(x) {
    if (x >= 1e6)
        return sprintf("%.2f M", x / 1e6)
    if (x >= 1e4)
        return sprintf("%.0f k", x / 1e3)
    if (x >= 100)
        return sprintf("%.0f", x)
    return sprintf("%.3g", x)
}

# want "more" or "less"; target "" for a bare figure; floor "" when the target is what must be.
function row(id, what, unit, x, want, target, floor,    verdict, must) {
    must = floor == "" ? target : floor
    verdict = ""
    if (target != "") {
        if (want == "more")
            verdict = x >= target ? "ok" : x >= must ? "above floor" : "BELOW"
        else
            verdict = x <= target ? "ok" : x <= must ? "within floor" : "OVER"
    }
    if (verdict == "BELOW" || verdict == "OVER")
        failed++
    if (is_json == "yes") {
        printf "%s\n    {\"id\": \"%s\", \"unit\": \"%s\", \"value\": %.6g, \"min\": %.6g, \"max\": %.6g", \
            (row_count++ ? "," : ""), id, unit, x, low, high
        if (target != "")
            printf ", \"target\": %.6g, \"floor\": %.6g, \"verdict\": \"%s\"", target, must, tolower(verdict)
        printf "%s}", note
        return
    }
    printf "%-44s %10s %-9s %19s  %8s %8s  %s%s\n", what, number(x), unit, \
        "[" number(low) ".." number(high) "]", (target == "" ? "" : number(target)), \
        (floor == "" ? "" : number(floor)), verdict, note
}

END {
    if (is_json == "yes")
        printf "{\n  \"rounds\": %d,\n  \"pinned\": %s,\n  \"figures\": [", rounds, pinned ? "true" : "false"
    else
        printf "%-44s %10s %-9s %19s  %8s %8s\n", "CPU time of one core, median of " rounds " rounds", "", "", \
            "[least..most]", "target", "floor"
    for (n = 1000; n <= 1000000; n *= n == 1000 ? 100 : 10) {
        row("ref_radix_" n, "bare radix heap, " number(n) " waiting", "events/s", of("ref_" n), "more", "", "")
        row("kernel_hold_" n, "kernel, hold with handler call", "events/s", of("hold_" n), "more", "", "")
        row("kernel_ratio_" n, "  of the bare heap", "x", ratio_of("hold_" n, "ref_" n), "more", 0.5, "")
    }
    row("kernel_flatness", "kernel, fastest over slowest size", "x", flatness(), "less", 2, "")
    row("prototype_writes", "bare prototype, 100 % writes", "ops/s", of("prototype_100"), "more", 2.5e6, "")
    row("ops_writes", "5 members, 10^6 keys, 100 % writes", "ops/s", of("ops_100"), "more", 0.8e6, 0.3e6)
    row("ops_writes_ratio", "  of the prototype", "x", ratio_of("ops_100", "prototype_100"), "more", 0.25, "")
    row("prototype_half", "bare prototype, 50 % writes", "ops/s", of("prototype_50"), "more", "", "")
    row("ops_half", "5 members, 10^6 keys, 50 % writes", "ops/s", of("ops_50"), "more", 1.2e6, 0.5e6)
    row("ops_half_ratio", "  of the prototype", "x", ratio_of("ops_50", "prototype_50"), "more", 0.25, "")
    for (i = 1; i <= split(types, type, " "); i++)
        row("type_" type[i], "5 members, 10^5 keys, everyday mix: " type[i], "ops/s", of("type_" type[i]), \
            "more", 0.2e6, "")
    row("run_speed", "quintet run: outage, routing, results", "sim-s/s", of("run"), "more", 12, 5)
    row("logging_share", "  of which writing results", "x", of("logging"), "less", 0.02, "")
    for (i = 1; i <= split("hash set zset", type, " "); i++)
        row("element_" type[i], "one element at one member: " type[i], "B", of("element_" type[i]), "less", 48, "")
    row("bytes_per_key", "all memory that grows with keys, group of 5", "B/key", per_key(), "less", 200, "")
    row("start", "start with 10^6 keys", "s", of("start"), "less", 0.5, "")
    if (is_json == "no")
        print "\nGrowth from 10^4 to 10^5 elements" (compared ? ", over that of redis-server" \
            : "; there is no redis-server (or no hiredis) here to compare it with")
    for (i = 1; i <= big_count; i++)
        big_row(big[i])
    if (is_json == "yes")
        printf "\n  ],\n  \"compared_with_redis\": %s,\n  \"below\": %d\n}\n", (compared ? "true" : "false"), \
            failed
    exit failed > 0
}
