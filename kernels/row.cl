/*
 * Rows among work-items. A row belongs to so many neighbouring work-items, its lanes (a power of two), and a
 * group holds its size / lanes rows. A lane looks after its own columns (k, k + lanes, ... for lane k; blocks
 * of them in softmax_row.cl) and nobody else writes there, so that a result may take its operand's place once
 * every lane has read what it needs of the others' columns.
 *
 * On a CPU (ONE_LANE) a row has one lane, which waits for nobody. That is for compilers: PoCL takes ten times
 * as long for these kernels when they have the barriers.
 */

typedef struct place {
    size_t item, lane, lanes, row;
    bool inside; /* false behind the last row */
} place;

static place place_among(ulong rows, ulong lanes)
{
    const size_t item = get_local_id(0);
#if ONE_LANE
    const size_t row = get_global_id(0), lane = 0;
    lanes = 1;
#else
    const size_t row = get_global_id(0) / lanes, lane = item % lanes;
#endif
    return (place){item, lane, lanes, row, row < rows};
}

/* Every lane has read what it needs of the others' columns. */
static void meet_lanes(void)
{
#if !ONE_LANE
    barrier(CLK_GLOBAL_MEM_FENCE);
#endif
}

LOCAL_FUNCTION real sum_row(__local real *shared, place p, real x)
{
#if ONE_LANE
    return x;
#else
    return sum_lanes(shared, p.item, p.lane, p.lanes, x);
#endif
}

/* The largest number of the row's lanes; none of them may be NaN. */
LOCAL_FUNCTION real max_row(__local real *shared, place p, real x)
{
#if ONE_LANE
    return x;
#else
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
#endif
}
