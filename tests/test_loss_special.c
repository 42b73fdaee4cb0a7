/*
 * Losses of one element at special values: infinities, kinks, the ends of domains. More of them are in
 * test_loss_special_rows.c, NaN is in test_loss_nan.c, the limits of float32 in test_loss_extreme.c.
 */
#include "loss_case.h"

#include <stdio.h>

/* What loss.h promises nothing about. */
#define ANY (-12345.0)

/* One element, or a row of one class: unreduced value and gradients by prediction, target and other. */
typedef struct special {
    clgrad_loss_kind kind;
    const char *parameter; /* set to number, where there is a name */
    float number;
    float p, t, o;
    double value, dprediction, dtarget, dother;
} special;

#define INF INFINITY
#define ROW(name) CLGRAD_LOSS_##name
#define PLAIN(name) CLGRAD_LOSS_##name, NULL, 0

static const special elements[] = {
    {PLAIN(MSE), INF, 0, 0, INF, INF, -INF, 0},
    {PLAIN(MSE), 1, INF, 0, INF, -INF, INF, 0},
    {PLAIN(MSE), 3e38f, -3e38f, 0, INF, INF, -INF, 0},
    {PLAIN(MSE), 0.0f, -0.0f, 0, 0, 0, 0, 0},
    {PLAIN(L2), INF, 0, 0, INF, NAN, ANY, 0},
    {PLAIN(L2), 3, -INF, 0, INF, NAN, ANY, 0},
    {PLAIN(L2), INF, INF, 0, NAN, NAN, ANY, 0},
    {PLAIN(L2), 0.0f, -0.0f, 0, 0, 0, ANY, 0},
    {PLAIN(L2), 3e38f, 0, 0, 3e38f, 1, ANY, 0},
    {PLAIN(L2), FLT_MIN, 0, 0, FLT_MIN, 1, ANY, 0},
    {PLAIN(L1), INF, 0, 0, INF, 1, -1, 0},
    {PLAIN(L1), -INF, INF, 0, INF, -1, 1, 0},
    {PLAIN(L1), INF, INF, 0, NAN, NAN, NAN, 0},
    {PLAIN(L1), -INF, -INF, 0, NAN, NAN, NAN, 0},
    {PLAIN(L1), 2.5f, 2.5f, 0, 0, 0, 0, 0},
    {PLAIN(L1), 0.0f, -0.0f, 0, 0, 0, 0, 0},
    {PLAIN(KL_DIV), -INF, 0, 0, 0, 0, 0, 0},
    {PLAIN(KL_DIV), INF, 0, 0, 0, 0, 0, 0},
    {PLAIN(KL_DIV), -1, 0, 0, 0, 0, 0, 0},
    {PLAIN(KL_DIV), -INF, 0.5f, 0, INF, -0.5, INF, 0},
    {PLAIN(KL_DIV), -1, -0.5f, 0, NAN, ANY, NAN, 0},
    {ROW(KL_DIV), "log_target", 1, -INF, -INF, 0, 0, 0, 0, 0},
    {ROW(KL_DIV), "log_target", 1, -1, -INF, 0, 0, 0, 0, 0},
    {ROW(KL_DIV), "log_target", 1, -INF, 0, 0, INF, -1, INF, 0},
    {ROW(KL_DIV), "log_target", 1, -1, 0, 0, 1, -1, 2, 0},
    {PLAIN(KL_DIV_PROBABILITY), 0, 0, 0, 0, 0, ANY, 0},
    {PLAIN(KL_DIV_PROBABILITY), 0, 0.5f, 0, INF, -INF, ANY, 0},
    {PLAIN(KL_DIV_PROBABILITY), -0.5f, 0.5f, 0, NAN, ANY, ANY, 0},
    {PLAIN(KL_DIV_PROBABILITY), 0.5f, -0.5f, 0, NAN, ANY, ANY, 0},
    {PLAIN(CROSS_ENTROPY_PROBABILITY), 0, 0, 0, 0, 0, ANY, 0},
    {PLAIN(CROSS_ENTROPY_PROBABILITY), 0, 1, 0, INF, -INF, ANY, 0},
    {PLAIN(CROSS_ENTROPY_PROBABILITY), -0.5f, 1, 0, NAN, ANY, ANY, 0},
    {PLAIN(BCE), 0, 0, 0, 0, 0, INF, 0},
    {PLAIN(BCE), 1, 1, 0, 0, 0, -INF, 0},
    {PLAIN(BCE), -0.0f, 0, 0, 0, 0, INF, 0},
    {PLAIN(BCE), 0, 1, 0, 100, -1e12, INF, 0},
    {PLAIN(BCE), 1, 0, 0, 100, 1e12, -INF, 0},
    {PLAIN(BCE), -0.1f, 0, 0, NAN, NAN, NAN, 0},
    {PLAIN(BCE), -0.1f, 1, 0, NAN, NAN, NAN, 0},
    {PLAIN(BCE), 1.1f, 1, 0, NAN, NAN, NAN, 0},
    {PLAIN(BCE), 1.1f, 0, 0, NAN, NAN, NAN, 0},
    {PLAIN(BCE), INF, 1, 0, NAN, NAN, NAN, 0},
    {PLAIN(BCE), -INF, 0, 0, NAN, NAN, NAN, 0},
    {ROW(BCE_BALANCED), "alpha", 0.25f, 0, 0, 0, 0, 0, ANY, 0},
    {ROW(BCE_BALANCED), "alpha", 0.25f, 1, 1, 0, 0, 0, ANY, 0},
    {ROW(BCE_BALANCED), "alpha", 0.25f, 0, 1, 0, 25, -0.25e12, ANY, 0},
    {ROW(BCE_BALANCED), "alpha", 0.25f, 1, 0, 0, 75, 0.75e12, ANY, 0},
    {PLAIN(BCE_BALANCED), -0.1f, 0, 0, NAN, NAN, ANY, 0},
    {PLAIN(BCE_BALANCED), 1.1f, 1, 0, NAN, NAN, ANY, 0},
    {PLAIN(BCE_BALANCED), INF, 1, 0, NAN, NAN, ANY, 0},
    {PLAIN(BCE_BALANCED), -INF, 0, 0, NAN, NAN, ANY, 0},
    {PLAIN(CROSS_ENTROPY), 1e20f, 1, 0, 0, 0, 0, 0},
    {PLAIN(CROSS_ENTROPY), -INF, 1, 0, NAN, NAN, NAN, 0},
    {PLAIN(CROSS_ENTROPY), INF, 0, 0, NAN, NAN, NAN, 0},
    {ROW(HUBER), "delta", 1.5f, 1.5f, 0, 0, 1.125, 1.5, -1.5, 0},
    {ROW(HUBER), "delta", 1.5f, -1.5f, 0, 0, 1.125, -1.5, 1.5, 0},
    {ROW(HUBER), "delta", 1.5f, 2, 0, 0, 1.875, 1.5, -1.5, 0},
    {ROW(HUBER), "delta", 1.5f, INF, 0, 0, INF, 1.5, -1.5, 0},
    {ROW(HUBER), "delta", 1.5f, 1, INF, 0, INF, -1.5, 1.5, 0},
    {PLAIN(HUBER), INF, INF, 0, NAN, NAN, NAN, 0},
    {PLAIN(HUBER), 0.0f, -0.0f, 0, 0, 0, 0, 0},
    {ROW(SMOOTH_L1), "beta", 1.5f, 1.5f, 0, 0, 0.75, 1, -1, 0},
    {ROW(SMOOTH_L1), "beta", 1.5f, -1.5f, 0, 0, 0.75, -1, 1, 0},
    {ROW(SMOOTH_L1), "beta", 0, 2, 2, 0, 0, 0, 0, 0},
    {ROW(SMOOTH_L1), "beta", 0, 1.5f, 2, 0, 0.5, -1, 1, 0},
    {PLAIN(SMOOTH_L1), -INF, 0, 0, INF, -1, 1, 0},
    {PLAIN(SMOOTH_L1), INF, INF, 0, NAN, NAN, NAN, 0},
    {PLAIN(BCE_WITH_LOGITS), INF, 1, 0, 0, 0, -INF, 0},
    {PLAIN(BCE_WITH_LOGITS), INF, 0, 0, INF, 1, -INF, 0},
    {PLAIN(BCE_WITH_LOGITS), -INF, 0, 0, 0, 0, INF, 0},
    {PLAIN(BCE_WITH_LOGITS), -INF, 1, 0, INF, -1, INF, 0},
    {PLAIN(BCE_WITH_LOGITS), INF, 0.5f, 0, INF, 0.5, -INF, 0},
    {PLAIN(BCE_WITH_LOGITS), 800, 0.5f, 0, 400, 0.5, -800, 0},
    {PLAIN(BCE_WITH_LOGITS), 3e38f, 0, 0, 3e38f, 1, -3e38f, 0},
    {PLAIN(POISSON_NLL), -INF, 0, 0, 0, 0, INF, 0},
    {PLAIN(POISSON_NLL), -INF, 2, 0, INF, -2, INF, 0},
    {PLAIN(POISSON_NLL), INF, 2, 0, INF, INF, -INF, 0},
    {PLAIN(POISSON_NLL), 100, 2, 0, INF, INF, -100, 0},
    {ROW(POISSON_NLL), "full", 1, 0, 1, 0, 1, 0, 0, 0},
    {ROW(POISSON_NLL), "full", 1, 0, 0, 0, 1, 1, 0, 0},
    {ROW(POISSON_NLL), "full", 1, 0, 2, 0, 1.65180648, -1, 0.94314718, 0},
    {ROW(POISSON_NLL), "log_input", 0, 0, 0, 0, 0, 1, 18.420681, 0},
    {ROW(POISSON_NLL), "log_input", 0, INF, 2, 0, INF, 1, -INF, 0},
    {ROW(POISSON_NLL), "log_input", 0, -1, 2, 0, NAN, ANY, NAN, 0},
    {PLAIN(GAUSSIAN_NLL), 1, 1, 1, 0, 0, 0, 0.5},
    {PLAIN(GAUSSIAN_NLL), INF, 1, 1, INF, INF, -INF, -INF},
    {PLAIN(GAUSSIAN_NLL), 1, 1, INF, INF, 0, 0, 0},
    {ROW(GAUSSIAN_NLL), "eps", 0.5f, 2, 1, 0.25f, 0.65342641, 2, -2, -1},
    {ROW(GAUSSIAN_NLL), "eps", 0.5f, 2, 1, -7, 0.65342641, 2, -2, -1},
    {ROW(GAUSSIAN_NLL), "eps", 0.5f, 2, 1, 0.5f, 0.65342641, 2, -2, -1},
    {PLAIN(HINGE_EMBEDDING), 1, -1, 0, 0, 0, ANY, 0},
    {PLAIN(HINGE_EMBEDDING), 0.5f, -1, 0, 0.5, -1, ANY, 0},
    {PLAIN(HINGE_EMBEDDING), 1.5f, -1, 0, 0, 0, ANY, 0},
    {PLAIN(HINGE_EMBEDDING), -3, 1, 0, -3, 1, ANY, 0},
    {PLAIN(HINGE_EMBEDDING), 0.25f, 0, 0, 1, 0, ANY, 0},
    {PLAIN(HINGE_EMBEDDING), 1, 0, 0, 1, 1, ANY, 0},
    {PLAIN(HINGE_EMBEDDING), 2, 0.5f, 0, 2, 1, ANY, 0},
    {PLAIN(HINGE_EMBEDDING), INF, 1, 0, INF, 1, ANY, 0},
    {PLAIN(HINGE_EMBEDDING), INF, -1, 0, 0, 0, ANY, 0},
    {PLAIN(HINGE_EMBEDDING), -INF, -1, 0, INF, -1, ANY, 0},
    {PLAIN(SOFT_MARGIN), -900, 1, 0, 900, -1, ANY, 0},
    {PLAIN(SOFT_MARGIN), 900, 1, 0, 0, 0, ANY, 0},
    {PLAIN(SOFT_MARGIN), INF, -1, 0, INF, 1, ANY, 0},
    {PLAIN(SOFT_MARGIN), INF, 1, 0, 0, 0, ANY, 0},
    {PLAIN(MARGIN_RANKING), 2, 1, 2, 0, 0, ANY, 0},
    {ROW(MARGIN_RANKING), "margin", 0.5f, 2, -1, 2.5f, 0, 0, ANY, 0},
    {ROW(MARGIN_RANKING), "margin", 0.5f, 2, -1, 2.25f, 0.25, 1, ANY, -1},
    {ROW(MARGIN_RANKING), "margin", 0.5f, 2, 1, 2.25f, 0.75, -1, ANY, 1},
    {PLAIN(MARGIN_RANKING), INF, 1, 2, 0, 0, ANY, 0},
    {PLAIN(MARGIN_RANKING), INF, -1, 2, INF, 1, ANY, -1},
    {PLAIN(MARGIN_RANKING), INF, 1, INF, NAN, NAN, ANY, NAN},
    {PLAIN(NLL), -INF, 0, 0, INF, -1, ANY, 0},
    {PLAIN(FOCAL), 1e20f, 0, 0, 0, 0, ANY, 0},
    {PLAIN(FOCAL), INF, 0, 0, NAN, NAN, ANY, 0},
    {PLAIN(SIGMOID_FOCAL), INF, 1, 0, 0, 0, ANY, 0},
    {PLAIN(SIGMOID_FOCAL), INF, 0, 0, INF, 0.75, ANY, 0},
    {PLAIN(SIGMOID_FOCAL), -INF, 1, 0, INF, -0.25, ANY, 0},
    {PLAIN(SIGMOID_FOCAL), -INF, 0, 0, 0, 0, ANY, 0},
    {PLAIN(SIGMOID_FOCAL), -0.0f, 0, 0, 0.129965096, 0.223715096, ANY, 0},
    {ROW(SIGMOID_FOCAL), "gamma", 0, INF, 1, 0, 0, 0, ANY, 0},
    {ROW(SIGMOID_FOCAL), "gamma", 0.5f, 200, 1, 0, 0, 0, ANY, 0},
    {ROW(DICE), "smooth", 0, 0, 0, 0, NAN, NAN, ANY, 0},
    {PLAIN(DICE), 0, 0, 0, 0, 1, ANY, 0},
    {PLAIN(DICE), 1, 1, 0, 0, -1.0 / 3, ANY, 0},
    {PLAIN(COSINE_EMBEDDING), 0, 1, 0, 1, 0, ANY, 0},
    {PLAIN(COSINE_EMBEDDING), 0, -1, 1, 0, 0, ANY, 0},
    {PLAIN(COSINE_EMBEDDING), 2, 0.5f, 1, 0, 0, ANY, 0},
    {PLAIN(MULTI_MARGIN), 5, 0, 0, 0, 0, ANY, 0},
    {PLAIN(MULTILABEL_MARGIN), 5, 0, 0, 0, 0, ANY, 0},
    {PLAIN(MULTILABEL_SOFT_MARGIN), INF, 1, 0, 0, 0, ANY, 0},
    {PLAIN(MULTILABEL_SOFT_MARGIN), -INF, 1, 0, INF, -1, ANY, 0},
    {ROW(TRIPLET_MARGIN), "eps", 0, 1, 1, 1, 1, 0, 0, 0},
    {ROW(TRIPLET_MARGIN), "eps", 0, 0, 1, 2, 0, 0, 0, 0},
    {ROW(TRIPLET_MARGIN), "eps", 0, 0, 2, 1, 2, 0, 1, -1},
    {PLAIN(TRIPLET_MARGIN), INF, 0, 1, NAN, NAN, NAN, NAN},
    {PLAIN(TRIPLET_MARGIN), 0, INF, 1, INF, ANY, ANY, ANY},
    {PLAIN(TRIPLET_MARGIN), 0, 1, -INF, 0, 0, 0, 0},
    {PLAIN(TRIPLET_MARGIN_WITH_DISTANCE), 0, INF, 1, INF, ANY, ANY, ANY},
    {PLAIN(TRIPLET_MARGIN_WITH_DISTANCE), 0, 1, -INF, 0, 0, 0, 0},
    {ROW(TRIPLET_MARGIN_WITH_DISTANCE), "distance", 1, 0, 1, -2, 0, 0, 0, 0},
    {ROW(TRIPLET_MARGIN_WITH_DISTANCE), "distance", 1, 0, 1, 1.25f, 0.4375, 0.5, 2, -2.5},
    {ROW(TRIPLET_MARGIN_WITH_DISTANCE), "distance", 2, 0, 1, 0, 1, -1e8, 0, 0},
    {PLAIN(CTC), 0, 0, 0, 0, 0, ANY, 0},
};

