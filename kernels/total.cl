/*
 * The end of a sum that several groups have begun.
 */

/* result = scale * the sum of n numbers; one work-group. */
__kernel __attribute__((reqd_work_group_size(GROUP_SIZE, 1, 1))) void
total(ulong n, __global const storage *numbers, ulong numbers_at, __global storage *result, ulong result_at,
      real scale)
{
    __local real shared[GROUP_SIZE];
    const size_t item = get_local_id(0);
    sum s = {0, 0};
    for (size_t i = item; i < n; i += GROUP_SIZE)
        sum_add(&s, LOAD(numbers, numbers_at + i));
    const real all = sum_lanes(shared, item, item, GROUP_SIZE, sum_result(s));
    if (item == 0)
        STORE(result, result_at, all * scale);
}
