/* Why it works: an alias table cuts the unit interval into n columns of equal width, each shared by
 * at most two ranks; a draw picks a column and compares what is left of the random word with the
 * column's threshold.  Since weights do not increase with rank, the columns with too much come
 * first and those with too little last, so one sweep with two fingers fills the table and no work
 * lists are needed: the poor are served from the end by the current rich rank; when that becomes
 * poor itself it is served at once by its successor.
 *
 * Equal weights need no table at all.  Threshold and alias are 32 bits each: an entry is 8 bytes,
 * and rounding a threshold moves at most 2^-33 of a column's width.
 *
 * Scrambled keys are rank * step modulo n with the step near n / golden ratio and coprime to n: any
 * run of hottest ranks is spread nearly evenly over the keys, and the inverse is a product too. */
#include "sim/popularity.h"

#include <math.h>

#include "sim/ensure.h"
#include "sim/pages.h"
#include "sim/prefetch.h"
#include "sim/rng.h"

typedef struct {
    uint32_t threshold; /* of 2^32: below it the column's own index, else alias */
    uint32_t alias;     /* its own index where the column is not shared */
} Column;

struct Popularity {
    const PopularityKind *kind;
    const void *params;
    uint64_t key_count;
    uint64_t kept_count;
    double total; /* weight of all ranks */
    double kept_share;
    Column *columns; /* NULL: all kept are equally likely */
    void *columns_memory;
    uint64_t *ranks; /* of the kept; NULL: all are */
    PopularityOrder order;
    uint64_t step, step_inverse; /* modulo key_count, for scrambled keys */
};

