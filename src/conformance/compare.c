/*
 * Comparing: how far a number is off, and what there is to say of one that is too far off.
 */
#include "conformance.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

double clgrad_conf_ulp(double number)
{
    int exponent;
    frexp(fmax(fabs(number), (double)FLT_MIN), &exponent);
    return ldexp(1, exponent - FLT_MANT_DIG);
}

double clgrad_conf_lost(const clgrad_conf_run *run, double count)
{
    return count * (run->flushes ? (double)FLT_MIN : 0x1p-149);
}

double clgrad_conf_error(float got, float expected, double unit, double slack)
{
    if (isnan(got) || isnan(expected))
        return isnan(got) && isnan(expected) ? 0 : INFINITY;
    if (got == expected)
        return 0;
    if (isinf(got) || isinf(expected)) { /* a few ulp from the largest number, rounding may go either way */
        const bool at_the_edge = fminf(fabsf(got), fabsf(expected)) >= FLT_MAX * (1 - 0x1p-21f);
        return at_the_edge && signbit(got) == signbit(expected) ? 0 : INFINITY;
    }
    const double off = fabs((double)got - (double)expected) - clgrad_conf_ulp(expected) / 2 - slack;
    return off <= 0 ? 0 : unit > 0 ? off / unit : INFINITY;
}

/* ---- reports ---- */

static void append(char *text, size_t room, const char *more)
{
    const size_t used = strlen(text);
    snprintf(text + used, room - used, "%s%s", used > 0 ? ", " : "", more);
}

static void append_element(const clgrad_conf_operand *operand, size_t index, char *text, size_t room)
{
    char element[96];
    if (operand->pair.at[0].type == CLGRAD_TYPE_INT32)
        snprintf(element, sizeof element, "%s[%zu] = %d", operand->name, index,
                 (int)((const int32_t *)operand->numbers)[index]);
    else {
        const double number = ((const float *)operand->numbers)[index];
        snprintf(element, sizeof element, "%s[%zu] = %a (%.9g)", operand->name, index, number, number);
    }
    append(text, room, element);
}

/* The inputs: all of those that are short, of those as long as the result the element of its place. */
static void describe_inputs(clgrad_conf_run *run, size_t index, size_t count)
{
    char *text = run->here.input;
    const size_t room = sizeof run->here.input;
    for (size_t i = 0; i < run->operand_count; i++) {
        const clgrad_conf_operand *operand = &run->operands[i];
        if (operand->name == NULL)
            continue;
        const size_t length = clgrad_tensor_count(operand->pair.at[0]);
        if (length == count && length > 0)
            append_element(operand, index, text, room);
        else
            for (size_t k = 0; k < length && length <= 4; k++)
                append_element(operand, k, text, room);
    }
}

static void note(clgrad_conf_run *run, const char *array, size_t index, size_t count, double got,
                 double expected, double error)
{
    clgrad_conformance_result *result = &run->result;
    result->numbers++;
    if (!(error <= result->worst)) /* NaN too */
        result->worst = isnan(error) ? INFINITY : error;
    if (error <= result->bound || run->failed)
        return;
    snprintf(run->here.array, sizeof run->here.array, "%s", array);
    run->here.index = index;
    run->here.got = got;
    run->here.expected = expected;
    run->here.error = isnan(error) ? INFINITY : error;
    describe_inputs(run, index, count);
    run->failed = true;
}

void clgrad_conf_number(clgrad_conf_run *run, const char *array, size_t index, double got, double expected,
                        double error)
{
    if (!clgrad_conf_over(run))
        note(run, array, index, 0, got, expected, error);
}

void clgrad_conf_compare(clgrad_conf_run *run, const char *array, clgrad_conf_pair pair, const double *unit,
                         double slack)
{
    const float *got = clgrad_conf_read(run, CLGRAD_CONF_DEVICE, pair);
    const float *expected = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, pair);
    if (clgrad_conf_over(run) || got == NULL || expected == NULL)
        return;
    const size_t count = clgrad_tensor_count(pair.at[CLGRAD_CONF_DEVICE]);
    for (size_t i = 0; i < count; i++)
        note(run, array, i, count, got[i], expected[i],
             clgrad_conf_error(got[i], expected[i], unit != NULL ? unit[i] : 0, slack));
}

/* The same bits; one NaN is as good as another. */
static double exact_error(clgrad_type type, const void *got, const void *expected, double numbers[2])
{
    float f[2];
    int32_t k[2];
    memcpy(&k[0], got, sizeof k[0]);
    memcpy(&k[1], expected, sizeof k[1]);
    memcpy(f, k, sizeof f);
    const bool whole = type == CLGRAD_TYPE_INT32;
    for (int i = 0; i < 2; i++)
        numbers[i] = whole ? (double)k[i] : (double)f[i];
    return k[0] == k[1] || (!whole && isnan(f[0]) && isnan(f[1])) ? 0 : INFINITY;
}

void clgrad_conf_compare_exact(clgrad_conf_run *run, const char *array, clgrad_conf_pair pair)
{
    const float *got = clgrad_conf_read(run, CLGRAD_CONF_DEVICE, pair);
    const float *expected = clgrad_conf_read(run, CLGRAD_CONF_REFERENCE, pair);
    if (clgrad_conf_over(run) || got == NULL || expected == NULL)
        return;
    const size_t count = clgrad_tensor_count(pair.at[CLGRAD_CONF_DEVICE]);
    for (size_t i = 0; i < count; i++) {
        double numbers[2];
        const double error = exact_error(pair.at[0].type, &got[i], &expected[i], numbers);
        note(run, array, i, count, numbers[0], numbers[1], error);
    }
}
