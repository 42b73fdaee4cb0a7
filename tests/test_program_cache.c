/*
 * Compiled programs on disk: what is there is used and gives the same bits, and nothing that is wrong with
 * it, or with the place for it, is more than a program to be compiled.
 */
#include "folder.h"
#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *this_program;

/* ---- where the cache is ---- */

static void cache_in(const char *folder)
{
    setenv("CLGRAD_CACHE", folder, 1);
}

static void set_or_unset(const char *name, const char *value)
{
    if (value != NULL)
        setenv(name, value, 1);
    else
        unsetenv(name);
}

/* ---- processes that start ---- */

/* What a start did and computed. */
typedef struct start {
    clgrad_counters counters;
    float results[64];
} start;

static clgrad_context *open_beside(const clgrad_context *context)
{
    clgrad_context *opened = NULL;
    clgrad_message message;
    if (clgrad_context_create(clgrad_context_device(context)->specification, &opened, &message) !=
        CLGRAD_STATUS_SUCCESS)
        fail_msg("%s", message.text);
    return opened;
}

static start end_start(clgrad_context *context, start s)
{
    assert_ok(context, clgrad_context_counters(context, &s.counters));
    clgrad_context_destroy(context);
    return s;
}

/* One program with little in it. */
static start start_small(const clgrad_context *beside)
{
    start s = {0};
    clgrad_context *context = open_beside(beside);
    clgrad_tensor x = vector_with(context, 16, NULL);
    assert_ok(context, clgrad_tensor_fill(context, x, 0.3));
    assert_ok(context, clgrad_tensor_read(context, x, s.results, 16 * sizeof(float)));
    tensor_free(context, x);
    return end_start(context, s);
}

/* A few steps of training: the loss, and parameters. */
static start start_training(const clgrad_context *beside)
{
    start s = {0};
    clgrad_context *context = open_beside(beside);
    const clgrad_layer layers[] = {clgrad_layer_dense(6, CLGRAD_ACTIVATION_RELU),
                                   clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW);
    float numbers[8 * 7];
    fill_normal(numbers, COUNT(numbers), 5, 1);
    clgrad_tensor x = matrix_with(context, 8, 4, numbers), target = matrix_with(context, 8, 3, numbers + 32);
    clgrad_tensor loss = scalar_with(context, 0);
    clgrad_network *network;
    assert_ok(context, clgrad_network_create(context, &options, &network));
    for (int step = 0; step < 5; step++)
        assert_ok(context, clgrad_network_train_step(network, x, target, loss));
    clgrad_tensor parameters = clgrad_network_parameters(network);
    const size_t count = clgrad_tensor_count(parameters);
    assert_true(count < COUNT(s.results));
    s.results[0] = tensor_scalar_value(context, loss);
    assert_ok(context, clgrad_tensor_read(context, parameters, s.results + 1, count * sizeof(float)));
    clgrad_network_destroy(network);
    tensor_free(context, x);
    tensor_free(context, target);
    tensor_free(context, loss);
    return end_start(context, s);
}

static void assert_start(start s, start expected, uint64_t compiled, uint64_t loaded)
{
    assert_int_equal(s.counters.programs_compiled, compiled);
    assert_int_equal(s.counters.programs_loaded, loaded);
    assert_memory_equal(s.results, expected.results, sizeof s.results);
}

/*
 * Whether the device has programs, and its driver gives them out: then an empty place has been filled by
 * start_small, whose result is left in s.
 */
static bool fills(clgrad_context *context, const char *place, start *s)
{
    cache_in(place);
    *s = start_small(context);
    path file;
    return list(place, &file, 1) > 0;
}

/* ---- tests ---- */

static void a_warm_start_compiles_nothing(clgrad_context *context)
{
    const path place = make_place();
    cache_in(place.text);
    const start cold = start_training(context);
    path names[64];
    const size_t files = list(place.text, names, COUNT(names));
    assert_int_equal(cold.counters.programs_loaded, 0);
    if (files > 0) {
        assert_int_equal(files, cold.counters.programs_compiled);
        const start warm = start_training(context);
        assert_start(warm, cold, 0, cold.counters.programs_compiled);
        assert_int_equal(list(place.text, names, COUNT(names)), files);
    }
    cache_in("off");
    const start off = start_training(context);
    assert_start(off, cold, cold.counters.programs_compiled, 0);
    remove_all(place.text);
}

/* The program in a file that is not as it should be is compiled, and the file replaced. */
static void assert_replaced(clgrad_context *context, const char *file, const contents *whole, start expected)
{
    assert_start(start_small(context), expected, 1, 0);
    contents *now = read_contents(file);
    assert_int_equal(now->count, whole->count);
    free(now);
    assert_start(start_small(context), expected, 0, 1);
}

