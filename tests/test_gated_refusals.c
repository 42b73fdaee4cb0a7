/*
 * What PReLU and GLU refuse, by which sentence, and that a refused call changes nothing.
 */
#include "refused_calls.h"

static clgrad_status run_prelu(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_prelu_forward(context, t[0], t[1], t[2]);
}

static clgrad_status run_prelu_backward(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_prelu_backward(context, t[0], t[1], t[2], t[3], t[4]);
}

static clgrad_status run_glu(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_glu_forward(context, t[0], t[1]);
}

static clgrad_status run_glu_backward(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_glu_backward(context, t[0], t[1], t[2]);
}

static void bad_prelu_calls_are_refused(clgrad_context *context)
{
    const refused_call forward = {run_prelu, {"x", "weight", "y"}, "", "y ", "y=x "};
    const refused_call backward = {run_prelu_backward,
                                   {"x", "weight", "dy", "dx", "dweight"},
                                   "dx dweight ",
                                   "dx dweight ",
                                   "dx=x dx=dy "};
    clgrad_tensor x = matrix_with(context, 4, 3, NULL), weight = vector_with(context, 3, NULL);
    clgrad_tensor y = matrix_with(context, 4, 3, NULL), dy = matrix_with(context, 4, 3, NULL);
    clgrad_tensor dweight = vector_with(context, 3, NULL);
    const clgrad_tensor f[] = {x, weight, y}, b[] = {x, weight, dy, y, dweight};
    assert_bad_tensors_refused(context, &forward, f);
    assert_bad_tensors_refused(context, &backward, b);

    const clgrad_status shape = CLGRAD_STATUS_INVALID_SHAPE;
    const clgrad_tensor turned = reshaped(x, 2, (size_t[]){3, 4}), two = reshaped(x, 1, (size_t[]){2});
    assert_change_refused(context, &forward, f, "x", reshaped(x, 0, NULL), shape, "x is a scalar");
    assert_change_refused(context, &forward, f, "x", turned, shape,
                          "weight has 3 numbers, it must have 1 or one for each of x's 4 channels");
    assert_change_refused(context, &forward, f, "weight", two, shape, "weight has 2 numbers");
    assert_change_refused(context, &forward, f, "weight", turned, shape, "it must have 1 dimension");
    assert_change_refused(context, &forward, f, "y", turned, shape,
                          "y has shape [3, 4], but x has shape [4, 3]");
    assert_change_refused(context, &backward, b, "dy", turned, shape, "dy has shape [3, 4]");
    assert_change_refused(context, &backward, b, "dx", turned, shape, "dx has shape [3, 4]");
    assert_change_refused(context, &backward, b, "dweight", two, shape,
                          "dweight has shape [2], but weight has shape [3]");
    const clgrad_tensor none = clgrad_tensor_none();
    assert_refused(context, clgrad_prelu_backward(context, x, weight, dy, none, none),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "prelu_backward: dx and dweight are both absent");
    tensor_free(context, x);
    tensor_free(context, weight);
    tensor_free(context, y);
    tensor_free(context, dy);
    tensor_free(context, dweight);
}

static void bad_glu_calls_are_refused(clgrad_context *context)
{
    const refused_call forward = {run_glu, {"x", "y"}, "", "y ", ""};
    const refused_call backward = {run_glu_backward, {"x", "dy", "dx"}, "", "dx ", "dx=x "};
    clgrad_tensor x = matrix_with(context, 2, 6, NULL), y = matrix_with(context, 2, 3, NULL);
    clgrad_tensor dx = matrix_with(context, 2, 6, NULL);
    const clgrad_tensor f[] = {x, y}, b[] = {x, y, dx};
    assert_bad_tensors_refused(context, &forward, f);
    assert_bad_tensors_refused(context, &backward, b);

    const clgrad_status shape = CLGRAD_STATUS_INVALID_SHAPE;
    const clgrad_tensor odd = reshaped(x, 2, (size_t[]){2, 5});
    assert_change_refused(context, &forward, f, "x", odd, shape,
                          "x's last dimension is 5, it must be even to be halved");
    assert_change_refused(context, &forward, f, "x", reshaped(x, 0, NULL), shape,
                          "x's last dimension is 1, it must be even");
    assert_change_refused(context, &forward, f, "y", reshaped(y, 2, (size_t[]){3, 2}), shape,
                          "y has shape [3, 2], it must have shape [2, 3]");
    assert_change_refused(context, &backward, b, "x", odd, shape, "x's last dimension is 5");
    assert_change_refused(context, &backward, b, "dy", reshaped(y, 1, (size_t[]){6}), shape,
                          "dy has shape [6], it must have shape [2, 3]");
    assert_change_refused(context, &backward, b, "dx", y, shape,
                          "dx has shape [2, 3], but x has shape [2, 6]");
    tensor_free(context, x);
    tensor_free(context, y);
    tensor_free(context, dx);
}

int main(void)
{
    const test_case cases[] = {CASE(bad_prelu_calls_are_refused), CASE(bad_glu_calls_are_refused)};
    return run_on_every_device(cases, COUNT(cases));
}
