/*
 * Sums that take more than one launch: room for their parts, and the launch that ends them.
 */
#include "cl_backend.h"

clgrad_status clgrad_cl_reserve_sums(clgrad_cl_context *cl, size_t numbers)
{
    /* What cannot be counted is more than any device has. */
    const size_t most = SIZE_MAX / sizeof(cl_float), kept = numbers < most ? numbers : most;
    return clgrad_cl_reserve(cl, &cl->sum_scratch, (kept > 0 ? kept : 1) * sizeof(cl_float));
}

clgrad_cl_launch clgrad_cl_prepare_total(clgrad_context *context, cl_mem numbers, size_t count,
                                         clgrad_tensor result, double scale)
{
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_TOTAL, NULL, "total");
    clgrad_cl_give_count(&launch, count);
    clgrad_cl_give_memory(&launch, numbers, 0);
    clgrad_cl_give_tensor(&launch, result);
    clgrad_cl_give_real(&launch, scale);
    clgrad_cl_over_groups(&launch, 1);
    return launch;
}
