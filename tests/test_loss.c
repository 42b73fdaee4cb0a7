/*
 * Losses: the list. Their numbers are tested in test_loss_golden.c, test_loss_values.c, test_loss_special.c
 * and their neighbours, class indices in test_loss_classes.c, refused arguments in test_loss_refusals.c.
 */
#include "loss_case.h"

static const clgrad_loss_kind unknown_kind = (clgrad_loss_kind)99;

static void values_and_names_never_change(clgrad_context *context)
{
    (void)context;
    static const struct {
        clgrad_loss_kind kind;
        const char *name;
    } rows[] = {
        {CLGRAD_LOSS_MSE, "mse"},
        {CLGRAD_LOSS_L2, "l2"},
        {CLGRAD_LOSS_L1, "l1"},
        {CLGRAD_LOSS_KL_DIV, "kl_div"},
        {CLGRAD_LOSS_KL_DIV_PROBABILITY, "kl_div_probability"},
        {CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, "cross_entropy_probability"},
        {CLGRAD_LOSS_BCE, "bce"},
        {CLGRAD_LOSS_BCE_BALANCED, "bce_balanced"},
        {CLGRAD_LOSS_CROSS_ENTROPY, "cross_entropy"},
        {CLGRAD_LOSS_HUBER, "huber"},
        {CLGRAD_LOSS_SMOOTH_L1, "smooth_l1"},
        {CLGRAD_LOSS_BCE_WITH_LOGITS, "bce_with_logits"},
        {CLGRAD_LOSS_POISSON_NLL, "poisson_nll"},
        {CLGRAD_LOSS_GAUSSIAN_NLL, "gaussian_nll"},
        {CLGRAD_LOSS_HINGE_EMBEDDING, "hinge_embedding"},
        {CLGRAD_LOSS_SOFT_MARGIN, "soft_margin"},
        {CLGRAD_LOSS_MARGIN_RANKING, "margin_ranking"},
        {CLGRAD_LOSS_NLL, "nll"},
        {CLGRAD_LOSS_FOCAL, "focal"},
        {CLGRAD_LOSS_SIGMOID_FOCAL, "sigmoid_focal"},
        {CLGRAD_LOSS_DICE, "dice"},
        {CLGRAD_LOSS_COSINE_EMBEDDING, "cosine_embedding"},
        {CLGRAD_LOSS_MULTI_MARGIN, "multi_margin"},
        {CLGRAD_LOSS_MULTILABEL_MARGIN, "multilabel_margin"},
        {CLGRAD_LOSS_MULTILABEL_SOFT_MARGIN, "multilabel_soft_margin"},
        {CLGRAD_LOSS_TRIPLET_MARGIN, "triplet_margin"},
        {CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE, "triplet_margin_with_distance"},
        {CLGRAD_LOSS_CTC, "ctc"},
    };
    static const char *const reductions[] = {"none", "mean", "sum", "batchmean"};
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_int_equal(rows[i].kind, i);
        assert_string_equal(clgrad_loss_describe(rows[i].kind)->name, rows[i].name);
    }
    for (size_t i = 0; i < COUNT(reductions); i++) {
        clgrad_reduction reduction = (clgrad_reduction)77;
        assert_string_equal(clgrad_reduction_name((clgrad_reduction)i), reductions[i]);
        assert_true(clgrad_reduction_parse(reductions[i], &reduction));
        assert_int_equal(reduction, i);
    }
    assert_int_equal(CLGRAD_REDUCTION_NONE, 0);
    assert_int_equal(CLGRAD_REDUCTION_MEAN, 1);
    assert_int_equal(CLGRAD_REDUCTION_SUM, 2);
    assert_int_equal(CLGRAD_REDUCTION_BATCHMEAN, 3);
}

static void each_row_describes_itself(clgrad_context *context)
{
    (void)context;
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        const clgrad_loss_info *info = clgrad_loss_describe(kind);
        clgrad_loss_kind parsed = unknown_kind;
        assert_non_null(info);
        assert_true(clgrad_loss_parse(info->name, &parsed));
        assert_int_equal(parsed, kind);
        assert_true(strlen(info->formula) > 0 && strlen(info->gradient) > 0 && strlen(info->source) > 0);
        assert_true(info->bound > 0);
        assert_true(info->extent <= CLGRAD_LOSS_SEQUENCE && info->input <= CLGRAD_LOSS_LOG_PROBABILITY);
        const clgrad_loss defaults = clgrad_loss_defaults(kind);
        assert_int_equal(defaults.kind, kind);
        assert_int_equal(defaults.reduction, CLGRAD_REDUCTION_MEAN);
        assert_parameters_default(info->parameters, &defaults);
    }
}

