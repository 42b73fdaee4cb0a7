/*
 * Losses of class indices: indices that point nowhere, indices that are ignored, and weights of 0.
 */
#include "loss_case.h"

#include <stdio.h>

/* Whether the loss chooses among classes by index; ctc is in test_loss_ctc.c. */
static bool takes_indices(clgrad_loss_kind kind)
{
    const unsigned flags = clgrad_loss_describe(kind)->flags;
    return (flags & (CLGRAD_LOSS_TAKES_CLASSES | CLGRAD_LOSS_TAKES_INTEGERS)) != 0 &&
           (flags & CLGRAD_LOSS_TAKES_LENGTHS) == 0;
}

static bool is_channel(clgrad_loss_kind kind)
{
    return clgrad_loss_describe(kind)->extent == CLGRAD_LOSS_CHANNEL;
}

/* Value and gradient of an unreduced case. */
typedef struct result {
    float *value, *gradient;
} result;

/* Run a case; what is read is filled also when an index is reported. */
static result run(clgrad_context *context, const loss_case *c, const char *sentence)
{
    loss_tensors t = loss_case_tensors(context, c);
    const clgrad_loss_gradients wanted = {.dprediction = t.gradients.dprediction};
    result r = {allocate(loss_case_values(c), sizeof(float)), allocate(loss_case_count(c), sizeof(float))};
    assert_ok(context,
              clgrad_loss_evaluate(context, &c->loss, &t.inputs, clgrad_tensor_none(), t.value, &wanted));
    const size_t bytes = loss_case_values(c) * sizeof(float);
    if (sentence != NULL)
        assert_refused(context, clgrad_tensor_read(context, t.value, r.value, bytes),
                       CLGRAD_STATUS_INVALID_INDEX, sentence);
    else
        assert_ok(context, clgrad_tensor_read(context, t.value, r.value, bytes));
    assert_ok(context, clgrad_tensor_read(context, wanted.dprediction, r.gradient,
                                          loss_case_count(c) * sizeof(float)));
    loss_tensors_free(context, t);
    return r;
}

static void free_result(result r)
{
    free(r.value);
    free(r.gradient);
}

static loss_drawn *draw(clgrad_loss_kind kind, clgrad_reduction reduction, int rank, const size_t *shape)
{
    clgrad_loss loss = clgrad_loss_defaults(kind);
    loss.reduction = reduction;
    return loss_draw(loss, rank, shape, LOSS_WITH_CLASSES);
}

/* ---- indices that point nowhere ---- */

/* The row's loss and gradient are NaN, every other row is as before, and it is reported once. */
static void check_bad_class(clgrad_context *context, loss_drawn *drawn, size_t row, int32_t bad)
{
    const loss_case *c = &drawn->c;
    const bool lists = c->loss.kind == CLGRAD_LOSS_MULTILABEL_MARGIN;
    const size_t at = lists ? row * c->shape[1] + 1 : row; /* in a list the second, behind a good one */
    if (lists) {
        drawn->numbers.classes[at - 1] = drawn->numbers.classes[at] = 0;
        drawn->numbers.classes[at + 1] = -1;
    }
    const result good = run(context, c, NULL);
    const int32_t before = drawn->numbers.classes[at];
    char sentence[128];
    snprintf(sentence, sizeof sentence, "target[%zu] is %d, but the prediction has the classes 0 to %zu", at,
             (int)bad, c->shape[1] - 1);

    drawn->numbers.classes[at] = bad;
    result got = run(context, c, sentence);
    good.value[row] = NAN;
    for (size_t i = 0; i < loss_case_count(c); i++)
        if (loss_case_row_of(c, i) == row)
            good.gradient[i] = NAN;
    assert_same_floats(got.value, good.value, loss_case_values(c));
    assert_same_floats(got.gradient, good.gradient, loss_case_count(c));
    free_result(got);

    /* the next call is none the worse */
    drawn->numbers.classes[at] = before;
    got = run(context, c, NULL);
    assert_true(!isnan(got.value[row]));
    free_result(got);
    free_result(good);
}

