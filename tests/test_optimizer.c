/*
 * Optimizers: the reference's formulas against golden trajectories, and each step of every device against the
 * reference on random numbers.
 */
#include "harness.h"

#include "golden/optimizer.h"
#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static clgrad_optimizer golden_optimizer_of(const golden_optimizer *g)
{
    clgrad_optimizer optimizer = clgrad_optimizer_defaults(g->kind);
    set_parameters(clgrad_optimizer_describe(g->kind)->parameters, &optimizer, g->parameters);
    return optimizer;
}

/* ---- golden trajectories ---- */

static void every_row_has_golden_values(clgrad_context *context)
{
    (void)context;
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        size_t found = 0;
        for (size_t i = 0; i < COUNT(golden_optimizers); i++)
            found += (int)golden_optimizers[i].kind == kind && golden_optimizers[i].steps > 1;
        if (found == 0)
            fail_msg("%s lacks golden values", clgrad_optimizer_describe((clgrad_optimizer_kind)kind)->name);
    }
}

static void reference_matches_golden_trajectories(clgrad_context *context)
{
    (void)context;
    for (size_t k = 0; k < COUNT(golden_optimizers); k++) {
        const golden_optimizer *g = &golden_optimizers[k];
        const clgrad_optimizer optimizer = golden_optimizer_of(g);
        const size_t slots = clgrad_optimizer_slots(&optimizer) * g->count;
        double *parameters = allocate(g->count, sizeof *parameters), *state = allocate(slots, sizeof *state);
        double *gradient = allocate(g->count, sizeof *gradient);
        for (size_t i = 0; i < g->count; i++)
            parameters[i] = g->initial[i];
        for (size_t i = 0; i < slots; i++)
            state[i] = NAN;
        for (size_t s = 0; s < g->steps; s++) {
            for (size_t i = 0; i < g->count; i++)
                gradient[i] = g->gradients[s * g->count + i];
            clgrad_ref_optimizer_step(&optimizer, s + 1, g->count, gradient, parameters, state);
            for (size_t i = 0; i < g->count; i++) {
                const double expected = g->trajectory[s * g->count + i];
                if (!is_close(parameters[i], expected, 1e-13 * (1 + fabs(expected))))
                    fail_msg("%s: parameter %zu after step %zu is %.17g, not %.17g", g->label, i, s + 1,
                             parameters[i], expected);
            }
        }
        free(parameters);
        free(state);
        free(gradient);
    }
}

/* Errors of earlier steps are carried along, so that they add up over the steps. */
static void check_golden(clgrad_context *context, const golden_optimizer *g)
{
    const clgrad_optimizer optimizer = golden_optimizer_of(g);
    const size_t slots = clgrad_optimizer_slots(&optimizer);
    clgrad_tensor parameters = vector_with(context, g->count, g->initial);
    clgrad_tensor gradient = vector_with(context, g->count, NULL);
    clgrad_tensor state = slots > 0 ? matrix_with(context, slots, g->count, NULL) : clgrad_tensor_none();
    for (size_t s = 0; s < g->steps; s++) {
        const float *numbers = g->gradients + s * g->count;
        assert_ok(context, clgrad_tensor_write(context, gradient, numbers, g->count * sizeof *numbers));
        assert_ok(context, clgrad_optimizer_step(context, &optimizer, s + 1, gradient, parameters, state));
        assert_holds(context, gradient, numbers);
        float *got = tensor_floats(context, parameters);
        for (size_t i = 0; i < g->count; i++) {
            const double expected = g->trajectory[s * g->count + i];
            const double bound = clgrad_optimizer_describe(g->kind)->bound * 0x1p-24;
            if (!is_close(got[i], expected, (double)(s + 1) * bound * (1 + fabs(expected))))
                fail_msg("%s: parameter %zu after step %zu is %.9g, not %.17g", g->label, i, s + 1,
                         (double)got[i], expected);
        }
        free(got);
    }
    tensor_free(context, parameters);
    tensor_free(context, gradient);
    tensor_free(context, state);
}

static void device_matches_golden_trajectories(clgrad_context *context)
{
    for (size_t k = 0; k < COUNT(golden_optimizers); k++)
        check_golden(context, &golden_optimizers[k]);
}

/* ---- each step on random numbers ---- */

/* What the new parameter and the new state add up from, in absolute value. */
typedef void absolute_terms(const clgrad_optimizer *o, bool first, double gradient, double parameter,
                            double state, double *parameter_terms, double *state_terms);

