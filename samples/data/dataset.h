/*
 * The data that the sample trainer learns from: IDX files (MNIST's format), CSV files, and generated digits
 * and spirals. Plain C, zlib and the math library; nothing here knows of clgrad.
 *
 * Every reader gives a pair of data sets, one to train on and one to test with, and returns true. Otherwise
 * it returns false, leaves one sentence in the error and does not touch the pair. A pair is released with
 * dataset_pair_free.
 */
#ifndef DATASET_H
#define DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct dataset {
    size_t rows, features;
    float *x;               /* rows x features, row-major */
    int32_t *classes;       /* rows, each in [0, class_count); NULL for regression */
    float *y;               /* rows, standardised as y_mean and y_std say; NULL for classification */
    double y_mean, y_std;   /* y in its own units is y * y_std + y_mean; the same in both parts */
    size_t class_count;     /* 0 for regression */
    char **class_names;     /* class_count names ("0" to "9" for digits); NULL for regression */
    char **feature_names;   /* features names; NULL where they have none (the pixels of an image) */
    double *x_mean, *x_std; /* a feature in its own units is x * x_std + x_mean (x_std is 0 for a
                             * constant column); NULL where it is so already */
    size_t width, height;   /* of an image (features = width * height); 0 where rows are not images */
} dataset;

typedef struct dataset_pair {
    dataset train, test;
    size_t skipped_rows; /* rows left out for an empty cell (skip_empty of a CSV) */
} dataset_pair;

/* One sentence with the file, the line and the column where there are any, and the actual values. */
typedef struct dataset_error {
    char text[512];
} dataset_error;

/* Release what a data set owns and set it to all zero. NULL and all-zero structs are accepted. */
void dataset_free(dataset *set);
void dataset_pair_free(dataset_pair *pair);

/*
 * Read a folder with MNIST's four files: train-images-idx3-ubyte, train-labels-idx1-ubyte,
 * t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte. Each may be plain or gzip, with or without .gz, and may
 * have a dot before idx (train-images.idx3-ubyte). Format: http://yann.lecun.com/exdb/mnist/
 *
 * Bytes are scaled to [0, 1] (value / 255). The classes are 0 to the greatest training label, at most 256 of
 * them; a greater label in the test part is an error.
 */
bool dataset_read_idx(const char *folder, dataset_pair *pair, dataset_error *error);

typedef enum dataset_task {
    DATASET_TASK_AUTO,     /* a numeric target is a regression, a text target a classification */
    DATASET_TASK_CLASSIFY, /* each distinct value of the target is a class, numeric or not */
    DATASET_TASK_REGRESS   /* a text target is an error */
} dataset_task;

typedef struct dataset_csv_options {
    const char *target; /* name of the target column; NULL is an error that lists the columns */
    dataset_task task;
    double test_fraction;      /* in (0, 1), of the rows that are read; each part has one row at least */
    uint64_t seed;             /* of the shuffle before the split into train and test */
    const char *const *ignore; /* ignore_count names of columns that are not read at all */
    size_t ignore_count;
    bool skip_empty; /* leave out rows with an empty cell, and count them, instead of an error */
} dataset_csv_options;

/* No target, AUTO, 0.2, seed 0, nothing ignored, an empty cell is an error. */
dataset_csv_options dataset_csv_defaults(void);

/*
 * Read a CSV file, plain or gzip: a header line with the names of the columns, then one row a line.
 *
 * Fields are separated by commas. A field may stand in double quotes; it can then hold commas, line ends, and
 * quotes written twice. Blanks around a field are dropped unless they are inside the quotes. Lines end with
 * LF, CRLF or CR, the last one need not; blank lines and a UTF-8 byte order mark are passed over. (RFC 4180,
 * https://www.rfc-editor.org/rfc/rfc4180, and what spreadsheets write beyond it.)
 *
 * Columns other than the target and the ignored ones become features in the order of the file. A column is
 * numeric if its first cell is a number, otherwise text. A numeric column holds decimal numbers within
 * float's range and nothing else: other text, nan, inf and hexadecimal numbers are errors.
 *
 * - A numeric column becomes one feature, standardised: minus the mean, divided by the standard deviation (of
 *   the population, that is with n), both taken over the training part alone. Where that part is constant, 0.
 * - A text column becomes one feature a distinct value, 1 in the rows that have it and 0 in the others
 *   (one-hot, not standardised), named column=value, in the order of strcmp. With more distinct values than
 *   DATASET_ONE_HOT_MAX (names, remarks) it is no category and is refused: such a column is to be ignored.
 * - The target gives the classes, named by its cells in the order of strcmp (a numeric target: by value), or
 *   for regression y, standardised as a numeric column is. One class only, or a constant y, is an error.
 *
 * The rows are shuffled by the seed; the last test_fraction of them, rounded, are the test part. A class or a
 * category that is rare may therefore be missing in one part; class_count covers both.
 */
