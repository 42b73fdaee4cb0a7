/*
 * What came of each epoch: collected here once, printed (train_progress.h), logged and drawn
 * (train_pictures.h).
 */
#ifndef TRAIN_HISTORY_H
#define TRAIN_HISTORY_H

#include "train_score.h"

typedef struct train_figures {
    size_t epoch;   /* counted from 1 */
    double loss;    /* the mean of the epoch's batches, as the network was when each was its turn */
    double lr;      /* of the epoch's last step */
    double seconds; /* that the epoch took, without the scores below */
    double rate;    /* training rows a second */
    bool scored;    /* whether there are */
    train_score training, test; /* as the network is at the epoch's end */
} train_figures;

typedef struct train_history {
    bool wanted; /* a log or curves are asked for: then every epoch is scored */
    bool regression;
    const char *path; /* of the log */
    FILE *log;        /* NULL: none */
    train_figures *epochs;
    size_t count, capacity;
} train_history;

/* Open the log. False, and a sentence, where it cannot be written, here and below. */
bool train_history_begin(const train_options *options, const dataset *train, train_history *history,
                         clgrad_message *message);

/* An epoch is over. Where a history is wanted score it and keep it. */
bool train_history_add(train_history *history, train_session *session, const dataset_pair *data,
                       train_figures *figures, clgrad_message *message);

/* Its line of the log, if there is one. Where that cannot be written the log ends with the line before it. */
bool train_history_write(train_history *history, const train_figures *figures, clgrad_message *message);

/* Close the log, and forget. */
bool train_history_end(train_history *history, clgrad_message *message);

#endif
