#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Rows of 32-bit words and what gathering some of them should give. */
typedef struct gathering {
    uint32_t *source, *wanted;
    int32_t *indices;
} gathering;

static gathering make_gathering(size_t rows, size_t columns, size_t count)
{
    gathering g = {allocate(rows * columns, sizeof(uint32_t)), allocate(count * columns, sizeof(uint32_t)),
                   allocate(count, sizeof(int32_t))};
    for (size_t i = 0; i < rows * columns; i++)
        g.source[i] = 0x3f000000u + (uint32_t)i; /* a number as float32 too */
    for (size_t i = 0; i < count; i++) {
        const size_t row = (i * 2654435761u + 7) % rows;
        g.indices[i] = (int32_t)row;
        memcpy(g.wanted + i * columns, g.source + row * columns, columns * sizeof(uint32_t));
    }
    return g;
}

static void gathering_free(gathering g)
{
    free(g.source);
    free(g.wanted);
    free(g.indices);
}

/* Gather count rows of a shape, its first dimension the rows. */
static void check_gather(clgrad_context *context, clgrad_type type, int rank, const size_t *shape,
                         size_t count)
{
    size_t columns = 1, gathered[CLGRAD_TENSOR_MAX_RANK];
    memcpy(gathered, shape, (size_t)rank * sizeof *shape);
    gathered[0] = count;
    for (int i = 1; i < rank; i++)
        columns *= shape[i];
    gathering g = make_gathering(shape[0], columns, count);
    clgrad_tensor source = tensor_with(context, type, rank, shape, g.source);
    clgrad_tensor indices = tensor_with(context, CLGRAD_TYPE_INT32, 1, &count, g.indices);
    clgrad_tensor destination = tensor_with(context, type, rank, gathered, NULL);
    assert_ok(context, clgrad_tensor_gather(context, source, indices, destination));
    assert_contents(context, destination, g.wanted);
    assert_contents(context, source, g.source);
    assert_contents(context, indices, g.indices);
    tensor_free(context, source);
    tensor_free(context, indices);
    tensor_free(context, destination);
    gathering_free(g);
}

static void gathers_rows_of_every_rank(clgrad_context *context)
{
    const struct {
        int rank;
        size_t shape[CLGRAD_TENSOR_MAX_RANK], count;
    } rows[] = {
        {1, {1}, 1},      {1, {10}, 65},    {2, {5, 3}, 9},    {2, {1, 64}, 3},
        {2, {64, 1}, 63}, {2, {9, 257}, 4}, {3, {6, 2, 4}, 5}, {8, {3, 1, 2, 1, 2, 1, 1, 2}, 7},
        {2, {4, 0}, 3},   {2, {4, 5}, 0},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        check_gather(context, CLGRAD_TYPE_FLOAT32, rows[i].rank, rows[i].shape, rows[i].count);
        check_gather(context, CLGRAD_TYPE_INT32, rows[i].rank, rows[i].shape, rows[i].count);
    }
}

/* More rows than a grid has room for in its second dimension (33,000 of 257 columns), and ragged sizes. */
static void gathers_many_rows(clgrad_context *context)
{
    if (test_small()) {
        check_gather(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){10, 3}, 1003);
        return;
    }
    check_gather(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){1000, 3}, 100003);
    check_gather(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){70000, 1}, 70000);
    check_gather(context, CLGRAD_TYPE_INT32, 2, (size_t[]){100, 257}, 33000);
}

/* Rows of any alignment in one buffer with the indices between source and destination. */
static void gathers_within_one_buffer(clgrad_context *context)
{
    for (size_t lead = 0; lead < 5; lead++) {
        const int32_t words[] = {10, 11, 20, 21, 30, 31, 2, 0, -7, -7, -7, -7};
        clgrad_tensor all = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){12 + lead}, NULL);
        const clgrad_tensor used = clgrad_tensor_rows(all, lead, 12);
        assert_ok(context, clgrad_tensor_write(context, used, words, sizeof words));
        clgrad_tensor source = used, indices = used, destination = used;
        source.rank = destination.rank = 2;
        source.shape[0] = 3;
        source.shape[1] = destination.shape[1] = 2;
        indices.offset += 6;
        indices.shape[0] = destination.shape[0] = 2;
        destination.offset += 8;
        assert_ok(context, clgrad_tensor_gather(context, source, indices, destination));
        assert_contents(context, used, ((const int32_t[]){10, 11, 20, 21, 30, 31, 2, 0, 30, 31, 10, 11}));
        tensor_free(context, all);
    }
}

/* ---- indices that point nowhere ---- */

typedef struct faulty {
    clgrad_tensor source, indices, destination;
} faulty;

/* Gather rows 1, index, 0 of three rows of columns numbers, all but the middle one right. */
static faulty gather_with(clgrad_context *context, clgrad_type type, size_t columns, int32_t index)
{
    gathering g = make_gathering(3, columns, 3);
    const int32_t indices[] = {1, index, 0};
    const size_t shape[] = {3, columns}, count = 3;
    faulty f = {tensor_with(context, type, 2, shape, g.source),
                tensor_with(context, CLGRAD_TYPE_INT32, 1, &count, indices),
                tensor_with(context, type, 2, shape, NULL)};
    gathering_free(g);
    assert_ok(context, clgrad_tensor_gather(context, f.source, f.indices, f.destination));
    return f;
}

