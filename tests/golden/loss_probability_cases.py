"""Cases of the losses of one element whose operands are probabilities, their logarithms or logits."""

import math

from loss_case import ALL, BATCHMEAN, FEW, ONCE, PLAIN, Case, binary, distributions, numbers, signs

SHAPES = {(7,): ALL, (3, 5): FEW, (2, 3, 4): FEW}
ALPHAS = (0.0, 0.25, 0.5, 1.0)
# Of elements [2, 3, 4], 0 and negative ones included.
WEIGHT_SHAPES = [(1,), (4,), (3, 1), (1, 3, 4), (2, 1, 1), (2, 3, 4)]


def ordinary(kind, shape, ways, **rest):
    label, target = f"{kind} prediction {shape}", f"{kind} target {shape}"
    if kind == "kl_div":
        operands = numbers(label, shape, -4, -0.05), distributions(target, shape)
    elif kind == "kl_div_probability":
        operands = distributions(label, shape), distributions(target, shape)
    elif kind in ("bce", "bce_balanced"):
        operands = numbers(label, shape, 0.02, 0.98), binary(target, shape)
    else:
        operands = numbers(label, shape), (signs if kind == "soft_margin" else binary)(target, shape)
    return Case(kind, "ordinary", *operands, shape, ways, **rest)


def ordinary_cases():
    for kind in ("kl_div", "kl_div_probability", "bce", "bce_with_logits", "soft_margin", "sigmoid_focal"):
        batchmean = BATCHMEAN if kind.startswith("kl_div") else []
        for shape, ways in SHAPES.items():
            yield ordinary(kind, shape, ways + batchmean)
    for alpha in ALPHAS:
        for shape in [(7,), (2, 3, 2)]:
            yield ordinary("bce_balanced", shape, ALL if alpha == 0.5 else FEW, parameters={"alpha": alpha})


def divergence_cases():
    kind, log_p = "kl_div", [-0.5, -2, 0, -50, -1e4]
    yield Case(kind, "t = 0 and t = 1", log_p, [0, 1, 0, 0.25, 0.75], ways=PLAIN)
    masked = [-math.inf, -0.5, -math.inf, -1]
    with_log = {"log_target": 1}
    yield Case(kind, "t = -inf", [-1, -math.inf, -0.5], [-math.inf, -math.inf, -1], parameters=with_log)
    yield Case(kind, "t = 0 where p is -inf", masked, [0, 0.6, 0, 0.4])
    yield Case(kind, "t = 0 everywhere", [-1, -2, -3], [0, 0, 0], ways=PLAIN)
    yield Case(kind, "p is -inf", [-math.inf, -0.5], [0.25, 0.75], ways=PLAIN)
    yield Case(kind, "small t", [-1, -2, -3], [1e-10, 1e-30, 1e-37])

    flag = {"log_target": 1}
    for shape in [(7,), (3, 5), (2, 3, 4)]:
        p, t = numbers("log_target p", shape, -4, -0.05), numbers("log_target t", shape, -4, -0.05)
        yield Case(
            kind, "ordinary", p, t, shape, ALL + BATCHMEAN if len(shape) == 2 else FEW, parameters=flag
        )
    yield Case(kind, "p = t", [-1, -0.25, 0], [-1, -0.25, 0], parameters=flag)
    yield Case(kind, "tails", [-0.5, -100, -1e4, 0], [-100, -0.5, -1, -80], parameters=flag)

    kind = "kl_div_probability"
    yield Case(kind, "t = 0 and t = 1", [0.25, 0.5, 0.125, 0.125], [0, 1, 0, 0])
    yield Case(kind, "t = 0 where p = 0", [0, 0.4, 0, 0.6], [0, 0.7, 0, 0.3])
    yield Case(kind, "p = t", [0.1, 0.2, 0.7], [0.1, 0.2, 0.7])
    yield Case(kind, "small", [1e-30, 1e-10, 1], [1e-10, 1e-30, 0.5])
    yield Case(kind, "p = 0", [0, 0.5], [0.25, 0.75], ways=PLAIN)


