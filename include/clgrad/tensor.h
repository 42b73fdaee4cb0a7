/**
 * @file tensor.h
 * Device memory (clgrad_buffer, an owned handle) and dense row-major arrays in it (clgrad_tensor, a
 * small value that owns nothing). Many tensors may lie in one buffer.
 */
#ifndef CLGRAD_TENSOR_H
#define CLGRAD_TENSOR_H

#include <clgrad/context.h>

#ifdef __cplusplus
extern "C" {
#endif

/** X(value, identifier, name, C type). Values never change; new ones are appended. */
#define CLGRAD_TYPE_LIST(X)       \
    X(0, FLOAT32, float32, float) \
    X(1, INT32, int32, int32_t)

/** Types of elements: the list's rows. */
typedef enum clgrad_type {
#define CLGRAD_TYPE_ENUM(value, identifier, name, c_type) CLGRAD_TYPE_##identifier = value,
    CLGRAD_TYPE_LIST(CLGRAD_TYPE_ENUM)
#undef CLGRAD_TYPE_ENUM
} clgrad_type;

/** The type's name, "float32" say; "unknown" for a value not in the list. */
CLGRAD_API const char *clgrad_type_name(clgrad_type type);

/** Bytes of one element; 0 for a value not in the list. */
CLGRAD_API size_t clgrad_type_size(clgrad_type type);

/** Device memory, owned. */
typedef struct clgrad_buffer clgrad_buffer;

/**
 * Allocate device memory. Its contents are undefined.
 *
 * @param bytes   may be 0
 * @param buffer  receives the buffer; NULL after a failure
 * @return SUCCESS; INVALID_ARGUMENT (NULL); OUT_OF_DEVICE_MEMORY (also when the device allows no
 *         single allocation of that size); OUT_OF_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_buffer_create(clgrad_context *context, size_t bytes, clgrad_buffer **buffer);

/** Free a buffer once the work enqueued on it is done. NULL is accepted. */
CLGRAD_API void clgrad_buffer_destroy(clgrad_buffer *buffer);

/** The size that the buffer was created with, in bytes; 0 for NULL. */
CLGRAD_API size_t clgrad_buffer_bytes(const clgrad_buffer *buffer);

/** The largest number of dimensions. */
#define CLGRAD_TENSOR_MAX_RANK 8

/**
 * A row-major array in a buffer, of as many elements as the buffer holds: also beyond 2^31. (Indices into a
 * tensor, for clgrad_tensor_gather and losses, are int32.) Made by the functions below or field by field;
 * every call checks the tensors it is given.
 */
typedef struct clgrad_tensor {
    clgrad_buffer *buffer; /**< NULL: an absent tensor, accepted where the documentation says so */
    size_t offset;         /**< of the first element, counted in elements */
    clgrad_type type;      /**< of the elements */
    int rank;              /**< 0 (one number) to CLGRAD_TENSOR_MAX_RANK */
    size_t shape[CLGRAD_TENSOR_MAX_RANK]; /**< the first rank entries; the first dimension is the batch */
} clgrad_tensor;

/** An absent tensor, for optional arguments. */
CLGRAD_API clgrad_tensor clgrad_tensor_none(void);

/** A float32 tensor of rank 0: one number at an offset (in elements). */
CLGRAD_API clgrad_tensor clgrad_tensor_scalar(clgrad_buffer *buffer, size_t offset);

/** A tensor of shape [count] at an offset (in elements). */
CLGRAD_API clgrad_tensor clgrad_tensor_vector(clgrad_buffer *buffer, size_t offset, clgrad_type type,
                                              size_t count);

/** A float32 tensor of shape [rows, columns] at an offset (in elements). */
CLGRAD_API clgrad_tensor clgrad_tensor_matrix(clgrad_buffer *buffer, size_t offset, size_t rows,
                                              size_t columns);

/**
 * The entries first to first + count - 1 of the first dimension. Beyond the end of the tensor, or for
 * rank 0, an absent tensor, which the call it is handed to refuses.
 */
CLGRAD_API clgrad_tensor clgrad_tensor_rows(clgrad_tensor tensor, size_t first, size_t count);

/** Number of elements: the product of the shape, 1 for rank 0; SIZE_MAX where that overflows. */
CLGRAD_API size_t clgrad_tensor_count(clgrad_tensor tensor);

/**
 * Allocate a buffer of exactly the size of one tensor and describe it. Free it with
 * clgrad_buffer_destroy(tensor->buffer).
 *
 * @param shape   rank entries; may be NULL when rank is 0
 * @param tensor  receives the tensor; absent after a failure
 * @return as clgrad_buffer_create; INVALID_ARGUMENT (rank); INVALID_TYPE; OUT_OF_RANGE (the byte
 *         count overflows)
 */
CLGRAD_API clgrad_status clgrad_tensor_create(clgrad_context *context, clgrad_type type, int rank,
                                              const size_t *shape, clgrad_tensor *tensor);

/**
 * @name Moving data
 * All return, besides what they name:
 * INVALID_ARGUMENT (NULL, an absent tensor, a rank outside 0 to 8), INVALID_TYPE, INVALID_CONTEXT,
 * OUT_OF_RANGE (the tensor reaches past the end of its buffer), BUILD_FAILED, OUT_OF_DEVICE_MEMORY,
 * OUT_OF_MEMORY, DEVICE_ERROR.
 * @{
 */

/**
 * Copy from host memory into a tensor. Waits until the host memory may be reused.
 *
 * @param bytes  size of data; must be the tensor's: INVALID_SHAPE otherwise
 */
CLGRAD_API clgrad_status clgrad_tensor_write(clgrad_context *context, clgrad_tensor tensor, const void *data,
                                             size_t bytes);

/**
 * Copy a tensor into host memory. Waits for everything enqueued before it.
 *
 * @param bytes  size of data; must be the tensor's: INVALID_SHAPE otherwise
 * @return also INVALID_INDEX and NOT_FINITE, as clgrad_context_finish; data has been filled then
 */
CLGRAD_API clgrad_status clgrad_tensor_read(clgrad_context *context, clgrad_tensor tensor, void *data,
                                            size_t bytes);

/** Set every element to value; for an int32 tensor value must be an int32 (INVALID_ARGUMENT). */
CLGRAD_API clgrad_status clgrad_tensor_fill(clgrad_context *context, clgrad_tensor tensor, double value);

/**
 * Copy source into destination. Same type and same shape; INVALID_SHAPE otherwise. The two may not
 * overlap unless they are the same (INVALID_ARGUMENT).
 */
CLGRAD_API clgrad_status clgrad_tensor_copy(clgrad_context *context, clgrad_tensor source,
                                            clgrad_tensor destination);

/**
 * y = alpha x + beta y, as BLAS and oneMKL name it: gradients are added up with it. Where beta is 0, what y
 * held does not matter, not even NaN. float32 of one shape; x and y may not overlap.
 *
 * Accuracy: each product and the sum are rounded once (some devices round the sum and one product together).
 */
CLGRAD_API clgrad_status clgrad_tensor_axpby(clgrad_context *context, float alpha, clgrad_tensor x,
                                             float beta, clgrad_tensor y);

/**
 * Gather rows: destination[i, ...] = source[indices[i], ...], as PyTorch's index_select(0) does: how
 * a shuffled batch is taken from a data set that lies on the device.
 *
 * @param source       shape [rows, ...]
 * @param indices      int32, shape [count]; an index outside 0 to rows - 1 gives a row of NaN (0 for an
 *                     int32 source) and is reported later, see clgrad_context_finish
 * @param destination  shape [count, ...], source's type; may overlap neither source nor indices
 * @return also INVALID_SHAPE
 */
CLGRAD_API clgrad_status clgrad_tensor_gather(clgrad_context *context, clgrad_tensor source,
                                              clgrad_tensor indices, clgrad_tensor destination);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
