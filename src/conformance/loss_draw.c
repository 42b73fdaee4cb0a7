#include "loss_draw.h"

#include <string.h>

unsigned clgrad_conf_loss_ways(clgrad_loss_kind kind)
{
    const unsigned flags = clgrad_loss_describe(kind)->flags;
    const unsigned weights =
        CLGRAD_LOSS_TAKES_WEIGHT | CLGRAD_LOSS_TAKES_CLASS_WEIGHT | CLGRAD_LOSS_TAKES_POS_WEIGHT;
    return CLGRAD_CONF_WITH_DVALUE |
           (flags & CLGRAD_LOSS_TAKES_CLASSES ? (unsigned)CLGRAD_CONF_WITH_CLASSES : 0u) |
           (flags & weights ? (unsigned)CLGRAD_CONF_WITH_WEIGHT : 0u);
}

static const float *draw_weight(clgrad_conf_run *run, size_t count, uint64_t seed)
{
    float *weight = clgrad_conf_floats(run, count);
    if (weight == NULL)
        return NULL;
    clgrad_conf_normal(weight, count, seed, 1);
    clgrad_conf_loss_make_weight(weight, count);
    return weight;
}

/* Weights of classes; or of elements: the same along the first dimension, and the positive's along the last.
 */
static void draw_weights(clgrad_conf_run *run, clgrad_conf_loss_case *c)
{
    const size_t last = c->shape[c->rank - 1];
    if (c->info->flags & CLGRAD_LOSS_TAKES_CLASS_WEIGHT)
        c->weight = (clgrad_conf_weight){draw_weight(run, c->shape[1], 4), 1, {c->shape[1]}};
    if (c->info->flags & CLGRAD_LOSS_TAKES_WEIGHT)
        c->weight = (clgrad_conf_weight){draw_weight(run, last, 4), 2, {1, last}};
    if (c->info->flags & CLGRAD_LOSS_TAKES_POS_WEIGHT)
        c->pos_weight = (clgrad_conf_weight){draw_weight(run, last, 5), 1, {last}};
}

static void draw_sequences(clgrad_conf_run *run, clgrad_conf_loss_case *c)
{
    const size_t batch = c->shape[1];
    c->room = c->shape[0] / 2 + 1;
    int32_t *y = clgrad_conf_memory(run, batch * c->room, sizeof *y);
    int32_t *input_lengths = clgrad_conf_memory(run, batch, sizeof *input_lengths);
    int32_t *target_lengths = clgrad_conf_memory(run, batch, sizeof *target_lengths);
    if (run->status == CLGRAD_STATUS_SUCCESS)
        clgrad_conf_loss_make_sequences(c, y, input_lengths, target_lengths);
    c->classes = y;
    c->input_lengths = input_lengths;
    c->target_lengths = target_lengths;
}

static void draw_integers(clgrad_conf_run *run, clgrad_conf_loss_case *c)
{
    if (c->loss.kind == CLGRAD_LOSS_CTC) {
        draw_sequences(run, c);
        return;
    }
    const size_t count = clgrad_conf_loss_count(c), rows = clgrad_conf_loss_rows(c);
    int32_t *y = clgrad_conf_memory(run, count > rows ? count : rows, sizeof *y);
    c->classes = y;
    if (y != NULL && c->loss.kind == CLGRAD_LOSS_MULTILABEL_MARGIN)
        clgrad_conf_loss_make_label_lists(c, y);
    else if (y != NULL)
        clgrad_conf_loss_make_classes(c, y);
}

/* ---- all of a case ---- */

static int rank_of(clgrad_loss_extent extent)
{
    return extent == CLGRAD_LOSS_CHANNEL || extent == CLGRAD_LOSS_SEQUENCE ? 3 : 2;
}

bool clgrad_conf_loss_draw(clgrad_conf_run *run, const clgrad_conf_loss_setting *setting, const size_t *shape,
                           clgrad_conf_loss_case *c)
{
    const clgrad_loss_info *info = clgrad_loss_describe(setting->loss.kind);
    *c = (clgrad_conf_loss_case){.loss = setting->loss, .info = info, .rank = rank_of(info->extent)};
    memcpy(c->shape, shape, (size_t)c->rank * sizeof *shape);
    const size_t count = clgrad_conf_loss_count(c), rows = clgrad_conf_loss_rows(c);
    const bool integers =
        (info->flags & CLGRAD_LOSS_TAKES_INTEGERS) ||
        ((info->flags & CLGRAD_LOSS_TAKES_CLASSES) && (setting->with & CLGRAD_CONF_WITH_CLASSES));
    float *prediction = clgrad_conf_floats(run, count), *other = clgrad_conf_floats(run, count);
    float *target = clgrad_conf_floats(run, count > rows ? count : rows);
    float *dvalue = clgrad_conf_floats(run, rows + 1);
    if (run->status != CLGRAD_STATUS_SUCCESS)
        return false;
    clgrad_conf_normal(prediction, count, 1, 2);
    clgrad_conf_loss_make_prediction(c, prediction, count);
    c->prediction = prediction;
    if (integers) {
        draw_integers(run, c);
    } else {
        const size_t targets = info->flags & CLGRAD_LOSS_TAKES_ROW_TARGET ? rows : count;
        clgrad_conf_normal(target, targets, 2, 2);
        clgrad_conf_loss_make_target(c, target, targets);
        c->target = target;
    }
    if (info->flags & CLGRAD_LOSS_TAKES_OTHER) {
        clgrad_conf_normal(other, count, 3, 2);
        clgrad_conf_loss_make_other(c, other, count);
        c->other = other;
    }
    if (setting->with & CLGRAD_CONF_WITH_WEIGHT)
        draw_weights(run, c);
    if (setting->with & CLGRAD_CONF_WITH_DVALUE) {
        clgrad_conf_normal(dvalue, rows + 1, 6, 1);
        c->dvalue = dvalue;
    }
    return run->status == CLGRAD_STATUS_SUCCESS;
}
