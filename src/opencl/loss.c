#include "opencl.h"

#include <math.h>
#include <stdio.h>

/* As in kernels/loss.cl. */
enum { WANT_TOTAL = 1, WANT_VALUES = 2, WANT_GRADIENT = 4, UPSTREAM_ONE = 8, UPSTREAM_EACH = 16 };

/* A loss call, with what follows from its arguments. */
typedef struct call {
    clgrad_context *context;
    clgrad_cl_context *cl;
    const clgrad_loss *loss;
    const clgrad_loss_info *info;
    clgrad_tensor prediction, target, value, dvalue, dprediction;
    size_t terms;          /* unreduced values: elements or rows */
    cl_int wants;          /* of the main kernel */
    double gradient_scale; /* 1, or for a mean 1 / terms */
    double term_scale;     /* of each term and gradient: a power of two, at most 1 / terms for a mean */
    double total_scale;    /* of the sum of those */
} call;

/*
 * A mean is (sum of terms / 2^e) * (2^e / terms), with 2^e the first power of two that is not below the
 * number of terms: exact, and the sum cannot overflow where the mean does not.
 */
static void choose_scales(call *c)
{
    c->term_scale = c->total_scale = 1;
    if (c->loss->reduction != CLGRAD_REDUCTION_MEAN)
        return;
    int exponent = 0;
    while (ldexp(1, exponent) < (double)c->terms)
        exponent++;
    c->term_scale = ldexp(1, -exponent);
    c->total_scale = ldexp(1, exponent) / (double)c->terms;
}

static void choose_wants(call *c)
{
    const bool unreduced = c->loss->reduction == CLGRAD_REDUCTION_NONE;
    if (clgrad_present(c->value))
        c->wants |= unreduced ? WANT_VALUES : WANT_TOTAL;
    if (clgrad_present(c->dprediction))
        c->wants |= WANT_GRADIENT;
    if (clgrad_present(c->dvalue))
        c->wants |= unreduced && c->info->extent != CLGRAD_LOSS_WHOLE ? UPSTREAM_EACH : UPSTREAM_ONE;
}

/* Groups that share n elements among them, and how many each takes: a matter of n and the group size alone.
 */
typedef struct division {
    size_t groups, share;
} division;

static division share_out(const clgrad_cl_context *cl, size_t n)
{
    const size_t enough = 8 * cl->group_size, most = 1024;
    const size_t groups = n <= enough                         ? 1
                          : clgrad_cl_cover(n, enough) < most ? clgrad_cl_cover(n, enough)
                                                              : most;
    const size_t share = clgrad_cl_cover(clgrad_cl_cover(n, groups), cl->group_size) * cl->group_size;
    return (division){groups, share};
}

/* value = total_scale * the sum of count numbers. */
static clgrad_status enqueue_total(const call *c, cl_mem numbers, size_t count)
{
    clgrad_cl_launch launch = clgrad_cl_begin(c->context, CLGRAD_CL_LOSS, NULL, NULL, "loss_total");
    clgrad_cl_give_count(&launch, count);
    clgrad_cl_give_memory(&launch, numbers, 0);
    clgrad_cl_give_tensor(&launch, c->value);
    clgrad_cl_give_real(&launch, c->total_scale);
    return clgrad_cl_enqueue_groups(&launch, (size_t[]){1, 1}, (size_t[]){c->cl->group_size, 1});
}

/* ---- a value for each element ---- */

