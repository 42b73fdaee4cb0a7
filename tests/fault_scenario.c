#include "fault_scenario.h"

#include "faults.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ROWS = 12, BATCH = 8, INPUTS = 6, CLASSES = 3 };

static const struct {
    clgrad_type type;
    int rank;
    size_t shape[2];
} shapes[TENSORS] = {
    [TENSOR_SOURCE] = {CLGRAD_TYPE_FLOAT32, 2, {ROWS, INPUTS}},
    [TENSOR_INDICES] = {CLGRAD_TYPE_INT32, 1, {BATCH}},
    [TENSOR_X] = {CLGRAD_TYPE_FLOAT32, 2, {BATCH, INPUTS}},
    [TENSOR_TARGET] = {CLGRAD_TYPE_INT32, 1, {BATCH}},
    [TENSOR_LOSS] = {CLGRAD_TYPE_FLOAT32, 0, {0}},
    [TENSOR_PREDICTION] = {CLGRAD_TYPE_FLOAT32, 2, {BATCH, CLASSES}},
    [TENSOR_COPY] = {CLGRAD_TYPE_FLOAT32, 2, {BATCH, CLASSES}},
};

/* ---- arrays, past the library where it runs on OpenCL: a look at them must not change what it does next
 * ----
 */

static clgrad_tensor array_of(const world *w, int array)
{
    if (array < TENSORS)
        return w->tensors[array];
    const clgrad_network *network = w->networks[(array - TENSORS) / CLGRAD_FLATS];
    return network != NULL ? clgrad_flat_of(network, (clgrad_flat)((array - TENSORS) % CLGRAD_FLATS))
                           : clgrad_tensor_none();
}

static void look(const world *w, clgrad_tensor tensor, void *data, size_t bytes)
{
    cl_command_queue queue = clgrad_opencl_queue(w->context);
    if (queue == NULL)
        assert_ok(w->context, clgrad_tensor_read(w->context, tensor, data, bytes));
    else if (bytes > 0)
        assert_int_equal(clEnqueueReadBuffer(queue, clgrad_opencl_memory(tensor.buffer), CL_TRUE,
                                             tensor.offset * sizeof(float), bytes, data, 0, NULL, NULL),
                         CL_SUCCESS);
}

static void put(const world *w, clgrad_tensor tensor, const void *data, size_t bytes)
{
    cl_command_queue queue = clgrad_opencl_queue(w->context);
    if (queue == NULL)
        assert_ok(w->context, clgrad_tensor_write(w->context, tensor, data, bytes));
    else
        assert_int_equal(clEnqueueWriteBuffer(queue, clgrad_opencl_memory(tensor.buffer), CL_TRUE,
                                              tensor.offset * sizeof(float), bytes, data, 0, NULL, NULL),
                         CL_SUCCESS);
}

/* ---- the calls ---- */

static clgrad_status list_devices(world *w, int which)
{
    (void)which;
    clgrad_device devices[16];
    size_t count = 0;
    const clgrad_status status = clgrad_device_list(devices, 16, &count);
    if (status == CLGRAD_STATUS_SUCCESS &&
        (count == 0 || count > 16 || strcmp(devices[count - 1].specification, "reference") != 0))
        fail_msg("the reference is not the last of %zu devices", count);
    strcpy(w->message.text, "clgrad_device_list has nowhere to put a sentence");
    return status;
}

static clgrad_status open_context(world *w, int which)
{
    (void)which;
    w->context = (clgrad_context *)w; /* must become NULL */
    const clgrad_status status = w->queue != NULL
                                     ? clgrad_opencl_context_create(w->queue, &w->context, &w->message)
                                     : clgrad_context_create(w->specification, &w->context, &w->message);
    assert_int_equal(w->context != NULL, status == CLGRAD_STATUS_SUCCESS);
    return status;
}

/* A new tensor's contents are undefined; these are defined, so that they can be compared. */
static clgrad_status settle(const world *w, clgrad_status status, int which)
{
    static const float zeros[ROWS * INPUTS];
    faults_watch(false);
    if (status == CLGRAD_STATUS_SUCCESS)
        put(w, w->tensors[which], zeros, clgrad_buffer_bytes(w->tensors[which].buffer));
    else
        assert_null(w->tensors[which].buffer);
    return status;
}

