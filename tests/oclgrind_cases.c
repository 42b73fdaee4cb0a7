/*
 * Kernels that are wrong on purpose, and some that are right where oclgrind alone would complain: what the
 * runs under oclgrind see and do not see (oclgrind_finds.sh says what must be reported). CLGRAD_TEST_CASES
 * names the case, as for the other programs.
 */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include "unwritten.h"

#include <CL/cl.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As in the library: a group that sticks out past n, a neighbour's number, a copy. */
static const char source[] =
    "__kernel void within(ulong n, __global const float *x, __global float *y)\n"
    "{\n"
    "    const size_t i = get_global_id(0);\n"
    "    if (i < n)\n"
    "        y[i] = 2 * x[i];\n"
    "}\n"
    "__kernel void beyond(ulong n, __global const float *x, __global float *y)\n"
    "{\n"
    "    y[get_global_id(0)] = 2;\n"
    "}\n"
    "__kernel void waiting(ulong n, __global const float *x, __global float *y)\n"
    "{\n"
    "    __local float shared[16];\n"
    "    const size_t i = get_global_id(0), item = get_local_id(0);\n"
    "    shared[item] = i < n ? x[i] : 0;\n"
    "    barrier(CLK_LOCAL_MEM_FENCE);\n"
    "    if (i < n)\n"
    "        y[i] = shared[15 - item];\n"
    "}\n"
    "__kernel void hasty(ulong n, __global const float *x, __global float *y)\n"
    "{\n"
    "    __local float shared[16];\n"
    "    const size_t i = get_global_id(0), item = get_local_id(0);\n"
    "    shared[item] = 0;\n"
    "    barrier(CLK_LOCAL_MEM_FENCE);\n"
    "    shared[item] = i < n ? x[i] : 0;\n"
    "    if (i < n)\n"
    "        y[i] = shared[15 - item];\n"
    "}\n"
    "__kernel void crowded(ulong n, __global const float *x, __global float *y)\n"
    "{\n"
    "    y[get_group_id(0) / 2] = get_global_id(0);\n"
    "}\n"
    "__kernel void half_filled(ulong n, __global const float *x, __global float *y)\n"
    "{\n"
    "    __local float shared[16];\n"
    "    const size_t i = get_global_id(0), item = get_local_id(0);\n"
    "    if (item % 2 == 0)\n"
    "        shared[item] = 1;\n"
    "    barrier(CLK_LOCAL_MEM_FENCE);\n"
    "    if (i < n)\n"
    "        y[i] = shared[item];\n"
    "}\n";

enum { N = 20, BYTES = N * sizeof(float) }; /* a group of 16, and one that sticks out */

typedef struct machine {
    cl_context context;
    cl_command_queue queue;
    cl_program program;
    cl_mem x, y;
    float numbers[N];
} machine;

static int launch(const machine *m, const char *name)
{
    const cl_ulong n = N;
    const size_t global = 32, local = 16;
    cl_kernel kernel = clCreateKernel(m->program, name, NULL);
    int error = kernel == NULL;
    if (kernel == NULL)
        return error;
    error |= clSetKernelArg(kernel, 0, sizeof n, &n) | clSetKernelArg(kernel, 1, sizeof m->x, &m->x) |
             clSetKernelArg(kernel, 2, sizeof m->y, &m->y) |
             clEnqueueNDRangeKernel(m->queue, kernel, 1, NULL, &global, &local, 0, NULL, NULL) |
             clFinish(m->queue);
    clReleaseKernel(kernel);
    return error;
}

static cl_mem create(const machine *m, size_t bytes)
{
    return clCreateBuffer(m->context, CL_MEM_READ_WRITE, bytes, NULL, NULL);
}

static int write(const machine *m, cl_mem memory, size_t from, size_t to)
{
    return clEnqueueWriteBuffer(m->queue, memory, CL_TRUE, from * sizeof(float), (to - from) * sizeof(float),
                                m->numbers, 0, NULL, NULL);
}

static int copy_from(machine *m, cl_mem other)
{
    return clEnqueueCopyBuffer(m->queue, other, m->x, 0, 0, BYTES, 0, NULL, NULL);
}

