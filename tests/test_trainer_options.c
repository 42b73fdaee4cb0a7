/*
 * The trainer's command line and its output, as far as they do not depend on the device: what it lists, what
 * it refuses, how it fails, and how it draws on a terminal.
 */
#define _XOPEN_SOURCE 700

#include "program.h"

#include <clgrad/clgrad.h>

#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
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
    for (int i = 0; i < CLGRAD_LAYER_COUNT; i++) {
        const clgrad_layer_info *info = clgrad_layer_describe((clgrad_layer_kind)i);
        assert_contains(o.out, info->name);
        assert_shows_parameters(o.out, info->parameters);
    }
    for (int i = 0; i < CLGRAD_LOSS_COUNT; i++) {
        const clgrad_loss_info *info = clgrad_loss_describe((clgrad_loss_kind)i);
        assert_contains(o.out, info->name);
        assert_shows_parameters(o.out, info->parameters);
    }
    for (int i = 0; i < CLGRAD_SCHEDULE_COUNT; i++) {
        const clgrad_schedule_info *info = clgrad_schedule_describe((clgrad_schedule_kind)i);
        assert_contains(o.out, info->name);
        assert_shows_parameters(o.out, info->parameters);
    }
    for (int i = 0; i < CLGRAD_OPTIMIZER_COUNT; i++)
        assert_contains(o.out, clgrad_optimizer_describe((clgrad_optimizer_kind)i)->name);
#define SHOWN(value, identifier, name, ...) assert_contains(o.out, #name);
    CLGRAD_INITIALIZER_LIST(SHOWN)
#undef SHOWN
    assert_contains(o.out, "alpha=0.5");
    assert_contains(o.out, "negative_slope=0.01");
    assert_contains(o.out, "total_iters=all");
    assert_contains(o.out, "--weight-decay 0.0005");
    assert_contains(o.out, "--nesterov");
    for (const char *line = o.out; line != NULL && *line != '\0'; line = strchr(line, '\n') + 1)
        assert_true(strcspn(line, "\n") <= 110);
    outcome_free(&o);
}

