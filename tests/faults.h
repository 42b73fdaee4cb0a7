/*
 * Faults on purpose, without mocks: calls that the library makes into OpenCL, for host memory and into files
 * go through here, the k-th of a kind fails as told, and all others go on to where they were meant for.
 *
 * OpenCL's functions are defined in the test program itself, which the dynamic linker finds before the real
 * ones: so calls that CLBlast makes come here too. Host memory and files are taken by the linker's --wrap: so
 * only calls from code that is linked statically come here, which is the library's and the test's, none of
 * the C library's or the driver's. Jansson allocates through here, too. Calls count and fail while they are
 * watched; a test watches the library's and not its own.
 */
#ifndef FAULTS_H
#define FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/* X(kind): the name of the call, but where several of the C library's do the same. */
#define FAULT_KINDS(X)                                                                                    \
    X(clGetPlatformIDs)                                                                                   \
    X(clGetPlatformInfo)                                                                                  \
    X(clGetDeviceIDs) X(clGetDeviceInfo) X(clCreateContext) X(clRetainContext) X(clCreateCommandQueue)    \
        X(clRetainCommandQueue) X(clGetCommandQueueInfo) X(clCreateBuffer) X(clRetainMemObject)           \
            X(clGetMemObjectInfo) X(clCreateProgramWithSource) X(clCreateProgramWithBinary)               \
                X(clRetainProgram) X(clBuildProgram) X(clGetProgramInfo) X(clGetProgramBuildInfo)         \
                    X(clCreateKernel) X(clGetKernelWorkGroupInfo) X(clSetKernelArg)                       \
                        X(clEnqueueNDRangeKernel) X(clEnqueueNativeKernel) X(clEnqueueReadBuffer)         \
                            X(clEnqueueWriteBuffer) X(clEnqueueCopyBuffer) X(clFinish) X(clWaitForEvents) \
                                X(malloc) X(calloc) X(realloc) X(json_malloc) X(open) X(fstat) X(lstat)   \
                                    X(fchmod) X(read) X(write) X(fsync) X(close) X(rename) X(unlink)      \
                                        X(mkdir) X(mkstemp) X(fopen) X(fdopen) X(fread) X(fwrite) X(fclose)

/* clang-format off */
typedef enum fault_kind {
#define ENUM(kind) FAULT_##kind,
    FAULT_KINDS(ENUM)
#undef ENUM
    FAULT_KIND_COUNT
} fault_kind;
/* clang-format on */

const char *fault_kind_name(fault_kind kind);

/* Instead of an errno: the call moves half of the bytes, which is no failure. */
enum { FAULT_HALF = -1 };

typedef struct fault {
    fault_kind kind;
    unsigned long call; /* the first to fail, counted from 1; 0: none fails */
    int code;           /* OpenCL's error; errno, or FAULT_HALF */
    bool lasting;       /* those after it fail too, until faults_disarm */
} fault;

/* Begin to count at 0, with a fault to come. */
void faults_begin(fault f);

/* Whether calls count and fail. */
void faults_watch(bool on);

/* No more of them; whether there has been one. */
bool faults_disarm(void);
bool fault_has_struck(void);

/* What the call that failed was about: a query's number, or for close and rename whether something is
 * written. */
unsigned fault_detail(void);

/* Calls of a kind that were watched since faults_begin. */
unsigned long fault_calls(fault_kind kind);

/* What is held at this moment, watched or not. */
typedef struct fault_holds {
    long contexts, queues, memories, programs, kernels, events; /* created and retained, less released */
    long blocks;                                                /* of host memory */
    long descriptors;                                           /* of files */
} fault_holds;

fault_holds faults_held(void);

/*
 * Jansson's memory, for json_set_alloc_funcs. While it parses, blocks that may be its buffer for a token, of
 * 32 bytes and powers of two above, neither count nor fail: Jansson 2.14 does not look whether it got one.
 */
void faults_spare_token_buffers(bool on);
void *fault_json_malloc(size_t bytes);
void fault_json_free(void *block);

/* ---- for the calls themselves ---- */

extern fault_holds fault_held;

/* Count a call; whether it is to fail, and how. */
bool fault_due(fault_kind kind, unsigned detail, int *code);

#endif
