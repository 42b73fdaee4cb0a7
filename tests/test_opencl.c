/*
 * Contexts around the caller's queue, the way back to OpenCL, and kernels that do not build.
 */
#include "opencl_caller.h"

#include "opencl/cl_backend.h"

#include <stdlib.h>
#include <string.h>

/* ---- the caller's queue ---- */

static void in_order_queue_is_accepted(const caller *c)
{
    clgrad_context *context = open_on_queue(c->queue);
    assert_ptr_equal(clgrad_opencl_queue(context), c->queue);

    const clgrad_device *device = clgrad_context_device(context);
    char name[sizeof device->name] = "";
    clGetDeviceInfo(c->device, CL_DEVICE_NAME, sizeof name, name, NULL);
    assert_string_equal(device->name, name);
    assert_true(device->memory > 0 && device->compute_units > 0 && strlen(device->driver) > 0);

    /* the same bits as on a context of clgrad's own on this device */
    clgrad_context *own = NULL;
    assert_int_equal(clgrad_context_create(c->specification, &own, NULL), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(clgrad_context_device(own)->type, device->type);
    const clgrad_activation tanh = clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH);
    float numbers[100];
    fill_normal(numbers, 100, 1, 2);
    void *results[2];
    clgrad_context *const contexts[] = {own, context};
    for (int i = 0; i < 2; i++) {
        clgrad_tensor x = vector_with(contexts[i], 100, numbers);
        assert_ok(contexts[i], clgrad_activation_forward(contexts[i], &tanh, x, x));
        results[i] = tensor_contents(contexts[i], x);
        tensor_free(contexts[i], x);
    }
    assert_memory_equal(results[0], results[1], 100 * sizeof(float));
    free(results[0]);
    free(results[1]);
    clgrad_context_destroy(own);
    clgrad_context_destroy(context);
}

