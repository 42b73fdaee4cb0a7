/*
 * The error of every activation and derivative over the finite float32 inputs, as a table for
 * docs/numerics.md. With a stride of 1 these are all 2^32 bit patterns, which takes minutes a function; the
 * tests run a coarse sweep of their own.
 *
 *     sweep_activation [--device SPECIFICATION] [--stride N] [--parameters V,V,...] NAME ... | --all
 *
 * --parameters gives the values of the one function that is named, in the order of its row; without it they
 * are the defaults. The derivative's error is counted in units of the larger of itself and the list's
 * backward_floor. Exit status 0 only if every bound of the list holds.
 */
#include "activation_oracle.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)1 << 20)

typedef struct worst {
    double ulp;
    float x;
} worst;

typedef struct sweep_state {
    clgrad_context *context;
    bool flushes;
    uint64_t stride;
    clgrad_tensor x, y, ones;
    float inputs[CHUNK], outputs[CHUNK];
} sweep_state;

static void stop_on(clgrad_context *context, clgrad_status status)
{
    if (status == CLGRAD_STATUS_SUCCESS)
        return;
    fprintf(stderr, "sweep_activation: %s\n", clgrad_context_error(context));
    exit(2);
}

/* A device that flushes denormals may give 0 for one, and take one for 0: those inputs are left out. */
static bool is_input(const sweep_state *s, float x)
{
    return isfinite(x) && !(s->flushes && x != 0 && fabsf(x) < FLT_MIN);
}

static void compare(const sweep_state *s, const variant *v, size_t count, bool backward, worst *found)
{
    for (size_t i = 0; i < count; i++) {
        const double x = s->inputs[i];
        const double exact = backward ? clgrad_ref_activate_derivative(&v->activation, x)
                                      : clgrad_ref_activate(&v->activation, x);
        if (s->flushes && s->outputs[i] == 0 && fabs(exact) < (double)FLT_MIN)
            continue;
        /* Most are seen to be no worse than the worst so far without its exact unit, which is at least this.
         */
        if (fabs(s->outputs[i] - exact) <= found->ulp * fabs(exact) * 0x1p-24)
            continue;
        const double error = floored_distance(s->outputs[i], exact, backward ? v->info->backward_floor : 0);
        if (!(error <= found->ulp)) {
            found->ulp = error;
            found->x = s->inputs[i];
        }
    }
}

static worst run(sweep_state *s, const variant *v, bool backward)
{
    worst found = {0, 0};
    for (uint64_t pattern = 0; pattern <= UINT32_MAX;) {
        size_t count = 0;
        for (; count < CHUNK && pattern <= UINT32_MAX; pattern += s->stride) {
            const uint32_t bits = (uint32_t)pattern;
            memcpy(&s->inputs[count], &bits, sizeof bits);
            if (is_input(s, s->inputs[count]))
                count++;
        }
        clgrad_tensor x = clgrad_tensor_rows(s->x, 0, count), y = clgrad_tensor_rows(s->y, 0, count);
        clgrad_tensor ones = clgrad_tensor_rows(s->ones, 0, count);
        stop_on(s->context, clgrad_tensor_write(s->context, x, s->inputs, count * sizeof(float)));
        stop_on(s->context, backward ? clgrad_activation_backward(s->context, &v->activation, x, ones, y)
                                     : clgrad_activation_forward(s->context, &v->activation, x, y));
        stop_on(s->context, clgrad_tensor_read(s->context, y, s->outputs, count * sizeof(float)));
        compare(s, v, count, backward, &found);
    }
    return found;
}

static bool report(sweep_state *s, const variant *v, bool backward)
{
    const double bound = backward ? v->info->backward_ulp : v->info->forward_ulp;
    const worst w = run(s, v, backward);
    printf("| %s | %s | %.3f | %a (%.9g) | %g | %s |\n", v->name, backward ? "derivative" : "forward", w.ulp,
           (double)w.x, (double)w.x, bound, w.ulp <= bound ? "holds" : "BROKEN");
    fflush(stdout);
    return w.ulp <= bound;
}

