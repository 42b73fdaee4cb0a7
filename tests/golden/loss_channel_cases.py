"""Cases of the losses of one column of classes: cross entropy, nll and focal."""

import math

from loss_case import (
    ALL,
    FEW,
    ONCE,
    PLAIN,
    Case,
    channel_distributions,
    class_indices,
    distributions,
    numbers,
)

ROW_SHAPES = [(batch, classes) for batch in (1, 5) for classes in (1, 2, 3, 10)]
DEEP_SHAPES = {(2, 3, 4): ALL, (2, 3, 2, 2): FEW, (1, 5, 3): FEW, (2, 1, 3): FEW}


def labels(shape):
    return class_indices("labels", shape[0] * math.prod(shape[2:]), shape[1])


def prediction(kind, shape):
    return numbers(f"{kind} prediction {shape}", shape, *((-4, -0.05) if kind == "nll" else (-3, 3)))


def ordinary(kind, shape, ways=FEW, label="classes", **rest):
    rest = {"classes": labels(shape), **rest}
    return Case(kind, label, prediction(kind, shape), shape=shape, ways=ways, **rest)


def class_weight(classes, label="weight"):
    return numbers(label, (classes,), 0.25, 3), (classes,)


def ordinary_cases():
    for kind in ("cross_entropy", "nll", "focal"):
        for shape in ROW_SHAPES:
            yield ordinary(kind, shape, ALL if shape in ((5, 3), (1, 2)) else FEW)
        for shape, ways in DEEP_SHAPES.items():
            yield ordinary(kind, shape, ways)
    for shape in ROW_SHAPES:
        target = distributions(f"soft {shape}", shape)
        ways = ALL if shape in ((5, 3), (1, 2)) else FEW
        yield Case("cross_entropy", "soft", prediction("cross_entropy", shape), target, shape, ways)
    for shape, ways in DEEP_SHAPES.items():
        target = channel_distributions(f"soft {shape}", shape)
        yield Case("cross_entropy", "soft", prediction("cross_entropy", shape), target, shape, ways)


def index_cases():
    """Weights and ignored labels, which the three treat alike."""
    for kind in ("cross_entropy", "nll", "focal"):
        shape, deep = (5, 3), (2, 3, 2, 2)
        weight = class_weight(3)
        yield ordinary(kind, shape, ALL, weight=weight)
        yield ordinary(kind, deep, ALL, weight=weight)
        yield ordinary(kind, shape, weight=([1.5, 0, 2], (3,)))
        some = [1, -100, 2, -100, 0]
        yield ordinary(kind, shape, ALL, "some ignored", classes=some)
        yield ordinary(kind, shape, ALL, "some ignored", classes=some, weight=weight)
        deep_labels = [-100 if i % 3 == 1 else label for i, label in enumerate(labels(deep))]
        yield ordinary(kind, deep, FEW, "some ignored", classes=deep_labels, weight=weight)
        yield ordinary(kind, shape, FEW, "ignore_index is a class", parameters={"ignore_index": 1})
        chosen = {"classes": [2, 1, 0, 1, 1], "weight": weight, "parameters": {"ignore_index": 1}}
        yield ordinary(kind, shape, ALL, "ignore_index is a class", **chosen)
        other = {"classes": [2, 255, 0, 255, 1], "parameters": {"ignore_index": 255}}
        yield ordinary(kind, shape, FEW, "ignore_index beyond the classes", **other)
        one = [-100, -100, 2, -100, -100]
        yield ordinary(kind, shape, ALL, "all ignored but one", classes=one)
        yield ordinary(kind, shape, ALL, "all ignored but one", classes=one, weight=weight)
        yield ordinary(kind, shape, PLAIN, "all ignored", classes=[-100] * 5)
        yield ordinary(
            kind, shape, PLAIN, "weights that add up to 0", classes=[1] * 5, weight=([1, 0, 2], (3,))
        )


