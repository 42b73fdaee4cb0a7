#include "harness.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const clgrad_type types[] = {CLGRAD_TYPE_FLOAT32, CLGRAD_TYPE_INT32};

/* Shapes of every rank, and some without elements. */
static const struct {
    int rank;
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
} shapes[] = {
    {0, {0}},
    {1, {1}},
    {1, {65}},
    {1, {1000}},
    {2, {7, 9}},
    {3, {2, 3, 5}},
    {4, {3, 1, 4, 2}},
    {5, {2, 2, 3, 1, 2}},
    {6, {1, 2, 1, 3, 1, 2}},
    {7, {2, 1, 2, 1, 2, 1, 2}},
    {8, {1, 2, 3, 1, 2, 1, 2, 2}},
    {1, {0}},
    {2, {0, 5}},
    {3, {4, 0, 2}},
    {8, {1, 1, 1, 1, 1, 1, 1, 0}},
};

/* Bit patterns that are no NaN as numbers, all different. */
static uint32_t *patterns(size_t count, uint32_t first)
{
    uint32_t *words = allocate(count, sizeof *words);
    for (size_t i = 0; i < count; i++)
        words[i] = 0x3f800000u + first + (uint32_t)i;
    return words;
}

/* ---- moving data ---- */

static void write_and_read(clgrad_context *context)
{
    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t s = 0; s < COUNT(shapes); s++) {
            clgrad_tensor tensor = tensor_with(context, types[t], shapes[s].rank, shapes[s].shape, NULL);
            const size_t count = clgrad_tensor_count(tensor);
            uint32_t *words = patterns(count, (uint32_t)s);
            assert_ok(context, clgrad_tensor_write(context, tensor, words, count * sizeof *words));
            assert_contents(context, tensor, words);
            free(words);
            tensor_free(context, tensor);
        }
}

static void fill_sets_every_element(clgrad_context *context)
{
    const double numbers[] = {0, -0.0, 1.5, -1e30, 0.1, FLT_MAX, FLT_MIN, INFINITY, -INFINITY, (double)NAN};
    const double integers[] = {0, 1, -1, INT32_MAX, INT32_MIN, 16777217};
    for (size_t s = 0; s < COUNT(shapes); s++) {
        clgrad_tensor tensor =
            tensor_with(context, CLGRAD_TYPE_FLOAT32, shapes[s].rank, shapes[s].shape, NULL);
        clgrad_tensor integer_tensor =
            tensor_with(context, CLGRAD_TYPE_INT32, shapes[s].rank, shapes[s].shape, NULL);
        const size_t count = clgrad_tensor_count(tensor);
        for (size_t k = 0; k < COUNT(numbers); k++) {
            assert_ok(context, clgrad_tensor_fill(context, tensor, numbers[k]));
            float *got = tensor_floats(context, tensor);
            const float wanted = (float)numbers[k];
            for (size_t i = 0; i < count; i++)
                assert_true(isnan(wanted) ? isnan(got[i]) : memcmp(&got[i], &wanted, sizeof wanted) == 0);
            free(got);
        }
        for (size_t k = 0; k < COUNT(integers); k++) {
            assert_ok(context, clgrad_tensor_fill(context, integer_tensor, integers[k]));
            int32_t *got = tensor_contents(context, integer_tensor);
            for (size_t i = 0; i < count; i++)
                assert_int_equal(got[i], (int32_t)integers[k]);
            free(got);
        }
        tensor_free(context, tensor);
        tensor_free(context, integer_tensor);
    }
}

static void copy_keeps_every_bit(clgrad_context *context)
{
    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t s = 0; s < COUNT(shapes); s++) {
            const int rank = shapes[s].rank;
            clgrad_tensor destination = tensor_with(context, types[t], rank, shapes[s].shape, NULL);
            uint32_t *words = patterns(clgrad_tensor_count(destination), 17);
            clgrad_tensor source = tensor_with(context, types[t], rank, shapes[s].shape, words);
            assert_ok(context, clgrad_tensor_copy(context, source, destination));
            assert_contents(context, destination, words);
            assert_ok(context, clgrad_tensor_copy(context, source, source));
            assert_contents(context, source, words);
            free(words);
            tensor_free(context, source);
            tensor_free(context, destination);
        }
}

/* Many writes, fills and copies at many offsets of one buffer, and the same in host memory. */
/* Numbers of few digits, so that nothing is rounded; where beta is 0, y is what nobody has written. */
static void axpby_adds_up(clgrad_context *context)
{
    const size_t sizes[] = {0, 1, 15, 17, 300};
    const float alphas[] = {1, -0.5f}, betas[] = {0, 1, 2};
    for (size_t s = 0; s < COUNT(sizes); s++)
        for (size_t k = 0; k < COUNT(alphas) * COUNT(betas); k++) {
            const size_t n = sizes[s];
            const float alpha = alphas[k % COUNT(alphas)], beta = betas[k / COUNT(alphas)];
            float *x = allocate(n, sizeof *x), *y = allocate(n, sizeof *y);
            for (size_t i = 0; i < n; i++) {
                x[i] = (float)i + 1;
                y[i] = 1000 - 3 * (float)i;
            }
            clgrad_tensor tx = vector_with(context, n, x), ty = vector_with(context, n, beta == 0 ? NULL : y);
            assert_ok(context, clgrad_tensor_axpby(context, alpha, tx, beta, ty));
            for (size_t i = 0; i < n; i++)
                y[i] = alpha * x[i] + beta * y[i];
            assert_contents(context, ty, y);
            assert_contents(context, tx, x);
            tensor_free(context, tx);
            tensor_free(context, ty);
            free(x);
            free(y);
        }
}

