/*
 * The trainer stopped and going on, on every device: whatever stops it, what comes out at the end has the
 * same bits as a training that has never been stopped. Two checkpoints hold the same if they are the same
 * bytes.
 */
#define _XOPEN_SOURCE 700

#include "folder.h"
#include "trainer.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define WHOLE "test_trainer_checkpoint.whole"
#define PARTS "test_trainer_checkpoint.parts"
#define OUTPUT "test_trainer_checkpoint.output"

/* Everything that has a state: noise, running statistics, two moments, a schedule that remembers losses, a
 * warm-up, several batches a step, groups. The last step of an epoch has fewer batches, the last batch fewer
 * rows.
 */
#define LAYERS "24:identity,batch_norm,relu,dropout:p=0.3,16:identity,rrelu,prelu"
#define TRAINING                                                                                           \
    "--samples", "1000", "--layers", LAYERS, "--optimizer", "adamw", "--accumulate", "3", "--warmup", "1", \
        "--schedule", "reduce_on_plateau:patience=0,threshold=0.5", "--epochs", "4", "--batch", "16",      \
        "--no-bias-decay", "--clip-norm", "1"

static outcome train_here(const clgrad_device *device, const char *const *more)
{
    const char *arguments[MAX_ARGUMENTS + 1] = {TRAIN, "--device", device->specification, TRAINING};
    size_t count_given = 0;
    while (arguments[count_given] != NULL)
        count_given++;
    for (; *more != NULL; more++) {
        assert_true(count_given < MAX_ARGUMENTS);
        arguments[count_given++] = *more;
    }
    return run_arguments(arguments);
}
#define TRAIN_HERE(device, ...) train_here(device, (const char *const[]){__VA_ARGS__, NULL})

static void assert_same_files(const char *a, const char *b)
{
    contents *first = read_contents(a), *second = read_contents(b);
    assert_int_equal(first->count, second->count);
    assert_memory_equal(first->bytes, second->bytes, first->count);
    free(first);
    free(second);
}

/* A process that is killed while it saves leaves the new file, by design (checkpoint.h). */
static void remove_unfinished(pid_t pid)
{
    char name[sizeof PARTS + 64];
    snprintf(name, sizeof name, PARTS ".new-%ld-0", (long)pid);
    remove(name);
}

/*
 * Start the training (with --resume, unless it is the first time), send it a signal some time after it has
 * begun its work, and wait for its end. Its exit status; -1 where the signal ended it itself.
 */
