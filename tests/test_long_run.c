/*
 * A long run: training goes on for many steps, and what is held stays what it was after the first few, on the
 * host and on the device.
 *
 *     test_long_run [STEPS]       2,000 unless told otherwise; docs/reliability.md has 100,000
 *
 * Each step gathers a batch (the last of an epoch is smaller than the others), sets the learning rate, and
 * trains; each epoch draws a new order, reads the loss, and evaluates all rows.
 */
#include "faults.h"
#include "harness.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROWS = 1000, INPUTS = 20, CLASSES = 4, BATCH = 64, EPOCH = (ROWS + BATCH - 1) / BATCH };

/*
 * By so much the process's memory may grow after warming up, however long the run is: the C library and the
 * driver keep some of what they were given back. Of the library's own nothing may: those are counted.
 */
enum { MOST_GROWTH_KIB = 1024 };

static uint64_t steps_to_run = 2000;

/* What is held at a moment. */
typedef struct holding {
    fault_holds counts;
    uint64_t device_bytes, allocations;
    long resident_kib;
} holding;

static long resident_kib(void)
{
    long pages = 0, resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    assert_non_null(file);
    const int found = fscanf(file, "%ld %ld", &pages, &resident);
    fclose(file);
    assert_int_equal(found, 2);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

static holding look(clgrad_context *context)
{
    clgrad_counters counters;
    assert_ok(context, clgrad_context_finish(context));
    assert_ok(context, clgrad_context_counters(context, &counters));
    return (holding){faults_held(), counters.allocated_bytes, counters.allocations, resident_kib()};
}

static void print_holding(uint64_t steps, const holding *h)
{
    printf("after %" PRIu64 " steps: %ld KiB resident; the library holds %ld blocks of host memory, %" PRIu64
           " bytes on the device in %" PRIu64 " allocations so far; OpenCL %ld memories, %ld programs, %ld "
           "kernels, %ld queues, %ld contexts, %ld events\n",
           steps, h->resident_kib, h->counts.blocks, h->device_bytes, h->allocations, h->counts.memories,
           h->counts.programs, h->counts.kernels, h->counts.queues, h->counts.contexts, h->counts.events);
    fflush(stdout);
}

static void assert_flat(const holding *warm, const holding *now)
{
    assert_int_equal(now->device_bytes, warm->device_bytes);
    assert_int_equal(now->allocations, warm->allocations);
    assert_int_equal(now->counts.contexts, warm->counts.contexts);
    assert_int_equal(now->counts.queues, warm->counts.queues);
    assert_int_equal(now->counts.memories, warm->counts.memories);
    assert_int_equal(now->counts.programs, warm->counts.programs);
    assert_int_equal(now->counts.kernels, warm->counts.kernels);
    assert_int_equal(now->counts.events, warm->counts.events);
    assert_int_equal(now->counts.blocks, warm->counts.blocks);
    assert_int_equal(now->counts.descriptors, warm->counts.descriptors);
    if (now->resident_kib > warm->resident_kib + MOST_GROWTH_KIB)
        fail_msg("the process has grown from %ld to %ld KiB", warm->resident_kib, now->resident_kib);
}

/* ---- the training ---- */

typedef struct training {
    clgrad_network *network;
    clgrad_optimizer optimizer;
    clgrad_schedule schedule;
    clgrad_tensor all_x, all_target, order, x, target, loss;
} training;

/* The class says in which quarter of the plane the first two features lie. */
static void make_rows(clgrad_context *context, training *t)
{
    float inputs[ROWS * INPUTS];
    int32_t classes[ROWS];
    fill_normal(inputs, COUNT(inputs), 11, 1);
    for (size_t i = 0; i < ROWS; i++)
        classes[i] = (inputs[i * INPUTS] > 0) + 2 * (inputs[i * INPUTS + 1] > 0);
    t->all_x = matrix_with(context, ROWS, INPUTS, inputs);
    t->all_target = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){ROWS}, classes);
    t->order = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){ROWS}, NULL);
    t->x = matrix_with(context, BATCH, INPUTS, NULL);
    t->target = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){BATCH}, NULL);
    t->loss = scalar_with(context, NAN);
}

