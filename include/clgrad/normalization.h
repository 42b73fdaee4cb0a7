/**
 * @file normalization.h
 * Layer normalisation and batch normalisation of rows of features.
 */
#ifndef CLGRAD_NORMALIZATION_H
#define CLGRAD_NORMALIZATION_H

#include <clgrad/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @name Forward and backward
 * Shapes: x, y, dy, dx float32 [batch, features] with at least one feature; weight, bias, dweight, dbias
 * float32 [features], weight and bias both optional (then 1 and 0), the gradients only where wanted.
 *
 * Variances are those of PyTorch's: the mean of squared distances from the mean, taken in two passes (not as
 * a difference of squares) so that a large common offset does not destroy them. The sum of the numbers and
 * that of the squared distances must be finite in float32 (numbers up to 1e18 are safe), as PyTorch's must;
 * a NaN or an infinity makes its row or column NaN.
 *
 * Accuracy, u = 2^-24, with s the mean of |x| and d that of |x - mean| over the row or column: mean within 32
 * u s; rstd within 64 u (1 + (32 u s)^2 / (variance + eps)), relatively; y within 128 u times ((|x - mean| +
 * d
 * + 32 u s) rstd |weight| + |bias|). In evaluation, where mean and variance are given, d and s are 0. dx,
 * dweight and dbias within 128 u times the sum of the absolute values of their terms, for the mean and rstd
 * given. Sums are taken in an order that depends only on the shape and the device.
 *
 * All return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor that is not optional, a number outside its
 * interval, a forbidden overlap); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE; BUILD_FAILED;
 * OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 * @{
 */

/**
 * y = (x - mean) rstd weight + bias, with each row's mean and rstd = 1 / sqrt(variance + eps). PyTorch
 * nn.LayerNorm over the last dimension; Ba, Kiros, Hinton 2016.
 *
 * @param eps         0 to FLT_MAX; PyTorch's default is 1e-5
 * @param y           may be x itself, for inference
 * @param mean, rstd  float32 [batch], what the backward pass needs; both or neither may be absent
 */
CLGRAD_API clgrad_status clgrad_layer_norm_forward(clgrad_context *context, float eps, clgrad_tensor x,
                                                   clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor y,
                                                   clgrad_tensor mean, clgrad_tensor rstd);

/**
 * With n = (x - mean) rstd and g = dy weight: dx = rstd (g - mean of g - n mean of (g n)) over the row;
 * dweight = sum of dy n, dbias = sum of dy over the batch, overwritten.
 *
 * @param x, weight, mean, rstd  the forward pass's
 * @param dx                     may be dy itself; absent where it is not needed
 */
CLGRAD_API clgrad_status clgrad_layer_norm_backward(clgrad_context *context, clgrad_tensor x,
                                                    clgrad_tensor weight, clgrad_tensor mean,
                                                    clgrad_tensor rstd, clgrad_tensor dy, clgrad_tensor dx,
                                                    clgrad_tensor dweight, clgrad_tensor dbias);

/** How batch normalisation works: in training by the batch's own statistics, in evaluation by the running
 * ones. */
typedef struct clgrad_batch_norm {
    float eps;      /**< 0 to FLT_MAX */
    float momentum; /**< 0 to 1: the share of the new batch in the running statistics */
    bool training;  /**< by the batch's own statistics, which move the running ones */
} clgrad_batch_norm;

/** PyTorch's: eps 1e-5, momentum 0.1; in training. */
CLGRAD_API clgrad_batch_norm clgrad_batch_norm_defaults(void);

/**
 * y = (x - mean) rstd weight + bias, with each column's mean and rstd = 1 / sqrt(variance + eps). PyTorch
 * nn.BatchNorm1d; Ioffe and Szegedy 2015.
 *
 * In training the mean and the variance are the batch's, which has at least 2 rows, and the running
 * statistics, where there are any, become (1 - momentum) of themselves plus momentum times the batch's mean
 * and its unbiased variance (times batch / (batch - 1)); while an index fault is pending (see
 * clgrad_context_finish) they stay as they are. In evaluation mean and variance are the running ones, which
 * must be there and stay.
 *
 * @param running_mean, running_var  float32 [features]; both or neither may be absent in training
 * @param y                          may be x itself, for inference
 * @param mean, rstd                 float32 [features], receive what was used; both or neither may be absent
 */
CLGRAD_API clgrad_status clgrad_batch_norm_forward(clgrad_context *context, const clgrad_batch_norm *norm,
                                                   clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias,
                                                   clgrad_tensor running_mean, clgrad_tensor running_var,
                                                   clgrad_tensor y, clgrad_tensor mean, clgrad_tensor rstd);

/**
 * With n = (x - mean) rstd: dbias = sum of dy, dweight = sum of dy n over the batch, overwritten; in training
 * dx = weight rstd (dy - dbias / batch - n dweight / batch), in evaluation dx = weight rstd dy.
 *
 * @param x, weight, mean, rstd  the forward pass's
 * @param dx                     may be dy itself; absent where it is not needed
 */
CLGRAD_API clgrad_status clgrad_batch_norm_backward(clgrad_context *context, const clgrad_batch_norm *norm,
                                                    clgrad_tensor x, clgrad_tensor weight, clgrad_tensor mean,
                                                    clgrad_tensor rstd, clgrad_tensor dy, clgrad_tensor dx,
                                                    clgrad_tensor dweight, clgrad_tensor dbias);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
