/*
 * Activations: every row of the list, forward and backward, on bit patterns from all of float32.
 */
#include "conformance.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* Every other number has bits that go evenly through all float32, infinities and NaN among them. */
static void draw(const clgrad_conf_run *run, float *x, size_t count)
{
    static const float special[] = {0,       -0.0f,    1, -1, INFINITY, -INFINITY, NAN, FLT_MAX, -FLT_MAX,
                                    FLT_MIN, -FLT_MIN, 3, -3, 6,        20,        -20, 0.5f,    -0.5f};
    clgrad_conf_normal(x, count, 1, 3);
    for (size_t i = 0; i < count; i++) {
        const uint32_t bits = (uint32_t)i * 0x9e3779b1u;
        if (i % 2 == 1)
            memcpy(&x[i], &bits, sizeof bits);
        if (i % 2 == 0 && i > 0 && i / 2 <= CLGRAD_CONF_COUNT(special))
            x[i] = special[i / 2 - 1];
        if (run->flushes && fabsf(x[i]) < FLT_MIN)
            x[i] = copysignf(0, x[i]);
    }
}

static void check_forward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    const clgrad_activation *activation = setting;
    const size_t count = shape[0];
    float *x = clgrad_conf_floats(run, count);
    double *unit = clgrad_conf_doubles(run, count);
    if (x == NULL || unit == NULL)
        return;
    draw(run, x, count);
    const clgrad_conf_pair tx = clgrad_conf_input(run, "x", 1, shape, x);
    const clgrad_conf_pair ty = clgrad_conf_output(run, 1, shape);
    CLGRAD_CONF_CALL(run,
                     clgrad_activation_forward(run->context[side], activation, tx.at[side], ty.at[side]));
    const float *exact = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, ty);
    for (size_t i = 0; exact != NULL && i < count; i++)
        unit[i] = clgrad_conf_ulp(exact[i]);
    clgrad_conf_compare(run, "y", ty, unit, run->flushes ? (double)FLT_MIN : 0);
}

/* dy is a power of two, so that dx has the error of f' alone. */
static void check_backward(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    static const float factors[] = {1, -1, 2};
    const clgrad_activation *activation = setting;
    const double floor = clgrad_activation_describe(activation->kind)->backward_floor;
    const size_t count = shape[0];
    float *x = clgrad_conf_floats(run, count), *dy = clgrad_conf_floats(run, count);
    double *unit = clgrad_conf_doubles(run, count);
    if (x == NULL || dy == NULL || unit == NULL)
        return;
    draw(run, x, count);
    for (size_t i = 0; i < count; i++)
        dy[i] = factors[i % 3];
    const clgrad_conf_pair tx = clgrad_conf_input(run, "x", 1, shape, x);
    const clgrad_conf_pair tdy = clgrad_conf_input(run, "dy", 1, shape, dy);
    const clgrad_conf_pair tdx = clgrad_conf_output(run, 1, shape);
    CLGRAD_CONF_CALL(run, clgrad_activation_backward(run->context[side], activation, tx.at[side],
                                                     tdy.at[side], tdx.at[side]));
    const float *exact = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, tdx);
    for (size_t i = 0; exact != NULL && i < count; i++) {
        const double size = fabs((double)dy[i]), derivative = fabs(exact[i] / size);
        unit[i] = size * clgrad_conf_ulp(derivative >= floor ? derivative : floor);
    }
    clgrad_conf_compare(run, "dx", tdx, unit, run->flushes ? 2 * (double)FLT_MIN : 0);
}

/* The defaults in all sizes, every other setting in one. */
static void run_settings(clgrad_conf_run *run, clgrad_activation_kind kind, clgrad_conf_check *check)
{
    static const clgrad_conf_shape one_size = {4099};
    const clgrad_parameter *parameters = clgrad_activation_describe(kind)->parameters;
    clgrad_activation activation = clgrad_activation_defaults(kind);
    for (size_t k = 0; clgrad_conf_setting(run, parameters, k, &activation); k++) {
        char words[256];
        clgrad_conf_words(parameters, &activation, "", words, sizeof words);
        const clgrad_conf_case each = {check, &activation, words, "n"};
        if (k == 0)
            clgrad_conf_lengths(run, &each);
        else
            clgrad_conf_once(run, &each, one_size);
        activation = clgrad_activation_defaults(kind);
    }
    /* exp and sqrt: the derivative by the output */
    activation.given_output = true;
    const bool was_from_output = clgrad_activation_from_output(&(clgrad_activation){.kind = kind});
    if (check == check_backward && !was_from_output && clgrad_activation_from_output(&activation))
        clgrad_conf_once(run, &(clgrad_conf_case){check, &activation, "given_output", "n"}, one_size);
}

void clgrad_conf_activation(clgrad_conf_run *run)
{
    for (int k = 0; k < CLGRAD_ACTIVATION_COUNT; k++) {
        const clgrad_activation_kind kind = (clgrad_activation_kind)k;
        const clgrad_activation_info *info = clgrad_activation_describe(kind);
        if (clgrad_conf_begin(run, "activation", info->name, "forward", "ulp", info->forward_ulp)) {
            run_settings(run, kind, check_forward);
            clgrad_conf_end(run);
        }
        if (clgrad_conf_begin(run, "activation", info->name, "backward", "ulp", info->backward_ulp)) {
            run_settings(run, kind, check_backward);
            clgrad_conf_end(run);
        }
    }
}
