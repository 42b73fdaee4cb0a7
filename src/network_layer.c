/*
 * The kinds of layers: for each what it needs, and its forward and backward pass. A kind is a row of
 * CLGRAD_LAYER_LIST and the functions NAME_forward and NAME_backward here; what it needs is in
 * clgrad_layer_measure.
 */
#include "network.h"

#include "dense.h"

clgrad_tensor clgrad_layer_weight_in(const clgrad_network_layer *layer, clgrad_tensor flat)
{
    const clgrad_layer_size *size = &layer->size;
    if (size->weight_rank == 0)
        return clgrad_tensor_none();
    clgrad_tensor weight = clgrad_tensor_vector(flat.buffer, flat.offset + layer->weight, CLGRAD_TYPE_FLOAT32,
                                                size->weight_shape[0]);
    weight.rank = size->weight_rank;
    weight.shape[1] = size->weight_shape[1];
    return weight;
}

clgrad_tensor clgrad_layer_bias_in(const clgrad_network_layer *layer, clgrad_tensor flat)
{
    return layer->size.bias == 0 ? clgrad_tensor_none()
                                 : clgrad_tensor_vector(flat.buffer, flat.offset + layer->bias,
                                                        CLGRAD_TYPE_FLOAT32, layer->size.bias);
}

clgrad_layer_size clgrad_layer_measure(const clgrad_layer *layer, size_t inputs)
{
    clgrad_layer_size size = {.outputs = inputs, .in_place = true, .weight_shape = {inputs, 1}};
    switch (layer->kind) {
    case CLGRAD_LAYER_DENSE:
        size.outputs = layer->outputs;
        size.weight_rank = 2;
        size.weight_shape[0] = layer->outputs;
        size.weight_shape[1] = inputs;
        size.bias = layer->bias ? layer->outputs : 0;
        size.kept_a_row = clgrad_activation_from_output(&layer->activation) ? 0 : layer->outputs;
        size.in_place = false;
        break;
    case CLGRAD_LAYER_PRELU:
        size.weight_rank = 1;
        size.weight_shape[0] = layer->per_channel ? inputs : 1;
        break;
    case CLGRAD_LAYER_GLU:
        size.outputs = inputs / 2;
        size.in_place = false;
        break;
    case CLGRAD_LAYER_LAYER_NORM:
        size.weight_rank = layer->affine ? 1 : 0;
        size.bias = layer->affine && layer->bias ? inputs : 0;
        size.kept_a_row = 2; /* the row's mean and rstd */
        break;
    case CLGRAD_LAYER_BATCH_NORM:
        size.weight_rank = layer->affine ? 1 : 0;
        size.bias = layer->affine ? inputs : 0;
        size.running = layer->track_running_stats ? inputs : 0;
        size.kept = 2 * inputs; /* each column's mean and rstd */
        break;
    case CLGRAD_LAYER_ACTIVATION:
    case CLGRAD_LAYER_RRELU:
    case CLGRAD_LAYER_SOFTMAX:
    case CLGRAD_LAYER_SOFTMIN:
    case CLGRAD_LAYER_LOG_SOFTMAX:
    case CLGRAD_LAYER_DROPOUT:
        break;
    }
    return size;
}

clgrad_status clgrad_layer_initialize(clgrad_network *network, size_t index)
{
    clgrad_context *context = network->context;
    const clgrad_network_layer *l = &network->layers[index];
    const clgrad_tensor weight = clgrad_layer_weight_in(l, network->parameters);
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    if (l->layer.kind == CLGRAD_LAYER_DENSE)
        status = clgrad_random_initialize(context, l->layer.initializer, network->seed, index, weight);
    else if (clgrad_present(weight))
        status = clgrad_tensor_fill(context, weight,
                                    l->layer.kind == CLGRAD_LAYER_PRELU ? (double)l->layer.init : 1);
    if (status == CLGRAD_STATUS_SUCCESS && l->size.running > 0) {
        const size_t variances = l->running + l->size.running;
        status = clgrad_tensor_fill(context,
                                    clgrad_tensor_vector(network->running_stats.buffer, variances,
                                                         CLGRAD_TYPE_FLOAT32, l->size.running),
                                    1);
    }
    return status;
}

static clgrad_tensor weight_of(const clgrad_layer_call *call)
{
    return clgrad_layer_weight_in(call->layer, call->network->parameters);
}

static clgrad_tensor bias_of(const clgrad_layer_call *call)
{
    return clgrad_layer_bias_in(call->layer, call->network->parameters);
}

/* ---- dense ---- */

