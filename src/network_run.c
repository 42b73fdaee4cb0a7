#include "network.h"

#include <math.h>

/* Intermediate results begin on a cache line, and on what GPUs load in one go. */
#define ALIGNMENT ((size_t)16)

/* Reserve so many numbers at the end of the workspace, fixed + batch * width; false where that overflows. */
static bool reserve(size_t *end, size_t fixed, size_t batch, size_t width, size_t *offset)
{
    *offset = *end;
    if (!clgrad_add_product(end, fixed, 1) || !clgrad_add_product(end, batch, width) ||
        *end > SIZE_MAX - ALIGNMENT)
        return false;
    *end = (*end + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return true;
}

/*
 * Lay the intermediate results of a batch out, those of the backward pass only in training, and return how
 * many numbers they are, or SIZE_MAX. Every call lays out anew, so that a large batch to evaluate needs no
 * more than that.
 */
static size_t lay_out_workspace(clgrad_network *network, size_t batch, bool training)
{
    size_t end = 0, widest = 0;
    for (size_t i = 0; i < network->layer_count; i++) {
        clgrad_network_layer *l = &network->layers[i];
        if (!training && i > 0 && l->layer.kind == CLGRAD_LAYER_DROPOUT)
            l->y = network->layers[i - 1].y; /* it passes on what it gets: no copy */
        else if (!reserve(&end, 0, batch, l->size.outputs, &l->y))
            return SIZE_MAX;
        if (training && !reserve(&end, l->size.kept, batch, l->size.kept_a_row, &l->kept))
            return SIZE_MAX;
        widest = l->size.outputs > widest ? l->size.outputs : widest;
    }
    for (size_t k = 0; training && k < 2; k++)
        if (!reserve(&end, 0, batch, widest, &network->d[k]))
            return SIZE_MAX;
    return end;
}

/* Make room for a batch. The old room goes only once the new one is there. What a pass before has left in it
 * is lost. */
static clgrad_status make_room(clgrad_network *network, size_t batch, bool training)
{
    network->forwarded = clgrad_tensor_none();
    const size_t count = lay_out_workspace(network, batch, training);
    if (count > SIZE_MAX / sizeof(float))
        return clgrad_fail(network->context, CLGRAD_STATUS_OUT_OF_RANGE,
                           "the intermediate results of a batch of %zu rows overflow", batch);
    if (network->workspace != NULL && count * sizeof(float) <= clgrad_buffer_bytes(network->workspace))
        return CLGRAD_STATUS_SUCCESS;
    clgrad_buffer *workspace = NULL;
    clgrad_status status = clgrad_buffer_create(network->context, count * sizeof(float), &workspace);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    clgrad_buffer_destroy(network->workspace);
    network->workspace = workspace;
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_tensor output_of(const clgrad_network *network, size_t i, size_t batch)
{
    return clgrad_tensor_matrix(network->workspace, network->layers[i].y, batch,
                                network->layers[i].size.outputs);
}

/* The output as the loss sees it: a sequence has one time step. */
static clgrad_tensor prediction_of(const clgrad_network *network, size_t batch)
{
    clgrad_tensor output = output_of(network, network->layer_count - 1, batch);
    if (clgrad_loss_describe(network->loss.kind)->extent != CLGRAD_LOSS_SEQUENCE)
        return output;
    const size_t classes = output.shape[1];
    output.rank = 3;
    output.shape[0] = 1;
    output.shape[1] = batch;
    output.shape[2] = classes;
    return output;
}

/* ---- checking a call ---- */

/* An argument of a call on the network: there, and apart from what the network owns. */
static void check_own(clgrad_check *check, const clgrad_network *network, const char *name,
                      clgrad_tensor tensor)
{
    clgrad_check_apart(check, name, tensor, "the network's parameters", network->parameters);
    clgrad_check_apart(check, name, tensor, "the network's gradients", network->gradients);
    clgrad_check_apart(check, name, tensor, "the network's state", network->state);
    clgrad_check_apart(check, name, tensor, "the network's running statistics", network->running_stats);
}

static void check_input(clgrad_check *check, const clgrad_network *network, clgrad_tensor x)
{
    clgrad_check_tensor(check, "x", x, CLGRAD_TYPE_FLOAT32, 2);
    if (check->status == CLGRAD_STATUS_SUCCESS && x.shape[1] != network->layers[0].inputs)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                          "x has %zu columns, but the network has %zu inputs", x.shape[1],
                          network->layers[0].inputs);
    check_own(check, network, "x", x);
}

static size_t outputs_of(const clgrad_network *network)
{
    return network->layers[network->layer_count - 1].size.outputs;
}

/* A matrix of the caller's of that shape, apart from what the network owns. */
static void check_rows(clgrad_check *check, const clgrad_network *network, const char *name,
                       clgrad_tensor tensor, size_t rows, size_t columns)
{
    clgrad_check_shape(check, name, tensor, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){rows, columns});
    check_own(check, network, name, tensor);
}

