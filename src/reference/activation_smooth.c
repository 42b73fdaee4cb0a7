/*
 * Activations made of exponentials, bounded ones and smooth rectifiers, in forms that keep their relative
 * accuracy in both tails.
 */
#include "activation_formula.h"

#define SQRT_HALF 0.70710678118654752440
#define SQRT_2_OVER_PI 0.79788456080286535588 /* sqrt(2 / pi) */

/* PyTorch nn.Sigmoid. The derivative exp(-x) / (1 + exp(-x))^2 is even in x. */
double clgrad_ref_sigmoid(const clgrad_activation *activation, double x)
{
    (void)activation;
    return clgrad_ref_logistic(x);
}

double clgrad_ref_sigmoid_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    const double e = exp(-fabs(x));
    return e / ((1 + e) * (1 + e));
}

/*
 * PyTorch nn.Tanh; ISO C's tanh. The derivative is 1 / cosh(x)^2 (DLMF 4.34), even in x; with cosh(x) =
 * (exp(x) + exp(-x)) / 2 (DLMF 4.28) and numerator and denominator multiplied by exp(-2|x|), again without a
 * positive exponent.
 */
double clgrad_ref_tanh(const clgrad_activation *activation, double x)
{
    (void)activation;
    return tanh(x);
}

double clgrad_ref_tanh_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    const double e = exp(-2 * fabs(x));
    return 4 * e / ((1 + e) * (1 + e));
}

/* PyTorch nn.Softsign: x / (1 + |x|), whose limits are -1 and 1. */
double clgrad_ref_softsign(const clgrad_activation *activation, double x)
{
    (void)activation;
    return isinf(x) ? copysign(1, x) : x / (1 + fabs(x));
}

double clgrad_ref_softsign_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return 1 / ((1 + fabs(x)) * (1 + fabs(x)));
}

/*
 * PyTorch nn.Tanhshrink: x - tanh(x) = (x cosh(x) - sinh(x)) / cosh(x). Near 0 the difference cancels; but
 * the numerator's power series is the sum of 2 k x^(2 k + 1) / (2 k + 1)! over k >= 1 (from DLMF 4.33.1
 * and 4.33.2), all of one sign. The derivative is 1 - 1 / cosh(x)^2 = tanh(x)^2.
 */
double clgrad_ref_tanhshrink(const clgrad_activation *activation, double x)
{
    (void)activation;
    if (fabs(x) > 1)
        return x - tanh(x);
    double power = x, sum = 0; /* power is x^(2 k + 1) / (2 k + 1)! */
    for (int k = 1; k <= 10; k++) {
        power *= x * x / (2 * k * (2 * k + 1));
        sum += 2 * k * power;
    }
    return sum / cosh(x);
}

double clgrad_ref_tanhshrink_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return tanh(x) * tanh(x);
}

/* PyTorch nn.ELU (Clevert, Unterthiner, Hochreiter 2016), with derivative alpha at the kink. */
double clgrad_ref_elu(const clgrad_activation *activation, double x)
{
    return x > 0 ? x : (double)activation->alpha * expm1(x);
}

double clgrad_ref_elu_derivative(const clgrad_activation *activation, double x)
{
    return x > 0 ? 1 : (double)activation->alpha * exp(x);
}

/* PyTorch nn.CELU (Barron 2017): its derivative is continuous. */
double clgrad_ref_celu(const clgrad_activation *activation, double x)
{
    const double alpha = activation->alpha;
    return x > 0 ? x : alpha * expm1(x / alpha);
}

double clgrad_ref_celu_derivative(const clgrad_activation *activation, double x)
{
    return x > 0 ? 1 : exp(x / (double)activation->alpha);
}

/* PyTorch nn.SELU (Klambauer et al. 2017): a scaled elu, with the negative side's derivative at the kink. */
static const double selu_scale = 1.0507009873554804934, selu_alpha = 1.6732632423543772848;

double clgrad_ref_selu(const clgrad_activation *activation, double x)
{
    (void)activation;
    return selu_scale * (x > 0 ? x : selu_alpha * expm1(x));
}

double clgrad_ref_selu_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return selu_scale * (x > 0 ? 1 : selu_alpha * exp(x));
}

/*
 * PyTorch nn.GELU (Hendrycks and Gimpel 2016): x Phi(x), where the normal distribution function Phi(x) =
 * erfc(-x / sqrt(2)) / 2 (DLMF 7.2; 1 + erf would lose its left tail) has the density
 * exp(-x^2 / 2) / sqrt(2 pi).
 */