/* The pre-activation, or the output where that is enough (also where no backward pass follows). */
static clgrad_tensor pre_activation(const clgrad_layer_call *call)
{
    clgrad_tensor z = call->y;
    if (call->training && call->layer->size.kept_a_row > 0) {
        z.buffer = call->network->workspace;
        z.offset = call->layer->kept;
    }
    return z;
}

static clgrad_status dense_forward(const clgrad_layer_call *call)
{
    return clgrad_dense_forward(call->network->context, &call->layer->layer.activation, call->x,
                                weight_of(call), bias_of(call), pre_activation(call), call->y);
}

clgrad_dense_chain clgrad_layer_chain(const clgrad_layer_call *call, const clgrad_layer_call *below)
{
    clgrad_dense_chain chain = {.given_dz = false};
    if (call->layer->layer.kind == CLGRAD_LAYER_DENSE && below->layer->layer.kind == CLGRAD_LAYER_DENSE &&
        clgrad_dense_chains(call->network->context)) {
        chain.below = &below->layer->layer.activation;
        chain.below_z = pre_activation(below);
    }
    return chain;
}

static clgrad_status dense_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx)
{
    return clgrad_dense_backward_chained(call->network->context, &call->layer->layer.activation, call->x,
                                         weight_of(call), pre_activation(call), dy, dy,
                                         clgrad_layer_weight_in(call->layer, call->gradients),
                                         clgrad_layer_bias_in(call->layer, call->gradients), dx, call->chain);
}

/* ---- elementwise ---- */

static clgrad_status activation_forward(const clgrad_layer_call *call)
{
    return clgrad_activation_forward(call->network->context, &call->layer->layer.activation, call->x,
                                     call->y);
}

static clgrad_status activation_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx)
{
    if (!clgrad_present(dx))
        return CLGRAD_STATUS_SUCCESS;
    return clgrad_activation_backward(call->network->context, &call->layer->layer.activation, call->x, dy,
                                      dx);
}

static clgrad_status prelu_forward(const clgrad_layer_call *call)
{
    return clgrad_prelu_forward(call->network->context, call->x, weight_of(call), call->y);
}

static clgrad_status prelu_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx)
{
    return clgrad_prelu_backward(call->network->context, call->x, weight_of(call), dy, dx,
                                 clgrad_layer_weight_in(call->layer, call->gradients));
}

/* In evaluation the activation of that name, whose slope is the middle of the interval. */
static clgrad_status rrelu_forward(const clgrad_layer_call *call)
{
    const clgrad_layer *layer = &call->layer->layer;
    if (call->training)
        return clgrad_rrelu_forward(call->network->context, layer->lower, layer->upper, call->network->seed,
                                    call->stream, call->x, call->y);
    clgrad_activation evaluation = clgrad_activation_defaults(CLGRAD_ACTIVATION_RRELU);
    evaluation.lower = layer->lower;
    evaluation.upper = layer->upper;
    return clgrad_activation_forward(call->network->context, &evaluation, call->x, call->y);
}

static clgrad_status rrelu_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx)
{
    const clgrad_layer *layer = &call->layer->layer;
    if (!clgrad_present(dx))
        return CLGRAD_STATUS_SUCCESS;
    return clgrad_rrelu_backward(call->network->context, layer->lower, layer->upper, call->network->seed,
                                 call->stream, call->x, dy, dx);
}

static clgrad_status dropout_forward(const clgrad_layer_call *call)
{
    if (!call->training)
        return clgrad_tensor_copy(call->network->context, call->x, call->y);
    return clgrad_dropout_forward(call->network->context, call->layer->layer.p, call->network->seed,
                                  call->stream, call->x, call->y);
}

static clgrad_status dropout_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx)
{
    if (!clgrad_present(dx))
        return CLGRAD_STATUS_SUCCESS;
    return clgrad_dropout_backward(call->network->context, call->layer->layer.p, call->network->seed,
                                   call->stream, dy, dx);
}

/* ---- rows ---- */

static clgrad_status glu_forward(const clgrad_layer_call *call)
{
    return clgrad_glu_forward(call->network->context, call->x, call->y);
}

static clgrad_status glu_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx)
{
    return clgrad_present(dx) ? clgrad_glu_backward(call->network->context, call->x, dy, dx)
                              : CLGRAD_STATUS_SUCCESS;
}

#define SOFTMAX_LAYER(name, kind)                                                                           \
    static clgrad_status name##_forward(const clgrad_layer_call *call)                                      \
    {                                                                                                       \
        return clgrad_softmax_forward(call->network->context, kind, call->x, call->y);                      \
    }                                                                                                       \
    static clgrad_status name##_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx) \
    {                                                                                                       \
        return clgrad_present(dx) ? clgrad_softmax_backward(call->network->context, kind, call->y, dy, dx)  \
                                  : CLGRAD_STATUS_SUCCESS;                                                  \
    }
