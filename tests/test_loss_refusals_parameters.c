/*
 * Losses: parameters outside their intervals are refused by every call, with the actual value, and nothing is
 * written then.
 */
#include "loss_case.h"

#include <stdio.h>

/* A call that would succeed but for this descriptor. */
static void refuse(clgrad_context *context, const clgrad_loss *loss, const loss_tensors *t, const char *part)
{
    assert_refused(context,
                   clgrad_loss_evaluate(context, loss, &t->inputs, t->dvalue, t->value, &t->gradients),
                   CLGRAD_STATUS_INVALID_ARGUMENT, part);
    assert_untouched(context, t->value);
    assert_untouched(context, t->gradients.dprediction);
}

static loss_drawn *draw(clgrad_loss_kind kind)
{
    const clgrad_loss_extent extent = clgrad_loss_describe(kind)->extent;
    const int rank = extent == CLGRAD_LOSS_CHANNEL || extent == CLGRAD_LOSS_SEQUENCE ? 3 : 2;
    return loss_draw(clgrad_loss_defaults(kind), rank, (size_t[]){4, 3, 2}, 0);
}

/* Just outside of each end of an interval, and NaN. */
static void numbers_outside(clgrad_context *context, clgrad_loss_kind kind, const clgrad_parameter *p,
                            const loss_tensors *t)
{
    const float bad[] = {nextafterf(p->minimum, -INFINITY), nextafterf(p->maximum, INFINITY), NAN};
    for (size_t i = 0; i < COUNT(bad); i++) {
        clgrad_loss loss = clgrad_loss_defaults(kind);
        char part[128];
        memcpy((char *)&loss + p->offset, &bad[i], sizeof bad[i]);
        snprintf(part, sizeof part, "%s's %s is %.9g, it must lie between", clgrad_loss_describe(kind)->name,
                 p->name, (double)bad[i]);
        refuse(context, &loss, t, part);
    }
}

/* The same of an integer; 2^24 + 1 is no float, and yet told from 2^24. */
static void integers_outside(clgrad_context *context, clgrad_loss_kind kind, const clgrad_parameter *p,
                             const loss_tensors *t)
{
    const int32_t bad[] = {(int32_t)p->minimum - 1, (int32_t)p->maximum + 1, INT32_MIN, INT32_MAX};
    for (size_t i = 0; i < COUNT(bad); i++) {
        clgrad_loss loss = clgrad_loss_defaults(kind);
        char part[128];
        memcpy((char *)&loss + p->offset, &bad[i], sizeof bad[i]);
        snprintf(part, sizeof part, "%s's %s is %ld, it must lie between", clgrad_loss_describe(kind)->name,
                 p->name, (long)bad[i]);
        refuse(context, &loss, t, part);
    }
}

static void parameters_outside_their_intervals(clgrad_context *context)
{
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_kind kind = (clgrad_loss_kind)k;
        loss_drawn *drawn = draw(kind);
        const loss_tensors t = loss_case_tensors(context, &drawn->c);
        for (const clgrad_parameter *p = clgrad_loss_describe(kind)->parameters; p->name != NULL; p++) {
            if (p->type == CLGRAD_PARAMETER_NUMBER)
                numbers_outside(context, kind, p, &t);
            else if (p->type == CLGRAD_PARAMETER_INTEGER)
                integers_outside(context, kind, p, &t);
        }
        loss_tensors_free(context, t);
        loss_drawn_free(drawn);
    }
}

