/*
 * Learning-rate schedules against PyTorch's, step by step, and what they must be by their formulas: far out,
 * at the ends of their parameters, and when they are refused.
 */
#include "harness.h"

#include "golden/schedule.h"

#include <math.h>
#include <string.h>

#define FOR_EACH_KIND(kind)                                                                          \
    for (clgrad_schedule_kind kind = CLGRAD_SCHEDULE_CONSTANT; (size_t)kind < CLGRAD_SCHEDULE_COUNT; \
         kind = (clgrad_schedule_kind)(kind + 1))

static const uint64_t far = UINT64_C(1) << 40;

static clgrad_schedule schedule_of(const golden_schedule *g)
{
    clgrad_schedule schedule = clgrad_schedule_defaults(g->kind);
    const clgrad_parameter *p = clgrad_schedule_describe(g->kind)->parameters;
    for (size_t i = 0; p[i].name != NULL; i++)
        assert_true(clgrad_parameter_set(&p[i], &schedule, g->parameters[i]));
    return schedule;
}

/* ---- golden values ---- */

static bool has_golden(clgrad_schedule_kind kind, size_t parameter, bool at_default)
{
    const clgrad_parameter *p = clgrad_schedule_describe(kind)->parameters;
    for (size_t i = 0; i < COUNT(golden_schedules); i++)
        if (golden_schedules[i].kind == kind &&
            (p->name == NULL ||
             (golden_schedules[i].parameters[parameter] == p[parameter].default_value) == at_default))
            return true;
    return false;
}

static void test_every_row_and_parameter_has_golden_values(void **state)
{
    (void)state;
    FOR_EACH_KIND(kind)
    {
        const clgrad_schedule_info *info = clgrad_schedule_describe(kind);
        if (!has_golden(kind, 0, true))
            fail_msg("%s lacks golden values", info->name);
        for (size_t p = 0; info->parameters[p].name != NULL; p++)
            if (!has_golden(kind, p, true) || !has_golden(kind, p, false))
                fail_msg("%s lacks golden values with %s at its default, or with another", info->name,
                         info->parameters[p].name);
    }
}

static double largest(const double *numbers, size_t count)
{
    double result = 0;
    for (size_t i = 0; i < count; i++)
        result = fmax(result, fabs(numbers[i]));
    return result;
}

static void check_rate(const golden_schedule *g, size_t i, double got)
{
    const double exact = g->rates[i];
    if (!is_close(got, exact, 1e-12 * fabs(exact) + 1e-15 * largest(g->rates, g->count)))
        fail_msg("%s: the rate at %zu is %.17g, not %.17g", g->label, i, got, exact);
}

static void test_rates_are_the_golden_ones(void **state)
{
    (void)state;
    size_t compared = 0;
    for (size_t k = 0; k < COUNT(golden_schedules); k++) {
        const golden_schedule *g = &golden_schedules[k];
        const clgrad_schedule schedule = schedule_of(g);
        for (size_t t = 0; g->metrics == NULL && t < g->count; t++, compared++)
            check_rate(g, t, clgrad_schedule_lr(&schedule, g->lr, t));
    }
    assert_true(compared > 4000);
}

static void test_plateaus_are_the_golden_ones(void **state)
{
    (void)state;
    size_t compared = 0;
    for (size_t k = 0; k < COUNT(golden_schedules); k++) {
        const golden_schedule *g = &golden_schedules[k];
        const clgrad_schedule schedule = schedule_of(g);
        if (g->metrics == NULL)
            continue;
        clgrad_plateau plateau = clgrad_plateau_begin(&schedule, g->lr);
        assert_true(plateau.lr == g->lr && plateau.bad == 0 && plateau.cooldown == 0);
        for (size_t i = 0; i < g->count; i++, compared++) {
            const double rate = clgrad_plateau_step(&schedule, &plateau, g->metrics[i]);
            check_rate(g, i, rate);
            if (rate != plateau.lr || plateau.best != g->best[i] || plateau.bad != g->bad[i] ||
                plateau.cooldown != g->cooldown[i])
                fail_msg("%s, metric %zu: best %g, bad %llu, cooldown %llu, not %g, %u, %u", g->label, i,
                         plateau.best, (unsigned long long)plateau.bad, (unsigned long long)plateau.cooldown,
                         g->best[i], g->bad[i], g->cooldown[i]);
            assert_true(clgrad_schedule_lr(&schedule, g->lr, i) == g->lr);
        }
    }
    assert_true(compared > 1500);
}

