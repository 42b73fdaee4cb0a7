/*
 * Losses keep the accuracy that loss.h promises far from ordinary numbers: close to 0, where exponentials
 * vanish, where probabilities are certain, and where operands nearly agree.
 */
#include "loss_case.h"

/* Every setting, but on a slow device the defaults alone. */
static bool next_setting(clgrad_loss_kind kind, size_t index, clgrad_loss *loss)
{
    return (index == 0 || !test_small()) && loss_setting(kind, index, loss);
}

/* ---- elements ---- */

enum { MOST = 128 };

typedef struct points {
    float numbers[MOST];
    size_t count;
} points;

static void add(points *p, float number)
{
    assert_true(p->count < MOST);
    p->numbers[p->count++] = number;
}

/* Predictions over many decades; probabilities close to both of their ends. */
static points predictions(const loss_case *c)
{
    points p = {.count = 0};
    const clgrad_loss_input input = loss_case_info(c)->input;
    const bool positive = c->loss.kind == CLGRAD_LOSS_POISSON_NLL && !c->loss.log_input;
    for (int k = -30; k <= 4; k += 3)
        for (int digit = 1; digit <= 7; digit += 3) {
            const float x = (float)(digit * pow(10, k));
            if (input == CLGRAD_LOSS_PROBABILITY) {
                if (x < 0.8f)
                    add(&p, x);
                if (x > 6e-8f && x < 0.2f)
                    add(&p, 1 - x);
            } else {
                add(&p, -x);
                if (input != CLGRAD_LOSS_LOG_PROBABILITY)
                    add(&p, x);
            }
        }
    for (size_t i = 0; positive && i < p.count; i++)
        p.numbers[i] = fabsf(p.numbers[i]);
    if (input == CLGRAD_LOSS_LOGIT) /* where exponentials leave float32, and its normal numbers */
        for (int x = 15; x <= 105; x += 15) {
            add(&p, (float)x);
            add(&p, (float)-x);
        }
    if (positive) /* where the logarithm is 0 */
        for (int k = 1; k < 24; k += 4) {
            add(&p, 1 + ldexpf(1, -k));
            add(&p, 1 - ldexpf(1, -k));
        }
    return p;
}

/* Targets in the loss's domain, some of them close to the prediction. */
static points targets(const loss_case *c, float prediction)
{
    static const float signs[] = {1, -1, 0.3f}, counts[] = {0, 0.5f, 1.25f, 2, 170, 30000};
    static const float logarithms[] = {0, -1e-7f, -0.5f, -20, -80};
    static const float probabilities[] = {0, 1, 0.3f, 1e-12f, 1 - 0x1p-24f};
    points t = {.count = 0};
    const float *from = probabilities;
    size_t count = COUNT(probabilities);
    switch (c->loss.kind) {
    case CLGRAD_LOSS_HINGE_EMBEDDING:
    case CLGRAD_LOSS_SOFT_MARGIN:
    case CLGRAD_LOSS_MARGIN_RANKING:
        from = signs;
        count = COUNT(signs);
        break;
    case CLGRAD_LOSS_POISSON_NLL:
        from = counts;
        count = COUNT(counts);
        break;
    default:
        if (c->loss.kind == CLGRAD_LOSS_KL_DIV && c->loss.log_target) {
            from = logarithms;
            count = COUNT(logarithms);
        } else if (loss_case_info(c)->input == CLGRAD_LOSS_NUMBER) {
            add(&t, prediction * (1 + FLT_EPSILON));
            add(&t, prediction * 1.001f);
        }
    }
    for (size_t i = 0; i < count; i++)
        add(&t, from[i]);
    return t;
}

static points others(const loss_case *c, float prediction)
{
    static const float variances[] = {1e-7f, 0.01f, 1 - 0x1p-24f, 1, 1.0001f, 3e4f};
    points o = {.count = 0};
    if (c->loss.kind == CLGRAD_LOSS_GAUSSIAN_NLL) {
        for (size_t i = 0; i < COUNT(variances); i++)
            add(&o, variances[i]);
    } else {
        add(&o, prediction * 1.001f);
        add(&o, -3);
    }
    return o;
}

/* All combinations, in one tensor. */
static void check_elements(clgrad_context *context, clgrad_loss loss)
{
    loss_case c = {.label = clgrad_loss_describe(loss.kind)->name, .loss = loss, .rank = 1};
    const points p = predictions(&c);
    const size_t most = p.count * 8 * 6;
    float *numbers = allocate(3 * most, sizeof *numbers), *t = numbers + most, *o = t + most;
    for (size_t i = 0; i < p.count; i++) {
        const points for_t = targets(&c, p.numbers[i]), for_o = others(&c, p.numbers[i]);
        for (size_t j = 0; j < for_t.count; j++)
            for (size_t k = 0; k < for_o.count; k++, c.shape[0]++) {
                assert_true(c.shape[0] < most);
                numbers[c.shape[0]] = p.numbers[i];
                t[c.shape[0]] = for_t.numbers[j];
                o[c.shape[0]] = for_o.numbers[k];
            }
    }
    c.prediction = numbers;
    c.target = t;
    c.other = loss_case_info(&c)->flags & CLGRAD_LOSS_TAKES_OTHER ? o : NULL;
    c.loss.reduction = CLGRAD_REDUCTION_NONE;
    loss_case_check_reference(context, &c);
    free(numbers);
}

