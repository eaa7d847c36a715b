/* Why it works: 1 / k^s is exp(-s log k); its relative error, a few ulp times s log k, stays far
 * below what any count of draws could show, at a third of the cost of sim_pow.  The sum is exact
 * for the first 64 ranks; beyond, Euler and Maclaurin replace it by the integral and corrections at
 * both ends.  After three of them the rest is below 1e-17. */
#include "sim/zipf.h"

#include <math.h>

#include "sim/math.h"

#define EXACT_COUNT 64

double zipf_weight(double exponent, uint64_t rank)
{
    return sim_exp(-exponent * sim_log((double)(rank + 1)));
}

/* (exp(x) - 1) / x without loss near 0. */
static double exp_minus_one_over(double x)
{
    double term = 1.0, sum = 1.0;

    if (fabs(x) > 0.5)
        return (sim_exp(x) - 1.0) / x;
    for (int n = 2; n < 18; n++) {
        term *= x / n;
        sum += term;
    }
    return sum;
}

/* Half the end term plus the corrections B2/2! f', B4/4! f''', B6/6! f^(5), for f(x) = x^-s. */
static double end_terms(double s, double x, double sign)
{
    double f = sim_exp(-s * sim_log(x));
    double first = s / x;
    double third = first * (s + 1.0) * (s + 2.0) / (x * x);
    double fifth = third * (s + 3.0) * (s + 4.0) / (x * x);

    return f * (0.5 - sign * (first / 12.0 - third / 720.0 + fifth / 30240.0));
}

double zipf_total(double exponent, uint64_t n)
{
    uint64_t exact = n < EXACT_COUNT ? n : EXACT_COUNT;
    double a = (double)EXACT_COUNT, log_ratio, integral, sum = 0.0;

    /* Smallest first, so that nothing is lost beside the largest. */
    for (uint64_t rank = exact; rank-- > 0;)
        sum += zipf_weight(exponent, rank);
    if (n <= EXACT_COUNT)
        return sum;
    log_ratio = sim_log((double)n / a);
    integral = sim_exp((1.0 - exponent) * sim_log(a)) * log_ratio *
               exp_minus_one_over((1.0 - exponent) * log_ratio);
    /* The sum above has all of f(a); half of it belongs to the part from a to n. */
    return sum - zipf_weight(exponent, EXACT_COUNT - 1) + integral + end_terms(exponent, a, -1.0) +
           end_terms(exponent, (double)n, 1.0);
}
