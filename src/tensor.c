#include "check.h"

#include <stdlib.h>
#include <string.h>

/* ---- buffers ---- */

clgrad_status clgrad_buffer_create(clgrad_context *context, size_t bytes, clgrad_buffer **buffer)
{
    if (buffer != NULL)
        *buffer = NULL;
    clgrad_check check = clgrad_check_begin(context, "buffer_create");
    clgrad_check_pointer(&check, "buffer", buffer);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;

    clgrad_buffer *created = calloc(1, sizeof *created);
    if (created == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_MEMORY, "buffer_create: the host is out of memory");
    *created = (clgrad_buffer){.context = context, .bytes = bytes};
    clgrad_status status = context->backend->tensor->allocate(context, created);
    if (status != CLGRAD_STATUS_SUCCESS) {
        free(created);
        return status;
    }
    created->root = created->storage;
    context->counters.allocations++;
    context->counters.allocated_bytes += bytes;
    clgrad_context_retain(context);
    *buffer = created;
    return CLGRAD_STATUS_SUCCESS;
}

void clgrad_buffer_destroy(clgrad_buffer *buffer)
{
    if (buffer == NULL)
        return;
    clgrad_context *context = buffer->context;
    context->backend->tensor->release(context, buffer);
    if (!buffer->borrowed)
        context->counters.allocated_bytes -= buffer->bytes;
    free(buffer);
    clgrad_context_release(context);
}

size_t clgrad_buffer_bytes(const clgrad_buffer *buffer)
{
    return buffer != NULL ? buffer->bytes : 0;
}

clgrad_status clgrad_tensor_create(clgrad_context *context, clgrad_type type, int rank, const size_t *shape,
                                   clgrad_tensor *tensor)
{
    if (tensor != NULL)
        *tensor = clgrad_tensor_none();
    clgrad_check check = clgrad_check_begin(context, "tensor_create");
    clgrad_check_pointer(&check, "tensor", tensor);
    if (rank < 0 || rank > CLGRAD_TENSOR_MAX_RANK)
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT, "the rank is %d, it must be 0 to %d", rank,
                          CLGRAD_TENSOR_MAX_RANK);
    if (rank > 0)
        clgrad_check_pointer(&check, "shape", shape);
    if (clgrad_type_size(type) == 0)
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_TYPE, "the element type %d is unknown", (int)type);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;

    clgrad_tensor created = {.type = type, .rank = rank};
    if (rank > 0)
        memcpy(created.shape, shape, (size_t)rank * sizeof *shape);
    size_t count = clgrad_tensor_count(created);
    if (count > SIZE_MAX / clgrad_type_size(type))
        return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_RANGE,
                           "tensor_create: the byte count of shape %s overflows",
                           clgrad_write_shape(rank, shape).text);
    clgrad_status status = clgrad_buffer_create(context, count * clgrad_type_size(type), &created.buffer);
    if (status == CLGRAD_STATUS_SUCCESS)
        *tensor = created;
    return status;
}

/* ---- moving data ---- */

static void check_host(clgrad_check *check, clgrad_tensor tensor, const void *data, size_t bytes)
{
    clgrad_check_tensor_any_type(check, "tensor", tensor);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    if (bytes != clgrad_bytes(tensor))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "data has %zu bytes, but the tensor has %zu",
                          bytes, clgrad_bytes(tensor));
    if (bytes > 0)
        clgrad_check_pointer(check, "data", data);
}

clgrad_status clgrad_tensor_write(clgrad_context *context, clgrad_tensor tensor, const void *data,
                                  size_t bytes)
{
    clgrad_check check = clgrad_check_begin(context, "tensor_write");
    check_host(&check, tensor, data, bytes);
    if (check.status != CLGRAD_STATUS_SUCCESS || bytes == 0)
        return check.status;
    return context->backend->tensor->write(context, tensor, data);
}

clgrad_status clgrad_tensor_read(clgrad_context *context, clgrad_tensor tensor, void *data, size_t bytes)
{
    clgrad_check check = clgrad_check_begin(context, "tensor_read");
    check_host(&check, tensor, data, bytes);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    if (bytes == 0)
        return clgrad_context_finish(context);
    clgrad_status status = context->backend->tensor->read(context, tensor, data);
    return status == CLGRAD_STATUS_SUCCESS ? clgrad_context_report_fault(context) : status;
}

clgrad_status clgrad_tensor_fill(clgrad_context *context, clgrad_tensor tensor, double value)
{
    clgrad_check check = clgrad_check_begin(context, "tensor_fill");
    clgrad_check_tensor_any_type(&check, "tensor", tensor);
    if (check.status == CLGRAD_STATUS_SUCCESS && tensor.type == CLGRAD_TYPE_INT32 &&
        !(value >= INT32_MIN && value <= INT32_MAX && value == (double)(int32_t)value))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT, "%g is not an int32", value);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(tensor) == 0)
        return check.status;
    return context->backend->tensor->fill(context, tensor, value);
}

clgrad_status clgrad_tensor_copy(clgrad_context *context, clgrad_tensor source, clgrad_tensor destination)
{
    clgrad_check check = clgrad_check_begin(context, "tensor_copy");
    clgrad_check_tensor_any_type(&check, "source", source);
    clgrad_check_tensor(&check, "destination", destination, source.type, CLGRAD_ANY_RANK);
    clgrad_check_same_shape(&check, "destination", destination, "source", source);
    clgrad_check_apart_or_same(&check, "destination", destination, "source", source);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(source) == 0 ||
        clgrad_same_place(source, destination))
        return check.status;
    return context->backend->tensor->copy(context, source, destination);
}

clgrad_status clgrad_tensor_axpby(clgrad_context *context, float alpha, clgrad_tensor x, float beta,
                                  clgrad_tensor y)
{
    clgrad_check check = clgrad_check_begin(context, "tensor_axpby");
    clgrad_check_tensor(&check, "x", x, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_like(&check, "y", y, "x", x);
    clgrad_check_apart(&check, "y", y, "x", x);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(x) == 0)
        return check.status;
    return context->backend->tensor->axpby(context, alpha, x, beta, y);
}

clgrad_status clgrad_tensor_gather(clgrad_context *context, clgrad_tensor source, clgrad_tensor indices,
                                   clgrad_tensor destination)
{
    clgrad_check check = clgrad_check_begin(context, "tensor_gather");
    clgrad_check_tensor_any_type(&check, "source", source);
    clgrad_check_tensor(&check, "indices", indices, CLGRAD_TYPE_INT32, 1);
    if (check.status == CLGRAD_STATUS_SUCCESS && source.rank == 0)
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_SHAPE, "source is a single number, it has no rows");
    if (check.status == CLGRAD_STATUS_SUCCESS) {
        clgrad_tensor gathered = source;
        gathered.shape[0] = indices.shape[0];
        clgrad_check_shape(&check, "destination", destination, source.type, gathered.rank, gathered.shape);
    }
    clgrad_check_apart(&check, "destination", destination, "source", source);
    clgrad_check_apart(&check, "destination", destination, "indices", indices);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(destination) == 0)
        return check.status;
    return context->backend->tensor->gather(context, source, indices, destination);
}