/* The batch's own statistics need two rows: said here, before anything is enqueued. */
static void check_batch(clgrad_check *check, const clgrad_network *network, size_t batch, bool training)
{
    for (size_t i = 0; batch < 2 && i < network->layer_count; i++) {
        const clgrad_layer *layer = &network->layers[i].layer;
        if (layer->kind == CLGRAD_LAYER_BATCH_NORM && (training || !layer->track_running_stats))
            clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE,
                              "the batch has %zu row%s, but layer %zu, batch_norm, needs at least 2 for a "
                              "variance",
                              batch, batch == 1 ? "" : "s", i);
    }
}

/* Everything that a call with a loss is given; then room for its batch. */
static clgrad_status begin_call(clgrad_network *network, const char *call, clgrad_tensor x,
                                const clgrad_loss_inputs *inputs, clgrad_tensor loss, bool training)
{
    clgrad_check check = clgrad_check_begin(network->context, call);
    check_input(&check, network, x);
    clgrad_check_pointer(&check, "inputs", inputs);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    check_batch(&check, network, x.shape[0], training);
    if (clgrad_present(inputs->prediction))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "inputs has a prediction, but that is the network's output");
    clgrad_loss_inputs all = *inputs;
    all.prediction = prediction_of(network, x.shape[0]);
    clgrad_loss_check_inputs(&check, &network->loss, &all);
    clgrad_check_scalar(&check, "loss", loss);
    clgrad_check_apart(&check, "loss", loss, "x", x);
    check_own(&check, network, "loss", loss);
    const clgrad_named_tensor rest[] = {{"target", inputs->target},
                                        {"other", inputs->other},
                                        {"weight", inputs->weight},
                                        {"pos_weight", inputs->pos_weight},
                                        {"input_lengths", inputs->input_lengths},
                                        {"target_lengths", inputs->target_lengths}};
    for (size_t i = 0; i < sizeof rest / sizeof rest[0]; i++) {
        clgrad_check_apart(&check, "loss", loss, rest[i].name, rest[i].tensor);
        check_own(&check, network, rest[i].name, rest[i].tensor);
    }
    return check.status == CLGRAD_STATUS_SUCCESS ? make_room(network, x.shape[0], training) : check.status;
}

/* ---- forward and backward ---- */

/*
 * Layer i's part in a pass. Random numbers: the initial weights take the streams 0 to layer_count - 1; passes
 * in training take those behind 2^63, layer_count of them each.
 */
static clgrad_layer_call call_of(clgrad_network *network, size_t i, clgrad_tensor x, bool training)
{
    return (clgrad_layer_call){
        .network = network,
        .layer = &network->layers[i],
        .training = training,
        .stream = (UINT64_C(1) << 63) + network->draws * network->layer_count + i,
        .x = i > 0 ? output_of(network, i - 1, x.shape[0]) : x,
        .y = output_of(network, i, x.shape[0]),
    };
}

/* Every layer in order, each keeping what has been laid out for it. */
static clgrad_status forward(clgrad_network *network, clgrad_tensor x, bool training)
{
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    for (size_t i = 0; status == CLGRAD_STATUS_SUCCESS && i < network->layer_count; i++) {
        const clgrad_layer_call call = call_of(network, i, x, training);
        status = clgrad_layer_forward(&call);
    }
    return status;
}

