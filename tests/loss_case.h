/*
 * One loss on one set of numbers, and whether a device gives its exact value and gradients: all at once, each
 * alone, by the short forms, in place, and the same bits again. Built once, for the programs test_loss*.
 */
#ifndef LOSS_CASE_H
#define LOSS_CASE_H

#include "harness.h"

#include "conformance/loss_draw.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The weights of elements, broadcast to the prediction's shape, or of classes. */
typedef clgrad_conf_weight loss_weight;

/* What there is not is NULL. */
typedef struct loss_case {
    const char *label;
    clgrad_loss loss;
    int rank; /* of the prediction */
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
    const float *prediction;
    const float *target, *other;
    const int32_t *classes; /* an integer target */
    size_t room;            /* its columns, for ctc */
    const int32_t *input_lengths, *target_lengths;
    loss_weight weight, pos_weight;
    const float *dvalue; /* NULL for ones */
} loss_case;

/* A number for each of the value's and of each operand's elements; NULL where there is no such gradient. */
typedef struct loss_exact {
    double *value, *dprediction, *dtarget, *dother;
} loss_exact;

void loss_exact_free(loss_exact exact);

const clgrad_loss_info *loss_case_info(const loss_case *c);

/* The case as the conformance cases have it, which know its shapes and what it is divided by. */
clgrad_conf_loss_case loss_case_conformance(const loss_case *c);

/* Elements of the prediction; unreduced losses; numbers that the value has. */
size_t loss_case_count(const loss_case *c);
size_t loss_case_rows(const loss_case *c);
size_t loss_case_values(const loss_case *c);

/* The dimensions that follow the classes, multiplied. */
size_t loss_case_inner(const loss_case *c);

/* The shape of the unreduced value; answers its rank. */
int loss_case_value_shape(const loss_case *c, size_t *shape);

/* Which unreduced loss an element of the prediction belongs to. */
size_t loss_case_row_of(const loss_case *c, size_t element);

/* Whether the case has a gradient by its target, and by other. */
bool loss_case_gives_dtarget(const loss_case *c);
bool loss_case_gives_dother(const loss_case *c);

/* What a weight of elements is for an element; 1 where there is none. */
double loss_weight_at(const loss_case *c, const loss_weight *weight, size_t element);

/* The reference's formulas on the case's numbers, called directly. */
loss_exact loss_case_reference(const loss_case *c);

/*
 * What "Accuracy" in loss.h multiplies the bound by: the sum of the absolute values of each value's and each
 * gradient element's terms (loss_terms.c).
 */
loss_exact loss_case_terms(const loss_case *c);

/* How often the list's bound counts: the focal losses' power may amplify roundings. */
double loss_case_bound(const loss_case *c);

/* The tensors of a call; outputs are filled with NaN. */
typedef struct loss_tensors {
    clgrad_loss_inputs inputs;
    clgrad_tensor dvalue, value;
    clgrad_loss_gradients gradients;
} loss_tensors;

/* loss_check.c */
loss_tensors loss_case_tensors(clgrad_context *context, const loss_case *c);
void loss_tensors_free(clgrad_context *context, loss_tensors t);

/* Hold a device against the exact answers. */
void loss_case_check(clgrad_context *context, const loss_case *c, loss_exact exact);

/* The same against the reference. */
void loss_case_check_reference(clgrad_context *context, const loss_case *c);

/* ---- numbers for a loss, drawn from what its list's row says it takes (loss_draw.c) ---- */

typedef struct loss_numbers {
    float *prediction, *target, *other, *weight, *pos_weight, *dvalue;
    int32_t *classes, *input_lengths, *target_lengths;
} loss_numbers;

typedef enum loss_with {
    LOSS_WITH_CLASSES = CLGRAD_CONF_WITH_CLASSES, /* an integer target where a float32 one would do */
    LOSS_WITH_WEIGHT = CLGRAD_CONF_WITH_WEIGHT,   /* whatever weights the loss takes */
    LOSS_WITH_DVALUE = CLGRAD_CONF_WITH_DVALUE
} loss_with;

/* A prediction's shape. */
typedef struct shaped {
    int rank;
    size_t shape[4];
} shaped;

/* A case of a loss in a shape, with what with says where the loss takes it. */
typedef struct loss_drawn {
    loss_case c;
    loss_numbers numbers;
    char label[256];
} loss_drawn;

loss_drawn *loss_draw(clgrad_loss loss, int rank, const size_t *shape, unsigned with);
void loss_drawn_free(loss_drawn *drawn);

/* Which of the ways above make a difference to a loss. */
unsigned loss_ways(clgrad_loss_kind kind);

/* Whether the loss has this reduction. */
bool loss_reduces_by(clgrad_loss_kind kind, clgrad_reduction reduction);

/*
 * The settings of a loss's parameters to try: its defaults, each parameter alone at each of the values that
 * loss_draw.c names for it, and all of them at their first. False when index is beyond the last.
 */
bool loss_setting(clgrad_loss_kind kind, size_t index, clgrad_loss *loss);

/*
 * Every loss of an extent: at each of its settings in the ordinary shape, and at its defaults and with all
 * parameters set otherwise in the others (loss_sizes.c).
 */
void loss_check_sizes(clgrad_context *context, clgrad_loss_extent extent, shaped ordinary,
                      const shaped *sizes, size_t count);

#endif
