/*
 * Networks of every kind of layer against the oracle, in evaluation and in training: each row of the list
 * with every parameter off its default, at every place in a network, and deep mixtures of them.
 */
#include "harness.h"
#include "network_oracle.h"

#include "reference/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 7, MOST = 12 };

/* A network under test: its label, what it is of, and what it is run on. */
typedef struct subject {
    char label[128];
    clgrad_layer layers[MOST];
    clgrad_network_options options;
    samples s;
    pass p;
} subject;

static double subject_loss(const void *data, const double *parameters)
{
    const subject *it = data;
    return exact_output_loss(&it->options, parameters, it->s, it->p);
}

/* Prediction and loss in evaluation: nothing of the network changes by them. */
static void check_evaluation(clgrad_context *context, const subject *it, clgrad_network *network,
                             const double *parameters, clgrad_tensor x, clgrad_tensor target)
{
    const clgrad_tensor stats = clgrad_network_running_stats(network);
    double *running = scatter_running(context, &it->options, network);
    void *before = running != NULL ? tensor_contents(context, stats) : NULL;
    clgrad_tensor loss = scalar_with(context, NAN);
    clgrad_tensor prediction = matrix_with(context, it->s.rows, it->s.outputs, NULL);
    const pass evaluation = {.running = running};
    double *exact = exact_output(&it->options, parameters, it->s, evaluation);
    const double value = exact_output_loss(&it->options, parameters, it->s, evaluation);
    assert_ok(context, clgrad_network_predict(network, x, prediction));
    assert_near(context, it->label, prediction, exact, 1e-5);
    assert_ok(context, clgrad_network_evaluate(network, x, target, loss));
    assert_near(context, it->label, loss, &value, 1e-5);
    if (running != NULL)
        assert_contents(context, stats, before);
    free(exact);
    free(before);
    free(running);
    tensor_free(context, loss);
    tensor_free(context, prediction);
}

/* Two passes in training: losses, gradients and running statistics. */
static void check_training(clgrad_context *context, subject *it, clgrad_network *network, double *parameters,
                           clgrad_tensor x, clgrad_tensor target)
{
    const clgrad_tensor stats = clgrad_network_running_stats(network);
    const size_t count = parameter_count(&it->options);
    double *running = scatter_running(context, &it->options, network);
    clgrad_tensor loss = scalar_with(context, NAN);
    for (uint64_t n = 0; n < 2; n++) {
        assert_ok(context, clgrad_network_backward(network, x, target, loss));
        const pass nth = {.training = true, .number = n, .running = running};
        const double value = exact_output_loss(&it->options, parameters, it->s, nth);
        assert_near(context, it->label, loss, &value, 1e-5);
        if (running != NULL)
            assert_near(context, it->label, stats, running, 1e-6);
        it->p = (pass){.training = true, .number = n};
        float *gradient = tensor_floats(context, clgrad_network_gradients(network));
        assert_slopes(it->label, gradient, parameters, count, subject_loss, it);
        free(gradient);
    }
    tensor_free(context, loss);
    free(running);
}

static void check(clgrad_context *context, subject *it)
{
    it->options.layers = it->layers;
    it->options.seed = 77;
    clgrad_network *network = build(context, &it->options);
    const size_t outputs = output_count(&it->options);
    it->s = make_samples(ROWS, it->options.inputs, outputs, false);
    assert_int_equal(clgrad_tensor_count(clgrad_network_parameters(network)), parameter_count(&it->options));
    const clgrad_tensor stats = clgrad_network_running_stats(network);
    assert_int_equal(stats.buffer != NULL ? clgrad_tensor_count(stats) : 0, running_count(&it->options));
    double *parameters = scatter_parameters(context, network, 21);
    clgrad_tensor x = upload_x(context, it->s), target = upload_target(context, it->s);
    check_evaluation(context, it, network, parameters, x, target);
    check_training(context, it, network, parameters, x, target);
    free(parameters);
    tensor_free(context, x);
    tensor_free(context, target);
    samples_free(it->s);
    clgrad_network_destroy(network);
}

