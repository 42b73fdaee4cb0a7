#include "cl_loss.h"

#include <stdio.h>

/* As in kernels/loss_whole.cl. */
enum { SUMS_PER_GROUP = 3 };

/* One of the two kernels that the list's row names. */
static clgrad_cl_launch begin(const clgrad_cl_loss_call *call, const char *part)
{
    char name[64];
    snprintf(name, sizeof name, "loss_%s_%s", call->info->name, part);
    clgrad_cl_options options = {0};
    clgrad_cl_define_number(&options, "ABREAST", call->cl->is_cpu ? 64 : 1);
    return clgrad_cl_begin(call->context, CLGRAD_CL_LOSS_WHOLE, &options, name);
}

/* Sums by group, and what follows from them: the gradient by as many groups, or the value alone by one. */
clgrad_status clgrad_cl_loss_whole(const clgrad_cl_loss_call *call)
{
    const clgrad_cl_division shares = clgrad_cl_share_out(call->cl, call->terms);
    clgrad_status status = clgrad_cl_reserve_sums(call->cl, SUMS_PER_GROUP * shares.groups);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    const cl_mem scratch = call->cl->sum_scratch.memory;

    clgrad_cl_launch sums = begin(call, "sums");
    clgrad_cl_give_count(&sums, call->terms);
    clgrad_cl_give_count(&sums, shares.share);
    clgrad_cl_give_tensor(&sums, call->inputs.prediction);
    clgrad_cl_give_tensor(&sums, call->inputs.target);
    clgrad_cl_give_memory(&sums, scratch, 0);
    clgrad_cl_over_groups(&sums, shares.groups);

    clgrad_cl_launch results = begin(call, "results");
    clgrad_cl_give_count(&results, call->terms);
    clgrad_cl_give_count(&results, shares.share);
    clgrad_cl_give_int(&results, call->wants);
    clgrad_cl_give_count(&results, shares.groups);
    clgrad_cl_give_memory(&results, scratch, 0);
    clgrad_cl_give_tensor(&results, call->inputs.prediction);
    clgrad_cl_give_tensor(&results, call->inputs.target);
    clgrad_cl_give_tensor(&results, call->dvalue);
    clgrad_cl_give_tensor(&results, call->value);
    clgrad_cl_give_tensor(&results, call->gradients.dprediction);
    clgrad_cl_over_groups(&results, call->wants & WANT_GRADIENT ? shares.groups : 1);
    return clgrad_cl_enqueue((clgrad_cl_launch[]){sums, results}, 2);
}
