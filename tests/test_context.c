#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_DEVICES 16
#define NO_OPENCL_ARGUMENT "--expect-no-opencl"

static const char *program; /* this one */

/* Every device of this machine. */
typedef struct machine {
    clgrad_device devices[MAX_DEVICES];
    size_t count;
} machine;

static machine list_devices(void)
{
    machine m;
    assert_int_equal(clgrad_device_list(m.devices, MAX_DEVICES, &m.count), CLGRAD_STATUS_SUCCESS);
    assert_in_range(m.count, 1, MAX_DEVICES);
    return m;
}

/* What "opencl" should open: GPUs first, then accelerators, then CPUs; NULL where there is no such device. */
static const clgrad_device *best_device(const machine *m)
{
    const clgrad_device_type order[] = {CLGRAD_DEVICE_GPU, CLGRAD_DEVICE_ACCELERATOR, CLGRAD_DEVICE_CPU};
    for (size_t k = 0; k < COUNT(order); k++)
        for (size_t i = 0; i < m->count; i++)
            if (m->devices[i].type == order[k])
                return &m->devices[i];
    return NULL;
}

/* Open and close again, and say what kind of device it was. The specification must work. */
static clgrad_device open_and_close(const char *specification)
{
    clgrad_context *context = NULL;
    clgrad_message message;
    if (clgrad_context_create(specification, &context, &message) != CLGRAD_STATUS_SUCCESS)
        fail_msg("%s", message.text);
    const clgrad_device device = *clgrad_context_device(context);
    clgrad_context_destroy(context);
    return device;
}

static void assert_not_opened(const char *specification, clgrad_status wanted, const char *part)
{
    clgrad_context *context = (clgrad_context *)&context;
    clgrad_message message = {""};
    const clgrad_status status = clgrad_context_create(specification, &context, &message);
    if (status != wanted || strstr(message.text, part) == NULL)
        fail_msg("\"%s\" gave %s, \"%s\"", specification != NULL ? specification : "(NULL)",
                 clgrad_status_name(status), message.text);
    assert_null(context);
    context = (clgrad_context *)&context;
    assert_int_equal(clgrad_context_create(specification, &context, NULL), wanted);
    assert_null(context);
}

/* ---- listing ---- */

