#include "cl_backend.h"

#include "kernels.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTIVATION_PIECES                                                                      \
    clgrad_kernel_real_math, clgrad_kernel_activation_smooth, clgrad_kernel_activation_powers, \
        clgrad_kernel_activation

/* What each source is put together from, in order. */
static const char *const sources[][CLGRAD_CL_MAX_PIECES] = {
    [CLGRAD_CL_TENSOR] = {clgrad_kernel_common, clgrad_kernel_tensor},
    [CLGRAD_CL_CLIP] = {clgrad_kernel_common, clgrad_kernel_real_math, clgrad_kernel_columns,
                        clgrad_kernel_clip},
    [CLGRAD_CL_ACTIVATION] = {clgrad_kernel_common, ACTIVATION_PIECES},
    [CLGRAD_CL_DENSE] = {clgrad_kernel_common, ACTIVATION_PIECES, clgrad_kernel_columns, clgrad_kernel_dense},
    [CLGRAD_CL_DENSE_TILES] = {clgrad_kernel_common, ACTIVATION_PIECES, clgrad_kernel_dense_tiles},
    [CLGRAD_CL_TOTAL] = {clgrad_kernel_common, clgrad_kernel_total},
    [CLGRAD_CL_LOSS_CHANNEL] = {clgrad_kernel_common, clgrad_kernel_real_math, clgrad_kernel_row,
                                clgrad_kernel_block, clgrad_kernel_softmax_row, clgrad_kernel_loss,
                                clgrad_kernel_loss_lanes, clgrad_kernel_loss_channel},
    [CLGRAD_CL_LOSS_CTC] = {clgrad_kernel_common, clgrad_kernel_loss, clgrad_kernel_loss_ctc},
    [CLGRAD_CL_LOSS_ELEMENT] = {clgrad_kernel_common, clgrad_kernel_real_math, clgrad_kernel_block,
                                clgrad_kernel_loss, clgrad_kernel_loss_element,
                                clgrad_kernel_loss_element_numbers, clgrad_kernel_loss_element_probabilities},
    [CLGRAD_CL_LOSS_ROW] = {clgrad_kernel_common, clgrad_kernel_row, clgrad_kernel_loss,
                            clgrad_kernel_loss_lanes, clgrad_kernel_loss_row, clgrad_kernel_loss_row_margin,
                            clgrad_kernel_loss_row_distance},
    [CLGRAD_CL_LOSS_WHOLE] = {clgrad_kernel_common, clgrad_kernel_loss, clgrad_kernel_loss_whole},
    [CLGRAD_CL_OPTIMIZER] = {clgrad_kernel_common, clgrad_kernel_optimizer},
    [CLGRAD_CL_SOFTMAX] = {clgrad_kernel_common, clgrad_kernel_real_math, clgrad_kernel_row,
                           clgrad_kernel_block, clgrad_kernel_softmax_row, clgrad_kernel_softmax},
    [CLGRAD_CL_GATED] = {clgrad_kernel_common, ACTIVATION_PIECES, clgrad_kernel_columns, clgrad_kernel_gated},
    [CLGRAD_CL_NOISE] = {clgrad_kernel_common, clgrad_kernel_noise},
    [CLGRAD_CL_NORMALIZATION] = {clgrad_kernel_common, clgrad_kernel_columns, clgrad_kernel_normalization},
};

/*
 * A kernel and the program that it comes from, built the first time that it is asked for. A source of several
 * kernels has each between #ifdef KERNEL_name and #endif, so that a program is this kernel alone: a driver
 * compiles all that a program has, some of them (PoCL, for the disk) each of its kernels several times.
 */
typedef struct clgrad_cl_kernel {
    struct clgrad_cl_kernel *next;
    clgrad_cl_source source;
    char options[CLGRAD_CL_OPTIONS_SIZE];
    char name[CLGRAD_CL_NAME_SIZE];
    cl_program program;
    cl_kernel kernel;
    size_t group_limit;
    bool is_new; /* its program was compiled here and is not yet on disk */
} clgrad_cl_kernel;

static void free_kernel(clgrad_cl_kernel *entry)
{
    if (entry->kernel != NULL)
        clReleaseKernel(entry->kernel);
    if (entry->program != NULL)
        clReleaseProgram(entry->program);
    free(entry);
}

static clgrad_cl_recipe make_recipe(const clgrad_cl_context *cl, const clgrad_cl_kernel *entry)
{
    clgrad_cl_recipe recipe = {0};
    while (recipe.count < CLGRAD_CL_MAX_PIECES && sources[entry->source][recipe.count] != NULL) {
        recipe.pieces[recipe.count] = sources[entry->source][recipe.count];
        recipe.count++;
    }
    snprintf(recipe.options, sizeof recipe.options, "%s -DKERNEL_%s%s%s", cl->build_options, entry->name,
             entry->options[0] != '\0' ? " " : "", entry->options);
    return recipe;
}

