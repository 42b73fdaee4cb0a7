/*
 * copy/<bytes>: the device's own copy of so many bytes, reads and writes together: the floor of whatever
 * moves as many. The best of OpenCL's copy and of kernels that copy numbers or vectors of them.
 */
#include "bench.h"

#include <clgrad/opencl.h>
#include <stdlib.h>
#include <string.h>

static const char source[] = "kernel void copy_float(global const float *x, global float *y)\n"
                             "{ size_t i = get_global_id(0); y[i] = x[i]; }\n"
                             "kernel void copy_float4(global const float4 *x, global float4 *y)\n"
                             "{ size_t i = get_global_id(0); y[i] = x[i]; }\n"
                             "kernel void copy_float16(global const float16 *x, global float16 *y)\n"
                             "{ size_t i = get_global_id(0); y[i] = x[i]; }\n";

enum { KERNELS = 3 };
static const char *const names[KERNELS] = {"copy_float", "copy_float4", "copy_float16"};
static const size_t widths[KERNELS] = {1, 4, 16};

typedef struct copy_state {
    cl_command_queue queue;
    cl_program program;
    cl_kernel kernels[KERNELS];
    cl_mem x, y;
    size_t elements;
    size_t variant; /* 0: OpenCL's copy; 1 and on: the kernels */
} copy_state;

static bool copy(bench *b)
{
    copy_state *s = b->state;
    cl_int status;
    if (s->variant == 0) {
        const size_t bytes = s->elements * sizeof(float);
        status = clEnqueueCopyBuffer(s->queue, s->x, s->y, 0, 0, bytes, 0, NULL, NULL);
    } else {
        const size_t items = s->elements / widths[s->variant - 1];
        status = clEnqueueNDRangeKernel(s->queue, s->kernels[s->variant - 1], 1, NULL, &items, NULL, 0, NULL,
                                        NULL);
    }
    return status == CL_SUCCESS || bench_fail(b, "copying ended with OpenCL's status %d", (int)status);
}

static bool choose(bench *b, size_t variant)
{
    copy_state *s = b->state;
    s->variant = variant;
    return true;
}

static void close_copy(bench *b)
{
    copy_state *s = b->state;
    for (int i = 0; i < KERNELS; i++)
        if (s->kernels[i] != NULL)
            clReleaseKernel(s->kernels[i]);
    if (s->program != NULL)
        clReleaseProgram(s->program);
}

static bool build(bench *b, copy_state *s)
{
    cl_context context;
    cl_device_id device;
    cl_int status = clGetCommandQueueInfo(s->queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL);
    if (status == CL_SUCCESS)
        status = clGetCommandQueueInfo(s->queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL);
    const char *text = source;
    if (status == CL_SUCCESS)
        s->program = clCreateProgramWithSource(context, 1, &text, NULL, &status);
    if (status == CL_SUCCESS)
        status = clBuildProgram(s->program, 1, &device, "", NULL, NULL);
    for (int i = 0; i < KERNELS && status == CL_SUCCESS; i++) {
        s->kernels[i] = clCreateKernel(s->program, names[i], &status);
        if (status == CL_SUCCESS)
            status = clSetKernelArg(s->kernels[i], 0, sizeof s->x, &s->x);
        if (status == CL_SUCCESS)
            status = clSetKernelArg(s->kernels[i], 1, sizeof s->y, &s->y);
    }
    return status == CL_SUCCESS ||
           bench_fail(b, "building the copy ended with OpenCL's status %d", (int)status);
}

bool bench_open_copy(bench *b, char **words, size_t count)
{
    size_t bytes, sizes;
    if (count != 1 || !bench_sizes(b, words[0], 'x', &bytes, 1, &sizes))
        return bench_fail(b, "a case is copy/<bytes>");
    copy_state *s = b->state = calloc(1, sizeof *s);
    if (s == NULL)
        return bench_fail(b, "the host is out of memory");
    b->close = close_copy, b->repeat = copy, b->choose = choose;
    b->variants[0] = "clEnqueueCopyBuffer";
    for (int i = 0; i < KERNELS; i++)
        b->variants[1 + i] = names[i];
    b->variant_count = 1 + KERNELS;

    clgrad_tensor x, y;
    const bench_range range = {1, -1, 1};
    s->elements = (bytes / 2 / sizeof(float) + 15) / 16 * 16;
    s->queue = clgrad_opencl_queue(b->context);
    if (s->queue == NULL)
        return bench_fail(b, "this device has no OpenCL queue");
    if (!bench_tensor(b, &range, 1, &s->elements, &x) || !bench_tensor(b, &range, 1, &s->elements, &y))
        return false;
    s->x = clgrad_opencl_memory(x.buffer), s->y = clgrad_opencl_memory(y.buffer);
    return build(b, s);
}
