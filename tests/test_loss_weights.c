/*
 * Weights of elements: every shape that broadcasts to the prediction's, also for both weights at once.
 */
#include "loss_case.h"

static bool takes_element_weights(clgrad_loss_kind kind)
{
    return (clgrad_loss_describe(kind)->flags & CLGRAD_LOSS_TAKES_WEIGHT) != 0;
}

static const loss_weight shapes[] = {
    {NULL, 0, {0}},       {NULL, 1, {1}},       {NULL, 1, {4}},       {NULL, 2, {3, 4}},
    {NULL, 2, {3, 1}},    {NULL, 2, {1, 4}},    {NULL, 3, {2, 1, 1}}, {NULL, 3, {1, 3, 1}},
    {NULL, 3, {2, 1, 4}}, {NULL, 3, {1, 3, 4}}, {NULL, 3, {1, 1, 1}}, {NULL, 3, {2, 3, 4}},
};

/* Numbers of both signs and 0, each of them another: a wrong place gives a wrong product. */
static void fill_weight(float *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        numbers[i] = i % 5 == 3 ? 0 : (float)(i % 2 == 0 ? 1 : -1) * (0.25f + (float)i / 8);
}

static void every_shape_that_broadcasts(clgrad_context *context)
{
    float weight[24], pos_weight[24];
    fill_weight(weight, COUNT(weight));
    fill_weight(pos_weight, COUNT(pos_weight));
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        const bool positive = (clgrad_loss_describe(kind)->flags & CLGRAD_LOSS_TAKES_POS_WEIGHT) != 0;
        if (!takes_element_weights(kind))
            continue;
        loss_drawn *drawn = loss_draw(clgrad_loss_defaults(kind), 3, (size_t[]){2, 3, 4}, LOSS_WITH_WEIGHT);
        for (size_t i = 0; i < COUNT(shapes); i++)
            for (size_t j = 0; j < (positive ? COUNT(shapes) : 1); j += i % 3 + 1) {
                drawn->c.weight = shapes[i];
                drawn->c.weight.numbers = weight;
                drawn->c.pos_weight = positive ? shapes[j] : (loss_weight){0};
                drawn->c.pos_weight.numbers = positive ? pos_weight : NULL;
                loss_case_check_reference(context, &drawn->c);
            }
        loss_drawn_free(drawn);
    }
}

/* Either weight without the other. */
static void one_weight_alone(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        if (!takes_element_weights(kind))
            continue;
        for (int without = 0; without < 2; without++) {
            loss_drawn *drawn = loss_draw(clgrad_loss_defaults(kind), 2, (size_t[]){5, 3}, LOSS_WITH_WEIGHT);
            *(without == 0 ? &drawn->c.weight : &drawn->c.pos_weight) = (loss_weight){0};
            loss_case_check_reference(context, &drawn->c);
            loss_drawn_free(drawn);
        }
    }
}

/* Dimensions that are many, large, or 0. */
static void other_shapes_of_the_prediction(clgrad_context *context)
{
    static const shaped predictions[] = {{4, {2, 3, 2, 5}}, {1, {1000}},    {2, {100, 77}},
                                         {2, {0, 3}},       {3, {2, 0, 3}}, {0, {0}}};
    float numbers[3000];
    fill_weight(numbers, COUNT(numbers));
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        if (!takes_element_weights((clgrad_loss_kind)k))
            continue;
        for (size_t i = 0; i < COUNT(predictions); i++) {
            const shaped s = predictions[i];
            loss_drawn *drawn =
                loss_draw(clgrad_loss_defaults((clgrad_loss_kind)k), s.rank, s.shape, LOSS_WITH_WEIGHT);
            for (int kept = 0; kept <= s.rank; kept++) { /* so many dimensions from the last on */
                drawn->c.weight = (loss_weight){.numbers = numbers, .rank = kept};
                memcpy(drawn->c.weight.shape, s.shape + s.rank - kept, (size_t)kept * sizeof s.shape[0]);
                if (s.rank == 2 && kept == 2)
                    drawn->c.weight.shape[1] = 1;
                loss_case_check_reference(context, &drawn->c);
            }
            loss_drawn_free(drawn);
        }
    }
}

/* Eight dimensions, every other one repeated. */
static void as_many_dimensions_as_there_can_be(clgrad_context *context)
{
    const size_t shape[] = {2, 3, 2, 2, 2, 3, 2, 2};
    float numbers[64];
    fill_weight(numbers, COUNT(numbers));
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        if (!takes_element_weights((clgrad_loss_kind)k))
            continue;
        loss_drawn *drawn = loss_draw(clgrad_loss_defaults((clgrad_loss_kind)k), 8, shape, LOSS_WITH_WEIGHT);
        for (int odd = 0; odd < 2; odd++) {
            drawn->c.weight = (loss_weight){.numbers = numbers, .rank = 8};
            for (int d = 0; d < 8; d++)
                drawn->c.weight.shape[d] = d % 2 == odd ? 1 : shape[d];
            loss_case_check_reference(context, &drawn->c);
        }
        loss_drawn_free(drawn);
    }
}

int main(void)
{
    const test_case cases[] = {CASE(every_shape_that_broadcasts), CASE(one_weight_alone),
                               CASE(other_shapes_of_the_prediction),
                               CASE(as_many_dimensions_as_there_can_be)};
    return run_on_every_device(cases, COUNT(cases));
}
