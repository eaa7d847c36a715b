/* Why it works: only keys for which somebody waits are in the table, so a change asks one question
 * when nobody waits, and looks up one key when somebody does.  A key queues its waiters; serving
 * walks that queue with a cursor that outlives the removal of any waiter, so that replies can be
 * handed out one by one.  A ready key whose queue was walked to its end is done: who was left
 * cannot be served before the key changes again.
 */
#include "models/data/waiter.h"

#include <math.h>
#include <string.h>

#include "models/data/command_run.h"

/* A key somebody waits for. */
typedef struct WaitKey {
    FamilyState *state; /* NULL: born, and then by name */
    uint64_t kept;
    char *name;
    uint32_t name_bytes;
    uint64_t hash;
    struct WaitLink *first, *last; /* in the order they came */
    uint32_t loss_count;           /* of them, those who are to learn that the key is gone */
    bool is_ready;                 /* queued to be served */
} WaitKey;

/* One of the keys of one waiter. */
typedef struct WaitLink {
    Waiter *waiter;
    WaitKey *key;
    uint32_t index; /* of the argument */
    struct WaitLink *before, *after;
} WaitLink;

struct Waiter {
    Command command;
    Arg *args; /* the command's; bytes are owned */
    Wait wait;
    WaiterClient client;
    int64_t until_ms; /* DEADLINE_NONE: for ever */
    uint64_t seq;
    WaitLink *links; /* wait.count */
    Waiter *before, *after;
};

struct Waiters {
    GHashTable *keys; /* of WaitKey, by itself */
    GQueue ready;     /* of WaitKey */
    WaitKey *serving; /* NULL: none */
    WaitLink *cursor; /* of serving: who is next */
    GTree *timeouts;  /* of Waiter, by when their time is up */
    Waiter *first, *last;
    uint64_t seq;
    uint32_t count;
};

/* --- keys */
static guint key_hash(gconstpointer item)
{
    const WaitKey *key = item;

    return (guint)(key->state ? rng_mix(key->state->base + key->kept) : key->hash);
}

static gboolean key_equal(gconstpointer a, gconstpointer b)
{
    const WaitKey *one = a;
    const WaitKey *two = b;

    if (one->state || two->state)
        return one->state == two->state && one->kept == two->kept;
    return one->hash == two->hash && one->name_bytes == two->name_bytes &&
           (one->name_bytes == 0 || memcmp(one->name, two->name, one->name_bytes) == 0);
}

static WaitKey key_probe(const Key *key)
{
    if (key->state)
        return (WaitKey){.state = key->state, .kept = key->kept};
    return (WaitKey){
        .name = (char *)key->name.data, .name_bytes = key->name.bytes, .hash = key->hash};
}

static void key_free(gpointer item)
{
    WaitKey *key = item;

    g_free(key->name);
    g_free(key);
}

static WaitKey *key_to_wait_for(struct Waiters *waiters, const Key *key)
{
    WaitKey probe = key_probe(key);
    WaitKey *found = g_hash_table_lookup(waiters->keys, &probe);

    if (found)
        return found;
    found = g_memdup2(&probe, sizeof(probe));
    found->name = g_memdup2(probe.name, probe.name_bytes);
    g_hash_table_add(waiters->keys, found);
    return found;
}

static void key_drop_if_unused(struct Waiters *waiters, WaitKey *key)
{
    if (!key->first && !key->is_ready && waiters->serving != key)
        g_hash_table_remove(waiters->keys, key);
}

static void key_make_ready(struct Waiters *waiters, WaitKey *key)
{
    if (key->is_ready)
        return;
    key->is_ready = true;
    g_queue_push_tail(&waiters->ready, key);
}

void waiters_tell(Store *store, const Key *key)
{
    struct Waiters *waiters = store->waiters;
    WaitKey probe;
    WaitKey *found;

    if (waiters->count == 0)
        return;
    for (const Waiter *each = waiters->first; !key && each; each = each->after)
        for (uint32_t i = 0; i < each->wait.count; i++)
            key_make_ready(waiters, each->links[i].key);
    if (!key)
        return;
    probe = key_probe(key);
    found = g_hash_table_lookup(waiters->keys, &probe);
    if (found)
        key_make_ready(waiters, found);
}

/* --- waiters */
static gint by_timeout(gconstpointer a, gconstpointer b)
{
    const Waiter *one = a;
    const Waiter *two = b;

    if (one->until_ms != two->until_ms)
        return one->until_ms < two->until_ms ? -1 : 1;
    return one->seq < two->seq ? -1 : one->seq > two->seq;
}

