/*
 * How good a prediction is: the same figures for what is printed, logged and drawn.
 */
#ifndef TRAIN_SCORE_H
#define TRAIN_SCORE_H

#include "train_session.h"

typedef struct train_score {
    double loss;
    size_t right;    /* rows of a classification */
    double accuracy; /* their share in per cent; NAN for a regression */
    double rmse;     /* root of the mean squared error in the target's own units; NAN for a classification */
} train_score;

train_score train_score_of(const dataset *set, const train_result *result);

/* The class that is predicted for a row. */
size_t train_score_class(const dataset *set, const train_result *result, size_t row);

/* The confusion matrix, counts[true class * classes + predicted class]. The caller frees it; NULL, and a
 * sentence, where there is no memory. */
size_t *train_score_confusion(const dataset *set, const train_result *result, clgrad_message *message);

#endif
