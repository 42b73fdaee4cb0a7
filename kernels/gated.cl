/*
 * PReLU and GLU. Built behind activation.cl, whose sigmoid GLU's gate is, and columns.cl.
 */

/* x is [batch, channels, inner]; weight has one number, or one for each channel. */
static real prelu_slope(size_t i, ulong channels, ulong inner, __global const storage *weight,
                        ulong weight_at, ulong weights)
{
    return LOAD(weight, weight_at + (weights == 1 ? 0 : i / inner % channels));
}

#ifdef KERNEL_prelu_forward
__kernel void prelu_forward(ulong n, ulong channels, ulong inner, __global const storage *x, ulong x_at,
                            __global const storage *weight, ulong weight_at, ulong weights,
                            __global storage *y, ulong y_at)
{
    const size_t i = get_global_id(0);
    if (i >= n)
        return;
    const real v = LOAD(x, x_at + i);
    const real slope = prelu_slope(i, channels, inner, weight, weight_at, weights);
    STORE(y, y_at + i, v > 0 ? v : v <= 0 && slope == 0 ? 0 : slope * v); /* 0 at -inf too */
}
#endif

/* dx may be x or dy. */
#ifdef KERNEL_prelu_backward
__kernel void prelu_backward(ulong n, ulong channels, ulong inner, __global const storage *x, ulong x_at,
                             __global const storage *weight, ulong weight_at, ulong weights,
                             __global const storage *dy, ulong dy_at, __global storage *dx, ulong dx_at)
{
    const size_t i = get_global_id(0);
    if (i >= n)
        return;
    const real slope = prelu_slope(i, channels, inner, weight, weight_at, weights);
    const real v = LOAD(x, x_at + i), d = LOAD(dy, dy_at + i);
    STORE(dx, dx_at + i, v > 0 ? d : v <= 0 ? slope * d : v); /* NaN stays */
}
#endif

/*
 * result[c] = the sum of x dy over column c where x <= 0. The n numbers are [rows, columns, inner] but for
 * the end of the last row, which may be missing.
 */
#ifdef KERNEL_prelu_weight
__kernel __attribute__((reqd_work_group_size(COLUMN_GROUP, 1, 1))) void
prelu_weight(ulong n, ulong columns, ulong inner, ulong width, __global const storage *x, ulong x_at,
             __global const storage *dy, ulong dy_at, __global storage *result, ulong result_at)
{
    __local real shared[COLUMN_GROUP];
    const strip s = strip_among(columns, width);
    const size_t rows = (n + columns * inner - 1) / (columns * inner) * inner;
    sums total;
    sums_begin(&total, s);
    for (size_t row = s.lane; row < rows; row += s.height) {
        const size_t at = (row / inner * columns + s.first) * inner + row % inner;
        for (int k = 0; k < s.count; k++)
            if (at + k * inner < n) {
                const real v = LOAD(x, x_at + at + k * inner), d = LOAD(dy, dy_at + at + k * inner);
                sums_add(&total, k, v > 0 ? 0 : v * d);
            }
    }
    sums_finish(&total, s, shared);
    if (s.lane == 0)
        for (int k = 0; k < s.count; k++)
            STORE(result, result_at + s.first + k, total.value[k]);
}
#endif

/* y = a s(b): a row of x holds columns numbers a, then as many b. Work-items: columns, padded, x rows. */
#ifdef KERNEL_glu_forward
__kernel void glu_forward(ulong rows, ulong columns, __global const storage *x, ulong x_at,
                          __global storage *y, ulong y_at)
{
    const size_t column = get_global_id(0);
    if (column >= columns)
        return;
    for (size_t row = get_global_id(1); row < rows; row += get_global_size(1)) {
        const ulong at = x_at + 2 * row * columns + column;
        const real a = LOAD(x, at), b = LOAD(x, at + columns);
        STORE(y, y_at + row * columns + column, a * act_sigmoid(b, (float8)(0)));
    }
}
#endif

/*
 * da = dy s(b), db = dy a s(b) (1 - s(b)); the larger factor is multiplied first, since dy a may overflow
 * where db does not. dx may be x: both halves are read before either is written.
 */
#ifdef KERNEL_glu_backward
__kernel void glu_backward(ulong rows, ulong columns, __global const storage *x, ulong x_at,
                           __global const storage *dy, ulong dy_at, __global storage *dx, ulong dx_at)
{
    const size_t column = get_global_id(0);
    if (column >= columns)
        return;
    for (size_t row = get_global_id(1); row < rows; row += get_global_size(1)) {
        const ulong at = 2 * row * columns + column;
        const real a = LOAD(x, x_at + at), b = LOAD(x, x_at + at + columns);
        const real d = LOAD(dy, dy_at + row * columns + column);
        STORE(dx, dx_at + at, d * act_sigmoid(b, (float8)(0)));
        const real larger = fabs(d) > fabs(a) ? d : a, smaller = fabs(d) > fabs(a) ? a : d;
        STORE(dx, dx_at + at + columns, act_sigmoid_gradient(b, larger, (float8)(0)) * smaller);
    }
}
#endif
