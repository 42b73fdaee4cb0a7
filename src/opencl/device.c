#include "cl_backend.h"

#include <CL/cl_ext.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void clgrad_cl_ask(cl_int *error, cl_device_id id, cl_device_info what, size_t bytes, void *answer)
{
    if (*error == CL_SUCCESS)
        *error = clGetDeviceInfo(id, what, bytes, answer, NULL);
}

/* A text is only shown: one that is too long for its room is left out. */
static void ask_text(cl_int *error, cl_device_id id, cl_device_info what, size_t room, char *text)
{
    cl_int asked = *error;
    clgrad_cl_ask(&asked, id, what, room, text);
    *error = asked == CL_INVALID_VALUE ? *error : asked;
}

static cl_int describe(cl_platform_id platform, cl_device_id id, clgrad_device *device)
{
    char version[128] = "", platform_name[96] = "";
    cl_device_type type = 0;
    cl_ulong memory = 0;
    cl_uint units = 0;
    cl_int error = clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof platform_name, platform_name, NULL);
    error = error == CL_INVALID_VALUE ? CL_SUCCESS : error; /* too long, likewise */
    ask_text(&error, id, CL_DEVICE_NAME, sizeof device->name, device->name);
    ask_text(&error, id, CL_DEVICE_VENDOR, sizeof device->vendor, device->vendor);
    ask_text(&error, id, CL_DRIVER_VERSION, sizeof version, version);
    clgrad_cl_ask(&error, id, CL_DEVICE_TYPE, sizeof type, &type);
    clgrad_cl_ask(&error, id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory);
    clgrad_cl_ask(&error, id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units);
    snprintf(device->driver, sizeof device->driver, "%s %s", platform_name, version);
    device->type = type & CL_DEVICE_TYPE_GPU   ? CLGRAD_DEVICE_GPU
                   : type & CL_DEVICE_TYPE_CPU ? CLGRAD_DEVICE_CPU
                                               : CLGRAD_DEVICE_ACCELERATOR;
    device->memory = memory;
    device->compute_units = units;
    return error;
}

/*
 * Every device of every platform, in order. What a driver cannot be asked is left out, and the first such
 * failure kept: it matters to those who do not find what they look for.
 */
typedef struct search {
    clgrad_cl_device *found; /* freed by the caller */
    size_t count;
    cl_uint platforms;
    cl_int error;
    const char *failed;    /* the call that the error came from */
    bool is_out_of_memory; /* then there may be more devices */
} search;

static void note_error(search *s, cl_int error, const char *call)
{
    if (s->error == CL_SUCCESS) {
        s->error = error;
        s->failed = call;
    }
}

static void search_platform(search *s, cl_platform_id platform, cl_uint index)
{
    cl_uint count = 0;
    cl_int error = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count);
    if (error != CL_SUCCESS && error != CL_DEVICE_NOT_FOUND)
        note_error(s, error, "clGetDeviceIDs");
    if (error != CL_SUCCESS || count == 0)
        return;
    cl_device_id *ids = calloc(count, sizeof(cl_device_id));
    clgrad_cl_device *grown = realloc(s->found, (s->count + count) * sizeof *grown);
    s->found = grown != NULL ? grown : s->found;
    s->is_out_of_memory |= ids == NULL || grown == NULL;
    if (!s->is_out_of_memory) {
        error = clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, count, ids, NULL);
        if (error != CL_SUCCESS)
            note_error(s, error, "clGetDeviceIDs");
        for (cl_uint d = 0; error == CL_SUCCESS && d < count; d++) {
            clgrad_cl_device device = {.id = ids[d]};
            const cl_int described = describe(platform, ids[d], &device.description);
            snprintf(device.description.specification, sizeof device.description.specification,
                     "opencl:%u.%u", index, d);
            if (described == CL_SUCCESS)
                s->found[s->count++] = device;
            else
                note_error(s, described, "clGetDeviceInfo");
        }
    }
    free(ids);
}

static search look_around(void)
{
    search s = {0};
    cl_uint count = 0;
    /* The loader's answer where there is no platform at all is no failure. */
    cl_int error = clGetPlatformIDs(0, NULL, &count);
    if (error == CL_PLATFORM_NOT_FOUND_KHR || (error == CL_SUCCESS && count == 0))
        return s;
    cl_platform_id *platforms = error == CL_SUCCESS ? calloc(count, sizeof(cl_platform_id)) : NULL;
    s.is_out_of_memory = error == CL_SUCCESS && platforms == NULL;
    if (platforms != NULL)
        error = clGetPlatformIDs(count, platforms, NULL);
    if (error != CL_SUCCESS)
        note_error(&s, error, "clGetPlatformIDs");
    s.platforms = count;
    for (cl_uint p = 0; platforms != NULL && error == CL_SUCCESS && p < count; p++)
        search_platform(&s, platforms[p], p);
    free(platforms);
    return s;
}

/*
 * One thread at a time: PoCL 3.1 makes its devices when they are first asked for, and a second thread that
 * asks meanwhile crashes in it, though OpenCL says that it may.
 */
