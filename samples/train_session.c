#include "train_session.h"

#include "train_target.h"

#include <stdlib.h>
#include <string.h>

/* Rows predicted in one go: it bounds the network's room for intermediate results. */
#define TEST_CHUNK 1024

static bool send(train_session *session, clgrad_tensor tensor, const void *data, size_t element,
                 clgrad_message *message)
{
    return train_succeeded(
        session->context,
        clgrad_tensor_write(session->context, tensor, data, clgrad_tensor_count(tensor) * element), message);
}

static bool send_rows(train_session *session, const dataset *set, train_rows *rows, clgrad_message *message)
{
    clgrad_status status = clgrad_tensor_create(session->context, CLGRAD_TYPE_FLOAT32, 2,
                                                (size_t[]){set->rows, set->features}, &rows->x);
    rows->count = set->rows;
    return train_succeeded(session->context, status, message) &&
           send(session, rows->x, set->x, sizeof *set->x, message) &&
           train_inputs_create(session->context, &session->options->loss, set, &rows->inputs, message);
}

/* Room for one batch of the training part. */
static bool make_room(train_session *session, size_t count, clgrad_message *message)
{
    train_rows *rows = &session->gathered;
    clgrad_status status = clgrad_tensor_create(session->context, CLGRAD_TYPE_FLOAT32, 2,
                                                (size_t[]){count, session->data.x.shape[1]}, &rows->x);
    rows->count = count;
    return train_succeeded(session->context, status, message) &&
           train_inputs_room(session->context, &session->data.inputs, count, &rows->inputs, message);
}

static void destroy_rows(train_rows *rows)
{
    clgrad_buffer_destroy(rows->x.buffer);
    train_inputs_destroy(&rows->inputs);
}

/* ---- the network ---- */

/*
 * The layers asked for, then a dense layer with as many outputs as the loss wants, then what makes of these
 * what the loss takes: an activation within that layer, anything else after it. Returns how many they are.
 */
static size_t gather_layers(const train_session *session, clgrad_layer layers[TRAIN_MAX_LAYERS + 2])
{
    const train_options *options = session->options;
    size_t count = options->layer_count;
    memcpy(layers, options->layers, count * sizeof *layers);
    const bool fused = options->output.kind == CLGRAD_LAYER_ACTIVATION;
    layers[count] = clgrad_layer_dense(session->outputs, CLGRAD_ACTIVATION_IDENTITY);
    if (fused)
        layers[count].activation = options->output.activation;
    count++;
    if (!fused)
        layers[count++] = options->output;

    for (size_t i = 0; i < count; i++) {
        if (options->initializer_given)
            layers[i].initializer = options->initializer;
        if (options->no_bias_decay) {
            layers[i].bias_group = 1;
            layers[i].weight_group = layers[i].kind == CLGRAD_LAYER_DENSE ? 0 : 1;
        }
    }
    return count;
}

/* What group 1 has: no weight decay. */
static clgrad_optimizer without_decay(clgrad_optimizer optimizer)
{
    optimizer.weight_decay = 0;
    return optimizer;
}

static bool create_network(train_session *session, size_t features, clgrad_message *message)
{
    const train_options *options = session->options;
    clgrad_layer layers[TRAIN_MAX_LAYERS + 2];
    const clgrad_optimizer group = without_decay(options->optimizer);
    clgrad_network_options network = clgrad_network_defaults();
    network.inputs = features;
    network.layers = layers;
    network.layer_count = gather_layers(session, layers);
    network.loss = options->loss;
    network.optimizer = options->optimizer;
    network.groups = &group;
    network.group_count = options->no_bias_decay ? 1 : 0;
    network.clip_norm = options->clip_norm;
    network.clip_value = options->clip_value;
    network.seed = options->seed;
    const clgrad_status status = clgrad_network_create(session->context, &network, &session->network);
    if (status == CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY || status == CLGRAD_STATUS_OUT_OF_MEMORY)
        return train_refuse(message, "--layers %.500s: a network of these has no room: %s",
                            options->layers_text, clgrad_context_error(session->context));
    return train_succeeded(session->context, status, message);
}

