/*
 * A case of a loss on a device.
 */
#include "loss_case.h"

/* ---- comparing ---- */

/* What may be lost where count numbers below the smallest normal one are rounded, or flushed. */
static double underflow(bool denormals, size_t count)
{
    return (double)(count + 1) * (denormals ? 0x1p-149 : (double)FLT_MIN);
}

static void check_close(const loss_case *c, const char *what, const float *got, const double *exact,
                        const double *terms, size_t count, double slack)
{
    const double bound = loss_case_bound(c) * 0x1p-24;
    for (size_t i = 0; i < count; i++) {
        /* an exact number beyond float32 is infinite there */
        const double wanted = isinf((float)exact[i]) ? (double)(float)exact[i] : exact[i];
        const double tolerance = bound * terms[i] + slack;
        if (!is_close(got[i], wanted, tolerance))
            fail_msg("%s: %s[%zu] is %.9g, not %.17g; tolerance %.3g", c->label, what, i, (double)got[i],
                     exact[i], tolerance);
    }
}

static void check_value(const loss_case *c, bool denormals, const float *got, loss_exact exact,
                        loss_exact terms)
{
    const size_t values = loss_case_values(c), count = loss_case_count(c);
    if (got != NULL)
        check_close(c, "value", got, exact.value, terms.value, values,
                    underflow(denormals, count / (values > 0 ? values : 1)));
}

static void check_gradient(const loss_case *c, bool denormals, const char *what, const float *got,
                           const double *exact, const double *terms)
{
    /* a product that underflows may be divided by 1e-12 then */
    const double growth = c->loss.kind == CLGRAD_LOSS_BCE_BALANCED ? 1e12 : 1;
    if (got != NULL)
        check_close(c, what, got, exact, terms, loss_case_count(c), underflow(denormals, 8) * growth);
}

/* ---- on a device ---- */

static clgrad_tensor floats(clgrad_context *context, const float *numbers, int rank, const size_t *shape)
{
    if (numbers == NULL)
        return clgrad_tensor_none();
    return tensor_with(context, CLGRAD_TYPE_FLOAT32, rank, shape, numbers);
}

static clgrad_tensor integers(clgrad_context *context, const int32_t *numbers, int rank, const size_t *shape)
{
    if (numbers == NULL)
        return clgrad_tensor_none();
    return tensor_with(context, CLGRAD_TYPE_INT32, rank, shape, numbers);
}

static clgrad_tensor target_tensor(clgrad_context *context, const loss_case *c)
{
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
    int rank = loss_case_value_shape(c, shape);
    const bool one_a_row = (loss_case_info(c)->flags & CLGRAD_LOSS_TAKES_ROW_TARGET) != 0;
    if (c->classes == NULL)
        return one_a_row ? floats(context, c->target, rank, shape)
                         : floats(context, c->target, c->rank, c->shape);
    if (c->loss.kind == CLGRAD_LOSS_MULTILABEL_MARGIN)
        return integers(context, c->classes, c->rank, c->shape);
    if (c->loss.kind == CLGRAD_LOSS_CTC)
        shape[rank++] = c->room;
    return integers(context, c->classes, rank, shape);
}

static clgrad_tensor value_tensor(clgrad_context *context, const loss_case *c, const float *numbers)
{
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
    const int rank = loss_case_value_shape(c, shape);
    return tensor_with(context, CLGRAD_TYPE_FLOAT32, c->loss.reduction == CLGRAD_REDUCTION_NONE ? rank : 0,
                       shape, numbers);
}

