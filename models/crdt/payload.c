/* Why it works: sections are written in one order, each as a tag, a length and bytes; a reader
 * skips what it does not ask for.  Numbers are stored as the machine has them: payloads never leave
 * the process. */
#include "models/crdt/payload.h"

#include <string.h>

#include <glib.h>

#include "sim/ensure.h"

enum { TAG_KEY = 1, TAG_ELEMENT, TAG_VALUE, TAG_EDIT, TAG_COVER };

void payload_begin(PayloadWriter *writer)
{
    writer->bytes = 0;
}

void payload_clear(PayloadWriter *writer)
{
    g_free(writer->data);
    *writer = (PayloadWriter){0};
}

static void put(PayloadWriter *writer, const void *data, uint32_t bytes)
{
    if (writer->bytes + bytes > writer->capacity) {
        writer->capacity = (writer->bytes + bytes) * 2;
        writer->data = g_realloc(writer->data, writer->capacity);
    }
    if (bytes > 0)
        memcpy(writer->data + writer->bytes, data, bytes);
    writer->bytes += bytes;
}

static void put_text(PayloadWriter *writer, uint8_t tag, PayloadText text)
{
    put(writer, &tag, 1);
    put(writer, &text.bytes, sizeof(text.bytes));
    put(writer, text.data, text.bytes);
}

void payload_put_key(PayloadWriter *writer, PayloadText name)
{
    put_text(writer, TAG_KEY, name);
}

void payload_put_element(PayloadWriter *writer, PayloadText name)
{
    put_text(writer, TAG_ELEMENT, name);
}

void payload_put_value(PayloadWriter *writer, PayloadText value)
{
    put_text(writer, TAG_VALUE, value);
}

void payload_put_edit(PayloadWriter *writer, PayloadText edit)
{
    put_text(writer, TAG_EDIT, edit);
}

void payload_put_bytes(PayloadWriter *writer, const void *data, uint32_t bytes)
{
    put(writer, data, bytes);
}

void payload_put_cover(PayloadWriter *writer, const PayloadCover *cover)
{
    uint8_t small[3] = {TAG_COVER, cover->type, cover->origin};

    put(writer, small, sizeof(small));
    put(writer, &cover->element_index, sizeof(cover->element_index));
    put(writer, &cover->sum, sizeof(cover->sum));
    put(writer, &cover->element.bytes, sizeof(cover->element.bytes));
    put(writer, cover->element.data, cover->element.bytes);
}

static void take(const uint8_t *data, uint32_t bytes, uint32_t *at, void *out, uint32_t size)
{
    ensure(*at + size <= bytes);
    memcpy(out, data + *at, size);
    *at += size;
}

static PayloadText take_text(const uint8_t *data, uint32_t bytes, uint32_t *at)
{
    PayloadText text;

    take(data, bytes, at, &text.bytes, sizeof(text.bytes));
    ensure(*at + text.bytes <= bytes);
    text.data = (const char *)data + *at;
    *at += text.bytes;
    return text;
}

Payload payload_read(const uint8_t *data, uint32_t bytes)
{
    Payload payload = {0};
    uint32_t at = 0;

    while (at < bytes && data[at] != TAG_COVER) {
        uint8_t tag = data[at++];
        PayloadText text = take_text(data, bytes, &at);

        if (tag == TAG_KEY)
            payload.key = text;
        else if (tag == TAG_ELEMENT)
            payload.element = text;
        else if (tag == TAG_VALUE)
            payload.value = text;
        else if (tag == TAG_EDIT)
            payload.edit = text;
    }
    payload.covers_at = at;
    return payload;
}

bool payload_next_cover(const uint8_t *data, uint32_t bytes, uint32_t *cursor, PayloadCover *out)
{
    if (*cursor >= bytes)
        return false;
    ensure(data[*cursor] == TAG_COVER);
    out->type = data[*cursor + 1];
    out->origin = data[*cursor + 2];
    *cursor += 3;
    take(data, bytes, cursor, &out->element_index, sizeof(out->element_index));
    take(data, bytes, cursor, &out->sum, sizeof(out->sum));
    out->element = take_text(data, bytes, cursor);
    return true;
}
