/*
 * The reference device: the host itself. Calls compute before they return, so there is nothing to wait for.
 */
#include "reference.h"

#include "../internal.h"

#include <stdlib.h>

static void context_destroy(clgrad_context *context)
{
    free(context);
}

static clgrad_status context_finish(clgrad_context *context)
{
    (void)context;
    return CLGRAD_STATUS_SUCCESS;
}

static const clgrad_context_functions context_functions = {
    .destroy = context_destroy,
    .finish = context_finish,
};

static const clgrad_backend reference_backend = {
    .context = &context_functions,
    .tensor = &clgrad_ref_tensor_functions,
    .activation = &clgrad_ref_activation_functions,
    .dense = &clgrad_ref_dense_functions,
    .loss = &clgrad_ref_loss_functions,
    .optimizer = &clgrad_ref_optimizer_functions,
    .clip = &clgrad_ref_clip_functions,
    .softmax = &clgrad_ref_softmax_functions,
    .gated = &clgrad_ref_gated_functions,
    .noise = &clgrad_ref_noise_functions,
    .normalization = &clgrad_ref_normalization_functions,
};

void clgrad_ref_device(clgrad_device *device)
{
    *device = (clgrad_device){
        .specification = "reference",
        .name = "clgrad reference (double precision)",
        .vendor = "clgrad",
        .driver = "built in",
        .type = CLGRAD_DEVICE_REFERENCE,
        .memory = 0,
        .compute_units = 1,
    };
}

clgrad_status clgrad_ref_context_create(clgrad_context **context, clgrad_message *message)
{
    *context = calloc(1, sizeof **context);
    if (*context == NULL)
        return clgrad_fail_message(message, CLGRAD_STATUS_OUT_OF_MEMORY,
                                   "reference: no memory for a context of %zu bytes", sizeof **context);
    (*context)->backend = &reference_backend;
    (*context)->references = 1;
    clgrad_ref_device(&(*context)->device);
    return CLGRAD_STATUS_SUCCESS;
}

static int32_t at_most_int32(size_t value)
{
    return value < INT32_MAX ? (int32_t)value : INT32_MAX;
}

void clgrad_ref_fault(clgrad_context *context, clgrad_fault_kind kind, size_t position, int32_t value,
                      size_t limit)
{
    /* An optimizer's group suspends nothing, so it makes room for an index that does. */
    if (context->fault.kind != CLGRAD_FAULT_NONE && context->fault.kind != CLGRAD_FAULT_GROUP)
        return;
    if (context->fault.kind == CLGRAD_FAULT_GROUP && kind == CLGRAD_FAULT_GROUP)
        return;
    context->fault = (clgrad_fault){
        .kind = (int32_t)kind,
        .position = at_most_int32(position),
        .value = value,
        .limit = at_most_int32(limit),
    };
}
