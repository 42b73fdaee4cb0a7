#include "cl_backend.h"

#include <stdlib.h>
#include <string.h>

/* The host's BLAS, for devices that share the host's memory. */
static clgrad_status choose_blas(clgrad_cl_context *cl)
{
#ifdef CLGRAD_HAVE_BLAS
    cl_int error = CL_SUCCESS;
    cl_device_exec_capabilities capabilities = 0;
    clgrad_cl_ask(&error, cl->device, CL_DEVICE_EXECUTION_CAPABILITIES, sizeof capabilities, &capabilities);
    if (error != CL_SUCCESS)
        return clgrad_cl_fail(cl, error, "clGetDeviceInfo");
    if (!(capabilities & CL_EXEC_NATIVE_KERNEL))
        return clgrad_fail(&cl->base, CLGRAD_STATUS_UNSUPPORTED,
                           "CLGRAD_GEMM is blas, but %s (%s) runs no native kernels; CPU devices do",
                           cl->base.device.name, clgrad_device_type_name(cl->base.device.type));
    cl->gemm = &clgrad_cl_blas;
    return CLGRAD_STATUS_SUCCESS;
#else
    return clgrad_fail(
        &cl->base, CLGRAD_STATUS_UNSUPPORTED,
        "CLGRAD_GEMM is blas, but this clgrad was built without a BLAS (CLGRAD_BLAS=OFF, or no "
        "OpenBLAS was found)");
#endif
}

/* CLBlast's kernels have work-groups of 8 x 8 at least. */
enum { CLBLAST_GROUP = 64 };

/*
 * CLBlast is tuned for GPUs. On CPUs, and where work-groups are too small for it, dense layers multiply by
 * kernels of their own (dense_tiles.c). CLGRAD_GEMM overrides the choice.
 */
clgrad_status clgrad_cl_choose_gemm(clgrad_cl_context *cl)
{
    const char *wish = getenv("CLGRAD_GEMM");
    const bool by_default = wish == NULL || wish[0] == '\0';
    if (!by_default && strcmp(wish, "tiles") != 0 && strcmp(wish, "clblast") != 0 &&
        strcmp(wish, "blas") != 0)
        return clgrad_fail(&cl->base, CLGRAD_STATUS_INVALID_ARGUMENT,
                           "CLGRAD_GEMM is \"%s\", it must be tiles, clblast or blas", wish);

    cl->gemm = &clgrad_cl_clblast;
    const bool suits_clblast = !cl->is_cpu && cl->element_group >= CLBLAST_GROUP;
    cl->multiplies_in_tiles = by_default ? !suits_clblast : strcmp(wish, "tiles") == 0;
    return !by_default && strcmp(wish, "blas") == 0 ? choose_blas(cl) : CLGRAD_STATUS_SUCCESS;
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
