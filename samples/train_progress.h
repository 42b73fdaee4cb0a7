/*
 * What the trainer shows while it trains: a line for every epoch, and on a terminal a bar.
 */
#ifndef TRAIN_PROGRESS_H
#define TRAIN_PROGRESS_H

#include "train_history.h"

/*
 * Progress through a training run. On a terminal (that is not TERM=dumb) a bar is redrawn in place, about ten
 * times a second, in as many columns as there are; with colours unless NO_COLOR is set
 * (https://no-color.org).
 *
 * An update reads losses and so waits for the device, while steps are enqueued much faster than they run: the
 * clock alone would let a whole epoch pile up between two updates. So updates come every few steps, as many
 * as the device has lately made in a tenth of a second.
 */
typedef struct train_progress {
    bool terminal, colour;
    size_t epochs, rows, batches; /* of the whole run, and of one epoch */
    size_t done;                  /* rows of this epoch before this run, which goes on from there */
    size_t steps, stride;         /* since the last update, and how many until the next */
    double updated;               /* seconds on a monotonic clock */
    double epoch_begin;
    double begin, begin_rows; /* of the first update, from which the time left is reckoned: before it, kernels
                               * are compiled */
    bool on_a_line;           /* the bar stands on a line that has no end yet */
} train_progress;

/* For epochs of so many rows and batches; of the first one, so many rows are done already. */
train_progress train_progress_begin(const train_options *options, size_t rows, size_t batches, size_t done);

/* A step has been enqueued. Whether it is time for an update. */
bool train_progress_due(train_progress *progress);

/* So many batches and rows of an epoch (counted from 0) are done, with this mean loss. */
void train_progress_update(train_progress *progress, size_t epoch, size_t batches, size_t rows, double loss);

/* The rows of an epoch have been trained on: its time and its rate. */
void train_progress_time(const train_progress *progress, train_figures *figures);

/* An epoch is over: one line that stays. The next one begins. */
void train_progress_epoch(train_progress *progress, const train_figures *figures);

/* Training is over, maybe within an epoch: what is said next begins a line. */
void train_progress_end(train_progress *progress);

#endif
