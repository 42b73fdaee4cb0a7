#include "train_schedule.h"

#include <math.h>

/* A length that was not given is the whole training's; true unless it is beyond what a parameter holds. */
static bool settle_length(int32_t *length, double whole)
{
    const double most = 0x1p24; /* clgrad_parameter: integers are floats too */
    if (*length == 0 && whole <= most)
        *length = (int32_t)whole;
    return *length != 0;
}

bool train_pace_begin(const train_options *options, size_t steps, train_pace *pace, clgrad_message *message)
{
    const double epochs = (double)(options->epochs - options->warmup), step_count = (double)steps;
    int32_t warmup_steps = 0;
    *pace = (train_pace){.lr = (double)options->optimizer.lr,
                         .warmup = clgrad_schedule_defaults(CLGRAD_SCHEDULE_LINEAR),
                         .warmup_epochs = options->warmup,
                         .schedule = options->schedule,
                         .steps = steps};
    bool counts =
        settle_length(&pace->schedule.total_iters, epochs) && settle_length(&pace->schedule.T_max, epochs);
    if (options->schedule.kind == CLGRAD_SCHEDULE_ONE_CYCLE)
        counts = counts && settle_length(&pace->schedule.total_steps, epochs * step_count);
    if (options->warmup > 0)
        counts = counts && settle_length(&warmup_steps, (double)options->warmup * step_count);
    if (!counts) {
        snprintf(message->text, sizeof message->text,
                 "%zu epochs of %zu steps are more than a schedule can count, which is %.0f", options->epochs,
                 steps, 0x1p24);
        return false;
    }
    if (options->warmup > 0) {
        pace->warmup.start_factor = (float)(1.0 / warmup_steps);
        pace->warmup.total_iters = warmup_steps > 1 ? warmup_steps - 1 : 1; /* the last one has all of lr */
    }
    pace->plateau = clgrad_plateau_begin(&pace->schedule, pace->lr);
    return true;
}

double train_pace_lr(const train_pace *pace, size_t epoch, size_t step)
{
    if (epoch < pace->warmup_epochs)
        return clgrad_schedule_lr(&pace->warmup, pace->lr, (uint64_t)epoch * pace->steps + step);
    if (pace->schedule.kind == CLGRAD_SCHEDULE_REDUCE_ON_PLATEAU)
        return pace->plateau.lr;
    epoch -= pace->warmup_epochs;
    const bool by_step = pace->schedule.kind == CLGRAD_SCHEDULE_ONE_CYCLE;
    return clgrad_schedule_lr(&pace->schedule, pace->lr,
                              by_step ? (uint64_t)epoch * pace->steps + step : epoch);
}

void train_pace_epoch(train_pace *pace, size_t epoch, double loss)
{
    if (pace->schedule.kind == CLGRAD_SCHEDULE_REDUCE_ON_PLATEAU && epoch >= pace->warmup_epochs)
        clgrad_plateau_step(&pace->schedule, &pace->plateau, loss);
}
