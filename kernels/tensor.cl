/*
 * destination[i, :] = source[indices[i], :] for elements of four bytes, whatever they mean. invalid fills a
 * row whose index points nowhere. Work-items: columns, padded, x as many
 * rows as the grid allows.
 */
#ifdef KERNEL_tensor_gather
__kernel void tensor_gather(ulong count, ulong columns, ulong rows, __global const uint *source,
                            ulong source_at, __global const int *indices, ulong indices_at,
                            __global uint *destination, ulong destination_at, uint invalid,
                            __global int *fault)
{
    const size_t column = get_global_id(0);
    if (column >= columns)
        return;
    for (size_t i = get_global_id(1); i < count; i += get_global_size(1)) {
        const int row = indices[indices_at + i];
        uint value = invalid;
        if (row >= 0 && (ulong)row < rows)
            value = source[source_at + (ulong)row * columns + column];
        else if (column == 0)
            record_fault(fault, FAULT_ROW, i, row, rows);
        destination[destination_at + i * columns + column] = value;
    }
}
#endif

/* Every element of four bytes becomes word. */
#ifdef KERNEL_tensor_fill
__kernel void tensor_fill(ulong n, __global uint *destination, ulong destination_at, uint word)
{
    const size_t i = get_global_id(0);
    if (i < n)
        destination[destination_at + i] = word;
}
#endif

/* y = alpha x + beta y; y is not read where beta is 0. */
#ifdef KERNEL_tensor_axpby
__kernel void tensor_axpby(ulong n, real alpha, __global const storage *x, ulong x_at, real beta,
                           __global storage *y, ulong y_at)
{
    const size_t i = get_global_id(0);
    if (i >= n)
        return;
    const real product = alpha * LOAD(x, x_at + i);
    STORE(y, y_at + i, beta == 0 ? product : product + beta * LOAD(y, y_at + i));
}
#endif

/* Record an element that is NaN or infinite. Every work-item takes a strip. */
#ifdef KERNEL_tensor_look
__kernel void tensor_look(ulong n, __global const storage *x, ulong x_at, int site, __global int *fault)
{
    const size_t first = get_global_id(0) * STRIP, end = min(n, (ulong)(first + STRIP));
    for (size_t i = first; i < end; i++) {
        const real value = LOAD(x, x_at + i);
        if (!isfinite(value)) {
            record_fault(fault, FAULT_ANOMALY, i, as_int(value), (ulong)site);
            return;
        }
    }
}
#endif
