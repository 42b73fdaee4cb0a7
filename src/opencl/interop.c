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
    if (clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof id, &id, NULL) != CL_SUCCESS ||
        clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL) !=
            CL_SUCCESS ||
        clGetDeviceInfo(id, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL) != CL_SUCCESS)
        return clgrad_fail_message(message, CLGRAD_STATUS_INVALID_ARGUMENT,
                                   "opencl_context_create: queue is not a command queue");
    if (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)
        return clgrad_fail_message(
            message, CLGRAD_STATUS_INVALID_ARGUMENT,
            "opencl_context_create: queue executes out of order, clgrad needs an in-order one");

    clgrad_cl_device device;
    clgrad_cl_find_device(platform, id, &device);
    return clgrad_cl_open(&device, queue, context, message);
}

cl_command_queue clgrad_opencl_queue(const clgrad_context *context)
{
    return context != NULL && context->backend->context == clgrad_cl_backend.context
               ? ((const clgrad_cl_context *)context)->queue
               : NULL;
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
    size_t bytes = 0;
    if (clGetMemObjectInfo(memory, CL_MEM_TYPE, sizeof type, &type, NULL) != CL_SUCCESS ||
        clGetMemObjectInfo(memory, CL_MEM_FLAGS, sizeof flags, &flags, NULL) != CL_SUCCESS ||
        clGetMemObjectInfo(memory, CL_MEM_CONTEXT, sizeof owner, &owner, NULL) != CL_SUCCESS ||
        clGetMemObjectInfo(memory, CL_MEM_SIZE, sizeof bytes, &bytes, NULL) != CL_SUCCESS ||
        type != CL_MEM_OBJECT_BUFFER)
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
    clRetainMemObject(memory);
    *created = (clgrad_buffer){
        .context = context, .bytes = bytes, .storage = memory, .borrowed = true, .root = memory};
    cl_mem parent = NULL;
    clGetMemObjectInfo(memory, CL_MEM_ASSOCIATED_MEMOBJECT, sizeof parent, &parent, NULL);
    if (parent != NULL) {
        clGetMemObjectInfo(memory, CL_MEM_OFFSET, sizeof created->origin, &created->origin, NULL);
        created->root = parent;
    }
    clgrad_context_retain(context);
    *buffer = created;
    return CLGRAD_STATUS_SUCCESS;
}

cl_mem clgrad_opencl_memory(const clgrad_buffer *buffer)
{
    return buffer != NULL && clgrad_opencl_queue(buffer->context) != NULL ? buffer->storage : NULL;
}
