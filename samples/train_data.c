#define _POSIX_C_SOURCE 200809L

#include "train_data.h"

#include "train_common.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* What --data takes, for those who gave something else. */
#define TAKES                                                                                     \
    "--data takes digits or spirals, which the trainer draws itself, a folder with MNIST's four " \
    "IDX files, or a CSV file"

static bool ends_in(const char *name, const char *ending)
{
    const size_t length = strlen(name), tail = strlen(ending);
    return length >= tail && strcasecmp(name + length - tail, ending) == 0;
}

void train_data_csv_in(const char *folder, char path[TRAIN_LINE_SIZE])
{
    const size_t length = strlen(folder);
    const char *slash = length > 0 && folder[length - 1] == '/' ? "" : "/";
    char first[256] = ""; /* as long as a name can be on the file systems that there are */
    bool idx = false;
    DIR *directory = opendir(folder);
    for (struct dirent *e; directory != NULL && (e = readdir(directory)) != NULL;) {
        const char *name = e->d_name;
        idx |= strstr(name, "-ubyte") != NULL;
        if ((ends_in(name, ".csv") || ends_in(name, ".csv.gz")) &&
            (first[0] == '\0' || strcmp(name, first) < 0))
            snprintf(first, sizeof first, "%s", name);
    }
    if (directory != NULL)
        closedir(directory);
    path[0] = '\0';
    if (!idx && first[0] != '\0')
        snprintf(path, TRAIN_LINE_SIZE, "%s%s%s", folder, slash, first);
}

/* One of MNIST's files, plain or as gzip, where its folder should be given, is not read as a table. */
static bool refuse_idx_file(const char *path, clgrad_message *message)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const int folder = slash != NULL ? (int)(name - path) : 1;
    if (strstr(name, "idx1-ubyte") == NULL && strstr(name, "idx3-ubyte") == NULL)
        return true;
    return train_refuse(message, "--data %.600s is an IDX file: give the folder that it is in, --data %.*s",
                        path, folder < 600 ? folder : 600, slash != NULL ? path : ".");
}

/* Whether there is what --data names, and neither a folder holds a table instead of images nor the reverse.
 */
static bool check_path(const train_options *options, clgrad_message *message)
{
    struct stat about;
    char csv[TRAIN_LINE_SIZE];
    if (stat(options->data, &about) != 0)
        return train_refuse(message, "--data \"%.600s\" cannot be read: %s; " TAKES, options->data,
                            strerror(errno));
    if (options->source != TRAIN_IDX)
        return refuse_idx_file(options->data, message);
    train_data_csv_in(options->data, csv);
    return csv[0] == '\0' ||
           train_refuse(
               message,
               "--data %.500s: this folder has no IDX files, but a CSV file: give it by --data %.700s, "
               "and by --target the column to learn",
               options->data, csv);
}

static bool read_csv(const train_options *options, dataset_pair *data, dataset_error *error)
{
    dataset_csv_options csv = dataset_csv_defaults();
    csv.target = options->target;
    csv.task = options->task;
    csv.seed = options->seed;
    csv.ignore = options->ignore;
    csv.ignore_count = options->ignore_count;
    csv.skip_empty = options->skip_empty;
    return dataset_read_csv(options->data, &csv, data, error);
}

bool train_data_without_target(const train_options *options, clgrad_message *message)
{
    dataset_pair none;
    dataset_error error; /* has the columns that there are, or why there are none */
    struct stat about;
    if (!refuse_idx_file(options->data, message))
        return false;
    if (stat(options->data, &about) == 0 && !S_ISREG(about.st_mode)) /* a pipe would be waited for */
        return train_refuse(message, "--data %.600s needs --target, the column to learn", options->data);
    read_csv(options, &none, &error);
    return train_refuse(message, "--data %.600s needs --target, the column to learn: %s", options->data,
                        error.text);
}

bool train_data_load(const train_options *options, dataset_pair *data, clgrad_message *message)
{
    const size_t rows = options->samples, test_rows = (rows + 4) / 5;
    dataset_error error;
    bool loaded = false;
    if (options->data != NULL && !check_path(options, message))
        return false;
    switch (options->source) {
    case TRAIN_DIGITS:
        loaded = dataset_make_digits(rows, test_rows, options->seed, data, &error);
        break;
    case TRAIN_SPIRALS:
        loaded = dataset_make_spirals(rows, test_rows, options->seed, data, &error);
        break;
    case TRAIN_IDX:
        loaded = dataset_read_idx(options->data, data, &error);
        break;
    case TRAIN_CSV:
        loaded = read_csv(options, data, &error);
        break;
    }
    return loaded || train_refuse(message, "%s", error.text);
}
