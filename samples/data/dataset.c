/* What the readers share: the data set itself, sentences, files, random numbers, the split, mean and std. */
#include "dataset.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

bool dataset_fail(dataset_error *error, const char *format, ...)
{
    size_t room = sizeof error->text;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(error->text, room, format, arguments);
    va_end(arguments);
    if (length >= (int)room) {
        memcpy(error->text + room - 4, "...", 4);
    }
    for (unsigned char *c = (unsigned char *)error->text; *c; ++c) {
        if (*c < 0x20 || *c == 0x7f) {
            *c = '?';
        }
    }
    return false;
}

const char *dataset_path_end(const char *path)
{
    size_t length = strlen(path), shown = 160;
    return length > shown ? path + length - shown : path;
}

void *dataset_allocate(size_t count, size_t size, dataset_error *error)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory) {
        dataset_fail(error, "out of memory: %zu elements of %zu bytes", count, size);
    }
    return memory;
}

char *dataset_join_text(const char *first, const char *second, const char *third, dataset_error *error)
{
    size_t room = strlen(first) + strlen(second) + strlen(third) + 1;
    char *text = dataset_allocate(room, 1, error);
    if (text) {
        snprintf(text, room, "%s%s%s", first, second, third);
    }
    return text;
}

/* What went wrong with a file, without its path in front, which zlib puts there. */
static const char *gzip_error(gzFile file, const char *path, int *code)
{
    const size_t length = strlen(path);
    const char *text = gzerror(file, code);
    if (*code == Z_ERRNO) {
        return strerror(errno);
    }
    return strncmp(text, path, length) == 0 && strncmp(text + length, ": ", 2) == 0 ? text + length + 2
                                                                                    : text;
}

/* Read to the end of the file, doubling the room whenever it is full. One byte stays free for the NUL. */
static bool read_all(gzFile file, const char *path, unsigned char **bytes, size_t *size, dataset_error *error)
{
    size_t capacity = 1 << 16;
    for (;;) {
        if (!*bytes || *size == capacity - 1) {
            capacity *= *bytes ? 2 : 1;
            unsigned char *larger = capacity ? realloc(*bytes, capacity) : NULL;
            if (!larger) {
                return dataset_fail(error, "%s: out of memory after %zu bytes", dataset_path_end(path),
                                    *size);
            }
            *bytes = larger;
        }
        size_t room = capacity - 1 - *size, step = (size_t)1 << 24;
        int got = gzread(file, *bytes + *size, (unsigned)(room < step ? room : step));
        if (got <= 0) {
            break;
        }
        *size += (size_t)got;
    }
    /* The end may be one that zlib did not expect: a cut or damaged gzip stream, a directory. */
    int code = Z_OK;
    const char *text = gzip_error(file, path, &code);
    if (code != Z_OK && code != Z_STREAM_END) {
        return dataset_fail(error, "%s: after %zu bytes: %s", dataset_path_end(path), *size, text);
    }
    (*bytes)[*size] = 0;
    /* What was too much goes back: then a sanitizer sees who reads behind the end. */
    unsigned char *fitting = realloc(*bytes, *size + 1);
    *bytes = fitting ? fitting : *bytes;
    return true;
}

bool dataset_read_file(const char *path, unsigned char **bytes, size_t *size, dataset_error *error)
{
    *bytes = NULL;
    *size = 0;
    errno = 0;
    gzFile file = gzopen(path, "rb"); /* reads plain files as they are */
    if (!file) {
        return dataset_fail(error, "%s: %s", dataset_path_end(path), strerror(errno ? errno : ENOMEM));
    }
    bool read = read_all(file, path, bytes, size, error);
    gzclose(file);
    if (!read) {
        free(*bytes);
        *bytes = NULL;
    }
    return read;
}

bool dataset_create(dataset *set, size_t rows, size_t features, size_t class_count, dataset_error *error)
{
    *set = (dataset){.rows = rows, .features = features, .class_count = class_count};
    if (features > SIZE_MAX / sizeof(float) || (features && rows > SIZE_MAX / sizeof(float) / features)) {
        return dataset_fail(error, "%zu rows of %zu features are more than memory can address", rows,
                            features);
    }
    set->x = dataset_allocate(rows * features, sizeof(float), error);
    if (!set->x) {
        return false;
    }
    if (class_count == 0) {
        set->y = dataset_allocate(rows, sizeof(float), error);
        return set->y != NULL;
    }
    set->classes = dataset_allocate(rows, sizeof(int32_t), error);
    set->class_names = dataset_allocate(class_count, sizeof(char *), error);
    return set->classes && set->class_names;
}

