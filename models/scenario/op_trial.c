/* Why it works: what a command says of its arguments depends on their kinds and on the type of the
 * key, so a store with one small key of the family's type answers for all of them.  The key is
 * present: what fails on those fails on whatever the workload has written, while a command that
 * minds an absent key succeeds as soon as another has made it. */
#include "models/scenario/op_trial.h"

#include "models/data/store.h"
#include "models/geo/request.h"

#define TRIAL_ELEMENTS 4
#define TRIAL_BYTES    16
#define TRIAL_TTL_NS   (60 * SIM_S)
#define TRIAL_NOW_MS   INT64_C(1700000000000) /* a wall clock of these years */

static void ignore_effect(void *actor, const Effect *effect)
{
    (void)actor;
    (void)effect;
}

static const char *try_key(Store *store, const Request *request, Arena *arena)
{
    Arg args[REQUEST_ARGS_MAX];
    Command command = {.spec = request->spec, .args = args, .count = request_args(request, args)};
    Reply reply = {0};

    store_execute(store, &command, (WallTime){TRIAL_NOW_MS}, arena, &reply);
    return reply.kind == REPLY_ERROR ? reply.text : NULL;
}

const char *op_trial(const FamilyParams *params, size_t op_index, Arena *arena)
{
    static const uint64_t prefilled[1] = {1};
    const OpParams *op = param_map_at(&params->ops, OpParams, op_index);
    Dist *value = dist_new_constant(TRIAL_BYTES);
    Family family = {.name = "trial",
                     .type = (int8_t)params->type,
                     .key_count = 1,
                     .kept_count = 1,
                     .hot_count = 1,
                     .weight = 1,
                     .field_count = crdt_types[params->type]->has_elements ? TRIAL_ELEMENTS : 1,
                     .value_bytes = value,
                     .ttl_ns = params->ttl ? TRIAL_TTL_NS : 0,
                     .record_bytes = 1,
                     .prefilled = prefilled};
    const Family *families[] = {&family};
    StoreConfig config = {.member_id = 1,
                          .member_count = 1,
                          .families = families,
                          .family_count = 1,
                          .start = {TRIAL_NOW_MS},
                          .sink = {.emit = ignore_effect}};
    g_autoptr(Store) store = store_new(&config);
    Request request = {.spec = params->specs[op_index],
                       .key = family.base,
                       .token = 1,
                       .ttl_ns = params->ttl || op->ttl ? TRIAL_TTL_NS : 0,
                       .element_count = 1,
                       .value_bytes = TRIAL_BYTES,
                       .weight = 1};
    const char *error = try_key(store, &request, arena);

    if (!error && store_ledger(store, 1)->key_count > 0) /* under no name that anybody gave */
        error = "it writes to a second key";
    else if (!error && request.spec->shape == SHAPE_TTL && store_ledger(store, 0)->key_count == 0)
        error = request.ttl_ns > 0 ? "its time has passed, so it deletes the key"
                                   : "without a ttl it deletes the key";
    dist_free(value);
    return error;
}
