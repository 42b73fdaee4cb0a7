/* Decide what each column of a table is (ignored, numeric, categories, the target) and which rows count. */
#include "csv_columns.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pointers to cells of the header: by name, equal names by their place. */
static int compare_names(const void *left, const void *right)
{
    char **a = *(char **const *)left, **b = *(char **const *)right;
    int order = strcmp(*a, *b);
    return order ? order : (a > b) - (a < b);
}

static bool check_names(const csv_table *table, dataset_error *error)
{
    char ***names = dataset_allocate(table->columns, sizeof *names, error);
    if (!names) {
        return false;
    }
    for (size_t c = 0; c < table->columns; ++c) {
        names[c] = &table->cells[c];
    }
    qsort(names, table->columns, sizeof *names, compare_names);
    bool differ = true;
    for (size_t c = 1; c < table->columns && differ; ++c) {
        if (strcmp(*names[c - 1], *names[c]) == 0) {
            size_t first = (size_t)(names[c - 1] - table->cells), second = (size_t)(names[c] - table->cells);
            differ = dataset_fail(error, "%s, line %zu: columns %zu and %zu are both named \"%.60s\"",
                                  table->path, table->lines[0], first + 1, second + 1, *names[c]);
        }
    }
    free(names);
    return differ;
}

/* The column of this name; otherwise the sentence lists those that there are. */
static bool find_column(const csv_table *table, const char *role, const char *name, size_t *column,
                        dataset_error *error)
{
    for (*column = 0; name && *column < table->columns; ++*column) {
        if (strcmp(name, csv_cell(table, 0, *column)) == 0) {
            return true;
        }
    }
    char list[sizeof error->text] = "";
    size_t length = 0;
    for (size_t c = 0; c < table->columns && length < sizeof list; ++c) {
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", c ? ", " : "",
                                   csv_cell(table, 0, c));
    }
    if (!name) {
        return dataset_fail(error, "%s: no %s column is named; there are: %s", table->path, role, list);
    }
    return dataset_fail(error, "%s: no column \"%.60s\" (%s); there are: %s", table->path, name, role, list);
}

static bool choose_roles(csv_columns *columns, const csv_table *table, const dataset_csv_options *options,
                         dataset_error *error)
{
    columns->items = dataset_allocate(table->columns, sizeof *columns->items, error);
    if (!columns->items || !check_names(table, error) ||
        !find_column(table, "target", options->target, &columns->target, error)) {
        return false;
    }
    size_t left = table->columns - 1;
    for (size_t i = 0; i < options->ignore_count; ++i) {
        size_t column;
        if (!find_column(table, "to be ignored", options->ignore[i], &column, error)) {
            return false;
        }
        if (column == columns->target) {
            return dataset_fail(error, "%s: column \"%.60s\" cannot be the target and be ignored",
                                table->path, options->target);
        }
        left -= !columns->items[column].ignored;
        columns->items[column].ignored = true;
    }
    return left > 0 || dataset_fail(error, "%s: of %zu columns none is left beside the target \"%.60s\"",
                                    table->path, table->columns, options->target);
}

/* Leave out the rows with an empty cell in a column that counts, or refuse them. */
static bool choose_rows(csv_columns *columns, const csv_table *table, bool skip_empty, dataset_error *error)
{
    columns->rows = dataset_allocate(table->rows, sizeof *columns->rows, error);
    for (size_t r = 1; columns->rows && r < table->rows; ++r) {
        size_t c = 0;
        while (c < table->columns && (columns->items[c].ignored || *csv_cell(table, r, c))) {
            ++c;
        }
        if (c == table->columns) {
            columns->rows[columns->row_count++] = r;
        } else if (!skip_empty) {
            return dataset_fail(error, CSV_AT "the cell is empty (--skip-empty leaves such rows out)",
                                CSV_PLACE(table, r, c));
        }
    }
    if (columns->rows && columns->row_count == 0) {
        return dataset_fail(error, "%s: no data rows: each of the %zu has an empty cell", table->path,
                            table->rows - 1);
    }
    return columns->rows != NULL;
}

/* Anything that C's strtod takes counts as a number here, so that inf and hexadecimals meet read_number. */
static bool is_number(const char *text)
{
    char *rest;
    strtod(text, &rest);
    return rest != text && *rest == 0;
}

static bool read_number(const csv_columns *columns, const csv_table *table, size_t row, size_t column,
                        double *number, dataset_error *error)
{
    const char *text = csv_cell(table, row, column);
    size_t first = columns->rows[0];
    if (!is_number(text)) {
        return dataset_fail(error,
                            CSV_AT "\"%.40s\" is not a number, and the column's first cell is: \"%.40s\" on "
                                   "line %zu",
                            CSV_PLACE(table, row, column), text, csv_cell(table, first, column),
                            table->lines[first]);
    }
    if (text[strspn(text, "+-.0123456789eE")] != 0) {
        return dataset_fail(error, CSV_AT "\"%.40s\" is not a finite decimal number",
                            CSV_PLACE(table, row, column), text);
    }
    *number = strtod(text, NULL);
    if (!(fabs(*number) <= (double)FLT_MAX)) {
        return dataset_fail(error, CSV_AT "\"%.40s\" is beyond the range of float",
                            CSV_PLACE(table, row, column), text);
    }
    return true;
}

