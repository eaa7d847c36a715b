/* Members with one stream each that write, exchange effects and merge states, for the tests of its
 * body. */
#pragma once

#include "tests/test.h"

#include <string.h>

#include "models/crdt/body_stream_private.h"
#include "models/crdt/crdt.h"

typedef struct {
    Effect effect;
    char *edit;
    uint32_t edit_bytes;
} Sent;

typedef struct {
    CrdtBody *body;
    Causality causality;
    GPtrArray *received;            /* of Sent, borrowed */
    Clock reported[MEMBER_MAX + 1]; /* by others, behind all that they had made */
} Member;

typedef struct {
    uint32_t count;
    Member members[MEMBER_MAX + 1]; /* from 1 */
    GPtrArray *logs[MEMBER_MAX + 1];
    PayloadWriter writer;
    uint64_t token;
} World;

static inline void sent_free(void *data)
{
    Sent *sent = data;

    g_free(sent->edit);
    g_free(sent);
}

static inline void member_begin(Member *m)
{
    *m = (Member){.body = body_stream.create(), .received = g_ptr_array_new()};
    causality_init(&m->causality);
}

static inline void member_end(Member *m)
{
    body_stream.destroy(m->body);
    causality_clear(&m->causality);
    g_ptr_array_free(m->received, TRUE);
}

static inline void world_begin(World *w, uint32_t count)
{
    *w = (World){.count = count};
    for (uint32_t i = 1; i <= count; i++) {
        member_begin(&w->members[i]);
        w->logs[i] = g_ptr_array_new_with_free_func(sent_free);
    }
}

static inline void world_end(World *w)
{
    for (uint32_t i = 1; i <= w->count; i++) {
        member_end(&w->members[i]);
        g_ptr_array_free(w->logs[i], TRUE);
    }
    payload_clear(&w->writer);
}

static inline void receive(Member *m, const Sent *sent)
{
    const Effect *effect = &sent->effect;
    BodyEffect be = {
        .effect = effect, .edit = {sent->edit, sent->edit_bytes}, .causality = &m->causality};

    body_stream.apply(m->body, &be);
    causality_receive(&m->causality, effect->dot, &effect->ctx,
                      causality_is_ctx_ahead(&m->causality, &effect->ctx));
    g_ptr_array_add(m->received, (void *)sent);
}

/* A local effect of member with the edit in the writer. */
static inline void emit(World *w, uint32_t member, EffectOp op, int type)
{
    Member *m = &w->members[member];
    Sent *sent = g_new0(Sent, 1);

    sent->effect = (Effect){.dot = dot_make(member, m->causality.clock.seq[member] + 1),
                            .ctx = m->causality.clock,
                            .op = (uint8_t)op,
                            .type = (uint8_t)type,
                            .value = {.kind = VALUE_SYNTHETIC,
                                      .number = ++w->token,
                                      .bytes = (uint32_t)(w->token % 50)}};
    if (op == EFFECT_EDIT) {
        sent->edit = g_memdup2(w->writer.data, w->writer.bytes);
        sent->edit_bytes = w->writer.bytes;
    }
    g_ptr_array_add(w->logs[member], sent);
    receive(m, sent);
}

static inline bool deliver_one(World *w, uint32_t from, uint32_t to)
{
    uint64_t seq = w->members[to].causality.clock.seq[from];

    if (from == to || seq >= w->logs[from]->len)
        return false;
    receive(&w->members[to], g_ptr_array_index(w->logs[from], seq));
    return true;
}

static inline void sync_all(World *w)
{
    for (uint32_t to = 1; to <= w->count; to++)
        for (uint32_t from = 1; from <= w->count; from++)
            while (deliver_one(w, from, to))
                ;
}

static inline void state_merge(Member *into, const Member *from)
{
    Causality joined;
    BodyMerge merge = {&into->causality, &from->causality, &joined};

    causality_init(&joined);
    causality_join(&joined, &into->causality, &from->causality);
    body_stream.merge(&merge, into->body, from->body);
    for (guint i = 0; i < from->received->len; i++) {
        Sent *sent = g_ptr_array_index(from->received, i);

        if (!clock_covers(&into->causality.clock, sent->effect.dot))
            g_ptr_array_add(into->received, sent);
    }
    causality_clear(&into->causality);
    into->causality = joined;
}

static inline Member member_copy(const Member *m)
{
    Member copy;

    member_begin(&copy);
    state_merge(&copy, m);
    return copy;
}

static inline uint64_t digest_of(const Member *m)
{
    Digest digest = digest_begin();

    body_stream.digest(m->body, &digest);
    return digest.value;
}
