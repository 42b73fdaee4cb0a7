/*
 * Optimizers: each single step of every device against the reference from the same numbers, with every
 * combination of options, and what a step must be by its formula.
 */
#include "optimizer_case.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FOR_EACH_KIND(kind)                                                                        \
    for (clgrad_optimizer_kind kind = CLGRAD_OPTIMIZER_SGD; (size_t)kind < CLGRAD_OPTIMIZER_COUNT; \
         kind = (clgrad_optimizer_kind)(kind + 1))

/* ---- options ---- */

/* Steps that look alike in few bits; RAdam's early steps and its later ones. Only step 1 is the first. */
static const uint64_t steps[] = {1,          2,           3,           4,          5,      6,
                                 7,          30,          999,         1000,       123457, 16777217,
                                 UINT32_MAX, 0x100000000, 0x100000001, UINT64_MAX, 2,      1};

/* A constraint's words, by the optimizer that has it. */
static const char *constraint_text(clgrad_optimizer_kind kind)
{
    return kind == CLGRAD_OPTIMIZER_SGD ? "sgd: nesterov needs a momentum above 0 and a dampening of 0"
                                        : "rprop: step_min must not be above step_max";
}

static void check_combination(clgrad_context *context, const clgrad_optimizer *optimizer)
{
    optimizer_run r = make_run(context, optimizer, 37, NULL);
    if (optimizer_is_allowed(optimizer))
        for (size_t i = 0; i < (test_small() ? 3 : COUNT(steps)); i++)
            check_normal_step(context, &r, steps[i]);
    else
        assert_refused(context,
                       clgrad_optimizer_step(context, optimizer, 1, r.gradient, r.parameters, r.state),
                       CLGRAD_STATUS_INVALID_ARGUMENT, constraint_text(optimizer->kind));
    free_run(context, r);
}

static void combinations_match_the_reference(clgrad_context *context)
{
    FOR_EACH_KIND(kind)
    for_each_combination(context, kind, check_combination);
}

/*
 * Each number at the ends of its interval. FLT_MAX is accepted but overflows on the way to most results, so
 * that 2^96 takes its place where they are looked at.
 */
static void check_extremes(clgrad_context *context, const clgrad_optimizer *optimizer)
{
    static const float gradient[1] = {1}, large = 0x1p96f;
    for (const clgrad_parameter *p = clgrad_optimizer_describe(optimizer->kind)->parameters; p->name != NULL;
         p++) {
        const float values[] = {p->minimum, fmaxf(p->minimum, -large), p->maximum, fminf(p->maximum, large)};
        for (size_t i = 0; i < COUNT(values); i++) {
            clgrad_optimizer extreme = *optimizer;
            assert_true(clgrad_parameter_set(p, &extreme, values[i]));
            if (fabsf(values[i]) < FLT_MAX || !optimizer_is_allowed(&extreme)) {
                check_combination(context, &extreme);
            } else {
                optimizer_run r = make_run(context, &extreme, 1, NULL);
                run_step(context, &r, 1, gradient);
                free_run(context, r);
            }
        }
    }
}

static void extremes_match_the_reference(clgrad_context *context)
{
    FOR_EACH_KIND(kind)
    {
        const clgrad_optimizer defaults = clgrad_optimizer_defaults(kind), other = optimizer_all_other(kind);
        check_extremes(context, &defaults);
        check_extremes(context, &other);
    }
}

