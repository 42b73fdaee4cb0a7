#include "safetensors.h"

#include "file.h"

#include <jansson.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors files are little-endian, and nothing here turns numbers round"
#endif

#define LENGTH_BYTES ((uint64_t)8)
#define MAX_DEPTH 3     /* the object, an array's object, its shape */
#define MAX_COMMAS 1024 /* in a list */
#define METADATA "__metadata__"

struct clgrad_safetensors {
    clgrad_file file;
    uint64_t data; /* where the data begins */
    json_t *root;  /* owns the names and texts */
    clgrad_safetensors_string *strings;
    clgrad_safetensors_array *arrays;
    const clgrad_safetensors_array **by_name; /* the same, sorted */
    size_t string_count, array_count;
};

/* What each element takes, in bits. */
static const struct {
    const char *name;
    unsigned bits;
} dtypes[] = {
    {"BOOL", 8},        {"U8", 8},          {"I8", 8},      {"U16", 16},    {"I16", 16}, {"F16", 16},
    {"BF16", 16},       {"U32", 32},        {"I32", 32},    {"F32", 32},    {"U64", 64}, {"I64", 64},
    {"F64", 64},        {"C64", 64},        {"F8_E4M3", 8}, {"F8_E5M2", 8}, {"F4", 4},   {"F8_E8M0", 8},
    {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"F6_E2M3", 6}, {"F6_E3M2", 6},
};

/* 0 for a dtype that the format does not have. */
static unsigned bits_of(const char *dtype)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++)
        if (strcmp(dtypes[i].name, dtype) == 0)
            return dtypes[i].bits;
    return 0;
}

const char *clgrad_shown(const char *name, char shown[CLGRAD_SHOWN_SIZE])
{
    size_t length = 0;
    for (; name[length] != '\0' && length < CLGRAD_SHOWN_SIZE - 4; length++) {
        const unsigned char c = (unsigned char)name[length];
        shown[length] = c < 0x20 || c > 0x7e ? '?' : name[length];
    }
    strcpy(shown + length, name[length] != '\0' ? "..." : "");
    return shown;
}

static clgrad_status no_memory(clgrad_message *message)
{
    return clgrad_fail_message(message, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
}

/* ---- the header ---- */

/* Refuse a file: a sentence that begins with its path. */
#define REFUSE(message, ...)                                 \
    clgrad_fail_message(message, CLGRAD_STATUS_INVALID_FILE, \
                        CLGRAD_PATH " is no good safetensors file: " __VA_ARGS__)

/*
 * Whether the JSON goes no deeper than the format does, and no list is longer than any shape: seen before it
 * is parsed, since the parser takes many times the bytes of what it is given.
 */
static bool is_flat(const char *text, size_t length)
{
    char open[MAX_DEPTH];
    size_t depth = 0, commas = 0;
    bool quoted = false;
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        if (quoted) {
            i += c == '\\';
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        if (c == '{' || c == '[') {
            if (depth == MAX_DEPTH)
                return false;
            open[depth++] = c;
            commas = 0;
        } else if (c == '}' || c == ']') {
            if (depth == 0)
                return false;
            depth--;
        } else if (c == ',' && depth > 0 && open[depth - 1] == '[' && ++commas > MAX_COMMAS) {
            return false;
        }
    }
    return true;
}

static clgrad_status read_header(clgrad_safetensors *file, const char *path, clgrad_message *message)
{
    unsigned char bytes[LENGTH_BYTES];
    uint64_t length = 0;
    if (file->file.bytes < LENGTH_BYTES)
        return REFUSE(message, "it has %llu bytes, the first 8 should say how long its header is", path,
                      (unsigned long long)file->file.bytes);
    clgrad_status status = clgrad_file_read(&file->file, 0, bytes, sizeof bytes, message);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    for (size_t i = sizeof bytes; i-- > 0;)
        length = length << 8 | bytes[i];
    if (length > CLGRAD_SAFETENSORS_MAX_HEADER)
        return REFUSE(message,
                      "its header is said to have %llu bytes, at most %d are allowed: this is not a "
                      "safetensors file, or its first 8 bytes are damaged",
                      path, (unsigned long long)length, CLGRAD_SAFETENSORS_MAX_HEADER);
    if (length > file->file.bytes - LENGTH_BYTES)
        return REFUSE(message, "its header is said to have %llu bytes, but the file has %llu in all", path,
                      (unsigned long long)length, (unsigned long long)file->file.bytes);
    file->data = LENGTH_BYTES + length;

    char *text = malloc((size_t)length + 1);
    if (text == NULL)
        return no_memory(message);
    status = clgrad_file_read(&file->file, LENGTH_BYTES, text, (size_t)length, message);
    if (status == CLGRAD_STATUS_SUCCESS && (length == 0 || text[0] != '{'))
        status = REFUSE(message, "its header does not begin with {", path);
    if (status == CLGRAD_STATUS_SUCCESS && !is_flat(text, (size_t)length))
        status =
            REFUSE(message, "its header is nested deeper, or has longer lists, than the format knows", path);
    if (status == CLGRAD_STATUS_SUCCESS) {
        json_error_t error;
        char shown[CLGRAD_SHOWN_SIZE];
        file->root = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &error);
        /* Where it is out of memory the parser says so, or nothing; or it takes a text for no token. */
        if (file->root == NULL &&
            (json_error_code(&error) == json_error_out_of_memory || error.text[0] == '\0'))
            status = no_memory(message);
        else if (file->root == NULL)
            status = REFUSE(message, "its header is no JSON that can be read: %s (byte %d)", path,
                            clgrad_shown(error.text, shown), error.position);
    }
    free(text);
    return status;
}

