/*
 * What a network's calls refuse, and what they do about a class index that is out of range: each refusal has
 * its status, a sentence with the actual values, and leaves parameters, gradients and state as they were.
 */
#include "harness.h"
#include "network_oracle.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A network with momentum that has made a step, and everything it owns or was given. */
typedef struct setting {
    clgrad_context *context;
    training t;
    clgrad_tensor prediction, owned[3];
    void *before[5];
} setting;

static setting set_up(clgrad_context *context)
{
    clgrad_layer layers[LAYERS];
    clgrad_network_options options = mixed_network(layers, 1);
    options.optimizer.momentum = 0.9f;
    options.optimizer.lr = 0.1f;
    setting s = {.context = context, .t = start(context, &options)};
    s.prediction = matrix_with(context, 9, 3, NULL);
    step(context, s.t);
    s.owned[0] = clgrad_network_parameters(s.t.network);
    s.owned[1] = clgrad_network_gradients(s.t.network);
    s.owned[2] = clgrad_network_state(s.t.network);
    for (size_t i = 0; i < 3; i++)
        s.before[i] = tensor_contents(context, s.owned[i]);
    s.before[3] = tensor_contents(context, s.t.loss);
    s.before[4] = tensor_contents(context, s.prediction);
    return s;
}

/* Nothing has changed since. */
static void tear_down(setting s)
{
    for (size_t i = 0; i < 3; i++)
        assert_contents(s.context, s.owned[i], s.before[i]);
    assert_contents(s.context, s.t.loss, s.before[3]);
    assert_contents(s.context, s.prediction, s.before[4]);
    assert_int_equal(clgrad_network_steps(s.t.network), 1);
    for (size_t i = 0; i < COUNT(s.before); i++)
        free(s.before[i]);
    tensor_free(s.context, s.prediction);
    stop(s.context, s.t);
}

/* Every call that takes x, target and loss. The sentence names the call. */
static void refuse(const setting *s, clgrad_tensor x, clgrad_tensor target, clgrad_tensor loss,
                   clgrad_status status, const char *part)
{
    clgrad_context *context = s->context;
    clgrad_network *network = s->t.network;
    assert_refused(context, clgrad_network_evaluate(network, x, target, loss), status, part);
    assert_refused(context, clgrad_network_evaluate(network, x, target, loss), status, "network_evaluate: ");
    assert_refused(context, clgrad_network_backward(network, x, target, loss), status, part);
    assert_refused(context, clgrad_network_backward(network, x, target, loss), status, "network_backward: ");
    assert_refused(context, clgrad_network_train_step(network, x, target, loss), status, part);
    assert_refused(context, clgrad_network_train_step(network, x, target, loss), status,
                   "network_train_step: ");
}

static void refuse_to_predict(const setting *s, clgrad_tensor x, clgrad_tensor prediction,
                              clgrad_status status, const char *part)
{
    assert_refused(s->context, clgrad_network_predict(s->t.network, x, prediction), status, part);
    assert_refused(s->context, clgrad_network_predict(s->t.network, x, prediction), status,
                   "network_predict: ");
}

static clgrad_tensor with_type(clgrad_tensor tensor, clgrad_type type)
{
    tensor.type = type;
    return tensor;
}

static clgrad_tensor with_offset(clgrad_tensor tensor, size_t offset)
{
    tensor.offset = offset;
    return tensor;
}

/* Cut to its first columns; the rows lie closer together then, which does not matter here. */
static clgrad_tensor with_columns(clgrad_tensor tensor, size_t columns)
{
    tensor.shape[1] = columns;
    return tensor;
}

