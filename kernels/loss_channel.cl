/*
 * Losses with a value for every column of classes. The prediction is [batch, classes, inner]; row r = (n, k)
 * is the column of classes that begins at n classes inner + k and goes on inner further. With class indices a
 * mean divides by the weights of their classes (DIVIDES), added up times term_scale: by every group for
 * itself, or where there are many rows by loss_class_total in so many parts. The host defines ITEMS, the size
 * of a group, and ABREAST (softmax_row.cl). All kernels but loss_class_total take the same arguments.
 */

/* Of wants, besides those in loss.cl. */
#define DIVIDES 128

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
        ulong target_at, __global const storage *weight, ulong weight_at, __global const storage *parts,   \
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
static label label_of(place p, int ignore_index, ulong classes, __global const int *target, ulong target_at,
                      __global int *fault)
{
    label y = {ignore_index, false, true};
    if (p.inside) {
        y.index = target[target_at + p.row];
        y.ignored = y.index == ignore_index;
        y.valid = !y.ignored && y.index >= 0 && (ulong)y.index < classes;
        if (!y.valid && !y.ignored && p.lane == 0)
            record_fault(fault, FAULT_CLASS, p.row, y.index, classes);
    }
    return y;
}

/*
 * The sum of the weights of the classes of rows first to end, times term_scale, and of so many parts; rows
 * that are ignored or have no class do not count. All work-items of the group take part, in an order that
 * depends on the rows alone.
 */
static real class_total(__local real *shared, size_t first, size_t end, ulong classes, int ignore_index,
                        real term_scale, __global const int *target, ulong target_at,
                        __global const storage *weight, ulong weight_at, __global const storage *parts,
                        ulong parts_at, ulong part_count)
{
    const size_t item = get_local_id(0);
    sum total = {0, 0};
    for (size_t i = first + item; i < end; i += ITEMS) {
        const int index = target[target_at + i];
        if (index != ignore_index && index >= 0 && (ulong)index < classes)
            sum_add(&total, class_weight(weight, weight_at, index) * term_scale);
    }
    for (size_t i = item; i < part_count; i += ITEMS)
        sum_add(&total, LOAD(parts, parts_at + i));
    return sum_lanes(shared, item, item, ITEMS, sum_result(total));
}

/* Every group takes share rows. */
__kernel __attribute__((reqd_work_group_size(ITEMS, 1, 1))) void
loss_class_total(ulong rows, ulong share, ulong classes, float8 a, real term_scale,
                 __global const int *target, ulong target_at, __global const storage *weight, ulong weight_at,
                 __global storage *totals, ulong totals_at)
{
    __local real shared[ITEMS];
    const size_t first = get_group_id(0) * share, end = min(rows, (ulong)(first + share));
    const real total = class_total(shared, first, end, classes, (int)a.s0, term_scale, target, target_at,
                                   weight, weight_at, 0, 0, 0);
    if (get_local_id(0) == 0)
        STORE(totals, totals_at + get_group_id(0), total);
}

/* What the weights are divided by; 1 where they are not. */
static real divisor_of(__local real *shared, int wants, ulong rows, ulong classes, int ignore_index,
                       real term_scale, __global const int *target, ulong target_at,
                       __global const storage *weight, ulong weight_at, __global const storage *parts,
                       ulong parts_at, ulong part_count)
{
    const ulong added_here = (wants & DIVIDES) && part_count == 0 ? rows : 0;
    const real total = class_total(shared, 0, added_here, classes, ignore_index, term_scale, target,
                                   target_at, weight, weight_at, parts, parts_at, part_count);
    return wants & DIVIDES ? total : 1;
}
#define DIVISOR                                                                                           \
    divisor_of(shared, wants, rows, classes, (int)a.s0, term_scale, target, target_at, weight, weight_at, \
               parts, parts_at, part_count)
#endif

/*
 * A row's loss goes where values are wanted, and the sum of the group's, times total_scale, to totals[group].
 */
