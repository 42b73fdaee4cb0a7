/*
 * --check: the first training steps, repeated on the reference device.
 */
#ifndef TRAIN_CHECK_H
#define TRAIN_CHECK_H

#include "train_options.h"

/*
 * The largest difference that passes, relative to the same layer on the reference (train_check.c). Single
 * precision alone gives some 1e-6, a wrong formula far more than this.
 */
#define TRAIN_CHECK_TOLERANCE 1e-4

/*
 * Train options->check_steps batches (those of the first epoch at most) on the context and on the reference,
 * from the same weights with the same batches, and print how far loss, gradients and weights are apart after
 * each. *passed tells whether all of it stayed within the tolerance. False, and a sentence, where something
 * failed.
 */
bool train_check(clgrad_context *context, const train_options *options, const dataset *train, bool *passed,
                 clgrad_message *message);

#endif
