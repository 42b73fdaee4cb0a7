/*
 * Elementary functions. OpenCL allows its own exp 3 ulp, expm1 3, log 3, log1p 2, erf and pow 16, and every
 * driver differs. These consist of additions and products, which are correctly rounded everywhere, and of
 * scalings by powers of two; docs/numerics.md derives their errors. The polynomials are minimax fits of our
 * own (relative error, coefficients rounded from the lowest on).
 *
 * A compiler may contract a * b + c to an fma or not. Where a rounding error has to be known, the products
 * are therefore exact either way, each factor having 12 significant bits, or it is fma by name. Some
 * compilers contract only where they are asked to; it makes the polynomials faster.
 */
#pragma OPENCL FP_CONTRACT ON

/* The upper 12 of the 24 bits of x; the rest, x minus that, has 12 bits too. */
static real upper_half(real x)
{
    return as_float(as_uint(x) & 0xfffff000u);
}

/* 2^n for -126 <= n <= 127. */
static real power_of_two(int n)
{
    return as_float((n + 127) << 23);
}

/* (1 + fraction) 2^power. */
typedef struct exponential {
    real fraction;
    int power;
} exponential;

/*
 * factor (1 + fraction) 2^power for -190 <= power <= 63. 2^power is made of two factors, one of them constant
 * and both normal, so that only the last product may be denormal. As written, the rounding of 1 + fraction
 * does not count.
 */
static real exp_times(exponential e, real factor)
{
    return (factor + factor * e.fraction) * power_of_two(e.power + 64) * 0x1p-64f;
}

/*
 * The same for |power| <= 370 and a factor that may itself be huge or tiny where the product is not; when
 * that is infinite, nothing is subtracted from it. The factor's own share of the power has the power's sign,
 * so that it neither overflows nor vanishes before the product does.
 */
static real exp_times_any(exponential e, real factor)
{
    const int quarter = e.power / 4;
    const real scale = power_of_two(quarter);
    return factor * power_of_two(e.power - 3 * quarter) * (1 + e.fraction) * scale * scale * scale;
}

/* (1 + fraction) 2^(power + 64): what is left to do is a factor of 2^-64, which an addition may take in. */
static real exp_scaled(exponential e)
{
    const real scale = power_of_two(e.power + 64);
    return scale + scale * e.fraction;
}

/*
 * factor (1 + fraction) 2^(power + more) for -254 < power + more < 254, in two halves. A factor may be moved
 * into more where it or the power alone is too large or too small.
 */
static real exp_times_power(exponential e, real factor, int more)
{
    const int biased = e.power + more + 254, half_biased = biased >> 1;
    return (factor + factor * e.fraction) * as_float(half_biased << 23) *
           as_float((biased - half_biased) << 23);
}

/*
 * A number below 2^22 loses its fraction when this is added: an rint whose result can be read from the bits
 * as an integer. PoCL's own takes as long as the rest of an exponential. 3 2^22, and 191 = 127 + 64 so that
 * exp_times finds its first factor's exponent in the low bits as they are: compilers then leave out the
 * additions.
 */
#define ROUNDING_SHIFT 12583103.0f

/*
 * (exp(r) - 1 - r) / r^2 for |r| <= ln(2) / 2: of exp(r), off by less than 4e-9, of exp(r) - 1 by 1.4e-8. In
 * pairs (Estrin's scheme): a processor waits longer for the end of a chain of products than it works on them.
 */
static real exp_tail(real r)
{
    const real square = r * r;
    return (0.49999997f + r * 0.166665465f) +
           square * ((0.0416674428f + r * 0.00836625323f) + square * 0.0013869945f);
}

/* exp(r) - 1 */
static real exp_fraction(real r)
{
    return r + (r * r) * exp_tail(r);
}

