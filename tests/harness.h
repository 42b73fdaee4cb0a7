/*
 * What the tests share: every test runs on every device there is, by name, with a context of its own kind.
 *
 *     static void relu_keeps_nan(clgrad_context *context) { ... }
 *     int main(void) { return run_on_every_device((test_case[]){CASE(relu_keeps_nan)}, 1); }
 *
 * CLGRAD_TEST_DEVICE restricts a run to one device ("reference", "opencl:0.0"). CLGRAD_TEST_SMALL keeps sizes
 * small, for runs under a slow interpreter of kernels. CLGRAD_TEST_OFFSET puts so many elements before every
 * tensor in its buffer, untouched, so that indices go beyond 32 bits where the tensors are small; devices
 * without so much memory are left out.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <clgrad/clgrad.h>

typedef struct test_case {
    const char *name;
    void (*run)(clgrad_context *context);
} test_case;

#define CASE(function)      \
    {                       \
#function, function \
    }
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Run each case on each device as "name [device]", and return cmocka's result. */
int run_on_every_device(const test_case *cases, size_t count);

/* Whether the run is to keep sizes small. */
bool test_small(void);

/* The call succeeds; its sentence is printed where it does not. */
#define assert_ok(context, call) assert_ok_at(context, call, #call, __FILE__, __LINE__)
void assert_ok_at(clgrad_context *context, clgrad_status status, const char *call, const char *file,
                  int line);

/* The call is refused with this status, and the context's sentence contains part. */
#define assert_refused(context, call, status, part) \
    assert_refused_at(context, call, status, part, #call, __FILE__, __LINE__)
void assert_refused_at(clgrad_context *context, clgrad_status got, clgrad_status wanted, const char *part,
                       const char *call, const char *file, int line);

/*
 * A tensor in a buffer of its own, at a ragged offset and with guard elements around it, so that a kernel
 * that writes outside shows. Contents from data, or NaN (for int32 a large negative number) where data is
 * NULL.
 */
clgrad_tensor tensor_with(clgrad_context *context, clgrad_type type, int rank, const size_t *shape,
                          const void *data);
clgrad_tensor vector_with(clgrad_context *context, size_t count, const float *data);
clgrad_tensor matrix_with(clgrad_context *context, size_t rows, size_t columns, const float *data);
clgrad_tensor scalar_with(clgrad_context *context, float value);

/* Check the guards and free the buffer. */
void tensor_free(clgrad_context *context, clgrad_tensor tensor);

/* The contents, freed by the caller with free(). */
float *tensor_floats(clgrad_context *context, clgrad_tensor tensor);
float tensor_scalar_value(clgrad_context *context, clgrad_tensor tensor);

/* malloc that cannot fail in a test. */
void *allocate(size_t count, size_t size);

/*
 * The distance between a float32 and an exact value, in units in the last place of the exact value's float32
 * neighbourhood (of the smallest normal number's below it). NaN against NaN and equal infinities are 0 apart;
 * NaN or an infinity against anything else is infinitely far.
 */
double ulp_distance(float got, double exact);

/* |got - exact| <= tolerance, or both NaN, or the same infinity. Written so that NaN never passes by
 * accident. */
bool is_close(double got, double exact, double tolerance);

/* Whether the device keeps denormals; where it does not, a result below the smallest normal number may be 0.
 */
bool keeps_denormals(clgrad_context *context);

/* Ordinary numbers for inputs, a function of the seed and the position alone: normal with the given spread.
 */
void fill_normal(float *numbers, size_t count, uint64_t seed, double spread);

/* ---- arrays ---- */

/* The same numbers in double precision, freed by the caller with free(). */
double *widen(const float *numbers, size_t count);

/* Each got[i] is within tolerance[i] of exact[i], as is_close has it; the first that is not is printed. */
#define assert_all_close(what, got, exact, tolerance, count) \
    assert_all_close_at(what, got, exact, tolerance, count, __FILE__, __LINE__)
void assert_all_close_at(const char *what, const float *got, const double *exact, const double *tolerance,
                         size_t count, const char *file, int line);

/* A tensor's bytes, freed by the caller with free(), and that a tensor still holds such bytes. */
void *tensor_contents(clgrad_context *context, clgrad_tensor tensor);
#define assert_contents(context, tensor, contents) \
    assert_contents_at(context, tensor, contents, #tensor, __FILE__, __LINE__)
void assert_contents_at(clgrad_context *context, clgrad_tensor tensor, const void *contents, const char *what,
                        const char *file, int line);

/* Set a descriptor's parameters from numbers in the order of its list's row, as golden values have them. */
void set_parameters(const clgrad_parameter *parameters, void *descriptor, const float *values);

/* The tensor still holds what tensor_with puts there where data is NULL: nothing has written to it. */
#define assert_untouched(context, tensor) assert_untouched_at(context, tensor, #tensor, __FILE__, __LINE__)
void assert_untouched_at(clgrad_context *context, clgrad_tensor tensor, const char *name, const char *file,
                         int line);

/* The same bits in both arrays; one NaN is as good as another. */
#define assert_same_floats(got, expected, count) \
    assert_same_floats_at(got, expected, count, #got, __FILE__, __LINE__)
void assert_same_floats_at(const float *got, const float *expected, size_t count, const char *name,
                           const char *file, int line);

/* A float32 tensor holds these numbers, as assert_same_floats has it. */
#define assert_holds(context, tensor, numbers) \
    assert_holds_at(context, tensor, numbers, #tensor, __FILE__, __LINE__)
void assert_holds_at(clgrad_context *context, clgrad_tensor tensor, const float *numbers, const char *name,
                     const char *file, int line);

/* Every parameter has a name and an interval, and the descriptor holds the default, which lies in it. */
void assert_parameters_default(const clgrad_parameter *parameters, const void *descriptor);

#endif
