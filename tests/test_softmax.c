/*
 * Softmax, softmin and log-softmax: the reference's formulas against golden values and finite differences,
 * and every device against both.
 */
#include "golden/softmax.h"
#include "reference/reference.h"
#include "refused_calls.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double u = 0x1p-24;

static double bound_of(clgrad_softmax_kind kind)
{
    return clgrad_softmax_describe(kind)->bound * u;
}

/* How far a row's y may be off: relatively, log_softmax relative to the larger of |y| and the largest x - x.
 */
static void y_scale(clgrad_softmax_kind kind, size_t columns, const double *x, const double *y, double *scale)
{
    double top = -INFINITY;
    for (size_t i = 0; i < columns; i++)
        top = fmax(top, x[i]);
    for (size_t i = 0; i < columns; i++)
        scale[i] = kind == CLGRAD_SOFTMAX_LOG_SOFTMAX ? fmax(fabs(y[i]), top - x[i]) : fabs(y[i]);
}

/* The sum of the absolute values of dx's terms. */
static void dx_scale(clgrad_softmax_kind kind, size_t columns, const double *y, const double *dy,
                     double *scale)
{
    const bool logarithm = kind == CLGRAD_SOFTMAX_LOG_SOFTMAX;
    double sum = 0;
    for (size_t i = 0; i < columns; i++)
        sum += fabs(logarithm ? dy[i] : dy[i] * y[i]);
    for (size_t i = 0; i < columns; i++)
        scale[i] = logarithm ? fabs(dy[i]) + exp(y[i]) * sum : fabs(y[i]) * (fabs(dy[i]) + sum);
}

/* ---- the list, and the reference called directly ---- */

static void every_row_has_golden_values(clgrad_context *context)
{
    (void)context;
    for (int k = 0; k < CLGRAD_SOFTMAX_COUNT; k++) {
        const clgrad_softmax_kind kind = (clgrad_softmax_kind)k;
        const clgrad_softmax_info *info = clgrad_softmax_describe(kind);
        clgrad_softmax_kind parsed = (clgrad_softmax_kind)99;
        assert_true(clgrad_softmax_parse(info->name, &parsed));
        assert_int_equal(parsed, kind);
        assert_true(info->bound > 0 && strlen(info->formula) > 0 && strlen(info->gradient) > 0 &&
                    strlen(info->source) > 0);
        size_t found = 0;
        for (size_t i = 0; i < COUNT(golden_softmaxes); i++)
            found += golden_softmaxes[i].kind == kind && golden_softmaxes[i].dx != NULL;
        assert_true(found > 3);
    }
    clgrad_softmax_kind kind = (clgrad_softmax_kind)99;
    assert_false(clgrad_softmax_parse("Softmax", &kind));
    assert_false(clgrad_softmax_parse("", &kind));
    assert_false(clgrad_softmax_parse(NULL, &kind));
    assert_int_equal(kind, 99);
    assert_null(clgrad_softmax_describe((clgrad_softmax_kind)CLGRAD_SOFTMAX_COUNT));
    assert_null(clgrad_softmax_describe((clgrad_softmax_kind)-1));
}

static void reference_matches_golden_values(clgrad_context *context)
{
    (void)context;
    for (size_t k = 0; k < COUNT(golden_softmaxes); k++) {
        const golden_softmax *g = &golden_softmaxes[k];
        const size_t count = g->rows * g->columns, row = g->columns;
        double *x = widen(g->x, count), *dy = widen(g->dy, count);
        double *y = allocate(count, sizeof *y), *dx = allocate(count, sizeof *dx);
        double *scale = allocate(row, sizeof *scale);
        for (size_t r = 0; r < count; r += row) {
            clgrad_ref_softmax(g->kind, row, x + r, y + r);
            clgrad_ref_softmax_backward(g->kind, row, y + r, dy + r, dx + r);
            y_scale(g->kind, row, x + r, g->y + r, scale);
            for (size_t i = 0; i < row; i++)
                if (!is_close(y[r + i], g->y[r + i], 1e-14 * scale[i]))
                    fail_msg("%s: y[%zu] is %.17g, not %.17g", g->label, r + i, y[r + i], g->y[r + i]);
            dx_scale(g->kind, row, g->y + r, dy + r, scale);
            for (size_t i = 0; i < row && g->dx != NULL; i++)
                if (!is_close(dx[r + i], g->dx[r + i], 1e-13 * scale[i]))
                    fail_msg("%s: dx[%zu] is %.17g, not %.17g", g->label, r + i, dx[r + i], g->dx[r + i]);
        }
        free(x);
        free(dy);
        free(y);
        free(dx);
        free(scale);
    }
}

