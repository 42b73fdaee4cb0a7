/*
 * What the calls on buffers and tensors refuse: each refusal has its status, a sentence with the actual
 * values, and leaves everything as it was.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 6, COLUMNS = 4, SIZE = ROWS * COLUMNS };

/* Tensors that any call would accept, and what they hold. */
typedef struct setting {
    clgrad_context *context;
    clgrad_tensor matrix, other, integers, indices;
    void *matrix_before, *other_before, *integers_before, *indices_before;
} setting;

static setting set_up(clgrad_context *context)
{
    float numbers[SIZE];
    const int32_t indices[ROWS] = {5, 4, 3, 2, 1, 0}, integers[SIZE] = {0};
    fill_normal(numbers, SIZE, 3, 1);
    setting s = {.context = context};
    s.matrix = matrix_with(context, ROWS, COLUMNS, numbers);
    s.other = matrix_with(context, ROWS, COLUMNS, numbers);
    s.integers = tensor_with(context, CLGRAD_TYPE_INT32, 2, (size_t[]){ROWS, COLUMNS}, integers);
    s.indices = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){ROWS}, indices);
    s.matrix_before = tensor_contents(context, s.matrix);
    s.other_before = tensor_contents(context, s.other);
    s.integers_before = tensor_contents(context, s.integers);
    s.indices_before = tensor_contents(context, s.indices);
    return s;
}

static void tear_down(setting s)
{
    assert_contents(s.context, s.matrix, s.matrix_before);
    assert_contents(s.context, s.other, s.other_before);
    assert_contents(s.context, s.integers, s.integers_before);
    assert_contents(s.context, s.indices, s.indices_before);
    free(s.matrix_before);
    free(s.other_before);
    free(s.integers_before);
    free(s.indices_before);
    tensor_free(s.context, s.matrix);
    tensor_free(s.context, s.other);
    tensor_free(s.context, s.integers);
    tensor_free(s.context, s.indices);
}

/* ---- tensors that no call takes ---- */

typedef struct bad_tensor {
    clgrad_tensor tensor;
    clgrad_status status;
    const char *part; /* of the sentence */
} bad_tensor;

static clgrad_tensor with_shape(clgrad_tensor tensor, int rank, size_t first, size_t second)
{
    tensor.rank = rank;
    tensor.shape[0] = first;
    tensor.shape[1] = second;
    return tensor;
}

static clgrad_tensor with_offset(clgrad_tensor tensor, size_t offset)
{
    tensor.offset = offset;
    return tensor;
}

/* Ways in which a tensor like the given one can be wrong by itself. The last is in a foreign buffer. */
static size_t spoil(clgrad_tensor good, clgrad_buffer *foreign, bad_tensor bad[16])
{
    const size_t elements = clgrad_buffer_bytes(good.buffer) / 4;
    static char room[64];
    snprintf(room, sizeof room, "holds %zu elements", elements);
    size_t n = 0;
    clgrad_tensor t = good;
    bad[n++] = (bad_tensor){clgrad_tensor_none(), CLGRAD_STATUS_INVALID_ARGUMENT, "absent"};
    t.rank = -1;
    bad[n++] = (bad_tensor){t, CLGRAD_STATUS_INVALID_ARGUMENT, "rank -1"};
    t.rank = CLGRAD_TENSOR_MAX_RANK + 1;
    bad[n++] = (bad_tensor){t, CLGRAD_STATUS_INVALID_ARGUMENT, "rank 9"};
    t = good;
    t.type = (clgrad_type)7;
    bad[n++] = (bad_tensor){t, CLGRAD_STATUS_INVALID_TYPE, "7"};
    t.type = (clgrad_type)-1;
    bad[n++] = (bad_tensor){t, CLGRAD_STATUS_INVALID_TYPE, "-1"};

    const clgrad_status out = CLGRAD_STATUS_OUT_OF_RANGE;
    bad[n++] = (bad_tensor){with_offset(good, SIZE_MAX), out, "offset 18446744073709551615"};
    bad[n++] = (bad_tensor){with_offset(good, SIZE_MAX - SIZE + 1), out, room};
    bad[n++] = (bad_tensor){with_offset(good, SIZE_MAX / 4 + 1), out, room};
    bad[n++] = (bad_tensor){with_offset(good, elements - clgrad_tensor_count(good) + 1), out, room};
    bad[n++] = (bad_tensor){with_offset(with_shape(good, 1, 0, 0), elements + 1), out, room};
    bad[n++] = (bad_tensor){with_shape(good, 2, SIZE_MAX, SIZE_MAX), out, "[18446744073709551615, "};
    bad[n++] = (bad_tensor){with_shape(good, 2, SIZE_MAX / 2 + 1, 2), out, room};
    bad[n++] = (bad_tensor){with_shape(good, 2, SIZE_MAX / 4 + 2, 4), out, room};
    bad[n++] = (bad_tensor){with_shape(good, 1, SIZE_MAX / 4 + 1, 0), out, room};
    t = good;
    t.buffer = foreign;
    bad[n++] = (bad_tensor){t, CLGRAD_STATUS_INVALID_CONTEXT, "another context"};
    return n;
}

