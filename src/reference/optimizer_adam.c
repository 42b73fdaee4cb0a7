/*
 * Adam and its relatives: averages m of the gradient and v of its square, corrected for beginning at 0.
 */
#include "optimizer_formula.h"

#include <math.h>

/* 1 - beta^t, also where beta^t is so close to 1 that the difference would lose its digits. */
static double bias_correction(double beta, double t)
{
    return -expm1(t * log(beta));
}

/* The larger; NaN where either is. */
static double maximum(double a, double b)
{
    return a > b || isnan(a) ? a : b;
}

/* Where weight decay is decoupled it shrinks the parameter; else it is a part of the gradient. */
static double decay(const clgrad_optimizer *optimizer, bool decoupled, double gradient, double *parameter)
{
    if (!decoupled)
        return clgrad_ref_descent_decayed(optimizer, gradient, *parameter);
    *parameter *= 1 - (double)optimizer->lr * optimizer->weight_decay;
    return clgrad_ref_descent(optimizer, gradient);
}

static void adam(const clgrad_optimizer *optimizer, bool decoupled, uint64_t step, size_t count,
                 const double *gradient, double *parameters, double *state, size_t stride)
{
    const double beta1 = optimizer->beta1, beta2 = optimizer->beta2;
    const double correction1 = bias_correction(beta1, (double)step);
    const double correction2 = bias_correction(beta2, (double)step);
    double *m = state, *v = state + stride, *largest = state + 2 * stride;

    for (size_t i = 0; i < count; i++) {
        const double g = decay(optimizer, decoupled, gradient[i], &parameters[i]);
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        double v_hat = v[i] / correction2;
        if (optimizer->amsgrad) {
            largest[i] = maximum(largest[i], v[i]);
            v_hat = largest[i] / correction2;
        }
        parameters[i] -= optimizer->lr * (m[i] / correction1) / (sqrt(v_hat) + optimizer->eps);
    }
}

/* PyTorch optim.Adam; Kingma and Ba, "Adam: a method for stochastic optimization", 2015; amsgrad: Reddi,
 * Kale, Kumar, "On the convergence of Adam and beyond", 2018. */
void clgrad_ref_optimizer_adam(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                               const double *gradient, double *parameters, double *state, size_t stride)
{
    adam(optimizer, false, step, count, gradient, parameters, state, stride);
}

/* PyTorch optim.AdamW; Loshchilov and Hutter, "Decoupled weight decay regularization", 2019. */
void clgrad_ref_optimizer_adamw(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                const double *gradient, double *parameters, double *state, size_t stride)
{
    adam(optimizer, true, step, count, gradient, parameters, state, stride);
}

/* PyTorch optim.Adamax; Kingma and Ba 2015, section 7.1. */
void clgrad_ref_optimizer_adamax(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                 const double *gradient, double *parameters, double *state, size_t stride)
{
    const double beta1 = optimizer->beta1, beta2 = optimizer->beta2;
    const double correction1 = bias_correction(beta1, (double)step);
    double *m = state, *u = state + stride;

    for (size_t i = 0; i < count; i++) {
        const double g = decay(optimizer, false, gradient[i], &parameters[i]);
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        u[i] = maximum(beta2 * u[i], fabs(g) + optimizer->eps);
        parameters[i] -= optimizer->lr * m[i] / (correction1 * u[i]);
    }
}

/* mu_i = beta1 (1 - q^i / 2) with q = 0.96^momentum_decay; this is ln q. */
static double log_q(const clgrad_optimizer *optimizer)
{
    return optimizer->momentum_decay * log(0.96);
}

static double nadam_mu(const clgrad_optimizer *optimizer, double i)
{
    return optimizer->beta1 * (1 - exp(i * log_q(optimizer)) / 2);
}

/*
 * 1 - mu_1 mu_2 ... mu_t, for a t of any size: ln(1 - q^i / 2) = - sum over k of (q^i / 2)^k / k, and the sum
 * over i of each power is geometric: q^k + q^2k + ... + q^tk = q^k (1 - q^tk) / (1 - q^k). Since the powers
 * of 1/2 shrink, 64 terms are exact to double precision.
 */
static double nadam_correction(const clgrad_optimizer *optimizer, double t)
{
    const double lq = log_q(optimizer);
    double log_product = t * log(optimizer->beta1);
    for (int k = 64; k >= 1; k--) {
        const double powers = lq == 0 ? t : exp(k * lq) * expm1(k * lq * t) / expm1(k * lq);
        log_product -= ldexp(powers, -k) / k;
    }
    return -expm1(log_product);
}

/* PyTorch optim.NAdam; Dozat, "Incorporating Nesterov momentum into Adam", 2016. */
void clgrad_ref_optimizer_nadam(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                const double *gradient, double *parameters, double *state, size_t stride)
{
    const double t = (double)step;
    const double beta1 = optimizer->beta1, beta2 = optimizer->beta2;
    const double mu = nadam_mu(optimizer, t), next_mu = nadam_mu(optimizer, t + 1);
    const double correction = nadam_correction(optimizer, t);
    const double next_correction = nadam_correction(optimizer, t + 1);
    const double correction2 = bias_correction(beta2, t);
    double *m = state, *v = state + stride;

    for (size_t i = 0; i < count; i++) {
        const double g = decay(optimizer, optimizer->decoupled_weight_decay, gradient[i], &parameters[i]);
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        const double m_hat = next_mu * m[i] / next_correction + (1 - mu) * g / correction;
        parameters[i] -= optimizer->lr * m_hat / (sqrt(v[i] / correction2) + optimizer->eps);
    }
}

/* PyTorch optim.RAdam; Liu et al., "On the variance of the adaptive learning rate and beyond", 2020. */
void clgrad_ref_optimizer_radam(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                const double *gradient, double *parameters, double *state, size_t stride)
{
    const double t = (double)step;
    const double beta1 = optimizer->beta1, beta2 = optimizer->beta2;
    const double correction1 = bias_correction(beta1, t), correction2 = bias_correction(beta2, t);
    const double rho_inf = 2 / (1 - beta2) - 1;
    const double rho = rho_inf - 2 * t * pow(beta2, t) / correction2;
    double *m = state, *v = state + stride;

    for (size_t i = 0; i < count; i++) {
        const double g = decay(optimizer, optimizer->decoupled_weight_decay, gradient[i], &parameters[i]);
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
        const double m_hat = m[i] / correction1;
        if (rho > 5) {
            const double l = sqrt(correction2) / (sqrt(v[i]) + optimizer->eps);
            const double r = sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho));
            parameters[i] -= optimizer->lr * m_hat * r * l;
        } else {
            parameters[i] -= optimizer->lr * m_hat;
        }
    }
}
