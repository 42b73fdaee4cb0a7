/*
 * What the trainer draws and writes down: --plot and its kin, --log.
 */
#define _XOPEN_SOURCE 700

#include "picture.h"
#include "trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define CURVES "test_pictures_curves.png"
#define CONFUSION "test_pictures_confusion.png"
#define BOUNDARY "test_pictures_boundary.png"
#define ERRORS "test_pictures_errors.png"
#define DRAWING "test_pictures.svg"
#define LOG "test_pictures.csv"
#define SAVED "test_pictures.safetensors"
#define TABLE "test_pictures_table.csv"

#define BLUE 0x0072b2u
#define VERMILLION 0xd55e00u

static bool exists(const char *file)
{
    struct stat status;
    return lstat(file, &status) == 0;
}

static char *read_text(const char *file)
{
    FILE *stream = fopen(file, "r");
    char *text = calloc(1, 1 << 16);
    assert_non_null(stream);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 16) - 1, stream) > 0);
    fclose(stream);
    return text;
}

/* Column of a line of the log, both counted from 0; line 0 is the header. */
static double cell(const char *log, size_t line, size_t column)
{
    for (; line > 0; line--)
        log = strchr(log, '\n') + 1;
    for (; column > 0; column--)
        log = strchr(log, ',') + 1;
    return strtod(log, NULL);
}

enum { EPOCH, LOSS, TRAINING_LOSS, TRAINING_QUALITY, TEST_LOSS, TEST_QUALITY, LR, SECONDS, RATE };

/* The number behind a name in the line of an epoch. */
static double printed(const char *out, int epoch, const char *name)
{
    char start[32];
    snprintf(start, sizeof start, "\nepoch %d/", epoch);
    const char *line = strstr(out, start);
    assert_non_null(line);
    const char *found = strstr(line, name);
    assert_true(found != NULL && found < strchr(line + 1, '\n'));
    return strtod(found + strlen(name), NULL);
}

/* The same number, printed with fewer digits. */
static void assert_rounded(double shown, const char *format, double number)
{
    char text[64];
    snprintf(text, sizeof text, format, number);
    assert_true(shown == strtod(text, NULL));
}

static void test_log_is_what_is_printed(void **state)
{
    const clgrad_device *device = *state;
    outcome o = run(TRAIN, "--device", device->specification, "--samples", "200", "--layers",
                    "16,dropout:p=0.2", "--epochs", "4", "--log", LOG, NULL);
    assert_succeeded(&o);
    char *log = read_text(LOG);
    assert_int_equal(count(log, "\n"), 5);
    assert_int_equal(
        strncmp(log,
                "epoch,loss,training_loss,training_accuracy_percent,test_loss,test_accuracy_percent,lr,"
                "seconds,samples_per_second\n1,",
                106),
        0);
    for (int epoch = 1; epoch <= 4; epoch++) {
        const size_t line = (size_t)epoch;
        assert_true(cell(log, line, EPOCH) == epoch);
        assert_rounded(epoch_loss(o.out, epoch), "%.4g", cell(log, line, LOSS));
        assert_rounded(printed(o.out, epoch, "  test loss "), "%.4g", cell(log, line, TEST_LOSS));
        assert_rounded(printed(o.out, epoch, ", accuracy "), "%.2f", cell(log, line, TEST_QUALITY));
        assert_true(fabs(cell(log, line, LR) - 0.1 * (5 - epoch) / 4) < 1e-6); /* polynomial, of power 1 */
        assert_true(cell(log, line, SECONDS) >= 0 && cell(log, line, RATE) > 0);
    }
    /* The last epoch's test is the test at the end. */
    assert_rounded(figure(o.out, "test loss"), "%.6g", cell(log, 4, TEST_LOSS));
    assert_rounded(figure(o.out, "test accuracy"), "%.2f", cell(log, 4, TEST_QUALITY));
    /* An accuracy is a number of rows: of 40 in the test, 200 in the training part. */
    assert_true(fmod(cell(log, 4, TEST_QUALITY), 2.5) == 0);
    assert_true(fmod(cell(log, 4, TRAINING_QUALITY), 0.5) == 0);
    assert_true(cell(log, 4, TRAINING_QUALITY) > cell(log, 1, TRAINING_QUALITY));
    /* As the network is at the end, without dropout, it is better than the mean over the epoch. */
    assert_true(cell(log, 4, TRAINING_LOSS) < cell(log, 4, LOSS));

    /* That it is scored on the way changes nothing, and without a log the lines are as they were. */
    outcome plain = run(TRAIN, "--device", device->specification, "--samples", "200", "--layers",
                        "16,dropout:p=0.2", "--epochs", "4", NULL);
    assert_succeeded(&plain);
    assert_true(figure(plain.out, "test loss") == figure(o.out, "test loss"));
    assert_null(strstr(plain.out, "  test loss "));
    assert_int_equal(count(plain.out, " s\n"), 4);
    outcome_free(&plain);
    outcome_free(&o);
    free(log);
    remove(LOG);
}