static void keep_loss(__local real *shared, place p, int wants, real loss, real total_scale,
                      __global storage *values, ulong values_at, __global storage *totals, ulong totals_at)
{
    const bool speaks = p.inside && p.lane == 0;
    if (speaks && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss);
    const real total = sum_lanes(shared, p.item, p.item, ITEMS, speaks ? loss : 0);
    if ((wants & WANT_TOTAL) && p.item == 0)
        STORE(totals, totals_at + get_group_id(0), total * total_scale);
}
#define KEEP_LOSS(loss) keep_loss(shared, p, wants, loss, total_scale, values, values_at, totals, totals_at)

/* ---- softmax cross-entropy ---- */

/* The coefficients c = w s of a block of classes from j on, s the smoothed target. */
#ifdef CLASS_INDICES
static void load_coefficients(real *c, ulong j, int count, label y, real own, real spread, real divisor,
                              __global const storage *weight, ulong weight_at)
{
    EACH_OF_BLOCK(k)
    c[k] = y.valid || y.ignored ? 0 : NAN;
    if (y.valid && spread != 0)
        for (int k = 0; k < count; k++)
            c[k] = class_weight(weight, weight_at, j + k) / divisor * spread;
    if (y.valid && (ulong)y.index >= j && (ulong)y.index - j < (ulong)count)
        c[y.index - j] = own;
}
#define LOAD_COEFFICIENTS(c, j, count) \
    load_coefficients(c, j, count, y, own, spread, divisor, weight, weight_at)
