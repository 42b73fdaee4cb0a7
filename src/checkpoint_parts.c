/*
 * A network's arrays by name, made from its list of layers and its optimizers' slots alone.
 */
#include "checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

clgrad_tensor clgrad_flat_of(const clgrad_network *network, clgrad_flat flat)
{
    const clgrad_tensor flats[CLGRAD_FLATS] = {[CLGRAD_FLAT_PARAMETERS] = network->parameters,
                                               [CLGRAD_FLAT_RUNNING] = network->running_stats,
                                               [CLGRAD_FLAT_STATE] = network->state,
                                               [CLGRAD_FLAT_GRADIENTS] = network->gradients};
    return flats[flat];
}

/* ---- one part ---- */

/* PREFIXlayers.N.NAME, a tensor's shape at an offset in a flat array; nothing for an absent tensor. */
static void add(clgrad_parts *parts, const char *prefix, size_t layer, const char *name, clgrad_flat flat,
                size_t offset, clgrad_tensor tensor)
{
    if (!clgrad_present(tensor))
        return;
    clgrad_part *part = &parts->each[parts->count++];
    *part = (clgrad_part){.flat = flat, .offset = offset, .rank = (size_t)tensor.rank};
    memcpy(part->shape, tensor.shape, sizeof part->shape);
    snprintf(part->name, sizeof part->name, "%slayers.%zu.%s", prefix, layer, name);
}

/* A layer's weight and bias, or what lies in another array as they do, first elements on. */
static void add_parameters(clgrad_parts *parts, const clgrad_network *network, const char *prefix, size_t i,
                           clgrad_flat flat, size_t first)
{
    const clgrad_network_layer *l = &network->layers[i];
    add(parts, prefix, i, "weight", flat, first + l->weight, clgrad_layer_weight_in(l, network->parameters));
    add(parts, prefix, i, "bias", flat, first + l->bias, clgrad_layer_bias_in(l, network->parameters));
}

static void add_running(clgrad_parts *parts, const clgrad_network *network, size_t i)
{
    const clgrad_network_layer *l = &network->layers[i];
    if (l->size.running == 0)
        return;
    const clgrad_tensor shape =
        clgrad_tensor_vector(network->running_stats.buffer, 0, CLGRAD_TYPE_FLOAT32, l->size.running);
    add(parts, "", i, "running_mean", CLGRAD_FLAT_RUNNING, l->running, shape);
    add(parts, "", i, "running_var", CLGRAD_FLAT_RUNNING, l->running + l->size.running, shape);
}

/* "optimizer.exp_avg." for a slot of an optimizer. */
static void name_slot(const clgrad_optimizer *optimizer, size_t slot, char *prefix, size_t size)
{
    const char *name = clgrad_optimizer_slot_names(optimizer);
    for (size_t i = 0; i < slot; i++)
        name += strcspn(name, " ") + 1;
    snprintf(prefix, size, "optimizer.%.*s.", (int)strcspn(name, " "), name);
}

/* The slots that a weight's or a bias's group has. */
static void add_slots(clgrad_parts *parts, const clgrad_network *network, size_t i, const char *name,
                      int32_t group, size_t offset, clgrad_tensor tensor)
{
    const size_t slots = group < 0 ? 0 : clgrad_optimizer_slots(&network->groups[group]);
    for (size_t slot = 0; slot < slots; slot++) {
        char prefix[64];
        name_slot(&network->groups[group], slot, prefix, sizeof prefix);
        add(parts, prefix, i, name, CLGRAD_FLAT_STATE, slot * network->parameters.shape[0] + offset, tensor);
    }
}

/* ---- all of them ---- */

bool clgrad_parts_create(const clgrad_network *network, bool all, bool pending, clgrad_parts *parts)
{
    const size_t slots = clgrad_present(network->state) ? network->state.shape[0] : 0;
    *parts = (clgrad_parts){calloc(network->layer_count, (6 + 2 * slots) * sizeof *parts->each), 0, {NULL}};
    if (parts->each == NULL)
        return false;
    for (clgrad_flat flat = 0; flat < CLGRAD_FLATS; flat++) {
        const clgrad_tensor tensor = clgrad_flat_of(network, flat);
        const size_t count = clgrad_present(tensor) ? clgrad_tensor_count(tensor) : 0;
        parts->numbers[flat] = calloc(count > 0 ? count : 1, sizeof(float));
        if (parts->numbers[flat] == NULL)
            return false;
    }
    for (size_t i = 0; i < network->layer_count; i++) {
        add_parameters(parts, network, "", i, CLGRAD_FLAT_PARAMETERS, 0);
        add_running(parts, network, i);
    }
    for (size_t i = 0; all && i < network->layer_count; i++) {
        const clgrad_network_layer *l = &network->layers[i];
        add_slots(parts, network, i, "weight", l->layer.weight_group, l->weight,
                  clgrad_layer_weight_in(l, network->parameters));
        add_slots(parts, network, i, "bias", l->layer.bias_group, l->bias,
                  clgrad_layer_bias_in(l, network->parameters));
    }
    for (size_t i = 0; all && pending && i < network->layer_count; i++)
        add_parameters(parts, network, "gradients.", i, CLGRAD_FLAT_GRADIENTS, 0);
    return true;
}

void clgrad_parts_destroy(clgrad_parts *parts)
{
    free(parts->each);
    for (clgrad_flat flat = 0; flat < CLGRAD_FLATS; flat++)
        free(parts->numbers[flat]);
    *parts = (clgrad_parts){0};
}
