/*
 * Activations as calls: the list, sizes, places and aliasing.
 */
#include "activation_oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const clgrad_activation_kind unknown_kind = (clgrad_activation_kind)99;

/* ---- the list ---- */

static const struct {
    clgrad_activation_kind kind;
    int value;
    const char *name;
} rows[] = {
    {CLGRAD_ACTIVATION_IDENTITY, 0, "identity"},
    {CLGRAD_ACTIVATION_SIGMOID, 1, "sigmoid"},
    {CLGRAD_ACTIVATION_TANH, 2, "tanh"},
    {CLGRAD_ACTIVATION_RELU, 3, "relu"},
    {CLGRAD_ACTIVATION_LEAKY_RELU, 4, "leaky_relu"},
    {CLGRAD_ACTIVATION_RELU6, 5, "relu6"},
    {CLGRAD_ACTIVATION_RRELU, 6, "rrelu"},
    {CLGRAD_ACTIVATION_ELU, 7, "elu"},
    {CLGRAD_ACTIVATION_CELU, 8, "celu"},
    {CLGRAD_ACTIVATION_SELU, 9, "selu"},
    {CLGRAD_ACTIVATION_GELU, 10, "gelu"},
    {CLGRAD_ACTIVATION_GELU_TANH, 11, "gelu_tanh"},
    {CLGRAD_ACTIVATION_SILU, 12, "silu"},
    {CLGRAD_ACTIVATION_MISH, 13, "mish"},
    {CLGRAD_ACTIVATION_SOFTPLUS, 14, "softplus"},
    {CLGRAD_ACTIVATION_SOFTSIGN, 15, "softsign"},
    {CLGRAD_ACTIVATION_SOFTSHRINK, 16, "softshrink"},
    {CLGRAD_ACTIVATION_HARDSHRINK, 17, "hardshrink"},
    {CLGRAD_ACTIVATION_TANHSHRINK, 18, "tanhshrink"},
    {CLGRAD_ACTIVATION_THRESHOLD, 19, "threshold"},
    {CLGRAD_ACTIVATION_HARDTANH, 20, "hardtanh"},
    {CLGRAD_ACTIVATION_HARDSIGMOID, 21, "hardsigmoid"},
    {CLGRAD_ACTIVATION_HARDSWISH, 22, "hardswish"},
    {CLGRAD_ACTIVATION_LOGSIGMOID, 23, "logsigmoid"},
    {CLGRAD_ACTIVATION_EXP, 24, "exp"},
    {CLGRAD_ACTIVATION_LOG, 25, "log"},
    {CLGRAD_ACTIVATION_ABS, 26, "abs"},
    {CLGRAD_ACTIVATION_SQUARE, 27, "square"},
    {CLGRAD_ACTIVATION_SQRT, 28, "sqrt"},
    {CLGRAD_ACTIVATION_CLAMP, 29, "clamp"},
    {CLGRAD_ACTIVATION_POW, 30, "pow"},
    {CLGRAD_ACTIVATION_LINEAR, 31, "linear"},
};

static void values_and_names_never_change(clgrad_context *context)
{
    (void)context;
    assert_int_equal(COUNT(rows), CLGRAD_ACTIVATION_COUNT);
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(rows[i].kind, rows[i].value);
        assert_string_equal(clgrad_activation_describe(rows[i].kind)->name, rows[i].name);
    }
}

static void each_row_describes_itself(clgrad_context *context)
{
    (void)context;
    for (int k = 0; k < CLGRAD_ACTIVATION_COUNT; k++) {
        const clgrad_activation_kind kind = (clgrad_activation_kind)k;
        const clgrad_activation_info *info = clgrad_activation_describe(kind);
        clgrad_activation_kind parsed = unknown_kind;
        assert_non_null(info);
        assert_true(clgrad_activation_parse(info->name, &parsed));
        assert_int_equal(parsed, kind);
        assert_true(strlen(info->formula) > 0 && strlen(info->derivative) > 0 && strlen(info->source) > 0);
        assert_true(info->forward_ulp >= 0 && info->backward_ulp >= 0 && info->backward_floor >= 0);
        const clgrad_activation defaults = clgrad_activation_defaults(kind);
        assert_int_equal(defaults.kind, kind);
        assert_parameters_default(info->parameters, &defaults);
    }
    const float slope = clgrad_activation_defaults(CLGRAD_ACTIVATION_LEAKY_RELU).negative_slope;
    assert_true(slope == 0.01f);
}

static void unknown_rows_are_told(clgrad_context *context)
{
    (void)context;
    const char *names[] = {"Sigmoid", "sigmoid ", "sigmoi", "", "no_such_activation", NULL};
    for (size_t i = 0; i < COUNT(names); i++) {
        clgrad_activation_kind kind = unknown_kind;
        assert_false(clgrad_activation_parse(names[i], &kind));
        assert_int_equal(kind, unknown_kind);
    }
    assert_null(clgrad_activation_describe(unknown_kind));
    assert_null(clgrad_activation_describe((clgrad_activation_kind)CLGRAD_ACTIVATION_COUNT));
    assert_null(clgrad_activation_describe((clgrad_activation_kind)-1));
}

/* ---- sizes and places ---- */

static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 100003};

static bool is_too_large(size_t size)
{
    return test_small() && size > 1000;
}

