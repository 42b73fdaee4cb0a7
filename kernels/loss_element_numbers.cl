/*
 * Losses of an element whose prediction is a number; see loss_element.cl.
 *
 * A distance p - t may be beyond the largest number where a loss of it is not. Then it is taken of p / 4 and
 * t / 4 (a quarter, since half a width goes off it as well); otherwise of p and t, lest a small one be lost.
 */

static real shrinking(element e)
{
    return isinf(e.p - e.t) ? 0.25f : 1;
}

/* (p - t)^2 */
static real loss_mse(element e)
{
    return (e.p * e.scale - e.t * e.scale) * (e.p - e.t);
}

static real loss_mse_gradient(element e)
{
    return 2 * (e.p * e.scale - e.t * e.scale);
}

static real loss_mse_dtarget(element e)
{
    return -loss_mse_gradient(e);
}

/* |p - t| */
static real loss_l1(element e)
{
    return fabs(e.p * e.scale - e.t * e.scale);
}

static real loss_l1_gradient(element e)
{
    return e.p > e.t ? e.scale : e.p < e.t ? -e.scale : e.p - e.t; /* 0, or NaN between equal infinities */
}

static real loss_l1_dtarget(element e)
{
    return -loss_l1_gradient(e);
}

/* slope (|p - t| - width / 2) * scale, for |p - t| at least the width. */
static real beyond_width(element e, real width, real slope)
{
    const real q = shrinking(e);
    return (fabs(e.p * q - e.t * q) - width * (q / 2)) * e.scale * slope / q;
}

/* (p - t)^2 / 2 within delta, delta (|p - t| - delta / 2) beyond */
static real loss_huber(element e)
{
    const real delta = e.a.s0, d = e.p - e.t;
    return fabs(d) <= delta ? (d * e.scale) * (d * 0.5f) : beyond_width(e, delta, delta);
}

static real loss_huber_gradient(element e)
{
    const real delta = e.a.s0, d = e.p - e.t;
    return (d > delta ? delta : d < -delta ? -delta : d) * e.scale;
}

static real loss_huber_dtarget(element e)
{
    return -loss_huber_gradient(e);
}

/* (p - t)^2 / (2 beta) within beta, |p - t| - beta / 2 beyond; l1 where beta is 0 */
static real loss_smooth_l1(element e)
{
    const real beta = e.a.s0, d = e.p - e.t;
    return fabs(d) < beta ? (d / beta) * e.scale * (d * 0.5f) : beyond_width(e, beta, 1);
}

static real loss_smooth_l1_gradient(element e)
{
    const real beta = e.a.s0, d = e.p - e.t;
    return fabs(d) < beta ? d / beta * e.scale : loss_l1_gradient(e);
}

static real loss_smooth_l1_dtarget(element e)
{
    return -loss_smooth_l1_gradient(e);
}

/* log(p + eps), also where p + eps is close to 1, and its rounding error is not small beside the logarithm.
 */
static real log_of_sum(real p, real eps)
{
    sum s = {p, 0};
    sum_add(&s, eps);
    return isfinite(s.value) && s.value > 0 ? log(s.value) + s.error / s.value : log(s.value);
}

/* exp(p) * scale, also where exp(p) alone is beyond the largest number. */
static real scaled_exp(real p, real scale)
{
    const real root = exp(p / 2);
    return p > 80 ? root * scale * root : exp(p) * scale;
}

/*
 * log_input: exp(p) - t p, else p - t log(p + eps). full: Stirling's approximation of log t!, where t > 1:
 * t log t - t + log(2 pi t) / 2. An infinite rate outweighs its logarithm.
 */
static real loss_poisson_nll(element e)
{
    const bool log_input = e.a.s0 != 0, full = e.a.s1 != 0;
    const real eps = e.a.s2, half_log_two_pi = 0.918938533f;
    const real rate = log_input ? scaled_exp(e.p, e.scale) : e.p * e.scale;
    const real log_rate = log_input ? e.p : log_of_sum(e.p, eps);
    real value = rate == INFINITY ? rate : rate - times(e.t * e.scale, log_rate);
    if (full && e.t > 1)
        value += (e.t * e.scale) * (log(e.t) - 1) + (log(e.t) * 0.5f + half_log_two_pi) * e.scale;
    return value;
}

