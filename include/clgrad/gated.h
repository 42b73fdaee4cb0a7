/**
 * @file gated.h
 * Activations with a second operand: PReLU, whose negative slope is a weight, and GLU, half of whose input
 * gates the other half.
 */
#ifndef CLGRAD_GATED_H
#define CLGRAD_GATED_H

#include <clgrad/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @name Forward and backward
 * All return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor that is not optional, a number outside its
 * interval, a forbidden overlap); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE; BUILD_FAILED;
 * OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 * @{
 */

/**
 * y = x where x > 0, else weight x (0 at -infinity if the weight is 0). PyTorch nn.PReLU; He, Zhang, Ren, Sun
 * 2015.
 *
 * @param x       float32 [batch, channels, d1, ...], rank 1 (then it has one channel) and more
 * @param weight  float32 [1], or [channels]: a slope for each entry of the second dimension
 * @param y       x's shape; may be x itself
 *
 * Accuracy: one rounding.
 */
CLGRAD_API clgrad_status clgrad_prelu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                              clgrad_tensor y);

/**
 * dx = dy where x > 0, else weight dy; dweight = the sum of x dy over the elements of its channel with x <=
 * 0.
 *
 * @param x        the forward pass's input
 * @param dx       x's shape; may be x or dy itself; absent where it is not needed
 * @param dweight  weight's shape, overwritten; absent where it is not needed
 *
 * Accuracy: dx one rounding, dweight within 32 u times the sum of the absolute values of its terms, added up
 * in an order that depends only on the shape and the device.
 */
CLGRAD_API clgrad_status clgrad_prelu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                               clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight);

/**
 * y = a / (1 + exp(-b)), a the first and b the second half of x's last dimension. PyTorch nn.GLU; Dauphin,
 * Fan, Auli, Grangier 2017.
 *
 * @param x  float32 [..., 2 k]
 * @param y  float32 [..., k]; may not overlap x
 *
 * Accuracy: 5 ulp, and |a| 2^-126: a gate below the smallest normal number (b below -87) loses digits, and
 * may be 0.
 */
CLGRAD_API clgrad_status clgrad_glu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor y);

/**
 * dx: da = dy s(b), db = dy a s(b) (1 - s(b)), with s(b) = 1 / (1 + exp(-b)).
 *
 * @param x   float32 [..., 2 k], the forward pass's input
 * @param dy  float32 [..., k]
 * @param dx  x's shape; may be x itself
 *
 * Accuracy: 10 ulp, and as above 2^-126 times |dy| for da, times |dy a| for db.
 */
CLGRAD_API clgrad_status clgrad_glu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor dy,
                                             clgrad_tensor dx);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
