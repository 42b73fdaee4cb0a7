/*
 * Losses with one value for the whole, each in two launches: loss_NAME_sums adds up by group (SUMS_PER_GROUP
 * numbers at most), and in loss_NAME_results every group makes the value of all of those, for its share of
 * the gradient. (That is less work than another launch.)
 *
 * l2, the root of the mean of squared distances. Squares of distances above 2^52 or below 2^-52 are added up
 * apart, scaled into the middle of the range (Blue, "A portable Fortran program to find the Euclidean norm of
 * a vector", ACM TOMS 4, 1978), so that nothing overflows or vanishes.
 */

#define LARGE 0x1p52f
#define SMALL 0x1p-52f
#define LARGE_SCALE 0x1p-90f
#define SMALL_SCALE 0x1p90f

/* A distance that may be beyond the largest number, times LARGE_SCALE. */
static real large_distance(real p, real t)
{
    return p * LARGE_SCALE - t * LARGE_SCALE;
}

/* Every group takes share elements; sums: three numbers a group, for large, middle and small distances. */
#ifdef KERNEL_loss_l2_sums
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
loss_l2_sums(ulong n, ulong share, __global const storage *prediction, ulong prediction_at,
             __global const storage *target, ulong target_at, __global storage *sums, ulong sums_at)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0);
    sum large = {0, 0}, middle = {0, 0}, small = {0, 0};
    const size_t first = get_group_id(0) * share, end = min(n, (ulong)(first + share));
    for (size_t i = first + item; i < end; i += GROUP_SIZE) {
        const real p = LOAD(prediction, prediction_at + i), t = LOAD(target, target_at + i), d = p - t;
        const real size = fabs(d);
        if (size >= LARGE)
            sum_add(&large, large_distance(p, t) * large_distance(p, t));
        else if (size < SMALL)
            sum_add(&small, (d * SMALL_SCALE) * (d * SMALL_SCALE));
        else
            sum_add(&middle, d * d);
    }
    const real results[3] = {sum_lanes(shared, item, item, GROUP_SIZE, sum_result(large)),
                             sum_lanes(shared, item, item, GROUP_SIZE, sum_result(middle)),
                             sum_lanes(shared, item, item, GROUP_SIZE, sum_result(small))};
    if (item == 0)
        for (int k = 0; k < 3; k++)
            STORE(sums, sums_at + 3 * get_group_id(0) + k, results[k]);
}
#endif

/* The root of the mean over n distances, from the sums of so many groups. */
LOCAL_FUNCTION real l2_root(__local real *shared, ulong n, ulong groups, __global const storage *sums,
                            ulong sums_at)
{
    const size_t item = get_local_id(0);
    real totals[3];
    for (int k = 0; k < 3; k++) {
        sum total = {0, 0};
        for (size_t i = item; i < groups; i += GROUP_SIZE)
            sum_add(&total, LOAD(sums, sums_at + 3 * i + k));
        totals[k] = sum_lanes(shared, item, item, GROUP_SIZE, sum_result(total));
    }
    const real large = totals[0], middle = totals[1], small = totals[2];
    if (large > 0)
        return sqrt((large + middle * LARGE_SCALE * LARGE_SCALE) / (real)n) / LARGE_SCALE;
    if (middle != 0 || n == 0)
        return sqrt((middle + small / SMALL_SCALE / SMALL_SCALE) / (real)n);
    return sqrt(small / (real)n) / SMALL_SCALE;
}

/*
 * The root, and (p - t) / (n root), times the upstream gradient; 0 where the root is 0. Every group takes
 * share elements. dprediction may be prediction.
 */
#ifdef KERNEL_loss_l2_results
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
loss_l2_results(ulong n, ulong share, int wants, ulong groups, __global const storage *sums, ulong sums_at,
                __global const storage *prediction, ulong prediction_at, __global const storage *target,
                ulong target_at, __global const storage *upstream, ulong upstream_at, __global storage *value,
                ulong value_at, __global storage *dprediction, ulong dprediction_at)
{
    __local real shared[GROUP_SIZE];
    const real root = l2_root(shared, n, groups, sums, sums_at);
    if ((wants & WANT_TOTAL) && get_global_id(0) == 0)
        STORE(value, value_at, root);
    if (!(wants & WANT_GRADIENT))
        return;
    const real scale = wants & UPSTREAM_ONE ? LOAD(upstream, upstream_at) : 1;
    const size_t first = get_group_id(0) * share, end = min(n, (ulong)(first + share));
    for (size_t from = first + get_local_id(0) * ABREAST; from < end; from += GROUP_SIZE * ABREAST) {
        const int count = (int)min((size_t)ABREAST, end - from);
        real results[ABREAST];
        for (int k = 0; k < count; k++) {
            const real p = LOAD(prediction, prediction_at + from + k), t = LOAD(target, target_at + from + k);
            const bool is_large = fabs(p - t) >= LARGE;
            const real distance = is_large ? large_distance(p, t) : p - t;
            const real direction = distance / (is_large ? root * LARGE_SCALE : root);
            results[k] = (isinf(root) ? NAN : root == 0 ? 0 : direction) / (real)n * scale;
        }
        for (int k = 0; k < count; k++)
            STORE(dprediction, dprediction_at + from + k, results[k]);
    }
}
#endif
