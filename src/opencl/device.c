#include "cl_backend.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void describe(cl_platform_id platform, cl_device_id id, clgrad_device *device)
{
    char version[128] = "", platform_name[96] = "";
    cl_device_type type = 0;
    cl_ulong memory = 0;
    cl_uint units = 0;
    clGetDeviceInfo(id, CL_DEVICE_NAME, sizeof device->name, device->name, NULL);
    clGetDeviceInfo(id, CL_DEVICE_VENDOR, sizeof device->vendor, device->vendor, NULL);
    clGetDeviceInfo(id, CL_DRIVER_VERSION, sizeof version, version, NULL);
    clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof platform_name, platform_name, NULL);
    clGetDeviceInfo(id, CL_DEVICE_TYPE, sizeof type, &type, NULL);
    clGetDeviceInfo(id, CL_DEVICE_GLOBAL_MEM_SIZE, sizeof memory, &memory, NULL);
    clGetDeviceInfo(id, CL_DEVICE_MAX_COMPUTE_UNITS, sizeof units, &units, NULL);
    snprintf(device->driver, sizeof device->driver, "%s %s", platform_name, version);
    device->type = type & CL_DEVICE_TYPE_GPU   ? CLGRAD_DEVICE_GPU
                   : type & CL_DEVICE_TYPE_CPU ? CLGRAD_DEVICE_CPU
                                               : CLGRAD_DEVICE_ACCELERATOR;
    device->memory = memory;
    device->compute_units = units;
}

/* Every device of every platform, in order; NULL where there is none. The caller frees the array. */
static clgrad_cl_device *find_devices(size_t *count)
{
    *count = 0;
    cl_uint platform_count = 0;
    if (clGetPlatformIDs(0, NULL, &platform_count) != CL_SUCCESS || platform_count == 0)
        return NULL;
    cl_platform_id *platforms = calloc(platform_count, sizeof(cl_platform_id));
    if (platforms == NULL || clGetPlatformIDs(platform_count, platforms, NULL) != CL_SUCCESS)
        platform_count = 0;

    clgrad_cl_device *found = NULL;
    for (cl_uint p = 0; p < platform_count; p++) {
        cl_uint device_count = 0;
        if (clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, 0, NULL, &device_count) != CL_SUCCESS ||
            device_count == 0)
            continue;
        cl_device_id *ids = calloc(device_count, sizeof(cl_device_id));
        clgrad_cl_device *grown = realloc(found, (*count + device_count) * sizeof *found);
        if (grown != NULL)
            found = grown;
        if (ids != NULL && grown != NULL &&
            clGetDeviceIDs(platforms[p], CL_DEVICE_TYPE_ALL, device_count, ids, NULL) == CL_SUCCESS)
            for (cl_uint d = 0; d < device_count; d++) {
                clgrad_cl_device *device = &found[(*count)++];
                *device = (clgrad_cl_device){.id = ids[d]};
                describe(platforms[p], ids[d], &device->description);
                snprintf(device->description.specification, sizeof device->description.specification,
                         "opencl:%u.%u", p, d);
            }
        free(ids);
    }
    free(platforms);
    return found;
}

size_t clgrad_cl_device_list(clgrad_device *devices, size_t capacity)
{
    size_t count;
    clgrad_cl_device *found = find_devices(&count);
    for (size_t i = 0; i < count && i < capacity; i++)
        devices[i] = found[i].description;
    free(found);
    return count;
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

/* Whether the specification, which begins with "opencl", can be read at all. */
static bool is_understood(const char *specification)
{
    const char *digits = "0123456789", *selector = specification + strlen("opencl");
    if (strcmp(selector, "") == 0 || strcmp(selector, ":gpu") == 0 || strcmp(selector, ":cpu") == 0 ||
        strcmp(selector, ":accelerator") == 0)
        return true;
    if (selector[0] != ':')
        return false;
    const char *platform = selector + 1, *point = platform + strspn(platform, digits);
    if (point == platform || point[0] != '.')
        return false;
    const char *device = point + 1, *end = device + strspn(device, digits);
    return end != device && end[0] == '\0';
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

static clgrad_status no_device(const char *specification, const clgrad_cl_device *found, size_t count,
                               clgrad_message *message)
{
    if (count == 0)
        return clgrad_fail_message(
            message, CLGRAD_STATUS_DEVICE_NOT_FOUND,
            "there is no OpenCL device for \"%s\": install your GPU's OpenCL driver, or PoCL for the CPU "
            "(Debian and Ubuntu: pocl-opencl-icd), or use the device \"reference\"",
            specification);
    return clgrad_fail_message(message, CLGRAD_STATUS_DEVICE_NOT_FOUND,
                               "no OpenCL device of this machine is \"%s\"; there is %s", specification,
                               name_devices(found, count).text);
}

clgrad_status clgrad_cl_choose_device(const char *specification, clgrad_cl_device *device,
                                      clgrad_message *message)
{
    if (!is_understood(specification))
        return clgrad_fail_message(message, CLGRAD_STATUS_INVALID_ARGUMENT,
                                   "the device \"%s\" is not understood: use " CLGRAD_SPECIFICATIONS,
                                   specification);
    size_t count;
    clgrad_cl_device *found = find_devices(&count);
    const clgrad_cl_device *best = NULL;
    for (size_t i = 0; i < count; i++)
        if (matches(specification, &found[i].description) &&
            (best == NULL || is_better(&found[i].description, &best->description)))
            best = &found[i];
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    if (best != NULL)
        *device = *best;
    else
        status = no_device(specification, found, count, message);
    free(found);
    return status;
}

void clgrad_cl_find_device(cl_platform_id platform, cl_device_id id, clgrad_cl_device *device)
{
    size_t count;
    clgrad_cl_device *found = find_devices(&count);
    *device = (clgrad_cl_device){.id = id};
    describe(platform, id, &device->description);
    for (size_t i = 0; i < count; i++)
        if (found[i].id == id)
            *device = found[i];
    free(found);
}
