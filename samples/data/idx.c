/* MNIST's IDX files: a big-endian header (magic, rows, and for images height and width), then the bytes. */
#include "dataset.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Both kinds hold unsigned bytes, in three dimensions and in one. */
typedef struct idx_kind {
    const char *what, *ending;
    uint32_t magic;
    size_t header; /* bytes: the magic number and one number a dimension */
} idx_kind;

static const idx_kind images_kind = {"images", "idx3-ubyte", 0x00000803, 16};
static const idx_kind labels_kind = {"labels", "idx1-ubyte", 0x00000801, 8};

/* One file in memory; data points to what follows the header. */
typedef struct idx_file {
    char *path;
    unsigned char *bytes;
    const unsigned char *data;
    size_t rows, height, width; /* of labels: 1 x 1 */
} idx_file;

static void idx_free(idx_file *file)
{
    free(file->path);
    free(file->bytes);
}

/* The path of the first spelling of the name that can be opened: a dash or a dot, without or with .gz. */
static char *find_file(const char *folder, const char *name, const char *ending, dataset_error *error)
{
    static const char *const formats[] = {"%s/%s-%s", "%s/%s-%s.gz", "%s/%s.%s", "%s/%s.%s.gz"};
    size_t room = strlen(folder) + strlen(name) + strlen(ending) + sizeof "/-.gz";
    char *path = dataset_allocate(room, 1, error);
    for (size_t i = 0; path && i < sizeof formats / sizeof formats[0]; ++i) {
        snprintf(path, room, formats[i], folder, name, ending);
        FILE *found = fopen(path, "rb");
        if (found) {
            fclose(found);
            return path;
        }
    }
    if (path) {
        dataset_fail(error, "%s: cannot open any of %s-%s, %s-%s.gz, %s.%s and %s.%s.gz in this folder: %s",
                     dataset_path_end(folder), name, ending, name, ending, name, ending, name, ending,
                     strerror(errno));
    }
    free(path);
    return NULL;
}

