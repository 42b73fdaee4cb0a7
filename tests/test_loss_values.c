/*
 * Losses of elements and of the whole on every device against the reference's formulas, on random numbers:
 * every row of the list with every setting of its parameters, every reduction, and whatever weights it takes.
 */
#include "loss_case.h"

static void elements_in_ragged_sizes(clgrad_context *context)
{
    static const shaped sizes[] = {{0, {0}},    {1, {0}},    {1, {1}},           {1, {63}},    {1, {65}},
                                   {2, {0, 3}}, {2, {3, 0}}, {4, {3, 2, 7, 11}}, {1, {100003}}};
    loss_check_sizes(context, CLGRAD_LOSS_ELEMENT, (shaped){2, {5, 13}}, sizes, COUNT(sizes));
}

static void wholes_in_ragged_sizes(clgrad_context *context)
{
    static const shaped sizes[] = {{0, {0}},  {1, {0}},       {1, {1}},           {1, {64}},
                                   {1, {65}}, {2, {1000, 3}}, {4, {3, 2, 7, 11}}, {1, {100003}}};
    loss_check_sizes(context, CLGRAD_LOSS_WHOLE, (shaped){2, {5, 13}}, sizes, COUNT(sizes));
}

int main(void)
{
    const test_case cases[] = {CASE(elements_in_ragged_sizes), CASE(wholes_in_ragged_sizes)};
    return run_on_every_device(cases, COUNT(cases));
}
