/*
 * What the library is asked to do while faults strike: a network's whole life, call by call, and what there
 * is to be seen of it between two calls.
 */
#ifndef FAULT_SCENARIO_H
#define FAULT_SCENARIO_H

#include "folder.h"
#include "harness.h"

#include <clgrad/opencl.h>

#include "../src/checkpoint.h"

/* Tensors of the caller's. */
typedef enum fault_tensor {
    TENSOR_SOURCE,
    TENSOR_INDICES,
    TENSOR_X,
    TENSOR_TARGET,
    TENSOR_LOSS,
    TENSOR_PREDICTION,
    TENSOR_COPY,
    TENSORS
} fault_tensor;

enum { NETWORKS = 2, ARRAYS = TENSORS + NETWORKS * CLGRAD_FLATS, SHOWN = 24 };

/* An array's place in masks and records: a tensor's, or of a network's flat array. */
#define ARRAY_OF(network, flat) (TENSORS + (network)*CLGRAD_FLATS + (flat))
#define BIT(array) (1u << (array))

typedef struct world {
    const char *specification;
    cl_command_queue queue; /* the caller's; NULL: clgrad opens one of its own */
    path place, file;       /* a folder of our own, and the checkpoint in it */
    clgrad_message message;
    clgrad_context *context;
    clgrad_tensor tensors[TENSORS];
    clgrad_network *networks[NETWORKS];
    clgrad_notes *notes;
    float shown[SHOWN]; /* what was read from the device */
} world;

/*
 * One call. When it fails it may have written to what is partial, and only to that. What is restored (a part
 * of it) has to be put back by whoever wants to repeat the call and get the same bits: that is what the
 * headers say.
 */
typedef struct operation {
    const char *name;
    clgrad_status (*call)(world *w, int which);
    int which;
    unsigned partial, restored;
    bool is_void; /* it cannot say that it failed */
} operation;

extern const operation operations[];
extern const size_t operation_count;

/* Begin with nothing but a folder. */
world world_begin(const char *specification, cl_command_queue queue);

/* The folder goes; everything else has gone with the last operations. */
void world_end(world *w);

/* All that there is to be seen; freed with record_free. */
typedef struct record {
    void *arrays[ARRAYS]; /* NULL for what is not there */
    size_t bytes[ARRAYS];
    clgrad_progress progress[NETWORKS];
    float shown[SHOWN];
    size_t files; /* in the folder */
    void *file;   /* the checkpoint; NULL where there is none */
    size_t file_bytes;
} record;

record record_now(const world *w);
void record_free(record r);

/* What is different, but for the arrays in a mask and, if so asked, the file; NULL for nothing. */
const char *record_difference(const record *got, const record *wanted, unsigned but, bool but_file);

/* Put arrays back as they were. */
void record_restore(const world *w, const record *r, unsigned arrays);

#endif
