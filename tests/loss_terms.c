/*
 * How large the numbers are that a loss adds up: what "Accuracy" in loss.h multiplies the bound by. The
 * conformance cases count them (src/conformance/loss_terms.c); here they begin with the reference's unreduced
 * loss in double precision.
 */
#include "loss_case.h"

#include "conformance/loss.h"

static clgrad_conf_weight weight_of(const loss_weight *weight)
{
    clgrad_conf_weight w = {.numbers = weight->numbers, .rank = weight->rank};
    memcpy(w.shape, weight->shape, sizeof w.shape);
    return w;
}

static clgrad_conf_loss_case conformance_case(const loss_case *c)
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
                                  .weight = weight_of(&c->weight),
                                  .pos_weight = weight_of(&c->pos_weight),
                                  .dvalue = c->dvalue};
    memcpy(same.shape, c->shape, sizeof same.shape);
    return same;
}

double loss_case_bound(const loss_case *c)
{
    const clgrad_conf_loss_case same = conformance_case(c);
    return clgrad_conf_loss_bound(&same);
}

loss_exact loss_case_terms(const loss_case *c)
{
    const clgrad_conf_loss_case same = conformance_case(c);
    loss_case unreduced = *c;
    unreduced.loss.reduction = CLGRAD_REDUCTION_NONE;
    unreduced.dvalue = NULL;
    const loss_exact exact = loss_case_reference(&unreduced);
    const size_t rows = loss_case_rows(c);
    double *value = allocate(rows + 1, sizeof *value); /* one at least, for the sum of none */
    for (size_t i = 0; i < rows; i++)
        value[i] = exact.value[i];
    free(exact.value);
    double *scratch = allocate(loss_case_count(c), sizeof *scratch);
    const loss_exact terms = {value, exact.dprediction, exact.dtarget, exact.dother};
    clgrad_conf_loss_terms(&same, (clgrad_conf_sums){value, terms.dprediction, terms.dtarget, terms.dother},
                           scratch);
    free(scratch);
    return terms;
}
