/* Why it works: Lindley's recursion visits the stationary distribution of the wait whatever the
 * service times are; sorted visits are its quantiles.  A run of a few ten thousand steps has a
 * noisy mean at high load, but the mean is known exactly (Pollaczek-Khinchine), so the row is
 * scaled to it and only its shape is sampled.
 */
#include "models/geo/wait_table.h"

#include <stdlib.h>

#include "sim/ensure.h"
#include "sim/math.h"
#include "sim/rng.h"

#define ROW_COUNT 21  /* loads 0, 5 %, ... 95 %, 98 % */
#define QUANTILES 512 /* cells of equal probability: each holds its mean */
#define STEPS     (QUANTILES * 32)
#define WARM_UP   (STEPS / 8)
#define LOAD_LAST 0.98

struct WaitTable {
    double quantile[ROW_COUNT][QUANTILES];
};

static double load_of(int row)
{
    return row == ROW_COUNT - 1 ? LOAD_LAST : 0.05 * row;
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

typedef struct {
    const double *costs;
    const double *shares;
    uint32_t count;
    double total; /* of the shares */
    double mean;
    double square; /* E S^2 / (E S)^2 */
} Services;

static double service_draw(const Services *services, double unit)
{
    uint32_t i = 0;

    unit *= services->total;
    while (i + 1 < services->count && unit >= services->shares[i]) {
        unit -= services->shares[i];
        i++;
    }
    return services->costs[i] / services->mean;
}

/* The same customers for every row: only how close they follow each other changes with the load. */
typedef struct {
    double gap[STEPS + WARM_UP]; /* at load 1 */
    double service[STEPS + WARM_UP];
    double wait[STEPS];
} Customers;

static void customers_draw(Customers *customers, const Services *services)
{
    Rng rng = rng_stream(0, "wait-table");

    for (int i = 0; i < STEPS + WARM_UP; i++) {
        customers->gap[i] = -sim_log(1 - rng_unit(&rng));
        customers->service[i] = service_draw(services, rng_unit(&rng));
    }
}

static void row_fill(double *row, double load, const Services *services, Customers *customers)
{
    double *scratch = customers->wait;
    double mean = load * services->square / (2 * (1 - load));
    double wait = mean;
    double sum = 0;
    double scale;

    for (int i = 0; i < STEPS + WARM_UP; i++) {
        wait += customers->service[i] - customers->gap[i] / load;
        if (wait < 0)
            wait = 0;
        if (i < WARM_UP)
            continue;
        scratch[i - WARM_UP] = wait;
        sum += wait;
    }
    qsort(scratch, STEPS, sizeof *scratch, compare_doubles);
    scale = sum > 0 ? mean * STEPS / sum : 0;
    for (int cell = 0; cell < QUANTILES; cell++) {
        double cell_sum = 0;

        for (int i = 0; i < STEPS / QUANTILES; i++)
            cell_sum += scratch[cell * (STEPS / QUANTILES) + i];
        row[cell] = cell_sum * scale / (STEPS / QUANTILES);
    }
}

WaitTable *wait_table_new(const double *costs, const double *shares, uint32_t count)
{
    WaitTable *table = g_new0(WaitTable, 1);
    g_autofree Customers *customers = g_new(Customers, 1);
    Services services = {.costs = costs, .shares = shares, .count = count};

    ensure(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        services.total += shares[i];
        services.mean += shares[i] * costs[i];
        services.square += shares[i] * costs[i] * costs[i];
    }
    ensure(services.mean > 0);
    services.mean /= services.total;
    services.square /= services.total;
    services.square /= services.mean * services.mean;
    customers_draw(customers, &services);
    for (int row = 1; row < ROW_COUNT; row++)
        row_fill(table->quantile[row], load_of(row), &services, customers);
    return table;
}

void wait_table_free(WaitTable *table)
{
    g_free(table);
}

double wait_table_draw(const WaitTable *table, double load, uint64_t u64)
{
    uint64_t cell = rng_scale(u64, QUANTILES);
    double at = load / 0.05;
    int row = (int)at;
    double part;

    if (load <= 0)
        return 0;
    if (load >= LOAD_LAST)
        return table->quantile[ROW_COUNT - 1][cell];
    part = at - row;
    if (row >= ROW_COUNT - 2) {
        row = ROW_COUNT - 2;
        part = (load - load_of(row)) / (LOAD_LAST - load_of(row));
    }
    return table->quantile[row][cell] +
           part * (table->quantile[row + 1][cell] - table->quantile[row][cell]);
}
