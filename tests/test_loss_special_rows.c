/*
 * Losses of rows and of the whole at special values: infinite logits, masked classes, margins met exactly.
 * Those of one element are in test_loss_special.c.
 */
#include "loss_case.h"

#define INF INFINITY

/* Rows of logits that have no loss, between two that have one; as class indices and as a soft target. */
static void infinite_logits(clgrad_context *context)
{
    const float logits[] = {1,    2, 3,   INF, 0,    1,    0,    1, INF, -INF, -INF,
                            -INF, 3, INF, INF, -INF, 0.5f, 1.5f, 3, 2,   1};
    const float soft[] = {0, 0, 1, 0, 1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0, 0.5f, 0.25f, 0.25f};
    const int32_t classes[] = {2, 1, 1, 0, 2, 1, 0};
    const bool valid[] = {true, false, false, false, false, true, true};
    for (int k = 0; k < 3; k++) {
        loss_case c = {.label = "infinite logits",
                       .loss = clgrad_loss_defaults(k == 2 ? CLGRAD_LOSS_FOCAL : CLGRAD_LOSS_CROSS_ENTROPY),
                       .rank = 2,
                       .shape = {7, 3},
                       .prediction = logits,
                       .target = k == 0 ? soft : NULL,
                       .classes = k == 0 ? NULL : classes};
        c.loss.reduction = CLGRAD_REDUCTION_NONE;
        loss_exact exact = loss_case_reference(&c);
        loss_case_check(context, &c, exact);
        for (size_t i = 0; i < COUNT(logits); i++) {
            assert_true(isfinite(exact.value[i / 3]) == valid[i / 3]);
            assert_true((isnan(exact.dprediction[i]) != 0) != valid[i / 3]);
        }
        assert_true(exact.dprediction[15] == 0); /* a class of probability 0 */
        loss_exact_free(exact);
    }
}

/* The same among others along a further dimension. */
static void infinite_logits_of_a_channel(clgrad_context *context)
{
    const float logits[] = {1, INF, 0.5f, -INF, 2, 1, 3, -INF, -1, 0, 2, -INF};
    const int32_t classes[] = {2, 1, 0, 1};
    const bool valid[] = {true, false, true, false};
    for (int k = 0; k < CLGRAD_LOSS_COUNT; k++) {
        const clgrad_loss_info *info = clgrad_loss_describe((clgrad_loss_kind)k);
        if (info->extent != CLGRAD_LOSS_CHANNEL || info->input != CLGRAD_LOSS_LOGIT)
            continue;
        loss_case c = {.label = "infinite logits of a channel",
                       .loss = clgrad_loss_defaults((clgrad_loss_kind)k),
                       .rank = 3,
                       .shape = {1, 3, 4},
                       .prediction = logits,
                       .classes = classes};
        c.loss.reduction = CLGRAD_REDUCTION_NONE;
        loss_exact exact = loss_case_reference(&c);
        loss_case_check(context, &c, exact);
        for (size_t i = 0; i < COUNT(logits); i++) {
            assert_true((isnan(exact.value[i % 4]) == 0) == valid[i % 4]);
            assert_true((isnan(exact.dprediction[i]) == 0) == valid[i % 4]);
        }
        loss_exact_free(exact);
    }
}

/* A masked class costs nothing unless smoothing or the target give it a share. */
static void masked_classes(clgrad_context *context)
{
    const float logits[] = {1, -INF, 2, 0.5f, -INF, 1};
    const int32_t classes[] = {0, 2};
    for (int smoothed = 0; smoothed < 2; smoothed++) {
        loss_case c = {.label = "masked classes",
                       .loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY),
                       .rank = 2,
                       .shape = {2, 3},
                       .prediction = logits,
                       .classes = classes};
        c.loss.reduction = CLGRAD_REDUCTION_NONE;
        c.loss.label_smoothing = smoothed ? 0.25f : 0;
        loss_exact exact = loss_case_reference(&c);
        loss_case_check(context, &c, exact);
        assert_true((isinf(exact.value[0]) != 0) == smoothed && !isnan(exact.dprediction[1]));
        loss_exact_free(exact);
    }
}

