/*
 * Learning-rate schedules: what is refused, what is ignored, and the list.
 */
#include "harness.h"

#include <math.h>
#include <string.h>

#define FOR_EACH_KIND(kind)                                                                          \
    for (clgrad_schedule_kind kind = CLGRAD_SCHEDULE_CONSTANT; (size_t)kind < CLGRAD_SCHEDULE_COUNT; \
         kind = (clgrad_schedule_kind)(kind + 1))

static const uint64_t steps[] = {0, 1, 2, 5, 7, 29, 30, 99, 100, 101, 12345, UINT64_C(1) << 40, UINT64_MAX};

/* Write a parameter as a caller can, with values that clgrad_parameter_set refuses. */
static void put(const clgrad_parameter *p, clgrad_schedule *schedule, double value)
{
    const float number = (float)value;
    const bool flag = value != 0;
    const int32_t integer = p->type == CLGRAD_PARAMETER_INTEGER ? (int32_t)value : 0;
    char *field = (char *)schedule + p->offset;
    if (p->type == CLGRAD_PARAMETER_NUMBER)
        memcpy(field, &number, sizeof number);
    else if (p->type == CLGRAD_PARAMETER_FLAG)
        memcpy(field, &flag, sizeof flag);
    else
        memcpy(field, &integer, sizeof integer);
}

/* ---- what is refused ---- */

static void check_refused(const clgrad_schedule *s)
{
    for (size_t i = 0; i < COUNT(steps); i++)
        assert_true(isnan(clgrad_schedule_lr(s, 1, steps[i])));
    assert_true(isnan(clgrad_plateau_begin(s, 1).lr));
    clgrad_plateau plateau = {1, 2, 3, 4};
    const clgrad_plateau before = plateau;
    assert_true(isnan(clgrad_plateau_step(s, &plateau, 0.5)));
    assert_memory_equal(&plateau, &before, sizeof before);
}

static void test_parameters_outside_their_intervals_give_nan(void **state)
{
    (void)state;
    FOR_EACH_KIND(kind)
    for (const clgrad_parameter *p = clgrad_schedule_describe(kind)->parameters; p->name != NULL; p++) {
        const bool integer = p->type == CLGRAD_PARAMETER_INTEGER;
        const double outside[] = {integer ? p->minimum - 1.0 : (double)nextafterf(p->minimum, -INFINITY),
                                  integer ? p->maximum + 2.0 : (double)nextafterf(p->maximum, INFINITY),
                                  integer ? -0x1p31 : -INFINITY, integer ? 0x1p30 : INFINITY,
                                  integer ? -0x1p30 : NAN};
        const double ends[] = {p->minimum, p->maximum};
        clgrad_schedule s = clgrad_schedule_defaults(kind);
        for (size_t i = 0; p->type != CLGRAD_PARAMETER_FLAG && i < COUNT(outside); i++) {
            put(p, &s, outside[i]);
            check_refused(&s);
        }
        for (size_t i = 0; i < COUNT(ends); i++) {
            put(p, &s, ends[i]);
            for (size_t k = 0; k < COUNT(steps); k++)
                assert_true(!isnan(clgrad_schedule_lr(&s, 1, steps[k])));
        }
    }
}

static void test_null_and_kinds_that_there_are_not(void **state)
{
    (void)state;
    check_refused(NULL);
    static const int kinds[] = {-1, CLGRAD_SCHEDULE_COUNT, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < COUNT(kinds); i++) {
        const clgrad_schedule s = clgrad_schedule_defaults((clgrad_schedule_kind)kinds[i]);
        check_refused(&s);
        assert_null(clgrad_schedule_describe((clgrad_schedule_kind)kinds[i]));
    }
    const clgrad_schedule s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_REDUCE_ON_PLATEAU);
    assert_true(isnan(clgrad_plateau_step(&s, NULL, 1)));
    FOR_EACH_KIND(kind)
    if (kind != CLGRAD_SCHEDULE_REDUCE_ON_PLATEAU) { /* a schedule, but none that looks at metrics */
        const clgrad_schedule other = clgrad_schedule_defaults(kind);
        clgrad_plateau plateau = clgrad_plateau_begin(&s, 1);
        assert_true(isnan(clgrad_plateau_begin(&other, 1).lr));
        assert_true(isnan(clgrad_plateau_step(&other, &plateau, 1)) && plateau.best == INFINITY);
    }
}

