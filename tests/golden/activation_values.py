"""Activations and their derivatives in 50-digit arithmetic (mpmath)."""

import math

import mpmath
import numpy as np

from emit import Header, draw, double_text, float32, float_text, list_rows, parameters_text, to_double

DECLARATION = """
typedef struct golden_activation {
    clgrad_activation_kind kind;
    float parameters[8]; /* in the order of the list's row */
    float x;
    double value, derivative;
} golden_activation;
"""

FLT_MAX = float(np.finfo(np.float32).max)
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)

# The parameter values of each row of the list.
PARAMETERS = {
    "identity": [[]],
    "sigmoid": [[]],
    "tanh": [[]],
    "relu": [[]],
    "leaky_relu": [[float32(slope)] for slope in (0.01, 0.2, 0.0, 1.0, -0.5)],
}


def neighbours(value):
    """The next float32 below and above, and the value between them."""
    value = np.float32(value)
    return [float(np.nextafter(value, np.float32(way))) for way in (-np.inf, np.inf)] + [float(value)]


def points():
    """The arguments: a kink's surroundings, the small region of tanh, ordinary ones, tails, limits."""
    positive = neighbours(0.0)[1:2] + neighbours(SMALLEST_NORMAL)
    positive += [1e-30, 1e-8, 1e-4, 0.1, 0.3, 0.5, 0.54, 0.56, 0.6, 0.63, 1.0]
    positive += neighbours(0.55) + neighbours(0.625)
    positive += [16, 17, 20, 30, 50, 87, 88, 89, 100, 103, 104, 200, 1e4, 1e20, FLT_MAX, math.inf]
    positive = {float32(x) for x in positive}
    ordinary = draw("activation", 40, -10, 10)
    return [-0.0, 0.0] + sorted({-x for x in positive} | positive | set(ordinary))


def sigmoid(x):
    x = mpmath.mpf(x)
    small = mpmath.exp(-abs(x))
    return to_double(1 / (1 + mpmath.exp(-x))), to_double(small / (1 + small) ** 2)


def tanh(x):
    value = to_double(mpmath.tanh(mpmath.mpf(x)))
    return math.copysign(value, x), to_double(mpmath.sech(mpmath.mpf(x)) ** 2)


def leaky_relu(x, negative_slope):
    if x > 0:
        return x, 1.0
    # The product of two float32 is exact in double. A slope of 0 gives 0 at -inf too: the limit.
    return (0.0 if negative_slope == 0 else negative_slope * x), negative_slope


FUNCTIONS = {
    "identity": lambda x: (x, 1.0),
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": lambda x: (x, 1.0) if x > 0 else (0.0, 0.0),
    "leaky_relu": leaky_relu,
}

LIMITS = {
    ("sigmoid", -math.inf): (0.0, 0.0),
    ("sigmoid", math.inf): (1.0, 0.0),
    ("tanh", -math.inf): (-1.0, 0.0),
    ("tanh", math.inf): (1.0, 0.0),
}


def header():
    assert list_rows("activation") == list(PARAMETERS), "the list in activation.h has other rows"
    mpmath.mp.dps = 50
    out = Header(
        "activation",
        ["clgrad/activation.h", "math.h"],
        f"Source: mpmath {mpmath.__version__}, 50 digits.",
        DECLARATION,
    )
    for name, rows in PARAMETERS.items():
        for parameters in rows:
            for x in points():
                value, derivative = LIMITS.get((name, x)) or FUNCTIONS[name](x, *parameters)
                assert not math.isnan(value + derivative), f"{name} at {x} is NaN: give its limit in LIMITS"
                out.entry(
                    f"CLGRAD_ACTIVATION_{name.upper()}",
                    parameters_text(parameters),
                    float_text(x),
                    double_text(value),
                    double_text(derivative),
                )
    return out