static void one_bad_class_spoils_its_row_alone(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        if (!takes_indices(kind))
            continue;
        const int32_t bad[] = {3, kind == CLGRAD_LOSS_MULTILABEL_MARGIN ? -2 : -1, INT32_MAX, INT32_MIN};
        for (size_t i = 0; i < COUNT(bad); i++) {
            const size_t batch = test_small() ? 30 : 300;
            loss_drawn *drawn = draw(kind, CLGRAD_REDUCTION_NONE, 2, (size_t[]){batch, 3});
            check_bad_class(context, drawn, batch - 25, bad[i]);
            loss_drawn_free(drawn);
        }
        if (is_channel(kind)) {
            loss_drawn *drawn = draw(kind, CLGRAD_REDUCTION_NONE, 4, (size_t[]){4, 3, 2, 5});
            check_bad_class(context, drawn, 13, 77);
            loss_drawn_free(drawn);
        }
    }
}

/* Whatever a call is asked for, it makes NaN of it and reports the index. */
static void each_call_reports_a_bad_class(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        if (!takes_indices((clgrad_loss_kind)k))
            continue;
        loss_drawn *drawn = draw((clgrad_loss_kind)k, CLGRAD_REDUCTION_MEAN, 2, (size_t[]){30, 3});
        const loss_case *c = &drawn->c;
        drawn->numbers.classes[0] = 7;
        const char *sentence = "target[0] is 7, but the prediction has the classes 0 to 2";
        loss_tensors t = loss_case_tensors(context, c);
        const clgrad_tensor p = t.inputs.prediction, y = t.inputs.target, dp = t.gradients.dprediction;

        assert_ok(context, clgrad_loss_forward(context, &c->loss, p, y, t.value));
        assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, sentence);
        assert_ok(context, clgrad_context_finish(context));
        assert_true(isnan(tensor_scalar_value(context, t.value)));

        assert_ok(context, clgrad_loss_backward(context, &c->loss, p, y, clgrad_tensor_none(), dp));
        assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, sentence);
        float *gradient = tensor_floats(context, dp);
        for (size_t i = 0; i < loss_case_count(c); i++)
            assert_true(isnan(gradient[i]) == (i < 3));
        free(gradient);

        assert_ok(context, clgrad_loss_forward_backward(context, &c->loss, p, y, t.value, dp));
        assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, sentence);
        loss_tensors_free(context, t);
        loss_drawn_free(drawn);
    }
}

/* Of several, one is reported, whichever the device meets first; and the first call's, where two had some. */
static void several_bad_classes_give_one_report(clgrad_context *context)
{
    loss_drawn *drawn = draw(CLGRAD_LOSS_CROSS_ENTROPY, CLGRAD_REDUCTION_NONE, 2, (size_t[]){300, 3});
    const loss_case *c = &drawn->c;
    loss_tensors t = loss_case_tensors(context, c);
    for (int32_t bad = 50; bad <= 60; bad += 10) {
        drawn->numbers.classes[3] = drawn->numbers.classes[199] = bad;
        assert_ok(context,
                  clgrad_tensor_write(context, t.inputs.target, c->classes, 300 * sizeof *c->classes));
        assert_ok(context,
                  clgrad_loss_forward(context, &c->loss, t.inputs.prediction, t.inputs.target, t.value));
    }
    assert_int_equal(clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX);
    const char *sentence = clgrad_context_error(context);
    assert_true(strstr(sentence, "target[3] is 50") != NULL || strstr(sentence, "target[199] is 50") != NULL);
    assert_ok(context, clgrad_context_finish(context));
    loss_tensors_free(context, t);
    loss_drawn_free(drawn);
}

/* ---- indices that are ignored ---- */

/* Whatever stands in an ignored row, its loss is 0; its gradient too, unless its softmax is NaN. */
static void ignored_rows_count_for_nothing(clgrad_context *context)
{
    const float spoilers[] = {NAN, INFINITY, -INFINITY, 1e30f};
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        if (!is_channel(kind))
            continue;
        for (size_t s = 0; s < COUNT(spoilers); s++) {
            loss_drawn *drawn = draw(kind, CLGRAD_REDUCTION_NONE, 2, (size_t[]){8, 3});
            drawn->numbers.classes[5] = drawn->c.loss.ignore_index;
            for (size_t i = 0; i < 3; i++)
                drawn->numbers.prediction[15 + i] = spoilers[s];
            const bool clean = kind == CLGRAD_LOSS_NLL || isfinite(spoilers[s]);
            const result got = run(context, &drawn->c, NULL);
            assert_true(got.value[5] == 0);
            for (size_t i = 0; i < loss_case_count(&drawn->c); i++) {
                const bool spoilt = i / 3 == 5 && !clean;
                assert_true(isnan(got.gradient[i]) == spoilt);
                assert_true(i / 3 != 5 || spoilt || got.gradient[i] == 0);
            }
            free_result(got);
            loss_drawn_free(drawn);
        }
    }
}

