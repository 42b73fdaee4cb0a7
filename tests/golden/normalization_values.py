"""torch.nn.LayerNorm and BatchNorm1d in float64 over several batches, gradients by autograd."""

import torch

from emit import Header, draw, float32, float_text

DECLARATION = """
typedef struct golden_normalization {
    const char *label;
    bool layer;              /* layer normalisation, which has no running statistics */
    clgrad_batch_norm norm;  /* eps alone counts for a layer */
    size_t steps, batch, features;
    const float *weight, *bias;                /* [features], or NULL */
    const float *running_mean, *running_var;   /* [features] before the first step, or NULL */
    const float *x, *dy;                       /* [steps, batch, features] */
    const double *y, *dx;                      /* the same shape */
    const double *dweight, *dbias;             /* [steps, features], or NULL */
    const double *running_means, *running_vars; /* [steps, features] after each step, or NULL */
} golden_normalization;
"""

EPS = 1e-5

# label, batch, features, steps, offset, affine and the rest
LAYER = [
    ("plain", 3, 5, dict(affine=False)),
    ("affine", 4, 7, dict()),
    ("one row", 1, 6, dict()),
    ("one feature", 4, 1, dict()),
    ("large eps", 3, 5, dict(eps=0.75)),
    ("eps 0", 3, 5, dict(eps=0.0)),
    ("wide", 2, 40, dict()),
    ("large offset", 2, 16, dict(offset=1e4)),
]
BATCH = [
    ("defaults", 6, 4, dict(steps=3)),
    ("plain", 5, 3, dict(affine=False, steps=2)),
    ("two rows", 2, 5, dict(steps=2)),
    ("one feature", 7, 1, dict(steps=2)),
    ("momentum 0", 4, 3, dict(momentum=0.0, steps=2)),
    ("momentum 1", 4, 3, dict(momentum=1.0, steps=2)),
    ("momentum 0.5, large eps", 4, 3, dict(momentum=0.5, eps=0.75, steps=3)),
    ("tiny eps", 5, 3, dict(eps=1e-30)),
    ("no running statistics", 5, 3, dict(running=False)),
    ("large offset", 16, 3, dict(offset=1e4)),
    ("evaluation", 4, 5, dict(training=False, steps=2)),
    ("evaluation, plain", 3, 5, dict(training=False, affine=False)),
    ("evaluation, one row", 1, 5, dict(training=False)),
]


def emit(out, layer, label, batch, features, options):
    eps = float32(options.get("eps", EPS))
    momentum = float32(options.get("momentum", 0.1))
    steps, training = options.get("steps", 1), options.get("training", True)
    affine = options.get("affine", True)
    running = not layer and options.get("running", True)
    name = ("layer" if layer else "batch") + " norm: " + label
    count = steps * batch * features
    x = [float32(options.get("offset", 0) + v) for v in draw(name, count, -2, 3)]
    dy = draw(name + " dy", count, -2, 2)
    weight = draw(name + " weight", features, -1.5, 2) if affine else None
    bias = draw(name + " bias", features, -1, 1) if affine else None
    first_mean = draw(name + " running mean", features, -1, 1) if running else None
    first_var = draw(name + " running var", features, 0.25, 4) if running else None

    if layer:
        module = torch.nn.LayerNorm(features, eps, elementwise_affine=affine)
    else:
        module = torch.nn.BatchNorm1d(features, eps, momentum, affine, track_running_stats=running)
    module = module.double().train(training)
    with torch.no_grad():
        if affine:
            module.weight.copy_(torch.tensor(weight, dtype=torch.float64))
            module.bias.copy_(torch.tensor(bias, dtype=torch.float64))
        if running:
            module.running_mean.copy_(torch.tensor(first_mean, dtype=torch.float64))
            module.running_var.copy_(torch.tensor(first_var, dtype=torch.float64))

    results = {key: [] for key in ("y", "dx", "dweight", "dbias", "running_means", "running_vars")}
    for x_step, dy_step in zip(
        torch.tensor(x, dtype=torch.float64).reshape(steps, batch, features),
        torch.tensor(dy, dtype=torch.float64).reshape(steps, batch, features),
    ):
        x_step = x_step.clone().requires_grad_()
        module.zero_grad()
        y = module(x_step)
        y.backward(dy_step)
        results["y"] += y.flatten().tolist()
        results["dx"] += x_step.grad.flatten().tolist()
        if affine:
            results["dweight"] += module.weight.grad.tolist()
            results["dbias"] += module.bias.grad.tolist()
        if running:
            results["running_means"] += module.running_mean.tolist()
            results["running_vars"] += module.running_var.tolist()

    out.entry(
        f'"{name}"',
        str(layer).lower(),
        "{" + f"{float_text(eps)}, {float_text(momentum)}, {str(training).lower()}" + "}",
        steps,
        batch,
        features,
        *(out.array("float", values) for values in (weight, bias, first_mean, first_var, x, dy)),
        *(out.array("double", values or None) for values in results.values()),
    )


def header():
    out = Header(
        "normalization",
        ["clgrad/normalization.h", "stddef.h"],
        f"Source: PyTorch\n * {torch.__version__}, float64.",
        DECLARATION,
    )
    for label, batch, features, options in LAYER:
        emit(out, True, label, batch, features, options)
    for label, batch, features, options in BATCH:
        emit(out, False, label, batch, features, options)
    return out
