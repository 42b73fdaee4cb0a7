#include "network_oracle.h"

#include "harness.h"
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>

samples make_samples(size_t rows, size_t inputs, size_t outputs, bool with_classes)
{
    samples s = {.rows = rows, .inputs = inputs, .outputs = outputs};
    s.x = allocate(rows * inputs, sizeof *s.x);
    fill_normal(s.x, rows * inputs, 11, 1);
    if (with_classes) {
        s.classes = allocate(rows, sizeof *s.classes);
        for (size_t i = 0; i < rows; i++)
            s.classes[i] = (int32_t)((i * 5 + i / 3) % outputs);
        return s;
    }
    s.target = allocate(rows * outputs, sizeof *s.target);
    fill_normal(s.target, rows * outputs, 12, 1);
    for (size_t row = 0; row < rows; row++) {
        double sum = 0;
        for (size_t k = 0; k < outputs; k++)
            sum += exp((double)s.target[row * outputs + k]);
        for (size_t k = 0; k < outputs; k++)
            s.target[row * outputs + k] = (float)(exp((double)s.target[row * outputs + k]) / sum);
    }
    return s;
}

void samples_free(samples s)
{
    free(s.x);
    free(s.target);
    free(s.classes);
}

clgrad_tensor upload_x(clgrad_context *context, samples s)
{
    return matrix_with(context, s.rows, s.inputs, s.x);
}

clgrad_tensor upload_target(clgrad_context *context, samples s)
{
    return s.classes != NULL ? tensor_with(context, CLGRAD_TYPE_INT32, 1, &s.rows, s.classes)
                             : matrix_with(context, s.rows, s.outputs, s.target);
}

size_t parameter_count(const clgrad_network_options *options)
{
    size_t count = 0, inputs = options->inputs;
    for (size_t i = 0; i < options->layer_count; i++) {
        count += options->layers[i].outputs * (inputs + (options->layers[i].bias ? 1 : 0));
        inputs = options->layers[i].outputs;
    }
    return count;
}

double *exact_prediction(const clgrad_network_options *options, const double *parameters, samples s)
{
    double *x = widen(s.x, s.rows * s.inputs);
    size_t inputs = s.inputs;
    for (size_t i = 0; i < options->layer_count; i++) {
        const clgrad_layer *l = &options->layers[i];
        const double *weight = parameters, *bias = weight + l->outputs * inputs;
        double *h = allocate(s.rows * l->outputs, sizeof *h);
        clgrad_ref_dense_forward(&l->activation, s.rows, inputs, l->outputs, x, weight, l->bias ? bias : NULL,
                                 h, h);
        parameters = bias + (l->bias ? l->outputs : 0);
        inputs = l->outputs;
        free(x);
        x = h;
    }
    return x;
}

double exact_loss(const clgrad_network_options *options, const double *parameters, samples s)
{
    double *prediction = exact_prediction(options, parameters, s), loss = 0;
    double *target = s.target != NULL ? widen(s.target, s.rows * s.outputs) : NULL;
    const clgrad_ref_loss_arrays arrays = {.rank = 2,
                                           .shape = {s.rows, s.outputs},
                                           .prediction = prediction,
                                           .target = target,
                                           .classes = s.classes,
                                           .value = &loss};
    assert_int_equal(clgrad_ref_loss(&options->loss, &arrays).kind, CLGRAD_FAULT_NONE);
    free(prediction);
    free(target);
    return loss;
}

clgrad_network *build(clgrad_context *context, const clgrad_network_options *options)
{
    clgrad_network *network = NULL;
    assert_ok(context, clgrad_network_create(context, options, &network));
    return network;
}

/* ---- networks to test with ---- */

clgrad_network_options mixed_network(clgrad_layer layers[LAYERS], size_t variant)
{
    const size_t outputs[LAYERS] = {6, 5, 3};
    for (size_t i = 0; i < LAYERS; i++) {
        layers[i] = clgrad_layer_defaults(outputs[i],
                                          (clgrad_activation_kind)((variant + i) % CLGRAD_ACTIVATION_COUNT));
        layers[i].activation.negative_slope = variant % 2 == 0 ? 0.25f : -0.25f;
        if (isnan(clgrad_ref_activate(&layers[i].activation, -1))) /* not for what a layer gives */
            layers[i].activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
        layers[i].bias = (variant + i) % 3 != 0;
        layers[i].initializer = (clgrad_initializer)((variant + i) % 4);
    }
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = LAYERS;
    options.seed = 100 + variant;
    return options;
}

double *scatter_parameters(clgrad_context *context, clgrad_network *network, uint64_t seed)
{
    const clgrad_tensor parameters = clgrad_network_parameters(network);
    const size_t count = clgrad_tensor_count(parameters);
    float *numbers = allocate(count, sizeof *numbers);
    fill_normal(numbers, count, seed, 0.7);
    assert_ok(context, clgrad_tensor_write(context, parameters, numbers, count * sizeof *numbers));
    double *wide = widen(numbers, count);
    free(numbers);
    return wide;
}

training start(clgrad_context *context, const clgrad_network_options *options)
{
    samples s = make_samples(9, 4, 3, true);
    const training t = {build(context, options), upload_x(context, s), upload_target(context, s),
                        scalar_with(context, NAN)};
    samples_free(s);
    return t;
}

void stop(clgrad_context *context, training t)
{
    tensor_free(context, t.x);
    tensor_free(context, t.target);
    tensor_free(context, t.loss);
    clgrad_network_destroy(t.network);
}

void step(clgrad_context *context, training t)
{
    assert_ok(context, clgrad_network_train_step(t.network, t.x, t.target, t.loss));
}
