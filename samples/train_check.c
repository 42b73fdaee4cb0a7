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
    shot->gradients = calloc(count, sizeof *shot->gradients);
    shot->weights = calloc(count, sizeof *shot->weights);
    if (shot->gradients != NULL && shot->weights != NULL)
        return true;
    snprintf(message->text, sizeof message->text, "the host is out of memory");
    return false;
}

static void snapshot_destroy(snapshot *shot)
{
    free(shot->gradients);
    free(shot->weights);
}

/* One training step, and what it left. */
static bool step_and_read(train_session *session, size_t step, snapshot *shot, clgrad_message *message)
{
    train_batch batch;
    if (!train_session_gather(session, step, &batch, message))
        return false;
    clgrad_context *context = session->context;
    clgrad_network *network = session->network;
    const size_t bytes = shot->count * sizeof(float);
    clgrad_status status = clgrad_network_train_step(network, batch.x, batch.target, batch.loss);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_read(context, batch.loss, &shot->loss, sizeof shot->loss);
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

/* The same of a vector laid out as the network's parameters, each layer against its own largest element. */
static double layer_difference(const clgrad_network *network, const float *device, const float *reference)
{
    const clgrad_tensor all = clgrad_network_parameters(network);
    const size_t layers = clgrad_network_layer_count(network);
    double difference = 0;
    for (size_t i = 0; i < layers; i++) {
        const size_t first = clgrad_network_weight(network, i).offset - all.offset;
        const size_t end = i + 1 < layers ? clgrad_network_weight(network, i + 1).offset - all.offset
                                          : clgrad_tensor_count(all);
        const double d = relative_difference(device + first, reference + first, end - first);
        if (!(d <= difference))
            difference = d;
        if (isnan(difference))
            break;
    }
    return difference;
}

/* Print one line, and tell whether all of it is within the tolerance. */
static bool compare(const clgrad_network *network, size_t step, const snapshot *device,
                    const snapshot *reference)
{
    const double loss = relative_difference(&device->loss, &reference->loss, 1);
    const double gradients = layer_difference(network, device->gradients, reference->gradients);
    const double weights = layer_difference(network, device->weights, reference->weights);
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
        !train_session_shuffle(&on_device, options->seed, 0, message) ||
        !train_session_shuffle(&on_reference, options->seed, 0, message))
        goto cleanup;
    const size_t count = clgrad_tensor_count(clgrad_network_parameters(on_device.network));
    if (!snapshot_create(count, &device, message) || !snapshot_create(count, &reference, message))
        goto cleanup;

    const size_t steps = options->check_steps < on_device.steps ? options->check_steps : on_device.steps;
    printf(
        "check      the first %zu steps against the reference device\n"
        "  largest difference of any element, relative to the largest element of its layer on the reference\n"
        "  step       loss  gradients    weights\n",
        steps);
    for (size_t step = 0; step < steps; step++) {
        if (!step_and_read(&on_device, step, &device, message) ||
            !step_and_read(&on_reference, step, &reference, message))
            goto cleanup;
        *passed &= compare(on_device.network, step, &device, &reference);
        fflush(stdout);
    }
    if (*passed)
        printf("  passed: the tolerance is %.0e\n", TRAIN_CHECK_TOLERANCE);
    else
        printf(
            "  FAILED: the tolerance is %.0e. Where an activation has a kink, an input within rounding of\n"
            "  it can fall on either side, which shows as a jump: does another --seed fail too?\n",
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
