/**
 * @file dense.h
 * The dense (fully connected, PyTorch's nn.Linear) layer with its activation.
 *
 * Shapes: x [batch, in], weight [out, in], bias [out], z and h [batch, out]. All float32, row-major.
 * A batch of 0 rows is accepted: nothing is computed forward; gradients of the parameters are 0.
 */
#ifndef CLGRAD_DENSE_H
#define CLGRAD_DENSE_H

#include <clgrad/activation.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @name Forward and backward
 * Both calls return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor that is not optional, a parameter
 * outside its interval, a forbidden overlap); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE;
 * BUILD_FAILED; UNSUPPORTED (sizes or offsets beyond what the matrix library counts: 2^31 elements);
 * OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 *
 * Accuracy: a product's error is at most (k + 4) u times the sum of the absolute values of its k terms,
 * u = 2^-24 (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1), whatever the
 * order of summation; the activation's own bound comes on top. The order depends only on the shape and
 * the device: the same call on the same device gives the same bits.
 * @{
 */

/**
 * z = x weight^T + bias, h = f(z).
 *
 * @param bias  [out], or absent for a layer without
 * @param z     receives the pre-activation, which the backward pass needs
 * @param h     receives the output; may be z itself, which then holds the output alone: enough for
 *              inference, and for the backward pass where clgrad_activation_from_output is true
 *
 * z and h may not overlap the inputs.
 */
CLGRAD_API clgrad_status clgrad_dense_forward(clgrad_context *context, const clgrad_activation *activation,
                                              clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias,
                                              clgrad_tensor z, clgrad_tensor h);

/**
 * dz = dh * f'(z), dweight = dz^T x, dbias = the sum of dz over the batch, dx = dz weight.
 *
 * @param x, weight  the forward pass's
 * @param z          the forward pass's pre-activation (or its output, see clgrad_activation_from_output)
 * @param dh         [batch, out], the gradient with respect to the output
 * @param dz         [batch, out], receives the gradient with respect to z; may be dh itself, or z itself
 * @param dweight    [out, in], overwritten
 * @param dbias      [out], overwritten; absent for a layer without bias
 * @param dx         [batch, in], overwritten; absent where it is not needed (a first layer)
 *
 * No output may overlap an input or another output, but for dz as said.
 */
CLGRAD_API clgrad_status clgrad_dense_backward(clgrad_context *context, const clgrad_activation *activation,
                                               clgrad_tensor x, clgrad_tensor weight, clgrad_tensor z,
                                               clgrad_tensor dh, clgrad_tensor dz, clgrad_tensor dweight,
                                               clgrad_tensor dbias, clgrad_tensor dx);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
