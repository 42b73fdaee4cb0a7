#include "cl_backend.h"

/* As in kernels/optimizer.cl. */
typedef struct group_options {
    cl_float8 options, derived;
} group_options;

static group_options make_options(const clgrad_optimizer *optimizer, uint64_t step)
{
    group_options made;
    clgrad_parameters_pack(clgrad_optimizer_describe(optimizer->kind)->parameters, optimizer, made.options.s);
    clgrad_cl_optimizer_derive(optimizer, step, made.derived.s);
    return made;
}

static clgrad_status step(clgrad_context *context, const clgrad_optimizer *groups, size_t group_count,
                          clgrad_tensor ranges, uint64_t number, clgrad_tensor gradient,
                          clgrad_tensor parameters, clgrad_tensor state)
{
    const bool in_groups = clgrad_present(ranges);
    const size_t n = clgrad_tensor_count(parameters);
    const size_t slots = clgrad_present(state) ? state.shape[0] : 0;
    clgrad_cl_options built = {0};
    clgrad_cl_define_as(&built, "OPTIMIZER", "opt_", clgrad_optimizer_describe(groups->kind)->name);
    clgrad_cl_define_number(&built, "SLOTS", slots);
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_OPTIMIZER, &built,
                                              in_groups ? "optimizer_step_groups" : "optimizer_step");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_int(&launch, number == 1);
    clgrad_cl_give_tensor(&launch, gradient);
    clgrad_cl_give_tensor(&launch, parameters);
    clgrad_cl_give_tensor(&launch, state);
    group_options options[CLGRAD_OPTIMIZER_MAX_GROUPS] = {0};
    for (size_t i = 0; i < group_count; i++)
        options[i] = make_options(&groups[i], number);
    if (in_groups) {
        clgrad_cl_give_value(&launch, sizeof options, options);
        clgrad_cl_give_int(&launch, (cl_int)group_count);
        clgrad_cl_give_tensor(&launch, ranges);
        clgrad_cl_give_count(&launch, ranges.shape[0]);
        clgrad_cl_give_fault(&launch);
    } else {
        clgrad_cl_give_value(&launch, sizeof options->options, &options->options);
        clgrad_cl_give_value(&launch, sizeof options->derived, &options->derived);
        clgrad_cl_give_fault_read_only(&launch);
    }
    clgrad_cl_over_elements(&launch, in_groups ? clgrad_cl_cover(n, launch.cl->strip) : n);
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_optimizer_functions clgrad_cl_optimizer_functions = {.step = step};
