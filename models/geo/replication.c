/* Effects on their way out and in.
 *
 * Why it works: an effect is copied once, into its origin's log; links follow the log, and
 * receivers read it there.  Each origin's effects come to a member in order and
 * without gaps (ensured here), whichever way they come: live, from a backlog, or with a whole
 * state.
 */
#include "models/geo/member_parts.h"

#include <string.h>

#include "models/data/command.h"
#include "sim/ensure.h"

#define SMALL_BODY_BYTES 16 /* an increment or a deadline (rehearsal.md 3.1) */

static const char *const type_names[] = {
#define TYPE_NAME(type) #type,
    CRDT_TYPES(TYPE_NAME)
#undef TYPE_NAME
};

/* The command whose execution an effect costs its receivers. */
static const struct {
    const char *type;
    EffectOp op;
    const char *command;
} effect_commands[] = {
    {"string", EFFECT_ASSIGN, "SET"},      {"string", EFFECT_INCREMENT, "INCR"},
    {"counter", EFFECT_ASSIGN, "SET"},     {"counter", EFFECT_INCREMENT, "INCR"},
    {"hash", EFFECT_ASSIGN, "HSET"},       {"hash", EFFECT_INCREMENT, "HINCRBY"},
    {"hash", EFFECT_REMOVE, "HDEL"},       {"set", EFFECT_ADD, "SADD"},
    {"set", EFFECT_REMOVE, "SREM"},        {"zset", EFFECT_ASSIGN, "ZADD"},
    {"zset", EFFECT_INCREMENT, "ZINCRBY"}, {"zset", EFFECT_REMOVE, "ZREM"},
};

static double command_cost(const char *name)
{
    const CommandSpec *spec = command_find(name, strlen(name));

    return spec ? spec->relative_cost : 1;
}

void replication_set_costs(Member *member)
{
    G_STATIC_ASSERT(G_N_ELEMENTS(type_names) <= EFFECT_TYPES);
    G_STATIC_ASSERT(EFFECT_PUBLISH < EFFECT_OPS);
    for (uint32_t type = 0; type < EFFECT_TYPES; type++)
        for (uint32_t op = 0; op < EFFECT_OPS; op++)
            member->apply_cost[type][op] = 1;
    for (uint32_t type = 0; type < G_N_ELEMENTS(type_names); type++) {
        member->apply_cost[type][EFFECT_REMOVE] = command_cost("DEL");
        member->apply_cost[type][EFFECT_DELETE] = command_cost("DEL");
        member->apply_cost[type][EFFECT_EXPIRE] = command_cost("EXPIRE");
        member->apply_cost[type][EFFECT_PUBLISH] = command_cost("PUBLISH");
        for (size_t i = 0; i < G_N_ELEMENTS(effect_commands); i++)
            if (strcmp(effect_commands[i].type, type_names[type]) == 0)
                member->apply_cost[type][effect_commands[i].op] =
                    command_cost(effect_commands[i].command);
    }
}

/* What an effect without a sized value carries: what the operation says, else a small number. */
static uint64_t body_bytes(const Member *member)
{
    return member->body_bytes > 0 ? member->body_bytes : SMALL_BODY_BYTES;
}

/* On the wire: a constant for dot, time, context and key, and the body.  The payload of a declared
 * key names counters it covers, which the context already pays for; that of a born key holds its
 * names and value. */
static uint64_t wire_bytes(const Member *member, const Effect *effect)
{
    uint64_t bytes = EFFECT_WIRE_BYTES;

    if (effect->family == FAMILY_NONE)
        bytes += effect->payload_bytes;
    switch ((EffectOp)effect->op) {
    case EFFECT_ASSIGN:
    case EFFECT_ADD:
        if (effect->value.kind == VALUE_BYTES)
            return bytes;
        if (effect->value.kind == VALUE_SYNTHETIC)
            return bytes + (uint64_t)effect->value.bytes * effect->element_count;
        return bytes + body_bytes(member) * effect->element_count;
    case EFFECT_INCREMENT:
    case EFFECT_EXPIRE:
        return bytes + body_bytes(member);
    case EFFECT_EDIT: /* a born key's payload is counted above */
        if (effect->family != FAMILY_NONE)
            bytes += effect->payload_bytes;
        return bytes + (effect->value.kind == VALUE_SYNTHETIC ? effect->value.bytes : 0);
    case EFFECT_PUBLISH: /* channel and real text are counted above */
        return bytes + (effect->value.kind == VALUE_SYNTHETIC ? effect->value.bytes : 0);
    case EFFECT_REMOVE:
    case EFFECT_DELETE:
        break;
    }
    return bytes;
}

