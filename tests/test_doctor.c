/*
 * clgrad-doctor as a program: its statuses, its table, its JSON, and what it says where something is wrong.
 */
#define _XOPEN_SOURCE 700

#include "harness.h"
#include "program.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define DOCTOR CLGRAD_DOCTOR_PROGRAM
#define FAULTY CLGRAD_DOCTOR_FAULTY_PROGRAM

static json_t *parse(const outcome *o)
{
    json_error_t error;
    json_t *json = json_loads(o->out, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        fail_msg("line %d: %s in %s", error.line, error.text, o->out);
    return json;
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (text == NULL)
        fail_msg("there is no text \"%s\"", key);
    return text;
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *number = json_object_get(object, key);
    assert_true(json_is_number(number));
    return json_number_value(number);
}

static bool flag_of(const json_t *object, const char *key)
{
    const json_t *flag = json_object_get(object, key);
    assert_true(json_is_boolean(flag));
    return json_is_true(flag);
}

/* ---- listing ---- */

static void assert_devices_are_listed(const json_t *listed)
{
    clgrad_device devices[16];
    size_t count_of_devices = 0;
    assert_int_equal(clgrad_device_list(devices, 16, &count_of_devices), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(json_array_size(listed), count_of_devices);
    for (size_t i = 0; i < count_of_devices; i++) {
        const json_t *device = json_array_get(listed, i);
        assert_string_equal(text_of(device, "specification"), devices[i].specification);
        assert_string_equal(text_of(device, "name"), devices[i].name);
        assert_string_equal(text_of(device, "vendor"), devices[i].vendor);
        assert_string_equal(text_of(device, "driver"), devices[i].driver);
        assert_true(number_of(device, "memory") == (double)devices[i].memory);
    }
}

static bool count_one(const clgrad_conformance_result *result, void *user)
{
    (void)result;
    ++*(size_t *)user;
    return true;
}

static void it_lists_devices_and_operations(void **state)
{
    (void)state;
    size_t operations = 0;
    assert_int_equal(clgrad_conformance_list(NULL, count_one, &operations, NULL), CLGRAD_STATUS_SUCCESS);
    outcome o = run(DOCTOR, "--list", NULL);
    char head[64];
    assert_succeeded(&o);
    assert_contains(o.out, "reference    clgrad reference");
    snprintf(head, sizeof head, "%zu operations\n", operations);
    assert_contains(o.out, head);
    assert_contains(o.out, "gelu_backward\n");
    outcome_free(&o);

    o = run(DOCTOR, "--list", "--json", NULL);
    assert_succeeded(&o);
    json_t *json = parse(&o);
    assert_int_equal(json_array_size(json_object_get(json, "operations")), operations);
    assert_devices_are_listed(json_object_get(json, "devices"));
    json_decref(json);
    outcome_free(&o);

    o = run(DOCTOR, "--list", "--only", "ctc", "--only", "dropout", NULL);
    assert_succeeded(&o);
    assert_contains(o.out, "3 operations\n");
    assert_contains(o.out, "ctc\n");
    assert_contains(o.out, "dropout_forward\n");
    assert_contains(o.out, "dropout_backward\n");
    outcome_free(&o);
}

static void it_says_what_it_is(void **state)
{
    (void)state;
    outcome o = run(DOCTOR, "--help", NULL);
    assert_succeeded(&o);
    assert_contains(o.out, "usage: clgrad-doctor");
    outcome_free(&o);
    o = run(DOCTOR, "--version", NULL);
    assert_succeeded(&o);
    assert_contains(o.out, "clgrad-doctor ");
    outcome_free(&o);
}

/* ---- what is refused ---- */

static void assert_doctor_refuses(const char *part, const char *first, const char *second)
{
    outcome o = run(DOCTOR, first, second, NULL);
    assert_int_equal(o.status, 2);
    assert_string_equal(o.out, "");
    assert_true(strncmp(o.err, "clgrad-doctor: ", 15) == 0);
    assert_int_equal(count(o.err, "\n"), 1);
    assert_contains(o.err, part);
    outcome_free(&o);
}

static void bad_options_are_refused(void **state)
{
    (void)state;
    assert_doctor_refuses("there is no option \"--fast\"", "--fast", NULL);
    assert_doctor_refuses("there is no option \"gelu\"", "gelu", NULL);
    assert_doctor_refuses("--device needs a value", "--device", NULL);
    assert_doctor_refuses("--only needs a value", "--only", NULL);
    assert_doctor_refuses("there is no operation \"gelo\"", "--only", "gelo");
    assert_doctor_refuses("(--list names them)", "--only", "gelo");
    assert_doctor_refuses("--jobs needs a value", "--jobs", NULL);
    assert_doctor_refuses("--jobs is \"0\", it must be a number from 1 to 64", "--jobs", "0");
    assert_doctor_refuses("--jobs is \"65\"", "--jobs", "65");
    assert_doctor_refuses("--jobs is \"-1\"", "--jobs", "-1");
    assert_doctor_refuses("--jobs is \"2x\"", "--jobs", "2x");
    assert_doctor_refuses("\"tpu\" is not understood", "--device", "tpu");
}

/* What a shell says of a full disk: no table is no success. */
static void output_that_is_lost_is_a_failure(void **state)
{
    (void)state;
    static const char *const options[] = {"--help", "--version", "--list", "--only relu --device reference",
                                          "--json --only relu --device reference"};
    if (access("/dev/full", W_OK) != 0)
        skip();
    for (size_t i = 0; i < COUNT(options); i++) {
        char command[1024];
        snprintf(command, sizeof command, "exec '%s' %s >/dev/full", DOCTOR, options[i]);
        outcome o = run("/bin/sh", "-c", command, NULL);
        assert_int_equal(o.status, 1);
        assert_contains(o.err, "clgrad-doctor: the output could not be written: ");
        assert_int_equal(count(o.err, "\n"), 1);
        outcome_free(&o);
    }
}

static void a_device_that_is_not_there_is_a_failure(void **state)
{
    (void)state;
    outcome o = run(DOCTOR, "--device", "reference", "--device", "opencl:57.0", "--only", "relu", NULL);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.out, "");
    assert_true(strncmp(o.err, "clgrad-doctor: ", 15) == 0);
    assert_contains(o.err, "57");
    assert_int_equal(count(o.err, "\n"), 1);
    assert_int_equal(count(o.err, "--help"), 0);
    outcome_free(&o);
}

/* ---- running ---- */

static void it_passes_on_every_device(void **state)
{
    (void)state;
    outcome o = run(DOCTOR, "--only", "relu", "--only", "mse", "--only", "dense_layer", NULL);
    clgrad_device devices[16];
    size_t count_of_devices = 0;
    assert_int_equal(clgrad_device_list(devices, 16, &count_of_devices), CLGRAD_STATUS_SUCCESS);
    assert_succeeded(&o); /* nothing on stderr, which is no terminal */
    assert_int_equal(count(o.out, " passed\n"), 5 * (count_of_devices - 1));
    assert_int_equal(count(o.out, "all passed\n"), count_of_devices - 1);
    for (size_t i = 0; i + 1 < count_of_devices; i++)
        assert_contains(o.out, devices[i].driver);
    outcome_free(&o);

    o = run(DOCTOR, "--device", "reference", "--device", "reference", "--only", "relu", "--full", "--json",
            NULL);
    assert_succeeded(&o);
    json_t *json = parse(&o), *runs = json_object_get(json, "runs");
    assert_true(flag_of(json, "passed") && flag_of(json, "full"));
    assert_devices_are_listed(json_object_get(json, "devices"));
    assert_int_equal(json_array_size(runs), 2);
    for (size_t i = 0; i < 2; i++) {
        const json_t *one = json_array_get(runs, i), *operations = json_object_get(one, "operations");
        const json_t *relu = json_array_get(operations, 1);
        assert_true(flag_of(one, "passed"));
        assert_string_equal(text_of(json_object_get(one, "device"), "specification"), "reference");
        assert_true(number_of(one, "seconds") > 0);
        assert_int_equal(json_array_size(operations), 2);
        assert_string_equal(text_of(relu, "family"), "activation");
        assert_string_equal(text_of(relu, "operation"), "relu_backward");
        assert_string_equal(text_of(relu, "unit"), "ulp");
        assert_string_equal(text_of(relu, "verdict"), "passed");
        assert_true(number_of(relu, "largest_error") == 0 && number_of(relu, "bound") == 0);
        assert_true(number_of(relu, "cases") > 10 && number_of(relu, "numbers") > 1e6);
        assert_null(json_object_get(relu, "failure"));
    }
    json_decref(json);
    outcome_free(&o);
}

static void no_device_is_a_failure(void **state)
{
    (void)state;
    char *drivers = hide_drivers();
    outcome o = run(DOCTOR, "--only", "relu", NULL);
    outcome reference = run(DOCTOR, "--only", "relu", "--device", "reference", NULL);
    show_drivers(drivers);
    assert_int_equal(o.status, 1);
    assert_contains(o.err, "there is no OpenCL device for"); /* so that ctest skips (Implementations.cmake) */
    assert_succeeded(&reference);
    outcome_free(&o);
    outcome_free(&reference);
}

/* ---- a device that is wrong ---- */

static void a_failure_is_shown(void **state)
{
    (void)state;
    outcome o = run(FAULTY, "--device", "reference", "--only", "gelu", "--only", "silu", NULL);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "");
    assert_int_equal(count(o.out, " passed\n"), 3);
    assert_int_equal(count(o.out, " FAILED\n"), 2); /* the row, and the end */
    assert_contains(o.out, "FAILED: gelu_backward on reference; the smallest input that shows it:");
    assert_contains(o.out, "  device    clgrad reference (double precision), clgrad\n  driver    built in\n");
    assert_contains(o.out, "  size      n=65\n");
    assert_contains(o.out, "  input     x[64] = ");
    assert_contains(o.out, "  result    dx[64]\n  got       ");
    assert_contains(o.out, " ulp, the bound is 8\n");
    assert_contains(o.out, "4 operations, ");
    outcome_free(&o);
}

