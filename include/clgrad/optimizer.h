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

/** The largest float32 below 1: what a decay rate may be at most. */
#define CLGRAD_BELOW_ONE 0.99999994f

/** P(type, field, default, minimum, maximum), one line for each parameter of a row. */
#define CLGRAD_OPTIMIZER_SGD_PARAMETERS(P)        \
    P(NUMBER, lr, 0.001f, 0.0f, FLT_MAX)          \
    P(NUMBER, momentum, 0.0f, 0.0f, FLT_MAX)      \
    P(NUMBER, dampening, 0.0f, -FLT_MAX, FLT_MAX) \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX)  \
    P(FLAG, nesterov, 0.0f, 0.0f, 1.0f)           \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_ADAM_PARAMETERS(P)          \
    P(NUMBER, lr, 0.001f, 0.0f, FLT_MAX)             \
    P(NUMBER, beta1, 0.9f, 0.0f, CLGRAD_BELOW_ONE)   \
    P(NUMBER, beta2, 0.999f, 0.0f, CLGRAD_BELOW_ONE) \
    P(NUMBER, eps, 1e-8f, 0.0f, FLT_MAX)             \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX)     \
    P(FLAG, amsgrad, 0.0f, 0.0f, 1.0f)               \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_ADAMW_PARAMETERS(P)         \
    P(NUMBER, lr, 0.001f, 0.0f, FLT_MAX)             \
    P(NUMBER, beta1, 0.9f, 0.0f, CLGRAD_BELOW_ONE)   \
    P(NUMBER, beta2, 0.999f, 0.0f, CLGRAD_BELOW_ONE) \
    P(NUMBER, eps, 1e-8f, 0.0f, FLT_MAX)             \
    P(NUMBER, weight_decay, 0.01f, 0.0f, FLT_MAX)    \
    P(FLAG, amsgrad, 0.0f, 0.0f, 1.0f)               \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_ADAGRAD_PARAMETERS(P)                \
    P(NUMBER, lr, 0.01f, 0.0f, FLT_MAX)                       \
    P(NUMBER, lr_decay, 0.0f, 0.0f, FLT_MAX)                  \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX)              \
    P(NUMBER, initial_accumulator_value, 0.0f, 0.0f, FLT_MAX) \
    P(NUMBER, eps, 1e-10f, 0.0f, FLT_MAX)                     \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_ADADELTA_PARAMETERS(P)  \
    P(NUMBER, lr, 1.0f, 0.0f, FLT_MAX)           \
    P(NUMBER, rho, 0.9f, 0.0f, 1.0f)             \
    P(NUMBER, eps, 1e-6f, 0.0f, FLT_MAX)         \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX) \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_ADAMAX_PARAMETERS(P)        \
    P(NUMBER, lr, 0.002f, 0.0f, FLT_MAX)             \
    P(NUMBER, beta1, 0.9f, 0.0f, CLGRAD_BELOW_ONE)   \
    P(NUMBER, beta2, 0.999f, 0.0f, CLGRAD_BELOW_ONE) \
    P(NUMBER, eps, 1e-8f, 0.0f, FLT_MAX)             \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX)     \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_NADAM_PARAMETERS(P)          \
    P(NUMBER, lr, 0.002f, 0.0f, FLT_MAX)              \
    P(NUMBER, beta1, 0.9f, 0.0f, CLGRAD_BELOW_ONE)    \
    P(NUMBER, beta2, 0.999f, 0.0f, CLGRAD_BELOW_ONE)  \
    P(NUMBER, eps, 1e-8f, 0.0f, FLT_MAX)              \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX)      \
    P(NUMBER, momentum_decay, 0.004f, 0.0f, FLT_MAX)  \
    P(FLAG, decoupled_weight_decay, 0.0f, 0.0f, 1.0f) \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_RADAM_PARAMETERS(P)          \
    P(NUMBER, lr, 0.001f, 0.0f, FLT_MAX)              \
    P(NUMBER, beta1, 0.9f, 0.0f, CLGRAD_BELOW_ONE)    \
    P(NUMBER, beta2, 0.999f, 0.0f, CLGRAD_BELOW_ONE)  \
    P(NUMBER, eps, 1e-8f, 0.0f, FLT_MAX)              \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX)      \
    P(FLAG, decoupled_weight_decay, 0.0f, 0.0f, 1.0f) \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_RMSPROP_PARAMETERS(P)   \
    P(NUMBER, lr, 0.01f, 0.0f, FLT_MAX)          \
    P(NUMBER, alpha, 0.99f, 0.0f, FLT_MAX)       \
    P(NUMBER, eps, 1e-8f, 0.0f, FLT_MAX)         \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX) \
    P(NUMBER, momentum, 0.0f, 0.0f, FLT_MAX)     \
    P(FLAG, centered, 0.0f, 0.0f, 1.0f)          \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_RPROP_PARAMETERS(P)             \
    P(NUMBER, lr, 0.01f, 0.0f, FLT_MAX)                  \
    P(NUMBER, etaminus, 0.5f, FLT_MIN, CLGRAD_BELOW_ONE) \
    P(NUMBER, etaplus, 1.2f, 0x1.000002p0f, FLT_MAX)     \
    P(NUMBER, step_min, 1e-6f, 0.0f, FLT_MAX)            \
    P(NUMBER, step_max, 50.0f, 0.0f, FLT_MAX)            \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_ASGD_PARAMETERS(P)      \
    P(NUMBER, lr, 0.01f, 0.0f, FLT_MAX)          \
    P(NUMBER, lambd, 1e-4f, 0.0f, FLT_MAX)       \
    P(NUMBER, alpha, 0.75f, 0.0f, FLT_MAX)       \
    P(NUMBER, t0, 1e6f, 0.0f, FLT_MAX)           \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX) \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)
