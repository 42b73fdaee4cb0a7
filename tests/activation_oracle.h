/*
 * What an activation should compute: the list's rows with each choice of parameters that there are golden
 * values for, and the error of a device in units in the last place.
 */
#ifndef ACTIVATION_ORACLE_H
#define ACTIVATION_ORACLE_H

#include "harness.h"

#include "reference/reference.h"

struct golden_activation;

typedef struct variant {
    clgrad_activation activation;
    const clgrad_activation_info *info;
    const struct golden_activation *golden; /* its golden values */
    char name[96];                          /* with its parameters, for messages */
} variant;

variant make_variant(clgrad_activation activation);
variant golden_variant(const struct golden_activation *golden);

/* Each entry of the golden values. */
void for_each_variant(clgrad_context *context, void (*check)(clgrad_context *, const variant *));

/* The unit in the last place of a float32 near a number; of the smallest normal number's for those below. */
double ulp(double exact);

/* ulp_distance in units of the larger of the exact value and the floor. */
double floored_distance(float got, double exact, double floor);

/* Every stride-th float32 by its bits: all signs and exponents, denormals, NaN. Freed by the caller. */
float *sweep(uint64_t stride, size_t *count);

/*
 * Forward, and backward with dy = 1, are within the list's bounds of value and derivative; NULL stands for
 * the reference's. The largest errors are added to worst, which may be NULL.
 */
void check_points(clgrad_context *context, const variant *v, const float *x, size_t count,
                  const double *value, const double *derivative, double worst[2]);

#endif
