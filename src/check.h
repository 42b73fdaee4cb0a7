/*
 * Argument checks for the families. A call names its tensors in a row, checks them all, and only then hands
 * them on:
 *
 *     clgrad_check check = clgrad_check_begin(context, "dense_forward");
 *     clgrad_check_tensor(&check, "x", x, CLGRAD_TYPE_FLOAT32, 2);
 *     clgrad_check_shape(&check, "weight", weight, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){out, in});
 *     clgrad_check_apart(&check, "z", z, "x", x);
 *     if (check.status != CLGRAD_STATUS_SUCCESS) return check.status;
 *
 * Once a check has failed the following ones do nothing, so that the first fault is the one reported.
 */
#ifndef CLGRAD_CHECK_H
#define CLGRAD_CHECK_H

#include "internal.h"

#define CLGRAD_ANY_RANK (-1)

typedef struct clgrad_check {
    clgrad_context *context;
    const char *call; /* for the sentences */
    clgrad_status status;
} clgrad_check;

clgrad_check clgrad_check_begin(clgrad_context *context, const char *call);

/* Fail the check (if nothing has failed yet) with a sentence, which the call's name precedes. */
void clgrad_check_fail(clgrad_check *check, clgrad_status status, const char *format, ...)
    CLGRAD_PRINTF(3, 4);

/* Refuse a NULL pointer. */
void clgrad_check_pointer(clgrad_check *check, const char *name, const void *pointer);

/* A tensor that must be there: this context's, inside its buffer, of a type and rank (or any). */
void clgrad_check_tensor(clgrad_check *check, const char *name, clgrad_tensor tensor, clgrad_type type,
                         int rank);

/* The same of any type that there is. */
void clgrad_check_tensor_any_type(clgrad_check *check, const char *name, clgrad_tensor tensor);

/* "[2, 3]", for the sentences. */
typedef struct clgrad_shape_text {
    char text[24 * CLGRAD_TENSOR_MAX_RANK];
} clgrad_shape_text;
clgrad_shape_text clgrad_write_shape(int rank, const size_t *shape);

/* Whether a tensor (checked as above) has exactly this shape. */
bool clgrad_has_shape(clgrad_tensor tensor, int rank, const size_t *shape);

/* A tensor (checked as above) of exactly this shape. */
void clgrad_check_shape(clgrad_check *check, const char *name, clgrad_tensor tensor, clgrad_type type,
                        int rank, const size_t *shape);

/* A tensor (checked before) of a rank in an interval; dimensions is the shape in words, for the sentence. */
void clgrad_check_rank(clgrad_check *check, const char *name, clgrad_tensor tensor, int minimum, int maximum,
                       const char *dimensions);

/* A float32 tensor that stretches to another's shape: its last dimension goes with the other's last, and so
 * on, and each is equal or 1. */
void clgrad_check_broadcast(clgrad_check *check, const char *name, clgrad_tensor tensor,
                            const char *other_name, clgrad_tensor other);

/* Two tensors (checked before) of one shape. */
void clgrad_check_same_shape(clgrad_check *check, const char *name, clgrad_tensor tensor,
                             const char *other_name, clgrad_tensor other);

/* A float32 tensor of another's shape. */
void clgrad_check_like(clgrad_check *check, const char *name, clgrad_tensor tensor, const char *other_name,
                       clgrad_tensor other);

/* Two tensors that share no byte. Absent ones never do. */
void clgrad_check_apart(clgrad_check *check, const char *name, clgrad_tensor tensor, const char *other_name,
                        clgrad_tensor other);

/* Two tensors that share no byte or are the same. */
void clgrad_check_apart_or_same(clgrad_check *check, const char *name, clgrad_tensor tensor,
                                const char *other_name, clgrad_tensor other);

/* No output shares a byte with an input or with another output. */
typedef struct clgrad_named_tensor {
    const char *name;
    clgrad_tensor tensor;
} clgrad_named_tensor;

void clgrad_check_all_apart(clgrad_check *check, const clgrad_named_tensor *outputs, size_t output_count,
                            const clgrad_named_tensor *inputs, size_t input_count);

/* A float32 tensor of one element: rank 0, or shape [1]. */
void clgrad_check_scalar(clgrad_check *check, const char *name, clgrad_tensor tensor);

/* What a sentence adds about a field that is refused for its 0: the call to start from. For a struct that
 * began as {0} that is the fault, whatever its fields are called. */
#define CLGRAD_START_FROM(call) "; start from " call ", a struct of zeros lacks the defaults"

/* A descriptor's parameters, each inside its interval; owner is named in the sentence, and start, a
 * CLGRAD_START_FROM, where the parameter is 0. */
void clgrad_check_parameters(clgrad_check *check, const char *owner, const clgrad_parameter *parameters,
                             const void *descriptor, const char *start);

/* Fail since a descriptor's parameters are against its list's constraint; the sentence has them all, and
 * start where all are 0. */
void clgrad_check_fail_constraint(clgrad_check *check, const char *owner, const char *constraint,
                                  const clgrad_parameter *parameters, const void *descriptor,
                                  const char *start);

/* A whole descriptor: not NULL, of a kind that there is, its parameters inside their intervals. */
void clgrad_activation_check(clgrad_check *check, const clgrad_activation *activation);
void clgrad_loss_check(clgrad_check *check, const clgrad_loss *loss);
void clgrad_optimizer_check(clgrad_check *check, const clgrad_optimizer *optimizer);
void clgrad_optimizer_check_groups(clgrad_check *check, const clgrad_optimizer *groups, size_t group_count);
void clgrad_layer_check(clgrad_check *check, const clgrad_layer *layer);

/* The inputs of a loss that has been checked, but for the prediction, of which only the shape counts here. */
void clgrad_loss_check_inputs(clgrad_check *check, const clgrad_loss *loss, const clgrad_loss_inputs *inputs);

/* Whether two tensors cover the same bytes. */
bool clgrad_same_place(clgrad_tensor a, clgrad_tensor b);

#endif
