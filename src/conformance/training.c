/*
 * Short training runs: a network with each kind of layer, on the device and on the reference, from the same
 * weights on the same batches.
 */
#include "conformance.h"

#include <math.h>
#include <stdio.h>

enum { INPUTS = 12, HIDDEN = 24, CLASSES = 5, BATCHES = 3 };

/* Five clouds of points, well apart from each other. */
static void draw_batch(float *x, int32_t *y, size_t rows, uint64_t seed)
{
    clgrad_conf_normal(x, rows * INPUTS, seed, 0.7);
    for (size_t i = 0; i < rows; i++) {
        y[i] = (int32_t)(clgrad_conf_hash(seed, i) >> 8) & INT32_MAX;
        y[i] %= CLASSES;
        for (int k = 0; k < INPUTS; k++)
            x[i * INPUTS + (size_t)k] += (y[i] * 7 + k * 3) % 5 == 0 ? 2 : -0.5f;
    }
}

/* The distance between two arrays, relative to the length of the reference's. */
static double relative_distance(const float *got, const float *expected, size_t count)
{
    double distance = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(got[i]) && isnan(expected[i]))
            continue;
        const double off = (double)got[i] - (double)expected[i];
        distance += off * off;
        length += (double)expected[i] * (double)expected[i];
    }
    return distance == 0 ? 0 : sqrt(distance / length);
}

/* Compare a tensor as a whole; what is reported is the element that is furthest off. */
static void compare_whole(clgrad_conf_run *run, const char *array, clgrad_conf_pair pair)
{
    const clgrad_tensor first = pair.at[CLGRAD_CONF_DEVICE];
    const size_t count = clgrad_tensor_count(first);
    float *numbers[CLGRAD_CONF_SIDES];
    if (!clgrad_present(first) || count == 0 || clgrad_conf_over(run))
        return;
    for (int side = 0; side < CLGRAD_CONF_SIDES; side++) {
        numbers[side] = clgrad_conf_floats(run, count);
        if (numbers[side] == NULL)
            return;
    }
    CLGRAD_CONF_CALL(
        run, clgrad_tensor_read(run->context[side], pair.at[side], numbers[side], count * sizeof(float)));
    size_t worst = 0;
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(numbers[0][i] - numbers[1][i]) <= fabsf(numbers[0][worst] - numbers[1][worst])))
            worst = i;
    clgrad_conf_number(run, array, worst, numbers[0][worst], numbers[1][worst],
                       relative_distance(numbers[0], numbers[1], count));
}

/* Shape: rows of a batch, steps. */
static void train(clgrad_conf_run *run, clgrad_network *const networks[CLGRAD_CONF_SIDES],
                  const size_t *shape)
{
    const size_t rows = shape[0], x_shape[] = {rows, INPUTS}, outputs[] = {rows, CLASSES};
    const clgrad_conf_pair loss = clgrad_conf_output(run, 0, NULL);
    const clgrad_conf_pair prediction = clgrad_conf_output(run, 2, outputs);
    clgrad_conf_pair x[BATCHES], y[BATCHES];
    for (int b = 0; b < BATCHES; b++) {
        float *numbers = clgrad_conf_floats(run, rows * INPUTS);
        int32_t *classes = clgrad_conf_memory(run, rows, sizeof *classes);
        if (numbers == NULL || classes == NULL)
            return;
        draw_batch(numbers, classes, rows, 10 + (uint64_t)b);
        x[b] = clgrad_conf_input(run, NULL, 2, x_shape, numbers);
        y[b] = clgrad_conf_integers(run, NULL, 1, &rows, classes);
    }
    for (size_t step = 0; step < shape[1]; step++) {
        const size_t b = step % BATCHES;
        char name[48];
        CLGRAD_CONF_CALL(
            run, clgrad_network_train_step(networks[side], x[b].at[side], y[b].at[side], loss.at[side]));
        snprintf(name, sizeof name, "loss of step %zu", step + 1);
        compare_whole(run, name, loss);
    }
    if (clgrad_conf_over(run))
        return;
    CLGRAD_CONF_CALL(run, clgrad_network_predict(networks[side], x[0].at[side], prediction.at[side]));
    clgrad_conf_pair parameters, gradients, statistics;
    for (int side = 0; side < CLGRAD_CONF_SIDES; side++) {
        parameters.at[side] = clgrad_network_parameters(networks[side]);
        gradients.at[side] = clgrad_network_gradients(networks[side]);
        statistics.at[side] = clgrad_network_running_stats(networks[side]);
    }
    if (shape[1] > 0)
        compare_whole(run, "gradients", gradients);
    compare_whole(run, "parameters", parameters);
    compare_whole(run, "running statistics", statistics);
    compare_whole(run, "prediction", prediction);
}

/* A dense layer, the layer in question, a dense layer. */
static void check(clgrad_conf_run *run, const void *of_case, const size_t *shape)
{
    clgrad_network *networks[CLGRAD_CONF_SIDES] = {NULL};
    const clgrad_layer layers[] = {clgrad_layer_dense(HIDDEN, CLGRAD_ACTIVATION_TANH),
                                   *(const clgrad_layer *)of_case,
                                   clgrad_layer_dense(CLASSES, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS;
    options.layers = layers;
    options.layer_count = CLGRAD_CONF_COUNT(layers);
    options.optimizer.lr = 0.05f;
    options.optimizer.momentum = 0.9f;
    options.clip_norm = 1;
    options.seed = 3;
    CLGRAD_CONF_CALL(run, clgrad_network_create(run->context[side], &options, &networks[side]));
    if (!clgrad_conf_over(run))
        train(run, networks, shape);
    for (int side = 0; side < CLGRAD_CONF_SIDES; side++)
        clgrad_network_destroy(networks[side]);
}

static clgrad_layer layer_of(clgrad_layer_kind kind)
{
    if (kind == CLGRAD_LAYER_DENSE)
        return clgrad_layer_dense(HIDDEN, CLGRAD_ACTIVATION_GELU);
    return kind == CLGRAD_LAYER_ACTIVATION ? clgrad_layer_activation(CLGRAD_ACTIVATION_SILU)
                                           : clgrad_layer_defaults(kind);
}

static void run_layer(clgrad_conf_run *run, clgrad_layer_kind kind)
{
    static const clgrad_conf_shape shapes[] = {{2, 1}, {33, 3}, {64, 12}, {257, 100}};
    const clgrad_parameter *parameters = clgrad_layer_describe(kind)->parameters;
    clgrad_layer layer = layer_of(kind);
    for (size_t k = 0; clgrad_conf_setting(run, parameters, k, &layer); k++) {
        char words[192];
        clgrad_conf_words(parameters, &layer, "", words, sizeof words);
        clgrad_conf_sizes(run, &(clgrad_conf_case){check, &layer, words, "batch steps"}, shapes,
                          CLGRAD_CONF_COUNT(shapes) - (run->options.full ? 0 : 1));
        layer = layer_of(kind);
    }
}

void clgrad_conf_training(clgrad_conf_run *run)
{
    for (int k = 0; k < CLGRAD_LAYER_COUNT; k++) {
        const clgrad_layer_kind kind = (clgrad_layer_kind)k;
        if (clgrad_conf_begin(run, "training", clgrad_layer_describe(kind)->name, "layer", "relative",
                              1e-4)) {
            run_layer(run, kind);
            clgrad_conf_end(run);
        }
    }
}
