/* setenv is POSIX's */
#define _POSIX_C_SOURCE 200809L

#include "harness.h"

#include "golden/dense.h"
#include "opencl/opencl.h"
#include "reference/reference.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half a unit in the last place of 1, dense.h's u. */
static const double u = 0x1p-24;

/* Added to every tolerance: what becomes of terms that a device flushes, denormals times numbers below 10. */
static const double flushed = 1e-30;

/* The operands of one layer in host memory; bias may be NULL. */
typedef struct layer {
    clgrad_activation activation;
    size_t batch, in, out;
    float *x, *weight, *bias, *dh;
} layer;

static float *draw(size_t count, uint64_t seed, double spread)
{
    float *numbers = allocate(count, sizeof *numbers);
    fill_normal(numbers, count, seed, spread);
    return numbers;
}

static layer make_layer(clgrad_activation activation, const size_t sizes[3], bool has_bias)
{
    const size_t batch = sizes[0], in = sizes[1], out = sizes[2];
    return (layer){activation,
                   batch,
                   in,
                   out,
                   draw(batch * in, 1, 1),
                   draw(out * in, 2, 1 / sqrt((double)in + 1)),
                   has_bias ? draw(out, 3, 1) : NULL,
                   draw(batch * out, 4, 1)};
}

static void layer_free(layer l)
{
    free(l.x);
    free(l.weight);
    free(l.bias);
    free(l.dh);
}

static double *widen_magnitudes(const float *numbers, size_t count)
{
    double *wide = widen(numbers, count);
    for (size_t i = 0; i < count; i++)
        wide[i] = fabs(wide[i]);
    return wide;
}

static double *doubles(size_t count)
{
    return allocate(count, sizeof(double));
}

/* values[i] = factor * |values[i]| + flushed: sums of magnitudes become tolerances */
static void scale(double *values, size_t count, double factor)
{
    for (size_t i = 0; i < count; i++)
        values[i] = factor * fabs(values[i]) + flushed;
}

/* ---- what should come out ---- */

/* The exact pre-activation, and how far from it dense.h lets a device be. */
typedef struct forward_oracle {
    double *z, *tolerance;
} forward_oracle;

static forward_oracle exact_forward(layer l)
{
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    const size_t count = l.batch * l.out;
    forward_oracle o = {doubles(count), doubles(count)};
    double *h = doubles(count);
    for (int magnitudes = 0; magnitudes < 2; magnitudes++) {
        double *(*load)(const float *, size_t) = magnitudes ? widen_magnitudes : widen;
        double *x = load(l.x, l.batch * l.in), *weight = load(l.weight, l.out * l.in);
        double *bias = l.bias != NULL ? load(l.bias, l.out) : NULL;
        clgrad_ref_dense_forward(&identity, l.batch, l.in, l.out, x, weight, bias,
                                 magnitudes ? o.tolerance : o.z, h);
        free(x);
        free(weight);
        free(bias);
    }
    scale(o.tolerance, count, (double)(l.in + 4) * u);
    free(h);
    return o;
}

/* The exact gradients for a pre-activation of float32 numbers, and their tolerances. */
typedef struct gradients {
    double *dz, *dweight, *dbias, *dx;
} gradients;

typedef struct backward_oracle {
    float *z;
    gradients exact, tolerance;
} backward_oracle;

static gradients allocate_gradients(layer l)
{
    return (gradients){doubles(l.batch * l.out), doubles(l.out * l.in), doubles(l.out), doubles(l.batch * l.in)};
}

static void gradients_free(gradients g)
{
    free(g.dz);
    free(g.dweight);
    free(g.dbias);
    free(g.dx);
}

