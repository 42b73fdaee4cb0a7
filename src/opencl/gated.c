#include "cl_backend.h"

/* What the source is built for: GLU has it as its gate, PReLU ignores it. */
static const clgrad_activation gate = {.kind = CLGRAD_ACTIVATION_SIGMOID};

/* ---- PReLU ---- */

/* x as [batch, channels, inner]. */
typedef struct layout {
    size_t count, channels, inner, weights;
} layout;

static layout lay_out(clgrad_tensor x, clgrad_tensor weight)
{
    layout l = {clgrad_tensor_count(x), x.rank > 1 ? x.shape[1] : 1, 1, weight.shape[0]};
    for (int i = 2; i < x.rank; i++)
        l.inner *= x.shape[i];
    return l;
}

static clgrad_cl_launch begin_elements(clgrad_context *context, const char *kernel, const layout *l,
                                       clgrad_tensor x, clgrad_tensor weight)
{
    clgrad_cl_launch launch = clgrad_cl_begin_activation(context, CLGRAD_CL_GATED, &gate, kernel);
    clgrad_cl_give_count(&launch, l->count);
    clgrad_cl_give_count(&launch, l->channels);
    clgrad_cl_give_count(&launch, l->inner);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, weight);
    clgrad_cl_give_count(&launch, l->weights);
    clgrad_cl_over_elements(&launch, l->count);
    return launch;
}

static clgrad_status prelu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor y)
{
    const layout l = lay_out(x, weight);
    clgrad_cl_launch launch = begin_elements(context, "prelu_forward", &l, x, weight);
    clgrad_cl_give_tensor(&launch, y);
    return clgrad_cl_enqueue(&launch, 1);
}

/* Columns that one weight for all is added up in, so that it keeps more than one group busy. */
#define SHARED_COLUMNS 256

/* The weight's gradient before dx, which may overwrite x or dy. */
static clgrad_status prelu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const layout l = lay_out(x, weight);
    const bool shared = l.weights == 1;
    clgrad_cl_launch launches[3];
    size_t count = 0;

    if (clgrad_present(dweight)) {
        if (shared) {
            clgrad_status status = clgrad_cl_reserve_sums(cl, SHARED_COLUMNS);
            if (status != CLGRAD_STATUS_SUCCESS)
                return status;
        }
        const size_t columns = shared ? SHARED_COLUMNS : l.channels;
        const size_t width = clgrad_cl_column_width(cl, columns);
        clgrad_cl_launch *sums = &launches[count++];
        *sums = clgrad_cl_begin_activation(context, CLGRAD_CL_GATED, &gate, "prelu_weight");
        clgrad_cl_give_count(sums, l.count);
        clgrad_cl_give_count(sums, columns);
        clgrad_cl_give_count(sums, shared ? 1 : l.inner);
        clgrad_cl_give_count(sums, width);
        clgrad_cl_give_tensor(sums, x);
        clgrad_cl_give_tensor(sums, dy);
        if (shared)
            clgrad_cl_give_memory(sums, cl->sum_scratch.memory, 0);
        else
            clgrad_cl_give_tensor(sums, dweight);
        clgrad_cl_over_columns(sums, columns, width);
        if (shared)
            launches[count++] =
                clgrad_cl_prepare_total(context, cl->sum_scratch.memory, SHARED_COLUMNS, dweight, 1);
    }
    if (clgrad_present(dx)) {
        launches[count] = begin_elements(context, "prelu_backward", &l, x, weight);
        clgrad_cl_give_tensor(&launches[count], dy);
        clgrad_cl_give_tensor(&launches[count++], dx);
    }
    return clgrad_cl_enqueue(launches, count);
}

/* ---- GLU ---- */

static clgrad_cl_launch begin_glu(clgrad_context *context, const char *kernel, clgrad_tensor x)
{
    const size_t columns = x.shape[x.rank - 1] / 2, rows = clgrad_tensor_count(x) / (2 * columns);
    clgrad_cl_launch launch = clgrad_cl_begin_activation(context, CLGRAD_CL_GATED, &gate, kernel);
    clgrad_cl_give_count(&launch, rows);
    clgrad_cl_give_count(&launch, columns);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_over_matrix(&launch, columns, rows);
    return launch;
}

static clgrad_status glu_forward(clgrad_context *context, clgrad_tensor x, clgrad_tensor y)
{
    clgrad_cl_launch launch = begin_glu(context, "glu_forward", x);
    clgrad_cl_give_tensor(&launch, y);
    return clgrad_cl_enqueue(&launch, 1);
}

static clgrad_status glu_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor dy,
                                  clgrad_tensor dx)
{
    clgrad_cl_launch launch = begin_glu(context, "glu_backward", x);
    clgrad_cl_give_tensor(&launch, dy);
    clgrad_cl_give_tensor(&launch, dx);
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_gated_functions clgrad_cl_gated_functions = {
    .prelu_forward = prelu_forward,
    .prelu_backward = prelu_backward,
    .glu_forward = glu_forward,
    .glu_backward = glu_backward,
};
