/*
 * Gradient clipping: PyTorch nn.utils.clip_grad_norm_ and clip_grad_value_.
 */
#include "reference.h"

#include "../internal.h"

#include <math.h>

/* The largest absolute value; NaN where there is one. */
static double largest(size_t count, const double *numbers)
{
    double result = 0;
    for (size_t i = 0; i < count; i++)
        if (!(fabs(numbers[i]) <= result) && !isnan(result))
            result = fabs(numbers[i]);
    return result;
}

/* (sum of |x|^p)^(1/p), as PyTorch linalg.vector_norm has it, of the numbers divided by the largest, so that
 * no power overflows or vanishes. */
double clgrad_ref_norm(double norm_type, size_t count, const double *numbers)
{
    const double scale = largest(count, numbers);
    if (isinf(norm_type) || isnan(scale) || isinf(scale) || scale == 0)
        return scale;
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += pow(fabs(numbers[i]) / scale, norm_type);
    return scale * pow(sum, 1 / norm_type);
}

static clgrad_status clip_norm(clgrad_context *context, float max_norm, float norm_type,
                               clgrad_tensor gradient, clgrad_tensor total_norm)
{
    const size_t count = clgrad_tensor_count(gradient);
    clgrad_ref_arrays arrays = {.context = context};
    double *gradient64 = clgrad_ref_load(&arrays, gradient);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const double norm = clgrad_ref_norm(norm_type, count, gradient64);
        const double factor = max_norm / (norm + 1e-6);
        if (!(factor >= 1)) /* NaN is not at least 1 */
            for (size_t i = 0; i < count; i++)
                gradient64[i] *= factor;
        clgrad_ref_store(gradient64, gradient);
        clgrad_ref_store(&norm, total_norm);
    }
    return clgrad_ref_arrays_free(&arrays);
}

static clgrad_status clip_value(clgrad_context *context, float value, clgrad_tensor gradient)
{
    const size_t count = clgrad_tensor_count(gradient);
    float *data = clgrad_ref_data(gradient);
    (void)context;
    for (size_t i = 0; i < count; i++) {
        if (data[i] > value)
            data[i] = value;
        if (data[i] < -value)
            data[i] = -value;
    }
    return CLGRAD_STATUS_SUCCESS;
}

const clgrad_clip_functions clgrad_ref_clip_functions = {
    .norm = clip_norm,
    .value = clip_value,
};
