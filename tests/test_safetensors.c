/*
 * The container: what it reads and writes against the format's specification, byte by byte, and against files
 * of the public Python package; and that whatever breaks a rule is refused. No device has a part in it.
 */
#define _POSIX_C_SOURCE 200809L
#include "folder.h"
#include "harness.h"

#include "file.h"
#include "safetensors.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "test_safetensors.file"

/* ---- files by hand ---- */

/* A file of this header and so many bytes of data, 0, 1, 2 and so on; its length is said to be length. */
static void make_file(const char *header, uint64_t length, size_t data)
{
    const size_t bytes = strlen(header);
    unsigned char *file = allocate(8 + bytes + data, 1);
    for (size_t i = 0; i < 8; i++)
        file[i] = (unsigned char)(length >> (8 * i));
    memcpy(file + 8, header, bytes);
    for (size_t i = 0; i < data; i++)
        file[8 + bytes + i] = (unsigned char)i;
    write_contents(NAME, file, 8 + bytes + data);
    free(file);
}

static clgrad_safetensors *open_good(const char *name)
{
    clgrad_safetensors *file;
    clgrad_message message;
    if (clgrad_safetensors_open(name, &file, &message) != CLGRAD_STATUS_SUCCESS)
        fail_msg("%s", message.text);
    return file;
}

static void assert_file_refused(const char *name, clgrad_status wanted, const char *part)
{
    clgrad_safetensors *file;
    clgrad_message message = {""};
    const clgrad_status status = clgrad_safetensors_open(name, &file, &message);
    if (status != wanted || strstr(message.text, part) == NULL)
        fail_msg("got %s \"%s\", wanted %s with \"%s\"", clgrad_status_name(status), message.text,
                 clgrad_status_name(wanted), part);
    assert_null(file);
    assert_int_equal(strncmp(message.text, name, strlen(name)), 0);
}

static const clgrad_safetensors_array *find(const clgrad_safetensors *file, const char *name,
                                            const char *dtype, size_t rank, uint64_t first, uint64_t second)
{
    const clgrad_safetensors_array *array = clgrad_safetensors_find(file, name);
    assert_non_null(array);
    assert_string_equal(array->dtype, dtype);
    assert_int_equal(array->rank, rank);
    assert_true(rank < 1 || array->shape[0] == first);
    assert_true(rank < 2 || array->shape[1] == second);
    return array;
}

#define GOOD                                                                                  \
    "{\"b\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[8,11]},"                        \
    "\"__metadata__\":{\"x\":\"y\",\"a\\u00e9\":\"\"},"                                       \
    " \"a\" : { \"data_offsets\" : [ 0 , 8 ], \"shape\" : [ 2 , 1 ] , \"dtype\" : \"F32\" }," \
    "\"none\":{\"dtype\":\"F64\",\"shape\":[0,5],\"data_offsets\":[8,8]},"                    \
    "\"six\":{\"dtype\":\"F6_E2M3\",\"shape\":[4],\"data_offsets\":[11,14]}}   "

