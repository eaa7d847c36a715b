/* The bare prototype of the end-to-end benchmark: the same shape and nothing else.
 *
 * Five members far apart, each with 20 000 Poisson operations a second on 10^6 keys by zipf .99.  A
 * key is one 16-byte last-writer-wins cell per member.  Windows are as long as the least link
 * delay; inside one a member merges five ordered streams: its own arrivals and four inbound rings.
 * A write is applied at home, staged for the others, and applied there when it arrives.  Each
 * operation draws a latency and lands in a histogram, each arrival lands in one of lags.
 *
 *     ref_prototype WRITE_PERCENT SIMULATED_S    prints {"ops_per_cpu_s": ...}
 *
 * Self-contained on purpose: it must not become faster or slower with the program it is compared
 * to.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define MEMBER_COUNT   5
#define KEY_COUNT      1000000u
#define RATE_PER_S     20000.0
#define ZIPF_EXPONENT  0.99
#define RING_SIZE      16384u /* in flight on one link: 110 ms at 20 000 a second, with room */
#define QUANTILE_COUNT 4096u
#define AHEAD          8u /* arrivals whose cells are fetched before their turn */
#define WARM_NS        INT64_C(1000000000)
#define NEVER          INT64_MAX

typedef struct {
    int64_t stamp; /* wall time, and the member in the lowest bits */
    uint64_t token;
} Cell;

typedef struct {
    int64_t sent_ns;
    int64_t arrives_ns;
    uint64_t token;
    uint32_t key;
} Effect;

typedef struct {
    Effect *effects;
    uint32_t head, published, tail;
    int64_t delay_ns;        /* the least */
    int64_t last_arrives_ns; /* nothing overtakes */
} Ring;

typedef struct {
    uint64_t count[64 * 32];
} Histogram;

typedef struct {
    uint64_t random[4];
    Cell *cells;
    Ring inbound[MEMBER_COUNT];
    Histogram latency, lag;
    int64_t next_ns;
    uint32_t next_key;
    uint64_t next_word;
    uint64_t op_count;
} Member;

typedef struct {
    uint32_t stay; /* below: this one, else the alias */
    uint32_t other;
} Alias;

static Member members[MEMBER_COUNT];
static Alias alias[KEY_COUNT];
static int64_t latency_ns[QUANTILE_COUNT];
static int64_t jitter_ns[QUANTILE_COUNT];
static double write_share;

static uint64_t rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

/* xoshiro256++ */
static uint64_t draw(uint64_t *s)
{
    uint64_t result = rotl(s[0] + s[3], 23) + s[0];
    uint64_t t = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotl(s[3], 45);
    return result;
}

static double unit(uint64_t word)
{
    return ((double)(word >> 11) + 0.5) * 0x1p-53;
}

static void record(Histogram *histogram, int64_t value)
{
    uint64_t v = (uint64_t)value | 32;
    unsigned shift = 58u - (unsigned)__builtin_clzll(v);

    histogram->count[shift * 32u + (unsigned)(v >> shift)]++;
}

/* Vose 1991: those with less than their share are filled up by those with more. */
static void fill_alias(void)
{
    double *weight = malloc(KEY_COUNT * sizeof(double));
    uint32_t *poor = malloc(KEY_COUNT * sizeof(uint32_t));
    uint32_t *rich = malloc(KEY_COUNT * sizeof(uint32_t));
    uint32_t poor_count = 0;
    uint32_t rich_count = 0;
    double total = 0;

    if (!weight || !poor || !rich)
        exit(3);
    for (uint32_t k = 0; k < KEY_COUNT; k++)
        total += weight[k] = pow(k + 1.0, -ZIPF_EXPONENT);
    for (uint32_t k = 0; k < KEY_COUNT; k++) {
        weight[k] *= KEY_COUNT / total;
        alias[k] = (Alias){UINT32_MAX, k};
        if (weight[k] < 1)
            poor[poor_count++] = k;
        else
            rich[rich_count++] = k;
    }
    while (poor_count > 0 && rich_count > 0) {
        uint32_t p = poor[--poor_count];
        uint32_t r = rich[rich_count - 1];

        alias[p] = (Alias){(uint32_t)(weight[p] * 0x1p32), r};
        weight[r] -= 1 - weight[p];
        if (weight[r] < 1) {
            rich_count--;
            poor[poor_count++] = r;
        }
    }
    free(weight);
    free(poor);
    free(rich);
}

