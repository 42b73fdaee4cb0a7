/*
 * Conformance: the public calls, and what begins and ends an operation. The cases are in src/conformance/.
 */
#include "conformance/conformance.h"

#include <float.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const verdicts[] = {
    [CLGRAD_CONFORMANCE_LISTED] = "listed",
    [CLGRAD_CONFORMANCE_STARTED] = "started",
    [CLGRAD_CONFORMANCE_PASSED] = "passed",
    [CLGRAD_CONFORMANCE_FAILED] = "failed",
};

clgrad_conformance_options clgrad_conformance_defaults(void)
{
    return (clgrad_conformance_options){0};
}

const char *clgrad_conformance_verdict_name(clgrad_conformance_verdict verdict)
{
    return (size_t)verdict < CLGRAD_CONF_COUNT(verdicts) ? verdicts[verdict] : "unknown";
}

/* ---- operations ---- */

/* Whether name is the operation's, its family's, or the operation's without its direction. */
static bool is_meant(const clgrad_conf_run *run, const char *family, const char *name)
{
    static const char *const directions[] = {"_forward", "_backward"};
    if (strcmp(name, family) == 0 || strcmp(name, run->name) == 0)
        return true;
    const size_t length = strlen(name);
    for (size_t i = 0; i < CLGRAD_CONF_COUNT(directions); i++)
        if (strncmp(run->name, name, length) == 0 && strcmp(run->name + length, directions[i]) == 0)
            return true;
    return false;
}

static bool is_wanted(clgrad_conf_run *run, const char *family)
{
    bool wanted = run->options.only_count == 0;
    for (size_t i = 0; i < run->options.only_count; i++)
        if (is_meant(run, family, run->options.only[i]))
            wanted = run->found[i] = true;
    return wanted;
}

static void report(clgrad_conf_run *run, clgrad_conformance_verdict verdict)
{
    run->result.verdict = verdict;
    if (!run->report(&run->result, run->user))
        run->stopped = true;
}

bool clgrad_conf_begin(clgrad_conf_run *run, const char *family, const char *name, const char *suffix,
                       const char *unit, double bound)
{
    snprintf(run->name, sizeof run->name, "%s%s%s", name, suffix != NULL ? "_" : "",
             suffix != NULL ? suffix : "");
    if (!is_wanted(run, family) || run->stopped || run->status != CLGRAD_STATUS_SUCCESS)
        return false;
    run->result =
        (clgrad_conformance_result){.family = family, .operation = run->name, .unit = unit, .bound = bound};
    report(run, run->listing ? CLGRAD_CONFORMANCE_LISTED : CLGRAD_CONFORMANCE_STARTED);
    return !run->listing && !run->stopped;
}

void clgrad_conf_end(clgrad_conf_run *run)
{
    if (run->status == CLGRAD_STATUS_SUCCESS)
        report(run, run->result.failed_cases > 0 ? CLGRAD_CONFORMANCE_FAILED : CLGRAD_CONFORMANCE_PASSED);
}

void clgrad_conf_give_up(clgrad_conf_run *run, clgrad_status status, const char *format, ...)
{
    if (run->status != CLGRAD_STATUS_SUCCESS)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->message.text, sizeof run->message.text, format, arguments);
    va_end(arguments);
    run->status = status;
}

/* ---- runs ---- */

static void all_families(clgrad_conf_run *run)
{
#define FAMILY(family) clgrad_conf_##family(run);
    CLGRAD_CONF_FAMILY_LIST(FAMILY)
#undef FAMILY
}

/* Names of only that no operation has, which shows once all are listed. */
static void check_names(clgrad_conf_run *run)
{
    for (size_t i = 0; i < run->options.only_count; i++)
        if (!run->found[i])
            clgrad_conf_give_up(run, CLGRAD_STATUS_INVALID_ARGUMENT,
                                "conformance: there is no operation \"%s\"", run->options.only[i]);
}

static bool report_nothing(const clgrad_conformance_result *result, void *user)
{
    (void)result;
    (void)user;
    return true;
}

