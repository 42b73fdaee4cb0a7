/*
 * Activations: the reference's formulas against golden values and finite differences, and every device
 * against the reference, in units in the last place.
 */
#include "harness.h"

#include "golden/activation.h"
#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the rows of the list, with each choice of parameters that there are golden values for ---- */

typedef struct variant {
    clgrad_activation activation;
    const clgrad_activation_info *info;
    const golden_activation *golden; /* its golden values, which lie together */
    size_t golden_count;
    char name[64];
} variant;

static variant first_variant(const golden_activation *golden)
{
    variant v = {.golden = golden,
                 .activation = clgrad_activation_defaults(golden->kind),
                 .info = clgrad_activation_describe(golden->kind)};
    assert_non_null(v.info);
    set_parameters(v.info->parameters, &v.activation, golden->parameters);
    const golden_activation *end = golden_activations + COUNT(golden_activations);
    while (golden + v.golden_count < end && golden[v.golden_count].kind == golden->kind &&
           memcmp(golden[v.golden_count].parameters, golden->parameters, sizeof golden->parameters) == 0)
        v.golden_count++;
    snprintf(v.name, sizeof v.name, v.info->parameters[0].name == NULL ? "%s" : "%s(%g)", v.info->name,
             (double)golden->parameters[0]);
    return v;
}

static void for_each_variant(clgrad_context *context, void (*check)(clgrad_context *, const variant *))
{
    for (size_t i = 0; i < COUNT(golden_activations);) {
        variant v = first_variant(&golden_activations[i]);
        check(context, &v);
        i += v.golden_count;
    }
}

/* Every row has golden values at its defaults: at 0, on both sides of it, and at both infinities. */
static void every_row_has_golden_values(clgrad_context *context)
{
    (void)context;
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++) {
        const clgrad_activation defaults = clgrad_activation_defaults((clgrad_activation_kind)kind);
        int at_defaults[5] = {0};
        for (size_t i = 0; i < COUNT(golden_activations); i++) {
            const golden_activation *g = &golden_activations[i];
            if (isnan(g->value) || isnan(g->derivative)) /* a formula without its limit */
                fail_msg("the golden values of %s at %g are NaN", clgrad_activation_describe(g->kind)->name,
                         (double)g->x);
            clgrad_activation activation = defaults;
            set_parameters(clgrad_activation_describe(g->kind)->parameters, &activation, g->parameters);
            if ((int)g->kind == kind && memcmp(&activation, &defaults, sizeof defaults) == 0)
                at_defaults[isinf(g->x) ? (g->x > 0 ? 4 : 0) : g->x < 0 ? 1 : g->x == 0 ? 2 : 3]++;
        }
        for (size_t i = 0; i < COUNT(at_defaults); i++)
            if (at_defaults[i] == 0)
                fail_msg("%s lacks golden values", clgrad_activation_describe(defaults.kind)->name);
    }
}

/* ---- the reference's formulas, called directly ---- */

static void check_reference_at_golden_points(clgrad_context *context, const variant *v)
{
    (void)context;
    for (size_t i = 0; i < v->golden_count; i++) {
        const golden_activation *g = &v->golden[i];
        const double tolerance = isinf(g->x) ? 0 : 1e-14;
        const double value = clgrad_ref_activate(&v->activation, g->x);
        const double derivative = clgrad_ref_activate_derivative(&v->activation, g->x);
        if (!is_close(value, g->value, tolerance * fabs(g->value)))
            fail_msg("%s at %g is %.17g, not %.17g", v->name, (double)g->x, value, g->value);
        if (!is_close(derivative, g->derivative, tolerance * fabs(g->derivative)))
            fail_msg("%s' at %g is %.17g, not %.17g", v->name, (double)g->x, derivative, g->derivative);
    }
    assert_true(isnan(clgrad_ref_activate(&v->activation, NAN)));
    assert_true(isnan(clgrad_ref_activate_derivative(&v->activation, NAN)));
}

static void reference_matches_golden_values(clgrad_context *context)
{
    for_each_variant(context, check_reference_at_golden_points);
}

