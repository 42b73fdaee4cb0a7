/*
 * Saving and loading networks. Loading finds the whole file good, then reads it, and only then writes to the
 * network.
 */
#include "checkpoint.h"

#include "safetensors.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOTE "note."

/* What the layers below left in a message becomes the call's failure. */
static void fail_with(clgrad_check *check, clgrad_status status, const clgrad_message *message)
{
    if (status != CLGRAD_STATUS_SUCCESS)
        clgrad_check_fail(check, status, "%s", message->text);
}

static void fail_memory(clgrad_check *check)
{
    clgrad_check_fail(check, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
}

/* What a call on the context has answered; its sentence is there already. */
static void follow(clgrad_check *check, clgrad_status status)
{
    if (check->status == CLGRAD_STATUS_SUCCESS)
        check->status = status;
}

/* ---- saving ---- */

static void check_notes(clgrad_check *check, const clgrad_note *notes, size_t count)
{
    char shown[CLGRAD_SHOWN_SIZE];
    if (count > 0)
        clgrad_check_pointer(check, "notes", notes);
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < count; i++) {
        clgrad_check_pointer(check, "a note's name", notes[i].name);
        clgrad_check_pointer(check, "a note's value", notes[i].value);
        if (check->status != CLGRAD_STATUS_SUCCESS)
            return;
        clgrad_status taken = clgrad_safetensors_takes(notes[i].name);
        if (taken == CLGRAD_STATUS_SUCCESS)
            taken = clgrad_safetensors_takes(notes[i].value);
        if (taken == CLGRAD_STATUS_OUT_OF_MEMORY)
            fail_memory(check);
        else if (taken != CLGRAD_STATUS_SUCCESS)
            clgrad_check_fail(check, taken, "the note \"%s\" or its value is no UTF-8",
                              clgrad_shown(notes[i].name, shown));
        for (size_t k = 0; k < i; k++)
            if (strcmp(notes[k].name, notes[i].name) == 0)
                clgrad_check_fail(check, CLGRAD_STATUS_INVALID_ARGUMENT, "there are two notes \"%s\"",
                                  clgrad_shown(notes[i].name, shown));
    }
}

/* The metadata, and what it owns. */
typedef struct metadata {
    clgrad_words words;
    clgrad_word progress[CLGRAD_PROGRESS_WORDS];
    char **note_names;
    clgrad_safetensors_string *strings;
    size_t count, note_count;
} metadata;

static void metadata_destroy(metadata *m)
{
    for (size_t i = 0; m->note_names != NULL && i < m->note_count; i++)
        free(m->note_names[i]);
    free(m->note_names);
    free(m->strings);
    free(m->words.each);
}

/* False without memory; to be destroyed in any case. */
static bool metadata_create(const clgrad_network *network, const clgrad_note *notes, size_t note_count,
                            metadata *m)
{
    *m = (metadata){.words = clgrad_words_of(network), .note_count = note_count};
    const size_t changing = clgrad_progress_write(network, m->progress);
    m->strings = calloc(m->words.count + changing + note_count, sizeof *m->strings);
    m->note_names = calloc(note_count + 1, sizeof *m->note_names);
    if (m->words.each == NULL || m->strings == NULL || m->note_names == NULL)
        return false;
    for (size_t i = 0; i < m->words.count; i++)
        m->strings[m->count++] = (clgrad_safetensors_string){m->words.each[i].name, m->words.each[i].text};
    for (size_t i = 0; i < changing; i++)
        m->strings[m->count++] = (clgrad_safetensors_string){m->progress[i].name, m->progress[i].text};
    for (size_t i = 0; i < note_count; i++) {
        const size_t bytes = sizeof NOTE + strlen(notes[i].name);
        m->note_names[i] = malloc(bytes);
        if (m->note_names[i] == NULL)
            return false;
        snprintf(m->note_names[i], bytes, NOTE "%s", notes[i].name);
        m->strings[m->count++] = (clgrad_safetensors_string){m->note_names[i], notes[i].value};
    }
    return true;
}

/* The tensors of the file, out of the flat arrays. NULL without memory. */
static clgrad_safetensors_array *make_arrays(const clgrad_parts *parts)
{
    clgrad_safetensors_array *arrays = calloc(parts->count + 1, sizeof *arrays);
    for (size_t i = 0; arrays != NULL && i < parts->count; i++) {
        const clgrad_part *part = &parts->each[i];
        arrays[i] = (clgrad_safetensors_array){.name = part->name,
                                               .dtype = "F32",
                                               .rank = part->rank,
                                               .data = parts->numbers[part->flat] + part->offset};
        for (size_t k = 0; k < part->rank; k++)
            arrays[i].shape[k] = part->shape[k];
    }
    return arrays;
}

