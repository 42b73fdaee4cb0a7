/*
 * The dense layer's backward pass as networks use it: the derivative of the activation below goes into dx, so
 * that the layer below needs no pass of its own for its dz.
 */
#ifndef CLGRAD_DENSE_INTERNAL_H
#define CLGRAD_DENSE_INTERNAL_H

#include "internal.h"

/* clgrad_dense_backward as a link of a chain. */
clgrad_status clgrad_dense_backward_chained(clgrad_context *context, const clgrad_activation *activation,
                                            clgrad_tensor x, clgrad_tensor weight, clgrad_tensor z,
                                            clgrad_tensor dh, clgrad_tensor dz, clgrad_tensor dweight,
                                            clgrad_tensor dbias, clgrad_tensor dx, clgrad_dense_chain chain);

/* Whether that pays on this context's device. */
static inline bool clgrad_dense_chains(clgrad_context *context)
{
    return context->backend->dense->chains(context);
}

#endif
