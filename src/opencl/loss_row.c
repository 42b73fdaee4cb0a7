#include "cl_loss.h"

#include <stdio.h>

/* Numbers for a row's class that the kernel keeps for itself: multilabel_margin, see
 * kernels/loss_row_margin.cl. */
static size_t workspace_per_class(const clgrad_cl_loss_call *call)
{
    return call->loss->kind == CLGRAD_LOSS_MULTILABEL_MARGIN ? 2 : 0;
}

/* The kernel that the list's row names. */
static clgrad_cl_launch prepare_rows(const clgrad_cl_loss_call *call, cl_mem values, size_t values_at,
                                     size_t workspace_at)
{
    char name[64];
    snprintf(name, sizeof name, "loss_%s", call->info->name);
    /* A CPU's work-item takes a row of its own; on a GPU neighbours read neighbouring classes. */
    const size_t lanes = clgrad_cl_row_lanes(call->cl, call->classes);

    clgrad_cl_launch launch = clgrad_cl_begin(call->context, CLGRAD_CL_LOSS_ROW, NULL, name);
    clgrad_cl_give_count(&launch, call->terms);
    clgrad_cl_give_count(&launch, call->classes);
    clgrad_cl_give_count(&launch, lanes);
    clgrad_cl_give_int(&launch, values != NULL ? call->wants | WANT_VALUES : call->wants);
    clgrad_cl_give_real(&launch, call->term_scale);
    clgrad_cl_give_parameters(&launch, call->info->parameters, call->loss);
    clgrad_cl_give_tensor(&launch, call->inputs.prediction);
    clgrad_cl_give_tensor(&launch, call->inputs.target);
    clgrad_cl_give_tensor(&launch, call->inputs.other);
    clgrad_cl_give_tensor(&launch, call->inputs.weight);
    clgrad_cl_give_memory(&launch, values, values_at);
    clgrad_cl_give_tensor(&launch, call->dvalue);
    clgrad_cl_give_tensor(&launch, call->gradients.dprediction);
    clgrad_cl_give_tensor(&launch, call->gradients.dtarget);
    clgrad_cl_give_tensor(&launch, call->gradients.dother);
    clgrad_cl_give_real(&launch, call->total_scale);
    clgrad_cl_give_memory(&launch, call->cl->sum_scratch.memory, workspace_at);
    clgrad_cl_give_fault(&launch);
    clgrad_cl_over_groups(&launch, clgrad_cl_cover(call->terms, call->cl->group_size / lanes));
    return launch;
}

/* One launch for the rows, and one to add them up. Scratch holds the rows' values and the workspace. */
clgrad_status clgrad_cl_loss_rows(const clgrad_cl_loss_call *call)
{
    const bool adds_up = call->wants & WANT_TOTAL;
    const size_t workspace_at = adds_up ? call->terms : 0;
    const size_t numbers = workspace_at + workspace_per_class(call) * call->terms * call->classes;
    clgrad_status status =
        adds_up || numbers > 0 ? clgrad_cl_reserve_sums(call->cl, numbers) : CLGRAD_STATUS_SUCCESS;
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    cl_mem values = NULL;
    if (adds_up)
        values = call->cl->sum_scratch.memory;
    else if (call->wants & WANT_VALUES)
        values = clgrad_cl_memory(call->value);
    clgrad_cl_launch launches[2] = {
        prepare_rows(call, values, adds_up ? 0 : call->value.offset, workspace_at)};
    if (adds_up)
        launches[1] =
            clgrad_cl_prepare_total(call->context, values, call->terms, call->value, call->total_scale);
    return clgrad_cl_enqueue(launches, adds_up ? 2 : 1);
}
