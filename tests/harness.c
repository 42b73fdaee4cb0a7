#include "harness.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEVICES 16
#define GUARDS ((size_t)5)

/* How many elements lie before a tensor's guards, untouched. */
static size_t elements_before(void)
{
    const char *offset = getenv("CLGRAD_TEST_OFFSET");
    return offset != NULL ? (size_t)strtoull(offset, NULL, 10) : 0;
}

/* ---- running ---- */

typedef struct bound_case {
    test_case test;
    clgrad_context *context;
} bound_case;

static void run_bound_case(void **state)
{
    const bound_case *bound = *state;
    bound->test.run(bound->context);
    assert_ok(bound->context, clgrad_context_finish(bound->context));
}

/* Of the memory that a device says it has, a case takes less than 64 tensors so far behind the beginning. */
static bool has_room(const clgrad_device *device)
{
    const uint64_t wanted = 64 * sizeof(float) * (uint64_t)elements_before();
    if (device->type == CLGRAD_DEVICE_REFERENCE || device->memory >= wanted)
        return true;
    printf("device %s is left out: it has %llu bytes of memory, CLGRAD_TEST_OFFSET wants %llu\n",
           device->specification, (unsigned long long)device->memory, (unsigned long long)wanted);
    return false;
}

int run_on_every_device(const test_case *cases, size_t count)
{
    clgrad_device devices[MAX_DEVICES];
    size_t device_count = 0;
    const char *only = getenv("CLGRAD_TEST_DEVICE");
    if (clgrad_device_list(devices, MAX_DEVICES, &device_count) != CLGRAD_STATUS_SUCCESS)
        return 1;
    device_count = device_count < MAX_DEVICES ? device_count : MAX_DEVICES;

    int failures = 0, ran = 0;
    for (size_t d = 0; d < device_count; d++) {
        if ((only != NULL && strcmp(only, devices[d].specification) != 0) || !has_room(&devices[d]))
            continue;
        clgrad_context *context;
        clgrad_message message;
        if (clgrad_context_create(devices[d].specification, &context, &message) != CLGRAD_STATUS_SUCCESS) {
            printf("cannot open %s: %s\n", devices[d].specification, message.text);
            return 1;
        }
        printf("device %s: %s (%s)\n", devices[d].specification, devices[d].name, devices[d].driver);
        bound_case *bound = allocate(count, sizeof *bound);
        struct CMUnitTest *tests = allocate(count, sizeof *tests);
        char(*names)[128] = allocate(count, sizeof *names);
        for (size_t i = 0; i < count; i++) {
            bound[i] = (bound_case){cases[i], context};
            snprintf(names[i], sizeof names[i], "%.80s [%.40s]", cases[i].name, devices[d].specification);
            tests[i] = (struct CMUnitTest){names[i], run_bound_case, NULL, NULL, &bound[i]};
        }
        failures += _cmocka_run_group_tests(devices[d].specification, tests, count, NULL, NULL);
        ran++;
        clgrad_context_destroy(context);
        free(bound);
        free(tests);
        free(names);
    }
    if (ran == 0)
        printf("no device is %s\n", only != NULL ? only : "there");
    return failures + (ran == 0);
}

bool test_small(void)
{
    return getenv("CLGRAD_TEST_SMALL") != NULL;
}

void assert_ok_at(clgrad_context *context, clgrad_status status, const char *call, const char *file, int line)
{
    if (status == CLGRAD_STATUS_SUCCESS)
        return;
    print_error("%s: %s: %s\n", call, clgrad_status_name(status), clgrad_context_error(context));
    _fail(file, line);
}

void assert_refused_at(clgrad_context *context, clgrad_status got, clgrad_status wanted, const char *part,
                       const char *call, const char *file, int line)
{
    if (got == wanted && strstr(clgrad_context_error(context), part) != NULL)
        return;
    print_error("%s: got %s \"%s\", wanted %s with \"%s\"\n", call, clgrad_status_name(got),
                clgrad_context_error(context), clgrad_status_name(wanted), part);
    _fail(file, line);
}

/* ---- tensors ---- */

static const uint32_t guard_pattern = 0x7fc0babe; /* a NaN, and a large int32 */

/*
 * The guards of a buffer: NaN of a payload of its own, since a kernel that goes too far carries its input's
 * guard, NaN like this one, to its output's.
 */
static uint32_t buffer_guard(const clgrad_buffer *buffer)
{
    return 0x7fc00000 | ((uint32_t)((uintptr_t)buffer >> 4) * 0x9e3779b1u >> 10);
}