static void a_failure_is_in_the_json(void **state)
{
    (void)state;
    outcome o = run(FAULTY, "--device", "reference", "--only", "gelu", "--json", NULL);
    assert_int_equal(o.status, 1);
    assert_string_equal(o.err, "");
    json_t *json = parse(&o), *one = json_array_get(json_object_get(json, "runs"), 0);
    const json_t *operations = json_object_get(one, "operations");
    const json_t *forward = json_array_get(operations, 0), *backward = json_array_get(operations, 1);
    const json_t *failure = json_object_get(backward, "failure");
    assert_false(flag_of(json, "passed") || flag_of(one, "passed"));
    assert_string_equal(text_of(forward, "verdict"), "passed");
    assert_string_equal(text_of(backward, "verdict"), "failed");
    assert_true(number_of(backward, "failed_cases") > 0);
    assert_true(number_of(backward, "largest_error") > number_of(backward, "bound"));
    assert_string_equal(text_of(failure, "size"), "n=65");
    assert_string_equal(text_of(failure, "status"), "success");
    assert_string_equal(text_of(failure, "result"), "dx");
    assert_true(number_of(failure, "index") == 64);
    const double got = strtod(text_of(failure, "got"), NULL);
    const double expected = strtod(text_of(failure, "expected"), NULL);
    assert_true(is_close(got, 1.5 * expected + 1, 1e-6));
    json_decref(json);
    outcome_free(&o);
}

