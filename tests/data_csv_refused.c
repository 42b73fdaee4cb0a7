/* Tests of what the reader of CSV files refuses, and of its sentences. */
#include "data_tests.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void test_csv_columns_refused(void **state)
{
    (void)state;
    const char *ignore[] = {"b", "nothing"};
    dataset_csv_options options = data_csv_target("c");
    data_refuse_text("a,b\n1,2\n", &options, ": no column \"c\" (target); there are: a, b");
    options.target = NULL;
    data_refuse_text("a,b\n1,2\n", &options, ": no target column is named; there are: a, b");
    options.target = "a";
    data_refuse_text("a,b,c,a\n1,2,3,4\n", &options, ", line 1: columns 1 and 4 are both named \"a\"");
    data_refuse_text("a\n1\n2\n", &options, ": of 1 columns none is left beside the target \"a\"");
    options.ignore = ignore;
    options.ignore_count = 1;
    data_refuse_text("a,b\n1,2\n", &options, ": of 2 columns none is left beside the target \"a\"");
    options.ignore_count = 2;
    data_refuse_text("a,b,c\n1,2,3\n", &options,
                     ": no column \"nothing\" (to be ignored); there are: a, b, c");
    options.target = "b";
    data_refuse_text("a,b\n1,2\n", &options, ": column \"b\" cannot be the target and be ignored");
    /* A list that does not fit ends in dots, and the terminal never sees a control character of the file. */
    options = data_csv_target("c");
    data_refuse_text("evil\033[2J,\"a\nb\"\n1,2\n", &options, "there are: evil?[2J, a?b");
    char text[4096] = "column0";
    for (int i = 1; i < 200; ++i) {
        snprintf(text + strlen(text), sizeof text - strlen(text), ",column%d", i);
    }
    char *row = strcat(text, "\n") + strlen(text);
    for (int i = 0; i < 200; ++i) {
        snprintf(row + strlen(row), 4, i ? ",1" : "1");
    }
    data_refuse_text(text, &options, "there are: column0, column1, column2");
    assert_int_equal(strlen(data_error.text), sizeof data_error.text - 1);
    assert_string_equal(data_error.text + sizeof data_error.text - 4, "...");
}

static void test_csv_shape_refused(void **state)
{
    (void)state;
    dataset_csv_options options = data_csv_target("y");
    data_refuse_text("", &options, ": no data rows: the file is empty");
    data_refuse_text("\xef\xbb\xbf\r\n \n", &options, ": no data rows: the file is empty");
    data_refuse_text("x,y\n", &options, ": no data rows: there is only a header");
    data_refuse_text("x,y\n1,2\n3\n", &options, ", line 3: the row has 1 fields, the header has 2");
    data_refuse_text("x,y\n1,2\n\n3,4,5\n", &options, ", line 4: the row has 3 fields, the header has 2");
    data_refuse_text("x,y\n1,2,\n", &options, ", line 2: the row has 3 fields, the header has 2");
    data_refuse_text("x,y\n1,\"a\nb\"\n2,c,d\n", &options, ", line 4: the row has 3 fields");
    data_refuse_text("x,y\n1,2\n3,\"4\n5,6\n", &options,
                     ", line 3, column 2: the quote that opens here is never closed");
    data_refuse_text("x,y\n1,\"", &options, ", line 2, column 2: the quote that opens here is never closed");
    data_refuse_text("x,y\n1,\"\"\"", &options,
                     ", line 2, column 2: the quote that opens here is never closed");
    /* also where a decimal comma would make the rows ragged */
    data_refuse_text("x;y\n1,5;2,5\n", &options,
                     ", line 1: the header has semicolons, but no comma, which is what separates columns");
    data_refuse_text("\nx\ty\n1\t2\n", &options, ", line 2: the header has tabs, but no comma");
    data_refuse_text("x;y,z\n1,2\n", &options, ": no column \"y\" (target); there are: x;y, z");
    data_refuse_text("x,y\n1,\"2\" 3\n", &options, ", line 2, column 2: '3' after the closing quote");
    static const char nul[] = "x,y\n1,2\n3,\0\n";
    const char *path = data_write("data.csv", nul, sizeof nul - 1);
    data_expect_refusal();
    data_check_refusal(dataset_read_csv(path, &options, &data_given, &data_error),
                       "data.csv, line 3: byte 11 of the file is NUL");
    data_expect_refusal();
    data_check_refusal(dataset_read_csv("no/such.csv", &options, &data_given, &data_error),
                       "no/such.csv: No such file or directory");
    data_expect_refusal();
    data_check_refusal(dataset_read_csv(data_folder, &options, &data_given, &data_error),
                       ": after 0 bytes: Is a directory");
}

