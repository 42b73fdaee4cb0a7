/*
 * Steps with groups of options: each parameter against the reference's step with its own group's options.
 */
#include "optimizer_case.h"

#include "reference/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N = 157, MAX_SLOTS = 3 };

/* ---- a step with groups, beside one parameter after the other ---- */

typedef struct group_case {
    size_t count, row_count;
    clgrad_optimizer groups[CLGRAD_OPTIMIZER_MAX_GROUPS];
    const int32_t (*rows)[2];
} group_case;

/* The group of a parameter: that of the first row whose end is beyond it; -1 without one. */
static int32_t group_of(const group_case *c, size_t parameter)
{
    for (size_t i = 0; i < c->row_count; i++)
        if ((int64_t)parameter < c->rows[i][0])
            return c->rows[i][1];
    return -1;
}

static bool exists(const group_case *c, int32_t group)
{
    return group >= 0 && (size_t)group < c->count;
}

static size_t most_slots(const group_case *c)
{
    size_t most = 0;
    for (size_t i = 0; i < c->count; i++)
        if (clgrad_optimizer_slots(&c->groups[i]) > most)
            most = clgrad_optimizer_slots(&c->groups[i]);
    return most;
}

typedef struct tensors {
    clgrad_tensor parameters, gradient, state, ranges;
} tensors;

static tensors make_tensors(clgrad_context *context, const group_case *c)
{
    float w[N];
    fill_normal(w, N, 1, 1);
    tensors t = {.parameters = vector_with(context, N, w), .gradient = vector_with(context, N, NULL)};
    if (most_slots(c) > 0)
        t.state = matrix_with(context, most_slots(c), N, NULL);
    t.ranges = tensor_with(context, CLGRAD_TYPE_INT32, 2, (size_t[]){c->row_count, 2}, c->rows);
    return t;
}

static void free_tensors(clgrad_context *context, tensors t)
{
    tensor_free(context, t.parameters);
    tensor_free(context, t.gradient);
    tensor_free(context, t.state);
    tensor_free(context, t.ranges);
}

static void check_number(const group_case *c, const char *what, size_t i, uint64_t step, double got,
                         double expected, double tolerance)
{
    if (!is_close(got, expected, tolerance))
        fail_msg("%s: %s %zu, of group %d, after step %u is %.9g, not %.17g",
                 clgrad_optimizer_describe(c->groups[0].kind)->name, what, i, (int)group_of(c, i),
                 (unsigned)step, got, expected);
}

/* One parameter by itself: its slots lie N apart, as all have them. */
static void check_parameter(const group_case *c, uint64_t step, size_t i, double gradient, double old,
                            const double *old_state, double got, const double *got_state)
{
    const clgrad_optimizer *group = &c->groups[group_of(c, i)];
    const size_t slots = clgrad_optimizer_slots(group);
    const double u = clgrad_optimizer_describe(group->kind)->bound * 0x1p-24;
    double expected = old, terms, state[MAX_SLOTS], state_terms[MAX_SLOTS];
    for (size_t k = 0; k < slots; k++)
        state[k] = old_state[k * N + i];
    optimizer_terms(group, step, 1, &gradient, &old, state, &terms, state_terms);
    clgrad_ref_optimizer_step(group, step, 1, &gradient, &expected, state, 1);
    check_number(c, "parameter", i, step, got, expected, u * terms + 0x1p-126);
    for (size_t k = 0; k < slots; k++)
        check_number(c, "state", i, step, got_state[k * N + i], state[k], u * state_terms[k] + 0x1p-126);
}

