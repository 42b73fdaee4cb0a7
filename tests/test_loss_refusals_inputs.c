/*
 * Losses: every row of the list refuses the operands that it does not take, misses those that it needs, and
 * checks the shape of each. Nothing is written by a refused call. Parameters are in
 * test_loss_refusals_parameters.c.
 */
#include "loss_case.h"

#include <stdio.h>

#define ARGUMENT CLGRAD_STATUS_INVALID_ARGUMENT
#define SHAPE CLGRAD_STATUS_INVALID_SHAPE
#define TYPE CLGRAD_STATUS_INVALID_TYPE

/* A call that would succeed, to be spoilt in one place. */
typedef struct call {
    loss_drawn *drawn;
    loss_tensors t, good;
    clgrad_loss loss;
} call;

static call make_call(clgrad_context *context, clgrad_loss_kind kind)
{
    const clgrad_loss_extent extent = clgrad_loss_describe(kind)->extent;
    const int rank = extent == CLGRAD_LOSS_CHANNEL || extent == CLGRAD_LOSS_SEQUENCE ? 3 : 2;
    call c = {.loss = clgrad_loss_defaults(kind)};
    c.drawn = loss_draw(c.loss, rank, (size_t[]){4, 3, 2}, loss_ways(kind) & LOSS_WITH_WEIGHT);
    c.t = c.good = loss_case_tensors(context, &c.drawn->c);
    return c;
}

static void free_call(clgrad_context *context, call c)
{
    loss_tensors_free(context, c.good);
    loss_drawn_free(c.drawn);
}

static void assert_unwritten(clgrad_context *context, const call *c)
{
    assert_untouched(context, c->good.value);
    assert_untouched(context, c->good.gradients.dprediction);
    if (c->good.gradients.dtarget.buffer != NULL)
        assert_untouched(context, c->good.gradients.dtarget);
    if (c->good.gradients.dother.buffer != NULL)
        assert_untouched(context, c->good.gradients.dother);
}

/* The call as it has been spoilt is refused; then it is mended. */
static void refuse(clgrad_context *context, call *c, clgrad_status status, const char *part)
{
    assert_refused(
        context,
        clgrad_loss_evaluate(context, &c->loss, &c->t.inputs, c->t.dvalue, c->t.value, &c->t.gradients),
        status, part);
    assert_unwritten(context, c);
    c->t = c->good;
    c->loss = c->drawn->c.loss;
}

static const char *name_of(const call *c)
{
    return clgrad_loss_describe(c->loss.kind)->name;
}

static unsigned flags_of(const call *c)
{
    return clgrad_loss_describe(c->loss.kind)->flags;
}

/* ---- operands that must be there, and that must not ---- */

typedef struct operand {
    const char *name;
    clgrad_tensor *tensor;
    unsigned flags;
    bool needed;
} operand;

enum { OPERANDS = 5 };

static void operands_of(call *c, operand operands[OPERANDS])
{
    const unsigned weights = CLGRAD_LOSS_TAKES_WEIGHT | CLGRAD_LOSS_TAKES_CLASS_WEIGHT;
    const operand all[OPERANDS] = {
        {"other", &c->t.inputs.other, CLGRAD_LOSS_TAKES_OTHER, true},
        {"weight", &c->t.inputs.weight, weights, false},
        {"pos_weight", &c->t.inputs.pos_weight, CLGRAD_LOSS_TAKES_POS_WEIGHT, false},
        {"input_lengths", &c->t.inputs.input_lengths, CLGRAD_LOSS_TAKES_LENGTHS, true},
        {"target_lengths", &c->t.inputs.target_lengths, CLGRAD_LOSS_TAKES_LENGTHS, true}};
    memcpy(operands, all, sizeof all);
}

