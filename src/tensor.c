#include "check.h"

#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    size_t size;
} types[] = {
#define ROW(value, identifier, name, c_type) [value] = {#name, sizeof(c_type)},
    CLGRAD_TYPE_LIST(ROW)
#undef ROW
};

#define TYPE_COUNT (sizeof types / sizeof types[0])

const char *clgrad_type_name(clgrad_type type)
{
    return (size_t)type < TYPE_COUNT ? types[type].name : "unknown";
}

size_t clgrad_type_size(clgrad_type type)
{
    return (size_t)type < TYPE_COUNT ? types[type].size : 0;
}

/* ---- buffers ---- */

clgrad_status clgrad_buffer_create(clgrad_context *context, size_t bytes, clgrad_buffer **buffer)
{
    if (buffer != NULL)
        *buffer = NULL;
    clgrad_check check = clgrad_check_begin(context, "buffer_create");
    clgrad_check_pointer(&check, "buffer", buffer);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;

    clgrad_buffer *created = clgrad_buffer_shell(context, bytes);
    if (created == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_MEMORY, "buffer_create: the host is out of memory");
    clgrad_status status = context->backend->tensor->allocate(context, created);
    if (status != CLGRAD_STATUS_SUCCESS) {
        free(created);
        return status;
    }
    clgrad_context_retain(context);
    *buffer = created;
    return CLGRAD_STATUS_SUCCESS;
}

clgrad_buffer *clgrad_buffer_shell(clgrad_context *context, size_t bytes)
{
    clgrad_buffer *buffer = calloc(1, sizeof *buffer);
    if (buffer != NULL)
        *buffer = (clgrad_buffer){.context = context, .bytes = bytes};
    return buffer;
}

void clgrad_buffer_destroy(clgrad_buffer *buffer)
{
    if (buffer == NULL)
        return;
    clgrad_context *context = buffer->context;
    context->backend->tensor->release(context, buffer);
    free(buffer);
    clgrad_context_release(context);
}

size_t clgrad_buffer_bytes(const clgrad_buffer *buffer)
{
    return buffer != NULL ? buffer->bytes : 0;
}

/* ---- tensors as values ---- */

clgrad_tensor clgrad_tensor_none(void)
{
    return (clgrad_tensor){0};
}

clgrad_tensor clgrad_tensor_scalar(clgrad_buffer *buffer, size_t offset)
{
    return (clgrad_tensor){.buffer = buffer, .offset = offset, .type = CLGRAD_TYPE_FLOAT32};
}

clgrad_tensor clgrad_tensor_vector(clgrad_buffer *buffer, size_t offset, clgrad_type type, size_t count)
{
    return (clgrad_tensor){.buffer = buffer, .offset = offset, .type = type, .rank = 1, .shape = {count}};
}

clgrad_tensor clgrad_tensor_matrix(clgrad_buffer *buffer, size_t offset, size_t rows, size_t columns)
{
    return (clgrad_tensor){
        .buffer = buffer, .offset = offset, .type = CLGRAD_TYPE_FLOAT32, .rank = 2, .shape = {rows, columns}};
}

clgrad_tensor clgrad_tensor_rows(clgrad_tensor tensor, size_t first, size_t count)
{
    if (tensor.rank < 1 || tensor.rank > CLGRAD_TENSOR_MAX_RANK || first > tensor.shape[0] ||
        count > tensor.shape[0] - first)
        return clgrad_tensor_none();
    clgrad_tensor row = tensor;
    row.shape[0] = 1;
    size_t row_count = clgrad_tensor_count(row);
    if (row_count != 0 && first > (SIZE_MAX - tensor.offset) / row_count)
        return clgrad_tensor_none();
    tensor.offset += first * row_count;
    tensor.shape[0] = count;
    return tensor;
}

size_t clgrad_tensor_count(clgrad_tensor tensor)
{
    size_t count = 1;
    for (int i = 0; i < tensor.rank && i < CLGRAD_TENSOR_MAX_RANK; i++)
        if (tensor.shape[i] == 0)
            return 0;
    for (int i = 0; i < tensor.rank && i < CLGRAD_TENSOR_MAX_RANK; i++) {
        if (count > SIZE_MAX / tensor.shape[i])
            return SIZE_MAX;
        count *= tensor.shape[i];
    }
    return count;
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
                           "tensor_create: the byte count of a tensor of %d dimensions overflows", rank);
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