void clgrad_cl_save_programs(clgrad_cl_context *cl)
{
    for (clgrad_cl_kernel *entry = cl->kernels; entry != NULL; entry = entry->next)
        if (entry->is_new) {
            const clgrad_cl_recipe recipe = make_recipe(cl, entry);
            clgrad_cl_save_program(cl, &recipe, entry->program);
            entry->is_new = false;
        }
}

void clgrad_cl_release_kernels(clgrad_cl_context *cl)
{
    while (cl->kernels != NULL) {
        clgrad_cl_kernel *entry = cl->kernels;
        cl->kernels = entry->next;
        free_kernel(entry);
    }
}

/* The compiler's own words, as far as they fit into the sentence. */
static clgrad_status fail_build(clgrad_cl_context *cl, const clgrad_cl_kernel *entry, cl_int error)
{
    char *log = NULL;
    size_t bytes = 0;
    clGetProgramBuildInfo(entry->program, cl->device, CL_PROGRAM_BUILD_LOG, 0, NULL, &bytes);
    log = calloc(1, bytes + 1);
    if (log != NULL)
        clGetProgramBuildInfo(entry->program, cl->device, CL_PROGRAM_BUILD_LOG, bytes, log, NULL);
    clgrad_status status = clgrad_fail(
        &cl->base, error == CL_OUT_OF_HOST_MEMORY ? CLGRAD_STATUS_OUT_OF_MEMORY : CLGRAD_STATUS_BUILD_FAILED,
        "the kernel %s%s%s does not build on %s (%s): %s: %s", entry->name,
        entry->options[0] != '\0' ? " " : "", entry->options, cl->base.device.name, cl->base.device.driver,
        clgrad_cl_error_name(error), log != NULL ? log : "");
    free(log);
    return status;
}

static clgrad_status build_program(clgrad_cl_context *cl, clgrad_cl_kernel *entry)
{
    clgrad_cl_recipe recipe = make_recipe(cl, entry);
    entry->program = clgrad_cl_load_program(cl, &recipe);
    if (entry->program != NULL) {
        cl->base.counters.programs_loaded++;
        return CLGRAD_STATUS_SUCCESS;
    }
    cl_int error = CL_SUCCESS;
    entry->program = clCreateProgramWithSource(cl->context, recipe.count, recipe.pieces, NULL, &error);
    if (error != CL_SUCCESS)
        return clgrad_cl_fail(cl, error, "clCreateProgramWithSource");
    error = clBuildProgram(entry->program, 1, &cl->device, recipe.options, NULL, NULL);
    cl->base.counters.programs_compiled++;
    entry->is_new = true;
    return error == CL_SUCCESS ? CLGRAD_STATUS_SUCCESS : fail_build(cl, entry, error);
}

static clgrad_status add_kernel(clgrad_cl_context *cl, clgrad_cl_kernel *entry)
{
    clgrad_status status = build_program(cl, entry);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    cl_int error = CL_SUCCESS;
    entry->kernel = clCreateKernel(entry->program, entry->name, &error);
    if (error == CL_INVALID_KERNEL_NAME || error == CL_INVALID_PROGRAM_EXECUTABLE)
        return fail_build(cl, entry, error);
    if (error != CL_SUCCESS)
        return clgrad_cl_fail(cl, error, "clCreateKernel");
    error = clGetKernelWorkGroupInfo(entry->kernel, cl->device, CL_KERNEL_WORK_GROUP_SIZE,
                                     sizeof entry->group_limit, &entry->group_limit, NULL);
    if (error != CL_SUCCESS)
        return clgrad_cl_fail(cl, error, "clGetKernelWorkGroupInfo");
    cl->base.counters.kernels_created++;
    entry->next = cl->kernels;
    cl->kernels = entry;
    return CLGRAD_STATUS_SUCCESS;
}

clgrad_status clgrad_cl_find_kernel(clgrad_cl_context *cl, clgrad_cl_source source, const char *options,
                                    const char *name, cl_kernel *kernel, size_t *group_limit)
{
    for (const clgrad_cl_kernel *entry = cl->kernels; entry != NULL; entry = entry->next)
        if (entry->source == source && strcmp(entry->name, name) == 0 &&
            strcmp(entry->options, options) == 0) {
            *kernel = entry->kernel;
            *group_limit = entry->group_limit;
            return CLGRAD_STATUS_SUCCESS;
        }

    clgrad_cl_kernel *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return clgrad_fail(&cl->base, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
    entry->source = source;
    snprintf(entry->options, sizeof entry->options, "%s", options);
    snprintf(entry->name, sizeof entry->name, "%s", name);
    clgrad_status status = add_kernel(cl, entry);
    if (status != CLGRAD_STATUS_SUCCESS) {
        free_kernel(entry);
        return status;
    }
    *kernel = entry->kernel;
    *group_limit = entry->group_limit;
    return CLGRAD_STATUS_SUCCESS;
}