static void test_csv_cells_refused(void **state)
{
    (void)state;
    dataset_csv_options options = data_csv_target("y");
    data_refuse_text("x,y\n1,2\n,3\n", &options, ", line 3, column 1 (x): the cell is empty");
    data_refuse_text("x,y\n1,2\n5,\n", &options, ", line 3, column 2 (y): the cell is empty");
    data_refuse_text(
        "x,y\n1,2\nred,3\n", &options,
        ", line 3, column 1 (x): \"red\" is not a number, and the column's first cell is: \"1\" on line 2");
    data_refuse_text("x,y\n1,2\n2,3 miles\n", &options,
                     ", line 3, column 2 (y): \"3 miles\" is not a number");
    static const char *const never[] = {"nan", "NAN(1)", "inf", "-Infinity", "0x10"};
    for (size_t i = 0; i < sizeof never / sizeof never[0]; ++i) {
        for (int first = 0; first < 2; ++first) {
            char text[64], words[128];
            snprintf(text, sizeof text, first ? "x,y\n%s,1\n2,2\n" : "x,y\n2,1\n%s,2\n", never[i]);
            snprintf(words, sizeof words, ", line %d, column 1 (x): \"%s\" is not a finite decimal number",
                     first ? 2 : 3, never[i]);
            data_refuse_text(text, &options, words);
        }
    }
    data_refuse_text("x,y\n1,2\n1e39,3\n", &options,
                     ", line 3, column 1 (x): \"1e39\" is beyond the range of float");
    data_refuse_text("x,y\n1,2\n2,-1e999\n", &options,
                     ", line 3, column 2 (y): \"-1e999\" is beyond the range of float");
}

static void test_csv_values_refused(void **state)
{
    (void)state;
    dataset_csv_options options = data_csv_target("y");
    data_refuse_text("x,y\n1,a\n2,a\n", &options, ": only one class: the target y is \"a\" in all 2 rows");
    data_refuse_text("x,y\n1,5\n2,5\n", &options, ": the target y is 5 in all 1 rows to train on");
    options.task = DATASET_TASK_REGRESS;
    data_refuse_text("x,y\n1,a\n2,b\n", &options,
                     ", line 2, column 2 (y): \"a\" is not a number, and a regression needs numbers");
    options.task = DATASET_TASK_CLASSIFY;
    data_refuse_text("x,y\n1,3\n2,3.0\n", &options, ": only one class: the target y is \"3\" in all 2 rows");
    data_refuse_text("x,y\n1,3\n2,nan\n", &options,
                     ", line 3, column 2 (y): \"nan\" is not a finite decimal number");

    char text[1024] = "name,y\n";
    for (int i = 0; i < 21; ++i) {
        snprintf(text + strlen(text), sizeof text - strlen(text), "car %d,%d\ncar %d,1\n", i, i, i);
    }
    options = data_csv_target("y");
    data_refuse_text(text, &options,
                     ", column 1 (name): text with 21 distinct values, more than the 20 that can be");
    strstr(text, "car 20")[4] = '1'; /* car 10 once more; the other car 20 goes with the end of the text */
    *strstr(text, "car 20") = 0;
    dataset_pair pair = data_read_text(text, &options);
    assert_int_equal(pair.train.features, 20);
    dataset_pair_free(&pair);
}

