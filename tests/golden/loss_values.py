"""The cases of the losses: ordinary values in several shapes, then kinks, tails and edges."""

import math

import mpmath
import numpy as np
import torch

from emit import Header, draw, float32, list_rows, parameters_text
from loss_formulas import EXTENTS, cross_entropy, evaluate, value_count

DECLARATION = """
typedef struct golden_loss {
    const char *label;
    clgrad_loss_kind kind;
    clgrad_reduction reduction;
    float parameters[8]; /* in the order of the list's row */
    int rank;
    size_t shape[4];
    const float *prediction;
    const float *target;    /* NULL with classes */
    const int32_t *classes; /* NULL with target */
    size_t value_count;
    const double *value;
    const double *dvalue;   /* [value_count], the upstream gradient, each a float32; NULL for ones */
    const double *gradient; /* of sum(value * dvalue) with respect to the prediction, of its size */
} golden_loss;
"""

REDUCTIONS = ("none", "mean", "sum")
ALPHAS = (0.0, 0.25, 0.5, 1.0)
ELEMENT_SHAPES = [(7,), (3, 5), (2, 3, 4)]
BALANCED_SHAPES = [(7,), (2, 3, 2)]
ROW_SHAPES = [(batch, classes) for batch in (1, 5) for classes in (1, 2, 3, 10)]


def shape_text(shape):
    return "[" + ", ".join(map(str, shape)) + "]"


def distributions(label, shape):
    """Rows of probabilities; they sum to 1 as far as float32 can."""
    width = shape[-1]
    raw = draw(label, math.prod(shape), 0.05, 1)
    rows = [raw[i : i + width] for i in range(0, len(raw), width)]
    return [float32(value / sum(row)) for row in rows for value in row]


def ordinary_prediction(kind, shape):
    label, count = f"{kind} prediction {shape}", math.prod(shape)
    if kind == "kl_div":
        return draw(label, count, -4, -0.05)
    if kind in ("kl_div_probability", "cross_entropy_probability"):
        return distributions(label, shape)
    if kind.startswith("bce"):
        return draw(label, count, 0.02, 0.98)
    return draw(label, count, -3, 3)


def ordinary_target(kind, shape):
    label, count = f"{kind} target {shape}", math.prod(shape)
    if kind.startswith("bce"):
        # Every third one is soft.
        hard = draw(label, count, 0, 1)
        return [value if i % 3 == 2 else float(value > 0.5) for i, value in enumerate(hard)]
    if kind.startswith(("kl_div", "cross_entropy")):
        return distributions(label, shape)
    return draw(label, count, -3, 3)


class Cases:
    def __init__(self, out):
        self.out = out

    def one(self, kind, reduction, label, shape, prediction, target, classes, with_dvalue, parameters):
        count = value_count(kind, reduction, shape)
        dvalue = draw(f"{label} dvalue", count, 0.25, 2) if with_dvalue else None
        dvalue = dvalue and [-v if i % 3 == 1 else v for i, v in enumerate(dvalue)]
        if kind == "cross_entropy":
            value, gradient = cross_entropy(reduction, shape, prediction, target, classes, dvalue)
        else:
            value, gradient = evaluate(kind, reduction, shape, prediction, target, dvalue, parameters)
        assert len(value) == count and len(gradient) == len(prediction)
        assert not any(map(math.isnan, value + gradient)), label
        name = kind + "".join(" alpha %g" % alpha for alpha in parameters)
        title = f"{name} {reduction} {shape_text(shape)}: {label}{', dvalue' if with_dvalue else ''}"
        self.out.entry(
            f'"{title}"',
            f"CLGRAD_LOSS_{kind.upper()}",
            f"CLGRAD_REDUCTION_{reduction.upper()}",
            parameters_text(parameters),
            len(shape),
            "{" + ", ".join(map(str, shape)) + "}",
            self.out.array("float", prediction),
            self.out.array("float", None if classes else target),
            self.out.array("int32_t", classes),
            count,
            self.out.array("double", value),
            self.out.array("double", dvalue),
            self.out.array("double", gradient),
        )

    def ordinary(self, kind, label, shape, prediction, target, classes=None, parameters=()):
        """Each reduction, with and without an upstream gradient."""
        for reduction in REDUCTIONS:
            for with_dvalue in (False, True):
                self.one(
                    kind, reduction, label, shape, prediction, target, classes, with_dvalue, list(parameters)
                )

    def special(
        self, kind, label, prediction, target, shape=None, classes=None, parameters=(), infinite=False
    ):
        """Each reduction, and once an upstream gradient unless something is infinite."""
        prediction = [float32(value) for value in prediction]
        target = target and [float32(value) for value in target]
        shape = shape or (len(prediction),)
        for reduction, with_dvalue in [(r, False) for r in REDUCTIONS] + [("none", True)] * (not infinite):
            self.one(
                kind, reduction, label, shape, prediction, target, classes, with_dvalue, list(parameters)
            )


