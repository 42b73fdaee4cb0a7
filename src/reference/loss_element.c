/*
 * Losses of one element, with p the prediction, t the target, o the other and w the weight. Unless another
 * source is named, a formula is that of the documentation of PyTorch 2, and its derivatives are taken by
 * hand.
 */
#include "loss_formula.h"

/* nn.MSELoss: (p - t)^2. */
loss_element_result clgrad_ref_loss_mse(loss_element e)
{
    const double difference = e.p - e.t;
    return (loss_element_result){difference * difference, 2 * difference, -2 * difference, 0};
}

/* nn.L1Loss: |p - t|. */
loss_element_result clgrad_ref_loss_l1(loss_element e)
{
    const double sign = loss_sign(e.p - e.t); /* NaN for infinities that cancel */
    return (loss_element_result){fabs(e.p - e.t), sign, -sign, 0};
}

/*
 * nn.HuberLoss; Huber, "Robust estimation of a location parameter", 1964: half the square up to delta, from
 * there on the line that continues it.
 */
loss_element_result clgrad_ref_loss_huber(loss_element e)
{
    const double difference = e.p - e.t, delta = e.loss->delta;
    const bool parabola = fabs(difference) <= delta;
    const double slope = parabola ? difference : delta * loss_sign(difference);
    const double value = parabola ? difference * difference / 2 : delta * (fabs(difference) - delta / 2);
    return (loss_element_result){value, slope, -slope, 0};
}

/* nn.SmoothL1Loss; Girshick, "Fast R-CNN", 2015: Huber's over beta, and nn.L1Loss for beta 0. */
loss_element_result clgrad_ref_loss_smooth_l1(loss_element e)
{
    const double difference = e.p - e.t, beta = e.loss->beta;
    const bool parabola = fabs(difference) < beta;
    const double slope = parabola ? difference / beta : loss_sign(difference);
    const double value = parabola ? difference * difference / (2 * beta) : fabs(difference) - beta / 2;
    return (loss_element_result){value, slope, -slope, 0};
}

/*
 * nn.KLDivLoss, p a log-probability; Kullback and Leibler, "On information and sufficiency", 1951. The limit
 * of t log t at 0 is 0; the whole term is left out there, its derivatives with it.
 */
loss_element_result clgrad_ref_loss_kl_div(loss_element e)
{
    const double probability = e.loss->log_target ? exp(e.t) : e.t;
    const double log_ratio = e.loss->log_target ? e.t - e.p : log(e.t) - e.p;
    if (e.t == (e.loss->log_target ? -INFINITY : 0))
        return (loss_element_result){0};
    return (loss_element_result){probability * log_ratio, -probability,
                                 (e.loss->log_target ? probability : 1) * (log_ratio + 1), 0};
}

/* The same with p a probability. */
loss_element_result clgrad_ref_loss_kl_div_probability(loss_element e)
{
    if (e.t == 0)
        return (loss_element_result){0};
    return (loss_element_result){e.t * (log(e.t) - log(e.p)), -e.t / e.p, 0, 0};
}

static bool is_probability(double p)
{
    return p >= 0 && p <= 1;
}

static double at_least_minus_100(double logarithm)
{
    return fmax(logarithm, -100);
}

static const loss_element_result no_loss = {NAN, NAN, NAN, NAN};

/*
 * nn.BCELoss: -w (t log p + (1 - t) log(1 - p)), with the logarithms clamped at -100; in its derivative by p
 * the denominator is clamped at 1e-12, and that by t does without a clamp. Outside of 0 to 1 there is no
 * loss.
 */
loss_element_result clgrad_ref_loss_bce(loss_element e)
{
    if (!is_probability(e.p))
        return no_loss;
    const double log_p = log(e.p), log_rest = log1p(-e.p);
    return (loss_element_result){
        -e.w * (e.t * at_least_minus_100(log_p) + (1 - e.t) * at_least_minus_100(log_rest)),
        e.w * (e.p - e.t) / fmax(e.p * (1 - e.p), 1e-12), e.w * (log_rest - log_p), 0};
}

/*
 * Xie and Tu, "Holistically-nested edge detection", 2015, equation 2: alpha weights the positive term and
 * 1 - alpha the negative one. Clamped as nn.BCELoss.
 */
loss_element_result clgrad_ref_loss_bce_balanced(loss_element e)
{
    const double positive = e.loss->alpha * e.t, negative = (1 - (double)e.loss->alpha) * (1 - e.t);
    if (!is_probability(e.p))
        return no_loss;
    return (loss_element_result){
        -(positive * at_least_minus_100(log(e.p)) + negative * at_least_minus_100(log1p(-e.p))),
        (negative * e.p - positive * (1 - e.p)) / fmax(e.p * (1 - e.p), 1e-12), 0, 0};
}

/*
 * nn.BCEWithLogitsLoss: -w (pos_weight t log s + (1 - t) log(1 - s)) with s the sigmoid of p, whose
 * logarithms are -softplus(-p) and -softplus(p). Those differ by p, which is taken out of the derivative by
 * t, so that it does not cancel.
 */
