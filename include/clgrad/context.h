/**
 * @file context.h
 * Devices and contexts. A context is one device, one in-order queue and the kernels compiled for it.
 *
 * Calls on a context enqueue work and return; only clgrad_tensor_read, clgrad_tensor_write,
 * clgrad_context_finish and what is documented so wait for the device. A context belongs to one
 * thread at a time; different contexts are independent of each other.
 */
#ifndef CLGRAD_CONTEXT_H
#define CLGRAD_CONTEXT_H

#include <clgrad/status.h>

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A device, its queue, and the kernels compiled for it. */
typedef struct clgrad_context clgrad_context;

/** What kind of device it is. */
typedef enum clgrad_device_type {
    CLGRAD_DEVICE_GPU = 0,         /**< a graphics processor */
    CLGRAD_DEVICE_CPU = 1,         /**< the host's processor by an OpenCL driver, or another one */
    CLGRAD_DEVICE_ACCELERATOR = 2, /**< what OpenCL calls so */
    CLGRAD_DEVICE_REFERENCE = 3    /**< the built-in double-precision reference on the host */
} clgrad_device_type;

/** "gpu", "cpu", "accelerator" or "reference". */
CLGRAD_API const char *clgrad_device_type_name(clgrad_device_type type);

/** A device of this machine. */
typedef struct clgrad_device {
    char specification[32];  /**< opens exactly this device: "opencl:0.1" or "reference" */
    char name[256];          /**< as the driver says it */
    char vendor[256];        /**< likewise */
    char driver[256];        /**< platform and driver version */
    clgrad_device_type type; /**< GPUs come first where clgrad chooses */
    uint64_t memory;         /**< global memory in bytes; 0 for the reference */
    uint32_t compute_units;  /**< as OpenCL counts them */
    uint64_t reserved[8];    /**< 0; room for later versions (docs/abi.md) */
} clgrad_device;

/**
 * List the devices of this machine: every OpenCL device by platform and index, then the reference,
 * which is always there and always last. A driver that fails when it is asked is left out.
 *
 * @param devices   receives up to capacity entries; may be NULL when capacity is 0
 * @param capacity  number of entries that devices has room for
 * @param count     receives the number of devices there are, which may exceed capacity; 0 after a failure
 * @return SUCCESS; INVALID_ARGUMENT when count is NULL, or devices is NULL and capacity is not 0;
 *         OUT_OF_MEMORY
 */
CLGRAD_API clgrad_status clgrad_device_list(clgrad_device *devices, size_t capacity, size_t *count);

/**
 * Open a context.
 *
 * @param specification  "opencl" (the best OpenCL device: GPUs first, then accelerators, then CPUs),
 *                       "opencl:gpu", "opencl:cpu", "opencl:accelerator", "opencl:P.D" (device D of
 *                       platform P, counted from 0 as clgrad_device_list does), or "reference".
 *                       NULL means the environment variable CLGRAD_DEVICE or, where that is unset or
 *                       empty, "opencl".
 *                       (CLGRAD_GEMM chooses who multiplies matrices, CLGRAD_CACHE where compiled programs
 *                       are kept: see opencl.h.)
 * @param context        receives the context; NULL after a failure
 * @param message        receives a sentence after a failure; may be NULL
 * @return SUCCESS; INVALID_ARGUMENT (context is NULL, or the specification, CLGRAD_GEMM or CLGRAD_CACHE
 *         cannot be read); DEVICE_NOT_FOUND; UNSUPPORTED (the device offers no kernel language clgrad can
 *         use); OUT_OF_MEMORY; OUT_OF_DEVICE_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_context_create(const char *specification, clgrad_context **context,
                                               clgrad_message *message);

/**
 * Close a context: waits for its queue and gives back what it holds. NULL is accepted. Buffers and
 * networks that are still alive keep what they need; destroy them afterwards in any order, but make
 * no other call on them. (Where the driver fails to wait, a few kilobytes that it may still write to are
 * not freed.)
 */
CLGRAD_API void clgrad_context_destroy(clgrad_context *context);

