#include "train_parser.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

bool train_refuse(clgrad_message *message, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message->text, sizeof message->text, format, arguments);
    va_end(arguments);
    return false;
}

bool train_read_whole(train_parser *parser, const char *text, uint64_t minimum, uint64_t maximum,
                      uint64_t *number)
{
    char *end = NULL;
    unsigned long long value = 0;
    errno = 0;
    if (isdigit((unsigned char)text[0])) /* strtoull itself would take " -1" */
        value = strtoull(text, &end, 10);
    if (end == NULL || *end != '\0' || errno != 0 || value < minimum || value > maximum)
        return train_refuse(parser->message, "%s \"%s\": it takes a whole number from %llu to %llu",
                            parser->option, text, (unsigned long long)minimum, (unsigned long long)maximum);
    *number = value;
    return true;
}

bool train_read_size(train_parser *parser, const char *text, size_t *size)
{
    uint64_t number = 0;
    if (!train_read_whole(parser, text, 1, INT32_MAX, &number))
        return false;
    *size = (size_t)number;
    return true;
}

const clgrad_parameter *train_find_parameter(const clgrad_parameter *parameters, const char *name)
{
    for (; parameters->name != NULL; parameters++)
        if (strcmp(parameters->name, name) == 0)
            return parameters;
    return NULL;
}

bool train_set_parameter(train_parser *parser, const clgrad_parameter *parameter, const char *text,
                         void *descriptor)
{
    if (parameter->type == CLGRAD_PARAMETER_FLAG) {
        const bool flag = text == NULL || strcmp(text, "true") == 0;
        if (!flag && strcmp(text, "false") != 0)
            return train_refuse(parser->message, "%s: %s is \"%s\", it takes true or false", parser->option,
                                parameter->name, text);
        return clgrad_parameter_set(parameter, descriptor, flag ? 1 : 0);
    }
    const char *what = parameter->type == CLGRAD_PARAMETER_INTEGER ? "whole number" : "number";
    char *end = NULL;
    float number = 0;
    if (text[0] != '\0' && !isspace((unsigned char)text[0]))
        number = strtof(text, &end);
    if (end == NULL || *end != '\0')
        return train_refuse(parser->message, "%s: %s is \"%s\", it takes a %s", parser->option,
                            parameter->name, text, what);
    if (!clgrad_parameter_set(parameter, descriptor, number))
        return train_refuse(parser->message, "%s: %s is \"%s\", it takes a %s from %g to %g", parser->option,
                            parameter->name, text, what, (double)parameter->minimum,
                            (double)parameter->maximum);
    return true;
}

bool train_set_parameters(train_parser *parser, const char *owner, const clgrad_parameter *parameters,
                          const char *text, void *descriptor)
{
    bool set[CLGRAD_PARAMETER_MAX] = {false};
    while (text != NULL) {
        char name[TRAIN_NAME_SIZE], value[TRAIN_NAME_SIZE];
        size_t length = strcspn(text, ",");
        const char *equals = memchr(text, '=', length);
        if (equals == NULL || length >= TRAIN_NAME_SIZE)
            return train_refuse(parser->message, "%s: \"%.*s\" is not of the form parameter=value",
                                parser->option, (int)length, text);
        snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
        snprintf(value, sizeof value, "%.*s", (int)(text + length - equals - 1), equals + 1);

        const clgrad_parameter *parameter = train_find_parameter(parameters, name);
        if (parameter == NULL)
            return train_refuse(parser->message, "%s: %s has no parameter \"%s\"", parser->option, owner,
                                name);
        if (set[parameter - parameters])
            return train_refuse(parser->message, "%s: %s is given twice", parser->option, name);
        set[parameter - parameters] = true;
        if (!train_set_parameter(parser, parameter, value, descriptor))
            return false;
        text = text[length] == ',' ? text + length + 1 : NULL;
    }
    return true;
}

const char *train_split_name(const char *text, char name[TRAIN_NAME_SIZE])
{
    size_t length = strcspn(text, ":");
    snprintf(name, TRAIN_NAME_SIZE, "%.*s", (int)length, text);
    return text[length] == ':' ? text + length + 1 : NULL;
}
