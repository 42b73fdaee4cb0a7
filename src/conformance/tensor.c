/*
 * Tensor operations: data comes back as it was written, is filled, copied, gathered and added up.
 */
#include "conformance.h"

#include <math.h>
#include <string.h>

/* Bits of any kind, as whole numbers. */
static int32_t *draw_bits(clgrad_conf_run *run, size_t count)
{
    int32_t *bits = clgrad_conf_memory(run, count, sizeof *bits);
    for (size_t i = 0; bits != NULL && i < count; i++) {
        const uint32_t word = (uint32_t)clgrad_conf_hash(1, i);
        memcpy(&bits[i], &word, sizeof word);
    }
    return bits;
}

static void check_write_read(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    (void)setting;
    const int32_t *bits = draw_bits(run, shape[0]);
    clgrad_conf_compare_exact(run, "tensor", clgrad_conf_integers(run, "data", 1, shape, bits));
}

static void check_copy(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    (void)setting;
    const int32_t *bits = draw_bits(run, shape[0]);
    const clgrad_conf_pair source = clgrad_conf_integers(run, "source", 1, shape, bits);
    const clgrad_conf_pair destination =
        clgrad_conf_integers(run, NULL, 1, shape, clgrad_conf_memory(run, shape[0], sizeof *bits));
    CLGRAD_CONF_CALL(run, clgrad_tensor_copy(run->context[side], source.at[side], destination.at[side]));
    clgrad_conf_compare_exact(run, "destination", destination);
}

/* setting: the value */
static void check_fill(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    const double value = *(const double *)setting;
    const clgrad_conf_pair tensor = clgrad_conf_output(run, 1, shape);
    CLGRAD_CONF_CALL(run, clgrad_tensor_fill(run->context[side], tensor.at[side], value));
    clgrad_conf_compare_exact(run, "tensor", tensor);
    if (clgrad_conf_over(run) || !(fabs(value) < 0x1p31))
        return;
    const clgrad_conf_pair whole =
        clgrad_conf_integers(run, NULL, 1, shape, clgrad_conf_memory(run, shape[0], sizeof(int32_t)));
    CLGRAD_CONF_CALL(run, clgrad_tensor_fill(run->context[side], whole.at[side], trunc(value)));
    clgrad_conf_compare_exact(run, "int32 tensor", whole);
}

/* setting: alpha and beta. Where beta is 0, y is NaN before. */
static void check_axpby(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    const float alpha = ((const float *)setting)[0], beta = ((const float *)setting)[1];
    float *x = clgrad_conf_floats(run, shape[0]), *y = clgrad_conf_floats(run, shape[0]);
    double *unit = clgrad_conf_doubles(run, shape[0]);
    if (x == NULL || y == NULL || unit == NULL)
        return;
    clgrad_conf_normal(x, shape[0], 1, 1);
    clgrad_conf_normal(y, shape[0], 2, 1);
    for (size_t i = 0; i < shape[0]; i++) {
        unit[i] = CLGRAD_CONF_U * (fabs((double)alpha * x[i]) + fabs((double)beta * y[i]));
        if (beta == 0)
            y[i] = NAN;
    }
    const clgrad_conf_pair tx = clgrad_conf_input(run, "x", 1, shape, x);
    const clgrad_conf_pair ty = clgrad_conf_input(run, "y", 1, shape, y);
    CLGRAD_CONF_CALL(run, clgrad_tensor_axpby(run->context[side], alpha, tx.at[side], beta, ty.at[side]));
    clgrad_conf_compare(run, "y", ty, unit, clgrad_conf_lost(run, 3));
}