static void sgd_terms(const clgrad_optimizer *o, bool first, double gradient, double parameter, double state,
                      double *parameter_terms, double *state_terms)
{
    const double momentum = o->momentum, g = fabs(gradient) + o->weight_decay * fabs(parameter);
    const double b = first ? g : momentum * fabs(state) + fabs(1 - (double)o->dampening) * g;
    *state_terms = b;
    *parameter_terms = fabs(parameter) + o->lr * (momentum == 0 ? g : o->nesterov ? g + momentum * b : b);
}

static absolute_terms *const terms[] = {
#define ROW(value, identifier, name, ...) [value] = name##_terms,
    CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
};

typedef struct run {
    clgrad_optimizer optimizer;
    size_t count, slots;
    clgrad_tensor parameters, gradient, state;
} run;

static run make_run(clgrad_context *context, const clgrad_optimizer *optimizer, size_t count)
{
    run r = {.optimizer = *optimizer, .count = count, .slots = clgrad_optimizer_slots(optimizer)};
    float *numbers = allocate(count, sizeof *numbers);
    fill_normal(numbers, count, count, 1);
    r.parameters = vector_with(context, count, numbers);
    r.gradient = vector_with(context, count, NULL);
    if (r.slots > 0)
        r.state = matrix_with(context, r.slots, count, NULL); /* NaN: what it holds does not matter */
    free(numbers);
    return r;
}

static void free_run(clgrad_context *context, run r)
{
    tensor_free(context, r.parameters);
    tensor_free(context, r.gradient);
    tensor_free(context, r.state);
}

static void write_gradient(clgrad_context *context, const run *r, uint64_t step)
{
    float *numbers = allocate(r->count, sizeof *numbers);
    fill_normal(numbers, r->count, 1000 * step + r->count, 2);
    assert_ok(context, clgrad_tensor_write(context, r->gradient, numbers, r->count * sizeof *numbers));
    free(numbers);
}

static double *read_doubles(clgrad_context *context, clgrad_tensor tensor)
{
    if (tensor.buffer == NULL)
        return NULL;
    float *numbers = tensor_floats(context, tensor);
    const size_t count = clgrad_tensor_count(tensor);
    double *result = allocate(count, sizeof *result);
    for (size_t i = 0; i < count; i++)
        result[i] = numbers[i];
    free(numbers);
    return result;
}

/* One step from what the device holds, beside the reference's from the same numbers. */
static void check_step(clgrad_context *context, const run *r, uint64_t step)
{
    const clgrad_optimizer_info *info = clgrad_optimizer_describe(r->optimizer.kind);
    const double u = info->bound * 0x1p-24, underflow = keeps_denormals(context) ? 0x1p-149 : (double)FLT_MIN;
    write_gradient(context, r, step);
    double *gradient = read_doubles(context, r->gradient);
    double *old = read_doubles(context, r->parameters), *expected = read_doubles(context, r->parameters);
    double *old_state = read_doubles(context, r->state), *expected_state = read_doubles(context, r->state);
    clgrad_ref_optimizer_step(&r->optimizer, step, r->count, gradient, expected, expected_state);
    assert_ok(context,
              clgrad_optimizer_step(context, &r->optimizer, step, r->gradient, r->parameters, r->state));
    double *got = read_doubles(context, r->parameters), *got_state = read_doubles(context, r->state);
    for (size_t i = 0; i < r->count; i++) {
        double parameter_terms, state_terms;
        terms[r->optimizer.kind](&r->optimizer, step == 1, gradient[i], old[i],
                                 r->slots > 0 ? old_state[i] : 0, &parameter_terms, &state_terms);
        if (!is_close(got[i], expected[i], u * parameter_terms + underflow))
            fail_msg("%s: parameter %zu of %zu after step %llu is %.9g, not %.17g", info->name, i, r->count,
                     (unsigned long long)step, got[i], expected[i]);
        if (r->slots > 0 && !is_close(got_state[i], expected_state[i], u * state_terms + underflow))
            fail_msg("%s: state %zu of %zu after step %llu is %.9g, not %.17g", info->name, i, r->count,
                     (unsigned long long)step, got_state[i], expected_state[i]);
    }
    free(gradient);
    free(old);
    free(expected);
    free(old_state);
    free(expected_state);
    free(got);
    free(got_state);
}

