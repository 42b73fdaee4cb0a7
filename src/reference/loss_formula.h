/*
 * What the reference's loss formulas share: the operands of one element or one row, and the functions that
 * each row of CLGRAD_LOSS_LIST must have. A function computes the unreduced loss and its derivatives;
 * loss.c calls it, reduces, and sees to NaN, ignored rows and indices out of range, so that the formulas
 * need not.
 */
#ifndef CLGRAD_REFERENCE_LOSS_FORMULA_H
#define CLGRAD_REFERENCE_LOSS_FORMULA_H

#include "reference.h"

#include <math.h>

/* The prediction, the target, the other and the weights of one element, none of them NaN. */
typedef struct loss_element {
    const clgrad_loss *loss;
    double p, t, o;
    double w, pos_weight; /* 1 where there are none */
} loss_element;

typedef struct loss_element_result {
    double value, dprediction, dtarget, dother;
} loss_element_result;

/*
 * The operands of one row of classes (of the whole tensor, for l2; of one sequence, for ctc). Class i of p,
 * t, o, dp, dt and dother is at [i * stride]. Pointers to what there is not, or what is not wanted, are NULL.
 * There is no NaN in p, t and o, but for nll and ctc.
 */
typedef struct loss_row {
    const clgrad_loss *loss;
    const clgrad_ref_loss_arrays *arrays;
    size_t index;           /* of the row */
    size_t classes, stride; /* for ctc the stride is from one time step to the next, classes are adjacent */
    const double *p, *t, *o;
    const double *w;  /* [classes], of the classes */
    const int32_t *y; /* the row's class index, or the first of them */
    double *dp, *dt, *dother;
} loss_row;

/* clgrad_ref_loss_NAME for each row of the list; a row's answers its value. */
#define CLGRAD_REF_LOSS_ELEMENT(name) loss_element_result clgrad_ref_loss_##name(loss_element e);
#define CLGRAD_REF_LOSS_ROW(name) double clgrad_ref_loss_##name(const loss_row *r);
#define CLGRAD_REF_LOSS_WHOLE(name) CLGRAD_REF_LOSS_ROW(name)
#define CLGRAD_REF_LOSS_CHANNEL(name) CLGRAD_REF_LOSS_ROW(name)
#define CLGRAD_REF_LOSS_SEQUENCE(name) CLGRAD_REF_LOSS_ROW(name)
#define CLGRAD_REF_LOSS_DECLARE(value, identifier, name, parameters, extent, ...) \
    CLGRAD_REF_LOSS_##extent(name)
CLGRAD_LOSS_LIST(CLGRAD_REF_LOSS_DECLARE)

/* A term with the weight 0 counts for nothing, even where it is infinite (log 0 in a cross entropy). */
static inline double loss_weighted(double weight, double term)
{
    return weight == 0 ? 0 : weight * term;
}

/* max(0, x) and its derivative, 0 at the kink as in PyTorch; NaN stays NaN. */
static inline double loss_positive_part(double x)
{
    return x <= 0 ? 0 : x;
}

static inline double loss_positive_slope(double x)
{
    return x <= 0 ? 0 : x > 0 ? 1 : x;
}

/* -1, 0 or 1, NaN for NaN. */
static inline double loss_sign(double x)
{
    return x > 0 ? 1 : x < 0 ? -1 : x;
}

/* log(1 + exp(x)) and its derivative 1 / (1 + exp(-x)), by exponentials of negative numbers only. */
static inline double loss_softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}

static inline double loss_sigmoid(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

/* Store a derivative, if it is wanted. */
static inline void loss_put(double *gradient, size_t at, double derivative)
{
    if (gradient != NULL)
        gradient[at] = derivative;
}

/* A fault's numbers as the record holds them. */
static inline clgrad_fault clgrad_ref_loss_fault(clgrad_fault_kind kind, size_t position, int32_t value,
                                                 size_t limit)
{
    return (clgrad_fault){.kind = (int32_t)kind,
                          .position = position < INT32_MAX ? (int32_t)position : INT32_MAX,
                          .value = value,
                          .limit = limit < INT32_MAX ? (int32_t)limit : INT32_MAX};
}

/* Whether a row without NaN has a softmax. */
bool clgrad_ref_loss_has_softmax(const loss_row *r);

/* ctc's label or length that is out of range, kind NONE where all are well. */
clgrad_fault clgrad_ref_loss_ctc_fault(const loss_row *r);

#endif
