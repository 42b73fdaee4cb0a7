/*
 * Blocks of ABREAST neighbours, a power of two that the host names, which a work-item takes at a time: one on
 * a GPU, where work-items are many. On a CPU loops over a block are what its compiler calculates many numbers
 * at a time of: those that neither load nor store what others may see, and have a known length.
 */

#define EACH_OF_BLOCK(k) for (int k = 0; k < ABREAST; k++)

/* x at at, at + stride, ... in a block; behind the count of them rest. */
static void load_block(real *block, int count, real rest, __global const storage *x, ulong at, ulong stride)
{
    if (count == ABREAST && stride == 1) {
        EACH_OF_BLOCK (k)
            block[k] = LOAD(x, at + k);
        return;
    }
    for (int k = 0; k < count; k++)
        block[k] = LOAD(x, at + k * stride);
    for (int k = count; k < ABREAST; k++)
        block[k] = rest;
}

static void store_block(const real *block, int count, __global storage *y, ulong at, ulong stride)
{
    if (count == ABREAST && stride == 1) {
        EACH_OF_BLOCK (k)
            STORE(y, at + k, block[k]);
        return;
    }
    for (int k = 0; k < count; k++)
        STORE(y, at + k * stride, block[k]);
}

/* Sums over blocks. Four places of a block share a sum, since its compensation costs more than the rest. */
#define PLACES (ABREAST > 4 ? ABREAST / 4 : ABREAST)

typedef struct block_sum {
    real values[PLACES], errors[PLACES];
} block_sum;

static void block_sum_clear(block_sum *s)
{
    for (int k = 0; k < PLACES; k++)
        s->values[k] = s->errors[k] = 0;
}

static void block_sum_add(block_sum *s, const real *block)
{
    for (int k = 0; k < PLACES; k++) {
#if ABREAST > 4
        const real x = (block[k] + block[k + PLACES]) + (block[k + 2 * PLACES] + block[k + 3 * PLACES]);
#else
        const real x = block[k];
#endif
        add_to(&s->values[k], &s->errors[k], x);
    }
}

/* All of them, by a tree. */
static real block_sum_result(block_sum *s)
{
#pragma unroll
    for (int half_size = PLACES / 2; half_size > 0; half_size /= 2)
        for (int k = 0; k < half_size; k++) {
            s->values[k] += s->values[k + half_size];
            s->errors[k] += s->errors[k + half_size];
        }
    const sum all = {s->values[0], s->errors[0]};
    return sum_result(all);
}
