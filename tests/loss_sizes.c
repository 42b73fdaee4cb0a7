/*
 * Every loss of an extent, on random numbers in many shapes.
 */
#include "loss_case.h"

static void check_drawn(clgrad_context *context, clgrad_loss loss, const shaped *s, unsigned with)
{
    loss_drawn *drawn = loss_draw(loss, s->rank, s->shape, with);
    loss_case_check_reference(context, &drawn->c);
    loss_drawn_free(drawn);
}

/* Each reduction once, plain or with all there is; enough for what only size can show, and for a slow device.
 */
static void check_a_few(clgrad_context *context, clgrad_loss loss, const shaped *s)
{
    const unsigned ways = loss_ways(loss.kind);
    for (int reduction = 0; reduction <= CLGRAD_REDUCTION_BATCHMEAN; reduction++) {
        loss.reduction = (clgrad_reduction)reduction;
        if (!loss_reduces_by(loss.kind, loss.reduction))
            continue;
        check_drawn(context, loss, s, reduction == CLGRAD_REDUCTION_SUM ? ways : 0);
        if (ways & LOSS_WITH_CLASSES)
            check_drawn(context, loss, s, reduction == CLGRAD_REDUCTION_MEAN ? LOSS_WITH_CLASSES : 0);
    }
}

/* Each reduction, with each kind of target, with weights and without, with dvalue and without. */
static void check_shape(clgrad_context *context, clgrad_loss loss, const shaped *s)
{
    if (test_small()) {
        check_a_few(context, loss, s);
        return;
    }
    const unsigned ways = loss_ways(loss.kind), all = LOSS_WITH_CLASSES | LOSS_WITH_WEIGHT | LOSS_WITH_DVALUE;
    for (int reduction = 0; reduction <= CLGRAD_REDUCTION_BATCHMEAN; reduction++)
        for (unsigned with = 0; with <= all; with++) {
            loss.reduction = (clgrad_reduction)reduction;
            if ((with & ways) == with && loss_reduces_by(loss.kind, loss.reduction))
                check_drawn(context, loss, s, with);
        }
}

/* The setting where no parameter is at its default; the default one where there are none. */
static clgrad_loss last_setting(clgrad_loss_kind kind)
{
    clgrad_loss loss, last = clgrad_loss_defaults(kind);
    for (size_t k = 0; loss_setting(kind, k, &loss); k++)
        last = loss;
    return last;
}

static void check_sizes(clgrad_context *context, clgrad_loss_kind kind, const shaped *sizes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t elements = 1;
        for (int d = 0; d < sizes[i].rank; d++)
            elements *= sizes[i].shape[d];
        if (test_small() && elements > 65)
            continue;
        if (elements > 5000) {
            check_a_few(context, clgrad_loss_defaults(kind), &sizes[i]);
            continue;
        }
        check_shape(context, clgrad_loss_defaults(kind), &sizes[i]);
        if (clgrad_loss_describe(kind)->parameters->name != NULL)
            check_shape(context, last_setting(kind), &sizes[i]);
    }
}

void loss_check_sizes(clgrad_context *context, clgrad_loss_extent extent, shaped ordinary,
                      const shaped *sizes, size_t count)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        clgrad_loss loss;
        if (clgrad_loss_describe(kind)->extent != extent)
            continue;
        for (size_t s = 1; loss_setting(kind, s, &loss); s++)
            check_shape(context, loss, &ordinary);
        check_sizes(context, kind, sizes, count);
    }
}
