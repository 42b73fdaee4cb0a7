/*
 * The dense layer: PyTorch nn.Linear with its activation. Forward and backward pass as in Goodfellow, Bengio,
 * Courville, Deep Learning, 2016, algorithms 6.3 and 6.4, for a batch of rows. The loops are ordered so that
 * the innermost one walks along memory.
 */
#include "reference.h"

#include "../internal.h"

void clgrad_ref_dense_forward(const clgrad_activation *activation, size_t batch, size_t in, size_t out,
                              const double *x, const double *weight, const double *bias, double *z, double *h)
{
    for (size_t row = 0; row < batch; row++) {
        for (size_t unit = 0; unit < out; unit++) {
            double sum = bias != NULL ? bias[unit] : 0;
            for (size_t k = 0; k < in; k++)
                sum += x[row * in + k] * weight[unit * in + k];
            z[row * out + unit] = sum;
            h[row * out + unit] = clgrad_ref_activate(activation, sum);
        }
    }
}

static void set_zero(double *values, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = 0;
}

void clgrad_ref_dense_backward(const clgrad_activation *activation, size_t batch, size_t in, size_t out,
                               const double *x, const double *weight, const double *z, const double *dh,
                               double *dz, double *dweight, double *dbias, double *dx)
{
    for (size_t i = 0; i < batch * out; i++)
        dz[i] = activation != NULL ? clgrad_ref_activate_backward(activation, z[i], dh[i]) : dh[i];

    /* dweight = dz^T x */
    set_zero(dweight, out * in);
    for (size_t row = 0; row < batch; row++)
        for (size_t unit = 0; unit < out; unit++)
            for (size_t k = 0; k < in; k++)
                dweight[unit * in + k] += dz[row * out + unit] * x[row * in + k];

    if (dbias != NULL) {
        set_zero(dbias, out);
        for (size_t row = 0; row < batch; row++)
            for (size_t unit = 0; unit < out; unit++)
                dbias[unit] += dz[row * out + unit];
    }

    /* dx = dz weight */
    if (dx != NULL) {
        set_zero(dx, batch * in);
        for (size_t row = 0; row < batch; row++)
            for (size_t unit = 0; unit < out; unit++)
                for (size_t k = 0; k < in; k++)
                    dx[row * in + k] += dz[row * out + unit] * weight[unit * in + k];
    }
}

static clgrad_status dense_forward(clgrad_context *context, const clgrad_activation *activation,
                                   clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor z,
                                   clgrad_tensor h)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *weight64 = clgrad_ref_load(&arrays, weight);
    double *bias64 = clgrad_ref_load(&arrays, bias);
    double *z64 = clgrad_ref_allocate(&arrays, z);
    double *h64 = clgrad_ref_allocate(&arrays, h);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        clgrad_ref_dense_forward(activation, x.shape[0], x.shape[1], weight.shape[0], x64, weight64, bias64,
                                 z64, h64);
        /* in this order: where h is z, the output is what stays */
        clgrad_ref_store(z64, z);
        clgrad_ref_store(h64, h);
    }
    return clgrad_ref_arrays_free(&arrays);
}

static clgrad_status dense_backward(clgrad_context *context, const clgrad_activation *activation,
                                    clgrad_tensor x, clgrad_tensor weight, clgrad_tensor z, clgrad_tensor dh,
                                    clgrad_tensor dz, clgrad_tensor dweight, clgrad_tensor dbias,
                                    clgrad_tensor dx, clgrad_dense_chain chain)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *weight64 = clgrad_ref_load(&arrays, weight);
    double *z64 = clgrad_ref_load(&arrays, z);
    double *dh64 = clgrad_ref_load(&arrays, dh);
    double *dz64 = clgrad_ref_allocate(&arrays, dz);
    double *dweight64 = clgrad_ref_allocate(&arrays, dweight);
    double *dbias64 = clgrad_ref_allocate(&arrays, dbias);
    double *dx64 = clgrad_ref_allocate(&arrays, dx);
    double *below64 = clgrad_ref_load(&arrays, chain.below_z);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        clgrad_ref_dense_backward(chain.given_dz ? NULL : activation, x.shape[0], x.shape[1], weight.shape[0],
                                  x64, weight64, z64, dh64, dz64, dweight64, dbias64, dx64);
        const size_t inputs = chain.below != NULL ? clgrad_tensor_count(x) : 0;
        for (size_t i = 0; i < inputs; i++)
            dx64[i] = clgrad_ref_activate_backward(chain.below, below64[i], dx64[i]);
        clgrad_ref_store(dz64, dz);
        clgrad_ref_store(dweight64, dweight);
        clgrad_ref_store(dbias64, dbias);
        clgrad_ref_store(dx64, dx);
    }
    return clgrad_ref_arrays_free(&arrays);
}

/* Here a pass more costs next to nothing. */
static bool chains(clgrad_context *context)
{
    (void)context;
    return false;
}

const clgrad_dense_functions clgrad_ref_dense_functions = {
    .forward = dense_forward,
    .backward = dense_backward,
    .chains = chains,
};
