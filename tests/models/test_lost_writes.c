/* Lost writes against the definition of A1, and against its closed form. */
#include "models/observe/lost_writes.h"

#include <math.h>
#include <string.h>

#include "models/crdt/body_list.h"
#include "models/crdt/crdt.h"
#include "sim/math.h"
#include "sim/rng.h"
#include "tests/test.h"

static const char *const names[] = {"us", "eu", "asia"};
static const char *const families[] = {"profile", "score"};
static const Phase phases[] = {{"all", 0, SIM_DAY}};

typedef struct {
    Recording *recording;
    LostWrites *lost;
    uint64_t seq[MEMBER_MAX + 1];
} Fixture;

static Fixture fixture_new(void)
{
    Fixture f = {0};

    f.recording = recording_new(
        &(RecordingConfig){.duration_ns = SIM_DAY, .phases = phases, .phase_count = 1, .seed = 1});
    f.lost = lost_writes_new(&(LostWritesConfig){.recording = f.recording,
                                                 .member_names = names,
                                                 .member_count = 3,
                                                 .family_names = families,
                                                 .family_count = 2});
    return f;
}

static void fixture_clear(Fixture *f)
{
    lost_writes_free(f->lost);
    recording_free(f->recording);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Fixture, fixture_clear)

typedef struct {
    uint32_t member;
    SimTime at_ns;
    int64_t ts_ms; /* 0: the true time */
    uint64_t key;
    uint32_t element, count;       /* 0 elements: one */
    uint64_t seen[MEMBER_MAX + 1]; /* of the others */
    uint16_t family;
    uint32_t weight;
    EffectOp op;
    int type;      /* index in CRDT_TYPES */
    uint32_t nth;  /* effect of its command, 0: the first */
    bool deadline; /* no client's: a deadline came due */
    const PayloadWriter *payload;
} Write;

/* Returns the write's seq. */
static uint64_t write_fact(Fixture *f, Write write)
{
    Effect effect = {
        .dot = dot_make(write.member, ++f->seq[write.member]),
        .ts = {write.ts_ms ? write.ts_ms : write.at_ns / SIM_MS},
        .key = write.key,
        .element = write.element,
        .element_count = MAX(write.count, 1),
        .family = write.family,
        .op = (uint8_t)write.op,
        .type = (uint8_t)write.type,
        .value = {.kind = VALUE_SYNTHETIC, .bytes = 100},
        .payload = write.payload ? write.payload->data : NULL,
        .payload_bytes = write.payload ? write.payload->bytes : 0,
    };
    GeoFact fact = {.kind = GEO_WRITE,
                    .member_id = write.member,
                    .at_ns = write.at_ns,
                    .effect = &effect,
                    .weight = MAX(write.weight, 1),
                    .nth = write.deadline ? 0 : MAX(write.nth, 1)};

    memcpy(effect.ctx.seq, write.seen, sizeof effect.ctx.seq);
    effect.ctx.seq[write.member] = f->seq[write.member] - 1;
    lost_writes_hear(lost_writes_ear(f->lost, write.member), &fact);
    return f->seq[write.member];
}

static double lost_of(const Fixture *f, const char *family, const char *member, const char *cause)
{
    Instrument *instrument =
        recording_instrument(f->recording, "data.lost_writes",
                             &(Labels){.family = family, .member = member, .cause = cause});

    return instrument_total(instrument, "all", NULL);
}

static double overwritten(const Fixture *f, const char *member)
{
    return lost_of(f, "profile", member, "overwritten");
}

/* The smallest member wins whatever the clocks say (crdt-semantics.md 8). */
static void test_lost_writes_of_documents_go_by_member(void)
{
    g_auto(Fixture) f = fixture_new();
    Write write = {.op = EFFECT_EDIT, .type = CRDT_JSON, .key = 5};

    write.member = 1;
    write.at_ns = 10 * SIM_MS;
    write_fact(&f, write);
    write.member = 2;
    write.at_ns = 20 * SIM_MS;
    write_fact(&f, write);
    lost_writes_merge(f.lost, SIM_S);
    EXPECT_NEAR(overwritten(&f, "us"), 0, 0);
    EXPECT_NEAR(overwritten(&f, "eu"), 1, 0);
}

