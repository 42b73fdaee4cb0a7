/*
 * The trainer's command line: what may be given, what is refused, and what --help shows.
 */
#ifndef TRAIN_OPTIONS_H
#define TRAIN_OPTIONS_H

#include "data/dataset.h"

#include <clgrad/clgrad.h>

#include <stdio.h>

#define TRAIN_MAX_HIDDEN 32
#define TRAIN_MAX_IGNORED 64

typedef enum train_source { TRAIN_DIGITS, TRAIN_IDX, TRAIN_CSV } train_source;

typedef enum train_schedule { TRAIN_CONSTANT, TRAIN_LINEAR, TRAIN_COSINE } train_schedule;

typedef struct train_options {
    bool help, list_devices;
    const char *device; /* NULL: CLGRAD_DEVICE or, where that is unset, the best OpenCL device */

    train_source source;
    const char *data; /* NULL for digits */
    size_t samples;   /* digits to draw for the training part */
    const char *target;
    dataset_task task;
    const char *ignore[TRAIN_MAX_IGNORED];
    size_t ignore_count;
    bool skip_empty;

    size_t hidden[TRAIN_MAX_HIDDEN]; /* widths; the output layer's follows from the data */
    size_t hidden_count;
    clgrad_activation activation; /* of the hidden layers */
    bool initializer_given;
    clgrad_initializer initializer;
    bool loss_given;
    clgrad_loss loss;
    bool lr_given;
    clgrad_optimizer optimizer;
    train_schedule schedule;
    size_t batch; /* 0: not given */
    size_t epochs;
    uint64_t seed;
    size_t check_steps; /* 0: no check */
} train_options;

/*
 * Read the command line. False, and a sentence, for an option that is unknown, cannot be read or contradicts
 * another. With --help or --list-devices nothing else is of interest.
 */
bool train_options_parse(int argc, char **argv, train_options *options, clgrad_message *message);

/*
 * Once the data says whether this is a classification or a regression: choose what depends on it and was not
 * given, the loss and SGD's learning rate. False, and a sentence, where the loss that was given does not fit.
 */
bool train_options_settle(train_options *options, bool classification, clgrad_message *message);

/*
 * How many rows a batch has: --batch, or the whole training part where that is smaller. Where it is not
 * given, 64, or an eighth of a small training part, so that there are some steps in an epoch.
 */
size_t train_options_batch(const train_options *options, size_t rows);

/* The optimizer for an epoch, counted from 0: its learning rate follows the schedule. */
clgrad_optimizer train_options_optimizer(const train_options *options, size_t epoch);

const char *train_schedule_name(train_schedule schedule);

/* A list's parameters with their values, "lr=0.1 momentum=0.9"; nothing where there are none. */
void train_print_parameters(FILE *out, const clgrad_parameter *parameters, const void *descriptor);

void train_print_help(FILE *out);

#endif
