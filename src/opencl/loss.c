#include "cl_loss.h"

#include <math.h>

static void choose_sizes(clgrad_cl_loss_call *call)
{
    const clgrad_tensor prediction = call->inputs.prediction;
    switch (call->info->extent) {
    case CLGRAD_LOSS_ELEMENT:
    case CLGRAD_LOSS_WHOLE:
        call->terms = clgrad_tensor_count(prediction);
        break;
    case CLGRAD_LOSS_ROW:
    case CLGRAD_LOSS_CHANNEL:
        call->batch = prediction.shape[0];
        call->classes = prediction.shape[1];
        call->inner = 1;
        for (int i = 2; i < prediction.rank; i++)
            call->inner *= prediction.shape[i];
        call->terms = call->batch * call->inner;
        break;
    case CLGRAD_LOSS_SEQUENCE:
        call->time = prediction.shape[0];
        call->batch = prediction.shape[1];
        call->classes = prediction.shape[2];
        call->terms = call->batch;
        break;
    }
}

static void choose_scales(clgrad_cl_loss_call *call)
{
    call->term_scale = call->total_scale = 1;
    size_t divisor = 1;
    if (call->loss->reduction == CLGRAD_REDUCTION_MEAN)
        divisor = call->terms;
    else if (call->loss->reduction == CLGRAD_REDUCTION_BATCHMEAN)
        divisor = call->inputs.prediction.rank > 0 ? call->inputs.prediction.shape[0] : 1;
    int exponent = 0;
    while (ldexp(1, exponent) < (double)divisor)
        exponent++;
    call->term_scale = ldexp(1, -exponent);
    call->total_scale = ldexp(1, exponent) / (double)divisor;
}

static void choose_wants(clgrad_cl_loss_call *call)
{
    const bool unreduced =
        call->loss->reduction == CLGRAD_REDUCTION_NONE && call->info->extent != CLGRAD_LOSS_WHOLE;
    if (clgrad_present(call->value))
        call->wants |= unreduced ? WANT_VALUES : WANT_TOTAL;
    if (clgrad_present(call->dvalue))
        call->wants |= unreduced ? UPSTREAM_EACH : UPSTREAM_ONE;
    if (clgrad_present(call->gradients.dprediction))
        call->wants |= WANT_GRADIENT;
    if (clgrad_present(call->gradients.dtarget))
        call->wants |= WANT_DTARGET;
    if (clgrad_present(call->gradients.dother))
        call->wants |= WANT_DOTHER;
}

static clgrad_status evaluate(clgrad_context *context, const clgrad_loss *loss,
                              const clgrad_loss_inputs *inputs, clgrad_tensor dvalue, clgrad_tensor value,
                              const clgrad_loss_gradients *gradients)
{
    clgrad_cl_loss_call call = {.context = context,
                                .cl = clgrad_cl(context),
                                .loss = loss,
                                .info = clgrad_loss_describe(loss->kind),
                                .inputs = *inputs,
                                .dvalue = dvalue,
                                .value = value,
                                .gradients = *gradients};
    choose_sizes(&call);
    choose_scales(&call);
    choose_wants(&call);
    switch (call.info->extent) {
    case CLGRAD_LOSS_ELEMENT:
        return clgrad_cl_loss_elements(&call);
    case CLGRAD_LOSS_ROW:
        return clgrad_cl_loss_rows(&call);
    case CLGRAD_LOSS_CHANNEL:
        return clgrad_cl_loss_channels(&call);
    case CLGRAD_LOSS_SEQUENCE:
        return clgrad_cl_loss_sequences(&call);
    case CLGRAD_LOSS_WHOLE:
        return clgrad_cl_loss_whole(&call);
    }
    return CLGRAD_STATUS_SUCCESS;
}

const clgrad_loss_functions clgrad_cl_loss_functions = {.evaluate = evaluate};
