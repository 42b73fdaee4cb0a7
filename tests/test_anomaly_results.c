/*
 * clgrad_context_detect_anomaly looks at each result of an operation that has several: here one of them alone
 * goes wrong, or those behind it in the operation's order too, and it is the one that is named.
 */
#include "harness.h"

#include <float.h>
#include <math.h>
#include <string.h>

enum { ROWS = 3, COLUMNS = 4, MADE = 16 };

/* Tensors of one number each, freed together. */
typedef struct shelf {
    clgrad_context *context;
    clgrad_tensor made[MADE];
    size_t count;
} shelf;

static clgrad_tensor put(shelf *s, int rank, const size_t *shape, float value)
{
    float numbers[ROWS * COLUMNS + COLUMNS];
    for (size_t i = 0; i < COUNT(numbers); i++)
        numbers[i] = value;
    assert_true(s->count < MADE);
    return s->made[s->count++] = tensor_with(s->context, CLGRAD_TYPE_FLOAT32, rank, shape, numbers);
}

static clgrad_tensor matrix(shelf *s, size_t rows, float value)
{
    return put(s, 2, (size_t[]){rows, COLUMNS}, value);
}

static clgrad_tensor vector(shelf *s, size_t count, float value)
{
    return put(s, 1, &count, value);
}

static const clgrad_activation *activation(clgrad_activation *room, clgrad_activation_kind kind)
{
    *room = clgrad_activation_defaults(kind);
    return room;
}

/* ---- dense layers: z and h, dz, dweight, dbias and dx ---- */

static clgrad_status dense(shelf *s, clgrad_activation_kind kind, float x)
{
    clgrad_activation room;
    return clgrad_dense_forward(s->context, activation(&room, kind), matrix(s, ROWS, x),
                                matrix(s, COLUMNS, 1), vector(s, COLUMNS, 0), matrix(s, ROWS, 0),
                                matrix(s, ROWS, 0));
}

static clgrad_status dense_z(shelf *s)
{
    return dense(s, CLGRAD_ACTIVATION_SIGMOID, FLT_MAX);
}

static clgrad_status dense_h(shelf *s)
{
    return dense(s, CLGRAD_ACTIVATION_EXP, 100);
}

/* By the identity, so that dz is dh. */
static clgrad_status dense_backward(shelf *s, float x, float weight, float dh)
{
    clgrad_activation room;
    return clgrad_dense_backward(s->context, activation(&room, CLGRAD_ACTIVATION_IDENTITY),
                                 matrix(s, ROWS, x), matrix(s, COLUMNS, weight), matrix(s, ROWS, 1),
                                 matrix(s, ROWS, dh), matrix(s, ROWS, 0), matrix(s, COLUMNS, 0),
                                 vector(s, COLUMNS, 0), matrix(s, ROWS, 0));
}

static clgrad_status dense_dz(shelf *s)
{
    return dense_backward(s, 1, 1, INFINITY);
}

static clgrad_status dense_dweight(shelf *s)
{
    return dense_backward(s, 1e30f, 1, 1e30f);
}

static clgrad_status dense_dbias(shelf *s)
{
    return dense_backward(s, 0, 0, FLT_MAX);
}

static clgrad_status dense_dx(shelf *s)
{
    return dense_backward(s, 0, 1e30f, 1e30f);
}

/* ---- losses: value and three gradients ---- */

/* 0.5 (log var + (x - t)^2 / var), summed: its gradients by x and by t are 1 / var here. */
static clgrad_status loss(shelf *s, float t, float variance, bool value, bool dprediction, bool dtarget)
{
    const clgrad_loss loss = clgrad_loss_defaults(CLGRAD_LOSS_GAUSSIAN_NLL);
    clgrad_loss_inputs inputs = clgrad_loss_inputs_none();
    inputs.prediction = matrix(s, ROWS, 0);
    inputs.target = matrix(s, ROWS, t);
    inputs.other = matrix(s, ROWS, variance);
    const clgrad_tensor none = clgrad_tensor_none();
    const clgrad_loss_gradients gradients = {dprediction ? matrix(s, ROWS, 0) : none,
                                             dtarget ? matrix(s, ROWS, 0) : none, matrix(s, ROWS, 0)};
    return clgrad_loss_evaluate(s->context, &loss, &inputs, none, value ? put(s, 0, NULL, 0) : none,
                                &gradients);
}

static clgrad_status loss_value(shelf *s)
{
    return loss(s, NAN, 1, true, true, true);
}

static clgrad_status loss_dprediction(shelf *s)
{
    return loss(s, NAN, 1, false, true, true);
}

static clgrad_status loss_dtarget(shelf *s)
{
    return loss(s, NAN, 1, false, false, true);
}

static clgrad_status loss_dother(shelf *s)
{
    return loss(s, NAN, 1, false, false, false);
}

/* ---- optimizers: parameters and state ---- */

