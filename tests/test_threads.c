/*
 * Contexts in threads of their own, which need nothing from each other: what each computes has the same bits
 * as alone. Besides what is asserted here, a run under ThreadSanitizer must come out clean (the preset
 * threads).
 */
#include "folder.h"
#include "harness.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define THREADS 8
#define SEEDS 2 /* of what they compute: neighbours compute different things */

/* ---- threads ---- */

typedef void (*work)(void *job);

typedef struct start {
    pthread_barrier_t *barrier;
    work run;
    void *job;
} start;

static void *run_when_all_are_there(void *argument)
{
    const start *s = argument;
    pthread_barrier_wait(s->barrier);
    s->run(s->job);
    return NULL;
}

/* Each job in a thread of its own, all from the same moment on, to their ends. */
static void run_at_once(work run, void *jobs, size_t job_size)
{
    pthread_barrier_t barrier;
    pthread_t threads[THREADS];
    start starts[THREADS];
    assert_int_equal(pthread_barrier_init(&barrier, NULL, THREADS), 0);
    for (size_t i = 0; i < THREADS; i++) {
        starts[i] = (start){&barrier, run, (char *)jobs + i * job_size};
        assert_int_equal(pthread_create(&threads[i], NULL, run_when_all_are_there, &starts[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    pthread_barrier_destroy(&barrier);
}

/* What a job's calls came to. Assertions are for the thread that runs the test, so they wait until the end.
 */
typedef struct outcome {
    bool failed;
    char text[sizeof((clgrad_message *)NULL)->text];
} outcome;

static void note(outcome *o, bool failed, const clgrad_context *context, const clgrad_message *message)
{
    o->failed = failed;
    if (failed)
        snprintf(o->text, sizeof o->text, "%s",
                 context != NULL ? clgrad_context_error(context) : message->text);
}

static void assert_succeeded(const outcome *o)
{
    if (o->failed)
        fail_msg("%s", o->text);
}

/* ---- training ---- */

enum { BATCH = 24, INPUTS = 7, CLASSES = 3, STEPS = 8, MOST_PARAMETERS = 512 };

typedef struct training {
    const char *specification;
    uint64_t seed;
    outcome outcome;
    float losses[STEPS], parameters[MOST_PARAMETERS];
    size_t count; /* of parameters */
} training;

static bool create_network(clgrad_context *context, uint64_t seed, clgrad_network **network)
{
    clgrad_layer layers[] = {
        clgrad_layer_dense(16, CLGRAD_ACTIVATION_IDENTITY),
        clgrad_layer_defaults(CLGRAD_LAYER_BATCH_NORM),
        clgrad_layer_activation(CLGRAD_ACTIVATION_GELU),
        clgrad_layer_defaults(CLGRAD_LAYER_DROPOUT),
        clgrad_layer_dense(12, CLGRAD_ACTIVATION_TANH),
        clgrad_layer_dense(CLASSES, CLGRAD_ACTIVATION_IDENTITY),
    };
    clgrad_network_options options = clgrad_network_defaults();
    options.inputs = INPUTS, options.layers = layers, options.layer_count = COUNT(layers);
    options.optimizer = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAMW);
    options.optimizer.lr = 0.01f;
    options.clip_norm = 1, options.seed = seed;
    return clgrad_network_create(context, &options, network) == CLGRAD_STATUS_SUCCESS;
}

/* From nothing to trained parameters, in a context of its own. */
static void train(void *job)
{
    training *t = job;
    clgrad_context *context = NULL;
    clgrad_message message;
    clgrad_network *network = NULL;
    clgrad_tensor x = {0}, target = {0}, loss = {0};
    int32_t classes[BATCH];
    for (size_t i = 0; i < BATCH; i++)
        classes[i] = (int32_t)((i + t->seed) % CLASSES);

    bool failed = clgrad_context_create(t->specification, &context, &message) ||
                  !create_network(context, t->seed, &network) ||
                  clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){BATCH, INPUTS}, &x) ||
                  clgrad_tensor_create(context, CLGRAD_TYPE_INT32, 1, (size_t[]){BATCH}, &target) ||
                  clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 0, NULL, &loss) ||
                  clgrad_random_normal(context, t->seed, 1000, 0, 1, x) ||
                  clgrad_tensor_write(context, target, classes, sizeof classes);
    for (size_t step = 0; step < STEPS && !failed; step++)
        failed = clgrad_network_train_step(network, x, target, loss) ||
                 clgrad_tensor_read(context, loss, &t->losses[step], sizeof t->losses[step]);
    const clgrad_tensor parameters = clgrad_network_parameters(network);
    if (!failed) {
        t->count = clgrad_tensor_count(parameters);
        failed = t->count == 0 || t->count > MOST_PARAMETERS ||
                 clgrad_tensor_read(context, parameters, t->parameters, t->count * sizeof(float));
    }
    note(&t->outcome, failed, context, &message);
    clgrad_buffer_destroy(x.buffer);
    clgrad_buffer_destroy(target.buffer);
    clgrad_buffer_destroy(loss.buffer);
    clgrad_network_destroy(network);
    clgrad_context_destroy(context);
}

