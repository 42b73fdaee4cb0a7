/*
 * What happens to gradients between the backward pass and the step: adding up those of several batches, and
 * clipping.
 */
#include "harness.h"
#include "network_oracle.h"

#include "internal.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 3, PART = 3, DEEP = 5 };

/* No noise and no statistics of a batch: parts of a batch give what the whole gives. */
static clgrad_network_options plain_network(clgrad_layer layers[DEEP])
{
    layers[0] = clgrad_layer_dense(6, CLGRAD_ACTIVATION_TANH);
    layers[1] = clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM);
    layers[2] = clgrad_layer_dense(8, CLGRAD_ACTIVATION_IDENTITY);
    layers[3] = clgrad_layer_defaults(CLGRAD_LAYER_GLU);
    layers[4] = clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = DEEP;
    options.optimizer.lr = 0.5f;
    options.optimizer.momentum = 0.5f;
    return options;
}

static clgrad_loss_inputs target_alone(clgrad_tensor target)
{
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    inputs.target = target;
    return inputs;
}

static void accumulate_rows(clgrad_context *context, training t, size_t first, size_t count, float scale)
{
    const clgrad_loss_inputs inputs = target_alone(clgrad_tensor_rows(t.target, first, count));
    assert_ok(context, clgrad_network_accumulate(t.network, clgrad_tensor_rows(t.x, first, count), &inputs,
                                                 scale, t.loss));
}

static float *gradients_of(clgrad_context *context, training t)
{
    return tensor_floats(context, clgrad_network_gradients(t.network));
}

static void assert_parameters_equal(clgrad_context *context, training a, training b)
{
    void *wanted = tensor_contents(context, clgrad_network_parameters(b.network));
    assert_contents(context, clgrad_network_parameters(a.network), wanted);
    free(wanted);
}

/* ---- accumulating ---- */

static void parts_make_up_a_batch(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    clgrad_network_options options = plain_network(layers);
    for (int sum = 0; sum < 2; sum++) {
        options.loss.reduction = sum ? CLGRAD_REDUCTION_SUM : CLGRAD_REDUCTION_MEAN;
        options.optimizer.lr = sum ? 0.05f : 0.5f;
        training parts = start(context, &options), whole = start(context, &options);
        for (uint64_t n = 1; n <= 4; n++) {
            step(context, whole);
            double loss = 0;
            for (size_t i = 0; i < PARTS; i++) {
                accumulate_rows(context, parts, i * PART, PART, sum ? 1 : 1.0f / PARTS);
                loss += (double)tensor_scalar_value(context, parts.loss) / (sum ? 1 : PARTS);
            }
            assert_near(context, "loss", whole.loss, &loss, 1e-6);
            assert_int_equal(clgrad_network_steps(parts.network), n - 1);
            double *exact = tensor_doubles(context, clgrad_network_gradients(whole.network));
            assert_near(context, "gradients", clgrad_network_gradients(parts.network), exact, 2e-6);
            free(exact);
            assert_ok(context, clgrad_network_step(parts.network));
            assert_int_equal(clgrad_network_steps(parts.network), n);
            exact = tensor_doubles(context, clgrad_network_parameters(whole.network));
            assert_near(context, "parameters", clgrad_network_parameters(parts.network), exact, 5e-6);
            free(exact);
        }
        stop(context, parts);
        stop(context, whole);
    }
}

