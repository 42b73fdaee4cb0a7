/*
 * What kind of numbers a loss takes comes from its list's row; here stands only what the row cannot say, such
 * as targets of 1 and -1.
 */
#include "loss_draw.h"

#include <math.h>
#include <string.h>

static double squash(double x)
{
    return 1 / (1 + exp(-x));
}

unsigned clgrad_conf_loss_ways(clgrad_loss_kind kind)
{
    const unsigned flags = clgrad_loss_describe(kind)->flags;
    const unsigned weights =
        CLGRAD_LOSS_TAKES_WEIGHT | CLGRAD_LOSS_TAKES_CLASS_WEIGHT | CLGRAD_LOSS_TAKES_POS_WEIGHT;
    return CLGRAD_CONF_WITH_DVALUE |
           (flags & CLGRAD_LOSS_TAKES_CLASSES ? (unsigned)CLGRAD_CONF_WITH_CLASSES : 0u) |
           (flags & weights ? (unsigned)CLGRAD_CONF_WITH_WEIGHT : 0u);
}

/* ---- float operands ---- */

static void draw_prediction(const clgrad_conf_loss_case *c, float *p, size_t count)
{
    const clgrad_loss_input input = c->info->input;
    clgrad_conf_normal(p, count, 1, 2);
    for (size_t i = 0; i < count; i++) {
        if (input == CLGRAD_LOSS_PROBABILITY)
            p[i] = (float)squash(p[i]);
        else if (input == CLGRAD_LOSS_LOG_PROBABILITY)
            p[i] = (float)log(squash(p[i]));
        else if (c->loss.kind == CLGRAD_LOSS_POISSON_NLL && !c->loss.log_input)
            p[i] = fabsf(p[i]) + 0.01f;
    }
}

static bool has_signs_for_targets(clgrad_loss_kind kind)
{
    return kind == CLGRAD_LOSS_HINGE_EMBEDDING || kind == CLGRAD_LOSS_SOFT_MARGIN ||
           kind == CLGRAD_LOSS_MARGIN_RANKING || kind == CLGRAD_LOSS_COSINE_EMBEDDING;
}

/* Numbers where the prediction is one, probabilities otherwise; every seventh is 0, some are 1. */
static void draw_target(const clgrad_conf_loss_case *c, float *t, size_t count)
{
    const clgrad_loss_kind kind = c->loss.kind;
    clgrad_conf_normal(t, count, 2, 2);
    for (size_t i = 0; i < count; i++) {
        const float probability = i % 7 == 3 ? 0.0f : i % 11 == 5 ? 1.0f : (float)squash(t[i]);
        if (has_signs_for_targets(kind))
            t[i] = i % 13 == 4 ? 0.5f : t[i] > 0 ? 1.0f : -1.0f;
        else if (kind == CLGRAD_LOSS_POISSON_NLL)
            t[i] = i % 7 == 3 ? 0.0f : i % 5 == 1 ? floorf(fabsf(t[i])) : fabsf(t[i]);
        else if (kind == CLGRAD_LOSS_KL_DIV && c->loss.log_target)
            t[i] = (float)log(squash(t[i]));
        else if (c->info->input != CLGRAD_LOSS_NUMBER)
            t[i] = probability;
    }
}

/* A variance is positive; what is not counts as eps. */
static void draw_other(const clgrad_conf_loss_case *c, float *o, size_t count)
{
    clgrad_conf_normal(o, count, 3, 2);
    for (size_t i = 0; i < count && c->loss.kind == CLGRAD_LOSS_GAUSSIAN_NLL; i++)
        o[i] = i % 17 == 3 ? -0.5f : 2 * (float)squash(o[i]);
}

static const float *draw_weight(clgrad_conf_run *run, size_t count, uint64_t seed)
{
    float *weight = clgrad_conf_floats(run, count);
    if (weight == NULL)
        return NULL;
    clgrad_conf_normal(weight, count, seed, 1);
    for (size_t i = 0; i < count; i++)
        weight[i] = 0.25f + (float)squash(weight[i]);
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

/* ---- integer operands ---- */

/* Lists of labels with a -1 behind them, and behind that what does not count. */
static void draw_label_lists(const clgrad_conf_loss_case *c, int32_t *y)
{
    const size_t classes = c->shape[1];
    for (size_t i = 0; i < c->shape[0]; i++)
        for (size_t k = 0; k < classes; k++) {
            const size_t length = i * 5 % (classes + 1);
            y[i * classes + k] = k < length    ? (int32_t)((i + 3 * k) % classes)
                                 : k == length ? -1
                                               : (int32_t)(classes + 5);
        }
}

/* Labels that are not the blank, some of them twice in a row, and lengths that leave room for the alignment.
 */
static void draw_sequences(clgrad_conf_run *run, clgrad_conf_loss_case *c)
{
    const size_t times = c->shape[0], batch = c->shape[1];
    const size_t labels = c->shape[2] > 0 ? c->shape[2] - 1 : 0;
    c->room = times / 2 + 1;
    int32_t *y = clgrad_conf_memory(run, batch * c->room, sizeof *y);
    int32_t *input_lengths = clgrad_conf_memory(run, batch, sizeof *input_lengths);
    int32_t *target_lengths = clgrad_conf_memory(run, batch, sizeof *target_lengths);
    for (size_t b = 0; b < batch && run->status == CLGRAD_STATUS_SUCCESS; b++) {
        const size_t time = times - (times > 2 ? b % 3 : 0);
        const size_t most = labels == 0 ? 0 : time / 2 < c->room ? time / 2 : c->room;
        input_lengths[b] = (int32_t)time;
        target_lengths[b] = (int32_t)(b == 0 ? most : b * 7 % (most + 1));
        for (size_t k = 0; k < c->room; k++) {
            const size_t label = labels == 0 ? 0 : (b + k / 2 * 5 + k % 2 * (b % 2)) % labels;
            y[b * c->room + k] = (int32_t)(label >= (size_t)c->loss.blank ? label + 1 : label);
        }
    }
    c->classes = y;
    c->input_lengths = input_lengths;
    c->target_lengths = target_lengths;
}

/* Class indices, every fifth of which is ignored where that is possible. */
static void draw_classes(const clgrad_conf_loss_case *c, int32_t *y)
{
    const bool ignores = c->info->extent == CLGRAD_LOSS_CHANNEL;
    const size_t classes = c->shape[1] > 0 ? c->shape[1] : 1;
    for (size_t i = 0; i < clgrad_conf_loss_rows(c); i++)
        y[i] = ignores && i % 5 == 2 ? c->loss.ignore_index : (int32_t)(i * 7919 % classes);
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
        draw_label_lists(c, y);
    else if (y != NULL)
        draw_classes(c, y);
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
    draw_prediction(c, prediction, count);
    c->prediction = prediction;
    if (integers) {
        draw_integers(run, c);
    } else {
        draw_target(c, target, info->flags & CLGRAD_LOSS_TAKES_ROW_TARGET ? rows : count);
        c->target = target;
    }
    if (info->flags & CLGRAD_LOSS_TAKES_OTHER) {
        draw_other(c, other, count);
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