static clgrad_status create_tensor(world *w, int which)
{
    return settle(w,
                  clgrad_tensor_create(w->context, shapes[which].type, shapes[which].rank,
                                       shapes[which].shape, &w->tensors[which]),
                  which);
}

/* On the caller's own queue x is the caller's own memory: wrapped, and after that the cl_mem is let go of. */
static clgrad_status create_x(world *w, int which)
{
    const size_t bytes = (size_t)BATCH * INPUTS * sizeof(float);
    cl_context opencl = NULL;
    if (w->queue == NULL)
        return create_tensor(w, which);
    clgrad_buffer *buffer = NULL;
    faults_watch(false);
    cl_int error = clGetCommandQueueInfo(w->queue, CL_QUEUE_CONTEXT, sizeof opencl, &opencl, NULL);
    assert_int_equal(error, CL_SUCCESS);
    cl_mem memory = clCreateBuffer(opencl, CL_MEM_READ_WRITE, bytes, NULL, &error);
    assert_int_equal(error, CL_SUCCESS);
    faults_watch(true);
    const clgrad_status status = clgrad_opencl_buffer_create(w->context, memory, &buffer);
    faults_watch(false);
    clReleaseMemObject(memory);
    if (buffer != NULL)
        w->tensors[which] = clgrad_tensor_matrix(buffer, 0, BATCH, INPUTS);
    return settle(w, status, which);
}

static clgrad_status write_tensor(world *w, int which)
{
    static const int32_t indices[BATCH] = {3, 1, 11, 0, 7, 7, 2, 10},
                         classes[BATCH] = {0, 2, 1, 1, 0, 2, 2, 1};
    static float rows[ROWS * INPUTS];
    fill_normal(rows, ROWS * INPUTS, 7, 1);
    if (which == TENSOR_SOURCE)
        return clgrad_tensor_write(w->context, w->tensors[which], rows, sizeof rows);
    return clgrad_tensor_write(w->context, w->tensors[which], which == TENSOR_INDICES ? indices : classes,
                               sizeof indices);
}

static clgrad_status fill_tensor(world *w, int which)
{
    return clgrad_tensor_fill(w->context, w->tensors[which], 0.25);
}

static clgrad_status gather(world *w, int which)
{
    return clgrad_tensor_gather(w->context, w->tensors[TENSOR_SOURCE], w->tensors[TENSOR_INDICES],
                                w->tensors[which]);
}

/* Something of everything that a step can do. */
static clgrad_status create_network(world *w, int which)
{
    clgrad_layer layers[] = {clgrad_layer_dense(7, CLGRAD_ACTIVATION_TANH),
                             clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),
                             clgrad_layer_activation(CLGRAD_ACTIVATION_GELU),
                             clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT),
                             clgrad_layer_defaults(CLGRAD_LAYER_PRELU),
                             clgrad_layer_dense(5, CLGRAD_ACTIVATION_SILU),
                             clgrad_layer_dense(CLASSES, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_optimizer other = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW);
    other.lr = 0.02f;
    layers[1].weight_group = layers[1].bias_group = 1;
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW);
    options.groups = &other;
    options.group_count = 1;
    options.clip_norm = 0.5f;
    options.clip_value = 0.2f;
    options.seed = (uint64_t)which + 5;
    w->networks[which] = (clgrad_network *)w; /* must become NULL */
    const clgrad_status status = clgrad_network_create(w->context, &options, &w->networks[which]);
    assert_int_equal(w->networks[which] != NULL, status == CLGRAD_STATUS_SUCCESS);
    return status;
}

static clgrad_status train_step(world *w, int which)
{
    return clgrad_network_train_step(w->networks[which], w->tensors[TENSOR_X], w->tensors[TENSOR_TARGET],
                                     w->tensors[TENSOR_LOSS]);
}

static clgrad_status backward(world *w, int which)
{
    return clgrad_network_backward(w->networks[which], w->tensors[TENSOR_X], w->tensors[TENSOR_TARGET],
                                   w->tensors[TENSOR_LOSS]);
}