#define DATASET_ONE_HOT_MAX 20
bool dataset_read_csv(const char *file, const dataset_csv_options *options, dataset_pair *pair,
                      dataset_error *error);

/*
 * Draw digits that look like handwriting: 28 x 28 grey bytes scaled to [0, 1] as in the IDX files, ink 1 on
 * ground 0, classes 0 to 9. Row i depends on the seed, on the part (train or test) and on i alone, never on
 * how many rows are drawn. Each ten rows from a multiple of ten on hold every digit once, in a random order.
 * The same program gives the same bytes on every run; another math library may move a grey value by one.
 */
bool dataset_make_digits(size_t train_rows, size_t test_rows, uint64_t seed, dataset_pair *pair,
                         dataset_error *error);

/*
 * Draw points of a plane in three arms of a spiral, each a class ("arm 1" to "arm 3"), which no straight line
 * tells apart; features x and y, of a variance of about 1. Row i depends on the seed, on the part and on i
 * alone; the arms take turns.
 */
bool dataset_make_spirals(size_t train_rows, size_t test_rows, uint64_t seed, dataset_pair *pair,
                          dataset_error *error);

/*
 * From here on: shared by the readers. Of use to others are only the random numbers.
 */

#if defined(__GNUC__)
#define DATASET_PRINTF(sentence, first) __attribute__((format(printf, sentence, first)))
#else
#define DATASET_PRINTF(sentence, first)
#endif

/* Leave a sentence and return false. Control characters (a file may hold any) are shown as '?'. */
bool dataset_fail(dataset_error *error, const char *format, ...) DATASET_PRINTF(2, 3);

/* The path, or its last characters where it is so long that it would push the values out of the sentence. */
const char *dataset_path_end(const char *path);

/* count zeroed elements (never NULL for count 0), or NULL and a sentence. */
void *dataset_allocate(size_t count, size_t size, dataset_error *error);

/* A new text of three put together, or NULL and a sentence. */
char *dataset_join_text(const char *first, const char *second, const char *third, dataset_error *error);

/* A whole file, plain or gzip, with a NUL after its last byte. */
bool dataset_read_file(const char *path, unsigned char **bytes, size_t *size, dataset_error *error);

/* Allocate x, then classes and class_names (class_count > 0) or y (class_count = 0), all zero. */
bool dataset_create(dataset *set, size_t rows, size_t features, size_t class_count, dataset_error *error);

/* Name the classes "0", "1", ... */
bool dataset_number_classes(dataset *set, dataset_error *error);

/*
 * splitmix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014): the next
 * 64 random bits of a stream that any state begins. dataset_random_below gives an unbiased integer in
 * [0, bound), bound > 0.
 */
uint64_t dataset_random(uint64_t *state);
uint64_t dataset_random_below(uint64_t *state, uint64_t bound);

/* Where the random numbers of one purpose and one index begin, far from those of any other. */
uint64_t dataset_stream(uint64_t seed, uint64_t purpose, uint64_t index);

/*
 * Both parts of data that is drawn: make fills part 0 for training and part 1 for the test, with so many rows
 * (what: "digits"). After a failure pair is unchanged.
 */
typedef bool (*dataset_make)(dataset *set, size_t rows, uint64_t seed, uint64_t part, dataset_error *error);
bool dataset_make_pair(dataset_make make, const char *what, size_t train_rows, size_t test_rows,
                       uint64_t seed, dataset_pair *pair, dataset_error *error);

/* Shuffle an array (Fisher-Yates). */
void dataset_shuffle(size_t *items, size_t count, uint64_t *state);

/*
 * Shuffle rows 0 to rows-1 by the seed: order[0] to order[train_rows - 1] are the training part and the
 * others the test part. The caller frees order.
 */
bool dataset_split(size_t rows, double test_fraction, uint64_t seed, size_t **order, size_t *train_rows,
                   dataset_error *error);

/* Mean and population standard deviation of values[chosen[0]] to values[chosen[count - 1]]; 0 if constant. */
void dataset_mean_std(const double *values, const size_t *chosen, size_t count, double *mean, double *std);

#endif
