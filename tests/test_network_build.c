/*
 * Networks that cannot be built, or not for such a batch: each refusal has its status, a sentence with the
 * actual values, and leaves nothing behind.
 */
#include "harness.h"
#include "network_oracle.h"

#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static void refuse_to_build(clgrad_context *context, const clgrad_network_options *options,
                            clgrad_status status, const char *part)
{
    const size_t before = context->references; /* the caller's, and one for each live buffer */
    clgrad_network *network = (clgrad_network *)&network;
    assert_refused(context, clgrad_network_create(context, options, &network), status, part);
    assert_null(network);
    assert_int_equal(context->references, before);
}

static void networks_that_cannot_be_built(clgrad_context *context)
{
    const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_layer layers[LAYERS];
    const clgrad_network_options good = mixed_network(layers, 0);
    clgrad_network_options options = good;
    clgrad_network *network = NULL;
    refuse_to_build(context, NULL, argument, "options is NULL");
    assert_refused(context, clgrad_network_create(context, &options, NULL), argument, "network is NULL");
    assert_int_equal(clgrad_network_create(NULL, &options, &network), argument);

    options.inputs = 0;
    refuse_to_build(context, &options, argument, "0 inputs");
    options = good;
    options.layer_count = 0;
    refuse_to_build(context, &options, argument, "0 layers");
    options = good;
    options.layers = NULL;
    refuse_to_build(context, &options, argument, "layers is NULL");
    options = good;
    options.loss.reduction = CLGRAD_REDUCTION_NONE;
    refuse_to_build(context, &options, argument, "none");
    options.loss.reduction = (clgrad_reduction)9;
    refuse_to_build(context, &options, argument, "9");
    options = good;
    options.loss.kind = (clgrad_loss_kind)99;
    refuse_to_build(context, &options, argument, "99");
    options = good;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_BCE_BALANCED);
    options.loss.alpha = 1.5f;
    refuse_to_build(context, &options, argument, "alpha");
    options = good;
    options.optimizer.lr = -0.5f;
    refuse_to_build(context, &options, argument, "lr");
    options.optimizer.lr = NAN;
    refuse_to_build(context, &options, argument, "lr");
    options = good;
    options.optimizer.nesterov = true;
    refuse_to_build(context, &options, argument, "nesterov");
    options = good;
    options.optimizer.kind = (clgrad_optimizer_kind)-1;
    refuse_to_build(context, &options, argument, "-1");

    options = good;
    layers[1].outputs = 0;
    refuse_to_build(context, &options, argument, "layer 1: it has 0 outputs");
    (void)mixed_network(layers, 0);
    layers[2].initializer = (clgrad_initializer)33;
    refuse_to_build(context, &options, argument, "layer 2: it has the unknown initializer 33");
    (void)mixed_network(layers, 0);
    layers[0].activation.kind = (clgrad_activation_kind)44;
    refuse_to_build(context, &options, argument, "44");
    (void)mixed_network(layers, 0);
    layers[2].activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_LEAKY_RELU);
    layers[2].activation.negative_slope = INFINITY;
    refuse_to_build(context, &options, argument, "negative_slope");
}

/* Sizes whose product or sum does not fit into a size_t, and sizes that do but not into any memory. */
static void networks_that_are_too_large(clgrad_context *context)
{
    const size_t most = SIZE_MAX, half = SIZE_MAX / 2 + 1, quarter = SIZE_MAX / 4;
    const struct {
        size_t inputs, outputs[2];
        clgrad_status status;
        const char *part;
    } rows[] = {
        {half, {2, 1}, CLGRAD_STATUS_OUT_OF_RANGE, "overflow"},
        {3, {half, 1}, CLGRAD_STATUS_OUT_OF_RANGE, "overflow"},
        {1, {most, 1}, CLGRAD_STATUS_OUT_OF_RANGE, "overflow"}, /* the bias is too much */
        {((size_t)1 << 32) - 1,
         {(size_t)1 << 32, 1},
         CLGRAD_STATUS_OUT_OF_RANGE,
         "overflow"},                                              /* it wraps to 0 */
        {1, {quarter, 3}, CLGRAD_STATUS_OUT_OF_RANGE, "overflow"}, /* the sum of two layers */
        {quarter, {1, 1}, CLGRAD_STATUS_OUT_OF_RANGE, "overflow"}, /* the bytes */
        {(size_t)1 << 30, {(size_t)1 << 30, 1}, CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY, "bytes"},
        {(size_t)1 << 29, {1, (size_t)1 << 60}, CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY, "bytes"},
    };
    for (int repetition = 0; repetition < 3; repetition++)
        for (size_t i = 0; i < COUNT(rows); i++) {
            const clgrad_layer layers[] = {clgrad_layer_dense(rows[i].outputs[0], CLGRAD_ACTIVATION_RELU),
                                           clgrad_layer_dense(rows[i].outputs[1], CLGRAD_ACTIVATION_RELU)};
            clgrad_network_options options = clgrad_network_defaults();
            options.inputs = rows[i].inputs;
            options.layers = layers;
            options.layer_count = 2;
            options.optimizer.momentum = 0.5f;
            refuse_to_build(context, &options, rows[i].status, rows[i].part);
        }
    clgrad_layer layers[LAYERS];
    const clgrad_network_options options = mixed_network(layers, 0);
    training t = start(context, &options);
    step(context, t);
    stop(context, t);
}

