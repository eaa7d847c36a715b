/* Why it works: the random word is read as a probability, and the unit interval is cut into cells.
 * The middle has 960 of equal width 2^-10; the outer 2^-5 on either side halves from octave to
 * octave down to 2^-24, 32 cells to an octave, so that relative to its distance from the edge no
 * tail cell is wider than 1/32 and a straight line within it is off by 1e-4 at most, also for heavy
 * tails.  Which cell holds a word is found from its top bits, without a search; the bits below are
 * the place within the cell.
 *
 * A cell is a line from base to base + rise.  Where the quantile function jumps inside a cell (a
 * mixture of constants, an empirical distribution), the cell is a step instead: base below the cut,
 * base + rise from it on; a jump between two cells belongs to neither.  So constants and listed
 * values come out exactly, in their exact shares.  Simplified: a cell that holds several jumps, or
 * a jump beside a slope of more than a ninth of it, is a line; at most 2^-10 of the samples then
 * lie where none should. */
#include "sim/dist.h"

#include <math.h>

#include "sim/ensure.h"
#include "sim/prefetch.h"

#define MIDDLE_BITS  10
#define MIDDLE_COUNT 1024 /* cells of the unit interval if all were of middle width */
#define EDGE_COUNT   32   /* of these on either side are replaced by the tail */
#define OCTAVE_BITS  5
#define OCTAVE_CELLS 32
#define LAST_BIT     40 /* 2^40 / 2^64 = 2^-24: the outermost cell is not split further */
#define EDGE_BIT     59 /* 2^59 / 2^64 = 2^-5 */
#define TAIL_CELLS   (1 + (EDGE_BIT - LAST_BIT) * OCTAVE_CELLS)
#define CELL_COUNT   (2 * TAIL_CELLS + MIDDLE_COUNT - 2 * EDGE_COUNT)

typedef struct {
    int64_t base;
    int64_t rise; /* >= 0: a line; < 0: the step numbered -1 - rise */
} Cell;

typedef struct {
    uint64_t cut; /* fraction of the cell, of 2^64 */
    int64_t rise;
} Step;

struct Dist {
    Cell *cells; /* NULL for a constant */
    Step *steps;
    int64_t min, max;
    double mean;
};

/* Where a cell lies, in probability. */
typedef struct {
    double from, to;
} Span;

/* The lower tail's cell for a distance below 2^EDGE_BIT from the edge. */
static uint32_t tail_cell(uint64_t distance, uint64_t *out_fraction)
{
    uint32_t highest, sub;

    if (distance < UINT64_C(1) << LAST_BIT) {
        *out_fraction = distance << (64 - LAST_BIT);
        return 0;
    }
    highest = 63u - (uint32_t)__builtin_clzll(distance);
    sub = (uint32_t)(distance >> (highest - OCTAVE_BITS)) & (OCTAVE_CELLS - 1);
    *out_fraction = distance << (64 - highest + OCTAVE_BITS);
    return 1 + (highest - LAST_BIT) * OCTAVE_CELLS + sub;
}

static inline uint32_t cell_of(uint64_t u64, uint64_t *out_fraction)
{
    uint64_t middle = u64 >> (64 - MIDDLE_BITS);
    uint32_t mirrored;

    if (__builtin_expect(middle - EDGE_COUNT < MIDDLE_COUNT - 2 * EDGE_COUNT, 1)) {
        *out_fraction = u64 << MIDDLE_BITS;
        return (uint32_t)middle - EDGE_COUNT + TAIL_CELLS;
    }
    if (middle < EDGE_COUNT)
        return tail_cell(u64, out_fraction);
    mirrored = tail_cell(~u64, out_fraction);
    *out_fraction = ~*out_fraction;
    return CELL_COUNT - 1 - mirrored;
}

/* Where the lower tail's cell number index begins, of 2^64; index may be TAIL_CELLS. */
static double tail_start(uint32_t index)
{
    uint32_t octave, sub;

    if (index == 0)
        return 0.0;
    octave = (index - 1) / OCTAVE_CELLS;
    sub = (index - 1) % OCTAVE_CELLS;
    return (double)((uint64_t)(OCTAVE_CELLS + sub) << (octave + LAST_BIT - OCTAVE_BITS)) * 0x1p-64;
}

static Span cell_span(uint32_t cell)
{
    uint32_t mirrored = CELL_COUNT - 1 - cell;

    if (cell < TAIL_CELLS)
        return (Span){tail_start(cell), tail_start(cell + 1)};
    if (mirrored < TAIL_CELLS)
        return (Span){1.0 - tail_start(mirrored + 1), 1.0 - tail_start(mirrored)};
    return (Span){(double)(cell - TAIL_CELLS + EDGE_COUNT) / MIDDLE_COUNT,
                  (double)(cell - TAIL_CELLS + EDGE_COUNT + 1) / MIDDLE_COUNT};
}

