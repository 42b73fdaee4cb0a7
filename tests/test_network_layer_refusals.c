/*
 * Layers, groups and clipping that cannot be built, and calls that a network with running statistics refuses:
 * each with its status and a sentence with the actual values, and nothing changed.
 */
#include "harness.h"
#include "network_oracle.h"

#include "internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT, shape = CLGRAD_STATUS_INVALID_SHAPE;

/* ---- building ---- */

static void refuse_to_build(clgrad_context *context, const clgrad_network_options *options, const char *part)
{
    const size_t before = context->references;
    clgrad_network *network = (clgrad_network *)&network;
    assert_refused(context, clgrad_network_create(context, options, &network), argument, part);
    assert_null(network);
    assert_int_equal(context->references, before);
}

/* A network of 6 inputs whose second layer is this one. */
static void refuse_layer(clgrad_context *context, clgrad_layer layer, const char *part)
{
    const clgrad_layer layers[] = {clgrad_layer_dense(6, CLGRAD_ACTIVATION_RELU), layer,
                                   clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 6;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    refuse_to_build(context, &options, part);
}

/* The floats on either side of an interval; nothing lies beyond FLT_MAX but infinity, and NaN is nowhere. */
static void parameters_outside_their_intervals(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LAYER_COUNT; k++) {
        const clgrad_layer_info *info = clgrad_layer_describe((clgrad_layer_kind)k);
        for (const clgrad_parameter *p = info->parameters; p->name != NULL; p++) {
            if (p->type != CLGRAD_PARAMETER_NUMBER)
                continue;
            const float outside[] = {nextafterf(p->minimum, -INFINITY), nextafterf(p->maximum, INFINITY), NAN,
                                     INFINITY, -INFINITY};
            for (size_t i = 0; i < COUNT(outside); i++) {
                clgrad_layer layer = clgrad_layer_defaults((clgrad_layer_kind)k);
                char part[96];
                layer.outputs = 2;
                memcpy((char *)&layer + p->offset, &outside[i], sizeof outside[i]);
                snprintf(part, sizeof part, "network_create: layer 1: %s's %s is ", info->name, p->name);
                refuse_layer(context, layer, part);
            }
        }
    }
}

static void layers_that_cannot_be(clgrad_context *context)
{
    clgrad_layer layer = clgrad_layer_defaults(CLGRAD_LAYER_RRELU);
    layer.lower = 0.75f;
    layer.upper = 0.5f;
    refuse_layer(context, layer, "layer 1: rrelu: lower must not be above upper");
    layer = clgrad_layer_defaults(CLGRAD_LAYER_GLU);
    layer.kind = (clgrad_layer_kind)CLGRAD_LAYER_COUNT;
    char part[64];
    snprintf(part, sizeof part, "layer 1: there is no layer kind %d", CLGRAD_LAYER_COUNT);
    refuse_layer(context, layer, part);
    layer.kind = (clgrad_layer_kind)-1;
    refuse_layer(context, layer, "layer 1: there is no layer kind -1");
    layer = clgrad_layer_activation(CLGRAD_ACTIVATION_ELU);
    layer.activation.alpha = NAN;
    refuse_layer(context, layer, "layer 1: elu's alpha is");
    layer = clgrad_layer_activation((clgrad_activation_kind)99);
    refuse_layer(context, layer, "99");
    refuse_layer(context, clgrad_layer_defaults(CLGRAD_LAYER_DENSE), "layer 1: it has 0 outputs");

    /* halves of 6 are 3 */
    const clgrad_layer halves[] = {clgrad_layer_defaults(CLGRAD_LAYER_GLU),
                                   clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT),
                                   clgrad_layer_defaults(CLGRAD_LAYER_GLU)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 6;
    options.layers = halves;
    options.layer_count = COUNT(halves);
    refuse_to_build(context, &options, "layer 2: glu halves its inputs, but there are 3 of them");
    options.inputs = 7;
    refuse_to_build(context, &options, "layer 0: glu halves its inputs, but there are 7 of them");
}

