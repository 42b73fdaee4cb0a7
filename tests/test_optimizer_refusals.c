/*
 * Every argument of an optimizer's step, and of one with groups, that is refused: the sentence, and that
 * nothing has changed.
 */
#include "optimizer_case.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const clgrad_optimizer_kind unknown_kind = (clgrad_optimizer_kind)99;

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
    OPTIMIZER_REFUSED(lr = -0.125f, "sgd's lr is -0.125, it must lie between 0 and");
    c.sgd.nesterov = true;
    OPTIMIZER_REFUSED(momentum = 0,
                      "sgd: nesterov needs a momentum above 0 and a dampening of 0; this one has lr 0.001, "
                      "momentum 0, dampening 0, weight_decay 0, nesterov 1, maximize 0");
    OPTIMIZER_REFUSED(dampening = 0.5f, "nesterov needs a momentum above 0 and a dampening of 0");
    OPTIMIZER_REFUSED(dampening = -0.5f, "nesterov needs a momentum above 0 and a dampening of 0");
    c.sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_RPROP);
    OPTIMIZER_REFUSED(step_min = 51, "rprop: step_min must not be above step_max; this one has lr 0.01, "
                                     "etaminus 0.5, etaplus 1.2, step_min 51, step_max 50, maximize 0");
    OPTIMIZER_REFUSED(step_max = 1e-7f, "step_min must not be above step_max");
    assert_int_equal(clgrad_optimizer_step(NULL, &c.sgd, 1, c.gradient, c.parameters, c.state),
                     CLGRAD_STATUS_INVALID_ARGUMENT);
    free_call(context, c);
}

/* Beside clgrad_parameter_set, which would not let these values in. */
static void put(const clgrad_parameter *parameter, clgrad_optimizer *optimizer, float value)
{
    memcpy((char *)optimizer + parameter->offset, &value, sizeof value);
}

static void numbers_outside_their_intervals_are_refused(clgrad_context *context)
{
    call c = make_call(context);
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const clgrad_optimizer_info *info = clgrad_optimizer_describe((clgrad_optimizer_kind)kind);
        for (const clgrad_parameter *p = info->parameters; p->name != NULL; p++) {
            const float bad[] = {NAN, INFINITY, -INFINITY, nextafterf(p->minimum, -INFINITY),
                                 nextafterf(p->maximum, INFINITY)};
            for (size_t i = 0; p->type != CLGRAD_PARAMETER_FLAG && i < COUNT(bad); i++) {
                clgrad_optimizer o = clgrad_optimizer_defaults((clgrad_optimizer_kind)kind);
                char sentence[96];
                put(p, &o, bad[i]);
                snprintf(sentence, sizeof sentence, "%s's %s is %.9g, it must lie between %.9g and %.9g",
                         info->name, p->name, (double)bad[i], (double)p->minimum, (double)p->maximum);
                REFUSED(&o, 1, c.gradient, c.parameters, c.state, CLGRAD_STATUS_INVALID_ARGUMENT, sentence);
            }
        }
    }
    free_call(context, c);
}

/* The intervals themselves: those of PyTorch's own checks, and finite. */
static void intervals_are_pytorchs(clgrad_context *context)
{
    static const struct {
        const char *optimizer, *parameter;
        float minimum, maximum;
    } special[] = {
        {"sgd", "dampening", -FLT_MAX, FLT_MAX},
        {"adadelta", "rho", 0, 1},
        {"rprop", "etaminus", FLT_MIN, 1 - 0x1p-24f},
        {"rprop", "etaplus", 1 + 0x1p-23f, FLT_MAX},
    };
    (void)context;
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        const clgrad_optimizer_info *info = clgrad_optimizer_describe((clgrad_optimizer_kind)kind);
        for (const clgrad_parameter *p = info->parameters; p->name != NULL; p++) {
            const bool unit = strncmp(p->name, "beta", 4) == 0; /* 0 to below 1 */
            float minimum = 0, maximum = p->type == CLGRAD_PARAMETER_FLAG ? 1 : unit ? 1 - 0x1p-24f : FLT_MAX;
            for (size_t i = 0; i < COUNT(special); i++)
                if (strcmp(info->name, special[i].optimizer) == 0 &&
                    strcmp(p->name, special[i].parameter) == 0) {
                    minimum = special[i].minimum;
                    maximum = special[i].maximum;
                }
            if (p->minimum != minimum || p->maximum != maximum)
                fail_msg("%s's %s lies between %g and %g", info->name, p->name, (double)p->minimum,
                         (double)p->maximum);
        }
    }
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

/* ---- groups ---- */

/* A call that would do: three groups of adam, the second of which needs a third slot. */
typedef struct group_call {
    clgrad_optimizer groups[CLGRAD_OPTIMIZER_MAX_GROUPS + 1];
    size_t count;
    uint64_t step;
    clgrad_tensor ranges, gradient, parameters, state;
} group_call;

