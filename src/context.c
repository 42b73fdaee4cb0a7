#include "internal.h"

#include <stdlib.h>
#include <string.h>

clgrad_status clgrad_device_list(clgrad_device *devices, size_t capacity, size_t *count)
{
    if (count == NULL || (devices == NULL && capacity > 0))
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    size_t found;
    clgrad_status status = clgrad_cl_device_list(devices, capacity, &found);
    *count = 0;
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    if (found < capacity)
        clgrad_ref_device(&devices[found]);
    *count = found + 1;
    return CLGRAD_STATUS_SUCCESS;
}

/* Whether it is one of an OpenCL device; there need not be such a device. */
static bool names_opencl(const char *specification)
{
    if (strncmp(specification, "opencl", strlen("opencl")) != 0)
        return false;
    const char *digits = "0123456789", *selector = specification + strlen("opencl");
    if (strcmp(selector, "") == 0 || strcmp(selector, ":gpu") == 0 || strcmp(selector, ":cpu") == 0 ||
        strcmp(selector, ":accelerator") == 0)
        return true;
    if (selector[0] != ':')
        return false;
    const char *platform = selector + 1, *point = platform + strspn(platform, digits);
    if (point == platform || point[0] != '.')
        return false;
    const char *device = point + 1, *end = device + strspn(device, digits);
    return end != device && end[0] == '\0';
}

clgrad_status clgrad_context_create(const char *specification, clgrad_context **context,
                                    clgrad_message *message)
{
    if (context == NULL)
        return clgrad_fail_message(message, CLGRAD_STATUS_INVALID_ARGUMENT,
                                   "clgrad_context_create: context is NULL");
    *context = NULL;
    if (specification == NULL) {
        const char *wish = getenv("CLGRAD_DEVICE");
        specification = wish != NULL && wish[0] != '\0' ? wish : "opencl";
    }
    if (strcmp(specification, "reference") == 0)
        return clgrad_ref_context_create(context, message);
    if (names_opencl(specification))
        return clgrad_cl_context_create(specification, context, message);
    return clgrad_fail_message(
        message, CLGRAD_STATUS_INVALID_ARGUMENT,
        "the device \"%s\" is not understood: use \"opencl\", \"opencl:gpu\", "
        "\"opencl:cpu\", \"opencl:accelerator\", \"opencl:PLATFORM.DEVICE\" (two numbers) or "
        "\"reference\"",
        specification);
}

void clgrad_context_destroy(clgrad_context *context)
{
    if (context == NULL)
        return;
    context->backend->context->finish(context);
    clgrad_context_release(context);
}

const char *clgrad_context_error(const clgrad_context *context)
{
    return context != NULL ? context->error : "the context is NULL";
}

const clgrad_device *clgrad_context_device(const clgrad_context *context)
{
    return context != NULL ? &context->device : NULL;
}

/* ---- faults ---- */

/* What a fault's sentence is made of: where the index stood, and what it chose among, where that has a name.
 */
static const struct {
    const char *index, *owner, *noun;
} fault_names[] = {
    [CLGRAD_FAULT_CLASS] = {"target", "prediction", "classes"},
    [CLGRAD_FAULT_ROW] = {"indices", "source", "rows"},
    [CLGRAD_FAULT_INPUT_LENGTH] = {"input_lengths", NULL, NULL},
    [CLGRAD_FAULT_TARGET_LENGTH] = {"target_lengths", NULL, NULL},
};

static clgrad_status report(clgrad_context *context, clgrad_fault fault)
{
    if (fault.kind == CLGRAD_FAULT_NONE)
        return CLGRAD_STATUS_SUCCESS;
    if (fault.kind == CLGRAD_FAULT_ANOMALY)
        return context->watch->report(context, fault);
    const char *later = fault.position == INT32_MAX ? " or later" : "";
    if (fault.kind == CLGRAD_FAULT_GROUP)
        return clgrad_fail(context, CLGRAD_STATUS_INVALID_INDEX,
                           "ranges[%d%s] has the group %d, but the optimizer has the groups 0 to %d (and -1)",
                           fault.position, later, fault.value, fault.limit - 1);
    const char *name = fault_names[fault.kind].index, *owner = fault_names[fault.kind].owner;
    if (owner == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_INVALID_INDEX,
                           "%s[%d%s] is %d, it must lie between 0 and %d", name, fault.position, later,
                           fault.value, fault.limit - 1);
    if (fault.limit == 0)
        return clgrad_fail(context, CLGRAD_STATUS_INVALID_INDEX, "%s[%d%s] is %d, but the %s has no %s", name,
                           fault.position, later, fault.value, owner, fault_names[fault.kind].noun);
    return clgrad_fail(context, CLGRAD_STATUS_INVALID_INDEX, "%s[%d%s] is %d, but the %s has the %s 0 to %d",
                       name, fault.position, later, fault.value, owner, fault_names[fault.kind].noun,
                       fault.limit - 1);
}

clgrad_status clgrad_context_report_fault(clgrad_context *context)
{
    const clgrad_fault fault = context->fault;
    context->fault = (clgrad_fault){0};
    const clgrad_status status = report(context, fault);
    if (context->watch != NULL)
        context->watch->forget(context);
    return status;
}

clgrad_status clgrad_context_counters(const clgrad_context *context, clgrad_counters *counters)
{
    if (context == NULL || counters == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    *counters = context->counters;
    return CLGRAD_STATUS_SUCCESS;
}

clgrad_status clgrad_context_finish(clgrad_context *context)
{
    if (context == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_status status = context->backend->context->finish(context);
    return status == CLGRAD_STATUS_SUCCESS ? clgrad_context_report_fault(context) : status;
}