def binary_cases():
    targets = [0, 1, 0.3]
    groups = {
        "p = 0": [0.0],
        "p = 1": [1.0],
        "p near 0": [1e-7, 1e-8],
        "p far below 1e-12": [1e-20, 1e-38, 1e-43],
        "p near 1": [1 - 2.0**-24, 1 - 2.0**-23],
    }
    for label, ends in groups.items():
        p = [end for end in ends for _ in targets]
        yield Case("bce", label, p, targets * len(ends), ways=PLAIN if p[0] in (0, 1) else FEW)
        for alpha in ALPHAS:
            yield Case("bce_balanced", label, p, targets * len(ends), ways=ONCE, parameters={"alpha": alpha})
    yield Case("bce", "p = t", [0.25, 0.5, 1 / 3, 0.9], [0.25, 0.5, 1 / 3, 0.9])


def logit_cases():
    targets, ends = [0, 1, 0.3], [0, -0.0, 1e-20, 17, -17, 50, -50, 100, -100, 1e4, -1e4]
    p, t = [end for end in ends for _ in targets], targets * len(ends)
    yield Case("bce_with_logits", "tails", p, t, ways=ONCE)
    pos_weight = ([2.5], (1,))
    yield Case("bce_with_logits", "tails", p, t, ways=ONCE, pos_weight=pos_weight)
    yield Case("bce_with_logits", "logits of 1e20", [1e20, -1e20] * 2, [0, 0, 1, 1], ways=PLAIN)
    yield Case("bce_with_logits", "targets beyond 0 and 1", [2, -2, 2, -2], [1.5, 1.5, -0.5, -0.5])

    signed = [1, -1, 0.5]
    yield Case("soft_margin", "tails", p, signed * len(ends), ways=ONCE)
    yield Case("soft_margin", "targets of other sizes", [2, -2, 0.5, 3], [2, -3, 0, 0.25])
    yield Case("soft_margin", "logits of 1e20", [1e20, -1e20] * 2, [1, 1, -1, -1], ways=PLAIN)

    kind = "sigmoid_focal"
    some = [{"alpha": 0.75}, {"alpha": -1}, {"alpha": 0}, {"alpha": 1}]
    some += [{"gamma": 0}, {"gamma": 0.5}, {"gamma": 1}, {"gamma": 5}, {"alpha": -1, "gamma": 0}]
    for parameters in [{}, *some]:
        if parameters:
            yield ordinary(kind, (3, 5), FEW, parameters=parameters)
        yield Case(kind, "tails", p, t, ways=ONCE, parameters=parameters)


def weight_cases():
    """Weights broadcast, aligned at the last dimension; what mean divides by stays the number of elements."""
    shape = (2, 3, 4)

    def drawn(weight_shape, label="weight"):
        values = numbers(label, weight_shape, 0.25, 3)
        values[-1] = 0 if len(values) > 1 else values[-1]
        return values, weight_shape

    for kind in ("bce", "bce_with_logits"):
        for weight_shape in WEIGHT_SHAPES:
            full = weight_shape in ((4,), shape)
            yield ordinary(kind, shape, ALL if full else ONCE, weight=drawn(weight_shape))
        yield ordinary(kind, shape, FEW, weight=([-2.0], (1,)))
        yield ordinary(kind, (3, 5), FEW, weight=drawn((3, 1)))
        yield ordinary(kind, (7,), FEW, weight=drawn((7,)))
    for pos_shape in WEIGHT_SHAPES:
        full = pos_shape in ((4,), shape)
        yield ordinary(
            "bce_with_logits", shape, ALL if full else ONCE, pos_weight=drawn(pos_shape, "positive")
        )
    both = {"weight": drawn((3, 1)), "pos_weight": drawn((4,), "positive")}
    yield ordinary("bce_with_logits", shape, ALL, **both)
    yield Case(
        "bce", "weight at the ends", [0, 1, 0, 1], [0, 0, 1, 1], ways=PLAIN, weight=([2, 0.5, 3, 1.5], (4,))
    )
    yield Case("bce", "weight of 0 at the ends", [0, 1, 0.5], [1, 0, 1], ways=ONCE, weight=([0, 0, 1], (3,)))
    yield Case(
        "bce", "weight of 0 near the ends", [1e-30, 1 - 2**-24, 0.5], [1, 0, 1], weight=([0, 0, 1], (3,))
    )


def cases():
    yield from ordinary_cases()
    yield from divergence_cases()
    yield from binary_cases()
    yield from logit_cases()
    yield from weight_cases()
