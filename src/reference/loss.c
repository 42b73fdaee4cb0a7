/*
 * Losses: the table of formulas, which stand in loss_element.c, loss_row.c, loss_triplet.c, loss_channel.c
 * and loss_ctc.c, their reduction, and the backend's entry.
 */
#include "loss_formula.h"

#include "../internal.h"

typedef struct loss_formulas {
    clgrad_loss_extent extent;
    unsigned flags;
    loss_element_result (*element)(loss_element e);
    double (*row)(const loss_row *r);
} loss_formulas;

#define ELEMENT_FORMULA(name) .element = clgrad_ref_loss_##name
#define ROW_FORMULA(name) .row = clgrad_ref_loss_##name
#define WHOLE_FORMULA(name) ROW_FORMULA(name)
#define CHANNEL_FORMULA(name) ROW_FORMULA(name)
#define SEQUENCE_FORMULA(name) ROW_FORMULA(name)

static const loss_formulas formulas[] = {
#define ROW(value, identifier, name, parameters, loss_extent, loss_flags, ...) \
    [value] = {.extent = CLGRAD_LOSS_##loss_extent, .flags = loss_flags, loss_extent##_FORMULA(name)},
    CLGRAD_LOSS_LIST(ROW)
#undef ROW
};

/* ---- where the rows lie ---- */

/* The product of the dimensions from first on. */
static size_t product(const clgrad_ref_loss_arrays *a, int first)
{
    size_t count = 1;
    for (int i = first; i < a->rank; i++)
        count *= a->shape[i];
    return count;
}

/* Row i begins at (i / inner) outer_step + i % inner. */
typedef struct loss_layout {
    size_t rows, inner, outer_step;
    size_t classes, class_step;
    size_t times, time_step; /* a ctc's row has classes at each of so many time steps; others have one */
} loss_layout;

static loss_layout layout_of(const clgrad_loss *loss, const clgrad_ref_loss_arrays *a)
{
    const size_t *shape = a->shape;
    loss_layout l = {.inner = 1, .outer_step = 1, .classes = 1, .class_step = 1, .times = 1};
    switch (formulas[loss->kind].extent) {
    case CLGRAD_LOSS_ELEMENT:
        l.rows = product(a, 0);
        break;
    case CLGRAD_LOSS_ROW:
        l.rows = shape[0];
        l.classes = l.outer_step = shape[1];
        break;
    case CLGRAD_LOSS_WHOLE:
        l.rows = 1;
        l.classes = product(a, 0);
        break;
    case CLGRAD_LOSS_CHANNEL:
        l.inner = l.class_step = product(a, 2);
        l.rows = shape[0] * l.inner;
        l.classes = shape[1];
        l.outer_step = shape[1] * l.inner;
        break;
    case CLGRAD_LOSS_SEQUENCE:
        l.times = shape[0];
        l.time_step = shape[1] * shape[2];
        l.rows = shape[1];
        l.classes = l.outer_step = shape[2];
        break;
    }
    return l;
}

static const double *at_offset(const double *array, size_t offset)
{
    return array != NULL ? array + offset : NULL;
}

static double *gradient_at(double *array, size_t offset)
{
    return array != NULL ? array + offset : NULL;
}

static loss_row row_at(const clgrad_loss *loss, const clgrad_ref_loss_arrays *a, const loss_layout *l,
                       size_t i)
{
    const size_t offset = i / l->inner * l->outer_step + i % l->inner;
    const bool row_target = (formulas[loss->kind].flags & CLGRAD_LOSS_TAKES_ROW_TARGET) != 0;
    const size_t integers = loss->kind == CLGRAD_LOSS_MULTILABEL_MARGIN ? l->classes
                            : loss->kind == CLGRAD_LOSS_CTC             ? a->room
                                                                        : 1;
    return (loss_row){.loss = loss,
                      .arrays = a,
                      .index = i,
                      .classes = l->classes,
                      .stride = l->time_step > 0 ? l->time_step : l->class_step,
                      .p = a->prediction + offset,
                      .t = at_offset(a->target, row_target ? i : offset),
                      .o = at_offset(a->other, offset),
                      .w = a->weight,
                      .y = a->classes != NULL ? a->classes + i * integers : NULL,
                      .dp = gradient_at(a->dprediction, offset),
                      .dt = gradient_at(a->dtarget, offset),
                      .dother = gradient_at(a->dother, offset)};
}

/* ---- rows that have no loss ---- */

static bool any_nan(const double *numbers, size_t count, size_t stride)
{
    for (size_t i = 0; numbers != NULL && i < count; i++)
        if (isnan(numbers[i * stride]))
            return true;
    return false;
}

static bool has_nan(const loss_row *r)
{
    const bool row_target = (formulas[r->loss->kind].flags & CLGRAD_LOSS_TAKES_ROW_TARGET) != 0;
    const size_t targets = row_target ? 1 : r->classes;
    if (r->loss->kind == CLGRAD_LOSS_NLL || r->loss->kind == CLGRAD_LOSS_CTC)
        return false; /* not every number counts there */
    return (any_nan(r->p, r->classes, r->stride) || any_nan(r->t, targets, r->stride) ||
            any_nan(r->o, r->classes, r->stride));
}

/* The first class index or length of the row that is out of range. */
static clgrad_fault row_fault(const loss_row *r)
{
    if (r->loss->kind == CLGRAD_LOSS_CTC)
        return clgrad_ref_loss_ctc_fault(r);
    const bool several = r->loss->kind == CLGRAD_LOSS_MULTILABEL_MARGIN;
    const size_t count = r->y == NULL ? 0 : several ? r->classes : 1;
    for (size_t k = 0; k < count && !(several && r->y[k] == -1); k++)
        if (r->y[k] < 0 || (size_t)r->y[k] >= r->classes)
            return clgrad_ref_loss_fault(CLGRAD_FAULT_CLASS, r->index * count + k, r->y[k], r->classes);
    return (clgrad_fault){0};
}

/* The losses of channels have an ignore_index, where the target is a class index. */
static bool is_ignored(const loss_row *r)
{
    return formulas[r->loss->kind].extent == CLGRAD_LOSS_CHANNEL && r->y != NULL &&
           r->y[0] == r->loss->ignore_index;
}

/* ---- the reduction ---- */

/* What the sum of the losses is divided by; see "What mean divides by" in loss.h. */
static double divisor(const clgrad_loss *loss, const clgrad_ref_loss_arrays *a, const loss_layout *l)
{
    if (formulas[loss->kind].extent == CLGRAD_LOSS_WHOLE)
        return 1;
    if (loss->reduction == CLGRAD_REDUCTION_BATCHMEAN)
        return a->rank > 0 ? (double)a->shape[0] : 1;
    if (loss->reduction != CLGRAD_REDUCTION_MEAN)
        return 1;
    if (formulas[loss->kind].extent != CLGRAD_LOSS_CHANNEL || a->classes == NULL)
        return (double)l->rows;
    double sum = 0;
    for (size_t i = 0; i < l->rows; i++) {
        const loss_row r = row_at(loss, a, l, i);
        if (!is_ignored(&r) && row_fault(&r).kind == CLGRAD_FAULT_NONE)
            sum += r.w != NULL ? r.w[r.y[0]] : 1;
    }
    return sum;
}

/* ctc's mean divides each loss by the length of its target too. */
static double own_divisor(const loss_row *r)
{
    if (r->loss->kind != CLGRAD_LOSS_CTC || r->loss->reduction != CLGRAD_REDUCTION_MEAN)
        return 1;
    const int32_t length = r->arrays->target_lengths[r->index];
    return length > 1 ? length : 1;
}

/* The unreduced loss of a row without faults, its derivatives where they are wanted. */
static double row_value(const loss_row *r)
{
    const loss_formulas *formula = &formulas[r->loss->kind];
    if (formula->extent != CLGRAD_LOSS_ELEMENT)
        return formula->row(r);
    const clgrad_ref_loss_arrays *a = r->arrays;
    const loss_element e = {.loss = r->loss,
                            .p = r->p[0],
                            .t = r->t[0],
                            .o = r->o != NULL ? r->o[0] : 0,
                            .w = a->weight != NULL ? a->weight[r->index] : 1,
                            .pos_weight = a->pos_weight != NULL ? a->pos_weight[r->index] : 1};
    const loss_element_result result = formula->element(e);
    loss_put(r->dp, 0, result.dprediction);
    loss_put(r->dt, 0, result.dtarget);
    loss_put(r->dother, 0, result.dother);
    return result.value;
}

/* Multiply a row's derivatives by what reaches them from above. */
static void scale_gradient(const loss_row *r, const loss_layout *l, double *gradient, double scale)
{
    for (size_t t = 0; gradient != NULL && t < l->times; t++)
        for (size_t k = 0; k < l->classes; k++) {
            double *derivative = gradient + t * l->time_step + k * l->class_step;
            /* a class that nll does not look at has 0, even if the mean is over nothing */
            const bool unseen = r->loss->kind == CLGRAD_LOSS_NLL && k != (size_t)r->y[0];
            *derivative = unseen ? 0 : *derivative * scale;
        }
}

static void fill_gradient(const loss_layout *l, double *gradient, double number)
{
    for (size_t t = 0; gradient != NULL && t < l->times; t++)
        for (size_t k = 0; k < l->classes; k++)
            gradient[t * l->time_step + k * l->class_step] = number;
}

/* The gradient of an ignored row: nothing, but through a softmax (PyTorch's) that there must be. */
static double ignored_gradient(const loss_row *r)
{
    const bool clean = r->loss->kind == CLGRAD_LOSS_NLL || (!has_nan(r) && clgrad_ref_loss_has_softmax(r));
    return clean ? 0 : (double)NAN;
}

/* A row's loss, or NaN where it has none, and its gradients. */
static double evaluate_row(const loss_row *r, const loss_layout *l, bool valid, double scale)
{
    if (valid && !is_ignored(r) && !has_nan(r)) {
        const double value = row_value(r);
        scale_gradient(r, l, r->dp, scale);
        scale_gradient(r, l, r->dt, scale);
        scale_gradient(r, l, r->dother, scale);
        return value;
    }
    const double fill = valid && is_ignored(r) ? ignored_gradient(r) : (double)NAN;
    fill_gradient(l, r->dp, fill);
    fill_gradient(l, r->dt, fill);
    fill_gradient(l, r->dother, fill);
    return valid && is_ignored(r) ? 0 : (double)NAN;
}

clgrad_fault clgrad_ref_loss(const clgrad_loss *loss, const clgrad_ref_loss_arrays *a)
{
    const loss_layout l = layout_of(loss, a);
    const bool one_value =
        loss->reduction != CLGRAD_REDUCTION_NONE || formulas[loss->kind].extent == CLGRAD_LOSS_WHOLE;
    const double all = divisor(loss, a, &l);
    clgrad_fault fault = {0};
    double total = 0;

    for (size_t i = 0; i < l.rows; i++) {
        const loss_row r = row_at(loss, a, &l, i);
        const clgrad_fault found = is_ignored(&r) ? (clgrad_fault){0} : row_fault(&r);
        const bool valid = found.kind == CLGRAD_FAULT_NONE;
        const double own = valid ? own_divisor(&r) : 1;
        const double upstream = a->dvalue == NULL ? 1 : a->dvalue[one_value ? 0 : i];
        const double value = evaluate_row(&r, &l, valid, upstream / all / own);
        if (a->value != NULL && !one_value)
            a->value[i] = value;
        total += value / own;
        if (fault.kind == CLGRAD_FAULT_NONE)
            fault = found;
    }
    if (a->value != NULL && one_value)
        a->value[0] = total / all; /* the mean of nothing is 0 / 0, NaN */
    return fault;
}

/* ---- the backend's entry ---- */

/* A weight of elements, repeated along the dimensions of 1 and those that it lacks in front. */
static double *load_broadcast(clgrad_ref_arrays *arrays, clgrad_tensor weight, clgrad_tensor prediction)
{
    if (!clgrad_present(weight))
        return NULL;
    const double *narrow = clgrad_ref_load(arrays, weight);
    double *wide = clgrad_ref_allocate(arrays, prediction);
    const size_t count = clgrad_tensor_count(prediction);
    for (size_t i = 0; arrays->status == CLGRAD_STATUS_SUCCESS && i < count; i++) {
        size_t rest = i, at = 0, step = 1;
        for (int d = 1; d <= weight.rank; d++) { /* from the last dimension on */
            const size_t size = weight.shape[weight.rank - d];
            at += size == 1 ? 0 : rest % size * step;
            step *= size;
            rest /= prediction.shape[prediction.rank - d];
        }
        wide[i] = narrow[at];
    }
    return wide;
}

static const int32_t *integers(clgrad_tensor tensor)
{
    return clgrad_present(tensor) && tensor.type == CLGRAD_TYPE_INT32 ? clgrad_ref_data(tensor) : NULL;
}

static clgrad_status loss_evaluate(clgrad_context *context, const clgrad_loss *loss,
                                   const clgrad_loss_inputs *inputs, clgrad_tensor dvalue,
                                   clgrad_tensor value, const clgrad_loss_gradients *gradients)
{
    const bool by_class = inputs->target.type == CLGRAD_TYPE_INT32;
    const bool of_elements = formulas[loss->kind].extent == CLGRAD_LOSS_ELEMENT;
    clgrad_ref_arrays arrays = {.context = context};
    clgrad_ref_loss_arrays a = {
        .rank = inputs->prediction.rank,
        .prediction = clgrad_ref_load(&arrays, inputs->prediction),
        .target = by_class ? NULL : clgrad_ref_load(&arrays, inputs->target),
        .other = clgrad_ref_load(&arrays, inputs->other),
        .weight = of_elements ? load_broadcast(&arrays, inputs->weight, inputs->prediction)
                              : clgrad_ref_load(&arrays, inputs->weight),
        .pos_weight = load_broadcast(&arrays, inputs->pos_weight, inputs->prediction),
        .classes = integers(inputs->target),
        .input_lengths = integers(inputs->input_lengths),
        .target_lengths = integers(inputs->target_lengths),
        .room = loss->kind == CLGRAD_LOSS_CTC ? inputs->target.shape[1] : 0,
        .dvalue = clgrad_ref_load(&arrays, dvalue),
        .value = clgrad_ref_allocate(&arrays, value),
        .dprediction = clgrad_ref_allocate(&arrays, gradients->dprediction),
        .dtarget = clgrad_ref_allocate(&arrays, gradients->dtarget),
        .dother = clgrad_ref_allocate(&arrays, gradients->dother),
    };
    for (int i = 0; i < a.rank; i++)
        a.shape[i] = inputs->prediction.shape[i];
    const size_t scratch = clgrad_ref_loss_scratch(loss, &a);
    if (scratch > 0) /* as if for a tensor of so many numbers */
        a.scratch = clgrad_ref_allocate(
            &arrays, clgrad_tensor_vector(inputs->prediction.buffer, 0, CLGRAD_TYPE_FLOAT32, scratch));
    if (arrays.status == CLGRAD_STATUS_SUCCESS) {
        const clgrad_fault fault = clgrad_ref_loss(loss, &a);
        if (fault.kind != CLGRAD_FAULT_NONE)
            clgrad_ref_fault(context, (clgrad_fault_kind)fault.kind, (size_t)fault.position, fault.value,
                             (size_t)fault.limit);
        clgrad_ref_store(a.value, value);
        clgrad_ref_store(a.dprediction, gradients->dprediction);
        clgrad_ref_store(a.dtarget, gradients->dtarget);
        clgrad_ref_store(a.dother, gradients->dother);
    }
    return clgrad_ref_arrays_free(&arrays);
}

const clgrad_loss_functions clgrad_ref_loss_functions = {
    .evaluate = loss_evaluate,
};
