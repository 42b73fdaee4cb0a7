#include "dense_oracle.h"
#include "harness.h"

#include "golden/dense.h"
#include "opencl/cl_backend.h"
#include "reference/reference.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
static const size_t shapes[][3] = {{1, 1, 1},     {16, 16, 16}, {63, 64, 65}, {64, 784, 128}, {5, 1000, 3},
                                   {257, 10, 33}, {65, 63, 1},  {1, 64, 10},  {0, 3, 4},      {3, 0, 4}};

static void agrees_with_the_reference(clgrad_context *context)
{
    clgrad_activation list[CLGRAD_ACTIVATION_COUNT + 2];
    const size_t n = activations(list);
    for (size_t s = 0; s < COUNT(shapes); s++) {
        const size_t products = shapes[s][0] * shapes[s][1] * shapes[s][2];
        if (test_small() && products >= 5000)
            continue;
        /* in the largest the time goes into products, which do not depend on the activation */
        for (size_t a = 0; a<n; a += products> 1000000 ? 8 : 1)
            check_layer(context, list[a], shapes[s]);
    }
}

/* A layer without outputs adds nothing to its input's gradient. */
static void no_outputs(clgrad_context *context)
{
    check_layer(context, clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH), (size_t[]){3, 4, 0});
}

/* Long sums over the batch, and more rows than a grid has room for. */
static void large_batches(clgrad_context *context)
{
    if (test_small())
        skip();
    check_layer(context, clgrad_activation_defaults(CLGRAD_ACTIVATION_TANH), (size_t[]){100003, 3, 2});
    layer high =
        make_layer(clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU), (size_t[]){33000, 1, 257}, true);
    check_forward(context, high);
    layer_free(high);
}

/* As networks do it; the last shape is a few of each kernel's blocks. */
static void chained_layers_agree_with_the_reference(clgrad_context *context)
{
    static const size_t sizes[][3] = {{1, 1, 1}, {5, 33, 7}, {3, 4, 0}, {0, 3, 4}, {70, 130, 65}};
    clgrad_activation list[CLGRAD_ACTIVATION_COUNT + 2];
    const size_t n = activations(list);
    for (size_t a = 0; a < n; a++)
        for (size_t s = 0; s < (test_small() ? 4 : COUNT(sizes)); s++)
            check_chained(context, list[a], sizes[s]);
}

/* ---- a third source ---- */

/* Sums of a few terms, not much larger than what they add up to; f and f' add at most 8 units in the last
 * place. */
static void assert_golden(clgrad_context *context, const char *name, clgrad_tensor tensor,
                          const double *exact)
{
    const size_t count = clgrad_tensor_count(tensor);
    float *got = tensor_floats(context, tensor);
    double *tolerance = allocate(count, sizeof *tolerance), largest = 1;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(exact[i]));
    for (size_t i = 0; i < count; i++)
        tolerance[i] = 4e-6 * largest;
    assert_all_close(name, got, exact, tolerance, count);
    free(tolerance);
    free(got);
    tensor_free(context, tensor);
}