static void test_log_of_a_regression(void **state)
{
    const clgrad_device *device = *state;
    write_table(TABLE);
    outcome o = run(TRAIN, "--device", device->specification, "--data", TABLE, "--target", "number",
                    "--ignore", "note", "--ignore=class", "--skip-empty", "--layers", "8", "--epochs", "3",
                    "--log", LOG, "--plot", DRAWING, NULL);
    assert_succeeded(&o);
    char *log = read_text(LOG);
    assert_contains(log, ",training_rmse,test_loss,test_rmse,");
    assert_rounded(printed(o.out, 3, ", rmse "), "%.4g", cell(log, 3, TEST_QUALITY));
    assert_rounded(figure(o.out, "test rmse"), "%.6g", cell(log, 3, TEST_QUALITY));
    assert_true(drawing_read(DRAWING).paths > 12); /* three epochs, four series */
    outcome_free(&o);
    free(log);
    remove(LOG);
    remove(DRAWING);
    remove(TABLE);
}

static void test_log_is_continued(void **state)
{
    const clgrad_device *device = *state;
    write_file(LOG, "what was here before\n");
    for (int epochs = 2; epochs <= 3; epochs++) {
        char text[8];
        snprintf(text, sizeof text, "%d", epochs);
        outcome o = run(TRAIN, "--device", device->specification, "--samples", "100", "--layers", "8",
                        "--epochs", text, "--schedule", "constant", "--save", SAVED, "--log", LOG,
                        epochs == 3 ? "--resume" : NULL, SAVED, NULL);
        assert_succeeded(&o);
        outcome_free(&o);
    }
    char *log = read_text(LOG);
    assert_null(strstr(log, "before")); /* a new training begins a new table */
    assert_int_equal(count(log, "epoch,"), 1);
    assert_int_equal(count(log, "\n"), 4);
    for (size_t line = 1; line <= 3; line++)
        assert_true(cell(log, line, EPOCH) == (double)line);
    free(log);
    remove(LOG);
    remove(SAVED);
}

