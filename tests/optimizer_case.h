/*
 * What the tests of optimizers share: values to try for each parameter, steps of a device beside steps of the
 * reference, and how far apart they may come out.
 */
#ifndef OPTIMIZER_CASE_H
#define OPTIMIZER_CASE_H

#include "harness.h"

/* Whether the constraints between parameters hold: what the library must find out too. */
bool optimizer_is_allowed(const clgrad_optimizer *optimizer);

/* A value off the default for a parameter of the list; a name that has none fails the test. */
float optimizer_other_value(const clgrad_parameter *parameter);

/* Every parameter off its default. */
clgrad_optimizer optimizer_all_other(clgrad_optimizer_kind kind);

/*
 * Call check for each combination of flags, with each number in turn off its default, with none, and with
 * all. Those that a constraint forbids are among them.
 */
void for_each_combination(clgrad_context *context, clgrad_optimizer_kind kind,
                          void (*check)(clgrad_context *, const clgrad_optimizer *));

/*
 * The sums of the absolute values of what is added to make the new parameters and the new state; the
 * arguments as of clgrad_ref_optimizer_step, and nothing of them changes. At step 1 the state is ignored.
 */
void optimizer_terms(const clgrad_optimizer *optimizer, uint64_t step, size_t count, const double *gradient,
                     const double *parameters, const double *state, double *parameter_terms,
                     double *state_terms);

/* Arrays of one optimizer on a device. The state is NaN before step 1. */
typedef struct optimizer_run {
    clgrad_optimizer optimizer;
    size_t count, slots;
    clgrad_tensor parameters, gradient, state;
    double underflow; /* what a result below the smallest normal number may be off by */
} optimizer_run;

/* parameters NULL: normal numbers. */
optimizer_run make_run(clgrad_context *context, const clgrad_optimizer *optimizer, size_t count,
                       const float *parameters);
void free_run(clgrad_context *context, optimizer_run run);

/* One step on the device. */
void run_step(clgrad_context *context, const optimizer_run *run, uint64_t step, const float *gradient);

/* The same, held against the reference's step from the same float32 numbers. */
void check_step(clgrad_context *context, const optimizer_run *run, uint64_t step, const float *gradient);

/* A check_step with normal numbers for a gradient. */
void check_normal_step(clgrad_context *context, const optimizer_run *run, uint64_t step);

/* A tensor's numbers as doubles, freed by the caller; NULL for an absent tensor. */
double *tensor_doubles(clgrad_context *context, clgrad_tensor tensor);

#endif
