"""ctc's losses and gradients: the sums over all alignments of Graves et al. 2006, which need no
logarithms where numbers have no smallest one."""

import mpmath

ZERO = mpmath.mpf(0)


def forward(probabilities, labels, blank):
    """For each time step and state, the probability of all that leads there. States skip a blank only between
    labels that differ."""
    states = len(labels)
    table = [[probabilities[0][labels[s]] if s < 2 else ZERO for s in range(states)]]
    for step in probabilities[1:]:
        last, row = table[-1], []
        for s, label in enumerate(labels):
            skips = s > 1 and label != blank and label != labels[s - 2]
            came = last[s] + (last[s - 1] if s > 0 else ZERO) + (last[s - 2] if skips else ZERO)
            row.append(came * step[label])
        table.append(row)
    return table


def sequence(probabilities, target, blank):
    """The target's probability, and how much of it has each class at each time step."""
    labels = [blank] + [label for wanted in target for label in (wanted, blank)]
    ahead = forward(probabilities, labels, blank)
    behind = [row[::-1] for row in forward(probabilities[::-1], labels[::-1], blank)[::-1]]
    share = [[ZERO] * len(probabilities[0]) for _ in probabilities]
    for t, step in enumerate(probabilities):
        for s, label in enumerate(labels):
            if step[label] != 0:
                share[t][label] += ahead[t][s] * behind[t][s] / step[label]
    return mpmath.fsum(ahead[-1][-2:]), share


def ctc(case):
    """A gradient beyond its sequence's time is 0; that of an infinite loss is NaN, as PyTorch's is."""
    _, batch, classes = case.shape
    blank, zero_infinity = (int(case.values()[name]) for name in ("blank", "zero_infinity"))
    result = []
    for b in range(batch):
        steps, length = case.input_lengths[b], case.target_lengths[b]
        target = case.classes[b * case.room : b * case.room + length]
        index = [[(t * batch + b) * classes + c for c in range(classes)] for t in range(steps)]
        probabilities = [[mpmath.exp(case.prediction[i]) for i in row] for row in index]
        if steps == 0:
            total, share = mpmath.mpf(length == 0), []
        else:
            total, share = sequence(probabilities, target, blank)
        slopes = {
            index[t][c]: (
                (ZERO if zero_infinity else mpmath.nan)
                if total == 0
                else probabilities[t][c] - share[t][c] / total
            )
            for t in range(steps)
            for c in range(classes)
        }
        infinite = ZERO if zero_infinity else mpmath.inf
        result.append((-mpmath.log(total) if total != 0 else infinite, {"prediction": slopes}))
    return result, [batch * max(length, 1) for length in case.target_lengths]
