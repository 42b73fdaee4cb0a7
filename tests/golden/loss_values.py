"""The headers of the losses: one for each extent, and loss.h, which has the type and includes them."""

import mpmath
import torch

import loss_channel_cases
import loss_element_cases
import loss_probability_cases
import loss_row_cases
import loss_sequence_cases
from emit import Header, list_rows
from loss_case import LOSSES, add_entry
from loss_exact import evaluator

DECLARATION = """
typedef struct golden_loss {
    const char *label;
    clgrad_loss_kind kind;
    clgrad_reduction reduction;
    float parameters[8]; /* in the order of the list's row */
    int rank;
    size_t shape[4]; /* of the prediction */
    const float *prediction;
    const float *target;    /* NULL with classes */
    const float *other;     /* NULL where there is none, like all that follow */
    const int32_t *classes; /* an integer target */
    size_t room;            /* ctc: the columns of classes; else 0 */
    const float *weight;
    int weight_rank;
    size_t weight_shape[4];
    const float *pos_weight;
    int pos_weight_rank;
    size_t pos_weight_shape[4];
    const int32_t *input_lengths, *target_lengths;
    size_t value_count;
    const double *value;
    const double *dvalue;   /* [value_count], the upstream gradient, each a float32; NULL for ones */
    const double *gradient; /* of sum(value * dvalue) with respect to the prediction, of its size */
    const double *dtarget;  /* likewise the target; NULL where the loss does not give it */
    const double *dother;   /* likewise other */
} golden_loss;

typedef struct golden_loss_group {
    const golden_loss *losses;
    size_t count;
} golden_loss_group;
"""

# By the extent. l2, the one loss of a whole tensor, lies with the elements.
GROUPS = {
    "element": [loss_element_cases, loss_probability_cases],
    "row": [loss_row_cases],
    "channel": [loss_channel_cases],
    "sequence": [loss_sequence_cases],
}


def group_header(group, modules):
    out = Header(
        f"loss_{group}",
        [],
        "Part of loss.h.",
        "",
        c_type="golden_loss",
        values=f"golden_loss_{group}s",
        data=f"loss_{group}",
    )
    for module in modules:
        for case in module.cases():
            assert {"whole": "element"}.get(case.loss.extent, case.loss.extent) == group
            evaluate = evaluator(case)
            for reduction, with_dvalue in case.ways:
                dvalue = case.dvalue(reduction) if with_dvalue else None
                add_entry(out, case, reduction, dvalue, *evaluate(reduction, dvalue))
    return out


def headers():
    assert list_rows("loss") == list(LOSSES), "the list of losses has other rows"
    index = Header(
        "loss",
        ["clgrad/loss.h", "math.h"],
        f"Source: PyTorch {torch.__version__},\n * float64, gradients by autograd, and mpmath"
        f" {mpmath.__version__}, 400 digits. README.md says where which.",
        DECLARATION + "\n" + "\n".join(f'#include "loss_{group}.h"' for group in GROUPS),
        c_type="golden_loss_group",
        values="golden_loss_groups",
    )
    for group in GROUPS:
        name = f"golden_loss_{group}s"
        index.entry(name, f"sizeof {name} / sizeof {name}[0]")
    return [index, *(group_header(group, modules) for group, modules in GROUPS.items())]
