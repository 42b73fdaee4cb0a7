/*
 * The OpenCL backend's own: its context, how a kernel is launched, and its tables.
 *
 * device.c    finds devices and chooses one
 * context.c   opens and closes contexts
 * interop.c   does so around the caller's own objects (opencl.h of the public headers)
 * memory.c    keeps scratch memory and the record of faults
 * program.c   builds programs on first use and keeps their kernels; program_cache.c keeps them on disk too
 * launch.c    sets a kernel's arguments and enqueues it
 * gemm.c      chooses who multiplies matrices
 * the rest    one file a family: which kernel, which arguments, which grid
 */
#ifndef CLGRAD_CL_BACKEND_H
#define CLGRAD_CL_BACKEND_H

#include "../internal.h"

#define CL_TARGET_OPENCL_VERSION 300
/* clCreateCommandQueue, since an OpenCL 1.2 driver has no other. */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <clgrad/opencl.h>

typedef struct clgrad_cl_context clgrad_cl_context;

/* A product C = op(A) op(B) of row-major matrices, C [m, n], op(A) [m, k], op(B) [k, n]. */
typedef struct clgrad_cl_product {
    bool transpose_a, transpose_b;
    size_t m, n, k;
    clgrad_tensor a, b, c;
} clgrad_cl_product;

/* Who multiplies: prepare and multiply see no size 0; release may be NULL. */
typedef struct clgrad_cl_gemm_provider {
    clgrad_status (*prepare)(clgrad_cl_context *cl, const clgrad_cl_product *product);
    clgrad_status (*multiply)(clgrad_cl_context *cl, const clgrad_cl_product *product);
    void (*release)(clgrad_cl_context *cl);
} clgrad_cl_gemm_provider;

/* Device memory that is kept from call to call and grows when a call needs more. */
typedef struct clgrad_cl_scratch {
    cl_mem memory;
    size_t bytes;
} clgrad_cl_scratch;

/* Room for the compiler's options: those of every program, and what one is specialised by. */
enum { CLGRAD_CL_BUILD_OPTIONS_SIZE = 192, CLGRAD_CL_OPTIONS_SIZE = 256, CLGRAD_CL_NAME_SIZE = 64 };

struct clgrad_cl_context {
    clgrad_context base;
    cl_device_id device;
    cl_context context;
    cl_command_queue queue;
    char build_options[CLGRAD_CL_BUILD_OPTIONS_SIZE]; /* of every program */
    size_t group_size;                                /* of reductions, a power of two */
    size_t element_group;                             /* of everything else */
    size_t compute_units;
    size_t strip; /* columns that one work-item takes at most, see columns.cl */
    bool is_cpu;
    struct clgrad_cl_kernel *kernels; /* those built so far, see program.c */
    char *cache_folder;               /* of compiled programs; NULL for none */
    cl_mem fault; /* two clgrad_faults, which kernels write: the second for optimizers' groups alone */
    clgrad_fault fetched[2]; /* what a read of it, perhaps still pending, brings */
    bool fault_possible;     /* a kernel that may write it has been enqueued since it was last read */
    clgrad_cl_scratch clip_scratch, gemm_scratch;
    clgrad_cl_scratch sum_scratch; /* of the losses and of prelu: sums on their way from launch to launch */
    const clgrad_cl_gemm_provider *gemm;
    bool multiplies_in_tiles; /* dense layers by kernels of their own */
    void *noted_addresses[2]; /* gemm_blas.c's */
    bool used_clblast;        /* gemm_clblast.c's */
};

static inline clgrad_cl_context *clgrad_cl(clgrad_context *context)
{
    return (clgrad_cl_context *)context;
}

static inline cl_mem clgrad_cl_memory(clgrad_tensor tensor)
{
    return tensor.buffer->storage;
}

/* ---- devices and contexts ---- */

typedef struct clgrad_cl_device {
    cl_device_id id;
    clgrad_device description;
} clgrad_cl_device;

/* A device that somebody else has chosen; one that a search does not find, a sub-device say, has no
 * specification. */
clgrad_status clgrad_cl_find_device(cl_platform_id platform, cl_device_id id, clgrad_cl_device *device,
                                    clgrad_message *message);

/* Ask a device for a number (or several). Once error is one nothing more is asked, so that the first is told.
 */
void clgrad_cl_ask(cl_int *error, cl_device_id id, cl_device_info what, size_t bytes, void *answer);

