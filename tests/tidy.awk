# The checks of tests/tidy.sh that need no compiler: one pass over C files named from the root.
#
# Comments and literals are blanked first, so that what is said about a banned call is no call.
# Functions are found by the house's braces: a body opens with { and closes with } in column 0.
# Plain POSIX awk: Debian's is mawk.

function report(line, text) {
    printf "%s:%d: %s\n", FILENAME, line, text
}

# Which layer a path belongs to; -1: none of them.
function layer_of(path,    i) {
    for (i = 1; i <= layer_count; i++)
        if (index(path, layer_prefix[i]) == 1)
            return i
    return -1
}

function add_layer(prefix, rank) {
    layer_prefix[++layer_count] = prefix
    layer_rank[layer_count] = rank
}

BEGIN {
    add_layer("sim/", 0)
    add_layer("models/limits.h", 1)
    add_layer("models/crdt/", 2)
    add_layer("models/data/", 3)
    add_layer("models/geo/", 4)
    add_layer("models/routing/", 5)
    add_layer("models/clients/", 6)
    add_layer("models/observe/", 7)
    add_layer("models/faults/", 8)
    add_layer("models/operators/", 8) # beside each other: neither knows the other
    add_layer("models/scenario/", 9)
    add_layer("models/world/", 10)
    add_layer("tools/bench.d/", 12)
    add_layer("tools/", 11)
    add_layer("tests/", 12)

    split("time clock clock_gettime gettimeofday localtime localtime_r gmtime gmtime_r mktime " \
          "g_get_real_time g_get_monotonic_time rand rand_r random srand srandom drand48 " \
          "getenv secure_getenv g_getenv g_get_environ setlocale localeconv " \
          "strtod strtof strtold atof sscanf g_strtod " \
          "printf fprintf vprintf vfprintf dprintf puts fputs putchar putc fputc fwrite perror " \
          "exit _exit abort system", words, " ")
    for (i in words)
        banned[words[i]] = 1
    banned_start = "^(g_print|g_printerr|g_log|g_message|g_warning|g_error|g_critical|g_debug|g_info|" \
        "g_date_time_new_now.*|g_random_.*|g_rand_.*|" \
        "g_hash_table_iter_.*|g_hash_table_foreach.*|g_hash_table_find|g_hash_table_get_keys.*|" \
        "g_hash_table_get_values.*)$"
}