def ordinary_cases(cases):
    for kind, extent in EXTENTS.items():
        balanced = kind == "bce_balanced"
        for shape in ROW_SHAPES if extent == "row" else BALANCED_SHAPES if balanced else ELEMENT_SHAPES:
            prediction, target = ordinary_prediction(kind, shape), ordinary_target(kind, shape)
            for parameters in [[alpha] for alpha in ALPHAS] if balanced else [[]]:
                cases.ordinary(kind, "ordinary", shape, prediction, target, parameters=parameters)
            if kind == "cross_entropy":
                classes = [(3 * row + 1) % shape[1] for row in range(shape[0])]
                cases.ordinary(kind, "classes", shape, prediction, None, classes=classes)


def distance_cases(cases):
    cases.special("mse", "one distance of 1e19", [0, 0, 1e19, 0, 0], [0] * 5)
    cases.special("mse", "no distance", [1.5, -0.0, 0.0], [1.5, 0.0, -0.0])
    cases.special("mse", "distances of 1e-18", [1e-18, -3e-18, 0], [0, 2e-18, 1e-18])

    cases.special("l2", "no distance", [1.5, -2, 0, -0.0], [1.5, -2, 0, 0])
    cases.special("l2", "one number, no distance", [0.5], [0.5])
    cases.special("l2", "one number", [0.5], [2])
    cases.special("l2", "distances of 1e25", [1e25, -1e25, 2e25, 0], [0, 1e25, 0, 3e25])
    cases.special("l2", "one distance of 1e25", [1, 2, 1e25, 3], [0] * 4)
    cases.special("l2", "distances of 1e-25", [1e-25, -1e-25, 2e-25, 0], [0, 1e-25, 0, 3e-25])
    cases.special("l2", "distances of 1e38", [1e38, -1e38, 2e38], [0, 1e38, 1e38])

    kink = [0.5, -2, 0, -0.0, 1, 1]
    cases.special("l1", "p = t, and both sides of it", kink, kink_neighbours(kink))
    cases.special("l1", "large", [1e30, -1e30, 2, 1e30], [-1e30, -1e30, 1e30, 0])
    cases.special("l1", "small", [1e-30, -1e-30, 0, 3e-30], [0, 1e-30, -2e-30, 3e-30])


def kink_neighbours(kink):
    """The same numbers (0 for -0), but for the last two: the next float32 above and below."""
    above, below = (float(np.nextafter(np.float32(kink[-1]), np.float32(way))) for way in (np.inf, -np.inf))
    return [value + 0.0 for value in kink[:-2]] + [above, below]