#define CLGRAD_OPTIMIZER_LION_PARAMETERS(P)         \
    P(NUMBER, lr, 1e-4f, 0.0f, FLT_MAX)             \
    P(NUMBER, beta1, 0.9f, 0.0f, CLGRAD_BELOW_ONE)  \
    P(NUMBER, beta2, 0.99f, 0.0f, CLGRAD_BELOW_ONE) \
    P(NUMBER, weight_decay, 0.0f, 0.0f, FLT_MAX)    \
    P(FLAG, maximize, 0.0f, 0.0f, 1.0f)

/**
 * The list of optimizers.
 *
 * X(value, identifier, name, PARAMETERS, slots, slot_names, constraint, constraint_text, bound, formula,
 * source)
 *
 * - slots: how many arrays of state it keeps, each of the parameters' size; an expression over `optimizer`,
 *   a pointer to the descriptor.
 * - slot_names: what PyTorch's optimizer calls these arrays, in their order, separated by blanks; likewise an
 *   expression. Checkpoints bear these names. There may be more names than slots.
 * - constraint: what must hold between parameters, likewise; constraint_text says it in words.
 * - bound: one step's error is at most bound * 2^-24 times the sum of the absolute values of the terms
 *   added to make the new parameter (where such a term is itself made of a sum, an average of gradients say,
 *   with the absolute values in that sum too). It holds where squares of gradients, on their way into an
 *   average, neither overflow nor vanish; docs/numerics.md has the derivation and the rest.
 * - formula: g the gradient (with maximize its negative), w a parameter, t the step, counted from 1. The
 *   letters m, v, b, s, u, a, h and "last g" are the state, which begins at 0 unless it says otherwise; its
 *   slots are in the order in which the formula names them first.
 *
 * Values never change; new rows are appended.
 */
