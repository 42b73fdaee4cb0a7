/*
 * Running cases: in growing shapes, each with memory of its own, and a failing one again in smaller shapes.
 */
#include "conformance.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARDS = 5 }; /* elements on either side of a tensor, an odd number so that it lies ragged */

static const uint32_t guard = 0x7fc0babe, untouched = 0x7fc0cafe; /* NaN, and large whole numbers */

/* ---- memory ---- */

typedef union block {
    union block *next;
    double aligned;
} block;

void *clgrad_conf_memory(clgrad_conf_run *run, size_t count, size_t size)
{
    const size_t room = SIZE_MAX - sizeof(block);
    block *memory = NULL;
    if (run->status == CLGRAD_STATUS_SUCCESS && (size == 0 || count <= room / size))
        memory = calloc(1, sizeof(block) + count * size);
    if (memory == NULL) {
        clgrad_conf_give_up(run, CLGRAD_STATUS_OUT_OF_MEMORY, "conformance: no memory for %zu x %zu bytes",
                            count, size);
        return NULL;
    }
    memory->next = run->memory;
    run->memory = memory;
    return memory + 1;
}

float *clgrad_conf_floats(clgrad_conf_run *run, size_t count)
{
    return clgrad_conf_memory(run, count, sizeof(float));
}

double *clgrad_conf_doubles(clgrad_conf_run *run, size_t count)
{
    return clgrad_conf_memory(run, count, sizeof(double));
}

static void free_memory(clgrad_conf_run *run)
{
    while (run->memory != NULL) {
        block *memory = run->memory;
        run->memory = memory->next;
        free(memory);
    }
}

/* ---- what calls answer ---- */

void clgrad_conf_fail(clgrad_conf_run *run, clgrad_status status, const char *format, ...)
{
    if (clgrad_conf_over(run))
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(run->here.message, sizeof run->here.message, format, arguments);
    va_end(arguments);
    run->here.status = status;
    run->failed = true;
}

/* A call that has to succeed on its side. */
static void must_succeed(clgrad_conf_run *run, int side, clgrad_status status)
{
    if (status == CLGRAD_STATUS_SUCCESS)
        return;
    const char *sentence = clgrad_context_error(run->context[side]);
    if (side == CLGRAD_CONF_DEVICE)
        clgrad_conf_fail(run, status, "%s", sentence);
    else
        clgrad_conf_give_up(run, status, "the reference: %s", sentence);
}

void clgrad_conf_answered(clgrad_conf_run *run, const clgrad_status statuses[CLGRAD_CONF_SIDES])
{
    const clgrad_status device = statuses[CLGRAD_CONF_DEVICE], reference = statuses[CLGRAD_CONF_REFERENCE];
    if (clgrad_conf_over(run))
        return;
    if (reference == CLGRAD_STATUS_OUT_OF_MEMORY)
        must_succeed(run, CLGRAD_CONF_REFERENCE, reference);
    else if (device == reference)
        run->refused = device != CLGRAD_STATUS_SUCCESS;
    else if (device != CLGRAD_STATUS_SUCCESS)
        must_succeed(run, CLGRAD_CONF_DEVICE, device);
    else
        clgrad_conf_fail(run, CLGRAD_STATUS_SUCCESS, "accepted, but the reference refuses: %s",
                         clgrad_context_error(run->context[CLGRAD_CONF_REFERENCE]));
}

/* ---- tensors ---- */

clgrad_conf_pair clgrad_conf_none(void)
{
    return (clgrad_conf_pair){0};
}

/* The whole of a tensor's buffer, guards included. */
static clgrad_tensor with_guards(clgrad_tensor tensor)
{
    return clgrad_tensor_vector(tensor.buffer, 0, CLGRAD_TYPE_INT32,
                                clgrad_tensor_count(tensor) + 2 * (size_t)GUARDS);
}

