/*
 * Losses against a third source: the reference's formulas, called directly, and every device. And the
 * reference's gradients against finite differences of its values.
 */
#include "loss_case.h"

#include "internal.h"

#include <string.h>

#include "golden/loss.h"

#include <stdio.h>

static loss_case golden_case(const golden_loss *g, float *dvalue)
{
    loss_case c = {.label = g->label,
                   .loss = clgrad_loss_defaults(g->kind),
                   .rank = g->rank,
                   .prediction = g->prediction,
                   .target = g->target,
                   .classes = g->classes};
    c.loss.reduction = g->reduction;
    set_parameters(clgrad_loss_describe(g->kind)->parameters, &c.loss, g->parameters);
    memcpy(c.shape, g->shape, sizeof g->shape);
    if (g->dvalue != NULL) {
        for (size_t i = 0; i < g->value_count; i++)
            dvalue[i] = (float)g->dvalue[i];
        c.dvalue = dvalue;
    }
    return c;
}

/* Every row and every reduction has golden values, with an upstream gradient and without, at its defaults. */
static void every_row_has_golden_values(clgrad_context *context)
{
    (void)context;
    enum { NONE, UPSTREAM, CLASSES, WAYS };
    for (int kind = 0; kind < CLGRAD_LOSS_COUNT; kind++) {
        int found[CLGRAD_REDUCTION_SUM + 1][WAYS] = {0};
        float dvalue[256];
        for (size_t i = 0; i < COUNT(golden_losses); i++) {
            const golden_loss *g = &golden_losses[i];
            assert_true(g->value_count <= COUNT(dvalue));
            const loss_case c = golden_case(g, dvalue);
            clgrad_loss defaults = clgrad_loss_defaults(g->kind);
            defaults.reduction = c.loss.reduction;
            float wanted[CLGRAD_PARAMETER_MAX], got[CLGRAD_PARAMETER_MAX];
            clgrad_parameters_pack(clgrad_loss_describe(g->kind)->parameters, &defaults, wanted);
            clgrad_parameters_pack(clgrad_loss_describe(g->kind)->parameters, &c.loss, got);
            if ((int)g->kind == kind && memcmp(wanted, got, sizeof got) == 0)
                found[g->reduction][g->classes != NULL ? CLASSES : g->dvalue != NULL ? UPSTREAM : NONE]++;
        }
        for (int reduction = 0; reduction <= CLGRAD_REDUCTION_SUM; reduction++)
            if (found[reduction][NONE] == 0 || found[reduction][UPSTREAM] == 0 ||
                (kind == CLGRAD_LOSS_CROSS_ENTROPY && found[reduction][CLASSES] == 0))
                fail_msg("%s lacks golden values for the reduction %s",
                         clgrad_loss_describe((clgrad_loss_kind)kind)->name,
                         clgrad_reduction_name((clgrad_reduction)reduction));
    }
}

static double largest(const double *numbers, size_t count)
{
    double result = 0;
    for (size_t i = 0; i < count; i++)
        result = isfinite(numbers[i]) ? fmax(result, fabs(numbers[i])) : result;
    return result;
}

/* To 1e-13 of the number itself, or where terms cancel to a few roundings of what cancels. */
static void reference_matches_golden_values(clgrad_context *context)
{
    (void)context;
    float dvalue[256];
    for (size_t g = 0; g < COUNT(golden_losses); g++) {
        const golden_loss *golden = &golden_losses[g];
        const loss_case c = golden_case(golden, dvalue);
        loss_exact got = loss_case_reference(&c);
        double *terms = loss_absolute_terms(&c);
        assert_int_equal(golden->value_count, loss_case_values(&c));
        for (size_t i = 0; i < golden->value_count; i++)
            if (!is_close(got.value[i], golden->value[i], 1e-13 * fabs(golden->value[i]) + 1e-15 * terms[i]))
                fail_msg("%s: value[%zu] is %.17g, not %.17g", c.label, i, got.value[i], golden->value[i]);
        const size_t count = loss_case_count(&c);
        const double rounding = 4e-16 * largest(golden->gradient, count);
        for (size_t i = 0; i < count; i++)
            if (!is_close(got.gradient[i], golden->gradient[i], 1e-13 * fabs(golden->gradient[i]) + rounding))
                fail_msg("%s: gradient[%zu] is %.17g, not %.17g", c.label, i, got.gradient[i],
                         golden->gradient[i]);
        free(terms);
        loss_exact_free(got);
    }
}

