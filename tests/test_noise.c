/*
 * Dropout and RReLU in training: masks and slopes against golden words, the share that is kept, and every
 * device against the formulas of noise.h.
 */
#include "golden/noise.h"
#include "reference/reference.h"
#include "refused_calls.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- golden words, masks and slopes ---- */

static void reference_matches_golden_values(clgrad_context *context)
{
    (void)context;
    for (size_t k = 0; k < COUNT(golden_noises); k++) {
        const golden_noise *g = &golden_noises[k];
        uint32_t *words = allocate(g->count, sizeof *words);
        clgrad_ref_words(g->seed, g->stream, g->count, words);
        for (size_t i = 0; i < g->count; i++) {
            assert_int_equal(words[i], g->words[i]);
            assert_int_equal(clgrad_ref_dropped(g->p, words[i]), g->dropped[i]);
            const double slope = clgrad_ref_rrelu_slope(g->lower, g->upper, words[i]);
            assert_true(is_close(slope, g->slopes[i], 1e-15 * fmax(fabsf(g->lower), fabsf(g->upper))));
        }
        free(words);
    }
}

/* The largest and the smallest word, and words next to the threshold. */
static void thresholds_are_exact(clgrad_context *context)
{
    (void)context;
    assert_false(clgrad_ref_dropped(0, 0));
    assert_true(clgrad_ref_dropped(1, UINT32_MAX));
    assert_true(clgrad_ref_dropped(0.5f, 0x7fffffff) && !clgrad_ref_dropped(0.5f, 0x80000000));
    assert_true(clgrad_ref_dropped(1 - 0x1p-24f, 0xfffffeff) &&
                !clgrad_ref_dropped(1 - 0x1p-24f, 0xffffff00));
    assert_true(clgrad_ref_dropped(0x1.8p-32f, 1) && !clgrad_ref_dropped(0x1.4p-32f, 1));
    assert_true(clgrad_ref_rrelu_slope(0.25f, 0.5f, 0xff) == 0.25);
    assert_true(clgrad_ref_rrelu_slope(0.25f, 0.5f, UINT32_MAX) == 0.5 - 0x1p-26);
}

static void device_matches_golden_values(clgrad_context *context)
{
    for (size_t k = 0; k < COUNT(golden_noises); k++) {
        const golden_noise *g = &golden_noises[k];
        float *ones = allocate(g->count, sizeof *ones);
        for (size_t i = 0; i < g->count; i++)
            ones[i] = 1;
        clgrad_tensor x = vector_with(context, g->count, ones), y = vector_with(context, g->count, NULL);
        assert_ok(context, clgrad_dropout_forward(context, g->p, g->seed, g->stream, x, y));
        float *got = tensor_floats(context, y);
        for (size_t i = 0; i < g->count; i++)
            if (g->dropped[i])
                assert_true(got[i] == 0);
            else
                assert_true(ulp_distance(got[i], 1 / (1 - (double)g->p)) <= 0.5);
        free(got);

        /* the slopes themselves come out at x = -1 */
        assert_ok(context, clgrad_tensor_fill(context, x, -1));
        assert_ok(context, clgrad_rrelu_forward(context, g->lower, g->upper, g->seed, g->stream, x, y));
        got = tensor_floats(context, y);
        const double tolerance = 0x1p-23 * fmax(fabsf(g->lower), fabsf(g->upper));
        for (size_t i = 0; i < g->count; i++) {
            assert_true(is_close(-got[i], g->slopes[i], tolerance));
            assert_true(-got[i] >= g->lower && (-got[i] < g->upper || g->lower == g->upper));
        }
        free(got);
        free(ones);
        tensor_free(context, x);
        tensor_free(context, y);
    }
}

