#include "optimizer_case.h"

#include "conformance/optimizer.h"
#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- options ---- */

bool optimizer_is_allowed(const clgrad_optimizer *optimizer)
{
    if (optimizer->kind == CLGRAD_OPTIMIZER_SGD && optimizer->nesterov)
        return optimizer->momentum > 0 && !(optimizer->dampening > 0) && !(optimizer->dampening < 0);
    if (optimizer->kind == CLGRAD_OPTIMIZER_RPROP)
        return !(optimizer->step_min > optimizer->step_max);
    return true;
}

float optimizer_other_value(const clgrad_parameter *parameter)
{
    static const struct {
        const char *name;
        float value;
    } values[] = {
        {"lr", 0.05f},       {"momentum", 0.8f},
        {"dampening", 0.3f}, {"weight_decay", 0.07f},
        {"beta1", 0.8f},     {"beta2", 0.95f},
        {"eps", 1e-3f},      {"lr_decay", 0.1f},
        {"rho", 0.7f},       {"momentum_decay", 0.1f},
        {"alpha", 0.6f},     {"initial_accumulator_value", 0.3f},
        {"etaminus", 0.6f},  {"etaplus", 1.3f},
        {"step_min", 0.01f}, {"step_max", 0.06f},
        {"lambd", 0.02f},    {"t0", 2.0f},
    };
    if (parameter->type == CLGRAD_PARAMETER_FLAG)
        return 1 - parameter->default_value;
    for (size_t i = 0; i < COUNT(values); i++)
        if (strcmp(values[i].name, parameter->name) == 0)
            return values[i].value;
    fail_msg("give the parameter %s a value to try", parameter->name);
    return 0;
}

static void set_other(const clgrad_parameter *parameter, clgrad_optimizer *optimizer)
{
    assert_true(clgrad_parameter_set(parameter, optimizer, optimizer_other_value(parameter)));
    assert_true(clgrad_parameter_get(parameter, optimizer) != parameter->default_value);
}

clgrad_optimizer optimizer_all_other(clgrad_optimizer_kind kind)
{
    clgrad_optimizer optimizer = clgrad_optimizer_defaults(kind);
    for (const clgrad_parameter *p = clgrad_optimizer_describe(kind)->parameters; p->name != NULL; p++)
        set_other(p, &optimizer);
    if (!optimizer_is_allowed(&optimizer))
        optimizer.dampening = 0; /* nesterov forbids it */
    return optimizer;
}

/* Flag k of the row is on where bit k is. */
static void set_flags(const clgrad_parameter *p, clgrad_optimizer *optimizer, unsigned bits)
{
    for (; p->name != NULL; p++)
        if (p->type == CLGRAD_PARAMETER_FLAG) {
            assert_true(clgrad_parameter_set(p, optimizer, (float)(bits & 1)));
            bits >>= 1;
        }
}

static bool is_number(const clgrad_parameter *parameter)
{
    return parameter->type != CLGRAD_PARAMETER_FLAG;
}

void for_each_combination(clgrad_context *context, clgrad_optimizer_kind kind,
                          void (*check)(clgrad_context *, const clgrad_optimizer *))
{
    const clgrad_parameter *parameters = clgrad_optimizer_describe(kind)->parameters;
    const clgrad_optimizer defaults = clgrad_optimizer_defaults(kind);
    unsigned flags = 0;
    for (const clgrad_parameter *p = parameters; p->name != NULL; p++)
        flags += !is_number(p);
    for (unsigned bits = 0; bits < 1u << flags; bits++) {
        clgrad_optimizer none = defaults, all = defaults;
        set_flags(parameters, &none, bits);
        set_flags(parameters, &all, bits);
        check(context, &none);
        for (const clgrad_parameter *p = parameters; p->name != NULL; p++)
            if (is_number(p)) {
                clgrad_optimizer one = none;
                set_other(p, &one);
                set_other(p, &all);
                check(context, &one);
            }
        check(context, &all);
        if (kind == CLGRAD_OPTIMIZER_SGD) { /* the one that nesterov allows */
            all.dampening = 0;
            check(context, &all);
        }
    }
}

/* ---- what a step adds up ---- */

/* Whether a sum's parts may be beyond what float32 holds: then its value is not held against anything. */
static bool may_overflow(double terms)
{
    return terms > FLT_MAX / 4 && isfinite(terms);
}

/*
 * Optimizers whose update is a positive multiple of averages of g, divided by something that depends on |g|
 * alone: the reference's step of a parameter 0, with the absolute values of all that enters, adds the terms
 * up.
 */
static void average_terms(const clgrad_optimizer *o, uint64_t step, size_t n, const double *gradient,
                          const double *w, const double *state, double *terms, double *state_terms)
{
    const bool decoupled = clgrad_conf_is_decoupled(o);
    const size_t slots = clgrad_optimizer_slots(o);
    clgrad_optimizer positive = *o;
    double *g = allocate(n, sizeof *g);
    positive.weight_decay = 0;
    positive.maximize = false;
    for (size_t i = 0; i < n; i++) {
        g[i] = fabs(decoupled ? gradient[i] : clgrad_conf_descent(o, gradient[i], w[i]));
        terms[i] = 0;
    }
    for (size_t i = 0; i < slots * n; i++)
        state_terms[i] = fabs(state[i]);
    clgrad_ref_optimizer_step(&positive, step, n, g, terms, state_terms, n);
    for (size_t i = 0; i < n; i++)
        terms[i] = fabs(w[i]) + fabs(terms[i]) + (decoupled ? o->lr * o->weight_decay * fabs(w[i]) : 0);
    free(g);
}

