/*
 * clgrad-doctor: does this machine's driver compute what clgrad promises? Runs every operation of the
 * catalogue on the devices of this machine beside the double-precision reference (conformance.h), and says
 * what is wrong in words that a bug report can hold.
 */
#define _POSIX_C_SOURCE 200809L

#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int refuse(const char *sentence, const char *value)
{
    fprintf(stderr, "clgrad-doctor: ");
    fprintf(stderr, sentence, value);
    fprintf(stderr, "; --help lists the options\n");
    return EXIT_REFUSED;
}

static int out_of_memory(void)
{
    fprintf(stderr, "clgrad-doctor: the host is out of memory\n");
    return EXIT_FAILED;
}

static void help(void)
{
    printf(
        "usage: clgrad-doctor [OPTION]...\n\n"
        "Runs every operation of clgrad on this machine's OpenCL devices, with its options and in many "
        "sizes,\n"
        "beside the double-precision reference.\n\n"
        "  --device SPEC   this device instead of all: opencl, opencl:gpu, opencl:cpu, opencl:accelerator,\n"
        "                  opencl:PLATFORM.DEVICE, reference; may be repeated\n"
        "  --only NAME     this family (loss), operation (gelu_backward) or both its directions (gelu) "
        "instead of\n"
        "                  all; may be repeated\n"
        "  --full          more options, more and larger sizes: minutes instead of seconds\n"
        "  --json          print JSON instead of a table\n"
        "  --list          list devices and operations, and run nothing\n"
        "  --help          this text\n"
        "  --version       the version\n\n"
        "Exit status: 0 when all has passed, 1 when something has failed, 2 for options that are refused.\n");
}

/* ---- options ---- */

/* The next argument, for an option that wants one. */
static const char *value_of(char **arguments, int *i)
{
    return arguments[*i + 1] != NULL ? arguments[++*i] : NULL;
}

/* Read the arguments. Answers a status to end with, or -1. */
static int read_options(doctor_state *doctor, int count, char **arguments)
{
    doctor->only = calloc((size_t)count + 1, sizeof *doctor->only);
    doctor->specifications = calloc((size_t)count + 1, sizeof *doctor->specifications);
    if (doctor->only == NULL || doctor->specifications == NULL)
        return out_of_memory();
    doctor->options.only = doctor->only;
    for (int i = 1; i < count; i++) {
        const char *option = arguments[i], *value;
        if (strcmp(option, "--help") == 0) {
            help();
            return EXIT_SUCCESS;
        } else if (strcmp(option, "--version") == 0) {
            printf("clgrad-doctor %s\n", clgrad_version_text());
            return EXIT_SUCCESS;
        } else if (strcmp(option, "--full") == 0) {
            doctor->options.full = true;
        } else if (strcmp(option, "--json") == 0) {
            doctor->json = true;
        } else if (strcmp(option, "--list") == 0) {
            doctor->list = true;
        } else if (strcmp(option, "--device") == 0 || strcmp(option, "--only") == 0) {
            value = value_of(arguments, &i);
            if (value == NULL)
                return refuse("%s needs a value", option);
            if (strcmp(option, "--device") == 0)
                doctor->specifications[doctor->specification_count++] = value;
            else
                doctor->only[doctor->options.only_count++] = value;
        } else {
            return refuse("there is no option \"%s\"", option);
        }
    }
    return -1;
}

/* ---- devices ---- */

static bool list_all(doctor_state *doctor)
{
    clgrad_device_list(NULL, 0, &doctor->all_count);
    doctor->all = calloc(doctor->all_count, sizeof *doctor->all);
    doctor->devices = calloc(doctor->all_count + doctor->specification_count, sizeof *doctor->devices);
    if (doctor->all == NULL || doctor->devices == NULL)
        return false;
    size_t now = 0; /* a device may have gone meanwhile, or come */
    clgrad_device_list(doctor->all, doctor->all_count, &now);
    doctor->all_count = now < doctor->all_count ? now : doctor->all_count;
    return true;
}

/* Open a device. A specification that names none is refused; a device that does not open has failed. */
static int open_device(doctor_state *doctor, const char *specification)
{
    clgrad_message message;
    doctor_device *d = &doctor->devices[doctor->device_count];
    snprintf(d->device.specification, sizeof d->device.specification, "%s", specification);
    for (size_t i = 0; i < doctor->all_count; i++)
        if (strcmp(doctor->all[i].specification, specification) == 0)
            d->device = doctor->all[i];
    doctor_crash_during(doctor, &d->device, "opening", false);
    const clgrad_status status = clgrad_context_create(specification, &d->context, &message);
    if (status == CLGRAD_STATUS_INVALID_ARGUMENT || status == CLGRAD_STATUS_DEVICE_NOT_FOUND)
        return refuse("%s", message.text);
    doctor->device_count++;
    if (status == CLGRAD_STATUS_SUCCESS)
        d->device = *clgrad_context_device(d->context);
    else
        snprintf(d->error, sizeof d->error, "%s: %.1900s", clgrad_status_name(status), message.text);
    return -1;
}

/* Those that were asked for, or all but the reference. */
static int open_devices(doctor_state *doctor)
{
    for (size_t i = 0; i < doctor->specification_count; i++) {
        const int status = open_device(doctor, doctor->specifications[i]);
        if (status >= 0)
            return status;
    }
    for (size_t i = 0; doctor->specification_count == 0 && i < doctor->all_count; i++) {
        if (doctor->all[i].type == CLGRAD_DEVICE_REFERENCE)
            continue;
        const int status = open_device(doctor, doctor->all[i].specification);
        if (status >= 0)
            return status;
    }
    return -1;
}

