/*
 * Folders and files of a test's own. Whatever goes wrong here fails the test.
 */
#ifndef FOLDER_H
#define FOLDER_H

#include <stddef.h>

typedef struct path {
    char text[1024];
} path;

path in(const char *folder, const char *name);

/* A folder of our own, where the test runs. */
path make_place(void);

/* What is in a folder; 0 where there is no folder. */
size_t list(const char *folder, path *names, size_t capacity);

/* A file, or a folder with all that is in it. */
void remove_all(const char *name);

typedef struct contents {
    unsigned char bytes[1 << 21];
    size_t count;
} contents;

/* To be freed. */
contents *read_contents(const char *name);
void write_contents(const char *name, const void *bytes, size_t count);

#endif
