/*
 * The reader of safetensors files and checkpoints: notes, parameters, whole networks. An input is a file; or,
 * where it begins with "{", the header's text, a blank line, and the data, so that the length before the
 * header is always right and fuzzing gets beyond it.
 */
#include "fuzz.h"

#include <clgrad/clgrad.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_FLOATS 256

/* All that a file can change in the network. */
typedef struct state {
    float parameters[MOST_FLOATS], running[MOST_FLOATS], optimizer[MOST_FLOATS], gradients[MOST_FLOATS];
    uint64_t steps;
    size_t count; /* of parameters */
} state;

static fuzz_file input, beginning;
static clgrad_context *context;
static clgrad_network *network;
static clgrad_buffer *memory;
static clgrad_tensor x, target, loss;
static char saved[1100]; /* a path */

static void check(clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS)
        fprintf(stderr, "%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
    FUZZ_CHECK(status == CLGRAD_STATUS_SUCCESS);
}

static void make_network(void)
{
    clgrad_message message;
    clgrad_layer layers[] = {clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY),
                             clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),
                             clgrad_layer_dense(1, CLGRAD_ACTIVATION_ELU)};
    clgrad_optimizer second = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    clgrad_network_options options = clgrad_network_defaults();
    layers[2].bias_group = 1;
    options.inputs = 2, options.layers = layers, options.layer_count = 3;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    options.optimizer = second;
    options.groups = &second, options.group_count = 1;
    check(clgrad_context_create("reference", &context, &message));
    check(clgrad_network_create(context, &options, &network));
    check(clgrad_buffer_create(context, 16 * sizeof(float), &memory));
    x = clgrad_tensor_matrix(memory, 0, 4, 2);
    target = clgrad_tensor_matrix(memory, 8, 4, 1);
    loss = clgrad_tensor_scalar(memory, 12);
    check(clgrad_random_normal(context, 1, 0, 0, 1, x));
    check(clgrad_random_normal(context, 1, 1, 0, 1, target));
    check(clgrad_network_train_step(network, x, target, loss));
    check(clgrad_network_backward(network, x, target, loss)); /* gradients that a step is still to use */
}

/* A whole file's bytes. */
static fuzz_bytes read_file(const char *path, uint8_t *bytes, size_t most)
{
    FILE *file = fopen(path, "rb");
    FUZZ_CHECK(file != NULL);
    const size_t size = fread(bytes, 1, most, file);
    FUZZ_CHECK(size > 0 && size < most);
    fclose(file);
    return (fuzz_bytes){bytes, size};
}

static void remove_saved(void)
{
    remove(saved);
    clgrad_network_destroy(network);
    clgrad_buffer_destroy(memory);
    clgrad_context_destroy(context);
}

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count, (void)arguments;
    static uint8_t bytes[1 << 16];
    make_network();
    input = fuzz_file_create();
    beginning = fuzz_file_create();
    snprintf(saved, sizeof saved, "%s/saved", fuzz_folder(NULL, NULL, 0));
    FUZZ_CHECK(atexit(remove_saved) == 0);
    check(clgrad_network_save(network, saved, NULL, 0));
    fuzz_file_fill(&beginning, read_file(saved, bytes, sizeof bytes));
    return 0;
}

static void read_floats(clgrad_tensor tensor, float *numbers)
{
    FUZZ_CHECK(clgrad_tensor_count(tensor) <= MOST_FLOATS);
    check(clgrad_tensor_read(context, tensor, numbers, clgrad_tensor_count(tensor) * sizeof *numbers));
}

static state read_state(void)
{
    state s;
    memset(&s, 0, sizeof s); /* so that states can be compared as bytes */
    s.steps = clgrad_network_steps(network);
    s.count = clgrad_tensor_count(clgrad_network_parameters(network));
    read_floats(clgrad_network_parameters(network), s.parameters);
    read_floats(clgrad_network_running_stats(network), s.running);
    read_floats(clgrad_network_state(network), s.optimizer);
    read_floats(clgrad_network_gradients(network), s.gradients);
    return s;
}

static void fill_input(fuzz_bytes bytes)
{
    if (bytes.size == 0 || bytes.data[0] != '{') {
        fuzz_file_fill(&input, bytes);
        return;
    }
    const fuzz_bytes header = fuzz_cut(&bytes, "\n\n");
    uint8_t *whole = malloc(8 + header.size + bytes.size);
    FUZZ_CHECK(whole != NULL);
    for (size_t i = 0; i < 8; i++)
        whole[i] = (uint8_t)((uint64_t)header.size >> (8 * i) & 0xff);
    memcpy(whole + 8, header.data, header.size);
    if (bytes.size > 0)
        memcpy(whole + 8 + header.size, bytes.data, bytes.size);
    fuzz_file_fill(&input, (fuzz_bytes){whole, 8 + header.size + bytes.size});
    free(whole);
}

/* Whether the file is of good form. */
static bool read_notes(void)
{
    clgrad_notes *notes = NULL;
    clgrad_message message = {""};
    const clgrad_status status = clgrad_notes_read(input.path, &notes, &message);
    FUZZ_CHECK((status == CLGRAD_STATUS_SUCCESS) == (notes != NULL));
    if (status != CLGRAD_STATUS_SUCCESS) {
        FUZZ_CHECK(status == CLGRAD_STATUS_INVALID_FILE);
        FUZZ_CHECK(strncmp(message.text, input.path, strlen(input.path)) == 0);
        return false;
    }
    for (size_t i = 0; i < clgrad_notes_count(notes); i++) {
        const clgrad_note note = clgrad_notes_at(notes, i);
        FUZZ_CHECK(note.name != NULL && note.value != NULL);
        FUZZ_CHECK(clgrad_notes_find(notes, note.name) == note.value); /* no name is there twice */
    }
    clgrad_notes_destroy(notes);
    return true;
}

/* What was loaded is whole: it can be saved, comes back the same, and can be trained on. */
static void use(void)
{
    const state loaded = read_state();
    check(clgrad_network_save(network, saved, NULL, 0));
    check(clgrad_network_load(network, saved));
    const state again = read_state();
    FUZZ_CHECK(memcmp(&loaded, &again, sizeof loaded) == 0);
    const clgrad_status status = clgrad_network_train_step(network, x, target, loss);
    FUZZ_CHECK(status == CLGRAD_STATUS_SUCCESS || loaded.steps == UINT64_MAX); /* there is no step 2^64 */
    check(clgrad_context_finish(context));
}

static void load(clgrad_status (*load_by)(clgrad_network *, const char *), bool readable)
{
    const state before = read_state();
    const clgrad_status status = load_by(network, input.path);
    FUZZ_CHECK(status == CLGRAD_STATUS_INVALID_FILE || (readable && status == CLGRAD_STATUS_SUCCESS));
    if (status == CLGRAD_STATUS_SUCCESS) {
        use();
        check(clgrad_network_load(network, beginning.path));
        return;
    }
    const state after = read_state();
    FUZZ_CHECK(memcmp(&before, &after, sizeof before) == 0);
    FUZZ_CHECK(strstr(clgrad_context_error(context), input.path) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fill_input((fuzz_bytes){data, size});
    const bool readable = read_notes();
    load(clgrad_network_load_parameters, readable);
    load(clgrad_network_load, readable);
    return 0;
}
