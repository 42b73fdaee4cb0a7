/*
 * Dropout (Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, JMLR 15, 2014, section 10: weights
 * scaled up in training instead of down in evaluation) and RReLU in training (Xu, Wang, Chen, Li, "Empirical
 * evaluation of rectified activations in convolutional network", 2015, section 2.4, by slopes as in PyTorch).
 * The words are Random123's.
 */
#include "reference.h"

#include "../internal.h"

#include <Random123/philox.h>
#include <math.h>

/* The word of element i, as random.h counts: word i % 4 of block i / 4. */
static uint32_t word_of(uint64_t seed, uint64_t stream, uint64_t i)
{
    const uint64_t block = i / 4;
    philox4x32_ctr_t counter = {
        {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    return philox4x32(counter, key).v[i % 4];
}

void clgrad_ref_words(uint64_t seed, uint64_t stream, size_t count, uint32_t *words)
{
    for (size_t i = 0; i < count; i++)
        words[i] = word_of(seed, stream, i);
}

bool clgrad_ref_dropped(float p, uint32_t word)
{
    return word < rint(p * 0x1p32);
}

double clgrad_ref_rrelu_slope(float lower, float upper, uint32_t word)
{
    return lower + ((double)upper - lower) * (word >> 8) * 0x1p-24;
}

static clgrad_status noise_dropout(clgrad_context *context, float p, uint64_t seed, uint64_t stream,
                                   clgrad_tensor x, clgrad_tensor y)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *y64 = clgrad_ref_allocate(&arrays, y);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const size_t count = clgrad_tensor_count(x);
        for (size_t i = 0; i < count; i++)
            y64[i] = clgrad_ref_dropped(p, word_of(seed, stream, i)) ? 0 : x64[i] / (1 - (double)p);
        clgrad_ref_store(y64, y);
    }
    return clgrad_ref_arrays_free(&arrays);
}

/* times is x forward and dy backward. NaN among x stays; forward a slope of 0 has the limit 0 at -inf. */
static clgrad_status noise_rrelu(clgrad_context *context, float lower, float upper, uint64_t seed,
                                 uint64_t stream, clgrad_tensor x, clgrad_tensor times, clgrad_tensor out)
{
    clgrad_ref_arrays arrays = {.context = context};
    double *x64 = clgrad_ref_load(&arrays, x);
    double *times64 = clgrad_ref_load(&arrays, times);
    double *out64 = clgrad_ref_allocate(&arrays, out);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const size_t count = clgrad_tensor_count(x);
        for (size_t i = 0; i < count; i++) {
            const double slope = clgrad_ref_rrelu_slope(lower, upper, word_of(seed, stream, i));
            if (isnan(x64[i]))
                out64[i] = x64[i];
            else if (x64[i] > 0)
                out64[i] = times64[i];
            else
                out64[i] = slope == 0 && isinf(x64[i]) && times64[i] == x64[i] ? 0 : slope * times64[i];
        }
        clgrad_ref_store(out64, out);
    }
    return clgrad_ref_arrays_free(&arrays);
}

const clgrad_noise_functions clgrad_ref_noise_functions = {
    .dropout = noise_dropout,
    .rrelu = noise_rrelu,
};