static void groups_that_cannot_be(clgrad_context *context)
{
    clgrad_layer layers[] = {clgrad_layer_dense(6, CLGRAD_ACTIVATION_RELU),
                             clgrad_layer_defaults(CLGRAD_LAYER_PRELU)};
    clgrad_optimizer groups[CLGRAD_OPTIMIZER_MAX_GROUPS];
    for (size_t i = 0; i < COUNT(groups); i++)
        groups[i] = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    layers[0].weight_group = 1;
    refuse_to_build(context, &options, "layer 0: its weight is in group 1, the groups are 0 to 0");
    layers[0].weight_group = -2;
    refuse_to_build(context, &options, "layer 0: its weight is in group -2");
    layers[0].weight_group = 0;
    layers[1].bias_group = 3;
    options.groups = groups;
    options.group_count = 2;
    refuse_to_build(context, &options, "layer 1: its bias is in group 3, the groups are 0 to 2");
    layers[1].bias_group = INT32_MIN;
    refuse_to_build(context, &options, "-2147483648");
    layers[1].bias_group = 0;
    options.group_count = CLGRAD_OPTIMIZER_MAX_GROUPS;
    refuse_to_build(context, &options, "8 groups besides the first, at most 7 are possible");
    options.group_count = SIZE_MAX;
    refuse_to_build(context, &options, "at most 7 are possible");
    options.group_count = 1;
    options.groups = NULL;
    refuse_to_build(context, &options, "groups is NULL");
    options.groups = groups;
    groups[0] = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    refuse_to_build(context, &options, "group 1 is adam, but group 0 is sgd: they must be of one kind");
    groups[0] = options.optimizer;
    groups[0].lr = -1;
    refuse_to_build(context, &options, "lr is -1");
    groups[0].kind = (clgrad_optimizer_kind)77;
    refuse_to_build(context, &options, "77");
}

static void clipping_that_cannot_be(clgrad_context *context)
{
    const clgrad_layer layer = clgrad_layer_dense(3, CLGRAD_ACTIVATION_RELU);
    const float norms[] = {-0.5f, NAN, -INFINITY}, types[] = {0, -1, NAN, -INFINITY};
    clgrad_network_options good = clgrad_network_defaults(), options;
    good.inputs = 4;
    good.layers = &layer;
    good.layer_count = 1;
    for (size_t i = 0; i < COUNT(norms); i++) {
        options = good;
        options.clip_norm = norms[i];
        refuse_to_build(context, &options, "clip_norm is ");
        options = good;
        options.clip_value = norms[i];
        refuse_to_build(context, &options, "clip_value ");
    }
    for (size_t i = 0; i < COUNT(types); i++) {
        options = good;
        options.clip_norm_type = types[i];
        refuse_to_build(context, &options, "clip_norm_type ");
    }
}

/* ---- calls ---- */

enum { OWNED = 5 };

/* A network with batch_norm and momentum that has made a step and begun a sum, and all that it owns. */
typedef struct setting {
    training t;
    clgrad_tensor prediction, owned[OWNED];
    void *before[OWNED];
} setting;

static clgrad_loss_inputs target_alone(clgrad_tensor target)
{
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    inputs.target = target;
    return inputs;
}

static setting set_up(clgrad_context *context, bool tracked)
{
    clgrad_layer layers[] = {
        clgrad_layer_dense(5, CLGRAD_ACTIVATION_TANH), clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),
        clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM), clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY)};
    layers[2].track_running_stats = tracked;
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    options.optimizer.momentum = 0.5f;
    setting s = {.t = start(context, &options), .prediction = matrix_with(context, 9, 3, NULL)};
    step(context, s.t);
    const clgrad_loss_inputs inputs = target_alone(s.t.target);
    assert_ok(context, clgrad_network_accumulate(s.t.network, s.t.x, &inputs, 0.5f, s.t.loss));
    const clgrad_tensor owned[OWNED] = {
        clgrad_network_parameters(s.t.network), clgrad_network_gradients(s.t.network),
        clgrad_network_state(s.t.network), clgrad_network_running_stats(s.t.network), s.t.loss};
    for (size_t i = 0; i < OWNED; i++) {
        s.owned[i] = owned[i];
        s.before[i] = tensor_contents(context, owned[i]);
    }
    return s;
}

