/* Why it works: a subscription is in two lists, that of its name and that of its connection, and
 * the lists are in the order in which subscriptions were made; tables only find what a name means.
 * So every step but matching patterns costs the same however many subscriptions there are, and
 * nothing depends on the order of a table.  Texts are shared: a message is copied once, for all who
 * listen.
 *
 * Simplified: redis-server goes through patterns, and through what UNSUBSCRIBE without names ends,
 * in the order of its own tables; here both go by age.
 */
#include "models/data/pubsub.h"

#include <string.h>

#include "models/data/glob.h"
#include "sim/ensure.h"

typedef struct {
    GBytes *name;
    GQueue subscriptions; /* of Subscription, by age */
    GList link;           /* in Pubsub.names */
} PubsubName;

typedef struct {
    PubsubName *name;
    Subscriber *subscriber;
    GList name_link, subscriber_link;
} Subscription;

struct Pubsub {
    GQueue names[PUBSUB_KINDS];       /* of PubsubName, by age */
    GHashTable *tables[PUBSUB_KINDS]; /* of the same, by their text */
};

struct Subscriber {
    Pubsub *pubsub;
    GQueue subscriptions[PUBSUB_KINDS]; /* of Subscription, by age */
    GHashTable *tables[PUBSUB_KINDS];   /* of the same, by their name's text */
    GQueue waiting;                     /* of Message */
};

typedef struct {
    GBytes *pattern; /* NULL: sent to the channel itself */
    GBytes *channel;
    GBytes *text; /* NULL: synthetic */
    uint32_t text_bytes;
    PubsubKind kind;
} Message;

Pubsub *pubsub_new(void)
{
    Pubsub *pubsub = g_new0(Pubsub, 1);

    for (int kind = 0; kind < PUBSUB_KINDS; kind++)
        pubsub->tables[kind] = g_hash_table_new(g_bytes_hash, g_bytes_equal);
    return pubsub;
}

void pubsub_free(Pubsub *pubsub)
{
    if (!pubsub)
        return;
    for (int kind = 0; kind < PUBSUB_KINDS; kind++) {
        ensure(pubsub->names[kind].length == 0);
        g_hash_table_unref(pubsub->tables[kind]);
    }
    g_free(pubsub);
}

Subscriber *subscriber_new(Pubsub *pubsub)
{
    Subscriber *subscriber = g_new0(Subscriber, 1);

    subscriber->pubsub = pubsub;
    for (int kind = 0; kind < PUBSUB_KINDS; kind++)
        subscriber->tables[kind] = g_hash_table_new(g_bytes_hash, g_bytes_equal);
    return subscriber;
}

static PayloadText text_of(GBytes *bytes)
{
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);

    return (PayloadText){data ? data : "", (uint32_t)size};
}

static void *table_find(GHashTable *table, PayloadText text)
{
    g_autoptr(GBytes) key = g_bytes_new_static(text.data, text.bytes);

    return g_hash_table_lookup(table, key);
}

static PubsubName *name_make(Pubsub *pubsub, PubsubKind kind, PayloadText text)
{
    PubsubName *name = table_find(pubsub->tables[kind], text);

    if (name)
        return name;
    name = g_new0(PubsubName, 1);
    name->name = g_bytes_new(text.data, text.bytes);
    name->link.data = name;
    g_queue_push_tail_link(&pubsub->names[kind], &name->link);
    g_hash_table_insert(pubsub->tables[kind], name->name, name);
    return name;
}

static void name_drop_if_unused(Pubsub *pubsub, PubsubKind kind, PubsubName *name)
{
    if (name->subscriptions.length > 0)
        return;
    g_hash_table_remove(pubsub->tables[kind], name->name);
    g_queue_unlink(&pubsub->names[kind], &name->link);
    g_bytes_unref(name->name);
    g_free(name);
}

void subscriber_add(Subscriber *subscriber, PubsubKind kind, PayloadText name)
{
    Subscription *subscription;

    if (table_find(subscriber->tables[kind], name))
        return;
    subscription = g_new0(Subscription, 1);
    subscription->subscriber = subscriber;
    subscription->name = name_make(subscriber->pubsub, kind, name);
    subscription->name_link.data = subscription->subscriber_link.data = subscription;
    g_queue_push_tail_link(&subscription->name->subscriptions, &subscription->name_link);
    g_queue_push_tail_link(&subscriber->subscriptions[kind], &subscription->subscriber_link);
    g_hash_table_insert(subscriber->tables[kind], subscription->name->name, subscription);
}

static void subscription_end(Subscription *subscription, PubsubKind kind)
{
    Subscriber *subscriber = subscription->subscriber;

    g_hash_table_remove(subscriber->tables[kind], subscription->name->name);
    g_queue_unlink(&subscriber->subscriptions[kind], &subscription->subscriber_link);
    g_queue_unlink(&subscription->name->subscriptions, &subscription->name_link);
    name_drop_if_unused(subscriber->pubsub, kind, subscription->name);
    g_free(subscription);
}

void subscriber_remove(Subscriber *subscriber, PubsubKind kind, PayloadText name)
{
    Subscription *subscription = table_find(subscriber->tables[kind], name);

    if (subscription)
        subscription_end(subscription, kind);
}

static void message_free(void *item)
{
    Message *message = item;

    if (message->pattern)
        g_bytes_unref(message->pattern);
    if (message->text)
        g_bytes_unref(message->text);
    g_bytes_unref(message->channel);
    g_free(message);
}