static training begin_training(clgrad_context *context)
{
    const clgrad_layer layers[] = {
        clgrad_layer_dense(32, CLGRAD_ACTIVATION_IDENTITY), clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),
        clgrad_layer_activation(CLGRAD_ACTIVATION_GELU), clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT),
        clgrad_layer_dense(CLASSES, CLGRAD_ACTIVATION_IDENTITY)};
    training t = {.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW),
                  .schedule = clgrad_schedule_defaults(CLGRAD_SCHEDULE_COSINE_ANNEALING)};
    t.schedule.T_max = 10 * EPOCH;
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS;
    options.layers = layers;
    options.layer_count = COUNT(layers);
    options.optimizer = t.optimizer;
    options.clip_norm = 1;
    assert_ok(context, clgrad_network_create(context, &options, &t.network));
    make_rows(context, &t);
    return t;
}

/* Another order of the rows for every epoch. */
static void shuffle(clgrad_context *context, const training *t, uint64_t epoch)
{
    int32_t order[ROWS];
    uint64_t state = epoch * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int32_t i = 0; i < ROWS; i++) {
        state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        const int32_t j = (int32_t)((state >> 33) % (uint64_t)(i + 1));
        order[i] = order[j];
        order[j] = i;
    }
    assert_ok(context, clgrad_tensor_write(context, t->order, order, sizeof order));
}

static void step(clgrad_context *context, training *t, uint64_t number)
{
    const size_t first = number % EPOCH * BATCH, count = ROWS - first < BATCH ? ROWS - first : BATCH;
    const clgrad_tensor chosen = clgrad_tensor_rows(t->order, first, count);
    const clgrad_tensor x = clgrad_tensor_rows(t->x, 0, count),
                        target = clgrad_tensor_rows(t->target, 0, count);
    assert_ok(context, clgrad_tensor_gather(context, t->all_x, chosen, x));
    assert_ok(context, clgrad_tensor_gather(context, t->all_target, chosen, target));
    t->optimizer.lr = (float)clgrad_schedule_lr(&t->schedule, 1e-3, number);
    assert_ok(context, clgrad_network_set_optimizer(t->network, &t->optimizer));
    assert_ok(context, clgrad_network_train_step(t->network, x, target, t->loss));
}

static float evaluate(clgrad_context *context, const training *t)
{
    assert_ok(context, clgrad_network_evaluate(t->network, t->all_x, t->all_target, t->loss));
    return tensor_scalar_value(context, t->loss);
}

/* ---- the run ---- */

static void memory_stays_flat(clgrad_context *context)
{
    const uint64_t warming = steps_to_run / 4 / EPOCH * EPOCH;
    training t = begin_training(context);
    holding warm = {.resident_kib = -1};
    const float untrained = evaluate(context, &t);
    float loss = untrained;
    for (uint64_t number = 0; number < steps_to_run; number++) {
        if (number % EPOCH == 0)
            shuffle(context, &t, number / EPOCH);
        step(context, &t, number);
        if (number % EPOCH != EPOCH - 1)
            continue;
        assert_true(isfinite(tensor_scalar_value(context, t.loss)));
        loss = evaluate(context, &t);
        if (number + 1 == warming) {
            warm = look(context);
            print_holding(number + 1, &warm);
        }
    }
    const holding end = look(context);
    print_holding(steps_to_run, &end);
    printf("loss over all rows: %.4f at first, %.4f in the end\n", (double)untrained, (double)loss);
    assert_true(warm.resident_kib > 0);
    assert_flat(&warm, &end);
    assert_int_equal(clgrad_network_steps(t.network), steps_to_run);
    assert_true(loss < untrained / 2);

    clgrad_network_destroy(t.network);
    tensor_free(context, t.all_x);
    tensor_free(context, t.all_target);
    tensor_free(context, t.order);
    tensor_free(context, t.x);
    tensor_free(context, t.target);
    tensor_free(context, t.loss);
}

int main(int count, char **arguments)
{
    char *end = NULL;
    if (count > 1)
        steps_to_run = strtoull(arguments[1], &end, 10);
    if (count > 2 || (count == 2 && *end != '\0') || steps_to_run < 8 * EPOCH) {
        fprintf(stderr, "usage: %s [STEPS, at least %d]\n", arguments[0], 8 * EPOCH);
        return 2;
    }
    return run_on_every_device((test_case[]){CASE(memory_stays_flat)}, 1);
}
