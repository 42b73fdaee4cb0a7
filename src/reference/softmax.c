/*
 * Softmax, softmin and log-softmax, a row at a time. With the largest number m of the row and s the sum of
 * exp(x_j - m) over all the others, softmax is exp(x_i - m) / (1 + s) and its logarithm (x_i - m) - log(1 +
 * s) (Blanchard, Higham, Higham, "Accurately computing the log-sum-exp and softmax functions", IMA Journal of
 * Numerical Analysis 41, 2021, equations 1.4 to 1.6): no exponent is positive, and log1p keeps a small s.
 */
#include "reference.h"

#include "../internal.h"

#include <math.h>

/* Where the row's largest number stands, the first of equal ones; a NaN anywhere is found later, in the sum.
 */
static size_t largest(size_t count, double sign, const double *x)
{
    size_t at = 0;
    for (size_t i = 1; i < count; i++)
        if (sign * x[i] > sign * x[at])
            at = i;
    return at;
}

/*
 * With sign 1 or -1, for softmin. A largest number of +inf (no probability: inf - inf), of -inf (0 / 0) and a
 * NaN leave NaN in their difference to themselves, so that the sum, begun with it, makes the whole row NaN.
 */
static void softmax(size_t count, double sign, bool logarithm, const double *x, double *y)
{
    const size_t top = largest(count, sign, x);
    const double m = sign * x[top];
    double s = m - m;
    for (size_t i = 0; i < count; i++)
        if (i != top)
            s += exp(sign * x[i] - m);
    for (size_t i = 0; i < count; i++) {
        const double difference = sign * x[i] - m;
        y[i] = logarithm ? difference - log1p(s) : exp(difference) / (1 + s);
    }
}

void clgrad_ref_softmax(clgrad_softmax_kind kind, size_t count, const double *x, double *y)
{
    softmax(count, kind == CLGRAD_SOFTMAX_SOFTMIN ? -1 : 1, kind == CLGRAD_SOFTMAX_LOG_SOFTMAX, x, y);
}

/*
 * The Jacobian of softmax is diag(y) - y y^T, softmin's its negative, that of log-softmax I - 1 exp(y)^T
 * (Goodfellow, Bengio, Courville, "Deep Learning", 2016, section 6.2.2.3); each transposed and multiplied by
 * dy.
 */
void clgrad_ref_softmax_backward(clgrad_softmax_kind kind, size_t count, const double *y, const double *dy,
                                 double *dx)
{
    const bool logarithm = kind == CLGRAD_SOFTMAX_LOG_SOFTMAX;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += logarithm ? dy[i] : dy[i] * y[i];
    for (size_t i = 0; i < count; i++) {
        if (logarithm)
            dx[i] = dy[i] - exp(y[i]) * sum;
        else
            dx[i] = (kind == CLGRAD_SOFTMAX_SOFTMIN ? -y[i] : y[i]) * (dy[i] - sum);
    }
}

static clgrad_status softmax_forward(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor x,
                                     clgrad_tensor y)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *y64 = clgrad_ref_allocate(&arrays, y);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const size_t count = clgrad_tensor_count(x), row = x.shape[x.rank - 1];
        for (size_t i = 0; i < count; i += row)
            clgrad_ref_softmax(kind, row, x64 + i, y64 + i);
        clgrad_ref_store(y64, y);
    }
    return clgrad_ref_arrays_free(&arrays);
}

static clgrad_status softmax_backward(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor y,
                                      clgrad_tensor dy, clgrad_tensor dx)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *y64 = clgrad_ref_load(&arrays, y);
    double *dy64 = clgrad_ref_load(&arrays, dy);
    double *dx64 = clgrad_ref_allocate(&arrays, dx);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const size_t count = clgrad_tensor_count(y), row = y.shape[y.rank - 1];
        for (size_t i = 0; i < count; i += row)
            clgrad_ref_softmax_backward(kind, row, y64 + i, dy64 + i, dx64 + i);
        clgrad_ref_store(dx64, dx);
    }
    return clgrad_ref_arrays_free(&arrays);
}

const clgrad_softmax_functions clgrad_ref_softmax_functions = {
    .forward = softmax_forward,
    .backward = softmax_backward,
};
