/*
 * Tensors beyond 2^31 elements and 8 GiB, on devices that have room for them: a kernel that counts in 32
 * bits, with a sign or without one, does not reach their ends. (Tensors that begin beyond 2^31: tests far_...
 * of tests/CMakeLists.txt.)
 *
 * A case that needs more memory than there is is left out, with a sentence. PoCL allows no allocation of more
 * than a part of the memory that it finds: HWLOC_SYNTHETIC tells it of more, as tests/CMakeLists.txt does.
 */
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Beyond 2^31 elements, and beyond 2^33 bytes. */
static const size_t huge = ((size_t)1 << 31) + 3;

/* Elements that a count in 31 or 32 bits, of elements or of bytes, takes for others or does not reach. */
static const size_t places[] = {0,
                                1,
                                ((size_t)1 << 30) - 1, /* of bytes, 2^32 */
                                (size_t)1 << 30,
                                ((size_t)1 << 30) + 1,
                                ((size_t)1 << 31) - 1,
                                (size_t)1 << 31,
                                ((size_t)1 << 31) + 2};

/* Of /proc/meminfo; 0 where that is not there. */
static size_t available_bytes(void)
{
    size_t kib = 0;
    char line[128];
    FILE *file = fopen("/proc/meminfo", "r");
    while (file != NULL && kib == 0 && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "MemAvailable: %zu", &kib) != 1)
            kib = 0;
    if (file != NULL)
        fclose(file);
    return kib * 1024;
}

/* Whether there is room for so many huge tensors and what else is needed; skipped where not. */
static void want_room_for(clgrad_context *context, size_t tensors, clgrad_tensor *first,
                          clgrad_tensor *second)
{
    const size_t wanted = tensors * huge * sizeof(float) + ((size_t)3 << 30), there = available_bytes();
    if (there < wanted) {
        printf("left out: it wants %zu bytes of memory, %zu are available\n", wanted, there);
        skip();
    }
    clgrad_tensor *created[] = {first, second};
    for (size_t i = 0; i < tensors; i++) {
        const clgrad_status status = clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, &huge, created[i]);
        if (status != CLGRAD_STATUS_SUCCESS && i > 0)
            clgrad_buffer_destroy(first->buffer);
        if (status == CLGRAD_STATUS_OUT_OF_DEVICE_MEMORY) {
            printf("left out: %s\n", clgrad_context_error(context));
            skip();
        }
        assert_ok(context, status);
    }
}

static float element(clgrad_context *context, clgrad_tensor tensor, size_t i)
{
    tensor.offset += i;
    tensor.rank = 0;
    return tensor_scalar_value(context, tensor);
}

static void set_element(clgrad_context *context, clgrad_tensor tensor, size_t i, float value)
{
    tensor.offset += i;
    tensor.rank = 0;
    assert_ok(context, clgrad_tensor_write(context, tensor, &value, sizeof value));
}

static void assert_element(clgrad_context *context, clgrad_tensor tensor, size_t i, double wanted)
{
    const float got = element(context, tensor, i);
    if (!is_close((double)got, wanted, 1e-6 * fabs(wanted)))
        fail_msg("element %zu is %.9g, it should be %.9g", i, (double)got, wanted);
}

static bool is_reference(const clgrad_context *context)
{
    return clgrad_context_device(context)->type == CLGRAD_DEVICE_REFERENCE;
}

/* Rows of two are gathered from the beginning and the end of the tensor. */
static void check_gather(clgrad_context *context, clgrad_tensor x)
{
    const int32_t rows[] = {1 << 30, 0, 1 << 29};
    clgrad_tensor source = x, indices = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){3}, rows);
    clgrad_tensor gathered = matrix_with(context, 3, 2, NULL);
    source.rank = 2;
    source.shape[0] = huge / 2;
    source.shape[1] = 2;
    assert_ok(context, clgrad_tensor_gather(context, source, indices, gathered));
    for (size_t i = 0; i < 6; i++)
        assert_element(context, gathered, i, element(context, x, 2 * (size_t)rows[i / 2] + i % 2));
    tensor_free(context, indices);
    tensor_free(context, gathered);
}

/* Moving data about: the reference too, which does all else in double precision and thrice the memory. */
static void data_moves(clgrad_context *context, clgrad_tensor x)
{
    assert_ok(context, clgrad_tensor_fill(context, x, 0.5));
    for (size_t i = 0; i < COUNT(places); i++)
        assert_element(context, x, places[i], 0.5);
    for (size_t i = 0; i < COUNT(places); i++)
        set_element(context, x, places[i], (float)i);
    for (size_t i = 0; i < COUNT(places); i++)
        assert_element(context, x, places[i], (double)i);
    check_gather(context, x);
    clgrad_tensor end = clgrad_tensor_rows(x, huge - 3, 3), middle = clgrad_tensor_rows(x, 1 << 30, 3);
    assert_ok(context, clgrad_tensor_copy(context, end, middle));
    assert_element(context, middle, 0, 6);
    assert_element(context, middle, 1, 0.5);
    assert_element(context, middle, 2, 7);
}

