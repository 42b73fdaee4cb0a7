#include "dense.h"

#include "check.h"

/* [batch, in] and [out, in]: the sizes that all other shapes follow from. */
typedef struct dense_sizes {
    size_t batch, in, out;
} dense_sizes;

static dense_sizes check_sizes(clgrad_check *check, clgrad_tensor x, clgrad_tensor weight)
{
    clgrad_check_tensor(check, "x", x, CLGRAD_TYPE_FLOAT32, 2);
    clgrad_check_tensor(check, "weight", weight, CLGRAD_TYPE_FLOAT32, 2);
    if (check->status == CLGRAD_STATUS_SUCCESS && weight.shape[1] != x.shape[1])
        clgrad_check_fail(check, CLGRAD_STATUS_INVALID_SHAPE, "x has %zu columns, but weight has %zu",
                          x.shape[1], weight.shape[1]);
    return (dense_sizes){x.shape[0], x.shape[1], weight.shape[0]};
}

static void check_matrix(clgrad_check *check, const char *name, clgrad_tensor tensor, size_t rows,
                         size_t columns)
{
    clgrad_check_shape(check, name, tensor, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){rows, columns});
}

static void check_vector(clgrad_check *check, const char *name, clgrad_tensor tensor, size_t count)
{
    clgrad_check_shape(check, name, tensor, CLGRAD_TYPE_FLOAT32, 1, (size_t[]){count});
}

clgrad_status clgrad_dense_forward(clgrad_context *context, const clgrad_activation *activation,
                                   clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias, clgrad_tensor z,
                                   clgrad_tensor h)
{
    clgrad_check check = clgrad_check_begin(context, "dense_forward");
    clgrad_activation_check(&check, activation);
    dense_sizes size = check_sizes(&check, x, weight);
    if (clgrad_present(bias))
        check_vector(&check, "bias", bias, size.out);
    check_matrix(&check, "z", z, size.batch, size.out);
    check_matrix(&check, "h", h, size.batch, size.out);
    clgrad_check_apart_or_same(&check, "h", h, "z", z);
    const clgrad_named_tensor inputs[] = {{"x", x}, {"weight", weight}, {"bias", bias}};
    for (int i = 0; i < 3; i++) {
        clgrad_check_apart(&check, "z", z, inputs[i].name, inputs[i].tensor);
        clgrad_check_apart(&check, "h", h, inputs[i].name, inputs[i].tensor);
    }
    if (check.status != CLGRAD_STATUS_SUCCESS || size.batch == 0 || size.out == 0)
        return check.status;
    return context->backend->dense->forward(context, activation, x, weight, bias, z, h);
}

clgrad_status clgrad_dense_backward_chained(clgrad_context *context, const clgrad_activation *activation,
                                            clgrad_tensor x, clgrad_tensor weight, clgrad_tensor z,
                                            clgrad_tensor dh, clgrad_tensor dz, clgrad_tensor dweight,
                                            clgrad_tensor dbias, clgrad_tensor dx, clgrad_dense_chain chain)
{
    clgrad_check check = clgrad_check_begin(context, "dense_backward");
    clgrad_activation_check(&check, activation);
    dense_sizes size = check_sizes(&check, x, weight);
    check_matrix(&check, "z", z, size.batch, size.out);
    check_matrix(&check, "dh", dh, size.batch, size.out);
    check_matrix(&check, "dz", dz, size.batch, size.out);
    check_matrix(&check, "dweight", dweight, size.out, size.in);
    if (clgrad_present(dbias))
        check_vector(&check, "dbias", dbias, size.out);
    if (clgrad_present(dx))
        check_matrix(&check, "dx", dx, size.batch, size.in);

    clgrad_check_apart_or_same(&check, "dz", dz, "z", z);
    clgrad_check_apart_or_same(&check, "dz", dz, "dh", dh);
    clgrad_check_apart(&check, "dz", dz, "x", x);
    clgrad_check_apart(&check, "dz", dz, "weight", weight);
    clgrad_check_all_apart(
        &check, (const clgrad_named_tensor[]){{"dweight", dweight}, {"dbias", dbias}, {"dx", dx}}, 3,
        (const clgrad_named_tensor[]){{"x", x}, {"weight", weight}, {"z", z}, {"dh", dh}, {"dz", dz}}, 5);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    return context->backend->dense->backward(context, activation, x, weight, z, dh, dz, dweight, dbias, dx,
                                             chain);
}

clgrad_status clgrad_dense_backward(clgrad_context *context, const clgrad_activation *activation,
                                    clgrad_tensor x, clgrad_tensor weight, clgrad_tensor z, clgrad_tensor dh,
                                    clgrad_tensor dz, clgrad_tensor dweight, clgrad_tensor dbias,
                                    clgrad_tensor dx)
{
    return clgrad_dense_backward_chained(context, activation, x, weight, z, dh, dz, dweight, dbias, dx,
                                         (clgrad_dense_chain){.given_dz = false});
}
