#include "check.h"

#include <float.h>

clgrad_batch_norm clgrad_batch_norm_defaults(void)
{
    return (clgrad_batch_norm){.eps = 1e-5f, .momentum = 0.1f, .training = true};
}

/* A tensor of the shape [count], where it is there. */
static void check_vector(clgrad_check *check, const char *name, clgrad_tensor tensor, size_t count)
{
    if (clgrad_present(tensor))
        clgrad_check_shape(check, name, tensor, CLGRAD_TYPE_FLOAT32, 1, &count);
}

static void check_input(clgrad_check *check, clgrad_tensor x)
{
    clgrad_check_tensor(check, "x", x, CLGRAD_TYPE_FLOAT32, 2);
    if (check->status == CLGRAD_STATUS_SUCCESS && x.shape[1] == 0)
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "x has 0 features");
}

static void check_eps(clgrad_check *check, float eps)
{
    if (!(eps >= 0 && eps <= FLT_MAX))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "eps is %g, it must be 0 or more, and finite", (double)eps);
}

static void check_norm(clgrad_check *check, const clgrad_batch_norm *norm)
{
    clgrad_check_pointer(check, "norm", norm);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    check_eps(check, norm->eps);
    if (!(norm->momentum >= 0 && norm->momentum <= 1))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "momentum is %g, it must lie between 0 and 1", (double)norm->momentum);
}

static void check_both(clgrad_check *check, const char *name, clgrad_tensor tensor, const char *other_name,
                       clgrad_tensor other)
{
    if (clgrad_present(tensor) != clgrad_present(other))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "%s is %s, but %s is %s", name,
                          clgrad_present(tensor) ? "there" : "absent", other_name,
                          clgrad_present(other) ? "there" : "absent");
}

/* y, mean and rstd of either forward pass; statistics is how many of mean and rstd there are. */
static void check_forward(clgrad_check *check, clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias,
                          clgrad_tensor y, clgrad_tensor mean, clgrad_tensor rstd, size_t statistics)
{
    check_vector(check, "weight", weight, x.shape[1]);
    check_vector(check, "bias", bias, x.shape[1]);
    clgrad_check_shape(check, "y", y, CLGRAD_TYPE_FLOAT32, 2, x.shape);
    check_both(check, "mean", mean, "rstd", rstd);
    check_vector(check, "mean", mean, statistics);
    check_vector(check, "rstd", rstd, statistics);
    clgrad_check_apart_or_same(check, "y", y, "x", x);
    clgrad_check_all_apart(check, (const clgrad_named_tensor[]){{"y", y}, {"mean", mean}, {"rstd", rstd}}, 3,
                           (const clgrad_named_tensor[]){{"weight", weight}, {"bias", bias}}, 2);
    clgrad_check_apart(check, "mean", mean, "x", x);
    clgrad_check_apart(check, "rstd", rstd, "x", x);
}

static void check_backward(clgrad_check *check, clgrad_tensor x, clgrad_tensor weight, clgrad_tensor mean,
                           clgrad_tensor rstd, size_t statistics, clgrad_tensor dy, clgrad_tensor dx,
                           clgrad_tensor dweight, clgrad_tensor dbias)
{
    check_input(check, x);
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    check_vector(check, "weight", weight, x.shape[1]);
    clgrad_check_shape(check, "mean", mean, CLGRAD_TYPE_FLOAT32, 1, &statistics);
    clgrad_check_shape(check, "rstd", rstd, CLGRAD_TYPE_FLOAT32, 1, &statistics);
    clgrad_check_shape(check, "dy", dy, CLGRAD_TYPE_FLOAT32, 2, x.shape);
    if (clgrad_present(dx))
        clgrad_check_shape(check, "dx", dx, CLGRAD_TYPE_FLOAT32, 2, x.shape);
    check_vector(check, "dweight", dweight, x.shape[1]);
    check_vector(check, "dbias", dbias, x.shape[1]);
    if (!clgrad_present(dx) && !clgrad_present(dweight) && !clgrad_present(dbias))
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "dx, dweight and dbias are all absent");
    clgrad_check_apart_or_same(check, "dx", dx, "dy", dy);
    clgrad_check_all_apart(
        check, (const clgrad_named_tensor[]){{"dx", dx}, {"dweight", dweight}, {"dbias", dbias}}, 3,
        (const clgrad_named_tensor[]){{"x", x}, {"weight", weight}, {"mean", mean}, {"rstd", rstd}}, 4);
    clgrad_check_apart(check, "dweight", dweight, "dy", dy);
    clgrad_check_apart(check, "dbias", dbias, "dy", dy);
}

