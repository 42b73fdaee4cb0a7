/*
 * What the families and the backends share: leaving a sentence, and reading a list's parameters.
 */
#ifndef CLGRAD_INTERNAL_H
#define CLGRAD_INTERNAL_H

#include "backend.h"

#if defined(__GNUC__)
#define CLGRAD_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define CLGRAD_PRINTF(text, first)
#endif

/* Leave a sentence in the context (or the message, where there is no context yet) and return the status. */
clgrad_status clgrad_fail(clgrad_context *context, clgrad_status status, const char *format, ...)
    CLGRAD_PRINTF(3, 4);
clgrad_status clgrad_fail_message(clgrad_message *message, clgrad_status status, const char *format, ...)
    CLGRAD_PRINTF(3, 4);

/* What a sentence says to those who have no OpenCL device. */
#define CLGRAD_USE_REFERENCE                                                                                 \
    "use the slow built-in reference: open the device \"reference\", or set CLGRAD_DEVICE=reference in the " \
    "environment of a program that names no device"

/* A context lives until the caller and every buffer have let go of it. */
static inline void clgrad_context_retain(clgrad_context *context)
{
    context->references++;
}
static inline void clgrad_context_release(clgrad_context *context)
{
    if (--context->references > 0)
        return;
    if (context->watch != NULL)
        context->watch->end(context);
    context->backend->context->destroy(context);
}

/* Turn what context->fault holds, if anything, into a status and a sentence, and clear it. */
clgrad_status clgrad_context_report_fault(clgrad_context *context);

/* Present is the opposite of absent. */
static inline bool clgrad_present(clgrad_tensor tensor)
{
    return tensor.buffer != NULL;
}

/* Bytes of a tensor that has been checked. */
static inline size_t clgrad_bytes(clgrad_tensor tensor)
{
    return clgrad_tensor_count(tensor) * clgrad_type_size(tensor.type);
}

/* total += a * b, unless that overflows. */
static inline bool clgrad_add_product(size_t *total, size_t a, size_t b)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    if (a * b > SIZE_MAX - *total)
        return false;
    *total += a * b;
    return true;
}

/* The row of a table whose rows begin with their name (const char *), or -1. */
ptrdiff_t clgrad_find_name(const char *name, const void *table, size_t rows, size_t row_bytes);

/* The values of a descriptor's parameters in the order of its list row; flags as 0 and 1. */
void clgrad_parameters_pack(const clgrad_parameter *parameters, const void *descriptor,
                            float values[CLGRAD_PARAMETER_MAX]);

/* Whether a parameter lies in its interval. */
bool clgrad_parameter_is_inside(const clgrad_parameter *parameter, const void *descriptor);

/* A parameter's value; unlike clgrad_parameter_get exact for a whole number of more digits than a float's. */
double clgrad_parameter_exact(const clgrad_parameter *parameter, const void *descriptor);

/* Set every parameter of a descriptor to its default. */
void clgrad_parameters_default(const clgrad_parameter *parameters, void *descriptor);

/* What the list says: the names of an optimizer's slots, at least as many as it has, separated by blanks. */
const char *clgrad_optimizer_slot_names(const clgrad_optimizer *optimizer);

/* Whether the value is in the list of initializers. */
bool clgrad_initializer_exists(clgrad_initializer initializer);

/* The parameters of one row of a family's list, as an array; PARAMETER is the family's
 * CLGRAD_PARAMETER_ENTRY. */
#define CLGRAD_PARAMETER_ARRAY(value, identifier, name, PARAMETERS, ...)                              \
    static const clgrad_parameter name##_parameters[] = {PARAMETERS(PARAMETER){0}};                   \
    _Static_assert(sizeof name##_parameters <= (CLGRAD_PARAMETER_MAX + 1) * sizeof(clgrad_parameter), \
                   #name " has too many parameters");

/* One line of a family's list, as an entry of an array of clgrad_parameter. */
#define CLGRAD_PARAMETER_ENTRY(descriptor_type, kind, field, default_value, minimum, maximum) \
    {#field, CLGRAD_PARAMETER_##kind, offsetof(descriptor_type, field), default_value, minimum, maximum},

#endif