static void test_csv_split_refused(void **state)
{
    (void)state;
    dataset_csv_options options = data_csv_target("y");
    static const double fractions[] = {0, 1, -0.5, 7, NAN};
    static const char *const words[] = {"fraction is 0,", "is 1,", "is -0.5,", "is 7,",
                                        "nan, not between 0 and 1"};
    for (size_t i = 0; i < sizeof fractions / sizeof fractions[0]; ++i) {
        options.test_fraction = fractions[i];
        data_expect_refusal();
        const char *path = data_write("data.csv", "x,y\n1,2\n3,4\n", 12);
        data_check_refusal(dataset_read_csv(path, &options, &data_given, &data_error), words[i]);
    }
    options.test_fraction = 0.2;
    data_expect_refusal();
    const char *path = data_write("data.csv", "x,y\n1,2\n", 8);
    data_check_refusal(dataset_read_csv(path, &options, &data_given, &data_error),
                       "1 row is too few for a training part and a test part");
}

/* Standard deviations of 1e-30 put the cell of 1e30 out of float's range, if it is not among them. */
static void test_csv_far_out(void **state)
{
    (void)state;
    const char *text = "x,y\n0,1\n1e-30,2\n2e-30,3\n3e-30,4\n1e30,5\n";
    dataset_csv_options options = data_csv_target("y");
    const char *path = data_write("data.csv", text, strlen(text));
    size_t refused = 0;
    for (options.seed = 0; options.seed < 50; ++options.seed) {
        dataset_pair pair;
        if (dataset_read_csv(path, &options, &pair, &data_error)) {
            data_check_sane(&pair);
            dataset_pair_free(&pair);
        } else {
            assert_non_null(strstr(data_error.text,
                                   ", line 6, column 1 (x): 1e+30 is beyond the range of float"
                                   " once standardised (mean 1.5e-30, std 1.11803e-30)"));
            ++refused;
        }
    }
    assert_in_range(refused, 1, 49);
}

static void test_csv_hostile(void **state)
{
    (void)state;
    static const char text[] =
        "size,kind,\"the label\"\r\n1,red,a\r\n2,\"gre\"\"en\",b\r\n-3.5e1,red,a\n4,blue,b";
    const char *columns[] = {"size", "kind", "the label"};
    uint64_t random = 4;
    size_t refused = 0;
    for (size_t run = 0; run < 3000; ++run) {
        unsigned char bytes[sizeof text];
        memcpy(bytes, text, sizeof text);
        size_t size = data_damage(bytes, sizeof text - 1, &random);
        const char *path = data_write("data.csv", bytes, size);
        dataset_csv_options options = data_csv_target(columns[run % 3]);
        options.task = run % 2 ? DATASET_TASK_AUTO : DATASET_TASK_CLASSIFY;
        options.skip_empty = run % 5 == 0;
        dataset_pair pair;
        data_error.text[0] = 0;
        if (dataset_read_csv(path, &options, &pair, &data_error)) {
            data_check_sane(&pair);
            dataset_pair_free(&pair);
        } else {
            assert_true(data_error.text[0] != 0);
            ++refused;
        }
    }
    assert_in_range(refused, 500, 2500);
}

int data_run_csv_refused_tests(void)
{
    const struct CMUnitTest tests[] = {
        DATA_TEST(test_csv_columns_refused), DATA_TEST(test_csv_shape_refused),
        DATA_TEST(test_csv_cells_refused),   DATA_TEST(test_csv_values_refused),
        DATA_TEST(test_csv_split_refused),   DATA_TEST(test_csv_far_out),
        DATA_TEST(test_csv_hostile),
    };
    return cmocka_run_group_tests_name("bad CSV files", tests, NULL, NULL);
}
