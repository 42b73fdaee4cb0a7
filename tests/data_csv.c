/* Tests of what the reader of CSV files makes of good files. */
#include "data_tests.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

dataset_pair data_read_text(const char *text, const dataset_csv_options *options)
{
    dataset_pair pair = {0};
    if (!dataset_read_csv(data_write("data.csv", text, strlen(text)), options, &pair, &data_error)) {
        fail_msg("%s", data_error.text);
    }
    return pair;
}

dataset_csv_options data_csv_target(const char *name)
{
    dataset_csv_options options = dataset_csv_defaults();
    options.target = name;
    return options;
}

void data_refuse_text(const char *text, const dataset_csv_options *options, const char *words)
{
    const char *path = data_write("data.csv", text, strlen(text));
    data_expect_refusal();
    data_check_refusal(dataset_read_csv(path, options, &data_given, &data_error), words);
    assert_memory_equal(data_error.text, path, strlen(path));
}

/* Row i of both parts together. */
static const float *row_of(const dataset_pair *pair, size_t i)
{
    size_t train = pair->train.rows;
    return i < train ? pair->train.x + i * pair->train.features
                     : pair->test.x + (i - train) * pair->test.features;
}

/* What is not standardised is in its own units. */
static void test_csv_units(void **state)
{
    (void)state;
    dataset_csv_options options = data_csv_target("class");
    dataset_pair pair =
        data_read_text("constant,colour,class\n3,red,a\n3,blue,b\n3,red,a\n3,red,b\n", &options);
    const dataset *sets[] = {&pair.train, &pair.test};
    for (size_t i = 0; i < 2; ++i) {
        assert_int_equal(sets[i]->features, 3);
        assert_true(sets[i]->x_mean[0] == 3 && sets[i]->x_std[0] == 0);
        assert_true(sets[i]->x_mean[1] == 0 && sets[i]->x_std[1] == 1);
        assert_true(sets[i]->x_mean[2] == 0 && sets[i]->x_std[2] == 1);
    }
    dataset_pair_free(&pair);
}

static void test_csv_regression(void **state)
{
    (void)state;
    char text[4096] = "i,constant,y\n";
    for (int i = 0; i < 100; ++i) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d,7.1,%g\n", i, 1e3 + 2.5 * i);
    }
    dataset_csv_options options = data_csv_target("y");
    dataset_pair pair = data_read_text(text, &options);
    assert_int_equal(pair.train.rows, 80);
    assert_int_equal(pair.test.rows, 20);
    assert_int_equal(pair.train.features, 2);
    assert_int_equal(pair.train.class_count, 0);
    assert_null(pair.train.classes);
    assert_null(pair.train.class_names);
    assert_int_equal(pair.train.width, 0);
    assert_true(pair.train.y_mean == pair.test.y_mean && pair.train.y_std == pair.test.y_std);
    double sum = 0, squares = 0;
    unsigned char seen[100] = {0};
    for (size_t i = 0; i < 100; ++i) {
        const float *x = row_of(&pair, i);
        float y = i < 80 ? pair.train.y[i] : pair.test.y[i - 80];
        assert_true(fabsf(x[0] - y) < 1e-6f); /* y is a line of i: standardised they are the same */
        assert_true(x[1] == 0);
        const double own = (double)x[0] * pair.test.x_std[0] + pair.test.x_mean[0];
        double id = ((double)y * pair.train.y_std + pair.train.y_mean - 1e3) / 2.5;
        assert_true(fabs(id - round(id)) < 1e-4 && id > -0.5 && id < 99.5);
        assert_true(fabs(own - id) < 1e-4);
        seen[(int)round(id)]++;
        sum += i < 80 ? (double)x[0] : 0;
        squares += i < 80 ? (double)x[0] * (double)x[0] : 0;
    }
    for (size_t i = 0; i < 100; ++i) {
        assert_int_equal(seen[i], 1);
    }
    assert_true(fabs(sum / 80) < 1e-6 && fabs(squares / 80 - 1) < 1e-6);
    dataset_pair_free(&pair);
}

