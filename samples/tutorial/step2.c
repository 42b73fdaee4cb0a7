// [must]
#include <clgrad/clgrad.h>

#include <stdio.h>
#include <stdlib.h>

/* End the program with the context's sentence where a call has failed. */
static void must(clgrad_context *context, clgrad_status status)
{
    if (status != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
        exit(1);
    }
}
// [must end]

int main(void)
{
    clgrad_context *context;
    clgrad_message message;
    if (clgrad_context_create(NULL, &context, &message) != CLGRAD_STATUS_SUCCESS) {
        fprintf(stderr, "%s\n", message.text);
        return 1;
    }

    // [tensors]
    const float numbers[2][3] = {{-2, -1, 0}, {1, 2, 3}};
    clgrad_tensor x, y;
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){2, 3}, &x));
    must(context, clgrad_tensor_create(context, CLGRAD_TYPE_FLOAT32, 2, (size_t[]){2, 3}, &y));
    must(context, clgrad_tensor_write(context, x, numbers, sizeof numbers));
    // [tensors end]

    // [compute]
    const clgrad_activation relu = clgrad_activation_defaults(CLGRAD_ACTIVATION_RELU);
    float results[2][3];
    must(context, clgrad_activation_forward(context, &relu, x, y));
    must(context, clgrad_tensor_read(context, y, results, sizeof results));
    for (int row = 0; row < 2; row++)
        printf("%g %g %g\n", results[row][0], results[row][1], results[row][2]);
    // [compute end]

    // [refused]
    clgrad_tensor wrong = y;
    wrong.shape[1] = 2;
    const clgrad_status status = clgrad_activation_forward(context, &relu, x, wrong);
    printf("%s: %s\n", clgrad_status_name(status), clgrad_context_error(context));
    // [refused end]

    // [destroy]
    clgrad_buffer_destroy(x.buffer);
    clgrad_buffer_destroy(y.buffer);
    clgrad_context_destroy(context);
    // [destroy end]
    return 0;
}