static void damaged_files_are_replaced(clgrad_context *context)
{
    const path place = make_place();
    start expected;
    path file;
    if (fills(context, place.text, &expected)) {
        assert_int_equal(list(place.text, &file, 1), 1);
        contents *whole = read_contents(file.text);
        const size_t n = whole->count, lengths[] = {0, 1, 39, 40, 41, 200, n / 2, n - 1};
        for (size_t i = 0; i < COUNT(lengths); i++) {
            write_contents(file.text, whole->bytes, lengths[i]);
            assert_replaced(context, file.text, whole, expected);
        }
        /* the file's mark, the lengths, the checksum, the key, the binary */
        const size_t places[] = {3, 15, 17, 23, 25, 31, 33, 39, 40, 200, n / 2, n - 1};
        for (size_t i = 0; i < COUNT(places); i++) {
            whole->bytes[places[i]] ^= 0x10;
            write_contents(file.text, whole->bytes, n);
            whole->bytes[places[i]] ^= 0x10;
            assert_replaced(context, file.text, whole, expected);
        }
        whole->bytes[n] = 0;
        write_contents(file.text, whole->bytes, n + 1);
        assert_replaced(context, file.text, whole, expected);
        free(whole);
    }
    remove_all(place.text);
}

/* FNV-1a, to make files that are whole but wrong. */
static void put_checksum(contents *c)
{
    uint64_t sum = 0xcbf29ce484222325u;
    for (size_t i = 40; i < c->count; i++)
        sum = (sum ^ c->bytes[i]) * 0x100000001b3u;
    memcpy(c->bytes + 32, &sum, sizeof sum);
}

static void another_key_or_binary_is_not_used(clgrad_context *context)
{
    const path place = make_place();
    start expected;
    path file;
    if (fills(context, place.text, &expected)) {
        assert_int_equal(list(place.text, &file, 1), 1);
        contents *whole = read_contents(file.text), *wrong = allocate(1, sizeof *wrong);
        uint64_t key_bytes;
        memcpy(&key_bytes, whole->bytes + 16, sizeof key_bytes);
        const size_t binary = 40 + (size_t)key_bytes;
        assert_true(binary < whole->count);

        /* Another program's file under this one's name, as if the hashes were the same. */
        *wrong = *whole;
        wrong->bytes[binary - 1] ^= 1;
        put_checksum(wrong);
        write_contents(file.text, wrong->bytes, wrong->count);
        assert_replaced(context, file.text, whole, expected);

        /* A binary that the driver does not take. */
        *wrong = *whole;
        memset(wrong->bytes + binary, 0x55, whole->count - binary);
        put_checksum(wrong);
        write_contents(file.text, wrong->bytes, wrong->count);
        assert_replaced(context, file.text, whole, expected);

        /* What the test makes does count as whole: the same file, put together anew, is taken. */
        *wrong = *whole;
        put_checksum(wrong);
        write_contents(file.text, wrong->bytes, wrong->count);
        assert_start(start_small(context), expected, 0, 1);
        free(wrong);
        free(whole);
    }
    remove_all(place.text);
}

static void what_cannot_be_a_file_is_left_alone(clgrad_context *context)
{
    const path place = make_place();
    start expected;
    path names[4];
    if (fills(context, place.text, &expected)) {
        assert_int_equal(list(place.text, names, 1), 1);
        assert_int_equal(remove(names[0].text), 0);
        assert_int_equal(mkdir(names[0].text, 0700), 0);
        assert_start(start_small(context), expected, 1, 0);
        assert_int_equal(list(place.text, names, COUNT(names)), 1);
        assert_int_equal(rmdir(names[0].text), 0);
    }
    remove_all(place.text);
}

static void without_a_place_programs_are_compiled(clgrad_context *context)
{
    const path place = make_place(), file = in(place.text, "file"), below = in(file.text, "clgrad");
    write_contents(file.text, "x", 1);
    cache_in("off");
    const start expected = start_small(context);
    const uint64_t compiled = expected.counters.programs_compiled;
    const char *const nowhere[] = {file.text, below.text, "/dev/null/clgrad"};
    for (size_t i = 0; i < COUNT(nowhere); i++) {
        cache_in(nowhere[i]);
        assert_start(start_small(context), expected, compiled, 0);
        assert_start(start_small(context), expected, compiled, 0);
    }
    if (geteuid() != 0) { /* root may write anywhere */
        const path closed = in(place.text, "closed");
        assert_int_equal(mkdir(closed.text, 0500), 0);
        cache_in(closed.text);
        assert_start(start_small(context), expected, compiled, 0);
    }
    contents *after = read_contents(file.text);
    assert_int_equal(after->count, 1);
    free(after);
    remove_all(place.text);
}

