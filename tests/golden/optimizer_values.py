"""Trajectories of torch.optim in float64."""

import torch

from emit import Header, draw, float32, list_rows, parameters_text

DECLARATION = """
typedef struct golden_optimizer {
    const char *label;
    clgrad_optimizer_kind kind;
    float parameters[8]; /* in the order of the list's row */
    size_t count, steps;
    const float *initial;     /* [count] */
    const float *gradients;   /* [steps, count] */
    const double *trajectory; /* [steps, count]: the parameters after each step */
} golden_optimizer;
"""

COUNT, STEPS = 7, 20

# The order of CLGRAD_OPTIMIZER_SGD_PARAMETERS.
SGD_PARAMETERS = ("lr", "momentum", "dampening", "weight_decay", "nesterov")

SGD_CASES = {
    "plain": dict(lr=0.1),
    "weight decay": dict(lr=0.1, weight_decay=0.05),
    "momentum": dict(lr=0.05, momentum=0.9),
    "momentum, dampening": dict(lr=0.05, momentum=0.8, dampening=0.3),
    "momentum, nesterov": dict(lr=0.05, momentum=0.9, nesterov=True),
    "momentum, weight decay": dict(lr=0.05, momentum=0.9, weight_decay=0.05),
    "momentum, dampening, weight decay": dict(lr=0.05, momentum=0.8, dampening=0.3, weight_decay=0.05),
    "momentum, nesterov, weight decay": dict(lr=0.05, momentum=0.9, weight_decay=0.05, nesterov=True),
    "lr 0": dict(lr=0.0, momentum=0.9),
}


def sgd_parameters(options):
    return [float32(float(options.get(name, 0))) for name in SGD_PARAMETERS]


def sgd(tensors, parameters):
    lr, momentum, dampening, weight_decay, nesterov = parameters
    return torch.optim.SGD(tensors, lr, momentum, dampening, weight_decay, nesterov=nesterov != 0)


def trajectory(parameters, initial, gradients):
    tensor = torch.tensor(initial, dtype=torch.float64, requires_grad=True)
    optimizer = sgd([tensor], parameters)
    result = []
    for gradient in torch.tensor(gradients, dtype=torch.float64).reshape(STEPS, COUNT):
        tensor.grad = gradient.clone()
        optimizer.step()
        result += tensor.tolist()
    return result


def header():
    assert list_rows("optimizer") == ["sgd"], "the list in optimizer.h has other rows"
    out = Header(
        "optimizer",
        ["clgrad/optimizer.h"],
        f"Source: torch.optim of\n * PyTorch {torch.__version__}, float64.",
        DECLARATION,
    )
    # One parameter begins at 0 and one never gets a gradient, so that each term is seen alone.
    initial = draw("initial", COUNT, -2, 2)
    initial[2] = 0.0
    gradients = draw("gradients", STEPS * COUNT, -1, 1)
    gradients[3::COUNT] = [0.0] * STEPS
    for label, options in SGD_CASES.items():
        parameters = sgd_parameters(options)
        out.entry(
            f'"sgd: {label}"',
            "CLGRAD_OPTIMIZER_SGD",
            parameters_text(parameters),
            COUNT,
            STEPS,
            out.array("float", initial),
            out.array("float", gradients),
            out.array("double", trajectory(parameters, initial, gradients)),
        )
    return out
