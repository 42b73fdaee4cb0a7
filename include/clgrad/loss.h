/**
 * @file loss.h
 * Loss functions: the value, the gradients with respect to whatever can be differentiated, or both in one go.
 */
#ifndef CLGRAD_LOSS_H
#define CLGRAD_LOSS_H

#include <clgrad/loss_list.h>
#include <clgrad/parameter.h>
#include <clgrad/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/** X(value, identifier, name). Values never change; new ones are appended. */
#define CLGRAD_REDUCTION_LIST(X) \
    X(0, NONE, none)             \
    X(1, MEAN, mean)             \
    X(2, SUM, sum)               \
    X(3, BATCHMEAN, batchmean)

/** What becomes of the numbers of the unreduced loss. batchmean is for the kl_div losses: the sum over the
 * first dimension's size. */
typedef enum clgrad_reduction {
#define CLGRAD_REDUCTION_ENUM(value, identifier, name) CLGRAD_REDUCTION_##identifier = value,
    CLGRAD_REDUCTION_LIST(CLGRAD_REDUCTION_ENUM)
#undef CLGRAD_REDUCTION_ENUM
} clgrad_reduction;

/** The reduction's name, "mean" say; "unknown" for a value not in the list. */
CLGRAD_API const char *clgrad_reduction_name(clgrad_reduction reduction);

/** Find a reduction by its name. False, and reduction unchanged, when there is none. */
CLGRAD_API bool clgrad_reduction_parse(const char *name, clgrad_reduction *reduction);

/** The losses: the list's rows. */
typedef enum clgrad_loss_kind {
#define CLGRAD_LOSS_ENUM(value, identifier, ...) CLGRAD_LOSS_##identifier = value,
    CLGRAD_LOSS_LIST(CLGRAD_LOSS_ENUM)
#undef CLGRAD_LOSS_ENUM
} clgrad_loss_kind;

/** How many there are. */
enum {
#define CLGRAD_LOSS_ONE(...) +1
    CLGRAD_LOSS_COUNT = 0 CLGRAD_LOSS_LIST(CLGRAD_LOSS_ONE) /**< rows of the list */
#undef CLGRAD_LOSS_ONE
};

/** A loss, its reduction and its parameters. Fields that its kind does not list are ignored. */
typedef struct clgrad_loss {
    clgrad_loss_kind kind;      /**< which row of the list */
    clgrad_reduction reduction; /**< what becomes of the numbers of the unreduced loss */
    float alpha; /**< bce_balanced, sigmoid_focal: weight of the positive term; 1 - alpha is the negative's */
    float gamma; /**< sigmoid_focal, focal: how far easy examples are played down */
    float beta;  /**< smooth_l1: where the parabola ends */
    float delta; /**< huber: where the parabola ends */
    float margin; /**< of the margin, triplet and embedding losses */
    float eps;    /**< poisson_nll, gaussian_nll, triplet_margin: keeps a logarithm or a root away from 0 */
    float smooth; /**< dice: added to both sides of the fraction */
    float label_smoothing; /**< cross_entropy: the share of the target that is spread over all classes */
    int32_t ignore_index;  /**< cross_entropy, nll, focal: the class index that does not count */
    int32_t p;             /**< multi_margin, triplet_margin: the power, the norm (whole numbers alone) */
    int32_t distance;      /**< triplet_margin_with_distance: a clgrad_distance */
    int32_t blank;         /**< ctc: the class that stands for no label */
    bool log_target;       /**< kl_div: the target is a log-probability too */
    bool log_input;        /**< poisson_nll: the prediction is the logarithm of the rate */
    bool full;             /**< poisson_nll, gaussian_nll: include the constant terms */
    bool swap;             /**< the triplet losses: the distance swap */
    bool zero_infinity;    /**< ctc: an infinite loss, and its gradient, become 0 */
    uint64_t reserved[6];  /**< 0; room for later versions (docs/abi.md) */
} clgrad_loss;

/** What a loss's prediction is. */
typedef enum clgrad_loss_input {
    CLGRAD_LOSS_NUMBER = 0,         /**< any number */
    CLGRAD_LOSS_LOGIT = 1,          /**< a score, which a sigmoid or a softmax makes a probability */
    CLGRAD_LOSS_PROBABILITY = 2,    /**< from 0 to 1 */
    CLGRAD_LOSS_LOG_PROBABILITY = 3 /**< its logarithm */
} clgrad_loss_input;