/* value is within +-DIST_VALUE_MAX. */
static int64_t rounded(double value)
{
    return (int64_t)floor(value + 0.5);
}

typedef struct {
    const DistKind *kind;
    const void *params; /* or what prepare made of them */
    GArray *steps;      /* of Step */
} Builder;

static double quantile_at(const Builder *builder, double p)
{
    double value = builder->kind->quantile(builder->params, p);

    ensure(value == value);
    return CLAMP(value, -(double)DIST_VALUE_MAX, (double)DIST_VALUE_MAX);
}

/* Looks for a jump that makes up nearly all of the cell's rise from low to high, by halving towards
 * the steeper side.  A smooth function shares its rise among the halves and is given up at once. */
static bool jump_find(const Builder *builder, Span span, double low, double high, double *out_at)
{
    double enough = 0.9 * (high - low);
    double from = span.from, to = span.to;

    for (int i = 0; i < 44; i++) {
        double middle = from + 0.5 * (to - from);
        double value = CLAMP(quantile_at(builder, middle), low, high);

        if (high - value >= value - low) {
            from = middle;
            low = value;
        } else {
            to = middle;
            high = value;
        }
        if (high - low < enough)
            return false;
    }
    *out_at = to;
    return true;
}

/* low and high are the quantiles at the ends of span. */
static Cell cell_make(Builder *builder, Span span, double low, double high)
{
    double width = span.to - span.from;
    double after = quantile_at(builder, span.from + 0x1p-20 * width);
    double cut_at;
    Cell cell;

    /* A jump right at the cell's beginning belongs to the cut between it and the one before. */
    if ((after - low) * 0x1p10 > high - low)
        low = after;
    cell = (Cell){.base = rounded(low), .rise = MAX(rounded(high) - rounded(low), 0)};
    if (cell.rise > 2 && jump_find(builder, span, low, high, &cut_at)) {
        Step step = {.rise = cell.rise};

        step.cut = (uint64_t)(MIN((cut_at - span.from) / width, 1.0 - 0x1p-53) * 0x1p64);
        cell.rise = -1 - (int64_t)builder->steps->len;
        g_array_append_val(builder->steps, step);
    }
    return cell;
}

static double cell_mean(const Dist *dist, Cell cell)
{
    if (cell.rise >= 0)
        return (double)cell.base + 0.5 * (double)cell.rise;
    return (double)cell.base + (double)dist->steps[-1 - cell.rise].rise *
                                   (1.0 - (double)dist->steps[-1 - cell.rise].cut * 0x1p-64);
}

static int64_t cell_end(const Dist *dist, Cell cell)
{
    return cell.base + (cell.rise >= 0 ? cell.rise : dist->steps[-1 - cell.rise].rise);
}

/* The outermost cells of an unbounded kind are flat: they stand for the middle of what they hold.
 */
static Span outermost_span(const DistKind *kind, uint32_t cell)
{
    Span span = cell_span(cell);

    if (!kind->is_bounded && (cell == 0 || cell == CELL_COUNT - 1))
        span.from = span.to = 0.5 * (span.from + span.to);
    return span;
}

static void cells_fill(Dist *dist, Builder *builder)
{
    int64_t floor_value = INT64_MIN;
    double low, high = 0.0;

    for (uint32_t i = 0; i < CELL_COUNT; i++) {
        Span span = outermost_span(builder->kind, i);
        bool shares_end = i > 1 && i < CELL_COUNT - 1;

        low = shares_end ? high : quantile_at(builder, span.from);
        high = quantile_at(builder, span.to);
        dist->cells[i] = span.from < span.to ? cell_make(builder, span, low, high)
                                             : (Cell){.base = rounded(high)};
        /* Rounding of steps and ends must not break monotony. */
        dist->cells[i].base = MAX(dist->cells[i].base, floor_value);
        dist->steps = (Step *)(void *)builder->steps->data;
        floor_value = cell_end(dist, dist->cells[i]);
    }
}

Dist *dist_new_constant(int64_t value)
{
    Dist *dist = g_new0(Dist, 1);

    dist->min = dist->max = value;
    dist->mean = (double)value;
    return dist;
}

Dist *dist_new(const PluginChoice *choice)
{
    /* The head is the record's first member. */
    const DistKind *kind = (const DistKind *)(const void *)choice->head;
    g_autofree void *prepared = kind->prepare != NULL ? kind->prepare(choice->params) : NULL;
    Builder builder = {.kind = kind,
                       .params = prepared != NULL ? prepared : choice->params,
                       .steps = g_array_new(FALSE, FALSE, sizeof(Step))};
    Dist *dist = g_new0(Dist, 1);

    dist->cells = g_new0(Cell, CELL_COUNT);
    cells_fill(dist, &builder);
    dist->steps = (Step *)(void *)g_array_free(builder.steps, FALSE);
    dist->min = dist_sample(dist, 0);
    dist->max = dist_sample(dist, UINT64_MAX);
    for (uint32_t i = 0; i < CELL_COUNT; i++) {
        Span span = cell_span(i);

        dist->mean += (span.to - span.from) * cell_mean(dist, dist->cells[i]);
    }
    return dist;
}

