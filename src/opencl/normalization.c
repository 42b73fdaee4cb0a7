#include "cl_backend.h"

/* As in kernels/normalization.cl. */
enum {
    HAS_WEIGHT = 1,
    HAS_BIAS = 2,
    HAS_STATISTICS = 4,
    HAS_RUNNING = 8,
    WANT_DX = 16,
    WANT_DWEIGHT = 32,
    WANT_DBIAS = 64,
    TRAINING = 128
};

static cl_int flag_if(clgrad_tensor tensor, cl_int flag)
{
    return clgrad_present(tensor) ? flag : 0;
}

/* A launch over rows, each with its lanes, or over columns, so many of them in a group; the kernel's first
 * four arguments. */
static clgrad_cl_launch begin_rows(clgrad_context *context, const char *kernel, clgrad_tensor x, cl_int flags)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const size_t rows = x.shape[0], columns = x.shape[1];
    const size_t lanes = clgrad_cl_row_lanes(cl, columns);
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_NORMALIZATION, NULL, kernel);
    clgrad_cl_give_count(&launch, rows);
    clgrad_cl_give_count(&launch, columns);
    clgrad_cl_give_count(&launch, lanes);
    clgrad_cl_give_int(&launch, flags);
    clgrad_cl_over_groups(&launch, clgrad_cl_cover(rows, cl->group_size / lanes));
    return launch;
}

static clgrad_cl_launch begin_columns(clgrad_context *context, const char *kernel, clgrad_tensor x,
                                      cl_int flags)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const size_t rows = x.shape[0], columns = x.shape[1];
    const size_t width = clgrad_cl_column_width(cl, columns);
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_NORMALIZATION, NULL, kernel);
    clgrad_cl_give_count(&launch, rows);
    clgrad_cl_give_count(&launch, columns);
    clgrad_cl_give_count(&launch, width);
    clgrad_cl_give_int(&launch, flags);
    clgrad_cl_over_columns(&launch, columns, width);
    return launch;
}

static clgrad_status layer_forward(clgrad_context *context, float eps, clgrad_tensor x, clgrad_tensor weight,
                                   clgrad_tensor bias, clgrad_tensor y, clgrad_tensor mean,
                                   clgrad_tensor rstd)
{
    const cl_int flags =
        flag_if(weight, HAS_WEIGHT) | flag_if(bias, HAS_BIAS) | flag_if(mean, HAS_STATISTICS);
    clgrad_cl_launch launch = begin_rows(context, "layer_norm_forward", x, flags);
    clgrad_cl_give_real(&launch, eps);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, weight);
    clgrad_cl_give_tensor(&launch, bias);
    clgrad_cl_give_tensor(&launch, y);
    clgrad_cl_give_tensor(&launch, mean);
    clgrad_cl_give_tensor(&launch, rstd);
    return clgrad_cl_enqueue(&launch, 1);
}

/* The weight's and the bias's gradient before dx, which may overwrite dy. */
static clgrad_status layer_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                    clgrad_tensor mean, clgrad_tensor rstd, clgrad_tensor dy,
                                    clgrad_tensor dx, clgrad_tensor dweight, clgrad_tensor dbias)
{
    clgrad_cl_launch launches[2];
    size_t count = 0;
    if (clgrad_present(dweight) || clgrad_present(dbias)) {
        clgrad_cl_launch *launch = &launches[count++];
        *launch = begin_columns(context, "layer_norm_weight", x,
                                flag_if(dweight, WANT_DWEIGHT) | flag_if(dbias, WANT_DBIAS));
        clgrad_cl_give_tensor(launch, x);
        clgrad_cl_give_tensor(launch, mean);
        clgrad_cl_give_tensor(launch, rstd);
        clgrad_cl_give_tensor(launch, dy);
        clgrad_cl_give_tensor(launch, dweight);
        clgrad_cl_give_tensor(launch, dbias);
    }
    if (clgrad_present(dx)) {
        clgrad_cl_launch *launch = &launches[count++];
        *launch = begin_rows(context, "layer_norm_backward", x, flag_if(weight, HAS_WEIGHT));
        clgrad_cl_give_tensor(launch, x);
        clgrad_cl_give_tensor(launch, weight);
        clgrad_cl_give_tensor(launch, mean);
        clgrad_cl_give_tensor(launch, rstd);
        clgrad_cl_give_tensor(launch, dy);
        clgrad_cl_give_tensor(launch, dx);
    }
    return clgrad_cl_enqueue(launches, count);
}

static clgrad_status batch_forward(clgrad_context *context, const clgrad_batch_norm *norm, clgrad_tensor x,
                                   clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor running_mean,
                                   clgrad_tensor running_var, clgrad_tensor y, clgrad_tensor mean,
                                   clgrad_tensor rstd)
{
    const cl_int flags = flag_if(weight, HAS_WEIGHT) | flag_if(bias, HAS_BIAS) |
                         flag_if(mean, HAS_STATISTICS) | flag_if(running_mean, HAS_RUNNING) |
                         (norm->training ? TRAINING : 0);
    clgrad_cl_launch launch = begin_columns(context, "batch_norm_forward", x, flags);
    clgrad_cl_give_real(&launch, norm->eps);
    clgrad_cl_give_real(&launch, norm->momentum);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, weight);
    clgrad_cl_give_tensor(&launch, bias);
    clgrad_cl_give_tensor(&launch, running_mean);
    clgrad_cl_give_tensor(&launch, running_var);
    clgrad_cl_give_tensor(&launch, y);
    clgrad_cl_give_tensor(&launch, mean);
    clgrad_cl_give_tensor(&launch, rstd);
    clgrad_cl_give_fault_read_only(&launch);
    return clgrad_cl_enqueue(&launch, 1);
}

static clgrad_status batch_backward(clgrad_context *context, const clgrad_batch_norm *norm, clgrad_tensor x,
                                    clgrad_tensor weight, clgrad_tensor mean, clgrad_tensor rstd,
                                    clgrad_tensor dy, clgrad_tensor dx, clgrad_tensor dweight,
                                    clgrad_tensor dbias)
{
    const cl_int flags = flag_if(weight, HAS_WEIGHT) | flag_if(dx, WANT_DX) | flag_if(dweight, WANT_DWEIGHT) |
                         flag_if(dbias, WANT_DBIAS) | (norm->training ? TRAINING : 0);
    clgrad_cl_launch launch = begin_columns(context, "batch_norm_backward", x, flags);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, weight);
    clgrad_cl_give_tensor(&launch, mean);
    clgrad_cl_give_tensor(&launch, rstd);
    clgrad_cl_give_tensor(&launch, dy);
    clgrad_cl_give_tensor(&launch, dx);
    clgrad_cl_give_tensor(&launch, dweight);
    clgrad_cl_give_tensor(&launch, dbias);
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_normalization_functions clgrad_cl_normalization_functions = {
    .layer_forward = layer_forward,
    .layer_backward = layer_backward,
    .batch_forward = batch_forward,
    .batch_backward = batch_backward,
};
