#include "check.h"

#include <string.h>

ptrdiff_t clgrad_find_name(const char *name, const void *table, size_t rows, size_t row_bytes)
{
    for (size_t i = 0; name != NULL && i < rows; i++) {
        const char *candidate;
        memcpy(&candidate, (const char *)table + i * row_bytes, sizeof candidate);
        if (strcmp(candidate, name) == 0)
            return (ptrdiff_t)i;
    }
    return -1;
}

static float get(const clgrad_parameter *parameter, const void *descriptor)
{
    const char *field = (const char *)descriptor + parameter->offset;
    if (parameter->type == CLGRAD_PARAMETER_FLAG) {
        bool flag;
        memcpy(&flag, field, sizeof flag);
        return flag ? 1.0f : 0.0f;
    }
    float number;
    memcpy(&number, field, sizeof number);
    return number;
}

static void set(const clgrad_parameter *parameter, void *descriptor, float value)
{
    char *field = (char *)descriptor + parameter->offset;
    if (parameter->type == CLGRAD_PARAMETER_FLAG) {
        bool flag = value != 0;
        memcpy(field, &flag, sizeof flag);
    } else {
        memcpy(field, &value, sizeof value);
    }
}

void clgrad_parameters_pack(const clgrad_parameter *parameters, const void *descriptor,
                            float values[CLGRAD_PARAMETER_MAX])
{
    memset(values, 0, CLGRAD_PARAMETER_MAX * sizeof *values);
    for (size_t i = 0; parameters[i].name != NULL; i++)
        values[i] = get(&parameters[i], descriptor);
}

void clgrad_parameters_default(const clgrad_parameter *parameters, void *descriptor)
{
    for (; parameters->name != NULL; parameters++)
        set(parameters, descriptor, parameters->default_value);
}

void clgrad_check_parameters(clgrad_check *check, const char *owner, const clgrad_parameter *parameters,
                             const void *descriptor)
{
    for (; parameters->name != NULL; parameters++) {
        float value = get(parameters, descriptor);
        if (!(value >= parameters->minimum && value <= parameters->maximum))
            clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                              "%s's %s is %g, it must lie between %g and %g", owner, parameters->name,
                              (double)value, (double)parameters->minimum, (double)parameters->maximum);
    }
}