/* The first call sets the gradients, whatever they were; the next one adds to them. */
static void scale_multiplies_a_batch(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    const clgrad_network_options options = plain_network(layers);
    training a = start(context, &options), b = start(context, &options);
    const size_t count = clgrad_tensor_count(clgrad_network_gradients(a.network));
    assert_ok(context, clgrad_network_backward(b.network, b.x, b.target, b.loss));
    float *once = gradients_of(context, b);

    const float scales[] = {1, -2, 0.25f, 0}; /* products with these are exact */
    for (size_t k = 0; k < COUNT(scales); k++) {
        assert_ok(context, clgrad_tensor_fill(context, clgrad_network_gradients(a.network), NAN));
        accumulate_rows(context, a, 0, 9, scales[k]);
        float *got = gradients_of(context, a);
        for (size_t i = 0; i < count; i++)
            assert_true(got[i] == scales[k] * once[i]);
        free(got);
        accumulate_rows(context, a, 0, 9, 1);
        got = gradients_of(context, a);
        for (size_t i = 0; i < count; i++)
            if (!is_close(got[i], (1 + (double)scales[k]) * (double)once[i], 0x1p-23 * fabs((double)once[i])))
                fail_msg("%zu: %g is not %g + 1 times %g", i, (double)got[i], (double)scales[k],
                         (double)once[i]);
        free(got);
        float before = tensor_scalar_value(context, a.loss);
        assert_true(before == tensor_scalar_value(context, b.loss)); /* the loss is not scaled */
        assert_ok(context, clgrad_network_backward(a.network, a.x, a.target, a.loss));
    }
    free(once);
    stop(context, a);
    stop(context, b);
}

/* A sum ends with a step, a backward pass or a train step; a refused call does not end it. */
static void sums_begin_anew(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    clgrad_network_options options = plain_network(layers);
    options.optimizer.lr = 0; /* the parameters stay, and so does the gradient of a batch */
    training t = start(context, &options);
    clgrad_network *network = t.network;
    const size_t count = clgrad_tensor_count(clgrad_network_gradients(network));
    assert_ok(context, clgrad_network_backward(network, t.x, t.target, t.loss));
    float *once = gradients_of(context, t);
    for (int end = 0; end < 3; end++) {
        accumulate_rows(context, t, 0, 9, 1);
        assert_holds(context, clgrad_network_gradients(network), once);
        if (end == 0)
            assert_ok(context, clgrad_network_step(network));
        else if (end == 1)
            assert_ok(context, clgrad_network_backward(network, t.x, t.target, t.loss));
        else
            assert_ok(context, clgrad_network_train_step(network, t.x, t.target, t.loss));
        assert_holds(context, clgrad_network_gradients(network), once);
    }
    accumulate_rows(context, t, 0, 9, 1);
    const clgrad_loss_inputs wrong = target_alone(t.x);
    assert_refused(context, clgrad_network_accumulate(network, t.x, &wrong, 1, t.loss),
                   CLGRAD_STATUS_INVALID_SHAPE, "network_accumulate: target");
    assert_refused(context, clgrad_network_backward(network, t.x, t.x, t.loss), CLGRAD_STATUS_INVALID_SHAPE,
                   "target");
    assert_holds(context, clgrad_network_gradients(network), once);
    accumulate_rows(context, t, 0, 9, 1);
    float *twice = gradients_of(context, t);
    for (size_t i = 0; i < count; i++)
        assert_true(twice[i] == 2 * once[i]);
    free(twice);
    free(once);
    stop(context, t);
}

static void memory_is_taken_once(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    const clgrad_network_options options = plain_network(layers);
    const size_t outside = context->references;
    training t = start(context, &options);
    step(context, t);
    const size_t before = context->references;
    accumulate_rows(context, t, 0, 9, 1);
    assert_int_equal(context->references, before + 1);
    for (size_t i = 0; i < 5; i++) {
        accumulate_rows(context, t, i, 9 - i, 1);
        step(context, t);
    }
    assert_int_equal(context->references, before + 1);
    stop(context, t);
    assert_int_equal(context->references, outside);
}

/* ---- clipping ---- */

/* A step of a network that clips is a clip of each kind, value first, and a step of the optimizer. */
static void check_clipping(clgrad_context *context, float clip_value, float clip_norm, float norm_type)
{
    clgrad_layer layers[DEEP];
    clgrad_network_options options = plain_network(layers);
    training by_hand = start(context, &options);
    options.clip_value = clip_value;
    options.clip_norm = clip_norm;
    options.clip_norm_type = norm_type;
    training t = start(context, &options);
    const clgrad_tensor gradients = clgrad_network_gradients(by_hand.network);
    for (int n = 0; n < 3; n++) {
        step(context, t);
        assert_ok(context, clgrad_network_backward(by_hand.network, by_hand.x, by_hand.target, by_hand.loss));
        void *before = tensor_contents(context, gradients);
        if (!isinf(clip_value))
            assert_ok(context, clgrad_clip_grad_value(context, clip_value, gradients));
        if (!isinf(clip_norm))
            assert_ok(context,
                      clgrad_clip_grad_norm(context, clip_norm, norm_type, gradients, clgrad_tensor_none()));
        void *clipped = tensor_contents(context, gradients);
        assert_true(memcmp(before, clipped, clgrad_tensor_count(gradients) * sizeof(float)) != 0);
        assert_contents(context, clgrad_network_gradients(t.network), clipped);
        free(before);
        free(clipped);
        assert_ok(context, clgrad_network_step(by_hand.network));
        assert_parameters_equal(context, t, by_hand);
    }
    stop(context, t);
    stop(context, by_hand);
}

