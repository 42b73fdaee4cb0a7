#include "cl_backend.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * The kernels are written in OpenCL C 1.2. What the device itself lists decides, not its platform's version:
 * a 3.0 device need not compile 2.0.
 */
static const char *choose_language(cl_device_id device, cl_int *error)
{
    cl_name_version versions[32];
    size_t bytes = 0;
    bool lists_3_0 = false;
    if (clGetDeviceInfo(device, CL_DEVICE_OPENCL_C_ALL_VERSIONS, sizeof versions, versions, &bytes) ==
        CL_SUCCESS) {
        for (size_t i = 0; i < bytes / sizeof versions[0]; i++) {
            if (versions[i].version >> 12 == CL_MAKE_VERSION(1, 2, 0) >> 12)
                return "-cl-std=CL1.2";
            lists_3_0 |= CL_VERSION_MAJOR(versions[i].version) == 3;
        }
        return lists_3_0 ? "-cl-std=CL3.0" : NULL;
    }
    char text[256] = "";
    unsigned major = 0, minor = 0;
    clgrad_cl_ask(error, device, CL_DEVICE_OPENCL_C_VERSION, sizeof text, text);
    sscanf(text, "OpenCL C %u.%u", &major, &minor);
    return major > 1 || (major == 1 && minor >= 2) ? "-cl-std=CL1.2" : NULL;
}

/* Group sizes: large enough to fill a GPU's lanes, small enough that a CPU has groups to share out. */
static void choose_groups(clgrad_cl_context *cl, cl_int *error)
{
    size_t limit = 1, sizes[16] = {1};
    clgrad_cl_ask(error, cl->device, CL_DEVICE_MAX_WORK_GROUP_SIZE, sizeof limit, &limit);
    clgrad_cl_ask(error, cl->device, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof sizes, sizes);
    limit = sizes[0] < limit ? sizes[0] : limit;
    limit = sizes[1] < limit ? sizes[1] : limit;
    size_t wanted = cl->is_cpu ? 64 : 256;
    for (cl->group_size = 1; cl->group_size < wanted && cl->group_size * 2 <= limit;)
        cl->group_size *= 2;
    cl->strip = cl->is_cpu ? 256 : 1;
    for (cl->element_group = 1; cl->element_group < 256 && cl->element_group * 2 <= limit;)
        cl->element_group *= 2;
}

/*
 * Fill in everything that depends on cl->device, cl->context and cl->queue, which are set. What the device
 * does not tell is not guessed: sums would have another order.
 */
static clgrad_status set_up(clgrad_cl_context *cl)
{
    cl_int error = CL_SUCCESS;
    cl_uint units = 1;
    cl_device_fp_config precision = 0;
    cl->is_cpu = cl->base.device.type == CLGRAD_DEVICE_CPU;
    const char *language = choose_language(cl->device, &error);
    choose_groups(cl, &error);
    clgrad_cl_ask(&error, cl->device, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units);
    clgrad_cl_ask(&error, cl->device, CL_DEVICE_SINGLE_FP_CONFIG, sizeof precision, &precision);
    if (error != CL_SUCCESS)
        return clgrad_cl_fail(cl, error, "clGetDeviceInfo");
    if (language == NULL)
        return clgrad_fail(&cl->base, CLGRAD_STATUS_UNSUPPORTED,
                           "the device \"%s\" (%s) compiles no OpenCL C 1.2", cl->base.device.name,
                           cl->base.device.driver);
    cl->compute_units = units;
    snprintf(cl->build_options, sizeof cl->build_options, "%s %s -DGROUP_SIZE=%zu -DSTRIP=%zu -DONE_LANE=%d",
             language,
             precision & CL_FP_CORRECTLY_ROUNDED_DIVIDE_SQRT ? "-cl-fp32-correctly-rounded-divide-sqrt" : "",
             cl->group_size, cl->strip, cl->is_cpu);

    clgrad_fault none[2] = {{0}};
    clgrad_status status = clgrad_cl_create_memory(cl, sizeof none, none, &cl->fault);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    cl->base.counters.allocations++;
    cl->base.counters.allocated_bytes += sizeof none;
    status = clgrad_cl_open_cache(cl);
    return status == CLGRAD_STATUS_SUCCESS ? clgrad_cl_choose_gemm(cl) : status;
}

static clgrad_status finish(clgrad_context *context);
static void destroy(clgrad_context *context);

