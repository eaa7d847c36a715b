/* Why it works: every function reduces its argument exactly (powers of two are moved by their bits,
 * multiples of log 2 are subtracted in parts short enough to multiply without rounding) and then
 * sums a series on a small interval, where its truncation is below a quarter of an ulp.  Only + - *
 * / and sqrt are used, which IEEE 754 rounds in one way, so every machine and compiler gets the
 * same bits as long as none fuses a product with a sum (-ffp-contract=off).
 *
 * pow needs its logarithm to about 64 bits, since y log x may be near 700 and its absolute error
 * becomes the relative error of the result: it is kept as an unevaluated sum of two doubles (Dekker
 * 1971). Sines and cosines are summed in such pairs, so that but for rare ties they are the double
 * nearest to the true value; the arc sine is that of Newton's method on them.  The normal quantile
 * is algorithm AS 241 (Wichura, Applied Statistics 37, 1988), good to 1e-15. */
#include "sim/math.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "sim/ensure.h"

#define SQRT_2          1.4142135623730951
#define SQRT_2_MANTISSA UINT64_C(0x6a09e667f3bcd) /* below the leading one */
#define MANTISSA_BITS   UINT64_C(0x000fffffffffffff)

/* log 2 = HIGH + LOW = HIGH + MIDDLE + TAIL; HIGH and MIDDLE have 32 bits, so their products with
 * an exponent (11 bits) are exact. */
#define LN2_HIGH   0x1.62e42fee00000p-1
#define LN2_LOW    0x1.a39ef35793c76p-33
#define LN2_MIDDLE 0x1.a39ef35600000p-33
#define LN2_TAIL   0x1.93c7673007e5fp-65

/* A value as the unevaluated sum of two doubles, |low| at most half an ulp of high. */
typedef struct {
    double high;
    double low;
} Pair;

