#include "check.h"

static const clgrad_softmax_info infos[] = {
#define ROW(value, identifier, name, ...) [value] = {#name, __VA_ARGS__},
    CLGRAD_SOFTMAX_LIST(ROW)
#undef ROW
};

const clgrad_softmax_info *clgrad_softmax_describe(clgrad_softmax_kind kind)
{
    return (size_t)kind < CLGRAD_SOFTMAX_COUNT ? &infos[kind] : NULL;
}

bool clgrad_softmax_parse(const char *name, clgrad_softmax_kind *kind)
{
    ptrdiff_t row = clgrad_find_name(name, infos, CLGRAD_SOFTMAX_COUNT, sizeof infos[0]);
    if (row >= 0)
        *kind = (clgrad_softmax_kind)row;
    return row >= 0;
}

static void check_call(clgrad_check *check, clgrad_softmax_kind kind, const char *name, clgrad_tensor tensor)
{
    if (clgrad_softmax_describe(kind) == NULL)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no softmax %d", (int)kind);
    clgrad_check_tensor(check, name, tensor, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    if (check->status == CLGRAD_STATUS_SUCCESS && tensor.rank == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "%s is a scalar, it must have a dimension",
                          name);
    if (check->status == CLGRAD_STATUS_SUCCESS && tensor.shape[tensor.rank - 1] == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "%s has 0 classes in its last dimension", name);
}

clgrad_status clgrad_softmax_forward(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor x,
                                     clgrad_tensor y)
{
    clgrad_check check = clgrad_check_begin(context, "softmax_forward");
    check_call(&check, kind, "x", x);
    clgrad_check_like(&check, "y", y, "x", x);
    clgrad_check_apart_or_same(&check, "y", y, "x", x);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(x) == 0)
        return check.status;
    return context->backend->softmax->forward(context, kind, x, y);
}

clgrad_status clgrad_softmax_backward(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor y,
                                      clgrad_tensor dy, clgrad_tensor dx)
{
    clgrad_check check = clgrad_check_begin(context, "softmax_backward");
    check_call(&check, kind, "y", y);
    clgrad_check_like(&check, "dy", dy, "y", y);
    clgrad_check_like(&check, "dx", dx, "y", y);
    clgrad_check_apart_or_same(&check, "dx", dx, "y", y);
    clgrad_check_apart_or_same(&check, "dx", dx, "dy", dy);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(y) == 0)
        return check.status;
    return context->backend->softmax->backward(context, kind, y, dy, dx);
}
