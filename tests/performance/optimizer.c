/* optimizer/<optimizer>/<parameters>: one step over a flat array, which here is one call */
#include "bench.h"

#include <stdlib.h>

typedef struct optimizer_state {
    clgrad_optimizer optimizer;
    uint64_t step;
    clgrad_tensor gradient, parameters, state;
} optimizer_state;

static bool step(bench *b)
{
    optimizer_state *s = b->state;
    return bench_check(
        b, clgrad_optimizer_step(b->context, &s->optimizer, ++s->step, s->gradient, s->parameters, s->state));
}

bool bench_open_optimizer(bench *b, char **words, size_t count)
{
    size_t n, sizes;
    clgrad_optimizer_kind kind;
    if (count != 2 || !clgrad_optimizer_parse(words[0], &kind) ||
        !bench_sizes(b, words[1], 'x', &n, 1, &sizes))
        return bench_fail(b, "a case is optimizer/<optimizer>/<parameters>");
    optimizer_state *s = b->state = calloc(1, sizeof *s);
    if (s == NULL)
        return bench_fail(b, "the host is out of memory");
    s->optimizer = clgrad_optimizer_defaults(kind);
    if (kind == CLGRAD_OPTIMIZER_SGD)
        s->optimizer.momentum = 0.9f;
    b->repeat = step;

    const bench_range gradient = {1, -1, 1}, parameters = {2, -1, 1};
    const size_t state[2] = {clgrad_optimizer_slots(&s->optimizer), n};
    if (!bench_tensor(b, &gradient, 1, &n, &s->gradient) ||
        !bench_tensor(b, &parameters, 1, &n, &s->parameters) || !bench_tensor(b, NULL, 2, state, &s->state))
        return false;
    float *initial = bench_numbers(parameters, n);
    if (initial == NULL)
        return bench_fail(b, "the host is out of memory");
    bench_result_add(b, s->parameters, initial);
    return true;
}