void *allocate(size_t count, size_t size)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL)
        fail_msg("the host is out of memory");
    return memory;
}

clgrad_tensor tensor_with(clgrad_context *context, clgrad_type type, int rank, const size_t *shape,
                          const void *data)
{
    const size_t before = elements_before();
    clgrad_tensor tensor = {.type = type, .rank = rank, .offset = before + GUARDS};
    if (rank > 0)
        memcpy(tensor.shape, shape, (size_t)rank * sizeof *shape);
    const size_t count = clgrad_tensor_count(tensor), all = count + 2 * GUARDS;
    uint32_t *words = allocate(all, sizeof *words);
    assert_ok(context, clgrad_buffer_create(context, (before + all) * sizeof *words, &tensor.buffer));
    for (size_t i = 0; i < all; i++)
        words[i] = i < GUARDS || i >= GUARDS + count ? buffer_guard(tensor.buffer) : guard_pattern;
    if (data != NULL && count > 0)
        memcpy(words + GUARDS, data, count * sizeof *words);
    clgrad_tensor whole = clgrad_tensor_vector(tensor.buffer, before, CLGRAD_TYPE_INT32, all);
    assert_ok(context, clgrad_tensor_write(context, whole, words, all * sizeof *words));
    free(words);
    return tensor;
}

clgrad_tensor vector_with(clgrad_context *context, size_t count, const float *data)
{
    return tensor_with(context, CLGRAD_TYPE_FLOAT32, 1, &count, data);
}

clgrad_tensor matrix_with(clgrad_context *context, size_t rows, size_t columns, const float *data)
{
    return tensor_with(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){rows, columns}, data);
}

clgrad_tensor scalar_with(clgrad_context *context, float value)
{
    return tensor_with(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &value);
}

void tensor_free(clgrad_context *context, clgrad_tensor tensor)
{
    if (tensor.buffer == NULL)
        return;
    const size_t before = elements_before();
    const size_t all = clgrad_buffer_bytes(tensor.buffer) / sizeof(uint32_t) - before;
    uint32_t *words = allocate(all, sizeof *words);
    clgrad_tensor whole = clgrad_tensor_vector(tensor.buffer, before, CLGRAD_TYPE_INT32, all);
    assert_ok(context, clgrad_tensor_read(context, whole, words, all * sizeof *words));
    for (size_t i = 0; i < GUARDS; i++) {
        assert_int_equal(words[i], buffer_guard(tensor.buffer));
        assert_int_equal(words[all - 1 - i], buffer_guard(tensor.buffer));
    }
    free(words);
    clgrad_buffer_destroy(tensor.buffer);
}

float *tensor_floats(clgrad_context *context, clgrad_tensor tensor)
{
    const size_t count = clgrad_tensor_count(tensor);
    float *numbers = allocate(count, sizeof *numbers);
    assert_ok(context, clgrad_tensor_read(context, tensor, numbers, count * sizeof *numbers));
    return numbers;
}

float tensor_scalar_value(clgrad_context *context, clgrad_tensor tensor)
{
    float number;
    assert_ok(context, clgrad_tensor_read(context, tensor, &number, sizeof number));
    return number;
}

/* ---- comparing ---- */

double ulp_distance(float got, double exact)
{
    if (isnan(got) || isnan(exact))
        return isnan(got) && isnan(exact) ? 0 : INFINITY;
    const float nearest = (float)exact; /* an exact value beyond FLT_MAX is infinite in float32 */
    if (isinf(got) || isinf(nearest))
        return got == nearest ? 0 : INFINITY;
    int exponent;
    frexp(fabs(exact) > FLT_MIN ? exact : FLT_MIN, &exponent);
    return fabs(got - exact) / ldexp(1, exponent - FLT_MANT_DIG);
}

bool is_close(double got, double exact, double tolerance)
{
    if (isnan(got) || isnan(exact))
        return isnan(got) && isnan(exact);
    if (isinf(got) || isinf(exact))
        return got == exact;
    return fabs(got - exact) <= tolerance;
}

bool keeps_denormals(clgrad_context *context)
{
    /* Half of the smallest normal number, through a kernel: leaky_relu with slope 0.5. */
    clgrad_activation half = clgrad_activation_defaults(CLGRAD_ACTIVATION_LEAKY_RELU);
    half.negative_slope = 0.5f;
    clgrad_tensor x = scalar_with(context, -FLT_MIN);
    assert_ok(context, clgrad_activation_forward(context, &half, x, x));
    const float result = tensor_scalar_value(context, x);
    tensor_free(context, x);
    return result != 0;
}

