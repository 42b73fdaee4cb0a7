/*
 * clgrad_context_detect_anomaly: the first result that is NaN or infinite is named, whatever operation it
 * comes from, and nothing else is; steps behind it leave the parameters alone.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 3, COLUMNS = 4 };

/* ---- every operation ---- */

/* What the operations below take: good numbers but for x and dy, which have a NaN at element 5. */
typedef struct inputs {
    clgrad_context *context;
    clgrad_tensor x, dy, weight, bias, out, indices, more[4];
} inputs;

static clgrad_status do_write(const inputs *in)
{
    const float numbers[ROWS * COLUMNS] = {[5] = NAN};
    return clgrad_tensor_write(in->context, in->out, numbers, sizeof numbers);
}

static clgrad_status do_fill(const inputs *in)
{
    return clgrad_tensor_fill(in->context, in->out, (double)-INFINITY);
}

static clgrad_status do_copy(const inputs *in)
{
    return clgrad_tensor_copy(in->context, in->x, in->out);
}

static clgrad_status do_axpby(const inputs *in)
{
    return clgrad_tensor_axpby(in->context, 2, in->x, 1, in->out);
}

static clgrad_status do_gather(const inputs *in)
{
    return clgrad_tensor_gather(in->context, in->x, in->indices, in->out);
}

static clgrad_status do_activation_forward(const inputs *in)
{
    const clgrad_activation tanh = clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH);
    return clgrad_activation_forward(in->context, &tanh, in->x, in->out);
}

static clgrad_status do_activation_backward(const inputs *in)
{
    const clgrad_activation gelu = clgrad_activation_defaults(CLGRAD_ACTIVATION_GELU);
    return clgrad_activation_backward(in->context, &gelu, in->out, in->dy, in->more[0]);
}

static clgrad_status do_dense_forward(const inputs *in)
{
    const clgrad_activation relu = clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU);
    return clgrad_dense_forward(in->context, &relu, in->x, in->weight, in->bias, in->out, in->more[0]);
}

static clgrad_status do_dense_backward(const inputs *in)
{
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    return clgrad_dense_backward(in->context, &identity, in->x, in->weight, in->out, in->out, in->more[0],
                                 in->more[1], clgrad_tensor_none(), clgrad_tensor_none());
}

static clgrad_status do_loss(const inputs *in)
{
    const clgrad_loss mse = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    clgrad_tensor value = in->more[3];
    value.rank = 0;
    return clgrad_loss_forward(in->context, &mse, in->x, in->out, value);
}

static clgrad_status do_loss_backward(const inputs *in)
{
    const clgrad_loss l1 = clgrad_loss_defaults(CLGRAD_LOSS_L1);
    return clgrad_loss_backward(in->context, &l1, in->x, in->out, clgrad_tensor_none(), in->more[0]);
}

static clgrad_status do_optimizer(const inputs *in)
{
    const clgrad_optimizer adam = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    clgrad_tensor gradient = in->dy, parameters = in->out, state = in->x;
    gradient.rank = parameters.rank = 1;
    gradient.shape[0] = parameters.shape[0] = COLUMNS;
    gradient.offset += COLUMNS; /* the row with the NaN */
    state.shape[0] = 2;
    const float zeros[2 * COLUMNS] = {0};
    assert_ok(in->context, clgrad_tensor_write(in->context, state, zeros, sizeof zeros));
    return clgrad_optimizer_step(in->context, &adam, 1, gradient, parameters, state);
}

static clgrad_status do_softmax_forward(const inputs *in)
{
    return clgrad_softmax_forward(in->context, CLGRAD_SOFTMAX_SOFTMIN, in->x, in->out);
}

static clgrad_status do_softmax_backward(const inputs *in)
{
    return clgrad_softmax_backward(in->context, CLGRAD_SOFTMAX_SOFTMAX, in->out, in->dy, in->more[0]);
}

static clgrad_status do_prelu_forward(const inputs *in)
{
    return clgrad_prelu_forward(in->context, in->x, in->bias, in->out);
}

static clgrad_status do_prelu_backward(const inputs *in)
{
    return clgrad_prelu_backward(in->context, in->out, in->bias, in->dy, in->more[0], clgrad_tensor_none());
}

