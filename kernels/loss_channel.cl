/*
 * Losses with a value for every column of classes. The prediction is [batch, classes, inner]; row r = (n, k)
 * is the column of classes that begins at n classes inner + k and goes on inner further. The host defines
 * ITEMS, the size of a group, and ABREAST (block.cl). All kernels take the same arguments.
 *
 * With class indices a mean divides by the weights of their classes (DIVIDES), added up times term_scale.
 * Where there are few rows every group adds them up for itself. Many rows take two launches, since their
 * gradient needs all of the weights and their value all of the rows. What the first one (the program built
 * with BEGINS) leaves in begun is the sum of each group's losses, parts_at in number; from there on the sums
 * of part_count shares of the weights; and then two numbers of each row. The second one (ENDS) adds up the
 * former and takes the latter.
 */

/* Of wants, besides those in loss.cl. */
#define DIVIDES 128

#ifndef BEGINS
#define BEGINS 0
#endif
#ifndef ENDS
#define ENDS 0
#endif

/* The target's elements: class indices, or a number for each class. */
#ifdef CLASS_INDICES
typedef int target_storage;
#else
typedef storage target_storage;
#endif

#define CHANNEL_KERNEL(name)                                                                               \
    __kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void name(                                 \
        ulong rows, ulong classes, ulong inner, ulong lanes, int wants, real term_scale, float8 a,         \
        __global const storage *prediction, ulong prediction_at, __global const target_storage *target,    \
        ulong target_at, __global const storage *weight, ulong weight_at, __global storage *begun,         \
        ulong parts_at, ulong part_count, __global storage *values, ulong values_at,                       \
        __global storage *totals, ulong totals_at, real total_scale, __global const storage *upstream,     \
        ulong upstream_at, __global storage *dprediction, ulong dprediction_at, __global storage *dtarget, \
        ulong dtarget_at, real gradient_scale, __global int *fault)

/* Where a row's first class lies. */
static ulong column_start(size_t row, ulong classes, ulong inner)
{
    return row / inner * classes * inner + row % inner;
}

/* ---- softmax ---- */

/* log(sum exp x) - x = log1p(s) + (m - x), times scale: finite also where m - x is not. */
static real log_distance(softmax q, real x, real scale)
{
    return q.log1p_s * scale + (q.top * scale - x * scale);
}

/* ---- class indices ---- */

#ifdef CLASS_INDICES
typedef struct label {
    int index;
    bool valid, ignored;
} label;

/* A row's class index; one that is no class is recorded. */
static void label_of(label *y, place p, int ignore_index, ulong classes, __global const int *target,
                     ulong target_at, __global int *fault)
{
    *y = (label){ignore_index, false, true};
    if (p.inside) {
        y->index = target[target_at + p.row];
        y->ignored = y->index == ignore_index;
        y->valid = !y->ignored && y->index >= 0 && (ulong)y->index < classes;
        if (!y->valid && !y->ignored && p.lane == 0)
            record_fault(fault, FAULT_CLASS, p.row, y->index, classes);
    }
}

/* The weights of the classes of count rows from first on; 0 for those that are ignored or have no class. */
static void load_weights(real *weights, size_t first, int count, ulong classes, int ignore_index,
                         __global const int *target, ulong target_at, __global const storage *weight,
                         ulong weight_at)
{
    int indices[ABREAST];
    if (count == ABREAST)
        EACH_OF_BLOCK (k)
            indices[k] = target[target_at + first + k];
    else
        EACH_OF_BLOCK (k)
            indices[k] = k < count ? target[target_at + first + k] : ignore_index;
    EACH_OF_BLOCK (k)
        weights[k] = indices[k] != ignore_index && indices[k] >= 0 && (ulong)indices[k] < classes ? 1 : 0;
    if (weight != 0)
        EACH_OF_BLOCK (k)
            weights[k] = weights[k] != 0 ? LOAD(weight, weight_at + indices[k]) : 0;
}

/*
 * The sum of these weights over rows first to end, times term_scale, and of so many parts. All work-items of
 * the group take part, in an order that depends on the rows alone.
 */
