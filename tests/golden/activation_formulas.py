"""The formulas of the activations' list (include/clgrad/activation.h), as they stand there, and their limits.

With 400 digits nothing that a float32 argument does to them needs care.
"""

import math

import mpmath
import numpy as np
from mpmath import erf, exp, log, mpf, tanh

INF = math.inf
SELU_SCALE, SELU_ALPHA = "1.0507009873554804934193349852946", "1.6732632423543772848170429916717"

# ---- the formulas: (x, parameters) -> (value, derivative) ----


def logistic(x):
    return 1 / (1 + exp(-x))


def sigmoid(x):
    return logistic(x), exp(-x) / (1 + exp(-x)) ** 2


def hyperbolic_tangent(x):
    return (exp(x) - exp(-x)) / (exp(x) + exp(-x)), 4 / (exp(x) + exp(-x)) ** 2


def leaky(x, slope):
    return (x, mpf(1)) if x > 0 else (slope * x, slope)


def elu(x, alpha):
    return (x, mpf(1)) if x > 0 else (alpha * (exp(x) - 1), alpha * exp(x))


def celu(x, alpha):
    return (x, mpf(1)) if x > 0 else (alpha * (exp(x / alpha) - 1), exp(x / alpha))


def selu(x):
    value, derivative = elu(x, mpf(SELU_ALPHA))
    scale = mpf(SELU_SCALE)
    return scale * value, scale * derivative


def gelu(x):
    phi = (1 + erf(x / mpmath.sqrt(2))) / 2
    return x * phi, phi + x * exp(-(x**2) / 2) / mpmath.sqrt(2 * mpmath.pi)


def gelu_tanh(x):
    k, c = mpmath.sqrt(2 / mpmath.pi), mpf("0.044715")
    t = tanh(k * (x + c * x**3))
    return x * (1 + t) / 2, (1 + t) / 2 + x / 2 * (1 - t**2) * k * (1 + 3 * c * x**2)


def silu(x):
    s = logistic(x)
    return x * s, s * (1 + x * (1 - s))


def mish(x):
    t = tanh(log(1 + exp(x)))
    return x * t, t + x * logistic(x) * (1 - t**2)


def softplus(x, beta, threshold):
    if beta * x > threshold:
        return x, mpf(1)
    return log(1 + exp(beta * x)) / beta, logistic(beta * x)


def softshrink(x, lambd):
    if abs(x) <= lambd:
        return mpf(0), mpf(0)
    return (x - lambd if x > 0 else x + lambd), mpf(1)


def hardshrink(x, lambd):
    return (x, mpf(1)) if abs(x) > lambd else (mpf(0), mpf(0))


def within(x, low, high):
    return min(max(x, low), high), mpf(low < x < high)


def hardswish(x):
    derivative = mpf(0) if x <= -3 else mpf(1) if x >= 3 else x / 3 + mpf(1) / 2
    return x * min(max(x + 3, mpf(0)), mpf(6)) / 6, derivative


def logarithm(x):
    return (log(x) if x > 0 else mpmath.nan), 1 / x  # PyTorch's derivative is 1 / x left of 0 too


def square_root(x):
    return (mpmath.sqrt(x), 1 / (2 * mpmath.sqrt(x))) if x > 0 else (mpmath.nan, mpmath.nan)


def real_power(x, exponent):
    return mpmath.nan if x < 0 and exponent != int(exponent) else x**exponent


def power(x, exponent):
    return real_power(x, exponent), (exponent * real_power(x, exponent - 1) if exponent != 0 else mpf(0))


