/*
 * What the losses of rows and of columns share. A row belongs to so many neighbouring work-items, its lanes
 * (a power of two), and a group holds GROUP_SIZE / lanes rows. Lane k looks after the classes k, k + lanes,
 * ... and nobody else writes there, so that a gradient may take its operand's place once every lane has read
 * what it needs of the others' classes.
 *
 * Values and gradients are taken times term_scale, a power of two that keeps a mean from overflowing before
 * it is divided. The upstream gradient is one number for all rows (UPSTREAM_ONE) or one for each
 * (UPSTREAM_EACH).
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

/* What every gradient of a row is multiplied by. */
static real row_scale(place p, int wants, real gradient_scale, __global const storage *upstream,
                      ulong upstream_at)
{
    if (!p.inside)
        return 0;
    if (wants & UPSTREAM_ONE)
        return gradient_scale * LOAD(upstream, upstream_at);
    if (wants & UPSTREAM_EACH)
        return gradient_scale * LOAD(upstream, upstream_at + p.row);
    return gradient_scale;
}

/* 0, or NaN for NaN: added up over a row it tells whether the row holds one. */
static real poison_of(real x)
{
    return isnan(x) ? x : 0;
}

static real class_weight(__global const storage *weight, ulong weight_at, size_t j)
{
    return weight != 0 ? LOAD(weight, weight_at + j) : 1;
}

/* a + b + c with next to one rounding, so that its sign is right too where they cancel. */
static real sum_of_three(real a, real b, real c)
{
    sum s = {0, 0};
    sum_add(&s, a);
    sum_add(&s, b);
    sum_add(&s, c);
    return sum_result(s);
}