static double normal_distribution(double x)
{
    return erfc(-x * SQRT_HALF) / 2;
}

double clgrad_ref_gelu(const clgrad_activation *activation, double x)
{
    (void)activation;
    return clgrad_ref_vanishing_product(x, normal_distribution(x));
}

double clgrad_ref_gelu_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    const double density = SQRT_2_OVER_PI / 2 * exp(-x * x / 2);
    return normal_distribution(x) + clgrad_ref_vanishing_product(x, density);
}

/*
 * PyTorch nn.GELU(approximate='tanh'): x (1 + tanh(u)) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3). With s =
 * (1 + tanh(u)) / 2 = 1 / (1 + exp(-2 u)), which keeps its left tail, 1 / cosh(u)^2 is 4 s (1 - s); 1 - s is
 * s at -u.
 */
static double twice_u(double x)
{
    return 2 * SQRT_2_OVER_PI * (x + 0.044715 * x * x * x);
}

double clgrad_ref_gelu_tanh(const clgrad_activation *activation, double x)
{
    (void)activation;
    return clgrad_ref_vanishing_product(x, clgrad_ref_logistic(twice_u(x)));
}

double clgrad_ref_gelu_tanh_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    const double s = clgrad_ref_logistic(twice_u(x)), rest = clgrad_ref_logistic(-twice_u(x));
    const double slope = SQRT_2_OVER_PI * (1 + 3 * 0.044715 * x * x); /* of u */
    return s + clgrad_ref_vanishing_product(2 * x * slope, s * rest);
}

/* PyTorch nn.SiLU (Elfwing, Uchibe, Doya 2018): x s with s = 1 / (1 + exp(-x)) and s' = s (1 - s). */
double clgrad_ref_silu(const clgrad_activation *activation, double x)
{
    (void)activation;
    return clgrad_ref_vanishing_product(x, clgrad_ref_logistic(x));
}

double clgrad_ref_silu_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    const double s = clgrad_ref_logistic(x), rest = clgrad_ref_logistic(-x);
    return s + clgrad_ref_vanishing_product(x, s * rest);
}

/*
 * PyTorch nn.Mish (Misra 2019): x t with t = tanh(log(1 + exp(x))) = ((1 + exp(x))^2 - 1) / ((1 + exp(x))^2 +
 * 1), the definition of tanh at a logarithm. Below as a fraction of two sums of positive terms; 1 - t has the
 * same denominator.
 */
typedef struct fraction {
    double t, rest; /* t and 1 - t */
} fraction;

static fraction tanh_of_softplus(double x)
{
    const double e = exp(-fabs(x));
    if (x < 0)
        return (fraction){e * (e + 2) / (e * (e + 2) + 2), 2 / (e * (e + 2) + 2)};
    const double denominator = 1 + 2 * e + 2 * e * e; /* multiplied by exp(-x)^2 */
    return (fraction){(1 + 2 * e) / denominator, 2 * e * e / denominator};
}

double clgrad_ref_mish(const clgrad_activation *activation, double x)
{
    (void)activation;
    return clgrad_ref_vanishing_product(x, tanh_of_softplus(x).t);
}

/* log(1 + exp(x)) has the derivative 1 / (1 + exp(-x)), and tanh has 1 - tanh^2 = (1 - tanh) (1 + tanh). */
double clgrad_ref_mish_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    const fraction f = tanh_of_softplus(x);
    return f.t + clgrad_ref_vanishing_product(x, clgrad_ref_logistic(x) * f.rest * (1 + f.t));
}

/* log(1 + exp(x)); the exponential is taken out of the sum where it is large. */
static double log_of_one_plus_exp(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

/* PyTorch nn.Softplus, which goes over to x at the threshold. */
double clgrad_ref_softplus(const clgrad_activation *activation, double x)
{
    const double z = (double)activation->beta * x;
    return z > (double)activation->threshold ? x : log_of_one_plus_exp(z) / (double)activation->beta;
}

double clgrad_ref_softplus_derivative(const clgrad_activation *activation, double x)
{
    const double z = (double)activation->beta * x;
    return z > (double)activation->threshold ? 1 : clgrad_ref_logistic(z);
}

/* PyTorch nn.LogSigmoid: -log(1 + exp(-x)). */
double clgrad_ref_logsigmoid(const clgrad_activation *activation, double x)
{
    (void)activation;
    return -log_of_one_plus_exp(-x);
}

double clgrad_ref_logsigmoid_derivative(const clgrad_activation *activation, double x)
{
    (void)activation;
    return clgrad_ref_logistic(-x);
}
