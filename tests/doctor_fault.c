/*
 * Stands in for clgrad_context_create in a clgrad-doctor that is built for the tests. The device that a
 * worker opens spoils element 64 of gelu's gradient; or, where the environment's DOCTOR_FAULT is "refused",
 * does not open; or, where it is "opening", "mish" or "closing", a worker ends there by the signal
 * DOCTOR_FAULT_NUMBER; where it is "first", the first process does, where it opens the device.
 */
#include "conformance_fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_fault(const char *name)
{
    const char *fault = getenv("DOCTOR_FAULT");
    return fault != NULL && strcmp(fault, name) == 0;
}

static int fault_number(void)
{
    const char *number = getenv("DOCTOR_FAULT_NUMBER");
    return number != NULL ? atoi(number) : 0;
}

/* A driver's handler may come first, and leave it to the next one by returning. */
static void end_now(void)
{
    for (;;)
        raise(fault_number());
}

clgrad_status doctor_context_create(const char *specification, clgrad_context **context,
                                    clgrad_message *message);

clgrad_status doctor_context_create(const char *specification, clgrad_context **context,
                                    clgrad_message *message)
{
    if (is_fault("refused")) {
        snprintf(message->text, sizeof message->text, "no room for another context");
        return CLGRAD_STATUS_OUT_OF_MEMORY;
    }
    if (is_fault("opening"))
        end_now();
    if (is_fault("closing"))
        atexit(end_now);
    const clgrad_status status = clgrad_context_create(specification, context, message);
    if (status == CLGRAD_STATUS_SUCCESS && is_fault("mish"))
        fault_inject(*context, FAULT_MISH_CRASHES, (size_t)fault_number());
    else if (status == CLGRAD_STATUS_SUCCESS)
        fault_inject(*context, FAULT_GELU_BACKWARD, 64);
    return status;
}

clgrad_status doctor_context_create_first(const char *specification, clgrad_context **context,
                                          clgrad_message *message);

clgrad_status doctor_context_create_first(const char *specification, clgrad_context **context,
                                          clgrad_message *message)
{
    if (is_fault("first"))
        end_now();
    return clgrad_context_create(specification, context, message);
}
