#include "cl_backend.h"

#include <string.h>

static clgrad_status allocate(clgrad_context *context, clgrad_buffer *buffer)
{
    cl_mem memory;
    clgrad_status status = clgrad_cl_create_memory(clgrad_cl(context), buffer->bytes, NULL, &memory);
    buffer->storage = memory;
    return status;
}

static void release(clgrad_context *context, clgrad_buffer *buffer)
{
    (void)context;
    clReleaseMemObject(buffer->storage);
}

static clgrad_status write(clgrad_context *context, clgrad_tensor tensor, const void *data)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const size_t size = clgrad_type_size(tensor.type);
    cl->base.counters.enqueues++, cl->base.counters.waits++;
    cl_int error = clEnqueueWriteBuffer(cl->queue, clgrad_cl_memory(tensor), CL_TRUE, tensor.offset * size,
                                        clgrad_bytes(tensor), data, 0, NULL, NULL);
    return error == CL_SUCCESS ? CLGRAD_STATUS_SUCCESS : clgrad_cl_fail(cl, error, "clEnqueueWriteBuffer");
}

/* The record of faults comes along, so that both together wait once. */
static clgrad_status read(clgrad_context *context, clgrad_tensor tensor, void *data)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const size_t size = clgrad_type_size(tensor.type);
    clgrad_status status = clgrad_cl_fetch_fault(cl);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    cl->base.counters.enqueues++, cl->base.counters.waits++;
    cl_int error = clEnqueueReadBuffer(cl->queue, clgrad_cl_memory(tensor), CL_TRUE, tensor.offset * size,
                                       clgrad_bytes(tensor), data, 0, NULL, NULL);
    return error == CL_SUCCESS ? clgrad_cl_keep_fault(cl) : clgrad_cl_fail(cl, error, "clEnqueueReadBuffer");
}

/* By a kernel of our own: what clEnqueueFillBuffer writes counts as uninitialised for oclgrind. */
static clgrad_status fill(clgrad_context *context, clgrad_tensor tensor, double value)
{
    const size_t n = clgrad_tensor_count(tensor);
    const cl_float number = (cl_float)value;
    const cl_int integer = tensor.type == CLGRAD_TYPE_INT32 ? (cl_int)value : 0;
    cl_uint word;
    memcpy(&word, tensor.type == CLGRAD_TYPE_INT32 ? (const void *)&integer : &number, sizeof word);
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_TENSOR, NULL, "tensor_fill");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_tensor(&launch, tensor);
    clgrad_cl_give_uint(&launch, word);
    clgrad_cl_over_elements(&launch, n);
    return clgrad_cl_enqueue(&launch, 1);
}

static clgrad_status copy(clgrad_context *context, clgrad_tensor source, clgrad_tensor destination)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const size_t size = clgrad_type_size(source.type);
    cl->base.counters.enqueues++;
    cl_int error = clEnqueueCopyBuffer(cl->queue, clgrad_cl_memory(source), clgrad_cl_memory(destination),
                                       source.offset * size, destination.offset * size, clgrad_bytes(source),
                                       0, NULL, NULL);
    return error == CL_SUCCESS ? CLGRAD_STATUS_SUCCESS : clgrad_cl_fail(cl, error, "clEnqueueCopyBuffer");
}

static clgrad_status axpby(clgrad_context *context, float alpha, clgrad_tensor x, float beta, clgrad_tensor y)
{
    const size_t n = clgrad_tensor_count(x);
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_TENSOR, NULL, "tensor_axpby");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_real(&launch, alpha);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_real(&launch, beta);
    clgrad_cl_give_tensor(&launch, y);
    clgrad_cl_over_elements(&launch, n);
    return clgrad_cl_enqueue(&launch, 1);
}

static clgrad_status gather(clgrad_context *context, clgrad_tensor source, clgrad_tensor indices,
                            clgrad_tensor destination)
{
    const cl_uint quiet_nan = 0x7fc00000;
    const size_t count = indices.shape[0], columns = clgrad_tensor_count(destination) / count;
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_TENSOR, NULL, "tensor_gather");
    clgrad_cl_give_count(&launch, count);
    clgrad_cl_give_count(&launch, columns);
    clgrad_cl_give_count(&launch, source.shape[0]);
    clgrad_cl_give_tensor(&launch, source);
    clgrad_cl_give_tensor(&launch, indices);
    clgrad_cl_give_tensor(&launch, destination);
    clgrad_cl_give_uint(&launch, source.type == CLGRAD_TYPE_FLOAT32 ? quiet_nan : 0);
    clgrad_cl_give_fault(&launch);
    clgrad_cl_over_matrix(&launch, columns, count);
    return clgrad_cl_enqueue(&launch, 1);
}

static clgrad_status look(clgrad_context *context, clgrad_tensor tensor, int32_t site)
{
    const size_t n = clgrad_tensor_count(tensor);
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_TENSOR, NULL, "tensor_look");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_tensor(&launch, tensor);
    clgrad_cl_give_int(&launch, site);
    clgrad_cl_give_fault(&launch);
    clgrad_cl_over_elements(&launch, clgrad_cl_cover(n, launch.cl->strip));
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_tensor_functions clgrad_cl_tensor_functions = {
    .allocate = allocate,
    .release = release,
    .write = write,
    .read = read,
    .fill = fill,
    .copy = copy,
    .axpby = axpby,
    .gather = gather,
    .look = look,
};
