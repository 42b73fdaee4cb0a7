/*
 * The trainer with every name in clgrad's lists, on every device, with --check: each step as on the
 * reference.
 */
#define _XOPEN_SOURCE 700

#include "trainer.h"

#include "reference/reference.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/*
 * Four a network, each in a dense layer; those that are no number below 0 behind a sigmoid. With a small
 * learning rate, for those that grow fast.
 */
static void test_every_activation_trains(void **state)
{
    const clgrad_device *device = *state;
    for (int first = 0; first < CLGRAD_ACTIVATION_COUNT; first += 4) {
        char layers[256] = "";
        for (int kind = first; kind < first + 4 && kind < CLGRAD_ACTIVATION_COUNT; kind++) {
            const clgrad_activation activation = clgrad_activation_defaults((clgrad_activation_kind)kind);
            const size_t used = strlen(layers);
            snprintf(layers + used, sizeof layers - used, "%s8:%s%s", used > 0 ? "," : "",
                     isnan(clgrad_ref_activate(&activation, -1)) ? "sigmoid," : "",
                     clgrad_activation_describe(activation.kind)->name);
        }
        outcome o =
            TRAIN_WITH(device, "--samples", "60", "--epochs", "1", "--lr", "1e-8", "--layers", layers);
        assert_succeeded(&o);
        assert_contains(o.out, "passed: ");
        assert_true(figure(o.out, "test loss") > 0);
        outcome_free(&o);
    }
}

/*
 * 10 classes: chance is 10 %. Measured on PoCL and on the reference alike: 47 % (l2) to 77 % (ctc). Not so
 * l1, whose minimum is the median, 0 for every output.
 */
static void test_every_loss_learns(void **state)
{
    const clgrad_device *device = *state;
    for (int kind = 0; kind < CLGRAD_LOSS_COUNT; kind++) {
        const char *name = clgrad_loss_describe((clgrad_loss_kind)kind)->name;
        outcome o = TRAIN_WITH(device, "--samples", "400", "--layers", "32", "--epochs", "6", "--optimizer",
                               "adam", "--lr", "0.005", "--loss", name);
        assert_succeeded(&o);
        assert_contains(o.out, "passed: ");
        assert_true(isfinite(figure(o.out, "test loss")));
        assert_true(epoch_loss(o.out, 6) < epoch_loss(o.out, 1));
        if (kind != CLGRAD_LOSS_L1 && figure(o.out, "test accuracy") < 40)
            fail_msg("%s: %s", name, o.out);
        outcome_free(&o);
    }
}

static void test_every_optimizer_learns(void **state)
{
    const clgrad_device *device = *state;
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        outcome o = TRAIN_WITH(device, "--samples", "200", "--layers", "16", "--epochs", "3", "--optimizer",
                               clgrad_optimizer_describe((clgrad_optimizer_kind)kind)->name);
        assert_succeeded(&o);
        assert_contains(o.out, "passed: ");
        assert_true(epoch_loss(o.out, 3) < epoch_loss(o.out, 1));
        outcome_free(&o);
    }
}

/* All in one network; and those but batch_norm, which cannot do with a last batch of one row. */
static void test_every_layer_trains(void **state)
{
    const clgrad_device *device = *state;
    for (int with_batch_norm = 0; with_batch_norm < 2; with_batch_norm++) {
        char layers[512] = "16", shown[512] = "784 -> 16 relu";
        for (int kind = 0; kind < CLGRAD_LAYER_COUNT; kind++) {
            const char *name = clgrad_layer_describe((clgrad_layer_kind)kind)->name;
            const bool dense = kind == CLGRAD_LAYER_DENSE, plain = kind == CLGRAD_LAYER_ACTIVATION;
            const size_t used = strlen(layers), used_shown = strlen(shown);
            if (kind == CLGRAD_LAYER_BATCH_NORM && !with_batch_norm)
                continue;
            snprintf(layers + used, sizeof layers - used, ",%s,12", dense ? "14" : name);
            snprintf(shown + used_shown, sizeof shown - used_shown, " -> %s -> 12 relu",
                     dense   ? "14 relu"
                     : plain ? "relu"
                             : name);
        }
        outcome o = TRAIN_WITH(device, "--samples", "65", "--batch", "16", "--epochs", "2", "--lr", "0.01",
                               "--layers", layers);
        assert_succeeded(&o);
        assert_contains(o.out, shown);
        assert_contains(o.out, "passed: ");
        assert_true(figure(o.out, "test loss") > 0);
        assert_contains(o.out,
                        with_batch_norm ? "2 epochs of 4 batches of 16" : "2 epochs of 5 batches of 16");
        outcome_free(&o);
    }
}

static void test_every_schedule_trains(void **state)
{
    const clgrad_device *device = *state;
    for (int kind = 0; kind < CLGRAD_SCHEDULE_COUNT; kind++) {
        outcome o = TRAIN_WITH(device, "--samples", "100", "--layers", "8", "--epochs", "3", "--warmup", "1",
                               "--schedule", clgrad_schedule_describe((clgrad_schedule_kind)kind)->name);
        assert_succeeded(&o);
        assert_contains(o.out, "passed: ");
        assert_contains(o.out, "after a warm-up of 1 epoch\n");
        assert_true(epoch_loss(o.out, 3) < epoch_loss(o.out, 1));
        outcome_free(&o);
    }
}

/* The losses for numbers, on the same table: 13 is what the mean alone is off by. Measured: 0.4 to 1.5. */
static void test_every_regression_learns(void **state)
{
    const clgrad_device *device = *state;
    const char *path = "test_trainer_regression.csv";
    size_t fitting = 0;
    write_table(path);
    for (int kind = 0; kind < CLGRAD_LOSS_COUNT; kind++) {
        const char *name = clgrad_loss_describe((clgrad_loss_kind)kind)->name;
        outcome o = TRAIN_WITH(device, "--data", path, "--target", "number", "--task", "regress", "--ignore",
                               "note", "--ignore=class", "--skip-empty", "--layers", "16:tanh", "--epochs",
                               "40", "--optimizer", "adam", "--lr", "0.05", "--loss", name);
        if (o.status == 2) {
            assert_contains(o.err, "does not fit a regression");
        } else {
            assert_succeeded(&o);
            assert_contains(o.out, "passed: ");
            if (figure(o.out, "test rmse") > 4)
                fail_msg("%s: %s", name, o.out);
            fitting++;
        }
        outcome_free(&o);
    }
    assert_int_equal(fitting, 7);
    remove(path);
}

int main(void)
{
    static const trainer_test tests[] = {
        NAMED(test_every_activation_trains), NAMED(test_every_loss_learns),
        NAMED(test_every_optimizer_learns),  NAMED(test_every_layer_trains),
        NAMED(test_every_schedule_trains),   NAMED(test_every_regression_learns),
    };
    return run_trainer_tests("trainer lists", tests, sizeof tests / sizeof *tests);
}
