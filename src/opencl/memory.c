/*
 * Memory that a context keeps for itself: scratch, and the record of faults.
 */
#include "cl_backend.h"

void clgrad_cl_release_memory(cl_mem memory)
{
    if (memory != NULL)
        clReleaseMemObject(memory);
}

clgrad_status clgrad_cl_create_memory(clgrad_cl_context *cl, size_t bytes, const void *contents,
                                      cl_mem *memory)
{
    const cl_mem_flags flags = CL_MEM_READ_WRITE | (contents != NULL ? CL_MEM_COPY_HOST_PTR : 0);
    cl_ulong largest = 0;
    cl_int error = CL_SUCCESS;
    *memory = NULL;
    clgrad_cl_ask(&error, cl->device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest);
    if (error != CL_SUCCESS)
        return clgrad_cl_fail(cl, error, "clGetDeviceInfo");
    error = CL_INVALID_BUFFER_SIZE;
    if (bytes <= largest)
        *memory =
            clCreateBuffer(cl->context, flags, bytes > 0 ? bytes : 1, (void *)(uintptr_t)contents, &error);
    if (error == CL_SUCCESS)
        return CLGRAD_STATUS_SUCCESS;
    *memory = NULL;
    /* The device's resources, which a kernel may want too, are memory here. */
    if (clgrad_cl_status(error) != CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY && error != CL_OUT_OF_RESOURCES)
        return clgrad_cl_fail(cl, error, "clCreateBuffer");
    return clgrad_fail(
        &cl->base, CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY,
        "%s has no room for a buffer of %zu bytes (it allows %llu in one buffer and has %llu in "
        "all): %s (%d)",
        cl->base.device.name, bytes, (unsigned long long)largest, (unsigned long long)cl->base.device.memory,
        clgrad_cl_error_name(error), error);
}

clgrad_status clgrad_cl_reserve(clgrad_cl_context *cl, clgrad_cl_scratch *scratch, size_t bytes)
{
    if (bytes <= scratch->bytes)
        return CLGRAD_STATUS_SUCCESS;
    cl_mem memory;
    clgrad_status status = clgrad_cl_create_memory(cl, bytes, NULL, &memory);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
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
