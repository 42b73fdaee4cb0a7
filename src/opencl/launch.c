#include "cl_backend.h"

#include <stdio.h>
#include <string.h>

/* Options that do not fit are left as they were: half a definition would be another program. */
static void add(clgrad_cl_options *options, const char *name, const char *equals, const char *prefix,
                const char *rest)
{
    const size_t used = strlen(options->text), room = sizeof options->text - used;
    const int length =
        snprintf(options->text + used, room, "%s-D%s%s%s%s", used > 0 ? " " : "", name, equals, prefix, rest);
    if (length >= 0 && (size_t)length < room)
        return;
    options->text[used] = '\0';
    options->overflowed = true;
}

void clgrad_cl_define(clgrad_cl_options *options, const char *name)
{
    add(options, name, "", "", "");
}

void clgrad_cl_define_as(clgrad_cl_options *options, const char *name, const char *prefix, const char *rest)
{
    add(options, name, "=", prefix, rest);
}

void clgrad_cl_define_number(clgrad_cl_options *options, const char *name, size_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%zu", number);
    add(options, name, "=", text, "");
}

clgrad_cl_launch clgrad_cl_begin(clgrad_context *context, clgrad_cl_source source,
                                 const clgrad_cl_options *options, const char *name)
{
    clgrad_cl_launch launch = {.cl = clgrad_cl(context)};
    snprintf(launch.name, sizeof launch.name, "%s", name);
    if (options != NULL && options->overflowed)
        launch.status = clgrad_fail(context, CLGRAD_STATUS_BUILD_FAILED,
                                    "the options of the kernel %s are longer than %zu characters: %s ...",
                                    name, sizeof options->text - 1, options->text);
    else
        launch.status = clgrad_cl_find_kernel(launch.cl, source, options != NULL ? options->text : "", name,
                                              &launch.kernel, &launch.group_limit);
    return launch;
}

clgrad_cl_launch clgrad_cl_begin_activation(clgrad_context *context, clgrad_cl_source source,
                                            const clgrad_activation *activation, const char *name)
{
    clgrad_cl_options options = {0};
    clgrad_cl_define_as(&options, "ACTIVATION", "act_", clgrad_activation_describe(activation->kind)->name);
    return clgrad_cl_begin(context, source, &options, name);
}

void clgrad_cl_give_value(clgrad_cl_launch *launch, size_t bytes, const void *value)
{
    if (launch->status != CLGRAD_STATUS_SUCCESS)
        return;
    cl_int error = clSetKernelArg(launch->kernel, launch->next++, bytes, value);
    if (error != CL_SUCCESS)
        launch->status = clgrad_cl_fail(launch->cl, error, launch->name);
}

void clgrad_cl_give_memory(clgrad_cl_launch *launch, cl_mem memory, size_t offset)
{
    clgrad_cl_give_value(launch, sizeof memory, memory != NULL ? &memory : NULL);
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
    clgrad_cl_give_value(launch, sizeof value, &value);
}

void clgrad_cl_give_counts(clgrad_cl_launch *launch, const cl_ulong16 *counts)
{
    clgrad_cl_give_value(launch, sizeof *counts, counts);
}

void clgrad_cl_give_int(clgrad_cl_launch *launch, cl_int value)
{
    clgrad_cl_give_value(launch, sizeof value, &value);
}

void clgrad_cl_give_uint(clgrad_cl_launch *launch, cl_uint value)
{
    clgrad_cl_give_value(launch, sizeof value, &value);
}

void clgrad_cl_give_real(clgrad_cl_launch *launch, double value)
{
    const cl_float number = (cl_float)value;
    clgrad_cl_give_value(launch, sizeof number, &number);
}

void clgrad_cl_give_words(clgrad_cl_launch *launch, uint64_t value)
{
    const cl_uint2 words = {{(cl_uint)value, (cl_uint)(value >> 32)}};
    clgrad_cl_give_value(launch, sizeof words, &words);
}

void clgrad_cl_give_parameters(clgrad_cl_launch *launch, const clgrad_parameter *parameters,
                               const void *descriptor)
{
    cl_float8 values;
    clgrad_parameters_pack(parameters, descriptor, values.s);
    clgrad_cl_give_value(launch, sizeof values, &values);
}

void clgrad_cl_give_activation(clgrad_cl_launch *launch, const clgrad_activation *activation)
{
    cl_float8 values;
    clgrad_parameters_pack(clgrad_activation_describe(activation->kind)->parameters, activation, values.s);
    values.s[7] = activation->given_output ? 1 : 0;
    clgrad_cl_give_value(launch, sizeof values, &values);
}

void clgrad_cl_give_fault_read_only(clgrad_cl_launch *launch)
{
    clgrad_cl_give_value(launch, sizeof(cl_mem), &launch->cl->fault);
}

void clgrad_cl_give_fault(clgrad_cl_launch *launch)
{
    clgrad_cl_give_fault_read_only(launch);
    launch->writes_fault = true;
}