/* ---- far out ---- */

static void test_what_ends_stays(void **state)
{
    (void)state;
    clgrad_schedule s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_LINEAR);
    s.end_factor = 0.75f;
    assert_true(clgrad_schedule_lr(&s, 2, 5) == 1.5 && clgrad_schedule_lr(&s, 2, 4) < 1.5);
    assert_true(clgrad_schedule_lr(&s, 2, far) == 1.5 && clgrad_schedule_lr(&s, 2, UINT64_MAX) == 1.5);

    s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_POLYNOMIAL);
    assert_true(clgrad_schedule_lr(&s, 2, 4) > 0 && clgrad_schedule_lr(&s, 2, 5) == 0);
    assert_true(clgrad_schedule_lr(&s, 2, far) == 0 && clgrad_schedule_lr(&s, 2, UINT64_MAX) == 0);

    s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_MULTI_STEP);
    assert_true(clgrad_schedule_lr(&s, 2, far) == clgrad_schedule_lr(&s, 2, 30));

    s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_ONE_CYCLE);
    for (int flags = 0; flags < 4; flags++) {
        s.linear_anneal = (flags & 1) != 0, s.three_phase = (flags & 2) != 0;
        const double end = clgrad_schedule_lr(&s, 2, 99);
        assert_true(is_close(end, 2.0 / 25 / 1e4, 1e-16) && clgrad_schedule_lr(&s, 2, 98) > end);
        assert_true(clgrad_schedule_lr(&s, 2, 100) == end && clgrad_schedule_lr(&s, 2, 101) == end);
        assert_true(clgrad_schedule_lr(&s, 2, far) == end && clgrad_schedule_lr(&s, 2, UINT64_MAX) == end);
    }
}

/* The rate at a far step to the last digits, where pi t / T_max has none left. */
static void test_far_periods(void **state)
{
    (void)state;
    clgrad_schedule s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_COSINE_ANNEALING);
    s.T_max = 37;
    clgrad_schedule r = clgrad_schedule_defaults(CLGRAD_SCHEDULE_COSINE_ANNEALING_WARM_RESTARTS);
    r.T_0 = 37;
    for (uint64_t t = 0; t < 100; t++) {
        assert_true(clgrad_schedule_lr(&s, 2, far * 74 + t) == clgrad_schedule_lr(&s, 2, t));
        assert_true(clgrad_schedule_lr(&r, 2, far * 37 + t) == clgrad_schedule_lr(&r, 2, t));
    }
    assert_true(clgrad_schedule_lr(&s, 2, 37) == 0 && clgrad_schedule_lr(&r, 2, 37) == 2);

    /* Periods of 5, 10, 20, ... begin at 5 (2^n - 1): there, at their middles, and at their last steps. */
    r.T_0 = 5, r.T_mult = 2;
    for (int n = 0; n < 45; n++) {
        const uint64_t length = UINT64_C(5) << n, begin = length - 5;
        assert_true(clgrad_schedule_lr(&r, 2, begin) == 2);
        assert_true(n == 0 || is_close(clgrad_schedule_lr(&r, 2, begin + length / 2), 1, 1e-15));
        assert_true(clgrad_schedule_lr(&r, 2, begin + length - 1) < 1);
    }
    /* A period that no integer holds: 1, 2^24, 2^48, then 2^72, of which the end of uint64_t sees 2^-8. */
    r.T_0 = 1, r.T_mult = 1 << 24;
    const double rate = clgrad_schedule_lr(&r, 2, UINT64_MAX);
    assert_true(is_close(rate, 1 + cos(3.14159265358979323846 / 256), 1e-6) && rate < 2);
}

