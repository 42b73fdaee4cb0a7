/*
 * Memory that a context keeps for itself: scratch, and the record of faults.
 */
#include "cl_backend.h"

void clgrad_cl_release_memory(cl_mem memory)
{
    if (memory != NULL)
        clReleaseMemObject(memory);
}

clgrad_status clgrad_cl_reserve(clgrad_cl_context *cl, clgrad_cl_scratch *scratch, size_t bytes)
{
    if (bytes <= scratch->bytes)
        return CLGRAD_STATUS_SUCCESS;
    cl_int error = CL_SUCCESS;
    cl_mem memory = clCreateBuffer(cl->context, CL_MEM_READ_WRITE, bytes, NULL, &error);
    if (error != CL_SUCCESS)
        return clgrad_cl_fail(cl, error, "clCreateBuffer");
    /* What is enqueued keeps the old memory alive until it is done. */
    clgrad_cl_release_memory(scratch->memory);
    cl->base.counters.allocations++;
    cl->base.counters.allocated_bytes += bytes - scratch->bytes;
    *scratch = (clgrad_cl_scratch){memory, bytes};
    return CLGRAD_STATUS_SUCCESS;
}

clgrad_status clgrad_cl_fetch_fault(clgrad_cl_context *cl)
{
    if (!cl->fault_possible)
        return CLGRAD_STATUS_SUCCESS;
    cl->base.counters.enqueues++;
    cl_int error = clEnqueueReadBuffer(cl->queue, cl->fault, CL_FALSE, 0, sizeof cl->fetched, cl->fetched, 0,
                                       NULL, NULL);
    return error == CL_SUCCESS ? CLGRAD_STATUS_SUCCESS : clgrad_cl_fail(cl, error, "clEnqueueReadBuffer");
}

/*
 * The record counts as read only once it is clear again: else it would go on suspending without ever being
 * told. Of two faults the one that suspends is told.
 */
clgrad_status clgrad_cl_keep_fault(clgrad_cl_context *cl)
{
    static const clgrad_fault none[2] = {{0}};
    if (!cl->fault_possible)
        return CLGRAD_STATUS_SUCCESS;
    const clgrad_fault *found = cl->fetched[0].kind != CLGRAD_FAULT_NONE ? &cl->fetched[0] : &cl->fetched[1];
    if (found->kind != CLGRAD_FAULT_NONE) {
        cl->base.counters.enqueues++;
        cl_int error =
            clEnqueueWriteBuffer(cl->queue, cl->fault, CL_FALSE, 0, sizeof none, none, 0, NULL, NULL);
        if (error != CL_SUCCESS)
            return clgrad_cl_fail(cl, error, "clEnqueueWriteBuffer");
    }
    cl->base.fault = *found;
    cl->fault_possible = false;
    return CLGRAD_STATUS_SUCCESS;
}