/* One infinite distance leaves no direction to any element of an l2. */
static void infinite_distance_has_no_gradient(clgrad_context *context)
{
    const float p[3] = {1, -INF, 2}, t[3] = {0, 0, 2};
    loss_case c = {.label = "l2 at an infinite distance",
                   .loss = clgrad_loss_defaults(CLGRAD_LOSS_L2),
                   .rank = 1,
                   .shape = {3},
                   .prediction = p,
                   .target = t};
    loss_exact exact = loss_case_reference(&c);
    loss_case_check(context, &c, exact);
    assert_true(exact.value[0] == INF);
    for (size_t i = 0; i < COUNT(p); i++)
        assert_true(isnan(exact.dprediction[i]));
    loss_exact_free(exact);
}

/* Margins met exactly: the maximum is 0, and so is the gradient. */
static void margins_met_exactly(clgrad_context *context)
{
    const float p[] = {2, 1, 0, 0.5f, 1.5f, 3}, zero[6] = {0};
    const int32_t classes[] = {0, 2}, lists[] = {0, -1, 9, 2, -1, 9};
    for (int power = 1; power <= 2; power++)
        for (int k = 0; k < 2; k++) {
            loss_case c = {.label = "margins met exactly",
                           .loss = clgrad_loss_defaults(k == 0 ? CLGRAD_LOSS_MULTI_MARGIN
                                                               : CLGRAD_LOSS_MULTILABEL_MARGIN),
                           .rank = 2,
                           .shape = {2, 3},
                           .prediction = p,
                           .classes = k == 0 ? classes : lists};
            c.loss.reduction = CLGRAD_REDUCTION_NONE;
            c.loss.p = power;
            loss_tensors t = loss_case_tensors(context, &c);
            assert_ok(context,
                      clgrad_loss_forward_backward(context, &c.loss, t.inputs.prediction, t.inputs.target,
                                                   t.value, t.gradients.dprediction));
            assert_holds(context, t.value, zero);
            assert_holds(context, t.gradients.dprediction, zero);
            loss_tensors_free(context, t);
        }
}

/* The positive and the anchor are as far from the negative: by the swap each gets half of the gradient. */
static void swap_between_equal_distances(clgrad_context *context)
{
    const float anchor[] = {0, 0}, positive[] = {2, 0}, negative[] = {1, 1};
    const double s = sqrt(0.5);
    const double by_norm[3][2] = {{-1 + s / 2, s / 2}, {1 - s / 2, s / 2}, {0, -s}};
    const double by_square[3][2] = {{-3, 1}, {3, 1}, {0, -2}};
    for (int squared = 0; squared < 2; squared++) {
        loss_case c = {.loss = clgrad_loss_defaults(squared ? CLGRAD_LOSS_TRIPLET_MARGIN_WITH_DISTANCE
                                                            : CLGRAD_LOSS_TRIPLET_MARGIN),
                       .rank = 2,
                       .shape = {1, 2},
                       .prediction = anchor,
                       .target = positive,
                       .other = negative};
        c.loss.eps = 0;
        c.loss.margin = 5;
        c.loss.swap = true;
        c.loss.distance = CLGRAD_DISTANCE_SQUARED;
        loss_tensors t = loss_case_tensors(context, &c);
        assert_ok(context, clgrad_loss_evaluate(context, &c.loss, &t.inputs, clgrad_tensor_none(), t.value,
                                                &t.gradients));
        const double value = squared ? 7 : 7 - sqrt(2);
        assert_true(is_close(tensor_scalar_value(context, t.value), value, 1e-6));
        const clgrad_tensor tensors[] = {t.gradients.dprediction, t.gradients.dtarget, t.gradients.dother};
        const double tolerance[2] = {1e-6, 1e-6};
        for (int i = 0; i < 3; i++) {
            float *got = tensor_floats(context, tensors[i]);
            assert_all_close("gradient", got, squared ? by_square[i] : by_norm[i], tolerance, 2);
            free(got);
        }
        loss_tensors_free(context, t);
    }
}

int main(void)
{
    const test_case cases[] = {
        CASE(infinite_logits),     CASE(infinite_logits_of_a_channel),
        CASE(masked_classes),      CASE(infinite_distance_has_no_gradient),
        CASE(margins_met_exactly), CASE(swap_between_equal_distances),
    };
    return run_on_every_device(cases, COUNT(cases));
}
