"""Activations and their derivatives in mpmath, held against PyTorch's autograd in float64."""

import math

import mpmath
import numpy as np
import torch
import torch.nn.functional as F
from mpmath import mpf

from activation_formulas import FUNCTIONS, LIMITS, ZEROS
from emit import Header, draw, float32, list_rows, parameters_text, to_double

DECLARATION = """
typedef struct golden_activation {
    clgrad_activation_kind kind;
    float parameters[8]; /* in the order of the list's row */
    bool masks; /* whether PyTorch's dx is 0 where the derivative is, dy being infinite or NaN */
    size_t count;
    const float *x;
    const double *value, *derivative;
} golden_activation;
"""

FLT_MAX = float(np.finfo(np.float32).max)
SMALLEST_NORMAL = float(np.finfo(np.float32).tiny)
INF = math.inf

# ---- PyTorch's functions ----

TORCH = {
    "identity": lambda x: x * 1,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "relu6": F.relu6,
    "rrelu": lambda x, lower, upper: F.rrelu(x, lower, upper, training=False),
    "elu": F.elu,
    "celu": F.celu,
    "selu": F.selu,
    "gelu": F.gelu,
    "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"),
    "silu": F.silu,
    "mish": F.mish,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "softshrink": F.softshrink,
    "hardshrink": F.hardshrink,
    "tanhshrink": F.tanhshrink,
    "threshold": F.threshold,
    "hardtanh": F.hardtanh,
    "hardsigmoid": F.hardsigmoid,
    "hardswish": F.hardswish,
    "logsigmoid": F.logsigmoid,
    "exp": torch.exp,
    "log": torch.log,
    "abs": torch.abs,
    "square": torch.square,
    "sqrt": torch.sqrt,
    "clamp": torch.clamp,
    "pow": torch.pow,
    "linear": lambda x, alpha, beta: alpha * x + beta,
}

# ---- parameters and points ----

# The parameter values to try, the defaults first; what is not here has no parameters.
PARAMETERS = {
    "leaky_relu": [[0.01], [0.2], [0.0], [1.0], [-0.5]],
    "rrelu": [[0.125, float32(1) / 3], [0.0, 0.0], [0.25, 0.75], [-0.5, 0.25], [-1.0, 1.0]],
    "elu": [[1.0], [0.0], [2.5], [-0.3]],
    "celu": [[1.0], [0.1], [3.0], [0.01]],
    "softplus": [[1.0, 20.0], [2.0, 1.0], [0.3, 0.7], [10.0, 0.0], [1.5, -4.0], [0.25, 600.0]],
    "softshrink": [[0.5], [0.0], [1.7]],
    "hardshrink": [[0.5], [0.0], [1.7]],
    "threshold": [[0.0, 0.0], [1.0, 3.0], [-2.0, -7.5], [0.1, 0.1]],
    "hardtanh": [[-1.0, 1.0], [-0.3, 2.5], [1.0, 3.0]],
    "clamp": [[0.0, 1.0], [-0.3, 2.5], [2.0, 2.0], [-4.0, -0.5]],
    "pow": [[2.0], [-2.0], [-1.0], [-0.5], [0.0], [0.5], [1.0], [3.0], [2.5], [0.1], [-7.3]],
    "linear": [[1.0, 0.0], [2.5, -0.7], [0.0, 3.0], [-0.1, 0.1], [1e-3, 50.0]],
}

# Where pieces meet, or a function or its derivative crosses 0 or begins to overflow: a function of the
# parameters. 0 is among the points of every function.
KINKS = {
    "tanh": lambda: [0.55, 0.625, -0.55],
    "relu6": lambda: [6.0],
    "gelu": lambda: [-0.7517916, -5.0, -12.5, -13.1, -14.2],
    "gelu_tanh": lambda: [-0.7524614, -5.0, -7.5, -9.8, -10.05],
    "silu": lambda: [-1.2784645, -20.0, -91.7],
    "mish": lambda: [-1.1924136, -20.0, -91.7],
    "celu": lambda alpha: [alpha * z for z in (-0.1, -1, -20, -87, -103)],
    "softplus": lambda beta, threshold: [threshold / beta] + [z / beta for z in (-1, -20, -87, -103)],
    "softshrink": lambda lambd: [-lambd, lambd],
    "hardshrink": lambda lambd: [-lambd, lambd],
    "tanhshrink": lambda: [-1.0, 0.25, 1.0],
    "threshold": lambda threshold, value: [threshold],
    "hardtanh": lambda low, high: [low, high],
    "hardsigmoid": lambda: [-3.0, 3.0],
    "hardswish": lambda: [-3.0, -1.5, 3.0],
    "logsigmoid": lambda: [-0.5, 87.3],
    "exp": lambda: [-103.97, -87.33655, 88.72284],
    "log": lambda: [1.0],
    "square": lambda: [1.0842022e-19, 1.8446743e19],
    "clamp": lambda low, high: [low, high],
    "pow": lambda exponent: [1.0, -1.0],
    "linear": lambda alpha, beta: [-beta / alpha] if alpha != 0 else [],
}

