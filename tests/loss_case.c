/*
 * A case of a loss: its shapes, its reduction, and the reference's answers.
 */
#include "loss_case.h"

#include "reference/reference.h"

const clgrad_loss_info *loss_case_info(const loss_case *c)
{
    return clgrad_loss_describe(c->loss.kind);
}

void loss_exact_free(loss_exact exact)
{
    free(exact.value);
    free(exact.dprediction);
    free(exact.dtarget);
    free(exact.dother);
}

/* ---- shapes ---- */

static size_t product(const loss_case *c, int first)
{
    size_t count = 1;
    for (int i = first; i < c->rank; i++)
        count *= c->shape[i];
    return count;
}

size_t loss_case_count(const loss_case *c)
{
    return product(c, 0);
}

size_t loss_case_inner(const loss_case *c)
{
    return product(c, 2);
}

int loss_case_value_shape(const loss_case *c, size_t *shape)
{
    int rank = 0;
    const clgrad_loss_extent extent = loss_case_info(c)->extent;
    for (int i = 0; i < c->rank && extent != CLGRAD_LOSS_WHOLE; i++) {
        const bool kept = extent == CLGRAD_LOSS_ELEMENT || (extent == CLGRAD_LOSS_SEQUENCE ? i == 1 : i != 1);
        if (kept)
            shape[rank++] = c->shape[i];
    }
    return rank;
}

size_t loss_case_rows(const loss_case *c)
{
    size_t shape[CLGRAD_TENSOR_MAX_RANK], count = 1;
    const int rank = loss_case_value_shape(c, shape);
    for (int i = 0; i < rank; i++)
        count *= shape[i];
    return count;
}

size_t loss_case_values(const loss_case *c)
{
    return c->loss.reduction == CLGRAD_REDUCTION_NONE ? loss_case_rows(c) : 1;
}

size_t loss_case_row_of(const loss_case *c, size_t element)
{
    switch (loss_case_info(c)->extent) {
    case CLGRAD_LOSS_ELEMENT:
        return element;
    case CLGRAD_LOSS_ROW:
    case CLGRAD_LOSS_CHANNEL: {
        const size_t inner = product(c, 2);
        return element / (c->shape[1] * inner) * inner + element % inner;
    }
    case CLGRAD_LOSS_SEQUENCE:
        return element / c->shape[2] % c->shape[1];
    case CLGRAD_LOSS_WHOLE:
        break;
    }
    return 0;
}

bool loss_case_gives_dtarget(const loss_case *c)
{
    return c->classes == NULL && (loss_case_info(c)->flags & CLGRAD_LOSS_GIVES_DTARGET) != 0;
}

bool loss_case_gives_dother(const loss_case *c)
{
    return (loss_case_info(c)->flags & CLGRAD_LOSS_GIVES_DOTHER) != 0;
}

static size_t target_count(const loss_case *c)
{
    const bool one_a_row = (loss_case_info(c)->flags & CLGRAD_LOSS_TAKES_ROW_TARGET) != 0;
    return one_a_row ? loss_case_rows(c) : loss_case_count(c);
}

double loss_weight_at(const loss_case *c, const loss_weight *weight, size_t element)
{
    if (weight->numbers == NULL)
        return 1;
    /* the coordinates of the element, last dimension first, pick the weight's where it has more than one */
    size_t at = 0, step = 1;
    for (int d = c->rank - 1, w = weight->rank - 1; w >= 0; d--, w--) {
        at += weight->shape[w] == 1 ? 0 : element % c->shape[d] * step;
        step *= weight->shape[w];
        element /= c->shape[d];
    }
    return weight->numbers[at];
}

/* The weights of the class indices that are not ignored. */
static double target_weights(const loss_case *c)
{
    double sum = 0;
    for (size_t i = 0; i < loss_case_rows(c); i++)
        if (c->classes[i] != c->loss.ignore_index)
            sum += c->weight.numbers != NULL ? c->weight.numbers[c->classes[i]] : 1;
    return sum;
}

double loss_case_divisor(const loss_case *c)
{
    const clgrad_loss_extent extent = loss_case_info(c)->extent;
    if (c->loss.reduction == CLGRAD_REDUCTION_BATCHMEAN)
        return c->rank > 0 ? (double)c->shape[0] : 1;
    if (c->loss.reduction != CLGRAD_REDUCTION_MEAN || extent == CLGRAD_LOSS_WHOLE)
        return 1;
    if (extent == CLGRAD_LOSS_CHANNEL && c->classes != NULL)
        return target_weights(c);
    return (double)loss_case_rows(c);
}

double loss_case_own_divisor(const loss_case *c, size_t row)
{
    const bool mean_of_sequences =
        c->loss.reduction == CLGRAD_REDUCTION_MEAN && loss_case_info(c)->extent == CLGRAD_LOSS_SEQUENCE;
    return mean_of_sequences ? fmax(c->target_lengths[row], 1) : 1;
}

/* ---- the reference ---- */

static double *wide_or_null(const float *numbers, size_t count)
{
    return numbers != NULL ? widen(numbers, count) : NULL;
}

static double *wide_weight(const loss_case *c, const loss_weight *weight)
{
    if (weight->numbers == NULL)
        return NULL;
    if (loss_case_info(c)->flags & CLGRAD_LOSS_TAKES_CLASS_WEIGHT)
        return widen(weight->numbers, c->shape[1]);
    const size_t count = loss_case_count(c);
    double *wide = allocate(count, sizeof *wide);
    for (size_t i = 0; i < count; i++)
        wide[i] = loss_weight_at(c, weight, i);
    return wide;
}

loss_exact loss_case_reference(const loss_case *c)
{
    const size_t count = loss_case_count(c), values = loss_case_values(c);
    double *prediction = widen(c->prediction, count), *target = wide_or_null(c->target, target_count(c));
    double *other = wide_or_null(c->other, count), *dvalue = wide_or_null(c->dvalue, values);
    double *weight = wide_weight(c, &c->weight), *pos_weight = wide_weight(c, &c->pos_weight);
    const loss_exact exact = {allocate(values, sizeof(double)), allocate(count, sizeof(double)),
                              loss_case_gives_dtarget(c) ? allocate(count, sizeof(double)) : NULL,
                              loss_case_gives_dother(c) ? allocate(count, sizeof(double)) : NULL};
    clgrad_ref_loss_arrays arrays = {.rank = c->rank,
                                     .prediction = prediction,
                                     .target = target,
                                     .other = other,
                                     .weight = weight,
                                     .pos_weight = pos_weight,
                                     .classes = c->classes,
                                     .input_lengths = c->input_lengths,
                                     .target_lengths = c->target_lengths,
                                     .room = c->room,
                                     .dvalue = dvalue,
                                     .value = exact.value,
                                     .dprediction = exact.dprediction,
                                     .dtarget = exact.dtarget,
                                     .dother = exact.dother};
    memcpy(arrays.shape, c->shape, sizeof arrays.shape);
    arrays.scratch = allocate(clgrad_ref_loss_scratch(&c->loss, &arrays), sizeof(double));
    clgrad_ref_loss(&c->loss, &arrays);
    free(arrays.scratch);
    free(prediction);
    free(target);
    free(other);
    free(dvalue);
    free(weight);
    free(pos_weight);
    return exact;
}