static clgrad_status do_glu_forward(const inputs *in)
{
    clgrad_tensor y = in->out;
    y.shape[1] = COLUMNS / 2;
    return clgrad_glu_forward(in->context, in->x, y);
}

static clgrad_status do_glu_backward(const inputs *in)
{
    clgrad_tensor dy = in->out;
    dy.shape[1] = COLUMNS / 2;
    return clgrad_glu_backward(in->context, in->x, dy, in->more[0]);
}

static clgrad_status do_dropout(const inputs *in)
{
    return clgrad_dropout_forward(in->context, 0, 1, 2, in->x, in->out);
}

static clgrad_status do_rrelu(const inputs *in)
{
    return clgrad_rrelu_forward(in->context, 0.1f, 0.3f, 1, 2, in->x, in->out);
}

static clgrad_status do_layer_norm_forward(const inputs *in)
{
    return clgrad_layer_norm_forward(in->context, 1e-5f, in->x, clgrad_tensor_none(), clgrad_tensor_none(),
                                     in->out, clgrad_tensor_none(), clgrad_tensor_none());
}

static clgrad_tensor vector_of(clgrad_tensor tensor, size_t count)
{
    tensor.rank = 1;
    tensor.shape[0] = count;
    return tensor;
}

static clgrad_status do_layer_norm_backward(const inputs *in)
{
    return clgrad_layer_norm_backward(in->context, in->out, clgrad_tensor_none(),
                                      vector_of(in->more[0], ROWS), vector_of(in->more[1], ROWS), in->dy,
                                      in->more[2], clgrad_tensor_none(), clgrad_tensor_none());
}

static clgrad_status do_batch_norm_forward(const inputs *in)
{
    const clgrad_batch_norm norm = clgrad_batch_norm_defaults();
    return clgrad_batch_norm_forward(in->context, &norm, in->x, clgrad_tensor_none(), clgrad_tensor_none(),
                                     clgrad_tensor_none(), clgrad_tensor_none(), in->out,
                                     clgrad_tensor_none(), clgrad_tensor_none());
}

static clgrad_status do_batch_norm_backward(const inputs *in)
{
    const clgrad_batch_norm norm = clgrad_batch_norm_defaults();
    return clgrad_batch_norm_backward(in->context, &norm, in->out, clgrad_tensor_none(),
                                      vector_of(in->more[0], COLUMNS), vector_of(in->more[1], COLUMNS),
                                      in->dy, in->more[2], clgrad_tensor_none(), clgrad_tensor_none());
}

static clgrad_status do_clip_norm(const inputs *in)
{
    return clgrad_clip_grad_norm(in->context, 1, 2, in->dy, clgrad_tensor_none());
}

static clgrad_status do_clip_value(const inputs *in)
{
    return clgrad_clip_grad_value(in->context, 1, in->dy);
}

/* What is said of each; element 5 lies in row 1, column 1. */
static const struct {
    clgrad_status (*run)(const inputs *in);
    const char *said;
} operations[] = {
    {do_write, "tensor_write gave nan at element 5 of the tensor [3, 4]"},
    {do_fill, "tensor_fill gave -inf at element "},
    {do_copy, "tensor_copy gave nan at element 5 of destination [3, 4]"},
    {do_axpby, "tensor_axpby gave nan at element 5 of y [3, 4]"},
    {do_gather, "tensor_gather gave nan at element 5 of destination [3, 4]"},
    {do_activation_forward, "activation_forward tanh gave nan at element 5 of y [3, 4]"},
    {do_activation_backward, "activation_backward gelu gave nan at element 5 of dx [3, 4]"},
    {do_dense_forward, "dense_forward relu gave nan at element "},
    {do_dense_backward, "dense_backward identity gave nan at element "},
    {do_loss, "loss_evaluate mse gave nan at element 0 of value []"},
    {do_loss_backward, "loss_evaluate l1 gave nan at element 5 of dprediction [3, 4]"},
    {do_optimizer, "optimizer_step adam gave nan at element 1 of parameters [4]"},
    {do_softmax_forward, "softmax_forward softmin gave nan at element "},
    {do_softmax_backward, "softmax_backward softmax gave nan at element "},
    {do_prelu_forward, "prelu_forward gave nan at element 5 of y [3, 4]"},
    {do_prelu_backward, "prelu_backward gave nan at element 5 of dx [3, 4]"},
    {do_glu_forward, "glu_forward gave nan at element 3 of y [3, 2]"},
    {do_glu_backward, "glu_backward gave nan at element "},
    {do_dropout, "dropout gave nan at element 5 of the result [3, 4]"},
    {do_rrelu, "rrelu gave nan at element 5 of the result [3, 4]"},
    {do_layer_norm_forward, "layer_norm_forward gave nan at element "},
    {do_layer_norm_backward, "layer_norm_backward gave nan at element "},
    {do_batch_norm_forward, "batch_norm_forward gave nan at element "},
    {do_batch_norm_backward, "batch_norm_backward gave nan at element "},
    {do_clip_norm, "clip_grad_norm gave nan at element "},
    {do_clip_value, "clip_grad_value gave nan at element 5 of gradient [3, 4]"},
};

