/*
 * Connectionist temporal classification (Graves, Fernandez, Gomez, Schmidhuber, "Connectionist Temporal
 * Classification", 2006): the forward and backward variables of sections 4.1 and 4.2, as logarithms. A
 * work-group has a sequence; its work-items share the states among them, which are the labels with a blank
 * before, between and behind them.
 *
 * A logarithm of some hundred in float32 would lose what the posterior probabilities are made of: so each is
 * a pair, and only what a sum of exponentials adds to the largest of them, at most log 3, is rounded to one
 * number.
 */

/* The sum of hi and lo is meant; lo is at most half an ulp of hi. */
typedef real2 pair;

static pair pair_of(real x)
{
    return (pair)(0, x);
}

/* a + x, with the rounding errors of both additions (Knuth, The Art of Computer Programming 2, 4.2.2). */
static pair pair_add(pair a, real x)
{
    const real total = a.hi + x, added = total - a.hi;
    const real error = (a.hi - (total - added)) + (x - added) + a.lo;
    const real high = total + error;
    return isfinite(high) ? (pair)(error - (high - total), high) : pair_of(total);
}

static real pair_value(pair a)
{
    return isfinite(a.hi) ? a.hi + a.lo : a.hi;
}

/* exp(a - b). The difference's low part would be lost in an argument rounded to one number. */
static real exp_difference(pair a, pair b)
{
    const pair d = isfinite(b.hi) ? pair_add(pair_add(a, -b.hi), -b.lo) : pair_of(a.hi - b.hi);
    const real e = exp(d.hi);
    return e + e * d.lo;
}

/* log(exp a + exp b + exp c). */
static pair log_sum(pair a, pair b, pair c)
{
    pair top = a, second = b, third = c;
    if (second.hi > top.hi) {
        top = b;
        second = a;
    }
    if (third.hi > top.hi) {
        third = top;
        top = c;
    }
    if (top.hi == -INFINITY && !isnan(second.hi) && !isnan(third.hi))
        return top;
    return pair_add(top, log1p(exp_difference(second, top) + exp_difference(third, top)));
}

/* log(exp(a) p), log p given: of what cannot be, nothing, whatever p may be. */
static pair log_product(pair a, real log_p)
{
    return a.hi == -INFINITY ? a : pair_add(a, log_p);
}

/* The class of state s: label s / 2 at odd s, else the blank. */
static int state_class(__global const int *labels, int blank, size_t s)
{
    return s % 2 == 1 ? labels[s / 2] : blank;
}

/* Whether state s may follow state s - 2, past the blank between two different labels. */
static bool skips_blank(__global const int *labels, size_t s)
{
    return s % 2 == 1 && s > 1 && labels[s / 2] != labels[s / 2 - 1];
}

/* Whether a sequence's lengths and labels point where they should; all its work-items find the same. */
LOCAL_FUNCTION bool is_valid(__local real *shared, size_t n, ulong time, ulong classes, ulong room,
                             __global const int *target, int steps, int labels, __global int *fault)
{
    const size_t item = get_local_id(0);
    const bool steps_fit = steps >= 0 && (ulong)steps <= time,
               labels_fit = labels >= 0 && (ulong)labels <= room;
    if (!steps_fit && item == 0)
        record_fault(fault, FAULT_INPUT_LENGTH, n, steps, time + 1);
    if (!labels_fit && item == 0)
        record_fault(fault, FAULT_TARGET_LENGTH, n, labels, room + 1);

    real wrong = 0;
    for (size_t k = item; labels_fit && k < (size_t)labels; k += GROUP_SIZE)
        if (target[k] < 0 || (ulong)target[k] >= classes) {
            record_fault(fault, FAULT_CLASS, n * room + k, target[k], classes);
            wrong = 1;
        }
    wrong = sum_lanes(shared, item, item, GROUP_SIZE, wrong);
    return steps_fit && labels_fit && wrong == 0;
}

/*
 * Each label's next place in the target (their number where there is none), and whether it is its first; a
 * label that is the blank has none. So one work-item can add up a class's states, always in the same order.
 */
