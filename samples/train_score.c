#include "train_score.h"

#include "train_common.h"
#include "train_target.h"

#include <math.h>

size_t train_score_class(const dataset *set, const train_result *result, size_t row)
{
    return train_predicted_class(&result->loss_kind, result->prediction + row * result->outputs,
                                 set->class_count);
}

train_score train_score_of(const dataset *set, const train_result *result)
{
    train_score score = {.loss = result->loss, .accuracy = NAN, .rmse = NAN};
    if (set->class_count > 0) {
        for (size_t i = 0; i < set->rows; i++)
            score.right += train_score_class(set, result, i) == (size_t)set->classes[i];
        score.accuracy = 100.0 * (double)score.right / (double)set->rows;
        return score;
    }
    double sum = 0;
    for (size_t i = 0; i < set->rows; i++) {
        const double truth = (double)set->y[i] * set->y_std + set->y_mean;
        const double difference =
            train_predicted_number(&result->loss_kind, set, result->prediction[i]) - truth;
        sum += difference * difference;
    }
    score.rmse = sqrt(sum / (double)set->rows);
    return score;
}

size_t *train_score_confusion(const dataset *set, const train_result *result, clgrad_message *message)
{
    const size_t classes = set->class_count;
    size_t *counts = train_allocate(classes * classes, sizeof *counts, message);
    for (size_t i = 0; counts != NULL && i < set->rows; i++)
        counts[(size_t)set->classes[i] * classes + train_score_class(set, result, i)]++;
    return counts;
}