static void unknown_rows_are_told(clgrad_context *context)
{
    (void)context;
    const char *names[] = {"MSE", "mse ", "ms", "", "no_such_loss", NULL};
    for (size_t i = 0; i < COUNT(names); i++) {
        clgrad_loss_kind kind = unknown_kind;
        clgrad_reduction reduction = (clgrad_reduction)77;
        assert_false(clgrad_loss_parse(names[i], &kind));
        assert_int_equal(kind, unknown_kind);
        assert_false(clgrad_reduction_parse(names[i], &reduction));
        assert_int_equal(reduction, 77);
    }
    assert_null(clgrad_loss_describe(unknown_kind));
    assert_null(clgrad_loss_describe((clgrad_loss_kind)CLGRAD_LOSS_COUNT));
    assert_null(clgrad_loss_describe((clgrad_loss_kind)-1));
    assert_string_equal(clgrad_reduction_name((clgrad_reduction)4), "unknown");
    assert_string_equal(clgrad_reduction_name((clgrad_reduction)-1), "unknown");
}

/* PyTorch's defaults, where the same name has several. */
static void defaults_are_pytorchs(clgrad_context *context)
{
    (void)context;
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_BCE_BALANCED).alpha == 0.5f);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_SIGMOID_FOCAL).alpha == 0.25f);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY).ignore_index == -100);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY).label_smoothing == 0);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_HUBER).delta == 1);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_SMOOTH_L1).beta == 1);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_POISSON_NLL).log_input);
    assert_false(clgrad_loss_defaults(CLGRAD_LOSS_POISSON_NLL).full);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_POISSON_NLL).eps == 1e-8f);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_GAUSSIAN_NLL).eps == 1e-6f);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_TRIPLET_MARGIN).eps == 1e-6f);
    assert_int_equal(clgrad_loss_defaults(CLGRAD_LOSS_TRIPLET_MARGIN).p, 2);
    assert_int_equal(clgrad_loss_defaults(CLGRAD_LOSS_MULTI_MARGIN).p, 1);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_MULTI_MARGIN).margin == 1);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_MARGIN_RANKING).margin == 0);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_COSINE_EMBEDDING).margin == 0);
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_HINGE_EMBEDDING).margin == 1);
    assert_int_equal(clgrad_loss_defaults(CLGRAD_LOSS_CTC).blank, 0);
    assert_false(clgrad_loss_defaults(CLGRAD_LOSS_CTC).zero_infinity);
}

/*
 * Every flag of the list belongs to some loss, and a case drawn for a loss has what the flags say: what the
 * other programs test is drawn from the list.
 */
static void cases_have_what_the_flags_say(clgrad_context *context)
{
    (void)context;
    unsigned used = 0;
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        const unsigned flags = clgrad_loss_describe(kind)->flags;
        loss_drawn *drawn = loss_draw(clgrad_loss_defaults(kind), 3, (size_t[]){4, 3, 3}, loss_ways(kind));
        const loss_case *c = &drawn->c;
        const unsigned integers = CLGRAD_LOSS_TAKES_CLASSES | CLGRAD_LOSS_TAKES_INTEGERS;
        const unsigned weights = CLGRAD_LOSS_TAKES_WEIGHT | CLGRAD_LOSS_TAKES_CLASS_WEIGHT;
        used |= flags;
        assert_int_equal(c->classes != NULL, (flags & integers) != 0);
        assert_int_equal(c->target != NULL, (flags & integers) == 0);
        assert_int_equal(c->other != NULL, (flags & CLGRAD_LOSS_TAKES_OTHER) != 0);
        assert_int_equal(c->weight.numbers != NULL, (flags & weights) != 0);
        assert_int_equal(c->pos_weight.numbers != NULL, (flags & CLGRAD_LOSS_TAKES_POS_WEIGHT) != 0);
        assert_int_equal(c->input_lengths != NULL, (flags & CLGRAD_LOSS_TAKES_LENGTHS) != 0);
        assert_int_equal(c->target_lengths != NULL, (flags & CLGRAD_LOSS_TAKES_LENGTHS) != 0);
        assert_non_null(c->dvalue);
        loss_drawn_free(drawn);
    }
    assert_int_equal(used, 2 * CLGRAD_LOSS_GIVES_DOTHER - 1);
}

/* Each parameter is tried at another value than its default, and each flag both ways. */
static void settings_reach_every_parameter(clgrad_context *context)
{
    (void)context;
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_info *info = clgrad_loss_describe((clgrad_loss_kind)k);
        for (const clgrad_parameter *p = info->parameters; p->name != NULL; p++) {
            size_t alone = 0;
            clgrad_loss loss;
            for (size_t s = 0; loss_setting((clgrad_loss_kind)k, s, &loss); s++) {
                bool others_at_default = true;
                for (const clgrad_parameter *q = info->parameters; q->name != NULL; q++)
                    others_at_default &= q == p || clgrad_parameter_get(q, &loss) == q->default_value;
                alone += others_at_default && clgrad_parameter_get(p, &loss) != p->default_value;
            }
            if (alone == 0)
                fail_msg("%s is never tried with another %s", info->name, p->name);
        }
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(values_and_names_never_change), CASE(each_row_describes_itself),
        CASE(unknown_rows_are_told),         CASE(defaults_are_pytorchs),
        CASE(cases_have_what_the_flags_say), CASE(settings_reach_every_parameter),
    };
    return run_on_every_device(cases, COUNT(cases));
}
