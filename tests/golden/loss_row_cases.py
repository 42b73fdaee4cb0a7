"""Cases of the losses of one row."""

import math

from loss_case import (
    ALL,
    FEW,
    ONCE,
    PLAIN,
    Case,
    around,
    binary,
    class_indices,
    distributions,
    numbers,
    signs,
)

SHAPES = {(1, 1): FEW, (4, 3): ALL, (1, 5): ALL, (3, 10): FEW}


def probability_cases():
    kind = "cross_entropy_probability"
    for shape in [(batch, classes) for batch in (1, 5) for classes in (1, 2, 3, 10)]:
        p, t = (distributions(f"{kind} {name} {shape}", shape) for name in ("prediction", "target"))
        yield Case(kind, "ordinary", p, t, shape, ALL if shape[1] in (2, 3) else FEW)
    shape = (2, 3)

    def at(label, p, t, ways=FEW):
        return Case(kind, label, p, t, shape, ways)

    yield at("t = 0 where p = 0", [0, 0.4, 0.6, 0.7, 0, 0.3], [0, 0.7, 0.3, 1, 0, 0])
    yield at("one-hot", [0.2, 0.3, 0.5, 0.9, 0.05, 0.05], [0, 1, 0, 1, 0, 0])
    yield at("certain and right", [0, 1, 0, 1, 0, 0], [0, 1, 0, 1, 0, 0])
    yield at("near 1", [1 - 6e-8, 6e-8, 0, 1e-7, 1 - 1.2e-7, 0], [1, 0, 0, 0, 1, 0])
    yield at("small", [1e-30, 1e-10, 1, 0.5, 1e-37, 0.5], [0.5, 0.5, 0, 0, 1, 0])
    yield at("p = 0", [0, 0.5, 0.5, 0.2, 0.3, 0.5], [0.5, 0.5, 0, 0, 1, 0], PLAIN)


def dice_cases():
    for parameters in ({}, {"smooth": 0}, {"smooth": 0.1}, {"smooth": 100}):
        for shape, ways in SHAPES.items() if not parameters else [((4, 3), ONCE)]:
            p, t = numbers(f"dice {shape}", shape, 0, 1), binary(f"dice target {shape}", shape)
            yield Case("dice", "ordinary", p, t, shape, ways, parameters=parameters)
    shape = (3, 2)
    yield Case("dice", "nothing, all and the contrary", [0, 0, 1, 1, 1, 0], [0, 0, 1, 1, 0, 1], shape)
    without = {"smooth": 0}
    yield Case("dice", "all and the contrary", [1, 1, 1, 0], [1, 1, 0, 1], (2, 2), parameters=without)
    yield Case("dice", "small", [1e-20, 0, 1e-10, 1e-20], [0, 1e-20, 0, 1e-10], (2, 2), parameters=without)


