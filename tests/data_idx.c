/* Tests of the reader of IDX files. */
#include "data_tests.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The good files: images of 2 x 3, four to train on and two to test with. */

static size_t idx_bytes(unsigned char *out, uint32_t magic, uint32_t rows, uint32_t height, uint32_t width,
                        size_t body)
{
    uint32_t words[] = {magic, rows, height, width};
    size_t header = magic == 0x801 ? 2 : 4, size = 0;
    for (size_t w = 0; w < header; ++w) {
        for (int shift = 24; shift >= 0; shift -= 8) {
            out[size++] = (unsigned char)(words[w] >> shift & 0xff);
        }
    }
    for (size_t i = 0; i < body; ++i) {
        out[size++] = (unsigned char)(magic == 0x801 ? i % 3 : i * 10);
    }
    return size;
}

static const char *write_idx(const char *name, uint32_t magic, uint32_t rows, uint32_t height, uint32_t width,
                             size_t body)
{
    unsigned char bytes[256];
    return data_write(name, bytes, idx_bytes(bytes, magic, rows, height, width, body));
}

static void write_good_idx(void)
{
    write_idx("train-images-idx3-ubyte", 0x803, 4, 2, 3, 24);
    write_idx("train-labels-idx1-ubyte", 0x801, 4, 0, 0, 4);
    write_idx("t10k-images-idx3-ubyte", 0x803, 2, 2, 3, 12);
    write_idx("t10k-labels-idx1-ubyte", 0x801, 2, 0, 0, 2);
}

static void check_good_idx(void)
{
    dataset_pair pair;
    if (!dataset_read_idx(data_folder, &pair, &data_error)) {
        fail_msg("%s", data_error.text);
    }
    const dataset *parts[] = {&pair.train, &pair.test};
    for (size_t p = 0; p < 2; ++p) {
        assert_int_equal(parts[p]->rows, p ? 2 : 4);
        assert_int_equal(parts[p]->features, 6);
        assert_int_equal(parts[p]->height, 2);
        assert_int_equal(parts[p]->width, 3);
        assert_int_equal(parts[p]->class_count, 3);
        assert_string_equal(parts[p]->class_names[2], "2");
        assert_null(parts[p]->y);
        assert_null(parts[p]->feature_names);
        for (size_t i = 0; i < parts[p]->rows * 6; ++i) {
            assert_true(parts[p]->x[i] == (float)(i * 10) / 255.0f);
        }
        for (size_t i = 0; i < parts[p]->rows; ++i) {
            assert_int_equal(parts[p]->classes[i], i % 3);
        }
    }
    dataset_pair_free(&pair);
    assert_null(pair.train.x);
    dataset_pair_free(&pair); /* again: nothing left to free */
    dataset_pair_free(NULL);
    dataset_free(NULL);
}

static void test_idx_plain(void **state)
{
    (void)state;
    write_good_idx();
    check_good_idx();
}

static void test_idx_gzip_and_dotted(void **state)
{
    (void)state;
    unsigned char bytes[256];
    data_write_gzip("train-images-idx3-ubyte.gz", bytes, idx_bytes(bytes, 0x803, 4, 2, 3, 24));
    write_idx("train-labels.idx1-ubyte", 0x801, 4, 0, 0, 4);
    data_write_gzip("t10k-images.idx3-ubyte.gz", bytes, idx_bytes(bytes, 0x803, 2, 2, 3, 12));
    write_idx("t10k-labels-idx1-ubyte.gz", 0x801, 2, 0, 0, 2); /* named so, yet plain */
    check_good_idx();
}

static void refuse_idx(const char *expected)
{
    data_expect_refusal();
    data_check_refusal(dataset_read_idx(data_folder, &data_given, &data_error), expected);
}

/* The file put in the place of a good one is refused by its name and these words. */
static void refuse_idx_file(const char *name, const char *words)
{
    char expected[600];
    snprintf(expected, sizeof expected, "%s/%s: %s", data_folder, name, words);
    refuse_idx(expected);
    write_good_idx();
}