# Defined for positive numbers alone.
POSITIVE = ("log", "sqrt")

# How far PyTorch in float64 may be off, relative to the larger of the result and 1. It has the 1 / alpha of
# celu and the 1 / 6 of hardsigmoid's derivative in single precision.
TOLERANCE = {"celu": 1e-6, "hardsigmoid": 1e-7}


def variants(name):
    return [[float32(value) for value in values] for values in PARAMETERS.get(name, [[]])]


def kinks(name, parameters):
    return [0.0] + [float32(kink) for kink in KINKS.get(name, lambda *parameters: [])(*parameters)]


def neighbours(value):
    """The next float32 below and above, and the value between them."""
    value = np.float32(value)
    return [float(np.nextafter(value, np.float32(way))) for way in (-np.inf, np.inf)] + [float(value)]


def points(name, parameters):
    """The arguments: each kink's surroundings, ordinary ones, both tails, limits."""
    positive = neighbours(SMALLEST_NORMAL)[:1] + [SMALLEST_NORMAL, 1e-8, 1e-4, 0.02, 0.1, 0.3, 0.5, 0.8]
    positive += [1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0, 13.0, 17.0, 30.0, 50.0, 87.0, 89.0, 100.0, 104.0]
    positive = {float32(x) for x in positive + [1e4, 1e20, FLT_MAX, INF]}
    found = positive | {-x for x in positive} | set(draw("activation", 6, -10, 10))
    for kink in kinks(name, parameters):
        found |= set(neighbours(kink))
    found.discard(0.0)
    if name == "pow" and parameters[0] != int(parameters[0]):
        # ISO C and PyTorch have a power there, though not the same one where the exponent is one half
        return [0.0] + sorted(found - {-INF})
    return [-0.0, 0.0] + sorted(found)


def exact(name, parameters, x):
    if math.isinf(x):
        value, derivative = LIMITS[name](*parameters)[x > 0]
        return float(value), float(derivative)
    if x == 0 and name in ZEROS:
        return ZEROS[name](x, *parameters)
    results = FUNCTIONS[name](mpf(x), *(mpf(value) for value in parameters))
    value, derivative = (to_double(mpf(result)) for result in results)
    assert not math.isnan(value) or (x < 0 and name in (*POSITIVE, "pow")), f"{name} at {x} is NaN"
    return value, derivative


# ---- against PyTorch ----


def torch_backward(name, parameters, xs, dy):
    x = torch.tensor(xs, dtype=torch.float64, requires_grad=True)
    y = TORCH[name](x, *parameters)
    y.backward(torch.full_like(y, dy))
    return y.tolist(), x.grad.tolist()


def check_against_torch(name, parameters, xs, exact_values):
    """PyTorch has the same numbers; at infinity it may have NaN instead."""
    for what, ours, theirs in zip(("", "'"), exact_values, torch_backward(name, parameters, xs, 1.0)):
        for x, our, their in zip(xs, ours, theirs):
            if our == their or (math.isnan(their) and (math.isnan(our) or math.isinf(x))):
                continue
            tolerance = TOLERANCE.get(name, 1e-12) * max(1, abs(our))
            is_close = math.isfinite(our) and abs(our - their) <= tolerance
            assert is_close, f"{name}{what} {parameters} at {x}: {our}, PyTorch: {their}"


def masks(name, parameters, xs, derivatives):
    """Whether PyTorch selects 0 where the derivative is 0, so that it meets no infinite dy."""
    flat = [x for x, derivative in zip(xs, derivatives) if derivative == 0 and math.isfinite(x)]
    if not flat:
        return False
    return all(0.0 in torch_backward(name, parameters, flat, dy)[1] for dy in (INF, math.nan))


# ---- the header ----


def header():
    for table in (FUNCTIONS, LIMITS, TORCH):
        assert list_rows("activation") == list(table), "the list in activation.h has other rows"
    mpmath.mp.dps = 400
    out = Header(
        "activation",
        ["clgrad/activation.h", "math.h"],
        f"Source: mpmath {mpmath.__version__}, 400 digits;\n * PyTorch {torch.__version__} agrees.",
        DECLARATION,
    )
    for name in FUNCTIONS:
        for parameters in variants(name):
            xs = points(name, parameters)
            values, derivatives = zip(*(exact(name, parameters, x) for x in xs))
            check_against_torch(name, parameters, xs, (values, derivatives))
            out.entry(
                f"CLGRAD_ACTIVATION_{name.upper()}",
                parameters_text(parameters),
                str(masks(name, parameters, xs, derivatives)).lower(),
                len(xs),
                out.array("float", xs),
                out.array("double", values),
                out.array("double", derivatives),
            )
    return out
