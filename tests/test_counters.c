/*
 * What a context counts, and by it the steady state: after the first training step of a shape nothing is
 * compiled, created or allocated, nothing waits, and every step enqueues as much as the one before.
 */
#include "loss_case.h"

#include "opencl/cl_backend.h"

#include <clgrad/opencl.h>

static clgrad_counters counters_of(const clgrad_context *context)
{
    clgrad_counters counters;
    memset(&counters, 0xff, sizeof counters);
    assert_int_equal(clgrad_context_counters(context, &counters), CLGRAD_STATUS_SUCCESS);
    return counters;
}

/* 1 where there is a queue and programs, 0 for the reference. */
static uint64_t on_device(const clgrad_context *context)
{
    return clgrad_context_device(context)->type != CLGRAD_DEVICE_REFERENCE;
}

/* ---- single calls ---- */

#define assert_added(before, after, enqueued, waited)                        \
    do {                                                                     \
        assert_int_equal((after).enqueues, (before).enqueues + (enqueued));  \
        assert_int_equal((after).waits, (before).waits + (waited));          \
        assert_int_equal((after).kernels_created, (before).kernels_created); \
        assert_int_equal((after).allocations, (before).allocations);         \
        assert_int_equal((after).allocated_bytes, (before).allocated_bytes); \
    } while (0)

static void commands_and_waits_are_counted(clgrad_context *context)
{
    const uint64_t one = on_device(context);
    const float numbers[] = {1, 2, 3};
    clgrad_tensor x = vector_with(context, 3, numbers), y = vector_with(context, 3, NULL);
    assert_ok(context, clgrad_tensor_fill(context, y, 1)); /* its kernel is there from here on */
    assert_ok(context, clgrad_context_finish(context));    /* and no fault can be pending */
    const clgrad_counters start = counters_of(context);

    assert_ok(context, clgrad_tensor_fill(context, y, 2));
    const clgrad_counters filled = counters_of(context);
    assert_added(start, filled, one, 0);

    assert_ok(context, clgrad_tensor_copy(context, x, y));
    const clgrad_counters copied = counters_of(context);
    assert_added(filled, copied, one, 0);

    assert_ok(context, clgrad_tensor_write(context, x, numbers, sizeof numbers));
    const clgrad_counters written = counters_of(context);
    assert_added(copied, written, one, one);

    assert_holds(context, y, numbers);
    const clgrad_counters read = counters_of(context);
    assert_added(written, read, one, one);

    assert_ok(context, clgrad_context_finish(context));
    const clgrad_counters finished = counters_of(context);
    assert_added(read, finished, 0, one);

    assert_refused(context, clgrad_tensor_copy(context, x, clgrad_tensor_none()),
                   CLGRAD_STATUS_INVALID_ARGUMENT, "");
    const clgrad_counters refused = counters_of(context);
    assert_added(finished, refused, 0, 0);
    tensor_free(context, x);
    tensor_free(context, y);
}

static void memory_is_counted(clgrad_context *context)
{
    const clgrad_counters start = counters_of(context);
    clgrad_buffer *small, *large;
    assert_ok(context, clgrad_buffer_create(context, 12, &small));
    assert_ok(context, clgrad_buffer_create(context, 4000, &large));
    const clgrad_counters both = counters_of(context);
    assert_int_equal(both.allocations, start.allocations + 2);
    assert_int_equal(both.allocated_bytes, start.allocated_bytes + 4012);
    clgrad_buffer_destroy(large);
    assert_int_equal(counters_of(context).allocated_bytes, start.allocated_bytes + 12);
    clgrad_buffer_destroy(small);
    assert_int_equal(counters_of(context).allocated_bytes, start.allocated_bytes);
    assert_int_equal(counters_of(context).allocations, start.allocations + 2);
}

static void the_callers_memory_is_not_counted(clgrad_context *context)
{
    cl_context owner = NULL;
    clgrad_buffer *buffer;
    if (clgrad_opencl_queue(context) == NULL)
        return;
    clGetCommandQueueInfo(clgrad_opencl_queue(context), CL_QUEUE_CONTEXT, sizeof owner, &owner, NULL);
    cl_mem memory = clCreateBuffer(owner, CL_MEM_READ_WRITE, 64, NULL, NULL);
    const clgrad_counters start = counters_of(context);
    assert_ok(context, clgrad_opencl_buffer_create(context, memory, &buffer));
    clgrad_buffer_destroy(buffer);
    const clgrad_counters end = counters_of(context);
    assert_added(start, end, 0, 0);
    clReleaseMemObject(memory);
}

