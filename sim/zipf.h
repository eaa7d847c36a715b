/* Zipf's law: the k-th most popular of n is met in proportion to 1 / k^s.
 *
 * Shared by the popularity kinds that follow it.  The sum over all n is found in a fixed number of
 * steps, so that a slice of a large family need not add up keys it does not keep.
 */
#pragma once

#include <stdint.h>

double zipf_weight(double exponent, uint64_t rank); /* rank from 0 */
double zipf_total(double exponent, uint64_t n);     /* sum of the first n weights, within 1e-13 */
