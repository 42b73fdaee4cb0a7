/*
 * Layer and batch normalisation: the reference's formulas against golden values and finite differences, and
 * every device against both.
 */
#include "golden/normalization.h"
#include "normalization_case.h"

#include <string.h>

/* Step s of golden values; running is what the statistics are before it. */
static work golden_work(const golden_normalization *g, size_t s, const float *mean, const float *var)
{
    const size_t count = g->batch * g->features;
    work w = {.label = g->label,
              .layer = g->layer,
              .norm = g->norm,
              .batch = g->batch,
              .features = g->features,
              .weight32 = g->weight,
              .bias32 = g->bias,
              .running_mean32 = mean,
              .running_var32 = var,
              .x32 = g->x + s * count,
              .dy32 = g->dy + s * count};
    compute(&w);
    return w;
}

/* ---- the reference called directly ---- */

static void assert_near(const char *label, const char *what, const double *got, const double *expected,
                        size_t count, double tolerance)
{
    for (size_t i = 0; i < count; i++)
        if (!is_close(got[i], expected[i], tolerance * (1 + fabs(expected[i]))))
            fail_msg("%s: %s[%zu] is %.17g, not %.17g", label, what, i, got[i], expected[i]);
}

static void reference_matches_golden_values(clgrad_context *context)
{
    (void)context;
    for (size_t k = 0; k < COUNT(golden_normalizations); k++) {
        const golden_normalization *g = &golden_normalizations[k];
        const size_t f = g->features, count = g->batch * f;
        double *mean = widen_if(g->running_mean, f), *var = widen_if(g->running_var, f);
        for (size_t s = 0; s < g->steps; s++) {
            work w = golden_work(g, s, g->running_mean, g->running_var);
            if (mean != NULL) { /* go on from the last step, in double precision */
                memcpy(w.running_mean, mean, f * sizeof *mean);
                memcpy(w.running_var, var, f * sizeof *var);
                forward(&w, w.x);
                backward(&w);
                memcpy(mean, w.running_mean, f * sizeof *mean);
                memcpy(var, w.running_var, f * sizeof *var);
                assert_near(g->label, "running_mean", mean, g->running_means + s * f, f, 1e-14);
                assert_near(g->label, "running_var", var, g->running_vars + s * f, f, 1e-14);
            }
            const double tolerance = fabsf(g->x[0]) > 1000 ? 1e-10 : 1e-12;
            assert_near(g->label, "y", w.y, g->y + s * count, count, tolerance);
            assert_near(g->label, "dx", w.dx, g->dx + s * count, count, tolerance);
            if (g->dweight != NULL) {
                assert_near(g->label, "dweight", w.dweight, g->dweight + s * f, f, tolerance);
                assert_near(g->label, "dbias", w.dbias, g->dbias + s * f, f, tolerance);
            }
            free_work(&w);
        }
        free(mean);
        free(var);
    }
}

/* The change of the sum of dy y when a number moves. */
static double difference(work *w, double *moved)
{
    const double h = 1e-5, there = *moved;
    double result = 0;
    for (int side = -1; side <= 1; side += 2) {
        *moved = there + side * h;
        forward(w, w->x);
        for (size_t i = 0; i < w->count; i++)
            result += side * w->dy[i] * w->y[i] / (2 * h);
    }
    *moved = there;
    return result;
}

static void reference_gradient_matches_differences(clgrad_context *context)
{
    (void)context;
    enum { BATCH = 5, FEATURES = 4 };
    float x[BATCH * FEATURES], dy[BATCH * FEATURES], other[4][FEATURES];
    fill_normal(x, COUNT(x), 1, 1.5);
    fill_normal(dy, COUNT(dy), 2, 1);
    for (size_t i = 0; i < COUNT(other); i++)
        fill_normal(other[i], FEATURES, 3 + i, 1);
    for (size_t i = 0; i < FEATURES; i++)
        other[3][i] = 0.5f + fabsf(other[3][i]);
    for (int kind = 0; kind < 3; kind++) { /* layer, batch in training, batch in evaluation */
        work w = {.label = "differences",
                  .layer = kind == 0,
                  .norm = {1e-3f, 0, kind == 1},
                  .batch = BATCH,
                  .features = FEATURES,
                  .weight32 = other[0],
                  .bias32 = other[1],
                  .running_mean32 = kind > 0 ? other[2] : NULL,
                  .running_var32 = kind > 0 ? other[3] : NULL,
                  .x32 = x,
                  .dy32 = dy};
        compute(&w);
        for (size_t i = 0; i < w.count; i++)
            assert_true(is_close(w.dx[i], difference(&w, &w.x[i]), 1e-8));
        for (size_t i = 0; i < FEATURES; i++) {
            assert_true(is_close(w.dweight[i], difference(&w, &w.weight[i]), 1e-8));
            assert_true(is_close(w.dbias[i], difference(&w, &w.bias[i]), 1e-8));
        }
        free_work(&w);
    }
}

