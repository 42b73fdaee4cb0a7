/*
 * What every call refuses of its tensors, for the families' tests: each tensor in turn absent, of a wrong
 * rank or type, outside its buffer, in another context's, and each output on top of every other tensor.
 */
#ifndef REFUSED_CALLS_H
#define REFUSED_CALLS_H

#include "harness.h"

#define REFUSED_TENSORS 10

typedef struct refused_call {
    clgrad_status (*run)(clgrad_context *context, const clgrad_tensor *tensors);
    const char *names[REFUSED_TENSORS]; /* in run's order; as many as there are tensors */
    const char *optional;               /* names, each with a blank after it: may be absent */
    const char *outputs;                /* likewise */
    const char *in_place;               /* pairs "y=x ": the same place is allowed */
} refused_call;

/* The tensors are those of a call that would succeed; nothing of them may change. */
void assert_bad_tensors_refused(clgrad_context *context, const refused_call *call,
                                const clgrad_tensor *tensors);

/* Tensor which of the call, changed to this, is refused with the status and the part, and nothing changes. */
void assert_change_refused(clgrad_context *context, const refused_call *call, const clgrad_tensor *tensors,
                           const char *which, clgrad_tensor change, clgrad_status status, const char *part);

/* The same tensor with another shape, which its buffer need not have room for. */
clgrad_tensor reshaped(clgrad_tensor tensor, int rank, const size_t *shape);

#endif