static clgrad_status optimize(shelf *s, float gradient)
{
    const clgrad_optimizer adam = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAM);
    return clgrad_optimizer_step(s->context, &adam, 1, vector(s, COLUMNS, gradient), vector(s, COLUMNS, 1),
                                 matrix(s, 2, 0));
}

static clgrad_status optimizer_parameters(shelf *s)
{
    return optimize(s, NAN);
}

/* The gradient's square is beyond float32; what is divided by it is 0. */
static clgrad_status optimizer_state(shelf *s)
{
    return optimize(s, 1e30f);
}

/* ---- PReLU: dx and dweight ---- */

static clgrad_status prelu(shelf *s, float dy)
{
    return clgrad_prelu_backward(s->context, matrix(s, ROWS, -1e30f), vector(s, COLUMNS, 1),
                                 matrix(s, ROWS, dy), matrix(s, ROWS, 0), vector(s, COLUMNS, 0));
}

static clgrad_status prelu_dx(shelf *s)
{
    return prelu(s, INFINITY);
}

static clgrad_status prelu_dweight(shelf *s)
{
    return prelu(s, 1e30f);
}

/* ---- normalisation: mean, rstd, the running ones and y; dx, dweight and dbias ---- */

static clgrad_status layer_norm(shelf *s, float x, float bias, float eps)
{
    return clgrad_layer_norm_forward(s->context, eps, matrix(s, ROWS, x), vector(s, COLUMNS, 1),
                                     vector(s, COLUMNS, bias), matrix(s, ROWS, 0), vector(s, ROWS, 0),
                                     vector(s, ROWS, 0));
}

static clgrad_status layer_norm_mean(shelf *s)
{
    return layer_norm(s, NAN, 0, 1e-5f);
}

/* All numbers of a row are equal. */
static clgrad_status layer_norm_rstd(shelf *s)
{
    return layer_norm(s, 1, 0, 0);
}

static clgrad_status layer_norm_y(shelf *s)
{
    return layer_norm(s, 1, INFINITY, 1e-5f);
}

static clgrad_status batch_norm(shelf *s, float x, float bias, float eps, float mean, float variance)
{
    clgrad_batch_norm norm = clgrad_batch_norm_defaults();
    norm.eps = eps;
    return clgrad_batch_norm_forward(s->context, &norm, matrix(s, ROWS, x), vector(s, COLUMNS, 1),
                                     vector(s, COLUMNS, bias), vector(s, COLUMNS, mean),
                                     vector(s, COLUMNS, variance), matrix(s, ROWS, 0), vector(s, COLUMNS, 0),
                                     vector(s, COLUMNS, 0));
}

static clgrad_status batch_norm_mean(shelf *s)
{
    return batch_norm(s, NAN, 0, 1e-5f, 0, 1);
}

static clgrad_status batch_norm_rstd(shelf *s)
{
    return batch_norm(s, 1, 0, 0, 0, 1);
}

static clgrad_status batch_norm_running_mean(shelf *s)
{
    return batch_norm(s, 1, 0, 1e-5f, INFINITY, INFINITY);
}

static clgrad_status batch_norm_running_var(shelf *s)
{
    return batch_norm(s, 1, NAN, 1e-5f, 0, INFINITY);
}

static clgrad_status batch_norm_y(shelf *s)
{
    return batch_norm(s, 1, NAN, 1e-5f, 0, 1);
}

/* x - mean is x; dx is 0 where the weight is. */
static clgrad_status layer_norm_backward(shelf *s, float x, float weight, float dy)
{
    return clgrad_layer_norm_backward(s->context, matrix(s, ROWS, x), vector(s, COLUMNS, weight),
                                      vector(s, ROWS, 0), vector(s, ROWS, 1), matrix(s, ROWS, dy),
                                      matrix(s, ROWS, 0), vector(s, COLUMNS, 0), vector(s, COLUMNS, 0));
}

static clgrad_status layer_norm_dx(shelf *s)
{
    return layer_norm_backward(s, 1, 1, NAN);
}

static clgrad_status layer_norm_dweight(shelf *s)
{
    return layer_norm_backward(s, 1, 0, FLT_MAX);
}

static clgrad_status layer_norm_dbias(shelf *s)
{
    return layer_norm_backward(s, 0, 0, FLT_MAX);
}

static clgrad_status batch_norm_backward(shelf *s, float x, float weight, float dy)
{
    clgrad_batch_norm norm = clgrad_batch_norm_defaults();
    norm.training = false; /* dx is dy weight rstd */
    return clgrad_batch_norm_backward(s->context, &norm, matrix(s, ROWS, x), vector(s, COLUMNS, weight),
                                      vector(s, COLUMNS, 0), vector(s, COLUMNS, 1), matrix(s, ROWS, dy),
                                      matrix(s, ROWS, 0), vector(s, COLUMNS, 0), vector(s, COLUMNS, 0));
}