/* As the specification has it, in any order and with blanks. */
static void reads_what_is_specified(void **state)
{
    (void)state;
    make_file(GOOD, strlen(GOOD), 14);
    clgrad_safetensors *file = open_good(NAME);
    const clgrad_safetensors_array *arrays;
    const clgrad_safetensors_string *strings;
    assert_int_equal(clgrad_safetensors_arrays(file, &arrays), 4);
    assert_string_equal(arrays[0].name, "a");
    assert_string_equal(arrays[1].name, "none");
    assert_string_equal(arrays[2].name, "b");
    assert_int_equal(clgrad_safetensors_strings(file, &strings), 2);
    assert_string_equal(strings[0].name, "x");
    assert_string_equal(strings[1].name, "a\xc3\xa9");
    assert_string_equal(clgrad_safetensors_text(file, "x"), "y");
    assert_null(clgrad_safetensors_text(file, "y"));
    assert_null(clgrad_safetensors_find(file, "c"));
    assert_null(clgrad_safetensors_find(file, "__metadata__"));

    unsigned char bytes[8];
    clgrad_message message;
    find(file, "none", "F64", 2, 0, 5);
    find(file, "six", "F6_E2M3", 1, 4, 0);
    const clgrad_safetensors_array *a = find(file, "a", "F32", 2, 2, 1), *b = find(file, "b", "U8", 1, 3, 0);
    assert_int_equal(clgrad_safetensors_read(file, a, bytes, &message), CLGRAD_STATUS_SUCCESS);
    for (size_t i = 0; i < 8; i++)
        assert_int_equal(bytes[i], i);
    assert_int_equal(clgrad_safetensors_read(file, b, bytes, &message), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(bytes[0], 8);
    assert_int_equal(bytes[2], 10);
    clgrad_safetensors_close(file);

    make_file("{}", 2, 0); /* nothing at all is a file too */
    clgrad_safetensors_close(open_good(NAME));
    remove(NAME);
}

static void writes_what_is_specified(void **state)
{
    (void)state;
    static const char header[] = "{\"__metadata__\":{\"n\\\"\":\"v\"},"
                                 "\"m\":{\"dtype\":\"F32\",\"shape\":[1,2],\"data_offsets\":[0,8]},"
                                 "\"e\":{\"dtype\":\"F32\",\"shape\":[0],\"data_offsets\":[8,8]},"
                                 "\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[8,12]}}";
    const float numbers[3] = {1, -2, 0.5f};
    clgrad_safetensors_array arrays[] = {
        {.name = "m", .dtype = "F32", .rank = 2, .shape = {1, 2}, .data = numbers},
        {.name = "e", .dtype = "F32", .rank = 1, .shape = {0}},
        {.name = "s", .dtype = "F32", .data = numbers + 2},
    };
    const clgrad_safetensors_string strings[] = {{"n\"", "v"}};
    clgrad_message message;
    assert_int_equal(clgrad_safetensors_write(NAME, strings, 1, arrays, 3, &message), CLGRAD_STATUS_SUCCESS);
    contents *got = read_contents(NAME);
    const size_t length = strlen(header), padded = (length + 7) / 8 * 8;
    assert_true(padded > length); /* else this does not see the padding */
    assert_int_equal(got->count, 8 + padded + 12);
    assert_int_equal(got->bytes[0], padded);
    for (size_t i = 1; i < 8; i++)
        assert_int_equal(got->bytes[i], 0);
    assert_memory_equal(got->bytes + 8, header, length);
    for (size_t i = length; i < padded; i++)
        assert_int_equal(got->bytes[8 + i], ' ');
    static const unsigned char data[] = {0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0, 0, 0x3f};
    assert_memory_equal(got->bytes + 8 + padded, data, sizeof data);
    free(got);
    clgrad_safetensors_close(open_good(NAME));

    assert_int_equal(clgrad_safetensors_write(NAME, NULL, 0, NULL, 0, &message), CLGRAD_STATUS_SUCCESS);
    got = read_contents(NAME);
    assert_int_equal(got->count, 16);
    assert_memory_equal(got->bytes + 8, "{}      ", 8);
    free(got);
    remove(NAME);
}

/* ---- files that the Python package has written ---- */

static void reads_pythons_files(void **state)
{
    (void)state;
    const path name = in(CLGRAD_SOURCE_DIR "/tests/golden", "python.safetensors");
    clgrad_safetensors *file = open_good(name.text);
    clgrad_message message;
    static const float wanted[] = {1.5f, -0.0f, INFINITY, NAN, 0x1p-149f, 3.25f};
    float numbers[6];
    const clgrad_safetensors_array *array = find(file, "matrix", "F32", 2, 2, 3);
    assert_int_equal(clgrad_safetensors_read(file, array, numbers, &message), CLGRAD_STATUS_SUCCESS);
    assert_same_floats(numbers, wanted, 6);
    array = find(file, "number", "F32", 0, 0, 0);
    assert_int_equal(clgrad_safetensors_read(file, array, numbers, &message), CLGRAD_STATUS_SUCCESS);
    assert_true(numbers[0] == -7.75f);
    find(file, "nothing", "F32", 2, 0, 4);
    find(file, "na\"me\\ \xc3\xa9\a", "F32", 1, 1, 0);
    static const char *const of[][2] = {{"bool", "BOOL"},  {"uint8", "U8"},   {"int8", "I8"},
                                        {"uint16", "U16"}, {"int16", "I16"},  {"uint32", "U32"},
                                        {"int32", "I32"},  {"uint64", "U64"}, {"float16", "F16"},
                                        {"int64", "I64"},  {"float64", "F64"}};
    for (size_t i = 0; i < COUNT(of); i++) {
        char label[32];
        snprintf(label, sizeof label, "of %s", of[i][0]);
        find(file, label, of[i][1], 1, 5, 0);
    }
    const clgrad_safetensors_array *arrays;
    assert_int_equal(clgrad_safetensors_arrays(file, &arrays), 4 + COUNT(of));
    int64_t whole[5];
    assert_int_equal(
        clgrad_safetensors_read(file, clgrad_safetensors_find(file, "of int64"), whole, &message),
        CLGRAD_STATUS_SUCCESS);
    assert_int_equal(whole[4], 4);
    assert_string_equal(clgrad_safetensors_text(file, "made by"), "Python");
    assert_string_equal(clgrad_safetensors_text(file, "\xc3\xa9"), "\xe4\xb8\xad \"quoted\"");
    assert_string_equal(clgrad_safetensors_text(file, "empty"), "");
    clgrad_safetensors_close(file);
}

/* ---- damaged and hostile files ---- */

#define ARRAY(name, dtype, shape, offsets) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":[" shape "],\"data_offsets\":[" offsets "]}"

static const struct hostile {
    const char *header;
    size_t data;
    const char *part; /* of the sentence */
} hostile[] = {
    {"", 0, "does not begin with {"},
    {" {}", 0, "does not begin with {"},
    {"[]", 0, "does not begin with {"},
    {"{", 0, "no JSON"},
    {"{}}", 0, "nested deeper"},
    {"{} {}", 0, "no JSON"},
    {"{\"a\"}", 0, "no JSON"},
    {"{\"a\xff\":0}", 0, "no JSON"},
    {"{\"a\\u0000b\":0}", 0, "no JSON"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[[1]],\"data_offsets\":[0,4]}}", 4, "nested deeper"},
    {"{\"__metadata__\":{\"a\":\"b\"},\"__metadata__\":{}}", 0, "duplicate"},
    {"{" ARRAY("a", "F32", "1", "0,4") "," ARRAY("a", "F32", "1", "4,8") "}", 8, "duplicate"},
    {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "duplicate"},
    {"{\"__metadata__\":[]}", 0, "__metadata__ is no object"},
    {"{\"__metadata__\":{\"steps\":1}}", 0, "\"steps\" in its __metadata__ is no string"},
    {"{\"__metadata__\":{\"steps\":{}}}", 0, "\"steps\" in its __metadata__ is no string"},
    {"{\"a\":7}", 0, "\"a\" should have a dtype"},
    {"{\"a\":{}}", 0, "\"a\" should have a dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4, "\"a\" should have a dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"data_offsets\":[0,4]}}", 4, "\"a\" should have a dtype"},
    {"{\"a\":{\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"a\" should have a dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4],\"more\":1}}", 4, "no more"},
    {"{\"a\":{\"dtype\":4,\"shape\":[1],\"data_offsets\":[0,4]}}", 4, "\"a\" should have a dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":1,\"data_offsets\":[0,4]}}", 4, "\"a\" should have a dtype"},
    {"{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":4}}", 4, "\"a\" should have a dtype"},
    {"{" ARRAY("a", "F31", "1", "0,4") "}", 4, "\"a\" has the dtype \"F31\""},
    {"{" ARRAY("a", "f32", "1", "0,4") "}", 4, "\"a\" has the dtype \"f32\""},
    {"{" ARRAY("a\\u001b[2J", "F32", "2", "0,4") "}", 4,
     "\"a?[2J\" takes 8 bytes"}, /* no escapes in a sentence */
    {"{" ARRAY("a", "F32", "1.0", "0,4") "}", 4, "a dimension of the tensor \"a\""},
    {"{" ARRAY("a", "F32", "-1", "0,4") "}", 4, "a dimension of the tensor \"a\""},
    {"{" ARRAY("a", "F32", "\\\"1\\\"", "0,4") "}", 4, "no JSON"},
    {"{" ARRAY("a", "F32", "true", "0,4") "}", 4, "a dimension of the tensor \"a\""},
    {"{" ARRAY("a", "F32", "99999999999999999999", "0,4") "}", 4, "no JSON"},
    {"{" ARRAY("a", "F32", "1,1,1,1,1,1,1,1,1", "0,4") "}", 4, "has 9 dimensions"},
    {"{" ARRAY("a", "F32", "4294967296,4294967296,4", "0,0") "}", 0,
     "the size of the tensor \"a\" overflows"},
    {"{" ARRAY("a", "F32", "9223372036854775807,2", "0,0") "}", 0, "the size of the tensor \"a\" overflows"},
    {"{" ARRAY("a", "F4", "3", "0,2") "}", 2, "no whole number of bytes"},
    {"{" ARRAY("a", "F32", "2", "0,4") "}", 4, "\"a\" takes 8 bytes"},
    {"{" ARRAY("a", "F32", "1", "0,8") "}", 8, "\"a\" takes 4 bytes"},
    {"{" ARRAY("a", "F32", "", "0,0") "}", 0, "\"a\" takes 4 bytes"},
    {"{" ARRAY("a", "F32", "1", "4,0") "}", 4, "\"a\" takes 4 bytes"},
    {"{" ARRAY("a", "F32", "1", "0") "}", 4, "data_offsets of the tensor \"a\""},
    {"{" ARRAY("a", "F32", "1", "0,4,4") "}", 4, "data_offsets of the tensor \"a\""},
    {"{" ARRAY("a", "F32", "1", "-4,0") "}", 4, "data_offsets of the tensor \"a\""},
    {"{" ARRAY("a", "F32", "1", "0,4.0") "}", 4, "data_offsets of the tensor \"a\""},
    {"{" ARRAY("a", "F32", "1", "9223372036854775804,9223372036854775807") "}", 4, "\"a\" takes 4 bytes"},
    {"{" ARRAY("a", "F32", "1", "9223372036854775800,9223372036854775804") "}", 4,
     "\"a\" ends at byte 92233720"},
    {"{" ARRAY("a", "F32", "2", "0,8") "}", 4, "\"a\" ends at byte 8 of the data, which has 4"},
    {"{" ARRAY("a", "F32", "1", "4,8") "}", 8, "a hole"},
    {"{" ARRAY("a", "F32", "1", "0,4") "," ARRAY("b", "F32", "1", "8,12") "}", 12, "a hole"},
    {"{" ARRAY("a", "F32", "2", "0,8") "," ARRAY("b", "F32", "1", "4,8") "}", 8, "an overlap"},
    {"{" ARRAY("a", "F32", "1", "0,4") "," ARRAY("b", "F32", "1", "0,4") "}", 4, "an overlap"},
    {"{" ARRAY("a", "F32", "0", "2,2") "," ARRAY("b", "F32", "1", "0,4") "}", 4, "\"a\" begins at byte 2"},
    {"{" ARRAY("a", "F32", "1", "0,4") "}", 5, "end at byte 4 of the data, which has 5"},
    {"{}", 1, "end at byte 0 of the data, which has 1"},
};

