#include "network.h"

#include <stdio.h>
#include <stdlib.h>

clgrad_layer clgrad_layer_defaults(size_t outputs, clgrad_activation_kind activation)
{
    bool rectifies = activation == CLGRAD_ACTIVATION_RELU || activation == CLGRAD_ACTIVATION_LEAKY_RELU;
    return (clgrad_layer){
        .outputs = outputs,
        .activation = clgrad_activation_defaults(activation),
        .bias = true,
        .initializer = rectifies ? CLGRAD_INITIALIZER_HE_UNIFORM : CLGRAD_INITIALIZER_XAVIER_UNIFORM,
    };
}

clgrad_network_options clgrad_network_defaults(void)
{
    return (clgrad_network_options){.loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY),
                                    .optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD)};
}

/* ---- building ---- */

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
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < options->layer_count; i++) {
        if (options->layers[i].outputs == 0)
            clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "layer %zu has 0 outputs", i);
        if (!clgrad_initializer_exists(options->layers[i].initializer))
            clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                              "layer %zu has the unknown initializer %d", i,
                              (int)options->layers[i].initializer);
        char call[64];
        snprintf(call, sizeof call, "%s: layer %zu", check->call, i);
        clgrad_check layer = clgrad_check_begin(check->context, call);
        if (check->status == CLGRAD_STATUS_SUCCESS)
            clgrad_activation_check(&layer, &options->layers[i].activation);
        if (layer.status != CLGRAD_STATUS_SUCCESS)
            check->status = layer.status;
    }
    clgrad_loss_check(check, &options->loss);
    if (options->loss.reduction == CLGRAD_REDUCTION_NONE)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "the reduction is none, a network needs mean or sum");
    clgrad_optimizer_check(check, &options->optimizer);
}

/* Lay the parameters out one after the other, and return how many there are, or SIZE_MAX. */
static size_t lay_out_parameters(clgrad_network *network, const clgrad_network_options *options)
{
    size_t count = 0, inputs = options->inputs;
    for (size_t i = 0; i < options->layer_count; i++) {
        const clgrad_layer *from = &options->layers[i];
        network_layer *to = &network->layers[i];
        *to = (network_layer){
            .inputs = inputs, .outputs = from->outputs, .activation = from->activation, .bias = NO_BIAS};
        to->weight = count;
        if (!clgrad_add_product(&count, to->outputs, to->inputs))
            return SIZE_MAX;
        if (from->bias) {
            to->bias = count;
            if (!clgrad_add_product(&count, to->outputs, 1))
                return SIZE_MAX;
        }
        inputs = to->outputs;
    }
    return count;
}

static clgrad_status initialize(clgrad_network *network, const clgrad_network_options *options)
{
    clgrad_status status = clgrad_tensor_fill(network->context, network->parameters, 0);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_fill(network->context, network->gradients, 0);
    if (status == CLGRAD_STATUS_SUCCESS && clgrad_present(network->state))
        status = clgrad_tensor_fill(network->context, network->state, 0);
    for (size_t i = 0; status == CLGRAD_STATUS_SUCCESS && i < network->layer_count; i++)
        status = clgrad_random_initialize(network->context, options->layers[i].initializer, options->seed, i,
                                          clgrad_network_weight(network, i));
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
    size_t bytes = sizeof *created;
    if (clgrad_add_product(&bytes, options->layer_count, sizeof created->layers[0]))
        created = calloc(1, bytes);
    if (created == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_MEMORY,
                           "network_create: the host has no room for %zu layers", options->layer_count);
    created->context = context;
    created->loss = options->loss;
    created->optimizer = options->optimizer;
    created->layer_count = options->layer_count;

    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    size_t count = lay_out_parameters(created, options), slots = clgrad_optimizer_slots(&options->optimizer);
    if (count > SIZE_MAX / sizeof(float)) {
        status = clgrad_fail(context, CLGRAD_STATUS_OUT_OF_RANGE,
                             "network_create: the number of parameters overflows");
        goto cleanup;
    }
    status = clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, &count, &created->parameters);
    if (status != CLGRAD_STATUS_SUCCESS)
        goto cleanup;
    status = clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, &count, &created->gradients);
    if (status != CLGRAD_STATUS_SUCCESS)
        goto cleanup;
    if (slots > 0)
        status =
            clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){slots, count}, &created->state);
    if (status != CLGRAD_STATUS_SUCCESS)
        goto cleanup;
    status = initialize(created, options);

cleanup:
    if (status != CLGRAD_STATUS_SUCCESS)
        clgrad_network_destroy(created);
    else
        *network = created;
    return status;
}

void clgrad_network_destroy(clgrad_network *network)
{
    if (network == NULL)
        return;
    clgrad_buffer_destroy(network->parameters.buffer);
    clgrad_buffer_destroy(network->gradients.buffer);
    clgrad_buffer_destroy(network->state.buffer);
    clgrad_buffer_destroy(network->workspace);
    free(network);
}

/* ---- parts of it ---- */

static bool has_layer(const clgrad_network *network, size_t layer)
{
    return network != NULL && layer < network->layer_count;
}

clgrad_tensor clgrad_network_weight(const clgrad_network *network, size_t layer)
{
    return has_layer(network, layer) ? clgrad_network_weight_in(network, network->parameters, layer)
                                     : clgrad_tensor_none();
}

clgrad_tensor clgrad_network_bias(const clgrad_network *network, size_t layer)
{
    return has_layer(network, layer) ? clgrad_network_bias_in(network, network->parameters, layer)
                                     : clgrad_tensor_none();
}

clgrad_tensor clgrad_network_weight_gradient(const clgrad_network *network, size_t layer)
{
    return has_layer(network, layer) ? clgrad_network_weight_in(network, network->gradients, layer)
                                     : clgrad_tensor_none();
}

clgrad_tensor clgrad_network_bias_gradient(const clgrad_network *network, size_t layer)
{
    return has_layer(network, layer) ? clgrad_network_bias_in(network, network->gradients, layer)
                                     : clgrad_tensor_none();
}

clgrad_tensor clgrad_network_parameters(const clgrad_network *network)
{
    return network != NULL ? network->parameters : clgrad_tensor_none();
}

clgrad_tensor clgrad_network_gradients(const clgrad_network *network)
{
    return network != NULL ? network->gradients : clgrad_tensor_none();
}

clgrad_tensor clgrad_network_state(const clgrad_network *network)
{
    return network != NULL ? network->state : clgrad_tensor_none();
}

uint64_t clgrad_network_steps(const clgrad_network *network)
{
    return network != NULL ? network->steps : 0;
}

size_t clgrad_network_layer_count(const clgrad_network *network)
{
    return network != NULL ? network->layer_count : 0;
}

clgrad_status clgrad_network_set_optimizer(clgrad_network *network, const clgrad_optimizer *optimizer)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_check check = clgrad_check_begin(network->context, "network_set_optimizer");
    clgrad_optimizer_check(&check, optimizer);
    if (check.status == CLGRAD_STATUS_SUCCESS &&
        (optimizer->kind != network->optimizer.kind ||
         clgrad_optimizer_slots(optimizer) != clgrad_optimizer_slots(&network->optimizer)))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "the network keeps %zu arrays of %s state, %s would need %zu",
                          clgrad_optimizer_slots(&network->optimizer),
                          clgrad_optimizer_describe(network->optimizer.kind)->name,
                          clgrad_optimizer_describe(optimizer->kind)->name,
                          clgrad_optimizer_slots(optimizer));
    if (check.status == CLGRAD_STATUS_SUCCESS)
        network->optimizer = *optimizer;
    return check.status;
}
