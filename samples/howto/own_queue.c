/*
 * clgrad in a program that uses OpenCL already: on its queue, on its memory. (samples/host_interop.c is a
 * larger program of that kind, with kernels of its own before and after it.)
 */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS /* clCreateCommandQueue, which every OpenCL version has */
#define CL_TARGET_OPENCL_VERSION 300

#include <clgrad/clgrad.h>
#include <clgrad/opencl.h>

#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 256, STEPS = 2000 };

static void must_cl(cl_int code, const char *call)
{
    if (code != CL_SUCCESS) {
        fprintf(stderr, "%s failed with OpenCL's error %d\n", call, code);
        exit(1);
    }
}

static void must(clgrad_context *context, clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
        exit(1);
    }
}

int main(void)
{
    // [theirs]
    cl_platform_id platform;
    cl_device_id device;
    cl_int code;
    must_cl(clGetPlatformIDs(1, &platform, NULL), "clGetPlatformIDs");
    must_cl(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL), "clGetDeviceIDs");
    cl_context theirs = clCreateContext(NULL, 1, &device, NULL, NULL, &code);
    must_cl(code, "clCreateContext");
    cl_command_queue queue = clCreateCommandQueue(theirs, device, 0, &code);
    must_cl(code, "clCreateCommandQueue");
    float points[2 * ROWS]; /* first all x, then all y = x^2 */
    for (int i = 0; i < ROWS; i++) {
        points[i] = (float)i / (ROWS - 1);
        points[ROWS + i] = points[i] * points[i];
    }
    cl_mem memory =
        clCreateBuffer(theirs, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof points, points, &code);
    must_cl(code, "clCreateBuffer");
    cl_mem results = clCreateBuffer(theirs, CL_MEM_READ_WRITE, ROWS * sizeof(float), NULL, &code);
    must_cl(code, "clCreateBuffer");
    // [theirs end]

    // [wrap]
    clgrad_context *context;
    clgrad_buffer *wrapped, *wrapped_results;
    clgrad_message message;
    if (clgrad_opencl_context_create(queue, &context, &message) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s\n", message.text);
        return 1;
    }
    must(context, clgrad_opencl_buffer_create(context, memory, &wrapped));
    must(context, clgrad_opencl_buffer_create(context, results, &wrapped_results));
    const clgrad_tensor x = clgrad_tensor_matrix(wrapped, 0, ROWS, 1),
                        y = clgrad_tensor_matrix(wrapped, ROWS, ROWS, 1),
                        prediction = clgrad_tensor_matrix(wrapped_results, 0, ROWS, 1);
    // [wrap end]

    const clgrad_layer layers[] = {clgrad_layer_dense(16, CLGRAD_ACTIVATION_TANH),
                                   clgrad_layer_dense(1, CLGRAD_ACTIVATION_IDENTITY)};
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = 1, options.layers = layers, options.layer_count = 2;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_MSE);
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    options.optimizer.lr = 0.02f;
    clgrad_network *network;
    clgrad_tensor loss;
    must(context, clgrad_network_create(context, &options, &network));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss));

    // [train]
    for (int step = 0; step < STEPS; step++)
        must(context, clgrad_network_train_step(network, x, y, loss));
    must(context, clgrad_network_predict(network, x, prediction));
    float shown[ROWS];
    must_cl(clEnqueueReadBuffer(queue, results, CL_TRUE, 0, sizeof shown, shown, 0, NULL, NULL),
            "clEnqueueReadBuffer");
    for (int i = 102; i < ROWS; i += 51)
        printf("x %.1f  x^2 %.1f  learned %.1f\n", (double)points[i], (double)points[ROWS + i],
               (double)shown[i]);
    // [train end]

    // [destroy]
    clgrad_network_destroy(network);
    clgrad_buffer_destroy(loss.buffer);
    clgrad_buffer_destroy(wrapped);
    clgrad_buffer_destroy(wrapped_results);
    clgrad_context_destroy(context);
    clReleaseMemObject(memory);
    clReleaseMemObject(results);
    clReleaseCommandQueue(queue);
    clReleaseContext(theirs);
    // [destroy end]
    return 0;
}
