/*
 * What stands between a test program and oclgrind: preloaded before it (run_oclgrind.sh), so that OpenCL's
 * functions are these, and they hand on to oclgrind's.
 *
 * oclgrind 21.10 keeps a shadow of every buffer, which says of each byte whether it has been written. Kernels
 * keep it right. But a write of the host's replaces it by one of just that many bytes, counted from the
 * buffer's beginning: everything behind is uninitialised from then on, even when a kernel writes it. A fill
 * is many small writes; what is copied counts as written, whatever it was; and a new buffer inherits the
 * shadow of a released one. So here a buffer gets a shadow of its size when it is created, by a write of all
 * of it, and from then on only kernels touch it: a memset by a byte that is itself uninitialised makes a
 * range unwritten, one by zero makes it written, a memcpy carries both along, and none of them is reported.
 * The contents are then stored through a mapping for reading and writing, which oclgrind does not note. Words
 * of the harness that stand for what nobody has written (unwritten.h) become unwritten too. oclgrind_cases.c
 * has an example of each.
 *
 * CLBlast's kernels run long under oclgrind, and are not ours: the function that clgrad calls is a plain
 * kernel here, which reads and writes what CLBlast is told to.
 *
 * CLGRAD_TEST_FORM=cpu makes the device a CPU, for which some kernels are built in another form.
 * CLGRAD_TEST_KERNELS names a file that gets the form and the name of every kernel that is launched.
 */
#define _GNU_SOURCE /* RTLD_NEXT */
#define CL_TARGET_OPENCL_VERSION 300
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include "next_function.h"
#include "unwritten.h"

#include <CL/cl.h>
#include <clblast_c.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

/* A failure here would be taken for the library's. */
static void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "oclgrind_layer: %s failed\n", what);
    abort();
}

/* ---- launching ---- */

static cl_int launch(cl_command_queue queue, cl_kernel kernel, cl_uint dimensions, const size_t *offset,
                     const size_t *global, const size_t *local, cl_uint count, const cl_event *list,
                     cl_event *event)
{
    REAL(cl_int, clEnqueueNDRangeKernel,
         (cl_command_queue, cl_kernel, cl_uint, const size_t *, const size_t *, const size_t *, cl_uint,
          const cl_event *, cl_event *));
    return real(queue, kernel, dimensions, offset, global, local, count, list, event);
}

static bool is_cpu(void)
{
    const char *form = getenv("CLGRAD_TEST_FORM");
    return form != NULL && strcmp(form, "cpu") == 0;
}

EXPORTED cl_int CL_API_CALL clGetDeviceInfo(cl_device_id device, cl_device_info what, size_t room,
                                            void *value, size_t *bytes)
{
    REAL(cl_int, clGetDeviceInfo, (cl_device_id, cl_device_info, size_t, void *, size_t *));
    const cl_device_type cpu = CL_DEVICE_TYPE_CPU;
    const cl_int error = real(device, what, room, value, bytes);
    if (error == CL_SUCCESS && what == CL_DEVICE_TYPE && value != NULL && is_cpu())
        memcpy(value, &cpu, sizeof cpu);
    return error;
}

static void note_kernel(cl_kernel kernel)
{
    static char noted[256][64];
    static size_t count;
    const char *path = getenv("CLGRAD_TEST_KERNELS");
    char name[64];
    if (path == NULL)
        return;
    must(clGetKernelInfo(kernel, CL_KERNEL_FUNCTION_NAME, sizeof name, name, NULL) == CL_SUCCESS,
         "clGetKernelInfo");
    for (size_t i = 0; i < count; i++)
        if (strcmp(noted[i], name) == 0)
            return;
    must(count < sizeof noted / sizeof noted[0], "noting a kernel");
    strcpy(noted[count++], name);
    FILE *file = fopen(path, "a");
    must(file != NULL && fprintf(file, "%s %s\n", is_cpu() ? "cpu" : "gpu", name) > 0 && fclose(file) == 0,
         "writing CLGRAD_TEST_KERNELS");
}

EXPORTED cl_int CL_API_CALL clEnqueueNDRangeKernel(cl_command_queue queue, cl_kernel kernel,
                                                   cl_uint dimensions, const size_t *offset,
                                                   const size_t *global, const size_t *local, cl_uint count,
                                                   const cl_event *list, cl_event *event)
{
    const cl_int error = launch(queue, kernel, dimensions, offset, global, local, count, list, event);
    if (error == CL_SUCCESS)
        note_kernel(kernel);
    return error;
}