static struct Waiters *waiters_of(Store *store)
{
    if (store->waiters)
        return store->waiters;
    store->waiters = g_new0(struct Waiters, 1);
    store->waiters->keys = g_hash_table_new_full(key_hash, key_equal, NULL, key_free);
    store->waiters->timeouts = g_tree_new(by_timeout);
    g_queue_init(&store->waiters->ready);
    return store->waiters;
}

static void copy_args(Waiter *waiter, const Command *command)
{
    waiter->args = g_memdup2(command->args, command->count * sizeof(Arg));
    for (uint32_t i = 0; i < command->count; i++)
        if (waiter->args[i].kind == ARG_BYTES)
            waiter->args[i].data = g_memdup2(command->args[i].data, command->args[i].bytes);
    waiter->command = *command;
    waiter->command.args = waiter->args;
}

static void link_begin(CommandRun *run, Waiter *waiter, uint32_t nth)
{
    WaitLink *link = &waiter->links[nth];
    bool exists;
    Key key;

    *link = (WaitLink){.waiter = waiter, .index = waiter->wait.first + nth};
    run_find(run, link->index, -1, &key, &exists);
    link->key = key_to_wait_for(run->store->waiters, &key);
    link->before = link->key->last;
    if (link->before)
        link->before->after = link;
    else
        link->key->first = link;
    link->key->last = link;
    link->key->loss_count += waiter->wait.sees_loss;
}

static void link_end(struct Waiters *waiters, WaitLink *link)
{
    WaitKey *key = link->key;

    if (waiters->cursor == link)
        waiters->cursor = link->after;
    if (link->before)
        link->before->after = link->after;
    else
        key->first = link->after;
    if (link->after)
        link->after->before = link->before;
    else
        key->last = link->before;
    key->loss_count -= link->waiter->wait.sees_loss;
    key_drop_if_unused(waiters, key);
}

static void waiter_append(struct Waiters *waiters, Waiter *waiter)
{
    waiter->seq = waiters->seq++;
    waiter->before = waiters->last;
    if (waiter->before)
        waiter->before->after = waiter;
    else
        waiters->first = waiter;
    waiters->last = waiter;
    waiters->count++;
    if (waiter->until_ms != DEADLINE_NONE)
        g_tree_insert(waiters->timeouts, waiter, waiter);
}

bool run_timeout(CommandRun *run, uint32_t index, int64_t *out_ms)
{
    const Arg *arg = run_arg(run, index);
    Decimal seconds;
    double ms;

    if (arg->kind != ARG_BYTES) { /* left out: for ever */
        *out_ms = arg->kind == ARG_INTEGER ? (int64_t)arg->number : 0;
        return true;
    }
    if (decimal_read(arg->data, arg->bytes, &seconds) == DECIMAL_MALFORMED ||
        !double_parse_any(arg->data, arg->bytes, &ms)) {
        run_reply_error(run, "ERR timeout is not a float or out of range");
        return false;
    }
    ms = ceil(ms * 1000);
    if (ms < 0 || ms >= (double)INT64_MAX) { /* Redis says the same of both */
        run_reply_error(run, ERROR_TIMEOUT_NEGATIVE);
        return false;
    }
    *out_ms = (int64_t)ms;
    return true;
}

void run_wait(CommandRun *run, const Wait *wait)
{
    Waiter *waiter;

    run_reply_nil(run);
    if (!run->client)
        return;
    waiter = g_new0(Waiter, 1);
    waiter->wait = *wait;
    waiter->client = *run->client;
    waiter->until_ms = DEADLINE_NONE;
    if (wait->timeout_ms > 0 && wait->timeout_ms < DEADLINE_NONE - run->now.ms)
        waiter->until_ms = run->now.ms + wait->timeout_ms;
    copy_args(waiter, run->command);
    waiter_append(waiters_of(run->store), waiter);
    waiter->links = g_new(WaitLink, wait->count);
    for (uint32_t i = 0; i < wait->count; i++)
        link_begin(run, waiter, i);
    run->waiter = waiter;
}

uint32_t run_wait_keys(const CommandRun *run)
{
    return run_count(run) > 1 ? run_count(run) - 1 : 1;
}

void run_serve_or_wait(CommandRun *run, const Wait *wait)
{
    for (uint32_t i = wait->first; i < wait->first + wait->count; i++) {
        bool exists;
        Key key;

        if (!run_find(run, i, wait->type, &key, &exists) || (exists && wait->serve(run, i)))
            return;
    }
    run_wait(run, wait);
}