static void check_group_step(clgrad_context *context, const group_case *c, const tensors *t, uint64_t step)
{
    float gradient[N];
    fill_normal(gradient, N, 100 + step, 2);
    assert_ok(context, clgrad_tensor_write(context, t->gradient, gradient, sizeof gradient));
    double *old = tensor_doubles(context, t->parameters), *old_state = tensor_doubles(context, t->state);
    assert_ok(context, clgrad_optimizer_step_groups(context, c->groups, c->count, t->ranges, step,
                                                    t->gradient, t->parameters, t->state));
    void *rows = tensor_contents(context, t->ranges);
    assert_memory_equal(rows, c->rows, c->row_count * sizeof *c->rows);
    assert_holds(context, t->gradient, gradient);
    double *got = tensor_doubles(context, t->parameters), *got_state = tensor_doubles(context, t->state);
    for (size_t i = 0; i < N; i++)
        if (exists(c, group_of(c, i)))
            check_parameter(c, step, i, gradient[i], old[i], old_state, got[i], got_state);
        else
            assert_true(got[i] == old[i]);
    free(rows);
    free(old);
    free(old_state);
    free(got);
    free(got_state);
}

static void check_case(clgrad_context *context, const group_case *c)
{
    tensors t = make_tensors(context, c);
    for (uint64_t step = 1; step <= 4; step++)
        check_group_step(context, c, &t, step);
    free_tensors(context, t);
}

/* ---- rows ---- */

static const int32_t one_row[][2] = {{N, 0}};
static const int32_t several[][2] = {{10, 2}, {11, 0}, {75, -1}, {75, 1}, {100, 1}, {140, 0}};
static const int32_t beyond[][2] = {{-5, 1}, {0, 2}, {40, 1}, {INT32_MAX, 2}, {INT32_MAX, 0}};
static const int32_t frozen[][2] = {{N, -1}};

/* Three groups whose options differ in everything, and in the number of slots where that depends on options.
 */
static group_case three_groups(clgrad_optimizer_kind kind, const int32_t (*rows)[2], size_t row_count)
{
    group_case c = {.count = 3, .rows = rows, .row_count = row_count};
    c.groups[0] = clgrad_optimizer_defaults(kind);
    c.groups[1] = c.groups[2] = optimizer_all_other(kind);
    c.groups[2].lr = 0.25f;
    c.groups[2].maximize = c.groups[2].amsgrad = c.groups[2].centered = false;
    return c;
}

static void each_group_has_its_options(clgrad_context *context)
{
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const struct {
            const int32_t (*rows)[2];
            size_t count;
        } all[] = {{one_row, COUNT(one_row)},
                   {several, COUNT(several)},
                   {beyond, COUNT(beyond)},
                   {frozen, 1},
                   {frozen, 0}};
        for (size_t i = 0; i < COUNT(all); i++) {
            const group_case c = three_groups((clgrad_optimizer_kind)kind, all[i].rows, all[i].count);
            check_case(context, &c);
        }
    }
}

static void as_many_groups_as_there_may_be(clgrad_context *context)
{
    int32_t rows[N][2];
    group_case c = {.count = CLGRAD_OPTIMIZER_MAX_GROUPS, .rows = (const int32_t(*)[2])rows, .row_count = N};
    for (int32_t i = 0; i < N; i++) {
        rows[i][0] = i + 1;
        rows[i][1] = i * 5 % (CLGRAD_OPTIMIZER_MAX_GROUPS + 1) - 1;
    }
    for (size_t i = 0; i < c.count; i++) {
        c.groups[i] = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
        c.groups[i].lr = 0.01f * (float)(i + 1);
        c.groups[i].amsgrad = i % 2;
        c.groups[i].weight_decay = i % 3 == 0 ? 0.1f : 0;
    }
    check_case(context, &c);
}

/* One group over everything gives the same bits as the call without groups. */
static void one_group_is_a_plain_step(clgrad_context *context)
{
    float gradient[N], w[N];
    fill_normal(w, N, 1, 1);
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const group_case c = {.count = 1,
                              .groups = {optimizer_all_other((clgrad_optimizer_kind)kind)},
                              .rows = one_row,
                              .row_count = 1};
        tensors t = make_tensors(context, &c);
        optimizer_run r = make_run(context, &c.groups[0], N, w);
        for (uint64_t step = 1; step <= 3; step++) {
            fill_normal(gradient, N, step, 1);
            run_step(context, &r, step, gradient);
            assert_ok(context, clgrad_optimizer_step_groups(context, c.groups, 1, t.ranges, step, r.gradient,
                                                            t.parameters, t.state));
        }
        float *expected = tensor_floats(context, r.parameters);
        assert_holds(context, t.parameters, expected);
        free(expected);
        if (r.slots > 0) {
            expected = tensor_floats(context, r.state);
            assert_holds(context, t.state, expected);
            free(expected);
        }
        free_run(context, r);
        free_tensors(context, t);
    }
}

