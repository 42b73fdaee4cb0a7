/*
 * Dropout and rrelu in networks: which passes draw, that each draws anew, and that the seed decides all.
 */
#include "harness.h"
#include "network_oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { NOISY = 4 };

static clgrad_network_options noisy_network(clgrad_layer layers[NOISY])
{
    layers[0] = clgrad_layer_dense(8, CLGRAD_ACTIVATION_TANH);
    layers[1] = clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT);
    layers[2] = clgrad_layer_defaults(CLGRAD_LAYER_RRELU);
    layers[3] = clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = NOISY;
    options.seed = 9;
    options.optimizer.lr = 0.25f;
    return options;
}

static float backward(clgrad_context *context, training t)
{
    assert_ok(context, clgrad_network_backward(t.network, t.x, t.target, t.loss));
    return tensor_scalar_value(context, t.loss);
}

static float accumulate(clgrad_context *context, training t)
{
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    inputs.target = t.target;
    assert_ok(context, clgrad_network_accumulate(t.network, t.x, &inputs, 1, t.loss));
    return tensor_scalar_value(context, t.loss);
}

static float evaluate(clgrad_context *context, training t)
{
    assert_ok(context, clgrad_network_evaluate(t.network, t.x, t.target, t.loss));
    return tensor_scalar_value(context, t.loss);
}

static void copy_parameters(clgrad_context *context, training from, training to)
{
    assert_ok(context, clgrad_tensor_copy(context, clgrad_network_parameters(from.network),
                                          clgrad_network_parameters(to.network)));
}

static void the_same_seed_gives_the_same_bits(clgrad_context *context)
{
    clgrad_layer layers[NOISY];
    const clgrad_network_options options = noisy_network(layers);
    training a = start(context, &options), b = start(context, &options);
    for (int n = 0; n < 5; n++) {
        step(context, a);
        step(context, b);
        void *loss = tensor_contents(context, a.loss);
        assert_contents(context, b.loss, loss);
        free(loss);
    }
    void *parameters = tensor_contents(context, clgrad_network_parameters(a.network));
    assert_contents(context, clgrad_network_parameters(b.network), parameters);
    free(parameters);
    stop(context, a);
    stop(context, b);
}

/* With the same parameters, that is. */
static void another_seed_gives_other_noise(clgrad_context *context)
{
    for (size_t without = 0; without < 2; without++) { /* with dropout alone, and with rrelu alone */
        clgrad_layer layers[NOISY];
        clgrad_network_options options = noisy_network(layers);
        layers[1 + without] = clgrad_layer_activation(CLGRAD_ACTIVATION_IDENTITY);
        training a = start(context, &options);
        options.seed++;
        training b = start(context, &options);
        copy_parameters(context, a, b);
        assert_true(evaluate(context, a) == evaluate(context, b));
        assert_true(backward(context, a) != backward(context, b));
        stop(context, a);
        stop(context, b);
    }
}

/* Parameters stay: what differs is the noise, which is that of the pass's number. */
static void every_pass_in_training_draws_anew(clgrad_context *context)
{
    clgrad_layer layers[NOISY];
    const clgrad_network_options options = noisy_network(layers);
    samples s = make_samples(9, 4, 3, true);
    training t = start(context, &options);
    double *parameters = scatter_parameters(context, t.network, 3);
    float losses[6];
    for (uint64_t n = 0; n < COUNT(losses); n++) {
        losses[n] = n % 2 == 0 ? accumulate(context, t) : backward(context, t);
        const double exact =
            exact_output_loss(&options, parameters, s, (pass){.training = true, .number = n});
        assert_near(context, "loss", t.loss, &exact, 1e-5);
        for (uint64_t k = 0; k < n; k++)
            assert_true(losses[k] != losses[n]);
    }
    free(parameters);
    samples_free(s);
    stop(context, t);
}

/* No noise there, and the passes in training go on as if it had not been. Nor does a refused call count. */
static void evaluation_draws_nothing(clgrad_context *context)
{
    clgrad_layer layers[NOISY];
    const clgrad_network_options options = noisy_network(layers);
    training a = start(context, &options), b = start(context, &options);
    clgrad_tensor prediction = matrix_with(context, 9, 3, NULL), again = matrix_with(context, 9, 3, NULL);
    assert_true(backward(context, a) == backward(context, b));
    const float first = evaluate(context, a);
    assert_true(evaluate(context, a) == first);
    assert_ok(context, clgrad_network_predict(a.network, a.x, prediction));
    assert_ok(context, clgrad_network_predict(a.network, a.x, again));
    void *wanted = tensor_contents(context, prediction);
    assert_contents(context, again, wanted);
    assert_refused(context, clgrad_network_backward(a.network, a.x, a.x, a.loss), CLGRAD_STATUS_INVALID_SHAPE,
                   "target");
    assert_true(backward(context, a) == backward(context, b));
    free(wanted);
    tensor_free(context, prediction);
    tensor_free(context, again);
    stop(context, a);
    stop(context, b);
}

/* Where nothing is left to chance training is evaluation, bit for bit. */
static void noise_of_no_width(clgrad_context *context)
{
    clgrad_layer layers[NOISY];
    const clgrad_network_options options = noisy_network(layers);
    layers[1].p = 0;
    layers[2].lower = layers[2].upper = 0.25f;
    training t = start(context, &options);
    const float first = backward(context, t);
    assert_true(backward(context, t) == first);
    assert_true(evaluate(context, t) == first);
    stop(context, t);
}

/* With everything dropped the output is the last bias, and no gradient gets past it. */
static void dropping_everything(clgrad_context *context)
{
    clgrad_layer layers[NOISY];
    const clgrad_network_options options = noisy_network(layers);
    layers[1].p = 1;
    training t = start(context, &options);
    free(scatter_parameters(context, t.network, 3));
    const float bias[3] = {0, 0, 0};
    assert_ok(context, clgrad_tensor_write(context, clgrad_network_bias(t.network, 3), bias, sizeof bias));
    assert_true(is_close((double)backward(context, t), log(3), 1e-6));
    const clgrad_tensor below[] = {clgrad_network_weight_gradient(t.network, 0),
                                   clgrad_network_bias_gradient(t.network, 0),
                                   clgrad_network_weight_gradient(t.network, 3)};
    for (size_t i = 0; i < COUNT(below); i++) {
        float *numbers = tensor_floats(context, below[i]);
        for (size_t k = 0; k < clgrad_tensor_count(below[i]); k++)
            assert_true(numbers[k] == 0);
        free(numbers);
    }
    stop(context, t);
}

int main(void)
{
    const test_case cases[] = {
        CASE(the_same_seed_gives_the_same_bits),
        CASE(another_seed_gives_other_noise),
        CASE(every_pass_in_training_draws_anew),
        CASE(evaluation_draws_nothing),
        CASE(noise_of_no_width),
        CASE(dropping_everything),
    };
    return run_on_every_device(cases, COUNT(cases));
}