loss_tensors loss_case_tensors(clgrad_context *context, const loss_case *c)
{
    const size_t *batch = &c->shape[1];
    loss_tensors t = {
        .inputs = {.prediction = floats(context, c->prediction, c->rank, c->shape),
                   .target = target_tensor(context, c),
                   .other = floats(context, c->other, c->rank, c->shape),
                   .weight = floats(context, c->weight.numbers, c->weight.rank, c->weight.shape),
                   .pos_weight =
                       floats(context, c->pos_weight.numbers, c->pos_weight.rank, c->pos_weight.shape),
                   .input_lengths = integers(context, c->input_lengths, 1, batch),
                   .target_lengths = integers(context, c->target_lengths, 1, batch)},
        .dvalue = c->dvalue != NULL ? value_tensor(context, c, c->dvalue) : clgrad_tensor_none(),
        .value = value_tensor(context, c, NULL),
        .gradients = {.dprediction = tensor_with(context, CLGRAD_TYPE_FLOAT32, c->rank, c->shape, NULL)}};
    if (loss_case_gives_dtarget(c))
        t.gradients.dtarget = tensor_with(context, CLGRAD_TYPE_FLOAT32, c->rank, c->shape, NULL);
    if (loss_case_gives_dother(c))
        t.gradients.dother = tensor_with(context, CLGRAD_TYPE_FLOAT32, c->rank, c->shape, NULL);
    return t;
}

void loss_tensors_free(clgrad_context *context, loss_tensors t)
{
    const clgrad_tensor all[] = {t.inputs.prediction,
                                 t.inputs.target,
                                 t.inputs.other,
                                 t.inputs.weight,
                                 t.inputs.pos_weight,
                                 t.inputs.input_lengths,
                                 t.dvalue,
                                 t.inputs.target_lengths,
                                 t.value,
                                 t.gradients.dprediction,
                                 t.gradients.dtarget,
                                 t.gradients.dother};
    for (size_t i = 0; i < COUNT(all); i++)
        tensor_free(context, all[i]);
}

/* What a first call gave, for the others to give again. */
typedef struct loss_got {
    float *value, *dprediction, *dtarget, *dother;
} loss_got;

static void fill_if_present(clgrad_context *context, clgrad_tensor tensor)
{
    if (tensor.buffer != NULL)
        assert_ok(context, clgrad_tensor_fill(context, tensor, -1));
}

static void refill(clgrad_context *context, const loss_tensors *t)
{
    fill_if_present(context, t->value);
    fill_if_present(context, t->gradients.dprediction);
    fill_if_present(context, t->gradients.dtarget);
    fill_if_present(context, t->gradients.dother);
}

/* An output that was wanted holds the numbers; what was not wanted still holds what refill put there. */
static void check_output(clgrad_context *context, clgrad_tensor wanted, clgrad_tensor output,
                         const float *numbers)
{
    if (wanted.buffer != NULL) {
        assert_holds(context, wanted, numbers);
    } else if (output.buffer != NULL) {
        float *kept = tensor_floats(context, output);
        for (size_t i = 0; i < clgrad_tensor_count(output); i++)
            assert_true(kept[i] == -1);
        free(kept);
    }
}

/* One call with these outputs, which must hold the same bits again. */
static void check_again(clgrad_context *context, const loss_case *c, const loss_tensors *t,
                        clgrad_tensor value, clgrad_loss_gradients wanted, const loss_got *got)
{
    refill(context, t);
    assert_ok(context, clgrad_loss_evaluate(context, &c->loss, &t->inputs, t->dvalue, value, &wanted));
    check_output(context, value, t->value, got->value);
    check_output(context, wanted.dprediction, t->gradients.dprediction, got->dprediction);
    check_output(context, wanted.dtarget, t->gradients.dtarget, got->dtarget);
    check_output(context, wanted.dother, t->gradients.dother, got->dother);
}

static void check_each_alone(clgrad_context *context, const loss_case *c, const loss_tensors *t,
                             const loss_got *got)
{
    const clgrad_tensor none = clgrad_tensor_none();
    const clgrad_loss_gradients alone[] = {{.dprediction = t->gradients.dprediction},
                                           {.dtarget = t->gradients.dtarget},
                                           {.dother = t->gradients.dother}};
    if (c->dvalue == NULL)
        check_again(context, c, t, t->value, (clgrad_loss_gradients){0}, got);
    for (size_t i = 0; i < COUNT(alone); i++)
        if (alone[i].dprediction.buffer != NULL || alone[i].dtarget.buffer != NULL ||
            alone[i].dother.buffer != NULL)
            check_again(context, c, t, none, alone[i], got);
}

