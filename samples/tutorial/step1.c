#include <clgrad/clgrad.h>

#include <stdio.h>

int main(void)
{
    clgrad_context *context;
    clgrad_message message;
    if (clgrad_context_create(NULL, &context, &message) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s\n", message.text);
        return 1;
    }
    const clgrad_device *device = clgrad_context_device(context);
    printf("device: %s (%s)\n", device->name, clgrad_device_type_name(device->type));

    clgrad_context_destroy(context);
    return 0;
}
