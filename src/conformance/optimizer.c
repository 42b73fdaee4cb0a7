/*
 * Optimizers: each step of the device beside one of the reference from the same numbers, with one set of
 * options and with groups.
 */
#include "optimizer.h"

#include "conformance.h"

#include <math.h>
#include <stdio.h>

typedef struct setting {
    clgrad_optimizer groups[2];
    size_t group_count; /* 1: the plain step */
    size_t steps;       /* how many of the steps below */
} setting;

/* Beginning, and far on; 2^32 + 1 has the same lower half as 1. */
static const uint64_t steps[] = {1, 2, 3, 1000, 0x100000001};

/* Arrays on both sides, and what the step begins with. */
typedef struct work {
    const setting *s;
    size_t count, slots;
    clgrad_conf_pair parameters, gradient, state, ranges;
    double *old, *old_state, *g; /* as doubles */
} work;

/* Which group a parameter is in: a third in the first, a sixth in none, the rest in the second. */
static int group_of(const work *w, size_t i)
{
    if (w->s->group_count == 1 || i < w->count / 3)
        return 0;
    return i < w->count / 2 ? -1 : 1;
}

static clgrad_conf_pair make_ranges(clgrad_conf_run *run, const work *w)
{
    const size_t shape[] = {3, 2};
    int32_t *ranges = clgrad_conf_memory(run, 6, sizeof *ranges);
    if (ranges == NULL)
        return clgrad_conf_none();
    const int32_t rows[] = {(int32_t)(w->count / 3), 0, (int32_t)(w->count / 2), -1, (int32_t)w->count, 1};
    for (int i = 0; i < 6; i++)
        ranges[i] = rows[i];
    return clgrad_conf_integers(run, "ranges", 2, shape, ranges);
}

static work begin(clgrad_conf_run *run, const setting *s, const size_t *shape)
{
    work w = {.s = s, .count = shape[0]};
    for (size_t g = 0; g < s->group_count; g++) {
        const size_t slots = clgrad_optimizer_slots(&s->groups[g]);
        w.slots = slots > w.slots ? slots : w.slots;
    }
    float *numbers = clgrad_conf_floats(run, w.count);
    w.old = clgrad_conf_doubles(run, w.count);
    w.old_state = clgrad_conf_doubles(run, w.slots * w.count);
    w.g = clgrad_conf_doubles(run, w.count);
    if (run->status != CLGRAD_STATUS_SUCCESS)
        return w;
    clgrad_conf_normal(numbers, w.count, 1, 1);
    w.parameters = clgrad_conf_input(run, "parameters", 1, shape, numbers);
    w.gradient = clgrad_conf_input(run, "gradient", 1, shape, clgrad_conf_floats(run, w.count));
    if (w.slots > 0)
        w.state = clgrad_conf_output(run, 2, (size_t[]){w.slots, w.count});
    if (s->group_count > 1)
        w.ranges = make_ranges(run, &w);
    return w;
}

static clgrad_status step_on(clgrad_conf_run *run, const work *w, uint64_t step, int side)
{
    if (w->s->group_count == 1)
        return clgrad_optimizer_step(run->context[side], w->s->groups, step, w->gradient.at[side],
                                     w->parameters.at[side], w->state.at[side]);
    return clgrad_optimizer_step_groups(run->context[side], w->s->groups, w->s->group_count,
                                        w->ranges.at[side], step, w->gradient.at[side],
                                        w->parameters.at[side], w->state.at[side]);
}

/* ---- units ---- */

static float *magnitudes(clgrad_conf_run *run, const double *numbers, size_t count)
{
    float *sizes = clgrad_conf_floats(run, count);
    for (size_t i = 0; sizes != NULL && i < count; i++)
        sizes[i] = (float)fabs(numbers[i]);
    return sizes;
}