/* setting: whether an index is out of range, which both sides must report. Shape: count, columns. */
static void check_gather(clgrad_conf_run *run, const void *setting, const size_t *shape)
{
    const size_t rows = 19, count = shape[0], columns = shape[1];
    const bool faulty = *(const bool *)setting && count > 0;
    const size_t source_shape[] = {rows, columns};
    int32_t *indices = clgrad_conf_memory(run, count, sizeof *indices);
    float *numbers = clgrad_conf_floats(run, rows * columns);
    if (indices == NULL || numbers == NULL)
        return;
    clgrad_conf_normal(numbers, rows * columns, 1, 1);
    for (size_t i = 0; i < count; i++)
        indices[i] = (int32_t)(clgrad_conf_hash(2, i) % rows);
    if (faulty)
        indices[count / 2] = (int32_t)rows;
    const clgrad_conf_pair source = clgrad_conf_input(run, "source", 2, source_shape, numbers);
    const clgrad_conf_pair at = clgrad_conf_integers(run, "indices", 1, shape, indices);
    const clgrad_conf_pair destination = clgrad_conf_output(run, 2, shape);
    CLGRAD_CONF_CALL(
        run, clgrad_tensor_gather(run->context[side], source.at[side], at.at[side], destination.at[side]));
    if (clgrad_conf_over(run))
        return;
    clgrad_status statuses[CLGRAD_CONF_SIDES];
    for (int side = 0; side < CLGRAD_CONF_SIDES; side++)
        statuses[side] = clgrad_context_finish(run->context[side]);
    if (statuses[CLGRAD_CONF_DEVICE] != statuses[CLGRAD_CONF_REFERENCE])
        clgrad_conf_fail(run, statuses[CLGRAD_CONF_DEVICE], "finish answers %s, on the reference %s",
                         clgrad_status_name(statuses[CLGRAD_CONF_DEVICE]),
                         clgrad_status_name(statuses[CLGRAD_CONF_REFERENCE]));
    clgrad_conf_compare_exact(run, "destination", destination);
}

static void fills(clgrad_conf_run *run)
{
    static const struct {
        double value;
        const char *words;
    } values[] = {{0, "value=0"}, {-2.5, "value=-2.5"}, {INFINITY, "value=inf"}, {NAN, "value=nan"}};
    for (size_t i = 0; i < CLGRAD_CONF_COUNT(values); i++)
        clgrad_conf_lengths(run, &(clgrad_conf_case){check_fill, &values[i].value, values[i].words, "n"});
}

static void sums(clgrad_conf_run *run)
{
    static const struct {
        float factors[2];
        const char *words;
    } pairs[] = {
        {{1, 1}, "alpha=1 beta=1"}, {{0.3f, -2}, "alpha=0.3 beta=-2"}, {{0.7f, 0}, "alpha=0.7 beta=0"}};
    for (size_t i = 0; i < CLGRAD_CONF_COUNT(pairs); i++)
        clgrad_conf_lengths(run, &(clgrad_conf_case){check_axpby, pairs[i].factors, pairs[i].words, "n"});
}

static void gathers(clgrad_conf_run *run)
{
    static const bool faults[] = {false, true};
    static const char *const words[] = {"", "an index out of range"};
    static const clgrad_conf_shape shapes[] = {{0, 3},  {3, 0},   {1, 1},    {7, 3},    {64, 5},
                                               {65, 1}, {257, 7}, {3, 1000}, {1001, 65}};
    for (size_t i = 0; i < CLGRAD_CONF_COUNT(faults); i++)
        clgrad_conf_sizes(run, &(clgrad_conf_case){check_gather, &faults[i], words[i], "count columns"},
                          shapes, CLGRAD_CONF_COUNT(shapes));
}

void clgrad_conf_tensor(clgrad_conf_run *run)
{
    if (clgrad_conf_begin(run, "tensor", "tensor_write_read", NULL, "exact", 0)) {
        clgrad_conf_lengths(run, &(clgrad_conf_case){check_write_read, NULL, "", "n"});
        clgrad_conf_end(run);
    }
    if (clgrad_conf_begin(run, "tensor", "tensor_copy", NULL, "exact", 0)) {
        clgrad_conf_lengths(run, &(clgrad_conf_case){check_copy, NULL, "", "n"});
        clgrad_conf_end(run);
    }
    if (clgrad_conf_begin(run, "tensor", "tensor_fill", NULL, "exact", 0)) {
        fills(run);
        clgrad_conf_end(run);
    }
    if (clgrad_conf_begin(run, "tensor", "tensor_axpby", NULL, "u", 2)) {
        sums(run);
        clgrad_conf_end(run);
    }
    if (clgrad_conf_begin(run, "tensor", "tensor_gather", NULL, "exact", 0)) {
        gathers(run);
        clgrad_conf_end(run);
    }
}
