/* log, exp, pow, sine and the normal quantile, made of + - * / and sqrt alone.
 *
 * libm may differ between machines and versions; these give the same bits everywhere (with
 * -ffp-contract=off).  Error at most 2 ulp for log, exp and pow wherever the result is a normal
 * number; 1 ulp (all but always half of one) for sin, cos and asin; 1e-12 relative for the normal
 * distribution in both tails and 1e-14 for its quantile (AS 241, Wichura 1988).
 */
#pragma once

double sim_log(double x); /* x > 0 */
/* Each by its logarithm, the same as sim_log's; all > 0 and normal.  One is a long chain of
 * products; the chains of a fixed count overlap. */
#define SIM_LOGS 16
void sim_logs(double values[SIM_LOGS]);
double sim_exp(double x);           /* saturates to 0 and DBL_MAX */
double sim_pow(double x, double y); /* x > 0 */
double sim_sin(double x);           /* radians, |x| <= 1e6, as for the cosine */
double sim_cos(double x);
double sim_asin(double x);            /* |x| <= 1; radians */
double sim_normal_quantile(double p); /* 0 < p < 1 */
double sim_normal_cdf(double x);
