/*
 * Give a fuzzer the files of a corpus, each once: replay FOLDER. The fuzzer stops the process at the first
 * finding; the file's name is printed before it is tried.
 */
#include "fuzz.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

static int is_file(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay(const char *folder, const char *name)
{
    char path[4096];
    uint8_t *data = NULL;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    printf("%s\n", path);
    fflush(stdout);
    FILE *file = fopen(path, "rb");
    FUZZ_CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
    const long size = ftell(file);
    FUZZ_CHECK(size >= 0 && (data = malloc((size_t)size + (size == 0))) != NULL);
    rewind(file);
    FUZZ_CHECK(fread(data, 1, (size_t)size, file) == (size_t)size);
    fclose(file);
    LLVMFuzzerTestOneInput(data, (size_t)size);
    free(data);
}

int main(int argument_count, char **arguments)
{
    struct dirent **entries = NULL;
    LLVMFuzzerInitialize(&argument_count, &arguments);
    const int count = argument_count == 2 ? scandir(arguments[1], &entries, is_file, alphasort) : -1;
    for (int i = 0; i < count; i++) {
        replay(arguments[1], entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    printf("%d inputs\n", count);
    return count > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
