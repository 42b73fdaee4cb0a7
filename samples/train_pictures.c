#include "train_pictures.h"

#include "plot/plot.h"
#include "train_parser.h"
#include "train_target.h"

#include <math.h>
#include <stdlib.h>

#define GRID 201         /* points of the plane in each direction where the network is asked */
#define MOST_POINTS 4000 /* test rows on top */
#define MOST_ERRORS 60   /* on a contact sheet */

static bool drawn(bool success, const char *option, const plot_error *error, clgrad_message *message)
{
    return success || train_refuse(message, "--%s: %s", option, error->text);
}

/* Of what: the data and the network. */
static void describe_training(char *text, const train_session *session)
{
    train_append(text, "%s: ", train_options_data(session->options));
    train_session_describe(session, session->data.x.shape[1], text);
}

/* ---- curves ---- */

/* x, then the four series, one after the other. */
enum { EPOCH, TRAINING_LOSS, TEST_LOSS, TRAINING_QUALITY, TEST_QUALITY, COLUMNS };

bool train_pictures_curves(const train_session *session, const train_history *history,
                           clgrad_message *message)
{
    const char *file = session->options->pictures[TRAIN_CURVES];
    const size_t count = history->count;
    if (file == NULL || count == 0)
        return true;
    double *numbers = train_allocate(COLUMNS * count, sizeof *numbers, message);
    if (numbers == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const train_figures *f = &history->epochs[i];
        const double row[COLUMNS] = {(double)f->epoch, f->training.loss, f->test.loss,
                                     history->regression ? f->training.rmse : f->training.accuracy,
                                     history->regression ? f->test.rmse : f->test.accuracy};
        for (size_t j = 0; j < COLUMNS; j++)
            numbers[j * count + i] = row[j];
    }

    char title[TRAIN_LINE_SIZE] = "", loss[TRAIN_NAME_SIZE];
    describe_training(title, session);
    snprintf(loss, sizeof loss, "loss (%s)", clgrad_loss_describe(session->options->loss.kind)->name);
    const plot_series losses[] = {{"training", numbers + TRAINING_LOSS * count},
                                  {"test", numbers + TEST_LOSS * count}};
    const plot_series qualities[] = {{"training", numbers + TRAINING_QUALITY * count},
                                     {"test", numbers + TEST_QUALITY * count}};
    const plot_panel panels[] = {
        {loss, losses, 2, false, NAN},
        {history->regression ? "root mean squared error" : "accuracy, %", qualities, 2, !history->regression,
         history->regression ? NAN : 100},
    };
    const plot_curves curves = {title, "epoch", numbers, count, panels, 2};
    plot_error error;
    const bool success = plot_draw_curves(file, &curves, &error);
    free(numbers);
    return drawn(success, "plot", &error, message);
}

/* ---- the test ---- */

static void describe_accuracy(char *text, const char *what, const dataset *test, const train_result *result)
{
    const train_score score = train_score_of(test, result);
    train_append(text, "%s: %.2f %% of %zu test rows right", what, score.accuracy, test->rows);
}

static bool draw_confusion(const char *file, const train_session *session, const dataset *test,
                           const train_result *result, clgrad_message *message)
{
    char title[TRAIN_LINE_SIZE] = "", training[TRAIN_LINE_SIZE] = "";
    plot_error error;
    size_t *counts = train_score_confusion(test, result, message);
    if (counts == NULL)
        return false;
    describe_training(training, session);
    describe_accuracy(title, "confusion matrix", test, result);
    const plot_matrix matrix = {title, training, test->class_count, (const char *const *)test->class_names,
                                counts};
    const bool success = plot_draw_matrix(file, &matrix, &error);
    free(counts);
    return drawn(success, "plot-confusion", &error, message);
}

/* ---- the decision boundary ---- */

/* From the numbers that the network is given to those of the data. */
static double own_units(const dataset *set, size_t feature, double x)
{
    if (set->x_mean == NULL || set->x_std[feature] == 0)
        return x;
    return x * set->x_std[feature] + set->x_mean[feature];
}

/* Where the test rows lie, and a little around them. */
static void surround(const dataset *test, double low[2], double high[2])
{
    for (size_t j = 0; j < 2; j++) {
        low[j] = INFINITY;
        high[j] = -INFINITY;
        for (size_t i = 0; i < test->rows; i++) {
            low[j] = fmin(low[j], (double)test->x[2 * i + j]);
            high[j] = fmax(high[j], (double)test->x[2 * i + j]);
        }
        const double more = high[j] > low[j] ? 0.06 * (high[j] - low[j]) : 1;
        low[j] -= more;
        high[j] += more;
    }
}

/* How likely the network makes each class on a grid; the caller frees it. */
static float *ask(train_session *session, size_t classes, const double low[2], const double high[2],
                  clgrad_message *message)
{
    const size_t count = (size_t)GRID * GRID;
    float *x = train_allocate(count, 2 * sizeof *x, message);
    float *output = train_allocate(count, session->outputs * sizeof *output, message);
    float *probability = train_allocate(count, classes * sizeof *probability, message);
    bool done = x != NULL && output != NULL && probability != NULL;
    for (size_t i = 0; done && i < count; i++) {
        x[2 * i] = (float)(low[0] + (high[0] - low[0]) * (double)(i % GRID) / (GRID - 1));
        x[2 * i + 1] = (float)(low[1] + (high[1] - low[1]) * (double)(i / GRID) / (GRID - 1));
    }
    done = done && train_session_predict(session, x, count, output, message);
    for (size_t i = 0; done && i < count; i++)
        train_class_probabilities(&session->options->loss, output + i * session->outputs, classes,
                                  probability + i * classes);
    free(x);
    free(output);
    if (!done)
        free(probability);
    return done ? probability : NULL;
}

