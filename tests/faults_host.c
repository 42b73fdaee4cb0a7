/*
 * Host memory and files, by the linker's --wrap (tests/CMakeLists.txt): a call of NAME goes to __wrap_NAME,
 * and __real_NAME is the C library's.
 */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A call that is to fail answers with this, and errno says why. */
#define FAIL_IF_DUE(kind, detail, answer)             \
    do {                                              \
        int code;                                     \
        if (fault_due(FAULT_##kind, detail, &code)) { \
            errno = code;                             \
            return answer;                            \
        }                                             \
    } while (0)

/* A function of this name, and the real one. */
#define WRAP(result, name, parameters) \
    result __real_##name parameters;   \
    result __wrap_##name parameters;   \
    result __wrap_##name parameters

/* ---- host memory ---- */

WRAP(void *, malloc, (size_t bytes))
{
    FAIL_IF_DUE(malloc, 0, NULL);
    void *block = __real_malloc(bytes);
    fault_held.blocks += block != NULL;
    return block;
}

WRAP(void *, calloc, (size_t count, size_t bytes))
{
    FAIL_IF_DUE(calloc, 0, NULL);
    void *block = __real_calloc(count, bytes);
    fault_held.blocks += block != NULL;
    return block;
}

WRAP(void *, realloc, (void *block, size_t bytes))
{
    FAIL_IF_DUE(realloc, 0, NULL);
    void *moved = __real_realloc(block, bytes);
    fault_held.blocks += block == NULL && moved != NULL;
    return moved;
}

WRAP(void, free, (void *block))
{
    fault_held.blocks -= block != NULL;
    __real_free(block);
}

static bool are_token_buffers_spared;

void faults_spare_token_buffers(bool on)
{
    are_token_buffers_spared = on;
}

void *fault_json_malloc(size_t bytes)
{
    if (!are_token_buffers_spared || bytes < 32 || (bytes & (bytes - 1)) != 0)
        FAIL_IF_DUE(json_malloc, 0, NULL);
    void *block = __real_malloc(bytes);
    fault_held.blocks += block != NULL;
    return block;
}

void fault_json_free(void *block)
{
    __wrap_free(block);
}

/* ---- files ---- */

/* Which descriptors something is written to. */
static bool is_written[1024];

static int opened(int descriptor, bool written)
{
    if (descriptor >= 0 && descriptor < (int)(sizeof is_written / sizeof is_written[0]))
        is_written[descriptor] = written;
    fault_held.descriptors += descriptor >= 0;
    return descriptor;
}

/* Where 64 is part of the name, the file's size has 64 bits: what file.c asks for. */
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...)
{
    va_list rest;
    va_start(rest, flags);
    const mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
    va_end(rest);
    const bool written = (flags & O_ACCMODE) != O_RDONLY;
    FAIL_IF_DUE(open, written, -1);
    return opened(__real_open64(path, flags, mode), written);
}

WRAP(int, fstat64, (int descriptor, struct stat64 *about))
{
    FAIL_IF_DUE(fstat, 0, -1);
    return __real_fstat64(descriptor, about);
}

WRAP(int, fstat, (int descriptor, struct stat *about))
{
    FAIL_IF_DUE(fstat, 0, -1);
    return __real_fstat(descriptor, about);
}

WRAP(int, lstat64, (const char *path, struct stat64 *about))
{
    FAIL_IF_DUE(lstat, 0, -1);
    return __real_lstat64(path, about);
}

WRAP(int, fchmod, (int descriptor, mode_t mode))
{
    FAIL_IF_DUE(fchmod, 0, -1);
    return __real_fchmod(descriptor, mode);
}

/* Half of the bytes, at least one. */
static size_t half(size_t count)
{
    return count > 1 ? count / 2 : count;
}

WRAP(ssize_t, pread64, (int descriptor, void *bytes, size_t count, off64_t offset))
{
    int code;
    if (!fault_due(FAULT_read, 0, &code))
        return __real_pread64(descriptor, bytes, count, offset);
    if (code == FAULT_HALF)
        return __real_pread64(descriptor, bytes, half(count), offset);
    errno = code;
    return -1;
}

WRAP(ssize_t, write, (int descriptor, const void *bytes, size_t count))
{
    int code;
    if (!fault_due(FAULT_write, 0, &code))
        return __real_write(descriptor, bytes, count);
    if (code == FAULT_HALF)
        return __real_write(descriptor, bytes, half(count));
    errno = code;
    return -1;
}

WRAP(int, fsync, (int descriptor))
{
    FAIL_IF_DUE(fsync, is_written[descriptor], -1);
    return __real_fsync(descriptor);
}

/* A descriptor is gone, whatever close answers: so it is on Linux. */
WRAP(int, close, (int descriptor))
{
    const int closed = __real_close(descriptor);
    fault_held.descriptors -= closed == 0;
    FAIL_IF_DUE(close, is_written[descriptor], -1);
    return closed;
}

WRAP(int, rename, (const char *from, const char *to))
{
    FAIL_IF_DUE(rename, 0, -1);
    return __real_rename(from, to);
}

WRAP(int, unlink, (const char *path))
{
    FAIL_IF_DUE(unlink, 0, -1);
    return __real_unlink(path);
}

WRAP(int, mkdir, (const char *path, mode_t mode))
{
    FAIL_IF_DUE(mkdir, 0, -1);
    return __real_mkdir(path, mode);
}

WRAP(int, mkstemp, (char *path))
{
    FAIL_IF_DUE(mkstemp, 0, -1);
    return opened(__real_mkstemp(path), true);
}

WRAP(FILE *, fopen, (const char *path, const char *mode))
{
    FAIL_IF_DUE(fopen, 0, NULL);
    FILE *file = __real_fopen(path, mode);
    fault_held.descriptors += file != NULL;
    return file;
}

WRAP(FILE *, fdopen, (int descriptor, const char *mode))
{
    FAIL_IF_DUE(fdopen, 0, NULL);
    return __real_fdopen(descriptor, mode);
}

WRAP(size_t, fread, (void *bytes, size_t size, size_t count, FILE *file))
{
    FAIL_IF_DUE(fread, 0, 0);
    return __real_fread(bytes, size, count, file);
}

WRAP(size_t, fwrite, (const void *bytes, size_t size, size_t count, FILE *file))
{
    FAIL_IF_DUE(fwrite, 0, 0);
    return __real_fwrite(bytes, size, count, file);
}

WRAP(int, fclose, (FILE * file))
{
    const int closed = __real_fclose(file);
    fault_held.descriptors--;
    FAIL_IF_DUE(fclose, 0, EOF);
    return closed;
}
