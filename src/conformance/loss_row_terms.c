/*
 * The sums of loss_terms.c for losses of a row of classes.
 */
#include "loss.h"

#include <float.h>
#include <math.h>

/* The operands of a row, and where the sums of its gradients go; class i is at [i * stride]. */
typedef struct row {
    const clgrad_conf_loss_case *c;
    size_t classes, stride;
    const float *p, *t, *o;
    int32_t label;
    double *value, *dp, *dt, *dother, *scratch;
} row;

static double class_weight(const row *r, size_t i)
{
    return r->c->weight.numbers != NULL ? r->c->weight.numbers[i] : 1;
}

static double log1p_exp(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

/* 1 and the quotient; in the gradient the quotient and 2 t. */
static void dice_terms(const row *r)
{
    double overlap = r->c->loss.smooth, all = r->c->loss.smooth;
    for (size_t i = 0; i < r->classes; i++) {
        overlap += 2 * fabs((double)r->p[i] * r->t[i]);
        all += (double)r->p[i] + r->t[i];
    }
    *r->value = 1 + overlap / all;
    for (size_t i = 0; i < r->classes; i++)
        r->dp[i] = (overlap / all + 2 * fabs(r->t[i])) / all;
}

/* A cosine of rows a and b: sum |a b| over the lengths, and the two terms of its derivative by a. */
static double cosine_terms(size_t n, const float *a, const float *b, double a_length, double b_length,
                           double share, double *da)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += fabs((double)a[i] * b[i]) / (a_length * b_length);
    for (size_t i = 0; da != NULL && i < n; i++)
        da[i] += share * (fabs(b[i] / (a_length * b_length)) + sum * fabs(a[i]) / (a_length * a_length));
    return sum;
}

static double length(size_t n, const float *a, double more)
{
    double sum = more;
    for (size_t i = 0; i < n; i++)
        sum += (double)a[i] * a[i];
    return sqrt(sum);
}

/* Near the kink the gradient may be on either side of it. */
static void cosine_embedding_terms(const row *r, double bound)
{
    const double p_length = length(r->classes, r->p, 1e-12f), o_length = length(r->classes, r->o, 1e-12f);
    const double margin = r->c->loss.margin;
    double cosine = 0;
    if (r->t[0] != 1 && r->t[0] != -1)
        return;
    for (size_t i = 0; i < r->classes; i++)
        cosine += (double)r->p[i] * r->o[i] / (p_length * o_length);
    for (size_t i = 0; i < r->classes; i++)
        r->dp[i] = r->dother[i] = 0;
    const double sum = cosine_terms(r->classes, r->p, r->o, p_length, o_length, 1, r->dp);
    cosine_terms(r->classes, r->o, r->p, o_length, p_length, 1, r->dother);
    *r->value = sum + (r->t[0] == 1 ? 1 : fabs(margin));
    const bool at_kink = r->t[0] == -1 && fabs(cosine - margin) <= bound * *r->value + (double)FLT_MIN;
    const double share = at_kink ? 1 + 1 / bound : r->t[0] == -1 && cosine < margin ? 0 : 1;
    for (size_t i = 0; i < r->classes; i++) {
        r->dp[i] *= share;
        r->dother[i] *= share;
    }
}

static void multilabel_soft_margin_terms(const row *r)
{
    const double n = (double)r->classes;
    *r->value = 0;
    for (size_t i = 0; i < r->classes; i++) {
        const double w = fabs(class_weight(r, i)), p = r->p[i], t = fabs(r->t[i]), f = fabs(1 - r->t[i]);
        const double s = 1 / (1 + exp(-p)), rest = 1 / (1 + exp(p));
        *r->value += w * ((t == 0 ? 0 : t * log1p_exp(-p)) + (f == 0 ? 0 : f * log1p_exp(p))) / n;
        r->dp[i] = w * (f * s + t * rest) / n;
    }
}

/* ---- triplets ---- */

/*
 * A distance d, what it is made of, and the terms of its derivative: an element's difference is as uncertain
 * as |a - b| + eps is large, and the derivative grows by the power p - 1 of it.
 */
static double norm_terms(const row *r, const float *a, const float *b, double share, double *da, double *db,
                         double *exact)
{
    const clgrad_loss *loss = &r->c->loss;
    const bool pairwise = loss->kind == CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE;
    const double p = pairwise ? 2 : loss->p, eps = pairwise ? 1e-6 : loss->eps;
    double sum = 0, upper = 0, largest = 0;
    for (size_t i = 0; i < r->classes; i++)
        largest = fmax(largest, fabs((double)a[i] - b[i]) + eps);
    for (size_t i = 0; i < r->classes && largest > 0; i++) {
        sum += pow(fabs((double)a[i] - b[i] + eps) / largest, p);
        upper += pow((fabs((double)a[i] - b[i]) + eps) / largest, p);
    }
    const double distance = largest * pow(sum, 1 / p);
    for (size_t i = 0; i < r->classes && distance > 0; i++) {
        const double size = fabs((double)a[i] - b[i] + eps) / distance;
        const double unsure = (fabs((double)a[i] - b[i]) + eps) / distance;
        const double slope = p == 1 ? 1 : pow(size, p - 1) + (p - 1) * pow(size, p - 2) * unsure;
        da[i] += share * slope;
        db[i] += share * slope;
    }
    *exact = distance;
    return largest * pow(upper, 1 / p);
}