/* Options are taken over, and their names looked at. */
static void begin_run(clgrad_conf_run *run, const clgrad_conformance_options *options)
{
    run->options = options != NULL ? *options : clgrad_conformance_defaults();
    const size_t count = run->options.only_count;
    for (size_t i = 0; i < count; i++)
        if (run->options.only == NULL || run->options.only[i] == NULL) {
            clgrad_conf_give_up(run, CLGRAD_STATUS_INVALID_ARGUMENT, "conformance: name %zu of %zu is NULL",
                                i, count);
            return;
        }
    run->found = calloc(count + 1, sizeof *run->found);
    if (run->found == NULL) {
        clgrad_conf_give_up(run, CLGRAD_STATUS_OUT_OF_MEMORY, "conformance: the host is out of memory");
        return;
    }
    clgrad_conf_run names = *run;
    names.listing = true;
    names.report = report_nothing;
    all_families(&names);
    check_names(run);
}

/* Half of the smallest normal number, through a kernel. */
static bool flushes_denormals(clgrad_context *context)
{
    const clgrad_activation half = {.kind = CLGRAD_ACTIVATION_LEAKY_RELU, .negative_slope = 0.5f};
    clgrad_tensor x = {0};
    float number = -FLT_MIN;
    const size_t bytes = sizeof number;
    if (clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &x) == CLGRAD_STATUS_SUCCESS &&
        clgrad_tensor_write(context, x, &number, bytes) == CLGRAD_STATUS_SUCCESS &&
        clgrad_activation_forward(context, &half, x, x) == CLGRAD_STATUS_SUCCESS)
        clgrad_tensor_read(context, x, &number, bytes);
    clgrad_buffer_destroy(x.buffer);
    return number > -FLT_TRUE_MIN;
}

clgrad_status clgrad_conformance_run(clgrad_context *context, const clgrad_conformance_options *options,
                                     clgrad_conformance_report *report_to, void *user)
{
    if (context == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    if (report_to == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_INVALID_ARGUMENT, "conformance_run: report is NULL");
    clgrad_conf_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return clgrad_fail(context, CLGRAD_STATUS_OUT_OF_MEMORY, "conformance_run: no memory for %zu bytes",
                           sizeof *run);
    run->report = report_to;
    run->user = user;
    begin_run(run, options);
    if (run->status == CLGRAD_STATUS_SUCCESS)
        run->status = clgrad_context_create("reference", &run->context[CLGRAD_CONF_REFERENCE], &run->message);
    if (run->status == CLGRAD_STATUS_SUCCESS) {
        run->context[CLGRAD_CONF_DEVICE] = context;
        run->flushes = flushes_denormals(context);
        all_families(run);
    }
    const clgrad_status status = run->status;
    if (status != CLGRAD_STATUS_SUCCESS)
        clgrad_fail(context, status, "%s", run->message.text);
    clgrad_context_destroy(run->context[CLGRAD_CONF_REFERENCE]);
    free(run->found);
    free(run);
    return status;
}

clgrad_status clgrad_conformance_list(const clgrad_conformance_options *options,
                                      clgrad_conformance_report *report_to, void *user,
                                      clgrad_message *message)
{
    if (report_to == NULL)
        return clgrad_fail_message(message, CLGRAD_STATUS_INVALID_ARGUMENT,
                                   "conformance_list: report is NULL");
    clgrad_conf_run *run = calloc(1, sizeof *run);
    if (run == NULL)
        return clgrad_fail_message(message, CLGRAD_STATUS_OUT_OF_MEMORY,
                                   "conformance_list: no memory for %zu bytes", sizeof *run);
    run->listing = true;
    run->report = report_to;
    run->user = user;
    begin_run(run, options);
    if (run->status == CLGRAD_STATUS_SUCCESS)
        all_families(run);
    const clgrad_status status = run->status;
    if (status != CLGRAD_STATUS_SUCCESS)
        clgrad_fail_message(message, status, "%s", run->message.text);
    free(run->found);
    free(run);
    return status;
}
