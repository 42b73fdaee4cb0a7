/*
 * Dense layers on CPU devices, by kernels that multiply themselves. A BLAS has threads of its own: they stay
 * awake for a while after each product and take the cores away from the device's, which had to be woken, too;
 * a training step spends more time on that than on its products, unless they are very large
 * (docs/performance.md). And what is fused with a product is not enqueued, and finds its numbers in the
 * cache.
 */
#include "cl_backend.h"

/* The most rows and columns of a block, as in kernels/dense_tiles.cl. */
enum { BLOCK = 64 };

/* A block of a result, of whole tiles. */
typedef struct block {
    size_t rows, columns;
} block;

/*
 * So small that every compute unit gets several, since they do not start at the same time; but no smaller
 * than is worth a group.
 */
static block choose_block(const clgrad_cl_context *cl, size_t m, size_t n, size_t k)
{
    const size_t wanted = 16 * cl->compute_units, worthwhile = (size_t)1 << 18;
    block b = {BLOCK, BLOCK};
    while (clgrad_cl_cover(m, b.rows) * clgrad_cl_cover(n, b.columns) < wanted &&
           b.rows * b.columns / 2 * k >= worthwhile && (b.rows > 16 || b.columns > 32)) {
        if (b.rows >= b.columns || b.columns == 32)
            b.rows /= 2;
        else
            b.columns /= 2;
    }
    return b;
}

/* As in the kernels: without columns still one, which has a bias. */
static size_t count_blocks(block b, size_t m, size_t n)
{
    return clgrad_cl_cover(m, b.rows) * clgrad_cl_cover(n > 0 ? n : 1, b.columns);
}

clgrad_status clgrad_cl_dense_tiles_forward(clgrad_context *context, const clgrad_activation *activation,
                                            clgrad_tensor x, clgrad_tensor weight, clgrad_tensor bias,
                                            clgrad_tensor z, clgrad_tensor h)
{
    const size_t batch = x.shape[0], in = x.shape[1], out = weight.shape[0];
    const block b = choose_block(clgrad_cl(context), batch, out, in);
    clgrad_cl_launch launch =
        clgrad_cl_begin_activation(context, CLGRAD_CL_DENSE_TILES, activation, "dense_tiles_forward");
    clgrad_cl_give_count(&launch, batch);
    clgrad_cl_give_count(&launch, out);
    clgrad_cl_give_count(&launch, in);
    clgrad_cl_give_count(&launch, b.rows);
    clgrad_cl_give_count(&launch, b.columns);
    clgrad_cl_give_tensor(&launch, x);
    clgrad_cl_give_tensor(&launch, weight);
    clgrad_cl_give_tensor(&launch, bias);
    clgrad_cl_give_int(&launch, clgrad_present(bias));
    clgrad_cl_give_tensor(&launch, z);
    clgrad_cl_give_tensor(&launch, h);
    clgrad_cl_give_activation(&launch, activation);
    clgrad_cl_over_single_items(&launch, clgrad_cl_cover(out, b.columns), clgrad_cl_cover(batch, b.rows));
    return clgrad_cl_enqueue(&launch, 1);
}

/*
 * dz, unless it is there, then everything that is made of it. The derivative below is that of the activation
 * which the program is built for: the layer's own has no part in the products.
 */
clgrad_status clgrad_cl_dense_tiles_backward(clgrad_context *context, const clgrad_activation *activation,
                                             clgrad_tensor x, clgrad_tensor weight, clgrad_tensor z,
                                             clgrad_tensor dh, clgrad_tensor dz, clgrad_tensor dweight,
                                             clgrad_tensor dbias, clgrad_tensor dx, clgrad_dense_chain chain)
{
    const size_t batch = x.shape[0], in = x.shape[1], out = weight.shape[0];
    const block of_weight = choose_block(clgrad_cl(context), out, in, batch);
    const block of_x = choose_block(clgrad_cl(context), batch, in, out);
    const size_t weight_blocks = count_blocks(of_weight, out, in);
    const size_t x_blocks = clgrad_present(dx) ? count_blocks(of_x, batch, in) : 0;

    clgrad_cl_launch launches[2];
    size_t count = 0;
    if (!chain.given_dz)
        launches[count++] =
            clgrad_cl_prepare_activation_backward(context, CLGRAD_CL_DENSE_TILES, activation, z, dh, dz);
    clgrad_cl_launch *products = &launches[count++];
    const clgrad_activation *built_for = chain.below != NULL ? chain.below : activation;
    *products = clgrad_cl_begin_activation(context, CLGRAD_CL_DENSE_TILES, built_for, "dense_tiles_backward");
    clgrad_cl_give_count(products, batch);
    clgrad_cl_give_count(products, out);
    clgrad_cl_give_count(products, in);
    clgrad_cl_give_count(products, weight_blocks);
    clgrad_cl_give_count(products, of_weight.rows);
    clgrad_cl_give_count(products, of_weight.columns);
    clgrad_cl_give_count(products, of_x.rows);
    clgrad_cl_give_count(products, of_x.columns);
    clgrad_cl_give_tensor(products, x);
    clgrad_cl_give_tensor(products, weight);
    clgrad_cl_give_tensor(products, dz);
    clgrad_cl_give_tensor(products, dweight);
    clgrad_cl_give_tensor(products, dbias);
    clgrad_cl_give_int(products, clgrad_present(dbias));
    clgrad_cl_give_tensor(products, dx);
    clgrad_cl_give_tensor(products, chain.below_z);
    clgrad_cl_give_activation(products, built_for);
    clgrad_cl_over_single_items(products, weight_blocks + x_blocks, 1);

    return clgrad_cl_enqueue(launches, count);
}
