#include "activation_oracle.h"

#include "golden/activation.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- variants ---- */

variant make_variant(clgrad_activation activation)
{
    variant v = {.activation = activation, .info = clgrad_activation_describe(activation.kind)};
    assert_non_null(v.info);
    size_t length = (size_t)snprintf(v.name, sizeof v.name, "%s", v.info->name);
    for (const clgrad_parameter *p = v.info->parameters; p->name != NULL && length < sizeof v.name; p++)
        length += (size_t)snprintf(v.name + length, sizeof v.name - length, " %s=%g", p->name,
                                   (double)clgrad_parameter_get(p, &activation));
    return v;
}

variant golden_variant(const golden_activation *golden)
{
    clgrad_activation activation = clgrad_activation_defaults(golden->kind);
    set_parameters(clgrad_activation_describe(golden->kind)->parameters, &activation, golden->parameters);
    variant v = make_variant(activation);
    v.golden = golden;
    return v;
}

void for_each_variant(clgrad_context *context, void (*check)(clgrad_context *, const variant *))
{
    for (size_t i = 0; i < COUNT(golden_activations); i++) {
        const variant v = golden_variant(&golden_activations[i]);
        check(context, &v);
    }
}

/* ---- errors ---- */

double ulp(double exact)
{
    int exponent;
    frexp(fmax(fabs(exact), FLT_MIN), &exponent);
    return ldexp(1, exponent - FLT_MANT_DIG);
}

double floored_distance(float got, double exact, double floor)
{
    return fabs(exact) < floor && isfinite(got) ? fabs(got - exact) / ulp(floor) : ulp_distance(got, exact);
}

/* What is compared: f against value, f' against derivative. */
typedef struct function {
    const char *mark;
    double (*formula)(const clgrad_activation *activation, double x);
    double bound, floor;
} function;

/* A device that flushes denormals may take one for 0 on the way in or out. */
static double error_in_ulp(const variant *v, function f, bool flushes, float x, float got, double exact)
{
    double error = floored_distance(got, exact, f.floor);
    if (flushes && fabs(exact) < (double)FLT_MIN && got == 0)
        error = 0;
    if (flushes && x != 0 && fabsf(x) < FLT_MIN)
        error = fmin(error, floored_distance(got, f.formula(&v->activation, copysign(0, x)), f.floor));
    return error;
}

static void check_function(const variant *v, function f, bool flushes, const float *x, const float *got,
                           size_t count, const double *exact, double *worst)
{
    for (size_t i = 0; i < count; i++) {
        const double wanted = exact != NULL ? exact[i] : f.formula(&v->activation, x[i]);
        const double error = error_in_ulp(v, f, flushes, x[i], got[i], wanted);
        if (!(error <= f.bound))
            fail_msg("%s%s at %a (%g) is %a (%g), %g ulp from %a (%g); the bound is %g", v->name, f.mark,
                     (double)x[i], (double)x[i], (double)got[i], (double)got[i], error, wanted, wanted,
                     f.bound);
        if (worst != NULL)
            *worst = fmax(*worst, error);
    }
}

void check_points(clgrad_context *context, const variant *v, const float *x, size_t count,
                  const double *value, const double *derivative, double worst[2])
{
    const function f = {"", clgrad_ref_activate, (double)v->info->forward_ulp, 0};
    const function slope = {"'", clgrad_ref_activate_derivative, (double)v->info->backward_ulp,
                            (double)v->info->backward_floor};
    const bool flushes = !keeps_denormals(context);
    clgrad_tensor tx = vector_with(context, count, x), ones = vector_with(context, count, NULL);
    clgrad_tensor y = vector_with(context, count, NULL), dx = vector_with(context, count, NULL);
    assert_ok(context, clgrad_tensor_fill(context, ones, 1));
    assert_ok(context, clgrad_activation_forward(context, &v->activation, tx, y));
    assert_ok(context, clgrad_activation_backward(context, &v->activation, tx, ones, dx));
    float *got_y = tensor_floats(context, y), *got_dx = tensor_floats(context, dx);
    check_function(v, f, flushes, x, got_y, count, value, worst);
    check_function(v, slope, flushes, x, got_dx, count, derivative, worst != NULL ? worst + 1 : NULL);
    free(got_y);
    free(got_dx);
    tensor_free(context, tx);
    tensor_free(context, ones);
    tensor_free(context, y);
    tensor_free(context, dx);
}

float *sweep(uint64_t stride, size_t *count)
{
    *count = (size_t)(((UINT64_C(1) << 32) + stride - 1) / stride);
    float *x = allocate(*count, sizeof *x);
    for (size_t i = 0; i < *count; i++) {
        const uint32_t bits = (uint32_t)(i * stride);
        memcpy(&x[i], &bits, sizeof bits);
    }
    return x;
}
