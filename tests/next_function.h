/*
 * For what stands between a program and OpenCL's loader (faults_opencl.c, limits_layer.c, oclgrind_layer.c):
 * the function that would be called otherwise, the next one of that name. A file that includes this begins
 * with _GNU_SOURCE, for RTLD_NEXT.
 */
#ifndef NEXT_FUNCTION_H
#define NEXT_FUNCTION_H

#include <dlfcn.h>
#include <string.h>

/* ISO C has no way from an address to a function but by its bytes. */
static inline void find_next(const char *name, void *function)
{
    void *address = dlsym(RTLD_NEXT, name);
    memcpy(function, &address, sizeof address);
}

/* Declares the function as real, and finds it at the first call. */
#define REAL(result, name, parameters)           \
    static result(CL_API_CALL *real) parameters; \
    if (real == NULL)                            \
    find_next(#name, &real)

#endif
