/**
 * @file network.h
 * A sequence of dense layers that trains. Its parameters lie in one flat buffer (layer by layer: weight
 * [out, in], then bias [out]), its gradients in a second of the same layout, its optimizer state in a
 * third, so that one launch updates everything.
 */
#ifndef CLGRAD_NETWORK_H
#define CLGRAD_NETWORK_H

#include <clgrad/activation.h>
#include <clgrad/loss.h>
#include <clgrad/optimizer.h>
#include <clgrad/random.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct clgrad_layer {
    size_t outputs;
    clgrad_activation activation;
    bool bias;                      /**< biases start at 0 */
    clgrad_initializer initializer; /**< of the weight */
} clgrad_layer;

/** A layer with bias; initialised as suits its activation: he_uniform for relu and leaky_relu, else
 * xavier_uniform. */
CLGRAD_API clgrad_layer clgrad_layer_defaults(size_t outputs, clgrad_activation_kind activation);

typedef struct clgrad_network_options {
    size_t inputs;              /**< features of a row */
    const clgrad_layer *layers; /**< from the input to the output; copied */
    size_t layer_count;         /**< at least 1 */
    clgrad_loss loss;           /**< reduction mean or sum */
    clgrad_optimizer optimizer;
    uint64_t seed; /**< of the initial weights; layer i draws from stream i */
} clgrad_network_options;

/**
 * No layers yet; cross_entropy (whose last layer is identity: the prediction is logits); SGD at PyTorch's
 * defaults, a learning rate of 0.001 without momentum, which most networks want changed; seed 0.
 */
CLGRAD_API clgrad_network_options clgrad_network_defaults(void);

typedef struct clgrad_network clgrad_network;

/**
 * Build a network and initialise its parameters.
 *
 * @param network  receives the network; NULL after a failure
 * @return SUCCESS; INVALID_ARGUMENT (NULL, no layers, no inputs, a layer without outputs, reduction none, a
 *         parameter outside its interval); OUT_OF_RANGE (sizes overflow); OUT_OF_MEMORY;
 *         OUT_OF_DEVICE_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_network_create(clgrad_context *context, const clgrad_network_options *options,
                                               clgrad_network **network);

/** NULL is accepted. */
CLGRAD_API void clgrad_network_destroy(clgrad_network *network);

/*
 * The calls below take x [batch, inputs]; target as the loss wants it (loss.h) for a prediction
 * [batch, outputs of the last layer]; loss a float32 scalar (rank 0 or [1]). They enqueue and return. Room
 * for intermediate results is kept between calls and grows only when a batch is larger than any before.
 *
 * All return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor, a tensor that overlaps the network's own
 * memory, an output that overlaps an input); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE;
 * BUILD_FAILED; UNSUPPORTED (as dense.h); OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 */

/** prediction [batch, outputs] = the network's output for x. */
CLGRAD_API clgrad_status clgrad_network_predict(clgrad_network *network, clgrad_tensor x,
                                                clgrad_tensor prediction);

/** The loss for x and target; parameters and gradients are unchanged. */
CLGRAD_API clgrad_status clgrad_network_evaluate(clgrad_network *network, clgrad_tensor x,
                                                 clgrad_tensor target, clgrad_tensor loss);

/** The loss and, in clgrad_network_gradients, its gradient; parameters are unchanged. */
CLGRAD_API clgrad_status clgrad_network_backward(clgrad_network *network, clgrad_tensor x,
                                                 clgrad_tensor target, clgrad_tensor loss);

/** One training step: clgrad_network_backward, then one step of the optimizer. loss is from before the step.
 */
CLGRAD_API clgrad_status clgrad_network_train_step(clgrad_network *network, clgrad_tensor x,
                                                   clgrad_tensor target, clgrad_tensor loss);

/** Change the optimizer's parameters (a learning-rate schedule, say). Same kind and slots: INVALID_ARGUMENT
 * otherwise. */
CLGRAD_API clgrad_status clgrad_network_set_optimizer(clgrad_network *network,
                                                      const clgrad_optimizer *optimizer);

/** Training steps enqueued so far, those that an index fault has suspended included; 0 for NULL. */
CLGRAD_API uint64_t clgrad_network_steps(const clgrad_network *network);

/** Number of layers; 0 for NULL. */
CLGRAD_API size_t clgrad_network_layer_count(const clgrad_network *network);

/**
 * All parameters as one vector. Absent for NULL. Valid, and the network's own, as long as the network. It may
 * be read, written and copied: that is how a network is saved, loaded and cloned.
 */
CLGRAD_API clgrad_tensor clgrad_network_parameters(const clgrad_network *network);

/** The gradients of the last backward or train step, laid out as the parameters. Absent for NULL. */
CLGRAD_API clgrad_tensor clgrad_network_gradients(const clgrad_network *network);

/** The optimizer's state [slots, number of parameters]; absent when slots is 0 or for NULL. */
CLGRAD_API clgrad_tensor clgrad_network_state(const clgrad_network *network);

/** The weight [out, in] of a layer, counted from 0. Absent where there is none. */
CLGRAD_API clgrad_tensor clgrad_network_weight(const clgrad_network *network, size_t layer);

/** The bias [out] of a layer, counted from 0. Absent where there is none. */
CLGRAD_API clgrad_tensor clgrad_network_bias(const clgrad_network *network, size_t layer);

/** The gradient of clgrad_network_weight's. */
CLGRAD_API clgrad_tensor clgrad_network_weight_gradient(const clgrad_network *network, size_t layer);

/** The gradient of clgrad_network_bias's. */
CLGRAD_API clgrad_tensor clgrad_network_bias_gradient(const clgrad_network *network, size_t layer);

#ifdef __cplusplus
}
#endif

#endif
