/*
 * A process that runs operations on a device for the first process, one after the other, so that several
 * compile at the same time (a driver that compiles for one thread only is common), and one that the driver
 * crashes takes nothing with it but its operation.
 */
#define _POSIX_C_SOURCE 200809L

#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0
#endif

bool doctor_send(int channel, const void *what, size_t bytes)
{
    const char *next = what;
    while (bytes > 0) {
        const ssize_t sent = send(channel, next, bytes, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent <= 0)
            return false;
        next += sent;
        bytes -= (size_t)sent;
    }
    return true;
}

bool doctor_receive(int channel, void *what, size_t bytes)
{
    char *next = what;
    while (bytes > 0) {
        const ssize_t received = recv(channel, next, bytes, 0);
        if (received < 0 && errno == EINTR)
            continue;
        if (received <= 0)
            return false;
        next += received;
        bytes -= (size_t)received;
    }
    return true;
}

doctor_result doctor_copy(const clgrad_conformance_result *result)
{
    doctor_result r = {.result = *result};
    snprintf(r.family, sizeof r.family, "%s", result->family);
    snprintf(r.operation, sizeof r.operation, "%s", result->operation);
    snprintf(r.unit, sizeof r.unit, "%s", result->unit);
    r.result.family = r.result.operation = r.result.unit = NULL;
    return r;
}

/* Into the answer, which is about one operation: its verdict. */
static bool keep(const clgrad_conformance_result *result, void *user)
{
    doctor_answer *answer = user;
    if (result->verdict != CLGRAD_CONFORMANCE_STARTED)
        answer->result = doctor_copy(result);
    return true;
}

/* The socket, from where a driver would read it, and a process that a driver starts would keep it. */
static int take_channel(void)
{
    const int channel = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    const int nothing = open("/dev/null", O_RDONLY);
    if (nothing >= 0) {
        dup2(nothing, STDIN_FILENO);
        close(nothing);
    }
    return channel;
}

int doctor_work(const char *specification, bool full)
{
    const int channel = take_channel();
    clgrad_context *context = NULL;
    doctor_answer answer = {0};
    doctor_request request;
    doctor_crash_plainly(); /* the first process sees by which signal this one ends */
    answer.status = clgrad_context_create(specification, &context, &answer.message);
    bool heard = doctor_send(channel, &answer, sizeof answer);
    while (context != NULL && heard && doctor_receive(channel, &request, sizeof request)) {
        const char *const only[] = {request.operation};
        clgrad_conformance_options options = clgrad_conformance_defaults();
        options.full = full;
        options.only = only;
        options.only_count = 1;
        memset(&answer, 0, sizeof answer);
        answer.status = clgrad_conformance_run(context, &options, keep, &answer);
        if (answer.status != CLGRAD_STATUS_SUCCESS)
            snprintf(answer.message.text, sizeof answer.message.text, "%s", clgrad_context_error(context));
        clgrad_context_counters(context, &answer.counters);
        heard = doctor_send(channel, &answer, sizeof answer);
    }
    clgrad_context_destroy(context);
    return EXIT_SUCCESS;
}
