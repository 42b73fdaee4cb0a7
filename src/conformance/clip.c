/*
 * Gradient clipping, by norms of every kind and by value.
 */
#include "conformance.h"

#include <math.h>
#include <stdio.h>

/* setting: norm_type and max_norm */
static void check_norm(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    const float norm_type = ((const float *)setting)[0], max_norm = ((const float *)setting)[1];
    const bool plain = norm_type == 1 || norm_type == 2 || isinf(norm_type);
    const double of_norm = CLGRAD_CONF_U * (plain ? 32 : 40 + 120 / (double)norm_type);
    float *gradient = clgrad_conf_floats(run, shape[0]);
    double *unit = clgrad_conf_doubles(run, shape[0]), norm_unit;
    if (gradient == NULL || unit == NULL)
        return;
    clgrad_conf_normal(gradient, shape[0], 1, 2);
    const clgrad_conf_pair tensor = clgrad_conf_input(run, "gradient", 1, shape, gradient);
    const clgrad_conf_pair norm = clgrad_conf_output(run, 0, NULL);
    CLGRAD_CONF_CALL(
        run, clgrad_clip_grad_norm(run->context[side], max_norm, norm_type, tensor.at[side], norm.at[side]));
    const float *exact_norm = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, norm);
    const float *exact = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, tensor);
    if (exact_norm == NULL || exact == NULL)
        return;
    norm_unit = of_norm * fabs((double)exact_norm[0]);
    for (size_t i = 0; i < shape[0]; i++) /* a factor of 1 leaves every bit */
        unit[i] = exact_norm[0] > max_norm ? (of_norm + 8 * CLGRAD_CONF_U) * fabs((double)exact[i]) : 0;
    clgrad_conf_compare(run, "total_norm", norm, &norm_unit, 0);
    clgrad_conf_compare(run, "gradient", tensor, unit, 0);
}

static void check_value(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    const float clip_value = *(const float *)setting;
    float *gradient = clgrad_conf_floats(run, shape[0]);
    if (gradient == NULL)
        return;
    clgrad_conf_normal(gradient, shape[0], 1, 2);
    for (size_t i = 0; i < shape[0]; i++)
        gradient[i] = i % 9 == 4 ? NAN : i % 31 == 5 ? INFINITY : gradient[i];
    const clgrad_conf_pair tensor = clgrad_conf_input(run, "gradient", 1, shape, gradient);
    CLGRAD_CONF_CALL(run, clgrad_clip_grad_value(run->context[side], clip_value, tensor.at[side]));
    clgrad_conf_compare(run, "gradient", tensor, NULL, 0);
}

void clgrad_conf_clip(clgrad_conf_run *run)
{
    static const float norm_types[] = {2, 1, INFINITY, 3, 0.5f}, max_norms[] = {0.5f, 1e30f};
    static const float values[] = {1, 0, 100};
    char words[64];
    if (clgrad_conf_begin(run, "clip", "clip_grad_norm", NULL, "bound", 1)) {
        for (size_t i = 0; i < CLGRAD_CONF_COUNT(norm_types) * CLGRAD_CONF_COUNT(max_norms); i++) {
            const float setting[] = {norm_types[i / 2], max_norms[i % 2]};
            snprintf(words, sizeof words, "norm_type=%g max_norm=%g", (double)setting[0], (double)setting[1]);
            clgrad_conf_lengths(run, &(clgrad_conf_case){check_norm, setting, words, "n"});
        }
        clgrad_conf_end(run);
    }
    if (clgrad_conf_begin(run, "clip", "clip_grad_value", NULL, "exact", 0)) {
        for (size_t i = 0; i < CLGRAD_CONF_COUNT(values); i++) {
            snprintf(words, sizeof words, "clip_value=%g", (double)values[i]);
            clgrad_conf_lengths(run, &(clgrad_conf_case){check_value, &values[i], words, "n"});
        }
        clgrad_conf_end(run);
    }
}
