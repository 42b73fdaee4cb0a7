/**
 * @file clip.h
 * Gradient clipping on the device, without a wait. Both calls change the gradient in place; on a network they
 * go between clgrad_network_backward and the step (clgrad_network_options has them built in).
 */
#ifndef CLGRAD_CLIP_H
#define CLGRAD_CLIP_H

#include <clgrad/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @name Clipping
 * gradient is float32 of any shape: the flat gradient of all parameters, so that its norm is the global one.
 *
 * Both return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor, a number outside its interval, an overlap);
 * INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE; BUILD_FAILED; OUT_OF_DEVICE_MEMORY;
 * OUT_OF_MEMORY; DEVICE_ERROR.
 * @{
 */

/**
 * gradient *= min(1, max_norm / (norm + 1e-6)), with norm the norm_type-norm of all its elements, as
 * PyTorch's torch.nn.utils.clip_grad_norm_ has it: a NaN or infinity makes all of it NaN (or 0, where the
 * norm is infinite and an element is not). The norm of nothing is 0.
 *
 * Accuracy: the norm is within 32 u of the exact one (u = 2^-24) for norm_type 1, 2 and INFINITY, and within
 * (40 + 120 / norm_type) u for others, without overflow or underflow on the way where the norm itself is a
 * normal float32. Sum, quotient and product add at most 8 u to each element. A factor of 1 leaves every bit
 * as it is. The sums' order depends on the size and the device alone.
 *
 * @param max_norm    0 to FLT_MAX
 * @param norm_type   above 0; INFINITY for the largest absolute value
 * @param total_norm  float32 scalar (rank 0 or [1]), receives the norm before clipping; may be absent
 */
CLGRAD_API clgrad_status clgrad_clip_grad_norm(clgrad_context *context, float max_norm, float norm_type,
                                               clgrad_tensor gradient, clgrad_tensor total_norm);

/** Every element is clamped to -clip_value to clip_value (0 to FLT_MAX); NaN stays.
 * torch.nn.utils.clip_grad_value_. */
CLGRAD_API clgrad_status clgrad_clip_grad_value(clgrad_context *context, float clip_value,
                                                clgrad_tensor gradient);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
