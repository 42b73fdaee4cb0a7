#include "shapes.h"

#include <stdio.h>

// [sizes]
enum { ROWS = 3000, BATCH = 50, EPOCHS = 7 };

static float pictures[ROWS][PIXELS];
static int32_t kinds[ROWS];
// [sizes end]

// [accuracy]
enum { TEST_ROWS = 1000 };

/* How many of the pictures drawn for a seed the network takes for what they are, in percent. */
static double accuracy(clgrad_context *context, clgrad_network *network, unsigned seed)
{
    static float seen[TEST_ROWS][PIXELS], scores[TEST_ROWS][KINDS];
    static int32_t truth[TEST_ROWS];
    clgrad_tensor x, prediction;
    draw_shapes(seed, TEST_ROWS, seen, truth);
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){TEST_ROWS, PIXELS}, &x));
    must(context,
         clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){TEST_ROWS, KINDS}, &prediction));
    must(context, clgrad_tensor_write(context, x, seen, sizeof seen));
    must(context, clgrad_network_predict(network, x, prediction));
    must(context, clgrad_tensor_read(context, prediction, scores, sizeof scores));
    int right = 0;
    for (int row = 0; row < TEST_ROWS; row++) {
        int best = 0;
        for (int k = 1; k < KINDS; k++)
            if (scores[row][k] > scores[row][best])
                best = k;
        right += best == truth[row];
    }
    clgrad_buffer_destroy(x.buffer);
    clgrad_buffer_destroy(prediction.buffer);
    return 100.0 * right / TEST_ROWS;
}
// [accuracy end]

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

    // [data]
    clgrad_tensor x, target, loss;
    draw_shapes(1, ROWS, pictures, kinds);
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){ROWS, PIXELS}, &x));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, (size_t[]){ROWS}, &target));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss));
    must(context, clgrad_tensor_write(context, x, pictures, sizeof pictures));
    must(context, clgrad_tensor_write(context, target, kinds, sizeof kinds));
    // [data end]

    // [train]
    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        for (size_t first = 0; first < ROWS; first += BATCH)
            must(context, clgrad_network_train_step(network, clgrad_tensor_rows(x, first, BATCH),
                                                    clgrad_tensor_rows(target, first, BATCH), loss));
        float value;
        must(context, clgrad_network_evaluate(network, x, target, loss));
        must(context, clgrad_tensor_read(context, loss, &value, sizeof value));
        printf("epoch %d: loss %.2f\n", epoch, (double)value);
    }
    // [train end]

    // [call]
    printf("of new pictures %.0f %% are right, of those trained on %.0f %%\n", accuracy(context, network, 2),
           accuracy(context, network, 1));
    // [call end]

    clgrad_buffer_destroy(x.buffer);
    clgrad_buffer_destroy(target.buffer);
    clgrad_buffer_destroy(loss.buffer);
    clgrad_network_destroy(network);
    clgrad_context_destroy(context);
    return 0;
}
