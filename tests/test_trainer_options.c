/*
 * The trainer's command line and its output, as far as they do not depend on the device: what it lists, what
 * it refuses, how it fails, and how it draws on a terminal.
 */
#define _XOPEN_SOURCE 700

#include "program.h"

#include <clgrad/clgrad.h>

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define TRAIN CLGRAD_TRAIN_PROGRAM
#define MAX_DEVICES 16

static void assert_shows_parameters(const char *out, const clgrad_parameter *parameters)
{
    for (; parameters->name != NULL; parameters++)
        assert_contains(out, parameters->name);
}

static void test_help_shows_every_list(void **state)
{
    (void)state;
    outcome o = run(TRAIN, "--help", NULL);
    assert_succeeded(&o);
    for (int i = 0; i < CLGRAD_ACTIVATION_COUNT; i++) {
        const clgrad_activation_info *info = clgrad_activation_describe((clgrad_activation_kind)i);
        assert_contains(o.out, info->name);
        assert_shows_parameters(o.out, info->parameters);
    }
#define SHOWN(value, identifier, name, ...) assert_contains(o.out, #name);
    CLGRAD_INITIALIZER_LIST(SHOWN)
#undef SHOWN
    assert_contains(o.out, "cross_entropy");
    assert_contains(o.out, "bce_balanced");
    assert_contains(o.out, "alpha=0.5");
    assert_contains(o.out, "negative_slope=0.01");
    assert_contains(o.out, "--weight-decay 0.0005");
    assert_contains(o.out, "--nesterov");
    outcome_free(&o);
}

static void test_list_devices(void **state)
{
    (void)state;
    clgrad_device devices[MAX_DEVICES];
    size_t device_count;
    assert_int_equal(clgrad_device_list(devices, MAX_DEVICES, &device_count), CLGRAD_STATUS_SUCCESS);
    outcome o = run(TRAIN, "--list-devices", NULL);
    assert_succeeded(&o);
    for (size_t i = 0; i < device_count && i < MAX_DEVICES; i++) {
        assert_contains(o.out, devices[i].specification);
        assert_contains(o.out, devices[i].name);
    }
    outcome_free(&o);
}

static void test_refused_options(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[8], *sentence;
    } cases[] = {
        {{"--colour"}, "no option --colour"},
        {{"digits"}, "\"digits\" is not an option"},
        {{"--"}, "not an option"},
        {{"-e", "3"}, "\"-e\" is not an option"},
        {{"--lr"}, "--lr needs a value"},
        {{"--lr", "--epochs", "3"}, "--lr needs a value"},
        {{"--epochs"}, "--epochs needs a value"},
        {{"--lr", "fast"}, "\"fast\""},
        {{"--lr", "0.1x"}, "\"0.1x\""},
        {{"--lr="}, "it takes a number"},
        {{"--lr", "-1"}, "\"-1\""},
        {{"--lr", "nan"}, "\"nan\""},
        {{"--lr", "inf"}, "\"inf\""},
        {{"--momentum", "0.9", "--momentum", "0.9"}, "--momentum is given twice"},
        {{"--epochs", "3", "--epochs=3"}, "--epochs is given twice"},
        {{"--nesterov", "--momentum", "0"}, "nesterov needs a momentum above 0"},
        {{"--nesterov", "--dampening", "0.5"}, "nesterov needs"},
        {{"--nesterov=yes"}, "--nesterov takes no value"},
        {{"--help=yes"}, "--help takes no value"},
        {{"--epochs", "0"}, "\"0\""},
        {{"--epochs", "-3"}, "\"-3\""},
        {{"--epochs", "2.5"}, "\"2.5\""},
        {{"--epochs", " 3"}, "\" 3\""},
        {{"--batch", "0"}, "--batch \"0\""},
        {{"--batch", "99999999999"}, "\"99999999999\""},
        {{"--samples", "0"}, "--samples \"0\""},
        {{"--seed", "18446744073709551616"}, "--seed"},
        {{"--check=0"}, "--check \"0\""},
        {{"--layers", ""}, "--layers"},
        {{"--layers", "64,,32"}, "--layers"},
        {{"--layers", "64,0"}, "\"0\""},
        {{"--layers", "64,"}, "--layers"},
        {{"--layers", "none", "--activation", "tanh"}, "--activation is for hidden layers"},
        {{"--activation", "swoosh"}, "no activation \"swoosh\""},
        {{"--activation", "relu:slope=1"}, "relu has no parameter \"slope\""},
        {{"--activation", "leaky_relu:negative_slope"}, "parameter=value"},
        {{"--activation", "leaky_relu:negative_slope=steep"}, "\"steep\""},
        {{"--activation", "leaky_relu:negative_slope=1,negative_slope=2"}, "twice"},
        {{"--optimizer", "magic"}, "no optimizer \"magic\""},
        {{"--initializer", "zero"}, "no initializer \"zero\""},
        {{"--schedule", "zigzag"}, "constant, linear or cosine"},
        {{"--loss", "regret"}, "no loss \"regret\""},
        {{"--loss", "bce_balanced:alpha=2"}, "\"2\""},
        {{"--loss", "kl_div"},
         "kl_div does not fit a classification: mse, l2, l1, bce, bce_balanced, cross_entropy"},
        {{"--data", "none.csv", "--target", "y", "--task", "regress", "--loss", "bce"},
         "bce does not fit a regression"},
        {{"--target", "y"}, "--target is for a CSV file"},
        {{"--task", "regress"}, "--task is for a CSV file"},
        {{"--ignore", "y"}, "--ignore is for a CSV file"},
        {{"--skip-empty"}, "--skip-empty is for a CSV file"},
        {{"--data", ".", "--target", "y"}, "--data is a folder"},
        {{"--data", "none.csv"}, "needs --target"},
        {{"--data", "none.csv", "--target", "y", "--task", "guess"}, "classify or regress"},
        {{"--data", ".", "--samples", "10"}, "--samples"},
        {{"--device", "toaster"}, "\"toaster\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *arguments[MAX_ARGUMENTS + 1] = {TRAIN};
        memcpy(arguments + 1, cases[i].arguments, sizeof cases[i].arguments);
        outcome o = run_arguments(arguments);
        assert_failed(&o, 2, cases[i].sentence);
        assert_string_equal(o.out, "");
        outcome_free(&o);
    }
}

