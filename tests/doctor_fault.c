/*
 * Stands in for the library in a clgrad-doctor that is built for the tests. The device that a worker opens
 * spoils element 64 of gelu's gradient; or, by the environment's DOCTOR_FAULT:
 *
 * "refused": it does not open. "opening", "mish", "closing": a worker ends there by the signal
 * DOCTOR_FAULT_NUMBER. "first": the first process does, where it opens the device.
 *
 * "late": the first operation ends the run when the last has passed, which leaves the file DOCTOR_FAULT_FILE.
 * "leaving": it leaves by the exit status DOCTOR_FAULT_NUMBER. "dead": it and all behind it in its process
 * fail by the device's error.
 */
#define _POSIX_C_SOURCE 200809L

#include "conformance_fault.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

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

static bool is_first(const clgrad_conformance_options *options)
{
    return strcmp(options->only[0], "relu_forward") == 0;
}

/* The last operation leaves a file, for which the first one waits, a minute at most. */
static clgrad_status run_late(clgrad_context *context, const clgrad_conformance_options *options,
                              clgrad_conformance_report *report, void *user)
{
    const char *path = getenv("DOCTOR_FAULT_FILE");
    if (is_first(options)) {
        for (int i = 0; i < 6000 && access(path, F_OK) != 0; i++)
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        return CLGRAD_STATUS_OUT_OF_MEMORY;
    }
    const clgrad_status status = clgrad_conformance_run(context, options, report, user);
    if (strcmp(options->only[0], "mish_backward") == 0) {
        FILE *file = fopen(path, "w");
        if (file != NULL)
            fclose(file);
    }
    return status;
}

clgrad_status doctor_conformance_run(clgrad_context *context, const clgrad_conformance_options *options,
                                     clgrad_conformance_report *report, void *user);

clgrad_status doctor_conformance_run(clgrad_context *context, const clgrad_conformance_options *options,
                                     clgrad_conformance_report *report, void *user)
{
    static bool dead = false;
    if (is_fault("late"))
        return run_late(context, options, report, user);
    if (is_fault("leaving") && is_first(options))
        _exit(fault_number());
    dead = dead || (is_fault("dead") && is_first(options));
    if (!dead)
        return clgrad_conformance_run(context, options, report, user);
    clgrad_conformance_result result = {.family = "activation",
                                        .operation = options->only[0],
                                        .verdict = CLGRAD_CONFORMANCE_FAILED,
                                        .unit = "ulp",
                                        .cases = 1,
                                        .failed_cases = 1};
    result.failure.status = CLGRAD_STATUS_DEVICE_ERROR;
    snprintf(result.failure.message, sizeof result.failure.message, "the device is gone");
    report(&result, user);
    return CLGRAD_STATUS_SUCCESS;
}
