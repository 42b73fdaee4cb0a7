#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CHAIN = 1000, LINE = 4096 };

bool bench_fail(bench *b, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(b->error, sizeof b->error, format, arguments);
    va_end(arguments);
    return false;
}

bool bench_check(bench *b, clgrad_status status)
{
    return status == CLGRAD_STATUS_SUCCESS || bench_fail(b, "%s", clgrad_context_error(b->context));
}

/* ---- inputs ---- */

uint32_t bench_bits(uint32_t stream, size_t i)
{
    uint32_t bits = (uint32_t)i * 0x9E3779B1u + stream * 0x85EBCA77u;
    bits = (bits ^ (bits >> 15)) * 0x2C1B3C6Du;
    bits = (bits ^ (bits >> 12)) * 0x297A2D39u;
    return (bits ^ (bits >> 15)) >> 8;
}

float *bench_numbers(bench_range range, size_t count)
{
    float *numbers = malloc((count > 0 ? count : 1) * sizeof *numbers);
    for (size_t i = 0; numbers != NULL && i < count; i++)
        numbers[i] = (float)(range.low + (range.high - range.low) * (bench_bits(range.stream, i) * 0x1p-24));
    return numbers;
}

static bool create(bench *b, clgrad_type type, int rank, const size_t *shape, clgrad_tensor *tensor)
{
    if (b->buffer_count == BENCH_BUFFERS)
        return bench_fail(b, "a case has more than %d tensors", BENCH_BUFFERS);
    if (!bench_check(b, clgrad_tensor_create(b->context, type, rank, shape, tensor)))
        return false;
    b->buffers[b->buffer_count++] = tensor->buffer;
    return true;
}

bool bench_tensor(bench *b, const bench_range *range, int rank, const size_t *shape, clgrad_tensor *tensor)
{
    if (!create(b, CLGRAD_TYPE_FLOAT32, rank, shape, tensor))
        return false;
    if (range == NULL)
        return true;
    const size_t count = clgrad_tensor_count(*tensor);
    float *numbers = bench_numbers(*range, count);
    const bool written =
        numbers == NULL
            ? bench_fail(b, "the host is out of memory")
            : bench_check(b, clgrad_tensor_write(b->context, *tensor, numbers, count * sizeof *numbers));
    free(numbers);
    return written;
}

bool bench_classes(bench *b, uint32_t stream, size_t count, size_t classes, clgrad_tensor *tensor)
{
    int32_t *indices = malloc(count * sizeof *indices);
    if (indices == NULL)
        return bench_fail(b, "the host is out of memory");
    for (size_t i = 0; i < count; i++)
        indices[i] = (int32_t)(bench_bits(stream, i) % classes);
    const bool written =
        create(b, CLGRAD_TYPE_INT32, 1, &count, tensor) &&
        bench_check(b, clgrad_tensor_write(b->context, *tensor, indices, count * sizeof *indices));
    free(indices);
    return written;
}

void bench_result_add(bench *b, clgrad_tensor tensor, float *initial)
{
    b->results[b->result_count++] = (bench_result){tensor, initial, NULL};
}

bool bench_sizes(bench *b, const char *text, char separator, size_t *sizes, size_t capacity, size_t *count)
{
    *count = 0;
    for (const char *rest = text;; rest++) {
        char *end;
        const unsigned long long size = strtoull(rest, &end, 10);
        if (end == rest || size == 0 || *count == capacity || (*end != separator && *end != '\0'))
            return bench_fail(b, "'%s' is not a list of at most %zu sizes", text, capacity);
        sizes[(*count)++] = (size_t)size;
        if (*end == '\0')
            return true;
        rest = end;
    }
}

/* ---- a case ---- */

static void close_case(bench *b)
{
    if (b->close != NULL)
        b->close(b);
    for (size_t i = 0; i < b->buffer_count; i++)
        clgrad_buffer_destroy(b->buffers[i]);
    for (size_t i = 0; i < b->result_count; i++)
        free(b->results[i].initial), free(b->results[i].values);
    free(b->state);
    *b = (bench){.groups = b->groups, .context = b->context, .device = b->device};
}

static bool finish(bench *b)
{
    return b->context == NULL || bench_check(b, clgrad_context_finish(b->context));
}

/* A chain of repetitions, then one wait; very long ones have a wait now and then, as a program would. */
static bool repeat(bench *b, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!b->repeat(b) || (i % CHAIN == CHAIN - 1 && !finish(b)))
            return false;
    return finish(b);
}

static bool keep_results(bench *b)
{
    for (size_t i = 0; i < b->result_count; i++) {
        bench_result *result = &b->results[i];
        const size_t count = clgrad_tensor_count(result->tensor);
        result->values = malloc(count * sizeof *result->values);
        if (result->values == NULL)
            return bench_fail(b, "the host is out of memory");
        if (!bench_check(b, clgrad_tensor_read(b->context, result->tensor, result->values,
                                               count * sizeof *result->values)))
            return false;
        for (size_t k = 0; result->initial != NULL && k < count; k++)
            result->values[k] -= result->initial[k];
    }
    return true;
}

static bool open_case(bench *b, char *name)
{
    char *words[BENCH_WORDS], *rest = NULL;
    size_t count = 0;
    for (char *word = strtok_r(name, "/", &rest); word != NULL && count < BENCH_WORDS;
         word = strtok_r(NULL, "/", &rest))
        words[count++] = word;

    const bench_group *group = b->groups;
    while (group->name != NULL && (count == 0 || strcmp(group->name, words[0]) != 0))
        group++;
    if (group->name == NULL)
        return bench_fail(b, "this side has no such case");
    b->variants[0] = "only", b->variant_count = 1;
    return group->open(b, words + 1, count - 1) && repeat(b, CHECKED_REPETITIONS) && keep_results(b) &&
           (b->settle == NULL || b->settle(b));
}

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