def smoothing_cases():
    kind, shape, deep = "cross_entropy", (5, 3), (2, 3, 2, 2)
    weight = class_weight(3)
    for smoothing in (0.1, 0.5, 1):
        parameters = {"label_smoothing": smoothing}
        ways = FEW if smoothing == 0.1 else ONCE
        some = [1, -100, 2, -100, 0]
        yield ordinary(kind, shape, ways, parameters=parameters)
        yield ordinary(kind, shape, ways, weight=weight, parameters=parameters)
        yield ordinary(kind, shape, ways, "some ignored", classes=some, weight=weight, parameters=parameters)
        yield ordinary(kind, deep, ways, weight=weight, parameters=parameters)
        yield ordinary(kind, (2, 1), ONCE, parameters=parameters)
        for name, at in (("soft", shape), ("soft", deep)):
            p, t = prediction(kind, at), channel_distributions(f"soft {at}", at)
            yield Case(kind, name, p, t, at, ways, parameters=parameters)
            yield Case(kind, name, p, t, at, ways, weight=weight, parameters=parameters)
        gap = [50, 0, -1]
        yield Case(kind, "gap 50, classes", gap, shape=(1, 3), ways=ONCE, classes=[0], parameters=parameters)
        yield Case(kind, "gap 50, soft", gap, [1, 0, 0], (1, 3), ONCE, parameters=parameters)
    both = {"ignore_index": 1, "label_smoothing": 0.1}
    yield ordinary(kind, shape, ALL, "ignore_index is a class", weight=weight, parameters=both)
    yield ordinary(kind, shape, PLAIN, "all ignored", classes=[-100] * 5, parameters={"label_smoothing": 0.1})
    soft = distributions("soft weighted", shape)
    yield Case(kind, "soft", prediction(kind, shape), soft, shape, ALL, weight=weight)
    yield Case(kind, "soft", prediction(kind, shape), soft, shape, weight=([1.5, 0, 2], (3,)))
    masked = [-math.inf, 0.5, 1.5]
    smooth = {"label_smoothing": 0.1}
    yield Case(kind, "masked", masked, shape=(1, 3), ways=PLAIN, classes=[1], parameters=smooth)


def logit_cases():
    kind, inf = "cross_entropy", math.inf

    def both(label, logits, shape, classes, soft, ways=ONCE):
        yield Case(kind, f"{label}, classes", logits, None, shape, ways, classes=classes)
        yield Case(kind, f"{label}, soft", logits, soft, shape, ways)
        yield Case("focal", f"{label}", logits, None, shape, ways, classes=classes)
        slow = {"gamma": 0.5}
        yield Case("focal", f"{label}", logits, None, shape, ways, classes=classes, parameters=slow)

    large = [1, -1, 0, 0.5, -1, 1]
    soft = [0.25, 0.25, 0.5, 0.125, 0.5, 0.375]
    for size in (1e4, 1e20):
        yield from both(f"logits of {size:g}", [size * v for v in large], (2, 3), [0, 2], soft)
        yield from both(f"wrong logits of {size:g}", [size * v for v in large], (2, 3), [1, 1], soft)
    yield from both("all equal", [2.5] * 8, (2, 4), [0, 3], [0.25] * 4 + [0.5, 0.25, 0.25, 0])
    yield from both("all equal, 1e20", [-1e20] * 3, (1, 3), [1], [0.25, 0.25, 0.5])
    for gap in (20, 50, 80, 100):
        yield from both(f"gap {gap}", [gap, 0, -1], (1, 3), [0], [1, 0, 0])
        yield from both(f"gap {gap}, below 0", [-3, -3 - gap], (1, 2), [0], [0.75, 0.25])
    masked = [-inf, 0.5, 1.5, 2, -inf, -inf]
    yield from both("masked", masked, (2, 3), [1, 0], [0, 0.5, 0.5, 1, 0, 0], PLAIN)
    asked = [-inf, 0.5, 1.5, 2, 0.25, 1]
    for kind in ("cross_entropy", "focal"):
        yield Case(kind, "masked, and its class asked for", asked, None, (2, 3), PLAIN, classes=[0, 1])
    kind, logits = "cross_entropy", numbers("unnormalised", (6,), -2, 2)
    unnormalised = [0.5, 0.75, 1, 0.25, 0.125, 0.125]
    yield Case(kind, "targets that do not sum to 1", logits, unnormalised, (2, 3))
    yield Case(kind, "targets of 0", logits, [0, 0, 0, 0.5, 0.25, 0.25], (2, 3))


def other_cases():
    weight = class_weight(3)
    for gamma in (0, 0.5, 1, 5):
        parameters = {"gamma": gamma}
        yield ordinary("focal", (5, 3), ALL if gamma == 0.5 else FEW, parameters=parameters)
        yield ordinary("focal", (2, 3, 2, 2), weight=weight, parameters=parameters)
        yield Case("focal", "gap 50", [50, 0, -1], shape=(1, 3), classes=[0], parameters=parameters)
    yield Case("nll", "tails", [0, -1e30, -1e-30, -0.0], shape=(2, 2), ways=PLAIN, classes=[1, 0])
    yield Case("nll", "-inf", [-math.inf, -1, 0, -math.inf], shape=(2, 2), ways=PLAIN, classes=[1, 0])
    yield Case("nll", "-inf asked for", [-math.inf, -1, 0, -2], shape=(2, 2), ways=PLAIN, classes=[0, 1])
    yield Case("nll", "any numbers", [2, -1, 0.5, 3], shape=(2, 2), classes=[0, 1])


def cases():
    yield from ordinary_cases()
    yield from index_cases()
    yield from smoothing_cases()
    yield from logit_cases()
    yield from other_cases()
