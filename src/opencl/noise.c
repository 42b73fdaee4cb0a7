#include "cl_backend.h"

#include <math.h>

/* A work-item takes a block of four elements. */
static clgrad_cl_launch begin(clgrad_context *context, const char *kernel, size_t n, uint64_t seed,
                              uint64_t stream)
{
    clgrad_cl_launch launch = clgrad_cl_begin(context, CLGRAD_CL_NOISE, NULL, kernel);
    clgrad_cl_give_count(&launch, n);
    clgrad_cl_give_words(&launch, seed);
    clgrad_cl_give_words(&launch, stream);
    clgrad_cl_over_elements(&launch, clgrad_cl_cover(n, 4));
    return launch;
}

static clgrad_status dropout(clgrad_context *context, float p, uint64_t seed, uint64_t stream,
                             clgrad_tensor x, clgrad_tensor y)
{
    clgrad_cl_launch launch = begin(context, "noise_dropout", clgrad_tensor_count(x), seed, stream);
    clgrad_cl_give_count(&launch, (size_t)rint((double)p * 0x1p32));
    clgrad_cl_give_real(&launch, p < 1 ? 1 / (1 - (double)p) : 0); /* with p = 1 nothing is left to scale */
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, y);
    return clgrad_cl_enqueue(&launch, 1);
}

static clgrad_status rrelu(clgrad_context *context, float lower, float upper, uint64_t seed, uint64_t stream,
                           clgrad_tensor x, clgrad_tensor times, clgrad_tensor out)
{
    clgrad_cl_launch launch = begin(context, "noise_rrelu", clgrad_tensor_count(x), seed, stream);
    clgrad_cl_give_real(&launch, lower);
    clgrad_cl_give_real(&launch, upper);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, times);
    clgrad_cl_give_tensor(&launch, out);
    return clgrad_cl_enqueue(&launch, 1);
}

const clgrad_noise_functions clgrad_cl_noise_functions = {.dropout = dropout, .rrelu = rrelu};