void fill_normal(float *numbers, size_t count, uint64_t seed, double spread)
{
    /* splitmix64 (Steele, Lea, Flood 2014), and a sum of twelve uniform numbers: near enough to normal for
     * inputs */
    uint64_t state = seed;
    for (size_t i = 0; i < count; i++) {
        double sum = -6;
        for (int k = 0; k < 12; k++) {
            uint64_t z = state += 0x9e3779b97f4a7c15u;
            z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
            z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
            sum += (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
        }
        numbers[i] = (float)(spread * sum);
    }
}

/* ---- arrays ---- */

double *widen(const float *numbers, size_t count)
{
    double *wide = allocate(count, sizeof *wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = numbers[i];
    return wide;
}

void assert_all_close_at(const char *what, const float *got, const double *exact, const double *tolerance,
                         size_t count, const char *file, int line)
{
    for (size_t i = 0; i < count; i++)
        if (!is_close(got[i], exact[i], tolerance[i])) {
            print_error("%s[%zu] is %.9g, the exact value %.17g, the tolerance %.3g\n", what, i, got[i],
                        exact[i], tolerance[i]);
            _fail(file, line);
        }
}

void *tensor_contents(clgrad_context *context, clgrad_tensor tensor)
{
    const size_t bytes = clgrad_tensor_count(tensor) * clgrad_type_size(tensor.type);
    void *contents = allocate(bytes, 1);
    assert_ok(context, clgrad_tensor_read(context, tensor, contents, bytes));
    return contents;
}

void assert_contents_at(clgrad_context *context, clgrad_tensor tensor, const void *contents, const char *what,
                        const char *file, int line)
{
    const size_t bytes = clgrad_tensor_count(tensor) * clgrad_type_size(tensor.type);
    void *now = tensor_contents(context, tensor);
    const bool same = memcmp(now, contents, bytes) == 0;
    free(now);
    if (!same) {
        print_error("%s has changed, or is not what it should be\n", what);
        _fail(file, line);
    }
}

void set_parameters(const clgrad_parameter *parameters, void *descriptor, const float *values)
{
    for (size_t i = 0; parameters[i].name != NULL; i++)
        if (!clgrad_parameter_set(&parameters[i], descriptor, values[i]))
            fail_msg("%s cannot be %g", parameters[i].name, (double)values[i]);
}

void assert_untouched_at(clgrad_context *context, clgrad_tensor tensor, const char *name, const char *file,
                         int line)
{
    const size_t count = clgrad_tensor_count(tensor);
    uint32_t *words = allocate(count, sizeof *words);
    assert_ok_at(context, clgrad_tensor_read(context, tensor, words, count * sizeof *words), name, file,
                 line);
    for (size_t i = 0; i < count; i++)
        if (words[i] != guard_pattern) {
            print_error("%s: element %zu has been written to: 0x%08x\n", name, i, (unsigned)words[i]);
            _fail(file, line);
        }
    free(words);
}

void assert_same_floats_at(const float *got, const float *expected, size_t count, const char *name,
                           const char *file, int line)
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(&got[i], &expected[i], sizeof *got) != 0 && !(isnan(got[i]) && isnan(expected[i]))) {
            print_error("%s[%zu] is %a (%.9g), not %a (%.9g)\n", name, i, (double)got[i], (double)got[i],
                        (double)expected[i], (double)expected[i]);
            _fail(file, line);
        }
}

void assert_holds_at(clgrad_context *context, clgrad_tensor tensor, const float *numbers, const char *name,
                     const char *file, int line)
{
    const size_t count = clgrad_tensor_count(tensor);
    float *got = allocate(count, sizeof *got);
    assert_ok_at(context, clgrad_tensor_read(context, tensor, got, count * sizeof *got), name, file, line);
    assert_same_floats_at(got, numbers, count, name, file, line);
    free(got);
}

void assert_parameters_default(const clgrad_parameter *parameters, const void *descriptor)
{
    size_t count = 0;
    for (const clgrad_parameter *p = parameters; p->name != NULL; p++, count++) {
        const float value = clgrad_parameter_get(p, descriptor);
        assert_true(strlen(p->name) > 0);
        assert_true(value == p->default_value);
        assert_true(p->minimum <= value && value <= p->maximum);
        assert_true(p->type != CLGRAD_PARAMETER_FLAG || (p->minimum == 0 && p->maximum == 1));
        assert_true(p->type != CLGRAD_PARAMETER_INTEGER || (p->minimum >= -0x1p24f && p->maximum <= 0x1p24f));
    }
    assert_true(count <= CLGRAD_PARAMETER_MAX);
}
