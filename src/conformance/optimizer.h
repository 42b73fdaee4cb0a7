/*
 * What an optimizer's step adds up, for its bound. The tests of optimizers use the same sums.
 */
#ifndef CLGRAD_CONFORMANCE_OPTIMIZER_H
#define CLGRAD_CONFORMANCE_OPTIMIZER_H

#include <clgrad/clgrad.h>

/* Whether weight decay is taken off the parameter directly, instead of being part of the gradient. */
bool clgrad_conf_is_decoupled(const clgrad_optimizer *optimizer);

/* g as the formulas have it, and the sum of the absolute values of its terms. */
double clgrad_conf_descent(const clgrad_optimizer *optimizer, double gradient, double parameter);
double clgrad_conf_descent_terms(const clgrad_optimizer *optimizer, double gradient, double parameter);

/*
 * The sums of the absolute values of what is added to make count new parameters and their new state. Before
 * step 1 the state is ignored. False, and nothing done, for an optimizer whose update is a positive multiple
 * of averages of g, divided by something that depends on abs g alone: there a step from the parameter 0 with
 * the absolute values of all that enters adds them up.
 */
bool clgrad_conf_optimizer_terms(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                 const double *gradient, const double *parameters, const double *state,
                                 double *parameter_terms, double *state_terms);

#endif
