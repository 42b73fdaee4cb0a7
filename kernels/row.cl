/*
 * Rows among work-items, and what a softmax is made of. A row belongs to so many neighbouring work-items, its
 * lanes (a power of two), and a group holds GROUP_SIZE / lanes rows. Lane k looks after the columns k, k +
 * lanes, ... and nobody else writes there, so that a result may take its operand's place once every lane has
 * read what it needs of the others' columns.
 */

typedef struct place {
    size_t item, lane, lanes, row;
    bool inside; /* false behind the last row */
} place;

static place place_among(ulong rows, ulong lanes)
{
    const size_t item = get_local_id(0), row = get_global_id(0) / lanes;
    return (place){item, item % lanes, lanes, row, row < rows};
}

static real sum_row(__local real *shared, place p, real x)
{
    return sum_lanes(shared, p.item, p.lane, p.lanes, x);
}

/* The largest number of the row's lanes; none of them may be NaN. */
static real max_row(__local real *shared, place p, real x)
{
    shared[p.item] = x;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t half_width = p.lanes / 2; half_width > 0; half_width /= 2) {
        if (p.lane < half_width)
            shared[p.item] = fmax(shared[p.item], shared[p.item + half_width]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    const real result = shared[p.item - p.lane];
    barrier(CLK_LOCAL_MEM_FENCE);
    return result;
}

/* The larger of two numbers and its column, the lower one among equals; NaN is larger than anything. */
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
 * The highest of a row, by a tree over its lanes. A peak of infinity has no difference to the others
 * and stands for NaN.
 */
static peak peak_row(__local peak *shared, place p, peak own)
{
    shared[p.item] = own;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (size_t half_width = p.lanes / 2; half_width > 0; half_width /= 2) {
        if (p.lane < half_width)
            shared[p.item] = higher(shared[p.item], shared[p.item + half_width]);
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    peak result = shared[p.item - p.lane];
    if (isinf(result.value))
        result.value = NAN;
    return result;
}

/*
 * exp(x - top) for x up to top. The difference's rounding error, which an exponential of so large an argument
 * would multiply, is exact (Knuth, The Art of Computer Programming 2, 4.2.2, theorem B) and put in after it.
 */
static real exp_below(real x, real top)
{
    const real difference = x - top, part = difference - x;
    const real error = (x - (difference - part)) + (-top - part);
    const real e = exp(difference);
    return e == 0 ? 0 : e + e * error;
}

/*
 * With m the highest of a row, the sum of exponentials is exp(m) (1 + s), s over all columns but the
 * highest's: nothing overflows, and log(softmax) and 1 - softmax keep their relative accuracy where the
 * softmax is close to 1 (Blanchard, Higham, Higham, "Accurately computing the log-sum-exp and softmax
 * functions", 2021).
 */
typedef struct softmax {
    peak top;
    real s, log1p_s;
} softmax;

/* Of the numbers sign x (sign is 1 or -1); column j lies at at + j stride. */
static softmax softmax_row(__local peak *peaks, __local real *shared, place p, real sign,
                           __global const storage *x, ulong at, ulong columns, ulong stride)
{
    softmax result;
    peak own = {-INFINITY, ULONG_MAX};
    if (p.inside)
        for (size_t j = p.lane; j < columns; j += p.lanes)
            own = higher(own, (peak){sign * LOAD(x, at + j * stride), j});
    result.top = peak_row(peaks, p, own);

    sum exponentials = {0, 0};
    if (p.inside)
        for (size_t j = p.lane; j < columns; j += p.lanes)
            if (j != result.top.column)
                sum_add(&exponentials, exp_below(sign * LOAD(x, at + j * stride), result.top.value));
    result.s = sum_row(shared, p, sum_result(exponentials));
    result.log1p_s = log1p(result.s);
    return result;
}
