/*
 * What the families and the backends share: leaving a sentence, and reading a list's parameters.
 */
#ifndef CLGRAD_INTERNAL_H
#define CLGRAD_INTERNAL_H

#include "backend.h"

#if defined(__GNUC__)
#define CLGRAD_PRINTF(format, first) __attribute__((format(printf, format, first)))
#else
#define CLGRAD_PRINTF(format, first)
#endif

/* Leave a sentence in the context (or the message, where there is no context yet) and return the status. */
clgrad_status clgrad_fail(clgrad_context *context, clgrad_status status, const char *format, ...)
    CLGRAD_PRINTF(3, 4);
clgrad_status clgrad_fail_message(clgrad_message *message, clgrad_status status, const char *format, ...)
    CLGRAD_PRINTF(3, 4);

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

/* The values of a descriptor's parameters in the order of its list row; flags as 0 and 1. */
void clgrad_parameters_pack(const clgrad_parameter *parameters, const void *descriptor,
                            float values[CLGRAD_PARAMETER_MAX]);

/* Set every parameter of a descriptor to its default. */
void clgrad_parameters_default(const clgrad_parameter *parameters, void *descriptor);

/* Refuse a descriptor with a parameter outside its interval; owner is named in the sentence. */
clgrad_status clgrad_parameters_check(clgrad_context *context, const char *owner,
                                      const clgrad_parameter *parameters, const void *descriptor);

/* One line of a family's list, as an entry of an array of clgrad_parameter. */
#define CLGRAD_PARAMETER_ENTRY(descriptor_type, kind, field, default_value, minimum, maximum)                \
    {#field, CLGRAD_PARAMETER_##kind, offsetof(descriptor_type, field), default_value, minimum, maximum},

/* Refuse an activation (a loss, an optimizer) of unknown kind or with a parameter outside its interval. */
clgrad_status clgrad_activation_check(clgrad_context *context, const clgrad_activation *activation);
clgrad_status clgrad_loss_check(clgrad_context *context, const clgrad_loss *loss);
clgrad_status clgrad_optimizer_check(clgrad_context *context, const clgrad_optimizer *optimizer);

#endif