static void train_alone_and_at_once(clgrad_context *context)
{
    training alone[SEEDS], *at_once = allocate(THREADS, sizeof *at_once);
    for (size_t i = 0; i < SEEDS; i++) {
        alone[i] = (training){.specification = clgrad_context_device(context)->specification, .seed = i + 1};
        train(&alone[i]);
        assert_succeeded(&alone[i].outcome);
    }
    assert_memory_not_equal(alone[0].losses, alone[1].losses, sizeof alone[0].losses);
    for (size_t i = 0; i < THREADS; i++) {
        at_once[i].specification = alone[0].specification;
        at_once[i].seed = alone[i % SEEDS].seed;
    }
    run_at_once(train, at_once, sizeof *at_once);
    for (size_t i = 0; i < THREADS; i++) {
        const training *expected = &alone[i % SEEDS];
        assert_succeeded(&at_once[i].outcome);
        assert_int_equal(at_once[i].count, expected->count);
        assert_memory_equal(at_once[i].losses, expected->losses, sizeof expected->losses);
        assert_memory_equal(at_once[i].parameters, expected->parameters, sizeof expected->parameters);
    }
    free(at_once);
}

static void train_with_products_by(clgrad_context *context, const char *provider)
{
    const char *wish = getenv("CLGRAD_GEMM");
    if (clgrad_context_device(context)->type == CLGRAD_DEVICE_REFERENCE || wish != NULL)
        skip();
    setenv("CLGRAD_GEMM", provider, 1);
    train_alone_and_at_once(context);
    unsetenv("CLGRAD_GEMM");
}

static void the_same_bits_as_alone(clgrad_context *context)
{
    train_alone_and_at_once(context);
}

static void the_same_bits_with_the_host_blas(clgrad_context *context)
{
    train_with_products_by(context, "blas");
}

/* CLBlast has one cache of programs for all contexts, which is cleared when one of them closes. */
static void the_same_bits_with_clblast(clgrad_context *context)
{
    train_with_products_by(context, "clblast");
}

/* ---- coming and going ---- */

enum { ROUNDS = 6, ELEMENTS = 100 };

static const clgrad_activation_kind kinds[] = {CLGRAD_ACTIVATION_RELU, CLGRAD_ACTIVATION_TANH,
                                               CLGRAD_ACTIVATION_GELU};

typedef struct visits {
    const char *specification;
    size_t first; /* of the kinds */
    outcome outcomes[ROUNDS];
    uint64_t compiled;
    float results[ROUNDS][ELEMENTS];
} visits;

