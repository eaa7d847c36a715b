/* Why it works: values are written parents first, so one cursor reads them back; a head says how
 * many children follow.  A double's shortest text is the first precision that reads back as the
 * same bits: from 15 digits on, since any text of up to 15 digits comes back unchanged once its
 * zeros are cut; below the normal range from one digit on.
 */
#include "models/crdt/json_content.h"

#include <string.h>

#include "sim/ensure.h"

void content_put(PayloadWriter *out, const Content *head)
{
    uint8_t kind = (uint8_t)head->kind;

    payload_put_bytes(out, &kind, 1);
    switch (head->kind) {
    case CONTENT_NULL:
        break;
    case CONTENT_BOOL:
        payload_put_bytes(out, &(uint8_t){head->truth}, 1);
        break;
    case CONTENT_INTEGER:
        payload_put_bytes(out, &head->integer, sizeof(head->integer));
        break;
    case CONTENT_DOUBLE:
        payload_put_bytes(out, &head->real, sizeof(head->real));
        break;
    case CONTENT_TEXT:
        content_put_key(out, head->text);
        break;
    case CONTENT_OPAQUE:
        payload_put_bytes(out, &head->token, sizeof(head->token));
        payload_put_bytes(out, &head->count, sizeof(head->count));
        break;
    case CONTENT_ARRAY:
    case CONTENT_OBJECT:
        payload_put_bytes(out, &head->count, sizeof(head->count));
        break;
    }
}

void content_put_key(PayloadWriter *out, PayloadText key)
{
    payload_put_bytes(out, &key.bytes, sizeof(key.bytes));
    payload_put_bytes(out, key.data, key.bytes);
}

static void take(PayloadText bytes, uint32_t *cursor, void *out, uint32_t size)
{
    ensure(size <= bytes.bytes && *cursor <= bytes.bytes - size);
    memcpy(out, bytes.data + *cursor, size);
    *cursor += size;
}

PayloadText content_read_key(PayloadText bytes, uint32_t *cursor)
{
    PayloadText key;

    take(bytes, cursor, &key.bytes, sizeof(key.bytes));
    ensure(key.bytes <= bytes.bytes - *cursor);
    key.data = bytes.data + *cursor;
    *cursor += key.bytes;
    return key;
}

Content content_read(PayloadText bytes, uint32_t *cursor)
{
    Content head = {0};
    uint8_t byte;

    take(bytes, cursor, &byte, 1);
    head.kind = (ContentKind)byte;
    switch (head.kind) {
    case CONTENT_NULL:
        break;
    case CONTENT_BOOL:
        take(bytes, cursor, &byte, 1);
        head.truth = byte != 0;
        break;
    case CONTENT_INTEGER:
        take(bytes, cursor, &head.integer, sizeof(head.integer));
        break;
    case CONTENT_DOUBLE:
        take(bytes, cursor, &head.real, sizeof(head.real));
        break;
    case CONTENT_TEXT:
        head.text = content_read_key(bytes, cursor);
        break;
    case CONTENT_OPAQUE:
        take(bytes, cursor, &head.token, sizeof(head.token));
        take(bytes, cursor, &head.count, sizeof(head.count));
        break;
    case CONTENT_ARRAY:
    case CONTENT_OBJECT:
        take(bytes, cursor, &head.count, sizeof(head.count));
        break;
    }
    return head;
}

static uint32_t walk(PayloadText bytes, uint32_t *cursor, uint32_t *depth)
{
    Content head = content_read(bytes, cursor);
    uint32_t nodes = 1, deepest = 0;

    if (head.kind == CONTENT_ARRAY || head.kind == CONTENT_OBJECT)
        for (uint32_t i = 0; i < head.count; i++) {
            uint32_t below = 0;

            if (head.kind == CONTENT_OBJECT)
                content_read_key(bytes, cursor);
            nodes += walk(bytes, cursor, &below);
            deepest = MAX(deepest, below);
        }
    *depth = deepest + 1;
    return nodes;
}

