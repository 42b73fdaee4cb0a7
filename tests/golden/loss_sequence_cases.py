"""Cases of the losses of one sequence: ctc."""

import math

import torch

from emit import float32
from loss_case import ALL, FEW, ONCE, PLAIN, Case, numbers


def log_softmax(label, shape):
    values = torch.tensor(numbers(label, shape), dtype=torch.float64).reshape(shape)
    return [float32(value) for value in torch.log_softmax(values, -1).flatten().tolist()]


def case(
    label, shape, targets, input_lengths=None, target_lengths=None, ways=FEW, prediction=None, **parameters
):
    """From a list of labels a sequence, padded with what follows its length."""
    room = len(targets[0])
    return Case(
        "ctc",
        label,
        prediction or log_softmax(f"ctc {shape}", shape),
        shape=shape,
        ways=ways,
        classes=sum(targets, []),
        room=room,
        input_lengths=input_lengths or [shape[0]] * shape[1],
        target_lengths=target_lengths or [room] * shape[1],
        parameters=parameters,
    )


def cases():
    shape = (6, 4, 5)
    targets = [[1, 2, 3], [4, 4, 1], [2, 1, 2], [3, 1, 4]]
    lengths = [3, 3, 2, 1]
    yield case("ordinary", shape, targets, ways=ALL)
    yield case("lengths", shape, targets, [6, 5, 3, 1], lengths, ALL)
    yield case("repeated labels", shape, [[1, 1, 1], [2, 2, 3], [3, 2, 2], [4, 4, 4]])
    yield case("just enough time for repeated labels", (5, 2, 3), [[1, 1, 1], [1, 2, 2]], [5, 4])
    yield case("empty targets", shape, targets, [6, 5, 1, 6], [0, 2, 0, 0])
    yield case("only empty targets", shape, targets, [6, 5, 1, 6], [0] * 4)
    padding = [[1, 2, -1], [4, -7, 99], [0, 0, 0], [3, 1, 4]]
    yield case("padding of any number", shape, padding, [6, 6, 6, 6], [2, 1, 0, 3])
    yield case("one time step", (1, 3, 4), [[1, 0], [3, 0], [2, 0]], target_lengths=[1, 0, 1])
    yield case("one sequence", (4, 1, 3), [[2, 1]])
    yield case("no time for no labels", shape, targets, [0, 6, 0, 3], [0, 2, 0, 1])
    yield case(
        "long", (24, 2, 4), [[1, 2, 2, 3, 3, 3, 2, 1], [3, 2, 1, 1, 1, 2, 1, 3]], [24, 19], [8, 5], ONCE
    )

    for blank in (2, 4):
        others = [label for label in range(5) if label != blank]
        named = [[others[label - 1] for label in row] for row in targets]
        yield case("another blank", shape, named, [6, 5, 3, 4], lengths, blank=blank)
    yield case("another blank", (1, 2, 2), [[0], [0]], target_lengths=[1, 0], blank=1)

    # [4, 4, 1] needs four steps; nothing fits into none.
    for zero_infinity in (0, 1):
        flag = {"zero_infinity": zero_infinity}
        ways = FEW if zero_infinity else PLAIN
        yield case("too little time", shape, targets, [6, 3, 6, 2], lengths, ways, **flag)
        yield case("no time at all", shape, targets, [6, 0, 0, 6], [3, 2, 0, 1], ways, **flag)
        yield case("all fit", shape, targets, [6, 5, 3, 1], lengths, **flag)
        never = log_softmax("ctc never", (4, 1, 3))
        never[2::3] = [-math.inf] * 4
        yield case("a label that never comes", (4, 1, 3), [[2, 1]], ways=ways, prediction=never, **flag)
        yield case("a class that never comes", (4, 1, 3), [[1, 1]], prediction=never, **flag)

    certain = [
        0 if (t % 2 == 1) == (c == 1 + t // 2) and c in (0, 1 + t // 2) else -60
        for t in range(4)
        for c in range(3)
    ]
    yield case("certain and right", (4, 1, 3), [[1, 2]], prediction=certain)
    yield case("certain and wrong", (4, 1, 3), [[2, 1]], prediction=certain)
    far = [50 * value for value in log_softmax("ctc far", (5, 2, 4))]
    yield case("far apart", (5, 2, 4), [[1, 2], [3, 3]], prediction=far)
    yield case(
        "not normalised", (5, 2, 4), [[1, 2], [3, 3]], prediction=numbers("ctc any", (5, 2, 4), -2, 0.5)
    )
