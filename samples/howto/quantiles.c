#include "quantiles.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const float quantiles[QUANTILES] = {0.1f, 0.5f, 0.9f};

void must(clgrad_context *context, clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
        exit(1);
    }
}

/* Numbers from 0 to 1 that look random. */
static float draw(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) * 0x1p-24f;
}

static void create(learner *l, size_t columns, clgrad_tensor *tensor)
{
    must(l->context,
         clgrad_tensor_create(l->context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){ROWS, columns}, tensor));
}

void learner_create(learner *l)
{
    float x[ROWS], y[ROWS];
    clgrad_message message;
    if (clgrad_context_create(NULL, &l->context, &message) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s\n", message.text);
        exit(1);
    }
    const clgrad_layer layers[] = {clgrad_layer_dense(32, CLGRAD_ACTIVATION_TANH),
                                   clgrad_layer_dense(QUANTILES, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 1, options.layers = layers, options.layer_count = 2;
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    options.optimizer.lr = 0.01f;
    must(l->context, clgrad_network_create(l->context, &options, &l->network));
    for (int i = 0; i < ROWS; i++) {
        x[i] = l->numbers[i][0] = draw();
        y[i] = l->numbers[i][1] = x[i] * x[i] + (0.1f + x[i]) * (draw() + draw() + draw() - 1.5f);
    }
    create(l, 1, &l->x);
    create(l, 1, &l->y);
    create(l, QUANTILES, &l->prediction);
    create(l, QUANTILES, &l->dprediction);
    must(l->context, clgrad_tensor_write(l->context, l->x, x, sizeof x));
    must(l->context, clgrad_tensor_write(l->context, l->y, y, sizeof y));
}

void learner_destroy(learner *l)
{
    clgrad_buffer_destroy(l->x.buffer);
    clgrad_buffer_destroy(l->y.buffer);
    clgrad_buffer_destroy(l->prediction.buffer);
    clgrad_buffer_destroy(l->dprediction.buffer);
    clgrad_network_destroy(l->network);
    clgrad_context_destroy(l->context);
}

void print_shares(learner *l)
{
    static float prediction[ROWS][QUANTILES];
    must(l->context, clgrad_network_predict(l->network, l->x, l->prediction));
    must(l->context, clgrad_tensor_read(l->context, l->prediction, prediction, sizeof prediction));
    for (int k = 0; k < QUANTILES; k++) {
        int below = 0;
        for (int i = 0; i < ROWS; i++)
            below += l->numbers[i][1] < prediction[i][k];
        printf("below the %g quantile: %.0f %%\n", (double)quantiles[k], 100.0 * below / ROWS);
    }
}
