/*
 * Random numbers against golden values, bit for bit the same on every device, and initializers by what is
 * known of their distributions.
 */
#include "harness.h"

#include "golden/random.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the numbers ---- */

static void uniform_numbers_are_the_golden_ones(clgrad_context *context)
{
    static const float bounds[][2] = {{0, 1}, {-2.5f, 7.25f}, {-1e-3f, 1e-3f}, {3, 3}, {-FLT_MAX, FLT_MAX}};
    for (size_t k = 0; k < COUNT(golden_randoms); k++)
        for (size_t b = 0; b < COUNT(bounds); b++) {
            const golden_random *g = &golden_randoms[k];
            const double low = bounds[b][0], high = bounds[b][1];
            clgrad_tensor tensor = vector_with(context, g->count, NULL);
            assert_ok(context,
                      clgrad_random_uniform(context, g->seed, g->stream, bounds[b][0], bounds[b][1], tensor));
            float *got = tensor_floats(context, tensor);
            for (size_t i = 0; i < g->count; i++) {
                const float expected = (float)(low + (high - low) * g->uniform[i]);
                if (got[i] != expected)
                    fail_msg("seed %llu, stream %llu: uniform number %zu in [%g, %g) is %.9g, not %.9g",
                             (unsigned long long)g->seed, (unsigned long long)g->stream, i, low, high,
                             (double)got[i], (double)expected);
                if (b == 0)
                    assert_true(got[i] == g->uniform[i] && got[i] < 1);
            }
            free(got);
            tensor_free(context, tensor);
        }
}

static void normal_numbers_are_the_golden_ones(clgrad_context *context)
{
    static const float moments[][2] = {{0, 1}, {3, 0.5f}, {-1e4f, 2}, {0, 1e-30f}, {2, 0}};
    for (size_t k = 0; k < COUNT(golden_randoms); k++)
        for (size_t m = 0; m < COUNT(moments); m++) {
            const golden_random *g = &golden_randoms[k];
            clgrad_tensor tensor = vector_with(context, g->count, NULL);
            assert_ok(context, clgrad_random_normal(context, g->seed, g->stream, moments[m][0], moments[m][1],
                                                    tensor));
            float *got = tensor_floats(context, tensor);
            for (size_t i = 0; i < g->count; i++) {
                const double expected = moments[m][0] + moments[m][1] * g->normal[i];
                if (!(ulp_distance(got[i], expected) <= 0.51))
                    fail_msg("seed %llu, stream %llu: normal number %zu of (%g, %g) is %.9g, not %.17g",
                             (unsigned long long)g->seed, (unsigned long long)g->stream, i,
                             (double)moments[m][0], (double)moments[m][1], (double)got[i], expected);
            }
            free(got);
            tensor_free(context, tensor);
        }
}

/*
 * The ends of the generator's range, by seeds whose first word is 0 or has all bits set (found by trying them
 * all): low is reached and high is not, and the logarithm in a normal number stays finite.
 */
static void the_smallest_and_the_largest_word(clgrad_context *context)
{
    const uint64_t zeros = 1836991927, ones = 1352247272;
    static const float bounds[][2] = {{0, 1}, {1, 2}, {-3, 5}, {1e-30f, 1}, {-FLT_MAX, FLT_MAX}};
    clgrad_tensor two = vector_with(context, 2, NULL);
    float got[2];
    for (size_t b = 0; b < COUNT(bounds); b++) {
        const float low = bounds[b][0], high = bounds[b][1];
        assert_ok(context, clgrad_random_uniform(context, zeros, 0, low, high, two));
        assert_ok(context, clgrad_tensor_read(context, two, got, sizeof got));
        assert_true(got[0] == low);
        assert_ok(context, clgrad_random_uniform(context, ones, 0, low, high, two));
        assert_ok(context, clgrad_tensor_read(context, two, got, sizeof got));
        assert_true(got[0] < high && got[0] >= high - ((double)high - low) * 0x1p-23);
    }

    /* u is in (0, 1], from 2^-32 on, and so the pair's radius is at most the root of -2 log 2^-32 */
    assert_ok(context, clgrad_random_normal(context, zeros, 0, 0, 1, two));
    assert_ok(context, clgrad_tensor_read(context, two, got, sizeof got));
    assert_true(is_close(hypot(got[0], got[1]), sqrt(64 * log(2)), 1e-6));
    assert_ok(context, clgrad_random_normal(context, ones, 0, 0, 1, two));
    assert_ok(context, clgrad_tensor_read(context, two, got, sizeof got));
    assert_true(got[0] == 0 && got[1] == 0);
    tensor_free(context, two);
}

