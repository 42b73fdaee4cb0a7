/*
 * A loss that clgrad does not have: the pinball loss, whose minimum is a quantile. Its gradient is computed
 * on the host, in plain C.
 */
#include "quantiles.h"

#include <stdio.h>

// [loss]
/* The mean over all numbers of q d where d = y - prediction is above 0, else (q - 1) d; and its derivative.
 */
static double pinball(float (*numbers)[2], float (*prediction)[QUANTILES], float (*dprediction)[QUANTILES])
{
    const double count = ROWS * QUANTILES;
    double loss = 0;
    for (int i = 0; i < ROWS; i++)
        for (int k = 0; k < QUANTILES; k++) {
            const double q = (double)quantiles[k], d = (double)numbers[i][1] - (double)prediction[i][k];
            const double slope = d > 0 ? q : q - 1;
            loss += slope * d / count;
            dprediction[i][k] = (float)(-slope / count);
        }
    return loss;
}
// [loss end]

int main(void)
{
    static learner l;
    static float prediction[ROWS][QUANTILES], dprediction[ROWS][QUANTILES];
    learner_create(&l);
    // [train]
    for (int step = 0; step <= STEPS; step++) {
        must(l.context, clgrad_network_forward(l.network, l.x, l.prediction));
        must(l.context, clgrad_tensor_read(l.context, l.prediction, prediction, sizeof prediction));
        const double loss = pinball(l.numbers, prediction, dprediction);
        if (step % 50 == 0)
            printf("step %3d: loss %.3f\n", step, loss);
        must(l.context, clgrad_tensor_write(l.context, l.dprediction, dprediction, sizeof dprediction));
        must(l.context, clgrad_network_backward_from(l.network, l.x, l.dprediction, clgrad_tensor_none()));
        must(l.context, clgrad_network_step(l.network));
    }
    // [train end]
    print_shares(&l);
    learner_destroy(&l);
    return 0;
}