/* Append the parameters that are not at their defaults. */
static void describe_changes(char *text, const clgrad_parameter *parameters, const void *descriptor)
{
    for (; parameters->name != NULL; parameters++)
        if (clgrad_parameter_get(parameters, descriptor) != parameters->default_value) {
            const clgrad_parameter one[] = {*parameters, {0}};
            train_describe_parameters(text, one, descriptor);
        }
}

void train_describe_layers(char *text, const clgrad_layer *layers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const clgrad_layer *layer = &layers[i];
        const bool dense = layer->kind == CLGRAD_LAYER_DENSE;
        const clgrad_activation_info *activation = clgrad_activation_describe(layer->activation.kind);
        train_append(text, " -> ");
        if (dense)
            train_append(text, "%zu", layer->outputs);
        else if (layer->kind != CLGRAD_LAYER_ACTIVATION)
            train_append(text, "%s", clgrad_layer_describe(layer->kind)->name);
        describe_changes(text, clgrad_layer_describe(layer->kind)->parameters, layer);
        if (layer->kind == CLGRAD_LAYER_ACTIVATION ||
            (dense && layer->activation.kind != CLGRAD_ACTIVATION_IDENTITY)) {
            train_append(text, "%s%s", dense ? " " : "", activation->name);
            describe_changes(text, activation->parameters, &layer->activation);
        }
    }
}

void train_session_describe(const train_session *session, size_t features, char *text)
{
    clgrad_layer layers[TRAIN_MAX_LAYERS + 2];
    const size_t count = gather_layers(session, layers);
    train_append(text, "%zu", features);
    train_describe_layers(text, layers, count);
}

/* ---- the session ---- */

/* Whether a batch of one row is too few: batch_norm takes the variance over a batch. */
static bool needs_two_rows(const train_options *options)
{
    bool needs = options->output.kind == CLGRAD_LAYER_BATCH_NORM;
    for (size_t i = 0; i < options->layer_count; i++)
        needs |= options->layers[i].kind == CLGRAD_LAYER_BATCH_NORM;
    return needs;
}

bool train_session_create(clgrad_context *context, const train_options *options, const dataset *train,
                          const dataset *test, train_session *session, clgrad_message *message)
{
    *session = (train_session){.context = context, .options = options};
    session->outputs = train_loss_outputs(&options->loss, train);
    session->batch = train_options_batch(options, train->rows);
    session->batches = (train->rows + session->batch - 1) / session->batch;
    const bool joins = session->batches > 1 && train->rows % session->batch == 1 && session->batch > 1 &&
                       needs_two_rows(options);
    if (joins)
        session->batches--;

    bool created = false;
    const size_t updates = (session->batches + options->accumulate - 1) / options->accumulate;
    session->order = train_allocate(train->rows, sizeof *session->order, message);
    if (session->order == NULL || !train_pace_begin(options, updates, &session->pace, message) ||
        !create_network(session, train->features, message) ||
        !send_rows(session, train, &session->data, message) ||
        (test != NULL && !send_rows(session, test, &session->test, message)) ||
        !make_room(session, session->batch + (joins ? 1 : 0), message) ||
        !train_weights_create(context, options, train, &session->weight, &session->pos_weight, message))
        goto cleanup;
    clgrad_status status = clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, (size_t[]){train->rows},
                                                &session->order_on_device);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, (size_t[]){session->batches},
                                      &session->losses);
    created = train_succeeded(context, status, message);

cleanup:
    if (!created)
        train_session_destroy(session);
    return created;
}

void train_session_destroy(train_session *session)
{
    destroy_rows(&session->data);
    destroy_rows(&session->test);
    destroy_rows(&session->gathered);
    clgrad_buffer_destroy(session->weight.buffer);
    clgrad_buffer_destroy(session->pos_weight.buffer);
    clgrad_buffer_destroy(session->order_on_device.buffer);
    clgrad_buffer_destroy(session->losses.buffer);
    clgrad_network_destroy(session->network);
    free(session->order);
    *session = (train_session){0};
}

