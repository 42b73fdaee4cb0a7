/**
 * @file activation.h
 * Elementwise activations: y = f(x) and dx = dy * f'(x).
 */
#ifndef CLGRAD_ACTIVATION_H
#define CLGRAD_ACTIVATION_H

#include <clgrad/parameter.h>
#include <clgrad/tensor.h>

#include <float.h>

#ifdef __cplusplus
extern "C" {
#endif

/** P(type, field, default, minimum, maximum), one line for each parameter of a row. */
#define CLGRAD_ACTIVATION_NO_PARAMETERS(P)
#define CLGRAD_ACTIVATION_LEAKY_RELU_PARAMETERS(P) P(NUMBER, negative_slope, 0.01f, -FLT_MAX, FLT_MAX)
#define CLGRAD_ACTIVATION_ELU_PARAMETERS(P) P(NUMBER, alpha, 1.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_ACTIVATION_CELU_PARAMETERS(P) P(NUMBER, alpha, 1.0f, FLT_MIN, FLT_MAX)
#define CLGRAD_ACTIVATION_SOFTPLUS_PARAMETERS(P) \
    P(NUMBER, beta, 1.0f, FLT_MIN, FLT_MAX)      \
    P(NUMBER, threshold, 20.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_ACTIVATION_SHRINK_PARAMETERS(P) P(NUMBER, lambd, 0.5f, 0.0f, FLT_MAX)
#define CLGRAD_ACTIVATION_THRESHOLD_PARAMETERS(P) \
    P(NUMBER, threshold, 0.0f, -FLT_MAX, FLT_MAX) \
    P(NUMBER, value, 0.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_ACTIVATION_HARDTANH_PARAMETERS(P) \
    P(NUMBER, min_val, -1.0f, -FLT_MAX, FLT_MAX) \
    P(NUMBER, max_val, 1.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_ACTIVATION_RRELU_PARAMETERS(P)   \
    P(NUMBER, lower, 0.125f, -FLT_MAX, FLT_MAX) \
    P(NUMBER, upper, 1.0f / 3.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_ACTIVATION_CLAMP_PARAMETERS(P) \
    P(NUMBER, min, 0.0f, -FLT_MAX, FLT_MAX)   \
    P(NUMBER, max, 1.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_ACTIVATION_POW_PARAMETERS(P) P(NUMBER, exponent, 2.0f, -FLT_MAX, FLT_MAX)
#define CLGRAD_ACTIVATION_LINEAR_PARAMETERS(P) \
    P(NUMBER, alpha, 1.0f, -FLT_MAX, FLT_MAX)  \
    P(NUMBER, beta, 0.0f, -FLT_MAX, FLT_MAX)

/**
 * The list of activations. Everything else about them is generated from it or checked against it.
 *
 * X(value, identifier, name, PARAMETERS, constraint, constraint_text, forward_ulp, backward_ulp,
 *   backward_floor, masks, from_output, formula, derivative, source)
 *
 * - constraint: what must hold between parameters, an expression over `activation`, a pointer to the
 *   descriptor; constraint_text says it in words.
 * - forward_ulp, backward_ulp: the bound on the error of f and of f' over all finite float32 inputs, in
 *   units in the last place of the exact result; docs/numerics.md derives them.
 * - backward_floor: where f' crosses 0 between two neighbouring float32, no float32 argument gives it a small
 *   relative error; so the unit is that of the larger of |f'| and this number.
 * - masks: whether dx is 0 wherever f' is 0, whatever dy is (PyTorch selects there instead of multiplying).
 * - from_output: whether the output may stand in for the input in the backward pass, see
 *   clgrad_activation_from_output. An expression over `activation`.
 *
 * Defaults are PyTorch's; threshold, clamp and pow, which have none there, get plain ones.
 * Values never change; new rows are appended.
 */
#define CLGRAD_ACTIVATION_LIST(X)                                                                            \
    X(0, IDENTITY, identity, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 0.0f, 0.0f, 0.0f, false, true, "x",  \
      "1", "PyTorch nn.Identity")                                                                            \
    X(1, SIGMOID, sigmoid, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false, false,        \
      "1 / (1 + exp(-x))", "exp(-x) / (1 + exp(-x))^2", "PyTorch nn.Sigmoid; DLMF 4.2")                      \
    X(2, TANH, tanh, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false, false,              \
      "(exp(x) - exp(-x)) / (exp(x) + exp(-x))", "1 / cosh(x)^2", "PyTorch nn.Tanh; DLMF 4.28")              \
    X(3, RELU, relu, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 0.0f, 0.0f, 0.0f, true, true, "max(x, 0)",   \
      "1 if x > 0, else 0", "PyTorch nn.ReLU")                                                               \
    X(4, LEAKY_RELU, leaky_relu, CLGRAD_ACTIVATION_LEAKY_RELU_PARAMETERS, true, "", 0.5f, 0.0f, 0.0f, false, \
      activation->negative_slope >= 0, "x if x > 0, else negative_slope x",                                  \
      "1 if x > 0, else negative_slope", "PyTorch nn.LeakyReLU")                                             \
    X(5, RELU6, relu6, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 0.0f, 0.0f, 0.0f, true, true,              \
      "min(max(x, 0), 6)", "1 if 0 < x < 6, else 0", "PyTorch nn.ReLU6")                                     \
    X(6, RRELU, rrelu, CLGRAD_ACTIVATION_RRELU_PARAMETERS, activation->lower <= activation->upper,           \
      "lower must not be above upper", 2.0f, 1.0f, 0.0f, false, activation->lower + activation->upper >= 0,  \
      "x if x > 0, else (lower + upper) / 2 x", "1 if x > 0, else (lower + upper) / 2",                      \
      "PyTorch nn.RReLU in evaluation; in training see noise.h; Xu et al. 2015")                             \
    X(7, ELU, elu, CLGRAD_ACTIVATION_ELU_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false,                      \
      activation->alpha == 0, "x if x > 0, else alpha (exp(x) - 1)", "1 if x > 0, else alpha exp(x)",        \
      "PyTorch nn.ELU; Clevert, Unterthiner, Hochreiter 2016")                                               \
    X(8, CELU, celu, CLGRAD_ACTIVATION_CELU_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false, false,            \
      "x if x > 0, else alpha (exp(x / alpha) - 1)", "1 if x > 0, else exp(x / alpha)",                      \
      "PyTorch nn.CELU; Barron 2017")                                                                        \
    X(9, SELU, selu, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false, false,              \
      "s x if x > 0, else s a (exp(x) - 1); s = 1.0507009873554805, a = 1.6732632423543772",                 \
      "s if x > 0, else s a exp(x)", "PyTorch nn.SELU; Klambauer et al. 2017")                               \
    X(10, GELU, gelu, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.125f, false, false,           \
      "x Phi(x), Phi(x) = (1 + erf(x / sqrt(2))) / 2", "Phi(x) + x exp(-x^2 / 2) / sqrt(2 pi)",              \
      "PyTorch nn.GELU; Hendrycks and Gimpel 2016; DLMF 7.2")                                                \
    X(11, GELU_TANH, gelu_tanh, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.125f, false, false, \
      "x (1 + tanh(u)) / 2, u = sqrt(2 / pi) (x + 0.044715 x^3)",                                            \
      "(1 + tanh(u)) / 2 + x / (2 cosh(u)^2) sqrt(2 / pi) (1 + 0.134145 x^2)",                               \
      "PyTorch nn.GELU(approximate='tanh'); Hendrycks and Gimpel 2016")                                      \
    X(12, SILU, silu, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.125f, false, false,           \
      "x s, s = 1 / (1 + exp(-x))", "s (1 + x (1 - s))", "PyTorch nn.SiLU; Elfwing, Uchibe, Doya 2018")      \
    X(13, MISH, mish, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.125f, false, false,           \
      "x tanh(log(1 + exp(x)))", "t + x s (1 - t^2), t = tanh(log(1 + exp(x))), s = 1 / (1 + exp(-x))",      \
      "PyTorch nn.Mish; Misra 2019")                                                                         \
    X(14, SOFTPLUS, softplus, CLGRAD_ACTIVATION_SOFTPLUS_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false,      \
      false, "log(1 + exp(beta x)) / beta; x where beta x > threshold",                                      \
      "1 / (1 + exp(-beta x)); 1 where beta x > threshold", "PyTorch nn.Softplus")                           \
    X(15, SOFTSIGN, softsign, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false, false,     \
      "x / (1 + |x|)", "1 / (1 + |x|)^2", "PyTorch nn.Softsign")                                             \
    X(16, SOFTSHRINK, softshrink, CLGRAD_ACTIVATION_SHRINK_PARAMETERS, true, "", 0.5f, 0.0f, 0.0f, true,     \
      activation->lambd == 0, "x - lambd if x > lambd, x + lambd if x < -lambd, else 0",                     \
      "1 if |x| > lambd, else 0", "PyTorch nn.Softshrink")                                                   \
    X(17, HARDSHRINK, hardshrink, CLGRAD_ACTIVATION_SHRINK_PARAMETERS, true, "", 0.0f, 0.0f, 0.0f, true,     \
      true, "x if |x| > lambd, else 0", "1 if |x| > lambd, else 0", "PyTorch nn.Hardshrink")                 \
    X(18, TANHSHRINK, tanhshrink, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false, false, \
      "x - tanh(x)", "tanh(x)^2", "PyTorch nn.Tanhshrink")                                                   \
    X(19, THRESHOLD, threshold, CLGRAD_ACTIVATION_THRESHOLD_PARAMETERS, true, "", 0.0f, 0.0f, 0.0f, true,    \
      activation->value <= activation->threshold, "x if x > threshold, else value",                          \
      "1 if x > threshold, else 0", "PyTorch nn.Threshold")                                                  \
    X(20, HARDTANH, hardtanh, CLGRAD_ACTIVATION_HARDTANH_PARAMETERS,                                         \
      activation->min_val < activation->max_val, "min_val must be below max_val", 0.0f, 0.0f, 0.0f, true,    \
      true, "min(max(x, min_val), max_val)", "1 if min_val < x < max_val, else 0", "PyTorch nn.Hardtanh")    \
    X(21, HARDSIGMOID, hardsigmoid, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, true,       \
      false, "min(max(x / 6 + 1 / 2, 0), 1)", "1 / 6 if -3 < x < 3, else 0", "PyTorch nn.Hardsigmoid")       \
    X(22, HARDSWISH, hardswish, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, true, false,    \
      "x min(max(x + 3, 0), 6) / 6", "0 if x <= -3, 1 if x >= 3, else x / 3 + 1 / 2",                        \
      "PyTorch nn.Hardswish; Howard et al. 2019")                                                            \
    X(23, LOGSIGMOID, logsigmoid, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false, false, \
      "-log(1 + exp(-x))", "1 / (1 + exp(x))", "PyTorch nn.LogSigmoid")                                      \
    X(24, EXP, exp, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false,                      \
      activation->given_output, "exp(x)", "exp(x)", "PyTorch torch.exp; oneDNN eltwise_exp")                 \
    X(25, LOG, log, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false, false, "log(x)",     \
      "1 / x", "PyTorch torch.log; oneDNN eltwise_log")                                                      \
    X(26, ABS, abs, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 0.0f, 0.0f, 0.0f, false, false, "|x|",        \
      "sign(x), 0 at 0", "PyTorch torch.abs; oneDNN eltwise_abs")                                            \
    X(27, SQUARE, square, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false, false, "x^2",  \
      "2 x", "PyTorch torch.square; oneDNN eltwise_square")                                                  \
    X(28, SQRT, sqrt, CLGRAD_ACTIVATION_NO_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false,                    \
      activation->given_output, "sqrt(x)", "1 / (2 sqrt(x))", "PyTorch torch.sqrt; oneDNN eltwise_sqrt")     \
    X(29, CLAMP, clamp, CLGRAD_ACTIVATION_CLAMP_PARAMETERS, activation->min <= activation->max,              \
      "min must not be above max", 0.0f, 0.0f, 0.0f, true, true, "min(max(x, min), max)",                    \
      "1 if min < x < max, else 0", "PyTorch torch.clamp (since 2.14); oneDNN eltwise_clip")                 \
    X(30, POW, pow, CLGRAD_ACTIVATION_POW_PARAMETERS, true, "", 4.0f, 8.0f, 0.0f, false,                     \
      activation->exponent == 0 || activation->exponent == 1, "x^exponent",                                  \
      "exponent x^(exponent - 1); 0 where exponent = 0", "PyTorch torch.pow; oneDNN eltwise_pow")            \
    X(31, LINEAR, linear, CLGRAD_ACTIVATION_LINEAR_PARAMETERS, true, "", 0.5f, 0.0f, 0.0f, false, true,      \
      "alpha x + beta", "alpha", "oneDNN eltwise_linear")

/** The activations: the list's rows. */
typedef enum clgrad_activation_kind {
#define CLGRAD_ACTIVATION_ENUM(value, identifier, ...) CLGRAD_ACTIVATION_##identifier = value,
    CLGRAD_ACTIVATION_LIST(CLGRAD_ACTIVATION_ENUM)
#undef CLGRAD_ACTIVATION_ENUM
} clgrad_activation_kind;

/** How many there are. */
enum {
#define CLGRAD_ACTIVATION_ONE(...) +1
    CLGRAD_ACTIVATION_COUNT = 0 CLGRAD_ACTIVATION_LIST(CLGRAD_ACTIVATION_ONE) /**< rows of the list */
#undef CLGRAD_ACTIVATION_ONE
};

/** An activation and its parameters. Fields that its kind does not list are ignored. */
typedef struct clgrad_activation {
    clgrad_activation_kind kind; /**< which row of the list */
    float negative_slope;        /**< leaky_relu: the slope for x <= 0 */
    float alpha;                 /**< elu, celu: the scale of the negative part; linear: the factor */
    float beta;                  /**< softplus: the steepness; linear: the summand */
    float threshold;        /**< softplus: the largest beta x that is not taken for infinite; threshold */
    float value;            /**< threshold: the result at and below it */
    float lambd;            /**< softshrink, hardshrink: half the width of the dead zone */
    float min_val, max_val; /**< hardtanh: the interval */
    float min, max;         /**< clamp: the interval */
    float lower, upper;     /**< rrelu: the interval of the negative slope */
    bool given_output;      /**< exp, sqrt: the backward pass is given y in x's place */
    float exponent;         /**< pow */
    uint64_t reserved[4];   /**< 0; room for later versions (docs/abi.md) */
} clgrad_activation;

/** What the list says of one activation. */
typedef struct clgrad_activation_info {
    const char *name;                                /**< "leaky_relu" */
    const clgrad_parameter *parameters;              /**< ends with a NULL name */
    float forward_ulp, backward_ulp, backward_floor; /**< bounds on the errors of f and f', see the list */
    bool masks;                                      /**< whether dx is 0 wherever f' is, whatever dy is */
    const char *formula, *derivative, *source;       /**< in words */
} clgrad_activation_info;

/** The list's row for a kind, or NULL for a value not in the list. */
CLGRAD_API const clgrad_activation_info *clgrad_activation_describe(clgrad_activation_kind kind);

/** Find a kind by its name in the list. False, and kind unchanged, when there is none. */
CLGRAD_API bool clgrad_activation_parse(const char *name, clgrad_activation_kind *kind);

/** The activation with every parameter at PyTorch's default. */
CLGRAD_API clgrad_activation clgrad_activation_defaults(clgrad_activation_kind kind);

/**
 * Whether the backward pass may be given y instead of x with the same result, bit for bit: f'(f(x)) = f'(x).
 * So it is where f keeps the pieces of the line apart on which f' is constant: identity, relu, relu6,
 * hardtanh, hardshrink, and for most parameters leaky_relu, rrelu and threshold. Networks use it to keep one
 * array fewer. (sigmoid and tanh have derivatives that are written in y, y (1 - y) and 1 - y^2; but where y
 * is close to 1 these lose every digit. Those of exp and sqrt, y and 1 / (2 y), lose none: for them it is
 * true of a descriptor whose given_output is set, and then the backward pass must be given y.) False for
 * NULL.
 */
CLGRAD_API bool clgrad_activation_from_output(const clgrad_activation *activation);

/**
 * @name Forward and backward
 * Both calls: every tensor is float32 and of one shape, any rank. At a kink the derivative is
 * PyTorch's, as the list's formulas have it. NaN in x gives NaN. Accuracy: the
 * list's bounds, against the exact value at the float32 input; results below the smallest normal number
 * may be 0 on devices that flush denormals.
 *
 * Both return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor, a parameter outside its interval or
 * against the constraint, a forbidden overlap); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE;
 * BUILD_FAILED; OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 * @{
 */

/** y = f(x). y may be x itself, but not overlap it otherwise. */
CLGRAD_API clgrad_status clgrad_activation_forward(clgrad_context *context,
                                                   const clgrad_activation *activation, clgrad_tensor x,
                                                   clgrad_tensor y);

/**
 * dx = dy * f'(x). Where the list says masks and f'(x) is 0, dx is 0 whatever dy is.
 * dx may be x or dy itself, but not overlap them otherwise.
 *
 * @param x  the forward pass's input (or its output, see clgrad_activation_from_output)
 */
CLGRAD_API clgrad_status clgrad_activation_backward(clgrad_context *context,
                                                    const clgrad_activation *activation, clgrad_tensor x,
                                                    clgrad_tensor dy, clgrad_tensor dx);

/** @} */

#ifdef __cplusplus
}
#endif

#endif
