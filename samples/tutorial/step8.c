#include "shapes.h"

#include <stdio.h>

int main(void)
{
    clgrad_context *context = open_context();

    // [load]
    const clgrad_layer layers[] = {clgrad_layer_dense(64, CLGRAD_ACTIVATION_RELU),
                                   clgrad_layer_dense(KINDS, CLGRAD_ACTIVATION_IDENTITY),
                                   clgrad_layer_defaults(CLGRAD_LAYER_SOFTMAX)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = PIXELS;
    options.layers = layers;
    options.layer_count = 3;
    clgrad_network *network;
    must(context, clgrad_network_create(context, &options, &network));
    must(context, clgrad_network_load_parameters(network, "shapes.safetensors"));
    // [load end]

    // [predict]
    static float pictures[2][PIXELS];
    int32_t kinds[2];
    float probabilities[2][KINDS];
    clgrad_tensor x, prediction;
    draw_shapes(31, 2, pictures, kinds);
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){2, PIXELS}, &x));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){2, KINDS}, &prediction));
    must(context, clgrad_tensor_write(context, x, pictures, sizeof pictures));
    must(context, clgrad_network_predict(network, x, prediction));
    must(context, clgrad_tensor_read(context, prediction, probabilities, sizeof probabilities));
    for (int n = 0; n < 2; n++) {
        print_picture(pictures[n]);
        for (int k = 0; k < KINDS; k++)
            printf("%s %.2f  ", kind_names[k], (double)probabilities[n][k]);
        printf("it is a %s\n", kind_names[kinds[n]]);
    }
    // [predict end]

    clgrad_buffer_destroy(x.buffer);
    clgrad_buffer_destroy(prediction.buffer);
    clgrad_network_destroy(network);
    clgrad_context_destroy(context);
    return 0;
}
