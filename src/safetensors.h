/*
 * The safetensors format (https://github.com/huggingface/safetensors): named arrays and named strings in one
 * file. It is read strictly and knows nothing of networks.
 *
 *     8 bytes      n, a whole number, little-endian
 *     n bytes      a JSON object, behind which there may be blanks:
 *                      {"__metadata__": {"name": "text", ...},
 *                       "name": {"dtype": "F32", "shape": [2, 3], "data_offsets": [begin, end]}, ...}
 *     the rest     the arrays, row-major and little-endian; offsets count from the beginning of this part
 */
#ifndef CLGRAD_SAFETENSORS_H
#define CLGRAD_SAFETENSORS_H

#include "internal.h"

#define CLGRAD_SAFETENSORS_MAX_HEADER 100000000 /* bytes, as in the format's own library */
#define CLGRAD_SAFETENSORS_MAX_RANK 8           /* the format knows no limit */

/* A pair of the metadata. */
typedef struct clgrad_safetensors_string {
    const char *name, *text;
} clgrad_safetensors_string;

typedef struct clgrad_safetensors_array {
    const char *name;
    const char *dtype; /* "F32" and others */
    size_t rank;
    uint64_t shape[CLGRAD_SAFETENSORS_MAX_RANK];
    uint64_t begin, end; /* in the data */
    const void *data;    /* to write; NULL in a file that is read */
} clgrad_safetensors_array;

/* What a file holds; all of it has been found good. */
typedef struct clgrad_safetensors clgrad_safetensors;

/*
 * Open a file and check it: the size of the header and its JSON (no name twice), what each array says, that
 * its size is what its shape and dtype take, and that the arrays fill the rest of the file without a hole or
 * an overlap. FILE_ERROR; INVALID_FILE; OUT_OF_MEMORY.
 */
clgrad_status clgrad_safetensors_open(const char *path, clgrad_safetensors **file, clgrad_message *message);

/* Let go of the file itself: names, texts and shapes can still be asked for, but nothing read any more. */
void clgrad_safetensors_release(clgrad_safetensors *file);

/* NULL is accepted. */
void clgrad_safetensors_close(clgrad_safetensors *file);

/* The metadata in the order of the file, and one string of it, NULL where there is none of that name. */
size_t clgrad_safetensors_strings(const clgrad_safetensors *file, const clgrad_safetensors_string **strings);
const char *clgrad_safetensors_text(const clgrad_safetensors *file, const char *name);

/* The arrays in the order of their data, and one of them, NULL where there is none of that name. */
size_t clgrad_safetensors_arrays(const clgrad_safetensors *file, const clgrad_safetensors_array **arrays);
const clgrad_safetensors_array *clgrad_safetensors_find(const clgrad_safetensors *file, const char *name);

/* Read an array of the file's, end - begin bytes. */
clgrad_status clgrad_safetensors_read(const clgrad_safetensors *file, const clgrad_safetensors_array *array,
                                      void *data, clgrad_message *message);

/* Whether a name or a text can be written: INVALID_ARGUMENT where it is no UTF-8; OUT_OF_MEMORY. */
clgrad_status clgrad_safetensors_takes(const char *text);

/*
 * Replace the file of that path as a whole (file.h). Of the arrays, begin and end are set here. Every name
 * must be there once.
 */
clgrad_status clgrad_safetensors_write(const char *path, const clgrad_safetensors_string *strings,
                                       size_t string_count, clgrad_safetensors_array *arrays,
                                       size_t array_count, clgrad_message *message);

/* A name from a file made fit for a sentence: short, and without what would confuse a terminal. */
#define CLGRAD_SHOWN_SIZE 300
const char *clgrad_shown(const char *name, char shown[CLGRAD_SHOWN_SIZE]);

#endif
