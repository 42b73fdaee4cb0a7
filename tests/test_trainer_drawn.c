/*
 * What the trainer hands over to be drawn: the program's own plot_draw_* functions only look at it.
 */
#include "train_pictures.h"

#include "plot/plot.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ROWS = 6, CLASSES = 3, PIXELS = 4 };

/* ---- in the place of samples/plot ---- */

static int drawn;
static void (*look_at_sheet)(const plot_sheet *sheet);
static void (*look_at_matrix)(const plot_matrix *matrix);
static void (*look_at_regions)(const plot_regions *regions);
static void (*look_at_curves)(const plot_curves *curves);

static bool done(const char *file)
{
    assert_string_equal(file, "file.png");
    drawn++;
    return true;
}

bool plot_draw_sheet(const char *file, const plot_sheet *sheet, plot_error *error)
{
    (void)error;
    look_at_sheet(sheet);
    return done(file);
}

bool plot_draw_matrix(const char *file, const plot_matrix *matrix, plot_error *error)
{
    (void)error;
    look_at_matrix(matrix);
    return done(file);
}

bool plot_draw_regions(const char *file, const plot_regions *regions, plot_error *error)
{
    (void)error;
    look_at_regions(regions);
    return done(file);
}

bool plot_draw_curves(const char *file, const plot_curves *curves, plot_error *error)
{
    if (look_at_curves == NULL) {
        snprintf(error->text, sizeof error->text, "no pen");
        return false;
    }
    look_at_curves(curves);
    return done(file);
}

/* ---- a test part, and what a network has made of it ---- */

static const char *class_names[CLASSES] = {"cat", "dog", "emu"};
static float pixels[ROWS][PIXELS];
static int32_t classes[ROWS] = {0, 1, 2, 0, 1, 2};
static dataset_pair data;

static train_options options;
static train_session session;

static void begin(train_picture picture, clgrad_loss_kind loss)
{
    options = (train_options){.loss = clgrad_loss_defaults(loss)};
    options.pictures[picture] = "file.png";
    options.output = clgrad_layer_activation(CLGRAD_ACTIVATION_IDENTITY);
    session = (train_session){.options = &options, .outputs = CLASSES};
    session.data.x.shape[1] = PIXELS;
    data.test = (dataset){.rows = ROWS,
                          .features = PIXELS,
                          .x = &pixels[0][0],
                          .classes = classes,
                          .class_count = CLASSES,
                          .class_names = (char **)class_names,
                          .width = 2,
                          .height = 2};
    drawn = 0;
}

static void draw(float *prediction)
{
    clgrad_message message = {""};
    const train_result result = {.loss_kind = options.loss, .outputs = CLASSES, .prediction = prediction};
    for (int picture = 0; picture < TRAIN_PICTURE_COUNT; picture++)
        if (!train_pictures_result((train_picture)picture, &session, &data, &result, &message))
            fail_msg("%s", message.text);
    assert_int_equal(drawn, 1);
}

/* Rows 1 to 4 are wrong: 2 is as sure as can be, 4 less so, 1 and 3 the least and alike. */
static float logits[ROWS][CLASSES] = {{9, 0, 0}, {1, 0, 0}, {0, 99, 0}, {0, 0, 1}, {0, 0, 3}, {0, 0, 9}};

static void check_order(const plot_sheet *sheet)
{
    static const struct {
        size_t row;
        const char *truth, *prediction, *remark;
    } wanted[] = {{2, "emu", "dog", "100.0 %"},
                  {4, "dog", "emu", "90.9 %"}, /* e^3 / (e^3 + 2) */
                  {1, "dog", "cat", "57.6 %"}, /* e / (e + 2) */
                  {3, "cat", "emu", "57.6 %"}};
    assert_string_equal(sheet->title, "4 of 6 test rows misclassified");
    assert_string_equal(sheet->subtitle, "digits drawn by the trainer: 4 -> 3");
    assert_true(sheet->width == 2 && sheet->height == 2);
    assert_int_equal(sheet->count, 4);
    for (size_t i = 0; i < 4; i++) {
        assert_ptr_equal(sheet->images[i].grey, pixels[wanted[i].row]);
        assert_string_equal(sheet->images[i].truth, wanted[i].truth);
        assert_string_equal(sheet->images[i].prediction, wanted[i].prediction);
        assert_string_equal(sheet->images[i].remark, wanted[i].remark);
    }
}

