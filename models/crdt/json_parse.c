/* Why it works: one descent over the text writes each value as it ends; an object's count is put in
 * afterwards.  Only when an object names a key twice are its children put together again: each key
 * where it first stood, with the value it got last.
 */
#include "models/crdt/json_content.h"

#include <string.h>

#include "sim/ensure.h"

typedef struct {
    const char *at, *end, *begin;
    PayloadWriter *out;
    GString *scratch;    /* the text being read */
    const char *problem; /* NULL: none so far */
    uint32_t depth;
} Parser;

/* Where one child of an object was written. */
typedef struct {
    uint32_t key_at, value_at, end, nth;
} Child;

static bool fail(Parser *p, const char *problem)
{
    if (!p->problem)
        p->problem = problem;
    return false;
}

static void skip_space(Parser *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\t' || *p->at == '\n' || *p->at == '\r'))
        p->at++;
}

static bool accept(Parser *p, char c)
{
    skip_space(p);
    if (p->at >= p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

static bool parse_hex(Parser *p, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, p->at++) {
        if (p->at >= p->end || !g_ascii_isxdigit(*p->at))
            return fail(p, "invalid escape");
        *out = *out * 16 + (uint32_t)g_ascii_xdigit_value(*p->at);
    }
    return true;
}

static bool parse_unicode(Parser *p)
{
    uint32_t unit, low;

    if (!parse_hex(p, &unit))
        return false;
    if (unit >= 0xd800 && unit < 0xdc00) {
        if (p->end - p->at < 2 || p->at[0] != '\\' || p->at[1] != 'u')
            return fail(p, "unexpected end of hex escape");
        p->at += 2;
        if (!parse_hex(p, &low))
            return false;
        if (low < 0xdc00 || low >= 0xe000)
            return fail(p, "lone leading surrogate in hex escape");
        unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    } else if (unit >= 0xdc00 && unit < 0xe000) {
        return fail(p, "lone leading surrogate in hex escape");
    }
    if (unit == 0) /* append_unichar ends there */
        g_string_append_c(p->scratch, '\0');
    else
        g_string_append_unichar(p->scratch, unit);
    return true;
}

/* After the opening quote; the text is left in scratch. */
static bool parse_text(Parser *p)
{
    static const char named[] = "\"\\/bfnrt", plain[] = "\"\\/\b\f\n\r\t";

    g_string_truncate(p->scratch, 0);
    while (p->at < p->end && *p->at != '"') {
        char c = *p->at++;

        if ((unsigned char)c < 0x20)
            return fail(p, "control character (\\u0000-\\u001F) found while parsing a string");
        if (c != '\\') {
            g_string_append_c(p->scratch, c);
            continue;
        }
        if (p->at >= p->end)
            break;
        c = *p->at++;
        if (c == 'u') {
            if (!parse_unicode(p))
                return false;
        } else if (c != '\0' && strchr(named, c)) {
            g_string_append_c(p->scratch, plain[strchr(named, c) - named]);
        } else {
            return fail(p, "invalid escape");
        }
    }
    if (p->at >= p->end)
        return fail(p, "EOF while parsing a string");
    p->at++;
    return true;
}

static bool digits(Parser *p)
{
    const char *first = p->at;

    while (p->at < p->end && g_ascii_isdigit(*p->at))
        p->at++;
    return p->at > first;
}

static bool parse_number(Parser *p)
{
    const char *first = p->at;
    g_autofree char *text = NULL;
    bool is_whole = true;
    Content head = {.kind = CONTENT_INTEGER};

    if (*p->at == '-')
        p->at++;
    if (p->at < p->end && *p->at == '0')
        p->at++;
    else if (!digits(p))
        return fail(p, "invalid number");
    if (p->at < p->end && *p->at == '.') {
        is_whole = false;
        p->at++;
        if (!digits(p))
            return fail(p, "invalid number");
    }
    if (p->at < p->end && (*p->at == 'e' || *p->at == 'E')) {
        is_whole = false;
        p->at++;
        if (p->at < p->end && (*p->at == '+' || *p->at == '-'))
            p->at++;
        if (!digits(p))
            return fail(p, "invalid number");
    }
    text = g_strndup(first, (gsize)(p->at - first));
    if (!is_whole || strcmp(text, "-0") == 0 ||
        !g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &head.integer, NULL)) {
        head = (Content){.kind = CONTENT_DOUBLE, .real = g_ascii_strtod(text, NULL)};
        if (head.real - head.real != 0)
            return fail(p, "number out of range");
    }
    content_put(p->out, &head);
    return true;
}

