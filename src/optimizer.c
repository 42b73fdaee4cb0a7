#include "check.h"

#include <stdio.h>

#define PARAMETER(...) CLGRAD_PARAMETER_ENTRY(clgrad_optimizer, __VA_ARGS__)
CLGRAD_OPTIMIZER_LIST(CLGRAD_PARAMETER_ARRAY)
#undef PARAMETER

static const clgrad_optimizer_info infos[] = {
#define ROW(value, identifier, name, PARAMETERS, slots, slot_names, constraint, constraint_text, bound, \
            formula, source)                                                                            \
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

const char *clgrad_optimizer_slot_names(const clgrad_optimizer *optimizer)
{
    switch (optimizer->kind) {
#define ROW(value, identifier, name, PARAMETERS, slots, slot_names, ...) \
    case CLGRAD_OPTIMIZER_##identifier:                                  \
        return slot_names;
        CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
    }
    return "";
}

static const char *const start = CLGRAD_START_FROM("clgrad_optimizer_defaults");

static void check_constraint(clgrad_check *check, const clgrad_optimizer *optimizer)
{
    switch (optimizer->kind) {
#define ROW(value, identifier, name, PARAMETERS, slots, slot_names, constraint, constraint_text, ...) \
    case CLGRAD_OPTIMIZER_##identifier:                                                               \
        if (!(constraint))                                                                            \
            clgrad_check_fail_constraint(check, #name, constraint_text, name##_parameters, optimizer, \
                                         start);                                                      \
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
    clgrad_check_parameters(check, info->name, info->parameters, optimizer, start);
    check_constraint(check, optimizer);
}

/* What both calls ask of a step and its tensors; groups have been checked. Then the step. */
static clgrad_status check_and_step(clgrad_check *check, const clgrad_optimizer *groups, size_t group_count,
                                    clgrad_tensor ranges, uint64_t step, clgrad_tensor gradient,
                                    clgrad_tensor parameters, clgrad_tensor state)
{
    size_t slots = 0;
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < group_count; i++)
        if (clgrad_optimizer_slots(&groups[i]) > slots)
            slots = clgrad_optimizer_slots(&groups[i]);
    if (step == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "step is 0, the first step is 1");
    clgrad_check_tensor(check, "parameters", parameters, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_tensor(check, "gradient", gradient, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_same_shape(check, "gradient", gradient, "parameters", parameters);
    clgrad_check_apart(check, "parameters", parameters, "gradient", gradient);
    if (slots > 0) {
        size_t shape[] = {slots, clgrad_tensor_count(parameters)};
        clgrad_check_shape(check, "state", state, CLGRAD_TYPE_FLOAT32, 2, shape);
        clgrad_check_apart(check, "state", state, "gradient", gradient);
        clgrad_check_apart(check, "state", state, "parameters", parameters);
    } else {
        state = clgrad_tensor_none();
    }
    clgrad_check_apart(check, "ranges", ranges, "parameters", parameters);
    clgrad_check_apart(check, "ranges", ranges, "gradient", gradient);
    clgrad_check_apart(check, "ranges", ranges, "state", state);
    if (check->status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(parameters) == 0)
        return check->status;
    return check->context->backend->optimizer->step(check->context, groups, group_count, ranges, step,
                                                    gradient, parameters, state);
}

clgrad_status clgrad_optimizer_step(clgrad_context *context, const clgrad_optimizer *optimizer, uint64_t step,
                                    clgrad_tensor gradient, clgrad_tensor parameters, clgrad_tensor state)
{
    clgrad_check check = clgrad_check_begin(context, "optimizer_step");
    clgrad_optimizer_check(&check, optimizer);
    return check_and_step(&check, optimizer, 1, clgrad_tensor_none(), step, gradient, parameters, state);
}

/* Each group as an optimizer, its number named in the sentence, and all of one kind. */
void clgrad_optimizer_check_groups(clgrad_check *check, const clgrad_optimizer *groups, size_t group_count)
{
    const char *call = check->call;
    clgrad_check_pointer(check, "groups", groups);
    if (group_count < 1 || group_count > CLGRAD_OPTIMIZER_MAX_GROUPS)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "there are %zu groups, there must be 1 to %d", group_count,
                          CLGRAD_OPTIMIZER_MAX_GROUPS);
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < group_count; i++) {
        char named[64];
        snprintf(named, sizeof named, "%s: group %zu", call, i);
        check->call = named;
        clgrad_optimizer_check(check, &groups[i]);
        check->call = call;
        if (check->status == CLGRAD_STATUS_SUCCESS && groups[i].kind != groups[0].kind)
            clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                              "group %zu is %s, but group 0 is %s: they must be of one kind", i,
                              infos[groups[i].kind].name, infos[groups[0].kind].name);
    }
}

clgrad_status clgrad_optimizer_step_groups(clgrad_context *context, const clgrad_optimizer *groups,
                                           size_t group_count, clgrad_tensor ranges, uint64_t step,
                                           clgrad_tensor gradient, clgrad_tensor parameters,
                                           clgrad_tensor state)
{
    clgrad_check check = clgrad_check_begin(context, "optimizer_step_groups");
    clgrad_optimizer_check_groups(&check, groups, group_count);
    clgrad_check_tensor(&check, "ranges", ranges, CLGRAD_TYPE_INT32, 2);
    clgrad_check_shape(&check, "ranges", ranges, CLGRAD_TYPE_INT32, 2, (size_t[]){ranges.shape[0], 2});
    clgrad_check_tensor(&check, "parameters", parameters, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    if (check.status == CLGRAD_STATUS_SUCCESS && clgrad_tensor_count(parameters) > INT32_MAX)
        clgrad_check_fail(&check, CLGRAD_STATUS_OUT_OF_RANGE,
                          "parameters has %zu elements, ranges can tell %d apart at most",
                          clgrad_tensor_count(parameters), INT32_MAX);
    return check_and_step(&check, groups, group_count, ranges, step, gradient, parameters, state);
}