void subscriber_free(Subscriber *subscriber)
{
    if (!subscriber)
        return;
    for (int kind = 0; kind < PUBSUB_KINDS; kind++) {
        Subscription *first;

        while ((first = g_queue_peek_head(&subscriber->subscriptions[kind])) != NULL)
            subscription_end(first, (PubsubKind)kind);
        g_hash_table_unref(subscriber->tables[kind]);
    }
    g_queue_clear_full(&subscriber->waiting, message_free);
    g_free(subscriber);
}

bool subscriber_first(const Subscriber *subscriber, PubsubKind kind, PayloadText *out)
{
    const GList *first = subscriber->subscriptions[kind].head;

    if (first)
        *out = text_of(((const Subscription *)first->data)->name->name);
    return first != NULL;
}

uint32_t subscriber_count(const Subscriber *subscriber, PubsubKind kind)
{
    return subscriber->subscriptions[kind].length;
}

bool subscriber_is_listening(const Subscriber *subscriber)
{
    for (int kind = 0; kind < PUBSUB_KINDS; kind++)
        if (subscriber->subscriptions[kind].length > 0)
            return true;
    return false;
}

static Reply bulk(Arena *arena, PayloadText text)
{
    Reply reply = {.kind = REPLY_BULK, .bytes = text.bytes};
    char *copy;

    if (!text.data)
        return reply;
    copy = arena_alloc(arena, (size_t)text.bytes + 1);
    memcpy(copy, text.data, text.bytes);
    reply.text = copy;
    return reply;
}

bool subscriber_take(Subscriber *subscriber, Arena *arena, Reply *out)
{
    Message *message = g_queue_pop_head(&subscriber->waiting);
    const char *word;

    if (!message)
        return false;
    word = message->kind == PUBSUB_PATTERN         ? "pmessage"
           : message->kind == PUBSUB_SHARD_CHANNEL ? "smessage"
                                                   : "message";
    *out = (Reply){.kind = REPLY_ARRAY, .items = arena_array(arena, Reply, 4)};
    out->items[out->count++] = bulk(arena, (PayloadText){word, (uint32_t)strlen(word)});
    if (message->pattern)
        out->items[out->count++] = bulk(arena, text_of(message->pattern));
    out->items[out->count++] = bulk(arena, text_of(message->channel));
    out->items[out->count++] = bulk(
        arena, message->text ? text_of(message->text) : (PayloadText){NULL, message->text_bytes});
    for (uint32_t i = 0; i < out->count; i++)
        out->bytes += out->items[i].bytes;
    message_free(message);
    return true;
}

/* One copy of like for every subscription of name; pattern NULL: name is the channel. */
static uint32_t send_to(const PubsubName *name, const Message *like, GBytes *pattern)
{
    for (const GList *at = name->subscriptions.head; at; at = at->next) {
        Message *message = g_memdup2(like, sizeof(*like));

        message->pattern = pattern ? g_bytes_ref(pattern) : NULL;
        message->kind = pattern ? PUBSUB_PATTERN : like->kind;
        g_bytes_ref(message->channel);
        if (message->text)
            g_bytes_ref(message->text);
        g_queue_push_tail(&((const Subscription *)at->data)->subscriber->waiting, message);
    }
    return name->subscriptions.length;
}

bool pubsub_matches(PayloadText pattern, PayloadText channel)
{
    if (channel.bytes == 0)
        return pattern.bytes == 0;
    return glob_matches(pattern, channel);
}

uint32_t pubsub_deliver(Pubsub *pubsub, PubsubKind kind, PayloadText channel, PayloadText text)
{
    const PubsubName *direct = table_find(pubsub->tables[kind], channel);
    bool by_pattern = kind == PUBSUB_CHANNEL && pubsub->names[PUBSUB_PATTERN].length > 0;
    g_autoptr(GBytes) name = NULL;
    g_autoptr(GBytes) shared = NULL;
    uint32_t taken = 0;
    Message like;

    if (!direct && !by_pattern)
        return 0;
    name = g_bytes_new(channel.data, channel.bytes);
    shared = text.data ? g_bytes_new(text.data, text.bytes) : NULL;
    like = (Message){.channel = name, .text = shared, .text_bytes = text.bytes, .kind = kind};
    if (direct)
        taken += send_to(direct, &like, NULL);
    for (const GList *at = by_pattern ? pubsub->names[PUBSUB_PATTERN].head : NULL; at;
         at = at->next) {
        const PubsubName *pattern = at->data;

        if (pubsub_matches(text_of(pattern->name), channel))
            taken += send_to(pattern, &like, pattern->name);
    }
    return taken;
}

uint32_t pubsub_count(const Pubsub *pubsub, PubsubKind kind)
{
    return pubsub->names[kind].length;
}

uint32_t pubsub_subscriber_count(const Pubsub *pubsub, PubsubKind kind, PayloadText name)
{
    const PubsubName *found = table_find(pubsub->tables[kind], name);

    return found ? found->subscriptions.length : 0;
}

bool pubsub_next(const Pubsub *pubsub, PubsubKind kind, const GList **cursor, PayloadText *out)
{
    *cursor = *cursor ? (*cursor)->next : pubsub->names[kind].head;
    if (*cursor)
        *out = text_of(((const PubsubName *)(*cursor)->data)->name);
    return *cursor != NULL;
}
