/*
 * Layer and batch normalisation, forward and backward, by the bounds of normalization.h.
 */
#include "conformance.h"

#include <float.h>
#include <math.h>
#include <stdio.h>

typedef struct setting {
    bool layer, affine;
    clgrad_batch_norm norm; /* eps is the layer's too */
    double offset;          /* of x */
} setting;

/* A case's arrays. A row (layer) or a column (batch) has statistics; shape: batch, features. */
typedef struct work {
    const setting *s;
    size_t batch, features, count, statistics;
    float *x, *weight, *bias, *dy, *running_mean, *running_var;
    clgrad_conf_pair tx, tweight, tbias, tmean, trstd, trunning_mean, trunning_var;
} work;

static work begin(clgrad_conf_run *run, const setting *s, const size_t *shape)
{
    work w = {.s = s, .batch = shape[0], .features = shape[1], .count = shape[0] * shape[1]};
    w.statistics = s->layer ? w.batch : w.features;
    w.x = clgrad_conf_floats(run, w.count);
    w.dy = clgrad_conf_floats(run, w.count);
    w.weight = clgrad_conf_floats(run, w.features);
    w.bias = clgrad_conf_floats(run, w.features);
    w.running_mean = clgrad_conf_floats(run, w.features);
    w.running_var = clgrad_conf_floats(run, w.features);
    if (run->status != CLGRAD_STATUS_SUCCESS)
        return w;
    clgrad_conf_normal(w.x, w.count, 1, 2);
    clgrad_conf_normal(w.dy, w.count, 2, 1);
    clgrad_conf_normal(w.weight, w.features, 3, 1);
    clgrad_conf_normal(w.bias, w.features, 4, 1);
    clgrad_conf_normal(w.running_mean, w.features, 5, 1);
    clgrad_conf_normal(w.running_var, w.features, 6, 1);
    for (size_t i = 0; i < w.count; i++)
        w.x[i] = (float)(w.x[i] + s->offset);
    for (size_t i = 0; i < w.features; i++)
        w.running_var[i] = fabsf(w.running_var[i]) + 0.25f;
    w.tx = clgrad_conf_input(run, "x", 2, shape, w.x);
    w.tweight = clgrad_conf_input(run, "weight", 1, &w.features, s->affine ? w.weight : NULL);
    w.tbias = clgrad_conf_input(run, "bias", 1, &w.features, s->affine ? w.bias : NULL);
    w.tmean = clgrad_conf_output(run, 1, &w.statistics);
    w.trstd = clgrad_conf_output(run, 1, &w.statistics);
    if (!s->layer) {
        w.trunning_mean = clgrad_conf_input(run, "running_mean", 1, &w.features, w.running_mean);
        w.trunning_var = clgrad_conf_input(run, "running_var", 1, &w.features, w.running_var);
    }
    return w;
}

static clgrad_status forward(clgrad_conf_run *run, const work *w, clgrad_conf_pair ty, int side)
{
    if (w->s->layer)
        return clgrad_layer_norm_forward(run->context[side], w->s->norm.eps, w->tx.at[side],
                                         w->tweight.at[side], w->tbias.at[side], ty.at[side],
                                         w->tmean.at[side], w->trstd.at[side]);
    return clgrad_batch_norm_forward(run->context[side], &w->s->norm, w->tx.at[side], w->tweight.at[side],
                                     w->tbias.at[side], w->trunning_mean.at[side], w->trunning_var.at[side],
                                     ty.at[side], w->tmean.at[side], w->trstd.at[side]);
}

/* Where number i of statistic k's row or column stands, and how many there are. */
static size_t place(const work *w, size_t k, size_t i)
{
    return w->s->layer ? k * w->features + i : i * w->features + k;
}

static size_t length(const work *w)
{
    return w->s->layer ? w->features : w->batch;
}

static double weight_at(const work *w, size_t place_of)
{
    return w->s->affine ? fabs((double)w->weight[place_of % w->features]) : 1;
}

/* Whether mean and variance come from the numbers themselves. */
static bool is_own(const work *w)
{
    return w->s->layer || w->s->norm.training;
}

typedef struct allowed {
    double *y, *mean, *rstd, *running_mean, *running_var;
} allowed;

