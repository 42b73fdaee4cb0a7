/*
 * Layer and batch normalisation. A mean is taken in two passes: what the first one's rounding has left over
 * is the mean of the distances from it, which the second pass finds and takes off both the distances and the
 * variance (Chan, Golub, LeVeque, "Algorithms for computing the sample variance", The American Statistician
 * 37, 1983, equation 1.7).
 */

#define HAS_WEIGHT 1
#define HAS_BIAS 2
#define HAS_STATISTICS 4
#define HAS_RUNNING 8
#define WANT_DX 16
#define WANT_DWEIGHT 32
#define WANT_DBIAS 64
#define TRAINING 128

typedef struct moments {
    real mean, rest; /* the mean is the sum of both */
    real variance;
} moments;

static moments make_moments(real mean, real distances, real squares, real n)
{
    moments m = {mean, isinf(mean) ? 0 : distances / n, 0}; /* an infinite mean is the limit */
    m.variance = squares / n - m.rest * m.rest;
    m.variance = m.variance < 0 ? 0 : m.variance; /* NaN stays */
    return m;
}

/* ---- rows: a row belongs to so many neighbouring work-items, its lanes ---- */

/* y may be x: every lane reads and writes its own columns alone. */
#ifdef KERNEL_layer_norm_forward
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
layer_norm_forward(ulong rows, ulong columns, ulong lanes, int flags, real eps, __global const storage *x,
                   ulong x_at, __global const storage *weight, ulong weight_at, __global const storage *bias,
                   ulong bias_at, __global storage *y, ulong y_at, __global storage *mean, ulong mean_at,
                   __global storage *rstd, ulong rstd_at)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), lane = item % lanes, row = get_global_id(0) / lanes;
    const bool inside = row < rows;
    const ulong from = x_at + row * columns;

    sum total = {0, 0};
    if (inside)
        for (size_t j = lane; j < columns; j += lanes)
            sum_add(&total, LOAD(x, from + j));
    const real first = sum_lanes(shared, item, lane, lanes, sum_result(total)) / (real)columns;

    sum distances = {0, 0}, squares = {0, 0};
    if (inside)
        for (size_t j = lane; j < columns; j += lanes) {
            const real d = LOAD(x, from + j) - first;
            sum_add(&distances, d);
            sum_add(&squares, d * d);
        }
    const real all_distances = sum_lanes(shared, item, lane, lanes, sum_result(distances));
    const real all_squares = sum_lanes(shared, item, lane, lanes, sum_result(squares));
    if (!inside)
        return;

    const moments m = make_moments(first, all_distances, all_squares, (real)columns);
    const real r = 1 / sqrt(m.variance + eps);
    for (size_t j = lane; j < columns; j += lanes) {
        const real w = flags & HAS_WEIGHT ? LOAD(weight, weight_at + j) : 1;
        const real b = flags & HAS_BIAS ? LOAD(bias, bias_at + j) : 0;
        STORE(y, y_at + row * columns + j, ((LOAD(x, from + j) - m.mean) - m.rest) * r * w + b);
    }
    if (lane == 0 && (flags & HAS_STATISTICS)) {
        STORE(mean, mean_at + row, m.mean + m.rest);
        STORE(rstd, rstd_at + row, r);
    }
}
#endif

/* dx = rstd (g - mean of g - n mean of (g n)), g = dy weight, n = (x - mean) rstd. dx may be dy. */
#ifdef KERNEL_layer_norm_backward
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
layer_norm_backward(ulong rows, ulong columns, ulong lanes, int flags, __global const storage *x, ulong x_at,
                    __global const storage *weight, ulong weight_at, __global const storage *mean,
                    ulong mean_at, __global const storage *rstd, ulong rstd_at, __global const storage *dy,
                    ulong dy_at, __global storage *dx, ulong dx_at)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), lane = item % lanes, row = get_global_id(0) / lanes;
    const bool inside = row < rows;
    const ulong at = row * columns;
    const real m = inside ? LOAD(mean, mean_at + row) : 0, r = inside ? LOAD(rstd, rstd_at + row) : 0;

    sum plain = {0, 0}, weighted = {0, 0};
    if (inside)
        for (size_t j = lane; j < columns; j += lanes) {
            const real w = flags & HAS_WEIGHT ? LOAD(weight, weight_at + j) : 1;
            const real g = LOAD(dy, dy_at + at + j) * w;
            sum_add(&plain, g);
            sum_add(&weighted, g * ((LOAD(x, x_at + at + j) - m) * r));
        }
    const real mean_g = sum_lanes(shared, item, lane, lanes, sum_result(plain)) / (real)columns;
    const real mean_gn = sum_lanes(shared, item, lane, lanes, sum_result(weighted)) / (real)columns;
    if (!inside)
        return;

    for (size_t j = lane; j < columns; j += lanes) {
        const real w = flags & HAS_WEIGHT ? LOAD(weight, weight_at + j) : 1;
        const real g = LOAD(dy, dy_at + at + j) * w, n = (LOAD(x, x_at + at + j) - m) * r;
        STORE(dx, dx_at + at + j, r * ((g - mean_g) - n * mean_gn));
    }
}
#endif

