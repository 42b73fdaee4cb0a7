#include "cl_backend.h"

#include <stdlib.h>
#include <string.h>

/*
 * CLBlast is tuned for GPUs; on a CPU a host BLAS is several times faster, where the device runs native
 * kernels and so shares the host's memory. CLGRAD_GEMM overrides the choice.
 */
clgrad_status clgrad_cl_choose_gemm(clgrad_cl_context *cl)
{
    bool can_run_blas = false;
#ifdef CLGRAD_HAVE_BLAS
    cl_device_exec_capabilities capabilities = 0;
    clGetDeviceInfo(cl->device, CL_DEVICE_EXECUTION_CAPABILITIES, sizeof capabilities, &capabilities, NULL);
    can_run_blas = capabilities & CL_EXEC_NATIVE_KERNEL;
    cl->gemm = can_run_blas && cl->is_cpu ? &clgrad_cl_blas : &clgrad_cl_clblast;
#else
    cl->gemm = &clgrad_cl_clblast;
#endif

    const char *wish = getenv("CLGRAD_GEMM");
    if (wish == NULL || wish[0] == '\0')
        return CLGRAD_STATUS_SUCCESS;
    if (strcmp(wish, "clblast") == 0) {
        cl->gemm = &clgrad_cl_clblast;
        return CLGRAD_STATUS_SUCCESS;
    }
    if (strcmp(wish, "blas") != 0)
        return clgrad_fail(&cl->base, CLGRAD_STATUS_INVALID_ARGUMENT,
                           "CLGRAD_GEMM is \"%s\", it must be clblast or blas", wish);
    if (!can_run_blas)
        return clgrad_fail(
            &cl->base, CLGRAD_STATUS_UNSUPPORTED,
            "CLGRAD_GEMM is blas, but %s runs no native kernels, or clgrad was built without a BLAS",
            cl->base.device.name);
#ifdef CLGRAD_HAVE_BLAS
    cl->gemm = &clgrad_cl_blas;
#endif
    return CLGRAD_STATUS_SUCCESS;
}

clgrad_status clgrad_cl_prepare_gemm(clgrad_cl_context *cl, const clgrad_cl_product *product)
{
    if (product->m == 0 || product->n == 0 || product->k == 0)
        return CLGRAD_STATUS_SUCCESS;
    return cl->gemm->prepare(cl, product);
}

clgrad_status clgrad_cl_gemm(clgrad_cl_context *cl, const clgrad_cl_product *product)
{
    if (product->m == 0 || product->n == 0)
        return CLGRAD_STATUS_SUCCESS;
    if (product->k == 0)
        return clgrad_cl_tensor_functions.fill(&cl->base, product->c, 0);
    return cl->gemm->multiply(cl, product);
}

void clgrad_cl_release_gemm(clgrad_cl_context *cl)
{
    if (cl->gemm != NULL && cl->gemm->release != NULL)
        cl->gemm->release(cl);
}