static void operands_are_what_the_row_says(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        call c = make_call(context, (clgrad_loss_kind)k);
        operand operands[OPERANDS];
        operands_of(&c, operands);
        char part[128];
        for (size_t i = 0; i < OPERANDS; i++) {
            if ((flags_of(&c) & operands[i].flags) == 0) {
                *operands[i].tensor = c.good.inputs.prediction;
                snprintf(part, sizeof part, "%s is given, but %s takes none", operands[i].name, name_of(&c));
                refuse(context, &c, ARGUMENT, part);
            } else if (operands[i].needed) {
                *operands[i].tensor = clgrad_tensor_none();
                snprintf(part, sizeof part, "%s is absent", operands[i].name);
                refuse(context, &c, ARGUMENT, part);
            }
        }
        c.t.inputs.prediction = clgrad_tensor_none();
        refuse(context, &c, ARGUMENT, "prediction is absent");
        c.t.inputs.target = clgrad_tensor_none();
        refuse(context, &c, ARGUMENT, "target is absent");
        free_call(context, c);
    }
}

/* Each operand with its type changed, then with one element more or less. */
static void types_and_shapes_are_checked(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        call c = make_call(context, (clgrad_loss_kind)k);
        operand operands[OPERANDS];
        operands_of(&c, operands);
        char part[128];
        for (size_t i = 0; i < OPERANDS; i++) {
            clgrad_tensor *tensor = operands[i].tensor;
            if (tensor->buffer == NULL)
                continue;
            const bool integers = tensor->type == CLGRAD_TYPE_INT32;
            tensor->type = integers ? CLGRAD_TYPE_FLOAT32 : CLGRAD_TYPE_INT32;
            snprintf(part, sizeof part, "%s is %s, it must be %s", operands[i].name,
                     integers ? "float32" : "int32", integers ? "int32" : "float32");
            refuse(context, &c, TYPE, part);
            tensor->shape[tensor->rank - 1] -= 1;
            refuse(context, &c, SHAPE, operands[i].name);
            tensor->offset = 1000;
            refuse(context, &c, CLGRAD_STATUS_OUT_OF_RANGE, operands[i].name);
        }
        c.t.inputs.prediction.type = CLGRAD_TYPE_INT32;
        refuse(context, &c, TYPE, "prediction is int32, it must be float32");
        if (!(flags_of(&c) & CLGRAD_LOSS_TAKES_CLASSES)) {
            const bool integers = c.t.inputs.target.type == CLGRAD_TYPE_INT32;
            c.t.inputs.target.type = integers ? CLGRAD_TYPE_FLOAT32 : CLGRAD_TYPE_INT32;
            refuse(context, &c, TYPE,
                   integers ? "target is float32, it must be int32" : "target is int32, it must be float32");
        }
        c.t.inputs.target.shape[0] -= 1;
        refuse(context, &c, SHAPE, "target has");
        free_call(context, c);
    }
}

/* The rank that an extent asks for, and at least one class. */
static void ranks_and_classes_are_checked(clgrad_context *context)
{
    static const struct {
        clgrad_loss_extent extent;
        int rank;
        const char *part;
    } wrong[] = {
        {CLGRAD_LOSS_ROW, 1, "prediction has shape [4], it must have 2 dimensions, [batch, classes]"},
        {CLGRAD_LOSS_ROW, 3, "prediction has shape [4, 3, 1], it must have 2 dimensions, [batch, classes]"},
        {CLGRAD_LOSS_CHANNEL, 1,
         "prediction has shape [4], it must have at least 2 dimensions, [batch, classes, ...]"},
        {CLGRAD_LOSS_SEQUENCE, 2,
         "prediction has shape [4, 3], it must have 3 dimensions, [time, batch, classes]"},
        {CLGRAD_LOSS_SEQUENCE, 4, "prediction has shape [4, 3, 2, 1], it must have 3 dimensions"},
    };
    for (size_t i = 0; i < COUNT(wrong); i++) {
        const clgrad_loss_kind kind = wrong[i].extent == CLGRAD_LOSS_ROW       ? CLGRAD_LOSS_DICE
                                      : wrong[i].extent == CLGRAD_LOSS_CHANNEL ? CLGRAD_LOSS_NLL
                                                                               : CLGRAD_LOSS_CTC;
        call c = make_call(context, kind);
        clgrad_tensor *p = &c.t.inputs.prediction;
        for (int d = p->rank; d < wrong[i].rank; d++)
            p->shape[d] = 1;
        p->rank = wrong[i].rank;
        refuse(context, &c, SHAPE, wrong[i].part);
        p->shape[kind == CLGRAD_LOSS_CTC ? 2 : 1] = 0;
        refuse(context, &c, SHAPE, "prediction has 0 classes");
        free_call(context, c);
    }
}