#define CLGRAD_OPTIMIZER_LIST(X)                                                                             \
    X(0, SGD, sgd, CLGRAD_OPTIMIZER_SGD_PARAMETERS, optimizer->momentum != 0 ? 1 : 0, "momentum_buffer",     \
      !optimizer->nesterov || (optimizer->momentum > 0 && optimizer->dampening == 0),                        \
      "nesterov needs a momentum above 0 and a dampening of 0", 8.0f,                                        \
      "g += weight_decay w; b = g at step 1, else momentum b + (1 - dampening) g; w -= lr (nesterov: g + "   \
      "momentum b; else b; without momentum: g)",                                                            \
      "PyTorch optim.SGD; Sutskever et al. 2013")                                                            \
    X(1, ADAM, adam, CLGRAD_OPTIMIZER_ADAM_PARAMETERS, optimizer->amsgrad ? 3 : 2,                           \
      "exp_avg exp_avg_sq max_exp_avg_sq", true, "", 32.0f,                                                  \
      "g += weight_decay w; m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; amsgrad: v in the "  \
      "next line is the largest v so far; w -= lr / (1 - beta1^t) m / (sqrt(v / (1 - beta2^t)) + eps)",      \
      "PyTorch optim.Adam; Kingma and Ba 2015; Reddi, Kale, Kumar 2018")                                     \
    X(2, ADAMW, adamw, CLGRAD_OPTIMIZER_ADAMW_PARAMETERS, optimizer->amsgrad ? 3 : 2,                        \
      "exp_avg exp_avg_sq max_exp_avg_sq", true, "", 32.0f,                                                  \
      "w -= lr weight_decay w; then adam without weight decay",                                              \
      "PyTorch optim.AdamW; Loshchilov and Hutter 2019")                                                     \
    X(3, ADAGRAD, adagrad, CLGRAD_OPTIMIZER_ADAGRAD_PARAMETERS, 1, "sum", true, "", 32.0f,                   \
      "g += weight_decay w; s = s + g^2, at first initial_accumulator_value; w -= lr / (1 + (t - 1) "        \
      "lr_decay) g / (sqrt(s) + eps)",                                                                       \
      "PyTorch optim.Adagrad; Duchi, Hazan, Singer 2011")                                                    \
    X(4, ADADELTA, adadelta, CLGRAD_OPTIMIZER_ADADELTA_PARAMETERS, 2, "square_avg acc_delta", true, "",      \
      32.0f,                                                                                                 \
      "g += weight_decay w; v = rho v + (1 - rho) g^2; d = sqrt(u + eps) / sqrt(v + eps) g; u = rho u + (1 " \
      "- rho) d^2; w -= lr d",                                                                               \
      "PyTorch optim.Adadelta; Zeiler 2012")                                                                 \
    X(5, ADAMAX, adamax, CLGRAD_OPTIMIZER_ADAMAX_PARAMETERS, 2, "exp_avg exp_inf", true, "", 32.0f,          \
      "g += weight_decay w; m = beta1 m + (1 - beta1) g; u = max(beta2 u, |g| + eps); w -= lr m / ((1 - "    \
      "beta1^t) u)",                                                                                         \
      "PyTorch optim.Adamax; Kingma and Ba 2015")                                                            \
    X(6, NADAM, nadam, CLGRAD_OPTIMIZER_NADAM_PARAMETERS, 2, "exp_avg exp_avg_sq", true, "", 32.0f,          \
      "weight decay as adam, or as adamw where decoupled; m and v as adam; k_t = beta1 (1 - 0.96^(t "        \
      "momentum_decay) / 2), K_t their product; w -= lr (k_{t+1} m / (1 - K_{t+1}) + (1 - k_t) g / (1 - "    \
      "K_t)) / (sqrt(v / (1 - beta2^t)) + eps)",                                                             \
      "PyTorch optim.NAdam; Dozat 2016")                                                                     \
    X(7, RADAM, radam, CLGRAD_OPTIMIZER_RADAM_PARAMETERS, 2, "exp_avg exp_avg_sq", true, "", 32.0f,          \
      "weight decay as nadam; m and v as adam; n = 2 / (1 - beta2) - 1, r = n - 2 t beta2^t / (1 - "         \
      "beta2^t); w -= lr m / (1 - beta1^t), and where r > 5 that times sqrt((r - 4) (r - 2) n / ((n - 4) "   \
      "(n - 2) r)) sqrt(1 - beta2^t) / (sqrt(v) + eps)",                                                     \
      "PyTorch optim.RAdam; Liu et al. 2020")                                                                \
    X(8, RMSPROP, rmsprop, CLGRAD_OPTIMIZER_RMSPROP_PARAMETERS,                                              \
      (size_t)1 + (optimizer->momentum > 0) + optimizer->centered,                                           \
      !optimizer->centered      ? "square_avg momentum_buffer"                                               \
      : optimizer->momentum > 0 ? "variance momentum_buffer grad_avg"                                        \
                                : "variance grad_avg",                                                       \
      true, "", 32.0f,                                                                                       \
      "g += weight_decay w; v = alpha v + (1 - alpha) g^2; d = g / (sqrt(v) + eps); w -= lr d, with "        \
      "momentum b = momentum b + d; w -= lr b; centered: v = alpha v + alpha (1 - alpha) (g - a)^2 in "      \
      "its place (PyTorch's v less its a^2), then a = alpha a + (1 - alpha) g",                              \
      "PyTorch optim.RMSprop; Hinton 2012; Graves 2013")                                                     \
    X(9, RPROP, rprop, CLGRAD_OPTIMIZER_RPROP_PARAMETERS, 2, "prev step_size",                               \
      optimizer->step_min <= optimizer->step_max, "step_min must not be above step_max", 8.0f,               \
      "by the signs of g and the last g: alike h = h etaplus, unlike h = h etaminus and g = 0; h, at first " \
      "lr, is clamped to step_min and step_max; w -= sign(g) h",                                             \
      "PyTorch optim.Rprop; Riedmiller and Braun 1993")                                                      \
    X(10, ASGD, asgd, CLGRAD_OPTIMIZER_ASGD_PARAMETERS, 1, "ax", true, "", 8.0f,                             \
      "g += weight_decay w; w = (1 - lambd e) w - e g with e = lr / (1 + lambd lr (t - 1))^alpha; the "      \
      "average of w: a += (w - a) / max(1, t - 1 - t0)",                                                     \
      "PyTorch optim.ASGD; Polyak and Juditsky 1992")                                                        \
    X(11, LION, lion, CLGRAD_OPTIMIZER_LION_PARAMETERS, 1, "exp_avg", true, "", 8.0f,                        \
      "w -= lr weight_decay w; w -= lr sign(beta1 m + (1 - beta1) g); m = beta2 m + (1 - beta2) g",          \
      "Chen et al. 2023")

