/*
 * The caller's own memory under clgrad's calls: without a copy, whole or in part, and given back as it was.
 */
#include "dense_oracle.h"
#include "opencl_caller.h"

#include <stdlib.h>
#include <string.h>

static clgrad_buffer *wrap(clgrad_context *context, cl_mem memory)
{
    clgrad_buffer *buffer = NULL;
    assert_ok(context, clgrad_opencl_buffer_create(context, memory, &buffer));
    return buffer;
}

/* ---- without a copy ---- */

static void memory_is_used_without_a_copy(const caller *c)
{
    const float x[] = {-2, -1, 0, 1, 2, 3}, y[] = {0, 0, 0, 1, 2, 3}, more[] = {-5, 5, -6, 6, -7, 7},
                clamped[] = {0, 5, 0, 6, 0, 7};
    const clgrad_activation relu = clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU);
    clgrad_context *context = open_on_queue(c->queue);
    cl_mem input = caller_memory(c, CL_MEM_READ_WRITE, sizeof x, x),
           output = caller_memory(c, 0, sizeof y, NULL);
    clgrad_buffer *in = wrap(context, input), *out = wrap(context, output);
    assert_int_equal(clgrad_buffer_bytes(in), sizeof x);
    assert_ptr_equal(clgrad_opencl_memory(in), input);
    const clgrad_tensor from = clgrad_tensor_vector(in, 0, CLGRAD_TYPE_FLOAT32, 6),
                        to = clgrad_tensor_vector(out, 0, CLGRAD_TYPE_FLOAT32, 6);

    /* the caller's read comes after it in the queue, so it needs no wait in between */
    assert_ok(context, clgrad_activation_forward(context, &relu, from, to));
    assert_memory_holds(c, output, 0, y, sizeof y);
    assert_memory_holds(c, input, 0, x, sizeof x);

    /* so does clgrad's call after the caller's write */
    assert_int_equal(clEnqueueWriteBuffer(c->queue, input, CL_FALSE, 0, sizeof more, more, 0, NULL, NULL),
                     CL_SUCCESS);
    assert_ok(context, clgrad_activation_forward(context, &relu, from, to));
    assert_memory_holds(c, output, 0, clamped, sizeof clamped);

    assert_ok(context, clgrad_tensor_fill(context, from, 1));
    assert_memory_holds(c, input, 0, ((const float[]){1, 1, 1, 1, 1, 1}), sizeof x);
    clgrad_buffer_destroy(in);
    clgrad_buffer_destroy(out);
    clgrad_context_destroy(context);
    clReleaseMemObject(input);
    clReleaseMemObject(output);
}

/* Memory around an array of the caller's is that array still. */
static void host_memory_is_used_in_place(const caller *c)
{
    static float numbers[64];
    for (size_t i = 0; i < 64; i++)
        numbers[i] = (float)i - 32;
    cl_int error = CL_SUCCESS;
    cl_mem memory = clCreateBuffer(c->context, CL_MEM_USE_HOST_PTR, sizeof numbers, numbers, &error);
    assert_int_equal(error, CL_SUCCESS);
    clgrad_context *context = open_on_queue(c->queue);
    clgrad_buffer *buffer = wrap(context, memory);
    const clgrad_tensor tensor = clgrad_tensor_vector(buffer, 0, CLGRAD_TYPE_FLOAT32, 64);
    const clgrad_activation relu = clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU);
    assert_ok(context, clgrad_activation_forward(context, &relu, tensor, tensor));
    clgrad_buffer_destroy(buffer);
    void *mapped =
        clEnqueueMapBuffer(c->queue, memory, CL_TRUE, CL_MAP_READ, 0, sizeof numbers, 0, NULL, NULL, &error);
    assert_ptr_equal(mapped, numbers);
    for (size_t i = 0; i < 64; i++)
        assert_true(numbers[i] == (i > 32 ? (float)i - 32 : 0));
    clEnqueueUnmapMemObject(c->queue, memory, mapped, 0, NULL, NULL);
    clFinish(c->queue);
    clgrad_context_destroy(context);
    clReleaseMemObject(memory);
}

/* ---- through a whole layer ---- */