static void refuses_hostile_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(hostile); i++) {
        make_file(hostile[i].header, strlen(hostile[i].header), hostile[i].data);
        assert_file_refused(NAME, CLGRAD_STATUS_INVALID_FILE, hostile[i].part);
    }
    /* Depth and long lists are seen before the parser makes anything of them. */
    char *header = allocate(1 << 20, 1);
    memset(header, '[', (1 << 20) - 1);
    header[0] = '{';
    make_file(header, strlen(header), 0);
    assert_file_refused(NAME, CLGRAD_STATUS_INVALID_FILE, "nested deeper");
    strcpy(header, "{\"a\":[0");
    for (size_t end = strlen(header), i = 0; i < 100000; i++, end += 2)
        strcpy(header + end, ",0");
    strcat(header, "]}");
    make_file(header, strlen(header), 0);
    assert_file_refused(NAME, CLGRAD_STATUS_INVALID_FILE, "longer lists");
    free(header);
    remove(NAME);
}

static void refuses_lengths_that_lie(void **state)
{
    (void)state;
    static const struct {
        uint64_t length;
        const char *part;
    } lies[] = {
        {UINT64_MAX, "18446744073709551615 bytes, at most 100000000"},
        {UINT64_MAX - 7, "at most 100000000"},
        {100000001, "at most 100000000"},
        {100000000, "but the file has 10 in all"},
        {3, "but the file has 10 in all"},
        {1, "no JSON"},
        {0, "does not begin with {"},
    };
    for (size_t i = 0; i < COUNT(lies); i++) {
        make_file("{}", lies[i].length, 0);
        assert_file_refused(NAME, CLGRAD_STATUS_INVALID_FILE, lies[i].part);
    }
    remove(NAME);
}

