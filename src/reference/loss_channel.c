/*
 * Losses of one column of class scores: the target is a class index or, for the cross entropy, a weight of
 * each class. Class i is at [i * stride]; p is the prediction, w the classes' weights.
 */
#include "loss_formula.h"

static double class_weight(const loss_row *r, size_t i)
{
    return r->w != NULL ? r->w[i] : 1;
}

/*
 * The shifted log-sum-exp of Blanchard, Higham, Higham, "Accurately computing the log-sum-exp and softmax
 * functions", 2021: log(sum exp p) = largest + log1p(rest), where rest is the sum of exp(p - largest) over
 * all classes but the largest one. Nothing overflows, and a small rest is not lost beside 1.
 */
typedef struct shifted {
    size_t at; /* the first largest logit */
    double largest;
    double rest;
} shifted;

static shifted shift(const loss_row *r)
{
    shifted s = {.largest = -INFINITY};
    for (size_t i = 0; i < r->classes; i++) {
        if (r->p[i * r->stride] > s.largest) {
            s.largest = r->p[i * r->stride];
            s.at = i;
        }
    }
    for (size_t i = 0; i < r->classes; i++)
        if (i != s.at)
            s.rest += exp(r->p[i * r->stride] - s.largest);
    return s;
}

static double softmax(const loss_row *r, const shifted *s, size_t i)
{
    return exp(r->p[i * r->stride] - s->largest) / (1 + s->rest);
}

/* 1 - softmax, which for a confident answer would cancel to 0. */
static double other_softmax(const loss_row *r, const shifted *s, size_t i)
{
    return i == s->at ? s->rest / (1 + s->rest) : 1 - softmax(r, s, i);
}

/* -log softmax, that is log(sum exp p) - p_i. */
static double surprise(const loss_row *r, const shifted *s, size_t i)
{
    return log1p(s->rest) + (s->largest - r->p[i * r->stride]);
}

/* A logit of +inf, or nothing but -inf, leaves a softmax without a value. */
static bool has_softmax(const shifted *s)
{
    return !isinf(s->largest);
}

bool clgrad_ref_loss_has_softmax(const loss_row *r)
{
    const shifted s = shift(r);
    return has_softmax(&s);
}

static double no_softmax(const loss_row *r)
{
    for (size_t i = 0; i < r->classes; i++) {
        loss_put(r->dp, i * r->stride, NAN);
        loss_put(r->dt, i * r->stride, NAN);
    }
    return NAN;
}

/* PyTorch 2, nn.CrossEntropyLoss: the target's share of a class, once label_smoothing of it is spread. */
static double smoothed_target(const loss_row *r, size_t i)
{
    const double smoothing = r->loss->label_smoothing;
    const double t = r->t != NULL ? r->t[i * r->stride] : i == (size_t)r->y[0] ? 1 : 0;
    return (1 - smoothing) * t + smoothing / (double)r->classes;
}

/*
 * PyTorch 2, nn.CrossEntropyLoss: -sum w s log softmax(p), with s the smoothed target. Its derivative by p_i,
 * softmax_i (sum w s) - w_i s_i, would cancel near a confident, right answer, so it is taken as softmax_i
 * (sum of the other w s) - w_i s_i (sum of the other softmax), which is the same as softmax sums to 1.
 */
double clgrad_ref_loss_cross_entropy(const loss_row *r)
{
    const shifted s = shift(r);
    if (!has_softmax(&s))
        return no_softmax(r);
    double sum = 0, total = 0;
    for (size_t i = 0; i < r->classes; i++) {
        const double share = class_weight(r, i) * smoothed_target(r, i);
        sum += loss_weighted(share, surprise(r, &s, i));
        total += share;
    }
    for (size_t i = 0; i < r->classes; i++) {
        const double share = class_weight(r, i) * smoothed_target(r, i);
        loss_put(r->dp, i * r->stride, softmax(r, &s, i) * (total - share) - share * other_softmax(r, &s, i));
        loss_put(
            r->dt, i * r->stride,
            loss_weighted((1 - (double)r->loss->label_smoothing) * class_weight(r, i), surprise(r, &s, i)));
    }
    return sum;
}

/* PyTorch 2, nn.NLLLoss: -w_y p_y, which no other class has a part in. */
double clgrad_ref_loss_nll(const loss_row *r)
{
    const size_t y = (size_t)r->y[0];
    for (size_t i = 0; i < r->classes; i++)
        loss_put(r->dp, i * r->stride, i == y ? -class_weight(r, y) : 0);
    return -class_weight(r, y) * r->p[y * r->stride];
}

/*
 * Lin et al., "Focal loss for dense object detection", 2017, equation 4, with a softmax instead of a sigmoid:
 * -w_y (1 - q)^gamma log q for q = softmax(p)_y. By the logit p_j, q has the derivative q ([j = y] -
 * softmax_j), which gives the loss's: w_y (1 - q)^gamma (1 - gamma q log q / (1 - q)) (softmax_j - [j = y]).
 */
double clgrad_ref_loss_focal(const loss_row *r)
{
    const shifted s = shift(r);
    if (!has_softmax(&s))
        return no_softmax(r);
    const size_t y = (size_t)r->y[0];
    const double gamma = r->loss->gamma, minus_log_q = surprise(r, &s, y);
    const double q = softmax(r, &s, y), missed = other_softmax(r, &s, y);
    /* -log q / (1 - q) is 1 where q is */
    const double steepness = missed == 0 ? 1 : loss_weighted(q, minus_log_q) / missed;
    const double factor = class_weight(r, y) * pow(missed, gamma);
    for (size_t i = 0; i < r->classes; i++)
        loss_put(r->dp, i * r->stride,
                 factor * (1 + gamma * steepness) * (i == y ? -missed : softmax(r, &s, i)));
    return loss_weighted(factor, minus_log_q);
}
