#include "folder.h"

#include "harness.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

path in(const char *folder, const char *name)
{
    path p;
    const int length = snprintf(p.text, sizeof p.text, "%s/%s", folder, name);
    assert_true(length > 0 && (size_t)length < sizeof p.text);
    return p;
}

path make_place(void)
{
    path here;
    assert_non_null(getcwd(here.text, sizeof here.text));
    path p = in(here.text, "clgrad-cache-XXXXXX");
    assert_non_null(mkdtemp(p.text));
    return p;
}

size_t list(const char *folder, path *names, size_t capacity)
{
    size_t count = 0;
    DIR *directory = opendir(folder);
    for (struct dirent *e; directory != NULL && (e = readdir(directory)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0) {
            if (count < capacity)
                names[count] = in(folder, e->d_name);
            count++;
        }
    if (directory != NULL)
        closedir(directory);
    return count;
}

void remove_all(const char *name)
{
    path names[64];
    const size_t count = list(name, names, COUNT(names));
    assert_true(count <= COUNT(names));
    for (size_t i = 0; i < count; i++)
        remove_all(names[i].text);
    assert_int_equal(remove(name), 0);
}

contents *read_contents(const char *name)
{
    contents *c = allocate(1, sizeof *c);
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    c->count = fread(c->bytes, 1, sizeof c->bytes, file);
    assert_true(c->count < sizeof c->bytes);
    fclose(file);
    return c;
}

void write_contents(const char *name, const void *bytes, size_t count)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, count, file), count);
    assert_int_equal(fclose(file), 0);
}