/* Up to 2^24 every integer is a float; the next one is none, and yet told as it is. */
static void integers_beyond_24_bits(clgrad_context *context)
{
    static const struct {
        int32_t value;
        const char *sentence;
    } refused[] = {{16777217, "cross_entropy's ignore_index is 16777217, it must lie between"},
                   {-16777217, "cross_entropy's ignore_index is -16777217, it must lie between"}};
    static const int32_t fine[] = {16777216, -16777216};
    loss_drawn *drawn = draw(CLGRAD_LOSS_CROSS_ENTROPY);
    const loss_tensors t = loss_case_tensors(context, &drawn->c);
    clgrad_loss loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY);
    for (size_t i = 0; i < COUNT(refused); i++) {
        loss.ignore_index = refused[i].value;
        refuse(context, &loss, &t, refused[i].sentence);
    }
    for (size_t i = 0; i < COUNT(fine); i++) {
        loss.ignore_index = fine[i];
        assert_ok(context, clgrad_loss_evaluate(context, &loss, &t.inputs, t.dvalue, t.value, &t.gradients));
    }
    loss_tensors_free(context, t);
    loss_drawn_free(drawn);
}

/* What the issue names, spelt out, so that a wrong interval in the list is seen. */
static void domains_are_pytorchs(clgrad_context *context)
{
    static const struct {
        clgrad_loss_kind kind;
        const char *parameter;
        float value;
        bool fine;
    } tries[] = {
        {CLGRAD_LOSS_HUBER, "delta", 0, false},
        {CLGRAD_LOSS_HUBER, "delta", -1, false},
        {CLGRAD_LOSS_SMOOTH_L1, "beta", -0.5f, false},
        {CLGRAD_LOSS_SMOOTH_L1, "beta", 0, true},
        {CLGRAD_LOSS_MULTI_MARGIN, "p", 3, false},
        {CLGRAD_LOSS_MULTI_MARGIN, "p", 0, false},
        {CLGRAD_LOSS_MULTI_MARGIN, "p", 2, true},
        {CLGRAD_LOSS_MULTI_MARGIN, "margin", -2, true},
        {CLGRAD_LOSS_CROSS_ENTROPY, "label_smoothing", 1.5f, false},
        {CLGRAD_LOSS_CROSS_ENTROPY, "label_smoothing", -0.1f, false},
        {CLGRAD_LOSS_CROSS_ENTROPY, "label_smoothing", 1, true},
        {CLGRAD_LOSS_POISSON_NLL, "eps", 0, false},
        {CLGRAD_LOSS_GAUSSIAN_NLL, "eps", 0, false},
        {CLGRAD_LOSS_GAUSSIAN_NLL, "eps", -1, false},
        {CLGRAD_LOSS_TRIPLET_MARGIN, "margin", 0, false},
        {CLGRAD_LOSS_TRIPLET_MARGIN, "p", 0, false},
        {CLGRAD_LOSS_TRIPLET_MARGIN, "p", 17, false},
        {CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE, "margin", -1, false},
        {CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE, "distance", 3, false},
        {CLGRAD_LOSS_COSINE_EMBEDDING, "margin", 1.5f, false},
        {CLGRAD_LOSS_COSINE_EMBEDDING, "margin", -1, true},
        {CLGRAD_LOSS_FOCAL, "gamma", -1, false},
        {CLGRAD_LOSS_SIGMOID_FOCAL, "alpha", 1.5f, false},
        {CLGRAD_LOSS_SIGMOID_FOCAL, "alpha", -1, true},
        {CLGRAD_LOSS_DICE, "smooth", -1, false},
        {CLGRAD_LOSS_BCE_BALANCED, "alpha", -0.25f, false},
        {CLGRAD_LOSS_CTC, "blank", -1, false},
    };
    (void)context;
    for (size_t i = 0; i < COUNT(tries); i++) {
        const clgrad_parameter *p = clgrad_loss_describe(tries[i].kind)->parameters;
        clgrad_loss loss = clgrad_loss_defaults(tries[i].kind);
        while (p->name != NULL && strcmp(p->name, tries[i].parameter) != 0)
            p++;
        assert_non_null(p->name);
        if (clgrad_parameter_set(p, &loss, tries[i].value) != tries[i].fine)
            fail_msg("%s's %s of %g", clgrad_loss_describe(tries[i].kind)->name, p->name,
                     (double)tries[i].value);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(parameters_outside_their_intervals),
        CASE(integers_beyond_24_bits),
        CASE(domains_are_pytorchs),
    };
    return run_on_every_device(cases, COUNT(cases));
}
