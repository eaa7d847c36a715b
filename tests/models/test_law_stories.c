/* Laws on histories that are lists of steps, so that one that breaks a law can be made smaller and
 * told as a conformance case.
 *
 * Two to five members, whose clocks differ in half of the stories, write, exchange in pairs, send a
 * part of what the other lacks or again what it has, merge whole states and collect at random
 * moments.  A step is kept only while the law holds without it, and as the plainest of its kind;
 * what is left is printed in the format of tests/conformance/FORMAT.md.
 */
#include "tests/effect_tape.h"
#include "tests/test.h"

#include <string.h>

#include "models/data/store.h"
#include "tools/conform_run.h"

#define STEPS_MAX  80
#define LINE_BYTES 96
#define PART_MAX   3 /* effects */
#define SKEW_MAX   4 /* seconds */

typedef enum {
    STEP_WRITE,
    STEP_SYNC,   /* each gives what it made and the other lacks */
    STEP_PART,   /* one gives the oldest few of these */
    STEP_RESEND, /* one gives the newest few that the other has */
    STEP_MERGE,  /* a full sync: the whole state, with what it knows of third members */
    STEP_COLLECT,
} StepKind;

typedef struct {
    StepKind kind;
    int member, other; /* indexes; member gives, but MERGE: takes */
    int part;          /* effects: PART, RESEND */
    int64_t t;         /* wall second of members without skew */
    char line[LINE_BYTES];
} Step;

typedef struct {
    Step steps[STEPS_MAX];
    int count;
    int members;
    int64_t skews[MEMBER_MAX]; /* seconds that a member's clock is ahead */
} Story;

typedef struct Play {
    Store *stores[MEMBER_MAX];
    EffectTape *tapes[MEMBER_MAX];
    Arena *arena;
    Clock retired[MEMBER_MAX][MEMBER_MAX]; /* as the first has heard of the second */
    bool wrong, collects;
    const struct Play *heard;             /* repeats the effects of that one; NULL: executes */
    uint64_t made[STEPS_MAX][MEMBER_MAX]; /* effects, by the end of each step */
    Digest shown;                         /* after every step */
} Play;

/* A command of the type, or about the key's life, which is the same for all. */
static void draw_write(Rng *rng, int type, const char *key, char line[LINE_BYTES])
{
    switch (rng_below(rng, 12)) {
    case 0:
        g_snprintf(line, LINE_BYTES, "EXPIRE %s %d", key, 1 + (int)rng_below(rng, 12));
        break;
    case 1:
        g_snprintf(line, LINE_BYTES, "PERSIST %s", key);
        break;
    default:
        crdt_types[type]->draw(rng, key, line, LINE_BYTES);
    }
}

static Story story_draw(uint64_t seed, int type, int64_t ticks_max)
{
    Story story = {0};
    Rng rng = rng_stream(seed, "stories");
    int64_t t = 1;

    story.members = 2 + (int)rng_below(&rng, MEMBER_MAX - 1);
    for (int i = 0; i < story.members && seed % 4 >= 2; i++)
        story.skews[i] = (int64_t)rng_below(&rng, SKEW_MAX);
    story.count = 20 + (int)rng_below(&rng, STEPS_MAX - 20);
    for (int i = 0; i < story.count; i++) {
        Step *step = &story.steps[i];
        int shown = type >= 0 ? type : (int)rng_below(&rng, CRDT_TYPE_COUNT);
        char key[8];

        t += (int64_t)rng_below(&rng, (uint64_t)ticks_max + 1);
        step->t = t;
        step->member = (int)rng_below(&rng, (uint64_t)story.members);
        step->other = (int)rng_below(&rng, (uint64_t)story.members);
        step->part = 1 + (int)rng_below(&rng, PART_MAX);
        g_snprintf(key, sizeof key, "k%d", (int)rng_below(&rng, 2));
        switch (rng_below(&rng, 12)) {
        case 0:
            step->kind = STEP_COLLECT;
            break;
        case 1:
            step->kind = STEP_MERGE;
            break;
        case 2:
        case 3:
            step->kind = STEP_SYNC;
            break;
        case 4:
            step->kind = STEP_PART;
            break;
        case 5:
            step->kind = STEP_RESEND;
            break;
        default:
            step->kind = STEP_WRITE;
            draw_write(&rng, shown, key, step->line);
        }
    }
    return story;
}

