#include "harness.h"
#include "network_oracle.h"

#include "golden/network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- a third source ---- */

static void assert_golden(clgrad_context *context, const char *name, clgrad_tensor tensor,
                          const double *exact, double tolerance)
{
    const size_t count = clgrad_tensor_count(tensor);
    float *got = tensor_floats(context, tensor);
    double *tolerances = allocate(count, sizeof *tolerances);
    for (size_t i = 0; i < count; i++)
        tolerances[i] = tolerance;
    assert_all_close(name, got, exact, tolerances, count);
    free(tolerances);
    free(got);
}

/*
 * Ten steps from the same parameters on the same batch. A pass through sums of a few terms below 3 rounds by
 * some 10 units of 2^-24; ten steps, with momentum and a learning rate of at most 0.5, keep it below 100.
 */
static void golden_trajectories(clgrad_context *context)
{
    for (size_t g = 0; g < COUNT(golden_networks); g++) {
        const golden_network *golden = &golden_networks[g];
        clgrad_layer layers[8];
        for (size_t i = 0; i < golden->layer_count; i++)
            layers[i] = clgrad_layer_dense(golden->outputs[i], golden->activations[i]);
        clgrad_network_options options = clgrad_network_defaults();
        options.inputs = golden->inputs;
        options.layers = layers;
        options.layer_count = golden->layer_count;
        options.loss = clgrad_loss_defaults(golden->loss);
        set_parameters(clgrad_optimizer_describe(CLGRAD_OPTIMIZER_SGD)->parameters, &options.optimizer,
                       golden->optimizer_parameters);
        clgrad_network *network = build(context, &options);
        const clgrad_tensor parameters = clgrad_network_parameters(network);
        assert_ok(context, clgrad_tensor_write(context, parameters, golden->initial,
                                               clgrad_tensor_count(parameters) * sizeof(float)));

        const size_t outputs = golden->outputs[golden->layer_count - 1];
        clgrad_tensor x = matrix_with(context, golden->batch, golden->inputs, golden->x);
        clgrad_tensor target =
            golden->classes != NULL
                ? tensor_with(context, CLGRAD_TYPE_INT32, 1, &golden->batch, golden->classes)
                : matrix_with(context, golden->batch, outputs, golden->target);
        clgrad_tensor loss = scalar_with(context, NAN);
        for (size_t step = 0; step < golden->steps; step++) {
            assert_ok(context, clgrad_network_train_step(network, x, target, loss));
            assert_golden(context, golden->label, loss, &golden->losses[step], 100 * 0x1p-24);
            if (step == 0)
                assert_golden(context, golden->label, clgrad_network_gradients(network), golden->gradients,
                              16 * 0x1p-24);
        }
        assert_golden(context, golden->label, parameters, golden->parameters, 100 * 0x1p-24);
        tensor_free(context, x);
        tensor_free(context, target);
        tensor_free(context, loss);
        clgrad_network_destroy(network);
    }
}

/* ---- gradients ---- */

/* The gradient of a whole network against central differences of the loss in double precision. */
static void check_slopes(clgrad_context *context, const clgrad_network_options *options, samples s)
{
    clgrad_network *network = build(context, options);
    double *parameters = scatter_parameters(context, network, 21);
    clgrad_tensor x = upload_x(context, s), target = upload_target(context, s),
                  loss = scalar_with(context, NAN);
    assert_ok(context, clgrad_network_backward(network, x, target, loss));
    float *got = tensor_floats(context, clgrad_network_gradients(network));
    const double value = exact_loss(options, parameters, s),
                 got_value = (double)tensor_scalar_value(context, loss);
    if (!is_close(got_value, value, 2e-6 * (1 + fabs(value))))
        fail_msg("the loss is %.9g, exactly %.9g", got_value, value);

    const size_t count = parameter_count(options);
    assert_int_equal(count, clgrad_tensor_count(clgrad_network_parameters(network)));
    double *slopes = allocate(count, sizeof *slopes), largest = 0;
    for (size_t i = 0; i < count; i++) {
        const double middle = parameters[i], step = 1e-5;
        parameters[i] = middle + step;
        const double above = exact_loss(options, parameters, s);
        parameters[i] = middle - step;
        slopes[i] = (above - exact_loss(options, parameters, s)) / (2 * step);
        parameters[i] = middle;
        largest = fmax(largest, fabs(slopes[i]));
    }
    for (size_t i = 0; i < count; i++)
        if (!is_close(got[i], slopes[i], 1e-5 * largest))
            fail_msg("%s: gradient[%zu] is %.9g, the slope %.9g",
                     clgrad_loss_describe(options->loss.kind)->name, i, (double)got[i], slopes[i]);
    if (!(largest > 1e-3)) /* of something, that is */
        fail_msg("%s, %s: the largest slope is %g", clgrad_loss_describe(options->loss.kind)->name,
                 clgrad_activation_describe(options->layers[0].activation.kind)->name, largest);
    free(slopes);
    free(got);
    free(parameters);
    tensor_free(context, x);
    tensor_free(context, target);
    tensor_free(context, loss);
    clgrad_network_destroy(network);
}

