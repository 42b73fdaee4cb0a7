#include "check.h"

#include <math.h>

/* An output that has the input's shape, and may be the input itself. */
static void check_output(clgrad_check *check, const char *name, clgrad_tensor tensor, const char *other_name,
                         clgrad_tensor other)
{
    clgrad_check_like(check, name, tensor, other_name, other);
    clgrad_check_apart_or_same(check, name, tensor, other_name, other);
}

/* Forward and backward are the same: the mask depends on the seed, the stream and the position alone. */
static clgrad_status drop(clgrad_context *context, const char *call, float p, uint64_t seed, uint64_t stream,
                          const char *in_name, clgrad_tensor in, const char *out_name, clgrad_tensor out)
{
    clgrad_check check = clgrad_check_begin(context, call);
    if (!(p >= 0 && p <= 1))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT, "p is %g, it must lie between 0 and 1",
                          (double)p);
    clgrad_check_tensor(&check, in_name, in, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    check_output(&check, out_name, out, in_name, in);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(in) == 0)
        return check.status;
    return context->backend->noise->dropout(context, p, seed, stream, in, out);
}

clgrad_status clgrad_dropout_forward(clgrad_context *context, float p, uint64_t seed, uint64_t stream,
                                     clgrad_tensor x, clgrad_tensor y)
{
    return drop(context, "dropout_forward", p, seed, stream, "x", x, "y", y);
}

clgrad_status clgrad_dropout_backward(clgrad_context *context, float p, uint64_t seed, uint64_t stream,
                                      clgrad_tensor dy, clgrad_tensor dx)
{
    return drop(context, "dropout_backward", p, seed, stream, "dy", dy, "dx", dx);
}

static void check_slopes(clgrad_check *check, float lower, float upper)
{
    if (!(isfinite(lower) && isfinite(upper) && lower <= upper))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "lower is %g and upper is %g, they must be finite and lower not above upper",
                          (double)lower, (double)upper);
}

clgrad_status clgrad_rrelu_forward(clgrad_context *context, float lower, float upper, uint64_t seed,
                                   uint64_t stream, clgrad_tensor x, clgrad_tensor y)
{
    clgrad_check check = clgrad_check_begin(context, "rrelu_forward");
    check_slopes(&check, lower, upper);
    clgrad_check_tensor(&check, "x", x, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    check_output(&check, "y", y, "x", x);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(x) == 0)
        return check.status;
    return context->backend->noise->rrelu(context, lower, upper, seed, stream, x, x, y);
}

clgrad_status clgrad_rrelu_backward(clgrad_context *context, float lower, float upper, uint64_t seed,
                                    uint64_t stream, clgrad_tensor x, clgrad_tensor dy, clgrad_tensor dx)
{
    clgrad_check check = clgrad_check_begin(context, "rrelu_backward");
    check_slopes(&check, lower, upper);
    clgrad_check_tensor(&check, "x", x, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_like(&check, "dy", dy, "x", x);
    check_output(&check, "dx", dx, "x", x);
    clgrad_check_apart_or_same(&check, "dx", dx, "dy", dy);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(x) == 0)
        return check.status;
    return context->backend->noise->rrelu(context, lower, upper, seed, stream, x, dy, dx);
}