/* What the operands of a small layer hold after both passes in buffers of clgrad's own. */
static void run_in_own_buffers(clgrad_context *context, layer l, void *contents[OPERANDS])
{
    clgrad_tensor o[OPERANDS];
    allocate_operands(context, l, o);
    assert_ok(context, forward(context, &l.activation, o));
    assert_ok(context, backward(context, &l.activation, o));
    for (int i = 0; i < OPERANDS; i++)
        contents[i] = tensor_contents(context, o[i]);
    free_operands(context, o);
}

/*
 * Every operand in a part of the caller's memory, with a lead inside of it: as a sub-buffer, or for those in
 * the mask in memory of its own. Nothing but the operands is written, and the values are as ever.
 */
static void check_parts(const caller *c, clgrad_context *context, layer l, unsigned apart,
                        void *const wanted[OPERANDS])
{
    cl_uint alignment = 0;
    clGetDeviceInfo(c->device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof alignment, &alignment, NULL);
    const size_t lead = 3, unit = alignment / 8 > 512 ? alignment / 8 : 512, whole = (OPERANDS + 1) * unit;
    unsigned char *mirror = allocate(whole, 1);
    memset(mirror, 0xff, whole); /* NaN */
    cl_mem parent = caller_memory(c, CL_MEM_READ_WRITE, whole, mirror), parts[OPERANDS];
    clgrad_tensor o[OPERANDS];
    (void)lay_out_operands(l, o);
    for (int i = 0; i < OPERANDS; i++) {
        cl_int error = CL_SUCCESS;
        const cl_buffer_region region = {(size_t)(i + 1) * unit, unit};
        assert_true((clgrad_tensor_count(o[i]) + lead) * sizeof(float) <= unit);
        if (apart & 1u << i)
            parts[i] = caller_memory(c, CL_MEM_READ_WRITE, unit, mirror);
        else
            parts[i] =
                clCreateSubBuffer(parent, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &error);
        assert_int_equal(error, CL_SUCCESS);
        o[i].buffer = wrap(context, parts[i]);
        o[i].offset = lead;
        assert_int_equal(clgrad_buffer_bytes(o[i].buffer), unit);
    }
    write_inputs(context, l, o);
    assert_ok(context, forward(context, &l.activation, o));
    assert_ok(context, backward(context, &l.activation, o));

    for (int i = 0; i < OPERANDS; i++) {
        const size_t bytes = clgrad_tensor_count(o[i]) * sizeof(float);
        assert_memory_holds(c, parts[i], lead * sizeof(float), wanted[i], bytes);
        if (!(apart & 1u << i))
            memcpy(mirror + (size_t)(i + 1) * unit + lead * sizeof(float), wanted[i], bytes);
        clgrad_buffer_destroy(o[i].buffer);
        assert_memory_count(parts[i], 1);
        clReleaseMemObject(parts[i]);
    }
    assert_memory_holds(c, parent, 0, mirror, whole);
    clReleaseMemObject(parent);
    free(mirror);
}

static void layer_in_parts_of_memory(const caller *c)
{
    clgrad_context *context = open_on_queue(c->queue);
    layer l = make_layer(clgrad_activation_defaults(CLGRAD_ACTIVATION_SIGMOID), (size_t[]){7, 5, 3}, true);
    void *wanted[OPERANDS];
    run_in_own_buffers(context, l, wanted);
    const unsigned all = (1u << OPERANDS) - 1,
                   products[] = {1u << X, 1u << WEIGHT, 1u << Z, 1u << DZ, 1u << DWEIGHT, 1u << DX};
    check_parts(c, context, l, 0, wanted);
    check_parts(c, context, l, all, wanted);
    for (size_t i = 0; i < COUNT(products); i++) {
        check_parts(c, context, l, products[i], wanted);
        check_parts(c, context, l, all & ~products[i], wanted);
    }
    for (int i = 0; i < OPERANDS; i++)
        free(wanted[i]);
    layer_free(l);
    clgrad_context_destroy(context);
}

/* ---- refusals ---- */

static void refuse_memory(clgrad_context *context, cl_mem memory, clgrad_status status, const char *part)
{
    const cl_uint before = memory != NULL ? memory_count(memory) : 0;
    clgrad_buffer *buffer = (clgrad_buffer *)&buffer;
    assert_refused(context, clgrad_opencl_buffer_create(context, memory, &buffer), status, part);
    assert_null(buffer);
    if (memory != NULL)
        assert_memory_count(memory, before);
}

