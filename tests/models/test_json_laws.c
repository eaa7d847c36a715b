/* Laws of JSON documents over random histories: what each member shows is the slow model's text of
 * the effects it has, in whatever order they came, merged or applied, collected or not. */
#include "tests/models/json_fixture.h"
#include "tests/models/json_model.h"

#include "sim/ensure.h"
#include "sim/rng.h"

/* The text of the effects that clock covers. */
static char *expected(const World *w, const Clock *clock)
{
    Model *model = model_new();
    char *text;

    for (uint32_t m = 1; m <= w->members; m++)
        for (uint64_t i = 1; i <= clock->seq[m]; i++)
            model_add(model, &w->log[m][i].effect, written(&w->log[m][i].edit));
    text = model_shown(model);
    model_free(model);
    return text;
}

static uint64_t digest_of(const CrdtBody *body)
{
    Digest digest = digest_begin();

    body_json.digest(body, &digest);
    return digest.value;
}

static void copy_causality(Causality *out, const Causality *from)
{
    Causality none;

    causality_init(&none);
    causality_init(out);
    causality_join(out, &none, from);
}

static void member_copy(Member *out, const Member *from)
{
    Causality none;
    BodyMerge merge = {&none, &from->causality, &out->causality};

    causality_init(&none);
    copy_causality(&out->causality, &from->causality);
    out->body = body_json.create();
    body_json.merge(&merge, out->body, from->body);
}

static void member_drop(Member *member)
{
    body_json.destroy(member->body);
    causality_clear(&member->causality);
}

/* into learns all that from knows. */
static void member_merge(Member *into, const Member *from)
{
    Causality joined;
    BodyMerge merge = {&into->causality, &from->causality, &joined};

    causality_init(&joined);
    causality_join(&joined, &into->causality, &from->causality);
    body_json.merge(&merge, into->body, from->body);
    causality_clear(&into->causality);
    into->causality = joined;
}

static const char *const contents[] = {
    "1",       "\"s\"",  "{}",         "[]",   "{\"a\":1,\"b\":[2,{\"a\":3}]}",
    "[1,2,3]", "[[],5]", "{\"a\":{}}", "true", "{\"b\":4}",
};

static void content_draw(Rng *rng, PayloadWriter *out)
{
    g_autoptr(GString) message = g_string_new(NULL);
    const char *text = contents[rng_below(rng, G_N_ELEMENTS(contents))];

    EXPECT_FATAL(content_parse(text_of(text), out, message));
}

/* A random edit of one random visible container. */
static void draw_inside(Rng *rng, const JsonHeld *held, PayloadWriter *edit)
{
    Content head = json_view_head(held);
    PayloadWriter content = {0};
    uint64_t dice = rng_below(rng, 10);

    content_draw(rng, &content);
    if (head.kind == CONTENT_ARRAY && dice < 5) {
        json_edit_insert(held, (uint32_t)rng_below(rng, head.count + 1u), 1, written(&content),
                         edit);
    } else if (head.kind == CONTENT_ARRAY && dice < 8 && head.count > 0) {
        uint32_t from = (uint32_t)rng_below(rng, head.count);

        json_edit_remove_elements(held, from, from + 1, edit);
    } else {
        json_edit_assign(held, written(&content), edit);
    }
    payload_clear(&content);
}

/* A key set or deleted somewhere. */
static void draw_by_path(Rng *rng, const CrdtBody *body, PayloadWriter *edit, bool *deletes)
{
    static const char *const paths[] = {"$.a", "$.b", "$..a", "$.a.b", "$.*.a", "$[0]", "$..b[0]"};
    const char *text = paths[rng_below(rng, G_N_ELEMENTS(paths))];
    g_autoptr(JsonPath) path = json_path_parse(text_of(text));
    PayloadWriter content = {0};

    content_draw(rng, &content);
    switch (rng_below(rng, 5)) {
    case 0:
        json_edit_del(body, path, edit, deletes);
        break;
    case 1:
        json_edit_merge(body, path, written(&content), edit, deletes);
        break;
    case 2:
        json_edit_clear(body, path, edit);
        break;
    default:
        if (json_edit_set(body, path, written(&content), JSON_SET_ANY, edit) != JSON_EDIT_DONE)
            edit->bytes = 0;
        break;
    }
    payload_clear(&content);
}

static void draw_edit(Rng *rng, World *w, uint32_t m)
{
    const JsonHeld *root = json_view_root(w->member[m].body);
    g_autoptr(JsonPath) all = json_path_parse(text_of("$..*"));
    g_autoptr(JsonPath) top = json_path_parse(text_of("$"));
    g_autoptr(GPtrArray) values = g_ptr_array_new();
    PayloadWriter edit = {0}, content = {0};
    bool deletes = false;
    uint64_t dice = rng_below(rng, 40);

    w->now_ms += (int64_t)rng_below(rng, 3) - 1;
    if (!root || dice == 0) {
        content_draw(rng, &content);
        json_edit_set(w->member[m].body, top, written(&content), JSON_SET_ANY, &edit);
        payload_clear(&content);
    } else if (dice == 1) {
        deletes = true;
    } else if (dice < 14) {
        draw_by_path(rng, w->member[m].body, &edit, &deletes);
    } else {
        g_ptr_array_add(values, (gpointer)root);
        json_path_find(all, root, values);
        draw_inside(rng, g_ptr_array_index(values, rng_below(rng, values->len)), &edit);
    }
    if (deletes || edit.bytes > 0)
        local(w, m, deletes ? EFFECT_DELETE : EFFECT_EDIT, &edit);
    payload_clear(&edit);
}

