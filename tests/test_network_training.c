/*
 * Whole trainings: they converge, they follow the reference device, and they give the same bits when
 * repeated.
 */
#include "harness.h"
#include "network_oracle.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_LAYERS = 3 };

/* What is trained on what, and how long. */
typedef struct task {
    const char *name;
    samples (*make)(void);
    size_t outputs[MAX_LAYERS], layer_count;
    clgrad_activation_kind hidden, output;
    clgrad_loss_kind loss;
    float lr;
    size_t batch, epochs;
    double loss_below, accuracy_above;
} task;

static samples empty_samples(size_t rows, size_t inputs, size_t outputs)
{
    return (samples){
        .rows = rows, .inputs = inputs, .outputs = outputs, .x = allocate(rows * inputs, sizeof(float))};
}

static samples make_xor(void)
{
    const float x[] = {0, 0, 0, 1, 1, 0, 1, 1}, target[] = {0, 1, 1, 0};
    samples s = empty_samples(4, 2, 1);
    s.target = allocate(4, sizeof *s.target);
    memcpy(s.x, x, sizeof x);
    memcpy(s.target, target, sizeof target);
    return s;
}

/* Two arms of a spiral, one turn each (Lang and Witbrock 1988 have three). */
static samples make_spirals(void)
{
    enum { ROWS = 194 };
    samples s = empty_samples(ROWS, 2, 2);
    s.classes = allocate(ROWS, sizeof *s.classes);
    for (size_t i = 0; i < ROWS; i++) {
        const double along = (double)(i / 2) / (ROWS / 2), angle = 2 * 3.14159265358979 * along,
                     radius = 0.5 + 2 * along;
        const double side = i % 2 == 0 ? 1 : -1;
        s.x[2 * i] = (float)(side * radius * cos(angle));
        s.x[2 * i + 1] = (float)(side * radius * sin(angle));
        s.classes[i] = (int32_t)(i % 2);
    }
    return s;
}

/* Three heaps of points, far enough apart that hardly any is on the wrong side. */
static samples make_blobs(void)
{
    enum { ROWS = 301 };
    const double centres[3][2] = {{2, 0}, {-1, 1.7}, {-1, -1.7}};
    samples s = empty_samples(ROWS, 2, 3);
    s.classes = allocate(ROWS, sizeof *s.classes);
    fill_normal(s.x, 2 * ROWS, 5, 0.5);
    for (size_t i = 0; i < ROWS; i++) {
        s.classes[i] = (int32_t)(i % 3);
        for (size_t k = 0; k < 2; k++)
            s.x[2 * i + k] += (float)centres[i % 3][k];
    }
    return s;
}

static const task tasks[] = {
    {"xor",
     make_xor,
     {8, 1},
     2,
     CLGRAD_ACTIVATION_TANH,
     CLGRAD_ACTIVATION_SIGMOID,
     CLGRAD_LOSS_BCE,
     0.5f,
     4,
     200,
     0.01,
     0.999},
    {"blobs",
     make_blobs,
     {16, 3},
     2,
     CLGRAD_ACTIVATION_RELU,
     CLGRAD_ACTIVATION_IDENTITY,
     CLGRAD_LOSS_CROSS_ENTROPY,
     0.1f,
     32,
     10,
     0.01,
     0.98},
    {"spirals",
     make_spirals,
     {32, 32, 2},
     3,
     CLGRAD_ACTIVATION_TANH,
     CLGRAD_ACTIVATION_IDENTITY,
     CLGRAD_LOSS_CROSS_ENTROPY,
     0.1f,
     50,
     150,
     0.02,
     0.98},
};

/* ---- running one ---- */

/* A training's loss at each step, its parameters at the end, and how well it does on its own samples. */
typedef struct outcome {
    size_t steps, parameter_count;
    float *losses, *parameters;
    double loss, accuracy;
} outcome;

static void outcome_free(outcome o)
{
    free(o.losses);
    free(o.parameters);
}

/* The share of rows whose largest output is their class's; of one output, that is on the target's side. */
static double accuracy_of(samples s, const float *prediction)
{
    size_t right = 0;
    for (size_t i = 0; i < s.rows; i++) {
        const float *row = prediction + i * s.outputs;
        size_t best = 0;
        for (size_t k = 1; k < s.outputs; k++)
            best = row[k] > row[best] ? k : best;
        right += s.classes != NULL ? best == (size_t)s.classes[i] : (row[0] > 0.5f) == (s.target[i] > 0.5f);
    }
    return (double)right / (double)s.rows;
}

