/*
 * A smaller device than there is: OpenCL's functions between a program and the loader, for LD_PRELOAD. What
 * it takes away it also refuses, so that asking is not enough.
 *
 * CLGRAD_TEST_GROUP_LIMIT=N: no work-group of more than N work-items.
 *
 * CLGRAD_TEST_NO_DOUBLE=1: no cl_khr_fp64; `double` is no word of the kernels' language, and constants are
 * float, as on a device that lacks it.
 *
 * CLGRAD_TEST_TYPE=gpu: the devices say that they are GPUs, for which kernels are built otherwise, and run no
 * native kernels.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#define CL_TARGET_OPENCL_VERSION 300
#include "next_function.h"

#include <CL/cl.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The largest work-group; SIZE_MAX where nobody limits it. */
static size_t group_limit(void)
{
    const char *limit = getenv("CLGRAD_TEST_GROUP_LIMIT");
    return limit != NULL ? (size_t)strtoull(limit, NULL, 10) : SIZE_MAX;
}

static bool is_set(const char *name, const char *value)
{
    const char *found = getenv(name);
    return found != NULL && strcmp(found, value) == 0;
}

/* The sizes in an answer, none above the limit. */
static void limit_sizes(void *value, size_t bytes)
{
    size_t *sizes = value;
    for (size_t i = 0; i < bytes / sizeof *sizes; i++)
        if (sizes[i] > group_limit())
            sizes[i] = group_limit();
}

/* The text without a word, which stays as long as it was. */
static void blank_out(char *text, const char *word)
{
    for (char *found = text; (found = strstr(found, word)) != NULL;)
        memset(found, ' ', strlen(word));
}

cl_int CL_API_CALL clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t room, void *value,
                                   size_t *bytes)
{
    REAL(cl_int, clGetDeviceInfo, (cl_device_id, cl_device_info, size_t, void *, size_t *));
    size_t length = 0;
    const cl_int error = real(device, what, room, value, &length);
    if (bytes != NULL)
        *bytes = length;
    if (error != CL_SUCCESS || value == NULL)
        return error;
    if (what == CL_DEVICE_MAX_WORK_GROUP_SIZE || what == CL_DEVICE_MAX_WORK_ITEM_SIZES)
        limit_sizes(value, length);
    if (is_set("CLGRAD_TEST_NO_DOUBLE", "1")) {
        if (what == CL_DEVICE_EXTENSIONS)
            blank_out(value, "cl_khr_fp64");
        if (what == CL_DEVICE_DOUBLE_FP_CONFIG || what == CL_DEVICE_NATIVE_VECTOR_WIDTH_DOUBLE ||
            what == CL_DEVICE_PREFERRED_VECTOR_WIDTH_DOUBLE)
            memset(value, 0, length);
    }
    if (is_set("CLGRAD_TEST_TYPE", "gpu") && what == CL_DEVICE_TYPE)
        *(cl_device_type *)value = CL_DEVICE_TYPE_GPU;
    if (is_set("CLGRAD_TEST_TYPE", "gpu") && what == CL_DEVICE_EXECUTION_CAPABILITIES)
        *(cl_device_exec_capabilities *)value = CL_EXEC_KERNEL;
    return error;
}

cl_int CL_API_CALL clGetKernelWorkGroupInfo(cl_kernel kernel, cl_device_id device,
                                            cl_kernel_work_group_info what, size_t room, void *value,
                                            size_t *bytes)
{
    REAL(cl_int, clGetKernelWorkGroupInfo,
         (cl_kernel, cl_device_id, cl_kernel_work_group_info, size_t, void *, size_t *));
    const cl_int error = real(kernel, device, what, room, value, bytes);
    if (error == CL_SUCCESS && value != NULL && what == CL_KERNEL_WORK_GROUP_SIZE)
        limit_sizes(value, sizeof(size_t));
    return error;
}

/* A definition before the program's own text, behind what the driver itself puts there. */
cl_program CL_API_CALL clCreateProgramWithSource(cl_context context, cl_uint count, const char **pieces,
                                                 const size_t *lengths, cl_int *error)
{
    REAL(cl_program, clCreateProgramWithSource,
         (cl_context, cl_uint, const char **, const size_t *, cl_int *));
    enum { MOST = 64 };
    const char *all[MOST] = {
        is_set("CLGRAD_TEST_NO_DOUBLE", "1") ? "#define double this_device_has_no_double_precision\n" : ""};
    size_t all_lengths[MOST] = {0};
    if (count >= MOST) {
        *error = CL_OUT_OF_HOST_MEMORY;
        return NULL;
    }
    memcpy(all + 1, pieces, count * sizeof *pieces);
    if (lengths != NULL)
        memcpy(all_lengths + 1, lengths, count * sizeof *lengths);
    return real(context, count + 1, all, all_lengths, error);
}

cl_int CL_API_CALL clBuildProgram(cl_program program, cl_uint count, const cl_device_id *devices,
                                  const char *options, void(CL_CALLBACK *notify)(cl_program, void *),
                                  void *data)
{
    REAL(cl_int, clBuildProgram,
         (cl_program, cl_uint, const cl_device_id *, const char *, void(CL_CALLBACK *)(cl_program, void *),
          void *));
    char all[4096];
    const int length = snprintf(all, sizeof all, "%s%s", options != NULL ? options : "",
                                is_set("CLGRAD_TEST_NO_DOUBLE", "1") ? " -cl-single-precision-constant" : "");
    if (length < 0 || (size_t)length >= sizeof all)
        return CL_INVALID_BUILD_OPTIONS;
    return real(program, count, devices, all, notify, data);
}

cl_int CL_API_CALL clEnqueueNativeKernel(cl_command_queue queue, void(CL_CALLBACK *function)(void *),
                                         void *arguments, size_t bytes, cl_uint memory_count,
                                         const cl_mem *memories, const void **places, cl_uint count,
                                         const cl_event *list, cl_event *event)
{
    REAL(cl_int, clEnqueueNativeKernel,
         (cl_command_queue, void(CL_CALLBACK *)(void *), void *, size_t, cl_uint, const cl_mem *,
          const void **, cl_uint, const cl_event *, cl_event *));
    if (is_set("CLGRAD_TEST_TYPE", "gpu"))
        return CL_INVALID_OPERATION;
    return real(queue, function, arguments, bytes, memory_count, memories, places, count, list, event);
}

cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions,
                                          const size_t *offset, const size_t *global, const size_t *local,
                                          cl_uint count, const cl_event *list, cl_event *event)
{
    REAL(cl_int, clEnqueueNDRangeKernel,
         (cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint,
          const cl_event *, cl_event *));
    size_t items = 1;
    for (cl_uint i = 0; local != NULL && i < dimensions; i++)
        items *= local[i];
    if (items > group_limit())
        return CL_INVALID_WORK_GROUP_SIZE;
    return real(queue, kernel, dimensions, offset, global, local, count, list, event);
}
