/*
 * Losses at special values, and on numbers near the ends of float32.
 */
#include "loss_case.h"

/* ---- special values ---- */

/* One element (or a row of one class): value and gradient, UNSPECIFIED where loss.h promises nothing. */
#define UNSPECIFIED (-12345.0)

static const struct {
    clgrad_loss_kind kind;
    float p, t;
    double value, gradient;
} points[] = {
    {CLGRAD_LOSS_MSE, INFINITY, 0, INFINITY, INFINITY},
    {CLGRAD_LOSS_MSE, 1, INFINITY, INFINITY, -INFINITY},
    {CLGRAD_LOSS_MSE, 3e38f, -3e38f, INFINITY, INFINITY},
    {CLGRAD_LOSS_MSE, 0.0f, -0.0f, 0, 0},
    {CLGRAD_LOSS_L2, INFINITY, 0, INFINITY, NAN},
    {CLGRAD_LOSS_L2, 3, -INFINITY, INFINITY, NAN},
    {CLGRAD_LOSS_L2, INFINITY, INFINITY, NAN, NAN},
    {CLGRAD_LOSS_L2, 0.0f, -0.0f, 0, 0},
    {CLGRAD_LOSS_L2, 3e38f, 0, 3e38f, 1},
    {CLGRAD_LOSS_L2, FLT_MIN, 0, FLT_MIN, 1},
    {CLGRAD_LOSS_L1, INFINITY, 0, INFINITY, 1},
    {CLGRAD_LOSS_L1, -INFINITY, INFINITY, INFINITY, -1},
    {CLGRAD_LOSS_L1, INFINITY, INFINITY, NAN, NAN},
    {CLGRAD_LOSS_L1, -INFINITY, -INFINITY, NAN, NAN},
    {CLGRAD_LOSS_L1, 2.5f, 2.5f, 0, 0},
    {CLGRAD_LOSS_L1, 0.0f, -0.0f, 0, 0},
    {CLGRAD_LOSS_KL_DIV, -INFINITY, 0, 0, 0},
    {CLGRAD_LOSS_KL_DIV, INFINITY, 0, 0, 0},
    {CLGRAD_LOSS_KL_DIV, -INFINITY, 0.5f, INFINITY, -0.5},
    {CLGRAD_LOSS_KL_DIV, -1, -0.5f, NAN, UNSPECIFIED},
    {CLGRAD_LOSS_KL_DIV_PROBABILITY, 0, 0, 0, 0},
    {CLGRAD_LOSS_KL_DIV_PROBABILITY, 0, 0.5f, INFINITY, -INFINITY},
    {CLGRAD_LOSS_KL_DIV_PROBABILITY, -0.5f, 0.5f, NAN, UNSPECIFIED},
    {CLGRAD_LOSS_KL_DIV_PROBABILITY, 0.5f, -0.5f, NAN, UNSPECIFIED},
    {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, 0, 0, 0, 0},
    {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, 0, 1, INFINITY, -INFINITY},
    {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, -0.5f, 1, NAN, UNSPECIFIED},
    {CLGRAD_LOSS_BCE, 0, 0, 0, 0},
    {CLGRAD_LOSS_BCE, 1, 1, 0, 0},
    {CLGRAD_LOSS_BCE, -0.0f, 0, 0, 0},
    {CLGRAD_LOSS_BCE, 0, 1, 100, -1e12},
    {CLGRAD_LOSS_BCE, 1, 0, 100, 1e12},
    {CLGRAD_LOSS_BCE, -0.1f, 0, NAN, NAN},
    {CLGRAD_LOSS_BCE, -0.1f, 1, NAN, NAN},
    {CLGRAD_LOSS_BCE, 1.1f, 1, NAN, NAN},
    {CLGRAD_LOSS_BCE, 1.1f, 0, NAN, NAN},
    {CLGRAD_LOSS_BCE, INFINITY, 1, NAN, NAN},
    {CLGRAD_LOSS_BCE, -INFINITY, 0, NAN, NAN},
    {CLGRAD_LOSS_BCE_BALANCED, 0, 0, 0, 0},
    {CLGRAD_LOSS_BCE_BALANCED, 1, 1, 0, 0},
    {CLGRAD_LOSS_BCE_BALANCED, 0, 1, 25, -0.25e12},
    {CLGRAD_LOSS_BCE_BALANCED, 1, 0, 75, 0.75e12},
    {CLGRAD_LOSS_BCE_BALANCED, -0.1f, 0, NAN, NAN},
    {CLGRAD_LOSS_BCE_BALANCED, 1.1f, 1, NAN, NAN},
    {CLGRAD_LOSS_BCE_BALANCED, INFINITY, 1, NAN, NAN},
    {CLGRAD_LOSS_BCE_BALANCED, -INFINITY, 0, NAN, NAN},
    {CLGRAD_LOSS_CROSS_ENTROPY, 1e20f, 1, 0, 0},
    {CLGRAD_LOSS_CROSS_ENTROPY, -INFINITY, 1, NAN, NAN},
    {CLGRAD_LOSS_CROSS_ENTROPY, INFINITY, 0, NAN, NAN},
};