static void arguments_that_do_not_fit(clgrad_context *context)
{
    setting s = set_up(context);
    const clgrad_tensor x = s.t.x, target = s.t.target, loss = s.t.loss, none = clgrad_tensor_none();
    const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT, shape = CLGRAD_STATUS_INVALID_SHAPE,
                        type = CLGRAD_STATUS_INVALID_TYPE, range = CLGRAD_STATUS_OUT_OF_RANGE;
    refuse(&s, none, target, loss, argument, ": x is absent");
    refuse(&s, x, none, loss, argument, ": target is absent");
    refuse(&s, x, target, none, argument, ": loss is absent");
    refuse(&s, with_columns(x, 3), target, loss, shape, "x has 3 columns, but the network has 4 inputs");
    refuse(&s, clgrad_tensor_rows(x, 0, 8), target, loss, shape, "target has shape [9]");
    refuse(&s, x, clgrad_tensor_rows(target, 0, 8), loss, shape, "target has shape [8]");
    refuse(&s, x, clgrad_tensor_rows(x, 0, 9), loss, shape, "target has shape [9, 4]");
    refuse(&s, x, target, clgrad_tensor_vector(loss.buffer, loss.offset, CLGRAD_TYPE_FLOAT32, 2), shape,
           "loss has shape [2]");
    refuse(&s, x, target, clgrad_tensor_matrix(loss.buffer, loss.offset, 1, 1), shape,
           "loss has shape [1, 1]");
    refuse(&s, with_type(x, CLGRAD_TYPE_INT32), target, loss, type, ": x is int32");
    refuse(&s, x, target, with_type(loss, CLGRAD_TYPE_INT32), type, ": loss is int32");
    refuse(&s, with_offset(x, SIZE_MAX), target, loss, range, ": x has");
    refuse(&s, x, with_offset(target, 19), loss, range, ": target has");
    refuse(&s, x, target, with_offset(loss, 11), range, ": loss has");
    refuse(&s, x, target, with_offset(loss, SIZE_MAX), range, ": loss has");

    refuse_to_predict(&s, none, s.prediction, argument, ": x is absent");
    refuse_to_predict(&s, x, none, argument, ": prediction is absent");
    refuse_to_predict(&s, with_columns(x, 3), s.prediction, shape, "x has 3 columns");
    refuse_to_predict(&s, x, with_columns(s.prediction, 2), shape,
                      "prediction has shape [9, 2], it must have shape [9, 3]");
    refuse_to_predict(&s, x, clgrad_tensor_rows(s.prediction, 0, 8), shape, "prediction has shape [8, 3]");
    refuse_to_predict(&s, x, with_type(s.prediction, CLGRAD_TYPE_INT32), type, ": prediction is int32");
    refuse_to_predict(&s, with_offset(x, 40), s.prediction, range, ": x has");
    refuse_to_predict(&s, x, with_offset(s.prediction, 11), range, ": prediction has");
    clgrad_tensor vector = x;
    vector.rank = 1;
    refuse(&s, vector, target, loss, shape, ": x has shape [9]");
    refuse_to_predict(&s, vector, s.prediction, shape, ": x has shape [9]");

    tear_down(s);
}

/* Without a network there is no context to leave a sentence in: the one before stays. With a context, NULL
 * for what is to receive something is named. */
static void no_network(clgrad_context *context)
{
    const clgrad_tensor none = clgrad_tensor_none();
    const clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    const clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    const clgrad_network_options options = clgrad_network_defaults();
    const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT;
    assert_refused(context, clgrad_network_create(context, &options, NULL), argument,
                   "network_create: network is NULL");
    const clgrad_status answers[] = {
        clgrad_network_predict(NULL, none, none),
        clgrad_network_evaluate(NULL, none, none, none),
        clgrad_network_backward(NULL, none, none, none),
        clgrad_network_train_step(NULL, none, none, none),
        clgrad_network_evaluate_with(NULL, none, &inputs, none),
        clgrad_network_backward_with(NULL, none, &inputs, none),
        clgrad_network_train_step_with(NULL, none, &inputs, none),
        clgrad_network_accumulate(NULL, none, &inputs, 1, none),
        clgrad_network_forward(NULL, none, none),
        clgrad_network_backward_from(NULL, none, none, none),
        clgrad_network_zero_gradients(NULL),
        clgrad_network_step(NULL),
        clgrad_network_set_optimizer(NULL, &sgd),
        clgrad_network_set_group(NULL, 0, &sgd),
        clgrad_network_save(NULL, "none.safetensors", NULL, 0),
        clgrad_network_load(NULL, "none.safetensors"),
        clgrad_network_load_parameters(NULL, "none.safetensors"),
    };
    for (size_t i = 0; i < COUNT(answers); i++)
        assert_int_equal(answers[i], argument);
    assert_string_equal(clgrad_context_error(context), "network_create: network is NULL");
}

/* Outputs on inputs, and anything on what the network owns. */
static void overlaps(clgrad_context *context)
{
    setting s = set_up(context);
    const clgrad_tensor x = s.t.x, target = s.t.target;
    const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT;
    refuse(&s, x, target, clgrad_tensor_scalar(x.buffer, x.offset + 35), argument, "loss overlaps x");
    refuse(&s, x, target, clgrad_tensor_scalar(target.buffer, target.offset), argument,
           "loss overlaps target");
    refuse_to_predict(&s, x, clgrad_tensor_matrix(x.buffer, x.offset, 9, 3), argument,
                      "prediction overlaps x");
    const char *names[] = {"the network's parameters", "the network's gradients", "the network's state"};
    for (size_t i = 0; i < COUNT(names); i++) {
        clgrad_buffer *buffer = s.owned[i].buffer;
        const size_t last = clgrad_tensor_count(s.owned[i]) - 1;
        refuse(&s, x, target, clgrad_tensor_scalar(buffer, last), argument, names[i]);
        refuse(&s, clgrad_tensor_matrix(buffer, last - 35, 9, 4), target, s.t.loss, argument, names[i]);
        refuse(&s, x, clgrad_tensor_vector(buffer, last - 8, CLGRAD_TYPE_INT32, 9), s.t.loss, argument,
               names[i]);
        refuse_to_predict(&s, x, clgrad_tensor_matrix(buffer, last - 26, 9, 3), argument, names[i]);
        refuse_to_predict(&s, clgrad_tensor_matrix(buffer, last - 35, 9, 4), s.prediction, argument,
                          names[i]);
    }
    tear_down(s);
}