LOCAL_FUNCTION real class_total(__local real *shared, size_t first, size_t end, ulong classes,
                                int ignore_index, real term_scale, __global const int *target,
                                ulong target_at, __global const storage *weight, ulong weight_at,
                                __global const storage *parts, ulong parts_at, ulong part_count)
{
    const size_t item = get_local_id(0);
    real weights[ABREAST];
    block_sum of_rows;
    block_sum_clear(&of_rows);
    for (size_t i = first + item * ABREAST; i < end; i += ITEMS * ABREAST) {
        load_weights(weights, i, (int)min((size_t)ABREAST, end - i), classes, ignore_index, target, target_at,
                     weight, weight_at);
        EACH_OF_BLOCK (k)
            weights[k] *= term_scale;
        block_sum_add(&of_rows, weights);
    }
    sum total = {block_sum_result(&of_rows), 0};
    for (size_t i = item; i < part_count; i += ITEMS)
        sum_add(&total, LOAD(parts, parts_at + i));
    return sum_lanes(shared, item, item, ITEMS, sum_result(total));
}

/* What the weights are divided by; 1 where they are not, or not yet. */
LOCAL_FUNCTION real divisor_of(__local real *shared, int wants, ulong rows, ulong classes, int ignore_index,
                               real term_scale, __global const int *target, ulong target_at,
                               __global const storage *weight, ulong weight_at, __global storage *begun,
                               ulong parts_at, ulong part_count)
{
    const size_t group = get_group_id(0), share = BEGINS ? (rows + part_count - 1) / part_count : rows;
    const size_t first = BEGINS ? group * share : 0;
    const bool adds = BEGINS ? true : ENDS ? false : (wants & DIVIDES) != 0;
    const size_t end = adds ? min(rows, (ulong)(first + share)) : 0;
    const real total = class_total(shared, first, end, classes, ignore_index, term_scale, target, target_at,
                                   weight, weight_at, begun, parts_at, ENDS ? part_count : 0);
    if (BEGINS && group < part_count && get_local_id(0) == 0)
        STORE(begun, parts_at + group, total);
    return wants & DIVIDES ? total : 1;
}
#define DIVISOR                                                                                           \
    divisor_of(shared, wants, rows, classes, (int)a.s0, term_scale, target, target_at, weight, weight_at, \
               begun, parts_at, part_count)
#else
#define DIVISOR 1
#endif

/* softmax_row of a row, which the launch that BEGINS keeps for the one that ENDS. */
LOCAL_FUNCTION void softmax_of(softmax *q, __local real *shared, place p, __global const storage *x, ulong at,
                               ulong columns, ulong stride, __global storage *kept, ulong kept_at,
                               __global storage *begun, ulong begun_at)
{
#if ENDS
    q->top = p.inside ? LOAD(begun, begun_at + 2 * p.row) : 0;
    q->s = p.inside ? LOAD(begun, begun_at + 2 * p.row + 1) : 0;
    q->log1p_s = log1p_of(q->s);
#else
    softmax_row(q, shared, p, 1, x, at, columns, stride, kept, kept_at);
#endif
    if (BEGINS && p.inside && p.lane == 0) {
        STORE(begun, begun_at + 2 * p.row, q->top);
        STORE(begun, begun_at + 2 * p.row + 1, q->s);
    }
}
/* keeps: whether dprediction receives the exponentials. */
#define SOFTMAX(q, keeps)                                                                \
    softmax_of(&q, shared, p, prediction, at, classes, inner, (keeps) ? dprediction : 0, \
               dprediction_at + start, begun, parts_at + part_count)

/*
 * A row's loss goes where values are wanted, and the sum of the group's, times total_scale, to totals[group].
 * In the launch that ENDS the first group adds up what all groups have left.
 */