static void elements_in_both_tails(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        clgrad_loss loss;
        if (clgrad_loss_describe((clgrad_loss_kind)k)->extent == CLGRAD_LOSS_ELEMENT)
            for (size_t s = 0; next_setting((clgrad_loss_kind)k, s, &loss); s++)
                check_elements(context, loss);
    }
}

/* ---- rows ---- */

static void scale(float *numbers, size_t count, float by)
{
    for (size_t i = 0; numbers != NULL && i < count; i++)
        numbers[i] *= by;
}

/* Logits far apart: the softmax is certain, rightly or wrongly, of one class. Also with a bias for all. */
static void logits_far_apart(clgrad_context *context)
{
    static const float sizes[] = {1e-20f, 1e-6f, 4, 8, 16, 40, 1e4f, 1e30f};
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_info *info = clgrad_loss_describe((clgrad_loss_kind)k);
        clgrad_loss loss;
        if (info->extent == CLGRAD_LOSS_ELEMENT || info->input != CLGRAD_LOSS_LOGIT)
            continue;
        for (size_t s = 0; next_setting((clgrad_loss_kind)k, s, &loss); s++)
            for (size_t i = 0; i < COUNT(sizes); i++)
                for (unsigned with = 0; with <= (loss_ways(loss.kind) & LOSS_WITH_CLASSES); with++) {
                    loss.reduction = CLGRAD_REDUCTION_NONE;
                    const int rank = info->extent == CLGRAD_LOSS_CHANNEL ? 3 : 2;
                    loss_drawn *drawn = loss_draw(loss, rank, (size_t[]){4, 4, 5}, with);
                    scale(drawn->numbers.prediction, loss_case_count(&drawn->c), sizes[i]);
                    loss_case_check_reference(context, &drawn->c);
                    loss_drawn_free(drawn);
                }
    }
}

/* Rows of numbers whose squares leave float32, margins and all. */
static void rows_of_any_size(clgrad_context *context)
{
    static const float sizes[] = {1e-30f, 1e-20f, 1e-10f, 1e-4f, 1e4f, 1e10f, 1e18f};
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_info *info = clgrad_loss_describe((clgrad_loss_kind)k);
        clgrad_loss loss;
        if (info->extent == CLGRAD_LOSS_ELEMENT || info->input != CLGRAD_LOSS_NUMBER)
            continue;
        for (size_t s = 0; next_setting((clgrad_loss_kind)k, s, &loss); s++)
            for (size_t i = 0; i < COUNT(sizes); i++) {
                loss.reduction = CLGRAD_REDUCTION_NONE;
                loss_drawn *drawn = loss_draw(loss, 2, (size_t[]){20, 4}, 0);
                scale(drawn->numbers.prediction, 80, sizes[i]);
                scale(drawn->numbers.other, 80, sizes[i]);
                if (!(info->flags & CLGRAD_LOSS_TAKES_ROW_TARGET))
                    scale(drawn->numbers.target, 80, sizes[i]);
                loss_case_check_reference(context, &drawn->c);
                loss_drawn_free(drawn);
            }
    }
}

/* Rows that point almost the same way, or the opposite one, or are almost the same. */
static void rows_that_nearly_agree(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const unsigned flags = clgrad_loss_describe((clgrad_loss_kind)k)->flags;
        clgrad_loss loss;
        if (clgrad_loss_describe((clgrad_loss_kind)k)->extent != CLGRAD_LOSS_ROW ||
            !(flags & CLGRAD_LOSS_TAKES_OTHER))
            continue;
        for (size_t s = 0; next_setting((clgrad_loss_kind)k, s, &loss); s++)
            for (int sign = -1; sign <= 1; sign += 2) {
                loss.reduction = CLGRAD_REDUCTION_NONE;
                loss_drawn *drawn = loss_draw(loss, 2, (size_t[]){20, 6}, 0);
                for (size_t i = 0; i < 120; i++) {
                    const float p = drawn->numbers.prediction[i];
                    drawn->numbers.other[i] = (float)sign * p * (1 + (float)(i % 3) * 1e-6f);
                    if (!(flags & CLGRAD_LOSS_TAKES_ROW_TARGET))
                        drawn->numbers.target[i] = p * (1 + (float)(i % 5) * 1e-5f);
                }
                loss_case_check_reference(context, &drawn->c);
                loss_drawn_free(drawn);
            }
    }
}

int main(void)
{
    const test_case cases[] = {CASE(elements_in_both_tails), CASE(logits_far_apart), CASE(rows_of_any_size),
                               CASE(rows_that_nearly_agree)};
    return run_on_every_device(cases, COUNT(cases));
}
