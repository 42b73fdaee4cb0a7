/*
 * The figures of time that the trainer prints and logs.
 */
#include "train_progress.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

static void pass_time(void)
{
    const clock_t begin = clock();
    while (clock() - begin < CLOCKS_PER_SEC / 100)
        continue;
}

/* The rows that an epoch has been trained on, by its time and its rate. */
static double rows_of_epoch(train_progress *progress)
{
    train_figures figures = {.epoch = 1};
    pass_time();
    train_progress_time(progress, &figures);
    train_progress_epoch(progress, &figures);
    assert_true(figures.seconds > 0);
    return figures.rate * figures.seconds;
}

/* An epoch that a resumed run finishes has been trained on less. */
static void a_rate_is_of_this_runs_rows(void **state)
{
    (void)state;
    const train_options options = {.epochs = 2};
    train_progress afresh = train_progress_begin(&options, 1000, 10, 0);
    train_progress resumed = train_progress_begin(&options, 1000, 10, 990);
    assert_true(fabs(rows_of_epoch(&afresh) - 1000) < 1e-6);
    assert_true(fabs(rows_of_epoch(&resumed) - 10) < 1e-6);
    assert_true(fabs(rows_of_epoch(&resumed) - 1000) < 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rate_is_of_this_runs_rows),
    };
    return cmocka_run_group_tests_name("trainer_progress", tests, NULL, NULL);
}
