/*
 * In the place of src/opencl/ where the library is built with CLGRAD_OPENCL=OFF: the reference is the only
 * device. It is not chosen by itself, since nobody trains on it by choice.
 */
#include "internal.h"

clgrad_status clgrad_cl_device_list(clgrad_device *devices, size_t capacity, size_t *count)
{
    (void)devices;
    (void)capacity;
    *count = 0;
    return CLGRAD_STATUS_SUCCESS;
}

clgrad_status clgrad_cl_context_create(const char *specification, clgrad_context **context,
                                       clgrad_message *message)
{
    *context = NULL;
    return clgrad_fail_message(message, CLGRAD_STATUS_DEVICE_NOT_FOUND,
                               "there is no device for \"%s\": this clgrad was built without OpenCL "
                               "(CLGRAD_OPENCL=OFF); " CLGRAD_USE_REFERENCE,
                               specification);
}
