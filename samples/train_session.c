#include "train_session.h"

#include <stdlib.h>
#include <string.h>

#define TEST_CHUNK                                                                          \
    1024 /* rows predicted in one go: it bounds the network's room for intermediate results \
          */

static bool fail(clgrad_message *message, const char *sentence)
{
    snprintf(message->text, sizeof message->text, "%s", sentence);
    return false;
}

bool train_succeeded(clgrad_context *context, clgrad_status status, clgrad_message *message)
{
    return status == CLGRAD_STATUS_SUCCESS || fail(message, clgrad_context_error(context));
}

static void *allocate(size_t count, size_t size, clgrad_message *message)
{
    void *memory = calloc(count, size);
    if (memory == NULL)
        fail(message, "the host is out of memory");
    return memory;
}

static bool send(train_session *session, clgrad_tensor tensor, const void *data, size_t element,
                 clgrad_message *message)
{
    return train_succeeded(
        session->context,
        clgrad_tensor_write(session->context, tensor, data, clgrad_tensor_count(tensor) * element), message);
}

/* Classes as one-hot rows, for the losses that compare the prediction with numbers. */
static bool send_one_hot(train_session *session, const dataset *set, clgrad_tensor target,
                         clgrad_message *message)
{
    float *rows = allocate(set->rows * set->class_count, sizeof *rows, message);
    if (rows == NULL)
        return false;
    for (size_t i = 0; i < set->rows; i++)
        rows[i * set->class_count + (size_t)set->classes[i]] = 1;
    bool sent = send(session, target, rows, sizeof *rows, message);
    free(rows);
    return sent;
}

/* Room for count rows, and for their targets as the loss wants them. */
static bool make_room(train_session *session, const dataset *like, size_t count, train_rows *rows,
                      clgrad_message *message)
{
    const bool class_indices = session->loss.kind == CLGRAD_LOSS_CROSS_ENTROPY;
    clgrad_status status = clgrad_tensor_create(session->context, CLGRAD_TYPE_FLOAT32, 2,
                                                (size_t[]){count, like->features}, &rows->x);
    if (status == CLGRAD_STATUS_SUCCESS)
        status =
            clgrad_tensor_create(session->context, class_indices ? CLGRAD_TYPE_INT32 : CLGRAD_TYPE_FLOAT32,
                                 class_indices ? 1 : 2, (size_t[]){count, session->outputs}, &rows->target);
    rows->count = count;
    return train_succeeded(session->context, status, message);
}

static bool send_rows(train_session *session, const dataset *set, train_rows *rows, clgrad_message *message)
{
    if (!make_room(session, set, set->rows, rows, message) ||
        !send(session, rows->x, set->x, sizeof *set->x, message))
        return false;
    if (set->y != NULL)
        return send(session, rows->target, set->y, sizeof *set->y, message);
    if (rows->target.type == CLGRAD_TYPE_INT32)
        return send(session, rows->target, set->classes, sizeof *set->classes, message);
    return send_one_hot(session, set, rows->target, message);
}

/*
 * Hidden layers of the activation asked for, then the output layer: logits for cross_entropy, plain numbers
 * for a regression, and otherwise a probability for each class.
 */
static bool create_network(train_session *session, const train_options *options, const dataset *set,
                           clgrad_message *message)
{
    clgrad_layer layers[TRAIN_MAX_HIDDEN + 1];
    const bool probabilities = set->class_count > 0 && session->loss.kind != CLGRAD_LOSS_CROSS_ENTROPY;
    for (size_t i = 0; i < options->hidden_count; i++) {
        layers[i] = clgrad_layer_defaults(options->hidden[i], options->activation.kind);
        layers[i].activation = options->activation;
    }
    layers[options->hidden_count] = clgrad_layer_defaults(
        session->outputs, probabilities ? CLGRAD_ACTIVATION_SIGMOID : CLGRAD_ACTIVATION_IDENTITY);
    for (size_t i = 0; i <= options->hidden_count && options->initializer_given; i++)
        layers[i].initializer = options->initializer;

    clgrad_network_options network = clgrad_network_defaults();
    network.inputs = set->features;
    network.layers = layers;
    network.layer_count = options->hidden_count + 1;
    network.loss = session->loss;
    network.optimizer = options->optimizer;
    network.seed = options->seed;
    return train_succeeded(session->context,
                           clgrad_network_create(session->context, &network, &session->network), message);
}

