/*
 * Layer and batch normalisation as calls: running statistics over several steps and under a pending fault,
 * special values, and what is refused.
 */
#include "golden/normalization.h"
#include "refused_calls.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static void defaults_are_pytorchs(clgrad_context *context)
{
    (void)context;
    const clgrad_batch_norm norm = clgrad_batch_norm_defaults();
    assert_true(norm.eps == 1e-5f && norm.momentum == 0.1f && norm.training);
}

/* ---- running statistics ---- */

/* All steps of a golden case on the device, which carries its statistics along. */
static void running_statistics_follow_golden_trajectories(clgrad_context *context)
{
    const clgrad_tensor none = clgrad_tensor_none();
    size_t trajectories = 0;
    for (size_t k = 0; k < COUNT(golden_normalizations); k++) {
        const golden_normalization *g = &golden_normalizations[k];
        if (g->running_mean == NULL)
            continue;
        trajectories += g->steps > 1;
        const size_t f = g->features, count = g->batch * f;
        clgrad_tensor mean = vector_with(context, f, g->running_mean);
        clgrad_tensor var = vector_with(context, f, g->running_var);
        for (size_t s = 0; s < g->steps; s++) {
            clgrad_tensor x = matrix_with(context, g->batch, f, g->x + s * count);
            assert_ok(context,
                      clgrad_batch_norm_forward(context, &g->norm, x, none, none, mean, var, x, none, none));
            float *got_mean = tensor_floats(context, mean), *got_var = tensor_floats(context, var);
            for (size_t i = 0; i < f; i++) {
                const double m = g->running_means[s * f + i], v = g->running_vars[s * f + i];
                const double offset = fabsf(g->x[i]);
                assert_true(is_close(got_mean[i], m, 0x1p-20 * (1 + offset)));
                assert_true(is_close(got_var[i], v, 0x1p-18 * (1 + v)));
                if (!g->norm.training || g->norm.momentum == 0)
                    assert_true(got_mean[i] == g->running_mean[i] && got_var[i] == g->running_var[i]);
            }
            free(got_mean);
            free(got_var);
            tensor_free(context, x);
        }
        tensor_free(context, mean);
        tensor_free(context, var);
    }
    assert_true(trajectories > 3);
}

/* A loss whose only class index points nowhere: nothing is reported before the next read or finish. */
static void make_a_fault(clgrad_context *context, clgrad_tensor logits, clgrad_tensor classes,
                         clgrad_tensor value)
{
    const clgrad_loss loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    assert_ok(context, clgrad_loss_forward(context, &loss, logits, classes, value));
}

static void statistics_wait_for_a_fault_to_be_reported(clgrad_context *context)
{
    const float numbers[] = {1, 2, 3, 6}, means[] = {5, 7}, vars[] = {11, 13};
    const clgrad_batch_norm norm = {0, 0.5f, true};
    clgrad_tensor logits = matrix_with(context, 1, 2, (float[]){0, 1}), value = scalar_with(context, 0);
    clgrad_tensor classes = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){1}, &(int32_t){2});
    clgrad_tensor x = matrix_with(context, 2, 2, numbers), y = matrix_with(context, 2, 2, NULL);
    clgrad_tensor running_mean = vector_with(context, 2, means), running_var = vector_with(context, 2, vars);
    clgrad_tensor mean = vector_with(context, 2, NULL), rstd = vector_with(context, 2, NULL);
    const clgrad_tensor none = clgrad_tensor_none();

    make_a_fault(context, logits, classes, value);
    assert_ok(context, clgrad_batch_norm_forward(context, &norm, x, none, none, running_mean, running_var, y,
                                                 mean, rstd));
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, "target[0] is 2");
    assert_holds(context, running_mean, means);
    assert_holds(context, running_var, vars);
    assert_holds(context, y, ((const float[]){-1, -1, 1, 1})); /* the rest of the call has happened */
    assert_holds(context, mean, ((const float[]){2, 4}));
    assert_holds(context, rstd, ((const float[]){1, 0.5f}));

    /* the report ends it: half of the old, and half of the batch's mean and unbiased variance, 2 and 8 */
    assert_ok(context, clgrad_batch_norm_forward(context, &norm, x, none, none, running_mean, running_var, y,
                                                 mean, rstd));
    assert_holds(context, running_mean, ((const float[]){3.5f, 5.5f}));
    assert_holds(context, running_var, ((const float[]){6.5f, 10.5f}));
    const clgrad_tensor all[] = {logits, value, classes, x, y, running_mean, running_var, mean, rstd};
    for (size_t i = 0; i < COUNT(all); i++)
        tensor_free(context, all[i]);
}

/* ---- special values ---- */