FUNCTIONS = {
    "identity": lambda x: (x, mpf(1)),
    "sigmoid": sigmoid,
    "tanh": hyperbolic_tangent,
    "relu": lambda x: (x, mpf(1)) if x > 0 else (mpf(0), mpf(0)),
    "leaky_relu": leaky,
    "relu6": lambda x: within(x, mpf(0), mpf(6)),
    "rrelu": lambda x, lower, upper: leaky(x, (lower + upper) / 2),
    "elu": elu,
    "celu": celu,
    "selu": selu,
    "gelu": gelu,
    "gelu_tanh": gelu_tanh,
    "silu": silu,
    "mish": mish,
    "softplus": softplus,
    "softsign": lambda x: (x / (1 + abs(x)), 1 / (1 + abs(x)) ** 2),
    "softshrink": softshrink,
    "hardshrink": hardshrink,
    "tanhshrink": lambda x: (x - tanh(x), tanh(x) ** 2),
    "threshold": lambda x, threshold, value: (x, mpf(1)) if x > threshold else (value, mpf(0)),
    "hardtanh": within,
    "hardsigmoid": lambda x: (min(max(x / 6 + mpf(1) / 2, mpf(0)), mpf(1)), mpf(-3 < x < 3) / 6),
    "hardswish": hardswish,
    "logsigmoid": lambda x: (-log(1 + exp(-x)), 1 / (1 + exp(x))),
    "exp": lambda x: (exp(x), exp(x)),
    "log": logarithm,
    "abs": lambda x: (abs(x), mpmath.sign(x)),
    "square": lambda x: (x**2, 2 * x),
    "sqrt": square_root,
    "clamp": within,
    "pow": power,
    "linear": lambda x, alpha, beta: (alpha * x + beta, alpha),
}

# ---- the limits at -infinity and infinity: (value, derivative), functions of the parameters ----


def ends(low, high):
    return lambda *parameters: (low, high)


RECTIFIER = ends((0, 0), (INF, 1))


def leaky_limits(slope):
    return (-slope * INF if slope != 0 else 0, slope), (INF, 1)


def power_limits(exponent):
    if exponent == 0:
        return (1, 0), (1, 0)
    slope = 0 if exponent < 1 else 1 if exponent == 1 else INF
    right = (INF if exponent > 0 else 0, slope)
    if exponent != int(exponent):
        return (math.nan, math.nan), right  # not used: see points()
    value, slope = right
    return ((-value, slope) if exponent % 2 == 1 else (value, -slope)), right


LIMITS = {
    "identity": ends((-INF, 1), (INF, 1)),
    "sigmoid": ends((0, 0), (1, 0)),
    "tanh": ends((-1, 0), (1, 0)),
    "relu": RECTIFIER,
    "leaky_relu": leaky_limits,
    "relu6": ends((0, 0), (6, 0)),
    "rrelu": lambda lower, upper: leaky_limits((lower + upper) / 2),
    "elu": lambda alpha: ((-alpha, 0), (INF, 1)),
    "celu": lambda alpha: ((-alpha, 0), (INF, 1)),
    "selu": ends((-float(SELU_SCALE) * float(SELU_ALPHA), 0), (INF, float(SELU_SCALE))),
    "gelu": RECTIFIER,
    "gelu_tanh": RECTIFIER,
    "silu": RECTIFIER,
    "mish": RECTIFIER,
    "softplus": RECTIFIER,
    "softsign": ends((-1, 0), (1, 0)),
    "softshrink": ends((-INF, 1), (INF, 1)),
    "hardshrink": ends((-INF, 1), (INF, 1)),
    "tanhshrink": ends((-INF, 1), (INF, 1)),
    "threshold": lambda threshold, value: ((value, 0), (INF, 1)),
    "hardtanh": lambda low, high: ((low, 0), (high, 0)),
    "hardsigmoid": ends((0, 0), (1, 0)),
    "hardswish": RECTIFIER,
    "logsigmoid": ends((-INF, 1), (0, 0)),
    "exp": ends((0, 0), (INF, INF)),
    "log": ends((math.nan, 0), (INF, 0)),
    "abs": ends((INF, -1), (INF, 1)),
    "square": ends((INF, -INF), (INF, INF)),
    "sqrt": ends((math.nan, math.nan), (INF, 0)),
    "clamp": lambda low, high: ((low, 0), (high, 0)),
    "pow": power_limits,
    "linear": lambda alpha, beta: (
        (-alpha * INF if alpha != 0 else beta, alpha),
        (alpha * INF if alpha != 0 else beta, alpha),
    ),
}

# ---- the limits at 0 and -0, which are one number to mpmath: (zero, parameters) -> (value, derivative) ----


def power_at_zero(zero, exponent):
    with np.errstate(divide="ignore"):
        value, slope = (float(np.float64(zero) ** np.float64(e)) for e in (exponent, exponent - 1))
    return value, (exponent * slope if exponent != 0 else 0.0)


ZEROS = {
    "log": lambda zero: (-INF, math.copysign(INF, zero)),
    "sqrt": lambda zero: (0.0, math.copysign(INF, zero)),
    "pow": power_at_zero,
}
