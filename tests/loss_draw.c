/*
 * Numbers and settings for a loss. What operands numbers become is what the conformance cases make of theirs
 * (src/conformance/loss_operands.c).
 */
#include "loss_case.h"

#include <stdio.h>

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
    return clgrad_conf_loss_ways(kind);
}

bool loss_reduces_by(clgrad_loss_kind kind, clgrad_reduction reduction)
{
    return reduction != CLGRAD_REDUCTION_BATCHMEAN || kind == CLGRAD_LOSS_KL_DIV ||
           kind == CLGRAD_LOSS_KL_DIV_PROBABILITY;
}

/* ---- operands ---- */

static void draw_weight(float *weight, size_t count, uint64_t seed)
{
    fill_normal(weight, count, seed + count, 1);
    clgrad_conf_loss_make_weight(weight, count);
}

static void draw_integers(loss_case *c, loss_numbers *n)
{
    const bool sequences = c->loss.kind == CLGRAD_LOSS_CTC;
    c->room = sequences ? c->shape[0] / 2 + 1 : 0;
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    n->classes = allocate(sequences ? c->shape[1] * c->room : loss_case_count(c), sizeof *n->classes);
    if (sequences) {
        n->input_lengths = allocate(c->shape[1], sizeof *n->input_lengths);
        n->target_lengths = allocate(c->shape[1], sizeof *n->target_lengths);
        clgrad_conf_loss_make_sequences(&same, n->classes, n->input_lengths, n->target_lengths);
    } else if (c->loss.kind == CLGRAD_LOSS_MULTILABEL_MARGIN) {
        clgrad_conf_loss_make_label_lists(&same, n->classes);
    } else {
        clgrad_conf_loss_make_classes(&same, n->classes);
    }
    c->classes = n->classes;
    c->input_lengths = n->input_lengths;
    c->target_lengths = n->target_lengths;
}

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
    const clgrad_conf_loss_case same = loss_case_conformance(c);
    c->prediction = n->prediction = allocate(count, sizeof *n->prediction);
    fill_normal(n->prediction, count, 100 + count, 2);
    clgrad_conf_loss_make_prediction(&same, n->prediction, count);
    if ((flags & CLGRAD_LOSS_TAKES_INTEGERS) ||
        (flags & CLGRAD_LOSS_TAKES_CLASSES && with & LOSS_WITH_CLASSES)) {
        draw_integers(c, n);
    } else {
        c->target = n->target = allocate(count, sizeof *n->target);
        const size_t targets = flags & CLGRAD_LOSS_TAKES_ROW_TARGET ? rows : count;
        fill_normal(n->target, targets, 200 + targets, 2);
        clgrad_conf_loss_make_target(&same, n->target, targets);
    }
    if (flags & CLGRAD_LOSS_TAKES_OTHER) {
        c->other = n->other = allocate(count, sizeof *n->other);
        fill_normal(n->other, count, 400 + count, 2);
        clgrad_conf_loss_make_other(&same, n->other, count);
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
