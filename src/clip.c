#include "check.h"

#include <float.h>
#include <math.h>

clgrad_status clgrad_clip_grad_norm(clgrad_context *context, float max_norm, float norm_type,
                                    clgrad_tensor gradient, clgrad_tensor total_norm)
{
    clgrad_check check = clgrad_check_begin(context, "clip_grad_norm");
    if (!(max_norm >= 0 && max_norm <= FLT_MAX))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "max_norm is %g, it must lie between 0 and %g", (double)max_norm, (double)FLT_MAX);
    if (!(norm_type > 0))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "norm_type is %g, it must be above 0 (infinity for the largest element)",
                          (double)norm_type);
    clgrad_check_tensor(&check, "gradient", gradient, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    if (clgrad_present(total_norm)) {
        clgrad_check_scalar(&check, "total_norm", total_norm);
        clgrad_check_apart(&check, "total_norm", total_norm, "gradient", gradient);
    }
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    if (clgrad_tensor_count(gradient) > 0)
        return context->backend->clip->norm(context, max_norm, norm_type, gradient, total_norm);
    return clgrad_present(total_norm) ? context->backend->tensor->fill(context, total_norm, 0)
                                      : CLGRAD_STATUS_SUCCESS;
}

clgrad_status clgrad_clip_grad_value(clgrad_context *context, float clip_value, clgrad_tensor gradient)
{
    clgrad_check check = clgrad_check_begin(context, "clip_grad_value");
    if (!(clip_value >= 0 && clip_value <= FLT_MAX))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "clip_value is %g, it must lie between 0 and %g", (double)clip_value,
                          (double)FLT_MAX);
    clgrad_check_tensor(&check, "gradient", gradient, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(gradient) == 0)
        return check.status;
    return context->backend->clip->value(context, clip_value, gradient);
}
