#include "opencl.h"

#include <clblast_c.h>

/*
 * CLBlast allocates a temporary on every call that needs one, unless it is given one: it gets the context's,
 * which only grows.
 */
clgrad_status clgrad_cl_gemm_clblast(clgrad_cl_context *cl, const clgrad_cl_product *p)
{
    const CLBlastTranspose transpose_a = p->transpose_a ? CLBlastTransposeYes : CLBlastTransposeNo;
    const CLBlastTranspose transpose_b = p->transpose_b ? CLBlastTransposeYes : CLBlastTransposeNo;
    const size_t lda = p->transpose_a ? p->m : p->k, ldb = p->transpose_b ? p->k : p->n, ldc = p->n;

    size_t bytes = 0;
    CLBlastStatusCode code =
        CLBlastSGemmTempBufferSize(CLBlastLayoutRowMajor, transpose_a, transpose_b, p->m, p->n, p->k,
                                   p->a.offset, lda, p->b.offset, ldb, p->c.offset, ldc, &cl->queue, &bytes);
    if (code != CLBlastSuccess)
        return clgrad_cl_fail(cl, (cl_int)code, "CLBlastSGemmTempBufferSize");
    clgrad_status status = clgrad_cl_reserve(cl, &cl->gemm_scratch, bytes);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    code = CLBlastSgemmWithTempBuffer(CLBlastLayoutRowMajor, transpose_a, transpose_b, p->m, p->n, p->k, 1.0f,
                                      clgrad_cl_memory(p->a), p->a.offset, lda, clgrad_cl_memory(p->b),
                                      p->b.offset, ldb, 0.0f, clgrad_cl_memory(p->c), p->c.offset, ldc,
                                      &cl->queue, NULL, bytes > 0 ? cl->gemm_scratch.memory : NULL);
    return code == CLBlastSuccess ? CLGRAD_STATUS_SUCCESS
                                  : clgrad_cl_fail(cl, (cl_int)code, "CLBlastSgemmWithTempBuffer");
}

/*
 * CLBlast keeps its programs for the whole process, by context. They would keep a closed context alive, so
 * they go when one closes; others that use CLBlast build theirs again.
 */
void clgrad_cl_clear_clblast(void)
{
    CLBlastClearCache();
}