static void test_far_decays(void **state)
{
    (void)state;
    clgrad_schedule s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_STEP);
    s.step_size = 1 << 24, s.gamma = 0x1.fffffep-1f; /* 1 - 2^-24 */
    assert_true(is_close(clgrad_schedule_lr(&s, 2, far), 2 * exp(65536 * log1p(-0x1p-24)), 1e-14));
    assert_true(clgrad_schedule_lr(&s, 2, far - 1) > clgrad_schedule_lr(&s, 2, far));
    assert_true(clgrad_schedule_lr(&s, 2, far + 1) == clgrad_schedule_lr(&s, 2, far));

    s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_EXPONENTIAL);
    assert_true(clgrad_schedule_lr(&s, 2, far) == 0);
    s.gamma = 1;
    assert_true(clgrad_schedule_lr(&s, 2, far) == 2);
    s.gamma = 2;
    assert_true(clgrad_schedule_lr(&s, 2, far) == INFINITY && clgrad_schedule_lr(&s, 0, far) == 0);
}

/* ---- what holds of all, or of some ---- */

static const uint64_t steps[] = {0, 1, 2, 5, 7, 29, 30, 99, 100, 101, 12345, UINT64_C(1) << 40, UINT64_MAX};

static void test_rates_stay_within_bounds(void **state)
{
    (void)state;
    FOR_EACH_KIND(kind)
    {
        const clgrad_schedule s = clgrad_schedule_defaults(kind);
        for (uint64_t t = 0; t < 2000; t++) {
            const double rate = clgrad_schedule_lr(&s, 0.1, t);
            assert_true(rate >= 0 && rate <= 0.1);
        }
        for (size_t i = 0; i < COUNT(steps); i++) {
            assert_true(clgrad_schedule_lr(&s, 0, steps[i]) == 0);
            assert_true(isnan(clgrad_schedule_lr(&s, NAN, steps[i])));
        }
    }
}

/* From step first to last the rate only goes down (or, with sign -1, up), and at last it is another one. */
static void check_monotone(const clgrad_schedule *s, uint64_t first, uint64_t last, double sign)
{
    for (uint64_t t = first; t < last; t++)
        if (!(sign * clgrad_schedule_lr(s, 0.1, t) >= sign * clgrad_schedule_lr(s, 0.1, t + 1)))
            fail_msg("%s turns at step %llu", clgrad_schedule_describe(s->kind)->name, (unsigned long long)t);
    assert_true(sign * clgrad_schedule_lr(s, 0.1, first) > sign * clgrad_schedule_lr(s, 0.1, last));
}

static void test_monotone(void **state)
{
    (void)state;
    static const clgrad_schedule_kind decays[] = {CLGRAD_SCHEDULE_STEP, CLGRAD_SCHEDULE_MULTI_STEP,
                                                  CLGRAD_SCHEDULE_EXPONENTIAL, CLGRAD_SCHEDULE_POLYNOMIAL};
    for (size_t i = 0; i < COUNT(decays); i++) {
        const clgrad_schedule s = clgrad_schedule_defaults(decays[i]);
        check_monotone(&s, 0, 1000, 1);
    }
    clgrad_schedule s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_LINEAR);
    check_monotone(&s, 0, 1000, -1);
    s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_COSINE_ANNEALING);
    s.T_max = 100, s.eta_min = 0.01f;
    check_monotone(&s, 0, 100, 1);
    check_monotone(&s, 100, 200, -1);
    s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_COSINE_ANNEALING_WARM_RESTARTS);
    s.T_mult = 3;
    check_monotone(&s, 0, 9, 1);
    check_monotone(&s, 9, 10, -1);
    check_monotone(&s, 10, 39, 1);
    check_monotone(&s, 39, 40, -1);
    s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_ONE_CYCLE);
    for (int flags = 0; flags < 4; flags++) {
        s.linear_anneal = (flags & 1) != 0, s.three_phase = (flags & 2) != 0;
        check_monotone(&s, 0, 29, -1);
        check_monotone(&s, 29, 99, 1);
    }
}

