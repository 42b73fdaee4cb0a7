/*
 * A model that PyTorch has made and saved, in float32: clgrad answers as PyTorch does, and goes on training
 * with the same losses (tests/golden/pytorch_values.py; docs/howto/pytorch.md).
 */
#include "harness.h"
#include "network_oracle.h"

#include "golden/pytorch.h"

#include <math.h>
#include <stdlib.h>

enum { INPUTS = 8, BATCH = 16, LAYERS_THERE = 8 };

/* The model; dropout is off, as there. */
static clgrad_network_options model(clgrad_layer layers[LAYERS_THERE])
{
    const clgrad_layer there[LAYERS_THERE] = {clgrad_layer_dense(32, CLGRAD_ACTIVATION_IDENTITY),
                                              clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),
                                              clgrad_layer_activation(CLGRAD_ACTIVATION_GELU),
                                              clgrad_layer_dense(16, CLGRAD_ACTIVATION_IDENTITY),
                                              clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM),
                                              clgrad_layer_activation(CLGRAD_ACTIVATION_GELU),
                                              clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT),
                                              clgrad_layer_dense(GOLDEN_CLASSES, CLGRAD_ACTIVATION_IDENTITY)};
    for (size_t i = 0; i < LAYERS_THERE; i++)
        layers[i] = there[i];
    layers[6].p = 0;
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS;
    options.layers = layers;
    options.layer_count = LAYERS_THERE;
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW);
    options.optimizer.lr = 0.003f;
    options.optimizer.weight_decay = 0.01f;
    return options;
}

/* The numbers that the script draws, and its classes. */
static void draw(float (*x)[INPUTS], int32_t *classes)
{
    uint32_t state = 1;
    for (size_t i = 0; i < GOLDEN_ROWS; i++) {
        for (size_t k = 0; k < INPUTS; k++) {
            state = state * 1664525u + 1013904223u;
            x[i][k] = (float)(state >> 8) * 0x1p-23f - 1;
        }
        classes[i] = (x[i][0] > x[i][1]) + (x[i][2] > x[i][3] * x[i][4]);
    }
}

static void a_model_answers_and_trains_alike(clgrad_context *context)
{
    static const char path[] = CLGRAD_SOURCE_DIR "/tests/golden/pytorch.safetensors";
    static float numbers[GOLDEN_ROWS][INPUTS];
    int32_t classes[GOLDEN_ROWS];
    const size_t rows = GOLDEN_ROWS;
    clgrad_layer layers[LAYERS_THERE];
    const clgrad_network_options options = model(layers);
    draw(numbers, classes);
    training t = {build(context, &options), matrix_with(context, rows, INPUTS, numbers[0]),
                  tensor_with(context, CLGRAD_TYPE_INT32, 1, &rows, classes), scalar_with(context, NAN)};
    clgrad_tensor outputs = matrix_with(context, rows, GOLDEN_CLASSES, NULL);
    assert_ok(context, clgrad_network_load_parameters(t.network, path));
    assert_ok(context, clgrad_network_predict(t.network, t.x, outputs));
    float *got = tensor_floats(context, outputs);
    for (size_t i = 0; i < GOLDEN_ROWS * GOLDEN_CLASSES; i++)
        if (!is_close(got[i], golden_outputs[i], 1e-5))
            fail_msg("output %zu is %.9g, PyTorch's %.9g", i, (double)got[i], golden_outputs[i]);
    free(got);

    double largest = 0;
    for (size_t n = 0; n < GOLDEN_STEPS; n++) {
        const size_t first = n * BATCH % rows;
        assert_ok(context, clgrad_network_train_step(t.network, clgrad_tensor_rows(t.x, first, BATCH),
                                                     clgrad_tensor_rows(t.target, first, BATCH), t.loss));
        const double loss = (double)tensor_scalar_value(context, t.loss);
        largest = fmax(largest, fabs(loss - golden_losses[n]));
        if (!is_close(loss, golden_losses[n], 1e-5))
            fail_msg("step %zu: the loss is %.9g, PyTorch's %.9g", n, loss, golden_losses[n]);
    }
    assert_true(golden_losses[GOLDEN_STEPS - 1] < golden_losses[0] / 3); /* it has learned something */
    print_message("the losses differ by at most %.2g\n", largest);
    tensor_free(context, outputs);
    stop(context, t);
}

int main(void)
{
    const test_case cases[] = {CASE(a_model_answers_and_trains_alike)};
    return run_on_every_device(cases, COUNT(cases));
}
