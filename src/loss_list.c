/*
 * What the lists of losses and reductions say.
 */
#include "loss_check.h"

#define PARAMETER(...) CLGRAD_PARAMETER_ENTRY(clgrad_loss, __VA_ARGS__)
CLGRAD_LOSS_LIST(CLGRAD_PARAMETER_ARRAY)
#undef PARAMETER

static const clgrad_loss_info infos[] = {
#define ROW(value, identifier, name, PARAMETERS, extent, flags, input, bound, formula, gradient, source) \
    [value] = {#name,                                                                                    \
               name##_parameters,                                                                        \
               CLGRAD_LOSS_##extent,                                                                     \
               flags,                                                                                    \
               CLGRAD_LOSS_##input,                                                                      \
               bound,                                                                                    \
               formula,                                                                                  \
               gradient,                                                                                 \
               source},
    CLGRAD_LOSS_LIST(ROW)
#undef ROW
};

static const char *const reductions[] = {
#define ROW(value, identifier, name) [value] = #name,
    CLGRAD_REDUCTION_LIST(ROW)
#undef ROW
};

#define REDUCTION_COUNT (sizeof reductions / sizeof reductions[0])

bool clgrad_loss_has_reduction(clgrad_reduction reduction)
{
    return (size_t)reduction < REDUCTION_COUNT;
}

const char *clgrad_reduction_name(clgrad_reduction reduction)
{
    return clgrad_loss_has_reduction(reduction) ? reductions[reduction] : "unknown";
}

bool clgrad_reduction_parse(const char *name, clgrad_reduction *reduction)
{
    ptrdiff_t row = clgrad_find_name(name, reductions, REDUCTION_COUNT, sizeof reductions[0]);
    if (row >= 0)
        *reduction = (clgrad_reduction)row;
    return row >= 0;
}

const clgrad_loss_info *clgrad_loss_describe(clgrad_loss_kind kind)
{
    return (size_t)kind < CLGRAD_LOSS_COUNT ? &infos[kind] : NULL;
}

bool clgrad_loss_parse(const char *name, clgrad_loss_kind *kind)
{
    ptrdiff_t row = clgrad_find_name(name, infos, CLGRAD_LOSS_COUNT, sizeof infos[0]);
    if (row >= 0)
        *kind = (clgrad_loss_kind)row;
    return row >= 0;
}

clgrad_loss clgrad_loss_defaults(clgrad_loss_kind kind)
{
    clgrad_loss loss = {.kind = kind, .reduction = CLGRAD_REDUCTION_MEAN};
    if (clgrad_loss_describe(kind) != NULL)
        clgrad_parameters_default(infos[kind].parameters, &loss);
    return loss;
}