/* The flat arrays, of which the gradients only where they are still to be used. */
static void read_from_device(clgrad_check *check, const clgrad_network *network, clgrad_parts *parts)
{
    for (clgrad_flat flat = 0; check->status == CLGRAD_STATUS_SUCCESS && flat < CLGRAD_FLATS; flat++) {
        const clgrad_tensor tensor = clgrad_flat_of(network, flat);
        if (clgrad_present(tensor) && (flat != CLGRAD_FLAT_GRADIENTS || network->pending))
            follow(check,
                   clgrad_tensor_read(network->context, tensor, parts->numbers[flat], clgrad_bytes(tensor)));
    }
}

clgrad_status clgrad_network_save(const clgrad_network *network, const char *path, const clgrad_note *notes,
                                  size_t note_count)
{
    if (network == NULL)
        return CLGRAD_STATUS_INVALID_ARGUMENT;
    clgrad_check check = clgrad_check_begin(network->context, "network_save");
    clgrad_check_pointer(&check, "path", path);
    check_notes(&check, notes, note_count);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;

    clgrad_message message;
    metadata m;
    clgrad_parts parts;
    clgrad_safetensors_array *arrays = NULL;
    const bool made = metadata_create(network, notes, note_count, &m);
    if (!clgrad_parts_create(network, true, network->pending, &parts) || !made ||
        (arrays = make_arrays(&parts)) == NULL)
        fail_memory(&check);
    read_from_device(&check, network, &parts);
    if (check.status == CLGRAD_STATUS_SUCCESS)
        fail_with(&check, clgrad_safetensors_write(path, m.strings, m.count, arrays, parts.count, &message),
                  &message);
    free(arrays);
    clgrad_parts_destroy(&parts);
    metadata_destroy(&m);
    return check.status;
}

/* ---- loading ---- */

/* A file of good form that is not what it should be: a sentence that begins with its path. */
#define REFUSE(check, format, ...) \
    clgrad_check_fail(check, CLGRAD_STATUS_INVALID_FILE, "%.1000s: " format, __VA_ARGS__)

static const char *find_text(const void *file, const char *name)
{
    return clgrad_safetensors_text(file, name);
}

/* What the file says of its network must be what this one is. */
static void check_words(clgrad_check *check, const clgrad_network *network, const clgrad_safetensors *file,
                        const char *path)
{
    const clgrad_words words = clgrad_words_of(network);
    if (words.each == NULL)
        fail_memory(check);
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < words.count; i++) {
        const clgrad_word *word = &words.each[i];
        const char *text = clgrad_safetensors_text(file, word->name);
        char shown[CLGRAD_SHOWN_SIZE];
        if (i == 0 && text == NULL)
            REFUSE(
                check,
                "this is no checkpoint of clgrad, whose metadata would have \"%s\"; parameters alone can be "
                "taken from any safetensors file",
                path, word->name);
        else if (i == 0 && strcmp(text, word->text) != 0)
            REFUSE(check, "this checkpoint is of version \"%s\", but only version %s is known here", path,
                   clgrad_shown(text, shown), word->text);
        else if (text == NULL)
            REFUSE(check, "its metadata has no \"%s\"", path, word->name);
        else if (strcmp(text, word->text) != 0)
            REFUSE(check, "this is another network's: its %s is \"%s\", but this network's is \"%s\"", path,
                   word->name, clgrad_shown(text, shown), word->text);
    }
    free(words.each);
}

/* Steps and the like, and learning rates that the optimizers take. */
static void read_progress(clgrad_check *check, const clgrad_network *network, const clgrad_safetensors *file,
                          const char *path, clgrad_progress *progress)
{
    clgrad_word wrong;
    char shown[CLGRAD_SHOWN_SIZE];
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    if (!clgrad_progress_read(network, find_text, file, progress, &wrong)) {
        const char *text = clgrad_safetensors_text(file, wrong.name);
        if (text == NULL)
            REFUSE(check, "its metadata has no \"%s\"", path, wrong.name);
        else
            REFUSE(check, "its %s is \"%s\", which cannot be: this network's is \"%s\"", path, wrong.name,
                   clgrad_shown(text, shown), wrong.text);
    }
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < network->group_count; i++) {
        clgrad_optimizer optimizer = network->groups[i];
        const clgrad_parameter *lr = clgrad_optimizer_describe(optimizer.kind)->parameters;
        while (strcmp(lr->name, "lr") != 0) /* every optimizer has one */
            lr++;
        optimizer.lr = progress->lr[i];
        if (!clgrad_parameter_is_inside(lr, &optimizer))
            REFUSE(check, "its clgrad.optimizers.%zu.lr is %.9g, it must lie between %.9g and %.9g", path, i,
                   (double)optimizer.lr, (double)lr->minimum, (double)lr->maximum);
    }
}