void dist_free(Dist *dist)
{
    if (dist == NULL)
        return;
    g_free(dist->cells);
    g_free(dist->steps);
    g_free(dist);
}

static bool steps_equal(const Step *a, const Step *b)
{
    return a->cut == b->cut && a->rise == b->rise;
}

bool dist_equals(const Dist *dist, const Dist *other)
{
    if (dist->min != other->min || dist->max != other->max || dist->mean != other->mean ||
        (dist->cells == NULL) != (other->cells == NULL))
        return false;
    for (uint32_t i = 0; dist->cells != NULL && i < CELL_COUNT; i++) {
        const Cell *a = &dist->cells[i];
        const Cell *b = &other->cells[i];

        if (a->base != b->base || a->rise != b->rise)
            return false;
        if (a->rise < 0 && !steps_equal(&dist->steps[-1 - a->rise], &other->steps[-1 - b->rise]))
            return false;
    }
    return true;
}

void dist_prefetch(const Dist *dist, uint64_t u64)
{
    uint64_t fraction;

    if (dist->cells != NULL)
        prefetch(&dist->cells[cell_of(u64, &fraction)]);
}

int64_t dist_sample(const Dist *dist, uint64_t u64)
{
    uint64_t fraction;
    const Cell *cell;

    if (dist->cells == NULL)
        return dist->min;
    cell = &dist->cells[cell_of(u64, &fraction)];
    if (__builtin_expect(cell->rise < 0, 0)) {
        const Step *step = &dist->steps[-1 - cell->rise];

        return cell->base + (fraction < step->cut ? 0 : step->rise);
    }
    /* Rounded to the nearest: sizes are small numbers, and always rounding down would shift their
     * mean. */
    return cell->base +
           (int64_t)(((unsigned __int128)(uint64_t)cell->rise * fraction + (UINT64_C(1) << 63)) >>
                     64);
}

int64_t dist_min(const Dist *dist)
{
    return dist->min;
}

int64_t dist_max(const Dist *dist)
{
    return dist->max;
}

double dist_mean(const Dist *dist)
{
    return dist->mean;
}

/* A sample at word u stands for the probabilities from u / 2^64 to (u + 1) / 2^64, so the word just
 * below p is the last whose values count towards it. */
int64_t dist_quantile(const Dist *dist, double p)
{
    if (!(p > 0.0))
        return dist->min;
    if (p >= 1.0)
        return dist->max;
    return dist_sample(dist, (uint64_t)ceil(p * 0x1p64) - 1);
}

double dist_cdf(const Dist *dist, int64_t value)
{
    uint32_t first = 0, last = CELL_COUNT; /* cells before first begin at or below value */
    Cell cell;
    Span span;
    double share = 1.0;

    if (value < dist->min)
        return 0.0;
    if (value >= dist->max)
        return 1.0;
    while (first < last) {
        uint32_t middle = first + (last - first) / 2;

        if (dist->cells[middle].base <= value)
            first = middle + 1;
        else
            last = middle;
    }
    cell = dist->cells[first - 1];
    span = cell_span(first - 1);
    if (cell.rise > 0)
        share = MIN(((double)(value - cell.base) + 0.5) / (double)cell.rise, 1.0);
    else if (cell.rise < 0 && value < cell_end(dist, cell))
        share = (double)dist->steps[-1 - cell.rise].cut * 0x1p-64;
    return span.from + (span.to - span.from) * share;
}

#define DIST_TIME_HEAD(kind) &dist_kind_##kind.time.head,
#define DIST_SIZE_HEAD(kind) &dist_kind_##kind.size.head,

static const PluginHead *const time_records[] = {DIST_KINDS(DIST_TIME_HEAD)};
static const PluginHead *const size_records[] = {DIST_KINDS(DIST_SIZE_HEAD)};

const PluginFamily dist_time_family = {
    .name = "distributions",
    .noun = "distribution",
    .summary = "how long something takes; a bare duration is a constant",
    .form = PLUGIN_ONE_KEY,
    .records = time_records,
    .count = G_N_ELEMENTS(time_records),
};

const PluginFamily dist_size_family = {
    .name = "size-distributions",
    .noun = "distribution",
    .summary = "how many bytes something has; a bare size is a constant",
    .form = PLUGIN_ONE_KEY,
    .records = size_records,
    .count = G_N_ELEMENTS(size_records),
};
