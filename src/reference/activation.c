/*
 * Activations and their derivatives, one number at a time: the table of the formulas, which stand in
 * activation_pieces.c, activation_smooth.c and activation_powers.c, and the backend's calls.
 */
#include "activation_formula.h"

#include "../internal.h"

typedef double formula(const clgrad_activation *activation, double x);

static const struct {
    formula *value, *derivative;
    bool masks;
} formulas[] = {
#define ROW(value, identifier, name, PARAMETERS, constraint, constraint_text, forward_ulp, backward_ulp, \
            backward_floor, masks, ...)                                                                  \
    [value] = {clgrad_ref_##name, clgrad_ref_##name##_derivative, masks},
    CLGRAD_ACTIVATION_LIST(ROW)
#undef ROW
};

double clgrad_ref_activate(const clgrad_activation *activation, double x)
{
    return isnan(x) ? x : formulas[activation->kind].value(activation, x);
}

double clgrad_ref_activate_derivative(const clgrad_activation *activation, double x)
{
    return isnan(x) ? x : formulas[activation->kind].derivative(activation, x);
}

double clgrad_ref_activate_backward(const clgrad_activation *activation, double x, double dy)
{
    double derivative = clgrad_ref_activate_derivative(activation, x);
    if (activation->given_output && activation->kind == CLGRAD_ACTIVATION_EXP)
        derivative = x; /* exp' = exp */
    if (activation->given_output && activation->kind == CLGRAD_ACTIVATION_SQRT)
        derivative = 1 / (2 * x); /* with y^2 = x, 2 y y' = 1 */
    /* where PyTorch's backward pass selects, there is no NaN from 0 times infinity */
    if (formulas[activation->kind].masks && derivative == 0)
        return 0;
    return dy * derivative;
}

static clgrad_status activation_forward(clgrad_context *context, const clgrad_activation *activation,
                                        clgrad_tensor x, clgrad_tensor y)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *y64 = clgrad_ref_allocate(&arrays, y);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        size_t count = clgrad_tensor_count(x);
        for (size_t i = 0; i < count; i++)
            y64[i] = clgrad_ref_activate(activation, x64[i]);
        clgrad_ref_store(y64, y);
    }
    return clgrad_ref_arrays_free(&arrays);
}

static clgrad_status activation_backward(clgrad_context *context, const clgrad_activation *activation,
                                         clgrad_tensor x, clgrad_tensor dy, clgrad_tensor dx)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *dy64 = clgrad_ref_load(&arrays, dy);
    double *dx64 = clgrad_ref_allocate(&arrays, dx);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        size_t count = clgrad_tensor_count(x);
        for (size_t i = 0; i < count; i++)
            dx64[i] = clgrad_ref_activate_backward(activation, x64[i], dy64[i]);
        clgrad_ref_store(dx64, dx);
    }
    return clgrad_ref_arrays_free(&arrays);
}

const clgrad_activation_functions clgrad_ref_activation_functions = {
    .forward = activation_forward,
    .backward = activation_backward,
};
