/*
 * Tests with real data: MNIST, Fashion-MNIST, Iris and Auto MPG, in the folder that CLGRAD_DATA names. The
 * figures are published ones.
 */
#include "data_tests.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The path of a file in the data folder; where it cannot be opened the test that wants it is skipped. */
static const char *real_path(const char *folder, const char *file)
{
    static char path[1024];
    const char *data = getenv("CLGRAD_DATA");
    data = data ? data : CLGRAD_SOURCE_DIR "/../shared/data";
    snprintf(path, sizeof path, "%s/%s/%s", data, folder, file);
    FILE *found = fopen(path, "rb");
    if (!found) {
        print_message("skipped: there is no %s\n", path);
        skip();
    }
    fclose(found);
    return path;
}

static void read_images(const char *name, dataset_pair *pair)
{
    char folder[1024];
    snprintf(folder, sizeof folder, "%s", real_path(name, "train-images-idx3-ubyte.gz"));
    *strrchr(folder, '/') = 0;
    if (!dataset_read_idx(folder, pair, &data_error)) {
        fail_msg("%s", data_error.text);
    }
    assert_int_equal(pair->train.rows, 60000);
    assert_int_equal(pair->test.rows, 10000);
    assert_int_equal(pair->train.features, 784);
    assert_int_equal(pair->train.class_count, 10);
}

/* To four digits behind the point. */
static void check_pixels(const dataset *set, double mean, double std)
{
    double sum = 0, squares = 0, count = (double)(set->rows * set->features);
    for (size_t i = 0; i < set->rows * set->features; ++i) {
        double x = (double)set->x[i];
        sum += x;
        squares += x * x;
    }
    double found_mean = sum / count, found_std = sqrt(squares / count - found_mean * found_mean);
    assert_true(fabs(found_mean - mean) <= 0.00005);
    assert_true(fabs(found_std - std) <= 0.00005);
}

static void check_counts(const dataset *set, const size_t *expected)
{
    size_t counts[10] = {0};
    for (size_t row = 0; row < set->rows; ++row) {
        assert_in_range(set->classes[row], 0, 9);
        counts[set->classes[row]]++;
    }
    assert_memory_equal(counts, expected, sizeof counts);
}

static void test_mnist(void **state)
{
    (void)state;
    dataset_pair pair;
    read_images("mnist", &pair);
    check_counts(&pair.train, (size_t[]){5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949});
    check_pixels(&pair.train, 0.1307, 0.3081);
    dataset_pair_free(&pair);
}

static void test_fashion_mnist(void **state)
{
    (void)state;
    dataset_pair pair;
    read_images("fashion-mnist", &pair);
    check_counts(&pair.train, (size_t[]){6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000, 6000});
    check_counts(&pair.test, (size_t[]){1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000, 1000});
    check_pixels(&pair.train, 0.2860, 0.3530);
    dataset_pair_free(&pair);
}

static void test_iris(void **state)
{
    (void)state;
    const char *path = real_path("iris", "iris.csv");
    dataset_csv_options options = dataset_csv_defaults();
    options.target = "species";
    dataset_pair pair;
    assert_true(dataset_read_csv(path, &options, &pair, &data_error));
    assert_int_equal(pair.train.rows, 120);
    assert_int_equal(pair.test.rows, 30);
    assert_int_equal(pair.train.features, 4);
    assert_int_equal(pair.train.class_count, 3);
    assert_string_equal(pair.train.feature_names[3], "petal_width");
    assert_string_equal(pair.test.class_names[0], "setosa");
    assert_string_equal(pair.test.class_names[1], "versicolor");
    assert_string_equal(pair.test.class_names[2], "virginica");
    size_t counts[3] = {0};
    for (size_t row = 0; row < 150; ++row) {
        counts[row < 120 ? pair.train.classes[row] : pair.test.classes[row - 120]]++;
    }
    assert_memory_equal(counts, ((size_t[]){50, 50, 50}), sizeof counts);
    dataset_pair_free(&pair);
}

static void test_auto_mpg(void **state)
{
    (void)state;
    const char *path = real_path("auto-mpg", "mpg.csv");
    const char *ignore[] = {"name", "horsepower"};
    dataset_csv_options options = dataset_csv_defaults();
    options.target = "mpg";
    data_expect_refusal();
    data_check_refusal(dataset_read_csv(path, &options, &data_given, &data_error),
                       "mpg.csv, line 34, column 4 (horsepower): the cell is empty");
    options.skip_empty = true;
    data_expect_refusal();
    data_check_refusal(dataset_read_csv(path, &options, &data_given, &data_error),
                       "mpg.csv, column 9 (name): text with 301 distinct values, more than the 20");
    options.ignore = ignore;
    options.ignore_count = 1;
    dataset_pair pair;
    assert_true(dataset_read_csv(path, &options, &pair, &data_error));
    assert_int_equal(pair.skipped_rows, 6);
    assert_int_equal(pair.train.rows + pair.test.rows, 392);
    assert_int_equal(pair.train.features, 9);
    assert_string_equal(pair.train.feature_names[6], "origin=europe");
    assert_int_equal(pair.train.class_count, 0);
    assert_true(pair.train.y_mean > 20 && pair.train.y_mean < 27); /* miles a gallon */
    dataset_pair_free(&pair);
    options.ignore_count = 2;
    options.skip_empty = false;
    assert_true(dataset_read_csv(path, &options, &pair, &data_error));
    assert_int_equal(pair.skipped_rows, 0);
    assert_int_equal(pair.train.rows + pair.test.rows, 398);
    dataset_pair_free(&pair);
}

int data_run_real_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mnist),
        cmocka_unit_test(test_fashion_mnist),
        cmocka_unit_test(test_iris),
        cmocka_unit_test(test_auto_mpg),
    };
    return cmocka_run_group_tests_name("real data", tests, NULL, NULL);
}