static void refuse_queue(cl_command_queue queue, const char *part)
{
    clgrad_context *context = (clgrad_context *)&context;
    clgrad_message message = {""};
    assert_int_equal(clgrad_opencl_context_create(queue, &context, &message), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_null(context);
    if (strstr(message.text, part) == NULL)
        fail_msg("\"%s\" does not contain \"%s\"", message.text, part);
    context = (clgrad_context *)&context;
    assert_int_equal(clgrad_opencl_context_create(queue, &context, NULL), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_null(context);
}

static void other_queues_are_refused(const caller *c)
{
    const holds before = count_holds(c);
    refuse_queue(NULL, "queue is NULL");
    clgrad_message message = {""};
    assert_int_equal(clgrad_opencl_context_create(c->queue, NULL, &message), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(message.text, "context is NULL"));
    assert_holds_are(c, before);

    cl_command_queue_properties offered = 0;
    clGetDeviceInfo(c->device, CL_DEVICE_QUEUE_ON_HOST_PROPERTIES, sizeof offered, &offered, NULL);
    if (!(offered & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE))
        skip();
    const cl_queue_properties wanted[] = {CL_QUEUE_PROPERTIES, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, 0};
    cl_int error = CL_SUCCESS;
    cl_command_queue queue = clCreateCommandQueueWithProperties(c->context, c->device, wanted, &error);
    assert_int_equal(error, CL_SUCCESS);
    refuse_queue(queue, "out of order");
    clReleaseCommandQueue(queue);
    assert_holds_are(c, before);
}

/* A network that has trained on a context, so that the context has built kernels and made memory. */
static clgrad_network *train_a_little(clgrad_context *context)
{
    const clgrad_layer layers[] = {clgrad_layer_dense(7, CLGRAD_ACTIVATION_TANH),
                                   clgrad_layer_dense(3, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 4;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    options.optimizer.momentum = 0.5f;
    clgrad_network *network = NULL;
    assert_ok(context, clgrad_network_create(context, &options, &network));
    float numbers[20];
    fill_normal(numbers, 20, 1, 1);
    clgrad_tensor x = matrix_with(context, 5, 4, numbers), target = matrix_with(context, 5, 3, numbers);
    clgrad_tensor loss = scalar_with(context, 0);
    assert_ok(context, clgrad_network_train_step(network, x, target, loss));
    tensor_free(context, x);
    tensor_free(context, target);
    tensor_free(context, loss);
    return network;
}

/* provider: CLGRAD_GEMM's, or NULL; then the two are closed in this order. */
static void check_counts(const caller *c, const char *provider, bool context_first)
{
    const holds before = count_holds(c);
    if (provider != NULL)
        setenv("CLGRAD_GEMM", provider, 1);
    clgrad_context *context = open_on_queue(c->queue);
    if (provider != NULL)
        unsetenv("CLGRAD_GEMM");
    const holds opened = count_holds(c);
    assert_true(opened.queue > before.queue && opened.context > before.context);
    clgrad_network *network = train_a_little(context);
    if (context_first)
        clgrad_context_destroy(context);
    clgrad_network_destroy(network);
    if (!context_first)
        clgrad_context_destroy(context);
    assert_holds_are(c, before);
}

static void counts_are_back_where_they_were(const caller *c)
{
    check_counts(c, NULL, false);
    check_counts(c, NULL, true);
    const holds before = count_holds(c);
    clgrad_context_destroy(open_on_queue(c->queue)); /* without having been used */
    assert_holds_are(c, before);
}

static void counts_are_back_after_clblast(const caller *c)
{
    if (test_small() || getenv("CLGRAD_GEMM") != NULL)
        skip(); /* CLBlast compiles for ten seconds on a CPU */
    check_counts(c, "clblast", false);
}

/* The context keeps what it needs when the caller lets go first. */
static void context_outlives_the_callers_hold(const caller *c)
{
    cl_int error = CL_SUCCESS;
    cl_context opencl = clCreateContext(NULL, 1, &c->device, NULL, NULL, &error);
    assert_int_equal(error, CL_SUCCESS);
    cl_command_queue queue = clCreateCommandQueueWithProperties(opencl, c->device, NULL, &error);
    assert_int_equal(error, CL_SUCCESS);
    clgrad_context *context = open_on_queue(queue);
    clReleaseCommandQueue(queue);
    clReleaseContext(opencl);
    clgrad_network_destroy(train_a_little(context));
    clgrad_context_destroy(context);
}

/* ---- the way back ---- */

static void queue_and_memory_can_be_reached(const caller *c)
{
    clgrad_context *own = NULL, *reference = NULL;
    assert_int_equal(clgrad_context_create(c->specification, &own, NULL), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(clgrad_context_create("reference", &reference, NULL), CLGRAD_STATUS_SUCCESS);
    assert_null(clgrad_opencl_queue(NULL));
    assert_null(clgrad_opencl_memory(NULL));
    assert_null(clgrad_opencl_queue(reference));
    cl_command_queue queue = clgrad_opencl_queue(own);
    assert_non_null(queue);

    clgrad_buffer *buffer, *elsewhere;
    assert_ok(own, clgrad_buffer_create(own, 40, &buffer));
    assert_ok(reference, clgrad_buffer_create(reference, 40, &elsewhere));
    assert_null(clgrad_opencl_memory(elsewhere));
    cl_mem memory = clgrad_opencl_memory(buffer);
    assert_memory_count(memory, 1); /* not retained for the caller */

    /* OpenCL sees what clgrad has enqueued before, and the other way round */
    const clgrad_tensor tensor = clgrad_tensor_vector(buffer, 0, CLGRAD_TYPE_INT32, 10);
    int32_t got[10];
    const int32_t written[10] = {9, 8, 7, 6, 5, 4, 3, 2, 1, 0};
    assert_ok(own, clgrad_tensor_fill(own, tensor, 42));
    assert_int_equal(clEnqueueReadBuffer(queue, memory, CL_TRUE, 0, sizeof got, got, 0, NULL, NULL),
                     CL_SUCCESS);
    for (size_t i = 0; i < 10; i++)
        assert_int_equal(got[i], 42);
    assert_int_equal(clEnqueueWriteBuffer(queue, memory, CL_FALSE, 0, sizeof written, written, 0, NULL, NULL),
                     CL_SUCCESS);
    assert_contents(own, tensor, written);
    clgrad_buffer_destroy(buffer);
    clgrad_buffer_destroy(elsewhere);
    clgrad_context_destroy(own);
    clgrad_context_destroy(reference);
}

/* ---- kernels that do not build ---- */

static size_t occurrences(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

/* The compiler's own words stand in the sentence, and the context goes on. */
static void kernel_that_does_not_build(const caller *c)
{
    clgrad_context *context = open_on_queue(c->queue);
    const holds before = count_holds(c);
    clgrad_cl_options options = {0};
    clgrad_cl_define_as(&options, "ACTIVATION", "act_", "no_such");
    for (int repetition = 0; repetition < 2; repetition++) {
        clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_DENSE, &options, "dense_forward");
        assert_refused(context, launch.status, CLGRAD_STATUS_BUILD_FAILED, "dense_forward");
        assert_true(occurrences(clgrad_context_error(context), "act_no_such") >=
                    2); /* the option, and the log */
        assert_non_null(strstr(clgrad_context_error(context), clgrad_context_device(context)->name));
        launch = clgrad_cl_begin(context, CLGRAD_CL_TENSOR, NULL, "no_such_kernel");
        assert_refused(context, launch.status, CLGRAD_STATUS_BUILD_FAILED, "no_such_kernel");
    }
    assert_holds_are(c, before);
    clgrad_network_destroy(train_a_little(context));
    assert_ok(context, clgrad_context_finish(context));
    clgrad_context_destroy(context);
}

/* A definition is added whole or not at all, and nothing is built with one left out. */
static void options_that_are_too_long(const caller *c)
{
    clgrad_context *context = open_on_queue(c->queue);
    clgrad_cl_options options = {0};
    clgrad_cl_define(&options, "FIRST");
    clgrad_cl_define_as(&options, "FORMULA", "act_", "tanh");
    clgrad_cl_define_number(&options, "NUMBER", SIZE_MAX);
    assert_string_equal(options.text, "-DFIRST -DFORMULA=act_tanh -DNUMBER=18446744073709551615");

    char longest[sizeof options.text] = "";
    memset(longest, 'M', sizeof options.text - 1 - strlen(options.text) - strlen(" -D"));
    clgrad_cl_define(&options, longest);
    assert_false(options.overflowed);
    assert_int_equal(strlen(options.text), sizeof options.text - 1);
    const clgrad_cl_options full = options;
    clgrad_cl_define(&options, "X");
    assert_true(options.overflowed);
    assert_string_equal(options.text, full.text);

    const holds before = count_holds(c);
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_TENSOR, &options, "tensor_fill");
    assert_refused(context, launch.status, CLGRAD_STATUS_BUILD_FAILED, "tensor_fill");
    assert_holds_are(c, before);
    launch = clgrad_cl_begin(context, CLGRAD_CL_TENSOR, &full, "tensor_fill");
    assert_ok(context, launch.status);
    clgrad_context_destroy(context);
}

int main(void)
{
    const caller_case cases[] = {
        CASE(in_order_queue_is_accepted),        CASE(other_queues_are_refused),
        CASE(counts_are_back_where_they_were),   CASE(counts_are_back_after_clblast),
        CASE(context_outlives_the_callers_hold), CASE(queue_and_memory_can_be_reached),
        CASE(kernel_that_does_not_build),        CASE(options_that_are_too_long),
    };
    return run_for_every_caller(cases, COUNT(cases));
}
