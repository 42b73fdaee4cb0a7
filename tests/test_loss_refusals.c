/*
 * Losses: arguments of the short forms that are refused, with their sentences, and that nothing has been
 * written then. What clgrad_loss_evaluate takes besides is in test_loss_refusals_inputs.c.
 */
#include "harness.h"

#include <math.h>

/* The tensors of a call with shape [4, 3] and reduction mean; outputs are filled with NaN. */
typedef struct call {
    clgrad_tensor p, t, value, dp;
} call;

static call make_call(clgrad_context *context)
{
    static const float numbers[12] = {0.5f, 0.25f, 0.25f, 0.1f, 0.2f, 0.7f, 1, 0, 0, 0.3f, 0.3f, 0.4f};
    return (call){.p = matrix_with(context, 4, 3, numbers),
                  .t = matrix_with(context, 4, 3, numbers),
                  .value = scalar_with(context, -7),
                  .dp = matrix_with(context, 4, 3, NULL)};
}

static void free_call(clgrad_context *context, call c)
{
    tensor_free(context, c.p);
    tensor_free(context, c.t);
    tensor_free(context, c.value);
    tensor_free(context, c.dp);
}

/* All calls refuse this prediction and target; or the two that have a value this one; or a dprediction. */
#define NONE_ clgrad_tensor_none()
#define ALL_REFUSE(loss, p, t, status, part)                                                              \
    do {                                                                                                  \
        assert_refused(context, clgrad_loss_forward(context, loss, p, t, c.value), status, part);         \
        assert_refused(context, clgrad_loss_backward(context, loss, p, t, NONE_, c.dp), status, part);    \
        assert_refused(context, clgrad_loss_forward_backward(context, loss, p, t, c.value, c.dp), status, \
                       part);                                                                             \
        assert_unwritten(context, &c);                                                                    \
    } while (0)
#define VALUE_REFUSED(loss, value, status, part)                                                            \
    do {                                                                                                    \
        assert_refused(context, clgrad_loss_forward(context, loss, c.p, c.t, value), status, part);         \
        assert_refused(context, clgrad_loss_forward_backward(context, loss, c.p, c.t, value, c.dp), status, \
                       part);                                                                               \
        assert_unwritten(context, &c);                                                                      \
    } while (0)
#define GRADIENT_REFUSED(loss, dp, status, part)                                                            \
    do {                                                                                                    \
        assert_refused(context, clgrad_loss_backward(context, loss, c.p, c.t, NONE_, dp), status, part);    \
        assert_refused(context, clgrad_loss_forward_backward(context, loss, c.p, c.t, c.value, dp), status, \
                       part);                                                                               \
        assert_unwritten(context, &c);                                                                      \
    } while (0)
#define DVALUE_REFUSED(loss, dvalue, status, part)                                                          \
    do {                                                                                                    \
        assert_refused(context, clgrad_loss_backward(context, loss, c.p, c.t, dvalue, c.dp), status, part); \
        assert_unwritten(context, &c);                                                                      \
    } while (0)

static void assert_unwritten(clgrad_context *context, const call *c)
{
    assert_untouched(context, c->dp);
    assert_true(tensor_scalar_value(context, c->value) == -7);
}

