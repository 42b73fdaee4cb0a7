/*
 * What a network is made of: built in network.c, run in network_run.c.
 */
#ifndef CLGRAD_NETWORK_INTERNAL_H
#define CLGRAD_NETWORK_INTERNAL_H

#include "check.h"

typedef struct network_layer {
    size_t inputs, outputs;
    clgrad_activation activation;
    size_t weight, bias; /* offsets in the flat parameters; NO_BIAS where there is none */
    size_t z, h;         /* offsets in the workspace; equal where the output is enough */
} network_layer;

#define NO_BIAS SIZE_MAX

struct clgrad_network {
    clgrad_context *context;
    clgrad_loss loss;
    clgrad_optimizer optimizer;
    uint64_t steps;
    clgrad_tensor parameters, gradients, state;
    clgrad_buffer *workspace; /* as large as any call has needed */
    size_t dz, dx; /* offsets in the workspace: two arrays as wide as the widest layer, used in turn */
    size_t layer_count;
    network_layer layers[];
};

/* The flat parameters or gradients, cut to one layer's weight or bias. */
static inline clgrad_tensor clgrad_network_weight_in(const clgrad_network *network, clgrad_tensor flat,
                                                     size_t i)
{
    const network_layer *l = &network->layers[i];
    return clgrad_tensor_matrix(flat.buffer, l->weight, l->outputs, l->inputs);
}

static inline clgrad_tensor clgrad_network_bias_in(const clgrad_network *network, clgrad_tensor flat,
                                                   size_t i)
{
    const network_layer *l = &network->layers[i];
    return l->bias == NO_BIAS ? clgrad_tensor_none()
                              : clgrad_tensor_vector(flat.buffer, l->bias, CLGRAD_TYPE_FLOAT32, l->outputs);
}

/* total += a * b, unless that overflows. */
static inline bool clgrad_add_product(size_t *total, size_t a, size_t b)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    if (a * b > SIZE_MAX - *total)
        return false;
    *total += a * b;
    return true;
}

#endif