/* A context that computes one thing and closes. */
static void visit(visits *v, size_t round)
{
    const clgrad_activation activation = clgrad_activation_defaults(kinds[(v->first + round) % COUNT(kinds)]);
    clgrad_context *context = NULL;
    clgrad_message message;
    clgrad_counters counters = {0};
    clgrad_tensor x = {0};
    const bool failed = clgrad_context_create(v->specification, &context, &message) ||
                        clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 1, (size_t[]){ELEMENTS}, &x) ||
                        clgrad_random_normal(context, 5, 0, 0, 1, x) ||
                        clgrad_activation_forward(context, &activation, x, x) ||
                        clgrad_tensor_read(context, x, v->results[round], sizeof v->results[round]) ||
                        clgrad_context_counters(context, &counters);
    note(&v->outcomes[round], failed, context, &message);
    v->compiled += counters.programs_compiled;
    clgrad_buffer_destroy(x.buffer);
    clgrad_context_destroy(context);
}

static void come_and_go(void *job)
{
    for (size_t round = 0; round < ROUNDS; round++)
        visit(job, round);
}

static void assert_visits(const visits *v, const visits *expected)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        const size_t same = (v->first + round) % COUNT(kinds);
        assert_succeeded(&v->outcomes[round]);
        assert_memory_equal(v->results[round], expected->results[same], sizeof v->results[round]);
    }
}

/* All of them fill one cache of compiled programs, empty at first, and load what others have put there. */
static void contexts_come_and_go(clgrad_context *context)
{
    const path place_alone = make_place(), place = make_place();
    const visits nothing = {.specification = clgrad_context_device(context)->specification};
    visits *alone = allocate(1, sizeof *alone), *after = allocate(1, sizeof *after),
           *at_once = allocate(THREADS, sizeof *at_once);
    *alone = *after = nothing;
    setenv("CLGRAD_CACHE", place_alone.text, 1);
    come_and_go(alone);
    assert_visits(alone, alone);
    for (size_t kind = 1; kind < COUNT(kinds); kind++)
        assert_memory_not_equal(alone->results[kind], alone->results[0], sizeof alone->results[0]);

    setenv("CLGRAD_CACHE", place.text, 1);
    for (size_t i = 0; i < THREADS; i++) {
        at_once[i] = nothing;
        at_once[i].first = i % COUNT(kinds);
    }
    run_at_once(come_and_go, at_once, sizeof *at_once);
    for (size_t i = 0; i < THREADS; i++)
        assert_visits(&at_once[i], alone);

    /* The same files as one alone leaves, and no others; and all of them good. */
    path names[16], others[16];
    const size_t files = list(place.text, names, COUNT(names));
    assert_true(files < COUNT(names));
    assert_int_equal(files, list(place_alone.text, others, COUNT(others)));
    come_and_go(after);
    assert_visits(after, alone);
    assert_int_equal(after->compiled, files > 0 ? 0 : alone->compiled);
    setenv("CLGRAD_CACHE", "off", 1);
    remove_all(place_alone.text);
    remove_all(place.text);
    free(alone);
    free(after);
    free(at_once);
}

/* ---- the first calls of a process ---- */

/* A device of the best kind, if there is one. */
static void open_and_close(void *job)
{
    clgrad_status *status = job;
    clgrad_context *context;
    *status = clgrad_context_create("opencl", &context, NULL);
    clgrad_context_destroy(context);
}

/* Drivers make themselves ready at their first call: PoCL 3.1 crashes when that is two at once. */
static void contexts_are_opened_at_once(void **state)
{
    (void)state;
    clgrad_status statuses[THREADS];
    run_at_once(open_and_close, statuses, sizeof *statuses);
    for (size_t i = 0; i < THREADS; i++)
        assert_true(statuses[i] == statuses[0] &&
                    (statuses[i] == CLGRAD_STATUS_SUCCESS || statuses[i] == CLGRAD_STATUS_DEVICE_NOT_FOUND));
}

int main(void)
{
    setenv("CLGRAD_CACHE", "off", 1);
    const struct CMUnitTest first[] = {cmocka_unit_test(contexts_are_opened_at_once)};
    const int failed = cmocka_run_group_tests(first, NULL, NULL); /* before devices are listed */
    const test_case cases[] = {
        CASE(the_same_bits_as_alone),
        CASE(the_same_bits_with_the_host_blas),
        CASE(the_same_bits_with_clblast),
        CASE(contexts_come_and_go),
    };
    return run_on_every_device(cases, COUNT(cases)) != 0 || failed != 0;
}
