/*
 * CTC: what no other loss has. Its numbers are in test_loss_golden.c and test_loss_values.c.
 */
#include "loss_case.h"

#include <stdio.h>

enum { TIME = 5, BATCH = 3, CLASSES = 4, ROOM = 3, COUNT_ = TIME * BATCH * CLASSES };

/* Log-probabilities, and what to align with them; changed by the tests. */
typedef struct batch {
    float log_p[COUNT_];
    int32_t labels[BATCH * ROOM], times[BATCH], lengths[BATCH];
    loss_case c;
} batch;

static batch *make_batch(clgrad_reduction reduction)
{
    batch *b = allocate(1, sizeof *b);
    const int32_t labels[] = {1, 2, 3, 2, 2, 1, 3, 1, 2}, lengths[] = {3, 2, 1}, times[] = {5, 4, 3};
    memcpy(b->labels, labels, sizeof labels);
    memcpy(b->lengths, lengths, sizeof lengths);
    memcpy(b->times, times, sizeof times);
    fill_normal(b->log_p, COUNT_, 17, 1);
    for (size_t i = 0; i < COUNT_; i += CLASSES) {
        double sum = 0;
        for (size_t k = 0; k < CLASSES; k++)
            sum += exp(b->log_p[i + k]);
        for (size_t k = 0; k < CLASSES; k++)
            b->log_p[i + k] -= (float)log(sum);
    }
    b->c = (loss_case){.label = "ctc",
                       .loss = clgrad_loss_defaults(CLGRAD_LOSS_CTC),
                       .rank = 3,
                       .shape = {TIME, BATCH, CLASSES},
                       .prediction = b->log_p,
                       .classes = b->labels,
                       .room = ROOM,
                       .input_lengths = b->times,
                       .target_lengths = b->lengths};
    b->c.loss.reduction = reduction;
    return b;
}

/* The value and the gradient on a device, once they have been held against the reference. */
typedef struct result {
    float *value, *gradient;
} result;

static result run(clgrad_context *context, const loss_case *c)
{
    loss_case_check_reference(context, c);
    loss_tensors t = loss_case_tensors(context, c);
    assert_ok(context, clgrad_loss_evaluate(context, &c->loss, &t.inputs, clgrad_tensor_none(), t.value,
                                            &t.gradients));
    const result r = {tensor_floats(context, t.value), tensor_floats(context, t.gradients.dprediction)};
    loss_tensors_free(context, t);
    return r;
}

static void free_result(result r)
{
    free(r.value);
    free(r.gradient);
}

static float gradient_at(result r, size_t t, size_t b, size_t k)
{
    return r.gradient[(t * BATCH + b) * CLASSES + k];
}

/* One label at one time step is its own logarithm; with two, by hand. */
static void short_alignments_by_hand(clgrad_context *context)
{
    const float log_p[] = {-1, -0.5f, -1.5f, -2, -0.25f, -0.75f};
    const int32_t labels[] = {1}, length[] = {1}, none[] = {0};
    for (int32_t time = 1; time <= 2; time++) {
        loss_case c = {.label = "ctc by hand",
                       .loss = clgrad_loss_defaults(CLGRAD_LOSS_CTC),
                       .rank = 3,
                       .shape = {2, 1, 3},
                       .prediction = log_p,
                       .classes = labels,
                       .room = 1,
                       .input_lengths = &time,
                       .target_lengths = length};
        c.loss.reduction = CLGRAD_REDUCTION_SUM;
        result r = run(context, &c);
        /* a, or: blank a, a a, a blank */
        const double two = exp(-1.25) + exp(-0.75) + exp(-2.5);
        assert_true(is_close(r.value[0], time == 1 ? 0.5 : -log(two), 1e-6));
        free_result(r);
        c.target_lengths = none;
        r = run(context, &c);
        assert_true(is_close(r.value[0], time == 1 ? 1 : 3, 1e-6)); /* blanks alone */
        free_result(r);
    }
}

/* Between equal labels there must be a blank: as many time steps as labels are too few. */
static void repeated_labels_need_a_blank(clgrad_context *context)
{
    for (int zero = 0; zero < 2; zero++)
        for (int32_t time = 1; time <= 3; time++) {
            batch *b = make_batch(CLGRAD_REDUCTION_NONE);
            b->times[1] = time; /* for labels 2 2 */
            b->c.loss.zero_infinity = zero;
            const result r = run(context, &b->c);
            assert_true(isfinite(r.value[0]) && isfinite(r.value[2]));
            assert_true(time == 3 ? isfinite(r.value[1]) && r.value[1] > 0
                        : zero    ? r.value[1] == 0
                                  : r.value[1] == INFINITY);
            for (size_t t = 0; t < TIME; t++)
                for (size_t k = 0; k < CLASSES; k++) {
                    const float got = gradient_at(r, t, 1, k);
                    const bool counts = t < (size_t)time;
                    assert_true(!counts     ? got == 0
                                : time == 3 ? isfinite(got) && got != 0
                                : zero      ? got == 0
                                            : isnan(got));
                }
            free_result(r);
            free(b);
        }
}

