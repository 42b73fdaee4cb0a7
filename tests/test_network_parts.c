/*
 * What a network is made of: initial weights, the parts that can be reached, the optimizer that can be
 * changed.
 */
#include "harness.h"
#include "network_oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- initial weights ---- */

/* The same bits on every device, hence the reference's. */
static void same_seed_same_weights(clgrad_context *context)
{
    clgrad_context *reference = NULL;
    assert_int_equal(clgrad_context_create("reference", &reference, NULL), CLGRAD_STATUS_SUCCESS);
    for (size_t variant = 0; variant < 4; variant++) {
        clgrad_layer layers[LAYERS];
        clgrad_network_options options = mixed_network(layers, variant);
        clgrad_network *here = build(context, &options), *again = build(context, &options);
        clgrad_network *there = build(reference, &options);
        void *wanted = tensor_contents(reference, clgrad_network_parameters(there));
        assert_contents(context, clgrad_network_parameters(here), wanted);
        assert_contents(context, clgrad_network_parameters(again), wanted);
        clgrad_network_destroy(again);

        options.seed++;
        again = build(context, &options);
        for (size_t i = 0; i < LAYERS; i++) {
            const clgrad_tensor weight = clgrad_network_weight(again, i);
            float *other = tensor_floats(context, weight),
                  *first = tensor_floats(context, clgrad_network_weight(here, i));
            for (size_t k = 0; k < clgrad_tensor_count(weight); k++)
                assert_true(other[k] != first[k]);
            free(other);
            free(first);
        }
        free(wanted);
        clgrad_network_destroy(here);
        clgrad_network_destroy(again);
        clgrad_network_destroy(there);
    }
    clgrad_context_destroy(reference);
}

/* Each layer draws from the stream of its number with the initialiser it names; biases are 0. */
static void layers_draw_from_their_own_streams(clgrad_context *context)
{
    for (size_t variant = 0; variant < 4; variant++) {
        clgrad_layer layers[LAYERS];
        const clgrad_network_options options = mixed_network(layers, variant);
        clgrad_network *network = build(context, &options);
        for (size_t i = 0; i < LAYERS; i++) {
            const clgrad_tensor weight = clgrad_network_weight(network, i),
                                bias = clgrad_network_bias(network, i);
            clgrad_tensor drawn = matrix_with(context, weight.shape[0], weight.shape[1], NULL);
            assert_ok(context,
                      clgrad_random_initialize(context, layers[i].initializer, options.seed, i, drawn));
            void *wanted = tensor_contents(context, drawn);
            assert_contents(context, weight, wanted);
            free(wanted);
            tensor_free(context, drawn);
            if (!layers[i].bias)
                continue;
            float *numbers = tensor_floats(context, bias);
            for (size_t k = 0; k < layers[i].outputs; k++)
                assert_true(numbers[k] == 0);
            free(numbers);
        }
        clgrad_network_destroy(network);
    }
}

/* Those that layer.h names. */
static bool is_rectifier(clgrad_activation_kind activation)
{
    static const char *const names[] = {"relu", "relu6",     "leaky_relu", "rrelu", "elu",      "celu",
                                        "gelu", "gelu_tanh", "silu",       "mish",  "softplus", "hardswish"};
    for (size_t i = 0; i < COUNT(names); i++)
        if (strcmp(clgrad_activation_describe(activation)->name, names[i]) == 0)
            return true;
    return false;
}

static void defaults_are_as_documented(clgrad_context *context)
{
    (void)context;
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++) {
        const clgrad_activation_kind activation = (clgrad_activation_kind)kind;
        const clgrad_layer l = clgrad_layer_dense(17, activation);
        assert_int_equal(l.kind, CLGRAD_LAYER_DENSE);
        assert_int_equal(l.outputs, 17);
        assert_int_equal(l.activation.kind, activation);
        assert_true(l.activation.negative_slope == clgrad_activation_defaults(activation).negative_slope);
        assert_true(l.bias);
        assert_int_equal(l.initializer, is_rectifier(activation) ? CLGRAD_INITIALIZER_HE_UNIFORM
                                                                 : CLGRAD_INITIALIZER_XAVIER_UNIFORM);
        const clgrad_layer alone = clgrad_layer_activation(activation);
        assert_int_equal(alone.kind, CLGRAD_LAYER_ACTIVATION);
        assert_int_equal(alone.activation.kind, activation);
    }
    const clgrad_network_options options = clgrad_network_defaults();
    assert_int_equal(options.inputs, 0);
    assert_null(options.layers);
    assert_int_equal(options.layer_count, 0);
    assert_int_equal(options.loss.kind, CLGRAD_LOSS_CROSS_ENTROPY);
    assert_int_equal(options.loss.reduction, CLGRAD_REDUCTION_MEAN);
    assert_int_equal(options.optimizer.kind, CLGRAD_OPTIMIZER_SGD);
    assert_true(options.optimizer.lr == 0.001f && options.optimizer.momentum == 0);
    assert_int_equal(options.group_count, 0);
    assert_true(isinf(options.clip_norm) && isinf(options.clip_value) && options.clip_norm_type == 2);
    assert_int_equal(options.seed, 0);
}

