/*
 * Losses: every row of the list, with value and all gradients in one call.
 */
#include "loss_draw.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Tensors of a case, value and gradients as well. */
typedef struct tensors {
    clgrad_conf_pair prediction, target, other, weight, pos_weight, input_lengths, target_lengths, dvalue;
    clgrad_conf_pair value, dprediction, dtarget, dother;
} tensors;

static clgrad_conf_pair target_tensor(clgrad_conf_run *run, const clgrad_conf_loss_case *c)
{
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
    int rank = clgrad_conf_loss_value_shape(c, shape);
    if (c->classes == NULL) {
        const bool one_a_row = (c->info->flags & CLGRAD_LOSS_TAKES_ROW_TARGET) != 0;
        return one_a_row ? clgrad_conf_input(run, "target", rank, shape, c->target)
                         : clgrad_conf_input(run, "target", c->rank, c->shape, c->target);
    }
    if (c->loss.kind == CLGRAD_LOSS_MULTILABEL_MARGIN)
        return clgrad_conf_integers(run, "target", c->rank, c->shape, c->classes);
    if (c->loss.kind == CLGRAD_LOSS_CTC)
        shape[rank++] = c->room;
    return clgrad_conf_integers(run, "target", rank, shape, c->classes);
}

static tensors make_tensors(clgrad_conf_run *run, const clgrad_conf_loss_case *c)
{
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
    const int rank = clgrad_conf_loss_value_shape(c, shape) * (c->loss.reduction == CLGRAD_REDUCTION_NONE);
    tensors t = {
        .prediction = clgrad_conf_input(run, "prediction", c->rank, c->shape, c->prediction),
        .target = target_tensor(run, c),
        .other = clgrad_conf_input(run, "other", c->rank, c->shape, c->other),
        .weight = clgrad_conf_input(run, "weight", c->weight.rank, c->weight.shape, c->weight.numbers),
        .pos_weight = clgrad_conf_input(run, "pos_weight", c->pos_weight.rank, c->pos_weight.shape,
                                        c->pos_weight.numbers),
        .input_lengths = clgrad_conf_integers(run, "input_lengths", 1, &c->shape[1], c->input_lengths),
        .target_lengths = clgrad_conf_integers(run, "target_lengths", 1, &c->shape[1], c->target_lengths),
        .dvalue = clgrad_conf_input(run, "dvalue", rank, shape, c->dvalue),
        .dprediction = clgrad_conf_output(run, c->rank, c->shape)};
    if (c->dvalue == NULL)
        t.value = clgrad_conf_output(run, rank, shape);
    if (c->classes == NULL && (c->info->flags & CLGRAD_LOSS_GIVES_DTARGET))
        t.dtarget = clgrad_conf_output(run, c->rank, c->shape);
    if (c->info->flags & CLGRAD_LOSS_GIVES_DOTHER)
        t.dother = clgrad_conf_output(run, c->rank, c->shape);
    return t;
}

static clgrad_status evaluate(clgrad_conf_run *run, const clgrad_loss *loss, const tensors *t, int side)
{
    const clgrad_loss_inputs inputs = {.prediction = t->prediction.at[side],
                                       .target = t->target.at[side],
                                       .other = t->other.at[side],
                                       .weight = t->weight.at[side],
                                       .pos_weight = t->pos_weight.at[side],
                                       .input_lengths = t->input_lengths.at[side],
                                       .target_lengths = t->target_lengths.at[side]};
    const clgrad_loss_gradients gradients = {t->dprediction.at[side], t->dtarget.at[side],
                                             t->dother.at[side]};
    return clgrad_loss_evaluate(run->context[side], loss, &inputs, t->dvalue.at[side], t->value.at[side],
                                &gradients);
}

/* ---- units ---- */

/* What the reference holds, in double precision, with room for one number at least; NULL for what is absent.
 */
static double *widen(clgrad_conf_run *run, clgrad_conf_pair pair)
{
    const float *numbers = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, pair);
    if (numbers == NULL)
        return NULL;
    const size_t count = clgrad_tensor_count(pair.at[CLGRAD_CONF_REFERENCE]);
    double *wide = clgrad_conf_doubles(run, count + 1);
    for (size_t i = 0; wide != NULL && i < count; i++)
        wide[i] = numbers[i];
    return wide;
}