/* The operation alone, its bad input being there before; a second call finds nothing that the first found. */
static void every_operation_is_named(clgrad_context *context)
{
    float good[ROWS * COLUMNS], bad[ROWS * COLUMNS];
    fill_normal(good, COUNT(good), 1, 0.3);
    for (size_t i = 0; i < COUNT(operations); i++) {
        inputs in = {.context = context};
        for (size_t k = 0; k < COUNT(good); k++)
            good[k] = fabsf(good[k]) + 0.1f;
        memcpy(bad, good, sizeof bad);
        bad[5] = NAN;
        in.x = matrix_with(context, ROWS, COLUMNS, bad);
        in.dy = matrix_with(context, ROWS, COLUMNS, bad);
        in.weight = matrix_with(context, COLUMNS, COLUMNS, (float[COLUMNS * COLUMNS]){1, 2, 3});
        in.bias = vector_with(context, COLUMNS, good);
        in.out = matrix_with(context, ROWS, COLUMNS, good);
        in.indices = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){ROWS}, (int32_t[]){2, 1, 0});
        for (size_t k = 0; k < COUNT(in.more); k++)
            in.more[k] = matrix_with(context, k == 1 ? COLUMNS : ROWS, COLUMNS,
                                     k == 1 ? (float[COLUMNS * COLUMNS]){1, 1, 1, 1} : good);
        if (operations[i].run == do_dense_backward) /* dh is fine, x is not: dweight */
            in.more[1].shape[0] = COLUMNS;

        assert_ok(context, clgrad_context_detect_anomaly(context, true));
        assert_ok(context, operations[i].run(&in));
        assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_NOT_FINITE, operations[i].said);
        assert_ok(context, clgrad_context_finish(context));
        assert_ok(context, clgrad_context_detect_anomaly(context, false));
        assert_ok(context, operations[i].run(&in));
        assert_ok(context, clgrad_context_finish(context));

        tensor_free(context, in.x);
        tensor_free(context, in.dy);
        tensor_free(context, in.weight);
        tensor_free(context, in.bias);
        tensor_free(context, in.out);
        tensor_free(context, in.indices);
        for (size_t k = 0; k < COUNT(in.more); k++)
            tensor_free(context, in.more[k]);
    }
}

/* ---- the first one ---- */