def cosine_cases():
    kind = "cosine_embedding"
    for parameters in ({}, {"margin": 0.3}, {"margin": -0.5}):
        for shape, ways in SHAPES.items() if not parameters else [((4, 3), ONCE)]:
            p, o, t = numbers("left", shape), numbers("right", shape), signs(f"{kind} {shape}", shape[:1])
            yield Case(kind, "ordinary", p, t, shape, ways, other=o, parameters=parameters)

    def at(label, p, o, t, ways=FEW, **parameters):
        return Case(kind, label, p, t, (len(t), len(p) // len(t)), ways, other=o, parameters=parameters)

    one = [1, 0, 2, 1, -1, 3]
    same, opposite = one + one, [-v for v in one] + one
    yield at("p = o and p = -o", same, opposite, [1, 1, -1, 1, 1, -1], ALL)
    yield at("zeros", [0, 0, 0, 0, 1, 2, 0, 0], [0, 0, 1, 2, 0, 0, 3, -1], [1, 1, -1, -1])
    yield at("right angles, c = margin", [1, 0, 1, 1, 0, 2], [0, 1, -1, 1, 3, 0], [1, -1, -1])
    for margin in (0.5, -0.25):
        # c is margin but for the 1e-12 and one rounding of it, to either side.
        o = [value for c in (margin - 1e-6, margin + 1e-6) for value in (c, math.sqrt(1 - c * c))]
        yield at("c around margin", [1, 0, 1, 0], o, [-1, -1], margin=margin)
    yield at("margin 1", [1, 0, 1, 2], [1, 0, 1, 2], [-1, -1], margin=1)
    yield at("targets that are neither", [1, 2, 1, 2], [1, 1, 2, 1], [0, 0.5])
    yield at("below the root of 1e-12", [1e-7, 2e-7, 1e-7, 0], [3e-7, -1e-7, 1, 1], [1, -1])
    yield at("small and large", [1e-4, 2e-4, 1e4, -2e4], [3e4, 1e4, 2e-4, -1e-4], [1, -1])


def multi_margin_cases():
    kind = "multi_margin"
    weight = (numbers("weight", (3,), 0.25, 3), (3,))
    some = [{"p": 2}, {"margin": 0.5}, {"margin": 3}, {"margin": -0.25}, {"p": 2, "margin": 0.5}]
    for parameters in [{}, *some]:
        for shape, ways in SHAPES.items() if not parameters else [((4, 3), ONCE)]:
            p, classes = numbers(f"{kind} {shape}", shape), class_indices(kind, *shape)
            options = {"shape": shape, "classes": classes, "parameters": parameters}
            yield Case(kind, "ordinary", p, ways=ways, **options)
            if shape == (4, 3):
                yield Case(kind, "ordinary", p, ways=ways, weight=weight, **options)
    for power in (1, 2):
        for margin in (1, 0.5):
            options = {"classes": [0, 1], "parameters": {"p": power, "margin": margin}, "shape": (2, 4)}
            yield Case(kind, "margin hit", [margin] + [0] * 4 + [margin, 0, -1], **options)
            yield Case(
                kind, "around the margin", [0, *(-v for v in around(margin)), 0, margin, 0, 0], **options
            )
    yield Case(kind, "all equal", [2] * 6, shape=(2, 3), classes=[0, 2])
    yield Case(
        kind, "tails", [1e18, -1e18, 0, 0], shape=(2, 2), classes=[1, 0], ways=PLAIN, parameters={"p": 2}
    )


def multilabel_cases():
    kind = "multilabel_margin"
    for shape, ways in SHAPES.items():
        batch, count = shape
        lists = [
            [(2 * r + k) % count if k < min(r + 1, count) else -1 for k in range(count)] for r in range(batch)
        ]
        p = numbers(f"{kind} {shape}", shape)
        yield Case(kind, "ordinary", p, shape=shape, ways=ways, classes=sum(lists, []))
    lists = [-1, -1, -1, 0, 1, 2, 2, 0, -1, 1, -1, 0, -1, 2, 1, 0, -1, -1]
    p = numbers(f"{kind} lists", (6, 3))
    yield Case(kind, "empty, full, and something behind -1", p, shape=(6, 3), ways=ALL, classes=lists)
    yield Case(kind, "none has a target", p, shape=(6, 3), classes=[-1] * 18)
    twice = [1, 1, -1, 2, 2, 2]
    yield Case(kind, "a label twice", p[:6], shape=(2, 3), classes=twice)
    hit = [1, 0, 0, 0, 0, 1, 1.5, 0.5, 2]
    yield Case(kind, "margin hit", hit, shape=(3, 3), classes=[0, -1, -1, 2, -1, -1, 2, 0, -1])
    near = [0, *(-v for v in around(1))]
    yield Case(kind, "around the margin", near, shape=(1, 4), classes=[0, -1, -1, -1])

    kind, weight = "multilabel_soft_margin", (numbers("weight", (3,), 0.25, 3), (3,))
    for shape, ways in SHAPES.items():
        p, t = numbers(f"{kind} {shape}", shape), binary(f"{kind} target {shape}", shape)
        yield Case(kind, "ordinary", p, t, shape, ways)
        if shape == (4, 3):
            yield Case(kind, "ordinary", p, t, shape, ways, weight=weight)
            yield Case(kind, "ordinary", p, t, shape, weight=([0, 2, -1], (3,)))
    targets, ends = [0, 1, 0.3], [0, 1e-20, 17, -17, 50, -50, 100, -100, 1e4, -1e4]
    p = [end for end in ends for _ in targets]
    yield Case(kind, "tails", p, targets * len(ends), (len(ends), 3), FEW)
    yield Case(kind, "one class each", p, targets * len(ends), (len(p), 1))


def triplet(kind, label, triples, ways=FEW, **parameters):
    """From rows (anchor, positive, negative)."""
    operands = [sum((list(row[k]) for row in triples), []) for k in range(3)]
    shape = (len(triples), len(triples[0][0]))
    p, t, o = operands
    return Case(kind, label, p, t, shape, ways, other=o, parameters=parameters)


def ordinary_triplets(kind, choices):
    for parameters in [{}, *choices]:
        for shape, ways in SHAPES.items() if not parameters else [((4, 3), ONCE)]:
            p, t, o = (
                numbers(f"{name} {shape}", shape, -2, 2) for name in ("anchor", "positive", "negative")
            )
            yield Case(kind, "ordinary", p, t, shape, ways, other=o, parameters=parameters)


# Right-angled, so that distances are whole numbers in the 2-norm.
NOWHERE = ((0, 0), (0, 0), (0, 0))
AT_POSITIVE = ((1, 2), (1, 2), (3, 1))
AT_NEGATIVE = ((1, 2), (3, 1), (1, 2))
ALL_DIFFERENT = ((1, 0), (-0.5, 2), (0.25, -1))


def triplet_cases():
    kind = "triplet_margin"
    choices = [{"p": p, **rest} for p in (1, 2, 3, 5) for rest in ({"margin": 3}, {"swap": 1, "margin": 3})]
    choices += [
        {"margin": 0.25},
        {"eps": 0},
        {"eps": 0.01},
        {"swap": 1},
        {"p": 1, "eps": 0},
        {"p": 3, "eps": 0.5},
    ]
    choices += [{"p": 16, "margin": 2}]
    yield from ordinary_triplets(kind, choices)
    for p in (1, 2, 3):
        for eps in (0, 1e-6):
            rows = [NOWHERE, AT_POSITIVE, AT_NEGATIVE, ALL_DIFFERENT]
            yield triplet(kind, "zero distances", rows, ONCE, margin=3, p=p, eps=eps)
            yield triplet(kind, "zero distances", rows, ONCE, margin=3, p=p, eps=eps, swap=1)
        hit = [((0, 0), (1, 0), (2, 0)), ((0, 0), (1, 0), (0, -2)), ((0, 0), (0, 0), (1, 0))]
        yield triplet(kind, "margin hit", hit, ONCE, p=p, eps=0)
        ends = [((0, 0), (1, 0), (value, 0)) for value in around(2)]
        yield triplet(kind, "around the margin", ends, ONCE, p=p, eps=0)
        tie = [((1, 0), (-1, 0), (0, 0.5)), ((0, 1), (1, 0), (1, 1)), ((2, 0), (0, 2), (0, 0))]
        yield triplet(kind, "swap tie", tie, ONCE, margin=3, p=p, eps=0, swap=1)
        closer = [((1, 0), (-1, 0), (value, 0)) for value in (*around(0), 0.5, -0.5)]
        yield triplet(kind, "swap around the tie", closer, ONCE, margin=3, p=p, eps=0, swap=1)
        axes = [((1, 2, 3), (1, 2, 0), (0, 2, 3)), ((0, 0, 0), (1, 1, 1), (-1, 1, 1))]
        yield triplet(kind, "zero components", axes, ONCE, margin=3, p=p, eps=0)
        scaled = [tuple(tuple(1e12 * v for v in row) for row in ALL_DIFFERENT)]
        yield triplet(kind, "large", scaled, PLAIN, p=p)
        scaled = [tuple(tuple(1e-8 * v for v in row) for row in ALL_DIFFERENT)]
        yield triplet(kind, "small", scaled, PLAIN, p=p)
    yield triplet(kind, "large components", [((1e18, 0), (0, 2e18), (5e17, 1e17))], PLAIN)


def distance_cases():
    kind = "triplet_margin_with_distance"
    choices = [{"margin": 0.25}, {"margin": 3}, {"swap": 1}]
    for distance in (1, 2):
        choices += [{"distance": distance, **rest} for rest in ({}, {"swap": 1}, {"margin": 0.25})]
        choices += [{"distance": distance, "margin": 20, **rest} for rest in ({}, {"swap": 1})]
    yield from ordinary_triplets(kind, choices)
    rows = [NOWHERE, AT_POSITIVE, AT_NEGATIVE, ALL_DIFFERENT]
    for distance in (0, 1):
        for swap in (0, 1):
            yield triplet(kind, "zero distances", rows, margin=3, distance=distance, swap=swap)
    # cosine's zeros: each norm is at least 1e-8, and differentiated as if it were not.
    zeros = [((0, 0), (1, 2), (2, 1)), ((1, 2), (0, 0), (2, 1)), ((1, 2), (2, 1), (0, 0)), NOWHERE]
    for swap in (0, 1):
        yield triplet(kind, "zero norms", zeros, margin=3, distance=2, swap=swap)
        yield triplet(
            kind,
            "same directions",
            [AT_POSITIVE, AT_NEGATIVE, ((1, 0), (2, 0), (-3, 0))],
            distance=2,
            swap=swap,
        )
    small = [
        ((1e-9, 0), (-1, 0), (1, 1)),
        ((1e-9, 2e-9), (3e-9, 1e-9), (1, 1)),
        ((1e-5, 0), (1e-6, 1e-6), (0, 1e-5)),
    ]
    yield triplet(kind, "norms below 1e-8", small, PLAIN, distance=2)
    yield triplet(kind, "margin hit", [((0, 0), (0, 0), (1, 0)), ((0, 0), (1, 0), (1, 1))], distance=1)
    yield triplet(kind, "margin hit", [((1, 0), (2, 0), (0, 3)), ((0, 1), (4, 0), (0, -2))], distance=2)
    tie = [((1, 0), (-1, 0), (0, 0.5)), ((2, 0), (0, 2), (0, 0))]
    yield triplet(kind, "swap tie", tie, margin=3, distance=1, swap=1)
    yield triplet(
        kind, "swap tie", [((1, 0), (-1, 0), (0, 0.5)), ((0, 1), (1, 0), (1, 1))], distance=2, swap=1
    )


def cases():
    yield from probability_cases()
    yield from dice_cases()
    yield from cosine_cases()
    yield from multi_margin_cases()
    yield from multilabel_cases()
    yield from triplet_cases()
    yield from distance_cases()
