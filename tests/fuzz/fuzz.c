#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

_Noreturn void fuzz_fail(const char *condition, const char *file, int line)
{
    fprintf(stderr, "%s:%d: this does not hold: %s\n", file, line, condition);
    abort();
}

/* ---- cutting an input up ---- */

fuzz_bytes fuzz_cut(fuzz_bytes *rest, const char *mark)
{
    const uint8_t *found = rest->size > 0 ? memmem(rest->data, rest->size, mark, strlen(mark)) : NULL;
    fuzz_bytes before = *rest;
    if (found == NULL) {
        *rest = (fuzz_bytes){NULL, 0};
        return before;
    }
    before.size = (size_t)(found - rest->data);
    const size_t gone = before.size + strlen(mark);
    *rest = (fuzz_bytes){rest->data + gone, rest->size - gone};
    return before;
}

char *fuzz_text(fuzz_bytes bytes)
{
    char *text = malloc(bytes.size + 1);
    FUZZ_CHECK(text != NULL);
    if (bytes.size > 0)
        memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    return text;
}

char *fuzz_line(fuzz_bytes *rest)
{
    return fuzz_text(fuzz_cut(rest, "\n"));
}

/* ---- files ---- */

fuzz_file fuzz_file_create(void)
{
    fuzz_file file = {.descriptor = memfd_create("fuzz", MFD_CLOEXEC)};
    FUZZ_CHECK(file.descriptor != -1);
    snprintf(file.path, sizeof file.path, "/proc/self/fd/%d", file.descriptor);
    return file;
}

void fuzz_file_fill(const fuzz_file *file, fuzz_bytes bytes)
{
    FUZZ_CHECK(ftruncate(file->descriptor, 0) == 0);
    FUZZ_CHECK(pwrite(file->descriptor, bytes.size > 0 ? bytes.data : (const uint8_t *)"", bytes.size, 0) ==
               (ssize_t)bytes.size);
}

static struct {
    char path[1024];
    const char *const *names;
    size_t count;
} folder;

static void remove_folder(void)
{
    for (size_t i = 0; i < folder.count; i++) {
        char path[sizeof folder.path + 256];
        snprintf(path, sizeof path, "%s/%s", folder.path, folder.names[i]);
        unlink(path);
    }
    rmdir(folder.path);
}

const char *fuzz_folder(const char *const *names, const fuzz_file *files, size_t count)
{
    const char *temporary = getenv("TMPDIR");
    const int length = snprintf(folder.path, sizeof folder.path, "%s/clgrad-fuzz-XXXXXX",
                                temporary != NULL && temporary[0] != '\0' ? temporary : "/tmp");
    FUZZ_CHECK(length > 0 && (size_t)length < sizeof folder.path);
    FUZZ_CHECK(mkdtemp(folder.path) != NULL);
    folder.names = names;
    folder.count = count;
    FUZZ_CHECK(atexit(remove_folder) == 0);
    for (size_t i = 0; i < count; i++) {
        char path[sizeof folder.path + 256];
        snprintf(path, sizeof path, "%s/%s", folder.path, names[i]);
        FUZZ_CHECK(symlink(files[i].path, path) == 0);
    }
    return folder.path;
}
