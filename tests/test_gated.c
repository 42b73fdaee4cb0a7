/*
 * PReLU and GLU: the reference's formulas against golden values and finite differences, and every device
 * against both.
 */
#include "golden/gated.h"
#include "harness.h"
#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double u = 0x1p-24;

/* What is held against what: a call's inputs, and what should come of them. */
typedef struct work {
    const char *label;
    clgrad_tensor x; /* rank and shape alone */
    size_t weights;  /* 0 for GLU */
    size_t count, outputs;
    float *x32, *weight32, *dy32;
    double *x64, *weight64, *dy64, *y, *dx, *dweight, *dweight_terms;
} work;

/* x as [batch, channels, inner]. */
static void prelu_extents(clgrad_tensor x, size_t extents[3])
{
    extents[0] = x.shape[0];
    extents[1] = x.rank > 1 ? x.shape[1] : 1;
    extents[2] = 1;
    for (int i = 2; i < x.rank; i++)
        extents[2] *= x.shape[i];
}

static float *copy(const float *numbers, size_t count)
{
    float *result = allocate(count, sizeof *result);
    if (count > 0 && numbers != NULL)
        memcpy(result, numbers, count * sizeof *result);
    return result;
}

/* The reference's results, called directly. */
static work compute(const char *label, int rank, const size_t *shape, size_t weights, const float *x,
                    const float *weight, const float *dy)
{
    work w = {.label = label, .x = {.rank = rank}, .weights = weights};
    memcpy(w.x.shape, shape, (size_t)rank * sizeof *shape);
    w.count = clgrad_tensor_count(w.x);
    w.outputs = weights == 0 ? w.count / 2 : w.count;
    w.x32 = copy(x, w.count);
    w.weight32 = copy(weight, weights);
    w.dy32 = copy(dy, w.outputs);
    w.x64 = widen(x, w.count);
    w.weight64 = widen(weight, weights);
    w.dy64 = widen(dy, w.outputs);
    w.y = allocate(w.outputs, sizeof *w.y);
    w.dx = allocate(w.count, sizeof *w.dx);
    w.dweight = allocate(weights, sizeof *w.dweight);
    w.dweight_terms = allocate(weights, sizeof *w.dweight_terms);
    if (weights == 0) {
        const size_t half = shape[rank - 1] / 2;
        for (size_t i = 0; i < w.outputs; i += half) {
            clgrad_ref_glu(half, w.x64 + 2 * i, w.y + i);
            clgrad_ref_glu_backward(half, w.x64 + 2 * i, w.dy64 + i, w.dx + 2 * i);
        }
        return w;
    }
    size_t e[3];
    prelu_extents(w.x, e);
    clgrad_ref_prelu(e[0], e[1], e[2], weights, w.x64, w.weight64, w.y);
    clgrad_ref_prelu_backward(e[0], e[1], e[2], weights, w.x64, w.weight64, w.dy64, w.dx, w.dweight);
    for (size_t i = 0; i < w.count; i++)
        if (!(w.x64[i] > 0))
            w.dweight_terms[weights == 1 ? 0 : i / e[2] % e[1]] += fabs(w.x64[i] * w.dy64[i]);
    return w;
}

static void free_work(work w)
{
    free(w.x32);
    free(w.weight32);
    free(w.dy32);
    free(w.x64);
    free(w.weight64);
    free(w.dy64);
    free(w.y);
    free(w.dx);
    free(w.dweight);
    free(w.dweight_terms);
}

/* ---- the reference called directly ---- */

static void assert_exact(const char *label, const char *what, const double *got, const double *expected,
                         size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++)
        if (!is_close(got[i], expected[i], tolerance * fmax(fabs(expected[i]), 1e-300)))
            fail_msg("%s: %s[%zu] is %.17g, not %.17g", label, what, i, got[i], expected[i]);
}

static void reference_matches_golden_values(clgrad_context *context)
{
    (void)context;
    for (size_t k = 0; k < COUNT(golden_gateds); k++) {
        const golden_gated *g = &golden_gateds[k];
        work w = compute(g->label, g->rank, g->shape, g->weights, g->x, g->weight, g->dy);
        assert_exact(g->label, "y", w.y, g->y, w.outputs, 1e-14);
        assert_exact(g->label, "dx", w.dx, g->dx, w.count, 1e-13);
        for (size_t i = 0; i < g->weights; i++)
            assert_true(is_close(w.dweight[i], g->dweight[i], 1e-14 * w.dweight_terms[i]));
        free_work(w);
    }
}

