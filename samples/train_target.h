/*
 * From a data set to what each loss wants: its target, other and lengths for every row, its weights, the
 * output layer that suits it, and back from the network's output to a class or a number.
 */
#ifndef TRAIN_TARGET_H
#define TRAIN_TARGET_H

#include "train_options.h"

/* Whether the trainer can train a classification (or a regression) with a loss. */
bool train_loss_fits(clgrad_loss_kind kind, bool classification);

/* The layer after the last dense layer that makes of plain numbers what the loss takes. */
clgrad_layer train_loss_output(const clgrad_loss *loss);

/* How many outputs the network has: one for each class, or for a regression; for ctc one more, the blank. */
size_t train_loss_outputs(const clgrad_loss *loss, const dataset *set);

/* Whether the loss can learn from this data: false, and a sentence, where it cannot. */
bool train_loss_suits(const clgrad_loss *loss, const dataset *set, clgrad_message *message);

/* The parts of a loss's inputs that have an entry for each row of the data. */
#define TRAIN_ROW_INPUTS 4
void train_row_inputs(clgrad_loss_inputs *inputs, clgrad_tensor *parts[TRAIN_ROW_INPUTS]);

/*
 * Make the inputs (but prediction and weights) for all rows of a data set, on the device. After a failure,
 * false and a sentence, what has been made so far is in inputs: train_inputs_destroy takes it.
 */
bool train_inputs_create(clgrad_context *context, const clgrad_loss *loss, const dataset *set,
                         clgrad_loss_inputs *inputs, clgrad_message *message);

/* Room for a number of rows of the same inputs; weights are not among them. */
bool train_inputs_room(clgrad_context *context, const clgrad_loss_inputs *like, size_t rows,
                       clgrad_loss_inputs *inputs, clgrad_message *message);

/* The weights that the options ask for, of classes (by their numbers in train) and of positive targets. */
bool train_weights_create(clgrad_context *context, const train_options *options, const dataset *train,
                          clgrad_tensor *weight, clgrad_tensor *pos_weight, clgrad_message *message);

/* Release what has an entry for each row. */
void train_inputs_destroy(clgrad_loss_inputs *inputs);

/* The prediction [rows, outputs] as the loss wants it: a sequence has one time step. */
clgrad_tensor train_loss_prediction(const clgrad_loss *loss, clgrad_tensor prediction);

/* The class that a row of outputs speaks for. */
size_t train_predicted_class(const clgrad_loss *loss, const float *outputs, size_t classes);

/*
 * How likely a row of outputs makes each class; they add up to 1. Outputs that the loss takes for
 * probabilities are divided by their sum, of anything else it is the softmax (of distances, the softmin).
 * Outputs of which one is no number give none.
 */
void train_class_probabilities(const clgrad_loss *loss, const float *outputs, size_t classes,
                               float *probability);

/* The number that an output of a regression stands for, in the target's own units. */
double train_predicted_number(const clgrad_loss *loss, const dataset *set, float output);

#endif
