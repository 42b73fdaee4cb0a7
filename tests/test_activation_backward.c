/*
 * The backward pass of activations beyond f' itself: NaN, any dy, what is masked, and the output in the
 * input's place.
 */
#include "activation_oracle.h"

#include "golden/activation.h"

#include <float.h>
#include <stdlib.h>

/* dx on the device, freed by the caller with free(). */
static float *backward(clgrad_context *context, const variant *v, const float *x, const float *dy,
                       size_t count)
{
    clgrad_tensor tx = vector_with(context, count, x), tdy = vector_with(context, count, dy);
    clgrad_tensor tdx = vector_with(context, count, NULL);
    assert_ok(context, clgrad_activation_backward(context, &v->activation, tx, tdy, tdx));
    float *dx = tensor_floats(context, tdx);
    tensor_free(context, tx);
    tensor_free(context, tdy);
    tensor_free(context, tdx);
    return dx;
}

static void check_nan(clgrad_context *context, const variant *v)
{
    const float x[] = {NAN, NAN, NAN, NAN, -NAN}, dy[] = {1, 0, INFINITY, NAN, -1};
    clgrad_tensor tx = vector_with(context, COUNT(x), x);
    assert_ok(context, clgrad_activation_forward(context, &v->activation, tx, tx));
    float *y = tensor_floats(context, tx), *dx = backward(context, v, x, dy, COUNT(x));
    for (size_t i = 0; i < COUNT(x); i++)
        if (!isnan(y[i]) || !isnan(dx[i]))
            fail_msg("%s: NaN gives %g, and dx = %g for dy = %g", v->name, (double)y[i], (double)dx[i],
                     (double)dy[i]);
    free(y);
    free(dx);
    tensor_free(context, tx);
}

static void nan_gives_nan(clgrad_context *context)
{
    for_each_variant(context, check_nan);
}

/* ---- any dy ---- */

/* What is beyond float32 is infinite in it. */
static double as_float(double exact)
{
    return fabs(exact) > (double)FLT_MAX ? (double)(float)exact : exact;
}

static void check_upstream(clgrad_context *context, const variant *v)
{
    const size_t count = 8 * v->golden->count;
    const double flushed = keeps_denormals(context) ? 0 : FLT_MIN;
    float *x = allocate(count, sizeof *x), *dy = allocate(count, sizeof *dy);
    fill_normal(dy, count, 1, 3);
    for (size_t i = 0; i < count; i++)
        x[i] = v->golden->x[i / 8];
    float *dx = backward(context, v, x, dy, count);
    for (size_t i = 0; i < count; i++) {
        const double d = clgrad_ref_activate_derivative(&v->activation, x[i]), exact = d * dy[i];
        assert_true(is_close(clgrad_ref_activate_backward(&v->activation, x[i], dy[i]), exact, 0));
        /* the derivative's own error, and one rounding more; but a derivative that overflows is lost */
        const double own = v->info->backward_ulp * ulp(fmax(fabs(d), (double)v->info->backward_floor));
        const double tolerance = fabsf(dy[i]) * (own + flushed) + 0.5 * ulp(exact) + flushed;
        if ((isinf(d) || isfinite(as_float(d))) && !is_close(dx[i], as_float(exact), tolerance))
            fail_msg("%s: dx at x = %g, dy = %g is %.9g, not %.17g", v->name, (double)x[i], (double)dy[i],
                     (double)dx[i], exact);
    }
    free(dx);
    free(dy);
    free(x);
}

static void backward_multiplies_by_dy(clgrad_context *context)
{
    for_each_variant(context, check_upstream);
}

/* With an infinite dy or NaN: where f' is 0, dx is 0 if the list says masks; elsewhere it is the product. */
static void check_mask(clgrad_context *context, const variant *v)
{
    const float beyond[] = {INFINITY, -INFINITY, NAN};
    const size_t count = COUNT(beyond) * v->golden->count;
    float *x = allocate(count, sizeof *x), *dy = allocate(count, sizeof *dy);
    for (size_t i = 0; i < count; i++) {
        x[i] = v->golden->x[i / COUNT(beyond)];
        dy[i] = beyond[i % COUNT(beyond)];
    }
    float *dx = backward(context, v, x, dy, count);
    for (size_t i = 0; i < count; i++) {
        const double derivative = v->golden->derivative[i / COUNT(beyond)];
        const double exact = derivative == 0 && v->info->masks ? 0 : derivative * dy[i];
        const double uncertain = v->info->backward_ulp * ulp((double)v->info->backward_floor);
        if (derivative != 0 && fabs(derivative) <= fmax((double)FLT_MIN, uncertain))
            continue; /* it may be flushed, or have another sign */
        if (!is_close(clgrad_ref_activate_backward(&v->activation, x[i], dy[i]), exact, 0) ||
            !is_close(dx[i], exact, 0))
            fail_msg("%s: dx at x = %g, dy = %g is %g, not %g", v->name, (double)x[i], (double)dy[i],
                     (double)dx[i], exact);
    }
    free(dx);
    free(dy);
    free(x);
}

