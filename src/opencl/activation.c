#include "cl_backend.h"

static clgrad_cl_launch begin(clgrad_context *context, const clgrad_activation *activation,
                              const char *kernel)
{
    return clgrad_cl_begin(context, CLGRAD_CL_ACTIVATION, "ACTIVATION=act_",
                           clgrad_activation_describe(activation->kind)->name, kernel);
}

static clgrad_status forward(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                             clgrad_tensor y)
{
    const size_t n = clgrad_tensor_count(x);
    clgrad_cl_launch launch = begin(context, activation, "activation_forward");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, y);
    clgrad_cl_give_activation(&launch, activation);
    clgrad_cl_over_elements(&launch, n);
    return clgrad_cl_enqueue(&launch, 1);
}

static clgrad_status backward(clgrad_context *context, const clgrad_activation *activation, clgrad_tensor x,
                              clgrad_tensor dy, clgrad_tensor dx)
{
    const size_t n = clgrad_tensor_count(x);
    clgrad_cl_launch launch = begin(context, activation, "activation_backward");
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, dy);
    clgrad_cl_give_tensor(&launch, dx);
    clgrad_cl_give_activation(&launch, activation);
    clgrad_cl_over_elements(&launch, n);
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_activation_functions clgrad_cl_activation_functions = {.forward = forward, .backward = backward};
