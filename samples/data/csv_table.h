/*
 * The first part of the CSV reader: a file cut into cells.
 */
#ifndef CSV_TABLE_H
#define CSV_TABLE_H

#include "dataset.h"

/*
 * A file cut into cells: texts inside the file's own bytes, each ended by a NUL in place of what stood behind
 * it. Row 0 is the header; there is one row more at least, and each has as many cells as the header.
 */
typedef struct csv_table {
    const char *path; /* for the sentences */
    unsigned char *bytes;
    char **cells;  /* rows x columns */
    size_t *lines; /* of the file, on which each row begins */
    size_t rows, columns;
} csv_table;

bool csv_table_read(csv_table *table, const char *file, dataset_error *error);
void csv_table_free(csv_table *table);

static inline const char *csv_cell(const csv_table *table, size_t row, size_t column)
{
    return table->cells[row * table->columns + column];
}

/* Where in the file a sentence is about. */
#define CSV_AT "%s, line %zu, column %zu (%.60s): "
#define CSV_PLACE(table, row, column) \
    (table)->path, (table)->lines[row], (column) + 1, csv_cell(table, 0, column)

#endif
