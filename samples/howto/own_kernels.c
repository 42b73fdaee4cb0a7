/*
 * A kernel of the program's own between clgrad's calls, in clgrad's queue, on clgrad's memory:
 * custom_loss.c's pinball loss on the device, without a copy and without a wait.
 */
#define CL_TARGET_OPENCL_VERSION 300

#include "quantiles.h"

#include <clgrad/opencl.h>

#include <stdio.h>
#include <stdlib.h>

// [kernel]
static const char source[] =
    "kernel void pinball(global const float *prediction, global const float *y, global float *dprediction,\n"
    "                    float scale)\n"
    "{\n"
    "    const float quantiles[3] = {0.1f, 0.5f, 0.9f};\n"
    "    const size_t i = get_global_id(0);\n"
    "    const float q = quantiles[i % 3], d = y[i / 3] - prediction[i];\n"
    "    dprediction[i] = (d > 0 ? -q : 1 - q) * scale;\n"
    "}\n";
// [kernel end]

static void must_cl(cl_int code, const char *call)
{
    if (code != CL_SUCCESS) {
        fprintf(stderr, "%s failed with OpenCL's error %d\n", call, code);
        exit(1);
    }
}

// [build]
/* The kernel for the device and the cl_context that clgrad's queue belongs to. */
static cl_kernel build(cl_command_queue queue)
{
    const char *text = source;
    cl_context context;
    cl_device_id device;
    cl_int code;
    must_cl(clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL), "the context");
    must_cl(clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL), "the device");
    cl_program program = clCreateProgramWithSource(context, 1, &text, NULL, &code);
    must_cl(code, "clCreateProgramWithSource");
    must_cl(clBuildProgram(program, 1, &device, NULL, NULL, NULL), "clBuildProgram");
    cl_kernel kernel = clCreateKernel(program, "pinball", &code);
    must_cl(code, "clCreateKernel");
    clReleaseProgram(program); /* the kernel keeps it */
    return kernel;
}
// [build end]

int main(void)
{
    static learner l;
    learner_create(&l);
    // [arguments]
    cl_command_queue queue = clgrad_opencl_queue(l.context);
    if (queue == NULL) {
        puts("this device is no OpenCL device");
        learner_destroy(&l);
        return 0;
    }
    cl_kernel kernel = build(queue);
    const clgrad_tensor arguments[] = {l.prediction, l.y, l.dprediction};
    for (cl_uint i = 0; i < 3; i++) {
        const cl_mem memory = clgrad_opencl_memory(arguments[i].buffer);
        must_cl(clSetKernelArg(kernel, i, sizeof memory, &memory), "clSetKernelArg");
    }
    const cl_float scale = 1.0f / (ROWS * QUANTILES);
    must_cl(clSetKernelArg(kernel, 3, sizeof scale, &scale), "clSetKernelArg");
    // [arguments end]

    // [train]
    const size_t size = ROWS * QUANTILES;
    for (int step = 0; step <= STEPS; step++) {
        must(l.context, clgrad_network_forward(l.network, l.x, l.prediction));
        must_cl(clEnqueueNDRangeKernel(queue, kernel, 1, NULL, &size, NULL, 0, NULL, NULL),
                "clEnqueueNDRangeKernel");
        must(l.context, clgrad_network_backward_from(l.network, l.x, l.dprediction, clgrad_tensor_none()));
        must(l.context, clgrad_network_step(l.network));
    }
    // [train end]
    print_shares(&l);
    clReleaseKernel(kernel);
    learner_destroy(&l);
    return 0;
}
