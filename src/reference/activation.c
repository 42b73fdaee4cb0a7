/*
 * Activations and their derivatives, one number at a time.
 */
#include "reference.h"

#include "../internal.h"

#include <math.h>

/* PyTorch nn.Identity. */
static double ref_identity(const clgrad_activation *activation, double x)
{
    (void)activation;
    return x;
}

static double ref_identity_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return isnan(x) ? x : 1;
}

/*
 * PyTorch nn.Sigmoid: 1 / (1 + exp(-x)), and its derivative exp(-x) / (1 + exp(-x))^2, which is even in x.
 * For negative x numerator and denominator are multiplied by exp(x) (DLMF 4.2), so that the exponent is never
 * positive and nothing overflows.
 */
static double ref_sigmoid(const clgrad_activation *activation, double x)
{
    (void)activation;
    double e = exp(-fabs(x));
    return x < 0 ? e / (1 + e) : 1 / (1 + e);
}

static double ref_sigmoid_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    double e = exp(-fabs(x));
    return e / ((1 + e) * (1 + e));
}

/*
 * PyTorch nn.Tanh; ISO C's tanh. The derivative is 1 / cosh(x)^2 (DLMF 4.34), even in x; with cosh(x) =
 * (exp(x) + exp(-x)) / 2 (DLMF 4.28) and numerator and denominator multiplied by exp(-2|x|), again without a
 * positive exponent.
 */
static double ref_tanh(const clgrad_activation *activation, double x)
{
    (void)activation;
    return tanh(x);
}

static double ref_tanh_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    double e = exp(-2 * fabs(x));
    return 4 * e / ((1 + e) * (1 + e));
}

/* PyTorch nn.ReLU: max(x, 0), with derivative 0 at the kink; but ISO C's fmax would lose a NaN. */
static double ref_relu(const clgrad_activation *activation, double x)
{
    (void)activation;
    return x > 0 || isnan(x) ? x : 0;
}

static double ref_relu_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    if (isnan(x))
        return x;
    return x > 0 ? 1 : 0;
}

/* PyTorch nn.LeakyReLU, with derivative negative_slope at the kink. */
static double ref_leaky_relu(const clgrad_activation *activation, double x)
{
    if (x > 0 || isnan(x))
        return x;
    /* a slope of 0 is relu, whose limit at -inf is 0, where 0 times inf would be NaN */
    return activation->negative_slope == 0 ? 0 : activation->negative_slope * x;
}

static double ref_leaky_relu_derivative(const clgrad_activation *activation, double x)
{
    if (isnan(x))
        return x;
    return x > 0 ? 1 : activation->negative_slope;
}

typedef double formula(const clgrad_activation *activation, double x);

static const struct {
    formula *value, *derivative;
} formulas[] = {
#define ROW(value, identifier, name, ...) [value] = {ref_##name, ref_##name##_derivative},
    CLGRAD_ACTIVATION_LIST(ROW)
#undef ROW
};

double clgrad_ref_activate(const clgrad_activation *activation, double x)
{
    return formulas[activation->kind].value(activation, x);
}

double clgrad_ref_activate_derivative(const clgrad_activation *activation, double x)
{
    return formulas[activation->kind].derivative(activation, x);
}

double clgrad_ref_activate_backward(const clgrad_activation *activation, double x, double dy)
{
    double derivative = clgrad_ref_activate_derivative(activation, x);
    /* PyTorch's backward pass of relu selects where others multiply: no NaN from 0 times inf */
    if (activation->kind == CLGRAD_ACTIVATION_RELU && derivative == 0)
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
