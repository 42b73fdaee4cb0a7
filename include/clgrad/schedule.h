/**
 * @file schedule.h
 * Learning-rate schedules: plain host functions of a step's number, to be used with
 * clgrad_network_set_optimizer (or the caller's own clgrad_optimizer) before each step or each epoch,
 * whichever the schedule counts in.
 */
#ifndef CLGRAD_SCHEDULE_H
#define CLGRAD_SCHEDULE_H

#include <clgrad/parameter.h>

#include <float.h>

#ifdef __cplusplus
extern "C" {
#endif

/** P(type, field, default, minimum, maximum), one line for each parameter of a row. */
#define CLGRAD_SCHEDULE_NO_PARAMETERS(P)
#define CLGRAD_SCHEDULE_STEP_PARAMETERS(P)      \
    P(INTEGER, step_size, 30.0f, 1.0f, 0x1p24f) \
    P(NUMBER, gamma, 0.1f, 0.0f, FLT_MAX)
#define CLGRAD_SCHEDULE_MULTI_STEP_PARAMETERS(P) \
    P(INTEGER, milestone1, 30.0f, 0.0f, 0x1p24f) \
    P(INTEGER, milestone2, 0.0f, 0.0f, 0x1p24f)  \
    P(INTEGER, milestone3, 0.0f, 0.0f, 0x1p24f)  \
    P(INTEGER, milestone4, 0.0f, 0.0f, 0x1p24f)  \
    P(NUMBER, gamma, 0.1f, 0.0f, FLT_MAX)
#define CLGRAD_SCHEDULE_EXPONENTIAL_PARAMETERS(P) P(NUMBER, gamma, 0.9f, 0.0f, FLT_MAX)
#define CLGRAD_SCHEDULE_LINEAR_PARAMETERS(P)            \
    P(NUMBER, start_factor, 1.0f / 3.0f, FLT_MIN, 1.0f) \
    P(NUMBER, end_factor, 1.0f, 0.0f, 1.0f)             \
    P(INTEGER, total_iters, 5.0f, 1.0f, 0x1p24f)
#define CLGRAD_SCHEDULE_POLYNOMIAL_PARAMETERS(P) \
    P(INTEGER, total_iters, 5.0f, 1.0f, 0x1p24f) \
    P(NUMBER, power, 1.0f, 0.0f, FLT_MAX)
#define CLGRAD_SCHEDULE_COSINE_PARAMETERS(P) \
    P(INTEGER, T_max, 10.0f, 1.0f, 0x1p24f)  \
    P(NUMBER, eta_min, 0.0f, 0.0f, FLT_MAX)
#define CLGRAD_SCHEDULE_RESTARTS_PARAMETERS(P) \
    P(INTEGER, T_0, 10.0f, 1.0f, 0x1p24f)      \
    P(INTEGER, T_mult, 1.0f, 1.0f, 0x1p24f)    \
    P(NUMBER, eta_min, 0.0f, 0.0f, FLT_MAX)
#define CLGRAD_SCHEDULE_ONE_CYCLE_PARAMETERS(P)         \
    P(INTEGER, total_steps, 100.0f, 1.0f, 0x1p24f)      \
    P(NUMBER, pct_start, 0.3f, 0.0f, 1.0f)              \
    P(FLAG, linear_anneal, 0.0f, 0.0f, 1.0f)            \
    P(NUMBER, div_factor, 25.0f, FLT_MIN, FLT_MAX)      \
    P(NUMBER, final_div_factor, 1e4f, FLT_MIN, FLT_MAX) \
    P(FLAG, three_phase, 0.0f, 0.0f, 1.0f)
#define CLGRAD_SCHEDULE_PLATEAU_PARAMETERS(P)     \
    P(FLAG, maximum, 0.0f, 0.0f, 1.0f)            \
    P(NUMBER, factor, 0.1f, 0.0f, 0x1.fffffep-1f) \
    P(INTEGER, patience, 10.0f, 0.0f, 0x1p24f)    \
    P(NUMBER, threshold, 1e-4f, 0.0f, FLT_MAX)    \
    P(FLAG, absolute, 0.0f, 0.0f, 1.0f)           \
    P(INTEGER, cooldown, 0.0f, 0.0f, 0x1p24f)     \
    P(NUMBER, min_lr, 0.0f, 0.0f, FLT_MAX)        \
    P(NUMBER, eps, 1e-8f, 0.0f, FLT_MAX)

/**
 * The list of schedules.
 *
 * X(value, identifier, name, PARAMETERS, formula, source)
 *
 * - formula: the learning rate at step t, counted from 0, of the base rate lr.
 *
 * Values never change; new rows are appended.
 */
#define CLGRAD_SCHEDULE_LIST(X)                                                                              \
    X(0, CONSTANT, constant, CLGRAD_SCHEDULE_NO_PARAMETERS, "lr", "no schedule")                             \
    X(1, STEP, step, CLGRAD_SCHEDULE_STEP_PARAMETERS, "lr gamma^floor(t / step_size)", "PyTorch StepLR")     \
    X(2, MULTI_STEP, multi_step, CLGRAD_SCHEDULE_MULTI_STEP_PARAMETERS,                                      \
      "lr gamma^k, k how many milestones (0 is none) are at most t", "PyTorch MultiStepLR")                  \
    X(3, EXPONENTIAL, exponential, CLGRAD_SCHEDULE_EXPONENTIAL_PARAMETERS, "lr gamma^t",                     \
      "PyTorch ExponentialLR")                                                                               \
    X(4, LINEAR, linear, CLGRAD_SCHEDULE_LINEAR_PARAMETERS,                                                  \
      "lr (start_factor + (end_factor - start_factor) min(t, total_iters) / total_iters): a warm-up",        \
      "PyTorch LinearLR")                                                                                    \
    X(5, POLYNOMIAL, polynomial, CLGRAD_SCHEDULE_POLYNOMIAL_PARAMETERS,                                      \
      "lr (1 - min(t, total_iters) / total_iters)^power", "PyTorch PolynomialLR")                            \
    X(6, COSINE_ANNEALING, cosine_annealing, CLGRAD_SCHEDULE_COSINE_PARAMETERS,                              \
      "eta_min + (lr - eta_min) (1 + cos(pi t / T_max)) / 2: down until T_max, then up again, and so on",    \
      "PyTorch CosineAnnealingLR; Loshchilov and Hutter 2017")                                               \
    X(7, COSINE_ANNEALING_WARM_RESTARTS, cosine_annealing_warm_restarts,                                     \
      CLGRAD_SCHEDULE_RESTARTS_PARAMETERS,                                                                   \
      "eta_min + (lr - eta_min) (1 + cos(pi c / T)) / 2, c steps into a period of T, which is T_0, then "    \
      "T_0 T_mult, then T_0 T_mult^2, and so on",                                                            \
      "PyTorch CosineAnnealingWarmRestarts; Loshchilov and Hutter 2017")                                     \
    X(8, ONE_CYCLE, one_cycle, CLGRAD_SCHEDULE_ONE_CYCLE_PARAMETERS,                                         \
      "from lr / div_factor up to lr at step pct_start total_steps - 1, then (three_phase: down to lr / "    \
      "div_factor at step 2 (pct_start total_steps - 1), then) down to lr / div_factor / "                   \
      "final_div_factor at step total_steps - 1, by cosines (linear_anneal: straight); the momentum is not " \
      "cycled, as PyTorch does unless cycle_momentum=False",                                                 \
      "PyTorch OneCycleLR; Smith and Topin 2018")                                                            \
    X(9, REDUCE_ON_PLATEAU, reduce_on_plateau, CLGRAD_SCHEDULE_PLATEAU_PARAMETERS,                           \
      "max(lr factor, min_lr), if that is less by more than eps, once more than patience metrics in a "      \
      "row were not below best (1 - threshold) (absolute: best - threshold; maximum: above best (1 + "       \
      "threshold) or best + threshold); see clgrad_plateau_step",                                            \
      "PyTorch ReduceLROnPlateau")

/** The schedules: the list's rows. */
typedef enum clgrad_schedule_kind {
#define CLGRAD_SCHEDULE_ENUM(value, identifier, ...) CLGRAD_SCHEDULE_##identifier = value,
    CLGRAD_SCHEDULE_LIST(CLGRAD_SCHEDULE_ENUM)
#undef CLGRAD_SCHEDULE_ENUM
} clgrad_schedule_kind;

/** How many there are. */
enum {
#define CLGRAD_SCHEDULE_ONE(...) +1
    CLGRAD_SCHEDULE_COUNT = 0 CLGRAD_SCHEDULE_LIST(CLGRAD_SCHEDULE_ONE) /**< rows of the list */
#undef CLGRAD_SCHEDULE_ONE
};

/** A schedule and its parameters. Fields that its kind does not list are ignored. */
typedef struct clgrad_schedule {
    clgrad_schedule_kind kind; /**< which row of the list */
    int32_t step_size;         /**< step */
    int32_t milestone1, milestone2, milestone3,
        milestone4;                                /**< multi_step: PyTorch's milestones, in any order */
    int32_t total_iters;                           /**< linear, polynomial */
    int32_t T_max;                                 /**< cosine_annealing: half a period */
    int32_t T_0, T_mult;                           /**< cosine_annealing_warm_restarts */
    int32_t total_steps;                           /**< one_cycle */
    int32_t patience, cooldown;                    /**< reduce_on_plateau */
    float gamma;                                   /**< step, multi_step, exponential */
    float start_factor, end_factor;                /**< linear */
    float power;                                   /**< polynomial */
    float eta_min;                                 /**< the cosines: the smallest rate */
    float pct_start, div_factor, final_div_factor; /**< one_cycle; lr is PyTorch's max_lr */
    float factor, threshold, min_lr, eps;          /**< reduce_on_plateau */
    bool linear_anneal, three_phase;               /**< one_cycle: PyTorch's anneal_strategy "linear" */
    bool maximum, absolute; /**< reduce_on_plateau: PyTorch's mode "max" and threshold_mode "abs" */
    uint64_t reserved[6];   /**< 0; room for later versions (docs/abi.md) */
} clgrad_schedule;

/** What the list says of one schedule. */
typedef struct clgrad_schedule_info {
    const char *name;                   /**< "one_cycle" */
    const clgrad_parameter *parameters; /**< ends with a NULL name */
    const char *formula, *source;       /**< in words */
} clgrad_schedule_info;

/** The list's row for a kind, or NULL for a value not in the list. */
CLGRAD_API const clgrad_schedule_info *clgrad_schedule_describe(clgrad_schedule_kind kind);

/** Find a kind by its name in the list. False, and kind unchanged, when there is none. */
CLGRAD_API bool clgrad_schedule_parse(const char *name, clgrad_schedule_kind *kind);

/** The schedule with every parameter at PyTorch's default; what has none there gets a plain one. */
CLGRAD_API clgrad_schedule clgrad_schedule_defaults(clgrad_schedule_kind kind);

/**
 * The learning rate at step t, counted from 0; the base rate lr itself for reduce_on_plateau. The closed
 * form, in double precision: good to about 1e-15 of the largest rate at any t, where PyTorch goes from step
 * to step and gathers rounding errors.
 *
 * Past total_iters, and past the last step of a one-cycle, where PyTorch refuses to go on, the last rate
 * stays. A one-cycle's phase begins where the one before ended, also where that is before step 0 (pct_start
 * total_steps below 1), so that the rate never quite is lr then. Where it ends at step 0 the cycle begins at
 * lr.
 *
 * @return NaN for NULL, for a kind that there is not, and for a parameter outside its interval (a struct that
 * began as {0}, and not by clgrad_schedule_defaults, has such)
 */
CLGRAD_API double clgrad_schedule_lr(const clgrad_schedule *schedule, double lr, uint64_t t);

/** What reduce_on_plateau remembers from step to step. */
typedef struct clgrad_plateau {
    double lr;         /**< the rate to use now */
    double best;       /**< the best metric so far */
    uint64_t bad;      /**< steps without an improvement, of those that count */
    uint64_t cooldown; /**< steps that will not count, after a reduction */
} clgrad_plateau;

/** Begin at a base rate. Its lr is NaN for a schedule that clgrad_plateau_step refuses. */
CLGRAD_API clgrad_plateau clgrad_plateau_begin(const clgrad_schedule *schedule, double lr);

/**
 * Take note of a metric (an epoch's loss, say) and return the rate to use from now on, which is plateau->lr.
 * A metric of NaN is no improvement. A relative threshold is, as in PyTorch, for metrics above 0: it is a
 * fraction of the best one, and below 0 asks for less than nothing.
 *
 * @return NaN, and plateau unchanged, for NULL, for a schedule other than reduce_on_plateau, and for a
 *         parameter outside its interval
 */
CLGRAD_API double clgrad_plateau_step(const clgrad_schedule *schedule, clgrad_plateau *plateau,
                                      double metric);

#ifdef __cplusplus
}
#endif

#endif
