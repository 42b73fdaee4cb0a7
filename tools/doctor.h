/*
 * Shared by the files of clgrad-doctor: doctor.c (options, devices), doctor_run.c (the operations of a
 * device, by worker processes), doctor_worker.c (one of those), doctor_crash.c (where a driver crashes in the
 * first process), doctor_verdict.c (whether all passed), doctor_table.c (what people read) and doctor_json.c
 * (what programs read).
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <clgrad/clgrad.h>

enum { EXIT_FAILED = 1, EXIT_REFUSED = 2, DOCTOR_MOST_JOBS = 64 };

/* An operation on a device; result's own strings are the library's for the time of a report alone. */
typedef struct doctor_result {
    clgrad_conformance_result result;
    char family[32], operation[96], unit[16];
    char crash[16]; /* the signal or exit status by which it ended its process, and has FAILED; or "" */
    bool known;     /* there is a verdict */
} doctor_result;

typedef struct doctor_device {
    clgrad_device device;
    clgrad_counters counters; /* of all processes, after the run */
    double seconds;
    doctor_result *results; /* in the order of the list */
    size_t count;
    char error[sizeof(clgrad_message) + 128]; /* why the run ended early; "" where it did not */
} doctor_device;

typedef struct doctor_state {
    clgrad_conformance_options options;
    const char **only; /* options.only */
    const char **specifications;
    size_t specification_count;
    bool json, list, worker;
    size_t jobs;         /* processes at a time; 0: as many as seem right */
    const char *program; /* this one, to start it again */
    clgrad_device *all;  /* that this machine has, the reference last */
    size_t all_count;
    doctor_device *devices; /* those that are looked at */
    size_t device_count;
    doctor_result *listed; /* what each of them will go through */
    size_t listed_count;
} doctor_state;

/* ---- doctor_run.c ---- */

/*
 * Run the operations listed on a device, whose table is printed as they pass or fail, and keep the results in
 * it. A process that crashes costs its operation, which counts as failed; another one goes on with the next.
 */
void doctor_run(const doctor_state *doctor, doctor_device *d);

/* ---- doctor_worker.c ---- */

/*
 * Between the first process and a worker, on a socket that is the worker's standard input, structs go as they
 * lie in memory: both are the same program. The worker answers once for opening its device, and then each
 * request, until there are none.
 */
typedef struct doctor_request {
    char operation[96];
} doctor_request;

typedef struct doctor_answer {
    clgrad_status status;     /* of opening the device, or of the run */
    clgrad_message message;   /* where that is no success */
    doctor_result result;     /* of the request */
    clgrad_counters counters; /* of the worker, so far */
} doctor_answer;

/* Be a worker. Answers the exit status. */
int doctor_work(const char *specification, bool full);

/* False where the other side is gone. */
bool doctor_send(int channel, const void *what, size_t bytes);
bool doctor_receive(int channel, void *what, size_t bytes);

/* A report with strings of its own. */
doctor_result doctor_copy(const clgrad_conformance_result *result);

/* ---- doctor_verdict.c ---- */

/* Whether all operations of a device, or of all devices, have passed. */
bool doctor_device_passed(const doctor_device *d);
bool doctor_passed(const doctor_state *doctor);

/* "passed", "failed", "crashed". */
const char *doctor_verdict(const doctor_result *r);

/* ---- doctor_crash.c ---- */

/* "SIGSEGV"; NULL for a signal by which drivers do not end processes. */
const char *doctor_signal_name(int number);

/*
 * From now on a signal that means a crash is said on stderr, with what was going on, before it ends the
 * process. To be called before a driver is loaded, whose own handlers then come first.
 */
void doctor_crash_watch(void);

/* From now on such a signal ends the process without a word, whoever has watched for it. */
void doctor_crash_plainly(void);

/* What is going on with a device from now on: "opening", "closing". */
void doctor_crash_during(const char *what, const clgrad_device *device);

/* ---- doctor_table.c ---- */

void doctor_table_devices(const doctor_state *doctor);
void doctor_table_begin(const doctor_device *d);
void doctor_table_row(const doctor_result *r);
void doctor_table_end(const doctor_state *doctor, const doctor_device *d);

/* What is being done, on stderr, where that is a terminal; NULL takes it away. */
void doctor_progress(const doctor_device *d, const char *words);

/* ---- doctor_json.c ---- */

/* Print everything, or what there is to run. False where the host is out of memory or stdout fails. */
bool doctor_json_print(const doctor_state *doctor);
bool doctor_json_list(const doctor_state *doctor);

#endif