/* Inside the intervals, but beyond what one would use. */
static void unusual_options_match_the_reference(clgrad_context *context)
{
    static const struct {
        clgrad_optimizer_kind kind;
        const char *names[2];
        float values[2];
    } cases[] = {
        {CLGRAD_OPTIMIZER_SGD, {"momentum", "dampening"}, {0.9f, -0.5f}},
        {CLGRAD_OPTIMIZER_SGD, {"momentum", "dampening"}, {0.9f, 1.5f}},
        {CLGRAD_OPTIMIZER_SGD, {"momentum", "dampening"}, {1.25f, 1}},
        {CLGRAD_OPTIMIZER_SGD, {"lr", "weight_decay"}, {3, 2}},
        {CLGRAD_OPTIMIZER_ADAM, {"beta1", "beta2"}, {0.999f, 0.3f}},
        {CLGRAD_OPTIMIZER_ADAM, {"beta2", "eps"}, {0.9999999f, 0}},
        {CLGRAD_OPTIMIZER_ADAMW, {"lr", "weight_decay"}, {0.5f, 4}},
        {CLGRAD_OPTIMIZER_ADAMAX, {"beta2", "eps"}, {0, 0}},
        {CLGRAD_OPTIMIZER_NADAM, {"beta1", "momentum_decay"}, {0.9999f, 0}},
        {CLGRAD_OPTIMIZER_NADAM, {"beta1", "momentum_decay"}, {0.99999f, 1e-6f}},
        {CLGRAD_OPTIMIZER_NADAM, {"beta1", "momentum_decay"}, {0.9f, 1e-8f}},
        {CLGRAD_OPTIMIZER_RADAM, {"beta2", "eps"}, {0.5f, 0}},
        {CLGRAD_OPTIMIZER_RADAM, {"beta2", "eps"}, {0.67f, 0}},
        {CLGRAD_OPTIMIZER_RADAM, {"beta1", "beta2"}, {0.3f, 0.99999f}},
        {CLGRAD_OPTIMIZER_RMSPROP, {"alpha", "momentum"}, {0.9999f, 2}},
        {CLGRAD_OPTIMIZER_RPROP, {"lr", "step_max"}, {1, 0.25f}},
        {CLGRAD_OPTIMIZER_RPROP, {"lr", "step_min"}, {0.01f, 0.5f}},
        {CLGRAD_OPTIMIZER_ASGD, {"lambd", "alpha"}, {2, 3}},
        {CLGRAD_OPTIMIZER_ASGD, {"t0", "alpha"}, {0, 0}},
        {CLGRAD_OPTIMIZER_LION, {"beta1", "weight_decay"}, {0, 10}},
    };
    for (size_t k = 0; k < COUNT(cases); k++) {
        clgrad_optimizer optimizer = clgrad_optimizer_defaults(cases[k].kind);
        for (const clgrad_parameter *p = clgrad_optimizer_describe(optimizer.kind)->parameters;
             p->name != NULL; p++)
            for (size_t i = 0; i < 2; i++)
                if (strcmp(p->name, cases[k].names[i]) == 0)
                    assert_true(clgrad_parameter_set(p, &optimizer, cases[k].values[i]));
        check_combination(context, &optimizer);
    }
}

/* ---- sizes and numbers ---- */

static void check_size(clgrad_context *context, const clgrad_optimizer *optimizer, size_t count)
{
    optimizer_run r = make_run(context, optimizer, count, NULL);
    for (uint64_t step = 1; step <= 2; step++)
        check_normal_step(context, &r, step);
    free_run(context, r);
}

static void sizes_match_the_reference(clgrad_context *context)
{
    static const size_t counts[] = {0, 1, 2, 63, 64, 65, 255, 256, 257, 1000};
    FOR_EACH_KIND(kind)
    {
        const clgrad_optimizer defaults = clgrad_optimizer_defaults(kind), other = optimizer_all_other(kind);
        for (size_t i = 0; i < COUNT(counts); i++)
            check_size(context, &other, counts[i]);
        check_size(context, &other, test_small() ? 1500 : 100003);
        check_size(context, &defaults, test_small() ? 1500 : 70001);
    }
}

/* Gradients of any usual size, and zeros, signs that stay and that change, a parameter that is 0. */
static void ragged_numbers_match_the_reference(clgrad_context *context)
{
    enum { N = 41 };
    FOR_EACH_KIND(kind)
    for (int other = 0; other < 2; other++) {
        const clgrad_optimizer o = other ? optimizer_all_other(kind) : clgrad_optimizer_defaults(kind);
        float w[N], g[N];
        fill_normal(w, N, 5, 3);
        w[4] = w[7] = 0;
        optimizer_run r = make_run(context, &o, N, w);
        for (uint64_t step = 1; step <= 8; step++) {
            fill_normal(g, N, 77 + step, 1);
            for (int i = 0; i < N; i++) {
                g[i] = ldexpf(g[i], i - 25); /* squares from 1e-15 to 1e10 */
                if (i % 4 == 1)
                    g[i] = fabsf(g[i]);
                if (i % 5 == 2)
                    g[i] = 0;
                if (i % 7 == 3)
                    g[i] *= step % 3 == 0;
            }
            check_step(context, &r, step, g);
        }
        free_run(context, r);
    }
}