static void allow_forward(const work *w, const float *mean, const float *rstd, allowed a)
{
    const double u = CLGRAD_CONF_U, n = (double)length(w), momentum = w->s->norm.momentum;
    for (size_t k = 0; k < w->statistics; k++) {
        double size = 0, spread = 0;
        for (size_t i = 0; i < length(w) && is_own(w); i++) {
            size += fabs((double)w->x[place(w, k, i)]) / n;
            spread += fabs((double)w->x[place(w, k, i)] - mean[k]) / n;
        }
        const double moved = 32 * u * size, scale = rstd[k], variance = 1 / (scale * scale);
        a.mean[k] = moved + (double)FLT_MIN;
        a.rstd[k] = 64 * u * scale * (1 + moved * moved / variance) + (double)FLT_MIN;
        for (size_t i = 0; i < length(w); i++) {
            const size_t at = place(w, k, i);
            const double distance = fabs((double)w->x[at] - mean[k]) + (is_own(w) ? spread + moved : 0);
            const double bias = w->s->affine ? fabs((double)w->bias[at % w->features]) : 0;
            a.y[at] = 128 * u * (distance * scale * weight_at(w, at) + bias) + (double)FLT_MIN;
        }
        if (w->s->layer)
            continue;
        /* the running ones: what enters, at its share, and three roundings; the variance by rstd's error */
        const double old_mean = fabs((double)w->running_mean[k]), old_var = w->running_var[k];
        const double unbiased = variance * n / fmax(n - 1, 1);
        a.running_mean[k] = momentum * moved + 4 * u * (old_mean + momentum * size) + (double)FLT_MIN;
        a.running_var[k] = momentum * unbiased * 2 * (64 * u + moved * moved / variance) +
                           4 * u * (old_var + momentum * unbiased) + (double)FLT_MIN;
    }
}

static void check_forward(clgrad_conf_run *run, const void *of_case, const size_t *shape)
{
    const work w = begin(run, of_case, shape);
    const clgrad_conf_pair ty = clgrad_conf_output(run, 2, shape);
    const allowed a = {clgrad_conf_doubles(run, w.count), clgrad_conf_doubles(run, w.statistics),
                       clgrad_conf_doubles(run, w.statistics), clgrad_conf_doubles(run, w.features),
                       clgrad_conf_doubles(run, w.features)};
    CLGRAD_CONF_CALL(run, forward(run, &w, ty, side));
    const float *mean = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, w.tmean);
    const float *rstd = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, w.trstd);
    if (mean == NULL || rstd == NULL)
        return;
    allow_forward(&w, mean, rstd, a);
    clgrad_conf_compare(run, "mean", w.tmean, a.mean, 0);
    clgrad_conf_compare(run, "rstd", w.trstd, a.rstd, 0);
    clgrad_conf_compare(run, "y", ty, a.y, 0);
    if (w.s->layer)
        return;
    clgrad_conf_compare(run, "running_mean", w.trunning_mean, w.s->norm.training ? a.running_mean : NULL, 0);
    clgrad_conf_compare(run, "running_var", w.trunning_var, w.s->norm.training ? a.running_var : NULL, 0);
}

static void allow_backward(const work *w, const float *mean, const float *rstd, double *dx, double *dweight,
                           double *dbias)
{
    const double bound = 128 * CLGRAD_CONF_U, n = (double)length(w);
    for (size_t i = 0; i < w->features; i++)
        dweight[i] = dbias[i] = (double)FLT_MIN;
    for (size_t k = 0; k < w->statistics; k++) {
        double g_mean = 0, gn_mean = 0;
        for (size_t i = 0; i < length(w); i++) {
            const size_t at = place(w, k, i);
            const double d = fabs((double)w->dy[at]), normal = fabs((double)w->x[at] - mean[k]) * rstd[k];
            dweight[at % w->features] += bound * d * normal;
            dbias[at % w->features] += bound * d;
            g_mean += d * weight_at(w, at) / n;
            gn_mean += d * weight_at(w, at) * normal / n;
        }
        for (size_t i = 0; i < length(w); i++) {
            const size_t at = place(w, k, i);
            const double normal = fabs((double)w->x[at] - mean[k]) * rstd[k];
            const double through = is_own(w) ? g_mean + normal * gn_mean : 0;
            dx[at] =
                bound * rstd[k] * (fabs((double)w->dy[at]) * weight_at(w, at) + through) + (double)FLT_MIN;
        }
    }
}

