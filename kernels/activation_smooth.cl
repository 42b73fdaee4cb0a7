/*
 * The activations that need an exponential, a logarithm or a root. What is said in activation.cl holds here
 * too. Where exp(-|x|) = e, each formula is written in e, so that nothing overflows and both tails keep their
 * relative accuracy; factors go into exp_times, since e alone may be denormal where the product is not.
 */

/*
 * With w = exp(x) rather than exp(-|x|), no case to tell apart; the quotient is 1 from far below exp(40) on.
 */
static real act_sigmoid(real x, float8 p)
{
    const real w = exp_scaled(exp_of(bounded(x, -120, 40)));
    return w * 0x1p-64f / (1 + w * 0x1p-64f);
}

static real act_sigmoid_gradient(real x, real dy, float8 p)
{
    const real e = exp_scaled(exp_of_minus(x)), sum = 1 + e * 0x1p-64f;
    return dy * (e * 0x1p-64f / (sum * sum));
}

/*
 * Near 0 the fifth convergent of Lambert's continued fraction, tanh x = x / (1 + x^2 / (3 + x^2 / (5 + ...)))
 * (DLMF 4.39.1), written as x minus a small correction; its own error is below 3e-10 there. Further out the
 * definition by exponentials, where nothing cancels. One division serves both.
 */
static real act_tanh(real x, float8 p)
{
    const bool near = fabs(x) < 0.55f;
    const real s = x * x, e = exp_times(exp_of_minus(2 * x), 1);
    const real numerator = near ? s * (315 + 14 * s) : 1 - e;
    const real denominator = near ? 945 + s * (420 + 15 * s) : 1 + e;
    const real quotient = numerator / denominator;
    return near ? x - x * quotient : copysign(quotient, x);
}

/* 4 e / (1 + e)^2 with e = exp(-2 |x|). */
static real act_tanh_gradient(real x, real dy, float8 p)
{
    const real e = exp_scaled(exp_of_minus(2 * x)), sum = 1 + e * 0x1p-64f;
    return dy * (e * 0x1p-62f / (sum * sum));
}

/*
 * x - tanh x: near 0 a polynomial in x^2, times x^3, off by less than 3e-8 (its first coefficient's rounding;
 * 5e-9 without); further out (|x| - 1) + 2 e / (1 + e), e = exp(-2 |x|), where the first sum is exact as long
 * as it matters.
 */
static real act_tanhshrink(real x, float8 p)
{
    const real s = x * x;
    const real series =
        0.333333343f +
        s * (-0.13333413f +
             s * (0.0539785624f +
                  s * (-0.021915365f +
                       s * (0.00893242005f +
                            s * (-0.00353891542f + s * (0.00115817133f + s * -0.000208249592f))))));
    const real e = exp_times(exp_of_minus(2 * x), 1);
    const real far = copysign((fabs(x) - 1) + 2 * e / (1 + e), x);
    return fabs(x) < 1 ? x * (s * series) : far;
}

static real act_tanhshrink_gradient(real x, real dy, float8 p)
{
    const real tanh_x = act_tanh(x, p);
    return dy * (tanh_x * tanh_x);
}

static real act_elu(real x, float8 p)
{
    const real alpha = p.s0;
    return x > 0 ? x : alpha * expm1_of_minus(x);
}

/* alpha may be as large as 2^128, and alpha exp(x) is not 0 before exp(x) < 2^-278. */
static real act_elu_gradient(real x, real dy, float8 p)
{
    const real alpha = p.s0;
    const bool large = alpha * alpha > 1;
    const exponential e = exp_of(-magnitude_to(large ? 195 : 105, x));
    const real slope = exp_times_power(e, large ? alpha * 0x1p-64f : alpha, large ? 64 : 0);
    return dy * (x > 0 ? 1 : slope);
}

/* s - 1 and a s of Klambauer et al.; s x in this way stays finite as long as it should. */
static real act_selu(real x, float8 p)
{
    return x > 0 ? x + 0.0507009886f * x : 1.75809932f * expm1_of_minus(x);
}

static real act_selu_gradient(real x, real dy, float8 p)
{
    return dy * (x > 0 ? 1.05070102f : exp_times(exp_of_minus(x), 1.75809932f));
}

/*
 * Near 0, where exp(t) - 1 = t + t tail(t) for the rounded quotient t, x takes the place of alpha t: so
 * neither the quotient's rounding nor its underflow is felt. Further out the rounding moves exp(t) - 1 by
 * less than an ulp.
 */
static real act_celu(real x, float8 p)
{
    const real alpha = p.s0, t = -magnitude_to(30, x / alpha);
    const exponential e = exp_of(t);
    const real scale = power_of_two(e.power);
    const real far = alpha * (scale * e.fraction + (scale - 1));
    return x > 0 ? x : e.power == 0 ? x + x * (t * exp_tail(t)) : far;
}

