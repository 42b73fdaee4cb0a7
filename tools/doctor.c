/*
 * clgrad-doctor: does this machine's driver compute what clgrad promises? Runs every operation of the
 * catalogue on the devices of this machine beside the double-precision reference (conformance.h), and says
 * what is wrong in words that a bug report can hold.
 */
#define _POSIX_C_SOURCE 200809L

#include "doctor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
        "  --jobs N        this many processes at a time; otherwise one for each processor, at most 8, or 4 "
        "on a\n"
        "                  GPU\n"
        "  --json          print JSON instead of a table\n"
        "  --list          list devices and operations, and run nothing\n"
        "  --help          this text\n"
        "  --version       the version\n\n"
        "Exit status: 0 when all has passed, 1 when something has failed, 2 for options that are refused.\n");
}

/* ---- options ---- */

/* A number of processes; 0 where it is none. */
static size_t parse_jobs(const char *text)
{
    char *end;
    const unsigned long jobs = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && *end == '\0' && jobs <= DOCTOR_MOST_JOBS ? jobs : 0;
}

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
        } else if (strcmp(option, "--worker") == 0) { /* for doctor_run.c */
            doctor->worker = true;
        } else if (strcmp(option, "--device") == 0 || strcmp(option, "--only") == 0 ||
                   strcmp(option, "--jobs") == 0) {
            value = value_of(arguments, &i);
            if (value == NULL)
                return refuse("%s needs a value", option);
            if (strcmp(option, "--device") == 0)
                doctor->specifications[doctor->specification_count++] = value;
            else if (strcmp(option, "--only") == 0)
                doctor->only[doctor->options.only_count++] = value;
            else if ((doctor->jobs = parse_jobs(value)) == 0)
                return refuse("--jobs is \"%s\", it must be a number from 1 to 64", value);
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

/* See whether a device opens. Answers a status to end with, where there is no such device, or -1. */
static int open_device(doctor_state *doctor, const char *specification)
{
    clgrad_context *context = NULL;
    clgrad_message message;
    doctor_device *d = &doctor->devices[doctor->device_count];
    snprintf(d->device.specification, sizeof d->device.specification, "%s", specification);
    for (size_t i = 0; i < doctor->all_count; i++)
        if (strcmp(doctor->all[i].specification, specification) == 0)
            d->device = doctor->all[i];
    doctor_crash_during("opening", &d->device);
    const clgrad_status status = clgrad_context_create(specification, &context, &message);
    if (status == CLGRAD_STATUS_INVALID_ARGUMENT)
        return refuse("%s", message.text);
    if (status == CLGRAD_STATUS_DEVICE_NOT_FOUND) {
        fprintf(stderr, "clgrad-doctor: %s\n", message.text);
        return EXIT_FAILED;
    }
    doctor->device_count++;
    if (status == CLGRAD_STATUS_SUCCESS)
        d->device = *clgrad_context_device(context);
    else
        snprintf(d->error, sizeof d->error, "%s: %.1900s", clgrad_status_name(status), message.text);
    doctor_crash_during("closing", &d->device);
    clgrad_context_destroy(context);
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

/* ---- operations ---- */

static bool count_one(const clgrad_conformance_result *result, void *user)
{
    (void)result;
    ++*(size_t *)user;
    return true;
}

static bool keep(const clgrad_conformance_result *result, void *user)
{
    doctor_state *doctor = user;
    doctor->listed[doctor->listed_count++] = doctor_copy(result);
    return true;
}

/* What there is to run, which also finds names that there are not. Answers a status to end with, or -1. */
static int list_operations(doctor_state *doctor)
{
    clgrad_message message;
    size_t count = 0;
    const clgrad_status status = clgrad_conformance_list(&doctor->options, count_one, &count, &message);
    if (status == CLGRAD_STATUS_INVALID_ARGUMENT)
        return refuse("%s (--list names them)", message.text);
    if (status == CLGRAD_STATUS_SUCCESS)
        doctor->listed = calloc(count, sizeof *doctor->listed);
    if (doctor->listed == NULL ||
        clgrad_conformance_list(&doctor->options, keep, doctor, &message) != CLGRAD_STATUS_SUCCESS)
        return out_of_memory();
    return -1;
}

/* ---- the program ---- */

static bool print_list(const doctor_state *doctor)
{
    if (doctor->json)
        return doctor_json_list(doctor);
    doctor_table_devices(doctor);
    printf("\n%zu operations\n", doctor->listed_count);
    for (size_t i = 0; i < doctor->listed_count; i++)
        printf("  %-14s %s\n", doctor->listed[i].family, doctor->listed[i].operation);
    return true;
}

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

static int run(doctor_state *doctor)
{
    if (doctor->worker)
        return doctor_work(doctor->specification_count > 0 ? doctor->specifications[0] : NULL,
                           doctor->options.full);
    doctor_crash_watch();
    int status = list_operations(doctor);
    if (status >= 0)
        return status;
    if (!list_all(doctor))
        return out_of_memory();
    if (doctor->list)
        return print_list(doctor) ? EXIT_SUCCESS : EXIT_FAILED;

    status = open_devices(doctor);
    if (status >= 0)
        return status;
    if (!doctor->json)
        doctor_table_devices(doctor);
    if (doctor->device_count == 0)
        explain_no_device();
    for (size_t i = 0; i < doctor->device_count; i++)
        doctor_run(doctor, &doctor->devices[i]);
    const bool printed = !doctor->json || doctor_json_print(doctor);
    return printed && doctor_passed(doctor) ? EXIT_SUCCESS : EXIT_FAILED;
}

/* A report that nobody can read is no success. */
static bool output_is_written(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return true;
    fprintf(stderr, "clgrad-doctor: the output could not be written: %s\n",
            errno != 0 ? strerror(errno) : "an earlier part of it is lost");
    return false;
}

/* Where one of the three is closed, a socket would take its place, and the table would be written into that.
 */
static void open_standard_streams(void)
{
    int lowest;
    while ((lowest = open("/dev/null", O_RDONLY)) >= 0 && lowest <= STDERR_FILENO)
        continue;
    close(lowest);
}

int main(int count, char **arguments)
{
    open_standard_streams();
    doctor_state doctor = {.program = count > 0 ? arguments[0] : "clgrad-doctor"};
    /* What the driver compiles now is what is looked at; and to keep hundreds of programs can take minutes.
     */
    setenv("CLGRAD_CACHE", "off", 0);
    int status = read_options(&doctor, count, arguments);
    if (status < 0)
        status = run(&doctor);
    if (!output_is_written() && status == EXIT_SUCCESS)
        status = EXIT_FAILED;
    for (size_t i = 0; i < doctor.device_count; i++)
        free(doctor.devices[i].results);
    free(doctor.listed);
    free(doctor.devices);
    free(doctor.all);
    free((void *)doctor.specifications);
    free((void *)doctor.only);
    return status;
}