/* Text begins with what would be a long header: the sentence says that the file is another. */
static void refuses_a_table(void **state)
{
    (void)state;
    static const char table[] = "sepal_length,species\n5.1,setosa\n";
    write_contents(NAME, table, sizeof table - 1);
    assert_file_refused(
        NAME, CLGRAD_STATUS_INVALID_FILE,
        "7308321214411335027 bytes, at most 100000000 are allowed: this is not a safetensors file");
    remove(NAME);
}

/* A good file cut anywhere, or with more at its end, is none. */
static void refuses_every_other_length(void **state)
{
    (void)state;
    make_file(GOOD, strlen(GOOD), 14);
    contents *good = read_contents(NAME);
    for (size_t count = 0; count <= good->count + 16; count++) {
        write_contents(NAME, good->bytes, count); /* behind the end there are zeros */
        if (count != good->count)
            assert_file_refused(NAME, CLGRAD_STATUS_INVALID_FILE, "no good safetensors file");
    }
    free(good);
    remove(NAME);
}

/* One wrong byte: refused, or a good file whose arrays still fill the data. */
static void survives_every_wrong_byte(void **state)
{
    (void)state;
    make_file(GOOD, strlen(GOOD), 14);
    contents *good = read_contents(NAME);
    size_t refused = 0;
    for (size_t i = 0; i < good->count; i++)
        for (unsigned change = 1; change < 256; change += 6) {
            good->bytes[i] ^= (unsigned char)change;
            write_contents(NAME, good->bytes, good->count);
            good->bytes[i] ^= (unsigned char)change;
            clgrad_safetensors *file;
            clgrad_message message = {""};
            if (clgrad_safetensors_open(NAME, &file, &message) == CLGRAD_STATUS_SUCCESS) {
                const clgrad_safetensors_array *arrays;
                uint64_t bytes = 0;
                for (size_t k = clgrad_safetensors_arrays(file, &arrays); k-- > 0;)
                    bytes += arrays[k].end - arrays[k].begin;
                assert_int_equal(bytes, 14);
            } else {
                assert_non_null(strstr(message.text, "no good safetensors file"));
                refused++;
            }
            clgrad_safetensors_close(file);
        }
    assert_true(refused > 5000);
    free(good);
    remove(NAME);
}

