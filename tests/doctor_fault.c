/*
 * Stands in for clgrad_context_create in a clgrad-doctor that is built for the tests: the device that it
 * opens spoils element 64 of gelu's gradient, or, where DOCTOR_FAULT_SIGNAL is a signal's number, crashes
 * with that in mish.
 */
#include "conformance_fault.h"

#include <stdlib.h>

clgrad_status doctor_context_create(const char *specification, clgrad_context **context,
                                    clgrad_message *message);

clgrad_status doctor_context_create(const char *specification, clgrad_context **context,
                                    clgrad_message *message)
{
    const clgrad_status status = clgrad_context_create(specification, context, message);
    const char *number = getenv("DOCTOR_FAULT_SIGNAL");
    if (status == CLGRAD_STATUS_SUCCESS && number != NULL)
        fault_inject(*context, FAULT_MISH_CRASHES, strtoul(number, NULL, 10));
    else if (status == CLGRAD_STATUS_SUCCESS)
        fault_inject(*context, FAULT_GELU_BACKWARD, 64);
    return status;
}