/* ---- devices ---- */

typedef struct tensors {
    clgrad_tensor x, weight, bias, running_mean, running_var, y, mean, rstd, dy, dx, dweight, dbias;
} tensors;

static clgrad_tensor vector_if(clgrad_context *context, size_t count, const float *data)
{
    return data != NULL ? vector_with(context, count, data) : clgrad_tensor_none();
}

static tensors make_tensors(clgrad_context *context, const work *w)
{
    const size_t f = w->features;
    return (tensors){
        .x = matrix_with(context, w->batch, f, w->x32),
        .weight = vector_if(context, f, w->weight32),
        .bias = vector_if(context, f, w->bias32),
        .running_mean = vector_if(context, f, w->running_mean32),
        .running_var = vector_if(context, f, w->running_var32),
        .y = matrix_with(context, w->batch, f, NULL),
        .mean = vector_with(context, w->statistics, NULL),
        .rstd = vector_with(context, w->statistics, NULL),
        .dy = matrix_with(context, w->batch, f, w->dy32),
        .dx = matrix_with(context, w->batch, f, NULL),
        .dweight = vector_with(context, f, NULL),
        .dbias = vector_with(context, f, NULL),
    };
}

static void free_tensors(clgrad_context *context, const tensors *t)
{
    const clgrad_tensor all[] = {t->x,    t->weight, t->bias, t->running_mean, t->running_var, t->y,
                                 t->mean, t->rstd,   t->dy,   t->dx,           t->dweight,     t->dbias};
    for (size_t i = 0; i < COUNT(all); i++)
        tensor_free(context, all[i]);
}

static void run_forward(clgrad_context *context, const work *w, const tensors *t, clgrad_tensor y,
                        clgrad_tensor mean, clgrad_tensor rstd)
{
    if (w->layer)
        assert_ok(context,
                  clgrad_layer_norm_forward(context, w->norm.eps, t->x, t->weight, t->bias, y, mean, rstd));
    else
        assert_ok(context, clgrad_batch_norm_forward(context, &w->norm, t->x, t->weight, t->bias,
                                                     t->running_mean, t->running_var, y, mean, rstd));
}

static void run_backward(clgrad_context *context, const work *w, const tensors *t, clgrad_tensor dx,
                         clgrad_tensor dweight, clgrad_tensor dbias)
{
    if (w->layer)
        assert_ok(context, clgrad_layer_norm_backward(context, t->x, t->weight, t->mean, t->rstd, t->dy, dx,
                                                      dweight, dbias));
    else
        assert_ok(context, clgrad_batch_norm_backward(context, &w->norm, t->x, t->weight, t->mean, t->rstd,
                                                      t->dy, dx, dweight, dbias));
}

static void assert_tensor_close(clgrad_context *context, const char *label, const char *what,
                                clgrad_tensor tensor, const double *exact, const double *tolerance)
{
    float *got = tensor_floats(context, tensor);
    for (size_t i = 0; i < clgrad_tensor_count(tensor); i++)
        if (!is_close(got[i], exact[i], tolerance[i]))
            fail_msg("%s: %s[%zu] is %.9g, not %.17g; the tolerance is %g", label, what, i, (double)got[i],
                     exact[i], tolerance[i]);
    free(got);
}

/* The running statistics moved from start by the batch's, or not at all in evaluation. */
static void check_running(clgrad_context *context, const work *w, const tensors *t)
{
    for (size_t f = 0; f < w->features && w->running_mean != NULL; f++) {
        double size = 0;
        for (size_t b = 0; b < w->batch; b++)
            size += fabs(w->x[b * w->features + f]) / (double)w->batch;
        const double share = w->norm.momentum, moved = 32 * u * size;
        const double rest = 1 - share, n = (double)w->batch;
        const double variance = 1 / (w->rstd[f] * w->rstd[f]);
        float mean, var;
        const clgrad_tensor at_mean =
            clgrad_tensor_vector(t->running_mean.buffer, t->running_mean.offset + f, CLGRAD_TYPE_FLOAT32, 1);
        const clgrad_tensor at_var =
            clgrad_tensor_vector(t->running_var.buffer, t->running_var.offset + f, CLGRAD_TYPE_FLOAT32, 1);
        assert_ok(context, clgrad_tensor_read(context, at_mean, &mean, sizeof mean));
        assert_ok(context, clgrad_tensor_read(context, at_var, &var, sizeof var));
        if (!w->norm.training) {
            assert_true(mean == w->running_mean32[f] && var == w->running_var32[f]);
            continue;
        }
        assert_true(is_close(mean, w->running_mean[f],
                             4 * u * rest * fabsf(w->running_mean32[f]) + share * 2 * moved));
        assert_true(is_close(var, w->running_var[f],
                             4 * u * rest * fabsf(w->running_var32[f]) +
                                 share * n / (n - 1) * (128 * u * variance + moved * moved) + FLT_MIN));
    }
}

