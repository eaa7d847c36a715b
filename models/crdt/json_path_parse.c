/* Why it works: a path is a row of steps, a step a row of selectors, so names, indexes, slices,
 * unions and filters are all read by one loop over what stands between brackets.
 */
#include "models/crdt/json_path_private.h"

#include <string.h>

#include "sim/ensure.h"

static void skip_blanks(PathText *text)
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\t'))
        text->at++;
}

bool path_text_accept(PathText *text, const char *word)
{
    size_t size = strlen(word);

    skip_blanks(text);
    if ((size_t)(text->end - text->at) < size || memcmp(text->at, word, size) != 0)
        return false;
    text->at += size;
    return true;
}

static void selector_free(gpointer data)
{
    Selector *selector = data;

    if (selector->name)
        g_string_free(selector->name, TRUE);
    json_filter_free(selector->filter);
    g_free(selector);
}

static void step_free(gpointer data)
{
    Step *step = data;

    g_ptr_array_unref(step->selectors);
    g_free(step);
}

void json_path_free(JsonPath *path)
{
    if (!path)
        return;
    g_ptr_array_unref(path->steps);
    g_free(path);
}

static Step *step_add(JsonPath *path, bool is_deep)
{
    Step *step = g_new0(Step, 1);

    step->is_deep = is_deep;
    step->selectors = g_ptr_array_new_with_free_func(selector_free);
    g_ptr_array_add(path->steps, step);
    return step;
}

static Selector *selector_add(Step *step, SelectorKind kind)
{
    Selector *selector = g_new0(Selector, 1);

    selector->kind = kind;
    g_ptr_array_add(step->selectors, selector);
    return selector;
}

/* The end of a name without quotes; what has a meaning in paths and filters ends it. */
static bool ends_name(char c)
{
    return c == '\0' || (unsigned char)c <= ' ' || strchr(".[]()*'\"=!<>&|,?@", c) != NULL;
}

static bool parse_name(PathText *text, Step *step)
{
    const char *first = text->at;

    if (path_text_accept(text, "*")) {
        selector_add(step, SELECT_ALL);
        return true;
    }
    while (text->at < text->end && !ends_name(*text->at))
        text->at++;
    if (text->at == first)
        return false;
    selector_add(step, SELECT_NAME)->name = g_string_new_len(first, text->at - first);
    return true;
}

GString *path_text_quoted(PathText *text)
{
    char quote = *text->at++;
    g_autoptr(GString) out = g_string_new(NULL);

    for (; text->at < text->end; text->at++) {
        char c = *text->at;

        if (c == quote) {
            text->at++;
            return g_steal_pointer(&out);
        }
        if (c == '\\' && text->at + 1 < text->end) {
            static const char named[] = "bfnrt", plain[] = "\b\f\n\r\t";
            const char *at;

            c = *++text->at;
            at = c == '\0' ? NULL : strchr(named, c);
            c = at ? plain[at - named] : c;
        }
        g_string_append_c(out, c);
    }
    return NULL;
}

/* SLICE_OPEN when no number stands here. */
static bool parse_integer(PathText *text, int64_t *out)
{
    char digits[24];
    size_t size = 0;

    skip_blanks(text);
    while (text->at < text->end && size < sizeof(digits) - 1 &&
           (g_ascii_isdigit(*text->at) || (size == 0 && *text->at == '-')))
        digits[size++] = *text->at++;
    digits[size] = '\0';
    *out = SLICE_OPEN;
    return size == 0 || g_ascii_string_to_signed(digits, 10, -G_MAXINT32, G_MAXINT32, out, NULL);
}

static bool parse_index(PathText *text, Step *step)
{
    Selector *selector = selector_add(step, SELECT_INDEX);

    selector->step = 1;
    selector->to = SLICE_OPEN;
    if (!parse_integer(text, &selector->from))
        return false;
    if (!path_text_accept(text, ":"))
        return selector->from != SLICE_OPEN;
    selector->kind = SELECT_SLICE;
    if (!parse_integer(text, &selector->to))
        return false;
    if (path_text_accept(text, ":")) {
        if (!parse_integer(text, &selector->step))
            return false;
        if (selector->step == SLICE_OPEN)
            selector->step = 1;
    }
    return selector->step > 0;
}

/* After "[". */
static bool parse_brackets(PathText *text, Step *step)
{
    do {
        skip_blanks(text);
        if (text->at >= text->end)
            return false;
        if (path_text_accept(text, "*")) {
            selector_add(step, SELECT_ALL);
        } else if (*text->at == '\'' || *text->at == '"') {
            GString *name = path_text_quoted(text);

            if (!name)
                return false;
            selector_add(step, SELECT_NAME)->name = name;
        } else if (path_text_accept(text, "?")) {
            JsonFilter *filter = json_filter_parse(text);

            if (!filter)
                return false;
            selector_add(step, SELECT_FILTER)->filter = filter;
        } else if (!parse_index(text, step)) {
            return false;
        }
    } while (path_text_accept(text, ","));
    return path_text_accept(text, "]");
}

JsonPath *path_text_steps(PathText *text)
{
    g_autoptr(JsonPath) path = g_new0(JsonPath, 1);
    bool is_good = ++text->depth <= PATH_DEPTH_MAX;

    path->steps = g_ptr_array_new_with_free_func(step_free);
    while (is_good && text->at < text->end && (*text->at == '.' || *text->at == '[')) {
        bool is_deep = false, has_dot = false;
        Step *step;

        if (*text->at == '.') {
            text->at++;
            has_dot = true;
            is_deep = text->at < text->end && *text->at == '.';
            text->at += is_deep;
        }
        step = step_add(path, is_deep);
        if (text->at < text->end && *text->at == '[') {
            text->at++;
            is_good = parse_brackets(text, step);
        } else {
            is_good = has_dot && parse_name(text, step);
        }
    }
    text->depth--;
    return is_good ? g_steal_pointer(&path) : NULL;
}

JsonPath *json_path_parse(PayloadText source)
{
    g_autoptr(GString) legacy = g_string_new(NULL);
    PathText text = {.at = source.data, .end = source.data + source.bytes};
    bool is_legacy = source.bytes == 0 || source.data[0] != '$';
    g_autoptr(JsonPath) path = NULL;

    if (is_legacy) {
        bool is_root = source.bytes == 1 && source.data[0] == '.';

        if (source.bytes == 0)
            return NULL;
        if (source.data[0] != '.' && source.data[0] != '[')
            g_string_append_c(legacy, '.');
        if (!is_root)
            g_string_append_len(legacy, source.data, source.bytes);
        text.at = legacy->str;
        text.end = legacy->str + legacy->len;
    } else {
        text.at++;
    }
    path = path_text_steps(&text);
    if (!path || text.at != text.end)
        return NULL;
    path->is_legacy = is_legacy;
    path->is_absolute = true;
    return g_steal_pointer(&path);
}
