/*
 * One loss on one set of numbers, and whether a device gives its exact value and gradient: by separate calls,
 * by the fused call, in place, and the same bits again.
 */
#ifndef LOSS_CASE_H
#define LOSS_CASE_H

#include "harness.h"

#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct loss_case {
    const char *label;
    clgrad_loss loss;
    int rank;
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
    const float *prediction;
    const float *target;    /* NULL with classes */
    const int32_t *classes; /* NULL with target */
    const float *dvalue;    /* NULL for ones */
} loss_case;

/* The exact answers, from golden values or from the reference's formulas. */
typedef struct loss_exact {
    double *value, *gradient;
} loss_exact;

static inline clgrad_loss_extent loss_case_extent(const loss_case *c)
{
    return clgrad_loss_describe(c->loss.kind)->extent;
}

static inline size_t loss_case_count(const loss_case *c)
{
    clgrad_tensor tensor = {.rank = c->rank};
    memcpy(tensor.shape, c->shape, sizeof tensor.shape);
    return clgrad_tensor_count(tensor);
}

/* Unreduced terms, and the elements in each. */
static inline size_t loss_case_terms(const loss_case *c)
{
    switch (loss_case_extent(c)) {
    case CLGRAD_LOSS_ELEMENT:
        return loss_case_count(c);
    case CLGRAD_LOSS_ROW:
        return c->shape[0];
    case CLGRAD_LOSS_WHOLE:
        break;
    }
    return 1;
}

static inline size_t loss_case_width(const loss_case *c)
{
    switch (loss_case_extent(c)) {
    case CLGRAD_LOSS_ELEMENT:
        return 1;
    case CLGRAD_LOSS_ROW:
        return c->shape[1];
    case CLGRAD_LOSS_WHOLE:
        break;
    }
    return loss_case_count(c);
}

static inline size_t loss_case_values(const loss_case *c)
{
    return c->loss.reduction == CLGRAD_REDUCTION_NONE ? loss_case_terms(c) : 1;
}

static inline double *loss_doubles(const float *numbers, size_t count)
{
    double *result = allocate(count, sizeof *result);
    for (size_t i = 0; i < count; i++)
        result[i] = numbers[i];
    return result;
}

/* The reference's formulas on the case's numbers, called directly. */
static inline loss_exact loss_case_reference(const loss_case *c)
{
    const size_t count = loss_case_count(c), values = loss_case_values(c);
    const bool by_row = loss_case_extent(c) == CLGRAD_LOSS_ROW;
    double *prediction = loss_doubles(c->prediction, count);
    double *target = c->target != NULL ? loss_doubles(c->target, count) : NULL;
    double *dvalue = c->dvalue != NULL ? loss_doubles(c->dvalue, values) : NULL;
    loss_exact exact = {allocate(values, sizeof(double)), allocate(count, sizeof(double))};
    clgrad_ref_loss(&c->loss, by_row ? c->shape[0] : count, by_row ? c->shape[1] : 1, prediction, target,
                    c->classes, exact.value, dvalue, exact.gradient);
    free(prediction);
    free(target);
    free(dvalue);
    return exact;
}

static inline void loss_exact_free(loss_exact exact)
{
    free(exact.value);
    free(exact.gradient);
}

/* ---- what "Accuracy" in loss.h allows ---- */

/*
 * What each value's terms add up to in absolute value. The divergences subtract t log t and the logarithm;
 * every other loss adds numbers of one sign, so that its value is that sum.
 */
static inline double *loss_absolute_terms(const loss_case *c)
{
    loss_case unreduced = *c;
    unreduced.loss.reduction = CLGRAD_REDUCTION_NONE;
    unreduced.dvalue = NULL;
    loss_exact exact = loss_case_reference(&unreduced);
    const bool log_p = c->loss.kind == CLGRAD_LOSS_KL_DIV, p = c->loss.kind == CLGRAD_LOSS_KL_DIV_PROBABILITY;
    const size_t terms = loss_case_terms(c), values = loss_case_values(c);
    const double scale = c->loss.reduction == CLGRAD_REDUCTION_MEAN ? 1 / (double)terms : 1;
    double *sums = allocate(values, sizeof *sums);
    for (size_t i = 0; i < terms; i++) {
        double size = fabs(exact.value[i]);
        if ((log_p || p) && c->target[i] != 0)
            size = fabs(c->target[i] * log(c->target[i])) +
                   fabs(c->target[i] * (log_p ? c->prediction[i] : log(c->prediction[i])));
        sums[values == terms ? i : 0] += size * (values == terms ? 1 : scale);
    }
    loss_exact_free(exact);
    return sums;
}

/* As is_close, for an exact number that may lie beyond float32, where it is infinite. */
static inline bool loss_is_close(float got, double exact, double tolerance)
{
    return is_close(got, isinf((float)exact) ? (float)exact : exact, tolerance);
}

/* What may be lost where count numbers below the smallest normal one are rounded, or flushed. */
static inline double loss_underflow(clgrad_context *context, size_t count)
{
    return (double)(count + 1) * (keeps_denormals(context) ? 0x1p-149 : (double)FLT_MIN);
}