static void test_idx_missing(void **state)
{
    (void)state;
    refuse_idx("cannot open any of train-images-idx3-ubyte, train-images-idx3-ubyte.gz, "
               "train-images.idx3-ubyte and train-images.idx3-ubyte.gz in this folder: No such file");
    data_expect_refusal();
    data_check_refusal(dataset_read_idx("no such folder", &data_given, &data_error),
                       "no such folder: cannot open any of");
    write_good_idx();
    unlink(data_path("t10k-labels-idx1-ubyte"));
    refuse_idx("t10k-labels-idx1-ubyte, t10k-labels-idx1-ubyte.gz, t10k-labels.idx1-ubyte and "
               "t10k-labels.idx1-ubyte.gz in this folder");
}

static void test_idx_damaged(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        uint32_t magic, rows, height, width;
        size_t body;
        const char *words;
    } cases[] = {
        {"train-images-idx3-ubyte", 0x803, 4, 2, 3, 23,
         "truncated: it has 39 bytes, and 4 images of 2 x 3 take 40"},
        {"train-images-idx3-ubyte", 0x803, 4, 2, 3, 26,
         "there are bytes after the end: it has 42 bytes, and 4 images of 2 x 3 take 40"},
        {"t10k-labels-idx1-ubyte", 0x801, 2, 0, 0, 1,
         "truncated: it has 9 bytes, and 2 labels of 1 x 1 take 10"},
        {"t10k-labels-idx1-ubyte", 0x801, 2, 0, 0, 3,
         "there are bytes after the end: it has 11 bytes, and 2 labels"},
        {"train-images-idx3-ubyte", 0x801, 4, 0, 0, 24,
         "its magic number is 0x00000801, and an IDX file of images begins 0x00000803"},
        {"train-labels-idx1-ubyte", 0xfedcba98, 4, 0, 0, 4,
         "its magic number is 0xfedcba98, and an IDX file of labels begins 0x00000801"},
        {"train-images-idx3-ubyte", 0x803, 3, 2, 3, 18,
         "it has 3 images, and train-labels-idx1-ubyte beside it has 4 labels"},
        {"t10k-images-idx3-ubyte", 0x803, 3, 2, 3, 18,
         "it has 3 images, and t10k-labels-idx1-ubyte beside it has 2 labels"},
        {"train-images-idx3-ubyte", 0x803, 0, 2, 3, 0, "empty: its header says 0 images of 2 x 3"},
        {"train-images-idx3-ubyte", 0x803, 4, 2, 0, 0, "empty: its header says 4 images of 2 x 0"},
        {"train-labels-idx1-ubyte", 0x801, 0, 0, 0, 0, "empty: its header says 0 labels"},
        {"train-images-idx3-ubyte", 0x803, 0xffffffff, 0xffffffff, 0xffffffff, 24,
         "its header says 4294967295 images of 4294967295 x 4294967295, more than memory can address"},
        {"train-images-idx3-ubyte", 0x803, 0xffffffff, 28, 28, 24,
         "truncated: it has 40 bytes, and 4294967295 images of 28 x 28 take 3367254359296"},
        {"t10k-images-idx3-ubyte", 0x803, 2, 3, 2, 12, "images of 3 x 2, but those to train on are 2 x 3"},
    };
    write_good_idx();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; ++i) {
        write_idx(cases[i].name, cases[i].magic, cases[i].rows, cases[i].height, cases[i].width,
                  cases[i].body);
        refuse_idx_file(cases[i].name, cases[i].words);
    }
    data_write("train-images-idx3-ubyte", "\0\0\x8\x3\0\0\0\x4\0\0", 10);
    refuse_idx_file("train-images-idx3-ubyte", "truncated: it has 10 bytes, and the header alone takes 16");
    data_write("t10k-labels-idx1-ubyte", "", 0);
    refuse_idx_file("t10k-labels-idx1-ubyte", "truncated: it has 0 bytes, and the header alone takes 8");
    check_good_idx();
}