enum { BATCH = 4, FEATURES = 70 };

/* NaN and infinities make their row (layer) or column (batch) NaN, and no other; its mean is what they are.
 */
static void nan_stays_in_its_line(clgrad_context *context)
{
    const float strange[] = {NAN, INFINITY, -INFINITY};
    const size_t row = 2, column = 67;
    const clgrad_tensor none = clgrad_tensor_none();
    for (size_t k = 0; k < COUNT(strange); k++)
        for (int layer = 0; layer <= 1; layer++) {
            const clgrad_batch_norm norm = clgrad_batch_norm_defaults();
            float x[BATCH * FEATURES];
            fill_normal(x, COUNT(x), 8, 1);
            x[row * FEATURES + column] = strange[k];
            const size_t statistics = layer ? BATCH : FEATURES;
            clgrad_tensor tx = matrix_with(context, BATCH, FEATURES, x);
            clgrad_tensor y = matrix_with(context, BATCH, FEATURES, NULL);
            clgrad_tensor mean = vector_with(context, statistics, NULL);
            clgrad_tensor rstd = vector_with(context, statistics, NULL);
            if (layer)
                assert_ok(context, clgrad_layer_norm_forward(context, 1e-5f, tx, none, none, y, mean, rstd));
            else
                assert_ok(context, clgrad_batch_norm_forward(context, &norm, tx, none, none, none, none, y,
                                                             mean, rstd));
            clgrad_tensor dy = matrix_with(context, BATCH, FEATURES, NULL);
            assert_ok(context, clgrad_tensor_fill(context, dy, 1));
            if (layer)
                assert_ok(context,
                          clgrad_layer_norm_backward(context, tx, none, mean, rstd, dy, dy, none, none));
            else
                assert_ok(context, clgrad_batch_norm_backward(context, &norm, tx, none, mean, rstd, dy, dy,
                                                              none, none));
            float *got_y = tensor_floats(context, y), *got_dx = tensor_floats(context, dy);
            for (size_t i = 0; i < COUNT(x); i++) {
                const bool there = layer ? i / FEATURES == row : i % FEATURES == column;
                assert_int_equal(!!isnan(got_y[i]), there);
                assert_int_equal(!!isnan(got_dx[i]), there);
            }
            free(got_y);
            free(got_dx);
            float *got_mean = tensor_floats(context, mean), *got_rstd = tensor_floats(context, rstd);
            for (size_t i = 0; i < statistics; i++) {
                const bool there = i == (layer ? row : column);
                assert_true(there ? is_close(got_mean[i], strange[k], 0) : isfinite(got_mean[i]));
                assert_int_equal(!!isnan(got_rstd[i]), there);
            }
            free(got_mean);
            free(got_rstd);
            const clgrad_tensor all[] = {tx, y, mean, rstd, dy};
            for (size_t i = 0; i < COUNT(all); i++)
                tensor_free(context, all[i]);
        }
}

/* Numbers that do not vary: the bias with an eps, NaN (0 times infinity) without. */
static void constant_lines(clgrad_context *context)
{
    const float x[] = {1e4f, 1e4f, 1e4f, 1e4f, 1e4f, 1e4f}, bias[] = {1, -2, 3};
    const clgrad_tensor none = clgrad_tensor_none();
    clgrad_tensor tx = matrix_with(context, 2, 3, x), tbias = vector_with(context, 3, bias);
    clgrad_tensor y = matrix_with(context, 2, 3, NULL), rstd = vector_with(context, 2, NULL);
    clgrad_tensor mean = vector_with(context, 2, NULL);
    assert_ok(context, clgrad_layer_norm_forward(context, 0.25f, tx, none, tbias, y, mean, rstd));
    assert_holds(context, y, ((const float[]){1, -2, 3, 1, -2, 3}));
    assert_holds(context, rstd, ((const float[]){2, 2}));
    assert_holds(context, mean, ((const float[]){1e4f, 1e4f}));
    assert_ok(context, clgrad_layer_norm_forward(context, 0, tx, none, tbias, y, mean, rstd));
    assert_holds(context, y, ((const float[]){NAN, NAN, NAN, NAN, NAN, NAN}));
    assert_holds(context, rstd, ((const float[]){INFINITY, INFINITY}));
    const clgrad_batch_norm norm = {0.25f, 0, true};
    assert_ok(context, clgrad_batch_norm_forward(context, &norm, tx, none, tbias, none, none, y, none, none));
    assert_holds(context, y, ((const float[]){1, -2, 3, 1, -2, 3}));
    const clgrad_tensor all[] = {tx, tbias, y, rstd, mean};
    for (size_t i = 0; i < COUNT(all); i++)
        tensor_free(context, all[i]);
}