/* A kernel is created once, and counts as one program and one kernel, be it compiled or loaded. */
static void kernels_are_counted(clgrad_context *context)
{
    clgrad_activation odd = clgrad_activation_defaults(CLGRAD_ACTIVATION_SOFTSIGN);
    clgrad_tensor x = scalar_with(context, 1);
    const clgrad_counters start = counters_of(context);
    assert_ok(context, clgrad_activation_forward(context, &odd, x, x));
    const clgrad_counters first = counters_of(context);
    assert_int_equal(first.programs_compiled + first.programs_loaded,
                     start.programs_compiled + start.programs_loaded + on_device(context));
    assert_int_equal(first.kernels_created, start.kernels_created + on_device(context));
    assert_ok(context, clgrad_activation_forward(context, &odd, x, x));
    const clgrad_counters second = counters_of(context);
    assert_int_equal(second.programs_compiled, first.programs_compiled);
    assert_int_equal(second.programs_loaded, first.programs_loaded);
    assert_added(first, second, on_device(context), 0);
    tensor_free(context, x);
}

static void the_reference_counts_memory_alone(clgrad_context *context)
{
    clgrad_tensor x = scalar_with(context, 1);
    assert_ok(context, clgrad_tensor_fill(context, x, 2));
    const clgrad_counters c = counters_of(context);
    assert_true(c.allocations > 0 && c.allocated_bytes > 0);
    const uint64_t rest = c.programs_compiled + c.programs_loaded + c.kernels_created + c.enqueues + c.waits;
    assert_true(on_device(context) ? rest > 0 : rest == 0);
    tensor_free(context, x);
}

static void null_is_refused(clgrad_context *context)
{
    clgrad_counters counters;
    assert_int_equal(clgrad_context_counters(NULL, &counters), CLGRAD_STATUS_INVALID_ARGUMENT);
    assert_int_equal(clgrad_context_counters(context, NULL), CLGRAD_STATUS_INVALID_ARGUMENT);
}

/* ---- losses ---- */

/* Value and gradient by the prediction. */
static uint64_t enqueues_of_a_loss(clgrad_context *context, const loss_case *c)
{
    loss_tensors t = loss_case_tensors(context, c);
    const clgrad_loss_gradients wanted = {.dprediction = t.gradients.dprediction};
    const uint64_t before = counters_of(context).enqueues;
    assert_ok(context,
              clgrad_loss_evaluate(context, &c->loss, &t.inputs, clgrad_tensor_none(), t.value, &wanted));
    const uint64_t enqueues = counters_of(context).enqueues - before;
    loss_tensors_free(context, t);
    return enqueues;
}

static void check_enqueues(clgrad_context *context, clgrad_loss loss, const shaped *s, unsigned with)
{
    loss_drawn *drawn = loss_draw(loss, s->rank, s->shape, with);
    const uint64_t enqueues = enqueues_of_a_loss(context, &drawn->c);
    if (on_device(context) ? enqueues < 1 || enqueues > 2 : enqueues != 0)
        fail_msg("%s takes %llu enqueues", drawn->label, (unsigned long long)enqueues);
    loss_drawn_free(drawn);
}

/* Also where many groups share the sum, and the sum of the weights that a mean of class indices divides by.
 */
static void every_loss_takes_two_enqueues_at_most(clgrad_context *context)
{
    static const shaped small[] = {{2, {5, 3}}, {3, {4, 3, 3}}},
                        large[] = {{2, {20011, 3}}, {3, {4, 300, 3}}};
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        clgrad_loss loss = clgrad_loss_defaults((clgrad_loss_kind)k);
        const bool sequences = clgrad_loss_describe(loss.kind)->extent == CLGRAD_LOSS_SEQUENCE;
        for (int reduction = CLGRAD_REDUCTION_MEAN; reduction <= CLGRAD_REDUCTION_SUM; reduction++) {
            loss.reduction = (clgrad_reduction)reduction;
            for (unsigned with = 0; with <= LOSS_WITH_CLASSES; with++) {
                if ((with & loss_ways(loss.kind)) != with)
                    continue;
                check_enqueues(context, loss, &small[sequences], with);
                check_enqueues(context, loss, &large[sequences], with);
            }
        }
    }
}

/* ---- the steady state ---- */

enum { BATCH = 16, INPUTS = 24, CLASSES = 5, STEPS = 20 };

/* Train on one batch after the other; what the first step has made must do for all others. Returns a step's
 * enqueues. */
