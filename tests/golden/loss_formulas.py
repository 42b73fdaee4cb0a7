"""The losses by PyTorch in float64: its own function, its reduction and its autograd, for each that it has.

- l2, kl_div_probability, cross_entropy_probability, focal, sigmoid_focal and dice, which it lacks: loss.h's
  formula, reduced likewise. bce_balanced is two of PyTorch's bce, weighted.
- A term with t = 0 is left out before PyTorch sees it: its prediction is replaced by one where the term and
  its gradient are 0, because 0 log 0 and 0 * -inf are NaN there and 0 in loss.h.

A function takes the operands x, the reduction and the parameters by name. Those that loss_exact.py has too
are the check on it.
"""

import math
from types import SimpleNamespace

import torch
import torch.nn.functional as F


def reduce(terms, reduction):
    if reduction == "none":
        return terms
    return terms.sum() / {"mean": terms.numel(), "sum": 1, "batchmean": terms.shape[0]}[reduction]


def left_out(values, t, neutral):
    return torch.where(t == 0, torch.full_like(values, neutral), values)


# ---- of elements ----


def mse(x, reduction):
    return F.mse_loss(x.p, x.t, reduction=reduction)


def l2(x, reduction):
    """Written as a norm, whose gradient at 0 is 0 as loss.h's is, where the square root has 0 / 0."""
    return torch.linalg.vector_norm(x.p - x.t) / math.sqrt(x.p.numel())


def l1(x, reduction):
    return F.l1_loss(x.p, x.t, reduction=reduction)


def huber(x, reduction, delta):
    return F.huber_loss(x.p, x.t, reduction=reduction, delta=delta)


def smooth_l1(x, reduction, beta):
    return F.smooth_l1_loss(x.p, x.t, reduction=reduction, beta=beta)


def kl_div(x, reduction, log_target):
    p = x.p if log_target else left_out(x.p, x.t, 0.0)
    return F.kl_div(p, x.t, reduction=reduction, log_target=bool(log_target))


def kl_div_probability(x, reduction):
    return reduce(x.t * (torch.log(left_out(x.t, x.t, 1.0)) - torch.log(left_out(x.p, x.t, 1.0))), reduction)


def bce(x, reduction):
    return F.binary_cross_entropy(x.p, x.t, weight=x.weight, reduction=reduction)


def bce_balanced(x, reduction, alpha):
    positive = F.binary_cross_entropy(x.p, torch.ones_like(x.t), weight=alpha * x.t, reduction="none")
    negative = F.binary_cross_entropy(
        x.p, torch.zeros_like(x.t), weight=(1 - alpha) * (1 - x.t), reduction="none"
    )
    return reduce(positive + negative, reduction)


def bce_with_logits(x, reduction):
    return F.binary_cross_entropy_with_logits(
        x.p, x.t, weight=x.weight, pos_weight=x.pos_weight, reduction=reduction
    )


def sigmoid_focal(x, reduction, alpha, gamma):
    s = torch.sigmoid(x.p)
    q = s * x.t + (1 - s) * (1 - x.t)
    a = alpha * x.t + (1 - alpha) * (1 - x.t) if alpha >= 0 else 1.0
    c = F.binary_cross_entropy_with_logits(x.p, x.t, reduction="none")
    return reduce(a * (1 - q) ** gamma * c, reduction)


def poisson_nll(x, reduction, log_input, full, eps):
    """Stirling's term apart, since autograd has 0 * inf in it at t = 0; the value has to be PyTorch's."""
    theirs = {"log_input": bool(log_input), "eps": eps, "reduction": reduction}
    value = F.poisson_nll_loss(x.p, x.t, full=False, **theirs)
    if full:
        t = torch.where(x.t > 1, x.t, torch.full_like(x.t, 2.0))
        stirling = torch.where(x.t > 1, t * t.log() - t + 0.5 * (2 * math.pi * t).log(), 0.0)
        value = value + reduce(stirling, reduction)
        torch.testing.assert_close(
            value, F.poisson_nll_loss(x.p, x.t, full=True, **theirs), rtol=1e-14, atol=1e-15
        )
    return value


def gaussian_nll(x, reduction, full, eps):
    return F.gaussian_nll_loss(x.p, x.t, x.o, full=bool(full), eps=eps, reduction=reduction)


def hinge_embedding(x, reduction, margin):
    return F.hinge_embedding_loss(x.p, x.t, margin=margin, reduction=reduction)


def soft_margin(x, reduction):
    return F.soft_margin_loss(x.p, x.t, reduction=reduction)


def margin_ranking(x, reduction, margin):
    return F.margin_ranking_loss(x.p, x.o, x.t, margin=margin, reduction=reduction)


# ---- of channels ----


def cross_entropy(x, reduction, ignore_index, label_smoothing):
    target = x.t if x.classes is None else x.classes
    options = {"weight": x.weight, "label_smoothing": label_smoothing, "reduction": reduction}
    if x.classes is not None:
        options["ignore_index"] = int(ignore_index)
    return F.cross_entropy(x.p, target, **options)


