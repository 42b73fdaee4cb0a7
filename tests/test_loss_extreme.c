/*
 * Losses near the ends of float32: nothing overflows on the way to a finite result, small numbers are not
 * lost beside large ones, and the tails keep the accuracy that loss.h promises.
 */
#include "loss_case.h"

#include <stdio.h>

/* ---- no overflow where the result is finite ---- */

enum { ROWS = 1000, ELEMENTS = 2 * ROWS };

/* A row of two; y is its class index, or the only entry of its list of labels. */
typedef struct extreme {
    clgrad_loss_kind kind;
    float p[2], t[2], o[2];
    int32_t y;
} extreme;

/* Numbers for rows of the same numbers or, where there is another, one such row among many of the other's. */
typedef struct extremes {
    float p[ELEMENTS], t[ELEMENTS], o[ELEMENTS];
    int32_t y[ELEMENTS], ones[ROWS];
} extremes;

static loss_case extreme_case(extremes *n, const extreme *e, const extreme *other)
{
    const clgrad_loss_info *info = clgrad_loss_describe(e->kind);
    const bool by_class = (info->flags & CLGRAD_LOSS_TAKES_INTEGERS) != 0;
    const bool sequence = info->extent == CLGRAD_LOSS_SEQUENCE;
    const bool lists = e->kind == CLGRAD_LOSS_MULTILABEL_MARGIN;
    for (size_t i = 0; i < ELEMENTS; i++) {
        const extreme *row = other != NULL && i / 2 != 777 ? other : e;
        n->p[i] = row->p[i % 2];
        n->t[i] = row->t[i % 2];
        n->o[i] = row->o[i % 2];
        n->y[i] = !lists       ? (i < ROWS && (other == NULL || i == 777) ? e->y
                                  : other != NULL                         ? other->y
                                                                          : 0)
                  : i % 2 == 0 ? row->y
                               : -1;
        n->ones[i / 2] = 1;
    }
    loss_case c = {.label = info->name,
                   .loss = clgrad_loss_defaults(e->kind),
                   .rank = 2,
                   .shape = {ROWS, 2},
                   .prediction = n->p,
                   .target = by_class ? NULL : n->t,
                   .other = info->flags & CLGRAD_LOSS_TAKES_OTHER ? n->o : NULL,
                   .classes = by_class ? n->y : NULL,
                   .room = 1};
    if (sequence) {
        c.rank = 3;
        c.shape[0] = 1;
        c.shape[1] = ROWS;
        c.shape[2] = 2;
        c.input_lengths = c.target_lengths = n->ones;
    }
    return c;
}

static void check_extreme(clgrad_context *context, const extreme *e, const extreme *other,
                          bool mean_is_finite, bool sum_is_finite)
{
    static extremes numbers;
    loss_case c = extreme_case(&numbers, e, other);
    for (int reduction = CLGRAD_REDUCTION_MEAN; reduction <= CLGRAD_REDUCTION_SUM; reduction++) {
        c.loss.reduction = (clgrad_reduction)reduction;
        const loss_exact exact = loss_case_reference(&c);
        const bool expected = reduction == CLGRAD_REDUCTION_MEAN ? mean_is_finite : sum_is_finite;
        if ((isfinite((float)exact.value[0]) != 0) != expected)
            fail_msg("%s: the exact value is %g", c.label, exact.value[0]);
        loss_case_check(context, &c, exact);
        loss_exact_free(exact);
    }
}