SOFTMAX_LAYER(softmax, CLGRAD_SOFTMAX_SOFTMAX)
SOFTMAX_LAYER(softmin, CLGRAD_SOFTMAX_SOFTMIN)
SOFTMAX_LAYER(log_softmax, CLGRAD_SOFTMAX_LOG_SOFTMAX)
#undef SOFTMAX_LAYER

/* ---- normalisations ---- */

/* The mean (which 0) and rstd (which 1) that the backward pass needs; absent where none follows. */
static clgrad_tensor statistics_of(const clgrad_layer_call *call, size_t which)
{
    const bool by_row = call->layer->layer.kind == CLGRAD_LAYER_LAYER_NORM;
    const size_t count = by_row ? call->x.shape[0] : call->layer->inputs;
    if (!call->training)
        return clgrad_tensor_none();
    return clgrad_tensor_vector(call->network->workspace, call->layer->kept + which * count,
                                CLGRAD_TYPE_FLOAT32, count);
}

static clgrad_status layer_norm_forward(const clgrad_layer_call *call)
{
    return clgrad_layer_norm_forward(call->network->context, call->layer->layer.eps, call->x, weight_of(call),
                                     bias_of(call), call->y, statistics_of(call, 0), statistics_of(call, 1));
}

static clgrad_status layer_norm_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx)
{
    const clgrad_tensor dweight = clgrad_layer_weight_in(call->layer, call->gradients);
    if (!clgrad_present(dx) && !clgrad_present(dweight))
        return CLGRAD_STATUS_SUCCESS;
    return clgrad_layer_norm_backward(call->network->context, call->x, weight_of(call),
                                      statistics_of(call, 0), statistics_of(call, 1), dy, dx, dweight,
                                      clgrad_layer_bias_in(call->layer, call->gradients));
}

/* Without running statistics evaluation goes by the batch's own, as training does. */
static clgrad_batch_norm batch_norm_of(const clgrad_layer_call *call)
{
    const clgrad_layer *layer = &call->layer->layer;
    return (clgrad_batch_norm){.eps = layer->eps,
                               .momentum = layer->momentum,
                               .training = call->training || !layer->track_running_stats};
}

static clgrad_status batch_norm_forward(const clgrad_layer_call *call)
{
    const clgrad_batch_norm norm = batch_norm_of(call);
    clgrad_tensor running[2] = {clgrad_tensor_none(), clgrad_tensor_none()};
    for (size_t i = 0; i < 2 && call->layer->size.running > 0; i++)
        running[i] = clgrad_tensor_vector(call->network->running_stats.buffer,
                                          call->layer->running + i * call->layer->inputs, CLGRAD_TYPE_FLOAT32,
                                          call->layer->inputs);
    return clgrad_batch_norm_forward(call->network->context, &norm, call->x, weight_of(call), bias_of(call),
                                     running[0], running[1], call->y, statistics_of(call, 0),
                                     statistics_of(call, 1));
}

static clgrad_status batch_norm_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx)
{
    const clgrad_batch_norm norm = batch_norm_of(call);
    const clgrad_tensor dweight = clgrad_layer_weight_in(call->layer, call->gradients);
    if (!clgrad_present(dx) && !clgrad_present(dweight))
        return CLGRAD_STATUS_SUCCESS;
    return clgrad_batch_norm_backward(call->network->context, &norm, call->x, weight_of(call),
                                      statistics_of(call, 0), statistics_of(call, 1), dy, dx, dweight,
                                      clgrad_layer_bias_in(call->layer, call->gradients));
}

static const struct {
    clgrad_status (*forward)(const clgrad_layer_call *call);
    clgrad_status (*backward)(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx);
} passes[] = {
#define ROW(value, identifier, name, ...) [value] = {name##_forward, name##_backward},
    CLGRAD_LAYER_LIST(ROW)
#undef ROW
};

/* While a layer runs its context knows which. */
static void enter(const clgrad_layer_call *call)
{
    call->network->context->layer = 1 + (size_t)(call->layer - call->network->layers);
}

static void leave(const clgrad_layer_call *call)
{
    call->network->context->layer = 0;
}

clgrad_status clgrad_layer_forward(const clgrad_layer_call *call)
{
    enter(call);
    const clgrad_status status = passes[call->layer->layer.kind].forward(call);
    leave(call);
    return status;
}

clgrad_status clgrad_layer_backward(const clgrad_layer_call *call, clgrad_tensor dy, clgrad_tensor dx)
{
    enter(call);
    const clgrad_status status = passes[call->layer->layer.kind].backward(call, dy, dx);
    leave(call);
    return status;
}