static clgrad_status batch_norm_dx(shelf *s)
{
    return batch_norm_backward(s, 1, 1, NAN);
}

static clgrad_status batch_norm_dweight(shelf *s)
{
    return batch_norm_backward(s, 1, 0, FLT_MAX);
}

static clgrad_status batch_norm_dbias(shelf *s)
{
    return batch_norm_backward(s, 0, 0, FLT_MAX);
}

/* ---- clipping: the norm and the gradient ---- */

static clgrad_status clip_total_norm(shelf *s)
{
    return clgrad_clip_grad_norm(s->context, 1, 1, matrix(s, ROWS, FLT_MAX), put(s, 0, NULL, 0));
}

static clgrad_status clip_gradient(shelf *s)
{
    return clgrad_clip_grad_norm(s->context, 1, 2, matrix(s, ROWS, INFINITY), clgrad_tensor_none());
}

/* What is said begins and ends so; which element of several is told is the device's choice. */
static const struct {
    clgrad_status (*run)(shelf *s);
    const char *operation, *result;
} results[] = {
    {dense_z, "dense_forward sigmoid gave inf at element ", " of z [3, 4]"},
    {dense_h, "dense_forward exp gave inf at element ", " of h [3, 4]"},
    {dense_dz, "dense_backward identity gave inf at element ", " of dz [3, 4]"},
    {dense_dweight, "dense_backward identity gave inf at element ", " of dweight [4, 4]"},
    {dense_dbias, "dense_backward identity gave inf at element ", " of dbias [4]"},
    {dense_dx, "dense_backward identity gave inf at element ", " of dx [3, 4]"},
    {loss_value, "loss_evaluate gaussian_nll gave nan at element ", " of value []"},
    {loss_dprediction, "loss_evaluate gaussian_nll gave nan at element ", " of dprediction [3, 4]"},
    {loss_dtarget, "loss_evaluate gaussian_nll gave nan at element ", " of dtarget [3, 4]"},
    {loss_dother, "loss_evaluate gaussian_nll gave nan at element ", " of dother [3, 4]"},
    {optimizer_parameters, "optimizer_step adam gave nan at element ", " of parameters [4]"},
    {optimizer_state, "optimizer_step adam gave inf at element ", " of state [2, 4]"},
    {prelu_dx, "prelu_backward gave inf at element ", " of dx [3, 4]"},
    {prelu_dweight, "prelu_backward gave -inf at element ", " of dweight [4]"},
    {layer_norm_mean, "layer_norm_forward gave nan at element ", " of mean [3]"},
    {layer_norm_rstd, "layer_norm_forward gave inf at element ", " of rstd [3]"},
    {layer_norm_y, "layer_norm_forward gave inf at element ", " of y [3, 4]"},
    {batch_norm_mean, "batch_norm_forward gave nan at element ", " of mean [4]"},
    {batch_norm_rstd, "batch_norm_forward gave inf at element ", " of rstd [4]"},
    {batch_norm_running_mean, "batch_norm_forward gave inf at element ", " of running_mean [4]"},
    {batch_norm_running_var, "batch_norm_forward gave inf at element ", " of running_var [4]"},
    {batch_norm_y, "batch_norm_forward gave nan at element ", " of y [3, 4]"},
    {layer_norm_dx, "layer_norm_backward gave nan at element ", " of dx [3, 4]"},
    {layer_norm_dweight, "layer_norm_backward gave inf at element ", " of dweight [4]"},
    {layer_norm_dbias, "layer_norm_backward gave inf at element ", " of dbias [4]"},
    {batch_norm_dx, "batch_norm_backward gave nan at element ", " of dx [3, 4]"},
    {batch_norm_dweight, "batch_norm_backward gave inf at element ", " of dweight [4]"},
    {batch_norm_dbias, "batch_norm_backward gave inf at element ", " of dbias [4]"},
    {clip_total_norm, "clip_grad_norm gave inf at element ", " of total_norm []"},
    {clip_gradient, "clip_grad_norm gave nan at element ", " of gradient [3, 4]"},
};

/* The operands are put there as words (harness.c), which are not looked at. */
static void every_result_is_named(clgrad_context *context)
{
    assert_ok(context, clgrad_context_detect_anomaly(context, true));
    for (size_t i = 0; i < COUNT(results); i++) {
        shelf s = {.context = context};
        assert_ok(context, results[i].run(&s));
        assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_NOT_FINITE,
                       results[i].operation);
        if (strstr(clgrad_context_error(context), results[i].result) == NULL)
            fail_msg("\"%s\" is not about \"%s\"", clgrad_context_error(context), results[i].result);
        for (size_t k = 0; k < s.count; k++)
            tensor_free(context, s.made[k]);
    }
    assert_ok(context, clgrad_context_detect_anomaly(context, false));
}

int main(void)
{
    const test_case cases[] = {CASE(every_result_is_named)};
    return run_on_every_device(cases, COUNT(cases));
}