/* Elements of one array come and go, close together. */
static void draw_array_edit(Rng *rng, World *w, uint32_t m)
{
    const JsonHeld *root = json_view_root(w->member[m].body);
    PayloadWriter edit = {0}, content = {0};
    uint32_t count;

    if (!root)
        return;
    count = json_view_head(root).count;
    if (count > 0 && rng_below(rng, 9) < (count > 3 ? 6 : 4)) {
        uint32_t from = (uint32_t)rng_below(rng, count);
        uint32_t more = (uint32_t)rng_below(rng, 3);

        json_edit_remove_elements(root, from, MIN(count, from + 1 + more), &edit);
    } else {
        content_put(&content, &(Content){.kind = CONTENT_INTEGER,
                                         .integer = (int64_t)(m * 100 + w->counts[m])});
        json_edit_insert(root, (uint32_t)rng_below(rng, count + 1u), 1, written(&content), &edit);
    }
    local(w, m, EFFECT_EDIT, &edit);
    payload_clear(&content);
}

/* Heartbeats travel behind their member's effects. */
static void learn_known(World *w, uint32_t m)
{
    for (uint32_t k = 1; k <= w->members; k++)
        if (w->member[m].causality.clock.seq[k] == w->counts[k]) {
            w->member[m].known[k] = w->member[k].causality.clock;
            w->member[m].settled[k] = w->member[k].retired;
        }
}

static void collect(World *w, uint32_t m)
{
    Clock stable;

    learn_known(w, m);
    stable = w->member[m].causality.clock;
    for (uint32_t k = 1; k <= w->members; k++)
        if (k != m)
            clock_meet(&stable, &w->member[m].known[k]);
    body_json.collect(w->member[m].body, &stable);
    clock_join(&w->member[m].retired, &stable);
}

static void drop(World *w, uint32_t m)
{
    Clock cut = w->member[m].retired;

    learn_known(w, m);
    for (uint32_t k = 1; k <= w->members; k++)
        if (k != m)
            clock_meet(&cut, &w->member[m].settled[k]);
    (void)body_json.drop(w->member[m].body, &cut);
}

typedef struct {
    int64_t siblings, tombstones;
} Books;

static int64_t nodes_of(const JsonSlot *slot, Books *books);

static int64_t nodes_in(const JsonContainer *container, Books *books)
{
    int64_t nodes = 0;

    if (container->is_array) {
        for (uint32_t at = SEQUENCE_ROOT + 1; at < container->sequence.count; at++) {
            const JsonElement *element = json_element_at(container, at);

            nodes += element ? nodes_of(&element->slot, books) : 0;
            if (sequence_node_is(&container->sequence.nodes[at], NODE_REMOVED))
                books->tombstones +=
                    !sequence_node_is(&container->sequence.nodes[at], NODE_RETIRED);
        }
        return nodes;
    }
    for (GTreeNode *at = g_tree_node_first(container->members); at; at = g_tree_node_next(at))
        nodes += nodes_of(&((const JsonMember *)g_tree_node_value(at))->slot, books);
    return nodes;
}

static int64_t nodes_of(const JsonSlot *slot, Books *books)
{
    int64_t nodes = 0;

    ensure(slot);
    for (const JsonHeld *held = slot->held; held; held = held->next) {
        nodes += 1 + (held->container ? nodes_in(held->container, books) : 0);
        books->siblings += held != slot->held;
    }
    return nodes;
}

/* The books say what is there. */
static void expect_books(const CrdtBody *body)
{
    BodySummary summary = body_json.summary(body);
    Books books = {0};
    int64_t nodes = nodes_of(&body->root, &books);

    for (uint32_t i = 0; i < body->orphans->len; i++)
        nodes += nodes_in(g_ptr_array_index(body->orphans, i), &books);
    EXPECT_INT(summary.element_count, nodes);
    EXPECT_INT(summary.sibling_count, books.siblings);
    EXPECT_INT(summary.tombstone_count, books.tombstones);
    EXPECT_INT(summary.header_count, nodes + books.tombstones);
}

static bool is_as_expected(const World *w, const Member *member)
{
    g_autofree char *text = shown(member->body);
    g_autofree char *wanted = expected(w, &member->causality.clock);

    EXPECT_TEXT(text, wanted);
    expect_books(member->body);
    return strcmp(text, wanted) == 0;
}