clgrad_status clgrad_layer_norm_forward(clgrad_context *context, float eps, clgrad_tensor x,
                                        clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor y,
                                        clgrad_tensor mean, clgrad_tensor rstd)
{
    clgrad_check check = clgrad_check_begin(context, "layer_norm_forward");
    check_eps(&check, eps);
    check_input(&check, x);
    if (check.status == CLGRAD_STATUS_SUCCESS)
        check_forward(&check, x, weight, bias, y, mean, rstd, x.shape[0]);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(x) == 0)
        return check.status;
    return context->backend->normalization->layer_forward(context, eps, x, weight, bias, y, mean, rstd);
}

clgrad_status clgrad_layer_norm_backward(clgrad_context *context, clgrad_tensor x, clgrad_tensor weight,
                                         clgrad_tensor mean, clgrad_tensor rstd, clgrad_tensor dy,
                                         clgrad_tensor dx, clgrad_tensor dweight, clgrad_tensor dbias)
{
    clgrad_check check = clgrad_check_begin(context, "layer_norm_backward");
    check_backward(&check, x, weight, mean, rstd, x.shape[0], dy, dx, dweight, dbias);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    return context->backend->normalization->layer_backward(context, x, weight, mean, rstd, dy, dx, dweight,
                                                           dbias);
}

clgrad_status clgrad_batch_norm_forward(clgrad_context *context, const clgrad_batch_norm *norm,
                                        clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias,
                                        clgrad_tensor running_mean, clgrad_tensor running_var,
                                        clgrad_tensor y, clgrad_tensor mean, clgrad_tensor rstd)
{
    clgrad_check check = clgrad_check_begin(context, "batch_norm_forward");
    check_norm(&check, norm);
    check_input(&check, x);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    check_both(&check, "running_mean", running_mean, "running_var", running_var);
    if (norm->training && x.shape[0] < 2)
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_SHAPE,
                          "the batch has %zu row%s, training needs at least 2 for a variance", x.shape[0],
                          x.shape[0] == 1 ? "" : "s");
    if (!norm->training && !clgrad_present(running_mean))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "running_mean and running_var are absent, evaluation (training is false) needs "
                          "them%s",
                          norm->eps == 0 ? CLGRAD_START_FROM("clgrad_batch_norm_defaults") : "");
    check_vector(&check, "running_mean", running_mean, x.shape[1]);
    check_vector(&check, "running_var", running_var, x.shape[1]);
    check_forward(&check, x, weight, bias, y, mean, rstd, x.shape[1]);
    clgrad_check_all_apart(
        &check, (const clgrad_named_tensor[]){{"running_mean", running_mean}, {"running_var", running_var}},
        2,
        (const clgrad_named_tensor[]){
            {"x", x}, {"weight", weight}, {"bias", bias}, {"y", y}, {"mean", mean}, {"rstd", rstd}},
        6);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    return context->backend->normalization->batch_forward(context, norm, x, weight, bias, running_mean,
                                                          running_var, y, mean, rstd);
}

clgrad_status clgrad_batch_norm_backward(clgrad_context *context, const clgrad_batch_norm *norm,
                                         clgrad_tensor x, clgrad_tensor weight, clgrad_tensor mean,
                                         clgrad_tensor rstd, clgrad_tensor dy, clgrad_tensor dx,
                                         clgrad_tensor dweight, clgrad_tensor dbias)
{
    clgrad_check check = clgrad_check_begin(context, "batch_norm_backward");
    check_norm(&check, norm);
    check_backward(&check, x, weight, mean, rstd, x.shape[1], dy, dx, dweight, dbias);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    return context->backend->normalization->batch_backward(context, norm, x, weight, mean, rstd, dy, dx,
                                                           dweight, dbias);
}
