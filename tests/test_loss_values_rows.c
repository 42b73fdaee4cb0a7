/*
 * The same as test_loss_values.c for losses of rows, of columns of classes, and of sequences.
 */
#include "loss_case.h"

static void rows_in_ragged_sizes(clgrad_context *context)
{
    static const shaped sizes[] = {{2, {0, 3}},  {2, {1, 1}},   {2, {1, 10}},   {2, {5, 1}},
                                   {2, {64, 2}}, {2, {257, 7}}, {2, {3, 1000}}, {2, {20011, 3}}};
    loss_check_sizes(context, CLGRAD_LOSS_ROW, (shaped){2, {7, 9}}, sizes, COUNT(sizes));
}

static void channels_in_ragged_sizes(clgrad_context *context)
{
    static const shaped sizes[] = {{2, {0, 3}},      {2, {1, 1}},       {2, {5, 10}},   {3, {3, 1, 5}},
                                   {3, {2, 5, 0}},   {4, {2, 3, 2, 5}}, {2, {257, 7}},  {2, {3, 1000}},
                                   {3, {2, 600, 3}}, {3, {3, 4, 333}},  {2, {20011, 3}}};
    loss_check_sizes(context, CLGRAD_LOSS_CHANNEL, (shaped){3, {3, 5, 4}}, sizes, COUNT(sizes));
}

/* So many rows that a device divides by their weights in a launch of its own. */
static void means_over_many_class_indices(clgrad_context *context)
{
    const size_t shape[] = {test_small() ? 33 : 20011, 3};
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        clgrad_loss loss;
        if (clgrad_loss_describe(kind)->extent != CLGRAD_LOSS_CHANNEL)
            continue;
        for (size_t s = 0; loss_setting(kind, s, &loss); s++)
            for (unsigned dvalue = 0; dvalue <= LOSS_WITH_DVALUE; dvalue += LOSS_WITH_DVALUE) {
                const unsigned with = (LOSS_WITH_CLASSES & loss_ways(kind)) | LOSS_WITH_WEIGHT | dvalue;
                loss_drawn *drawn = loss_draw(loss, 2, shape, with);
                loss_case_check_reference(context, &drawn->c);
                loss_drawn_free(drawn);
            }
    }
}

static void sequences_in_ragged_sizes(clgrad_context *context)
{
    static const shaped sizes[] = {{3, {0, 2, 3}}, {3, {1, 1, 1}}, {3, {5, 0, 3}},    {3, {1, 3, 2}},
                                   {3, {6, 3, 3}}, {3, {9, 1, 1}}, {3, {40, 17, 12}}, {3, {300, 2, 5}}};
    loss_check_sizes(context, CLGRAD_LOSS_SEQUENCE, (shaped){3, {6, 3, 3}}, sizes, COUNT(sizes));
}

int main(void)
{
    const test_case cases[] = {CASE(rows_in_ragged_sizes), CASE(channels_in_ragged_sizes),
                               CASE(means_over_many_class_indices), CASE(sequences_in_ragged_sizes)};
    return run_on_every_device(cases, COUNT(cases));
}