/* Any grouping and order of merges gives one state; merging again changes nothing. */
static void expect_merge_laws(const World *w, Rng *rng)
{
    uint32_t a = 1 + (uint32_t)rng_below(rng, w->members);
    uint32_t b = 1 + (uint32_t)rng_below(rng, w->members);
    uint32_t c = 1 + (uint32_t)rng_below(rng, w->members);
    Member left, right, inner;
    uint64_t digest;

    member_copy(&left, &w->member[a]);
    EXPECT(digest_of(left.body) == digest_of(w->member[a].body));
    member_merge(&left, &w->member[b]);
    member_merge(&left, &w->member[c]);
    member_copy(&inner, &w->member[c]);
    member_merge(&inner, &w->member[b]);
    member_copy(&right, &w->member[a]);
    member_merge(&right, &inner);
    is_as_expected(w, &left);
    digest = digest_of(left.body);
    EXPECT(digest == digest_of(right.body));
    member_merge(&inner, &w->member[a]);
    EXPECT(digest == digest_of(inner.body));
    member_merge(&left, &w->member[b]);
    EXPECT(digest == digest_of(left.body));
    member_drop(&left);
    member_drop(&right);
    member_drop(&inner);
}

static bool step(World *w, Rng *rng, bool is_array, bool *edits_left)
{
    uint32_t m = 1 + (uint32_t)rng_below(rng, w->members);
    uint32_t k = 1 + (uint32_t)rng_below(rng, w->members);
    uint64_t dice = rng_below(rng, 20);

    if (dice < 7 && *edits_left) {
        if (is_array)
            draw_array_edit(rng, w, m);
        else
            draw_edit(rng, w, m);
        *edits_left = w->counts[m] < 25;
    } else if (dice < 17) {
        for (uint64_t i = rng_below(rng, 4); i > 0; i--)
            deliver(w, k, m);
    } else if (dice == 17 && k != m) {
        member_merge(&w->member[m], &w->member[k]);
    } else if (dice == 18) {
        collect(w, m);
    } else {
        drop(w, m);
    }
    return is_as_expected(w, &w->member[m]);
}

static void run_history(uint64_t seed, bool is_array)
{
    Rng rng = rng_stream(seed, "test/json/laws");
    World *w = world_new(2 + (uint32_t)rng_below(&rng, 4));
    bool edits_left = true, is_good = true;
    uint64_t digest;

    if (is_array)
        set(w, 1, "$", "[1,2,3]");
    for (int i = 0; i < 70 && is_good; i++) {
        is_good = step(w, &rng, is_array, &edits_left);
        if (i % 10 == 9)
            expect_merge_laws(w, &rng);
    }
    sync_all(w);
    digest = digest_of(w->member[1].body);
    for (uint32_t m = 1; m <= w->members; m++) {
        is_good = is_good && is_as_expected(w, &w->member[m]);
        collect(w, m);
    }
    for (uint32_t m = 1; m <= w->members; m++) {
        drop(w, m);
        is_good = is_good && digest_of(w->member[m].body) == digest;
        EXPECT_INT(w->member[m].body->aheads->len, 0);
        EXPECT_INT(w->member[m].body->orphans->len, 0);
        if (!body_json.is_present(w->member[m].body))
            EXPECT(body_json.is_empty(w->member[m].body, &w->member[m].causality));
    }
    EXPECT(is_good);
    if (!is_good)
        g_printerr("%s history of seed %" G_GUINT64_FORMAT "\n", is_array ? "array" : "any", seed);
    world_free(w);
}

static void test_json_any_order_merge_and_collection_show_the_same(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(400, 20000); seed++)
        run_history(seed, false);
}

static void test_json_array_order_survives_collection(void)
{
    for (uint64_t seed = 1; seed <= (uint64_t)test_count(600, 20000); seed++)
        run_history(seed, true);
}

/* A state brings one of the two removals, and the clock that covers both: what others retire by the
 * one they keep, nothing may be hung on any more. */
static void test_json_element_removed_twice_is_named_no_more_where_a_state_brings_it(void)
{
    World *w = world_new(3);
    const Sequence *sequence;

    set(w, 1, "$", "[1]");
    sync_all(w);
    pop(w, 1, "$", 0);
    pop(w, 2, "$", 0);
    deliver(w, 2, 1);
    member_merge(&w->member[3], &w->member[1]);
    insert(w, 3, "$", 0, "2");
    sequence = &at(w, 3, "$")->container->sequence;
    EXPECT_INT(sequence->nodes[sequence_at(sequence, 0)].parent, SEQUENCE_ROOT);
    sync_all(w);
    for (uint32_t m = 1; m <= 3; m++)
        expect_shown(w, m, "[2]");
    world_free(w);
}

static const TestCase cases[] = {
    TEST(test_json_any_order_merge_and_collection_show_the_same),
    TEST(test_json_array_order_survives_collection),
    TEST(test_json_element_removed_twice_is_named_no_more_where_a_state_brings_it),
};
TEST_MAIN("json_laws", cases)