static void test_failures_on_the_way(void **state)
{
    (void)state;
    outcome o = run(TRAIN, "--device", "opencl:99.0", NULL);
    assert_failed(&o, 1, "99");
    outcome_free(&o);
    o = run(TRAIN, "--device", "reference", "--data", "test_trainer_no_such_folder", NULL);
    assert_failed(&o, 1, "test_trainer_no_such_folder");
    outcome_free(&o);
    o = run(TRAIN, "--device", "reference", "--data", "test_trainer_none.csv", "--target", "y", NULL);
    assert_failed(&o, 1, "test_trainer_none.csv");
    outcome_free(&o);

    write_file("test_trainer_ragged.csv", "x,y\n1,2\n3\n");
    o = run(TRAIN, "--device", "reference", "--data", "test_trainer_ragged.csv", "--target", "y", NULL);
    assert_failed(&o, 1, "test_trainer_ragged.csv");
    outcome_free(&o);
    remove("test_trainer_ragged.csv");
}

/* What fits the task is known only once the file has been read: a text target makes a classification. */
static void test_loss_against_the_file(void **state)
{
    (void)state;
    write_file("test_trainer_loss.csv", "x,y\n1,2\n2,3\n3,4\n4,5\n5,6\n");
    outcome o = run(TRAIN, "--device", "reference", "--data", "test_trainer_loss.csv", "--target", "y",
                    "--loss", "cross_entropy", NULL);
    assert_failed(&o, 2, "cross_entropy does not fit a regression: mse, l2, l1");
    outcome_free(&o);
    remove("test_trainer_loss.csv");
}

/* Output of the trainer on a terminal of a type; the caller frees it. */
static char *output_on_terminal(const char *type)
{
    char buffer[4096], *text = calloc(1, 1);
    size_t length = 0;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0) {
        free(text);
        print_message("skipped: this machine has no pseudo-terminals\n");
        skip();
    }
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int end = open(ptsname(terminal), O_RDWR | O_NOCTTY);
        if (end < 0 || dup2(end, STDOUT_FILENO) < 0 || setenv("TERM", type, 1) != 0)
            _exit(127);
        execl(TRAIN, TRAIN, "--device", "reference", "--samples", "100", "--epochs", "3", "--layers", "8",
              (char *)NULL);
        _exit(127);
    }
    /* Linux answers EIO once the other end is closed. The child opens it late: wait for its first output. */
    for (;;) {
        ssize_t got = read(terminal, buffer, sizeof buffer);
        if (got <= 0) {
            int status;
            if (waitpid(pid, &status, WNOHANG) == 0)
                continue;
            assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
            break;
        }
        text = realloc(text, length + (size_t)got + 1);
        assert_non_null(text);
        memcpy(text + length, buffer, (size_t)got);
        length += (size_t)got;
        text[length] = '\0';
    }
    close(terminal);
    return text;
}

static void test_progress_bar_on_a_terminal(void **state)
{
    (void)state;
    char *text = output_on_terminal("xterm");
    assert_contains(text, "\repoch 1/3 [");
    assert_contains(text, " left");
    assert_contains(text, "test accuracy: ");
    free(text);
    text = output_on_terminal("dumb");
    assert_contains(text, "epoch 1/3  loss ");
    assert_null(strstr(text, " left"));
    assert_contains(text, "test accuracy: ");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_shows_every_list), cmocka_unit_test(test_list_devices),
        cmocka_unit_test(test_refused_options),       cmocka_unit_test(test_failures_on_the_way),
        cmocka_unit_test(test_loss_against_the_file), cmocka_unit_test(test_progress_bar_on_a_terminal),
    };
    return cmocka_run_group_tests_name("trainer options", tests, NULL, NULL);
}
