#include "opencl_caller.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_PLATFORMS 8
#define MAX_DEVICES 8

typedef struct bound_case {
    caller_case test;
    caller caller;
} bound_case;

/* Not in the case itself: one that is skipped or fails does not come back to where it was called. */
static int set_up(void **state)
{
    caller *c = &((bound_case *)*state)->caller;
    cl_int error = CL_SUCCESS;
    c->context = clCreateContext(NULL, 1, &c->device, NULL, NULL, &error);
    if (error == CL_SUCCESS)
        c->queue = clCreateCommandQueueWithProperties(c->context, c->device, NULL, &error);
    return error == CL_SUCCESS ? 0 : -1;
}

static int tear_down(void **state)
{
    const caller *c = &((bound_case *)*state)->caller;
    clReleaseCommandQueue(c->queue);
    clReleaseContext(c->context);
    return 0;
}

static void run_bound_case(void **state)
{
    const bound_case *bound = *state;
    bound->test.run(&bound->caller);
}

static int run_for(const caller *c, const caller_case *cases, size_t count)
{
    bound_case *bound = allocate(count, sizeof *bound);
    struct CMUnitTest *tests = allocate(count, sizeof *tests);
    char(*names)[128] = allocate(count, sizeof *names);
    for (size_t i = 0; i < count; i++) {
        bound[i] = (bound_case){cases[i], *c};
        snprintf(names[i], sizeof names[i], "%s [%s]", cases[i].name, c->specification);
        tests[i] = (struct CMUnitTest){names[i], run_bound_case, set_up, tear_down, &bound[i]};
    }
    const int failures = _cmocka_run_group_tests(c->specification, tests, count, NULL, NULL);
    free(bound);
    free(tests);
    free(names);
    return failures;
}

int run_for_every_caller(const caller_case *cases, size_t count)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint platform_count = 0;
    int failures = 0;
    const char *only = getenv("CLGRAD_TEST_DEVICE");
    if (clGetPlatformIDs(MAX_PLATFORMS, platforms, &platform_count) != CL_SUCCESS)
        platform_count = 0;
    for (cl_uint p = 0; p < platform_count && p < MAX_PLATFORMS; p++) {
        cl_device_id devices[MAX_DEVICES];
        cl_uint device_count = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, MAX_DEVICES, devices, &device_count) !=
            CL_SUCCESS)
            continue;
        for (cl_uint d = 0; d < device_count && d < MAX_DEVICES; d++) {
            caller c = {.device = devices[d]};
            snprintf(c.specification, sizeof c.specification, "opencl:%u.%u", p, d);
            if (only == NULL || strcmp(only, c.specification) == 0)
                failures += run_for(&c, cases, count);
        }
    }
    return failures;
}

clgrad_context *open_on_queue(cl_command_queue queue)
{
    clgrad_context *context = NULL;
    clgrad_message message;
    if (clgrad_opencl_context_create(queue, &context, &message) != CLGRAD_STATUS_SUCCESS)
        fail_msg("%s", message.text);
    return context;
}

cl_mem caller_memory(const caller *c, cl_mem_flags flags, size_t bytes, const void *data)
{
    cl_int error = CL_SUCCESS;
    cl_mem memory = clCreateBuffer(c->context, flags, bytes, NULL, &error);
    assert_int_equal(error, CL_SUCCESS);
    if (data != NULL)
        assert_int_equal(clEnqueueWriteBuffer(c->queue, memory, CL_TRUE, 0, bytes, data, 0, NULL, NULL),
                         CL_SUCCESS);
    return memory;
}

void assert_memory_holds(const caller *c, cl_mem memory, size_t offset, const void *expected, size_t bytes)
{
    void *got = allocate(bytes, 1);
    assert_int_equal(clEnqueueReadBuffer(c->queue, memory, CL_TRUE, offset, bytes, got, 0, NULL, NULL),
                     CL_SUCCESS);
    assert_memory_equal(got, expected, bytes);
    free(got);
}

/* ---- counting ---- */

static void wait_a_millisecond(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static holds count_now(const caller *c)
{
    holds h = {0};
    assert_int_equal(
        clGetContextInfo(c->context, CL_CONTEXT_REFERENCE_COUNT, sizeof h.context, &h.context, NULL),
        CL_SUCCESS);
    assert_int_equal(
        clGetCommandQueueInfo(c->queue, CL_QUEUE_REFERENCE_COUNT, sizeof h.queue, &h.queue, NULL),
        CL_SUCCESS);
    return h;
}

holds count_holds(const caller *c)
{
    clFinish(c->queue);
    holds smallest = count_now(c);
    for (int i = 0; i < 20; i++) {
        wait_a_millisecond();
        const holds now = count_now(c);
        smallest.context = now.context < smallest.context ? now.context : smallest.context;
        smallest.queue = now.queue < smallest.queue ? now.queue : smallest.queue;
    }
    return smallest;
}

void assert_holds_at_last(const caller *c, holds expected, const char *file, int line)
{
    clFinish(c->queue);
    holds now = count_now(c);
    for (int i = 0; i < 2000 && (now.context != expected.context || now.queue != expected.queue); i++) {
        wait_a_millisecond();
        now = count_now(c);
    }
    if (now.context != expected.context || now.queue != expected.queue) {
        print_error("the context is held %u times and the queue %u, it should be %u and %u\n", now.context,
                    now.queue, expected.context, expected.queue);
        _fail(file, line);
    }
}

cl_uint memory_count(cl_mem memory)
{
    cl_uint count = 0;
    assert_int_equal(clGetMemObjectInfo(memory, CL_MEM_REFERENCE_COUNT, sizeof count, &count, NULL),
                     CL_SUCCESS);
    return count;
}

void assert_memory_count_at(cl_mem memory, cl_uint expected, const char *file, int line)
{
    for (int i = 0; i < 2000 && memory_count(memory) != expected; i++)
        wait_a_millisecond();
    if (memory_count(memory) != expected) {
        print_error("the memory is held %u times, it should be %u\n", memory_count(memory), expected);
        _fail(file, line);
    }
}