static void special_values_of_one_element(clgrad_context *context)
{
    for (size_t i = 0; i < COUNT(points); i++) {
        const clgrad_loss_info *info = clgrad_loss_describe(points[i].kind);
        clgrad_loss loss = clgrad_loss_defaults(points[i].kind);
        loss.alpha = 0.25f;
        loss.reduction = CLGRAD_REDUCTION_SUM;
        clgrad_tensor p = matrix_with(context, 1, 1, &points[i].p),
                      t = matrix_with(context, 1, 1, &points[i].t);
        clgrad_tensor value = scalar_with(context, -1);
        assert_ok(context, clgrad_loss_forward_backward(context, &loss, p, t, value, p));
        const float got[2] = {tensor_scalar_value(context, value),
                              tensor_scalar_value(context, clgrad_tensor_scalar(p.buffer, p.offset))};
        const double exact[2] = {points[i].value, points[i].gradient};
        for (int k = 0; k < 2; k++)
            if (exact[k] != UNSPECIFIED && !is_close(got[k], exact[k], 1e-6 * fabs(exact[k])))
                fail_msg("%s at p = %g, t = %g: the %s is %g, not %g", info->name, (double)points[i].p,
                         (double)points[i].t, k == 0 ? "value" : "gradient", (double)got[k], exact[k]);
        tensor_free(context, p);
        tensor_free(context, t);
        tensor_free(context, value);
    }
}

/* A NaN in one place, in the prediction or the target, reaches its own term and no other. */
static void check_nan(clgrad_context *context, loss_case *c, const loss_numbers *n, size_t at, bool in_target)
{
    const size_t width = loss_case_width(c), count = loss_case_count(c);
    loss_tensors t = loss_case_tensors(context, c);
    assert_ok(context, clgrad_loss_forward_backward(context, &c->loss, t.prediction, t.target, t.value,
                                                    t.dprediction));
    float *value = tensor_floats(context, t.value), *gradient = tensor_floats(context, t.dprediction);
    loss_tensors_free(context, t);
    value[at / width] = NAN;
    for (size_t i = at / width * width; i < (at / width + 1) * width; i++)
        gradient[i] = NAN;

    float *changed = in_target ? n->target : n->prediction;
    const float before = changed[at];
    changed[at] = NAN;
    t = loss_case_tensors(context, c);
    assert_ok(context, clgrad_loss_forward_backward(context, &c->loss, t.prediction, t.target, t.value,
                                                    t.dprediction));
    float *got_value = tensor_floats(context, t.value), *got_gradient = tensor_floats(context, t.dprediction);
    for (size_t i = 0; i < count; i++)
        if (!is_close(got_value[i / width], value[i / width], 0) ||
            !is_close(got_gradient[i], gradient[i], 0))
            fail_msg("%s, NaN in %s[%zu]: value[%zu] is %g, gradient[%zu] is %g", c->label,
                     in_target ? "target" : "prediction", at, i / width, (double)got_value[i / width], i,
                     (double)got_gradient[i]);
    loss_tensors_free(context, t);

    loss_case reduced = *c;
    reduced.loss.reduction = CLGRAD_REDUCTION_MEAN;
    t = loss_case_tensors(context, &reduced);
    assert_ok(context, clgrad_loss_forward(context, &reduced.loss, t.prediction, t.target, t.value));
    assert_true(isnan(tensor_scalar_value(context, t.value)));
    loss_tensors_free(context, t);
    changed[at] = before;
    free(value);
    free(gradient);
    free(got_value);
    free(got_gradient);
}

