/*
 * A loss on some numbers: its shapes and its reduction.
 */
#include "loss.h"

#include <math.h>

static size_t product(const clgrad_conf_loss_case *c, int first)
{
    size_t count = 1;
    for (int i = first; i < c->rank; i++)
        count *= c->shape[i];
    return count;
}

size_t clgrad_conf_loss_count(const clgrad_conf_loss_case *c)
{
    return product(c, 0);
}

size_t clgrad_conf_loss_inner(const clgrad_conf_loss_case *c)
{
    return product(c, 2);
}

int clgrad_conf_loss_value_shape(const clgrad_conf_loss_case *c, size_t *shape)
{
    int rank = 0;
    const clgrad_loss_extent extent = c->info->extent;
    for (int i = 0; i < c->rank && extent != CLGRAD_LOSS_WHOLE; i++) {
        const bool kept = extent == CLGRAD_LOSS_ELEMENT || (extent == CLGRAD_LOSS_SEQUENCE ? i == 1 : i != 1);
        if (kept)
            shape[rank++] = c->shape[i];
    }
    return rank;
}

size_t clgrad_conf_loss_rows(const clgrad_conf_loss_case *c)
{
    size_t shape[CLGRAD_TENSOR_MAX_RANK], count = 1;
    const int rank = clgrad_conf_loss_value_shape(c, shape);
    for (int i = 0; i < rank; i++)
        count *= shape[i];
    return count;
}

size_t clgrad_conf_loss_values(const clgrad_conf_loss_case *c)
{
    return c->loss.reduction == CLGRAD_REDUCTION_NONE ? clgrad_conf_loss_rows(c) : 1;
}

size_t clgrad_conf_loss_row_of(const clgrad_conf_loss_case *c, size_t element)
{
    switch (c->info->extent) {
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

double clgrad_conf_weight_at(const clgrad_conf_loss_case *c, const clgrad_conf_weight *weight, size_t element)
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
static double target_weights(const clgrad_conf_loss_case *c)
{
    double sum = 0;
    for (size_t i = 0; i < clgrad_conf_loss_rows(c); i++)
        if (c->classes[i] != c->loss.ignore_index)
            sum += c->weight.numbers != NULL ? c->weight.numbers[c->classes[i]] : 1;
    return sum;
}

double clgrad_conf_loss_divisor(const clgrad_conf_loss_case *c)
{
    const clgrad_loss_extent extent = c->info->extent;
    if (c->loss.reduction == CLGRAD_REDUCTION_BATCHMEAN)
        return c->rank > 0 ? (double)c->shape[0] : 1;
    if (c->loss.reduction != CLGRAD_REDUCTION_MEAN || extent == CLGRAD_LOSS_WHOLE)
        return 1;
    if (extent == CLGRAD_LOSS_CHANNEL && c->classes != NULL)
        return target_weights(c);
    return (double)clgrad_conf_loss_rows(c);
}

double clgrad_conf_loss_own_divisor(const clgrad_conf_loss_case *c, size_t row)
{
    const bool mean_of_sequences =
        c->loss.reduction == CLGRAD_REDUCTION_MEAN && c->info->extent == CLGRAD_LOSS_SEQUENCE;
    return mean_of_sequences ? fmax(c->target_lengths[row], 1) : 1;
}

double clgrad_conf_loss_bound(const clgrad_conf_loss_case *c)
{
    const bool focal = c->loss.kind == CLGRAD_LOSS_FOCAL || c->loss.kind == CLGRAD_LOSS_SIGMOID_FOCAL;
    return c->info->bound * (focal ? fmax(1, c->loss.gamma / 2) : 1);
}
