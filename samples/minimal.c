/* The smallest program that trains: a network learns exclusive or, on the device that CLGRAD_DEVICE names or
 * the best. */
#include <clgrad/clgrad.h>
#include <stdio.h>

int main(void)
{
    const float inputs[8] = {0, 0, 0, 1, 1, 0, 1, 1}, wanted[4] = {0, 1, 1, 0};
    clgrad_layer layers[] = {clgrad_layer_dense(8, CLGRAD_ACTIVATION_TANH),
                             clgrad_layer_dense(1, CLGRAD_ACTIVATION_SIGMOID)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 2, options.layers = layers, options.layer_count = 2;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_BCE), options.optimizer.lr = 1;

    clgrad_message message;
    clgrad_context *context;
    if (clgrad_context_create(NULL, &context, &message))
        return puts(message.text), 1;
    clgrad_network *network = NULL;
    clgrad_tensor x = {0}, target = {0}, loss = {0};
    bool failed = clgrad_network_create(context, &options, &network) ||
                  clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){4, 2}, &x) ||
                  clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){4, 1}, &target) ||
                  clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss) ||
                  clgrad_tensor_write(context, x, inputs, sizeof inputs) ||
                  clgrad_tensor_write(context, target, wanted, sizeof wanted);
    for (int step = 1; step <= 1000 && !failed; step++)
        failed = clgrad_network_train_step(network, x, target, loss);
    float value = 0;
    failed = failed || clgrad_tensor_read(context, loss, &value, sizeof value);
    if (failed)
        puts(clgrad_context_error(context));
    else
        printf("loss after 1000 steps: %.4f\n", value);

    clgrad_network_destroy(network);
    clgrad_buffer_destroy(x.buffer), clgrad_buffer_destroy(target.buffer), clgrad_buffer_destroy(loss.buffer);
    clgrad_context_destroy(context);
    return failed;
}
