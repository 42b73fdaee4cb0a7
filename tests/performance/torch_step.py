"""PyTorch's training step, and an epoch of them."""
import gzip
import os

import numpy
import torch
from torch.nn import functional

from torch_cases import KINDS, OPTIMIZER_FORMS, work
from torch_inputs import classes, numbers

# As in step.c: the check takes steps that change something, the timing very small ones.
CHECKED_LR, TIMED_LR = 0.01, 1e-7


def make_model(widths):
    layers = []
    for i in range(len(widths) - 1):
        layers += [torch.nn.Linear(widths[i], widths[i + 1])] + [torch.nn.ReLU()] * (i + 2 < len(widths))
    return torch.nn.Sequential(*layers)


def set_parameters(model):
    linears = [layer for layer in model if isinstance(layer, torch.nn.Linear)]
    with torch.no_grad():
        for i, layer in enumerate(linears):
            bound = (6.0 / layer.in_features) ** 0.5
            layer.weight.copy_(numbers(10 + i, -bound, bound, tuple(layer.weight.shape)))
            layer.bias.zero_()


def flat(model):
    return torch.cat([parameter.detach().flatten() for parameter in model.parameters()])


def step(words, device):
    """Every form of the optimizer, gradients set to none or to zero; and with the model compiled."""
    kind, widths, batch = KINDS[words[0]], [int(width) for width in words[1].split("-")], int(words[2])
    x, target = numbers(1, -1, 1, (batch, widths[0]), device), classes(2, batch, widths[-1], device)

    def make(options, to_none, compiled, checked):
        model = make_model(widths)
        set_parameters(model)
        model.to(device)
        initial = flat(model)
        steps = kind(model.parameters(), lr=CHECKED_LR if checked else TIMED_LR, **options)
        forward = lambda x, target: functional.cross_entropy(model(x), target)
        if compiled:
            torch._dynamo.reset()
            forward = torch.compile(forward)

        def repeat():
            steps.zero_grad(set_to_none=to_none)
            repeat.loss = forward(x, target)
            repeat.loss.backward()
            steps.step()

        return work(repeat, lambda: [repeat.loss.detach(), flat(model) - initial])

    def form(options, to_none, compiled):
        return lambda checked: make(options, to_none, compiled, checked)

    forms = {f"{name},{'none' if to_none else 'zero'}": form(options, to_none, False)
             for name, options in OPTIMIZER_FORMS.items() for to_none in (True, False)}
    forms["compiled"] = form({"fused": True}, True, True)
    return forms


def read_idx(path, offset):
    with gzip.open(path) as file:
        return numpy.frombuffer(file.read(), numpy.uint8, offset=offset)


def epoch(words, device):
    """epoch/784-128-10/64: all of MNIST once, the tensors in memory, a new order each time. Trained as samples/train
    does by default, but with a constant learning rate."""
    widths, batch = [int(width) for width in words[0].split("-")], int(words[1])
    folder = os.path.join(os.environ["CLGRAD_DATA"], "mnist")
    images = read_idx(os.path.join(folder, "train-images-idx3-ubyte.gz"), 16).reshape(-1, widths[0])
    labels = read_idx(os.path.join(folder, "train-labels-idx1-ubyte.gz"), 8)
    x = torch.from_numpy(images.astype(numpy.float32) / 255).to(device)
    target = torch.from_numpy(labels.astype(numpy.int64)).to(device)

    def make(options):
        torch.manual_seed(1)
        model = make_model(widths).to(device)
        steps = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, **options)

        def repeat():
            losses = torch.zeros((), device=device)
            order = torch.randperm(len(x), device=device)
            for indices in order.split(batch):
                steps.zero_grad(set_to_none=True)
                loss = functional.cross_entropy(model(x.index_select(0, indices)), target.index_select(0, indices))
                loss.backward()
                steps.step()
                losses += loss.detach() * len(indices)
            repeat.loss = losses / len(x)

        return work(repeat, lambda: [repeat.loss])

    def form(options):
        return lambda checked: make(options)

    return {"fused": form(OPTIMIZER_FORMS["fused"])}