/* ---- one layer of each kind ---- */

/* A value off the default of each parameter; a new parameter needs one. */
static const struct {
    const char *name;
    float value;
} alternatives[] = {
    {"bias", 0},  {"per_channel", 1}, {"init", -0.5f},   {"lower", -0.25f}, {"upper", 0.75f},
    {"p", 0.25f}, {"eps", 0.125f},    {"momentum", 0.5}, {"affine", 0},     {"track_running_stats", 0},
};

static float alternative(const clgrad_parameter *parameter)
{
    for (size_t i = 0; i < COUNT(alternatives); i++)
        if (strcmp(alternatives[i].name, parameter->name) == 0)
            return alternatives[i].value;
    fail_msg("no value to try of %s", parameter->name);
    return 0;
}

/* The layer alone, behind a dense one, between two, and before one. */
static void check_places(clgrad_context *context, clgrad_layer layer, const char *what)
{
    static const char *const places[] = {"alone", "first", "last", "between"};
    if (layer.kind == CLGRAD_LAYER_DENSE)
        layer.outputs = 4;
    const clgrad_layer before = clgrad_layer_dense(6, CLGRAD_ACTIVATION_TANH),
                       behind = clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY);
    for (size_t place = 0; place < COUNT(places); place++) {
        subject it = {.options = clgrad_network_defaults()};
        snprintf(it.label, sizeof it.label, "%s %s, %s", clgrad_layer_describe(layer.kind)->name, what,
                 places[place]);
        size_t count = 0;
        if (place >= 2)
            it.layers[count++] = before;
        it.layers[count++] = layer;
        if (place % 2 == 1)
            it.layers[count++] = behind;
        it.options.inputs = 4;
        it.options.layer_count = count;
        it.options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
        check(context, &it);
    }
}

static void every_kind_of_layer(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LAYER_COUNT; k++) {
        const clgrad_layer_kind kind = (clgrad_layer_kind)k;
        const clgrad_parameter *parameters = clgrad_layer_describe(kind)->parameters;
        clgrad_layer layer = clgrad_layer_defaults(kind);
        check_places(context, layer, "at its defaults");
        for (const clgrad_parameter *p = parameters; p->name != NULL; p++) {
            clgrad_layer other = clgrad_layer_defaults(kind);
            assert_true(clgrad_parameter_get(p, &layer) == p->default_value);
            assert_true(alternative(p) != p->default_value);
            assert_true(clgrad_parameter_set(p, &other, alternative(p)));
            check_places(context, other, p->name);
        }
    }
}

/* Between dense layers and at the end; on numbers from 0 to 1 where there is nothing below 0. */
static void layers_of_every_activation(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_ACTIVATION_COUNT; k++) {
        const clgrad_layer layer = clgrad_layer_activation((clgrad_activation_kind)k);
        const clgrad_activation_kind before = isnan(clgrad_ref_activate(&layer.activation, -1))
                                                  ? CLGRAD_ACTIVATION_SIGMOID
                                                  : CLGRAD_ACTIVATION_IDENTITY;
        subject it = {.options = clgrad_network_defaults()};
        snprintf(it.label, sizeof it.label, "%s",
                 clgrad_activation_describe((clgrad_activation_kind)k)->name);
        it.layers[0] = clgrad_layer_dense(6, before);
        it.layers[1] = layer;
        it.layers[2] = clgrad_layer_dense(4, before);
        it.layers[3] = layer;
        it.options.inputs = 4;
        it.options.layer_count = 4;
        it.options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
        check(context, &it);
    }
}

/* ---- what the parameters begin with ---- */

