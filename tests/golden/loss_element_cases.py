"""Cases of the losses of one element (and l2) whose operands are any numbers."""

from loss_case import ALL, FEW, ONCE, PLAIN, Case, around, numbers, signs

SHAPES = {(7,): ALL, (3, 5): FEW, (2, 3, 4): FEW}
UNSCALED = PLAIN + [("none", True)]

# What to try besides the defaults.
PARAMETERS = {
    "huber": [{"delta": 0.25}, {"delta": 3}],
    "smooth_l1": [{"beta": 0}, {"beta": 0.25}, {"beta": 3}],
    "poisson_nll": [
        {"full": 1},
        {"log_input": 0},
        {"log_input": 0, "full": 1},
        {"log_input": 0, "eps": 1e-3},
        {"log_input": 0, "full": 1, "eps": 0.5},
    ],
    "gaussian_nll": [{"full": 1}, {"eps": 0.25}, {"full": 1, "eps": 0.75}],
    "hinge_embedding": [{"margin": -0.5}, {"margin": 2}],
    "margin_ranking": [{"margin": 0.5}, {"margin": -0.25}],
}


def prediction(kind, shape, parameters):
    positive = kind == "poisson_nll" and parameters.get("log_input") == 0
    return numbers(f"{kind} prediction {shape}", shape, *((0, 4) if positive else (-3, 3)))


def target(kind, shape):
    if kind in ("hinge_embedding", "margin_ranking"):
        return signs(f"{kind} target {shape}", shape)
    if kind == "poisson_nll":
        return [round(t) for t in numbers(f"{kind} target {shape}", shape, -0.4, 6)]
    return numbers(f"{kind} target {shape}", shape)


def other(kind, shape):
    if kind == "gaussian_nll":
        return numbers("variance", shape, 0.05, 2)
    return numbers("other", shape) if kind == "margin_ranking" else None


def ordinary_cases():
    for kind in (
        "mse",
        "l2",
        "l1",
        "huber",
        "smooth_l1",
        "poisson_nll",
        "gaussian_nll",
        "hinge_embedding",
        "margin_ranking",
    ):
        for parameters in [{}, *PARAMETERS.get(kind, [])]:
            for shape, ways in SHAPES.items() if not parameters else [((3, 5), FEW)]:
                yield Case(
                    kind,
                    "ordinary",
                    prediction(kind, shape, parameters),
                    target(kind, shape),
                    shape,
                    ways,
                    other=other(kind, shape),
                    parameters=parameters,
                )


def distance_cases():
    yield Case("mse", "one distance of 1e19", [0, 0, 1e19, 0, 0], [0] * 5, ways=FEW)
    yield Case("mse", "no distance", [1.5, -0.0, 0.0], [1.5, 0.0, -0.0], ways=FEW)
    yield Case("mse", "distances of 1e-18", [1e-18, -3e-18, 0], [0, 2e-18, 1e-18], ways=FEW)

    yield Case("l2", "no distance", [1.5, -2, 0, -0.0], [1.5, -2, 0, 0], ways=UNSCALED)
    yield Case("l2", "one number, no distance", [0.5], [0.5], ways=UNSCALED)
    yield Case("l2", "one number", [0.5], [2], ways=UNSCALED)
    yield Case("l2", "distances of 1e25", [1e25, -1e25, 2e25, 0], [0, 1e25, 0, 3e25], ways=UNSCALED)
    yield Case("l2", "one distance of 1e25", [1, 2, 1e25, 3], [0] * 4, ways=UNSCALED)
    yield Case("l2", "distances of 1e-25", [1e-25, -1e-25, 2e-25, 0], [0, 1e-25, 0, 3e-25], ways=UNSCALED)
    yield Case("l2", "distances of 1e38", [1e38, -1e38, 2e38], [0, 1e38, 1e38], ways=UNSCALED)

    below, kink, above = around(1)
    same = [0.5, -2, 0, -0.0, kink, kink]
    yield Case("l1", "p = t, and both sides of it", same, [0.5, -2, 0, 0, above, below], ways=FEW)
    yield Case("l1", "large", [1e30, -1e30, 2, 1e30], [-1e30, -1e30, 1e30, 0], ways=FEW)
    yield Case("l1", "small", [1e-30, -1e-30, 0, 3e-30], [0, 1e-30, -2e-30, 3e-30], ways=FEW)


