/*
 * Layer normalisation (Ba, Kiros, Hinton, "Layer normalization", 2016, equations 3 and 4) and batch
 * normalisation (Ioffe, Szegedy, "Batch normalization", ICML 2015, algorithms 1 and 2, and the gradients of
 * section 3). Both normalise a row of numbers that lie a stride apart: layer normalisation a row of x, batch
 * normalisation a column.
 */
#include "reference.h"

#include "../internal.h"

#include <math.h>

typedef struct line {
    size_t first, stride, count; /* places first + i stride in [batch, features] */
} line;

static line row_of(size_t features, size_t row)
{
    return (line){row * features, 1, features};
}

static line column_of(size_t batch, size_t features, size_t column)
{
    return (line){column, features, batch};
}

/* An optional weight or bias. */
static double or_else(const double *values, size_t i, double otherwise)
{
    return values != NULL ? values[i] : otherwise;
}

/* The mean, and the mean of squared distances from it, in a second pass. */
static void moments(line l, const double *x, double *mean, double *variance)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < l.count; i++)
        sum += x[l.first + i * l.stride];
    *mean = sum / (double)l.count;
    for (size_t i = 0; i < l.count; i++) {
        const double distance = x[l.first + i * l.stride] - *mean;
        squares += distance * distance;
    }
    *variance = squares / (double)l.count;
}

/*
 * The gradient through mean and variance: with n = (x - mean) rstd and g the gradient of n, dx = rstd (g -
 * mean of g - n mean of (g n)). The six-line chain of Ioffe and Szegedy with what cancels taken out, and the
 * same for a row.
 */
static void normalized_gradient(line l, const double *x, double mean, double rstd, const double *g,
                                double *dx)
{
    double sum = 0, product = 0;
    for (size_t i = 0; i < l.count; i++) {
        const size_t at = l.first + i * l.stride;
        sum += g[at];
        product += g[at] * (x[at] - mean) * rstd;
    }
    for (size_t i = 0; i < l.count; i++) {
        const size_t at = l.first + i * l.stride;
        const double n = (x[at] - mean) * rstd;
        dx[at] = rstd * (g[at] - sum / (double)l.count - n * product / (double)l.count);
    }
}

/* ---- layer normalisation ---- */

void clgrad_ref_layer_norm(double eps, size_t batch, size_t features, const double *x, const double *weight,
                           const double *bias, double *y, double *mean, double *rstd)
{
    for (size_t b = 0; b < batch; b++) {
        double m, variance;
        moments(row_of(features, b), x, &m, &variance);
        const double r = 1 / sqrt(variance + eps);
        for (size_t f = 0; f < features; f++)
            y[b * features + f] = (x[b * features + f] - m) * r * or_else(weight, f, 1) + or_else(bias, f, 0);
        if (mean != NULL)
            mean[b] = m;
        if (rstd != NULL)
            rstd[b] = r;
    }
}

void clgrad_ref_layer_norm_backward(size_t batch, size_t features, const double *x, const double *weight,
                                    const double *mean, const double *rstd, const double *dy, double *dx,
                                    double *dweight, double *dbias)
{
    for (size_t f = 0; f < features; f++) {
        double weight_sum = 0, bias_sum = 0;
        for (size_t b = 0; b < batch; b++) {
            const size_t at = b * features + f;
            weight_sum += dy[at] * (x[at] - mean[b]) * rstd[b];
            bias_sum += dy[at];
        }
        if (dweight != NULL)
            dweight[f] = weight_sum;
        if (dbias != NULL)
            dbias[f] = bias_sum;
    }
    if (dx == NULL)
        return;
    for (size_t i = 0; i < batch * features; i++)
        dx[i] = dy[i] * or_else(weight, i % features, 1);
    for (size_t b = 0; b < batch; b++)
        normalized_gradient(row_of(features, b), x, mean[b], rstd[b], dx, dx);
}

/* ---- batch normalisation ---- */

void clgrad_ref_batch_norm(const clgrad_batch_norm *norm, size_t batch, size_t features, const double *x,
                           const double *weight, const double *bias, double *running_mean,
                           double *running_var, double *y, double *mean, double *rstd)
{
    const double n = (double)batch, momentum = norm->momentum;
    for (size_t f = 0; f < features; f++) {
        double m, variance;
        if (norm->training)
            moments(column_of(batch, features, f), x, &m, &variance);
        else {
            m = running_mean[f];
            variance = running_var[f];
        }
        const double r = 1 / sqrt(variance + norm->eps);
        for (size_t b = 0; b < batch; b++)
            y[b * features + f] = (x[b * features + f] - m) * r * or_else(weight, f, 1) + or_else(bias, f, 0);
        if (mean != NULL)
            mean[f] = m;
        if (rstd != NULL)
            rstd[f] = r;
        if (norm->training && running_mean != NULL) {
            running_mean[f] = (1 - momentum) * running_mean[f] + momentum * m;
            running_var[f] = (1 - momentum) * running_var[f] + momentum * variance * (n / (n - 1));
        }
    }
}