/* ---- parts ---- */

static void assert_part(clgrad_tensor part, clgrad_tensor flat, size_t offset, int rank, size_t rows,
                        size_t columns)
{
    assert_ptr_equal(part.buffer, flat.buffer);
    assert_int_equal(part.type, CLGRAD_TYPE_FLOAT32);
    assert_int_equal(part.offset, flat.offset + offset);
    assert_int_equal(part.rank, rank);
    assert_int_equal(part.shape[0], rows);
    if (rank == 2)
        assert_int_equal(part.shape[1], columns);
}

/* Layer by layer the weight, then the bias; gradients alike. */
static void parts_lie_as_documented(clgrad_context *context)
{
    for (size_t variant = 0; variant < 3; variant++) {
        clgrad_layer layers[LAYERS];
        clgrad_network_options options = mixed_network(layers, variant);
        options.optimizer.momentum = 0.5f;
        clgrad_network *network = build(context, &options);
        memset(layers, 0, sizeof layers); /* they have been copied */
        clgrad_layer kept[LAYERS];
        (void)mixed_network(kept, variant);

        const clgrad_tensor parameters = clgrad_network_parameters(network);
        const clgrad_tensor gradients = clgrad_network_gradients(network),
                            state = clgrad_network_state(network);
        assert_true(parameters.buffer != gradients.buffer && parameters.buffer != state.buffer);
        size_t offset = 0, inputs = options.inputs;
        for (size_t i = 0; i < LAYERS; i++) {
            const size_t outputs = kept[i].outputs;
            assert_part(clgrad_network_weight(network, i), parameters, offset, 2, outputs, inputs);
            assert_part(clgrad_network_weight_gradient(network, i), gradients, offset, 2, outputs, inputs);
            offset += outputs * inputs;
            if (kept[i].bias) {
                assert_part(clgrad_network_bias(network, i), parameters, offset, 1, outputs, 0);
                assert_part(clgrad_network_bias_gradient(network, i), gradients, offset, 1, outputs, 0);
                offset += outputs;
            } else {
                assert_null(clgrad_network_bias(network, i).buffer);
                assert_null(clgrad_network_bias_gradient(network, i).buffer);
            }
            inputs = outputs;
        }
        assert_part(parameters, parameters, 0, 1, offset, 0);
        assert_part(gradients, gradients, 0, 1, offset, 0);
        assert_part(state, state, 0, 2, 1, offset);
        assert_int_equal(clgrad_network_layer_count(network), LAYERS);
        assert_int_equal(clgrad_network_steps(network), 0);
        clgrad_network_destroy(network);
    }
}

static void parts_that_are_not_there(clgrad_context *context)
{
    clgrad_layer layers[LAYERS];
    const clgrad_network_options options = mixed_network(layers, 0);
    clgrad_network *network = build(context, &options);
    assert_null(clgrad_network_state(network).buffer); /* no momentum, no state */
    const size_t outside[] = {LAYERS, LAYERS + 1, SIZE_MAX};
    for (size_t i = 0; i < COUNT(outside); i++) {
        assert_null(clgrad_network_weight(network, outside[i]).buffer);
        assert_null(clgrad_network_bias(network, outside[i]).buffer);
        assert_null(clgrad_network_weight_gradient(network, outside[i]).buffer);
        assert_null(clgrad_network_bias_gradient(network, outside[i]).buffer);
    }
    clgrad_network_destroy(network);

    assert_null(clgrad_network_parameters(NULL).buffer);
    assert_null(clgrad_network_gradients(NULL).buffer);
    assert_null(clgrad_network_state(NULL).buffer);
    assert_null(clgrad_network_weight(NULL, 0).buffer);
    assert_null(clgrad_network_bias(NULL, 0).buffer);
    assert_null(clgrad_network_weight_gradient(NULL, 0).buffer);
    assert_null(clgrad_network_bias_gradient(NULL, 0).buffer);
    assert_int_equal(clgrad_network_steps(NULL), 0);
    assert_int_equal(clgrad_network_layer_count(NULL), 0);
}

