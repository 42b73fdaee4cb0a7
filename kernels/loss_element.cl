/*
 * Losses with a value for every element. loss_NAME is the value times scale (a power of two that keeps a mean
 * from overflowing before it is divided), loss_NAME_gradient its derivative by the prediction, likewise times
 * scale. a holds the parameters in the order of the list in include/clgrad/loss.h.
 */

static real loss_mse(real p, real t, real scale, float8 a)
{
    return (p * scale - t * scale) * (p - t);
}

static real loss_mse_gradient(real p, real t, real scale, float8 a)
{
    return 2 * (p * scale - t * scale);
}

static real loss_l1(real p, real t, real scale, float8 a)
{
    return fabs(p * scale - t * scale);
}

static real loss_l1_gradient(real p, real t, real scale, float8 a)
{
    return p > t ? scale : p < t ? -scale : p - t; /* 0, or NaN: also between equal infinities */
}

/* x, unless one of the two is NaN, which comes out then. */
static real unless_nan(real x, real p, real t)
{
    return isnan(p) || isnan(t) ? p + t : x;
}

static real loss_kl_div(real p, real t, real scale, float8 a)
{
    return t == 0 ? unless_nan(0, p, t) : (t * scale) * (log(t) - p);
}

static real loss_kl_div_gradient(real p, real t, real scale, float8 a)
{
    return unless_nan(-t * scale, p, t);
}

static real loss_kl_div_probability(real p, real t, real scale, float8 a)
{
    return t == 0 ? unless_nan(0, p, t) : (t * scale) * (log(t) - log(p));
}

static real loss_kl_div_probability_gradient(real p, real t, real scale, float8 a)
{
    return t == 0 ? unless_nan(0, p, t) : -t * scale / p;
}

/* A logarithm that stops at -100, as PyTorch's nn.BCELoss has it; NaN stays NaN, which fmax would hide. */
static real clamp_log(real logarithm)
{
    return logarithm < -100 ? -100 : logarithm;
}

static real bce(real p, real t, real positive, real negative)
{
    return -(positive * t * clamp_log(log(p)) + negative * (1 - t) * clamp_log(log1p(-p)));
}

/* p (1 - p) away from 0, as PyTorch's gradient has it; NaN where p is no probability. */
static real bce_denominator(real p)
{
    const real product = p * (1 - p);
    return !(p >= 0 && p <= 1) ? NAN : product < 1e-12f ? 1e-12f : product;
}

static real loss_bce(real p, real t, real scale, float8 a)
{
    return bce(p, t, scale, scale);
}

static real loss_bce_gradient(real p, real t, real scale, float8 a)
{
    return (p - t) / bce_denominator(p) * scale;
}

static real loss_bce_balanced(real p, real t, real scale, float8 a)
{
    const real alpha = a.s0;
    return bce(p, t, alpha * scale, (1 - alpha) * scale);
}

static real loss_bce_balanced_gradient(real p, real t, real scale, float8 a)
{
    const real alpha = a.s0;
    return ((1 - alpha) * (1 - t) * p - alpha * t * (1 - p)) / bce_denominator(p) * scale;
}

/* The host names the one that a program is built for: LOSS, loss_mse say. */
#define LOSS_GRADIENT JOIN(LOSS, _gradient)

/*
 * Every group takes share elements, adds up their values in an order that depends on n and the grid alone,
 * and writes total * total_scale to totals[group] (WANT_TOTAL); or each value goes to values (WANT_VALUES).
 * Values and gradients are taken times term_scale. With WANT_GRADIENT the gradient times gradient_scale, and
 * times the upstream gradient where there is one: a number for each element (UPSTREAM_EACH) or for all
 * (UPSTREAM_ONE). dprediction may be prediction.
 */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
loss_element(ulong n, ulong share, int wants, real term_scale, __global const storage *prediction,
             ulong prediction_at, __global const storage *target, ulong target_at, float8 a,
             __global storage *values, ulong values_at, __global storage *totals, ulong totals_at,
             real total_scale, __global const storage *upstream, ulong upstream_at,
             __global storage *dprediction, ulong dprediction_at, real gradient_scale)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0);
    const real common = wants & UPSTREAM_ONE ? gradient_scale * LOAD(upstream, upstream_at) : gradient_scale;

    sum total = {0, 0};
    const size_t first = get_group_id(0) * share, end = min(n, (ulong)(first + share));
    for (size_t i = first + item; i < end; i += GROUP_SIZE) {
        const real p = LOAD(prediction, prediction_at + i), t = LOAD(target, target_at + i);
        if (wants & (WANT_TOTAL | WANT_VALUES)) {
            const real value = LOSS(p, t, term_scale, a);
            if (wants & WANT_VALUES)
                STORE(values, values_at + i, value);
            sum_add(&total, value);
        }
        if (wants & WANT_GRADIENT) {
            const real scale = wants & UPSTREAM_EACH ? common * LOAD(upstream, upstream_at + i) : common;
            STORE(dprediction, dprediction_at + i, LOSS_GRADIENT(p, t, term_scale, a) * scale);
        }
    }

    const real result = sum_lanes(shared, item, item, GROUP_SIZE, sum_result(total));
    if ((wants & WANT_TOTAL) && item == 0)
        STORE(totals, totals_at + get_group_id(0), result * total_scale);
}
