/*
 * The trainer's command line: what may be given, what is refused, and what --help shows.
 */
#ifndef TRAIN_OPTIONS_H
#define TRAIN_OPTIONS_H

#include "data/dataset.h"

#include <clgrad/clgrad.h>

#include <stdio.h>

#define TRAIN_MAX_LAYERS 32 /* before the output layer */
#define TRAIN_MAX_IGNORED 64
#define TRAIN_MAX_CLASS_WEIGHTS 256
#define TRAIN_LINE_SIZE 1024 /* of a text that describes a part of the training */

typedef enum train_source { TRAIN_DIGITS, TRAIN_SPIRALS, TRAIN_IDX, TRAIN_CSV } train_source;

/* The pictures: X(identifier, option, help). */
#define TRAIN_PICTURE_LIST(X)                                                                            \
    X(CURVES, "plot",                                                                                    \
      "a picture, .png or .svg: loss and accuracy of the training and the test part by epoch")           \
    X(CONFUSION, "plot-confusion", "a picture of the confusion matrix of the test")                      \
    X(BOUNDARY, "plot-boundary",                                                                         \
      "data of two features: a picture of where the network predicts which class, and of the test rows") \
    X(ERRORS, "plot-errors", "images: a picture of those misclassified in the test, the most confident first")

typedef enum train_picture {
#define TRAIN_PICTURE(identifier, option, help) TRAIN_##identifier,
    TRAIN_PICTURE_LIST(TRAIN_PICTURE)
#undef TRAIN_PICTURE
        TRAIN_PICTURE_COUNT
} train_picture;

typedef struct train_options {
    bool help, list_devices;
    const char *device; /* NULL: CLGRAD_DEVICE or, where that is unset, the best OpenCL device */

    train_source source;
    const char *data; /* a file or folder; NULL for what the trainer draws */
    size_t samples;   /* rows to draw for the training part */
    const char *target;
    dataset_task task;
    const char *ignore[TRAIN_MAX_IGNORED];
    size_t ignore_count;
    bool skip_empty;

    const char *layers_text; /* as given; read into layers once all options are known */
    clgrad_layer layers[TRAIN_MAX_LAYERS];
    size_t layer_count;
    clgrad_activation activation; /* of the layers that name none of their own */
    bool output_given;
    const char *output_text;
    clgrad_layer output; /* what follows the last dense layer; where not given, what suits the loss */
    bool initializer_given;
    clgrad_initializer initializer;

    bool loss_given;
    clgrad_loss loss;
    bool balanced; /* class weights from the training part */
    float class_weights[TRAIN_MAX_CLASS_WEIGHTS];
    size_t class_weight_count; /* 0: not given */
    float pos_weight;          /* NAN: not given */

    bool lr_given;
    clgrad_optimizer optimizer;
    bool no_bias_decay;
    bool detect_anomaly;
    float clip_norm, clip_value; /* INFINITY: not given */
    size_t accumulate;           /* batches a step of the optimizer */
    clgrad_schedule schedule;    /* total_iters, T_max and total_steps of 0: the whole training */
    size_t warmup;               /* epochs */

    size_t batch; /* 0: not given */
    size_t epochs;
    uint64_t seed;
    size_t check_steps; /* 0: no check */

    const char *save, *load, *resume; /* files; NULL: not given */
    size_t checkpoint_every;          /* epochs; 0: not given */

    const char *pictures[TRAIN_PICTURE_COUNT], *log; /* files; NULL: not given */
} train_options;

/*
 * Read the command line. False, and a sentence, for an option that is unknown, cannot be read or contradicts
 * another. With --help or --list-devices nothing else is of interest.
 */
bool train_options_parse(int argc, char **argv, train_options *options, clgrad_message *message);

/*
 * Once it is known whether this is a classification or a regression: choose what depends on it and was not
 * given, the loss, the output layer and SGD's learning rate. False, and a sentence, where the loss that was
 * given does not fit the task, or something else not the loss.
 */
bool train_options_settle(train_options *options, bool classification, clgrad_message *message);

/* The same once the data is there, and whether the options fit the data: class weights, for one. */
bool train_options_fit(train_options *options, const dataset *train, clgrad_message *message);

/* The data's name: of the file or folder, or what the trainer draws. */
const char *train_options_data(const train_options *options);

/*
 * How many rows a batch has: --batch, or the whole training part where that is smaller. Where it is not
 * given, 64, or an eighth of a small training part, so that there are some steps in an epoch.
 */
size_t train_options_batch(const train_options *options, size_t rows);

/* Append a list's parameters with their values, " lr=0.1 momentum=0.9", to a text of TRAIN_LINE_SIZE. */
void train_describe_parameters(char *text, const clgrad_parameter *parameters, const void *descriptor);

/* Append to a text of TRAIN_LINE_SIZE. What does not fit is cut off. */
void train_append(char *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

void train_print_help(FILE *out);

#endif
