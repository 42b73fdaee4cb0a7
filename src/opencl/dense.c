#include "cl_backend.h"

/* The product, then bias and activation in one pass. */
static clgrad_status forward(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                             clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor z, clgrad_tensor h)
{
    clgrad_cl_context *cl = clgrad_cl(context);
    if (cl->multiplies_in_tiles)
        return clgrad_cl_dense_tiles_forward(context, activation, x, weight, bias, z, h);
    const size_t batch = x.shape[0], in = x.shape[1], out = weight.shape[0];
    const clgrad_cl_product product = {
        .m = batch, .n = out, .k = in, .a = x, .b = weight, .transpose_b = true, .c = z};
    clgrad_cl_launch launch =
        clgrad_cl_begin_activation(context, CLGRAD_CL_DENSE, activation, "dense_forward");
    clgrad_cl_give_count(&launch, batch);
    clgrad_cl_give_count(&launch, out);
    clgrad_cl_give_tensor(&launch, z);
    clgrad_cl_give_tensor(&launch, bias);
    clgrad_cl_give_int(&launch, clgrad_present(bias));
    clgrad_cl_give_tensor(&launch, h);
    clgrad_cl_give_activation(&launch, activation);
    clgrad_cl_over_matrix(&launch, out, batch);

    clgrad_status status = clgrad_cl_ready(&launch, 1);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_cl_prepare_gemm(cl, &product);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_cl_gemm(cl, &product);
    return status == CLGRAD_STATUS_SUCCESS ? clgrad_cl_enqueue(&launch, 1) : status;
}

/* dz and dbias in one pass, the two products, and where the layer below wants it its derivative. */
static clgrad_status backward(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                              clgrad_tensor weight, clgrad_tensor z, clgrad_tensor dh, clgrad_tensor dz,
                              clgrad_tensor dweight, clgrad_tensor dbias, clgrad_tensor dx,
                              clgrad_dense_chain chain)
{
    static const clgrad_activation identity = {.kind = CLGRAD_ACTIVATION_IDENTITY};
    clgrad_cl_context *cl = clgrad_cl(context);
    if (cl->multiplies_in_tiles)
        return clgrad_cl_dense_tiles_backward(context, activation, x, weight, z, dh, dz, dweight, dbias, dx,
                                              chain);
    if (chain.given_dz) { /* the identity of it, which asks for no NaN but its own */
        activation = &identity;
        z = dh;
    }
    const size_t batch = x.shape[0], in = x.shape[1], out = weight.shape[0];
    const clgrad_cl_product products[] = {
        {.m = out, .n = in, .k = batch, .a = dz, .transpose_a = true, .b = x, .c = dweight},
        {.m = batch, .n = in, .k = out, .a = dz, .b = weight, .c = dx}};
    const size_t product_count = clgrad_present(dx) ? 2 : 1;
    const size_t width = clgrad_cl_column_width(cl, out);
    clgrad_cl_launch launches[2] = {
        clgrad_cl_begin_activation(context, CLGRAD_CL_DENSE, activation, "dense_backward")};
    size_t launch_count = 1;
    if (chain.below != NULL)
        launches[launch_count++] = clgrad_cl_prepare_activation_backward(context, CLGRAD_CL_ACTIVATION,
                                                                         chain.below, chain.below_z, dx, dx);
    clgrad_cl_give_count(launches, batch);
    clgrad_cl_give_count(launches, out);
    clgrad_cl_give_count(launches, width);
    clgrad_cl_give_tensor(launches, z);
    clgrad_cl_give_tensor(launches, dh);
    clgrad_cl_give_tensor(launches, dz);
    clgrad_cl_give_tensor(launches, dbias);
    clgrad_cl_give_int(launches, clgrad_present(dbias));
    clgrad_cl_give_activation(launches, activation);
    clgrad_cl_over_columns(launches, out, width);

    clgrad_status status = clgrad_cl_ready(launches, launch_count);
    for (size_t i = 0; i < product_count && status == CLGRAD_STATUS_SUCCESS; i++)
        status = clgrad_cl_prepare_gemm(cl, &products[i]);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_cl_enqueue(launches, 1);
    for (size_t i = 0; i < product_count && status == CLGRAD_STATUS_SUCCESS; i++)
        status = clgrad_cl_gemm(cl, &products[i]);
    return status == CLGRAD_STATUS_SUCCESS ? clgrad_cl_enqueue(launches + 1, launch_count - 1) : status;
}

/* The tiles' kernel has the numbers at hand; behind a BLAS it would be a pass more. */
static bool chains(clgrad_context *context)
{
    return clgrad_cl(context)->multiplies_in_tiles;
}

const clgrad_dense_functions clgrad_cl_dense_functions = {
    .forward = forward, .backward = backward, .chains = chains};
