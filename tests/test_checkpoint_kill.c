/*
 * A process that saves two networks in turn to one path is killed at some moment, again and again: the path
 * always names a whole file, of the one or of the other.
 *   test_checkpoint_kill [KILLS]
 */
#define _XOPEN_SOURCE 700
#include "checkpoint_case.h"

#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

static int kills = 250;

/* Some 100 KB, so that most kills come while something is written or synced. */
static clgrad_network *build_state(clgrad_context *context, uint64_t seed)
{
    clgrad_layer layers[2] = {clgrad_layer_dense(200, CLGRAD_ACTIVATION_TANH),
                              clgrad_layer_dense(10, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 100;
    options.layers = layers;
    options.layer_count = 2;
    options.seed = seed;
    return build(context, &options);
}

/* The process that is killed: it says when it begins, and ends by itself only when it cannot save. */
static int save_for_ever(const char *name, int begun)
{
    clgrad_context *context;
    clgrad_message message;
    if (clgrad_context_create("reference", &context, &message) != CLGRAD_STATUS_SUCCESS)
        return 1;
    clgrad_network *states[2] = {build_state(context, 1), build_state(context, 2)};
    if (write(begun, "", 1) != 1)
        return 1;
    for (size_t i = 0; clgrad_network_save(states[i % 2], name, NULL, 0) == CLGRAD_STATUS_SUCCESS; i++) {
    }
    fprintf(stderr, "%s\n", clgrad_context_error(context));
    return 1;
}

static void wait_microseconds(long microseconds)
{
    const struct timespec time = {0, microseconds * 1000};
    nanosleep(&time, NULL);
}

/* Start that process, and wait until it is about to save. */
static pid_t start_saving(const char *program, const char *name)
{
    int ends[2];
    char begun[16], byte;
    pid_t pid;
    assert_int_equal(pipe(ends), 0);
    snprintf(begun, sizeof begun, "%d", ends[1]);
    char *const arguments[] = {(char *)program, "--save", (char *)name, begun, NULL};
    assert_int_equal(posix_spawn(&pid, program, NULL, NULL, arguments, environ), 0);
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 1);
    close(ends[0]);
    return pid;
}

static void a_kill_leaves_a_whole_file(void **state)
{
    char *const *arguments = *state; /* of this program */
    const path place = make_place(), name = in(place.text, "checkpoint");
    clgrad_context *context;
    assert_int_equal(clgrad_context_create("reference", &context, NULL), CLGRAD_STATUS_SUCCESS);
    clgrad_network *network = build_state(context, 3), *first = build_state(context, 1),
                   *second = build_state(context, 2);
    const moment states[2] = {look_at(context, first), look_at(context, second)};
    size_t found[2] = {0, 0}, left = 0;
    uint64_t random = (uint64_t)time(NULL);
    for (int i = 0; i < kills; i++) {
        int status;
        const pid_t pid = start_saving(arguments[0], name.text);
        for (int k = 0; access(name.text, F_OK) != 0; k++) { /* the first time there is nothing to keep */
            assert_true(k < 100000);
            wait_microseconds(100);
        }
        random = random * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
        wait_microseconds((long)((random >> 40) % 15000));
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status)); /* it was still saving */

        assert_ok(context, clgrad_network_load(network, name.text));
        const moment now = look_at(context, network);
        const size_t bytes = clgrad_tensor_count(clgrad_network_parameters(network)) * sizeof(float);
        const size_t which = now.seed == states[0].seed ? 0 : 1;
        assert_true(now.seed == states[which].seed);
        assert_memory_equal(now.parameters, states[which].parameters, bytes);
        found[which]++;
        moment_free(now);

        /* What the dead left behind besides; so many that a kill's moment is seen to matter. */
        path names[4];
        const size_t count = list(place.text, names, COUNT(names));
        assert_true(count <= 2);
        for (size_t k = 0; k < count; k++)
            if (strcmp(names[k].text, name.text) != 0) {
                assert_int_equal(strncmp(names[k].text, name.text, strlen(name.text)), 0);
                assert_int_equal(remove(names[k].text), 0);
                left++;
            }
    }
    print_message("%d kills: %zu times the one, %zu the other; %zu in the middle of a write\n", kills,
                  found[0], found[1], left);
    assert_true(found[0] > 0 && found[1] > 0 && left > 0);
    moment_free(states[0]);
    moment_free(states[1]);
    clgrad_network_destroy(network);
    clgrad_network_destroy(first);
    clgrad_network_destroy(second);
    clgrad_context_destroy(context);
    remove_all(place.text);
}

int main(int argc, char **argv)
{
    if (argc == 4 && strcmp(argv[1], "--save") == 0)
        return save_for_ever(argv[2], atoi(argv[3]));
    if (argc == 2 && sscanf(argv[1], "%d", &kills) != 1) {
        fprintf(stderr, "usage: test_checkpoint_kill [KILLS]\n");
        return 2;
    }
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(a_kill_leaves_a_whole_file, argv)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
