#include "internal.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* ---- the schedules, each from the documentation of the PyTorch class that its row names ---- */

/* lr gamma^times. A rate of 0 stays 0 where the power overflows. */
static double decay(double lr, double gamma, double times)
{
    return lr == 0 ? 0 : lr * pow(gamma, times);
}

/* From one rate to another along half a period of the cosine, as fraction goes from 0 to 1. */
static double cosine(double from, double to, double fraction)
{
    return to + (from - to) * (1 + cos(pi * fraction)) / 2;
}

/* The step, or the last one at which something still changes. */
static double at_most(uint64_t t, int32_t last)
{
    return t < (uint64_t)last ? (double)t : last;
}

static double schedule_constant(const clgrad_schedule *s, double lr, uint64_t t)
{
    (void)s, (void)t;
    return lr;
}

static double schedule_step(const clgrad_schedule *s, double lr, uint64_t t)
{
    const uint64_t decays = t / (uint64_t)s->step_size;
    return decay(lr, s->gamma, (double)decays);
}

static double schedule_multi_step(const clgrad_schedule *s, double lr, uint64_t t)
{
    const int32_t milestones[] = {s->milestone1, s->milestone2, s->milestone3, s->milestone4};
    int passed = 0;
    for (size_t i = 0; i < sizeof milestones / sizeof milestones[0]; i++)
        passed += milestones[i] != 0 && (uint64_t)milestones[i] <= t;
    return decay(lr, s->gamma, passed);
}

static double schedule_exponential(const clgrad_schedule *s, double lr, uint64_t t)
{
    return decay(lr, s->gamma, (double)t);
}

static double schedule_linear(const clgrad_schedule *s, double lr, uint64_t t)
{
    const double start = s->start_factor, end = s->end_factor;
    return lr * (start + (end - start) * at_most(t, s->total_iters) / s->total_iters);
}

static double schedule_polynomial(const clgrad_schedule *s, double lr, uint64_t t)
{
    return lr * pow((s->total_iters - at_most(t, s->total_iters)) / s->total_iters, s->power);
}

static double schedule_cosine_annealing(const clgrad_schedule *s, double lr, uint64_t t)
{
    /* Whole periods are taken off in integers: pi t of a far step has lost its fraction. */
    const uint64_t period = 2 * (uint64_t)s->T_max;
    return cosine(lr, s->eta_min, (double)(t % period) / s->T_max);
}

static double schedule_cosine_annealing_warm_restarts(const clgrad_schedule *s, double lr, uint64_t t)
{
    if (s->T_mult == 1)
        return cosine(lr, s->eta_min, (double)(t % (uint64_t)s->T_0) / s->T_0);
    /* Exact up to 2^53: a period that had to be rounded is longer than all that is left of t. */
    double left = (double)t, period = s->T_0;
    while (left >= period) {
        left -= period;
        period *= s->T_mult;
    }
    return cosine(lr, s->eta_min, left / period);
}

/* A rate that a one-cycle reaches, and when. */
typedef struct corner {
    double step, rate;
} corner;

static double schedule_one_cycle(const clgrad_schedule *s, double lr, uint64_t t)
{
    const double low = lr / s->div_factor, rise = (double)s->pct_start * s->total_steps - 1;
    const corner start = {0, low}, top = {rise, lr}, middle = {2 * rise, low},
                 end = {s->total_steps - 1.0, low / s->final_div_factor};
    const corner corners[] = {start, top, s->three_phase ? middle : end, end};
    const size_t last = s->three_phase ? 3 : 2;

    /* The leg that t is in. As in PyTorch it begins where the one before ends, even if that is before 0. */
    const double step = at_most(t, s->total_steps - 1);
    size_t i = 1;
    while (i < last && step > corners[i].step)
        i++;
    const corner from = corners[i - 1], to = corners[i];
    const double fraction = to.step > from.step ? (step - from.step) / (to.step - from.step) : 1;
    return s->linear_anneal ? from.rate + (to.rate - from.rate) * fraction
                            : cosine(from.rate, to.rate, fraction);
}

static double schedule_reduce_on_plateau(const clgrad_schedule *s, double lr, uint64_t t)
{
    (void)s, (void)t;
    return lr; /* what becomes of it is a matter of the metrics, see clgrad_plateau_step */
}