/* ---- shadows ---- */

static const char source[] =
    "__kernel void mark(__global uchar *memory, ulong at, ulong bytes, int written)\n"
    "{\n"
    "    uchar never;\n"
    "    if (written)\n"
    "        never = 0;\n"
    "    __builtin_memset(memory + at, never, bytes);\n"
    "}\n"
    "__kernel void copy(__global const uchar *from, ulong from_at, __global uchar *to, ulong to_at,\n"
    "                   ulong bytes)\n"
    "{\n"
    "    __builtin_memcpy(to + to_at, from + from_at, bytes);\n"
    "}\n"
    "__kernel void multiply(ulong k, __global const float *a, ulong a_at, ulong a_row, ulong a_column,\n"
    "                       __global const float *b, ulong b_at, ulong b_row, ulong b_column,\n"
    "                       __global float *c, ulong c_at, ulong c_row)\n"
    "{\n"
    "    const size_t i = get_global_id(1), j = get_global_id(0);\n"
    "    float sum = 0;\n"
    "    for (ulong p = 0; p < k; p++)\n"
    "        sum += a[a_at + i * a_row + p * a_column] * b[b_at + p * b_row + j * b_column];\n"
    "    c[c_at + i * c_row + j] = sum;\n"
    "}\n";

/* A context's, as long as the process lives: so no other context ever has its handle. */
typedef struct helper {
    struct helper *next;
    cl_context context;
    cl_command_queue queue;
    cl_kernel mark, copy, multiply;
} helper;

static helper *helper_of(cl_context context)
{
    static helper *helpers;
    for (helper *h = helpers; h != NULL; h = h->next)
        if (h->context == context)
            return h;
    const char *text = source;
    cl_int error;
    cl_device_id device;
    helper *h = calloc(1, sizeof *h);
    must(h != NULL, "calloc");
    must(clGetContextInfo(context, CL_CONTEXT_DEVICES, sizeof device, &device, NULL) == CL_SUCCESS,
         "clGetContextInfo");
    h->next = helpers;
    h->context = context;
    h->queue = clCreateCommandQueue(context, device, 0, &error);
    must(error == CL_SUCCESS, "clCreateCommandQueue");
    cl_program program = clCreateProgramWithSource(context, 1, &text, NULL, &error);
    must(error == CL_SUCCESS, "clCreateProgramWithSource");
    /* Optimised, a memset by what is uninitialised is none. */
    must(clBuildProgram(program, 1, &device, "-cl-opt-disable", NULL, NULL) == CL_SUCCESS, "clBuildProgram");
    h->mark = clCreateKernel(program, "mark", NULL);
    h->copy = clCreateKernel(program, "copy", NULL);
    h->multiply = clCreateKernel(program, "multiply", NULL);
    must(h->mark != NULL && h->copy != NULL && h->multiply != NULL, "clCreateKernel");
    return helpers = h;
}

static void give(cl_kernel kernel, cl_uint index, size_t bytes, const void *value)
{
    must(clSetKernelArg(kernel, index, bytes, value) == CL_SUCCESS, "clSetKernelArg");
}

static void give_numbers(cl_kernel kernel, cl_uint first, cl_uint count, const size_t *numbers)
{
    for (cl_uint i = 0; i < count; i++)
        give(kernel, first + i, sizeof(cl_ulong), &(cl_ulong){numbers[i]});
}

static void run(const helper *h, cl_kernel kernel, size_t columns, size_t rows)
{
    const size_t global[2] = {columns, rows};
    must(launch(h->queue, kernel, 2, NULL, global, NULL, 0, NULL, NULL) == CL_SUCCESS,
         "clEnqueueNDRangeKernel");
    must(clFinish(h->queue) == CL_SUCCESS, "clFinish");
}

/* The contents are lost. */
static void mark(const helper *h, cl_mem memory, size_t at, size_t bytes, cl_int written)
{
    give(h->mark, 0, sizeof memory, &memory);
    give_numbers(h->mark, 1, 2, (size_t[]){at, bytes});
    give(h->mark, 3, sizeof written, &written);
    run(h, h->mark, 1, 1);
}

