/*
 * Losses: the list, and class indices that point nowhere. Their numbers are tested in test_loss_golden.c,
 * test_loss_values.c and test_loss_special.c, refused arguments in test_loss_refusals.c.
 */
#include "harness.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const clgrad_loss_kind unknown_kind = (clgrad_loss_kind)99;

/* ---- the list ---- */

static void values_and_names_never_change(clgrad_context *context)
{
    (void)context;
    static const char *const names[] = {
        "mse",
        "l2",
        "l1",
        "kl_div",
        "kl_div_probability",
        "cross_entropy_probability",
        "bce",
        "bce_balanced",
        "cross_entropy",
    };
    static const char *const reductions[] = {"none", "mean", "sum"};
    for (size_t i = 0; i < COUNT(names); i++)
        assert_string_equal(clgrad_loss_describe((clgrad_loss_kind)i)->name, names[i]);
    assert_int_equal(CLGRAD_LOSS_MSE, 0);
    assert_int_equal(CLGRAD_LOSS_L2, 1);
    assert_int_equal(CLGRAD_LOSS_L1, 2);
    assert_int_equal(CLGRAD_LOSS_KL_DIV, 3);
    assert_int_equal(CLGRAD_LOSS_KL_DIV_PROBABILITY, 4);
    assert_int_equal(CLGRAD_LOSS_CROSS_ENTROPY_PROBABILITY, 5);
    assert_int_equal(CLGRAD_LOSS_BCE, 6);
    assert_int_equal(CLGRAD_LOSS_BCE_BALANCED, 7);
    assert_int_equal(CLGRAD_LOSS_CROSS_ENTROPY, 8);
    for (size_t i = 0; i < COUNT(reductions); i++) {
        clgrad_reduction reduction = (clgrad_reduction)77;
        assert_string_equal(clgrad_reduction_name((clgrad_reduction)i), reductions[i]);
        assert_true(clgrad_reduction_parse(reductions[i], &reduction));
        assert_int_equal(reduction, i);
    }
    assert_int_equal(CLGRAD_REDUCTION_NONE, 0);
    assert_int_equal(CLGRAD_REDUCTION_MEAN, 1);
    assert_int_equal(CLGRAD_REDUCTION_SUM, 2);
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
        const clgrad_loss defaults = clgrad_loss_defaults(kind);
        assert_int_equal(defaults.kind, kind);
        assert_int_equal(defaults.reduction, CLGRAD_REDUCTION_MEAN);
        assert_parameters_default(info->parameters, &defaults);
    }
    assert_true(clgrad_loss_defaults(CLGRAD_LOSS_BCE_BALANCED).alpha == 0.5f);
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
    assert_string_equal(clgrad_reduction_name((clgrad_reduction)3), "unknown");
    assert_string_equal(clgrad_reduction_name((clgrad_reduction)-1), "unknown");
}

/* ---- class indices that point nowhere ---- */

enum { BATCH = 300, CLASSES = 3, BAD_ROW = 277 };

typedef struct batch {
    clgrad_tensor prediction, target, value, gradient;
    float *good_value, *good_gradient; /* without the bad index; none, unreduced */
    clgrad_loss loss;
} batch;

static clgrad_status run_batch(clgrad_context *context, const batch *b)
{
    return clgrad_loss_forward_backward(context, &b->loss, b->prediction, b->target, b->value, b->gradient);
}

static batch make_batch(clgrad_context *context)
{
    float logits[BATCH * CLASSES];
    int32_t classes[BATCH];
    fill_normal(logits, COUNT(logits), 5, 2);
    for (int32_t i = 0; i < BATCH; i++)
        classes[i] = i % CLASSES;
    batch b = {.prediction = matrix_with(context, BATCH, CLASSES, logits),
               .target = tensor_with(context, CLGRAD_TYPE_INT32, 1, (size_t[]){BATCH}, classes),
               .value = vector_with(context, BATCH, NULL),
               .gradient = matrix_with(context, BATCH, CLASSES, NULL),
               .loss = clgrad_loss_defaults(CLGRAD_LOSS_CROSS_ENTROPY)};
    b.loss.reduction = CLGRAD_REDUCTION_NONE;
    assert_ok(context, run_batch(context, &b));
    b.good_value = tensor_floats(context, b.value);
    b.good_gradient = tensor_floats(context, b.gradient);
    return b;
}