static void flat_pieces_mask_as_the_list_says(clgrad_context *context)
{
    for_each_variant(context, check_mask);
}

/* ---- the output in the input's place ---- */

/* The flag is true just where f'(f(x)) = f'(x) for every float32, and then the device gives the same bits. */
static void check_from_output(clgrad_context *context, const variant *v)
{
    const bool flushes = !keeps_denormals(context);
    size_t count;
    float *x = sweep(test_small() ? 16411 * 1021 : 16411 * 5, &count);
    bool survives = true;
    for (size_t i = 0; i < count; i++) {
        const double y = clgrad_ref_activate(&v->activation, x[i]);
        survives &= is_close(clgrad_ref_activate_derivative(&v->activation, y),
                             clgrad_ref_activate_derivative(&v->activation, x[i]), 0);
        if (flushes && fabsf(x[i]) < FLT_MIN)
            x[i] = 1;
    }
    for (size_t i = 0; i < v->golden->count; i++)
        survives &= is_close(clgrad_ref_activate_derivative(&v->activation, v->golden->value[i]),
                             v->golden->derivative[i], 0);
    if (clgrad_activation_from_output(&v->activation) != survives)
        fail_msg("%s: from_output is %d", v->name, !survives);
    if (survives) {
        float *dy = allocate(count, sizeof *dy);
        fill_normal(dy, count, 2, 1);
        clgrad_tensor tx = vector_with(context, count, x);
        assert_ok(context, clgrad_activation_forward(context, &v->activation, tx, tx));
        float *y = tensor_floats(context, tx);
        float *from_input = backward(context, v, x, dy, count),
              *from_output = backward(context, v, y, dy, count);
        assert_same_floats(from_output, from_input, count);
        tensor_free(context, tx);
        free(from_input);
        free(from_output);
        free(y);
        free(dy);
    }
    free(x);
}

/* exp and sqrt, where the descriptor says that the backward pass is given y: as from x, but for y's rounding.
 */
static void output_is_given(clgrad_context *context)
{
    const clgrad_activation_kind kinds[] = {CLGRAD_ACTIVATION_EXP, CLGRAD_ACTIVATION_SQRT};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        variant v = {.activation = clgrad_activation_defaults(kinds[k])};
        assert_false(clgrad_activation_from_output(&v.activation));
        float x[300], dy[COUNT(x)];
        for (size_t i = 0; i < COUNT(x); i++)
            x[i] = k == 0 ? (float)i * 0.5f - 80 : (float)i * (float)i / 7;
        fill_normal(dy, COUNT(dy), 7, 1);
        clgrad_tensor tx = vector_with(context, COUNT(x), x);
        assert_ok(context, clgrad_activation_forward(context, &v.activation, tx, tx));
        float *y = tensor_floats(context, tx), *from_input = backward(context, &v, x, dy, COUNT(x));
        v.activation.given_output = true;
        assert_true(clgrad_activation_from_output(&v.activation));
        float *from_output = backward(context, &v, y, dy, COUNT(x));
        for (size_t i = 0; i < COUNT(x); i++)
            if (!(ulp_distance(from_output[i], from_input[i]) <= 2))
                fail_msg("kind %d at %g: dx is %.9g from y, %.9g from x", (int)kinds[k], (double)x[i],
                         (double)from_output[i], (double)from_input[i]);
        tensor_free(context, tx);
        free(y);
        free(from_input);
        free(from_output);
    }
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
        CASE(nan_gives_nan),
        CASE(backward_multiplies_by_dy),
        CASE(flat_pieces_mask_as_the_list_says),
        CASE(output_stands_in_for_input),
        CASE(output_is_given),
    };
    return run_on_every_device(cases, COUNT(cases));
}
