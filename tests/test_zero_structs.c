/*
 * Structs that began as {0} and not with their defaults: whatever is refused for a 0 in them says so, and
 * names the call to start from.
 */
#include "harness.h"

#include <math.h>
#include <string.h>

static const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT;

/* Whether the call was refused for what stands in the struct; then its sentence ends with the call to start
 * from. */
static bool is_refused_for_zero(clgrad_context *context, clgrad_status status, const char *start)
{
    const char *sentence = clgrad_context_error(context);
    if (status != argument)
        return false;
    if (strstr(sentence, start) == NULL || strstr(sentence, "a struct of zeros lacks the defaults") == NULL)
        fail_msg("no word of %s: %s", start, sentence);
    return true;
}

static void activations(clgrad_context *context)
{
    const clgrad_tensor x = vector_with(context, 3, (const float[]){1, 2, 3});
    int refused = 0;
    for (int k = 0; k < CLGRAD_ACTIVATION_COUNT; k++) {
        const clgrad_activation zero = {.kind = (clgrad_activation_kind)k};
        refused += is_refused_for_zero(context, clgrad_activation_forward(context, &zero, x, x),
                                       "; start from clgrad_activation_defaults,");
    }
    assert_true(refused >= 3); /* hardtanh, celu, softplus among them */
    tensor_free(context, x);
}

/* A mean, so that the parameters are what is refused; no operand beside the prediction is looked at then. */
static void losses(clgrad_context *context)
{
    const clgrad_tensor x = matrix_with(context, 2, 3, NULL), value = scalar_with(context, 0);
    int refused = 0;
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss zero = {.kind = (clgrad_loss_kind)k, .reduction = CLGRAD_REDUCTION_MEAN};
        const clgrad_status status = clgrad_loss_forward(context, &zero, x, x, value);
        if (strstr(clgrad_context_error(context), "must lie between") != NULL)
            refused += is_refused_for_zero(context, status, "; start from clgrad_loss_defaults,");
    }
    assert_true(refused >= 4); /* huber, poisson_nll, multi_margin, triplet_margin among them */

    const clgrad_loss zero = {.kind = CLGRAD_LOSS_MSE};
    assert_refused(context, clgrad_loss_forward(context, &zero, x, x, value), CLGRAD_STATUS_INVALID_SHAPE,
                   "value has shape [], it must have shape [2, 3] since the reduction is none; start from "
                   "clgrad_loss_defaults");
    tensor_free(context, x);
    tensor_free(context, value);
}

static void optimizers(clgrad_context *context)
{
    const clgrad_tensor gradient = vector_with(context, 4, NULL), parameters = vector_with(context, 4, NULL);
    const clgrad_tensor state = matrix_with(context, 3, 4, NULL);
    int refused = 0;
    for (int k = 0; k < CLGRAD_OPTIMIZER_COUNT; k++) {
        const clgrad_optimizer zero = {.kind = (clgrad_optimizer_kind)k};
        clgrad_tensor slots = clgrad_tensor_rows(state, 0, clgrad_optimizer_slots(&zero));
        refused += is_refused_for_zero(context,
                                       clgrad_optimizer_step(context, &zero, 1, gradient, parameters, slots),
                                       "; start from clgrad_optimizer_defaults,");
    }
    assert_int_equal(refused, 1); /* rprop */
    tensor_free(context, gradient);
    tensor_free(context, parameters);
    tensor_free(context, state);
}

static void refuse_to_build(clgrad_context *context, const clgrad_network_options *options, const char *part)
{
    clgrad_network *network = NULL;
    assert_refused(context, clgrad_network_create(context, options, &network), argument, part);
    assert_null(network);
}

/* One after the other, as somebody finds them who begins with nothing but zeros. */
static void networks(clgrad_context *context)
{
    clgrad_layer layer = {0};
    clgrad_network_options options = {.inputs = 3, .layers = &layer, .layer_count = 1};
    refuse_to_build(context, &options, "it has 0 outputs; clgrad_layer_dense makes");
    layer = clgrad_layer_dense(2, CLGRAD_ACTIVATION_RELU);
    refuse_to_build(context, &options,
                    "the reduction is none, a network needs one number; start from clgrad_network_defaults "
                    "and clgrad_loss_defaults,");
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    refuse_to_build(context, &options, "the last above 0; start from clgrad_network_defaults,");
    layer.activation = (clgrad_activation){.kind = CLGRAD_ACTIVATION_SOFTPLUS};
    refuse_to_build(context, &options, "layer 0: softplus's beta is 0, it must lie between");
    refuse_to_build(context, &options, "; start from clgrad_activation_defaults,");
}

static void batch_norms(clgrad_context *context)
{
    const clgrad_tensor x = matrix_with(context, 3, 3, NULL), none = clgrad_tensor_none();
    clgrad_batch_norm norm = {0};
    assert_refused(
        context, clgrad_batch_norm_forward(context, &norm, x, none, none, none, none, x, none, none),
        argument, "evaluation (training is false) needs them; start from clgrad_batch_norm_defaults");
    tensor_free(context, x);
}

/* Other values are refused without a word of zeros. */
static void what_is_not_zero(clgrad_context *context)
{
    const clgrad_tensor x = vector_with(context, 3, (const float[]){1, 2, 3});
    const clgrad_activation wrong[] = {
        {.kind = CLGRAD_ACTIVATION_SOFTPLUS, .beta = -1, .threshold = 20},
        {.kind = CLGRAD_ACTIVATION_HARDTANH, .min_val = 2, .max_val = -1},
    };
    const char *const parts[] = {
        "softplus's beta is -1",
        "hardtanh: min_val must be below max_val; this one has min_val 2, max_val -1"};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        assert_refused(context, clgrad_activation_forward(context, &wrong[i], x, x), argument, parts[i]);
        assert_null(strstr(clgrad_context_error(context), "start from"));
    }
    clgrad_loss loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    loss.reduction = CLGRAD_REDUCTION_NONE; /* on purpose: the value is no scalar */
    const clgrad_tensor two = vector_with(context, 2, NULL);
    assert_refused(context, clgrad_loss_forward(context, &loss, x, x, two), CLGRAD_STATUS_INVALID_SHAPE,
                   "value has shape [2], it must have shape [3] since the reduction is none");
    assert_null(strstr(clgrad_context_error(context), "start from"));
    tensor_free(context, two);
    clgrad_layer layer = clgrad_layer_dense(2, CLGRAD_ACTIVATION_RELU);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 3, options.layers = &layer, options.layer_count = 1, options.clip_norm = NAN;
    refuse_to_build(context, &options, "clip_norm is nan");
    assert_null(strstr(clgrad_context_error(context), "start from"));
    tensor_free(context, x);
}

int main(void)
{
    const test_case cases[] = {
        CASE(activations), CASE(losses),      CASE(optimizers),
        CASE(networks),    CASE(batch_norms), CASE(what_is_not_zero),
    };
    return run_on_every_device(cases, COUNT(cases));
}
