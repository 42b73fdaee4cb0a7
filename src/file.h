/*
 * Files: reading at an offset, and replacing one as a whole. The only place of the library, with the cache of
 * compiled programs, that asks for more than ISO C (POSIX). Failures leave a sentence with the path in a
 * message.
 */
#ifndef CLGRAD_FILE_H
#define CLGRAD_FILE_H

#include "internal.h"

/* Paths in sentences: as much of one as leaves room for what is wrong with it. */
#define CLGRAD_PATH "%.1000s"

/* An opened file of a path that the caller keeps. All zero but the descriptor, -1, where none is open. */
typedef struct clgrad_file {
    const char *path;
    int descriptor;
    uint64_t bytes; /* when it was opened */
} clgrad_file;

/* Open a regular file to read. FILE_ERROR where there is none that can be read. */
clgrad_status clgrad_file_open(const char *path, clgrad_file *file, clgrad_message *message);

/* Read so many bytes from an offset on. FILE_ERROR; INVALID_FILE where the file ends before that. */
clgrad_status clgrad_file_read(const clgrad_file *file, uint64_t offset, void *bytes, size_t count,
                               clgrad_message *message);

void clgrad_file_close(clgrad_file *file);

/* A part of what a file is to hold. */
typedef struct clgrad_piece {
    const void *bytes;
    size_t count;
} clgrad_piece;

/*
 * Write the pieces one behind the other into a new file beside the path, sync it, give it the path's name,
 * and sync the folder. Whenever the process or the machine stops, the path names the old file or the new one,
 * each whole. After a failure, FILE_ERROR, the old file is as it was and the new one is gone (but where the
 * folder alone could not be synced the new one is in place, and the sentence says so).
 */
clgrad_status clgrad_file_replace(const char *path, const clgrad_piece *pieces, size_t count,
                                  clgrad_message *message);

#endif