/* ---- columns, as columns.cl shares them out ---- */

/* dweight = sum of dy n, dbias = sum of dy over the rows, with the statistics of each row. */
#ifdef KERNEL_layer_norm_weight
__kernel __attribute__((reqd_work_group_size(COLUMN_GROUP, 1, 1))) void
layer_norm_weight(ulong rows, ulong columns, ulong width, int flags, __global const storage *x, ulong x_at,
                  __global const storage *mean, ulong mean_at, __global const storage *rstd, ulong rstd_at,
                  __global const storage *dy, ulong dy_at, __global storage *dweight, ulong dweight_at,
                  __global storage *dbias, ulong dbias_at)
{
    __local real shared[COLUMN_GROUP];
    const strip s = strip_among(columns, width);
    sums plain, weighted;
    sums_begin(&plain, s);
    sums_begin(&weighted, s);
    for (size_t row = s.lane; row < rows; row += s.height) {
        const size_t at = row * columns + s.first;
        const real m = LOAD(mean, mean_at + row), r = LOAD(rstd, rstd_at + row);
        for (int k = 0; k < s.count; k++) {
            const real d = LOAD(dy, dy_at + at + k);
            sums_add(&plain, k, d);
            sums_add(&weighted, k, d * ((LOAD(x, x_at + at + k) - m) * r));
        }
    }
    sums_finish(&plain, s, shared);
    sums_finish(&weighted, s, shared);
    if (s.lane > 0)
        return;
    for (int k = 0; k < s.count; k++) {
        if (flags & WANT_DWEIGHT)
            STORE(dweight, dweight_at + s.first + k, weighted.value[k]);
        if (flags & WANT_DBIAS)
            STORE(dbias, dbias_at + s.first + k, plain.value[k]);
    }
}
#endif

/*
 * In training the batch's mean and variance, which move the running ones unless a fault is pending; in
 * evaluation the running ones. y may be x: every work-item reads and writes its own rows of its own columns.
 * Evaluation adds up nothing instead of nothing at all: with the barriers inside a condition PoCL 3.1 lets
 * work-items read what others have written to y, where x was.
 */
#ifdef KERNEL_batch_norm_forward
__kernel __attribute__((reqd_work_group_size(COLUMN_GROUP, 1, 1))) void
batch_norm_forward(ulong rows, ulong columns, ulong width, int flags, real eps, real momentum,
                   __global const storage *x, ulong x_at, __global const storage *weight, ulong weight_at,
                   __global const storage *bias, ulong bias_at, __global storage *running_mean,
                   ulong running_mean_at, __global storage *running_var, ulong running_var_at,
                   __global storage *y, ulong y_at, __global storage *mean, ulong mean_at,
                   __global storage *rstd, ulong rstd_at, __global const int *fault)
{
    __local real shared[COLUMN_GROUP];
    const strip s = strip_among(columns, width);
    const bool training = (flags & TRAINING) != 0;
    const size_t counted = training ? rows : 0;
    const real n = (real)rows;

    sums total, distances, squares;
    sums_begin(&total, s);
    for (size_t row = s.lane; row < counted; row += s.height)
        for (int k = 0; k < s.count; k++)
            sums_add(&total, k, LOAD(x, x_at + row * columns + s.first + k));
    sums_finish(&total, s, shared);

    real first[STRIP];
    for (int k = 0; k < s.count; k++)
        first[k] = total.value[k] / n;
    sums_begin(&distances, s);
    sums_begin(&squares, s);
    for (size_t row = s.lane; row < counted; row += s.height)
        for (int k = 0; k < s.count; k++) {
            const real d = LOAD(x, x_at + row * columns + s.first + k) - first[k];
            sums_add(&distances, k, d);
            sums_add(&squares, k, d * d);
        }
    sums_finish(&distances, s, shared);
    sums_finish(&squares, s, shared);

    moments m[STRIP];
    real center[STRIP], rest[STRIP], r[STRIP], w[STRIP], b[STRIP];
    for (int k = 0; k < s.count; k++) {
        const size_t column = s.first + k;
        m[k] = make_moments(first[k], distances.value[k], squares.value[k], n);
        if (!training)
            m[k] = (moments){LOAD(running_mean, running_mean_at + column), 0,
                             LOAD(running_var, running_var_at + column)};
        center[k] = m[k].mean;
        rest[k] = m[k].rest;
        r[k] = 1 / sqrt(m[k].variance + eps);
        w[k] = flags & HAS_WEIGHT ? LOAD(weight, weight_at + column) : 1;
        b[k] = flags & HAS_BIAS ? LOAD(bias, bias_at + column) : 0;
    }
    for (size_t row = s.lane; row < rows; row += s.height) {
        const size_t at = row * columns + s.first;
        real normal[STRIP];
        for (int k = 0; k < s.count; k++)
            normal[k] = ((LOAD(x, x_at + at + k) - center[k]) - rest[k]) * r[k] * w[k] + b[k];
        for (int k = 0; k < s.count; k++)
            STORE(y, y_at + at + k, normal[k]);
    }
    if (s.lane > 0)
        return;
    for (int k = 0; k < s.count; k++) {
        const size_t column = s.first + k;
        if (flags & HAS_STATISTICS) {
            STORE(mean, mean_at + column, m[k].mean + m[k].rest);
            STORE(rstd, rstd_at + column, r[k]);
        }
        if (training && (flags & HAS_RUNNING) && fault[0] == 0) {
            const real old_mean = LOAD(running_mean, running_mean_at + column);
            const real old_var = LOAD(running_var, running_var_at + column);
            STORE(running_mean, running_mean_at + column,
                  (1 - momentum) * old_mean + momentum * (m[k].mean + m[k].rest));
            STORE(running_var, running_var_at + column,
                  (1 - momentum) * old_var + momentum * (m[k].variance * (n / (n - 1))));
        }
    }
}
#endif