/* A weight that broadcasts has each dimension 1 or the prediction's, and no more of them. */
static void weights_that_do_not_broadcast(clgrad_context *context)
{
    static const struct {
        int rank;
        size_t shape[3];
        const char *part;
    } wrong[] = {
        {1, {4}, "weight has shape [4], which does not stretch to prediction's shape [4, 3]"},
        {1, {0}, "weight has shape [0], which does not stretch"},
        {2, {3, 4}, "weight has shape [3, 4], which does not stretch"},
        {2, {4, 2}, "weight has shape [4, 2], which does not stretch"},
        {3, {1, 4, 3}, "weight has shape [1, 4, 3], which does not stretch"},
    };
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const unsigned flags = clgrad_loss_describe((clgrad_loss_kind)k)->flags;
        for (size_t i = 0; (flags & CLGRAD_LOSS_TAKES_WEIGHT) && i < COUNT(wrong); i++)
            for (int positive = 0; positive <= ((flags & CLGRAD_LOSS_TAKES_POS_WEIGHT) != 0); positive++) {
                call c = make_call(context, (clgrad_loss_kind)k);
                clgrad_tensor *weight = positive ? &c.t.inputs.pos_weight : &c.t.inputs.weight;
                *weight = c.good.inputs.prediction;
                weight->rank = wrong[i].rank;
                memcpy(weight->shape, wrong[i].shape, sizeof wrong[i].shape);
                refuse(context, &c, SHAPE, wrong[i].part);
                free_call(context, c);
            }
    }
}

/* ---- outputs ---- */

static void gradients_that_there_are_not(clgrad_context *context)
{
    char part[128];
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        call c = make_call(context, (clgrad_loss_kind)k);
        const clgrad_tensor extra =
            tensor_with(context, CLGRAD_TYPE_FLOAT32, c.good.inputs.prediction.rank, c.drawn->c.shape, NULL);
        if (!(flags_of(&c) & CLGRAD_LOSS_GIVES_DTARGET)) {
            c.t.gradients.dtarget = extra;
            snprintf(part, sizeof part, "dtarget is wanted, but %s gives none", name_of(&c));
            refuse(context, &c, ARGUMENT, part);
        }
        if (!(flags_of(&c) & CLGRAD_LOSS_GIVES_DOTHER)) {
            c.t.gradients.dother = extra;
            snprintf(part, sizeof part, "dother is wanted, but %s gives none", name_of(&c));
            refuse(context, &c, ARGUMENT, part);
        }
        c.t.dvalue = c.good.value;
        c.t.value = extra;
        c.t.value.rank = 0;
        refuse(context, &c, ARGUMENT, "value and dvalue are both given");
        c.t.value = clgrad_tensor_none();
        c.t.gradients = (clgrad_loss_gradients){0};
        refuse(context, &c, ARGUMENT, "neither value nor a gradient is wanted");
        assert_untouched(context, extra);
        tensor_free(context, extra);
        free_call(context, c);
    }
    /* class indices have no gradient */
    clgrad_loss loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    loss_drawn *drawn = loss_draw(loss, 2, (size_t[]){4, 3}, LOSS_WITH_CLASSES);
    loss_tensors t = loss_case_tensors(context, &drawn->c);
    t.gradients.dtarget = t.gradients.dprediction;
    t.gradients.dprediction = clgrad_tensor_none();
    assert_refused(
        context, clgrad_loss_evaluate(context, &loss, &t.inputs, clgrad_tensor_none(), t.value, &t.gradients),
        ARGUMENT, "dtarget is wanted, but target holds class indices");
    loss_tensors_free(context, t);
    loss_drawn_free(drawn);
}