uint32_t content_skip(PayloadText bytes, uint32_t *cursor)
{
    uint32_t depth;

    return walk(bytes, cursor, &depth);
}

uint32_t content_depth(PayloadText bytes)
{
    uint32_t cursor = 0, depth;

    walk(bytes, &cursor, &depth);
    return depth;
}

void content_print_text(PayloadText text, GString *out)
{
    g_string_append_c(out, '"');
    for (uint32_t i = 0; i < text.bytes; i++) {
        static const char plain[] = "\"\\\b\f\n\r\t", named[] = "\"\\bfnrt";
        char c = text.data[i];
        const char *at = c == '\0' ? NULL : strchr(plain, c);

        if (at) {
            g_string_append_c(out, '\\');
            g_string_append_c(out, named[at - plain]);
        } else if ((unsigned char)c < 0x20) {
            g_string_append_printf(out, "\\u%04x", (unsigned)(unsigned char)c);
        } else {
            g_string_append_c(out, c);
        }
    }
    g_string_append_c(out, '"');
}

/* Digits without zeros at the end, and the power of ten of the first. */
static int shortest_digits(double number, char digits[20], int *exponent)
{
    int first = number < 2.3e-308 ? 0 : 14;
    char text[40];
    int count = 0;

    for (int precision = first; precision <= 16; precision++) {
        char format[8];

        g_snprintf(format, sizeof(format), "%%.%de", precision);
        g_ascii_formatd(text, sizeof(text), format, number);
        if (g_ascii_strtod(text, NULL) == number)
            break;
    }
    for (const char *c = text; *c != 'e'; c++)
        if (g_ascii_isdigit(*c))
            digits[count++] = *c;
    *exponent = (int)g_ascii_strtoll(strchr(text, 'e') + 1, NULL, 10);
    while (count > 1 && digits[count - 1] == '0')
        count--;
    return count;
}

/* Plain notation while the point lies within 5 zeros before and 16 places after the first digit,
 * with ".0" after whole numbers; powers of ten otherwise.  RedisJSON prints so. */
void content_print_double(double number, GString *out)
{
    char digits[20] = "0";
    int exponent, count, point;

    if (number < 0 || (number == 0 && 1 / number < 0)) {
        g_string_append_c(out, '-');
        number = -number;
    }
    if (number == 0) {
        g_string_append(out, "0.0");
        return;
    }
    count = shortest_digits(number, digits, &exponent);
    point = exponent + 1; /* digits before the point */
    if (point > 16 || point <= -5) {
        g_string_append_c(out, digits[0]);
        if (count > 1) {
            g_string_append_c(out, '.');
            g_string_append_len(out, digits + 1, count - 1);
        }
        g_string_append_printf(out, "e%d", exponent);
        return;
    }
    if (point <= 0)
        g_string_append(out, "0.");
    for (int i = point; i < 0; i++)
        g_string_append_c(out, '0');
    for (int i = 0; i < MAX(count, point); i++) {
        if (i == point && point > 0)
            g_string_append_c(out, '.');
        g_string_append_c(out, i < count ? digits[i] : '0');
    }
    if (point >= count)
        g_string_append(out, ".0");
}

void content_print_scalar(const Content *head, GString *out)
{
    switch (head->kind) {
    case CONTENT_NULL:
        g_string_append(out, "null");
        break;
    case CONTENT_BOOL:
        g_string_append(out, head->truth ? "true" : "false");
        break;
    case CONTENT_INTEGER:
        g_string_append_printf(out, "%" G_GINT64_FORMAT, head->integer);
        break;
    case CONTENT_DOUBLE:
        content_print_double(head->real, out);
        break;
    case CONTENT_TEXT:
        content_print_text(head->text, out);
        break;
    case CONTENT_OPAQUE: /* a text that names the value; only its size and token are real */
        g_string_append_printf(out, "\"#%016" G_GINT64_MODIFIER "x:%u\"", head->token, head->count);
        break;
    case CONTENT_ARRAY:
    case CONTENT_OBJECT:
        ensure(false);
    }
}
