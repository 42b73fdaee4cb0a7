/*
 * What the softmax of a row is made of. A row belongs to so many neighbouring work-items, its lanes (a power
 * of two), and a group holds GROUP_SIZE / lanes rows.
 */

/* The largest number of a row and its column, the lower one among equals; NaN is larger than anything. */
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
 * The highest of a row, by a tree over its lanes. A peak of infinity has no difference to the others and
 * stands for NaN.
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
