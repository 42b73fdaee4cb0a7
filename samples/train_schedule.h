/*
 * The learning rate from step to step: a linear warm-up (of n steps: lr / n, 2 lr / n, ... lr), then the
 * schedule that was chosen, counted in epochs (one_cycle: in steps) from the end of the warm-up.
 */
#ifndef TRAIN_SCHEDULE_H
#define TRAIN_SCHEDULE_H

#include "train_options.h"

typedef struct train_pace {
    double lr;                /* the base rate */
    clgrad_schedule warmup;   /* counted in steps */
    size_t warmup_epochs;     /* 0: none */
    clgrad_schedule schedule; /* its length set */
    clgrad_plateau plateau;   /* what reduce_on_plateau remembers */
    size_t steps;             /* of an epoch */
} train_pace;

/* For so many steps of the optimizer in an epoch. False, and a sentence, where a schedule cannot count them.
 */
bool train_pace_begin(const train_options *options, size_t steps, train_pace *pace, clgrad_message *message);

/* The rate of a step, counted from 0 in each epoch. */
double train_pace_lr(const train_pace *pace, size_t epoch, size_t step);

/* An epoch is over, with this mean loss. */
void train_pace_epoch(train_pace *pace, size_t epoch, double loss);

#endif
