#include "check.h"

#define PARAMETER(...) CLGRAD_PARAMETER_ENTRY(clgrad_activation, __VA_ARGS__)
CLGRAD_ACTIVATION_LIST(CLGRAD_PARAMETER_ARRAY)
#undef PARAMETER

static const clgrad_activation_info infos[] = {
#define ROW(value, identifier, name, PARAMETERS, constraint, constraint_text, forward_ulp, backward_ulp, \
            backward_floor, masks, from_output, ...)                                                     \
    [value] = {#name, name##_parameters, forward_ulp, backward_ulp, backward_floor, masks, __VA_ARGS__},
    CLGRAD_ACTIVATION_LIST(ROW)
#undef ROW
};

const clgrad_activation_info *clgrad_activation_describe(clgrad_activation_kind kind)
{
    return (size_t)kind < CLGRAD_ACTIVATION_COUNT ? &infos[kind] : NULL;
}

bool clgrad_activation_parse(const char *name, clgrad_activation_kind *kind)
{
    ptrdiff_t row = clgrad_find_name(name, infos, CLGRAD_ACTIVATION_COUNT, sizeof infos[0]);
    if (row >= 0)
        *kind = (clgrad_activation_kind)row;
    return row >= 0;
}

clgrad_activation clgrad_activation_defaults(clgrad_activation_kind kind)
{
    clgrad_activation activation = {.kind = kind};
    if (clgrad_activation_describe(kind) != NULL)
        clgrad_parameters_default(infos[kind].parameters, &activation);
    return activation;
}

bool clgrad_activation_from_output(const clgrad_activation *activation)
{
    if (activation == NULL)
        return false;
    switch (activation->kind) {
#define ROW(value, identifier, name, PARAMETERS, constraint, constraint_text, forward_ulp, backward_ulp, \
            backward_floor, masks, from_output, ...)                                                     \
    case CLGRAD_ACTIVATION_##identifier:                                                                 \
        return from_output;
        CLGRAD_ACTIVATION_LIST(ROW)
#undef ROW
    }
    return false;
}

static const char *const start = CLGRAD_START_FROM("clgrad_activation_defaults");

static void check_constraint(clgrad_check *check, const clgrad_activation *activation)
{
    switch (activation->kind) {
#define ROW(value, identifier, name, PARAMETERS, constraint, constraint_text, ...)                     \
    case CLGRAD_ACTIVATION_##identifier:                                                               \
        if (!(constraint))                                                                             \
            clgrad_check_fail_constraint(check, #name, constraint_text, name##_parameters, activation, \
                                         start);                                                       \
        break;
        CLGRAD_ACTIVATION_LIST(ROW)
#undef ROW
    }
}

void clgrad_activation_check(clgrad_check *check, const clgrad_activation *activation)
{
    clgrad_check_pointer(check, "activation", activation);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    const clgrad_activation_info *info = clgrad_activation_describe(activation->kind);
    if (info == NULL) {
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no activation %d",
                          (int)activation->kind);
        return;
    }
    clgrad_check_parameters(check, info->name, info->parameters, activation, start);
    check_constraint(check, activation);
}

clgrad_status clgrad_activation_forward(clgrad_context *context, const clgrad_activation *activation,
                                        clgrad_tensor x, clgrad_tensor y)
{
    clgrad_check check = clgrad_check_begin(context, "activation_forward");
    clgrad_activation_check(&check, activation);
    clgrad_check_tensor(&check, "x", x, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_tensor(&check, "y", y, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_same_shape(&check, "y", y, "x", x);
    clgrad_check_apart_or_same(&check, "y", y, "x", x);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(x) == 0)
        return check.status;
    return context->backend->activation->forward(context, activation, x, y);
}

clgrad_status clgrad_activation_backward(clgrad_context *context, const clgrad_activation *activation,
                                         clgrad_tensor x, clgrad_tensor dy, clgrad_tensor dx)
{
    clgrad_check check = clgrad_check_begin(context, "activation_backward");
    clgrad_activation_check(&check, activation);
    clgrad_check_tensor(&check, "x", x, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_tensor(&check, "dy", dy, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_tensor(&check, "dx", dx, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_same_shape(&check, "dy", dy, "x", x);
    clgrad_check_same_shape(&check, "dx", dx, "x", x);
    clgrad_check_apart_or_same(&check, "dx", dx, "x", x);
    clgrad_check_apart_or_same(&check, "dx", dx, "dy", dy);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(x) == 0)
        return check.status;
    return context->backend->activation->backward(context, activation, x, dy, dx);
}
