/*
 * Dropout, and RReLU in training: the same elements dropped, the same slopes drawn.
 */
#include "conformance.h"

#include <math.h>

enum { SEED = 11, STREAM = 12 };

/* setting: p */
static void check_dropout(clgrad_conf_run *run, float p, bool forward, const size_t *shape)
{
    float *x = clgrad_conf_floats(run, shape[0]);
    double *unit = clgrad_conf_doubles(run, shape[0]);
    if (x == NULL || unit == NULL)
        return;
    clgrad_conf_normal(x, shape[0], 1, 1);
    const clgrad_conf_pair tx = clgrad_conf_input(run, forward ? "x" : "dy", 1, shape, x);
    const clgrad_conf_pair ty = clgrad_conf_output(run, 1, shape);
    if (forward)
        CLGRAD_CONF_CALL(
            run, clgrad_dropout_forward(run->context[side], p, SEED, STREAM, tx.at[side], ty.at[side]));
    else
        CLGRAD_CONF_CALL(
            run, clgrad_dropout_backward(run->context[side], p, SEED, STREAM, tx.at[side], ty.at[side]));
    const float *exact = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, ty);
    for (size_t i = 0; exact != NULL && i < shape[0]; i++)
        unit[i] = exact[i] != 0 ? clgrad_conf_ulp(exact[i]) : 0;
    clgrad_conf_compare(run, forward ? "y" : "dx", ty, unit, 0);
}

static void check_dropout_forward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    check_dropout(run, *(const float *)setting, true, shape);
}

static void check_dropout_backward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    check_dropout(run, *(const float *)setting, false, shape);
}

/* The slope within 2 u of the larger end, one rounding on top. setting: lower, upper */
static void check_rrelu(clgrad_conf_run *run, const float *ends, bool forward, const size_t *shape)
{
    const float lower = ends[0], upper = ends[1];
    float *x = clgrad_conf_floats(run, shape[0]), *dy = clgrad_conf_floats(run, shape[0]);
    double *unit = clgrad_conf_doubles(run, shape[0]);
    if (x == NULL || dy == NULL || unit == NULL)
        return;
    clgrad_conf_normal(x, shape[0], 1, 1);
    clgrad_conf_normal(dy, shape[0], 2, 1);
    const clgrad_conf_pair tx = clgrad_conf_input(run, "x", 1, shape, x);
    const clgrad_conf_pair tdy = clgrad_conf_input(run, "dy", 1, shape, forward ? NULL : dy);
    const clgrad_conf_pair out = clgrad_conf_output(run, 1, shape);
    if (forward)
        CLGRAD_CONF_CALL(run, clgrad_rrelu_forward(run->context[side], lower, upper, SEED, STREAM,
                                                   tx.at[side], out.at[side]));
    else
        CLGRAD_CONF_CALL(run, clgrad_rrelu_backward(run->context[side], lower, upper, SEED, STREAM,
                                                    tx.at[side], tdy.at[side], out.at[side]));
    const float *exact = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, out);
    const double slope = 2 * CLGRAD_CONF_U * fmax(fabs((double)lower), fabs((double)upper));
    for (size_t i = 0; exact != NULL && i < shape[0]; i++)
        unit[i] = x[i] > 0 ? 0 : slope * fabs((double)(forward ? x : dy)[i]) + clgrad_conf_ulp(exact[i]) / 2;
    clgrad_conf_compare(run, forward ? "y" : "dx", out, unit, clgrad_conf_lost(run, 1));
}

static void check_rrelu_forward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    check_rrelu(run, setting, true, shape);
}

static void check_rrelu_backward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    check_rrelu(run, setting, false, shape);
}

static void dropouts(clgrad_conf_run *run, const char *direction, clgrad_conf_check *check)
{
    static const struct {
        float p;
        const char *words;
    } settings[] = {{0.5f, "p=0.5"}, {0.1f, "p=0.1"}, {0, "p=0"}, {1, "p=1"}};
    if (!clgrad_conf_begin(run, "noise", "dropout", direction, "ulp", 1.5))
        return;
    for (size_t i = 0; i < CLGRAD_CONF_COUNT(settings); i++)
        clgrad_conf_lengths(run, &(clgrad_conf_case){check, &settings[i].p, settings[i].words, "n"});
    clgrad_conf_end(run);
}

static void rrelus(clgrad_conf_run *run, const char *direction, clgrad_conf_check *check)
{
    static const struct {
        float ends[2];
        const char *words;
    } settings[] = {{{0.125f, 1.0f / 3}, "lower=0.125 upper=0.333333343"},
                    {{-0.5f, 2}, "lower=-0.5 upper=2"},
                    {{0.25f, 0.25f}, "lower=0.25 upper=0.25"}};
    if (!clgrad_conf_begin(run, "noise", "rrelu_training", direction, "bound", 1))
        return;
    for (size_t i = 0; i < CLGRAD_CONF_COUNT(settings); i++)
        clgrad_conf_lengths(run, &(clgrad_conf_case){check, settings[i].ends, settings[i].words, "n"});
    clgrad_conf_end(run);
}

void clgrad_conf_noise(clgrad_conf_run *run)
{
    dropouts(run, "forward", check_dropout_forward);
    dropouts(run, "backward", check_dropout_backward);
    rrelus(run, "forward", check_rrelu_forward);
    rrelus(run, "backward", check_rrelu_backward);
}
