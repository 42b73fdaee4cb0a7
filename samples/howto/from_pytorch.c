/*
 * A model of PyTorch's in clgrad: from_pytorch MODEL.safetensors, a file that tests/golden/pytorch_values.py
 * has written. Its answers to some rows, and 100 steps of its training.
 */
#include <clgrad/clgrad.h>

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 64, INPUTS = 8, CLASSES = 3, BATCH = 16, STEPS = 100 };

static void must(clgrad_context *context, clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
        exit(1);
    }
}

/* The numbers that the script makes, to the last bit. */
static void make_data(float (*x)[INPUTS], int32_t *classes)
{
    uint32_t state = 1;
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < INPUTS; k++) {
            state = state * 1664525u + 1013904223u;
            x[i][k] = (float)(state >> 8) * 0x1p-23f - 1;
        }
        classes[i] = (x[i][0] > x[i][1]) + (x[i][2] > x[i][3] * x[i][4]);
    }
}

int main(int argc, char **argv)
{
    static float x_numbers[ROWS][INPUTS], outputs[ROWS][CLASSES];
    static int32_t classes[ROWS];
    clgrad_context *context;
    clgrad_message message;
    if (argc != 2)
        return fprintf(stderr, "from_pytorch MODEL.safetensors\n"), 2;
    if (clgrad_context_create(NULL, &context, &message) != CLGRAD_STATUS_SUCCESS)
        return fprintf(stderr, "%s\n", message.text), 1;
    make_data(x_numbers, classes);

    // [model]
    clgrad_layer layers[] = {
        clgrad_layer_dense(32, CLGRAD_ACTIVATION_IDENTITY),      /* 0: Linear(8, 32) */
        clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),          /* 1: BatchNorm1d(32) */
        clgrad_layer_activation(CLGRAD_ACTIVATION_GELU),         /* 2: GELU() */
        clgrad_layer_dense(16, CLGRAD_ACTIVATION_IDENTITY),      /* 3: Linear(32, 16) */
        clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM),          /* 4: LayerNorm(16) */
        clgrad_layer_activation(CLGRAD_ACTIVATION_GELU),         /* 5: GELU() */
        clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT),             /* 6: Dropout(0.0) */
        clgrad_layer_dense(CLASSES, CLGRAD_ACTIVATION_IDENTITY), /* 7: Linear(16, 3) */
    };
    layers[6].p = 0;
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS;
    options.layers = layers;
    options.layer_count = 8;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW);
    options.optimizer.lr = 0.003f;
    options.optimizer.weight_decay = 0.01f;
    // [model end]

    // [load]
    clgrad_network *network;
    must(context, clgrad_network_create(context, &options, &network));
    must(context, clgrad_network_load_parameters(network, argv[1]));
    // [load end]

    // [predict]
    clgrad_tensor x, target, prediction, loss;
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){ROWS, INPUTS}, &x));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, (size_t[]){ROWS}, &target));
    must(context,
         clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){ROWS, CLASSES}, &prediction));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss));
    must(context, clgrad_tensor_write(context, x, x_numbers, sizeof x_numbers));
    must(context, clgrad_tensor_write(context, target, classes, sizeof classes));
    must(context, clgrad_network_predict(network, x, prediction));
    must(context, clgrad_tensor_read(context, prediction, outputs, sizeof outputs));
    for (int i = 0; i < 3; i++)
        printf("%8.4f %8.4f %8.4f\n", (double)outputs[i][0], (double)outputs[i][1], (double)outputs[i][2]);
    // [predict end]

    // [train]
    for (size_t n = 0; n < STEPS; n++) {
        const size_t first = n * BATCH % ROWS;
        float value;
        must(context, clgrad_network_train_step(network, clgrad_tensor_rows(x, first, BATCH),
                                                clgrad_tensor_rows(target, first, BATCH), loss));
        must(context, clgrad_tensor_read(context, loss, &value, sizeof value));
        if (n % 33 == 0)
            printf("step %2zu: loss %.4f\n", n, (double)value);
    }
    // [train end]

    clgrad_buffer_destroy(x.buffer);
    clgrad_buffer_destroy(target.buffer);
    clgrad_buffer_destroy(prediction.buffer);
    clgrad_buffer_destroy(loss.buffer);
    clgrad_network_destroy(network);
    clgrad_context_destroy(context);
    return 0;
}