/* One launch, and a second where the sum takes more than one group. */
static clgrad_status evaluate_elements(call *c)
{
    const division shares = share_out(c->cl, c->terms);
    const bool in_parts = (c->wants & WANT_TOTAL) && shares.groups > 1;
    if (in_parts) {
        clgrad_status status =
            clgrad_cl_reserve(c->cl, &c->cl->loss_scratch, shares.groups * sizeof(cl_float));
        if (status != CLGRAD_STATUS_SUCCESS)
            return status;
    }

    clgrad_cl_launch launch =
        clgrad_cl_begin(c->context, CLGRAD_CL_LOSS_ELEMENT, "LOSS=loss_", c->info->name, "loss_element");
    clgrad_cl_give_count(&launch, c->terms);
    clgrad_cl_give_count(&launch, shares.share);
    clgrad_cl_give_int(&launch, c->wants);
    clgrad_cl_give_real(&launch, c->term_scale);
    clgrad_cl_give_tensor(&launch, c->prediction);
    clgrad_cl_give_tensor(&launch, c->target);
    clgrad_cl_give_parameters(&launch, c->info->parameters, c->loss);
    clgrad_cl_give_tensor(&launch, c->wants & WANT_VALUES ? c->value : clgrad_tensor_none());
    if (in_parts)
        clgrad_cl_give_memory(&launch, c->cl->loss_scratch.memory, 0);
    else
        clgrad_cl_give_tensor(&launch, c->wants & WANT_TOTAL ? c->value : clgrad_tensor_none());
    clgrad_cl_give_real(&launch, in_parts ? 1 : c->total_scale);
    clgrad_cl_give_tensor(&launch, c->dvalue);
    clgrad_cl_give_tensor(&launch, c->dprediction);
    clgrad_cl_give_real(&launch, c->total_scale);
    clgrad_status status =
        clgrad_cl_enqueue_groups(&launch, (size_t[]){shares.groups, 1}, (size_t[]){c->cl->group_size, 1});
    if (status != CLGRAD_STATUS_SUCCESS || !in_parts)
        return status;
    return enqueue_total(c, c->cl->loss_scratch.memory, shares.groups);
}

/* ---- a value for each row ---- */

/* The kernel that the list's row names; CLASS_INDICES for its target as indices. */
static clgrad_status enqueue_rows(call *c, cl_mem values, size_t values_offset)
{
    char name[64];
    snprintf(name, sizeof name, "loss_%s", c->info->name);
    const bool indices = c->target.type == CLGRAD_TYPE_INT32;
    const size_t classes = c->prediction.shape[1];
    /* A CPU's work-item takes a row of its own; on a GPU neighbours read neighbouring classes. */
    const size_t lanes = c->cl->is_cpu ? 1 : clgrad_cl_power_of_two(classes, c->cl->group_size);
    const size_t rows_per_group = c->cl->group_size / lanes;

    clgrad_cl_launch launch =
        clgrad_cl_begin(c->context, CLGRAD_CL_LOSS_ROW, indices ? "CLASS_INDICES=" : NULL, "1", name);
    clgrad_cl_give_count(&launch, c->terms);
    clgrad_cl_give_count(&launch, classes);
    clgrad_cl_give_count(&launch, lanes);
    clgrad_cl_give_int(&launch, values != NULL ? c->wants | WANT_VALUES : c->wants);
    clgrad_cl_give_real(&launch, c->term_scale);
    clgrad_cl_give_tensor(&launch, c->prediction);
    clgrad_cl_give_tensor(&launch, c->target);
    clgrad_cl_give_memory(&launch, values, values_offset);
    clgrad_cl_give_tensor(&launch, c->dvalue);
    clgrad_cl_give_tensor(&launch, c->dprediction);
    clgrad_cl_give_real(&launch, c->total_scale);
    clgrad_cl_give_fault(&launch);
    return clgrad_cl_enqueue_groups(&launch, (size_t[]){clgrad_cl_cover(c->terms, rows_per_group), 1},
                                    (size_t[]){c->cl->group_size, 1});
}

/* One launch for the rows, and one to add them up. */
static clgrad_status evaluate_rows(call *c)
{
    cl_mem values = NULL;
    size_t values_offset = 0;
    if (c->wants & WANT_VALUES) {
        values = clgrad_cl_memory(c->value);
        values_offset = c->value.offset;
    } else if (c->wants & WANT_TOTAL) {
        const size_t bytes = (c->terms > 0 ? c->terms : 1) * sizeof(cl_float);
        clgrad_status status = clgrad_cl_reserve(c->cl, &c->cl->loss_scratch, bytes);
        if (status != CLGRAD_STATUS_SUCCESS)
            return status;
        values = c->cl->loss_scratch.memory;
    }
    clgrad_status status = c->terms > 0 ? enqueue_rows(c, values, values_offset) : CLGRAD_STATUS_SUCCESS;
    if (status != CLGRAD_STATUS_SUCCESS || !(c->wants & WANT_TOTAL))
        return status;
    return enqueue_total(c, values, c->terms);
}