/* The reference's step of a parameter 0, with the absolute values of all that enters, adds the terms up. */
static void average_terms(clgrad_conf_run *run, const work *w, const clgrad_optimizer *o, uint64_t step,
                          double *terms, double *state_terms)
{
    const int ref = CLGRAD_CONF_REFERENCE;
    const size_t n = w->count, slots = clgrad_optimizer_slots(o);
    const bool decoupled = clgrad_conf_is_decoupled(o);
    clgrad_optimizer positive = *o;
    positive.weight_decay = 0;
    positive.maximize = false;
    double *g = clgrad_conf_doubles(run, n);
    for (size_t i = 0; g != NULL && i < n; i++)
        g[i] = decoupled ? w->g[i] : clgrad_conf_descent(o, w->g[i], w->old[i]);
    if (g == NULL)
        return;
    const clgrad_conf_pair gradient = clgrad_conf_input(run, NULL, 1, &n, magnitudes(run, g, n));
    const clgrad_conf_pair zeros = clgrad_conf_input(run, NULL, 1, &n, clgrad_conf_floats(run, n));
    const clgrad_conf_pair state = slots == 0 ? clgrad_conf_none()
                                              : clgrad_conf_input(run, NULL, 2, (size_t[]){slots, n},
                                                                  magnitudes(run, w->old_state, slots * n));
    if (clgrad_conf_over(run) || clgrad_optimizer_step(run->context[ref], &positive, step, gradient.at[ref],
                                                       zeros.at[ref], state.at[ref]) != CLGRAD_STATUS_SUCCESS)
        return;
    const float *update = clgrad_conf_read(run, ref, zeros), *averages = clgrad_conf_read(run, ref, state);
    for (size_t i = 0; update != NULL && i < n; i++)
        terms[i] = fabs(w->old[i]) + fabs((double)update[i]) +
                   (decoupled ? (double)o->lr * (double)o->weight_decay * fabs(w->old[i]) : 0);
    for (size_t i = 0; averages != NULL && i < slots * n; i++)
        state_terms[i] = fabs((double)averages[i]);
}

/* By the options of each parameter's group; 0 for what stays as it is. */
static void units_of(clgrad_conf_run *run, const work *w, uint64_t step, double *unit, double *state_unit)
{
    const size_t n = w->count;
    for (size_t g = 0; g < w->s->group_count; g++) {
        const clgrad_optimizer *o = &w->s->groups[g];
        const size_t slots = clgrad_optimizer_slots(o);
        double *terms = clgrad_conf_doubles(run, n), *state_terms = clgrad_conf_doubles(run, slots * n);
        if (terms == NULL || state_terms == NULL)
            return;
        if (!clgrad_conf_optimizer_terms(o, step, n, w->g, w->old, w->old_state, terms, state_terms))
            average_terms(run, w, o, step, terms, state_terms);
        for (size_t i = 0; i < n; i++) {
            if (group_of(w, i) != (int)g)
                continue;
            unit[i] = CLGRAD_CONF_U * terms[i];
            for (size_t k = 0; k < slots; k++)
                state_unit[k * n + i] = CLGRAD_CONF_U * state_terms[k * n + i];
        }
    }
}

/* ---- cases ---- */

/* What the device holds, in doubles, and as floats on the reference too: both begin a step alike. */
static const float *hand_over(clgrad_conf_run *run, clgrad_conf_pair pair, double *wide)
{
    const float *numbers = clgrad_conf_read(run, CLGRAD_CONF_DEVICE, pair);
    if (numbers == NULL)
        return NULL;
    for (size_t i = 0; i < clgrad_tensor_count(pair.at[CLGRAD_CONF_DEVICE]); i++)
        wide[i] = numbers[i];
    clgrad_conf_write(run, CLGRAD_CONF_REFERENCE, pair, numbers);
    return numbers;
}

static void write_gradient(clgrad_conf_run *run, work *w, uint64_t step)
{
    float *numbers = clgrad_conf_floats(run, w->count);
    if (numbers == NULL)
        return;
    clgrad_conf_normal(numbers, w->count, 100 + step, 2);
    for (size_t i = 0; i < w->count; i++) {
        numbers[i] = i % 5 == 2 ? 0 : numbers[i];
        w->g[i] = numbers[i];
    }
    for (int side = 0; side < CLGRAD_CONF_SIDES; side++)
        clgrad_conf_write(run, side, w->gradient, numbers);
    run->operands[1].numbers = numbers; /* the gradient's, for the report */
}