/* LSET of the element at index of a list that starts with four. */
static void lset(Fixture *f, uint32_t member, int64_t ts_ms, uint32_t index)
{
    CrdtBody *body = body_list.create();
    PayloadWriter edit = {0}, payload = {0};

    body_list.fill(body, 4, 4);
    list_edit_set(body, index, &edit);
    payload_begin(&payload);
    payload_put_edit(&payload, (PayloadText){(const char *)edit.data, edit.bytes});
    write_fact(f, (Write){.member = member,
                          .at_ns = member * SIM_MS,
                          .ts_ms = ts_ms,
                          .key = 5,
                          .op = EFFECT_EDIT,
                          .type = CRDT_LIST,
                          .payload = &payload});
    payload_clear(&payload);
    payload_clear(&edit);
    body_list.destroy(body);
}

/* Each element is a register of its own: the later clock wins, as of strings. */
static void test_lost_writes_of_list_elements_go_by_element(void)
{
    g_auto(Fixture) f = fixture_new();

    lset(&f, 1, 30, 2);
    lset(&f, 2, 20, 2);
    lset(&f, 3, 40, 1);
    lost_writes_merge(f.lost, SIM_S);
    EXPECT_NEAR(overwritten(&f, "us"), 0, 0);
    EXPECT_NEAR(overwritten(&f, "eu"), 1, 0);
    EXPECT_NEAR(overwritten(&f, "asia"), 0, 0);
}

static void test_lost_writes_count_what_a_successor_had_not_seen(void)
{
    g_auto(Fixture) f = fixture_new();

    write_fact(&f, (Write){.member = 1, .at_ns = 10 * SIM_MS, .key = 5});
    write_fact(&f, (Write){.member = 2, .at_ns = 20 * SIM_MS, .key = 5}); /* has not seen it */
    write_fact(&f, (Write){.member = 3, .at_ns = 30 * SIM_MS, .key = 6}); /* another key */
    lost_writes_merge(f.lost, SIM_S);
    EXPECT_NEAR(overwritten(&f, "us"), 1, 0);
    EXPECT_NEAR(overwritten(&f, "eu"), 0, 0);
    EXPECT_NEAR(overwritten(&f, "asia"), 0, 0);
    EXPECT_NEAR(
        instrument_total(
            recording_instrument(f.recording, "anomaly.A1",
                                 &(Labels){.family = "profile", .member = "us", .anomaly = "A1"}),
            "all", NULL),
        1, 0);
}

static void test_lost_writes_ignore_a_successor_that_knew(void)
{
    g_auto(Fixture) f = fixture_new();

    write_fact(&f, (Write){.member = 1, .at_ns = 10 * SIM_MS, .key = 5});
    write_fact(&f, (Write){.member = 2, .at_ns = 200 * SIM_MS, .key = 5, .seen = {0, 1}});
    write_fact(&f, (Write){.member = 2, .at_ns = 210 * SIM_MS, .key = 5, .seen = {0, 1}});
    lost_writes_merge(f.lost, SIM_S);
    EXPECT_NEAR(overwritten(&f, "us"), 0, 0);
    EXPECT_NEAR(overwritten(&f, "eu"), 0, 0);
}

/* Equal milliseconds: the lower id wins, whichever came first. */
static void test_lost_writes_break_ties_for_the_lower_id(void)
{
    g_auto(Fixture) f = fixture_new();

    write_fact(&f, (Write){.member = 1, .at_ns = 10 * SIM_MS, .key = 5});
    write_fact(&f, (Write){.member = 2, .at_ns = 10 * SIM_MS + 1, .key = 5});
    write_fact(&f, (Write){.member = 3, .at_ns = 20 * SIM_MS, .key = 7});
    write_fact(&f, (Write){.member = 2, .at_ns = 20 * SIM_MS + 1, .key = 7});
    lost_writes_merge(f.lost, SIM_S);
    EXPECT_NEAR(overwritten(&f, "us"), 0, 0);
    EXPECT_NEAR(overwritten(&f, "eu"), 1, 0);
    EXPECT_NEAR(overwritten(&f, "asia"), 1, 0);
}

static void test_lost_writes_follow_the_clock_not_the_time(void)
{
    g_auto(Fixture) f = fixture_new();

    write_fact(&f,
               (Write){.member = 1, .at_ns = 10 * SIM_MS, .ts_ms = 500, .key = 5}); /* fast clock */
    write_fact(&f, (Write){.member = 2, .at_ns = 20 * SIM_MS, .key = 5});
    /* One that saw the fast write wins over it whatever its clock says. */
    write_fact(&f, (Write){.member = 3, .at_ns = 300 * SIM_MS, .key = 5, .seen = {0, 1, 1}});
    lost_writes_merge(f.lost, SIM_S);
    EXPECT_NEAR(overwritten(&f, "eu"), 1, 0);
    EXPECT_NEAR(overwritten(&f, "us"), 0, 0);
    EXPECT_NEAR(overwritten(&f, "asia"), 0, 0);
}

