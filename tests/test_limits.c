/*
 * Limits that calls meet on their way: sizes whose products no number holds, and a device that runs out of
 * memory in the middle of building a network. What refuses is the real driver (tests/CMakeLists.txt runs this
 * with POCL_MEMORY_LIMIT too, so that it refuses early); tests/test_faults.c goes through every place where a
 * driver might.
 */
#include "faults.h"
#include "harness.h"

#include <clgrad/opencl.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static clgrad_counters counters_of(const clgrad_context *context)
{
    clgrad_counters counters;
    assert_int_equal(clgrad_context_counters(context, &counters), CLGRAD_STATUS_SUCCESS);
    return counters;
}

/* ---- arithmetic ---- */

/* Neither time nor labels are too many, but their product is: 4 (2^31 + 1) 2^30 numbers have 2^64 bytes and
 * some. */
static void ctc_wants_more_than_there_is(clgrad_context *context)
{
    const size_t time = (size_t)1 << 30;
    const int32_t none[] = {0};
    clgrad_tensor p = {0}, gradient = {0}, y = {0};
    if (clgrad_context_device(context)->type != CLGRAD_DEVICE_CPU) /* which need not have what is untouched */
        skip();
    const clgrad_status made[] = {
        clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 3, (size_t[]){time, 1, 1}, &p),
        clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 3, (size_t[]){time, 1, 1}, &gradient),
        clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 2, (size_t[]){1, time}, &y)};
    const bool there = made[0] == CLGRAD_STATUS_SUCCESS && made[1] == CLGRAD_STATUS_SUCCESS &&
                       made[2] == CLGRAD_STATUS_SUCCESS;
    if (there) {
        const clgrad_loss ctc = clgrad_loss_defaults(CLGRAD_LOSS_CTC);
        clgrad_tensor lengths = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){1}, none);
        clgrad_tensor value = scalar_with(context, 7);
        const clgrad_loss_inputs inputs = {
            .prediction = p, .target = y, .input_lengths = lengths, .target_lengths = lengths};
        const clgrad_loss_gradients gradients = {.dprediction = gradient};
        assert_refused(context,
                       clgrad_loss_evaluate(context, &ctc, &inputs, clgrad_tensor_none(), value, &gradients),
                       CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY, "has no room for a buffer of 184467440737095516");
        assert_true(tensor_scalar_value(context, value) == 7);
        tensor_free(context, lengths);
        tensor_free(context, value);
    } else {
        printf("left out: %s\n", clgrad_context_error(context));
    }
    clgrad_buffer_destroy(p.buffer);
    clgrad_buffer_destroy(gradient.buffer);
    clgrad_buffer_destroy(y.buffer);
    if (!there)
        skip();
}

/* CLBlast counts a buffer's elements in 31 bits: a matrix behind them is refused, not multiplied elsewhere.
 */
static void clblast_does_not_reach_everything(clgrad_context *beside)
{
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    const char *before = getenv("CLGRAD_GEMM");
    clgrad_context *context = NULL;
    clgrad_buffer *buffer = NULL;
    if (clgrad_context_device(beside)->type != CLGRAD_DEVICE_CPU || before != NULL)
        skip();
    setenv("CLGRAD_GEMM", "clblast", 1);
    const clgrad_status opened =
        clgrad_context_create(clgrad_context_device(beside)->specification, &context, NULL);
    unsetenv("CLGRAD_GEMM");
    assert_int_equal(opened, CLGRAD_STATUS_SUCCESS);
    const clgrad_status made = clgrad_buffer_create(context, (size_t)1 << 33, &buffer);
    if (made == CLGRAD_STATUS_SUCCESS) {
        clgrad_tensor x = clgrad_tensor_matrix(buffer, ((size_t)1 << 31) - 8, 2, 3);
        clgrad_tensor weight = matrix_with(context, 4, 3, NULL), h = matrix_with(context, 2, 4, NULL);
        assert_refused(context,
                       clgrad_dense_forward(context, &identity, x, weight, clgrad_tensor_none(), h, h),
                       CLGRAD_STATUS_UNSUPPORTED,
                       "ends at element 2147483646 of its buffer, CLBlast reaches 2147418111");
        assert_untouched(context, h);
        tensor_free(context, weight);
        tensor_free(context, h);
    } else {
        printf("left out: %s\n", clgrad_context_error(context));
    }
    clgrad_buffer_destroy(buffer);
    clgrad_context_destroy(context);
    if (made != CLGRAD_STATUS_SUCCESS)
        skip();
}

/* Sentences say what was asked for. */
static void overflowing_sizes_are_named(clgrad_context *context)
{
    clgrad_tensor tensor;
    assert_refused(
        context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){SIZE_MAX / 2, 3}, &tensor),
        CLGRAD_STATUS_OUT_OF_RANGE, "shape [9223372036854775807, 3] overflows");
    const clgrad_layer layer = clgrad_layer_dense(SIZE_MAX / 2, CLGRAD_ACTIVATION_RELU);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 3;
    options.layers = &layer;
    options.layer_count = 1;
    clgrad_network *network;
    assert_refused(context, clgrad_network_create(context, &options, &network), CLGRAD_STATUS_OUT_OF_RANGE,
                   "the number of parameters of 1 layers over 3 inputs overflows");
    assert_null(network);
}

