#define _POSIX_C_SOURCE 200809L
#define _FILE_OFFSET_BITS 64
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one call of read or write is asked to move: some systems refuse 2^31 bytes and more. */
#define MOST_AT_ONCE ((size_t)1 << 30)

/* ---- reading ---- */

clgrad_status clgrad_file_open(const char *path, clgrad_file *file, clgrad_message *message)
{
    struct stat about;
    /* Without O_NONBLOCK a pipe would keep us waiting for somebody to write into it. */
    *file = (clgrad_file){path, open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), 0};
    if (file->descriptor == -1 || fstat(file->descriptor, &about) != 0) {
        const int error = errno;
        clgrad_file_close(file);
        return clgrad_fail_message(message, CLGRAD_STATUS_FILE_ERROR, CLGRAD_PATH " cannot be opened: %s",
                                   path, strerror(error));
    }
    if (!S_ISREG(about.st_mode)) {
        clgrad_file_close(file);
        return clgrad_fail_message(message, CLGRAD_STATUS_FILE_ERROR,
                                   CLGRAD_PATH " cannot be read: it is no regular file", path);
    }
    file->bytes = (uint64_t)about.st_size;
    return CLGRAD_STATUS_SUCCESS;
}

clgrad_status clgrad_file_read(const clgrad_file *file, uint64_t offset, void *bytes, size_t count,
                               clgrad_message *message)
{
    for (size_t done = 0; done < count;) {
        const size_t wanted = count - done < MOST_AT_ONCE ? count - done : MOST_AT_ONCE;
        const ssize_t got = pread(file->descriptor, (char *)bytes + done, wanted, (off_t)(offset + done));
        if (got == -1 && errno == EINTR)
            continue;
        if (got == -1)
            return clgrad_fail_message(message, CLGRAD_STATUS_FILE_ERROR, CLGRAD_PATH " cannot be read: %s",
                                       file->path, strerror(errno));
        if (got == 0)
            return clgrad_fail_message(message, CLGRAD_STATUS_INVALID_FILE,
                                       CLGRAD_PATH " became shorter while it was read: it ends at byte %llu",
                                       file->path, (unsigned long long)offset + done);
        done += (size_t)got;
    }
    return CLGRAD_STATUS_SUCCESS;
}

void clgrad_file_close(clgrad_file *file)
{
    if (file->descriptor != -1)
        close(file->descriptor);
    *file = (clgrad_file){NULL, -1, 0};
}

/* ---- replacing ---- */

/* Each step below answers with errno, or 0. */

static int write_all(int descriptor, const char *bytes, size_t count)
{
    while (count > 0) {
        const ssize_t written = write(descriptor, bytes, count < MOST_AT_ONCE ? count : MOST_AT_ONCE);
        if (written == -1 && errno == EINTR)
            continue;
        if (written <= 0)
            return written == -1 ? errno : EIO;
        bytes += written;
        count -= (size_t)written;
    }
    return 0;
}

static int sync_file(int descriptor)
{
#if defined(F_FULLFSYNC) /* macOS: fsync alone leaves the data in the drive's cache */
    if (fcntl(descriptor, F_FULLFSYNC) == 0)
        return 0;
#endif
    return fsync(descriptor) == 0 ? 0 : errno;
}

/* The folder that a path is in. NULL without memory. */
static char *folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const size_t length = slash == NULL ? 0 : slash == path ? 1 : (size_t)(slash - path);
    char *folder = malloc(length + 2);
    if (folder == NULL)
        return NULL;
    memcpy(folder, path, length);
    strcpy(folder + length, length == 0 ? "." : "");
    return folder;
}

/* A rename is on the disk when its folder is. Some file systems cannot sync a folder and say EINVAL. */
static int sync_folder(const char *folder)
{
    const int descriptor = open(folder, O_RDONLY | O_CLOEXEC);
    int error = descriptor == -1 ? errno : sync_file(descriptor);
    if (descriptor != -1)
        close(descriptor);
    return error == EINVAL ? 0 : error;
}

/*
 * A new file beside the path, that nobody else has, with permissions as asked for (NULL: as the umask has
 * it). Its name is at most MORE_NAME longer than the path.
 */
enum { MORE_NAME = 64 };
static int create_beside(const char *path, const mode_t *permissions, char *name, int *descriptor)
{
    for (unsigned attempt = 0;; attempt++) {
        snprintf(name, strlen(path) + MORE_NAME, "%s.new-%ld-%u", path, (long)getpid(), attempt);
        *descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                           permissions != NULL ? *permissions : 0666); /* less the umask */
        if (*descriptor == -1 && errno != EEXIST)
            return errno;
        if (*descriptor != -1)
            return permissions == NULL || fchmod(*descriptor, *permissions) == 0 ? 0 : errno;
    }
}

/* Write it all, and see it on the disk. */
static int fill(int descriptor, const clgrad_piece *pieces, size_t count)
{
    int error = 0;
    for (size_t i = 0; i < count && error == 0; i++)
        error = write_all(descriptor, pieces[i].bytes, pieces[i].count);
    return error == 0 ? sync_file(descriptor) : error;
}

/* Write a new file of that name and give it the path's: then it is in place, or gone. */
static int put_in_place(const char *path, char *name, const mode_t *permissions, const clgrad_piece *pieces,
                        size_t count)
{
    int descriptor = -1, error = create_beside(path, permissions, name, &descriptor);
    if (error == 0)
        error = fill(descriptor, pieces, count);
    if (descriptor != -1) {
        if (close(descriptor) != 0 && error == 0 && errno != EINTR)
            error = errno;
        if (error == 0 && rename(name, path) != 0)
            error = errno;
        if (error != 0)
            unlink(name);
    }
    return error;
}

clgrad_status clgrad_file_replace(const char *path, const clgrad_piece *pieces, size_t count,
                                  clgrad_message *message)
{
    struct stat old = {0};
    const bool exists = lstat(path, &old) == 0;
    int error = exists || errno == ENOENT ? 0 : errno; /* whose permissions would the new file have? */
    if (exists && !S_ISREG(old.st_mode) && !S_ISLNK(old.st_mode)) /* a rename would do away with a device */
        return clgrad_fail_message(message, CLGRAD_STATUS_FILE_ERROR,
                                   CLGRAD_PATH " cannot be written: it is there and no regular file", path);
    const mode_t permissions = old.st_mode & 0777;
    char *folder = folder_of(path), *name = malloc(strlen(path) + MORE_NAME);
    clgrad_status status = CLGRAD_STATUS_SUCCESS;
    if (folder == NULL || name == NULL)
        status = clgrad_fail_message(message, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
    if (status == CLGRAD_STATUS_SUCCESS && error == 0)
        error = put_in_place(path, name, exists && S_ISREG(old.st_mode) ? &permissions : NULL, pieces, count);
    if (status == CLGRAD_STATUS_SUCCESS && error != 0)
        status = clgrad_fail_message(message, CLGRAD_STATUS_FILE_ERROR, CLGRAD_PATH " cannot be written: %s",
                                     path, strerror(error));
    if (status == CLGRAD_STATUS_SUCCESS && (error = sync_folder(folder)) != 0)
        status =
            clgrad_fail_message(message, CLGRAD_STATUS_FILE_ERROR,
                                CLGRAD_PATH " is written and in its place, but its folder cannot be synced, "
                                            "so that it may be gone after a loss of power: %s",
                                path, strerror(error));
    free(folder);
    free(name);
    return status;
}
