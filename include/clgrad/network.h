/**
 * @file network.h
 * A sequence of layers that trains. Its parameters lie in one flat buffer (layer by layer: weight, then bias;
 * a dense layer's weight is [out, in]), its gradients in a second of the same layout, its optimizer state in
 * a third, so that one launch updates everything.
 */
#ifndef CLGRAD_NETWORK_H
#define CLGRAD_NETWORK_H

#include <clgrad/layer.h>
#include <clgrad/loss.h>
#include <clgrad/optimizer.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a network is made of, what it learns by and how. */
typedef struct clgrad_network_options {
    size_t inputs;              /**< features of a row */
    const clgrad_layer *layers; /**< from the input to the output; copied */
    size_t layer_count;         /**< at least 1 */
    clgrad_loss loss;           /**< reduction mean, sum or batchmean */
    clgrad_optimizer optimizer; /**< of group 0 */
    const clgrad_optimizer
        *groups;        /**< of groups 1 and on, all of optimizer's kind; copied. A layer's weight_group and
                           bias_group say which parameters are in which; group -1 stays as it is. */
    size_t group_count; /**< of those: at most CLGRAD_OPTIMIZER_MAX_GROUPS - 1 */
    float clip_norm;    /**< the norm of all gradients (those of group -1 too) is clipped to it before a step;
                           INFINITY: not */
    float clip_norm_type; /**< above 0, INFINITY for the largest absolute value */
    float clip_value;     /**< every gradient is clamped to it, before the norm is; INFINITY: not */
    uint64_t seed; /**< of the initial weights, layer i draws from stream i; and of dropout and rrelu */
    uint64_t reserved[8]; /**< 0; room for later versions (docs/abi.md) */
} clgrad_network_options;

/**
 * No layers yet; cross_entropy (whose last layer is identity: the prediction is logits); SGD at PyTorch's
 * defaults, a learning rate of 0.001 without momentum, which most networks want changed; one group; no
 * clipping, norm type 2; seed 0.
 */
CLGRAD_API clgrad_network_options clgrad_network_defaults(void);

/** A network: its parameters, gradients, optimizer state, and room for what a pass computes. */
typedef struct clgrad_network clgrad_network;

/**
 * Build a network and initialise its parameters.
 *
 * @param network  receives the network; NULL after a failure
 * @return SUCCESS; INVALID_ARGUMENT (NULL, no layers, no inputs, a dense layer without outputs, glu over an
 * odd number of inputs, reduction none, a parameter outside its interval or against a constraint, a group
 * that there is not); OUT_OF_RANGE (sizes overflow); OUT_OF_MEMORY; OUT_OF_DEVICE_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_network_create(clgrad_context *context, const clgrad_network_options *options,
                                               clgrad_network **network);

/** NULL is accepted. */
CLGRAD_API void clgrad_network_destroy(clgrad_network *network);

/**
 * @name Running
 * The calls take x [batch, inputs]; target as the loss wants it (loss.h) for a prediction
 * [batch, outputs of the last layer]; loss a float32 scalar (rank 0 or [1]). They enqueue and return. Room
 * for intermediate results is kept between calls and grows only when a batch is larger than any before.
 *
 * All return SUCCESS; INVALID_ARGUMENT (NULL, of which a network leaves no sentence, see status.h; an absent
 * tensor, a tensor that overlaps the network's own memory, an output that overlaps an input); INVALID_SHAPE;
 * INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE; BUILD_FAILED; UNSUPPORTED (as dense.h); OUT_OF_DEVICE_MEMORY;
 * OUT_OF_MEMORY; DEVICE_ERROR.
 *
 * One that fails on its way (status.h) leaves parameters, optimizer state and the number of steps as they
 * were, and draws the same random numbers when it is repeated. But
 *  - a pass in training may have moved batch_norm's running statistics, and moves them again when it is
 *    repeated: whoever needs the same bits writes back what they were before;
 *  - after a backward or a train_step the gradients are undefined, and an accumulation begins anew; what was
 *    accumulated before a failing accumulate is still there; before a failed backward_from is repeated, its
 *    forward is;
 *  - a step may have clipped the gradients; clipped again, they change by rounding at most.
 * @{
 */

/** prediction [batch, outputs] = the network's output for x, in evaluation. */
CLGRAD_API clgrad_status clgrad_network_predict(clgrad_network *network, clgrad_tensor x,
                                                clgrad_tensor prediction);

/** The loss for x and target, in evaluation; parameters, gradients and running statistics are unchanged. */
CLGRAD_API clgrad_status clgrad_network_evaluate(clgrad_network *network, clgrad_tensor x,
                                                 clgrad_tensor target, clgrad_tensor loss);

/**
 * The loss, in training, and its gradient in clgrad_network_gradients; parameters are unchanged. As in every
 * pass in training (train_step and accumulate too), batch_norm's running statistics move, and dropout and
 * rrelu draw anew.
 */
CLGRAD_API clgrad_status clgrad_network_backward(clgrad_network *network, clgrad_tensor x,
                                                 clgrad_tensor target, clgrad_tensor loss);

/** One training step: clgrad_network_backward, then clgrad_network_step. loss is from before the step. */
CLGRAD_API clgrad_status clgrad_network_train_step(clgrad_network *network, clgrad_tensor x,
                                                   clgrad_tensor target, clgrad_tensor loss);

/**
 * clgrad_network_evaluate for losses that take more than a target (loss.h): the inputs but the prediction,
 * which is the network's output and must be absent. A SEQUENCE loss (ctc) sees the output [batch, outputs] as
 * [1, batch, outputs].
 */