static clgrad_status accumulate(world *w, int which)
{
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    inputs.target = w->tensors[TENSOR_TARGET];
    return clgrad_network_accumulate(w->networks[which], w->tensors[TENSOR_X], &inputs, 0.5f,
                                     w->tensors[TENSOR_LOSS]);
}

static clgrad_status zero_gradients(world *w, int which)
{
    return clgrad_network_zero_gradients(w->networks[which]);
}

static clgrad_status network_step(world *w, int which)
{
    return clgrad_network_step(w->networks[which]);
}

static clgrad_status evaluate(world *w, int which)
{
    return clgrad_network_evaluate(w->networks[which], w->tensors[TENSOR_X], w->tensors[TENSOR_TARGET],
                                   w->tensors[TENSOR_LOSS]);
}

static clgrad_status predict(world *w, int which)
{
    return clgrad_network_predict(w->networks[which], w->tensors[TENSOR_X], w->tensors[TENSOR_PREDICTION]);
}

static clgrad_status forward(world *w, int which)
{
    return clgrad_network_forward(w->networks[which], w->tensors[TENSOR_X], w->tensors[TENSOR_PREDICTION]);
}

/* A failure takes the forward pass away, so it is repeated with it. */
static clgrad_status backward_from(world *w, int which)
{
    const clgrad_status status = forward(w, which);
    return status == CLGRAD_STATUS_SUCCESS
               ? clgrad_network_backward_from(w->networks[which], w->tensors[TENSOR_X],
                                              w->tensors[TENSOR_PREDICTION], clgrad_tensor_none())
               : status;
}

static clgrad_status copy(world *w, int which)
{
    return clgrad_tensor_copy(w->context, w->tensors[TENSOR_PREDICTION], w->tensors[which]);
}

static clgrad_status read_tensor(world *w, int which)
{
    return clgrad_tensor_read(w->context, w->tensors[which], w->shown,
                              clgrad_tensor_count(w->tensors[which]) * sizeof(float));
}

static clgrad_status finish(world *w, int which)
{
    (void)which;
    return clgrad_context_finish(w->context);
}

static clgrad_status save(world *w, int which)
{
    const clgrad_note notes[] = {{"epoch", "3"}, {"words", "\xc3\xa4 note"}};
    return clgrad_network_save(w->networks[which], w->file.text, notes, COUNT(notes));
}

static clgrad_status load(world *w, int which)
{
    faults_spare_token_buffers(true);
    const clgrad_status status = clgrad_network_load(w->networks[which], w->file.text);
    faults_spare_token_buffers(false);
    return status;
}

static clgrad_status load_parameters(world *w, int which)
{
    faults_spare_token_buffers(true);
    const clgrad_status status = clgrad_network_load_parameters(w->networks[which], w->file.text);
    faults_spare_token_buffers(false);
    return status;
}

static clgrad_status read_notes(world *w, int which)
{
    (void)which;
    w->notes = (clgrad_notes *)w; /* must become NULL */
    faults_spare_token_buffers(true);
    const clgrad_status status = clgrad_notes_read(w->file.text, &w->notes, &w->message);
    faults_spare_token_buffers(false);
    if (status != CLGRAD_STATUS_SUCCESS) {
        assert_null(w->notes);
        strcpy(w->context->error, w->message.text); /* where all others leave it */
        return status;
    }
    assert_int_equal(clgrad_notes_count(w->notes), 2);
    assert_string_equal(clgrad_notes_find(w->notes, "epoch"), "3");
    clgrad_notes_destroy(w->notes);
    return status;
}

/* ---- and the end of it ---- */

