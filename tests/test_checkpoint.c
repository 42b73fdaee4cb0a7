/*
 * Saving and loading: what is loaded is what was saved, and training goes on with the same bits as if it had
 * never stopped, with every optimizer and every kind of layer, wherever it stops.
 */
#define _POSIX_C_SOURCE 200809L
#include "checkpoint_case.h"

#include "../src/network.h"
#include "safetensors.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_NAME "test_checkpoint.safetensors"

/* ---- stopping and going on ---- */

/* What is done between one save and the end; steps are counted by the network. */
typedef void play(clgrad_context *context, training t);

static void two_steps(clgrad_context *context, training t)
{
    step(context, t);
    step(context, t);
}

/* The rate of a schedule at the step that comes. */
static void scheduled_step(clgrad_context *context, training t)
{
    clgrad_schedule schedule = clgrad_schedule_defaults(CLGRAD_SCHEDULE_COSINE_ANNEALING);
    clgrad_optimizer optimizer = t.network->groups[0];
    schedule.T_max = 10;
    optimizer.lr = (float)clgrad_schedule_lr(&schedule, 0.1, clgrad_network_steps(t.network));
    assert_ok(context, clgrad_network_set_optimizer(t.network, &optimizer));
    step(context, t);
}

static void accumulate_part(clgrad_context *context, training t, size_t first)
{
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    inputs.target = clgrad_tensor_rows(t.target, first, 3);
    assert_ok(context, clgrad_network_accumulate(t.network, clgrad_tensor_rows(t.x, first, 3), &inputs,
                                                 1.0f / 3, t.loss));
}

static void first_part(clgrad_context *context, training t)
{
    scheduled_step(context, t);
    accumulate_part(context, t, 0);
}

static void other_parts(clgrad_context *context, training t)
{
    accumulate_part(context, t, 3);
    accumulate_part(context, t, 6);
    assert_ok(context, clgrad_network_step(t.network));
    two_steps(context, t);
}

static void backward_alone(clgrad_context *context, training t)
{
    step(context, t);
    assert_ok(context, clgrad_network_backward(t.network, t.x, t.target, t.loss));
}

static void step_alone(clgrad_context *context, training t)
{
    assert_ok(context, clgrad_network_step(t.network));
    step(context, t);
}

static void nothing(clgrad_context *context, training t)
{
    (void)context, (void)t;
}

/* One network goes through before and after; another, of another seed and with a past of its own, comes in
 * between by a file. */
static void check_resuming(clgrad_context *context, clgrad_network_options options, play *before, play *after)
{
    training whole = start(context, &options);
    before(context, whole);
    assert_ok(context, clgrad_network_save(whole.network, FILE_NAME, NULL, 0));
    const moment saved = look_at(context, whole.network);
    after(context, whole);
    const moment end = look_at(context, whole.network);
    const float loss = tensor_scalar_value(context, whole.loss);

    options.seed++;
    options.optimizer.lr = 0.25f;
    training resumed = start(context, &options);
    accumulate_part(context, resumed, 0);
    assert_ok(context, clgrad_network_load(resumed.network, FILE_NAME));
    assert_moment_resumed(context, resumed.network, saved);
    after(context, resumed);
    assert_moment_resumed(context, resumed.network, end);
    assert_true(after == nothing || loss == tensor_scalar_value(context, resumed.loss));
    moment_free(saved);
    moment_free(end);
    stop(context, whole);
    stop(context, resumed);
    remove(FILE_NAME);
}

/* Every optimizer at its defaults, with each flag, and with momentum: what decides which state there is. */
static void every_optimizer_resumes(clgrad_context *context)
{
    clgrad_layer layers[EVERY_LAYER];
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const clgrad_optimizer defaults = clgrad_optimizer_defaults((clgrad_optimizer_kind)kind);
        const clgrad_parameter *parameter =
            clgrad_optimizer_describe((clgrad_optimizer_kind)kind)->parameters;
        check_resuming(context, every_layer(layers, defaults), two_steps, two_steps);
        for (; parameter->name != NULL; parameter++) {
            const bool momentum = strcmp(parameter->name, "momentum") == 0;
            clgrad_optimizer optimizer = defaults;
            if (parameter->type != CLGRAD_PARAMETER_FLAG && !momentum)
                continue;
            assert_true(clgrad_parameter_set(parameter, &optimizer, momentum ? 0.5f : 1));
            if (strcmp(parameter->name, "nesterov") == 0)
                optimizer.momentum = 0.5f;
            check_resuming(context, every_layer(layers, optimizer), two_steps, two_steps);
            if (strcmp(parameter->name, "centered") == 0) {
                optimizer.momentum = 0.5f;
                check_resuming(context, every_layer(layers, optimizer), two_steps, two_steps);
            }
        }
    }
}

