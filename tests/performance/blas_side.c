/*
 * OpenBLAS called directly, in a process of its own so that its thread count is nobody else's:
 * blas/forward/<batch>x<out>x<in> is the product of a dense layer, blas/backward/... the two of its
 * gradients.
 */
#include "bench.h"

#include <cblas.h>
#include <stdlib.h>
#include <string.h>

typedef struct products {
    int batch, out, in;
    float *x, *weight, *z, *dweight, *dx; /* z is dz in the backward pass */
} products;

static const int thread_counts[] = {1, 2, 4, 8, 16};
static const char *const thread_names[] = {"threads=1", "threads=2", "threads=4", "threads=8", "threads=16"};

static bool forward(bench *b)
{
    const products *p = b->state;
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, p->batch, p->out, p->in, 1, p->x, p->in, p->weight,
                p->in, 0, p->z, p->out);
    return true;
}

static bool backward(bench *b)
{
    const products *p = b->state;
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, p->out, p->in, p->batch, 1, p->z, p->out, p->x,
                p->in, 0, p->dweight, p->in);
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, p->batch, p->in, p->out, 1, p->z, p->out,
                p->weight, p->in, 0, p->dx, p->in);
    return true;
}

static bool choose(bench *b, size_t variant)
{
    (void)b;
    openblas_set_num_threads(thread_counts[variant]);
    return true;
}

static void close_products(bench *b)
{
    const products *p = b->state;
    free(p->x), free(p->weight), free(p->z), free(p->dweight), free(p->dx);
}

static bool open_products(bench *b, char **words, size_t count)
{
    size_t sizes[3], rank;
    if (count != 2 || !bench_sizes(b, words[1], 'x', sizes, 3, &rank) || rank != 3)
        return bench_fail(b, "a case is blas/<direction>/<batch>x<out>x<in>");
    products *p = b->state = calloc(1, sizeof *p);
    if (p == NULL)
        return bench_fail(b, "the host is out of memory");
    b->close = close_products, b->choose = choose;
    b->repeat = strcmp(words[0], "forward") == 0 ? forward : backward;
    const int processors = openblas_get_num_procs();
    b->variant_count = 0;
    for (size_t i = 0; i < sizeof thread_counts / sizeof *thread_counts && thread_counts[i] <= processors;
         i++)
        b->variants[b->variant_count++] = thread_names[i];

    const size_t batch = sizes[0], out = sizes[1], in = sizes[2];
    p->batch = (int)batch, p->out = (int)out, p->in = (int)in;
    p->x = bench_numbers((bench_range){1, -1, 1}, batch * in);
    p->weight = bench_numbers((bench_range){2, -1, 1}, out * in);
    p->z = bench_numbers((bench_range){4, -1, 1}, batch * out);
    p->dweight = bench_numbers((bench_range){0, 0, 0}, out * in);
    p->dx = bench_numbers((bench_range){0, 0, 0}, batch * in);
    return (p->x != NULL && p->weight != NULL && p->z != NULL && p->dweight != NULL && p->dx != NULL) ||
           bench_fail(b, "the host is out of memory");
}

int main(void)
{
    static const bench_group groups[] = {{"blas", open_products}, {NULL, NULL}};
    bench b = {.groups = groups, .device = openblas_get_config()};
    return bench_serve(&b);
}
