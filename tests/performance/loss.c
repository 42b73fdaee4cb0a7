/* loss/<loss>/<rows>x<columns>: the value and the gradient by the prediction */
#include "bench.h"

#include <stdlib.h>

typedef struct loss_state {
    clgrad_loss loss;
    clgrad_tensor prediction, target, value, dprediction;
} loss_state;

static bool value_and_gradient(bench *b)
{
    const loss_state *s = b->state;
    return bench_check(b, clgrad_loss_forward_backward(b->context, &s->loss, s->prediction, s->target,
                                                       s->value, s->dprediction));
}

bool bench_open_loss(bench *b, char **words, size_t count)
{
    size_t shape[2], rank;
    clgrad_loss_kind kind;
    if (count != 2 || !clgrad_loss_parse(words[0], &kind) ||
        !bench_sizes(b, words[1], 'x', shape, 2, &rank) || rank != 2)
        return bench_fail(b, "a case is loss/<loss>/<rows>x<columns>");
    loss_state *s = b->state = calloc(1, sizeof *s);
    if (s == NULL)
        return bench_fail(b, "the host is out of memory");
    s->loss = clgrad_loss_defaults(kind);
    b->repeat = value_and_gradient;

    const bench_range prediction = {1, -4, 4}, target = {2, 0, 1};
    const bool targets = clgrad_loss_describe(kind)->extent == CLGRAD_LOSS_CHANNEL
                             ? bench_classes(b, 2, shape[0], shape[1], &s->target)
                             : bench_tensor(b, &target, 2, shape, &s->target);
    if (!targets || !bench_tensor(b, &prediction, 2, shape, &s->prediction) ||
        !bench_tensor(b, NULL, 0, NULL, &s->value) || !bench_tensor(b, NULL, 2, shape, &s->dprediction))
        return false;
    bench_result_add(b, s->value, NULL);
    bench_result_add(b, s->dprediction, NULL);
    return true;
}