/* dx = dy, dx = x and y = x give what separate tensors do, y and dx. */
static void check_in_place(clgrad_context *context, const clgrad_activation *activation, size_t n,
                           const float *x, const float *dy, const float *y, const float *dx)
{
    clgrad_tensor tx = vector_with(context, n, x), tdy = vector_with(context, n, dy);
    assert_ok(context, clgrad_activation_backward(context, activation, tx, tdy, tdy));
    assert_holds(context, tdy, dx);
    assert_holds(context, tx, x);
    assert_ok(context, clgrad_tensor_write(context, tdy, dy, n * sizeof *dy));
    assert_ok(context, clgrad_activation_backward(context, activation, tx, tdy, tx));
    assert_holds(context, tx, dx);
    assert_holds(context, tdy, dy);
    assert_ok(context, clgrad_tensor_write(context, tx, x, n * sizeof *x));
    assert_ok(context, clgrad_activation_forward(context, activation, tx, tx));
    assert_holds(context, tx, y);
    tensor_free(context, tx);
    tensor_free(context, tdy);
}

static void check_size(clgrad_context *context, clgrad_activation_kind kind, size_t n)
{
    const clgrad_activation activation = clgrad_activation_defaults(kind);
    const clgrad_activation_info *info = clgrad_activation_describe(kind);
    float *x = allocate(n, sizeof *x), *dy = allocate(n, sizeof *dy);
    fill_normal(x, n, n, 4);
    for (size_t i = 0; i < n; i++)
        dy[i] = i % 2 == 0 ? 1 : -2;
    clgrad_tensor tx = vector_with(context, n, x), tdy = vector_with(context, n, dy);
    clgrad_tensor ty = vector_with(context, n, NULL), tdx = vector_with(context, n, NULL);
    assert_ok(context, clgrad_activation_forward(context, &activation, tx, ty));
    assert_ok(context, clgrad_activation_backward(context, &activation, tx, tdy, tdx));
    float *y = tensor_floats(context, ty), *dx = tensor_floats(context, tdx);
    for (size_t i = 0; i < n; i++) {
        assert_true(ulp_distance(y[i], clgrad_ref_activate(&activation, x[i])) <= (double)info->forward_ulp);
        assert_true(floored_distance(dx[i], dy[i] * clgrad_ref_activate_derivative(&activation, x[i]),
                                     fabs(dy[i]) * info->backward_floor) <= (double)info->backward_ulp);
    }
    check_in_place(context, &activation, n, x, dy, y, dx);
    free(x);
    free(dy);
    free(y);
    free(dx);
    tensor_free(context, tx);
    tensor_free(context, tdy);
    tensor_free(context, ty);
    tensor_free(context, tdx);
}

static void ragged_sizes_in_and_out_of_place(clgrad_context *context)
{
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++)
        for (size_t s = 0; s < COUNT(sizes); s++)
            if (!is_too_large(sizes[s]))
                check_size(context, (clgrad_activation_kind)kind, sizes[s]);
}

/* Neighbours in one buffer, without a gap and at odd offsets, in any rank, do not touch each other. */
static void neighbours_in_one_buffer(clgrad_context *context)
{
    enum { N = 30 };
    const clgrad_activation leaky = clgrad_activation_defaults(CLGRAD_ACTIVATION_LEAKY_RELU);
    clgrad_tensor all = vector_with(context, 3 + 4 * N, NULL);
    clgrad_tensor x = {all.buffer, all.offset + 3, CLGRAD_TYPE_FLOAT32, 3, {5, 2, 3}};
    clgrad_tensor y = x, dy = x, dx = x;
    y.offset += N;
    dy.offset += 3 * N;
    dx.offset += 2 * N;
    float numbers[2][N];
    fill_normal(numbers[0], N, 1, 1);
    fill_normal(numbers[1], N, 2, 1);
    assert_ok(context, clgrad_tensor_write(context, x, numbers[0], sizeof numbers[0]));
    assert_ok(context, clgrad_tensor_write(context, dy, numbers[1], sizeof numbers[1]));
    assert_ok(context, clgrad_activation_forward(context, &leaky, x, y));
    assert_ok(context, clgrad_activation_backward(context, &leaky, x, dy, dx));
    float *got = tensor_floats(context, all);
    for (size_t i = 0; i < N; i++) {
        const double slope = numbers[0][i] > 0 ? 1 : (double)leaky.negative_slope;
        assert_true(isnan(got[i % 3]));
        assert_true(got[3 + i] == numbers[0][i]);
        assert_true(got[3 + N + i] == (float)(slope * numbers[0][i]));
        assert_true(got[3 + 2 * N + i] == (float)(slope * numbers[1][i]));
        assert_true(got[3 + 3 * N + i] == numbers[1][i]);
    }
    free(got);
    tensor_free(context, all);

    clgrad_tensor one = scalar_with(context, -2);
    assert_ok(context, clgrad_activation_forward(context, &leaky, one, one));
    assert_true(tensor_scalar_value(context, one) == -2 * 0.01f);
    tensor_free(context, one);
}

int main(void)
{
    const test_case cases[] = {
        CASE(values_and_names_never_change),    CASE(each_row_describes_itself), CASE(unknown_rows_are_told),
        CASE(ragged_sizes_in_and_out_of_place), CASE(neighbours_in_one_buffer),
    };
    return run_on_every_device(cases, COUNT(cases));
}
