/* Elements taken from the ends of a key: what lists and sorted sets share of it, LMPOP and ZMPOP,
 * BLPOP and BZPOPMIN with their likes, and the blocking forms of all.
 *
 * A group of commands describes its type with a PopKind and gives each command functions of one
 * line that pass it on.
 */
#pragma once

#include "models/data/command_run.h"

typedef enum {
    POP_FIRST,
    POP_LAST
} PopEnd; /* of a list left and right, of a sorted set min, max */

typedef struct {
    int type;
    const char *words[2];     /* for the ends, by PopEnd */
    uint32_t element_replies; /* how many a popped element is: its name and its score are 2 */
    uint32_t (*count)(CommandRun *run, const Key *key); /* of an existing key */
    /* Removes count elements of those there are and pushes them into the array that is open, the
     * outermost first.  grouped: what is several replies becomes an array of its own. */
    void (*pop)(CommandRun *run, Key *key, PopEnd end, uint32_t count, bool grouped);
} PopKind;

/* asked, or as many as there are. */
uint32_t pop_clip(CommandRun *run, const Key *key, const PopKind *kind, int64_t asked);

/* numkeys key ... end [COUNT count]: of the first key that exists.  Workload: a key in place of
 * their number is the only one, and loses its first element. */
void pop_several(CommandRun *run, const PopKind *kind);
bool pop_several_serve(CommandRun *run, uint32_t index, const PopKind *kind);

/* timeout numkeys key ... end [COUNT count]; a workload names one key and may say how long after
 * it.  serve is pop_several_serve with this kind. */
void pop_several_or_wait(CommandRun *run, const PopKind *kind,
                         bool (*serve)(CommandRun *run, uint32_t index));

/* key ... timeout; a workload names one key and may leave out how long.  serve is pop_one_serve
 * with this kind and the command's end. */
void pop_one_or_wait(CommandRun *run, const PopKind *kind,
                     bool (*serve)(CommandRun *run, uint32_t index));
bool pop_one_serve(CommandRun *run, uint32_t index, const PopKind *kind, PopEnd end);
