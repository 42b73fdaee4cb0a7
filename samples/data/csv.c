/* Fill the data sets from a CSV file's table, once each column is known for what it is. */
#include "csv_columns.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct csv_reader {
    csv_table table;
    csv_columns columns;
    size_t *order, train_rows; /* the shuffled rows that count; the first train_rows are to train on */
    double *numbers;           /* one column in the table's order: a number for each row that counts */
    double mean, std;          /* of its training part, where it is standardised */
} csv_reader;

/* Where row order[i] goes: to which part, and to which row of it. */
static dataset *part_of(const csv_reader *csv, dataset_pair *pair, size_t i, size_t *row)
{
    bool test = i >= csv->train_rows;
    *row = test ? i - csv->train_rows : i;
    return test ? &pair->test : &pair->train;
}

static bool load_column(csv_reader *csv, size_t column, dataset_error *error)
{
    for (size_t i = 0; i < csv->columns.row_count; ++i) {
        if (!csv_columns_number(&csv->columns, &csv->table, csv->columns.rows[i], column, &csv->numbers[i],
                                error)) {
            return false;
        }
    }
    dataset_mean_std(csv->numbers, csv->order, csv->train_rows, &csv->mean, &csv->std);
    return true;
}

/* The standardised number of row order[i] of the column; a test row can lie too far out for a float. */
static bool standardise(const csv_reader *csv, size_t column, size_t i, float *out, dataset_error *error)
{
    size_t row = csv->order[i];
    double value = csv->std > 0 ? (csv->numbers[row] - csv->mean) / csv->std : 0;
    if (!(fabs(value) <= (double)FLT_MAX)) {
        return dataset_fail(
            error, CSV_AT "%g is beyond the range of float once standardised (mean %g, std %g)",
            CSV_PLACE(&csv->table, csv->columns.rows[row], column), csv->numbers[row], csv->mean, csv->std);
    }
    *out = (float)value;
    return true;
}

/* A numeric column fills one feature, a text column one a category. */
static bool fill_feature(csv_reader *csv, dataset_pair *pair, size_t column, size_t feature,
                         dataset_error *error)
{
    if (!load_column(csv, column, error)) {
        return false;
    }
    if (csv->columns.items[column].numeric) {
        pair->train.x_mean[feature] = pair->test.x_mean[feature] = csv->mean;
        pair->train.x_std[feature] = pair->test.x_std[feature] = csv->std;
    }
    for (size_t i = 0; i < csv->columns.row_count; ++i) {
        size_t row;
        dataset *part = part_of(csv, pair, i, &row);
        float *x = part->x + row * part->features + feature;
        if (!csv->columns.items[column].numeric) {
            x[(size_t)csv->numbers[csv->order[i]]] = 1;
        } else if (!standardise(csv, column, i, x, error)) {
            return false;
        }
    }
    return true;
}

/* Until a numeric column says otherwise, a feature is in its own units. */
static bool create_units(dataset *set, dataset_error *error)
{
    set->x_mean = dataset_allocate(set->features, sizeof *set->x_mean, error);
    set->x_std = dataset_allocate(set->features, sizeof *set->x_std, error);
    for (size_t i = 0; set->x_std && i < set->features; ++i) {
        set->x_std[i] = 1;
    }
    return set->x_mean && set->x_std;
}

static bool fill_features(csv_reader *csv, dataset_pair *pair, dataset_error *error)
{
    size_t feature = 0;
    if (!create_units(&pair->train, error) || !create_units(&pair->test, error)) {
        return false;
    }
    for (size_t c = 0; c < csv->table.columns; ++c) {
        const csv_column *column = &csv->columns.items[c];
        if (column->ignored || c == csv->columns.target) {
            continue;
        }
        if (!fill_feature(csv, pair, c, feature, error)) {
            return false;
        }
        feature += column->numeric ? 1 : column->value_count;
    }
    return true;
}

