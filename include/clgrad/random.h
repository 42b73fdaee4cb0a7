/**
 * @file random.h
 * Random numbers and weight initialisation. The numbers come from Philox4x32-10 (Salmon, Moraes, Dror,
 * Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011), a function of (seed, stream, position)
 * alone: the same arguments give the same numbers on every device, in any order of calls.
 *
 * Element i of a tensor is made from word i mod 4 of the block whose counter is (i / 4, stream) and whose
 * key is seed, low words first; normal numbers from two words by Box and Muller's method (1958).
 */
#ifndef CLGRAD_RANDOM_H
#define CLGRAD_RANDOM_H

#include <clgrad/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * @name Drawing
 * The calls wait until the numbers are written, and take up to 4 MiB of host memory. All return
 * SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor, a bound that is not finite or out of order, std below
 * 0); INVALID_TYPE (not float32); INVALID_SHAPE; INVALID_CONTEXT; OUT_OF_RANGE; OUT_OF_MEMORY;
 * OUT_OF_DEVICE_MEMORY; DEVICE_ERROR. So does clgrad_random_initialize.
 * @{
 */

/**
 * Uniform numbers in [low, high): low + (high - low) k 2^-24 rounded to float32, k an integer below 2^24; the
 * number next to high where rounding would reach it. low alone where the two are equal.
 */
CLGRAD_API clgrad_status clgrad_random_uniform(clgrad_context *context, uint64_t seed, uint64_t stream,
                                               float low, float high, clgrad_tensor tensor);

/**
 * Normal numbers of the given mean and standard deviation. They take a logarithm, a sine and a cosine in
 * double precision on the host: the same on every device, and with the same C library on every host.
 */
CLGRAD_API clgrad_status clgrad_random_normal(clgrad_context *context, uint64_t seed, uint64_t stream,
                                              float mean, float std, clgrad_tensor tensor);

/** @} */

/**
 * X(value, identifier, name, is_uniform, std, source): the standard deviation that each initialisation
 * draws with, as an expression over the doubles fan_in and fan_out; a uniform one draws from
 * [-sqrt(3) std, sqrt(3) std). Values never change; new rows are appended.
 */
#define CLGRAD_INITIALIZER_LIST(X)                                                                       \
    X(0, XAVIER_UNIFORM, xavier_uniform, true, sqrt(2.0 / (fan_in + fan_out)), "Glorot and Bengio 2010") \
    X(1, XAVIER_NORMAL, xavier_normal, false, sqrt(2.0 / (fan_in + fan_out)), "Glorot and Bengio 2010")  \
    X(2, HE_UNIFORM, he_uniform, true, sqrt(2.0 / fan_in), "He, Zhang, Ren, Sun 2015")                   \
    X(3, HE_NORMAL, he_normal, false, sqrt(2.0 / fan_in), "He, Zhang, Ren, Sun 2015")

/** How a weight begins: the list's rows. */
typedef enum clgrad_initializer {
#define CLGRAD_INITIALIZER_ENUM(value, identifier, ...) CLGRAD_INITIALIZER_##identifier = value,
    CLGRAD_INITIALIZER_LIST(CLGRAD_INITIALIZER_ENUM)
#undef CLGRAD_INITIALIZER_ENUM
} clgrad_initializer;

/** How many there are. */
enum {
#define CLGRAD_INITIALIZER_ONE(...) +1
    CLGRAD_INITIALIZER_COUNT = 0 CLGRAD_INITIALIZER_LIST(CLGRAD_INITIALIZER_ONE) /**< rows of the list */
#undef CLGRAD_INITIALIZER_ONE
};

/** The initialiser's name, "he_normal" say; "unknown" for a value not in the list. */
CLGRAD_API const char *clgrad_initializer_name(clgrad_initializer initializer);

/** Find an initialiser by its name. False, and initializer unchanged, when there is none. */
CLGRAD_API bool clgrad_initializer_parse(const char *name, clgrad_initializer *initializer);

/** Fill a weight [out, in] (fan_out, fan_in) with numbers that the initialiser draws. */
CLGRAD_API clgrad_status clgrad_random_initialize(clgrad_context *context, clgrad_initializer initializer,
                                                  uint64_t seed, uint64_t stream, clgrad_tensor weight);

#ifdef __cplusplus
}
#endif

#endif