static void create(clgrad_conf_run *run, int side, const uint32_t *words, clgrad_tensor *tensor)
{
    clgrad_context *context = run->context[side];
    const size_t bytes = (clgrad_tensor_count(*tensor) + 2 * (size_t)GUARDS) * sizeof *words;
    clgrad_status status = clgrad_buffer_create(context, bytes, &tensor->buffer);
    if (status == CLGRAD_STATUS_SUCCESS)
        status = clgrad_tensor_write(context, with_guards(*tensor), words, bytes);
    must_succeed(run, side, status);
}

/* numbers NULL: an output. */
static clgrad_conf_pair add_operand(clgrad_conf_run *run, const char *name, clgrad_type type, int rank,
                                    const size_t *shape, const void *numbers)
{
    if (clgrad_conf_over(run))
        return clgrad_conf_none();
    if (run->operand_count == CLGRAD_CONF_MAX_OPERANDS) {
        clgrad_conf_give_up(run, CLGRAD_STATUS_UNSUPPORTED, "conformance: a case of more than %d operands",
                            (int)CLGRAD_CONF_MAX_OPERANDS);
        return clgrad_conf_none();
    }
    clgrad_tensor tensor = {.offset = GUARDS, .type = type, .rank = rank};
    for (int i = 0; i < rank; i++)
        tensor.shape[i] = shape[i];
    const size_t count = clgrad_tensor_count(tensor), all = count + 2 * (size_t)GUARDS;
    uint32_t *words = clgrad_conf_memory(run, all, sizeof *words);
    if (words == NULL)
        return clgrad_conf_none();
    for (size_t i = 0; i < all; i++)
        words[i] = i < GUARDS || i >= GUARDS + count ? guard : untouched;
    if (numbers != NULL && count > 0)
        memcpy(words + GUARDS, numbers, count * sizeof *words);

    clgrad_conf_operand *operand = &run->operands[run->operand_count++];
    *operand = (clgrad_conf_operand){name, {{tensor, tensor}}, numbers};
    for (int side = 0; side < CLGRAD_CONF_SIDES && !clgrad_conf_over(run); side++)
        create(run, side, words, &operand->pair.at[side]);
    return operand->pair;
}

clgrad_conf_pair clgrad_conf_input(clgrad_conf_run *run, const char *name, int rank, const size_t *shape,
                                   const float *numbers)
{
    return numbers == NULL ? clgrad_conf_none()
                           : add_operand(run, name, CLGRAD_TYPE_FLOAT32, rank, shape, numbers);
}

clgrad_conf_pair clgrad_conf_integers(clgrad_conf_run *run, const char *name, int rank, const size_t *shape,
                                      const int32_t *numbers)
{
    return numbers == NULL ? clgrad_conf_none()
                           : add_operand(run, name, CLGRAD_TYPE_INT32, rank, shape, numbers);
}

clgrad_conf_pair clgrad_conf_output(clgrad_conf_run *run, int rank, const size_t *shape)
{
    return add_operand(run, NULL, CLGRAD_TYPE_FLOAT32, rank, shape, NULL);
}

void clgrad_conf_write(clgrad_conf_run *run, int side, clgrad_conf_pair pair, const void *numbers)
{
    const clgrad_tensor tensor = pair.at[side];
    if (!clgrad_conf_over(run) && clgrad_present(tensor))
        must_succeed(run, side,
                     clgrad_tensor_write(run->context[side], tensor, numbers, clgrad_bytes(tensor)));
}

float *clgrad_conf_read(clgrad_conf_run *run, int side, clgrad_conf_pair pair)
{
    const clgrad_tensor tensor = pair.at[side];
    if (clgrad_conf_over(run) || !clgrad_present(tensor))
        return NULL;
    const clgrad_tensor whole = with_guards(tensor);
    const size_t count = clgrad_tensor_count(tensor), all = clgrad_tensor_count(whole);
    uint32_t *words = clgrad_conf_memory(run, all, sizeof *words);
    if (words == NULL)
        return NULL;
    must_succeed(run, side, clgrad_tensor_read(run->context[side], whole, words, all * sizeof *words));
    for (size_t i = 0; i < GUARDS; i++)
        if (words[GUARDS - 1 - i] != guard || words[GUARDS + count + i] != guard)
            clgrad_conf_fail(run, CLGRAD_STATUS_SUCCESS, "wrote outside of a result of %zu elements", count);
    if (clgrad_conf_over(run))
        return NULL;
    memmove(words, words + GUARDS, count * sizeof *words);
    return (float *)words;
}