/* ---- a device that crashes ---- */

/* A doctor with so many workers, which go wrong there (doctor_fault.c). */
static outcome run_wrong_with(const char *jobs, const char *where, int number, const char *more)
{
    char text[16];
    snprintf(text, sizeof text, "%d", number);
    setenv("DOCTOR_FAULT", where, 1);
    setenv("DOCTOR_FAULT_NUMBER", text, 1);
    outcome o = run(FAULTY, "--device", "reference", "--only", "relu", "--only", "mish", "--only", "silu",
                    "--jobs", jobs, more, NULL);
    unsetenv("DOCTOR_FAULT");
    unsetenv("DOCTOR_FAULT_NUMBER");
    return o;
}

static outcome run_wrong(const char *where, int number, const char *more)
{
    return run_wrong_with("1", where, number, more);
}

/* That operation has failed, and nothing else: it is in the table, in its place. */
static void a_crash_costs_its_operation(void **state)
{
    (void)state;
    static const struct {
        int number;
        const char *name;
    } signals[] = {{SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGABRT, "SIGABRT"},
                   {SIGILL, "SIGILL"},   {SIGFPE, "SIGFPE"}, {SIGKILL, "SIGKILL"}};
    for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++) {
        char said[512];
        outcome o = run_wrong("mish", signals[i].number, NULL);
        snprintf(said, sizeof said,
                 "\nCRASHED: mish_forward on reference, by %s\n"
                 "  device    clgrad reference (double precision), clgrad\n  driver    built in\n"
                 "  again     clgrad-doctor --device reference --only mish_forward\n",
                 signals[i].name);
        assert_int_equal(o.status, 1);
        assert_string_equal(o.err, "");
        assert_int_equal(count(o.out, " passed\n"), 5);
        assert_int_equal(count(o.out, " CRASHED\n"), 1);
        assert_contains(o.out, said);
        assert_contains(o.out, "reference: 6 operations, ");
        assert_last_line(o.out, "reference: ", ": 1 FAILED\n");
        outcome_free(&o);
    }
}