static void the_folder_is_where_the_environment_says(clgrad_context *context)
{
    const path probe = make_place();
    start expected;
    const bool has_files = fills(context, probe.text, &expected);
    remove_all(probe.text);

    const path place = make_place(), xdg = in(place.text, "xdg"), home = in(place.text, "home");
    const path own = in(place.text, "own/folder"), in_xdg = in(xdg.text, "clgrad"),
               in_home = in(home.text, ".cache/clgrad");
    const struct {
        const char *cache, *xdg, *home, *folder;
    } rows[] = {
        {own.text, xdg.text, home.text, own.text},
        {NULL, xdg.text, home.text, in_xdg.text},
        {"", xdg.text, home.text, in_xdg.text},
        {NULL, NULL, home.text, in_home.text},
        {NULL, "", home.text, in_home.text},
        {NULL, "a/relative/one", home.text, in_home.text},
        {NULL, NULL, NULL, NULL},
        {"off", xdg.text, home.text, NULL},
    };
    char *const old_xdg = getenv("XDG_CACHE_HOME"), *const old_home = getenv("HOME");
    path kept_xdg = in(old_xdg != NULL ? old_xdg : "", ""),
         kept_home = in(old_home != NULL ? old_home : "", "");
    for (size_t i = 0; i < COUNT(rows); i++) {
        set_or_unset("CLGRAD_CACHE", rows[i].cache);
        set_or_unset("XDG_CACHE_HOME", rows[i].xdg);
        set_or_unset("HOME", rows[i].home);
        assert_start(start_small(context), expected, expected.counters.programs_compiled, 0);
        path name;
        assert_int_equal(list(place.text, &name, 1), has_files && rows[i].folder != NULL);
        if (has_files && rows[i].folder != NULL) {
            struct stat about;
            assert_int_equal(list(rows[i].folder, &name, 1), 1);
            assert_int_equal(stat(rows[i].folder, &about), 0);
            assert_int_equal(about.st_mode & 0777, 0700);
            assert_int_equal(stat(name.text, &about), 0);
            assert_int_equal(about.st_mode & 0777, 0600);
        }
        path top;
        if (list(place.text, &top, 1) > 0)
            remove_all(top.text);
    }
    set_or_unset("XDG_CACHE_HOME", old_xdg != NULL ? kept_xdg.text : NULL);
    set_or_unset("HOME", old_home != NULL ? kept_home.text : NULL);
    cache_in("off");
    remove_all(place.text);
}

static void another_word_is_refused(clgrad_context *context)
{
    clgrad_context *opened;
    clgrad_message message = {0};
    cache_in("on");
    const clgrad_status status =
        clgrad_context_create(clgrad_context_device(context)->specification, &opened, &message);
    if (clgrad_context_device(context)->type == CLGRAD_DEVICE_REFERENCE) {
        assert_int_equal(status, CLGRAD_STATUS_SUCCESS); /* it has no programs */
        clgrad_context_destroy(opened);
    } else {
        assert_int_equal(status, CLGRAD_STATUS_INVALID_ARGUMENT);
        assert_non_null(strstr(message.text, "CLGRAD_CACHE is \"on\""));
    }
    cache_in("off");
}

/* All at once on nothing: each succeeds, and leaves whole files and nothing else. */
static void many_processes_start_at_once(clgrad_context *context)
{
    enum { PROCESSES = 8 };
    const path place = make_place();
    cache_in("off");
    const start expected = start_small(context);
    cache_in(place.text);
    pid_t children[PROCESSES];
    for (int i = 0; i < PROCESSES; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            execl(this_program, this_program, clgrad_context_device(context)->specification, (char *)NULL);
            _exit(127);
        }
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    path names[4];
    const size_t files = list(place.text, names, COUNT(names));
    assert_true(files <= 1);
    assert_start(start_small(context), expected, files > 0 ? 0 : expected.counters.programs_compiled, files);
    cache_in("off");
    remove_all(place.text);
}

/* The child of the last test: start_small, outside of cmocka. */
static int start_as_child(const char *specification)
{
    clgrad_context *context;
    clgrad_message message;
    clgrad_tensor x;
    float result = 0;
    if (clgrad_context_create(specification, &context, &message) != CLGRAD_STATUS_SUCCESS)
        return 1;
    if (clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &x) != CLGRAD_STATUS_SUCCESS ||
        clgrad_tensor_fill(context, x, 0.3) != CLGRAD_STATUS_SUCCESS ||
        clgrad_tensor_read(context, x, &result, sizeof result) != CLGRAD_STATUS_SUCCESS)
        return 2;
    clgrad_buffer_destroy(x.buffer);
    clgrad_context_destroy(context);
    return result == 0.3f ? 0 : 3;
}

int main(int argument_count, char **arguments)
{
    this_program = arguments[0];
    if (argument_count == 2)
        return start_as_child(arguments[1]);
    cache_in("off");
    const test_case cases[] = {
        CASE(a_warm_start_compiles_nothing),
        CASE(damaged_files_are_replaced),
        CASE(another_key_or_binary_is_not_used),
        CASE(what_cannot_be_a_file_is_left_alone),
        CASE(without_a_place_programs_are_compiled),
        CASE(the_folder_is_where_the_environment_says),
        CASE(another_word_is_refused),
        CASE(many_processes_start_at_once),
    };
    return run_on_every_device(cases, COUNT(cases));
}
