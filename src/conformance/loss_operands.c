/*
 * From random numbers to operands that a loss takes, for the conformance cases and for the tests of losses,
 * which draw numbers of their own. What kind of numbers a loss takes comes from its list's row; here stands
 * only what the row cannot say, such as targets of 1 and -1.
 */
#include "loss.h"

#include <math.h>

static double squash(double x)
{
    return 1 / (1 + exp(-x));
}

/* ---- float operands, of normal numbers ---- */

void clgrad_conf_loss_make_prediction(const clgrad_conf_loss_case *c, float *p, size_t count)
{
    const clgrad_loss_input input = c->info->input;
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

void clgrad_conf_loss_make_target(const clgrad_conf_loss_case *c, float *t, size_t count)
{
    const clgrad_loss_kind kind = c->loss.kind;
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

void clgrad_conf_loss_make_other(const clgrad_conf_loss_case *c, float *o, size_t count)
{
    for (size_t i = 0; i < count && c->loss.kind == CLGRAD_LOSS_GAUSSIAN_NLL; i++)
        o[i] = i % 17 == 3 ? -0.5f : 2 * (float)squash(o[i]);
}

void clgrad_conf_loss_make_weight(float *weight, size_t count)
{
    for (size_t i = 0; i < count; i++)
        weight[i] = 0.25f + (float)squash(weight[i]);
}

/* ---- integer operands ---- */

void clgrad_conf_loss_make_label_lists(const clgrad_conf_loss_case *c, int32_t *y)
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

void clgrad_conf_loss_make_sequences(const clgrad_conf_loss_case *c, int32_t *y, int32_t *input_lengths,
                                     int32_t *target_lengths)
{
    const size_t times = c->shape[0], batch = c->shape[1];
    const size_t labels = c->shape[2] > 0 ? c->shape[2] - 1 : 0;
    for (size_t b = 0; b < batch; b++) {
        const size_t time = times - (times > 2 ? b % 3 : 0);
        const size_t most = labels == 0 ? 0 : time / 2 < c->room ? time / 2 : c->room;
        input_lengths[b] = (int32_t)time;
        target_lengths[b] = (int32_t)(b == 0 ? most : b * 7 % (most + 1));
        for (size_t k = 0; k < c->room; k++) {
            const size_t label = labels == 0 ? 0 : (b + k / 2 * 5 + k % 2 * (b % 2)) % labels;
            y[b * c->room + k] = (int32_t)(label >= (size_t)c->loss.blank ? label + 1 : label);
        }
    }
}

void clgrad_conf_loss_make_classes(const clgrad_conf_loss_case *c, int32_t *y)
{
    const bool ignores = c->info->extent == CLGRAD_LOSS_CHANNEL;
    const size_t classes = c->shape[1] > 0 ? c->shape[1] : 1;
    for (size_t i = 0; i < clgrad_conf_loss_rows(c); i++)
        y[i] = ignores && i % 5 == 2 ? c->loss.ignore_index : (int32_t)(i * 7919 % classes);
}