size_t clgrad_cl_cover(size_t n, size_t group)
{
    return n / group + (n % group != 0);
}

size_t clgrad_cl_power_of_two(size_t n, size_t limit)
{
    size_t power = 1;
    while (power < n && power < limit)
        power *= 2;
    return power;
}

clgrad_cl_division clgrad_cl_share_out(const clgrad_cl_context *cl, size_t n)
{
    /* A CPU's thread has to be woken for a group: fewer of them, and a small sum needs no second launch. */
    const size_t enough = cl->is_cpu ? 8192 : 8 * cl->group_size, most = 1024;
    const size_t unit = cl->is_cpu ? cl->strip : cl->group_size;
    size_t groups = clgrad_cl_cover(n, enough);
    groups = groups < 1 ? 1 : groups > most ? most : groups;
    return (clgrad_cl_division){groups, clgrad_cl_cover(clgrad_cl_cover(n, groups), unit) * unit};
}

size_t clgrad_cl_row_lanes(const clgrad_cl_context *cl, size_t columns)
{
    return cl->is_cpu ? 1 : clgrad_cl_power_of_two(columns, cl->group_size);
}

size_t clgrad_cl_columns_abreast(const clgrad_cl_context *cl, size_t columns)
{
    return cl->is_cpu ? clgrad_cl_power_of_two(columns, 64) : 1;
}

size_t clgrad_cl_column_width(const clgrad_cl_context *cl, size_t columns)
{
    if (cl->is_cpu)
        return clgrad_cl_power_of_two(columns / 16 < 16 ? 16 : columns / 16, cl->strip);
    return clgrad_cl_power_of_two(columns, cl->group_size < 32 ? cl->group_size : 32);
}

/* What the device, and this kernel on it, allow. */
static size_t element_group(const clgrad_cl_launch *launch)
{
    size_t group = launch->cl->element_group;
    while (group > 1 && group > launch->group_limit)
        group /= 2;
    return group;
}

void clgrad_cl_over_elements(clgrad_cl_launch *launch, size_t n)
{
    launch->local[0] = element_group(launch);
    launch->local[1] = 1;
    launch->groups[0] = clgrad_cl_cover(n, launch->local[0]);
    launch->groups[1] = 1;
}

void clgrad_cl_over_matrix(clgrad_cl_launch *launch, size_t columns, size_t rows)
{
    /* Narrow matrices take several rows into a group. */
    const size_t group = element_group(launch);
    launch->local[0] = clgrad_cl_power_of_two(columns, group);
    launch->local[1] = group / launch->local[0];
    launch->groups[0] = clgrad_cl_cover(columns, launch->local[0]);
    launch->groups[1] = clgrad_cl_cover(rows, launch->local[1]);
    /* CUDA devices allow 65,535 groups in this dimension; the kernels go on to further rows themselves. */
    if (launch->groups[1] > 32768)
        launch->groups[1] = 32768;
}

void clgrad_cl_over_single_items(clgrad_cl_launch *launch, size_t columns, size_t rows)
{
    launch->local[0] = launch->local[1] = 1;
    launch->groups[0] = columns;
    launch->groups[1] = rows;
}

void clgrad_cl_over_groups_of(clgrad_cl_launch *launch, size_t groups, size_t items)
{
    launch->local[0] = items;
    launch->groups[0] = groups;
    launch->local[1] = launch->groups[1] = 1;
}

void clgrad_cl_over_groups(clgrad_cl_launch *launch, size_t groups)
{
    clgrad_cl_over_groups_of(launch, groups, launch->cl->group_size);
}

void clgrad_cl_over_columns(clgrad_cl_launch *launch, size_t columns, size_t width)
{
    const size_t items = launch->cl->strip > 1 ? 1 : launch->cl->group_size;
    clgrad_cl_over_groups_of(launch, clgrad_cl_cover(columns, width), items);
}

clgrad_status clgrad_cl_ready(const clgrad_cl_launch *launches, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (launches[i].status != CLGRAD_STATUS_SUCCESS)
            return launches[i].status;
    return CLGRAD_STATUS_SUCCESS;
}

clgrad_status clgrad_cl_enqueue(const clgrad_cl_launch *launches, size_t count)
{
    clgrad_status status = clgrad_cl_ready(launches, count);
    for (size_t i = 0; i < count && status == CLGRAD_STATUS_SUCCESS; i++) {
        const clgrad_cl_launch *l = &launches[i];
        const size_t global[2] = {l->groups[0] * l->local[0], l->groups[1] * l->local[1]};
        if (global[0] == 0 || global[1] == 0)
            continue;
        l->cl->base.counters.enqueues++;
        cl_int error =
            clEnqueueNDRangeKernel(l->cl->queue, l->kernel, 2, NULL, global, l->local, 0, NULL, NULL);
        if (error != CL_SUCCESS)
            status = clgrad_cl_fail(l->cl, error, l->name);
        else if (l->writes_fault)
            l->cl->fault_possible = true;
    }
    return status;
}
