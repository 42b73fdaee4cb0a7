/* step/<optimizer>/<784-128-10>/<batch>: a training step of dense layers, ReLU between them, cross-entropy */
#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 8 };

/* The check takes steps that change something. The timing takes very small ones, so that the network stays
 * what it is: trained to the end on one batch, it would have gradients of nothing but denormal numbers. */
static const float checked_lr = 0.01f, timed_lr = 1e-7f;

typedef struct step_state {
    clgrad_network *network;
    clgrad_optimizer optimizer;
    clgrad_tensor x, target, loss;
} step_state;

static bool step(bench *b)
{
    const step_state *s = b->state;
    return bench_check(b, clgrad_network_train_step(s->network, s->x, s->target, s->loss));
}

static bool settle(bench *b)
{
    step_state *s = b->state;
    s->optimizer.lr = timed_lr;
    return bench_check(b, clgrad_network_set_optimizer(s->network, &s->optimizer));
}

static void close_network(bench *b)
{
    const step_state *s = b->state;
    clgrad_network_destroy(s->network);
}

static bool make_network(bench *b, step_state *s, const size_t *widths, size_t layer_count)
{
    clgrad_layer layers[MAX_LAYERS];
    for (size_t i = 0; i < layer_count; i++)
        layers[i] = clgrad_layer_dense(widths[i + 1], i + 1 < layer_count ? CLGRAD_ACTIVATION_RELU
                                                                          : CLGRAD_ACTIVATION_IDENTITY);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = widths[0], options.layers = layers, options.layer_count = layer_count;
    options.optimizer = s->optimizer;
    return bench_check(b, clgrad_network_create(b->context, &options, &s->network));
}

/* Layer by layer weight, then bias 0; the other side does the same. */
static float *make_parameters(const size_t *widths, size_t layer_count, size_t count)
{
    float *parameters = calloc(count, sizeof *parameters);
    size_t end = 0;
    for (size_t i = 0; parameters != NULL && i < layer_count; i++) {
        const size_t weights = widths[i] * widths[i + 1];
        const double bound = sqrt(6.0 / (double)widths[i]);
        float *numbers = bench_numbers((bench_range){10 + (uint32_t)i, -bound, bound}, weights);
        if (numbers == NULL) {
            free(parameters);
            return NULL;
        }
        memcpy(parameters + end, numbers, weights * sizeof *numbers);
        free(numbers);
        end += weights + widths[i + 1];
    }
    return parameters;
}

bool bench_open_step(bench *b, char **words, size_t count)
{
    size_t widths[MAX_LAYERS + 1], width_count, batch, sizes;
    clgrad_optimizer_kind kind;
    if (count != 3 || !clgrad_optimizer_parse(words[0], &kind) ||
        !bench_sizes(b, words[1], '-', widths, MAX_LAYERS + 1, &width_count) || width_count < 2 ||
        !bench_sizes(b, words[2], 'x', &batch, 1, &sizes))
        return bench_fail(b, "a case is step/<optimizer>/<inputs>-<width>-...-<classes>/<batch>");
    step_state *s = b->state = calloc(1, sizeof *s);
    if (s == NULL)
        return bench_fail(b, "the host is out of memory");
    b->close = close_network, b->settle = settle, b->repeat = step;
    s->optimizer = clgrad_optimizer_defaults(kind);
    s->optimizer.lr = checked_lr;
    if (kind == CLGRAD_OPTIMIZER_SGD)
        s->optimizer.momentum = 0.9f;

    const size_t layer_count = width_count - 1, rows[2] = {batch, widths[0]};
    const bench_range x = {1, -1, 1};
    if (!make_network(b, s, widths, layer_count) || !bench_tensor(b, &x, 2, rows, &s->x) ||
        !bench_classes(b, 2, batch, widths[layer_count], &s->target) ||
        !bench_tensor(b, NULL, 0, NULL, &s->loss))
        return false;
    const clgrad_tensor parameters = clgrad_network_parameters(s->network);
    const size_t parameter_count = clgrad_tensor_count(parameters);
    float *initial = make_parameters(widths, layer_count, parameter_count);
    if (initial == NULL)
        return bench_fail(b, "the host is out of memory");
    bench_result_add(b, s->loss, NULL);
    bench_result_add(b, parameters, initial);
    return bench_check(
        b, clgrad_tensor_write(b->context, parameters, initial, parameter_count * sizeof *initial));
}