/** The optimizers: the list's rows. */
typedef enum clgrad_optimizer_kind {
#define CLGRAD_OPTIMIZER_ENUM(value, identifier, ...) CLGRAD_OPTIMIZER_##identifier = value,
    CLGRAD_OPTIMIZER_LIST(CLGRAD_OPTIMIZER_ENUM)
#undef CLGRAD_OPTIMIZER_ENUM
} clgrad_optimizer_kind;

/** How many there are. */
enum {
#define CLGRAD_OPTIMIZER_ONE(...) +1
    CLGRAD_OPTIMIZER_COUNT = 0 CLGRAD_OPTIMIZER_LIST(CLGRAD_OPTIMIZER_ONE) /**< rows of the list */
#undef CLGRAD_OPTIMIZER_ONE
};

/** An optimizer and its parameters. Fields that its kind does not list are ignored. */
typedef struct clgrad_optimizer {
    clgrad_optimizer_kind kind; /**< which row of the list */
    float lr;                   /**< learning rate */
    float momentum;             /**< sgd, rmsprop */
    float dampening;            /**< sgd: of the gradient that enters the momentum */
    float
        weight_decay; /**< L2 penalty; adamw, lion and where decoupled: what every step takes off directly */
    float beta1, beta2; /**< decay of the averages of the gradient and of its square (PyTorch's betas) */
    float eps;          /**< keeps a denominator away from 0 */
    float rho;          /**< adadelta: decay of the averages */
    float alpha; /**< rmsprop: decay of the average of the square; asgd: power of the learning rate's decay */
    float lr_decay, initial_accumulator_value; /**< adagrad */
    float momentum_decay;                      /**< nadam */
    float etaminus, etaplus;                   /**< rprop: factors of the step size (PyTorch's etas) */
    float step_min, step_max;                  /**< rprop: its interval (PyTorch's step_sizes) */
    float lambd, t0;                           /**< asgd: decay, and where averaging begins */
    bool nesterov;                             /**< sgd */
    bool amsgrad;                              /**< adam, adamw */
    bool centered;                             /**< rmsprop */
    bool decoupled_weight_decay;               /**< nadam, radam */
    bool maximize;                             /**< go up the gradient */
    uint64_t reserved[6];                      /**< 0; room for later versions (docs/abi.md) */
} clgrad_optimizer;

