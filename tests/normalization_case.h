/*
 * A normalisation forward and backward by the reference, called directly, and how far a device may be off by
 * normalization.h. For test_normalization.c alone.
 */
#ifndef NORMALIZATION_CASE_H
#define NORMALIZATION_CASE_H

#include "harness.h"
#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

static const double u = 0x1p-24;

/* One forward and one backward pass: inputs, NULL where absent, and what the reference makes of them. */
typedef struct work {
    const char *label;
    bool layer;
    clgrad_batch_norm norm;
    size_t batch, features, count, statistics; /* batch or features of them */
    const float *weight32, *bias32, *running_mean32, *running_var32, *x32, *dy32;
    double *weight, *bias, *running_mean, *running_var, *x, *dy; /* the running ones after the call */
    double *y, *mean, *rstd, *dx, *dweight, *dbias;
} work;

static double *widen_if(const float *numbers, size_t count)
{
    return numbers != NULL ? widen(numbers, count) : NULL;
}

static void forward(work *w, const double *x)
{
    if (w->layer)
        clgrad_ref_layer_norm(w->norm.eps, w->batch, w->features, x, w->weight, w->bias, w->y, w->mean,
                              w->rstd);
    else
        clgrad_ref_batch_norm(&w->norm, w->batch, w->features, x, w->weight, w->bias, w->running_mean,
                              w->running_var, w->y, w->mean, w->rstd);
}

static void backward(work *w)
{
    if (w->layer)
        clgrad_ref_layer_norm_backward(w->batch, w->features, w->x, w->weight, w->mean, w->rstd, w->dy, w->dx,
                                       w->dweight, w->dbias);
    else
        clgrad_ref_batch_norm_backward(&w->norm, w->batch, w->features, w->x, w->weight, w->mean, w->rstd,
                                       w->dy, w->dx, w->dweight, w->dbias);
}

/* The inputs are there; allocate the rest and go forward and backward. */
static void compute(work *w)
{
    w->count = w->batch * w->features;
    w->statistics = w->layer ? w->batch : w->features;
    w->weight = widen_if(w->weight32, w->features);
    w->bias = widen_if(w->bias32, w->features);
    w->running_mean = widen_if(w->running_mean32, w->features);
    w->running_var = widen_if(w->running_var32, w->features);
    w->x = widen(w->x32, w->count);
    w->dy = widen(w->dy32, w->count);
    w->y = allocate(w->count, sizeof *w->y);
    w->dx = allocate(w->count, sizeof *w->dx);
    w->mean = allocate(w->statistics, sizeof *w->mean);
    w->rstd = allocate(w->statistics, sizeof *w->rstd);
    w->dweight = allocate(w->features, sizeof *w->dweight);
    w->dbias = allocate(w->features, sizeof *w->dbias);
    forward(w, w->x);
    backward(w);
}

static void free_work(work *w)
{
    double *arrays[] = {w->weight, w->bias, w->running_mean, w->running_var, w->x,       w->dy,
                        w->y,      w->mean, w->rstd,         w->dx,          w->dweight, w->dbias};
    for (size_t i = 0; i < COUNT(arrays); i++)
        free(arrays[i]);
}

/* Places of the row or column that statistic k belongs to: first, stride, count. */
static size_t place(const work *w, size_t k, size_t i)
{
    return w->layer ? k * w->features + i : i * w->features + k;
}

static double scale_of(const work *w, size_t at)
{
    return w->weight != NULL ? fabs(w->weight[at % w->features]) : 1;
}

/* The tolerances of what the forward pass gives, by normalization.h. */
static void forward_tolerances(const work *w, double *y, double *mean, double *rstd)
{
    const size_t n = w->layer ? w->features : w->batch;
    for (size_t k = 0; k < w->statistics; k++) {
        double size = 0, spread = 0;
        for (size_t i = 0; i < n; i++) {
            size += fabs(w->x[place(w, k, i)]) / (double)n;
            spread += fabs(w->x[place(w, k, i)] - w->mean[k]) / (double)n;
        }
        const bool given = !w->layer && !w->norm.training; /* mean and variance come from outside */
        mean[k] = given ? 0 : 32 * u * size;
        const double moved = given ? 0 : 32 * u * size, variance = 1 / (w->rstd[k] * w->rstd[k]);
        rstd[k] = 64 * u * w->rstd[k] * (1 + (variance > 0 ? moved * moved / variance : 0)) + FLT_MIN;
        for (size_t i = 0; i < n; i++) {
            const size_t at = place(w, k, i);
            const double distance = fabs(w->x[at] - w->mean[k]) + (given ? 0 : spread + 32 * u * size);
            y[at] = 128 * u *
                        (distance * w->rstd[k] * scale_of(w, at) +
                         (w->bias != NULL ? fabs(w->bias[at % w->features]) : 0)) +
                    FLT_MIN;
        }
    }
}

/* And of what the backward pass gives, with mean and rstd in w as the device has them. */
static void backward_tolerances(const work *w, double *dx, double *dweight, double *dbias)
{
    const size_t n = w->layer ? w->features : w->batch;
    for (size_t f = 0; f < w->features; f++)
        dweight[f] = dbias[f] = FLT_MIN;
    for (size_t k = 0; k < w->statistics; k++) {
        double g_mean = 0, gn_mean = 0;
        for (size_t i = 0; i < n; i++) {
            const size_t at = place(w, k, i);
            const double d = fabs(w->dy[at]), normal = fabs(w->x[at] - w->mean[k]) * w->rstd[k];
            dweight[at % w->features] += 128 * u * d * normal;
            dbias[at % w->features] += 128 * u * d;
            g_mean += d * scale_of(w, at) / (double)n;
            gn_mean += d * scale_of(w, at) * normal / (double)n;
        }
        for (size_t i = 0; i < n; i++) {
            const size_t at = place(w, k, i);
            const double normal = fabs(w->x[at] - w->mean[k]) * w->rstd[k];
            const bool through = w->layer || w->norm.training;
            dx[at] = 128 * u * w->rstd[k] *
                         (fabs(w->dy[at]) * scale_of(w, at) + (through ? g_mean + normal * gn_mean : 0)) +
                     FLT_MIN;
        }
    }
}

#endif