/**
 * The sentence of the last call on this context that failed, with the actual values; "" when none
 * has failed yet. Owned by the context and overwritten by the next failure. "the context is NULL" for NULL.
 * A call that was given no context, or a NULL network, leaves no sentence (status.h).
 */
CLGRAD_API const char *clgrad_context_error(const clgrad_context *context);

/** The device that the context runs on; valid as long as the context. NULL for NULL. */
CLGRAD_API const clgrad_device *clgrad_context_device(const clgrad_context *context);

/**
 * Wait until everything enqueued so far is done, and report what the device found meanwhile.
 *
 * Index tensors are checked on the device, without a wait: an index outside its range makes the
 * operation write NaN for the rows concerned, suspends every optimizer step enqueued after it (so
 * that no parameter is lost to NaN), and is reported as INVALID_INDEX with its position and value by
 * the next clgrad_tensor_read or clgrad_context_finish. The report ends the suspension. A suspended step
 * still counts as a step. What was computed from the NaN rows before the report, gradients that are still to
 * be used above all, has to be computed anew (clgrad_network_zero_gradients begins an accumulation anew).
 *
 * @return SUCCESS; INVALID_ARGUMENT (NULL); INVALID_INDEX as above; OUT_OF_DEVICE_MEMORY;
 *         NOT_FINITE (clgrad_context_detect_anomaly); OUT_OF_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_context_finish(clgrad_context *context);

/**
 * Look at every result for NaN and infinities, or (enabled false, as at first) no longer; for finding where
 * numbers went wrong. Named after PyTorch's torch.autograd.set_detect_anomaly.
 *
 * Everything that a call writes into a float32 tensor is looked at, on the device, without a wait: what
 * clgrad_tensor_write brings, outputs, gradients, parameters, the optimizer's state, and inside a network
 * every layer's. The first NaN or infinity is kept, suspends every optimizer step after it, so that no
 * parameter is lost to it, and is reported as NOT_FINITE by the next clgrad_tensor_read or
 * clgrad_context_finish: the operation, in a network its layer (counted from 0), the result, its shape, one
 * of the elements, and its value. The report ends the suspension, as for an index (clgrad_context_finish).
 *
 * Every result costs one more command that reads it once; a training step takes about twice as long. What the
 * caller's own kernels write (opencl.h) is not seen.
 *
 * @return SUCCESS; INVALID_ARGUMENT (NULL); OUT_OF_MEMORY; and on leaving the mode, which waits, whatever
 *         clgrad_context_finish has to report
 */
CLGRAD_API clgrad_status clgrad_context_detect_anomaly(clgrad_context *context, bool enabled);

/**
 * What a context has done since it was opened. Once a call has been made with some shape, the same call
 * compiles, creates and allocates nothing more, and nothing in a training step waits; these numbers show it.
 *
 * The reference has neither programs nor a queue: it counts allocations and allocated_bytes, and leaves the
 * rest 0. What CLBlast does inside (it compiles its own kernels on first use) is not seen.
 */
typedef struct clgrad_counters {
    uint64_t programs_compiled; /**< from source */
    uint64_t programs_loaded;   /**< from the disk cache of compiled programs (see opencl.h) */
    uint64_t kernels_created;   /**< from those programs */
    uint64_t allocations;       /**< of device memory: buffers, and what the context keeps for itself */
    uint64_t allocated_bytes;   /**< of those, in use now; memory that the caller brought is not counted */
    /** Commands: kernels, native kernels, copies, reads and writes; a product by CLBlast counts as one. */
    uint64_t enqueues;
    uint64_t waits;       /**< times that the host waited for the device */
    uint64_t reserved[8]; /**< 0; room for later versions (docs/abi.md) */
} clgrad_counters;

/** The counters so far. Asks the host alone, never waits. INVALID_ARGUMENT for NULL, without a sentence, else
 * SUCCESS. */
CLGRAD_API clgrad_status clgrad_context_counters(const clgrad_context *context, clgrad_counters *counters);

#ifdef __cplusplus
}
#endif

#endif