/* Whether layer i is dense with no more than its product and bias. */
static bool is_linear(const clgrad_network *network, size_t i)
{
    const clgrad_layer *layer = &network->layers[i].layer;
    return layer->kind == CLGRAD_LAYER_DENSE && layer->activation.kind == CLGRAD_ACTIVATION_IDENTITY;
}

/* What the passes in training keep the gradients by outputs in: the array whose turn it is. */
static clgrad_tensor dprediction_of(const clgrad_network *network, clgrad_tensor prediction)
{
    prediction.offset = network->d[0];
    return prediction;
}

/* Every layer in reverse, from the gradient by the output in the first of the two arrays; dy and dx are the
 * two arrays in turn, or the same one. What passes through a last layer without an activation is dz as it
 * comes. The first layer's dx is the caller's, or absent. */
static clgrad_status go_back(clgrad_network *network, clgrad_tensor x, clgrad_tensor gradients,
                             clgrad_tensor first_dx)
{
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    size_t current = 0;
    bool given_dz = is_linear(network, network->layer_count - 1);
    for (size_t i = network->layer_count; status == CLGRAD_STATUS_SUCCESS && i-- > 0;) {
        clgrad_layer_call call = call_of(network, i, x, true);
        call.gradients = gradients;
        if (i > 0) {
            const clgrad_layer_call below = call_of(network, i - 1, x, true);
            call.chain = clgrad_layer_chain(&call, &below);
        }
        call.chain.given_dz = given_dz;
        given_dz = call.chain.below != NULL;
        clgrad_tensor dy = call.y, dx = i > 0 ? call.x : first_dx;
        dy.offset = network->d[current];
        if (!network->layers[i].size.in_place)
            current = 1 - current;
        if (i > 0)
            dx.offset = network->d[current];
        status = clgrad_layer_backward(&call, dy, dx);
    }
    return status;
}

/* The loss and its gradient, then every layer in reverse. */
static clgrad_status backward(clgrad_network *network, clgrad_tensor x, const clgrad_loss_inputs *inputs,
                              clgrad_tensor gradients, clgrad_tensor loss)
{
    clgrad_loss_inputs all = *inputs;
    all.prediction = prediction_of(network, x.shape[0]);
    const clgrad_loss_gradients wanted = {.dprediction = dprediction_of(network, all.prediction)};
    const clgrad_status status =
        clgrad_loss_evaluate(network->context, &network->loss, &all, clgrad_tensor_none(), loss, &wanted);
    return status == CLGRAD_STATUS_SUCCESS ? go_back(network, x, gradients, clgrad_tensor_none()) : status;
}

/* After begin_call: forward and backward, the gradients going to a flat array. */
static clgrad_status run_backward(clgrad_network *network, clgrad_tensor x, const clgrad_loss_inputs *inputs,
                                  clgrad_tensor gradients, clgrad_tensor loss)
{
    clgrad_status status = forward(network, x, true);
    return status == CLGRAD_STATUS_SUCCESS ? backward(network, x, inputs, gradients, loss) : status;
}

/* ---- the calls ---- */

static clgrad_loss_inputs only(clgrad_tensor target)
{
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    inputs.target = target;
    return inputs;
}

/* A call that gives a prediction and has no loss; then room for its batch. */
static clgrad_status begin_prediction(clgrad_network *network, const char *name, clgrad_tensor x,
                                      clgrad_tensor prediction, bool training)
{
    clgrad_check check = clgrad_check_begin(network->context, name);
    check_input(&check, network, x);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    check_batch(&check, network, x.shape[0], training);
    check_rows(&check, network, "prediction", prediction, x.shape[0], outputs_of(network));
    clgrad_check_apart(&check, "prediction", prediction, "x", x);
    return check.status == CLGRAD_STATUS_SUCCESS ? make_room(network, x.shape[0], training) : check.status;
}

