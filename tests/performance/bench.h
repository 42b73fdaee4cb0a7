/*
 * What the programs of the benchmark share: the protocol that bench.py speaks with them, inputs, timing.
 *
 * A side reads one command a line and answers each with one line, "ok ..." or "failed <why>":
 *
 *     DEVICE           ok <device>; <driver>
 *     CASE name        opens a case, does its work CHECKED_REPETITIONS times and keeps what it computed:
 *                      ok <variant> <variant> ...
 *     VARIANT k        chooses one of these
 *     RUN seconds      repeats the work for about so long: ok <microseconds of one repetition> <repetitions>
 *     RESULT file      writes what CASE kept, as float32
 *     COMPARE file     compares it with what another side wrote: ok <largest error> <root of squares' sum>,
 * the first relative to the largest value, the second to the same norm of the values
 *
 * The name of a case says all about it, "dense/forward/64x128x784" say. Inputs are made by one formula on
 * both sides (bench_number here, number in torch_inputs.py), so that no data has to be exchanged.
 */
#ifndef CLGRAD_BENCH_H
#define CLGRAD_BENCH_H

#include <clgrad/clgrad.h>

enum {
    CHECKED_REPETITIONS = 3, /* torch_side.py does as many */
    BENCH_WORDS = 8,
    BENCH_BUFFERS = 16,
    BENCH_RESULTS = 4,
    BENCH_VARIANTS = 8
};

/* Inputs are uniform in [low, high); every array has a stream of its own. */
typedef struct bench_range {
    uint32_t stream;
    double low, high;
} bench_range;

/* What is compared: a tensor, or the change of a tensor where its first values are kept. */
typedef struct bench_result {
    clgrad_tensor tensor;
    float *initial; /* owned; or NULL */
    float *values;  /* owned */
} bench_result;

typedef struct bench bench;

/* A group of cases: the first word of their names, and what opens one of them. */
typedef struct bench_group {
    const char *name;
    bool (*open)(bench *b, char **words, size_t count);
} bench_group;

/* A side, and the case that is open on it. */
struct bench {
    const bench_group *groups; /* ends with a NULL name */
    clgrad_context *context;   /* NULL: a side without clgrad */
    const char *device;
    char error[2304];

    void *state;                              /* the case's own, freed at its end */
    bool (*repeat)(bench *b);                 /* enqueues the work once */
    bool (*settle)(bench *b);                 /* prepares for the timing after the check; or NULL */
    bool (*choose)(bench *b, size_t variant); /* or NULL where there is but one */
    void (*close)(bench *b);                  /* gives back what the state holds; or NULL */
    const char *variants[BENCH_VARIANTS];
    size_t variant_count;
    clgrad_buffer *buffers[BENCH_BUFFERS]; /* destroyed at the case's end */
    size_t buffer_count;
    bench_result results[BENCH_RESULTS];
    size_t result_count;
    double seconds; /* of a repetition, roughly; 0: not known yet */
};

/* Serve until the input ends; the program's exit status. */
int bench_serve(bench *b);

/* Keep a sentence, and false. */
bool bench_fail(bench *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Whether a call on the context went well; otherwise its sentence is kept. */
bool bench_check(bench *b, clgrad_status status);

/* Element i of a stream: 24 random bits. */
uint32_t bench_bits(uint32_t stream, size_t i);

/* A host array of such numbers; NULL when memory is short. */
float *bench_numbers(bench_range range, size_t count);

/* A float32 tensor of these numbers, or with uninitialised contents where range is NULL. */
bool bench_tensor(bench *b, const bench_range *range, int rank, const size_t *shape, clgrad_tensor *tensor);

/* An int32 tensor of class indices below classes. */
bool bench_classes(bench *b, uint32_t stream, size_t count, size_t classes, clgrad_tensor *tensor);

/* Have a tensor compared after the first repetitions; initial (or NULL) is taken over. */
void bench_result_add(bench *b, clgrad_tensor tensor, float *initial);

/* "64x128x784" or "784-128-10" as numbers; false where it is no such list or has more than capacity. */
bool bench_sizes(bench *b, const char *text, char separator, size_t *sizes, size_t capacity, size_t *count);

bool bench_open_copy(bench *b, char **words, size_t count);
bool bench_open_elementwise(bench *b, char **words, size_t count);
bool bench_open_loss(bench *b, char **words, size_t count);
bool bench_open_dense(bench *b, char **words, size_t count);
bool bench_open_optimizer(bench *b, char **words, size_t count);
bool bench_open_step(bench *b, char **words, size_t count);

#endif
