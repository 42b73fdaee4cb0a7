#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

clgrad_check clgrad_check_begin(clgrad_context *context, const char *call)
{
    return (clgrad_check){context, call,
                          context != NULL ? CLGRAD_STATUS_SUCCESS : CLGRAD_STATUS_INVALID_ARGUMENT};
}

void clgrad_check_fail(clgrad_check *check, clgrad_status status, const char *format, ...)
{
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    check->status = clgrad_fail(check->context, status, "%s: %s", check->call, text);
}

void clgrad_check_pointer(clgrad_check *check, const char *name, const void *pointer)
{
    if (pointer == NULL)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "%s is NULL", name);
}

clgrad_shape_text clgrad_write_shape(int rank, const size_t *shape)
{
    clgrad_shape_text result = {"["};
    for (int i = 0; i < rank; i++) {
        size_t used = strlen(result.text);
        snprintf(result.text + used, sizeof result.text - used, i == 0 ? "%zu" : ", %zu", shape[i]);
    }
    strcat(result.text, "]");
    return result;
}

bool clgrad_has_shape(clgrad_tensor tensor, int rank, const size_t *shape)
{
    return tensor.rank == rank &&
           (rank == 0 || memcmp(tensor.shape, shape, (size_t)rank * sizeof *shape) == 0);
}

/* The tensor lies inside its buffer; written so that no sum or product overflows. */
static bool fits(clgrad_tensor tensor)
{
    size_t count = clgrad_tensor_count(tensor);
    size_t room = tensor.buffer->bytes / clgrad_type_size(tensor.type);
    return count != SIZE_MAX && tensor.offset <= room && count <= room - tensor.offset;
}

void clgrad_check_tensor_any_type(clgrad_check *check, const char *name, clgrad_tensor tensor)
{
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    if (tensor.buffer == NULL)
        clgrad_check_fail(
            check, CLGRAD_STATUS_INVALID_ARGUMENT,
            "%s is absent (it has no buffer; clgrad_tensor_rows beyond the last row gives such a one)", name);
    else if (tensor.rank < 0 || tensor.rank > CLGRAD_TENSOR_MAX_RANK)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "%s has rank %d, it must be 0 to %d", name,
                          tensor.rank, CLGRAD_TENSOR_MAX_RANK);
    else if (clgrad_type_size(tensor.type) == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_TYPE, "%s has the unknown element type %d", name,
                          (int)tensor.type);
    else if (tensor.buffer->context != check->context)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_CONTEXT, "%s lies in a buffer of another context",
                          name);
    else if (!fits(tensor))
        clgrad_check_fail(check, CLGRAD_STATUS_OUT_OF_RANGE,
                          "%s has shape %s at offset %zu, but its buffer holds %zu elements", name,
                          clgrad_write_shape(tensor.rank, tensor.shape).text, tensor.offset,
                          tensor.buffer->bytes / clgrad_type_size(tensor.type));
}

void clgrad_check_tensor(clgrad_check *check, const char *name, clgrad_tensor tensor, clgrad_type type,
                         int rank)
{
    clgrad_check_tensor_any_type(check, name, tensor);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    if (tensor.type != type)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_TYPE, "%s is %s, it must be %s", name,
                          clgrad_type_name(tensor.type), clgrad_type_name(type));
    else if (rank != CLGRAD_ANY_RANK && tensor.rank != rank)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "%s has shape %s, it must have %d dimension%s",
                          name, clgrad_write_shape(tensor.rank, tensor.shape).text, rank,
                          rank == 1 ? "" : "s");
}

void clgrad_check_shape(clgrad_check *check, const char *name, clgrad_tensor tensor, clgrad_type type,
                        int rank, const size_t *shape)
{
    clgrad_check_tensor(check, name, tensor, type, CLGRAD_ANY_RANK);
    if (check->status == CLGRAD_STATUS_SUCCESS && !clgrad_has_shape(tensor, rank, shape))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "%s has shape %s, it must have shape %s", name,
                          clgrad_write_shape(tensor.rank, tensor.shape).text,
                          clgrad_write_shape(rank, shape).text);
}

void clgrad_check_rank(clgrad_check *check, const char *name, clgrad_tensor tensor, int minimum, int maximum,
                       const char *dimensions)
{
    if (check->status == CLGRAD_STATUS_SUCCESS && (tensor.rank < minimum || tensor.rank > maximum))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                          "%s has shape %s, it must have %s%d dimension%s, %s", name,
                          clgrad_write_shape(tensor.rank, tensor.shape).text,
                          minimum < maximum ? "at least " : "", minimum, minimum == 1 ? "" : "s", dimensions);
}

