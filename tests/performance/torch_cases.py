"""What PyTorch does for each case of the benchmark: one function a group, called with the words of the name behind
the group's. It gives the forms in which PyTorch can do the work, each a name and a function that makes it; what that
makes is the work, repeated once by each call, with `results`, a function that gives the arrays to compare."""
import torch
from torch.nn import functional

from torch_inputs import classes, numbers

aten = torch.ops.aten


def work(repeat, results):
    repeat.results = results
    return repeat


def fixed(repeat, results):
    """A form that needs no making."""
    return lambda checked: work(repeat, results)


# ---- elementwise: into preallocated outputs ----

# name: (forward into y, backward from (dy, x, y) into dx). Not aten.relu.out and aten.hardswish_backward.out: PyTorch
# generates these, they compute into new memory and copy. Where there is a choice, OTHER_FORMS has the rest of it.
ELEMENTWISE = {
    "relu": (lambda x, y: torch.clamp_min(x, 0, out=y),
             lambda dy, x, y, dx: aten.threshold_backward.grad_input(dy, y, 0, grad_input=dx)),
    "leaky_relu": (lambda x, y: aten.leaky_relu.out(x, 0.01, out=y),
                   lambda dy, x, y, dx: aten.leaky_relu_backward.grad_input(dy, x, 0.01, False, grad_input=dx)),
    "relu6": (lambda x, y: aten.hardtanh.out(x, 0, 6, out=y),
              lambda dy, x, y, dx: aten.hardtanh_backward.grad_input(dy, x, 0, 6, grad_input=dx)),
    "sigmoid": (lambda x, y: aten.sigmoid.out(x, out=y),
                lambda dy, x, y, dx: aten.sigmoid_backward.grad_input(dy, y, grad_input=dx)),
    "tanh": (lambda x, y: aten.tanh.out(x, out=y),
             lambda dy, x, y, dx: aten.tanh_backward.grad_input(dy, y, grad_input=dx)),
    "gelu": (lambda x, y: aten.gelu.out(x, out=y),
             lambda dy, x, y, dx: aten.gelu_backward.grad_input(dy, x, grad_input=dx)),
    "gelu_tanh": (lambda x, y: aten.gelu.out(x, approximate="tanh", out=y),
                  lambda dy, x, y, dx: aten.gelu_backward.grad_input(dy, x, approximate="tanh", grad_input=dx)),
    "silu": (lambda x, y: aten.silu.out(x, out=y),
             lambda dy, x, y, dx: aten.silu_backward.grad_input(dy, x, grad_input=dx)),
    "mish": (lambda x, y: aten.mish.out(x, out=y),
             lambda dy, x, y, dx: aten.mish_backward(dy, x)),  # has no form with an output
    "elu": (lambda x, y: aten.elu.out(x, out=y),
            lambda dy, x, y, dx: aten.elu_backward.grad_input(dy, 1, 1, 1, False, x, grad_input=dx)),
    "softplus": (lambda x, y: aten.softplus.out(x, out=y),
                 lambda dy, x, y, dx: aten.softplus_backward.grad_input(dy, x, 1, 20, grad_input=dx)),
    "hardswish": (lambda x, y: aten.hardswish.out(x, out=y),
                  lambda dy, x, y, dx: aten.hardswish_backward(dy, x)),  # likewise
    "hardsigmoid": (lambda x, y: aten.hardsigmoid.out(x, out=y),
                    lambda dy, x, y, dx: aten.hardsigmoid_backward.grad_input(dy, x, grad_input=dx)),
    "exp": (lambda x, y: torch.exp(x, out=y),
            lambda dy, x, y, dx: torch.mul(dy, y, out=dx)),
    "log": (lambda x, y: torch.log(x, out=y),
            lambda dy, x, y, dx: torch.div(dy, x, out=dx)),
}

OTHER_FORMS = {
    "relu/forward": {"threshold": lambda x, y: aten.threshold.out(x, 0, 0, out=y),
                     "new": lambda x, y: torch.relu(x)},
}


