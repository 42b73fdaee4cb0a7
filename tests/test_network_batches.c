/*
 * A network of many kinds of layers on batches of different sizes, one after the other: the room for
 * intermediate results grows and is used again, and what was in it before does not matter.
 */
#include "harness.h"
#include "network_oracle.h"

#include "internal.h"
#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEEP = 9 };

static clgrad_network_options deep_network(clgrad_layer layers[DEEP])
{
    layers[0] = clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM);
    layers[1] = clgrad_layer_dense(10, CLGRAD_ACTIVATION_GELU);
    layers[2] = clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM);
    layers[3] = clgrad_layer_defaults(CLGRAD_LAYER_PRELU);
    layers[4] = clgrad_layer_defaults(CLGRAD_LAYER_GLU);
    layers[5] = clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT);
    layers[6] = clgrad_layer_activation(CLGRAD_ACTIVATION_TANH);
    layers[7] = clgrad_layer_defaults(CLGRAD_LAYER_RRELU);
    layers[8] = clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = DEEP;
    options.seed = 4;
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    options.clip_norm = 1;
    return options;
}

static const size_t sizes[] = {2, 9, 3, 1, 9, 5};

/* Each size twice, in evaluation and, but for a single row, in training. */
static void run_all(clgrad_context *context, training t, float *losses)
{
    for (size_t i = 0; i < COUNT(sizes); i++) {
        const clgrad_tensor x = clgrad_tensor_rows(t.x, 0, sizes[i]),
                            target = clgrad_tensor_rows(t.target, 0, sizes[i]);
        assert_ok(context, clgrad_network_evaluate(t.network, x, target, t.loss));
        losses[2 * i] = tensor_scalar_value(context, t.loss);
        if (sizes[i] > 1)
            assert_ok(context, clgrad_network_train_step(t.network, x, target, t.loss));
        losses[2 * i + 1] = tensor_scalar_value(context, t.loss);
    }
}

/* Also where there was room for more from the beginning, with NaN in it. */
static void what_was_there_does_not_matter(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    const clgrad_network_options options = deep_network(layers);
    training growing = start(context, &options), large = start(context, &options);
    float losses[2 * COUNT(sizes)], again[2 * COUNT(sizes)];
    run_all(context, growing, losses);
    const size_t bytes = clgrad_buffer_bytes(growing.network->workspace);

    clgrad_buffer *room = NULL; /* twice as much as any call has needed */
    assert_ok(context, clgrad_buffer_create(context, 2 * bytes, &room));
    assert_ok(
        context,
        clgrad_tensor_fill(
            context, clgrad_tensor_vector(room, 0, CLGRAD_TYPE_FLOAT32, 2 * bytes / sizeof(float)), NAN));
    large.network->workspace = room;
    run_all(context, large, again);
    assert_ptr_equal(large.network->workspace, room);
    assert_same_floats(again, losses, COUNT(losses));
    const clgrad_tensor pairs[][2] = {
        {clgrad_network_parameters(growing.network), clgrad_network_parameters(large.network)},
        {clgrad_network_gradients(growing.network), clgrad_network_gradients(large.network)},
        {clgrad_network_state(growing.network), clgrad_network_state(large.network)},
        {clgrad_network_running_stats(growing.network), clgrad_network_running_stats(large.network)},
    };
    for (size_t i = 0; i < COUNT(pairs); i++) {
        float *wanted = tensor_floats(context, pairs[i][0]);
        for (size_t k = 0; k < clgrad_tensor_count(pairs[i][0]); k++)
            assert_true(isfinite(wanted[k]));
        assert_holds(context, pairs[i][1], wanted);
        free(wanted);
    }
    stop(context, growing);
    stop(context, large);
}