static void test_lost_writes_tell_fields_and_families_apart(void)
{
    g_auto(Fixture) f = fixture_new();

    write_fact(&f, (Write){.member = 1, .at_ns = 10 * SIM_MS, .key = 5, .element = 0, .count = 3});
    write_fact(&f, (Write){.member = 2, .at_ns = 20 * SIM_MS, .key = 5, .element = 2, .weight = 8});
    write_fact(&f, (Write){.member = 2, .at_ns = 30 * SIM_MS, .key = 5, .element = 3});
    write_fact(
        &f,
        (Write){.member = 1, .at_ns = 40 * SIM_MS, .key = 9, .family = 1, .op = EFFECT_INCREMENT});
    write_fact(
        &f,
        (Write){.member = 2, .at_ns = 50 * SIM_MS, .key = 9, .family = 1, .op = EFFECT_INCREMENT});
    lost_writes_merge(f.lost, SIM_S);
    EXPECT_NEAR(overwritten(&f, "us"), 8, 0); /* field 2 alone, weighted */
    EXPECT_NEAR(lost_of(&f, "score", "us", "overwritten"), 0, 0);
}

static void test_lost_writes_at_an_unlink_are_those_nobody_else_knew(void)
{
    g_auto(Fixture) f = fixture_new();
    Clock known[3] = {0};

    for (int i = 0; i < 10; i++)
        write_fact(&f, (Write){.member = 3,
                               .at_ns = (i + 1) * SIM_MS,
                               .key = 5,
                               .family = (uint16_t)(i % 2),
                               .weight = 2});
    lost_writes_merge(f.lost, SIM_S);
    known[2].seq[3] = 10;
    known[0].seq[3] = 4;
    known[1].seq[3] = 6;
    lost_writes_collect(f.lost, known);
    EXPECT_INT(lost_writes_unlink(f.lost, 3, known, 0x3), 8); /* seqs 7 to 10 */
    EXPECT_NEAR(lost_of(&f, "profile", "asia", "unreplicated"), 4, 0);
    EXPECT_NEAR(lost_of(&f, "score", "asia", "unreplicated"), 4, 0);
    EXPECT_INT(lost_writes_unlink(f.lost, 3, known, 0x3), 0); /* not twice */
}

/* A SET with a deadline and a HSET of three fields are one write each; what a deadline deletes is
 * nobody's write.  A command is safe when all its effects are. */
static void test_lost_writes_count_commands_of_clients_only(void)
{
    g_auto(Fixture) f = fixture_new();
    Clock known[3] = {0};

    for (uint32_t n = 1; n <= 2; n++)
        write_fact(&f, (Write){.member = 3,
                               .at_ns = SIM_MS,
                               .nth = n,
                               .op = n == 2 ? EFFECT_EXPIRE : EFFECT_ASSIGN});
    for (uint32_t n = 1; n <= 3; n++)
        write_fact(&f, (Write){.member = 3, .at_ns = 2 * SIM_MS, .element = n, .nth = n});
    write_fact(&f, (Write){.member = 3, .at_ns = 3 * SIM_MS, .op = EFFECT_DELETE});
    for (int i = 0; i < 4; i++)
        write_fact(
            &f, (Write){.member = 3, .at_ns = 4 * SIM_MS, .op = EFFECT_DELETE, .deadline = true});
    lost_writes_merge(f.lost, SIM_S);
    known[0].seq[3] = 2; /* the first command, but of the second nothing */
    EXPECT_INT(lost_writes_unlink(f.lost, 3, known, 0x3), 2);
    EXPECT_NEAR(lost_of(&f, "profile", "asia", "unreplicated"), 2, 0);
}

/* What an outcast acknowledges is lost at once, and is not overwritten by those who never see it;
 * linked again, it counts as before. */
