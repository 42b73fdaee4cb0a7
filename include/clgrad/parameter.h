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

/** What kind of field a parameter is. */
typedef enum clgrad_parameter_type {
    CLGRAD_PARAMETER_NUMBER = 0, /**< a float field */
    CLGRAD_PARAMETER_FLAG = 1,   /**< a bool field */
    CLGRAD_PARAMETER_INTEGER = 2 /**< an int32_t field, of at most 24 bits: every value is a float too */
} clgrad_parameter_type;

/** One parameter of a row of a list: where it is in the descriptor, its default and its interval. */
typedef struct clgrad_parameter {
    const char *name;           /**< PyTorch's name, and the field's; NULL ends an array of parameters */
    clgrad_parameter_type type; /**< of the field */
    size_t offset;              /**< of the field in the family's descriptor struct */
    float default_value;        /**< for a flag 0 or 1 */
    float minimum, maximum;     /**< the closed interval of values that are accepted; NaN never is */
} clgrad_parameter;

/** The value of a parameter in a descriptor (a clgrad_loss, say); a flag's is 0 or 1. */
CLGRAD_API float clgrad_parameter_get(const clgrad_parameter *parameter, const void *descriptor);

/**
 * Set a parameter in a descriptor. False, and nothing changed, for a value outside its interval or, for an
 * integer or a flag, one that is none.
 */
CLGRAD_API bool clgrad_parameter_set(const clgrad_parameter *parameter, void *descriptor, float value);

#ifdef __cplusplus
}
#endif

#endif
