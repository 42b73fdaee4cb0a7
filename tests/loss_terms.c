/*
 * How large the numbers are that a loss adds up: what "Accuracy" in loss.h multiplies the bound by. The
 * conformance cases count them (src/conformance/loss_terms.c); here they begin with the reference's unreduced
 * loss in double precision.
 */
#include "loss_case.h"

double loss_case_bound(const loss_case *c)
{
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    return clgrad_conf_loss_bound(&same);
}

loss_exact loss_case_terms(const loss_case *c)
{
    const clgrad_conf_loss_case same = loss_case_conformance(c);
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
