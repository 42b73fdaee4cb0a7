/*
 * Running a program in a test, and looking at what it printed. A failure fails the running cmocka test.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stddef.h>

#define MAX_ARGUMENTS 40

typedef struct outcome {
    int status; /* the exit status, or -1 where a signal ended it */
    int signal; /* that signal, or 0 */
    char *out, *err;
} outcome;

/* Run a program, named by the first argument, until it ends. NULL ends the arguments. */
outcome run_arguments(const char *const *arguments);

/* The same with the arguments one by one. The first NULL ends them. */
outcome run(const char *program, ...);

void outcome_free(outcome *o);

/* Exit status 0, and nothing on stderr. */
void assert_succeeded(const outcome *o);

/* This exit status, and one line on stderr that begins with the trainer's name and contains part. */
void assert_failed(const outcome *o, int status, const char *part);

void assert_contains(const char *text, const char *part);

/* The last line begins with start, and the text ends with end. */
void assert_last_line(const char *text, const char *start, const char *end);

/* How often part is in text. */
size_t count(const char *text, const char *part);

/* The number after "name: " at the beginning of a line; there must be exactly one such line. */
double figure(const char *text, const char *name);

/* The loss that the trainer shows for an epoch, counted from 1, to four digits. */
double epoch_loss(const char *out, int epoch);

void write_file(const char *path, const char *text);

#endif