static void test_lost_writes_of_an_outcast_go_on(void)
{
    g_auto(Fixture) f = fixture_new();
    Clock known[3] = {0};

    lost_writes_unlink(f.lost, 3, known, 0x3);
    for (int i = 0; i < 5; i++) {
        write_fact(&f, (Write){.member = 3, .at_ns = (2 * i + 1) * SIM_MS, .key = 5});
        write_fact(
            &f,
            (Write){.member = 1, .at_ns = (2 * i + 2) * SIM_MS, .key = 5, .seen = {0, 0, 0, 0}});
    }
    write_fact(&f, (Write){.member = 3, .at_ns = 20 * SIM_MS, .key = 5, .deadline = true});
    lost_writes_merge(f.lost, SIM_S);
    EXPECT_NEAR(lost_of(&f, "profile", "asia", "unreplicated"), 5, 0);
    EXPECT_NEAR(overwritten(&f, "asia"), 0, 0);
    EXPECT_NEAR(overwritten(&f, "us"), 0, 0);
    known[0].seq[1] = known[1].seq[1] = 5; /* the outcast need not know for them to be safe */
    lost_writes_collect(f.lost, known);
    EXPECT_INT(lost_writes_unlink(f.lost, 1, known, 0x2), 0);
    lost_writes_relink(f.lost, 3);
    write_fact(&f, (Write){.member = 3, .at_ns = 2 * SIM_S, .key = 5});
    lost_writes_merge(f.lost, 3 * SIM_S);
    EXPECT_NEAR(lost_of(&f, "profile", "asia", "unreplicated"), 5, 0);
}

/* Poisson writers on one key of a group with constant delays. */
typedef struct {
    double rates[3]; /* per second */
    int64_t delay_ms[3][3];
    uint64_t keys; /* chosen evenly */
} Group;

typedef struct {
    SimTime at_ns;
    uint32_t member;
} Arrival;

static int compare_arrivals(const void *a, const void *b)
{
    const Arrival *x = a, *y = b;

    if (x->at_ns != y->at_ns)
        return x->at_ns < y->at_ns ? -1 : 1;
    return (int)x->member - (int)y->member;
}

static GArray *draw_arrivals(const Group *group, int64_t seconds)
{
    GArray *arrivals = g_array_new(FALSE, FALSE, sizeof(Arrival));
    Rng rng = rng_stream(4, "arrivals");

    for (uint32_t m = 0; m < 3; m++) {
        double at_s = 0;

        for (;;) {
            Arrival arrival = {.member = m};

            at_s -= sim_log(1 - rng_unit(&rng)) / group->rates[m];
            if (at_s >= (double)seconds)
                break;
            arrival.at_ns = (SimTime)(at_s * 1e9);
            g_array_append_val(arrivals, arrival);
        }
    }
    g_array_sort(arrivals, compare_arrivals);
    return arrivals;
}

/* What member m knows of member o at now: o's arrivals before now minus the delay. */
static uint64_t known_seq(const GArray *arrivals, uint32_t o, SimTime until_ns, uint32_t *cursor,
                          uint64_t seq)
{
    while (*cursor < arrivals->len && g_array_index(arrivals, Arrival, *cursor).at_ns <= until_ns)
        seq += g_array_index(arrivals, Arrival, (*cursor)++).member == o;
    return seq;
}

typedef struct {
    uint32_t cursor[3][3];
    uint64_t seq[3][3];
} Knowledge;

static void learn(Knowledge *known, const Group *group, const GArray *arrivals, uint32_t m,
                  SimTime now_ns)
{
    for (uint32_t o = 0; o < 3; o++)
        known->seq[m][o] = known_seq(arrivals, o, now_ns - group->delay_ms[o][m] * SIM_MS,
                                     &known->cursor[m][o], known->seq[m][o]);
}

static void collect(Fixture *f, Knowledge *known, const Group *group, const GArray *arrivals,
                    SimTime now_ns)
{
    Clock clocks[3] = {0};

    for (uint32_t m = 0; m < 3; m++) {
        learn(known, group, arrivals, m, now_ns);
        for (uint32_t o = 0; o < 3; o++)
            clocks[m].seq[o + 1] = known->seq[m][o];
        clocks[m].seq[m + 1] = f->seq[m + 1];
    }
    lost_writes_collect(f->lost, clocks);
}

/* Merges at every cut_every-th arrival (0: at the end alone), each key for itself; returns the
 * total lost. */