void clgrad_ref_batch_norm_backward(const clgrad_batch_norm *norm, size_t batch, size_t features,
                                    const double *x, const double *weight, const double *mean,
                                    const double *rstd, const double *dy, double *dx, double *dweight,
                                    double *dbias)
{
    for (size_t f = 0; f < features; f++) {
        double weight_sum = 0, bias_sum = 0;
        for (size_t b = 0; b < batch; b++) {
            const size_t at = b * features + f;
            weight_sum += dy[at] * (x[at] - mean[f]) * rstd[f];
            bias_sum += dy[at];
        }
        if (dweight != NULL)
            dweight[f] = weight_sum;
        if (dbias != NULL)
            dbias[f] = bias_sum;
        if (dx == NULL)
            continue;
        for (size_t i = f; i < batch * features; i += features)
            dx[i] = dy[i] * or_else(weight, f, 1) * (norm->training ? 1 : rstd[f]);
        if (norm->training)
            normalized_gradient(column_of(batch, features, f), x, mean[f], rstd[f], dx, dx);
    }
}

/* ---- entries ---- */

static clgrad_status layer_forward(clgrad_context *context, float eps, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor bias, clgrad_tensor y, clgrad_tensor mean,
                                   clgrad_tensor rstd)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *weight64 = clgrad_ref_load(&arrays, weight);
    double *bias64 = clgrad_ref_load(&arrays, bias);
    double *y64 = clgrad_ref_allocate(&arrays, y);
    double *mean64 = clgrad_ref_allocate(&arrays, mean);
    double *rstd64 = clgrad_ref_allocate(&arrays, rstd);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        clgrad_ref_layer_norm(eps, x.shape[0], x.shape[1], x64, weight64, bias64, y64, mean64, rstd64);
        clgrad_ref_store(y64, y);
        clgrad_ref_store(mean64, mean);
        clgrad_ref_store(rstd64, rstd);
    }
    return clgrad_ref_arrays_free(&arrays);
}

/* Either backward pass: norm is NULL for a layer normalisation. */
static clgrad_status backward(clgrad_context *context, const clgrad_batch_norm *norm, clgrad_tensor x,
                              clgrad_tensor weight, clgrad_tensor mean, clgrad_tensor rstd, clgrad_tensor dy,
                              clgrad_tensor dx, clgrad_tensor dweight, clgrad_tensor dbias)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *weight64 = clgrad_ref_load(&arrays, weight);
    double *mean64 = clgrad_ref_load(&arrays, mean);
    double *rstd64 = clgrad_ref_load(&arrays, rstd);
    double *dy64 = clgrad_ref_load(&arrays, dy);
    double *dx64 = clgrad_ref_allocate(&arrays, dx);
    double *dweight64 = clgrad_ref_allocate(&arrays, dweight);
    double *dbias64 = clgrad_ref_allocate(&arrays, dbias);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        if (norm == NULL)
            clgrad_ref_layer_norm_backward(x.shape[0], x.shape[1], x64, weight64, mean64, rstd64, dy64, dx64,
                                           dweight64, dbias64);
        else
            clgrad_ref_batch_norm_backward(norm, x.shape[0], x.shape[1], x64, weight64, mean64, rstd64, dy64,
                                           dx64, dweight64, dbias64);
        clgrad_ref_store(dx64, dx);
        clgrad_ref_store(dweight64, dweight);
        clgrad_ref_store(dbias64, dbias);
    }
    return clgrad_ref_arrays_free(&arrays);
}

static clgrad_status layer_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor mean, clgrad_tensor rstd, clgrad_tensor dy,
                                    clgrad_tensor dx, clgrad_tensor dweight, clgrad_tensor dbias)
{
    return backward(context, NULL, x, weight, mean, rstd, dy, dx, dweight, dbias);
}

static clgrad_status batch_forward(clgrad_context *context, const clgrad_batch_norm *norm, clgrad_tensor x,
                                   clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor running_mean,
                                   clgrad_tensor running_var, clgrad_tensor y, clgrad_tensor mean,
                                   clgrad_tensor rstd)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *weight64 = clgrad_ref_load(&arrays, weight);
    double *bias64 = clgrad_ref_load(&arrays, bias);
    double *running_mean64 = clgrad_ref_load(&arrays, running_mean);
    double *running_var64 = clgrad_ref_load(&arrays, running_var);
    double *y64 = clgrad_ref_allocate(&arrays, y);
    double *mean64 = clgrad_ref_allocate(&arrays, mean);
    double *rstd64 = clgrad_ref_allocate(&arrays, rstd);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        clgrad_ref_batch_norm(norm, x.shape[0], x.shape[1], x64, weight64, bias64, running_mean64,
                              running_var64, y64, mean64, rstd64);
        clgrad_ref_store(y64, y);
        clgrad_ref_store(mean64, mean);
        clgrad_ref_store(rstd64, rstd);
        if (norm->training && context->fault.kind == CLGRAD_FAULT_NONE) {
            clgrad_ref_store(running_mean64, running_mean);
            clgrad_ref_store(running_var64, running_var);
        }
    }
    return clgrad_ref_arrays_free(&arrays);
}

const clgrad_normalization_functions clgrad_ref_normalization_functions = {
    .layer_forward = layer_forward,
    .layer_backward = layer_backward,
    .batch_forward = batch_forward,
    .batch_backward = backward,
};
