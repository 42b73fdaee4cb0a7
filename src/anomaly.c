/*
 * A backend around another: every operation is handed on, and then each of its results looked at for NaN and
 * infinities by the backend itself, without a wait. What is found goes the way of a bad index: into the
 * record of faults, which keeps the first, suspends the steps behind it and is reported by the next wait.
 */
#include "check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a look is at: an operation's result. The record of faults holds its place in the context's list. */
typedef struct site {
    const char *operation, *detail, *result; /* detail: the kind of the operation, or "" */
    size_t layer;                            /* as in the context */
    clgrad_tensor tensor;                    /* for its shape */
} site;

/* In the place of the context's watch. */
typedef struct anomalies {
    clgrad_watch watch;
    const clgrad_backend *inner; /* what the context's backend was */
    clgrad_backend watching;     /* and what it is while this exists */
    clgrad_tensor_functions tensor;
    site *sites;
    size_t count, capacity;
} anomalies;

static anomalies *of(const clgrad_context *context)
{
    return (anomalies *)context->watch;
}

static const clgrad_backend *inner(const clgrad_context *context)
{
    return of(context)->inner;
}

/* ---- looking ---- */

/* A result by its name. */
typedef struct result {
    const char *name;
    clgrad_tensor tensor;
} result;

static bool is_same(const site *a, const site *b)
{
    return strcmp(a->operation, b->operation) == 0 && strcmp(a->detail, b->detail) == 0 &&
           strcmp(a->result, b->result) == 0 && a->layer == b->layer && a->tensor.rank == b->tensor.rank &&
           memcmp(a->tensor.shape, b->tensor.shape, sizeof *a->tensor.shape * (size_t)a->tensor.rank) == 0;
}

/* The place of a site in the list, where it is put if it is new; SIZE_MAX without memory. */
static size_t place_of(anomalies *a, const site *wanted)
{
    for (size_t i = 0; i < a->count; i++)
        if (is_same(&a->sites[i], wanted))
            return i;
    if (a->count == a->capacity) {
        const size_t capacity = a->capacity > 0 ? 2 * a->capacity : 64;
        site *sites = realloc(a->sites, capacity * sizeof *sites);
        if (sites == NULL)
            return SIZE_MAX;
        a->sites = sites;
        a->capacity = capacity;
    }
    a->sites[a->count] = *wanted;
    return a->count++;
}

/* Look at count results of an operation that ended with a status. The names are literals. */
static clgrad_status look(clgrad_context *context, clgrad_status status, const char *operation,
                          const char *detail, const result *results, size_t count)
{
    for (size_t i = 0; status == CLGRAD_STATUS_SUCCESS && i < count; i++) {
        const clgrad_tensor tensor = results[i].tensor;
        if (!clgrad_present(tensor) || tensor.type != CLGRAD_TYPE_FLOAT32 || clgrad_tensor_count(tensor) == 0)
            continue;
        const site here = {operation, detail, results[i].name, context->layer, tensor};
        const size_t place = place_of(of(context), &here);
        if (place == SIZE_MAX)
            return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
        status = inner(context)->tensor->look(context, tensor, (int32_t)place);
    }
    return status;
}

#define LOOK(operation, detail, ...)                                  \
    look(context, status, operation, detail, (result[]){__VA_ARGS__}, \
         sizeof((result[]){__VA_ARGS__}) / sizeof(result))

/* ---- the families, each with its results ---- */

static clgrad_status tensor_write(clgrad_context *context, clgrad_tensor tensor, const void *data)
{
    const clgrad_status status = inner(context)->tensor->write(context, tensor, data);
    return LOOK("tensor_write", "", {"the tensor", tensor});
}

static clgrad_status tensor_fill(clgrad_context *context, clgrad_tensor tensor, double value)
{
    const clgrad_status status = inner(context)->tensor->fill(context, tensor, value);
    return LOOK("tensor_fill", "", {"the tensor", tensor});
}

static clgrad_status tensor_copy(clgrad_context *context, clgrad_tensor source, clgrad_tensor destination)
{
    const clgrad_status status = inner(context)->tensor->copy(context, source, destination);
    return LOOK("tensor_copy", "", {"destination", destination});
}