static void offsets_reach_what_they_should(clgrad_context *context)
{
    enum { SIZE = 97 };
    uint32_t mirror[SIZE], draw = 1;
    for (size_t i = 0; i < SIZE; i++)
        mirror[i] = (uint32_t)i;
    clgrad_tensor whole = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){SIZE}, mirror);
    for (int round = 0; round < 300; round++) {
        draw =
            draw * 1664525u + 1013904223u; /* Numerical Recipes' generator; its high bits are good enough */
        const size_t length = (draw >> 8) % 20, from = (draw >> 13) % (SIZE - length),
                     to = (draw >> 21) % (SIZE - length);
        clgrad_tensor source = whole, destination = whole;
        source.shape[0] = destination.shape[0] = length;
        source.offset += from;
        destination.offset += to;
        const bool apart = from + length <= to || to + length <= from;
        if (round % 3 == 0) {
            uint32_t *words = patterns(length, draw);
            assert_ok(context, clgrad_tensor_write(context, destination, words, length * sizeof *words));
            memcpy(mirror + to, words, length * sizeof *words);
            free(words);
        } else if (round % 3 == 1) {
            assert_ok(context, clgrad_tensor_fill(context, destination, round));
            for (size_t i = 0; i < length; i++)
                mirror[to + i] = (uint32_t)round;
        } else if (apart) {
            assert_ok(context, clgrad_tensor_copy(context, source, destination));
            memcpy(mirror + to, mirror + from, length * sizeof mirror[0]);
        }
        assert_contents(context, source, mirror + from);
    }
    assert_contents(context, whole, mirror);
    tensor_free(context, whole);
}

/* A copy into a buffer is what a later read sees, though nothing waits in between. */
static void buffers_outlive_enqueued_work(clgrad_context *context)
{
    const size_t count = test_small() ? 1000 : 1000000;
    float *numbers = allocate(count, sizeof *numbers);
    fill_normal(numbers, count, 1, 1);
    clgrad_tensor result = vector_with(context, count, NULL), source;
    assert_ok(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, &count, &source));
    assert_ok(context, clgrad_tensor_write(context, source, numbers, count * sizeof *numbers));
    assert_ok(context, clgrad_tensor_copy(context, source, result));
    clgrad_buffer_destroy(source.buffer);
    clgrad_tensor other;
    assert_ok(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, &count, &other));
    assert_ok(context, clgrad_tensor_fill(context, other, -1));
    assert_contents(context, result, numbers);
    clgrad_buffer_destroy(other.buffer);
    tensor_free(context, result);
    free(numbers);
}

/* ---- making tensors ---- */

static void create_describes_its_buffer(clgrad_context *context)
{
    for (size_t t = 0; t < COUNT(types); t++)
        for (size_t s = 0; s < COUNT(shapes); s++) {
            const size_t *shape = shapes[s].rank > 0 ? shapes[s].shape : NULL;
            clgrad_tensor tensor;
            assert_ok(context, clgrad_tensor_create(context, types[t], shapes[s].rank, shape, &tensor));
            assert_non_null(tensor.buffer);
            assert_int_equal(tensor.type, types[t]);
            assert_int_equal(tensor.rank, shapes[s].rank);
            assert_int_equal(tensor.offset, 0);
            size_t count = 1;
            for (int i = 0; i < tensor.rank; i++) {
                assert_int_equal(tensor.shape[i], shapes[s].shape[i]);
                count *= tensor.shape[i];
            }
            assert_int_equal(clgrad_tensor_count(tensor), count);
            assert_int_equal(clgrad_buffer_bytes(tensor.buffer), 4 * count);
            clgrad_buffer_destroy(tensor.buffer);
        }
    assert_int_equal(clgrad_buffer_bytes(NULL), 0);
}

