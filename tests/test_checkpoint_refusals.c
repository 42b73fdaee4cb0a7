/*
 * Files that are refused: damaged, hostile, of another network. Each with a sentence that says what is wrong,
 * and nothing of the network has changed.
 */
#define _POSIX_C_SOURCE 200809L
#include "checkpoint_case.h"

#include "safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOOD "test_checkpoint_refusals.good"
#define BAD "test_checkpoint_refusals.bad"

enum { MOST_ARRAYS = 64, MOST_STRINGS = 64 };

/* ---- a good file, and one with something changed ---- */

/* A trained network's file, with gradients in it, and a network that it is not loaded into. */
static training start_with_file(clgrad_context *context, clgrad_layer layers[SMALL_LAYERS])
{
    const clgrad_network_options options = small_network(layers);
    training t = start_small(context, &options);
    step(context, t);
    assert_ok(context, clgrad_network_backward(t.network, t.x, t.target, t.loss));
    assert_ok(context, clgrad_network_save(t.network, GOOD, NULL, 0));
    step(context, t);
    return t;
}

static void assert_refused_file(clgrad_context *context, clgrad_network *network, bool parameters_alone,
                                clgrad_status status, const char *part)
{
    const moment before = look_at(context, network);
    if (parameters_alone)
        assert_refused(context, clgrad_network_load_parameters(network, BAD), status, part);
    else
        assert_refused(context, clgrad_network_load(network, BAD), status, part);
    const char *call = parameters_alone ? "network_load_parameters: " BAD : "network_load: " BAD;
    assert_int_equal(strncmp(clgrad_context_error(context), call, strlen(call)), 0);
    assert_moment(context, network, before);
    moment_free(before);
}

/* What is changed of the good file. */
typedef enum change { TEXT, NO_TEXT, NO_ARRAY, RENAME, ADD, DTYPE, SHAPE } change;

typedef struct edit {
    change change;
    const char *name;  /* of the text or the array */
    const char *value; /* a text, a name, a dtype or a shape, "2,3" */
    const char *part;  /* of the sentence */
} edit;

/* Write the good file with one thing changed; its arrays get the data they need, zeros where it is more. */
static void write_edited(const edit *e)
{
    clgrad_message message;
    clgrad_safetensors *file;
    const clgrad_safetensors_array *from;
    const clgrad_safetensors_string *texts;
    assert_int_equal(clgrad_safetensors_open(GOOD, &file, &message), CLGRAD_STATUS_SUCCESS);
    clgrad_safetensors_array arrays[MOST_ARRAYS];
    clgrad_safetensors_string strings[MOST_STRINGS];
    char data[MOST_ARRAYS][256] = {{0}};
    size_t array_count = 0, string_count = 0, found = e->change == ADD;
    const size_t all_arrays = clgrad_safetensors_arrays(file, &from),
                 all_strings = clgrad_safetensors_strings(file, &texts);
    assert_true(all_arrays < MOST_ARRAYS && all_strings < MOST_STRINGS);
    for (size_t i = 0; i < all_arrays; i++) {
        clgrad_safetensors_array *array = &arrays[array_count];
        const bool meant = e->change != TEXT && e->change != NO_TEXT && strcmp(from[i].name, e->name) == 0;
        *array = from[i];
        assert_int_equal(clgrad_safetensors_read(file, &from[i], data[i], &message), CLGRAD_STATUS_SUCCESS);
        array->data = data[i];
        found += meant;
        if (meant && e->change == NO_ARRAY)
            continue;
        if (meant && e->change == RENAME)
            array->name = e->value;
        if (meant && e->change == DTYPE)
            array->dtype = e->value;
        if (meant && e->change == SHAPE) {
            array->rank = 0;
            for (const char *c = e->value; *c != '\0'; c += strcspn(c, ","), c += *c == ',')
                array->shape[array->rank++] = strtoull(c, NULL, 10);
        }
        array_count++;
    }
    if (e->change == ADD)
        arrays[array_count++] =
            (clgrad_safetensors_array){.name = e->name, .dtype = e->value, .data = data[63]};
    for (size_t i = 0; i < all_strings; i++) {
        const bool meant = (e->change == TEXT || e->change == NO_TEXT) && strcmp(texts[i].name, e->name) == 0;
        found += meant;
        if (!meant || e->change == TEXT)
            strings[string_count++] =
                (clgrad_safetensors_string){texts[i].name, meant ? e->value : texts[i].text};
    }
    assert_int_equal(found, 1);
    if (clgrad_safetensors_write(BAD, strings, string_count, arrays, array_count, &message) !=
        CLGRAD_STATUS_SUCCESS)
        fail_msg("%s", message.text);
    clgrad_safetensors_close(file);
}

