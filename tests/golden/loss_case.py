"""What a case of golden_loss is, what the losses' parameters are, and how a case becomes an entry."""

import math
from dataclasses import dataclass, field

import numpy as np

from emit import draw, float32, parameters_text


@dataclass(frozen=True)
class Loss:
    """A row of the list: what one number of the unreduced loss covers, the parameters in their order with
    their defaults, and the operands besides the prediction that it can be differentiated by."""

    extent: str
    parameters: dict = field(default_factory=dict)
    gives: tuple = ()


TARGET, OTHER, BOTH = ("target",), ("other",), ("target", "other")

# The order is the list's. All but the extent "whole", which lies with the elements, has a header of its own.
LOSSES = {
    "mse": Loss("element", {}, TARGET),
    "l2": Loss("whole"),
    "l1": Loss("element", {}, TARGET),
    "kl_div": Loss("element", {"log_target": 0}, TARGET),
    "kl_div_probability": Loss("element"),
    "cross_entropy_probability": Loss("row"),
    "bce": Loss("element", {}, TARGET),
    "bce_balanced": Loss("element", {"alpha": 0.5}),
    "cross_entropy": Loss("channel", {"ignore_index": -100, "label_smoothing": 0}, TARGET),
    "huber": Loss("element", {"delta": 1}, TARGET),
    "smooth_l1": Loss("element", {"beta": 1}, TARGET),
    "bce_with_logits": Loss("element", {}, TARGET),
    "poisson_nll": Loss("element", {"log_input": 1, "full": 0, "eps": 1e-8}, TARGET),
    "gaussian_nll": Loss("element", {"full": 0, "eps": 1e-6}, BOTH),
    "hinge_embedding": Loss("element", {"margin": 1}),
    "soft_margin": Loss("element"),
    "margin_ranking": Loss("element", {"margin": 0}, OTHER),
    "nll": Loss("channel", {"ignore_index": -100}),
    "focal": Loss("channel", {"ignore_index": -100, "gamma": 2}),
    "sigmoid_focal": Loss("element", {"alpha": 0.25, "gamma": 2}),
    "dice": Loss("row", {"smooth": 1}),
    "cosine_embedding": Loss("row", {"margin": 0}, OTHER),
    "multi_margin": Loss("row", {"p": 1, "margin": 1}),
    "multilabel_margin": Loss("row"),
    "multilabel_soft_margin": Loss("row"),
    "triplet_margin": Loss("row", {"margin": 1, "p": 2, "eps": 1e-6, "swap": 0}, BOTH),
    "triplet_margin_with_distance": Loss("row", {"margin": 1, "distance": 0, "swap": 0}, BOTH),
    "ctc": Loss("sequence", {"blank": 0, "zero_infinity": 0}),
}

# Reductions, each with an upstream gradient or without.
ALL = [(reduction, dvalue) for reduction in ("none", "mean", "sum") for dvalue in (False, True)]
FEW = [("none", False), ("mean", True)]
ONCE = [("none", True)]
# Without an upstream gradient of either sign, where something is infinite.
PLAIN = [("none", False), ("mean", False), ("sum", False)]
BATCHMEAN = [("batchmean", False), ("batchmean", True)]