static void test_pictures_of_digits(void **state)
{
    const clgrad_device *device = *state;
    outcome o = run(TRAIN, "--device", device->specification, "--samples", "300", "--layers", "16",
                    "--epochs", "3", "--plot", CURVES, "--plot-errors", ERRORS, NULL);
    assert_succeeded(&o);
    const size_t wrong = (size_t)round(60 - 0.6 * figure(o.out, "test accuracy"));
    assert_true(wrong > 0);

    picture p = picture_read(CURVES);
    const part loss = {0.09, 0.415, 0.27, 0.84}, accuracy = {0.59, 0.915, 0.27, 0.84};
    assert_true(picture_ink(&p, loss, BLUE).count > 300 && picture_ink(&p, loss, VERMILLION).count > 300);
    assert_true(picture_ink(&p, accuracy, BLUE).count > 300);
    const part begin = {0.09, 0.16, 0.27, 0.84}, end = {0.34, 0.415, 0.27, 0.84};
    assert_true(picture_ink(&p, begin, BLUE).y < picture_ink(&p, end, BLUE).y); /* it has learnt something */
    picture_free(&p);

    /* The sheet has as many images as there are errors, ten in a row. */
    p = picture_read(ERRORS);
    const size_t rows = ((wrong < 60 ? wrong : 60) + 9) / 10;
    assert_int_equal(p.height, 2 * (86 + rows * (68 + 50 + 8)));
    picture_free(&p);

    outcome_free(&o);
    remove(CURVES);
    remove(ERRORS);
}

/* A class that weighs a thousand times as much is always the answer: one column, right in the last row alone.
 */
static void test_confusion(void **state)
{
    const clgrad_device *device = *state;
    outcome o = run(TRAIN, "--device", device->specification, "--samples", "200", "--layers", "8", "--epochs",
                    "3", "--class-weights", "1,1,1,1,1,1,1,1,1,1000", "--momentum", "0", "--plot-confusion",
                    CONFUSION, NULL);
    assert_succeeded(&o);
    assert_true(figure(o.out, "test accuracy") == 10);
    picture p = picture_read(CONFUSION);
    const part cells = {0, 1, 0.15, 1};
    const ink right = picture_ink(&p, cells, 0x147dba), wrong = picture_ink(&p, cells, 0xd86b14);
    assert_true(right.count > 70 * 70 && right.count < 90 * 90);
    assert_true(wrong.count > 9 * 70 * 70 && wrong.count < 9 * 90 * 90);
    assert_true(fabs(right.x - wrong.x) < 0.01 && right.x > 0.75 && right.y > 0.9);
    picture_free(&p);
    outcome_free(&o);
    remove(CONFUSION);
}

/* The class that is predicted at a place of the plane is the colour there. */
static void test_boundary(void **state)
{
    const clgrad_device *device = *state;
    write_table(TABLE); /* above where x1 + x2 > 0, both between -1 and 1 */
    outcome o = run(TRAIN, "--device", device->specification, "--data", TABLE, "--target", "class",
                    "--ignore", "note", "--ignore=number", "--skip-empty", "--layers", "16", "--epochs", "40",
                    "--plot-boundary", BOUNDARY, NULL);
    assert_succeeded(&o);
    picture p = picture_read(BOUNDARY);
    const uint32_t blue = 0x6bacd2, vermillion = 0xe6a16b; /* as sure as can be */
    const part upper_right = {0.6, 0.77, 0.09, 0.3}, lower_left = {0.1, 0.25, 0.7, 0.9};
    assert_true(picture_ink(&p, upper_right, blue).count > 10000);
    assert_int_equal(picture_ink(&p, upper_right, vermillion).count, 0);
    assert_true(picture_ink(&p, lower_left, vermillion).count > 10000);
    assert_int_equal(picture_ink(&p, lower_left, blue).count, 0);
    picture_free(&p);
    outcome_free(&o);
    remove(BOUNDARY);
    remove(TABLE);
}

static void test_spirals(void **state)
{
    const clgrad_device *device = *state;
    outcome o = run(TRAIN, "--device", device->specification, "--data", "spirals", "--samples", "600",
                    "--layers", "32:tanh,32:tanh", "--optimizer", "adam", "--lr", "0.01", "--epochs", "40",
                    "--plot-boundary", BOUNDARY, "--plot-confusion", DRAWING, NULL);
    assert_succeeded(&o);
    assert_contains(o.out,
                    "spirals drawn by the trainer: 600 training and 120 test rows, 2 features, 3 classes");
    assert_true(figure(o.out, "test accuracy") > 95);
    picture p = picture_read(BOUNDARY);
    const part square = {0.095, 0.775, 0.085, 0.91};
    /* a third of the points each, some covered by others */
    assert_true(picture_ink(&p, square, BLUE).count > 1000 &&
                picture_ink(&p, square, VERMILLION).count > 1000);
    picture_free(&p);
    assert_true(drawing_read(DRAWING).glyph_uses > 30);
    outcome_free(&o);
    remove(BOUNDARY);
    remove(DRAWING);
}