/* ---- class indices ---- */

/* Step with a class index replaced. */
static void step_with(clgrad_context *context, training t, size_t row, int32_t class)
{
    int32_t *classes = tensor_contents(context, t.target);
    const int32_t right = classes[row];
    classes[row] = class;
    assert_ok(context, clgrad_tensor_write(context, t.target, classes, 9 * sizeof *classes));
    step(context, t);
    classes[row] = right;
    assert_ok(context, clgrad_tensor_write(context, t.target, classes, 9 * sizeof *classes));
    free(classes);
}

/*
 * A bad index leaves parameters and state alone, and so do the steps behind it, until it has been reported;
 * then training goes on as if it had never been. At the first step there is no state yet, and it becomes 0.
 */
static void check_bad_class(clgrad_context *context, int32_t class, bool by_read, size_t steps_before)
{
    clgrad_layer layers[LAYERS];
    clgrad_network_options options = mixed_network(layers, 1);
    options.optimizer.momentum = 0.9f;
    options.optimizer.lr = 0.1f;
    training hit = start(context, &options), spared = start(context, &options);
    for (size_t n = 0; n < steps_before; n++) {
        step(context, hit);
        step(context, spared);
    }
    const clgrad_tensor hit_state = clgrad_network_state(hit.network);
    void *parameters = tensor_contents(context, clgrad_network_parameters(hit.network));
    void *state = steps_before > 0 ? tensor_contents(context, hit_state)
                                   : allocate(clgrad_tensor_count(hit_state), sizeof(float));
    if (steps_before == 0)
        assert_ok(context, clgrad_tensor_fill(context, hit_state, 7));
    step_with(context, hit, 4, class);
    step(context, hit);

    char sentence[64];
    snprintf(sentence, sizeof sentence, "target[4] is %d,", class);
    float loss;
    assert_refused(context,
                   by_read ? clgrad_tensor_read(context, hit.loss, &loss, sizeof loss)
                           : clgrad_context_finish(context),
                   CLGRAD_STATUS_INVALID_INDEX, sentence);
    assert_non_null(strstr(clgrad_context_error(context), "classes 0 to 2"));
    assert_contents(context, clgrad_network_parameters(hit.network), parameters);
    assert_contents(context, hit_state, state);
    assert_int_equal(clgrad_network_steps(hit.network), steps_before + 2); /* suspended ones count */

    for (int n = 0; n < 3; n++) {
        step(context, hit);
        step(context, spared);
    }
    free(parameters);
    free(state);
    parameters = tensor_contents(context, clgrad_network_parameters(spared.network));
    assert_contents(context, clgrad_network_parameters(hit.network), parameters);
    free(parameters);
    stop(context, hit);
    stop(context, spared);
}

static void bad_class_index_costs_nothing(clgrad_context *context)
{
    const int32_t bad[] = {3, -1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT(bad); i++)
        for (int by_read = 0; by_read < 2; by_read++)
            for (size_t steps_before = 0; steps_before < 2; steps_before++)
                check_bad_class(context, bad[i], by_read, steps_before);
}

/* Evaluating reports it too, as the loss is NaN; the network is not touched anyway. */
static void bad_class_index_when_evaluating(clgrad_context *context)
{
    setting s = set_up(context);
    int32_t *classes = tensor_contents(context, s.t.target);
    classes[8] = 12;
    clgrad_tensor target = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){9}, classes);
    clgrad_tensor loss = scalar_with(context, 0);
    float value = 0;
    assert_ok(context, clgrad_network_evaluate(s.t.network, s.t.x, target, loss));
    assert_refused(context, clgrad_tensor_read(context, loss, &value, sizeof value),
                   CLGRAD_STATUS_INVALID_INDEX, "target[8] is 12");
    assert_true(isnan(value));
    assert_ok(context, clgrad_context_finish(context));
    free(classes);
    tensor_free(context, target);
    tensor_free(context, loss);
    tear_down(s);
}

int main(void)
{
    const test_case cases[] = {
        CASE(arguments_that_do_not_fit),
        CASE(overlaps),
        CASE(no_network),
        CASE(bad_class_index_costs_nothing),
        CASE(bad_class_index_when_evaluating),
    };
    return run_on_every_device(cases, COUNT(cases));
}
