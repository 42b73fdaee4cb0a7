/*
 * OpenCL's functions as the library and CLBlast find them: each fails where it is to, or hands on to the next
 * of its name, the loader's. What is created is counted until it is released.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include "faults.h"

#include "next_function.h"

#include <CL/cl.h>

/* ---- calls that answer with an error: name, parameters, arguments, what it is about ---- */

#define ERROR_CALL(name, parameters, arguments, detail)                                    \
    cl_int CL_API_CALL name parameters                                                     \
    {                                                                                      \
        REAL(cl_int, name, parameters);                                                    \
        int code;                                                                          \
        return fault_due(FAULT_##name, (unsigned)(detail), &code) ? code : real arguments; \
    }

ERROR_CALL(clGetPlatformIDs, (cl_uint room, cl_platform_id *platforms, cl_uint *count),
           (room, platforms, count), 0)
ERROR_CALL(clGetPlatformInfo,
           (cl_platform_id platform, cl_platform_info what, size_t room, void *value, size_t *bytes),
           (platform, what, room, value, bytes), what)
ERROR_CALL(clGetDeviceIDs,
           (cl_platform_id platform, cl_device_type type, cl_uint room, cl_device_id *devices,
            cl_uint *count),
           (platform, type, room, devices, count), 0)
ERROR_CALL(clGetDeviceInfo,
           (cl_device_id device, cl_device_info what, size_t room, void *value, size_t *bytes),
           (device, what, room, value, bytes), what)
ERROR_CALL(clGetCommandQueueInfo,
           (cl_command_queue queue, cl_command_queue_info what, size_t room, void *value, size_t *bytes),
           (queue, what, room, value, bytes), what)
ERROR_CALL(clGetMemObjectInfo, (cl_mem memory, cl_mem_info what, size_t room, void *value, size_t *bytes),
           (memory, what, room, value, bytes), what)
ERROR_CALL(clBuildProgram,
           (cl_program program, cl_uint count, const cl_device_id *devices, const char *options,
            void(CL_CALLBACK *notify)(cl_program, void *), void *data),
           (program, count, devices, options, notify, data), 0)
ERROR_CALL(clGetProgramInfo,
           (cl_program program, cl_program_info what, size_t room, void *value, size_t *bytes),
           (program, what, room, value, bytes), what)
ERROR_CALL(clGetProgramBuildInfo,
           (cl_program program, cl_device_id device, cl_program_build_info what, size_t room, void *value,
            size_t *bytes),
           (program, device, what, room, value, bytes), what)
ERROR_CALL(clGetKernelWorkGroupInfo,
           (cl_kernel kernel, cl_device_id device, cl_kernel_work_group_info what, size_t room, void *value,
            size_t *bytes),
           (kernel, device, what, room, value, bytes), what)
ERROR_CALL(clSetKernelArg, (cl_kernel kernel, cl_uint index, size_t bytes, const void *value),
           (kernel, index, bytes, value), index)
ERROR_CALL(clFinish, (cl_command_queue queue), (queue), 0)
ERROR_CALL(clWaitForEvents, (cl_uint count, const cl_event *events), (count, events), 0)

/* ---- commands, of which CLBlast asks for events ---- */

#define COMMAND(name, parameters, arguments)                       \
    cl_int CL_API_CALL name parameters                             \
    {                                                              \
        REAL(cl_int, name, parameters);                            \
        int error;                                                 \
        if (fault_due(FAULT_##name, 0, &error))                    \
            return error;                                          \
        error = real arguments;                                    \
        fault_held.events += error == CL_SUCCESS && event != NULL; \
        return error;                                              \
    }

COMMAND(clEnqueueNDRangeKernel,
        (cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
         const size_t *global, const size_t *local, cl_uint count, const cl_event *list, cl_event *event),
        (queue, kernel, dimensions, offset, global, local, count, list, event))
COMMAND(clEnqueueNativeKernel,
        (cl_command_queue queue, void(CL_CALLBACK *function)(void *), void *arguments, size_t bytes,
         cl_uint memory_count, const cl_mem *memories, const void **places, cl_uint count,
         const cl_event *list, cl_event *event),
        (queue, function, arguments, bytes, memory_count, memories, places, count, list, event))
COMMAND(clEnqueueReadBuffer,
        (cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t bytes, void *data,
         cl_uint count, const cl_event *list, cl_event *event),
        (queue, memory, blocking, offset, bytes, data, count, list, event))
COMMAND(clEnqueueWriteBuffer,
        (cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t offset, size_t bytes,
         const void *data, cl_uint count, const cl_event *list, cl_event *event),
        (queue, memory, blocking, offset, bytes, data, count, list, event))
COMMAND(clEnqueueCopyBuffer,
        (cl_command_queue queue, cl_mem from, cl_mem to, size_t from_offset, size_t to_offset, size_t bytes,
         cl_uint count, const cl_event *list, cl_event *event),
        (queue, from, to, from_offset, to_offset, bytes, count, list, event))

/* ---- what is held ---- */

/* error is the last parameter, and may be NULL. */
#define CREATE(type, held, name, parameters, arguments) \
    type CL_API_CALL name parameters                    \
    {                                                   \
        REAL(type, name, parameters);                   \
        int code;                                       \
        if (fault_due(FAULT_##name, 0, &code)) {        \
            if (error != NULL)                          \
                *error = code;                          \
            return NULL;                                \
        }                                               \
        type created = real arguments;                  \
        fault_held.held += created != NULL;             \
        return created;                                 \
    }

CREATE(cl_context, contexts, clCreateContext,
       (const cl_context_properties *properties, cl_uint count, const cl_device_id *devices,
        void(CL_CALLBACK *notify)(const char *, const void *, size_t, void *), void *data, cl_int *error),
       (properties, count, devices, notify, data, error))
CREATE(cl_command_queue, queues, clCreateCommandQueue,
       (cl_context context, cl_device_id device, cl_command_queue_properties properties, cl_int *error),
       (context, device, properties, error))
CREATE(cl_mem, memories, clCreateBuffer,
       (cl_context context, cl_mem_flags flags, size_t bytes, void *data, cl_int *error),
       (context, flags, bytes, data, error))
CREATE(cl_program, programs, clCreateProgramWithSource,
       (cl_context context, cl_uint count, const char **pieces, const size_t *lengths, cl_int *error),
       (context, count, pieces, lengths, error))
CREATE(cl_program, programs, clCreateProgramWithBinary,
       (cl_context context, cl_uint count, const cl_device_id *devices, const size_t *bytes,
        const unsigned char **binaries, cl_int *statuses, cl_int *error),
       (context, count, devices, bytes, binaries, statuses, error))
CREATE(cl_kernel, kernels, clCreateKernel, (cl_program program, const char *name, cl_int *error),
       (program, name, error))

#define RETAIN(held, name, type)                \
    cl_int CL_API_CALL name(type object)        \
    {                                           \
        REAL(cl_int, name, (type));             \
        int error;                              \
        if (fault_due(FAULT_##name, 0, &error)) \
            return error;                       \
        error = real(object);                   \
        fault_held.held += error == CL_SUCCESS; \
        return error;                           \
    }

RETAIN(contexts, clRetainContext, cl_context)
RETAIN(queues, clRetainCommandQueue, cl_command_queue)
RETAIN(memories, clRetainMemObject, cl_mem)
RETAIN(programs, clRetainProgram, cl_program)

/* These are counted, but do not fail: nobody could do anything about it. */
#define RELEASE(held, name, type)               \
    cl_int CL_API_CALL name(type object)        \
    {                                           \
        REAL(cl_int, name, (type));             \
        const cl_int error = real(object);      \
        fault_held.held -= error == CL_SUCCESS; \
        return error;                           \
    }

RELEASE(contexts, clReleaseContext, cl_context)
RELEASE(queues, clReleaseCommandQueue, cl_command_queue)
RELEASE(memories, clReleaseMemObject, cl_mem)
RELEASE(programs, clReleaseProgram, cl_program)
RELEASE(kernels, clReleaseKernel, cl_kernel)
RELEASE(events, clReleaseEvent, cl_event)