static PayloadText text_at(const PayloadWriter *out, uint32_t at)
{
    uint32_t bytes;

    memcpy(&bytes, out->data + at, sizeof(bytes));
    return (PayloadText){(const char *)out->data + at + sizeof(bytes), bytes};
}

static int child_compare(const void *a, const void *b, void *user)
{
    const Child *x = a, *y = b;
    int order = payload_text_compare(text_at(user, x->key_at), text_at(user, y->key_at));

    return order != 0 ? order : (x->nth > y->nth) - (x->nth < y->nth);
}

static bool is_same_key(const PayloadWriter *out, const Child *a, const Child *b)
{
    return payload_text_is_equal(text_at(out, a->key_at), text_at(out, b->key_at));
}

static int child_compare_nth(const void *a, const void *b)
{
    const Child *x = a, *y = b;

    return (x->nth > y->nth) - (x->nth < y->nth);
}

/* Leaves one child per key; returns how many. */
static uint32_t drop_repeated(PayloadWriter *out, GArray *children, uint32_t body_at)
{
    Child *list = (Child *)(void *)children->data;
    uint32_t kept = 0;
    g_autofree uint8_t *copy = NULL;

    g_array_sort_with_data(children, child_compare, out);
    for (uint32_t i = 0; i < children->len; i++) {
        if (kept > 0 && is_same_key(out, &list[kept - 1], &list[i])) {
            list[kept - 1].value_at = list[i].value_at;
            list[kept - 1].end = list[i].end;
        } else {
            list[kept++] = list[i];
        }
    }
    if (kept == children->len)
        return kept;
    g_array_set_size(children, kept);
    g_array_sort(children, child_compare_nth);
    copy = g_memdup2(out->data + body_at, out->bytes - body_at);
    out->bytes = body_at;
    for (uint32_t i = 0; i < kept; i++) {
        const uint8_t *key = copy + (list[i].key_at - body_at);
        uint32_t bytes;

        memcpy(&bytes, key, sizeof(bytes));
        content_put_key(out, (PayloadText){(const char *)key + sizeof(bytes), bytes});
        payload_put_bytes(out, copy + (list[i].value_at - body_at), list[i].end - list[i].value_at);
    }
    return kept;
}

static bool parse_value(Parser *p);

static bool parse_child(Parser *p, Child *child, uint32_t nth)
{
    skip_space(p);
    if (!accept(p, '"'))
        return fail(p, p->at < p->end ? "key must be a string" : "EOF while parsing an object");
    child->nth = nth;
    child->key_at = p->out->bytes;
    if (!parse_text(p))
        return false;
    content_put_key(p->out, (PayloadText){p->scratch->str, (uint32_t)p->scratch->len});
    if (!accept(p, ':'))
        return fail(p, p->at < p->end ? "expected `:`" : "EOF while parsing an object");
    child->value_at = p->out->bytes;
    if (!parse_value(p))
        return false;
    child->end = p->out->bytes;
    return true;
}

static bool fail_unclosed(Parser *p, ContentKind kind)
{
    if (kind == CONTENT_ARRAY)
        return fail(p, p->at < p->end ? "expected `,` or `]`" : "EOF while parsing a list");
    return fail(p, p->at < p->end ? "expected `,` or `}`" : "EOF while parsing an object");
}

