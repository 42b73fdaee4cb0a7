/*
 * Storage in host memory, moving data about in it, and the way between float32 storage and double arrays.
 */
#include "reference.h"

#include "../internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* An array and the one made before it, in one allocation. */
struct clgrad_ref_array {
    struct clgrad_ref_array *next;
    double values[];
};

void *clgrad_ref_data(clgrad_tensor tensor)
{
    return (char *)tensor.buffer->storage + tensor.offset * clgrad_type_size(tensor.type);
}

double *clgrad_ref_allocate(clgrad_ref_arrays *arrays, clgrad_tensor tensor)
{
    if (!clgrad_present(tensor) || arrays->status != CLGRAD_STATUS_SUCCESS)
        return NULL;
    size_t count = clgrad_tensor_count(tensor);
    struct clgrad_ref_array *array = NULL;
    if (count <= (SIZE_MAX - sizeof *array) / sizeof(double))
        array = malloc(sizeof *array + count * sizeof(double));
    if (array == NULL) {
        arrays->status = clgrad_fail(arrays->context, CLGRAD_STATUS_OUT_OF_MEMORY,
                                     "reference: no memory for %zu double-precision values", count);
        return NULL;
    }
    array->next = arrays->first;
    arrays->first = array;
    return array->values;
}

double *clgrad_ref_load(clgrad_ref_arrays *arrays, clgrad_tensor tensor)
{
    double *values = clgrad_ref_allocate(arrays, tensor);
    if (values == NULL)
        return NULL;
    const float *data = clgrad_ref_data(tensor);
    size_t count = clgrad_tensor_count(tensor);
    for (size_t i = 0; i < count; i++)
        values[i] = data[i];
    return values;
}

void clgrad_ref_store(const double *values, clgrad_tensor tensor)
{
    if (!clgrad_present(tensor))
        return;
    float *data = clgrad_ref_data(tensor);
    size_t count = clgrad_tensor_count(tensor);
    for (size_t i = 0; i < count; i++)
        data[i] = (float)values[i];
}

clgrad_status clgrad_ref_arrays_free(clgrad_ref_arrays *arrays)
{
    while (arrays->first != NULL) {
        struct clgrad_ref_array *next = arrays->first->next;
        free(arrays->first);
        arrays->first = next;
    }
    return arrays->status;
}

static clgrad_status tensor_allocate(clgrad_context *context, clgrad_buffer *buffer)
{
    buffer->storage = malloc(buffer->bytes > 0 ? buffer->bytes : 1); /* never NULL for an empty buffer */
    if (buffer->storage == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY,
                           "reference: no memory for a buffer of %zu bytes", buffer->bytes);
    return CLGRAD_STATUS_SUCCESS;
}

static void tensor_release(clgrad_context *context, clgrad_buffer *buffer)
{
    (void)context;
    free(buffer->storage);
    buffer->storage = NULL;
}

static clgrad_status tensor_write(clgrad_context *context, clgrad_tensor tensor, const void *data)
{
    (void)context;
    memcpy(clgrad_ref_data(tensor), data, clgrad_bytes(tensor));
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_status tensor_read(clgrad_context *context, clgrad_tensor tensor, void *data)
{
    (void)context;
    memcpy(data, clgrad_ref_data(tensor), clgrad_bytes(tensor));
    return CLGRAD_STATUS_SUCCESS;
}

static void fill_float32(float *data, size_t count, float value)
{
    for (size_t i = 0; i < count; i++)
        data[i] = value;
}

static void fill_int32(int32_t *data, size_t count, int32_t value)
{
    for (size_t i = 0; i < count; i++)
        data[i] = value;
}

static clgrad_status tensor_fill(clgrad_context *context, clgrad_tensor tensor, double value)
{
    (void)context;
    size_t count = clgrad_tensor_count(tensor);
    switch (tensor.type) {
    case CLGRAD_TYPE_FLOAT32:
        fill_float32(clgrad_ref_data(tensor), count, (float)value);
        break;
    case CLGRAD_TYPE_INT32:
        fill_int32(clgrad_ref_data(tensor), count, (int32_t)value);
        break;
    }
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_status tensor_copy(clgrad_context *context, clgrad_tensor source, clgrad_tensor destination)
{
    (void)context;
    memcpy(clgrad_ref_data(destination), clgrad_ref_data(source), clgrad_bytes(source));
    return CLGRAD_STATUS_SUCCESS;
}

/* BLAS's extension ?axpby: y = alpha x + beta y, y unread where beta is 0. */
static clgrad_status tensor_axpby(clgrad_context *context, float alpha, clgrad_tensor x, float beta,
                                  clgrad_tensor y)
{
    (void)context;
    const float *from = clgrad_ref_data(x);
    float *to = clgrad_ref_data(y);
    size_t count = clgrad_tensor_count(x);
    for (size_t i = 0; i < count; i++) {
        double kept = beta == 0 ? 0 : (double)beta * (double)to[i];
        to[i] = (float)((double)alpha * (double)from[i] + kept);
    }
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_status tensor_gather(clgrad_context *context, clgrad_tensor source, clgrad_tensor indices,
                                   clgrad_tensor destination)
{
    const int32_t *index = clgrad_ref_data(indices);
    size_t count = indices.shape[0];
    size_t rows = source.shape[0];
    for (size_t i = 0; i < count; i++) {
        clgrad_tensor to = clgrad_tensor_rows(destination, i, 1);
        if (index[i] >= 0 && (size_t)index[i] < rows) {
            clgrad_tensor from = clgrad_tensor_rows(source, (size_t)index[i], 1);
            memcpy(clgrad_ref_data(to), clgrad_ref_data(from), clgrad_bytes(from));
        } else {
            clgrad_ref_fault(context, CLGRAD_FAULT_ROW, i, index[i], rows);
            tensor_fill(context, to, to.type == CLGRAD_TYPE_FLOAT32 ? (double)NAN : 0.0);
        }
    }
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_status tensor_look(clgrad_context *context, clgrad_tensor tensor, int32_t site)
{
    const float *data = clgrad_ref_data(tensor);
    const size_t count = clgrad_tensor_count(tensor);
    size_t i = 0;
    while (i < count && isfinite(data[i]))
        i++;
    int32_t bits;
    if (i < count) {
        memcpy(&bits, &data[i], sizeof bits);
        clgrad_ref_fault(context, CLGRAD_FAULT_ANOMALY, i, bits, (size_t)site);
    }
    return CLGRAD_STATUS_SUCCESS;
}

const clgrad_tensor_functions clgrad_ref_tensor_functions = {
    .allocate = tensor_allocate,
    .release = tensor_release,
    .write = tensor_write,
    .read = tensor_read,
    .fill = tensor_fill,
    .copy = tensor_copy,
    .axpby = tensor_axpby,
    .gather = tensor_gather,
    .look = tensor_look,
};