/* x anew, where another buffer has been, of so many numbers, and all of them written. */
static int reuse(machine *m, size_t count)
{
    int error = clReleaseMemObject(m->x);
    cl_mem earlier = create(m, count * sizeof(float));
    error |= write(m, earlier, 0, count) | clReleaseMemObject(earlier);
    m->x = create(m, BYTES);
    return error;
}

/* y from x by a kernel, and then the other way. */
static int there_and_back(machine *m)
{
    int error = launch(m, "within");
    const cl_mem written = m->y;
    m->y = m->x;
    m->x = written;
    return error | launch(m, "within");
}

static int run(machine *m, const char *name)
{
    const uint32_t word = UNWRITTEN | 1;
#define IS(text) (strcmp(name, text) == 0)
    /* invalid accesses and races, with kernels that are right */
    if (IS("within"))
        return write(m, m->x, 0, N) | launch(m, "within");
    if (IS("beyond"))
        return launch(m, "beyond");
    if (IS("waiting"))
        return write(m, m->x, 0, N) | launch(m, "waiting");
    if (IS("hasty"))
        return write(m, m->x, 0, N) | launch(m, "hasty");
    if (IS("crowded"))
        return launch(m, "crowded");
    /* uninitialised memory */
    if (IS("never_written"))
        return launch(m, "within");
    if (IS("local_never_written"))
        return launch(m, "half_filled");
    if (IS("before_what_is_written"))
        return write(m, m->x, 1, N) | launch(m, "within");
    if (IS("behind_what_is_written"))
        return write(m, m->x, 0, N - 1) | launch(m, "within");
    if (IS("in_place_of_a_written_one"))
        return reuse(m, N) | launch(m, "within");
    if (IS("copied_from_unwritten"))
        return copy_from(m, m->y) | launch(m, "within");
    if (IS("a_word_for_unwritten")) {
        memcpy(&m->numbers[7], &word, sizeof word);
        return write(m, m->x, 0, N) | launch(m, "within");
    }
    /* and what is not */
    if (IS("written_in_parts"))
        return write(m, m->x, 13, N) | write(m, m->x, 0, 13) | launch(m, "within");
    if (IS("written_by_a_kernel_behind_a_write"))
        return write(m, m->y, 0, 1) | write(m, m->x, 0, N) | there_and_back(m);
    if (IS("written_by_a_kernel_in_place_of_a_smaller_one")) {
        const int error = reuse(m, 1);
        const cl_mem reused = m->x;
        m->x = m->y;
        m->y = reused;
        return error | write(m, m->x, 0, N) | there_and_back(m);
    }
    if (IS("copied"))
        return write(m, m->y, 0, N) | copy_from(m, m->y) | launch(m, "within");
    if (IS("filled"))
        return clEnqueueFillBuffer(m->queue, m->x, m->numbers, sizeof(float), 0, BYTES, 0, NULL, NULL) |
               launch(m, "within");
    if (IS("created_with_contents")) {
        clReleaseMemObject(m->x);
        m->x = clCreateBuffer(m->context, CL_MEM_COPY_HOST_PTR, BYTES, m->numbers, NULL);
        return launch(m, "within");
    }
    fprintf(stderr, "%s is no case\n", name);
    return 1;
}

int main(void)
{
    cl_platform_id platform;
    cl_device_id device;
    const char *text = source, *name = getenv("CLGRAD_TEST_CASES");
    machine m = {.numbers = {0}};
    if (name == NULL || clGetPlatformIDs(1, &platform, NULL) != CL_SUCCESS ||
        clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL) != CL_SUCCESS)
        return 1;
    m.context = clCreateContext(NULL, 1, &device, NULL, NULL, NULL);
    m.queue = clCreateCommandQueue(m.context, device, 0, NULL);
    m.program = clCreateProgramWithSource(m.context, 1, &text, NULL, NULL);
    m.x = create(&m, BYTES);
    m.y = create(&m, BYTES);
    return clBuildProgram(m.program, 1, &device, "", NULL, NULL) != CL_SUCCESS || run(&m, name) != 0;
}