static void golden_values(clgrad_context *context)
{
    for (size_t i = 0; i < COUNT(golden_denses); i++) {
        const golden_dense *g = &golden_denses[i];
        clgrad_activation activation = clgrad_activation_defaults(g->activation);
        set_parameters(clgrad_activation_describe(g->activation)->parameters, &activation, g->parameters);
        clgrad_tensor x = matrix_with(context, g->batch, g->in, g->x);
        clgrad_tensor weight = matrix_with(context, g->out, g->in, g->weight);
        clgrad_tensor dh = matrix_with(context, g->batch, g->out, g->dh);
        clgrad_tensor z = matrix_with(context, g->batch, g->out, NULL),
                      h = matrix_with(context, g->batch, g->out, NULL);
        clgrad_tensor dz = matrix_with(context, g->batch, g->out, NULL),
                      dx = matrix_with(context, g->batch, g->in, NULL);
        clgrad_tensor dweight = matrix_with(context, g->out, g->in, NULL);
        clgrad_tensor bias = clgrad_tensor_none(), dbias = bias;
        if (g->bias != NULL) {
            bias = vector_with(context, g->out, g->bias);
            dbias = vector_with(context, g->out, NULL);
        }
        assert_ok(context, clgrad_dense_forward(context, &activation, x, weight, bias, z, h));
        assert_ok(context,
                  clgrad_dense_backward(context, &activation, x, weight, z, dh, dz, dweight, dbias, dx));
        assert_golden(context, g->label, z, g->z);
        assert_golden(context, g->label, h, g->h);
        assert_golden(context, g->label, dz, g->dz);
        assert_golden(context, g->label, dweight, g->dweight);
        assert_golden(context, g->label, dx, g->dx);
        if (g->bias != NULL)
            assert_golden(context, g->label, dbias, g->dbias);
        tensor_free(context, x);
        tensor_free(context, weight);
        tensor_free(context, bias);
        tensor_free(context, dh);
    }
}

/* ---- finite differences ---- */

/* The sum of dh times the layer's output, in double precision. */
static double objective(layer l, const double *x, const double *weight, const double *bias)
{
    double *z = allocate(l.batch * l.out, sizeof *z), *h = allocate(l.batch * l.out, sizeof *h), sum = 0;
    clgrad_ref_dense_forward(&l.activation, l.batch, l.in, l.out, x, weight, bias, z, h);
    for (size_t i = 0; i < l.batch * l.out; i++)
        sum += l.dh[i] * h[i];
    free(z);
    free(h);
    return sum;
}

/* Compare a gradient with central differences along each of the numbers, which are x, weight or bias. */
static void assert_slopes(clgrad_context *context, layer l, double *x, double *weight, double *bias,
                          double *numbers, clgrad_tensor gradient)
{
    const double step = 1e-5; /* an error of about step^2 from curvature, 1e-16 / step from rounding */
    float *got = tensor_floats(context, gradient);
    for (size_t i = 0; i < clgrad_tensor_count(gradient); i++) {
        const double middle = numbers[i];
        numbers[i] = middle + step;
        const double above = objective(l, x, weight, bias);
        numbers[i] = middle - step;
        const double below = objective(l, x, weight, bias), slope = (above - below) / (2 * step);
        numbers[i] = middle;
        if (!is_close(got[i], slope, 1e-5 * fmax(1, fabs(slope))))
            fail_msg("%s: gradient[%zu] is %.9g, the slope %.9g",
                     clgrad_activation_describe(l.activation.kind)->name, i, (double)got[i], slope);
    }
    free(got);
}

static void gradients_are_slopes(clgrad_context *context)
{
    clgrad_activation list[CLGRAD_ACTIVATION_COUNT + 2];
    const size_t n = activations(list);
    for (size_t a = 0; a < n; a++) {
        layer l = make_layer(list[a], (size_t[]){3, 4, 5}, true);
        double *x = widen(l.x, 12), *weight = widen(l.weight, 20), *bias = widen(l.bias, 5);
        clgrad_tensor d_x = matrix_with(context, 3, 4, l.x), d_weight = matrix_with(context, 5, 4, l.weight);
        clgrad_tensor d_bias = vector_with(context, 5, l.bias), dh = matrix_with(context, 3, 5, l.dh);
        clgrad_tensor z = matrix_with(context, 3, 5, NULL), h = matrix_with(context, 3, 5, NULL);
        clgrad_tensor dweight = matrix_with(context, 5, 4, NULL), dbias = vector_with(context, 5, NULL);
        clgrad_tensor dx = matrix_with(context, 3, 4, NULL);
        assert_ok(context, clgrad_dense_forward(context, &l.activation, d_x, d_weight, d_bias, z, h));
        assert_ok(context, clgrad_dense_backward(context, &l.activation, d_x, d_weight, z, dh, dh, dweight,
                                                 dbias, dx));
        assert_slopes(context, l, x, weight, bias, x, dx);
        assert_slopes(context, l, x, weight, bias, weight, dweight);
        assert_slopes(context, l, x, weight, bias, bias, dbias);
        const clgrad_tensor all[] = {d_x, d_weight, d_bias, dh, z, h, dweight, dbias, dx};
        for (size_t i = 0; i < COUNT(all); i++)
            tensor_free(context, all[i]);
        free(x);
        free(weight);
        free(bias);
        layer_free(l);
    }
}