/* The mean over nothing is NaN, as in PyTorch, and its gradient 0; a sum over nothing is 0. */
static void all_rows_may_be_ignored(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        if (!is_channel((clgrad_loss_kind)k))
            continue;
        for (int reduction = 0; reduction <= CLGRAD_REDUCTION_SUM; reduction++) {
            loss_drawn *drawn =
                draw((clgrad_loss_kind)k, (clgrad_reduction)reduction, 3, (size_t[]){2, 3, 4});
            for (size_t i = 0; i < 8; i++)
                drawn->numbers.classes[i] = -100;
            const result got = run(context, &drawn->c, NULL);
            const bool mean = reduction == CLGRAD_REDUCTION_MEAN;
            for (size_t i = 0; i < loss_case_values(&drawn->c); i++)
                assert_true(mean ? isnan(got.value[i]) : got.value[i] == 0);
            for (size_t i = 0; i < loss_case_count(&drawn->c); i++)
                assert_true(got.gradient[i] == 0);
            free_result(got);
            loss_drawn_free(drawn);
        }
    }
}

/* ignore_index may be any number: a class, or one that is none; only that one is ignored. */
static void ignore_index_may_be_any_number(clgrad_context *context)
{
    const int32_t indices[] = {0, 2, -1, 3, 255, -16777216, 16777216};
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++)
        for (size_t i = 0; is_channel((clgrad_loss_kind)k) && i < COUNT(indices); i++) {
            clgrad_loss loss = clgrad_loss_defaults((clgrad_loss_kind)k);
            loss.ignore_index = indices[i];
            loss_drawn *drawn = loss_draw(loss, 2, (size_t[]){11, 3}, LOSS_WITH_CLASSES | LOSS_WITH_WEIGHT);
            assert_int_equal(drawn->c.classes[7], indices[i]);
            loss_case_check_reference(context, &drawn->c);
            loss_drawn_free(drawn);
        }
    /* nor is -100 ignored when another number is */
    loss_drawn *drawn = draw(CLGRAD_LOSS_NLL, CLGRAD_REDUCTION_NONE, 2, (size_t[]){8, 3});
    drawn->c.loss.ignore_index = 1;
    drawn->numbers.classes[2] = 0;
    drawn->numbers.classes[7] = -100;
    free_result(run(context, &drawn->c, "target[7] is -100"));
    loss_drawn_free(drawn);
}

/* Weights that add up to 0: the mean divides 0 by 0. One of 0 among others takes its rows out of it. */
static void weights_may_be_zero(clgrad_context *context)
{
    const float weights[] = {0, 2, 0.5f};
    const int32_t classes[][4] = {{0, 0, 0, 0}, {0, 1, 0, 2}};
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++)
        for (size_t i = 0; is_channel((clgrad_loss_kind)k) && i < COUNT(classes); i++) {
            loss_drawn *drawn = draw((clgrad_loss_kind)k, CLGRAD_REDUCTION_MEAN, 2, (size_t[]){4, 3});
            loss_case c = drawn->c;
            c.classes = classes[i];
            c.weight = (loss_weight){weights, 1, {3}};
            const loss_exact exact = loss_case_reference(&c);
            loss_case_check(context, &c, exact);
            assert_true(isnan(exact.value[0]) == (i == 0));
            assert_true(isnan(exact.dprediction[0]) == (i == 0));
            loss_exact_free(exact);
            loss_drawn_free(drawn);
        }
}

int main(void)
{
    const test_case cases[] = {
        CASE(one_bad_class_spoils_its_row_alone),
        CASE(each_call_reports_a_bad_class),
        CASE(several_bad_classes_give_one_report),
        CASE(ignored_rows_count_for_nothing),
        CASE(all_rows_may_be_ignored),
        CASE(ignore_index_may_be_any_number),
        CASE(weights_may_be_zero),
    };
    return run_on_every_device(cases, COUNT(cases));
}