static void bad_descriptors_are_refused(clgrad_context *context)
{
    call c = make_call(context);
    clgrad_loss bad = clgrad_loss_defaults(CLGRAD_LOSS_BCE_BALANCED);
    ALL_REFUSE(NULL, c.p, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "loss is NULL");
    bad.kind = (clgrad_loss_kind)99;
    ALL_REFUSE(&bad, c.p, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no loss 99");
    bad.kind = (clgrad_loss_kind)CLGRAD_LOSS_COUNT;
    ALL_REFUSE(&bad, c.p, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no loss");
    bad.kind = CLGRAD_LOSS_BCE_BALANCED;
    bad.reduction = (clgrad_reduction)4;
    ALL_REFUSE(&bad, c.p, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no reduction 4");
    bad.reduction = (clgrad_reduction)-1;
    ALL_REFUSE(&bad, c.p, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no reduction -1");
    bad.reduction = CLGRAD_REDUCTION_MEAN;
    bad.alpha = NAN;
    ALL_REFUSE(&bad, c.p, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "bce_balanced's alpha is nan");
    bad.alpha = -0.25f;
    ALL_REFUSE(&bad, c.p, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "alpha is -0.25, it must lie between 0 and 1");
    bad.alpha = 1.5f;
    ALL_REFUSE(&bad, c.p, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "alpha is 1.5");
    bad.kind = CLGRAD_LOSS_MSE; /* whose row does not list alpha */
    assert_ok(context, clgrad_loss_forward(context, &bad, c.p, c.t, c.value));
    assert_true(tensor_scalar_value(context, c.value) == 0);

    assert_int_equal(clgrad_loss_forward(NULL, &bad, c.p, c.t, c.value), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_int_equal(clgrad_loss_backward(NULL, &bad, c.p, c.t, NONE_, c.dp), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_int_equal(clgrad_loss_forward_backward(NULL, &bad, c.p, c.t, c.value, c.dp),
                     CLGRAD_STATUS_INVALID_ARGUMENT);
    free_call(context, c);
}

static void bad_predictions_and_targets_are_refused(clgrad_context *context)
{
    const clgrad_loss mse = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    const clgrad_loss entropy = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    const clgrad_loss rows = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY);
    call c = make_call(context);
    clgrad_tensor bad;

    ALL_REFUSE(&mse, NONE_, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "prediction is absent");
    ALL_REFUSE(&mse, c.p, NONE_, CLGRAD_STATUS_INVALID_ARGUMENT, "target is absent");
    bad = c.p;
    bad.rank = 9;
    ALL_REFUSE(&mse, bad, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "prediction has rank 9");
    bad = c.p;
    bad.type = CLGRAD_TYPE_INT32;
    ALL_REFUSE(&mse, bad, c.t, CLGRAD_STATUS_INVALID_TYPE, "prediction is int32, it must be float32");
    ALL_REFUSE(&rows, c.p, bad, CLGRAD_STATUS_INVALID_TYPE, "target is int32, it must be float32");
    ALL_REFUSE(&mse, c.p, bad, CLGRAD_STATUS_INVALID_TYPE, "target is int32, it must be float32");
    bad = c.t;
    bad.type = (clgrad_type)7;
    ALL_REFUSE(&mse, c.p, bad, CLGRAD_STATUS_INVALID_TYPE, "target has the unknown element type 7");

    bad = clgrad_tensor_matrix(c.t.buffer, c.t.offset, 3, 4);
    ALL_REFUSE(&mse, c.p, bad, CLGRAD_STATUS_INVALID_SHAPE,
               "target has shape [3, 4], but prediction has shape [4, 3]");
    bad = clgrad_tensor_vector(c.t.buffer, c.t.offset, CLGRAD_TYPE_INT32, 5);
    ALL_REFUSE(&entropy, c.p, bad, CLGRAD_STATUS_INVALID_SHAPE,
               "target has shape [5] and is int32, it must be int32 of shape [4]");
    bad = clgrad_tensor_vector(c.p.buffer, c.p.offset, CLGRAD_TYPE_FLOAT32, 12);
    ALL_REFUSE(&rows, bad, c.t, CLGRAD_STATUS_INVALID_SHAPE,
               "prediction has shape [12], it must have 2 dimensions");
    bad = clgrad_tensor_matrix(c.p.buffer, c.p.offset, 4, 0);
    ALL_REFUSE(&entropy, bad, c.t, CLGRAD_STATUS_INVALID_SHAPE, "prediction has 0 classes");

    bad = c.p;
    bad.offset = 11;
    ALL_REFUSE(&mse, bad, c.t, CLGRAD_STATUS_OUT_OF_RANGE,
               "prediction has shape [4, 3] at offset 11, but its buffer holds 22 elements");
    bad = c.t;
    bad.offset = SIZE_MAX;
    ALL_REFUSE(&mse, c.p, bad, CLGRAD_STATUS_OUT_OF_RANGE, "but its buffer holds 22 elements");
    free_call(context, c);
}

/* Labels as float32, probabilities as int32, and labels for a loss that takes none: the sentence says which
 * type and shape stands for what. */
static void confused_targets_are_explained(clgrad_context *context)
{
    const clgrad_loss entropy = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    const clgrad_loss nll = clgrad_loss_defaults(CLGRAD_LOSS_NLL),
                      mse = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    static const char *const either = "it must be int32 of shape [4] (class indices, CLGRAD_TYPE_INT32) or "
                                      "float32 of shape [4, 3] (probabilities)";
    call c = make_call(context);
    clgrad_tensor labels = clgrad_tensor_vector(c.t.buffer, c.t.offset, CLGRAD_TYPE_FLOAT32, 4);
    ALL_REFUSE(&entropy, c.p, labels, CLGRAD_STATUS_INVALID_SHAPE, "target has shape [4] and is float32, ");
    ALL_REFUSE(&entropy, c.p, labels, CLGRAD_STATUS_INVALID_SHAPE, either);
    ALL_REFUSE(&nll, c.p, labels, CLGRAD_STATUS_INVALID_TYPE,
               "target is float32, it must be int32: class indices are int32_t, in a tensor of "
               "CLGRAD_TYPE_INT32");
    clgrad_tensor probabilities = c.t;
    probabilities.type = CLGRAD_TYPE_INT32;
    ALL_REFUSE(&entropy, c.p, probabilities, CLGRAD_STATUS_INVALID_SHAPE,
               "target has shape [4, 3] and is int32, ");
    ALL_REFUSE(&entropy, c.p, probabilities, CLGRAD_STATUS_INVALID_SHAPE, either);
    ALL_REFUSE(&mse, c.p, probabilities, CLGRAD_STATUS_INVALID_TYPE,
               "target is int32, it must be float32: mse takes no class indices");
    free_call(context, c);
}

static void bad_values_and_gradients_are_refused(clgrad_context *context)
{
    clgrad_loss mse = clgrad_loss_defaults(CLGRAD_LOSS_MSE), l2 = clgrad_loss_defaults(CLGRAD_LOSS_L2);
    clgrad_loss entropy = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    l2.reduction = entropy.reduction = CLGRAD_REDUCTION_NONE;
    call c = make_call(context);
    clgrad_tensor other = vector_with(context, 12, NULL), bad;

    VALUE_REFUSED(&mse, NONE_, CLGRAD_STATUS_INVALID_ARGUMENT, "value is absent");
    GRADIENT_REFUSED(&mse, NONE_, CLGRAD_STATUS_INVALID_ARGUMENT, "dprediction is absent");
    bad = clgrad_tensor_vector(other.buffer, other.offset, CLGRAD_TYPE_INT32, 1);
    VALUE_REFUSED(&mse, bad, CLGRAD_STATUS_INVALID_TYPE, "value is int32, it must be float32");
    DVALUE_REFUSED(&mse, bad, CLGRAD_STATUS_INVALID_TYPE, "dvalue is int32, it must be float32");

    /* one number for a mean and for a whole, one for each row, one for each element */
    bad = clgrad_tensor_rows(other, 0, 2);
    VALUE_REFUSED(&mse, bad, CLGRAD_STATUS_INVALID_SHAPE, "value has shape [2], it must be one number");
    DVALUE_REFUSED(&mse, bad, CLGRAD_STATUS_INVALID_SHAPE, "dvalue has shape [2], it must be one number");
    VALUE_REFUSED(&l2, other, CLGRAD_STATUS_INVALID_SHAPE, "value has shape [12], it must be one number");
    bad = clgrad_tensor_matrix(other.buffer, other.offset, 1, 1);
    VALUE_REFUSED(&mse, bad, CLGRAD_STATUS_INVALID_SHAPE, "value has shape [1, 1], it must be one number");
    VALUE_REFUSED(&entropy, other, CLGRAD_STATUS_INVALID_SHAPE,
                  "value has shape [12], it must have shape [4]");
    DVALUE_REFUSED(&entropy, c.value, CLGRAD_STATUS_INVALID_SHAPE,
                   "dvalue has shape [], it must have shape [4]");
    mse.reduction = CLGRAD_REDUCTION_NONE;
    VALUE_REFUSED(&mse, other, CLGRAD_STATUS_INVALID_SHAPE,
                  "value has shape [12], it must have shape [4, 3]");
    mse.reduction = CLGRAD_REDUCTION_SUM;
    GRADIENT_REFUSED(&mse, other, CLGRAD_STATUS_INVALID_SHAPE,
                     "dprediction has shape [12], but prediction has shape [4, 3]");
    bad = c.dp;
    bad.type = CLGRAD_TYPE_INT32;
    GRADIENT_REFUSED(&mse, bad, CLGRAD_STATUS_INVALID_TYPE, "dprediction is int32");
    bad = c.dp;
    bad.offset = 11;
    GRADIENT_REFUSED(&mse, bad, CLGRAD_STATUS_OUT_OF_RANGE, "dprediction has shape [4, 3] at offset 11");
    bad = c.value;
    bad.offset = 11;
    VALUE_REFUSED(&mse, bad, CLGRAD_STATUS_OUT_OF_RANGE,
                  "value has shape [] at offset 11, but its buffer holds 11 elements");
    assert_untouched(context, other);

    /* shape [1] will do for one number */
    assert_ok(context, clgrad_loss_forward(context, &mse, c.p, c.t, clgrad_tensor_rows(other, 0, 1)));
    assert_untouched(context, clgrad_tensor_rows(other, 1, 11));
    tensor_free(context, other);
    free_call(context, c);
}

static void overlaps_are_refused(clgrad_context *context)
{
    const clgrad_loss mse = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    call c = make_call(context);
    clgrad_tensor in_p = clgrad_tensor_scalar(c.p.buffer, c.p.offset + 11);
    clgrad_tensor in_t = clgrad_tensor_scalar(c.t.buffer, c.t.offset);
    clgrad_tensor in_dp = clgrad_tensor_scalar(c.dp.buffer, c.dp.offset + 11);
    clgrad_tensor shifted = c.p;
    shifted.offset += 1;
    VALUE_REFUSED(&mse, in_p, CLGRAD_STATUS_INVALID_ARGUMENT, "value overlaps prediction");
    VALUE_REFUSED(&mse, in_t, CLGRAD_STATUS_INVALID_ARGUMENT, "value overlaps target");
    GRADIENT_REFUSED(&mse, shifted, CLGRAD_STATUS_INVALID_ARGUMENT, "dprediction overlaps prediction");
    GRADIENT_REFUSED(&mse, c.t, CLGRAD_STATUS_INVALID_ARGUMENT, "dprediction overlaps target");
    DVALUE_REFUSED(&mse, in_dp, CLGRAD_STATUS_INVALID_ARGUMENT, "dprediction overlaps dvalue");
    assert_refused(context, clgrad_loss_forward_backward(context, &mse, c.p, c.t, in_dp, c.dp),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "dprediction overlaps value");
    assert_unwritten(context, &c);
    free_call(context, c);
}

static void foreign_buffers_are_refused(clgrad_context *context)
{
    const clgrad_loss mse = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    clgrad_context *other = NULL;
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    call c = make_call(context), foreign = make_call(other);
    const clgrad_status status = CLGRAD_STATUS_INVALID_CONTEXT;
    ALL_REFUSE(&mse, foreign.p, c.t, status, "prediction lies in a buffer of another context");
    ALL_REFUSE(&mse, c.p, foreign.t, status, "target lies in a buffer of another context");
    VALUE_REFUSED(&mse, foreign.value, status, "value lies in a buffer of another context");
    DVALUE_REFUSED(&mse, foreign.value, status, "dvalue lies in a buffer of another context");
    GRADIENT_REFUSED(&mse, foreign.dp, status, "dprediction lies in a buffer of another context");
    assert_unwritten(other, &foreign);
    free_call(context, c);
    free_call(other, foreign);
    clgrad_context_destroy(other);
}

int main(void)
{
    const test_case cases[] = {
        CASE(bad_descriptors_are_refused),          CASE(bad_predictions_and_targets_are_refused),
        CASE(bad_values_and_gradients_are_refused), CASE(overlaps_are_refused),
        CASE(foreign_buffers_are_refused),          CASE(confused_targets_are_explained),
    };
    return run_on_every_device(cases, COUNT(cases));
}
