/* Between the parts of test_data: the fixtures, and the groups of tests that each part runs. */
#ifndef DATA_TESTS_H
#define DATA_TESTS_H

#include "dataset.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Each test runs with an empty folder of its own, which goes with its files when the test ends. */
extern char data_folder[256];
int data_make_folder(void **state);
int data_remove_folder(void **state);
#define DATA_TEST(test) cmocka_unit_test_setup_teardown(test, data_make_folder, data_remove_folder)

/* The path of a file in the folder, until the next call. */
const char *data_path(const char *name);
const char *data_write(const char *name, const void *bytes, size_t size);
const char *data_write_gzip(const char *name, const void *bytes, size_t size);

/*
 * A refusal: data_expect_refusal before the call, which reads into data_given and data_error; then the call's
 * result to data_check_refusal, which wants false, data_given untouched and a sentence with these words.
 */
extern dataset_pair data_given;
extern dataset_error data_error;
void data_expect_refusal(void);
void data_check_refusal(bool read, const char *words);

/* Change some bytes, cut the file short or add a byte, for which there is room. Returns the new size. */
size_t data_damage(unsigned char *bytes, size_t size, uint64_t *random);

/* A data set that was read, whatever from: finite, its classes below the class count. */
void data_check_sane(const dataset_pair *pair);

/* CSV from a text, with a target column and defaults else: read, or refused with the path and these words. */
dataset_csv_options data_csv_target(const char *name);
dataset_pair data_read_text(const char *text, const dataset_csv_options *options);
void data_refuse_text(const char *text, const dataset_csv_options *options, const char *words);

int data_run_idx_tests(void);
int data_run_csv_tests(void);
int data_run_csv_refused_tests(void);
int data_run_digits_tests(void);
int data_run_spirals_tests(void);
int data_run_real_tests(void);

#endif
