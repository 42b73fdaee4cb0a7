/*
 * Random masks and slopes. Philox 4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", 2011): ten rounds that multiply, exchange and exclusive-or four counter words under two key
 * words, which grow by Weyl constants. A work-item takes one block: four words, four elements.
 */
static uint4 philox(uint4 counter, uint2 key)
{
    for (int round = 0; round < 10; round++) {
        const uint low0 = counter.s0 * 0xd2511f53u, high0 = mul_hi(counter.s0, 0xd2511f53u);
        const uint low1 = counter.s2 * 0xcd9e8d57u, high1 = mul_hi(counter.s2, 0xcd9e8d57u);
        counter = (uint4)(high1 ^ counter.s1 ^ key.s0, low1, high0 ^ counter.s3 ^ key.s1, low0);
        key += (uint2)(0x9e3779b9u, 0xbb67ae85u);
    }
    return counter;
}

/* seed and stream: low words first. */
static uint4 words_of(size_t block, uint2 seed, uint2 stream)
{
    return philox((uint4)((uint)block, (uint)((ulong)block >> 32), stream.s0, stream.s1), seed);
}

/* y = 0 where the word is below threshold, else x scale. */
#ifdef KERNEL_noise_dropout
__kernel void noise_dropout(ulong n, uint2 seed, uint2 stream, ulong threshold, real scale,
                            __global const storage *x, ulong x_at, __global storage *y, ulong y_at)
{
    const size_t block = get_global_id(0);
    const size_t first = 4 * block;
    if (first >= n)
        return;
    const uint4 words = words_of(block, seed, stream);
    const uint word[4] = {words.s0, words.s1, words.s2, words.s3};
    for (int k = 0; k < 4 && first + k < n; k++)
        STORE(y, y_at + first + k, word[k] < threshold ? 0 : LOAD(x, x_at + first + k) * scale);
}
#endif

/* out = times where x > 0, else a times, a between lower and upper by the word's upper 24 bits. */
#ifdef KERNEL_noise_rrelu
__kernel void noise_rrelu(ulong n, uint2 seed, uint2 stream, real lower, real upper,
                          __global const storage *x, ulong x_at, __global const storage *times,
                          ulong times_at, __global storage *out, ulong out_at)
{
    const size_t block = get_global_id(0);
    const size_t first = 4 * block;
    if (first >= n)
        return;
    const uint4 words = words_of(block, seed, stream);
    const uint word[4] = {words.s0, words.s1, words.s2, words.s3};
    for (int k = 0; k < 4 && first + k < n; k++) {
        const real v = LOAD(x, x_at + first + k), u = (real)(word[k] >> 8) * 0x1p-24f;
        const real slope = lower * (1 - u) + upper * u; /* upper - lower might overflow */
        const real t = LOAD(times, times_at + first + k);
        const bool limit = slope == 0 && isinf(v) && t == v; /* at -inf, forward */
        STORE(out, out_at + first + k, v > 0 ? t : limit ? 0 : v <= 0 ? slope * t : v);
    }
}
#endif