bool train_session_create(clgrad_context *context, const train_options *options, const dataset *train,
                          const dataset *test, train_session *session, clgrad_message *message)
{
    *session = (train_session){.context = context, .loss = options->loss};
    session->outputs = train->class_count > 0 ? train->class_count : 1;
    session->batch = train_options_batch(options, train->rows);
    session->steps = (train->rows + session->batch - 1) / session->batch;

    bool created = false;
    session->order = allocate(train->rows, sizeof *session->order, message);
    if (session->order == NULL || !create_network(session, options, train, message) ||
        !send_rows(session, train, &session->data, message) ||
        (test != NULL && !send_rows(session, test, &session->test, message)) ||
        !make_room(session, train, session->batch, &session->gathered, message))
        goto cleanup;
    clgrad_status status = clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, (size_t[]){train->rows},
                                                &session->order_on_device);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, (size_t[]){session->steps},
                                      &session->losses);
    created = train_succeeded(context, status, message);

cleanup:
    if (!created)
        train_session_destroy(session);
    return created;
}

void train_session_destroy(train_session *session)
{
    train_rows *rows[] = {&session->data, &session->test, &session->gathered};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        clgrad_buffer_destroy(rows[i]->x.buffer);
        clgrad_buffer_destroy(rows[i]->target.buffer);
    }
    clgrad_buffer_destroy(session->order_on_device.buffer);
    clgrad_buffer_destroy(session->losses.buffer);
    clgrad_network_destroy(session->network);
    free(session->order);
    *session = (train_session){0};
}

/* Fisher and Yates' shuffle of the identity, drawing from splitmix64 (see dataset.h). */
bool train_session_shuffle(train_session *session, uint64_t seed, size_t epoch, clgrad_message *message)
{
    uint64_t state = seed;
    state = dataset_random(&state) + epoch; /* so that seed 1, epoch 1 is not seed 2, epoch 0 */
    for (size_t i = 0; i < session->data.count; i++) {
        size_t j = (size_t)dataset_random_below(&state, i + 1);
        session->order[i] = session->order[j];
        session->order[j] = (int32_t)i;
    }
    return send(session, session->order_on_device, session->order, sizeof *session->order, message);
}

static size_t rows_of_step(const train_session *session, size_t step)
{
    size_t left = session->data.count - step * session->batch;
    return left < session->batch ? left : session->batch;
}

bool train_session_gather(train_session *session, size_t step, train_batch *batch, clgrad_message *message)
{
    batch->rows = rows_of_step(session, step);
    batch->x = clgrad_tensor_rows(session->gathered.x, 0, batch->rows);
    batch->target = clgrad_tensor_rows(session->gathered.target, 0, batch->rows);
    batch->loss = clgrad_tensor_rows(session->losses, step, 1);
    clgrad_tensor indices = clgrad_tensor_rows(session->order_on_device, step * session->batch, batch->rows);
    clgrad_status status = clgrad_tensor_gather(session->context, session->data.x, indices, batch->x);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_gather(session->context, session->data.target, indices, batch->target);
    return train_succeeded(session->context, status, message);
}

bool train_session_loss_sum(train_session *session, size_t first, size_t count, double *sum,
                            clgrad_message *message)
{
    float *losses = allocate(count, sizeof *losses, message);
    if (losses == NULL)
        return false;
    clgrad_status status = clgrad_tensor_read(
        session->context, clgrad_tensor_rows(session->losses, first, count), losses, count * sizeof *losses);
    *sum = 0;
    for (size_t i = 0; i < count; i++)
        *sum += (double)losses[i] * (double)rows_of_step(session, first + i);
    free(losses);
    return train_succeeded(session->context, status, message);
}

bool train_session_test(train_session *session, train_result *result, clgrad_message *message)
{
    clgrad_context *context = session->context;
    clgrad_tensor prediction = {0}, loss = {0};
    const size_t rows = session->test.count;
    const size_t bytes = rows * session->outputs * sizeof(float);
    float loss_value = 0;
    bool done = false;

    *result = (train_result){0};
    result->prediction = allocate(rows, session->outputs * sizeof(float), message);
    if (result->prediction == NULL)
        goto cleanup;
    clgrad_status status = clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2,
                                                (size_t[]){rows, session->outputs}, &prediction);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss);
    for (size_t first = 0; first < rows && status == CLGRAD_STATUS_SUCCESS; first += TEST_CHUNK) {
        const size_t count = rows - first < TEST_CHUNK ? rows - first : TEST_CHUNK;
        status = clgrad_network_predict(session->network, clgrad_tensor_rows(session->test.x, first, count),
                                        clgrad_tensor_rows(prediction, first, count));
    }
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_loss_forward(context, &session->loss, prediction, session->test.target, loss);
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