static uint64_t train_steadily(clgrad_context *context, const clgrad_network_options *options)
{
    float inputs[BATCH * INPUTS];
    int32_t classes[BATCH];
    fill_normal(inputs, COUNT(inputs), 7, 1);
    for (int i = 0; i < BATCH; i++)
        classes[i] = i % CLASSES;
    clgrad_tensor x = matrix_with(context, BATCH, INPUTS, inputs), loss = scalar_with(context, 0);
    clgrad_tensor target = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){BATCH}, classes);
    clgrad_network *network = NULL;
    assert_ok(context, clgrad_network_create(context, options, &network));
    assert_ok(context, clgrad_network_train_step(network, x, target, loss));

    const clgrad_counters first = counters_of(context);
    uint64_t enqueues = 0;
    for (int step = 0; step < STEPS; step++) {
        const uint64_t before = counters_of(context).enqueues;
        assert_ok(context, clgrad_network_train_step(network, x, target, loss));
        const uint64_t now = counters_of(context).enqueues - before;
        assert_true(step == 0 || now == enqueues);
        enqueues = now;
    }
    const clgrad_counters last = counters_of(context);
    assert_int_equal(last.programs_compiled, first.programs_compiled);
    assert_int_equal(last.programs_loaded, first.programs_loaded);
    assert_added(first, last, STEPS * enqueues, 0);
    assert_true(on_device(context) ? enqueues > 0 : enqueues == 0);

    clgrad_network_destroy(network);
    tensor_free(context, x);
    tensor_free(context, target);
    tensor_free(context, loss);
    return enqueues;
}

static clgrad_network_options options_for(const clgrad_layer *layers, size_t count,
                                          clgrad_optimizer_kind optimizer)
{
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS;
    options.layers = layers;
    options.layer_count = count;
    options.loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    options.optimizer = clgrad_optimizer_defaults(optimizer);
    if (optimizer == CLGRAD_OPTIMIZER_SGD)
        options.optimizer.momentum = 0.9f;
    return options;
}

static const clgrad_optimizer_kind optimizers[] = {CLGRAD_OPTIMIZER_SGD, CLGRAD_OPTIMIZER_ADAMW};

/*
 * What docs/performance.md states. A dense layer is one enqueue forward and one backward where its kernels
 * multiply, since the layer above has made its dz. Elsewhere dz is one more, and the two products backward
 * and the one forward are enqueues of their own (a BLAS's product is up to three), of which a first layer
 * lacks one. The loss is one here, and so is the optimizer.
 */
static uint64_t enqueues_of_a_step(clgrad_context *context, uint64_t layers)
{
    if (!on_device(context))
        return 0;
    const uint64_t others = 2;
    return clgrad_cl(context)->multiplies_in_tiles ? 2 * layers + others : 5 * layers - 1 + others;
}

static void dense_networks_train_steadily(clgrad_context *context)
{
    const clgrad_layer layers[] = {clgrad_layer_dense(12, CLGRAD_ACTIVATION_RELU),
                                   clgrad_layer_dense(CLASSES, CLGRAD_ACTIVATION_IDENTITY)};
    for (size_t i = 0; i < COUNT(optimizers); i++) {
        const clgrad_network_options options = options_for(layers, COUNT(layers), optimizers[i]);
        const uint64_t enqueues = train_steadily(context, &options);
        assert_int_equal(enqueues, enqueues_of_a_step(context, COUNT(layers)));
    }
}

static void networks_of_all_kinds_train_steadily(clgrad_context *context)
{
    const clgrad_layer layers[] = {clgrad_layer_dense(12, CLGRAD_ACTIVATION_RELU),
                                   clgrad_layer_defaults(CLGRAD_LAYER_LAYER_NORM),
                                   clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT),
                                   clgrad_layer_dense(8, CLGRAD_ACTIVATION_IDENTITY),
                                   clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),
                                   clgrad_layer_defaults(CLGRAD_LAYER_PRELU),
                                   clgrad_layer_dense(CLASSES, CLGRAD_ACTIVATION_IDENTITY)};
    for (size_t i = 0; i < COUNT(optimizers); i++) {
        clgrad_network_options options = options_for(layers, COUNT(layers), optimizers[i]);
        options.clip_norm = 1;
        train_steadily(context, &options);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(commands_and_waits_are_counted),        CASE(memory_is_counted),
        CASE(the_callers_memory_is_not_counted),     CASE(kernels_are_counted),
        CASE(the_reference_counts_memory_alone),     CASE(null_is_refused),
        CASE(dense_networks_train_steadily),         CASE(networks_of_all_kinds_train_steadily),
        CASE(every_loss_takes_two_enqueues_at_most),
    };
    return run_on_every_device(cases, COUNT(cases));
}