/* Fisher and Yates' shuffle of the identity, drawing from splitmix64 (see dataset.h). */
bool train_session_shuffle(train_session *session, size_t epoch, clgrad_message *message)
{
    uint64_t state = session->options->seed;
    state = dataset_random(&state) + epoch; /* so that seed 1, epoch 1 is not seed 2, epoch 0 */
    for (size_t i = 0; i < session->data.count; i++) {
        size_t j = (size_t)dataset_random_below(&state, i + 1);
        session->order[i] = session->order[j];
        session->order[j] = (int32_t)i;
    }
    return send(session, session->order_on_device, session->order, sizeof *session->order, message);
}

/* The last batch has what is left: fewer rows, or one more where a single one has joined it. */
static size_t rows_of(const train_session *session, size_t batch)
{
    const size_t left = session->data.count - batch * session->batch;
    return batch + 1 < session->batches ? session->batch : left;
}

/* Gather the rows of a batch; it is valid until the next is gathered. */
static bool gather(train_session *session, size_t batch, clgrad_tensor *x, clgrad_loss_inputs *inputs,
                   clgrad_message *message)
{
    const size_t rows = rows_of(session, batch);
    const clgrad_tensor indices = clgrad_tensor_rows(session->order_on_device, batch * session->batch, rows);
    clgrad_loss_inputs all = session->data.inputs;
    clgrad_tensor *from[TRAIN_ROW_INPUTS], *to[TRAIN_ROW_INPUTS];
    *x = clgrad_tensor_rows(session->gathered.x, 0, rows);
    *inputs = session->gathered.inputs;
    train_row_inputs(&all, from);
    train_row_inputs(inputs, to);
    clgrad_status status = clgrad_tensor_gather(session->context, session->data.x, indices, *x);
    for (size_t i = 0; i < TRAIN_ROW_INPUTS && status == CLGRAD_STATUS_SUCCESS; i++) {
        if (from[i]->buffer == NULL)
            continue;
        *to[i] = clgrad_tensor_rows(*to[i], 0, rows);
        status = clgrad_tensor_gather(session->context, *from[i], indices, *to[i]);
    }
    inputs->weight = session->weight;
    inputs->pos_weight = session->pos_weight;
    return train_succeeded(session->context, status, message);
}

/* Give the optimizer, in each of its groups, the learning rate of a step. */
static clgrad_status set_lr(train_session *session, size_t epoch, size_t step)
{
    clgrad_optimizer optimizer = session->options->optimizer;
    optimizer.lr = (float)train_pace_lr(&session->pace, epoch, step);
    clgrad_status status = clgrad_network_set_optimizer(session->network, &optimizer);
    if (status == CLGRAD_STATUS_SUCCESS && session->options->no_bias_decay) {
        const clgrad_optimizer group = without_decay(optimizer);
        status = clgrad_network_set_group(session->network, 1, &group);
    }
    return status;
}

bool train_session_batch(train_session *session, size_t epoch, size_t batch, size_t *rows,
                         clgrad_message *message)
{
    clgrad_tensor x, loss = clgrad_tensor_rows(session->losses, batch, 1);
    clgrad_loss_inputs inputs;
    if (!gather(session, batch, &x, &inputs, message))
        return false;
    *rows = x.shape[0];

    /* The batches first to end - 1 go into one step, each with its share of their rows. */
    const size_t accumulate = session->options->accumulate, first = batch - batch % accumulate;
    const size_t end = first + accumulate < session->batches ? first + accumulate : session->batches;
    clgrad_status status;
    if (end - first == 1) {
        status = set_lr(session, epoch, batch / accumulate);
        if (status == CLGRAD_STATUS_SUCCESS)
            status = clgrad_network_train_step_with(session->network, x, &inputs, loss);
        return train_succeeded(session->context, status, message);
    }
    const size_t all = (end - first - 1) * session->batch + rows_of(session, end - 1);
    status = clgrad_network_accumulate(session->network, x, &inputs, (float)*rows / (float)all, loss);
    if (status == CLGRAD_STATUS_SUCCESS && batch + 1 == end)
        status = set_lr(session, epoch, batch / accumulate);
    if (status == CLGRAD_STATUS_SUCCESS && batch + 1 == end)
        status = clgrad_network_step(session->network);
    return train_succeeded(session->context, status, message);
}

