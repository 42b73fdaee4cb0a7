/*
 * Losses. Each formula is that of the unreduced loss and of its gradient, with p the prediction and t the
 * target; clgrad_ref_loss reduces them, and sees to NaN and to class indices, so that the formulas need not.
 */
#include "reference.h"

#include "../internal.h"

#include <math.h>

/* What a formula for one element is given. */
typedef struct element {
    double p, t;
    const clgrad_loss *loss;
} element;

/* What a formula for a row of classes is given; for a WHOLE loss the row is the whole tensor. */
typedef struct row {
    const double *p;
    const double *t; /* NULL where the target is a class index */
    size_t label;    /* that class index */
    size_t columns;
} row;

/* A class index stands for a one-hot target (PyTorch nn.CrossEntropyLoss). */
static double row_target(const row *r, size_t i)
{
    if (r->t != NULL)
        return r->t[i];
    return i == r->label ? 1 : 0;
}

/* PyTorch nn.MSELoss: (p - t)^2. */
static double ref_mse(element e)
{
    return (e.p - e.t) * (e.p - e.t);
}

static double ref_mse_gradient(element e)
{
    return 2 * (e.p - e.t);
}

/*
 * The root mean square error, the distance of p and t over sqrt(n) (DLMF 3.11(v) minimises it). Squares of
 * float32 values neither overflow nor underflow in double.
 */
static double ref_l2(const row *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->columns; i++)
        sum += (r->p[i] - r->t[i]) * (r->p[i] - r->t[i]);
    return sqrt(sum / (double)r->columns);
}

/* At distance 0 the gradient is taken as 0; at an infinite distance there is none. */
static void ref_l2_gradient(const row *r, double *gradient)
{
    double value = ref_l2(r);
    for (size_t i = 0; i < r->columns; i++) {
        if (value == 0)
            gradient[i] = 0;
        else if (isinf(value))
            gradient[i] = NAN;
        else
            gradient[i] = (r->p[i] - r->t[i]) / ((double)r->columns * value);
    }
}

/* PyTorch nn.L1Loss: |p - t|. */
static double ref_l1(element e)
{
    return fabs(e.p - e.t);
}

static double ref_l1_gradient(element e)
{
    double difference = e.p - e.t;
    if (difference > 0)
        return 1;
    if (difference < 0)
        return -1;
    return difference; /* 0, or NaN for infinities that cancel */
}

/*
 * PyTorch nn.KLDivLoss with p a log-probability; Kullback and Leibler, "On information and sufficiency",
 * 1951. The limit of t log t at 0 is 0.
 */
static double ref_kl_div(element e)
{
    return e.t == 0 ? 0 : e.t * (log(e.t) - e.p);
}

static double ref_kl_div_gradient(element e)
{
    return -e.t;
}

/* The same with p a probability. */
static double ref_kl_div_probability(element e)
{
    return e.t == 0 ? 0 : e.t * (log(e.t) - log(e.p));
}

static double ref_kl_div_probability_gradient(element e)
{
    return e.t == 0 ? 0 : -e.t / e.p;
}

/* Goodfellow, Bengio, Courville, Deep Learning, 2016, section 3.13: -sum t log p. */
static double ref_cross_entropy_probability(const row *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->columns; i++)
        if (r->t[i] != 0)
            sum -= r->t[i] * log(r->p[i]);
    return sum;
}

static void ref_cross_entropy_probability_gradient(const row *r, double *gradient)
{
    for (size_t i = 0; i < r->columns; i++)
        gradient[i] = r->t[i] == 0 ? 0 : -r->t[i] / r->p[i];
}

/*
 * PyTorch nn.BCELoss: -(t log p + (1 - t) log(1 - p)), with the logarithms clamped at -100 and, in its
 * backward pass, the gradient's denominator at 1e-12. Outside of 0 to 1 there is no loss.
 */
static bool is_probability(double p)
{
    return p >= 0 && p <= 1;
}

static double at_least_minus_100(double logarithm)
{
    return fmax(logarithm, -100);
}

static double ref_bce(element e)
{
    if (!is_probability(e.p))
        return NAN;
    return -(e.t * at_least_minus_100(log(e.p)) + (1 - e.t) * at_least_minus_100(log1p(-e.p)));
}

static double ref_bce_gradient(element e)
{
    if (!is_probability(e.p))
        return NAN;
    return (e.p - e.t) / fmax(e.p * (1 - e.p), 1e-12);
}

