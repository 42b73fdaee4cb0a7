/*
 * A network in words. What has a list is written from it, so that a new row or parameter needs nothing here.
 * Numbers are written with all their digits and a point, whatever the locale.
 */
#include "checkpoint.h"

#include <inttypes.h>
#include <locale.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- texts ---- */

static void append(clgrad_word *word, const char *format, ...) CLGRAD_PRINTF(2, 3);
static void append(clgrad_word *word, const char *format, ...)
{
    const size_t used = strlen(word->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(word->text + used, sizeof word->text - used, format, arguments);
    va_end(arguments);
}

/* The next of some words, named for the file. */
static clgrad_word *next(clgrad_words *words, const char *format, ...) CLGRAD_PRINTF(2, 3);
static clgrad_word *next(clgrad_words *words, const char *format, ...)
{
    clgrad_word *word = &words->each[words->count++];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(word->name, sizeof word->name, format, arguments);
    va_end(arguments);
    word->text[0] = '\0';
    return word;
}

/* Nine digits tell every float from every other, ten every int32. */
static void append_number(clgrad_word *word, double number, int digits)
{
    const size_t begin = strlen(word->text);
    append(word, "%.*g", digits, number);
    /* What is neither a digit nor a letter nor a sign is the locale's decimal point, of some bytes. */
    char *point = word->text + begin + strspn(word->text + begin, "0123456789+-aefin");
    const size_t bytes = strcspn(point, "0123456789");
    if (*point != '\0' && bytes > 0) {
        *point = '.';
        memmove(point + 1, point + bytes, strlen(point + bytes) + 1);
    }
}

static void append_parameters(clgrad_word *word, const clgrad_parameter *parameters, const void *descriptor,
                              const char *but)
{
    for (; parameters->name != NULL; parameters++) {
        if (but != NULL && strcmp(parameters->name, but) == 0)
            continue;
        append(word, " %s=", parameters->name);
        if (parameters->type == CLGRAD_PARAMETER_FLAG)
            append(word, "%s", clgrad_parameter_get(parameters, descriptor) != 0 ? "true" : "false");
        else
            append_number(word, clgrad_parameter_exact(parameters, descriptor),
                          parameters->type == CLGRAD_PARAMETER_INTEGER ? 10 : 9);
    }
}

/* ---- what must be the same ---- */

/* "dense outputs=10 bias=true activation=relu"; groups where they are not the first. */
static void append_layer(clgrad_word *word, const clgrad_network_layer *l)
{
    const clgrad_layer *layer = &l->layer;
    const clgrad_layer_info *info = clgrad_layer_describe(layer->kind);
    append(word, "%s outputs=%zu", info->name, l->size.outputs);
    append_parameters(word, info->parameters, layer, NULL);
    if (layer->kind == CLGRAD_LAYER_DENSE || layer->kind == CLGRAD_LAYER_ACTIVATION) {
        const clgrad_activation_info *activation = clgrad_activation_describe(layer->activation.kind);
        append(word, " activation=%s", activation->name);
        append_parameters(word, activation->parameters, &layer->activation, NULL);
    }
    if (l->size.weight_rank > 0 && layer->weight_group != 0)
        append(word, " weight_group=%d", (int)layer->weight_group);
    if (l->size.bias > 0 && layer->bias_group != 0)
        append(word, " bias_group=%d", (int)layer->bias_group);
}

static void append_clipping(clgrad_word *word, const clgrad_network *network)
{
    append(word, "clip_norm=");
    append_number(word, (double)network->clip_norm, 9);
    append(word, " clip_norm_type=");
    append_number(word, (double)network->clip_norm_type, 9);
    append(word, " clip_value=");
    append_number(word, (double)network->clip_value, 9);
}

clgrad_words clgrad_words_of(const clgrad_network *network)
{
    clgrad_words words = {calloc(6 + network->layer_count + network->group_count, sizeof *words.each), 0};
    if (words.each == NULL)
        return words;
    append(next(&words, "clgrad.checkpoint"), "1");
    append(next(&words, "clgrad.inputs"), "%zu", network->layers[0].inputs);
    append(next(&words, "clgrad.layers"), "%zu", network->layer_count);
    for (size_t i = 0; i < network->layer_count; i++)
        append_layer(next(&words, "clgrad.layers.%zu", i), &network->layers[i]);
    const clgrad_loss_info *loss = clgrad_loss_describe(network->loss.kind);
    clgrad_word *word = next(&words, "clgrad.loss");
    append(word, "%s reduction=%s", loss->name, clgrad_reduction_name(network->loss.reduction));
    append_parameters(word, loss->parameters, &network->loss, NULL);
    append_clipping(next(&words, "clgrad.clipping"), network);
    append(next(&words, "clgrad.optimizers"), "%zu", network->group_count);
    for (size_t i = 0; i < network->group_count; i++) {
        const clgrad_optimizer_info *info = clgrad_optimizer_describe(network->groups[i].kind);
        word = next(&words, "clgrad.optimizers.%zu", i);
        append(word, "%s", info->name);
        append_parameters(word, info->parameters, &network->groups[i], "lr"); /* schedules change it */
    }
    return words;
}

/* ---- what training changes ---- */

/* What is in the gradients: by pending, then accumulating. */
static const char *const gradients[] = {"none", "of a backward pass", "accumulated"};

size_t clgrad_progress_write(const clgrad_network *network, clgrad_word each[CLGRAD_PROGRESS_WORDS])
{
    clgrad_words words = {each, 0};
    append(next(&words, "clgrad.steps"), "%" PRIu64, network->steps);
    append(next(&words, "clgrad.draws"), "%" PRIu64, network->draws);
    append(next(&words, "clgrad.seed"), "%" PRIu64, network->seed);
    append(next(&words, "clgrad.gradients"), "%s",
           gradients[!network->pending        ? 0
                     : !network->accumulating ? 1
                                              : 2]);
    for (size_t i = 0; i < network->group_count; i++)
        append_number(next(&words, "clgrad.optimizers.%zu.lr", i), (double)network->groups[i].lr, 9);
    return words.count;
}

/* A whole number as it is written above: digits alone, none to spare. */
static bool read_whole(const char *text, uint64_t *number)
{
    char again[32];
    *number = strtoull(text, NULL, 10);
    snprintf(again, sizeof again, "%" PRIu64, *number);
    return strcmp(text, again) == 0;
}

/* A number as it is written above; what is not comes out differently when it is written again. */
static bool read_number(const char *text, float *number)
{
    clgrad_word localized = {.text = ""}, again = {.text = ""};
    const size_t point = strcspn(text, ".");
    if (strlen(text) >= sizeof again.text / 2)
        return false;
    append(&localized, "%.*s", (int)point, text);
    if (text[point] == '.')
        append(&localized, "%s%s", localeconv()->decimal_point, text + point + 1);
    *number = strtof(localized.text, NULL);
    append_number(&again, (double)*number, 9);
    return strcmp(text, again.text) == 0;
}

bool clgrad_progress_read(const clgrad_network *network,
                          const char *(*find)(const void *data, const char *name), const void *data,
                          clgrad_progress *progress, clgrad_word *wrong)
{
    clgrad_word expected[CLGRAD_PROGRESS_WORDS];
    const size_t count = clgrad_progress_write(network, expected);
    uint64_t *const wholes[] = {&progress->steps, &progress->draws, &progress->seed};
    for (size_t i = 0; i < count; i++) {
        const char *text = find(data, expected[i].name);
        bool right = text != NULL;
        if (right && i < 3) {
            right = read_whole(text, wholes[i]);
        } else if (right && i == 3) {
            progress->pending = strcmp(text, gradients[0]) != 0;
            progress->accumulating = strcmp(text, gradients[2]) == 0;
            right = !progress->pending || progress->accumulating || strcmp(text, gradients[1]) == 0;
        } else if (right) {
            right = read_number(text, &progress->lr[i - 4]);
        }
        if (!right) {
            *wrong = expected[i];
            return false;
        }
    }
    return true;
}
