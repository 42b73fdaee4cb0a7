/*
 * Element types, and tensors as values: no memory is touched here.
 */
#include "internal.h"

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
