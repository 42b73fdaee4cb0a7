/*
 * Device specifications, and the environment that a context reads. An input is three lines: the
 * specification, CLGRAD_CACHE and CLGRAD_GEMM, each as if it were not there where it is "-".
 */
#include "fuzz.h"

#include <clgrad/clgrad.h>

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the headers promise to understand, written down once more. */
static regex_t is_specification, is_cache, is_gemm;

/* The environment's own memory: setenv would keep each value for ever. */
static char device[4096], cache[4096], gemm[4096];

static void compile(regex_t *expression, const char *text)
{
    FUZZ_CHECK(regcomp(expression, text, REG_EXTENDED | REG_NOSUB) == 0);
}

int LLVMFuzzerInitialize(int *argument_count, char ***arguments)
{
    (void)argument_count, (void)arguments;
    compile(&is_specification, "^(reference|opencl(:(gpu|cpu|accelerator|[0-9]+[.][0-9]+))?)$");
    compile(&is_cache, "^(off|/.*)?$");
    compile(&is_gemm, "^(tiles|clblast|blas)?$");
    return 0;
}

static bool fits(const regex_t *expression, const char *text)
{
    return regexec(expression, text, 0, NULL, 0) == 0;
}

/* Give a variable a value that may be cut; without one it goes. */
static void set(char entry[4096], const char *name, const char *value)
{
    if (strcmp(value, "-") == 0) {
        unsetenv(name);
        return;
    }
    snprintf(entry, 4096, "%s=%s", name, value);
    FUZZ_CHECK(putenv(entry) == 0);
}

static const char *value_of(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static void check_context(clgrad_status status, clgrad_context *context, const clgrad_message *message,
                          const char *specification)
{
    const bool understood = specification[0] == '\0' || fits(&is_specification, specification);
    const bool reference = strcmp(specification, "reference") == 0;
    const bool suits = fits(&is_cache, value_of("CLGRAD_CACHE")) && fits(&is_gemm, value_of("CLGRAD_GEMM"));
    FUZZ_CHECK((status == CLGRAD_STATUS_SUCCESS) == (context != NULL));
    if (context == NULL)
        FUZZ_CHECK(message->text[0] != '\0' && memchr(message->text, '\0', sizeof message->text) != NULL);
    if (!understood)
        FUZZ_CHECK(status == CLGRAD_STATUS_INVALID_ARGUMENT);
    else if (reference)
        FUZZ_CHECK(status == CLGRAD_STATUS_SUCCESS);
    else if (suits)
        FUZZ_CHECK(status == CLGRAD_STATUS_SUCCESS || status == CLGRAD_STATUS_DEVICE_NOT_FOUND ||
                   status == CLGRAD_STATUS_UNSUPPORTED);
    else
        FUZZ_CHECK(status == CLGRAD_STATUS_INVALID_ARGUMENT || status == CLGRAD_STATUS_DEVICE_NOT_FOUND);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_bytes rest = {data, size};
    char *specification = fuzz_line(&rest), *in_cache = fuzz_line(&rest), *by_gemm = fuzz_line(&rest);
    set(cache, "CLGRAD_CACHE", in_cache);
    set(gemm, "CLGRAD_GEMM", by_gemm);
    set(device, "CLGRAD_DEVICE", specification);

    /* The same as an argument and, where it is not too long, as CLGRAD_DEVICE. */
    for (int by_environment = 0; by_environment < 2; by_environment++) {
        const char *wish = by_environment ? value_of("CLGRAD_DEVICE") : specification;
        clgrad_context *context = (clgrad_context *)-1;
        clgrad_message message = {""};
        const clgrad_status status = clgrad_context_create(by_environment ? NULL : wish, &context, &message);
        if (by_environment || wish[0] != '\0')
            check_context(status, context, &message, wish);
        else
            FUZZ_CHECK(status == CLGRAD_STATUS_INVALID_ARGUMENT);
        clgrad_context_destroy(context);
    }
    free(specification);
    free(in_cache);
    free(by_gemm);
    return 0;
}