/* "[2, 3]" */
#define SHAPE_SIZE 200
static const char *write_shape(size_t rank, const uint64_t *shape, char text[SHAPE_SIZE])
{
    size_t used = 1;
    strcpy(text, "[");
    for (size_t i = 0; i < rank; i++)
        used += (size_t)snprintf(text + used, SHAPE_SIZE - used, "%s%llu", i > 0 ? ", " : "",
                                 (unsigned long long)shape[i]);
    snprintf(text + used, SHAPE_SIZE - used, "]");
    return text;
}

/* The tensor of the file that a part comes from. */
static const clgrad_safetensors_array *find_part(clgrad_check *check, const clgrad_safetensors *file,
                                                 const char *path, const clgrad_part *part)
{
    const clgrad_safetensors_array *array = clgrad_safetensors_find(file, part->name);
    char got[SHAPE_SIZE], wanted[SHAPE_SIZE];
    uint64_t shape[2] = {part->shape[0], part->shape[1]};
    if (array == NULL)
        REFUSE(check, "there is no tensor \"%s\" in it, which this network has", path, part->name);
    else if (strcmp(array->dtype, "F32") != 0)
        REFUSE(check, "its tensor \"%s\" is of dtype %s, it must be F32", path, part->name, array->dtype);
    else if (array->rank != part->rank || memcmp(array->shape, shape, part->rank * sizeof *shape) != 0)
        REFUSE(check, "its tensor \"%s\" has the shape %s, but this network's has %s", path, part->name,
               write_shape(array->rank, array->shape, got), write_shape(part->rank, shape, wanted));
    return array;
}

static bool begins_with(const char *text, const char *beginning)
{
    return strncmp(text, beginning, strlen(beginning)) == 0;
}

/* What a file may hold that is no parameter: the rest of a checkpoint, and what PyTorch counts. */
static bool may_be_left_out(const clgrad_network *network, const char *name)
{
    char counter[64];
    if (begins_with(name, "optimizer.") || begins_with(name, "gradients."))
        return true;
    if (!begins_with(name, "layers."))
        return false;
    const unsigned long long layer = strtoull(name + strlen("layers."), NULL, 10);
    snprintf(counter, sizeof counter, "layers.%llu.num_batches_tracked", layer);
    return strcmp(name, counter) == 0 && layer < network->layer_count &&
           network->layers[layer].size.running > 0;
}

/* Every tensor of the file must be a part, or one that may be left out where only parameters are wanted. */
static void check_for_others(clgrad_check *check, const clgrad_network *network,
                             const clgrad_safetensors *file, const char *path, const clgrad_parts *parts,
                             bool all)
{
    const clgrad_safetensors_array *arrays;
    const size_t count = clgrad_safetensors_arrays(file, &arrays);
    char shown[CLGRAD_SHOWN_SIZE];
    if (count == parts->count) /* no name is there twice, and all parts are there */
        return;
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < count; i++) {
        bool known = !all && may_be_left_out(network, arrays[i].name);
        for (size_t k = 0; !known && k < parts->count; k++)
            known = strcmp(arrays[i].name, parts->each[k].name) == 0;
        if (!known)
            REFUSE(check, "there is a tensor \"%s\" in it, which this network does not have", path,
                   clgrad_shown(arrays[i].name, shown));
    }
}

/* Check all tensors, then read them into the parts' arrays. */
static void read_parts(clgrad_check *check, const clgrad_network *network, const clgrad_safetensors *file,
                       const char *path, bool all, bool gradients, clgrad_parts *parts)
{
    clgrad_message message;
    if (check->status != CLGRAD_STATUS_SUCCESS)
        return;
    if (!clgrad_parts_create(network, all, gradients, parts))
        fail_memory(check);
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < parts->count; i++)
        find_part(check, file, path, &parts->each[i]);
    check_for_others(check, network, file, path, parts, all);
    for (size_t i = 0; check->status == CLGRAD_STATUS_SUCCESS && i < parts->count; i++) {
        const clgrad_part *part = &parts->each[i];
        const clgrad_safetensors_array *array = find_part(check, file, path, part);
        fail_with(check,
                  clgrad_safetensors_read(file, array, parts->numbers[part->flat] + part->offset, &message),
                  &message);
    }
}

/* All flat arrays, or parameters and running statistics alone. */
static void write_to_device(clgrad_check *check, const clgrad_network *network, bool all,
                            const clgrad_parts *parts)
{
    for (clgrad_flat flat = 0; check->status == CLGRAD_STATUS_SUCCESS && flat < CLGRAD_FLATS; flat++) {
        const clgrad_tensor tensor = clgrad_flat_of(network, flat);
        if (clgrad_present(tensor) && (all || flat == CLGRAD_FLAT_PARAMETERS || flat == CLGRAD_FLAT_RUNNING))
            follow(check,
                   clgrad_tensor_write(network->context, tensor, parts->numbers[flat], clgrad_bytes(tensor)));
    }
}

