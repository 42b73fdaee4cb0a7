/*
 * Softmax, softmin (sign -1) and log-softmax (LOGARITHM) of rows. With m the highest number of a row, e_j =
 * exp(x_j - m) and s the sum of all e but the highest's, softmax is e_j / (1 + s) and its logarithm (x_j - m)
 * - log1p(s): nothing overflows, and a small s is not lost beside 1 (Blanchard, Higham, Higham, "Accurately
 * computing the log-sum-exp and softmax functions", 2021). Every lane reads and writes its own columns alone,
 * so that y may be x.
 */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
softmax_forward(ulong rows, ulong columns, ulong lanes, real sign, __global const storage *x, ulong x_at,
                __global storage *y, ulong y_at)
{
    __local peak peaks[GROUP_SIZE];
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), lane = item % lanes, row = get_global_id(0) / lanes;
    const bool inside = row < rows;
    const ulong from = x_at + row * columns, to = y_at + row * columns;

    peak own = {-INFINITY, ULONG_MAX};
    if (inside)
        for (size_t j = lane; j < columns; j += lanes)
            own = higher(own, (peak){sign * LOAD(x, from + j), j});
    const peak top = peak_lanes(peaks, item, lane, lanes, own);

    sum exponentials = {0, 0};
    if (inside)
        for (size_t j = lane; j < columns; j += lanes)
            if (j != top.column)
                sum_add(&exponentials, exp(sign * LOAD(x, from + j) - top.value));
    const real s = sum_lanes(shared, item, lane, lanes, sum_result(exponentials));
    if (!inside)
        return;

    for (size_t j = lane; j < columns; j += lanes) {
        const real distance = sign * LOAD(x, from + j) - top.value;
#ifdef LOGARITHM
        STORE(y, to + j, distance - log1p(s));
#else
        STORE(y, to + j, exp(distance) / (1 + s));
#endif
    }
}

/* dx = sign y (dy - sum of dy y), for the logarithm dy - exp(y) times the sum of dy. dx may be y or dy. */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
softmax_backward(ulong rows, ulong columns, ulong lanes, real sign, __global const storage *y, ulong y_at,
                 __global const storage *dy, ulong dy_at, __global storage *dx, ulong dx_at)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0), lane = item % lanes, row = get_global_id(0) / lanes;
    const bool inside = row < rows;
    const ulong first = row * columns;

    sum total = {0, 0};
    if (inside)
        for (size_t j = lane; j < columns; j += lanes) {
            const real d = LOAD(dy, dy_at + first + j);
#ifdef LOGARITHM
            sum_add(&total, d);
#else
            sum_add(&total, d * LOAD(y, y_at + first + j));
#endif
        }
    const real all = sum_lanes(shared, item, lane, lanes, sum_result(total));
    if (!inside)
        return;

    for (size_t j = lane; j < columns; j += lanes) {
        const real output = LOAD(y, y_at + first + j), d = LOAD(dy, dy_at + first + j);
#ifdef LOGARITHM
        STORE(dx, dx_at + first + j, d - exp(output) * all);
#else
        STORE(dx, dx_at + first + j, sign * output * (d - all));
#endif
    }
}
