/*
 * Numbers and settings for a loss. What kind of numbers comes from its list's row; here stands only what the
 * row cannot say, such as targets of 1 and -1.
 */
#include "loss_case.h"

#include <stdio.h>

static double squash(double x)
{
    return 1 / (1 + exp(-x));
}

/* ---- settings ---- */

/* Values to try of each parameter; those outside of a loss's interval, and its default, are left out. */
static const struct {
    const char *name;
    int count;
    float values[4];
} alternatives[] = {
    {"alpha", 4, {0.3f, -0.5f, 0, 1}},
    {"beta", 2, {0.3f, 0}},
    {"blank", 1, {1}},
    {"delta", 2, {0.3f, 2.5f}},
    {"distance", 2, {1, 2}},
    {"eps", 2, {0.125f, 1e-3f}},
    {"full", 1, {1}},
    {"gamma", 4, {0.5f, 0, 1, 5}},
    {"ignore_index", 1, {1}},
    {"label_smoothing", 2, {0.1f, 1}},
    {"log_input", 1, {0}},
    {"log_target", 1, {1}},
    {"margin", 3, {0.3f, -0.4f, 2.5f}},
    {"p", 3, {2, 1, 3}},
    {"smooth", 2, {0.25f, 0}},
    {"swap", 1, {1}},
    {"zero_infinity", 1, {1}},
};

/* The k-th value to try of a parameter; false when there are no more. */
static bool alternative(const clgrad_parameter *parameter, size_t k, float *value)
{
    for (size_t i = 0; i < COUNT(alternatives); i++) {
        if (strcmp(alternatives[i].name, parameter->name) != 0)
            continue;
        for (int j = 0; j < alternatives[i].count; j++) {
            const float candidate = alternatives[i].values[j];
            const bool allowed = candidate >= parameter->minimum && candidate <= parameter->maximum;
            if (allowed && candidate != parameter->default_value && k-- == 0) {
                *value = candidate;
                return true;
            }
        }
    }
    return false;
}

static void set(const clgrad_parameter *parameter, clgrad_loss *loss, float value)
{
    if (!clgrad_parameter_set(parameter, loss, value))
        fail_msg("%s cannot be %g", parameter->name, (double)value);
}

bool loss_setting(clgrad_loss_kind kind, size_t index, clgrad_loss *loss)
{
    const clgrad_parameter *parameters = clgrad_loss_describe(kind)->parameters;
    *loss = clgrad_loss_defaults(kind);
    if (index == 0)
        return true;
    float value;
    size_t count = 0;
    for (const clgrad_parameter *p = parameters; p->name != NULL; p++, count++) {
        if (!alternative(p, 0, &value))
            fail_msg("loss_draw.c names no value to try of %s", p->name);
        for (size_t k = 0; alternative(p, k, &value); k++)
            if (--index == 0) {
                set(p, loss, value);
                return true;
            }
    }
    if (count < 2 || index != 1)
        return false;
    for (const clgrad_parameter *p = parameters; p->name != NULL; p++)
        if (alternative(p, 0, &value))
            set(p, loss, value);
    return true;
}

unsigned loss_ways(clgrad_loss_kind kind)
{
    const unsigned flags = clgrad_loss_describe(kind)->flags;
    const unsigned weights =
        CLGRAD_LOSS_TAKES_WEIGHT | CLGRAD_LOSS_TAKES_CLASS_WEIGHT | CLGRAD_LOSS_TAKES_POS_WEIGHT;
    return LOSS_WITH_DVALUE | (flags & CLGRAD_LOSS_TAKES_CLASSES ? LOSS_WITH_CLASSES : 0u) |
           (flags & weights ? LOSS_WITH_WEIGHT : 0u);
}

bool loss_reduces_by(clgrad_loss_kind kind, clgrad_reduction reduction)
{
    return reduction != CLGRAD_REDUCTION_BATCHMEAN || kind == CLGRAD_LOSS_KL_DIV ||
           kind == CLGRAD_LOSS_KL_DIV_PROBABILITY;
}

/* ---- float operands ---- */

