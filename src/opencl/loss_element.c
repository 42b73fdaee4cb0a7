#include "cl_loss.h"

/* How a weight stretches over the prediction; as in kernels/loss_element.cl. */
typedef struct spread {
    cl_ulong16 numbers; /* sizes of the prediction's dimensions, then the weight's strides in them */
    bool same;          /* every element has a weight of its own */
} spread;

enum { PLACES = 8 };

/* Neighbouring dimensions that the weight has, or lacks, all of them, become one. */
static spread lay_out(clgrad_tensor weight, clgrad_tensor prediction)
{
    spread result = {.same = clgrad_tensor_count(weight) == clgrad_tensor_count(prediction)};
    cl_ulong *sizes = result.numbers.s, *strides = result.numbers.s + PLACES;
    for (int k = 0; k < PLACES; k++)
        sizes[k] = 1;
    const int missing = prediction.rank - weight.rank;
    size_t stride = 1;
    int k = PLACES; /* the place in use, the last one first */
    bool had = false;
    for (int i = prediction.rank; i-- > 0;) {
        const size_t size = prediction.shape[i];
        if (size == 1)
            continue;
        const bool has = i >= missing && weight.shape[i - missing] != 1;
        if (k == PLACES || has != had)
            strides[--k] = has ? stride : 0;
        sizes[k] *= size;
        stride *= has ? size : 1;
        had = has;
    }
    return result;
}

static void give_weight(clgrad_cl_launch *launch, clgrad_tensor weight, const spread *layout)
{
    clgrad_cl_give_tensor(launch, weight);
    clgrad_cl_give_counts(launch, &layout->numbers);
}

static clgrad_cl_launch prepare(const clgrad_cl_loss_call *call, clgrad_cl_division shares, bool in_parts)
{
    const clgrad_loss_inputs *inputs = &call->inputs;
    spread weight = {0}, pos_weight = {0};
    const size_t abreast = call->cl->is_cpu ? 256 : 1;
    clgrad_cl_options options = {0};
    clgrad_cl_define_as(&options, "LOSS", "loss_", call->info->name);
    clgrad_cl_define_number(&options, "WANTS", (size_t)call->wants);
    clgrad_cl_define_number(&options, "ABREAST", abreast);
    if (clgrad_present(inputs->other))
        clgrad_cl_define(&options, "OTHER");
    if (clgrad_present(inputs->weight)) {
        weight = lay_out(inputs->weight, inputs->prediction);
        clgrad_cl_define_as(&options, "WEIGHT_AT", weight.same ? "same" : "broadcast", "_place");
    }
    if (clgrad_present(inputs->pos_weight)) {
        pos_weight = lay_out(inputs->pos_weight, inputs->prediction);
        clgrad_cl_define_as(&options, "POS_WEIGHT_AT", pos_weight.same ? "same" : "broadcast", "_place");
    }

    clgrad_cl_launch launch =
        clgrad_cl_begin(call->context, CLGRAD_CL_LOSS_ELEMENT, &options, "loss_element");
    clgrad_cl_give_count(&launch, call->terms);
    clgrad_cl_give_count(&launch, shares.share);
    clgrad_cl_give_real(&launch, call->term_scale);
    clgrad_cl_give_tensor(&launch, inputs->prediction);
    clgrad_cl_give_tensor(&launch, inputs->target);
    clgrad_cl_give_tensor(&launch, inputs->other);
    give_weight(&launch, inputs->weight, &weight);
    give_weight(&launch, inputs->pos_weight, &pos_weight);
    clgrad_cl_give_parameters(&launch, call->info->parameters, call->loss);
    clgrad_cl_give_tensor(&launch, call->wants & WANT_VALUES ? call->value : clgrad_tensor_none());
    if (in_parts)
        clgrad_cl_give_memory(&launch, call->cl->sum_scratch.memory, 0);
    else
        clgrad_cl_give_tensor(&launch, call->wants & WANT_TOTAL ? call->value : clgrad_tensor_none());
    clgrad_cl_give_real(&launch, in_parts ? 1 : call->total_scale);
    clgrad_cl_give_tensor(&launch, call->dvalue);
    clgrad_cl_give_tensor(&launch, call->gradients.dprediction);
    clgrad_cl_give_tensor(&launch, call->gradients.dtarget);
    clgrad_cl_give_tensor(&launch, call->gradients.dother);
    clgrad_cl_give_real(&launch, call->total_scale);
    /* Who takes many elements abreast, see kernels/loss_element.cl, is a group. */
    clgrad_cl_over_groups_of(&launch, shares.groups, abreast > 1 ? 1 : call->cl->group_size);
    return launch;
}

/* One launch, and a second where the sum takes more than one group. */
clgrad_status clgrad_cl_loss_elements(const clgrad_cl_loss_call *call)
{
    const clgrad_cl_division shares = clgrad_cl_share_out(call->cl, call->terms);
    const bool in_parts = (call->wants & WANT_TOTAL) && shares.groups > 1;
    clgrad_status status = in_parts ? clgrad_cl_reserve_sums(call->cl, shares.groups) : CLGRAD_STATUS_SUCCESS;
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    clgrad_cl_launch launches[2] = {prepare(call, shares, in_parts)};
    if (in_parts)
        launches[1] = clgrad_cl_prepare_total(call->context, call->cl->sum_scratch.memory, shares.groups,
                                              call->value, call->total_scale);
    return clgrad_cl_enqueue(launches, in_parts ? 2 : 1);
}
