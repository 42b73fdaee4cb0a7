/*
 * A network and its data on one device: the whole training part lies there, and each batch is gathered from
 * it by a slice of the epoch's order, so that nothing but that order is sent while it trains.
 *
 * Every function here returns false, and leaves a sentence, after a failure.
 */
#ifndef TRAIN_SESSION_H
#define TRAIN_SESSION_H

#include "train_options.h"

/* Rows of data on the device. */
typedef struct train_rows {
    size_t count;
    clgrad_tensor x;      /* [count, features] */
    clgrad_tensor target; /* as the loss wants it: int32 [count], or float32 [count, outputs] */
} train_rows;

typedef struct train_session {
    clgrad_context *context; /* the caller's */
    clgrad_loss loss;
    clgrad_network *network;
    size_t outputs;      /* width of the output layer */
    train_rows data;     /* the training part */
    train_rows test;     /* nothing where the session was made without it */
    train_rows gathered; /* room for one batch */
    int32_t *order;      /* the rows in the order of an epoch, and the same on the device */
    clgrad_tensor order_on_device;
    clgrad_tensor losses; /* [steps], one for each step of an epoch */
    size_t batch, steps;  /* rows of a batch, and steps of an epoch, the last one as small as it comes */
} train_session;

/* A batch, ready to train on. */
typedef struct train_batch {
    clgrad_tensor x, target;
    clgrad_tensor loss; /* where its loss goes */
    size_t rows;
} train_batch;

/* What the test gave. The caller frees prediction. */
typedef struct train_result {
    double loss;
    float *prediction; /* [test rows, outputs] */
} train_result;

/* False, and the context's sentence, unless status is SUCCESS. */
bool train_succeeded(clgrad_context *context, clgrad_status status, clgrad_message *message);

/*
 * Build the network and send the data. The session is all zero after a failure, and destroying that is fine.
 * test may be NULL, for a session that is not going to be tested.
 */
bool train_session_create(clgrad_context *context, const train_options *options, const dataset *train,
                          const dataset *test, train_session *session, clgrad_message *message);
void train_session_destroy(train_session *session);

/* Shuffle the training rows; the order depends on the seed and the epoch alone. */
bool train_session_shuffle(train_session *session, uint64_t seed, size_t epoch, clgrad_message *message);

/* Gather the batch of one step, counted from 0 in each epoch. It is valid until the next is gathered. */
bool train_session_gather(train_session *session, size_t step, train_batch *batch, clgrad_message *message);

/* The losses of count steps from first on, each times its number of rows, added up. Waits for them. */
bool train_session_loss_sum(train_session *session, size_t first, size_t count, double *sum,
                            clgrad_message *message);

/* Predict the test part. */
bool train_session_test(train_session *session, train_result *result, clgrad_message *message);

#endif
