#include "dense_oracle.h"

#include "dense.h"
#include "harness.h"
#include "reference/reference.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Half a unit in the last place of 1, dense.h's u. */
static const double u = 0x1p-24;

/* Added to every tolerance: what becomes of terms that a device flushes, denormals times numbers below 10. */
static const double flushed = 1e-30;

static float *draw(size_t count, uint64_t seed, double spread)
{
    float *numbers = allocate(count, sizeof *numbers);
    fill_normal(numbers, count, seed, spread);
    return numbers;
}

static void make_positive(float *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        numbers[i] = fabsf(numbers[i]);
}

layer make_layer(clgrad_activation activation, const size_t sizes[3], bool has_bias)
{
    const size_t batch = sizes[0], in = sizes[1], out = sizes[2];
    layer l = {activation,
               batch,
               in,
               out,
               draw(batch * in, 1, 1),
               draw(out * in, 2, 1 / sqrt((double)in + 1)),
               has_bias ? draw(out, 3, 1) : NULL,
               draw(batch * out, 4, 1)};
    if (isnan(clgrad_ref_activate(&activation, -1))) { /* not defined for negative z */
        make_positive(l.x, batch * in);
        make_positive(l.weight, out * in);
        make_positive(l.bias, has_bias ? out : 0);
    }
    return l;
}

void layer_free(layer l)
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

forward_oracle exact_forward(layer l)
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

void forward_oracle_free(forward_oracle o)
{
    free(o.z);
    free(o.tolerance);
}

static gradients allocate_gradients(layer l)
{
    return (gradients){doubles(l.batch * l.out), doubles(l.out * l.in), doubles(l.out),
                       doubles(l.batch * l.in)};
}

static void gradients_free(gradients g)
{
    free(g.dz);
    free(g.dweight);
    free(g.dbias);
    free(g.dx);
}

backward_oracle exact_backward(layer l)
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

    /* the same sums over magnitudes; dh stands for dz, as the identity's derivative is 1; where f' is below
     * the list's floor, its error is not relative to it */
    x = widen_magnitudes(l.x, l.batch * l.in);
    weight = widen_magnitudes(l.weight, l.out * l.in);
    const clgrad_activation_info *info = clgrad_activation_describe(l.activation.kind);
    for (size_t i = 0; i < count; i++)
        dh[i] = fmax(fabs(o.exact.dz[i]), fabsf(l.dh[i]) * info->backward_floor);
    clgrad_ref_dense_backward(&identity, l.batch, l.in, l.out, x, weight, z, dh, o.tolerance.dz,
                              o.tolerance.dweight, o.tolerance.dbias, o.tolerance.dx);
    free(x);
    free(weight);
    free(z);
    free(dh);
    forward_oracle_free(forward);

    /* dz itself: f' is off by so many units in the last place, 2 u at most; the product is rounded */
    const double of_dz = 2 * (double)info->backward_ulp + 1;
    scale(o.tolerance.dz, count, of_dz * u);
    scale(o.tolerance.dweight, l.out * l.in, ((double)(l.batch + 4) + of_dz) * u);
    scale(o.tolerance.dbias, l.out, ((double)(l.batch + 4) + of_dz) * u);
    scale(o.tolerance.dx, l.batch * l.in, ((double)(l.out + 4) + of_dz) * u);
    return o;
}

void backward_oracle_free(backward_oracle o)
{
    free(o.z);
    gradients_free(o.exact);
    gradients_free(o.tolerance);
}

/* ---- operands ---- */

clgrad_tensor describe_operand(layer l, int operand)
{
    switch (operand) {
    case BIAS:
    case DBIAS:
        return clgrad_tensor_vector(NULL, 0, CLGRAD_TYPE_FLOAT32, l.out);
    case X:
    case DX:
        return clgrad_tensor_matrix(NULL, 0, l.batch, l.in);
    case WEIGHT:
    case DWEIGHT:
        return clgrad_tensor_matrix(NULL, 0, l.out, l.in);
    default:
        return clgrad_tensor_matrix(NULL, 0, l.batch, l.out);
    }
}

/* What the operand holds before a call; NULL for an output. */
static const float *data_of(layer l, int operand)
{
    return operand == X        ? l.x
           : operand == WEIGHT ? l.weight
           : operand == BIAS   ? l.bias
           : operand == DH     ? l.dh
                               : NULL;
}