static double power_of_two(int exponent) /* -1022..1023 */
{
    uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/* x 2^-shift, a normal number; x > 0. */
static double normal_of(double x, double *out_shift)
{
    *out_shift = x < DBL_MIN ? -54.0 : 0.0;
    return x < DBL_MIN ? x * 0x1p54 : x;
}

/* x = m 2^k with m in [sqrt(1/2), sqrt(2)); x > 0 and normal.  The exponent becomes a double in the
 * low bits of 2^52, and nothing branches, so the compiler may take several x at once. */
static inline double mantissa_of(double x, double *out_exponent)
{
    uint64_t bits, exponent_bits, is_above;
    double exponent, m;

    memcpy(&bits, &x, sizeof bits);
    is_above = ((bits & MANTISSA_BITS) + (MANTISSA_BITS + 1 - SQRT_2_MANTISSA)) >> 52; /* carries */
    exponent_bits = ((bits >> 52) + is_above) | UINT64_C(0x4330000000000000);
    memcpy(&exponent, &exponent_bits, sizeof exponent);
    *out_exponent = exponent - (0x1p52 + 1023.0);
    bits = (bits & MANTISSA_BITS) | (1023 - is_above) << 52;
    memcpy(&m, &bits, sizeof m);
    return m;
}

/* The logarithm of x 2^shift; x > 0 and normal.
 *
 * With f = m - 1 and s = f / (2 + f): log m = 2 s + 2 s^3 / 3 + 2 s^5 / 5 + ...; it is summed as
 * f - (f^2 / 2 - s (f^2 / 2 + rest)), where the first term is exact and the others are small. */
static inline double log_of(double x, double shift)
{
    double exponent;
    double f = mantissa_of(x, &exponent) - 1.0;
    double s = f / (2.0 + f);
    double z = s * s;
    double half_square, rest;

    rest = 2.0 / 21.0;
    rest = 2.0 / 19.0 + z * rest;
    rest = 2.0 / 17.0 + z * rest;
    rest = 2.0 / 15.0 + z * rest;
    rest = 2.0 / 13.0 + z * rest;
    rest = 2.0 / 11.0 + z * rest;
    rest = 2.0 / 9.0 + z * rest;
    rest = 2.0 / 7.0 + z * rest;
    rest = 2.0 / 5.0 + z * rest;
    rest = 2.0 / 3.0 + z * rest;
    rest *= z;
    half_square = 0.5 * f * f;
    exponent += shift;
    return exponent * LN2_HIGH -
           ((half_square - (s * (half_square + rest) + exponent * LN2_LOW)) - f);
}

double sim_log(double x)
{
    double shift;

    ensure(x > 0.0 && x <= DBL_MAX);
    x = normal_of(x, &shift);
    return log_of(x, shift);
}

void sim_logs(double values[SIM_LOGS])
{
    for (int i = 0; i < SIM_LOGS; i++)
        ensure(values[i] >= DBL_MIN && values[i] <= DBL_MAX);
    for (int i = 0; i < SIM_LOGS; i++)
        values[i] = log_of(values[i], 0.0);
}

/* exp(high + low), |low| tiny against high. */
static double exp_of_pair(double high, double low)
{
    double k, r_high, r_low, r, lost, series, result;
    int exponent;

    if (high > 709.79)
        return DBL_MAX;
    if (high < -745.14)
        return 0.0;
    k = floor(high * 1.4426950408889634 + 0.5);
    r_high = high - k * LN2_HIGH;
    r_low = low - k * LN2_LOW;
    r = r_high + r_low;
    lost = (r_high - r) + r_low;
    series = 1.0 / 6227020800.0;
    series = 1.0 / 479001600.0 + r * series;
    series = 1.0 / 39916800.0 + r * series;
    series = 1.0 / 3628800.0 + r * series;
    series = 1.0 / 362880.0 + r * series;
    series = 1.0 / 40320.0 + r * series;
    series = 1.0 / 5040.0 + r * series;
    series = 1.0 / 720.0 + r * series;
    series = 1.0 / 120.0 + r * series;
    series = 1.0 / 24.0 + r * series;
    series = 1.0 / 6.0 + r * series;
    series = 1.0 / 2.0 + r * series;
    result = 1.0 + (r + (r * r * series + lost));
    /* In two steps, since 2^k itself may be out of range where the result is not. */
    exponent = (int)k;
    result = result * power_of_two(exponent / 2) * power_of_two(exponent - exponent / 2);
    return result > DBL_MAX ? DBL_MAX : result;
}

double sim_exp(double x)
{
    return exp_of_pair(x, 0.0);
}

static Pair sum_exactly(double a, double b)
{
    double sum = a + b;
    double b_seen = sum - a;

    return (Pair){sum, (a - (sum - b_seen)) + (b - b_seen)};
}

static Pair product_exactly(double a, double b)
{
    double product = a * b;
    double a_split = a * 134217729.0; /* 2^27 + 1, after Veltkamp */
    double b_split = b * 134217729.0;
    double a_high = a_split - (a_split - a), a_low = a - a_high;
    double b_high = b_split - (b_split - b), b_low = b - b_high;

    return (Pair){product,
                  ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low};
}

/* log m for m in [sqrt(1/2), sqrt(2)): 2 s (1 + t / 3 + t^2 (1/5 + t/7 + ...)) with s = f / (2 + f)
 * and t = s^2 < 0.03.  Down to t / 3 in pairs; what follows is below 2e-4 and a double is enough.
 */
static Pair log_pair_of_mantissa(double m)
{
    double f = m - 1.0;
    Pair d = sum_exactly(m, 1.0);
    double s = f / d.high;
    Pair back = product_exactly(s, d.high);
    double s_low = (((f - back.high) - back.low) - s * d.low) / d.high;
    Pair t = product_exactly(s, s);
    double tail = 1.0 / 25.0;
    Pair third, factor, result;

    t.low += 2.0 * s * s_low;
    for (int n = 23; n >= 5; n -= 2)
        tail = 1.0 / n + t.high * tail;
    tail *= t.high * t.high;
    third = product_exactly(t.high, 0x1.5555555555555p-2);
    third.low += t.high * 0x1.5555555555555p-56 + t.low * 0x1.5555555555555p-2;
    factor = sum_exactly(1.0, third.high);
    factor = sum_exactly(factor.high, factor.low + third.low + tail);
    result = product_exactly(s, factor.high);
    result.low += s * factor.low + s_low * factor.high;
    return (Pair){2.0 * result.high, 2.0 * result.low};
}

double sim_pow(double x, double y)
{
    double exponent, shift;
    double m;
    Pair log_m, a, b, power;

    ensure(x > 0.0 && x <= DBL_MAX);
    if (y == 0.0 || x == 1.0)
        return 1.0;
    m = mantissa_of(normal_of(x, &shift), &exponent);
    exponent += shift;
    log_m = log_pair_of_mantissa(m);
    a = sum_exactly(exponent * LN2_HIGH, exponent * LN2_MIDDLE);
    b = sum_exactly(a.high, log_m.high);
    b = sum_exactly(b.high, b.low + (a.low + log_m.low + exponent * LN2_TAIL));
    if (fabs(y) > 1000.0 / fabs(b.high))
        return (y > 0.0) == (b.high > 0.0) ? DBL_MAX : 0.0;
    power = product_exactly(y, b.high);
    return exp_of_pair(power.high, power.low + y * b.low);
}

/* The polynomial with these coefficients, highest power first. */
static double polynomial(const double coefficients[8], double r)
{
    double value = coefficients[0];

    for (int i = 1; i < 8; i++)
        value = value * r + coefficients[i];
    return value;
}

double sim_normal_quantile(double p)
{
    static const double centre_above[8] = {2.50908092873012267270e+3, 3.34305755835881281050e+4,
                                           6.72657709270087008530e+4, 4.59219539315498714570e+4,
                                           1.37316937655094611250e+4, 1.97159095030655144270e+3,
                                           1.33141667891784377450e+2, 3.38713287279636660800e+0};
    static const double centre_below[8] = {5.22649527885285456100e+3, 2.87290857357219426740e+4,
                                           3.93078958000927106100e+4, 2.12137943015865958670e+4,
                                           5.39419602142475110770e+3, 6.87187007492057908300e+2,
                                           4.23133307016009112520e+1, 1.0};
    static const double near_above[8] = {7.74545014278341407640e-4, 2.27238449892691845833e-2,
                                         2.41780725177450611770e-1, 1.27045825245236838258e+0,
                                         3.64784832476320460504e+0, 5.76949722146069140550e+0,
                                         4.63033784615654529590e+0, 1.42343711074968357734e+0};
    static const double near_below[8] = {1.05075007164441684324e-9, 5.47593808499534494600e-4,
                                         1.51986665636164571966e-2, 1.48103976427480074590e-1,
                                         6.89767334985100004550e-1, 1.67638483018380384940e+0,
                                         2.05319162663775882187e+0, 1.0};
    static const double far_above[8] = {2.01033439929228813265e-7, 2.71155556874348757815e-5,
                                        1.24266094738807843860e-3, 2.65321895265761230930e-2,
                                        2.96560571828504891230e-1, 1.78482653991729133580e+0,
                                        5.46378491116411436990e+0, 6.65790464350110377720e+0};
    static const double far_below[8] = {2.04426310338993978564e-15, 1.42151175831644588870e-7,
                                        1.84631831751005468180e-5,  7.86869131145613259100e-4,
                                        1.48753612908506148525e-2,  1.36929880922735805310e-1,
                                        5.99832206555887937690e-1,  1.0};
    double q = p - 0.5;
    double r, x;

    ensure(p > 0.0 && p < 1.0);
    if (fabs(q) <= 0.425) {
        r = 0.180625 - q * q;
        return q * polynomial(centre_above, r) / polynomial(centre_below, r);
    }
    r = sqrt(-sim_log(q < 0.0 ? p : 1.0 - p));
    if (r <= 5.0)
        x = polynomial(near_above, r - 1.6) / polynomial(near_below, r - 1.6);
    else
        x = polynomial(far_above, r - 5.0) / polynomial(far_below, r - 5.0);
    return q < 0.0 ? -x : x;
}

/* Near the middle by the series x + x^3/3 + x^5/(3 5) + ..., in the tail by Laplace's continued
 * fraction of Mills' ratio, 1/(x + 1/(x + 2/(x + ...))); both converge to full precision at their
 * seam. */
double sim_normal_cdf(double x)
{
    double distance = fabs(x);
    Pair square = product_exactly(distance, distance);
    double density, below;

    if (distance > 38.6)
        return x < 0.0 ? 0.0 : 1.0;
    density = 0.3989422804014327 * exp_of_pair(-0.5 * square.high, -0.5 * square.low);
    if (distance < 2.0) {
        double term = distance, sum = distance;

        for (int n = 3; n < 81; n += 2) {
            term = term * square.high / n;
            sum += term;
        }
        below = 0.5 - density * sum;
    } else {
        double ratio = distance;

        for (int n = 100; n >= 1; n--)
            ratio = distance + n / ratio;
        below = density / ratio;
    }
    return x < 0.0 ? below : 1.0 - below;
}

/* pi/2 = HIGH + MIDDLE + TAIL; HIGH and MIDDLE have 32 bits, so their products with a count of
 * quarter turns (20 bits) are exact. */
#define QUARTER_HIGH   0x1.921fb54400000p+0
#define QUARTER_MIDDLE 0x1.0b4611a600000p-34
#define QUARTER_TAIL   0x1.3198a2e037073p-69
#define QUARTER        0x1.921fb54442d18p+0 /* the nearest double, and what is left */
#define QUARTER_REST   0x1.1a62633145c07p-54

#define ANGLE_LIMIT   1e6
#define ANGLE_TRIFLES 0x1p-27 /* below, a sine is its angle to half an ulp */

static Pair pair_sum(Pair a, Pair b)
{
    Pair sum = sum_exactly(a.high, b.high);

    return sum_exactly(sum.high, sum.low + a.low + b.low);
}

static Pair pair_product(Pair a, Pair b)
{
    Pair product = product_exactly(a.high, b.high);

    return sum_exactly(product.high, product.low + (a.high * b.low + a.low * b.high));
}

/* sin r for |r| <= pi/4: r (1 - z/6 + z^2/120 - rest), z = r^2; the rest is below 5e-5, so a double
 * keeps it to 64 bits of the sum. */
static Pair sine_of_small(Pair r)
{
    static const Pair sixth = {-0x1.5555555555555p-3, -0x1.5555555555555p-57};
    static const Pair next = {0x1.1111111111111p-7, 0x1.1111111111111p-63};
    Pair z = pair_product(r, r);
    double rest = 0.0;
    Pair factor;

    for (int n = 22; n >= 8; n -= 2) /* 1 - z/(8 9) (1 - z/(10 11) (...)) */
        rest = 1.0 - z.high / (n * (n + 1)) * (n == 22 ? 1.0 : rest);
    rest *= z.high * z.high * z.high / 5040.0;
    factor = pair_sum(sixth, pair_product(z, next));
    factor = pair_product(z, factor);
    factor = pair_sum(factor, (Pair){-rest, 0.0});
    return pair_sum(r, pair_product(r, factor));
}

/* cos r likewise: 1 - z/2 + z^2/24 - rest, the rest below 4e-4. */
static Pair cosine_of_small(Pair r)
{
    static const Pair next = {0x1.5555555555555p-5, 0x1.5555555555555p-59};
    Pair z = pair_product(r, r);
    double rest = 0.0;
    Pair sum;

    for (int n = 21; n >= 7; n -= 2) /* 1 - z/(7 8) (1 - z/(9 10) (...)) */
        rest = 1.0 - z.high / (n * (n + 1)) * (n == 21 ? 1.0 : rest);
    rest *= z.high * z.high * z.high / 720.0;
    sum = pair_sum((Pair){-0.5, 0.0}, pair_product(z, next));
    sum = pair_product(z, sum);
    sum = pair_sum(sum, (Pair){-rest, 0.0});
    return pair_sum((Pair){1.0, 0.0}, sum);
}

/* x less the nearest count of quarter turns, which it returns modulo 4. */
static int quarter_turns(double x, Pair *out_rest)
{
    double turns = floor(x / QUARTER + 0.5);
    Pair tail = product_exactly(turns, QUARTER_TAIL);
    Pair rest = sum_exactly(x, -turns * QUARTER_HIGH);

    rest = pair_sum(rest, (Pair){-turns * QUARTER_MIDDLE, 0.0});
    *out_rest = pair_sum(rest, (Pair){-tail.high, -tail.low});
    return (int)(turns - 4.0 * floor(turns / 4.0));
}

/* The sine of x and `ahead` quarter turns more. */
static double sine_ahead(double x, int ahead)
{
    Pair rest, value;
    int turns;

    ensure(fabs(x) <= ANGLE_LIMIT);
    turns = (quarter_turns(x, &rest) + ahead) % 4;
    value = turns % 2 == 0 ? sine_of_small(rest) : cosine_of_small(rest);
    return turns < 2 ? value.high + value.low : -(value.high + value.low);
}

double sim_sin(double x)
{
    return fabs(x) < ANGLE_TRIFLES ? x : sine_ahead(x, 0);
}

double sim_cos(double x)
{
    return sine_ahead(x, 1);
}

/* The arc sine of s in [0, sqrt(1/2)]: three steps of Newton from the beginning of its series. Each
 * squares the error, which begins below 1e-3; the sine comes from pairs, so that what the last step
 * would add is known to far more bits than the angle has.  high: a double near the result; low:
 * what is missing. */
static Pair arc_of_small(Pair s)
{
    static const double series[] = {
        231.0 / 13312.0, 63.0 / 2816.0, 35.0 / 1152.0, 5.0 / 112.0, 3.0 / 40.0, 1.0 / 6.0, 1.0};
    double z = s.high * s.high;
    double angle = 0.0;
    double missing = 0.0;

    for (size_t i = 0; i < sizeof series / sizeof *series; i++)
        angle = angle * z + series[i];
    angle *= s.high;
    for (int step = 0; step < 3; step++) {
        Pair sine;

        angle += missing;
        sine = sine_of_small((Pair){angle, 0.0});
        missing =
            ((s.high - sine.high) + (s.low - sine.low)) / cosine_of_small((Pair){angle, 0.0}).high;
    }
    return (Pair){angle, missing};
}

/* Beyond sqrt(1/2) it is pi/2 - 2 asin(sqrt((1 - x) / 2)), where 1 - x is exact. */
double sim_asin(double x)
{
    double size = fabs(x);
    double angle, half, root;
    Pair square, arc, sum;

    ensure(size <= 1.0);
    if (size < ANGLE_TRIFLES)
        return x;
    if (size <= 1.0 / SQRT_2) {
        arc = arc_of_small((Pair){size, 0.0});
        angle = arc.high + arc.low;
    } else {
        half = (1.0 - size) / 2.0;
        root = sqrt(half);
        square = product_exactly(root, root);
        arc = arc_of_small(
            (Pair){root, root > 0.0 ? ((half - square.high) - square.low) / (2.0 * root) : 0.0});
        sum = sum_exactly(QUARTER, -2.0 * arc.high);
        angle = sum.high + (sum.low + (QUARTER_REST - 2.0 * arc.low));
    }
    return x < 0.0 ? -angle : angle;
}
