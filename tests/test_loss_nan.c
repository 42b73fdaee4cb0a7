/*
 * NaN in any operand of a loss reaches the loss and the gradients of its own element or row, and no other.
 */
#include "loss_case.h"

/* All that an unreduced case gives. */
typedef struct results {
    float *value, *dprediction, *dtarget, *dother;
} results;

static float *floats_or_null(clgrad_context *context, clgrad_tensor tensor)
{
    return tensor.buffer != NULL ? tensor_floats(context, tensor) : NULL;
}

static results run(clgrad_context *context, const loss_case *c)
{
    loss_tensors t = loss_case_tensors(context, c);
    assert_ok(context, clgrad_loss_evaluate(context, &c->loss, &t.inputs, clgrad_tensor_none(), t.value,
                                            &t.gradients));
    const results r = {tensor_floats(context, t.value), tensor_floats(context, t.gradients.dprediction),
                       floats_or_null(context, t.gradients.dtarget),
                       floats_or_null(context, t.gradients.dother)};
    loss_tensors_free(context, t);
    return r;
}

static void free_results(results r)
{
    free(r.value);
    free(r.dprediction);
    free(r.dtarget);
    free(r.dother);
}

static void spoil(const loss_case *c, float *gradient, size_t row)
{
    for (size_t i = 0; gradient != NULL && i < loss_case_count(c); i++)
        if (loss_case_row_of(c, i) == row)
            gradient[i] = NAN;
}

static void compare(const loss_case *c, const char *operand, size_t at, const char *what, const float *got,
                    const float *wanted, size_t count)
{
    for (size_t i = 0; wanted != NULL && i < count; i++)
        if (!is_close(got[i], wanted[i], 0))
            fail_msg("%s, NaN in %s[%zu]: %s[%zu] is %g, not %g", c->label, operand, at, what, i,
                     (double)got[i], (double)wanted[i]);
}

/* A mean over the case is NaN. */
static void check_mean(clgrad_context *context, const loss_case *c)
{
    loss_case mean = *c;
    mean.loss.reduction = CLGRAD_REDUCTION_MEAN;
    const results r = run(context, &mean);
    assert_true(isnan(r.value[0]));
    free_results(r);
}

/* NaN in numbers[at], which belongs to this row. */
static void check_nan(clgrad_context *context, const loss_case *c, const char *operand, float *numbers,
                      size_t at, size_t row)
{
    const results wanted = run(context, c);
    const float before = numbers[at];
    const size_t count = loss_case_count(c);
    numbers[at] = NAN;
    const results got = run(context, c);
    wanted.value[row] = NAN;
    if (c->loss.kind != CLGRAD_LOSS_NLL) /* whose gradient looks at no number of p */
        spoil(c, wanted.dprediction, row);
    spoil(c, wanted.dtarget, row);
    spoil(c, wanted.dother, row);
    compare(c, operand, at, "value", got.value, wanted.value, loss_case_values(c));
    compare(c, operand, at, "dprediction", got.dprediction, wanted.dprediction, count);
    compare(c, operand, at, "dtarget", got.dtarget, wanted.dtarget, count);
    compare(c, operand, at, "dother", got.dother, wanted.dother, count);
    check_mean(context, c);
    numbers[at] = before;
    free_results(wanted);
    free_results(got);
}

/* Whether NaN at an element of the prediction reaches the row: no row is ignored, and nll sees its class
 * alone. */
static bool counts(const loss_case *c, size_t element)
{
    if (c->loss.kind != CLGRAD_LOSS_NLL)
        return true;
    const size_t inner = loss_case_inner(c);
    return element / inner % c->shape[1] == (size_t)c->classes[loss_case_row_of(c, element)];
}

/* Every operand of a loss that belongs to an element or a row. */
static void check_operands(clgrad_context *context, loss_drawn *drawn)
{
    const loss_case *c = &drawn->c;
    const loss_numbers *n = &drawn->numbers;
    const bool row_target = (loss_case_info(c)->flags & CLGRAD_LOSS_TAKES_ROW_TARGET) != 0;
    const bool of_elements = loss_case_info(c)->extent == CLGRAD_LOSS_ELEMENT;
    for (size_t i = 0; i < loss_case_count(c); i++) {
        const size_t row = loss_case_row_of(c, i);
        if (counts(c, i))
            check_nan(context, c, "prediction", n->prediction, i, row);
        if (c->target != NULL && (!row_target || i < c->shape[0]))
            check_nan(context, c, "target", n->target, i, row_target ? i : row);
        if (c->other != NULL)
            check_nan(context, c, "other", n->other, i, row);
        if (of_elements && c->weight.numbers != NULL)
            check_nan(context, c, "weight", n->weight, i, row);
        if (of_elements && c->pos_weight.numbers != NULL)
            check_nan(context, c, "pos_weight", n->pos_weight, i, row);
    }
}

