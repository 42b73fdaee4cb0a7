"""The losses that lose digits in float64, by loss.h's formula in 400-digit arithmetic; PyTorch is the check.

log(1 + exp(-50)) is 0 in float64, and so is log(1 - 1e-20). Derivatives are mpmath's, which takes differences
at twice the precision, except where a formula has a kink or an infinity: there they are written out.

A function gives, for a case, its unreduced terms and what mean divides by, all of them or each. A term is a
value and its derivatives {operand: {index: derivative}}; those that are left out are 0.
"""

import math

import mpmath
import numpy as np

from emit import float32, to_double
from loss_exact_ctc import ctc
from loss_formulas import by_torch


def softplus(x):
    return mpmath.log1p(mpmath.exp(x))


def exact(values):
    return [mpmath.mpf(value) for value in values]


def broadcast(weight, shape):
    """A weight's values for each element, 1 where there is none."""
    if weight is None:
        return [mpmath.mpf(1)] * math.prod(shape)
    values, weight_shape = weight
    return exact(np.broadcast_to(np.array(values).reshape(weight_shape), shape).flatten().tolist())


# ---- of elements ----


def elements(formula):
    """For formula(case, parameters), which gives the function of p and t of the element's weights."""

    def terms(case):
        w, pos = broadcast(case.weight, case.shape), broadcast(case.pos_weight, case.shape)
        by_target = "target" in case.wanted()
        result = []
        for i, (p, t) in enumerate(zip(exact(case.prediction), exact(case.target))):
            f = formula(w=w[i], pos=pos[i], **case.values())
            derivatives = {"prediction": {i: mpmath.diff(lambda at: f(at, t), p)}}
            if by_target:
                derivatives["target"] = {i: mpmath.diff(lambda at: f(p, at), t)}
            result.append((f(p, t), derivatives))
        return result, len(result)

    return terms


def bce_with_logits(w, pos):
    return lambda p, t: w * (pos * t * softplus(-p) + (1 - t) * softplus(p))


def soft_margin(w, pos):
    return lambda p, t: softplus(-t * p)


def sigmoid_focal(w, pos, alpha, gamma):
    alpha, gamma = mpmath.mpf(alpha), mpmath.mpf(gamma)

    def f(p, t):
        s, other = 1 / (1 + mpmath.exp(-p)), 1 / (1 + mpmath.exp(p))  # other is 1 - s
        a = alpha * t + (1 - alpha) * (1 - t) if alpha >= 0 else 1
        one_less_q = other * t + s * (1 - t)
        return a * one_less_q**gamma * (t * softplus(-p) + (1 - t) * softplus(p))

    return f


def kl_div(case):
    """A term with t = 0, or the logarithm of that, is left out of the derivative by t too."""
    log_target = case.values()["log_target"]

    def term(p, t):
        if t == (-mpmath.inf if log_target else 0):
            return mpmath.mpf(0), mpmath.mpf(0), mpmath.mpf(0)
        if log_target:
            return mpmath.exp(t) * (t - p), -mpmath.exp(t), mpmath.exp(t) * (t - p + 1)
        return t * (mpmath.log(t) - p), -t, mpmath.log(t) + 1 - p

    result = []
    for i, (p, t) in enumerate(zip(exact(case.prediction), exact(case.target))):
        value, by_p, by_t = term(p, t)
        result.append((value, {"prediction": {i: by_p}, "target": {i: by_t}}))
    return result, len(result)


def logarithm(p):
    """log p and log(1 - p), -inf at the ends."""
    log_p = mpmath.log(p) if p > 0 else -mpmath.inf
    return log_p, mpmath.log1p(-p) if p < 1 else -mpmath.inf


def bce_term(i, p, positive, negative):
    """With what the two logarithms are multiplied by. The derivative is that without the clamp at -100."""
    log_p, log_q = (max(value, mpmath.mpf(-100)) for value in logarithm(p))
    width = max(p * (1 - p), mpmath.mpf("1e-12"))
    slope = (negative * p - positive * (1 - p)) / width
    return -(positive * log_p + negative * log_q), {"prediction": {i: slope}}


