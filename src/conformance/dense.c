/*
 * Dense layers with their activation, forward and backward. What the sums' terms add up to comes from the
 * reference too, called with the absolute values.
 */
#include "conformance.h"

#include <math.h>
#include <stdio.h>

typedef struct setting {
    clgrad_activation activation;
    bool bias;
} setting;

/* Terms that a device flushes: denormals times numbers below 10. */
static const double flushed = 1e-30;

/* Shape: batch, in, out. */
typedef struct layer {
    const setting *s;
    size_t x_shape[2], w_shape[2], z_shape[2], bias_shape[1];
    size_t x_count, w_count, z_count;
    float *x, *weight, *bias, *dh;
    clgrad_conf_pair tx, tweight, tbias;
} layer;

/* Whether f is defined for negative numbers, as the reference has it. */
static bool takes_negative(clgrad_conf_run *run, const clgrad_activation *activation)
{
    const float below = -1;
    clgrad_conf_pair number = clgrad_conf_input(run, NULL, 0, NULL, &below);
    const clgrad_tensor x = number.at[CLGRAD_CONF_REFERENCE];
    if (clgrad_conf_over(run) || clgrad_activation_forward(run->context[CLGRAD_CONF_REFERENCE], activation, x,
                                                           x) != CLGRAD_STATUS_SUCCESS)
        return true;
    const float *value = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, number);
    return value == NULL || !isnan(*value);
}

static void make_positive(float *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        numbers[i] = fabsf(numbers[i]);
}

static layer begin(clgrad_conf_run *run, const setting *s, const size_t *shape)
{
    layer l = {.s = s,
               .x_shape = {shape[0], shape[1]},
               .w_shape = {shape[2], shape[1]},
               .z_shape = {shape[0], shape[2]},
               .bias_shape = {shape[2]},
               .x_count = shape[0] * shape[1],
               .w_count = shape[2] * shape[1],
               .z_count = shape[0] * shape[2]};
    l.x = clgrad_conf_floats(run, l.x_count);
    l.weight = clgrad_conf_floats(run, l.w_count);
    l.bias = clgrad_conf_floats(run, shape[2]);
    l.dh = clgrad_conf_floats(run, l.z_count);
    if (run->status != CLGRAD_STATUS_SUCCESS)
        return l;
    clgrad_conf_normal(l.x, l.x_count, 1, 1);
    clgrad_conf_normal(l.weight, l.w_count, 2, 1 / sqrt((double)shape[1] + 1));
    clgrad_conf_normal(l.bias, shape[2], 3, 1);
    clgrad_conf_normal(l.dh, l.z_count, 4, 1);
    if (!takes_negative(run, &s->activation)) {
        make_positive(l.x, l.x_count);
        make_positive(l.weight, l.w_count);
        make_positive(l.bias, shape[2]);
    }
    l.tx = clgrad_conf_input(run, "x", 2, l.x_shape, l.x);
    l.tweight = clgrad_conf_input(run, "weight", 2, l.w_shape, l.weight);
    l.tbias = clgrad_conf_input(run, "bias", 1, l.bias_shape, s->bias ? l.bias : NULL);
    return l;
}

/* A copy of magnitudes on both sides, of which the reference's is used. */
static clgrad_conf_pair magnitudes(clgrad_conf_run *run, int rank, const size_t *shape, const float *numbers,
                                   size_t count)
{
    float *sizes = clgrad_conf_floats(run, count);
    if (sizes == NULL)
        return clgrad_conf_none();
    for (size_t i = 0; i < count; i++)
        sizes[i] = fabsf(numbers[i]);
    return clgrad_conf_input(run, NULL, rank, shape, sizes);
}

/* Sums to tolerances. */
static double *allow(clgrad_conf_run *run, clgrad_conf_pair sums, size_t count, double factor)
{
    const float *numbers = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, sums);
    double *unit = clgrad_conf_doubles(run, count);
    for (size_t i = 0; numbers != NULL && unit != NULL && i < count; i++)
        unit[i] = factor * CLGRAD_CONF_U * fabs((double)numbers[i]) + flushed;
    return unit;
}

/*
 * z against the reference's; h against f of the device's own z (both are f of a z that may have been rounded
 * on its way), by the activation's bound.
 */
