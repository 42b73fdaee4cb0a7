#include "opencl.h"

#include <stdlib.h>
#include <string.h>

/*
 * CLBlast is tuned for GPUs; on a CPU a host BLAS is several times faster, where the device runs native
 * kernels and so shares the host's memory. CLGRAD_GEMM=clblast or blas overrides the choice.
 */
clgrad_cl_gemm_function clgrad_cl_choose_gemm(const clgrad_cl_context *cl)
{
#ifdef CLGRAD_HAVE_BLAS
    cl_device_exec_capabilities capabilities = 0;
    clGetDeviceInfo(cl->device, CL_DEVICE_EXECUTION_CAPABILITIES, sizeof capabilities, &capabilities, NULL);
    const bool can_run_blas = capabilities & CL_EXEC_NATIVE_KERNEL;
    const char *wish = getenv("CLGRAD_GEMM");
    if (can_run_blas && wish != NULL && strcmp(wish, "blas") == 0)
        return clgrad_cl_gemm_blas;
    if (can_run_blas && cl->is_cpu && (wish == NULL || strcmp(wish, "clblast") != 0))
        return clgrad_cl_gemm_blas;
#else
    (void)cl;
#endif
    return clgrad_cl_gemm_clblast;
}

clgrad_status clgrad_cl_gemm(clgrad_cl_context *cl, const clgrad_cl_product *product)
{
    if (product->m == 0 || product->n == 0)
        return CLGRAD_STATUS_SUCCESS;
    if (product->k == 0)
        return clgrad_cl_tensor_functions.fill(&cl->base, product->c, 0);
    return cl->gemm(cl, product);
}

void clgrad_cl_release_gemm(const clgrad_cl_context *cl)
{
    if (cl->gemm == clgrad_cl_gemm_clblast)
        clgrad_cl_clear_clblast();
}