/* Forward: everything, then without the statistics and in place, with the same bits. */
static void check_forward(clgrad_context *context, const work *w, const tensors *t)
{
    double *y = allocate(w->count, sizeof *y), *mean = allocate(w->statistics, sizeof *mean);
    double *rstd = allocate(w->statistics, sizeof *rstd);
    forward_tolerances(w, y, mean, rstd);
    run_forward(context, w, t, t->y, t->mean, t->rstd);
    check_running(context, w, t);
    assert_holds(context, t->x, w->x32);
    if (w->weight32 != NULL)
        assert_holds(context, t->weight, w->weight32);
    if (w->bias32 != NULL)
        assert_holds(context, t->bias, w->bias32);
    assert_tensor_close(context, w->label, "mean", t->mean, w->mean, mean);
    assert_tensor_close(context, w->label, "rstd", t->rstd, w->rstd, rstd);
    assert_tensor_close(context, w->label, "y", t->y, w->y, y);

    float *got = tensor_floats(context, t->y);
    tensors in_place = *t;
    if (w->norm.training && !w->layer)
        in_place.running_mean = in_place.running_var = clgrad_tensor_none();
    run_forward(context, w, &in_place, t->x, clgrad_tensor_none(), clgrad_tensor_none());
    assert_holds(context, t->x, got);
    assert_ok(context, clgrad_tensor_write(context, t->x, w->x32, w->count * sizeof *w->x32));
    free(got);
    free(y);
    free(mean);
    free(rstd);
}

/* Backward from the device's own statistics: everything, then each alone, and in dy's place. */
static void check_backward(clgrad_context *context, work *w, const tensors *t)
{
    const clgrad_tensor none = clgrad_tensor_none();
    float *mean = tensor_floats(context, t->mean), *rstd = tensor_floats(context, t->rstd);
    for (size_t k = 0; k < w->statistics; k++) {
        w->mean[k] = mean[k];
        w->rstd[k] = rstd[k];
    }
    backward(w);
    double *dx = allocate(w->count, sizeof *dx), *dweight = allocate(w->features, sizeof *dweight);
    double *dbias = allocate(w->features, sizeof *dbias);
    backward_tolerances(w, dx, dweight, dbias);
    run_backward(context, w, t, t->dx, t->dweight, t->dbias);
    assert_tensor_close(context, w->label, "dx", t->dx, w->dx, dx);
    assert_tensor_close(context, w->label, "dweight", t->dweight, w->dweight, dweight);
    assert_tensor_close(context, w->label, "dbias", t->dbias, w->dbias, dbias);

    float *got[3] = {tensor_floats(context, t->dx), tensor_floats(context, t->dweight),
                     tensor_floats(context, t->dbias)};
    const clgrad_tensor wanted[3] = {t->dx, t->dweight, t->dbias};
    for (size_t i = 0; i < 3; i++) {
        assert_ok(context, clgrad_tensor_fill(context, wanted[i], -7));
        run_backward(context, w, t, i == 0 ? t->dx : none, i == 1 ? t->dweight : none,
                     i == 2 ? t->dbias : none);
        assert_holds(context, wanted[i], got[i]);
    }
    assert_holds(context, t->x, w->x32);
    assert_holds(context, t->dy, w->dy32);
    assert_holds(context, t->mean, mean);
    assert_holds(context, t->rstd, rstd);
    run_backward(context, w, t, t->dy, t->dweight, t->dbias);
    assert_holds(context, t->dy, got[0]);
    assert_holds(context, t->dweight, got[1]);
    assert_holds(context, t->dbias, got[2]);
    for (size_t i = 0; i < 3; i++)
        free(got[i]);
    free(mean);
    free(rstd);
    free(dx);
    free(dweight);
    free(dbias);
}