/* Whether a shape's dimensions, aligned at the last, are each 1 or the other's. */
static bool stretches(clgrad_tensor tensor, clgrad_tensor other)
{
    const int missing = other.rank - tensor.rank;
    bool fine = missing >= 0;
    for (int i = 0; fine && i < tensor.rank; i++)
        fine = tensor.shape[i] == 1 || tensor.shape[i] == other.shape[missing + i];
    return fine;
}

void clgrad_check_broadcast(clgrad_check *check, const char *name, clgrad_tensor tensor,
                            const char *other_name, clgrad_tensor other)
{
    clgrad_check_tensor(check, name, tensor, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    if (check->status == CLGRAD_STATUS_SUCCESS && !stretches(tensor, other))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                          "%s has shape %s, which does not stretch to %s's shape %s", name,
                          clgrad_write_shape(tensor.rank, tensor.shape).text, other_name,
                          clgrad_write_shape(other.rank, other.shape).text);
}

void clgrad_check_same_shape(clgrad_check *check, const char *name, clgrad_tensor tensor,
                             const char *other_name, clgrad_tensor other)
{
    if (check->status == CLGRAD_STATUS_SUCCESS && !clgrad_has_shape(tensor, other.rank, other.shape))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "%s has shape %s, but %s has shape %s", name,
                          clgrad_write_shape(tensor.rank, tensor.shape).text, other_name,
                          clgrad_write_shape(other.rank, other.shape).text);
}

void clgrad_check_like(clgrad_check *check, const char *name, clgrad_tensor tensor, const char *other_name,
                       clgrad_tensor other)
{
    clgrad_check_tensor(check, name, tensor, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    clgrad_check_same_shape(check, name, tensor, other_name, other);
}

bool clgrad_same_place(clgrad_tensor a, clgrad_tensor b)
{
    return a.buffer != NULL && b.buffer != NULL && a.buffer->root == b.buffer->root &&
           a.buffer->origin == b.buffer->origin && a.offset == b.offset && a.type == b.type &&
           clgrad_tensor_count(a) == clgrad_tensor_count(b);
}

static bool overlap(clgrad_tensor a, clgrad_tensor b)
{
    if (a.buffer == NULL || b.buffer == NULL || a.buffer->root != b.buffer->root)
        return false;
    size_t a_first = a.buffer->origin + a.offset * clgrad_type_size(a.type),
           a_end = a_first + clgrad_bytes(a);
    size_t b_first = b.buffer->origin + b.offset * clgrad_type_size(b.type),
           b_end = b_first + clgrad_bytes(b);
    return a_first < b_end && b_first < a_end && a_first < a_end && b_first < b_end;
}

void clgrad_check_apart(clgrad_check *check, const char *name, clgrad_tensor tensor, const char *other_name,
                        clgrad_tensor other)
{
    if (check->status == CLGRAD_STATUS_SUCCESS && overlap(tensor, other))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "%s overlaps %s", name, other_name);
}

void clgrad_check_apart_or_same(clgrad_check *check, const char *name, clgrad_tensor tensor,
                                const char *other_name, clgrad_tensor other)
{
    if (!clgrad_same_place(tensor, other))
        clgrad_check_apart(check, name, tensor, other_name, other);
}

void clgrad_check_all_apart(clgrad_check *check, const clgrad_named_tensor *outputs, size_t output_count,
                            const clgrad_named_tensor *inputs, size_t input_count)
{
    for (size_t i = 0; i < output_count; i++) {
        for (size_t j = 0; j < input_count; j++)
            clgrad_check_apart(check, outputs[i].name, outputs[i].tensor, inputs[j].name, inputs[j].tensor);
        for (size_t j = 0; j < i; j++)
            clgrad_check_apart(check, outputs[i].name, outputs[i].tensor, outputs[j].name, outputs[j].tensor);
    }
}

void clgrad_check_scalar(clgrad_check *check, const char *name, clgrad_tensor tensor)
{
    clgrad_check_tensor(check, name, tensor, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    if (check->status == CLGRAD_STATUS_SUCCESS && (tensor.rank > 1 || clgrad_tensor_count(tensor) != 1))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                          "%s has shape %s, it must be one number (shape [] or [1])", name,
                          clgrad_write_shape(tensor.rank, tensor.shape).text);
}
