/*
 * Dense layers on CPU devices, products included: one kernel forward, and one backward, behind
 * activation_backward, which makes dz where the layer above has not. A group is one work-item; it makes a
 * block of the result out of tiles that stay in vector registers. Every number is added up in an order that
 * does not depend on the blocks. Built behind activation.cl, which says what ACTIVATION is.
 * (src/opencl/dense_tiles.c says why; GPUs have CLBlast and dense.cl.)
 */
#pragma OPENCL FP_CONTRACT ON

/* What a tile is made of are registers only where these loops are written out. */
#define UNROLL _Pragma("unroll")

/* The most rows and columns of a block, as in src/opencl/dense_tiles.c. */
#define BLOCK 64

#define TILE_ROWS 4
#define TILE_COLUMNS 4

/*
 * 16 numbers that lie beside each other, at any address. Not by vload16 and vstore16: those are functions of
 * the driver, and PoCL 3.0 may have compiled them for wider registers than it compiles their callers for,
 * who then find half of the numbers.
 */
typedef struct numbers16 {
    storage at[16];
} numbers16;

typedef union vector16 {
    float16 v;
    numbers16 numbers;
} vector16;

static float16 load_16(__global const storage *from)
{
    vector16 taken;
    taken.numbers = *(__global const numbers16 *)from;
    return taken.v;
}

static float16 get_16(const real *from)
{
    vector16 taken;
    taken.numbers = *(const numbers16 *)from;
    return taken.v;
}

static void put_16(real *to, float16 v)
{
    vector16 given;
    given.v = v;
    *(numbers16 *)to = given.numbers;
}

static real add_lanes(float16 v)
{
    const float8 of8 = v.lo + v.hi;
    const float4 of4 = of8.lo + of8.hi;
    return (of4.x + of4.z) + (of4.y + of4.w);
}

/*
 * A block of a b^T, of rows x columns, from matrices that are read along their rows of k numbers: every
 * number of a tile is 16 sums until the end. A tile that sticks out takes the last row again.
 */
static void multiply_rows(ulong rows, ulong columns, ulong k, __global const storage *a,
                          __global const storage *b, real *block)
{
    const ulong whole = k & ~15ul;
    for (ulong j = 0; j < columns; j += TILE_COLUMNS)
        for (ulong i = 0; i < rows; i += TILE_ROWS) {
            __global const storage *left[TILE_ROWS], *right[TILE_COLUMNS];
            float16 sums[TILE_ROWS][TILE_COLUMNS];
            UNROLL for (int r = 0; r < TILE_ROWS; r++) left[r] = a + min(i + r, rows - 1) * k;
            UNROLL for (int s = 0; s < TILE_COLUMNS; s++) right[s] = b + min(j + s, columns - 1) * k;
            UNROLL for (int r = 0; r < TILE_ROWS; r++) UNROLL for (int s = 0; s < TILE_COLUMNS; s++)
                sums[r][s] = 0;
            for (ulong p = 0; p < whole; p += 16)
                UNROLL for (int r = 0; r < TILE_ROWS; r++) UNROLL for (int s = 0; s < TILE_COLUMNS; s++)
                    sums[r][s] += load_16(left[r] + p) * load_16(right[s] + p);
            UNROLL for (int r = 0; r < TILE_ROWS; r++) UNROLL for (int s = 0; s < TILE_COLUMNS; s++)
            {
                real total = add_lanes(sums[r][s]);
                for (ulong p = whole; p < k; p++)
                    total += LOAD(left[r], p) * LOAD(right[s], p);
                block[(i + r) * BLOCK + j + s] = total;
            }
        }
}

/*
 * z = x weight^T + bias, h = f(z). Work-items: one for each block, blocks of columns x blocks of rows. h may
 * be z. (The numbers of a row pass through an array of their own, so that the compiler sees that nothing
 * overlaps, and calculates many at a time.)
 */
