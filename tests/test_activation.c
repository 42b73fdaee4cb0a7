/*
 * Activations and their derivatives: the reference's formulas against golden values and finite differences,
 * and every device against golden values and the reference, in units in the last place.
 */
#include "activation_oracle.h"

#include "golden/activation.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the golden values cover the list ---- */

/* 0, numbers on both sides of it and both infinities. */
static void check_points_are_everywhere(const golden_activation *golden, const char *name)
{
    size_t places[5] = {0};
    for (size_t i = 0; i < golden->count; i++) {
        const float x = golden->x[i];
        places[isinf(x) ? (x > 0 ? 4 : 0) : x < 0 ? 1 : x == 0 ? 2 : 3]++;
        if (isnan(golden->value[i]) && !(x < 0))
            fail_msg("the golden value of %s at %g is NaN", name, (double)x);
    }
    for (size_t i = 0; i < COUNT(places); i++)
        if (places[i] < (size_t[]){1, 15, 1, 15, 1}[i])
            fail_msg("%s lacks golden values", name);
}

/* Every row has golden values at its defaults, and every parameter other ones too. */
static void golden_values_cover_the_list(clgrad_context *context)
{
    (void)context;
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++) {
        const variant defaults = make_variant(clgrad_activation_defaults((clgrad_activation_kind)kind));
        bool at_defaults = false, varies[CLGRAD_PARAMETER_MAX] = {false};
        for (size_t i = 0; i < COUNT(golden_activations); i++) {
            if ((int)golden_activations[i].kind != kind)
                continue;
            const variant v = golden_variant(&golden_activations[i]);
            bool is_default = true;
            for (size_t p = 0; v.info->parameters[p].name != NULL; p++) {
                const clgrad_parameter *parameter = &v.info->parameters[p];
                if (clgrad_parameter_get(parameter, &v.activation) != parameter->default_value)
                    varies[p] = true, is_default = false;
            }
            if (is_default) {
                at_defaults = true;
                check_points_are_everywhere(v.golden, v.name);
                assert_int_equal(v.golden->masks, v.info->masks);
            }
        }
        if (!at_defaults)
            fail_msg("there are no golden values for %s", defaults.name);
        for (size_t p = 0; defaults.info->parameters[p].name != NULL; p++)
            if (!varies[p])
                fail_msg("the golden values of %s leave %s at its default", defaults.info->name,
                         defaults.info->parameters[p].name);
    }
}

/* ---- the reference's formulas, called directly ---- */

static void check_close(const variant *v, const char *mark, double x, double got, double exact, double floor)
{
    if (!is_close(got, exact, 1e-12 * fmax(fabs(exact), floor) + 1e-300))
        fail_msg("%s%s at %a (%g) is %.17g, not %.17g", v->name, mark, x, x, got, exact);
}

static void check_reference_at_golden_points(clgrad_context *context, const variant *v)
{
    (void)context;
    for (size_t i = 0; i < v->golden->count; i++) {
        const double x = v->golden->x[i];
        check_close(v, "", x, clgrad_ref_activate(&v->activation, x), v->golden->value[i], 0);
        check_close(v, "'", x, clgrad_ref_activate_derivative(&v->activation, x), v->golden->derivative[i],
                    (double)v->info->backward_floor);
    }
    assert_true(isnan(clgrad_ref_activate(&v->activation, NAN)));
    assert_true(isnan(clgrad_ref_activate_derivative(&v->activation, NAN)));
    assert_true(isnan(clgrad_ref_activate_backward(&v->activation, NAN, 0)));
}

static void reference_matches_golden_values(clgrad_context *context)
{
    for_each_variant(context, check_reference_at_golden_points);
}

/*
 * Central differences of the fourth order. The step is relative to x, so that none crosses 0, where most
 * kinks lie; and no x is within a step of another kink, or this would fail.
 */
static void check_slope(const variant *v, double x)
{
    const clgrad_activation *a = &v->activation;
    const double h = 1e-4 * fabs(x), value = clgrad_ref_activate(a, x);
    const double near = clgrad_ref_activate(a, x + h) - clgrad_ref_activate(a, x - h);
    const double far = clgrad_ref_activate(a, x + 2 * h) - clgrad_ref_activate(a, x - 2 * h);
    const double difference = (8 * near - far) / (12 * h);
    const double derivative = clgrad_ref_activate_derivative(a, x);
    const double tolerance = 1e-8 * fabs(derivative) + 1e-11 * fabs(value / x) + 1e-300;
    if (!isnan(value) && !is_close(derivative, difference, tolerance))
        fail_msg("%s' at %g is %.17g, but differences give %.17g", v->name, x, derivative, difference);
}

static void check_reference_derivative(clgrad_context *context, const variant *v)
{
    (void)context;
    for (double x = 0.00301; x < 8; x *= 1.0137) {
        check_slope(v, x);
        check_slope(v, -x);
    }
}

static void reference_derivative_matches_differences(clgrad_context *context)
{
    for_each_variant(context, check_reference_derivative);
}

/* ---- devices ---- */

static void check_device_at_golden_points(clgrad_context *context, const variant *v)
{
    check_points(context, v, v->golden->x, v->golden->count, v->golden->value, v->golden->derivative, NULL);
}

static void device_matches_golden_values(clgrad_context *context)
{
    for_each_variant(context, check_device_at_golden_points);
}

