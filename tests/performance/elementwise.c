/* elementwise/<elements>/<activation>/forward or backward */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

typedef struct elementwise {
    clgrad_activation activation;
    clgrad_tensor x, y, dy, dx; /* backward x holds y where that will do, as in a network and in PyTorch */
} elementwise;

static bool forward(bench *b)
{
    const elementwise *e = b->state;
    return bench_check(b, clgrad_activation_forward(b->context, &e->activation, e->x, e->y));
}

static bool backward(bench *b)
{
    const elementwise *e = b->state;
    return bench_check(b, clgrad_activation_backward(b->context, &e->activation, e->x, e->dy, e->dx));
}

bool bench_open_elementwise(bench *b, char **words, size_t count)
{
    size_t n, sizes;
    clgrad_activation_kind kind;
    if (count != 3 || !bench_sizes(b, words[0], 'x', &n, 1, &sizes) ||
        !clgrad_activation_parse(words[1], &kind))
        return bench_fail(b, "a case is elementwise/<elements>/<activation>/<direction>");
    elementwise *e = b->state = calloc(1, sizeof *e);
    if (e == NULL)
        return bench_fail(b, "the host is out of memory");
    e->activation = clgrad_activation_defaults(kind);
    e->activation.given_output = true;

    const bool positive = kind == CLGRAD_ACTIVATION_LOG || kind == CLGRAD_ACTIVATION_SQRT;
    const bench_range x = {1, positive ? 0.125 : -6, 6}, dy = {2, -1, 1};
    if (!bench_tensor(b, &x, 1, &n, &e->x))
        return false;
    if (strcmp(words[2], "forward") == 0) {
        b->repeat = forward;
        if (!bench_tensor(b, NULL, 1, &n, &e->y))
            return false;
        bench_result_add(b, e->y, NULL);
        return true;
    }
    b->repeat = backward;
    if (!bench_tensor(b, &dy, 1, &n, &e->dy) || !bench_tensor(b, NULL, 1, &n, &e->dx))
        return false;
    bench_result_add(b, e->dx, NULL);
    return !clgrad_activation_from_output(&e->activation) ||
           bench_check(b, clgrad_activation_forward(b->context, &e->activation, e->x, e->x));
}
