/*
 * What the losses share: which results a call wants, and the end of a sum.
 */

#define WANT_TOTAL 1
#define WANT_VALUES 2
#define WANT_GRADIENT 4
#define UPSTREAM_ONE 8
#define UPSTREAM_EACH 16
#define WANT_DTARGET 32
#define WANT_DOTHER 64

/* result = total_scale * the sum of n numbers; one work-group. */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
loss_total(ulong n, __global const storage *numbers, ulong numbers_at, __global storage *result,
           ulong result_at, real total_scale)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0);
    sum total = {0, 0};
    for (size_t i = item; i < n; i += GROUP_SIZE)
        sum_add(&total, LOAD(numbers, numbers_at + i));
    const real all = sum_lanes(shared, item, item, GROUP_SIZE, sum_result(total));
    if (item == 0)
        STORE(result, result_at, all * total_scale);
}
