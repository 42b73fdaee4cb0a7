/*
 * What the tests of the trainer share: every test runs on every device by name, and short trainings.
 */
#ifndef TRAINER_H
#define TRAINER_H

#include "program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <clgrad/clgrad.h>

#define TRAIN CLGRAD_TRAIN_PROGRAM

typedef struct trainer_test {
    const char *name;
    CMUnitTestFunction function; /* whose state is the clgrad_device */
} trainer_test;

#define NAMED(function)     \
    {                       \
#function, function \
    }

/*
 * Run each test on each device as "name [device]", and return cmocka's result. CLGRAD_TEST_DEVICE restricts a
 * run to one device, as in the other tests.
 */
int run_trainer_tests(const char *name, const trainer_test *tests, size_t count);

/* A short training of a small network with further options, after a check of two batches. NULL ends them. */
outcome train(const clgrad_device *device, const char *const *options);
#define TRAIN_WITH(device, ...) train(device, (const char *const[]){__VA_ARGS__, NULL})

/*
 * A table of x1, x2, note, class and number. The class and the number follow from x1 and x2 by simple rules;
 * the text column tells nothing, and in the last row a cell is empty.
 */
void write_table(const char *path);

#endif
