#include "check.h"

/* ---- PReLU ---- */

/* The weight: one number, or one for each channel. */
static void check_weight(clgrad_check *check, clgrad_tensor x, clgrad_tensor weight)
{
    clgrad_check_tensor(check, "x", x, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_tensor(check, "weight", weight, CLGRAD_TYPE_FLOAT32, 1);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    if (x.rank == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "x is a scalar, it must have a dimension");
    const size_t channels = x.rank > 1 ? x.shape[1] : 1;
    if (weight.shape[0] != 1 && weight.shape[0] != channels)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                          "weight has %zu numbers, it must have 1 or one for each of x's %zu channels",
                          weight.shape[0], channels);
}

clgrad_status clgrad_prelu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor y)
{
    clgrad_check check = clgrad_check_begin(context, "prelu_forward");
    check_weight(&check, x, weight);
    clgrad_check_like(&check, "y", y, "x", x);
    clgrad_check_apart_or_same(&check, "y", y, "x", x);
    clgrad_check_apart(&check, "y", y, "weight", weight);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(x) == 0)
        return check.status;
    return context->backend->gated->prelu_forward(context, x, weight, y);
}

clgrad_status clgrad_prelu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight)
{
    clgrad_check check = clgrad_check_begin(context, "prelu_backward");
    check_weight(&check, x, weight);
    clgrad_check_like(&check, "dy", dy, "x", x);
    if (clgrad_present(dx)) {
        clgrad_check_like(&check, "dx", dx, "x", x);
        clgrad_check_apart_or_same(&check, "dx", dx, "x", x);
        clgrad_check_apart_or_same(&check, "dx", dx, "dy", dy);
        clgrad_check_apart(&check, "dx", dx, "weight", weight);
    }
    if (clgrad_present(dweight)) {
        clgrad_check_like(&check, "dweight", dweight, "weight", weight);
        clgrad_check_apart(&check, "dweight", dweight, "x", x);
        clgrad_check_apart(&check, "dweight", dweight, "dy", dy);
        clgrad_check_apart(&check, "dweight", dweight, "weight", weight);
        clgrad_check_apart(&check, "dweight", dweight, "dx", dx);
    }
    if (!clgrad_present(dx) && !clgrad_present(dweight))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT, "dx and dweight are both absent");
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    return context->backend->gated->prelu_backward(context, x, weight, dy, dx, dweight);
}

/* ---- GLU ---- */

/* x's last dimension is even, and the half's shape is x's with half of that. */
static void check_halves(clgrad_check *check, clgrad_tensor x, const char *name, clgrad_tensor half)
{
    clgrad_check_tensor(check, "x", x, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    if (x.rank == 0 || x.shape[x.rank - 1] % 2 != 0) {
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                          "x's last dimension is %zu, it must be even to be halved",
                          x.rank == 0 ? (size_t)1 : x.shape[x.rank - 1]);
        return;
    }
    x.shape[x.rank - 1] /= 2;
    clgrad_check_shape(check, name, half, CLGRAD_TYPE_FLOAT32, x.rank, x.shape);
}

clgrad_status clgrad_glu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor y)
{
    clgrad_check check = clgrad_check_begin(context, "glu_forward");
    check_halves(&check, x, "y", y);
    clgrad_check_apart(&check, "y", y, "x", x);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(y) == 0)
        return check.status;
    return context->backend->gated->glu_forward(context, x, y);
}

clgrad_status clgrad_glu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor dy,
                                  clgrad_tensor dx)
{
    clgrad_check check = clgrad_check_begin(context, "glu_backward");
    check_halves(&check, x, "dy", dy);
    clgrad_check_like(&check, "dx", dx, "x", x);
    clgrad_check_apart_or_same(&check, "dx", dx, "x", x);
    clgrad_check_apart(&check, "dx", dx, "dy", dy);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(x) == 0)
        return check.status;
    return context->backend->gated->glu_backward(context, x, dy, dx);
}
