"""PReLU by PyTorch in float64, gradients by its autograd; GLU by mpmath, held against PyTorch, whose 1 - s(b)
cancels."""

import math

import mpmath
import torch

from emit import Header, draw, float32, to_double

DECLARATION = """
typedef struct golden_gated {
    const char *label;
    int rank;
    size_t shape[4];     /* x's */
    size_t weights;      /* 0 for GLU */
    const float *x;
    const float *weight; /* [weights], NULL for GLU */
    const double *y;
    const float *dy;     /* y's shape */
    const double *dx, *dweight;
} golden_gated;
"""

# Shape and number of weights.
PRELU = [((6,), 1), ((4, 3), 1), ((4, 3), 3), ((2, 3, 5), 1), ((2, 3, 5), 3), ((2, 4, 3, 2), 4), ((3, 1), 1)]
GLU = [(2,), (10,), (3, 6), (2, 3, 4), (2, 1, 3, 2)]


def emit(out, label, shape, x, weight, function):
    tensor = torch.tensor(x, dtype=torch.float64).reshape(shape).requires_grad_()
    slopes = None if weight is None else torch.tensor(weight, dtype=torch.float64).requires_grad_()
    y = function(tensor, slopes)
    dy = draw("gated dy " + label, y.numel(), -2, 2)
    y.backward(torch.tensor(dy, dtype=torch.float64).reshape(y.shape))
    y_values, dx_values = y.flatten().tolist(), tensor.grad.flatten().tolist()
    if weight is None:
        exact = exact_glu(shape[-1] // 2, x, dy)
        for e, g in zip(sum(exact, []), y_values + dx_values):
            assert abs(e - g) <= 1e-14 * max(map(abs, x)), (label, e, g)
        y_values, dx_values = exact
    out.entry(
        f'"{label}"',
        len(shape),
        "{" + ", ".join(map(str, shape)) + "}",
        0 if weight is None else len(weight),
        out.array("float", x),
        out.array("float", weight),
        out.array("double", y_values),
        out.array("float", dy),
        out.array("double", dx_values),
        "NULL" if weight is None else out.array("double", slopes.grad.tolist()),
    )


def prelu(x, weight):
    return torch.nn.functional.prelu(x, weight)


def exact_glu(half, x, dy):
    """y and dx of rows of 2 half numbers."""
    y, dx = [], []
    for row in range(0, len(x), 2 * half):
        a, b = x[row : row + half], [mpmath.mpf(value) for value in x[row + half : row + 2 * half]]
        upstream = dy[row // 2 : row // 2 + half]
        gate = [1 / (1 + mpmath.exp(-value)) for value in b]
        y += [to_double(a_i * s) for a_i, s in zip(a, gate)]
        dx += [to_double(d * s) for d, s in zip(upstream, gate)]
        dx += [to_double(d * a_i * s * (1 - s)) for d, a_i, s in zip(upstream, a, gate)]
    return y, dx


def glu(x, weight):
    return torch.nn.functional.glu(x, -1)


def header():
    mpmath.mp.dps = 120
    out = Header(
        "gated",
        ["stddef.h"],
        f"Source: PyTorch\n * {torch.__version__}, float64, for PReLU; mpmath {mpmath.__version__} for GLU.",
        DECLARATION,
    )
    for shape, weights in PRELU:
        label = f"prelu: {list(shape)}, {weights} weight{'s' if weights > 1 else ''}"
        x = draw(label, math.prod(shape), -2, 2)
        x[0] = 0.0  # the kink
        weight = draw(label + " weight", weights, -0.5, 1.5)
        emit(out, label, shape, x, weight, prelu)
    emit(out, "prelu: weight 0", (4,), [-1.5, 0.0, 2.0, -3.0], [0.0], prelu)
    for shape in GLU:
        label = f"glu: {list(shape)}"
        emit(out, label, shape, draw(label, math.prod(shape), -4, 4), None, glu)
    tails = [1.0, -2.5, 3.0, 1e20, 0.0, 1.0, 0.5, 17.0, -17.0, -30.0, 5.0, 80.0, 30.0, -20.0]
    emit(out, "glu: tails", (14,), [float32(value) for value in tails], None, glu)
    return out
