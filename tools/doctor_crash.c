/*
 * What is said where a driver ends this process while its devices are listed or opened. (What it does to
 * worker processes, doctor_run.c sees.) The words are made beforehand, since a signal handler may do little
 * more than write.
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
    {SIGSEGV, "SIGSEGV"}, {SIGBUS, "SIGBUS"}, {SIGABRT, "SIGABRT"},
    {SIGILL, "SIGILL"},   {SIGFPE, "SIGFPE"}, {SIGKILL, "SIGKILL"}, /* which cannot be watched for */
};

const char *doctor_signal_name(int number)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        if (faults[i].number == number)
            return faults[i].name;
    return NULL;
}

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
    say(doctor_signal_name(number));
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

void doctor_crash_plainly(void)
{
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        signal(faults[i].number, SIG_DFL);
}

void doctor_crash_during(const char *what, const clgrad_device *device)
{
    char *text = atomic_load(&words) == room[0] ? room[1] : room[0];
    snprintf(text, sizeof room[0],
             "%s %s\n  device    %s, %s\n  driver    %s\n  again     clgrad-doctor --device %s\n", what,
             device->specification, device->name, device->vendor, device->driver, device->specification);
    atomic_store(&words, text);
}
