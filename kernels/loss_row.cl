/*
 * Losses with a value for every row of classes. A row belongs to so many neighbouring work-items, its lanes
 * (a power of two), and a group holds GROUP_SIZE / lanes rows. Values and gradients are taken times
 * term_scale, a power of two that keeps a mean from overflowing before it is divided. The upstream gradient
 * is one number for all rows (UPSTREAM_ONE) or one for each (UPSTREAM_EACH). All kernels here take the same
 * arguments.
 */

/* The target's elements: class indices, or a number for each class. */
#ifdef CLASS_INDICES
typedef int target_storage;
#else
typedef storage target_storage;
#endif

static real row_scale(int wants, real gradient_scale, __global const storage *upstream, ulong upstream_at,
                      size_t row)
{
    if (wants & UPSTREAM_ONE)
        return gradient_scale * LOAD(upstream, upstream_at);
    if (wants & UPSTREAM_EACH)
        return gradient_scale * LOAD(upstream, upstream_at + row);
    return gradient_scale;
}

/* -sum t log p over the classes; terms with t = 0 are left out. dprediction may be prediction. */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void loss_cross_entropy_probability(
    ulong rows, ulong classes, ulong lanes, int wants, real term_scale, __global const storage *prediction,
    ulong prediction_at, __global const target_storage *target, ulong target_at, __global storage *values,
    ulong values_at, __global const storage *upstream, ulong upstream_at, __global storage *dprediction,
    ulong dprediction_at, real gradient_scale, __global int *fault)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), lane = item % lanes, row = get_global_id(0) / lanes;
    const bool inside = row < rows;
    const real scale = inside ? row_scale(wants, gradient_scale, upstream, upstream_at, row) : 0;

    sum total = {0, 0};
    real poison = 0; /* NaN where the row holds one */
    if (inside)
        for (size_t j = lane; j < classes; j += lanes) {
            const real p = LOAD(prediction, prediction_at + row * classes + j);
            const real t = LOAD(target, target_at + row * classes + j);
            if (isnan(p) || isnan(t))
                poison = NAN;
            else if (t != 0)
                sum_add(&total, -(t * term_scale) * log(p));
        }
    poison = sum_lanes(shared, item, lane, lanes, poison);
    const real result = sum_lanes(shared, item, lane, lanes, sum_result(total)) + poison;

    if (inside && lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + row, result);
    if (!inside || !(wants & WANT_GRADIENT))
        return;
    for (size_t j = lane; j < classes; j += lanes) {
        const size_t i = row * classes + j;
        const real t = LOAD(target, target_at + i);
        const real gradient = t == 0 ? 0 : -t * term_scale / LOAD(prediction, prediction_at + i);
        STORE(dprediction, dprediction_at + i, (gradient + poison) * scale);
    }
}

/* The larger of two logits and its column, the lower one among equals; NaN is larger than anything. */
typedef struct peak {
    real value;
    ulong column;
} peak;

static peak higher(peak a, peak b)
{
    const bool second = b.value > a.value || (b.value == a.value && b.column < a.column) ||
                        (isnan(b.value) && !isnan(a.value));
    return second ? b : a;
}

/*
 * The highest logit of a row, by a tree over its lanes. A peak of infinity has no difference to the others
 * and stands for NaN.
 */
static peak peak_lanes(__local peak *shared, size_t item, size_t lane, size_t lanes, peak own)
{
    shared[item] = own;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t half_width = lanes / 2; half_width > 0; half_width /= 2) {
        if (lane < half_width)
            shared[item] = higher(shared[item], shared[item + half_width]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    peak result = shared[item - lane];
    if (isinf(result.value))
        result.value = NAN;
    return result;
}

/* log1p(s) + (m - x), times scale: finite also where m - x is not. */
static real log_distance(real s, real m, real x, real scale)
{
    return log1p(s) * scale + (m * scale - x * scale);
}

/*
 * Softmax cross-entropy: sum t (log(sum exp x) - x). With m the highest logit and e_j = exp(x_j - m), the
 * sum of exponentials is exp(m) (1 + s), s over all classes but the highest: so log1p(s) + (m - x_j) keeps
 * the relative accuracy of a small loss, and ((e_j T - t_j) - t_j s) / (1 + s), T the sum of t, that of a
 * small gradient. With class indices t is one-hot. dprediction may be prediction.
 */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void loss_cross_entropy(
    ulong rows, ulong classes, ulong lanes, int wants, real term_scale, __global const storage *prediction,
    ulong prediction_at, __global const target_storage *target, ulong target_at, __global storage *values,
    ulong values_at, __global const storage *upstream, ulong upstream_at, __global storage *dprediction,
    ulong dprediction_at, real gradient_scale, __global int *fault)
{
    __local peak peaks[GROUP_SIZE];
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), lane = item % lanes, row = get_global_id(0) / lanes;
    const bool inside = row < rows;
    const ulong at = prediction_at + row * classes;

    peak own = {-INFINITY, ULONG_MAX};
    if (inside)
        for (size_t j = lane; j < classes; j += lanes)
            own = higher(own, (peak){LOAD(prediction, at + j), j});
    const peak top = peak_lanes(peaks, item, lane, lanes, own);

    sum exponentials = {0, 0};
    if (inside)
        for (size_t j = lane; j < classes; j += lanes)
            if (j != top.column)
                sum_add(&exponentials, exp(LOAD(prediction, at + j) - top.value));
    const real s = sum_lanes(shared, item, lane, lanes, sum_result(exponentials));

#ifdef CLASS_INDICES
    const int index = inside ? target[target_at + row] : 0;
    const bool valid = index >= 0 && (ulong)index < classes;
    const real x_index = inside && valid ? LOAD(prediction, at + index) : NAN;
    if (inside && !valid && lane == 0)
        record_fault(fault, FAULT_CLASS, row, index, classes);
    const real t_total = valid ? 1 : NAN;
    const real loss = log_distance(s, top.value, x_index, term_scale);
#define TARGET_AT(j) ((j) == (size_t)index ? (real)1 : (real)0)
    /* Every lane has read that logit, which below only the one that owns its column may overwrite. */
    barrier(CLK_GLOBAL_MEM_FENCE);
#else
    sum weighted = {0, 0}, weights = {0, 0};
    if (inside)
        for (size_t j = lane; j < classes; j += lanes) {
            const real t = LOAD(target, target_at + row * classes + j);
            sum_add(&weights, t);
            if (t != 0)
                sum_add(&weighted, t * log_distance(s, top.value, LOAD(prediction, at + j), term_scale));
        }
    const real t_total = sum_lanes(shared, item, lane, lanes, sum_result(weights));
    real loss = sum_lanes(shared, item, lane, lanes, sum_result(weighted));
    if (isnan(top.value))
        loss = NAN;
#define TARGET_AT(j) LOAD(target, target_at + row * classes + (j))
#endif

    if (inside && lane == 0 && (wants & WANT_VALUES))
        STORE(values, values_at + row, loss);
    if (!inside || !(wants & WANT_GRADIENT))
        return;
    const real scale = row_scale(wants, gradient_scale, upstream, upstream_at, row);
    for (size_t j = lane; j < classes; j += lanes) {
        const real e = j == top.column ? 1 : exp(LOAD(prediction, at + j) - top.value);
        const real t = TARGET_AT(j);
        const real gradient = ((e * t_total - t) - t * s) / (1 + s);
        STORE(dprediction, dprediction_at + row * classes + j,
              (isnan(top.value) ? top.value : gradient) * term_scale * scale);
    }
}
