/*
 * Stopping a training and going on with it: --save, --load, --resume, and interrupts.
 *
 * A checkpoint holds the network with all that its next step depends on (clgrad/checkpoint.h) and, as notes,
 * where the training stands and what it must have in common with the one that goes on: then that one ends
 * with the same bits, on the same device, as if there had been no stop.
 *
 * Every function here that returns bool returns false, and leaves a sentence, after a failure.
 */
#ifndef TRAIN_CHECKPOINT_H
#define TRAIN_CHECKPOINT_H

#include "train_session.h"

/* Where a training stands: what comes next, and what its epoch has come to so far. */
typedef struct train_position {
    size_t epoch, batch; /* counted from 0 */
    size_t rows;         /* of the batches done in this epoch */
    double loss_sum;     /* of those rows */
} train_position;

/* Write the session into a file. FILE_ERROR where it cannot be written, which another time may go well. */
clgrad_status train_checkpoint_save(const train_session *session, const dataset *train,
                                    const train_position *position, const char *path,
                                    clgrad_message *message);

/* Take the parameters of a file, --load, or go on where its training stood, --resume; position is unchanged
 * where there is neither. */
bool train_checkpoint_load(train_session *session, const dataset *train, train_position *position,
                           clgrad_message *message);

/*
 * From now on an interrupt (Ctrl-C) and a request to end (SIGTERM) are noted instead of ending the process,
 * the first time; the next one ends it. And back again.
 */
void train_catch_interrupts(void);
void train_release_interrupts(void);

/* The number of the signal that has been noted; 0 where there was none. */
int train_interrupted(void);

#endif