/* A word that is p 2^32 itself is kept, the one below it dropped. */
static void device_thresholds_are_exact(clgrad_context *context)
{
    enum { N = 3000 };
    uint32_t *words = allocate(N, sizeof *words);
    clgrad_ref_words(11, 12, N, words);
    clgrad_tensor x = vector_with(context, N, NULL), y = vector_with(context, N, NULL);
    assert_ok(context, clgrad_tensor_fill(context, x, 1));
    for (int below = 0; below <= 1; below++) {
        size_t found = 0;
        for (size_t i = 0; i < N && found < 4; i++) {
            const double threshold = (double)words[i] + below;
            const float p = (float)(threshold * 0x1p-32);
            if (p * 0x1p32 != threshold)
                continue;
            found++;
            assert_ok(context, clgrad_dropout_forward(context, p, 11, 12, x, y));
            float *got = tensor_floats(context, y);
            assert_int_equal(got[i] == 0, below);
            free(got);
        }
        assert_int_equal(found, 4);
    }
    free(words);
    tensor_free(context, x);
    tensor_free(context, y);
}

/* ---- random numbers, of any shape and size ---- */

static void check_dropout(clgrad_context *context, float p, uint64_t seed, uint64_t stream, clgrad_tensor x,
                          const float *numbers)
{
    const size_t count = clgrad_tensor_count(x);
    clgrad_tensor y = tensor_with(context, CLGRAD_TYPE_FLOAT32, x.rank, x.shape, NULL);
    assert_ok(context, clgrad_dropout_forward(context, p, seed, stream, x, y));
    assert_holds(context, x, numbers);
    float *got = tensor_floats(context, y);
    uint32_t *words = allocate(count, sizeof *words);
    clgrad_ref_words(seed, stream, count, words);
    const double least = keeps_denormals(context) ? 0 : FLT_MIN;
    for (size_t i = 0; i < count; i++) {
        const double kept = numbers[i] / (1 - (double)p);
        if (clgrad_ref_dropped(p, words[i]))
            assert_true(got[i] == 0);
        else if (!(ulp_distance(got[i], kept) <= 1.5) && !(fabs(got[i] - kept) <= least))
            fail_msg("p = %g: y[%zu] is %.9g, not %.17g", (double)p, i, (double)got[i], kept);
    }
    /* backward, and in place: the same mask and scale, the same bits */
    clgrad_tensor dx = tensor_with(context, CLGRAD_TYPE_FLOAT32, x.rank, x.shape, NULL);
    assert_ok(context, clgrad_dropout_backward(context, p, seed, stream, x, dx));
    assert_holds(context, dx, got);
    assert_holds(context, x, numbers);
    assert_ok(context, clgrad_dropout_forward(context, p, seed, stream, x, x));
    assert_holds(context, x, got);
    assert_ok(context, clgrad_tensor_copy(context, y, dx));
    assert_ok(context, clgrad_tensor_write(context, dx, numbers, count * sizeof *numbers));
    assert_ok(context, clgrad_dropout_backward(context, p, seed, stream, dx, dx));
    assert_holds(context, dx, got);
    free(got);
    free(words);
    tensor_free(context, y);
    tensor_free(context, dx);
}