static void device_matches_golden_values(clgrad_context *context)
{
    float dvalue[256];
    for (size_t g = 0; g < COUNT(golden_losses); g += test_small() ? 7 : 1) {
        const golden_loss *golden = &golden_losses[g];
        const loss_case c = golden_case(golden, dvalue);
        double *value = allocate(golden->value_count, sizeof *value);
        double *gradient = allocate(loss_case_count(&c), sizeof *gradient);
        memcpy(value, golden->value, golden->value_count * sizeof *value);
        memcpy(gradient, golden->gradient, loss_case_count(&c) * sizeof *gradient);
        loss_case_check(context, &c, (loss_exact){value, gradient});
        free(value);
        free(gradient);
    }
}

/* ---- finite differences ---- */

enum { ROWS = 3, COLUMNS = 4, ELEMENTS = ROWS * COLUMNS };

typedef struct point {
    clgrad_loss loss;
    double prediction[ELEMENTS], target[ELEMENTS], dvalue[ELEMENTS];
    const int32_t *classes;
} point;

/* The sum of value times dvalue, which dprediction is the gradient of. */
static double weighted_value(const point *p, size_t values)
{
    double value[ELEMENTS] = {0}, sum = 0;
    clgrad_ref_loss(&p->loss, ROWS, COLUMNS, p->prediction, p->classes != NULL ? NULL : p->target, p->classes,
                    value, NULL, NULL);
    for (size_t i = 0; i < values; i++)
        sum += value[i] * p->dvalue[i];
    return sum;
}

static void check_differences(const point *at)
{
    const clgrad_loss_info *info = clgrad_loss_describe(at->loss.kind);
    const size_t terms = info->extent == CLGRAD_LOSS_ELEMENT ? ELEMENTS
                         : info->extent == CLGRAD_LOSS_ROW   ? ROWS
                                                             : 1;
    const size_t values = at->loss.reduction == CLGRAD_REDUCTION_NONE ? terms : 1;
    const double h = 1e-5;
    double gradient[ELEMENTS];
    clgrad_ref_loss(&at->loss, ROWS, COLUMNS, at->prediction, at->classes != NULL ? NULL : at->target,
                    at->classes, NULL, at->dvalue, gradient);
    for (size_t i = 0; i < ELEMENTS; i++) {
        point above = *at, below = *at;
        above.prediction[i] += h;
        below.prediction[i] -= h;
        const double difference = (weighted_value(&above, values) - weighted_value(&below, values)) / (2 * h);
        if (!is_close(gradient[i], difference, 1e-8 + 1e-7 * fabs(difference)))
            fail_msg("%s %s: gradient[%zu] is %.12g, but differences give %.12g", info->name,
                     clgrad_reduction_name(at->loss.reduction), i, gradient[i], difference);
    }
}

/* Inside every loss's domain, and away from its kinks. */
static void reference_gradient_matches_differences(clgrad_context *context)
{
    (void)context;
    static const int32_t classes[ROWS] = {3, 0, 2};
    for (int kind = 0; kind < CLGRAD_LOSS_COUNT; kind++)
        for (int reduction = 0; reduction <= CLGRAD_REDUCTION_SUM; reduction++) {
            point p = {.loss = clgrad_loss_defaults((clgrad_loss_kind)kind)};
            p.loss.reduction = (clgrad_reduction)reduction;
            p.loss.alpha = 0.3f;
            for (size_t i = 0; i < ELEMENTS; i++) {
                p.prediction[i] = 0.1 + 0.07 * (double)(i * 5 % ELEMENTS);
                p.target[i] = 0.06 + 0.07 * (double)(i * 7 % ELEMENTS);
                p.dvalue[i] = i % 3 == 1 ? -1.5 : 0.4 + 0.1 * (double)i;
            }
            check_differences(&p);
            p.classes = classes;
            if (kind == CLGRAD_LOSS_CROSS_ENTROPY)
                check_differences(&p);
        }
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_row_has_golden_values),
        CASE(reference_matches_golden_values),
        CASE(device_matches_golden_values),
        CASE(reference_gradient_matches_differences),
    };
    return run_on_every_device(cases, COUNT(cases));
}
