/*
 * A network's parts, handed out as tensors, and the options that may change while it trains.
 */
#include "network.h"

static bool has_layer(const clgrad_network *network, size_t layer)
{
    return network != NULL && layer < network->layer_count;
}

clgrad_tensor clgrad_network_weight(const clgrad_network *network, size_t layer)
{
    return has_layer(network, layer) ? clgrad_layer_weight_in(&network->layers[layer], network->parameters)
                                     : clgrad_tensor_none();
}

clgrad_tensor clgrad_network_bias(const clgrad_network *network, size_t layer)
{
    return has_layer(network, layer) ? clgrad_layer_bias_in(&network->layers[layer], network->parameters)
                                     : clgrad_tensor_none();
}

clgrad_tensor clgrad_network_weight_gradient(const clgrad_network *network, size_t layer)
{
    return has_layer(network, layer) ? clgrad_layer_weight_in(&network->layers[layer], network->gradients)
                                     : clgrad_tensor_none();
}

clgrad_tensor clgrad_network_bias_gradient(const clgrad_network *network, size_t layer)
{
    return has_layer(network, layer) ? clgrad_layer_bias_in(&network->layers[layer], network->gradients)
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

clgrad_tensor clgrad_network_running_stats(const clgrad_network *network)
{
    return network != NULL ? network->running_stats : clgrad_tensor_none();
}

uint64_t clgrad_network_steps(const clgrad_network *network)
{
    return network != NULL ? network->steps : 0;
}

size_t clgrad_network_layer_count(const clgrad_network *network)
{
    return network != NULL ? network->layer_count : 0;
}

static clgrad_status set_group(clgrad_network *network, const char *call, size_t group,
                               const clgrad_optimizer *optimizer)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_check check = clgrad_check_begin(network->context, call);
    if (group >= network->group_count)
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "there is no group %zu, the groups are 0 to %zu", group, network->group_count - 1);
    clgrad_optimizer_check(&check, optimizer);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    const clgrad_optimizer *old = &network->groups[group];
    if (optimizer->kind != old->kind)
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT, "the network trains with %s, not with %s",
                          clgrad_optimizer_describe(old->kind)->name,
                          clgrad_optimizer_describe(optimizer->kind)->name);
    else if (clgrad_optimizer_slots(optimizer) != clgrad_optimizer_slots(old))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "the network keeps %zu arrays of %s state, %s would need %zu",
                          clgrad_optimizer_slots(old), clgrad_optimizer_describe(old->kind)->name,
                          clgrad_optimizer_describe(optimizer->kind)->name,
                          clgrad_optimizer_slots(optimizer));
    if (check.status == CLGRAD_STATUS_SUCCESS)
        network->groups[group] = *optimizer;
    return check.status;
}

clgrad_status clgrad_network_set_optimizer(clgrad_network *network, const clgrad_optimizer *optimizer)
{
    return set_group(network, "network_set_optimizer", 0, optimizer);
}

clgrad_status clgrad_network_set_group(clgrad_network *network, size_t group,
                                       const clgrad_optimizer *optimizer)
{
    return set_group(network, "network_set_group", group, optimizer);
}