static void parameters_begin_as_documented(clgrad_context *context)
{
    clgrad_layer layers[] = {
        clgrad_layer_defaults(CLGRAD_LAYER_PRELU),      clgrad_layer_dense(6, CLGRAD_ACTIVATION_RELU),
        clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM), clgrad_layer_defaults(CLGRAD_LAYER_PRELU),
        clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM), clgrad_layer_defaults(CLGRAD_LAYER_GLU),
        clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM)};
    layers[3].per_channel = true;
    layers[3].init = -0.5f;
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    clgrad_network *network = build(context, &options);
    const struct {
        size_t weight, bias;
        float initial;
    } wanted[] = {{1, 0, 0.25f}, {24, 6, 0}, {6, 6, 1}, {6, 0, -0.5f}, {6, 6, 1}, {0, 0, 0}, {3, 3, 1}};
    for (size_t i = 0; i < COUNT(layers); i++) {
        const clgrad_tensor weight = clgrad_network_weight(network, i),
                            bias = clgrad_network_bias(network, i),
                            dweight = clgrad_network_weight_gradient(network, i),
                            dbias = clgrad_network_bias_gradient(network, i);
        assert_int_equal(weight.buffer != NULL, wanted[i].weight > 0);
        assert_int_equal(bias.buffer != NULL, wanted[i].bias > 0);
        assert_int_equal(dweight.buffer != NULL, wanted[i].weight > 0);
        assert_int_equal(dbias.buffer != NULL, wanted[i].bias > 0);
        if (weight.buffer != NULL)
            assert_int_equal(weight.rank, layers[i].kind == CLGRAD_LAYER_DENSE ? 2 : 1);
        if (weight.buffer != NULL && layers[i].kind != CLGRAD_LAYER_DENSE) {
            assert_int_equal(weight.shape[0], wanted[i].weight);
            float *numbers = tensor_floats(context, weight);
            for (size_t k = 0; k < wanted[i].weight; k++)
                assert_true(numbers[k] == wanted[i].initial);
            free(numbers);
        }
        if (bias.buffer != NULL) {
            assert_int_equal(bias.shape[0], wanted[i].bias);
            float *numbers = tensor_floats(context, bias);
            for (size_t k = 0; k < wanted[i].bias; k++)
                assert_true(numbers[k] == 0);
            free(numbers);
        }
    }
    /* means 0 and variances 1, of 6 features and of 3 */
    const clgrad_tensor stats = clgrad_network_running_stats(network);
    assert_int_equal(stats.shape[0], 18);
    const float begin[18] = {0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1};
    assert_holds(context, stats, begin);
    clgrad_network_destroy(network);
}

/* ---- mixtures ---- */

/* With features enough that no two results share the room that one is rounded up to. */
static void deep_network(clgrad_context *context)
{
    const clgrad_layer layers[] = {
        clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM), clgrad_layer_dense(8, CLGRAD_ACTIVATION_GELU),
        clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM), clgrad_layer_defaults(CLGRAD_LAYER_PRELU),
        clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT),    clgrad_layer_dense(40, CLGRAD_ACTIVATION_IDENTITY),
        clgrad_layer_defaults(CLGRAD_LAYER_GLU),        clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),
        clgrad_layer_defaults(CLGRAD_LAYER_RRELU),      clgrad_layer_activation(CLGRAD_ACTIVATION_SILU),
        clgrad_layer_dense(5, CLGRAD_ACTIVATION_TANH),  clgrad_layer_defaults(CLGRAD_LAYER_SOFTMIN)};
    _Static_assert(sizeof layers / sizeof *layers <= MOST, "");
    subject it = {.label = "a deep network", .options = clgrad_network_defaults()};
    memcpy(it.layers, layers, sizeof layers);
    it.options.inputs = 5;
    it.options.layer_count = COUNT(layers);
    it.options.loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    check(context, &it);
}

/* From 16 features to 1, each half of those before. */
static void halves_of_halves(clgrad_context *context)
{
    subject it = {.label = "gated linear units in a row", .options = clgrad_network_defaults()};
    it.layers[0] = clgrad_layer_dense(16, CLGRAD_ACTIVATION_IDENTITY);
    for (size_t i = 1; i <= 4; i++)
        it.layers[i] = clgrad_layer_defaults(CLGRAD_LAYER_GLU);
    it.options.inputs = 3;
    it.options.layer_count = 5;
    it.options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    it.options.loss.reduction = CLGRAD_REDUCTION_SUM;
    check(context, &it);
}

