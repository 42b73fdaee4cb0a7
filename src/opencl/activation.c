#include "cl_backend.h"

static clgrad_status forward(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                             clgrad_tensor y)
{
    const size_t n = clgrad_tensor_count(x);
    clgrad_cl_launch launch =
        clgrad_cl_begin_activation(context, CLGRAD_CL_ACTIVATION, activation, "activation_forward");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, y);
    clgrad_cl_give_activation(&launch, activation);
    clgrad_cl_over_elements(&launch, n);
    return clgrad_cl_enqueue(&launch, 1);
}

clgrad_cl_launch clgrad_cl_prepare_activation_backward(clgrad_context *context, clgrad_cl_source source,
                                                       const clgrad_activation *activation, clgrad_tensor x,
                                                       clgrad_tensor dy, clgrad_tensor dx)
{
    const size_t n = clgrad_tensor_count(x);
    clgrad_cl_launch launch = clgrad_cl_begin_activation(context, source, activation, "activation_backward");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, dy);
    clgrad_cl_give_tensor(&launch, dx);
    clgrad_cl_give_activation(&launch, activation);
    clgrad_cl_over_elements(&launch, n);
    return launch;
}

static clgrad_status backward(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                              clgrad_tensor dy, clgrad_tensor dx)
{
    const clgrad_cl_launch launch =
        clgrad_cl_prepare_activation_backward(context, CLGRAD_CL_ACTIVATION, activation, x, dy, dx);
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_activation_functions clgrad_cl_activation_functions = {.forward = forward, .backward = backward};
