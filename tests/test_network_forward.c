/*
 * Losses of the caller's own: clgrad_network_forward, a gradient from outside, clgrad_network_backward_from.
 * Against the oracle's differences by parameters and by x, against what the network does by itself with the
 * same loss, and what is refused.
 */
#include "harness.h"
#include "network_oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 7, INPUTS = 4, MOST = 3, STEPS = 5, DEEP = 7 };

#define STEP 0x1p-12f

/* The loss is the sum of the outputs, each times a factor, which is its gradient. */
typedef struct subject {
    char label[64];
    clgrad_layer layers[MOST];
    clgrad_network_options options;
    samples s;
    float *factors;
} subject;

static double own_loss(const void *data, const double *parameters)
{
    const subject *it = data;
    double *output = exact_output(&it->options, parameters, it->s, (pass){.training = true}), sum = 0;
    for (size_t i = 0; i < ROWS * it->s.outputs; i++)
        sum += (double)it->factors[i] * output[i];
    free(output);
    return sum;
}

/* dx against differences of the loss by x, whose numbers are such that x + STEP and x - STEP are float32. */
static void check_dx(subject *it, const double *parameters, const float *dx)
{
    double slopes[ROWS * INPUTS], largest = 0;
    for (size_t i = 0; i < ROWS * INPUTS; i++) {
        const float middle = it->s.x[i];
        it->s.x[i] = middle + STEP;
        const double above = own_loss(it, parameters);
        it->s.x[i] = middle - STEP;
        slopes[i] = (above - own_loss(it, parameters)) / (2 * (double)STEP);
        it->s.x[i] = middle;
        largest = fmax(largest, fabs(slopes[i]));
    }
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        if (!is_close(dx[i], slopes[i], 2e-5 * largest))
            fail_msg("%s: dx[%zu] is %.9g, the slope %.9g, the largest %g", it->label, i, (double)dx[i],
                     slopes[i], largest);
    assert_true(largest > 1e-4);
}

static void check(clgrad_context *context, subject *it)
{
    it->options.layers = it->layers;
    it->options.inputs = INPUTS;
    it->options.seed = 77;
    clgrad_network *network = build(context, &it->options);
    const size_t outputs = output_count(&it->options);
    it->s = make_samples(ROWS, INPUTS, outputs, false);
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        it->s.x[i] = rintf(it->s.x[i] / (STEP / 4)) * (STEP / 4);
    it->factors = allocate(ROWS * outputs, sizeof *it->factors);
    fill_normal(it->factors, ROWS * outputs, 3, 1);
    double *parameters = scatter_parameters(context, network, 21);
    clgrad_tensor x = upload_x(context, it->s), prediction = matrix_with(context, ROWS, outputs, NULL),
                  dprediction = matrix_with(context, ROWS, outputs, it->factors),
                  dx = matrix_with(context, ROWS, INPUTS, NULL);

    assert_ok(context, clgrad_network_forward(network, x, prediction));
    double *exact = exact_output(&it->options, parameters, it->s, (pass){.training = true});
    assert_near(context, it->label, prediction, exact, 1e-5);
    assert_ok(context, clgrad_network_backward_from(network, x, dprediction, dx));
    assert_holds(context, dprediction, it->factors); /* it is the caller's */
    float *gradient = tensor_floats(context, clgrad_network_gradients(network)),
          *by_x = tensor_floats(context, dx);
    if (parameter_count(&it->options) > 0)
        assert_slopes(it->label, gradient, parameters, parameter_count(&it->options), own_loss, it);
    check_dx(it, parameters, by_x);
    free(gradient);
    free(by_x);
    free(exact);
    free(parameters);
    free(it->factors);
    tensor_free(context, x);
    tensor_free(context, prediction);
    tensor_free(context, dprediction);
    tensor_free(context, dx);
    samples_free(it->s);
    clgrad_network_destroy(network);
}

/* Alone, first, last, and between two dense layers. */
static void every_kind_of_layer(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LAYER_COUNT; k++)
        for (int place = 0; place < 4; place++) {
            subject it = {.options = clgrad_network_defaults()};
            clgrad_layer layer = clgrad_layer_defaults((clgrad_layer_kind)k);
            layer.outputs = 4; /* dense */
            layer.activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_SILU);
            size_t count = 0;
            if (place >= 2)
                it.layers[count++] = clgrad_layer_dense(6, CLGRAD_ACTIVATION_TANH);
            it.layers[count++] = layer;
            if (place % 2 == 1)
                it.layers[count++] = clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY);
            it.options.layer_count = count;
            snprintf(it.label, sizeof it.label, "%s, place %d",
                     clgrad_layer_describe((clgrad_layer_kind)k)->name, place);
            check(context, &it);
        }
}