/** What the list says of one optimizer. */
typedef struct clgrad_optimizer_info {
    const char *name;                   /**< "adamw" */
    const clgrad_parameter *parameters; /**< ends with a NULL name */
    float bound;                        /**< on the error, see the list */
    const char *formula, *source;       /**< in words */
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
 * parameters and state as they are; only a suspended step 1 sets the state to what it begins with, for step 2
 * to go on from. A NaN in the gradient reaches its own parameter alone.
 *
 * A step knows its options and its number and nothing of the steps before but the state. So an option may
 * change from step to step, and counts at once: asgd's e and nadam's k are those of the current options,
 * where PyTorch keeps some of them from the step before.
 *
 * @return SUCCESS; INVALID_ARGUMENT (NULL, step 0, a parameter outside its interval or against the
 *         constraint, an absent tensor, an overlap); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT;
 *         OUT_OF_RANGE; BUILD_FAILED; OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR
 */
CLGRAD_API clgrad_status clgrad_optimizer_step(clgrad_context *context, const clgrad_optimizer *optimizer,
                                               uint64_t step, clgrad_tensor gradient,
                                               clgrad_tensor parameters, clgrad_tensor state);

/** How many groups of options one step may have. */
#define CLGRAD_OPTIMIZER_MAX_GROUPS 8

/**
 * The same with options that differ between groups of parameters (no weight decay on biases, say), still in
 * one launch.
 *
 * @param groups       the options of each group: one kind, any parameters
 * @param group_count  1 to CLGRAD_OPTIMIZER_MAX_GROUPS
 * @param ranges       int32 [ranges, 2]: row i is (end, group): the parameters from the end of row i - 1
 * (from 0 for the first) up to but without end belong to that group. Ends ascend; where they do not, which
 * group a parameter has is not defined. Parameters of group -1 and those after the last end stay as they
 * are.
 * @param state        [slots, number of parameters], slots the largest that any group needs
 *
 * A row that covers parameters and has a group that there is not is reported later, as a class index is (see
 * clgrad_context_finish); its parameters stay, those of other groups have their step, then and as long as the
 * report is pending.
 *
 * Step 1 sets all of the state: also what a group with fewer slots does not use, and where there is no group
 * (as the first group's), so that parameters may join a group later.
 *
 * @return as clgrad_optimizer_step; also INVALID_ARGUMENT for no group, too many or two kinds, and
 *         OUT_OF_RANGE for 2^31 parameters and more
 */
CLGRAD_API clgrad_status clgrad_optimizer_step_groups(clgrad_context *context, const clgrad_optimizer *groups,
                                                      size_t group_count, clgrad_tensor ranges, uint64_t step,
                                                      clgrad_tensor gradient, clgrad_tensor parameters,
                                                      clgrad_tensor state);

#ifdef __cplusplus
}
#endif

#endif