/* What a slot holds before step 1. */
static double initial_state(const clgrad_optimizer *optimizer, size_t slot)
{
    if (optimizer->kind == CLGRAD_OPTIMIZER_ADAGRAD)
        return optimizer->initial_accumulator_value;
    return optimizer->kind == CLGRAD_OPTIMIZER_RPROP && slot == 1 ? optimizer->lr : 0;
}

/* A parameter that was frozen at step 1 joins a group later and finds the state that the optimizer begins
 * with. */
static void a_parameter_may_join_later(clgrad_context *context)
{
    static const int32_t few[][2] = {{10, -1}, {11, 0}, {75, -1}}, all[][2] = {{N, 0}};
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const clgrad_optimizer o = optimizer_all_other((clgrad_optimizer_kind)kind);
        const group_case early = {.count = 1, .groups = {o}, .rows = few, .row_count = 3};
        const group_case late = {.count = 1, .groups = {o}, .rows = all, .row_count = 1};
        tensors t = make_tensors(context, &early);
        check_group_step(context, &early, &t, 1);
        double *state = tensor_doubles(context, t.state);
        for (size_t k = 0; k < clgrad_optimizer_slots(&o); k++)
            for (size_t i = 0; i < N; i++)
                if (i != 10)
                    assert_true(state[k * N + i] == initial_state(&o, k));
        free(state);
        tensor_free(context, t.ranges);
        t.ranges = tensor_with(context, CLGRAD_TYPE_INT32, 2, (size_t[]){1, 2}, all);
        check_group_step(context, &late, &t, 2);
        free_tensors(context, t);
    }
}

/* What it does to the parameters is nobody's promise, but it stays inside its arrays. */
static void unsorted_rows_do_no_harm(clgrad_context *context)
{
    static const int32_t rows[][2] = {{100, 0},      {20, 1}, {INT32_MIN, 2}, {90, -1},
                                      {N + 1000, 1}, {-1, 0}, {50, 2}};
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const group_case c = three_groups((clgrad_optimizer_kind)kind, rows, COUNT(rows));
        tensors t = make_tensors(context, &c);
        assert_ok(context, clgrad_tensor_fill(context, t.gradient, 1));
        for (uint64_t step = 1; step <= 2; step++)
            assert_ok(context, clgrad_optimizer_step_groups(context, c.groups, c.count, t.ranges, step,
                                                            t.gradient, t.parameters, t.state));
        float *got = tensor_floats(context, t.parameters);
        for (size_t i = 0; i < N; i++)
            assert_true(isfinite(got[i]));
        free(got);
        free_tensors(context, t);
    }
}

/* ---- faults ---- */

/* The step goes on for the other groups, and so do the steps after it; the next report has the row. */
static void a_group_that_there_is_not_is_reported(clgrad_context *context)
{
    static const int32_t bad[] = {3, 7, -2, INT32_MAX, INT32_MIN};
    for (size_t k = 0; k < COUNT(bad); k++) {
        const int32_t rows[][2] = {{0, 99}, {40, 0}, {41, bad[k]}, {60, -1}, {N, 1}, {N + 5, 42}};
        const group_case c = three_groups(CLGRAD_OPTIMIZER_ADAM, rows, COUNT(rows));
        char expected[64];
        tensors t = make_tensors(context, &c);
        float w[N], *got;
        fill_normal(w, N, 1, 1);
        assert_ok(context, clgrad_tensor_fill(context, t.gradient, 1));
        for (uint64_t step = 1; step <= 2; step++)
            assert_ok(context, clgrad_optimizer_step_groups(context, c.groups, c.count, t.ranges, step,
                                                            t.gradient, t.parameters, t.state));
        snprintf(expected, sizeof expected, "ranges[2] has the group %d", (int)bad[k]);
        assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, expected);
        assert_non_null(strstr(clgrad_context_error(context), "0 to 2"));
        got = tensor_floats(context, t.parameters);
        for (size_t i = 0; i < N; i++)
            assert_true((got[i] == w[i]) == (i >= 40 && i < 60));
        assert_true(is_close(got[0], w[0] - 2 * 0.001, 1e-6)); /* two steps of adam's defaults */
        free(got);
        free_tensors(context, t);
    }
}

