/* Why it works: what a member knows of an origin is a prefix, and so is what everybody knows;
 * records are exactly the stretch between the two.  Each is pushed once and walked over once, so
 * the cost per effect is constant however seldom collection gets to run.
 */
#include "models/geo/history.h"

#include <glib.h>
#include <string.h>

#include "sim/ensure.h"

#define CAPACITY_MIN 1024

static bool class_find(HistoryClasses *classes, int64_t bytes, HistoryKind kind, uint8_t *out_code)
{
    for (uint32_t i = 1; i < classes->count; i++)
        if (classes->bytes[i] == bytes && classes->kind[i] == kind) {
            *out_code = (uint8_t)i;
            return true;
        }
    if (classes->count == HISTORY_CLASSES_MAX)
        return false;
    classes->bytes[classes->count] = bytes;
    classes->kind[classes->count] = (uint8_t)kind;
    *out_code = (uint8_t)classes->count++;
    return true;
}

static int64_t record_bytes(const Family *family, int kind)
{
    if (!family)
        return HISTORY_BORN_BYTES;
    return kind == HISTORY_TOMBSTONE && family->tombstone_bytes > 0 ? family->tombstone_bytes
                                                                    : family->record_bytes;
}

bool history_classes_init(HistoryClasses *out, const Family *const *families, uint32_t family_count)
{
    ensure(family_count <= FAMILY_MAX);
    memset(out, 0, sizeof *out);
    out->count = 1;
    for (uint32_t f = 0; f <= family_count; f++)
        for (int kind = 0; kind < HISTORY_KINDS; kind++)
            for (int tier = 0; tier < 2; tier++) {
                int64_t bytes = record_bytes(f < family_count ? families[f] : NULL, kind);

                if (f < family_count && tier == 1)
                    bytes *= families[f]->weight;
                if (f < family_count && families[f]->retention == RETENTION_TOMBSTONE &&
                    kind == HISTORY_RECORD)
                    continue; /* class 0: such effects leave nothing */
                if (!class_find(out, bytes, (HistoryKind)kind, &out->code[f][kind][tier]))
                    return false;
            }
    return true;
}

void history_init(History *history, const HistoryClasses *classes, HistoryBooks *books)
{
    memset(history, 0, sizeof *history);
    history->classes = classes;
    history->books = books;
    history->first_seq = history->next_seq = 1;
}

void history_clear(History *history)
{
    g_free(history->codes);
    history->codes = NULL;
}

/* After a change of anything but next_seq; that only grows, so what is kept stays so. */
static void note_room(History *history)
{
    history->room_until =
        history->next_seq > history->stable_seq ? history->first_seq + history->capacity : 0;
}

static void ring_grow(History *history)
{
    uint64_t capacity = history->capacity ? history->capacity * 2 : CAPACITY_MIN;
    uint8_t *codes = g_malloc(capacity);

    for (uint64_t seq = history->first_seq; seq < history->next_seq; seq++)
        codes[seq & (capacity - 1)] = history->codes[seq & (history->capacity - 1)];
    g_free(history->codes);
    history->codes = codes;
    history->capacity = capacity;
    note_room(history);
}

static void record_forget(History *history, uint64_t seq)
{
    uint8_t *code = &history->codes[seq & (history->capacity - 1)];

    if (*code == 0)
        return;
    history->books->bytes[history->classes->kind[*code]] -= history->classes->bytes[*code];
    history->books->record_count--;
    *code = 0;
}

/* The first of all, one that is known everywhere already, or one too many for the ring. */
void history_push_rare(History *history, uint64_t seq, uint8_t code)
{
    ensure(seq == history->next_seq);
    if (seq <= history->stable_seq) {
        history->first_seq = ++history->next_seq;
        note_room(history);
        return;
    }
    if (seq - history->first_seq >= history->capacity)
        ring_grow(history);
    history_push(history, seq, code);
}

void history_supersede(History *history, uint64_t seq)
{
    if (seq >= history->first_seq && seq < history->next_seq)
        record_forget(history, seq);
}

void history_skip(History *history, uint64_t seq)
{
    while (history->next_seq <= seq)
        history_push(history, history->next_seq, 0);
}

/* Eight neighbours of one class, as nearly all are, at once; false: they differ. */
static bool eight_forget(History *history, uint64_t seq)
{
    const uint8_t *codes = &history->codes[seq & (history->capacity - 1)];
    uint8_t code = codes[0];
    uint64_t word;

    memcpy(&word, codes, sizeof word);
    if (word != code * UINT64_C(0x0101010101010101))
        return false;
    history->books->bytes[history->classes->kind[code]] -= 8 * history->classes->bytes[code];
    history->books->record_count -= code != 0 ? 8 : 0;
    return true;
}

void history_collect(History *history, uint64_t seq)
{
    uint64_t end = MIN(history->next_seq, seq < UINT64_MAX ? seq + 1 : seq);

    history->stable_seq = seq; /* may fall when a peer is linked again */
    while (history->first_seq < end) {
        uint64_t first = history->first_seq;

        if (first % 8 == 0 && end - first >= 8 && eight_forget(history, first)) {
            history->first_seq += 8;
            continue;
        }
        record_forget(history, first);
        history->first_seq++;
    }
    note_room(history);
}