/* Every call with one of its tensors replaced. The sentence names the call and the argument. */
static clgrad_status call_with(const setting *s, size_t which, clgrad_tensor bad, const char **names)
{
    static const char *const sentences[] = {"tensor_write: tensor",     "tensor_read: tensor",
                                            "tensor_fill: tensor",      "tensor_copy: source",
                                            "tensor_copy: destination", "tensor_gather: source",
                                            "tensor_gather: indices",   "tensor_gather: destination"};
    float numbers[SIZE] = {0};
    *names = sentences[which];
    switch (which) {
    case 0:
        return clgrad_tensor_write(s->context, bad, numbers, sizeof numbers);
    case 1:
        return clgrad_tensor_read(s->context, bad, numbers, sizeof numbers);
    case 2:
        return clgrad_tensor_fill(s->context, bad, 3);
    case 3:
        return clgrad_tensor_copy(s->context, bad, s->other);
    case 4:
        return clgrad_tensor_copy(s->context, s->matrix, bad);
    case 5:
        return clgrad_tensor_gather(s->context, bad, s->indices, s->other);
    case 6:
        return clgrad_tensor_gather(s->context, s->matrix, bad, s->other);
    default:
        return clgrad_tensor_gather(s->context, s->matrix, s->indices, bad);
    }
}

static void bad_tensors(clgrad_context *context)
{
    setting s = set_up(context);
    clgrad_context *other = NULL;
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    clgrad_buffer *foreign;
    assert_ok(other, clgrad_buffer_create(other, 4096, &foreign));
    for (size_t which = 0; which < 8; which++) {
        bad_tensor bad[16];
        const clgrad_tensor good = which == 6 ? s.indices : which == 0 ? s.matrix : s.other;
        const size_t n = spoil(good, foreign, bad);
        for (size_t i = 0; i < n; i++) {
            const char *name;
            const clgrad_status status = call_with(&s, which, bad[i].tensor, &name);
            const char *sentence = clgrad_context_error(context);
            if (status != bad[i].status || strstr(sentence, bad[i].part) == NULL ||
                strncmp(sentence, name, strlen(name)) != 0)
                fail_msg("case %zu of %s: %s, \"%s\"", i, name, clgrad_status_name(status), sentence);
        }
    }
    clgrad_buffer_destroy(foreign);
    clgrad_context_destroy(other);
    tear_down(s);
}

/* ---- arguments that do not fit together ---- */

static void byte_counts(clgrad_context *context)
{
    setting s = set_up(context);
    const size_t wrong[] = {0, sizeof(float) * SIZE - 1, sizeof(float) * SIZE + 1, SIZE, SIZE_MAX};
    for (size_t i = 0; i < COUNT(wrong); i++) {
        float numbers[SIZE];
        memset(numbers, 0x5a, sizeof numbers);
        char part[96];
        snprintf(part, sizeof part, "data has %zu bytes, but the tensor has 96", wrong[i]);
        assert_refused(context, clgrad_tensor_write(context, s.matrix, numbers, wrong[i]),
                       CLGRAD_STATUS_INVALID_SHAPE, part);
        assert_refused(context, clgrad_tensor_read(context, s.matrix, numbers, wrong[i]),
                       CLGRAD_STATUS_INVALID_SHAPE, part);
        for (size_t k = 0; k < sizeof numbers; k++)
            assert_int_equal(((unsigned char *)numbers)[k], 0x5a);
    }
    assert_refused(context, clgrad_tensor_write(context, s.matrix, NULL, 96), CLGRAD_STATUS_INVALID_ARGUMENT,
                   "data is NULL");
    assert_refused(context, clgrad_tensor_read(context, s.matrix, NULL, 96), CLGRAD_STATUS_INVALID_ARGUMENT,
                   "data is NULL");
    const clgrad_tensor nothing = clgrad_tensor_rows(s.matrix, 0, 0);
    assert_ok(context, clgrad_tensor_write(context, nothing, NULL, 0));
    assert_ok(context, clgrad_tensor_read(context, nothing, NULL, 0));
    tear_down(s);
}