/* Losses whose outputs are no logits: what is drawn is probabilities all the same. */
static void test_boundary_of_other_losses(void **state)
{
    const clgrad_device *device = *state;
    static const char *const losses[] = {"mse",         "bce",         "nll", "hinge_embedding",
                                         "ctc:blank=1", "multi_margin"};
    for (size_t i = 0; i < sizeof losses / sizeof *losses; i++) {
        outcome o = run(TRAIN, "--device", device->specification, "--data", "spirals", "--samples", "60",
                        "--layers", "8", "--epochs", "2", "--loss", losses[i], "--plot-boundary", BOUNDARY,
                        "--plot", CURVES, NULL);
        assert_succeeded(&o);
        picture p = picture_read(BOUNDARY);
        const part square = {0.095, 0.775, 0.085, 0.91};
        const double white = (double)picture_ink(&p, square, 0xffffff).count;
        assert_true(white < 0.1 * 0.68 * 0.825 * (double)(p.width * p.height));
        picture_free(&p);
        outcome_free(&o);
    }
    remove(BOUNDARY);
    remove(CURVES);
}

/* A loss that overflows in the second epoch leaves the first to be drawn; in the first, nothing. */
static void test_divergence(void **state)
{
    const clgrad_device *device = *state;
    static const char *const rates[][4] = {
        {"--lr", "0.1", "--schedule", "multi_step:milestone1=1,gamma=1e30"},
        {"--lr", "1e30", "--schedule", "constant"}};
    for (size_t i = 0; i < 2; i++) {
        outcome o =
            run(TRAIN, "--device", device->specification, "--samples", "100", "--layers", "8", rates[i][0],
                rates[i][1], rates[i][2], rates[i][3], "--plot", CURVES, "--log", LOG, NULL);
        assert_int_equal(o.status, 1);
        assert_contains(o.err, i == 0 ? "train: the loss of epoch 2 is" : "train: the loss of epoch 1 is");
        assert_int_equal(
            count(o.err, "train: --plot: " CURVES " is not drawn: there is no whole epoch in this run\n"), i);
        char *log = read_text(LOG);
        assert_int_equal(count(log, "\n"), i == 0 ? 2 : 1);
        assert_int_equal(exists(CURVES), i == 0);
        free(log);
        outcome_free(&o);
        remove(LOG);
        remove(CURVES);
    }
}

/* A picture that cannot be written costs nothing but itself. (The limit would be a driver's too.) */
static void test_full_disk(void **state)
{
    const clgrad_device *device = *state;
    if (device->type != CLGRAD_DEVICE_REFERENCE)
        skip();
    limit_files(8192); /* what is printed is a file too */
    outcome o =
        run(TRAIN, "--device", device->specification, "--samples", "100", "--layers", "8", "--epochs", "2",
            "--plot", CURVES, "--plot-confusion", CONFUSION, "--plot-errors", ERRORS, "--log", LOG, NULL);
    limit_files(0);
    assert_int_equal(o.status, 1);
    assert_true(figure(o.out, "test accuracy") > 0);
    assert_int_equal(count(o.err, "\n"), 3);
    assert_contains(o.err, "train: --plot: " CURVES " cannot be written: File too large\n");
    assert_contains(o.err, "train: --plot-confusion: " CONFUSION " cannot be written: File too large\n");
    assert_contains(o.err, "train: --plot-errors: " ERRORS " cannot be written: File too large\n");
    static const char *const left[] = {CURVES,           CURVES ".new", CONFUSION,
                                       CONFUSION ".new", ERRORS,        ERRORS ".new"};
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        assert_false(exists(left[i]));
    char *log = read_text(LOG);
    assert_int_equal(count(log, "\n"), 3);
    free(log);
    outcome_free(&o);
    remove(LOG);
}