/* Contents alone: count times the pattern. */
static void put(const helper *h, cl_mem memory, size_t at, const void *pattern, size_t bytes, size_t count)
{
    cl_int error;
    char *place = clEnqueueMapBuffer(h->queue, memory, CL_TRUE, CL_MAP_READ | CL_MAP_WRITE, at, bytes * count,
                                     0, NULL, NULL, &error);
    must(error == CL_SUCCESS, "clEnqueueMapBuffer");
    for (size_t i = 0; i < count; i++)
        memcpy(place + i * bytes, pattern, bytes);
    must(clEnqueueUnmapMemObject(h->queue, memory, place, 0, NULL, NULL) == CL_SUCCESS,
         "clEnqueueUnmapMemObject");
    must(clFinish(h->queue) == CL_SUCCESS, "clFinish");
}

static bool is_unwritten(const char *data, size_t at, size_t bytes)
{
    uint32_t word = 0;
    if (bytes - at >= sizeof word)
        memcpy(&word, data + at, sizeof word);
    return (word & UNWRITTEN_MASK) == UNWRITTEN;
}

static void store(const helper *h, cl_mem memory, size_t at, size_t bytes, const void *data)
{
    mark(h, memory, at, bytes, true);
    for (size_t i = 0, end; i < bytes; i = end) {
        for (end = i + 4; end < bytes && is_unwritten(data, end, bytes) == is_unwritten(data, i, bytes);)
            end += 4;
        if (is_unwritten(data, i, bytes))
            mark(h, memory, at + i, end - i, false);
    }
    put(h, memory, at, data, bytes, 1);
}

/* ---- memory ---- */

static cl_int write(cl_command_queue queue, cl_mem memory, cl_bool blocking, size_t at, size_t bytes,
                    const void *data, cl_uint count, const cl_event *list, cl_event *event)
{
    REAL(cl_int, clEnqueueWriteBuffer,
         (cl_command_queue, cl_mem, cl_bool, size_t, size_t, const void *, cl_uint, const cl_event *,
          cl_event *));
    return real(queue, memory, blocking, at, bytes, data, count, list, event);
}

static size_t size_of(cl_mem memory)
{
    size_t bytes = 0;
    must(clGetMemObjectInfo(memory, CL_MEM_SIZE, sizeof bytes, &bytes, NULL) == CL_SUCCESS,
         "clGetMemObjectInfo");
    return bytes;
}

static bool holds(cl_mem memory, size_t at, size_t bytes)
{
    const size_t size = size_of(memory);
    return bytes > 0 && bytes <= size && at <= size - bytes;
}

/* What comes before a command is done, and the command's context. */
static helper *wait_for(cl_command_queue queue, cl_uint count, const cl_event *list)
{
    cl_context context;
    must(count == 0 || clWaitForEvents(count, list) == CL_SUCCESS, "clWaitForEvents");
    must(clFinish(queue) == CL_SUCCESS, "clFinish");
    must(clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL) == CL_SUCCESS,
         "clGetCommandQueueInfo");
    return helper_of(context);
}

static cl_int done(cl_command_queue queue, cl_event *event)
{
    return event != NULL ? clEnqueueMarkerWithWaitList(queue, 0, NULL, event) : CL_SUCCESS;
}

EXPORTED cl_mem CL_API_CALL clCreateBuffer(cl_context context, cl_mem_flags flags, size_t bytes, void *data,
                                           cl_int *error)
{
    REAL(cl_mem, clCreateBuffer, (cl_context, cl_mem_flags, size_t, void *, cl_int *));
    cl_mem memory = real(context, flags, bytes, data, error);
    if (memory == NULL)
        return NULL;
    const helper *h = helper_of(context);
    void *contents = malloc(bytes);
    must(contents != NULL, "malloc");
    if (data != NULL)
        memcpy(contents, data, bytes);
    else
        memset(contents, 0xff, bytes);
    must(write(h->queue, memory, CL_TRUE, 0, bytes, contents, 0, NULL, NULL) == CL_SUCCESS,
         "clEnqueueWriteBuffer");
    if (data == NULL) {
        mark(h, memory, 0, bytes, false);
        put(h, memory, 0, contents, bytes, 1);
    }
    free(contents);
    return memory;
}

EXPORTED cl_int CL_API_CALL clEnqueueWriteBuffer(cl_command_queue queue, cl_mem memory, cl_bool blocking,
                                                 size_t at, size_t bytes, const void *data, cl_uint count,
                                                 const cl_event *list, cl_event *event)
{
    if (!holds(memory, at, bytes)) /* an error, or nothing */
        return write(queue, memory, blocking, at, bytes, data, count, list, event);
    store(wait_for(queue, count, list), memory, at, bytes, data);
    return done(queue, event);
}