/* What each call draws, as one function, for the tests that hold for all of them. */
enum { UNIFORM, NORMAL, HE_NORMAL, DRAWS };

static float *draw(clgrad_context *context, int what, uint64_t seed, uint64_t stream, size_t rows,
                   size_t columns)
{
    clgrad_tensor tensor = matrix_with(context, rows, columns, NULL);
    if (what == UNIFORM)
        assert_ok(context, clgrad_random_uniform(context, seed, stream, -1, 1, tensor));
    else if (what == NORMAL)
        assert_ok(context, clgrad_random_normal(context, seed, stream, 0, 1, tensor));
    else
        assert_ok(context,
                  clgrad_random_initialize(context, CLGRAD_INITIALIZER_HE_NORMAL, seed, stream, tensor));
    float *got = tensor_floats(context, tensor);
    tensor_free(context, tensor);
    return got;
}

static void every_device_gives_the_same_bits(clgrad_context *context)
{
    clgrad_context *reference = NULL;
    assert_int_equal(clgrad_context_create("reference", &reference, NULL), CLGRAD_STATUS_SUCCESS);
    static const size_t sizes[] = {0, 1, 63, 64, 65, 1000, 100003};
    for (int what = 0; what < DRAWS; what++)
        for (size_t s = 0; s < COUNT(sizes); s++) {
            float *here = draw(context, what, 11, 4, sizes[s], 1),
                  *there = draw(reference, what, 11, 4, sizes[s], 1);
            float *again = draw(context, what, 11, 4, sizes[s], 1);
            assert_same_floats(here, there, sizes[s]);
            assert_same_floats(here, again, sizes[s]);
            free(here);
            free(there);
            free(again);
        }
    clgrad_context_destroy(reference);
}

/* Seeds and streams that differ in any one of their words give other numbers, and seed and stream do not
 * commute. */
static void seeds_and_streams_differ(clgrad_context *context)
{
    static const uint64_t keys[][2] = {
        {1, 2}, {2, 1}, {1, 3}, {1, 2 + (UINT64_C(1) << 32)}, {1 + (UINT64_C(1) << 32), 2}, {0, 0},
    };
    enum { N = 64 };
    float *got[COUNT(keys)];
    for (int what = 0; what < NORMAL + 1; what++) {
        for (size_t k = 0; k < COUNT(keys); k++)
            got[k] = draw(context, what, keys[k][0], keys[k][1], N, 1);
        for (size_t a = 0; a < COUNT(keys); a++)
            for (size_t b = 0; b < a; b++) {
                size_t equal = 0;
                for (size_t i = 0; i < N; i++)
                    equal += got[a][i] == got[b][i];
                assert_true(equal <= 1);
            }
        for (size_t k = 0; k < COUNT(keys); k++)
            free(got[k]);
    }
}

/* A number depends on its position alone: a shorter tensor holds the beginning of a longer one. */
static void position_alone_decides(clgrad_context *context)
{
    for (int what = UNIFORM; what <= NORMAL; what++) {
        float *long_one = draw(context, what, 9, 1, 13, 1), *shaped = draw(context, what, 9, 1, 2, 6);
        assert_same_floats(shaped, long_one, 12);
        for (size_t n = 1; n < 13; n++) {
            float *short_one = draw(context, what, 9, 1, n, 1);
            assert_same_floats(short_one, long_one, n);
            free(short_one);
        }
        free(long_one);
        free(shaped);
    }
}

/* ---- initializers ---- */

enum { FAN_OUT = 400, FAN_IN = 300, WEIGHTS = FAN_OUT * FAN_IN };

static const struct {
    const char *name;
    int value;
    bool is_uniform;
    double variance;
} initializers[] = {
    {"xavier_uniform", 0, true, 2.0 / (FAN_IN + FAN_OUT)},
    {"xavier_normal", 1, false, 2.0 / (FAN_IN + FAN_OUT)},
    {"he_uniform", 2, true, 2.0 / FAN_IN},
    {"he_normal", 3, false, 2.0 / FAN_IN},
};

/* Philox 4x32-10 as its paper has it (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011). */
static uint32_t philox_word(uint64_t seed, uint64_t stream, uint64_t position)
{
    const uint64_t block = position / 4;
    uint32_t c[4] = {(uint32_t)block, (uint32_t)(block >> 32), (uint32_t)stream, (uint32_t)(stream >> 32)};
    uint32_t k[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int round = 0; round < 10; round++) {
        const uint64_t a = (uint64_t)c[0] * 0xd2511f53u, b = (uint64_t)c[2] * 0xcd9e8d57u;
        const uint32_t next[4] = {(uint32_t)(b >> 32) ^ c[1] ^ k[0], (uint32_t)b,
                                  (uint32_t)(a >> 32) ^ c[3] ^ k[1], (uint32_t)a};
        memcpy(c, next, sizeof c);
        k[0] += 0x9e3779b9u;
        k[1] += 0xbb67ae85u;
    }
    return c[position % 4];
}

