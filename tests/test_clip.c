/*
 * Gradient clipping: the reference's norm and every device against golden values, devices against the
 * reference, and the arguments that are refused.
 */
#include "harness.h"

#include "golden/clip.h"
#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double u = 0x1p-24;

/* clip.h's bound of the norm; the clipped elements have 8 u on top. */
static double norm_bound(double norm_type)
{
    const bool plain = norm_type == 1 || norm_type == 2 || isinf(norm_type);
    return u * (plain ? 32 : 40 + 120 / norm_type);
}

/* ---- golden values ---- */

static void reference_norm_matches_golden_values(clgrad_context *context)
{
    (void)context;
    for (size_t k = 0; k < COUNT(golden_clips); k++) {
        const golden_clip *g = &golden_clips[k];
        if (g->by_value)
            continue;
        double *numbers = widen(g->gradient, g->count);
        const double norm = clgrad_ref_norm(g->norm_type, g->count, numbers);
        if (!is_close(norm, g->total_norm, 1e-14 * fabs(g->total_norm)))
            fail_msg("%s: the norm is %.17g, not %.17g", g->label, norm, g->total_norm);
        free(numbers);
    }
}

static void check_golden(clgrad_context *context, const golden_clip *g, bool with_norm)
{
    const double bound = g->by_value ? 0 : norm_bound(g->norm_type);
    clgrad_tensor gradient = vector_with(context, g->count, g->gradient);
    clgrad_tensor norm = with_norm ? scalar_with(context, -1) : clgrad_tensor_none();
    if (g->by_value)
        assert_ok(context, clgrad_clip_grad_value(context, g->limit, gradient));
    else
        assert_ok(context, clgrad_clip_grad_norm(context, g->limit, g->norm_type, gradient, norm));
    float *got = tensor_floats(context, gradient);
    for (size_t i = 0; i < g->count; i++)
        if (!is_close(got[i], g->clipped[i], (bound + 8 * u) * fabs(g->clipped[i]) + FLT_MIN))
            fail_msg("%s, limit %g: element %zu is %.9g, not %.17g", g->label, (double)g->limit, i,
                     (double)got[i], g->clipped[i]);
    if (with_norm) {
        const double total = tensor_scalar_value(context, norm);
        if (!is_close(total, g->total_norm, bound * g->total_norm))
            fail_msg("%s: the norm is %.9g, not %.17g", g->label, total, g->total_norm);
    }
    free(got);
    tensor_free(context, gradient);
    tensor_free(context, norm);
}

static void devices_match_golden_values(clgrad_context *context)
{
    for (size_t k = 0; k < COUNT(golden_clips); k++)
        for (int with_norm = 0; with_norm <= !golden_clips[k].by_value; with_norm++)
            check_golden(context, &golden_clips[k], with_norm);
}

/* ---- sizes and numbers ---- */

/* A norm below and one above max_norm: the gradient as it was, bit by bit, or scaled. */
static void check_norm(clgrad_context *context, float norm_type, size_t count, const float *numbers)
{
    double *exact = widen(numbers, count);
    const double expected = clgrad_ref_norm(norm_type, count, exact), bound = norm_bound(norm_type);
    clgrad_tensor gradient = vector_with(context, count, numbers);
    clgrad_tensor norm = tensor_with(context, CLGRAD_TYPE_FLOAT32, 1, (size_t[]){1}, NULL);
    const float above = (float)fmin(2 * expected + 1, FLT_MAX), below = (float)(expected / 2);

    assert_ok(context, clgrad_clip_grad_norm(context, above, norm_type, gradient, norm));
    const double total = tensor_scalar_value(context, norm);
    if (!is_close(total, expected, bound * expected))
        fail_msg("the %g-norm of %zu numbers is %.9g, not %.17g", (double)norm_type, count, total, expected);
    assert_holds(context, gradient, numbers);

    assert_ok(context, clgrad_clip_grad_norm(context, below, norm_type, gradient, norm));
    assert_true(tensor_scalar_value(context, norm) == (float)total); /* the same bits each time */
    float *got = tensor_floats(context, gradient);
    for (size_t i = 0; i < count; i++) {
        const double scaled = exact[i] * (below / (expected + 1e-6));
        if (!is_close(got[i], scaled, (bound + 8 * u) * fabs(scaled) + FLT_MIN))
            fail_msg("%g-norm: element %zu of %zu is %.9g, not %.17g", (double)norm_type, i, count,
                     (double)got[i], scaled);
    }
    free(got);
    free(exact);
    tensor_free(context, gradient);
    tensor_free(context, norm);
}