def parabola_cases():
    """huber and smooth_l1, which end their parabola at a parameter."""
    for kind, name in (("huber", "delta"), ("smooth_l1", "beta")):
        for end in (1, 0.25, 3):
            ends = around(end) + [-distance for distance in around(end)] + [0]
            parameters = {} if end == 1 else {name: end}
            yield Case(kind, f"|p - t| around {name}", ends, [0] * 7, ways=ONCE, parameters=parameters)
            yield Case(
                kind, f"|p - t| = {name} by t", [1, 2], [1 + end, 2 - end], ways=ONCE, parameters=parameters
            )
        yield Case(kind, "large", [1e30, -1e30, 2, 3e38], [-1e30, -1e30, 1e30, 0], ways=PLAIN)
        yield Case(kind, "small", [1e-15, -3e-15, 0, 2e-15], [0, 1e-15, -2e-15, 2e-15])
        for end in (1e-15, 1e15):
            far = [2 * end, end, end / 2, -end / 4, -3 * end, 0.5]
            yield Case(kind, f"{name} = {end:g}", far, [0] * 6, ways=PLAIN, parameters={name: end})
    yield Case("smooth_l1", "beta = 0 at p = t", [1, -0.0, 0, 1e-30], [1, 0, 0, 0], parameters={"beta": 0})


def poisson_cases():
    """Stirling's term begins above t = 1."""
    around_one = [0, 0.5, *around(1), 2, 40]
    p = [0.5, -1, 0.25, 0.5, -0.5, 1, 3]
    rates = [abs(value) for value in p]
    for full in (0, 1):
        label = "t around 1, and 0"
        yield Case("poisson_nll", label, p, around_one, ways=ALL if full else FEW, parameters={"full": full})
        yield Case("poisson_nll", label, rates, around_one, parameters={"log_input": 0, "full": full})
    tails = [-80, -30, 30, 80, 88]
    yield Case("poisson_nll", "tails", tails, [0, 3, 2, 1, 0], ways=PLAIN, parameters={"full": 1})
    yield Case("poisson_nll", "large t", [3, 30, 10], [1e4, 1e12, 1e30], ways=PLAIN, parameters={"full": 1})
    ends = [0, 1e-8, 1e-20, 1e10, 0, 1e-8]
    yield Case("poisson_nll", "rates of 0 and 1e-8", ends, [2, 2, 1, 3, 0, 0], parameters={"log_input": 0})
    yield Case("poisson_nll", "rates of 0", [0, 0.5], [2, 3], parameters={"log_input": 0, "eps": 0.5})


def gaussian_cases():
    """The variance is at least eps, and differentiated as if it were not."""
    eps = 0.25
    variance = [*around(eps), 0, 0.125, 1e-30]
    p, t = [1, 1, 1, 0.5, 2, 0.25], [0.5] * 6
    for full in (0, 1):
        parameters = {"full": full, "eps": eps}
        yield Case("gaussian_nll", "variance around eps", p, t, other=variance, parameters=parameters)
    yield Case(
        "gaussian_nll", "variance of 0", [1, 2, 0.5], [1, 2.001, -0.5], other=[0, 1e-7, 1e-6], ways=ALL
    )
    far = [1e10, -1e10, 1e-3, 5]
    yield Case("gaussian_nll", "tails", far, [0, 1e10, 0, 5], other=[1e10, 1e20, 1e-6, 1e30], ways=PLAIN)
    yield Case("gaussian_nll", "p = t", [1, -2, 0], [1, -2, 0], other=[1, 0.25, 4])


def margin_cases():
    targets = [1, -1, 0, 0.5]
    for margin in (1, -0.5, 2):
        p = [value for value in around(margin) + [0, 5] for _ in targets]
        parameters = {} if margin == 1 else {"margin": margin}
        yield Case("hinge_embedding", "p around margin", p, targets * 5, ways=ONCE, parameters=parameters)
    yield Case("hinge_embedding", "tails", [1e30, -1e30, 1e30, -1e30], [1, 1, -1, -1], ways=PLAIN)

    for margin in (0, 0.5, -0.25):
        distances = around(margin) if margin else [-1e-30, 0, 1e-30]
        p = [distance * sign for distance in distances for sign in (1, -1)] + [1.5, 1.5, 0.5]
        t, o = [1, -1] * 3 + [0, 0.5, -0.5], [0] * 6 + [1, 1, 1.5]
        parameters = {"margin": margin} if margin else {}
        yield Case("margin_ranking", "p - o around margin", p, t, other=o, parameters=parameters)
    equal = [1, -2, 0, 3]
    yield Case("margin_ranking", "p = o", equal, [1, -1, 1, -1], other=equal, ways=ALL)
    far = [1e30, -1e30, 1e30, 1e-30]
    yield Case("margin_ranking", "tails", far, [1, 1, -1, -1], other=[0, 1e30, -1e30, 2e-30], ways=PLAIN)


def cases():
    yield from ordinary_cases()
    yield from distance_cases()
    yield from parabola_cases()
    yield from poisson_cases()
    yield from gaussian_cases()
    yield from margin_cases()
