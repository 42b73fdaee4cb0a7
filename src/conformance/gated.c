/*
 * PReLU and GLU, forward and backward.
 */
#include "conformance.h"

#include <float.h>
#include <math.h>

/* ---- PReLU; setting: whether each channel has a slope of its own. Shape: batch, channels, inner ---- */

typedef struct prelu {
    size_t count, weights;
    float *x, *weight, *dy;
    double *unit;
    clgrad_conf_pair tx, tweight;
} prelu;

static prelu begin_prelu(clgrad_conf_run *run, bool per_channel, const size_t *shape)
{
    prelu p = {.count = shape[0] * shape[1] * shape[2], .weights = per_channel ? shape[1] : 1};
    p.x = clgrad_conf_floats(run, p.count);
    p.dy = clgrad_conf_floats(run, p.count);
    p.weight = clgrad_conf_floats(run, p.weights);
    p.unit = clgrad_conf_doubles(run, p.count);
    if (run->status != CLGRAD_STATUS_SUCCESS)
        return p;
    clgrad_conf_normal(p.x, p.count, 1, 2);
    clgrad_conf_normal(p.dy, p.count, 2, 1);
    clgrad_conf_normal(p.weight, p.weights, 3, 0.5);
    p.tx = clgrad_conf_input(run, "x", 3, shape, p.x);
    p.tweight = clgrad_conf_input(run, "weight", 1, &p.weights, p.weight);
    return p;
}

static void check_prelu_forward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    prelu p = begin_prelu(run, *(const bool *)setting, shape);
    const clgrad_conf_pair ty = clgrad_conf_output(run, 3, shape);
    CLGRAD_CONF_CALL(
        run, clgrad_prelu_forward(run->context[side], p.tx.at[side], p.tweight.at[side], ty.at[side]));
    const float *exact = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, ty);
    for (size_t i = 0; exact != NULL && i < p.count; i++)
        p.unit[i] = p.x[i] > 0 ? 0 : clgrad_conf_ulp(exact[i]) / 2;
    clgrad_conf_compare(run, "y", ty, p.unit, clgrad_conf_lost(run, 1));
}

static void check_prelu_backward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    prelu p = begin_prelu(run, *(const bool *)setting, shape);
    double *weight_unit = clgrad_conf_doubles(run, p.weights);
    const clgrad_conf_pair tdy = clgrad_conf_input(run, "dy", 3, shape, p.dy);
    const clgrad_conf_pair tdx = clgrad_conf_output(run, 3, shape);
    const clgrad_conf_pair tdweight = clgrad_conf_output(run, 1, &p.weights);
    CLGRAD_CONF_CALL(run, clgrad_prelu_backward(run->context[side], p.tx.at[side], p.tweight.at[side],
                                                tdy.at[side], tdx.at[side], tdweight.at[side]));
    const float *exact = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, tdx);
    if (exact == NULL)
        return;
    for (size_t i = 0; i < p.count; i++) {
        const size_t channel = p.weights == 1 ? 0 : i / shape[2] % shape[1];
        const bool positive = p.x[i] > 0;
        p.unit[i] = positive ? 0 : clgrad_conf_ulp(exact[i]) / 2;
        weight_unit[channel] += positive ? 0 : 32 * CLGRAD_CONF_U * fabs((double)p.x[i] * p.dy[i]);
    }
    clgrad_conf_compare(run, "dx", tdx, p.unit, clgrad_conf_lost(run, 1));
    clgrad_conf_compare(run, "dweight", tdweight, weight_unit, clgrad_conf_lost(run, (double)p.count));
}

/* ---- GLU; shape: rows, and columns of the output ---- */

typedef struct glu {
    size_t count, input_shape[2]; /* of the output; of the input */
    float *x, *dy;
    clgrad_conf_pair tx;
} glu;

static glu begin_glu(clgrad_conf_run *run, const size_t *shape)
{
    glu g = {.count = shape[0] * shape[1], .input_shape = {shape[0], 2 * shape[1]}};
    g.x = clgrad_conf_floats(run, 2 * g.count);
    g.dy = clgrad_conf_floats(run, g.count);
    if (run->status != CLGRAD_STATUS_SUCCESS)
        return g;
    clgrad_conf_normal(g.x, 2 * g.count, 1, 20);
    clgrad_conf_normal(g.dy, g.count, 2, 1);
    g.tx = clgrad_conf_input(run, "x", 2, g.input_shape, g.x);
    return g;
}