static void norms_match_the_reference(clgrad_context *context)
{
    static const float norm_types[] = {1, 2, 3, 0.5f, INFINITY, 1.5f, 4, 10, 0.25f};
    static const size_t counts[] = {1, 2, 63, 64, 65, 255, 256, 257, 1000, 4097, 70001, 300007};
    for (size_t c = 0; c < COUNT(counts); c++) {
        if (test_small() && counts[c] > 5000)
            break;
        float *numbers = allocate(counts[c], sizeof *numbers);
        fill_normal(numbers, counts[c], counts[c], 2);
        if (counts[c] > 3)
            numbers[3] = 0;
        for (size_t k = 0; k < COUNT(norm_types); k++)
            check_norm(context, norm_types[k], counts[c], numbers);
        free(numbers);
    }
}

/* Squares that float32 cannot hold, and elements so far apart that the small ones do not count. */
static void extreme_numbers_have_their_norm(clgrad_context *context)
{
    enum { N = 300 };
    static const float norm_types[] = {1, 2, 3, INFINITY};
    static const int exponents[] = {-90, -60, 0, 60, 100};
    float numbers[N];
    for (size_t e = 0; e < COUNT(exponents); e++)
        for (int apart = 0; apart < 2; apart++) {
            fill_normal(numbers, N, 9, 1);
            for (int i = 0; i < N; i++)
                numbers[i] = ldexpf(numbers[i], exponents[e] + (apart ? i % 50 - 25 : 0));
            for (size_t k = 0; k < COUNT(norm_types); k++)
                check_norm(context, norm_types[k], N, numbers);
        }
    /* near FLT_MAX, as long as the norm is below it */
    for (int i = 0; i < N; i++)
        numbers[i] = i % 100 == 7 ? 0x1.8p126f : 0;
    check_norm(context, 2, N, numbers);
    check_norm(context, INFINITY, N, numbers);
    check_norm(context, 3, N, numbers);
}

/* One NaN or infinity anywhere is found. */
static void special_numbers_are_found_wherever_they_are(clgrad_context *context)
{
    enum { N = 2500 };
    static const size_t places[] = {0, 1, 255, 256, 1023, 2047, N - 1};
    static const float specials[] = {NAN, INFINITY, -INFINITY}, norm_types[] = {1, 2, 0.5f, INFINITY};
    float numbers[N];
    for (size_t p = 0; p < COUNT(places); p++)
        for (size_t s = 0; s < COUNT(specials); s++)
            for (size_t k = 0; k < COUNT(norm_types); k++) {
                fill_normal(numbers, N, 1, 1);
                numbers[places[p]] = specials[s];
                clgrad_tensor gradient = vector_with(context, N, numbers), norm = scalar_with(context, 0);
                assert_ok(context, clgrad_clip_grad_norm(context, 1, norm_types[k], gradient, norm));
                const float total = tensor_scalar_value(context, norm);
                float *got = tensor_floats(context, gradient);
                assert_true(isnan(specials[s]) ? isnan(total) : total == INFINITY);
                for (size_t i = 0; i < N; i++)
                    assert_true(isnan(specials[s]) || i == places[p] ? isnan(got[i]) : got[i] == 0);
                free(got);
                tensor_free(context, gradient);
                tensor_free(context, norm);
            }
}

static void values_are_clamped(clgrad_context *context)
{
    static const size_t counts[] = {1, 63, 64, 65, 1000, 70001};
    static const float limits[] = {0, 1e-30f, 0.5f, 1, FLT_MAX};
    for (size_t c = 0; c < COUNT(counts); c++)
        for (size_t l = 0; l < COUNT(limits); l++) {
            const size_t n = test_small() && counts[c] > 5000 ? 1500 : counts[c];
            float *numbers = allocate(n, sizeof *numbers), *expected = allocate(n, sizeof *expected);
            fill_normal(numbers, n, n, 1);
            numbers[n / 2] = INFINITY;
            numbers[n / 3] = -INFINITY;
            numbers[n - 1] = NAN;
            for (size_t i = 0; i < n; i++) {
                const float size = fabsf(numbers[i]) > limits[l] ? limits[l] : fabsf(numbers[i]);
                expected[i] = isnan(numbers[i]) ? NAN : size > 0 ? copysignf(size, numbers[i]) : 0;
            }
            clgrad_tensor gradient = vector_with(context, n, numbers);
            assert_ok(context, clgrad_clip_grad_value(context, limits[l], gradient));
            float *got = tensor_floats(context, gradient);
            for (size_t i = 0; i < n; i++) /* a zero's sign does not matter */
                assert_true(got[i] == expected[i] || (isnan(got[i]) && isnan(expected[i])));
            free(got);
            free(numbers);
            free(expected);
            tensor_free(context, gradient);
        }
}

static void nothing_to_clip(clgrad_context *context)
{
    clgrad_tensor gradient = vector_with(context, 0, NULL), norm = scalar_with(context, 5);
    assert_ok(context, clgrad_clip_grad_norm(context, 1, 2, gradient, norm));
    assert_true(tensor_scalar_value(context, norm) == 0);
    assert_ok(context, clgrad_clip_grad_norm(context, 1, 2, gradient, clgrad_tensor_none()));
    assert_ok(context, clgrad_clip_grad_value(context, 1, gradient));
    tensor_free(context, gradient);
    tensor_free(context, norm);
}

