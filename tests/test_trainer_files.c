/*
 * Files that the trainer cannot write after all: what has been learnt is printed, trained on and saved the
 * next time all the same. A limit on the size of files stands for a full disk (test_trainer_pictures.c has
 * the pictures); a folder of a file's name is in its way for a while.
 */
#define _XOPEN_SOURCE 700

#include "folder.h"
#include "trainer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SAVED "test_trainer_files.safetensors"
#define LOG "test_trainer_files.csv"
#define OUTPUT "test_trainer_files.output"

#define TRAINING "--device", "reference", "--samples", "100", "--layers", "8", "--schedule", "constant"

static void assert_lines(const outcome *o, size_t lines)
{
    if (count(o->err, "\n") != lines || count(o->err, "train: ") != lines)
        fail_msg("not %zu sentences: %s", lines, o->err);
}

/* The last save and those on the way: said once on the way and once at the end, and nothing else is lost. */
static void test_no_room_to_save(void **state)
{
    (void)state;
    static const char *const every[] = {"--checkpoint-every=1", "--checkpoint-every=2", NULL};
    static const char *const next[] = {"2", "4"};
    outcome plain = run(TRAIN, TRAINING, "--epochs", "5", NULL);
    assert_succeeded(&plain);
    for (size_t i = 0; i < 3; i++) {
        limit_files(8192);
        outcome o = run(TRAIN, TRAINING, "--epochs", "5", "--save", SAVED, every[i], NULL);
        limit_files(0);
        assert_int_equal(o.status, 1);
        assert_lines(&o, every[i] != NULL ? 2 : 1);
        assert_int_equal(count(o.err, "--save: network_save: " SAVED " cannot be written: File too large"),
                         every[i] != NULL ? 2 : 1);
        if (every[i] != NULL) {
            assert_contains(o.err, "large; the training goes on, and this is tried again after epoch ");
            assert_contains(strstr(o.err, "after epoch "), next[i]);
        }
        assert_int_equal(count(o.out, "\nepoch "), 5);
        assert_string_equal(strstr(o.out, "\nconfusion matrix"), strstr(plain.out, "\nconfusion matrix"));
        assert_true(access(SAVED, F_OK) != 0);
        outcome_free(&o);
    }
    outcome_free(&plain);
}

/* The log ends with a whole line, and the training does not end. */
static void test_no_room_for_the_log(void **state)
{
    (void)state;
    outcome o = run(TRAIN, TRAINING, "--epochs", "1", "--save", SAVED, NULL);
    assert_succeeded(&o);
    outcome_free(&o);
    char before[8192 - 200];
    memset(before, 'x', sizeof before);
    before[sizeof before - 1] = '\n';
    write_contents(LOG, before, sizeof before);
    limit_files(8192);
    o = run(TRAIN, TRAINING, "--epochs", "9", "--resume", SAVED, "--log", LOG, NULL);
    limit_files(0);
    assert_failed(&o, 1, "--log: " LOG " cannot be written: File too large; it ends before epoch ");
    assert_int_equal(count(o.out, "\nepoch "), 8);
    assert_true(figure(o.out, "test accuracy") > 0);
    contents *c = read_contents(LOG);
    assert_true(c->count > sizeof before && c->count < 8192 && c->bytes[c->count - 1] == '\n');
    c->bytes[c->count] = '\0';
    const size_t lines = count((const char *)c->bytes, "\n");
    assert_true(lines > 1 && lines < 5);
    assert_int_equal(strtol(strstr(o.err, "before epoch ") + 13, NULL, 10), lines + 1); /* from epoch 2 on */
    free(c);
    outcome_free(&o);
    remove(LOG);
    remove(SAVED);
}

/* Start a long training, and put a folder in the place of its checkpoint. */
static pid_t start_without_a_place(void)
{
    const char *const arguments[] = {
        TRAIN, TRAINING, "--epochs", "6000", "--save", SAVED, "--checkpoint-every", "50", NULL};
    remove(SAVED);
    const pid_t pid = start_program(arguments, OUTPUT, OUTPUT ".err");
    wait_for_text(OUTPUT, "\nepoch    1/");
    remove(SAVED);
    while (mkdir(SAVED, 0777) != 0) /* which a checkpoint may be quicker than */
        remove(SAVED);
    wait_for_text(OUTPUT ".err", "; the training goes on");
    return pid;
}

static int exit_status_of(pid_t pid)
{
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void remove_outputs(void)
{
    remove(SAVED);
    remove(OUTPUT);
    remove(OUTPUT ".err");
}

/* What counts is the last one. */
static void test_saved_later(void **state)
{
    (void)state;
    const pid_t pid = start_without_a_place();
    assert_int_equal(rmdir(SAVED), 0);
    assert_int_equal(exit_status_of(pid), 0);
    assert_true(file_has(OUTPUT, "\ntest accuracy: "));
    outcome o = run(TRAIN, TRAINING, "--epochs", "6000", "--resume", SAVED, NULL);
    assert_succeeded(&o);
    assert_contains(o.out, "was left: after epoch 6000, ");
    outcome_free(&o);
    remove_outputs();
}

/* An interrupt that could not save does not claim that the training can go on. */
static void test_interrupted_unsaved(void **state)
{
    (void)state;
    const pid_t pid = start_without_a_place();
    assert_int_equal(kill(pid, SIGINT), 0);
    assert_int_equal(exit_status_of(pid), 1);
    assert_int_equal(rmdir(SAVED), 0);
    assert_true(
        file_has(OUTPUT ".err", "cannot be written: it is there and no regular file\ntrain: interrupted"));
    assert_true(file_has(OUTPUT ".err", ", which is not saved\n"));
    assert_false(file_has(OUTPUT ".err", "goes on\n"));
    remove_outputs();
}

/* With standard output closed, what would be printed is lost, and does not get into the log. */
static void test_closed_output(void **state)
{
    (void)state;
    outcome o = run(
        "/bin/sh", "-c",
        "exec '" TRAIN "' --device reference --samples 100 --layers 8 --epochs 2 --log " LOG " >&-", NULL);
    assert_failed(&o, 1, "the output could not be written");
    contents *c = read_contents(LOG);
    c->bytes[c->count] = '\0';
    assert_int_equal(count((const char *)c->bytes, "\n"), 3);
    assert_int_equal(strncmp((const char *)c->bytes, "epoch,loss,", 11), 0);
    free(c);
    remove(LOG);
    outcome_free(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_room_to_save),     cmocka_unit_test(test_no_room_for_the_log),
        cmocka_unit_test(test_closed_output),       cmocka_unit_test(test_saved_later),
        cmocka_unit_test(test_interrupted_unsaved),
    };
    return cmocka_run_group_tests_name("trainer_files", tests, NULL, NULL);
}