static const extreme large[] = {
    {CLGRAD_LOSS_MSE, {1.7e19f, -1.7e19f}, {0, 0}, {0, 0}, 0},
    {CLGRAD_LOSS_L1, {3e38f, 0}, {0, -3e38f}, {0, 0}, 0},
    {CLGRAD_LOSS_KL_DIV, {-3e38f, -3e38f}, {1, 1}, {0, 0}, 0},
    {CLGRAD_LOSS_KL_DIV_PROBABILITY, {1e-37f, 1e-37f}, {1.5e36f, 1.5e36f}, {0, 0}, 0},
    {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, {1e-30f, 1e-30f}, {2e36f, 2e36f}, {0, 0}, 0},
    {CLGRAD_LOSS_BCE, {0, 1e-20f}, {3e36f, 3e36f}, {0, 0}, 0},
    {CLGRAD_LOSS_BCE_BALANCED, {0, 1e-20f}, {6e36f, 6e36f}, {0, 0}, 0},
    {CLGRAD_LOSS_CROSS_ENTROPY, {3e38f, 0}, {0, 1}, {0, 0}, 0},
    {CLGRAD_LOSS_HUBER, {3e38f, 0}, {0, -3e38f}, {0, 0}, 0},
    {CLGRAD_LOSS_SMOOTH_L1, {3e38f, 0}, {0, -3e38f}, {0, 0}, 0},
    {CLGRAD_LOSS_BCE_WITH_LOGITS, {3e38f, -3e38f}, {0, 1}, {0, 0}, 0},
    {CLGRAD_LOSS_POISSON_NLL, {88, 88}, {1, 2}, {0, 0}, 0},
    {CLGRAD_LOSS_GAUSSIAN_NLL, {1.8e19f, 0}, {0, -1.8e19f}, {1, 1}, 0},
    {CLGRAD_LOSS_HINGE_EMBEDDING, {3e38f, -3e38f}, {1, -1}, {0, 0}, 0},
    {CLGRAD_LOSS_SOFT_MARGIN, {-3e38f, 3e38f}, {1, -1}, {0, 0}, 0},
    {CLGRAD_LOSS_MARGIN_RANKING, {1.5e38f, -1.5e38f}, {-1, 1}, {-1.5e38f, 1.5e38f}, 0},
    {CLGRAD_LOSS_NLL, {-3e38f, 0}, {0, 0}, {0, 0}, 0},
    {CLGRAD_LOSS_FOCAL, {-1.5e38f, 1.5e38f}, {0, 0}, {0, 0}, 0},
    {CLGRAD_LOSS_SIGMOID_FOCAL, {3e38f, 3e38f}, {0, 0}, {0, 0}, 0},
    {CLGRAD_LOSS_MULTI_MARGIN, {0, 3e38f}, {0, 0}, {0, 0}, 0},
    {CLGRAD_LOSS_MULTILABEL_MARGIN, {0, 3e38f}, {0, 0}, {0, 0}, 0},
    {CLGRAD_LOSS_MULTILABEL_SOFT_MARGIN, {3e38f, 3e38f}, {0, 0}, {0, 0}, 0},
    {CLGRAD_LOSS_TRIPLET_MARGIN, {1.5e38f, 0}, {-1.5e38f, 0}, {1.5e38f, 0}, 0},
    {CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE, {1.5e38f, 0}, {-1.5e38f, 0}, {1.5e38f, 0}, 0},
    {CLGRAD_LOSS_CTC, {0, -3e38f}, {0, 0}, {0, 0}, 1},
};

static void mean_of_large_terms_is_finite(clgrad_context *context)
{
    for (size_t i = 0; i < COUNT(large); i++)
        check_extreme(context, &large[i], NULL, true, false);
    const extreme root = {CLGRAD_LOSS_L2, {3e38f, -1}, {0, 3e38f}, {0, 0}, 0};
    check_extreme(context, &root, NULL, true, true);
}

/* Every loss has an entry above, but the bounded ones and l2. */
static void every_unbounded_loss_is_tried(clgrad_context *context)
{
    (void)context;
    bool found[CLGRAD_LOSS_COUNT] = {
        [CLGRAD_LOSS_L2] = true, [CLGRAD_LOSS_DICE] = true, [CLGRAD_LOSS_COSINE_EMBEDDING] = true};
    for (size_t i = 0; i < COUNT(large); i++)
        found[large[i].kind] = true;
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++)
        if (!found[k])
            fail_msg("%s is not tried at large terms", clgrad_loss_describe((clgrad_loss_kind)k)->name);
}

