/*
 * Wherever a dense layer's operands lie, and however often it runs, the bits are the same. What they should
 * be is test_dense.c's matter.
 */
#include "dense_oracle.h"
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void run_layer(clgrad_context *context, layer l, const clgrad_tensor o[OPERANDS])
{
    write_inputs(context, l, o);
    assert_ok(context, forward(context, &l.activation, o));
    assert_ok(context, backward(context, &l.activation, o));
}

/* Both passes with every operand in a buffer of its own, guarded; what the operands hold then. */
static void run_apart(clgrad_context *context, layer l, void *contents[OPERANDS])
{
    clgrad_tensor o[OPERANDS];
    allocate_operands(context, l, o);
    run_layer(context, l, o);
    for (int i = 0; i < OPERANDS; i++)
        contents[i] = tensor_contents(context, o[i]);
    free_operands(context, o);
}

static void free_contents(void *contents[OPERANDS])
{
    for (int i = 0; i < OPERANDS; i++)
        free(contents[i]);
}

/* ---- the same bits, wherever the operands lie ---- */

static void same_bits_when_repeated(clgrad_context *context)
{
    const size_t shapes[][3] = {{7, 5, 3}, {64, 784, 128}, {257, 10, 33}, {1, 300, 10}};
    for (size_t s = 0; s < (test_small() ? 1 : COUNT(shapes)); s++) {
        layer l = make_layer(clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH), shapes[s], true);
        void *first[OPERANDS], *again[OPERANDS];
        run_apart(context, l, first);
        for (int repetition = 0; repetition < 5; repetition++) {
            run_apart(context, l, again);
            for (int i = 0; i < OPERANDS; i++)
                assert_memory_equal(again[i], first[i], 4 * clgrad_tensor_count(describe_operand(l, i)));
            free_contents(again);
        }
        free_contents(first);
        layer_free(l);
    }
}

/* Where the list says so, the output stands in for the pre-activation. */
static void output_stands_in_for_z(clgrad_context *context)
{
    const float slopes[] = {0, 0.01f, 2, -0.5f};
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++)
        for (size_t s = 0; s < COUNT(slopes); s++) {
            clgrad_activation activation = clgrad_activation_defaults((clgrad_activation_kind)kind);
            activation.negative_slope = slopes[s];
            if (!clgrad_activation_from_output(&activation))
                continue;
            layer l = make_layer(activation, (size_t[]){9, 6, 35}, true);
            void *apart[OPERANDS];
            run_apart(context, l, apart);
            clgrad_tensor o[OPERANDS];
            clgrad_buffer *buffer;
            assert_ok(context,
                      clgrad_buffer_create(context, lay_out_operands(l, o) * sizeof(float), &buffer));
            for (int i = 0; i < OPERANDS; i++)
                o[i].buffer = buffer;
            o[Z] = o[H];
            run_layer(context, l, o);
            for (int i = 0; i < OPERANDS; i++)
                if (i != Z)
                    assert_contents(context, o[i], apart[i]);
            clgrad_buffer_destroy(buffer);
            free_contents(apart);
            layer_free(l);
        }
}

/* One placing: each operand in one of three buffers, which are created in an order of their own. */
static void check_placing(clgrad_context *context, layer l, const size_t placing[OPERANDS],
                          const size_t order[3], void *const wanted[OPERANDS])
{
    clgrad_tensor o[OPERANDS], all[3];
    const size_t size = lay_out_operands(l, o);
    float *mirror = allocate(size, sizeof *mirror);
    for (size_t i = 0; i < 3; i++) {
        assert_ok(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, &size, &all[order[i]]));
        assert_ok(context, clgrad_tensor_fill(context, all[order[i]], (double)NAN));
    }
    for (int i = 0; i < OPERANDS; i++)
        o[i].buffer = all[placing[i]].buffer;
    run_layer(context, l, o);
    for (size_t b = 0; b < 3; b++) { /* the operands in it, and NaN between them */
        const float nan = NAN;
        for (size_t i = 0; i < size; i++)
            mirror[i] = nan;
        for (int i = 0; i < OPERANDS; i++)
            if (placing[i] == b)
                memcpy(mirror + o[i].offset, wanted[i], clgrad_tensor_count(o[i]) * sizeof *mirror);
        assert_contents(context, all[b], mirror);
        clgrad_buffer_destroy(all[b].buffer);
    }
    free(mirror);
}

/* What the matrix products read and write in every combination of up to three buffers. */
static void operands_in_any_buffers(clgrad_context *context)
{
    enum { BUFFERS = 3, PLACINGS = 3 * 3 * 3 * 3 * 3 * 3 };
    const size_t orders[][BUFFERS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const int multiplied[] = {X, WEIGHT, Z, DZ, DWEIGHT, DX};
    layer l = make_layer(clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH), (size_t[]){7, 5, 3}, true);
    void *wanted[OPERANDS];
    run_apart(context, l, wanted);
    for (size_t p = 0; p < PLACINGS; p += test_small() ? 61 : 1) {
        size_t placing[OPERANDS], digits = p;
        for (int i = 0; i < OPERANDS; i++)
            placing[i] = (p + (size_t)i) % BUFFERS;
        for (size_t i = 0; i < COUNT(multiplied); i++) {
            placing[multiplied[i]] = digits % BUFFERS;
            digits /= BUFFERS;
        }
        check_placing(context, l, placing, orders[p * 5 / 7 % COUNT(orders)], wanted);
    }
    free_contents(wanted);
    layer_free(l);
}

/* Every buffer is destroyed, and its memory taken by others, while the layer may still be running. */
static void buffers_outlive_enqueued_work(clgrad_context *context)
{
    const size_t side = test_small() ? 8 : 300;
    layer l =
        make_layer(clgrad_activation_defaults(CLGRAD_ACTIVATION_SIGMOID), (size_t[]){side, side, side}, true);
    void *wanted[OPERANDS];
    run_apart(context, l, wanted);

    clgrad_tensor o[OPERANDS], results[OPERANDS], rubbish[OPERANDS];
    for (int i = 0; i < OPERANDS; i++) {
        const clgrad_tensor shape = describe_operand(l, i);
        assert_ok(context,
                  clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, shape.rank, shape.shape, &o[i]));
        results[i] = tensor_with(context, CLGRAD_TYPE_FLOAT32, shape.rank, shape.shape, NULL);
    }
    run_layer(context, l, o);
    for (int i = 0; i < OPERANDS; i++)
        assert_ok(context, clgrad_tensor_copy(context, o[i], results[i]));
    for (int i = 0; i < OPERANDS; i++)
        clgrad_buffer_destroy(o[i].buffer);
    for (int i = 0; i < OPERANDS; i++) {
        assert_ok(context,
                  clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, o[i].rank, o[i].shape, &rubbish[i]));
        assert_ok(context, clgrad_tensor_fill(context, rubbish[i], -1));
    }
    for (int i = 0; i < OPERANDS; i++) {
        assert_contents(context, results[i], wanted[i]);
        tensor_free(context, results[i]);
        clgrad_buffer_destroy(rubbish[i].buffer);
    }
    free_contents(wanted);
    layer_free(l);
}

int main(void)
{
    const test_case cases[] = {
        CASE(same_bits_when_repeated),
        CASE(output_stands_in_for_z),
        CASE(operands_in_any_buffers),
        CASE(buffers_outlive_enqueued_work),
    };
    return run_on_every_device(cases, COUNT(cases));
}