static void resumes_wherever_it_stops(clgrad_context *context)
{
    clgrad_layer layers[EVERY_LAYER];
    const clgrad_network_options options =
        every_layer(layers, clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW));
    check_resuming(context, options, nothing, two_steps);
    check_resuming(context, options, scheduled_step, scheduled_step);
    check_resuming(context, options, first_part, other_parts);
    check_resuming(context, options, backward_alone, step_alone);
    check_resuming(context, options, two_steps, nothing);
}

/* Groups with other options, also with fewer slots, and parameters that stay: their state is not in the file.
 */
static void groups_resume(clgrad_context *context)
{
    clgrad_layer layers[EVERY_LAYER];
    clgrad_optimizer groups[2] = {clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_RMSPROP),
                                  clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_RMSPROP)};
    clgrad_network_options options = every_layer(layers, clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_RMSPROP));
    groups[0].centered = true;
    groups[1].momentum = 0.5f;
    options.groups = groups;
    options.group_count = 2;
    options.clip_norm = 0.5f;
    layers[0].weight_group = 1;
    layers[1].bias_group = 2;
    layers[EVERY_LAYER - 1].weight_group = 2;
    layers[EVERY_LAYER - 1].bias_group = -1;

    training whole = start(context, &options), resumed = start(context, &options);
    two_steps(context, whole);
    assert_ok(context, clgrad_network_save(whole.network, FILE_NAME, NULL, 0));
    two_steps(context, whole);
    assert_ok(context, clgrad_network_load(resumed.network, FILE_NAME));
    two_steps(context, resumed);
    void *wanted = tensor_contents(context, clgrad_network_parameters(whole.network));
    assert_contents(context, clgrad_network_parameters(resumed.network), wanted);
    free(wanted);

    clgrad_safetensors *file;
    clgrad_message message;
    assert_int_equal(clgrad_safetensors_open(FILE_NAME, &file, &message), CLGRAD_STATUS_SUCCESS);
    assert_non_null(clgrad_safetensors_find(file, "optimizer.square_avg.layers.0.bias"));
    assert_null(clgrad_safetensors_find(file, "optimizer.square_avg.layers.0.weight"));
    assert_non_null(clgrad_safetensors_find(file, "optimizer.variance.layers.0.weight"));
    assert_non_null(clgrad_safetensors_find(file, "optimizer.grad_avg.layers.0.weight"));
    assert_null(clgrad_safetensors_find(file, "optimizer.momentum_buffer.layers.0.bias"));
    assert_non_null(clgrad_safetensors_find(file, "optimizer.momentum_buffer.layers.1.bias"));
    assert_null(clgrad_safetensors_find(file, "optimizer.square_avg.layers.12.bias"));
    assert_string_equal(clgrad_safetensors_text(file, "clgrad.layers.12"),
                        "dense outputs=3 bias=true activation=identity weight_group=2 bias_group=-1");
    clgrad_safetensors_close(file);
    stop(context, whole);
    stop(context, resumed);
    remove(FILE_NAME);
}

/* ---- what is in a file ---- */