/* Losses that take more than a target of the prediction's shape, or of class indices, have tests of their
 * own. */
static bool takes_a_target_alone(size_t kind)
{
    const unsigned more = CLGRAD_LOSS_TAKES_OTHER | CLGRAD_LOSS_TAKES_INTEGERS | CLGRAD_LOSS_TAKES_LENGTHS |
                          CLGRAD_LOSS_TAKES_ROW_TARGET;
    return (clgrad_loss_describe((clgrad_loss_kind)kind)->flags & more) == 0 &&
           kind != CLGRAD_LOSS_HINGE_EMBEDDING;
}

static void gradients_are_slopes(clgrad_context *context)
{
    samples soft = make_samples(7, 4, 3, false), hard = make_samples(7, 4, 3, true);
    for (size_t kind = 0; kind < CLGRAD_LOSS_COUNT; kind++)
        for (int sum = 0; sum < 2 && takes_a_target_alone(kind); sum++) {
            clgrad_layer layers[LAYERS];
            clgrad_network_options options = mixed_network(layers, kind % 5);
            layers[LAYERS - 1].activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_SIGMOID);
            options.loss = clgrad_loss_defaults((clgrad_loss_kind)kind);
            options.loss.reduction = sum ? CLGRAD_REDUCTION_SUM : CLGRAD_REDUCTION_MEAN;
            options.loss.alpha = 0.3f;
            check_slopes(context, &options, soft);
            if (kind == CLGRAD_LOSS_CROSS_ENTROPY)
                check_slopes(context, &options, hard);
        }
    /* logits from each activation, and a network of one layer */
    for (size_t variant = 0; variant < CLGRAD_ACTIVATION_COUNT; variant++) {
        clgrad_layer layers[LAYERS];
        clgrad_network_options options = mixed_network(layers, variant);
        check_slopes(context, &options, hard);
        layers[0].outputs = 3;
        options.layer_count = 1;
        check_slopes(context, &options, hard);
    }
    samples_free(soft);
    samples_free(hard);
}

/* ---- the calls against one another ---- */

static void predict_is_a_chain_of_layers(clgrad_context *context)
{
    for (size_t variant = 0; variant < CLGRAD_ACTIVATION_COUNT; variant++) {
        clgrad_layer layers[LAYERS];
        const clgrad_network_options options = mixed_network(layers, variant);
        clgrad_network *network = build(context, &options);
        double *parameters = scatter_parameters(context, network, 22);
        samples s = make_samples(9, 4, 3, true);
        clgrad_tensor x = upload_x(context, s), prediction = matrix_with(context, 9, 3, NULL);
        assert_ok(context, clgrad_network_predict(network, x, prediction));

        clgrad_tensor h[LAYERS];
        for (size_t i = 0; i < LAYERS; i++) {
            h[i] = matrix_with(context, 9, layers[i].outputs, NULL);
            assert_ok(context, clgrad_dense_forward(context, &layers[i].activation, i > 0 ? h[i - 1] : x,
                                                    clgrad_network_weight(network, i),
                                                    clgrad_network_bias(network, i), h[i], h[i]));
        }
        void *chained = tensor_contents(context, h[LAYERS - 1]);
        assert_contents(context, prediction, chained);
        double *exact = exact_prediction(&options, parameters, s);
        double largest = 1;
        for (size_t i = 0; i < s.rows * s.outputs; i++)
            largest = fmax(largest, fabs(exact[i]));
        assert_golden(context, "prediction", prediction, exact, 1e-5 * largest);

        free(exact);
        free(chained);
        free(parameters);
        tensor_free(context, x);
        tensor_free(context, prediction);
        for (size_t i = 0; i < LAYERS; i++)
            tensor_free(context, h[i]);
        samples_free(s);
        clgrad_network_destroy(network);
    }
}

