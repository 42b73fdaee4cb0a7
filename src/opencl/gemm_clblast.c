#include "cl_backend.h"

#include <clblast_c.h>
#include <limits.h>

/* A matrix as CLBlast takes it, with its leading dimension. */
typedef struct operand {
    const char *name;
    clgrad_tensor tensor;
    size_t rows, leading;
} operand;

typedef struct arguments {
    CLBlastTranspose transpose_a, transpose_b;
    operand a, b, c;
} arguments;

static arguments make_arguments(const clgrad_cl_product *p)
{
    return (arguments){
        .transpose_a = p->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo,
        .transpose_b = p->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo,
        .a = {"first", p->a, p->transpose_a ? p->k : p->m, p->transpose_a ? p->m : p->k},
        .b = {"second", p->b, p->transpose_b ? p->n : p->k, p->transpose_b ? p->k : p->n},
        .c = {"result", p->c, p->m, p->n},
    };
}

/* CLBlast's codes are OpenCL's and, below -1000, some of its own. */
static clgrad_status fail(clgrad_cl_context *cl, CLBlastStatusCode code, const char *call)
{
    if (code == CLBlastOpenCLBuildProgramFailure)
        return clgrad_fail(&cl->base, CLGRAD_STATUS_BUILD_FAILED, "CLBlast's kernels do not build on %s (%s)",
                           cl->base.device.name, cl->base.device.driver);
    if ((int)code < -1000)
        return clgrad_fail(&cl->base, CLGRAD_STATUS_DEVICE_ERROR, "%s on %s failed: CLBlast's code %d", call,
                           cl->base.device.name, (int)code);
    return clgrad_cl_fail(cl, (cl_int)code, call);
}

/* Inside, CLBlast counts elements from the beginning of a buffer in 32 bits, and rounds sizes up to whole
 * tiles. */
static clgrad_status check_reach(clgrad_cl_context *cl, operand o)
{
    const size_t most = INT_MAX - 65536, end = o.tensor.offset + o.rows * o.leading;
    if (end <= most)
        return CLGRAD_STATUS_SUCCESS;
    return clgrad_fail(
        &cl->base, CLGRAD_STATUS_UNSUPPORTED,
        "the %s matrix of a product ends at element %zu of its buffer, CLBlast reaches %zu: give it a "
        "buffer of its own, or a smaller batch",
        o.name, end, most);
}

/*
 * CLBlast allocates a temporary on every call that needs one, unless it is given one: it gets the context's,
 * which only grows. One that it does not need, or that is larger, does no harm.
 */
static clgrad_status prepare(clgrad_cl_context *cl, const clgrad_cl_product *p)
{
    const arguments r = make_arguments(p);
    const operand operands[] = {r.a, r.b, r.c};
    for (int i = 0; i < 3; i++) {
        clgrad_status status = check_reach(cl, operands[i]);
        if (status != CLGRAD_STATUS_SUCCESS)
            return status;
    }
    size_t bytes = 0;
    CLBlastStatusCode code = CLBlastSGemmTempBufferSize(
        CLBlastLayoutRowMajor, r.transpose_a, r.transpose_b, p->m, p->n, p->k, p->a.offset, r.a.leading,
        p->b.offset, r.b.leading, p->c.offset, r.c.leading, &cl->queue, &bytes);
    return code == CLBlastSuccess ? clgrad_cl_reserve(cl, &cl->gemm_scratch, bytes)
                                  : fail(cl, code, "CLBlastSGemmTempBufferSize");
}

static clgrad_status multiply(clgrad_cl_context *cl, const clgrad_cl_product *p)
{
    const arguments r = make_arguments(p);
    cl->used_clblast = true;
    cl->base.counters.enqueues++;
    CLBlastStatusCode code = CLBlastSgemmWithTempBuffer(
        CLBlastLayoutRowMajor, r.transpose_a, r.transpose_b, p->m, p->n, p->k, 1.0f, clgrad_cl_memory(p->a),
        p->a.offset, r.a.leading, clgrad_cl_memory(p->b), p->b.offset, r.b.leading, 0.0f,
        clgrad_cl_memory(p->c), p->c.offset, r.c.leading, &cl->queue, NULL, cl->gemm_scratch.memory);
    return code == CLBlastSuccess ? CLGRAD_STATUS_SUCCESS : fail(cl, code, "CLBlastSgemmWithTempBuffer");
}

/*
 * CLBlast keeps its programs for the whole process, by context. They would keep a closed context alive, so
 * they go when one that has used them closes; others that use CLBlast build theirs again.
 */
static void release(clgrad_cl_context *cl)
{
    if (cl->used_clblast)
        CLBlastClearCache();
}

const clgrad_cl_gemm_provider clgrad_cl_clblast = {
    .prepare = prepare, .multiply = multiply, .release = release};
