/*
 * Elementary functions as activations: exponential, logarithm and powers. Outside a function's domain the
 * result is NaN, as ISO C's is.
 */
#include "activation_formula.h"

/* PyTorch torch.exp. */
double clgrad_ref_exp(const clgrad_activation *activation, double x)
{
    (void)activation;
    return exp(x);
}

double clgrad_ref_exp_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return exp(x);
}

/* PyTorch torch.log, whose derivative is 1 / x left of 0 too. */
double clgrad_ref_log(const clgrad_activation *activation, double x)
{
    (void)activation;
    return log(x);
}

double clgrad_ref_log_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return 1 / x;
}

/* PyTorch torch.square. */
double clgrad_ref_square(const clgrad_activation *activation, double x)
{
    (void)activation;
    return x * x;
}

double clgrad_ref_square_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return 2 * x;
}

/* PyTorch torch.sqrt. */
double clgrad_ref_sqrt(const clgrad_activation *activation, double x)
{
    (void)activation;
    return sqrt(x);
}

double clgrad_ref_sqrt_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return 1 / (2 * sqrt(x));
}

/* PyTorch torch.pow with a number for exponent; ISO C's pow. x^0 is the constant 1. The derivative of an even
 * power is odd, also where the exponent is so large that taking 1 away leaves the same double. */
double clgrad_ref_pow(const clgrad_activation *activation, double x)
{
    return pow(x, activation->exponent);
}

double clgrad_ref_pow_derivative(const clgrad_activation *activation, double x)
{
    const double exponent = activation->exponent;
    if (exponent == 0)
        return 0;
    if (x < 0 && isfinite(x) && exponent != floor(exponent))
        return NAN; /* as x^exponent is; exponent - 1 may round to a whole number */
    if (fmod(exponent, 2) != 0)
        return exponent * pow(x, exponent - 1);
    const double slope = exponent * pow(fabs(x), exponent - 1);
    return signbit(x) ? -slope : slope;
}
