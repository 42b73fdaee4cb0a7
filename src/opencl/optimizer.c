#include "cl_backend.h"

static clgrad_status step(clgrad_context *context, const clgrad_optimizer *optimizer, uint64_t number,
                          clgrad_tensor gradient, clgrad_tensor parameters, clgrad_tensor state)
{
    const clgrad_optimizer_info *info = clgrad_optimizer_describe(optimizer->kind);
    const size_t n = clgrad_tensor_count(parameters);
    clgrad_cl_launch launch =
        clgrad_cl_begin(context, CLGRAD_CL_OPTIMIZER, "OPTIMIZER=opt_", info->name, "optimizer_step");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_count(&launch, number);
    clgrad_cl_give_count(&launch, clgrad_optimizer_slots(optimizer));
    clgrad_cl_give_tensor(&launch, gradient);
    clgrad_cl_give_tensor(&launch, parameters);
    clgrad_cl_give_tensor(&launch, state);
    clgrad_cl_give_parameters(&launch, info->parameters, optimizer);
    clgrad_cl_give_fault_read_only(&launch);
    clgrad_cl_over_elements(&launch, n);
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_optimizer_functions clgrad_cl_optimizer_functions = {.step = step};