def nll(x, reduction, ignore_index):
    return F.nll_loss(x.p, x.classes, weight=x.weight, ignore_index=int(ignore_index), reduction=reduction)


def focal(x, reduction, ignore_index, gamma):
    """The weights sit in the cross entropy; what mean divides by is cross_entropy's."""
    theirs = {"weight": x.weight, "ignore_index": int(ignore_index)}
    c = F.cross_entropy(x.p, x.classes, reduction="none", **theirs)
    y = torch.where(x.classes == int(ignore_index), 0, x.classes)
    q = torch.softmax(x.p, 1).gather(1, y.unsqueeze(1)).squeeze(1)
    terms = (1 - q) ** gamma * c
    if reduction == "mean":
        w = torch.ones(x.p.shape[1], dtype=torch.float64) if x.weight is None else x.weight
        return terms.sum() / torch.where(x.classes == int(ignore_index), 0.0, w[y]).sum()
    return reduce(terms, reduction)


# ---- of rows ----


def cross_entropy_probability(x, reduction):
    return reduce(-(x.t * torch.log(left_out(x.p, x.t, 1.0))).sum(1), reduction)


def dice(x, reduction, smooth):
    overlap, total = (x.p * x.t).sum(1), x.p.sum(1) + x.t.sum(1)
    return reduce(1 - (2 * overlap + smooth) / (total + smooth), reduction)


def cosine_embedding(x, reduction, margin):
    return F.cosine_embedding_loss(x.p, x.o, x.t, margin=margin, reduction=reduction)


def multi_margin(x, reduction, p, margin):
    return F.multi_margin_loss(x.p, x.classes, p=int(p), margin=margin, weight=x.weight, reduction=reduction)


def multilabel_margin(x, reduction):
    return F.multilabel_margin_loss(x.p, x.classes, reduction=reduction)


def multilabel_soft_margin(x, reduction):
    return F.multilabel_soft_margin_loss(x.p, x.t, weight=x.weight, reduction=reduction)


def triplet_margin(x, reduction, margin, p, eps, swap):
    return F.triplet_margin_loss(
        x.p, x.t, x.o, margin=margin, p=p, eps=eps, swap=bool(swap), reduction=reduction
    )


# By clgrad_distance.
DISTANCES = [
    torch.nn.PairwiseDistance(),
    lambda a, b: ((a - b) ** 2).sum(1),
    lambda a, b: 1 - F.cosine_similarity(a, b, eps=1e-8),
]


def triplet_margin_with_distance(x, reduction, margin, distance, swap):
    return F.triplet_margin_with_distance_loss(
        x.p,
        x.t,
        x.o,
        distance_function=DISTANCES[int(distance)],
        margin=margin,
        swap=bool(swap),
        reduction=reduction,
    )


# ---- of sequences ----


def ctc(x, reduction, blank, zero_infinity):
    lengths = x.input_lengths, x.target_lengths
    options = {"blank": int(blank), "reduction": reduction, "zero_infinity": bool(zero_infinity)}
    return F.ctc_loss(x.p, x.classes, *lengths, **options)


# ---- their evaluation ----


def tensor(values, shape, wanted=False):
    if values is None:
        return None
    return torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_(wanted)


def operands(case):
    """The tensors as PyTorch wants them."""
    shape, extent = case.shape, case.loss.extent
    wanted = case.wanted()
    classes = case.classes
    if classes is not None:
        if extent == "sequence":
            integer_shape = (shape[1], case.room)
        elif case.kind == "multilabel_margin":
            integer_shape = shape
        else:
            integer_shape = (shape[0], *shape[2:])
        classes = torch.tensor(classes, dtype=torch.int64).reshape(integer_shape)
    row_target = case.kind == "cosine_embedding"
    lengths = (case.input_lengths, case.target_lengths)
    return SimpleNamespace(
        p=tensor(case.prediction, shape, True),
        t=tensor(case.target, shape[:1] if row_target else shape, "target" in wanted),
        o=tensor(case.other, shape, "other" in wanted),
        classes=classes,
        weight=case.weight and tensor(*case.weight),
        pos_weight=case.pos_weight and tensor(*case.pos_weight),
        input_lengths=lengths[0] and torch.tensor(lengths[0]),
        target_lengths=lengths[1] and torch.tensor(lengths[1]),
    )


def by_torch(case, reduction, dvalue):
    """The value, and the gradients of sum(value * dvalue) by the operand's name, all flat."""
    x = operands(case)
    value = globals()[case.kind](x, reduction, **case.values())
    factors = tensor(dvalue or [1.0] * value.numel(), value.shape)
    names = case.wanted()
    leaves = [{"prediction": x.p, "target": x.t, "other": x.o}[name] for name in names]
    gradients = torch.autograd.grad((value * factors).sum(), leaves)
    return value.flatten().tolist(), {n: g.flatten().tolist() for n, g in zip(names, gradients)}