static void reference_gradient_matches_differences(clgrad_context *context)
{
    (void)context;
    enum { N = 7 };
    const double h = 1e-5;
    float x32[N], dy32[N];
    fill_normal(x32, N, 1, 2);
    fill_normal(dy32, N, 2, 1);
    for (int k = 0; k < CLGRAD_SOFTMAX_COUNT; k++) {
        double x[N], y[N], dx[N], dy[N];
        for (size_t i = 0; i < N; i++) {
            x[i] = x32[i];
            dy[i] = dy32[i];
        }
        clgrad_ref_softmax((clgrad_softmax_kind)k, N, x, y);
        clgrad_ref_softmax_backward((clgrad_softmax_kind)k, N, y, dy, dx);
        for (size_t i = 0; i < N; i++) {
            double difference = 0;
            for (int side = -1; side <= 1; side += 2) {
                x[i] = x32[i] + side * h;
                clgrad_ref_softmax((clgrad_softmax_kind)k, N, x, y);
                for (size_t j = 0; j < N; j++)
                    difference += side * dy[j] * y[j] / (2 * h);
            }
            x[i] = x32[i];
            assert_true(is_close(dx[i], difference, 1e-9));
        }
    }
}

/* ---- devices ---- */

/* What a denormal may be off by. */
static double tiny(clgrad_context *context)
{
    return keeps_denormals(context) ? 0x1p-148 : FLT_MIN;
}

/* One call forward: within the bound of y, in place with the same bits, and x is left alone. Returns y. */
static float *check_forward(clgrad_context *context, clgrad_softmax_kind kind, size_t rows, size_t columns,
                            const float *x, const double *wanted)
{
    const size_t count = rows * columns;
    double *x64 = widen(x, count), *tolerance = allocate(count, sizeof *tolerance);
    double *exact = allocate(count, sizeof *exact);
    for (size_t i = 0; i < count; i++) /* a difference may be too large for a float32 */
        exact[i] = wanted[i] < -(double)FLT_MAX ? -INFINITY : wanted[i];
    const double least = tiny(context);
    for (size_t r = 0; r < count; r += columns)
        y_scale(kind, columns, x64 + r, exact + r, tolerance + r);
    for (size_t i = 0; i < count; i++)
        tolerance[i] = bound_of(kind) * tolerance[i] + least;

    clgrad_tensor tx = matrix_with(context, rows, columns, x), ty = matrix_with(context, rows, columns, NULL);
    assert_ok(context, clgrad_softmax_forward(context, kind, tx, ty));
    assert_holds(context, tx, x);
    float *y = tensor_floats(context, ty);
    assert_all_close(clgrad_softmax_describe(kind)->name, y, exact, tolerance, count);
    assert_ok(context, clgrad_softmax_forward(context, kind, tx, tx));
    assert_holds(context, tx, y);
    tensor_free(context, tx);
    tensor_free(context, ty);
    free(x64);
    free(exact);
    free(tolerance);
    return y;
}

/* One call backward: within the bound of dx, in either input's place with the same bits. */
static void check_backward(clgrad_context *context, clgrad_softmax_kind kind, size_t rows, size_t columns,
                           const float *y, const float *dy)
{
    const size_t count = rows * columns;
    double *y64 = widen(y, count), *dy64 = widen(dy, count);
    double *exact = allocate(count, sizeof *exact), *tolerance = allocate(count, sizeof *tolerance);
    const double least = tiny(context);
    for (size_t r = 0; r < count; r += columns) {
        clgrad_ref_softmax_backward(kind, columns, y64 + r, dy64 + r, exact + r);
        dx_scale(kind, columns, y64 + r, dy64 + r, tolerance + r);
        double sum = 0;
        for (size_t i = 0; i < columns; i++)
            sum += fabs(dy64[r + i]);
        for (size_t i = r; i < r + columns; i++)
            tolerance[i] = bound_of(kind) * tolerance[i] + least * (1 + sum);
    }
    clgrad_tensor ty = matrix_with(context, rows, columns, y), tdy = matrix_with(context, rows, columns, dy);
    clgrad_tensor tdx = matrix_with(context, rows, columns, NULL);
    assert_ok(context, clgrad_softmax_backward(context, kind, ty, tdy, tdx));
    assert_holds(context, ty, y);
    assert_holds(context, tdy, dy);
    float *dx = tensor_floats(context, tdx);
    assert_all_close("dx", dx, exact, tolerance, count);
    assert_ok(context, clgrad_softmax_backward(context, kind, ty, tdy, tdy));
    assert_holds(context, tdy, dx);
    assert_ok(context, clgrad_tensor_write(context, tdy, dy, count * sizeof *dy));
    assert_ok(context, clgrad_softmax_backward(context, kind, ty, tdy, ty));
    assert_holds(context, ty, dx);
    tensor_free(context, ty);
    tensor_free(context, tdy);
    tensor_free(context, tdx);
    free(dx);
    free(y64);
    free(dy64);
    free(exact);
    free(tolerance);
}