static void check(clgrad_context *context, work *w)
{
    const tensors t = make_tensors(context, w);
    check_forward(context, w, &t);
    check_backward(context, w, &t);
    free_tensors(context, &t);
    free_work(w);
}

/* Each step from the golden running statistics before it, rounded. */
static void device_matches_golden_values(clgrad_context *context)
{
    for (size_t k = 0; k < COUNT(golden_normalizations); k++) {
        const golden_normalization *g = &golden_normalizations[k];
        const size_t f = g->features, count = g->batch * f;
        float *mean = allocate(f, sizeof *mean), *var = allocate(f, sizeof *var);
        for (size_t s = 0; s < g->steps; s++) {
            const bool running = g->running_mean != NULL;
            for (size_t i = 0; i < f && running; i++) {
                mean[i] = s == 0 ? g->running_mean[i] : (float)g->running_means[(s - 1) * f + i];
                var[i] = s == 0 ? g->running_var[i] : (float)g->running_vars[(s - 1) * f + i];
            }
            work w = golden_work(g, s, running ? mean : NULL, running ? var : NULL);
            if (s == 0) {
                memcpy(w.y, g->y, count * sizeof *w.y);
                if (running) {
                    memcpy(w.running_mean, g->running_means, f * sizeof *w.running_mean);
                    memcpy(w.running_var, g->running_vars, f * sizeof *w.running_var);
                }
            }
            check(context, &w);
        }
        free(mean);
        free(var);
    }
}

static void check_size(clgrad_context *context, size_t batch, size_t features, double spread, float offset,
                       unsigned parts)
{
    const size_t count = batch * features;
    float *x = allocate(count, sizeof *x), *dy = allocate(count, sizeof *dy), *vectors[4];
    fill_normal(x, count, count, spread);
    fill_normal(dy, count, count + 1, 1);
    for (size_t i = 0; i < count; i++)
        x[i] += offset;
    for (size_t k = 0; k < COUNT(vectors); k++) {
        vectors[k] = allocate(features, sizeof *vectors[k]);
        fill_normal(vectors[k], features, k + features, 1);
    }
    for (size_t i = 0; i < features; i++)
        vectors[3][i] = 0.25f + fabsf(vectors[3][i]);
    for (int kind = 0; kind < 3; kind++) {
        const bool training = kind == 1;
        if (training && batch < 2)
            continue;
        work w = {.label = kind == 0  ? "layer"
                           : training ? "batch, training"
                                      : "batch, evaluation",
                  .layer = kind == 0,
                  .norm = {1e-5f, 0.1f, training},
                  .batch = batch,
                  .features = features,
                  .weight32 = parts & 1 ? vectors[0] : NULL,
                  .bias32 = parts & 2 ? vectors[1] : NULL,
                  .running_mean32 = kind == 2 || (kind == 1 && parts & 4) ? vectors[2] : NULL,
                  .running_var32 = kind == 2 || (kind == 1 && parts & 4) ? vectors[3] : NULL,
                  .x32 = x,
                  .dy32 = dy};
        compute(&w);
        check(context, &w);
    }
    for (size_t k = 0; k < COUNT(vectors); k++)
        free(vectors[k]);
    free(x);
    free(dy);
}

static void device_matches_reference(clgrad_context *context)
{
    static const struct {
        size_t batch, features;
        double spread;
        float offset;
    } sizes[] = {
        {1, 1, 1, 0},       {2, 1, 1, 0},        {1, 7, 1, 0},          {2, 5, 1, 0},        {0, 4, 1, 0},
        {7, 3, 1, 1e4f},    {5, 33, 0.1, 1e4f},  {33, 9, 1e-3, 1},      {4, 65, 1e6, -1e8f}, {3, 300, 1, 0},
        {300, 3, 1, 1e4f},  {257, 31, 1, -5},    {1000, 1, 1, 0},       {2, 1000, 1e-12, 0}, {64, 256, 1, 0},
        {5000, 40, 1, 100}, {3, 20000, 1, 1e4f}, {20000, 3, 0.5, 1e4f},
    };
    for (size_t i = 0; i < (test_small() ? 9 : COUNT(sizes)); i++)
        for (unsigned parts = 0; parts < 8; parts += sizes[i].batch * sizes[i].features < 2000 ? 1 : 7)
            check_size(context, sizes[i].batch, sizes[i].features, sizes[i].spread, sizes[i].offset, parts);
}

int main(void)
{
    const test_case cases[] = {
        CASE(reference_matches_golden_values),
        CASE(reference_gradient_matches_differences),
        CASE(device_matches_golden_values),
        CASE(device_matches_reference),
    };
    return run_on_every_device(cases, COUNT(cases));
}