static void other_memory_is_refused(const caller *c)
{
    const clgrad_status argument = CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_context *context = open_on_queue(c->queue), *reference = NULL;
    assert_int_equal(clgrad_context_create("reference", &reference, NULL), CLGRAD_STATUS_SUCCESS);
    cl_mem good = caller_memory(c, CL_MEM_READ_WRITE, 64, NULL);
    cl_mem read_only = caller_memory(c, CL_MEM_READ_ONLY, 64, NULL),
           write_only = caller_memory(c, CL_MEM_WRITE_ONLY, 64, NULL);
    refuse_memory(context, NULL, argument, "memory is NULL");
    refuse_memory(context, read_only, argument, "read-only");
    refuse_memory(context, write_only, argument, "write-only");
    refuse_memory(reference, good, CLGRAD_STATUS_INVALID_CONTEXT, "reference");
    assert_refused(context, clgrad_opencl_buffer_create(context, good, NULL), argument, "buffer is NULL");
    clgrad_buffer *buffer = (clgrad_buffer *)&buffer;
    assert_int_equal(clgrad_opencl_buffer_create(NULL, good, &buffer), argument);
    assert_null(buffer);

    cl_int error = CL_SUCCESS;
    cl_context elsewhere = clCreateContext(NULL, 1, &c->device, NULL, NULL, &error);
    assert_int_equal(error, CL_SUCCESS);
    cl_mem foreign = clCreateBuffer(elsewhere, CL_MEM_READ_WRITE, 64, NULL, &error);
    assert_int_equal(error, CL_SUCCESS);
    refuse_memory(context, foreign, CLGRAD_STATUS_INVALID_CONTEXT, "another cl_context");

    cl_bool has_images = CL_FALSE;
    clGetDeviceInfo(c->device, CL_DEVICE_IMAGE_SUPPORT, sizeof has_images, &has_images, NULL);
    if (has_images) {
        const cl_image_format format = {CL_RGBA, CL_FLOAT};
        const cl_image_desc description = {
            .image_type = CL_MEM_OBJECT_IMAGE2D, .image_width = 4, .image_height = 4};
        cl_mem image = clCreateImage(c->context, CL_MEM_READ_WRITE, &format, &description, NULL, &error);
        assert_int_equal(error, CL_SUCCESS);
        refuse_memory(context, image, argument, "not an OpenCL buffer");
        clReleaseMemObject(image);
    }
    clReleaseMemObject(good);
    clReleaseMemObject(read_only);
    clReleaseMemObject(write_only);
    clReleaseMemObject(foreign);
    clReleaseContext(elsewhere);
    clgrad_context_destroy(reference);
    clgrad_context_destroy(context);
}

/* The usual checks hold: the end of the memory, the context of a buffer, and overlaps, however they come
 * about. */
static void wrapped_memory_is_checked(const caller *c)
{
    const clgrad_activation tanh = clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH);
    clgrad_context *context = open_on_queue(c->queue), *other = open_on_queue(c->queue);
    cl_mem memory = caller_memory(c, CL_MEM_READ_WRITE, 64, NULL);
    clgrad_buffer *first = wrap(context, memory), *second = wrap(context, memory),
                  *theirs = wrap(other, memory);
    const clgrad_tensor low = clgrad_tensor_vector(first, 0, CLGRAD_TYPE_FLOAT32, 10);
    assert_refused(context,
                   clgrad_tensor_fill(context, clgrad_tensor_vector(first, 7, CLGRAD_TYPE_FLOAT32, 10), 0),
                   CLGRAD_STATUS_OUT_OF_RANGE, "holds 16 elements");
    assert_refused(context,
                   clgrad_tensor_fill(context, clgrad_tensor_vector(theirs, 0, CLGRAD_TYPE_FLOAT32, 10), 0),
                   CLGRAD_STATUS_INVALID_CONTEXT, "another context");
    assert_refused(context,
                   clgrad_activation_forward(context, &tanh, low,
                                             clgrad_tensor_vector(second, 3, CLGRAD_TYPE_FLOAT32, 10)),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "overlaps");
    assert_ok(context, clgrad_activation_forward(context, &tanh, low,
                                                 clgrad_tensor_vector(second, 0, CLGRAD_TYPE_FLOAT32, 10)));
    clgrad_buffer_destroy(first);
    clgrad_buffer_destroy(second);
    clgrad_buffer_destroy(theirs);
    clFinish(c->queue); /* what is enqueued holds it too */
    assert_memory_count(memory, 1);
    clReleaseMemObject(memory);
    clgrad_context_destroy(other);
    clgrad_context_destroy(context);
}

