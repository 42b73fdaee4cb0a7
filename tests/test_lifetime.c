/*
 * Contexts beside one another, and closing them in any order. Besides what is asserted here, a run under a
 * leak checker must come out clean.
 */
#include "harness.h"

#include <stdlib.h>
#include <string.h>

/* One more context on the device of the given one. */
static clgrad_context *another(clgrad_context *context)
{
    clgrad_context *opened = NULL;
    clgrad_message message;
    if (clgrad_context_create(clgrad_context_device(context)->specification, &opened, &message) !=
        CLGRAD_STATUS_SUCCESS)
        fail_msg("%s", message.text);
    return opened;
}

/* A network of 3 inputs and 2 classes that keeps state. */
static clgrad_network *small_network(clgrad_context *context)
{
    const clgrad_layer layers[] = {clgrad_layer_dense(5, CLGRAD_ACTIVATION_TANH),
                                   clgrad_layer_dense(2, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 3;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    options.optimizer.momentum = 0.9f;
    clgrad_network *network = NULL;
    assert_ok(context, clgrad_network_create(context, &options, &network));
    return network;
}

/* A batch in one buffer: x [4, 3], 4 class indices, a loss. */
typedef struct batch {
    clgrad_buffer *buffer;
    clgrad_tensor x, target, loss;
} batch;

static batch make_batch(clgrad_context *context, int32_t last_class)
{
    const float x[] = {1, 2, 3, -1, 0, 1, 0.5f, 0.25f, -2, 3, -3, 1};
    const int32_t classes[] = {0, 1, 1, last_class};
    batch b;
    assert_ok(context, clgrad_buffer_create(context, 32 * sizeof(float), &b.buffer));
    b.x = clgrad_tensor_matrix(b.buffer, 0, 4, 3);
    b.target = clgrad_tensor_vector(b.buffer, 12, CLGRAD_TYPE_INT32, 4);
    b.loss = clgrad_tensor_scalar(b.buffer, 16);
    assert_ok(context, clgrad_tensor_write(context, b.x, x, sizeof x));
    assert_ok(context, clgrad_tensor_write(context, b.target, classes, sizeof classes));
    return b;
}

/* ---- one after another ---- */

/* order: which of context (0), network (1) and buffers (2) is destroyed first, second, third. */
static void open_work_close(clgrad_context *beside, const int order[3])
{
    clgrad_context *context = another(beside);
    clgrad_network *network = small_network(context);
    batch b = make_batch(context, 0);
    for (int step = 0; step < 3; step++)
        assert_ok(context, clgrad_network_train_step(network, b.x, b.target, b.loss));
    for (int i = 0; i < 3; i++) {
        if (order[i] == 0)
            clgrad_context_destroy(context);
        else if (order[i] == 1)
            clgrad_network_destroy(network);
        else
            clgrad_buffer_destroy(b.buffer);
    }
}

static void destroyed_in_any_order(clgrad_context *context)
{
    const int orders[][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {2, 0, 1}, {1, 2, 0}, {2, 1, 0}};
    for (size_t i = 0; i < COUNT(orders); i++)
        open_work_close(context, orders[i]);

    clgrad_context *unused = another(context);
    clgrad_context_destroy(unused);
    clgrad_network_destroy(NULL);
    clgrad_buffer_destroy(NULL);
}

/* A fault that nobody asked for does not outlive its context. */
static void closed_with_a_fault_pending(clgrad_context *context)
{
    clgrad_context *faulty = another(context);
    clgrad_network *network = small_network(faulty);
    batch b = make_batch(faulty, 2);
    assert_ok(faulty, clgrad_network_train_step(network, b.x, b.target, b.loss));
    clgrad_context_destroy(faulty);
    clgrad_network_destroy(network);
    clgrad_buffer_destroy(b.buffer);

    clgrad_context *fresh = another(context);
    assert_ok(fresh, clgrad_context_finish(fresh));
    clgrad_context_destroy(fresh);
}

/* ---- side by side ---- */

static void each_keeps_its_own_sentence(clgrad_context *context)
{
    clgrad_context *a = another(context), *b = another(context);
    assert_string_equal(clgrad_context_error(a), "");

    clgrad_tensor tensor;
    assert_refused(a, clgrad_tensor_create(a, CLGRAD_TYPE_FLOAT32, 11, NULL, &tensor),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "11");
    assert_string_equal(clgrad_context_error(b), "");
    assert_refused(b, clgrad_tensor_create(b, CLGRAD_TYPE_FLOAT32, 12, NULL, &tensor),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "12");
    assert_non_null(strstr(clgrad_context_error(a), "11"));

    /* a call that succeeds leaves the sentence; the next failure overwrites it */
    assert_ok(a, clgrad_context_finish(a));
    assert_non_null(strstr(clgrad_context_error(a), "11"));
    assert_refused(a, clgrad_tensor_create(a, (clgrad_type)77, 0, NULL, &tensor), CLGRAD_STATUS_INVALID_TYPE,
                   "77");
    assert_null(strstr(clgrad_context_error(a), "11"));
    clgrad_context_destroy(a);
    clgrad_context_destroy(b);
}

static void each_keeps_its_own_faults(clgrad_context *context)
{
    clgrad_context *a = another(context), *b = another(context);
    clgrad_network *network_a = small_network(a), *network_b = small_network(b);
    batch bad = make_batch(a, 9), good = make_batch(b, 1);
    void *before = tensor_contents(b, clgrad_network_parameters(network_b));

    assert_ok(a, clgrad_network_train_step(network_a, bad.x, bad.target, bad.loss));
    assert_ok(b, clgrad_network_train_step(network_b, good.x, good.target, good.loss));
    assert_ok(b, clgrad_context_finish(b));
    float *after = tensor_floats(b, clgrad_network_parameters(network_b));
    const size_t bytes = clgrad_tensor_count(clgrad_network_parameters(network_b)) * sizeof *after;
    assert_memory_not_equal(before, after, bytes); /* a's fault does not suspend b's steps */
    assert_refused(a, clgrad_context_finish(a), CLGRAD_STATUS_INVALID_INDEX, "9");
    assert_ok(a, clgrad_context_finish(a));

    free(before);
    free(after);
    clgrad_buffer_destroy(bad.buffer);
    clgrad_buffer_destroy(good.buffer);
    clgrad_network_destroy(network_a);
    clgrad_network_destroy(network_b);
    clgrad_context_destroy(a);
    clgrad_context_destroy(b);
}

/* Two trainings interleaved on two contexts, one of which is closed halfway, give what one alone gives. */
static void interleaved_work_is_the_same(clgrad_context *context)
{
    clgrad_context *contexts[3];
    clgrad_network *networks[3];
    batch batches[3];
    for (int i = 0; i < 3; i++) {
        contexts[i] = another(context);
        networks[i] = small_network(contexts[i]);
        batches[i] = make_batch(contexts[i], 1);
    }
    for (int step = 0; step < 10; step++)
        assert_ok(contexts[0],
                  clgrad_network_train_step(networks[0], batches[0].x, batches[0].target, batches[0].loss));
    for (int step = 0; step < 10; step++)
        for (int i = 1; i < 3; i++) {
            if (i == 2 && step == 5) {
                clgrad_network_destroy(networks[2]);
                clgrad_buffer_destroy(batches[2].buffer);
                clgrad_context_destroy(contexts[2]);
            }
            if (i == 1 || step < 5)
                assert_ok(contexts[i], clgrad_network_train_step(networks[i], batches[i].x, batches[i].target,
                                                                 batches[i].loss));
        }
    void *alone = tensor_contents(contexts[0], clgrad_network_parameters(networks[0]));
    assert_contents(contexts[1], clgrad_network_parameters(networks[1]), alone);
    free(alone);
    for (int i = 0; i < 2; i++) {
        clgrad_network_destroy(networks[i]);
        clgrad_buffer_destroy(batches[i].buffer);
        clgrad_context_destroy(contexts[i]);
    }
}

/* A tensor of another context, even of one on the same device, is refused by every call that takes one. */
static void foreign_tensors_are_refused(clgrad_context *context)
{
    clgrad_context *other = another(context);
    clgrad_network *network = small_network(context);
    batch own = make_batch(context, 0), foreign = make_batch(other, 0);
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    const clgrad_tensor weight = clgrad_network_weight(network, 0), bias = clgrad_network_bias(network, 0);
    clgrad_tensor z = matrix_with(context, 4, 5, NULL);

    struct {
        clgrad_status status;
        const char *name;
    } calls[] = {
        {clgrad_dense_forward(context, &identity, foreign.x, weight, bias, z, z), "x"},
        {clgrad_network_predict(network, foreign.x, own.x), "x"},
        {clgrad_network_train_step(network, own.x, foreign.target, own.loss), "target"},
        {clgrad_network_evaluate(network, own.x, own.target, foreign.loss), "loss"},
        {clgrad_tensor_copy(context, own.x, foreign.x), "destination"},
        {clgrad_tensor_fill(context, foreign.x, 1), "tensor"},
    };
    for (size_t i = 0; i < COUNT(calls); i++)
        if (calls[i].status != CLGRAD_STATUS_INVALID_CONTEXT)
            fail_msg("the foreign %s of call %zu gave %s", calls[i].name, i,
                     clgrad_status_name(calls[i].status));
    assert_non_null(strstr(clgrad_context_error(context), "another context"));
    assert_int_equal(clgrad_network_steps(network), 0);

    tensor_free(context, z);
    clgrad_network_destroy(network);
    clgrad_buffer_destroy(own.buffer);
    clgrad_buffer_destroy(foreign.buffer);
    clgrad_context_destroy(other);
}

int main(void)
{
    const test_case cases[] = {
        CASE(destroyed_in_any_order),       CASE(closed_with_a_fault_pending),
        CASE(each_keeps_its_own_sentence),  CASE(each_keeps_its_own_faults),
        CASE(interleaved_work_is_the_same), CASE(foreign_tensors_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