static void test_refused(void **state)
{
    const clgrad_device *device = *state;
    static const char *const never[] = {"refused.png", "refused.png.new", "refused.csv"};
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        remove(never[i]); /* of a run that failed */
    write_table(TABLE);
    static const struct {
        const char *arguments[10], *sentence;
    } cases[] = {
        {{"--plot"}, "--plot needs a value"},
        {{"--plot", "a.png", "--plot=b.png"}, "--plot is given twice"},
        {{"--plot", "refused.jpg"}, "--plot: \"refused.jpg\" ends neither in .png nor in .svg"},
        {{"--plot-confusion", "refused"}, "--plot-confusion: \"refused\" ends neither"},
        {{"--plot-errors", ""}, "--plot-errors: \"\" ends neither"},
        {{"--plot", "absent/refused.png"}, "--plot: absent/refused.png cannot be written: No such file"},
        {{"--log", "absent/refused.csv"}, "--log: absent/refused.csv cannot be written: No such file"},
        {{"--log", ""}, "--log:  cannot be written: No such file"},
        {{"--log", "."}, "--log: . cannot be written: it is there and no regular file"},
        {{"--log", "/dev/null"}, "--log: /dev/null cannot be written: it is there and no regular file"},
        {{"--plot", "refused.png", "--plot-errors", "refused.png"},
         "--plot and --plot-errors are both to be written to refused.png"},
        {{"--save", "refused.png", "--plot", "refused.png"}, "--save and --plot are both to be written"},
        {{"--plot-boundary", "refused.png"}, "--plot-boundary is for data of two features, this has 784"},
        {{"--data", "spirals", "--plot-errors", "refused.png"},
         "--plot-errors is for images, and the rows of spirals drawn by the trainer are none"},
        {{"--data", TABLE, "--target", "number", "--ignore", "note", "--skip-empty", "--plot-confusion",
          "refused.png"},
         "--plot-confusion is for a classification, and this is a regression"},
        {{"--data", TABLE, "--target", "number", "--ignore", "note", "--skip-empty", "--plot-boundary",
          "refused.png"},
         "--plot-boundary is for a classification"},
        {{"--data", "spirals", "--target", "y"},
         "--target is for a CSV file, and the trainer draws the data"},
        {{"--data", "spiral"}, "spiral"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *arguments[MAX_ARGUMENTS + 1] = {TRAIN, "--device", device->specification, "--samples",
                                                    "100"};
        const bool file =
            strcmp(cases[i].arguments[0], "--data") == 0 && strcmp(cases[i].arguments[1], TABLE) == 0;
        const bool absent = strcmp(cases[i].sentence, "spiral") == 0;
        memcpy(arguments + (file || absent ? 3 : 5), cases[i].arguments, sizeof cases[i].arguments);
        outcome o = run_arguments(arguments);
        assert_failed(&o, absent ? 1 : 2, cases[i].sentence);
        assert_string_equal(o.out, "");
        outcome_free(&o);
    }
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        assert_false(exists(never[i]));
    remove(TABLE);
}

int main(void)
{
    static const trainer_test tests[] = {
        NAMED(test_log_is_what_is_printed),
        NAMED(test_log_of_a_regression),
        NAMED(test_log_is_continued),
        NAMED(test_pictures_of_digits),
        NAMED(test_confusion),
        NAMED(test_boundary),
        NAMED(test_spirals),
        NAMED(test_boundary_of_other_losses),
        NAMED(test_divergence),
        NAMED(test_full_disk),
        NAMED(test_refused),
    };
    return run_trainer_tests("trainer_pictures", tests, sizeof tests / sizeof *tests);
}
