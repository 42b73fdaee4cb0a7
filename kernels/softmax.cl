/*
 * Softmax, softmin (sign -1) and log-softmax (LOGARITHM) of rows. Every lane writes its own columns alone,
 * and reads no others once it does, so that y may be x.
 */
#ifdef KERNEL_softmax_forward
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
softmax_forward(ulong rows, ulong columns, ulong lanes, real sign, __global const storage *x, ulong x_at,
                __global storage *y, ulong y_at)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong from = x_at + p.row * columns, to = y_at + p.row * columns;
    softmax q;
#ifdef LOGARITHM
    softmax_row(&q, shared, p, sign, x, from, columns, 1, 0, 0);
#else
    softmax_row(&q, shared, p, sign, x, from, columns, 1, y, to);
    const real share = 1 / (1 + q.s);
#endif
    EACH_BLOCK (p, j, columns) {
        real results[ABREAST];
        const int count = block_count(j, columns);
#ifdef LOGARITHM
        load_block(results, count, 0, x, from + j, 1);
        EACH_OF_BLOCK (k)
            results[k] = (sign * results[k] - q.top) - q.log1p_s;
#else
        load_block(results, count, 0, y, to + j, 1);
        EACH_OF_BLOCK (k)
            results[k] *= share;
#endif
        store_block(results, count, y, to + j, 1);
    }
}
#endif

/* dx = sign y (dy - sum of dy y), for the logarithm dy - exp(y) times the sum of dy. dx may be y or dy. */
#ifdef KERNEL_softmax_backward
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
softmax_backward(ulong rows, ulong columns, ulong lanes, real sign, __global const storage *y, ulong y_at,
                 __global const storage *dy, ulong dy_at, __global storage *dx, ulong dx_at)
{
    __local real shared[GROUP_SIZE];
    const place p = place_among(rows, lanes);
    const ulong first = p.row * columns;

    real outputs[ABREAST], upstream[ABREAST], results[ABREAST];
    block_sum total;
    block_sum_clear(&total);
    EACH_BLOCK (p, j, columns) {
        const int count = block_count(j, columns);
        load_block(outputs, count, 0, y, y_at + first + j, 1);
        load_block(upstream, count, 0, dy, dy_at + first + j, 1);
#ifndef LOGARITHM
        EACH_OF_BLOCK (k)
            upstream[k] *= outputs[k];
#endif
        block_sum_add(&total, upstream);
    }
    const real all = sum_row(shared, p, block_sum_result(&total));

    EACH_BLOCK (p, j, columns) {
        const int count = block_count(j, columns);
        load_block(outputs, count, 0, y, y_at + first + j, 1);
        load_block(upstream, count, 0, dy, dy_at + first + j, 1);
        EACH_OF_BLOCK (k) {
#ifdef LOGARITHM
            results[k] = upstream[k] - exp_below(outputs[k], 0) * all;
#else
            results[k] = sign * outputs[k] * (upstream[k] - all);
#endif
        }
        store_block(results, count, dx, dx_at + first + j, 1);
    }
}
#endif
