/*
 * The pictures that the options ask for, from what a training has come to. Drawn by plot/, which knows
 * nothing of it.
 *
 * False, and a sentence, where one cannot be drawn or written.
 */
#ifndef TRAIN_PICTURES_H
#define TRAIN_PICTURES_H

#include "train_history.h"

/* Loss and accuracy by epoch, as far as there are any. */
bool train_pictures_curves(const train_session *session, const train_history *history,
                           clgrad_message *message);

/* One of what the test has come to, if it is asked for: confusion matrix, decision boundary, what is
 * misclassified. */
bool train_pictures_result(train_picture picture, train_session *session, const dataset_pair *data,
                           const train_result *result, clgrad_message *message);

#endif
