/* Channels: SUBSCRIBE and its kin, PUBLISH, PUBSUB.
 *
 * Why it works: a message is an effect without a key, so it goes to the other members with
 * everything else, in the order of its origin and once; what PUBLISH replies is how many took it at
 * this member, for nobody here can know of the others (the documents are silent).  Subscriptions
 * belong to a connection and are never replicated.  Each name asked for is confirmed by a reply of
 * its own, with the number of subscriptions that are left.
 *
 * Simplified: a shard channel is a channel with a name space of its own; which shard it would be on
 * matters to nobody here.
 */
#include <glib.h>
#include <string.h>

#include "models/data/subcommand.h"

static PayloadText name_at(CommandRun *run, uint32_t index)
{
    PayloadText name = run_text(run, index);

    return name.data ? name : (PayloadText){"", 0};
}

/* --- subscriptions */
typedef struct {
    PubsubKind kind;
    const char *word; /* of its confirmations */
    bool ends;
} Subscribing;

static uint32_t left_of(const Subscriber *subscriber, PubsubKind kind)
{
    if (kind == PUBSUB_SHARD_CHANNEL)
        return subscriber_count(subscriber, kind);
    return subscriber_count(subscriber, PUBSUB_CHANNEL) +
           subscriber_count(subscriber, PUBSUB_PATTERN);
}

/* Into the open array.  name NULL: there was nothing to end. */
static void change_one(CommandRun *run, const Subscribing *change, const PayloadText *name)
{
    run_push_text(run, (PayloadText){change->word, (uint32_t)strlen(change->word)});
    if (name)
        run_push_text(run, *name); /* before it is freed with what it names */
    else
        run_push_nil(run);
    if (name && change->ends)
        subscriber_remove(run->subscriber, change->kind, *name);
    else if (name)
        subscriber_add(run->subscriber, change->kind, *name);
    run_push_integer(run, left_of(run->subscriber, change->kind));
}

static void change_run(CommandRun *run, const Subscribing *change)
{
    bool all = run_count(run) == 0; /* UNSUBSCRIBE without names */
    uint32_t count;

    if (!run->subscriber) {
        run_reply_error(run, "ERR subscriptions need a connection");
        return;
    }
    count = all ? subscriber_count(run->subscriber, change->kind) : run_count(run);
    if (count <= 1)
        run_reply_array(run, 3);
    else
        run_reply_several(run, count);
    if (count == 0)
        change_one(run, change, NULL);
    for (uint32_t i = 0; i < count; i++) {
        Reply *outer = count > 1 ? run_open_array(run, 3) : run->reply;
        PayloadText name;

        if (!all || !subscriber_first(run->subscriber, change->kind, &name))
            name = name_at(run, i);
        change_one(run, change, &name);
        run_close_array(run, outer);
    }
}

static void run_subscribe(CommandRun *run)
{
    change_run(run, &(Subscribing){PUBSUB_CHANNEL, "subscribe", false});
}

static void run_psubscribe(CommandRun *run)
{
    change_run(run, &(Subscribing){PUBSUB_PATTERN, "psubscribe", false});
}

/* Redis lets the other two into a transaction for the sake of old clients alone. */
static void run_ssubscribe(CommandRun *run)
{
    if (run->in_transaction)
        run_reply_error(run, "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client");
    else
        change_run(run, &(Subscribing){PUBSUB_SHARD_CHANNEL, "ssubscribe", false});
}

static void run_unsubscribe(CommandRun *run)
{
    change_run(run, &(Subscribing){PUBSUB_CHANNEL, "unsubscribe", true});
}

static void run_punsubscribe(CommandRun *run)
{
    change_run(run, &(Subscribing){PUBSUB_PATTERN, "punsubscribe", true});
}

static void run_sunsubscribe(CommandRun *run)
{
    change_run(run, &(Subscribing){PUBSUB_SHARD_CHANNEL, "sunsubscribe", true});
}

/* --- messages */
static void publish(CommandRun *run, PubsubKind kind)
{
    Publication publication = {
        .kind = kind, .channel = name_at(run, 0), .text = run_text(run, 1), .now = run->now};

    run_reply_integer(run, store_publish(run->store, &publication));
}

static void run_publish(CommandRun *run)
{
    publish(run, PUBSUB_CHANNEL);
}

static void run_spublish(CommandRun *run)
{
    publish(run, PUBSUB_SHARD_CHANNEL);
}

/* --- PUBSUB */
static void reply_channels(CommandRun *run, PubsubKind kind)
{
    const Pubsub *pubsub = store_pubsub(run->store);
    const GList *cursor = NULL;
    PayloadText name;

    run_reply_array(run, pubsub_count(pubsub, kind));
    while (pubsub_next(pubsub, kind, &cursor, &name))
        if (run_count(run) < 2 || pubsub_matches(name_at(run, 1), name))
            run_push_text(run, name);
}

