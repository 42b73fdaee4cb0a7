"""Training runs of a network of many kinds of layers by PyTorch in float64."""

import torch
import torch.nn.functional as F

from dense_values import leaf
from emit import Header, draw, float32, parameters_text

DECLARATION = """
/*
 * The network: 4 inputs, batch_norm, dense 8 gelu, layer_norm, prelu per channel, dense 6, glu, log_softmax;
 * nll. Ten steps on one batch, in parts whose gradients are added up.
 */
typedef struct golden_training {
    const char *label;
    clgrad_optimizer_kind optimizer;
    float weights[8], biases[8]; /* its parameters for either, in the order of the list's row */
    float clip_norm;             /* INFINITY: not */
    size_t parts;                /* of the batch */
    const float *initial;        /* all parameters, laid out as network.h has them */
    const float *x;              /* [9, 4] */
    const int32_t *classes;      /* [9] */
    const double *losses;        /* [10, parts], each from before its step */
    const double *evaluated;     /* [1] in evaluation, after the last step */
    const double *parameters;    /* after the last step */
    const double *running;       /* statistics of batch_norm, after the last step */
} golden_training;
"""

STEPS, BATCH, INPUTS = 10, 9, 4
SHAPES = [
    (4,), (4,),  # batch_norm
    (8, 4), (8,),  # dense
    (8,), (8,),  # layer_norm
    (8,), None,  # prelu
    (6, 8), (6,),  # dense
]  # fmt: skip
EPS, MOMENTUM = float32(1e-5), float32(0.1)

NAMES = {
    "sgd": ("lr", "momentum", "dampening", "weight_decay", "nesterov", "maximize"),
    "adam": ("lr", "beta1", "beta2", "eps", "weight_decay", "amsgrad", "maximize"),
    "adamw": ("lr", "beta1", "beta2", "eps", "weight_decay", "amsgrad", "maximize"),
}
CLASSES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
DEFAULTS = dict(beta1=0.9, beta2=0.999, eps=1e-8)

RUNS = [
    dict(label="adamw", optimizer="adamw", weights=dict(lr=0.02, weight_decay=0.01)),
    dict(
        label="sgd with momentum, no weight decay on biases, clipped",
        optimizer="sgd",
        weights=dict(lr=0.1, momentum=0.9, weight_decay=0.05),
        biases=dict(lr=0.1, momentum=0.9),
        clip_norm=0.5,
    ),
    dict(
        label="adam in three parts, a lower learning rate for biases",
        optimizer="adam",
        weights=dict(lr=0.02),
        biases=dict(lr=0.005),
        parts=3,
    ),
]


def forward(x, tensors, running, training):
    """running is the mean and the variance, changed in place in training."""
    gain, shift, first, first_bias, row_gain, row_shift, slope, _, last, last_bias = tensors
    x = F.batch_norm(x, *running, gain, shift, training, MOMENTUM, EPS)
    x = F.gelu(F.linear(x, first, first_bias))
    x = F.layer_norm(x, (8,), row_gain, row_shift, EPS)
    x = F.glu(F.linear(F.prelu(x, slope), last, last_bias), 1)
    return F.log_softmax(x, 1)


def options(optimizer, chosen):
    """The parameters of the list's row, and the same as torch.optim wants them."""
    values = [float32({**DEFAULTS, **chosen}.get(name, 0.0)) for name in NAMES[optimizer]]
    named = dict(zip(NAMES[optimizer], values))
    if optimizer != "sgd":
        named["betas"] = (named.pop("beta1"), named.pop("beta2"))
    return values, {name: bool(v) if name in ("nesterov", "amsgrad", "maximize") else v for name, v in named.items()}


def flat(tensors):
    return [value for tensor in tensors if tensor is not None for value in tensor.flatten().tolist()]


def add(out, label, optimizer, weights, biases=None, clip_norm=None, parts=1):
    tensors = []
    for index, shape in enumerate(SHAPES):
        numbers = draw(f"network layers {index}", torch.Size(shape or (0,)).numel(), -1, 1)
        tensors.append(leaf(numbers, *shape) if shape else None)
    x = draw("network layers x", BATCH * INPUTS, -2, 2)
    classes = [0, 2, 1, 1, 0, 2, 2, 0, 1]
    rows, wanted = torch.tensor(x, dtype=torch.float64).reshape(BATCH, INPUTS), torch.tensor(classes)
    initial = flat(tensors)
    of_weights, torch_weights = options(optimizer, weights)
    of_biases, torch_biases = options(optimizer, biases or weights)
    groups = [
        dict(torch_weights, params=[t for t in tensors[0::2] if t is not None]),
        dict(torch_biases, params=[t for t in tensors[1::2] if t is not None]),
    ]
    steps = CLASSES[optimizer](groups)
    running = [torch.zeros(INPUTS, dtype=torch.float64), torch.ones(INPUTS, dtype=torch.float64)]
    losses, norms = [], []
    for _ in range(STEPS):
        steps.zero_grad()
        for part, targets in zip(rows.chunk(parts), wanted.chunk(parts)):
            value = F.nll_loss(forward(part, tensors, running, True), targets)
            losses.append(value.item())
            (value / parts).backward()
        if clip_norm is not None:
            before = torch.nn.utils.clip_grad_norm_([t for t in tensors if t is not None], clip_norm)
            norms.append(before.item())
        steps.step()
    assert clip_norm is None or min(norms) < clip_norm < max(norms), "some steps clip and some do not"
    evaluated = F.nll_loss(forward(rows, tensors, running, False), wanted).item()

    out.entry(
        f'"{label}"',
        f"CLGRAD_OPTIMIZER_{optimizer.upper()}",
        parameters_text(of_weights),
        parameters_text(of_biases),
        "INFINITY" if clip_norm is None else f"{clip_norm}f",
        parts,
        out.array("float", initial),
        out.array("float", x),
        out.array("int32_t", classes),
        out.array("double", losses),
        out.array("double", [evaluated]),
        out.array("double", flat(tensors)),
        out.array("double", flat(running)),
    )


def header():
    out = Header(
        "network_layers",
        ["clgrad/network.h", "math.h"],
        f"Source: PyTorch {torch.__version__},\n * float64, gradients by autograd.",
        DECLARATION,
        c_type="golden_training",
        values="golden_trainings",
        data="golden_training_data",
    )
    for run in RUNS:
        add(out, **run)
    return out
