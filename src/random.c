#include "check.h"

#include <Random123/philox.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    bool is_uniform;
} initializers[] = {
#define ROW(value, identifier, name, is_uniform, ...) [value] = {#name, is_uniform},
    CLGRAD_INITIALIZER_LIST(ROW)
#undef ROW
};

bool clgrad_initializer_exists(clgrad_initializer initializer)
{
    return (size_t)initializer < CLGRAD_INITIALIZER_COUNT;
}

const char *clgrad_initializer_name(clgrad_initializer initializer)
{
    return clgrad_initializer_exists(initializer) ? initializers[initializer].name : "unknown";
}

bool clgrad_initializer_parse(const char *name, clgrad_initializer *initializer)
{
    ptrdiff_t row = clgrad_find_name(name, initializers, CLGRAD_INITIALIZER_COUNT, sizeof initializers[0]);
    if (row >= 0)
        *initializer = (clgrad_initializer)row;
    return row >= 0;
}

/* The four words of one block of a stream. */
static philox4x32_ctr_t draw(uint64_t seed, uint64_t stream, uint64_t block)
{
    philox4x32_ctr_t counter = {
        {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)}};
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    return philox4x32(counter, key);
}

/* low + (high - low) u with u = k 2^-24 in [0, 1); rounding may reach high, which does not belong to it. */
static void make_uniform(const uint32_t words[4], double low, double high, float numbers[4])
{
    for (int i = 0; i < 4; i++) {
        const float number = (float)(low + (high - low) * (words[i] >> 8) * 0x1p-24);
        numbers[i] = number < high || low == high ? number : nextafterf((float)high, (float)low);
    }
}

/* Box and Muller: two normal numbers from two words, the first in (0, 1] so that its logarithm is finite. */
static void make_normal(const uint32_t words[4], double mean, double std, float numbers[4])
{
    const double pi = 3.14159265358979323846;
    for (int i = 0; i < 4; i += 2) {
        double radius = sqrt(-2 * log((words[i] + 1.0) * 0x1p-32));
        double angle = 2 * pi * words[i + 1] * 0x1p-32;
        numbers[i] = (float)(mean + std * radius * cos(angle));
        numbers[i + 1] = (float)(mean + std * radius * sin(angle));
    }
}

/* Numbers that are drawn before they are written, a multiple of 4: the host need not hold a whole tensor. */
enum { AT_A_TIME = 1 << 20 };

/* Drawn on the host, where the same C library gives every device the same bits. */
static clgrad_status write_random(clgrad_check *check, uint64_t seed, uint64_t stream,
                                  void (*make)(const uint32_t[4], double, double, float[4]), double first,
                                  double second, clgrad_tensor tensor)
{
    clgrad_check_tensor(check, "tensor", tensor, CLGRAD_TYPE_FLOAT32, CLGRAD_ANY_RANK);
    if (check->status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(tensor) == 0)
        return check->status;

    const size_t count = clgrad_tensor_count(tensor), most = count < AT_A_TIME ? count : AT_A_TIME;
    float *numbers = malloc(most * sizeof *numbers);
    if (numbers == NULL)
        return clgrad_fail(check->context, CLGRAD_STATUS_OUT_OF_MEMORY,
                           "%s: the host has no room for %zu numbers", check->call, most);
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    for (size_t from = 0; status == CLGRAD_STATUS_SUCCESS && from < count; from += most) {
        const size_t share = count - from < most ? count - from : most;
        for (size_t i = 0; i < share; i += 4) {
            float four[4];
            make(draw(seed, stream, (from + i) / 4).v, first, second, four);
            memcpy(numbers + i, four, (share - i < 4 ? share - i : 4) * sizeof *four);
        }
        const clgrad_tensor part =
            clgrad_tensor_vector(tensor.buffer, tensor.offset + from, CLGRAD_TYPE_FLOAT32, share);
        status = clgrad_tensor_write(check->context, part, numbers, share * sizeof *numbers);
    }
    free(numbers);
    return status;
}

clgrad_status clgrad_random_uniform(clgrad_context *context, uint64_t seed, uint64_t stream, float low,
                                    float high, clgrad_tensor tensor)
{
    clgrad_check check = clgrad_check_begin(context, "random_uniform");
    if (!(isfinite(low) && isfinite(high) && low <= high))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "low is %g and high is %g, they must be finite and in order", (double)low,
                          (double)high);
    return write_random(&check, seed, stream, make_uniform, low, high, tensor);
}

clgrad_status clgrad_random_normal(clgrad_context *context, uint64_t seed, uint64_t stream, float mean,
                                   float std, clgrad_tensor tensor)
{
    clgrad_check check = clgrad_check_begin(context, "random_normal");
    if (!(isfinite(mean) && isfinite(std) && std >= 0))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT,
                          "mean is %g and std is %g, they must be finite and std not below 0", (double)mean,
                          (double)std);
    return write_random(&check, seed, stream, make_normal, mean, std, tensor);
}

static double initial_std(clgrad_initializer initializer, double fan_in, double fan_out)
{
    switch (initializer) {
#define ROW(value, identifier, name, is_uniform, std, source) \
    case CLGRAD_INITIALIZER_##identifier:                     \
        return std;
        CLGRAD_INITIALIZER_LIST(ROW)
#undef ROW
    }
    return 0;
}

clgrad_status clgrad_random_initialize(clgrad_context *context, clgrad_initializer initializer, uint64_t seed,
                                       uint64_t stream, clgrad_tensor weight)
{
    clgrad_check check = clgrad_check_begin(context, "random_initialize");
    clgrad_check_tensor(&check, "weight", weight, CLGRAD_TYPE_FLOAT32, 2);
    if (!clgrad_initializer_exists(initializer))
        clgrad_check_fail(&check, CLGRAD_STATUS_INVALID_ARGUMENT, "there is no initializer %d",
                          (int)initializer);
    if (check.status != CLGRAD_STATUS_SUCCESS || clgrad_tensor_count(weight) == 0)
        return check.status;

    double std = initial_std(initializer, (double)weight.shape[1], (double)weight.shape[0]);
    if (initializers[initializer].is_uniform)
        return write_random(&check, seed, stream, make_uniform, -sqrt(3) * std, sqrt(3) * std, weight);
    return write_random(&check, seed, stream, make_normal, 0, std, weight);
}