static void reply_subscribers(CommandRun *run, PubsubKind kind)
{
    const Pubsub *pubsub = store_pubsub(run->store);

    run_reply_array(run, 2 * (run_count(run) - 1));
    for (uint32_t i = 1; i < run_count(run); i++) {
        PayloadText name = name_at(run, i);

        run_push_text(run, name);
        run_push_integer(run, pubsub_subscriber_count(pubsub, kind, name));
    }
}

static void reply_patterns(CommandRun *run, PubsubKind kind)
{
    run_reply_integer(run, pubsub_count(store_pubsub(run->store), kind));
}

static const char *const pubsub_help[] = {
    "PUBSUB CHANNELS [pattern]: channels somebody listens to at this member",
    "PUBSUB NUMSUB [channel ...]: how many listen to each, patterns not counted",
    "PUBSUB NUMPAT: how many patterns somebody listens to",
    "PUBSUB SHARDCHANNELS [pattern]: shard channels somebody listens to",
    "PUBSUB SHARDNUMSUB [channel ...]: how many listen to each of them",
    "PUBSUB HELP: this list",
    NULL,
};

typedef struct {
    const char *name;
    void (*reply)(CommandRun *run, PubsubKind kind);
    PubsubKind kind;
    uint32_t most;         /* words, its own among them */
    const char *full_name; /* in the error of too many words; NULL: that error is of its syntax */
} Question;

static const Question questions[] = {
    {"CHANNELS", reply_channels, PUBSUB_CHANNEL, 2, NULL},
    {"NUMSUB", reply_subscribers, PUBSUB_CHANNEL, UINT32_MAX, NULL},
    {"NUMPAT", reply_patterns, PUBSUB_PATTERN, 1, "pubsub|numpat"},
    {"SHARDCHANNELS", reply_channels, PUBSUB_SHARD_CHANNEL, 2, NULL},
    {"SHARDNUMSUB", reply_subscribers, PUBSUB_SHARD_CHANNEL, UINT32_MAX, NULL},
};

static void run_pubsub(CommandRun *run)
{
    if (arg_is(run_arg(run, 0), "HELP")) {
        subcommand_reply_help(run, "pubsub|help", pubsub_help);
        return;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(questions); i++) {
        const Question *question = &questions[i];

        if (!arg_is(run_arg(run, 0), question->name))
            continue;
        if (run_count(run) <= question->most)
            question->reply(run, question->kind);
        else if (question->full_name)
            subcommand_reply_arity(run, question->full_name);
        else
            subcommand_reply_syntax(run, "PUBSUB");
        return;
    }
    subcommand_reply_unknown(run, "PUBSUB");
}

/* What is no message has no key and no value: its shape is the least there is. */
#define SPEC(NAME, SUMMARY, ARITY, RUN)                                                            \
    COMMAND_SPEC_LIFE(LIFE_OTHER, NAME, SUMMARY, ARITY, false, OP_READ, SHAPE_KEY, 1.0, RUN)
#define MESSAGE_SPEC(NAME, SUMMARY, RUN)                                                           \
    COMMAND_SPEC_LIFE(LIFE_OTHER, NAME, SUMMARY, 3, false, OP_ACCUM, SHAPE_VALUE, 1.0, RUN)

static const CommandSpec specs[] = {
    SPEC("SUBSCRIBE", "listen to channels of this member", -2, run_subscribe),
    SPEC("UNSUBSCRIBE", "listen no more, to some or to all", -1, run_unsubscribe),
    SPEC("PSUBSCRIBE", "listen to every channel a pattern matches", -2, run_psubscribe),
    SPEC("PUNSUBSCRIBE", "end what PSUBSCRIBE began", -1, run_punsubscribe),
    MESSAGE_SPEC("PUBLISH", "a message to who listens, here and at the other members", run_publish),
    SPEC("PUBSUB", "who listens at this member", -2, run_pubsub),
    SPEC("SSUBSCRIBE", "listen to shard channels", -2, run_ssubscribe),
    SPEC("SUNSUBSCRIBE", "end what SSUBSCRIBE began", -1, run_sunsubscribe),
    MESSAGE_SPEC("SPUBLISH", "a message to a shard channel", run_spublish),
};

const CommandGroup command_group_pubsub = {
    .head = {.name = "pubsub", .summary = "channels: messages to who listens at that moment"},
    .serves = "",
    .specs = specs,
    .count = G_N_ELEMENTS(specs),
};