def into(function, arguments):
    def repeat():
        repeat.result = function(*arguments)

    return fixed(repeat, lambda: [repeat.result])


def elementwise(words, device):
    count, name, direction = int(words[0]), words[1], words[2]
    forward, backward = ELEMENTWISE[name]
    x = numbers(1, 0.125 if name == "log" else -6, 6, (count,), device)
    y = torch.empty_like(x)
    if direction == "forward":
        return {form: into(function, (x, y))
                for form, function in {"out": forward, **OTHER_FORMS.get(f"{name}/forward", {})}.items()}
    forward(x, y)
    dy, dx = numbers(2, -1, 1, (count,), device), torch.empty_like(x)
    return {"out": into(backward, (dy, x, y, dx))}


# ---- losses: forward and backward by autograd, from a prediction that requires a gradient ----

LOSSES = {
    "mse": functional.mse_loss,
    "l1": functional.l1_loss,
    "bce_with_logits": functional.binary_cross_entropy_with_logits,
    "cross_entropy": functional.cross_entropy,
}


def loss(words, device):
    function, (rows, columns) = LOSSES[words[0]], map(int, words[1].split("x"))
    prediction = numbers(1, -4, 4, (rows, columns), device).requires_grad_()
    target = (classes(2, rows, columns, device) if words[0] == "cross_entropy"
              else numbers(2, 0, 1, (rows, columns), device))

    def backward():
        prediction.grad = None
        backward.value = function(prediction, target)
        backward.value.backward()

    def grad():
        grad.value = function(prediction, target)
        grad.gradient, = torch.autograd.grad(grad.value, prediction)

    return {"backward": fixed(backward, lambda: [backward.value, prediction.grad]),
            "autograd.grad": fixed(grad, lambda: [grad.value, grad.gradient])}


# ---- a dense layer with bias and ReLU ----

def dense(words, device):
    batch, out, inputs = map(int, words[1].split("x"))
    x, weight = numbers(1, -1, 1, (batch, inputs), device), numbers(2, -1, 1, (out, inputs), device)
    bias, dh = numbers(3, -1, 1, (out,), device), numbers(4, -1, 1, (batch, out), device)
    h, dz, dweight = torch.empty_like(dh), torch.empty_like(dh), torch.empty_like(weight)
    dbias, dx = torch.empty_like(bias), torch.empty_like(x)

    def forward():
        torch.addmm(bias, x, weight.t(), out=h)
        torch.relu_(h)

    def linear():
        linear.h = torch.relu_(functional.linear(x, weight, bias))

    def backward():
        aten.threshold_backward.grad_input(dh, h, 0, grad_input=dz)
        torch.mm(dz.t(), x, out=dweight)
        torch.sum(dz, 0, out=dbias)
        torch.mm(dz, weight, out=dx)

    if words[0] == "forward":
        return {"addmm": fixed(forward, lambda: [h]), "linear": fixed(linear, lambda: [linear.h])}
    forward()
    return {"mm": fixed(backward, lambda: [dweight, dbias, dx])}


# ---- a step of an optimizer over four tensors ----

KINDS = {
    "sgd": lambda parameters, **options: torch.optim.SGD(parameters, momentum=0.9, **options),
    "adamw": lambda parameters, **options: torch.optim.AdamW(parameters, **options),
}
OPTIMIZER_FORMS = {"fused": {"fused": True}, "foreach": {"foreach": True}, "for-loop": {"foreach": False}}


def optimizer(words, device):
    kind, count = KINDS[words[0]], int(words[1])
    gradient, initial = numbers(1, -1, 1, (count,), device), numbers(2, -1, 1, (count,), device)

    def make(options):
        parameters = [part.clone().requires_grad_() for part in initial.chunk(4)]
        for parameter, part in zip(parameters, gradient.chunk(4)):
            parameter.grad = part.clone()
        steps = kind(parameters, lr=1e-3, **options)
        return work(lambda: steps.step(), lambda: [torch.cat([p.detach() for p in parameters]) - initial])

    def form(options):
        return lambda checked: make(options)

    return {name: form(options) for name, options in OPTIMIZER_FORMS.items()}