static void check_reference_derivative(clgrad_context *context, const variant *v)
{
    (void)context;
    const double h = 1e-5;
    for (double x = -20.003; x < 20; x += 0.0137) { /* no step meets a kink at 0 */
        const double difference =
            (clgrad_ref_activate(&v->activation, x + h) - clgrad_ref_activate(&v->activation, x - h)) /
            (2 * h);
        const double derivative = clgrad_ref_activate_derivative(&v->activation, x);
        if (fabs(x) > h && !is_close(derivative, difference, 1e-10 * fmax(1, fabs(x))))
            fail_msg("%s' at %g is %.17g, but differences give %.17g", v->name, x, derivative, difference);
    }
}

static void reference_derivative_matches_differences(clgrad_context *context)
{
    for_each_variant(context, check_reference_derivative);
}

/* ---- devices against exact values ---- */

/*
 * The error in ulp, where a device that flushes denormals may take one for 0 on the way in or out: at_zero is
 * the exact value for an x of 0.
 */
static double error_in_ulp(bool flushes, float x, float got, double exact, double at_zero)
{
    double error = ulp_distance(got, exact);
    if (flushes && fabs(exact) < FLT_MIN && got == 0)
        error = 0;
    if (flushes && fabsf(x) < FLT_MIN)
        error = fmin(error, ulp_distance(got, at_zero));
    return error;
}

/* Forward, and backward with dy = 1, within the list's bounds; returns the largest errors. */
static void check_points(clgrad_context *context, const variant *v, const float *x, size_t count,
                         const double *value, const double *derivative, double worst[2])
{
    const bool flushes = !keeps_denormals(context);
    const double bounds[2] = {(double)v->info->forward_ulp, (double)v->info->backward_ulp};
    const double at_zero[2] = {clgrad_ref_activate(&v->activation, 0),
                               clgrad_ref_activate_derivative(&v->activation, 0)};
    const double *exact[2] = {value, derivative};
    clgrad_tensor tx = vector_with(context, count, x), ones = vector_with(context, count, NULL);
    clgrad_tensor results[2] = {vector_with(context, count, NULL), vector_with(context, count, NULL)};
    assert_ok(context, clgrad_tensor_fill(context, ones, 1));
    assert_ok(context, clgrad_activation_forward(context, &v->activation, tx, results[0]));
    assert_ok(context, clgrad_activation_backward(context, &v->activation, tx, ones, results[1]));
    for (int k = 0; k < 2; k++) {
        float *got = tensor_floats(context, results[k]);
        worst[k] = 0;
        for (size_t i = 0; i < count; i++) {
            const double error = error_in_ulp(flushes, x[i], got[i], exact[k][i], at_zero[k]);
            if (!(error <= bounds[k]))
                fail_msg("%s%s at %a (%g) is %a (%g), %g ulp from %a (%g); the bound is %g", v->name,
                         k == 0 ? "" : "'", (double)x[i], (double)x[i], (double)got[i], (double)got[i], error,
                         exact[k][i], exact[k][i], bounds[k]);
            worst[k] = fmax(worst[k], error);
        }
        free(got);
        tensor_free(context, results[k]);
    }
    tensor_free(context, tx);
    tensor_free(context, ones);
}

static void check_against_reference(clgrad_context *context, const variant *v, const float *x, size_t count,
                                    double worst[2])
{
    double *value = allocate(count, sizeof *value), *derivative = allocate(count, sizeof *derivative);
    for (size_t i = 0; i < count; i++) {
        value[i] = clgrad_ref_activate(&v->activation, x[i]);
        derivative[i] = clgrad_ref_activate_derivative(&v->activation, x[i]);
    }
    check_points(context, v, x, count, value, derivative, worst);
    free(value);
    free(derivative);
}

static void check_device_at_golden_points(clgrad_context *context, const variant *v)
{
    float *x = allocate(v->golden_count, sizeof *x);
    double *value = allocate(v->golden_count, sizeof *value);
    double *derivative = allocate(v->golden_count, sizeof *derivative);
    for (size_t i = 0; i < v->golden_count; i++) {
        x[i] = v->golden[i].x;
        value[i] = v->golden[i].value;
        derivative[i] = v->golden[i].derivative;
    }
    double worst[2];
    check_points(context, v, x, v->golden_count, value, derivative, worst);
    free(x);
    free(value);
    free(derivative);
}

