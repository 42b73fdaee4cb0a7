"""The losses and their gradients, by PyTorch in float64 wherever it is exact, else by loss.h's formula.

- mse, l1, kl_div: PyTorch's own function, its reduction and its autograd.
- l2, kl_div_probability, cross_entropy_probability, which PyTorch lacks: the formula and autograd.
- bce: loss.h's formula, and PyTorch as the check: PyTorch computes log(1 - p), which loses a small p (1e-20
  gives 0), and has its 1e-12 to single precision only, also in float64.
- bce_balanced: the formula and, as the logarithms' clamp has no gradient, the list's gradient.
- cross_entropy: in float64 the loss of a peaked row is lost (log(1 + exp(-50)) gives 0), so the formula in
  400-digit arithmetic, and PyTorch as the check.

A term with t = 0 is left out before PyTorch sees it: its prediction is replaced by one where the term and
its gradient are 0, because 0 log 0 and 0 * -inf are NaN there and 0 in loss.h.
"""

import math

import mpmath
import torch
import torch.nn.functional as F

from emit import to_double

# What one number of the unreduced loss covers; the order is the list's.
EXTENTS = {
    "mse": "element",
    "l2": "whole",
    "l1": "element",
    "kl_div": "element",
    "kl_div_probability": "element",
    "cross_entropy_probability": "row",
    "bce": "element",
    "bce_balanced": "element",
    "cross_entropy": "row",
}


def value_count(kind, reduction, shape):
    if reduction != "none" or EXTENTS[kind] == "whole":
        return 1
    return shape[0] if EXTENTS[kind] == "row" else math.prod(shape)


def reduce(terms, reduction):
    return {"none": lambda: terms, "mean": terms.mean, "sum": terms.sum}[reduction]()


def left_out(p, t, neutral):
    return torch.where(t == 0, torch.full_like(p, neutral), p)


def mse(p, t, reduction):
    return F.mse_loss(p, t, reduction=reduction)


def l2(p, t, reduction):
    return torch.sqrt(torch.mean((p - t) ** 2))


def l1(p, t, reduction):
    return F.l1_loss(p, t, reduction=reduction)


def kl_div(p, t, reduction):
    return F.kl_div(left_out(p, t, 0.0), t, reduction=reduction)


def kl_div_probability(p, t, reduction):
    return reduce(t * (torch.log(left_out(t, t, 1.0)) - torch.log(left_out(p, t, 1.0))), reduction)


def cross_entropy_probability(p, t, reduction):
    return reduce(-(t * torch.log(left_out(p, t, 1.0))).sum(1), reduction)


def clamped_logarithms(p):
    return torch.log(p).clamp(min=-100), torch.log1p(-p).clamp(min=-100)


def bce(p, t, reduction):
    log_p, log_q = clamped_logarithms(p)
    return reduce(-(t * log_p + (1 - t) * log_q), reduction)


def bce_balanced(p, t, reduction, alpha):
    log_p, log_q = clamped_logarithms(p)
    return reduce(-(alpha * t * log_p + (1 - alpha) * (1 - t) * log_q), reduction)


def bce_gradient(p, t):
    return (p - t) / (p * (1 - p)).clamp(min=1e-12)


def bce_balanced_gradient(p, t, alpha):
    return ((1 - alpha) * (1 - t) * p - alpha * t * (1 - p)) / (p * (1 - p)).clamp(min=1e-12)


BY_FORMULA = {"bce": bce_gradient, "bce_balanced": bce_balanced_gradient}


def upstream(like, reduction, dvalue):
    """What the gradient of an unreduced element is multiplied by."""
    scale = 1 / like.numel() if reduction == "mean" else 1
    return dvalue * scale


def tensor(values, shape):
    return torch.tensor(values, dtype=torch.float64).reshape(shape)