static void scale(double *numbers, size_t count, double factor)
{
    for (size_t i = 0; numbers != NULL && i < count; i++)
        numbers[i] *= factor;
}

/* The sums of the terms, from the unreduced loss on the reference. */
static clgrad_conf_sums units_of(clgrad_conf_run *run, const clgrad_conf_loss_case *c, const tensors *t)
{
    size_t shape[CLGRAD_TENSOR_MAX_RANK];
    const int rank = clgrad_conf_loss_value_shape(c, shape);
    clgrad_loss unreduced = c->loss;
    unreduced.reduction = CLGRAD_REDUCTION_NONE;
    tensors plain = *t;
    plain.dvalue = clgrad_conf_none();
    plain.value = clgrad_conf_output(run, rank, shape);
    plain.dprediction = clgrad_conf_output(run, c->rank, c->shape);
    if (clgrad_present(t->dtarget.at[0]))
        plain.dtarget = clgrad_conf_output(run, c->rank, c->shape);
    if (clgrad_present(t->dother.at[0]))
        plain.dother = clgrad_conf_output(run, c->rank, c->shape);
    clgrad_conf_sums sums = {0};
    if (clgrad_conf_over(run))
        return sums;
    const clgrad_status status = evaluate(run, &unreduced, &plain, CLGRAD_CONF_REFERENCE);
    if (status != CLGRAD_STATUS_SUCCESS) {
        clgrad_conf_give_up(run, status, "the reference: %s",
                            clgrad_context_error(run->context[CLGRAD_CONF_REFERENCE]));
        return sums;
    }
    sums = (clgrad_conf_sums){widen(run, plain.value), widen(run, plain.dprediction),
                              widen(run, plain.dtarget), widen(run, plain.dother)};
    double *scratch = clgrad_conf_doubles(run, c->shape[c->rank > 1] + 1);
    if (clgrad_conf_over(run) || sums.value == NULL || scratch == NULL)
        return sums;
    clgrad_conf_loss_terms(c, sums, scratch);
    const double unit = CLGRAD_CONF_U * clgrad_conf_loss_bound(c) / (double)c->info->bound;
    const size_t count = clgrad_conf_loss_count(c);
    scale(sums.value, clgrad_conf_loss_values(c), unit);
    scale(sums.dprediction, count, unit);
    scale(sums.dtarget, count, unit);
    scale(sums.dother, count, unit);
    return sums;
}

/* ---- cases ---- */

static void check(clgrad_conf_run *run, const void *of_case, const size_t *shape)
{
    const clgrad_conf_loss_setting *setting = of_case;
    clgrad_conf_loss_case c;
    if (!clgrad_conf_loss_draw(run, setting, shape, &c))
        return;
    const tensors t = make_tensors(run, &c);
    CLGRAD_CONF_CALL(run, evaluate(run, &c.loss, &t, side));
    if (clgrad_conf_over(run))
        return;
    const clgrad_conf_sums unit = units_of(run, &c, &t);
    const size_t values = clgrad_conf_loss_values(&c), count = clgrad_conf_loss_count(&c);
    /* what is below the smallest normal number on the way; divided by 1e-12 then, in bce_balanced */
    const double growth = c.loss.kind == CLGRAD_LOSS_BCE_BALANCED ? 1e12 : 1;
    const double lost = clgrad_conf_lost(run, 9 * growth);
    const size_t terms = count / (values > 0 ? values : 1) + 1;
    clgrad_conf_compare(run, "value", t.value, unit.value, clgrad_conf_lost(run, (double)terms));
    clgrad_conf_compare(run, "dprediction", t.dprediction, unit.dprediction, lost);
    clgrad_conf_compare(run, "dtarget", t.dtarget, unit.dtarget, lost);
    clgrad_conf_compare(run, "dother", t.dother, unit.dother, lost);
}

static bool reduces_by(clgrad_loss_kind kind, clgrad_reduction reduction)
{
    return reduction != CLGRAD_REDUCTION_BATCHMEAN || kind == CLGRAD_LOSS_KL_DIV ||
           kind == CLGRAD_LOSS_KL_DIV_PROBABILITY;
}