static double lost_in_group(const Group *group, int64_t seconds, uint32_t cut_every, bool collects)
{
    g_auto(Fixture) f = fixture_new();
    g_autoptr(GArray) arrivals = draw_arrivals(group, seconds);
    Knowledge known = {0};
    double total = 0;

    for (uint32_t i = 0; i < arrivals->len; i++) {
        const Arrival *arrival = &g_array_index(arrivals, Arrival, i);
        uint32_t m = arrival->member;
        Write write = {.member = m + 1, .at_ns = arrival->at_ns, .key = rng_mix(i) % group->keys};

        learn(&known, group, arrivals, m, arrival->at_ns);
        for (uint32_t o = 0; o < 3; o++)
            write.seen[o + 1] = known.seq[m][o];
        write_fact(&f, write);
        if (cut_every == 0 || i % cut_every != 0)
            continue;
        lost_writes_merge(f.lost, arrival->at_ns);
        if (collects)
            collect(&f, &known, group, arrivals, arrival->at_ns);
    }
    lost_writes_merge(f.lost, SIM_DAY);
    for (uint32_t m = 0; m < 3; m++)
        total += overwritten(&f, names[m]);
    return total;
}

static const Group mixed_group = {
    .rates = {3, 2, 5},
    .delay_ms = {{0, 85, 200}, {85, 0, 120}, {200, 120, 0}},
    .keys = 1,
};

/* So many keys that some are forgotten while others are in flight. */
static const Group busy_group = {
    .rates = {300, 200, 500},
    .delay_ms = {{0, 85, 200}, {85, 0, 120}, {200, 120, 0}},
    .keys = 2000,
};

/* fit.md 3.2: sum_i l_i sum_{j != i} (l_j / L) (1 - exp(-L d_ij)). */
static double closed_form(const Group *group)
{
    double all = group->rates[0] + group->rates[1] + group->rates[2];
    double rate = 0;

    for (uint32_t i = 0; i < 3; i++)
        for (uint32_t j = 0; j < 3; j++)
            if (i != j)
                rate += group->rates[i] * group->rates[j] / all *
                        (1 - sim_exp(-all * (double)group->delay_ms[i][j] / 1000));
    return rate;
}

static void test_lost_writes_meet_the_closed_form(void)
{
    int64_t seconds = test_count(20000, 200000);
    double expected = closed_form(&mixed_group) * (double)seconds;

    /* The count is a sum of weakly dependent events; three Poisson deviations are generous. */
    EXPECT_NEAR(lost_in_group(&mixed_group, seconds, 1000, true), expected, 3 * sqrt(expected));
}

static void test_lost_writes_do_not_depend_on_cuts_or_collection(void)
{
    double once = lost_in_group(&busy_group, 30, 0, false);

    EXPECT(once > 1000);
    EXPECT_NEAR(lost_in_group(&busy_group, 30, 1, false), once, 0);
    EXPECT_NEAR(lost_in_group(&busy_group, 30, 1, true), once, 0);
    EXPECT_NEAR(lost_in_group(&busy_group, 30, 17, true), once, 0);
    EXPECT_NEAR(lost_in_group(&busy_group, 30, 400, true), once, 0);
}

static void test_lost_writes_remember_only_what_is_in_flight(void)
{
    g_auto(Fixture) f = fixture_new();
    Clock known[3] = {0};

    for (uint32_t i = 1; i <= 100000; i++) {
        write_fact(&f, (Write){.member = 1, .at_ns = i * SIM_MS, .key = i});
        if (i % 100 != 0)
            continue;
        lost_writes_merge(f.lost, i * SIM_MS);
        known[0].seq[1] = i;
        known[1].seq[1] = known[2].seq[1] = i - 100;
        lost_writes_collect(f.lost, known);
        EXPECT(lost_writes_kept_count(f.lost) < 1000);
    }
}

/* Seqs beyond 32 bits, and one who knows less than was known before while that still waits. */
static void test_lost_writes_take_seqs_of_any_size(void)
{
    g_auto(Fixture) f = fixture_new();
    const uint64_t far = UINT64_C(1) << 40;

    f.seq[1] = far;
    write_fact(&f, (Write){.member = 1, .at_ns = 1 * SIM_MS, .key = 5});
    write_fact(&f, (Write){.member = 2, .at_ns = 2 * SIM_MS, .key = 5, .seen = {0, far + 1}});
    write_fact(&f, (Write){.member = 2, .at_ns = 3 * SIM_MS, .key = 6, .seen = {0, far - 7}});
    write_fact(&f, (Write){.member = 2, .at_ns = 4 * SIM_MS, .key = 5, .seen = {0, far}});
    lost_writes_merge(f.lost, 4 * SIM_MS);
    EXPECT_NEAR(overwritten(&f, "us"), 0, 0); /* it had been seen before it was replaced */
    f.seq[2] = 3 * far - 1;
    write_fact(&f, (Write){.member = 2, .at_ns = 5 * SIM_MS, .key = 7, .seen = {0, far + 1}});
    write_fact(&f, (Write){.member = 1, .at_ns = 6 * SIM_MS, .key = 7, .seen = {0, 0, 3 * far}});
    write_fact(&f,
               (Write){.member = 1, .at_ns = 7 * SIM_MS, .key = 8, .seen = {0, 0, 3 * far - 1}});
    write_fact(&f, (Write){.member = 2, .at_ns = 8 * SIM_MS, .key = 8, .seen = {0, far + 2}});
    lost_writes_merge(f.lost, SIM_S);
    EXPECT_NEAR(overwritten(&f, "us"), 1, 0); /* key 8: seq far + 3 */
    EXPECT_NEAR(overwritten(&f, "eu"), 0, 0);
}