static void test_fields_of_other_kinds_are_ignored(void **state)
{
    (void)state;
    FOR_EACH_KIND(kind)
    {
        const clgrad_schedule plain = clgrad_schedule_defaults(kind);
        clgrad_schedule s = plain;
        FOR_EACH_KIND(other)
        for (const clgrad_parameter *p = clgrad_schedule_describe(other)->parameters; p->name != NULL; p++)
            put(p, &s, p->type == CLGRAD_PARAMETER_NUMBER ? NAN : p->type == CLGRAD_PARAMETER_FLAG ? 1 : -1);
        for (const clgrad_parameter *p = clgrad_schedule_describe(kind)->parameters; p->name != NULL; p++)
            assert_true(clgrad_parameter_set(p, &s, p->default_value));
        for (size_t i = 0; i < COUNT(steps); i++)
            assert_true(clgrad_schedule_lr(&s, 1, steps[i]) == clgrad_schedule_lr(&plain, 1, steps[i]));
    }
}

/* ---- the list ---- */

static void test_values_and_names_never_change(void **state)
{
    (void)state;
    static const char *const names[] = {"constant",         "step",
                                        "multi_step",       "exponential",
                                        "linear",           "polynomial",
                                        "cosine_annealing", "cosine_annealing_warm_restarts",
                                        "one_cycle",        "reduce_on_plateau"};
    assert_int_equal(CLGRAD_SCHEDULE_COUNT, COUNT(names));
    for (size_t i = 0; i < COUNT(names); i++) {
        const clgrad_schedule_info *info = clgrad_schedule_describe((clgrad_schedule_kind)i);
        assert_string_equal(info->name, names[i]);
        assert_true(strlen(info->formula) > 0 && strlen(info->source) > 0);
        clgrad_schedule_kind kind = (clgrad_schedule_kind)-1;
        assert_true(clgrad_schedule_parse(names[i], &kind));
        assert_int_equal(kind, i);
    }
    static const char *const others[] = {NULL, "", "Step", "steps", "cosine", "step "};
    for (size_t i = 0; i < COUNT(others); i++) {
        clgrad_schedule_kind kind = CLGRAD_SCHEDULE_ONE_CYCLE;
        assert_false(clgrad_schedule_parse(others[i], &kind));
        assert_int_equal(kind, CLGRAD_SCHEDULE_ONE_CYCLE);
    }
}

static void test_defaults(void **state)
{
    (void)state;
    FOR_EACH_KIND(kind)
    {
        const clgrad_schedule s = clgrad_schedule_defaults(kind);
        assert_int_equal(s.kind, kind);
        for (const clgrad_parameter *p = clgrad_schedule_describe(kind)->parameters; p->name != NULL; p++) {
            assert_true(clgrad_parameter_get(p, &s) == p->default_value);
            assert_true(p->default_value >= p->minimum && p->default_value <= p->maximum);
        }
    }
    const clgrad_schedule s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_ONE_CYCLE);
    assert_true(s.total_steps == 100 && s.pct_start == 0.3f && s.div_factor == 25 && s.gamma == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parameters_outside_their_intervals_give_nan),
        cmocka_unit_test(test_null_and_kinds_that_there_are_not),
        cmocka_unit_test(test_fields_of_other_kinds_are_ignored),
        cmocka_unit_test(test_values_and_names_never_change),
        cmocka_unit_test(test_defaults),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
