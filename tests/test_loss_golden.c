/*
 * Losses against a third source: the reference's formulas, called directly, and every device. And that the
 * third source knows every row, every option and every operand of the list.
 */
#include "loss_case.h"

#include "golden/loss.h"

#define MOST_VALUES 256

static size_t copy_shape(size_t *to, const size_t *from, int rank)
{
    size_t count = 1;
    for (int i = 0; i < rank; i++)
        count *= to[i] = from[i];
    return count;
}

static loss_case golden_case(const golden_loss *g, float *dvalue)
{
    loss_case c = {.label = g->label,
                   .loss = clgrad_loss_defaults(g->kind),
                   .rank = g->rank,
                   .prediction = g->prediction,
                   .target = g->target,
                   .other = g->other,
                   .classes = g->classes,
                   .room = g->room,
                   .input_lengths = g->input_lengths,
                   .target_lengths = g->target_lengths,
                   .weight = {.numbers = g->weight, .rank = g->weight_rank},
                   .pos_weight = {.numbers = g->pos_weight, .rank = g->pos_weight_rank}};
    c.loss.reduction = g->reduction;
    set_parameters(clgrad_loss_describe(g->kind)->parameters, &c.loss, g->parameters);
    copy_shape(c.shape, g->shape, g->rank);
    copy_shape(c.weight.shape, g->weight_shape, g->weight_rank);
    copy_shape(c.pos_weight.shape, g->pos_weight_shape, g->pos_weight_rank);
    assert_true(g->value_count <= MOST_VALUES);
    for (size_t i = 0; g->dvalue != NULL && i < g->value_count; i++)
        dvalue[i] = (float)g->dvalue[i];
    c.dvalue = g->dvalue != NULL ? dvalue : NULL;
    return c;
}

static void for_each_golden(clgrad_context *context,
                            void (*check)(clgrad_context *context, const golden_loss *g, const loss_case *c),
                            size_t step)
{
    float dvalue[MOST_VALUES];
    size_t k = 0;
    for (size_t group = 0; group < COUNT(golden_loss_groups); group++)
        for (size_t i = 0; i < golden_loss_groups[group].count; i++) {
            const golden_loss *g = &golden_loss_groups[group].losses[i];
            const loss_case c = golden_case(g, dvalue);
            if (k++ % step == 0)
                check(context, g, &c);
        }
}

/* ---- what there is ---- */

/* What golden values have been seen of one loss. */
typedef struct seen {
    bool reduced_by[CLGRAD_REDUCTION_BATCHMEAN + 1][2]; /* [1]: with an upstream gradient */
    bool other_than_default[CLGRAD_PARAMETER_MAX];
    bool target, classes, weight, pos_weight, dtarget, dother;
} seen;

static seen seen_of[CLGRAD_LOSS_COUNT];

static void see(clgrad_context *context, const golden_loss *g, const loss_case *c)
{
    (void)context;
    seen *s = &seen_of[g->kind];
    s->reduced_by[g->reduction][g->dvalue != NULL] = true;
    s->target |= g->target != NULL;
    s->classes |= g->classes != NULL;
    s->weight |= g->weight != NULL;
    s->pos_weight |= g->pos_weight != NULL;
    s->dtarget |= g->dtarget != NULL;
    s->dother |= g->dother != NULL;
    assert_int_equal(g->dtarget != NULL, loss_case_gives_dtarget(c));
    assert_int_equal(g->dother != NULL, loss_case_gives_dother(c));
    const clgrad_parameter *parameters = loss_case_info(c)->parameters;
    for (size_t i = 0; parameters[i].name != NULL; i++)
        s->other_than_default[i] |= g->parameters[i] != parameters[i].default_value;
}

static void require(bool there, clgrad_loss_kind kind, const char *what)
{
    if (!there)
        fail_msg("%s lacks golden values: %s", clgrad_loss_describe(kind)->name, what);
}