/* The sum of dy y at numbers moved by h: its slope is the gradient. */
static void reference_gradient_matches_differences(clgrad_context *context)
{
    (void)context;
    enum { COUNT_X = 24, WEIGHTS = 3 };
    const double h = 1e-5;
    for (int is_glu = 0; is_glu <= 1; is_glu++) {
        float x32[COUNT_X], dy32[COUNT_X], weight32[WEIGHTS] = {0.25f, -0.5f, 1.5f};
        fill_normal(x32, COUNT_X, 5, 2);
        fill_normal(dy32, COUNT_X, 6, 1);
        work w = compute("", 3, (size_t[]){2, 3, 4}, is_glu ? 0 : WEIGHTS, x32, weight32, dy32);
        for (size_t i = 0; i < w.count + w.weights; i++) {
            double *moved = i < w.count ? &w.x64[i] : &w.weight64[i - w.count];
            const double there = *moved;
            double difference = 0;
            for (int side = -1; side <= 1; side += 2) {
                double y[COUNT_X];
                *moved = there + side * h;
                if (is_glu)
                    for (size_t row = 0; row < 6; row++)
                        clgrad_ref_glu(2, w.x64 + 4 * row, y + 2 * row);
                else
                    clgrad_ref_prelu(2, 3, 4, WEIGHTS, w.x64, w.weight64, y);
                for (size_t j = 0; j < w.outputs; j++)
                    difference += side * w.dy64[j] * y[j] / (2 * h);
            }
            *moved = there;
            assert_true(is_close(i < w.count ? w.dx[i] : w.dweight[i - w.count], difference, 1e-9));
        }
        free_work(w);
    }
}

/* ---- devices ---- */

/* Within so many ulp, or so much. */
static void assert_ulp(const char *label, const char *what, size_t i, float got, double exact, double ulps,
                       double least)
{
    if (!(ulp_distance(got, exact) <= ulps) && !(isfinite(least) && fabs(got - exact) <= least))
        fail_msg("%s: %s[%zu] is %.9g, %g ulp from %.17g", label, what, i, (double)got,
                 ulp_distance(got, exact), exact);
}

static clgrad_tensor empty_like(clgrad_context *context, clgrad_tensor x)
{
    return tensor_with(context, CLGRAD_TYPE_FLOAT32, x.rank, x.shape, NULL);
}

/* Every combination of what is wanted and where dx goes: the same bits. */
static void check_prelu_variants(clgrad_context *context, const work *w, clgrad_tensor x,
                                 clgrad_tensor weight, clgrad_tensor dy, const float *dx,
                                 const float *dweight)
{
    const clgrad_tensor none = clgrad_tensor_none();
    clgrad_tensor dw = vector_with(context, w->weights, NULL), out = empty_like(context, x);
    assert_ok(context, clgrad_prelu_backward(context, x, weight, dy, out, none));
    assert_holds(context, out, dx);
    assert_ok(context, clgrad_prelu_backward(context, x, weight, dy, none, dw));
    assert_holds(context, dw, dweight);
    assert_holds(context, x, w->x32);
    assert_ok(context, clgrad_prelu_backward(context, x, weight, dy, dy, dw));
    assert_holds(context, dy, dx);
    assert_holds(context, dw, dweight);
    assert_ok(context, clgrad_tensor_write(context, dy, w->dy32, w->count * sizeof *w->dy32));
    assert_ok(context, clgrad_prelu_backward(context, x, weight, dy, x, dw));
    assert_holds(context, x, dx);
    assert_holds(context, dw, dweight);
    assert_holds(context, weight, w->weight32);
    tensor_free(context, dw);
    tensor_free(context, out);
}

static void check_prelu(clgrad_context *context, const work *w)
{
    const double flushed = keeps_denormals(context) ? 0 : FLT_MIN;
    clgrad_tensor x = tensor_with(context, CLGRAD_TYPE_FLOAT32, w->x.rank, w->x.shape, w->x32);
    clgrad_tensor dy = tensor_with(context, CLGRAD_TYPE_FLOAT32, w->x.rank, w->x.shape, w->dy32);
    clgrad_tensor weight = vector_with(context, w->weights, w->weight32);
    clgrad_tensor y = empty_like(context, x), dx = empty_like(context, x);
    clgrad_tensor dweight = vector_with(context, w->weights, NULL);
    assert_ok(context, clgrad_prelu_forward(context, x, weight, y));
    assert_holds(context, x, w->x32);
    float *got_y = tensor_floats(context, y);
    for (size_t i = 0; i < w->count; i++)
        assert_ulp(w->label, "y", i, got_y[i], w->y[i], 0.5, flushed);
    assert_ok(context, clgrad_prelu_backward(context, x, weight, dy, dx, dweight));
    assert_holds(context, x, w->x32);
    assert_holds(context, dy, w->dy32);
    float *got_dx = tensor_floats(context, dx), *got_dweight = tensor_floats(context, dweight);
    for (size_t i = 0; i < w->count; i++)
        assert_ulp(w->label, "dx", i, got_dx[i], w->dx[i], 0.5, flushed);
    for (size_t i = 0; i < w->weights; i++)
        if (!is_close(got_dweight[i], w->dweight[i], 32 * u * w->dweight_terms[i] + flushed))
            fail_msg("%s: dweight[%zu] is %.9g, not %.17g", w->label, i, (double)got_dweight[i],
                     w->dweight[i]);
    check_prelu_variants(context, w, x, weight, dy, got_dx, got_dweight);
    assert_ok(context, clgrad_tensor_write(context, x, w->x32, w->count * sizeof *w->x32));
    assert_ok(context, clgrad_prelu_forward(context, x, weight, x));
    assert_holds(context, x, got_y);
    free(got_y);
    free(got_dx);
    free(got_dweight);
    tensor_free(context, x);
    tensor_free(context, dy);
    tensor_free(context, weight);
    tensor_free(context, y);
    tensor_free(context, dx);
    tensor_free(context, dweight);
}