/* An optimizer's parameter is an option, so it must not be called as one of the trainer's is. */
static void test_no_name_means_two_things(void **state)
{
    (void)state;
    outcome o = run(TRAIN, "--help", NULL);
    for (int i = 0; i < CLGRAD_OPTIMIZER_COUNT; i++) {
        const clgrad_parameter *p = clgrad_optimizer_describe((clgrad_optimizer_kind)i)->parameters;
        for (; p->name != NULL; p++) {
            char option[64]; /* as a line of the list of options begins */
            snprintf(option, sizeof option, "\n  --%s ", p->name);
            for (char *c = option; *c != '\0'; c++)
                *c = *c == '_' ? '-' : *c;
            if (strstr(o.out, option) != NULL)
                fail_msg("%s is an option of the trainer's and a parameter of %s", option + 1,
                         clgrad_optimizer_describe((clgrad_optimizer_kind)i)->name);
        }
    }
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

#define ZEROS "00000000000000000000000000000000000000000000000000000000000000" /* 62 */

static void test_refused_options(void **state)
{
    (void)state;
    static const struct {
        const char *arguments[8], *sentence;
    } cases[] = {
        {{"--colour", "red"}, "there is no option --colour; --help lists them\n"},
        {{"--epoch", "3"}, "there is no option --epoch (did you mean --epochs?); --help lists them\n"},
        {{"--weigth_decay=0"}, "there is no option --weigth_decay (did you mean --weight-decay?); "},
        {{"--xx"}, "there is no option --xx; "},
        {{"--activation", "rleu"},
         "there is no activation \"rleu\" (did you mean relu?); --help lists them\n"},
        {{"--activation", "dropou"}, "there is no activation \"dropou\"; "},
        {{"--activation", "saftplas"}, "no activation \"saftplas\" (did you mean softplus?); "},
        {{"--layers", "64,dropou"}, "no layer or activation \"dropou\" (did you mean dropout?); "},
        {{"--layers", "64,gleu"}, "no layer or activation \"gleu\" (did you mean glu?); "},
        {{"--loss", "cross-entrop"}, "no loss \"cross-entrop\" (did you mean cross_entropy?); "},
        {{"--optimizer", "adamm"}, "no optimizer \"adamm\" (did you mean adam?); "},
        {{"--schedule", "linaer"}, "no schedule \"linaer\" (did you mean linear?); "},
        {{"--initializer", "he_norm"}, "no initializer \"he_norm\" (did you mean he_normal?); "},
        {{"--layers", "64:identity:bais=true"}, "identity has no parameter \"bais\" (did you mean bias?)\n"},
        {{"--optimizer", "adam:beta3=0.9"}, "adam has no parameter \"beta3\" (did you mean beta1?)\n"},
        {{"--help", "me"}, "--help takes no value, and \"me\" follows it\n"},
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
        {{"--layers", ""}, "--layers \"\": the layer at position 1 is empty; for no layers it is none"},
        {{"--layers", "64,,32"}, "--layers \"64,,32\": the layer at position 2 is empty"},
        {{"--layers", "64,0"}, "\"0\""},
        {{"--layers", "64,"}, "--layers \"64,\": the layer at position 2 is empty"},
        {{"--layers", "none", "--activation", "tanh"}, "--activation is for hidden layers"},
        {{"--layers", "64,swoosh"}, "no layer or activation \"swoosh\""},
        {{"--layers", "64:swoosh"}, "no activation \"swoosh\""},
        {{"--layers", "64:relu:alpha=1"}, "relu has no parameter \"alpha\""},
        {{"--layers", "64:elu:alpha=1:alpha=2"}, "alpha is given twice"},
        {{"--layers", "64:relu:elu"}, "\"elu\" is not of the form parameter=value"},
        {{"--layers", "64x"}, "\"64x\""},
        {{"--layers", "64,dense"}, "a dense layer is given by its number of outputs"},
        {{"--layers", "64,dropout:p=1.5"}, "p is \"1.5\", it takes a number from 0 to 1"},
        {{"--layers", "64,batch_norm:affine=maybe"}, "it takes true or false"},
        {{"--layers", "64,rrelu:lower=0.5:upper=0.1"}, "lower must not be above upper"},
        {{"--layers", "64:clamp:min=2"}, "min must not be above max"},
        {{"--layers", "1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"}, "at most 32"},
        {{"--output", "10"}, "one activation or layer"},
        {{"--output", "relu,softmax"}, "one activation or layer"},
        {{"--output", "glu"}, "halve"},
        {{"--output", "swoosh"}, "--output: there is no layer or activation"},
        {{"--activation", "clamp:min=2"}, "min must not be above max"},
        {{"--class-weights", "1,2"}, "has 2 weights, but the data has 10 classes"},
        {{"--class-weights", "1,,2"}, "--class-weights \"\""},
        {{"--class-weights", "-1"}, "a number from 0"},
        /* of more digits than are kept: not read as what is left of them */
        {{"--class-weights", "1,1." ZEROS "e5"}, "...\": it takes a number"},
        {{"--layers", ZEROS "12"}, "...\": it takes a whole number"},
        {{"--class-weights", "balanced", "--loss", "mse"},
         "mse takes none: bce, cross_entropy, bce_with_logits, nll, focal, multi_margin"},
        {{"--pos-weight", "2"}, "--pos-weight is for bce_with_logits, not for cross_entropy"},
        {{"--pos-weight", "many"}, "\"many\""},
        {{"--clip-norm", "-1"}, "--clip-norm \"-1\": it takes a number from 0"},
        {{"--clip-value", "inf"}, "--clip-value \"inf\""},
        {{"--accumulate", "0"}, "--accumulate \"0\""},
        {{"--warmup", "10"}, "--warmup 10: there are 10 epochs, it must be fewer"},
        {{"--no-bias-decay", "--optimizer", "rprop"}, "rprop has no weight decay"},
        {{"--optimizer", "rprop", "--step-min", "2", "--step-max", "1"},
         "step_min must not be above step_max"},
        {{"--optimizer", "adam", "--momentum", "0.9"}, "adam has no parameter momentum"},
        {{"--loss", "ctc:blank=11"}, "blank is 11, with 10 classes it is 0 to 10"},
        {{"--activation", "swoosh"}, "no activation \"swoosh\""},
        {{"--activation", "relu:slope=1"}, "relu has no parameter \"slope\""},
        {{"--activation", "leaky_relu:negative_slope"}, "parameter=value"},
        {{"--activation", "leaky_relu:negative_slope=steep"}, "\"steep\""},
        {{"--activation", "leaky_relu:negative_slope=1,negative_slope=2"}, "twice"},
        {{"--optimizer", "magic"}, "no optimizer \"magic\""},
        {{"--optimizer", "adam:beta1=2"}, "--optimizer: beta1 is \"2\", it takes a number from 0 to "},
        {{"--optimizer", "adam:momentum=0.9"}, "--optimizer: adam has no parameter \"momentum\""},
        {{"--optimizer", "adam:beta1=0.8", "--beta1", "0.8"}, "--beta1: --optimizer gives beta1 too"},
        {{"--lr=1", "--optimizer", "adam:eps=0.1,lr=1"}, "--lr: --optimizer gives lr too"},
        {{"--optimizer", "adam", "--beta1", "2"}, "--beta1: beta1 is \"2\", it takes a number from 0 to "},
        {{"--initializer", "zero"}, "no initializer \"zero\""},
        {{"--schedule", "zigzag"}, "no schedule \"zigzag\""},
        {{"--schedule", "step:gamma=-1"}, "gamma is \"-1\""},
        {{"--schedule", "step:total_iters=3"}, "step has no parameter \"total_iters\""},
        {{"--schedule", "polynomial:total_iters=0"}, "a whole number from 1"},
        {{"--loss", "regret"}, "no loss \"regret\""},
        {{"--loss", "bce_balanced:alpha=2"}, "\"2\""},
        {{"--data", "none.csv", "--target", "y", "--task", "regress", "--loss", "bce"},
         "bce does not fit a regression: mse, l2, l1, huber, smooth_l1, poisson_nll, gaussian_nll do"},
        {{"--target", "y"}, "--target is for a CSV file"},
        {{"--task", "regress"}, "--task is for a CSV file"},
        {{"--ignore", "y"}, "--ignore is for a CSV file"},
        {{"--skip-empty"}, "--skip-empty is for a CSV file"},
        {{"--data", ".", "--target", "y"}, "--data is a folder"},
        {{"--data", "none.csv"},
         "--data none.csv needs --target, the column to learn: none.csv: No such file or directory"},
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
    assert_failed(&o, 1,
                  "--data \"test_trainer_no_such_folder\" cannot be read: No such file or directory; --data "
                  "takes digits or spirals, which the trainer draws itself, a folder with MNIST's four IDX "
                  "files, or a CSV file\n");
    outcome_free(&o);
    o = run(TRAIN, "--device", "reference", "--data", "test_trainer_none.csv", "--target", "y", NULL);
    assert_failed(&o, 1, "--data \"test_trainer_none.csv\" cannot be read: No such file or directory; ");
    outcome_free(&o);

    write_file("test_trainer_ragged.csv", "x,y\n1,2\n3\n");
    o = run(TRAIN, "--device", "reference", "--data", "test_trainer_ragged.csv", "--target", "y", NULL);
    assert_failed(&o, 1, "test_trainer_ragged.csv");
    outcome_free(&o);
    remove("test_trainer_ragged.csv");
}

/* Somebody gives the folder that a table lies in: the sentence names the table. */
static void test_folder_of_a_table(void **state)
{
    (void)state;
    const char *folder = "test_trainer_folder";
    static const char *const files[] = {"test_trainer_folder/b.csv", "test_trainer_folder/c.CSV",
                                        "test_trainer_folder/t10k-labels-idx1-ubyte"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        remove(files[i]); /* of a run that failed */
    mkdir(folder, 0777);
    outcome o = run(TRAIN, "--device", "reference", "--data", folder, NULL);
    assert_failed(&o, 1, "test_trainer_folder: cannot open any of train-images-idx3-ubyte");
    outcome_free(&o);
    write_file(files[0], "x,y\n1,2\n");
    write_file(files[1], "x,y\n1,2\n");
    o = run(TRAIN, "--device", "reference", "--data", folder, NULL);
    assert_failed(
        &o, 1,
        "--data test_trainer_folder: this folder has no IDX files, but a CSV file: give it by --data "
        "test_trainer_folder/b.csv, and by --target the column to learn");
    outcome_free(&o);
    o = run(TRAIN, "--device", "reference", "--data=test_trainer_folder/", "--target", "y", NULL);
    assert_failed(
        &o, 2,
        "--target is for a CSV file, and --data is a folder; the file in it would be given by --data "
        "test_trainer_folder/b.csv\n");
    outcome_free(&o);
    write_file(files[2], ""); /* then that is what was meant */
    o = run(TRAIN, "--device", "reference", "--data", folder, NULL);
    assert_failed(&o, 1, "cannot open any of train-images-idx3-ubyte");
    outcome_free(&o);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        assert_int_equal(remove(files[i]), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* The columns to choose from are listed, and one of MNIST's files is no table, with a target or without. */
static void test_file_without_its_target(void **state)
{
    (void)state;
    static const char *const idx = "test_trainer_train-images-idx3-ubyte.gz";
    write_file("test_trainer_columns.csv", "x,y,name\n1,2,a\n");
    outcome o = run(TRAIN, "--data", "test_trainer_columns.csv", NULL);
    assert_failed(
        &o, 2,
        "--data test_trainer_columns.csv needs --target, the column to learn: test_trainer_columns.csv: "
        "no target column is named; there are: x, y, name\n");
    outcome_free(&o);
    remove("test_trainer_columns.csv");

    o = run(TRAIN, "--data", "/dev/zero", NULL); /* which has no end */
    assert_failed(&o, 2, "--data /dev/zero needs --target, the column to learn\n");
    outcome_free(&o);

    write_file(idx, "");
    o = run(TRAIN, "--data", idx, NULL);
    assert_failed(
        &o, 2,
        "--data test_trainer_train-images-idx3-ubyte.gz is an IDX file: give the folder that it is in, "
        "--data .\n");
    outcome_free(&o);
    o = run(TRAIN, "--device", "reference", "--data", "./test_trainer_train-images-idx3-ubyte.gz", "--target",
            "y", NULL);
    assert_failed(&o, 1, "is an IDX file: give the folder that it is in, --data ./\n");
    outcome_free(&o);
    remove(idx);
}

/* A batch that is larger than the data is all of it, and the settings say so; one of anything is no plural.
 */
static void test_settings(void **state)
{
    (void)state;
    static const struct {
        const char *epochs, *batch, *line;
    } cases[] = {
        {"--epochs=1", "--batch=100000",
         "\ntraining   1 epoch of 1 batch of 60 (--batch 100000, but there are 60 training rows), seed 1\n"},
        {"--epochs=1", "--batch=60", "\ntraining   1 epoch of 1 batch of 60, seed 1\n"},
        {"--epochs=2", "--batch=59", "\ntraining   2 epochs of 2 batches of 59, seed 1\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        outcome o = run(TRAIN, "--device", "reference", "--samples=60", "--layers=none", cases[i].epochs,
                        cases[i].batch, NULL);
        assert_succeeded(&o);
        assert_contains(o.out, cases[i].line);
        outcome_free(&o);
    }
    write_file("test_trainer_small.csv", "x,y\n1,a\n2,b\n3,a\n");
    outcome o = run(TRAIN, "--device", "reference", "--data", "test_trainer_small.csv", "--target", "y",
                    "--layers=none", NULL);
    assert_succeeded(&o);
    assert_contains(o.out, ": 2 training and 1 test row, 1 feature, 2 classes\n");
    outcome_free(&o);
    remove("test_trainer_small.csv");
}

/* What fits the task is known only once the file has been read: a text target makes a classification. */
static void test_the_data_decides(void **state)
{
    (void)state;
    static const char *const losses[][2] = {
        {"cross_entropy", "cross_entropy does not fit a regression: mse, l2, l1"},
        {"poisson_nll", "poisson_nll is for counts, but the target has -6"},
    };
    write_file("test_trainer_loss.csv", "x,y\n1,2\n2,3\n3,-6\n4,-6\n5,6\n");
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        outcome o = run(TRAIN, "--device", "reference", "--data", "test_trainer_loss.csv", "--target", "y",
                        "--loss", losses[i][0], NULL);
        assert_failed(&o, 2, losses[i][1]);
        outcome_free(&o);
    }
    remove("test_trainer_loss.csv");
    outcome o = run(TRAIN, "--device", "reference", "--samples", "100", "--schedule", "one_cycle", "--batch",
                    "1", "--epochs", "1000000", NULL);
    assert_failed(&o, 1, "more than a schedule can count, which is 16777216");
    outcome_free(&o);
}

/* Where the learning rate is 0, two epochs have the same loss, but for the order of their rows. */
static void assert_stands_still_from(const outcome *o, int epoch)
{
    assert_succeeded(o);
    assert_true(fabs(epoch_loss(o->out, epoch) - epoch_loss(o->out, epoch + 1)) < 2e-3);
    assert_true(epoch == 1 || fabs(epoch_loss(o->out, epoch - 1) - epoch_loss(o->out, epoch)) > 1e-2);
}

static void test_the_rate_follows_the_schedule(void **state)
{
    (void)state;
    static const char *const schedules[] = {
        "step:step_size=1,gamma=0", "multi_step:milestone1=1,gamma=0", "polynomial:total_iters=1",
        "linear:start_factor=1,end_factor=0,total_iters=1", "one_cycle:total_steps=8,final_div_factor=1e30"};
    for (size_t i = 0; i < sizeof schedules / sizeof *schedules; i++) {
        outcome o =
            run(TRAIN, "--device", "reference", "--samples", "100", "--batch", "12", "--layers", "8",
                "--epochs", "3", "--momentum", "0", "--weight-decay", "0", "--schedule", schedules[i], NULL);
        assert_stands_still_from(&o, 2);
        outcome_free(&o);
    }
    /* Two steps of warm-up, at half the rate and at the whole, are two epochs of a linear schedule. */
    static const char *const rising[][2] = {
        {"--warmup=2", "constant"},
        {"--warmup=1", "linear:start_factor=1,end_factor=1"},
        {"--check", "linear:start_factor=0.5,end_factor=1,total_iters=1"}};
    double loss[3];
    for (size_t i = 0; i < 3; i++) {
        outcome o = run(TRAIN, "--device", "reference", "--samples", "100", "--batch", "100", "--layers", "8",
                        "--epochs", "3", "--momentum", "0", rising[i][0], "--schedule", rising[i][1], NULL);
        assert_succeeded(&o);
        loss[i] = epoch_loss(o.out, 3);
        outcome_free(&o);
    }
    assert_true(fabs(loss[0] - loss[2]) < 2e-3);
    assert_true(fabs(loss[1] - loss[2]) > 1e-2);
    /* The second epoch is no improvement, so the third has the rate 0; the warm-up's epoch does not count. */
    outcome o = run(TRAIN, "--device", "reference", "--samples", "100", "--layers", "8", "--epochs", "5",
                    "--momentum", "0", "--weight-decay", "0", "--warmup", "1", "--schedule",
                    "reduce_on_plateau:patience=0,factor=0,absolute=true,threshold=1e9", NULL);
    assert_stands_still_from(&o, 4);
    outcome_free(&o);
}

/* A terminal: its type, its width, and the environment's NO_COLOR (NULL: unset). */
typedef struct screen {
    const char *type;
    unsigned short columns;
    const char *no_color;
} screen;

static void train_on_terminal(const char *name, const screen *kind)
{
    const int end = open(name, O_RDWR | O_NOCTTY);
    if (end < 0 || dup2(end, STDOUT_FILENO) < 0 || setenv("TERM", kind->type, 1) != 0)
        _exit(127);
    if (kind->no_color != NULL ? setenv("NO_COLOR", kind->no_color, 1) != 0 : unsetenv("NO_COLOR") != 0)
        _exit(127);
    execl(TRAIN, TRAIN, "--device", "reference", "--samples", "100", "--epochs", "3", "--layers", "8",
          (char *)NULL);
    _exit(127);
}

/* Output of the trainer on a terminal; the caller frees it. */
static char *output_on_terminal(screen kind)
{
    char buffer[4096], *text = calloc(1, 1);
    size_t length = 0;
    const struct winsize size = {.ws_row = 24, .ws_col = kind.columns};
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    if (terminal < 0) {
        free(text);
        print_message("skipped: this machine has no pseudo-terminals\n");
        skip();
    }
    assert_int_equal(grantpt(terminal), 0);
    assert_int_equal(unlockpt(terminal), 0);
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0)
        train_on_terminal(ptsname(terminal), &kind);
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

/* The columns of the widest bar, that is of what stands between a return and the next without a line's end.
 */
static size_t widest_bar(const char *text)
{
    size_t widest = 0;
    for (const char *bar = strchr(text, '\r'); bar != NULL; bar = strchr(bar, '\r')) {
        size_t columns = 0;
        for (bar++; *bar != '\0' && *bar != '\r' && *bar != '\n'; bar++)
            if (*bar == '\033') /* a control sequence: up to its letter */
                bar += strcspn(bar, "Km");
            else
                columns++;
        if (*bar == '\r' && bar[1] != '\n') /* another bar takes its place */
            widest = columns > widest ? columns : widest;
    }
    return widest;
}

static void test_progress_bar_on_a_terminal(void **state)
{
    (void)state;
    char *text = output_on_terminal((screen){"xterm", 100, NULL});
    assert_contains(text, "\repoch 1/3 [");
    assert_contains(text, "  9/9"); /* batches */
    assert_contains(text, "loss ");
    assert_contains(text, " samples/s  ");
    assert_contains(text, " left");
    assert_null(strstr(text, "inf"));
    assert_null(strstr(text, "nan"));
    assert_contains(text, "test accuracy: ");
    assert_true(widest_bar(text) > 80);
    free(text);
    text = output_on_terminal((screen){"dumb", 100, NULL});
    assert_contains(text, "epoch 1/3  loss ");
    assert_null(strstr(text, " left"));
    assert_null(strchr(text, '\033'));
    assert_contains(text, "test accuracy: ");
    free(text);
}

static void test_progress_bar_fits(void **state)
{
    (void)state;
    static const unsigned short widths[] = {1, 8, 20, 30, 50, 60, 70, 80, 200};
    size_t before = 0;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        char *text = output_on_terminal((screen){"xterm", widths[i], NULL});
        const size_t widest = widest_bar(text);
        if (widest >= widths[i])
            fail_msg("%zu characters in %u columns: %s", widest, widths[i], text);
        assert_true(widest >= before);
        assert_true(widths[i] < 30 || strstr(text, "[") != NULL);
        assert_true(widths[i] < 50 || strstr(text, " left") != NULL);
        before = widest;
        free(text);
    }
    assert_true(before < 110); /* no bar without end */
}

/* https://no-color.org: set, and not empty, it forbids colours, not the bar. */
static void test_colours(void **state)
{
    (void)state;
    static const struct {
        const char *no_color;
        bool coloured;
    } cases[] = {{NULL, true}, {"", true}, {"1", false}, {"0", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = output_on_terminal((screen){"xterm", 80, cases[i].no_color});
        assert_contains(text, "\repoch 1/3 [");
        assert_contains(text, " left");
        assert_int_equal(count(text, "\033[3") > 0, cases[i].coloured); /* a colour */
        assert_int_equal(count(text, "\033[0m") > 0, cases[i].coloured);
        free(text);
    }
    outcome o =
        run(TRAIN, "--device", "reference", "--samples", "100", "--epochs", "3", "--layers", "8", NULL);
    assert_succeeded(&o);
    assert_null(strchr(o.out, '\033'));
    assert_null(strchr(o.out, '\r'));
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_help_shows_every_list),
        cmocka_unit_test(test_list_devices),
        cmocka_unit_test(test_refused_options),
        cmocka_unit_test(test_failures_on_the_way),
        cmocka_unit_test(test_folder_of_a_table),
        cmocka_unit_test(test_file_without_its_target),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_the_data_decides),
        cmocka_unit_test(test_the_rate_follows_the_schedule),
        cmocka_unit_test(test_no_name_means_two_things),
        cmocka_unit_test(test_progress_bar_on_a_terminal),
        cmocka_unit_test(test_progress_bar_fits),
        cmocka_unit_test(test_colours),
    };
    return cmocka_run_group_tests_name("trainer options", tests, NULL, NULL);
}