static void check_rrelu(clgrad_context *context, float lower, float upper, uint64_t seed, uint64_t stream,
                        clgrad_tensor x, const float *numbers)
{
    const size_t count = clgrad_tensor_count(x);
    float *dy32 = allocate(count, sizeof *dy32);
    fill_normal(dy32, count, count + 17, 2);
    clgrad_tensor y = tensor_with(context, CLGRAD_TYPE_FLOAT32, x.rank, x.shape, NULL);
    clgrad_tensor dx = tensor_with(context, CLGRAD_TYPE_FLOAT32, x.rank, x.shape, NULL);
    clgrad_tensor dy = tensor_with(context, CLGRAD_TYPE_FLOAT32, x.rank, x.shape, dy32);
    assert_ok(context, clgrad_rrelu_forward(context, lower, upper, seed, stream, x, y));
    assert_ok(context, clgrad_rrelu_backward(context, lower, upper, seed, stream, x, dy, dx));
    assert_holds(context, x, numbers);
    assert_holds(context, dy, dy32);
    float *got_y = tensor_floats(context, y), *got_dx = tensor_floats(context, dx);
    uint32_t *words = allocate(count, sizeof *words);
    clgrad_ref_words(seed, stream, count, words);
    const double slope_error = 0x1p-23 * fmax(fabsf(lower), fabsf(upper));
    const double least = keeps_denormals(context) ? 0x1p-149 : FLT_MIN;
    for (size_t i = 0; i < count; i++) {
        const double slope = clgrad_ref_rrelu_slope(lower, upper, words[i]);
        const bool linear = numbers[i] > 0;
        const double exact_y = linear ? numbers[i] : slope * numbers[i];
        const double exact_dx = linear ? dy32[i] : slope * dy32[i];
        const double error = linear ? 0 : slope_error + 0x1p-24 * fabs(slope);
        assert_true(is_close(got_y[i], exact_y, error * fabsf(numbers[i]) + least));
        assert_true(is_close(got_dx[i], exact_dx, error * fabsf(dy32[i]) + least));
    }
    assert_ok(context, clgrad_rrelu_backward(context, lower, upper, seed, stream, x, dy, dy));
    assert_holds(context, dy, got_dx);
    assert_ok(context, clgrad_tensor_write(context, dy, dy32, count * sizeof *dy32));
    assert_ok(context, clgrad_tensor_write(context, dx, numbers, count * sizeof *numbers));
    assert_ok(context, clgrad_rrelu_backward(context, lower, upper, seed, stream, dx, dy, dx));
    assert_holds(context, dx, got_dx);
    assert_ok(context, clgrad_tensor_write(context, dx, numbers, count * sizeof *numbers));
    assert_ok(context, clgrad_rrelu_forward(context, lower, upper, seed, stream, dx, dx));
    assert_holds(context, dx, got_y);
    free(dy32);
    free(got_y);
    free(got_dx);
    free(words);
    tensor_free(context, y);
    tensor_free(context, dx);
    tensor_free(context, dy);
}

static void device_matches_formulas(clgrad_context *context)
{
    static const struct {
        int rank;
        size_t shape[4];
    } shapes[] = {{0, {0}},    {1, {1}},          {1, {3}},    {1, {4}},          {1, {5}},      {2, {0, 3}},
                  {2, {3, 7}}, {4, {2, 3, 1, 5}}, {1, {1026}}, {3, {31, 33, 65}}, {1, {1000003}}};
    static const float ps[] = {0, 0x1p-32f, 0.1f, 0.5f, 0.9f, 1 - 0x1p-24f, 1};
    static const float slopes[][2] = {{0.125f, 1.0f / 3}, {-1, 1}, {0.3f, 0.3f}, {0, 0}, {-2, -1}};
    for (size_t k = 0; k < (test_small() ? 9 : COUNT(shapes)); k++) {
        clgrad_tensor like = {.rank = shapes[k].rank};
        memcpy(like.shape, shapes[k].shape, sizeof shapes[k].shape);
        const size_t count = clgrad_tensor_count(like);
        float *x = allocate(count, sizeof *x);
        fill_normal(x, count, k, 1);
        clgrad_tensor tx = tensor_with(context, CLGRAD_TYPE_FLOAT32, like.rank, like.shape, x);
        const size_t some = count > 10000 ? 3 : COUNT(ps);
        for (size_t i = 0; i < some; i++) {
            check_dropout(context, ps[(i + k) % COUNT(ps)], UINT64_C(0x123456789abcdef) * k, i << 33, tx, x);
            assert_ok(context, clgrad_tensor_write(context, tx, x, count * sizeof *x));
        }
        for (size_t i = 0; i < COUNT(slopes); i++)
            check_rrelu(context, slopes[i][0], slopes[i][1], k, UINT64_MAX - i, tx, x);
        tensor_free(context, tx);
        free(x);
    }
}

/* The share that is kept lies within 5 standard deviations of 1 - p; another seed or stream is another mask.
 */
