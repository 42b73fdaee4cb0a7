/*
 * What every file of the trainer may need: leaving a sentence, memory, and a little printing.
 */
#ifndef TRAIN_COMMON_H
#define TRAIN_COMMON_H

#include <clgrad/clgrad.h>

/* Leave a sentence and return false. */
bool train_refuse(clgrad_message *message, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* False, and the context's sentence, unless status is SUCCESS. */
bool train_succeeded(clgrad_context *context, clgrad_status status, clgrad_message *message);

/* Say a sentence, after all that has been printed. */
void train_complain(const clgrad_message *message);

/* Memory of zeros, freed by the caller; NULL, and a sentence, where there is none. */
void *train_allocate(size_t count, size_t size, clgrad_message *message);

/* The noun that goes with a count. */
const char *train_plural(size_t count, const char *one, const char *many);

/* Another letter for each of one kind: parameters are spelled with '_', options with '-'. */
void train_exchange(char *text, char from, char to);

/* How many digits a number is written with. */
int train_digits(size_t number);

#endif