loss_element_result clgrad_ref_loss_bce_with_logits(loss_element e)
{
    const double positive = e.pos_weight * e.t, negative = 1 - e.t;
    const double linear = e.p >= 0 ? e.p : loss_weighted(e.pos_weight, e.p);
    return (loss_element_result){
        e.w * (loss_weighted(positive, loss_softplus(-e.p)) + loss_weighted(negative, loss_softplus(e.p))),
        e.w * (negative * loss_sigmoid(e.p) - positive * loss_sigmoid(-e.p)),
        e.w * ((e.pos_weight - 1) * loss_softplus(-fabs(e.p)) - linear), 0};
}

/* Stirling's approximation of log t!, which nn.PoissonNLLLoss adds for t above 1, and its derivative. */
static double log_factorial(double t)
{
    const double pi = 3.14159265358979323846;
    return t * log(t) - t + log(2 * pi * t) / 2;
}

static double log_factorial_derivative(double t)
{
    return log(t) + 1 / (2 * t);
}

/* nn.PoissonNLLLoss: the rate is exp(p), or p itself with eps added inside the logarithm. */
loss_element_result clgrad_ref_loss_poisson_nll(loss_element e)
{
    const bool stirling = e.loss->full && e.t > 1;
    const double constant = stirling ? log_factorial(e.t) : 0;
    const double constant_slope = stirling ? log_factorial_derivative(e.t) : 0;
    const double rate = e.loss->log_input ? exp(e.p) : e.p;
    const double shifted = e.p + (double)e.loss->eps;
    const double log_rate = e.loss->log_input ? e.p : log(shifted);
    /* a rate beyond all numbers outweighs its logarithm */
    const double value = rate == INFINITY && isfinite(e.t) ? INFINITY : rate - loss_weighted(e.t, log_rate);
    const double slope = e.loss->log_input ? rate - e.t : 1 - loss_weighted(e.t, 1 / shifted);
    return (loss_element_result){value + constant, slope, constant_slope - log_rate, 0};
}

/*
 * nn.GaussianNLLLoss, with v the variance o, at least eps: (log v + (p - t)^2 / v) / 2, and half of
 * log(2 pi) for full; Nix and Weigend, "Estimating the mean and variance of the target probability
 * distribution", 1994. PyTorch clamps the variance outside of its graph: the derivative by o is that by v.
 */
loss_element_result clgrad_ref_loss_gaussian_nll(loss_element e)
{
    const double pi = 3.14159265358979323846;
    const double v = fmax(e.o, e.loss->eps), difference = e.p - e.t;
    const double constant = e.loss->full ? log(2 * pi) / 2 : 0;
    return (loss_element_result){(log(v) + difference * difference / v) / 2 + constant, difference / v,
                                 -difference / v, (1 - difference * difference / v) / (2 * v)};
}

/* nn.HingeEmbeddingLoss: the distance p itself for t = 1, what it lacks of the margin for t = -1. */
loss_element_result clgrad_ref_loss_hinge_embedding(loss_element e)
{
    const double lacking = e.loss->margin - e.p;
    const double alike = e.t != -1 ? 1 : 0, unlike = e.t != 1 ? 1 : 0; /* both for any other t */
    return (loss_element_result){loss_weighted(alike, e.p) +
                                     loss_weighted(unlike, loss_positive_part(lacking)),
                                 alike - unlike * loss_positive_slope(lacking), 0, 0};
}

/* nn.SoftMarginLoss: log(1 + exp(-t p)). */
loss_element_result clgrad_ref_loss_soft_margin(loss_element e)
{
    const double against = -loss_weighted(e.t, e.p);
    return (loss_element_result){loss_softplus(against), -e.t * loss_sigmoid(against), 0, 0};
}

/* nn.MarginRankingLoss: max(0, -t (p - o) + margin). */
loss_element_result clgrad_ref_loss_margin_ranking(loss_element e)
{
    const double lacking = e.loss->margin - loss_weighted(e.t, e.p - e.o);
    const double slope = loss_weighted(e.t, loss_positive_slope(lacking));
    return (loss_element_result){loss_positive_part(lacking), -slope, 0, slope};
}

/*
 * Lin et al., "Focal loss for dense object detection", 2017, equation 5, for targets from 0 to 1: the binary
 * cross entropy c times (1 - q)^gamma, q the probability given to what is true, times alpha for the positive
 * and 1 - alpha for the negative (no such factor for a negative alpha). With s the sigmoid of p, its
 * derivative is s (1 - s), so that q's is (2 t - 1) s (1 - s) and c's is s - t.
 */
loss_element_result clgrad_ref_loss_sigmoid_focal(loss_element e)
{
    const double alpha = e.loss->alpha, gamma = e.loss->gamma;
    const double s = loss_sigmoid(e.p), rest = loss_sigmoid(-e.p);
    const double c = loss_weighted(e.t, loss_softplus(-e.p)) + loss_weighted(1 - e.t, loss_softplus(e.p));
    const double missed = s * (1 - e.t) + rest * e.t; /* 1 - q */
    const double factor = (alpha < 0 ? 1 : alpha * e.t + (1 - alpha) * (1 - e.t)) * pow(missed, gamma);
    /* q' / (1 - q); with a hard target one of s and 1 - s cancels, which may both be 0 */
    const double growth = e.t == 1 ? s : e.t == 0 ? -rest : (2 * e.t - 1) * s * rest / missed;
    return (loss_element_result){
        factor == 0 ? 0 : factor * c,
        factor == 0 ? 0 : factor * ((1 - e.t) * s - e.t * rest - loss_weighted(gamma * growth, c)), 0, 0};
}