static void check_glu(clgrad_context *context, const work *w)
{
    clgrad_tensor x = tensor_with(context, CLGRAD_TYPE_FLOAT32, w->x.rank, w->x.shape, w->x32);
    clgrad_tensor half = w->x;
    half.shape[half.rank - 1] /= 2;
    clgrad_tensor y = empty_like(context, half), dx = empty_like(context, x);
    clgrad_tensor dy = tensor_with(context, CLGRAD_TYPE_FLOAT32, half.rank, half.shape, w->dy32);
    assert_ok(context, clgrad_glu_forward(context, x, y));
    assert_ok(context, clgrad_glu_backward(context, x, dy, dx));
    assert_holds(context, x, w->x32);
    assert_holds(context, dy, w->dy32);
    float *got_y = tensor_floats(context, y), *got_dx = tensor_floats(context, dx);
    const size_t k = half.shape[half.rank - 1];
    for (size_t i = 0; i < w->outputs; i++) {
        const size_t a = i / k * 2 * k + i % k, b = a + k;
        if (isinf(w->x32[a]) && fabsf(w->x32[b]) > 87 && isfinite(w->x32[b]))
            continue; /* infinity times a gate that may be 0 */
        const double dy_i = fabs(w->dy64[i]), a_i = fabs(w->x64[a]);
        assert_ulp(w->label, "y", i, got_y[i], w->y[i], 5, a_i * FLT_MIN);
        assert_ulp(w->label, "dx", a, got_dx[a], w->dx[a], 10, dy_i * FLT_MIN);
        assert_ulp(w->label, "dx", b, got_dx[b], w->dx[b], 10, dy_i * a_i * FLT_MIN);
    }
    assert_ok(context, clgrad_glu_forward(context, x, y));
    assert_holds(context, y, got_y);
    assert_ok(context, clgrad_glu_backward(context, x, dy, x));
    assert_holds(context, x, got_dx);
    free(got_y);
    free(got_dx);
    tensor_free(context, x);
    tensor_free(context, dy);
    tensor_free(context, y);
    tensor_free(context, dx);
}

static void check(clgrad_context *context, work w)
{
    if (w.weights > 0)
        check_prelu(context, &w);
    else
        check_glu(context, &w);
    free_work(w);
}

static void device_matches_golden_values(clgrad_context *context)
{
    for (size_t k = 0; k < COUNT(golden_gateds); k++) {
        const golden_gated *g = &golden_gateds[k];
        work w = compute(g->label, g->rank, g->shape, g->weights, g->x, g->weight, g->dy);
        memcpy(w.y, g->y, w.outputs * sizeof *w.y);
        memcpy(w.dx, g->dx, w.count * sizeof *w.dx);
        if (g->weights > 0)
            memcpy(w.dweight, g->dweight, g->weights * sizeof *w.dweight);
        check(context, w);
    }
}

