/*
 * From a program's own records to a trained network: packing, normalising, shuffled batches, a label that is
 * wrong.
 */
#include <clgrad/clgrad.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

// [records]
/* What the program has: readings of a machine, and the state that it was in. */
typedef struct reading {
    double temperature; /* degrees */
    double pressure;    /* pascals */
    unsigned char vibration;
    int state; /* 0 good, 1 worn, 2 broken */
} reading;

enum { FEATURES = 3, STATES = 3, READINGS = 1030, TRAINING = 830, BATCH = 64, EPOCHS = 20 };
// [records end]

static void must(clgrad_context *context, clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
        exit(1);
    }
}

/* Numbers from 0 to 1 that look random. */
static double draw(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) * 0x1p-24;
}

static void draw_readings(reading *readings)
{
    for (size_t i = 0; i < READINGS; i++) {
        const int state = (int)(3 * draw());
        readings[i] = (reading){.temperature = 60 + 4 * state + 14 * draw(),
                                .pressure = 101325 + 500 * (state == 1) + 800 * draw(),
                                .vibration = (unsigned char)(10 + 50 * state + 70 * draw()),
                                .state = state};
    }
}

// [pack]
/* One row of float32 for each reading, one after the other, and its class. */
static void pack(const reading *readings, float (*rows)[FEATURES], int32_t *classes)
{
    for (size_t i = 0; i < READINGS; i++) {
        rows[i][0] = (float)readings[i].temperature;
        rows[i][1] = (float)readings[i].pressure;
        rows[i][2] = readings[i].vibration;
        classes[i] = readings[i].state;
    }
}
// [pack end]

// [normalize]
/* Every column less its mean, divided by its standard deviation, both of the rows of the training alone. */
static void normalize(float (*rows)[FEATURES])
{
    for (size_t k = 0; k < FEATURES; k++) {
        double mean = 0, variance = 0;
        for (size_t i = 0; i < TRAINING; i++)
            mean += (double)rows[i][k] / TRAINING;
        for (size_t i = 0; i < TRAINING; i++)
            variance += pow((double)rows[i][k] - mean, 2) / TRAINING;
        for (size_t i = 0; i < READINGS; i++)
            rows[i][k] = (float)(((double)rows[i][k] - mean) / sqrt(variance));
    }
}
// [normalize end]

// [shuffle]
/* Fisher and Yates: every order is as likely as any other. */
static void shuffle(int32_t *order, int32_t count)
{
    for (int32_t i = count - 1; i > 0; i--) {
        const int32_t k = (int32_t)((i + 1) * draw()), kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
}
// [shuffle end]

int main(void)
{
    static reading readings[READINGS];
    static float rows[READINGS][FEATURES], scores[READINGS][STATES];
    static int32_t classes[READINGS], order[TRAINING];
    clgrad_context *context;
    clgrad_message message;
    if (clgrad_context_create(NULL, &context, &message) != CLGRAD_STATUS_SUCCESS)
        return fprintf(stderr, "%s\n", message.text), 1;
    draw_readings(readings);
    pack(readings, rows, classes);
    normalize(rows);

    const clgrad_layer layers[] = {clgrad_layer_dense(16, CLGRAD_ACTIVATION_RELU),
                                   clgrad_layer_dense(STATES, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = FEATURES, options.layers = layers, options.layer_count = 2;
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    options.optimizer.lr = 0.01f;
    clgrad_network *network;
    must(context, clgrad_network_create(context, &options, &network));

    // [upload]
    clgrad_tensor all_x, all_target, indices, x, target, loss;
    must(context,
         clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){READINGS, FEATURES}, &all_x));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, (size_t[]){READINGS}, &all_target));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, (size_t[]){TRAINING}, &indices));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){BATCH, FEATURES}, &x));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, (size_t[]){BATCH}, &target));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss));
    must(context, clgrad_tensor_write(context, all_x, rows, sizeof rows));
    must(context, clgrad_tensor_write(context, all_target, classes, sizeof classes));
    // [upload end]

    // [train]
    for (int32_t i = 0; i < TRAINING; i++)
        order[i] = i;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        shuffle(order, TRAINING);
        must(context, clgrad_tensor_write(context, indices, order, sizeof order));
        for (size_t first = 0; first < TRAINING; first += BATCH) {
            const size_t count = TRAINING - first < BATCH ? TRAINING - first : BATCH;
            const clgrad_tensor chosen = clgrad_tensor_rows(indices, first, count),
                                some_x = clgrad_tensor_rows(x, 0, count),
                                some_target = clgrad_tensor_rows(target, 0, count);
            must(context, clgrad_tensor_gather(context, all_x, chosen, some_x));
            must(context, clgrad_tensor_gather(context, all_target, chosen, some_target));
            must(context, clgrad_network_train_step(network, some_x, some_target, loss));
        }
    }
    // [train end]

    // [test]
    clgrad_tensor prediction;
    must(context,
         clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){READINGS, STATES}, &prediction));
    must(context, clgrad_network_predict(network, all_x, prediction));
    must(context, clgrad_tensor_read(context, prediction, scores, sizeof scores));
    int right = 0;
    for (size_t i = TRAINING; i < READINGS; i++) {
        const float *s = scores[i];
        const int best = s[2] > s[1] && s[2] > s[0] ? 2 : s[1] > s[0] ? 1 : 0;
        right += best == classes[i];
    }
    printf("%.0f %% of the %d readings kept for the test\n", 100.0 * right / (READINGS - TRAINING),
           READINGS - TRAINING);
    // [test end]

    // [wrong]
    classes[17] = 7;
    must(context, clgrad_tensor_write(context, all_target, classes, sizeof classes));
    must(context, clgrad_network_train_step(network, all_x, all_target, loss));
    const clgrad_status status = clgrad_context_finish(context);
    printf("%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
    // [wrong end]

    const clgrad_tensor tensors[] = {all_x, all_target, indices, x, target, loss, prediction};
    for (size_t i = 0; i < sizeof tensors / sizeof tensors[0]; i++)
        clgrad_buffer_destroy(tensors[i].buffer);
    clgrad_network_destroy(network);
    clgrad_context_destroy(context);
    return 0;
}