/* ---- either provider of matrix products ---- */

/* A context on the same device with CLGRAD_GEMM set; NULL where it is not opened. */
static clgrad_context *with_provider(clgrad_context *context, const char *name, clgrad_status *status,
                                     clgrad_message *message)
{
    clgrad_context *opened = NULL;
    setenv("CLGRAD_GEMM", name, 1);
    *status = clgrad_context_create(clgrad_context_device(context)->specification, &opened, message);
    unsetenv("CLGRAD_GEMM");
    return opened;
}

/* The layer with its first and last few rows of the batch alone, or of the outputs. */
static layer ends_of(layer l, bool of_outputs)
{
    enum { FEW = 8 };
    layer ends = l;
    *(of_outputs ? &ends.out : &ends.batch) = 2 * FEW;
    ends.x = allocate(ends.batch * l.in, sizeof *ends.x);
    ends.weight = allocate(ends.out * l.in, sizeof *ends.weight);
    ends.dh = allocate(ends.batch * ends.out, sizeof *ends.dh);
    ends.bias = NULL;
    for (size_t i = 0; i < ends.batch; i++) {
        const size_t row = of_outputs || i < FEW ? i : l.batch - 2 * FEW + i;
        memcpy(ends.x + i * l.in, l.x + row * l.in, l.in * sizeof *l.x);
        for (size_t k = 0; k < ends.out; k++)
            ends.dh[i * ends.out + k] =
                l.dh[row * l.out + (!of_outputs || k < FEW ? k : l.out - 2 * FEW + k)];
    }
    for (size_t k = 0; k < ends.out; k++)
        memcpy(ends.weight + k * l.in, l.weight + (!of_outputs || k < FEW ? k : l.out - 2 * FEW + k) * l.in,
               l.in * sizeof *l.weight);
    return ends;
}

/* The first and the last few rows of a matrix. */
static void assert_ends(clgrad_context *context, const char *name, clgrad_tensor matrix, const double *exact,
                        const double *tolerance, size_t few)
{
    const size_t half = few / 2 * matrix.shape[1];
    float *low = tensor_floats(context, clgrad_tensor_rows(matrix, 0, few / 2));
    float *high = tensor_floats(context, clgrad_tensor_rows(matrix, matrix.shape[0] - few / 2, few / 2));
    assert_all_close(name, low, exact, tolerance, half);
    assert_all_close(name, high, exact + half, tolerance + half, half);
    free(low);
    free(high);
}

/* Products so large that CLBlast pads its operands into its temporary; the ends are where padding shows. */
static void check_large_products(clgrad_context *context)
{
    const clgrad_activation identity = clgrad_activation_defaults(CLGRAD_ACTIVATION_IDENTITY);
    const size_t batch = 1100, in = 1025, out = 1023;
    layer l = make_layer(identity, (size_t[]){batch, in, out}, false);
    clgrad_tensor x = matrix_with(context, batch, in, l.x), weight = matrix_with(context, out, in, l.weight);
    clgrad_tensor z = matrix_with(context, batch, out, NULL), dh = matrix_with(context, batch, out, l.dh);
    clgrad_tensor dweight = matrix_with(context, out, in, NULL), dx = matrix_with(context, batch, in, NULL);
    assert_ok(context, clgrad_dense_forward(context, &identity, x, weight, clgrad_tensor_none(), z, z));
    assert_ok(context, clgrad_dense_backward(context, &identity, x, weight, z, dh, dh, dweight,
                                             clgrad_tensor_none(), dx));

    layer rows = ends_of(l, false), outputs = ends_of(l, true);
    forward_oracle forward = exact_forward(rows);
    backward_oracle by_row = exact_backward(rows), by_output = exact_backward(outputs);
    assert_ends(context, "z", z, forward.z, forward.tolerance, rows.batch);
    assert_ends(context, "dx", dx, by_row.exact.dx, by_row.tolerance.dx, rows.batch);
    assert_ends(context, "dweight", dweight, by_output.exact.dweight, by_output.tolerance.dweight,
                outputs.out);
    forward_oracle_free(forward);
    backward_oracle_free(by_row);
    backward_oracle_free(by_output);
    layer_free(rows);
    layer_free(outputs);
    layer_free(l);
    const clgrad_tensor all[] = {x, weight, z, dh, dweight, dx};
    for (size_t i = 0; i < COUNT(all); i++)
        tensor_free(context, all[i]);
}