/* Of every type somebody has thought, so that no 0 is one that nobody measured. */
static void test_lost_writes_know_what_each_type_overwrites(void)
{
    for (int type = 0; type < CRDT_TYPE_COUNT; type++) {
        bool merges = type == CRDT_SET || type == CRDT_HYPERLOGLOG || type == CRDT_STREAM;

        EXPECT_INT(lost_writes_of_type(type), merges ? OVERWRITES_NOTHING : OVERWRITES_COUNTED);
    }
    EXPECT_INT(lost_writes_of_type(CRDT_TYPE_COUNT), OVERWRITES_NOTHING); /* external */
}

/* A family whose overwrites nobody counts has no such figure, and its unreplicated writes one. */
static void test_lost_writes_that_are_not_counted_have_no_instrument(void)
{
    static const Overwrites overwrites[] = {OVERWRITES_NOT_COUNTED, OVERWRITES_COUNTED};
    g_auto(Fixture) f = {.recording = recording_new(&(RecordingConfig){
                             .duration_ns = SIM_DAY, .phases = phases, .phase_count = 1})};
    uint32_t overwritten_count = 0, unreplicated_count = 0;

    f.lost = lost_writes_new(&(LostWritesConfig){.recording = f.recording,
                                                 .member_names = names,
                                                 .member_count = 3,
                                                 .family_names = families,
                                                 .family_overwrites = overwrites,
                                                 .family_count = 2});
    write_fact(&f, (Write){.member = 1, .at_ns = SIM_MS, .key = 7});
    write_fact(&f, (Write){.member = 2, .at_ns = 2 * SIM_MS, .key = 7});
    lost_writes_merge(f.lost, SIM_S);
    for (uint32_t i = 0; i < recording_instrument_count(f.recording); i++) {
        const Labels *labels = instrument_labels(recording_instrument_at(f.recording, i));

        if (g_strcmp0(labels->family, families[0]) != 0)
            continue;
        overwritten_count +=
            g_strcmp0(labels->cause, "overwritten") == 0 || g_strcmp0(labels->anomaly, "A1") == 0;
        unreplicated_count += g_strcmp0(labels->cause, "unreplicated") == 0;
    }
    EXPECT_INT(overwritten_count, 0);
    EXPECT_INT(unreplicated_count, 3);
}

static const TestCase cases[] = {
    TEST(test_lost_writes_know_what_each_type_overwrites),
    TEST(test_lost_writes_that_are_not_counted_have_no_instrument),
    TEST(test_lost_writes_of_documents_go_by_member),
    TEST(test_lost_writes_of_list_elements_go_by_element),
    TEST(test_lost_writes_count_what_a_successor_had_not_seen),
    TEST(test_lost_writes_ignore_a_successor_that_knew),
    TEST(test_lost_writes_break_ties_for_the_lower_id),
    TEST(test_lost_writes_follow_the_clock_not_the_time),
    TEST(test_lost_writes_tell_fields_and_families_apart),
    TEST(test_lost_writes_at_an_unlink_are_those_nobody_else_knew),
    TEST(test_lost_writes_count_commands_of_clients_only),
    TEST(test_lost_writes_of_an_outcast_go_on),
    TEST(test_lost_writes_meet_the_closed_form),
    TEST(test_lost_writes_do_not_depend_on_cuts_or_collection),
    TEST(test_lost_writes_remember_only_what_is_in_flight),
    TEST(test_lost_writes_take_seqs_of_any_size),
};
TEST_MAIN("lost_writes", cases)