static void files_hold_what_is_documented(clgrad_context *context)
{
    static const struct {
        const char *name;
        size_t rank;
        uint64_t shape[2];
    } wanted[] = {
        {"layers.0.weight", 2, {2, 3}},
        {"layers.0.bias", 1, {2, 0}},
        {"layers.1.weight", 1, {2, 0}},
        {"layers.1.bias", 1, {2, 0}},
        {"layers.1.running_mean", 1, {2, 0}},
        {"layers.1.running_var", 1, {2, 0}},
        {"layers.2.weight", 1, {1, 0}},
        {"layers.3.weight", 2, {2, 2}},
        {"optimizer.exp_avg.layers.0.weight", 2, {2, 3}},
        {"optimizer.exp_avg_sq.layers.0.weight", 2, {2, 3}},
        {"optimizer.exp_avg.layers.0.bias", 1, {2, 0}},
        {"optimizer.exp_avg_sq.layers.0.bias", 1, {2, 0}},
        {"optimizer.exp_avg.layers.1.weight", 1, {2, 0}},
        {"optimizer.exp_avg_sq.layers.1.weight", 1, {2, 0}},
        {"optimizer.exp_avg.layers.1.bias", 1, {2, 0}},
        {"optimizer.exp_avg_sq.layers.1.bias", 1, {2, 0}},
        {"optimizer.exp_avg.layers.2.weight", 1, {1, 0}},
        {"optimizer.exp_avg_sq.layers.2.weight", 1, {1, 0}},
        {"optimizer.exp_avg.layers.3.weight", 2, {2, 2}},
        {"optimizer.exp_avg_sq.layers.3.weight", 2, {2, 2}},
    };
    static const char *const words[][2] = {
        {"clgrad.checkpoint", "1"},
        {"clgrad.inputs", "3"},
        {"clgrad.layers", "4"},
        {"clgrad.layers.0", "dense outputs=2 bias=true activation=leaky_relu negative_slope=0.00999999978"},
        {"clgrad.layers.1",
         "batch_norm outputs=2 eps=9.99999975e-06 momentum=0.100000001 affine=true track_running_stats=true"},
        {"clgrad.layers.2", "prelu outputs=2 per_channel=false init=0.25"},
        {"clgrad.layers.3", "dense outputs=2 bias=false activation=identity"},
        {"clgrad.loss", "mse reduction=mean"},
        {"clgrad.clipping", "clip_norm=inf clip_norm_type=2 clip_value=inf"},
        {"clgrad.optimizers", "1"},
        {"clgrad.optimizers.0", "adamw beta1=0.899999976 beta2=0.999000013 eps=9.99999994e-09 "
                                "weight_decay=0.00999999978 amsgrad=false maximize=false"},
        {"clgrad.steps", "2"},
        {"clgrad.draws", "2"},
        {"clgrad.seed", "18446744073709551615"},
        {"clgrad.gradients", "none"},
        {"clgrad.optimizers.0.lr", "0.00100000005"},
        {"note.epoch", "7"},
        {"note.", "\xc3\xa9 \"\n\x01"},
    };
    static const clgrad_note notes[] = {{"epoch", "7"}, {"", "\xc3\xa9 \"\n\x01"}};
    clgrad_layer layers[SMALL_LAYERS];
    clgrad_network_options options = small_network(layers);
    options.seed = UINT64_MAX;
    training t = start_small(context, &options);
    two_steps(context, t);
    assert_ok(context, clgrad_network_save(t.network, FILE_NAME, notes, COUNT(notes)));

    clgrad_safetensors *file;
    clgrad_message message;
    const clgrad_safetensors_array *arrays;
    const clgrad_safetensors_string *strings;
    assert_int_equal(clgrad_safetensors_open(FILE_NAME, &file, &message), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(clgrad_safetensors_arrays(file, &arrays), COUNT(wanted));
    for (size_t i = 0; i < COUNT(wanted); i++) {
        assert_string_equal(arrays[i].name, wanted[i].name);
        assert_string_equal(arrays[i].dtype, "F32");
        assert_int_equal(arrays[i].rank, wanted[i].rank);
        assert_true(arrays[i].shape[0] == wanted[i].shape[0] && arrays[i].shape[1] == wanted[i].shape[1]);
    }
    assert_int_equal(clgrad_safetensors_strings(file, &strings), COUNT(words));
    for (size_t i = 0; i < COUNT(words); i++) {
        assert_string_equal(strings[i].name, words[i][0]);
        assert_string_equal(strings[i].text, words[i][1]);
    }
    float numbers[6];
    assert_int_equal(clgrad_safetensors_read(file, &arrays[0], numbers, &message), CLGRAD_STATUS_SUCCESS);
    assert_holds(context, clgrad_network_weight(t.network, 0), numbers);
    assert_int_equal(clgrad_safetensors_read(file, &arrays[7], numbers, &message), CLGRAD_STATUS_SUCCESS);
    assert_holds(context, clgrad_network_weight(t.network, 3), numbers);
    clgrad_safetensors_close(file);
    stop(context, t);
    remove(FILE_NAME);
}

static void notes_are_found_again(clgrad_context *context)
{
    static const clgrad_note notes[] = {{"epoch", "7"}, {"\xc3\xa9", ""}, {"clgrad.steps", "none of that"}};
    clgrad_layer layers[SMALL_LAYERS];
    const clgrad_network_options options = small_network(layers);
    training t = start_small(context, &options);
    clgrad_message message;
    clgrad_notes *read;
    assert_ok(context, clgrad_network_save(t.network, FILE_NAME, notes, COUNT(notes)));
    assert_ok(context, clgrad_network_load(t.network, FILE_NAME));
    assert_int_equal(clgrad_notes_read(FILE_NAME, &read, &message), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(clgrad_notes_count(read), COUNT(notes));
    for (size_t i = 0; i < COUNT(notes); i++) {
        assert_string_equal(clgrad_notes_at(read, i).name, notes[i].name);
        assert_string_equal(clgrad_notes_at(read, i).value, notes[i].value);
        assert_string_equal(clgrad_notes_find(read, notes[i].name), notes[i].value);
    }
    assert_null(clgrad_notes_at(read, COUNT(notes)).name);
    assert_null(clgrad_notes_find(read, "absent"));
    assert_null(clgrad_notes_find(read, NULL));
    assert_null(clgrad_notes_find(NULL, "epoch"));
    assert_int_equal(clgrad_notes_count(NULL), 0);
    clgrad_notes_destroy(read);
    clgrad_notes_destroy(NULL);

    assert_int_equal(clgrad_notes_read("test_checkpoint.absent", &read, &message), CLGRAD_STATUS_FILE_ERROR);
    assert_null(read);
    assert_int_equal(clgrad_notes_read("test_checkpoint.absent", &read, NULL), CLGRAD_STATUS_FILE_ERROR);
    assert_int_equal(clgrad_notes_read(NULL, &read, &message), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_int_equal(clgrad_notes_read(FILE_NAME, NULL, &message), CLGRAD_STATUS_INVALID_ARGUMENT);
    stop(context, t);
    remove(FILE_NAME);
}

/* A host with a comma in its numbers writes and reads the same files. */
static void locales_do_not_matter(clgrad_context *context)
{
    static const char *const commas[] = {"de_DE.UTF-8", "fr_FR.UTF-8", "de_DE", "fr_FR", "nl_NL.UTF-8"};
    clgrad_layer layers[SMALL_LAYERS];
    clgrad_network_options options = small_network(layers);
    const char *found = NULL;
    for (size_t i = 0; i < COUNT(commas) && found == NULL; i++)
        found = setlocale(LC_NUMERIC, commas[i]);
    if (found == NULL) {
        print_message("skipped: there is no locale with a comma\n");
        skip();
    }
    options.optimizer.lr = 0.1f;
    training a = start_small(context, &options);
    assert_ok(context, clgrad_network_save(a.network, FILE_NAME, NULL, 0));
    setlocale(LC_NUMERIC, "C");
    options.optimizer.lr = 0.2f;
    training b = start_small(context, &options);
    assert_ok(context, clgrad_network_load(b.network, FILE_NAME));
    assert_true(b.network->groups[0].lr == 0.1f);
    assert_ok(context, clgrad_network_save(b.network, FILE_NAME, NULL, 0));
    setlocale(LC_NUMERIC, found);
    const clgrad_status status = clgrad_network_load(a.network, FILE_NAME);
    setlocale(LC_NUMERIC, "C");
    assert_ok(context, status);
    stop(context, a);
    stop(context, b);
    remove(FILE_NAME);
}

/* ---- parameters alone ---- */

static void takes_parameters_from_python(clgrad_context *context)
{
    const path name = in(CLGRAD_SOURCE_DIR "/tests/golden", "python_parameters.safetensors");
    clgrad_layer layers[SMALL_LAYERS];
    const clgrad_network_options options = small_network(layers);
    training t = start_small(context, &options);
    two_steps(context, t);
    moment before = look_at(context, t.network);
    assert_ok(context, clgrad_network_load_parameters(t.network, name.text));
    assert_holds(context, clgrad_network_weight(t.network, 0),
                 ((const float[]){0, 0.125f, 0.25f, 0.375f, 0.5f, 0.625f}));
    assert_holds(context, clgrad_network_bias(t.network, 0), ((const float[]){0.5f, -0.5f}));
    assert_holds(context, clgrad_network_weight(t.network, 1), ((const float[]){1.25f, 0.75f}));
    assert_holds(context, clgrad_network_bias(t.network, 1), ((const float[]){0.125f, 0.25f}));
    assert_holds(context, clgrad_network_running_stats(t.network), ((const float[]){-1, 2, 0.5f, 4}));
    assert_holds(context, clgrad_network_weight(t.network, 2), ((const float[]){0.375f}));
    assert_holds(context, clgrad_network_weight(t.network, 3), ((const float[]){1, NAN, -1, 3}));

    /* All else is as before. */
    free(before.parameters);
    free(before.running);
    before.parameters = tensor_contents(context, clgrad_network_parameters(t.network));
    before.running = tensor_contents(context, clgrad_network_running_stats(t.network));
    assert_moment(context, t.network, before);

    /* NaN is saved and loaded as any number. */
    assert_ok(context, clgrad_network_save(t.network, FILE_NAME, NULL, 0));
    step(context, t);
    assert_ok(context, clgrad_network_load(t.network, FILE_NAME));
    assert_moment_resumed(context, t.network, before);
    moment_free(before);
    stop(context, t);
    remove(FILE_NAME);
}

/* From a run with another optimizer, loss and activation, and in the middle of accumulating. */
static void takes_parameters_from_another_run(clgrad_context *context)
{
    clgrad_layer layers[SMALL_LAYERS];
    clgrad_network_options options = small_network(layers);
    training t = start_small(context, &options);
    step(context, t);
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_L1);
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_RPROP);
    layers[0].activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_GELU);
    training other = start_small(context, &options);
    two_steps(context, other);
    assert_ok(context, clgrad_network_backward(other.network, other.x, other.target, other.loss));
    assert_ok(context, clgrad_network_save(other.network, FILE_NAME, NULL, 0));

    moment wanted = look_at(context, t.network), from = look_at(context, other.network);
    assert_ok(context, clgrad_network_load_parameters(t.network, FILE_NAME));
    free(wanted.parameters);
    free(wanted.running);
    wanted.parameters = from.parameters, from.parameters = NULL;
    wanted.running = from.running, from.running = NULL;
    assert_moment(context, t.network, wanted);
    moment_free(wanted);
    moment_free(from);
    stop(context, t);
    stop(context, other);
    remove(FILE_NAME);
}