static void refuses_edited(clgrad_context *context, const edit *edits, size_t count, bool parameters_alone)
{
    clgrad_layer layers[SMALL_LAYERS];
    training t = start_with_file(context, layers);
    for (size_t i = 0; i < count; i++) {
        write_edited(&edits[i]);
        assert_refused_file(context, t.network, parameters_alone, CLGRAD_STATUS_INVALID_FILE, edits[i].part);
    }
    /* The file it all began with is good. */
    assert_ok(context, parameters_alone ? clgrad_network_load_parameters(t.network, GOOD)
                                        : clgrad_network_load(t.network, GOOD));
    stop(context, t);
    remove(GOOD);
    remove(BAD);
}

/* ---- tensors ---- */

static void refuses_wrong_tensors(clgrad_context *context)
{
    static const edit edits[] = {
        {NO_ARRAY, "layers.0.weight", NULL, "no tensor \"layers.0.weight\""},
        {NO_ARRAY, "layers.1.running_var", NULL, "no tensor \"layers.1.running_var\""},
        {NO_ARRAY, "optimizer.exp_avg_sq.layers.3.weight", NULL,
         "no tensor \"optimizer.exp_avg_sq.layers.3.weight\""},
        {NO_ARRAY, "gradients.layers.2.weight", NULL, "no tensor \"gradients.layers.2.weight\""},
        {RENAME, "layers.0.bias", "layers.0.Bias", "no tensor \"layers.0.bias\""},
        {RENAME, "layers.0.bias", "layers.00.bias", "no tensor \"layers.0.bias\""},
        {ADD, "layers.3.bias", "F32", "a tensor \"layers.3.bias\" in it"},
        {ADD, "layers.4.weight", "F32", "a tensor \"layers.4.weight\" in it"},
        {ADD, "layers.1.num_batches_tracked", "I64", "a tensor \"layers.1.num_batches_tracked\" in it"},
        {ADD, "\x1b]0;title\x07", "F32", "a tensor \"?]0;title?\" in it"},
        {DTYPE, "layers.0.weight", "I32", "\"layers.0.weight\" is of dtype I32, it must be F32"},
        {DTYPE, "layers.0.weight", "F16", "\"layers.0.weight\" is of dtype F16, it must be F32"},
        {DTYPE, "layers.1.running_mean", "BF16", "\"layers.1.running_mean\" is of dtype BF16"},
        {DTYPE, "optimizer.exp_avg.layers.0.bias", "F64",
         "\"optimizer.exp_avg.layers.0.bias\" is of dtype F64"},
        {SHAPE, "layers.0.weight", "3,2",
         "\"layers.0.weight\" has the shape [3, 2], but this network's has [2, 3]"},
        {SHAPE, "layers.0.weight", "6", "\"layers.0.weight\" has the shape [6]"},
        {SHAPE, "layers.0.weight", "1,2,3", "\"layers.0.weight\" has the shape [1, 2, 3]"},
        {SHAPE, "layers.0.weight", "2,4", "\"layers.0.weight\" has the shape [2, 4]"},
        {SHAPE, "layers.0.weight", "2,0", "\"layers.0.weight\" has the shape [2, 0]"},
        {SHAPE, "layers.2.weight", "", "\"layers.2.weight\" has the shape [], but this network's has [1]"},
        {SHAPE, "layers.1.running_mean", "2,1", "\"layers.1.running_mean\" has the shape [2, 1]"},
        {SHAPE, "optimizer.exp_avg.layers.3.weight", "4",
         "\"optimizer.exp_avg.layers.3.weight\" has the shape [4]"},
        {SHAPE, "gradients.layers.0.bias", "3", "\"gradients.layers.0.bias\" has the shape [3]"},
    };
    refuses_edited(context, edits, COUNT(edits), false);
}