static const float special_points[] = {0.0f,     -0.0f,    0x1p-149f, -0x1p-149f, 1e-40f,  -1e-40f, FLT_MIN,
                                       -FLT_MIN, 88.0f,    -88.0f,    104.0f,     -104.0f, 1e20f,   -1e20f,
                                       FLT_MAX,  -FLT_MAX, INFINITY,  -INFINITY,  NAN,     -NAN};

static void check_special_points_and_sweep(clgrad_context *context, const variant *v, uint64_t stride,
                                           double worst[2])
{
    size_t count;
    float *x = sweep(stride, &count);
    check_points(context, v, special_points, COUNT(special_points), NULL, NULL, worst);
    check_points(context, v, x, count, NULL, NULL, worst);
    free(x);
}

static void check_sweep(clgrad_context *context, const variant *v)
{
    double worst[2] = {0, 0};
    check_special_points_and_sweep(context, v, test_small() ? 8209 * 2039 : 8209, worst);
    print_message("%s: at most %.3f ulp forward, %.3f backward\n", v->name, worst[0], worst[1]);
}

static void device_matches_reference_over_all_floats(clgrad_context *context)
{
    for_each_variant(context, check_sweep);
}

static bool meets_constraint(const clgrad_activation *activation, const char **text)
{
    switch (activation->kind) {
#define ROW(value, identifier, name, PARAMETERS, constraint, constraint_text, ...) \
    case CLGRAD_ACTIVATION_##identifier:                                           \
        *text = constraint_text;                                                   \
        return constraint;
        CLGRAD_ACTIVATION_LIST(ROW)
#undef ROW
    }
    return false;
}

static void check_ends(clgrad_context *context, const variant *v)
{
    const char *text;
    if (meets_constraint(&v->activation, &text)) {
        check_special_points_and_sweep(context, v, test_small() ? 16411 * 16001 : 16411 * 31, NULL);
        return;
    }
    char sentence[128];
    snprintf(sentence, sizeof sentence, "%s: %s", v->info->name, text);
    assert_true(strlen(text) > 0);
    clgrad_tensor x = scalar_with(context, 1), y = scalar_with(context, 1);
    assert_refused(context, clgrad_activation_forward(context, &v->activation, x, y),
                   CLGRAD_STATUS_INVALID_ARGUMENT, sentence);
    assert_refused(context, clgrad_activation_backward(context, &v->activation, x, x, y),
                   CLGRAD_STATUS_INVALID_ARGUMENT, sentence);
    tensor_free(context, x);
    tensor_free(context, y);
}

/* Each parameter at both ends of its interval and at its default, beside the others at theirs; what goes
 * against the constraint is refused with its text. */
static void parameters_reach_their_limits(clgrad_context *context)
{
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++) {
        const clgrad_parameter *p = clgrad_activation_describe((clgrad_activation_kind)kind)->parameters;
        size_t choices = 1;
        for (size_t i = 0; p[i].name != NULL; i++)
            choices *= 3;
        for (size_t choice = 0; choice < choices; choice++) {
            clgrad_activation activation = clgrad_activation_defaults((clgrad_activation_kind)kind);
            size_t digits = choice;
            for (size_t i = 0; p[i].name != NULL; i++, digits /= 3) {
                const float values[3] = {p[i].default_value, p[i].minimum, p[i].maximum};
                assert_true(clgrad_parameter_set(&p[i], &activation, values[digits % 3]));
            }
            const variant v = make_variant(activation);
            check_ends(context, &v);
        }
    }
}

/*
 * softplus jumps where beta x passes the threshold. At the float32 numbers next to it the rounded product is
 * the threshold now and then, the exact one to either side; and with a threshold of 0 the product may
 * underflow.
 */
static void softplus_knows_its_threshold_exactly(clgrad_context *context)
{
    size_t close = 0;
    for (int i = 0; i < 60; i++) {
        clgrad_activation softplus = clgrad_activation_defaults(CLGRAD_ACTIVATION_SOFTPLUS);
        softplus.beta = i % 6 == 5 ? 1e-30f : 0.1f + 0.37f * (float)i;
        softplus.threshold = i % 6 == 5 ? 0 : 0.3f * (float)(i % 7 - 3);
        const variant v = make_variant(softplus);
        float x[8] = {softplus.threshold / softplus.beta, 1e-20f, -1e-20f, FLT_MIN};
        x[4] = nextafterf(x[0], INFINITY), x[5] = nextafterf(x[4], INFINITY);
        x[6] = nextafterf(x[0], -INFINITY), x[7] = nextafterf(x[6], -INFINITY);
        for (size_t k = 0; k < COUNT(x); k++) {
            const double product = (double)softplus.beta * (double)x[k];
            close += (float)product == softplus.threshold && product > (double)softplus.threshold;
        }
        check_points(context, &v, x, COUNT(x), NULL, NULL, NULL);
    }
    assert_true(close >= 10);
}

int main(void)
{
    const test_case cases[] = {
        CASE(golden_values_cover_the_list),
        CASE(reference_matches_golden_values),
        CASE(reference_derivative_matches_differences),
        CASE(device_matches_golden_values),
        CASE(device_matches_reference_over_all_floats),
        CASE(parameters_reach_their_limits),
        CASE(softplus_knows_its_threshold_exactly),
    };
    return run_on_every_device(cases, COUNT(cases));
}
