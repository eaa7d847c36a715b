/* Why it works: what a command says of its arguments depends on their kinds and on the type of the
 * key, so a store with one small key of the family's type answers for all of them.  The key is
 * present: what fails on those fails on whatever the workload has written, while a command that
 * minds an absent key succeeds as soon as another has made it.
 *
 * A write that sends nothing there may still have something to do: where the key is absent, or
 * after another of the family's operations, as PERSIST after EXPIRE.  What has not in any of these
 * never has. */
#include "models/scenario/op_trial.h"

#include <string.h>

#include "models/data/command_keys.h"
#include "models/data/store.h"
#include "models/geo/request.h"

#define TRIAL_ELEMENTS (2 * SHAPE_RANGE_COUNT) /* so that a range is neither all nor nothing */
#define TRIAL_BYTES    16
#define TRIAL_TTL_NS   (60 * SIM_S)
#define TRIAL_NOW_MS   INT64_C(1700000000000) /* a wall clock of these years */

typedef struct {
    const FamilyParams *params;
    Arena *arena; /* NULL: an error has no words */
    Dist *value;
    Family family;
    Store *store;
    uint64_t effect_count;
    bool has_sent_bytes;
} Trial;

/* Effects of other kinds have one size whatever the operation says: geo/replication.c. */
static void count_effect(void *actor, const Effect *effect)
{
    Trial *trial = actor;

    trial->effect_count++;
    trial->has_sent_bytes |= effect->op == EFFECT_ASSIGN || effect->op == EFFECT_ADD ||
                             effect->op == EFFECT_INCREMENT || effect->op == EFFECT_EXPIRE ||
                             effect->value.kind == VALUE_SYNTHETIC;
}

static void trial_init(Trial *trial, const FamilyParams *params, bool exists, Arena *arena)
{
    static const uint64_t present[1] = {1}, absent[1] = {0};
    const Family *families[] = {&trial->family};
    StoreConfig config = {.member_id = 1,
                          .member_count = 1,
                          .families = families,
                          .family_count = 1,
                          .start = {TRIAL_NOW_MS},
                          .sink = {.emit = count_effect, .actor = trial}};

    *trial = (Trial){.params = params, .arena = arena, .value = dist_new_constant(TRIAL_BYTES)};
    trial->family =
        (Family){.name = "trial",
                 .type = (int8_t)params->type,
                 .key_count = 1,
                 .kept_count = 1,
                 .hot_count = 1,
                 .weight = 1,
                 .field_count = family_type_has_fields(params->type) ? TRIAL_ELEMENTS : 1,
                 .value_bytes = trial->value,
                 .ttl_ns = params->ttl ? TRIAL_TTL_NS : 0,
                 .record_bytes = 1,
                 .prefilled = exists ? present : absent};
    trial->store = store_new(&config);
}

static void trial_clear(Trial *trial)
{
    store_free(trial->store);
    dist_free(trial->value);
}

/* The error it replies with, or NULL. */
static const char *trial_run(Trial *trial, size_t op_index)
{
    const FamilyParams *params = trial->params;
    const OpParams *op = param_map_at(&params->ops, OpParams, op_index);
    Request request = {.spec = params->specs[op_index],
                       .key = trial->family.base,
                       .token = 1,
                       .ttl_ns = params->ttl || op->ttl ? TRIAL_TTL_NS : 0,
                       .element_count = 1,
                       .value_bytes = TRIAL_BYTES,
                       .weight = 1};
    Arg args[REQUEST_ARGS_MAX];
    Command command = {.spec = request.spec, .args = args, .count = request_args(&request, args)};
    Reply reply = {0};

    store_execute(trial->store, &command, (WallTime){TRIAL_NOW_MS}, trial->arena, &reply);
    return reply.kind == REPLY_ERROR ? reply.text : NULL;
}

static bool has_effect(Trial *trial, size_t op_index)
{
    uint64_t before = trial->effect_count;

    (void)trial_run(trial, op_index);
    return trial->effect_count > before;
}

static bool has_effect_when_absent(const FamilyParams *params, size_t op_index)
{
    Trial trial;
    bool has;

    trial_init(&trial, params, false, NULL);
    has = has_effect(&trial, op_index);
    trial_clear(&trial);
    return has;
}

static bool has_effect_after_another(Trial *trial, size_t op_index)
{
    for (size_t i = 0; i < trial->params->ops.count; i++) {
        (void)trial_run(trial, i);
        if (has_effect(trial, op_index))
            return true;
    }
    return false;
}

