/* Three ways in which a loss becomes NaN, and how the first wrong number is found. */
#include <clgrad/clgrad.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 64, STEPS = 200 };

static void must(clgrad_context *context, clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
        exit(1);
    }
}

/* What differs from run to run. */
typedef struct trial {
    const char *what;
    float lr, missing;
    clgrad_activation_kind hidden;
} trial;

// [run]
/* Train, and look at the loss at the end. */
static clgrad_status run(clgrad_context *context, clgrad_network *network, clgrad_tensor x, clgrad_tensor y,
                         clgrad_tensor loss)
{
    float value;
    for (int step = 0; step < STEPS; step++) {
        must(context, clgrad_network_train_step(network, x, y, loss));
        if (step % 10 == 0) {
            const clgrad_status status = clgrad_tensor_read(context, loss, &value, sizeof value);
            if (status != CLGRAD_STATUS_SUCCESS)
                return status;
        }
    }
    printf("  the loss is %.2f\n", (double)fabsf(value)); /* NaN may have a sign too */
    return CLGRAD_STATUS_SUCCESS;
}
// [run end]

/* The same training, with clgrad looking at every result or not. */
static void try(clgrad_context *context, const trial *t, bool detect)
{
    float numbers[ROWS][2], squares[ROWS];
    for (int i = 0; i < ROWS; i++) {
        numbers[i][0] = (float)i / ROWS;
        numbers[i][1] = (float)(i * 7 % ROWS) / ROWS;
        squares[i] = numbers[i][0] * numbers[i][1];
    }
    numbers[17][1] += t->missing;
    const clgrad_layer layers[] = {clgrad_layer_dense(8, t->hidden),
                                   clgrad_layer_dense(1, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 2, options.layers = layers, options.layer_count = 2;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    options.optimizer.lr = t->lr;
    clgrad_network *network;
    clgrad_tensor x, y, loss;
    must(context, clgrad_network_create(context, &options, &network));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){ROWS, 2}, &x));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){ROWS, 1}, &y));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss));
    // [detect]
    must(context, clgrad_context_detect_anomaly(context, detect));
    must(context, clgrad_tensor_write(context, x, numbers, sizeof numbers));
    must(context, clgrad_tensor_write(context, y, squares, sizeof squares));
    const clgrad_status status = run(context, network, x, y, loss);
    if (status == CLGRAD_STATUS_NOT_FINITE)
        printf("  %s\n", clgrad_context_error(context));
    // [detect end]
    must(context, clgrad_context_detect_anomaly(context, false));
    clgrad_buffer_destroy(x.buffer);
    clgrad_buffer_destroy(y.buffer);
    clgrad_buffer_destroy(loss.buffer);
    clgrad_network_destroy(network);
}

int main(void)
{
    // [trials]
    const trial trials[] = {
        {"a number that is missing", 0.1f, NAN, CLGRAD_ACTIVATION_TANH},
        {"the logarithm of a negative number", 0.1f, 0, CLGRAD_ACTIVATION_LOG},
        {"a learning rate that is too large", 30, 0, CLGRAD_ACTIVATION_RELU},
        {"nothing wrong", 0.1f, 0, CLGRAD_ACTIVATION_TANH},
    };
    // [trials end]
    clgrad_context *context;
    clgrad_message message;
    if (clgrad_context_create(NULL, &context, &message) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s\n", message.text);
        return 1;
    }
    for (size_t i = 0; i < sizeof trials / sizeof trials[0]; i++) {
        printf("%s:\n", trials[i].what);
        try(context, &trials[i], false);
        try(context, &trials[i], true);
    }
    clgrad_context_destroy(context);
    return 0;
}