static clgrad_status backward(clgrad_conf_run *run, const work *w, clgrad_conf_pair tdy, clgrad_conf_pair tdx,
                              clgrad_conf_pair tdweight, clgrad_conf_pair tdbias, int side)
{
    if (w->s->layer)
        return clgrad_layer_norm_backward(run->context[side], w->tx.at[side], w->tweight.at[side],
                                          w->tmean.at[side], w->trstd.at[side], tdy.at[side], tdx.at[side],
                                          tdweight.at[side], tdbias.at[side]);
    return clgrad_batch_norm_backward(run->context[side], &w->s->norm, w->tx.at[side], w->tweight.at[side],
                                      w->tmean.at[side], w->trstd.at[side], tdy.at[side], tdx.at[side],
                                      tdweight.at[side], tdbias.at[side]);
}

/* From the reference's mean and rstd, on both sides. */
static void check_backward(clgrad_conf_run *run, const void *of_case, const size_t *shape)
{
    const work w = begin(run, of_case, shape);
    const clgrad_conf_pair ty = clgrad_conf_output(run, 2, shape);
    const clgrad_conf_pair tdy = clgrad_conf_input(run, "dy", 2, shape, w.dy);
    const clgrad_conf_pair tdx = clgrad_conf_output(run, 2, shape);
    const clgrad_conf_pair tdweight = clgrad_conf_output(run, 1, &w.features);
    const clgrad_conf_pair tdbias = clgrad_conf_output(run, 1, &w.features);
    double *dx = clgrad_conf_doubles(run, w.count), *dweight = clgrad_conf_doubles(run, w.features);
    double *dbias = clgrad_conf_doubles(run, w.features);
    if (clgrad_conf_over(run) || forward(run, &w, ty, CLGRAD_CONF_REFERENCE) != CLGRAD_STATUS_SUCCESS)
        return; /* a batch of less than 2 rows */
    const float *mean = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, w.tmean);
    const float *rstd = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, w.trstd);
    if (mean == NULL || rstd == NULL)
        return;
    clgrad_conf_write(run, CLGRAD_CONF_DEVICE, w.tmean, mean);
    clgrad_conf_write(run, CLGRAD_CONF_DEVICE, w.trstd, rstd);
    CLGRAD_CONF_CALL(run, backward(run, &w, tdy, tdx, tdweight, tdbias, side));
    allow_backward(&w, mean, rstd, dx, dweight, dbias);
    clgrad_conf_compare(run, "dx", tdx, dx, 0);
    clgrad_conf_compare(run, "dweight", tdweight, dweight, 0);
    clgrad_conf_compare(run, "dbias", tdbias, dbias, 0);
}

static void run_settings(clgrad_conf_run *run, bool layer, const char *direction, clgrad_conf_check *check)
{
    static const clgrad_conf_shape shapes[] = {{0, 3},   {2, 1},   {2, 3},   {5, 31},   {3, 64},
                                               {33, 65}, {257, 7}, {3, 257}, {2, 1000}, {1001, 33}};
    static const double offsets[] = {0, 100};
    if (!clgrad_conf_begin(run, "normalization", layer ? "layer_norm" : "batch_norm", direction, "bound", 1))
        return;
    for (int way = 0; way < (layer ? 4 : 8); way++) {
        setting s = {.layer = layer,
                     .affine = (way & 1) == 0,
                     .norm = clgrad_batch_norm_defaults(),
                     .offset = offsets[way / 2 % 2]};
        char words[128];
        s.norm.training = way < 4;
        if (s.offset > 0) {
            s.norm.eps = 0.25f;
            s.norm.momentum = 0.5f;
        }
        snprintf(words, sizeof words, "eps=%g%s%s, x around %g", (double)s.norm.eps,
                 s.affine ? ", weight and bias" : "",
                 layer ? "" : (s.norm.training ? ", training" : ", evaluation"), s.offset);
        clgrad_conf_sizes(run, &(clgrad_conf_case){check, &s, words, "batch features"}, shapes,
                          CLGRAD_CONF_COUNT(shapes));
    }
    clgrad_conf_end(run);
}

void clgrad_conf_normalization(clgrad_conf_run *run)
{
    run_settings(run, true, "forward", check_forward);
    run_settings(run, true, "backward", check_backward);
    run_settings(run, false, "forward", check_forward);
    run_settings(run, false, "backward", check_backward);
}
