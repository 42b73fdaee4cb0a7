#include "cl_backend.h"

#include <stdlib.h>
#include <string.h>

/*
 * CLBlast is tuned for GPUs. On CPUs dense layers have kernels of their own (dense_tiles.c). CLGRAD_GEMM
 * overrides the choice; blas is a host BLAS, for devices that share the host's memory.
 */
clgrad_status clgrad_cl_choose_gemm(clgrad_cl_context *cl)
{
    const char *wish = getenv("CLGRAD_GEMM");
    cl->gemm = &clgrad_cl_clblast;
    cl->dense_in_tiles = cl->is_cpu;
    if (wish == NULL || wish[0] == '\0')
        return CLGRAD_STATUS_SUCCESS;
    cl->dense_in_tiles = strcmp(wish, "tiles") == 0;
    if (cl->dense_in_tiles || strcmp(wish, "clblast") == 0)
        return CLGRAD_STATUS_SUCCESS;
    if (strcmp(wish, "blas") != 0)
        return clgrad_fail(&cl->base, CLGRAD_STATUS_INVALID_ARGUMENT,
                           "CLGRAD_GEMM is \"%s\", it must be tiles, clblast or blas", wish);
#ifdef CLGRAD_HAVE_BLAS
    cl_device_exec_capabilities capabilities = 0;
    clGetDeviceInfo(cl->device, CL_DEVICE_EXECUTION_CAPABILITIES, sizeof capabilities, &capabilities, NULL);
    if (capabilities & CL_EXEC_NATIVE_KERNEL) {
        cl->gemm = &clgrad_cl_blas;
        return CLGRAD_STATUS_SUCCESS;
    }
#endif
    return clgrad_fail(
        &cl->base, CLGRAD_STATUS_UNSUPPORTED,
        "CLGRAD_GEMM is blas, but %s runs no native kernels, or clgrad was built without a BLAS",
        cl->base.device.name);
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
