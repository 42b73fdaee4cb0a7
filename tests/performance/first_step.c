/* From the start of a process to the end of its first training step: first_step [specification]. */
#include <clgrad/clgrad.h>
#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 64, INPUTS = 784 };

int main(int argc, char **argv)
{
    clgrad_layer layers[] = {clgrad_layer_dense(128, CLGRAD_ACTIVATION_RELU),
                             clgrad_layer_dense(10, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS, options.layers = layers, options.layer_count = 2;

    clgrad_message message;
    clgrad_context *context;
    if (clgrad_context_create(argc > 1 ? argv[1] : NULL, &context, &message) != CLGRAD_STATUS_SUCCESS) {
        puts(message.text);
        return EXIT_FAILURE;
    }
    clgrad_network *network = NULL;
    clgrad_tensor x = {0}, target = {0}, loss = {0};
    float value = 0;
    const bool done = !clgrad_network_create(context, &options, &network) &&
                      !clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){BATCH, INPUTS}, &x) &&
                      !clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, (size_t[]){BATCH}, &target) &&
                      !clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss) &&
                      !clgrad_tensor_fill(context, x, 0.5) && !clgrad_tensor_fill(context, target, 3) &&
                      !clgrad_network_train_step(network, x, target, loss) &&
                      !clgrad_tensor_read(context, loss, &value, sizeof value);
    if (done)
        printf("%g\n", (double)value);
    else
        puts(clgrad_context_error(context));

    clgrad_network_destroy(network);
    clgrad_buffer_destroy(x.buffer), clgrad_buffer_destroy(target.buffer), clgrad_buffer_destroy(loss.buffer);
    clgrad_context_destroy(context);
    return done ? EXIT_SUCCESS : EXIT_FAILURE;
}
