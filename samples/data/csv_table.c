/* Cut a CSV file into cells. What they mean is for csv_columns.c. */
#include "csv_table.h"

#include <stdlib.h>
#include <string.h>

/* How far the file has been cut. After its last byte stands a NUL, so that one byte may be read ahead. */
typedef struct cutter {
    unsigned char *next, *end;
    size_t line; /* of next */
    size_t cell_count, cell_room, line_room;
} cutter;

/* The items with room for one more than count, or NULL and a sentence; the items are then as they were. */
static void *grow(void *items, size_t *room, size_t count, size_t size, dataset_error *error)
{
    if (count < *room) {
        return items;
    }
    size_t wanted = *room ? *room * 2 : 256;
    void *larger = wanted <= SIZE_MAX / size ? realloc(items, wanted * size) : NULL;
    if (larger) {
        *room = wanted;
    } else {
        dataset_fail(error, "out of memory for more than %zu cells", count);
    }
    return larger;
}

static void skip_blanks(cutter *file)
{
    while (file->next < file->end && (*file->next == ' ' || *file->next == '\t')) {
        file->next++;
    }
}

/* Step over LF, CRLF or CR if one is next. */
static bool skip_line_end(cutter *file)
{
    if (file->next == file->end || (*file->next != '\n' && *file->next != '\r')) {
        return false;
    }
    file->next += *file->next == '\r' && file->next[1] == '\n' ? 2 : 1;
    file->line++;
    return true;
}

static bool at_field_end(const cutter *file)
{
    return file->next == file->end || *file->next == ',' || *file->next == '\n' || *file->next == '\r';
}

/* Cut a field that begins with a quote, writing it back without its quotes; *tail is where its text ends. */
static bool cut_quoted(cutter *file, const csv_table *table, size_t column, unsigned char **tail,
                       dataset_error *error)
{
    size_t first_line = file->line;
    unsigned char *write = ++file->next;
    for (;;) {
        if (file->next == file->end) {
            return dataset_fail(error, "%s, line %zu, column %zu: the quote that opens here is never closed",
                                table->path, first_line, column + 1);
        }
        unsigned char c = *file->next++;
        if (c == '"' && *file->next != '"') {
            break;
        }
        if (c == '"') {
            file->next++; /* two quotes are one */
        }
        file->line += c == '\n' || (c == '\r' && *file->next != '\n');
        *write++ = c;
    }
    *tail = write;
    skip_blanks(file);
    if (!at_field_end(file)) {
        return dataset_fail(error, "%s, line %zu, column %zu: '%c' after the closing quote", table->path,
                            file->line, column + 1, *file->next);
    }
    return true;
}

/* Cut one field; *more tells whether a comma follows it. */
static bool cut_field(cutter *file, csv_table *table, size_t column, bool *more, dataset_error *error)
{
    skip_blanks(file);
    unsigned char *text = file->next, *tail = text;
    if (file->next < file->end && *file->next == '"') {
        text++;
        if (!cut_quoted(file, table, column, &tail, error)) {
            return false;
        }
    } else {
        while (!at_field_end(file)) {
            file->next++;
        }
        tail = file->next;
        while (tail > text && (tail[-1] == ' ' || tail[-1] == '\t')) {
            tail--;
        }
    }
    *more = file->next < file->end && *file->next == ',';
    if (*more) {
        file->next++;
    } else {
        skip_line_end(file);
    }
    *tail = 0; /* only now: it may stand where the comma or the line end was */
    char **cells = grow(table->cells, &file->cell_room, file->cell_count, sizeof *cells, error);
    if (!cells) {
        return false;
    }
    table->cells = cells;
    table->cells[file->cell_count++] = (char *)text;
    return true;
}

/* A header without a comma, but with what other programs put in its place. */
static bool check_separator(const csv_table *table, dataset_error *error)
{
    const char *other = table->columns == 1 ? strpbrk(table->cells[0], ";\t") : NULL;
    return other == NULL ||
           dataset_fail(error,
                        "%s, line %zu: the header has %s, but no comma, which is what separates columns",
                        table->path, table->lines[0], *other == ';' ? "semicolons" : "tabs");
}

static bool cut_row(cutter *file, csv_table *table, dataset_error *error)
{
    size_t *lines = grow(table->lines, &file->line_room, table->rows, sizeof *lines, error);
    if (!lines) {
        return false;
    }
    table->lines = lines;
    table->lines[table->rows] = file->line;
    size_t fields = 0;
    for (bool more = true; more; ++fields) {
        if (!cut_field(file, table, fields, &more, error)) {
            return false;
        }
    }
    if (table->rows == 0) {
        table->columns = fields;
        if (!check_separator(table, error)) {
            return false;
        }
    } else if (fields != table->columns) {
        return dataset_fail(error, "%s, line %zu: the row has %zu fields, the header has %zu", table->path,
                            table->lines[table->rows], fields, table->columns);
    }
    table->rows++;
    return true;
}

/* A NUL would end a text too early. */
static bool check_text(const char *path, const unsigned char *bytes, size_t size, dataset_error *error)
{
    const unsigned char *nul = memchr(bytes, 0, size);
    if (!nul) {
        return true;
    }
    size_t line = 1;
    for (const unsigned char *c = bytes; c < nul; ++c) {
        line += *c == '\n';
    }
    return dataset_fail(error, "%s, line %zu: byte %zu of the file is NUL, so that it is no text in UTF-8",
                        path, line, (size_t)(nul - bytes) + 1);
}

static bool cut_file(csv_table *table, size_t size, dataset_error *error)
{
    cutter file = {.next = table->bytes, .end = table->bytes + size, .line = 1};
    if (size >= 3 && memcmp(table->bytes, "\xef\xbb\xbf", 3) == 0) {
        file.next += 3; /* the byte order mark */
    }
    for (;;) {
        do {
            skip_blanks(&file);
        } while (skip_line_end(&file));
        if (file.next == file.end) {
            break;
        }
        if (!cut_row(&file, table, error)) {
            return false;
        }
    }
    return table->rows >= 2 || dataset_fail(error, "%s: no data rows: %s", table->path,
                                            table->rows ? "there is only a header" : "the file is empty");
}

bool csv_table_read(csv_table *table, const char *file, dataset_error *error)
{
    size_t size = 0;
    *table = (csv_table){.path = dataset_path_end(file)};
    return dataset_read_file(file, &table->bytes, &size, error) &&
           check_text(table->path, table->bytes, size, error) && cut_file(table, size, error);
}

void csv_table_free(csv_table *table)
{
    free(table->bytes);
    free(table->cells);
    free(table->lines);
    *table = (csv_table){0};
}