/* A large tensor is drawn and written in parts, which must not show. */
static void large_tensors_are_one_sequence(clgrad_context *context)
{
    const size_t count = ((size_t)5 << 19) + 3;
    clgrad_tensor t = vector_with(context, count, NULL);
    assert_ok(context, clgrad_random_uniform(context, 0x123456789abcdef0u, 0xfedcba987u, 0, 1, t));
    float *numbers = tensor_floats(context, t);
    for (size_t i = 0; i < count; i++) {
        const float wanted = (float)(philox_word(0x123456789abcdef0u, 0xfedcba987u, i) >> 8) * 0x1p-24f;
        if (!(numbers[i] == wanted))
            fail_msg("number %zu is %.9g, it should be %.9g", i, (double)numbers[i], (double)wanted);
    }
    free(numbers);
    tensor_free(context, t);
}

static void each_initializer_has_its_name(clgrad_context *context)
{
    (void)context;
#define ROW(...) +1
    assert_int_equal(COUNT(initializers), CLGRAD_INITIALIZER_LIST(ROW));
#undef ROW
    for (size_t i = 0; i < COUNT(initializers); i++) {
        clgrad_initializer parsed = (clgrad_initializer)77;
        assert_true(clgrad_initializer_parse(initializers[i].name, &parsed));
        assert_int_equal(parsed, initializers[i].value);
        assert_string_equal(clgrad_initializer_name(parsed), initializers[i].name);
    }
    const char *names[] = {"He_normal", "he_normal ", "he", "", NULL};
    for (size_t i = 0; i < COUNT(names); i++) {
        clgrad_initializer parsed = (clgrad_initializer)77;
        assert_false(clgrad_initializer_parse(names[i], &parsed));
        assert_int_equal(parsed, 77);
    }
    assert_string_equal(clgrad_initializer_name((clgrad_initializer)COUNT(initializers)), "unknown");
    assert_string_equal(clgrad_initializer_name((clgrad_initializer)-1), "unknown");
}

/*
 * Mean, standard deviation, and the share within one deviation, each within five of its own deviations (the
 * fourth moment of a uniform number is 1.8 of its variance squared, of a normal one 3).
 */
static void initializers_have_their_distribution(clgrad_context *context)
{
    for (size_t k = 0; k < COUNT(initializers); k++) {
        const double std = sqrt(initializers[k].variance), kurtosis = initializers[k].is_uniform ? 1.8 : 3;
        const double inside_share = initializers[k].is_uniform ? 1 / sqrt(3) : erf(1 / sqrt(2));
        clgrad_tensor weight = matrix_with(context, FAN_OUT, FAN_IN, NULL);
        assert_ok(context, clgrad_random_initialize(context, (clgrad_initializer)initializers[k].value, 17, 5,
                                                    weight));
        float *w = tensor_floats(context, weight);
        double sum = 0, squares = 0, inside = 0, largest = 0;
        for (size_t i = 0; i < WEIGHTS; i++) {
            sum += w[i];
            squares += (double)w[i] * w[i];
            inside += fabsf(w[i]) < std;
            largest = fmax(largest, fabsf(w[i]));
        }
        const double bound = sqrt(3) * std * (1 + 0x1p-24);
        assert_true(fabs(sum / WEIGHTS) <= 5 * std / sqrt(WEIGHTS));
        assert_true(fabs(sqrt(squares / WEIGHTS) / std - 1) <= 5 * sqrt((kurtosis - 1) / (4.0 * WEIGHTS)));
        assert_true(fabs(inside / WEIGHTS - inside_share) <= 5 * sqrt(0.25 / WEIGHTS));
        if (initializers[k].is_uniform)
            assert_true(largest <= bound && largest > 0.999 * bound);
        else
            assert_true(largest > 3.5 * std && largest < 7 * std);
        free(w);
        tensor_free(context, weight);
    }
}

/* ---- refusals ---- */

#define REFUSED(call, status, part)                  \
    do {                                             \
        assert_refused(context, call, status, part); \
        assert_untouched(context, t);                \
    } while (0)