/* ---- memory ---- */

/* The most bytes that the device allows in one buffer; 0 for the reference. */
static size_t largest_buffer(clgrad_context *context)
{
    cl_device_id device;
    cl_ulong largest = 0;
    const cl_command_queue queue = clgrad_opencl_queue(context);
    if (queue == NULL)
        return 0;
    assert_int_equal(clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL), CL_SUCCESS);
    assert_int_equal(clGetDeviceInfo(device, CL_DEVICE_MAX_MEM_ALLOC_SIZE, sizeof largest, &largest, NULL),
                     CL_SUCCESS);
    return (size_t)largest;
}

enum { INPUTS = 1023 };

static clgrad_status create_network(clgrad_context *context, clgrad_optimizer_kind optimizer, size_t outputs,
                                    clgrad_network **network)
{
    const clgrad_layer layer = clgrad_layer_dense(outputs, CLGRAD_ACTIVATION_IDENTITY);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS;
    options.layers = &layer;
    options.layer_count = 1;
    options.optimizer = clgrad_optimizer_defaults(optimizer);
    return clgrad_network_create(context, &options, network);
}

/* A step on a batch of zeros, whose class is 0: the loss is log outputs. */
static clgrad_status train(clgrad_context *context, clgrad_network *network, size_t batch, float *loss)
{
    clgrad_tensor x, target, value;
    assert_ok(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){batch, INPUTS}, &x));
    assert_ok(context, clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, &batch, &target));
    assert_ok(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &value));
    assert_ok(context, clgrad_tensor_fill(context, x, 0));
    assert_ok(context, clgrad_tensor_fill(context, target, 0));
    const clgrad_status status = clgrad_network_train_step(network, x, target, value);
    if (status == CLGRAD_STATUS_SUCCESS)
        assert_ok(context, clgrad_tensor_read(context, value, loss, sizeof *loss));
    clgrad_buffer_destroy(x.buffer);
    clgrad_buffer_destroy(target.buffer);
    clgrad_buffer_destroy(value.buffer);
    return status;
}

static void assert_trains(clgrad_context *context, clgrad_network *network, size_t outputs)
{
    float loss = NAN;
    assert_ok(context, train(context, network, 2, &loss));
    assert_true(fabs((double)loss - log((double)outputs)) < 1e-4);
}

static void assert_all_given_back(clgrad_context *context, clgrad_counters counters, fault_holds held)
{
    assert_ok(context, clgrad_context_finish(context));
    assert_int_equal(counters_of(context).allocated_bytes, counters.allocated_bytes);
    assert_int_equal(faults_held().memories, held.memories);
    assert_int_equal(faults_held().blocks, held.blocks);
}

/*
 * Parameters take more than half of the largest buffer that there can be: Adam's two moments, in one, have no
 * room any more. SGD has, until a batch's intermediate results are too many.
 */
static void memory_runs_out_while_a_network_is_built(clgrad_context *context)
{
    const size_t largest = largest_buffer(context), few = 8;
    const size_t many = largest / 2 / (sizeof(float) * (INPUTS + 1)) + 1;
    if (largest == 0 || largest > (size_t)1 << 28) {
        printf("left out: a buffer of more than %zu bytes would be made (POCL_MEMORY_LIMIT=1)\n", largest);
        skip();
    }
    clgrad_network *network = NULL; /* kernels and scratch memory are there from here on */
    assert_ok(context, create_network(context, CLGRAD_OPTIMIZER_ADAM, few, &network));
    assert_trains(context, network, few);
    clgrad_network_destroy(network);
    const clgrad_counters counters = counters_of(context);
    const fault_holds held = faults_held();

    char bytes[64];
    snprintf(bytes, sizeof bytes, "has no room for a buffer of %zu bytes (it allows %zu in one buffer",
             2 * many * (INPUTS + 1) * sizeof(float), largest);
    network = (clgrad_network *)&network;
    assert_refused(context, create_network(context, CLGRAD_OPTIMIZER_ADAM, many, &network),
                   CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY, bytes);
    assert_null(network);
    assert_int_equal(counters_of(context).allocations, counters.allocations + 2); /* it had come so far */
    assert_all_given_back(context, counters, held);

    assert_ok(context, create_network(context, CLGRAD_OPTIMIZER_ADAM, few, &network));
    assert_trains(context, network, few);
    clgrad_network_destroy(network);
    assert_all_given_back(context, counters, held);

    float loss = NAN;
    assert_ok(context, create_network(context, CLGRAD_OPTIMIZER_SGD, many, &network));
    assert_trains(context, network, many);
    const clgrad_counters warm = counters_of(context);
    assert_refused(context, train(context, network, 1000, &loss), CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY,
                   "has no room for a buffer of");
    assert_int_equal(clgrad_network_steps(network), 1);
    assert_int_equal(counters_of(context).allocated_bytes, warm.allocated_bytes);
    assert_ok(context, train(context, network, 2, &loss));
    assert_true(isfinite(loss));
    clgrad_network_destroy(network);
}

int main(void)
{
    const test_case cases[] = {CASE(ctc_wants_more_than_there_is), CASE(clblast_does_not_reach_everything),
                               CASE(overflowing_sizes_are_named),
                               CASE(memory_runs_out_while_a_network_is_built)};
    return run_on_every_device(cases, COUNT(cases));
}