clgrad_status clgrad_network_predict(clgrad_network *network, clgrad_tensor x, clgrad_tensor prediction)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    const size_t last = network->layer_count - 1;
    clgrad_status status = begin_prediction(network, "network_predict", x, prediction, false);
    for (size_t i = 0; status == CLGRAD_STATUS_SUCCESS && i <= last; i++) {
        clgrad_layer_call call = call_of(network, i, x, false);
        if (i == last)
            call.y = prediction;
        status = clgrad_layer_forward(&call);
    }
    return status;
}

static clgrad_status evaluate(clgrad_network *network, const char *call, clgrad_tensor x,
                              const clgrad_loss_inputs *inputs, clgrad_tensor loss)
{
    clgrad_status status = begin_call(network, call, x, inputs, loss, false);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = forward(network, x, false);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    clgrad_loss_inputs all = *inputs;
    all.prediction = prediction_of(network, x.shape[0]);
    return clgrad_loss_evaluate(network->context, &network->loss, &all, clgrad_tensor_none(), loss, NULL);
}

static clgrad_status compute_gradients(clgrad_network *network, const char *call, clgrad_tensor x,
                                       const clgrad_loss_inputs *inputs, clgrad_tensor loss)
{
    clgrad_status status = begin_call(network, call, x, inputs, loss, true);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    status = run_backward(network, x, inputs, network->gradients, loss);
    network->accumulating = false; /* what was accumulated has been overwritten */
    network->pending = status == CLGRAD_STATUS_SUCCESS;
    network->draws += status == CLGRAD_STATUS_SUCCESS;
    return status;
}

static clgrad_status train(clgrad_network *network, const char *call, clgrad_tensor x,
                           const clgrad_loss_inputs *inputs, clgrad_tensor loss)
{
    clgrad_status status = compute_gradients(network, call, x, inputs, loss);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    status = clgrad_network_step(network);
    if (status != CLGRAD_STATUS_SUCCESS) { /* the whole call is repeated, with the same random numbers */
        network->draws--;
        network->pending = false;
    }
    return status;
}

/* Each call with a target alone, and with all inputs that a loss may take. */
#define CALL_WITH_LOSS(name, function)                                                                  \
    clgrad_status clgrad_network_##name(clgrad_network *network, clgrad_tensor x, clgrad_tensor target, \
                                        clgrad_tensor loss)                                             \
    {                                                                                                   \
        const clgrad_loss_inputs inputs = only(target);                                                 \
        return network == NULL ? CLGRAD_STATUS_INVALID_ARGUMENT                                         \
                               : function(network, "network_" #name, x, &inputs, loss);                 \
    }                                                                                                   \
    clgrad_status clgrad_network_##name##_with(clgrad_network *network, clgrad_tensor x,                \
                                               const clgrad_loss_inputs *inputs, clgrad_tensor loss)    \
    {                                                                                                   \
        return network == NULL ? CLGRAD_STATUS_INVALID_ARGUMENT                                         \
                               : function(network, "network_" #name "_with", x, inputs, loss);          \
    }
CALL_WITH_LOSS(evaluate, evaluate)
CALL_WITH_LOSS(backward, compute_gradients)
CALL_WITH_LOSS(train_step, train)
#undef CALL_WITH_LOSS

clgrad_status clgrad_network_accumulate(clgrad_network *network, clgrad_tensor x,
                                        const clgrad_loss_inputs *inputs, float scale, clgrad_tensor loss)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_check check = clgrad_check_begin(network->context, "network_accumulate");
    if (!isfinite(scale))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT, "scale is %g, it must be finite",
                          (double)scale);
    clgrad_status status = check.status;
    if (status == CLGRAD_STATUS_SUCCESS)
        status = begin_call(network, check.call, x, inputs, loss, true);
    if (status == CLGRAD_STATUS_SUCCESS && !clgrad_present(network->addend))
        status = clgrad_tensor_create(network->context, CLGRAD_TYPE_FLOAT32, network->gradients.rank,
                                      network->gradients.shape, &network->addend);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = run_backward(network, x, inputs, network->addend, loss);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_axpby(network->context, scale, network->addend,
                                     network->accumulating ? 1.0f : 0.0f, network->gradients);
    if (status == CLGRAD_STATUS_SUCCESS) {
        network->accumulating = network->pending = true;
        network->draws++;
    }
    return status;
}