/* Room for the largest batch so far, in training more than in evaluation; a destroyed network leaves none. */
static void room_grows_and_is_used_again(clgrad_context *context)
{
    const size_t outside = context->references;
    clgrad_layer layers[DEEP];
    const clgrad_network_options options = deep_network(layers);
    training t = start(context, &options);
    const size_t built = context->references;
    clgrad_network *network = t.network;
    assert_ok(context, clgrad_network_evaluate(network, clgrad_tensor_rows(t.x, 0, 5),
                                               clgrad_tensor_rows(t.target, 0, 5), t.loss));
    const size_t few = clgrad_buffer_bytes(network->workspace);
    assert_ok(context, clgrad_network_evaluate(network, t.x, t.target, t.loss));
    const size_t evaluation = clgrad_buffer_bytes(network->workspace);
    step(context, t);
    const clgrad_buffer *room = network->workspace;
    assert_true(few < evaluation && evaluation < clgrad_buffer_bytes(room));
    float losses[2 * COUNT(sizes)];
    run_all(context, t, losses);
    assert_ptr_equal(network->workspace, room);
    assert_int_equal(context->references, built + 1);
    stop(context, t);
    assert_int_equal(context->references, outside);
}

/* A batch of no rows: the mean of nothing is NaN, the sum 0, and no parameter moves. */
static void no_rows_change_nothing(clgrad_context *context)
{
    const clgrad_layer layers[] = {
        clgrad_layer_dense(5, CLGRAD_ACTIVATION_TANH), clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM),
        clgrad_layer_defaults(CLGRAD_LAYER_PRELU), clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT),
        clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    options.clip_norm = 1;
    for (int sums = 0; sums < 2; sums++) {
        options.loss.reduction = sums ? CLGRAD_REDUCTION_SUM : CLGRAD_REDUCTION_MEAN;
        training t = start(context, &options);
        void *before = tensor_contents(context, clgrad_network_parameters(t.network));
        const clgrad_tensor x = clgrad_tensor_rows(t.x, 9, 0), target = clgrad_tensor_rows(t.target, 9, 0);
        assert_ok(context, clgrad_network_train_step(t.network, x, target, t.loss));
        const float trained = tensor_scalar_value(context, t.loss);
        assert_ok(context, clgrad_network_evaluate(t.network, x, target, t.loss));
        const float evaluated = tensor_scalar_value(context, t.loss);
        assert_true(sums ? trained == 0 && evaluated == 0 : isnan(trained) && isnan(evaluated));
        assert_contents(context, clgrad_network_parameters(t.network), before);
        float *gradients = tensor_floats(context, clgrad_network_gradients(t.network));
        for (size_t i = 0; i < clgrad_tensor_count(clgrad_network_gradients(t.network)); i++)
            assert_true(gradients[i] == 0);
        assert_int_equal(clgrad_network_steps(t.network), 1);
        free(gradients);
        free(before);
        stop(context, t);
    }
}

/* Of one class every row is: the loss is 0, and so is the gradient. */
static void one_class_has_nothing_to_learn(clgrad_context *context)
{
    const clgrad_layer layer = clgrad_layer_dense(1, CLGRAD_ACTIVATION_IDENTITY);
    const int32_t zeros[3] = {0};
    const float inputs[6] = {1, -2, 3, 0.5f, 100, -100};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 2;
    options.layers = &layer;
    options.layer_count = 1;
    clgrad_network *network;
    assert_ok(context, clgrad_network_create(context, &options, &network));
    void *before = tensor_contents(context, clgrad_network_parameters(network));
    clgrad_tensor x = matrix_with(context, 3, 2, inputs), loss = scalar_with(context, NAN);
    clgrad_tensor target = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){3}, zeros);
    assert_ok(context, clgrad_network_train_step(network, x, target, loss));
    assert_true(tensor_scalar_value(context, loss) == 0);
    assert_contents(context, clgrad_network_parameters(network), before);
    free(before);
    clgrad_network_destroy(network);
    tensor_free(context, x);
    tensor_free(context, target);
    tensor_free(context, loss);
}

int main(void)
{
    const test_case cases[] = {
        CASE(what_was_there_does_not_matter),
        CASE(room_grows_and_is_used_again),
        CASE(no_rows_change_nothing),
        CASE(one_class_has_nothing_to_learn),
    };
    return run_on_every_device(cases, COUNT(cases));
}
