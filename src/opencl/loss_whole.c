#include "cl_loss.h"

#include <stdio.h>

/* As in kernels/loss_whole.cl. */
enum { SUMS_PER_GROUP = 3 };

/* One of the three kernels that the list's row names. */
static clgrad_cl_launch begin(const clgrad_cl_loss_call *call, const char *part)
{
    char name[64];
    snprintf(name, sizeof name, "loss_%s_%s", call->info->name, part);
    return clgrad_cl_begin(call->context, CLGRAD_CL_LOSS_WHOLE, NULL, NULL, name);
}

/* Sums by group, the value of those, and the gradient, which reads the value. */
clgrad_status clgrad_cl_loss_whole(const clgrad_cl_loss_call *call)
{
    /* Room for the value, where the caller does not want it, and the sums behind it. */
    const clgrad_cl_division shares = clgrad_cl_share_out(call->cl, call->terms);
    clgrad_status status = clgrad_cl_reserve_sums(call->cl, 1 + SUMS_PER_GROUP * shares.groups);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    const cl_mem scratch = call->cl->sum_scratch.memory;
    const bool wants_value = clgrad_present(call->value);
    const cl_mem value = wants_value ? clgrad_cl_memory(call->value) : scratch;
    const size_t value_offset = wants_value ? call->value.offset : 0;

    clgrad_cl_launch sums = begin(call, "sums");
    clgrad_cl_give_count(&sums, call->terms);
    clgrad_cl_give_count(&sums, shares.share);
    clgrad_cl_give_tensor(&sums, call->inputs.prediction);
    clgrad_cl_give_tensor(&sums, call->inputs.target);
    clgrad_cl_give_memory(&sums, scratch, 1);
    clgrad_cl_over_groups(&sums, shares.groups);

    clgrad_cl_launch whole = begin(call, "value");
    clgrad_cl_give_count(&whole, shares.groups);
    clgrad_cl_give_memory(&whole, scratch, 1);
    clgrad_cl_give_count(&whole, call->terms);
    clgrad_cl_give_memory(&whole, value, value_offset);
    clgrad_cl_over_groups(&whole, 1);
    if (!(call->wants & WANT_GRADIENT))
        return clgrad_cl_enqueue((clgrad_cl_launch[]){sums, whole}, 2);

    clgrad_cl_launch gradient = begin(call, "gradient");
    clgrad_cl_give_count(&gradient, call->terms);
    clgrad_cl_give_int(&gradient, call->wants);
    clgrad_cl_give_tensor(&gradient, call->inputs.prediction);
    clgrad_cl_give_tensor(&gradient, call->inputs.target);
    clgrad_cl_give_memory(&gradient, value, value_offset);
    clgrad_cl_give_tensor(&gradient, call->dvalue);
    clgrad_cl_give_tensor(&gradient, call->gradients.dprediction);
    clgrad_cl_over_elements(&gradient, call->terms);
    return clgrad_cl_enqueue((clgrad_cl_launch[]){sums, whole, gradient}, 3);
}
