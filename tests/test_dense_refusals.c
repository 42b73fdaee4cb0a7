/*
 * What a dense layer refuses: each refusal has its status, a sentence with the actual values, and leaves
 * every operand as it was.
 */
#include "dense_oracle.h"
#include "harness.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[OPERANDS] = {"x",  "weight", "bias",    "z",     "h",
                                            "dh", "dz",     "dweight", "dbias", "dx"};

/* A layer of 4 rows, 3 inputs and 5 outputs in one buffer, which no refused call may change. */
typedef struct setting {
    clgrad_context *context;
    clgrad_tensor all, o[OPERANDS];
    clgrad_activation activation;
    void *before;
    layer l;
} setting;

static setting set_up(clgrad_context *context)
{
    setting s = {.context = context, .activation = clgrad_activation_defaults(CLGRAD_ACTIVATION_LEAKY_RELU)};
    s.l = make_layer(s.activation, (size_t[]){4, 3, 5}, true);
    const size_t gap = 32, size = lay_out_operands(s.l, s.o) + (OPERANDS + 1) * gap;
    assert_ok(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, &size, &s.all));
    assert_ok(context, clgrad_tensor_fill(context, s.all, (double)NAN));
    for (int i = 0; i < OPERANDS; i++) { /* so far apart that one moved onto another touches no third */
        s.o[i].buffer = s.all.buffer;
        s.o[i].offset += (size_t)i * gap;
    }
    write_inputs(context, s.l, s.o);
    s.before = tensor_contents(context, s.all);
    return s;
}

static void tear_down(setting s)
{
    assert_contents(s.context, s.all, s.before);
    clgrad_buffer_destroy(s.all.buffer);
    free(s.before);
    layer_free(s.l);
}

static bool takes(bool is_backward, int operand)
{
    return is_backward ? operand != BIAS && operand != H : operand <= H;
}

/* A call with another tensor in an operand's place. */
static void refuse_by(const setting *s, bool is_backward, int operand, clgrad_tensor replacement,
                      clgrad_status status, const char *part)
{
    clgrad_status (*call)(clgrad_context *, const clgrad_activation *, const clgrad_tensor *) =
        is_backward ? backward : forward;
    clgrad_tensor o[OPERANDS];
    memcpy(o, s->o, sizeof o);
    o[operand] = replacement;
    assert_refused(s->context, call(s->context, &s->activation, o), status, part);
    assert_refused(s->context, call(s->context, &s->activation, o), status,
                   is_backward ? "dense_backward: " : "dense_forward: ");
}

/* Both calls, as far as they take the operand. */
static void refuse(const setting *s, int operand, clgrad_tensor replacement, clgrad_status status,
                   const char *part)
{
    for (int is_backward = 0; is_backward < 2; is_backward++)
        if (takes(is_backward, operand))
            refuse_by(s, is_backward, operand, replacement, status, part);
}

static void bad_operands(clgrad_context *context)
{
    setting s = set_up(context);
    clgrad_context *other = NULL;
    assert_int_equal(clgrad_context_create("reference", &other, NULL), CLGRAD_STATUS_SUCCESS);
    clgrad_buffer *foreign;
    assert_ok(other, clgrad_buffer_create(other, 4096, &foreign));
    for (int i = 0; i < OPERANDS; i++) {
        char part[32]; /* the operand is the first thing that the sentence names */
        snprintf(part, sizeof part, ": %s ", names[i]);
        clgrad_tensor t = s.o[i];
        if (i != BIAS && i != DBIAS && i != DX)
            refuse(&s, i, clgrad_tensor_none(), CLGRAD_STATUS_INVALID_ARGUMENT, part);
        t.type = CLGRAD_TYPE_INT32;
        refuse(&s, i, t, CLGRAD_STATUS_INVALID_TYPE, part);
        t = s.o[i];
        t.offset = SIZE_MAX;
        refuse(&s, i, t, CLGRAD_STATUS_OUT_OF_RANGE, part);
        t.offset = s.all.shape[0] - clgrad_tensor_count(t) + 1;
        refuse(&s, i, t, CLGRAD_STATUS_OUT_OF_RANGE, part);
        t = s.o[i];
        t.buffer = foreign;
        refuse(&s, i, t, CLGRAD_STATUS_INVALID_CONTEXT, part);
        t = s.o[i];
        t.rank = 3 - t.rank; /* a vector for a matrix, a matrix for a vector */
        refuse(&s, i, t, CLGRAD_STATUS_INVALID_SHAPE, part);
        t = s.o[i];
        t.shape[t.rank++] = 1;
        refuse(&s, i, t, CLGRAD_STATUS_INVALID_SHAPE, part);
    }
    clgrad_buffer_destroy(foreign);
    clgrad_context_destroy(other);
    tear_down(s);
}