def evaluate(kind, reduction, shape, prediction, target, dvalue, parameters):
    """The value and the gradient of sum(value * dvalue), flat. Not for cross_entropy."""
    p, t = tensor(prediction, shape).requires_grad_(), tensor(target, shape)
    value = globals()[kind](p, t, reduction, *parameters)
    dvalue = tensor(dvalue or [1.0] * value.numel(), value.shape)
    if kind in BY_FORMULA:
        gradient = BY_FORMULA[kind](p.detach(), t, *parameters) * upstream(p, reduction, dvalue)
        if kind == "bce":
            check_bce(p, t, reduction, dvalue, value, gradient)
        elif parameters == [0.5]:  # half of the plain one
            check_bce(p, t, reduction, dvalue, 2 * value, 2 * gradient)
    elif kind == "l2" and value.item() == 0:
        gradient = torch.zeros_like(t)  # autograd has 0 / 0
    else:
        (gradient,) = torch.autograd.grad((value * dvalue).sum(), p)
    return value.flatten().tolist(), gradient.flatten().tolist()


def check_bce(p, t, reduction, dvalue, value, gradient):
    """PyTorch's own function has to agree as far as it is exact; see the top of this file."""
    theirs = F.binary_cross_entropy(p, t, reduction=reduction)
    (autograd,) = torch.autograd.grad((theirs * dvalue).sum(), p)
    assert torch.allclose(theirs, value, rtol=1e-14, atol=1e-15)
    clamped = p * (1 - p) < 1e-12
    assert torch.allclose(autograd[~clamped], gradient[~clamped], rtol=1e-14, atol=0)
    assert torch.allclose(autograd[clamped], gradient[clamped], rtol=1e-8, atol=0)


def cross_entropy_row(logits, weights):
    """One row's loss and gradient, exactly enough that 1 - softmax and log(1 + tiny) keep 70 digits."""
    logits = [mpmath.mpf(logit) for logit in logits]
    weights = [mpmath.mpf(weight) for weight in weights]
    largest = max(logits)
    exponentials = [mpmath.exp(logit - largest) for logit in logits]
    total = mpmath.fsum(exponentials)
    log_total = largest + mpmath.log(total)
    loss = mpmath.fsum(w * (log_total - logit) for w, logit in zip(weights, logits) if w != 0)
    share = mpmath.fsum(weights) / total
    return loss, [e * share - w for e, w in zip(exponentials, weights)]


def cross_entropy(reduction, shape, prediction, target, classes, dvalue):
    """The value and the gradient of sum(value * dvalue), flat, with class indices or soft targets."""
    batch, count = shape
    if classes is not None:
        target = [float(label == index) for label in classes for index in range(count)]
    factors = dvalue or [1.0]
    factors = factors if reduction == "none" and dvalue else factors * batch
    values, gradient = [], []
    with mpmath.workdps(400):
        for row, factor in enumerate(factors):
            part = slice(row * count, (row + 1) * count)
            loss, row_gradient = cross_entropy_row(prediction[part], target[part])
            scale = mpmath.mpf(factor) / (batch if reduction == "mean" else 1)
            values.append(loss)
            gradient += [to_double(number * scale) for number in row_gradient]
        if reduction != "none":
            values = [mpmath.fsum(values) / (batch if reduction == "mean" else 1)]
        values = [to_double(value) for value in values]
    check_cross_entropy(reduction, shape, prediction, target, classes, dvalue, values, gradient)
    return values, gradient


def check_cross_entropy(reduction, shape, prediction, target, classes, dvalue, values, gradient):
    """PyTorch in float64 has to agree as far as float64 reaches; its NaN, for 0 * -inf, decides nothing."""
    p = tensor(prediction, shape).requires_grad_()
    wanted = tensor(target, shape) if classes is None else torch.tensor(classes)
    value = F.cross_entropy(p, wanted, reduction=reduction)
    (value * tensor(dvalue or [1.0] * value.numel(), value.shape)).sum().backward()
    pairs = [(values, value.flatten().tolist()), (gradient, p.grad.flatten().tolist())]
    for ours, theirs in pairs:
        for a, b in zip(ours, theirs):
            assert math.isnan(b) or math.isclose(a, b, rel_tol=1e-13, abs_tol=1e-14), (a, b)
