"""Dense layers, forward and backward, by PyTorch's linear and autograd in float64."""

import torch
import torch.nn.functional as F

from activation_values import POSITIVE, TORCH, kinks, variants
from emit import Header, draw, float32, parameters_text

DECLARATION = """
typedef struct golden_dense {
    const char *label;
    clgrad_activation_kind activation;
    float parameters[8]; /* of the activation, in the order of the list's row */
    size_t batch, in, out;
    const float *x, *weight, *bias /* or NULL */, *dh;
    const double *z, *h, *dz, *dweight, *dbias /* NULL without bias */, *dx;
} golden_dense;
"""

# The first activations with every shape, some with parameters of their own; the others, which the layer
# treats no differently, with one shape and their defaults.
THOROUGH = {
    "identity": [[]],
    "sigmoid": [[]],
    "tanh": [[]],
    "relu": [[]],
    "leaky_relu": [[float32(0.01)], [-0.5]],
}
SHAPES = [(1, 1, 1), (3, 4, 5), (5, 7, 2), (2, 3, 1)]


def leaf(values, *shape):
    return torch.tensor(values, dtype=torch.float64).reshape(shape).requires_grad_()


def flat(tensor):
    return tensor.flatten().tolist()


def add(out, name, parameters, shape, has_bias):
    batch, inputs, outputs = shape
    label = f"{name} {' '.join('%g' % p for p in parameters)}".strip()
    label += f", {batch}x{inputs}x{outputs}, {'bias' if has_bias else 'no bias'}"
    below = 0 if name in POSITIVE else -1  # what is defined for positive numbers is given such
    data = {
        "x": draw(f"dense x {shape}", batch * inputs, 2 * below, 2),
        "weight": draw(f"dense weight {shape}", outputs * inputs, below, 1),
        "bias": draw(f"dense bias {shape}", outputs, below, 1) if has_bias else None,
        "dh": draw(f"dense dh {shape}", batch * outputs, -1, 1),
    }
    x, weight = leaf(data["x"], batch, inputs), leaf(data["weight"], outputs, inputs)
    bias = leaf(data["bias"], outputs) if has_bias else None
    z = F.linear(x, weight, bias)
    for kink in kinks(name, parameters):
        assert (z - kink).abs().min() > 1e-4, f"{label}: too near a kink for float32 arithmetic"
    z.retain_grad()
    h = TORCH[name](z, *parameters)
    h.backward(leaf(data["dh"], batch, outputs).detach())
    results = [z, h, z.grad, weight.grad, bias.grad if has_bias else None, x.grad]
    out.entry(
        f'"{label}"',
        f"CLGRAD_ACTIVATION_{name.upper()}",
        parameters_text(parameters),
        *shape,
        *(out.array("float", values) for values in data.values()),
        *(out.array("double", None if tensor is None else flat(tensor)) for tensor in results),
    )


def header():
    out = Header(
        "dense",
        ["clgrad/dense.h"],
        f"Source: PyTorch {torch.__version__},\n * float64, gradients by autograd.",
        DECLARATION,
    )
    for name, rows in THOROUGH.items():
        for parameters in rows:
            for shape in SHAPES:
                for has_bias in (True, False):
                    add(out, name, parameters, shape, has_bias)
    for name in TORCH:
        if name not in THOROUGH:
            add(out, name, variants(name)[0], SHAPES[1], True)
    return out