def bce(case):
    """The derivative by the target is without the clamp, as PyTorch's is."""
    w, result = broadcast(case.weight, case.shape), []
    for i, (p, t) in enumerate(zip(exact(case.prediction), exact(case.target))):
        value, derivatives = bce_term(i, p, w[i] * t, w[i] * (1 - t))
        log_p, log_q = logarithm(p)
        derivatives["target"] = {i: w[i] * (log_q - log_p)}
        result.append((value, derivatives))
    return result, len(result)


def bce_balanced(case):
    alpha = mpmath.mpf(case.values()["alpha"])
    pairs = enumerate(zip(exact(case.prediction), exact(case.target)))
    result = [bce_term(i, p, alpha * t, (1 - alpha) * (1 - t)) for i, (p, t) in pairs]
    return result, len(result)


# ---- of channels ----


def columns(case):
    """For each column its number, the indices of its classes and its logits."""
    batch, classes, *rest = case.shape
    apart = math.prod(rest)
    for column in range(batch * apart):
        first = column // apart * classes * apart + column % apart
        indices = [first + c * apart for c in range(classes)]
        yield column, indices, [mpmath.mpf(case.prediction[index]) for index in indices]


def log_sum(logits):
    largest = max(logits)
    exponentials = [mpmath.exp(logit - largest) for logit in logits]
    total = mpmath.fsum(exponentials)
    return largest + mpmath.log(total), [e / total for e in exponentials]


def cross_entropy(case):
    """With the weight that each class's log-probability has in the loss."""
    classes, soft = case.shape[1], case.classes is None
    smoothing = mpmath.mpf(case.values()["label_smoothing"])
    w = exact(case.weight[0]) if case.weight else [mpmath.mpf(1)] * classes
    result, divisor = [], mpmath.mpf(0)
    for column, indices, logits in columns(case):
        label = None if soft else case.classes[column]
        if label == case.values()["ignore_index"]:
            result.append((mpmath.mpf(0), {}))
            continue
        t = [mpmath.mpf(case.target[i]) if soft else mpmath.mpf(c == label) for c, i in enumerate(indices)]
        s = [w[c] * ((1 - smoothing) * t[c] + smoothing / classes) for c in range(classes)]
        log_total, softmax = log_sum(logits)
        loss = mpmath.fsum(s[c] * (log_total - logits[c]) for c in range(classes) if s[c] != 0)
        share = mpmath.fsum(s)
        derivatives = {"prediction": {i: softmax[c] * share - s[c] for c, i in enumerate(indices)}}
        if soft:
            scale = 1 - smoothing
            derivatives["target"] = {i: w[c] * scale * (log_total - logits[c]) for c, i in enumerate(indices)}
        result.append((loss, derivatives))
        divisor += 1 if soft else w[label]
    return result, divisor


def focal(case):
    gamma, classes = mpmath.mpf(case.values()["gamma"]), case.shape[1]
    w = exact(case.weight[0]) if case.weight else [mpmath.mpf(1)] * classes
    result, divisor = [], mpmath.mpf(0)
    for column, indices, logits in columns(case):
        y = case.classes[column]
        if y == case.values()["ignore_index"]:
            result.append((mpmath.mpf(0), {}))
            continue
        divisor += w[y]
        if logits[y] == -mpmath.inf:  # q is 0: cross entropy's
            softmax = log_sum(logits)[1]
            slopes = {i: w[y] * (softmax[c] - (c == y)) for c, i in enumerate(indices)}
            result.append((mpmath.inf, {"prediction": slopes}))
            continue

        def f(c=0, at=logits[0]):
            z = [at if k == c else logits[k] for k in range(classes)]
            odds = mpmath.fsum(mpmath.exp(z[k] - z[y]) for k in range(classes) if k != y)
            return w[y] * (odds / (1 + odds)) ** gamma * mpmath.log1p(odds)

        slopes = {
            i: mpmath.mpf(0) if logits[c] == -mpmath.inf else mpmath.diff(lambda at: f(c, at), logits[c])
            for c, i in enumerate(indices)
        }
        result.append((f(), {"prediction": slopes}))
    return result, divisor


# ---- of rows ----


def multilabel_soft_margin(case):
    batch, classes = case.shape
    f = bce_with_logits(mpmath.mpf(1), mpmath.mpf(1))
    w = broadcast(case.weight, case.shape)
    p, t = exact(case.prediction), exact(case.target)
    result = []
    for row in range(batch):
        indices = range(row * classes, (row + 1) * classes)
        loss = mpmath.fsum(w[i] * f(p[i], t[i]) for i in indices) / classes
        slopes = {i: w[i] * mpmath.diff(lambda at: f(at, t[i]), p[i]) / classes for i in indices}
        result.append((loss, {"prediction": slopes}))
    return result, batch


