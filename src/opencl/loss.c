#include "cl_backend.h"

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
    size_t terms;       /* unreduced values: elements or rows */
    cl_int wants;       /* of the main kernel */
    double term_scale;  /* of each term and gradient: a power of two, at most 1 / terms for a mean */
    double total_scale; /* of the sum of terms, and of gradients once more */
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
    size_t groups = clgrad_cl_cover(n, enough);
    groups = groups < 1 ? 1 : groups > most ? most : groups;
    const size_t share = clgrad_cl_cover(clgrad_cl_cover(n, groups), cl->group_size) * cl->group_size;
    return (division){groups, share};
}

/* value = total_scale * the sum of count numbers. */
static clgrad_cl_launch prepare_total(const call *c, cl_mem numbers, size_t count)
{
    clgrad_cl_launch launch = clgrad_cl_begin(c->context, CLGRAD_CL_LOSS, NULL, NULL, "loss_total");
    clgrad_cl_give_count(&launch, count);
    clgrad_cl_give_memory(&launch, numbers, 0);
    clgrad_cl_give_tensor(&launch, c->value);
    clgrad_cl_give_real(&launch, c->total_scale);
    clgrad_cl_over_groups(&launch, 1);
    return launch;
}

/* Room for numbers between the launches of one call. */
static clgrad_status reserve(const call *c, size_t numbers)
{
    return clgrad_cl_reserve(c->cl, &c->cl->loss_scratch, (numbers > 0 ? numbers : 1) * sizeof(cl_float));
}

/* ---- a value for each element ---- */

static clgrad_cl_launch prepare_elements(const call *c, division shares, bool in_parts)
{
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
    clgrad_cl_over_groups(&launch, shares.groups);
    return launch;
}

/* One launch, and a second where the sum takes more than one group. */
static clgrad_status evaluate_elements(const call *c)
{
    const division shares = share_out(c->cl, c->terms);
    const bool in_parts = (c->wants & WANT_TOTAL) && shares.groups > 1;
    clgrad_status status = in_parts ? reserve(c, shares.groups) : CLGRAD_STATUS_SUCCESS;
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    clgrad_cl_launch launches[2] = {prepare_elements(c, shares, in_parts)};
    if (in_parts)
        launches[1] = prepare_total(c, c->cl->loss_scratch.memory, shares.groups);
    return clgrad_cl_enqueue(launches, in_parts ? 2 : 1);
}

/* ---- a value for each row ---- */

/* The kernel that the list's row names; CLASS_INDICES for its target as indices. */
static clgrad_cl_launch prepare_rows(const call *c, cl_mem values, size_t values_offset)
{
    char name[64];
    snprintf(name, sizeof name, "loss_%s", c->info->name);
    const bool indices = c->target.type == CLGRAD_TYPE_INT32;
    const size_t classes = c->prediction.shape[1];
    /* A CPU's work-item takes a row of its own; on a GPU neighbours read neighbouring classes. */
    const size_t lanes = c->cl->is_cpu ? 1 : clgrad_cl_power_of_two(classes, c->cl->group_size);

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
    clgrad_cl_over_groups(&launch, clgrad_cl_cover(c->terms, c->cl->group_size / lanes));
    return launch;
}

/* One launch for the rows, and one to add them up. */
static clgrad_status evaluate_rows(const call *c)
{
    const bool adds_up = c->wants & WANT_TOTAL;
    clgrad_status status = adds_up ? reserve(c, c->terms) : CLGRAD_STATUS_SUCCESS;
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    cl_mem values = NULL;
    if (adds_up)
        values = c->cl->loss_scratch.memory;
    else if (c->wants & WANT_VALUES)
        values = clgrad_cl_memory(c->value);
    clgrad_cl_launch launches[2] = {prepare_rows(c, values, adds_up ? 0 : c->value.offset)};
    if (adds_up)
        launches[1] = prepare_total(c, values, c->terms);
    return clgrad_cl_enqueue(launches, adds_up ? 2 : 1);
}

/* ---- one value for the whole ---- */

/* As in kernels/loss_whole.cl. */
enum { SUMS_PER_GROUP = 3 };

/* One of the three kernels that the list's row names. */
static clgrad_cl_launch begin_whole(const call *c, char name[64], const char *part)
{
    snprintf(name, 64, "loss_%s_%s", c->info->name, part);
    return clgrad_cl_begin(c->context, CLGRAD_CL_LOSS_WHOLE, NULL, NULL, name);
}

/* Sums by group, the value of those, and the gradient, which reads the value. */
static clgrad_status evaluate_whole(const call *c)
{
    /* Room for the value, where the caller does not want it, and the sums behind it. */
    const division shares = share_out(c->cl, c->terms);
    clgrad_status status = reserve(c, 1 + SUMS_PER_GROUP * shares.groups);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    const cl_mem scratch = c->cl->loss_scratch.memory;
    const bool wants_value = clgrad_present(c->value);
    const cl_mem value = wants_value ? clgrad_cl_memory(c->value) : scratch;
    const size_t value_offset = wants_value ? c->value.offset : 0;
    char names[3][64];

    clgrad_cl_launch sums = begin_whole(c, names[0], "sums");
    clgrad_cl_give_count(&sums, c->terms);
    clgrad_cl_give_count(&sums, shares.share);
    clgrad_cl_give_tensor(&sums, c->prediction);
    clgrad_cl_give_tensor(&sums, c->target);
    clgrad_cl_give_memory(&sums, scratch, 1);
    clgrad_cl_over_groups(&sums, shares.groups);

    clgrad_cl_launch whole = begin_whole(c, names[1], "value");
    clgrad_cl_give_count(&whole, shares.groups);
    clgrad_cl_give_memory(&whole, scratch, 1);
    clgrad_cl_give_count(&whole, c->terms);
    clgrad_cl_give_memory(&whole, value, value_offset);
    clgrad_cl_over_groups(&whole, 1);
    if (!(c->wants & WANT_GRADIENT))
        return clgrad_cl_enqueue((clgrad_cl_launch[]){sums, whole}, 2);

    clgrad_cl_launch gradient = begin_whole(c, names[2], "gradient");
    clgrad_cl_give_count(&gradient, c->terms);
    clgrad_cl_give_int(&gradient, c->wants);
    clgrad_cl_give_tensor(&gradient, c->prediction);
    clgrad_cl_give_tensor(&gradient, c->target);
    clgrad_cl_give_memory(&gradient, value, value_offset);
    clgrad_cl_give_tensor(&gradient, c->dvalue);
    clgrad_cl_give_tensor(&gradient, c->dprediction);
    clgrad_cl_over_elements(&gradient, c->terms);
    return clgrad_cl_enqueue((clgrad_cl_launch[]){sums, whole, gradient}, 3);
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
