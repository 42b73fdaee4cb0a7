/*
 * The error of every activation and derivative over float32 inputs, as a table for docs/numerics.md. With a
 * stride of 1 these are all 2^32 bit patterns, which takes minutes a function; the tests run a coarse sweep
 * of their own.
 *
 *     sweep_activation [--device SPECIFICATION] [--stride N] [NAME ...]
 *
 * Exit status 0 only if every bound of the list holds.
 */
#include "harness.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference/reference.h"

#define CHUNK ((size_t)1 << 20)

typedef struct worst {
    double ulp;
    float x;
} worst;

typedef struct sweep {
    clgrad_context *context;
    clgrad_activation activation;
    clgrad_tensor x, y, ones;
    float inputs[CHUNK], outputs[CHUNK];
} sweep;

static void stop_on(clgrad_context *context, clgrad_status status)
{
    if (status == CLGRAD_STATUS_SUCCESS)
        return;
    fprintf(stderr, "sweep_activation: %s\n", clgrad_context_error(context));
    exit(2);
}

/* A denormal result may be flushed where the device does that; then the error counts from the smallest
 * normal. */
static void compare(const sweep *s, size_t count, bool backward, worst *found)
{
    for (size_t i = 0; i < count; i++) {
        const double x = s->inputs[i];
        const double exact = backward ? clgrad_ref_activate_derivative(&s->activation, x)
                                      : clgrad_ref_activate(&s->activation, x);
        const double ulp = ulp_distance(s->outputs[i], exact);
        if (!(ulp <= found->ulp)) {
            found->ulp = ulp;
            found->x = s->inputs[i];
        }
    }
}

static worst run(sweep *s, uint64_t stride, bool backward)
{
    worst found = {0, 0};
    for (uint64_t pattern = 0; pattern <= UINT32_MAX;) {
        size_t count = 0;
        for (; count < CHUNK && pattern <= UINT32_MAX; pattern += stride) {
            const uint32_t bits = (uint32_t)pattern;
            memcpy(&s->inputs[count], &bits, sizeof bits);
            if (isfinite(s->inputs[count]))
                count++;
        }
        clgrad_tensor x = clgrad_tensor_rows(s->x, 0, count), y = clgrad_tensor_rows(s->y, 0, count);
        clgrad_tensor ones = clgrad_tensor_rows(s->ones, 0, count);
        stop_on(s->context, clgrad_tensor_write(s->context, x, s->inputs, count * sizeof(float)));
        stop_on(s->context, backward ? clgrad_activation_backward(s->context, &s->activation, x, ones, y)
                                     : clgrad_activation_forward(s->context, &s->activation, x, y));
        stop_on(s->context, clgrad_tensor_read(s->context, y, s->outputs, count * sizeof(float)));
        compare(s, count, backward, &found);
    }
    return found;
}

static bool report(sweep *s, uint64_t stride, bool backward)
{
    const clgrad_activation_info *info = clgrad_activation_describe(s->activation.kind);
    const double bound = backward ? info->backward_ulp : info->forward_ulp;
    const worst w = run(s, stride, backward);
    printf("| %s | %s | %.3f | %a | %g | %s |\n", info->name, backward ? "derivative" : "forward", w.ulp,
           (double)w.x, bound, w.ulp <= bound ? "holds" : "BROKEN");
    fflush(stdout);
    return w.ulp <= bound;
}

static bool is_wanted(const char *name, char **names, int count)
{
    for (int i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return count == 0;
}

int main(int argc, char **argv)
{
    const char *device = NULL;
    uint64_t stride = 1;
    int first = 1;
    for (; first + 1 < argc && argv[first][0] == '-'; first += 2) {
        if (strcmp(argv[first], "--device") == 0)
            device = argv[first + 1];
        else if (strcmp(argv[first], "--stride") == 0)
            stride = strtoull(argv[first + 1], NULL, 10);
    }
    sweep *s = calloc(1, sizeof *s);
    clgrad_message message;
    if (s == NULL || stride == 0 ||
        clgrad_context_create(device, &s->context, &message) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "sweep_activation: %s\n", s != NULL && stride > 0 ? message.text : "bad arguments");
        free(s);
        return 2;
    }
    const size_t chunk = CHUNK;
    clgrad_tensor *tensors[] = {&s->x, &s->y, &s->ones};
    for (size_t i = 0; i < COUNT(tensors); i++)
        stop_on(s->context, clgrad_tensor_create(s->context, CLGRAD_TYPE_FLOAT32, 1, &chunk, tensors[i]));
    stop_on(s->context, clgrad_tensor_fill(s->context, s->ones, 1));

    const clgrad_device *opened = clgrad_context_device(s->context);
    printf("%s (%s), every %llu. bit pattern\n\n", opened->name, opened->driver, (unsigned long long)stride);
    printf("| function | | largest error (ulp) | at x | bound (ulp) | |\n| --- | --- | --- | --- | --- | --- "
           "|\n");
    bool holds = true;
    for (int kind = 0; kind < CLGRAD_ACTIVATION_COUNT; kind++) {
        s->activation = clgrad_activation_defaults((clgrad_activation_kind)kind);
        if (!is_wanted(clgrad_activation_describe(s->activation.kind)->name, argv + first, argc - first))
            continue;
        holds &= report(s, stride, false);
        holds &= report(s, stride, true);
    }
    for (size_t i = 0; i < COUNT(tensors); i++)
        clgrad_buffer_destroy(tensors[i]->buffer);
    clgrad_context_destroy(s->context);
    free(s);
    return holds ? 0 : 1;
}