static void device_matches_reference(clgrad_context *context)
{
    static const struct {
        int rank;
        size_t shape[4], weights;
    } cases[] = {
        {1, {1}, 1},           {2, {7, 3}, 3},       {3, {3, 5, 2}, 1},     {2, {0, 3}, 3},
        {2, {0, 4}, 1},        {2, {3, 66}, 66},     {3, {2, 33, 7}, 33},   {2, {1, 1}, 1},
        {4, {2, 3, 2, 5}, 3},  {1, {300}, 1},        {2, {300, 1}, 1},      {2, {1, 2}, 0},
        {1, {6}, 0},           {3, {3, 5, 66}, 0},   {2, {0, 6}, 0},        {2, {5, 0}, 0},
        {2, {4, 0}, 1},        {2, {4, 0}, 0},       {2, {5000, 300}, 300}, {1, {70001}, 1},
        {3, {3, 1000, 11}, 1}, {2, {1000, 1000}, 0}, {3, {65, 2, 999}, 2},
    };
    for (size_t k = 0; k < (test_small() ? 18 : COUNT(cases)); k++) {
        clgrad_tensor like = {.rank = cases[k].rank};
        memcpy(like.shape, cases[k].shape, sizeof cases[k].shape);
        const size_t count = clgrad_tensor_count(like);
        float *x = allocate(count, sizeof *x), *dy = allocate(count, sizeof *dy);
        float *weight = allocate(cases[k].weights, sizeof *weight);
        fill_normal(x, count, k, 3);
        fill_normal(dy, count, 2 * k + 1, 1);
        fill_normal(weight, cases[k].weights, 3 * k + 1, 0.5);
        check(context, compute("random", like.rank, like.shape, cases[k].weights, x, weight, dy));
        free(x);
        free(dy);
        free(weight);
    }
}

/* ---- special values ---- */

static void prelu_at_special_values(clgrad_context *context)
{
    const float x[] = {0.0f, -0.0f, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, -1};
    const float dy[COUNT(x)] = {1, -2, 3, 4, 5, -0.5f, 7, 8, INFINITY};
    const float weights[] = {0, 0.25f, -0.5f, 1, 2};
    for (size_t k = 0; k < COUNT(weights); k++)
        check(context, compute("special", 1, (size_t[]){COUNT(x)}, 1, x, &weights[k], dy));

    /* NaN stays in its element, and its channel's sum */
    const float with_nan[6] = {1, NAN, -1, -2, 2, -3}, ones[6] = {1, 1, 1, 1, 1, 1};
    const float slopes[2] = {0.5f, 0};
    work w = compute("NaN", 2, (size_t[]){3, 2}, 2, with_nan, slopes, ones);
    assert_true(isnan(w.y[1]) && isnan(w.dx[1]) && isnan(w.dweight[1]));
    assert_true(w.y[2] == -0.5 && w.y[3] == 0 && w.dx[2] == 0.5 && w.dx[3] == 0 && w.dweight[0] == -1);
    check(context, w);
    check(context, compute("NaN weight", 2, (size_t[]){3, 2}, 2, ones, (float[]){NAN, 1}, with_nan));
}

static void glu_at_special_values(clgrad_context *context)
{
    const float a[] = {1, -3, 0, 1e30f, -1e30f, 1e-30f, FLT_MAX, FLT_MIN, INFINITY, -INFINITY, NAN};
    const float b[] = {0, 1, -1, 17, -17, 60, -60, 88, -88, 100, -100, 200, -200, INFINITY, -INFINITY, NAN};
    float x[2 * COUNT(a) * COUNT(b)], dy[COUNT(a) * COUNT(b)];
    const float upstream[] = {1, -0.5f, 1e10f};
    for (size_t k = 0; k < COUNT(upstream); k++) {
        for (size_t i = 0; i < COUNT(dy); i++) {
            x[i] = a[i / COUNT(b)];
            x[COUNT(dy) + i] = b[i % COUNT(b)];
            dy[i] = upstream[k];
        }
        check(context, compute("special", 1, (size_t[]){COUNT(x)}, 0, x, NULL, dy));
    }
}

/* x without channels, and as many weights. */
static void nothing_gives_nothing(clgrad_context *context)
{
    clgrad_tensor x = matrix_with(context, 4, 0, NULL), dx = matrix_with(context, 4, 0, NULL);
    clgrad_tensor weight = vector_with(context, 0, NULL), dweight = vector_with(context, 0, NULL);
    clgrad_tensor one = vector_with(context, 1, NULL);
    assert_ok(context, clgrad_prelu_forward(context, x, weight, dx));
    assert_ok(context, clgrad_prelu_backward(context, x, weight, x, dx, dweight));
    assert_ok(context, clgrad_prelu_backward(context, x, one, x, dx, clgrad_tensor_none()));
    const clgrad_tensor all[] = {x, dx, weight, dweight, one};
    for (size_t i = 0; i < COUNT(all); i++)
        tensor_free(context, all[i]);
}

int main(void)
{
    const test_case cases[] = {
        CASE(reference_matches_golden_values), CASE(reference_gradient_matches_differences),
        CASE(device_matches_golden_values),    CASE(device_matches_reference),
        CASE(prelu_at_special_values),         CASE(glu_at_special_values),
        CASE(nothing_gives_nothing),
    };
    return run_on_every_device(cases, COUNT(cases));
}