/*
 * Xie and Tu, "Holistically-nested edge detection", 2015, equation 2: alpha weights the positive term and
 * 1 - alpha the negative one. Clamped as nn.BCELoss.
 */
static double ref_bce_balanced(element e)
{
    double alpha = e.loss->alpha;
    if (!is_probability(e.p))
        return NAN;
    return -(alpha * e.t * at_least_minus_100(log(e.p)) +
             (1 - alpha) * (1 - e.t) * at_least_minus_100(log1p(-e.p)));
}

static double ref_bce_balanced_gradient(element e)
{
    double alpha = e.loss->alpha;
    if (!is_probability(e.p))
        return NAN;
    return ((1 - alpha) * (1 - e.t) * e.p - alpha * e.t * (1 - e.p)) / fmax(e.p * (1 - e.p), 1e-12);
}

/*
 * The shifted log-sum-exp of Blanchard, Higham, Higham, "Accurately computing the log-sum-exp and softmax
 * functions", 2021: log(sum exp p) = largest + log1p(rest), where rest is the sum of exp(p - largest) over
 * all classes but the largest one. Nothing overflows, and a small rest is not lost beside 1.
 */
typedef struct shifted {
    size_t at; /* the first largest logit */
    double largest;
    double rest;
} shifted;

static shifted shift(const row *r)
{
    shifted s = {.largest = -INFINITY};
    for (size_t i = 0; i < r->columns; i++) {
        if (r->p[i] > s.largest) {
            s.largest = r->p[i];
            s.at = i;
        }
    }
    for (size_t i = 0; i < r->columns; i++)
        if (i != s.at)
            s.rest += exp(r->p[i] - s.largest);
    return s;
}

/* PyTorch nn.CrossEntropyLoss: sum t (log(sum exp p) - p). */
static double ref_cross_entropy(const row *r)
{
    shifted s = shift(r);
    if (r->columns > 0 && isinf(s.largest))
        return NAN; /* a logit of +inf, or nothing but -inf; a row of no classes is an empty sum */
    double sum = 0;
    for (size_t i = 0; i < r->columns; i++)
        if (row_target(r, i) != 0)
            sum += row_target(r, i) * (log1p(s.rest) - (r->p[i] - s.largest));
    return sum;
}

/*
 * softmax(p) sum t - t. Near a confident, right answer that difference would cancel to 0, so it is taken as
 * softmax_i (sum of the other t) - t_i (sum of the other softmax), which is the same as softmax sums to 1.
 */
static void ref_cross_entropy_gradient(const row *r, double *gradient)
{
    shifted s = shift(r);
    double total = 0;
    for (size_t i = 0; i < r->columns; i++)
        total += row_target(r, i);
    for (size_t i = 0; i < r->columns; i++) {
        double t = row_target(r, i);
        double softmax = exp(r->p[i] - s.largest) / (1 + s.rest);
        double others = i == s.at ? s.rest / (1 + s.rest) : 1 - softmax;
        gradient[i] = isinf(s.largest) ? NAN : softmax * (total - t) - t * others;
    }
}

/* A loss has formulas for an element or for a row, as its extent says. */
typedef struct loss_formulas {
    clgrad_loss_extent extent;
    double (*element)(element e);
    double (*element_gradient)(element e);
    double (*row)(const row *r);
    void (*row_gradient)(const row *r, double *gradient);
} loss_formulas;

#define ELEMENT_FORMULAS(name) .element = ref_##name, .element_gradient = ref_##name##_gradient
#define ROW_FORMULAS(name) .row = ref_##name, .row_gradient = ref_##name##_gradient
#define WHOLE_FORMULAS(name) ROW_FORMULAS(name)

