/*
 * What is said where a driver ends the process by a fault in it or in what it has compiled: during what, on
 * which device. The words are made beforehand, since a signal handler may do little more than write.
 */
#define _XOPEN_SOURCE 700

#include "doctor.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const struct {
    int number;
    const char *name;
} faults[] = {
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGABRT, "SIGABRT"}, {SIGILL, "SIGILL"}, {SIGFPE, "SIGFPE"},
};

/* The words, and where the next ones are put: another thread's fault finds either of them whole. */
static _Atomic(const char *) words = "the list of devices\n";
static char room[2][1024 + sizeof(clgrad_device)];

static void say(const char *text)
{
    const ssize_t written = write(STDERR_FILENO, text, strlen(text));
    (void)written; /* there is nobody else to tell */
}

static void crash(int number)
{
    say("\nCRASHED by ");
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (faults[i].number == number)
            say(faults[i].name);
    say(": ");
    say(atomic_load(&words));
    signal(number, SIG_DFL);
    raise(number);
}

void doctor_crash_watch(void)
{
    static char stack[1 << 16]; /* the fault may be that the other one is full */
    const stack_t other = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = crash, .sa_flags = SA_ONSTACK | SA_NODEFER};
    sigemptyset(&action.sa_mask);
    sigaltstack(&other, NULL);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigaction(faults[i].number, &action, NULL);
}

void doctor_crash_during(const doctor_state *doctor, const clgrad_device *device, const char *what,
                         bool operation)
{
    char *text = atomic_load(&words) == room[0] ? room[1] : room[0], again[160] = "";
    if (operation)
        snprintf(again, sizeof again, " --only %.96s%s", what, doctor->options.full ? " --full" : "");
    snprintf(text, sizeof room[0],
             "%.96s on %s; nothing behind it has run:\n  device    %s, %s\n  driver    %s\n"
             "  again     clgrad-doctor --device %s%s\n",
             what, device->specification, device->name, device->vendor, device->driver, device->specification,
             again);
    atomic_store(&words, text);
}
