/*
 * Losses of an element whose prediction is a probability, its logarithm or a logit; see loss_element.cl.
 */

/* exp(t) d * scale, also where exp(t) alone vanishes beside a large d; what has no probability does not
 * count. */
static real times_probability(element e, real d)
{
    const real root = exp(e.t / 2);
    if (root == 0)
        return isinf(e.p) && !isinf(e.t) ? d : 0;
    return d * root * e.scale * root;
}

/* t (log t - p), 0 where t = 0; log_target: exp(t) (t - p), 0 where t = -inf */
static real loss_kl_div(element e)
{
    const bool log_target = e.a.s0 != 0;
    if (log_target)
        return times_probability(e, e.t - e.p);
    return e.t == 0 ? 0 : (e.t * e.scale) * (log_of(e.t) - e.p);
}

static real loss_kl_div_gradient(element e)
{
    const bool log_target = e.a.s0 != 0;
    return -(log_target ? exp(e.t) : e.t) * e.scale;
}

static real loss_kl_div_dtarget(element e)
{
    const bool log_target = e.a.s0 != 0;
    if (log_target)
        return times_probability(e, e.t - e.p + 1);
    return e.t == 0 ? 0 : (log_of(e.t) - e.p + 1) * e.scale;
}

/* t (log t - log p), 0 where t = 0 */
static real loss_kl_div_probability(element e)
{
    return e.t == 0 ? 0 : (e.t * e.scale) * (log_of(e.t) - log_of(e.p));
}

static real loss_kl_div_probability_gradient(element e)
{
    return e.t == 0 ? 0 : -e.t * e.scale / e.p;
}

/* ---- binary cross-entropy of probabilities ---- */

/* A logarithm that stops at -100, as PyTorch's nn.BCELoss has it; NaN stays NaN, which fmax would hide. */
static real clamp_log(real logarithm)
{
    return logarithm < -100 ? -100 : logarithm;
}

/* log(1 - p): what rounding has taken from 1 - p is exact where it matters, and goes in to first order. */
static real log_of_rest(real p)
{
    const real rest = 1 - p, error = (1 - rest) - p;
    return log_of(rest) + (rest > 0 && p > -1 ? error / rest : 0);
}

static real cross_entropy_of(real p, real t, real positive, real negative)
{
    return -(positive * t * clamp_log(log_of(p)) + negative * (1 - t) * clamp_log(log_of_rest(p)));
}

/* p (1 - p) away from 0, as PyTorch's gradient has it; NaN where p is no probability. */
static real bce_denominator(real p)
{
    const real product = p * (1 - p);
    return !(p >= 0 && p <= 1) ? NAN : product < 1e-12f ? 1e-12f : product;
}

/* -(t log p + (1 - t) log(1 - p)) */
static real loss_bce(element e)
{
    return cross_entropy_of(e.p, e.t, e.scale, e.scale);
}

static real loss_bce_gradient(element e)
{
    return (e.p - e.t) / bce_denominator(e.p) * e.scale;
}

/* Without the clamp, as in PyTorch. */
static real loss_bce_dtarget(element e)
{
    return (log_of_rest(e.p) - log_of(e.p)) * e.scale;
}

/* -(alpha t log p + (1 - alpha) (1 - t) log(1 - p)) */
static real loss_bce_balanced(element e)
{
    const real alpha = e.a.s0;
    return cross_entropy_of(e.p, e.t, alpha * e.scale, (1 - alpha) * e.scale);
}

static real loss_bce_balanced_gradient(element e)
{
    const real alpha = e.a.s0;
    return ((1 - alpha) * (1 - e.t) * e.p - alpha * e.t * (1 - e.p)) / bce_denominator(e.p) * e.scale;
}

/* ---- losses of logits ---- */

/* log(1 + exp(x)) and its derivative, by the exponential of a negative number: both tails stay exact. */
static real softplus(real x)
{
    const real tail = exp_times(exp_of_minus(x), 1);
    return (x > 0 ? x : 0) + tail * log1p_ratio(tail);
}

static real logistic(real x)
{
    const real tail = exp_times(exp_of_minus(x), 1);
    return (x >= 0 ? 1 : tail) / (1 + tail);
}

