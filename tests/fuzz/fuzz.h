/*
 * What the fuzzers share. A fuzzer gives any bytes to a parser and stops the process where the answer is not
 * what the parser promises; the sanitizers stop it where the parser goes wrong inside. libFuzzer makes the
 * bytes up (clang, the preset fuzz); replay.c takes them from the files of a corpus (any compiler, in every
 * run of the tests).
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>

#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fail(#condition, __FILE__, __LINE__))
_Noreturn void fuzz_fail(const char *condition, const char *file, int line);

/* ---- what each fuzzer defines, by the names that libFuzzer knows ---- */

/* Called once, before the first input. Returns 0. */
int LLVMFuzzerInitialize(int *argument_count, char ***arguments);

/* One input. Returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* ---- cutting an input up ---- */

typedef struct fuzz_bytes {
    const uint8_t *data;
    size_t size;
} fuzz_bytes;

/* What stands before the mark, or all where there is none; rest is then what stands behind it, or nothing. */
fuzz_bytes fuzz_cut(fuzz_bytes *rest, const char *mark);

/* A copy as a text, which a NUL may end early; freed by the caller with free(). */
char *fuzz_text(fuzz_bytes bytes);

/* The next line as such a text. */
char *fuzz_line(fuzz_bytes *rest);

/* ---- files ---- */

/* One that is in memory alone, and a path to it. */
typedef struct fuzz_file {
    int descriptor;
    char path[40];
} fuzz_file;

fuzz_file fuzz_file_create(void);
void fuzz_file_fill(const fuzz_file *file, fuzz_bytes bytes);

/* A folder of our own, gone when the process ends without a finding, with a name in it for each of some
 * files in memory. */
const char *fuzz_folder(const char *const *names, const fuzz_file *files, size_t count);

#endif
