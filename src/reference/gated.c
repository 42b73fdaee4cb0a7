/*
 * PReLU (He, Zhang, Ren, Sun, "Delving deep into rectifiers", ICCV 2015, equations 1 and 8 to 10) and GLU
 * (Dauphin, Fan, Auli, Grangier, "Language modeling with gated convolutional networks", ICML 2017, section
 * 2).
 */
#include "reference.h"

#include "../internal.h"

#include <math.h>

/* ---- PReLU ---- */

/* The slope for element i of [batch, channels, inner]. */
static size_t slope_of(size_t i, size_t channels, size_t inner, size_t weights)
{
    return weights == 1 ? 0 : i / inner % channels;
}

void clgrad_ref_prelu(size_t batch, size_t channels, size_t inner, size_t weights, const double *x,
                      const double *weight, double *y)
{
    for (size_t i = 0; i < batch * channels * inner; i++) {
        const double slope = weight[slope_of(i, channels, inner, weights)];
        if (x[i] > 0)
            y[i] = x[i];
        else if (isinf(x[i]) && slope == 0)
            y[i] = 0; /* the limit, where the product has none */
        else
            y[i] = slope * x[i];
    }
}

/* A NaN among x is neither above 0 nor below: it makes dx and its channel's sum NaN. */
void clgrad_ref_prelu_backward(size_t batch, size_t channels, size_t inner, size_t weights, const double *x,
                               const double *weight, const double *dy, double *dx, double *dweight)
{
    for (size_t k = 0; k < weights && dweight != NULL; k++)
        dweight[k] = 0;
    for (size_t i = 0; i < batch * channels * inner; i++) {
        const size_t k = slope_of(i, channels, inner, weights);
        const double x_i = x[i], dy_i = dy[i];
        if (dweight != NULL && !(x_i > 0))
            dweight[k] += x_i * dy_i;
        if (dx != NULL)
            dx[i] = isnan(x_i) ? x_i : x_i > 0 ? dy_i : weight[k] * dy_i;
    }
}

/* A tensor's shape as [batch, channels, inner]; of rank 1 it is a batch of single numbers. */
typedef struct extents {
    size_t batch, channels, inner;
} extents;

static extents extents_of(clgrad_tensor x)
{
    extents e = {.batch = x.shape[0], .channels = x.rank > 1 ? x.shape[1] : 1, .inner = 1};
    for (int d = 2; d < x.rank; d++)
        e.inner *= x.shape[d];
    return e;
}

static clgrad_status prelu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor y)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *weight64 = clgrad_ref_load(&arrays, weight);
    double *y64 = clgrad_ref_allocate(&arrays, y);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const extents e = extents_of(x);
        clgrad_ref_prelu(e.batch, e.channels, e.inner, weight.shape[0], x64, weight64, y64);
        clgrad_ref_store(y64, y);
    }
    return clgrad_ref_arrays_free(&arrays);
}

static clgrad_status prelu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *weight64 = clgrad_ref_load(&arrays, weight);
    double *dy64 = clgrad_ref_load(&arrays, dy);
    double *dx64 = clgrad_ref_allocate(&arrays, dx);
    double *dweight64 = clgrad_ref_allocate(&arrays, dweight);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const extents e = extents_of(x);
        clgrad_ref_prelu_backward(e.batch, e.channels, e.inner, weight.shape[0], x64, weight64, dy64, dx64,
                                  dweight64);
        clgrad_ref_store(dx64, dx);
        clgrad_ref_store(dweight64, dweight);
    }
    return clgrad_ref_arrays_free(&arrays);
}

/* ---- GLU ---- */

/* The gate s(b) = 1 / (1 + exp(-b)). exp(710) is infinite, and so the quotient 0: the limit. */
static double gate(double b)
{
    return 1 / (1 + exp(-b));
}

void clgrad_ref_glu(size_t half, const double *x, double *y)
{
    for (size_t i = 0; i < half; i++)
        y[i] = x[i] * gate(x[half + i]);
}

/* dx may be x: the pair of element i is read before it is written. 1 - s(b) = s(-b) (Dauphin et al.). */
void clgrad_ref_glu_backward(size_t half, const double *x, const double *dy, double *dx)
{
    for (size_t i = 0; i < half; i++) {
        const double a = x[i], b = x[half + i];
        dx[i] = dy[i] * gate(b);
        dx[half + i] = dy[i] * a * gate(b) * gate(-b);
    }
}

static clgrad_status glu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor y)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *y64 = clgrad_ref_allocate(&arrays, y);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const size_t count = clgrad_tensor_count(y), half = y.shape[y.rank - 1];
        for (size_t i = 0; i < count; i += half)
            clgrad_ref_glu(half, x64 + 2 * i, y64 + i);
        clgrad_ref_store(y64, y);
    }
    return clgrad_ref_arrays_free(&arrays);
}

static clgrad_status glu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor dy,
                                  clgrad_tensor dx)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *dy64 = clgrad_ref_load(&arrays, dy);
    double *dx64 = clgrad_ref_allocate(&arrays, dx);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const size_t count = clgrad_tensor_count(dy), half = dy.shape[dy.rank - 1];
        for (size_t i = 0; i < count; i += half)
            clgrad_ref_glu_backward(half, x64 + 2 * i, dy64 + i, dx64 + 2 * i);
        clgrad_ref_store(dx64, dx);
    }
    return clgrad_ref_arrays_free(&arrays);
}

const clgrad_gated_functions clgrad_ref_gated_functions = {
    .prelu_forward = prelu_forward,
    .prelu_backward = prelu_backward,
    .glu_forward = glu_forward,
    .glu_backward = glu_backward,
};