static uint64_t greatest_divisor(uint64_t a, uint64_t b)
{
    while (b != 0) {
        uint64_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

static uint64_t multiply_modulo(uint64_t a, uint64_t b, uint64_t n)
{
    return (uint64_t)((unsigned __int128)a * b % n);
}

/* x with a x = 1 modulo n, by the extended algorithm of Euclid; a and n are coprime. */
static uint64_t inverse_modulo(uint64_t a, uint64_t n)
{
    __int128 old_x = 1, x = 0;
    uint64_t old_rest = a, rest = n;

    while (rest != 0) {
        uint64_t times = old_rest / rest;
        uint64_t next_rest = old_rest - times * rest;
        __int128 next_x = old_x - (__int128)times * x;

        old_rest = rest;
        rest = next_rest;
        old_x = x;
        x = next_x;
    }
    old_x %= (__int128)n;
    return (uint64_t)(old_x < 0 ? old_x + (__int128)n : old_x);
}

static void scramble_prepare(Popularity *popularity)
{
    uint64_t n = popularity->key_count;
    uint64_t step = (uint64_t)((double)n * 0.6180339887498949);

    step = CLAMP(step, 1, n);
    while (greatest_divisor(step, n) != 1)
        step++;
    popularity->step = step % n;
    popularity->step_inverse = n > 1 ? inverse_modulo(step, n) : 0;
}

/* Fills the table from weights scaled to a mean of 1; spoils them. */
static void columns_fill(Column *columns, double *scaled, uint32_t count)
{
    uint32_t rich = 0;

    for (uint32_t poor = count; poor-- > rich + 1 && scaled[poor] < 1.0;) {
        columns[poor] = (Column){(uint32_t)(scaled[poor] * 0x1p32), rich};
        scaled[rich] -= 1.0 - scaled[poor];
        while (scaled[rich] < 1.0 && rich + 1 < poor) {
            columns[rich] = (Column){(uint32_t)(MAX(scaled[rich], 0.0) * 0x1p32), rich + 1};
            scaled[rich + 1] -= 1.0 - scaled[rich];
            rich++;
        }
    }
}

static void table_build(Popularity *popularity, double *weights)
{
    uint64_t count = popularity->kept_count;
    double sum = 0.0, scale;

    ensure(count <= UINT32_MAX);
    for (uint64_t i = 0; i < count; i++)
        sum += weights[i];
    if (count == 0 || sum <= 0.0 || weights[0] <= weights[count - 1])
        return;
    scale = (double)count / sum;
    popularity->columns = pages_alloc(sizeof(Column) * count, &popularity->columns_memory);
    for (uint64_t i = 0; i < count; i++) {
        popularity->columns[i] = (Column){0, (uint32_t)i};
        weights[i] *= scale;
    }
    columns_fill(popularity->columns, weights, (uint32_t)count);
}

static double weight_of(const Popularity *popularity, uint64_t rank)
{
    return popularity->kind->weight(popularity->params, rank, popularity->key_count);
}

static void kept_all(Popularity *popularity)
{
    uint64_t n = popularity->key_count;
    g_autofree double *weights = NULL;

    popularity->kept_count = n;
    popularity->kept_share = n > 0 ? 1.0 : 0.0;
    if (n == 0 || weight_of(popularity, 0) <= weight_of(popularity, n - 1))
        return;
    weights = g_new(double, n);
    for (uint64_t rank = 0; rank < n; rank++)
        weights[rank] = weight_of(popularity, rank);
    table_build(popularity, weights);
}

static void kept_some(Popularity *popularity, const PopularityConfig *config)
{
    g_autoptr(GArray) ranks = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    g_autofree double *weights = NULL;
    double sum = 0.0;

    for (uint64_t rank = 0; rank < config->key_count; rank++)
        if (config->keep(config->context, rank))
            g_array_append_val(ranks, rank);
    popularity->kept_count = ranks->len;
    weights = g_new(double, ranks->len);
    for (guint i = 0; i < ranks->len; i++) {
        weights[i] = weight_of(popularity, g_array_index(ranks, uint64_t, i));
        sum += weights[i];
    }
    popularity->kept_share = popularity->total > 0.0 ? MIN(sum / popularity->total, 1.0) : 0.0;
    popularity->ranks = g_memdup2(ranks->data, ranks->len * sizeof(uint64_t));
    table_build(popularity, weights);
}

Popularity *popularity_new(const PopularityConfig *config)
{
    Popularity *popularity = g_new0(Popularity, 1);

    popularity->kind = &popularity_kind_uniform;
    if (config->choice != NULL && config->choice->head != NULL) {
        /* The head is the record's first member. */
        popularity->kind = (const PopularityKind *)(const void *)config->choice->head;
        popularity->params = config->choice->params;
    }
    popularity->key_count = config->key_count;
    popularity->total = popularity->kind->total(popularity->params, config->key_count);
    if (popularity->kind->order != NULL)
        popularity->order = popularity->kind->order(popularity->params);
    if (popularity->order == POPULARITY_SCRAMBLED && config->key_count > 0)
        scramble_prepare(popularity);
    if (config->keep == NULL)
        kept_all(popularity);
    else
        kept_some(popularity, config);
    return popularity;
}

void popularity_free(Popularity *popularity)
{
    if (popularity == NULL)
        return;
    g_free(popularity->columns_memory);
    g_free(popularity->ranks);
    g_free(popularity);
}

uint64_t popularity_draw(const Popularity *popularity, uint64_t u64)
{
    unsigned __int128 place = (unsigned __int128)u64 * popularity->kept_count;
    uint64_t index = (uint64_t)(place >> 64);
    Column column;
    uint64_t is_own;

    if (popularity->columns == NULL)
        return index;
    column = popularity->columns[index];
    /* What the product leaves below the index is uniform within the column.  A mask instead of a
     * branch, which would be mispredicted half the time. */
    is_own = (uint32_t)((uint64_t)place >> 32) < column.threshold;
    return column.alias ^ ((index ^ column.alias) & -is_own);
}

void popularity_prefetch(const Popularity *popularity, uint64_t u64)
{
    if (popularity->columns != NULL)
        prefetch(&popularity->columns[rng_scale(u64, popularity->kept_count)]);
}

uint64_t popularity_kept_count(const Popularity *popularity)
{
    return popularity->kept_count;
}

uint64_t popularity_rank_of(const Popularity *popularity, uint64_t kept_index)
{
    ensure(kept_index < popularity->kept_count);
    return popularity->ranks != NULL ? popularity->ranks[kept_index] : kept_index;
}

double popularity_share_of(const Popularity *popularity, uint64_t kept_index)
{
    return weight_of(popularity, popularity_rank_of(popularity, kept_index)) / popularity->total;
}

double popularity_kept_share(const Popularity *popularity)
{
    return popularity->kept_share;
}

uint64_t popularity_key_of(const Popularity *popularity, uint64_t rank)
{
    if (popularity->order == POPULARITY_NEWEST)
        return popularity->key_count - 1 - rank;
    if (popularity->order == POPULARITY_SCRAMBLED)
        return multiply_modulo(rank, popularity->step, popularity->key_count);
    return rank;
}

uint64_t popularity_rank_of_key(const Popularity *popularity, uint64_t key)
{
    if (popularity->order == POPULARITY_NEWEST)
        return popularity->key_count - 1 - key;
    if (popularity->order == POPULARITY_SCRAMBLED)
        return multiply_modulo(key, popularity->step_inverse, popularity->key_count);
    return key;
}

#define POPULARITY_HEAD(kind) &popularity_kind_##kind.head,

static const PluginHead *const records[] = {POPULARITY_KINDS(POPULARITY_HEAD)};

const PluginFamily popularity_family = {
    .name = "popularity",
    .noun = "popularity",
    .summary = "which keys of a family are met how often",
    .form = PLUGIN_VERB,
    .records = records,
    .count = G_N_ELEMENTS(records),
};