static void device_matches_golden_values(clgrad_context *context)
{
    for_each_variant(context, check_device_at_golden_points);
}

/* Every 4099th (a prime) float32 by its bits: all signs and exponents, denormals, infinities' neighbours,
 * NaN. */
static float *sweep(size_t *count)
{
    const uint64_t stride = test_small() ? 4099 * 251 : 4099;
    *count = (size_t)((UINT64_C(1) << 32) / stride);
    float *x = allocate(*count, sizeof *x);
    for (size_t i = 0; i < *count; i++) {
        const uint32_t bits = (uint32_t)(i * stride);
        memcpy(&x[i], &bits, sizeof bits);
    }
    return x;
}

static const float special_points[] = {0.0f,     -0.0f,    0x1p-149f, -0x1p-149f, 1e-40f,  -1e-40f, FLT_MIN,
                                       -FLT_MIN, 88.0f,    -88.0f,    104.0f,     -104.0f, 1e20f,   -1e20f,
                                       FLT_MAX,  -FLT_MAX, INFINITY,  -INFINITY,  NAN,     -NAN};

static void check_sweep(clgrad_context *context, const variant *v)
{
    size_t count;
    float *x = sweep(&count);
    double worst[2];
    check_against_reference(context, v, special_points, COUNT(special_points), worst);
    check_against_reference(context, v, x, count, worst);
    print_message("%s: at most %.3f ulp forward, %.3f backward\n", v->name, worst[0], worst[1]);
    free(x);
}

static void device_matches_reference_over_all_floats(clgrad_context *context)
{
    for_each_variant(context, check_sweep);
}

/* Every parameter at both ends of its interval. */
static void parameters_reach_their_limits(clgrad_context *context)
{
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++) {
        variant v = {.info = clgrad_activation_describe((clgrad_activation_kind)kind)};
        for (size_t i = 0; v.info->parameters[i].name != NULL; i++) {
            const float ends[2] = {v.info->parameters[i].minimum, v.info->parameters[i].maximum};
            for (size_t k = 0; k < COUNT(ends); k++) {
                v.activation = clgrad_activation_defaults((clgrad_activation_kind)kind);
                set_parameters(&v.info->parameters[i], &v.activation, &ends[k]);
                snprintf(v.name, sizeof v.name, "%s(%g)", v.info->name, (double)ends[k]);
                double worst[2];
                check_against_reference(context, &v, special_points, COUNT(special_points), worst);
            }
        }
    }
}

static void check_nan(clgrad_context *context, const variant *v)
{
    const float x[] = {NAN, NAN, NAN, NAN, -NAN}, dy[] = {1, 0, INFINITY, NAN, -1};
    clgrad_tensor tx = vector_with(context, COUNT(x), x), tdy = vector_with(context, COUNT(x), dy);
    assert_ok(context, clgrad_activation_backward(context, &v->activation, tx, tdy, tdy));
    assert_ok(context, clgrad_activation_forward(context, &v->activation, tx, tx));
    float *y = tensor_floats(context, tx), *dx = tensor_floats(context, tdy);
    for (size_t i = 0; i < COUNT(x); i++)
        if (!isnan(y[i]) || !isnan(dx[i]))
            fail_msg("%s: NaN gives %g, and dx = %g for dy = %g", v->name, (double)y[i], (double)dx[i],
                     (double)dy[i]);
    free(y);
    free(dx);
    tensor_free(context, tx);
    tensor_free(context, tdy);
}

static void nan_gives_nan(clgrad_context *context)
{
    for_each_variant(context, check_nan);
}

/* ---- any dy ---- */

static double ulp(double exact)
{
    int exponent;
    frexp(fmax(fabs(exact), FLT_MIN), &exponent);
    return ldexp(1, exponent - FLT_MANT_DIG);
}