/** What the list says of one loss. */
typedef struct clgrad_loss_info {
    const char *name;                        /**< "cross_entropy" */
    const clgrad_parameter *parameters;      /**< ends with a NULL name */
    clgrad_loss_extent extent;               /**< what one number of the unreduced loss covers */
    unsigned flags;                          /**< CLGRAD_LOSS_TAKES_... | CLGRAD_LOSS_GIVES_... */
    clgrad_loss_input input;                 /**< what the prediction is */
    float bound;                             /**< on the error, see "Evaluating" */
    const char *formula, *gradient, *source; /**< in words */
} clgrad_loss_info;

/** The list's row for a kind, or NULL for a value not in the list. */
CLGRAD_API const clgrad_loss_info *clgrad_loss_describe(clgrad_loss_kind kind);

/** Find a kind by its name in the list. False, and kind unchanged, when there is none. */
CLGRAD_API bool clgrad_loss_parse(const char *name, clgrad_loss_kind *kind);

/** The loss with reduction mean and every parameter at its default. */
CLGRAD_API clgrad_loss clgrad_loss_defaults(clgrad_loss_kind kind);

/**
 * What a loss is evaluated on. The list's flags say which of them a loss takes; those that it does not take
 * must be absent, those that are optional may be.
 */
typedef struct clgrad_loss_inputs {
    clgrad_tensor
        prediction; /**< float32; PyTorch's input, input1, anchor or log_probs; shape by the extent */
    clgrad_tensor
        target; /**< PyTorch's target or positive; the prediction's shape unless the flags say else */
    clgrad_tensor
        other; /**< gaussian_nll: var; margin_ranking, cosine_embedding: input2; triplets: negative */
    clgrad_tensor weight;         /**< of elements or of classes */
    clgrad_tensor pos_weight;     /**< bce_with_logits */
    clgrad_tensor input_lengths;  /**< ctc: int32 [batch], time steps of each sequence, 0 to time */
    clgrad_tensor target_lengths; /**< ctc: int32 [batch], labels of each target, 0 to its room */
    clgrad_tensor reserved[3];    /**< absent; room for later versions (docs/abi.md) */
} clgrad_loss_inputs;

/** No tensors yet. */
CLGRAD_API clgrad_loss_inputs clgrad_loss_inputs_none(void);

/** Where gradients go: each absent where it is not wanted, of its operand's shape where it is. */
typedef struct clgrad_loss_gradients {
    clgrad_tensor dprediction, dtarget, dother; /**< dL/dprediction and so on */
} clgrad_loss_gradients;