static clgrad_status load(clgrad_network *network, const char *call, const char *path, bool all)
{
    clgrad_message message;
    clgrad_safetensors *file = NULL;
    clgrad_progress progress = {0};
    clgrad_parts parts = {0};
    clgrad_check check = clgrad_check_begin(network->context, call);
    clgrad_check_pointer(&check, "path", path);
    if (check.status != CLGRAD_STATUS_SUCCESS)
        return check.status;
    /* A fault from before would suspend the steps to come: it is reported now, or never would be about this.
     */
    follow(&check, clgrad_context_finish(network->context));
    if (check.status == CLGRAD_STATUS_SUCCESS)
        fail_with(&check, clgrad_safetensors_open(path, &file, &message), &message);
    if (check.status == CLGRAD_STATUS_SUCCESS && all)
        check_words(&check, network, file, path);
    if (all)
        read_progress(&check, network, file, path, &progress);
    read_parts(&check, network, file, path, all, progress.pending, &parts);
    if (check.status == CLGRAD_STATUS_SUCCESS)
        network->forwarded = clgrad_tensor_none(); /* its parameters are about to go */
    write_to_device(&check, network, all, &parts);
    if (check.status == CLGRAD_STATUS_SUCCESS && all) {
        network->steps = progress.steps;
        network->draws = progress.draws;
        network->seed = progress.seed;
        network->pending = progress.pending;
        network->accumulating = progress.accumulating;
        for (size_t i = 0; i < network->group_count; i++)
            network->groups[i].lr = progress.lr[i];
    }
    clgrad_parts_destroy(&parts);
    clgrad_safetensors_close(file);
    return check.status;
}

clgrad_status clgrad_network_load(clgrad_network *network, const char *path)
{
    return network == NULL ? CLGRAD_STATUS_INVALID_ARGUMENT : load(network, "network_load", path, true);
}

clgrad_status clgrad_network_load_parameters(clgrad_network *network, const char *path)
{
    return network == NULL ? CLGRAD_STATUS_INVALID_ARGUMENT
                           : load(network, "network_load_parameters", path, false);
}

/* ---- notes ---- */

struct clgrad_notes {
    clgrad_safetensors *file; /* owns the strings */
    size_t count;
    clgrad_note each[];
};

clgrad_status clgrad_notes_read(const char *path, clgrad_notes **notes, clgrad_message *message)
{
    if (notes != NULL)
        *notes = NULL;
    if (path == NULL || notes == NULL)
        return clgrad_fail_message(message, CLGRAD_STATUS_INVALID_ARGUMENT, "notes_read: %s is NULL",
                                   path == NULL ? "path" : "notes");
    clgrad_safetensors *file;
    const clgrad_safetensors_string *strings;
    const clgrad_status status = clgrad_safetensors_open(path, &file, message);
    if (status != CLGRAD_STATUS_SUCCESS)
        return status;
    const size_t count = clgrad_safetensors_strings(file, &strings);
    clgrad_notes *read = calloc(1, sizeof *read + count * sizeof read->each[0]);
    if (read == NULL) {
        clgrad_safetensors_close(file);
        return clgrad_fail_message(message, CLGRAD_STATUS_OUT_OF_MEMORY, "the host is out of memory");
    }
    read->file = file;
    for (size_t i = 0; i < count; i++)
        if (begins_with(strings[i].name, NOTE))
            read->each[read->count++] = (clgrad_note){strings[i].name + strlen(NOTE), strings[i].text};
    clgrad_safetensors_release(file);
    *notes = read;
    return CLGRAD_STATUS_SUCCESS;
}

void clgrad_notes_destroy(clgrad_notes *notes)
{
    if (notes != NULL)
        clgrad_safetensors_close(notes->file);
    free(notes);
}

size_t clgrad_notes_count(const clgrad_notes *notes)
{
    return notes != NULL ? notes->count : 0;
}

clgrad_note clgrad_notes_at(const clgrad_notes *notes, size_t index)
{
    return index < clgrad_notes_count(notes) ? notes->each[index] : (clgrad_note){NULL, NULL};
}

const char *clgrad_notes_find(const clgrad_notes *notes, const char *name)
{
    for (size_t i = 0; name != NULL && i < clgrad_notes_count(notes); i++)
        if (strcmp(notes->each[i].name, name) == 0)
            return notes->each[i].value;
    return NULL;
}
