/*
 * What a dense layer does besides its matrix products. Built behind activation.cl, which says what ACTIVATION
 * is.
 */

/* z += bias, h = f(z). Work-items: columns, padded, x as many rows as the grid allows. h may be z. */
__kernel void dense_forward(ulong rows, ulong columns, __global storage *z, ulong z_at,
                            __global const storage *bias, ulong bias_at, int has_bias, __global storage *h,
                            ulong h_at, float8 p)
{
    const size_t column = get_global_id(0);
    if (column >= columns)
        return;
    const real b = has_bias ? LOAD(bias, bias_at + column) : 0;
    for (size_t row = get_global_id(1); row < rows; row += get_global_size(1)) {
        const size_t i = row * columns + column;
        const real x = LOAD(z, z_at + i) + b;
        STORE(z, z_at + i, x);
        STORE(h, h_at + i, ACTIVATION(x, p));
    }
}

/*
 * dz = dh * f'(z) and dbias = the sum of dz over the rows, in one pass. A work-group takes width columns (a
 * power of two) and all rows; each of its GROUP_SIZE / width rows of work-items adds up every height-th row,
 * then a tree adds those, so that the order depends on the sizes alone. dz may be dh or z.
 */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
dense_backward(ulong rows, ulong columns, ulong width, __global const storage *z, ulong z_at,
               __global const storage *dh, ulong dh_at, __global storage *dz, ulong dz_at,
               __global storage *dbias, ulong dbias_at, int has_bias, float8 p)
{
    __local real shared[GROUP_SIZE];
    const size_t place = get_local_id(0) % width, lane = get_local_id(0) / width, height = GROUP_SIZE / width;
    const size_t column = get_group_id(0) * width + place;

    sum total = {0, 0};
    if (column < columns)
        for (size_t row = lane; row < rows; row += height) {
            const size_t i = row * columns + column;
            const real d = ACTIVATION_GRADIENT(LOAD(z, z_at + i), LOAD(dh, dh_at + i), p);
            STORE(dz, dz_at + i, d);
            sum_add(&total, d);
        }

    /* The lanes of one column are neighbours in shared. */
    const real result = sum_lanes(shared, place * height + lane, lane, height, sum_result(total));
    if (has_bias && column < columns && lane == 0)
        STORE(dbias, dbias_at + column, result);
}
