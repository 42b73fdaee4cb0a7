/*
 * The sample trainer's data: IDX and CSV readers, generated digits and spirals. Fixtures are written as the
 * tests run; the tests with real data say that they are skipped where there is none.
 */
#define _XOPEN_SOURCE 700 /* mkdtemp */

#include "data_tests.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

char data_folder[256];
dataset_pair data_given;
dataset_error data_error;

static dataset_pair untouched;

int data_make_folder(void **state)
{
    (void)state;
    snprintf(data_folder, sizeof data_folder, "%s/clgrad-test-data-XXXXXX", P_tmpdir);
    return mkdtemp(data_folder) ? 0 : -1;
}

int data_remove_folder(void **state)
{
    (void)state;
    DIR *files = opendir(data_folder);
    for (struct dirent *file; files && (file = readdir(files));) {
        unlink(data_path(file->d_name));
    }
    if (files) {
        closedir(files);
    }
    return rmdir(data_folder);
}

const char *data_path(const char *name)
{
    static char path[600];
    snprintf(path, sizeof path, "%s/%s", data_folder, name);
    return path;
}

const char *data_write(const char *name, const void *bytes, size_t size)
{
    const char *path = data_path(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

const char *data_write_gzip(const char *name, const void *bytes, size_t size)
{
    const char *path = data_path(name);
    gzFile file = gzopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(gzwrite(file, bytes, (unsigned)size), size);
    assert_int_equal(gzclose(file), Z_OK);
    return path;
}

void data_expect_refusal(void)
{
    memset(&untouched, 0xa5, sizeof untouched);
    memcpy(&data_given, &untouched, sizeof data_given);
    data_error.text[0] = 0;
}

void data_check_refusal(bool read, const char *words)
{
    assert_false(read);
    assert_memory_equal(&data_given, &untouched, sizeof data_given);
    if (!strstr(data_error.text, words)) {
        fail_msg("expected: %s\n      in: %s", words, data_error.text);
    }
}

size_t data_damage(unsigned char *bytes, size_t size, uint64_t *random)
{
    static const unsigned char telling[] = "\",\r\n\0=x-9.e\xff \t";
    size_t changes = (size_t)dataset_random_below(random, 4);
    for (size_t i = 0; i < changes; ++i) {
        bytes[dataset_random_below(random, size)] = telling[dataset_random_below(random, sizeof telling)];
    }
    switch (dataset_random_below(random, 4)) {
    case 0:
        return (size_t)dataset_random_below(random, size);
    case 1:
        bytes[size] = telling[dataset_random_below(random, sizeof telling)];
        return size + 1;
    default:
        return size;
    }
}

void data_check_sane(const dataset_pair *pair)
{
    const dataset *parts[] = {&pair->train, &pair->test};
    for (size_t p = 0; p < 2; ++p) {
        assert_true(parts[p]->rows > 0 && parts[p]->features > 0);
        assert_true((parts[p]->y == NULL) == (parts[p]->class_count > 1));
        for (size_t i = 0; i < parts[p]->rows * parts[p]->features; ++i) {
            assert_true(isfinite(parts[p]->x[i]));
        }
        for (size_t i = 0; i < parts[p]->rows; ++i) {
            if (parts[p]->y) {
                assert_true(isfinite(parts[p]->y[i]));
            } else {
                assert_in_range(parts[p]->classes[i], 0, parts[p]->class_count - 1);
            }
        }
    }
}

int main(void)
{
    return data_run_idx_tests() + data_run_csv_tests() + data_run_csv_refused_tests() +
           data_run_digits_tests() + data_run_spirals_tests() + data_run_real_tests();
}