static double squared_terms(const row *r, const float *a, const float *b, double share, double *da,
                            double *db, double *exact)
{
    *exact = 0;
    for (size_t i = 0; i < r->classes; i++) {
        const double difference = (double)a[i] - b[i];
        *exact += difference * difference;
        da[i] += share * 2 * fabs(difference);
        db[i] += share * 2 * fabs(difference);
    }
    return *exact;
}

static double one_minus_cosine_terms(const row *r, const float *a, const float *b, double share, double *da,
                                     double *db, double *exact)
{
    const double a_length = fmax(length(r->classes, a, 0), 1e-8);
    const double b_length = fmax(length(r->classes, b, 0), 1e-8);
    *exact = 1;
    for (size_t i = 0; i < r->classes; i++)
        *exact -= (double)a[i] * b[i] / (a_length * b_length);
    cosine_terms(r->classes, b, a, b_length, a_length, share, db);
    return 1 + cosine_terms(r->classes, a, b, a_length, b_length, share, da);
}

static double distance_terms(const row *r, const float *a, const float *b, double share, double *da,
                             double *db, double *exact)
{
    const bool with_distance = r->c->loss.kind == CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE;
    const int32_t distance = with_distance ? r->c->loss.distance : CLGRAD_DISTANCE_PAIRWISE;
    if (distance == CLGRAD_DISTANCE_SQUARED)
        return squared_terms(r, a, b, share, da, db, exact);
    if (distance == CLGRAD_DISTANCE_COSINE)
        return one_minus_cosine_terms(r, a, b, share, da, db, exact);
    return norm_terms(r, a, b, share, da, db, exact);
}

/* All distances that take part; near the clamp or near a swap the gradient may be on either side. */
static void triplet_terms(const row *r, double bound)
{
    const bool swap = r->c->loss.swap;
    double *nowhere = r->scratch;
    double d_pt, d_po, d_to = INFINITY, swapped = INFINITY;
    const double positive = distance_terms(r, r->p, r->t, 0, nowhere, nowhere, &d_pt);
    const double negative = distance_terms(r, r->p, r->o, 0, nowhere, nowhere, &d_po);
    if (swap)
        swapped = distance_terms(r, r->t, r->o, 0, nowhere, nowhere, &d_to);
    const double lost = (double)(r->classes + 1) * (double)FLT_MIN; /* squares that underflow */
    const bool tie = swap && fabs(d_po - d_to) <= bound * (negative + swapped) + lost;
    const bool from_p = tie || d_po < d_to, from_t = swap && (tie || d_to < d_po);
    const double lacking = d_pt - fmin(d_po, d_to) + r->c->loss.margin;
    const double sum = positive + (from_p ? negative : swapped) + (double)r->c->loss.margin;
    const double share = fabs(lacking) <= bound * sum + lost ? 1 + 1 / bound : lacking > 0 ? 1 : 0;
    const double tie_share = tie && d_po != d_to ? share + 1 / bound : share;
    for (size_t i = 0; i < r->classes; i++)
        r->dp[i] = r->dt[i] = r->dother[i] = 0;
    *r->value = sum;
    distance_terms(r, r->p, r->t, share, r->dp, r->dt, &d_pt);
    if (from_p)
        distance_terms(r, r->p, r->o, tie_share, r->dp, r->dother, &d_po);
    if (from_t)
        distance_terms(r, r->t, r->o, tie_share, r->dt, r->dother, &d_to);
}

/* ---- losses with a softmax ---- */

/* softmax_i (T - c_i) and c_i (1 - softmax_i), c the smoothed and weighted target, T its sum. */
static void cross_entropy_terms(const row *r)
{
    const double smoothing = r->c->loss.label_smoothing, n = (double)r->classes;
    size_t top = 0;
    double rest = 0, total = 0;
    for (size_t i = 1; i < r->classes; i++)
        top = r->p[i * r->stride] > r->p[top * r->stride] ? i : top;
    const double largest = r->p[top * r->stride];
    for (size_t i = 0; i < r->classes; i++) {
        const double t = r->t != NULL ? r->t[i * r->stride] : i == (size_t)r->label ? 1 : 0;
        rest += i == top ? 0 : exp(r->p[i * r->stride] - largest);
        total += class_weight(r, i) * ((1 - smoothing) * t + smoothing / n);
    }
    *r->value = 0;
    for (size_t i = 0; i < r->classes; i++) {
        const double t = r->t != NULL ? r->t[i * r->stride] : i == (size_t)r->label ? 1 : 0;
        const double share = class_weight(r, i) * ((1 - smoothing) * t + smoothing / n);
        const double softmax = exp(r->p[i * r->stride] - largest) / (1 + rest);
        const double others = i == top ? rest / (1 + rest) : 1 - softmax;
        const double surprise = log1p(rest) + (largest - r->p[i * r->stride]);
        *r->value += share == 0 ? 0 : fabs(share) * surprise;
        r->dp[i * r->stride] = softmax * fabs(total - share) + fabs(share) * others;
    }
}