/* Without time there is the empty target alone. */
static void no_time_steps(clgrad_context *context)
{
    for (int zero = 0; zero < 2; zero++)
        for (int reduction = 0; reduction <= CLGRAD_REDUCTION_SUM; reduction++) {
            batch *b = make_batch((clgrad_reduction)reduction);
            b->c.loss.zero_infinity = zero;
            b->times[0] = b->times[1] = 0;
            b->lengths[0] = 0;
            const result r = run(context, &b->c);
            if (reduction == CLGRAD_REDUCTION_NONE) {
                assert_true(r.value[0] == 0);
                assert_true(r.value[1] == (zero ? 0 : INFINITY));
            } else {
                assert_true((isinf(r.value[0]) != 0) == !zero);
            }
            for (size_t t = 0; t < TIME; t++)
                for (size_t k = 0; k < CLASSES; k++)
                    assert_true(gradient_at(r, t, 0, k) == 0 && gradient_at(r, t, 1, k) == 0);
            free_result(r);
            free(b);
        }
}

/* A target that is nothing but empty has no room; a prediction without time steps has no gradient. */
static void empty_dimensions(clgrad_context *context)
{
    batch *b = make_batch(CLGRAD_REDUCTION_MEAN);
    memset(b->lengths, 0, sizeof b->lengths);
    b->c.room = 0;
    free_result(run(context, &b->c));
    memset(b->times, 0, sizeof b->times);
    b->c.shape[0] = 0;
    const result r = run(context, &b->c);
    assert_true(r.value[0] == 0);
    free_result(r);
    free(b);
}

/* Time steps beyond a sequence's length and labels beyond a target's do not count, whatever they hold. */
static void padding_does_not_count(clgrad_context *context)
{
    batch *b = make_batch(CLGRAD_REDUCTION_NONE);
    const result before = run(context, &b->c);
    for (size_t t = 0; t < TIME; t++)
        for (size_t k = 0; k < CLASSES; k++)
            for (size_t i = 1; i < BATCH; i++)
                if (t >= (size_t)b->times[i])
                    b->log_p[(t * BATCH + i) * CLASSES + k] = k == 1 ? NAN : INFINITY;
    b->labels[1 * ROOM + 2] = -5;
    b->labels[2 * ROOM + 1] = CLASSES;
    const result after = run(context, &b->c);
    assert_same_floats(after.value, before.value, BATCH);
    assert_same_floats(after.gradient, before.gradient, COUNT_);
    free_result(before);
    free_result(after);
    free(b);
}

/* The blank may be any class: exchanging its column with class 0 changes nothing but the columns. */
static void blank_may_be_any_class(clgrad_context *context)
{
    for (int32_t blank = 1; blank < CLASSES; blank++) {
        batch *b = make_batch(CLGRAD_REDUCTION_MEAN);
        const result before = run(context, &b->c);
        b->c.loss.blank = blank;
        for (size_t i = 0; i < COUNT_; i += CLASSES) {
            const float p = b->log_p[i];
            b->log_p[i] = b->log_p[i + (size_t)blank];
            b->log_p[i + (size_t)blank] = p;
        }
        for (size_t i = 0; i < BATCH * ROOM; i++)
            b->labels[i] = b->labels[i] == blank ? 0 : b->labels[i];
        const result after = run(context, &b->c);
        assert_true(is_close(after.value[0], before.value[0], 1e-6));
        for (size_t i = 0; i < COUNT_; i += CLASSES)
            assert_true(is_close(after.gradient[i + (size_t)blank], before.gradient[i], 1e-6));
        free_result(before);
        free_result(after);
        free(b);
    }
}

/* NaN where an alignment may have it spoils the sequence; in a class that is not in the target, itself. */
static void nan_in_log_probabilities(clgrad_context *context)
{
    for (int zero = 0; zero < 2; zero++) {
        batch *b = make_batch(CLGRAD_REDUCTION_NONE);
        b->c.loss.zero_infinity = zero;
        b->log_p[(2 * BATCH + 1) * CLASSES + 0] = NAN; /* sequence 1: the blank */
        b->log_p[(1 * BATCH + 2) * CLASSES + 1] = NAN; /* sequence 2, whose target is 3: not in it */
        const result r = run(context, &b->c);
        assert_true(isfinite(r.value[0]) && isnan(r.value[1]) && isfinite(r.value[2]));
        for (size_t t = 0; t < TIME; t++)
            for (size_t k = 0; k < CLASSES; k++) {
                assert_true(isfinite(gradient_at(r, t, 0, k)));
                assert_true((isnan(gradient_at(r, t, 1, k)) != 0) == (t < 4));
                assert_true((isnan(gradient_at(r, t, 2, k)) != 0) == (t == 1 && k == 1));
            }
        free_result(r);
        b->log_p[(2 * BATCH + 1) * CLASSES + 0] = -1;
        b->log_p[(2 * BATCH + 1) * CLASSES + 2] = NAN; /* its label */
        const result label = run(context, &b->c);
        assert_true(isnan(label.value[1]));
        free_result(label);
        free(b);
    }
}