static void nan_spreads_to_its_own_term_alone(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        loss_case c = {.label = clgrad_loss_describe(kind)->name,
                       .loss = clgrad_loss_defaults(kind),
                       .rank = 2,
                       .shape = {3, 4}};
        c.loss.reduction = CLGRAD_REDUCTION_NONE;
        loss_numbers n = loss_draw(kind, 12, 4);
        c.prediction = n.prediction;
        c.target = n.target;
        for (size_t at = 0; at < 12; at++) {
            check_nan(context, &c, &n, at, false);
            check_nan(context, &c, &n, at, true);
            if (kind == CLGRAD_LOSS_CROSS_ENTROPY) {
                c.target = NULL;
                c.classes = n.classes;
                check_nan(context, &c, &n, at, false);
                c.target = n.target;
                c.classes = NULL;
            }
        }
        loss_numbers_free(n);
    }
}

/* Rows of logits that have no loss, between two that have one; as class indices and as a soft target. */
static void infinite_logits(clgrad_context *context)
{
    const float inf = INFINITY;
    const float logits[] = {1,    2,    3,    inf, 0, 1, 0, 1, inf, -inf, -inf, -inf, 3, inf, (float)INFINITY,
                            -inf, 0.5f, 1.5f, 3,   2, 1};
    const float soft[] = {0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0.5f, 0.25f, 0.25f};
    const int32_t classes[] = {2, 1, 1, 0, 2, 1, 0};
    const bool valid[] = {true, false, false, false, false, true, true};
    for (int with_classes = 0; with_classes < 2; with_classes++) {
        loss_case c = {.label = "infinite logits",
                       .loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY),
                       .rank = 2,
                       .shape = {7, 3},
                       .prediction = logits,
                       .target = with_classes ? NULL : soft,
                       .classes = with_classes ? classes : NULL};
        c.loss.reduction = CLGRAD_REDUCTION_NONE;
        loss_exact exact = loss_case_reference(&c);
        loss_case_check(context, &c, exact);
        for (size_t i = 0; i < COUNT(logits); i++) {
            assert_true(isfinite(exact.value[i / 3]) == valid[i / 3]);
            assert_true(isnan(exact.gradient[i]) == !valid[i / 3]);
        }
        assert_true(exact.gradient[15] == 0); /* a class of probability 0 */
        loss_exact_free(exact);
    }
}

/* One infinite distance leaves no direction to any element of an l2. */
static void infinite_distance_has_no_gradient(clgrad_context *context)
{
    const float p[3] = {1, -INFINITY, 2}, t[3] = {0, 0, 2};
    loss_case c = {.label = "l2 at an infinite distance",
                   .loss = clgrad_loss_defaults(CLGRAD_LOSS_L2),
                   .rank = 1,
                   .shape = {3},
                   .prediction = p,
                   .target = t};
    loss_exact exact = loss_case_reference(&c);
    loss_case_check(context, &c, exact);
    assert_true(exact.value[0] == INFINITY);
    for (size_t i = 0; i < COUNT(p); i++)
        assert_true(isnan(exact.gradient[i]));
    loss_exact_free(exact);
}

/* ---- no overflow where the result is finite ---- */

typedef struct extreme {
    clgrad_loss_kind kind;
    float p[2], t[2]; /* a row of two */
} extreme;

/* Rows of the same numbers or, where there is another, one such row among many of the other's. */
static void check_extreme(clgrad_context *context, const extreme *e, const extreme *other,
                          bool mean_is_finite, bool sum_is_finite)
{
    enum { ROWS = 1000, COUNT_ = 2 * ROWS };
    float p[COUNT_], t[COUNT_];
    for (size_t i = 0; i < COUNT_; i++) {
        const extreme *row = other != NULL && i / 2 != 777 ? other : e;
        p[i] = row->p[i % 2];
        t[i] = row->t[i % 2];
    }
    loss_case c = {.label = clgrad_loss_describe(e->kind)->name,
                   .loss = clgrad_loss_defaults(e->kind),
                   .rank = 2,
                   .shape = {ROWS, 2},
                   .prediction = p,
                   .target = t};
    for (int reduction = CLGRAD_REDUCTION_MEAN; reduction <= CLGRAD_REDUCTION_SUM; reduction++) {
        c.loss.reduction = (clgrad_reduction)reduction;
        loss_exact exact = loss_case_reference(&c);
        const bool expected = reduction == CLGRAD_REDUCTION_MEAN ? mean_is_finite : sum_is_finite;
        assert_true(isfinite((float)exact.value[0]) == expected);
        loss_case_check(context, &c, exact);
        loss_exact_free(exact);
    }
}