/* dbias = sum of dy, dweight = sum of dy n; dx from both in training, weight rstd dy in evaluation. dx may be
 * dy. */
#ifdef KERNEL_batch_norm_backward
__kernel __attribute__((reqd_work_group_size(COLUMN_GROUP, 1, 1))) void
batch_norm_backward(ulong rows, ulong columns, ulong width, int flags, __global const storage *x, ulong x_at,
                    __global const storage *weight, ulong weight_at, __global const storage *mean,
                    ulong mean_at, __global const storage *rstd, ulong rstd_at, __global const storage *dy,
                    ulong dy_at, __global storage *dx, ulong dx_at, __global storage *dweight,
                    ulong dweight_at, __global storage *dbias, ulong dbias_at)
{
    __local real shared[COLUMN_GROUP];
    const strip s = strip_among(columns, width);
    real m[STRIP], r[STRIP];
    for (int k = 0; k < s.count; k++) {
        m[k] = LOAD(mean, mean_at + s.first + k);
        r[k] = LOAD(rstd, rstd_at + s.first + k);
    }

    sums plain, weighted;
    sums_begin(&plain, s);
    sums_begin(&weighted, s);
    for (size_t row = s.lane; row < rows; row += s.height) {
        const size_t at = row * columns + s.first;
        for (int k = 0; k < s.count; k++) {
            const real d = LOAD(dy, dy_at + at + k);
            sums_add(&plain, k, d);
            sums_add(&weighted, k, d * ((LOAD(x, x_at + at + k) - m[k]) * r[k]));
        }
    }
    sums_finish(&plain, s, shared);
    sums_finish(&weighted, s, shared);

    real scale[STRIP], mean_d[STRIP], mean_dn[STRIP];
    for (int k = 0; k < s.count; k++) {
        scale[k] = (flags & HAS_WEIGHT ? LOAD(weight, weight_at + s.first + k) : 1) * r[k];
        mean_d[k] = flags & TRAINING ? plain.value[k] / (real)rows : 0;
        mean_dn[k] = flags & TRAINING ? weighted.value[k] / (real)rows : 0;
    }
    const size_t wanted = flags & WANT_DX ? rows : 0;
    for (size_t row = s.lane; row < wanted; row += s.height) {
        const size_t at = row * columns + s.first;
        real d[STRIP];
        for (int k = 0; k < s.count; k++) {
            const real normal = (LOAD(x, x_at + at + k) - m[k]) * r[k];
            d[k] = scale[k] * ((LOAD(dy, dy_at + at + k) - mean_d[k]) - normal * mean_dn[k]);
        }
        for (int k = 0; k < s.count; k++)
            STORE(dx, dx_at + at + k, d[k]);
    }
    if (s.lane > 0)
        return;
    for (int k = 0; k < s.count; k++) {
        if (flags & WANT_DWEIGHT)
            STORE(dweight, dweight_at + s.first + k, weighted.value[k]);
        if (flags & WANT_DBIAS)
            STORE(dbias, dbias_at + s.first + k, plain.value[k]);
    }
}
#endif