static backward_oracle exact_backward(layer l)
{
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    const size_t count = l.batch * l.out;
    backward_oracle o = {allocate(count, sizeof(float)), allocate_gradients(l), allocate_gradients(l)};
    forward_oracle forward = exact_forward(l);
    for (size_t i = 0; i < count; i++)
        o.z[i] = (float)forward.z[i];

    double *x = widen(l.x, l.batch * l.in), *weight = widen(l.weight, l.out * l.in);
    double *z = widen(o.z, count), *dh = widen(l.dh, count);
    clgrad_ref_dense_backward(&l.activation, l.batch, l.in, l.out, x, weight, z, dh, o.exact.dz,
                              o.exact.dweight, o.exact.dbias, o.exact.dx);
    free(x);
    free(weight);

    /* the same sums over magnitudes; dh stands for dz, as the identity's derivative is 1 */
    x = widen_magnitudes(l.x, l.batch * l.in);
    weight = widen_magnitudes(l.weight, l.out * l.in);
    for (size_t i = 0; i < count; i++)
        dh[i] = fabs(o.exact.dz[i]);
    clgrad_ref_dense_backward(&identity, l.batch, l.in, l.out, x, weight, z, dh, o.tolerance.dz,
                              o.tolerance.dweight, o.tolerance.dbias, o.tolerance.dx);
    free(x);
    free(weight);
    free(z);
    free(dh);
    free(forward.z);
    free(forward.tolerance);

    /* dz itself: f' is off by so many units in the last place, 2 u at most; the product is rounded */
    const double of_dz = 2 * (double)clgrad_activation_describe(l.activation.kind)->backward_ulp + 1;
    scale(o.tolerance.dz, count, of_dz * u);
    scale(o.tolerance.dweight, l.out * l.in, ((double)(l.batch + 4) + of_dz) * u);
    scale(o.tolerance.dbias, l.out, ((double)(l.batch + 4) + of_dz) * u);
    scale(o.tolerance.dx, l.batch * l.in, ((double)(l.out + 4) + of_dz) * u);
    return o;
}

static void backward_oracle_free(backward_oracle o)
{
    free(o.z);
    gradients_free(o.exact);
    gradients_free(o.tolerance);
}

/* ---- checking a device against it ---- */

/* A layer's inputs on the device. */
typedef struct inputs {
    clgrad_tensor x, weight, bias, dh;
} inputs;

static inputs upload(clgrad_context *context, layer l)
{
    return (inputs){matrix_with(context, l.batch, l.in, l.x), matrix_with(context, l.out, l.in, l.weight),
                    l.bias != NULL ? vector_with(context, l.out, l.bias) : clgrad_tensor_none(),
                    matrix_with(context, l.batch, l.out, l.dh)};
}

/* Check on the way that nothing has written to them. */
static void inputs_free(clgrad_context *context, inputs d, layer l)
{
    assert_contents(context, d.x, l.x);
    assert_contents(context, d.weight, l.weight);
    if (l.bias != NULL)
        assert_contents(context, d.bias, l.bias);
    tensor_free(context, d.x);
    tensor_free(context, d.weight);
    tensor_free(context, d.bias);
    tensor_free(context, d.dh);
}

static void check_forward(clgrad_context *context, layer l)
{
    const double ulps = clgrad_activation_describe(l.activation.kind)->forward_ulp;
    const double steepest = fmax(1, fabs((double)l.activation.negative_slope)); /* the largest |f'| of all */
    const size_t count = l.batch * l.out;
    forward_oracle o = exact_forward(l);
    inputs d = upload(context, l);
    clgrad_tensor z = matrix_with(context, l.batch, l.out, NULL), h = matrix_with(context, l.batch, l.out, NULL);

    assert_ok(context, clgrad_dense_forward(context, &l.activation, d.x, d.weight, d.bias, z, h));
    float *got_z = tensor_floats(context, z), *got_h = tensor_floats(context, h);
    assert_all_close("z", got_z, o.z, o.tolerance, count);
    for (size_t i = 0; i < count; i++) { /* given the device's z, only the activation's error is left */
        const double exact = clgrad_ref_activate(&l.activation, got_z[i]);
        if (!(ulp_distance(got_h[i], exact) <= ulps || is_close(got_h[i], exact, flushed)))
            fail_msg("h[%zu] is %.9g, f(z) is %.17g", i, (double)got_h[i], exact);
    }
    free(got_h);

    assert_ok(context, clgrad_dense_forward(context, &l.activation, d.x, d.weight, d.bias, h, h));
    got_h = tensor_floats(context, h);
    for (size_t i = 0; i < count; i++) {
        o.z[i] = clgrad_ref_activate(&l.activation, o.z[i]);
        o.tolerance[i] = o.tolerance[i] * steepest + ulps * 2 * u * fabs(o.z[i]);
    }
    assert_all_close("h in z's place", got_h, o.z, o.tolerance, count);
    free(got_z);
    free(got_h);
    free(o.z);
    free(o.tolerance);
    tensor_free(context, z);
    tensor_free(context, h);
    inputs_free(context, d, l);
}