/* The size of this process. */
static size_t address_space(void)
{
    size_t pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL && fscanf(file, "%zu", &pages) != 1)
        pages = 0;
    if (file != NULL)
        fclose(file);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

/*
 * Memory runs out at the parameters, the gradients or the state: the process may grow by so many halves of
 * one of them only; with half of one more than they are, drawing the weights has room. A driver's own threads
 * need not survive that, the reference does.
 */
static void building_runs_out_of_memory(clgrad_context *context)
{
    if (clgrad_context_device(context)->type != CLGRAD_DEVICE_REFERENCE || address_space() == 0)
        skip();
    const size_t side = 4096, bytes = side * side * sizeof(float);
    const clgrad_layer layer = clgrad_layer_dense(side, CLGRAD_ACTIVATION_RELU);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = side;
    options.layers = &layer;
    options.layer_count = 1;
    options.optimizer.momentum = 0.5f;
    for (size_t halves = 1; halves <= 7; halves += 2) {
        const size_t before = context->references;
        struct rlimit unlimited, limited;
        clgrad_network *network = (clgrad_network *)&network;
        assert_int_equal(getrlimit(RLIMIT_AS, &unlimited), 0);
        limited = unlimited;
        limited.rlim_cur = address_space() + halves * bytes / 2;
        assert_int_equal(setrlimit(RLIMIT_AS, &limited), 0);
        const clgrad_status status = clgrad_network_create(context, &options, &network);
        assert_int_equal(setrlimit(RLIMIT_AS, &unlimited), 0);
        assert_int_equal(status, halves < 7 ? CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY : CLGRAD_STATUS_SUCCESS);
        assert_int_equal(network != NULL, halves == 7);
        clgrad_network_destroy(network);
        assert_int_equal(context->references, before);
    }
}

/* A batch for whose intermediate results there is no room: the network goes on with smaller ones. */
static void batches_that_are_too_large(clgrad_context *context)
{
    if (test_small())
        skip();
    const size_t rows = (size_t)1 << 22,
                 width = (size_t)1 << 21; /* 2^43 rows times units, four arrays of them */
    const clgrad_layer layers[] = {clgrad_layer_dense(width, CLGRAD_ACTIVATION_TANH),
                                   clgrad_layer_dense(1, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 1;
    options.layers = layers;
    options.layer_count = 2;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    clgrad_network *network = build(context, &options);
    clgrad_tensor x = matrix_with(context, rows, 1, NULL), prediction = matrix_with(context, rows, 1, NULL);
    clgrad_tensor loss = scalar_with(context, 5);
    assert_ok(context, clgrad_tensor_fill(context, x, 0.5));
    assert_ok(context, clgrad_tensor_fill(context, prediction, 7));
    const clgrad_tensor few_x = clgrad_tensor_rows(x, 0, 2), few = clgrad_tensor_rows(prediction, 0, 2);
    assert_ok(context, clgrad_network_predict(network, few_x, few));
    void *wanted = tensor_contents(context, few);
    const size_t before = context->references;

    const clgrad_status status = CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY;
    assert_refused(context, clgrad_network_predict(network, x, prediction), status, "bytes");
    assert_refused(context, clgrad_network_evaluate(network, x, prediction, loss), status, "bytes");
    assert_refused(context, clgrad_network_backward(network, x, prediction, loss), status, "bytes");
    assert_refused(context, clgrad_network_train_step(network, x, prediction, loss), status, "bytes");
    assert_int_equal(clgrad_network_steps(network), 0);
    assert_int_equal(context->references, before);
    assert_true(tensor_scalar_value(context, loss) == 5);
    assert_true(
        tensor_scalar_value(context, clgrad_tensor_scalar(prediction.buffer, prediction.offset + 2)) == 7);
    assert_ok(context, clgrad_network_predict(network, few_x, few));
    assert_contents(context, few, wanted);
    free(wanted);
    tensor_free(context, x);
    tensor_free(context, prediction);
    tensor_free(context, loss);
    clgrad_network_destroy(network);
}

int main(void)
{
    const test_case cases[] = {
        CASE(networks_that_cannot_be_built),
        CASE(networks_that_are_too_large),
        CASE(building_runs_out_of_memory),
        CASE(batches_that_are_too_large),
    };
    return run_on_every_device(cases, COUNT(cases));
}
