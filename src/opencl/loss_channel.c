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

/* Of so few rows every group adds up the weights itself, which costs less than a launch. */
static bool divides_in_groups(const clgrad_cl_loss_call *call)
{
    return call->terms <= 16 * call->cl->group_size;
}

static const char *options(const clgrad_cl_loss_call *call)
{
    return call->inputs.target.type == CLGRAD_TYPE_INT32 ? "-DCLASS_INDICES" : "";
}

/* The sum of the weights at scratch[sum_at], from those of groups behind it. */
static void prepare_divisor(const clgrad_cl_loss_call *call, clgrad_cl_division shares, size_t sum_at,
                            clgrad_cl_launch launches[2])
{
    const cl_mem scratch = call->cl->sum_scratch.memory;
    launches[0] =
        clgrad_cl_begin_with(call->context, CLGRAD_CL_LOSS_CHANNEL, options(call), "loss_class_total");
    clgrad_cl_give_count(&launches[0], call->terms);
    clgrad_cl_give_count(&launches[0], shares.share);
    clgrad_cl_give_count(&launches[0], call->classes);
    clgrad_cl_give_parameters(&launches[0], call->info->parameters, call->loss);
    clgrad_cl_give_real(&launches[0], call->term_scale);
    clgrad_cl_give_tensor(&launches[0], call->inputs.target);
    clgrad_cl_give_tensor(&launches[0], call->inputs.weight);
    clgrad_cl_give_memory(&launches[0], scratch, sum_at + 1);
    clgrad_cl_over_groups(&launches[0], shares.groups);

    /* Not the kernel that adds up the values: that is another source's, with arguments of its own. */
    launches[1] = clgrad_cl_begin_with(call->context, CLGRAD_CL_LOSS_CHANNEL, options(call), "total");
    clgrad_cl_give_count(&launches[1], shares.groups);
    clgrad_cl_give_memory(&launches[1], scratch, sum_at + 1);
    clgrad_cl_give_memory(&launches[1], scratch, sum_at);
    clgrad_cl_give_real(&launches[1], 1);
    clgrad_cl_over_groups(&launches[1], 1);
}

/* The kernel that the list's row names. */
static clgrad_cl_launch prepare_channels(const clgrad_cl_loss_call *call, cl_mem divisor, size_t divisor_at,
                                         cl_mem values, size_t values_at)
{
    char name[64];
    snprintf(name, sizeof name, "loss_%s", call->info->name);
    /* A CPU's work-item takes a row of its own; on a GPU neighbours read neighbouring memory: classes, or
     * with further dimensions rows. */
    const size_t lanes = call->inner > 1 ? 1 : clgrad_cl_row_lanes(call->cl, call->classes);

    clgrad_cl_launch launch =
        clgrad_cl_begin_with(call->context, CLGRAD_CL_LOSS_CHANNEL, options(call), name);
    clgrad_cl_give_count(&launch, call->terms);
    clgrad_cl_give_count(&launch, call->classes);
    clgrad_cl_give_count(&launch, call->inner);
    clgrad_cl_give_count(&launch, lanes);
    clgrad_cl_give_int(&launch, values != NULL ? call->wants | WANT_VALUES : call->wants);
    clgrad_cl_give_real(&launch, call->term_scale);
    clgrad_cl_give_parameters(&launch, call->info->parameters, call->loss);
    clgrad_cl_give_tensor(&launch, call->inputs.prediction);
    clgrad_cl_give_tensor(&launch, call->inputs.target);
    clgrad_cl_give_tensor(&launch, call->inputs.weight);
    clgrad_cl_give_memory(&launch, divisor, divisor_at);
    clgrad_cl_give_memory(&launch, values, values_at);
    clgrad_cl_give_tensor(&launch, call->dvalue);
    clgrad_cl_give_tensor(&launch, call->gradients.dprediction);
    clgrad_cl_give_tensor(&launch, call->gradients.dtarget);
    clgrad_cl_give_real(&launch, call->total_scale);
    clgrad_cl_give_fault(&launch);
    clgrad_cl_over_groups(&launch, clgrad_cl_cover(call->terms, call->cl->group_size / lanes));
    return launch;
}

/*
 * The divisor where it takes launches of its own, the rows, and their sum. Scratch holds the rows' values,
 * the divisor, and its groups' parts.
 */
clgrad_status clgrad_cl_loss_channels(const clgrad_cl_loss_call *call)
{
    clgrad_cl_loss_call scaled = *call;
    if (divides_on_device(call)) {
        scaled.wants |= DIVIDES;
        scaled.total_scale = 1;
    }
    const bool adds_up = call->wants & WANT_TOTAL;
    const bool divides_before = (scaled.wants & DIVIDES) && !divides_in_groups(call);
    const clgrad_cl_division shares = clgrad_cl_share_out(call->cl, call->terms);
    const size_t divisor_at = adds_up ? call->terms : 0;
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    if (adds_up || divides_before)
        status = clgrad_cl_reserve_sums(call->cl, divisor_at + (divides_before ? 1 + shares.groups : 0));
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    const cl_mem scratch = call->cl->sum_scratch.memory;
    cl_mem values = NULL;
    if (adds_up)
        values = scratch;
    else if (call->wants & WANT_VALUES)
        values = clgrad_cl_memory(call->value);

    clgrad_cl_launch launches[4];
    size_t count = 0;
    if (divides_before) {
        prepare_divisor(&scaled, shares, divisor_at, launches);
        count = 2;
    }
    launches[count++] = prepare_channels(&scaled, divides_before ? scratch : NULL, divisor_at, values,
                                         adds_up ? 0 : call->value.offset);
    if (adds_up)
        launches[count++] =
            clgrad_cl_prepare_total(scaled.context, values, call->terms, scaled.value, scaled.total_scale);
    return clgrad_cl_enqueue(launches, count);
}