static int train_and_stop(const clgrad_device *device, bool resumed, const char *begun, long milliseconds,
                          int number)
{
    const char *const arguments[] = {TRAIN,
                                     "--device",
                                     device->specification,
                                     TRAINING,
                                     "--save",
                                     PARTS,
                                     "--checkpoint-every",
                                     "1",
                                     resumed ? "--resume" : NULL,
                                     PARTS,
                                     NULL};
    int status;
    const pid_t pid = start_program(arguments, OUTPUT, OUTPUT ".err");
    wait_for_text(OUTPUT, begun);
    wait_milliseconds(milliseconds);
    assert_int_equal(kill(pid, number), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) || WTERMSIG(status) == number);
    remove_unfinished(pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void finish(const clgrad_device *device, const outcome *whole)
{
    outcome o = TRAIN_HERE(device, "--save", PARTS, "--resume", PARTS);
    assert_succeeded(&o);
    assert_contains(o.out, "\nbeginning  where " PARTS " was left: after epoch ");
    assert_string_equal(strstr(o.out, "\nconfusion matrix"), strstr(whole->out, "\nconfusion matrix"));
    assert_same_files(PARTS, WHOLE);
    outcome_free(&o);
}

static void remove_files(void)
{
    remove(WHOLE);
    remove(PARTS);
    remove(OUTPUT);
    remove(OUTPUT ".err");
}

/* Ctrl-C, at any place, again and again: saved, said, and a status of its own. */
static void test_interrupts(void **state)
{
    const clgrad_device *device = *state;
    outcome whole = TRAIN_HERE(device, "--save", WHOLE);
    assert_succeeded(&whole);
    size_t stopped = 0, inside = 0;
    uint64_t random = 7;
    for (int run_number = 0; run_number < 12; run_number++) {
        random = random * 6364136223846793005u + 1442695040888963407u; /* Knuth's MMIX */
        const bool afresh = run_number % 2 == 0;
        /* afresh: within the first epoch or after it; then with what is left. */
        const int number = run_number % 3 == 0 ? SIGTERM : SIGINT;
        const int status = train_and_stop(device, !afresh, "training  ", (long)((random >> 40) % 60), number);
        if (status == 0 || status == -1) /* it was done with training already */
            continue;
        assert_int_equal(status, 128 + number);
        assert_true(file_has(OUTPUT ".err", "train: interrupted after batch "));
        assert_true(file_has(OUTPUT ".err", "--resume " PARTS " goes on\n"));
        stopped++;
        inside += !file_has(OUTPUT ".err", "after batch 0 ");
        finish(device, &whole);
        /* The next one goes on from a stop anew. */
        train_and_stop(device, false, "training  ", 5, SIGINT);
    }
    assert_true(stopped >= 2 && inside >= 1);
    outcome_free(&whole);
    remove_files();
}

/* Without a word: what the last finished epoch has left is gone on from. */
static void test_kills(void **state)
{
    const clgrad_device *device = *state;
    outcome whole = TRAIN_HERE(device, "--save", WHOLE);
    assert_succeeded(&whole);
    for (int run_number = 0; run_number < 4; run_number++) {
        remove(PARTS);
        const int status = train_and_stop(device, false, "epoch 2/4", run_number, SIGKILL);
        assert_true(status == -1 || status == 0);
        finish(device, &whole);
    }
    outcome_free(&whole);
    remove_files();
}

/* Nothing is left to do, or more epochs than at first (this schedule does not depend on their number). */
static void test_the_end_is_a_place_too(void **state)
{
    const clgrad_device *device = *state;
    outcome whole = TRAIN_HERE(device, "--save", WHOLE), again = TRAIN_HERE(device, "--resume", WHOLE);
    assert_succeeded(&whole);
    assert_succeeded(&again);
    assert_int_equal(count(again.out, "\nepoch "), 0);
    assert_contains(again.out, "after epoch 4, and 0 of 63 batches");
    assert_string_equal(strstr(again.out, "\nconfusion matrix"), strstr(whole.out, "\nconfusion matrix"));
    outcome_free(&whole);
    outcome_free(&again);

    static const char *const plain[] = {"--samples=100", "--layers=8", "--schedule=constant"};
    outcome o = run(TRAIN, "--device", device->specification, plain[0], plain[1], plain[2], "--epochs=3",
                    "--save", WHOLE, NULL);
    assert_succeeded(&o);
    outcome_free(&o);
    o = run(TRAIN, "--device", device->specification, plain[0], plain[1], plain[2], "--epochs=2", "--save",
            PARTS, NULL);
    assert_succeeded(&o);
    outcome_free(&o);
    o = run(TRAIN, "--device", device->specification, plain[0], plain[1], plain[2], "--epochs=3", "--save",
            PARTS, "--resume", PARTS, NULL);
    assert_succeeded(&o);
    assert_int_equal(count(o.out, "\nepoch "), 1);
    assert_same_files(PARTS, WHOLE);
    outcome_free(&o);
    remove_files();
}

/* --load takes the parameters alone; with a rate of 0 they are what is tested. */
static void test_load(void **state)
{
    const clgrad_device *device = *state;
    const char *spec = device->specification;
    outcome o =
        run(TRAIN, "--device", spec, "--samples=200", "--layers=16", "--epochs=3", "--save", WHOLE, NULL);
    assert_succeeded(&o);
    const double loss = figure(o.out, "test loss");
    outcome_free(&o);
    o = run(TRAIN, "--device", spec, "--samples=200", "--layers=16", "--epochs=1", "--load", WHOLE, "--lr=0",
            "--optimizer=adam", NULL);
    assert_succeeded(&o);
    assert_contains(o.out, "\nbeginning  with the parameters of " WHOLE "\n");
    assert_true(figure(o.out, "test loss") == loss);
    outcome_free(&o);
    o = run(TRAIN, "--device", spec, "--samples=200", "--layers=17", "--load", WHOLE, NULL);
    assert_failed(&o, 1,
                  "its tensor \"layers.0.weight\" has the shape [16, 784], but this network's has [17, 784]");
    outcome_free(&o);
    remove_files();
}

/* What does not fit is refused, by a sentence with both values, before any epoch; and no file is touched. */
static void test_refusals(void **state)
{
    const clgrad_device *device = *state;
#define OTHER " is not what it was saved with: "
    static const struct {
        const char *option, *value, *part;
    } others[] = {
        {"--samples", "101", "--data or --samples" OTHER "\"100 rows of 784 features, checksum "},
        {"--data", "spirals", "--data or --samples" OTHER "\"100 rows of 784 features, checksum "},
        {"--seed", "2", "--seed" OTHER "\"1\" there, \"2\" here\n"}, /* though it draws the data too */
        {"--batch", "32", "--batch" OTHER "\"16\" there, \"32\" here\n"},
        {"--accumulate", "2", "--accumulate" OTHER "\"1\" there, \"2\" here\n"},
        {"--epochs", "5",
         "--epochs or --schedule" OTHER "\"polynomial lr=0.100000001 total_iters=2 power=1\" there, "
         "\"polynomial lr=0.100000001 total_iters=5 power=1\" here\n"},
        {"--lr", "0.2", "--lr" OTHER "\"polynomial lr=0.100000001 "},
        {"--schedule", "step:gamma=0.5", "--schedule" OTHER "\"polynomial lr="},
        {"--schedule", "polynomial:power=2", "--schedule" OTHER "\"polynomial lr="},
        {"--schedule", "polynomial:total_iters=3", ": --schedule" OTHER "\"polynomial lr="},
        {"--warmup", "1", "--warmup" OTHER "\"0\" there, \"1\" here\n"},
        {"--class-weights", "balanced", "--class-weights" OTHER "\"none\" there, \"balanced\" here\n"},
        {"--layers", "9", "--layers or --activation" OTHER "\" -> 8 relu\" there, \" -> 9 relu\" here\n"},
        {"--activation", "tanh", "--layers or --activation" OTHER "\" -> 8 relu\""},
        {"--output", "tanh", "--output" OTHER "\" -> identity\" there, \" -> tanh\" here\n"},
        {"--optimizer", "adam", "--optimizer" OTHER "\"sgd momentum=0.899999976 "},
        {"--momentum", "0.5", "--momentum" OTHER "\"sgd momentum=0.899999976 "},
        {"--weight-decay", "0", "--weight-decay" OTHER "\"sgd "},
        {"--loss", "focal", "--loss" OTHER "\"cross_entropy"},
        {"--clip-norm", "2", "--clip-norm" OTHER "\"inf\" there, \"2\" here\n"},
        {"--clip-value", "2", "--clip-value" OTHER "\"inf\" there, \"2\" here\n"},
        {"--no-bias-decay", NULL, "--no-bias-decay" OTHER "\"false\" there, \"true\" here\n"},
        {"--epochs", "1", "--epochs or --schedule" OTHER},
    };
    const char *spec = device->specification;
    outcome o = run(TRAIN, "--device", spec, "--samples=100", "--batch=16", "--layers=8", "--epochs=2",
                    "--save", WHOLE, NULL);
    assert_succeeded(&o);
    outcome_free(&o);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        const char *const usual[][2] = {
            {"--samples", "100"}, {"--batch", "16"}, {"--layers", "8"}, {"--epochs", "2"}};
        const char *arguments[MAX_ARGUMENTS] = {TRAIN, "--device", spec, "--resume", WHOLE, "--save", PARTS};
        size_t n = 7;
        for (size_t k = 0; k < 4; k++)
            if (strcmp(usual[k][0], others[i].option) != 0)
                arguments[n++] = usual[k][0], arguments[n++] = usual[k][1];
        arguments[n++] = others[i].option, arguments[n++] = others[i].value;
        o = run_arguments(arguments);
        assert_failed(&o, 1, others[i].part);
        assert_int_equal(count(o.out, "\nepoch "), 0);
        assert_true(access(PARTS, F_OK) != 0);
        outcome_free(&o);
    }

    /* Of too few epochs, where the schedule does not say so. */
    o = run(TRAIN, "--device", spec, "--samples=100", "--batch=16", "--layers=8", "--epochs=2",
            "--schedule=constant", "--save", WHOLE, NULL);
    assert_succeeded(&o);
    outcome_free(&o);
    o = run(TRAIN, "--device", spec, "--samples=100", "--batch=16", "--layers=8", "--epochs=1",
            "--schedule=constant", "--resume", WHOLE, NULL);
    assert_failed(&o, 1, ": it was left after epoch 2, and 0 of 7 batches, but --epochs is 1\n");
    outcome_free(&o);

    static const struct {
        const char *option, *value, *more;
        int status;
        const char *part;
    } refused[] = {
        {"--checkpoint-every", "2", NULL, 2, "--checkpoint-every needs --save"},
        {"--checkpoint-every", "0", NULL, 2, "--checkpoint-every \"0\""},
        {"--load", WHOLE, "--resume=" WHOLE, 2, "--load and --resume cannot go together"},
        {"--save", NULL, NULL, 2, "--save needs a value"},
        {"--resume", "absent", NULL, 1, "absent cannot be opened: No such file"},
        {"--load", "absent", NULL, 1, "absent cannot be opened: No such file"},
        {"--resume", TRAIN, NULL, 1, "is no good safetensors file"},
        {"--resume", CLGRAD_SOURCE_DIR "/tests/golden/python_parameters.safetensors", NULL, 1,
         "no trainer has written it"},
        {"--save", "absent/file", NULL, 2, "absent/file cannot be written: No such file"},
        {"--save", "/dev/null", NULL, 2, "/dev/null cannot be written: it is there and no regular file"},
    };
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        const char *arguments[MAX_ARGUMENTS] = {
            TRAIN, "--device", spec, "--samples=100", "--epochs=1", "--layers=8", refused[i].option};
        size_t n = 7;
        if (refused[i].value != NULL)
            arguments[n++] = refused[i].value;
        if (refused[i].more != NULL)
            arguments[n++] = refused[i].more;
        o = run_arguments(arguments);
        assert_failed(&o, refused[i].status, refused[i].part);
        assert_int_equal(count(o.out, "\nepoch "), 0); /* nothing has been trained for it */
        outcome_free(&o);
    }
    remove_files();
}

