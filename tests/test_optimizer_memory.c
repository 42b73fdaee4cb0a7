/*
 * Optimizers and clipping read nothing that has not been written. Every buffer here is new and lives to the
 * end: oclgrind takes what the host writes into the place of a smaller buffer for uninitialised
 * (run_oclgrind.sh).
 */
#include "optimizer_case.h"

#include <math.h>

enum { N = 9, MAX_TENSORS = 4 * 2 * CLGRAD_OPTIMIZER_COUNT + 8 };

typedef struct tensor_list {
    clgrad_tensor tensors[MAX_TENSORS];
    size_t count;
} tensor_list;

static clgrad_tensor keep(tensor_list *list, clgrad_tensor tensor)
{
    assert_true(list->count < MAX_TENSORS);
    list->tensors[list->count++] = tensor;
    return tensor;
}

static const float numbers[N] = {1, -2, 3, 0, 5, -6, 0.5f, 8, 1e-3f};

static void steps_of(clgrad_context *context, tensor_list *list, clgrad_optimizer optimizer)
{
    static const int32_t rows[][2] = {{4, 0}, {6, -1}, {8, 0}};
    const size_t slots = clgrad_optimizer_slots(&optimizer);
    clgrad_tensor w = keep(list, vector_with(context, N, numbers)), state = clgrad_tensor_none();
    clgrad_tensor g = keep(list, vector_with(context, N, numbers));
    clgrad_tensor ranges = keep(list, tensor_with(context, CLGRAD_TYPE_INT32, 2, (size_t[]){3, 2}, rows));
    if (slots > 0)
        state = keep(list, matrix_with(context, slots, N, NULL));
    for (uint64_t step = 1; step <= 3; step++) {
        assert_ok(context, clgrad_optimizer_step(context, &optimizer, step, g, w, state));
        assert_ok(context, clgrad_optimizer_step_groups(context, &optimizer, 1, ranges, step, g, w, state));
    }
}

static void all_that_is_read_has_been_written(clgrad_context *context)
{
    static const float norm_types[] = {1, 2, 3, INFINITY};
    tensor_list list = {.count = 0};
    for (int kind = 0; kind < CLGRAD_OPTIMIZER_COUNT; kind++) {
        steps_of(context, &list, clgrad_optimizer_defaults((clgrad_optimizer_kind)kind));
        steps_of(context, &list, optimizer_all_other((clgrad_optimizer_kind)kind));
    }
    clgrad_tensor gradient = keep(&list, vector_with(context, N, numbers));
    clgrad_tensor norm = keep(&list, scalar_with(context, 0));
    for (size_t i = 0; i < COUNT(norm_types); i++)
        assert_ok(context, clgrad_clip_grad_norm(context, 1, norm_types[i], gradient, norm));
    assert_ok(context, clgrad_clip_grad_value(context, 0.1f, gradient));
    for (size_t i = 0; i < list.count; i++)
        tensor_free(context, list.tensors[i]);
}

int main(void)
{
    const test_case cases[] = {CASE(all_that_is_read_has_been_written)};
    return run_on_every_device(cases, COUNT(cases));
}
