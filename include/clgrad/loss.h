/**
 * @file loss.h
 * Loss functions: the value, the gradient with respect to the prediction, or both in one go.
 */
#ifndef CLGRAD_LOSS_H
#define CLGRAD_LOSS_H

#include <clgrad/parameter.h>
#include <clgrad/tensor.h>

#include <float.h>

#ifdef __cplusplus
extern "C" {
#endif

/** X(value, identifier, name). Values never change; new ones are appended. */
#define CLGRAD_REDUCTION_LIST(X) \
    X(0, NONE, none)             \
    X(1, MEAN, mean)             \
    X(2, SUM, sum)

typedef enum clgrad_reduction {
#define CLGRAD_REDUCTION_ENUM(value, identifier, name) CLGRAD_REDUCTION_##identifier = value,
    CLGRAD_REDUCTION_LIST(CLGRAD_REDUCTION_ENUM)
#undef CLGRAD_REDUCTION_ENUM
} clgrad_reduction;

/** The reduction's name, "mean" say; "unknown" for a value not in the list. */
CLGRAD_API const char *clgrad_reduction_name(clgrad_reduction reduction);

/** Find a reduction by its name. False, and reduction unchanged, when there is none. */
CLGRAD_API bool clgrad_reduction_parse(const char *name, clgrad_reduction *reduction);

/** What one number of the unreduced loss covers. */
typedef enum clgrad_loss_extent {
    CLGRAD_LOSS_ELEMENT =
        0, /**< one element: `none` has the prediction's shape, `mean` divides by the number of elements */
    CLGRAD_LOSS_ROW = 1,  /**< one row [classes]: `none` has shape [batch], `mean` divides by the batch */
    CLGRAD_LOSS_WHOLE = 2 /**< the whole tensor: one number whatever the reduction */
} clgrad_loss_extent;

/** P(type, field, default, minimum, maximum), one line for each parameter of a row. */
#define CLGRAD_LOSS_NO_PARAMETERS(P)
#define CLGRAD_LOSS_ALPHA_PARAMETERS(P) P(NUMBER, alpha, 0.5f, 0.0f, 1.0f)

/**
 * The list of losses, with p the prediction and t the target.
 *
 * X(value, identifier, name, PARAMETERS, extent, bound, formula, gradient, source)
 *
 * What the prediction is: for cross_entropy logits (the last layer's activation is identity), for kl_div
 * log-probabilities, for bce, bce_balanced, kl_div_probability and cross_entropy_probability probabilities
 * (bce: sigmoid), for the others any numbers.
 *
 * - formula, gradient: of the unreduced loss; for a row, sums run over the row's classes.
 * - bound: see "Accuracy" below.
 *
 * Values never change; new rows are appended.
 */
#define CLGRAD_LOSS_LIST(X)                                                                               \
    X(0, MSE, mse, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, 32.0f, "(p - t)^2", "2 (p - t)",                   \
      "PyTorch nn.MSELoss")                                                                               \
    X(1, L2, l2, CLGRAD_LOSS_NO_PARAMETERS, WHOLE, 32.0f, "sqrt(sum (p - t)^2 / n)",                      \
      "(p - t) / (n loss); 0 where the loss is 0", "root mean square error; DLMF 3.11(v)")                \
    X(2, L1, l1, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, 32.0f, "|p - t|", "sign(p - t), 0 where p = t",      \
      "PyTorch nn.L1Loss")                                                                                \
    X(3, KL_DIV, kl_div, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, 32.0f, "t (log t - p); 0 where t = 0", "-t", \
      "PyTorch nn.KLDivLoss; Kullback and Leibler 1951")                                                  \
    X(4, KL_DIV_PROBABILITY, kl_div_probability, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, 32.0f,               \
      "t (log t - log p); 0 where t = 0", "-t / p; 0 where t = 0", "Kullback and Leibler 1951")           \
    X(5, CROSS_ENTROPY_PROBABILITY, cross_entropy_probability, CLGRAD_LOSS_NO_PARAMETERS, ROW, 32.0f,     \
      "-sum t log p, terms with t = 0 left out", "-t / p; 0 where t = 0",                                 \
      "Goodfellow, Bengio, Courville, Deep Learning, 2016, section 3.13")                                 \
    X(6, BCE, bce, CLGRAD_LOSS_NO_PARAMETERS, ELEMENT, 32.0f,                                             \
      "-(t log p + (1 - t) log(1 - p)), logarithms at least -100", "(p - t) / max(p (1 - p), 1e-12)",     \
      "PyTorch nn.BCELoss")                                                                               \
    X(7, BCE_BALANCED, bce_balanced, CLGRAD_LOSS_ALPHA_PARAMETERS, ELEMENT, 32.0f,                        \
      "-(alpha t log p + (1 - alpha) (1 - t) log(1 - p)), logarithms at least -100",                      \
      "((1 - alpha) (1 - t) p - alpha t (1 - p)) / max(p (1 - p), 1e-12)",                                \
      "Xie and Tu, Holistically-Nested Edge Detection, 2015, equation 2")                                 \
    X(8, CROSS_ENTROPY, cross_entropy, CLGRAD_LOSS_NO_PARAMETERS, ROW, 128.0f,                            \
      "sum t (log(sum exp p) - p); t one-hot for a class index", "softmax(p) sum t - t",                  \
      "PyTorch nn.CrossEntropyLoss; Blanchard, Higham, Higham 2021")

typedef enum clgrad_loss_kind {
#define CLGRAD_LOSS_ENUM(value, identifier, ...) CLGRAD_LOSS_##identifier = value,
    CLGRAD_LOSS_LIST(CLGRAD_LOSS_ENUM)
#undef CLGRAD_LOSS_ENUM
} clgrad_loss_kind;

enum {
#define CLGRAD_LOSS_ONE(...) +1
    CLGRAD_LOSS_COUNT = 0 CLGRAD_LOSS_LIST(CLGRAD_LOSS_ONE) /**< rows of the list */
#undef CLGRAD_LOSS_ONE
};

/** A loss, its reduction and its parameters. Fields that its kind does not list are ignored. */
typedef struct clgrad_loss {
    clgrad_loss_kind kind;
    clgrad_reduction reduction;
    float alpha; /**< bce_balanced: weight of the positive term; 1 - alpha is the negative's */
} clgrad_loss;

/** What the list says of one loss. */
typedef struct clgrad_loss_info {
    const char *name;
    const clgrad_parameter *parameters; /**< ends with a NULL name */
    clgrad_loss_extent extent;
    float bound;
    const char *formula, *gradient, *source;
} clgrad_loss_info;

/** The list's row for a kind, or NULL for a value not in the list. */
CLGRAD_API const clgrad_loss_info *clgrad_loss_describe(clgrad_loss_kind kind);

/** Find a kind by its name in the list. False, and kind unchanged, when there is none. */
CLGRAD_API bool clgrad_loss_parse(const char *name, clgrad_loss_kind *kind);

/** The loss with reduction mean and every parameter at its default. */
CLGRAD_API clgrad_loss clgrad_loss_defaults(clgrad_loss_kind kind);

/*
 * The three calls below.
 *
 * Shapes: prediction is float32: any shape for ELEMENT and WHOLE losses, [batch, classes] for ROW
 * losses, with at least one class. target is float32 of the prediction's shape; for cross_entropy also int32
 * of shape [batch], a class index for each row. value is float32, of rank 0 or shape [1] for mean, sum and
 * WHOLE losses, and as clgrad_loss_extent says for none.
 *
 * A class index outside 0 to classes - 1 makes the row's loss and its gradient (and so the reduced
 * loss) NaN and is reported later, see clgrad_context_finish.
 *
 * Empty predictions: none gives an empty value, sum gives 0, mean gives NaN as PyTorch has it; l2
 * of nothing is NaN.
 *
 * Special values: NaN in prediction or target gives NaN in the element's (row's) loss and gradient;
 * bce outside 0 <= p <= 1 and logarithms of negative numbers give NaN; a logit of -inf is a class of
 * probability 0; a logit of +inf, or a row of nothing but -inf, gives NaN; so does all of l2's
 * gradient at an infinite distance, and l1 between equal infinities.
 *
 * Accuracy, u = 2^-24: a value or a gradient element differs from the exact one by at most bound * u times
 * the sum of the absolute values of its terms. Those are the products that the list's formula adds or
 * subtracts: t log t and t p (or t log p) for the divergences, the two products in bce_balanced's gradient,
 * and for cross_entropy's gradient with soft targets softmax_i (sum t - t_i) and t_i (1 - softmax_i);
 * elsewhere there is but one, or all have one sign, and the error is relative. (cross_entropy's bound is
 * larger since rounding an exponent of up to 104 moves its exponential by as many u.) Besides, every number
 * below the smallest normal one, 2^-126, that occurs on the way loses up to 2^-149, or all of itself where
 * the device flushes denormals; in a mean of n terms these are terms below n 2^-126. Sums are taken in an
 * order that depends only on the shape and the device.
 *
 * All return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor that is not optional, a parameter
 * outside its interval, an unknown kind or reduction, an output that overlaps an input or another
 * output); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE; BUILD_FAILED;
 * OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 */

/** value = loss(prediction, target), reduced. */
CLGRAD_API clgrad_status clgrad_loss_forward(clgrad_context *context, const clgrad_loss *loss,
                                             clgrad_tensor prediction, clgrad_tensor target,
                                             clgrad_tensor value);

/**
 * dprediction = the gradient of the reduced loss with respect to the prediction, times dvalue.
 *
 * @param dvalue       the upstream gradient, of the shape that value would have; absent: all ones
 * @param dprediction  the prediction's shape; may be prediction itself
 */
CLGRAD_API clgrad_status clgrad_loss_backward(clgrad_context *context, const clgrad_loss *loss,
                                              clgrad_tensor prediction, clgrad_tensor target,
                                              clgrad_tensor dvalue, clgrad_tensor dprediction);

/** Both at once, for the cost of little more than one; the upstream gradient is all ones. */
CLGRAD_API clgrad_status clgrad_loss_forward_backward(clgrad_context *context, const clgrad_loss *loss,
                                                      clgrad_tensor prediction, clgrad_tensor target,
                                                      clgrad_tensor value, clgrad_tensor dprediction);

#ifdef __cplusplus
}
#endif

#endif