#ifdef KERNEL_dense_tiles_forward
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
dense_tiles_forward(ulong batch, ulong out, ulong in, ulong block_rows, ulong block_columns,
                    __global const storage *x, ulong x_at, __global const storage *weight, ulong weight_at,
                    __global const storage *bias, ulong bias_at, int has_bias, __global storage *z,
                    ulong z_at, __global storage *h, ulong h_at, float8 p)
{
    real block[BLOCK * BLOCK];
    const ulong row = get_group_id(1) * block_rows, rows = min(block_rows, batch - row);
    const ulong column = get_group_id(0) * block_columns, columns = min(block_columns, out - column);
    multiply_rows(rows, columns, in, x + x_at + row * in, weight + weight_at + column * in, block);

    real added[BLOCK];
    for (ulong j = 0; j < BLOCK; j++)
        added[j] = has_bias && j < columns ? LOAD(bias, bias_at + column + j) : 0;
    for (ulong i = 0; i < rows; i++) {
        const ulong at = (row + i) * out + column;
        real sums[BLOCK], results[BLOCK];
        for (ulong j = 0; j < columns; j++)
            sums[j] = block[i * BLOCK + j] + added[j];
        for (ulong j = 0; j < columns; j++)
            results[j] = ACTIVATION(sums[j], p);
        for (ulong j = 0; j < columns; j++)
            STORE(z, z_at + at + j, sums[j]);
        for (ulong j = 0; j < columns; j++)
            STORE(h, h_at + at + j, results[j]);
    }
}
#endif

#define STRIP_ROWS 8
#define PANEL_WIDTH 32
#define PANEL_DEPTH 128

/* A product op(a) b, where op(a) [i, p] lies at a + i * row_step + p * column_step, and b [k, n] in rows. */
typedef struct product {
    ulong m, n, k;
    ulong row_step, column_step;
} product;

/* The numbers of b from a row and a column on, 32 beside each other; zeros beyond the last column. */
static void copy_panel(__global const storage *b, ulong row_length, ulong depth, ulong width, real *panel)
{
    for (ulong p = 0; p < depth; p++) {
        __global const storage *row = b + p * row_length;
        if (width == PANEL_WIDTH) {
            put_16(panel + p * PANEL_WIDTH, load_16(row));
            put_16(panel + p * PANEL_WIDTH + 16, load_16(row + 16));
        } else
            for (ulong q = 0; q < PANEL_WIDTH; q++)
                panel[p * PANEL_WIDTH + q] = q < width ? LOAD(row, q) : 0;
    }
}

/*
 * block, of rows x 32, += or = a panel's part of the product. a begins with the rows and at the depth of it.
 */
static void multiply_panel(product size, ulong rows, ulong depth, bool first, __global const storage *a,
                           const real *panel, real *block)
{
    for (ulong i = 0; i < rows; i += STRIP_ROWS) {
        __global const storage *strip[STRIP_ROWS];
        float16 left[STRIP_ROWS], right[STRIP_ROWS];
        UNROLL for (int r = 0; r < STRIP_ROWS; r++)
        {
            strip[r] = a + min(i + r, rows - 1) * size.row_step;
            left[r] = first ? 0 : get_16(block + (i + r) * PANEL_WIDTH);
            right[r] = first ? 0 : get_16(block + (i + r) * PANEL_WIDTH + 16);
        }
        for (ulong p = 0; p < depth; p++) {
            const float16 b_left = get_16(panel + p * PANEL_WIDTH);
            const float16 b_right = get_16(panel + p * PANEL_WIDTH + 16);
            UNROLL for (int r = 0; r < STRIP_ROWS; r++)
            {
                const real factor = LOAD(strip[r], p * size.column_step);
                left[r] += factor * b_left;
                right[r] += factor * b_right;
            }
        }
        UNROLL for (int r = 0; r < STRIP_ROWS; r++)
        {
            put_16(block + (i + r) * PANEL_WIDTH, left[r]);
            put_16(block + (i + r) * PANEL_WIDTH + 16, right[r]);
        }
    }
}

/* At least one, so that a layer without inputs has its dbias. */
static ulong blocks_across(ulong n, ulong block_columns)
{
    return n > 0 ? (n + block_columns - 1) / block_columns : 1;
}

/* Numbers of a row times f'(z). */
static void multiply_by_derivative(__global const storage *z, ulong width, float8 p, real *numbers)
{
    for (ulong q = 0; q < width; q++)
        numbers[q] = ACTIVATION_GRADIENT(LOAD(z, q), numbers[q], p);
}

