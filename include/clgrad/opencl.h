/**
 * @file opencl.h
 * clgrad on the caller's own OpenCL queue and memory, and the way back. The only header that includes
 * OpenCL's; clgrad.h does not include it.
 *
 * Matrix products go to CLBlast; on CPU devices, and on those that allow work-groups of less than 64, dense
 * layers multiply by kernels of their own. The environment variable CLGRAD_GEMM, read when a context is
 * opened, overrides that: "clblast", "tiles" (those kernels) or "blas" (a host BLAS, where the device runs
 * native kernels); anything else is refused.
 *
 * Compiled programs are kept on disk, in $XDG_CACHE_HOME/clgrad or else $HOME/.cache/clgrad, one file each:
 * the next process that needs the same program, from the same driver for the same device, loads it. A program
 * is put there when the context that has compiled it closes. Several processes may use the folder at once, it
 * may be deleted at any time, and where it cannot be used programs are compiled. The environment variable
 * CLGRAD_CACHE, read when a context is opened, overrides the place: "off" for none, or the absolute path of a
 * folder; "" is as if it were not set, anything else is refused. Whether a program was loaded or compiled is
 * told by clgrad_context_counters. Nothing removes files that no program needs any more.
 */
#ifndef CLGRAD_OPENCL_H
#define CLGRAD_OPENCL_H

#include <clgrad/tensor.h>

#ifndef CL_TARGET_OPENCL_VERSION
/** For CL/cl.h, unless the program has said it already. */
#define CL_TARGET_OPENCL_VERSION 300
#endif
#include <CL/cl.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A context on the caller's queue: its device and its cl_context are used, and every launch goes into the
 * queue, in order with what the caller enqueues there. The queue is retained.
 *
 * @param queue    an in-order command queue
 * @param context  receives the context; NULL after a failure
 * @param message  receives a sentence after a failure; may be NULL
 * @return SUCCESS; INVALID_ARGUMENT (NULL, not a queue, an out-of-order queue); UNSUPPORTED;
 *         OUT_OF_MEMORY; OUT_OF_DEVICE_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_opencl_context_create(cl_command_queue queue, clgrad_context **context,
                                                      clgrad_message *message);

/**
 * A buffer around the caller's memory, without a copy. The cl_mem is retained; clgrad_buffer_destroy
 * releases it.
 *
 * @param memory  a buffer (or sub-buffer) of the context's cl_context, readable and writable by kernels.
 * Memory that the host may not access (CL_MEM_HOST_NO_ACCESS) can be computed on, but clgrad_tensor_read and
 *                clgrad_tensor_write of it end in DEVICE_ERROR. Two buffers over the same host memory are two
 *                buffers to clgrad: it cannot see that they overlap.
 * @return SUCCESS; INVALID_ARGUMENT (NULL, not a buffer, read-only or write-only); INVALID_CONTEXT
 *         (another cl_context's, or the context is not an OpenCL one); OUT_OF_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_opencl_buffer_create(clgrad_context *context, cl_mem memory,
                                                     clgrad_buffer **buffer);

/** The queue of an OpenCL context, not retained for the caller; NULL for another kind of context. */
CLGRAD_API cl_command_queue clgrad_opencl_queue(const clgrad_context *context);

/** The memory of an OpenCL buffer, not retained for the caller; NULL for another kind of buffer. */
CLGRAD_API cl_mem clgrad_opencl_memory(const clgrad_buffer *buffer);

#ifdef __cplusplus
}
#endif

#endif