/* ---- saving that fails ---- */

static void refuses_what_cannot_be_saved(clgrad_context *context)
{
    static const clgrad_note twice[] = {{"a", "1"}, {"b", "2"}, {"a", "3"}}, nameless[] = {{NULL, "1"}},
                             empty[] = {{"a", NULL}}, latin[] = {{"a", "1"}, {"b", "\xe9"}},
                             latin_name[] = {{"\xe9\x1b", "1"}};
    clgrad_layer layers[SMALL_LAYERS];
    const clgrad_network_options options = small_network(layers);
    training t = start_small(context, &options);
    clgrad_network *n = t.network;
    const clgrad_status wanted = CLGRAD_STATUS_INVALID_ARGUMENT;
    assert_int_equal(clgrad_network_save(NULL, FILE_NAME, NULL, 0), wanted);
    assert_int_equal(clgrad_network_load(NULL, FILE_NAME), wanted);
    assert_int_equal(clgrad_network_load_parameters(NULL, FILE_NAME), wanted);
    assert_refused(context, clgrad_network_save(n, NULL, NULL, 0), wanted, "path");
    assert_refused(context, clgrad_network_load(n, NULL), wanted, "path");
    assert_refused(context, clgrad_network_load_parameters(n, NULL), wanted, "path");
    assert_refused(context, clgrad_network_save(n, FILE_NAME, NULL, 1), wanted, "notes");
    assert_refused(context, clgrad_network_save(n, FILE_NAME, twice, 3), wanted, "two notes \"a\"");
    assert_refused(context, clgrad_network_save(n, FILE_NAME, nameless, 1), wanted, "a note's name");
    assert_refused(context, clgrad_network_save(n, FILE_NAME, empty, 1), wanted, "a note's value");
    assert_refused(context, clgrad_network_save(n, FILE_NAME, latin, 2), wanted,
                   "the note \"b\" or its value");
    assert_refused(context, clgrad_network_save(n, FILE_NAME, latin_name, 1), wanted, "the note \"??\"");
    assert_refused(context, clgrad_network_save(n, "absent/file", NULL, 0), CLGRAD_STATUS_FILE_ERROR,
                   "network_save: absent/file cannot be written: No such file");
    assert_refused(context, clgrad_network_save(n, "/dev/full", NULL, 0), CLGRAD_STATUS_FILE_ERROR,
                   "/dev/full cannot be written: it is there and no regular file");
    assert_true(access(FILE_NAME, F_OK) != 0);
    stop(context, t);
}