static void device_matches_golden_values(clgrad_context *context)
{
    for (size_t k = 0; k < COUNT(golden_softmaxes); k++) {
        const golden_softmax *g = &golden_softmaxes[k];
        float *y = check_forward(context, g->kind, g->rows, g->columns, g->x, g->y);
        check_backward(context, g->kind, g->rows, g->columns, y, g->dy);
        free(y);
    }
}

static void check_size(clgrad_context *context, clgrad_softmax_kind kind, size_t rows, size_t columns,
                       double spread, float offset)
{
    const size_t count = rows * columns;
    float *x = allocate(count, sizeof *x), *dy = allocate(count, sizeof *dy);
    fill_normal(x, count, rows + columns, spread);
    fill_normal(dy, count, rows + 2 * columns, 1);
    for (size_t i = 0; i < count; i++)
        x[i] += offset;
    double *x64 = widen(x, count), *exact = allocate(count, sizeof *exact);
    for (size_t r = 0; r < count; r += columns)
        clgrad_ref_softmax(kind, columns, x64 + r, exact + r);
    float *y = check_forward(context, kind, rows, columns, x, exact);
    check_backward(context, kind, rows, columns, y, dy);
    free(x);
    free(dy);
    free(x64);
    free(exact);
    free(y);
}

static void device_matches_reference(clgrad_context *context)
{
    static const struct {
        size_t rows, columns;
        double spread;
        float offset;
    } sizes[] = {
        {1, 1, 1, 0},     {0, 5, 1, 0},     {5, 1, 3, 0},       {3, 7, 3, 0},     {9, 2, 30, 0},
        {17, 33, 1, 1e4}, {4, 255, 10, 0},  {3, 256, 5, -1e4f}, {2, 257, 5, 0},   {5, 64, 1e37, 0},
        {7, 1000, 3, 0},  {1000, 10, 2, 0}, {4097, 3, 1, 0},    {1, 20000, 4, 0}, {2, 5000, 0.01, 1e4},
    };
    for (int k = 0; k < CLGRAD_SOFTMAX_COUNT; k++)
        for (size_t i = 0; i < (test_small() ? 9 : COUNT(sizes)); i++)
            check_size(context, (clgrad_softmax_kind)k, sizes[i].rows, sizes[i].columns, sizes[i].spread,
                       sizes[i].offset);
}

/* The last dimension of any rank is a row's: a vector is one row, [2, 3, 4] is six. */
static void ranks_are_rows(clgrad_context *context)
{
    float numbers[24], flat[24];
    fill_normal(numbers, 24, 3, 1);
    const struct {
        int rank;
        size_t shape[CLGRAD_TENSOR_MAX_RANK], rows, columns;
    } cases[] = {{1, {24}, 1, 24}, {3, {2, 3, 4}, 6, 4}, {4, {1, 4, 3, 2}, 12, 2}, {4, {2, 3, 4, 1}, 24, 1}};
    for (size_t c = 0; c < COUNT(cases); c++)
        for (int k = 0; k < CLGRAD_SOFTMAX_COUNT; k++) {
            const clgrad_softmax_kind kind = (clgrad_softmax_kind)k;
            clgrad_tensor x =
                tensor_with(context, CLGRAD_TYPE_FLOAT32, cases[c].rank, cases[c].shape, numbers);
            clgrad_tensor rows = matrix_with(context, cases[c].rows, cases[c].columns, numbers);
            assert_ok(context, clgrad_softmax_forward(context, kind, x, x));
            assert_ok(context, clgrad_softmax_forward(context, kind, rows, rows));
            assert_ok(context, clgrad_tensor_read(context, rows, flat, sizeof flat));
            assert_holds(context, x, flat);
            assert_ok(context, clgrad_softmax_backward(context, kind, x, x, x));
            assert_ok(context, clgrad_softmax_backward(context, kind, rows, rows, rows));
            assert_ok(context, clgrad_tensor_read(context, rows, flat, sizeof flat));
            assert_holds(context, x, flat);
            tensor_free(context, x);
            tensor_free(context, rows);
        }
}

