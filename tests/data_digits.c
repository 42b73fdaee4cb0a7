/* Tests of the generated digits. */
#include "data_tests.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PIXELS = 28 * 28 };

static dataset_pair make(size_t train_rows, size_t test_rows, uint64_t seed)
{
    dataset_pair pair = {0};
    if (!dataset_make_digits(train_rows, test_rows, seed, &pair, &data_error)) {
        fail_msg("%s", data_error.text);
    }
    assert_int_equal(pair.train.rows, train_rows);
    assert_int_equal(pair.test.rows, test_rows);
    return pair;
}

/* Whether the first rows of two data sets are the same to the last bit. */
static bool same_rows(const dataset *a, const dataset *b, size_t rows)
{
    return memcmp(a->x, b->x, rows * PIXELS * sizeof(float)) == 0 &&
           memcmp(a->classes, b->classes, rows * sizeof(int32_t)) == 0;
}

static void test_digits_repeat(void **state)
{
    (void)state;
    dataset_pair few = make(37, 23, 5), many = make(310, 120, 5), again = make(310, 120, 5);
    dataset_pair other = make(310, 120, 6);
    assert_true(same_rows(&many.train, &again.train, 310));
    assert_true(same_rows(&many.test, &again.test, 120));
    assert_true(same_rows(&many.train, &few.train, 37)); /* however many are drawn */
    assert_true(same_rows(&many.test, &few.test, 23));
    for (size_t row = 0; row < 120; ++row) {
        const float *x = many.test.x + row * PIXELS;
        assert_memory_not_equal(x, other.test.x + row * PIXELS, PIXELS * sizeof *x);
        for (size_t train_row = 0; train_row < 310; ++train_row) {
            assert_memory_not_equal(x, many.train.x + train_row * PIXELS, PIXELS * sizeof *x);
        }
    }
    assert_memory_not_equal(many.train.classes, other.train.classes, 310 * sizeof(int32_t));
    assert_memory_not_equal(many.train.classes, many.test.classes, 120 * sizeof(int32_t));
    dataset_pair_free(&few);
    dataset_pair_free(&many);
    dataset_pair_free(&again);
    dataset_pair_free(&other);
}

static void test_digits_values(void **state)
{
    (void)state;
    dataset_pair pair = make(1000, 1000, 1);
    const dataset *set = &pair.train;
    assert_int_equal(set->features, PIXELS);
    assert_int_equal(set->width, 28);
    assert_int_equal(set->height, 28);
    assert_int_equal(set->class_count, 10);
    assert_string_equal(set->class_names[9], "9");
    assert_null(set->y);
    assert_null(set->feature_names);
    double sum = 0, darkest = 0;
    for (size_t i = 0; i < set->rows * PIXELS; ++i) {
        float byte = set->x[i] * 255.0f;
        assert_true(byte >= 0 && byte <= 255 && fabsf(byte - roundf(byte)) < 1e-4f);
        sum += (double)set->x[i];
        darkest = fmax(darkest, (double)set->x[i]);
    }
    double mean = sum / (double)(set->rows * PIXELS); /* MNIST's is 0.13 */
    assert_true(mean > 0.08 && mean < 0.18);
    assert_true(darkest == 1);
    for (size_t row = 0; row < set->rows; ++row) {
        float ink = 0;
        for (size_t i = 0; i < PIXELS; ++i) {
            ink += set->x[row * PIXELS + i];
        }
        assert_true(ink > 15 && ink < 300); /* neither blank nor blotted */
    }
    dataset_pair_free(&pair);
}

static void test_digits_balance(void **state)
{
    (void)state;
    dataset_pair pair = make(1005, 200, 2);
    size_t ordered = 0;
    for (size_t ten = 0; ten < 1000; ten += 10) {
        unsigned seen = 0;
        for (size_t row = ten; row < ten + 10; ++row) {
            assert_in_range(pair.train.classes[row], 0, 9);
            seen |= 1u << pair.train.classes[row];
            ordered += (size_t)pair.train.classes[row] == row - ten;
        }
        assert_int_equal(seen, 0x3ff);
    }
    /* In a random order a digit stands at its own place once in ten: 100 of 1,000, standard deviation 10. */
    assert_in_range(ordered, 50, 150);
    dataset_pair_free(&pair);
}

/* The share of test rows whose nearest class mean (of the training rows) is their own class's. */
static double nearest_mean_accuracy(const dataset_pair *pair)
{
    static double means[10][PIXELS];
    memset(means, 0, sizeof means);
    for (size_t row = 0; row < pair->train.rows; ++row) {
        for (size_t i = 0; i < PIXELS; ++i) {
            means[pair->train.classes[row]][i] +=
                10.0 * (double)pair->train.x[row * PIXELS + i] / (double)pair->train.rows;
        }
    }
    size_t right = 0;
    for (size_t row = 0; row < pair->test.rows; ++row) {
        double nearest = INFINITY;
        int32_t answer = -1;
        for (int32_t digit = 0; digit < 10; ++digit) {
            double distance = 0;
            for (size_t i = 0; i < PIXELS; ++i) {
                double difference = (double)pair->test.x[row * PIXELS + i] - means[digit][i];
                distance += difference * difference;
            }
            if (distance < nearest) {
                nearest = distance;
                answer = digit;
            }
        }
        right += answer == pair->test.classes[row];
    }
    return (double)right / (double)pair->test.rows;
}

static void test_digits_can_be_told_apart(void **state)
{
    (void)state;
    dataset_pair pair = make(2000, 1000, 1);
    double accuracy = nearest_mean_accuracy(&pair);
    print_message("nearest class mean: %.1f %% of 1,000 digits\n", 100 * accuracy);
    assert_true(accuracy > 0.60 && accuracy < 0.97);
    dataset_pair_free(&pair);
}

static void test_digits_refused(void **state)
{
    (void)state;
    data_expect_refusal();
    data_check_refusal(dataset_make_digits(0, 5, 1, &data_given, &data_error),
                       "0 digits to train on and 5 to test with: each must be at least 1");
    data_expect_refusal();
    data_check_refusal(dataset_make_digits(5, 0, 1, &data_given, &data_error),
                       "5 digits to train on and 0 to test with");
    data_expect_refusal();
    data_check_refusal(dataset_make_digits(SIZE_MAX / 16, 5, 1, &data_given, &data_error),
                       "rows of 784 features are more than memory can address");
}

int data_run_digits_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digits_repeat),  cmocka_unit_test(test_digits_values),
        cmocka_unit_test(test_digits_balance), cmocka_unit_test(test_digits_can_be_told_apart),
        cmocka_unit_test(test_digits_refused),
    };
    return cmocka_run_group_tests_name("digits", tests, NULL, NULL);
}