static real loss_poisson_nll_gradient(element e)
{
    const bool log_input = e.a.s0 != 0;
    const real eps = e.a.s2;
    if (log_input)
        return scaled_exp(e.p, e.scale) - e.t * e.scale;
    return e.t == 0 ? e.scale : e.scale - e.t * e.scale / (e.p + eps);
}

static real loss_poisson_nll_dtarget(element e)
{
    const bool log_input = e.a.s0 != 0, full = e.a.s1 != 0;
    const real eps = e.a.s2;
    const real stirling = full && e.t > 1 ? log(e.t) + 0.5f / e.t : 0;
    return (stirling - (log_input ? e.p : log_of_sum(e.p, eps))) * e.scale;
}

/* The variance, at least eps. */
static real variance(element e)
{
    const real eps = e.a.s1;
    return e.o < eps ? eps : e.o;
}

/* (log v + (p - t)^2 / v) / 2; full: + log(2 pi) / 2 */
static real loss_gaussian_nll(element e)
{
    const bool full = e.a.s0 != 0;
    const real v = variance(e), q = shrinking(e), d = e.p * q - e.t * q, half_log_two_pi = 0.918938533f;
    const real square = (d / v) * e.scale * d / (q * q) * 0.5f;
    return square + (log(v) * 0.5f + (full ? half_log_two_pi : 0)) * e.scale;
}

static real loss_gaussian_nll_gradient(element e)
{
    const real q = shrinking(e);
    return (e.p * q - e.t * q) / variance(e) * (e.scale / q);
}

static real loss_gaussian_nll_dtarget(element e)
{
    return -loss_gaussian_nll_gradient(e);
}

/* (1 - (p - t)^2 / v) / (2 v), in this form lest the square be too large. PyTorch lets it pass eps too. */
static real loss_gaussian_nll_dother(element e)
{
    const real v = variance(e), q = shrinking(e), ratio = (e.p * q - e.t * q) / v;
    return 0.5f * (e.scale / v - ratio * e.scale * ratio / (q * q));
}

/* p where t = 1, max(0, margin - p) where t = -1, both elsewhere */
static real loss_hinge_embedding(element e)
{
    const real margin = e.a.s0, gap = margin * e.scale - e.p * e.scale;
    return (e.t == -1 ? 0 : e.p * e.scale) + (e.t == 1 || gap <= 0 ? 0 : gap);
}

static real loss_hinge_embedding_gradient(element e)
{
    const real margin = e.a.s0;
    const real positive = e.t == -1 ? 0 : e.scale, negative = e.t == 1 || e.p >= margin ? 0 : e.scale;
    return positive - negative;
}

/*
 * margin - t (p - o), with all that its products and sums have lost by rounding gathered: where it is 0 the
 * gradient jumps.
 */
static real ranking_gap(real p, real o, real t, real margin)
{
    sum gap = {margin, 0};
    sum_add(&gap, times(-t, p));
    sum_add(&gap, times(t, o));
    sum_add(&gap, product_error(-t, p));
    sum_add(&gap, product_error(t, o));
    const real result = sum_result(gap);
    return isnan(result) ? margin - times(t, p - o) : result; /* both products too large */
}

/* max(0, margin - t (p - o)) */
static real loss_margin_ranking(element e)
{
    const real margin = e.a.s0;
    const real gap = ranking_gap(e.p * e.scale, e.o * e.scale, e.t, margin * e.scale);
    return gap <= 0 ? 0 : gap;
}

static real loss_margin_ranking_dother(element e)
{
    const real margin = e.a.s0, gap = ranking_gap(e.p, e.o, e.t, margin);
    return gap <= 0 ? 0 : gap > 0 ? e.t * e.scale : gap;
}

static real loss_margin_ranking_gradient(element e)
{
    return -loss_margin_ranking_dother(e);
}