/**
 * @name Evaluating
 * Shapes: prediction is float32: any shape for ELEMENT and WHOLE losses, [batch, classes] for ROW,
 * [batch, classes, d1, ...] for CHANNEL, [time, batch, classes] for SEQUENCE; the last three with at least
 * one class. target is float32 of the prediction's shape, but: where the loss takes classes or integers,
 * int32 of the shape of none's value holds class indices; multilabel_margin's is int32 of the prediction's
 * shape; cosine_embedding's is float32 [batch]; ctc's is int32 [batch, room], padded rows of labels. value is
 * float32, of rank 0 or shape [1] for mean, sum, batchmean and WHOLE losses, and as clgrad_loss_extent says
 * for none.
 *
 * What mean divides by: the number of elements or rows; for class indices (cross_entropy, nll, focal) the
 * sum of the weights w_y of those that are not ignored (their number, without weights), which for none gives
 * NaN as in PyTorch; for cross_entropy's float target the number of rows; weights of elements do not count.
 * ctc divides each loss by its target's length (by 1 where that is 0) and the sum by the batch.
 *
 * A class index that is neither 0 to classes - 1 nor ignore_index (multilabel_margin: below -1 or beyond the
 * classes; ctc: a label beyond the classes, or a length beyond its room) makes the row's loss and its
 * gradient (and so the reduced loss) NaN and is reported later, see clgrad_context_finish.
 *
 * Empty predictions: none gives an empty value, sum gives 0, mean gives NaN as PyTorch has it; l2
 * of nothing is NaN.
 *
 * Gradients by the target, where the list does not say: the derivative of the formula; for bce that of the
 * logarithms without their clamp, w (log(1 - p) - log p), as in PyTorch; for kl_div 0 where t = 0
 * (log_target: where t is -inf), as its loss.
 *
 * Kinks, as in PyTorch 2: what a max(0, ...) lets through has the derivative 0 where it is 0; where the swap
 * of a triplet finds both distances equal, each gets half; a distance of 0 has the gradient 0 (with p = 1
 * each difference of 0), so has l2; in triplet_margin_with_distance's cosine the lengths are differentiated
 * also where 1e-8 stands in their place.
 *
 * Special values: NaN in an operand gives NaN in the element's (row's) loss and gradients, but: nll looks at
 * p_y alone, and its gradient not even at that; an ignored row has the loss 0 and the gradient 0 whatever
 * stands in it, except that the gradient is NaN where its softmax is, as in PyTorch. In a ctc, NaN in
 * the blank or in a label of the target, where an alignment may have it, makes the sequence's loss and its
 * gradient NaN, elsewhere that gradient element alone; time steps beyond the input length do not count and
 * have the gradient 0. An infinite ctc has a gradient of NaN. Logarithms of negative numbers
 * give NaN. bce and bce_balanced outside 0 <= p <= 1 give NaN, in the loss and in the gradients, and no fault
 * that a later call reports: an optimizer step takes the NaN over, clgrad_context_detect_anomaly finds it.
 * (Scores belong in bce_with_logits.) In a product with t or 1 - t (for cross_entropy, with its
 * weight) a factor 0 gives 0 even if the other is infinite. A logit of -inf is a class of probability 0; for
 * the losses with a softmax a logit of +inf, or a row of nothing but -inf, gives NaN; so does all of l2's
 * gradient at an infinite distance, and l1 between equal infinities. What stands after a -1 in
 * multilabel_margin's target does not count; a class named twice counts twice. A label of a ctc that is the
 * blank gives a loss of no meaning.
 *
 * Accuracy, u = 2^-24: a value or a gradient element differs from the exact one by at most bound * u times
 * the sum of the absolute values of its terms. Those are the products that the list's formula adds or
 * subtracts, in t log t and t log p (log t and log p for the derivative) for the divergences, in log(1 - p)
 * and log p for bce's gradient by the target, in t p, t o and margin for margin_ranking; a distance p - t
 * counts as one; for cross_entropy's gradient they are softmax_i (sum c - c_i) and c_i (1 - softmax_i), c =
 * w s; for dice 1 and the fraction; for a cosine what its numerator adds up, over the denominator, and 1 or
 * the margin; for the triplets the distances and the margin; for ctc the loss and the number of its time
 * steps, each of which rounds at most log 3, and for its gradient exp(p) and the posterior
 * probability times one more than that number. Where there is but one term, or all have one sign, the error
 * is relative. (In the focal losses the power gamma takes the rounding errors of 1 - q gamma times: where
 * gamma is above 2 the bound is gamma / 2 times the list's.) Besides, every number below the smallest normal
 * one, 2^-126, that occurs on the way loses up to 2^-149, or all of itself where the device flushes
 * denormals; in a mean of n terms these are terms below n 2^-126. Sums are taken in an order that depends
 * only on the shape and the device.
 *
 * All return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor that is not optional, one that the loss does
 * not take, a parameter outside its interval, an unknown kind or reduction, batchmean but for kl_div, nothing
 * asked for, value and dvalue together, a gradient that the loss does not give, a blank beyond ctc's classes,
 * an output that overlaps an input or another output); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT;
 * OUT_OF_RANGE; BUILD_FAILED; OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 * @{
 */

/**
 * Everything that a loss can do, in one call; the others are short forms.
 *
 * @param dvalue     the upstream gradient, of the shape that value would have; absent: all ones
 * @param value      receives the loss; absent where it is not wanted. Not together with dvalue.
 * @param gradients  receive the gradients of the reduced loss times dvalue; NULL for none. dprediction may be
 *                   prediction itself, dtarget target, dother other.
 */
CLGRAD_API clgrad_status clgrad_loss_evaluate(clgrad_context *context, const clgrad_loss *loss,
                                              const clgrad_loss_inputs *inputs, clgrad_tensor dvalue,
                                              clgrad_tensor value, const clgrad_loss_gradients *gradients);

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

/** @} */

#ifdef __cplusplus
}
#endif

#endif