LOCAL_FUNCTION void keep_loss(__local real *shared, place p, int wants, real loss, real divisor,
                              real total_scale, __global const storage *begun, ulong begun_count,
                              __global storage *values, ulong values_at, __global storage *totals,
                              ulong totals_at)
{
    const size_t group = get_group_id(0);
    const bool speaks = p.inside && p.lane == 0;
    if (speaks && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss);
    sum own = {speaks && !ENDS ? loss : 0, 0};
    const size_t count = ENDS && group == 0 ? begun_count : 0;
    for (size_t i = p.item; i < count; i += ITEMS)
        sum_add(&own, LOAD(begun, i));
    const real total = sum_lanes(shared, p.item, p.item, ITEMS, sum_result(own));
    const bool has_all = ENDS ? group == 0 : true;
    if ((wants & WANT_TOTAL) && p.item == 0 && has_all)
        STORE(totals, totals_at + group, (ENDS ? total / divisor : total) * total_scale);
}
#define KEEP_LOSS(loss)                                                                                 \
    keep_loss(shared, p, wants, loss, divisor, total_scale, begun, parts_at, values, values_at, totals, \
              totals_at)

/* ---- gradients of class indices ---- */

#ifdef CLASS_INDICES
/* A number into the label's place, where that is among the count of a block from class j on. */
static void put_label(real *block, ulong j, int count, label y, real x)
{
    if (y.valid && (ulong)y.index >= j && (ulong)y.index - j < (ulong)count)
        block[y.index - j] = x;
}

/*
 * e share scale, e the exponential of each logit, and at the label own scale. softmax_row has left the
 * exponentials in dprediction, but for the launch that ENDS.
 */
static void store_gradient(place p, ulong classes, ulong inner, label y, softmax q, real share, real own,
                           real scale, __global const storage *prediction, ulong at,
                           __global storage *dprediction, ulong to)
{
    EACH_BLOCK (p, j, classes) {
        real e[ABREAST];
        const int count = block_count(j, classes);
#if ENDS
        load_block(e, count, 0, prediction, at + j * inner, inner);
        EACH_OF_BLOCK (k)
            e[k] = exp_below(e[k], q.top);
#else
        load_block(e, count, 0, dprediction, to + j * inner, inner);
#endif
        EACH_OF_BLOCK (k)
            e[k] = e[k] * share * scale;
        put_label(e, j, count, y, own * scale);
        store_block(e, count, dprediction, to + j * inner, inner);
    }
}
#endif

/* ---- softmax cross-entropy ---- */

/* The coefficients c = w s of a block of classes from j on, s the smoothed target. */
#ifdef CLASS_INDICES
static void load_coefficients(real *c, ulong j, int count, label y, real own, real spread, real divisor,
                              __global const storage *weight, ulong weight_at)
{
    EACH_OF_BLOCK (k)
        c[k] = y.valid || y.ignored ? 0 : NAN;
    if (y.valid)
        for (int k = 0; k < count; k++)
            c[k] = class_weight(weight, weight_at, j + k) / divisor * spread;
    put_label(c, j, count, y, own);
}
#define LOAD_COEFFICIENTS(c, j, count) \
    load_coefficients(c, j, count, y, own, spread, divisor, weight, weight_at)
#else
static void load_coefficients(real *c, ulong j, int count, real smoothing, real spread,
                              __global const storage *target, ulong target_at, ulong inner,
                              __global const storage *weight, ulong weight_at)
{
    load_block(c, count, 0, target, target_at + j * inner, inner);
    EACH_OF_BLOCK (k)
        c[k] = (1 - smoothing) * c[k] + spread;
    if (weight != 0)
        for (int k = 0; k < count; k++)
            c[k] *= LOAD(weight, weight_at + j + k);
}
#define LOAD_COEFFICIENTS(c, j, count) \
    load_coefficients(c, j, count, smoothing, spread, target, target_at + start, inner, weight, weight_at)
#endif

/*
 * Softmax cross-entropy: sum c (log(sum exp x) - x) with the coefficients c = w s, s the smoothed target; a
 * term with c = 0 is left out. The gradient is softmax T - c, T the sum of c. At the highest logit that is
 * (R - c s) / (1 + s), R the sum of all coefficients but its own, which keeps its accuracy where the softmax
 * is close to the target. (Where several are highest, so is softmax at most a half.) dprediction may be
 * prediction, dtarget target.
 */