static void refuses_wrong_parameters(clgrad_context *context)
{
    static const edit edits[] = {
        {NO_ARRAY, "layers.0.weight", NULL, "no tensor \"layers.0.weight\""},
        {NO_ARRAY, "layers.1.running_var", NULL, "no tensor \"layers.1.running_var\""},
        {ADD, "layers.3.bias", "F32", "a tensor \"layers.3.bias\" in it"},
        {ADD, "head.weight", "F32", "a tensor \"head.weight\" in it"},
        {ADD, "layers.0.num_batches_tracked", "I64", "a tensor \"layers.0.num_batches_tracked\" in it"},
        {ADD, "layers.01.num_batches_tracked", "I64", "a tensor \"layers.01.num_batches_tracked\" in it"},
        {ADD, "layers.4.num_batches_tracked", "I64", "a tensor \"layers.4.num_batches_tracked\" in it"},
        {ADD, "layers.18446744073709551617.num_batches_tracked", "I64", "a tensor \"layers.184467"},
        {DTYPE, "layers.3.weight", "F64", "\"layers.3.weight\" is of dtype F64, it must be F32"},
        {SHAPE, "layers.3.weight", "4,1", "\"layers.3.weight\" has the shape [4, 1]"},
    };
    refuses_edited(context, edits, COUNT(edits), true);
}

/* ---- texts ---- */

static void refuses_wrong_texts(clgrad_context *context)
{
    static const edit edits[] = {
        {NO_TEXT, "clgrad.checkpoint", NULL, "no checkpoint of clgrad"},
        {TEXT, "clgrad.checkpoint", "2", "of version \"2\", but only version 1"},
        {TEXT, "clgrad.checkpoint", "", "of version \"\""},
        {NO_TEXT, "clgrad.layers.2", NULL, "its metadata has no \"clgrad.layers.2\""},
        {NO_TEXT, "clgrad.loss", NULL, "its metadata has no \"clgrad.loss\""},
        {NO_TEXT, "clgrad.steps", NULL, "its metadata has no \"clgrad.steps\""},
        {NO_TEXT, "clgrad.gradients", NULL, "its metadata has no \"clgrad.gradients\""},
        {NO_TEXT, "clgrad.optimizers.0.lr", NULL, "its metadata has no \"clgrad.optimizers.0.lr\""},
        {TEXT, "clgrad.layers", "5", "its clgrad.layers is \"5\", but this network's is \"4\""},
        {TEXT, "clgrad.layers.0", "dense\x1b[2J", "its clgrad.layers.0 is \"dense?[2J\""},
        {TEXT, "clgrad.steps", "-1", "its clgrad.steps is \"-1\""},
        {TEXT, "clgrad.steps", "+1", "its clgrad.steps is \"+1\""},
        {TEXT, "clgrad.steps", " 1", "its clgrad.steps is \" 1\""},
        {TEXT, "clgrad.steps", "01", "its clgrad.steps is \"01\""},
        {TEXT, "clgrad.steps", "1e3", "its clgrad.steps is \"1e3\""},
        {TEXT, "clgrad.steps", "", "its clgrad.steps is \"\""},
        {TEXT, "clgrad.steps", "18446744073709551616", "its clgrad.steps is"},
        {TEXT, "clgrad.draws", "0x10", "its clgrad.draws is \"0x10\""},
        {TEXT, "clgrad.seed", "eleven", "its clgrad.seed is \"eleven\""},
        {TEXT, "clgrad.gradients", "some", "its clgrad.gradients is \"some\""},
        /* then there are gradients in the file that nothing needs */
        {TEXT, "clgrad.gradients", "none", "a tensor \"gradients.layers.0.weight\" in it"},
        {TEXT, "clgrad.optimizers.0.lr", "-1", "its clgrad.optimizers.0.lr is -1, it must lie between 0"},
        {TEXT, "clgrad.optimizers.0.lr", "nan", "its clgrad.optimizers.0.lr is nan"},
        {TEXT, "clgrad.optimizers.0.lr", "inf", "its clgrad.optimizers.0.lr is inf"},
        {TEXT, "clgrad.optimizers.0.lr", "0,1", "its clgrad.optimizers.0.lr is \"0,1\""},
        {TEXT, "clgrad.optimizers.0.lr", "0.1x", "its clgrad.optimizers.0.lr is \"0.1x\""},
        {TEXT, "clgrad.optimizers.0.lr", "0x1p-3", "its clgrad.optimizers.0.lr is \"0x1p-3\""},
        {TEXT, "clgrad.optimizers.0.lr", "", "its clgrad.optimizers.0.lr is \"\""},
        {TEXT, "clgrad.optimizers.0", "adamw",
         "its clgrad.optimizers.0 is \"adamw\", but this network's is \"adamw b"},
    };
    refuses_edited(context, edits, COUNT(edits), false);
}