static bool draw_boundary(const char *file, train_session *session, const dataset *test,
                          const train_result *result, clgrad_message *message)
{
    const size_t count = test->rows < MOST_POINTS ? test->rows : MOST_POINTS;
    double low[2], high[2];
    char title[TRAIN_LINE_SIZE] = "", training[TRAIN_LINE_SIZE] = "";
    plot_error error;
    bool success = false;
    surround(test, low, high);
    float *probability = ask(session, test->class_count, low, high, message);
    float *points = train_allocate(count, 2 * sizeof *points, message);
    bool *wrong = train_allocate(count, sizeof *wrong, message);
    if (probability == NULL || points == NULL || wrong == NULL)
        goto cleanup;
    for (size_t i = 0; i < count; i++) {
        points[2 * i] = (float)own_units(test, 0, (double)test->x[2 * i]);
        points[2 * i + 1] = (float)own_units(test, 1, (double)test->x[2 * i + 1]);
        wrong[i] = train_score_class(test, result, i) != (size_t)test->classes[i];
    }
    describe_training(training, session);
    describe_accuracy(title, "decision boundary", test, result);
    const plot_regions regions = {
        .title = title,
        .subtitle = training,
        .x_label = test->feature_names != NULL ? test->feature_names[0] : "feature 1",
        .y_label = test->feature_names != NULL ? test->feature_names[1] : "feature 2",
        .x_low = own_units(test, 0, low[0]),
        .x_high = own_units(test, 0, high[0]),
        .y_low = own_units(test, 1, low[1]),
        .y_high = own_units(test, 1, high[1]),
        .columns = GRID,
        .rows = GRID,
        .probability = probability,
        .classes = test->class_count,
        .names = (const char *const *)test->class_names,
        .points = points,
        .true_class = test->classes,
        .wrong = wrong,
        .point_count = count,
    };
    success = drawn(plot_draw_regions(file, &regions, &error), "plot-boundary", &error, message);

cleanup:
    free(probability);
    free(points);
    free(wrong);
    return success;
}

/* ---- the contact sheet ---- */

typedef struct mistake {
    size_t row, predicted;
    double sure; /* the probability of the predicted class */
} mistake;

static int by_sureness(const void *first, const void *second)
{
    const mistake *a = first, *b = second;
    if (a->sure != b->sure)
        return a->sure < b->sure ? 1 : -1;
    return a->row < b->row ? -1 : 1;
}

/* The misclassified rows, the surest first; room for all rows. Returns how many. */
static size_t find_mistakes(const dataset *test, const train_result *result, float *probability,
                            mistake *mistakes)
{
    size_t count = 0;
    for (size_t i = 0; i < test->rows; i++) {
        const size_t predicted = train_score_class(test, result, i);
        if (predicted == (size_t)test->classes[i])
            continue;
        train_class_probabilities(&result->loss_kind, result->prediction + i * result->outputs,
                                  test->class_count, probability);
        const double sure = (double)probability[predicted];
        mistakes[count++] = (mistake){i, predicted, isnan(sure) ? 0 : sure};
    }
    qsort(mistakes, count, sizeof *mistakes, by_sureness);
    return count;
}

static bool draw_errors(const char *file, const train_session *session, const dataset *test,
                        const train_result *result, clgrad_message *message)
{
    char remarks[MOST_ERRORS][16];
    plot_image images[MOST_ERRORS];
    char title[TRAIN_LINE_SIZE] = "", training[TRAIN_LINE_SIZE] = "";
    plot_error error;
    bool success = false;
    mistake *mistakes = train_allocate(test->rows, sizeof *mistakes, message);
    float *probability = train_allocate(test->class_count, sizeof *probability, message);
    if (mistakes == NULL || probability == NULL)
        goto cleanup;
    const size_t count = find_mistakes(test, result, probability, mistakes);
    const size_t shown = count < MOST_ERRORS ? count : MOST_ERRORS;
    for (size_t i = 0; i < shown; i++) {
        const mistake *m = &mistakes[i];
        snprintf(remarks[i], sizeof remarks[i], "%.1f %%", 100 * m->sure);
        images[i] = (plot_image){test->x + m->row * test->features, test->class_names[test->classes[m->row]],
                                 test->class_names[m->predicted], remarks[i]};
    }
    describe_training(training, session);
    train_append(title, "%zu of %zu test rows misclassified", count, test->rows);
    if (shown < count)
        train_append(title, ": the %zu most confident", shown);
    const plot_sheet sheet = {.title = title,
                              .subtitle = training,
                              .truth = "true class",
                              .prediction = "predicted class",
                              .remark = "its probability, the highest first",
                              .width = test->width,
                              .height = test->height,
                              .images = images,
                              .count = shown};
    success = drawn(plot_draw_sheet(file, &sheet, &error), "plot-errors", &error, message);

cleanup:
    free(mistakes);
    free(probability);
    return success;
}

bool train_pictures_result(train_picture picture, train_session *session, const dataset_pair *data,
                           const train_result *result, clgrad_message *message)
{
    const char *file = session->options->pictures[picture];
    if (file == NULL)
        return true;
    switch (picture) {
    case TRAIN_CONFUSION:
        return draw_confusion(file, session, &data->test, result, message);
    case TRAIN_BOUNDARY:
        return draw_boundary(file, session, &data->test, result, message);
    case TRAIN_ERRORS:
        return draw_errors(file, session, &data->test, result, message);
    case TRAIN_CURVES: /* above: they do not wait for the test */
    case TRAIN_PICTURE_COUNT:
        break;
    }
    return true;
}