/* ---- running ---- */

typedef struct listener {
    doctor_state *doctor;
    doctor_device *device;
} listener;

static bool keep(doctor_device *d, const clgrad_conformance_result *result)
{
    if (d->count == d->room) {
        const size_t room = d->room > 0 ? 2 * d->room : 64;
        doctor_result *results = realloc(d->results, room * sizeof *results);
        if (results == NULL) {
            snprintf(d->error, sizeof d->error, "the host is out of memory");
            return false;
        }
        d->results = results;
        d->room = room;
    }
    doctor_result *r = &d->results[d->count++];
    r->result = *result;
    snprintf(r->family, sizeof r->family, "%s", result->family);
    snprintf(r->operation, sizeof r->operation, "%s", result->operation);
    snprintf(r->unit, sizeof r->unit, "%s", result->unit);
    return true;
}

static bool hear(const clgrad_conformance_result *result, void *user)
{
    const listener *l = user;
    if (result->verdict == CLGRAD_CONFORMANCE_STARTED) {
        char words[128];
        snprintf(words, sizeof words, "%zu/%zu %.96s", l->device->count + 1, l->doctor->operations,
                 result->operation);
        doctor_progress(l->device, words);
        doctor_crash_during(l->doctor, &l->device->device, result->operation, true);
        return true;
    }
    if (!keep(l->device, result))
        return false;
    doctor_progress(l->device, NULL);
    if (!l->doctor->json)
        doctor_table_row(&l->device->results[l->device->count - 1]);
    return true;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void examine(doctor_state *doctor, doctor_device *d)
{
    if (!doctor->json)
        doctor_table_begin(d);
    if (d->context != NULL) {
        listener l = {doctor, d};
        const double begin = now();
        const clgrad_status status = clgrad_conformance_run(d->context, &doctor->options, hear, &l);
        clgrad_context_counters(d->context, &d->counters);
        if (status != CLGRAD_STATUS_SUCCESS)
            snprintf(d->error, sizeof d->error, "%s: %.1900s", clgrad_status_name(status),
                     clgrad_context_error(d->context));
        d->seconds = now() - begin;
        doctor_progress(d, NULL);
    }
    if (!doctor->json)
        doctor_table_end(d);
}

/* ---- the program ---- */

static bool print_list(doctor_state *doctor, const doctor_device *listed)
{
    if (doctor->json)
        return doctor_json_list(doctor, listed);
    doctor_table_devices(doctor);
    printf("\n%zu operations\n", listed->count);
    for (size_t i = 0; i < listed->count; i++)
        printf("  %-14s %s\n", listed->results[i].family, listed->results[i].operation);
    return true;
}

/* With the operations listed, which also finds names that there are not. */
/* The library knows why: no driver, one that shows no device, or it was built without OpenCL. */
static void explain_no_device(void)
{
    clgrad_context *context;
    clgrad_message message;
    if (clgrad_context_create("opencl", &context, &message) != CLGRAD_STATUS_SUCCESS)
        fprintf(stderr, "clgrad-doctor: %s\n", message.text);
    else
        clgrad_context_destroy(context);
}

static int run(doctor_state *doctor, doctor_device *listed)
{
    clgrad_message message;
    listener l = {doctor, listed};
    bool json = doctor->json, printed = true;
    doctor->json = true; /* nothing is shown of this */
    const clgrad_status status = clgrad_conformance_list(&doctor->options, hear, &l, &message);
    doctor->json = json;
    if (status == CLGRAD_STATUS_INVALID_ARGUMENT)
        return refuse("%s", message.text);
    if (status != CLGRAD_STATUS_SUCCESS || listed->error[0] != '\0' || !list_all(doctor))
        return out_of_memory();
    doctor->operations = listed->count;
    if (doctor->list)
        return print_list(doctor, listed) && fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILED;

    const int refused = open_devices(doctor);
    if (refused >= 0)
        return refused;
    if (!doctor->json)
        doctor_table_devices(doctor);
    if (doctor->device_count == 0)
        explain_no_device();
    for (size_t i = 0; i < doctor->device_count; i++)
        examine(doctor, &doctor->devices[i]);
    if (doctor->json)
        printed = doctor_json_print(doctor);
    return printed && fflush(stdout) == 0 && doctor_passed(doctor) ? EXIT_SUCCESS : EXIT_FAILED;
}

int main(int count, char **arguments)
{
    doctor_state doctor = {0};
    doctor_device listed = {0};
    /* What the driver compiles now is what is looked at; and to keep hundreds of programs can take minutes.
     */
    setenv("CLGRAD_CACHE", "off", 0);
    doctor_crash_watch();
    int status = read_options(&doctor, count, arguments);
    if (status < 0)
        status = run(&doctor, &listed);
    for (size_t i = 0; i < doctor.device_count; i++) {
        doctor_crash_during(&doctor, &doctor.devices[i].device, "closing", false);
        clgrad_context_destroy(doctor.devices[i].context);
        free(doctor.devices[i].results);
    }
    free(listed.results);
    free(doctor.devices);
    free(doctor.all);
    free((void *)doctor.specifications);
    free((void *)doctor.only);
    return status;
}
