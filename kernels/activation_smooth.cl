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
    const real w = exp_times(exp_of(bounded(x, -120, 40)), 1);
    return w / (1 + w);
}

static real act_sigmoid_gradient(real x, real dy, float8 p)
{
    const real e = exp_times(exp_of_minus(x), 1);
    return dy * (e / ((1 + e) * (1 + e)));
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
    const real e4 = exp_times(exp_of_minus(2 * x), 4), sum = 1 + e4 / 4;
    return dy * (e4 / (sum * sum));
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
    const exponential e = exp_of(-magnitude_to(200, x));
    return x > 0 ? dy : dy * exp_times_any(e, alpha);
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
    return x > 0 ? x : e.power == 0 ? x + x * exp_tail(t) : far;
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
 * The normal distribution's lower tail Q(a) = erfc(a / sqrt(2)) / 2 is exp(-a^2 / 2) M(a), and a M(a) tends
 * to 1 / sqrt(2 pi). So with t = a / (a + c), M(a) = P(t) / (a + c) where P varies little, from 1.17 to 0.43:
 * a polynomial, off by less than 4e-9 for a <= 14.5, where Q(a) a is 0 in float32. c = 75 / 32 is one for
 * which the middle coefficient is close to a float32 number. The first use of such a variable for erfc:
 * Schonfelder, Mathematics of Computation 32, 1978.
 */
#define NORMAL_TAIL_C 2.34375f

static real normal_tail_ratio(real t)
{
    const real q = t - 0.5f;
    return 0.697532654f +
           q * (-0.80993259f +
                q * (0.398597836f +
                     q * (0.17492573f +
                          q * (-0.21377492f +
                               q * (-0.139510646f +
                                    q * (0.105329268f +
                                         q * (0.156395227f +
                                              q * (0.00233657495f +
                                                   q * (-0.119105496f + q * -0.0738903582f)))))))));
}

/* exp(-a^2 / 2): the square of the upper half is exact, and the rest is small. */
static exponential normal_density(real a)
{
    const real hi = upper_half(a);
    return exp_of_sum(-0.5f * (hi * hi), -0.5f * ((a - hi) * (a + hi)));
}

/*
 * max(x, 0) - a Q(a) with a = |x|. The rounding error of a + c, exact where a <= c, is made good: it moves t
 * by (1 - t) / c of itself, and a Q(a) by about 1 - 1.15 t of that.
 */
static real act_gelu(real x, float8 p)
{
    const real a = magnitude_to(14.5f, x);
    const real sum = a + NORMAL_TAIL_C, rest = a - (sum - NORMAL_TAIL_C);
    const real t = a / sum;
    exponential density = normal_density(a);
    density.fraction -= rest * ((1 - t) * (0.43f - 0.49f * t));
    return (x > 0 ? x : 0) - t * exp_times(density, normal_tail_ratio(t));
}

/* g = Q(a) - a exp(-a^2 / 2) / sqrt(2 pi) for x < 0, 1 - g else. */
static real act_gelu_gradient(real x, real dy, float8 p)
{
    const real a = magnitude_to(15, x);
    const real reciprocal = 1 / (a + NORMAL_TAIL_C);
    const real ratio = normal_tail_ratio(a * reciprocal) * reciprocal;
    const real g = exp_times(normal_density(a), ratio - 0.398942292f * a);
    return dy * (x > 0 ? 1 - g : g);
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
    const real a = magnitude_to(120, x);
    const exponential minus_a = exp_of(-a);
    const real e = exp_times(minus_a, 1);
    return (x > 0 ? x : exp_times(minus_a, -a)) / (1 + e);
}

/* As gelu_tanh, with v = |x|. */
static real act_silu_gradient(real x, real dy, float8 p)
{
    const real a = magnitude_to(120, x);
    const exponential minus_a = exp_of(-a);
    const real e = exp_times(minus_a, 1), sum = 1 + e;
    const real g = exp_times(minus_a, (sum - a) / (sum * sum));
    return dy * (x > 0 ? 1 - g : g);
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

/* beta x as a sum, and whether it is beyond the threshold. */
typedef struct softplus_argument {
    real hi, lo;
    bool beyond;
} softplus_argument;

/*
 * All four products are exact, and so is their sum with -threshold where it is close to 0: the comparison
 * decides as exact numbers do. Where beta x underflows, a threshold of 0 looks at x itself.
 */
static softplus_argument softplus_product(real x, real beta, real threshold)
{
    const real x_hi = upper_half(x), x_lo = x - x_hi, beta_hi = upper_half(beta), beta_lo = beta - beta_hi;
    const real hi = beta_hi * x_hi;
    const real margin = (((hi - threshold) + beta_hi * x_lo) + beta_lo * x_hi) + beta_lo * x_lo;
    const softplus_argument result = {hi, beta_hi * x_lo + beta_lo * x,
                                      threshold == 0 ? x > 0 : hi > FLT_MAX || margin > 0};
    return result;
}

/*
 * exp(-|beta x|); exp(-200) divided by the smallest beta is still 0. Where the lower part is large or NaN,
 * the upper is large.
 */
static exponential softplus_exp(softplus_argument z)
{
    const real lo = fabs(z.lo);
    return exp_of_sum(-magnitude_to(200, z.hi), lo < 1 ? -lo : -1);
}

/* max(x, 0) + log(1 + exp(-|beta x|)) / beta. */
static real act_softplus(real x, float8 p)
{
    const real beta = p.s0, threshold = p.s1;
    const softplus_argument z = softplus_product(x, beta, threshold);
    const exponential minus_z = softplus_exp(z);
    const real e = (1 + minus_z.fraction) * power_of_two(max(minus_z.power, -100));
    const real rest = exp_times_any(minus_z, log1p_ratio(e) / beta);
    return z.beyond ? x : (x > 0 ? x : 0) + rest;
}

static real act_softplus_gradient(real x, real dy, float8 p)
{
    const real beta = p.s0, threshold = p.s1;
    const softplus_argument z = softplus_product(x, beta, threshold);
    const real e = exp_times_any(softplus_exp(z), 1);
    return z.beyond ? dy : dy * ((x > 0 ? 1 : e) / (1 + e));
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