static inline uint32_t effect_weight(const Member *member, const Effect *effect)
{
    const Family *family;

    if (effect->family == FAMILY_NONE)
        return 1;
    family = member->config.families[effect->family];
    return family_weight(family, effect->key - family->base);
}

/* The effect became known here: its record stays until all linked members know it too.  A message
 * leaves none, as nothing will ever be asked of it. */
static inline void record_keep(Member *member, const Effect *effect, uint32_t weight)
{
    History *history = &member->histories[dot_member(effect->dot)];
    bool removes = effect->op == EFFECT_REMOVE || effect->op == EFFECT_DELETE;
    uint32_t slot = family_slot(member, effect->family);
    HistoryKind kind = removes ? HISTORY_TOMBSTONE : HISTORY_RECORD;

    if (effect->op == EFFECT_PUBLISH)
        history_push(history, dot_seq(effect->dot), 0);
    else
        history_push(history, dot_seq(effect->dot), member->classes.code[slot][kind][weight != 1]);
    if (store_superseded_seq(member->store) > 0)
        history_supersede(history, store_superseded_seq(member->store));
}

static bool is_followed(const Member *member)
{
    for (uint32_t id = 1; id <= MEMBER_MAX; id++)
        if (member->peers[id].out && link_follows(member->peers[id].out))
            return true;
    return false;
}

void replication_emit(void *actor, const Effect *effect)
{
    Member *member = actor;
    uint32_t weight = effect_weight(member, effect);
    uint64_t bytes = wire_bytes(member, effect);

    effect_log_append(member->log, effect, member->now_ns, bytes * weight);
    if (is_followed(member))
        place_mark_sent(member->config.place);
    record_keep(member, effect, weight);
    member->last_dot = effect->dot;
    if (member->linked_count == 0)
        sync_collect(member); /* nobody's report will */
    digest_u64(&member->digest, effect->dot);
    digest_u64(&member->digest, effect->key);
    if (member->config.listener.hear)
        member_tell(member, &(GeoFact){.kind = GEO_WRITE,
                                       .member_id = member->config.id,
                                       .at_ns = member->now_ns,
                                       .amount = (int64_t)bytes,
                                       .effect = effect,
                                       .weight = weight,
                                       .nth = member->writing ? ++member->effect_count : 0});
}

/* is_state: as a part of a whole state. */
static void effect_merge(Member *member, const Effect *effect, uint32_t weight, bool is_state)
{
    uint32_t origin = dot_member(effect->dot);
    bool news;

    ensure(dot_seq(effect->dot) == store_clock(member->store)->seq[origin] + 1); /* FIFO, no gaps */
    if (is_state && effect->op == EFFECT_PUBLISH)
        news = store_pass_message(member->store, effect);
    else
        news = store_apply(member->store, effect, member_wall(member, member->now_ns));
    ensure(news);
    record_keep(member, effect, weight);
    memory_touch(&member->memory, family_slot(member, effect->family));
    digest_u64(&member->digest, effect->dot);
    digest_u64(&member->digest, effect->key);
    if (member->config.listener.hears_applies)
        member_tell(member, &(GeoFact){.kind = GEO_APPLY,
                                       .member_id = member->config.id,
                                       .peer_id = origin,
                                       .at_ns = member->now_ns,
                                       .effect = effect,
                                       .weight = weight});
}

void replication_apply(Member *member, const Effect *effect)
{
    uint32_t weight = effect_weight(member, effect);
    ShardJob job = {.now_ns = member->now_ns,
                    .key = effect->key,
                    .cost = member->apply_cost[effect->type][effect->op],
                    .weight = weight};

    effect_merge(member, effect, weight, false);
    shards_occupy(member->shards, &job);
    held_serve(member);
}

void replication_merge(Member *member, const Effect *effect)
{
    effect_merge(member, effect, effect_weight(member, effect), true);
}
