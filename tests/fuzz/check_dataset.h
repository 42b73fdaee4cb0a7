/* What the readers of data sets promise (samples/data/dataset.h), for the fuzzers of the readers. */
#ifndef CHECK_DATASET_H
#define CHECK_DATASET_H

#include <dataset.h>

/* What a reader must leave alone where it fails. */
dataset_pair untouched_pair(void);

/* A reader's answer: a sentence and an untouched pair, or a pair that is whole, which is freed. */
void check_answer(bool read, dataset_pair *pair, const dataset_error *error);

#endif