/* NaN and infinity make what the formula has of them, in their own parameter alone. */
static void special_gradients_stay_in_their_parameter(clgrad_context *context)
{
    enum { N = 6 };
    static const float w[N] = {1, -2, 0.5f, 3, -1, 0.25f}, plain[N] = {1, 1, -1, 1, 2, 0};
    static const float special[N] = {1, NAN, -1, INFINITY, -INFINITY, 0};
    FOR_EACH_KIND(kind)
    for (int other = 0; other < 2; other++) {
        const clgrad_optimizer o = other ? optimizer_all_other(kind) : clgrad_optimizer_defaults(kind);
        optimizer_run r = make_run(context, &o, N, w), undisturbed = make_run(context, &o, N, w);
        check_step(context, &r, 1, special);
        run_step(context, &undisturbed, 1, plain);
        check_step(context, &r, 2, plain);
        run_step(context, &undisturbed, 2, plain);
        float *got = tensor_floats(context, r.parameters);
        float *expected = tensor_floats(context, undisturbed.parameters);
        for (size_t i = 0; i < N; i++)
            if (i == 0 || i == 2 || i == 5)
                assert_true(isfinite(got[i]) && got[i] == expected[i]);
        assert_true(isnan(got[1]));
        free(got);
        free(expected);
        free_run(context, r);
        free_run(context, undisturbed);
    }
}

/* ---- by hand ---- */

static void check_by_hand(clgrad_context *context, const clgrad_optimizer *optimizer, size_t count,
                          const float *w, size_t step_count, const float *gradients, const float *expected)
{
    optimizer_run r = make_run(context, optimizer, count, w);
    for (size_t s = 0; s < step_count; s++) {
        run_step(context, &r, s + 1, gradients + s * count);
        float *got = tensor_floats(context, r.parameters);
        for (size_t i = 0; i < count; i++)
            if (!is_close(got[i], expected[s * count + i], 1e-6 * fabs(expected[s * count + i])))
                fail_msg("%s: parameter %zu after step %zu is %.9g, not %.9g",
                         clgrad_optimizer_describe(optimizer->kind)->name, i, s + 1, (double)got[i],
                         (double)expected[s * count + i]);
        free(got);
    }
    free_run(context, r);
}

static void sgd_by_hand(clgrad_context *context)
{
    clgrad_optimizer sgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_SGD);
    sgd.lr = 0.5f;
    check_by_hand(context, &sgd, 2, (float[]){1, -3}, 2, (float[]){2, 4, -1, 0.5f},
                  (float[]){0, -5, 0.5f, -5.25f});
    sgd.maximize = true;
    check_by_hand(context, &sgd, 2, (float[]){1, -3}, 1, (float[]){2, 4}, (float[]){2, -1});
    sgd.maximize = false;
    sgd.momentum = 0.5f;
    /* b = 2, then 0.5 2 + 4 = 5 */
    check_by_hand(context, &sgd, 1, (float[]){8}, 2, (float[]){2, 4}, (float[]){7, 4.5f});
    sgd.nesterov = true;
    /* 2 + 0.5 2 = 3, then 4 + 0.5 5 = 6.5 */
    check_by_hand(context, &sgd, 1, (float[]){8}, 2, (float[]){2, 4}, (float[]){6.5f, 3.25f});
}

/* Where the first gradient alone is known, these divide it by its size, whatever that is. */
static void first_steps_by_hand(clgrad_context *context)
{
    static const clgrad_optimizer_kind kinds[] = {CLGRAD_OPTIMIZER_ADAM, CLGRAD_OPTIMIZER_ADAMW,
                                                  CLGRAD_OPTIMIZER_ADAGRAD, CLGRAD_OPTIMIZER_ADAMAX};
    for (size_t k = 0; k < COUNT(kinds); k++) {
        clgrad_optimizer o = clgrad_optimizer_defaults(kinds[k]);
        o.lr = 0.25f;
        o.weight_decay = 0;
        check_by_hand(context, &o, 3, (float[]){1, 2, 3}, 1, (float[]){0.01f, -7, 1e5f},
                      (float[]){0.75f, 2.25f, 2.75f});
        o.maximize = true;
        check_by_hand(context, &o, 3, (float[]){1, 2, 3}, 1, (float[]){0.01f, -7, 1e5f},
                      (float[]){1.25f, 1.75f, 3.25f});
    }
    clgrad_optimizer adagrad = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADAGRAD);
    adagrad.lr = 1;
    adagrad.initial_accumulator_value = 16;
    adagrad.lr_decay = 1;
    /* 3 / sqrt(16 + 9), then half of 12 / sqrt(25 + 144) */
    check_by_hand(context, &adagrad, 1, (float[]){2}, 2, (float[]){3, 12},
                  (float[]){1.4f, (float)(1.4 - 6 / 13.0)});
}