/* pos_weight t log(1 + exp(-p)) + (1 - t) (p + log(1 + exp(-p))); the last factor is softplus(p) */
static real loss_bce_with_logits(element e)
{
    return times(e.pos_weight * e.t * e.scale, softplus(-e.p)) + times((1 - e.t) * e.scale, softplus(e.p));
}

static real loss_bce_with_logits_gradient(element e)
{
    return (1 - e.t) * e.scale * logistic(e.p) - e.pos_weight * e.t * e.scale * logistic(-e.p);
}

/* Without a pos_weight softplus(-p) - softplus(p), which is -p. */
static real loss_bce_with_logits_dtarget(element e)
{
    const real difference = e.pos_weight * e.scale * softplus(-e.p) - e.scale * softplus(e.p);
    return e.pos_weight == 1 ? -e.p * e.scale : difference;
}

/* log(1 + exp(-t p)), with the product's rounding error, which a large exponent would show. */
static real loss_soft_margin(element e)
{
    const real x = times(-e.t, e.p);
    return (softplus(x) + product_error(-e.t, e.p) * logistic(x)) * e.scale;
}

static real loss_soft_margin_gradient(element e)
{
    const real x = times(-e.t, e.p);
    return -e.t * logistic(x) * (1 + product_error(-e.t, e.p) * logistic(-x)) * e.scale;
}

/*
 * Focal loss (Lin et al. 2017): a (1 - q)^gamma c, q the probability that goes to the target, c its
 * cross-entropy. With tail = exp(-|p|), and far and near the shares of the target on the side that p speaks
 * for and on the other,
 *
 *     1 - q = (far tail + near) / (1 + tail),  q = (far + near tail) / (1 + tail),
 *
 * sums of positive terms both, so that the power keeps its relative accuracy.
 */
typedef struct focal {
    real tail, far, near;
    real weight;  /* a (1 - q)^gamma, times scale */
    real entropy; /* c */
} focal;

static focal focal_parts(element e)
{
    const real alpha = e.a.s0, gamma = e.a.s1;
    focal f;
    f.tail = exp(-fabs(e.p));
    f.far = e.p >= 0 ? e.t : 1 - e.t;
    f.near = e.p >= 0 ? 1 - e.t : e.t;
    const real wrong = (f.far * f.tail + f.near) / (1 + f.tail);
    const real right = (f.far + f.near * f.tail) / (1 + f.tail);
    real power;
    if (gamma == 0)
        power = 1;
    else if (gamma == 1)
        power = wrong;
    else if (gamma == 2)
        power = wrong * wrong;
    else if (wrong > 0.5f)
        power = exp(gamma * log1p(-right)); /* wrong may be 1 rounded, and gamma large */
    else
        power = pow(wrong, gamma);
    f.weight = (alpha < 0 ? 1 : alpha * e.t + (1 - alpha) * (1 - e.t)) * power * e.scale;
    f.entropy = times(e.t, softplus(-e.p)) + times(1 - e.t, softplus(e.p));
    return f;
}

static real loss_sigmoid_focal(element e)
{
    const focal f = focal_parts(e);
    return times(f.weight, f.entropy);
}

/*
 * a (1 - q)^gamma (gamma c (1 - q)' / (1 - q) + c'), where with s = 1 / (1 + exp(-p))
 *
 *     (1 - q)' / (1 - q) = (1 - 2 t) s (1 - s) / (1 - q) = (1 - 2 t) tail / ((far tail + near) (1 + tail)),
 *     c' = s - t = (near - far tail) / (1 + tail), with the sign of p.
 *
 * Where near is 0, tail, which may have vanished, goes out of the first.
 */
static real loss_sigmoid_focal_gradient(element e)
{
    const real gamma = e.a.s1;
    const focal f = focal_parts(e);
    const real numerator = f.near == 0 ? 1 : f.tail;
    const real denominator = f.near == 0 ? f.far : f.far * f.tail + f.near;
    const real ratio = numerator / (denominator * (1 + f.tail));
    const real direction = (e.p >= 0 ? f.near - f.far * f.tail : f.far * f.tail - f.near) / (1 + f.tail);
    return f.weight * (gamma * (1 - 2 * e.t) * times(ratio, f.entropy) + direction);
}