static void masks_are_random(clgrad_context *context)
{
    const size_t count = test_small() ? 2000 : 400000;
    const uint64_t keys[][2] = {{1, 0}, {2, 0}, {1, 1}, {UINT64_C(1) << 32 | 1, 0}, {1, UINT64_C(1) << 32}};
    clgrad_tensor x = vector_with(context, count, NULL), y = vector_with(context, count, NULL);
    assert_ok(context, clgrad_tensor_fill(context, x, 1));
    const float ps[] = {0.5f, 0.1f, 0.8f};
    float *masks[COUNT(keys)];
    for (size_t j = 0; j < COUNT(ps); j++) {
        const double p = ps[j], sigma = sqrt(p * (1 - p) * (double)count);
        for (size_t k = 0; k < COUNT(keys); k++) {
            assert_ok(context, clgrad_dropout_forward(context, ps[j], keys[k][0], keys[k][1], x, y));
            masks[k] = tensor_floats(context, y);
            size_t kept = 0;
            for (size_t i = 0; i < count; i++)
                kept += masks[k][i] != 0;
            if (!is_close((double)kept, (1 - p) * (double)count, 5 * sigma))
                fail_msg("p = %g: %zu of %zu are kept", p, kept, count);
            for (size_t other = 0; other < k; other++) {
                /* two independent masks agree in p^2 + (1 - p)^2 of the places */
                size_t same = 0;
                for (size_t i = 0; i < count; i++)
                    same += (masks[k][i] != 0) == (masks[other][i] != 0);
                const double share = p * p + (1 - p) * (1 - p);
                assert_true(is_close((double)same, share * (double)count,
                                     5 * sqrt(share * (1 - share) * (double)count)));
            }
        }
        for (size_t k = 0; k < COUNT(keys); k++)
            free(masks[k]);
    }
    tensor_free(context, x);
    tensor_free(context, y);
}

/* ---- special values ---- */

static void dropped_values_are_zero_whatever_they_were(clgrad_context *context)
{
    enum { N = 64 };
    float x[N], nothing[N] = {0};
    for (size_t i = 0; i < N; i++)
        x[i] = i % 3 == 0 ? NAN : i % 3 == 1 ? INFINITY : -INFINITY;
    clgrad_tensor tx = vector_with(context, N, x), y = vector_with(context, N, NULL);
    assert_ok(context, clgrad_dropout_forward(context, 1, 3, 4, tx, y));
    assert_holds(context, y, nothing);
    assert_ok(context, clgrad_dropout_backward(context, 1, 3, 4, tx, y));
    assert_holds(context, y, nothing);
    assert_ok(context, clgrad_dropout_forward(context, 0, 3, 4, tx, y));
    assert_holds(context, y, x);
    uint32_t words[N];
    clgrad_ref_words(3, 4, N, words);
    for (size_t i = 0; i < N; i++)
        nothing[i] = clgrad_ref_dropped(0.5f, words[i]) ? 0 : x[i];
    assert_ok(context, clgrad_dropout_forward(context, 0.5f, 3, 4, tx, y));
    assert_holds(context, y, nothing);
    tensor_free(context, tx);
    tensor_free(context, y);
}

static void rrelu_at_special_values(clgrad_context *context)
{
    const float x[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, FLT_MAX, -FLT_MAX, NAN, -1};
    const float dy[COUNT(x)] = {1, 2, 3, 4, 5, 6, 7, INFINITY, NAN};
    const float slopes[] = {0.5f, 0};
    for (size_t k = 0; k < COUNT(slopes); k++) {
        const float a = slopes[k]; /* lower and upper: the slope is known */
        const float y[COUNT(x)] = {
            NAN, INFINITY, a == 0 ? 0.0f : -INFINITY, a * 0.0f, a * -0.0f, FLT_MAX, a * -FLT_MAX, NAN, -a};
        const float dx[COUNT(x)] = {NAN, 2, a * 3, a * 4, a * 5, 6, a * 7, NAN, NAN};
        clgrad_tensor tx = vector_with(context, COUNT(x), x), out = vector_with(context, COUNT(x), NULL);
        clgrad_tensor tdy = vector_with(context, COUNT(x), dy);
        assert_ok(context, clgrad_rrelu_forward(context, a, a, 9, 9, tx, out));
        float *got = tensor_floats(context, out);
        for (size_t i = 0; i < COUNT(x); i++)
            assert_true(is_close(got[i], y[i], 0));
        free(got);
        assert_ok(context, clgrad_rrelu_backward(context, a, a, 9, 9, tx, tdy, out));
        got = tensor_floats(context, out);
        for (size_t i = 0; i < COUNT(x); i++)
            assert_true(is_close(got[i], dx[i], 0));
        free(got);
        tensor_free(context, tx);
        tensor_free(context, tdy);
        tensor_free(context, out);
    }
}