void optimizer_terms(const clgrad_optimizer *optimizer, uint64_t step, size_t count, const double *gradient,
                     const double *parameters, const double *state, double *parameter_terms,
                     double *state_terms)
{
    if (!clgrad_conf_optimizer_terms(optimizer, step, count, gradient, parameters, state, parameter_terms,
                                     state_terms))
        average_terms(optimizer, step, count, gradient, parameters, state, parameter_terms, state_terms);
}

/* ---- a device beside the reference ---- */

optimizer_run make_run(clgrad_context *context, const clgrad_optimizer *optimizer, size_t count,
                       const float *parameters)
{
    optimizer_run r = {.optimizer = *optimizer, .count = count, .slots = clgrad_optimizer_slots(optimizer)};
    float *numbers = allocate(count, sizeof *numbers);
    fill_normal(numbers, count, count, 1);
    r.underflow = keeps_denormals(context) ? 0x1p-149 : (double)FLT_MIN;
    r.parameters = vector_with(context, count, parameters != NULL ? parameters : numbers);
    r.gradient = vector_with(context, count, NULL);
    if (r.slots > 0)
        r.state = matrix_with(context, r.slots, count, NULL);
    free(numbers);
    return r;
}

void free_run(clgrad_context *context, optimizer_run run)
{
    tensor_free(context, run.parameters);
    tensor_free(context, run.gradient);
    tensor_free(context, run.state);
}

double *tensor_doubles(clgrad_context *context, clgrad_tensor tensor)
{
    if (tensor.buffer == NULL)
        return NULL;
    float *numbers = tensor_floats(context, tensor);
    double *result = widen(numbers, clgrad_tensor_count(tensor));
    free(numbers);
    return result;
}

void run_step(clgrad_context *context, const optimizer_run *run, uint64_t step, const float *gradient)
{
    assert_ok(context, clgrad_tensor_write(context, run->gradient, gradient, run->count * sizeof *gradient));
    assert_ok(context, clgrad_optimizer_step(context, &run->optimizer, step, run->gradient, run->parameters,
                                             run->state));
}

/*
 * An element is set aside, all its numbers together, where its gradient with weight decay or a slot of its
 * state may overflow, and once its parameter is infinite: then NaN is as good. Its terms become FLT_MAX.
 */
static void set_aside(const optimizer_run *r, const double *gradient, const double *parameters, double *terms,
                      double *state_terms)
{
    for (size_t i = 0; i < r->count; i++) {
        bool aside = !isfinite(parameters[i]);
        if (!clgrad_conf_is_decoupled(&r->optimizer))
            aside =
                aside || may_overflow(clgrad_conf_descent_terms(&r->optimizer, gradient[i], parameters[i]));
        for (size_t k = 0; k < r->slots; k++)
            aside = aside || may_overflow(state_terms[k * r->count + i]);
        if (aside)
            terms[i] = FLT_MAX;
        for (size_t k = 0; aside && k < r->slots; k++)
            state_terms[k * r->count + i] = FLT_MAX;
    }
}

static void check_array(const optimizer_run *r, uint64_t step, const char *what, const double *got,
                        const double *expected, const double *terms, size_t count)
{
    const clgrad_optimizer_info *info = clgrad_optimizer_describe(r->optimizer.kind);
    for (size_t i = 0; i < count; i++) {
        const double tolerance = info->bound * 0x1p-24 * terms[i] + r->underflow;
        if (!may_overflow(terms[i]) && !is_close(got[i], expected[i], tolerance)) {
            for (const clgrad_parameter *p = info->parameters; p->name != NULL; p++)
                print_error("%s %g, ", p->name, (double)clgrad_parameter_get(p, &r->optimizer));
            fail_msg("%s: %s %zu of %zu after step %llu is %.9g, not %.17g: %.3g, not %.3g, off", info->name,
                     what, i, r->count, (unsigned long long)step, got[i], expected[i],
                     fabs(got[i] - expected[i]), tolerance);
        }
    }
}

void check_step(clgrad_context *context, const optimizer_run *run, uint64_t step, const float *numbers)
{
    const size_t n = run->count, all = run->slots * n;
    double *gradient = widen(numbers, n);
    double *old = tensor_doubles(context, run->parameters), *old_state = tensor_doubles(context, run->state);
    double *expected = tensor_doubles(context, run->parameters);
    double *expected_state = tensor_doubles(context, run->state);
    double *terms = allocate(n, sizeof *terms), *state_terms = allocate(all, sizeof *state_terms);

    optimizer_terms(&run->optimizer, step, n, gradient, old, old_state, terms, state_terms);
    set_aside(run, gradient, old, terms, state_terms);
    clgrad_ref_optimizer_step(&run->optimizer, step, n, gradient, expected, expected_state, n);
    run_step(context, run, step, numbers);
    assert_holds(context, run->gradient, numbers);
    double *got = tensor_doubles(context, run->parameters), *got_state = tensor_doubles(context, run->state);
    check_array(run, step, "parameter", got, expected, terms, n);
    check_array(run, step, "state", got_state, expected_state, state_terms, all);

    free(gradient);
    free(old);
    free(old_state);
    free(expected);
    free(expected_state);
    free(terms);
    free(state_terms);
    free(got);
    free(got_state);
}

void check_normal_step(clgrad_context *context, const optimizer_run *run, uint64_t step)
{
    float *numbers = allocate(run->count, sizeof *numbers);
    fill_normal(numbers, run->count, 1000 * step + run->count, 2);
    check_step(context, run, step, numbers);
    free(numbers);
}