static void faulty_free(clgrad_context *context, faulty f)
{
    tensor_free(context, f.source);
    tensor_free(context, f.indices);
    tensor_free(context, f.destination);
}

static void bad_index_gives_a_row_of_nan(clgrad_context *context)
{
    const int32_t bad[] = {-1, 3, INT32_MAX, INT32_MIN};
    const size_t widths[] = {1, 4, 300};
    for (size_t t = 0; t < 2; t++)
        for (size_t w = 0; w < COUNT(widths); w++)
            for (size_t k = 0; k < COUNT(bad); k++) {
                const clgrad_type type = t == 0 ? CLGRAD_TYPE_FLOAT32 : CLGRAD_TYPE_INT32;
                const size_t columns = widths[w];
                faulty f = gather_with(context, type, columns, bad[k]);
                uint32_t *got = allocate(3 * columns, sizeof *got);
                char sentence[64];
                snprintf(sentence, sizeof sentence, "indices[1] is %d,", bad[k]);
                assert_refused(context,
                               clgrad_tensor_read(context, f.destination, got, 3 * columns * sizeof *got),
                               CLGRAD_STATUS_INVALID_INDEX, sentence);
                assert_non_null(strstr(clgrad_context_error(context), "rows 0 to 2"));
                for (size_t i = 0; i < columns; i++) {
                    float number;
                    memcpy(&number, &got[columns + i], sizeof number);
                    assert_int_equal(got[i], 0x3f000000u + columns + i);
                    assert_int_equal(got[2 * columns + i], 0x3f000000u + i);
                    assert_true(type == CLGRAD_TYPE_FLOAT32 ? isnan(number) : got[columns + i] == 0);
                }
                free(got);
                faulty_free(context, f);
            }
}

static void bad_index_is_reported_once(clgrad_context *context)
{
    faulty f = gather_with(context, CLGRAD_TYPE_FLOAT32, 2, 3);
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, "indices[1] is 3");
    assert_ok(context, clgrad_context_finish(context));
    faulty_free(context, f);

    /* the next one is reported again, by a read of anything, even of nothing */
    f = gather_with(context, CLGRAD_TYPE_FLOAT32, 2, -5);
    float numbers[6];
    assert_refused(context, clgrad_tensor_read(context, f.source, numbers, sizeof numbers),
                   CLGRAD_STATUS_INVALID_INDEX, "indices[1] is -5");
    assert_ok(context, clgrad_tensor_read(context, f.source, numbers, sizeof numbers));
    faulty_free(context, f);

    f = gather_with(context, CLGRAD_TYPE_FLOAT32, 2, 77);
    assert_refused(context, clgrad_tensor_read(context, clgrad_tensor_rows(f.source, 0, 0), NULL, 0),
                   CLGRAD_STATUS_INVALID_INDEX, "indices[1] is 77");
    assert_ok(context, clgrad_context_finish(context));
    faulty_free(context, f);
}

/* Calls that do not wait succeed while a fault is pending; of two faults the first is the one reported. */
static void bad_index_waits_for_its_report(clgrad_context *context)
{
    faulty first = gather_with(context, CLGRAD_TYPE_FLOAT32, 2, 41);
    faulty second = gather_with(context, CLGRAD_TYPE_FLOAT32, 2, 42);
    clgrad_tensor copy = matrix_with(context, 3, 2, NULL);
    assert_ok(context, clgrad_tensor_copy(context, second.source, copy));
    assert_ok(context, clgrad_tensor_fill(context, second.destination, 1));
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, "indices[1] is 41");
    assert_ok(context, clgrad_context_finish(context));
    tensor_free(context, copy);
    faulty_free(context, first);
    faulty_free(context, second);
}

/* Nothing can be gathered from no rows. */
static void no_rows_to_gather_from(clgrad_context *context)
{
    const size_t count = 2;
    const int32_t zeros[] = {0, 0};
    clgrad_tensor source = matrix_with(context, 0, 3, NULL), destination = matrix_with(context, 2, 3, NULL);
    clgrad_tensor indices = tensor_with(context, CLGRAD_TYPE_INT32, 1, &count, zeros);
    assert_ok(context, clgrad_tensor_gather(context, source, indices, destination));
    float numbers[6] = {0};
    assert_refused(context, clgrad_tensor_read(context, destination, numbers, sizeof numbers),
                   CLGRAD_STATUS_INVALID_INDEX, "] is 0");
    for (size_t i = 0; i < 6; i++)
        assert_true(isnan(numbers[i]));
    tensor_free(context, source);
    tensor_free(context, destination);
    tensor_free(context, indices);
}

int main(void)
{
    const test_case cases[] = {
        CASE(gathers_rows_of_every_rank), CASE(gathers_many_rows),
        CASE(gathers_within_one_buffer),  CASE(bad_index_gives_a_row_of_nan),
        CASE(bad_index_is_reported_once), CASE(bad_index_waits_for_its_report),
        CASE(no_rows_to_gather_from),
    };
    return run_on_every_device(cases, COUNT(cases));
}
