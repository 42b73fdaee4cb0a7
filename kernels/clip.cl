/*
 * Clipping a gradient. By its norm: clip_KIND adds up by group, clip_factor makes norm and factor of that,
 * clip_scale multiplies. Every group takes share elements, so that the order of the sums depends on the size
 * alone.
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
static real largest_in_group(__local real *shared, size_t item, real x)
{
    shared[item] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t half_group = GROUP_SIZE / 2; half_group > 0; half_group /= 2) {
        if (item < half_group)
            shared[item] = larger(shared[item], shared[item + half_group]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const real result = shared[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    return result;
}

/* Of so many numbers of earlier launches: the largest, and the sum of every stride-th. */
static real largest_of(__local real *shared, size_t item, ulong count, __global const storage *numbers)
{
    real result = 0;
    for (size_t i = item; i < count; i += GROUP_SIZE)
        result = larger(result, LOAD(numbers, i));
    return largest_in_group(shared, item, result);
}

static real sum_of(__local real *shared, size_t item, ulong count, size_t stride,
                   __global const storage *numbers)
{
    sum total = {0, 0};
    for (size_t i = item; i < count; i += GROUP_SIZE)
        sum_add(&total, LOAD(numbers, i * stride));
    return sum_lanes(shared, item, item, GROUP_SIZE, sum_result(total));
}

__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
clip_largest(ulong n, ulong share, __global const storage *gradient, ulong gradient_at,
             __global storage *results, ulong results_at)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), first = get_group_id(0) * share,
                 end = min(n, (ulong)(first + share));
    real result = 0;
    for (size_t i = first + item; i < end; i += GROUP_SIZE)
        result = larger(result, fabs(LOAD(gradient, gradient_at + i)));
    result = largest_in_group(shared, item, result);
    if (item == 0)
        STORE(results, results_at + get_group_id(0), result);
}

__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
clip_sum(ulong n, ulong share, __global const storage *gradient, ulong gradient_at, __global storage *results,
         ulong results_at)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), first = get_group_id(0) * share,
                 end = min(n, (ulong)(first + share));
    sum total = {0, 0};
    for (size_t i = first + item; i < end; i += GROUP_SIZE)
        sum_add(&total, fabs(LOAD(gradient, gradient_at + i)));
    const real result = sum_lanes(shared, item, item, GROUP_SIZE, sum_result(total));
    if (item == 0)
        STORE(results, results_at + get_group_id(0), result);
}

/* Three numbers a group: for large, middle and small elements. */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
clip_squares(ulong n, ulong share, __global const storage *gradient, ulong gradient_at,
             __global storage *results, ulong results_at)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), first = get_group_id(0) * share,
                 end = min(n, (ulong)(first + share));
    sum large = {0, 0}, middle = {0, 0}, small = {0, 0};
    for (size_t i = first + item; i < end; i += GROUP_SIZE) {
        const real x = fabs(LOAD(gradient, gradient_at + i));
        if (x >= CLIP_LARGE)
            sum_add(&large, (x * CLIP_DOWN) * (x * CLIP_DOWN));
        else if (x < CLIP_SMALL)
            sum_add(&small, (x * CLIP_UP) * (x * CLIP_UP));
        else
            sum_add(&middle, x * x);
    }
    const real totals[3] = {sum_lanes(shared, item, item, GROUP_SIZE, sum_result(large)),
                            sum_lanes(shared, item, item, GROUP_SIZE, sum_result(middle)),
                            sum_lanes(shared, item, item, GROUP_SIZE, sum_result(small))};
    if (item == 0)
        for (int k = 0; k < 3; k++)
            STORE(results, results_at + 3 * get_group_id(0) + k, totals[k]);
}

/* Sums of (x / largest)^p. A quotient may vanish, which a small p would see: there the powers are divided. */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
clip_powers(ulong n, ulong share, __global const storage *gradient, ulong gradient_at,
            __global storage *results, ulong results_at, ulong groups, __global const storage *largest_parts,
            ulong largest_parts_at, real p)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), first = get_group_id(0) * share,
                 end = min(n, (ulong)(first + share));
    const real largest = largest_of(shared, item, groups, largest_parts + largest_parts_at);
    sum total = {0, 0};
    for (size_t i = first + item; i < end; i += GROUP_SIZE) {
        const real x = fabs(LOAD(gradient, gradient_at + i));
        sum_add(&total, p < 1 ? pow(x, p) / pow(largest, p) : pow(x / largest, p));
    }
    const real result = sum_lanes(shared, item, item, GROUP_SIZE, sum_result(total));
    if (item == 0)
        STORE(results, results_at + get_group_id(0), result);
}

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
    const real largest = largest_of(shared, item, has_largest ? groups : 0, largest_parts);
    const real first = sum_of(shared, item, kind == CLIP_LARGEST ? 0 : groups, has_squares ? 3 : 1, sums);
    const real middle = sum_of(shared, item, has_squares ? groups : 0, 3, sums + 1);
    const real small = sum_of(shared, item, has_squares ? groups : 0, 3, sums + 2);

    real norm = first; /* CLIP_SUM */
    if (has_squares)
        norm = root_of_squares(first, middle, small);
    else if (kind == CLIP_LARGEST)
        norm = largest;
    else if (kind == CLIP_POWERS)
        norm = largest > 0 && isfinite(largest) ? largest * pow(first, inverse_p) : largest;
    const real wanted = max_norm / (norm + 1e-6f);
    if (item == 0) {
        STORE(factor, factor_at, wanted > 1 ? 1 : wanted);
        if (total_norm != 0)
            STORE(total_norm, total_norm_at, norm);
    }
}

__kernel void clip_scale(ulong n, __global storage *gradient, ulong gradient_at,
                         __global const storage *factor, ulong factor_at)
{
    const size_t i = get_global_id(0);
    const real scale = LOAD(factor, factor_at);
    if (i < n && scale != 1)
        STORE(gradient, gradient_at + i, LOAD(gradient, gradient_at + i) * scale);
}

/* Into -limit to limit; NaN stays. */
__kernel void clip_value(ulong n, real limit, __global storage *gradient, ulong gradient_at)
{
    const size_t i = get_global_id(0);
    if (i >= n)
        return;
    const real x = LOAD(gradient, gradient_at + i);
    STORE(gradient, gradient_at + i, x > limit ? limit : x < -limit ? -limit : x);
}