static void check_forward(clgrad_conf_run *run, const void *of_case, const size_t *shape)
{
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    const layer l = begin(run, of_case, shape);
    const clgrad_activation *f = &l.s->activation;
    const clgrad_conf_pair tz = clgrad_conf_output(run, 2, l.z_shape);
    const clgrad_conf_pair th = clgrad_conf_output(run, 2, l.z_shape);
    CLGRAD_CONF_CALL(run, clgrad_dense_forward(run->context[side], f, l.tx.at[side], l.tweight.at[side],
                                               l.tbias.at[side], tz.at[side], th.at[side]));
    if (clgrad_conf_over(run))
        return;

    const int ref = CLGRAD_CONF_REFERENCE;
    const clgrad_conf_pair sums = clgrad_conf_output(run, 2, l.z_shape);
    const clgrad_conf_pair sizes[] = {magnitudes(run, 2, l.x_shape, l.x, l.x_count),
                                      magnitudes(run, 2, l.w_shape, l.weight, l.w_count),
                                      magnitudes(run, 1, l.bias_shape, l.bias, shape[2])};
    const clgrad_tensor bias = l.s->bias ? sizes[2].at[ref] : clgrad_tensor_none();
    if (clgrad_conf_over(run) ||
        clgrad_dense_forward(run->context[ref], &identity, sizes[0].at[ref], sizes[1].at[ref], bias,
                             sums.at[ref], sums.at[ref]) != CLGRAD_STATUS_SUCCESS)
        return;
    clgrad_conf_compare(run, "z", tz, allow(run, sums, l.z_count, (double)shape[1] + 4), 0);

    /* h: the reference's h becomes f(z of the device), z moved by its own rounding to either side */
    float *z = clgrad_conf_read(run, CLGRAD_CONF_DEVICE, tz);
    double *unit = clgrad_conf_doubles(run, l.z_count);
    float *moved = clgrad_conf_floats(run, l.z_count);
    if (z == NULL || unit == NULL || moved == NULL)
        return;
    const double ulps = clgrad_activation_describe(f->kind)->forward_ulp;
    float *h[3]; /* at z, and at its neighbours */
    for (int k = 0; k < 3; k++) {
        for (size_t i = 0; i < l.z_count; i++)
            moved[i] = k == 0 ? nextafterf(z[i], -INFINITY) : k == 1 ? nextafterf(z[i], INFINITY) : z[i];
        clgrad_conf_write(run, ref, th, moved);
        if (clgrad_conf_over(run) ||
            clgrad_activation_forward(run->context[ref], f, th.at[ref], th.at[ref]) != CLGRAD_STATUS_SUCCESS)
            return;
        h[k] = clgrad_conf_read(run, ref, th);
        if (h[k] == NULL)
            return;
    }
    for (size_t i = 0; i < l.z_count; i++) {
        const double here = h[2][i], low = h[0][i], high = h[1][i];
        unit[i] = fmax(fabs(low - here), fabs(high - here)) + ulps * clgrad_conf_ulp(here) + flushed;
    }
    clgrad_conf_compare(run, "h", th, unit, 0);
}