/* NaN anywhere in a row, at any place of a long one too, makes the row NaN and no other. */
static void nan_stays_in_its_row(clgrad_context *context)
{
    enum { ROWS = 4, COLUMNS = 300 };
    const size_t places[] = {0, 1, 63, 64, 255, 256, 299};
    for (int k = 0; k < CLGRAD_SOFTMAX_COUNT; k++)
        for (size_t p = 0; p < (test_small() ? 2 : COUNT(places)); p++) {
            const clgrad_softmax_kind kind = (clgrad_softmax_kind)k;
            float x[ROWS * COLUMNS];
            fill_normal(x, COUNT(x), p, 1);
            x[COLUMNS + places[p]] = NAN;
            x[3 * COLUMNS + places[p]] = kind == CLGRAD_SOFTMAX_SOFTMIN ? -INFINITY : INFINITY;
            clgrad_tensor tx = matrix_with(context, ROWS, COLUMNS, x);
            assert_ok(context, clgrad_softmax_forward(context, kind, tx, tx));
            clgrad_tensor dy = matrix_with(context, ROWS, COLUMNS, x);
            assert_ok(context, clgrad_tensor_fill(context, dy, 0.5));
            assert_ok(context, clgrad_softmax_backward(context, kind, tx, dy, dy));
            float *y = tensor_floats(context, tx), *dx = tensor_floats(context, dy);
            for (size_t i = 0; i < COUNT(x); i++) {
                assert_int_equal(!!isnan(y[i]), i / COLUMNS % 2 == 1);
                assert_int_equal(!!isnan(dx[i]), i / COLUMNS % 2 == 1);
            }
            free(y);
            free(dx);
            tensor_free(context, tx);
            tensor_free(context, dy);
        }
}

/* ---- refusals ---- */

static clgrad_status run_forward(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_softmax_forward(context, CLGRAD_SOFTMAX_SOFTMIN, t[0], t[1]);
}

static clgrad_status run_backward(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_softmax_backward(context, CLGRAD_SOFTMAX_LOG_SOFTMAX, t[0], t[1], t[2]);
}

static void bad_calls_are_refused(clgrad_context *context)
{
    const refused_call forward = {run_forward, {"x", "y"}, "", "y ", "y=x "};
    const refused_call backward = {run_backward, {"y", "dy", "dx"}, "", "dx ", "dx=y dx=dy "};
    clgrad_tensor t[3];
    for (size_t i = 0; i < 3; i++)
        t[i] = matrix_with(context, 2, 3, NULL);
    assert_bad_tensors_refused(context, &forward, t);
    assert_bad_tensors_refused(context, &backward, t);

    const clgrad_status shape = CLGRAD_STATUS_INVALID_SHAPE;
    const clgrad_tensor turned = reshaped(t[0], 2, (size_t[]){3, 2});
    assert_change_refused(context, &forward, t, "x", reshaped(t[0], 0, NULL), shape,
                          "softmax_forward: x is a scalar, it must have a dimension");
    assert_change_refused(context, &forward, t, "x", reshaped(t[0], 2, (size_t[]){2, 0}), shape,
                          "x has 0 classes in its last dimension");
    assert_change_refused(context, &forward, t, "y", turned, shape,
                          "y has shape [3, 2], but x has shape [2, 3]");
    assert_change_refused(context, &backward, t, "y", reshaped(t[0], 0, NULL), shape,
                          "softmax_backward: y is a scalar");
    assert_change_refused(context, &backward, t, "dy", turned, shape,
                          "dy has shape [3, 2], but y has shape [2, 3]");
    assert_change_refused(context, &backward, t, "dx", turned, shape,
                          "dx has shape [3, 2], but y has shape [2, 3]");
    for (int kind = -1; kind <= CLGRAD_SOFTMAX_COUNT; kind += CLGRAD_SOFTMAX_COUNT + 1) {
        char part[64];
        snprintf(part, sizeof part, "there is no softmax %d", kind);
        assert_refused(context, clgrad_softmax_forward(context, (clgrad_softmax_kind)kind, t[0], t[1]),
                       CLGRAD_STATUS_INVALID_ARGUMENT, part);
        assert_refused(context, clgrad_softmax_backward(context, (clgrad_softmax_kind)kind, t[0], t[1], t[2]),
                       CLGRAD_STATUS_INVALID_ARGUMENT, part);
    }
    for (size_t i = 0; i < 3; i++) {
        assert_untouched(context, t[i]);
        tensor_free(context, t[i]);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_row_has_golden_values),
        CASE(reference_matches_golden_values),
        CASE(reference_gradient_matches_differences),
        CASE(device_matches_golden_values),
        CASE(device_matches_reference),
        CASE(ranks_are_rows),
        CASE(nan_stays_in_its_row),
        CASE(bad_calls_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