/* Quantiles of a latency of at least 1 ms, 2 ms on average, and of a jitter of 2 ms on average. */
static void fill_quantiles(void)
{
    for (uint32_t i = 0; i < QUANTILE_COUNT; i++) {
        double exponential = -log(1 - (i + 0.5) / QUANTILE_COUNT);

        latency_ns[i] = (int64_t)(1e6 + exponential * 1e6);
        jitter_ns[i] = (int64_t)(exponential * 2e6);
    }
}

static void plan_next(Member *member)
{
    uint64_t word = draw(member->random);
    uint64_t scaled = (word >> 32) * KEY_COUNT;
    uint32_t key = (uint32_t)(scaled >> 32);

    if ((uint32_t)scaled >= alias[key].stay)
        key = alias[key].other;
    member->next_key = key;
    member->next_word = draw(member->random);
    member->next_ns += 1 + (int64_t)(-log(unit(draw(member->random))) * (1e9 / RATE_PER_S));
    __builtin_prefetch(&member->cells[key], 1);
}

static void apply(Cell *cell, int64_t stamp, uint64_t token)
{
    if (stamp > cell->stamp)
        *cell = (Cell){stamp, token};
}

static void ring_send(Ring *ring, int64_t now_ns, const Cell *cell, uint32_t key, uint64_t word)
{
    int64_t arrives_ns = now_ns + ring->delay_ns + jitter_ns[word % QUANTILE_COUNT];

    if (arrives_ns < ring->last_arrives_ns)
        arrives_ns = ring->last_arrives_ns;
    ring->last_arrives_ns = arrives_ns;
    ring->effects[ring->tail++ % RING_SIZE] = (Effect){now_ns, arrives_ns, cell->token, key};
}

static void run_own(Member *member, uint32_t self)
{
    Cell *cell = &member->cells[member->next_key];
    uint64_t word = member->next_word;
    int64_t now_ns = member->next_ns;

    member->op_count++;
    record(&member->latency, latency_ns[word % QUANTILE_COUNT]);
    if (unit(word) >= write_share) {
        member->random[0] ^= cell->token; /* the value read must not be optimised away */
    } else {
        apply(cell, (now_ns << 3) | self, word);
        word = draw(member->random); /* 12 bits for each of the others */
        for (uint32_t to = 0; to < MEMBER_COUNT; to++)
            if (to != self)
                ring_send(&members[to].inbound[self], now_ns, cell, member->next_key,
                          word >> (12 * to));
    }
    plan_next(member);
}

static void run_inbound(Member *member, Ring *ring, uint32_t from)
{
    const Effect *effect = &ring->effects[ring->head++ % RING_SIZE];

    /* Beyond what is published this is an older effect: a fetch in vain, not a wrong one. */
    __builtin_prefetch(&member->cells[ring->effects[(ring->head + AHEAD) % RING_SIZE].key], 1);
    apply(&member->cells[effect->key], (effect->sent_ns << 3) | from, effect->token);
    record(&member->lag, effect->arrives_ns - effect->sent_ns);
}

/* When ring's next effect arrives. */
static int64_t ring_next_ns(const Ring *ring)
{
    return ring->head == ring->published ? NEVER : ring->effects[ring->head % RING_SIZE].arrives_ns;
}

static void run_window(uint32_t self, int64_t end_ns)
{
    Member *member = &members[self];
    int64_t next_ns[MEMBER_COUNT];

    for (uint32_t i = 0; i < MEMBER_COUNT; i++)
        next_ns[i] = i == self ? member->next_ns : ring_next_ns(&member->inbound[i]);
    for (;;) {
        uint32_t least = 0;

        for (uint32_t i = 1; i < MEMBER_COUNT; i++)
            if (next_ns[i] < next_ns[least])
                least = i;
        if (next_ns[least] >= end_ns)
            return;
        if (least == self) {
            run_own(member, self);
            next_ns[self] = member->next_ns;
        } else {
            run_inbound(member, &member->inbound[least], least);
            next_ns[least] = ring_next_ns(&member->inbound[least]);
        }
    }
}