/* From the reference's z, on both sides. */
static void check_backward(clgrad_conf_run *run, const void *of_case, const size_t *shape)
{
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    const int ref = CLGRAD_CONF_REFERENCE;
    const layer l = begin(run, of_case, shape);
    const clgrad_activation *f = &l.s->activation;
    const clgrad_activation_info *info = clgrad_activation_describe(f->kind);
    float *zeros = clgrad_conf_floats(run, l.z_count);
    const clgrad_conf_pair tz = clgrad_conf_input(run, NULL, 2, l.z_shape, zeros);
    const clgrad_conf_pair tdh = clgrad_conf_input(run, "dh", 2, l.z_shape, l.dh);
    const clgrad_conf_pair tdz = clgrad_conf_output(run, 2, l.z_shape);
    const clgrad_conf_pair tdweight = clgrad_conf_output(run, 2, l.w_shape);
    const clgrad_conf_pair tdx = clgrad_conf_output(run, 2, l.x_shape);
    clgrad_conf_pair tdbias = clgrad_conf_output(run, 1, l.bias_shape);
    if (clgrad_conf_over(run) ||
        clgrad_dense_forward(run->context[ref], &identity, l.tx.at[ref], l.tweight.at[ref], l.tbias.at[ref],
                             tz.at[ref], tz.at[ref]) != CLGRAD_STATUS_SUCCESS)
        return;
    const float *z = clgrad_conf_read(run, ref, tz);
    if (z == NULL)
        return;
    clgrad_conf_write(run, CLGRAD_CONF_DEVICE, tz, z);
    if (!l.s->bias)
        tdbias = clgrad_conf_none();
    CLGRAD_CONF_CALL(run, clgrad_dense_backward(run->context[side], f, l.tx.at[side], l.tweight.at[side],
                                                tz.at[side], tdh.at[side], tdz.at[side], tdweight.at[side],
                                                tdbias.at[side], tdx.at[side]));
    const float *dz = clgrad_conf_read(run, ref, tdz);
    if (dz == NULL)
        return;

    /* The same sums over magnitudes, dz in dh's place; where f' is below the list's floor, so is its error.
     */
    float *sizes = clgrad_conf_floats(run, l.z_count);
    for (size_t i = 0; sizes != NULL && i < l.z_count; i++)
        sizes[i] = fmaxf(fabsf(dz[i]), fabsf(l.dh[i]) * info->backward_floor);
    const clgrad_conf_pair of_x = magnitudes(run, 2, l.x_shape, l.x, l.x_count);
    const clgrad_conf_pair of_weight = magnitudes(run, 2, l.w_shape, l.weight, l.w_count);
    const clgrad_conf_pair of_dz = clgrad_conf_input(run, NULL, 2, l.z_shape, sizes);
    const clgrad_conf_pair dz_sums = clgrad_conf_output(run, 2, l.z_shape);
    const clgrad_conf_pair dweight_sums = clgrad_conf_output(run, 2, l.w_shape);
    const clgrad_conf_pair dbias_sums = clgrad_conf_output(run, 1, l.bias_shape);
    const clgrad_conf_pair dx_sums = clgrad_conf_output(run, 2, l.x_shape);
    if (clgrad_conf_over(run) ||
        clgrad_dense_backward(run->context[ref], &identity, of_x.at[ref], of_weight.at[ref], tz.at[ref],
                              of_dz.at[ref], dz_sums.at[ref], dweight_sums.at[ref], dbias_sums.at[ref],
                              dx_sums.at[ref]) != CLGRAD_STATUS_SUCCESS)
        return;
    const double own = 2 * (double)info->backward_ulp + 1, rows = (double)shape[0] + 4;
    clgrad_conf_compare(run, "dz", tdz, allow(run, dz_sums, l.z_count, own), 0);
    clgrad_conf_compare(run, "dweight", tdweight, allow(run, dweight_sums, l.w_count, rows + own), 0);
    clgrad_conf_compare(run, "dbias", tdbias, allow(run, dbias_sums, shape[2], rows + own), 0);
    clgrad_conf_compare(run, "dx", tdx, allow(run, dx_sums, l.x_count, (double)shape[2] + 4 + own), 0);
}

/* One activation in all sizes; the others, each fused into kernels of its own, in one size. */
static void run_activations(clgrad_conf_run *run, const char *direction, clgrad_conf_check *check)
{
    static const clgrad_conf_shape shapes[] = {{0, 3, 2},     {1, 1, 1},      {2, 3, 1},      {1, 17, 33},
                                               {5, 7, 3},     {33, 31, 17},   {17, 64, 65},   {64, 100, 10},
                                               {65, 129, 63}, {128, 257, 65}, {256, 784, 256}};
    static const clgrad_conf_shape ordinary = {33, 20, 19};
    if (!clgrad_conf_begin(run, "dense", "dense", direction, "bound", 1))
        return;
    for (int k = 0; k < 2 * CLGRAD_ACTIVATION_COUNT; k++) {
        const clgrad_activation_kind kind = (clgrad_activation_kind)(k / 2);
        const setting s = {clgrad_activation_defaults(kind), k % 2 == 0};
        char words[64];
        snprintf(words, sizeof words, "%s%s", clgrad_activation_describe(kind)->name, s.bias ? ", bias" : "");
        const clgrad_conf_case each = {check, &s, words, "batch in out"};
        if (kind == CLGRAD_ACTIVATION_TANH || kind == CLGRAD_ACTIVATION_IDENTITY)
            clgrad_conf_sizes(run, &each, shapes, CLGRAD_CONF_COUNT(shapes) - (run->options.full ? 0 : 1));
        else if (s.bias || run->options.full)
            clgrad_conf_once(run, &each, ordinary);
    }
    clgrad_conf_end(run);
}

void clgrad_conf_dense(clgrad_conf_run *run)
{
    run_activations(run, "forward", check_forward);
    run_activations(run, "backward", check_backward);
}