#ifdef KERNEL_loss_cross_entropy
CHANNEL_KERNEL(loss_cross_entropy)
{
    __local real shared[ITEMS];
    const place p = place_among(rows, lanes);
    const ulong start = column_start(p.row, classes, inner), at = prediction_at + start;
    const real smoothing = a.s1, spread = smoothing / (real)classes;
    const real divisor = DIVISOR;
    /* Sums of the lane's terms, of its coefficients below the highest logit, and of those at it. */
    real losses = 0, below = 0, on_top = 0;
#ifdef CLASS_INDICES
    label y;
    label_of(&y, p, (int)a.s0, classes, target, target_at, fault);
    const real logit = y.valid ? LOAD(prediction, at + y.index * inner) : NAN;
    const real weight_here = y.valid ? class_weight(weight, weight_at, y.index) / divisor : NAN;
    const real own = y.ignored ? 0 : weight_here * (1 - smoothing + spread);
    /* Without smoothing there is but one coefficient. */
    const bool single = spread == 0;
    /* Every lane has read that logit, whose place its exponential may take. */
    meet_lanes();
    softmax q;
    SOFTMAX(q, single && (wants & WANT_GRADIENT));
    if (single && p.inside && p.lane == 0) {
        losses = own == 0 ? 0 : own * log_distance(q, logit, term_scale);
        below = own;
    }
#else
    const bool single = false;
    softmax q;
    SOFTMAX(q, false);
#endif
    real x[ABREAST], c[ABREAST];
    if (!single) {
        real terms_here[ABREAST], lower_here[ABREAST], highest_here[ABREAST];
        block_sum terms, lower, highest;
        block_sum_clear(&terms);
        block_sum_clear(&lower);
        block_sum_clear(&highest);
        EACH_BLOCK (p, j, classes) {
            const int count = block_count(j, classes);
            load_block(x, count, 0, prediction, at + j * inner, inner);
            LOAD_COEFFICIENTS(c, j, count);
            EACH_OF_BLOCK (k) {
                const real part = k < count ? c[k] : 0;
                terms_here[k] = part == 0 ? 0 : part * log_distance(q, x[k], term_scale);
                lower_here[k] = x[k] == q.top ? 0 : part;
                highest_here[k] = x[k] == q.top ? part : 0;
            }
            block_sum_add(&terms, terms_here);
            block_sum_add(&lower, lower_here);
            block_sum_add(&highest, highest_here);
        }
        losses = block_sum_result(&terms);
        below = block_sum_result(&lower);
        on_top = block_sum_result(&highest);
    }
    real loss = sum_row(shared, p, losses);
    const real rest = sum_row(shared, p, below), top_coefficient = sum_row(shared, p, on_top);
    const real total = rest + top_coefficient;
    if (isnan(q.s) || isnan(total))
        loss = NAN;
#ifdef CLASS_INDICES
    if (y.ignored)
        loss = 0 / divisor; /* NaN where all are */
#endif
    /* Every lane has read what it needs of the others' classes. */
    meet_lanes();

    KEEP_LOSS(loss);
    if (!(wants & (WANT_GRADIENT | WANT_DTARGET)))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
#ifdef CLASS_INDICES
    if (single) {
        const real share = own / (1 + q.s);
        const real below_one = logit == q.top ? -q.s : exp_below(logit, q.top) - (1 + q.s);
        store_gradient(p, classes, inner, y, q, share, below_one * share, term_scale * scale, prediction, at,
                       dprediction, dprediction_at + start);
        return;
    }
#endif
    const real poison = poison_of(q.s) + poison_of(total);
    EACH_BLOCK (p, j, classes) {
        real results[ABREAST];
        const int count = block_count(j, classes);
        load_block(x, count, 0, prediction, at + j * inner, inner);
        LOAD_COEFFICIENTS(c, j, count);
        if (wants & WANT_GRADIENT) {
            EACH_OF_BLOCK (k) {
                const real e = exp_below(x[k], q.top) * total / (1 + q.s) - c[k];
                const real top = (rest + (top_coefficient - c[k]) - c[k] * q.s) / (1 + q.s);
                results[k] = ((x[k] == q.top ? top : e) + poison) * term_scale * scale;
            }
            store_block(results, count, dprediction, dprediction_at + start + j * inner, inner);
        }
        if (wants & WANT_DTARGET) {
            EACH_OF_BLOCK (k)
                c[k] = 1 - smoothing;
            if (weight != 0)
                for (int k = 0; k < count; k++)
                    c[k] *= LOAD(weight, weight_at + j + k);
            EACH_OF_BLOCK (k) {
                const real gradient = c[k] == 0 ? 0 : c[k] * log_distance(q, x[k], term_scale);
                results[k] = (gradient + poison) * scale;
            }
            store_block(results, count, dtarget, dtarget_at + start + j * inner, inner);
        }
    }
}
#endif