def cosine_embedding(case):
    batch, width = case.shape
    margin, e = mpmath.mpf(case.values()["margin"]), mpmath.mpf(float32(1e-12))
    result = []

    def cosine(a, b):
        squares = [mpmath.fsum(x * x for x in v) + e for v in (a, b)]
        return mpmath.fdot(a, b) / mpmath.sqrt(squares[0] * squares[1])

    for row in range(batch):
        first = row * width
        p, o = (exact(values[first : first + width]) for values in (case.prediction, case.other))
        t, c = case.target[row], cosine(p, o)
        sign = -1 if t == 1 else 1 if t == -1 and c > margin else 0  # of c in the loss
        loss = 1 - c if t == 1 else c - margin if sign else mpmath.mpf(0)

        def slopes(a, b):
            changed = (lambda at, i=i: cosine(a[:i] + [at] + a[i + 1 :], b) for i in range(width))
            return {first + i: sign * mpmath.diff(g, a[i]) for i, g in enumerate(changed)}

        result.append((loss, {"prediction": slopes(p, o), "other": slopes(o, p)} if sign else {}))
    return result, batch


EXACT = {
    "kl_div": kl_div,
    "bce": bce,
    "bce_balanced": bce_balanced,
    "cross_entropy": cross_entropy,
    "bce_with_logits": elements(bce_with_logits),
    "soft_margin": elements(soft_margin),
    "focal": focal,
    "sigmoid_focal": elements(sigmoid_focal),
    "cosine_embedding": cosine_embedding,
    "multilabel_soft_margin": multilabel_soft_margin,
    "ctc": ctc,
}


# ---- their evaluation ----


def quotient(number, divisor):
    return number / divisor if divisor != 0 else mpmath.mpf("nan")


def by_formula(case, terms, count, reduction, dvalue):
    """The value, and the gradients of sum(value * dvalue) by the operand's name, all flat."""
    divisor = {"mean": count, "batchmean": case.shape[0]}.get(reduction, 1)
    divisors = divisor if isinstance(divisor, list) else [divisor] * len(terms)
    gradients = {name: [mpmath.mpf(0)] * len(getattr(case, name)) for name in case.wanted()}
    factors = dvalue or [1.0]
    factors = factors if reduction == "none" and dvalue else factors * len(terms)
    for (_, derivatives), factor, by in zip(terms, factors, divisors):
        for name in derivatives:
            for index, derivative in derivatives[name].items():
                gradients[name][index] += derivative * quotient(mpmath.mpf(factor), by)
    values = [quotient(value, by) for (value, _), by in zip(terms, divisors)]
    if reduction != "none":
        values = [sum(values, mpmath.mpf(0))]
    doubles = {name: [to_double(number) for number in numbers] for name, numbers in gradients.items()}
    return [to_double(value) for value in values], doubles


def check(case, ours, theirs):
    """PyTorch has to agree as far as float64 reaches. Its NaN, for 0 * inf, decides nothing, nor does
    soft_margin's infinity, which is exp's; bce's 1e-12 is in single precision."""
    relative = 1e-8 if case.kind in ("bce", "bce_balanced") else 1e-12
    scale = max([abs(a) for a in ours if math.isfinite(a)], default=0)
    for a, b in zip(ours, theirs):
        if not math.isnan(b) and not (case.kind == "soft_margin" and math.isinf(b)):
            assert math.isclose(a, b, rel_tol=relative, abs_tol=1e-14 * max(scale, 1)), (case.label, a, b)


def evaluator(case):
    """A function of the reduction and the upstream gradient, as by_torch is of the case as well."""
    if case.kind not in EXACT:
        return lambda reduction, dvalue: by_torch(case, reduction, dvalue)
    with mpmath.workdps(400):
        terms, count = EXACT[case.kind](case)

    def evaluate(reduction, dvalue):
        with mpmath.workdps(400):
            value, gradients = by_formula(case, terms, count, reduction, dvalue)
        their_value, their_gradients = by_torch(case, reduction, dvalue)
        check(case, value, their_value)
        for name in gradients:
            check(case, gradients[name], their_gradients[name])
        return value, gradients

    return evaluate