/* The disk is full as far as this process is concerned: no file may grow beyond 1,000 bytes. */
static void a_full_disk_leaves_the_old_file(clgrad_context *context)
{
    const path place = make_place(), name = in(place.text, "checkpoint");
    clgrad_layer layers[SMALL_LAYERS];
    const clgrad_network_options options = small_network(layers);
    training t = start_small(context, &options);
    step(context, t);
    assert_ok(context, clgrad_network_save(t.network, name.text, NULL, 0));
    const moment saved = look_at(context, t.network);
    contents *old = read_contents(name.text);
    step(context, t);
    const moment now = look_at(context, t.network);

    struct rlimit limit, low;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    low = limit;
    low.rlim_cur = 1000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    const clgrad_status status = clgrad_network_save(t.network, name.text, NULL, 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, handler);
    assert_refused(context, status, CLGRAD_STATUS_FILE_ERROR, strerror(EFBIG));
    assert_refused(context, status, CLGRAD_STATUS_FILE_ERROR, name.text);

    path names[4];
    contents *still = read_contents(name.text);
    assert_int_equal(list(place.text, names, COUNT(names)), 1);
    assert_int_equal(still->count, old->count);
    assert_memory_equal(still->bytes, old->bytes, old->count);
    assert_moment(context, t.network, now);
    assert_ok(context, clgrad_network_load(t.network, name.text));
    assert_moment_resumed(context, t.network, saved);
    free(old);
    free(still);
    moment_free(saved);
    moment_free(now);
    stop(context, t);
    remove_all(place.text);
}

