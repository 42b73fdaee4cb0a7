/*
 * What the kernels of the optimizers need beside the options: everything that depends on them and on the step
 * alone, in double precision, so that a parameter's step takes no power and beta^t is right for any t. d[0]
 * to d[5] are as opt_NAME in kernels/optimizer.cl has them; d[6] and d[7] what the state's slots 0 and 1
 * begin with.
 */
#include "cl_backend.h"

#include <float.h>
#include <math.h>

/* 1 - beta^t without cancellation: beta may be the last number below 1, t beyond 2^32. */
static double bias_correction(double beta, double t)
{
    return -expm1(t * log(beta));
}

static void derive_sgd(const clgrad_optimizer *o, double t, double d[8])
{
    d[0] = 1 - (double)o->dampening;
    d[1] = t == 1;
}

static void derive_averages(const clgrad_optimizer *o, double d[8])
{
    d[0] = 1 - (double)o->beta1;
    d[1] = 1 - (double)o->beta2;
}

static void derive_adam(const clgrad_optimizer *o, double t, double d[8])
{
    derive_averages(o, d);
    d[2] = (double)o->lr / bias_correction((double)o->beta1, t);
    d[3] = 1 / sqrt(bias_correction((double)o->beta2, t));
}

static void derive_adamw(const clgrad_optimizer *o, double t, double d[8])
{
    derive_adam(o, t, d);
    d[4] = (double)o->lr * (double)o->weight_decay;
}

static void derive_adagrad(const clgrad_optimizer *o, double t, double d[8])
{
    d[0] = (double)o->lr / (1 + (t - 1) * (double)o->lr_decay);
    d[6] = (double)o->initial_accumulator_value;
}

static void derive_adadelta(const clgrad_optimizer *o, double t, double d[8])
{
    (void)t;
    d[0] = 1 - (double)o->rho;
}

static void derive_adamax(const clgrad_optimizer *o, double t, double d[8])
{
    d[0] = 1 - (double)o->beta1;
    d[1] = (double)o->lr / bias_correction((double)o->beta1, t);
}

static double decoupled_decay(const clgrad_optimizer *o)
{
    return o->decoupled_weight_decay ? (double)o->lr * (double)o->weight_decay : 0;
}

/* nadam's momentum at step t: mu_t = beta1 (1 - q^t / 2), with log_q = momentum_decay log 0.96. */
static double nadam_momentum(double beta1, double log_q, double t)
{
    return beta1 * (1 - 0.5 * exp(t * log_q));
}

/*
 * 1 - mu_1 mu_2 ... mu_t, without a loop over the steps. log(1 - x) = -(x + x^2/2 + x^3/3 + ...), and the sum
 * of x = q^i / 2 to the power k over i = 1..t is geometric: 2^-k q^k (1 - q^(k t)) / (1 - q^k), or 2^-k t for
 * q = 1. So log(mu_1 ... mu_t) = t log beta1 - sum over k of 2^-k/k times that quotient; the terms behind the
 * 60th are less than 2^-60 of the first.
 */
static double nadam_correction(double beta1, double log_q, double t)
{
    double log_product = t * log(beta1), half_power = 1;
    for (int k = 1; k <= 60; k++) {
        const double one_less = expm1(k * log_q);
        half_power /= 2;
        log_product -=
            half_power / k * (one_less == 0 ? t : exp(k * log_q) * expm1(k * t * log_q) / one_less);
    }
    return -expm1(log_product);
}

static void derive_nadam(const clgrad_optimizer *o, double t, double d[8])
{
    const double lr = (double)o->lr, beta1 = (double)o->beta1;
    const double log_q = (double)o->momentum_decay * log(0.96);
    derive_averages(o, d);
    d[2] = 1 / sqrt(bias_correction((double)o->beta2, t));
    d[3] = decoupled_decay(o);
    d[4] = lr * nadam_momentum(beta1, log_q, t + 1) / nadam_correction(beta1, log_q, t + 1);
    d[5] = lr * (1 - nadam_momentum(beta1, log_q, t)) / nadam_correction(beta1, log_q, t);
}

/* The names of Liu et al. 2020, algorithm 2. */
static void derive_radam(const clgrad_optimizer *o, double t, double d[8])
{
    const double beta2 = (double)o->beta2, correction = bias_correction(beta2, t);
    const double rho_inf = 2 / (1 - beta2) - 1;
    const double rho = rho_inf - 2 * t * (1 - correction) / correction;
    derive_averages(o, d);
    d[2] = (double)o->lr / bias_correction((double)o->beta1, t);
    d[3] = decoupled_decay(o);
    d[4] = rho > 5;
    if (rho > 5)
        d[2] *=
            sqrt((rho - 4) * (rho - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho)) * sqrt(correction);
}

static void derive_rmsprop(const clgrad_optimizer *o, double t, double d[8])
{
    (void)t;
    d[0] = 1 - (double)o->alpha;
    d[1] = (double)o->alpha * d[0];
}

static void derive_rprop(const clgrad_optimizer *o, double t, double d[8])
{
    (void)t;
    d[7] = (double)o->lr;
}

static void derive_asgd(const clgrad_optimizer *o, double t, double d[8])
{
    const double lr = (double)o->lr, lambd = (double)o->lambd, averaged = t - 1 - (double)o->t0;
    d[0] = lr / pow(1 + lambd * lr * (t - 1), (double)o->alpha);
    d[1] = lambd * d[0];
    d[2] = averaged > 1 ? 1 / averaged : 1;
}

static void derive_lion(const clgrad_optimizer *o, double t, double d[8])
{
    (void)t;
    derive_averages(o, d);
    d[2] = (double)o->lr * (double)o->weight_decay;
}

void clgrad_cl_optimizer_derive(const clgrad_optimizer *optimizer, uint64_t step, float derived[8])
{
    static void (*const functions[])(const clgrad_optimizer *, double, double[8]) = {
#define ROW(value, identifier, name, ...) [value] = derive_##name,
        CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
    };
    double d[8] = {0};
    functions[optimizer->kind](optimizer, (double)step, d);
    for (int k = 0; k < 8; k++)
        derived[k] = fabs(d[k]) <= (double)FLT_MAX ? (float)d[k] : (float)copysign(INFINITY, d[k]);
}
