/*
 * Stands in for clgrad_context_create in a clgrad-doctor that is built for the tests: the device that it
 * opens spoils element 64 of gelu's gradient.
 */
#include "conformance_fault.h"

clgrad_status doctor_context_create(const char *specification, clgrad_context **context,
                                    clgrad_message *message);

clgrad_status doctor_context_create(const char *specification, clgrad_context **context,
                                    clgrad_message *message)
{
    const clgrad_status status = clgrad_context_create(specification, context, message);
    if (status == CLGRAD_STATUS_SUCCESS)
        fault_inject(*context, FAULT_GELU_BACKWARD, 64);
    return status;
}