static search find_devices(void)
{
    static pthread_mutex_t turn = PTHREAD_MUTEX_INITIALIZER;
    pthread_mutex_lock(&turn);
    const search s = look_around();
    pthread_mutex_unlock(&turn);
    return s;
}

clgrad_status clgrad_cl_device_list(clgrad_device *devices, size_t capacity, size_t *count)
{
    search s = find_devices();
    for (size_t i = 0; i < s.count && i < capacity && !s.is_out_of_memory; i++)
        devices[i] = s.found[i].description;
    *count = s.is_out_of_memory ? 0 : s.count;
    free(s.found);
    return s.is_out_of_memory ? CLGRAD_STATUS_OUT_OF_MEMORY : CLGRAD_STATUS_SUCCESS;
}

/* ---- choosing one ---- */

/* GPUs before accelerators before CPUs, then by the number of compute units. */
static bool is_better(const clgrad_device *a, const clgrad_device *b)
{
    static const int rank[] = {
        [CLGRAD_DEVICE_GPU] = 3, [CLGRAD_DEVICE_ACCELERATOR] = 2, [CLGRAD_DEVICE_CPU] = 1};
    if (rank[a->type] != rank[b->type])
        return rank[a->type] > rank[b->type];
    return a->compute_units > b->compute_units;
}

static bool matches(const char *specification, const clgrad_device *device)
{
    const char *selector = specification + strlen("opencl");
    return selector[0] == '\0' || strcmp(selector + 1, clgrad_device_type_name(device->type)) == 0 ||
           strcmp(specification, device->specification) == 0;
}

/* "opencl:0.0 (cpu), opencl:1.0 (gpu)", as far as it fits. */
typedef struct device_names {
    char text[512];
} device_names;

static device_names name_devices(const clgrad_cl_device *found, size_t count)
{
    device_names names = {""};
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof names.text; i++)
        used += (size_t)snprintf(names.text + used, sizeof names.text - used, "%s%s (%s)", i > 0 ? ", " : "",
                                 found[i].description.specification,
                                 clgrad_device_type_name(found[i].description.type));
    return names;
}

static clgrad_status no_device(const char *specification, const search *s, clgrad_message *message)
{
    if (s->error != CL_SUCCESS)
        return clgrad_fail_message(message, clgrad_cl_status(s->error),
                                   "%s failed while a device for \"%s\" was looked for: %s (%d)", s->failed,
                                   specification, clgrad_cl_error_name(s->error), s->error);
    if (s->count == 0 && s->platforms > 0)
        return clgrad_fail_message(
            message, CLGRAD_STATUS_DEVICE_NOT_FOUND,
            "there is no OpenCL device for \"%s\": %u platform%s there, but without any device; give PoCL a "
            "folder that it can write to (HOME, XDG_CACHE_HOME or POCL_CACHE_DIR), or " CLGRAD_USE_REFERENCE,
            specification, s->platforms, s->platforms == 1 ? " is" : "s are");
    if (s->count == 0)
        return clgrad_fail_message(
            message, CLGRAD_STATUS_DEVICE_NOT_FOUND,
            "there is no OpenCL device for \"%s\": install your GPU's OpenCL driver, or PoCL for the CPU "
            "(Debian and Ubuntu: pocl-opencl-icd), or " CLGRAD_USE_REFERENCE,
            specification);
    return clgrad_fail_message(message, CLGRAD_STATUS_DEVICE_NOT_FOUND,
                               "no OpenCL device of this machine is \"%s\"; there is %s", specification,
                               name_devices(s->found, s->count).text);
}

static clgrad_status no_memory(clgrad_message *message)
{
    return clgrad_fail_message(message, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
}

clgrad_status clgrad_cl_choose_device(const char *specification, clgrad_cl_device *device,
                                      clgrad_message *message)
{
    search s = find_devices();
    const clgrad_cl_device *best = NULL;
    for (size_t i = 0; i < s.count; i++)
        if (matches(specification, &s.found[i].description) &&
            (best == NULL || is_better(&s.found[i].description, &best->description)))
            best = &s.found[i];
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    if (s.is_out_of_memory)
        status = no_memory(message);
    else if (best == NULL)
        status = no_device(specification, &s, message);
    else
        *device = *best;
    free(s.found);
    return status;
}

clgrad_status clgrad_cl_find_device(cl_platform_id platform, cl_device_id id, clgrad_cl_device *device,
                                    clgrad_message *message)
{
    search s = find_devices();
    const clgrad_cl_device *known = NULL;
    for (size_t i = 0; i < s.count; i++)
        if (s.found[i].id == id)
            known = &s.found[i];
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    *device = (clgrad_cl_device){.id = id};
    if (s.is_out_of_memory) {
        status = no_memory(message);
    } else if (known != NULL) {
        *device = *known;
    } else {
        const cl_int error = describe(platform, id, &device->description);
        if (error != CL_SUCCESS)
            status = clgrad_fail_message(message, clgrad_cl_status(error),
                                         "the queue's device cannot be asked what it is: %s (%d)",
                                         clgrad_cl_error_name(error), error);
    }
    free(s.found);
    return status;
}