/* The calls for a loss of a prediction and a target. */
static void check_short_forms(clgrad_context *context, const loss_case *c, const loss_tensors *t,
                              const loss_got *got)
{
    const clgrad_tensor p = t->inputs.prediction, target = t->inputs.target, dp = t->gradients.dprediction;
    refill(context, t);
    assert_ok(context, clgrad_loss_backward(context, &c->loss, p, target, t->dvalue, dp));
    assert_holds(context, dp, got->dprediction);
    if (c->dvalue != NULL)
        return;
    assert_ok(context, clgrad_loss_forward(context, &c->loss, p, target, t->value));
    assert_holds(context, t->value, got->value);
    refill(context, t);
    assert_ok(context, clgrad_loss_forward_backward(context, &c->loss, p, target, t->value, dp));
    assert_holds(context, t->value, got->value);
    assert_holds(context, dp, got->dprediction);
}

static void assert_inputs_hold(clgrad_context *context, const loss_case *c, const loss_tensors *t)
{
    const clgrad_tensor tensors[] = {
        t->inputs.prediction, t->inputs.target,        t->inputs.other,          t->inputs.weight,
        t->inputs.pos_weight, t->inputs.input_lengths, t->inputs.target_lengths, t->dvalue};
    const void *target = c->classes != NULL ? (const void *)c->classes : c->target;
    const void *contents[] = {c->prediction,         target,           c->other,          c->weight.numbers,
                              c->pos_weight.numbers, c->input_lengths, c->target_lengths, c->dvalue};
    for (size_t i = 0; i < COUNT(tensors); i++)
        if (tensors[i].buffer != NULL)
            assert_contents(context, tensors[i], contents[i]);
}

/* Each gradient where its operand was; the last call of a case, since its operands are lost by it. */
static void check_in_place(clgrad_context *context, const loss_case *c, loss_tensors *t, const loss_got *got)
{
    clgrad_loss_gradients places = {.dprediction = t->inputs.prediction};
    if (t->gradients.dtarget.buffer != NULL)
        places.dtarget = t->inputs.target;
    if (t->gradients.dother.buffer != NULL)
        places.dother = t->inputs.other;
    check_again(context, c, t, c->dvalue == NULL ? t->value : clgrad_tensor_none(), places, got);
}

static float *floats_or_null(clgrad_context *context, clgrad_tensor tensor)
{
    return tensor.buffer != NULL ? tensor_floats(context, tensor) : NULL;
}

void loss_case_check(clgrad_context *context, const loss_case *c, loss_exact exact)
{
    loss_tensors t = loss_case_tensors(context, c);
    const loss_exact terms = loss_case_terms(c);
    const clgrad_tensor value = c->dvalue == NULL ? t.value : clgrad_tensor_none();
    assert_ok(context, clgrad_loss_evaluate(context, &c->loss, &t.inputs, t.dvalue, value, &t.gradients));
    if (c->dvalue != NULL)
        assert_untouched(context, t.value);
    const loss_got got = {floats_or_null(context, value), floats_or_null(context, t.gradients.dprediction),
                          floats_or_null(context, t.gradients.dtarget),
                          floats_or_null(context, t.gradients.dother)};
    const bool denormals = keeps_denormals(context);
    check_value(c, denormals, got.value, exact, terms);
    check_gradient(c, denormals, "dprediction", got.dprediction, exact.dprediction, terms.dprediction);
    check_gradient(c, denormals, "dtarget", got.dtarget, exact.dtarget, terms.dtarget);
    check_gradient(c, denormals, "dother", got.dother, exact.dother, terms.dother);

    check_again(context, c, &t, value, t.gradients, &got);
    check_each_alone(context, c, &t, &got);
    const bool two_operands = c->other == NULL && c->weight.numbers == NULL &&
                              c->pos_weight.numbers == NULL && c->input_lengths == NULL;
    if (two_operands)
        check_short_forms(context, c, &t, &got);
    assert_inputs_hold(context, c, &t);
    check_in_place(context, c, &t, &got);

    free(got.value);
    free(got.dprediction);
    free(got.dtarget);
    free(got.dother);
    loss_exact_free(terms);
    loss_tensors_free(context, t);
}

void loss_case_check_reference(clgrad_context *context, const loss_case *c)
{
    const loss_exact exact = loss_case_reference(c);
    loss_case_check(context, c, exact);
    loss_exact_free(exact);
}
