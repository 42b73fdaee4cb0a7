/*
 * The activations that are exponentials, logarithms and powers themselves. What is said in activation.cl
 * holds here too.
 */

static real act_exp(real x, float8 p)
{
    return exp_times_power(exp_of(bounded(x, -120, 120)), 1, 0);
}

/* p.s7: x is the output. */
static real act_exp_gradient(real x, real dy, float8 p)
{
    return dy * (p.s7 != 0 ? x : act_exp(x, p));
}

static real act_log(real x, float8 p)
{
    return log_of(x);
}

/* A denormal x is taken for the integer that it is a multiple of, as in log_of. */
static real act_log_gradient(real x, real dy, float8 p)
{
    const int bits = as_int(x) & 0x7fffffff;
    const bool denormal = bits != 0 && bits < 0x00800000;
    const real quotient = dy / (denormal ? copysign((real)bits, x) : x);
    return denormal ? quotient * 0x1p75f * 0x1p74f : quotient;
}

/* The root of a denormal number too is taken of an integer: x = (2 bits) 2^-150. */
static real act_sqrt(real x, float8 p)
{
    const int bits = as_int(x);
    const bool denormal = bits > 0 && bits < 0x00800000;
    const real root = sqrt(denormal ? 2 * (real)bits : x);
    return denormal ? root * 0x1p-75f : root;
}

static real act_sqrt_gradient(real x, real dy, float8 p)
{
    return dy * (0.5f / (p.s7 != 0 ? x : act_sqrt(x, p)));
}

static real act_square(real x, float8 p)
{
    return x * x;
}

/* Doubled last where 2 x alone may overflow. */
static real act_square_gradient(real x, real dy, float8 p)
{
    return fabs(x) < 0x1p126f ? dy * (2 * x) : 2 * (dy * x);
}

static bool is_whole(real y)
{
    return rint(y) == y;
}

/* From 2^24 on every number is even. */
static bool is_odd(real y)
{
    return is_whole(y) && fabs(y) < 0x1p24f && ((int)y & 1) != 0;
}

/*
 * y + rest in two parts, the first of 12 bits (Dekker's way; see log2_of for why not upper_half). Beyond
 * 2^40, x^y is 0, 1 or infinite anyway.
 */
static parts pow_exponent(real y, real rest)
{
    const real within = bounded(y, -0x1p40f, 0x1p40f);
    const real shifted = within * 4097, hi = shifted - (shifted - within);
    const parts result = {hi, (within - hi) + rest};
    return result;
}

/*
 * The special cases of C's pow (ISO C11, F.10.4.4), but NaN stays NaN whatever the exponent. The most common
 * exponents first: every work-item takes the same way.
 */
static real act_pow(real x, float8 p)
{
    const real y = p.s0;
    if (y == 1)
        return x;
    if (y == 2)
        return act_square(x, p);
    const real magnitude = power_times(x, pow_exponent(y, 0), 1);
    const real result = is_odd(y) ? copysign(magnitude, x) : magnitude;
    return x < 0 && x > -INFINITY && !is_whole(y) ? NAN : result;
}

/*
 * y x^(y - 1), with the rounding error of y - 1, which is exact (Knuth, The Art of Computer Programming 2,
 * 4.2.2). y - 1 is odd where y is even.
 */
static real act_pow_gradient(real x, real dy, float8 p)
{
    const real y = p.s0;
    if (y == 2)
        return act_square_gradient(x, dy, p);
    const real less = y - 1, taken = less - y;
    const real rest = (y - (less - taken)) + (-1 - taken);
    const real magnitude = power_times(x, pow_exponent(less, rest), y);
    const real signed_magnitude = is_whole(y) && !is_odd(y) && signbit(x) ? -magnitude : magnitude;
    const real derivative = x < 0 && x > -INFINITY && !is_whole(y) ? NAN : signed_magnitude;
    return dy * (y == 0 && !isnan(x) ? 0 : derivative);
}
