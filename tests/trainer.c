#define _XOPEN_SOURCE 700

#include "trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DEVICES 16

outcome train(const clgrad_device *device, const char *const *options)
{
    const char *arguments[MAX_ARGUMENTS + 1] = {TRAIN, "--device", device->specification, "--check", "2"};
    size_t count_given = 5;
    for (; *options != NULL; options++) {
        assert_true(count_given < MAX_ARGUMENTS);
        arguments[count_given++] = *options;
    }
    return run_arguments(arguments);
}

void write_table(const char *path)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fprintf(file, "x1,x2,note,class,number\n");
    for (int i = 0; i < 200; i++) {
        const double x1 = (i * 37 % 200) / 100.0 - 1, x2 = (i * 91 % 200) / 100.0 - 1;
        fprintf(file, "%g,%g,row %d,%s,%g\n", x1, x2, i, x1 + x2 > 0 ? "above" : "below",
                100 + 20 * x1 - 10 * x2);
    }
    fprintf(file, ",0,row 200,above,0\n");
    assert_int_equal(fclose(file), 0);
}

int run_trainer_tests(const char *name, const trainer_test *each, size_t count_of_each)
{
    enum { LABEL = 128 };
    static clgrad_device devices[MAX_DEVICES];
    const char *only = getenv("CLGRAD_TEST_DEVICE");
    size_t device_count = 0, test_count = 0;
    if (clgrad_device_list(devices, MAX_DEVICES, &device_count) != CLGRAD_STATUS_SUCCESS)
        return 1;
    struct CMUnitTest *tests = calloc(MAX_DEVICES * count_of_each, sizeof *tests);
    char(*labels)[LABEL] = calloc(MAX_DEVICES * count_of_each, sizeof *labels);
    if (tests == NULL || labels == NULL)
        abort();
    for (size_t d = 0; d < device_count && d < MAX_DEVICES; d++) {
        if (only != NULL && strcmp(only, devices[d].specification) != 0)
            continue;
        for (size_t i = 0; i < count_of_each; i++, test_count++) {
            snprintf(labels[test_count], LABEL, "%.80s [%.40s]", each[i].name, devices[d].specification);
            tests[test_count] =
                (struct CMUnitTest){labels[test_count], each[i].function, NULL, NULL, &devices[d]};
        }
    }
    int failed = 1;
    if (test_count > 0)
        failed = _cmocka_run_group_tests(name, tests, test_count, NULL, NULL);
    else
        printf("no device is %s\n", only != NULL ? only : "there");
    free(tests);
    free(labels);
    return failed;
}