/* A class that cannot be leaves the other alignments; no class that can be, no alignment. */
static void impossible_classes(clgrad_context *context)
{
    batch *b = make_batch(CLGRAD_REDUCTION_NONE);
    b->log_p[(1 * BATCH + 2) * CLASSES + 3] = -INFINITY; /* sequence 2: its label at time 1 */
    b->log_p[(1 * BATCH + 1) * CLASSES + 0] = b->log_p[(1 * BATCH + 1) * CLASSES + 2] = -INFINITY;
    const result r = run(context, &b->c);
    assert_true(isfinite(r.value[2]) && r.value[1] == INFINITY);
    assert_true(gradient_at(r, 1, 2, 3) == 0);
    free_result(r);
    free(b);
}

/* ---- lengths and labels out of range ---- */

static void check_fault(clgrad_context *context, const batch *b, const char *sentence)
{
    const loss_case *c = &b->c;
    loss_tensors t = loss_case_tensors(context, c);
    assert_ok(context, clgrad_loss_evaluate(context, &c->loss, &t.inputs, clgrad_tensor_none(), t.value,
                                            &t.gradients));
    assert_refused(context, clgrad_context_finish(context), CLGRAD_STATUS_INVALID_INDEX, sentence);
    assert_ok(context, clgrad_context_finish(context));
    const result r = {tensor_floats(context, t.value), tensor_floats(context, t.gradients.dprediction)};
    for (size_t i = 0; i < COUNT_; i++)
        assert_true((isnan(r.gradient[i]) != 0) == (i / CLASSES % BATCH == 1));
    if (c->loss.reduction == CLGRAD_REDUCTION_NONE)
        assert_true(isfinite(r.value[0]) && isnan(r.value[1]) && isfinite(r.value[2]));
    else
        assert_true(isnan(r.value[0]));
    free_result(r);
    loss_tensors_free(context, t);
}

static void lengths_and_labels_out_of_range(clgrad_context *context)
{
    static const struct {
        int32_t time, length, label;
        const char *sentence;
    } bad[] = {
        {TIME + 1, 2, 2, "input_lengths[1] is 6, it must lie between 0 and 5"},
        {-1, 2, 2, "input_lengths[1] is -1, it must lie between 0 and 5"},
        {INT32_MAX, 2, 2, "input_lengths[1] is 2147483647"},
        {4, ROOM + 1, 2, "target_lengths[1] is 4, it must lie between 0 and 3"},
        {4, -7, 2, "target_lengths[1] is -7, it must lie between 0 and 3"},
        {4, INT32_MAX, 2, "target_lengths[1] is 2147483647"},
        {4, 2, CLASSES, "target[4] is 4, but the prediction has the classes 0 to 3"},
        {4, 2, -1, "target[4] is -1, but the prediction has the classes 0 to 3"},
    };
    for (int reduction = 0; reduction <= CLGRAD_REDUCTION_SUM; reduction++)
        for (size_t i = 0; i < COUNT(bad); i++) {
            batch *b = make_batch((clgrad_reduction)reduction);
            b->times[1] = bad[i].time;
            b->lengths[1] = bad[i].length;
            b->labels[1 * ROOM + 1] = bad[i].label;
            check_fault(context, b, bad[i].sentence);
            free(b);
        }
}

/* Long sequences of unlikely classes: their probability is far below the smallest float32 number. */
static void long_and_unlikely(clgrad_context *context)
{
    const size_t times = test_small() ? 30 : 1500;
    clgrad_loss loss = clgrad_loss_defaults(CLGRAD_LOSS_CTC);
    loss_drawn *drawn = loss_draw(loss, 3, (size_t[]){times, 2, 7}, 0);
    for (size_t i = 0; i < loss_case_count(&drawn->c); i++)
        drawn->numbers.prediction[i] *= 8;
    loss_case_check_reference(context, &drawn->c);
    loss_drawn_free(drawn);
}

int main(void)
{
    const test_case cases[] = {
        CASE(short_alignments_by_hand),
        CASE(repeated_labels_need_a_blank),
        CASE(no_time_steps),
        CASE(empty_dimensions),
        CASE(padding_does_not_count),
        CASE(blank_may_be_any_class),
        CASE(nan_in_log_probabilities),
        CASE(impossible_classes),
        CASE(lengths_and_labels_out_of_range),
        CASE(long_and_unlikely),
    };
    return run_on_every_device(cases, COUNT(cases));
}