clgrad_status clgrad_network_forward(clgrad_network *network, clgrad_tensor x, clgrad_tensor prediction)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_status status = begin_prediction(network, "network_forward", x, prediction, true);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = forward(network, x, true);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_copy(network->context,
                                    output_of(network, network->layer_count - 1, x.shape[0]), prediction);
    if (status == CLGRAD_STATUS_SUCCESS) {
        network->forwarded = x;
        network->draws++;
    }
    return status;
}

/* Not clgrad_same_place, which looks into buffers: the one of back then may be gone. Columns: inputs. */
static bool is_forwarded(const clgrad_network *network, clgrad_tensor x)
{
    const clgrad_tensor then = network->forwarded;
    return x.buffer == then.buffer && x.offset == then.offset && x.shape[0] == then.shape[0];
}

clgrad_status clgrad_network_backward_from(clgrad_network *network, clgrad_tensor x,
                                           clgrad_tensor dprediction, clgrad_tensor dx)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_check check = clgrad_check_begin(network->context, "network_backward_from");
    if (!clgrad_present(network->forwarded))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "there is no forward pass to go back through: network_forward comes first, with no "
                          "other pass, step or loading of this network in between");
    check_input(&check, network, x);
    if (check.status == CLGRAD_STATUS_SUCCESS && !is_forwarded(network, x))
        clgrad_check_fail(
            &check, CLGRAD_STATUS_INVALID_ARGUMENT,
            "x is not the tensor that network_forward was given (%zu rows at offset %zu, now %zu "
            "rows at offset %zu)",
            network->forwarded.shape[0], network->forwarded.offset, x.shape[0], x.offset);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    const size_t batch = x.shape[0];
    check_rows(&check, network, "dprediction", dprediction, batch, outputs_of(network));
    if (clgrad_present(dx)) {
        check_rows(&check, network, "dx", dx, batch, network->layers[0].inputs);
        clgrad_check_apart(&check, "dx", dx, "x", x);
        clgrad_check_apart(&check, "dx", dx, "dprediction", dprediction);
    }
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;

    /* The caller's is copied, since layers write to it. The forward pass has counted its random numbers as
     * drawn; where this fails, they count as not drawn, and the forward pass is repeated with them. */
    network->forwarded = clgrad_tensor_none();
    network->draws--;
    clgrad_status status =
        clgrad_tensor_copy(network->context, dprediction,
                           dprediction_of(network, output_of(network, network->layer_count - 1, batch)));
    if (status == CLGRAD_STATUS_SUCCESS)
        status = go_back(network, x, network->gradients, dx);
    network->accumulating = false;
    network->pending = status == CLGRAD_STATUS_SUCCESS;
    network->draws += status == CLGRAD_STATUS_SUCCESS;
    return status;
}

clgrad_status clgrad_network_zero_gradients(clgrad_network *network)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_status status = clgrad_tensor_fill(network->context, network->gradients, 0);
    if (status == CLGRAD_STATUS_SUCCESS)
        network->accumulating = network->pending = false;
    return status;
}

clgrad_status clgrad_network_step(clgrad_network *network)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_context *context = network->context;
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    if (!isinf(network->clip_value))
        status = clgrad_clip_grad_value(context, network->clip_value, network->gradients);
    if (status == CLGRAD_STATUS_SUCCESS && !isinf(network->clip_norm))
        status = clgrad_clip_grad_norm(context, network->clip_norm, network->clip_norm_type,
                                       network->gradients, clgrad_tensor_none());
    if (status == CLGRAD_STATUS_SUCCESS && clgrad_present(network->ranges))
        status = clgrad_optimizer_step_groups(context, network->groups, network->group_count, network->ranges,
                                              network->steps + 1, network->gradients, network->parameters,
                                              network->state);
    else if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_optimizer_step(context, &network->groups[0], network->steps + 1, network->gradients,
                                       network->parameters, network->state);
    if (status == CLGRAD_STATUS_SUCCESS) {
        network->steps++;
        network->forwarded = clgrad_tensor_none(); /* its parameters are no longer there */
        network->accumulating = network->pending = false;
    }
    return status;
}
