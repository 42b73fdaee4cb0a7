/*
 * What the losses of every shape share: room between launches, and the end of a sum.
 */
#include "cl_loss.h"

clgrad_cl_launch clgrad_cl_loss_prepare_total(const clgrad_cl_loss_call *call, cl_mem numbers, size_t count)
{
    clgrad_cl_launch launch = clgrad_cl_begin(call->context, CLGRAD_CL_LOSS, NULL, NULL, "loss_total");
    clgrad_cl_give_count(&launch, count);
    clgrad_cl_give_memory(&launch, numbers, 0);
    clgrad_cl_give_tensor(&launch, call->value);
    clgrad_cl_give_real(&launch, call->total_scale);
    clgrad_cl_over_groups(&launch, 1);
    return launch;
}

clgrad_status clgrad_cl_loss_reserve(const clgrad_cl_loss_call *call, size_t numbers)
{
    return clgrad_cl_reserve(call->cl, &call->cl->sum_scratch,
                             (numbers > 0 ? numbers : 1) * sizeof(cl_float));
}