/* ---- index faults ---- */

/* A bad label found on the device is reported by the save and by the load, which do nothing else then. */
static void faults_are_reported_first(clgrad_context *context)
{
    clgrad_layer layers[EVERY_LAYER];
    const clgrad_network_options options =
        every_layer(layers, clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM));
    training t = start(context, &options);
    const int32_t bad[9] = {0, 1, 2, 0, 77, 2, 0, 1, 2}, good[9] = {0};
    step(context, t);
    assert_ok(context, clgrad_network_save(t.network, FILE_NAME, NULL, 0));
    const moment saved = look_at(context, t.network);
    remove(FILE_NAME);
    assert_ok(context, clgrad_tensor_write(context, t.target, bad, sizeof bad));
    step(context, t);
    assert_refused(context, clgrad_network_save(t.network, FILE_NAME, NULL, 0), CLGRAD_STATUS_INVALID_INDEX,
                   "77");
    assert_true(access(FILE_NAME, F_OK) != 0);
    assert_ok(context, clgrad_network_save(t.network, FILE_NAME, NULL, 0));
    assert_contents(context, clgrad_network_parameters(t.network), saved.parameters);

    step(context, t);
    assert_refused(context, clgrad_network_load(t.network, FILE_NAME), CLGRAD_STATUS_INVALID_INDEX, "77");
    assert_int_equal(clgrad_network_steps(t.network), 3);
    assert_ok(context, clgrad_network_load(t.network, FILE_NAME));
    assert_int_equal(clgrad_network_steps(t.network), 2);
    assert_ok(context, clgrad_tensor_write(context, t.target, good, sizeof good));
    step(context, t);
    assert_int_equal(clgrad_network_steps(t.network), 3);
    moment_free(saved);
    stop(context, t);
    remove(FILE_NAME);
}

int main(void)
{
    static const test_case cases[] = {
        CASE(every_optimizer_resumes),
        CASE(resumes_wherever_it_stops),
        CASE(groups_resume),
        CASE(files_hold_what_is_documented),
        CASE(notes_are_found_again),
        CASE(locales_do_not_matter),
        CASE(takes_parameters_from_python),
        CASE(takes_parameters_from_another_run),
        CASE(refuses_what_cannot_be_saved),
        CASE(a_full_disk_leaves_the_old_file),
        CASE(faults_are_reported_first),
    };
    return run_on_every_device(cases, COUNT(cases));
}