/* PyTorch divides 0 by 0 where the rise ends at step 0; here it is over then, and the rate is lr. */
static void test_one_cycle_that_begins_at_the_top(void **state)
{
    (void)state;
    clgrad_schedule s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_ONE_CYCLE);
    s.total_steps = 4, s.pct_start = 0.25f, s.div_factor = 4, s.final_div_factor = 2, s.linear_anneal = true;
    static const double down[] = {2, 1.416666666666666667, 0.833333333333333333, 0.25};
    static const double three[] = {2, 0.416666666666666667, 0.333333333333333333, 0.25};
    for (uint64_t t = 0; t < 4; t++) {
        s.three_phase = false;
        assert_true(is_close(clgrad_schedule_lr(&s, 2, t), down[t], 1e-15));
        s.three_phase = true;
        assert_true(is_close(clgrad_schedule_lr(&s, 2, t), three[t], 1e-15));
    }
    s.total_steps = 1, s.pct_start = 1;
    assert_true(clgrad_schedule_lr(&s, 2, 0) == 2 && clgrad_schedule_lr(&s, 2, 7) == 2);
}

/* ---- plateaus ---- */

static void test_metrics_of_nan_are_no_improvement(void **state)
{
    (void)state;
    for (int maximum = 0; maximum < 2; maximum++) {
        clgrad_schedule s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_REDUCE_ON_PLATEAU);
        s.patience = 2, s.factor = 0.5f, s.maximum = maximum != 0;
        clgrad_plateau plateau = clgrad_plateau_begin(&s, 1);
        assert_true(plateau.best == (maximum != 0 ? -INFINITY : INFINITY));
        static const double rates[] = {1, 1, 0.5, 0.5, 0.5, 0.25};
        for (size_t i = 0; i < COUNT(rates); i++)
            assert_true(clgrad_plateau_step(&s, &plateau, NAN) == rates[i]);
        assert_true(isinf(plateau.best));
        clgrad_plateau_step(&s, &plateau, 3);
        assert_true(plateau.best == 3 && plateau.bad == 0);
        clgrad_plateau_step(&s, &plateau, NAN);
        assert_true(plateau.best == 3 && plateau.bad == 1 && plateau.lr == 0.25);
    }
}

/* With each step a worse one: never up, never below min_lr, and no change of eps or less. */
static void test_plateaus_only_go_down(void **state)
{
    (void)state;
    clgrad_schedule s = clgrad_schedule_defaults(CLGRAD_SCHEDULE_REDUCE_ON_PLATEAU);
    s.patience = 3, s.factor = 0.75f, s.min_lr = 0x1p-5f, s.cooldown = 2;
    clgrad_plateau plateau = clgrad_plateau_begin(&s, 1);
    double before = plateau.lr;
    for (int i = 0; i < 500; i++) {
        const double rate = clgrad_plateau_step(&s, &plateau, i);
        assert_true(rate <= before && rate >= s.min_lr);
        before = rate;
    }
    assert_true(plateau.lr == s.min_lr && plateau.best == 0);
    plateau = clgrad_plateau_begin(&s, 0.01); /* below min_lr already: PyTorch leaves it there */
    for (int i = 0; i < 50; i++)
        assert_true(clgrad_plateau_step(&s, &plateau, 1) == 0.01);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_row_and_parameter_has_golden_values),
        cmocka_unit_test(test_rates_are_the_golden_ones),
        cmocka_unit_test(test_plateaus_are_the_golden_ones),
        cmocka_unit_test(test_what_ends_stays),
        cmocka_unit_test(test_far_periods),
        cmocka_unit_test(test_far_decays),
        cmocka_unit_test(test_rates_stay_within_bounds),
        cmocka_unit_test(test_monotone),
        cmocka_unit_test(test_one_cycle_that_begins_at_the_top),
        cmocka_unit_test(test_metrics_of_nan_are_no_improvement),
        cmocka_unit_test(test_plateaus_only_go_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