/* A checkpoint from before 0.1.0 has fewer notes: what they would say, the network says. */
static void test_fewer_notes(void **state)
{
    const clgrad_device *device = *state;
    const char *spec = device->specification;
    outcome o =
        run(TRAIN, "--device", spec, "--samples=100", "--layers=8", "--epochs=1", "--save", WHOLE, NULL);
    assert_succeeded(&o);
    outcome_free(&o);
    contents *c = read_contents(WHOLE);
    static const char name[] = "note.clip-norm";
    size_t at = 0;
    while (at < c->count && memcmp(c->bytes + at, name, sizeof name - 1) != 0)
        at++;
    assert_true(at < c->count);
    c->bytes[at + sizeof name - 2] = '_';
    write_contents(WHOLE, c->bytes, c->count);
    free(c);
    o = run(TRAIN, "--device", spec, "--samples=100", "--layers=8", "--epochs=1", "--resume", WHOLE, NULL);
    assert_succeeded(&o);
    outcome_free(&o);
    o = run(TRAIN, "--device", spec, "--samples=100", "--layers=8", "--epochs=1", "--resume", WHOLE,
            "--clip-norm=2", NULL);
    assert_failed(&o, 1, "this is another network's: its clgrad.clipping is \"clip_norm=inf");
    outcome_free(&o);
    remove_files();
}

int main(void)
{
    static const trainer_test tests[] = {
        NAMED(test_interrupts), NAMED(test_kills),    NAMED(test_the_end_is_a_place_too),
        NAMED(test_load),       NAMED(test_refusals), NAMED(test_fewer_notes),
    };
    return run_trainer_tests("trainer_checkpoint", tests, sizeof tests / sizeof *tests);
}