/*
 * The part of c [m, n] = op(a) b whose block has this number, counted along the rows of blocks. 32 columns of
 * b at a time are copied together, 128 deep: read where they are, they lie too far apart for the cache.
 * Where z is there, each number of c goes times the derivative at its z.
 */
static void multiply_columns(product size, ulong number, ulong block_rows, ulong block_columns,
                             __global const storage *a, __global const storage *b, __global storage *c,
                             __global const storage *z, float8 p, real *panel, real *block)
{
    const ulong across = blocks_across(size.n, block_columns);
    const ulong row = number / across * block_rows, rows = min(block_rows, size.m - row);
    const ulong column = number % across * block_columns, end = min(column + block_columns, size.n);
    for (ulong j = column; j < end; j += PANEL_WIDTH) {
        const ulong width = min((ulong)PANEL_WIDTH, end - j);
        ulong done = 0;
        do { /* also where k is 0: that makes zeros */
            const ulong depth = min((ulong)PANEL_DEPTH, size.k - done);
            copy_panel(b + done * size.n + j, size.n, depth, width, panel);
            multiply_panel(size, rows, depth, done == 0, a + row * size.row_step + done * size.column_step,
                           panel, block);
            done += depth;
        } while (done < size.k);
        for (ulong i = 0; i < rows; i++) {
            const ulong at = (row + i) * size.n + j;
            if (z != 0)
                multiply_by_derivative(z + at, width, p, block + i * PANEL_WIDTH);
            for (ulong q = 0; q < width; q++)
                STORE(c, at + q, block[i * PANEL_WIDTH + q]);
        }
    }
}

/* dbias of some columns: the sums of dz over the rows. */
static void add_rows(ulong batch, ulong out, ulong column, ulong columns, __global const storage *dz,
                     __global storage *dbias)
{
    sum totals[BLOCK];
    for (ulong j = 0; j < columns; j++)
        totals[j].value = totals[j].error = 0;
    for (ulong i = 0; i < batch; i++)
        for (ulong j = 0; j < columns; j++)
            sum_add(&totals[j], LOAD(dz, i * out + column + j));
    for (ulong j = 0; j < columns; j++)
        STORE(dbias, column + j, sum_result(totals[j]));
}

/*
 * dweight = dz^T x, dbias = the sum of dz over the batch, dx = dz weight, and where below is there that times
 * f' of it. Work-items: one for each block of dweight, of which the first in every row
 * of blocks adds dbias up, then one for each block of dx, if that is wanted.
 */
#ifdef KERNEL_dense_tiles_backward
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void
dense_tiles_backward(ulong batch, ulong out, ulong in, ulong weight_blocks, ulong weight_block_rows,
                     ulong weight_block_columns, ulong x_block_rows, ulong x_block_columns,
                     __global const storage *x, ulong x_at, __global const storage *weight, ulong weight_at,
                     __global const storage *dz, ulong dz_at, __global storage *dweight, ulong dweight_at,
                     __global storage *dbias, ulong dbias_at, int has_bias, __global storage *dx, ulong dx_at,
                     __global const storage *below, ulong below_at, float8 p)
{
    real panel[PANEL_DEPTH * PANEL_WIDTH];
    real block[BLOCK * PANEL_WIDTH];
    const ulong number = get_group_id(0);
    if (number < weight_blocks) {
        const product size = {out, in, batch, 1, out};
        const ulong across = blocks_across(in, weight_block_columns);
        const ulong row = number / across * weight_block_rows;
        multiply_columns(size, number, weight_block_rows, weight_block_columns, dz + dz_at, x + x_at,
                         dweight + dweight_at, 0, p, panel, block);
        if (has_bias && number % across == 0)
            add_rows(batch, out, row, min(weight_block_rows, out - row), dz + dz_at, dbias + dbias_at);
    } else {
        const product size = {batch, in, out, out, 1};
        multiply_columns(size, number - weight_blocks, x_block_rows, x_block_columns, dz + dz_at,
                         weight + weight_at, dx + dx_at, below != 0 ? below + below_at : 0, p, panel, block);
    }
}
#endif