/* Noise, statistics of the batch, momentum, clipping: all that a step can depend on. */
static clgrad_network_options deep_network(clgrad_layer layers[DEEP])
{
    layers[0] = clgrad_layer_dense(8, CLGRAD_ACTIVATION_GELU);
    layers[1] = clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM);
    layers[2] = clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT);
    layers[3] = clgrad_layer_dense(6, CLGRAD_ACTIVATION_IDENTITY);
    layers[4] = clgrad_layer_defaults(CLGRAD_LAYER_RRELU);
    layers[5] = clgrad_layer_dense(6, CLGRAD_ACTIVATION_RELU);
    layers[6] = clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS;
    options.layers = layers;
    options.layer_count = DEEP;
    options.optimizer.momentum = 0.5f;
    options.optimizer.lr = 0.25f;
    options.clip_norm = 0.5f;
    return options;
}

/* The network's own loss, computed outside, trains to the same bits; passes that nothing is done with draw
 * numbers like others. */
static void trains_as_by_itself(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    const clgrad_network_options options = deep_network(layers);
    training by_itself = start(context, &options), from_outside = start(context, &options);
    clgrad_tensor prediction = matrix_with(context, 9, 3, NULL),
                  dprediction = matrix_with(context, 9, 3, NULL);
    for (int n = 0; n < STEPS; n++) {
        if (n == 2) {
            assert_ok(context, clgrad_network_backward(by_itself.network, by_itself.x, by_itself.target,
                                                       by_itself.loss));
            assert_ok(context, clgrad_network_forward(from_outside.network, from_outside.x, prediction));
        }
        step(context, by_itself);
        assert_ok(context, clgrad_network_forward(from_outside.network, from_outside.x, prediction));
        assert_ok(context, clgrad_loss_forward_backward(context, &options.loss, prediction,
                                                        from_outside.target, from_outside.loss, dprediction));
        assert_ok(context, clgrad_network_backward_from(from_outside.network, from_outside.x, dprediction,
                                                        clgrad_tensor_none()));
        assert_ok(context, clgrad_network_step(from_outside.network));
        const clgrad_tensor pairs[][2] = {
            {by_itself.loss, from_outside.loss},
            {clgrad_network_gradients(by_itself.network), clgrad_network_gradients(from_outside.network)},
            {clgrad_network_parameters(by_itself.network), clgrad_network_parameters(from_outside.network)},
            {clgrad_network_running_stats(by_itself.network),
             clgrad_network_running_stats(from_outside.network)}};
        for (size_t i = 0; i < COUNT(pairs); i++) {
            void *wanted = tensor_contents(context, pairs[i][0]);
            assert_contents(context, pairs[i][1], wanted);
            free(wanted);
        }
    }
    assert_int_equal(clgrad_network_steps(from_outside.network), STEPS);
    tensor_free(context, prediction);
    tensor_free(context, dprediction);
    stop(context, by_itself);
    stop(context, from_outside);
}

/* What stands between a forward pass and its way back, and takes it away. */
static void predict(training t, clgrad_tensor prediction)
{
    clgrad_network_predict(t.network, t.x, prediction);
}

static void evaluate(training t, clgrad_tensor prediction)
{
    (void)prediction;
    clgrad_network_evaluate(t.network, t.x, t.target, t.loss);
}

static void train_step(training t, clgrad_tensor prediction)
{
    (void)prediction;
    clgrad_network_train_step(t.network, t.x, t.target, t.loss);
}

static void accumulate(training t, clgrad_tensor prediction)
{
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    (void)prediction;
    inputs.target = t.target;
    clgrad_network_accumulate(t.network, t.x, &inputs, 1, t.loss);
}

static void only_step(training t, clgrad_tensor prediction)
{
    (void)prediction;
    clgrad_network_step(t.network);
}

static void load(training t, clgrad_tensor prediction)
{
    (void)prediction;
    clgrad_network_load(t.network, "test_network_forward.safetensors");
}

static void go_back(training t, clgrad_tensor prediction)
{
    clgrad_network_backward_from(t.network, t.x, prediction, clgrad_tensor_none());
}