/* ---- refusals ---- */

static clgrad_status layer_forward(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_layer_norm_forward(context, 1e-5f, t[0], t[1], t[2], t[3], t[4], t[5]);
}

static clgrad_status layer_backward(clgrad_context *context, const clgrad_tensor *t)
{
    return clgrad_layer_norm_backward(context, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]);
}

static clgrad_status batch_forward(clgrad_context *context, const clgrad_tensor *t)
{
    const clgrad_batch_norm norm = clgrad_batch_norm_defaults();
    return clgrad_batch_norm_forward(context, &norm, t[0], t[1], t[2], t[6], t[7], t[3], t[4], t[5]);
}

static clgrad_status batch_evaluation(clgrad_context *context, const clgrad_tensor *t)
{
    const clgrad_batch_norm norm = {1e-5f, 0.1f, false};
    return clgrad_batch_norm_forward(context, &norm, t[0], t[1], t[2], t[6], t[7], t[3], t[4], t[5]);
}

static clgrad_status batch_backward(clgrad_context *context, const clgrad_tensor *t)
{
    const clgrad_batch_norm norm = clgrad_batch_norm_defaults();
    return clgrad_batch_norm_backward(context, &norm, t[0], t[1], t[2], t[3], t[4], t[5], t[6], t[7]);
}

static void bad_forward_calls_are_refused(clgrad_context *context)
{
    const refused_call layer = {
        layer_forward, {"x", "weight", "bias", "y", "mean", "rstd"}, "weight bias ", "y mean rstd ", "y=x "};
    const refused_call batch = {batch_forward,
                                {"x", "weight", "bias", "y", "mean", "rstd", "running_mean", "running_var"},
                                "weight bias ",
                                "y mean rstd running_mean running_var ",
                                "y=x "};
    refused_call evaluation = batch;
    evaluation.run = batch_evaluation;
    clgrad_tensor t[8];
    for (size_t i = 0; i < COUNT(t); i++)
        t[i] = i == 0 || i == 3 ? matrix_with(context, 3, 3, NULL) : vector_with(context, 3, NULL);
    assert_bad_tensors_refused(context, &layer, t);
    assert_bad_tensors_refused(context, &batch, t);
    assert_bad_tensors_refused(context, &evaluation, t);

    const refused_call *calls[] = {&layer, &batch, &evaluation};
    const clgrad_status shape = CLGRAD_STATUS_INVALID_SHAPE, argument = CLGRAD_STATUS_INVALID_ARGUMENT;
    const clgrad_tensor none = clgrad_tensor_none();
    for (size_t k = 0; k < COUNT(calls); k++) {
        assert_change_refused(context, calls[k], t, "x", reshaped(t[0], 1, (size_t[]){9}), shape,
                              "x has shape [9], it must have 2 dimensions");
        assert_change_refused(context, calls[k], t, "x", reshaped(t[0], 2, (size_t[]){3, 0}), shape,
                              "x has 0 features");
        assert_change_refused(context, calls[k], t, "y", reshaped(t[3], 2, (size_t[]){3, 2}), shape,
                              "y has shape [3, 2], it must have shape [3, 3]");
        assert_change_refused(context, calls[k], t, "mean", none, argument,
                              "mean is absent, but rstd is there");
        assert_change_refused(context, calls[k], t, "rstd", none, argument,
                              "mean is there, but rstd is absent");
        for (size_t i = 1; i < COUNT(t) && calls[k]->names[i] != NULL; i++)
            if (i != 3)
                assert_change_refused(context, calls[k], t, calls[k]->names[i],
                                      reshaped(t[i], 1, (size_t[]){2}), shape,
                                      " has shape [2], it must have shape [3]");
    }
    assert_change_refused(context, &batch, t, "running_mean", none, argument,
                          "running_mean is absent, but running_var is there");
    clgrad_tensor plain[8];
    memcpy(plain, t, sizeof t);
    plain[6] = plain[7] = none;
    assert_refused(context, batch_evaluation(context, plain), argument,
                   "running_mean and running_var are absent, evaluation (training is false) needs them");
    plain[0] = plain[3] = reshaped(t[0], 2, (size_t[]){1, 3});
    assert_refused(context, batch_forward(context, plain), shape,
                   "the batch has 1 row, training needs at least 2 for a variance");
    plain[0] = plain[3] = reshaped(t[0], 2, (size_t[]){0, 3});
    assert_refused(context, batch_forward(context, plain), shape, "the batch has 0 rows");
    for (size_t i = 0; i < COUNT(t); i++) {
        assert_untouched(context, t[i]);
        tensor_free(context, t[i]);
    }
}

