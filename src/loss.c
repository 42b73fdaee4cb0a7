#include "check.h"

#define PARAMETER(...) CLGRAD_PARAMETER_ENTRY(clgrad_loss, __VA_ARGS__)
#define ROW(value, identifier, name, PARAMETERS, ...)                                                 \
    static const clgrad_parameter name##_parameters[] = {PARAMETERS(PARAMETER){0}};                   \
    _Static_assert(sizeof name##_parameters <= (CLGRAD_PARAMETER_MAX + 1) * sizeof(clgrad_parameter), \
                   #name " has too many parameters");
CLGRAD_LOSS_LIST(ROW)
#undef ROW
#undef PARAMETER

static const clgrad_loss_info infos[] = {
#define ROW(value, identifier, name, PARAMETERS, extent, bound, formula, gradient, source) \
    [value] = {#name, name##_parameters, CLGRAD_LOSS_##extent, bound, formula, gradient, source},
    CLGRAD_LOSS_LIST(ROW)
#undef ROW
};

static const char *const reductions[] = {
#define ROW(value, identifier, name) [value] = #name,
    CLGRAD_REDUCTION_LIST(ROW)
#undef ROW
};

#define REDUCTION_COUNT (sizeof reductions / sizeof reductions[0])

const char *clgrad_reduction_name(clgrad_reduction reduction)
{
    return (size_t)reduction < REDUCTION_COUNT ? reductions[reduction] : "unknown";
}

bool clgrad_reduction_parse(const char *name, clgrad_reduction *reduction)
{
    ptrdiff_t row = clgrad_find_name(name, reductions, REDUCTION_COUNT, sizeof reductions[0]);
    if (row >= 0)
        *reduction = (clgrad_reduction)row;
    return row >= 0;
}

const clgrad_loss_info *clgrad_loss_describe(clgrad_loss_kind kind)
{
    return (size_t)kind < CLGRAD_LOSS_COUNT ? &infos[kind] : NULL;
}

bool clgrad_loss_parse(const char *name, clgrad_loss_kind *kind)
{
    ptrdiff_t row = clgrad_find_name(name, infos, CLGRAD_LOSS_COUNT, sizeof infos[0]);
    if (row >= 0)
        *kind = (clgrad_loss_kind)row;
    return row >= 0;
}

clgrad_loss clgrad_loss_defaults(clgrad_loss_kind kind)
{
    clgrad_loss loss = {.kind = kind, .reduction = CLGRAD_REDUCTION_MEAN};
    if (clgrad_loss_describe(kind) != NULL)
        clgrad_parameters_default(infos[kind].parameters, &loss);
    return loss;
}

void clgrad_loss_check(clgrad_check *check, const clgrad_loss *loss)
{
    clgrad_check_pointer(check, "loss", loss);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    const clgrad_loss_info *info = clgrad_loss_describe(loss->kind);
    if (info == NULL)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no loss %d", (int)loss->kind);
    else if ((size_t)loss->reduction >= REDUCTION_COUNT)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no reduction %d",
                          (int)loss->reduction);
    else
        clgrad_check_parameters(check, info->name, info->parameters, loss);
}

/* The target: the prediction's shape, or class indices where the loss takes them. */
void clgrad_loss_check_target(clgrad_check *check, const clgrad_loss *loss, clgrad_tensor prediction,
                              clgrad_tensor target)
{
    clgrad_check_tensor_any_type(check, "target", target);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    if (loss->kind == CLGRAD_LOSS_CROSS_ENTROPY && target.type == CLGRAD_TYPE_INT32)
        clgrad_check_shape(check, "target", target, CLGRAD_TYPE_INT32, 1, prediction.shape);
    else {
        clgrad_check_tensor(check, "target", target, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
        clgrad_check_same_shape(check, "target", target, "prediction", prediction);
    }
}

/* The value, or the upstream gradient, which has the value's shape. */
static void check_value(clgrad_check *check, const clgrad_loss *loss, clgrad_tensor prediction,
                        const char *name, clgrad_tensor value)
{
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    clgrad_loss_extent extent = infos[loss->kind].extent;
    if (extent == CLGRAD_LOSS_WHOLE || loss->reduction != CLGRAD_REDUCTION_NONE)
        clgrad_check_scalar(check, name, value);
    else if (extent == CLGRAD_LOSS_ROW)
        clgrad_check_shape(check, name, value, CLGRAD_TYPE_FLOAT32, 1, prediction.shape);
    else
        clgrad_check_shape(check, name, value, CLGRAD_TYPE_FLOAT32, prediction.rank, prediction.shape);
}

static void check_call(clgrad_check *check, const clgrad_loss *loss, clgrad_tensor prediction,
                       clgrad_tensor target)
{
    clgrad_loss_check(check, loss);
    bool rows = check->status == CLGRAD_STATUS_SUCCESS && infos[loss->kind].extent == CLGRAD_LOSS_ROW;
    clgrad_check_tensor(check, "prediction", prediction, CLGRAD_TYPE_FLOAT32, rows ? 2 : CLGRAD_ANY_RANK);
    if (check->status == CLGRAD_STATUS_SUCCESS && rows && prediction.shape[1] == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "prediction has 0 classes");
    clgrad_loss_check_target(check, loss, prediction, target);
}

static clgrad_status evaluate(const clgrad_check *check, const clgrad_loss *loss, clgrad_tensor prediction,
                              clgrad_tensor target, clgrad_tensor value, clgrad_tensor dvalue,
                              clgrad_tensor dprediction)
{
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return check->status;
    return check->context->backend->loss->evaluate(check->context, loss, prediction, target, value, dvalue,
                                                   dprediction);
}

static void check_output_value(clgrad_check *check, const clgrad_loss *loss, clgrad_tensor prediction,
                               clgrad_tensor target, clgrad_tensor value)
{
    check_value(check, loss, prediction, "value", value);
    clgrad_check_apart(check, "value", value, "prediction", prediction);
    clgrad_check_apart(check, "value", value, "target", target);
}

static void check_output_gradient(clgrad_check *check, clgrad_tensor prediction, clgrad_tensor target,
                                  clgrad_tensor dprediction)
{
    clgrad_check_tensor(check, "dprediction", dprediction, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_same_shape(check, "dprediction", dprediction, "prediction", prediction);
    clgrad_check_apart_or_same(check, "dprediction", dprediction, "prediction", prediction);
    clgrad_check_apart(check, "dprediction", dprediction, "target", target);
}

clgrad_status clgrad_loss_forward(clgrad_context *context, const clgrad_loss *loss, clgrad_tensor prediction,
                                  clgrad_tensor target, clgrad_tensor value)
{
    clgrad_check check = clgrad_check_begin(context, "loss_forward");
    check_call(&check, loss, prediction, target);
    check_output_value(&check, loss, prediction, target, value);
    return evaluate(&check, loss, prediction, target, value, clgrad_tensor_none(), clgrad_tensor_none());
}

clgrad_status clgrad_loss_backward(clgrad_context *context, const clgrad_loss *loss, clgrad_tensor prediction,
                                   clgrad_tensor target, clgrad_tensor dvalue, clgrad_tensor dprediction)
{
    clgrad_check check = clgrad_check_begin(context, "loss_backward");
    check_call(&check, loss, prediction, target);
    if (clgrad_present(dvalue))
        check_value(&check, loss, prediction, "dvalue", dvalue);
    check_output_gradient(&check, prediction, target, dprediction);
    clgrad_check_apart(&check, "dprediction", dprediction, "dvalue", dvalue);
    return evaluate(&check, loss, prediction, target, clgrad_tensor_none(), dvalue, dprediction);
}

clgrad_status clgrad_loss_forward_backward(clgrad_context *context, const clgrad_loss *loss,
                                           clgrad_tensor prediction, clgrad_tensor target,
                                           clgrad_tensor value, clgrad_tensor dprediction)
{
    clgrad_check check = clgrad_check_begin(context, "loss_forward_backward");
    check_call(&check, loss, prediction, target);
    check_output_value(&check, loss, prediction, target, value);
    check_output_gradient(&check, prediction, target, dprediction);
    clgrad_check_apart(&check, "dprediction", dprediction, "value", value);
    return evaluate(&check, loss, prediction, target, value, clgrad_tensor_none(), dprediction);
}