/*
 * exp(x) of x = hi + lo, |lo| <= 1 / 4, within 1.2 ulp once it is put together. With n the integer next to
 * x / ln 2, r = x - n ln 2; ln 2 in two parts, of which n times the first is exact for |n| < 512, and so is
 * the first difference (Cody and Waite, Software Manual for the Elementary Functions, 1980, chapter 6).
 */
static exponential exp_of_sum(real hi, real lo)
{
    const real shifted = (hi + lo) * 1.44269504f + ROUNDING_SHIFT, n = shifted - ROUNDING_SHIFT;
    const real r = (hi - n * 0.693145752f) + (lo - n * 1.42860677e-6f);
    const exponential e = {exp_fraction(r), as_int(shifted) - as_int(ROUNDING_SHIFT)};
    return e;
}

static exponential exp_of(real x)
{
    const real shifted = x * 1.44269504f + ROUNDING_SHIFT, n = shifted - ROUNDING_SHIFT;
    const real r = (x - n * 0.693145752f) - n * 1.42860677e-6f;
    const exponential e = {exp_fraction(r), as_int(shifted) - as_int(ROUNDING_SHIFT)};
    return e;
}

/* x, but at least low and at most high. NaN stays. In this order a processor's min and max do it. */
static real bounded(real x, real low, real high)
{
    const real above = low > x ? low : x;
    return high < above ? high : above;
}

/* |x|, but at most limit. NaN stays. */
static real magnitude_to(real limit, real x)
{
    const real a = fabs(x);
    return limit < a ? limit : a;
}

/* exp(-|x|), with a power that fits exp_times: exp(-120) is 0 even times 120. NaN stays. */
static exponential exp_of_minus(real x)
{
    return exp_of(-magnitude_to(120, x));
}

/*
 * exp(-|x|) - 1 within 1.5 ulp, as 2^n (exp(r) - 1) + (2^n - 1), of which the second part is exact down to
 * n = -24; beyond, the result is -1.
 */
static real expm1_of_minus(real x)
{
    const exponential e = exp_of(-magnitude_to(30, x));
    const real scale = power_of_two(e.power);
    return scale * e.fraction + (scale - 1);
}

/* log(1 + e) / e for 0 <= e <= 1, off by less than 3.4e-8; in pairs as exp_tail. */
static real log1p_ratio(real e)
{
    const real square = e * e;
    const real low = (-0.499996483f + e * 0.3332133f) + square * (-0.248572156f + e * 0.191538379f);
    const real high = (-0.137541592f + e * 0.079208456f) + square * (-0.0300680622f + e * 0.00536536286f);
    return 1 + e * (low + (square * square) * high);
}

/*
 * x = m 2^power for 0 < x < infinity, sqrt(1/2) <= m < sqrt(2). A denormal number is read as an integer
 * multiple of 2^-149, since devices may take it for 0.
 */
typedef struct scaled {
    real m;
    int power;
} scaled;

static scaled scaled_of(real x)
{
    const int bits = as_int(x);
    const bool denormal = bits < 0x00800000;
    const int normal_bits = denormal ? as_int((real)bits) : bits;
    const int above = normal_bits - 0x3f3504f3; /* sqrt(1/2) */
    const scaled result = {as_float(normal_bits - (above & (int)0xff800000)),
                           (above >> 23) - (denormal ? 149 : 0)};
    return result;
}

/*
 * log(x) within 1.5 ulp: with f = m - 1, which is exact, f - f^2 / 2 + f^3 P(f) + power ln 2; P off by less
 * than 8e-10 of log(m). Infinity and NaN stay.
 */
static real log_of(real x)
{
    const scaled a = scaled_of(x);
    const real f = a.m - 1, power = (real)a.power;
    const real p = 0.333333135f +
                   f * (-0.250000089f +
                        f * (0.200020716f +
                             f * (-0.166679889f +
                                  f * (0.142203584f +
                                       f * (-0.124062337f +
                                            f * (0.118835494f + f * (-0.116701014f + f * 0.0674927235f)))))));
    const real result = power * 0.693145752f + (f + (f * f * (f * p - 0.5f) + power * 1.42860677e-6f));
    return (as_int(x) & 0x7fffffff) == 0 ? -INFINITY : x < 0 ? NAN : x < INFINITY ? result : x;
}

