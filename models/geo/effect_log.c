/* Why it works: a reader follows directory -> page -> chunk, which was all written before the
 * window ended in which the effect was published, and the owner meanwhile writes only other slots.
 * Released chunks are reused, so a steady run allocates nothing; what a long break made the log
 * grow to stays with it until it is freed.
 */
#include "models/geo/effect_log.h"

#include <string.h>

#include "sim/ensure.h"
#include "sim/pages.h"
#include "sim/prefetch.h"

#define CHUNK_EFFECTS 1024
#define PAGE_CHUNKS   4096
#define PAGE_COUNT    4096 /* 17 thousand million effects */
#define BLOB_BYTES    (64 * 1024)

typedef struct Blob {
    struct Blob *next;
    uint32_t used;
    uint32_t size;
    uint8_t bytes[];
} Blob;

typedef struct Chunk {
    struct Chunk *next_free;
    Blob *blobs;                       /* of effects kept whole, newest first */
    uint64_t bytes[CHUNK_EFFECTS + 1]; /* before each effect, and after the last */
    SimTime made_ns[CHUNK_EFFECTS];
    _Alignas(64) EffectRecord records[CHUNK_EFFECTS]; /* each in a line of the cache of its own */
} Chunk;

/* Chunks are made by the dozen, as many as a huge page holds, so that the logs of a busy group lie
 * in such pages and leave nothing of them unused; the first slabs are small, for the many small
 * worlds. */
#define SLAB_CHUNKS_MAX (PAGES_HUGE_BYTES / sizeof(Chunk))

typedef struct Slab {
    struct Slab *next;
    void *memory;
} Slab;

struct EffectLog {
    Chunk **pages[PAGE_COUNT];
    uint64_t begun_count; /* chunks, dropped ones too */
    Chunk *tail;          /* the chunk being filled, NULL at a boundary */
    Chunk *spare;         /* dropped or not yet used */
    Slab *slabs;          /* what chunks were cut from, freed with the log */
    uint32_t slab_chunks; /* in the newest */
    uint64_t last_seq;
    uint64_t total_bytes;
    uint64_t first_chunk; /* chunks below are dropped, */
    uint64_t held_chunk;  /* and below this one released */
};

EffectLog *effect_log_new(void)
{
    return g_new0(EffectLog, 1);
}

static void blobs_free(Blob *blob)
{
    while (blob) {
        Blob *next = blob->next;

        g_free(blob);
        blob = next;
    }
}

static void slab_add(EffectLog *log)
{
    Slab *slab = g_new(Slab, 1);
    size_t count = MIN(SLAB_CHUNKS_MAX, MAX(1, log->slab_chunks * 2));
    Chunk *chunks = pages_alloc(count < SLAB_CHUNKS_MAX ? count * sizeof(Chunk) : PAGES_HUGE_BYTES,
                                &slab->memory);

    log->slab_chunks = (uint32_t)count;
    slab->next = log->slabs;
    log->slabs = slab;
    for (uint32_t i = log->slab_chunks; i-- > 0;) {
        chunks[i].next_free = log->spare;
        log->spare = &chunks[i];
    }
}

static void slabs_free(Slab *slab)
{
    while (slab) {
        Slab *next = slab->next;

        g_free(slab->memory);
        g_free(slab);
        slab = next;
    }
}

static Chunk **chunk_slot(const EffectLog *log, uint64_t chunk)
{
    return &log->pages[chunk / PAGE_CHUNKS][chunk % PAGE_CHUNKS];
}

void effect_log_free(EffectLog *log)
{
    if (!log)
        return;
    for (uint64_t page = 0; page < PAGE_COUNT && log->pages[page]; page++) {
        for (uint64_t i = 0; i < PAGE_CHUNKS; i++) {
            if (log->pages[page][i])
                blobs_free(log->pages[page][i]->blobs);
        }
        g_free(log->pages[page]);
    }
    slabs_free(log->slabs);
    g_free(log);
}

static Chunk *chunk_begin(EffectLog *log, uint64_t index)
{
    Chunk *chunk;

    if (!log->spare)
        slab_add(log);
    chunk = log->spare;
    log->spare = chunk->next_free;
    chunk->next_free = NULL;
    chunk->blobs = NULL;
    chunk->bytes[0] = log->total_bytes;
    ensure(index / PAGE_CHUNKS < PAGE_COUNT);
    if (!log->pages[index / PAGE_CHUNKS])
        log->pages[index / PAGE_CHUNKS] = g_new0(Chunk *, PAGE_CHUNKS);
    *chunk_slot(log, index) = chunk;
    return chunk;
}

static void *blob_take(Chunk *chunk, uint32_t bytes)
{
    Blob *blob = chunk->blobs;
    void *taken;

    bytes = (bytes + 7) & ~7u;
    if (!blob || blob->size - blob->used < bytes) {
        uint32_t size = MAX((uint32_t)BLOB_BYTES, bytes);

        blob = g_malloc(sizeof(Blob) + size);
        blob->next = chunk->blobs;
        blob->used = 0;
        blob->size = size;
        chunk->blobs = blob;
    }
    taken = blob->bytes + blob->used;
    blob->used += bytes;
    return taken;
}

/* The effect moves into the chunk with its payload behind it, and a value that lies inside the
 * payload moves along. */