static void mean_of_large_terms_is_finite(clgrad_context *context)
{
    static const extreme large[] = {
        {CLGRAD_LOSS_MSE, {1.7e19f, -1.7e19f}, {0, 0}},
        {CLGRAD_LOSS_L1, {3e38f, 0}, {0, -3e38f}},
        {CLGRAD_LOSS_KL_DIV, {-3e38f, -3e38f}, {1, 1}},
        {CLGRAD_LOSS_KL_DIV_PROBABILITY, {1e-37f, 1e-37f}, {1.5e36f, 1.5e36f}},
        {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, {1e-30f, 1e-30f}, {2e36f, 2e36f}},
        {CLGRAD_LOSS_BCE, {0, 1e-20f}, {3e36f, 3e36f}},
        {CLGRAD_LOSS_BCE_BALANCED, {0, 1e-20f}, {6e36f, 6e36f}},
        {CLGRAD_LOSS_CROSS_ENTROPY, {3e38f, 0}, {0, 1}},
    };
    for (size_t i = 0; i < COUNT(large); i++)
        check_extreme(context, &large[i], NULL, true, false);
    const extreme root = {CLGRAD_LOSS_L2, {3e38f, -1}, {0, 3e38f}};
    check_extreme(context, &root, NULL, true, true);
}

/* One term, or one gradient before the mean divides it, lies beyond float32; what comes out does not. */
static void mean_with_one_term_beyond_float32_is_finite(clgrad_context *context)
{
    static const extreme alone[] = {
        {CLGRAD_LOSS_MSE, {3e19f, 0}, {0, 0}},
        {CLGRAD_LOSS_L1, {3e38f, -2e38f}, {-3e38f, 2e38f}},
        {CLGRAD_LOSS_KL_DIV, {-3e38f, 0}, {2, 0}},
        {CLGRAD_LOSS_KL_DIV_PROBABILITY, {1e-37f, 1}, {1e37f, 0}},
        {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, {1e-30f, 1}, {1e37f, 0}},
        {CLGRAD_LOSS_BCE, {0, 1}, {1e37f, 1}},
        {CLGRAD_LOSS_BCE_BALANCED, {0, 1}, {1e37f, 1}},
        {CLGRAD_LOSS_CROSS_ENTROPY, {2e38f, -2e38f}, {0, 1}},
    };
    for (size_t i = 0; i < COUNT(alone); i++) {
        const extreme other = {alone[i].kind, {1, 1}, {1, 0}};
        check_extreme(context, &alone[i], &other, true, false);
    }
    const extreme root = {CLGRAD_LOSS_L2, {3e38f, 0}, {-3e38f, 0}}, zero = {CLGRAD_LOSS_L2, {1, 1}, {1, 1}};
    check_extreme(context, &root, &zero, true, true);
}

static void mean_gradient_beyond_float32_before_its_division_is_finite(clgrad_context *context)
{
    static const extreme steep[] = {
        {CLGRAD_LOSS_KL_DIV_PROBABILITY, {1e-37f, 0.5f}, {1e3f, 0.5f}},
        {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, {1e-37f, 0.5f}, {1e3f, 0.5f}},
    };
    const extreme far = {CLGRAD_LOSS_MSE, {3e38f, -2e38f}, {-3e38f, 0}};
    check_extreme(context, &far, NULL, false, false);
    for (size_t i = 0; i < COUNT(steep); i++)
        check_extreme(context, &steep[i], NULL, true, true);
}

int main(void)
{
    const test_case cases[] = {
        CASE(special_values_of_one_element),
        CASE(nan_spreads_to_its_own_term_alone),
        CASE(infinite_logits),
        CASE(infinite_distance_has_no_gradient),
        CASE(mean_of_large_terms_is_finite),
        CASE(mean_with_one_term_beyond_float32_is_finite),
        CASE(mean_gradient_beyond_float32_before_its_division_is_finite),
    };
    return run_on_every_device(cases, COUNT(cases));
}
