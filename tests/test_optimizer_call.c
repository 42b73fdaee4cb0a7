/*
 * Optimizers as calls: the list, steps that are suspended while an index fault is pending, and every argument
 * that is refused.
 */
#include "harness.h"

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

static void sgd_needs_a_slot_for_its_momentum(clgrad_context *context)
{
    (void)context;
    clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    assert_int_equal(clgrad_optimizer_slots(&sgd), 0);
    sgd.momentum = 0.5f;
    assert_int_equal(clgrad_optimizer_slots(&sgd), 1);
    assert_int_equal(clgrad_optimizer_slots(NULL), 0);
    sgd.kind = unknown_kind;
    assert_int_equal(clgrad_optimizer_slots(&sgd), 0);
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

/* ---- refusals ---- */

typedef struct call {
    clgrad_optimizer sgd;
    clgrad_tensor gradient, parameters, state;
} call;

static const float numbers[6] = {1, 2, 3, 4, 5, 6};

static call make_call(clgrad_context *context)
{
    call c = {.sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD),
              .gradient = matrix_with(context, 3, 2, numbers),
              .parameters = matrix_with(context, 3, 2, numbers),
              .state = matrix_with(context, 1, 6, NULL)};
    c.sgd.momentum = 0.5f;
    return c;
}

static void free_call(clgrad_context *context, call c)
{
    tensor_free(context, c.gradient);
    tensor_free(context, c.parameters);
    tensor_free(context, c.state);
}

static void assert_unwritten(clgrad_context *context, const call *c)
{
    assert_holds(context, c->gradient, numbers);
    assert_holds(context, c->parameters, numbers);
    assert_untouched(context, c->state);
}

#define REFUSED(optimizer, step, gradient, parameters, state, status, part)                                  \
    do {                                                                                                     \
        assert_refused(context,                                                                              \
                       clgrad_optimizer_step(context, optimizer, step, gradient, parameters, state), status, \
                       part);                                                                                \
        assert_unwritten(context, &c);                                                                       \
    } while (0)
#define OPTIMIZER_REFUSED(change, part)                                                          \
    do {                                                                                         \
        clgrad_optimizer o = c.sgd;                                                              \
        o.change;                                                                                \
        REFUSED(&o, 1, c.gradient, c.parameters, c.state, CLGRAD_STATUS_INVALID_ARGUMENT, part); \
    } while (0)

static void bad_descriptors_are_refused(clgrad_context *context)
{
    call c = make_call(context);
    REFUSED(NULL, 1, c.gradient, c.parameters, c.state, CLGRAD_STATUS_INVALID_ARGUMENT, "optimizer is NULL");
    REFUSED(&c.sgd, 0, c.gradient, c.parameters, c.state, CLGRAD_STATUS_INVALID_ARGUMENT, "step is 0");
    OPTIMIZER_REFUSED(kind = unknown_kind, "there is no optimizer 99");
    OPTIMIZER_REFUSED(kind = (clgrad_optimizer_kind)CLGRAD_OPTIMIZER_COUNT, "there is no optimizer");
    OPTIMIZER_REFUSED(lr = NAN, "sgd's lr is nan");
    OPTIMIZER_REFUSED(lr = INFINITY, "sgd's lr is inf");
    OPTIMIZER_REFUSED(lr = -0.125f, "sgd's lr is -0.125, it must lie between 0 and");
    OPTIMIZER_REFUSED(momentum = -0.5f, "sgd's momentum is -0.5");
    OPTIMIZER_REFUSED(momentum = NAN, "sgd's momentum is nan");
    OPTIMIZER_REFUSED(momentum = INFINITY, "sgd's momentum is inf");
    OPTIMIZER_REFUSED(dampening = INFINITY, "sgd's dampening is inf");
    OPTIMIZER_REFUSED(dampening = -INFINITY, "sgd's dampening is -inf");
    OPTIMIZER_REFUSED(dampening = NAN, "sgd's dampening is nan");
    OPTIMIZER_REFUSED(weight_decay = -1, "sgd's weight_decay is -1");
    OPTIMIZER_REFUSED(weight_decay = NAN, "sgd's weight_decay is nan");
    c.sgd.nesterov = true;
    OPTIMIZER_REFUSED(momentum = 0, "nesterov needs a momentum above 0 and a dampening of 0");
    OPTIMIZER_REFUSED(dampening = 0.5f, "nesterov needs a momentum above 0 and a dampening of 0");
    assert_int_equal(clgrad_optimizer_step(NULL, &c.sgd, 1, c.gradient, c.parameters, c.state),
                     CLGRAD_STATUS_INVALID_ARGUMENT);
    free_call(context, c);
}