CLGRAD_API clgrad_status clgrad_network_evaluate_with(clgrad_network *network, clgrad_tensor x,
                                                      const clgrad_loss_inputs *inputs, clgrad_tensor loss);

/** clgrad_network_backward for such losses. */
CLGRAD_API clgrad_status clgrad_network_backward_with(clgrad_network *network, clgrad_tensor x,
                                                      const clgrad_loss_inputs *inputs, clgrad_tensor loss);

/** clgrad_network_train_step for such losses. */
CLGRAD_API clgrad_status clgrad_network_train_step_with(clgrad_network *network, clgrad_tensor x,
                                                        const clgrad_loss_inputs *inputs, clgrad_tensor loss);

/**
 * Gradient accumulation: the first call after a step (or after a backward) sets clgrad_network_gradients to
 * scale times this batch's gradient, the following ones add theirs. A batch too large for the device is
 * trained on in k parts with scale 1 / k (for mean) and one clgrad_network_step. Memory for a second array of
 * gradients is taken at the first call and kept.
 *
 * @param scale  finite
 */
CLGRAD_API clgrad_status clgrad_network_accumulate(clgrad_network *network, clgrad_tensor x,
                                                   const clgrad_loss_inputs *inputs, float scale,
                                                   clgrad_tensor loss);

/**
 * The network's output for x, in training, for a loss of the caller's own: prediction [batch, outputs], which
 * may not overlap x. What clgrad_network_backward_from needs is kept until the next pass or step of this
 * network.
 */
CLGRAD_API clgrad_status clgrad_network_forward(clgrad_network *network, clgrad_tensor x,
                                                clgrad_tensor prediction);

/**
 * From the caller's gradient with respect to the prediction of clgrad_network_forward back to the parameters'
 * gradients, which come out as those of clgrad_network_backward, for clgrad_network_step. A forward pass can
 * be gone back through once, and only while no other pass of this network (predict and evaluate are some), no
 * step and no loading came in between. (The network's own loss has no part in it, whatever it is.)
 *
 * @param x            the tensor that the forward pass was given, which still holds what it held
 * @param dprediction  float32 [batch, outputs]; a loss that is a mean has its 1 / batch in here
 * @param dx           [batch, inputs], receives the gradient with respect to x, for what stands before the
 *                     network; absent where it is not wanted. May overlap neither x nor dprediction.
 * @return also INVALID_ARGUMENT where there is no such forward pass, or x is not its x
 */
CLGRAD_API clgrad_status clgrad_network_backward_from(clgrad_network *network, clgrad_tensor x,
                                                      clgrad_tensor dprediction, clgrad_tensor dx);

/** Set the gradients to 0, so that an accumulation begins anew: PyTorch's zero_grad. Needed only to throw one
 * away. */
CLGRAD_API clgrad_status clgrad_network_zero_gradients(clgrad_network *network);

/** Clip the gradients as the options say, and take one step of the optimizer with them. */
CLGRAD_API clgrad_status clgrad_network_step(clgrad_network *network);

/** Change the parameters of group 0's optimizer (by a learning-rate schedule, say). Same kind and slots:
 * INVALID_ARGUMENT otherwise. */
CLGRAD_API clgrad_status clgrad_network_set_optimizer(clgrad_network *network,
                                                      const clgrad_optimizer *optimizer);

/** The same for any group. */
CLGRAD_API clgrad_status clgrad_network_set_group(clgrad_network *network, size_t group,
                                                  const clgrad_optimizer *optimizer);

/** @} */

/** Training steps enqueued so far, those that an index fault has suspended included; 0 for NULL. */
CLGRAD_API uint64_t clgrad_network_steps(const clgrad_network *network);

/** Number of layers; 0 for NULL. */
CLGRAD_API size_t clgrad_network_layer_count(const clgrad_network *network);

/**
 * All parameters as one vector. Absent for NULL. Valid, and the network's own, as long as the network. It may
 * be read, written and copied: with clgrad_network_running_stats, that is how a trained network is cloned.
 * (checkpoint.h saves and loads one.)
 */
CLGRAD_API clgrad_tensor clgrad_network_parameters(const clgrad_network *network);

/** The gradients of the last backward or train step, laid out as the parameters. Absent for NULL. */
CLGRAD_API clgrad_tensor clgrad_network_gradients(const clgrad_network *network);

/** The optimizer's state [slots, number of parameters]; absent when slots is 0 or for NULL. */
CLGRAD_API clgrad_tensor clgrad_network_state(const clgrad_network *network);

/**
 * The running statistics of all batch_norm layers as one vector: for each its means, then its variances.
 * Absent where there are none or for NULL. Part of what is cloned.
 */
CLGRAD_API clgrad_tensor clgrad_network_running_stats(const clgrad_network *network);

/** The weight of a layer, counted from 0: dense [out, in], prelu [1] or [features], normalisations
 * [features]. Absent where there is none. */
CLGRAD_API clgrad_tensor clgrad_network_weight(const clgrad_network *network, size_t layer);

/** The bias of a layer, counted from 0: [features]. Absent where there is none. */
CLGRAD_API clgrad_tensor clgrad_network_bias(const clgrad_network *network, size_t layer);

/** The gradient of clgrad_network_weight's. */
CLGRAD_API clgrad_tensor clgrad_network_weight_gradient(const clgrad_network *network, size_t layer);

/** The gradient of clgrad_network_bias's. */
CLGRAD_API clgrad_tensor clgrad_network_bias_gradient(const clgrad_network *network, size_t layer);

#ifdef __cplusplus
}
#endif

#endif
