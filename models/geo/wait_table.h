/* The stationary wait in one queue by load, for members whose load is known only through a slice.
 *
 * Tabulated once by Lindley's recursion W' = max(0, W + S - A) with Poisson arrivals over the
 * member's own service times; each row is then scaled so that its mean is exactly the
 * Pollaczek-Khinchine mean.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef struct WaitTable WaitTable;

/* Service times relative to their mean: costs with shares (count >= 1; shares need not sum to 1).
 */
WaitTable *wait_table_new(const double *costs, const double *shares, uint32_t count);
void wait_table_free(WaitTable *table);

/* A wait in units of the mean service time at that load (0 to 1), monotone in u64. */
double wait_table_draw(const WaitTable *table, double load, uint64_t u64);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(WaitTable, wait_table_free)
