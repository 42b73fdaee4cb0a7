/*
 * Trainings of a network of many kinds of layers against PyTorch's: parameter groups, clipping, gradients
 * added up, running statistics.
 */
#include "harness.h"
#include "network_oracle.h"

#include "golden/network_layers.h"

#include <math.h>
#include <stdlib.h>

enum { STEPS = 10, BATCH = 9, INPUTS = 4 };

/* Ten steps by adam carry the rounding errors of a pass, some 30 of 2^-24, on into the next. */
static const double tolerance = 4e-6;

static clgrad_optimizer optimizer_with(clgrad_optimizer_kind kind, const float *parameters)
{
    clgrad_optimizer optimizer = clgrad_optimizer_defaults(kind);
    set_parameters(clgrad_optimizer_describe(kind)->parameters, &optimizer, parameters);
    return optimizer;
}

/* One step on the whole batch, or the sum of its parts' gradients and a step. */
static void golden_step(clgrad_context *context, const golden_training *golden, training t,
                        const double *losses)
{
    const size_t rows = BATCH / golden->parts;
    if (golden->parts == 1) {
        step(context, t);
        assert_near(context, golden->label, t.loss, losses, tolerance);
        return;
    }
    for (size_t i = 0; i < golden->parts; i++) {
        clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
        inputs.target = clgrad_tensor_rows(t.target, i * rows, rows);
        assert_ok(context, clgrad_network_accumulate(t.network, clgrad_tensor_rows(t.x, i * rows, rows),
                                                     &inputs, 1 / (float)golden->parts, t.loss));
        assert_near(context, golden->label, t.loss, &losses[i], tolerance);
    }
    assert_ok(context, clgrad_network_step(t.network));
}

static void golden_trajectories(clgrad_context *context)
{
    clgrad_layer layers[] = {
        clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),    clgrad_layer_dense(8, CLGRAD_ACTIVATION_GELU),
        clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM),    clgrad_layer_defaults(CLGRAD_LAYER_PRELU),
        clgrad_layer_dense(6, CLGRAD_ACTIVATION_IDENTITY), clgrad_layer_defaults(CLGRAD_LAYER_GLU),
        clgrad_layer_defaults(CLGRAD_LAYER_LOG_SOFTMAX),
    };
    layers[3].per_channel = true;
    for (size_t i = 0; i < COUNT(layers); i++)
        layers[i].bias_group = 1;
    for (size_t g = 0; g < COUNT(golden_trainings); g++) {
        const golden_training *golden = &golden_trainings[g];
        const clgrad_optimizer biases = optimizer_with(golden->optimizer, golden->biases);
        const size_t rows = BATCH;
        clgrad_network_options options = clgrad_network_defaults();
        options.inputs = INPUTS;
        options.layers = layers;
        options.layer_count = COUNT(layers);
        options.loss = clgrad_loss_defaults(CLGRAD_LOSS_NLL);
        options.optimizer = optimizer_with(golden->optimizer, golden->weights);
        options.groups = &biases;
        options.group_count = 1;
        options.clip_norm = golden->clip_norm;
        training t = {build(context, &options), matrix_with(context, BATCH, INPUTS, golden->x),
                      tensor_with(context, CLGRAD_TYPE_INT32, 1, &rows, golden->classes),
                      scalar_with(context, NAN)};
        const clgrad_tensor parameters = clgrad_network_parameters(t.network);
        assert_ok(context, clgrad_tensor_write(context, parameters, golden->initial,
                                               clgrad_tensor_count(parameters) * sizeof(float)));
        for (size_t n = 0; n < STEPS; n++)
            golden_step(context, golden, t, golden->losses + n * golden->parts);
        assert_near(context, golden->label, parameters, golden->parameters, tolerance);
        assert_near(context, golden->label, clgrad_network_running_stats(t.network), golden->running,
                    tolerance);
        assert_ok(context, clgrad_network_evaluate(t.network, t.x, t.target, t.loss));
        assert_near(context, golden->label, t.loss, golden->evaluated, tolerance);
        stop(context, t);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(golden_trajectories),
    };
    return run_on_every_device(cases, COUNT(cases));
}