void allocate_operands(clgrad_context *context, layer l, clgrad_tensor o[OPERANDS])
{
    for (int i = 0; i < OPERANDS; i++) {
        const clgrad_tensor shape = describe_operand(l, i);
        o[i] = clgrad_tensor_none();
        if (l.bias != NULL || (i != BIAS && i != DBIAS))
            o[i] = tensor_with(context, CLGRAD_TYPE_FLOAT32, shape.rank, shape.shape, data_of(l, i));
    }
}

void free_operands(clgrad_context *context, const clgrad_tensor o[OPERANDS])
{
    for (int i = 0; i < OPERANDS; i++)
        tensor_free(context, o[i]);
}

size_t lay_out_operands(layer l, clgrad_tensor o[OPERANDS])
{
    size_t end = 1;
    for (int i = 0; i < OPERANDS; i++) {
        o[i] = describe_operand(l, i);
        o[i].offset = end;
        end += clgrad_tensor_count(o[i]) + (size_t)(i % 3);
    }
    return end + 1;
}

void write_inputs(clgrad_context *context, layer l, const clgrad_tensor o[OPERANDS])
{
    for (int i = 0; i < OPERANDS; i++)
        if (data_of(l, i) != NULL)
            assert_ok(context, clgrad_tensor_write(context, o[i], data_of(l, i),
                                                   clgrad_tensor_count(o[i]) * sizeof(float)));
}

clgrad_status forward(clgrad_context *context, const clgrad_activation *activation,
                      const clgrad_tensor o[OPERANDS])
{
    return clgrad_dense_forward(context, activation, o[X], o[WEIGHT], o[BIAS], o[Z], o[H]);
}

clgrad_status backward(clgrad_context *context, const clgrad_activation *activation,
                       const clgrad_tensor o[OPERANDS])
{
    return clgrad_dense_backward(context, activation, o[X], o[WEIGHT], o[Z], o[DH], o[DZ], o[DWEIGHT],
                                 o[DBIAS], o[DX]);
}

/* ---- checking a device ---- */

/* An operand, where it is present, is as near to the exact values as it should be. */
static void assert_operand(clgrad_context *context, const char *name, clgrad_tensor operand,
                           const double *exact, const double *tolerance)
{
    if (operand.buffer == NULL)
        return;
    float *got = tensor_floats(context, operand);
    assert_all_close(name, got, exact, tolerance, clgrad_tensor_count(operand));
    free(got);
}

static void assert_inputs_unchanged(clgrad_context *context, layer l, const clgrad_tensor o[OPERANDS])
{
    for (int i = 0; i < OPERANDS; i++)
        if (data_of(l, i) != NULL)
            assert_contents(context, o[i], data_of(l, i));
}

/* Outputs and tolerances of f from those of z: how far f goes within z's, and so many ulps of its own. */
static void apply_activation(layer l, double *values, double *tolerances)
{
    const double ulps = clgrad_activation_describe(l.activation.kind)->forward_ulp;
    for (size_t i = 0; i < l.batch * l.out; i++) {
        const double z = values[i], h = clgrad_ref_activate(&l.activation, z);
        const double left = fabs(clgrad_ref_activate(&l.activation, z - tolerances[i]) - h);
        const double right = fabs(clgrad_ref_activate(&l.activation, z + tolerances[i]) - h);
        values[i] = h;
        tolerances[i] = fmax(left, right) + 2 * ulps * u * fabs(h) + flushed;
    }
}

void check_forward(clgrad_context *context, layer l)
{
    forward_oracle exact = exact_forward(l);
    clgrad_tensor o[OPERANDS];
    allocate_operands(context, l, o);
    assert_ok(context, forward(context, &l.activation, o));
    assert_operand(context, "z", o[Z], exact.z, exact.tolerance);

    /* from the device's own z on, only the rounding of z and the activation's error are left */
    float *z = tensor_floats(context, o[Z]);
    double *h = widen(z, l.batch * l.out), *tolerance = doubles(l.batch * l.out);
    for (size_t i = 0; i < l.batch * l.out; i++)
        tolerance[i] = u * fabs(h[i]);
    apply_activation(l, h, tolerance);
    assert_operand(context, "h", o[H], h, tolerance);
    free(z);
    free(h);
    free(tolerance);
    assert_inputs_unchanged(context, l, o);

    clgrad_tensor in_place[OPERANDS];
    memcpy(in_place, o, sizeof o);
    in_place[Z] = o[H];
    assert_ok(context, forward(context, &l.activation, in_place));
    apply_activation(l, exact.z, exact.tolerance);
    assert_operand(context, "h in z's place", o[H], exact.z, exact.tolerance);
    assert_inputs_unchanged(context, l, o);
    free_operands(context, o);
    forward_oracle_free(exact);
}