static clgrad_status tensor_axpby(clgrad_context *context, float alpha, clgrad_tensor x, float beta,
                                  clgrad_tensor y)
{
    const clgrad_status status = inner(context)->tensor->axpby(context, alpha, x, beta, y);
    return LOOK("tensor_axpby", "", {"y", y});
}

static clgrad_status tensor_gather(clgrad_context *context, clgrad_tensor source, clgrad_tensor indices,
                                   clgrad_tensor destination)
{
    const clgrad_status status = inner(context)->tensor->gather(context, source, indices, destination);
    return LOOK("tensor_gather", "", {"destination", destination});
}

static const char *activation_name(const clgrad_activation *activation)
{
    return clgrad_activation_describe(activation->kind)->name;
}

static clgrad_status activation_forward(clgrad_context *context, const clgrad_activation *activation,
                                        clgrad_tensor x, clgrad_tensor y)
{
    const clgrad_status status = inner(context)->activation->forward(context, activation, x, y);
    return LOOK("activation_forward", activation_name(activation), {"y", y});
}

static clgrad_status activation_backward(clgrad_context *context, const clgrad_activation *activation,
                                         clgrad_tensor x, clgrad_tensor dy, clgrad_tensor dx)
{
    const clgrad_status status = inner(context)->activation->backward(context, activation, x, dy, dx);
    return LOOK("activation_backward", activation_name(activation), {"dx", dx});
}

static clgrad_status dense_forward(clgrad_context *context, const clgrad_activation *activation,
                                   clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor z,
                                   clgrad_tensor h)
{
    const clgrad_status status = inner(context)->dense->forward(context, activation, x, weight, bias, z, h);
    return LOOK("dense_forward", activation_name(activation), {"z", z}, {"h", h});
}

static clgrad_status dense_backward(clgrad_context *context, const clgrad_activation *activation,
                                    clgrad_tensor x, clgrad_tensor weight, clgrad_tensor z, clgrad_tensor dh,
                                    clgrad_tensor dz, clgrad_tensor dweight, clgrad_tensor dbias,
                                    clgrad_tensor dx, clgrad_dense_chain chain)
{
    const clgrad_status status =
        inner(context)->dense->backward(context, activation, x, weight, z, dh, dz, dweight, dbias, dx, chain);
    return LOOK("dense_backward", activation_name(activation), {"dz", dz}, {"dweight", dweight},
                {"dbias", dbias}, {"dx", dx});
}

static bool dense_chains(clgrad_context *context)
{
    return inner(context)->dense->chains(context);
}

static clgrad_status loss_evaluate(clgrad_context *context, const clgrad_loss *loss,
                                   const clgrad_loss_inputs *inputs, clgrad_tensor dvalue,
                                   clgrad_tensor value, const clgrad_loss_gradients *gradients)
{
    const clgrad_status status =
        inner(context)->loss->evaluate(context, loss, inputs, dvalue, value, gradients);
    return LOOK("loss_evaluate", clgrad_loss_describe(loss->kind)->name, {"value", value},
                {"dprediction", gradients->dprediction}, {"dtarget", gradients->dtarget},
                {"dother", gradients->dother});
}

static clgrad_status optimizer_step(clgrad_context *context, const clgrad_optimizer *groups,
                                    size_t group_count, clgrad_tensor ranges, uint64_t step,
                                    clgrad_tensor gradient, clgrad_tensor parameters, clgrad_tensor state)
{
    const clgrad_status status = inner(context)->optimizer->step(context, groups, group_count, ranges, step,
                                                                 gradient, parameters, state);
    return LOOK("optimizer_step", clgrad_optimizer_describe(groups->kind)->name, {"parameters", parameters},
                {"state", state});
}

static clgrad_status softmax_forward(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor x,
                                     clgrad_tensor y)
{
    const clgrad_status status = inner(context)->softmax->forward(context, kind, x, y);
    return LOOK("softmax_forward", clgrad_softmax_describe(kind)->name, {"y", y});
}

