/*
 * The operations of a device, handed out one by one to worker processes (doctor_worker.c), and what is made
 * of their ends.
 */
#define _POSIX_C_SOURCE 200809L

#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

typedef enum phase { ABSENT, OPENING, WORKING, CLOSING } phase;

typedef struct worker {
    phase phase;
    pid_t pid;
    int channel;
    bool opened;      /* the device */
    size_t operation; /* its place in the list, while it is WORKING */
    clgrad_counters counters;
} worker;

typedef struct crew {
    const doctor_state *doctor;
    doctor_device *d;
    worker workers[DOCTOR_MOST_JOBS];
    size_t count;
    size_t next;                                /* operation to hand out */
    size_t shown;                               /* operations in the table */
    char opening[sizeof(clgrad_message) + 128]; /* why a worker could not open the device, or "" */
    char closing[64];                           /* how one ended that closed it, or "" */
} crew;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* As many as there are processors; some drivers keep a good part of a GPU for each process. */
static size_t choose_jobs(const doctor_state *doctor, const clgrad_device *device)
{
    const long processors = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t most = device->type == CLGRAD_DEVICE_GPU ? 4 : 8;
    const size_t wanted = processors < 1 ? 1 : (size_t)processors;
    return doctor->jobs > 0 ? doctor->jobs : wanted < most ? wanted : most;
}

static bool is_over(const crew *c)
{
    return c->next >= c->d->count || c->d->error[0] != '\0';
}

/* ---- processes ---- */

static pid_t spawn(const crew *c, int channel)
{
    const char *program = access("/proc/self/exe", X_OK) == 0 ? "/proc/self/exe" : c->doctor->program;
    char *const arguments[] = {
        (char *)(uintptr_t)c->doctor->program,     "--worker", "--device", c->d->device.specification,
        c->doctor->options.full ? "--full" : NULL, NULL};
    posix_spawn_file_actions_t actions;
    pid_t pid = 0;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return 0;
    /* What a driver prints must not come between the table's lines. */
    if (posix_spawn_file_actions_adddup2(&actions, channel, STDIN_FILENO) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO) != 0 ||
        posix_spawnp(&pid, program, &actions, NULL, arguments, environ) != 0)
        pid = 0;
    posix_spawn_file_actions_destroy(&actions);
    return pid;
}

/* False, with the reason in opening, where the system does not have it. */
static bool start(crew *c, worker *w)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) {
        snprintf(c->opening, sizeof c->opening, "there is no socket for a worker process: %s",
                 strerror(errno));
        return false;
    }
    /* No other worker inherits them, or this one's end would not be seen. */
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    *w = (worker){.pid = spawn(c, ends[1]), .channel = ends[0]};
    close(ends[1]);
    if (w->pid > 0) {
        w->phase = OPENING;
        return true;
    }
    close(ends[0]);
    snprintf(c->opening, sizeof c->opening, "%s cannot be started as a worker process", c->doctor->program);
    return false;
}

/* It closes its device and ends. */
static void dismiss(worker *w)
{
    w->phase = CLOSING;
    shutdown(w->channel, SHUT_WR);
}

static void hand_out(crew *c, worker *w)
{
    if (is_over(c)) {
        dismiss(w);
        return;
    }
    doctor_request request;
    snprintf(request.operation, sizeof request.operation, "%s", c->d->results[c->next].operation);
    w->phase = WORKING;
    w->operation = c->next++;
    doctor_send(w->channel, &request, sizeof request); /* where that fails, its end is heard of next */
}

/* What has been running for longest: the operation that hangs, where one does. */
static void show_progress(const crew *c)
{
    size_t oldest = c->d->count;
    for (size_t i = 0; i < c->count; i++)
        if (c->workers[i].phase == WORKING && c->workers[i].operation < oldest)
            oldest = c->workers[i].operation;
    char words[160];
    if (oldest == c->d->count)
        return;
    snprintf(words, sizeof words, "%zu/%zu %s", oldest + 1, c->d->count, c->d->results[oldest].operation);
    doctor_progress(c->d, words);
}

/* ---- what comes back ---- */

static void know(crew *c, size_t operation, const doctor_result *result)
{
    c->d->results[operation] = *result;
    c->d->results[operation].known = true;
    doctor_progress(c->d, NULL);
    for (; c->shown < c->d->count && c->d->results[c->shown].known; c->shown++)
        if (!c->doctor->json)
            doctor_table_row(&c->d->results[c->shown]);
}

/* Wait for a process. Answers its status as waitpid does, and describes it: a signal or an exit status. */
static int wait_for(pid_t pid, char text[16])
{
    int status = 0;
    pid_t ended;
    while ((ended = waitpid(pid, &status, 0)) < 0 && errno == EINTR)
        continue;
    if (ended != pid)
        snprintf(text, 16, "something"); /* somebody else has waited for it */
    else if (!WIFSIGNALED(status))
        snprintf(text, 16, "exit status %d", WEXITSTATUS(status) & 255);
    else if (doctor_signal_name(WTERMSIG(status)) != NULL)
        snprintf(text, 16, "%s", doctor_signal_name(WTERMSIG(status)));
    else
        snprintf(text, 16, "signal %d", WTERMSIG(status) & 255);
    return status;
}

