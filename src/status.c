#include "internal.h"

#include <stdarg.h>
#include <stdio.h>

static const struct {
    const char *name, *meaning;
} statuses[] = {
#define ROW(value, identifier, name, meaning) [value] = {#name, meaning},
    CLGRAD_STATUS_LIST(ROW)
#undef ROW
};

#define STATUS_COUNT (sizeof statuses / sizeof statuses[0])

const char *clgrad_status_name(clgrad_status status)
{
    return (size_t)status < STATUS_COUNT ? statuses[status].name : "unknown";
}

const char *clgrad_status_meaning(clgrad_status status)
{
    return (size_t)status < STATUS_COUNT ? statuses[status].meaning : "unknown";
}

/* ---- sentences ---- */

clgrad_status clgrad_fail(clgrad_context *context, clgrad_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(context->error, sizeof context->error, format, arguments);
    va_end(arguments);
    return status;
}

clgrad_status clgrad_fail_message(clgrad_message *message, clgrad_status status, const char *format, ...)
{
    if (message == NULL)
        return status;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    return status;
}

/* ---- names that everybody needs ---- */

const char *clgrad_device_type_name(clgrad_device_type type)
{
    switch (type) {
    case CLGRAD_DEVICE_GPU:
        return "gpu";
    case CLGRAD_DEVICE_CPU:
        return "cpu";
    case CLGRAD_DEVICE_ACCELERATOR:
        return "accelerator";
    case CLGRAD_DEVICE_REFERENCE:
        return "reference";
    }
    return "unknown";
}