static void play_begin(Play *play, int members)
{
    *play = (Play){.wrong = play->wrong,
                   .collects = play->collects,
                   .heard = play->heard,
                   .arena = arena_new(),
                   .shown = digest_begin()};
    for (int i = 0; i < members; i++) {
        play->tapes[i] = effect_tape_new();
        play->stores[i] = store_new(&(StoreConfig){.member_id = (uint32_t)i + 1,
                                                   .member_count = (uint32_t)members,
                                                   .wrong_arrival_order = play->wrong,
                                                   .sink = effect_tape_sink(play->tapes[i])});
    }
}

static void play_end(Play *play, int members)
{
    for (int i = 0; i < members; i++) {
        store_free(play->stores[i]);
        effect_tape_free(play->tapes[i]);
    }
    arena_free(play->arena);
}

static void play_line(Play *play, int member, const char *line, int64_t t)
{
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    Command command = {.spec = command_find(words[0], strlen(words[0]))};
    Arg args[24];
    Reply reply;

    EXPECT_FATAL(command.spec != NULL);
    command.args = args;
    for (; words[command.count + 1]; command.count++) {
        const char *word = words[command.count + 1];

        EXPECT_FATAL(command.count < G_N_ELEMENTS(args));
        args[command.count] =
            (Arg){.kind = ARG_BYTES, .data = word, .bytes = (uint32_t)strlen(word)};
    }
    store_execute(play->stores[member], &command, (WallTime){t * 1000}, play->arena, &reply);
}

/* What the member had made by now: up to *out_count of the tape. */
static const EffectTape *made_by(const Play *play, int member, int step, uint64_t *out_count)
{
    const Play *made = play->heard ? play->heard : play;

    *out_count = play->heard ? made->made[step][member] : effect_tape_count(made->tapes[member]);
    return made->tapes[member];
}

typedef struct {
    int from, to;
    int step, most;
    int64_t t;
} Handing;

/* Of what `from` made itself, up to `most` effects from the first that `to` lacks on. */
static void hand_over(Play *play, Handing h)
{
    uint64_t known = store_clock(play->stores[h.to])->seq[h.from + 1], count;
    const EffectTape *made = made_by(play, h.from, h.step, &count);

    for (; known < count && h.most > 0; known++, h.most--)
        EXPECT(effect_tape_play(made, play->stores[h.to], (WallTime){h.t * 1000}));
}

/* What `to` has is no news to it. */
static void hand_again(Play *play, const Step *step, int at_step, int64_t t)
{
    uint64_t known = store_clock(play->stores[step->other])->seq[step->member + 1], count;
    const EffectTape *made = made_by(play, step->member, at_step, &count);

    for (uint64_t seq = known - MIN(known, (uint64_t)step->part) + 1; seq <= known; seq++)
        EXPECT(!store_apply(play->stores[step->other], effect_tape_at(made, seq),
                            (WallTime){t * 1000}));
}

/* What `of` had observed when it made the newest effect that `member` has; if that has all of them,
 * what it knows now. */
static Clock reported(const Play *play, int member, int of)
{
    uint64_t arrived = store_clock(play->stores[member])->seq[of + 1];
    Clock clock = {0};

    if (arrived == effect_tape_count(play->tapes[of]))
        return *store_clock(play->stores[of]);
    if (arrived > 0)
        clock = effect_tape_at(play->tapes[of], arrived)->ctx;
    clock.seq[of + 1] = arrived;
    return clock;
}

/* What others have collected is told behind all they have made. */
static void drop_at(Play *play, int member, int members)
{
    const Clock *own = store_retired(play->stores[member]);
    Clock by_all;

    if (!own)
        return;
    by_all = *own;
    for (int i = 0; i < members; i++) {
        const Clock *retired = store_retired(play->stores[i]);

        if (retired &&
            store_clock(play->stores[member])->seq[i + 1] == effect_tape_count(play->tapes[i]))
            play->retired[member][i] = *retired;
        clock_meet(&by_all, i == member ? own : &play->retired[member][i]);
    }
    store_drop(play->stores[member], &by_all);
}

static void collect_at(Play *play, int member, int members)
{
    Clock stable = *store_clock(play->stores[member]);

    for (int i = 0; i < members; i++) {
        Clock clock = reported(play, member, i);

        clock_meet(&stable, &clock);
    }
    store_collect(play->stores[member], &stable);
    drop_at(play, member, members);
}

