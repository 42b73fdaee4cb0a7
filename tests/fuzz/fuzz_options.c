/* The trainer's command line. An input is its arguments, one a line. */
#include "fuzz.h"

#include <train_parser.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_ARGUMENTS 128

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count, (void)arguments;
    return 0;
}

/* Every number lies in its interval. */
static void check_parameters(const clgrad_parameter *parameters, const void *descriptor)
{
    for (; parameters->name != NULL; parameters++) {
        const float value = clgrad_parameter_get(parameters, descriptor);
        FUZZ_CHECK(value >= parameters->minimum && value <= parameters->maximum);
    }
}

/* A schedule's too, but that what counts the steps of the whole training is 0 where it was not given. */
static void check_schedule(clgrad_schedule schedule)
{
    int32_t *const counts[] = {&schedule.total_iters, &schedule.T_max, &schedule.total_steps};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        *counts[i] += *counts[i] == 0;
    check_parameters(clgrad_schedule_describe(schedule.kind)->parameters, &schedule);
}

static void check_layer(const clgrad_layer *layer)
{
    check_parameters(clgrad_layer_describe(layer->kind)->parameters, layer);
    FUZZ_CHECK(train_layer_violation(layer) == NULL);
    if (layer->kind == CLGRAD_LAYER_DENSE || layer->kind == CLGRAD_LAYER_ACTIVATION) {
        check_parameters(clgrad_activation_describe(layer->activation.kind)->parameters, &layer->activation);
        FUZZ_CHECK(train_activation_violation(&layer->activation) == NULL);
    }
}

/* What the rest of the trainer takes for granted. */
static void check_options(const train_options *options)
{
    check_parameters(clgrad_optimizer_describe(options->optimizer.kind)->parameters, &options->optimizer);
    FUZZ_CHECK(train_optimizer_violation(&options->optimizer) == NULL);
    FUZZ_CHECK(options->layer_count <= TRAIN_MAX_LAYERS && options->ignore_count <= TRAIN_MAX_IGNORED);
    FUZZ_CHECK(options->class_weight_count <= TRAIN_MAX_CLASS_WEIGHTS);
    for (size_t i = 0; i < options->layer_count; i++) {
        check_layer(&options->layers[i]);
        FUZZ_CHECK(options->layers[i].kind != CLGRAD_LAYER_DENSE || options->layers[i].outputs > 0);
    }
    for (size_t i = 0; i < options->class_weight_count; i++)
        FUZZ_CHECK(options->class_weights[i] >= 0 && isfinite(options->class_weights[i]));
    if (options->loss_given)
        check_parameters(clgrad_loss_describe(options->loss.kind)->parameters, &options->loss);
    check_schedule(options->schedule);
    FUZZ_CHECK(options->clip_norm >= 0 && options->clip_value >= 0);
    FUZZ_CHECK(options->samples > 0 && options->epochs > 0 && options->accumulate > 0);
    FUZZ_CHECK((options->source == TRAIN_DIGITS || options->source == TRAIN_SPIRALS) ==
               (options->data == NULL));
    FUZZ_CHECK(train_options_data(options)[0] != '\0' || options->data != NULL);
    FUZZ_CHECK(options->source != TRAIN_CSV || options->target != NULL);
    FUZZ_CHECK(options->warmup < options->epochs);
}

static void check_sentence(const clgrad_message *message)
{
    FUZZ_CHECK(message->text[0] != '\0' && memchr(message->text, '\0', sizeof message->text) != NULL);
}

/* The options with a small data set: of three classes, or of numbers. */
static void fit(const train_options *options, bool classification)
{
    int32_t classes[4] = {0, 1, 2, 0};
    float x[8] = {0}, y[4] = {1, -1, 0.5f, -0.5f};
    const dataset set = {.rows = 4,
                         .features = 2,
                         .x = x,
                         .classes = classification ? classes : NULL,
                         .y = classification ? NULL : y,
                         .y_std = 1,
                         .class_count = classification ? 3 : 0};
    train_options *fitted = malloc(sizeof *fitted);
    clgrad_message message = {""};
    FUZZ_CHECK(fitted != NULL);
    *fitted = *options;
    if (train_options_fit(fitted, &set, &message)) {
        check_options(fitted);
        check_layer(&fitted->output);
        check_parameters(clgrad_loss_describe(fitted->loss.kind)->parameters, &fitted->loss);
        const size_t batch = train_options_batch(fitted, set.rows);
        FUZZ_CHECK(batch >= 1 && batch <= set.rows);
        FUZZ_CHECK(options->pictures[TRAIN_ERRORS] == NULL); /* there are no images */
        FUZZ_CHECK(classification || options->pictures[TRAIN_CONFUSION] == NULL);
    } else {
        check_sentence(&message);
    }
    free(fitted);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes rest = {data, size};
    char *arguments[MOST_ARGUMENTS + 2] = {(char *)"train"};
    int count = 1;
    while (rest.size > 0 && count <= MOST_ARGUMENTS)
        arguments[count++] = fuzz_line(&rest);

    train_options *options = malloc(sizeof *options);
    clgrad_message message = {""};
    FUZZ_CHECK(options != NULL);
    if (!train_options_parse(count, arguments, options, &message)) {
        check_sentence(&message);
    } else if (!options->help && !options->list_devices) {
        check_options(options);
        fit(options, true);
        fit(options, false);
    }
    free(options);
    while (--count > 0)
        free(arguments[count]);
    return 0;
}