/* What the row says of the prediction: a number, a logit, a probability or its logarithm. */
static void draw_prediction(const loss_case *c, float *p, size_t count)
{
    const clgrad_loss_input input = loss_case_info(c)->input;
    fill_normal(p, count, 100 + count, 2);
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
static void draw_target(const loss_case *c, float *t, size_t count)
{
    const clgrad_loss_kind kind = c->loss.kind;
    fill_normal(t, count, 200 + count, 2);
    for (size_t i = 0; i < count; i++) {
        const float probability = i % 7 == 3 ? 0.0f : i % 11 == 5 ? 1.0f : (float)squash(t[i]);
        if (has_signs_for_targets(kind))
            t[i] = i % 13 == 4 ? 0.5f : t[i] > 0 ? 1.0f : -1.0f;
        else if (kind == CLGRAD_LOSS_POISSON_NLL)
            t[i] = i % 7 == 3 ? 0.0f : i % 5 == 1 ? floorf(fabsf(t[i])) : fabsf(t[i]);
        else if (kind == CLGRAD_LOSS_KL_DIV && c->loss.log_target)
            t[i] = (float)log(squash(t[i]));
        else if (loss_case_info(c)->input != CLGRAD_LOSS_NUMBER)
            t[i] = probability;
    }
}

/* A variance is positive; what is not counts as eps. */
static void draw_other(const loss_case *c, float *o, size_t count)
{
    fill_normal(o, count, 400 + count, 2);
    for (size_t i = 0; i < count && c->loss.kind == CLGRAD_LOSS_GAUSSIAN_NLL; i++)
        o[i] = i % 17 == 3 ? -0.5f : 2 * (float)squash(o[i]);
}

static void draw_weight(float *weight, size_t count, uint64_t seed)
{
    fill_normal(weight, count, seed + count, 1);
    for (size_t i = 0; i < count; i++)
        weight[i] = 0.25f + (float)squash(weight[i]);
}

/* ---- integer operands ---- */

/* Lists of labels with a -1 behind them, and behind that what does not count. */
static void draw_label_lists(const loss_case *c, int32_t *y)
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
static void draw_sequences(const loss_case *c, loss_numbers *n)
{
    const size_t times = c->shape[0], batch = c->shape[1], labels = c->shape[2] - 1;
    for (size_t b = 0; b < batch; b++) {
        const size_t time = times - (times > 2 ? b % 3 : 0);
        const size_t most = labels == 0 ? 0 : time / 2 < c->room ? time / 2 : c->room;
        n->input_lengths[b] = (int32_t)time;
        n->target_lengths[b] = (int32_t)(b == 0 ? most : b * 7 % (most + 1));
        for (size_t k = 0; k < c->room; k++) {
            const size_t label = labels == 0 ? 0 : (b + k / 2 * 5 + k % 2 * (b % 2)) % labels;
            n->classes[b * c->room + k] = (int32_t)(label >= (size_t)c->loss.blank ? label + 1 : label);
        }
    }
}

/* Class indices, every fifth of which is ignored where that is possible. */
static void draw_classes(const loss_case *c, int32_t *y)
{
    const bool ignores = loss_case_info(c)->extent == CLGRAD_LOSS_CHANNEL;
    for (size_t i = 0; i < loss_case_rows(c); i++)
        y[i] = ignores && i % 5 == 2 ? c->loss.ignore_index : (int32_t)(i * 7919 % c->shape[1]);
}

static void draw_integers(loss_case *c, loss_numbers *n)
{
    if (c->loss.kind == CLGRAD_LOSS_CTC) {
        c->room = c->shape[0] / 2 + 1;
        n->classes = allocate(c->shape[1] * c->room, sizeof *n->classes);
        n->input_lengths = allocate(c->shape[1], sizeof *n->input_lengths);
        n->target_lengths = allocate(c->shape[1], sizeof *n->target_lengths);
        draw_sequences(c, n);
    } else {
        n->classes = allocate(loss_case_count(c), sizeof *n->classes);
        if (c->loss.kind == CLGRAD_LOSS_MULTILABEL_MARGIN)
            draw_label_lists(c, n->classes);
        else
            draw_classes(c, n->classes);
    }
    c->classes = n->classes;
    c->input_lengths = n->input_lengths;
    c->target_lengths = n->target_lengths;
}

/* ---- all of a case ---- */

/* Weights of classes; or of elements: the same along the first dimension, and the positive's along the last.
 */
static void draw_weights(loss_case *c, loss_numbers *n)
{
    const unsigned flags = loss_case_info(c)->flags;
    size_t count = 1; /* enough also where a dimension of 0 leaves no elements, but classes */
    for (int i = 0; i < c->rank; i++)
        count *= c->shape[i] > 0 ? c->shape[i] : 1;
    n->weight = allocate(count, sizeof *n->weight);
    n->pos_weight = allocate(count, sizeof *n->pos_weight);
    draw_weight(n->weight, count, 500);
    draw_weight(n->pos_weight, count, 600);
    if (flags & CLGRAD_LOSS_TAKES_CLASS_WEIGHT)
        c->weight = (loss_weight){n->weight, 1, {c->shape[1]}};
    if (flags & CLGRAD_LOSS_TAKES_WEIGHT) {
        c->weight = (loss_weight){.numbers = n->weight, .rank = c->rank};
        memcpy(c->weight.shape, c->shape, sizeof c->shape);
        if (c->rank > 1)
            c->weight.shape[0] = 1;
    }
    if (flags & CLGRAD_LOSS_TAKES_POS_WEIGHT)
        c->pos_weight =
            (loss_weight){n->pos_weight, c->rank > 0 ? 1 : 0, {c->shape[c->rank - (c->rank > 0)]}};
}

static void write_label(loss_drawn *drawn, unsigned with)
{
    const loss_case *c = &drawn->c;
    size_t used = 0;
    const size_t room = sizeof drawn->label;
    used += (size_t)snprintf(drawn->label, room, "%s", loss_case_info(c)->name);
    for (const clgrad_parameter *p = loss_case_info(c)->parameters; p->name != NULL; p++)
        used += (size_t)snprintf(drawn->label + used, room - used, " %s %g", p->name,
                                 (double)clgrad_parameter_get(p, &c->loss));
    used +=
        (size_t)snprintf(drawn->label + used, room - used, " %s [", clgrad_reduction_name(c->loss.reduction));
    for (int i = 0; i < c->rank; i++)
        used += (size_t)snprintf(drawn->label + used, room - used, i > 0 ? ", %zu" : "%zu", c->shape[i]);
    snprintf(drawn->label + used, room - used, "]%s%s%s", with & LOSS_WITH_CLASSES ? ", classes" : "",
             with & LOSS_WITH_WEIGHT ? ", weight" : "", with & LOSS_WITH_DVALUE ? ", dvalue" : "");
}

loss_drawn *loss_draw(clgrad_loss loss, int rank, const size_t *shape, unsigned with)
{
    loss_drawn *drawn = allocate(1, sizeof *drawn);
    loss_case *c = &drawn->c;
    loss_numbers *n = &drawn->numbers;
    const unsigned flags = clgrad_loss_describe(loss.kind)->flags;
    *c = (loss_case){.label = drawn->label, .loss = loss, .rank = rank};
    memcpy(c->shape, shape, (size_t)rank * sizeof *shape);
    if (loss.kind == CLGRAD_LOSS_CTC && (size_t)loss.blank >= shape[2])
        c->loss.blank = 0;

    const size_t count = loss_case_count(c), rows = loss_case_rows(c);
    c->prediction = n->prediction = allocate(count, sizeof *n->prediction);
    draw_prediction(c, n->prediction, count);
    if ((flags & CLGRAD_LOSS_TAKES_INTEGERS) ||
        (flags & CLGRAD_LOSS_TAKES_CLASSES && with & LOSS_WITH_CLASSES)) {
        draw_integers(c, n);
    } else {
        c->target = n->target = allocate(count, sizeof *n->target);
        draw_target(c, n->target, flags & CLGRAD_LOSS_TAKES_ROW_TARGET ? rows : count);
    }
    if (flags & CLGRAD_LOSS_TAKES_OTHER) {
        c->other = n->other = allocate(count, sizeof *n->other);
        draw_other(c, n->other, count);
    }
    if (with & LOSS_WITH_WEIGHT)
        draw_weights(c, n);
    if (with & LOSS_WITH_DVALUE) {
        c->dvalue = n->dvalue = allocate(rows, sizeof *n->dvalue);
        fill_normal(n->dvalue, rows > 0 ? rows : 1, 300 + count, 1);
    }
    write_label(drawn, with);
    return drawn;
}

void loss_drawn_free(loss_drawn *drawn)
{
    loss_numbers *n = &drawn->numbers;
    free(n->prediction);
    free(n->target);
    free(n->other);
    free(n->weight);
    free(n->pos_weight);
    free(n->dvalue);
    free(n->classes);
    free(n->input_lengths);
    free(n->target_lengths);
    free(drawn);
}
