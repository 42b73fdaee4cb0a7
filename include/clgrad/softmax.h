/**
 * @file softmax.h
 * Softmax, softmin and log-softmax over the last dimension.
 */
#ifndef CLGRAD_SOFTMAX_H
#define CLGRAD_SOFTMAX_H

#include <clgrad/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * X(value, identifier, name, bound, formula, gradient, source)
 *
 * - bound: of the error of y and of dx, see below.
 * - formula, gradient: sums run over the last dimension.
 *
 * Values never change; new rows are appended.
 */
#define CLGRAD_SOFTMAX_LIST(X)                                                                          \
    X(0, SOFTMAX, softmax, 128.0f, "exp(x) / sum exp(x)", "y (dy - sum dy y)", "PyTorch nn.Softmax")    \
    X(1, SOFTMIN, softmin, 128.0f, "exp(-x) / sum exp(-x)", "-y (dy - sum dy y)", "PyTorch nn.Softmin") \
    X(2, LOG_SOFTMAX, log_softmax, 128.0f, "x - log(sum exp(x))", "dy - exp(y) sum dy",                 \
      "PyTorch nn.LogSoftmax; Blanchard, Higham, Higham 2021")

/** The softmaxes: the list's rows. */
typedef enum clgrad_softmax_kind {
#define CLGRAD_SOFTMAX_ENUM(value, identifier, ...) CLGRAD_SOFTMAX_##identifier = value,
    CLGRAD_SOFTMAX_LIST(CLGRAD_SOFTMAX_ENUM)
#undef CLGRAD_SOFTMAX_ENUM
} clgrad_softmax_kind;

/** How many there are. */
enum {
#define CLGRAD_SOFTMAX_ONE(...) +1
    CLGRAD_SOFTMAX_COUNT = 0 CLGRAD_SOFTMAX_LIST(CLGRAD_SOFTMAX_ONE) /**< rows of the list */
#undef CLGRAD_SOFTMAX_ONE
};

/** What the list says of one kind. */
typedef struct clgrad_softmax_info {
    const char *name;                        /**< "log_softmax" */
    float bound;                             /**< on the error, see below */
    const char *formula, *gradient, *source; /**< in words */
} clgrad_softmax_info;

/** The list's row for a kind, or NULL for a value not in the list. */
CLGRAD_API const clgrad_softmax_info *clgrad_softmax_describe(clgrad_softmax_kind kind);

/** Find a kind by its name in the list. False, and kind unchanged, when there is none. */
CLGRAD_API bool clgrad_softmax_parse(const char *name, clgrad_softmax_kind *kind);

/**
 * @name Forward and backward
 * Shapes: float32 of rank 1 and more, all of one shape, with at least one element in the last dimension. The
 * backward pass needs the output alone, so that the input need not be kept.
 *
 * Special values: -inf is a class of probability 0 (softmin: +inf); a row with an infinity of the other sign,
 * with nothing but such, or with NaN becomes NaN. log_softmax's smallest results are exact differences, not
 * logarithms of 0.
 *
 * Accuracy, u = 2^-24: y within bound u of the exact value, relatively, but for log_softmax relative to the
 * larger of |y| and the difference of the row's largest x and x; dx within bound u times the sum of the
 * absolute values of its terms. Sums are taken in an order that depends only on the shape and the device.
 *
 * All return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor that is not optional, a number outside its
 * interval, a forbidden overlap); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE; BUILD_FAILED;
 * OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 * @{
 */

/** y = the kind's formula over the last dimension. y may be x itself, but not overlap it otherwise. */
CLGRAD_API clgrad_status clgrad_softmax_forward(clgrad_context *context, clgrad_softmax_kind kind,
                                                clgrad_tensor x, clgrad_tensor y);

/** dx, from the forward pass's y and from dy. dx may be y or dy itself, but not overlap them otherwise. */
CLGRAD_API clgrad_status clgrad_softmax_backward(clgrad_context *context, clgrad_softmax_kind kind,
                                                 clgrad_tensor y, clgrad_tensor dy, clgrad_tensor dx);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