static void shapes_that_do_not_fit(clgrad_context *context)
{
    setting s = set_up(context);
    const clgrad_status shape = CLGRAD_STATUS_INVALID_SHAPE;
    clgrad_tensor narrow_x = s.o[X], narrow_weight = s.o[WEIGHT];
    narrow_x.shape[1] = narrow_weight.shape[1] = 2;
    refuse(&s, X, narrow_x, shape, "x has 2 columns, but weight has 3");
    refuse(&s, WEIGHT, narrow_weight, shape, "x has 3 columns, but weight has 2");
    refuse(&s, X, clgrad_tensor_rows(s.o[X], 0, 3), shape, "z has shape [4, 5], it must have shape [3, 5]");
    refuse(&s, WEIGHT, clgrad_tensor_rows(s.o[WEIGHT], 0, 4), shape, "it must have shape [4");

    const struct {
        int operand;
        const char *part;
    } rows[] = {{BIAS, "bias has shape [4], it must have shape [5]"},
                {Z, "z has shape [3, 5], it must have shape [4, 5]"},
                {H, "h has shape [3, 5], it must have shape [4, 5]"},
                {DH, "dh has shape [3, 5], it must have shape [4, 5]"},
                {DZ, "dz has shape [3, 5], it must have shape [4, 5]"},
                {DWEIGHT, "dweight has shape [4, 3], it must have shape [5, 3]"},
                {DBIAS, "dbias has shape [4], it must have shape [5]"},
                {DX, "dx has shape [3, 3], it must have shape [4, 3]"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        const clgrad_tensor t = s.o[rows[i].operand];
        refuse(&s, rows[i].operand, clgrad_tensor_rows(t, 0, t.shape[0] - 1), shape, rows[i].part);
        clgrad_tensor turned = t;
        turned.shape[0] = t.shape[1];
        turned.shape[1] = t.shape[0];
        if (t.rank == 2)
            refuse(&s, rows[i].operand, turned, shape, names[rows[i].operand]);
    }
    tear_down(s);
}

/* Put an output on an operand, first on the same element, then with its first element on the other's last. */
static void refuse_overlap(const setting *s, bool is_backward, int output, int operand, bool on_the_same)
{
    clgrad_tensor moved = s->o[output];
    const size_t begin = s->o[operand].offset, end = begin + clgrad_tensor_count(s->o[operand]);
    char part[64];
    snprintf(part, sizeof part, "%s overlaps %s", names[output], names[operand]);
    if (on_the_same) {
        moved.offset = begin;
        refuse_by(s, is_backward, output, moved, CLGRAD_STATUS_INVALID_ARGUMENT, part);
    }
    moved.offset = end - 1;
    refuse_by(s, is_backward, output, moved, CLGRAD_STATUS_INVALID_ARGUMENT, part);
}

static void overlaps(clgrad_context *context)
{
    setting s = set_up(context);
    const int forward_pairs[][2] = {{Z, X}, {Z, WEIGHT}, {Z, BIAS}, {H, X}, {H, WEIGHT}, {H, BIAS}};
    const int backward_pairs[][2] = {{DZ, X},          {DZ, WEIGHT},  {DWEIGHT, X},  {DWEIGHT, WEIGHT},
                                     {DWEIGHT, Z},     {DWEIGHT, DH}, {DWEIGHT, DZ}, {DBIAS, X},
                                     {DBIAS, WEIGHT},  {DBIAS, Z},    {DBIAS, DH},   {DBIAS, DZ},
                                     {DBIAS, DWEIGHT}, {DX, X},       {DX, WEIGHT},  {DX, Z},
                                     {DX, DH},         {DX, DZ},      {DX, DWEIGHT}, {DX, DBIAS}};
    for (size_t i = 0; i < COUNT(forward_pairs); i++)
        refuse_overlap(&s, false, forward_pairs[i][0], forward_pairs[i][1], true);
    for (size_t i = 0; i < COUNT(backward_pairs); i++)
        refuse_overlap(&s, true, backward_pairs[i][0], backward_pairs[i][1], true);
    refuse_overlap(&s, false, H, Z, false);
    refuse_overlap(&s, true, DZ, Z, false);
    refuse_overlap(&s, true, DZ, DH, false);
    tear_down(s);
}

static void bad_activations(clgrad_context *context)
{
    setting s = set_up(context);
    const clgrad_activation relu = clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU);
    clgrad_activation unknown = relu, steep = s.activation, undefined = s.activation;
    unknown.kind = (clgrad_activation_kind)99;
    steep.negative_slope = INFINITY;
    undefined.negative_slope = NAN;
    const struct {
        const clgrad_activation *activation;
        const char *part;
    } rows[] = {{NULL, "activation is NULL"},
                {&unknown, "99"},
                {&steep, "negative_slope"},
                {&undefined, "negative_slope"}};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_refused(context, forward(context, rows[i].activation, s.o), CLGRAD_STATUS_INVALID_ARGUMENT,
                       rows[i].part);
        assert_refused(context, backward(context, rows[i].activation, s.o), CLGRAD_STATUS_INVALID_ARGUMENT,
                       rows[i].part);
    }
    assert_int_equal(forward(NULL, &relu, s.o), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_int_equal(backward(NULL, &relu, s.o), CLGRAD_STATUS_INVALID_ARGUMENT);
    tear_down(s);
}

int main(void)
{
    const test_case cases[] = {
        CASE(bad_operands),
        CASE(shapes_that_do_not_fit),
        CASE(overlaps),
        CASE(bad_activations),
    };
    return run_on_every_device(cases, COUNT(cases));
}