/* A new order of the rows for each epoch. */
static void shuffle(int32_t *order, size_t count, uint32_t *draw)
{
    for (size_t i = count; i-- > 1;) {
        *draw = *draw * 1664525u + 1013904223u;
        const size_t k = (*draw >> 8) % (i + 1);
        const int32_t kept = order[i];
        order[i] = order[k];
        order[k] = kept;
    }
}

/* The samples and their order lie on the device; each batch is gathered there, the last of an epoch is
 * smaller. */
static outcome train(clgrad_context *context, const task *t, uint64_t seed, size_t max_steps)
{
    samples s = t->make();
    clgrad_layer layers[MAX_LAYERS];
    for (size_t i = 0; i < t->layer_count; i++)
        layers[i] = clgrad_layer_dense(t->outputs[i], i + 1 < t->layer_count ? t->hidden : t->output);
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = s.inputs;
    options.layers = layers;
    options.layer_count = t->layer_count;
    options.loss = clgrad_loss_defaults(t->loss);
    options.optimizer.lr = t->lr;
    options.optimizer.momentum = 0.9f;
    options.seed = seed;
    clgrad_network *network = build(context, &options);

    clgrad_tensor x = upload_x(context, s), target = upload_target(context, s),
                  loss = scalar_with(context, NAN);
    clgrad_tensor order = tensor_with(context, CLGRAD_TYPE_INT32, 1, &s.rows, NULL);
    clgrad_tensor batch_x = matrix_with(context, t->batch, s.inputs, NULL), batch_target = target;
    batch_target.shape[0] = t->batch;
    batch_target = tensor_with(context, target.type, target.rank, batch_target.shape, NULL);

    const size_t steps_of_epoch = (s.rows + t->batch - 1) / t->batch;
    outcome o = {.losses = allocate(t->epochs * steps_of_epoch, sizeof(float))};
    int32_t *rows = allocate(s.rows, sizeof *rows);
    uint32_t draw = 1;
    for (size_t i = 0; i < s.rows; i++)
        rows[i] = (int32_t)i;
    for (size_t epoch = 0; epoch < t->epochs && o.steps < max_steps; epoch++) {
        shuffle(rows, s.rows, &draw);
        assert_ok(context, clgrad_tensor_write(context, order, rows, s.rows * sizeof *rows));
        for (size_t first = 0; first < s.rows && o.steps < max_steps; first += t->batch) {
            const size_t count = s.rows - first < t->batch ? s.rows - first : t->batch;
            const clgrad_tensor indices = clgrad_tensor_rows(order, first, count);
            const clgrad_tensor some_x = clgrad_tensor_rows(batch_x, 0, count),
                                some_target = clgrad_tensor_rows(batch_target, 0, count);
            assert_ok(context, clgrad_tensor_gather(context, x, indices, some_x));
            assert_ok(context, clgrad_tensor_gather(context, target, indices, some_target));
            assert_ok(context, clgrad_network_train_step(network, some_x, some_target, loss));
            o.losses[o.steps++] = tensor_scalar_value(context, loss);
        }
    }
    assert_int_equal(clgrad_network_steps(network), o.steps);

    clgrad_tensor prediction = matrix_with(context, s.rows, s.outputs, NULL);
    assert_ok(context, clgrad_network_predict(network, x, prediction));
    float *predicted = tensor_floats(context, prediction);
    o.accuracy = accuracy_of(s, predicted);
    free(predicted);
    assert_ok(context, clgrad_network_evaluate(network, x, target, loss));
    o.loss = (double)tensor_scalar_value(context, loss);
    o.parameter_count = parameter_count(&options);
    o.parameters = tensor_floats(context, clgrad_network_parameters(network));

    const clgrad_tensor all[] = {x, target, loss, order, batch_x, batch_target, prediction};
    for (size_t i = 0; i < COUNT(all); i++)
        tensor_free(context, all[i]);
    free(rows);
    clgrad_network_destroy(network);
    samples_free(s);
    return o;
}

/* ---- the tests ---- */

/* Without the largest where sizes are to be small. */
static size_t task_count(void)
{
    return COUNT(tasks) - (test_small() ? 1 : 0);
}

static void trainings_converge(clgrad_context *context)
{
    if (test_small())
        skip();
    for (size_t i = 0; i < COUNT(tasks); i++) {
        outcome o = train(context, &tasks[i], 1, SIZE_MAX);
        if (!(o.loss < tasks[i].loss_below && o.accuracy > tasks[i].accuracy_above))
            fail_msg("%s: loss %g after a first %g, accuracy %g", tasks[i].name, o.loss, (double)o.losses[0],
                     o.accuracy);
        outcome_free(o);
    }
}

/*
 * The same steps on the reference device. Rounding differs from the first step on, and training spreads it,
 * by a factor that these tasks and rates keep below a hundred or so in 20 steps.
 */