/* Of several operations the first is told; good ones before it, also of other shapes, are not. */
static void the_first_is_named(clgrad_context *context)
{
    const clgrad_activation log = clgrad_activation_defaults(CLGRAD_ACTIVATION_LOG);
    const clgrad_activation exp = clgrad_activation_defaults(CLGRAD_ACTIVATION_EXP);
    clgrad_tensor good = vector_with(context, 3, (float[]){1, 2, 3});
    clgrad_tensor zero = vector_with(context, 5, (float[]){1, 2, 3, 4, 0});
    clgrad_tensor large = vector_with(context, 2, (float[]){1000, -1000});
    float numbers[5];
    assert_ok(context, clgrad_context_detect_anomaly(context, true));
    assert_ok(context, clgrad_context_detect_anomaly(context, true));
    for (int i = 0; i < 3; i++) {
        assert_ok(context, clgrad_activation_forward(context, &log, good, good));
        assert_ok(context, clgrad_tensor_write(context, good, (float[]){1, 2, 3}, 3 * sizeof(float)));
        assert_ok(context, clgrad_activation_forward(context, i == 1 ? &exp : &log, i == 1 ? large : zero,
                                                     i == 1 ? large : zero));
        assert_ok(context, clgrad_activation_forward(context, &log, zero, zero));
        assert_refused(context, clgrad_tensor_read(context, zero, numbers, sizeof numbers),
                       CLGRAD_STATUS_NOT_FINITE,
                       i == 1 ? "activation_forward exp gave inf at element 0 of y [2]"
                              : "activation_forward log gave -inf at element 4 of y [5]");
        assert_true(isnan(numbers[4]) || isinf(numbers[4])); /* the read has been done */
        assert_ok(context, clgrad_context_detect_anomaly(context, false));
        assert_ok(context, clgrad_tensor_write(context, zero, (float[]){1, 2, 3, 4, 0}, sizeof numbers));
        assert_ok(context, clgrad_context_detect_anomaly(context, true));
    }
    /* An index that is wrong comes first; its NaN is not told. */
    clgrad_tensor index = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){3}, (int32_t[]){0, 9, 1});
    assert_ok(context, clgrad_tensor_gather(context, zero, index, good));
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, "indices[1] is 9");
    assert_ok(context, clgrad_context_finish(context));

    /* Leaving the mode tells what is still to be told. */
    assert_ok(context, clgrad_tensor_fill(context, good, (double)INFINITY));
    assert_refused(context, clgrad_context_detect_anomaly(context, false), CLGRAD_STATUS_NOT_FINITE,
                   "tensor_fill gave inf");
    assert_ok(context, clgrad_tensor_fill(context, good, (double)INFINITY));
    assert_ok(context, clgrad_context_finish(context));
    assert_int_equal(clgrad_context_detect_anomaly(NULL, true), CLGRAD_STATUS_INVALID_ARGUMENT);
    tensor_free(context, index);
    tensor_free(context, good);
    tensor_free(context, zero);
    tensor_free(context, large);
}

/* An element far behind, of many. */
static void large_tensors_are_looked_at_whole(clgrad_context *context)
{
    const size_t n = test_small() ? 1000 : 100003;
    float *numbers = allocate(n, sizeof *numbers);
    clgrad_tensor x = vector_with(context, n, numbers);
    assert_ok(context, clgrad_context_detect_anomaly(context, true));
    for (size_t at = 0; at < n; at += n / 3) {
        char said[100];
        memset(numbers, 0, n * sizeof *numbers);
        assert_ok(context, clgrad_tensor_write(context, x, numbers, n * sizeof *numbers));
        assert_ok(context, clgrad_context_finish(context));
        numbers[at + n / 3 <= n ? at : n - 1] = -INFINITY;
        assert_ok(context, clgrad_tensor_write(context, x, numbers, n * sizeof *numbers));
        snprintf(said, sizeof said, "tensor_write gave -inf at element %zu of", at + n / 3 <= n ? at : n - 1);
        assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_NOT_FINITE, said);
    }
    free(numbers);
    tensor_free(context, x);
    assert_ok(context, clgrad_context_detect_anomaly(context, false));
}

/* ---- networks ---- */

static clgrad_network *make_network(clgrad_context *context)
{
    clgrad_layer layers[] = {clgrad_layer_dense(6, CLGRAD_ACTIVATION_RELU),
                             clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),
                             clgrad_layer_dense(2, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = COLUMNS;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW);
    clgrad_network *network = NULL;
    assert_ok(context, clgrad_network_create(context, &options, &network));
    return network;
}