void waiter_end(Store *store, Waiter *waiter)
{
    struct Waiters *waiters = store->waiters;

    for (uint32_t i = 0; i < waiter->wait.count; i++)
        link_end(waiters, &waiter->links[i]);
    if (waiter->until_ms != DEADLINE_NONE)
        g_tree_remove(waiters->timeouts, waiter);
    if (waiter->before)
        waiter->before->after = waiter->after;
    else
        waiters->first = waiter->after;
    if (waiter->after)
        waiter->after->before = waiter->before;
    else
        waiters->last = waiter->before;
    waiters->count--;
    for (uint32_t i = 0; i < waiter->command.count; i++)
        if (waiter->args[i].kind == ARG_BYTES)
            g_free((char *)waiter->args[i].data);
    g_free(waiter->args);
    g_free(waiter->links);
    g_free(waiter);
}

void waiters_free(Store *store)
{
    struct Waiters *waiters = store->waiters;

    if (!waiters)
        return;
    waiters->serving = NULL;
    while (waiters->first)
        waiter_end(store, waiters->first);
    g_queue_clear(&waiters->ready);
    g_hash_table_unref(waiters->keys);
    g_tree_unref(waiters->timeouts);
    g_free(waiters);
}

uint32_t store_waiter_count(const Store *store)
{
    return store->waiters ? store->waiters->count : 0;
}

Waiter *store_execute_or_wait(Store *store, const Command *command, WallTime now, Arena *arena,
                              Reply *out, const WaiterClient *client)
{
    CommandRun run = {.store = store,
                      .command = command,
                      .now = now,
                      .arena = arena,
                      .reply = out,
                      .client = client};

    return run_execute(&run);
}

/* --- serving */

/* What a key shows now; -1: it is not there. */
static int type_shown(Store *store, const WaitKey *of, WallTime now)
{
    Key key = {.state = of->state, .kept = of->kept};

    if (!of->state)
        key = key_of_name(store, (PayloadText){of->name, of->name_bytes}, of->hash);
    if (!key_exists(store, &key) || key_is_expired(store, &key, now))
        return -1;
    return of->state ? of->state->family->type : key_type(store, &key);
}

static bool waiter_serve(Store *store, const WaitLink *link, WallTime now, Reply *out)
{
    const Waiter *waiter = link->waiter;
    CommandRun run = {.store = store,
                      .command = &waiter->command,
                      .now = now,
                      .arena = waiter->client.arena,
                      .reply = out};

    *out = (Reply){.kind = REPLY_NIL};
    return waiter->wait.serve(&run, link->index);
}

/* The next ready key becomes the one being served; false: there is none. */
static bool serve_begin(struct Waiters *waiters)
{
    WaitKey *key = g_queue_pop_head(&waiters->ready);

    waiters->serving = key;
    if (!key)
        return false;
    key->is_ready = false; /* from here on a change makes it ready again */
    waiters->cursor = key->first;
    return true;
}

static void serve_end(struct Waiters *waiters)
{
    WaitKey *key = waiters->serving;

    waiters->serving = NULL;
    waiters->cursor = NULL;
    key_drop_if_unused(waiters, key);
}

/* The next waiter of the key being served that gets its reply; NULL: none. */
static Waiter *serve_key(Store *store, WallTime now, Reply *out)
{
    struct Waiters *waiters = store->waiters;
    const WaitKey *key = waiters->serving;
    int type = type_shown(store, key, now);

    while (waiters->cursor && (type >= 0 || key->loss_count > 0)) {
        const WaitLink *link = waiters->cursor;

        waiters->cursor = link->after;
        if ((link->waiter->wait.type == type || link->waiter->wait.sees_loss) &&
            waiter_serve(store, link, now, out))
            return link->waiter;
    }
    return NULL;
}

void *store_serve_next(Store *store, WallTime now, Reply *out)
{
    struct Waiters *waiters = store->waiters;

    if (!waiters)
        return NULL;
    while (waiters->serving || serve_begin(waiters)) {
        Waiter *served = serve_key(store, now, out);

        if (served) {
            void *owner = served->client.owner;

            waiter_end(store, served);
            return owner;
        }
        serve_end(waiters);
    }
    return NULL;
}

bool store_next_timeout(const Store *store, WallTime *out_at)
{
    GTreeNode *node = store->waiters ? g_tree_node_first(store->waiters->timeouts) : NULL;

    if (!node)
        return false;
    *out_at = (WallTime){((const Waiter *)g_tree_node_key(node))->until_ms};
    return true;
}

void *store_time_out_next(Store *store, WallTime now, Reply *out)
{
    WallTime at;
    Waiter *waiter;
    void *owner;

    if (!store_next_timeout(store, &at) || at.ms > now.ms)
        return NULL;
    waiter = g_tree_node_key(g_tree_node_first(store->waiters->timeouts));
    owner = waiter->client.owner;
    *out = (Reply){.kind = REPLY_NIL};
    waiter_end(store, waiter);
    return owner;
}
