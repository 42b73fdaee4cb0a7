#include "shapes.h"

#include <stdio.h>

int main(void)
{
    clgrad_context *context = open_context();

    // [network]
    const clgrad_layer layers[] = {clgrad_layer_dense(64, CLGRAD_ACTIVATION_RELU),
                                   clgrad_layer_dense(KINDS, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = PIXELS;
    options.layers = layers;
    options.layer_count = 2;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    options.optimizer.lr = 0.003f;
    options.seed = 1;
    clgrad_network *network;
    must(context, clgrad_network_create(context, &options, &network));
    // [network end]

    // [predict]
    static float picture[1][PIXELS];
    int32_t kind[1];
    float scores[KINDS];
    clgrad_tensor x, prediction;
    draw_shapes(8, 1, picture, kind);
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){1, PIXELS}, &x));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){1, KINDS}, &prediction));
    must(context, clgrad_tensor_write(context, x, picture, sizeof picture));
    must(context, clgrad_network_predict(network, x, prediction));
    must(context, clgrad_tensor_read(context, prediction, scores, sizeof scores));
    printf("%zu parameters\n", clgrad_tensor_count(clgrad_network_parameters(network)));
    printf("this is a %s\n", kind_names[kind[0]]);
    for (int k = 0; k < KINDS; k++)
        printf("%-6s %6.3f\n", kind_names[k], (double)scores[k]);
    // [predict end]

    // [destroy]
    clgrad_buffer_destroy(x.buffer);
    clgrad_buffer_destroy(prediction.buffer);
    clgrad_network_destroy(network);
    clgrad_context_destroy(context);
    // [destroy end]
    return 0;
}