bool train_session_loss_sum(train_session *session, size_t first, size_t count, double *sum,
                            clgrad_message *message)
{
    float *losses = train_allocate(count, sizeof *losses, message);
    if (losses == NULL)
        return false;
    clgrad_status status = clgrad_tensor_read(
        session->context, clgrad_tensor_rows(session->losses, first, count), losses, count * sizeof *losses);
    for (size_t i = 0; i < count && status == CLGRAD_STATUS_SUCCESS; i++)
        *sum += (double)losses[i] * (double)rows_of(session, first + i);
    free(losses);
    return train_succeeded(session->context, status, message);
}

/* A prediction of x on the device, some rows at a time. */
static clgrad_status predict(train_session *session, clgrad_tensor x, clgrad_tensor *prediction)
{
    const size_t rows = x.shape[0];
    clgrad_status status = clgrad_tensor_create(session->context, CLGRAD_TYPE_FLOAT32, 2,
                                                (size_t[]){rows, session->outputs}, prediction);
    for (size_t first = 0, count; first < rows && status == CLGRAD_STATUS_SUCCESS; first += count) {
        count =
            rows - first <= TEST_CHUNK + 1 ? rows - first : TEST_CHUNK; /* a single row is not left over */
        status = clgrad_network_predict(session->network, clgrad_tensor_rows(x, first, count),
                                        clgrad_tensor_rows(*prediction, first, count));
    }
    return status;
}

bool train_session_evaluate(train_session *session, const train_rows *rows, train_result *result,
                            clgrad_message *message)
{
    clgrad_context *context = session->context;
    clgrad_tensor prediction = {0}, loss = {0};
    const size_t bytes = rows->count * session->outputs * sizeof(float);
    float loss_value = 0;
    bool done = false;

    *result = (train_result){.loss_kind = session->options->loss, .outputs = session->outputs};
    result->prediction = train_allocate(rows->count, session->outputs * sizeof(float), message);
    if (result->prediction == NULL)
        goto cleanup;
    clgrad_status status = predict(session, rows->x, &prediction);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss);
    clgrad_loss_inputs inputs = rows->inputs;
    inputs.prediction = train_loss_prediction(&session->options->loss, prediction);
    inputs.weight = session->weight;
    inputs.pos_weight = session->pos_weight;
    if (status == CLGRAD_STATUS_SUCCESS)
        status =
            clgrad_loss_evaluate(context, &session->options->loss, &inputs, clgrad_tensor_none(), loss, NULL);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_read(context, loss, &loss_value, sizeof loss_value);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_read(context, prediction, result->prediction, bytes);
    result->loss = (double)loss_value;
    done = train_succeeded(context, status, message);

cleanup:
    if (!done) {
        free(result->prediction);
        *result = (train_result){0};
    }
    clgrad_buffer_destroy(loss.buffer);
    clgrad_buffer_destroy(prediction.buffer);
    return done;
}

bool train_session_predict(train_session *session, const float *x, size_t rows, float *prediction,
                           clgrad_message *message)
{
    clgrad_context *context = session->context;
    clgrad_tensor on_device = {0}, predicted = {0};
    const size_t features = session->data.x.shape[1];
    clgrad_status status =
        clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){rows, features}, &on_device);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_write(context, on_device, x, rows * features * sizeof *x);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = predict(session, on_device, &predicted);
    if (status == CLGRAD_STATUS_SUCCESS)
        status =
            clgrad_tensor_read(context, predicted, prediction, rows * session->outputs * sizeof *prediction);
    const bool done = train_succeeded(context, status, message);
    clgrad_buffer_destroy(predicted.buffer);
    clgrad_buffer_destroy(on_device.buffer);
    return done;
}
