#include "train_common.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

bool train_refuse(clgrad_message *message, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    return false;
}

bool train_succeeded(clgrad_context *context, clgrad_status status, clgrad_message *message)
{
    return status == CLGRAD_STATUS_SUCCESS || train_refuse(message, "%s", clgrad_context_error(context));
}

void train_complain(const clgrad_message *message)
{
    fflush(stdout);
    fprintf(stderr, "train: %s\n", message->text);
}

void *train_allocate(size_t count, size_t size, clgrad_message *message)
{
    void *memory = calloc(count > 0 ? count : 1, size);
    if (memory == NULL)
        train_refuse(message, "the host is out of memory");
    return memory;
}

const char *train_plural(size_t count, const char *one, const char *many)
{
    return count == 1 ? one : many;
}

void train_exchange(char *text, char from, char to)
{
    for (char *c = text; *c != '\0'; c++)
        if (*c == from)
            *c = to;
}

int train_digits(size_t number)
{
    return snprintf(NULL, 0, "%zu", number);
}
