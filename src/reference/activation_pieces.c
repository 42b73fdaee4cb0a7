/*
 * Activations made of straight pieces. The derivative at a kink is PyTorch's.
 */
#include "activation_formula.h"

/* PyTorch nn.Identity. */
double clgrad_ref_identity(const clgrad_activation *activation, double x)
{
    (void)activation;
    return x;
}

double clgrad_ref_identity_derivative(const clgrad_activation *activation, double x)
{
    (void)activation, (void)x;
    return 1;
}

/* PyTorch nn.ReLU: max(x, 0), with derivative 0 at the kink. */
double clgrad_ref_relu(const clgrad_activation *activation, double x)
{
    (void)activation;
    return fmax(x, 0);
}

double clgrad_ref_relu_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return x > 0 ? 1 : 0;
}

/* PyTorch nn.ReLU6: min(max(x, 0), 6), with derivative 0 at both kinks. */
double clgrad_ref_relu6(const clgrad_activation *activation, double x)
{
    (void)activation;
    return fmin(fmax(x, 0), 6);
}

double clgrad_ref_relu6_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return x > 0 && x < 6 ? 1 : 0;
}

/* PyTorch nn.LeakyReLU, with derivative negative_slope at the kink. A slope of 0 is relu, whose limit at
 * -infinity is 0. */
double clgrad_ref_leaky_relu(const clgrad_activation *activation, double x)
{
    return x > 0 ? x : clgrad_ref_vanishing_product(x, activation->negative_slope);
}

double clgrad_ref_leaky_relu_derivative(const clgrad_activation *activation, double x)
{
    return x > 0 ? 1 : activation->negative_slope;
}

/* PyTorch nn.RReLU in evaluation: leaky_relu with the mean of the slopes that training draws from. */
static double mean_slope(const clgrad_activation *activation)
{
    return ((double)activation->lower + (double)activation->upper) / 2;
}

double clgrad_ref_rrelu(const clgrad_activation *activation, double x)
{
    return x > 0 ? x : clgrad_ref_vanishing_product(x, mean_slope(activation));
}

double clgrad_ref_rrelu_derivative(const clgrad_activation *activation, double x)
{
    return x > 0 ? 1 : mean_slope(activation);
}

/* PyTorch nn.Softshrink: towards 0 by lambd, with derivative 0 at both kinks. */
double clgrad_ref_softshrink(const clgrad_activation *activation, double x)
{
    const double lambd = activation->lambd;
    return x > lambd ? x - lambd : x < -lambd ? x + lambd : 0;
}

double clgrad_ref_softshrink_derivative(const clgrad_activation *activation, double x)
{
    return fabs(x) > (double)activation->lambd ? 1 : 0;
}

/* PyTorch nn.Hardshrink: x outside [-lambd, lambd], else 0. */
double clgrad_ref_hardshrink(const clgrad_activation *activation, double x)
{
    return fabs(x) > (double)activation->lambd ? x : 0;
}

double clgrad_ref_hardshrink_derivative(const clgrad_activation *activation, double x)
{
    return fabs(x) > (double)activation->lambd ? 1 : 0;
}

/* PyTorch nn.Threshold: x above the threshold, else value. */
double clgrad_ref_threshold(const clgrad_activation *activation, double x)
{
    return x > (double)activation->threshold ? x : activation->value;
}

double clgrad_ref_threshold_derivative(const clgrad_activation *activation, double x)
{
    return x > (double)activation->threshold ? 1 : 0;
}

/* PyTorch nn.Hardtanh: the nearest number of [min_val, max_val], with derivative 0 at both kinks. */
double clgrad_ref_hardtanh(const clgrad_activation *activation, double x)
{
    return fmin(fmax(x, activation->min_val), activation->max_val);
}

double clgrad_ref_hardtanh_derivative(const clgrad_activation *activation, double x)
{
    return x > (double)activation->min_val && x < (double)activation->max_val ? 1 : 0;
}

/* PyTorch torch.clamp: the nearest number of [min, max]. Up to PyTorch 2.13 the derivative at min and max was
 * 1, since then it is 0. */
double clgrad_ref_clamp(const clgrad_activation *activation, double x)
{
    return fmin(fmax(x, activation->min), activation->max);
}

double clgrad_ref_clamp_derivative(const clgrad_activation *activation, double x)
{
    return x > (double)activation->min && x < (double)activation->max ? 1 : 0;
}

/* PyTorch nn.Hardsigmoid: min(max(x / 6 + 1 / 2, 0), 1), as (x + 3) / 6, which does not cancel near -3. */
double clgrad_ref_hardsigmoid(const clgrad_activation *activation, double x)
{
    (void)activation;
    return fmin(fmax(x + 3, 0), 6) / 6;
}

double clgrad_ref_hardsigmoid_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return x > -3 && x < 3 ? 1.0 / 6 : 0;
}

/* PyTorch nn.Hardswish (Howard et al. 2019): x times hardsigmoid(x). The derivative between the kinks is
 * x / 3 + 1 / 2; it is that of the straight pieces at them. */
double clgrad_ref_hardswish(const clgrad_activation *activation, double x)
{
    return x < 3 ? clgrad_ref_vanishing_product(x, clgrad_ref_hardsigmoid(activation, x)) : x;
}

double clgrad_ref_hardswish_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
}

/* PyTorch torch.abs, whose derivative is the sign: 0 at 0. */
double clgrad_ref_abs(const clgrad_activation *activation, double x)
{
    (void)activation;
    return fabs(x);
}

double clgrad_ref_abs_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return x > 0 ? 1 : x < 0 ? -1 : 0;
}

/* oneDNN eltwise_linear: alpha x + beta, the constant beta where alpha is 0. */
double clgrad_ref_linear(const clgrad_activation *activation, double x)
{
    return clgrad_ref_vanishing_product(x, activation->alpha) + (double)activation->beta;
}

double clgrad_ref_linear_derivative(const clgrad_activation *activation, double x)
{
    (void)x;
    return activation->alpha;
}