static const loss_formulas formulas[] = {
#define ROW(value, identifier, name, parameters, loss_extent, ...) \
    [value] = {.extent = CLGRAD_LOSS_##loss_extent, loss_extent##_FORMULAS(name)},
    CLGRAD_LOSS_LIST(ROW)
#undef ROW
};

/* Whether the row has a loss: no NaN, and a class index that points at a class. */
static bool row_is_valid(const row *r)
{
    for (size_t i = 0; i < r->columns; i++)
        if (isnan(r->p[i]) || isnan(row_target(r, i)))
            return false;
    return r->t != NULL || r->label < r->columns;
}

static double row_value(const clgrad_loss *loss, const row *r)
{
    const loss_formulas *formula = &formulas[loss->kind];
    if (!row_is_valid(r))
        return NAN;
    if (formula->extent == CLGRAD_LOSS_ELEMENT)
        return formula->element((element){r->p[0], r->t[0], loss});
    return formula->row(r);
}

static void row_gradient(const clgrad_loss *loss, const row *r, double scale, double *gradient)
{
    const loss_formulas *formula = &formulas[loss->kind];
    bool valid = row_is_valid(r);
    if (valid && formula->extent == CLGRAD_LOSS_ELEMENT)
        gradient[0] = formula->element_gradient((element){r->p[0], r->t[0], loss});
    else if (valid)
        formula->row_gradient(r, gradient);
    for (size_t i = 0; i < r->columns; i++)
        gradient[i] = valid ? gradient[i] * scale : NAN;
}

ptrdiff_t clgrad_ref_loss(const clgrad_loss *loss, size_t rows, size_t columns, const double *prediction,
                          const double *target, const int32_t *classes, double *value, const double *dvalue,
                          double *dprediction)
{
    clgrad_loss_extent extent = formulas[loss->kind].extent;
    clgrad_reduction reduction = loss->reduction;
    if (extent == CLGRAD_LOSS_ELEMENT) {
        rows *= columns;
        columns = 1;
    } else if (extent == CLGRAD_LOSS_WHOLE) {
        columns *= rows;
        rows = 1;
        reduction = CLGRAD_REDUCTION_SUM; /* of one row: its value */
    }
    double divisor = reduction == CLGRAD_REDUCTION_MEAN ? (double)rows : 1;
    double total = 0;
    ptrdiff_t fault = -1;

    for (size_t i = 0; i < rows; i++) {
        row r = {.p = prediction + i * columns, .columns = columns};
        if (classes == NULL)
            r.t = target + i * columns;
        else
            r.label = classes[i] >= 0 ? (size_t)classes[i] : SIZE_MAX;
        if (classes != NULL && r.label >= columns && fault < 0)
            fault = (ptrdiff_t)i;

        if (value != NULL && reduction == CLGRAD_REDUCTION_NONE)
            value[i] = row_value(loss, &r);
        else if (value != NULL)
            total += row_value(loss, &r);

        if (dprediction != NULL) {
            double upstream = dvalue == NULL ? 1 : dvalue[reduction == CLGRAD_REDUCTION_NONE ? i : 0];
            row_gradient(loss, &r, upstream / divisor, dprediction + i * columns);
        }
    }

    if (value != NULL && reduction != CLGRAD_REDUCTION_NONE)
        value[0] = total / divisor; /* the mean of nothing is 0 / 0, NaN */
    return fault;
}

static clgrad_status loss_evaluate(clgrad_context *context, const clgrad_loss *loss, clgrad_tensor prediction,
                                   clgrad_tensor target, clgrad_tensor value, clgrad_tensor dvalue,
                                   clgrad_tensor dprediction)
{
    bool by_row = formulas[loss->kind].extent == CLGRAD_LOSS_ROW;
    size_t rows = by_row ? prediction.shape[0] : clgrad_tensor_count(prediction);
    size_t columns = by_row ? prediction.shape[1] : 1;
    bool by_class = target.type == CLGRAD_TYPE_INT32;
    const int32_t *classes = by_class ? clgrad_ref_data(target) : NULL;

    clgrad_ref_arrays arrays = {.context = context};
    double *prediction64 = clgrad_ref_load(&arrays, prediction);
    double *target64 = by_class ? NULL : clgrad_ref_load(&arrays, target);
    double *value64 = clgrad_ref_allocate(&arrays, value);
    double *dvalue64 = clgrad_ref_load(&arrays, dvalue);
    double *dprediction64 = clgrad_ref_allocate(&arrays, dprediction);
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        ptrdiff_t fault = clgrad_ref_loss(loss, rows, columns, prediction64, target64, classes, value64,
                                          dvalue64, dprediction64);
        if (fault >= 0)
            clgrad_ref_fault(context, CLGRAD_FAULT_CLASS, (size_t)fault, classes[fault], columns);
        clgrad_ref_store(value64, value);
        clgrad_ref_store(dprediction64, dprediction);
    }
    return clgrad_ref_arrays_free(&arrays);
}

const clgrad_loss_functions clgrad_ref_loss_functions = {
    .evaluate = loss_evaluate,
};