/*
 * exp(t) feels the rounding of t = x / alpha |t| times; so the remainder of the division is added. Scaled by
 * 2^64 where it would be denormal.
 */
static real act_celu_gradient(real x, real dy, float8 p)
{
    const real scale = p.s0 < 0x1p-60f ? 0x1p64f : 1;
    const real alpha = p.s0 * scale, a = fabs(x) * scale, quotient = a / alpha;
    const bool vanishes = quotient > 120;
    const real t = vanishes ? 120 : quotient;
    const real t_hi = upper_half(t), alpha_hi = upper_half(alpha);
    const real remainder = ((a - t_hi * alpha_hi) - t_hi * (alpha - alpha_hi)) - (t - t_hi) * alpha;
    const real correction = vanishes ? 0 : remainder * (1 / alpha);
    return x > 0 ? dy : dy * exp_times(exp_of_sum(-t, -correction), 1);
}

/*
 * The normal distribution's lower tail Q(a) = erfc(a / sqrt(2)) / 2 is exp(-a^2 / 2) / (2 S(a)), and S is
 * nearly a line: 1 + a (sqrt(pi / 2) - R / T), T and R polynomials of degree 4 and 3 with positive
 * coefficients, off by less than 1.8e-8 for a <= 14.5, where Q(a) a is 0 in float32. a R / T is less than a
 * fifth of S, and so its errors count little. h is -a^2 / 2, which is at hand.
 */
static real normal_tail_divisor(real a, real h)
{
    const real t = (2 + 1.82787752f * a) + h * ((-1.57792568f - 0.363190234f * a) + h * 0.0773434713f);
    const real r = (0.910857677f + 0.559247792f * a) - h * (0.314941168f + 0.0386669599f * a);
    return fma(a, 1.25331414f - r / t, 1);
}

/* max(x, 0) - a Q(a) with a = |x|. */
static real act_gelu(real x, float8 p)
{
    const real a = magnitude_to(14.5f, x), half_a = -0.5f * a, h = a * half_a;
    const exponential e = exp_of_sum(h, fma(a, half_a, -h));
    const real quotient = half_a / normal_tail_divisor(a, h);
    return (x > 0 ? x : 0) + (quotient + quotient * e.fraction) * power_of_two(e.power + 64) * 0x1p-64f;
}

/* g = Q(a) - a exp(-a^2 / 2) / sqrt(2 pi) for x < 0, 1 - g else. */
static real act_gelu_gradient(real x, real dy, float8 p)
{
    const real a = magnitude_to(15, x), half_a = -0.5f * a, h = a * half_a;
    const real e = exp_scaled(exp_of_sum(h, fma(a, half_a, -h)));
    const real g = e * (0.5f / normal_tail_divisor(a, h) - 0.398942292f * a);
    return dy * (x > 0 ? 1 - g * 0x1p-64f : g * 0x1p-64f);
}

/*
 * x / (1 + exp(-2 u)), since (1 + tanh u) / 2 is that without the x. The exponent 2 u = x w with
 * w = k1 + k2 x^2, k1 = 2 sqrt(2 / pi), k2 = 0.044715 k1, is needed to a part of its last place, since exp
 * feels its absolute error; hence everything in two parts, k1 and k2 as well.
 */
static exponential gelu_tanh_exp(real a)
{
    const real a_hi = upper_half(a), a_lo = a - a_hi, square = a * a;
    const real square_hi = upper_half(square), square_lo = (a_hi * a_hi - square_hi) + a_lo * (a + a_hi);
    const real w_hi = upper_half(1.59576917f + 0.0713548139f * square);
    const real w_lo = ((1.59570312f - w_hi) + 0.0713500977f * square_hi) +
                      (6.59966026e-05f + (0.0713500977f * square_lo + 4.71861631e-06f * square));
    return exp_of_sum(-(a_hi * w_hi), -(a_lo * w_hi + a * w_lo));
}

/* exp(-2 u) times a is 0 in float32 from |x| = 11 on. */
static real act_gelu_tanh(real x, float8 p)
{
    const real a = magnitude_to(11, x);
    const exponential minus_2u = gelu_tanh_exp(a);
    const real e = exp_times(minus_2u, 1);
    return (x > 0 ? x : exp_times(minus_2u, -a)) / (1 + e);
}

/* With e = exp(-2 |u|) and v = |2 x u'|, g = e (1 + e - v) / (1 + e)^2 for x < 0, 1 - g else. */
static real act_gelu_tanh_gradient(real x, real dy, float8 p)
{
    const real a = magnitude_to(11, x);
    const exponential minus_2u = gelu_tanh_exp(a);
    const real e = exp_times(minus_2u, 1), sum = 1 + e;
    const real v = a * (1.59576917f + 0.214064449f * (a * a));
    const real g = exp_times(minus_2u, (sum - v) / (sum * sum));
    return dy * (x > 0 ? 1 - g : g);
}

