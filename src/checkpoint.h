/*
 * What a checkpoint is made of: a network in words (checkpoint_words.c) and its arrays by name
 * (checkpoint_parts.c); checkpoint.c saves and loads them.
 */
#ifndef CLGRAD_CHECKPOINT_INTERNAL_H
#define CLGRAD_CHECKPOINT_INTERNAL_H

#include "network.h"

/* ---- words ---- */

/* Something about the network as a pair of the file's metadata. */
typedef struct clgrad_word {
    char name[48];
    char text[976];
} clgrad_word;

typedef struct clgrad_words {
    clgrad_word *each;
    size_t count;
} clgrad_words;

/*
 * The format's version, and what must be the same in a file and in the network that it is loaded into:
 * layers, loss, clipping, optimizers but for their learning rates. Freed by the caller with free(words.each);
 * each is NULL where the host is out of memory.
 */
clgrad_words clgrad_words_of(const clgrad_network *network);

/* What training changes, beside the arrays. */
typedef struct clgrad_progress {
    uint64_t steps, draws, seed;
    bool pending, accumulating;
    float lr[CLGRAD_OPTIMIZER_MAX_GROUPS];
} clgrad_progress;

/* The same as pairs, and back; names and texts are read from find(data, name). False with the name of the
 * pair that is not there (text NULL) or cannot be read. */
enum { CLGRAD_PROGRESS_WORDS = 4 + CLGRAD_OPTIMIZER_MAX_GROUPS };
size_t clgrad_progress_write(const clgrad_network *network, clgrad_word words[CLGRAD_PROGRESS_WORDS]);
bool clgrad_progress_read(const clgrad_network *network,
                          const char *(*find)(const void *data, const char *name), const void *data,
                          clgrad_progress *progress, clgrad_word *wrong);

/* ---- arrays ---- */

/* The network's flat arrays, in host memory. */
typedef enum clgrad_flat {
    CLGRAD_FLAT_PARAMETERS,
    CLGRAD_FLAT_RUNNING,
    CLGRAD_FLAT_STATE,
    CLGRAD_FLAT_GRADIENTS,
    CLGRAD_FLATS
} clgrad_flat;

/* A part of a flat array: what one tensor of the file holds. */
typedef struct clgrad_part {
    char name[96];
    clgrad_flat flat;
    size_t offset;
    size_t rank, shape[2];
} clgrad_part;

typedef struct clgrad_parts {
    clgrad_part *each;
    size_t count;
    float *numbers[CLGRAD_FLATS]; /* 0 so far */
} clgrad_parts;

/*
 * The parts of a network: parameters and running statistics; all: the optimizer's state too, and gradients
 * where they are asked for. False without memory; to be destroyed in any case.
 */
bool clgrad_parts_create(const clgrad_network *network, bool all, bool gradients, clgrad_parts *parts);
void clgrad_parts_destroy(clgrad_parts *parts);

/* One of the network's flat arrays; absent where there is none. */
clgrad_tensor clgrad_flat_of(const clgrad_network *network, clgrad_flat flat);

#endif