# The line without comments and literals; `inside` carries an open block comment to the next line.
function blank(line,    out, at, mark) {
    out = ""
    while (line != "") {
        if (inside) {
            at = index(line, "*/")
            if (at == 0)
                return out
            line = substr(line, at + 2)
            inside = 0
            continue
        }
        if (!match(line, /\/\*|\/\/|"|'/))
            return out line
        mark = substr(line, RSTART, RLENGTH)
        out = out substr(line, 1, RSTART - 1)
        line = substr(line, RSTART + RLENGTH)
        if (mark == "/*") {
            inside = 1
            out = out " "
        } else if (mark == "//") {
            return out
        } else if (mark == "\"") {
            out = out "\"\""
            if (match(line, /^([^"\\]|\\.)*"/))
                line = substr(line, RLENGTH + 1)
            else
                line = ""
        } else {
            out = out "''"
            if (match(line, /^([^'\\]|\\.)*'/))
                line = substr(line, RLENGTH + 1)
            else
                line = ""
        }
    }
    return out
}

function check_include(path,    to) {
    if (path !~ /\// && path != "test.h") {
        report(FNR, "\"" path "\": includes are written from the root, as \"sim/rng.h\"")
        return
    }
    to = layer_of(path)
    if (file_layer < 0 || to < 0 || to == file_layer)
        return
    if (layer_rank[to] > layer_rank[file_layer] || layer_rank[to] == layer_rank[file_layer])
        report(FNR, layer_prefix[file_layer] " may not know " layer_prefix[to] ": it comes later, or stands beside it")
}

function check_calls(line,    name, before) {
    while (match(line, /[A-Za-z_][A-Za-z_0-9]* *\(/)) {
        name = substr(line, RSTART, RLENGTH - 1)
        sub(/ +$/, "", name)
        before = substr(line, 1, RSTART - 1)
        if ((name in banned || name ~ banned_start) && before !~ /(\.|->) *$/)
            report(FNR, name "() is banned in sim/ and models/: " \
                   (name ~ /^g_hash_table/ ? "a hash table's order is nobody's promise" \
                                           : "time, chance, order and output come from the run"))
        line = substr(line, RSTART + RLENGTH)
    }
}

# Parameters of the declaration in `text`: the most commas directly inside one outermost ( ).
function check_parameters(text, line,    i, c, depth, commas, most) {
    depth = commas = most = 0
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "(" && depth++ == 0)
            commas = 0
        else if (c == ")" && --depth == 0 && commas > most)
            most = commas
        else if (c == "," && depth == 1)
            commas++
    }
    if (most >= 6)
        report(line, (most + 1) " parameters; beyond six they are a struct with a name")
}

# Collects declarations at file scope, character by character, leaving bodies out.
function scan_declarations(line,    i, c) {
    if (line !~ /[{};]/) {
        if (brace_depth == 0) {
            if (declaration == "")
                declaration_line = FNR
            declaration = declaration line
        }
        return
    }
    for (i = 1; i <= length(line); i++) {
        c = substr(line, i, 1)
        if (brace_depth == 0 && (c == ";" || c == "{")) {
            check_parameters(declaration, declaration_line)
            declaration = ""
        } else if (brace_depth == 0 && c != "}") {
            if (declaration == "" && c ~ /[ \t]/)
                continue
            if (declaration == "")
                declaration_line = FNR
            declaration = declaration c
        }
        if (c == "{")
            brace_depth++
        else if (c == "}" && brace_depth > 0)
            brace_depth--
    }
}

function end_file() {
    if (file == "")
        return
    if (line_count > 600)
        printf "%s:%d: %d lines; past 600 a file hides a second noun\n", file, line_count, line_count
    if (file ~ /\.h$/ && !has_pragma)
        printf "%s:1: a header needs #pragma once\n", file
}

FNR == 1 {
    end_file()
    file = FILENAME
    file_layer = layer_of(FILENAME)
    is_pure = FILENAME ~ /^(sim|models)\// && FILENAME != "sim/ensure.c"
    inside = has_pragma = body_line = brace_depth = directive = 0
    declaration = ""
    if ($0 !~ /^\/\*/ && FILENAME !~ /^tests\//)
        report(1, "a file opens with a comment: what it is for, or why it works")
}

{
    line_count = FNR
    if ($0 ~ /(TO[D]O|FIX[M]E)/ && $0 !~ /(TO[D]O|FIX[M]E)[ (:]*(issue |#)[ #]*[0-9]/)
        report(FNR, "a task without an issue number: write TO" "DO(#12), or do it")
    if (!inside && match($0, /^ *# *include *"[^"]*"/)) {
        path = substr($0, RSTART, RLENGTH)
        sub(/^[^"]*"/, "", path)
        sub(/"$/, "", path)
        check_include(path)
    }
    if (!inside && $0 ~ /^#pragma once/)
        has_pragma = 1
    if ($0 ~ /# *include *<sqlite3\.h>/ && FILENAME !~ /^(tools\/store|tests\/)/)
        report(FNR, "SQLite is used in tools/store* only")
    if ($0 ~ /# *include *<cjson\// && FILENAME !~ /^(sim\/json_|tests\/)/)
        report(FNR, "cJSON is used in sim/json_* only")

    code = blank($0)
    if (is_pure && code !~ /^ *#/)
        check_calls(code)

    if (code ~ /^\{/)
        body_line = FNR
    if (code ~ /^\}/ && body_line) {
        if (FNR - body_line - 1 > 70)
            report(body_line, "a function of " (FNR - body_line - 1) " lines; 70 fit on a screen")
        body_line = 0
    }

    if (directive || code ~ /^ *#/)
        directive = code ~ /\\$/
    else
        scan_declarations(code)
}

END {
    end_file()
}
