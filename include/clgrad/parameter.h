/**
 * @file parameter.h
 * A description of one option of an activation, a loss or an optimizer, so that programs can list,
 * parse and set options by name. Each family's list (activation.h, loss.h, optimizer.h) carries them.
 */
#ifndef CLGRAD_PARAMETER_H
#define CLGRAD_PARAMETER_H

#include <clgrad/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The largest number of parameters that one row of a list has. */
#define CLGRAD_PARAMETER_MAX 8

typedef enum clgrad_parameter_type {
    CLGRAD_PARAMETER_NUMBER = 0, /**< a float field */
    CLGRAD_PARAMETER_FLAG = 1    /**< a bool field */
} clgrad_parameter_type;

typedef struct clgrad_parameter {
    const char *name; /**< PyTorch's name, and the field's; NULL ends an array of parameters */
    clgrad_parameter_type type;
    size_t offset;          /**< of the field in the family's descriptor struct */
    float default_value;    /**< for a flag 0 or 1 */
    float minimum, maximum; /**< the closed interval of values that are accepted; NaN never is */
} clgrad_parameter;

#ifdef __cplusplus
}
#endif

#endif
