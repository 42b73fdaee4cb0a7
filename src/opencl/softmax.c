#include "cl_backend.h"

/* Rows of the last dimension. A CPU's work-item takes a row of its own; on a GPU neighbours read neighbouring
 * columns. */
static clgrad_cl_launch begin(clgrad_context *context, clgrad_softmax_kind kind, const char *kernel,
                              clgrad_tensor like)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const size_t columns = like.shape[like.rank - 1], rows = clgrad_tensor_count(like) / columns;
    const size_t lanes = clgrad_cl_row_lanes(cl, columns);
    clgrad_cl_options options = {0};
    clgrad_cl_define_number(&options, "ABREAST", clgrad_cl_columns_abreast(cl, columns));
    if (kind == CLGRAD_SOFTMAX_LOG_SOFTMAX)
        clgrad_cl_define(&options, "LOGARITHM");
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_SOFTMAX, &options, kernel);
    clgrad_cl_give_count(&launch, rows);
    clgrad_cl_give_count(&launch, columns);
    clgrad_cl_give_count(&launch, lanes);
    clgrad_cl_give_real(&launch, kind == CLGRAD_SOFTMAX_SOFTMIN ? -1 : 1);
    clgrad_cl_over_groups(&launch, clgrad_cl_cover(rows, cl->group_size / lanes));
    return launch;
}

static clgrad_status forward(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor x,
                             clgrad_tensor y)
{
    clgrad_cl_launch launch = begin(context, kind, "softmax_forward", x);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, y);
    return clgrad_cl_enqueue(&launch, 1);
}

static clgrad_status backward(clgrad_context *context, clgrad_softmax_kind kind, clgrad_tensor y,
                              clgrad_tensor dy, clgrad_tensor dx)
{
    clgrad_cl_launch launch = begin(context, kind, "softmax_backward", y);
    clgrad_cl_give_tensor(&launch, y);
    clgrad_cl_give_tensor(&launch, dy);
    clgrad_cl_give_tensor(&launch, dx);
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_softmax_functions clgrad_cl_softmax_functions = {.forward = forward, .backward = backward};
