#include "check.h"

#include <math.h>
#include <stdio.h>
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

float clgrad_parameter_get(const clgrad_parameter *parameter, const void *descriptor)
{
    const char *field = (const char *)descriptor + parameter->offset;
    bool flag;
    int32_t integer;
    float number = 0;
    switch (parameter->type) {
    case CLGRAD_PARAMETER_FLAG:
        memcpy(&flag, field, sizeof flag);
        return flag ? 1.0f : 0.0f;
    case CLGRAD_PARAMETER_INTEGER:
        memcpy(&integer, field, sizeof integer);
        return (float)integer;
    case CLGRAD_PARAMETER_NUMBER:
        memcpy(&number, field, sizeof number);
        break;
    }
    return number;
}

double clgrad_parameter_exact(const clgrad_parameter *parameter, const void *descriptor)
{
    int32_t integer;
    if (parameter->type != CLGRAD_PARAMETER_INTEGER)
        return (double)clgrad_parameter_get(parameter, descriptor);
    memcpy(&integer, (const char *)descriptor + parameter->offset, sizeof integer);
    return integer;
}

bool clgrad_parameter_is_inside(const clgrad_parameter *parameter, const void *descriptor)
{
    const double value = clgrad_parameter_exact(parameter, descriptor);
    return value >= (double)parameter->minimum && value <= (double)parameter->maximum;
}

static void set(const clgrad_parameter *parameter, void *descriptor, float value)
{
    char *field = (char *)descriptor + parameter->offset;
    const bool flag = value != 0;
    const int32_t integer = parameter->type == CLGRAD_PARAMETER_INTEGER ? (int32_t)value : 0;
    switch (parameter->type) {
    case CLGRAD_PARAMETER_FLAG:
        memcpy(field, &flag, sizeof flag);
        break;
    case CLGRAD_PARAMETER_INTEGER:
        memcpy(field, &integer, sizeof integer);
        break;
    case CLGRAD_PARAMETER_NUMBER:
        memcpy(field, &value, sizeof value);
        break;
    }
}

bool clgrad_parameter_set(const clgrad_parameter *parameter, void *descriptor, float value)
{
    if (!(value >= parameter->minimum && value <= parameter->maximum))
        return false;
    if (parameter->type != CLGRAD_PARAMETER_NUMBER && value != truncf(value))
        return false;
    set(parameter, descriptor, value);
    return true;
}

void clgrad_parameters_pack(const clgrad_parameter *parameters, const void *descriptor,
                            float values[CLGRAD_PARAMETER_MAX])
{
    memset(values, 0, CLGRAD_PARAMETER_MAX * sizeof *values);
    for (size_t i = 0; parameters[i].name != NULL; i++)
        values[i] = clgrad_parameter_get(&parameters[i], descriptor);
}

void clgrad_parameters_default(const clgrad_parameter *parameters, void *descriptor)
{
    for (; parameters->name != NULL; parameters++)
        set(parameters, descriptor, parameters->default_value);
}

void clgrad_check_parameters(clgrad_check *check, const char *owner, const clgrad_parameter *parameters,
                             const void *descriptor, const char *start)
{
    for (; parameters->name != NULL; parameters++)
        if (!clgrad_parameter_is_inside(parameters, descriptor)) {
            const int digits = parameters->type == CLGRAD_PARAMETER_INTEGER ? 10 : 9; /* all there are */
            const double value = clgrad_parameter_exact(parameters, descriptor);
            clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                              "%s's %s is %.*g, it must lie between %.*g and %.*g%s", owner, parameters->name,
                              digits, value, digits, (double)parameters->minimum, digits,
                              (double)parameters->maximum, value == 0 ? start : "");
        }
}

void clgrad_check_fail_constraint(clgrad_check *check, const char *owner, const char *constraint,
                                  const clgrad_parameter *parameters, const void *descriptor,
                                  const char *start)
{
    char values[256] = "";
    size_t used = 0;
    bool all_zero = true;
    for (const clgrad_parameter *p = parameters; p->name != NULL && used < sizeof values; p++) {
        const double value = (double)clgrad_parameter_get(p, descriptor);
        all_zero = all_zero && value == 0;
        used += (size_t)snprintf(values + used, sizeof values - used, "%s%s %g", used > 0 ? ", " : "",
                                 p->name, value);
    }
    clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "%s: %s; this one has %s%s", owner, constraint,
                      values, all_zero ? start : "");
}
