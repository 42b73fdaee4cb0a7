/* The side of the benchmark that is clgrad: clgrad_side [specification], the protocol is in bench.h. */
#include "bench.h"

#include <stdio.h>
#include <stdlib.h>

static const bench_group groups[] = {
    {"copy", bench_open_copy},
    {"elementwise", bench_open_elementwise},
    {"loss", bench_open_loss},
    {"dense", bench_open_dense},
    {"optimizer", bench_open_optimizer},
    {"step", bench_open_step},
    {NULL, NULL},
};

int main(int argc, char **argv)
{
    clgrad_message message;
    clgrad_context *context;
    if (clgrad_context_create(argc > 1 ? argv[1] : NULL, &context, &message) != CLGRAD_STATUS_SUCCESS) {
        printf("failed %s\n", message.text);
        return EXIT_FAILURE;
    }
    char device[2 * sizeof(clgrad_device)];
    const clgrad_device *d = clgrad_context_device(context);
    snprintf(device, sizeof device, "%s; %s; %s", clgrad_device_type_name(d->type), d->name, d->driver);

    bench b = {.groups = groups, .context = context, .device = device};
    const int status = bench_serve(&b);
    clgrad_context_destroy(context);
    return status;
}
