/*
 * Optimizers: the table of the formulas, and the backend's entry. The formulas are in optimizer_*.c.
 */
#include "optimizer_formula.h"

#include "../internal.h"

static clgrad_ref_optimizer_formula *const formulas[] = {
#define ROW(value, identifier, name, ...) [value] = clgrad_ref_optimizer_##name,
    CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
};

/* What a slot holds before step 1: the boxes' "initialize". */
static double initial(const clgrad_optimizer *optimizer, size_t slot)
{
    if (optimizer->kind == CLGRAD_OPTIMIZER_ADAGRAD)
        return optimizer->initial_accumulator_value;
    if (optimizer->kind == CLGRAD_OPTIMIZER_RPROP && slot == 1)
        return optimizer->lr;
    return 0;
}

static void begin(const clgrad_optimizer *optimizer, size_t slots, size_t count, double *state, size_t stride)
{
    for (size_t slot = 0; slot < slots; slot++)
        for (size_t i = 0; i < count; i++)
            state[slot * stride + i] = initial(optimizer, slot);
}

void clgrad_ref_optimizer_step(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                               const double *gradient, double *parameters, double *state, size_t stride)
{
    if (step == 1)
        begin(optimizer, clgrad_optimizer_slots(optimizer), count, state, stride);
    formulas[optimizer->kind](optimizer, step, count, gradient, parameters, state, stride);
}

/* The arrays of a step. */
typedef struct arrays {
    uint64_t step;
    size_t count, slots;
    const double *gradient;
    double *parameters, *state; /* state is NULL where no group has slots */
    bool suspended;
} arrays;

/*
 * One group for the parameters from first up to but without end; NULL: they stay as they are. Step 1 begins
 * the whole state, also where there is no group, as the first one has it: a parameter may join a group later.
 */
static void step_range(const arrays *a, const clgrad_optimizer *group, const clgrad_optimizer *first_group,
                       size_t first, size_t end)
{
    double *state = a->state != NULL ? a->state + first : NULL;
    if (a->step == 1)
        begin(group != NULL ? group : first_group, a->slots, end - first, state, a->count);
    if (group != NULL && !a->suspended)
        clgrad_ref_optimizer_step(group, a->step, end - first, a->gradient + first, a->parameters + first,
                                  state, a->count);
}

/* A row's end, held between the end before it and the number of parameters. */
static size_t end_of(int32_t end, size_t first, size_t count)
{
    if (end < 0 || (size_t)end < first)
        return first;
    return (size_t)end < count ? (size_t)end : count;
}

static void step_ranges(clgrad_context *context, const arrays *a, const clgrad_optimizer *groups,
                        size_t group_count, clgrad_tensor ranges)
{
    const int32_t *rows = clgrad_ref_data(ranges);
    size_t first = 0;
    for (size_t i = 0; i < ranges.shape[0]; i++) {
        const size_t end = end_of(rows[2 * i], first, a->count);
        const int32_t group = rows[2 * i + 1];
        const bool exists = group >= 0 && (size_t)group < group_count;
        step_range(a, exists ? &groups[group] : NULL, groups, first, end);
        if (!exists && group != -1 && first < end && !a->suspended)
            clgrad_ref_fault(context, CLGRAD_FAULT_GROUP, i, group, group_count);
        first = end;
    }
    step_range(a, NULL, groups, first, a->count);
}
/* While an index fault waits for its report steps change nothing, but for a group's own, which has cost no
 * parameter its value. */
static bool is_suspended(const clgrad_context *context)
{
    return context->fault.kind != CLGRAD_FAULT_NONE && context->fault.kind != CLGRAD_FAULT_GROUP;
}

static clgrad_status step_groups(clgrad_context *context, const clgrad_optimizer *groups, size_t group_count,
                                 clgrad_tensor ranges, uint64_t step, clgrad_tensor gradient,
                                 clgrad_tensor parameters, clgrad_tensor state)
{
    clgrad_ref_arrays memory = {.context = context};
    const arrays a = {
        .step = step,
        .count = clgrad_tensor_count(parameters),
        .slots = clgrad_present(state) ? state.shape[0] : 0,
        .gradient = clgrad_ref_load(&memory, gradient),
        .parameters = clgrad_ref_load(&memory, parameters),
        .state = clgrad_ref_load(&memory, state),
        .suspended = is_suspended(context),
    };
    if (memory.status == CLGRAD_STATUS_SUCCESS) {
        if (clgrad_present(ranges))
            step_ranges(context, &a, groups, group_count, ranges);
        else
            step_range(&a, groups, groups, 0, a.count);
        clgrad_ref_store(a.parameters, parameters);
        clgrad_ref_store(a.state, state);
    }
    return clgrad_ref_arrays_free(&memory);
}

const clgrad_optimizer_functions clgrad_ref_optimizer_functions = {
    .step = step_groups,
};
