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

/**
 * The list of activations. Everything else about them is generated from it or checked against it.
 *
 * X(value, identifier, name, PARAMETERS, forward_ulp, backward_ulp, from_output, formula, derivative, source)
 *
 * - forward_ulp, backward_ulp: the bound on the error of f and of f' over all finite float32 inputs, in
 *   units in the last place of the exact result; docs/numerics.md derives them.
 * - from_output: whether f'(f(x)) = f'(x), so that the output may stand in for the input in the backward
 *   pass. An expression over `activation`, a pointer to the descriptor.
 *
 * Values never change; new rows are appended.
 */
#define CLGRAD_ACTIVATION_LIST(X)                                                                          \
    X(0, IDENTITY, identity, CLGRAD_ACTIVATION_NO_PARAMETERS, 0.0f, 0.0f, true, "x", "1",                  \
      "PyTorch nn.Identity")                                                                               \
    X(1, SIGMOID, sigmoid, CLGRAD_ACTIVATION_NO_PARAMETERS, 4.0f, 8.0f, false, "1 / (1 + exp(-x))",        \
      "exp(-x) / (1 + exp(-x))^2", "PyTorch nn.Sigmoid; DLMF 4.2")                                         \
    X(2, TANH, tanh, CLGRAD_ACTIVATION_NO_PARAMETERS, 4.0f, 8.0f, false,                                   \
      "(exp(x) - exp(-x)) / (exp(x) + exp(-x))", "1 / cosh(x)^2", "PyTorch nn.Tanh; DLMF 4.28")            \
    X(3, RELU, relu, CLGRAD_ACTIVATION_NO_PARAMETERS, 0.0f, 0.0f, true, "max(x, 0)", "1 if x > 0, else 0", \
      "PyTorch nn.ReLU")                                                                                   \
    X(4, LEAKY_RELU, leaky_relu, CLGRAD_ACTIVATION_LEAKY_RELU_PARAMETERS, 0.5f, 0.0f,                      \
      activation->negative_slope >= 0, "x if x > 0, else negative_slope x",                                \
      "1 if x > 0, else negative_slope", "PyTorch nn.LeakyReLU")

typedef enum clgrad_activation_kind {
#define CLGRAD_ACTIVATION_ENUM(value, identifier, ...) CLGRAD_ACTIVATION_##identifier = value,
    CLGRAD_ACTIVATION_LIST(CLGRAD_ACTIVATION_ENUM)
#undef CLGRAD_ACTIVATION_ENUM
} clgrad_activation_kind;

enum {
#define CLGRAD_ACTIVATION_ONE(...) +1
    CLGRAD_ACTIVATION_COUNT = 0 CLGRAD_ACTIVATION_LIST(CLGRAD_ACTIVATION_ONE) /**< rows of the list */
#undef CLGRAD_ACTIVATION_ONE
};

/** An activation and its parameters. Fields that its kind does not list are ignored. */
typedef struct clgrad_activation {
    clgrad_activation_kind kind;
    float negative_slope; /**< leaky_relu: the slope for x <= 0 */
} clgrad_activation;

/** What the list says of one activation. */
typedef struct clgrad_activation_info {
    const char *name;
    const clgrad_parameter *parameters; /**< ends with a NULL name */
    float forward_ulp, backward_ulp;
    const char *formula, *derivative, *source;
} clgrad_activation_info;

/** The list's row for a kind, or NULL for a value not in the list. */
CLGRAD_API const clgrad_activation_info *clgrad_activation_describe(clgrad_activation_kind kind);

/** Find a kind by its name in the list. False, and kind unchanged, when there is none. */
CLGRAD_API bool clgrad_activation_parse(const char *name, clgrad_activation_kind *kind);

/** The activation with every parameter at PyTorch's default. */
CLGRAD_API clgrad_activation clgrad_activation_defaults(clgrad_activation_kind kind);

/**
 * Whether the backward pass may be given y instead of x with the same result: f'(f(x)) = f'(x). So it
 * is where f keeps the sign of x and f' depends on nothing else: identity, relu, and leaky_relu with
 * negative_slope >= 0. Networks use it to keep one array fewer. False for NULL.
 */
CLGRAD_API bool clgrad_activation_from_output(const clgrad_activation *activation);

/*
 * Both calls: every tensor is float32 and of one shape, any rank. At a kink the derivative is
 * PyTorch's: relu'(0) = 0, leaky_relu'(0) = negative_slope. NaN in x gives NaN. Accuracy: the
 * list's bounds, against the exact value at the float32 input; results below the smallest normal number
 * may be 0 on devices that flush denormals.
 *
 * Both return SUCCESS; INVALID_ARGUMENT (NULL, an absent tensor, a parameter outside its interval, a
 * forbidden overlap); INVALID_SHAPE; INVALID_TYPE; INVALID_CONTEXT; OUT_OF_RANGE; BUILD_FAILED;
 * OUT_OF_DEVICE_MEMORY; OUT_OF_MEMORY; DEVICE_ERROR.
 */

/** y = f(x). y may be x itself, but not overlap it otherwise. */
CLGRAD_API clgrad_status clgrad_activation_forward(clgrad_context *context,
                                                   const clgrad_activation *activation, clgrad_tensor x,
                                                   clgrad_tensor y);

/**
 * dx = dy * f'(x). Where relu's derivative is 0, dx is 0 whatever dy is (PyTorch's masking).
 * dx may be x or dy itself, but not overlap them otherwise.
 *
 * @param x  the forward pass's input (or its output, see clgrad_activation_from_output)
 */
CLGRAD_API clgrad_status clgrad_activation_backward(clgrad_context *context,
                                                    const clgrad_activation *activation, clgrad_tensor x,
                                                    clgrad_tensor dy, clgrad_tensor dx);

#ifdef __cplusplus
}
#endif

#endif