/* ---- other networks ---- */

static void refuse_network(clgrad_context *context, const clgrad_network_options *options, const char *part)
{
    clgrad_network *network = build(context, options);
    const moment before = look_at(context, network);
    assert_refused(context, clgrad_network_load(network, GOOD), CLGRAD_STATUS_INVALID_FILE, part);
    assert_moment(context, network, before);
    moment_free(before);
    clgrad_network_destroy(network);
}

/* The first difference is named with both values. */
static void refuses_files_of_other_networks(clgrad_context *context)
{
    clgrad_layer layers[SMALL_LAYERS];
    training t = start_with_file(context, layers);
#define OTHER(change, part)                                     \
    do {                                                        \
        clgrad_network_options options = small_network(layers); \
        change;                                                 \
        refuse_network(context, &options, part);                \
    } while (0)
    OTHER(options.inputs = 5, "its clgrad.inputs is \"3\", but this network's is \"5\"");
    OTHER(options.layer_count = 3, "its clgrad.layers is \"4\", but this network's is \"3\"");
    OTHER(layers[0].outputs = 7, "its clgrad.layers.0 is \"dense outputs=2 bias=true activation=leaky_relu "
                                 "negative_slope=0.00999999978\", "
                                 "but this network's is \"dense outputs=7 bias=true activation=leaky_relu "
                                 "negative_slope=0.00999999978\"");
    OTHER(layers[0].bias = false, "but this network's is \"dense outputs=2 bias=false");
    OTHER(layers[0].activation.negative_slope = 0.25f, "negative_slope=0.25\"");
    OTHER(layers[0].activation.kind = CLGRAD_ACTIVATION_TANH, "activation=tanh\"");
    OTHER(layers[0].bias_group = -1, "bias_group=-1\"");
    OTHER(layers[0].weight_group = -1, "weight_group=-1\"");
    OTHER(layers[1].momentum = 0.5f,
          "but this network's is \"batch_norm outputs=2 eps=9.99999975e-06 momentum=0.5");
    OTHER(layers[1] = clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM), "but this network's is \"layer_norm");
    OTHER(options.loss.kind = CLGRAD_LOSS_L1,
          "its clgrad.loss is \"mse reduction=mean\", but this network's is \"l1");
    OTHER(options.loss.reduction = CLGRAD_REDUCTION_SUM, "but this network's is \"mse reduction=sum\"");
    OTHER(options.clip_norm = 1, "its clgrad.clipping is \"clip_norm=inf clip_norm_type=2 clip_value=inf\"");
    OTHER(options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM),
          "its clgrad.optimizers.0 is \"adamw beta1=0.899999976");
    OTHER(options.optimizer.amsgrad = true, "amsgrad=true maximize=false\"");
    OTHER(options.optimizer.weight_decay = 0, "weight_decay=0 amsgrad=false");
    OTHER((options.groups = &options.optimizer, options.group_count = 1),
          "its clgrad.optimizers is \"1\", but this network's is \"2\"");