static void count_in(clgrad_counters *total, const clgrad_counters *more)
{
    total->programs_compiled += more->programs_compiled;
    total->programs_loaded += more->programs_loaded;
}

/* A worker has ended, as it should, or in the middle of something. */
static void bury(crew *c, worker *w)
{
    char end[16];
    close(w->channel);
    const int status = wait_for(w->pid, end);
    count_in(&c->d->counters, &w->counters);
    if (w->phase == WORKING) {
        doctor_result crashed = c->d->results[w->operation];
        crashed.result.verdict = CLGRAD_CONFORMANCE_FAILED;
        snprintf(crashed.crash, sizeof crashed.crash, "%s", end);
        know(c, w->operation, &crashed);
    } else if (w->phase == OPENING) {
        snprintf(c->opening, sizeof c->opening, "opening the device ended a process by %s", end);
    } else if (status != 0) {
        snprintf(c->closing, sizeof c->closing, "closing the device ended a process by %s", end);
    }
    w->phase = ABSENT;
    if (w->opened && !is_over(c))
        start(c, w);
}

static void hear(crew *c, worker *w)
{
    doctor_answer answer;
    if (!doctor_receive(w->channel, &answer, sizeof answer)) {
        bury(c, w);
        return;
    }
    if (w->phase == OPENING && answer.status != CLGRAD_STATUS_SUCCESS) {
        snprintf(c->opening, sizeof c->opening, "%s: %s", clgrad_status_name(answer.status),
                 answer.message.text);
        dismiss(w);
        return;
    }
    w->opened = true;
    bool spent = false;
    if (w->phase == WORKING) {
        w->counters = answer.counters;
        if (answer.status != CLGRAD_STATUS_SUCCESS)
            snprintf(c->d->error, sizeof c->d->error, "%s: %s", clgrad_status_name(answer.status),
                     answer.message.text);
        else
            know(c, w->operation, &answer.result);
        /* After an error of its own a device may answer nothing else in this process. */
        spent = answer.result.result.failure.status != CLGRAD_STATUS_SUCCESS;
    }
    if (spent)
        dismiss(w);
    else
        hand_out(c, w);
}

/* Wait until a worker says something or ends. False where there is none. */
static bool listen_to_all(crew *c)
{
    struct pollfd channels[DOCTOR_MOST_JOBS];
    bool any = false;
    for (size_t i = 0; i < c->count; i++) {
        const bool there = c->workers[i].phase != ABSENT;
        channels[i] = (struct pollfd){.fd = there ? c->workers[i].channel : -1, .events = POLLIN};
        any = any || there;
    }
    if (!any)
        return false;
    show_progress(c);
    if (poll(channels, (nfds_t)c->count, -1) < 0) {
        if (errno != EINTR)
            snprintf(c->d->error, sizeof c->d->error, "the worker processes cannot be listened to: %s",
                     strerror(errno));
        return errno == EINTR;
    }
    for (size_t i = 0; i < c->count; i++)
        if (channels[i].fd >= 0 && channels[i].revents != 0)
            hear(c, &c->workers[i]);
    return true;
}

/* ---- a device ---- */

/* What has no verdict, since the run ended early, goes; the rest of the table follows. */
static void leave_out_unknown(crew *c)
{
    doctor_device *d = c->d;
    size_t known = 0;
    for (size_t i = 0; i < d->count; i++) {
        if (!d->results[i].known)
            continue;
        if (i >= c->shown && !c->doctor->json)
            doctor_table_row(&d->results[i]);
        d->results[known++] = d->results[i];
    }
    if (d->error[0] == '\0')
        snprintf(d->error, sizeof d->error, "%s", known < d->count ? c->opening : c->closing);
    d->count = known;
}

static void run_all(crew *c)
{
    doctor_device *d = c->d;
    d->results = calloc(c->doctor->listed_count, sizeof *d->results);
    if (d->results == NULL) {
        snprintf(d->error, sizeof d->error, "the host is out of memory");
        return;
    }
    memcpy(d->results, c->doctor->listed, c->doctor->listed_count * sizeof *d->results);
    d->count = c->doctor->listed_count;
    const size_t jobs = choose_jobs(c->doctor, &d->device);
    while (c->count < jobs && c->count < d->count && start(c, &c->workers[c->count]))
        c->count++;
    while (listen_to_all(c))
        continue;
    doctor_progress(d, NULL);
    leave_out_unknown(c);
}

void doctor_run(const doctor_state *doctor, doctor_device *d)
{
    const double begin = now();
    signal(SIGCHLD, SIG_DFL); /* who starts this may ignore it, and nobody could be waited for */
    crew c = {.doctor = doctor, .d = d};
    if (!doctor->json)
        doctor_table_begin(d);
    if (d->error[0] == '\0')
        run_all(&c);
    d->seconds = now() - begin;
    if (!doctor->json)
        doctor_table_end(doctor, d);
}