#else
static void load_coefficients(real *c, ulong j, int count, real smoothing, real spread,
                              __global const storage *target, ulong target_at, ulong inner,
                              __global const storage *weight, ulong weight_at)
{
    load_block(c, count, 0, target, target_at + j * inner, inner);
    EACH_OF_BLOCK(k)
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
CHANNEL_KERNEL(loss_cross_entropy)
{
    __local real shared[ITEMS];
    const place p = place_among(rows, lanes);
    const ulong start = column_start(p.row, classes, inner), at = prediction_at + start;
    const real smoothing = a.s1, spread = smoothing / (real)classes;
    const softmax q = softmax_row(shared, p, 1, prediction, at, classes, inner);

    real x[ABREAST], c[ABREAST];
    /* Sums of the lane's terms, of its coefficients below the highest logit, and of those at it. */
    real losses = 0, below = 0, on_top = 0;
#ifdef CLASS_INDICES
    const label y = label_of(p, (int)a.s0, classes, target, target_at, fault);
    const real divisor = DIVISOR;
    const real weight_here = y.valid ? class_weight(weight, weight_at, y.index) / divisor : NAN;
    const real own = y.ignored ? 0 : weight_here * (1 - smoothing + spread);
    /* Without smoothing there is but one coefficient. */
    const bool single = spread == 0;
    if (single && p.inside && p.lane == 0) {
        const real logit = y.valid ? LOAD(prediction, at + y.index * inner) : NAN;
        losses = own == 0 ? 0 : own * log_distance(q, logit, term_scale);
        below = logit == q.top ? 0 : own;
        on_top = logit == q.top ? own : 0;
    }
#else
    const bool single = false;
#endif
    if (!single) {
        block_sum terms, lower, highest;
        block_sum_clear(&terms);
        block_sum_clear(&lower);
        block_sum_clear(&highest);
        EACH_BLOCK(p, j, classes)
        {
            const int count = block_count(j, classes);
            load_block(x, count, 0, prediction, at + j * inner, inner);
            LOAD_COEFFICIENTS(c, j, count);
            EACH_OF_BLOCK(k)
            {
                const real part = k < count ? c[k] : 0;
                const real term = part == 0 ? 0 : part * log_distance(q, x[k], term_scale);
                add_to(&terms.values[k], &terms.errors[k], term);
                add_to(&lower.values[k], &lower.errors[k], x[k] == q.top ? 0 : part);
                add_to(&highest.values[k], &highest.errors[k], x[k] == q.top ? part : 0);
            }
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
    barrier(CLK_GLOBAL_MEM_FENCE);

    KEEP_LOSS(loss);
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    const real poison = poison_of(q.s) + poison_of(total);
    const ulong differentiated = wants & (WANT_GRADIENT | WANT_DTARGET) ? classes : 0;
    EACH_BLOCK(p, j, differentiated)
    {
        real results[ABREAST];
        const int count = block_count(j, classes);
        load_block(x, count, 0, prediction, at + j * inner, inner);
        LOAD_COEFFICIENTS(c, j, count);
        if (wants & WANT_GRADIENT) {
            EACH_OF_BLOCK(k)
            {
                const real e = exp_below(x[k], q.top) * total / (1 + q.s) - c[k];
                const real top = (rest + (top_coefficient - c[k]) - c[k] * q.s) / (1 + q.s);
                results[k] = ((x[k] == q.top ? top : e) + poison) * term_scale * scale;
            }
            store_block(results, count, dprediction, dprediction_at + start + j * inner, inner);
        }
        if (wants & WANT_DTARGET) {
            EACH_OF_BLOCK(k)
            c[k] = 1 - smoothing;
            if (weight != 0)
                for (int k = 0; k < count; k++)
                    c[k] *= LOAD(weight, weight_at + j + k);
            EACH_OF_BLOCK(k)
            {
                const real gradient = c[k] == 0 ? 0 : c[k] * log_distance(q, x[k], term_scale);
                results[k] = (gradient + poison) * scale;
            }
            store_block(results, count, dtarget, dtarget_at + start + j * inner, inner);
        }
    }
}

#ifdef CLASS_INDICES
/* -w_y p_y. Of a row that class alone is looked at. dprediction may be prediction. */
CHANNEL_KERNEL(loss_nll)
{
    __local real shared[ITEMS];
    const place p = place_among(rows, lanes);
    const ulong start = column_start(p.row, classes, inner), at = prediction_at + start;
    const label y = label_of(p, (int)a.s0, classes, target, target_at, fault);
    const real divisor = DIVISOR;
    const real log_q = y.valid ? LOAD(prediction, at + y.index * inner) : NAN;
    const real own = y.valid ? class_weight(weight, weight_at, y.index) / divisor : NAN;
    const real loss = y.ignored ? 0 / divisor : own * -(log_q * term_scale);
    /* Every lane has read that class, which below only the one that looks after it may overwrite. */
    barrier(CLK_GLOBAL_MEM_FENCE);

    KEEP_LOSS(loss);
    if (!p.inside || !(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    for (size_t j = p.lane; j < classes; j += p.lanes) {
        const real gradient = y.ignored ? 0 : !y.valid || j == (size_t)y.index ? -own : 0;
        STORE(dprediction, dprediction_at + start + j * inner, gradient * term_scale * scale);
    }
}

/*
 * -w_y (1 - q)^gamma log q, q = softmax_y (Lin et al., "Focal Loss for Dense Object Detection", 2017), and
 * its gradient w_y (1 - q)^gamma (1 - gamma q log(q) / (1 - q)) (softmax - [y]). dprediction may be
 * prediction.
 */
CHANNEL_KERNEL(loss_focal)
{
    __local real shared[ITEMS];
    const place p = place_among(rows, lanes);
    const ulong start = column_start(p.row, classes, inner), at = prediction_at + start;
    const real gamma = a.s1, divisor = DIVISOR;
    const label y = label_of(p, (int)a.s0, classes, target, target_at, fault);
    const softmax row = softmax_row(shared, p, 1, prediction, at, classes, inner);

    const real x = y.valid ? LOAD(prediction, at + y.index * inner) : NAN;
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
    /* Every lane has read that logit, which below only the one that looks after it may overwrite. */
    barrier(CLK_GLOBAL_MEM_FENCE);

    KEEP_LOSS(loss);
    if (!p.inside || !(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    const real poison = poison_of(row.s);
    EACH_BLOCK(p, j, classes)
    {
        real logits[ABREAST], results[ABREAST];
        const int count = block_count(j, classes);
        load_block(logits, count, 0, prediction, at + j * inner, inner);
        EACH_OF_BLOCK(k)
        {
            const real e_k = exp_below(logits[k], row.top);
            const real gradient = j + k == (ulong)y.index ? -other * factor : e_k / (1 + row.s) * factor;
            results[k] = ((y.ignored ? 0 : gradient) + poison) * term_scale * scale;
        }
        store_block(results, count, dprediction, dprediction_at + start + j * inner, inner);
    }
}
#endif
