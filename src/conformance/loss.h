/*
 * One loss on one set of numbers in host memory, and what its bound is a multiple of. The tests of losses use
 * the same sums.
 */
#ifndef CLGRAD_CONFORMANCE_LOSS_H
#define CLGRAD_CONFORMANCE_LOSS_H

#include <clgrad/clgrad.h>

/* The weights of elements, broadcast to the prediction's shape, or of classes. */
typedef struct clgrad_conf_weight {
    const float *numbers; /* NULL: none */
    int rank;
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
} clgrad_conf_weight;

/* What there is not is NULL. */
typedef struct clgrad_conf_loss_case {
    clgrad_loss loss;
    const clgrad_loss_info *info;
    int rank; /* of the prediction */
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
    const float *prediction, *target, *other;
    const int32_t *classes; /* an integer target */
    size_t room;            /* its columns, for ctc */
    const int32_t *input_lengths, *target_lengths;
    clgrad_conf_weight weight, pos_weight;
    const float *dvalue; /* NULL for ones */
} clgrad_conf_loss_case;

/* Elements of the prediction; unreduced losses; numbers that the value has; the dimensions behind the
 * classes, multiplied. */
size_t clgrad_conf_loss_count(const clgrad_conf_loss_case *c);
size_t clgrad_conf_loss_rows(const clgrad_conf_loss_case *c);
size_t clgrad_conf_loss_values(const clgrad_conf_loss_case *c);
size_t clgrad_conf_loss_inner(const clgrad_conf_loss_case *c);

/* The shape of the unreduced value; answers its rank. */
int clgrad_conf_loss_value_shape(const clgrad_conf_loss_case *c, size_t *shape);

/* Which unreduced loss an element of the prediction belongs to. */
size_t clgrad_conf_loss_row_of(const clgrad_conf_loss_case *c, size_t element);

/* What a weight of elements is for an element; 1 where there is none. */
double clgrad_conf_weight_at(const clgrad_conf_loss_case *c, const clgrad_conf_weight *weight,
                             size_t element);

/* Make operands that the loss takes of count normal numbers: some are 0 or 1 where that is special; a
 * variance is positive, and where it is not it counts as eps. */
void clgrad_conf_loss_make_prediction(const clgrad_conf_loss_case *c, float *p, size_t count);
void clgrad_conf_loss_make_target(const clgrad_conf_loss_case *c, float *t, size_t count);
void clgrad_conf_loss_make_other(const clgrad_conf_loss_case *c, float *o, size_t count);
void clgrad_conf_loss_make_weight(float *weight, size_t count);

/* Class indices, every fifth of which is ignored where that is possible; lists of labels with a -1 behind
 * them, and behind that what does not count; for ctc labels that are not the blank, some of them twice in a
 * row, and lengths that leave room for the alignment. */
void clgrad_conf_loss_make_classes(const clgrad_conf_loss_case *c, int32_t *y);
void clgrad_conf_loss_make_label_lists(const clgrad_conf_loss_case *c, int32_t *y);
void clgrad_conf_loss_make_sequences(const clgrad_conf_loss_case *c, int32_t *y, int32_t *input_lengths,
                                     int32_t *target_lengths);

/* What the sum of the losses is divided by in the reduction, and before that each row's loss (ctc). */
double clgrad_conf_loss_divisor(const clgrad_conf_loss_case *c);
double clgrad_conf_loss_own_divisor(const clgrad_conf_loss_case *c, size_t row);

/* Numbers for each of the value's and of each operand's elements; NULL where there is no such gradient. */
typedef struct clgrad_conf_sums {
    double *value, *dprediction, *dtarget, *dother;
} clgrad_conf_sums;

/*
 * What "Accuracy" in loss.h multiplies the bound by: the sum of the absolute values of each value's and each
 * gradient element's terms. Begins with the unreduced loss (reduction none, dvalue of ones) and ends with the
 * sums for the loss reduced and times dvalue; scratch has room for a row.
 */
void clgrad_conf_loss_terms(const clgrad_conf_loss_case *c, clgrad_conf_sums sums, double *scratch);

/* The part of that for losses of rows, unreduced. */
void clgrad_conf_loss_row_terms(const clgrad_conf_loss_case *c, clgrad_conf_sums sums, double *scratch);

/* How often the bound counts: the focal losses' power may amplify roundings. */
double clgrad_conf_loss_bound(const clgrad_conf_loss_case *c);

#endif
