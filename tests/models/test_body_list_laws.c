/* Lists: random histories of members against the formula of crdt-semantics.md 5, computed from the
 * set of effects each time; merges and collections change nothing. */
#include "tests/models/list_fixture.h"

#include "models/crdt/body_list_private.h"
#include "sim/rng.h"

/* The formula, literally: every effect a member has, and the tree they make. */
typedef struct {
    const World *world;
    const Clock *clock;
    GString *text;       /* visible tokens */
    GArray *order;       /* dots of all that have a place, the removed too */
    GArray *visible;     /* dots */
    int64_t value_bytes; /* of the visible */
    int64_t sibling_count;
    uint64_t rank;
} Model;

static Dot dot_in(const Record *record, uint32_t at)
{
    Dot dot;

    memcpy(&dot, record->edit.data + at, sizeof(dot));
    return dot;
}

static char op_of(const Record *record)
{
    if (record->effect.op == EFFECT_DELETE)
        return 'd';
    return " isr"[record->edit.data[0]];
}

#define FOR_EACH_EFFECT(model, record)                                                             \
    for (int r_##record = 1; r_##record <= MEMBER_MAX; r_##record++)                               \
        for (uint64_t n_##record = 1; n_##record <= (model)->clock->seq[r_##record]; n_##record++) \
            for (const Record *record = record_at((model)->world, r_##record, n_##record); record; \
                 record = NULL)

static bool model_is_removed(const Model *model, Dot id)
{
    FOR_EACH_EFFECT(model, record)
    {
        if (op_of(record) == 'd' && clock_covers(&record->effect.ctx, id))
            return true;
        for (uint32_t at = 1; op_of(record) == 'r' && at < record->edit.bytes; at += 8)
            if (dot_in(record, at) == id)
                return true;
    }
    return false;
}

static bool model_is_assign(const Record *record, Dot id)
{
    return record->effect.dot == id || (op_of(record) == 's' && dot_in(record, 1) == id);
}

static const Record *model_winner(Model *model, Dot id)
{
    const Record *winner = NULL;

    FOR_EACH_EFFECT(model, record)
    {
        const Record *assign = record;
        const Effect *own = &record->effect;
        bool covered = false;

        if (!model_is_assign(record, id))
            continue;
        FOR_EACH_EFFECT(model, other)
        {
            covered |= model_is_assign(other, id) && other != assign &&
                       clock_covers(&other->effect.ctx, own->dot);
        }
        if (covered)
            continue;
        model->sibling_count += winner != NULL;
        if (winner == NULL || own->ts.ms > winner->effect.ts.ms)
            winner = record; /* members ascend: the lower one wins a tie */
    }
    return winner;
}

static void model_walk(Model *model, Dot id, const Record *node);

/* Members ascend and seqs ascend: the order of siblings. */
static void model_walk_children(Model *model, Dot parent, uint8_t side)
{
    FOR_EACH_EFFECT(model, record)
    {
        if (op_of(record) == 'i' && dot_in(record, 2) == parent && record->edit.data[1] == side)
            model_walk(model, record->effect.dot, record);
    }
}

static void model_walk(Model *model, Dot id, const Record *node)
{
    model_walk_children(model, id, 0);
    if (node != NULL)
        g_array_append_val(model->order, id);
    if (node != NULL && !model_is_removed(model, id)) {
        const Effect *winner = &model_winner(model, id)->effect;
        uint64_t rank = (uint64_t)dot_member(id) << 60 | dot_seq(id);

        g_array_append_val(model->visible, id);
        g_string_append_printf(model->text, "%" G_GUINT64_FORMAT " ", token_of(winner->value));
        model->value_bytes += winner->value.bytes;
        model->rank = MIN(model->rank, rank);
    }
    model_walk_children(model, id, 1);
}

static Model model_of(const World *world, const Clock *clock)
{
    Model model = {.world = world, .clock = clock, .rank = UINT64_MAX};

    model.text = g_string_new(NULL);
    model.order = g_array_new(FALSE, FALSE, sizeof(Dot));
    model.visible = g_array_new(FALSE, FALSE, sizeof(Dot));
    model_walk(&model, 0, NULL);
    return model;
}

static void model_end(Model *model)
{
    g_string_free(model->text, TRUE);
    g_array_free(model->order, TRUE);
    g_array_free(model->visible, TRUE);
}

static guint model_at(const Model *model, Dot id)
{
    guint at = 0;

    while (g_array_index(model->order, Dot, at) != id)
        at++;
    return at;
}

/* Where an insertion at a visible index would land, had nobody ever dropped anything: behind its
 * left neighbour and before the next one, whatever is removed between them. */
static void model_expect_anchor(const Model *model, const CrdtBody *body, uint32_t index)
{
    Dot left = index > 0 ? g_array_index(model->visible, Dot, index - 1) : 0;
    PayloadWriter edit = {0};
    Dot parent;
    bool is_removed;

    list_edit_insert(body, index, &edit);
    memcpy(&parent, edit.data + 2, sizeof(parent));
    is_removed = parent != 0 && parent != left && model_is_removed(model, parent);
    EXPECT(edit.data[1] == 0 ? parent != left : parent == left);
    for (guint at = left != 0 ? model_at(model, left) + 1 : 0; edit.data[1] == 0; at++) {
        Dot next = g_array_index(model->order, Dot, at);

        if (next == parent)
            break;
        EXPECT(model_is_removed(model, next));
    }
    if (is_removed) /* who names it has not retired it: all of it is still here */
        EXPECT(body_list.summary(body).tombstone_count > 0);
    payload_clear(&edit);
}

/* false: something differs, and a line on stderr says where. */
static bool site_equals_model(const World *world, const Site *site, Rng *rng)
{
    const CrdtBody *body = site->body;
    Model model = model_of(world, &site->causality.clock);
    g_autofree char *text = text_of(body);
    BodySummary summary = body_list.summary(body);
    unsigned failures = CU_get_number_of_failures();
    uint32_t count = list_count(body);

    EXPECT_TEXT(text, model.text->str);
    EXPECT_INT(summary.element_count, model.visible->len);
    EXPECT_INT(summary.value_bytes, model.value_bytes);
    EXPECT_INT(summary.sibling_count, model.sibling_count);
    EXPECT(body_list.oldest_rank(body) == model.rank);
    EXPECT(body_list.is_present(body) == (model.visible->len > 0));
    for (uint32_t i = 0; i < count && count == model.visible->len; i++)
        EXPECT(list_id_at(body, i) == g_array_index(model.visible, Dot, i));
    if (count == model.visible->len)
        model_expect_anchor(&model, body, (uint32_t)rng_below(rng, count + 1));
    model_end(&model);
    return CU_get_number_of_failures() == failures;
}

/* A body that heard the same effects, origins interleaved at random, and never a collection. */
static void expect_same_in_any_order(const World *world, const Site *site, Rng *rng)
{
    Site other;
    BodySummary a;
    BodySummary b;
    uint64_t left = 0;

    site_begin(&other);
    for (int m = 1; m <= MEMBER_MAX; m++)
        left += site->causality.clock.seq[m];
    while (left > 0) {
        int origin = 1 + (int)rng_below(rng, MEMBER_MAX);
        uint64_t seq = other.causality.clock.seq[origin] + 1;

        if (seq > site->causality.clock.seq[origin])
            continue;
        site_apply(&other, record_at(world, origin, seq));
        left--;
    }
    a = body_list.summary(site->body);
    b = body_list.summary(other.body);
    EXPECT(digest_of(other.body) == digest_of(site->body));
    EXPECT_INT(a.header_count - a.tombstone_count, b.header_count - b.tombstone_count);
    EXPECT(a.tombstone_count <= b.tombstone_count);
    site_end(&other);
}

static void merge_three(Site *out, const World *world, const int order[3])
{
    site_begin(out);
    for (int i = 0; i < 3; i++)
        site_merge(out, &world->sites[order[i]]);
}

static void expect_merge_laws(const World *world)
{
    Site a;
    Site b;
    Site pair;
    Site single;
    uint64_t before;

    merge_three(&a, world, (const int[]){1, 2, 3});
    merge_three(&b, world, (const int[]){3, 1, 2});
    EXPECT(digest_of(a.body) == digest_of(b.body)); /* any order */
    before = digest_of(a.body);
    site_merge(&a, &b);
    site_merge(&a, &world->sites[2]);
    EXPECT(digest_of(a.body) == before); /* again: nothing */
    site_begin(&pair);
    site_merge(&pair, &world->sites[2]);
    site_merge(&pair, &world->sites[3]);
    site_begin(&single);
    site_merge(&single, &world->sites[1]);
    site_merge(&single, &pair);
    EXPECT(digest_of(single.body) == before); /* grouped otherwise */
    site_end(&a);
    site_end(&b);
    site_end(&pair);
    site_end(&single);
}

/* short: few elements are there at a time. */
static void random_edit(World *world, Rng *rng, int member, bool is_short)
{
    uint32_t count = list_count(world->sites[member].body);
    uint64_t dice = rng_below(rng, 100);
    uint64_t token = 1 + rng_below(rng, 999);

    if (dice < (is_short ? 1 : 4)) {
        do_delete(world, member);
    } else if (dice < 50 || count == 0) {
        uint32_t index = (uint32_t)rng_below(rng, count + 1);

        if (dice < 25)
            index = dice < 15 ? 0 : count;
        do_insert(world, member, index, token);
    } else if (dice < (is_short ? 55 : 75)) {
        do_set(world, member, (uint32_t)rng_below(rng, count), token, (int64_t)rng_below(rng, 4));
    } else {
        uint32_t from = (uint32_t)rng_below(rng, count);

        do_remove(world, member, from, 1 + (uint32_t)rng_below(rng, MIN(3, count - from)));
    }
}

/* Whether any removal of id that the site has is still unknown to some member. */
static bool model_is_held(const Model *model, Dot id, const Clock *stable)
{
    bool held = false;

    FOR_EACH_EFFECT(model, record)
    {
        bool removes = op_of(record) == 'd' && clock_covers(&record->effect.ctx, id);

        for (uint32_t at = 1; op_of(record) == 'r' && at < record->edit.bytes; at += 8)
            removes |= dot_in(record, at) == id;
        held |= removes && !clock_covers(stable, record->effect.dot);
    }
    return held;
}

/* Tombstones that all have observed are off the books.  Where an element itself has not come to
 * all, it may keep others waiting: those sites are not asked. */
static void expect_collected(const World *world, const Site *site)
{
    Model model = model_of(world, &site->causality.clock);
    BodySummary summary = body_list.summary(site->body);
    bool waits = summary.header_count > summary.element_count + summary.tombstone_count;
    int64_t held = 0;

    FOR_EACH_EFFECT(&model, record)
    {
        Dot id = record->effect.dot;

        if (op_of(record) == 'i' && model_is_removed(&model, id)) {
            held += model_is_held(&model, id, &site->retired);
            waits |= !clock_covers(&site->retired, id);
        }
        if (op_of(record) == 'i')
            waits |= !clock_covers(model.clock, dot_in(record, 2));
        if (op_of(record) == 's')
            waits |= !clock_covers(model.clock, dot_in(record, 1));
        for (uint32_t at = 1; op_of(record) == 'r' && at < record->edit.bytes; at += 8)
            waits |= !clock_covers(model.clock, dot_in(record, at));
    }
    EXPECT(waits || summary.tombstone_count <= held);
    model_end(&model);
}

static int random_member(const World *world, Rng *rng)
{
    return 1 + (int)rng_below(rng, (uint64_t)world->member_count);
}

/* Reports, collections and drops at one member, whenever it likes. */
static void random_housekeeping(World *world, Rng *rng, int member)
{
    uint64_t dice = rng_below(rng, 5);

    if (dice < 2) {
        site_report(world, member);
        return;
    }
    site_hear_reports(world, member);
    if (dice == 2) {
        site_drop(world, member);
        return;
    }
    site_collect(world, member);
    expect_collected(world, &world->sites[member]);
}

/* Nothing is left of what all have seen removed; of the rest no more than its own number. */
static void expect_all_dropped(World *world)
{
    deliver_all(world);
    world_collect(world);
    for (int m = 1; m <= world->member_count; m++) {
        const CrdtBody *body = world->sites[m].body;

        EXPECT_INT(body_list.summary(body).tombstone_count, 0);
        EXPECT(body->sequence.removed_count <= list_count(body));
        EXPECT(digest_of(body) == digest_of(world->sites[1].body));
    }
    if (list_count(world->sites[1].body) > 0) {
        do_remove(world, 1, 0, list_count(world->sites[1].body));
        deliver_all(world);
        world_collect(world);
    }
    for (int m = 1; m <= world->member_count; m++)
        EXPECT(body_list.is_empty(world->sites[m].body, &world->sites[m].causality));
}

/* Of 100 steps; the rest of them exchange effects. */
typedef struct {
    uint64_t edits, housekeeping, merges, everywhere;
    bool is_short;
} Mix;

static void random_step(World *world, Rng *rng, const Mix *mix, int m)
{
    int other = random_member(world, rng);
    uint64_t dice = rng_below(rng, 100);

    if (dice < mix->edits)
        random_edit(world, rng, m, mix->is_short);
    else if ((dice -= mix->edits) < mix->housekeeping)
        random_housekeeping(world, rng, m);
    else if ((dice -= mix->housekeeping) < mix->merges)
        site_merge(&world->sites[m], &world->sites[other]);
    else if ((dice -= mix->merges) < mix->everywhere)
        world_collect(world);
    else if (dice == mix->everywhere)
        expect_merge_laws(world);
    else
        deliver(world, m, other, 1 + rng_below(rng, 4));
}

static bool random_history(uint64_t seed, int step_count)
{
    static const Mix mixes[] = {{.edits = 45, .housekeeping = 9, .merges = 4, .everywhere = 3},
                                {.edits = 20, .housekeeping = 40, .merges = 4, .is_short = true},
                                {.edits = 15, .housekeeping = 40, .merges = 15, .is_short = true}};
    const Mix *mix = &mixes[seed % G_N_ELEMENTS(mixes)];
    Rng rng = rng_stream(seed, "list");
    World world;
    bool fine = true;

    world_begin(&world, 2 + (int)rng_below(&rng, 4));
    for (int step = 0; step < step_count && fine; step++) {
        int m = random_member(&world, &rng);

        random_step(&world, &rng, mix, m);
        fine = site_equals_model(&world, &world.sites[m], &rng);
        if (step % 8 == 0)
            expect_same_in_any_order(&world, &world.sites[m], &rng);
    }
    expect_all_dropped(&world);
    world_end(&world);
    return fine;
}

static void test_list_equals_the_formula_in_random_histories(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(600, 6000); seed++) {
        unsigned failures = CU_get_number_of_failures();

        random_history(seed, 20 + (int)(seed % 250));
        if (CU_get_number_of_failures() != failures) {
            g_printerr("list: random history of seed %" G_GUINT64_FORMAT "\n", seed);
            return;
        }
    }
}

static const TestCase cases[] = {
    TEST(test_list_equals_the_formula_in_random_histories),
};
TEST_MAIN("body_list_laws", cases)
