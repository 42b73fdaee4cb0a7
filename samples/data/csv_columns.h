/*
 * The second part of the CSV reader: what each column is. csv.c then fills the data sets.
 */
#ifndef CSV_COLUMNS_H
#define CSV_COLUMNS_H

#include "csv_table.h"

/* One distinct value of a column. In a numeric column text is NULL and the number counts. */
typedef struct csv_value {
    double number;
    const char *text;
} csv_value;

typedef struct csv_column {
    bool ignored, numeric;
    csv_value *values; /* of categories and classes alone: the distinct ones in ascending order */
    size_t value_count;
} csv_column;

typedef struct csv_columns {
    csv_column *items;       /* one for each column of the table */
    size_t target;           /* which of them */
    size_t features;         /* how many the others give */
    size_t *rows, row_count; /* those of the table that are used */
} csv_columns;

bool csv_columns_choose(csv_columns *columns, const csv_table *table, const dataset_csv_options *options,
                        dataset_error *error);
void csv_columns_free(csv_columns *columns, const csv_table *table);

/*
 * A cell as a number: itself in a numeric column, otherwise (and in a column of classes) the index of its
 * value among the column's distinct ones.
 */
bool csv_columns_number(const csv_columns *columns, const csv_table *table, size_t row, size_t column,
                        double *number, dataset_error *error);

#endif