static bool report_both(sweep_state *s, clgrad_activation activation)
{
    const variant v = make_variant(activation);
    const bool forward_holds = report(s, &v, false);
    return report(s, &v, true) && forward_holds;
}

static void open_device(sweep_state *s, const char *device)
{
    clgrad_message message;
    if (clgrad_context_create(device, &s->context, &message) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "sweep_activation: %s\n", message.text);
        exit(2);
    }
    s->flushes = !keeps_denormals(s->context);
    const size_t chunk = CHUNK;
    clgrad_tensor *tensors[] = {&s->x, &s->y, &s->ones};
    for (size_t i = 0; i < COUNT(tensors); i++)
        stop_on(s->context, clgrad_tensor_create(s->context, CLGRAD_TYPE_FLOAT32, 1, &chunk, tensors[i]));
    stop_on(s->context, clgrad_tensor_fill(s->context, s->ones, 1));
}

static void usage(void)
{
    fprintf(stderr, "usage: sweep_activation [--device SPECIFICATION] [--stride N] [--parameters V,V,...] "
                    "NAME ... | --all\n");
    exit(2);
}

/* The defaults, or the values of "0.5,20"; as many as the row has parameters, each in its interval. */
static clgrad_activation read_activation(const char *name, const char *values)
{
    clgrad_activation_kind kind;
    if (!clgrad_activation_parse(name, &kind))
        usage();
    clgrad_activation activation = clgrad_activation_defaults(kind);
    const clgrad_parameter *parameter = clgrad_activation_describe(kind)->parameters;
    while (values != NULL) {
        char *end;
        const float value = strtof(values, &end);
        if (parameter->name == NULL || end == values || (*end != ',' && *end != '\0') ||
            !clgrad_parameter_set(parameter++, &activation, value))
            usage();
        values = *end == ',' ? end + 1 : NULL;
    }
    return activation;
}

typedef struct options {
    const char *device, *values;
    uint64_t stride;
    bool all;
    char **names;
    int count;
} options;

static options read_options(int argc, char **argv)
{
    options o = {.stride = 1};
    int i = 1;
    for (; i < argc && argv[i][0] == '-'; i++) {
        if (strcmp(argv[i], "--all") == 0)
            o.all = true;
        else if (i + 1 == argc)
            usage();
        else if (strcmp(argv[i], "--device") == 0)
            o.device = argv[++i];
        else if (strcmp(argv[i], "--stride") == 0)
            o.stride = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--parameters") == 0)
            o.values = argv[++i];
        else
            usage();
    }
    o.names = argv + i;
    o.count = argc - i;
    if (o.stride == 0 || o.all == (o.count > 0) || (o.values != NULL && o.count != 1))
        usage();
    return o;
}

int main(int argc, char **argv)
{
    const options o = read_options(argc, argv);
    clgrad_activation chosen[CLGRAD_ACTIVATION_COUNT];
    if (o.count > CLGRAD_ACTIVATION_COUNT)
        usage();
    const int count = o.all ? CLGRAD_ACTIVATION_COUNT : o.count;
    for (int i = 0; i < count; i++)
        chosen[i] = o.all ? clgrad_activation_defaults((clgrad_activation_kind)i)
                          : read_activation(o.names[i], o.values);

    sweep_state *s = allocate(1, sizeof *s);
    s->stride = o.stride;
    open_device(s, o.device);
    const clgrad_device *opened = clgrad_context_device(s->context);
    printf("%s (%s), every %llu. bit pattern\n\n", opened->name, opened->driver,
           (unsigned long long)o.stride);
    printf("| function | | largest error (ulp) | at x | bound (ulp) | |\n| --- | --- | --- | --- | --- | --- "
           "|\n");
    bool holds = true;
    for (int i = 0; i < count; i++)
        holds &= report_both(s, chosen[i]);

    clgrad_tensor tensors[] = {s->x, s->y, s->ones};
    for (size_t i = 0; i < COUNT(tensors); i++)
        clgrad_buffer_destroy(tensors[i].buffer);
    clgrad_context_destroy(s->context);
    free(s);
    return holds ? 0 : 1;
}