/* CLBlast and tiles run on every device, a BLAS where there are native kernels. */
static void either_provider(clgrad_context *context)
{
    if (clgrad_opencl_queue(context) == NULL || test_small() || getenv("CLGRAD_GEMM") != NULL)
        skip(); /* CLBlast compiles for ten seconds on a CPU */
    enum { CLBLAST, BLAS, TILES };
    const char *const names[] = {[CLBLAST] = "clblast", [BLAS] = "blas", [TILES] = "tiles"};
    for (size_t i = 0; i < COUNT(names); i++) {
        clgrad_status status;
        clgrad_message message;
        clgrad_context *opened = with_provider(context, names[i], &status, &message);
        if (i == BLAS && status == CLGRAD_STATUS_UNSUPPORTED) {
            assert_non_null(strstr(message.text, "CLGRAD_GEMM is blas"));
            continue;
        }
        assert_int_equal(status, CLGRAD_STATUS_SUCCESS);
        assert_int_equal(clgrad_cl(opened)->gemm == &clgrad_cl_clblast, i != BLAS);
        assert_true(clgrad_cl(opened)->multiplies_in_tiles == (i == TILES));
        for (size_t s = 0; s < COUNT(shapes); s++)
            check_layer(opened, clgrad_activation_defaults(CLGRAD_ACTIVATION_SIGMOID), shapes[s]);
        check_large_products(opened);
        assert_int_equal(clgrad_cl(opened)->gemm_scratch.bytes > 0, i == CLBLAST);
        clgrad_context_destroy(opened);
    }
}

static void provider_is_chosen_by_name(clgrad_context *context)
{
    if (clgrad_opencl_queue(context) == NULL || getenv("CLGRAD_GEMM") != NULL)
        skip();
    clgrad_status status;
    clgrad_message message = {""};
    clgrad_context *opened = with_provider(context, "", &status, &message);
    assert_int_equal(status, CLGRAD_STATUS_SUCCESS);
    assert_ptr_equal(clgrad_cl(opened)->gemm, clgrad_cl(context)->gemm);
    assert_true(clgrad_cl(opened)->multiplies_in_tiles == clgrad_cl(context)->multiplies_in_tiles);
    clgrad_context_destroy(opened);
    const char *const unknown[] = {"openblas", "BLAS", "clblast "};
    for (size_t i = 0; i < COUNT(unknown); i++) {
        assert_null(with_provider(context, unknown[i], &status, &message));
        assert_int_equal(status, CLGRAD_STATUS_INVALID_ARGUMENT);
        char quoted[32];
        snprintf(quoted, sizeof quoted, "\"%s\"", unknown[i]);
        assert_non_null(strstr(message.text, quoted));
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(golden_values),   CASE(agrees_with_the_reference),
        CASE(no_outputs),      CASE(chained_layers_agree_with_the_reference),
        CASE(large_batches),   CASE(gradients_are_slopes),
        CASE(either_provider), CASE(provider_is_chosen_by_name),
    };
    return run_on_every_device(cases, COUNT(cases));
}