#ifdef CLASS_INDICES
/* -w_y p_y. Of a row that class alone is looked at. dprediction may be prediction. */
#ifdef KERNEL_loss_nll
CHANNEL_KERNEL(loss_nll)
{
    __local real shared[ITEMS];
    const place p = place_among(rows, lanes);
    const ulong start = column_start(p.row, classes, inner), at = prediction_at + start;
    label y;
    label_of(&y, p, (int)a.s0, classes, target, target_at, fault);
    const real divisor = DIVISOR;
    const real log_q = y.valid ? LOAD(prediction, at + y.index * inner) : NAN;
    const real own = y.valid ? class_weight(weight, weight_at, y.index) / divisor : NAN;
    const real loss = y.ignored ? 0 / divisor : own * -(log_q * term_scale);
    /* Every lane has read that class, which below only the one that looks after it may overwrite. */
    meet_lanes();

    KEEP_LOSS(loss);
    if (!p.inside || !(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    EACH_BLOCK (p, j, classes) {
        real gradient[ABREAST];
        const int count = block_count(j, classes);
        EACH_OF_BLOCK (k)
            gradient[k] = (y.ignored || y.valid ? 0 : NAN) * scale;
        put_label(gradient, j, count, y, -own * term_scale * scale);
        store_block(gradient, count, dprediction, dprediction_at + start + j * inner, inner);
    }
}
#endif

/*
 * -w_y (1 - q)^gamma log q, q = softmax_y (Lin et al., "Focal Loss for Dense Object Detection", 2017), and
 * its gradient w_y (1 - q)^gamma (1 - gamma q log(q) / (1 - q)) (softmax - [y]). dprediction may be
 * prediction.
 */
#ifdef KERNEL_loss_focal
CHANNEL_KERNEL(loss_focal)
{
    __local real shared[ITEMS];
    const place p = place_among(rows, lanes);
    const ulong start = column_start(p.row, classes, inner), at = prediction_at + start;
    const real gamma = a.s1, divisor = DIVISOR;
    label y;
    label_of(&y, p, (int)a.s0, classes, target, target_at, fault);
    const real x = y.valid ? LOAD(prediction, at + y.index * inner) : NAN;
    /* Every lane has read that logit, whose place its exponential may take. */
    meet_lanes();
    softmax row;
    SOFTMAX(row, wants & WANT_GRADIENT);

    const bool on_top = x == row.top;
    const real e = exp_below(x, row.top);
    const real q = e / (1 + row.s), other = (on_top ? row.s : 1 + (row.s - e)) / (1 + row.s);
    const real own = y.valid ? class_weight(weight, weight_at, y.index) / divisor : NAN;
    const real modulation = own * pow(other, gamma);
    /* log(q) / (1 - q) tends to -1 as q does to 1, and q log q to 0 as q does to 0. */
    const real ratio = other == 0 ? 1 : q == 0 ? 0 : q * log_distance(row, x, 1) / other;
    const real factor = modulation * (1 + gamma * ratio);
    real loss = modulation * log_distance(row, x, term_scale);
    if (y.ignored)
        loss = 0 / divisor;
    KEEP_LOSS(loss);
    if (!(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    const real share = (y.ignored ? 0 : factor / (1 + row.s)) + poison_of(row.s);
    store_gradient(p, classes, inner, y, row, share, -other * factor + poison_of(row.s), term_scale * scale,
                   prediction, at, dprediction, dprediction_at + start);
}
#endif
#endif