/* A number in two parts, hi with 12 bits. */
typedef struct parts {
    real hi, lo;
} parts;

/*
 * log2(x) for 0 < x < infinity, off by less than 2^-32 of itself. With s = (m - 1) / (m + 1),
 * log m = 2 artanh(s) = (2 / 3) s (3 + s^2 + s^4 R(s^2)); all but R in two parts (Dekker, Numerische
 * Mathematik 18, 1971). 12288 = 3 2^12 takes off what is below 2^-10, which leaves 12 bits of numbers from 1
 * to 4. (Were upper_half to make both factors of a product, PoCL's compiler would calculate the two as a
 * short vector, and then no longer many work-items at a time.)
 */
static parts log2_of(real x)
{
    const scaled a = scaled_of(x);
    const real numerator = a.m - 1, power = (real)a.power;

    const real denominator = a.m + 1, reciprocal = 1 / denominator;
    const real denominator_hi = (a.m + 12289) - 12288, denominator_lo = a.m - (denominator_hi - 1);
    const real s_hi = upper_half(numerator * reciprocal);
    const real s_lo = ((numerator - s_hi * denominator_hi) - s_hi * denominator_lo) * reciprocal;
    const real s = s_hi + s_lo;

    const real square_hi = s_hi * s_hi, square_lo = s_lo * (s + s_hi), square = square_hi + square_lo;
    const real tail =
        square * square *
        (0.599999964f + square * (0.428579599f + square * (0.332694232f + square * 0.293391943f)));
    const real t_hi = ((square + tail) + 12291) - 12288;
    const real t_lo = ((3 - t_hi) + square_hi) + (square_lo + tail);

    const real product_lo = s_lo * t_hi + s * t_lo;
    const real product_hi = upper_half(s_hi * t_hi + product_lo);
    const real product_rest = (s_hi * t_hi - product_hi) + product_lo;

    /* 2 / (3 ln 2) in two parts */
    const real whole = 0.961669922f * product_hi;
    const real rest = 0.000126772051f * product_hi + 0.961796701f * product_rest;
    const real hi = upper_half(power + (whole + rest));
    const parts result = {hi, ((power - hi) + whole) + rest};
    return result;
}

/*
 * factor |x|^(hi + lo), within 2 ulp; hi has 12 bits and hi + lo is at most 2^41. The error of log2(x) moves
 * the result by 2^-32 times the result's binary logarithm, at most 150 unless factor is far from 1.
 */
static real power_times(real x, parts exponent, real factor)
{
    const real a = fabs(x);
    const parts l = log2_of(a);
    const real whole = exponent.hi + exponent.lo;
    const real product = exponent.hi * l.hi, rest = exponent.lo * l.hi + whole * l.lo;

    /* Beyond these bounds the result is 0 or infinite; rest is large only where product is too. */
    const real hi = bounded(product, -300, 300);
    const real lo = fabs(rest) < 1 ? rest : 0;
    const real shifted = hi + lo + ROUNDING_SHIFT, n = shifted - ROUNDING_SHIFT;
    const real r = ((hi - n) + lo) * 0.693147182f;
    const exponential e = {exp_fraction(r), as_int(shifted) - as_int(ROUNDING_SHIFT)};
    const real result = exp_times_any(e, factor);

    /* 0, infinity and NaN */
    const bool zero = as_int(a) == 0;
    const real limit = whole == 0 ? 1 : zero == (whole < 0) ? INFINITY : 0;
    return zero || a > FLT_MAX ? factor * limit : a <= FLT_MAX ? result : x;
}
