#include "opencl.h"

#include <stdio.h>

clgrad_cl_launch clgrad_cl_begin(clgrad_context *context, clgrad_cl_source source, const char *definition,
                                 const char *value, const char *name)
{
    clgrad_cl_launch launch = {.cl = clgrad_cl(context), .name = name};
    char options[64] = "";
    if (definition != NULL)
        snprintf(options, sizeof options, "-D%s%s", definition, value);
    launch.status = clgrad_cl_find_kernel(launch.cl, source, options, name, &launch.kernel);
    return launch;
}

static void give(clgrad_cl_launch *launch, size_t bytes, const void *value)
{
    if (launch->status != CLGRAD_STATUS_SUCCESS)
        return;
    cl_int error = clSetKernelArg(launch->kernel, launch->next++, bytes, value);
    if (error != CL_SUCCESS)
        launch->status = clgrad_cl_fail(launch->cl, error, launch->name);
}

void clgrad_cl_give_memory(clgrad_cl_launch *launch, cl_mem memory, size_t offset)
{
    give(launch, sizeof memory, memory != NULL ? &memory : NULL);
    clgrad_cl_give_count(launch, offset);
}

void clgrad_cl_give_tensor(clgrad_cl_launch *launch, clgrad_tensor tensor)
{
    if (clgrad_present(tensor))
        clgrad_cl_give_memory(launch, clgrad_cl_memory(tensor), tensor.offset);
    else
        clgrad_cl_give_memory(launch, NULL, 0);
}

void clgrad_cl_give_count(clgrad_cl_launch *launch, size_t count)
{
    const cl_ulong value = count;
    give(launch, sizeof value, &value);
}

void clgrad_cl_give_int(clgrad_cl_launch *launch, cl_int value)
{
    give(launch, sizeof value, &value);
}

void clgrad_cl_give_uint(clgrad_cl_launch *launch, cl_uint value)
{
    give(launch, sizeof value, &value);
}

void clgrad_cl_give_real(clgrad_cl_launch *launch, double value)
{
    const cl_float number = (cl_float)value;
    give(launch, sizeof number, &number);
}

void clgrad_cl_give_parameters(clgrad_cl_launch *launch, const clgrad_parameter *parameters,
                               const void *descriptor)
{
    cl_float8 values;
    clgrad_parameters_pack(parameters, descriptor, values.s);
    give(launch, sizeof values, &values);
}

void clgrad_cl_give_fault_read_only(clgrad_cl_launch *launch)
{
    give(launch, sizeof(cl_mem), &launch->cl->fault);
}

void clgrad_cl_give_fault(clgrad_cl_launch *launch)
{
    clgrad_cl_give_fault_read_only(launch);
    launch->cl->fault_possible = true;
}

clgrad_status clgrad_cl_enqueue_groups(clgrad_cl_launch *launch, const size_t groups[2],
                                       const size_t local[2])
{
    if (launch->status != CLGRAD_STATUS_SUCCESS)
        return launch->status;
    const size_t global[2] = {groups[0] * local[0], groups[1] * local[1]};
    cl_int error =
        clEnqueueNDRangeKernel(launch->cl->queue, launch->kernel, 2, NULL, global, local, 0, NULL, NULL);
    return error == CL_SUCCESS ? CLGRAD_STATUS_SUCCESS : clgrad_cl_fail(launch->cl, error, launch->name);
}

size_t clgrad_cl_cover(size_t n, size_t group)
{
    return n / group + (n % group != 0);
}

clgrad_status clgrad_cl_enqueue_elements(clgrad_cl_launch *launch, size_t n)
{
    const size_t local[2] = {launch->cl->element_group, 1};
    return clgrad_cl_enqueue_groups(launch, (size_t[]){clgrad_cl_cover(n, local[0]), 1}, local);
}

clgrad_status clgrad_cl_enqueue_matrix(clgrad_cl_launch *launch, size_t columns, size_t rows)
{
    /* Narrow matrices take several rows into a group. */
    const size_t width = clgrad_cl_power_of_two(columns, launch->cl->element_group);
    const size_t local[2] = {width, launch->cl->element_group / width};
    /* CUDA devices allow 65,535 groups in this dimension; the kernels go on to further rows themselves. */
    const size_t high = clgrad_cl_cover(rows, local[1]);
    return clgrad_cl_enqueue_groups(
        launch, (size_t[]){clgrad_cl_cover(columns, local[0]), high < 32768 ? high : 32768}, local);
}