static const Effect *effect_keep(Chunk *chunk, const Effect *effect)
{
    uintptr_t start = (uintptr_t)effect->payload;
    uintptr_t data = (uintptr_t)effect->value.data;
    Effect *kept = blob_take(chunk, (uint32_t)sizeof(Effect) + effect->payload_bytes);
    uint8_t *payload = (uint8_t *)(kept + 1);

    *kept = *effect;
    kept->payload = NULL;
    kept->value.data = NULL;
    if (effect->payload_bytes == 0)
        return kept;
    kept->payload = memcpy(payload, effect->payload, effect->payload_bytes);
    if (data >= start && data <= start + effect->payload_bytes)
        kept->value.data = (const char *)payload + (data - start);
    return kept;
}

static Chunk *chunk_with_room(EffectLog *log)
{
    if (log->last_seq % CHUNK_EFFECTS == 0)
        log->tail = chunk_begin(log, log->begun_count++);
    return log->tail;
}

void effect_log_append(EffectLog *log, const Effect *effect, SimTime made_ns, uint64_t wire_bytes)
{
    uint64_t index = log->last_seq % CHUNK_EFFECTS;
    Chunk *chunk = chunk_with_room(log);
    EffectRecord *record = &chunk->records[index];

    ensure(dot_seq(effect->dot) == log->last_seq + 1);
    if (!effect_record_pack(record, effect))
        effect_record_refer(record, effect_keep(chunk, effect));
    chunk->made_ns[index] = made_ns;
    log->total_bytes += wire_bytes;
    chunk->bytes[index + 1] = log->total_bytes;
    log->last_seq++;
    /* Its turn comes with the next local write or two. */
    prefetch(&chunk->records[MIN(index + 2, CHUNK_EFFECTS - 1)]);
}

uint64_t effect_log_last_seq(const EffectLog *log)
{
    return log->last_seq;
}

uint64_t effect_log_total_bytes(const EffectLog *log)
{
    return log->total_bytes;
}

static const Chunk *chunk_of(const EffectLog *log, uint64_t seq)
{
    return *chunk_slot(log, (seq - 1) / CHUNK_EFFECTS);
}

const EffectRecord *effect_log_at(const EffectLog *log, uint64_t seq)
{
    return &chunk_of(log, seq)->records[(seq - 1) % CHUNK_EFFECTS];
}

const Effect *effect_log_read(const EffectLog *log, Dot dot, Effect *room)
{
    return effect_record_read(effect_log_at(log, dot_seq(dot)), dot, room);
}

SimTime effect_log_made_ns(const EffectLog *log, uint64_t seq)
{
    return chunk_of(log, seq)->made_ns[(seq - 1) % CHUNK_EFFECTS];
}

uint64_t effect_log_bytes_before(const EffectLog *log, uint64_t seq)
{
    if (seq > log->last_seq)
        return log->total_bytes;
    ensure((seq - 1) / CHUNK_EFFECTS >= log->first_chunk);
    return chunk_of(log, seq)->bytes[(seq - 1) % CHUNK_EFFECTS];
}

uint64_t effect_log_wire_bytes(const EffectLog *log, uint64_t seq)
{
    const Chunk *chunk = chunk_of(log, seq);
    uint64_t index = (seq - 1) % CHUNK_EFFECTS;

    return chunk->bytes[index + 1] - chunk->bytes[index];
}

EffectSpan effect_log_span(const EffectLog *log, uint64_t seq)
{
    const Chunk *chunk = chunk_of(log, seq);
    uint64_t index = (seq - 1) % CHUNK_EFFECTS;

    return (EffectSpan){.records = &chunk->records[index],
                        .made_ns = &chunk->made_ns[index],
                        .count = (uint32_t)(CHUNK_EFFECTS - index)};
}

uint64_t effect_log_first_kept(const EffectLog *log)
{
    return log->first_chunk * CHUNK_EFFECTS + 1;
}

uint64_t effect_log_first_within(const EffectLog *log, uint64_t bytes)
{
    uint64_t low = log->first_chunk * CHUNK_EFFECTS + 1;
    uint64_t high = log->last_seq + 1;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (log->total_bytes - effect_log_bytes_before(log, middle) <= bytes)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

static void chunk_release(EffectLog *log, Chunk *chunk)
{
    blobs_free(chunk->blobs);
    chunk->blobs = NULL;
    chunk->next_free = log->spare;
    log->spare = chunk;
}

void effect_log_drop(EffectLog *log, uint64_t seq)
{
    ensure(seq <= log->last_seq);
    log->first_chunk = MAX(log->first_chunk, seq / CHUNK_EFFECTS);
}

void effect_log_release(EffectLog *log, uint64_t seq)
{
    uint64_t end_chunk = MIN(log->first_chunk, seq / CHUNK_EFFECTS);

    for (; log->held_chunk < end_chunk; log->held_chunk++) {
        Chunk **slot = chunk_slot(log, log->held_chunk);
        Chunk *chunk = *slot;

        ensure(chunk); /* only this function empties a slot, and it goes upward */
        *slot = NULL;
        if (chunk == log->tail)
            log->tail = NULL;
        chunk_release(log, chunk);
    }
}

uint64_t effect_log_dropped_seq(const EffectLog *log)
{
    return log->first_chunk * CHUNK_EFFECTS;
}

uint64_t effect_log_kept_count(const EffectLog *log)
{
    return log->last_seq - log->first_chunk * CHUNK_EFFECTS;
}
