/*
 * Sums of the absolute values of what a step adds up, where its formula does not give them by itself.
 */
#include "optimizer.h"

#include <float.h>
#include <math.h>

/* Whether a sum's parts may be beyond what float32 holds: then its value is not held against anything. */
static bool may_overflow(double terms)
{
    return terms > FLT_MAX / 4 && isfinite(terms);
}

/* g as the formulas have it, and the sum of its terms. */
double clgrad_conf_descent(const clgrad_optimizer *o, double gradient, double parameter)
{
    const double g = o->maximize ? -gradient : gradient;
    return o->weight_decay > 0 ? g + o->weight_decay * parameter : g;
}

double clgrad_conf_descent_terms(const clgrad_optimizer *o, double gradient, double parameter)
{
    return fabs(gradient) + (o->weight_decay > 0 ? o->weight_decay * fabs(parameter) : 0);
}

bool clgrad_conf_is_decoupled(const clgrad_optimizer *o)
{
    return o->kind == CLGRAD_OPTIMIZER_ADAMW || o->kind == CLGRAD_OPTIMIZER_LION ||
           ((o->kind == CLGRAD_OPTIMIZER_NADAM || o->kind == CLGRAD_OPTIMIZER_RADAM) &&
            o->decoupled_weight_decay);
}

typedef void terms_function(const clgrad_optimizer *o, uint64_t step, size_t n, const double *gradient,
                            const double *w, const double *state, double *terms, double *state_terms);

static void sgd_terms(const clgrad_optimizer *o, uint64_t step, size_t n, const double *gradient,
                      const double *w, const double *state, double *terms, double *state_terms)
{
    const double momentum = o->momentum;
    for (size_t i = 0; i < n; i++) {
        double g = clgrad_conf_descent_terms(o, gradient[i], w[i]);
        if (momentum > 0) {
            const double b = step == 1 ? g : momentum * fabs(state[i]) + fabs(1 - (double)o->dampening) * g;
            state_terms[i] = b;
            g = o->nesterov ? g + momentum * b : b;
        }
        terms[i] = fabs(w[i]) + (may_overflow(g) ? FLT_MAX : o->lr * g);
    }
}

/* Centered, g - a may cancel, which magnifies the rounding of g where that has one, from weight decay. */
static void rmsprop_terms(const clgrad_optimizer *o, uint64_t step, size_t n, const double *gradient,
                          const double *w, const double *state, double *terms, double *state_terms)
{
    const double alpha = o->alpha, momentum = o->momentum;
    for (size_t i = 0; i < n; i++) {
        const size_t b = n + i, a = (momentum > 0 ? 2 : 1) * n + i; /* the slots after the first */
        const double g = clgrad_conf_descent(o, gradient[i], w[i]),
                     sum = clgrad_conf_descent_terms(o, gradient[i], w[i]);
        const double old = step == 1 ? 0 : state[i];
        double v = alpha * old + (1 - alpha) * g * g, v_terms = alpha * fabs(old) + fabs(1 - alpha) * g * g;
        if (o->centered) {
            const double average = step == 1 ? 0 : state[a], from = fabs(g - average);
            v = alpha * (old + (1 - alpha) * from * from);
            v_terms = alpha * (fabs(old) + fabs(1 - alpha) * from *
                                               (from + (o->weight_decay > 0 ? sum + fabs(average) : 0)));
            state_terms[a] = alpha * fabs(average) + fabs(1 - alpha) * sum;
        }
        state_terms[i] = v_terms;
        double d = sum / (sqrt(v) + o->eps) * (v > 0 && isfinite(v) ? v_terms / v : 1);
        if (momentum > 0)
            d = state_terms[b] = momentum * (step == 1 ? 0 : fabs(state[b])) + d;
        terms[i] = fabs(w[i]) + o->lr * d;
    }
}

/* The first slot is the gradient itself. */
static void rprop_terms(const clgrad_optimizer *o, uint64_t step, size_t n, const double *gradient,
                        const double *w, const double *state, double *terms, double *state_terms)
{
    for (size_t i = 0; i < n; i++) {
        const double size = step == 1 ? o->lr : state[n + i], g = gradient[i];
        const double largest = fmin(fmax(size * o->etaplus, o->step_min), o->step_max);
        state_terms[i] = 0;
        state_terms[n + i] = largest;
        terms[i] = fabs(w[i]) + (g > 0 || g < 0 ? largest : 0);
    }
}

static void asgd_terms(const clgrad_optimizer *o, uint64_t step, size_t n, const double *gradient,
                       const double *w, const double *state, double *terms, double *state_terms)
{
    const double lr = o->lr, lambd = o->lambd, before = (double)(step - 1);
    const double eta = lr * pow(1 + lambd * lr * before, -(double)o->alpha);
    const double mu = before - o->t0 > 1 ? 1 / (before - o->t0) : 1;
    for (size_t i = 0; i < n; i++) {
        terms[i] = (1 + lambd * eta) * fabs(w[i]) + eta * clgrad_conf_descent_terms(o, gradient[i], w[i]);
        state_terms[i] = mu < 1 ? fabs(state[i]) + mu * (terms[i] + fabs(state[i])) : terms[i];
    }
}

/* Where the average is 0 but for its rounding, the sign and with it 2 lr are open. */
static void lion_terms(const clgrad_optimizer *o, uint64_t step, size_t n, const double *gradient,
                       const double *w, const double *state, double *terms, double *state_terms)
{
    const double u = clgrad_optimizer_describe(o->kind)->bound * 0x1p-24;
    for (size_t i = 0; i < n; i++) {
        const double m = step == 1 ? 0 : state[i], g = o->maximize ? -gradient[i] : gradient[i];
        const double old = o->beta1 * m, new = (1 - (double)o->beta1) * g;
        const bool open = fabs(old + new) <= u * (fabs(old) + fabs(new)) && fabs(old) + fabs(new) > 0;
        terms[i] = (1 + (double)o->lr * o->weight_decay) * fabs(w[i]) + (open ? 2 * o->lr / u : o->lr);
        state_terms[i] = o->beta2 * fabs(m) + (1 - (double)o->beta2) * fabs(g);
    }
}

/* The others' update is made of averages. */
static terms_function *const special_terms[CLGRAD_OPTIMIZER_COUNT] = {
    [CLGRAD_OPTIMIZER_SGD] = sgd_terms,         [CLGRAD_OPTIMIZER_RPROP] = rprop_terms,
    [CLGRAD_OPTIMIZER_RMSPROP] = rmsprop_terms, [CLGRAD_OPTIMIZER_ASGD] = asgd_terms,
    [CLGRAD_OPTIMIZER_LION] = lion_terms,
};

bool clgrad_conf_optimizer_terms(const clgrad_optimizer *optimizer, uint64_t step, size_t count,
                                 const double *gradient, const double *parameters, const double *state,
                                 double *parameter_terms, double *state_terms)
{
    terms_function *special = special_terms[optimizer->kind];
    if (special != NULL)
        special(optimizer, step, count, gradient, parameters, state, parameter_terms, state_terms);
    return special != NULL;
}
