"""Training runs of whole networks by PyTorch in float64."""

import torch
import torch.nn.functional as F

import network_layers_values
from activation_values import TORCH as ACTIVATIONS
from dense_values import leaf
from emit import Header, draw, parameters_text
from optimizer_values import sgd, sgd_parameters

DECLARATION = """
typedef struct golden_network {
    const char *label;
    size_t inputs, layer_count;
    const size_t *outputs;                     /* [layer_count] */
    const clgrad_activation_kind *activations; /* [layer_count] */
    clgrad_loss_kind loss;                     /* reduction mean */
    float optimizer_parameters[8];             /* of sgd, in the order of the list's row */
    size_t batch, steps;
    const float *initial;     /* all parameters: layer by layer the weight [out, in], then the bias [out] */
    const float *x;           /* [batch, inputs] */
    const float *target;      /* [batch, outputs of the last layer]; NULL with classes */
    const int32_t *classes;   /* [batch]; NULL with target */
    const double *losses;     /* [steps], each from before its step */
    const double *parameters; /* laid out as initial, after the last step */
    const double *gradients;  /* laid out as initial, of the first step */
} golden_network;
"""

STEPS = 10

NETWORKS = [
    dict(
        label="3-4-2, mse, sgd",
        sizes=(3, 4, 2),
        activations=("tanh", "identity"),
        loss="mse",
        optimizer=dict(lr=0.1),
        batch=6,
        target=draw("network mse target", 12, -1, 1),
    ),
    dict(
        label="4-5-6-3, cross_entropy, sgd with momentum and weight decay",
        sizes=(4, 5, 6, 3),
        activations=("relu", "sigmoid", "identity"),
        loss="cross_entropy",
        optimizer=dict(lr=0.1, momentum=0.9, weight_decay=0.01),
        batch=8,
        classes=[0, 2, 1, 1, 0, 2, 2, 0],
    ),
    dict(
        label="2-2-2, bce, sgd with nesterov momentum",
        sizes=(2, 2, 2),
        activations=("sigmoid", "sigmoid"),
        loss="bce",
        optimizer=dict(lr=0.5, momentum=0.9, nesterov=True),
        batch=5,
        target=[1.0, 0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.25, 0.75],
    ),
]

LOSSES = {"mse": F.mse_loss, "cross_entropy": F.cross_entropy, "bce": F.binary_cross_entropy}


def forward(x, layers, activations):
    for (weight, bias), name in zip(layers, activations):
        x = F.linear(x, weight, bias)
        if name == "relu":
            assert x.abs().min() > 1e-4, "too near the kink for float32 arithmetic"
        x = ACTIVATIONS[name](x)
    return x


def flat(tensors):
    return [value for tensor in tensors for value in tensor.flatten().tolist()]


def add(out, label, sizes, activations, loss, optimizer, batch, target=None, classes=None):
    layers = []
    for index, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
        weight = draw(f"{label} weight {index}", outputs * inputs, -1, 1)
        bias = draw(f"{label} bias {index}", outputs, -0.5, 0.5)
        layers.append((leaf(weight, outputs, inputs), leaf(bias, outputs)))
    tensors = [tensor for layer in layers for tensor in layer]
    initial = flat(tensors)
    x = draw(f"{label} x", batch * sizes[0], -2, 2)
    rows = torch.tensor(x, dtype=torch.float64).reshape(batch, sizes[0])
    if classes is None:
        wanted = torch.tensor(target, dtype=torch.float64).reshape(batch, sizes[-1])
    else:
        wanted = torch.tensor(classes)

    parameters = sgd_parameters(optimizer)
    steps = sgd(tensors, parameters)
    losses, gradients = [], None
    for _ in range(STEPS):
        steps.zero_grad()
        value = LOSSES[loss](forward(rows, layers, activations), wanted)
        value.backward()
        losses.append(value.item())
        gradients = gradients or flat(tensor.grad for tensor in tensors)
        steps.step()

    out.entry(
        f'"{label}"',
        sizes[0],
        len(layers),
        out.array("size_t", sizes[1:]),
        out.array("clgrad_activation_kind", [f"CLGRAD_ACTIVATION_{name.upper()}" for name in activations]),
        f"CLGRAD_LOSS_{loss.upper()}",
        parameters_text(parameters),
        batch,
        STEPS,
        out.array("float", initial),
        out.array("float", x),
        out.array("float", target),
        out.array("int32_t", classes),
        out.array("double", losses),
        out.array("double", flat(tensors)),
        out.array("double", gradients),
    )


def header():
    out = Header(
        "network",
        ["clgrad/network.h"],
        f"Source: PyTorch {torch.__version__},\n * float64, gradients by autograd.",
        DECLARATION,
    )
    for network in NETWORKS:
        add(out, **network)
    return out


def headers():
    return [header(), network_layers_values.header()]
