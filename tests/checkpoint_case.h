/*
 * Networks for the tests of checkpoints, and all that a checkpoint is about at one moment.
 */
#ifndef CHECKPOINT_CASE_H
#define CHECKPOINT_CASE_H

#include "folder.h"
#include "harness.h"
#include "network_oracle.h"

enum { EVERY_LAYER = CLGRAD_LAYER_COUNT + 2, SMALL_LAYERS = 4 };

/* 4 inputs, a layer of every kind at its defaults between two dense ones, 3 classes. */
clgrad_network_options every_layer(clgrad_layer layers[EVERY_LAYER], clgrad_optimizer optimizer);

/* 3 -> dense 2 -> batch_norm -> prelu -> dense 2 without a bias, as
 * tests/golden/python_parameters.safetensors; mse, adamw. */
clgrad_network_options small_network(clgrad_layer layers[SMALL_LAYERS]);

/* A small network with a batch of 4 rows, and a step of it. */
training start_small(clgrad_context *context, const clgrad_network_options *options);

/* A network at one moment: bytes of its arrays (NULL where it has none), and numbers. */
typedef struct moment {
    void *parameters, *state, *running, *gradients;
    uint64_t steps, draws, seed;
    bool pending, accumulating;
    float lr;
} moment;

moment look_at(clgrad_context *context, const clgrad_network *network);
void moment_free(moment m);

/* Everything is as it was; or everything but the gradients of a step that has been made. */
#define assert_moment(context, network, m) assert_moment_at(context, network, m, true, __FILE__, __LINE__)
#define assert_moment_resumed(context, network, m) \
    assert_moment_at(context, network, m, (m).pending, __FILE__, __LINE__)
void assert_moment_at(clgrad_context *context, const clgrad_network *network, moment m, bool gradients,
                      const char *file, int line);

#endif