/* ---- one value for the whole ---- */

/* Sums by group and the root, which the gradient needs too. */
static clgrad_status enqueue_root(const call *c, cl_mem root, size_t root_offset)
{
    const division shares = share_out(c->cl, c->terms);
    const size_t local[2] = {c->cl->group_size, 1};
    clgrad_cl_launch sums = clgrad_cl_begin(c->context, CLGRAD_CL_LOSS_L2, NULL, NULL, "loss_l2_sums");
    clgrad_cl_give_count(&sums, c->terms);
    clgrad_cl_give_count(&sums, shares.share);
    clgrad_cl_give_tensor(&sums, c->prediction);
    clgrad_cl_give_tensor(&sums, c->target);
    clgrad_cl_give_memory(&sums, c->cl->loss_scratch.memory, 1);
    clgrad_status status = clgrad_cl_enqueue_groups(&sums, (size_t[]){shares.groups, 1}, local);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;

    clgrad_cl_launch last = clgrad_cl_begin(c->context, CLGRAD_CL_LOSS_L2, NULL, NULL, "loss_l2_root");
    clgrad_cl_give_count(&last, shares.groups);
    clgrad_cl_give_memory(&last, c->cl->loss_scratch.memory, 1);
    clgrad_cl_give_count(&last, c->terms);
    clgrad_cl_give_memory(&last, root, root_offset);
    return clgrad_cl_enqueue_groups(&last, (size_t[]){1, 1}, local);
}

static clgrad_status evaluate_whole(call *c)
{
    /* Room for the root, where the caller does not want it, and three sums a group behind it. */
    const size_t numbers = 1 + 3 * share_out(c->cl, c->terms).groups;
    clgrad_status status = clgrad_cl_reserve(c->cl, &c->cl->loss_scratch, numbers * sizeof(cl_float));
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    const bool wants_value = clgrad_present(c->value);
    const cl_mem root = wants_value ? clgrad_cl_memory(c->value) : c->cl->loss_scratch.memory;
    const size_t root_offset = wants_value ? c->value.offset : 0;
    status = enqueue_root(c, root, root_offset);
    if (status != CLGRAD_STATUS_SUCCESS || !(c->wants & WANT_GRADIENT) || c->terms == 0)
        return status;

    clgrad_cl_launch launch = clgrad_cl_begin(c->context, CLGRAD_CL_LOSS_L2, NULL, NULL, "loss_l2_gradient");
    clgrad_cl_give_count(&launch, c->terms);
    clgrad_cl_give_int(&launch, c->wants);
    clgrad_cl_give_tensor(&launch, c->prediction);
    clgrad_cl_give_tensor(&launch, c->target);
    clgrad_cl_give_memory(&launch, root, root_offset);
    clgrad_cl_give_tensor(&launch, c->dvalue);
    clgrad_cl_give_tensor(&launch, c->dprediction);
    return clgrad_cl_enqueue_elements(&launch, c->terms);
}

static clgrad_status evaluate(clgrad_context *context, const clgrad_loss *loss, clgrad_tensor prediction,
                              clgrad_tensor target, clgrad_tensor value, clgrad_tensor dvalue,
                              clgrad_tensor dprediction)
{
    call c = {.context = context,
              .cl = clgrad_cl(context),
              .loss = loss,
              .info = clgrad_loss_describe(loss->kind),
              .prediction = prediction,
              .target = target,
              .value = value,
              .dvalue = dvalue,
              .dprediction = dprediction};
    c.terms = c.info->extent == CLGRAD_LOSS_ROW ? prediction.shape[0] : clgrad_tensor_count(prediction);
    choose_scales(&c);
    choose_wants(&c);
    switch (c.info->extent) {
    case CLGRAD_LOSS_ELEMENT:
        return evaluate_elements(&c);
    case CLGRAD_LOSS_ROW:
        return evaluate_rows(&c);
    case CLGRAD_LOSS_WHOLE:
        return evaluate_whole(&c);
    }
    return CLGRAD_STATUS_SUCCESS;
}

const clgrad_loss_functions clgrad_cl_loss_functions = {.evaluate = evaluate};