static void check(clgrad_conf_run *run, const void *of_case, const size_t *shape)
{
    work w = begin(run, of_case, shape);
    char parameters[48], state[48];
    for (size_t k = 0; k < w.s->steps && !clgrad_conf_over(run); k++) {
        const uint64_t step = steps[k];
        double *unit = clgrad_conf_doubles(run, w.count);
        double *state_unit = clgrad_conf_doubles(run, w.slots * w.count);
        run->operands[0].numbers = hand_over(run, w.parameters, w.old);
        hand_over(run, w.state, w.old_state);
        write_gradient(run, &w, step);
        CLGRAD_CONF_CALL(run, step_on(run, &w, step, side));
        if (clgrad_conf_over(run))
            return;
        units_of(run, &w, step, unit, state_unit);
        snprintf(parameters, sizeof parameters, "parameters, step %llu", (unsigned long long)step);
        snprintf(state, sizeof state, "state, step %llu", (unsigned long long)step);
        clgrad_conf_compare(run, parameters, w.parameters, unit, clgrad_conf_lost(run, 1));
        clgrad_conf_compare(run, state, w.state, state_unit, clgrad_conf_lost(run, 1));
    }
}

/* All parameters off their defaults, as far as the constraints allow: the second group's options. */
static clgrad_optimizer other(const clgrad_conf_run *run, clgrad_optimizer_kind kind)
{
    const clgrad_parameter *parameters = clgrad_optimizer_describe(kind)->parameters;
    clgrad_optimizer last = clgrad_optimizer_defaults(kind), next = last;
    for (size_t k = 0; clgrad_conf_setting(run, parameters, k, &next); k++) {
        last = next;
        next = clgrad_optimizer_defaults(kind);
        if (k > 0)
            break;
    }
    return last;
}

static void run_optimizer(clgrad_conf_run *run, clgrad_optimizer_kind kind)
{
    static const clgrad_conf_shape one_size = {129};
    const clgrad_parameter *parameters = clgrad_optimizer_describe(kind)->parameters;
    setting s = {.groups = {clgrad_optimizer_defaults(kind)}, .group_count = 1};
    for (size_t k = 0; clgrad_conf_setting(run, parameters, k, &s.groups[0]); k++) {
        char words[320];
        s.steps = k == 0 ? 2 : CLGRAD_CONF_COUNT(steps);
        clgrad_conf_words(parameters, &s.groups[0], "", words, sizeof words);
        const clgrad_conf_case each = {check, &s, words, "n"};
        if (k == 0)
            clgrad_conf_lengths(run, &each);
        s.steps = CLGRAD_CONF_COUNT(steps);
        clgrad_conf_once(run, &each, one_size);
        s.groups[0] = clgrad_optimizer_defaults(kind);
    }
    /* a maximising sgd with everything on needs its constraint met: nesterov beside momentum */
    if (kind == CLGRAD_OPTIMIZER_SGD) {
        s.groups[0].momentum = 0.75f;
        s.groups[0].nesterov = true;
        clgrad_conf_once(run, &(clgrad_conf_case){check, &s, "momentum=0.75 nesterov=1", "n"}, one_size);
    }
}

static void run_groups(clgrad_conf_run *run, clgrad_optimizer_kind kind)
{
    static const clgrad_conf_shape shapes[] = {{0}, {1}, {2}, {7}, {65}, {257}, {1000}, {70001}};
    const setting s = {{clgrad_optimizer_defaults(kind), other(run, kind)}, 2, 3};
    char words[384];
    clgrad_conf_words(clgrad_optimizer_describe(kind)->parameters, &s.groups[1],
                      "in the second group, the defaults in the first", words, sizeof words);
    clgrad_conf_sizes(run, &(clgrad_conf_case){check, &s, words, "n"}, shapes, CLGRAD_CONF_COUNT(shapes));
}

void clgrad_conf_optimizer(clgrad_conf_run *run)
{
    for (int k = 0; k < CLGRAD_OPTIMIZER_COUNT; k++) {
        const clgrad_optimizer_kind kind = (clgrad_optimizer_kind)k;
        const clgrad_optimizer_info *info = clgrad_optimizer_describe(kind);
        if (clgrad_conf_begin(run, "optimizer", info->name, NULL, "u", info->bound)) {
            run_optimizer(run, kind);
            clgrad_conf_end(run);
        }
        if (clgrad_conf_begin(run, "optimizer", info->name, "groups", "u", info->bound)) {
            run_groups(run, kind);
            clgrad_conf_end(run);
        }
    }
}