static void a_crash_is_in_the_json(void **state)
{
    (void)state;
    outcome o = run_wrong("mish", SIGSEGV, "--json");
    assert_int_equal(o.status, 1);
    json_t *json = parse(&o), *one = json_array_get(json_object_get(json, "runs"), 0);
    const json_t *operations = json_object_get(one, "operations");
    size_t crashed = 0;
    assert_false(flag_of(json, "passed") || flag_of(one, "passed"));
    assert_string_equal(text_of(one, "ended_early"), "");
    assert_int_equal(json_array_size(operations), 6);
    for (size_t i = 0; i < 6; i++) {
        const json_t *operation = json_array_get(operations, i);
        if (strcmp(text_of(operation, "operation"), "mish_forward") != 0) {
            assert_string_equal(text_of(operation, "verdict"), "passed");
            continue;
        }
        assert_string_equal(text_of(operation, "verdict"), "crashed");
        assert_string_equal(text_of(operation, "ended_by"), "SIGSEGV");
        crashed++;
    }
    assert_int_equal(crashed, 1);
    json_decref(json);
    outcome_free(&o);
}

static void a_process_that_leaves_is_said(void **state)
{
    (void)state;
    outcome o = run_wrong("leaving", 3, NULL);
    assert_int_equal(o.status, 1);
    assert_int_equal(count(o.out, " passed\n"), 5);
    assert_contains(o.out, "CRASHED: relu_forward on reference, by exit status 3\n");
    outcome_free(&o);
}

