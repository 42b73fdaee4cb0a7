/*
 * Losses on every device against the reference's formulas, on random numbers in ragged sizes.
 */
#include "loss_case.h"

#include <stdio.h>

/* One shape with each reduction, with class indices where they are allowed, with an upstream gradient and
 * without. */
static void check_shape(clgrad_context *context, clgrad_loss_kind kind, int rank, const size_t *shape)
{
    char label[128];
    loss_case c = {.label = label, .loss = clgrad_loss_defaults(kind), .rank = rank};
    memcpy(c.shape, shape, (size_t)rank * sizeof *shape);
    c.loss.alpha = 0.3f;
    loss_numbers n = loss_draw(kind, loss_case_count(&c), shape[rank - 1]);
    c.prediction = n.prediction;
    for (int reduction = 0; reduction <= CLGRAD_REDUCTION_SUM; reduction++)
        for (int with_classes = 0; with_classes <= (kind == CLGRAD_LOSS_CROSS_ENTROPY); with_classes++)
            for (int with_dvalue = 0; with_dvalue < 2; with_dvalue++) {
                c.loss.reduction = (clgrad_reduction)reduction;
                c.target = with_classes ? NULL : n.target;
                c.classes = with_classes ? n.classes : NULL;
                c.dvalue = with_dvalue ? n.dvalue : NULL;
                snprintf(label, sizeof label, "%s %s, %zu elements in %zu columns%s%s",
                         clgrad_loss_describe(kind)->name, clgrad_reduction_name(c.loss.reduction),
                         loss_case_count(&c), shape[rank - 1], with_classes ? ", classes" : "",
                         with_dvalue ? ", dvalue" : "");
                loss_exact exact = loss_case_reference(&c);
                loss_case_check(context, &c, exact);
                loss_exact_free(exact);
            }
    loss_numbers_free(n);
}

/* Empty shapes too: value is then empty, 0 for sum and NaN for mean, which the reference is asked for below.
 */
static void random_numbers_in_ragged_sizes(clgrad_context *context)
{
    static const size_t counts[] = {0, 1, 63, 64, 65, 1000, 100003};
    static const size_t batches[] = {0, 1, 5, 64, 257}, columns[] = {1, 2, 10, 1000};
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        const bool by_row = clgrad_loss_describe(kind)->extent == CLGRAD_LOSS_ROW;
        for (size_t i = 0; i < COUNT(counts) && !by_row; i++)
            if (!test_small() || counts[i] <= 65)
                check_shape(context, kind, 1, &counts[i]);
        for (size_t i = 0; i < COUNT(batches) && by_row; i++)
            for (size_t j = 0; j < COUNT(columns); j++)
                if (!test_small() || batches[i] * columns[j] <= 65)
                    check_shape(context, kind, 2, (size_t[]){batches[i], columns[j]});
        if (by_row && !test_small())
            check_shape(context, kind, 2, (size_t[]){100003, 3});
        if (!by_row)
            check_shape(context, kind, 4, (size_t[]){3, 2, 7, 11});
    }
}

/*
 * Many terms, each too small to change what a work-item has added up before, matter together: rows of one
 * class, of which the first make the sum large.
 */
static void small_terms_are_not_lost_beside_large_ones(clgrad_context *context)
{
    const size_t count = 100003;
    float *p = allocate(count, sizeof *p), *t = allocate(count, sizeof *t);
    for (size_t i = 0; i < count; i++) {
        p[i] = 0.5f;
        t[i] = i < 256 ? 1 : 0x1.8p-26f;
    }
    loss_case c = {.label = "small terms beside large ones",
                   .loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY),
                   .rank = 2,
                   .shape = {count, 1},
                   .prediction = p,
                   .target = t};
    for (int reduction = CLGRAD_REDUCTION_MEAN; reduction <= CLGRAD_REDUCTION_SUM; reduction++) {
        c.loss.reduction = (clgrad_reduction)reduction;
        loss_exact exact = loss_case_reference(&c);
        loss_case_check(context, &c, exact);
        loss_exact_free(exact);
    }
    free(p);
    free(t);
}

static void nothing_has_no_mean(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        clgrad_loss loss = clgrad_loss_defaults((clgrad_loss_kind)k);
        const bool whole = clgrad_loss_describe(loss.kind)->extent == CLGRAD_LOSS_WHOLE;
        clgrad_tensor empty = matrix_with(context, 0, 3, NULL),
                      dprediction = matrix_with(context, 0, 3, NULL);
        clgrad_tensor value = scalar_with(context, -1);
        assert_ok(context, clgrad_loss_forward_backward(context, &loss, empty, empty, value, dprediction));
        assert_true(isnan(tensor_scalar_value(context, value)));
        loss.reduction = CLGRAD_REDUCTION_SUM;
        assert_ok(context, clgrad_loss_forward(context, &loss, empty, empty, value));
        assert_true(is_close(tensor_scalar_value(context, value), whole ? (double)NAN : 0, 0));
        tensor_free(context, empty);
        tensor_free(context, dprediction);
        tensor_free(context, value);
    }
}

int main(void)
{
    const test_case cases[] = {CASE(random_numbers_in_ragged_sizes),
                               CASE(small_terms_are_not_lost_beside_large_ones), CASE(nothing_has_no_mean)};
    return run_on_every_device(cases, COUNT(cases));
}