static void test_csv_seed_and_fraction(void **state)
{
    (void)state;
    char text[2048] = "a,y\n";
    for (int i = 0; i < 50; ++i) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "%d,%d\n", i, i * i);
    }
    dataset_csv_options options = data_csv_target("y");
    options.test_fraction = 0.5;
    options.seed = 11;
    dataset_pair one = data_read_text(text, &options), two = data_read_text(text, &options);
    options.seed = 12;
    dataset_pair three = data_read_text(text, &options);
    assert_int_equal(one.test.rows, 25);
    assert_memory_equal(one.train.x, two.train.x, 25 * sizeof(float));
    assert_memory_equal(one.test.y, two.test.y, 25 * sizeof(float));
    assert_memory_not_equal(one.train.x, three.train.x, 25 * sizeof(float));
    dataset_pair_free(&one);
    dataset_pair_free(&two);
    dataset_pair_free(&three);
    static const struct {
        size_t rows, train_rows;
        double fraction;
    } splits[] = {{50, 49, 1e-9}, {50, 1, 1 - 1e-9}, {2, 1, 0.2}, {7, 6, 0.2}, {8, 6, 0.2}};
    for (size_t i = 0; i < sizeof splits / sizeof splits[0]; ++i) {
        size_t *order, train_rows;
        assert_true(dataset_split(splits[i].rows, splits[i].fraction, 1, &order, &train_rows, &data_error));
        assert_int_equal(train_rows, splits[i].train_rows);
        free(order);
    }
}

/* Everything that the format allows at once: the rows say in their own cells what is to come out. */
static void test_csv_format(void **state)
{
    (void)state;
    static const char text[] = "\xef\xbb\xbf\"size, cm\" ,\tkind,\"say \"\"what\"\"\",label\r\n"
                               "1, \"red\",\"two\nlines\",b\r\n"
                               "\r\n"
                               "+2.0e0,green,\"a \"\"quote\"\"\", \"a,comma\" \n"
                               "  \t\n"
                               " 3 ,re\"d,plain,b\r"
                               "4,red,plain,\xc3\xa9t\xc3\xa9";
    dataset_csv_options options = data_csv_target("label");
    dataset_pair pair = data_read_text(text, &options);
    static const char *const features[] = {"size, cm",
                                           "kind=green",
                                           "kind=re\"d",
                                           "kind=red",
                                           "say \"what\"=a \"quote\"",
                                           "say \"what\"=plain",
                                           "say \"what\"=two\nlines"};
    assert_int_equal(pair.train.rows, 3);
    assert_int_equal(pair.test.rows, 1);
    assert_int_equal(pair.train.features, 7);
    for (size_t f = 0; f < 7; ++f) {
        assert_string_equal(pair.train.feature_names[f], features[f]);
        assert_string_equal(pair.test.feature_names[f], features[f]);
    }
    assert_int_equal(pair.test.class_count, 3);
    assert_string_equal(pair.test.class_names[0], "a,comma");
    assert_string_equal(pair.test.class_names[1], "b");
    assert_string_equal(pair.test.class_names[2], "\xc3\xa9t\xc3\xa9");
    /* The two categories of each row, in the order of the sizes 1 to 4. */
    static const size_t hot[4][2] = {{3, 6}, {1, 4}, {2, 5}, {3, 5}};
    static const int32_t classes[4] = {1, 0, 1, 2};
    for (size_t i = 0; i < 4; ++i) {
        size_t rank = 0;
        const float *x = row_of(&pair, i);
        for (size_t j = 0; j < 4; ++j) {
            rank += row_of(&pair, j)[0] < x[0];
        }
        for (size_t f = 1; f < 7; ++f) {
            assert_true(x[f] == (f == hot[rank][0] || f == hot[rank][1] ? 1 : 0));
        }
        assert_int_equal(i < 3 ? pair.train.classes[i] : pair.test.classes[0], classes[rank]);
    }
    dataset_pair_free(&pair);
    data_write_gzip("packed.csv", text, sizeof text - 1);
    assert_true(dataset_read_csv(data_path("packed.csv"), &options, &pair, &data_error));
    assert_int_equal(pair.train.features, 7);
    dataset_pair_free(&pair);
}