/* Nothing has run, or all has; either way it is no success. */
static void opening_and_closing_go_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *where, *said;
        size_t passed;
    } faults[] = {
        {"refused", "ended early: out_of_memory: no room for another context\n", 0},
        {"opening", "ended early: opening the device ended a process by SIGSEGV\n", 0},
        {"closing", "ended early: closing the device ended a process by SIGSEGV\n", 6},
    };
    for (size_t i = 0; i < COUNT(faults); i++) {
        outcome o = run_wrong(faults[i].where, SIGSEGV, NULL);
        assert_int_equal(o.status, 1);
        assert_int_equal(count(o.out, " passed\n"), faults[i].passed);
        assert_contains(o.out, faults[i].said);
        assert_last_line(o.out, "reference: ", ": 0 FAILED, and it ended early\n");
        outcome_free(&o);
    }
}

/* What has passed stays in the table, also behind the operation that ended the run. */
static void an_early_end_keeps_the_rest(void **state)
{
    (void)state;
    char path[64];
    snprintf(path, sizeof path, "test_doctor.late-%ld", (long)getpid());
    unlink(path);
    setenv("DOCTOR_FAULT_FILE", path, 1);
    outcome o = run_wrong_with("2", "late", 0, NULL);
    unsetenv("DOCTOR_FAULT_FILE");
    unlink(path);
    assert_int_equal(o.status, 1);
    assert_int_equal(count(o.out, " passed\n"), 5);
    assert_contains(o.out, "FAILED: reference ended early: out_of_memory: ");
    assert_contains(o.out, "reference: 5 operations, ");
    outcome_free(&o);
}

/* After a device's error, what follows runs in another process. */
static void a_dead_device_costs_its_operation(void **state)
{
    (void)state;
    outcome o = run_wrong("dead", 0, NULL);
    assert_int_equal(o.status, 1);
    assert_int_equal(count(o.out, " passed\n"), 5);
    assert_contains(o.out, "FAILED: relu_forward on reference");
    assert_contains(o.out, "  answer    device_error: the device is gone\n");
    assert_last_line(o.out, "reference: 6 operations, ", ": 1 FAILED\n");
    outcome_free(&o);
}

/* Before there are workers: the program says during what, and ends as the driver had it. */
static void a_crash_of_the_first_process_is_said(void **state)
{
    (void)state;
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
    static const char *const names[] = {"SIGSEGV", "SIGBUS", "SIGABRT", "SIGILL", "SIGFPE"};
    for (size_t i = 0; i < COUNT(signals); i++) {
        char said[256];
        outcome o = run_wrong("first", signals[i], NULL);
        snprintf(
            said, sizeof said,
            "\nCRASHED by %s: opening reference\n  device    clgrad reference (double precision), clgrad\n"
            "  driver    built in\n  again     clgrad-doctor --device reference\n",
            names[i]);
        assert_int_equal(o.signal, signals[i]);
        assert_string_equal(o.out, "");
        assert_string_equal(o.err, said);
        outcome_free(&o);
    }
}

/* ---- processes ---- */

/* A shell does this to it, and it says the same, or ends by itself at least. */
static void odd_surroundings_do_no_harm(void **state)
{
    (void)state;
    static const struct {
        const char *before, *by, *after;
        int status;
        const char *said;
    } surroundings[] = {
        {"", "env --ignore-signal=CHLD", "", 0,
         "reference: 28 operations, "}, /* nobody hears of a child's end */
        {"ulimit -n 12;", "", "--jobs 64", 0, "reference: 28 operations, "},
        {"", "", "<&-", 0, "reference: 28 operations, "},
        {"", "", "2>&-", 0, "reference: 28 operations, "},
        {"", "", "<&- 2>&-", 0, "reference: 28 operations, "},
        {"", "", ">&-", 1, NULL},
        {"", "", "<&- >&- 2>&-", 1, NULL},
    };
    for (size_t i = 0; i < COUNT(surroundings); i++) {
        char command[1024];
        snprintf(command, sizeof command, "%s exec timeout 60 %s '%s' --device reference --only loss %s",
                 surroundings[i].before, surroundings[i].by, DOCTOR, surroundings[i].after);
        outcome o = run("/bin/sh", "-c", command, NULL);
        if (o.status != surroundings[i].status)
            fail_msg("%s: status %d: %s%s", command, o.status, o.out, o.err);
        if (surroundings[i].said != NULL)
            assert_contains(o.out, surroundings[i].said);
        outcome_free(&o);
    }
}