/* ---- refusals ---- */

static void bad_arguments_are_refused(clgrad_context *context)
{
    static const float numbers[6] = {1, -2, 3, 4, 5, 6}, bad[] = {-1, -FLT_MIN, NAN, INFINITY, -INFINITY};
    clgrad_tensor gradient = matrix_with(context, 3, 2, numbers), norm = scalar_with(context, 7);
    clgrad_tensor changed;
    const clgrad_status invalid = CLGRAD_STATUS_INVALID_ARGUMENT;
#define REFUSED(call, status, part)                           \
    do {                                                      \
        assert_refused(context, call, status, part);          \
        assert_holds(context, gradient, numbers);             \
        assert_true(tensor_scalar_value(context, norm) == 7); \
    } while (0)
    for (size_t i = 0; i < COUNT(bad); i++) {
        REFUSED(clgrad_clip_grad_norm(context, bad[i], 2, gradient, norm), invalid, "max_norm is ");
        REFUSED(clgrad_clip_grad_value(context, bad[i], gradient), invalid, "clip_value is ");
        if (!(bad[i] > 0))
            REFUSED(clgrad_clip_grad_norm(context, 1, bad[i], gradient, norm), invalid, "norm_type is ");
    }
    REFUSED(clgrad_clip_grad_norm(context, -2, 2, gradient, norm), invalid,
            "clip_grad_norm: max_norm is -2, it must lie between 0 and 3.40282e+38");
    REFUSED(clgrad_clip_grad_value(context, NAN, gradient), invalid,
            "clip_grad_value: clip_value is nan, it must lie between 0 and 3.40282e+38");
    REFUSED(clgrad_clip_grad_norm(context, 1, 0, gradient, norm), invalid,
            "clip_grad_norm: norm_type is 0, it must be above 0");

    REFUSED(clgrad_clip_grad_norm(context, 1, 2, clgrad_tensor_none(), norm), invalid, "gradient is absent");
    REFUSED(clgrad_clip_grad_value(context, 1, clgrad_tensor_none()), invalid, "gradient is absent");
    changed = gradient;
    changed.type = CLGRAD_TYPE_INT32;
    REFUSED(clgrad_clip_grad_norm(context, 1, 2, changed, norm), CLGRAD_STATUS_INVALID_TYPE,
            "gradient is int32");
    REFUSED(clgrad_clip_grad_value(context, 1, changed), CLGRAD_STATUS_INVALID_TYPE, "gradient is int32");
    changed = gradient;
    changed.offset += 6;
    REFUSED(clgrad_clip_grad_norm(context, 1, 2, changed, norm), CLGRAD_STATUS_OUT_OF_RANGE, "gradient");
    REFUSED(clgrad_clip_grad_value(context, 1, changed), CLGRAD_STATUS_OUT_OF_RANGE, "gradient");

    REFUSED(clgrad_clip_grad_norm(context, 1, 2, gradient, gradient), CLGRAD_STATUS_INVALID_SHAPE,
            "total_norm");
    changed = clgrad_tensor_scalar(gradient.buffer, gradient.offset + 5);
    REFUSED(clgrad_clip_grad_norm(context, 1, 2, gradient, changed), invalid, "total_norm overlaps gradient");
    changed = norm;
    changed.type = CLGRAD_TYPE_INT32;
    REFUSED(clgrad_clip_grad_norm(context, 1, 2, gradient, changed), CLGRAD_STATUS_INVALID_TYPE,
            "total_norm is int32");

    clgrad_context *other = NULL;
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    clgrad_tensor foreign = scalar_with(other, 1);
    REFUSED(clgrad_clip_grad_norm(context, 1, 2, gradient, foreign), CLGRAD_STATUS_INVALID_CONTEXT,
            "total_norm lies in a buffer of another");
    REFUSED(clgrad_clip_grad_norm(context, 1, 2, foreign, norm), CLGRAD_STATUS_INVALID_CONTEXT,
            "gradient lies in a buffer of another");
    REFUSED(clgrad_clip_grad_value(context, 1, foreign), CLGRAD_STATUS_INVALID_CONTEXT,
            "gradient lies in a buffer of another");
    tensor_free(other, foreign);
    clgrad_context_destroy(other);
#undef REFUSED
    assert_int_equal(clgrad_clip_grad_norm(NULL, 1, 2, gradient, norm), invalid);
    assert_int_equal(clgrad_clip_grad_value(NULL, 1, gradient), invalid);
    tensor_free(context, gradient);
    tensor_free(context, norm);
}

int main(void)
{
    const test_case cases[] = {
        CASE(reference_norm_matches_golden_values),
        CASE(devices_match_golden_values),
        CASE(norms_match_the_reference),
        CASE(extreme_numbers_have_their_norm),
        CASE(special_numbers_are_found_wherever_they_are),
        CASE(values_are_clamped),
        CASE(nothing_to_clip),
        CASE(bad_arguments_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