EXPORTED cl_int CL_API_CALL clEnqueueFillBuffer(cl_command_queue queue, cl_mem memory, const void *pattern,
                                                size_t pattern_bytes, size_t at, size_t bytes, cl_uint count,
                                                const cl_event *list, cl_event *event)
{
    REAL(cl_int, clEnqueueFillBuffer,
         (cl_command_queue, cl_mem, const void *, size_t, size_t, size_t, cl_uint, const cl_event *,
          cl_event *));
    if (!holds(memory, at, bytes) || pattern_bytes == 0 || bytes % pattern_bytes != 0)
        return real(queue, memory, pattern, pattern_bytes, at, bytes, count, list, event);
    const helper *h = wait_for(queue, count, list);
    mark(h, memory, at, bytes, true);
    put(h, memory, at, pattern, pattern_bytes, bytes / pattern_bytes);
    return done(queue, event);
}

EXPORTED cl_int CL_API_CALL clEnqueueCopyBuffer(cl_command_queue queue, cl_mem from, cl_mem to,
                                                size_t from_at, size_t to_at, size_t bytes, cl_uint count,
                                                const cl_event *list, cl_event *event)
{
    REAL(cl_int, clEnqueueCopyBuffer,
         (cl_command_queue, cl_mem, cl_mem, size_t, size_t, size_t, cl_uint, const cl_event *, cl_event *));
    if (!holds(from, from_at, bytes) || !holds(to, to_at, bytes))
        return real(queue, from, to, from_at, to_at, bytes, count, list, event);
    const helper *h = wait_for(queue, count, list);
    give(h->copy, 0, sizeof from, &from);
    give_numbers(h->copy, 1, 1, &from_at);
    give(h->copy, 2, sizeof to, &to);
    give_numbers(h->copy, 3, 2, (size_t[]){to_at, bytes});
    run(h, h->copy, 1, 1);
    return done(queue, event);
}

/* ---- CLBlast ---- */

EXPORTED CLBlastStatusCode
CLBlastSGemmTempBufferSize(const CLBlastLayout layout, const CLBlastTranspose a_transpose,
                           const CLBlastTranspose b_transpose, const size_t m, const size_t n, const size_t k,
                           const size_t a_offset, const size_t a_ld, const size_t b_offset, const size_t b_ld,
                           const size_t c_offset, const size_t c_ld, cl_command_queue *queue, size_t *bytes)
{
    (void)layout, (void)a_transpose, (void)b_transpose, (void)m, (void)n, (void)k, (void)queue;
    (void)a_offset, (void)a_ld, (void)b_offset, (void)b_ld, (void)c_offset, (void)c_ld;
    *bytes = 0;
    return CLBlastSuccess;
}

static void give_matrix(cl_kernel kernel, cl_uint first, cl_mem memory, size_t at, size_t row, size_t column)
{
    give(kernel, first, sizeof memory, &memory);
    give_numbers(kernel, first + 1, 3, (size_t[]){at, row, column});
}

EXPORTED CLBlastStatusCode CLBlastSgemmWithTempBuffer(
    const CLBlastLayout layout, const CLBlastTranspose a_transpose, const CLBlastTranspose b_transpose,
    const size_t m, const size_t n, const size_t k, const float alpha, const cl_mem a, const size_t a_offset,
    const size_t a_ld, const cl_mem b, const size_t b_offset, const size_t b_ld, const float beta, cl_mem c,
    const size_t c_offset, const size_t c_ld, cl_command_queue *queue, cl_event *event, cl_mem temporary)
{
    const bool a_turned = a_transpose == CLBlastTransposeYes, b_turned = b_transpose == CLBlastTransposeYes;
    const helper *h = wait_for(*queue, 0, NULL);
    (void)temporary;
    must(layout == CLBlastLayoutRowMajor && alpha == 1 && beta == 0, "a product of another kind");
    give_numbers(h->multiply, 0, 1, &k);
    give_matrix(h->multiply, 1, a, a_offset, a_turned ? 1 : a_ld, a_turned ? a_ld : 1);
    give_matrix(h->multiply, 5, b, b_offset, b_turned ? 1 : b_ld, b_turned ? b_ld : 1);
    give(h->multiply, 9, sizeof c, &c);
    give_numbers(h->multiply, 10, 2, (size_t[]){c_offset, c_ld});
    run(h, h->multiply, n, m);
    return (CLBlastStatusCode)done(*queue, event);
}