static inline void loss_check_values(clgrad_context *context, const loss_case *c, const float *got,
                                     const double *exact)
{
    const double bound = clgrad_loss_describe(c->loss.kind)->bound * 0x1p-24;
    const size_t values = loss_case_values(c);
    const double underflow = loss_underflow(context, loss_case_count(c) / (values > 0 ? values : 1));
    double *terms = loss_absolute_terms(c);
    for (size_t i = 0; i < values; i++)
        if (!loss_is_close(got[i], exact[i], bound * terms[i] + underflow))
            fail_msg("%s: value[%zu] is %.9g, not %.17g; tolerance %g", c->label, i, (double)got[i], exact[i],
                     bound * terms[i] + underflow);
    free(terms);
}

/* What the gradient of unreduced term i is multiplied by. */
static inline double loss_upstream(const loss_case *c, size_t i)
{
    const double scale = c->loss.reduction == CLGRAD_REDUCTION_MEAN ? 1 / (double)loss_case_terms(c) : 1;
    return scale * (c->dvalue == NULL ? 1.0 : c->dvalue[loss_case_values(c) == loss_case_terms(c) ? i : 0]);
}

/* ((1 - alpha) (1 - t) p - alpha t (1 - p)) / max(p (1 - p), 1e-12), but added. */
static inline double loss_balanced_terms(double alpha, double p, double t)
{
    return ((1 - alpha) * fabs(1 - t) * p + alpha * fabs(t) * (1 - p)) / fmax(p * (1 - p), 1e-12);
}

/* softmax_i (T - t_i) - t_i (1 - softmax_i), T the sum of t, but added; 1 - softmax_i of the largest not by 1
 * - 1. */
static inline void loss_softmax_terms(const float *p, const float *t, size_t columns, double *terms)
{
    size_t top = 0;
    double rest = 0, total = 0;
    for (size_t i = 1; i < columns; i++)
        top = p[i] > p[top] ? i : top;
    for (size_t i = 0; i < columns; i++) {
        rest += i == top ? 0 : exp(p[i] - (double)p[top]);
        total += t[i];
    }
    for (size_t i = 0; i < columns; i++) {
        const double softmax = exp(p[i] - (double)p[top]) / (1 + rest);
        const double others = i == top ? rest / (1 + rest) : 1 - softmax;
        terms[i] = softmax * fabs(total - t[i]) + fabs(t[i]) * others;
    }
}

/* What each gradient element's terms add up to in absolute value. For most losses it is a single one. */
static inline double *loss_absolute_gradient(const loss_case *c, const double *exact)
{
    const size_t count = loss_case_count(c), width = loss_case_width(c);
    const bool balanced = c->loss.kind == CLGRAD_LOSS_BCE_BALANCED;
    const bool softmax = c->loss.kind == CLGRAD_LOSS_CROSS_ENTROPY && c->target != NULL;
    double *sums = allocate(count, sizeof *sums);
    for (size_t first = 0; softmax && first < count; first += width)
        loss_softmax_terms(c->prediction + first, c->target + first, width, sums + first);
    for (size_t i = 0; i < count; i++) {
        if (balanced)
            sums[i] = loss_balanced_terms(c->loss.alpha, c->prediction[i], c->target[i]);
        sums[i] = balanced || softmax ? sums[i] * fabs(loss_upstream(c, i / width)) : fabs(exact[i]);
    }
    return sums;
}

static inline void loss_check_gradient(clgrad_context *context, const loss_case *c, const float *got,
                                       const double *exact)
{
    const double bound = clgrad_loss_describe(c->loss.kind)->bound * 0x1p-24;
    /* a product that underflows may be divided by 1e-12 then */
    const double growth = c->loss.kind == CLGRAD_LOSS_BCE_BALANCED ? 1e12 : 1;
    const double underflow = loss_underflow(context, 8) * growth;
    const size_t count = loss_case_count(c);
    double *terms = loss_absolute_gradient(c, exact);
    for (size_t i = 0; i < count; i++)
        if (!loss_is_close(got[i], exact[i], bound * terms[i] + underflow))
            fail_msg("%s: gradient[%zu] is %.9g, not %.17g; tolerance %g", c->label, i, (double)got[i],
                     exact[i], bound * terms[i] + underflow);
    free(terms);
}

/* ---- on a device ---- */

typedef struct loss_tensors {
    clgrad_tensor prediction, target, dvalue, value, dprediction;
} loss_tensors;

static inline clgrad_tensor loss_value_tensor(clgrad_context *context, const loss_case *c, const float *data)
{
    const bool by_element =
        c->loss.reduction == CLGRAD_REDUCTION_NONE && loss_case_extent(c) == CLGRAD_LOSS_ELEMENT;
    if (by_element)
        return tensor_with(context, CLGRAD_TYPE_FLOAT32, c->rank, c->shape, data);
    if (c->loss.reduction == CLGRAD_REDUCTION_NONE && loss_case_extent(c) == CLGRAD_LOSS_ROW)
        return vector_with(context, c->shape[0], data);
    return tensor_with(context, CLGRAD_TYPE_FLOAT32, 0, NULL, data);
}