static real act_silu(real x, float8 p)
{
    const real a = magnitude_to(120, x), e = exp_scaled(exp_of(-a));
    return (x > 0 ? x : -a * e * 0x1p-64f) / (1 + e * 0x1p-64f);
}

/* As gelu_tanh, with v = |x|. */
static real act_silu_gradient(real x, real dy, float8 p)
{
    const real a = magnitude_to(120, x), e = exp_scaled(exp_of(-a)), sum = 1 + e * 0x1p-64f;
    const real g = e * ((sum - a) / (sum * sum));
    return dy * (x > 0 ? 1 - g * 0x1p-64f : g * 0x1p-64f);
}

/*
 * tanh(log(1 + w)) = ((1 + w)^2 - 1) / ((1 + w)^2 + 1) = w (2 + w) / d, d = 2 + 2 w + w^2, w = exp(x). For
 * x > 0 numerator and d are divided by w^2; for x < 0, (2 + w) / d = 1 - w (1 + w) / d, where the quotient is
 * small and so are its errors.
 */
static real act_mish(real x, float8 p)
{
    const real a = magnitude_to(120, x);
    const exponential minus_a = exp_of(-a);
    const real e = exp_times(minus_a, 1);
    const real above = x * ((1 + 2 * e) / (1 + 2 * e * (1 + e)));
    const real q = e * (1 + e);
    const real below = exp_times(minus_a, a * (q / (2 + (q + e))) - a);
    return x > 0 ? above : below;
}

/*
 * The derivative brought to one denominator: w (4 + 6 w + 4 w^2 + w^3 + 4 x (1 + w)) / d^2. For x > 0
 * numerator and denominator are divided by w^4; for x < 0 it is w (1 - (1 + w) / d (w - 4 x / d)).
 */
static real act_mish_gradient(real x, real dy, float8 p)
{
    const real a = magnitude_to(120, x);
    const exponential minus_a = exp_of(-a);
    const real e = exp_times(minus_a, 1);
    const real above = 1 + e * (4 + e * (6 + 4 * e + 4 * a * (1 + e)));
    const real above_denominator = 1 + 2 * e * (1 + e);
    const real reciprocal = 1 / (2 + e * (2 + e));
    const real below = 1 - (1 + e) * reciprocal * (e + 4 * a * reciprocal);
    return dy * (x > 0 ? above / (above_denominator * above_denominator) : exp_times(minus_a, below));
}

/*
 * Whether beta x > threshold, which the sign of a single rounding shows exactly. Where beta x underflows, a
 * threshold of 0 looks at x itself.
 */
static bool softplus_beyond(real x, real beta, real threshold)
{
    return fma(threshold == 0 ? 1 : beta, x, -threshold) > 0;
}

/*
 * exp(-|beta x|), but not less than exp(-limit). The rounding error of the product counts too. A very small
 * beta is scaled, so that limit / beta is finite.
 */
static exponential softplus_exp(real x, real beta, real limit)
{
    const real scale = beta < 0x1p-64f ? 0x1p-64f : 1, b = beta / scale;
    const real a = magnitude_to(limit / b, x * scale);
    const real hi = -b * a;
    return exp_of_sum(hi, fma(-b, a, -hi));
}

/*
 * max(x, 0) + log(1 + exp(-|beta x|)) / beta. With beta = m 2^k the power of two goes into exp's; the limit
 * is where the quotient is 0.
 */
static real act_softplus(real x, float8 p)
{
    const real beta = p.s0, threshold = p.s1;
    const int k = (as_int(beta) >> 23) - 127;
    const real m = as_float(as_int(beta) - (k << 23));
    const exponential minus_z = softplus_exp(x, beta, (152 - k) * 0.693147182f);
    const real scale = power_of_two(max(minus_z.power, -100)), e = scale + scale * minus_z.fraction;
    const real rest = exp_times_power(minus_z, log1p_ratio(e) / m, -k);
    return softplus_beyond(x, beta, threshold) ? x : (x > 0 ? x : 0) + rest;
}

static real act_softplus_gradient(real x, real dy, float8 p)
{
    const real w = exp_scaled(softplus_exp(x, p.s0, 120));
    const real quotient = (x > 0 ? 1 : w * 0x1p-64f) / (1 + w * 0x1p-64f);
    return softplus_beyond(x, p.s0, p.s1) ? dy : dy * quotient;
}

/* min(x, 0) - log(1 + exp(-|x|)). */
static real act_logsigmoid(real x, float8 p)
{
    const exponential minus_a = exp_of_minus(x);
    const real e = exp_times(minus_a, 1);
    return (x < 0 ? x : 0) - exp_times(minus_a, log1p_ratio(e));
}

static real act_logsigmoid_gradient(real x, real dy, float8 p)
{
    const real e = exp_times(exp_of_minus(x), 1);
    return dy * ((x < 0 ? 1 : e) / (1 + e));
}