static void free_operands(clgrad_conf_run *run)
{
    for (size_t i = 0; i < run->operand_count; i++)
        for (int side = 0; side < CLGRAD_CONF_SIDES; side++)
            clgrad_buffer_destroy(run->operands[i].pair.at[side].buffer);
    run->operand_count = 0;
}

/* ---- cases ---- */

static int rank_of(const clgrad_conf_case *each)
{
    int rank = 1;
    for (const char *c = each->dimensions; *c != '\0'; c++)
        rank += *c == ' ';
    return rank;
}

/* "batch=3 in=5"; answers the number of elements. */
static size_t describe(const clgrad_conf_case *each, const size_t *shape, char *text, size_t room)
{
    size_t used = 0, elements = 1;
    const char *name = each->dimensions;
    for (int i = 0; i < rank_of(each); i++) {
        const size_t length = strcspn(name, " ");
        const int written =
            snprintf(text + used, room - used, "%s%.*s=%zu", i > 0 ? " " : "", (int)length, name, shape[i]);
        used = written > 0 && (size_t)written < room - used ? used + (size_t)written : room - 1;
        elements *= shape[i];
        name += length + (name[length] == ' ');
    }
    return elements;
}

/* Whether the case passes in this shape. */
static bool passes(clgrad_conf_run *run, const clgrad_conf_case *each, const size_t *shape)
{
    memset(&run->here, 0, sizeof run->here);
    snprintf(run->here.options, sizeof run->here.options, "%s", each->words);
    run->elements = describe(each, shape, run->here.shape, sizeof run->here.shape);
    run->failed = run->refused = false;
    each->check(run, each->setting, shape);
    free_operands(run);
    free_memory(run);
    if (run->status != CLGRAD_STATUS_SUCCESS || run->refused)
        return true;
    run->result.cases++;
    if (!run->failed)
        return true;
    if (run->result.failed_cases++ == 0 || run->elements < run->failed_elements) {
        run->result.failure = run->here;
        run->failed_elements = run->elements;
    }
    return false;
}

/* A shape fails: halve the steps between what passes and what fails, along one dimension after the other, but
 * leave something in each. */
static void shrink(clgrad_conf_run *run, const clgrad_conf_case *each, const size_t *failing)
{
    size_t shape[CLGRAD_CONF_MAX_RANK];
    memcpy(shape, failing, sizeof shape);
    for (int i = 0; i < rank_of(each); i++) {
        size_t low = shape[i] > 0, high = shape[i]; /* high fails */
        while (low < high) {
            shape[i] = low + (high - low) / 2;
            if (passes(run, each, shape))
                low = shape[i] + 1;
            else
                high = shape[i];
        }
        shape[i] = high;
    }
}

void clgrad_conf_sizes(clgrad_conf_run *run, const clgrad_conf_case *each, const clgrad_conf_shape *shapes,
                       size_t count)
{
    for (size_t i = 0; i < count && run->status == CLGRAD_STATUS_SUCCESS; i++)
        if (!passes(run, each, shapes[i])) {
            shrink(run, each, shapes[i]);
            break;
        }
}

void clgrad_conf_once(clgrad_conf_run *run, const clgrad_conf_case *each, const clgrad_conf_shape shape)
{
    clgrad_conf_sizes(run, each, (const clgrad_conf_shape *)shape, 1);
}

void clgrad_conf_lengths(clgrad_conf_run *run, const clgrad_conf_case *each)
{
    static const clgrad_conf_shape shapes[] = {{0},   {1},   {2},   {3},   {31},   {63},    {64},     {65},
                                               {127}, {255}, {256}, {257}, {1000}, {70001}, {1000003}};
    clgrad_conf_sizes(run, each, shapes, CLGRAD_CONF_COUNT(shapes) - (run->options.full ? 0 : 1));
}