/* Each file goes by the name that it has. */
static void test_idx_gzip_named(void **state)
{
    (void)state;
    unsigned char bytes[256];
    write_good_idx();
    unlink(data_path("train-labels-idx1-ubyte"));
    data_write_gzip("train-labels-idx1-ubyte.gz", bytes, idx_bytes(bytes, 0x801, 3, 0, 0, 3));
    refuse_idx(
        "train-images-idx3-ubyte: it has 4 images, and train-labels-idx1-ubyte.gz beside it has 3 labels");
}

static void test_idx_labels(void **state)
{
    (void)state;
    write_good_idx();
    data_write("t10k-labels-idx1-ubyte", "\0\0\x8\x1\0\0\0\x2\x2\x9", 10);
    refuse_idx_file("t10k-labels-idx1-ubyte", "label 9 at position 1, but the training labels end at 2");
    data_write("train-labels-idx1-ubyte", "\0\0\x8\x1\0\0\0\x4\0\0\0\0", 12);
    refuse_idx_file("train-labels-idx1-ubyte", "only one class: all 4 labels are 0");
    data_write("train-labels-idx1-ubyte", "\0\0\x8\x1\0\0\0\x4\xff\0\0\0", 12);
    dataset_pair pair;
    assert_true(dataset_read_idx(data_folder, &pair, &data_error));
    assert_int_equal(pair.train.class_count, 256);
    assert_int_equal(pair.test.class_count, 256);
    assert_string_equal(pair.test.class_names[255], "255");
    dataset_pair_free(&pair);
}

static void test_idx_damaged_gzip(void **state)
{
    (void)state;
    unsigned char noise[256], packed[1024];
    uint64_t random = 1;
    for (size_t i = 0; i < sizeof noise; ++i) {
        noise[i] = (unsigned char)dataset_random(&random);
    }
    write_good_idx();
    unlink(data_path("train-images-idx3-ubyte"));
    FILE *file = fopen(data_write_gzip("train-images-idx3-ubyte.gz", noise, sizeof noise), "rb");
    assert_non_null(file);
    size_t size = fread(packed, 1, sizeof packed, file);
    fclose(file);
    data_write("train-images-idx3-ubyte.gz", packed, size - 4);
    refuse_idx("train-images-idx3-ubyte.gz: after 256 bytes: unexpected end of file");
    packed[size - 6] ^= 1; /* the checksum */
    data_write("train-images-idx3-ubyte.gz", packed, size);
    refuse_idx("incorrect data check");
}

static void test_idx_hostile(void **state)
{
    (void)state;
    static const char *const names[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                        "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
    uint64_t random = 3;
    size_t refused = 0;
    for (size_t run = 0; run < 1000; ++run) {
        unsigned char bytes[256];
        size_t which = run % 4;
        bool labels = which % 2 == 1;
        uint32_t rows = which < 2 ? 4 : 2;
        write_good_idx();
        size_t size = idx_bytes(bytes, labels ? 0x801 : 0x803, rows, 2, 3, rows * (labels ? 1 : 6));
        size = data_damage(bytes, size, &random);
        data_write(names[which], bytes, size);
        dataset_pair pair;
        data_error.text[0] = 0;
        if (dataset_read_idx(data_folder, &pair, &data_error)) {
            data_check_sane(&pair);
            dataset_pair_free(&pair);
        } else {
            assert_true(data_error.text[0] != 0);
            ++refused;
        }
    }
    assert_in_range(refused, 500, 999); /* damage to a pixel or a label goes through */
}

int data_run_idx_tests(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(test_idx_plain),   DATA_TEST(test_idx_gzip_and_dotted), DATA_TEST(test_idx_missing),
        DATA_TEST(test_idx_damaged), DATA_TEST(test_idx_labels),          DATA_TEST(test_idx_damaged_gzip),
        DATA_TEST(test_idx_hostile), DATA_TEST(test_idx_gzip_named),
    };
    return cmocka_run_group_tests_name("IDX files", tests, NULL, NULL);
}
