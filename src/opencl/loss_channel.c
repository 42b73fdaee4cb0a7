#include "cl_loss.h"

#include <stdio.h>

/* Of wants, besides those in cl_loss.h; as in kernels/loss_channel.cl. */
enum { DIVIDES = 128 };

/* Class indices have a mean of their own: it divides by their weights, which the device adds up. */
static bool divides_on_device(const clgrad_cl_loss_call *call)
{
    return call->loss->reduction == CLGRAD_REDUCTION_MEAN && call->inputs.target.type == CLGRAD_TYPE_INT32 &&
           call->terms > 0;
}

/*
 * How the rows are shared among work-items. On a CPU a group takes so many that a launch is not wasted on it,
 * and all of a small problem; on a GPU neighbours read neighbouring memory: classes, or with further
 * dimensions rows.
 */
typedef struct layout {
    size_t items, lanes, abreast, groups;
} layout;

static layout choose_layout(const clgrad_cl_loss_call *call)
{
    const clgrad_cl_context *cl = call->cl;
    layout result = {.items = cl->group_size, .abreast = clgrad_cl_columns_abreast(cl, call->classes)};
    result.lanes = call->inner > 1 ? 1 : clgrad_cl_row_lanes(cl, call->classes);
    if (cl->is_cpu) {
        const size_t enough = clgrad_cl_cover(8192, call->classes);
        result.items = clgrad_cl_power_of_two(call->terms < enough ? call->terms : enough, cl->element_group);
    }
    result.groups = clgrad_cl_cover(call->terms, result.items / result.lanes);
    return result;
}

/* Of few rows every group adds up the weights itself, which costs less than a launch. */
static bool divides_in_groups(const clgrad_cl_loss_call *call, layout grid)
{
    return call->terms <= (call->cl->is_cpu ? ((size_t)1 << 18) / grid.groups : 16 * call->cl->group_size);
}

/* Which part of the work a launch does. */
enum stage { ALL, BEGINS, ENDS };

/* What the first of two launches leaves in scratch for the second: none where there is one. */
typedef struct begun {
    size_t groups, parts; /* sums of losses, and of shares of the weights */
} begun;

static clgrad_cl_launch begin(const clgrad_cl_loss_call *call, layout grid, enum stage stage)
{
    char name[64];
    clgrad_cl_options options = {0};
    clgrad_cl_define_number(&options, "ITEMS", grid.items);
    clgrad_cl_define_number(&options, "ABREAST", grid.abreast);
    if (call->inputs.target.type == CLGRAD_TYPE_INT32)
        clgrad_cl_define(&options, "CLASS_INDICES");
    if (stage != ALL)
        clgrad_cl_define(&options, stage == BEGINS ? "BEGINS" : "ENDS");
    snprintf(name, sizeof name, "loss_%s", call->info->name);
    return clgrad_cl_begin(call->context, CLGRAD_CL_LOSS_CHANNEL, &options, name);
}

/* The kernel that the list's row names. The value alone is ended by one group, which looks at no row. */
static clgrad_cl_launch prepare(const clgrad_cl_loss_call *call, layout grid, enum stage stage, begun before)
{
    const cl_mem scratch = call->cl->sum_scratch.memory;
    const bool ends_value_alone = stage == ENDS && !(call->wants & WANT_GRADIENT);
    const bool in_parts = stage == BEGINS || (stage == ALL && grid.groups > 1);
    clgrad_cl_launch launch = begin(call, grid, stage);
    clgrad_cl_give_count(&launch, ends_value_alone ? 0 : call->terms);
    clgrad_cl_give_count(&launch, call->classes);
    clgrad_cl_give_count(&launch, call->inner);
    clgrad_cl_give_count(&launch, grid.lanes);
    clgrad_cl_give_int(&launch, call->wants);
    clgrad_cl_give_real(&launch, call->term_scale);
    clgrad_cl_give_parameters(&launch, call->info->parameters, call->loss);
    clgrad_cl_give_tensor(&launch, call->inputs.prediction);
    clgrad_cl_give_tensor(&launch, call->inputs.target);
    clgrad_cl_give_tensor(&launch, call->inputs.weight);
    clgrad_cl_give_memory(&launch, before.parts > 0 ? scratch : NULL, before.groups);
    clgrad_cl_give_count(&launch, before.parts);
    clgrad_cl_give_tensor(&launch, call->wants & WANT_VALUES ? call->value : clgrad_tensor_none());
    if (in_parts && (call->wants & WANT_TOTAL))
        clgrad_cl_give_memory(&launch, scratch, 0);
    else
        clgrad_cl_give_tensor(&launch, call->wants & WANT_TOTAL ? call->value : clgrad_tensor_none());
    clgrad_cl_give_real(&launch, in_parts ? 1 : call->total_scale);
    clgrad_cl_give_tensor(&launch, call->dvalue);
    clgrad_cl_give_tensor(&launch, call->gradients.dprediction);
    clgrad_cl_give_tensor(&launch, call->gradients.dtarget);
    clgrad_cl_give_real(&launch, call->total_scale);
    clgrad_cl_give_fault(&launch);
    clgrad_cl_over_groups_of(&launch, ends_value_alone ? 1 : grid.groups, grid.items);
    return launch;
}

/* A mean over many class indices; see kernels/loss_channel.cl. */
static clgrad_status divide_in_two(const clgrad_cl_loss_call *call, layout grid)
{
    /* Every group of the second launch adds up all parts of the weights' sum: few. */
    const begun before = {.groups = grid.groups, .parts = grid.groups < 64 ? grid.groups : 64};
    clgrad_status status = clgrad_cl_reserve_sums(call->cl, before.groups + before.parts + 2 * call->terms);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    clgrad_cl_loss_call first = *call, second = *call;
    first.wants &= WANT_TOTAL;
    second.wants |= DIVIDES;
    return clgrad_cl_enqueue(
        (clgrad_cl_launch[]){prepare(&first, grid, BEGINS, before), prepare(&second, grid, ENDS, before)}, 2);
}

/* The rows, in one launch where one group has room for them all; otherwise another adds up the groups' sums.
 */
clgrad_status clgrad_cl_loss_channels(const clgrad_cl_loss_call *call)
{
    clgrad_cl_loss_call scaled = *call;
    const layout grid = choose_layout(call);
    if (divides_on_device(call)) {
        scaled.total_scale = 1;
        if (!divides_in_groups(call, grid))
            return divide_in_two(&scaled, grid);
        scaled.wants |= DIVIDES;
    }
    const bool in_parts = (call->wants & WANT_TOTAL) && grid.groups != 1;
    clgrad_status status = in_parts ? clgrad_cl_reserve_sums(call->cl, grid.groups) : CLGRAD_STATUS_SUCCESS;
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    clgrad_cl_launch launches[2] = {prepare(&scaled, grid, ALL, (begun){0})};
    if (in_parts)
        launches[1] = clgrad_cl_prepare_total(call->context, call->cl->sum_scratch.memory, grid.groups,
                                              call->value, scaled.total_scale);
    return clgrad_cl_enqueue(launches, in_parts ? 2 : 1);
}