static void once_and_with_nothing_in_between(clgrad_context *context)
{
    void (*const between[])(training, clgrad_tensor) = {predict,   evaluate, train_step, accumulate,
                                                        only_step, load,     go_back};
    clgrad_layer layers[DEEP];
    const clgrad_network_options options = deep_network(layers);
    training t = start(context, &options);
    clgrad_tensor prediction = matrix_with(context, 9, 3, NULL);
    const clgrad_tensor none = clgrad_tensor_none();
    const char sentence[] = "network_backward_from: there is no forward pass to go back through";
    assert_ok(context, clgrad_network_save(t.network, "test_network_forward.safetensors", NULL, 0));
    assert_refused(context, clgrad_network_backward_from(t.network, t.x, prediction, none),
                   CLGRAD_STATUS_INVALID_ARGUMENT, sentence);
    for (size_t i = 0; i < COUNT(between); i++) {
        assert_ok(context, clgrad_network_forward(t.network, t.x, prediction));
        between[i](t, prediction);
        void *gradients = tensor_contents(context, clgrad_network_gradients(t.network));
        assert_refused(context, clgrad_network_backward_from(t.network, t.x, prediction, none),
                       CLGRAD_STATUS_INVALID_ARGUMENT, sentence);
        assert_contents(context, clgrad_network_gradients(t.network), gradients);
        free(gradients);
    }
    /* What only looks or is refused takes nothing away. */
    assert_ok(context, clgrad_network_forward(t.network, t.x, prediction));
    assert_refused(context, clgrad_network_predict(t.network, prediction, prediction),
                   CLGRAD_STATUS_INVALID_SHAPE, "network_predict: x has 3 columns");
    assert_refused(context, clgrad_network_load(t.network, "test_network_forward.c.not there"),
                   CLGRAD_STATUS_FILE_ERROR, "");
    assert_ok(context, clgrad_network_save(t.network, "test_network_forward.safetensors", NULL, 0));
    assert_ok(context, clgrad_network_backward_from(t.network, t.x, prediction, none));
    remove("test_network_forward.safetensors");
    tensor_free(context, prediction);
    stop(context, t);
}

/* A refused call has changed nothing: the right one can follow. */
static void refusals(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    const clgrad_network_options options = deep_network(layers);
    training t = start(context, &options);
    clgrad_network *network = t.network;
    clgrad_tensor y = matrix_with(context, 9, 3, NULL), dx = matrix_with(context, 9, INPUTS, NULL);
    const clgrad_tensor none = clgrad_tensor_none(), x = t.x, owned = clgrad_network_gradients(network),
                        inside = clgrad_tensor_matrix(owned.buffer, 0, 9, 3);
    const clgrad_tensor eight = clgrad_tensor_rows(x, 0, 8), later = clgrad_tensor_rows(x, 1, 8),
                        one = clgrad_tensor_rows(x, 0, 1);
    void *gradients = tensor_contents(context, owned);

    assert_int_equal(clgrad_network_forward(NULL, x, y), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_int_equal(clgrad_network_backward_from(NULL, x, y, none), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_refused(context, clgrad_network_forward(network, none, y), CLGRAD_STATUS_INVALID_ARGUMENT,
                   "network_forward: x");
    assert_refused(context, clgrad_network_forward(network, y, y), CLGRAD_STATUS_INVALID_SHAPE,
                   "x has 3 columns, but the network has 4 inputs");
    assert_refused(context, clgrad_network_forward(network, x, none), CLGRAD_STATUS_INVALID_ARGUMENT,
                   "prediction");
    assert_refused(context, clgrad_network_forward(network, x, dx), CLGRAD_STATUS_INVALID_SHAPE,
                   "prediction");
    assert_refused(context, clgrad_network_forward(network, x, inside), CLGRAD_STATUS_INVALID_ARGUMENT,
                   "prediction overlaps the network's gradients");
    assert_refused(context, clgrad_network_forward(network, one, clgrad_tensor_rows(y, 0, 1)),
                   CLGRAD_STATUS_INVALID_SHAPE, "layer 1, batch_norm, needs at least 2");
    assert_untouched(context, y);

    assert_ok(context, clgrad_network_forward(network, eight, clgrad_tensor_rows(y, 0, 8)));
    const clgrad_tensor dy = clgrad_tensor_rows(y, 0, 8);
    assert_refused(context, clgrad_network_backward_from(network, x, y, none), CLGRAD_STATUS_INVALID_ARGUMENT,
                   "(8 rows at offset");
    assert_refused(context, clgrad_network_backward_from(network, later, dy, none),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "x is not the tensor that network_forward was given");
    assert_refused(context, clgrad_network_backward_from(network, eight, y, none),
                   CLGRAD_STATUS_INVALID_SHAPE, "dprediction");
    assert_refused(context, clgrad_network_backward_from(network, eight, none, none),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "dprediction");
    assert_refused(context,
                   clgrad_network_backward_from(network, eight, clgrad_tensor_rows(inside, 0, 8), none),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "dprediction overlaps the network's gradients");
    assert_refused(context, clgrad_network_backward_from(network, eight, dy, dx), CLGRAD_STATUS_INVALID_SHAPE,
                   "dx");
    assert_refused(context, clgrad_network_backward_from(network, eight, dy, eight),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "dx overlaps x");
    assert_contents(context, owned, gradients);
    assert_untouched(context, dx);
    assert_ok(context, clgrad_network_backward_from(network, eight, dy, clgrad_tensor_rows(dx, 0, 8)));
    free(gradients);
    tensor_free(context, y);
    tensor_free(context, dx);
    stop(context, t);
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_kind_of_layer),
        CASE(trains_as_by_itself),
        CASE(once_and_with_nothing_in_between),
        CASE(refusals),
    };
    return run_on_every_device(cases, COUNT(cases));
}