static void set_class(clgrad_context *context, const batch *b, size_t row, int32_t value)
{
    assert_ok(context,
              clgrad_tensor_write(context, clgrad_tensor_rows(b->target, row, 1), &value, sizeof value));
}

static void free_batch(clgrad_context *context, batch b)
{
    free(b.good_value);
    free(b.good_gradient);
    tensor_free(context, b.prediction);
    tensor_free(context, b.target);
    tensor_free(context, b.value);
    tensor_free(context, b.gradient);
}

/* The row's loss and gradient are NaN, every other row is as before, and it is reported once. */
static void one_bad_class_spoils_its_row_alone(clgrad_context *context)
{
    static const struct {
        int32_t value;
        const char *sentence;
    } bad[] = {
        {CLASSES, "target[277] is 3, but the prediction has the classes 0 to 2"},
        {-1, "target[277] is -1, but the prediction has the classes 0 to 2"},
        {INT32_MAX, "target[277] is 2147483647, but"},
        {INT32_MIN, "target[277] is -2147483648, but"},
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        batch b = make_batch(context);
        set_class(context, &b, BAD_ROW, bad[i].value);
        assert_ok(context, run_batch(context, &b));

        /* the read fills its data all the same */
        float value[BATCH];
        assert_refused(context, clgrad_tensor_read(context, b.value, value, sizeof value),
                       CLGRAD_STATUS_INVALID_INDEX, bad[i].sentence);
        b.good_value[BAD_ROW] = NAN;
        assert_same_floats(value, b.good_value, BATCH);
        for (size_t j = 0; j < CLASSES; j++)
            b.good_gradient[BAD_ROW * CLASSES + j] = NAN;
        assert_holds(context, b.gradient, b.good_gradient);
        assert_ok(context, clgrad_context_finish(context));

        /* the next call is none the worse */
        set_class(context, &b, BAD_ROW, 0);
        assert_ok(context, run_batch(context, &b));
        assert_ok(context, clgrad_context_finish(context));
        free_batch(context, b);
    }
}

static void each_call_reports_a_bad_class(clgrad_context *context)
{
    batch b = make_batch(context);
    clgrad_tensor mean = scalar_with(context, 0);
    b.loss.reduction = CLGRAD_REDUCTION_MEAN;
    set_class(context, &b, 0, 7);
    const char *sentence = "target[0] is 7, but the prediction has the classes 0 to 2";

    assert_ok(context, clgrad_loss_forward(context, &b.loss, b.prediction, b.target, mean));
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, sentence);
    assert_ok(context, clgrad_context_finish(context));
    assert_true(isnan(tensor_scalar_value(context, mean)));

    assert_ok(context, clgrad_loss_backward(context, &b.loss, b.prediction, b.target, clgrad_tensor_none(),
                                            b.gradient));
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, sentence);
    float *gradient = tensor_floats(context, b.gradient);
    for (size_t i = 0; i < BATCH * CLASSES; i++)
        assert_true(isnan(gradient[i]) == (i < CLASSES));
    free(gradient);

    assert_ok(context,
              clgrad_loss_forward_backward(context, &b.loss, b.prediction, b.target, mean, b.gradient));
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, sentence);
    tensor_free(context, mean);
    free_batch(context, b);
}

/* Of several, one is reported, whichever the device meets first; and the first call's, where two had some. */
static void several_bad_classes_give_one_report(clgrad_context *context)
{
    batch b = make_batch(context);
    set_class(context, &b, 3, 50);
    set_class(context, &b, 199, 50);
    assert_ok(context, run_batch(context, &b));
    set_class(context, &b, 3, 60);
    set_class(context, &b, 199, 60);
    assert_ok(context, run_batch(context, &b));
    assert_int_equal(clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX);
    const char *sentence = clgrad_context_error(context);
    assert_true(strstr(sentence, "target[3] is 50") != NULL || strstr(sentence, "target[199] is 50") != NULL);
    assert_ok(context, clgrad_context_finish(context));
    free_batch(context, b);
}

int main(void)
{
    const test_case cases[] = {
        CASE(values_and_names_never_change), CASE(each_row_describes_itself),
        CASE(unknown_rows_are_told),         CASE(one_bad_class_spoils_its_row_alone),
        CASE(each_call_reports_a_bad_class), CASE(several_bad_classes_give_one_report),
    };
    return run_on_every_device(cases, COUNT(cases));
}
