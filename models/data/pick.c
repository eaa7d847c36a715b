/* Why it works: a walk over the elements begins at a drawn place and goes round once, so several
 * picks are different ones, and one pick costs no more than the gap to the next that is present.
 * Only declared elements and removes that came early leave gaps.
 *
 * Simplified: elements that stand side by side are picked together, and one behind a gap more often
 * than others. */
#include "models/data/pick.h"

static uint32_t places(const Key *key, int type)
{
    if (key->state)
        return key->state->fields;
    return key->born ? key->born->elements[type].count : 0;
}

Pick pick_begin(CommandRun *run, const Key *key, int type, uint64_t draw)
{
    uint64_t seq = store_clock(run->store)->seq[run->store->config.member_id];
    uint32_t count = places(key, type);
    uint32_t start =
        count > 0 ? (uint32_t)rng_scale(rng_mix(rng_mix(seq + 1) ^ (draw + 1)), count) : 0;

    return (Pick){.key = key, .type = type, .start = start, .cursor = start};
}

bool pick_next(CommandRun *run, Pick *pick, ElementRef *out, SlotView *out_view)
{
    Slot *slot;

    for (;;) {
        if (!key_next_slot(run->store, pick->key, pick->type, &pick->cursor, out, &slot)) {
            if (pick->wrapped || pick->start == 0)
                return false;
            pick->wrapped = true;
            pick->cursor = 0;
            continue;
        }
        if (pick->wrapped && pick->cursor > pick->start)
            return false;
        *out_view = slot_view(&run->store->world.pool, slot);
        if (out_view->present)
            return true;
    }
}

static void reply_repeated(CommandRun *run, const Key *key, int type, uint64_t count, PickPush push)
{
    for (uint64_t i = 0; i < count; i++) {
        Pick pick = pick_begin(run, key, type, i);
        ElementRef ref;
        SlotView view;

        if (pick_next(run, &pick, &ref, &view))
            push(run, key, &ref, &view);
    }
}

void pick_reply(CommandRun *run, const Key *key, int type, int64_t count, uint32_t items,
                PickPush push)
{
    int64_t live = key_live(run->store, key, type);
    Pick pick = pick_begin(run, key, type, 0);
    ElementRef ref;
    SlotView view;

    if (count < 0) {
        run_reply_array(run, live > 0 ? (uint32_t)-count * items : 0);
        reply_repeated(run, key, type, live > 0 ? (uint64_t)-count : 0, push);
        return;
    }
    count = MIN(count, live);
    run_reply_array(run, (uint32_t)count * items);
    for (; count > 0 && pick_next(run, &pick, &ref, &view); count--)
        push(run, key, &ref, &view);
}

#define PICK_REPEATS_MAX INT64_C(10000000) /* of one reply: Redis would try to send them all */

/* The count at argument 1, and whether word follows it; false: the error is the reply. */
static bool pick_read_count(CommandRun *run, const char *word, int64_t *out_count, bool *out_word)
{
    *out_word = word && run_count(run) == 3 && arg_is(run_arg(run, 2), word);
    if (!run_integer(run, 1, out_count))
        return false;
    if (*out_count == INT64_MIN)
        run_reply_error(run, "ERR value is out of range, value must between -9223372036854775807 "
                             "and 9223372036854775807");
    else if (run_count(run) > 3 || (run_count(run) == 3 && !*out_word))
        run_reply_error(run, ERROR_SYNTAX);
    else if ((*out_word && (*out_count > INT64_MAX / 2 || *out_count < -INT64_MAX / 2)) ||
             *out_count < -PICK_REPEATS_MAX)
        run_reply_error(run, "ERR value is out of range");
    else
        return true;
    return false;
}

void pick_run(CommandRun *run, const PickCommand *command)
{
    bool counted = run_is_given(run, 1);
    bool pairs = false;
    int64_t count = 0;
    ElementRef ref;
    SlotView view;
    bool exists;
    Pick pick;
    Key key;

    if ((counted && !pick_read_count(run, command->word, &count, &pairs)) ||
        !run_find(run, 0, command->type, &key, &exists))
        return;
    pick = pick_begin(run, &key, command->type, 0);
    if (counted)
        pick_reply(run, &key, command->type, exists ? count : 0, pairs ? 2 : 1,
                   pairs ? command->push_pair : command->push);
    else if (exists && pick_next(run, &pick, &ref, &view))
        run_reply_text(run, element_name(&key, &ref));
    else
        run_reply_nil(run);
}
