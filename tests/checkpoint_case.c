#include "checkpoint_case.h"

#include "../src/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

clgrad_network_options every_layer(clgrad_layer layers[EVERY_LAYER], clgrad_optimizer optimizer)
{
    layers[0] = clgrad_layer_dense(6, CLGRAD_ACTIVATION_TANH);
    for (int kind = 0; kind < CLGRAD_LAYER_COUNT; kind++) {
        layers[1 + kind] = clgrad_layer_defaults((clgrad_layer_kind)kind);
        layers[1 + kind].activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_ELU);
        if (kind == CLGRAD_LAYER_DENSE)
            layers[1 + kind].outputs = 8;
    }
    layers[EVERY_LAYER - 1] = clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = EVERY_LAYER;
    options.optimizer = optimizer;
    options.seed = 5;
    return options;
}

clgrad_network_options small_network(clgrad_layer layers[SMALL_LAYERS])
{
    layers[0] = clgrad_layer_dense(2, CLGRAD_ACTIVATION_LEAKY_RELU);
    layers[1] = clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM);
    layers[2] = clgrad_layer_defaults(CLGRAD_LAYER_PRELU);
    layers[3] = clgrad_layer_dense(2, CLGRAD_ACTIVATION_IDENTITY);
    layers[3].bias = false;
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 3;
    options.layers = layers;
    options.layer_count = SMALL_LAYERS;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW);
    options.seed = 11;
    return options;
}

training start_small(clgrad_context *context, const clgrad_network_options *options)
{
    const samples s = make_samples(4, options->inputs, 2, false);
    const training t = {build(context, options), upload_x(context, s), upload_target(context, s),
                        scalar_with(context, NAN)};
    samples_free(s);
    return t;
}

static void *bytes_of(clgrad_context *context, clgrad_tensor tensor)
{
    return tensor.buffer != NULL ? tensor_contents(context, tensor) : NULL;
}

moment look_at(clgrad_context *context, const clgrad_network *network)
{
    return (moment){.parameters = bytes_of(context, network->parameters),
                    .state = bytes_of(context, network->state),
                    .running = bytes_of(context, network->running_stats),
                    .gradients = bytes_of(context, network->gradients),
                    .steps = network->steps,
                    .draws = network->draws,
                    .seed = network->seed,
                    .pending = network->pending,
                    .accumulating = network->accumulating,
                    .lr = network->groups[0].lr};
}

void moment_free(moment m)
{
    free(m.parameters);
    free(m.state);
    free(m.running);
    free(m.gradients);
}

void assert_moment_at(clgrad_context *context, const clgrad_network *network, moment m, bool gradients,
                      const char *file, int line)
{
    assert_contents_at(context, network->parameters, m.parameters, "parameters", file, line);
    if (m.state != NULL)
        assert_contents_at(context, network->state, m.state, "state", file, line);
    if (m.running != NULL)
        assert_contents_at(context, network->running_stats, m.running, "running statistics", file, line);
    if (gradients)
        assert_contents_at(context, network->gradients, m.gradients, "gradients", file, line);
    if (network->steps != m.steps || clgrad_network_steps(network) != m.steps || network->draws != m.draws ||
        network->seed != m.seed || network->pending != m.pending || network->accumulating != m.accumulating ||
        network->groups[0].lr != m.lr) {
        print_error(
            "steps %llu (wanted %llu), draws %llu (%llu), seed %llu (%llu), gradients pending %d (%d), "
            "accumulating %d (%d), lr %g (%g)\n",
            (unsigned long long)network->steps, (unsigned long long)m.steps,
            (unsigned long long)network->draws, (unsigned long long)m.draws,
            (unsigned long long)network->seed, (unsigned long long)m.seed, network->pending, m.pending,
            network->accumulating, m.accumulating, (double)network->groups[0].lr, (double)m.lr);
        _fail(file, line);
    }
}
