#include "network.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

clgrad_network_options clgrad_network_defaults(void)
{
    return (clgrad_network_options){.loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY),
                                    .optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD),
                                    .clip_norm = INFINITY,
                                    .clip_norm_type = 2,
                                    .clip_value = INFINITY};
}

/* ---- checking the options ---- */

static void check_group(clgrad_check *check, const clgrad_network_options *options, const char *what,
                        int32_t group)
{
    if (group < -1 || group > (int64_t)options->group_count)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "its %s is in group %d, the groups are 0 to %zu, and -1 for what stays as it is",
                          what, (int)group, options->group_count);
}

/* Every layer by itself, and whether it takes what comes out of the one before it. */
static void check_layers(clgrad_check *check, const clgrad_network_options *options)
{
    size_t features = options->inputs;
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < options->layer_count; i++) {
        const clgrad_layer *layer = &options->layers[i];
        char call[64];
        snprintf(call, sizeof call, "%s: layer %zu", check->call, i);
        clgrad_check own = clgrad_check_begin(check->context, call);
        clgrad_layer_check(&own, layer);
        check_group(&own, options, "weight", layer->weight_group);
        check_group(&own, options, "bias", layer->bias_group);
        if (layer->kind == CLGRAD_LAYER_GLU && features % 2 != 0)
            clgrad_check_fail(&own, CLGRAD_STATUS_INVALID_ARGUMENT,
                              "glu halves its inputs, but there are %zu of them", features);
        check->status = own.status;
        if (check->status == CLGRAD_STATUS_SUCCESS)
            features = clgrad_layer_measure(layer, features).outputs;
    }
}

/* The optimizers of all groups: each by itself, and all of one kind. */
static void check_groups(clgrad_check *check, const clgrad_network_options *options)
{
    if (options->group_count == 0) {
        clgrad_optimizer_check(check, &options->optimizer);
        return;
    }
    if (options->group_count >= CLGRAD_OPTIMIZER_MAX_GROUPS)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "there are %zu groups besides the first, at most %d are possible",
                          options->group_count, CLGRAD_OPTIMIZER_MAX_GROUPS - 1);
    clgrad_check_pointer(check, "groups", options->groups);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    clgrad_optimizer groups[CLGRAD_OPTIMIZER_MAX_GROUPS] = {options->optimizer};
    memcpy(groups + 1, options->groups, options->group_count * sizeof *groups);
    clgrad_optimizer_check_groups(check, groups, 1 + options->group_count);
}

static void check_options(clgrad_check *check, const clgrad_network_options *options)
{
    clgrad_check_pointer(check, "options", options);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    if (options->inputs == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "the network has 0 inputs");
    if (options->layer_count == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "the network has 0 layers");
    clgrad_check_pointer(check, "layers", options->layers);
    check_groups(check, options);
    check_layers(check, options);
    clgrad_loss_check(check, &options->loss);
    if (options->loss.reduction == CLGRAD_REDUCTION_NONE)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "the reduction is none, a network needs one number" CLGRAD_START_FROM(
                              "clgrad_network_defaults and clgrad_loss_defaults"));
    if (!(options->clip_norm >= 0) || !(options->clip_value >= 0) || !(options->clip_norm_type > 0))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "clip_norm is %g, clip_value %g and clip_norm_type %g: the first two must be 0 or "
                          "more (INFINITY: no clipping), the last above 0%s",
                          (double)options->clip_norm, (double)options->clip_value,
                          (double)options->clip_norm_type,
                          options->clip_norm_type == 0 ? CLGRAD_START_FROM("clgrad_network_defaults") : "");
}

/* ---- building ---- */

/* Lay parameters and running statistics out one after the other; how many there are, or false. */
static bool lay_out(clgrad_network *network, const clgrad_network_options *options, size_t *parameters,
                    size_t *running)
{
    size_t inputs = options->inputs;
    *parameters = *running = 0;
    for (size_t i = 0; i < options->layer_count; i++) {
        clgrad_network_layer *l = &network->layers[i];
        *l = (clgrad_network_layer){.layer = options->layers[i], .inputs = inputs};
        /* A dense layer works from its output alone where that is enough; others have their input at hand. */
        l->layer.activation.given_output = l->layer.kind == CLGRAD_LAYER_DENSE;
        l->size = clgrad_layer_measure(&l->layer, inputs);
        l->weight = *parameters;
        if (l->size.weight_rank > 0 &&
            !clgrad_add_product(parameters, l->size.weight_shape[0], l->size.weight_shape[1]))
            return false;
        l->bias = *parameters;
        l->running = *running;
        if (!clgrad_add_product(parameters, l->size.bias, 1) ||
            !clgrad_add_product(running, l->size.running, 2))
            return false;
        inputs = l->size.outputs;
    }
    return *parameters <= SIZE_MAX / sizeof(float) && *running <= SIZE_MAX / sizeof(float);
}

/* The end of what has been laid out so far belongs to a group; neighbours of one group share an entry. */
static void extend(int32_t (*ranges)[2], size_t *count, size_t end, int32_t group)
{
    const size_t begin = *count > 0 ? (size_t)ranges[*count - 1][0] : 0;
    if (end == begin)
        return;
    if (*count == 0 || ranges[*count - 1][1] != group)
        ranges[(*count)++][1] = group;
    ranges[*count - 1][0] = (int32_t)end;
}