/* No output may lie in an input, but a gradient where its own operand is; nor two outputs in one place. */
static void overlaps_are_refused(clgrad_context *context)
{
    char part[128];
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        call c = make_call(context, (clgrad_loss_kind)k);
        clgrad_tensor *outputs[] = {&c.t.gradients.dprediction, &c.t.gradients.dtarget, &c.t.gradients.dother,
                                    &c.t.value};
        static const char *const output_names[] = {"dprediction", "dtarget", "dother", "value"};
        const clgrad_loss_inputs in = c.good.inputs;
        const clgrad_tensor inputs[] = {in.prediction, in.target,        in.other,         in.weight,
                                        in.pos_weight, in.input_lengths, in.target_lengths};
        static const char *const input_names[] = {"prediction", "target",        "other",         "weight",
                                                  "pos_weight", "input_lengths", "target_lengths"};
        for (size_t o = 0; o < COUNT(outputs); o++)
            for (size_t i = 0; i < COUNT(inputs); i++) {
                if (outputs[o]->buffer == NULL || inputs[i].buffer == NULL)
                    continue;
                outputs[o]->buffer = inputs[i].buffer; /* which may not be long enough for it */
                outputs[o]->offset = inputs[i].offset + 1;
                const size_t held = clgrad_buffer_bytes(inputs[i].buffer) / 4;
                snprintf(part, sizeof part, "%s overlaps %s", output_names[o], input_names[i]);
                if (outputs[o]->offset + clgrad_tensor_count(*outputs[o]) <= held)
                    refuse(context, &c, ARGUMENT, part);
                c.t = c.good;
            }
        c.t.value.buffer = c.good.gradients.dprediction.buffer;
        refuse(context, &c, ARGUMENT, "dprediction overlaps value");
        if (c.t.gradients.dtarget.buffer != NULL) {
            c.t.gradients.dtarget = c.good.gradients.dprediction;
            refuse(context, &c, ARGUMENT, "dprediction overlaps dtarget");
        }
        free_call(context, c);
    }
}

/* ---- between operands and loss ---- */

static void what_only_some_losses_have(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        call c = make_call(context, (clgrad_loss_kind)k);
        char part[128];
        snprintf(part, sizeof part, "batchmean is for kl_div and kl_div_probability, not for %s",
                 name_of(&c));
        c.loss.reduction = CLGRAD_REDUCTION_BATCHMEAN;
        if (!loss_reduces_by(c.loss.kind, CLGRAD_REDUCTION_BATCHMEAN))
            refuse(context, &c, ARGUMENT, part);
        free_call(context, c);
    }
    call c = make_call(context, CLGRAD_LOSS_CTC);
    c.loss.blank = 2;
    refuse(context, &c, ARGUMENT, "ctc's blank is 2, but prediction has 2 classes");
    c.t.inputs.target.shape[0] = 2;
    refuse(context, &c, SHAPE, "target has 2 rows, but prediction has 3 sequences");
    assert_refused(context,
                   clgrad_loss_evaluate(context, &c.loss, NULL, c.t.dvalue, c.t.value, &c.t.gradients),
                   ARGUMENT, "inputs is NULL");
    free_call(context, c);
}

/* A context of its own for each buffer. */
static void foreign_buffers_are_refused(clgrad_context *context)
{
    clgrad_context *other = NULL;
    char part[128];
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        call c = make_call(context, (clgrad_loss_kind)k), foreign = make_call(other, (clgrad_loss_kind)k);
        operand here[OPERANDS], there[OPERANDS];
        operands_of(&c, here);
        operands_of(&foreign, there);
        for (size_t i = 0; i < OPERANDS; i++)
            if (here[i].tensor->buffer != NULL) {
                *here[i].tensor = *there[i].tensor;
                snprintf(part, sizeof part, "%s lies in a buffer of another context", here[i].name);
                refuse(context, &c, CLGRAD_STATUS_INVALID_CONTEXT, part);
            }
        free_call(context, c);
        free_call(other, foreign);
    }
    clgrad_context_destroy(other);
}

int main(void)
{
    const test_case cases[] = {
        CASE(operands_are_what_the_row_says), CASE(types_and_shapes_are_checked),
        CASE(ranks_and_classes_are_checked),  CASE(weights_that_do_not_broadcast),
        CASE(gradients_that_there_are_not),   CASE(overlaps_are_refused),
        CASE(what_only_some_losses_have),     CASE(foreign_buffers_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