/* One term, or one gradient before the mean divides it, lies beyond float32; what comes out does not. */
static void mean_with_one_term_beyond_float32_is_finite(clgrad_context *context)
{
    static const extreme alone[] = {
        {CLGRAD_LOSS_MSE, {3e19f, 0}, {0, 0}, {0, 0}, 0},
        {CLGRAD_LOSS_L1, {3e38f, -2e38f}, {-3e38f, 2e38f}, {0, 0}, 0},
        {CLGRAD_LOSS_KL_DIV, {-3e38f, 0}, {2, 0}, {0, 0}, 0},
        {CLGRAD_LOSS_KL_DIV_PROBABILITY, {1e-37f, 1}, {1e37f, 0}, {0, 0}, 0},
        {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, {1e-30f, 1}, {1e37f, 0}, {0, 0}, 0},
        {CLGRAD_LOSS_BCE, {0, 1}, {1e37f, 1}, {0, 0}, 0},
        {CLGRAD_LOSS_BCE_BALANCED, {0, 1}, {1e37f, 1}, {0, 0}, 0},
        {CLGRAD_LOSS_CROSS_ENTROPY, {2e38f, -2e38f}, {0, 1}, {0, 0}, 0},
        {CLGRAD_LOSS_HUBER, {3e38f, -2e38f}, {-3e38f, 2e38f}, {0, 0}, 0},
        {CLGRAD_LOSS_SMOOTH_L1, {3e38f, -2e38f}, {-3e38f, 2e38f}, {0, 0}, 0},
        {CLGRAD_LOSS_POISSON_NLL, {95, 0}, {1, 0}, {0, 0}, 0},
        {CLGRAD_LOSS_GAUSSIAN_NLL, {3e19f, 0}, {0, 0}, {1, 1}, 0},
        {CLGRAD_LOSS_MARGIN_RANKING, {3e38f, 1}, {-1, 1}, {-3e38f, 1}, 0},
        {CLGRAD_LOSS_FOCAL, {-2e38f, 2e38f}, {0, 0}, {0, 0}, 0},
        {CLGRAD_LOSS_TRIPLET_MARGIN, {3e38f, 0}, {-3e38f, 0}, {3e38f, 0}, 0},
        {CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE, {3e38f, 0}, {-3e38f, 0}, {3e38f, 0}, 0},
    };
    for (size_t i = 0; i < COUNT(alone); i++) {
        const extreme other = {alone[i].kind, {1, 1}, {1, 0}, {2, 1}, 0};
        check_extreme(context, &alone[i], &other, true, false);
    }
    /* a term of the row, which its number of classes divides */
    static const extreme within[] = {{CLGRAD_LOSS_MULTI_MARGIN, {-3e38f, 3e38f}, {0, 0}, {0, 0}, 0},
                                     {CLGRAD_LOSS_MULTILABEL_MARGIN, {-3e38f, 3e38f}, {0, 0}, {0, 0}, 0}};
    for (size_t i = 0; i < COUNT(within); i++) {
        const extreme other = {within[i].kind, {3, 1}, {0, 0}, {0, 0}, 0};
        check_extreme(context, &within[i], &other, true, true);
    }
    const extreme root = {CLGRAD_LOSS_L2, {3e38f, 0}, {-3e38f, 0}, {0, 0}, 0};
    const extreme zero = {CLGRAD_LOSS_L2, {1, 1}, {1, 1}, {0, 0}, 0};
    check_extreme(context, &root, &zero, true, true);
}

static void mean_gradient_beyond_float32_before_its_division_is_finite(clgrad_context *context)
{
    static const extreme steep[] = {
        {CLGRAD_LOSS_KL_DIV_PROBABILITY, {1e-37f, 0.5f}, {1e3f, 0.5f}, {0, 0}, 0},
        {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, {1e-37f, 0.5f}, {1e3f, 0.5f}, {0, 0}, 0},
    };
    const extreme far = {CLGRAD_LOSS_MSE, {3e38f, -2e38f}, {-3e38f, 0}, {0, 0}, 0};
    check_extreme(context, &far, NULL, false, false);
    for (size_t i = 0; i < COUNT(steep); i++)
        check_extreme(context, &steep[i], NULL, true, true);
}

/*
 * Many terms, each too small to change what a work-item has added up before, matter together: rows of one
 * class, of which the first make the sum large.
 */
static void small_terms_are_not_lost_beside_large_ones(clgrad_context *context)
{
    const size_t count = test_small() ? 3001 : 100003;
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
        loss_case_check_reference(context, &c);
    }
    free(p);
    free(t);
}

static void nothing_has_no_mean(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_info *info = clgrad_loss_describe((clgrad_loss_kind)k);
        clgrad_loss loss = clgrad_loss_defaults((clgrad_loss_kind)k);
        const bool whole = info->extent == CLGRAD_LOSS_WHOLE, sequence = info->extent == CLGRAD_LOSS_SEQUENCE;
        const size_t shape[] = {sequence ? 3 : 0, sequence ? 0 : 3, 3};
        for (int reduction = CLGRAD_REDUCTION_MEAN; reduction <= CLGRAD_REDUCTION_BATCHMEAN; reduction++) {
            loss.reduction = (clgrad_reduction)reduction;
            if (!loss_reduces_by(loss.kind, loss.reduction))
                continue;
            loss_drawn *drawn = loss_draw(loss, sequence ? 3 : 2, shape, 0);
            loss_tensors t = loss_case_tensors(context, &drawn->c);
            assert_ok(context, clgrad_loss_evaluate(context, &loss, &t.inputs, clgrad_tensor_none(), t.value,
                                                    &t.gradients));
            const bool zero = reduction == CLGRAD_REDUCTION_SUM && !whole;
            assert_true(is_close(tensor_scalar_value(context, t.value), zero ? 0 : (double)NAN, 0));
            loss_tensors_free(context, t);
            loss_drawn_free(drawn);
        }
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(mean_of_large_terms_is_finite),
        CASE(every_unbounded_loss_is_tried),
        CASE(mean_with_one_term_beyond_float32_is_finite),
        CASE(mean_gradient_beyond_float32_before_its_division_is_finite),
        CASE(small_terms_are_not_lost_beside_large_ones),
        CASE(nothing_has_no_mean),
    };
    return run_on_every_device(cases, COUNT(cases));
}
