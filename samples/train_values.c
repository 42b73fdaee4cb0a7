#include "train_parser.h"

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <stdlib.h>
#include <string.h>

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

bool train_read_number(train_parser *parser, const char *text, float *number)
{
    char *end = NULL;
    float value = -1;
    if (text[0] != '\0' && !isspace((unsigned char)text[0]))
        value = strtof(text, &end);
    if (end == NULL || *end != '\0' || !(value >= 0 && value <= FLT_MAX))
        return train_refuse(parser->message, "%s \"%s\": it takes a number from 0 to %g", parser->option,
                            text, (double)FLT_MAX);
    *number = value;
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
    if (end == NULL || *end != '\0' || !clgrad_parameter_set(parameter, descriptor, number))
        return train_refuse(parser->message, "%s: %s is \"%s\", it takes a %s from %.9g to %.9g",
                            parser->option, parameter->name, text, what, (double)parameter->minimum,
                            (double)parameter->maximum);
    return true;
}

static bool refuse_parameter(train_parser *parser, const train_owner *first, const train_owner *second,
                             const char *name)
{
    char hint[TRAIN_GUESS_SIZE];
    train_guess guess = {.given = name};
    for (const clgrad_parameter *p = first->parameters; p->name != NULL; p++)
        train_guess_try(&guess, p->name);
    for (const clgrad_parameter *p = second != NULL ? second->parameters : NULL; p != NULL && p->name != NULL;
         p++)
        train_guess_try(&guess, p->name);
    return train_refuse(parser->message, "%s: %s has no parameter \"%s\"%s", parser->option, first->name,
                        name, train_guess_text(&guess, false, hint));
}

/* Set the one parameter in text, of a length. set says which of first's and second's have been. */
static bool set_one(train_parser *parser, const train_owner *first, const train_owner *second,
                    const char *text, size_t length, bool set[2][CLGRAD_PARAMETER_MAX])
{
    char name[TRAIN_NAME_SIZE], value[TRAIN_NAME_SIZE];
    const char *equals = memchr(text, '=', length);
    if (equals == NULL || length >= TRAIN_NAME_SIZE)
        return train_refuse(parser->message, "%s: \"%.*s\" is not of the form parameter=value",
                            parser->option, (int)length, text);
    snprintf(name, sizeof name, "%.*s", (int)(equals - text), text);
    snprintf(value, sizeof value, "%.*s", (int)(text + length - equals - 1), equals + 1);

    const train_owner *owner = first;
    const clgrad_parameter *parameter = train_find_parameter(first->parameters, name);
    if (parameter == NULL && second != NULL) {
        owner = second;
        parameter = train_find_parameter(second->parameters, name);
    }
    if (parameter == NULL)
        return refuse_parameter(parser, first, second, name);
    bool *done = &set[owner == second][parameter - owner->parameters];
    if (*done)
        return train_refuse(parser->message, "%s: %s is given twice", parser->option, name);
    *done = true;
    return train_set_parameter(parser, parameter, value, owner->descriptor);
}

bool train_set_parameters(train_parser *parser, const train_owner *first, const train_owner *second,
                          char separator, const char *text)
{
    bool set[2][CLGRAD_PARAMETER_MAX] = {{false}};
    while (text != NULL) {
        const char *end = strchr(text, separator);
        const size_t length = end != NULL ? (size_t)(end - text) : strlen(text);
        if (!set_one(parser, first, second, text, length, set))
            return false;
        text = end != NULL ? end + 1 : NULL;
    }
    return true;
}

bool train_names_parameter(const char *text, const char *name)
{
    const size_t length = strlen(name);
    while (text != NULL && (strncmp(text, name, length) != 0 || text[length] != '=')) {
        const char *comma = strchr(text, ',');
        text = comma != NULL ? comma + 1 : NULL;
    }
    return text != NULL;
}

void train_copy_piece(const char *text, size_t length, char piece[TRAIN_NAME_SIZE])
{
    const bool fits = length < TRAIN_NAME_SIZE;
    const size_t copied = fits ? length : TRAIN_NAME_SIZE - sizeof "...";
    snprintf(piece, TRAIN_NAME_SIZE, "%.*s%s", (int)copied, text, fits ? "" : "...");
}

const char *train_split_name(const char *text, char name[TRAIN_NAME_SIZE])
{
    size_t length = strcspn(text, ":");
    train_copy_piece(text, length, name);
    return text[length] == ':' ? text + length + 1 : NULL;
}

/* ---- what must hold between parameters, by clgrad's lists ---- */

#define CONSTRAINT_OF(FAMILY, identifier, constraint, constraint_text) \
    case CLGRAD_##FAMILY##_##identifier:                               \
        return (constraint) ? NULL : (constraint_text);

const char *train_activation_violation(const clgrad_activation *activation)
{
    switch (activation->kind) {
#define ROW(value, identifier, name, PARAMETERS, constraint, text, ...) \
    CONSTRAINT_OF(ACTIVATION, identifier, constraint, text)
        CLGRAD_ACTIVATION_LIST(ROW)
#undef ROW
    }
    return NULL;
}

const char *train_layer_violation(const clgrad_layer *layer)
{
    switch (layer->kind) {
#define ROW(value, identifier, name, PARAMETERS, constraint, text, ...) \
    CONSTRAINT_OF(LAYER, identifier, constraint, text)
        CLGRAD_LAYER_LIST(ROW)
#undef ROW
    }
    return NULL;
}

const char *train_optimizer_violation(const clgrad_optimizer *optimizer)
{
    switch (optimizer->kind) {
#define ROW(value, identifier, name, PARAMETERS, slots, slot_names, constraint, text, ...) \
    CONSTRAINT_OF(OPTIMIZER, identifier, constraint, text)
        CLGRAD_OPTIMIZER_LIST(ROW)
#undef ROW
    }
    return NULL;
}
