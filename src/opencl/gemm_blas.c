#include "cl_backend.h"

#include <cblas.h>
#include <limits.h>

/*
 * PoCL 3.1 sorts the memories of a native kernel before it hands out their addresses, so that of two or more
 * each may get another's. So all but the last memory of a product are asked for one by one, by commands that
 * note the address in the context; the queue is in order, so the product finds them there. The product itself
 * still names all of its memories, which keeps them alive, and takes for the last one the address that has
 * not been noted.
 */
typedef struct note {
    void **slot;
    void *address; /* the driver's */
} note;

static void CL_CALLBACK take_note(void *argument)
{
    const note *n = argument;
    *n->slot = n->address;
}

/* A matrix: which of the product's memories it lies in, from which element on, and its leading dimension. */
typedef struct matrix {
    size_t memory, offset;
    int leading;
} matrix;

typedef struct job {
    enum CBLAS_TRANSPOSE transpose_a, transpose_b;
    int m, n, k;
    matrix a, b, c;
    size_t memory_count;
    void *const *noted; /* the addresses of all memories but the last */
    void *addresses[3]; /* the driver's: of all memories, in any order */
} job;

static void *last_address(const job *j)
{
    for (size_t i = 0; i < j->memory_count; i++) {
        bool is_noted = false;
        for (size_t k = 0; k + 1 < j->memory_count; k++)
            is_noted |= j->addresses[i] == j->noted[k];
        if (!is_noted)
            return j->addresses[i];
    }
    return NULL;
}

static float *locate(const job *j, matrix m)
{
    void *address = m.memory + 1 < j->memory_count ? j->noted[m.memory] : last_address(j);
    return (float *)address + m.offset;
}

static void CL_CALLBACK run(void *argument)
{
    const job *j = argument;
    cblas_sgemm(CblasRowMajor, j->transpose_a, j->transpose_b, j->m, j->n, j->k, 1.0f, locate(j, j->a),
                j->a.leading, locate(j, j->b), j->b.leading, 0.0f, locate(j, j->c), j->c.leading);
}

/* The memories of a product, each once. */
typedef struct memory_list {
    cl_mem memories[3];
    cl_uint count;
} memory_list;

/* A caller's sub-buffer counts as its parent: PoCL 3.1 hands out the parent's address for it. */
static matrix add_matrix(memory_list *list, clgrad_tensor tensor, size_t leading)
{
    const cl_mem memory = tensor.buffer->root;
    cl_uint i = 0;
    while (i < list->count && list->memories[i] != memory)
        i++;
    list->memories[i] = memory;
    list->count = i == list->count ? i + 1 : list->count;
    return (matrix){i, tensor.offset + tensor.buffer->origin / sizeof(cl_float), (int)leading};
}

static clgrad_status prepare(clgrad_cl_context *cl, const clgrad_cl_product *p)
{
    if (p->m <= INT_MAX && p->n <= INT_MAX && p->k <= INT_MAX)
        return CLGRAD_STATUS_SUCCESS;
    return clgrad_fail(
        &cl->base, CLGRAD_STATUS_UNSUPPORTED,
        "a matrix product of %zu x %zu x %zu is too large for the host's BLAS, which counts to %d", p->m,
        p->n, p->k, INT_MAX);
}

static clgrad_status multiply(clgrad_cl_context *cl, const clgrad_cl_product *p)
{
    memory_list list = {0};
    job j = {
        .transpose_a = p->transpose_a ? CblasTrans : CblasNoTrans,
        .transpose_b = p->transpose_b ? CblasTrans : CblasNoTrans,
        .m = (int)p->m,
        .n = (int)p->n,
        .k = (int)p->k,
    };
    j.a = add_matrix(&list, p->a, p->transpose_a ? p->m : p->k);
    j.b = add_matrix(&list, p->b, p->transpose_b ? p->k : p->n);
    j.c = add_matrix(&list, p->c, p->n);
    j.memory_count = list.count;
    j.noted = cl->noted_addresses;

    cl_int error = CL_SUCCESS;
    for (size_t i = 0; i + 1 < j.memory_count && error == CL_SUCCESS; i++) {
        note n = {.slot = &cl->noted_addresses[i]};
        const void *place = &n.address;
        cl->base.counters.enqueues++;
        error = clEnqueueNativeKernel(cl->queue, take_note, &n, sizeof n, 1, &list.memories[i], &place, 0,
                                      NULL, NULL);
    }
    cl->base.counters.enqueues++;
    const void *places[] = {&j.addresses[0], &j.addresses[1], &j.addresses[2]};
    if (error == CL_SUCCESS)
        error = clEnqueueNativeKernel(cl->queue, run, &j, sizeof j, list.count, list.memories, places, 0,
                                      NULL, NULL);
    return error == CL_SUCCESS ? CLGRAD_STATUS_SUCCESS : clgrad_cl_fail(cl, error, "clEnqueueNativeKernel");
}

const clgrad_cl_gemm_provider clgrad_cl_blas = {.prepare = prepare, .multiply = multiply};