static void bad_backward_calls_are_refused(clgrad_context *context)
{
    const refused_call layer = {layer_backward,
                                {"x", "weight", "mean", "rstd", "dy", "dx", "dweight", "dbias"},
                                "weight dx dweight dbias ",
                                "dx dweight dbias ",
                                "dx=dy "};
    refused_call batch = layer;
    batch.run = batch_backward;
    const refused_call *calls[] = {&layer, &batch};
    clgrad_tensor t[8];
    for (size_t i = 0; i < COUNT(t); i++)
        t[i] = i == 0 || i == 4 || i == 5 ? matrix_with(context, 3, 3, NULL) : vector_with(context, 3, NULL);
    const clgrad_status shape = CLGRAD_STATUS_INVALID_SHAPE;
    for (size_t k = 0; k < COUNT(calls); k++) {
        assert_bad_tensors_refused(context, calls[k], t);
        assert_change_refused(context, calls[k], t, "x", reshaped(t[0], 1, (size_t[]){9}), shape,
                              "x has shape [9], it must have 2 dimensions");
        assert_change_refused(context, calls[k], t, "x", reshaped(t[0], 2, (size_t[]){3, 0}), shape,
                              "x has 0 features");
        for (size_t i = 1; i < COUNT(t); i++)
            if (i == 4 || i == 5)
                assert_change_refused(context, calls[k], t, calls[k]->names[i],
                                      reshaped(t[i], 2, (size_t[]){2, 3}), shape,
                                      " has shape [2, 3], it must have shape [3, 3]");
            else
                assert_change_refused(context, calls[k], t, calls[k]->names[i],
                                      reshaped(t[i], 1, (size_t[]){2}), shape,
                                      " has shape [2], it must have shape [3]");
        clgrad_tensor nothing[8];
        memcpy(nothing, t, sizeof t);
        nothing[5] = nothing[6] = nothing[7] = clgrad_tensor_none();
        assert_refused(context, calls[k]->run(context, nothing), CLGRAD_STATUS_INVALID_ARGUMENT,
                       "dx, dweight and dbias are all absent");
    }
    for (size_t i = 0; i < COUNT(t); i++) {
        assert_untouched(context, t[i]);
        tensor_free(context, t[i]);
    }
}

static void bad_numbers_are_refused(clgrad_context *context)
{
    const clgrad_tensor none = clgrad_tensor_none();
    clgrad_tensor x = matrix_with(context, 3, 3, NULL), v = vector_with(context, 3, NULL);
    clgrad_tensor y = matrix_with(context, 3, 3, NULL);
    const struct {
        clgrad_batch_norm norm;
        const char *part;
    } cases[] = {
        {{-0.5f, 0.1f, true}, "eps is -0.5, it must be 0 or more, and finite"},
        {{NAN, 0.1f, true}, "eps is nan"},
        {{INFINITY, 0.1f, false}, "eps is inf"},
        {{1e-5f, -0.5f, true}, "momentum is -0.5, it must lie between 0 and 1"},
        {{1e-5f, 1.5f, true}, "momentum is 1.5"},
        {{1e-5f, NAN, false}, "momentum is nan"},
    };
    const clgrad_status status = CLGRAD_STATUS_INVALID_ARGUMENT;
    for (size_t i = 0; i < COUNT(cases); i++) {
        assert_refused(
            context,
            clgrad_batch_norm_forward(context, &cases[i].norm, x, none, none, none, none, y, none, none),
            status, cases[i].part);
        assert_refused(context,
                       clgrad_batch_norm_backward(context, &cases[i].norm, x, none, v, v, x, y, none, none),
                       status, cases[i].part);
        if (i < 3)
            assert_refused(
                context, clgrad_layer_norm_forward(context, cases[i].norm.eps, x, none, none, y, none, none),
                status, cases[i].part);
    }
    assert_refused(context,
                   clgrad_batch_norm_forward(context, NULL, x, none, none, none, none, y, none, none), status,
                   "norm is NULL");
    assert_refused(context, clgrad_batch_norm_backward(context, NULL, x, none, v, v, x, y, none, none),
                   status, "norm is NULL");
    const clgrad_tensor all[] = {x, v, y};
    for (size_t i = 0; i < COUNT(all); i++) {
        assert_untouched(context, all[i]);
        tensor_free(context, all[i]);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(defaults_are_pytorchs),
        CASE(running_statistics_follow_golden_trajectories),
        CASE(statistics_wait_for_a_fault_to_be_reported),
        CASE(nan_stays_in_its_line),
        CASE(constant_lines),
        CASE(bad_forward_calls_are_refused),
        CASE(bad_backward_calls_are_refused),
        CASE(bad_numbers_are_refused),
    };
    return run_on_every_device(cases, COUNT(cases));
}