static void evaluate_is_the_loss_of_the_prediction(clgrad_context *context)
{
    for (size_t variant = 0; variant < CLGRAD_ACTIVATION_COUNT; variant++) {
        clgrad_layer layers[LAYERS];
        const clgrad_network_options options = mixed_network(layers, variant);
        training t = start(context, &options);
        clgrad_tensor prediction = matrix_with(context, 9, 3, NULL), value = scalar_with(context, NAN);
        assert_ok(context, clgrad_network_predict(t.network, t.x, prediction));
        assert_ok(context, clgrad_loss_forward(context, &options.loss, prediction, t.target, value));
        void *wanted = tensor_contents(context, value);

        void *parameters = tensor_contents(context, clgrad_network_parameters(t.network));
        assert_ok(context, clgrad_tensor_fill(context, clgrad_network_gradients(t.network), 3));
        void *gradients = tensor_contents(context, clgrad_network_gradients(t.network));
        assert_ok(context, clgrad_network_evaluate(t.network, t.x, t.target, t.loss));
        assert_contents(context, t.loss, wanted);
        assert_contents(context, clgrad_network_parameters(t.network), parameters);
        assert_contents(context, clgrad_network_gradients(t.network), gradients);
        assert_int_equal(clgrad_network_steps(t.network), 0);
        free(wanted);
        free(parameters);
        free(gradients);
        tensor_free(context, prediction);
        tensor_free(context, value);
        stop(context, t);
    }
}

static clgrad_optimizer with_momentum(void)
{
    clgrad_optimizer optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    optimizer.lr = 0.25f;
    optimizer.momentum = 0.9f;
    optimizer.dampening = 0.5f;
    optimizer.weight_decay = 0.125f;
    return optimizer;
}

/* Backward changes the gradients alone; a train step is that and one step of the optimizer, bit for bit. */
static void train_step_is_backward_and_optimizer(clgrad_context *context)
{
    clgrad_layer layers[LAYERS];
    clgrad_network_options options = mixed_network(layers, 1);
    options.optimizer = with_momentum();
    training trained = start(context, &options), by_hand = start(context, &options);
    for (uint64_t n = 1; n <= 4; n++) {
        step(context, trained);
        assert_int_equal(clgrad_network_steps(trained.network), n);

        void *before = tensor_contents(context, clgrad_network_parameters(by_hand.network));
        void *state = tensor_contents(context, clgrad_network_state(by_hand.network));
        assert_ok(context, clgrad_network_backward(by_hand.network, by_hand.x, by_hand.target, by_hand.loss));
        assert_contents(context, clgrad_network_parameters(by_hand.network), before);
        assert_contents(context, clgrad_network_state(by_hand.network), state);
        assert_int_equal(clgrad_network_steps(by_hand.network), 0);
        assert_ok(context, clgrad_optimizer_step(context, &options.optimizer, n,
                                                 clgrad_network_gradients(by_hand.network),
                                                 clgrad_network_parameters(by_hand.network),
                                                 clgrad_network_state(by_hand.network)));
        free(before);
        free(state);
        before = tensor_contents(context, by_hand.loss);
        assert_contents(context, trained.loss, before);
        free(before);
        const clgrad_tensor got[] = {clgrad_network_parameters(trained.network),
                                     clgrad_network_gradients(trained.network),
                                     clgrad_network_state(trained.network)};
        const clgrad_tensor wanted[] = {clgrad_network_parameters(by_hand.network),
                                        clgrad_network_gradients(by_hand.network),
                                        clgrad_network_state(by_hand.network)};
        for (size_t i = 0; i < COUNT(got); i++) {
            void *contents = tensor_contents(context, wanted[i]);
            assert_contents(context, got[i], contents);
            free(contents);
        }
    }
    stop(context, trained);
    stop(context, by_hand);
}

/* The loss of a train step is from before the step. */
static void loss_is_from_before_the_step(clgrad_context *context)
{
    clgrad_layer layers[LAYERS];
    clgrad_network_options options = mixed_network(layers, 2);
    options.optimizer.lr = 0.5f;
    training t = start(context, &options);
    clgrad_tensor evaluated = vector_with(context, 1, NULL); /* shape [1] is accepted too */
    for (int n = 0; n < 3; n++) {
        assert_ok(context, clgrad_network_evaluate(t.network, t.x, t.target, evaluated));
        void *wanted = tensor_contents(context, evaluated);
        step(context, t);
        assert_contents(context, t.loss, wanted);
        free(wanted);
    }
    tensor_free(context, evaluated);
    stop(context, t);
}

int main(void)
{
    const test_case cases[] = {
        CASE(golden_trajectories),
        CASE(gradients_are_slopes),
        CASE(predict_is_a_chain_of_layers),
        CASE(evaluate_is_the_loss_of_the_prediction),
        CASE(train_step_is_backward_and_optimizer),
        CASE(loss_is_from_before_the_step),
    };
    return run_on_every_device(cases, COUNT(cases));
}
