/*
 * Activations: every argument that is refused, with its sentence, and that nothing has been written then.
 */
#include "activation_oracle.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const clgrad_activation_kind unknown_kind = (clgrad_activation_kind)99;

/* Both calls refuse it with this status and sentence, and have written nothing. */
#define BOTH_REFUSE(activation, x, y, status, part)                                                       \
    do {                                                                                                  \
        assert_refused(context, clgrad_activation_forward(context, activation, x, y), status, part);      \
        assert_refused(context, clgrad_activation_backward(context, activation, x, dy, y), status, part); \
        assert_untouched(context, out);                                                                   \
    } while (0)

static void bad_descriptors_are_refused(clgrad_context *context)
{
    const float numbers[4] = {-1, 2, -3, 4};
    clgrad_tensor x = vector_with(context, 4, numbers), dy = vector_with(context, 4, numbers);
    clgrad_tensor out = vector_with(context, 4, NULL);
    clgrad_activation bad = clgrad_activation_defaults(CLGRAD_ACTIVATION_LEAKY_RELU);

    BOTH_REFUSE(NULL, x, out, CLGRAD_STATUS_INVALID_ARGUMENT, "activation is NULL");
    bad.kind = unknown_kind;
    BOTH_REFUSE(&bad, x, out, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no activation 99");
    bad.kind = (clgrad_activation_kind)CLGRAD_ACTIVATION_COUNT;
    BOTH_REFUSE(&bad, x, out, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no activation");

    /* a field that the kind does not list is ignored */
    bad.kind = CLGRAD_ACTIVATION_IDENTITY;
    bad.negative_slope = NAN;
    assert_ok(context, clgrad_activation_forward(context, &bad, x, out));
    assert_holds(context, out, numbers);

    assert_int_equal(clgrad_activation_forward(NULL, &bad, x, out), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_int_equal(clgrad_activation_backward(NULL, &bad, x, dy, out), CLGRAD_STATUS_INVALID_ARGUMENT);
    tensor_free(context, x);
    tensor_free(context, dy);
    tensor_free(context, out);
}

/* Each parameter of each row, just outside its interval and NaN. */
static void parameters_outside_their_interval_are_refused(clgrad_context *context)
{
    clgrad_tensor x = vector_with(context, 1, NULL), dy = vector_with(context, 1, NULL);
    clgrad_tensor out = vector_with(context, 1, NULL);
    for (int k = 0; k < CLGRAD_ACTIVATION_COUNT; k++) {
        const clgrad_activation_info *info = clgrad_activation_describe((clgrad_activation_kind)k);
        for (const clgrad_parameter *p = info->parameters; p->name != NULL; p++) {
            const float outside[] = {nextafterf(p->minimum, -INFINITY), nextafterf(p->maximum, INFINITY),
                                     NAN};
            for (size_t i = 0; i < COUNT(outside); i++) {
                clgrad_activation bad = clgrad_activation_defaults((clgrad_activation_kind)k);
                memcpy((char *)&bad + p->offset, &outside[i], sizeof outside[i]);
                char sentence[128];
                snprintf(sentence, sizeof sentence, "%s's %s is %.9g, it must lie between", info->name,
                         p->name, (double)outside[i]);
                BOTH_REFUSE(&bad, x, out, CLGRAD_STATUS_INVALID_ARGUMENT, sentence);
            }
        }
    }
    clgrad_activation zero = clgrad_activation_defaults(CLGRAD_ACTIVATION_CELU);
    zero.alpha = 0;
    BOTH_REFUSE(&zero, x, out, CLGRAD_STATUS_INVALID_ARGUMENT, "celu's alpha is 0");
    zero = clgrad_activation_defaults(CLGRAD_ACTIVATION_SOFTPLUS);
    zero.beta = 0;
    BOTH_REFUSE(&zero, x, out, CLGRAD_STATUS_INVALID_ARGUMENT, "softplus's beta is 0");
    tensor_free(context, x);
    tensor_free(context, dy);
    tensor_free(context, out);
}

/* What must hold between parameters, and what is just allowed. */
static void parameters_against_each_other_are_refused(clgrad_context *context)
{
    static const char *const hardtanh = "hardtanh: min_val must be below max_val";
    const struct {
        clgrad_activation activation;
        const char *sentence; /* NULL where it is allowed */
    } choices[] = {
        {{.kind = CLGRAD_ACTIVATION_HARDTANH, .min_val = 1, .max_val = 1}, hardtanh},
        {{.kind = CLGRAD_ACTIVATION_HARDTANH, .min_val = 2, .max_val = -1}, hardtanh},
        {{.kind = CLGRAD_ACTIVATION_HARDTANH, .min_val = 0.5f, .max_val = 0.75f}, NULL},
        {{.kind = CLGRAD_ACTIVATION_CLAMP, .min = 2, .max = 1}, "clamp: min must not be above max"},
        {{.kind = CLGRAD_ACTIVATION_CLAMP, .min = 1, .max = 1}, NULL},
        {{.kind = CLGRAD_ACTIVATION_RRELU, .lower = 2, .upper = 1}, "rrelu: lower must not be above upper"},
        {{.kind = CLGRAD_ACTIVATION_RRELU, .lower = 0.5f, .upper = 0.5f}, NULL},
    };
    clgrad_tensor x = vector_with(context, 1, NULL), dy = vector_with(context, 1, NULL);
    clgrad_tensor out = vector_with(context, 1, NULL);
    for (size_t i = 0; i < COUNT(choices); i++) {
        const clgrad_activation *activation = &choices[i].activation;
        if (choices[i].sentence != NULL)
            BOTH_REFUSE(activation, x, out, CLGRAD_STATUS_INVALID_ARGUMENT, choices[i].sentence);
        else
            assert_ok(context, clgrad_activation_forward(context, activation, x, dy));
    }
    tensor_free(context, x);
    tensor_free(context, dy);
    tensor_free(context, out);
}

static void bad_tensors_are_refused(clgrad_context *context)
{
    const clgrad_activation tanh_ = clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH);
    const float numbers[6] = {-1, 2, -3, 4, 5, 6};
    clgrad_tensor x = vector_with(context, 6, numbers), dy = vector_with(context, 6, numbers);
    clgrad_tensor out = vector_with(context, 6, NULL), none = clgrad_tensor_none(), bad;

    BOTH_REFUSE(&tanh_, none, out, CLGRAD_STATUS_INVALID_ARGUMENT, "x is absent");
    BOTH_REFUSE(&tanh_, x, none, CLGRAD_STATUS_INVALID_ARGUMENT, "is absent");
    bad = x;
    bad.rank = 9;
    BOTH_REFUSE(&tanh_, bad, out, CLGRAD_STATUS_INVALID_ARGUMENT, "x has rank 9");
    bad = out;
    bad.rank = -1;
    BOTH_REFUSE(&tanh_, x, bad, CLGRAD_STATUS_INVALID_ARGUMENT, "has rank -1");

    bad = x;
    bad.type = CLGRAD_TYPE_INT32;
    BOTH_REFUSE(&tanh_, bad, out, CLGRAD_STATUS_INVALID_TYPE, "x is int32, it must be float32");
    bad = out;
    bad.type = CLGRAD_TYPE_INT32;
    BOTH_REFUSE(&tanh_, x, bad, CLGRAD_STATUS_INVALID_TYPE, "is int32, it must be float32");
    bad = x;
    bad.type = (clgrad_type)7;
    BOTH_REFUSE(&tanh_, bad, out, CLGRAD_STATUS_INVALID_TYPE, "x has the unknown element type 7");

    bad = out;
    bad.shape[0] = 5;
    BOTH_REFUSE(&tanh_, x, bad, CLGRAD_STATUS_INVALID_SHAPE, "has shape [5], but x has shape [6]");
    bad = clgrad_tensor_matrix(out.buffer, out.offset, 2, 3);
    BOTH_REFUSE(&tanh_, x, bad, CLGRAD_STATUS_INVALID_SHAPE, "has shape [2, 3], but x has shape [6]");

    /* the buffer holds 16: five guards before and behind */
    bad = x;
    bad.offset = 11;
    BOTH_REFUSE(&tanh_, bad, out, CLGRAD_STATUS_OUT_OF_RANGE,
                "x has shape [6] at offset 11, but its buffer holds 16 elements");
    bad = out;
    bad.offset = SIZE_MAX;
    BOTH_REFUSE(&tanh_, x, bad, CLGRAD_STATUS_OUT_OF_RANGE, "but its buffer holds 16 elements");
    bad = clgrad_tensor_matrix(x.buffer, 0, SIZE_MAX / 2, 3);
    BOTH_REFUSE(&tanh_, bad, out, CLGRAD_STATUS_OUT_OF_RANGE, "but its buffer holds 16 elements");

    clgrad_tensor dy_of_other_shape = dy;
    dy_of_other_shape.shape[0] = 4;
    assert_refused(context, clgrad_activation_backward(context, &tanh_, x, dy_of_other_shape, out),
                   CLGRAD_STATUS_INVALID_SHAPE, "dy has shape [4], but x has shape [6]");
    assert_refused(context, clgrad_activation_backward(context, &tanh_, x, none, out),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "dy is absent");
    assert_untouched(context, out);
    assert_holds(context, x, numbers);
    assert_holds(context, dy, numbers);
    tensor_free(context, x);
    tensor_free(context, dy);
    tensor_free(context, out);
}

static void foreign_buffers_are_refused(clgrad_context *context)
{
    const clgrad_activation relu = clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU);
    clgrad_context *other = NULL;
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    clgrad_tensor x = vector_with(context, 3, NULL), dy = vector_with(context, 3, NULL);
    clgrad_tensor out = vector_with(context, 3, NULL), foreign = vector_with(other, 3, NULL);
    BOTH_REFUSE(&relu, foreign, out, CLGRAD_STATUS_INVALID_CONTEXT, "x lies in a buffer of another context");
    BOTH_REFUSE(&relu, x, foreign, CLGRAD_STATUS_INVALID_CONTEXT, "lies in a buffer of another context");
    assert_refused(context, clgrad_activation_backward(context, &relu, x, foreign, out),
                   CLGRAD_STATUS_INVALID_CONTEXT, "dy lies in a buffer of another context");
    assert_untouched(context, out);
    assert_untouched(other, foreign);
    tensor_free(context, x);
    tensor_free(context, dy);
    tensor_free(context, out);
    tensor_free(other, foreign);
    clgrad_context_destroy(other);
}

/* The same place is allowed, a place that begins within is not. */
static void partial_overlaps_are_refused(clgrad_context *context)
{
    const clgrad_activation relu = clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU);
    clgrad_tensor all = vector_with(context, 16, NULL), out = all;
    clgrad_tensor dy = vector_with(context, 8, NULL), x = dy;
    clgrad_tensor low = clgrad_tensor_rows(all, 0, 8), high = clgrad_tensor_rows(all, 7, 8);
    BOTH_REFUSE(&relu, low, high, CLGRAD_STATUS_INVALID_ARGUMENT, "overlaps x");
    BOTH_REFUSE(&relu, high, low, CLGRAD_STATUS_INVALID_ARGUMENT, "overlaps x");
    assert_refused(context, clgrad_activation_backward(context, &relu, x, low, high),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "dx overlaps dy");
    assert_untouched(context, all);
    tensor_free(context, all);
    tensor_free(context, dy);
}

int main(void)
{
    const test_case cases[] = {
        CASE(bad_descriptors_are_refused),
        CASE(parameters_outside_their_interval_are_refused),
        CASE(parameters_against_each_other_are_refused),
        CASE(bad_tensors_are_refused),
        CASE(foreign_buffers_are_refused),
        CASE(partial_overlaps_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