static uint32_t big_endian(const unsigned char *bytes)
{
    return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* Whether the header's rows, height and width fit the number of bytes in the file. */
static bool check_size(const idx_file *file, const idx_kind *kind, size_t size, dataset_error *error)
{
    const char *path = dataset_path_end(file->path);
    if (file->rows == 0 || file->height == 0 || file->width == 0) {
        return dataset_fail(error, "%s: empty: its header says %zu %s of %zu x %zu", path, file->rows,
                            kind->what, file->height, file->width);
    }
    /* Each is below 2^32: height * width cannot wrap 64 bits, the product of all three can. */
    uint64_t image = (uint64_t)file->height * file->width;
    if (image > (SIZE_MAX / sizeof(float) - kind->header) / file->rows) {
        return dataset_fail(error, "%s: its header says %zu %s of %zu x %zu, more than memory can address",
                            path, file->rows, kind->what, file->height, file->width);
    }
    size_t expected = kind->header + file->rows * (size_t)image;
    if (size != expected) {
        return dataset_fail(error, "%s: %s: it has %zu bytes, and %zu %s of %zu x %zu take %zu", path,
                            size < expected ? "truncated" : "there are bytes after the end", size, file->rows,
                            kind->what, file->height, file->width, expected);
    }
    return true;
}

static bool read_idx(const char *folder, const char *name, const idx_kind *kind, idx_file *file,
                     dataset_error *error)
{
    size_t size = 0;
    file->path = find_file(folder, name, kind->ending, error);
    if (!file->path || !dataset_read_file(file->path, &file->bytes, &size, error)) {
        return false;
    }
    const char *path = dataset_path_end(file->path);
    if (size < kind->header) {
        return dataset_fail(error, "%s: truncated: it has %zu bytes, and the header alone takes %zu", path,
                            size, kind->header);
    }
    uint32_t magic = big_endian(file->bytes);
    if (magic != kind->magic) {
        return dataset_fail(error, "%s: its magic number is 0x%08lx, and an IDX file of %s begins 0x%08lx",
                            path, (unsigned long)magic, kind->what, (unsigned long)kind->magic);
    }
    bool images = kind == &images_kind;
    file->data = file->bytes + kind->header;
    file->rows = big_endian(file->bytes + 4);
    file->height = images ? big_endian(file->bytes + 8) : 1;
    file->width = images ? big_endian(file->bytes + 12) : 1;
    return check_size(file, kind, size, error);
}

/* The four files; the training part first. */
typedef struct idx_folder {
    idx_file images[2], labels[2];
} idx_folder;

static bool read_files(const char *folder, idx_folder *files, dataset_error *error)
{
    static const char *const image_names[] = {"train-images", "t10k-images"};
    static const char *const label_names[] = {"train-labels", "t10k-labels"};
    for (int part = 0; part < 2; ++part) {
        idx_file *images = &files->images[part], *labels = &files->labels[part];
        if (!read_idx(folder, image_names[part], &images_kind, images, error) ||
            !read_idx(folder, label_names[part], &labels_kind, labels, error)) {
            return false;
        }
        if (images->rows != labels->rows) {
            return dataset_fail(error, "%s: it has %zu images, and %s beside it has %zu labels",
                                dataset_path_end(images->path), images->rows, strrchr(labels->path, '/') + 1,
                                labels->rows);
        }
    }
    const idx_file *train = &files->images[0], *test = &files->images[1];
    if (train->height != test->height || train->width != test->width) {
        return dataset_fail(error, "%s: images of %zu x %zu, but those to train on are %zu x %zu",
                            dataset_path_end(test->path), test->height, test->width, train->height,
                            train->width);
    }
    return true;
}

/* The number of classes that the training labels span; test labels must be among them. */
static bool count_classes(const idx_folder *files, size_t *class_count, dataset_error *error)
{
    const idx_file *train = &files->labels[0], *test = &files->labels[1];
    unsigned greatest = 0;
    for (size_t i = 0; i < train->rows; ++i) {
        greatest = train->data[i] > greatest ? train->data[i] : greatest;
    }
    if (greatest == 0) {
        return dataset_fail(error, "%s: only one class: all %zu labels are 0", dataset_path_end(train->path),
                            train->rows);
    }
    for (size_t i = 0; i < test->rows; ++i) {
        if (test->data[i] > greatest) {
            return dataset_fail(error, "%s: label %u at position %zu, but the training labels end at %u",
                                dataset_path_end(test->path), (unsigned)test->data[i], i, greatest);
        }
    }
    *class_count = (size_t)greatest + 1;
    return true;
}

static bool fill(dataset *set, const idx_file *images, const idx_file *labels, size_t class_count,
                 dataset_error *error)
{
    if (!dataset_create(set, images->rows, images->height * images->width, class_count, error) ||
        !dataset_number_classes(set, error)) {
        return false;
    }
    set->height = images->height;
    set->width = images->width;
    for (size_t i = 0; i < set->rows * set->features; ++i) {
        set->x[i] = (float)images->data[i] / 255.0f;
    }
    for (size_t i = 0; i < set->rows; ++i) {
        set->classes[i] = labels->data[i];
    }
    return true;
}

bool dataset_read_idx(const char *folder, dataset_pair *pair, dataset_error *error)
{
    idx_folder files = {0};
    dataset_pair result = {0};
    size_t class_count = 0;
    bool read = read_files(folder, &files, error) && count_classes(&files, &class_count, error) &&
                fill(&result.train, &files.images[0], &files.labels[0], class_count, error) &&
                fill(&result.test, &files.images[1], &files.labels[1], class_count, error);
    if (read) {
        *pair = result;
    } else {
        dataset_pair_free(&result);
    }
    for (int part = 0; part < 2; ++part) {
        idx_free(&files.images[part]);
        idx_free(&files.labels[part]);
    }
    return read;
}