/* The best device that a specification, which begins with "opencl", allows. */
clgrad_status clgrad_cl_choose_device(const char *specification, clgrad_cl_device *device,
                                      clgrad_message *message);

extern const clgrad_backend clgrad_cl_backend;

/* Open a context on a device, with a queue of its own or, where queue is not NULL, on the caller's. */
clgrad_status clgrad_cl_open(const clgrad_cl_device *device, cl_command_queue queue, clgrad_context **context,
                             clgrad_message *message);

/* Memory of at least one byte, with these contents unless they are NULL. */
clgrad_status clgrad_cl_create_memory(clgrad_cl_context *cl, size_t bytes, const void *contents,
                                      cl_mem *memory);

/* NULL is accepted. */
void clgrad_cl_release_memory(cl_mem memory);

/*
 * The device's record of faults, read in two halves around a wait: fetch enqueues a read, keep hands what
 * came to the context and clears the record.
 */
clgrad_status clgrad_cl_fetch_fault(clgrad_cl_context *cl);
clgrad_status clgrad_cl_keep_fault(clgrad_cl_context *cl);

/* Turn an OpenCL error into a status, and into one with a sentence that names the call. */
clgrad_status clgrad_cl_status(cl_int error);
clgrad_status clgrad_cl_fail(clgrad_cl_context *cl, cl_int error, const char *call);
const char *clgrad_cl_error_name(cl_int error);

/* Make a scratch memory at least so large. */
clgrad_status clgrad_cl_reserve(clgrad_cl_context *cl, clgrad_cl_scratch *scratch, size_t bytes);

/* ---- programs ---- */

/* A family's source: the pieces of it are put together in program.c. */
typedef enum clgrad_cl_source {
    CLGRAD_CL_TENSOR,
    CLGRAD_CL_ACTIVATION,
    CLGRAD_CL_CLIP,
    CLGRAD_CL_DENSE,
    CLGRAD_CL_DENSE_TILES,
    CLGRAD_CL_TOTAL,
    CLGRAD_CL_LOSS_CHANNEL,
    CLGRAD_CL_LOSS_CTC,
    CLGRAD_CL_LOSS_ELEMENT,
    CLGRAD_CL_LOSS_ROW,
    CLGRAD_CL_LOSS_WHOLE,
    CLGRAD_CL_OPTIMIZER,
    CLGRAD_CL_SOFTMAX,
    CLGRAD_CL_GATED,
    CLGRAD_CL_NOISE,
    CLGRAD_CL_NORMALIZATION
} clgrad_cl_source;

/* What a program is specialised by: the compiler's options, which definitions are added to. */
typedef struct clgrad_cl_options {
    char text[CLGRAD_CL_OPTIONS_SIZE];
    bool overflowed; /* there was no room for a definition; no launch begins with such options */
} clgrad_cl_options;

/* -Dname, -Dname=value and -Dname=number. A value is in two parts, "act_" and "tanh" say: a formula has no
 * name that a driver might define as a macro. */
void clgrad_cl_define(clgrad_cl_options *options, const char *name);
void clgrad_cl_define_as(clgrad_cl_options *options, const char *name, const char *prefix, const char *rest);
void clgrad_cl_define_number(clgrad_cl_options *options, const char *name, size_t number);

/* The kernel of a source built with the given options ("" for none), from the context's cache or built now.
 */
clgrad_status clgrad_cl_find_kernel(clgrad_cl_context *cl, clgrad_cl_source source, const char *options,
                                    const char *name, cl_kernel *kernel, size_t *group_limit);

/* Put the programs that were compiled from source on disk; and let go of all. */
void clgrad_cl_save_programs(clgrad_cl_context *cl);
void clgrad_cl_release_kernels(clgrad_cl_context *cl);

enum { CLGRAD_CL_MAX_PIECES = 8 };

/* What a program is compiled from: pieces of source, one after the other, and options. */
typedef struct clgrad_cl_recipe {
    cl_uint count;
    const char *pieces[CLGRAD_CL_MAX_PIECES];
    char options[CLGRAD_CL_BUILD_OPTIONS_SIZE + CLGRAD_CL_NAME_SIZE + CLGRAD_CL_OPTIONS_SIZE + 16];
} clgrad_cl_recipe;

/* ---- compiled programs on disk ---- */

/* Find the folder; only a CLGRAD_CACHE that cannot be understood fails. */
clgrad_status clgrad_cl_open_cache(clgrad_cl_context *cl);

