/*
 * Softmaxes: every row of the list, forward and backward.
 */
#include "conformance.h"

#include <math.h>

/* What bounds y's error: relative, for log_softmax to the larger of |y| and the distance to the largest x. */
static void forward_units(clgrad_softmax_kind kind, const size_t *shape, const float *x, const float *y,
                          double *unit)
{
    const size_t columns = shape[1];
    for (size_t r = 0; r < shape[0]; r++) {
        double top = -INFINITY;
        for (size_t i = 0; i < columns; i++)
            top = fmax(top, x[r * columns + i]);
        for (size_t i = r * columns; i < (r + 1) * columns; i++) {
            const double size = fabs((double)y[i]);
            unit[i] = CLGRAD_CONF_U * (kind == CLGRAD_SOFTMAX_LOG_SOFTMAX ? fmax(size, top - x[i]) : size);
        }
    }
}

/* The sum of the absolute values of dx's terms. */
static void backward_units(clgrad_softmax_kind kind, const size_t *shape, const float *y, const float *dy,
                           double *unit)
{
    const size_t columns = shape[1];
    const bool logarithm = kind == CLGRAD_SOFTMAX_LOG_SOFTMAX;
    for (size_t r = 0; r < shape[0]; r++) {
        double sum = 0;
        for (size_t i = r * columns; i < (r + 1) * columns; i++)
            sum += fabs(logarithm ? dy[i] : (double)dy[i] * y[i]);
        for (size_t i = r * columns; i < (r + 1) * columns; i++) {
            const double own = fabs((double)dy[i]);
            unit[i] = CLGRAD_CONF_U * (logarithm ? own + exp(y[i]) * sum : fabs((double)y[i]) * (own + sum));
        }
    }
}

static void check_forward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    const clgrad_softmax_kind kind = *(const clgrad_softmax_kind *)setting;
    const size_t count = shape[0] * shape[1];
    float *x = clgrad_conf_floats(run, count);
    double *unit = clgrad_conf_doubles(run, count);
    if (x == NULL || unit == NULL)
        return;
    clgrad_conf_normal(x, count, 1, 6);
    const clgrad_conf_pair tx = clgrad_conf_input(run, "x", 2, shape, x);
    const clgrad_conf_pair ty = clgrad_conf_output(run, 2, shape);
    CLGRAD_CONF_CALL(run, clgrad_softmax_forward(run->context[side], kind, tx.at[side], ty.at[side]));
    const float *y = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, ty);
    if (y != NULL)
        forward_units(kind, shape, x, y, unit);
    clgrad_conf_compare(run, "y", ty, unit, clgrad_conf_lost(run, 2));
}

/* y is the reference's output for some x. */
static void check_backward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    const clgrad_softmax_kind kind = *(const clgrad_softmax_kind *)setting;
    const size_t count = shape[0] * shape[1];
    float *y = clgrad_conf_floats(run, count), *dy = clgrad_conf_floats(run, count);
    double *unit = clgrad_conf_doubles(run, count);
    if (y == NULL || dy == NULL || unit == NULL)
        return;
    clgrad_conf_normal(y, count, 1, 4);
    clgrad_conf_normal(dy, count, 2, 1);
    const clgrad_conf_pair ty = clgrad_conf_input(run, "y", 2, shape, y);
    const clgrad_conf_pair tdy = clgrad_conf_input(run, "dy", 2, shape, dy);
    const clgrad_conf_pair tdx = clgrad_conf_output(run, 2, shape);
    const clgrad_tensor at_reference = ty.at[CLGRAD_CONF_REFERENCE];
    if (clgrad_conf_over(run) || clgrad_softmax_forward(run->context[CLGRAD_CONF_REFERENCE], kind,
                                                        at_reference, at_reference) != CLGRAD_STATUS_SUCCESS)
        return; /* no columns */
    const float *output = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, ty);
    for (size_t i = 0; output != NULL && i < count; i++)
        y[i] = output[i];
    clgrad_conf_write(run, CLGRAD_CONF_DEVICE, ty, y);
    CLGRAD_CONF_CALL(
        run, clgrad_softmax_backward(run->context[side], kind, ty.at[side], tdy.at[side], tdx.at[side]));
    backward_units(kind, shape, y, dy, unit);
    clgrad_conf_compare(run, "dx", tdx, unit, clgrad_conf_lost(run, 4));
}

static void run_shapes(clgrad_conf_run *run, clgrad_conf_check *check, const clgrad_softmax_kind *kind)
{
    static const clgrad_conf_shape shapes[] = {{0, 3},   {1, 1},    {3, 2},     {5, 1},
                                               {7, 63},  {4, 64},   {3, 65},    {2, 257},
                                               {257, 7}, {3, 1000}, {2001, 10}, {64, 5003}};
    clgrad_conf_sizes(run, &(clgrad_conf_case){check, kind, "", "rows columns"}, shapes,
                      CLGRAD_CONF_COUNT(shapes) - (run->options.full ? 0 : 1));
    clgrad_conf_end(run);
}

void clgrad_conf_softmax(clgrad_conf_run *run)
{
    for (int k = 0; k < CLGRAD_SOFTMAX_COUNT; k++) {
        const clgrad_softmax_kind kind = (clgrad_softmax_kind)k;
        const clgrad_softmax_info *info = clgrad_softmax_describe(kind);
        if (clgrad_conf_begin(run, "softmax", info->name, "forward", "u", info->bound))
            run_shapes(run, check_forward, &kind);
        if (clgrad_conf_begin(run, "softmax", info->name, "backward", "u", info->bound))
            run_shapes(run, check_backward, &kind);
    }
}
