#include "opencl.h"

static clgrad_cl_launch begin(clgrad_context *context, const clgrad_activation *activation,
                              const char *kernel)
{
    return clgrad_cl_begin(context, CLGRAD_CL_DENSE, "ACTIVATION=act_",
                           clgrad_activation_describe(activation->kind)->name, kernel);
}

/* bias and activation in one pass behind the product */
static clgrad_status forward(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                             clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor z, clgrad_tensor h)
{
    const size_t batch = x.shape[0], in = x.shape[1], out = weight.shape[0];
    clgrad_cl_launch launch = begin(context, activation, "dense_forward");
    clgrad_cl_give_count(&launch, batch);
    clgrad_cl_give_count(&launch, out);
    clgrad_cl_give_tensor(&launch, z);
    clgrad_cl_give_tensor(&launch, bias);
    clgrad_cl_give_int(&launch, clgrad_present(bias));
    clgrad_cl_give_tensor(&launch, h);
    clgrad_cl_give_parameters(&launch, clgrad_activation_describe(activation->kind)->parameters, activation);
    if (launch.status != CLGRAD_STATUS_SUCCESS)
        return launch.status;

    const clgrad_cl_product product = {
        .m = batch, .n = out, .k = in, .a = x, .b = weight, .transpose_b = true, .c = z};
    clgrad_status status = clgrad_cl_gemm(clgrad_cl(context), &product);
    return status == CLGRAD_STATUS_SUCCESS ? clgrad_cl_enqueue_matrix(&launch, out, batch) : status;
}

/* dz = dh * f'(z) and dbias */
static clgrad_status enqueue_dz(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor z,
                                clgrad_tensor dh, clgrad_tensor dz, clgrad_tensor dbias)
{
    const clgrad_cl_context *cl = clgrad_cl(context);
    const size_t batch = z.shape[0], out = z.shape[1];
    clgrad_cl_launch launch = begin(context, activation, "dense_backward");
    clgrad_cl_give_count(&launch, batch);
    clgrad_cl_give_count(&launch, out);
    clgrad_cl_give_tensor(&launch, z);
    clgrad_cl_give_tensor(&launch, dh);
    clgrad_cl_give_tensor(&launch, dz);
    clgrad_cl_give_tensor(&launch, dbias);
    clgrad_cl_give_int(&launch, clgrad_present(dbias));
    clgrad_cl_give_parameters(&launch, clgrad_activation_describe(activation->kind)->parameters, activation);
    const size_t width = clgrad_cl_power_of_two(out, cl->group_size < 32 ? cl->group_size : 32);
    const size_t local[2] = {width, cl->group_size / width};
    return clgrad_cl_enqueue_groups(&launch, (size_t[]){clgrad_cl_cover(out, width), 1}, local);
}

static clgrad_status backward(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                              clgrad_tensor weight, clgrad_tensor z, clgrad_tensor dh, clgrad_tensor dz,
                              clgrad_tensor dweight, clgrad_tensor dbias, clgrad_tensor dx)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    const size_t batch = x.shape[0], in = x.shape[1], out = weight.shape[0];
    const clgrad_cl_product weights = {
        .m = out, .n = in, .k = batch, .a = dz, .transpose_a = true, .b = x, .c = dweight};
    const clgrad_cl_product inputs = {.m = batch, .n = in, .k = out, .a = dz, .b = weight, .c = dx};

    clgrad_status status = enqueue_dz(context, activation, z, dh, dz, dbias);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_cl_gemm(cl, &weights);
    if (status == CLGRAD_STATUS_SUCCESS && clgrad_present(dx))
        status = clgrad_cl_gemm(cl, &inputs);
    return status;
}

const clgrad_dense_functions clgrad_cl_dense_functions = {.forward = forward, .backward = backward};
