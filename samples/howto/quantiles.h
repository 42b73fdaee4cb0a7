/*
 * What custom_loss.c and own_kernels.c share: a network that learns between which bounds a number lies. For
 * each x there are many y, spread the more the greater x is; the network gives three quantiles of them: 10 %
 * of all y are below the first, half below the second, 90 % below the third.
 */
#ifndef QUANTILES_H
#define QUANTILES_H

#include <clgrad/clgrad.h>

enum { ROWS = 2000, QUANTILES = 3, STEPS = 200 };

extern const float quantiles[QUANTILES];

/* Everything there is: destroyed by learner_destroy. */
typedef struct learner {
    clgrad_context *context;
    clgrad_network *network;
    float numbers[ROWS][2];                /* x and y */
    clgrad_tensor x, y;                    /* [ROWS, 1] */
    clgrad_tensor prediction, dprediction; /* [ROWS, QUANTILES] */
} learner;

/* End the program where a call has failed. */
void must(clgrad_context *context, clgrad_status status);

void learner_create(learner *l);
void learner_destroy(learner *l);

/* How many y are below each of the network's quantiles. */
void print_shares(learner *l);

#endif