/* A whole number that is not negative. */
static bool get_whole(const json_t *value, uint64_t *whole)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *whole = (uint64_t)json_integer_value(value);
    return true;
}

/* The bytes that a shape takes; false where they overflow or are no whole number of bytes. */
static bool count_bytes(const clgrad_safetensors_array *array, unsigned bits, uint64_t *bytes)
{
    uint64_t all = bits;
    for (size_t i = 0; i < array->rank; i++)
        if (array->shape[i] == 0)
            all = 0;
    for (size_t i = 0; i < array->rank && all > 0; i++) {
        if (array->shape[i] > UINT64_MAX / all)
            return false;
        all *= array->shape[i];
    }
    *bytes = all / 8;
    return all % 8 == 0;
}

/* One array as the header has it; its place is held against the others' later. */
static clgrad_status read_array(const char *path, const char *name, const json_t *value,
                                clgrad_safetensors_array *array, clgrad_message *message)
{
    char shown[CLGRAD_SHOWN_SIZE], shown_dtype[CLGRAD_SHOWN_SIZE];
    const json_t *dtype = json_object_get(value, "dtype"), *shape = json_object_get(value, "shape"),
                 *offsets = json_object_get(value, "data_offsets");
    clgrad_shown(name, shown);
    *array = (clgrad_safetensors_array){.name = name};
    if (json_object_size(value) != 3 || !json_is_string(dtype) || !json_is_array(shape) ||
        !json_is_array(offsets))
        return REFUSE(message, "the tensor \"%s\" should have a dtype, a shape and data_offsets, no more",
                      path, shown);
    array->dtype = json_string_value(dtype);
    array->rank = json_array_size(shape);
    if (array->rank > CLGRAD_SAFETENSORS_MAX_RANK)
        return REFUSE(message, "the tensor \"%s\" has %zu dimensions, at most %d can be read", path, shown,
                      array->rank, CLGRAD_SAFETENSORS_MAX_RANK);
    for (size_t i = 0; i < array->rank; i++)
        if (!get_whole(json_array_get(shape, i), &array->shape[i]))
            return REFUSE(message, "a dimension of the tensor \"%s\" is no whole number from 0 on", path,
                          shown);
    if (json_array_size(offsets) != 2 || !get_whole(json_array_get(offsets, 0), &array->begin) ||
        !get_whole(json_array_get(offsets, 1), &array->end))
        return REFUSE(message, "the data_offsets of the tensor \"%s\" are not two whole numbers from 0 on",
                      path, shown);

    const unsigned bits = bits_of(array->dtype);
    if (bits == 0)
        return REFUSE(message, "the tensor \"%s\" has the dtype \"%s\", which the format does not have", path,
                      shown, clgrad_shown(array->dtype, shown_dtype));
    uint64_t bytes;
    if (!count_bytes(array, bits, &bytes))
        return REFUSE(message, "the size of the tensor \"%s\" overflows or is no whole number of bytes", path,
                      shown);
    if (array->begin > array->end || array->end - array->begin != bytes)
        return REFUSE(
            message,
            "the tensor \"%s\" takes %llu bytes by its shape and dtype, but its data_offsets are %llu and "
            "%llu",
            path, shown, (unsigned long long)bytes, (unsigned long long)array->begin,
            (unsigned long long)array->end);
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_status read_strings(clgrad_safetensors *file, const char *path, json_t *metadata,
                                  clgrad_message *message)
{
    const char *name;
    json_t *value;
    char shown[CLGRAD_SHOWN_SIZE];
    if (!json_is_object(metadata))
        return REFUSE(message, "its " METADATA " is no object", path);
    file->strings = calloc(json_object_size(metadata) + 1, sizeof *file->strings);
    if (file->strings == NULL)
        return no_memory(message);
    json_object_foreach(metadata, name, value)
    {
        if (!json_is_string(value))
            return REFUSE(message, "\"%s\" in its " METADATA " is no string", path,
                          clgrad_shown(name, shown));
        file->strings[file->string_count++] = (clgrad_safetensors_string){name, json_string_value(value)};
    }
    return CLGRAD_STATUS_SUCCESS;
}

static int by_place(const void *a, const void *b)
{
    const clgrad_safetensors_array *first = a, *second = b;
    if (first->begin != second->begin)
        return first->begin < second->begin ? -1 : 1;
    return (first->end > second->end) - (first->end < second->end);
}

static int by_name(const void *a, const void *b)
{
    const clgrad_safetensors_array *const *first = a, *const *second = b;
    return strcmp((*first)->name, (*second)->name);
}

/* The arrays, sorted, must lie one behind the other from the first to the last byte of the data. */
static clgrad_status check_places(const clgrad_safetensors *file, const char *path, clgrad_message *message)
{
    const uint64_t bytes = file->file.bytes - file->data;
    uint64_t end = 0;
    char shown[CLGRAD_SHOWN_SIZE];
    for (size_t i = 0; i < file->array_count; i++) {
        const clgrad_safetensors_array *array = &file->arrays[i];
        clgrad_shown(array->name, shown);
        if (array->end > bytes)
            return REFUSE(message, "the tensor \"%s\" ends at byte %llu of the data, which has %llu", path,
                          shown, (unsigned long long)array->end, (unsigned long long)bytes);
        if (array->begin != end)
            return REFUSE(
                message,
                "the tensor \"%s\" begins at byte %llu of the data, but what is before it ends at %llu: "
                "there is %s",
                path, shown, (unsigned long long)array->begin, (unsigned long long)end,
                array->begin < end ? "an overlap" : "a hole");
        end = array->end;
    }
    if (end != bytes)
        return REFUSE(message, "its tensors end at byte %llu of the data, which has %llu", path,
                      (unsigned long long)end, (unsigned long long)bytes);
    return CLGRAD_STATUS_SUCCESS;
}

static clgrad_status read_entries(clgrad_safetensors *file, const char *path, clgrad_message *message)
{
    const char *name;
    json_t *value;
    file->arrays = calloc(json_object_size(file->root) + 1, sizeof *file->arrays);
    file->by_name = calloc(json_object_size(file->root) + 1, sizeof *file->by_name);
    if (file->arrays == NULL || file->by_name == NULL)
        return no_memory(message);
    json_object_foreach(file->root, name, value)
    {
        const clgrad_status status =
            strcmp(name, METADATA) == 0
                ? read_strings(file, path, value, message)
                : read_array(path, name, value, &file->arrays[file->array_count++], message);
        if (status != CLGRAD_STATUS_SUCCESS)
            return status;
    }
    qsort(file->arrays, file->array_count, sizeof *file->arrays, by_place);
    for (size_t i = 0; i < file->array_count; i++)
        file->by_name[i] = &file->arrays[i];
    qsort(file->by_name, file->array_count, sizeof *file->by_name, by_name);
    return check_places(file, path, message);
}

/* ---- a file that is read ---- */

clgrad_status clgrad_safetensors_open(const char *path, clgrad_safetensors **file, clgrad_message *message)
{
    *file = NULL;
    clgrad_safetensors *opened = calloc(1, sizeof *opened);
    if (opened == NULL)
        return no_memory(message);
    clgrad_status status = clgrad_file_open(path, &opened->file, message);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = read_header(opened, path, message);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = read_entries(opened, path, message);
    if (status == CLGRAD_STATUS_SUCCESS)
        *file = opened;
    else
        clgrad_safetensors_close(opened);
    return status;
}

void clgrad_safetensors_release(clgrad_safetensors *file)
{
    clgrad_file_close(&file->file);
}

void clgrad_safetensors_close(clgrad_safetensors *file)
{
    if (file == NULL)
        return;
    clgrad_file_close(&file->file);
    json_decref(file->root);
    free(file->strings);
    free(file->arrays);
    free(file->by_name);
    free(file);
}

size_t clgrad_safetensors_strings(const clgrad_safetensors *file, const clgrad_safetensors_string **strings)
{
    *strings = file->strings;
    return file->string_count;
}

const char *clgrad_safetensors_text(const clgrad_safetensors *file, const char *name)
{
    return json_string_value(json_object_get(json_object_get(file->root, METADATA), name));
}

size_t clgrad_safetensors_arrays(const clgrad_safetensors *file, const clgrad_safetensors_array **arrays)
{
    *arrays = file->arrays;
    return file->array_count;
}

const clgrad_safetensors_array *clgrad_safetensors_find(const clgrad_safetensors *file, const char *name)
{
    const clgrad_safetensors_array wanted = {.name = name}, *key = &wanted;
    const clgrad_safetensors_array **found =
        bsearch(&key, file->by_name, file->array_count, sizeof *file->by_name, by_name);
    return found != NULL ? *found : NULL;
}

clgrad_status clgrad_safetensors_read(const clgrad_safetensors *file, const clgrad_safetensors_array *array,
                                      void *data, clgrad_message *message)
{
    return clgrad_file_read(&file->file, file->data + array->begin, data, (size_t)(array->end - array->begin),
                            message);
}

/* ---- a file that is written ---- */

clgrad_status clgrad_safetensors_takes(const char *text)
{
    json_error_t error;
    json_t *string = json_pack_ex(&error, 0, "s", text);
    if (string == NULL)
        return json_error_code(&error) == json_error_invalid_utf8 ? CLGRAD_STATUS_INVALID_ARGUMENT
                                                                  : CLGRAD_STATUS_OUT_OF_MEMORY;
    json_decref(string);
    return CLGRAD_STATUS_SUCCESS;
}

/* Set a member of an object, which takes the value over; false without memory. */
static bool set(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

/* NULL without memory. */
static json_t *describe(const clgrad_safetensors_array *array)
{
    json_t *shape = json_array();
    for (size_t i = 0; i < array->rank; i++)
        if (json_array_append_new(shape, json_integer((json_int_t)array->shape[i])) != 0) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", array->dtype, "shape", shape, "data_offsets",
                     (json_int_t)array->begin, (json_int_t)array->end);
}

/* The header as JSON. NULL as set has it. */
static json_t *make_root(const clgrad_safetensors_string *strings, size_t string_count,
                         clgrad_safetensors_array *arrays, size_t array_count)
{
    json_t *root = json_object(), *metadata = json_object();
    bool done = true;
    uint64_t end = 0;
    for (size_t i = 0; i < string_count; i++)
        done &= set(metadata, strings[i].name, json_string(strings[i].text));
    if (string_count > 0)
        done &= json_object_set(root, METADATA, metadata) == 0;
    for (size_t i = 0; i < array_count; i++) {
        clgrad_safetensors_array *array = &arrays[i];
        uint64_t bytes = 0;
        done &= count_bytes(array, bits_of(array->dtype), &bytes);
        array->begin = end;
        array->end = end += bytes;
        done &= set(root, array->name, describe(array));
    }
    json_decref(metadata);
    if (done)
        return root;
    json_decref(root);
    return NULL;
}

/* Length, JSON, and blanks to a multiple of 8 bytes, so that the data is aligned. NULL without memory. */
static char *make_header(const json_t *root, size_t *bytes)
{
    const size_t length = json_dumpb(root, NULL, 0, JSON_COMPACT), padded = (length + 7) / 8 * 8;
    char *header = length > 0 ? malloc(LENGTH_BYTES + padded) : NULL;
    *bytes = LENGTH_BYTES + padded;
    if (header == NULL || json_dumpb(root, header + LENGTH_BYTES, length, JSON_COMPACT) != length) {
        free(header);
        return NULL;
    }
    for (size_t i = 0; i < LENGTH_BYTES; i++)
        header[i] = (char)(unsigned char)((uint64_t)padded >> (8 * i) & 0xff);
    memset(header + LENGTH_BYTES + length, ' ', padded - length);
    return header;
}

clgrad_status clgrad_safetensors_write(const char *path, const clgrad_safetensors_string *strings,
                                       size_t string_count, clgrad_safetensors_array *arrays,
                                       size_t array_count, clgrad_message *message)
{
    json_t *root = make_root(strings, string_count, arrays, array_count);
    clgrad_piece *pieces = calloc(array_count + 1, sizeof *pieces);
    size_t header_bytes = 0;
    char *header = root != NULL ? make_header(root, &header_bytes) : NULL;
    clgrad_status status;
    if (pieces == NULL || header == NULL) {
        status = no_memory(message);
    } else if (header_bytes - LENGTH_BYTES > CLGRAD_SAFETENSORS_MAX_HEADER) {
        status = clgrad_fail_message(message, CLGRAD_STATUS_OUT_OF_RANGE,
                                     CLGRAD_PATH " would have a header of %zu bytes, at most %d are allowed",
                                     path, header_bytes - LENGTH_BYTES, CLGRAD_SAFETENSORS_MAX_HEADER);
    } else {
        pieces[0] = (clgrad_piece){header, header_bytes};
        for (size_t i = 0; i < array_count; i++)
            pieces[1 + i] = (clgrad_piece){arrays[i].data, (size_t)(arrays[i].end - arrays[i].begin)};
        status = clgrad_file_replace(path, pieces, array_count + 1, message);
    }
    json_decref(root);
    free(header);
    free(pieces);
    return status;
}
