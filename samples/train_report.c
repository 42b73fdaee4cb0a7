#include "train_report.h"

#include "train_parser.h"
#include "train_score.h"

#include <math.h>
#include <stdlib.h>

#define MAX_CONFUSION_CLASSES 20

bool train_report_devices(clgrad_message *message)
{
    size_t count = 0;
    clgrad_device_list(NULL, 0, &count);
    clgrad_device *devices = calloc(count, sizeof *devices);
    if (devices == NULL || clgrad_device_list(devices, count, &count) != CLGRAD_STATUS_SUCCESS) {
        snprintf(message->text, sizeof message->text, "the host is out of memory");
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        printf("%-12s %s, %s", devices[i].specification, devices[i].name,
               clgrad_device_type_name(devices[i].type));
        if (devices[i].memory > 0)
            printf(", %.1f GiB", (double)devices[i].memory / (1024.0 * 1024.0 * 1024.0));
        printf("\n%-12s %s, %s\n", "", devices[i].vendor, devices[i].driver);
    }
    free(devices);
    return true;
}

/* One line of the header: what it is about, a name, and its parameters with their values. */
static void print_choice(const char *what, const char *name, const clgrad_parameter *parameters,
                         const void *descriptor)
{
    char text[TRAIN_LINE_SIZE] = "";
    train_describe_parameters(text, parameters, descriptor);
    printf("\n%-10s %s%s", what, name, text);
}

static void print_training(const train_session *session, const train_options *options)
{
    const clgrad_loss_info *loss = clgrad_loss_describe(options->loss.kind);
    const clgrad_optimizer_info *optimizer = clgrad_optimizer_describe(options->optimizer.kind);
    const clgrad_schedule *schedule = &session->pace.schedule;
    const clgrad_schedule_info *info = clgrad_schedule_describe(schedule->kind);

    print_choice("loss", loss->name, loss->parameters, &options->loss);
    if (options->balanced || options->class_weight_count > 0)
        printf(", class weights %s", options->balanced ? "balanced" : "as given");
    if (!isnan(options->pos_weight))
        printf(", pos_weight=%g", (double)options->pos_weight);
    print_choice("optimizer", optimizer->name, optimizer->parameters, &options->optimizer);
    if (options->no_bias_decay)
        printf(", no bias decay");
    if (!isinf(options->clip_norm))
        printf(", gradient norm at most %g", (double)options->clip_norm);
    if (!isinf(options->clip_value))
        printf(", gradients at most %g", (double)options->clip_value);
    print_choice("schedule", info->name, info->parameters, schedule);
    if (options->warmup > 0)
        printf(", after a warm-up of %zu %s", options->warmup,
               train_plural(options->warmup, "epoch", "epochs"));
    printf("\ntraining   %zu %s of %zu %s of %zu", options->epochs,
           train_plural(options->epochs, "epoch", "epochs"), session->batches,
           train_plural(session->batches, "batch", "batches"), session->batch);
    if (options->batch > session->batch)
        printf(" (--batch %zu, but there are %zu training rows)", options->batch, session->data.count);
    if (options->accumulate > 1)
        printf(", %zu a step", options->accumulate);
    printf(", seed %llu\n", (unsigned long long)options->seed);
}

void train_report_header(const train_session *session, const train_options *options, const dataset_pair *data)
{
    const clgrad_device *device = clgrad_context_device(session->context);
    char network[TRAIN_LINE_SIZE] = "";

    printf("device     %s (%s, %s)\n", device->name, clgrad_device_type_name(device->type),
           device->specification);
    printf("data       %s: %zu training and %zu test %s, %zu %s, ", train_options_data(options),
           data->train.rows, data->test.rows, train_plural(data->test.rows, "row", "rows"),
           data->train.features, train_plural(data->train.features, "feature", "features"));
    if (data->train.class_count > 0)
        printf("%zu classes", data->train.class_count);
    else
        printf("regression");
    if (options->skip_empty)
        printf(", %zu %s with empty cells left out", data->skipped_rows,
               train_plural(data->skipped_rows, "row", "rows"));
    train_session_describe(session, data->train.features, network);
    printf("\nnetwork    %s, %zu parameters", network,
           clgrad_tensor_count(clgrad_network_parameters(session->network)));
    print_training(session, options);
    fflush(stdout);
}

void train_report_beginning(const train_session *session, size_t epoch, size_t batch)
{
    const train_options *options = session->options;
    if (options->load != NULL)
        printf("beginning  with the parameters of %s\n", options->load);
    if (options->resume != NULL)
        printf("beginning  where %s was left: after epoch %zu, and %zu of %zu %s\n", options->resume, epoch,
               batch, session->batches, train_plural(session->batches, "batch", "batches"));
    fflush(stdout);
}

/* Characters of a UTF-8 text, and how many bytes the first so many of them take. */
static size_t characters(const char *text, size_t at_most, size_t *bytes)
{
    size_t count = 0, i = 0;
    for (; text[i] != '\0'; i++) {
        bool begins = ((unsigned char)text[i] & 0xC0) != 0x80;
        if (begins && count == at_most)
            break;
        count += begins;
    }
    *bytes = i;
    return count;
}

/* A name, cut and padded on the left to a width. */
static void print_name(const char *name, size_t width)
{
    size_t bytes, count = characters(name, width, &bytes);
    printf("%*s%.*s", (int)(width - count), "", (int)bytes, name);
}

static void print_confusion(const dataset *test, const size_t *counts)
{
    const size_t classes = test->class_count;
    const size_t limit = classes <= 6 ? 16 : 8; /* longest name shown, so that a row stays in one line */
    size_t width = 4, bytes;
    for (size_t i = 0; i < classes * classes; i++)
        width = (size_t)train_digits(counts[i]) > width ? (size_t)train_digits(counts[i]) : width;
    for (size_t i = 0; i < classes; i++) {
        size_t length = characters(test->class_names[i], limit, &bytes);
        width = length > width ? length : width;
    }
    printf("\nconfusion matrix (a row is a true class, a column a predicted one)\n");
    print_name("", width);
    for (size_t i = 0; i < classes; i++) {
        putchar(' ');
        print_name(test->class_names[i], width);
    }
    for (size_t i = 0; i < classes; i++) {
        putchar('\n');
        print_name(test->class_names[i], width);
        for (size_t j = 0; j < classes; j++)
            printf(" %*zu", (int)width, counts[i * classes + j]);
    }
    printf("\n\n");
}

bool train_report_result(const dataset *test, const train_result *result, clgrad_message *message)
{
    const train_score score = train_score_of(test, result);
    if (!isfinite(score.loss))
        return train_refuse(message, "the test loss is %g: the training diverged, try a smaller --lr",
                            score.loss);
    if (test->class_count > 0 && test->class_count <= MAX_CONFUSION_CLASSES) {
        size_t *counts = train_score_confusion(test, result, message);
        if (counts == NULL)
            return false;
        print_confusion(test, counts);
        free(counts);
    }
    printf("test loss: %.6g\n", score.loss);
    if (test->class_count > 0)
        printf("test accuracy: %.2f %%\n", score.accuracy);
    else
        printf("test rmse: %.6g\n", score.rmse);
    return true;
}