/* A recipe's program, built, if it is on disk and the driver takes it; else NULL. */
cl_program clgrad_cl_load_program(clgrad_cl_context *cl, const clgrad_cl_recipe *recipe);

/* Put a program that was built from a recipe on disk, if it can be done. */
void clgrad_cl_save_program(clgrad_cl_context *cl, const clgrad_cl_recipe *recipe, cl_program program);

/* ---- launches ---- */

/*
 * A launch in the making: begin, one call for each kernel argument in order, the grid, enqueue. Once
 * something has failed the rest does nothing, and enqueue returns the failure. A call that makes several
 * launches prepares them all before it enqueues the first, so that a kernel which does not build is found
 * before anything has changed.
 */
typedef struct clgrad_cl_launch {
    clgrad_cl_context *cl;
    char name[CLGRAD_CL_NAME_SIZE];
    cl_kernel kernel;
    size_t group_limit; /* the largest group that the kernel can run in */
    cl_uint next;       /* argument */
    bool writes_fault;
    size_t groups[2], local[2];
    clgrad_status status;
} clgrad_cl_launch;

/* A kernel of a source that is built with options, NULL for none. */
clgrad_cl_launch clgrad_cl_begin(clgrad_context *context, clgrad_cl_source source,
                                 const clgrad_cl_options *options, const char *name);

/* A kernel of a source that is built for an activation. */
clgrad_cl_launch clgrad_cl_begin_activation(clgrad_context *context, clgrad_cl_source source,
                                            const clgrad_activation *activation, const char *name);

/* A tensor is two arguments, its memory and its offset; absent, NULL and 0. */
void clgrad_cl_give_tensor(clgrad_cl_launch *launch, clgrad_tensor tensor);
void clgrad_cl_give_memory(clgrad_cl_launch *launch, cl_mem memory, size_t offset);
void clgrad_cl_give_count(clgrad_cl_launch *launch, size_t count);
/* Sixteen of them in one argument, a ulong16. */
void clgrad_cl_give_counts(clgrad_cl_launch *launch, const cl_ulong16 *counts);
void clgrad_cl_give_int(clgrad_cl_launch *launch, cl_int value);
void clgrad_cl_give_uint(clgrad_cl_launch *launch, cl_uint value);
void clgrad_cl_give_real(clgrad_cl_launch *launch, double value);
void clgrad_cl_give_words(clgrad_cl_launch *launch, uint64_t value); /* a uint2, the low word first */
void clgrad_cl_give_parameters(clgrad_cl_launch *launch, const clgrad_parameter *parameters,
                               const void *descriptor);

/* Any other value: a vector or a struct. */
void clgrad_cl_give_value(clgrad_cl_launch *launch, size_t bytes, const void *value);

/* An activation's parameters; the last of the eight says whether the backward pass is given the output. */
void clgrad_cl_give_activation(clgrad_cl_launch *launch, const clgrad_activation *activation);

/* The record of faults, for a kernel that may write it, and for one that reads it. */
void clgrad_cl_give_fault(clgrad_cl_launch *launch);
void clgrad_cl_give_fault_read_only(clgrad_cl_launch *launch);

/* The grid. One work-item for each of n elements, padded to whole groups. */
void clgrad_cl_over_elements(clgrad_cl_launch *launch, size_t n);

/* One work-item for each column, padded, and for as many rows as the grid allows; the kernel loops over the
 * rest. */
void clgrad_cl_over_matrix(clgrad_cl_launch *launch, size_t columns, size_t rows);

/* A matrix of groups of one work-item each. */
void clgrad_cl_over_single_items(clgrad_cl_launch *launch, size_t columns, size_t rows);

/* So many groups, of GROUP_SIZE, or of so many work-items. */
void clgrad_cl_over_groups(clgrad_cl_launch *launch, size_t groups);
void clgrad_cl_over_groups_of(clgrad_cl_launch *launch, size_t groups, size_t items);

/* So many columns, width to a group, as columns.cl has them. */
void clgrad_cl_over_columns(clgrad_cl_launch *launch, size_t columns, size_t width);

/* Whether all of them are ready, and their failure if not. */
clgrad_status clgrad_cl_ready(const clgrad_cl_launch *launches, size_t count);

/* Enqueue them in order, or none if one of them is not ready. A launch over nothing is left out. */
clgrad_status clgrad_cl_enqueue(const clgrad_cl_launch *launches, size_t count);

/*
 * Groups that share n elements among them (at least one, also for none), and how many each takes: a matter of
 * n and the group size alone.
 */
