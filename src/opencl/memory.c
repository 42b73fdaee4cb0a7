/*
 * Memory that a context keeps for itself: scratch, and the record of faults.
 */
#include "opencl.h"

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
    *scratch = (clgrad_cl_scratch){memory, bytes};
    return CLGRAD_STATUS_SUCCESS;
}

/* Enqueue a read of the device's record of faults into the host's, where there may be something in it. */
clgrad_status clgrad_cl_fetch_fault(clgrad_cl_context *cl, clgrad_fault *fault)
{
    *fault = (clgrad_fault){0};
    if (!cl->fault_possible)
        return CLGRAD_STATUS_SUCCESS;
    cl_int error =
        clEnqueueReadBuffer(cl->queue, cl->fault, CL_FALSE, 0, sizeof *fault, fault, 0, NULL, NULL);
    return error == CL_SUCCESS ? CLGRAD_STATUS_SUCCESS : clgrad_cl_fail(cl, error, "clEnqueueReadBuffer");
}

/* The read has come back: keep what it brought and clear the device's record. */
clgrad_status clgrad_cl_keep_fault(clgrad_cl_context *cl, const clgrad_fault *fault)
{
    cl->fault_possible = false;
    if (fault->kind == CLGRAD_FAULT_NONE)
        return CLGRAD_STATUS_SUCCESS;
    cl->base.fault = *fault;
    const cl_int zero = 0;
    cl_int error =
        clEnqueueFillBuffer(cl->queue, cl->fault, &zero, sizeof zero, 0, sizeof *fault, 0, NULL, NULL);
    return error == CL_SUCCESS ? CLGRAD_STATUS_SUCCESS : clgrad_cl_fail(cl, error, "clEnqueueFillBuffer");
}