/* A healthy training is the same bits with it and without, and nothing waits for it. */
static void training_is_the_same(clgrad_context *context)
{
    float numbers[8 * COLUMNS];
    fill_normal(numbers, COUNT(numbers), 3, 1);
    void *parameters[2];
    for (int detects = 0; detects < 2; detects++) {
        clgrad_network *network = make_network(context);
        clgrad_tensor x = matrix_with(context, 8, COLUMNS, numbers),
                      target = matrix_with(context, 8, 2, numbers);
        clgrad_tensor loss = scalar_with(context, 0);
        clgrad_counters before, after;
        assert_ok(context, clgrad_context_detect_anomaly(context, detects == 1));
        assert_ok(context, clgrad_context_counters(context, &before));
        for (int step = 0; step < 10; step++)
            assert_ok(context, clgrad_network_train_step(network, x, target, loss));
        assert_ok(context, clgrad_context_counters(context, &after));
        assert_true(after.waits == before.waits);
        parameters[detects] = tensor_contents(context, clgrad_network_parameters(network));
        assert_ok(context, clgrad_context_detect_anomaly(context, false));
        tensor_free(context, x);
        tensor_free(context, target);
        tensor_free(context, loss);
        if (detects == 1)
            assert_memory_equal(parameters[0], parameters[1],
                                clgrad_tensor_count(clgrad_network_parameters(network)) * sizeof(float));
        clgrad_network_destroy(network);
    }
    free(parameters[0]);
    free(parameters[1]);
}

/* The layer is told, and neither parameters nor their state nor running statistics are lost. */
static void a_networks_layer_is_named(clgrad_context *context)
{
    float numbers[8 * COLUMNS], weights[2 * 6];
    fill_normal(numbers, COUNT(numbers), 3, 1);
    clgrad_network *network = make_network(context);
    clgrad_tensor x = matrix_with(context, 8, COLUMNS, numbers), target = matrix_with(context, 8, 2, numbers);
    clgrad_tensor loss = scalar_with(context, 0);
    assert_ok(context, clgrad_network_train_step(network, x, target, loss));

    clgrad_tensor weight = clgrad_network_weight(network, 2);
    assert_ok(context, clgrad_tensor_read(context, weight, weights, sizeof weights));
    const float good = weights[7];
    weights[7] = 3e38f; /* a finite number: its products are not */
    assert_ok(context, clgrad_tensor_write(context, weight, weights, sizeof weights));
    void *parameters = tensor_contents(context, clgrad_network_parameters(network));
    assert_ok(context, clgrad_context_detect_anomaly(context, true));
    for (int step = 0; step < 3; step++)
        assert_ok(context, clgrad_network_train_step(network, x, target, loss));
    assert_int_equal(clgrad_context_finish(context), CLGRAD_STATUS_NOT_FINITE);
    const char *sentence = clgrad_context_error(context);
    if (strstr(sentence, "layer 2: dense_forward identity gave ") != sentence &&
        strstr(sentence, "loss_evaluate mse gave inf") != sentence)
        fail_msg("%s", sentence);
    assert_contents(context, clgrad_network_parameters(network), parameters);

    weights[7] = good;
    assert_ok(context, clgrad_tensor_write(context, weight, weights, sizeof weights));
    assert_ok(context, clgrad_network_train_step(network, x, target, loss));
    assert_true(isfinite(tensor_scalar_value(context, loss)));
    assert_ok(context, clgrad_context_detect_anomaly(context, false));
    free(parameters);
    tensor_free(context, x);
    tensor_free(context, target);
    tensor_free(context, loss);
    clgrad_network_destroy(network);
}

/* A context may go while it looks, and with something found. */
static void contexts_end_in_the_mode(clgrad_context *context)
{
    for (int found = 0; found < 2; found++) {
        clgrad_context *own = NULL;
        assert_int_equal(clgrad_context_create(clgrad_context_device(context)->specification, &own, NULL),
                         CLGRAD_STATUS_SUCCESS);
        clgrad_tensor x = vector_with(own, 3, (float[]){1, 2, 3});
        assert_ok(own, clgrad_context_detect_anomaly(own, true));
        assert_ok(own, clgrad_tensor_fill(own, x, found == 1 ? (double)NAN : 1));
        if (found == 0)
            tensor_free(own, x);
        clgrad_context_destroy(own);
        if (found == 1)
            clgrad_buffer_destroy(x.buffer);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_operation_is_named),          CASE(the_first_is_named),
        CASE(large_tensors_are_looked_at_whole), CASE(training_is_the_same),
        CASE(a_networks_layer_is_named),         CASE(contexts_end_in_the_mode),
    };
    return run_on_every_device(cases, COUNT(cases));
}
