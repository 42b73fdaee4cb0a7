/*
 * What people read: devices, a table for each, and what there is to say of an operation that failed.
 */
#define _POSIX_C_SOURCE 200809L

#include "doctor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void print_setting(const char *name, const char *meaning)
{
    const char *value = getenv(name);
    if (value != NULL)
        printf("  %s=%s (%s)\n", name, value, meaning);
}

void doctor_table_devices(const doctor_state *doctor)
{
    printf("clgrad %s, devices of this machine:\n", clgrad_version_text());
    for (size_t i = 0; i < doctor->all_count; i++) {
        const clgrad_device *d = &doctor->all[i];
        printf("  %-12s %s (%s", d->specification, d->name, clgrad_device_type_name(d->type));
        if (d->memory > 0)
            printf(", %u compute units, %.1f GiB", (unsigned)d->compute_units, (double)d->memory * 0x1p-30);
        printf(")\n  %-12s %s; %s\n", "", d->vendor, d->driver);
    }
    print_setting("CLGRAD_GEMM", "who multiplies matrices");
    print_setting("CLGRAD_CACHE", "off, if nobody says otherwise: each program is compiled");
}

void doctor_table_begin(const doctor_device *d)
{
    printf("\n%s: %s, driver %s\n", d->device.specification, d->device.name, d->device.driver);
    printf("  %-14s %-32s %6s  %13s  %7s %-9s verdict\n", "family", "operation", "cases", "largest error",
           "bound", "unit");
    fflush(stdout);
}

static const char *shouted(const doctor_result *r)
{
    return r->crash[0] != '\0'                              ? "CRASHED"
           : r->result.verdict == CLGRAD_CONFORMANCE_FAILED ? "FAILED"
                                                            : doctor_verdict(r);
}

void doctor_table_row(const doctor_result *r)
{
    const clgrad_conformance_result *result = &r->result;
    printf("  %-14s %-32s %6llu  %13.3g  %7.3g %-9s %s\n", r->family, r->operation,
           (unsigned long long)result->cases, result->worst, result->bound, r->unit, shouted(r));
    fflush(stdout);
}

static void print_number(double number)
{
    printf("%a (%.9g)", number, number);
}

static void print_device(const doctor_device *d)
{
    printf("  device    %s, %s\n  driver    %s\n", d->device.name, d->device.vendor, d->device.driver);
}

/* A process ended in the middle of the operation. */
static void print_crash(const doctor_state *doctor, const doctor_device *d, const doctor_result *r)
{
    printf("\nCRASHED: %s on %s, by %s\n", r->operation, d->device.specification, r->crash);
    print_device(d);
    printf("  again     clgrad-doctor --device %s --only %s%s\n", d->device.specification, r->operation,
           doctor->options.full ? " --full" : "");
}

static void print_failure(const doctor_device *d, const doctor_result *r)
{
    const clgrad_conformance_failure *f = &r->result.failure;
    printf("\nFAILED: %s on %s; the smallest input that shows it:\n", r->operation, d->device.specification);
    print_device(d);
    printf("  size      %s\n", f->shape);
    if (f->options[0] != '\0')
        printf("  options   %s\n", f->options);
    if (f->message[0] != '\0') {
        printf("  answer    %s%s%s\n",
               f->status != CLGRAD_STATUS_SUCCESS ? clgrad_status_name(f->status) : "",
               f->status != CLGRAD_STATUS_SUCCESS ? ": " : "", f->message);
    } else {
        if (f->input[0] != '\0')
            printf("  input     %s\n", f->input);
        printf("  result    %s[%llu]\n  got       ", f->array, (unsigned long long)f->index);
        print_number(f->got);
        printf("\n  expected  ");
        print_number(f->expected);
        printf("\n  error     %.3g %s, the bound is %.3g\n", f->error, r->unit, r->result.bound);
    }
    printf("  failed    %llu of %llu cases\n", (unsigned long long)r->result.failed_cases,
           (unsigned long long)r->result.cases);
}

void doctor_table_end(const doctor_state *doctor, const doctor_device *d)
{
    printf("  units: ulp, in the last place; u, 2^-24 of the sum of the terms' absolute values; bound, 1 is "
           "what the\n"
           "  header allows; relative, to the norm of an array; exact, every bit counts\n");
    unsigned long long cases = 0, numbers = 0, failed = 0;
    for (size_t i = 0; i < d->count; i++) {
        const clgrad_conformance_result *result = &d->results[i].result;
        cases += result->cases;
        numbers += result->numbers;
        failed += result->verdict == CLGRAD_CONFORMANCE_FAILED;
        if (d->results[i].crash[0] != '\0')
            print_crash(doctor, d, &d->results[i]);
        else if (result->verdict == CLGRAD_CONFORMANCE_FAILED)
            print_failure(d, &d->results[i]);
    }
    if (d->error[0] != '\0')
        printf("\nFAILED: %s ended early: %s\n", d->device.specification, d->error);
    printf("\n%s: %zu operations, %llu cases, %llu numbers compared in %.1f s (%llu programs compiled, %llu "
           "loaded)"
           ": ",
           d->device.specification, d->count, cases, numbers, d->seconds,
           (unsigned long long)d->counters.programs_compiled,
           (unsigned long long)d->counters.programs_loaded);
    if (doctor_device_passed(d))
        printf("all passed\n");
    else
        printf("%llu FAILED%s\n", failed, d->error[0] != '\0' ? ", and it ended early" : "");
    fflush(stdout);
}

void doctor_progress(const doctor_device *d, const char *words)
{
    if (!isatty(STDERR_FILENO))
        return;
    fprintf(stderr, "\r\033[K");
    if (words != NULL)
        fprintf(stderr, "%s %s", d->device.specification, words);
    fflush(stderr);
}
