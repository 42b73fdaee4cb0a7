/*
 * Optimizers that follow the gradient as it is: SGD and its averaged form.
 */
#include "optimizer_formula.h"

#include <math.h>

/*
 * PyTorch optim.SGD. Momentum as PyTorch has it: the learning rate multiplies the buffer, where Sutskever,
 * Martens, Dahl, Hinton, "On the importance of initialization and momentum in deep learning", 2013, put it
 * inside.
 */
void clgrad_ref_optimizer_sgd(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                              const double *gradient, double *parameters, double *state, size_t stride)
{
    const double lr = optimizer->lr;
    const double momentum = optimizer->momentum;
    const double dampening = optimizer->dampening;
    (void)stride;

    for (size_t i = 0; i < count; i++) {
        double g = clgrad_ref_descent_decayed(optimizer, gradient[i], parameters[i]);
        if (momentum != 0) {
            double b = step == 1 ? g : momentum * state[i] + (1 - dampening) * g;
            state[i] = b;
            g = optimizer->nesterov ? g + momentum * b : b;
        }
        parameters[i] -= lr * g;
    }
}

/*
 * PyTorch optim.ASGD, whose documentation names its parameters (decay term, power for the update of eta, the
 * point at which averaging starts) and cites Polyak and Juditsky, "Acceleration of stochastic approximation
 * by averaging", 1992. The schedule is Bottou's: eta_t = lr / (1 + lambd lr t)^alpha ("Stochastic gradient
 * descent tricks", 2012, sections 5.2 and 5.3), and mu_t = 1 / max(1, t - t0) weighs the newest parameters in
 * the average. Step t uses those of t - 1: the first has eta = lr and mu = 1.
 */
void clgrad_ref_optimizer_asgd(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                               const double *gradient, double *parameters, double *state, size_t stride)
{
    const double lr = optimizer->lr;
    const double lambd = optimizer->lambd;
    const double before = (double)(step - 1);
    const double eta = lr / pow(1 + lambd * lr * before, optimizer->alpha);
    const double mu = 1 / fmax(1, before - optimizer->t0);
    (void)stride;

    for (size_t i = 0; i < count; i++) {
        double g = clgrad_ref_descent_decayed(optimizer, gradient[i], parameters[i]);
        parameters[i] = (1 - lambd * eta) * parameters[i] - eta * g;
        if (mu == 1)
            state[i] = parameters[i];
        else
            state[i] += mu * (parameters[i] - state[i]);
    }
}