/* Every element is gone through, and a sum finds each. */
static void elements_are_all_reached(clgrad_context *context, clgrad_tensor x)
{
    const clgrad_activation leaky = clgrad_activation_defaults(CLGRAD_ACTIVATION_LEAKY_RELU);
    assert_ok(context, clgrad_tensor_fill(context, x, -2));
    for (size_t i = 0; i < COUNT(places); i++)
        set_element(context, x, places[i], (float)i - 4);
    assert_ok(context, clgrad_activation_forward(context, &leaky, x, x));
    for (size_t i = 0; i < COUNT(places); i++)
        assert_element(context, x, places[i], i < 4 ? ((double)i - 4) / 100 : (double)i - 4);
    assert_element(context, x, huge - 2, -0.02);

    assert_ok(context, clgrad_clip_grad_value(context, 1.0f / 128, x)); /* exact, and so are its squares */
    for (size_t i = 0; i < COUNT(places); i++)
        assert_element(context, x, places[i], i < 4 ? -1.0 / 128 : i == 4 ? 0 : 1.0 / 128);
    set_element(context, x, huge - 1, 1024);
    clgrad_tensor norm = scalar_with(context, NAN);
    assert_ok(context, clgrad_clip_grad_norm(context, 1e6f, 2, x, norm));
    assert_element(context, norm, 0, sqrt((double)(huge - 2) / 128 / 128 + 1024.0 * 1024));
    tensor_free(context, norm);
}

/* The loss of a prediction as its own target: - p log p - (1 - p) log(1 - p) each, 0 for p = 0. */
static void losses_add_up(clgrad_context *context, clgrad_tensor x)
{
    clgrad_loss bce = clgrad_loss_defaults(CLGRAD_LOSS_BCE);
    bce.reduction = CLGRAD_REDUCTION_SUM;
    const clgrad_loss_inputs inputs = {.prediction = x, .target = x};
    clgrad_tensor value = scalar_with(context, NAN);
    assert_ok(context, clgrad_tensor_fill(context, x, 0));
    for (size_t i = 0; i < COUNT(places); i++)
        set_element(context, x, places[i], 0.5f);
    assert_ok(context, clgrad_loss_evaluate(context, &bce, &inputs, clgrad_tensor_none(), value, NULL));
    assert_element(context, value, 0, (double)COUNT(places) * log(2));
    bce.reduction = CLGRAD_REDUCTION_MEAN;
    assert_ok(context, clgrad_loss_evaluate(context, &bce, &inputs, clgrad_tensor_none(), value, NULL));
    assert_element(context, value, 0, (double)COUNT(places) * log(2) / (double)huge);
    tensor_free(context, value);
}

/* Rows of three, the last of which ends at the last element. */
static void rows_are_all_reached(clgrad_context *context, clgrad_tensor x)
{
    assert_ok(context, clgrad_tensor_fill(context, x, 3));
    set_element(context, x, huge - 1, 3 + logf(2));
    clgrad_tensor rows = clgrad_tensor_matrix(x.buffer, huge % 3, huge / 3, 3);
    assert_ok(context, clgrad_softmax_forward(context, CLGRAD_SOFTMAX_SOFTMAX, rows, rows));
    assert_element(context, x, 0, huge % 3 > 0 ? 3 : 1.0 / 3);
    assert_element(context, x, (size_t)1 << 30, 1.0 / 3);
    assert_element(context, x, huge - 4, 1.0 / 3);
    assert_element(context, x, huge - 2, 0.25);
    assert_element(context, x, huge - 1, 0.5);
}

/* One after the other in one tensor, since a system takes its time to find so much memory. */
static void one_tensor(clgrad_context *context)
{
    clgrad_tensor x;
    want_room_for(context, 1, &x, NULL);
    data_moves(context, x);
    if (!is_reference(context)) {
        elements_are_all_reached(context, x);
        losses_add_up(context, x);
        rows_are_all_reached(context, x);
    }
    clgrad_buffer_destroy(x.buffer);
}

static void two_tensors(clgrad_context *context)
{
    clgrad_tensor w, gradient;
    if (is_reference(context))
        skip();
    want_room_for(context, 2, &w, &gradient);
    clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    sgd.lr = 0.25f;
    assert_ok(context, clgrad_tensor_fill(context, w, 1));
    assert_ok(context, clgrad_tensor_fill(context, gradient, 2));
    for (size_t i = 0; i < COUNT(places); i++)
        set_element(context, gradient, places[i], (float)i);
    assert_ok(context, clgrad_optimizer_step(context, &sgd, 1, gradient, w, clgrad_tensor_none()));
    for (size_t i = 0; i < COUNT(places); i++)
        assert_element(context, w, places[i], 1 - 0.25 * (double)i);
    assert_element(context, w, huge - 2, 0.5);
    assert_ok(context, clgrad_tensor_axpby(context, 2, gradient, -1, w));
    for (size_t i = 0; i < COUNT(places); i++)
        assert_element(context, w, places[i], 2.25 * (double)i - 1);

    const int32_t range[] = {7, 0};
    clgrad_tensor ranges = tensor_with(context, CLGRAD_TYPE_INT32, 2, (size_t[]){1, 2}, range);
    assert_refused(
        context, clgrad_optimizer_step_groups(context, &sgd, 1, ranges, 1, gradient, w, clgrad_tensor_none()),
        CLGRAD_STATUS_OUT_OF_RANGE, "2147483651");
    tensor_free(context, ranges);
    clgrad_buffer_destroy(w.buffer);
    clgrad_buffer_destroy(gradient.buffer);
}

int main(void)
{
    const test_case cases[] = {CASE(one_tensor), CASE(two_tensors)};
    return run_on_every_device(cases, COUNT(cases));
}