static void tear_down(clgrad_context *context, setting s)
{
    for (size_t i = 0; i < OWNED; i++) {
        assert_contents(context, s.owned[i], s.before[i]);
        free(s.before[i]);
    }
    assert_untouched(context, s.prediction);
    assert_int_equal(clgrad_network_steps(s.t.network), 1);
    tensor_free(context, s.prediction);
    stop(context, s.t);
}

/* Every call in training with these inputs, and in evaluation too where that is refused alike. */
static void refuse(clgrad_context *context, const setting *s, clgrad_tensor x,
                   const clgrad_loss_inputs *inputs, clgrad_tensor loss, bool in_evaluation,
                   clgrad_status status, const char *part)
{
    clgrad_network *network = s->t.network;
    assert_refused(context, clgrad_network_backward_with(network, x, inputs, loss), status, part);
    assert_refused(context, clgrad_network_train_step_with(network, x, inputs, loss), status, part);
    assert_refused(context, clgrad_network_accumulate(network, x, inputs, 1, loss), status, part);
    if (in_evaluation)
        assert_refused(context, clgrad_network_evaluate_with(network, x, inputs, loss), status, part);
}

static void a_batch_of_one(clgrad_context *context)
{
    for (int tracked = 0; tracked < 2; tracked++) {
        setting s = set_up(context, tracked != 0);
        for (size_t rows = 0; rows < 2; rows++) {
            const clgrad_tensor x = clgrad_tensor_rows(s.t.x, 0, rows);
            const clgrad_loss_inputs inputs = target_alone(clgrad_tensor_rows(s.t.target, 0, rows));
            char part[96];
            snprintf(part, sizeof part, "the batch has %zu row%s, but layer 1, batch_norm", rows,
                     rows == 1 ? "" : "s");
            refuse(context, &s, x, &inputs, s.t.loss, false, shape, part);
            if (tracked)
                continue;
            snprintf(part, sizeof part, "the batch has %zu row%s, but layer 2, batch_norm", rows,
                     rows == 1 ? "" : "s");
            assert_refused(context, clgrad_network_evaluate_with(s.t.network, x, &inputs, s.t.loss), shape,
                           part);
            assert_refused(context,
                           clgrad_network_predict(s.t.network, x, clgrad_tensor_rows(s.prediction, 0, rows)),
                           shape, part);
        }
        tear_down(context, s);
    }
    /* with running statistics one row can be evaluated */
    setting s = set_up(context, true);
    clgrad_tensor prediction = matrix_with(context, 1, 3, NULL), loss = scalar_with(context, NAN);
    const clgrad_tensor x = clgrad_tensor_rows(s.t.x, 0, 1), target = clgrad_tensor_rows(s.t.target, 0, 1);
    assert_ok(context, clgrad_network_predict(s.t.network, x, prediction));
    assert_ok(context, clgrad_network_evaluate(s.t.network, x, target, loss));
    assert_true(isfinite(tensor_scalar_value(context, loss)));
    tensor_free(context, prediction);
    tensor_free(context, loss);
    tear_down(context, s);
}

static void inputs_that_are_refused(clgrad_context *context)
{
    setting s = set_up(context, true);
    clgrad_network *network = s.t.network;
    const clgrad_loss_inputs good = target_alone(s.t.target);
    clgrad_loss_inputs inputs = good;
    refuse(context, &s, s.t.x, NULL, s.t.loss, true, argument, "inputs is NULL");
    inputs.prediction = s.prediction;
    refuse(context, &s, s.t.x, &inputs, s.t.loss, true, argument,
           "inputs has a prediction, but that is the network's output");
    inputs = good;
    inputs.other = s.prediction;
    refuse(context, &s, s.t.x, &inputs, s.t.loss, true, argument,
           "other is given, but cross_entropy takes none");
    inputs = good;
    inputs.weight = clgrad_tensor_vector(s.t.x.buffer, s.t.x.offset, CLGRAD_TYPE_FLOAT32, 4);
    refuse(context, &s, s.t.x, &inputs, s.t.loss, true, shape, "weight");
    inputs.weight.shape[0] = 3;
    refuse(context, &s, s.t.x, &inputs, clgrad_tensor_scalar(s.t.x.buffer, s.t.x.offset + 2), true, argument,
           "loss");
    const float scales[] = {NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT(scales); i++)
        assert_refused(context, clgrad_network_accumulate(network, s.t.x, &good, scales[i], s.t.loss),
                       argument, "network_accumulate: scale is ");
    const clgrad_loss_inputs none = clgrad_loss_inputs_none();
    refuse(context, &s, s.t.x, &none, s.t.loss, true, argument, "target");
    tear_down(context, s);
}

