/* Arbitrary elements of a collection, for SPOP and the RANDMEMBER commands: repeatable, because
 * chance here is a hash of how many writes this member has made. */
#pragma once

#include "models/data/command_run.h"

typedef struct {
    const Key *key;
    int type;
    uint32_t start, cursor;
    bool wrapped;
} Pick;

/* Each draw begins at another place; the elements follow from there, each once. */
Pick pick_begin(CommandRun *run, const Key *key, int type, uint64_t draw);
bool pick_next(CommandRun *run, Pick *pick, ElementRef *out, SlotView *out_view);

/* Pushes one picked element. */
typedef void (*PickPush)(CommandRun *run, const Key *key, const ElementRef *ref,
                         const SlotView *view);

/* count >= 0: that many different ones, as far as there are; below 0: -count, with repeats.
 * items: replies per element. */
void pick_reply(CommandRun *run, const Key *key, int type, int64_t count, uint32_t items,
                PickPush push);

/* SRANDMEMBER, HRANDFIELD and ZRANDMEMBER: one element's name, or as many as argument 1 says, with
 * what belongs to it when word follows. */
typedef struct {
    int type;
    const char *word; /* NULL: none */
    PickPush push;
    PickPush push_pair; /* with word: two replies */
} PickCommand;

void pick_run(CommandRun *run, const PickCommand *command);
