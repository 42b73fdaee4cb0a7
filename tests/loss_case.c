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

clgrad_conf_loss_case loss_case_conformance(const loss_case *c)
{
    clgrad_conf_loss_case same = {.loss = c->loss,
                                  .info = loss_case_info(c),
                                  .rank = c->rank,
                                  .prediction = c->prediction,
                                  .target = c->target,
                                  .other = c->other,
                                  .classes = c->classes,
                                  .room = c->room,
                                  .input_lengths = c->input_lengths,
                                  .target_lengths = c->target_lengths,
                                  .weight = c->weight,
                                  .pos_weight = c->pos_weight,
                                  .dvalue = c->dvalue};
    memcpy(same.shape, c->shape, sizeof same.shape);
    return same;
}

size_t loss_case_count(const loss_case *c)
{
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    return clgrad_conf_loss_count(&same);
}

size_t loss_case_inner(const loss_case *c)
{
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    return clgrad_conf_loss_inner(&same);
}

int loss_case_value_shape(const loss_case *c, size_t *shape)
{
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    return clgrad_conf_loss_value_shape(&same, shape);
}

size_t loss_case_rows(const loss_case *c)
{
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    return clgrad_conf_loss_rows(&same);
}

size_t loss_case_values(const loss_case *c)
{
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    return clgrad_conf_loss_values(&same);
}

size_t loss_case_row_of(const loss_case *c, size_t element)
{
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    return clgrad_conf_loss_row_of(&same, element);
}

double loss_weight_at(const loss_case *c, const loss_weight *weight, size_t element)
{
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    return clgrad_conf_weight_at(&same, weight, element);
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
