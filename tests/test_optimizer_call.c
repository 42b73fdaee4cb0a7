/*
 * Optimizers as calls: the list, and steps that are suspended while an index fault is pending.
 */
#include "optimizer_case.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const clgrad_optimizer_kind unknown_kind = (clgrad_optimizer_kind)99;

/* ---- the list ---- */

static void each_row_describes_itself(clgrad_context *context)
{
    (void)context;
    assert_int_equal(CLGRAD_OPTIMIZER_SGD, 0);
    assert_string_equal(clgrad_optimizer_describe(CLGRAD_OPTIMIZER_SGD)->name, "sgd");
    for (int k = 0; k < CLGRAD_OPTIMIZER_COUNT; k++) {
        const clgrad_optimizer_kind kind = (clgrad_optimizer_kind)k;
        const clgrad_optimizer_info *info = clgrad_optimizer_describe(kind);
        clgrad_optimizer_kind parsed = unknown_kind;
        assert_non_null(info);
        assert_true(clgrad_optimizer_parse(info->name, &parsed));
        assert_int_equal(parsed, kind);
        assert_true(strlen(info->formula) > 0 && strlen(info->source) > 0 && info->bound > 0);
        const clgrad_optimizer defaults = clgrad_optimizer_defaults(kind);
        assert_int_equal(defaults.kind, kind);
        assert_parameters_default(info->parameters, &defaults);
    }
    const clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    assert_true(sgd.lr == 0.001f && sgd.momentum == 0 && sgd.dampening == 0 && sgd.weight_decay == 0);
    assert_false(sgd.nesterov);
}

static void unknown_rows_are_told(clgrad_context *context)
{
    (void)context;
    const char *names[] = {"SGD", "sgd ", "sg", "", "no_such_optimizer", NULL};
    for (size_t i = 0; i < COUNT(names); i++) {
        clgrad_optimizer_kind kind = unknown_kind;
        assert_false(clgrad_optimizer_parse(names[i], &kind));
        assert_int_equal(kind, unknown_kind);
    }
    assert_null(clgrad_optimizer_describe(unknown_kind));
    assert_null(clgrad_optimizer_describe((clgrad_optimizer_kind)CLGRAD_OPTIMIZER_COUNT));
    assert_null(clgrad_optimizer_describe((clgrad_optimizer_kind)-1));
}

static void slots_follow_from_options(clgrad_context *context)
{
    static const struct {
        clgrad_optimizer_kind kind;
        size_t defaults, others;
    } expected[CLGRAD_OPTIMIZER_COUNT] = {
        {CLGRAD_OPTIMIZER_SGD, 0, 1},     {CLGRAD_OPTIMIZER_ADAM, 2, 3},     {CLGRAD_OPTIMIZER_ADAMW, 2, 3},
        {CLGRAD_OPTIMIZER_ADAGRAD, 1, 1}, {CLGRAD_OPTIMIZER_ADADELTA, 2, 2}, {CLGRAD_OPTIMIZER_ADAMAX, 2, 2},
        {CLGRAD_OPTIMIZER_NADAM, 2, 2},   {CLGRAD_OPTIMIZER_RADAM, 2, 2},    {CLGRAD_OPTIMIZER_RMSPROP, 1, 3},
        {CLGRAD_OPTIMIZER_RPROP, 2, 2},   {CLGRAD_OPTIMIZER_ASGD, 1, 1},     {CLGRAD_OPTIMIZER_LION, 1, 1},
    };
    (void)context;
    for (size_t k = 0; k < CLGRAD_OPTIMIZER_COUNT; k++) {
        const clgrad_optimizer defaults = clgrad_optimizer_defaults(expected[k].kind);
        const clgrad_optimizer others = optimizer_all_other(expected[k].kind);
        assert_int_equal(expected[k].kind, k);
        assert_int_equal(clgrad_optimizer_slots(&defaults), expected[k].defaults);
        assert_int_equal(clgrad_optimizer_slots(&others), expected[k].others);
    }
    clgrad_optimizer rmsprop = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_RMSPROP);
    rmsprop.centered = true;
    assert_int_equal(clgrad_optimizer_slots(&rmsprop), 2);
    rmsprop.centered = false;
    rmsprop.momentum = 0.5f;
    assert_int_equal(clgrad_optimizer_slots(&rmsprop), 2);
    assert_int_equal(clgrad_optimizer_slots(NULL), 0);
    rmsprop.kind = unknown_kind;
    assert_int_equal(clgrad_optimizer_slots(&rmsprop), 0);
}

/* ---- an index fault suspends the steps after it ---- */

