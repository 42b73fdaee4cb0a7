/* Tests of the generated spirals. */
#include "data_tests.h"

#include <math.h>
#include <string.h>

enum { ARMS = 3 };

static dataset_pair make(size_t train_rows, size_t test_rows, uint64_t seed)
{
    dataset_pair pair = {0};
    if (!dataset_make_spirals(train_rows, test_rows, seed, &pair, &data_error)) {
        fail_msg("%s", data_error.text);
    }
    assert_int_equal(pair.train.rows, train_rows);
    assert_int_equal(pair.test.rows, test_rows);
    return pair;
}

static void test_spirals_repeat(void **state)
{
    (void)state;
    dataset_pair few = make(37, 23, 5), many = make(310, 120, 5), other = make(310, 120, 6);
    assert_memory_equal(many.train.x, few.train.x, 37 * 2 * sizeof(float)); /* however many are drawn */
    assert_memory_equal(many.test.x, few.test.x, 23 * 2 * sizeof(float));
    for (size_t row = 0; row < 120; ++row) {
        assert_memory_not_equal(many.test.x + 2 * row, other.test.x + 2 * row, 2 * sizeof(float));
        assert_memory_not_equal(many.test.x + 2 * row, many.train.x + 2 * row, 2 * sizeof(float));
    }
    dataset_pair_free(&few);
    dataset_pair_free(&many);
    dataset_pair_free(&other);
}

static void test_spirals_values(void **state)
{
    (void)state;
    dataset_pair pair = make(9000, 90, 1);
    const dataset *set = &pair.train;
    assert_int_equal(set->features, 2);
    assert_int_equal(set->class_count, ARMS);
    assert_string_equal(set->class_names[0], "arm 1");
    assert_string_equal(set->class_names[2], "arm 3");
    assert_string_equal(set->feature_names[0], "x");
    assert_string_equal(set->feature_names[1], "y");
    assert_int_equal(set->width, 0);
    assert_null(set->y);
    size_t rows_of[ARMS] = {0};
    double sum[2] = {0}, squares[2] = {0};
    for (size_t row = 0; row < set->rows; ++row) {
        assert_in_range(set->classes[row], 0, ARMS - 1);
        rows_of[set->classes[row]]++;
        for (size_t j = 0; j < 2; ++j) {
            const double x = (double)set->x[2 * row + j];
            assert_true(fabs(x) < 4);
            sum[j] += x / 9000;
            squares[j] += x * x / 9000;
        }
    }
    for (size_t j = 0; j < 2; ++j) { /* as if standardised, nearly */
        assert_true(fabs(sum[j]) < 0.3);
        assert_true(squares[j] - sum[j] * sum[j] > 0.7 && squares[j] - sum[j] * sum[j] < 2);
    }
    for (size_t arm = 0; arm < ARMS; ++arm) {
        assert_int_equal(rows_of[arm], 3000);
    }
    dataset_pair_free(&pair);
}

static double square_of_distance(const float *a, const float *b)
{
    const double x = (double)a[0] - (double)b[0], y = (double)a[1] - (double)b[1];
    return x * x + y * y;
}

/* The share of test rows of which the nearest of so many points has their class. */
static double nearest_accuracy(const dataset *test, const float *points, const int32_t *classes, size_t count)
{
    size_t right = 0;
    for (size_t row = 0; row < test->rows; ++row) {
        size_t nearest = 0;
        for (size_t i = 1; i < count; ++i) {
            if (square_of_distance(test->x + 2 * row, points + 2 * i) <
                square_of_distance(test->x + 2 * row, points + 2 * nearest)) {
                nearest = i;
            }
        }
        right += classes[nearest] == test->classes[row];
    }
    return (double)right / (double)test->rows;
}

/* Hard for straight lines, which is all that the classes' means can draw; easy for who knows the
 * neighbourhood. */
static void test_spirals_need_a_curve(void **state)
{
    (void)state;
    dataset_pair pair = make(1500, 600, 3);
    float means[2 * ARMS] = {0};
    const int32_t each[ARMS] = {0, 1, 2};
    for (size_t row = 0; row < 1500; ++row) {
        for (int j = 0; j < 2; ++j) {
            means[2 * pair.train.classes[row] + j] += pair.train.x[2 * row + (size_t)j] / 500;
        }
    }
    const double by_means = nearest_accuracy(&pair.test, means, each, ARMS);
    const double by_neighbour = nearest_accuracy(&pair.test, pair.train.x, pair.train.classes, 1500);
    print_message("nearest class mean: %.1f %%, nearest neighbour: %.1f %%\n", 100 * by_means,
                  100 * by_neighbour);
    assert_true(by_means > 0.2 && by_means < 0.7);
    assert_true(by_neighbour > 0.97);
    dataset_pair_free(&pair);
}

static void test_spirals_refused(void **state)
{
    (void)state;
    data_expect_refusal();
    data_check_refusal(dataset_make_spirals(0, 5, 1, &data_given, &data_error),
                       "0 points to train on and 5 to test with: each must be at least 1");
    data_expect_refusal();
    data_check_refusal(dataset_make_spirals(5, 0, 1, &data_given, &data_error),
                       "5 points to train on and 0 to test with");
    data_expect_refusal();
    data_check_refusal(dataset_make_spirals(SIZE_MAX / 4, 5, 1, &data_given, &data_error),
                       "rows of 2 features are more than memory can address");
}

int data_run_spirals_tests(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spirals_repeat),
        cmocka_unit_test(test_spirals_values),
        cmocka_unit_test(test_spirals_need_a_curve),
        cmocka_unit_test(test_spirals_refused),
    };
    return cmocka_run_group_tests_name("spirals", tests, NULL, NULL);
}