static void trainings_follow_the_reference(clgrad_context *context)
{
    clgrad_context *reference = NULL;
    assert_int_equal(clgrad_context_create("reference", &reference, NULL), CLGRAD_STATUS_SUCCESS);
    const size_t steps = test_small() ? 5 : 20;
    for (size_t i = 0; i < task_count(); i++) {
        outcome here = train(context, &tasks[i], 2, steps), there = train(reference, &tasks[i], 2, steps);
        assert_int_equal(here.steps, steps);
        double *losses = widen(there.losses, steps), *tolerances = allocate(steps, sizeof *tolerances);
        for (size_t k = 0; k < steps; k++)
            tolerances[k] = 1000 * 0x1p-24 * (1 + fabs(losses[k]));
        assert_all_close(tasks[i].name, here.losses, losses, tolerances, steps);
        assert_true(here.losses[steps - 1] < here.losses[0]);
        free(losses);
        free(tolerances);
        outcome_free(here);
        outcome_free(there);
    }
    clgrad_context_destroy(reference);
}

static void trainings_repeat_bit_for_bit(clgrad_context *context)
{
    for (size_t i = 0; i < task_count(); i++) {
        const size_t steps = test_small() ? 3 : SIZE_MAX;
        outcome first = train(context, &tasks[i], 3, steps), second = train(context, &tasks[i], 3, steps);
        assert_int_equal(first.steps, second.steps);
        assert_memory_equal(first.losses, second.losses, first.steps * sizeof(float));
        assert_memory_equal(first.parameters, second.parameters, first.parameter_count * sizeof(float));
        outcome_free(first);
        outcome_free(second);
    }
}

/* ---- batches of every size ---- */

/* A network that has seen batches of other sizes gives what a new one with its parameters gives, bit for bit.
 */
static void batches_of_changing_sizes(clgrad_context *context)
{
    const size_t sizes[] = {5, 64, 7, 1, 65, 0, 64, 2, 130};
    clgrad_layer layers[LAYERS];
    for (size_t variant = 0; variant < 3; variant++) {
        const clgrad_network_options options = mixed_network(layers, variant);
        samples s = make_samples(130, 4, 3, true);
        clgrad_tensor x = upload_x(context, s), target = upload_target(context, s);
        clgrad_tensor loss = scalar_with(context, NAN), prediction = matrix_with(context, 130, 3, NULL);
        clgrad_tensor evaluated = scalar_with(context, NAN);
        clgrad_network *used = build(context, &options);
        for (size_t i = 0; i < COUNT(sizes); i++) {
            clgrad_network *fresh = build(context, &options);
            assert_ok(context, clgrad_tensor_copy(context, clgrad_network_parameters(used),
                                                  clgrad_network_parameters(fresh)));
            const size_t first = (130 - sizes[i]) / 2; /* a slice from the middle */
            const clgrad_tensor some_x = clgrad_tensor_rows(x, first, sizes[i]),
                                some_target = clgrad_tensor_rows(target, first, sizes[i]),
                                some = clgrad_tensor_rows(prediction, first, sizes[i]);
            void *wanted[5];
            clgrad_network *const both[] = {fresh, used};
            for (int k = 0; k < 2; k++) {
                assert_ok(context, clgrad_network_predict(both[k], some_x, some));
                assert_ok(context, clgrad_network_evaluate(both[k], some_x, some_target, evaluated));
                assert_ok(context, clgrad_network_train_step(both[k], some_x, some_target, loss));
                const clgrad_tensor results[] = {some, evaluated, loss, clgrad_network_gradients(both[k]),
                                                 clgrad_network_parameters(both[k])};
                for (size_t r = 0; r < COUNT(results); r++) {
                    if (k == 0)
                        wanted[r] = tensor_contents(context, results[r]);
                    else
                        assert_contents(context, results[r], wanted[r]);
                }
            }
            for (size_t r = 0; r < COUNT(wanted); r++)
                free(wanted[r]);
            clgrad_network_destroy(fresh);
        }
        float *parameters = tensor_floats(context, clgrad_network_parameters(used));
        for (size_t i = 0; i < parameter_count(&options); i++)
            assert_true(isfinite(parameters[i])); /* the batch of no rows has not spoilt them */
        free(parameters);
        tensor_free(context, x);
        tensor_free(context, target);
        tensor_free(context, loss);
        tensor_free(context, evaluated);
        tensor_free(context, prediction);
        clgrad_network_destroy(used);
        samples_free(s);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(trainings_converge),
        CASE(trainings_follow_the_reference),
        CASE(trainings_repeat_bit_for_bit),
        CASE(batches_of_changing_sizes),
    };
    return run_on_every_device(cases, COUNT(cases));
}
