/*
 * Shared by the files of clgrad-doctor: doctor.c (options, running), doctor_crash.c (where a driver crashes),
 * doctor_verdict.c (whether all passed), doctor_table.c (what people read) and doctor_json.c (what programs
 * read).
 */
#ifndef DOCTOR_H
#define DOCTOR_H

#include <clgrad/clgrad.h>

enum { EXIT_FAILED = 1, EXIT_REFUSED = 2 };

/* An operation on a device; the strings are the library's for the time of a report alone. */
typedef struct doctor_result {
    clgrad_conformance_result result;
    char family[32], operation[96], unit[16];
} doctor_result;

typedef struct doctor_device {
    clgrad_device device;
    clgrad_context *context;
    clgrad_counters counters; /* after the run */
    double seconds;
    doctor_result *results;
    size_t count, room;
    char error[sizeof(clgrad_message)]; /* why the run ended early; "" where it did not */
} doctor_device;

typedef struct doctor_state {
    clgrad_conformance_options options;
    const char **only; /* options.only */
    const char **specifications;
    size_t specification_count;
    bool json, list;
    clgrad_device *all; /* that this machine has, the reference last */
    size_t all_count;
    doctor_device *devices; /* those that are looked at */
    size_t device_count;
    size_t operations; /* that each of them will go through */
} doctor_state;

/* Whether all operations of a device, or of all devices, have passed. */
bool doctor_device_passed(const doctor_device *d);
bool doctor_passed(const doctor_state *doctor);

/* ---- doctor_crash.c ---- */

/*
 * From now on a signal that means a crash is said on stderr, with what was going on, before it ends the
 * process. To be called before a driver is loaded, whose own handlers then come first.
 */
void doctor_crash_watch(void);

/* What is going on from now on: an operation, or the device's opening or closing. */
void doctor_crash_during(const doctor_state *doctor, const clgrad_device *device, const char *what,
                         bool operation);

/* ---- doctor_table.c ---- */

void doctor_table_devices(const doctor_state *doctor);
void doctor_table_begin(const doctor_device *d);
void doctor_table_row(const doctor_result *r);
void doctor_table_end(const doctor_device *d);

/* What is being done, on stderr, where that is a terminal; NULL takes it away. */
void doctor_progress(const doctor_device *d, const char *words);

/* ---- doctor_json.c ---- */

/* Print everything, or what there is to run. False where the host is out of memory or stdout fails. */
bool doctor_json_print(const doctor_state *doctor);
bool doctor_json_list(const doctor_state *doctor, const doctor_device *listed);

#endif
