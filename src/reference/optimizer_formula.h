/*
 * The optimizers' formulas, each from the algorithm box of PyTorch's documentation, or from the paper where
 * PyTorch has none. Hyperparameters are the descriptor's floats, taken as doubles. There is no memory but
 * the state's slots: what depends on the step alone is computed from the step's number. At step 1 the state
 * holds what the box initializes it to.
 */
#ifndef CLGRAD_REFERENCE_OPTIMIZER_FORMULA_H
#define CLGRAD_REFERENCE_OPTIMIZER_FORMULA_H

#include "reference.h"

/* Arguments as of clgrad_ref_optimizer_step. */
typedef void clgrad_ref_optimizer_formula(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                          const double *gradient, double *parameters, double *state,
                                          size_t stride);

#define CLGRAD_REF_OPTIMIZER_DECLARE(value, identifier, name, ...) \
    clgrad_ref_optimizer_formula clgrad_ref_optimizer_##name;
CLGRAD_OPTIMIZER_LIST(CLGRAD_REF_OPTIMIZER_DECLARE)
#undef CLGRAD_REF_OPTIMIZER_DECLARE

/* The boxes' first lines: the gradient, or its negative, of which the former is to be minimized; and weight
 * decay where it is a part of the gradient. */
static inline double clgrad_ref_descent(const clgrad_optimizer *optimizer, double gradient)
{
    return optimizer->maximize ? -gradient : gradient;
}

static inline double clgrad_ref_descent_decayed(const clgrad_optimizer *optimizer, double gradient,
                                                double parameter)
{
    const double g = clgrad_ref_descent(optimizer, gradient);
    return optimizer->weight_decay != 0 ? g + optimizer->weight_decay * parameter : g;
}

#endif