static void every_row_has_golden_values(clgrad_context *context)
{
    memset(seen_of, 0, sizeof seen_of);
    for_each_golden(context, see, 1);
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        const clgrad_loss_info *info = clgrad_loss_describe(kind);
        const seen *s = &seen_of[k];
        for (int r = 0; r <= CLGRAD_REDUCTION_BATCHMEAN; r++)
            if (loss_reduces_by(kind, (clgrad_reduction)r)) {
                require(s->reduced_by[r][0], kind, clgrad_reduction_name((clgrad_reduction)r));
                require(s->reduced_by[r][1], kind, "a reduction with an upstream gradient");
            }
        for (size_t i = 0; info->parameters[i].name != NULL; i++)
            require(s->other_than_default[i], kind, info->parameters[i].name);
        const unsigned classes = CLGRAD_LOSS_TAKES_CLASSES | CLGRAD_LOSS_TAKES_INTEGERS;
        const unsigned weights = CLGRAD_LOSS_TAKES_WEIGHT | CLGRAD_LOSS_TAKES_CLASS_WEIGHT;
        require(s->target || (info->flags & CLGRAD_LOSS_TAKES_INTEGERS), kind, "a float32 target");
        require(s->classes || !(info->flags & classes), kind, "an integer target");
        require(s->weight || !(info->flags & weights), kind, "weight");
        require(s->pos_weight || !(info->flags & CLGRAD_LOSS_TAKES_POS_WEIGHT), kind, "pos_weight");
        require(s->dtarget || !(info->flags & CLGRAD_LOSS_GIVES_DTARGET), kind, "dtarget");
        require(s->dother || !(info->flags & CLGRAD_LOSS_GIVES_DOTHER), kind, "dother");
    }
}

/* ---- what it says ---- */

/* To 1e-13 of the number itself, or where terms cancel to a few roundings of what cancels. */
static void compare(const loss_case *c, const char *what, const double *got, const double *wanted,
                    const double *terms, size_t count)
{
    for (size_t i = 0; wanted != NULL && i < count; i++) {
        const double tolerance = 1e-13 * fabs(wanted[i]) + (isfinite(terms[i]) ? 4e-15 * terms[i] : 0);
        if (!is_close(got[i], wanted[i], tolerance))
            fail_msg("%s: %s[%zu] is %.17g, not %.17g", c->label, what, i, got[i], wanted[i]);
    }
}

static void compare_with_reference(clgrad_context *context, const golden_loss *g, const loss_case *c)
{
    (void)context;
    assert_int_equal(g->value_count, loss_case_values(c));
    const loss_exact got = loss_case_reference(c), terms = loss_case_terms(c);
    const size_t count = loss_case_count(c);
    compare(c, "value", got.value, g->value, terms.value, g->value_count);
    compare(c, "dprediction", got.dprediction, g->gradient, terms.dprediction, count);
    compare(c, "dtarget", got.dtarget, g->dtarget, terms.dtarget, count);
    compare(c, "dother", got.dother, g->dother, terms.dother, count);
    loss_exact_free(got);
    loss_exact_free(terms);
}

static double *copied(const double *numbers, size_t count)
{
    if (numbers == NULL)
        return NULL;
    double *copy = allocate(count, sizeof *copy);
    memcpy(copy, numbers, count * sizeof *copy);
    return copy;
}

static void compare_with_device(clgrad_context *context, const golden_loss *g, const loss_case *c)
{
    const size_t count = loss_case_count(c);
    const loss_exact exact = {copied(g->value, g->value_count), copied(g->gradient, count),
                              copied(g->dtarget, count), copied(g->dother, count)};
    loss_case_check(context, c, exact);
    loss_exact_free(exact);
}

static void reference_matches_golden_values(clgrad_context *context)
{
    for_each_golden(context, compare_with_reference, 1);
}

static void device_matches_golden_values(clgrad_context *context)
{
    for_each_golden(context, compare_with_device, test_small() ? 13 : 1);
}

int main(void)
{
    const test_case cases[] = {
        CASE(every_row_has_golden_values),
        CASE(reference_matches_golden_values),
        CASE(device_matches_golden_values),
    };
    return run_on_every_device(cases, COUNT(cases));
}