static void link_labels(__global const int *labels, size_t count, int blank, __global int *next,
                        __global int *first)
{
    for (size_t k = get_local_id(0); k < count; k += GROUP_SIZE) {
        size_t later = k + 1, before = 0;
        while (later < count && labels[later] != labels[k])
            later++;
        while (before < k && labels[before] != labels[k])
            before++;
        next[k] = (int)later;
        first[k] = before == k && labels[k] != blank;
    }
}

/* What precedes a time step at state s: the forward variables before it, of the states that may lead there.
 */
static pair reached_from(__global const real *before, __global const int *labels, size_t s)
{
    const pair impossible = pair_of(-INFINITY);
    return log_sum(vload2(s, before), s > 0 ? vload2(s - 1, before) : impossible,
                   skips_blank(labels, s) ? vload2(s - 2, before) : impossible);
}

/* What follows a time step at state s: the backward variables after it, with their own steps. */
static pair leading_to(__global const real *after, __global const int *labels, size_t s, size_t states)
{
    const pair impossible = pair_of(-INFINITY);
    return log_sum(vload2(s, after), s + 1 < states ? vload2(s + 1, after) : impossible,
                   s + 2 < states && skips_blank(labels, s + 2) ? vload2(s + 2, after) : impossible);
}

/* The probability of being in a state, of the forward variable and what follows it, given the sequence's. */
static real posterior_of(pair forward, pair following, pair all)
{
    if (forward.hi == -INFINITY || following.hi == -INFINITY)
        return exp_difference(pair_of(-INFINITY), all);
    return exp_difference(pair_add(pair_add(forward, following.hi), following.lo), all);
}

/* The labels' posterior probabilities by class, over total; the blank's are not among them. */
static void collect_labels(__global const int *labels, size_t count, __global const int *next,
                           __global const int *first, __global const real *posterior, real total,
                           __global real *of_class)
{
    for (size_t k = get_local_id(0); k < count; k += GROUP_SIZE)
        if (first[k]) {
            sum found = {0, 0};
            for (size_t i = k; i < count; i = next[i])
                sum_add(&found, posterior[2 * i + 1]);
            of_class[labels[k]] = sum_result(found) / total;
        }
}

/*
 * The loss of sequence n is its group's. log_probs is [time, batch, classes], target [batch, room]. kept: the
 * time steps whose forward variables the workspace has room for, all for a gradient, else 2. A sequence's
 * workspace of so many numbers (stride) holds those pairs; for a gradient also the backward variables of two
 * steps, a posterior probability for each state and for each class, and the labels' links.
 */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
