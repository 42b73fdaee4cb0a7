/*
 * What programs read. Numbers that decide are also given exactly, as hexadecimal text; an error that is
 * infinite is null, since JSON has no infinity.
 */
#include "doctor.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>

static json_t *finite_or_null(double number)
{
    return isfinite(number) ? json_real(number) : json_null();
}

static json_t *exact(double number)
{
    return json_sprintf("%a", number);
}

static json_t *device_json(const clgrad_device *d)
{
    return json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "specification", d->specification, "name",
                     d->name, "vendor", d->vendor, "driver", d->driver, "type",
                     clgrad_device_type_name(d->type), "memory", (json_int_t)d->memory, "compute_units",
                     (json_int_t)d->compute_units);
}

static json_t *failure_json(const clgrad_conformance_failure *f)
{
    json_t *failure = json_pack("{s:s, s:s, s:s, s:s}", "size", f->shape, "options", f->options, "status",
                                clgrad_status_name(f->status), "message", f->message);
    if (f->message[0] == '\0' && failure != NULL)
        json_object_update_new(failure,
                               json_pack("{s:s, s:I, s:s, s:o, s:o, s:o}", "result", f->array, "index",
                                         (json_int_t)f->index, "input", f->input, "got", exact(f->got),
                                         "expected", exact(f->expected), "error", finite_or_null(f->error)));
    return failure;
}

static json_t *result_json(const doctor_result *r)
{
    const clgrad_conformance_result *result = &r->result;
    json_t *json =
        json_pack("{s:s, s:s, s:s, s:o, s:s}", "family", r->family, "operation", r->operation, "unit",
                  r->unit, "bound", json_real(result->bound), "verdict", doctor_verdict(r));
    if (json == NULL || result->verdict == CLGRAD_CONFORMANCE_LISTED)
        return json;
    if (r->crash[0] != '\0') {
        json_object_set_new(json, "ended_by", json_string(r->crash));
        return json;
    }
    json_object_update_new(json, json_pack("{s:o, s:I, s:I, s:I}", "largest_error",
                                           finite_or_null(result->worst), "cases", (json_int_t)result->cases,
                                           "numbers", (json_int_t)result->numbers, "failed_cases",
                                           (json_int_t)result->failed_cases));
    if (result->verdict == CLGRAD_CONFORMANCE_FAILED)
        json_object_set_new(json, "failure", failure_json(&result->failure));
    return json;
}

static json_t *results_json(const doctor_result *results, size_t count)
{
    json_t *json = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(json, result_json(&results[i]));
    return json;
}

static json_t *devices_json(const doctor_state *doctor)
{
    json_t *devices = json_array();
    for (size_t i = 0; i < doctor->all_count; i++)
        json_array_append_new(devices, device_json(&doctor->all[i]));
    return devices;
}

static bool print(json_t *json)
{
    if (json == NULL) {
        fprintf(stderr, "clgrad-doctor: the host is out of memory\n");
        return false;
    }
    const bool printed = json_dumpf(json, stdout, JSON_INDENT(2)) == 0 && putchar('\n') != EOF;
    json_decref(json);
    return printed; /* where stdout fails, doctor.c says so */
}

bool doctor_json_print(const doctor_state *doctor)
{
    json_t *runs = json_array();
    for (size_t i = 0; i < doctor->device_count; i++) {
        const doctor_device *d = &doctor->devices[i];
        json_array_append_new(runs, json_pack("{s:o, s:b, s:f, s:I, s:I, s:s, s:o}", "device",
                                              device_json(&d->device), "passed", doctor_device_passed(d),
                                              "seconds", d->seconds, "programs_compiled",
                                              (json_int_t)d->counters.programs_compiled, "programs_loaded",
                                              (json_int_t)d->counters.programs_loaded, "ended_early",
                                              d->error, "operations", results_json(d->results, d->count)));
    }
    return print(json_pack("{s:s, s:b, s:b, s:o, s:o}", "clgrad", clgrad_version_text(), "full",
                           doctor->options.full, "passed", doctor_passed(doctor), "devices",
                           devices_json(doctor), "runs", runs));
}

bool doctor_json_list(const doctor_state *doctor)
{
    return print(json_pack("{s:s, s:o, s:o}", "clgrad", clgrad_version_text(), "devices",
                           devices_json(doctor), "operations",
                           results_json(doctor->listed, doctor->listed_count)));
}
