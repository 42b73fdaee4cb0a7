/* The devices of this machine, and how a program may choose among them. */
#include <clgrad/clgrad.h>

#include <stdio.h>
#include <stdlib.h>

int main(void)
{
    // [list]
    clgrad_device devices[16];
    size_t count;
    if (clgrad_device_list(devices, 16, &count) != CLGRAD_STATUS_SUCCESS)
        return 1;
    for (size_t i = 0; i < count && i < 16; i++)
        printf("%s: %s, %s, %.1f GB\n", devices[i].specification, devices[i].name,
               clgrad_device_type_name(devices[i].type), (double)devices[i].memory / 1e9);
    // [list end]

    // [choose]
    /* A GPU with 2 GB at least; else what clgrad takes for the best. CLGRAD_DEVICE goes before both. */
    const char *wanted = NULL;
    for (size_t i = 0; i < count && i < 16 && wanted == NULL && getenv("CLGRAD_DEVICE") == NULL; i++)
        if (devices[i].type == CLGRAD_DEVICE_GPU && devices[i].memory >= 2000000000)
            wanted = devices[i].specification;
    clgrad_context *context;
    clgrad_message message;
    if (clgrad_context_create(wanted, &context, &message) != CLGRAD_STATUS_SUCCESS) {
        printf("%s\n", message.text);
        if (clgrad_context_create("reference", &context, &message) != CLGRAD_STATUS_SUCCESS)
            return 1;
    }
    printf("using %s\n", clgrad_context_device(context)->name);
    // [choose end]
    clgrad_context_destroy(context);
    return 0;
}
