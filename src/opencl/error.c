#include "cl_backend.h"

/* OpenCL's own names, for the sentences (the OpenCL specification, appendix "Error codes"). */
/* clang-format off */
#define ERROR_LIST(X)                                                                                \
    X(CL_DEVICE_NOT_FOUND) X(CL_DEVICE_NOT_AVAILABLE) X(CL_COMPILER_NOT_AVAILABLE)                   \
    X(CL_MEM_OBJECT_ALLOCATION_FAILURE) X(CL_OUT_OF_RESOURCES) X(CL_OUT_OF_HOST_MEMORY)              \
    X(CL_MEM_COPY_OVERLAP) X(CL_BUILD_PROGRAM_FAILURE) X(CL_MAP_FAILURE) X(CL_INVALID_VALUE)         \
    X(CL_MISALIGNED_SUB_BUFFER_OFFSET) X(CL_EXEC_STATUS_ERROR_FOR_EVENTS_IN_WAIT_LIST)               \
    X(CL_INVALID_PLATFORM) X(CL_INVALID_DEVICE) X(CL_INVALID_CONTEXT) X(CL_INVALID_QUEUE_PROPERTIES) \
    X(CL_INVALID_COMMAND_QUEUE) X(CL_INVALID_MEM_OBJECT) X(CL_INVALID_BINARY)                        \
    X(CL_INVALID_BUILD_OPTIONS) X(CL_INVALID_PROGRAM) X(CL_INVALID_PROGRAM_EXECUTABLE)               \
    X(CL_INVALID_KERNEL_NAME) X(CL_INVALID_KERNEL_DEFINITION) X(CL_INVALID_KERNEL)                   \
    X(CL_INVALID_ARG_INDEX) X(CL_INVALID_ARG_VALUE) X(CL_INVALID_ARG_SIZE) X(CL_INVALID_KERNEL_ARGS) \
    X(CL_INVALID_WORK_DIMENSION) X(CL_INVALID_WORK_GROUP_SIZE) X(CL_INVALID_WORK_ITEM_SIZE)          \
    X(CL_INVALID_GLOBAL_OFFSET) X(CL_INVALID_EVENT_WAIT_LIST) X(CL_INVALID_EVENT)                    \
    X(CL_INVALID_OPERATION) X(CL_INVALID_BUFFER_SIZE) X(CL_INVALID_GLOBAL_WORK_SIZE)
/* clang-format on */

const char *clgrad_cl_error_name(cl_int error)
{
    switch (error) {
#define ROW(name) \
    case name:    \
        return #name;
        ERROR_LIST(ROW)
#undef ROW
    default:
        return "an error of the driver's own";
    }
}

clgrad_status clgrad_cl_status(cl_int error)
{
    switch (error) {
    case CL_SUCCESS:
        return CLGRAD_STATUS_SUCCESS;
    case CL_OUT_OF_HOST_MEMORY:
        return CLGRAD_STATUS_OUT_OF_MEMORY;
    case CL_MEM_OBJECT_ALLOCATION_FAILURE:
    case CL_INVALID_BUFFER_SIZE:
        return CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY;
    default:
        return CLGRAD_STATUS_DEVICE_ERROR;
    }
}

clgrad_status clgrad_cl_fail(clgrad_cl_context *cl, cl_int error, const char *call)
{
    return clgrad_fail(&cl->base, clgrad_cl_status(error), "%s on %s failed: %s (%d)", call,
                       cl->base.device.name, clgrad_cl_error_name(error), error);
}