static clgrad_status softmax_backward(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor y,
                                      clgrad_tensor dy, clgrad_tensor dx)
{
    const clgrad_status status = inner(context)->softmax->backward(context, kind, y, dy, dx);
    return LOOK("softmax_backward", clgrad_softmax_describe(kind)->name, {"dx", dx});
}

static clgrad_status prelu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor y)
{
    const clgrad_status status = inner(context)->gated->prelu_forward(context, x, weight, y);
    return LOOK("prelu_forward", "", {"y", y});
}

static clgrad_status prelu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight)
{
    const clgrad_status status = inner(context)->gated->prelu_backward(context, x, weight, dy, dx, dweight);
    return LOOK("prelu_backward", "", {"dx", dx}, {"dweight", dweight});
}

static clgrad_status glu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor y)
{
    const clgrad_status status = inner(context)->gated->glu_forward(context, x, y);
    return LOOK("glu_forward", "", {"y", y});
}

static clgrad_status glu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor dy,
                                  clgrad_tensor dx)
{
    const clgrad_status status = inner(context)->gated->glu_backward(context, x, dy, dx);
    return LOOK("glu_backward", "", {"dx", dx});
}

static clgrad_status dropout(clgrad_context *context, float p, uint64_t seed, uint64_t stream,
                             clgrad_tensor x, clgrad_tensor y)
{
    const clgrad_status status = inner(context)->noise->dropout(context, p, seed, stream, x, y);
    return LOOK("dropout", "", {"the result", y});
}

static clgrad_status rrelu(clgrad_context *context, float lower, float upper, uint64_t seed, uint64_t stream,
                           clgrad_tensor x, clgrad_tensor times, clgrad_tensor out)
{
    const clgrad_status status =
        inner(context)->noise->rrelu(context, lower, upper, seed, stream, x, times, out);
    return LOOK("rrelu", "", {"the result", out});
}

static clgrad_status layer_forward(clgrad_context *context, float eps, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor bias, clgrad_tensor y, clgrad_tensor mean,
                                   clgrad_tensor rstd)
{
    const clgrad_status status =
        inner(context)->normalization->layer_forward(context, eps, x, weight, bias, y, mean, rstd);
    return LOOK("layer_norm_forward", "", {"mean", mean}, {"rstd", rstd}, {"y", y});
}

static clgrad_status layer_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor mean, clgrad_tensor rstd, clgrad_tensor dy,
                                    clgrad_tensor dx, clgrad_tensor dweight, clgrad_tensor dbias)
{
    const clgrad_status status =
        inner(context)->normalization->layer_backward(context, x, weight, mean, rstd, dy, dx, dweight, dbias);
    return LOOK("layer_norm_backward", "", {"dx", dx}, {"dweight", dweight}, {"dbias", dbias});
}

static clgrad_status batch_forward(clgrad_context *context, const clgrad_batch_norm *norm, clgrad_tensor x,
                                   clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor running_mean,
                                   clgrad_tensor running_var, clgrad_tensor y, clgrad_tensor mean,
                                   clgrad_tensor rstd)
{
    const clgrad_status status = inner(context)->normalization->batch_forward(
        context, norm, x, weight, bias, running_mean, running_var, y, mean, rstd);
    return LOOK("batch_norm_forward", "", {"mean", mean}, {"rstd", rstd}, {"running_mean", running_mean},
                {"running_var", running_var}, {"y", y});
}

static clgrad_status batch_backward(clgrad_context *context, const clgrad_batch_norm *norm, clgrad_tensor x,
                                    clgrad_tensor weight, clgrad_tensor mean, clgrad_tensor rstd,
                                    clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight,
                                    clgrad_tensor dbias)
{
    const clgrad_status status = inner(context)->normalization->batch_backward(context, norm, x, weight, mean,
                                                                               rstd, dy, dx, dweight, dbias);
    return LOOK("batch_norm_backward", "", {"dx", dx}, {"dweight", dweight}, {"dbias", dbias});
}