/* ---- the list ---- */

#define PARAMETER(...) CLGRAD_PARAMETER_ENTRY(clgrad_schedule, __VA_ARGS__)
CLGRAD_SCHEDULE_LIST(CLGRAD_PARAMETER_ARRAY)
#undef PARAMETER

static const clgrad_schedule_info infos[] = {
#define ROW(value, identifier, name, PARAMETERS, formula, source) \
    [value] = {#name, name##_parameters, formula, source},
    CLGRAD_SCHEDULE_LIST(ROW)
#undef ROW
};

static double (*const functions[])(const clgrad_schedule *, double lr, uint64_t t) = {
#define ROW(value, identifier, name, ...) [value] = schedule_##name,
    CLGRAD_SCHEDULE_LIST(ROW)
#undef ROW
};

const clgrad_schedule_info *clgrad_schedule_describe(clgrad_schedule_kind kind)
{
    return (size_t)kind < CLGRAD_SCHEDULE_COUNT ? &infos[kind] : NULL;
}

bool clgrad_schedule_parse(const char *name, clgrad_schedule_kind *kind)
{
    ptrdiff_t row = clgrad_find_name(name, infos, CLGRAD_SCHEDULE_COUNT, sizeof infos[0]);
    if (row >= 0)
        *kind = (clgrad_schedule_kind)row;
    return row >= 0;
}

clgrad_schedule clgrad_schedule_defaults(clgrad_schedule_kind kind)
{
    clgrad_schedule schedule = {.kind = kind};
    if (clgrad_schedule_describe(kind) != NULL)
        clgrad_parameters_default(infos[kind].parameters, &schedule);
    return schedule;
}

/* Not NULL, of a kind that there is, its parameters inside their intervals. */
static bool is_usable(const clgrad_schedule *schedule)
{
    if (schedule == NULL || clgrad_schedule_describe(schedule->kind) == NULL)
        return false;
    for (const clgrad_parameter *p = infos[schedule->kind].parameters; p->name != NULL; p++)
        if (!clgrad_parameter_is_inside(p, schedule))
            return false;
    return true;
}

double clgrad_schedule_lr(const clgrad_schedule *schedule, double lr, uint64_t t)
{
    return is_usable(schedule) ? functions[schedule->kind](schedule, lr, t) : NAN;
}

/* ---- reduce_on_plateau ---- */

static bool is_plateau(const clgrad_schedule *schedule)
{
    return is_usable(schedule) && schedule->kind == CLGRAD_SCHEDULE_REDUCE_ON_PLATEAU;
}

clgrad_plateau clgrad_plateau_begin(const clgrad_schedule *schedule, double lr)
{
    if (!is_plateau(schedule))
        return (clgrad_plateau){.lr = NAN, .best = NAN};
    return (clgrad_plateau){.lr = lr, .best = schedule->maximum ? -INFINITY : INFINITY};
}

/* Whether a metric beats the best one by the threshold. */
static bool is_better(const clgrad_schedule *s, double metric, double best)
{
    const double threshold = s->threshold;
    if (s->maximum)
        return metric > (s->absolute ? best + threshold : best * (1 + threshold));
    return metric < (s->absolute ? best - threshold : best * (1 - threshold));
}

static double reduced(const clgrad_schedule *s, double lr)
{
    const double lower = fmax(lr * s->factor, s->min_lr);
    return lr - lower > s->eps ? lower : lr;
}

double clgrad_plateau_step(const clgrad_schedule *schedule, clgrad_plateau *plateau, double metric)
{
    if (!is_plateau(schedule) || plateau == NULL)
        return NAN;
    plateau->bad++;
    if (is_better(schedule, metric, plateau->best)) {
        plateau->best = metric;
        plateau->bad = 0;
    }
    if (plateau->cooldown > 0) {
        plateau->cooldown--;
        plateau->bad = 0;
    }
    if (plateau->bad > (uint64_t)schedule->patience) {
        plateau->lr = reduced(schedule, plateau->lr);
        plateau->cooldown = (uint64_t)schedule->cooldown;
        plateau->bad = 0;
    }
    return plateau->lr;
}
