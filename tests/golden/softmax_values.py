"""Softmax, softmin and log-softmax in 120-digit arithmetic (mpmath), held against PyTorch in float64."""

import math

import mpmath
import torch

from emit import Header, draw, float32, list_rows, to_double

DECLARATION = """
typedef struct golden_softmax {
    const char *label;
    clgrad_softmax_kind kind;
    size_t rows, columns;
    const float *x;   /* [rows, columns] */
    const double *y;  /* the same shape, as all that follow */
    const float *dy;
    const double *dx; /* NULL where only the forward pass is meant */
} golden_softmax;
"""

INF = math.inf

# Rows of logits; softmin is given their negatives.
CASES = {
    "ordinary": (3, 5, draw("softmax", 15, -3, 3)),
    "wide": (2, 37, draw("softmax wide", 74, -20, 20)),
    "one class": (3, 1, [0.0, -7.5, 3e38]),
    "ties": (2, 4, [1.5] * 4 + [2.0, -1.0, 2.0, -1.0]),
    "near certainty": (4, 2, [0.0, -17.0, 30.0, -20.0, 100.0, 0.0, -43.0, 60.0]),
    "far apart": (3, 3, [0.0, 200.0, 1000.0, -1e30, 0.0, 1e30, 3e38, -3e38, 3.0]),
    "large offset": (2, 3, [10000.0, 10000.5, 9999.25, -1e7, -10000001.0, -1e7]),
    "class of probability 0": (3, 3, [0.5, -INF, 1.0, -INF, -INF, 2.0, 0.0, 0.0, -INF]),
}
UNDEFINED = {
    "infinite logit": (2, 3, [0.0, INF, 1.0, INF, INF, -INF]),
    "nothing but probability 0": (2, 3, [-INF] * 3 + [1.0, 2.0, 3.0]),
    "NaN": (3, 3, [math.nan, 0.0, 1.0, 0.0, INF, math.nan, 2.0, -1.0, 0.5]),
}

TORCH = {
    "softmax": lambda x: torch.softmax(x, 1),
    "softmin": lambda x: torch.nn.functional.softmin(x, 1),
    "log_softmax": lambda x: torch.log_softmax(x, 1),
}


def exact_row(kind, x, dy):
    """One row forward and backward. Infinite logits and classes of probability 0 are what the header says."""
    sign = -1 if kind == "softmin" else 1
    x = [sign * value for value in x]
    count = len(x)
    if any(math.isnan(value) or value == INF for value in x) or max(x) == -INF:
        return [math.nan] * count, [math.nan] * count
    top = mpmath.mpf(max(x))
    e = [mpmath.mpf(0) if value == -INF else mpmath.exp(mpmath.mpf(value) - top) for value in x]
    total = mpmath.fsum(e)
    p = [value / total for value in e]
    if kind == "log_softmax":
        # log(p) of the largest is a logarithm just below 1, exact at these many digits
        y = [-INF if v == -INF else mpmath.mpf(v) - mpmath.mpf(max(x)) - mpmath.log(total) for v in x]
        sum_dy = mpmath.fsum(dy)
        dx = [d - p_i * sum_dy for d, p_i in zip(dy, p)]
    else:
        y = p
        dot = mpmath.fsum(p_i * d for p_i, d in zip(p, dy))
        dx = [sign * p_i * (d - dot) for p_i, d in zip(p, dy)]
    return [to_double(mpmath.mpf(v)) for v in y], [to_double(mpmath.mpf(v)) for v in dx]


def check_torch(kind, rows, columns, x, dy, y, dx):
    tensor = torch.tensor(x, dtype=torch.float64).reshape(rows, columns).requires_grad_()
    result = TORCH[kind](tensor)
    result.backward(torch.tensor(dy, dtype=torch.float64).reshape(rows, columns))
    for name, exact, got in (("y", y, result.flatten().tolist()), ("dx", dx, tensor.grad.flatten().tolist())):
        for e, g in zip(exact, got):
            same = e == g or (math.isnan(e) and math.isnan(g)) or abs(e - g) <= 1e-13 * max(1, abs(e))
            assert same, (kind, name, x, e, g)


def header():
    mpmath.mp.dps = 120
    out = Header(
        "softmax",
        ["clgrad/softmax.h", "math.h", "stddef.h"],
        "Source: mpmath\n * "
        f"{mpmath.__version__}, 120 digits, held against PyTorch {torch.__version__}, float64.",
        DECLARATION,
        values="golden_softmaxes",
    )
    assert list_rows("softmax") == list(TORCH), "the list in softmax.h has other rows"
    for kind in TORCH:
        for label, (rows, columns, values) in {**CASES, **UNDEFINED}.items():
            x = [float32(-v if kind == "softmin" else v) for v in values]
            dy = draw("softmax dy " + label, rows * columns, -2, 2)
            y, dx = [], []
            for row in range(0, rows * columns, columns):
                y_row, dx_row = exact_row(kind, x[row : row + columns], dy[row : row + columns])
                y += y_row
                dx += dx_row
            check_torch(kind, rows, columns, x, dy, y, dx)
            out.entry(
                f'"{kind}: {label}"',
                f"CLGRAD_SOFTMAX_{kind.upper()}",
                rows,
                columns,
                out.array("float", x),
                out.array("double", y),
                out.array("float", dy),
                out.array("double", dx) if label in CASES else "NULL",
            )
    return out