static loss_case special_case(const special *s, const int32_t *integers)
{
    const clgrad_loss_info *info = clgrad_loss_describe(s->kind);
    const bool by_class = (info->flags & CLGRAD_LOSS_TAKES_INTEGERS) != 0;
    loss_case c = {.loss = clgrad_loss_defaults(s->kind),
                   .rank = info->extent == CLGRAD_LOSS_SEQUENCE ? 3 : 2,
                   .shape = {1, 1, 1},
                   .prediction = &s->p,
                   .target = by_class ? NULL : &s->t,
                   .other = info->flags & CLGRAD_LOSS_TAKES_OTHER ? &s->o : NULL,
                   .classes = by_class ? integers : NULL,
                   .room = 1};
    c.loss.reduction = CLGRAD_REDUCTION_NONE;
    if (info->flags & CLGRAD_LOSS_TAKES_LENGTHS) {
        c.input_lengths = &integers[1];
        c.target_lengths = integers;
    }
    for (const clgrad_parameter *p = info->parameters; s->parameter != NULL && p->name != NULL; p++)
        if (strcmp(p->name, s->parameter) == 0)
            assert_true(clgrad_parameter_set(p, &c.loss, s->number));
    return c;
}

static void check_number(const special *s, const char *what, clgrad_context *context, clgrad_tensor tensor,
                         double wanted)
{
    if (tensor.buffer == NULL || wanted == ANY)
        return;
    tensor.rank = 0;
    const double got = tensor_scalar_value(context, tensor);
    if (!is_close(got, isinf((float)wanted) ? (double)(float)wanted : wanted, 1e-6 * fabs(wanted)))
        fail_msg("%s (%s %g) at p = %g, t = %g, o = %g: the %s is %g, not %g",
                 clgrad_loss_describe(s->kind)->name, s->parameter != NULL ? s->parameter : "no parameter",
                 (double)s->number, (double)s->p, (double)s->t, (double)s->o, what, got, wanted);
}