/* Every combination of options that the constraint allows; it must refuse the others. */
static void for_each_combination(clgrad_context *context,
                                 void (*check)(clgrad_context *, const clgrad_optimizer *))
{
    for (int bits = 0; bits < 16; bits++) {
        clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
        sgd.lr = 0.1f;
        sgd.momentum = bits & 1 ? 0.9f : 0;
        sgd.dampening = bits & 2 ? 0.3f : 0;
        sgd.weight_decay = bits & 4 ? 0.02f : 0;
        sgd.nesterov = (bits & 8) != 0;
        if (!sgd.nesterov || (bits & 3) == 1)
            check(context, &sgd);
        else {
            run r = make_run(context, &sgd, 3);
            assert_refused(context,
                           clgrad_optimizer_step(context, &sgd, 1, r.gradient, r.parameters, r.state),
                           CLGRAD_STATUS_INVALID_ARGUMENT,
                           "sgd: nesterov needs a momentum above 0 and a dampening of 0");
            free_run(context, r);
        }
    }
}

static void check_fifty_steps(clgrad_context *context, const clgrad_optimizer *optimizer)
{
    static const size_t counts[] = {1, 63, 64, 65, 1000};
    for (size_t k = 0; k < COUNT(counts); k++) {
        run r = make_run(context, optimizer, counts[k]);
        for (uint64_t step = 1; step <= (test_small() ? 3 : 50); step++)
            check_step(context, &r, step);
        free_run(context, r);
    }
}

static void fifty_steps_match_the_reference(clgrad_context *context)
{
    for_each_combination(context, check_fifty_steps);
}

static void check_large(clgrad_context *context, const clgrad_optimizer *optimizer)
{
    run r = make_run(context, optimizer, test_small() ? 1500 : 100003);
    for (uint64_t step = 1; step <= 3; step++)
        check_step(context, &r, step);
    free_run(context, r);
}

static void large_arrays_match_the_reference(clgrad_context *context)
{
    for_each_combination(context, check_large);
}

/* Extremes that an interval allows: a dampening below 0 and above 1, a momentum above 1, a large weight
 * decay. */
static void unusual_options_match_the_reference(clgrad_context *context)
{
    static const float options[][4] = {
        {0.5f, 0.9f, -0.5f, 0}, {0.5f, 0.9f, 1.5f, 0.1f}, {1e-3f, 1.25f, 1, 0}, {0, 0.9f, 0, 0.1f},
        {3, 0, 0, 2},
    };
    for (size_t k = 0; k < COUNT(options); k++) {
        clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
        sgd.lr = options[k][0];
        sgd.momentum = options[k][1];
        sgd.dampening = options[k][2];
        sgd.weight_decay = options[k][3];
        run r = make_run(context, &sgd, 65);
        for (uint64_t step = 1; step <= 5; step++)
            check_step(context, &r, step);
        free_run(context, r);
    }
}

/* Only step 1 is the first, also among numbers that look like it in 32 bits. */
static void only_step_1_is_the_first(clgrad_context *context)
{
    static const uint64_t steps[] = {1,         2, UINT32_MAX, UINT64_C(1) << 32, (UINT64_C(1) << 32) + 1,
                                     UINT64_MAX};
    clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    sgd.momentum = 0.5f;
    run r = make_run(context, &sgd, 7);
    for (size_t i = 0; i < COUNT(steps); i++)
        check_step(context, &r, steps[i]);
    check_step(context, &r, 1);
    free_run(context, r);
}

static void nan_stays_in_its_parameter(clgrad_context *context)
{
    clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    sgd.momentum = 0.5f;
    run r = make_run(context, &sgd, 5);
    const float gradient[5] = {1, NAN, -1, INFINITY, 0};
    assert_ok(context, clgrad_tensor_write(context, r.gradient, gradient, sizeof gradient));
    assert_ok(context, clgrad_optimizer_step(context, &sgd, 1, r.gradient, r.parameters, r.state));
    float *got = tensor_floats(context, r.parameters);
    assert_true(isfinite(got[0]) && isnan(got[1]) && isfinite(got[2]) && isfinite(got[4]));
    assert_true(got[3] == -INFINITY);
    free(got);
    free_run(context, r);
}

static void nothing_to_update(clgrad_context *context)
{
    clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    sgd.momentum = 0.5f;
    run r = make_run(context, &sgd, 0);
    assert_ok(context, clgrad_optimizer_step(context, &sgd, 1, r.gradient, r.parameters, r.state));
    free_run(context, r);
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_row_has_golden_values),
        CASE(reference_matches_golden_trajectories),
        CASE(device_matches_golden_trajectories),
        CASE(fifty_steps_match_the_reference),
        CASE(large_arrays_match_the_reference),
        CASE(unusual_options_match_the_reference),
        CASE(only_step_1_is_the_first),
        CASE(nan_stays_in_its_parameter),
        CASE(nothing_to_update),
    };
    return run_on_every_device(cases, COUNT(cases));
}