static const char *trial_finding(Trial *trial, size_t op_index)
{
    const FamilyParams *params = trial->params;
    const OpParams *op = param_map_at(&params->ops, OpParams, op_index);
    const CommandSpec *spec = params->specs[op_index];
    const char *error;

    if (!command_names_keys(spec))
        return "it is about no key";
    error = trial_run(trial, op_index);
    if (error)
        return error;
    if (store_ledger(trial->store, 1)->key_count > 0) /* under no name that anybody gave */
        return "it writes to a second key";
    if (spec->shape == SHAPE_TTL && store_ledger(trial->store, 0)->key_count == 0)
        return params->ttl || op->ttl ? "its time has passed, so it deletes the key"
                                      : "without a ttl it deletes the key";
    if (spec->writes && spec->op_class != OP_READ && trial->effect_count == 0 &&
        !has_effect_when_absent(params, op_index) && !has_effect_after_another(trial, op_index))
        return "it would change nothing";
    return NULL;
}

const char *op_trial(const FamilyParams *params, size_t op_index, Arena *arena)
{
    Trial trial;
    const char *finding;

    trial_init(&trial, params, true, arena);
    finding = trial_finding(&trial, op_index);
    trial_clear(&trial);
    return finding;
}

int64_t op_trial_elements_added(const FamilyParams *params, size_t op_index)
{
    Trial trial;
    int64_t before, added;

    trial_init(&trial, params, true, NULL);
    before = store_ledger(trial.store, 0)->element_count;
    (void)trial_run(&trial, op_index);
    added = store_ledger(trial.store, 0)->element_count - before;
    trial_clear(&trial);
    return added;
}

bool op_trial_wants_ttl(const FamilyParams *params, size_t op_index)
{
    FamilyParams with_ttl = *params;
    g_autoptr(Dist) ttl = dist_new_constant(TRIAL_TTL_NS);

    if (params->ttl || param_map_at(&params->ops, OpParams, op_index)->ttl)
        return false;
    with_ttl.ttl = ttl;
    return op_trial(&with_ttl, op_index, NULL) == NULL;
}

bool op_trial_sends_bytes(const FamilyParams *params, size_t op_index)
{
    bool sends = false;

    if (!params->specs[op_index])
        return false;
    for (int exists = 0; exists <= 1; exists++) {
        Trial trial;

        trial_init(&trial, params, exists != 0, NULL);
        (void)trial_run(&trial, op_index);
        sends |= trial.has_sent_bytes;
        trial_clear(&trial);
    }
    return sends;
}

bool op_trial_sends_ttl(const CommandSpec *spec)
{
    Arg args[REQUEST_ARGS_MAX], longer[REQUEST_ARGS_MAX];
    Request request = {.spec = spec, .ttl_ns = TRIAL_TTL_NS};
    uint32_t count = request_args(&request, args);

    request.ttl_ns *= 2;
    (void)request_args(&request, longer);
    for (uint32_t i = 0; spec->writes && i < count; i++)
        if (args[i].number != longer[i].number)
            return true;
    return false;
}

bool op_trial_serves(const CommandSpec *spec, int type)
{
    for (size_t i = 0; i < command_group_family.count; i++) {
        const CommandGroup *group = (const CommandGroup *)command_group_family.records[i];
        const CrdtType *keys = crdt_types[type];

        if (spec < group->specs || spec >= group->specs + group->count)
            continue;
        /* A sketch is a string to TYPE alone. */
        return !group->serves ||
               strcmp(group->serves, keys->body ? keys->head.name : keys->redis_name) == 0;
    }
    return false;
}

/* With a time to live, and beside EXPIRE, so that PERSIST has something to do. */
bool op_trial_can_send(const CommandSpec *spec, int type)
{
    g_autoptr(Arena) arena = arena_new();
    g_autoptr(Dist) ttl = dist_new_constant(TRIAL_TTL_NS);
    const CommandSpec *specs[] = {spec, command_find("EXPIRE", strlen("EXPIRE"))};
    OpParams ops[G_N_ELEMENTS(specs)] = {{.share = 1}, {.share = 1}};
    FamilyParams params = {.type = type,
                           .ttl = ttl,
                           .ops = {.count = G_N_ELEMENTS(ops), .items = ops},
                           .specs = specs};

    return op_trial_serves(spec, type) && op_trial(&params, 0, arena) == NULL;
}