static group_call make_group_call(clgrad_context *context)
{
    static const int32_t rows[][2] = {{1, 2}, {4, 1}, {6, 0}};
    group_call c = {.count = 3, .step = 1};
    for (size_t i = 0; i < COUNT(c.groups); i++)
        c.groups[i] = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    c.groups[1].amsgrad = true;
    c.ranges = tensor_with(context, CLGRAD_TYPE_INT32, 2, (size_t[]){3, 2}, rows);
    c.gradient = matrix_with(context, 3, 2, numbers);
    c.parameters = matrix_with(context, 3, 2, numbers);
    c.state = matrix_with(context, 3, 6, NULL);
    return c;
}

static void free_group_call(clgrad_context *context, group_call c)
{
    tensor_free(context, c.ranges);
    tensor_free(context, c.gradient);
    tensor_free(context, c.parameters);
    tensor_free(context, c.state);
}

static clgrad_status step_with(clgrad_context *context, const group_call *c)
{
    return clgrad_optimizer_step_groups(context, c->groups, c->count, c->ranges, c->step, c->gradient,
                                        c->parameters, c->state);
}

/* With one thing changed. */
#define CHANGE_REFUSED(change, status, part)                             \
    do {                                                                 \
        group_call bad = c;                                              \
        bad.change;                                                      \
        assert_refused(context, step_with(context, &bad), status, part); \
        assert_holds(context, c.gradient, numbers);                      \
        assert_holds(context, c.parameters, numbers);                    \
        assert_untouched(context, c.state);                              \
    } while (0)

static void bad_groups_are_refused(clgrad_context *context)
{
    group_call c = make_group_call(context);
    const clgrad_status invalid = CLGRAD_STATUS_INVALID_ARGUMENT;
    CHANGE_REFUSED(count = 0, invalid, "there are 0 groups, there must be 1 to 8");
    CHANGE_REFUSED(count = 9, invalid, "there are 9 groups, there must be 1 to 8");
    CHANGE_REFUSED(step = 0, invalid, "step is 0");
    CHANGE_REFUSED(groups[2].beta2 = 1, invalid, "group 2: adam's beta2 is 1");
    CHANGE_REFUSED(groups[2].kind = CLGRAD_OPTIMIZER_ADAMW, invalid, "group 2 is adamw, but group 0 is adam");
    CHANGE_REFUSED(groups[0].kind = unknown_kind, invalid, "group 0: there is no optimizer 99");
    CHANGE_REFUSED(groups[1] = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD), invalid,
                   "group 1 is sgd, but group 0 is adam");
    CHANGE_REFUSED(state.shape[0] = 2, CLGRAD_STATUS_INVALID_SHAPE,
                   "state has shape [2, 6], it must have shape [3, 6]");
    assert_refused(
        context,
        clgrad_optimizer_step_groups(context, NULL, 1, c.ranges, 1, c.gradient, c.parameters, c.state),
        invalid, "groups is NULL");
    assert_int_equal(step_with(NULL, &c), invalid);
    free_group_call(context, c);
}

static void bad_ranges_are_refused(clgrad_context *context)
{
    group_call c = make_group_call(context);
    const clgrad_status invalid = CLGRAD_STATUS_INVALID_ARGUMENT;
    CHANGE_REFUSED(ranges = clgrad_tensor_none(), invalid, "ranges is absent");
    CHANGE_REFUSED(ranges.rank = 1, CLGRAD_STATUS_INVALID_SHAPE, "ranges has ");
    CHANGE_REFUSED(ranges.shape[1] = 1, CLGRAD_STATUS_INVALID_SHAPE,
                   "ranges has shape [3, 1], it must have shape [3, 2]");
    CHANGE_REFUSED(ranges.type = CLGRAD_TYPE_FLOAT32, CLGRAD_STATUS_INVALID_TYPE, "ranges is float32");
    CHANGE_REFUSED(ranges.offset = 11, CLGRAD_STATUS_OUT_OF_RANGE, "ranges");
    const clgrad_tensor others[] = {c.parameters, c.gradient, c.state};
    const char *const sentences[] = {"ranges overlaps parameters", "ranges overlaps gradient",
                                     "ranges overlaps state"};
    for (size_t i = 0; i < COUNT(others); i++) {
        clgrad_tensor last = others[i];
        last.offset += clgrad_tensor_count(last) - 1;
        last.type = CLGRAD_TYPE_INT32;
        last.shape[0] = 1;
        last.shape[1] = 2;
        CHANGE_REFUSED(ranges = last, invalid, sentences[i]);
    }
    clgrad_context *other = NULL;
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    group_call foreign = make_group_call(other);
    CHANGE_REFUSED(ranges = foreign.ranges, CLGRAD_STATUS_INVALID_CONTEXT,
                   "ranges lies in a buffer of another");
    free_group_call(other, foreign);
    clgrad_context_destroy(other);

    /* the same as it is goes through */
    assert_ok(context, step_with(context, &c));
    free_group_call(context, c);
}

int main(void)
{
    const test_case cases[] = {
        CASE(bad_descriptors_are_refused), CASE(numbers_outside_their_intervals_are_refused),
        CASE(intervals_are_pytorchs),      CASE(bad_tensors_are_refused),
        CASE(overlaps_are_refused),        CASE(foreign_buffers_are_refused),
        CASE(bad_groups_are_refused),      CASE(bad_ranges_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