static clgrad_status destroy_network(world *w, int which)
{
    clgrad_network_destroy(w->networks[which]);
    w->networks[which] = NULL;
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_status destroy_context(world *w, int which)
{
    (void)which;
    clgrad_context_destroy(w->context);
    w->context = NULL;
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_status destroy_tensors(world *w, int which)
{
    (void)which;
    for (int i = 0; i < TENSORS; i++) {
        clgrad_buffer_destroy(w->tensors[i].buffer);
        w->tensors[i] = clgrad_tensor_none();
    }
    return CLGRAD_STATUS_SUCCESS;
}

/* What a training pass may have written to when it fails. */
#define LOSS BIT(TENSOR_LOSS)
#define GRADIENTS(n) BIT(ARRAY_OF(n, CLGRAD_FLAT_GRADIENTS))
#define RUNNING(n) BIT(ARRAY_OF(n, CLGRAD_FLAT_RUNNING))
#define PARAMETERS(n) BIT(ARRAY_OF(n, CLGRAD_FLAT_PARAMETERS))
#define ALL(n) (PARAMETERS(n) | RUNNING(n) | GRADIENTS(n) | BIT(ARRAY_OF(n, CLGRAD_FLAT_STATE)))

const operation operations[] = {
    {"device_list", list_devices, 0, 0, 0, false},
    {"context_create", open_context, 0, 0, 0, false},
    {"tensor_create", create_tensor, TENSOR_SOURCE, 0, 0, false},
    {"tensor_create", create_tensor, TENSOR_INDICES, 0, 0, false},
    {"tensor_create of x", create_x, TENSOR_X, 0, 0, false},
    {"tensor_create", create_tensor, TENSOR_TARGET, 0, 0, false},
    {"tensor_create", create_tensor, TENSOR_LOSS, 0, 0, false},
    {"tensor_create", create_tensor, TENSOR_PREDICTION, 0, 0, false},
    {"tensor_create", create_tensor, TENSOR_COPY, 0, 0, false},
    {"tensor_write", write_tensor, TENSOR_SOURCE, 0, 0, false},
    {"tensor_write", write_tensor, TENSOR_INDICES, 0, 0, false},
    {"tensor_write", write_tensor, TENSOR_TARGET, 0, 0, false},
    {"tensor_fill", fill_tensor, TENSOR_LOSS, 0, 0, false},
    {"tensor_gather", gather, TENSOR_X, 0, 0, false},
    {"network_create", create_network, 0, 0, 0, false},
    {"network_train_step, the first", train_step, 0, LOSS | GRADIENTS(0) | RUNNING(0), RUNNING(0), false},
    {"network_train_step", train_step, 0, LOSS | GRADIENTS(0) | RUNNING(0), RUNNING(0), false},
    {"network_accumulate, the first", accumulate, 0, LOSS | RUNNING(0), RUNNING(0), false},
    {"network_accumulate", accumulate, 0, LOSS | RUNNING(0), RUNNING(0), false},
    {"network_save", save, 0, 0, 0, false},
    {"network_create", create_network, 1, 0, 0, false},
    {"network_load", load, 1, ALL(1), 0, false},
    {"network_step", network_step, 0, GRADIENTS(0), GRADIENTS(0), false},
    {"network_step", network_step, 1, GRADIENTS(1), GRADIENTS(1), false},
    {"network_train_step", train_step, 1, LOSS | GRADIENTS(1) | RUNNING(1), RUNNING(1), false},
    {"network_evaluate", evaluate, 1, LOSS, 0, false},
    {"network_predict", predict, 1, BIT(TENSOR_PREDICTION), 0, false},
    {"tensor_copy", copy, TENSOR_COPY, 0, 0, false},
    {"tensor_read", read_tensor, TENSOR_COPY, 0, 0, false},
    {"network_save over a file", save, 1, 0, 0, false},
    {"network_load_parameters", load_parameters, 0, PARAMETERS(0) | RUNNING(0), 0, false},
    {"notes_read", read_notes, 0, 0, 0, false},
    {"network_backward", backward, 0, LOSS | GRADIENTS(0) | RUNNING(0), RUNNING(0), false},
    {"network_forward", forward, 1, BIT(TENSOR_PREDICTION) | RUNNING(1), RUNNING(1), false},
    {"network_backward_from", backward_from, 1, BIT(TENSOR_PREDICTION) | GRADIENTS(1) | RUNNING(1),
     RUNNING(1), false},
    {"network_zero_gradients", zero_gradients, 0, 0, 0, false},
    {"context_finish", finish, 0, 0, 0, false},
    {"network_destroy", destroy_network, 1, 0, 0, true},
    {"network_destroy", destroy_network, 0, 0, 0, true},
    {"buffer_destroy", destroy_tensors, 0, 0, 0, true},
    {"context_destroy", destroy_context, 0, 0, 0, true},
};
const size_t operation_count = COUNT(operations);

/* ---- a world ---- */

world world_begin(const char *specification, cl_command_queue queue)
{
    world w = {.specification = specification, .queue = queue, .place = make_place()};
    w.file = in(w.place.text, "checkpoint");
    return w;
}

void world_end(world *w)
{
    remove_all(w->place.text);
}

/* ---- records ---- */

static clgrad_progress progress_of(const clgrad_network *network)
{
    clgrad_progress progress;
    memset(&progress, 0, sizeof progress); /* the padding too, since bytes are compared */
    if (network == NULL)
        return progress;
    progress.steps = network->steps;
    progress.draws = network->draws;
    progress.seed = network->seed;
    progress.pending = network->pending;
    progress.accumulating = network->accumulating;
    for (size_t i = 0; i < network->group_count; i++)
        progress.lr[i] = network->groups[i].lr;
    return progress;
}

record record_now(const world *w)
{
    record r = {.files = list(w->place.text, NULL, 0)};
    for (int array = 0; array < ARRAYS; array++) {
        const clgrad_tensor tensor = array_of(w, array);
        if (tensor.buffer == NULL)
            continue;
        r.bytes[array] = clgrad_tensor_count(tensor) * clgrad_type_size(tensor.type);
        r.arrays[array] = allocate(r.bytes[array], 1);
        look(w, tensor, r.arrays[array], r.bytes[array]);
    }
    for (int network = 0; network < NETWORKS; network++)
        r.progress[network] = progress_of(w->networks[network]);
    memcpy(r.shown, w->shown, sizeof r.shown);
    struct stat about;
    if (stat(w->file.text, &about) == 0) {
        FILE *file = fopen(w->file.text, "rb");
        assert_non_null(file);
        r.file_bytes = (size_t)about.st_size;
        r.file = allocate(r.file_bytes, 1);
        assert_int_equal(fread(r.file, 1, r.file_bytes, file), r.file_bytes);
        fclose(file);
    }
    return r;
}

void record_free(record r)
{
    for (int array = 0; array < ARRAYS; array++)
        free(r.arrays[array]);
    free(r.file);
}

static bool same(const void *a, size_t a_bytes, const void *b, size_t b_bytes)
{
    return (a == NULL) == (b == NULL) && a_bytes == b_bytes && (a == NULL || memcmp(a, b, a_bytes) == 0);
}

const char *record_difference(const record *got, const record *wanted, unsigned but, bool but_file)
{
    static const char *const names[ARRAYS] = {
        "source",
        "indices",
        "x",
        "target",
        "loss",
        "prediction",
        "copy",
        "the first network's parameters",
        "the first network's running statistics",
        "the first network's state",
        "the first network's gradients",
        "the second network's parameters",
        "the second network's running statistics",
        "the second network's state",
        "the second network's gradients",
    };
    for (int array = 0; array < ARRAYS; array++)
        if (!(but & BIT(array)) &&
            !same(got->arrays[array], got->bytes[array], wanted->arrays[array], wanted->bytes[array]))
            return names[array];
    for (int network = 0; network < NETWORKS; network++)
        if (memcmp(&got->progress[network], &wanted->progress[network], sizeof got->progress[network]) != 0)
            return network == 0 ? "the first network's progress" : "the second network's progress";
    if (memcmp(got->shown, wanted->shown, sizeof got->shown) != 0)
        return "what was read";
    if (!but_file && got->files != wanted->files)
        return "the number of files in the folder";
    if (!but_file && !same(got->file, got->file_bytes, wanted->file, wanted->file_bytes))
        return "the checkpoint";
    return NULL;
}

void record_restore(const world *w, const record *r, unsigned arrays)
{
    for (int array = 0; array < ARRAYS; array++)
        if (arrays & BIT(array) && r->arrays[array] != NULL)
            put(w, array_of(w, array), r->arrays[array], r->bytes[array]);
}