static void values_are_made_as_said(clgrad_context *context)
{
    clgrad_buffer *buffer;
    assert_ok(context, clgrad_buffer_create(context, 400, &buffer));
    assert_int_equal(clgrad_buffer_bytes(buffer), 400);
    assert_null(clgrad_tensor_none().buffer);

    const clgrad_tensor scalar = clgrad_tensor_scalar(buffer, 3);
    assert_ptr_equal(scalar.buffer, buffer);
    assert_int_equal(scalar.offset, 3);
    assert_int_equal(scalar.type, CLGRAD_TYPE_FLOAT32);
    assert_int_equal(scalar.rank, 0);
    assert_int_equal(clgrad_tensor_count(scalar), 1);

    const clgrad_tensor vector = clgrad_tensor_vector(buffer, 4, CLGRAD_TYPE_INT32, 9);
    assert_ptr_equal(vector.buffer, buffer);
    assert_int_equal(vector.offset, 4);
    assert_int_equal(vector.type, CLGRAD_TYPE_INT32);
    assert_int_equal(vector.rank, 1);
    assert_int_equal(vector.shape[0], 9);

    const clgrad_tensor matrix = clgrad_tensor_matrix(buffer, 5, 6, 7);
    assert_ptr_equal(matrix.buffer, buffer);
    assert_int_equal(matrix.offset, 5);
    assert_int_equal(matrix.type, CLGRAD_TYPE_FLOAT32);
    assert_int_equal(matrix.rank, 2);
    assert_int_equal(matrix.shape[0], 6);
    assert_int_equal(matrix.shape[1], 7);
    assert_int_equal(clgrad_tensor_count(matrix), 42);
    clgrad_buffer_destroy(buffer);
}

static void rows_are_cut_out(clgrad_context *context)
{
    float numbers[24];
    fill_normal(numbers, 24, 2, 1);
    clgrad_tensor tensor = tensor_with(context, CLGRAD_TYPE_FLOAT32, 3, (size_t[]){4, 3, 2}, numbers);
    for (size_t first = 0; first <= 4; first++)
        for (size_t count = 0; first + count <= 4; count++) {
            const clgrad_tensor rows = clgrad_tensor_rows(tensor, first, count);
            assert_int_equal(rows.rank, 3);
            assert_int_equal(rows.shape[0], count);
            assert_int_equal(rows.shape[1], 3);
            assert_int_equal(rows.shape[2], 2);
            assert_contents(context, rows, numbers + 6 * first);
        }
    /* rows of rows */
    assert_contents(context, clgrad_tensor_rows(clgrad_tensor_rows(tensor, 1, 3), 1, 2), numbers + 12);

    const clgrad_tensor scalar = clgrad_tensor_scalar(tensor.buffer, 0);
    assert_null(clgrad_tensor_rows(tensor, 0, 5).buffer);
    assert_null(clgrad_tensor_rows(tensor, 5, 0).buffer);
    assert_null(clgrad_tensor_rows(tensor, 4, 1).buffer);
    assert_null(clgrad_tensor_rows(tensor, 2, SIZE_MAX).buffer);
    assert_null(clgrad_tensor_rows(tensor, SIZE_MAX, 2).buffer);
    assert_null(clgrad_tensor_rows(scalar, 0, 1).buffer);
    assert_null(clgrad_tensor_rows(clgrad_tensor_none(), 0, 1).buffer);
    tensor_free(context, tensor);
}

static void count_does_not_overflow(clgrad_context *context)
{
    (void)context;
    const size_t half = SIZE_MAX / 2 + 1;
    const struct {
        int rank;
        size_t shape[CLGRAD_TENSOR_MAX_RANK], count;
    } rows[] = {
        {2, {half, 2}, SIZE_MAX},
        {2, {2, half}, SIZE_MAX},
        {2, {SIZE_MAX, SIZE_MAX}, SIZE_MAX},
        {2, {half, 1}, half},
        {3, {half, half, 0}, 0},
        {3, {0, half, half}, 0},
        {8, {256, 256, 256, 256, 256, 256, 256, 256}, SIZE_MAX},
        {8, {256, 256, 256, 256, 256, 256, 256, 255}, SIZE_MAX - SIZE_MAX / 256},
        {0, {half}, 1},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        clgrad_tensor tensor = {.rank = rows[i].rank};
        memcpy(tensor.shape, rows[i].shape, sizeof tensor.shape);
        assert_int_equal(clgrad_tensor_count(tensor), rows[i].count);
    }
}

static void types_have_names(clgrad_context *context)
{
    (void)context;
    assert_string_equal(clgrad_type_name(CLGRAD_TYPE_FLOAT32), "float32");
    assert_string_equal(clgrad_type_name(CLGRAD_TYPE_INT32), "int32");
    assert_string_equal(clgrad_type_name((clgrad_type)2), "unknown");
    assert_string_equal(clgrad_type_name((clgrad_type)-1), "unknown");
    assert_int_equal(clgrad_type_size(CLGRAD_TYPE_FLOAT32), 4);
    assert_int_equal(clgrad_type_size(CLGRAD_TYPE_INT32), 4);
    assert_int_equal(clgrad_type_size((clgrad_type)2), 0);
    assert_int_equal(clgrad_type_size((clgrad_type)-1), 0);
}

int main(void)
{
    const test_case cases[] = {
        CASE(write_and_read),
        CASE(fill_sets_every_element),
        CASE(copy_keeps_every_bit),
        CASE(axpby_adds_up),
        CASE(offsets_reach_what_they_should),
        CASE(buffers_outlive_enqueued_work),
        CASE(create_describes_its_buffer),
        CASE(values_are_made_as_said),
        CASE(rows_are_cut_out),
        CASE(count_does_not_overflow),
        CASE(types_have_names),
    };
    return run_on_every_device(cases, COUNT(cases));
}