bool dataset_number_classes(dataset *set, dataset_error *error)
{
    for (size_t c = 0; c < set->class_count; ++c) {
        char name[24];
        snprintf(name, sizeof name, "%zu", c);
        set->class_names[c] = dataset_join_text(name, "", "", error);
        if (!set->class_names[c]) {
            return false;
        }
    }
    return true;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; names && i < count; ++i) {
        free(names[i]);
    }
    free(names);
}

void dataset_free(dataset *set)
{
    if (!set) {
        return;
    }
    free_names(set->class_names, set->class_count);
    free_names(set->feature_names, set->features);
    free(set->x_mean);
    free(set->x_std);
    free(set->x);
    free(set->classes);
    free(set->y);
    *set = (dataset){0};
}

void dataset_pair_free(dataset_pair *pair)
{
    if (pair) {
        dataset_free(&pair->train);
        dataset_free(&pair->test);
        pair->skipped_rows = 0;
    }
}

uint64_t dataset_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

uint64_t dataset_random_below(uint64_t *state, uint64_t bound)
{
    /* 2^64 mod bound values at the low end would come once too often: draw again. */
    uint64_t surplus = (UINT64_MAX - bound + 1) % bound, draw;
    do {
        draw = dataset_random(state);
    } while (draw < surplus);
    return draw % bound;
}

uint64_t dataset_stream(uint64_t seed, uint64_t purpose, uint64_t index)
{
    uint64_t state = seed;
    state = dataset_random(&state) + purpose;
    state = dataset_random(&state) + index;
    return dataset_random(&state);
}

bool dataset_make_pair(dataset_make make, const char *what, size_t train_rows, size_t test_rows,
                       uint64_t seed, dataset_pair *pair, dataset_error *error)
{
    dataset_pair result = {0};
    if (train_rows == 0 || test_rows == 0) {
        return dataset_fail(error, "%zu %s to train on and %zu to test with: each must be at least 1",
                            train_rows, what, test_rows);
    }
    bool made =
        make(&result.train, train_rows, seed, 0, error) && make(&result.test, test_rows, seed, 1, error);
    if (made) {
        *pair = result;
    } else {
        dataset_pair_free(&result);
    }
    return made;
}

void dataset_shuffle(size_t *items, size_t count, uint64_t *state)
{
    for (size_t i = count; i > 1; --i) {
        size_t j = (size_t)dataset_random_below(state, i);
        size_t item = items[i - 1];
        items[i - 1] = items[j];
        items[j] = item;
    }
}

bool dataset_split(size_t rows, double test_fraction, uint64_t seed, size_t **order, size_t *train_rows,
                   dataset_error *error)
{
    if (!(test_fraction > 0 && test_fraction < 1)) {
        return dataset_fail(error, "the test fraction is %g, not between 0 and 1", test_fraction);
    }
    if (rows < 2) {
        return dataset_fail(error, "%zu row is too few for a training part and a test part", rows);
    }
    double wanted = floor((double)rows * test_fraction + 0.5);
    size_t test_rows = wanted < 1 ? 1 : wanted > (double)(rows - 1) ? rows - 1 : (size_t)wanted;
    *order = dataset_allocate(rows, sizeof **order, error);
    if (!*order) {
        return false;
    }
    for (size_t i = 0; i < rows; ++i) {
        (*order)[i] = i;
    }
    dataset_shuffle(*order, rows, &seed);
    *train_rows = rows - test_rows;
    return true;
}

void dataset_mean_std(const double *values, const size_t *chosen, size_t count, double *mean, double *std)
{
    /* Sums of differences from the first value: exact for a constant column, precise far from zero. */
    double first = values[chosen[0]], sum = 0, squares = 0;
    for (size_t i = 0; i < count; ++i) {
        sum += values[chosen[i]] - first;
    }
    *mean = first + sum / (double)count;
    for (size_t i = 0; i < count; ++i) {
        double difference = values[chosen[i]] - *mean;
        squares += difference * difference;
    }
    *std = sqrt(squares / (double)count);
}
