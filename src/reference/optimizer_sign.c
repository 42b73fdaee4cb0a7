/*
 * Optimizers that use the gradient's sign alone, or that of an average.
 */
#include "optimizer_formula.h"

#include <math.h>

/* 1, 0 or -1; NaN for NaN. */
static double sign(double x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}

/*
 * PyTorch optim.Rprop; Riedmiller and Braun, "A direct adaptive method for faster backpropagation learning:
 * the RPROP algorithm", 1993. As in PyTorch's box a gradient that has changed its sign counts as 0, so that
 * the parameter rests for that step and the next has no sign to compare with. The signs are compared by
 * themselves, since the product of two gradients, which the box looks at, may vanish. The box bounds a step
 * size that grows from above and one that shrinks from below; PyTorch bounds it on both sides at every step,
 * and so does this (they differ where lr lies outside the bounds).
 */
void clgrad_ref_optimizer_rprop(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                const double *gradient, double *parameters, double *state, size_t stride)
{
    double *previous = state, *size = state + stride;
    (void)step;

    for (size_t i = 0; i < count; i++) {
        double g = clgrad_ref_descent(optimizer, gradient[i]);
        const double turn = sign(previous[i]) * sign(g);
        const double factor = turn > 0 ? optimizer->etaplus : turn < 0 ? optimizer->etaminus : 1;
        size[i] = fmin(fmax(size[i] * factor, optimizer->step_min), optimizer->step_max);
        if (turn < 0)
            g = 0;
        parameters[i] -= sign(g) * size[i];
        previous[i] = g;
    }
}

/*
 * Chen et al., "Symbolic discovery of optimization algorithms", 2023, algorithm 2: beta1 mixes the gradient
 * into the update, beta2 into the momentum that is kept.
 */
void clgrad_ref_optimizer_lion(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                               const double *gradient, double *parameters, double *state, size_t stride)
{
    const double lr = optimizer->lr;
    const double beta1 = optimizer->beta1, beta2 = optimizer->beta2;
    double *m = state;
    (void)step;
    (void)stride;

    for (size_t i = 0; i < count; i++) {
        const double g = clgrad_ref_descent(optimizer, gradient[i]);
        const double c = beta1 * m[i] + (1 - beta1) * g;
        parameters[i] = (1 - lr * optimizer->weight_decay) * parameters[i] - lr * sign(c);
        m[i] = beta2 * m[i] + (1 - beta2) * g;
    }
}