static void run_until(int64_t *now_ns, int64_t until_ns, int64_t window_ns)
{
    while (*now_ns < until_ns) {
        int64_t end_ns = *now_ns + window_ns < until_ns ? *now_ns + window_ns : until_ns;

        for (uint32_t i = 0; i < MEMBER_COUNT; i++)
            run_window(i, end_ns);
        for (uint32_t i = 0; i < MEMBER_COUNT * MEMBER_COUNT; i++) {
            Ring *ring = &members[i / MEMBER_COUNT].inbound[i % MEMBER_COUNT];

            ring->published = ring->tail;
        }
        *now_ns = end_ns;
    }
}

/* Links of 40 to 110 ms; returns the least. */
static int64_t set_up(void)
{
    static const int64_t delay_ms[MEMBER_COUNT][MEMBER_COUNT] = {{0, 40, 62, 85, 110},
                                                                 {40, 0, 48, 73, 97},
                                                                 {62, 48, 0, 55, 80},
                                                                 {85, 73, 55, 0, 66},
                                                                 {110, 97, 80, 66, 0}};

    fill_alias();
    fill_quantiles();
    for (uint32_t i = 0; i < MEMBER_COUNT; i++) {
        Member *member = &members[i];

        member->cells = calloc(KEY_COUNT, sizeof(Cell));
        if (!member->cells)
            exit(3);
        for (uint32_t k = 0; k < KEY_COUNT; k++) /* as after a prefill: every page is there */
            member->cells[k] = (Cell){-1, k};
        for (uint32_t k = 0; k < 4; k++)
            member->random[k] =
                (i + 1) * UINT64_C(0x9e3779b97f4a7c15) + k * UINT64_C(0xd1342543de82ef95);
        for (uint32_t k = 0; k < 64; k++)
            (void)draw(member->random);
        for (uint32_t from = 0; from < MEMBER_COUNT; from++) {
            member->inbound[from].effects = calloc(RING_SIZE, sizeof(Effect));
            member->inbound[from].delay_ns = delay_ms[from][i] * 1000000;
            if (!member->inbound[from].effects)
                exit(3);
        }
        plan_next(member);
    }
    return delay_ms[0][1] * 1000000;
}

static double cpu_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static uint64_t count_ops(void)
{
    uint64_t count = 0;

    for (uint32_t i = 0; i < MEMBER_COUNT; i++)
        count += members[i].op_count;
    return count;
}

int main(int argc, char **argv)
{
    double percent = argc > 1 ? strtod(argv[1], NULL) : 100;
    double simulated_s = argc > 2 ? strtod(argv[2], NULL) : 10;
    int64_t now_ns = 0;
    int64_t window_ns = set_up();
    uint64_t op_count;
    uint64_t digest = 0;
    double begin_s;
    double used_s;

    write_share = percent / 100;
    run_until(&now_ns, WARM_NS, window_ns);
    op_count = count_ops();
    begin_s = cpu_s();
    run_until(&now_ns, WARM_NS + (int64_t)(simulated_s * 1e9), window_ns);
    used_s = cpu_s() - begin_s;
    op_count = count_ops() - op_count;
    for (uint32_t i = 0; i < MEMBER_COUNT * KEY_COUNT; i++)
        digest = rotl(digest, 5) ^ members[i / KEY_COUNT].cells[i % KEY_COUNT].token;
    printf("{\"program\": \"ref_prototype\", \"write_percent\": %.0f, \"ops\": %" PRIu64
           ", \"cpu_s\": %.4f, \"ops_per_cpu_s\": %.0f, \"simulated_s_per_cpu_s\": %.2f, "
           "\"digest\": \"%016" PRIx64 "\"}\n",
           percent, op_count, used_s, (double)op_count / used_s, simulated_s / used_s, digest);
    return 0;
}
