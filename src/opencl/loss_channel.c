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

static clgrad_cl_launch begin(const clgrad_cl_loss_call *call, layout grid, const char *name)
{
    char options[96];
    snprintf(options, sizeof options, "-DITEMS=%zu -DABREAST=%zu%s", grid.items, grid.abreast,
             call->inputs.target.type == CLGRAD_TYPE_INT32 ? " -DCLASS_INDICES" : "");
    return clgrad_cl_begin_with(call->context, CLGRAD_CL_LOSS_CHANNEL, options, name);
}

/* The sums of the weights of shares of the rows, in scratch from parts_at on. */
static clgrad_cl_launch prepare_parts(const clgrad_cl_loss_call *call, layout grid, clgrad_cl_division shares,
                                      size_t parts_at)
{
    clgrad_cl_launch launch = begin(call, grid, "loss_class_total");
    clgrad_cl_give_count(&launch, call->terms);
    clgrad_cl_give_count(&launch, shares.share);
    clgrad_cl_give_count(&launch, call->classes);
    clgrad_cl_give_parameters(&launch, call->info->parameters, call->loss);
    clgrad_cl_give_real(&launch, call->term_scale);
    clgrad_cl_give_tensor(&launch, call->inputs.target);
    clgrad_cl_give_tensor(&launch, call->inputs.weight);
    clgrad_cl_give_memory(&launch, call->cl->sum_scratch.memory, parts_at);
    clgrad_cl_over_groups_of(&launch, shares.groups, grid.items);
    return launch;
}

/* The kernel that the list's row names. */
static clgrad_cl_launch prepare_channels(const clgrad_cl_loss_call *call, layout grid, size_t parts_at,
                                         size_t part_count)
{
    const cl_mem scratch = call->cl->sum_scratch.memory;
    char name[64];
    snprintf(name, sizeof name, "loss_%s", call->info->name);
    clgrad_cl_launch launch = begin(call, grid, name);
    clgrad_cl_give_count(&launch, call->terms);
    clgrad_cl_give_count(&launch, call->classes);
    clgrad_cl_give_count(&launch, call->inner);
    clgrad_cl_give_count(&launch, grid.lanes);
    clgrad_cl_give_int(&launch, call->wants);
    clgrad_cl_give_real(&launch, call->term_scale);
    clgrad_cl_give_parameters(&launch, call->info->parameters, call->loss);
    clgrad_cl_give_tensor(&launch, call->inputs.prediction);
    clgrad_cl_give_tensor(&launch, call->inputs.target);
    clgrad_cl_give_tensor(&launch, call->inputs.weight);
    clgrad_cl_give_memory(&launch, part_count > 0 ? scratch : NULL, parts_at);
    clgrad_cl_give_count(&launch, part_count);
    clgrad_cl_give_tensor(&launch, call->wants & WANT_VALUES ? call->value : clgrad_tensor_none());
    if (grid.groups > 1 && (call->wants & WANT_TOTAL))
        clgrad_cl_give_memory(&launch, scratch, 0);
    else
        clgrad_cl_give_tensor(&launch, call->wants & WANT_TOTAL ? call->value : clgrad_tensor_none());
    clgrad_cl_give_real(&launch, grid.groups > 1 ? 1 : call->total_scale);
    clgrad_cl_give_tensor(&launch, call->dvalue);
    clgrad_cl_give_tensor(&launch, call->gradients.dprediction);
    clgrad_cl_give_tensor(&launch, call->gradients.dtarget);
    clgrad_cl_give_real(&launch, call->total_scale);
    clgrad_cl_give_fault(&launch);
    clgrad_cl_over_groups_of(&launch, grid.groups, grid.items);
    return launch;
}

/*
 * The rows, in one launch where one group has room for them all; otherwise another adds up the groups' sums,
 * and for many class indices a first one what a mean divides by. Scratch holds the groups' sums and the parts
 * of the divisor.
 */
clgrad_status clgrad_cl_loss_channels(const clgrad_cl_loss_call *call)
{
    clgrad_cl_loss_call scaled = *call;
    if (divides_on_device(call)) {
        scaled.wants |= DIVIDES;
        scaled.total_scale = 1;
    }
    const layout grid = choose_layout(call);
    const bool in_parts = (call->wants & WANT_TOTAL) && grid.groups != 1;
    const bool divides_before = (scaled.wants & DIVIDES) && !divides_in_groups(call, grid);
    clgrad_cl_division shares = clgrad_cl_share_out(call->cl, call->terms);
    const size_t parts_at = in_parts ? grid.groups : 0, part_count = divides_before ? shares.groups : 0;
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    if (in_parts || divides_before)
        status = clgrad_cl_reserve_sums(call->cl, parts_at + part_count);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;

    clgrad_cl_launch launches[3];
    size_t count = 0;
    if (divides_before)
        launches[count++] = prepare_parts(&scaled, grid, shares, parts_at);
    launches[count++] = prepare_channels(&scaled, grid, parts_at, part_count);
    if (in_parts)
        launches[count++] = clgrad_cl_prepare_total(call->context, call->cl->sum_scratch.memory, grid.groups,
                                                    call->value, scaled.total_scale);
    return clgrad_cl_enqueue(launches, count);
}
