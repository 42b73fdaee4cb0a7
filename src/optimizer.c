#include "check.h"

#define PARAMETER(...) CLGRAD_PARAMETER_ENTRY(clgrad_optimizer, __VA_ARGS__)
#define ROW(value, identifier, name, PARAMETERS, ...)                                                 \
    static const clgrad_parameter name##_parameters[] = {PARAMETERS(PARAMETER){0}};                   \
    _Static_assert(sizeof name##_parameters <= (CLGRAD_PARAMETER_MAX + 1) * sizeof(clgrad_parameter), \
                   #name " has too many parameters");
CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
#undef PARAMETER

static const clgrad_optimizer_info infos[] = {
#define ROW(value, identifier, name, PARAMETERS, slots, constraint, constraint_text, bound, formula, source) \
    [value] = {#name, name##_parameters, bound, formula, source},
    CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
};

const clgrad_optimizer_info *clgrad_optimizer_describe(clgrad_optimizer_kind kind)
{
    return (size_t)kind < CLGRAD_OPTIMIZER_COUNT ? &infos[kind] : NULL;
}

bool clgrad_optimizer_parse(const char *name, clgrad_optimizer_kind *kind)
{
    ptrdiff_t row = clgrad_find_name(name, infos, CLGRAD_OPTIMIZER_COUNT, sizeof infos[0]);
    if (row >= 0)
        *kind = (clgrad_optimizer_kind)row;
    return row >= 0;
}

clgrad_optimizer clgrad_optimizer_defaults(clgrad_optimizer_kind kind)
{
    clgrad_optimizer optimizer = {.kind = kind};
    if (clgrad_optimizer_describe(kind) != NULL)
        clgrad_parameters_default(infos[kind].parameters, &optimizer);
    return optimizer;
}

size_t clgrad_optimizer_slots(const clgrad_optimizer *optimizer)
{
    if (optimizer == NULL)
        return 0;
    switch (optimizer->kind) {
#define ROW(value, identifier, name, PARAMETERS, slots, ...) \
    case CLGRAD_OPTIMIZER_##identifier:                      \
        return slots;
        CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
    }
    return 0;
}

static void check_constraint(clgrad_check *check, const clgrad_optimizer *optimizer)
{
    switch (optimizer->kind) {
#define ROW(value, identifier, name, PARAMETERS, slots, constraint, constraint_text, ...)               \
    case CLGRAD_OPTIMIZER_##identifier:                                                                 \
        if (!(constraint))                                                                              \
            clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "%s: %s", #name, constraint_text); \
        break;
        CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
    }
}

void clgrad_optimizer_check(clgrad_check *check, const clgrad_optimizer *optimizer)
{
    clgrad_check_pointer(check, "optimizer", optimizer);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    const clgrad_optimizer_info *info = clgrad_optimizer_describe(optimizer->kind);
    if (info == NULL) {
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no optimizer %d",
                          (int)optimizer->kind);
        return;
    }
    clgrad_check_parameters(check, info->name, info->parameters, optimizer);
    check_constraint(check, optimizer);
}

clgrad_status clgrad_optimizer_step(clgrad_context *context, const clgrad_optimizer *optimizer, uint64_t step,
                                    clgrad_tensor gradient, clgrad_tensor parameters, clgrad_tensor state)
{
    clgrad_check check = clgrad_check_begin(context, "optimizer_step");
    clgrad_optimizer_check(&check, optimizer);
    if (step == 0)
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT, "step is 0, the first step is 1");
    clgrad_check_tensor(&check, "parameters", parameters, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_tensor(&check, "gradient", gradient, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_same_shape(&check, "gradient", gradient, "parameters", parameters);
    clgrad_check_apart(&check, "parameters", parameters, "gradient", gradient);
    if (clgrad_optimizer_slots(optimizer) > 0) {
        size_t shape[] = {clgrad_optimizer_slots(optimizer), clgrad_tensor_count(parameters)};
        clgrad_check_shape(&check, "state", state, CLGRAD_TYPE_FLOAT32, 2, shape);
        clgrad_check_apart(&check, "state", state, "gradient", gradient);
        clgrad_check_apart(&check, "state", state, "parameters", parameters);
    } else {
        state = clgrad_tensor_none();
    }
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(parameters) == 0)
        return check.status;
    return context->backend->optimizer->step(context, optimizer, step, gradient, parameters, state);
}