static void play_step(Play *play, const Story *story, int at)
{
    const Step *step = &story->steps[at];
    const int m = step->member, other = step->other;
    int64_t t = step->t + story->skews[m];
    int64_t other_t = step->t + story->skews[other];

    for (int i = 0; i < story->members; i++)
        if (play->heard)
            hand_over(play, (Handing){i, i, at, INT32_MAX, step->t});
        else
            store_expire_due(play->stores[i], (WallTime){(step->t + story->skews[i]) * 1000});
    switch (step->kind) {
    case STEP_WRITE:
        if (!play->heard)
            play_line(play, m, step->line, t);
        break;
    case STEP_SYNC:
        hand_over(play, (Handing){m, other, at, m != other ? INT32_MAX : 0, other_t});
        hand_over(play, (Handing){other, m, at, m != other ? INT32_MAX : 0, t});
        break;
    case STEP_PART:
        hand_over(play, (Handing){m, other, at, m != other ? step->part : 0, other_t});
        break;
    case STEP_RESEND:
        hand_again(play, step, at, other_t);
        break;
    case STEP_MERGE:
        if (m != other)
            store_merge(play->stores[m], play->stores[other], (WallTime){t * 1000});
        break;
    case STEP_COLLECT:
        if (play->collects)
            collect_at(play, m, story->members);
        break;
    }
}

static bool fold_shown(Play *play, int members)
{
    Digest first = {0};
    bool agree = true;

    for (int i = 0; i < members; i++) {
        Digest digest = digest_begin();

        store_digest(play->stores[i], &digest);
        first = i == 0 ? digest : first;
        agree &= digest.value == first.value;
        digest_u64(&play->shown, digest.value);
    }
    return agree;
}

/* Plays all steps, exchanges everything and returns whether all members agree. */
static bool play_all(Play *play, const Story *story)
{
    int last = MAX(story->count - 1, 0);

    play_begin(play, story->members);
    for (int at = 0; at < story->count; at++) {
        play_step(play, story, at);
        for (int i = 0; i < story->members; i++)
            play->made[at][i] = effect_tape_count(play->tapes[i]);
        (void)fold_shown(play, story->members);
    }
    for (int a = 0; a < story->members; a++)
        for (int b = 0; b < story->members; b++)
            if (a != b)
                hand_over(play, (Handing){a, b, last, INT32_MAX, INT32_MAX});
    return fold_shown(play, story->members);
}

static bool breaks_convergence(const Story *story, bool wrong)
{
    Play play = {.wrong = wrong, .collects = true};
    bool agree = play_all(&play, story);

    play_end(&play, story->members);
    return !agree;
}

/* The same effects show the same after every step to members that never collect.  (Which effects a
 * command makes may differ: an element is hung beside what is retired, not on it.) */
static bool breaks_collection(const Story *story, bool wrong)
{
    Play with = {.wrong = wrong, .collects = true};
    Play without = {.wrong = wrong, .heard = &with};
    bool same;

    (void)play_all(&with, story);
    (void)play_all(&without, story);
    same = with.shown.value == without.shown.value;
    play_end(&without, story->members);
    play_end(&with, story->members);
    return !same;
}

typedef bool (*Breaks)(const Story *story, bool wrong);

/* What is plainer comes in place of what is not: clocks that agree, and exchanges. */
static void make_plain(Story *story, Breaks breaks, bool wrong)
{
    for (int i = 0; i < story->members; i++) {
        Story plain = *story;

        plain.skews[i] = 0;
        if (breaks(&plain, wrong))
            *story = plain;
    }
    for (int at = 0; at < story->count; at++) {
        Story plain = *story;

        if (story->steps[at].kind != STEP_PART && story->steps[at].kind != STEP_MERGE)
            continue;
        plain.steps[at].kind = STEP_SYNC;
        if (breaks(&plain, wrong))
            *story = plain;
    }
}

/* Leaves out what the failure does not need: halves first, then single steps, until nothing goes.
 */
static void shrink(Story *story, Breaks breaks, bool wrong)
{
    for (int size = story->count / 2; size >= 1; size = size > 1 ? size / 2 : 0)
        for (int at = 0; at + size <= story->count;) {
            Story less = *story;

            memmove(&less.steps[at], &less.steps[at + size],
                    (size_t)(less.count - at - size) * sizeof(Step));
            less.count -= size;
            if (breaks(&less, wrong))
                *story = less;
            else
                at++;
        }
    make_plain(story, breaks, wrong);
}

/* What the format has no words for. */
static const char *untold(const Story *story)
{
    for (int i = 0; i < story->members; i++)
        if (story->skews[i] != 0)
            return "; needs clocks that differ, which a case cannot say";
    return "";
}