static void test_csv_numeric_classes(void **state)
{
    (void)state;
    static const char text[] = "x,grade\n1,10\n2,9\n3,10.0\n4,-2.5\n5,9\n";
    dataset_csv_options options = data_csv_target("grade");
    options.task = DATASET_TASK_CLASSIFY;
    dataset_pair pair = data_read_text(text, &options);
    assert_int_equal(pair.train.class_count, 3);
    assert_string_equal(pair.train.class_names[0], "-2.5");
    assert_string_equal(pair.train.class_names[1], "9");
    assert_string_equal(pair.train.class_names[2], "10");
    size_t counts[3] = {0};
    for (size_t i = 0; i < 5; ++i) {
        counts[i < 4 ? pair.train.classes[i] : pair.test.classes[0]]++;
    }
    assert_memory_equal(counts, ((size_t[]){1, 2, 2}), sizeof counts);
    assert_null(pair.train.y);
    dataset_pair_free(&pair);
    options.task = DATASET_TASK_REGRESS;
    pair = data_read_text(text, &options);
    assert_non_null(pair.train.y);
    assert_null(pair.train.classes);
    dataset_pair_free(&pair);
}

static void test_csv_skip_and_ignore(void **state)
{
    (void)state;
    static const char text[] = "a,junk,b,y\n1,,4,1\n2,nan,,2\n3,x,5,3\n4,,6,\"\"\n5,y,x,  \n6,z,7,8\n";
    const char *ignore[] = {"junk"};
    dataset_csv_options options = data_csv_target("y");
    data_refuse_text(text, &options, ", line 2, column 2 (junk): the cell is empty");
    options.ignore = ignore;
    options.ignore_count = 1;
    data_refuse_text(text, &options, ", line 3, column 3 (b): the cell is empty");
    options.skip_empty = true;
    dataset_pair pair = data_read_text(text, &options);
    assert_int_equal(pair.skipped_rows, 3);
    assert_int_equal(pair.train.rows + pair.test.rows, 3);
    assert_int_equal(pair.train.features, 2);
    assert_string_equal(pair.train.feature_names[1], "b");
    dataset_pair_free(&pair);
    data_refuse_text("a,junk,y\n,1,2\n3,4,\n", &options, ": no data rows: each of the 2 has an empty cell");
}

/* Cells far beyond any line buffer, and a table wide and long enough to grow. */
static void test_csv_long_lines(void **state)
{
    (void)state;
    enum { LENGTH = 300000, COLUMNS = 3000 };
    char *text = malloc(2 * LENGTH + 64 + 64 * COLUMNS);
    size_t size = (size_t)sprintf(text, "x,y\n");
    memset(text + size, '0', LENGTH);
    size += LENGTH;
    size += (size_t)sprintf(text + size, "1,");
    memset(text + size, 'a', LENGTH);
    size += LENGTH;
    size += (size_t)sprintf(text + size, "\n2,b\n3,b\n");
    dataset_csv_options options = data_csv_target("y");
    dataset_pair pair = data_read_text(text, &options);
    assert_int_equal(strlen(pair.train.class_names[0]), LENGTH);
    dataset_pair_free(&pair);
    size = 0;
    for (int row = 0; row < 5; ++row) {
        for (int c = 0; c < COLUMNS; ++c) {
            size += (size_t)sprintf(text + size, row ? "%s%d" : "%sc%d", c ? "," : "", c + row);
        }
        size += (size_t)sprintf(text + size, "\n");
    }
    options.target = "c0";
    pair = data_read_text(text, &options);
    assert_int_equal(pair.train.features, COLUMNS - 1);
    assert_string_equal(pair.test.feature_names[COLUMNS - 2], "c2999");
    dataset_pair_free(&pair);
    free(text);
}

int data_run_csv_tests(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(test_csv_regression),        DATA_TEST(test_csv_units),
        DATA_TEST(test_csv_seed_and_fraction), DATA_TEST(test_csv_format),
        DATA_TEST(test_csv_numeric_classes),   DATA_TEST(test_csv_skip_and_ignore),
        DATA_TEST(test_csv_long_lines),
    };
    return cmocka_run_group_tests_name("CSV files", tests, NULL, NULL);
}
