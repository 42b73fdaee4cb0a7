/**
 * @file noise.h
 * What draws random numbers on the device: dropout, and RReLU in training. The numbers are those of
 * random.h's generator, Philox 4x32-10 (Salmon et al. 2011) keyed by seed and counted by stream and position:
 * the same on every device and in every implementation, and made anew in the backward pass instead of being
 * kept.
 */
#ifndef CLGRAD_NOISE_H
#define CLGRAD_NOISE_H

#include <clgrad/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @name Forward and backward
 * Element i of a call takes word i % 4 of block i / 4 of the stream, as random.h counts them. A training step
 * needs a stream of its own for each call: streams that differ share no number.
 *
 * All return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor that is not optional, a number outside its
 * interval, a forbidden overlap); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE; BUILD_FAILED;
 * OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 * @{
 */

/**
 * y = 0 with probability p, else x / (1 - p). PyTorch nn.Dropout; Srivastava et al. 2014.
 *
 * An element is dropped where its word is below p 2^32 (rounded to the nearest whole number); p = 1 drops
 * all, p = 0 none. NaN and infinities that are dropped become 0.
 *
 * @param p  0 to 1
 * @param y  x's shape, any; may be x itself
 *
 * Accuracy: 1.5 ulp: 1 / (1 - p) is rounded to float32, and its product with x once more.
 */
CLGRAD_API clgrad_status clgrad_dropout_forward(clgrad_context *context, float p, uint64_t seed,
                                                uint64_t stream, clgrad_tensor x, clgrad_tensor y);

/** dx = 0 where the forward pass of that seed and stream dropped, else dy / (1 - p). dx may be dy itself. */
CLGRAD_API clgrad_status clgrad_dropout_backward(clgrad_context *context, float p, uint64_t seed,
                                                 uint64_t stream, clgrad_tensor dy, clgrad_tensor dx);

/**
 * y = x where x > 0, else a x (0 at -infinity if a is 0), a uniform in [lower, upper): lower + (upper -
 * lower) k 2^-24, k the word's upper 24 bits. PyTorch nn.RReLU in training; Xu et al. 2015. In evaluation it
 * is the activation rrelu of activation.h.
 *
 * @param lower, upper  finite, lower not above upper
 * @param y             x's shape, any; may be x itself
 *
 * Accuracy: the slope within 2 u of the larger of |lower| and |upper|, one rounding on top.
 */
CLGRAD_API clgrad_status clgrad_rrelu_forward(clgrad_context *context, float lower, float upper,
                                              uint64_t seed, uint64_t stream, clgrad_tensor x,
                                              clgrad_tensor y);

/** dx = dy where x > 0, else a dy, with the slopes of the forward pass of that seed and stream. dx may be x
 * or dy. */
CLGRAD_API clgrad_status clgrad_rrelu_backward(clgrad_context *context, float lower, float upper,
                                               uint64_t seed, uint64_t stream, clgrad_tensor x,
                                               clgrad_tensor dy, clgrad_tensor dx);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
