/*
 * What the trainer shows: a header, a progress bar or plain lines, and the result.
 */
#ifndef TRAIN_REPORT_H
#define TRAIN_REPORT_H

#include "train_session.h"

bool train_report_devices(clgrad_message *message);
void train_report_header(const train_session *session, const train_options *options,
                         const dataset_pair *data);

/* Where the training begins, if not with a new network. */
void train_report_beginning(const train_session *session, size_t epoch, size_t batch);

/*
 * Progress through a training run. On a terminal a bar is redrawn in place, about ten times a second.
 *
 * An update reads losses and so waits for the device, while steps are enqueued much faster than they run: the
 * clock alone would let a whole epoch pile up between two updates. So updates come every few steps, as many
 * as the device has lately made in a tenth of a second.
 */
typedef struct train_progress {
    bool terminal;
    size_t epochs, rows;  /* of the whole run, and of one epoch */
    size_t steps, stride; /* since the last update, and how many until the next */
    double updated;       /* seconds on a monotonic clock */
    double epoch_begin;
    double begin, begin_rows; /* of the first update, from which the time left is reckoned: before it, kernels
                               * are compiled */
} train_progress;

train_progress train_progress_begin(const train_options *options, size_t rows);

/* A step has been enqueued. Whether it is time for an update. */
bool train_progress_due(train_progress *progress);

/* done rows of an epoch (counted from 0) are done, with this mean loss. */
void train_progress_update(train_progress *progress, size_t epoch, size_t done, double loss);

/* An epoch is over: one line that stays. */
void train_progress_epoch(train_progress *progress, size_t epoch, double loss);

/* The confusion matrix of a classification of up to 20 classes and, as the last lines, the figures. */
bool train_report_result(const dataset *test, const train_result *result, clgrad_message *message);

#endif