/* Whoever runs an operation, whenever it ends: the same table, but for the time. */
static void any_number_of_processes_gives_the_same_table(void **state)
{
    (void)state;
    static const char *const jobs[] = {"1", "2", "3", "64"};
    char *first = NULL;
    for (size_t i = 0; i < COUNT(jobs); i++) {
        outcome o = run(DOCTOR, "--device", "reference", "--only", "clip", "--only", "dense", "--only",
                        "gated", "--jobs", jobs[i], NULL);
        assert_succeeded(&o);
        char *end = strstr(o.out, " compared in ");
        assert_non_null(end);
        *end = '\0';
        if (first == NULL)
            first = strdup(o.out);
        else
            assert_string_equal(o.out, first);
        outcome_free(&o);
    }
    free(first);
}

/* ---- progress ---- */

/* What a program prints on stderr, where that is a terminal. */
static char *on_a_terminal(char *const *arguments)
{
    const int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0)
        skip(); /* a system without /dev/pts, as in a plain chroot */
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    const char *name = ptsname(terminal);
    assert_non_null(name);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        const int slave = open(name, O_RDWR | O_NOCTTY), nothing = open("/dev/null", O_WRONLY);
        if (slave >= 0 && nothing >= 0 && dup2(slave, STDERR_FILENO) >= 0 &&
            dup2(nothing, STDOUT_FILENO) >= 0)
            execv(arguments[0], arguments);
        _exit(127);
    }
    enum { ROOM = 1 << 20 };
    char *text = allocate(ROOM, 1);
    size_t used = 0;
    for (ssize_t n; used < ROOM - 1 && (n = read(terminal, text + used, ROOM - 1 - used)) > 0;)
        used += (size_t)n; /* ends by an error when the last slave is closed */
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    close(terminal);
    return text;
}

static void progress_is_shown_on_a_terminal(void **state)
{
    (void)state;
    char program[] = DOCTOR, device[] = "--device", reference[] = "reference", only[] = "--only",
         name[] = "relu", jobs[] = "--jobs", one[] = "1";
    char *const arguments[] = {program, device, reference, only, name, jobs, one, NULL};
    char *text = on_a_terminal(arguments);
    assert_contains(text, "reference 1/2 relu_forward");
    assert_contains(text, "reference 2/2 relu_backward");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_lists_devices_and_operations),
        cmocka_unit_test(it_says_what_it_is),
        cmocka_unit_test(bad_options_are_refused),
        cmocka_unit_test(it_passes_on_every_device),
        cmocka_unit_test(no_device_is_a_failure),
        cmocka_unit_test(output_that_is_lost_is_a_failure),
        cmocka_unit_test(a_device_that_is_not_there_is_a_failure),
        cmocka_unit_test(a_failure_is_shown),
        cmocka_unit_test(a_failure_is_in_the_json),
        cmocka_unit_test(a_crash_costs_its_operation),
        cmocka_unit_test(a_crash_is_in_the_json),
        cmocka_unit_test(opening_and_closing_go_wrong),
        cmocka_unit_test(an_early_end_keeps_the_rest),
        cmocka_unit_test(a_process_that_leaves_is_said),
        cmocka_unit_test(odd_surroundings_do_no_harm),
        cmocka_unit_test(a_dead_device_costs_its_operation),
        cmocka_unit_test(a_crash_of_the_first_process_is_said),
        cmocka_unit_test(any_number_of_processes_gives_the_same_table),
        cmocka_unit_test(progress_is_shown_on_a_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