static void test_the_surest_errors_come_first(void **state)
{
    (void)state;
    begin(TRAIN_ERRORS, CLGRAD_LOSS_CROSS_ENTROPY);
    look_at_sheet = check_order;
    draw(&logits[0][0]);
}

static const char *first_remark;

static void check_first_remark(const plot_sheet *sheet)
{
    assert_string_equal(sheet->images[0].remark, first_remark);
}

/* The same numbers mean something else to another loss. */
static void test_probabilities(void **state)
{
    (void)state;
    static const struct {
        clgrad_loss_kind loss;
        float outputs[CLASSES]; /* of the one row that is wrong: it is a cat */
        const char *remark;
    } cases[] = {
        {CLGRAD_LOSS_BCE, {0.1f, 0.3f, 0.1f}, "60.0 %"},                  /* probabilities, by their sum */
        {CLGRAD_LOSS_KL_DIV_PROBABILITY, {0.25f, 0.5f, 0.25f}, "50.0 %"}, /* the same */
        {CLGRAD_LOSS_NLL,
         {-1.3862944f, -0.6931472f, -1.3862944f},
         "50.0 %"},                                                 /* logarithms of probabilities */
        {CLGRAD_LOSS_HINGE_EMBEDDING, {2, 1, 2}, "57.6 %"},         /* distances: the nearest */
        {CLGRAD_LOSS_CROSS_ENTROPY, {3e38f, INFINITY, 0}, "0.0 %"}, /* no number */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        begin(TRAIN_ERRORS, cases[i].loss);
        data.test.rows = 1;
        float outputs[CLASSES];
        memcpy(outputs, cases[i].outputs, sizeof outputs);
        first_remark = cases[i].remark;
        look_at_sheet = check_first_remark;
        draw(outputs);
    }
}

enum { MANY = 200 };

static void check_many(const plot_sheet *sheet)
{
    assert_string_equal(sheet->title, "200 of 200 test rows misclassified: the 60 most confident");
    assert_int_equal(sheet->count, 60);
}

static void test_a_sheet_has_an_end(void **state)
{
    (void)state;
    static float outputs[MANY][CLASSES], many_pixels[MANY][PIXELS];
    static int32_t cats[MANY];
    begin(TRAIN_ERRORS, CLGRAD_LOSS_CROSS_ENTROPY);
    for (size_t i = 0; i < MANY; i++)
        outputs[i][1] = 1;
    data.test.rows = MANY;
    data.test.classes = cats;
    data.test.x = &many_pixels[0][0];
    look_at_sheet = check_many;
    draw(&outputs[0][0]);
}

static void check_counts(const plot_matrix *matrix)
{
    static const size_t counts[CLASSES * CLASSES] = {1, 0, 1, 1, 0, 1, 0, 1, 1}; /* a row is a true class */
    assert_int_equal(matrix->classes, CLASSES);
    assert_memory_equal(matrix->counts, counts, sizeof counts);
    assert_string_equal(matrix->names[2], "emu");
    assert_string_equal(matrix->title, "confusion matrix: 33.33 % of 6 test rows right");
    assert_string_equal(matrix->subtitle, "digits drawn by the trainer: 4 -> 3");
}

static void test_confusion(void **state)
{
    (void)state;
    begin(TRAIN_CONFUSION, CLGRAD_LOSS_CROSS_ENTROPY);
    look_at_matrix = check_counts;
    draw(&logits[0][0]);
}

/* ---- the boundary, of a network that has not learnt anything ---- */

static double x_mean[2] = {1000, -5}, x_std[2] = {100, 0};
static float points[ROWS][2] = {{-1, 0}, {1, 0}, {0, 0}, {0.5f, 0}, {0.25f, 0}, {-0.5f, 0}};

static void check_units(const plot_regions *r)
{
    assert_true(fabs(r->x_low - (1000 - 112)) < 1e-3 && fabs(r->x_high - (1000 + 112)) < 1e-3);
    assert_true(r->y_low == -1 && r->y_high == 1); /* a constant column has no unit to go by */
    assert_true(r->points[0] == 900 && r->points[2] == 1100 && r->points[1] == 0);
    assert_string_equal(r->subtitle, "spirals drawn by the trainer: 2 -> 4 tanh -> 3");
    assert_int_equal(r->point_count, ROWS);
    for (size_t i = 0; i < ROWS; i++)
        assert_int_equal(r->wrong[i], i >= 1 && i <= 4);
    for (size_t i = 0; i < r->columns * r->rows; i++) {
        double sum = 0;
        for (size_t j = 0; j < CLASSES; j++)
            sum += (double)r->probability[i * CLASSES + j];
        assert_true(fabs(sum - 1) < 1e-5);
    }
    /* the network is asked for every place: neighbours in a row differ, and so do the rows */
    const float *p = r->probability;
    assert_memory_not_equal(p, p + CLASSES, CLASSES * sizeof *p);
    assert_memory_not_equal(p, p + r->columns * CLASSES, CLASSES * sizeof *p);
}