/* Each of the three tensors in turn, by the name that the sentence has for it. */
static void bad_tensors_are_refused(clgrad_context *context)
{
    static const char *const names[] = {"gradient", "parameters", "state"};
    static const struct {
        clgrad_status status;
        const char *part;
    } expected[] = {
        {CLGRAD_STATUS_INVALID_ARGUMENT, " is absent"},
        {CLGRAD_STATUS_INVALID_ARGUMENT, " has rank 9"},
        {CLGRAD_STATUS_INVALID_TYPE, " is int32, it must be float32"},
        {CLGRAD_STATUS_INVALID_TYPE, " has the unknown element type 7"},
        {CLGRAD_STATUS_OUT_OF_RANGE, " at offset 11, but its buffer holds 16 elements"},
        {CLGRAD_STATUS_OUT_OF_RANGE, ", but its buffer holds 16 elements"},
    };
    call c = make_call(context);
    for (size_t which = 0; which < COUNT(names); which++)
        for (size_t fault = 0; fault < COUNT(expected); fault++) {
            call bad = c;
            clgrad_tensor *tensor = which == 0 ? &bad.gradient : which == 1 ? &bad.parameters : &bad.state;
            if (fault == 0)
                *tensor = clgrad_tensor_none();
            else if (fault == 1)
                tensor->rank = 9;
            else if (fault == 2 || fault == 3)
                tensor->type = fault == 2 ? CLGRAD_TYPE_INT32 : (clgrad_type)7;
            else
                tensor->offset = fault == 4 ? 11 : SIZE_MAX;
            REFUSED(&c.sgd, 1, bad.gradient, bad.parameters, bad.state, expected[fault].status,
                    expected[fault].part);
            assert_non_null(strstr(clgrad_context_error(context), names[which]));
        }

    clgrad_tensor flat = clgrad_tensor_vector(c.gradient.buffer, c.gradient.offset, CLGRAD_TYPE_FLOAT32, 6);
    REFUSED(&c.sgd, 1, flat, c.parameters, c.state, CLGRAD_STATUS_INVALID_SHAPE,
            "gradient has shape [6], but parameters has shape [3, 2]");
    flat = clgrad_tensor_vector(c.state.buffer, c.state.offset, CLGRAD_TYPE_FLOAT32, 6);
    REFUSED(&c.sgd, 1, c.gradient, c.parameters, flat, CLGRAD_STATUS_INVALID_SHAPE,
            "state has shape [6], it must have shape [1, 6]");
    free_call(context, c);
}

static void overlaps_are_refused(clgrad_context *context)
{
    call c = make_call(context);
    clgrad_tensor state = clgrad_tensor_matrix(c.parameters.buffer, c.parameters.offset + 5, 1, 6);
    REFUSED(&c.sgd, 1, c.parameters, c.parameters, c.state, CLGRAD_STATUS_INVALID_ARGUMENT,
            "parameters overlaps gradient");
    REFUSED(&c.sgd, 1, c.gradient, c.parameters, state, CLGRAD_STATUS_INVALID_ARGUMENT,
            "state overlaps parameters");
    state = clgrad_tensor_matrix(c.gradient.buffer, c.gradient.offset - 5, 1, 6);
    REFUSED(&c.sgd, 1, c.gradient, c.parameters, state, CLGRAD_STATUS_INVALID_ARGUMENT,
            "state overlaps gradient");
    free_call(context, c);
}

static void foreign_buffers_are_refused(clgrad_context *context)
{
    clgrad_context *other = NULL;
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    call c = make_call(context), foreign = make_call(other);
    const clgrad_status status = CLGRAD_STATUS_INVALID_CONTEXT;
    REFUSED(&c.sgd, 1, foreign.gradient, c.parameters, c.state, status,
            "gradient lies in a buffer of another");
    REFUSED(&c.sgd, 1, c.gradient, foreign.parameters, c.state, status,
            "parameters lies in a buffer of another");
    REFUSED(&c.sgd, 1, c.gradient, c.parameters, foreign.state, status, "state lies in a buffer of another");
    assert_unwritten(other, &foreign);
    free_call(context, c);
    free_call(other, foreign);
    clgrad_context_destroy(other);
}

int main(void)
{
    const test_case cases[] = {
        CASE(each_row_describes_itself),
        CASE(unknown_rows_are_told),
        CASE(sgd_needs_a_slot_for_its_momentum),
        CASE(steps_wait_for_a_fault_to_be_reported),
        CASE(bad_descriptors_are_refused),
        CASE(bad_tensors_are_refused),
        CASE(overlaps_are_refused),
        CASE(foreign_buffers_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
