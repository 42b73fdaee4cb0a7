/*
 * Losses with a value for every column of classes. The prediction is [batch, classes, inner]; row r = (n, k)
 * is the column of classes that begins at n classes inner + k and goes on inner further. With class indices a
 * mean divides by the weights of their classes (DIVIDES), added up times term_scale: by loss_class_total,
 * which leaves the sum in class_sum, or where there are few rows by every group for itself. All kernels but
 * that take the same arguments.
 */

/* Of wants, besides those in loss.cl. */
#define DIVIDES 128

/* The target's elements: class indices, or a number for each class. */
#ifdef CLASS_INDICES
typedef int target_storage;
#else
typedef storage target_storage;
#endif

#define CHANNEL_KERNEL(name)                                                                                 \
    __kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void name(                              \
        ulong rows, ulong classes, ulong inner, ulong lanes, int wants, real term_scale, float8 a,           \
        __global const storage *prediction, ulong prediction_at, __global const target_storage *target,      \
        ulong target_at, __global const storage *weight, ulong weight_at, __global const storage *class_sum, \
        ulong class_sum_at, __global storage *values, ulong values_at, __global const storage *upstream,     \
        ulong upstream_at, __global storage *dprediction, ulong dprediction_at, __global storage *dtarget,   \
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
    return q.log1p_s * scale + (q.top.value * scale - x * scale);
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
 * The sum of the weights of the classes of rows first to end, times term_scale; rows that are ignored or have
 * no class do not count. All work-items of the group take part, in an order that depends on the rows alone.
 */
static real class_total(__local real *shared, size_t first, size_t end, ulong classes, int ignore_index,
                        real term_scale, __global const int *target, ulong target_at,
                        __global const storage *weight, ulong weight_at)
{
    const size_t item = get_local_id(0);
    sum total = {0, 0};
    for (size_t i = first + item; i < end; i += GROUP_SIZE) {
        const int index = target[target_at + i];
        if (index != ignore_index && index >= 0 && (ulong)index < classes)
            sum_add(&total, class_weight(weight, weight_at, index) * term_scale);
    }
    return sum_lanes(shared, item, item, GROUP_SIZE, sum_result(total));
}

/* Every group takes share rows. */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
loss_class_total(ulong rows, ulong share, ulong classes, float8 a, real term_scale,
                 __global const int *target, ulong target_at, __global const storage *weight, ulong weight_at,
                 __global storage *totals, ulong totals_at)
{
    __local real shared[GROUP_SIZE];
    const size_t first = get_group_id(0) * share, end = min(rows, (ulong)(first + share));
    const real total =
        class_total(shared, first, end, classes, (int)a.s0, term_scale, target, target_at, weight, weight_at);
    if (get_local_id(0) == 0)
        STORE(totals, totals_at + get_group_id(0), total);
}

/* What the weights are divided by; 1 where they are not. */
static real divisor_of(__local real *shared, int wants, ulong rows, ulong classes, int ignore_index,
                       real term_scale, __global const int *target, ulong target_at,
                       __global const storage *weight, ulong weight_at, __global const storage *class_sum,
                       ulong class_sum_at)
{
    const size_t added_here = (wants & DIVIDES) && class_sum == 0 ? rows : 0;
    const real total = class_total(shared, 0, added_here, classes, ignore_index, term_scale, target,
                                   target_at, weight, weight_at);
    if (!(wants & DIVIDES))
        return 1;
    return class_sum != 0 ? LOAD(class_sum, class_sum_at) : total;
}
#define DIVISOR                                                                                           \
    divisor_of(shared, wants, rows, classes, (int)a.s0, term_scale, target, target_at, weight, weight_at, \
               class_sum, class_sum_at)
#endif

#ifdef CLASS_INDICES
/* w s of class j for a class index, as part of the divisor. */
static real label_coefficient(label y, size_t j, real smoothing, real spread, __global const storage *weight,
                              ulong weight_at, real divisor)
{
    if (!y.valid)
        return y.ignored ? 0 : NAN;
    const bool own = j == (size_t)y.index;
    if (!own && spread == 0)
        return 0;
    return class_weight(weight, weight_at, j) / divisor * (own ? 1 - smoothing + spread : spread);
}
#endif

/*
 * Softmax cross-entropy: sum c (log(sum exp x) - x) with the coefficients c = w s, s the smoothed target; a
 * term with c = 0 is left out. The gradient is softmax T - c, T the sum of c. At the highest logit that is
 * (R - c s) / (1 + s), R the sum of all coefficients but its own, which keeps its accuracy where the softmax
 * is close to the target. dprediction may be prediction, dtarget target.
 */
CHANNEL_KERNEL(loss_cross_entropy)
{
    __local peak peaks[GROUP_SIZE];
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong start = column_start(p.row, classes, inner), at = prediction_at + start;
    const real smoothing = a.s1, spread = smoothing / (real)classes;
    const softmax q = softmax_row(peaks, shared, p, 1, prediction, at, classes, inner);

#ifdef CLASS_INDICES
    const label y = label_of(p, (int)a.s0, classes, target, target_at, fault);
    const real divisor = DIVISOR;
    /* Without smoothing there is but one coefficient. */
    const size_t first = smoothing != 0 ? p.lane : p.lane == 0 && y.valid ? y.index : classes;
    const size_t step = smoothing != 0 ? p.lanes : classes;
#define COEFFICIENT(j) label_coefficient(y, j, smoothing, spread, weight, weight_at, divisor)
#else
    const size_t first = p.lane, step = p.lanes;
#define COEFFICIENT(j)                    \
    (class_weight(weight, weight_at, j) * \
     ((1 - smoothing) * LOAD(target, target_at + start + (j)*inner) + spread))
#endif

    sum losses = {0, 0}, others = {0, 0};
    if (p.inside)
        for (size_t j = first; j < classes; j += step) {
            const real c = COEFFICIENT(j);
            if (j != q.top.column)
                sum_add(&others, c);
            if (c != 0)
                sum_add(&losses, c * log_distance(q, LOAD(prediction, at + j * inner), term_scale));
        }
    real loss = sum_row(shared, p, sum_result(losses));
    const real rest = sum_row(shared, p, sum_result(others));
    const real top_coefficient = p.inside && q.top.column < classes ? COEFFICIENT(q.top.column) : NAN;
    const real total = rest + top_coefficient;
    if (isnan(q.top.value) || isnan(total))
        loss = NAN;
#ifdef CLASS_INDICES
    if (y.ignored)
        loss = 0 / divisor; /* NaN where all are */
#endif
    /* Every lane has read what it needs of the others' classes. */
    barrier(CLK_GLOBAL_MEM_FENCE);

    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss);
    if (!p.inside || !(wants & (WANT_GRADIENT | WANT_DTARGET)))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    const real poison = poison_of(q.top.value) + poison_of(total);
    for (size_t j = p.lane; j < classes; j += p.lanes) {
        const real x = LOAD(prediction, at + j * inner), c = COEFFICIENT(j);
        if (wants & WANT_GRADIENT) {
            const real gradient = j == q.top.column ? (rest - c * q.s) / (1 + q.s)
                                                    : exp_below(x, q.top.value) * total / (1 + q.s) - c;
            STORE(dprediction, dprediction_at + start + j * inner, (gradient + poison) * term_scale * scale);
        }
        if (wants & WANT_DTARGET) {
            const real own = (1 - smoothing) * class_weight(weight, weight_at, j);
            const real gradient = own == 0 ? 0 : own * log_distance(q, x, term_scale);
            STORE(dtarget, dtarget_at + start + j * inner, (gradient + poison) * scale);
        }
    }
}
#undef COEFFICIENT

