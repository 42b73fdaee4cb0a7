#include "conformance_fault.h"

#include "internal.h"

#include <signal.h>

static struct {
    const clgrad_backend *original;
    clgrad_backend backend;
    clgrad_tensor_functions tensor;
    clgrad_activation_functions activation;
    clgrad_gated_functions gated;
    clgrad_softmax_functions softmax;
    clgrad_noise_functions noise;
    clgrad_normalization_functions normalization;
    clgrad_dense_functions dense;
    clgrad_loss_functions loss;
    clgrad_clip_functions clip;
    clgrad_optimizer_functions optimizer;
    fault_place place;
    size_t index;
} fault;

static clgrad_tensor element(clgrad_tensor tensor, size_t index)
{
    return clgrad_tensor_vector(tensor.buffer, tensor.offset + index, CLGRAD_TYPE_FLOAT32, 1);
}

static clgrad_status spoil(clgrad_context *context, clgrad_status status, clgrad_tensor tensor)
{
    if (status != CLGRAD_STATUS_SUCCESS || !clgrad_present(tensor) ||
        clgrad_tensor_count(tensor) <= fault.index)
        return status;
    float number = 0;
    const clgrad_tensor spoiled = element(tensor, fault.index);
    status = fault.original->tensor->read(context, spoiled, &number);
    number = number * 1.5f + 1;
    return status != CLGRAD_STATUS_SUCCESS ? status
                                           : fault.original->tensor->write(context, spoiled, &number);
}

/* ---- the functions that take the places of the original ones ---- */

static clgrad_status gather(clgrad_context *context, clgrad_tensor source, clgrad_tensor indices,
                            clgrad_tensor destination)
{
    const clgrad_status status = fault.original->tensor->gather(context, source, indices, destination);
    return spoil(context, status, destination);
}

static clgrad_status write_float(clgrad_context *context, clgrad_tensor tensor, const void *data)
{
    const clgrad_status status = fault.original->tensor->write(context, tensor, data);
    return tensor.type == CLGRAD_TYPE_FLOAT32 ? spoil(context, status, tensor) : status;
}

static clgrad_status activation_forward(clgrad_context *context, const clgrad_activation *activation,
                                        clgrad_tensor x, clgrad_tensor y)
{
    if (fault.place == FAULT_MISH_REFUSES && activation->kind == CLGRAD_ACTIVATION_MISH)
        return clgrad_fail(context, CLGRAD_STATUS_DEVICE_ERROR, "a driver that is out of sorts");
    if (fault.place == FAULT_MISH_CRASHES && activation->kind == CLGRAD_ACTIVATION_MISH)
        raise((int)fault.index);
    const clgrad_status status = fault.original->activation->forward(context, activation, x, y);
    const float number = 1;
    if (fault.place == FAULT_SELU_OUTSIDE && activation->kind == CLGRAD_ACTIVATION_SELU &&
        status == CLGRAD_STATUS_SUCCESS && clgrad_tensor_count(y) > fault.index)
        return fault.original->tensor->write(context, element(y, clgrad_tensor_count(y)), &number);
    return status;
}

static clgrad_status activation_backward(clgrad_context *context, const clgrad_activation *activation,
                                         clgrad_tensor x, clgrad_tensor dy, clgrad_tensor dx)
{
    const clgrad_status status = fault.original->activation->backward(context, activation, x, dy, dx);
    return activation->kind == CLGRAD_ACTIVATION_GELU ? spoil(context, status, dx) : status;
}

static clgrad_status prelu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor y)
{
    return spoil(context, fault.original->gated->prelu_forward(context, x, weight, y), y);
}

static clgrad_status prelu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight)
{
    return spoil(context, fault.original->gated->prelu_backward(context, x, weight, dy, dx, dweight), dx);
}

static clgrad_status softmax_forward(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor x,
                                     clgrad_tensor y)
{
    const clgrad_status status = fault.original->softmax->forward(context, kind, x, y);
    return kind == CLGRAD_SOFTMAX_SOFTMAX ? spoil(context, status, y) : status;
}

static clgrad_status dropout(clgrad_context *context, float p, uint64_t seed, uint64_t stream,
                             clgrad_tensor x, clgrad_tensor y)
{
    return spoil(context, fault.original->noise->dropout(context, p, seed, stream, x, y), y);
}

