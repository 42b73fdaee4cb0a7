/*
 * What a dense layer does besides its matrix products. Built behind activation.cl, which says what ACTIVATION
 * is, and columns.cl.
 */

/* z += bias, h = f(z). Work-items: columns, padded, x as many rows as the grid allows. h may be z. */
#ifdef KERNEL_dense_forward
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
#endif

/* dz = dh * f'(z) and dbias = the sum of dz over the rows, in one pass. dz may be dh or z. */
#ifdef KERNEL_dense_backward
__kernel __attribute__((reqd_work_group_size(COLUMN_GROUP, 1, 1))) void
dense_backward(ulong rows, ulong columns, ulong width, __global const storage *z, ulong z_at,
               __global const storage *dh, ulong dh_at, __global storage *dz, ulong dz_at,
               __global storage *dbias, ulong dbias_at, int has_bias, float8 p)
{
    __local real shared[COLUMN_GROUP];
    const strip s = strip_among(columns, width);
    sums total;
    sums_begin(&total, s);
    for (size_t row = s.lane; row < rows; row += s.height) {
        const size_t at = row * columns + s.first;
        real d[STRIP];
        for (int k = 0; k < s.count; k++)
            d[k] = ACTIVATION_GRADIENT(LOAD(z, z_at + at + k), LOAD(dh, dh_at + at + k), p);
        for (int k = 0; k < s.count; k++) {
            STORE(dz, dz_at + at + k, d[k]);
            sums_add(&total, k, d[k]);
        }
    }
    sums_finish(&total, s, shared);
    if (has_bias && s.lane == 0)
        for (int k = 0; k < s.count; k++)
            STORE(dbias, dbias_at + s.first + k, total.value[k]);
}
#endif