static void run_in(clgrad_conf_run *run, const clgrad_conf_loss_setting *setting, const char *dimensions,
                   const clgrad_conf_shape *shapes, size_t count)
{
    const clgrad_loss *loss = &setting->loss;
    char words[256], more[96];
    snprintf(more, sizeof more, "reduction=%s%s%s%s", clgrad_reduction_name(loss->reduction),
             setting->with & CLGRAD_CONF_WITH_CLASSES ? ", class indices" : "",
             setting->with & CLGRAD_CONF_WITH_WEIGHT ? ", weights" : "",
             setting->with & CLGRAD_CONF_WITH_DVALUE ? ", dvalue" : "");
    clgrad_conf_words(clgrad_loss_describe(loss->kind)->parameters, loss, more, words, sizeof words);
    clgrad_conf_sizes(run, &(clgrad_conf_case){check, setting, words, dimensions}, shapes, count);
}

typedef struct extent {
    const char *dimensions;
    clgrad_conf_shape ordinary, sizes[9];
    size_t count; /* of sizes; one more for full */
} extent;

static const extent extents[] = {
    [CLGRAD_LOSS_ELEMENT] =
        {"rows columns",
         {5, 13},
         {{0, 3}, {1, 1}, {1, 63}, {13, 5}, {257, 1}, {3, 100}, {33, 65}, {7, 9973}, {101, 9973}},
         8},
    [CLGRAD_LOSS_ROW] =
        {"batch classes",
         {7, 9},
         {{0, 3}, {1, 1}, {5, 1}, {1, 10}, {64, 2}, {257, 7}, {3, 1000}, {2003, 10}, {257, 1021}},
         8},
    [CLGRAD_LOSS_WHOLE] =
        {"rows columns",
         {5, 13},
         {{1, 1}, {1, 2}, {1, 63}, {13, 5}, {257, 1}, {3, 100}, {33, 65}, {7, 9973}, {101, 9973}},
         8},
    [CLGRAD_LOSS_CHANNEL] = {"batch classes inner",
                             {3, 5, 4},
                             {{0, 3, 1},
                              {1, 1, 1},
                              {5, 10, 1},
                              {3, 1, 5},
                              {257, 7, 1},
                              {3, 1000, 1},
                              {3, 4, 333},
                              {2003, 10, 1},
                              {257, 1021, 1}},
                             8},
    [CLGRAD_LOSS_SEQUENCE] =
        {"time batch classes",
         {6, 3, 3},
         {{1, 1, 1}, {5, 0, 3}, {1, 3, 2}, {6, 3, 3}, {9, 1, 1}, {40, 17, 12}, {101, 2, 5}, {300, 2, 5}},
         7},
};

/*
 * The defaults, plain and with all there is, in all sizes; every other setting so in one. In full each of the
 * ways alone too, and every setting in all sizes.
 */
static void run_loss(clgrad_conf_run *run, clgrad_loss_kind kind)
{
    const clgrad_loss_info *info = clgrad_loss_describe(kind);
    const extent *e = &extents[info->extent];
    const bool full = run->options.full;
    const unsigned ways = clgrad_conf_loss_ways(kind);
    clgrad_conf_loss_setting setting = {.loss = clgrad_loss_defaults(kind)};
    for (size_t k = 0; clgrad_conf_setting(run, info->parameters, k, &setting.loss); k++) {
        for (int r = CLGRAD_REDUCTION_NONE; r <= CLGRAD_REDUCTION_BATCHMEAN; r++)
            for (setting.with = 0; setting.with <= CLGRAD_CONF_WITH_ALL; setting.with++) {
                const bool some = setting.with == 0 || setting.with == ways ||
                                  (setting.with == CLGRAD_CONF_WITH_CLASSES && r == CLGRAD_REDUCTION_MEAN);
                setting.loss.reduction = (clgrad_reduction)r;
                if ((setting.with & ways) != setting.with || !reduces_by(kind, setting.loss.reduction))
                    continue;
                if (full || (k == 0 && some))
                    run_in(run, &setting, e->dimensions, e->sizes, e->count + full);
                if (k == 0 || some)
                    run_in(run, &setting, e->dimensions, &e->ordinary, 1);
            }
        setting.loss = clgrad_loss_defaults(kind);
    }
}

void clgrad_conf_loss(clgrad_conf_run *run)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_info *info = clgrad_loss_describe((clgrad_loss_kind)k);
        if (clgrad_conf_begin(run, "loss", info->name, NULL, "u", info->bound)) {
            run_loss(run, (clgrad_loss_kind)k);
            clgrad_conf_end(run);
        }
    }
}
