/*
 * What a softmax is made of. A lane takes a row's columns in blocks (block.cl).
 */

#define EACH_BLOCK(p, j, columns) \
    for (ulong j = (p).lane * ABREAST; (p).inside && j < (columns); j += (p).lanes * ABREAST)

/* How many of its columns a block from column j on has. */
static int block_count(ulong j, ulong columns)
{
    return (int)min((ulong)ABREAST, columns - j);
}

/*
 * exp(x - top) for x up to top. The difference's rounding error, which an exponential of so large an argument
 * would multiply, is exact (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B) and goes in with it.
 */
static real exp_below(real x, real top)
{
    const real difference = x - top, part = difference - x;
    const real error = (x - (difference - part)) + (-top - part);
    /* Not by a product that underflows, which takes processors long. */
    const bool vanishes = difference < -104;
    const real e = exp_times(exp_of_sum(vanishes ? 0 : difference, vanishes ? 0 : error), 1);
    return vanishes ? 0 : e;
}

/* log(1 + s) for s >= 0, within 3 ulp. */
static real log1p_of(real s)
{
    return s <= 1 ? s * log1p_ratio(s) : log_of(1 + s);
}

/*
 * With m the highest of a row, the sum of exponentials is exp(m) (1 + s), s over all columns but one that is
 * highest: nothing overflows, and log(softmax) and 1 - softmax keep their relative accuracy where the softmax
 * is close to 1 (Blanchard, Higham, Higham, "Accurately computing the log-sum-exp and softmax functions",
 * 2021). With NaN in the row s is NaN; a highest of infinity, which has no difference to the others, becomes
 * NaN too.
 */
typedef struct softmax {
    real top;
    real s, log1p_s;
} softmax;

/*
 * Of the numbers sign x (sign is 1 or -1); column j lies at at + j stride. Where kept is not NULL it receives
 * the exponentials, exp(x - m), likewise from kept_at on; it may be x. (Not as the function's value: oclgrind
 * 21.10 cannot run what clang makes of that where it inlines the function.)
 */
LOCAL_FUNCTION void softmax_row(softmax *q, __local real *shared, place p, real sign,
                                __global const storage *x, ulong at, ulong columns, ulong stride,
                                __global storage *kept, ulong kept_at)
{
    softmax result;
    real numbers[ABREAST], highest[ABREAST];
    EACH_OF_BLOCK (k)
        highest[k] = -INFINITY;
    EACH_BLOCK (p, j, columns) {
        load_block(numbers, block_count(j, columns), -sign * INFINITY, x, at + j * stride, stride);
        EACH_OF_BLOCK (k)
            highest[k] = sign * numbers[k] > highest[k] ? sign * numbers[k] : highest[k];
    }
#pragma unroll
    for (int half_size = ABREAST / 2; half_size > 0; half_size /= 2)
        for (int k = 0; k < half_size; k++)
            highest[k] = highest[k + half_size] > highest[k] ? highest[k + half_size] : highest[k];
    result.top = max_row(shared, p, highest[0]);
    if (isinf(result.top))
        result.top = NAN;

    block_sum exponentials;
    real tops[ABREAST], others[ABREAST];
    block_sum_clear(&exponentials);
    EACH_OF_BLOCK (k)
        tops[k] = 0;
    EACH_BLOCK (p, j, columns) {
        const int count = block_count(j, columns);
        load_block(numbers, count, -sign * INFINITY, x, at + j * stride, stride);
        EACH_OF_BLOCK (k) {
            const bool is_top = sign * numbers[k] == result.top;
            numbers[k] = exp_below(sign * numbers[k], result.top);
            others[k] = is_top ? 0 : numbers[k];
            tops[k] += is_top ? 1 : 0;
        }
        block_sum_add(&exponentials, others);
        if (kept != 0)
            store_block(numbers, count, kept, kept_at + j * stride, stride);
    }
#pragma unroll
    for (int half_size = ABREAST / 2; half_size > 0; half_size /= 2)
        for (int k = 0; k < half_size; k++)
            tops[k] += tops[k + half_size];
    const real ties = sum_row(shared, p, tops[0]) - 1;
    result.s = sum_row(shared, p, block_sum_result(&exponentials));
    if (ties > 0)
        result.s += ties;
    result.log1p_s = log1p_of(result.s);
    *q = result;
}