/* Where dz goes. */
typedef enum dz_place { DZ_APART, DZ_IS_DH, DZ_IS_Z } dz_place;

static void check_backward(clgrad_context *context, layer l, dz_place place, bool wants_dx)
{
    backward_oracle o = exact_backward(l);
    inputs d = upload(context, l);
    clgrad_tensor z = matrix_with(context, l.batch, l.out, o.z), apart = matrix_with(context, l.batch, l.out, NULL);
    clgrad_tensor dz = place == DZ_APART ? apart : place == DZ_IS_DH ? d.dh : z;
    clgrad_tensor dweight = matrix_with(context, l.out, l.in, NULL);
    clgrad_tensor dbias = l.bias != NULL ? vector_with(context, l.out, NULL) : clgrad_tensor_none();
    clgrad_tensor dx = wants_dx ? matrix_with(context, l.batch, l.in, NULL) : clgrad_tensor_none();
    assert_ok(context, clgrad_dense_backward(context, &l.activation, d.x, d.weight, z, d.dh, dz, dweight,
                                             dbias, dx));

    const struct {
        const char *name;
        clgrad_tensor tensor;
        const double *exact, *tolerance;
    } outputs[] = {{"dz", dz, o.exact.dz, o.tolerance.dz},
                   {"dweight", dweight, o.exact.dweight, o.tolerance.dweight},
                   {"dbias", dbias, o.exact.dbias, o.tolerance.dbias},
                   {"dx", dx, o.exact.dx, o.tolerance.dx}};
    for (size_t i = 0; i < COUNT(outputs); i++) {
        if (outputs[i].tensor.buffer == NULL)
            continue;
        float *got = tensor_floats(context, outputs[i].tensor);
        assert_all_close(outputs[i].name, got, outputs[i].exact, outputs[i].tolerance,
                         clgrad_tensor_count(outputs[i].tensor));
        free(got);
    }
    if (place != DZ_IS_DH)
        assert_contents(context, d.dh, l.dh);
    if (place != DZ_IS_Z)
        assert_contents(context, z, o.z);
    tensor_free(context, z);
    tensor_free(context, apart);
    tensor_free(context, dweight);
    tensor_free(context, dbias);
    tensor_free(context, dx);
    inputs_free(context, d, l);
    backward_oracle_free(o);
}

static void check_layer(clgrad_context *context, clgrad_activation activation, const size_t sizes[3])
{
    layer with = make_layer(activation, sizes, true), without = make_layer(activation, sizes, false);
    check_forward(context, with);
    check_forward(context, without);
    check_backward(context, with, DZ_APART, true);
    check_backward(context, without, DZ_IS_DH, true);
    check_backward(context, with, DZ_IS_Z, false);
    layer_free(with);
    layer_free(without);
}

/* ---- the tests ---- */

/* Every activation, with every kind of slope. */
static size_t activations(clgrad_activation list[CLGRAD_ACTIVATION_COUNT + 2])
{
    size_t n = 0;
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++)
        list[n++] = clgrad_activation_defaults((clgrad_activation_kind)kind);
    list[n] = list[n + 1] = clgrad_activation_defaults(CLGRAD_ACTIVATION_LEAKY_RELU);
    list[n++].negative_slope = -0.5f;
    list[n++].negative_slope = 3;
    return n;
}

/* batch, in, out */
static const size_t shapes[][3] = {{1, 1, 1},  {63, 64, 65}, {64, 784, 128}, {5, 1000, 3}, {257, 10, 33},
                                   {65, 63, 1}, {1, 64, 10},  {0, 3, 4},      {3, 0, 4},    {3, 4, 0}};

static void agrees_with_the_reference(clgrad_context *context)
{
    clgrad_activation list[CLGRAD_ACTIVATION_COUNT + 2];
    const size_t n = activations(list);
    for (size_t s = 0; s < COUNT(shapes); s++)
        for (size_t a = 0; a < n; a++)
            if (!test_small() || shapes[s][0] * shapes[s][1] * shapes[s][2] < 5000)
                check_layer(context, list[a], shapes[s]);
}

/* Long sums over the batch, and more rows than a grid has room for. */
static void large_batches(clgrad_context *context)
{
    if (test_small())
        skip();
    check_layer(context, clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH), (size_t[]){100003, 3, 2});
    check_layer(context, clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU), (size_t[]){33000, 1, 257});
}