/* A loss whose only class index points nowhere: nothing is reported before the next read or finish. */
static void make_a_fault(clgrad_context *context, clgrad_tensor logits, clgrad_tensor classes,
                         clgrad_tensor value)
{
    const clgrad_loss loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    assert_ok(context, clgrad_loss_forward(context, &loss, logits, classes, value));
}

static void steps_wait_for_a_fault_to_be_reported(clgrad_context *context)
{
    enum { N = 130 };
    float w[N], g[N], expected[N], momentum[N];
    fill_normal(w, N, 1, 1);
    fill_normal(g, N, 2, 1);
    clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    sgd.momentum = sgd.lr = 0.5f; /* so that products are exact */
    clgrad_tensor parameters = vector_with(context, N, w), gradient = vector_with(context, N, g);
    clgrad_tensor state = matrix_with(context, 1, N, NULL), value = scalar_with(context, 0);
    clgrad_tensor logits = matrix_with(context, 1, 2, (float[]){0, 1});
    clgrad_tensor classes = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){1}, &(int32_t){2});

    make_a_fault(context, logits, classes, value);
    assert_ok(context, clgrad_optimizer_step(context, &sgd, 1, gradient, parameters, state));
    assert_ok(context, clgrad_optimizer_step(context, &sgd, 2, gradient, parameters, state));
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, "target[0] is 2");
    assert_holds(context, parameters, w);
    assert_holds(context, state,
                 (float[N]){0}); /* so that step 2 finds a state even where step 1 was suspended */
    assert_holds(context, gradient, g);

    /* the report ends it; a read reports too, and a step before the fault has counted */
    assert_ok(context, clgrad_optimizer_step(context, &sgd, 1, gradient, parameters, state));
    make_a_fault(context, logits, classes, value);
    assert_ok(context, clgrad_optimizer_step(context, &sgd, 2, gradient, parameters, state));
    float got;
    assert_refused(context, clgrad_tensor_read(context, value, &got, sizeof got), CLGRAD_STATUS_INVALID_INDEX,
                   "target[0] is 2");
    for (size_t i = 0; i < N; i++) {
        momentum[i] = g[i];
        expected[i] = w[i] - 0.5f * g[i];
    }
    assert_holds(context, parameters, expected);
    assert_holds(context, state, momentum);
    assert_ok(context, clgrad_optimizer_step(context, &sgd, 2, gradient, parameters, state));
    float *after = tensor_floats(context, parameters);
    for (size_t i = 0; i < N; i++)
        assert_true(is_close(after[i], expected[i] - 0.5 * (1.5 * g[i]), 1e-6));
    free(after);

    tensor_free(context, parameters);
    tensor_free(context, gradient);
    tensor_free(context, state);
    tensor_free(context, value);
    tensor_free(context, logits);
    tensor_free(context, classes);
}

/* A suspended step 1 leaves the state that the optimizer begins with, from which step 2 goes on. */
static void a_suspended_first_step_begins_the_state(clgrad_context *context)
{
    enum { N = 9 };
    float w[N], gradient[N];
    fill_normal(w, N, 3, 1);
    fill_normal(gradient, N, 4, 1);
    clgrad_tensor logits = matrix_with(context, 1, 2, (float[]){0, 1}), value = scalar_with(context, 0);
    clgrad_tensor classes = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){1}, &(int32_t){-1});
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const clgrad_optimizer o = optimizer_all_other((clgrad_optimizer_kind)kind);
        optimizer_run r = make_run(context, &o, N, w);
        make_a_fault(context, logits, classes, value);
        run_step(context, &r, 1, gradient);
        assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX,
                       "target[0] is -1");
        assert_holds(context, r.parameters, w);
        float *state = r.slots > 0 ? tensor_floats(context, r.state) : NULL;
        for (size_t k = 0; k < r.slots * N; k++) {
            const float expected = kind == CLGRAD_OPTIMIZER_ADAGRAD           ? o.initial_accumulator_value
                                   : kind == CLGRAD_OPTIMIZER_RPROP && k >= N ? o.lr
                                                                              : 0;
            assert_true(state[k] == expected);
        }
        free(state);
        check_step(context, &r, 2, gradient);
        float *after = tensor_floats(context, r.parameters);
        for (size_t i = 0; i < N; i++)
            assert_true(isfinite(after[i]) && after[i] != w[i]);
        free(after);
        free_run(context, r);
    }
    tensor_free(context, logits);
    tensor_free(context, classes);
    tensor_free(context, value);
}

int main(void)
{
    const test_case cases[] = {
        CASE(each_row_describes_itself),
        CASE(unknown_rows_are_told),
        CASE(slots_follow_from_options),
        CASE(steps_wait_for_a_fault_to_be_reported),
        CASE(a_suspended_first_step_begins_the_state),
    };
    return run_on_every_device(cases, COUNT(cases));
}