/* Outputs are filled with NaN. */
static inline loss_tensors loss_case_tensors(clgrad_context *context, const loss_case *c)
{
    return (loss_tensors){
        .prediction = tensor_with(context, CLGRAD_TYPE_FLOAT32, c->rank, c->shape, c->prediction),
        .target = c->classes != NULL
                      ? tensor_with(context, CLGRAD_TYPE_INT32, 1, c->shape, c->classes)
                      : tensor_with(context, CLGRAD_TYPE_FLOAT32, c->rank, c->shape, c->target),
        .dvalue = c->dvalue != NULL ? loss_value_tensor(context, c, c->dvalue) : clgrad_tensor_none(),
        .value = loss_value_tensor(context, c, NULL),
        .dprediction = tensor_with(context, CLGRAD_TYPE_FLOAT32, c->rank, c->shape, NULL)};
}

static inline void loss_tensors_free(clgrad_context *context, loss_tensors t)
{
    tensor_free(context, t.prediction);
    tensor_free(context, t.target);
    tensor_free(context, t.dvalue);
    tensor_free(context, t.value);
    tensor_free(context, t.dprediction);
}

/* Hold a device against the exact answers. */
static inline void loss_case_check(clgrad_context *context, const loss_case *c, loss_exact exact)
{
    loss_tensors t = loss_case_tensors(context, c);
    assert_ok(context, clgrad_loss_forward(context, &c->loss, t.prediction, t.target, t.value));
    assert_untouched(context, t.dprediction);
    assert_ok(context,
              clgrad_loss_backward(context, &c->loss, t.prediction, t.target, t.dvalue, t.dprediction));
    float *value = tensor_floats(context, t.value), *gradient = tensor_floats(context, t.dprediction);
    loss_check_values(context, c, value, exact.value);
    loss_check_gradient(context, c, gradient, exact.gradient);
    assert_holds(context, t.prediction, c->prediction);

    /* the same bits: again, in place, and by the fused call */
    assert_ok(context, clgrad_tensor_fill(context, t.value, -1));
    assert_ok(context, clgrad_loss_forward(context, &c->loss, t.prediction, t.target, t.value));
    assert_holds(context, t.value, value);
    assert_ok(context,
              clgrad_loss_backward(context, &c->loss, t.prediction, t.target, t.dvalue, t.prediction));
    assert_holds(context, t.prediction, gradient);
    if (c->dvalue == NULL) {
        const size_t bytes = loss_case_count(c) * sizeof *c->prediction;
        assert_ok(context, clgrad_tensor_write(context, t.prediction, c->prediction, bytes));
        for (int in_place = 0; in_place < 2; in_place++) {
            clgrad_tensor dprediction = in_place ? t.prediction : t.dprediction;
            assert_ok(context, clgrad_tensor_fill(context, t.value, -1));
            assert_ok(context, clgrad_tensor_fill(context, t.dprediction, -1));
            assert_ok(context, clgrad_loss_forward_backward(context, &c->loss, t.prediction, t.target,
                                                            t.value, dprediction));
            assert_holds(context, t.value, value);
            assert_holds(context, dprediction, gradient);
        }
    }
    free(value);
    free(gradient);
    loss_tensors_free(context, t);
}

/* ---- random numbers in each loss's domain ---- */

typedef struct loss_numbers {
    float *prediction, *target, *dvalue;
    int32_t *classes;
} loss_numbers;

static inline double loss_squash(double x)
{
    return 1 / (1 + exp(-x));
}

/* Numbers for count elements in rows of so many columns; every seventh target is 0, some are 1. */
static inline loss_numbers loss_draw(clgrad_loss_kind kind, size_t count, size_t columns)
{
    loss_numbers n = {allocate(count, sizeof(float)), allocate(count, sizeof(float)),
                      allocate(count, sizeof(float)), allocate(count, sizeof(int32_t))};
    const bool distances = kind == CLGRAD_LOSS_MSE || kind == CLGRAD_LOSS_L2 || kind == CLGRAD_LOSS_L1;
    fill_normal(n.prediction, count, 100 + count, 2);
    fill_normal(n.target, count, 200 + count, 2);
    fill_normal(n.dvalue, count, 300 + count, 1);
    for (size_t i = 0; i < count; i++) {
        n.classes[i] = (int32_t)(i * 7919 % (columns > 0 ? columns : 1));
        if (distances)
            continue;
        n.target[i] = i % 7 == 3 ? 0.0f : i % 11 == 5 ? 1.0f : (float)loss_squash(n.target[i]);
        if (kind == CLGRAD_LOSS_KL_DIV)
            n.prediction[i] = (float)log(loss_squash(n.prediction[i]));
        else if (kind != CLGRAD_LOSS_CROSS_ENTROPY)
            n.prediction[i] = (float)loss_squash(n.prediction[i]);
    }
    return n;
}

static inline void loss_numbers_free(loss_numbers n)
{
    free(n.prediction);
    free(n.target);
    free(n.dvalue);
    free(n.classes);
}

#endif
