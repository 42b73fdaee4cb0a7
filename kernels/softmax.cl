/*
 * Softmax, softmin (sign -1) and log-softmax (LOGARITHM) of rows. Every lane writes its own columns alone,
 * and reads no others once it does, so that y may be x.
 */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
softmax_forward(ulong rows, ulong columns, ulong lanes, real sign, __global const storage *x, ulong x_at,
                __global storage *y, ulong y_at)
{
    __local peak peaks[GROUP_SIZE];
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong from = x_at + p.row * columns, to = y_at + p.row * columns;
    const softmax q = softmax_row(peaks, shared, p, sign, x, from, columns, 1);
    if (!p.inside)
        return;
    for (size_t j = p.lane; j < columns; j += lanes) {
        const real own = sign * LOAD(x, from + j);
#ifdef LOGARITHM
        STORE(y, to + j, (own - q.top.value) - q.log1p_s);
#else
        STORE(y, to + j, exp_below(own, q.top.value) / (1 + q.s));
#endif
    }
}

/* dx = sign y (dy - sum of dy y), for the logarithm dy - exp(y) times the sum of dy. dx may be y or dy. */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
softmax_backward(ulong rows, ulong columns, ulong lanes, real sign, __global const storage *y, ulong y_at,
                 __global const storage *dy, ulong dy_at, __global storage *dx, ulong dx_at)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong first = p.row * columns;

    sum total = {0, 0};
    if (p.inside)
        for (size_t j = p.lane; j < columns; j += lanes) {
            const real d = LOAD(dy, dy_at + first + j);
#ifdef LOGARITHM
            sum_add(&total, d);
#else
            sum_add(&total, d * LOAD(y, y_at + first + j));
#endif
        }
    const real all = sum_row(shared, p, sum_result(total));
    if (!p.inside)
        return;

    for (size_t j = p.lane; j < columns; j += lanes) {
        const real output = LOAD(y, y_at + first + j), d = LOAD(dy, dy_at + first + j);
#ifdef LOGARITHM
        STORE(dx, dx_at + first + j, d - exp(output) * all);
#else
        STORE(dx, dx_at + first + j, sign * output * (d - all));
#endif
    }
}