/* What the network owns is neither read nor written as an argument. */
static void arguments_in_the_networks_memory(clgrad_context *context)
{
    static const char *const names[] = {"the network's parameters", "the network's gradients",
                                        "the network's state", "the network's running statistics"};
    setting s = set_up(context, true);
    for (size_t i = 0; i < COUNT(names); i++) {
        const clgrad_tensor own = s.owned[i];
        const clgrad_tensor x = clgrad_tensor_matrix(own.buffer, own.offset + 1, 2, 4),
                            two = clgrad_tensor_rows(s.t.x, 0, 2),
                            scalar = clgrad_tensor_scalar(own.buffer, own.offset + 19);
        const clgrad_loss_inputs inputs = target_alone(clgrad_tensor_rows(s.t.target, 0, 2));
        refuse(context, &s, x, &inputs, s.t.loss, true, argument, names[i]);
        refuse(context, &s, two, &inputs, scalar, true, argument, names[i]);
        clgrad_loss_inputs weighted = inputs;
        weighted.weight = clgrad_tensor_vector(own.buffer, own.offset, CLGRAD_TYPE_FLOAT32, 3);
        refuse(context, &s, two, &weighted, s.t.loss, true, argument, names[i]);
        const clgrad_tensor prediction = clgrad_tensor_matrix(own.buffer, own.offset, 2, 3);
        assert_refused(context, clgrad_network_predict(s.t.network, two, prediction), argument, names[i]);
    }
    tear_down(context, s);
}

static void networks_that_are_null(clgrad_context *context)
{
    setting s = set_up(context, true);
    const clgrad_loss_inputs inputs = target_alone(s.t.target);
    assert_int_equal(clgrad_network_evaluate_with(NULL, s.t.x, &inputs, s.t.loss), argument);
    assert_int_equal(clgrad_network_backward_with(NULL, s.t.x, &inputs, s.t.loss), argument);
    assert_int_equal(clgrad_network_train_step_with(NULL, s.t.x, &inputs, s.t.loss), argument);
    assert_int_equal(clgrad_network_accumulate(NULL, s.t.x, &inputs, 1, s.t.loss), argument);
    assert_int_equal(clgrad_network_step(NULL), argument);
    assert_null(clgrad_network_running_stats(NULL).buffer);
    tear_down(context, s);
}

/* A sum that a refused call came between goes on: half a gradient and a whole one. */
static void a_refused_call_leaves_the_sum(clgrad_context *context)
{
    setting s = set_up(context, true);
    const clgrad_loss_inputs good = target_alone(s.t.target);
    refuse(context, &s, s.t.x, NULL, s.t.loss, true, argument, "NULL");
    const float *half = s.before[1];
    assert_ok(context, clgrad_network_accumulate(s.t.network, s.t.x, &good, 1, s.t.loss));
    float *now = tensor_floats(context, s.owned[1]);
    for (size_t i = 0; i < clgrad_tensor_count(s.owned[1]); i++)
        assert_true(is_close(now[i], 3 * (double)half[i], 1e-6 * fabs((double)half[i])));
    free(now);
    for (size_t i = 0; i < OWNED; i++)
        free(s.before[i]);
    tensor_free(context, s.prediction);
    stop(context, s.t);
}

int main(void)
{
    const test_case cases[] = {
        CASE(parameters_outside_their_intervals),
        CASE(layers_that_cannot_be),
        CASE(groups_that_cannot_be),
        CASE(clipping_that_cannot_be),
        CASE(a_batch_of_one),
        CASE(inputs_that_are_refused),
        CASE(arguments_in_the_networks_memory),
        CASE(networks_that_are_null),
        CASE(a_refused_call_leaves_the_sum),
    };
    return run_on_every_device(cases, COUNT(cases));
}