/* 5 ulp, and abs a 2^-126. */
static void check_glu_forward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    (void)setting;
    glu g = begin_glu(run, shape);
    double *unit = clgrad_conf_doubles(run, g.count);
    const clgrad_conf_pair ty = clgrad_conf_output(run, 2, shape);
    CLGRAD_CONF_CALL(run, clgrad_glu_forward(run->context[side], g.tx.at[side], ty.at[side]));
    const float *exact = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, ty);
    for (size_t i = 0; exact != NULL && i < g.count; i++) {
        const double a = g.x[i / shape[1] * 2 * shape[1] + i % shape[1]];
        unit[i] = clgrad_conf_ulp(exact[i]) + fabs(a) * (double)FLT_MIN / 5;
    }
    clgrad_conf_compare(run, "y", ty, unit, clgrad_conf_lost(run, 1));
}

/* 10 ulp, and 2^-126 times abs dy for da, times abs dy a for db. */
static void check_glu_backward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    (void)setting;
    glu g = begin_glu(run, shape);
    double *unit = clgrad_conf_doubles(run, 2 * g.count);
    const clgrad_conf_pair tdy = clgrad_conf_input(run, "dy", 2, shape, g.dy);
    const clgrad_conf_pair tdx = clgrad_conf_output(run, 2, g.input_shape);
    CLGRAD_CONF_CALL(run, clgrad_glu_backward(run->context[side], g.tx.at[side], tdy.at[side], tdx.at[side]));
    const float *exact = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, tdx);
    for (size_t i = 0; exact != NULL && i < 2 * g.count; i++) {
        const size_t row = i / g.input_shape[1], column = i % g.input_shape[1];
        const double dy = fabs((double)g.dy[row * shape[1] + column % shape[1]]);
        const double factor = column < shape[1] ? dy : dy * fabs((double)g.x[i - shape[1]]);
        unit[i] = clgrad_conf_ulp(exact[i]) + factor * (double)FLT_MIN / 10;
    }
    clgrad_conf_compare(run, "dx", tdx, unit, clgrad_conf_lost(run, 2));
}

/* ---- all ---- */

static void prelus(clgrad_conf_run *run, const char *direction, clgrad_conf_check *check)
{
    static const bool settings[] = {false, true};
    static const char *const words[] = {"one slope", "a slope for each channel"};
    static const clgrad_conf_shape shapes[] = {{0, 3, 1},  {1, 1, 1},   {5, 3, 2},    {65, 1, 1},
                                               {7, 65, 1}, {257, 7, 3}, {3, 257, 11}, {2003, 31, 1}};
    if (!clgrad_conf_begin(run, "gated", "prelu", direction, "bound", 1))
        return;
    for (size_t i = 0; i < CLGRAD_CONF_COUNT(settings); i++)
        clgrad_conf_sizes(run, &(clgrad_conf_case){check, &settings[i], words[i], "batch channels inner"},
                          shapes, CLGRAD_CONF_COUNT(shapes));
    clgrad_conf_end(run);
}

static void glus(clgrad_conf_run *run, const char *direction, clgrad_conf_check *check, double bound)
{
    static const clgrad_conf_shape shapes[] = {{0, 3},   {1, 1},   {5, 3},   {1, 65},
                                               {64, 64}, {257, 7}, {3, 257}, {1001, 65}};
    if (!clgrad_conf_begin(run, "gated", "glu", direction, "ulp", bound))
        return;
    clgrad_conf_sizes(run, &(clgrad_conf_case){check, NULL, "", "rows columns"}, shapes,
                      CLGRAD_CONF_COUNT(shapes));
    clgrad_conf_end(run);
}

void clgrad_conf_gated(clgrad_conf_run *run)
{
    prelus(run, "forward", check_prelu_forward);
    prelus(run, "backward", check_prelu_backward);
    glus(run, "forward", check_glu_forward, 5);
    glus(run, "backward", check_glu_backward, 10);
}