static void special_values_of_one_element(clgrad_context *context)
{
    static const int32_t integers[] = {0, 1}; /* class 0; target length 0, input length 1 */
    for (size_t i = 0; i < COUNT(elements); i++) {
        const special *s = &elements[i];
        const loss_case c = special_case(s, integers);
        loss_tensors t = loss_case_tensors(context, &c);
        assert_ok(context, clgrad_loss_evaluate(context, &c.loss, &t.inputs, clgrad_tensor_none(), t.value,
                                                &t.gradients));
        check_number(s, "value", context, t.value, s->value);
        check_number(s, "gradient by p", context, t.gradients.dprediction, s->dprediction);
        check_number(s, "gradient by t", context, t.gradients.dtarget, s->dtarget);
        check_number(s, "gradient by o", context, t.gradients.dother, s->dother);
        loss_tensors_free(context, t);
    }
}

/* Nothing in the list is without an entry above. */
static void every_row_has_special_values(clgrad_context *context)
{
    (void)context;
    bool found[CLGRAD_LOSS_COUNT] = {false};
    for (size_t i = 0; i < COUNT(elements); i++)
        found[elements[i].kind] = true;
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++)
        if (!found[k])
            fail_msg("%s has no special values", clgrad_loss_describe((clgrad_loss_kind)k)->name);
}

int main(void)
{
    const test_case cases[] = {
        CASE(special_values_of_one_element),
        CASE(every_row_has_special_values),
    };
    return run_on_every_device(cases, COUNT(cases));
}