@dataclass
class Case:
    """Operands are flat; the weights are pairs of values and shape."""

    kind: str
    label: str
    prediction: list
    target: list = None
    shape: tuple = None
    ways: list = field(default_factory=lambda: FEW)
    other: list = None
    classes: list = None
    room: int = 0
    weight: tuple = None
    pos_weight: tuple = None
    input_lengths: list = None
    target_lengths: list = None
    parameters: dict = field(default_factory=dict)

    def __post_init__(self):
        self.shape = self.shape or (len(self.prediction),)
        assert len(self.prediction) == math.prod(self.shape), self.label
        for name in ("prediction", "target", "other"):
            values = getattr(self, name)
            setattr(self, name, None if values is None else [float32(value) for value in values])
        for name in ("weight", "pos_weight"):
            if getattr(self, name) is not None:
                values, shape = getattr(self, name)
                assert len(values) == math.prod(shape), self.label
                setattr(self, name, ([float32(value) for value in values], shape))
        unknown = set(self.parameters) - set(self.loss.parameters)
        assert not unknown, f"{self.kind} has no {unknown}"

    @property
    def loss(self):
        return LOSSES[self.kind]

    def values(self):
        """Every parameter, a float32 where it is a number, by its name."""
        return {name: float32(value) for name, value in {**self.loss.parameters, **self.parameters}.items()}

    def wanted(self):
        """The operands to differentiate by: those that the loss gives and that are float32."""
        return ["prediction"] + [name for name in self.loss.gives if getattr(self, name) is not None]

    def value_count(self, reduction):
        if reduction != "none" or self.loss.extent == "whole":
            return 1
        batch, *rest = self.shape
        counts = {"element": math.prod(self.shape), "row": batch, "channel": batch * math.prod(rest[1:])}
        return rest[0] if self.loss.extent == "sequence" else counts[self.loss.extent]

    def title(self, reduction, with_dvalue):
        name = " ".join([self.kind] + ["%s=%g" % pair for pair in self.parameters.items()])
        parts = [f"{name} {reduction} {shape_text(self.shape)}: {self.label}"]
        parts += [
            f"{w} {shape_text(getattr(self, w)[1])}" for w in ("weight", "pos_weight") if getattr(self, w)
        ]
        return ", ".join(parts + ["dvalue"] * with_dvalue)

    def dvalue(self, reduction):
        """An upstream gradient of both signs."""
        numbers = draw(f"{self.label} dvalue", self.value_count(reduction), 0.25, 2)
        return [-number if i % 3 == 1 else number for i, number in enumerate(numbers)]


def shape_text(shape):
    return "[" + ", ".join(map(str, shape)) + "]"


def c_shape(shape):
    return "{" + (", ".join(map(str, shape)) or "0") + "}"


def add_entry(out, case, reduction, dvalue, value, gradients):
    """One entry of the header; the order is golden_loss's."""
    assert len(value) == case.value_count(reduction)
    assert all(len(gradients[name]) == len(getattr(case, name)) for name in case.wanted())
    weights = []
    for values, shape in (case.weight or (None, ()), case.pos_weight or (None, ())):
        weights += [out.array("float", values), len(shape), c_shape(shape)]
    out.entry(
        f'"{case.title(reduction, dvalue is not None)}"',
        f"CLGRAD_LOSS_{case.kind.upper()}",
        f"CLGRAD_REDUCTION_{reduction.upper()}",
        parameters_text(list(case.values().values())),
        len(case.shape),
        c_shape(case.shape),
        out.array("float", case.prediction),
        out.array("float", case.target),
        out.array("float", case.other),
        out.array("int32_t", case.classes),
        case.room,
        *weights,
        out.array("int32_t", case.input_lengths),
        out.array("int32_t", case.target_lengths),
        len(value),
        out.array("double", value),
        out.array("double", dvalue),
        *(out.array("double", gradients.get(name)) for name in ("prediction", "target", "other")),
    )


# ---- operands that several losses' cases share ----


def numbers(label, shape, low=-3, high=3):
    return draw(label, math.prod(shape), low, high)


def distributions(label, shape):
    """Rows of probabilities along the last dimension; they sum to 1 as far as float32 can."""
    width = shape[-1]
    raw = draw(label, math.prod(shape), 0.05, 1)
    rows = [raw[i : i + width] for i in range(0, len(raw), width)]
    return [float32(value / sum(row)) for row in rows for value in row]


def channel_distributions(label, shape):
    """Columns of probabilities along the second dimension."""
    raw = np.array(draw(label, math.prod(shape), 0.05, 1)).reshape(shape)
    return [float32(value) for value in (raw / raw.sum(axis=1, keepdims=True)).flatten()]


def binary(label, shape):
    """0 and 1, every third one between them."""
    return [v if i % 3 == 2 else float(v > 0.5) for i, v in enumerate(numbers(label, shape, 0, 1))]


def signs(label, shape):
    return [1.0 if value > 0 else -1.0 for value in numbers(label, shape)]


def class_indices(label, count, classes):
    """Indices from 0 to classes - 1, the first ones all different."""
    order = sorted(range(classes), key=numbers(label, (classes,)).__getitem__)
    drawn = [int(value) % classes for value in numbers(label, (count,), 0, classes)]
    return [order[i] if i < min(classes, 3) else drawn[i] for i in range(count)]


def around(value):
    """The float32 and its two neighbours."""
    value = np.float32(value)
    return [
        float(np.nextafter(value, np.float32(-np.inf))),
        float(value),
        float(np.nextafter(value, np.float32(np.inf))),
    ]
