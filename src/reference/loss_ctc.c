/*
 * Connectionist temporal classification: PyTorch 2, nn.CTCLoss; Graves, Fernandez, Gomez, Schmidhuber,
 * "Connectionist temporal classification: labelling unsegmented sequence data with recurrent neural
 * networks", 2006, section 4.1, in logarithms.
 *
 * An alignment gives each time step a label or the blank. State s of a target of S labels is blank for even
 * s, label (s - 1) / 2 for odd s, 0 to 2 S. From one time step to the next an alignment stays, goes one state
 * on, or two where that jumps over a blank between two different labels.
 */
#include "loss_formula.h"

static int32_t state_class(const loss_row *r, size_t s)
{
    return s % 2 == 0 ? r->loss->blank : r->y[s / 2];
}

/* Whether an alignment may come to state s from s - 2. */
static bool may_jump(const loss_row *r, size_t s)
{
    return s % 2 == 1 && s >= 3 && r->y[s / 2] != r->y[s / 2 - 1];
}

static double log_probability(const loss_row *r, size_t t, size_t s)
{
    return r->p[t * r->stride + (size_t)state_class(r, s)];
}

/* log(exp a + exp b), where -inf stands for nothing. */
static double log_add(double a, double b)
{
    const double largest = a > b ? a : b, smallest = a > b ? b : a;
    if (isnan(a) || isnan(b))
        return NAN;
    return largest == -INFINITY ? largest : largest + log1p(exp(smallest - largest));
}

/* The logarithm of a product; what cannot happen stays so, whatever is to follow. */
static double log_times(double a, double b)
{
    return a == -INFINITY ? a : a + b;
}

/* forward[t, s]: the logarithm of the probability of coming to state s at time t, that of s at t included. */
static void run_forward(const loss_row *r, size_t times, size_t states, double *forward)
{
    for (size_t t = 0; t < times; t++)
        for (size_t s = 0; s < states; s++) {
            double sum = t == 0 && s <= 1 ? 0 : -INFINITY;
            if (t > 0) {
                const double *before = forward + (t - 1) * states;
                sum = before[s];
                if (s >= 1)
                    sum = log_add(sum, before[s - 1]);
                if (may_jump(r, s))
                    sum = log_add(sum, before[s - 2]);
            }
            forward[t * states + s] = log_times(sum, log_probability(r, t, s));
        }
}

/* backward[t, s]: likewise of coming from state s at time t to the end, that of s at t not included. */
static void run_backward(const loss_row *r, size_t times, size_t states, double *backward)
{
    for (size_t t = times; t-- > 0;)
        for (size_t s = 0; s < states; s++) {
            double sum = t + 1 == times && s + 2 >= states ? 0 : -INFINITY;
            if (t + 1 < times) {
                const double *after = backward + (t + 1) * states;
                sum = log_times(after[s], log_probability(r, t + 1, s));
                if (s + 1 < states)
                    sum = log_add(sum, log_times(after[s + 1], log_probability(r, t + 1, s + 1)));
                if (s + 2 < states && may_jump(r, s + 2))
                    sum = log_add(sum, log_times(after[s + 2], log_probability(r, t + 1, s + 2)));
            }
            backward[t * states + s] = sum;
        }
}

/*
 * By the logarithm of the probability of class c at time t, PyTorch's derivative is that probability less the
 * posterior one, of an alignment's being in a state of class c at time t.
 */
static void gradient(const loss_row *r, size_t times, size_t states, const double *forward,
                     const double *backward, double log_total)
{
    for (size_t t = 0; t < times; t++) {
        double *dp = r->dp + t * r->stride;
        for (size_t c = 0; c < r->classes; c++)
            dp[c] = exp(r->p[t * r->stride + c]);
        for (size_t s = 0; s < states; s++)
            dp[state_class(r, s)] -=
                exp(log_times(forward[t * states + s], backward[t * states + s]) - log_total);
    }
}

static void fill(const loss_row *r, size_t from, size_t to, double value)
{
    for (size_t t = from; t < to; t++)
        for (size_t c = 0; c < r->classes; c++)
            loss_put(r->dp, t * r->stride + c, value);
}

double clgrad_ref_loss_ctc(const loss_row *r)
{
    const size_t times = (size_t)r->arrays->input_lengths[r->index];
    const size_t states = 2 * (size_t)r->arrays->target_lengths[r->index] + 1;
    double *forward = r->arrays->scratch, *backward = forward + times * states;
    fill(r, times, r->arrays->shape[0], 0);
    run_forward(r, times, states, forward);

    double log_total = states == 1 ? 0 : -INFINITY; /* without time, of the empty target alone */
    if (times > 0) {
        const double *end = forward + (times - 1) * states;
        log_total = states == 1 ? end[0] : log_add(end[states - 1], end[states - 2]);
    }
    if (log_total == -INFINITY || isnan(log_total)) {
        const bool zero = r->loss->zero_infinity && !isnan(log_total);
        fill(r, 0, times, zero ? 0 : NAN);
        return zero ? 0 : -log_total;
    }
    if (r->dp != NULL) {
        run_backward(r, times, states, backward);
        gradient(r, times, states, forward, backward, log_total);
    }
    return 0 - log_total;
}

size_t clgrad_ref_loss_scratch(const clgrad_loss *loss, const clgrad_ref_loss_arrays *arrays)
{
    if (loss->kind != CLGRAD_LOSS_CTC || arrays->shape[0] == 0)
        return 0;
    const size_t time = arrays->shape[0], states = 2 * arrays->room + 1;
    return states <= SIZE_MAX / 2 / time ? 2 * time * states : SIZE_MAX; /* which nobody has room for */
}

static clgrad_fault length_fault(clgrad_fault_kind kind, const int32_t *lengths, size_t at, size_t largest)
{
    if (lengths[at] >= 0 && (size_t)lengths[at] <= largest)
        return (clgrad_fault){0};
    return clgrad_ref_loss_fault(kind, at, lengths[at], largest + 1);
}

clgrad_fault clgrad_ref_loss_ctc_fault(const loss_row *r)
{
    const clgrad_ref_loss_arrays *a = r->arrays;
    clgrad_fault fault = length_fault(CLGRAD_FAULT_INPUT_LENGTH, a->input_lengths, r->index, a->shape[0]);
    if (fault.kind == CLGRAD_FAULT_NONE)
        fault = length_fault(CLGRAD_FAULT_TARGET_LENGTH, a->target_lengths, r->index, a->room);
    for (int32_t k = 0; fault.kind == CLGRAD_FAULT_NONE && k < a->target_lengths[r->index]; k++)
        if (r->y[k] < 0 || (size_t)r->y[k] >= r->classes)
            fault = clgrad_ref_loss_fault(CLGRAD_FAULT_CLASS, r->index * a->room + (size_t)k, r->y[k],
                                          r->classes);
    return fault;
}