static void refuses_what_is_no_file(void **state)
{
    (void)state;
    assert_file_refused("test_safetensors.absent", CLGRAD_STATUS_FILE_ERROR, "No such file");
    assert_file_refused(".", CLGRAD_STATUS_FILE_ERROR, "no regular file");
    assert_file_refused("/dev/zero", CLGRAD_STATUS_FILE_ERROR, "no regular file");
    remove(NAME);
    assert_int_equal(mkfifo(NAME, 0600), 0);
    assert_file_refused(NAME, CLGRAD_STATUS_FILE_ERROR,
                        "no regular file"); /* and nobody waits for a writer */
    remove(NAME);
}

/* ---- replacing a file ---- */

static clgrad_status replace(const char *name, const char *text, clgrad_message *message)
{
    const clgrad_piece pieces[] = {{text, strlen(text)}, {NULL, 0}, {"!", 1}};
    return clgrad_file_replace(name, pieces, COUNT(pieces), message);
}

static void assert_text(const char *name, const char *text)
{
    contents *c = read_contents(name);
    assert_int_equal(c->count, strlen(text));
    assert_memory_equal(c->bytes, text, c->count);
    free(c);
}

static void assert_not_written(const char *name, const char *part)
{
    clgrad_message message = {""};
    assert_int_equal(replace(name, "new", &message), CLGRAD_STATUS_FILE_ERROR);
    if (strncmp(message.text, name, 64) != 0 && strncmp(message.text, name, strlen(name)) != 0)
        fail_msg("\"%s\" does not begin with the path", message.text);
    if (strstr(message.text, part) == NULL)
        fail_msg("\"%s\" is not in \"%s\"", part, message.text);
}