static bool time_repetitions(bench *b, size_t count, double *seconds)
{
    const double begin = now();
    if (!repeat(b, count))
        return false;
    *seconds = (now() - begin) / (double)count;
    return true;
}

/* Repetitions that fill the time asked for, after some that warm up what the pause before let cool down. What
 * takes longer than that time needs neither warming nor more than one. */
static bool run(bench *b, double wanted, double *seconds, size_t *count)
{
    if (b->repeat == NULL)
        return bench_fail(b, "no case is open");
    if (b->seconds <= 0 && !time_repetitions(b, 1, &b->seconds)) /* the first may compile */
        return false;
    for (size_t n = 1; b->seconds * (double)n < wanted / 4; n *= 2)
        if (!time_repetitions(b, n, &b->seconds))
            return false;
    *count = (size_t)fmax(wanted / b->seconds, 1);
    const size_t warming = *count > 1 ? 1 + *count / 10 : 0;
    if (!repeat(b, warming) || !time_repetitions(b, *count, seconds))
        return false;
    b->seconds = *seconds;
    return true;
}

/* ---- results ---- */

static bool write_results(bench *b, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (file == NULL)
        return bench_fail(b, "%s cannot be written", path);
    bool written = true;
    for (size_t i = 0; i < b->result_count; i++) {
        const size_t count = clgrad_tensor_count(b->results[i].tensor);
        written = fwrite(b->results[i].values, sizeof(float), count, file) == count && written;
    }
    written = fclose(file) == 0 && written;
    return written || bench_fail(b, "%s cannot be written", path);
}

/* The worst of both measures over all results. A NaN on either side is an infinite error. */
static void compare(const float *values, const float *wanted, size_t count, double *largest, double *norm)
{
    double top = 0, top_error = 0, sum = 0, error_sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double size = fabs((double)wanted[i]), error = fabs((double)values[i] - (double)wanted[i]);
        if (!(error < INFINITY)) {
            *largest = *norm = INFINITY;
            return;
        }
        top = fmax(top, size), top_error = fmax(top_error, error);
        sum += size * size, error_sum += error * error;
    }
    *largest = fmax(*largest, top_error > 0 ? top_error / top : 0);
    *norm = fmax(*norm, error_sum > 0 ? sqrt(error_sum / sum) : 0);
}

static bool compare_results(bench *b, const char *path, double *largest, double *norm)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return bench_fail(b, "%s cannot be read", path);
    bool complete = b->result_count > 0;
    *largest = *norm = 0;
    for (size_t i = 0; complete && i < b->result_count; i++) {
        const size_t count = clgrad_tensor_count(b->results[i].tensor);
        float *wanted = malloc(count * sizeof *wanted);
        complete = wanted != NULL && fread(wanted, sizeof *wanted, count, file) == count;
        if (complete)
            compare(b->results[i].values, wanted, count, largest, norm);
        free(wanted);
    }
    complete = complete && fgetc(file) == EOF;
    fclose(file);
    return complete || bench_fail(b, "the sides have results of different sizes");
}

/* ---- the protocol ---- */

static void answer(const bench *b, bool done)
{
    if (done)
        printf("ok\n");
    else
        printf("failed %s\n", b->error);
}

static void answer_case(bench *b, char *name)
{
    close_case(b);
    if (!open_case(b, name)) {
        answer(b, false);
        close_case(b);
        return;
    }
    printf("ok");
    for (size_t i = 0; i < b->variant_count; i++)
        printf(" %s", b->variants[i]);
    printf("\n");
}

static void answer_variant(bench *b, const char *number)
{
    const size_t variant = (size_t)strtoull(number, NULL, 10);
    b->seconds = 0;
    if (variant >= b->variant_count)
        answer(b, bench_fail(b, "there is no variant %zu", variant));
    else
        answer(b, b->choose == NULL || b->choose(b, variant));
}

static void answer_run(bench *b, const char *wanted)
{
    double seconds = 0;
    size_t count = 0;
    if (run(b, strtod(wanted, NULL), &seconds, &count))
        printf("ok %.6g %zu\n", 1e6 * seconds, count);
    else
        answer(b, false);
}

static void answer_comparison(bench *b, const char *path)
{
    double largest = 0, norm = 0;
    if (compare_results(b, path, &largest, &norm))
        printf("ok %g %g\n", largest, norm);
    else
        answer(b, false);
}

static void answer_command(bench *b, const char *command, char *argument)
{
    if (strcmp(command, "CASE") == 0)
        answer_case(b, argument);
    else if (strcmp(command, "VARIANT") == 0)
        answer_variant(b, argument);
    else if (strcmp(command, "RUN") == 0)
        answer_run(b, argument);
    else if (strcmp(command, "RESULT") == 0)
        answer(b, write_results(b, argument));
    else if (strcmp(command, "COMPARE") == 0)
        answer_comparison(b, argument);
    else
        answer(b, bench_fail(b, "%s is not a command", command));
}

int bench_serve(bench *b)
{
    char line[LINE];
    while (fgets(line, sizeof line, stdin) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        char *argument = line + strcspn(line, " ");
        if (*argument != '\0')
            *argument++ = '\0';
        if (strcmp(line, "DEVICE") == 0)
            printf("ok %s\n", b->device);
        else
            answer_command(b, line, argument);
        fflush(stdout);
    }
    close_case(b);
    return EXIT_SUCCESS;
}
