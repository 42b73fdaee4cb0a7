/*
 * Optimizers against golden trajectories of 1,000 steps: the reference's formulas, and every device.
 */
#include "optimizer_case.h"

#include "golden/optimizer.h"
#include "reference/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define N GOLDEN_OPTIMIZER_COUNT

static clgrad_optimizer optimizer_of(const golden_optimizer *g)
{
    clgrad_optimizer optimizer = clgrad_optimizer_defaults(g->kind);
    set_parameters(clgrad_optimizer_describe(g->kind)->parameters, &optimizer, g->parameters);
    return optimizer;
}

/* ---- what there is ---- */

static bool is_off_default(clgrad_optimizer_kind kind, size_t parameter, float default_value)
{
    for (size_t i = 0; i < COUNT(golden_optimizers); i++)
        if (golden_optimizers[i].kind == kind && golden_optimizers[i].parameters[parameter] != default_value)
            return true;
    return false;
}

static bool has_defaults(clgrad_optimizer_kind kind)
{
    const clgrad_parameter *p = clgrad_optimizer_describe(kind)->parameters;
    for (size_t i = 0; i < COUNT(golden_optimizers); i++) {
        bool same = golden_optimizers[i].kind == kind;
        for (size_t k = 0; p[k].name != NULL; k++)
            same = same && golden_optimizers[i].parameters[k] == p[k].default_value;
        if (same)
            return true;
    }
    return false;
}

static void every_parameter_of_every_row_has_golden_values(clgrad_context *context)
{
    (void)context;
    for (int k = 0; k < CLGRAD_OPTIMIZER_COUNT; k++) {
        const clgrad_optimizer_kind kind = (clgrad_optimizer_kind)k;
        const clgrad_optimizer_info *info = clgrad_optimizer_describe(kind);
        if (!has_defaults(kind))
            fail_msg("%s lacks golden values for its defaults", info->name);
        for (size_t p = 0; info->parameters[p].name != NULL; p++)
            if (!is_off_default(kind, p, info->parameters[p].default_value))
                fail_msg("%s lacks golden values with another %s", info->name, info->parameters[p].name);
    }
    for (size_t i = 0; i < COUNT(golden_optimizers); i++) {
        const clgrad_optimizer optimizer = optimizer_of(&golden_optimizers[i]);
        assert_true(optimizer_is_allowed(&optimizer));
    }
}

/* ---- the reference ---- */

typedef struct reference_run {
    double parameters[N], gradient[N], *state;
} reference_run;

static reference_run begin_reference(const golden_optimizer *g, size_t slots)
{
    reference_run r = {.state = allocate(slots * N, sizeof *r.state)};
    for (size_t i = 0; i < N; i++)
        r.parameters[i] = g->initial[i];
    for (size_t i = 0; i < slots * N; i++)
        r.state[i] = NAN; /* what it holds does not matter */
    return r;
}

static void check_close(const golden_optimizer *g, const char *what, uint32_t step, const double *got,
                        const double *expected, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_close(got[i], expected[i], 1e-11 * fabs(expected[i])))
            fail_msg("%s: %s %zu after step %u is %.17g, not %.17g", g->label, what, i, (unsigned)step,
                     got[i], expected[i]);
}

static void reference_matches_golden_trajectories(clgrad_context *context)
{
    (void)context;
    for (size_t k = 0; k < COUNT(golden_optimizers); k++) {
        const golden_optimizer *g = &golden_optimizers[k];
        const clgrad_optimizer optimizer = optimizer_of(g);
        const size_t slots = clgrad_optimizer_slots(&optimizer);
        reference_run r = begin_reference(g, slots);
        uint32_t step = 0;
        for (size_t record = 0; record < GOLDEN_OPTIMIZER_RECORDS; record++) {
            while (step < golden_optimizer_steps[record]) {
                step++;
                for (uint32_t i = 0; i < N; i++)
                    r.gradient[i] = golden_optimizer_gradient(step, i);
                clgrad_ref_optimizer_step(&optimizer, step, N, r.gradient, r.parameters, r.state, N);
            }
            check_close(g, "parameter", step, r.parameters, g->trajectory + record * N, N);
        }
        assert_int_equal(g->state != NULL, slots > 0);
        check_close(g, "state", step, r.state, g->state, slots * N);
        free(r.state);
    }
}

/* ---- devices ---- */

/*
 * How far a device may be from the golden trajectory. A step rounds each parameter once, by at most u of its
 * size; its update is wrong by the errors of the formula and by those that the state has gathered: RELATIVE u
 * of the update's terms. Both are summed up over the steps, beside the reference, whose terms they are. In
 * 1,000 steps that comes to some 1e-6 of the way that a parameter has gone, and 1e-4 of its size.
 */
#define RELATIVE 16

typedef struct tolerances {
    double parameter[N];
    double terms[N], state_terms[3 * N];
} tolerances;

static void add_tolerances(tolerances *t, const clgrad_optimizer *optimizer, uint32_t step,
                           const reference_run *r)
{
    optimizer_terms(optimizer, step, N, r->gradient, r->parameters, r->state, t->terms, t->state_terms);
    for (size_t i = 0; i < N; i++) {
        const double size = fabs(r->parameters[i]);
        t->parameter[i] += 0x1p-24 * (size + RELATIVE * (t->terms[i] - size));
    }
}

static void check_record(clgrad_context *context, const golden_optimizer *g, const optimizer_run *run,
                         size_t record, const tolerances *t)
{
    double *got = tensor_doubles(context, run->parameters);
    for (size_t i = 0; i < N; i++) {
        const double expected = g->trajectory[record * N + i];
        /* the last parameter itself is rounded too */
        const double tolerance = t->parameter[i] + 0x1p-24 * fabs(expected);
        if (!is_close(got[i], expected, tolerance))
            fail_msg("%s: parameter %zu after step %u is %.9g, not %.17g: %.3g, not %.3g, off", g->label, i,
                     (unsigned)golden_optimizer_steps[record], got[i], expected, fabs(got[i] - expected),
                     tolerance);
    }
    free(got);
}

static void check_trajectory(clgrad_context *context, const golden_optimizer *g)
{
    const clgrad_optimizer optimizer = optimizer_of(g);
    optimizer_run run = make_run(context, &optimizer, N, g->initial);
    reference_run r = begin_reference(g, run.slots);
    tolerances t = {{0}, {0}, {0}};
    uint32_t step = 0;
    for (size_t record = 0; record < GOLDEN_OPTIMIZER_RECORDS; record++) {
        if (test_small() && golden_optimizer_steps[record] > 10)
            break;
        while (step < golden_optimizer_steps[record]) {
            float gradient[N];
            step++;
            for (uint32_t i = 0; i < N; i++)
                r.gradient[i] = gradient[i] = golden_optimizer_gradient(step, i);
            add_tolerances(&t, &optimizer, step, &r);
            clgrad_ref_optimizer_step(&optimizer, step, N, r.gradient, r.parameters, r.state, N);
            run_step(context, &run, step, gradient);
        }
        check_record(context, g, &run, record, &t);
    }
    free(r.state);
    free_run(context, run);
}

static void devices_match_golden_trajectories(clgrad_context *context)
{
    for (size_t k = 0; k < COUNT(golden_optimizers); k++)
        check_trajectory(context, &golden_optimizers[k]);
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_parameter_of_every_row_has_golden_values),
        CASE(reference_matches_golden_trajectories),
        CASE(devices_match_golden_trajectories),
    };
    return run_on_every_device(cases, COUNT(cases));
}
