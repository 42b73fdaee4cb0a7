/*
 * Settings: which values of its parameters an operation is tried with.
 */
#include "conformance.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The k-th value to try of a parameter; false when there are no more. What is tried comes from the default d
 * and the interval; the first is one that makes sense for a rate, a slope or a width alike. */
static bool alternative(const clgrad_parameter *parameter, size_t k, float *value)
{
    const float d = parameter->default_value;
    const float numbers[] = {(d + 1) / 2, d / 2, 0.25f, 2 * d, 0, 2.5f, -0.75f, parameter->minimum};
    const float integers[] = {1, 2, 3, 0, d + 1, parameter->maximum <= 64 ? parameter->maximum : d};
    const float flags[] = {1 - d};
    const float *values = numbers;
    size_t count = CLGRAD_CONF_COUNT(numbers);
    if (parameter->type != CLGRAD_PARAMETER_NUMBER) {
        const bool flag = parameter->type == CLGRAD_PARAMETER_FLAG;
        values = flag ? flags : integers;
        count = flag ? CLGRAD_CONF_COUNT(flags) : CLGRAD_CONF_COUNT(integers);
    }
    for (size_t i = 0; i < count; i++) {
        bool fits = values[i] >= parameter->minimum && values[i] <= parameter->maximum &&
                    fabsf(values[i]) <= 1e6f && (values[i] == 0 || fabsf(values[i]) >= 1e-12f);
        for (size_t j = 0; fits && j < i; j++)
            fits = values[i] != values[j];
        if (fits && values[i] != d && k-- == 0) {
            *value = values[i];
            return true;
        }
    }
    return false;
}

bool clgrad_conf_setting(const clgrad_conf_run *run, const clgrad_parameter *parameters, size_t index,
                         void *descriptor)
{
    const size_t values = run->options.full ? SIZE_MAX : 2; /* of each parameter */
    float value;
    if (index-- == 0)
        return true;
    for (const clgrad_parameter *p = parameters; p->name != NULL; p++)
        for (size_t k = 0; k < values && alternative(p, k, &value); k++)
            if (index-- == 0)
                return clgrad_parameter_set(p, descriptor, value);
    const bool several = parameters->name != NULL && parameters[1].name != NULL;
    if (!several || index > 1)
        return false;
    for (const clgrad_parameter *p = parameters; p->name != NULL; p++)
        if (alternative(p, index, &value) || alternative(p, 0, &value))
            clgrad_parameter_set(p, descriptor, value);
    return true;
}

void clgrad_conf_words(const clgrad_parameter *parameters, const void *descriptor, const char *more,
                       char *words, size_t room)
{
    size_t used = 0;
    words[0] = '\0';
    for (const clgrad_parameter *p = parameters; p != NULL && p->name != NULL && used < room; p++)
        used += (size_t)snprintf(words + used, room - used, "%s%s=%.9g", used > 0 ? " " : "", p->name,
                                 (double)clgrad_parameter_get(p, descriptor));
    if (used < room && more[0] != '\0')
        snprintf(words + used, room - used, "%s%s", used > 0 ? " " : "", more);
}