static void check_loss(clgrad_context *context, clgrad_loss loss, unsigned with)
{
    const bool channel = clgrad_loss_describe(loss.kind)->extent == CLGRAD_LOSS_CHANNEL;
    const size_t shape[] = {2, 3, 2};
    loss_drawn *drawn = loss_draw(loss, channel ? 3 : 2, shape, with);
    loss_case *c = &drawn->c;
    c->loss.reduction = CLGRAD_REDUCTION_NONE;
    c->loss.ignore_index = -100;
    for (size_t i = 0; channel && c->classes != NULL && i < loss_case_rows(c); i++)
        drawn->numbers.classes[i] = (int32_t)(i % 3);
    if (c->weight.numbers != NULL && loss_case_info(c)->extent == CLGRAD_LOSS_ELEMENT)
        c->weight.shape[0] = c->shape[0]; /* one for each element */
    if (c->pos_weight.numbers != NULL)
        c->pos_weight = (loss_weight){drawn->numbers.pos_weight, 2, {2, 3}};
    check_operands(context, drawn);
    loss_drawn_free(drawn);
}

static void nan_spreads_to_its_own_row_alone(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        if (clgrad_loss_describe(kind)->extent == CLGRAD_LOSS_SEQUENCE)
            continue; /* test_loss_ctc.c */
        const unsigned ways = loss_ways(kind) & (LOSS_WITH_CLASSES | LOSS_WITH_WEIGHT);
        clgrad_loss loss, last = clgrad_loss_defaults(kind);
        for (size_t s = 0; loss_setting(kind, s, &loss); s++)
            last = loss;
        check_loss(context, clgrad_loss_defaults(kind), 0);
        check_loss(context, last, ways);
    }
}

/* nll does not look at the other classes. */
static void nll_looks_at_its_class_alone(clgrad_context *context)
{
    const float p[] = {NAN, -2, NAN, -1, NAN, INFINITY}, value[] = {2, 1};
    const float gradient[] = {0, -1, 0, -1, 0, 0};
    const int32_t classes[] = {1, 0};
    loss_case c = {.loss = clgrad_loss_defaults(CLGRAD_LOSS_NLL),
                   .rank = 2,
                   .shape = {2, 3},
                   .prediction = p,
                   .classes = classes};
    c.loss.reduction = CLGRAD_REDUCTION_NONE;
    const results r = run(context, &c);
    assert_same_floats(r.value, value, 2);
    for (size_t i = 0; i < COUNT(p); i++)
        assert_true(r.dprediction[i] == gradient[i]);
    free_results(r);
}

/* An upstream gradient of NaN spoils what it reaches. */
static void upstream_nan_spreads_likewise(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_info *info = clgrad_loss_describe((clgrad_loss_kind)k);
        if (info->extent != CLGRAD_LOSS_ELEMENT)
            continue;
        clgrad_loss loss = clgrad_loss_defaults((clgrad_loss_kind)k);
        loss.reduction = CLGRAD_REDUCTION_NONE;
        loss_drawn *drawn = loss_draw(loss, 2, (size_t[]){2, 3}, LOSS_WITH_DVALUE);
        drawn->numbers.dvalue[4] = NAN;
        loss_tensors t = loss_case_tensors(context, &drawn->c);
        assert_ok(context, clgrad_loss_evaluate(context, &loss, &t.inputs, t.dvalue, clgrad_tensor_none(),
                                                &t.gradients));
        float *gradient = tensor_floats(context, t.gradients.dprediction);
        for (size_t i = 0; i < 6; i++)
            assert_true((isnan(gradient[i]) != 0) == (i == 4));
        free(gradient);
        loss_tensors_free(context, t);
        loss_drawn_free(drawn);
    }
}

int main(void)
{
    const test_case cases[] = {CASE(nan_spreads_to_its_own_row_alone), CASE(nll_looks_at_its_class_alone),
                               CASE(upstream_nan_spreads_likewise)};
    return run_on_every_device(cases, COUNT(cases));
}