static void test_boundary_is_in_own_units(void **state)
{
    (void)state;
    clgrad_message message = {""};
    clgrad_context *context;
    char *arguments[] = {(char *)"train",  (char *)"--layers", (char *)"4:tanh",
                         (char *)"--data", (char *)"spirals",  NULL};
    begin(TRAIN_BOUNDARY, CLGRAD_LOSS_CROSS_ENTROPY);
    dataset *test = &data.test;
    test->features = 2, test->x = &points[0][0], test->x_mean = x_mean, test->x_std = x_std;
    test->width = test->height = 0;
    assert_true(train_options_parse(5, arguments, &options, &message));
    options.pictures[TRAIN_BOUNDARY] = "file.png";
    assert_true(train_options_fit(&options, test, &message));
    assert_int_equal(clgrad_context_create("reference", &context, &message), CLGRAD_STATUS_SUCCESS);
    assert_true(train_session_create(context, &options, test, test, &session, &message));
    look_at_regions = check_units;
    draw(&logits[0][0]);
    train_session_destroy(&session);
    clgrad_context_destroy(context);
}

/* ---- curves ---- */

static bool regression;

static void check_curves(const plot_curves *curves)
{
    assert_int_equal(curves->count, 3);
    assert_int_equal(curves->panel_count, 2);
    for (size_t i = 0; i < 3; i++) {
        const double epoch = 5 + (double)i;
        assert_true(curves->x[i] == epoch);
        const plot_panel *loss = &curves->panels[0], *quality = &curves->panels[1];
        assert_string_equal(loss->series[0].name, "training");
        assert_string_equal(loss->series[1].name, "test");
        assert_true(loss->series[0].y[i] == 10 * epoch && loss->series[1].y[i] == 20 * epoch);
        assert_true(quality->series[0].y[i] == (regression ? 50 : 30) + epoch);
        assert_true(quality->series[1].y[i] == (regression ? 60 : 40) + epoch);
        assert_true(quality->linear != regression);
    }
}

static void test_curves(void **state)
{
    (void)state;
    clgrad_message message = {""};
    train_figures epochs[3];
    begin(TRAIN_CURVES, CLGRAD_LOSS_CROSS_ENTROPY);
    /* A session describes its network, of which there is the output layer alone. */
    options.output = clgrad_layer_activation(CLGRAD_ACTIVATION_IDENTITY);
    session.data.x = (clgrad_tensor){.rank = 2, .shape = {1, 2}};
    for (size_t i = 0; i < 3; i++) {
        const double epoch = 5 + (double)i;
        epochs[i] = (train_figures){
            .epoch = 5 + i,
            .loss = 77,
            .training = {.loss = 10 * epoch, .accuracy = 30 + epoch, .rmse = 50 + epoch},
            .test = {.loss = 20 * epoch, .accuracy = 40 + epoch, .rmse = 60 + epoch},
        };
    }
    train_history history = {.wanted = true, .epochs = epochs, .count = 3};
    look_at_curves = check_curves;
    for (int i = 0; i < 2; i++) {
        history.regression = regression = i == 1;
        assert_true(train_pictures_curves(&session, &history, &message));
        assert_int_equal(drawn, i + 1);
    }
    look_at_curves = NULL;
    assert_false(train_pictures_curves(&session, &history, &message));
    assert_string_equal(message.text, "--plot: no pen");
    history.count = 0; /* nothing has been reached: no picture, and no failure */
    assert_true(train_pictures_curves(&session, &history, &message));
    options.pictures[TRAIN_CURVES] = NULL;
    history.count = 3;
    assert_true(train_pictures_curves(&session, &history, &message));
    assert_int_equal(drawn, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_surest_errors_come_first), cmocka_unit_test(test_probabilities),
        cmocka_unit_test(test_a_sheet_has_an_end),           cmocka_unit_test(test_confusion),
        cmocka_unit_test(test_boundary_is_in_own_units),     cmocka_unit_test(test_curves),
    };
    return cmocka_run_group_tests_name("trainer_drawn", tests, NULL, NULL);
}