loss_ctc(ulong time, ulong batch, ulong classes, ulong room, ulong kept, int wants, int over_length,
         real term_scale, float8 a, __global const storage *log_probs, ulong log_probs_at,
         __global const int *target, ulong target_at, __global const int *input_lengths,
         ulong input_lengths_at, __global const int *target_lengths, ulong target_lengths_at,
         __global storage *values, ulong values_at, __global const storage *upstream, ulong upstream_at,
         __global storage *dlog_probs, ulong dlog_probs_at, real gradient_scale, __global real *workspace,
         ulong workspace_at, __global int *links, ulong links_at, ulong stride, __global int *fault)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), n = get_group_id(0);
    const int blank = (int)a.s0;
    __global const int *labels = target + (target_at + n * room);
    const int given_steps = input_lengths[input_lengths_at + n];
    const int given_labels = target_lengths[target_lengths_at + n];
    const bool valid = is_valid(shared, n, time, classes, room, labels, given_steps, given_labels, fault);
    const size_t steps = valid ? given_steps : 0, count = valid ? given_labels : 0, states = 2 * count + 1;
    const pair impossible = pair_of(-INFINITY);

    const ulong most = 2 * room + 1;
    __global real *forward = workspace + (workspace_at + n * stride);

    for (size_t t = 0; t < steps; t++) {
        const ulong row = log_probs_at + (t * batch + n) * classes;
        __global const real *before = forward + (t + kept - 1) % kept * 2 * most;
        __global real *now = forward + t % kept * 2 * most;
        for (size_t s = item; s < states; s += GROUP_SIZE) {
            const pair x = t > 0 ? reached_from(before, labels, s) : s < 2 ? pair_of(0) : impossible;
            vstore2(log_product(x, LOAD(log_probs, row + state_class(labels, blank, s))), s, now);
        }
        barrier(CLK_GLOBAL_MEM_FENCE);
    }

    /* All that ends in the last label or in the blank behind it. */
    pair end = count == 0 ? pair_of(0) : impossible;
    if (steps > 0) {
        __global const real *last = forward + (steps - 1) % kept * 2 * most;
        end =
            log_sum(vload2(states - 1, last), states > 1 ? vload2(states - 2, last) : impossible, impossible);
    }
    real loss = valid ? 0 - pair_value(end) : NAN;
    const bool possible = isfinite(loss);
    const bool zeroed = loss == INFINITY && a.s1 != 0;
    const real instead = zeroed ? 0 : NAN; /* of the gradient, where it is not */
    if (zeroed)
        loss = 0;
    const real share = over_length && count > 1 ? 1 / (real)count : 1;
    if (item == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + n, loss * term_scale * share);
    if (!(wants & WANT_GRADIENT))
        return;

    real scale = gradient_scale * term_scale * share;
    if (wants & (UPSTREAM_ONE | UPSTREAM_EACH))
        scale *= LOAD(upstream, wants & UPSTREAM_EACH ? upstream_at + n : upstream_at);
    __global real *backward = forward + 2 * most * kept, *posterior = backward + 4 * most;
    __global real *of_class = posterior + most;
    __global int *next = links + (links_at + n * stride), *first = next + room;
    link_labels(labels, count, blank, next, first);
    for (size_t c = item; c < classes; c += GROUP_SIZE)
        of_class[c] = 0;

    for (size_t t = possible ? steps : 0; t-- > 0;) {
        const ulong row = log_probs_at + (t * batch + n) * classes;
        __global const real *after = backward + (t + 1) % 2 * 2 * most,
                            *reached = forward + t % kept * 2 * most;
        __global real *now = backward + t % 2 * 2 * most;
        sum all = {0, 0}, blanks = {0, 0};
        for (size_t s = item; s < states; s += GROUP_SIZE) {
            const int label = state_class(labels, blank, s);
            const pair x = t + 1 < steps     ? leading_to(after, labels, s, states)
                           : s + 2 >= states ? pair_of(0)
                                             : impossible;
            vstore2(log_product(x, LOAD(log_probs, row + label)), s, now);
            posterior[s] = posterior_of(vload2(s, reached), x, end);
            sum_add(&all, posterior[s]);
            if (label == blank)
                sum_add(&blanks, posterior[s]);
        }
        /* 1 but for rounding errors that the states have in common. */
        const real total = sum_lanes(shared, item, item, GROUP_SIZE, sum_result(all));
        const real blank_total = sum_lanes(shared, item, item, GROUP_SIZE, sum_result(blanks));
        /* Every work-item has read the log-probabilities that it needs, and written its posteriors. */
        barrier(CLK_GLOBAL_MEM_FENCE);
        collect_labels(labels, count, next, first, posterior, total, of_class);
        if (item == 0)
            of_class[blank] = blank_total / total;
        barrier(CLK_GLOBAL_MEM_FENCE);
        for (size_t c = item; c < classes; c += GROUP_SIZE)
            STORE(dlog_probs, dlog_probs_at + (t * batch + n) * classes + c,
                  (exp(LOAD(log_probs, row + c)) - of_class[c]) * scale);
    }

    for (size_t t = possible ? steps : 0; t < time; t++)
        for (size_t c = item; c < classes; c += GROUP_SIZE)
            STORE(dlog_probs, dlog_probs_at + (t * batch + n) * classes + c,
                  t < steps || !valid ? instead : 0);
}
