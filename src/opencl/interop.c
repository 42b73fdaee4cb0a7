/*
 * clgrad on the caller's own OpenCL objects: include/clgrad/opencl.h.
 */
#include "cl_backend.h"

#include <stdlib.h>

clgrad_status clgrad_opencl_context_create(cl_command_queue queue, clgrad_context **context,
                                           clgrad_message *message)
{
    if (context != NULL)
        *context = NULL;
    if (context == NULL || queue == NULL)
        return clgrad_fail_message(message, CLGRAD_STATUS_INVALID_ARGUMENT,
                                   "opencl_context_create: %s is NULL",
                                   context == NULL ? "context" : "queue");
    cl_device_id id = NULL;
    cl_platform_id platform = NULL;
    cl_command_queue_properties properties = 0;
    cl_int error = clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof id, &id, NULL);
    if (error == CL_SUCCESS)
        error = clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL);
    if (error == CL_SUCCESS)
        error = clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
    if (error == CL_INVALID_COMMAND_QUEUE)
        return clgrad_fail_message(message, CLGRAD_STATUS_INVALID_ARGUMENT,
                                   "opencl_context_create: queue is not a command queue");
    if (error != CL_SUCCESS)
        return clgrad_fail_message(message, clgrad_cl_status(error),
                                   "opencl_context_create: the queue and its device cannot be asked: %s (%d)",
                                   clgrad_cl_error_name(error), error);
    if (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)
        return clgrad_fail_message(
            message, CLGRAD_STATUS_INVALID_ARGUMENT,
            "opencl_context_create: queue executes out of order, clgrad needs an in-order one");

    clgrad_cl_device device;
    clgrad_status status = clgrad_cl_find_device(platform, id, &device, message);
    return status == CLGRAD_STATUS_SUCCESS ? clgrad_cl_open(&device, queue, context, message) : status;
}

cl_command_queue clgrad_opencl_queue(const clgrad_context *context)
{
    return context != NULL && context->backend->context == clgrad_cl_backend.context
               ? ((const clgrad_cl_context *)context)->queue
               : NULL;
}

/* Once error is one nothing more is asked. */
static void ask(cl_int *error, cl_mem memory, cl_mem_info what, size_t size, void *answer)
{
    if (*error == CL_SUCCESS)
        *error = clGetMemObjectInfo(memory, what, size, answer, NULL);
}

clgrad_status clgrad_opencl_buffer_create(clgrad_context *context, cl_mem memory, clgrad_buffer **buffer)
{
    if (buffer != NULL)
        *buffer = NULL;
    if (context == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    if (buffer == NULL || memory == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_INVALID_ARGUMENT, "opencl_buffer_create: %s is NULL",
                           buffer == NULL ? "buffer" : "memory");
    if (clgrad_opencl_queue(context) == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_INVALID_CONTEXT,
                           "opencl_buffer_create: the context runs on \"%s\", not on OpenCL",
                           context->device.specification);

    cl_mem_object_type type = 0;
    cl_mem_flags flags = 0;
    cl_context owner = NULL;
    cl_mem parent = NULL;
    size_t bytes = 0, origin = 0;
    cl_int error = CL_SUCCESS;
    ask(&error, memory, CL_MEM_TYPE, sizeof type, &type);
    ask(&error, memory, CL_MEM_FLAGS, sizeof flags, &flags);
    ask(&error, memory, CL_MEM_CONTEXT, sizeof owner, &owner);
    ask(&error, memory, CL_MEM_SIZE, sizeof bytes, &bytes);
    ask(&error, memory, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof parent, &parent);
    ask(&error, memory, CL_MEM_OFFSET, sizeof origin, &origin);
    if (error != CL_SUCCESS && error != CL_INVALID_MEM_OBJECT)
        return clgrad_cl_fail(clgrad_cl(context), error, "opencl_buffer_create: clGetMemObjectInfo");
    if (error != CL_SUCCESS || type != CL_MEM_OBJECT_BUFFER)
        return clgrad_fail(context, CLGRAD_STATUS_INVALID_ARGUMENT,
                           "opencl_buffer_create: memory is not an OpenCL buffer");
    if (flags & (CL_MEM_READ_ONLY | CL_MEM_WRITE_ONLY))
        return clgrad_fail(
            context, CLGRAD_STATUS_INVALID_ARGUMENT,
            "opencl_buffer_create: memory was created %s, kernels must be able to read and write it",
            flags & CL_MEM_READ_ONLY ? "read-only" : "write-only");
    if (owner != clgrad_cl(context)->context)
        return clgrad_fail(context, CLGRAD_STATUS_INVALID_CONTEXT,
                           "opencl_buffer_create: memory belongs to another cl_context");

    clgrad_buffer *created = calloc(1, sizeof *created);
    if (created == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_MEMORY,
                           "opencl_buffer_create: the host is out of memory");
    error = clRetainMemObject(memory);
    if (error != CL_SUCCESS) {
        free(created);
        return clgrad_cl_fail(clgrad_cl(context), error, "opencl_buffer_create: clRetainMemObject");
    }
    *created = (clgrad_buffer){.context = context,
                               .bytes = bytes,
                               .storage = memory,
                               .borrowed = true,
                               .root = parent != NULL ? parent : memory,
                               .origin = parent != NULL ? origin : 0};
    clgrad_context_retain(context);
    *buffer = created;
    return CLGRAD_STATUS_SUCCESS;
}

cl_mem clgrad_opencl_memory(const clgrad_buffer *buffer)
{
    return buffer != NULL && clgrad_opencl_queue(buffer->context) != NULL ? buffer->storage : NULL;
}