static bool read_value(const csv_columns *columns, const csv_table *table, size_t row, size_t column,
                       csv_value *value, dataset_error *error)
{
    *value = (csv_value){0};
    if (columns->items[column].numeric) {
        return read_number(columns, table, row, column, &value->number, error);
    }
    value->text = csv_cell(table, row, column);
    return true;
}

/* Two values of one column: both have a text or neither has. */
static int compare_values(const void *left, const void *right)
{
    const csv_value *a = left, *b = right;
    return a->text ? strcmp(a->text, b->text) : (a->number > b->number) - (a->number < b->number);
}

static bool find_values(csv_columns *columns, const csv_table *table, size_t column, dataset_error *error)
{
    size_t count = columns->row_count, distinct = 0;
    csv_value *values = dataset_allocate(count, sizeof *values, error);
    columns->items[column].values = values;
    if (!values) {
        return false;
    }
    for (size_t i = 0; i < count; ++i) {
        if (!read_value(columns, table, columns->rows[i], column, &values[i], error)) {
            return false;
        }
    }
    qsort(values, count, sizeof *values, compare_values);
    for (size_t i = 0; i < count; ++i) {
        if (distinct == 0 || compare_values(&values[distinct - 1], &values[i]) != 0) {
            values[distinct++] = values[i];
        }
    }
    columns->items[column].value_count = distinct;
    return true;
}

static bool choose_feature(csv_columns *columns, const csv_table *table, size_t c, dataset_error *error)
{
    csv_column *column = &columns->items[c];
    if (column->numeric) {
        columns->features += 1;
        return true;
    }
    if (!find_values(columns, table, c, error)) {
        return false;
    }
    columns->features += column->value_count;
    return column->value_count <= DATASET_ONE_HOT_MAX ||
           dataset_fail(error,
                        "%s, column %zu (%.60s): text with %zu distinct values, more than the %d that can be "
                        "one-hot features; the column can be ignored",
                        table->path, c + 1, csv_cell(table, 0, c), column->value_count, DATASET_ONE_HOT_MAX);
}

static bool choose_target(csv_columns *columns, const csv_table *table, dataset_task task,
                          dataset_error *error)
{
    size_t c = columns->target, first = columns->rows[0];
    const csv_column *target = &columns->items[c];
    if (task == DATASET_TASK_REGRESS && !target->numeric) {
        return dataset_fail(error, CSV_AT "\"%.40s\" is not a number, and a regression needs numbers",
                            CSV_PLACE(table, first, c), csv_cell(table, first, c));
    }
    if (task == DATASET_TASK_REGRESS || (task == DATASET_TASK_AUTO && target->numeric)) {
        return true;
    }
    if (!find_values(columns, table, c, error)) {
        return false;
    }
    return target->value_count > 1 ||
           dataset_fail(error, "%s: only one class: the target %.60s is \"%.40s\" in all %zu rows",
                        table->path, csv_cell(table, 0, c), csv_cell(table, first, c), columns->row_count);
}

bool csv_columns_choose(csv_columns *columns, const csv_table *table, const dataset_csv_options *options,
                        dataset_error *error)
{
    *columns = (csv_columns){0};
    if (!choose_roles(columns, table, options, error) ||
        !choose_rows(columns, table, options->skip_empty, error)) {
        return false;
    }
    for (size_t c = 0; c < table->columns; ++c) {
        csv_column *column = &columns->items[c];
        column->numeric = is_number(csv_cell(table, columns->rows[0], c));
        if (!column->ignored && c != columns->target && !choose_feature(columns, table, c, error)) {
            return false;
        }
    }
    return choose_target(columns, table, options->task, error);
}

void csv_columns_free(csv_columns *columns, const csv_table *table)
{
    for (size_t c = 0; columns->items && c < table->columns; ++c) {
        free(columns->items[c].values);
    }
    free(columns->items);
    free(columns->rows);
    *columns = (csv_columns){0};
}

bool csv_columns_number(const csv_columns *columns, const csv_table *table, size_t row, size_t column,
                        double *number, dataset_error *error)
{
    const csv_column *info = &columns->items[column];
    csv_value value;
    if (!read_value(columns, table, row, column, &value, error)) {
        return false;
    }
    *number = value.number;
    if (info->values) {
        const csv_value *found =
            bsearch(&value, info->values, info->value_count, sizeof value, compare_values);
        *number = (double)(found - info->values);
    }
    return true;
}
