#include "cl_backend.h"

#include <math.h>

/* As in kernels/clip.cl. */
enum { LARGEST, SUM, SQUARES, POWERS };

static const char *const kernels[] = {"clip_largest", "clip_sum", "clip_squares", "clip_powers"};

/* A call, and where its numbers between the launches lie: the factor at 0 of the scratch memory, then so many
 * sums a group, then, for largest and powers, the largest element of each group. */
typedef struct call {
    clgrad_context *context;
    clgrad_tensor gradient;
    size_t n, largest_at;
    clgrad_cl_division shares;
    cl_mem scratch;
} call;

enum { FACTOR_AT = 0, SUMS_AT = 1 };

static int choose_kind(double norm_type)
{
    return isinf(norm_type) ? LARGEST : norm_type == 1 ? SUM : norm_type == 2 ? SQUARES : POWERS;
}

/* Sums, or the largest elements, by group; powers have three arguments more. */
static clgrad_cl_launch prepare_parts(const call *c, int kind)
{
    clgrad_cl_launch launch = clgrad_cl_begin(c->context, CLGRAD_CL_CLIP, NULL, kernels[kind]);
    clgrad_cl_give_count(&launch, c->n);
    clgrad_cl_give_count(&launch, c->shares.share);
    clgrad_cl_give_tensor(&launch, c->gradient);
    clgrad_cl_give_memory(&launch, c->scratch, kind == LARGEST ? c->largest_at : SUMS_AT);
    clgrad_cl_over_columns(&launch, c->shares.groups, 1);
    return launch;
}

static clgrad_cl_launch prepare_powers(const call *c, double norm_type)
{
    clgrad_cl_launch launch = prepare_parts(c, POWERS);
    clgrad_cl_give_count(&launch, c->shares.groups);
    clgrad_cl_give_memory(&launch, c->scratch, c->largest_at);
    clgrad_cl_give_real(&launch, norm_type);
    return launch;
}

static clgrad_cl_launch prepare_factor(const call *c, int kind, double max_norm, double norm_type,
                                       clgrad_tensor total_norm)
{
    clgrad_cl_launch launch = clgrad_cl_begin(c->context, CLGRAD_CL_CLIP, NULL, "clip_factor");
    clgrad_cl_give_int(&launch, kind);
    clgrad_cl_give_count(&launch, c->shares.groups);
    clgrad_cl_give_memory(&launch, c->scratch, SUMS_AT);
    clgrad_cl_give_memory(&launch, c->scratch, c->largest_at);
    clgrad_cl_give_real(&launch, 1 / norm_type);
    clgrad_cl_give_real(&launch, max_norm);
    clgrad_cl_give_memory(&launch, c->scratch, FACTOR_AT);
    clgrad_cl_give_tensor(&launch, total_norm);
    clgrad_cl_over_groups(&launch, 1);
    return launch;
}

static clgrad_cl_launch prepare_scale(const call *c)
{
    clgrad_cl_launch launch = clgrad_cl_begin(c->context, CLGRAD_CL_CLIP, NULL, "clip_scale");
    clgrad_cl_give_count(&launch, c->n);
    clgrad_cl_give_tensor(&launch, c->gradient);
    clgrad_cl_give_memory(&launch, c->scratch, FACTOR_AT);
    clgrad_cl_over_elements(&launch, clgrad_cl_cover(c->n, launch.cl->strip));
    return launch;
}

static clgrad_status norm(clgrad_context *context, float max_norm, float norm_type, clgrad_tensor gradient,
                          clgrad_tensor total_norm)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const int kind = choose_kind((double)norm_type);
    call c = {.context = context, .gradient = gradient, .n = clgrad_tensor_count(gradient)};
    c.shares = clgrad_cl_share_out(cl, c.n);
    const size_t sums = kind == SQUARES ? 3 * c.shares.groups : kind == LARGEST ? 0 : c.shares.groups;
    c.largest_at = SUMS_AT + sums;
    clgrad_status status =
        clgrad_cl_reserve(cl, &cl->clip_scratch, (c.largest_at + c.shares.groups) * sizeof(cl_float));
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    c.scratch = cl->clip_scratch.memory;
    clgrad_cl_launch launches[4];
    size_t count = 0;
    launches[count++] = prepare_parts(&c, kind == POWERS ? LARGEST : kind);
    if (kind == POWERS)
        launches[count++] = prepare_powers(&c, (double)norm_type);
    launches[count++] = prepare_factor(&c, kind, (double)max_norm, (double)norm_type, total_norm);
    launches[count++] = prepare_scale(&c);
    return clgrad_cl_enqueue(launches, count);
}

static clgrad_status value(clgrad_context *context, float clip_value, clgrad_tensor gradient)
{
    const size_t n = clgrad_tensor_count(gradient);
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_CLIP, NULL, "clip_value");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_real(&launch, (double)clip_value);
    clgrad_cl_give_tensor(&launch, gradient);
    clgrad_cl_over_elements(&launch, n);
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_clip_functions clgrad_cl_clip_functions = {.norm = norm, .value = value};