#undef OTHER
    stop(context, t);
    remove(GOOD);
}

/* ---- bytes ---- */

/* Shorter and longer files, wrong bytes anywhere in the header: refused, or (in a name's escape, say) still
 * of this network; in no case is anything half loaded. */
static void refuses_damaged_files(clgrad_context *context)
{
    clgrad_layer layers[SMALL_LAYERS];
    training t = start_with_file(context, layers);
    contents *good = read_contents(GOOD);
    const size_t header = 8 + (size_t)good->bytes[0] + 256 * (size_t)good->bytes[1];
    static const size_t cuts[] = {0, 1, 7, 8, 9, 100};
    for (size_t i = 0; i < COUNT(cuts); i++) {
        write_contents(BAD, good->bytes, cuts[i]);
        assert_refused_file(context, t.network, i % 2, CLGRAD_STATUS_INVALID_FILE,
                            "no good safetensors file");
        write_contents(BAD, good->bytes, good->count - 1 - cuts[i]);
        assert_refused_file(context, t.network, i % 2, CLGRAD_STATUS_INVALID_FILE,
                            "no good safetensors file");
        write_contents(BAD, good->bytes, header + cuts[i]);
        assert_refused_file(context, t.network, i % 2, CLGRAD_STATUS_INVALID_FILE,
                            "no good safetensors file");
    }
    write_contents(BAD, good->bytes, good->count + 1);
    assert_refused_file(context, t.network, false, CLGRAD_STATUS_INVALID_FILE, "no good safetensors file");

    size_t refused = 0;
    const moment before = look_at(context, t.network);
    for (size_t i = 0; i < header; i += 3) {
        good->bytes[i] ^= (unsigned char)(1u << i % 7);
        write_contents(BAD, good->bytes, good->count);
        good->bytes[i] ^= (unsigned char)(1u << i % 7);
        if (clgrad_network_load(t.network, BAD) == CLGRAD_STATUS_SUCCESS) {
            assert_ok(context,
                      clgrad_network_load(t.network, GOOD)); /* only numbers can have been different */
            stop(context, t);
            t = start_with_file(context, layers);
        } else {
            assert_moment(context, t.network, before);
            refused++;
        }
    }
    assert_true(refused > header / 4);
    moment_free(before);
    free(good);
    stop(context, t);
    remove(GOOD);
    remove(BAD);
}

static void refuses_what_is_not_there(clgrad_context *context)
{
    clgrad_layer layers[SMALL_LAYERS];
    const clgrad_network_options options = small_network(layers);
    training t = start_small(context, &options);
    remove(BAD);
    for (int alone = 0; alone < 2; alone++)
        assert_refused_file(context, t.network, alone, CLGRAD_STATUS_FILE_ERROR,
                            "cannot be opened: No such file");
    assert_refused(context, clgrad_network_load(t.network, "/dev/zero"), CLGRAD_STATUS_FILE_ERROR,
                   "no regular file");

    /* A file of parameters alone is no checkpoint, and says so. */
    const path python = in(CLGRAD_SOURCE_DIR "/tests/golden", "python_parameters.safetensors");
    assert_refused(context, clgrad_network_load(t.network, python.text), CLGRAD_STATUS_INVALID_FILE,
                   "no checkpoint of clgrad");
    stop(context, t);
}

int main(void)
{
    static const test_case cases[] = {
        CASE(refuses_wrong_tensors), CASE(refuses_wrong_parameters),
        CASE(refuses_wrong_texts),   CASE(refuses_files_of_other_networks),
        CASE(refuses_damaged_files), CASE(refuses_what_is_not_there),
    };
    return run_on_every_device(cases, COUNT(cases));
}