static void fills_that_are_no_int32(clgrad_context *context)
{
    setting s = set_up(context);
    const struct {
        double value;
        const char *part;
    } rows[] = {{0.5, "0.5"},       {2147483648.0, "2.14748e+09"}, {-2147483649.0, "-2.14748e+09"},
                {1e300, "1e+300"},  {(double)NAN, "nan"},          {INFINITY, "inf"},
                {-INFINITY, "-inf"}};
    for (size_t i = 0; i < COUNT(rows); i++)
        assert_refused(context, clgrad_tensor_fill(context, s.integers, rows[i].value),
                       CLGRAD_STATUS_INVALID_ARGUMENT, rows[i].part);
    tear_down(s);
}

static void copies_that_do_not_fit(clgrad_context *context)
{
    setting s = set_up(context);
    clgrad_tensor transposed = with_shape(s.other, 2, COLUMNS, ROWS), flat = with_shape(s.other, 1, SIZE, 0);
    assert_refused(context, clgrad_tensor_copy(context, s.matrix, transposed), CLGRAD_STATUS_INVALID_SHAPE,
                   "[4, 6]");
    assert_refused(context, clgrad_tensor_copy(context, s.matrix, flat), CLGRAD_STATUS_INVALID_SHAPE, "[24]");
    assert_refused(context, clgrad_tensor_copy(context, s.matrix, clgrad_tensor_rows(s.other, 0, 5)),
                   CLGRAD_STATUS_INVALID_SHAPE, "[5, 4]");
    assert_refused(context, clgrad_tensor_copy(context, s.matrix, s.integers), CLGRAD_STATUS_INVALID_TYPE,
                   "destination is int32");
    for (size_t shift = 1; shift <= 3; shift++) {
        const clgrad_tensor low = clgrad_tensor_rows(s.matrix, 0, 3),
                            high = with_offset(low, low.offset + 4 * 3 - shift);
        assert_refused(context, clgrad_tensor_copy(context, low, high), CLGRAD_STATUS_INVALID_ARGUMENT,
                       "overlaps");
        assert_refused(context, clgrad_tensor_copy(context, high, low), CLGRAD_STATUS_INVALID_ARGUMENT,
                       "overlaps");
    }
    tear_down(s);
}

static void gathers_that_do_not_fit(clgrad_context *context)
{
    setting s = set_up(context);
    const clgrad_status shape = CLGRAD_STATUS_INVALID_SHAPE, argument = CLGRAD_STATUS_INVALID_ARGUMENT;
    const clgrad_tensor few = clgrad_tensor_rows(s.indices, 0, 5);
    assert_refused(context, clgrad_tensor_gather(context, s.matrix, few, s.other), shape, "[6, 4]");
    assert_refused(context,
                   clgrad_tensor_gather(context, s.matrix, s.indices, with_shape(s.other, 2, COLUMNS, ROWS)),
                   shape, "[4, 6]");
    assert_refused(context,
                   clgrad_tensor_gather(context, s.matrix, s.indices, with_shape(s.other, 1, ROWS, 0)), shape,
                   "[6]");
    assert_refused(context, clgrad_tensor_gather(context, s.matrix, s.integers, s.other), shape, "indices");
    const clgrad_tensor scalar = clgrad_tensor_scalar(s.matrix.buffer, s.matrix.offset);
    assert_refused(context, clgrad_tensor_gather(context, scalar, s.indices, s.other), shape, "source");
    assert_refused(context, clgrad_tensor_gather(context, s.matrix, with_shape(s.other, 1, ROWS, 0), s.other),
                   CLGRAD_STATUS_INVALID_TYPE, "indices is float32");
    assert_refused(context, clgrad_tensor_gather(context, s.matrix, s.indices, s.integers),
                   CLGRAD_STATUS_INVALID_TYPE, "destination is int32");
    assert_refused(context, clgrad_tensor_gather(context, s.matrix, s.indices, s.matrix), argument,
                   "destination overlaps source");
    assert_refused(context,
                   clgrad_tensor_gather(context, clgrad_tensor_rows(s.matrix, 0, 3),
                                        clgrad_tensor_rows(s.indices, 0, 3),
                                        clgrad_tensor_rows(s.matrix, 2, 3)),
                   argument, "destination overlaps source");
    const clgrad_tensor numbers = with_shape(s.integers, 1, ROWS, 0);
    const clgrad_tensor inside = with_offset(numbers, numbers.offset + 5);
    assert_refused(context, clgrad_tensor_gather(context, s.indices, numbers, inside), argument,
                   "destination overlaps indices");
    tear_down(s);
}