static void tell_exchange(const Step *step, GString *text)
{
    if (step->kind == STEP_SYNC)
        g_string_append_printf(text, "\"sync\": [%d, %d]}", step->member + 1, step->other + 1);
    else if (step->kind == STEP_PART)
        g_string_append_printf(text, "\"send\": [%d, %d], \"effects\": %d}", step->member + 1,
                               step->other + 1, step->part);
    else
        g_string_append_printf(text, "\"send\": [%d, %d]}", step->other + 1, step->member + 1);
}

/* As tests/conformance/FORMAT.md says.  Collecting is the member's own affair and has no step, and
 * what comes again changes nothing. */
static char *tell(const Story *story, const char *law, uint64_t seed)
{
    GString *text = g_string_new(NULL);
    const char *comma = "";

    g_string_append_printf(text,
                           "{\"type\": \"any\", \"source\": \"a broken law\", \"cases\": [\n"
                           "{\"name\": \"%s-%" G_GUINT64_FORMAT
                           "\", \"source\": \"test_law_stories\","
                           " \"about\": \"members must agree at the end%s\", \"members\": %d,\n"
                           " \"options\": {\"xadd_id_mode\": \"liberal\"}, \"steps\": [",
                           law, seed, untold(story), story->members);
    for (int i = 0; i < story->count; i++) {
        const Step *step = &story->steps[i];
        g_auto(GStrv) words = g_strsplit(step->line, " ", -1);

        if (step->kind == STEP_COLLECT || step->kind == STEP_RESEND ||
            (step->kind != STEP_WRITE && step->member == step->other))
            continue;
        g_string_append_printf(text, "%s\n  {\"t\": %" G_GINT64_FORMAT ", ", comma, step->t);
        comma = ",";
        if (step->kind != STEP_WRITE) {
            tell_exchange(step, text);
            continue;
        }
        g_string_append_printf(text, "\"member\": %d, \"cmd\": [", step->member + 1);
        for (int k = 0; words[k]; k++) {
            g_autofree char *escaped = g_strescape(words[k], NULL);

            g_string_append_printf(text, "%s\"%s\"", k > 0 ? ", " : "", escaped);
        }
        g_string_append(text, "]}");
    }
    g_string_append_printf(text, "%s\n  {\"t\": %d, \"sync\": true}]}]}\n", comma, 1000000);
    return g_string_free(text, FALSE);
}

static void expect_law(const char *law, Breaks breaks)
{
    long count = test_count(60, 2000);

    for (int type = -1; type < CRDT_TYPE_COUNT; type++)
        for (long seed = 1; seed <= count; seed++) {
            Story story = story_draw((uint64_t)seed, type, seed % 2 == 0 ? 1 : 0);
            g_autofree char *told = NULL;

            if (!breaks(&story, false))
                continue;
            shrink(&story, breaks, false);
            told = tell(&story, law, (uint64_t)seed);
            g_printerr("%s is broken (%s, seed %ld):\n%s", law,
                       type < 0 ? "all types" : crdt_types[type]->head.name, seed, told);
            EXPECT_INT(seed, 0);
            return;
        }
}

static void test_law_stories_converge_with_collection_at_random_moments(void)
{
    expect_law("converge", breaks_convergence);
}

static void test_law_stories_collecting_changes_nothing_shown(void)
{
    expect_law("collect", breaks_collection);
}

/* A rule that is wrong on purpose breaks the law; what is left of the story is small and is a case
 * that the right rules pass. */
static void test_law_stories_shrink_to_a_conformance_case(void)
{
    int broken = 0;

    for (uint64_t seed = 1; seed <= 200 && broken < 5; seed++) {
        Story story = story_draw(seed, CRDT_STRING, 1);
        g_autoptr(ConformFile) file = NULL;
        g_autofree char *told = NULL;

        if (!breaks_convergence(&story, true))
            continue;
        broken++;
        shrink(&story, breaks_convergence, true);
        EXPECT(story.count <= 8);
        told = tell(&story, "arrival", seed);
        file = conform_file_parse("story", told, strlen(told), NULL);
        EXPECT_FATAL(file != NULL);
        EXPECT_INT(conform_case_count(file), 1);
        EXPECT_INT(conform_case_run(conform_case_at(file, 0), NULL, NULL), CONFORM_PASSED);
    }
    EXPECT_INT(broken, 5);
}

static const TestCase cases[] = {
    TEST(test_law_stories_converge_with_collection_at_random_moments),
    TEST(test_law_stories_collecting_changes_nothing_shown),
    TEST(test_law_stories_shrink_to_a_conformance_case),
};
TEST_MAIN("law stories", cases)