/* A bad index suspends them all, one that was there before the step as well as one beside a bad group. */
static void an_index_fault_suspends_all_groups(clgrad_context *context)
{
    static const int32_t rows[][2] = {{40, 0}, {50, 9}, {N, 1}};
    const clgrad_loss loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    clgrad_tensor logits = matrix_with(context, 1, 2, (float[]){0, 1}), value = scalar_with(context, 0);
    clgrad_tensor classes = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){1}, &(int32_t){2});
    for (int group_first = 0; group_first < 2; group_first++) {
        const group_case c = three_groups(CLGRAD_OPTIMIZER_RPROP, rows, COUNT(rows));
        tensors t = make_tensors(context, &c);
        assert_ok(context, clgrad_tensor_fill(context, t.gradient, 1));
        if (group_first)
            assert_ok(context, clgrad_optimizer_step_groups(context, c.groups, c.count, t.ranges, 1,
                                                            t.gradient, t.parameters, t.state));
        float *before = group_first ? NULL : tensor_floats(context, t.parameters);
        assert_ok(context, clgrad_loss_forward(context, &loss, logits, classes, value));
        assert_ok(context, clgrad_optimizer_step_groups(context, c.groups, c.count, t.ranges, 2, t.gradient,
                                                        t.parameters, t.state));
        assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX,
                       "target[0] is 2");
        assert_ok(context, clgrad_context_finish(context)); /* one report for both */
        float *after = tensor_floats(context, t.parameters);
        if (before != NULL)
            assert_same_floats(after, before, N);
        else
            for (size_t i = 0; i < N; i++) { /* the first step alone has been made */
                float w[N];
                fill_normal(w, N, 1, 1);
                const double moved = i < 40 ? c.groups[0].lr : i < 50 ? 0 : c.groups[1].lr;
                assert_true(is_close(fabs((double)after[i] - w[i]), moved, 1e-6));
            }
        free(before);
        free(after);
        free_tensors(context, t);
    }
    tensor_free(context, logits);
    tensor_free(context, classes);
    tensor_free(context, value);
}

/* Nothing is read where nothing is, but the arguments are checked all the same. */
static void no_parameters_have_no_groups(clgrad_context *context)
{
    clgrad_optimizer adam = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    optimizer_run r = make_run(context, &adam, 0, NULL);
    clgrad_tensor ranges = tensor_with(context, CLGRAD_TYPE_INT32, 2, (size_t[]){1, 2}, one_row);
    assert_ok(context,
              clgrad_optimizer_step_groups(context, &adam, 1, ranges, 1, r.gradient, r.parameters, r.state));
    adam.lr = -1;
    assert_refused(
        context,
        clgrad_optimizer_step_groups(context, &adam, 1, ranges, 1, r.gradient, r.parameters, r.state),
        CLGRAD_STATUS_INVALID_ARGUMENT, "adam's lr is -1");
    free_run(context, r);
    tensor_free(context, ranges);
}

int main(void)
{
    const test_case cases[] = {
        CASE(each_group_has_its_options),         CASE(as_many_groups_as_there_may_be),
        CASE(one_group_is_a_plain_step),          CASE(a_parameter_may_join_later),
        CASE(unsorted_rows_do_no_harm),           CASE(a_group_that_there_is_not_is_reported),
        CASE(an_index_fault_suspends_all_groups), CASE(no_parameters_have_no_groups),
    };
    return run_on_every_device(cases, COUNT(cases));
}