/* After the opening bracket. */
static bool parse_children(Parser *p, ContentKind kind)
{
    char close = kind == CONTENT_ARRAY ? ']' : '}';
    g_autoptr(GArray) children = g_array_new(FALSE, FALSE, sizeof(Child));
    Content head = {.kind = kind};
    uint32_t head_at = p->out->bytes, body_at;

    content_put(p->out, &head);
    body_at = p->out->bytes;
    if (!accept(p, close)) {
        do {
            Child child = {0};

            if (kind == CONTENT_ARRAY ? !parse_value(p) : !parse_child(p, &child, head.count))
                return false;
            if (kind == CONTENT_OBJECT)
                g_array_append_val(children, child);
            head.count++;
        } while (accept(p, ','));
        if (!accept(p, close))
            return fail_unclosed(p, kind);
    }
    if (kind == CONTENT_OBJECT)
        head.count = drop_repeated(p->out, children, body_at);
    memcpy(p->out->data + head_at + 1, &head.count, sizeof(head.count));
    return true;
}

static bool parse_word(Parser *p, const char *word, Content head)
{
    size_t size = strlen(word);

    if ((size_t)(p->end - p->at) < size || memcmp(p->at, word, size) != 0)
        return fail(p, "expected ident");
    p->at += size;
    content_put(p->out, &head);
    return true;
}

static bool parse_value(Parser *p)
{
    bool done;

    skip_space(p);
    if (p->at >= p->end)
        return fail(p, "EOF while parsing a value");
    switch (*p->at) {
    case 'n':
        return parse_word(p, "null", (Content){.kind = CONTENT_NULL});
    case 't':
        return parse_word(p, "true", (Content){.kind = CONTENT_BOOL, .truth = true});
    case 'f':
        return parse_word(p, "false", (Content){.kind = CONTENT_BOOL, .truth = false});
    case '"': {
        Content head = {.kind = CONTENT_TEXT};

        p->at++;
        if (!parse_text(p))
            return false;
        head.text = (PayloadText){p->scratch->str, (uint32_t)p->scratch->len};
        content_put(p->out, &head);
        return true;
    }
    case '[':
    case '{':
        if (++p->depth > JSON_NESTING_MAX)
            return fail(p, "recursion limit exceeded");
        done = parse_children(p, *p->at++ == '[' ? CONTENT_ARRAY : CONTENT_OBJECT);
        p->depth--;
        return done;
    default:
        if (*p->at == '-' || g_ascii_isdigit(*p->at))
            return parse_number(p);
        return fail(p, "expected value");
    }
}

/* The column is that of the character that is wrong; at the end, of the last one. */
static void explain(const Parser *p, GString *message)
{
    unsigned line = 1, column = p->at < p->end;

    for (const char *c = p->begin; c < p->at; c++) {
        column++;
        if (*c == '\n') {
            line++;
            column = p->at < p->end;
        }
    }
    g_string_printf(message, "%s at line %u column %u", p->problem, line, column);
}

bool content_parse(PayloadText text, PayloadWriter *out, GString *message)
{
    g_autoptr(GString) scratch = g_string_new(NULL);
    Parser p = {.at = text.data,
                .begin = text.data,
                .end = text.data + text.bytes,
                .out = out,
                .scratch = scratch};
    uint32_t before = out->bytes;
    bool done;

    /* A NUL ends the check early and is refused by the descent. */
    if (!g_utf8_validate_len(text.data, strnlen(text.data, text.bytes), NULL))
        done = fail(&p, "invalid unicode code point");
    else
        done = parse_value(&p);
    skip_space(&p);
    if (done && p.at < p.end)
        done = fail(&p, "trailing characters");
    if (!done) {
        explain(&p, message);
        out->bytes = before;
    }
    return done;
}