typedef struct clgrad_cl_division {
    size_t groups, share;
} clgrad_cl_division;

clgrad_cl_division clgrad_cl_share_out(const clgrad_cl_context *cl, size_t n);

/*
 * Sums between the launches of one call: room for so many numbers in sum_scratch.memory (there is none for
 * SIZE_MAX, as overflowing counts are), and the launch that makes result = scale * the sum of count of them,
 * by one work-group.
 */
clgrad_status clgrad_cl_reserve_sums(clgrad_cl_context *cl, size_t numbers);
clgrad_cl_launch clgrad_cl_prepare_total(clgrad_context *context, cl_mem numbers, size_t count,
                                         clgrad_tensor result, double scale);

/*
 * How a matrix is shared among a reduction's work-items. A row belongs to so many neighbours, its lanes: one
 * on a CPU, whose work-items take a row each; on a GPU neighbours read neighbouring columns. Of columns a
 * group takes so many (a power of two): on a CPU few enough to give every core some. A lane may take so many
 * columns abreast: several on a CPU, whose compiler calculates them at a time.
 */
size_t clgrad_cl_row_lanes(const clgrad_cl_context *cl, size_t columns);
size_t clgrad_cl_columns_abreast(const clgrad_cl_context *cl, size_t columns);
size_t clgrad_cl_column_width(const clgrad_cl_context *cl, size_t columns);

/* How many groups of a size cover n. */
size_t clgrad_cl_cover(size_t n, size_t group);

/* The smallest power of two that is at least n, but no more than limit (itself a power of two). */
size_t clgrad_cl_power_of_two(size_t n, size_t limit);

/* ---- matrix products ---- */

/* Choose the provider for a context's device; the only place where that is done. */
clgrad_status clgrad_cl_choose_gemm(clgrad_cl_context *cl);

/*
 * Whether the context's provider can do a product, with all that it needs for it reserved; then the product,
 * enqueued. Any size may be 0; with k = 0 C becomes 0.
 */
clgrad_status clgrad_cl_prepare_gemm(clgrad_cl_context *cl, const clgrad_cl_product *product);
clgrad_status clgrad_cl_gemm(clgrad_cl_context *cl, const clgrad_cl_product *product);

/* The providers. blas is a host BLAS in a native kernel, for devices that share the host's memory. */
extern const clgrad_cl_gemm_provider clgrad_cl_blas, clgrad_cl_clblast;

/* What a context's provider keeps outside of it, given back. */
void clgrad_cl_release_gemm(clgrad_cl_context *cl);

/* ---- families ---- */

extern const clgrad_tensor_functions clgrad_cl_tensor_functions;
extern const clgrad_activation_functions clgrad_cl_activation_functions;
extern const clgrad_dense_functions clgrad_cl_dense_functions;
extern const clgrad_loss_functions clgrad_cl_loss_functions;
extern const clgrad_optimizer_functions clgrad_cl_optimizer_functions;
extern const clgrad_softmax_functions clgrad_cl_softmax_functions;
extern const clgrad_gated_functions clgrad_cl_gated_functions;
extern const clgrad_noise_functions clgrad_cl_noise_functions;
extern const clgrad_normalization_functions clgrad_cl_normalization_functions;
extern const clgrad_clip_functions clgrad_cl_clip_functions;

/* dx = dy * f'(x), by the kernel that every source with the activations in it has. */
clgrad_cl_launch clgrad_cl_prepare_activation_backward(clgrad_context *context, clgrad_cl_source source,
                                                       const clgrad_activation *activation, clgrad_tensor x,
                                                       clgrad_tensor dy, clgrad_tensor dx);

/* Dense layers by kernels that multiply themselves. */
clgrad_status clgrad_cl_dense_tiles_forward(clgrad_context *context, const clgrad_activation *activation,
                                            clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias,
                                            clgrad_tensor z, clgrad_tensor h);
clgrad_status clgrad_cl_dense_tiles_backward(clgrad_context *context, const clgrad_activation *activation,
                                             clgrad_tensor x, clgrad_tensor weight, clgrad_tensor z,
                                             clgrad_tensor dh, clgrad_tensor dz, clgrad_tensor dweight,
                                             clgrad_tensor dbias, clgrad_tensor dx, clgrad_dense_chain chain);

/* What an optimizer's kernel needs beside the options, for the step of this number. */
void clgrad_cl_optimizer_derive(const clgrad_optimizer *optimizer, uint64_t step, float derived[8]);

#endif
