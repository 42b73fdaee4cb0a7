/* dense/forward or backward/<batch>x<out>x<in>: a layer with bias and ReLU */
#include "bench.h"

#include <stdlib.h>
#include <string.h>

typedef struct dense_state {
    clgrad_activation activation;
    clgrad_tensor x, weight, bias, h;
    clgrad_tensor dh, dz, dweight, dbias, dx;
} dense_state;

static bool forward(bench *b)
{
    const dense_state *s = b->state;
    return bench_check(
        b, clgrad_dense_forward(b->context, &s->activation, s->x, s->weight, s->bias, s->h, s->h));
}

static bool backward(bench *b)
{
    const dense_state *s = b->state;
    return bench_check(b, clgrad_dense_backward(b->context, &s->activation, s->x, s->weight, s->h, s->dh,
                                                s->dz, s->dweight, s->dbias, s->dx));
}

static bool make_forward(bench *b, dense_state *s, const size_t *output, const size_t *weight,
                         const size_t *input)
{
    const bench_range x = {1, -1, 1}, w = {2, -1, 1}, bias = {3, -1, 1};
    return bench_tensor(b, &x, 2, input, &s->x) && bench_tensor(b, &w, 2, weight, &s->weight) &&
           bench_tensor(b, &bias, 1, weight, &s->bias) && bench_tensor(b, NULL, 2, output, &s->h);
}

static bool make_backward(bench *b, dense_state *s, const size_t *output, const size_t *weight,
                          const size_t *input)
{
    const bench_range dh = {4, -1, 1};
    return bench_tensor(b, &dh, 2, output, &s->dh) && bench_tensor(b, NULL, 2, output, &s->dz) &&
           bench_tensor(b, NULL, 2, weight, &s->dweight) && bench_tensor(b, NULL, 1, weight, &s->dbias) &&
           bench_tensor(b, NULL, 2, input, &s->dx);
}

bool bench_open_dense(bench *b, char **words, size_t count)
{
    size_t sizes[3], rank;
    if (count != 2 || !bench_sizes(b, words[1], 'x', sizes, 3, &rank) || rank != 3)
        return bench_fail(b, "a case is dense/<direction>/<batch>x<out>x<in>");
    dense_state *s = b->state = calloc(1, sizeof *s);
    if (s == NULL)
        return bench_fail(b, "the host is out of memory");
    s->activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU);

    const size_t output[2] = {sizes[0], sizes[1]}, weight[2] = {sizes[1], sizes[2]},
                 input[2] = {sizes[0], sizes[2]};
    if (!make_forward(b, s, output, weight, input))
        return false;
    if (strcmp(words[0], "forward") == 0) {
        b->repeat = forward;
        bench_result_add(b, s->h, NULL);
        return true;
    }
    b->repeat = backward;
    if (!make_backward(b, s, output, weight, input) || !forward(b))
        return false;
    bench_result_add(b, s->dweight, NULL);
    bench_result_add(b, s->dbias, NULL);
    bench_result_add(b, s->dx, NULL);
    return true;
}