/*
 * Which parameters belong to which group, for the device; nothing where there is one group and all are in it.
 * (With groups that nothing is in, the state may still have more slots than group 0 alone wants.)
 */
static clgrad_status create_ranges(clgrad_network *network, size_t parameters)
{
    bool needed = network->group_count > 1;
    for (size_t i = 0; i < network->layer_count; i++)
        needed |= network->layers[i].layer.weight_group != 0 || network->layers[i].layer.bias_group != 0;
    if (!needed)
        return CLGRAD_STATUS_SUCCESS;
    if (parameters > INT32_MAX)
        return clgrad_fail(network->context, CLGRAD_STATUS_OUT_OF_RANGE,
                           "network_create: %zu parameters are too many for groups, which count in 31 bits",
                           parameters);
    int32_t(*ranges)[2] = calloc(2 * network->layer_count, sizeof *ranges);
    if (ranges == NULL)
        return clgrad_fail(network->context, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
    size_t count = 0;
    for (size_t i = 0; i < network->layer_count; i++) {
        const clgrad_network_layer *l = &network->layers[i];
        extend(ranges, &count, l->bias, l->layer.weight_group);
        extend(ranges, &count, l->bias + l->size.bias, l->layer.bias_group);
    }
    clgrad_status status =
        clgrad_tensor_create(network->context, CLGRAD_TYPE_INT32, 2, (size_t[]){count, 2}, &network->ranges);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_write(network->context, network->ranges, ranges, count * sizeof *ranges);
    free(ranges);
    return status;
}

static clgrad_status create_zeros(clgrad_context *context, int rank, const size_t *shape,
                                  clgrad_tensor *tensor)
{
    clgrad_status status = clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, rank, shape, tensor);
    return status == CLGRAD_STATUS_SUCCESS ? clgrad_tensor_fill(context, *tensor, 0) : status;
}

/* The arrays that live as long as the network, and what they begin with. */
static clgrad_status create_arrays(clgrad_network *network, size_t parameters, size_t running)
{
    clgrad_context *context = network->context;
    size_t slots = 0;
    for (size_t i = 0; i < network->group_count; i++) {
        const size_t needed = clgrad_optimizer_slots(&network->groups[i]);
        slots = needed > slots ? needed : slots;
    }
    clgrad_status status = create_zeros(context, 1, &parameters, &network->parameters);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = create_zeros(context, 1, &parameters, &network->gradients);
    if (status == CLGRAD_STATUS_SUCCESS && slots > 0)
        status = create_zeros(context, 2, (size_t[]){slots, parameters}, &network->state);
    if (status == CLGRAD_STATUS_SUCCESS && running > 0)
        status = create_zeros(context, 1, &running, &network->running_stats);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = create_ranges(network, parameters);
    for (size_t i = 0; status == CLGRAD_STATUS_SUCCESS && i < network->layer_count; i++)
        status = clgrad_layer_initialize(network, i);
    return status;
}

clgrad_status clgrad_network_create(clgrad_context *context, const clgrad_network_options *options,
                                    clgrad_network **network)
{
    if (network != NULL)
        *network = NULL;
    clgrad_check check = clgrad_check_begin(context, "network_create");
    clgrad_check_pointer(&check, "network", network);
    check_options(&check, options);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;

    clgrad_network *created = NULL;
    size_t bytes = sizeof *created, parameters, running;
    if (clgrad_add_product(&bytes, options->layer_count, sizeof created->layers[0]))
        created = calloc(1, bytes);
    if (created == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_MEMORY,
                           "network_create: the host has no room for %zu layers", options->layer_count);
    created->context = context;
    created->loss = options->loss;
    created->clip_norm = options->clip_norm;
    created->clip_norm_type = options->clip_norm_type;
    created->clip_value = options->clip_value;
    created->seed = options->seed;
    created->groups[0] = options->optimizer;
    created->group_count = 1 + options->group_count;
    for (size_t i = 0; i < options->group_count; i++)
        created->groups[1 + i] = options->groups[i];
    created->layer_count = options->layer_count;

    clgrad_status status;
    if (lay_out(created, options, &parameters, &running))
        status = create_arrays(created, parameters, running);
    else
        status = clgrad_fail(context, CLGRAD_STATUS_OUT_OF_RANGE,
                             "network_create: the number of parameters of %zu layers over %zu inputs "
                             "overflows",
                             options->layer_count, options->inputs);
    if (status == CLGRAD_STATUS_SUCCESS)
        *network = created;
    else
        clgrad_network_destroy(created);
    return status;
}

void clgrad_network_destroy(clgrad_network *network)
{
    if (network == NULL)
        return;
    clgrad_buffer_destroy(network->parameters.buffer);
    clgrad_buffer_destroy(network->gradients.buffer);
    clgrad_buffer_destroy(network->addend.buffer);
    clgrad_buffer_destroy(network->state.buffer);
    clgrad_buffer_destroy(network->running_stats.buffer);
    clgrad_buffer_destroy(network->ranges.buffer);
    clgrad_buffer_destroy(network->workspace);
    free(network);
}
