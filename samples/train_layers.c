/*
 * --layers and --output: from text to layers.
 */
#include "train_parser.h"

#include <ctype.h>
#include <string.h>

#define ITEM_SIZE 256

/* "256", "256:tanh", "256:elu:alpha=0.5", "256:identity:bias=false": rest is what follows the width. */
static bool read_dense(train_parser *parser, const char *width, const char *rest, clgrad_layer *layer)
{
    char name[TRAIN_NAME_SIZE];
    clgrad_activation activation = parser->options->activation;
    if (rest != NULL) {
        const char *after = train_split_name(rest, name);
        clgrad_activation_kind kind;
        if (strchr(name, '=') == NULL) {
            if (!clgrad_activation_parse(name, &kind))
                return train_unknown_name(parser, "activation", name);
            activation = clgrad_activation_defaults(kind);
            rest = after;
        }
    }
    *layer = clgrad_layer_dense(0, activation.kind);
    layer->activation = activation;
    return train_read_size(parser, width, &layer->outputs) &&
           train_set_parameters(
               parser,
               &(train_owner){clgrad_activation_describe(activation.kind)->name,
                              clgrad_activation_describe(activation.kind)->parameters, &layer->activation},
               &(train_owner){"dense", clgrad_layer_describe(CLGRAD_LAYER_DENSE)->parameters, layer}, ':',
               rest);
}

/* "batch_norm", "dropout:p=0.2", "relu": anything but a dense layer. */
static bool read_named(train_parser *parser, const char *name, const char *rest, clgrad_layer *layer)
{
    clgrad_layer_kind kind;
    clgrad_activation_kind activation;
    train_owner owner = {.name = name};
    if (clgrad_layer_parse(name, &kind)) {
        if (kind == CLGRAD_LAYER_DENSE)
            return train_refuse(parser->message, "%s: a dense layer is given by its number of outputs",
                                parser->option);
        *layer = clgrad_layer_defaults(kind);
        layer->activation = parser->options->activation;
        owner.parameters = clgrad_layer_describe(kind)->parameters;
        owner.descriptor = layer;
    } else if (clgrad_activation_parse(name, &activation)) {
        *layer = clgrad_layer_activation(activation);
        owner.parameters = clgrad_activation_describe(activation)->parameters;
        owner.descriptor = &layer->activation;
    } else
        return train_unknown_name(parser, "layer or activation", name);
    return train_set_parameters(parser, &owner, NULL, ':', rest);
}

/* One item of --layers. */
static bool read_item(train_parser *parser, const char *item, clgrad_layer *layer)
{
    char name[TRAIN_NAME_SIZE];
    const char *rest = train_split_name(item, name);
    const bool dense = isdigit((unsigned char)name[0]) || name[0] == '\0' || name[0] == '-';
    if (!(dense ? read_dense(parser, name, rest, layer) : read_named(parser, name, rest, layer)))
        return false;
    const char *violation = train_layer_violation(layer);
    if (violation == NULL && (layer->kind == CLGRAD_LAYER_DENSE || layer->kind == CLGRAD_LAYER_ACTIVATION))
        violation = train_activation_violation(&layer->activation);
    return violation == NULL ||
           train_refuse(parser->message, "%s \"%s\": %s", parser->option, item, violation);
}

bool train_read_layers(train_parser *parser)
{
    train_options *options = parser->options;
    const char *text = options->layers_text;
    snprintf(parser->option, sizeof parser->option, "--layers");
    options->layer_count = 0;
    if (strcmp(text, "none") == 0)
        return true;
    while (text != NULL) {
        char item[ITEM_SIZE];
        const size_t length = strcspn(text, ",");
        if (length >= sizeof item)
            return train_refuse(parser->message, "--layers \"%s\": a layer's text is too long", text);
        snprintf(item, sizeof item, "%.*s", (int)length, text);
        if (length == 0)
            return train_refuse(parser->message, "--layers \"%s\": the layer at position %zu is empty%s",
                                options->layers_text, options->layer_count + 1,
                                options->layers_text[0] == '\0' ? "; for no layers it is none" : "");
        if (options->layer_count == TRAIN_MAX_LAYERS)
            return train_refuse(parser->message, "--layers \"%s\": at most %d layers", options->layers_text,
                                TRAIN_MAX_LAYERS);
        if (!read_item(parser, item, &options->layers[options->layer_count++]))
            return false;
        text = text[length] == ',' ? text + length + 1 : NULL;
    }

    /* The mean that batch_norm takes off takes such a bias with it: its gradient is nothing but rounding. */
    for (size_t i = 0; i + 1 < options->layer_count; i++)
        if (options->layers[i].activation.kind == CLGRAD_ACTIVATION_IDENTITY &&
            options->layers[i + 1].kind == CLGRAD_LAYER_BATCH_NORM)
            options->layers[i].bias = false;
    return true;
}

bool train_read_output(train_parser *parser)
{
    train_options *options = parser->options;
    if (options->output_text == NULL)
        return true;
    snprintf(parser->option, sizeof parser->option, "--output");
    if (isdigit((unsigned char)options->output_text[0]) || strchr(options->output_text, ',') != NULL)
        return train_refuse(
            parser->message,
            "--output \"%s\": it takes one activation or layer; its width follows from the data",
            options->output_text);
    if (!read_item(parser, options->output_text, &options->output))
        return false;
    if (options->output.kind == CLGRAD_LAYER_GLU)
        return train_refuse(parser->message, "--output glu would halve the number of outputs");
    options->output_given = true;
    return true;
}