static bool fill_target(csv_reader *csv, dataset_pair *pair, dataset_error *error)
{
    size_t target = csv->columns.target;
    bool classify = pair->train.class_count > 0;
    if (!load_column(csv, target, error)) {
        return false;
    }
    if (!classify && !(csv->std > 0)) {
        return dataset_fail(error, "%s: the target %.60s is %g in all %zu rows to train on", csv->table.path,
                            csv_cell(&csv->table, 0, target), csv->mean, csv->train_rows);
    }
    for (size_t i = 0; i < csv->columns.row_count; ++i) {
        size_t row;
        dataset *part = part_of(csv, pair, i, &row);
        if (classify) {
            part->classes[row] = (int32_t)csv->numbers[csv->order[i]];
        } else if (!standardise(csv, target, i, &part->y[row], error)) {
            return false;
        }
    }
    if (!classify) {
        pair->train.y_mean = pair->test.y_mean = csv->mean;
        pair->train.y_std = pair->test.y_std = csv->std;
    }
    return true;
}

static bool name_features(const csv_reader *csv, dataset *set, dataset_error *error)
{
    set->feature_names = dataset_allocate(set->features, sizeof *set->feature_names, error);
    char **next = set->feature_names;
    for (size_t c = 0; next && c < csv->table.columns; ++c) {
        const csv_column *column = &csv->columns.items[c];
        const char *name = csv_cell(&csv->table, 0, c);
        if (column->ignored || c == csv->columns.target) {
            continue;
        }
        for (size_t v = 0; v < (column->numeric ? 1 : column->value_count); ++v, ++next) {
            *next = column->numeric ? dataset_join_text(name, "", "", error)
                                    : dataset_join_text(name, "=", column->values[v].text, error);
            if (!*next) {
                return false;
            }
        }
    }
    return next != NULL;
}

static bool name_classes(const csv_reader *csv, dataset *set, dataset_error *error)
{
    for (size_t c = 0; c < set->class_count; ++c) {
        const csv_value *value = &csv->columns.items[csv->columns.target].values[c];
        char number[32];
        snprintf(number, sizeof number, "%.15g", value->number);
        set->class_names[c] = dataset_join_text(value->text ? value->text : number, "", "", error);
        if (!set->class_names[c]) {
            return false;
        }
    }
    return true;
}

static bool create(const csv_reader *csv, dataset *set, size_t rows, dataset_error *error)
{
    size_t classes = csv->columns.items[csv->columns.target].value_count;
    return dataset_create(set, rows, csv->columns.features, classes, error) &&
           name_features(csv, set, error) && name_classes(csv, set, error);
}

static bool fill(csv_reader *csv, dataset_pair *pair, dataset_error *error)
{
    size_t rows = csv->columns.row_count;
    csv->numbers = dataset_allocate(rows, sizeof *csv->numbers, error);
    pair->skipped_rows = csv->table.rows - 1 - rows;
    return csv->numbers && create(csv, &pair->train, csv->train_rows, error) &&
           create(csv, &pair->test, rows - csv->train_rows, error) && fill_features(csv, pair, error) &&
           fill_target(csv, pair, error);
}

dataset_csv_options dataset_csv_defaults(void)
{
    return (dataset_csv_options){.task = DATASET_TASK_AUTO, .test_fraction = 0.2};
}

bool dataset_read_csv(const char *file, const dataset_csv_options *options, dataset_pair *pair,
                      dataset_error *error)
{
    csv_reader csv = {0};
    dataset_pair result = {0};
    bool read = csv_table_read(&csv.table, file, error) &&
                csv_columns_choose(&csv.columns, &csv.table, options, error) &&
                dataset_split(csv.columns.row_count, options->test_fraction, options->seed, &csv.order,
                              &csv.train_rows, error) &&
                fill(&csv, &result, error);
    if (read) {
        *pair = result;
    } else {
        dataset_pair_free(&result);
    }
    csv_columns_free(&csv.columns, &csv.table);
    csv_table_free(&csv.table);
    free(csv.order);
    free(csv.numbers);
    return read;
}