static clgrad_status layer_forward(clgrad_context *context, float eps, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor bias, clgrad_tensor y, clgrad_tensor mean,
                                   clgrad_tensor rstd)
{
    return spoil(context,
                 fault.original->normalization->layer_forward(context, eps, x, weight, bias, y, mean, rstd),
                 y);
}

static clgrad_status dense_forward(clgrad_context *context, const clgrad_activation *activation,
                                   clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor z,
                                   clgrad_tensor h)
{
    return spoil(context, fault.original->dense->forward(context, activation, x, weight, bias, z, h), h);
}

static clgrad_status evaluate(clgrad_context *context, const clgrad_loss *loss,
                              const clgrad_loss_inputs *inputs, clgrad_tensor dvalue, clgrad_tensor value,
                              const clgrad_loss_gradients *gradients)
{
    const clgrad_status status =
        fault.original->loss->evaluate(context, loss, inputs, dvalue, value, gradients);
    return loss->kind == CLGRAD_LOSS_MSE ? spoil(context, status, gradients->dprediction) : status;
}

static clgrad_status clip_norm(clgrad_context *context, float max_norm, float norm_type,
                               clgrad_tensor gradient, clgrad_tensor total_norm)
{
    const clgrad_status status =
        fault.original->clip->norm(context, max_norm, norm_type, gradient, total_norm);
    return norm_type >= 3 && norm_type <= 3 ? spoil(context, status, total_norm) : status;
}

static clgrad_status take_step(clgrad_context *context, const clgrad_optimizer *groups, size_t group_count,
                               clgrad_tensor ranges, uint64_t number, clgrad_tensor gradient,
                               clgrad_tensor parameters, clgrad_tensor state)
{
    const clgrad_status status = fault.original->optimizer->step(context, groups, group_count, ranges, number,
                                                                 gradient, parameters, state);
    const bool meant =
        groups->kind == CLGRAD_OPTIMIZER_ADAM && clgrad_present(ranges) == (fault.place == FAULT_ADAM_GROUPS);
    return meant ? spoil(context, status, parameters) : status;
}

/* ---- putting them there ---- */

#define REPLACE(family, member, function)       \
    do {                                        \
        fault.family = *fault.original->family; \
        fault.family.member = (function);       \
        fault.backend.family = &fault.family;   \
    } while (0)

void fault_inject(clgrad_context *context, fault_place place, size_t index)
{
    fault.original = context->backend;
    fault.backend = *context->backend;
    fault.place = place;
    fault.index = index;
    switch (place) {
    case FAULT_GATHER:
        REPLACE(tensor, gather, gather);
        break;
    case FAULT_WRITE:
        REPLACE(tensor, write, write_float);
        break;
    case FAULT_GELU_BACKWARD:
        REPLACE(activation, backward, activation_backward);
        break;
    case FAULT_MISH_REFUSES:
    case FAULT_MISH_CRASHES:
    case FAULT_SELU_OUTSIDE:
        REPLACE(activation, forward, activation_forward);
        break;
    case FAULT_PRELU_FORWARD:
        REPLACE(gated, prelu_forward, prelu_forward);
        break;
    case FAULT_PRELU_BACKWARD:
        REPLACE(gated, prelu_backward, prelu_backward);
        break;
    case FAULT_SOFTMAX_FORWARD:
        REPLACE(softmax, forward, softmax_forward);
        break;
    case FAULT_DROPOUT:
        REPLACE(noise, dropout, dropout);
        break;
    case FAULT_LAYER_NORM:
        REPLACE(normalization, layer_forward, layer_forward);
        break;
    case FAULT_DENSE_FORWARD:
        REPLACE(dense, forward, dense_forward);
        break;
    case FAULT_MSE:
        REPLACE(loss, evaluate, evaluate);
        break;
    case FAULT_NORM:
        REPLACE(clip, norm, clip_norm);
        break;
    case FAULT_ADAM:
    case FAULT_ADAM_GROUPS:
        REPLACE(optimizer, step, take_step);
        break;
    }
    context->backend = &fault.backend;
}

void fault_remove(clgrad_context *context)
{
    context->backend = fault.original;
}