/* A part of a memory shares its bytes with the whole and with parts that begin elsewhere. */
static void overlap_of_parts_is_refused(const caller *c)
{
    cl_uint alignment = 0;
    clGetDeviceInfo(c->device, CL_DEVICE_MEM_BASE_ADDR_ALIGN, sizeof alignment, &alignment, NULL);
    const size_t unit = alignment / 8, count = unit / sizeof(float);
    const clgrad_activation tanh = clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH);
    clgrad_context *context = open_on_queue(c->queue);
    cl_mem parent = caller_memory(c, CL_MEM_READ_WRITE, 2 * unit, NULL);
    cl_int error = CL_SUCCESS;
    cl_mem part = clCreateSubBuffer(parent, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION,
                                    &(cl_buffer_region){unit, unit}, &error);
    assert_int_equal(error, CL_SUCCESS);
    clgrad_buffer *whole = wrap(context, parent), *half = wrap(context, part);
    const clgrad_tensor in_part = clgrad_tensor_vector(half, 0, CLGRAD_TYPE_FLOAT32, count),
                        apart = clgrad_tensor_vector(whole, 0, CLGRAD_TYPE_FLOAT32, count),
                        across = clgrad_tensor_vector(whole, 1, CLGRAD_TYPE_FLOAT32, count);
    assert_refused(context, clgrad_activation_forward(context, &tanh, in_part, across),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "overlaps");
    assert_refused(context, clgrad_activation_forward(context, &tanh, across, in_part),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "overlaps");
    assert_ok(context, clgrad_activation_forward(context, &tanh, in_part, apart));
    assert_ok(context, clgrad_activation_forward(context, &tanh, apart, in_part));
    assert_ok(context, clgrad_context_finish(context));
    clgrad_buffer_destroy(whole);
    clgrad_buffer_destroy(half);
    clReleaseMemObject(part);
    clReleaseMemObject(parent);
    clgrad_context_destroy(context);
}

/* ---- holding ---- */

/* A wrapped memory is held until its buffer is destroyed, before or after the context. */
static void counts_are_back_where_they_were(const caller *c)
{
    for (int context_first = 0; context_first < 2; context_first++) {
        const holds before = count_holds(c);
        const unsigned char bytes[64] = {0};
        cl_mem memory = caller_memory(c, CL_MEM_READ_WRITE, sizeof bytes, bytes);
        const holds with_memory = count_holds(c);
        clgrad_context *context = open_on_queue(c->queue);
        clgrad_buffer *buffer = wrap(context, memory), *again = wrap(context, memory);
        assert_memory_count(memory, 3);
        clgrad_buffer_destroy(again);
        assert_memory_count(memory, 2);
        assert_ok(context, clgrad_tensor_fill(context, clgrad_tensor_scalar(buffer, 3), 1));
        assert_ok(context, clgrad_context_finish(context)); /* what is enqueued holds it too */
        if (context_first) {
            clgrad_context_destroy(context);
            assert_memory_count(memory, 2);
        }
        clgrad_buffer_destroy(buffer);
        assert_memory_count(memory, 1);
        if (!context_first)
            clgrad_context_destroy(context);
        assert_holds_are(c, with_memory);
        clReleaseMemObject(memory);
        assert_holds_are(c, before);
    }
}

int main(void)
{
    const caller_case cases[] = {
        CASE(memory_is_used_without_a_copy),   CASE(host_memory_is_used_in_place),
        CASE(layer_in_parts_of_memory),        CASE(other_memory_is_refused),
        CASE(wrapped_memory_is_checked),       CASE(overlap_of_parts_is_refused),
        CASE(counts_are_back_where_they_were),
    };
    return run_for_every_caller(cases, COUNT(cases));
}