static void signs_by_hand(clgrad_context *context)
{
    clgrad_optimizer rprop = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_RPROP);
    rprop.lr = 1;
    rprop.etaplus = 2;
    rprop.step_max = 3;
    /* h 1; 2; 3 at most; a new sign: rests at 1.5; no sign before: 1.5; a zero; again no sign before */
    check_by_hand(context, &rprop, 1, (float[]){16}, 7, (float[]){5, 1e-30f, 7, -2, -9, 0, 3},
                  (float[]){15, 13, 10, 10, 11.5f, 11.5f, 10});
    clgrad_optimizer lion = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_LION);
    lion.lr = 0.5f;
    lion.beta1 = 0.5f;
    lion.beta2 = 0.75f;
    /* m 0, 1, 0.5: averages 2, 0.5 - 0.5 = 0, 0.25 - 1 */
    check_by_hand(context, &lion, 1, (float[]){1}, 3, (float[]){4, -1, -2}, (float[]){0.5f, 0.5f, 1});
    lion.weight_decay = 0.5f;
    check_by_hand(context, &lion, 1, (float[]){1}, 1, (float[]){1e-20f}, (float[]){0.25f});
}

static void averages_by_hand(clgrad_context *context)
{
    clgrad_optimizer asgd = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ASGD);
    asgd.lr = 1;
    asgd.lambd = 0;
    asgd.t0 = 0;
    optimizer_run r = make_run(context, &asgd, 1, (float[]){10});
    /* w 9, 8, 7, 6; the average follows w until step 2, then takes half of the way, then a third of it */
    static const float averages[] = {9, 8, 7.5f, 7};
    for (size_t s = 0; s < COUNT(averages); s++) {
        run_step(context, &r, s + 1, (float[]){1});
        float *got = tensor_floats(context, r.state);
        assert_true(is_close(got[0], averages[s], 1e-6));
        free(got);
    }
    free_run(context, r);
    clgrad_optimizer rmsprop = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_RMSPROP);
    rmsprop.lr = 1;
    rmsprop.alpha = 0.75f;
    rmsprop.eps = 0;
    /* v = 9 / 4; 0.75 9 / 4 + 100 / 4 */
    check_by_hand(context, &rmsprop, 1, (float[]){1}, 2, (float[]){3, 10},
                  (float[]){-1, (float)(-1 - 10 / sqrt(26.6875))});
    rmsprop.centered = true;
    /* v - a^2 = 9 / 4 - 9 / 16 */
    check_by_hand(context, &rmsprop, 1, (float[]){1}, 1, (float[]){3},
                  (float[]){(float)(1 - 3 / sqrt(1.6875))});
    clgrad_optimizer adadelta = clgrad_optimizer_defaults(CLGRAD_OPTIMIZER_ADADELTA);
    adadelta.rho = 0.75f;
    adadelta.eps = 0.25f;
    /* sqrt(0.25) / sqrt(0.75 + 0.25) sqrt(3) */
    check_by_hand(context, &adadelta, 1, (float[]){1}, 1, (float[]){1.7320508f},
                  (float[]){(float)(1 - 0.5 * sqrt(3))});
}

int main(void)
{
    const test_case cases[] = {
        CASE(combinations_match_the_reference),
        CASE(extremes_match_the_reference),
        CASE(unusual_options_match_the_reference),
        CASE(sizes_match_the_reference),
        CASE(ragged_numbers_match_the_reference),
        CASE(special_gradients_stay_in_their_parameter),
        CASE(sgd_by_hand),
        CASE(first_steps_by_hand),
        CASE(signs_by_hand),
        CASE(averages_by_hand),
    };
    return run_on_every_device(cases, COUNT(cases));
}