void check_backward(clgrad_context *context, layer l, dz_place place, bool wants_dx)
{
    backward_oracle oracle = exact_backward(l);
    const gradients *exact = &oracle.exact, *tolerance = &oracle.tolerance;
    clgrad_tensor o[OPERANDS], used[OPERANDS];
    allocate_operands(context, l, o);
    assert_ok(context, clgrad_tensor_write(context, o[Z], oracle.z, l.batch * l.out * sizeof(float)));
    memcpy(used, o, sizeof o);
    used[DZ] = place == DZ_APART ? o[DZ] : place == DZ_IS_DH ? o[DH] : o[Z];
    if (!wants_dx)
        used[DX] = clgrad_tensor_none();
    assert_ok(context, backward(context, &l.activation, used));
    assert_operand(context, "dz", used[DZ], exact->dz, tolerance->dz);
    assert_operand(context, "dweight", used[DWEIGHT], exact->dweight, tolerance->dweight);
    assert_operand(context, "dbias", used[DBIAS], exact->dbias, tolerance->dbias);
    assert_operand(context, "dx", used[DX], exact->dx, tolerance->dx);

    if (place != DZ_IS_Z)
        assert_contents(context, o[Z], oracle.z);
    if (place == DZ_IS_DH)
        assert_ok(context, clgrad_tensor_write(context, o[DH], l.dh, l.batch * l.out * sizeof(float)));
    assert_inputs_unchanged(context, l, o);
    free_operands(context, o);
    backward_oracle_free(oracle);
}

/* The oracle's dx and its tolerance, times the derivative of the activation below at z. */
static void apply_derivative(layer l, const clgrad_activation *below, const float *z, gradients exact,
                             gradients tolerance)
{
    const clgrad_activation_info *info = clgrad_activation_describe(below->kind);
    for (size_t i = 0; i < l.batch * l.in; i++) {
        const double dx = exact.dx[i], derivative = clgrad_ref_activate_backward(below, (double)z[i], 1);
        const double ulps = 2 * (double)info->backward_ulp + 1;
        exact.dx[i] = clgrad_ref_activate_backward(below, (double)z[i], dx);
        tolerance.dx[i] = tolerance.dx[i] * fabs(derivative) + flushed +
                          ulps * u * fabs(dx) * fmax(fabs(derivative), (double)info->backward_floor);
    }
}

void check_chained(clgrad_context *context, clgrad_activation below, const size_t sizes[3])
{
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    const clgrad_activation unused = clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH);
    layer l = make_layer(identity, sizes, true);
    backward_oracle oracle = exact_backward(l);
    apply_derivative(l, &below, l.x, oracle.exact, oracle.tolerance);
    clgrad_tensor o[OPERANDS];
    allocate_operands(context, l, o);
    const clgrad_dense_chain chain = {.given_dz = true, .below = &below, .below_z = o[X]};
    assert_ok(context, clgrad_dense_backward_chained(context, &unused, o[X], o[WEIGHT], o[Z], o[DH], o[DH],
                                                     o[DWEIGHT], o[DBIAS], o[DX], chain));
    assert_operand(context, "dweight", o[DWEIGHT], oracle.exact.dweight, oracle.tolerance.dweight);
    assert_operand(context, "dbias", o[DBIAS], oracle.exact.dbias, oracle.tolerance.dbias);
    assert_operand(context, "dx", o[DX], oracle.exact.dx, oracle.tolerance.dx);
    assert_inputs_unchanged(context, l, o);
    free_operands(context, o);
    backward_oracle_free(oracle);
    layer_free(l);
}

void check_layer(clgrad_context *context, clgrad_activation activation, const size_t sizes[3])
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