/* What is written into a weight is what the network computes with. */
static void parts_can_be_written(clgrad_context *context)
{
    clgrad_layer layer = clgrad_layer_dense(2, CLGRAD_ACTIVATION_IDENTITY);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 3;
    options.layers = &layer;
    options.layer_count = 1;
    clgrad_network *network = build(context, &options);
    const float weight[] = {1, 2, 3, -4, -5, -6}, bias[] = {0.5f, -0.5f}, x[] = {1, 10, 100};
    assert_ok(context,
              clgrad_tensor_write(context, clgrad_network_weight(network, 0), weight, sizeof weight));
    assert_ok(context, clgrad_tensor_write(context, clgrad_network_bias(network, 0), bias, sizeof bias));
    clgrad_tensor input = matrix_with(context, 1, 3, x), prediction = matrix_with(context, 1, 2, NULL);
    assert_ok(context, clgrad_network_predict(network, input, prediction));
    assert_contents(context, prediction, ((const float[]){321.5f, -654.5f}));
    tensor_free(context, input);
    tensor_free(context, prediction);
    clgrad_network_destroy(network);
}

/* ---- the optimizer ---- */

static void learning_rate_takes_effect(clgrad_context *context)
{
    clgrad_layer layers[LAYERS];
    clgrad_network_options options = mixed_network(layers, 1);
    options.optimizer.lr = 0.5f;
    options.optimizer.momentum = 0.5f;
    training t = start(context, &options);
    step(context, t);

    clgrad_optimizer optimizer = options.optimizer;
    optimizer.lr = 0;
    assert_ok(context, clgrad_network_set_optimizer(t.network, &optimizer));
    const clgrad_tensor parameters = clgrad_network_parameters(t.network);
    float *before = tensor_floats(context, parameters);
    step(context, t);
    assert_contents(context, parameters, before);

    /* momentum has gone on meanwhile, and is what the next step is made of */
    optimizer.lr = 0.25f;
    assert_ok(context, clgrad_network_set_optimizer(t.network, &optimizer));
    step(context, t);
    float *after = tensor_floats(context, parameters),
          *state = tensor_floats(context, clgrad_network_state(t.network));
    for (size_t i = 0; i < clgrad_tensor_count(parameters); i++)
        if (!is_close((double)after[i], (double)before[i] - 0.25 * (double)state[i],
                      8 * 0x1p-24 * (1 + fabs((double)before[i]))))
            fail_msg("parameter %zu went from %.9g to %.9g with momentum %.9g", i, (double)before[i],
                     (double)after[i], (double)state[i]);
    free(before);
    free(after);
    free(state);
    stop(context, t);
}

static void optimizers_that_do_not_fit(clgrad_context *context)
{
    clgrad_layer layers[LAYERS];
    clgrad_network_options options = mixed_network(layers, 1);
    options.optimizer.lr = 0.5f;
    training with[2];
    with[0] = start(context, &options);
    options.optimizer.momentum = 0.5f;
    with[1] = start(context, &options);
    for (int m = 0; m < 2; m++) {
        clgrad_optimizer other_slots = options.optimizer, backwards = options.optimizer,
                         unknown = options.optimizer, nesterov = options.optimizer;
        other_slots.momentum = m == 0 ? 0.5f : 0;
        backwards.lr = -1;
        unknown.kind = (clgrad_optimizer_kind)50;
        nesterov.nesterov = true;
        nesterov.dampening = 0.5f;
        const struct {
            const clgrad_optimizer *optimizer;
            const char *part;
        } rows[] = {{NULL, "optimizer is NULL"},
                    {&other_slots, "would need"},
                    {&backwards, "lr"},
                    {&unknown, "50"},
                    {&nesterov, "nesterov"}};
        for (size_t i = 0; i < COUNT(rows); i++)
            assert_refused(context, clgrad_network_set_optimizer(with[m].network, rows[i].optimizer),
                           CLGRAD_STATUS_INVALID_ARGUMENT, rows[i].part);
        assert_int_equal(clgrad_network_set_optimizer(NULL, &options.optimizer),
                         CLGRAD_STATUS_INVALID_ARGUMENT);

        /* the old one is still there */
        training untouched;
        options.optimizer.momentum = m == 0 ? 0 : 0.5f;
        untouched = start(context, &options);
        step(context, with[m]);
        step(context, untouched);
        void *wanted = tensor_contents(context, clgrad_network_parameters(untouched.network));
        assert_contents(context, clgrad_network_parameters(with[m].network), wanted);
        free(wanted);
        stop(context, untouched);
        stop(context, with[m]);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(same_seed_same_weights),     CASE(layers_draw_from_their_own_streams),
        CASE(defaults_are_as_documented), CASE(parts_lie_as_documented),
        CASE(parts_that_are_not_there),   CASE(parts_can_be_written),
        CASE(learning_rate_takes_effect), CASE(optimizers_that_do_not_fit),
    };
    return run_on_every_device(cases, COUNT(cases));
}