static void no_context(clgrad_context *context)
{
    setting s = set_up(context);
    float numbers[SIZE];
    clgrad_buffer *buffer = (clgrad_buffer *)&buffer;
    clgrad_tensor tensor = s.matrix;
    const clgrad_status wanted = CLGRAD_STATUS_INVALID_ARGUMENT;
    assert_int_equal(clgrad_buffer_create(NULL, 4, &buffer), wanted);
    assert_null(buffer);
    assert_int_equal(clgrad_tensor_create(NULL, CLGRAD_TYPE_FLOAT32, 0, NULL, &tensor), wanted);
    assert_null(tensor.buffer);
    assert_int_equal(clgrad_tensor_write(NULL, s.matrix, numbers, sizeof numbers), wanted);
    assert_int_equal(clgrad_tensor_read(NULL, s.matrix, numbers, sizeof numbers), wanted);
    assert_int_equal(clgrad_tensor_fill(NULL, s.matrix, 0), wanted);
    assert_int_equal(clgrad_tensor_copy(NULL, s.matrix, s.other), wanted);
    assert_int_equal(clgrad_tensor_gather(NULL, s.matrix, s.indices, s.other), wanted);
    tear_down(s);
}

/* ---- making them ---- */

static void tensors_that_cannot_be_made(clgrad_context *context)
{
    const size_t shape[9] = {2, 2, 2, 2, 2, 2, 2, 2, 2}, huge[2] = {SIZE_MAX / 4 + 1, 1},
                 overflowing[2] = {SIZE_MAX / 2, 3};
    const struct {
        clgrad_type type;
        int rank;
        const size_t *shape;
        clgrad_status status;
        const char *part;
    } rows[] = {
        {CLGRAD_TYPE_FLOAT32, -1, shape, CLGRAD_STATUS_INVALID_ARGUMENT, "-1"},
        {CLGRAD_TYPE_FLOAT32, 9, shape, CLGRAD_STATUS_INVALID_ARGUMENT, "9"},
        {CLGRAD_TYPE_FLOAT32, 1, NULL, CLGRAD_STATUS_INVALID_ARGUMENT, "shape is NULL"},
        {(clgrad_type)2, 1, shape, CLGRAD_STATUS_INVALID_TYPE, "2"},
        {(clgrad_type)-1, 1, shape, CLGRAD_STATUS_INVALID_TYPE, "-1"},
        {CLGRAD_TYPE_FLOAT32, 1, huge, CLGRAD_STATUS_OUT_OF_RANGE, "overflows"},
        {CLGRAD_TYPE_INT32, 2, overflowing, CLGRAD_STATUS_OUT_OF_RANGE, "overflows"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        clgrad_tensor tensor;
        memset(&tensor, 0x5a, sizeof tensor);
        assert_refused(context,
                       clgrad_tensor_create(context, rows[i].type, rows[i].rank, rows[i].shape, &tensor),
                       rows[i].status, rows[i].part);
        assert_null(tensor.buffer);
    }
    assert_refused(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, shape, NULL),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "tensor is NULL");
    assert_refused(context, clgrad_buffer_create(context, 4, NULL), CLGRAD_STATUS_INVALID_ARGUMENT,
                   "buffer is NULL");
}

static void more_memory_than_there_is(clgrad_context *context)
{
    const clgrad_device *device = clgrad_context_device(context);
    const size_t sizes[] = {SIZE_MAX, SIZE_MAX / 2, (size_t)1 << 60, (size_t)device->memory * 4 + 4};
    for (size_t i = 0; i < COUNT(sizes); i++) {
        if (sizes[i] == 4) /* the reference does not say how much memory it has */
            continue;
        char figure[32];
        snprintf(figure, sizeof figure, "%zu bytes", sizes[i]);
        clgrad_buffer *buffer = (clgrad_buffer *)&buffer;
        assert_refused(context, clgrad_buffer_create(context, sizes[i], &buffer),
                       CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY, figure);
        assert_null(buffer);
        if (device->memory > 0) {
            snprintf(figure, sizeof figure, "%llu", (unsigned long long)device->memory);
            assert_non_null(strstr(clgrad_context_error(context), figure));
        }
        clgrad_tensor tensor;
        assert_refused(
            context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, (size_t[]){sizes[i] / 4}, &tensor),
            CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY, "bytes");
        assert_null(tensor.buffer);
        setting s = set_up(context);
        assert_ok(context, clgrad_tensor_copy(context, s.matrix, s.other));
        tear_down(s);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(bad_tensors),
        CASE(byte_counts),
        CASE(fills_that_are_no_int32),
        CASE(copies_that_do_not_fit),
        CASE(gathers_that_do_not_fit),
        CASE(no_context),
        CASE(tensors_that_cannot_be_made),
        CASE(more_memory_than_there_is),
    };
    return run_on_every_device(cases, COUNT(cases));
}
