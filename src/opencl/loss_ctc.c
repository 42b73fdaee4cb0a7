#include "cl_loss.h"

/* The workspace of one sequence, see kernels/loss_ctc.cl; and the numbers of scratch memory in all. */
typedef struct workspace {
    size_t kept, links_at, stride, numbers;
} workspace;

/* Time times labels can be more than any memory has, though neither is: numbers is SIZE_MAX then. */
static workspace choose_workspace(const clgrad_cl_loss_call *call, size_t room, size_t before)
{
    const bool gradient = call->wants & WANT_GRADIENT;
    workspace space = {.kept = gradient && call->time > 2 ? call->time : 2, .numbers = before};
    size_t states = 1;
    bool fits = clgrad_add_product(&states, 2, room) && states <= SIZE_MAX / 2 &&
                clgrad_add_product(&space.stride, 2 * states, space.kept);
    space.links_at = space.stride;
    if (gradient) {
        fits = fits && clgrad_add_product(&space.links_at, 5, states) &&
               clgrad_add_product(&space.links_at, 1, call->classes);
        space.stride = space.links_at;
        fits = fits && clgrad_add_product(&space.stride, 2, room);
    }
    if (!fits || !clgrad_add_product(&space.numbers, space.stride, call->batch))
        space.numbers = SIZE_MAX;
    return space;
}

/* One launch with a group for each sequence, and one to add up their losses. */
clgrad_status clgrad_cl_loss_sequences(const clgrad_cl_loss_call *call)
{
    const bool adds_up = call->wants & WANT_TOTAL;
    const size_t room = call->inputs.target.shape[1];
    const size_t workspace_at = adds_up ? call->batch : 0;
    const workspace space = choose_workspace(call, room, workspace_at);
    clgrad_status status = clgrad_cl_reserve_sums(call->cl, space.numbers);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    const cl_mem scratch = call->cl->sum_scratch.memory;

    clgrad_cl_launch launches[2] = {clgrad_cl_begin(call->context, CLGRAD_CL_LOSS_CTC, NULL, "loss_ctc")};
    clgrad_cl_launch *sequences = &launches[0];
    clgrad_cl_give_count(sequences, call->time);
    clgrad_cl_give_count(sequences, call->batch);
    clgrad_cl_give_count(sequences, call->classes);
    clgrad_cl_give_count(sequences, room);
    clgrad_cl_give_count(sequences, space.kept);
    clgrad_cl_give_int(sequences, adds_up ? call->wants | WANT_VALUES : call->wants);
    clgrad_cl_give_int(sequences, call->loss->reduction == CLGRAD_REDUCTION_MEAN);
    clgrad_cl_give_real(sequences, call->term_scale);
    clgrad_cl_give_parameters(sequences, call->info->parameters, call->loss);
    clgrad_cl_give_tensor(sequences, call->inputs.prediction);
    clgrad_cl_give_tensor(sequences, call->inputs.target);
    clgrad_cl_give_tensor(sequences, call->inputs.input_lengths);
    clgrad_cl_give_tensor(sequences, call->inputs.target_lengths);
    if (adds_up)
        clgrad_cl_give_memory(sequences, scratch, 0);
    else
        clgrad_cl_give_tensor(sequences, call->value);
    clgrad_cl_give_tensor(sequences, call->dvalue);
    clgrad_cl_give_tensor(sequences, call->gradients.dprediction);
    clgrad_cl_give_real(sequences, call->total_scale);
    clgrad_cl_give_memory(sequences, scratch, workspace_at);
    clgrad_cl_give_memory(sequences, scratch, workspace_at + space.links_at);
    clgrad_cl_give_count(sequences, space.stride);
    clgrad_cl_give_fault(sequences);
    clgrad_cl_over_groups(sequences, call->batch);
    if (adds_up)
        launches[1] =
            clgrad_cl_prepare_total(call->context, scratch, call->batch, call->value, call->total_scale);
    return clgrad_cl_enqueue(launches, adds_up ? 2 : 1);
}