static void replaces_files(void **state)
{
    (void)state;
    const path place = make_place(), file = in(place.text, "file"), link = in(place.text, "link"),
               device = in(place.text, "pipe"), folder = in(place.text, "folder"),
               absent = in(place.text, "absent/file"), beneath = in(file.text, "file");
    clgrad_message message;
    struct stat about;
    const mode_t mask = umask(027);
    assert_int_equal(replace(file.text, "one", &message), CLGRAD_STATUS_SUCCESS);
    assert_text(file.text, "one!");
    assert_int_equal(stat(file.text, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0640);
    assert_int_equal(chmod(file.text, 0604), 0); /* more than the umask grants, and less */
    assert_int_equal(replace(file.text, "two", &message), CLGRAD_STATUS_SUCCESS);
    assert_text(file.text, "two!");
    assert_int_equal(stat(file.text, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0604);
    umask(mask);

    /* A link is replaced itself; what it led to stays. */
    assert_int_equal(symlink("file", link.text), 0);
    assert_int_equal(replace(link.text, "three", &message), CLGRAD_STATUS_SUCCESS);
    assert_int_equal(lstat(link.text, &about), 0);
    assert_true(S_ISREG(about.st_mode));
    assert_text(link.text, "three!");
    assert_text(file.text, "two!");

    /* A path without a folder in it. */
    assert_int_equal(replace(NAME, "here", &message), CLGRAD_STATUS_SUCCESS);
    assert_text(NAME, "here!");
    remove(NAME);

    assert_int_equal(mkdir(folder.text, 0700), 0);
    assert_int_equal(mkfifo(device.text, 0600), 0);
    char longest[5001] = "";
    memset(longest, 'x', 5000);
    assert_not_written(folder.text, "no regular file");
    assert_not_written(device.text, "no regular file");
    assert_not_written("/dev/full", "no regular file");
    assert_not_written(absent.text, "No such file");
    assert_not_written(beneath.text, "Not a directory");
    assert_not_written("", "No such file");
    assert_not_written(longest, "File name too long");
    path names[8];
    assert_int_equal(list(place.text, names, COUNT(names)), 4); /* nothing is left behind */
    remove_all(place.text);
}

/* A file may grow to 1,000 bytes: a full disk's place. */
static void full_disk(void)
{
    const struct rlimit limit = {1000, 1000};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
}

static void leaves_the_old_file_when_the_disk_is_full(void **state)
{
    (void)state;
    const path place = make_place(), file = in(place.text, "file");
    clgrad_message message;
    assert_int_equal(replace(file.text, "old", &message), CLGRAD_STATUS_SUCCESS);
    const pid_t child = fork();
    if (child == 0) {
        static char large[5000];
        memset(large, 'x', sizeof large - 1);
        full_disk();
        const bool right = replace(file.text, large, &message) == CLGRAD_STATUS_FILE_ERROR &&
                           strstr(message.text, strerror(EFBIG)) != NULL &&
                           strstr(message.text, file.text) == message.text &&
                           replace(file.text, "small", &message) == CLGRAD_STATUS_SUCCESS;
        _exit(right ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_text(file.text, "small!");
    path names[8];
    assert_int_equal(list(place.text, names, COUNT(names)), 1);
    remove_all(place.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_specified),
        cmocka_unit_test(writes_what_is_specified),
        cmocka_unit_test(reads_pythons_files),
        cmocka_unit_test(refuses_hostile_headers),
        cmocka_unit_test(refuses_lengths_that_lie),
        cmocka_unit_test(refuses_a_table),
        cmocka_unit_test(refuses_every_other_length),
        cmocka_unit_test(survives_every_wrong_byte),
        cmocka_unit_test(refuses_what_is_no_file),
        cmocka_unit_test(replaces_files),
        cmocka_unit_test(leaves_the_old_file_when_the_disk_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
