/*
 * Running a program in a test, and looking at what it printed. A failure fails the running cmocka test.
 */
#ifndef PROGRAM_H
#define PROGRAM_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

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

/* From now on no program can write a file of more bytes, as on a full disk; 0: back to what it was. */
void limit_files(size_t bytes);

/* Start a program, with files to print into, and let it run. */
pid_t start_program(const char *const *arguments, const char *out, const char *err);

/* Whether a file has a text in it by now; and wait until it has, a minute at most. */
bool file_has(const char *file, const char *text);
void wait_for_text(const char *file, const char *text);

void wait_milliseconds(long milliseconds);

/* Programs find no OpenCL driver until show_drivers is given what hide_drivers has answered. */
char *hide_drivers(void);
void show_drivers(char *drivers);

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