def probability_cases(cases):
    log_p = [-0.5, -2, 0, -50, -1e4]
    cases.special("kl_div", "t = 0 and t = 1", log_p, [0, 1, 0, 0.25, 0.75])
    cases.special("kl_div", "t = 0 where p is -inf", [-math.inf, -0.5, -math.inf, -1], [0, 0.6, 0, 0.4])
    cases.special("kl_div", "t = 0 everywhere", [-1, -2, -3], [0, 0, 0])
    cases.special("kl_div", "p is -inf", [-math.inf, -0.5], [0.25, 0.75], infinite=True)

    kind = "kl_div_probability"
    cases.special(kind, "t = 0 and t = 1", [0.25, 0.5, 0.125, 0.125], [0, 1, 0, 0])
    cases.special(kind, "t = 0 where p = 0", [0, 0.4, 0, 0.6], [0, 0.7, 0, 0.3])
    cases.special(kind, "p = t", [0.1, 0.2, 0.7], [0.1, 0.2, 0.7])
    cases.special(kind, "small", [1e-30, 1e-10, 1], [1e-10, 1e-30, 0.5])
    cases.special(kind, "p = 0", [0, 0.5], [0.25, 0.75], infinite=True)

    kind, shape = "cross_entropy_probability", (2, 3)
    cases.special(kind, "t = 0 where p = 0", [0, 0.4, 0.6, 0.7, 0, 0.3], [0, 0.7, 0.3, 1, 0, 0], shape)
    cases.special(kind, "one-hot", [0.2, 0.3, 0.5, 0.9, 0.05, 0.05], [0, 1, 0, 1, 0, 0], shape)
    cases.special(kind, "certain and right", [0, 1, 0, 1, 0, 0], [0, 1, 0, 1, 0, 0], shape)
    cases.special(kind, "near 1", [1 - 6e-8, 6e-8, 0, 1e-7, 1 - 1.2e-7, 0], [1, 0, 0, 0, 1, 0], shape)
    cases.special(kind, "small", [1e-30, 1e-10, 1, 0.5, 1e-37, 0.5], [0.5, 0.5, 0, 0, 1, 0], shape)
    cases.special(kind, "p = 0", [0, 0.5, 0.5, 0.2, 0.3, 0.5], [0.5, 0.5, 0, 0, 1, 0], shape, infinite=True)


def binary_cases(cases):
    targets = [0, 1, 0.3]
    groups = {
        "p = 0": [0.0],
        "p = 1": [1.0],
        "p near 0": [1e-7, 1e-8],
        "p far below 1e-12": [1e-20, 1e-38, 1e-43],
        "p near 1": [1 - 2.0**-24, 1 - 2.0**-23],
    }
    for label, ends in groups.items():
        prediction = [p for p in ends for _ in targets]
        cases.special("bce", label, prediction, targets * len(ends))
        for alpha in ALPHAS:
            cases.special("bce_balanced", label, prediction, targets * len(ends), parameters=[alpha])


def logit_cases(cases):
    kind, inf = "cross_entropy", math.inf

    def both(label, logits, shape, classes, soft, infinite=False):
        cases.special(kind, f"{label}, classes", logits, None, shape, classes, infinite=infinite)
        cases.special(kind, f"{label}, soft", logits, soft, shape)

    large = [1, -1, 0, 0.5, -1, 1]
    soft = [0.25, 0.25, 0.5, 0.125, 0.5, 0.375]
    for size in (1e4, 1e20):
        both(f"logits of {size:g}", [size * v for v in large], (2, 3), [0, 2], soft)
        both(f"wrong logits of {size:g}", [size * v for v in large], (2, 3), [1, 1], soft)
    both("all equal", [2.5] * 8, (2, 4), [0, 3], [0.25] * 4 + [0.5, 0.25, 0.25, 0])
    both("all equal, 1e20", [-1e20] * 3, (1, 3), [1], [0.25, 0.25, 0.5])
    for gap in (20, 50, 80, 100):
        both(f"gap {gap}", [gap, 0, -1], (1, 3), [0], [1, 0, 0])
        both(f"gap {gap}, below 0", [-3, -3 - gap], (1, 2), [0], [0.75, 0.25])
    both("masked", [-inf, 0.5, 1.5, 2, -inf, -inf], (2, 3), [1, 0], [0, 0.5, 0.5, 1, 0, 0])
    masked = [-inf, 0.5, 1.5, 2, 0.25, 1]
    cases.special(kind, "masked, and its class asked for", masked, None, (2, 3), [0, 1], infinite=True)
    logits = draw("unnormalised", 6, -2, 2)
    cases.special(kind, "targets that do not sum to 1", logits, [0.5, 0.75, 1, 0.25, 0.125, 0.125], (2, 3))
    cases.special(kind, "targets of 0", logits, [0, 0, 0, 0.5, 0.25, 0.25], (2, 3))


def header():
    assert list_rows("loss") == list(EXTENTS), "the list in loss.h has other rows"
    out = Header(
        "loss",
        ["clgrad/loss.h", "math.h"],
        f"Source: PyTorch {torch.__version__},\n * float64, gradients by autograd; cross_entropy by mpmath"
        f" {mpmath.__version__}, 400 digits. README.md\n * says where PyTorch does not decide.",
        DECLARATION,
    )
    cases = Cases(out)
    ordinary_cases(cases)
    distance_cases(cases)
    probability_cases(cases)
    binary_cases(cases)
    logit_cases(cases)
    return out
