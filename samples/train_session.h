/*
 * A network and its data on one device: the whole training part lies there, and each batch is gathered from
 * it by a slice of the epoch's order, so that nothing but that order is sent while it trains.
 *
 * Every function here returns false, and leaves a sentence, after a failure.
 */
#ifndef TRAIN_SESSION_H
#define TRAIN_SESSION_H

#include "train_common.h"
#include "train_options.h"
#include "train_schedule.h"

/* Rows of data on the device. */
typedef struct train_rows {
    size_t count;
    clgrad_tensor x;           /* [count, features] */
    clgrad_loss_inputs inputs; /* what the loss wants besides the prediction, but for the weights */
} train_rows;

typedef struct train_session {
    clgrad_context *context; /* the caller's */
    const train_options *options;
    clgrad_network *network;
    train_pace pace;
    size_t outputs;                   /* width of the output layer */
    train_rows data;                  /* the training part */
    train_rows test;                  /* nothing where the session was made without it */
    train_rows gathered;              /* room for one batch */
    clgrad_tensor weight, pos_weight; /* absent where there are none */
    int32_t *order;                   /* the rows in the order of an epoch, and the same on the device */
    clgrad_tensor order_on_device;
    clgrad_tensor losses; /* [batches], one for each batch of an epoch */
    size_t batch;         /* rows of a batch; the last one is as small as it comes (see rows_of) */
    size_t batches;       /* of an epoch */
} train_session;

/* What the network makes of the training or the test part. The caller frees prediction. */
typedef struct train_result {
    double loss;
    clgrad_loss loss_kind;
    size_t outputs;
    float *prediction; /* [rows, outputs] */
} train_result;

/*
 * Build the network and send the data. The session is all zero after a failure, and destroying that is fine.
 * test may be NULL, for a session that is not going to be tested. The options stay the caller's.
 */
bool train_session_create(clgrad_context *context, const train_options *options, const dataset *train,
                          const dataset *test, train_session *session, clgrad_message *message);
void train_session_destroy(train_session *session);

/* Shuffle the training rows; the order depends on the seed and the epoch alone. */
bool train_session_shuffle(train_session *session, size_t epoch, clgrad_message *message);

/*
 * Train on one batch, counted from 0 in each epoch: gather it, and after the last of those that go into one
 * step, take that. rows receives how many it has; its loss is session->losses' element of that number.
 */
bool train_session_batch(train_session *session, size_t epoch, size_t batch, size_t *rows,
                         clgrad_message *message);

/* Add the losses of count batches from first on, each times its number of rows, to a sum: one by one, so that
 * it does not matter how many calls that takes. Waits for them. */
bool train_session_loss_sum(train_session *session, size_t first, size_t count, double *sum,
                            clgrad_message *message);

/* Predict a part of the data, session->data or session->test, as the network is now, and take its loss. */
bool train_session_evaluate(train_session *session, const train_rows *rows, train_result *result,
                            clgrad_message *message);

/* Predict other rows: x is [rows, features], prediction [rows, outputs]. */
bool train_session_predict(train_session *session, const float *x, size_t rows, float *prediction,
                           clgrad_message *message);

/* The network's layers in words, "784 -> 256 relu -> dropout p=0.2 -> 10", appended to a text of
 * TRAIN_LINE_SIZE. Parameters at their defaults are left out. */
void train_session_describe(const train_session *session, size_t features, char *text);

/* Layers in words, " -> 256 relu -> dropout p=0.2", appended likewise. */
void train_describe_layers(char *text, const clgrad_layer *layers, size_t count);

#endif