static void check_upstream(clgrad_context *context, const variant *v)
{
    const size_t count = 8 * v->golden_count;
    const double flushed = keeps_denormals(context) ? 0 : FLT_MIN;
    float *x = allocate(count, sizeof *x), *dy = allocate(count, sizeof *dy);
    fill_normal(dy, count, 1, 3);
    for (size_t i = 0; i < count; i++)
        x[i] = v->golden[i / 8].x;
    clgrad_tensor tx = vector_with(context, count, x), tdy = vector_with(context, count, dy);
    clgrad_tensor tdx = vector_with(context, count, NULL);
    assert_ok(context, clgrad_activation_backward(context, &v->activation, tx, tdy, tdx));
    float *dx = tensor_floats(context, tdx);
    for (size_t i = 0; i < count; i++) {
        const double d = clgrad_ref_activate_derivative(&v->activation, x[i]), exact = d * dy[i];
        assert_true(clgrad_ref_activate_backward(&v->activation, x[i], dy[i]) == exact);
        /* the derivative's own error, and one rounding more */
        const double tolerance =
            fabsf(dy[i]) * (v->info->backward_ulp * ulp(d) + flushed) + 0.5 * ulp(exact) + flushed;
        if (!is_close(dx[i], exact, tolerance))
            fail_msg("%s: dx at x = %g, dy = %g is %.9g, not %.17g", v->name, (double)x[i], (double)dy[i],
                     (double)dx[i], exact);
    }
    free(dx);
    free(dy);
    free(x);
    tensor_free(context, tx);
    tensor_free(context, tdy);
    tensor_free(context, tdx);
}

static void backward_multiplies_by_dy(clgrad_context *context)
{
    for_each_variant(context, check_upstream);
}

/* ---- the output in the input's place ---- */

/* The flag is true just where f'(f(x)) = f'(x) for every float32, and then the device gives the same bits. */
static void check_from_output(clgrad_context *context, const variant *v)
{
    const bool flushes = !keeps_denormals(context);
    size_t count;
    float *x = sweep(&count), *dy = allocate(count, sizeof *dy);
    bool survives = true;
    for (size_t i = 0; i < count; i++) {
        const double y = clgrad_ref_activate(&v->activation, x[i]);
        survives &= is_close(clgrad_ref_activate_derivative(&v->activation, y),
                             clgrad_ref_activate_derivative(&v->activation, x[i]), 0);
        if (flushes && fabsf(x[i]) < FLT_MIN)
            x[i] = 1;
    }
    if (clgrad_activation_from_output(&v->activation) != survives)
        fail_msg("%s: from_output is %d", v->name, !survives);
    if (survives) {
        fill_normal(dy, count, 2, 1);
        clgrad_tensor tx = vector_with(context, count, x), tdy = vector_with(context, count, dy);
        clgrad_tensor y = vector_with(context, count, NULL), dx = vector_with(context, count, NULL);
        assert_ok(context, clgrad_activation_forward(context, &v->activation, tx, y));
        assert_ok(context, clgrad_activation_backward(context, &v->activation, tx, tdy, dx));
        float *from_input = tensor_floats(context, dx);
        assert_ok(context, clgrad_activation_backward(context, &v->activation, y, tdy, dx));
        float *from_output = tensor_floats(context, dx);
        assert_same_floats(from_output, from_input, count);
        free(from_input);
        free(from_output);
        tensor_free(context, tx);
        tensor_free(context, tdy);
        tensor_free(context, y);
        tensor_free(context, dx);
    }
    free(x);
    free(dy);
}

static void output_stands_in_for_input(clgrad_context *context)
{
    for_each_variant(context, check_from_output);
    assert_false(clgrad_activation_from_output(NULL));
    assert_false(clgrad_activation_from_output(&(clgrad_activation){.kind = (clgrad_activation_kind)99}));
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_row_has_golden_values),
        CASE(reference_matches_golden_values),
        CASE(reference_derivative_matches_differences),
        CASE(device_matches_golden_values),
        CASE(device_matches_reference_over_all_floats),
        CASE(parameters_reach_their_limits),
        CASE(nan_gives_nan),
        CASE(backward_multiplies_by_dy),
        CASE(output_stands_in_for_input),
    };
    return run_on_every_device(cases, COUNT(cases));
}
