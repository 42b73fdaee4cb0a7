#include "train_check.h"

#include "train_session.h"

#include <math.h>
#include <stdlib.h>

/* What one side holds after a step: loss, then gradients, then weights. */
typedef struct snapshot {
    float loss;
    size_t count;     /* parameters */
    float *gradients; /* count */
    float *weights;   /* count */
} snapshot;

static bool snapshot_create(size_t count, snapshot *shot, clgrad_message *message)
{
    *shot = (snapshot){.count = count};
    shot->gradients = train_allocate(count, sizeof *shot->gradients, message);
    shot->weights = train_allocate(count, sizeof *shot->weights, message);
    return shot->gradients != NULL && shot->weights != NULL;
}

static void snapshot_destroy(snapshot *shot)
{
    free(shot->gradients);
    free(shot->weights);
}

/* Train on one batch, and read what it left. */
static bool train_and_read(train_session *session, size_t batch, snapshot *shot, clgrad_message *message)
{
    size_t rows;
    if (!train_session_batch(session, 0, batch, &rows, message))
        return false;
    clgrad_context *context = session->context;
    clgrad_network *network = session->network;
    const size_t bytes = shot->count * sizeof(float);
    clgrad_status status = clgrad_tensor_read(context, clgrad_tensor_rows(session->losses, batch, 1),
                                              &shot->loss, sizeof shot->loss);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_read(context, clgrad_network_gradients(network), shot->gradients, bytes);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_read(context, clgrad_network_parameters(network), shot->weights, bytes);
    return train_succeeded(context, status, message);
}

/* The largest difference of any element, relative to the reference's largest. NaN anywhere gives NaN. */
static double relative_difference(const float *device, const float *reference, size_t count)
{
    double difference = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        double d = fabs((double)device[i] - (double)reference[i]);
        if (!(d <= difference))
            difference = d;
        if (isnan(difference))
            return difference;
        largest = fmax(largest, fabs((double)reference[i]));
    }
    return difference == 0 ? 0 : difference / largest;
}

/*
 * The distance from the reference, relative to the reference's length. For weights: an optimizer that divides
 * the gradient by its size blows the rounding of an element close to 0 up to a step, which does not matter,
 * but would hide behind the largest difference whatever does.
 */
static double relative_distance(const float *device, const float *reference, size_t count)
{
    double distance = 0, length = 0;
    for (size_t i = 0; i < count; i++) {
        const double d = (double)device[i] - (double)reference[i];
        distance += d * d;
        length += (double)reference[i] * (double)reference[i];
    }
    return distance == 0 ? 0 : sqrt(distance / length);
}

/* The worst layer of a vector laid out as the network's parameters, each measured by itself. */
static double worst_layer(const clgrad_network *network, const float *device, const float *reference,
                          double (*measure)(const float *device, const float *reference, size_t count))
{
    const size_t begin = clgrad_network_parameters(network).offset;
    double worst = 0;
    for (size_t i = 0; i < clgrad_network_layer_count(network); i++) {
        const clgrad_tensor weight = clgrad_network_weight(network, i),
                            bias = clgrad_network_bias(network, i);
        if (weight.buffer == NULL)
            continue; /* no layer has a bias alone, which lies after the weight */
        const size_t first = weight.offset - begin;
        const size_t count =
            clgrad_tensor_count(weight) + (bias.buffer != NULL ? clgrad_tensor_count(bias) : 0);
        const double d = measure(device + first, reference + first, count);
        if (!(d <= worst))
            worst = d;
        if (isnan(worst))
            break;
    }
    return worst;
}

/* Print one line, and tell whether all of it is within the tolerance. */
static bool compare(const clgrad_network *network, size_t step, const snapshot *device,
                    const snapshot *reference)
{
    const double loss = relative_difference(&device->loss, &reference->loss, 1);
    const double gradients =
        worst_layer(network, device->gradients, reference->gradients, relative_difference);
    const double weights = worst_layer(network, device->weights, reference->weights, relative_distance);
    printf("  %4zu  %9.2e  %9.2e  %9.2e\n", step + 1, loss, gradients, weights);
    return loss <= TRAIN_CHECK_TOLERANCE && gradients <= TRAIN_CHECK_TOLERANCE &&
           weights <= TRAIN_CHECK_TOLERANCE;
}

bool train_check(clgrad_context *context, const train_options *options, const dataset *train, bool *passed,
                 clgrad_message *message)
{
    clgrad_context *reference_context = NULL;
    train_session on_device = {0}, on_reference = {0};
    snapshot device = {0}, reference = {0};
    bool done = false;

    *passed = true;
    if (clgrad_context_create("reference", &reference_context, message) != CLGRAD_STATUS_SUCCESS ||
        !train_session_create(context, options, train, NULL, &on_device, message) ||
        !train_session_create(reference_context, options, train, NULL, &on_reference, message) ||
        !train_session_shuffle(&on_device, 0, message) || !train_session_shuffle(&on_reference, 0, message))
        goto cleanup;
    const size_t count = clgrad_tensor_count(clgrad_network_parameters(on_device.network));
    if (!snapshot_create(count, &device, message) || !snapshot_create(count, &reference, message))
        goto cleanup;

    const size_t steps = options->check_steps < on_device.batches ? options->check_steps : on_device.batches;
    printf("check      the first %zu batches against the reference device\n"
           "  loss, gradients: the largest difference of any element, relative to the largest of its layer "
           "on the\n"
           "  reference; weights: the norm of the difference, relative to the norm of the layer\n"
           " batch       loss  gradients    weights\n",
           steps);
    for (size_t step = 0; step < steps; step++) {
        if (!train_and_read(&on_device, step, &device, message) ||
            !train_and_read(&on_reference, step, &reference, message))
            goto cleanup;
        *passed &= compare(on_device.network, step, &device, &reference);
        fflush(stdout);
    }
    if (*passed)
        printf("  passed: the tolerance is %.0e\n", TRAIN_CHECK_TOLERANCE);
    else
        printf("  FAILED: the tolerance is %.0e. Where an activation or a loss has a kink, an input within\n"
               "  rounding of it can fall on either side, which shows as a jump: does another --seed fail "
               "too?\n",
               TRAIN_CHECK_TOLERANCE);
    done = true;

cleanup:
    snapshot_destroy(&reference);
    snapshot_destroy(&device);
    train_session_destroy(&on_reference);
    train_session_destroy(&on_device);
    clgrad_context_destroy(reference_context);
    return done;
}
