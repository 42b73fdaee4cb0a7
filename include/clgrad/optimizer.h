/**
 * @file optimizer.h
 * Weight updates: one launch over a flat array of parameters.
 */
#ifndef CLGRAD_OPTIMIZER_H
#define CLGRAD_OPTIMIZER_H

#include <clgrad/parameter.h>
#include <clgrad/tensor.h>

#include <float.h>

#ifdef __cplusplus
extern "C" {
#endif

/** P(type, field, default, minimum, maximum), one line for each parameter of a row. */
#define CLGRAD_OPTIMIZER_SGD_PARAMETERS(P)        \
    P(NUMBER, lr, 0.001f, 0.0f, FLT_MAX)          \
    P(NUMBER, momentum, 0.0f, 0.0f, FLT_MAX)      \
    P(NUMBER, dampening, 0.0f, -FLT_MAX, FLT_MAX) \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX)  \
    P(FLAG, nesterov, 0.0f, 0.0f, 1.0f)

/**
 * The list of optimizers.
 *
 * X(value, identifier, name, PARAMETERS, slots, constraint, constraint_text, bound, formula, source)
 *
 * - slots: how many arrays of state it keeps, each of the parameters' size; an expression over `optimizer`,
 *   a pointer to the descriptor.
 * - constraint: what must hold between parameters, likewise; constraint_text says it in words.
 * - bound: one step's error is at most bound * 2^-24 times the sum of the absolute values of the terms
 *   added to make the new parameter.
 * - formula: g the gradient, w a parameter, b the state; the first step is step 1.
 *
 * Values never change; new rows are appended.
 */
#define CLGRAD_OPTIMIZER_LIST(X)                                                      \
    X(0, SGD, sgd, CLGRAD_OPTIMIZER_SGD_PARAMETERS, optimizer->momentum != 0 ? 1 : 0, \
      !optimizer->nesterov || (optimizer->momentum > 0 && optimizer->dampening == 0), \
      "nesterov needs a momentum above 0 and a dampening of 0", 8.0f,                 \
      "g += weight_decay w; b = g at step 1, else momentum b + (1 - dampening) g; "   \
      "w -= lr (nesterov: g + momentum b; else b; without momentum: g)",              \
      "PyTorch optim.SGD; Sutskever et al. 2013")

typedef enum clgrad_optimizer_kind {
#define CLGRAD_OPTIMIZER_ENUM(value, identifier, ...) CLGRAD_OPTIMIZER_##identifier = value,
    CLGRAD_OPTIMIZER_LIST(CLGRAD_OPTIMIZER_ENUM)
#undef CLGRAD_OPTIMIZER_ENUM
} clgrad_optimizer_kind;

enum {
#define CLGRAD_OPTIMIZER_ONE(...) +1
    CLGRAD_OPTIMIZER_COUNT = 0 CLGRAD_OPTIMIZER_LIST(CLGRAD_OPTIMIZER_ONE) /**< rows of the list */
#undef CLGRAD_OPTIMIZER_ONE
};

/** An optimizer and its parameters. Fields that its kind does not list are ignored. */
typedef struct clgrad_optimizer {
    clgrad_optimizer_kind kind;
    float lr; /**< learning rate */
    float momentum;
    float dampening;    /**< of the gradient that enters the momentum */
    float weight_decay; /**< L2 penalty */
    bool nesterov;
} clgrad_optimizer;

/** What the list says of one optimizer. */
typedef struct clgrad_optimizer_info {
    const char *name;
    const clgrad_parameter *parameters; /**< ends with a NULL name */
    float bound;
    const char *formula, *source;
} clgrad_optimizer_info;

/** The list's row for a kind, or NULL for a value not in the list. */
CLGRAD_API const clgrad_optimizer_info *clgrad_optimizer_describe(clgrad_optimizer_kind kind);

/** Find a kind by its name in the list. False, and kind unchanged, when there is none. */
CLGRAD_API bool clgrad_optimizer_parse(const char *name, clgrad_optimizer_kind *kind);

/** The optimizer with every parameter at PyTorch's default. */
CLGRAD_API clgrad_optimizer clgrad_optimizer_defaults(clgrad_optimizer_kind kind);

/** How many arrays of state, each of the parameters' size, the optimizer needs; 0 for NULL. */
CLGRAD_API size_t clgrad_optimizer_slots(const clgrad_optimizer *optimizer);

/**
 * Update the parameters in place by one step.
 *
 * @param step        1 at the first step, 2 at the second, and so on
 * @param gradient    float32, the parameters' shape; unchanged
 * @param parameters  float32, any shape
 * @param state       float32 [slots, number of parameters] (see clgrad_optimizer_slots), carried from step to
 *                    step; what it holds before step 1 does not matter. Absent when slots is 0.
 *
 * No two of them may overlap. While an index fault is pending (see clgrad_context_finish) the step leaves
 * parameters and state as they are; only a suspended step 1 sets the state to 0, for step 2 to go on from.
 *
 * @return SUCCESS; INVALID_ARGUMENT (NULL, step 0, a parameter outside its interval or against the
 *         constraint, an absent tensor, an overlap); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT;
 *         OUT_OF_RANGE; BUILD_FAILED; OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_optimizer_step(clgrad_context *context, const clgrad_optimizer *optimizer,
                                               uint64_t step, clgrad_tensor gradient,
                                               clgrad_tensor parameters, clgrad_tensor state);

#ifdef __cplusplus
}
#endif

#endif
