/*
 * Clipping a gradient. By its norm: clip_KIND adds up by group, clip_factor makes norm and factor of that,
 * clip_scale multiplies. Every group takes share elements, so that the order of the sums depends on the size
 * and the device alone. Built behind real_math.cl and columns.cl.
 *
 * squares (norm_type 2): squares of elements above 2^43 or below 2^-52 are added up apart, scaled into the
 * middle of the range (Blue, "A portable Fortran program to find the Euclidean norm of a vector", ACM TOMS 4,
 * 1978), so that nothing overflows or vanishes, up to 2^40 elements.
 * powers (any other norm_type p): of the elements divided by the largest, by clip_largest in an earlier
 * launch.
 */

#define CLIP_LARGE 0x1p43f
#define CLIP_SMALL 0x1p-52f
#define CLIP_DOWN 0x1p-90f
#define CLIP_UP 0x1p90f

/* As in src/opencl/clip.c. */
#define CLIP_LARGEST 0
#define CLIP_SUM 1
#define CLIP_SQUARES 2
#define CLIP_POWERS 3

/* The largest over the group's work-items, in each of them. */
LOCAL_FUNCTION real largest_in_group(__local real *shared, size_t item, size_t group, real x)
{
    shared[item] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t half_group = group / 2; half_group > 0; half_group /= 2) {
        if (item < half_group)
            shared[item] = larger(shared[item], shared[item + half_group]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const real result = shared[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return result;
}

/* Of so many numbers of earlier launches: the largest, and the sum of every stride-th. */
LOCAL_FUNCTION real largest_of(__local real *shared, size_t item, size_t group, ulong count,
                               __global const storage *numbers)
{
    real result = 0;
    for (size_t i = item; i < count; i += group)
        result = larger(result, LOAD(numbers, i));
    return largest_in_group(shared, item, group, result);
}

LOCAL_FUNCTION real sum_of(__local real *shared, size_t item, ulong count, size_t stride,
                           __global const storage *numbers)
{
    sum total = {0, 0};
    for (size_t i = item; i < count; i += GROUP_SIZE)
        sum_add(&total, LOAD(numbers, i * stride));
    return sum_lanes(shared, item, item, GROUP_SIZE, sum_result(total));
}

/*
 * A group's share, read as rows of COLUMN_GROUP * STRIP neighbours (columns.cl): a work-item takes STRIP of
 * each row, adds up every column of its own, then all of these.
 */
#define ROW (COLUMN_GROUP * STRIP)

typedef struct stretch {
    size_t from, end; /* the work-item's part of the first row begins here; the share ends */
} stretch;

static stretch stretch_of(ulong n, ulong share)
{
    const size_t first = get_group_id(0) * share;
    return (stretch){first + get_local_id(0) * STRIP, min(n, (ulong)(first + share))};
}

/* How many of STRIP neighbours from i on there are. */
static int count_at(size_t i, size_t end)
{
    return i < end ? (int)min((size_t)STRIP, end - i) : 0;
}

static void begin(sums *s)
{
    for (int k = 0; k < STRIP; k++)
        s->value[k] = s->error[k] = 0;
}

/* The group's sum, in each of its work-items. */
LOCAL_FUNCTION real end_in_group(__local real *shared, const sums *s)
{
    sum own = {0, 0};
    for (int k = 0; k < STRIP; k++)
        sum_add(&own, sum_result((sum){s->value[k], s->error[k]}));
    const size_t item = get_local_id(0);
    return sum_lanes(shared, item, item, COLUMN_GROUP, sum_result(own));
}

#ifdef KERNEL_clip_largest
__kernel __attribute__((reqd_work_group_size(COLUMN_GROUP, 1, 1))) void
clip_largest(ulong n, ulong share, __global const storage *gradient, ulong gradient_at,
             __global storage *results, ulong results_at)
{
    __local real shared[COLUMN_GROUP];
    const stretch s = stretch_of(n, share);
    real own[STRIP], result = 0;
    for (int k = 0; k < STRIP; k++)
        own[k] = 0;
    for (size_t i = s.from; i < s.end; i += ROW) {
        const int count = count_at(i, s.end);
        for (int k = 0; k < count; k++)
            own[k] = larger(own[k], fabs(LOAD(gradient, gradient_at + i + k)));
    }
    for (int k = 0; k < STRIP; k++)
        result = larger(result, own[k]);
    result = largest_in_group(shared, get_local_id(0), COLUMN_GROUP, result);
    if (get_local_id(0) == 0)
        STORE(results, results_at + get_group_id(0), result);
}
#endif

#ifdef KERNEL_clip_sum
__kernel __attribute__((reqd_work_group_size(COLUMN_GROUP, 1, 1))) void
clip_sum(ulong n, ulong share, __global const storage *gradient, ulong gradient_at, __global storage *results,
         ulong results_at)
{
    __local real shared[COLUMN_GROUP];
    const stretch s = stretch_of(n, share);
    sums total;
    begin(&total);
    for (size_t i = s.from; i < s.end; i += ROW) {
        const int count = count_at(i, s.end);
        for (int k = 0; k < count; k++)
            sums_add(&total, k, fabs(LOAD(gradient, gradient_at + i + k)));
    }
    const real result = end_in_group(shared, &total);
    if (get_local_id(0) == 0)
        STORE(results, results_at + get_group_id(0), result);
}
#endif

/* Three numbers a group: for large, middle and small elements; NaN counts as middle. (With the three sums in
 * one loop, PoCL's compiler makes short vectors of them instead of taking many elements at a time.) */
#ifdef KERNEL_clip_squares
__kernel __attribute__((reqd_work_group_size(COLUMN_GROUP, 1, 1))) void
clip_squares(ulong n, ulong share, __global const storage *gradient, ulong gradient_at,
             __global storage *results, ulong results_at)
{
    __local real shared[COLUMN_GROUP];
    const stretch s = stretch_of(n, share);
    sums large, middle, small;
    begin(&large);
    begin(&middle);
    begin(&small);
    for (size_t i = s.from; i < s.end; i += ROW) {
        const int count = count_at(i, s.end);
        real x[STRIP];
        int others = 0;
        for (int k = 0; k < count; k++) {
            x[k] = fabs(LOAD(gradient, gradient_at + i + k));
            others |= x[k] >= CLIP_LARGE || (x[k] < CLIP_SMALL && x[k] > 0);
        }
        for (int k = 0; k < count; k++)
            sums_add(&middle, k, x[k] >= CLIP_LARGE || x[k] < CLIP_SMALL ? 0 : x[k] * x[k]);
        if (!others)
            continue;
        for (int k = 0; k < count; k++)
            sums_add(&large, k, x[k] >= CLIP_LARGE ? (x[k] * CLIP_DOWN) * (x[k] * CLIP_DOWN) : 0);
        for (int k = 0; k < count; k++)
            sums_add(&small, k, x[k] < CLIP_SMALL ? (x[k] * CLIP_UP) * (x[k] * CLIP_UP) : 0);
    }
    const real totals[3] = {end_in_group(shared, &large), end_in_group(shared, &middle),
                            end_in_group(shared, &small)};
    if (get_local_id(0) == 0)
        for (int k = 0; k < 3; k++)
            STORE(results, results_at + 3 * get_group_id(0) + k, totals[k]);
}
#endif

/* x^p for x >= 0 and p > 0, within 2 ulp; p in two parts (Dekker), of which the first has 12 bits. Beyond
 * 2^40, x^p is 0, 1 or infinite anyway. */
static real power(real x, real p)
{
    const real bounded = p > 0x1p40f ? 0x1p40f : p;
    const real shifted = bounded * 4097, hi = shifted - (shifted - bounded);
    return power_times(x, (parts){hi, bounded - hi}, 1);
}

/*
 * Sums of (x / largest)^p, which cannot overflow; for p < 1, where a quotient may vanish though its power
 * does not, of x^p, which overflow only if the norm does.
 */
#ifdef KERNEL_clip_powers
__kernel __attribute__((reqd_work_group_size(COLUMN_GROUP, 1, 1))) void
clip_powers(ulong n, ulong share, __global const storage *gradient, ulong gradient_at,
            __global storage *results, ulong results_at, ulong groups, __global const storage *largest_parts,
            ulong largest_parts_at, real p)
{
    __local real shared[COLUMN_GROUP];
    const stretch s = stretch_of(n, share);
    const real largest =
        largest_of(shared, get_local_id(0), COLUMN_GROUP, groups, largest_parts + largest_parts_at);
    const real divisor = p < 1 ? 1 : largest;
    sums total;
    begin(&total);
    for (size_t i = s.from; i < s.end; i += ROW) {
        const int count = count_at(i, s.end);
        for (int k = 0; k < count; k++) {
            const real x = fabs(LOAD(gradient, gradient_at + i + k));
            sums_add(&total, k, power(x / divisor, p));
        }
    }
    const real result = end_in_group(shared, &total);
    if (get_local_id(0) == 0)
        STORE(results, results_at + get_group_id(0), result);
}
#endif

/* The root of what the three sums of clip_squares stand for. */
static real root_of_squares(real large, real middle, real small)
{
    if (large > 0)
        return sqrt(large + middle * CLIP_DOWN * CLIP_DOWN) * CLIP_UP;
    if (middle != 0)
        return sqrt(middle + small * CLIP_DOWN * CLIP_DOWN);
    return sqrt(small) * CLIP_DOWN;
}

/* One work-group: the norm (to total_norm, where it is present) and what to multiply with. */
#ifdef KERNEL_clip_factor
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
clip_factor(int kind, ulong groups, __global const storage *sums, ulong sums_at,
            __global const storage *largest_parts, ulong largest_parts_at, real inverse_p, real max_norm,
            __global storage *factor, ulong factor_at, __global storage *total_norm, ulong total_norm_at)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0);
    sums += sums_at;
    largest_parts += largest_parts_at;

    /* All that any kind needs, of no groups where it does not: no barrier may stand inside a condition. */
    const bool has_largest = kind == CLIP_LARGEST || kind == CLIP_POWERS, has_squares = kind == CLIP_SQUARES;
    const real largest = largest_of(shared, item, GROUP_SIZE, has_largest ? groups : 0, largest_parts);
    const real first = sum_of(shared, item, kind == CLIP_LARGEST ? 0 : groups, has_squares ? 3 : 1, sums);
    const real middle = sum_of(shared, item, has_squares ? groups : 0, 3, sums + 1);
    const real small = sum_of(shared, item, has_squares ? groups : 0, 3, sums + 2);

    real norm = first; /* CLIP_SUM */
    if (has_squares)
        norm = root_of_squares(first, middle, small);
    else if (kind == CLIP_LARGEST)
        norm = largest;
    else if (kind == CLIP_POWERS)
        norm = largest > 0 && isfinite(largest) ? (inverse_p > 1 ? 1 : largest) * pow(first, inverse_p)
                                                : largest;
    const real wanted = max_norm / (norm + 1e-6f);
    if (item == 0) {
        STORE(factor, factor_at, wanted > 1 ? 1 : wanted);
        if (total_norm != 0)
            STORE(total_norm, total_norm_at, norm);
    }
}
#endif

/* A work-item takes STRIP neighbours; none where there is nothing to do. */
#ifdef KERNEL_clip_scale
__kernel void clip_scale(ulong n, __global storage *gradient, ulong gradient_at,
                         __global const storage *factor, ulong factor_at)
{
    const size_t from = get_global_id(0) * STRIP;
    const real scale = LOAD(factor, factor_at);
    const int count = scale != 1 ? count_at(from, n) : 0;
    for (int k = 0; k < count; k++)
        STORE(gradient, gradient_at + from + k, LOAD(gradient, gradient_at + from + k) * scale);
}
#endif

/* Into -limit to limit; NaN stays. */
#ifdef KERNEL_clip_value
__kernel void clip_value(ulong n, real limit, __global storage *gradient, ulong gradient_at)
{
    const size_t i = get_global_id(0);
    if (i >= n)
        return;
    const real x = LOAD(gradient, gradient_at + i);
    STORE(gradient, gradient_at + i, x > limit ? limit : x < -limit ? -limit : x);
}
#endif