static void steps_clip_gradients(clgrad_context *context)
{
    check_clipping(context, INFINITY, 0.125f, 2);
    check_clipping(context, INFINITY, 0.125f, 1);
    check_clipping(context, INFINITY, 0.0625f, INFINITY);
    check_clipping(context, INFINITY, 0.125f, 3);
    check_clipping(context, 0.03125f, INFINITY, 2);
    check_clipping(context, 0.03125f, 0.0625f, 2);
    check_clipping(context, 0.0625f, 0.03125f, INFINITY);
    check_clipping(context, 0, INFINITY, 2);
    check_clipping(context, INFINITY, 0, 2);
}

/* Not each batch's, and not before the step. */
static void a_sum_is_clipped_once(clgrad_context *context)
{
    clgrad_layer layers[DEEP];
    clgrad_network_options options = plain_network(layers);
    training by_hand = start(context, &options);
    options.clip_norm = 0.125f;
    training t = start(context, &options);
    for (size_t i = 0; i < PARTS; i++) {
        accumulate_rows(context, t, i * PART, PART, 0.5f);
        accumulate_rows(context, by_hand, i * PART, PART, 0.5f);
        float *wanted = gradients_of(context, by_hand);
        assert_holds(context, clgrad_network_gradients(t.network), wanted);
        free(wanted);
    }
    clgrad_tensor norm = scalar_with(context, NAN);
    assert_ok(context,
              clgrad_clip_grad_norm(context, 0.125f, 2, clgrad_network_gradients(by_hand.network), norm));
    assert_true(tensor_scalar_value(context, norm) > 0.25f);
    assert_ok(context, clgrad_network_step(by_hand.network));
    assert_ok(context, clgrad_network_step(t.network));
    assert_parameters_equal(context, t, by_hand);
    tensor_free(context, norm);
    stop(context, t);
    stop(context, by_hand);
}

/* Without parameters there is nothing to learn, and nothing that goes wrong. */
static void networks_without_parameters(clgrad_context *context)
{
    clgrad_layer layers[] = {clgrad_layer_activation(CLGRAD_ACTIVATION_TANH),
                             clgrad_layer_defaults(CLGRAD_LAYER_SOFTMAX)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    options.clip_norm = 1;
    options.clip_value = 1;
    options.optimizer.momentum = 0.5f;
    for (int grouped = 0; grouped < 2; grouped++) {
        training t = start(context, &options);
        assert_int_equal(clgrad_tensor_count(clgrad_network_parameters(t.network)), 0);
        assert_ok(context, clgrad_network_evaluate(t.network, t.x, t.target, t.loss));
        const float loss = tensor_scalar_value(context, t.loss);
        step(context, t);
        accumulate_rows(context, t, 0, 9, 1);
        assert_ok(context, clgrad_network_step(t.network));
        assert_true(loss > 0 && tensor_scalar_value(context, t.loss) == loss);
        assert_int_equal(clgrad_network_steps(t.network), 2);
        stop(context, t);
        layers[0].weight_group = layers[1].bias_group = -1;
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(parts_make_up_a_batch),       CASE(scale_multiplies_a_batch), CASE(sums_begin_anew),
        CASE(memory_is_taken_once),        CASE(steps_clip_gradients),     CASE(a_sum_is_clipped_once),
        CASE(networks_without_parameters),
    };
    return run_on_every_device(cases, COUNT(cases));
}