static void row_terms(const row *r)
{
    const double bound = clgrad_conf_loss_bound(r->c) * 0x1p-24;
    switch (r->c->loss.kind) {
    case CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY:
        *r->value = 0;
        for (size_t i = 0; i < r->classes; i++)
            *r->value += r->t[i] == 0 ? 0 : fabs(r->t[i] * log(r->p[i]));
        break;
    case CLGRAD_LOSS_DICE:
        dice_terms(r);
        break;
    case CLGRAD_LOSS_COSINE_EMBEDDING:
        cosine_embedding_terms(r, bound);
        break;
    case CLGRAD_LOSS_MULTILABEL_SOFT_MARGIN:
        multilabel_soft_margin_terms(r);
        break;
    case CLGRAD_LOSS_TRIPLET_MARGIN:
    case CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE:
        triplet_terms(r, bound);
        break;
    case CLGRAD_LOSS_CROSS_ENTROPY:
        if (r->t != NULL || r->label != r->c->loss.ignore_index)
            cross_entropy_terms(r);
        break;
    default:
        break; /* one term, or terms of one sign */
    }
}

/* ---- sequences ---- */

/* Whether an infinite loss has been made 0, which is exact. */
static bool is_zeroed(const clgrad_conf_loss_case *c, clgrad_conf_sums terms, size_t b)
{
    bool zero = c->loss.zero_infinity && terms.value[b] == 0;
    for (size_t i = 0; zero && i < clgrad_conf_loss_count(c); i++)
        zero = clgrad_conf_loss_row_of(c, i) != b || terms.dprediction[i] == 0;
    return zero;
}

/*
 * The loss and, for each time step that counts, 1; in the gradient the probability and the posterior one,
 * whose difference it is, the latter with 1 for each time step.
 */
static void ctc_terms(const clgrad_conf_loss_case *c, clgrad_conf_sums terms, size_t b)
{
    const size_t batch = c->shape[1], classes = c->shape[2], times = (size_t)c->input_lengths[b];
    if (!isfinite(terms.value[b]) || is_zeroed(c, terms, b))
        return;
    for (size_t t = 0; t < times; t++)
        for (size_t i = 0; i < classes; i++) {
            const size_t element = (t * batch + b) * classes + i;
            const double probability = exp(c->prediction[element]);
            const double posterior = probability - terms.dprediction[element];
            terms.dprediction[element] = probability + fabs(posterior) * (1 + (double)times);
        }
    terms.value[b] = fabs(terms.value[b]) + (double)times;
}

static double *at(double *numbers, size_t offset)
{
    return numbers != NULL ? numbers + offset : NULL;
}

void clgrad_conf_loss_row_terms(const clgrad_conf_loss_case *c, clgrad_conf_sums terms, double *scratch)
{
    const clgrad_loss_extent extent = c->info->extent;
    for (size_t b = 0; extent == CLGRAD_LOSS_SEQUENCE && b < clgrad_conf_loss_rows(c); b++)
        ctc_terms(c, terms, b);
    if (extent != CLGRAD_LOSS_ROW && extent != CLGRAD_LOSS_CHANNEL)
        return;
    const size_t rows = clgrad_conf_loss_rows(c), stride = clgrad_conf_loss_inner(c);
    const bool row_target = (c->info->flags & CLGRAD_LOSS_TAKES_ROW_TARGET) != 0;
    for (size_t i = 0; i < rows; i++) {
        const size_t offset = i / stride * stride * c->shape[1] + i % stride;
        const row r = {.c = c,
                       .classes = c->shape[1],
                       .stride = stride,
                       .p = c->prediction + offset,
                       .t = c->target != NULL ? c->target + (row_target ? i : offset) : NULL,
                       .o = c->other != NULL ? c->other + offset : NULL,
                       .label = c->classes != NULL ? c->classes[i] : 0,
                       .value = terms.value + i,
                       .dp = at(terms.dprediction, offset),
                       .dt = at(terms.dtarget, offset),
                       .dother = at(terms.dother, offset),
                       .scratch = scratch};
        row_terms(&r);
    }
}