#ifdef CLASS_INDICES
/* -w_y p_y. Of a row that class alone is looked at. dprediction may be prediction. */
CHANNEL_KERNEL(loss_nll)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong start = column_start(p.row, classes, inner), at = prediction_at + start;
    const label y = label_of(p, (int)a.s0, classes, target, target_at, fault);
    const real divisor = DIVISOR;
    const real log_q = y.valid ? LOAD(prediction, at + y.index * inner) : NAN;
    const real own = y.valid ? class_weight(weight, weight_at, y.index) / divisor : NAN;
    const real loss = y.ignored ? 0 / divisor : own * -(log_q * term_scale);
    /* Every lane has read that class, which below only the one that looks after it may overwrite. */
    barrier(CLK_GLOBAL_MEM_FENCE);

    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss);
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
    __local peak peaks[GROUP_SIZE];
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong start = column_start(p.row, classes, inner), at = prediction_at + start;
    const real gamma = a.s1, divisor = DIVISOR;
    const label y = label_of(p, (int)a.s0, classes, target, target_at, fault);
    const softmax row = softmax_row(peaks, shared, p, 1, prediction, at, classes, inner);

    const bool on_top = (ulong)y.index == row.top.column;
    const real x = y.valid ? LOAD(prediction, at + y.index * inner) : NAN;
    const real e = on_top ? 1 : exp_below(x, row.top.value);
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

    if (p.inside && p.lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + p.row, loss);
    if (!p.inside || !(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(p, wants, gradient_scale, upstream, upstream_at);
    const real poison = poison_of(row.top.value);
    for (size_t j = p.lane; j < classes; j += p.lanes) {
        const real e_j = j == row.top.column ? 1 : exp_below(LOAD(prediction, at + j * inner), row.top.value);
        const real gradient = j == (size_t)y.index ? -other * factor : e_j / (1 + row.s) * factor;
        STORE(dprediction, dprediction_at + start + j * inner,
              ((y.ignored ? 0 : gradient) + poison) * term_scale * scale);
    }
}
#endif