static clgrad_status clip_norm(clgrad_context *context, float max_norm, float norm_type,
                               clgrad_tensor gradient, clgrad_tensor total_norm)
{
    const clgrad_status status =
        inner(context)->clip->norm(context, max_norm, norm_type, gradient, total_norm);
    return LOOK("clip_grad_norm", "", {"total_norm", total_norm}, {"gradient", gradient});
}

static clgrad_status clip_value(clgrad_context *context, float value, clgrad_tensor gradient)
{
    const clgrad_status status = inner(context)->clip->value(context, value, gradient);
    return LOOK("clip_grad_value", "", {"gradient", gradient});
}

static const clgrad_activation_functions activations = {activation_forward, activation_backward};
static const clgrad_dense_functions denses = {dense_forward, dense_backward, dense_chains};
static const clgrad_loss_functions losses = {loss_evaluate};
static const clgrad_optimizer_functions optimizers = {optimizer_step};
static const clgrad_softmax_functions softmaxes = {softmax_forward, softmax_backward};
static const clgrad_gated_functions gates = {prelu_forward, prelu_backward, glu_forward, glu_backward};
static const clgrad_noise_functions noises = {dropout, rrelu};
static const clgrad_normalization_functions normalizations = {layer_forward, layer_backward, batch_forward,
                                                              batch_backward};
static const clgrad_clip_functions clips = {clip_norm, clip_value};

/* ---- on, off, and what it found ---- */

static void end(clgrad_context *context)
{
    anomalies *a = of(context);
    context->backend = a->inner;
    context->watch = NULL;
    free(a->sites);
    free(a);
}

static void forget(clgrad_context *context)
{
    of(context)->count = 0;
}

/* "layer 2: dense_forward relu" */
static void write_operation(const site *at, char text[128])
{
    char layer[32] = "";
    if (at->layer > 0)
        snprintf(layer, sizeof layer, "layer %zu: ", at->layer - 1);
    snprintf(text, 128, "%s%s%s%s", layer, at->operation, at->detail[0] != '\0' ? " " : "", at->detail);
}

static clgrad_status report(clgrad_context *context, clgrad_fault fault)
{
    char operation[128];
    float value;
    const site *at = &of(context)->sites[fault.limit];
    memcpy(&value, &fault.value, sizeof value);
    write_operation(at, operation);
    return clgrad_fail(context, CLGRAD_STATUS_NOT_FINITE, "%s gave %s at element %d%s of %s %s", operation,
                       isnan(value) ? "nan"
                       : value > 0  ? "inf"
                                    : "-inf",
                       fault.position, fault.position == INT32_MAX ? " or later" : "", at->result,
                       clgrad_write_shape(at->tensor.rank, at->tensor.shape).text);
}

static anomalies *around(const clgrad_backend *backend)
{
    anomalies *a = calloc(1, sizeof *a);
    if (a == NULL)
        return NULL;
    a->watch = (clgrad_watch){end, forget, report};
    a->inner = backend;
    a->tensor = *backend->tensor; /* allocate, release, read and look stay as they are */
    a->tensor.write = tensor_write;
    a->tensor.fill = tensor_fill;
    a->tensor.copy = tensor_copy;
    a->tensor.axpby = tensor_axpby;
    a->tensor.gather = tensor_gather;
    a->watching = (clgrad_backend){
        .context = backend->context,
        .tensor = &a->tensor,
        .activation = &activations,
        .dense = &denses,
        .loss = &losses,
        .optimizer = &optimizers,
        .softmax = &softmaxes,
        .gated = &gates,
        .noise = &noises,
        .normalization = &normalizations,
        .clip = &clips,
    };
    return a;
}

clgrad_status clgrad_context_detect_anomaly(clgrad_context *context, bool enabled)
{
    if (context == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    if (enabled == (context->watch != NULL))
        return CLGRAD_STATUS_SUCCESS;
    if (!enabled) {
        const clgrad_status status = clgrad_context_finish(context);
        end(context);
        return status;
    }
    anomalies *a = around(context->backend);
    if (a == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
    context->watch = &a->watch;
    context->backend = &a->watching;
    return CLGRAD_STATUS_SUCCESS;
}