#define ALL_REFUSE(tensor, status, part)                                                                \
    do {                                                                                                \
        REFUSED(clgrad_random_uniform(context, 1, 2, 0, 1, tensor), status, part);                      \
        REFUSED(clgrad_random_normal(context, 1, 2, 0, 1, tensor), status, part);                       \
        REFUSED(clgrad_random_initialize(context, CLGRAD_INITIALIZER_HE_UNIFORM, 1, 2, tensor), status, \
                part);                                                                                  \
    } while (0)

static void bad_numbers_are_refused(clgrad_context *context)
{
    const clgrad_status status = CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_tensor t = matrix_with(context, 2, 3, NULL);
    REFUSED(clgrad_random_uniform(context, 1, 2, NAN, 1, t), status, "low is nan and high is 1");
    REFUSED(clgrad_random_uniform(context, 1, 2, 0, NAN, t), status, "low is 0 and high is nan");
    REFUSED(clgrad_random_uniform(context, 1, 2, -INFINITY, 1, t), status, "low is -inf and high is 1");
    REFUSED(clgrad_random_uniform(context, 1, 2, 0, INFINITY, t), status, "low is 0 and high is inf");
    REFUSED(clgrad_random_uniform(context, 1, 2, 2, 1, t), status, "low is 2 and high is 1");
    REFUSED(clgrad_random_normal(context, 1, 2, NAN, 1, t), status, "mean is nan and std is 1");
    REFUSED(clgrad_random_normal(context, 1, 2, INFINITY, 1, t), status, "mean is inf and std is 1");
    REFUSED(clgrad_random_normal(context, 1, 2, 0, NAN, t), status, "mean is 0 and std is nan");
    REFUSED(clgrad_random_normal(context, 1, 2, 0, INFINITY, t), status, "mean is 0 and std is inf");
    REFUSED(clgrad_random_normal(context, 1, 2, 0, -0.5f, t), status, "mean is 0 and std is -0.5");
    REFUSED(clgrad_random_initialize(context, (clgrad_initializer)99, 1, 2, t), status,
            "there is no initializer 99");
    assert_int_equal(clgrad_random_uniform(NULL, 1, 2, 0, 1, t), status);
    assert_int_equal(clgrad_random_normal(NULL, 1, 2, 0, 1, t), status);
    assert_int_equal(clgrad_random_initialize(NULL, CLGRAD_INITIALIZER_HE_NORMAL, 1, 2, t), status);
    tensor_free(context, t);
}

static void bad_tensors_are_refused(clgrad_context *context)
{
    clgrad_context *other = NULL;
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    clgrad_tensor t = matrix_with(context, 2, 3, NULL), foreign = matrix_with(other, 2, 3, NULL), bad;
    ALL_REFUSE(clgrad_tensor_none(), CLGRAD_STATUS_INVALID_ARGUMENT, " is absent");
    bad = t;
    bad.rank = -1;
    ALL_REFUSE(bad, CLGRAD_STATUS_INVALID_ARGUMENT, " has rank -1");
    bad = t;
    bad.type = CLGRAD_TYPE_INT32;
    ALL_REFUSE(bad, CLGRAD_STATUS_INVALID_TYPE, " is int32, it must be float32");
    bad = t;
    bad.offset = 11;
    ALL_REFUSE(bad, CLGRAD_STATUS_OUT_OF_RANGE,
               " has shape [2, 3] at offset 11, but its buffer holds 16 elements");
    ALL_REFUSE(foreign, CLGRAD_STATUS_INVALID_CONTEXT, " lies in a buffer of another context");
    assert_untouched(other, foreign);
    bad = clgrad_tensor_vector(t.buffer, t.offset, CLGRAD_TYPE_FLOAT32, 6);
    REFUSED(clgrad_random_initialize(context, CLGRAD_INITIALIZER_HE_NORMAL, 1, 2, bad),
            CLGRAD_STATUS_INVALID_SHAPE, "weight has shape [6], it must have 2 dimensions");
    tensor_free(context, t);
    tensor_free(other, foreign);
    clgrad_context_destroy(other);
}

int main(void)
{
    const test_case cases[] = {
        CASE(uniform_numbers_are_the_golden_ones),
        CASE(normal_numbers_are_the_golden_ones),
        CASE(the_smallest_and_the_largest_word),
        CASE(every_device_gives_the_same_bits),
        CASE(seeds_and_streams_differ),
        CASE(position_alone_decides),
        CASE(large_tensors_are_one_sequence),
        CASE(each_initializer_has_its_name),
        CASE(initializers_have_their_distribution),
        CASE(bad_numbers_are_refused),
        CASE(bad_tensors_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
