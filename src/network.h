/*
 * What a network is made of: built in network.c, its parts handed out in network_parts.c, run in
 * network_run.c, each kind of layer in network_layer.c.
 */
#ifndef CLGRAD_NETWORK_INTERNAL_H
#define CLGRAD_NETWORK_INTERNAL_H

#include "check.h"

/* What a layer of a kind takes: numbers of parameters and the like. */
typedef struct clgrad_layer_size {
    size_t outputs;  /* features */
    int weight_rank; /* 0 where there is no weight */
    size_t weight_shape[2];
    size_t bias;             /* numbers of it; 0 where there is none */
    size_t running;          /* features whose mean and variance it keeps from batch to batch */
    size_t kept, kept_a_row; /* numbers that its backward pass wants besides input and output */
    bool in_place;           /* whether its dx may take dy's place */
} clgrad_layer_size;

typedef struct clgrad_network_layer {
    clgrad_layer layer;
    size_t inputs;
    clgrad_layer_size size;
    size_t weight, bias; /* offsets in the flat parameters */
    size_t running;      /* offset in the running statistics: means, then variances */
    size_t y, kept;      /* offsets in the workspace */
} clgrad_network_layer;

struct clgrad_network {
    clgrad_context *context;
    clgrad_loss loss;
    clgrad_optimizer groups[CLGRAD_OPTIMIZER_MAX_GROUPS];
    size_t group_count;
    clgrad_tensor ranges; /* which parameters belong to which group; absent where there is but group 0 and all
                             belong to it */
    float clip_norm, clip_norm_type, clip_value;
    uint64_t seed;
    uint64_t steps;
    uint64_t draws; /* passes in training so far: each takes streams of its own */
    clgrad_tensor parameters, gradients, state, running_stats;
    clgrad_tensor addend; /* one batch's gradients while they are accumulated; absent before */
    bool accumulating;
    bool pending;             /* the gradients are of a backward pass that no step has used yet */
    clgrad_buffer *workspace; /* as large as any call has needed */
    clgrad_tensor forwarded;  /* the x of a network_forward whose results lie in it, to go back through */
    size_t d[2];              /* offsets in it: two arrays as wide as the widest layer, used in turn */
    size_t layer_count;
    clgrad_network_layer layers[];
};

/* One layer's part in a pass over a batch. */
typedef struct clgrad_layer_call {
    clgrad_network *network;
    const clgrad_network_layer *layer;
    bool training;
    uint64_t stream;         /* of random numbers */
    clgrad_tensor gradients; /* the flat array that the backward pass writes to */
    clgrad_tensor x, y;
    clgrad_dense_chain chain; /* of the backward pass, where the layer is dense */
} clgrad_layer_call;

/* What a layer of that kind needs for so many inputs. */
clgrad_layer_size clgrad_layer_measure(const clgrad_layer *layer, size_t inputs);

/* The values that a layer's parameters begin with; they are 0 so far. */
clgrad_status clgrad_layer_initialize(clgrad_network *network, size_t layer);

clgrad_status clgrad_layer_forward(const clgrad_layer_call *call);

/*
 * What the backward pass of a layer does for the layer below it (none of which is done): nothing, unless both
 * are dense and that pays.
 */
clgrad_dense_chain clgrad_layer_chain(const clgrad_layer_call *call, const clgrad_layer_call *below);

/* dx is absent for the first layer, and may be dy where the layer's size says so. */
clgrad_status clgrad_layer_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx);

/* A flat array (parameters, gradients, running statistics), cut to one layer's part; absent where there is
 * none. */
clgrad_tensor clgrad_layer_weight_in(const clgrad_network_layer *layer, clgrad_tensor flat);
clgrad_tensor clgrad_layer_bias_in(const clgrad_network_layer *layer, clgrad_tensor flat);

#endif