/* ---- running statistics ---- */

static clgrad_network_options two_batch_norms(clgrad_layer layers[5])
{
    layers[0] = clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM);
    layers[1] = clgrad_layer_dense(6, CLGRAD_ACTIVATION_TANH);
    layers[2] = clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM);
    layers[3] = clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT);
    layers[4] = clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY);
    layers[2].momentum = 0.75f;
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = 5;
    options.seed = 5;
    options.optimizer.lr = 0.25f;
    return options;
}

/* Each step's from the parameters before it; evaluation between steps goes by them and changes nothing. */
static void running_statistics_follow_the_steps(clgrad_context *context)
{
    clgrad_layer layers[5];
    const clgrad_network_options options = two_batch_norms(layers);
    samples s = make_samples(9, 4, 3, true);
    training t = start(context, &options);
    const clgrad_tensor stats = clgrad_network_running_stats(t.network);
    double *running = tensor_doubles(context, stats);
    for (uint64_t n = 0; n < 6; n++) {
        double *parameters = tensor_doubles(context, clgrad_network_parameters(t.network));
        const double value = exact_output_loss(&options, parameters, s,
                                               (pass){.training = true, .number = n, .running = running});
        step(context, t);
        assert_near(context, "loss", t.loss, &value, 1e-5);
        assert_near(context, "running statistics", stats, running, 1e-5);
        free(parameters);

        parameters = tensor_doubles(context, clgrad_network_parameters(t.network));
        const double evaluated = exact_output_loss(&options, parameters, s, (pass){.running = running});
        void *before = tensor_contents(context, stats);
        assert_ok(context, clgrad_network_evaluate(t.network, t.x, t.target, t.loss));
        assert_near(context, "loss in evaluation", t.loss, &evaluated, 1e-5);
        assert_contents(context, stats, before);
        free(before);
        free(parameters);
    }
    free(running);
    samples_free(s);
    stop(context, t);
}

/* From an index out of range to its report no step moves them; the pass that finds it has moved them. */
static void a_fault_suspends_running_statistics(clgrad_context *context)
{
    clgrad_layer layers[5];
    const clgrad_network_options options = two_batch_norms(layers);
    training t = start(context, &options);
    const clgrad_tensor stats = clgrad_network_running_stats(t.network);
    step(context, t);
    const int32_t wrong[9] = {0, 1, 2, 3, 0, 1, 2, 0, 1};
    const size_t rows = 9;
    clgrad_tensor bad = tensor_with(context, CLGRAD_TYPE_INT32, 1, &rows, wrong);
    assert_ok(context, clgrad_network_train_step(t.network, t.x, bad, t.loss));
    float suspended[20], after[20];
    assert_int_equal(clgrad_tensor_count(stats), 20);
    clgrad_tensor copy = vector_with(context, 20, NULL); /* reading would report the fault */
    assert_ok(context, clgrad_tensor_copy(context, stats, copy));
    step(context, t);
    clgrad_tensor later = vector_with(context, 20, NULL);
    assert_ok(context, clgrad_tensor_copy(context, stats, later));
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, "is 3");
    assert_ok(context, clgrad_tensor_read(context, copy, suspended, sizeof suspended));
    assert_ok(context, clgrad_tensor_read(context, later, after, sizeof after));
    assert_same_floats(after, suspended, 20);
    step(context, t); /* reported, they go on */
    assert_ok(context, clgrad_tensor_read(context, stats, after, sizeof after));
    assert_true(memcmp(after, suspended, sizeof after) != 0);
    tensor_free(context, bad);
    tensor_free(context, copy);
    tensor_free(context, later);
    stop(context, t);
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_kind_of_layer),
        CASE(layers_of_every_activation),
        CASE(parameters_begin_as_documented),
        CASE(deep_network),
        CASE(halves_of_halves),
        CASE(running_statistics_follow_the_steps),
        CASE(a_fault_suspends_running_statistics),
    };
    return run_on_every_device(cases, COUNT(cases));
}