static const clgrad_context_functions context_functions = {.destroy = destroy, .finish = finish};

const clgrad_backend clgrad_cl_backend = {
    .context = &context_functions,
    .tensor = &clgrad_cl_tensor_functions,
    .activation = &clgrad_cl_activation_functions,
    .dense = &clgrad_cl_dense_functions,
    .loss = &clgrad_cl_loss_functions,
    .optimizer = &clgrad_cl_optimizer_functions,
    .softmax = &clgrad_cl_softmax_functions,
    .gated = &clgrad_cl_gated_functions,
    .noise = &clgrad_cl_noise_functions,
    .normalization = &clgrad_cl_normalization_functions,
    .clip = &clgrad_cl_clip_functions,
};

/* The caller's queue, or one of the context's own. */
static clgrad_status attach_queue(clgrad_cl_context *cl, cl_command_queue queue)
{
    cl_int error = CL_SUCCESS;
    if (queue != NULL) {
        /* What is in cl is released when it closes: so nothing before it is retained. */
        cl_context owner = NULL;
        error = clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof owner, &owner, NULL);
        if (error != CL_SUCCESS)
            return clgrad_cl_fail(cl, error, "clGetCommandQueueInfo");
        error = clRetainContext(owner);
        if (error != CL_SUCCESS)
            return clgrad_cl_fail(cl, error, "clRetainContext");
        cl->context = owner;
        error = clRetainCommandQueue(queue);
        if (error != CL_SUCCESS)
            return clgrad_cl_fail(cl, error, "clRetainCommandQueue");
        cl->queue = queue;
        return CLGRAD_STATUS_SUCCESS;
    }
    cl->context = clCreateContext(NULL, 1, &cl->device, NULL, NULL, &error);
    if (error != CL_SUCCESS)
        return clgrad_cl_fail(cl, error, "clCreateContext");
    cl->queue = clCreateCommandQueue(cl->context, cl->device, 0, &error);
    return error == CL_SUCCESS ? CLGRAD_STATUS_SUCCESS : clgrad_cl_fail(cl, error, "clCreateCommandQueue");
}

clgrad_status clgrad_cl_open(const clgrad_cl_device *device, cl_command_queue queue, clgrad_context **context,
                             clgrad_message *message)
{
    clgrad_cl_context *cl = calloc(1, sizeof *cl);
    if (cl == NULL)
        return clgrad_fail_message(message, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
    cl->base.backend = &clgrad_cl_backend;
    cl->base.references = 1;
    cl->base.device = device->description;
    cl->device = device->id;
    clgrad_status status = attach_queue(cl, queue);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = set_up(cl);
    if (status == CLGRAD_STATUS_SUCCESS) {
        *context = &cl->base;
        return status;
    }
    clgrad_fail_message(message, status, "%s", cl->base.error);
    destroy(&cl->base);
    return status;
}

clgrad_status clgrad_cl_context_create(const char *specification, clgrad_context **context,
                                       clgrad_message *message)
{
    clgrad_cl_device device;
    clgrad_status status = clgrad_cl_choose_device(specification, &device, message);
    return status == CLGRAD_STATUS_SUCCESS ? clgrad_cl_open(&device, NULL, context, message) : status;
}

/* ---- using and closing it ---- */

static clgrad_status finish(clgrad_context *context)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    clgrad_status status = clgrad_cl_fetch_fault(cl);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    cl->base.counters.waits++;
    cl_int error = clFinish(cl->queue);
    return error == CL_SUCCESS ? clgrad_cl_keep_fault(cl) : clgrad_cl_fail(cl, error, "clFinish");
}

static void destroy(clgrad_context *context)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const bool is_done = cl->queue == NULL || clFinish(cl->queue) == CL_SUCCESS;
    clgrad_cl_save_programs(cl);
    clgrad_cl_release_kernels(cl);
    clgrad_cl_release_memory(cl->fault);
    clgrad_cl_release_memory(cl->clip_scratch.memory);
    clgrad_cl_release_memory(cl->gemm_scratch.memory);
    clgrad_cl_release_memory(cl->sum_scratch.memory);
    clgrad_cl_release_gemm(cl);
    if (cl->queue != NULL)
        clReleaseCommandQueue(cl->queue);
    if (cl->context != NULL)
        clReleaseContext(cl->context);
    free(cl->cache_folder);
    if (is_done) /* else a command may still write to what is in it, the record of faults above all */
        free(cl);
}
