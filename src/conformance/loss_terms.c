/*
 * How large the numbers are that a loss adds up: what "Accuracy" in loss.h multiplies the bound by. Most
 * losses have but one term, or terms of one sign, whose sum is the result itself; the others' terms stand
 * here.
 */
#include "loss.h"

#include <float.h>
#include <math.h>

/* The operands of one element and the sums for its value and gradients. */
typedef struct element {
    const clgrad_loss *loss;
    double p, t, o, w, pos_weight;
    bool has_pos_weight;
} element;

typedef struct sums {
    double value, dprediction, dtarget, dother;
} sums;

static double log1p_exp(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static double sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

/* |a b|, and 0 for a = 0, also beside infinity. */
static double product(double a, double b)
{
    return a == 0 ? 0 : fabs(a * b);
}

/* t log t and t p; by t: log t, 1 and p. With log_target both go by exp(t), and t - p is one rounding. */
static sums kl_div_terms(element e, sums s)
{
    if (e.loss->log_target) {
        s.dtarget = e.t == -INFINITY ? 0 : exp(e.t) * (1 + fabs(e.t) + fabs(e.p));
    } else {
        s.value = product(e.t, log(e.t)) + product(e.t, e.p);
        s.dtarget = e.t == 0 ? 0 : fabs(log(e.t)) + 1 + fabs(e.p);
    }
    return s;
}

static sums kl_div_probability_terms(element e, sums s)
{
    s.value = product(e.t, log(e.t)) + product(e.t, log(e.p));
    return s;
}

static sums bce_terms(element e, sums s)
{
    const double log_p = log(e.p), log_rest = log1p(-e.p);
    s.value = fabs(e.w) * (fabs(e.t) * fmin(-log_p, 100) + fabs(1 - e.t) * fmin(-log_rest, 100));
    s.dtarget = fabs(e.w) * (fabs(log_p) + fabs(log_rest));
    return s;
}

static sums bce_balanced_terms(element e, sums s)
{
    const double positive = fabs(e.loss->alpha * e.t), negative = fabs((1 - e.loss->alpha) * (1 - e.t));
    s.value = positive * fmin(-log(e.p), 100) + negative * fmin(-log1p(-e.p), 100);
    s.dprediction = (negative * e.p + positive * (1 - e.p)) / fmax(e.p * (1 - e.p), 1e-12);
    return s;
}

static sums bce_with_logits_terms(element e, sums s)
{
    const double positive = e.pos_weight * e.t, w = fabs(e.w);
    s.value = w * (product(positive, log1p_exp(-e.p)) + product(1 - e.t, log1p_exp(e.p)));
    s.dprediction = w * (fabs(1 - e.t) * sigmoid(e.p) + fabs(positive) * sigmoid(-e.p));
    if (e.has_pos_weight)
        s.dtarget = w * (product(e.pos_weight, log1p_exp(-e.p)) + log1p_exp(e.p));
    return s;
}

static sums poisson_nll_terms(element e, sums s)
{
    const double rate = e.loss->log_input ? exp(e.p) : fabs(e.p);
    const double log_rate = e.loss->log_input ? e.p : log(e.p + (double)e.loss->eps);
    const bool stirling = e.loss->full && e.t > 1;
    s.value = rate + product(e.t, log_rate);
    s.value += stirling ? e.t * log(e.t) + e.t + log(2 * 3.14159265358979 * e.t) / 2 : 0;
    s.dprediction = e.loss->log_input ? rate + fabs(e.t) : 1 + fabs(e.t / (e.p + (double)e.loss->eps));
    s.dtarget = fabs(log_rate) + (stirling ? log(e.t) + 1 / (2 * e.t) : 0);
    return s;
}

static sums gaussian_nll_terms(element e, sums s)
{
    const double v = fmax(e.o, e.loss->eps), square = (e.p - e.t) * (e.p - e.t);
    s.value = (fabs(log(v)) + square / v) / 2 + (e.loss->full ? log(2 * 3.14159265358979) / 2 : 0);
    s.dother = (1 + square / v) / (2 * v);
    return s;
}

/* p and what it lacks of the margin, where both count. */
static sums hinge_embedding_terms(element e, sums s)
{
    s.value = (e.t != -1 ? fabs(e.p) : 0) + (e.t != 1 ? fmax(0, e.loss->margin - e.p) : 0);
    return s;
}

static sums margin_ranking_terms(element e, sums s)
{
    s.value = product(e.t, e.p - e.o) + fabs((double)e.loss->margin);
    return s;
}

/* a (1 - q)^gamma times the terms of c' - gamma q' / (1 - q) c. */
static sums sigmoid_focal_terms(element e, sums s)
{
    const double alpha = e.loss->alpha, rest = sigmoid(-e.p), hit = sigmoid(e.p);
    const double c = product(e.t, log1p_exp(-e.p)) + product(1 - e.t, log1p_exp(e.p));
    const double missed = hit * (1 - e.t) + rest * e.t;
    const double factor =
        (alpha < 0 ? 1 : fabs(alpha * e.t) + fabs((1 - alpha) * (1 - e.t))) * pow(missed, e.loss->gamma);
    const double growth = e.t == 1 ? hit : e.t == 0 ? rest : fabs(2 * e.t - 1) * hit * rest / missed;
    s.dprediction = factor * (fabs(1 - e.t) * hit + fabs(e.t) * rest + product(e.loss->gamma * growth, c));
    return s;
}

static sums element_terms(element e, sums s)
{
    switch (e.loss->kind) {
    case CLGRAD_LOSS_KL_DIV:
        return kl_div_terms(e, s);
    case CLGRAD_LOSS_KL_DIV_PROBABILITY:
        return kl_div_probability_terms(e, s);
    case CLGRAD_LOSS_BCE:
        return bce_terms(e, s);
    case CLGRAD_LOSS_BCE_BALANCED:
        return bce_balanced_terms(e, s);
    case CLGRAD_LOSS_BCE_WITH_LOGITS:
        return bce_with_logits_terms(e, s);
    case CLGRAD_LOSS_POISSON_NLL:
        return poisson_nll_terms(e, s);
    case CLGRAD_LOSS_GAUSSIAN_NLL:
        return gaussian_nll_terms(e, s);
    case CLGRAD_LOSS_HINGE_EMBEDDING:
        return hinge_embedding_terms(e, s);
    case CLGRAD_LOSS_MARGIN_RANKING:
        return margin_ranking_terms(e, s);
    case CLGRAD_LOSS_SIGMOID_FOCAL:
        return sigmoid_focal_terms(e, s);
    default:
        return s;
    }
}

static void all_element_terms(const clgrad_conf_loss_case *c, clgrad_conf_sums terms)
{
    const size_t count = clgrad_conf_loss_count(c);
    for (size_t i = 0; i < count; i++) {
        const element e = {.loss = &c->loss,
                           .p = c->prediction[i],
                           .t = c->target[i],
                           .o = c->other != NULL ? c->other[i] : 0,
                           .w = clgrad_conf_weight_at(c, &c->weight, i),
                           .pos_weight = clgrad_conf_weight_at(c, &c->pos_weight, i),
                           .has_pos_weight = c->pos_weight.numbers != NULL};
        const sums s = element_terms(e, (sums){terms.value[i], terms.dprediction[i],
                                               terms.dtarget != NULL ? terms.dtarget[i] : 0,
                                               terms.dother != NULL ? terms.dother[i] : 0});
        terms.value[i] = s.value;
        terms.dprediction[i] = s.dprediction;
        if (terms.dtarget != NULL)
            terms.dtarget[i] = s.dtarget;
        if (terms.dother != NULL)
            terms.dother[i] = s.dother;
    }
}

/* ---- all losses ---- */

static void absolute(double *numbers, size_t count)
{
    for (size_t i = 0; numbers != NULL && i < count; i++)
        numbers[i] = fabs(numbers[i]);
}

/* Multiply each gradient element's by what reaches it from above. */
static void scale_gradient(const clgrad_conf_loss_case *c, double *terms)
{
    const bool one_value = clgrad_conf_loss_values(c) == 1;
    const double divisor = clgrad_conf_loss_divisor(c);
    for (size_t i = 0; terms != NULL && i < clgrad_conf_loss_count(c); i++) {
        const size_t row = clgrad_conf_loss_row_of(c, i);
        const double dvalue = c->dvalue == NULL ? 1 : c->dvalue[one_value ? 0 : row];
        terms[i] = product(terms[i], dvalue / divisor / clgrad_conf_loss_own_divisor(c, row));
    }
}

void clgrad_conf_loss_terms(const clgrad_conf_loss_case *c, clgrad_conf_sums terms, double *scratch)
{
    const size_t rows = clgrad_conf_loss_rows(c), count = clgrad_conf_loss_count(c);
    if (c->info->extent == CLGRAD_LOSS_ELEMENT)
        all_element_terms(c, terms);
    else
        clgrad_conf_loss_row_terms(c, terms, scratch);
    absolute(terms.value, rows);
    absolute(terms.dprediction, count);
    absolute(terms.dtarget, count);
    absolute(terms.dother, count);

    const double divisor = clgrad_conf_loss_divisor(c);
    const bool reduced = c->loss.reduction != CLGRAD_REDUCTION_NONE;
    double sum = 0;
    for (size_t i = 0; i < rows; i++) {
        terms.value[i] = product(terms.value[i], 1 / divisor / clgrad_conf_loss_own_divisor(c, i));
        sum += terms.value[i];
    }
    if (reduced)
        terms.value[0] = sum;
    scale_gradient(c, terms.dprediction);
    scale_gradient(c, terms.dtarget);
    scale_gradient(c, terms.dother);
}
