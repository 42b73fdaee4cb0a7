/*
 * The formulas of the list, f and f' of one number. They stand in three files, by kind, and are called
 * through clgrad_ref_activate and clgrad_ref_activate_derivative, which have dealt with NaN: no formula sees
 * one.
 */
#ifndef CLGRAD_REFERENCE_ACTIVATION_FORMULA_H
#define CLGRAD_REFERENCE_ACTIVATION_FORMULA_H

#include "reference.h"

#include <math.h>

#define ROW(value, identifier, name, ...)                                    \
    double clgrad_ref_##name(const clgrad_activation *activation, double x); \
    double clgrad_ref_##name##_derivative(const clgrad_activation *activation, double x);
CLGRAD_ACTIVATION_LIST(ROW)
#undef ROW

/* a b, where b is 0, or falls to 0 faster than |a| grows, even if a is infinite: the limit is 0, not NaN. */
static inline double clgrad_ref_vanishing_product(double a, double b)
{
    return b == 0 ? 0 : a * b;
}

/* 1 / (1 + exp(-x)). For negative x numerator and denominator are multiplied by exp(x) (DLMF 4.2), so that
 * the exponent is never positive: nothing overflows, and both tails keep their relative accuracy. */
static inline double clgrad_ref_logistic(double x)
{
    const double e = exp(-fabs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

#endif
