/*
 * Optimizers that divide the gradient by a root of its squares' sum or average: Adagrad, Adadelta, RMSprop.
 */
#include "optimizer_formula.h"

#include <math.h>

/* PyTorch optim.Adagrad; Duchi, Hazan, Singer, "Adaptive subgradient methods", 2011. */
void clgrad_ref_optimizer_adagrad(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                  const double *gradient, double *parameters, double *state, size_t stride)
{
    const double lr = optimizer->lr / (1 + (double)(step - 1) * optimizer->lr_decay);
    double *sum = state;
    (void)stride;

    for (size_t i = 0; i < count; i++) {
        const double g = clgrad_ref_descent_decayed(optimizer, gradient[i], parameters[i]);
        sum[i] += g * g;
        parameters[i] -= lr * g / (sqrt(sum[i]) + optimizer->eps);
    }
}

/* PyTorch optim.Adadelta; Zeiler, "ADADELTA: an adaptive learning rate method", 2012. */
void clgrad_ref_optimizer_adadelta(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                   const double *gradient, double *parameters, double *state, size_t stride)
{
    const double rho = optimizer->rho;
    const double eps = optimizer->eps;
    double *v = state, *u = state + stride;
    (void)step;

    for (size_t i = 0; i < count; i++) {
        const double g = clgrad_ref_descent_decayed(optimizer, gradient[i], parameters[i]);
        v[i] = v[i] * rho + g * g * (1 - rho);
        const double delta = sqrt(u[i] + eps) / sqrt(v[i] + eps) * g;
        u[i] = u[i] * rho + delta * delta * (1 - rho);
        parameters[i] -= optimizer->lr * delta;
    }
}

/*
 * PyTorch optim.RMSprop; Hinton, "Neural networks for machine learning", lecture 6, 2012; centered: Graves,
 * "Generating sequences with recurrent neural networks", 2013, equations 38 to 41. Centered, the state keeps
 * the variance v - a^2 in v's place, since float32 numbers for v and a would not tell it where it is small,
 * and updates it as Finch, "Incremental calculation of weighted mean and variance", 2009, section 9: with the
 * average a before and a' = alpha a + (1 - alpha) g after the step, v' - a'^2 is
 * alpha (v - a^2) + alpha (1 - alpha) (g - a)^2. Slots: v or the variance, then b with momentum, then a.
 */
void clgrad_ref_optimizer_rmsprop(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                  const double *gradient, double *parameters, double *state, size_t stride)
{
    const double alpha = optimizer->alpha, momentum = optimizer->momentum;
    double *variance = state, *b = state + stride, *average = state + (momentum > 0 ? 2 : 1) * stride;
    (void)step;

    for (size_t i = 0; i < count; i++) {
        const double g = clgrad_ref_descent_decayed(optimizer, gradient[i], parameters[i]);
        if (optimizer->centered) {
            const double deviation = g - average[i];
            variance[i] = alpha * (variance[i] + (1 - alpha) * deviation * deviation);
            average[i] = alpha * average[i] + (1 - alpha) * g;
        } else {
            variance[i] = alpha * variance[i] + (1 - alpha) * g * g;
        }
        double d = g / (sqrt(variance[i]) + optimizer->eps);
        if (momentum > 0)
            d = b[i] = momentum * b[i] + d;
        parameters[i] -= optimizer->lr * d;
    }
}