static void list_counts_without_room(void **state)
{
    (void)state;
    size_t count = 0;
    assert_int_equal(clgrad_device_list(NULL, 0, &count), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(count, list_devices().count);
    assert_int_equal(clgrad_device_list(NULL, 0, NULL), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_int_equal(clgrad_device_list(NULL, 1, &count), CLGRAD_STATUS_INVALID_ARGUMENT);
}

static void list_stops_where_there_is_no_room(void **state)
{
    (void)state;
    const machine m = list_devices();
    for (size_t room = 0; room < m.count; room++) {
        clgrad_device devices[MAX_DEVICES + 1], untouched;
        size_t count = 0;
        memset(devices, 0x5a, sizeof devices);
        memset(&untouched, 0x5a, sizeof untouched);
        assert_int_equal(clgrad_device_list(devices, room, &count), CLGRAD_STATUS_SUCCESS);
        assert_int_equal(count, m.count);
        for (size_t i = 0; i < room; i++)
            assert_string_equal(devices[i].specification, m.devices[i].specification);
        assert_memory_equal(&devices[room], &untouched, sizeof untouched);
    }
}

static void list_describes_each_device(void **state)
{
    (void)state;
    const machine m = list_devices();
    for (size_t i = 0; i < m.count; i++) {
        const clgrad_device *d = &m.devices[i];
        const bool last = i + 1 == m.count;
        assert_int_equal(strcmp(d->specification, "reference") == 0, last);
        assert_int_equal(d->type == CLGRAD_DEVICE_REFERENCE, last);
        assert_int_equal(strncmp(d->specification, "opencl:", 7) == 0, !last);
        assert_int_equal(d->memory > 0, !last);
        assert_true(d->compute_units > 0);
        assert_true(strlen(d->name) > 0 && strlen(d->vendor) > 0 && strlen(d->driver) > 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(d->specification, m.devices[k].specification);
    }
}

/* ---- opening ---- */

static void listed_specification_opens_that_device(void **state)
{
    (void)state;
    const machine m = list_devices();
    for (size_t i = 0; i < m.count; i++) {
        const clgrad_device opened = open_and_close(m.devices[i].specification);
        assert_string_equal(opened.specification, m.devices[i].specification);
        assert_string_equal(opened.name, m.devices[i].name);
        assert_string_equal(opened.vendor, m.devices[i].vendor);
        assert_string_equal(opened.driver, m.devices[i].driver);
        assert_int_equal(opened.type, m.devices[i].type);
        assert_int_equal(opened.memory, m.devices[i].memory);
        assert_int_equal(opened.compute_units, m.devices[i].compute_units);
    }
}

static void kind_opens_a_device_of_that_kind(void **state)
{
    (void)state;
    const machine m = list_devices();
    const clgrad_device_type types[] = {CLGRAD_DEVICE_GPU, CLGRAD_DEVICE_CPU, CLGRAD_DEVICE_ACCELERATOR};
    for (size_t k = 0; k < COUNT(types); k++) {
        char specification[32];
        snprintf(specification, sizeof specification, "opencl:%s", clgrad_device_type_name(types[k]));
        bool is_there = false;
        for (size_t i = 0; i < m.count; i++)
            is_there |= m.devices[i].type == types[k];
        if (is_there)
            assert_int_equal(open_and_close(specification).type, types[k]);
        else
            assert_not_opened(specification, CLGRAD_STATUS_DEVICE_NOT_FOUND, specification);
    }
    const clgrad_device *best = best_device(&m);
    if (best != NULL)
        assert_int_equal(open_and_close("opencl").type, best->type);
    else
        assert_not_opened("opencl", CLGRAD_STATUS_DEVICE_NOT_FOUND, "opencl");
}

static void unknown_specification_is_refused(void **state)
{
    (void)state;
    const char *unreadable[] = {"",           "cuda",       "opencl:",          "opencl:1",    "opencl:0.0x",
                                "openclgpu",  "opencl:tpu", "opencl:reference", "opencl:0.",   "opencl:.0",
                                "OpenCL",     "reference ", "reference:0",      "opencl:gpu ", "opencl:-1.0",
                                "opencl: 0.0"};
    for (size_t i = 0; i < COUNT(unreadable); i++) {
        char quoted[64];
        snprintf(quoted, sizeof quoted, "\"%s\"", unreadable[i]);
        assert_not_opened(unreadable[i], CLGRAD_STATUS_INVALID_ARGUMENT, quoted);
    }
    assert_not_opened("opencl:9.9", CLGRAD_STATUS_DEVICE_NOT_FOUND, "\"opencl:9.9\"");
    assert_not_opened("opencl:0.99", CLGRAD_STATUS_DEVICE_NOT_FOUND, "\"opencl:0.99\"");

    clgrad_message message = {""};
    assert_int_equal(clgrad_context_create("reference", NULL, &message), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_non_null(strstr(message.text, "NULL"));
}

/* A sentence longer than its room is cut off, not written past the end. */
static void long_specification_is_refused(void **state)
{
    (void)state;
    enum { LENGTH = 2 * sizeof(clgrad_message) };
    char specification[LENGTH + 1];
    memset(specification, 'x', LENGTH);
    specification[LENGTH] = '\0';
    struct {
        clgrad_message message;
        char guard[16];
    } room;
    memset(&room, 0x5a, sizeof room);
    clgrad_context *context;
    assert_int_equal(clgrad_context_create(specification, &context, &room.message),
                     CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_true(memchr(room.message.text, '\0', sizeof room.message.text) != NULL);
    for (size_t i = 0; i < sizeof room.guard; i++)
        assert_int_equal(room.guard[i], 0x5a);
}

static void environment_names_the_default_device(void **state)
{
    (void)state;
    const machine m = list_devices();
    const char *before = getenv("CLGRAD_DEVICE");
    char *kept = NULL;
    if (before != NULL) {
        kept = allocate(strlen(before) + 1, 1);
        strcpy(kept, before);
    }

    setenv("CLGRAD_DEVICE", "reference", 1);
    assert_int_equal(open_and_close(NULL).type, CLGRAD_DEVICE_REFERENCE);
    for (size_t i = 0; i < m.count; i++)
        assert_string_equal(open_and_close(m.devices[i].specification).specification,
                            m.devices[i].specification);

    setenv("CLGRAD_DEVICE", "cuda", 1);
    assert_not_opened(NULL, CLGRAD_STATUS_INVALID_ARGUMENT, "\"cuda\"");
    assert_int_equal(open_and_close("reference").type, CLGRAD_DEVICE_REFERENCE);

    const clgrad_device *best = best_device(&m);
    for (int set = 1; set >= 0; set--) {
        setenv("CLGRAD_DEVICE", "", 1);
        if (!set)
            unsetenv("CLGRAD_DEVICE");
        if (best != NULL)
            assert_int_equal(open_and_close(NULL).type, best->type);
        else
            assert_not_opened(NULL, CLGRAD_STATUS_DEVICE_NOT_FOUND, "\"opencl\"");
    }
    if (kept != NULL)
        setenv("CLGRAD_DEVICE", kept, 1);
    free(kept);
}

/* ---- no OpenCL at all: this program again, with a driver folder that is empty ---- */

static void no_opencl_leaves_the_reference(void **state)
{
    (void)state;
    const machine m = list_devices();
    assert_int_equal(m.count, 1);
    assert_string_equal(m.devices[0].specification, "reference");
    assert_int_equal(open_and_close("reference").type, CLGRAD_DEVICE_REFERENCE);
}

static void no_opencl_is_named(void **state)
{
    (void)state;
    const char *specifications[] = {"opencl", "opencl:cpu", "opencl:gpu", "opencl:accelerator", "opencl:0.0"};
    for (size_t i = 0; i < COUNT(specifications); i++) {
        assert_not_opened(specifications[i], CLGRAD_STATUS_DEVICE_NOT_FOUND, specifications[i]);
        assert_not_opened(specifications[i], CLGRAD_STATUS_DEVICE_NOT_FOUND, "pocl-opencl-icd");
        assert_not_opened(specifications[i], CLGRAD_STATUS_DEVICE_NOT_FOUND,
                          "open the device \"reference\", or set CLGRAD_DEVICE=reference in the environment");
    }
    unsetenv("CLGRAD_DEVICE");
    assert_not_opened(NULL, CLGRAD_STATUS_DEVICE_NOT_FOUND, "opencl");
    assert_not_opened("cuda", CLGRAD_STATUS_INVALID_ARGUMENT, "cuda");
}

static void machine_without_opencl(void **state)
{
    (void)state;
    char folder[] = "clgrad-no-driver-XXXXXX";
    assert_non_null(mkdtemp(folder));
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char here[4096], path[sizeof here + sizeof folder];
        if (getcwd(here, sizeof here) == NULL)
            _exit(2);
        snprintf(path, sizeof path, "%s/%s", here, folder);
        setenv("OCL_ICD_VENDORS", path, 1);    /* Debian's loader */
        setenv("OPENCL_VENDOR_PATH", path, 1); /* and others */
        unsetenv("OCL_ICD_FILENAMES");
        unsetenv("LD_PRELOAD"); /* oclgrind stands in for the loader */
        execl(program, program, NO_OPENCL_ARGUMENT, (char *)NULL);
        _exit(2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(rmdir(folder), 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* ---- names ---- */

static void statuses_have_names(void **state)
{
    (void)state;
    static const char *const names[] = {
        "success",         "invalid_argument", "invalid_shape",        "invalid_type",
        "invalid_context", "out_of_range",     "invalid_index",        "device_not_found",
        "build_failed",    "out_of_memory",    "out_of_device_memory", "device_error",
        "unsupported",     "file_error",       "invalid_file",         "not_finite"};
    for (size_t i = 0; i < COUNT(names); i++) {
        assert_string_equal(clgrad_status_name((clgrad_status)i), names[i]);
        assert_true(strlen(clgrad_status_meaning((clgrad_status)i)) > 0);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(clgrad_status_meaning((clgrad_status)i),
                                    clgrad_status_meaning((clgrad_status)k));
    }
    assert_string_equal(clgrad_status_name((clgrad_status)COUNT(names)), "unknown");
    assert_string_equal(clgrad_status_name((clgrad_status)-1), "unknown");
    assert_non_null(clgrad_status_meaning((clgrad_status)-1));
}

static void device_types_have_names(void **state)
{
    (void)state;
    assert_string_equal(clgrad_device_type_name(CLGRAD_DEVICE_GPU), "gpu");
    assert_string_equal(clgrad_device_type_name(CLGRAD_DEVICE_CPU), "cpu");
    assert_string_equal(clgrad_device_type_name(CLGRAD_DEVICE_ACCELERATOR), "accelerator");
    assert_string_equal(clgrad_device_type_name(CLGRAD_DEVICE_REFERENCE), "reference");
}

static void null_is_no_context(void **state)
{
    (void)state;
    clgrad_context_destroy(NULL);
    assert_null(clgrad_context_device(NULL));
    assert_string_equal(clgrad_context_error(NULL), "the context is NULL");
    assert_int_equal(clgrad_context_finish(NULL), CLGRAD_STATUS_INVALID_ARGUMENT);
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 2 && strcmp(argv[1], NO_OPENCL_ARGUMENT) == 0) {
        const struct CMUnitTest without_opencl[] = {
            cmocka_unit_test(no_opencl_leaves_the_reference),
            cmocka_unit_test(no_opencl_is_named),
        };
        return cmocka_run_group_tests(without_opencl, NULL, NULL);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(list_counts_without_room),
        cmocka_unit_test(list_stops_where_there_is_no_room),
        cmocka_unit_test(list_describes_each_device),
        cmocka_unit_test(listed_specification_opens_that_device),
        cmocka_unit_test(kind_opens_a_device_of_that_kind),
        cmocka_unit_test(unknown_specification_is_refused),
        cmocka_unit_test(long_specification_is_refused),
        cmocka_unit_test(environment_names_the_default_device),
        cmocka_unit_test(machine_without_opencl),
        cmocka_unit_test(statuses_have_names),
        cmocka_unit_test(device_types_have_names),
        cmocka_unit_test(null_is_no_context),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