/* ---- refusals ---- */

static clgrad_status run_dropout(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_dropout_forward(context, 0.5f, 1, 2, t[0], t[1]);
}

static clgrad_status run_dropout_backward(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_dropout_backward(context, 0.5f, 1, 2, t[0], t[1]);
}

static clgrad_status run_rrelu(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_rrelu_forward(context, 0.25f, 0.5f, 1, 2, t[0], t[1]);
}

static clgrad_status run_rrelu_backward(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_rrelu_backward(context, 0.25f, 0.5f, 1, 2, t[0], t[1], t[2]);
}

static void bad_calls_are_refused(clgrad_context *context)
{
    const refused_call calls[] = {
        {run_dropout, {"x", "y"}, "", "y ", "y=x "},
        {run_dropout_backward, {"dy", "dx"}, "", "dx ", "dx=dy "},
        {run_rrelu, {"x", "y"}, "", "y ", "y=x "},
        {run_rrelu_backward, {"x", "dy", "dx"}, "", "dx ", "dx=x dx=dy "},
    };
    clgrad_tensor t[3];
    for (size_t i = 0; i < 3; i++)
        t[i] = matrix_with(context, 3, 2, NULL);
    for (size_t k = 0; k < COUNT(calls); k++) {
        assert_bad_tensors_refused(context, &calls[k], t);
        for (size_t i = 1; i < 3 && calls[k].names[i] != NULL; i++)
            assert_change_refused(context, &calls[k], t, calls[k].names[i], reshaped(t[i], 1, (size_t[]){6}),
                                  CLGRAD_STATUS_INVALID_SHAPE, " has shape [6], but ");
    }

    const clgrad_status status = CLGRAD_STATUS_INVALID_ARGUMENT;
    const struct {
        float p;
        const char *part;
    } ps[] = {{-0.25f, "p is -0.25, it must lie between 0 and 1"},
              {1.5f, "p is 1.5,"},
              {NAN, "p is nan"},
              {INFINITY, "p is inf"}};
    for (size_t i = 0; i < COUNT(ps); i++) {
        assert_refused(context, clgrad_dropout_forward(context, ps[i].p, 0, 0, t[0], t[1]), status,
                       ps[i].part);
        assert_refused(context, clgrad_dropout_backward(context, ps[i].p, 0, 0, t[0], t[1]), status,
                       ps[i].part);
    }
    const struct {
        float lower, upper;
        const char *part;
    } slopes[] = {
        {0.5f, 0.25f, "lower is 0.5 and upper is 0.25, they must be finite and lower not above upper"},
        {NAN, 1, "lower is nan"},
        {0, NAN, "upper is nan"},
        {-INFINITY, 1, "lower is -inf"},
        {0, INFINITY, "upper is inf"}};
    for (size_t i = 0; i < COUNT(slopes); i++) {
        const float lower = slopes[i].lower, upper = slopes[i].upper;
        assert_refused(context, clgrad_rrelu_forward(context, lower, upper, 0, 0, t[0], t[1]), status,
                       slopes[i].part);
        assert_refused(context, clgrad_rrelu_backward(context, lower, upper, 0, 0, t[0], t[1], t[2]), status,
                       slopes[i].part);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_untouched(context, t[i]);
        tensor_free(context, t[i]);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(reference_matches_golden_values),
        CASE(thresholds_are_exact),
        CASE(device_matches_golden_values),
        CASE(device_thresholds_are_exact),
        CASE(device_matches_formulas),
        CASE(masks_are_random),
        CASE(dropped_values_are_zero_whatever_they_were),
        CASE(rrelu_at_special_values),
        CASE(bad_calls_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
