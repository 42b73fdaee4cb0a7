"""Gradient clipping by torch.nn.utils in float64."""

import math

import torch

from emit import Header, draw, double_text, float32, float_text

DECLARATION = """
typedef struct golden_clip {
    const char *label;
    bool by_value;   /* clip_grad_value_, else clip_grad_norm_ */
    float limit;     /* clip_value, or max_norm */
    float norm_type; /* of clip_grad_norm_ */
    size_t count;
    const float *gradient; /* [count] */
    double total_norm;     /* of clip_grad_norm_ */
    const double *clipped; /* [count] */
} golden_clip;
"""

SPECIAL = draw("clip", 5, -3, 3)
GRADIENTS = {
    "ordinary": draw("clip ordinary", 23, -3, 3),
    "one": [-2.5],
    "zeros": [0.0] * 7,
    "sparse": [0.0, 3.0, 0.0, 0.0, -4.0],
    "large": [float32(x * 1e30) for x in draw("clip large", 6, -3, 3)],
    "small": [float32(x * 1e-30) for x in draw("clip small", 6, -3, 3)],
    "infinity": SPECIAL[:2] + [math.inf] + SPECIAL[2:],
    "-infinity": SPECIAL[:2] + [-math.inf, 0.0] + SPECIAL[2:],
    "nan": SPECIAL[:2] + [math.nan] + SPECIAL[2:],
    "nan, infinity": SPECIAL[:2] + [math.nan, math.inf],
}
NORM_TYPES = (1.0, 2.0, 3.0, 0.5, math.inf)
MAX_NORMS = (0.0, 1.0, 1e3, 1e35)
CLIP_VALUES = (0.0, 1.0, 2.5, 1e35)


def parameter(gradient):
    tensor = torch.zeros(len(gradient), dtype=torch.float64, requires_grad=True)
    tensor.grad = torch.tensor(gradient, dtype=torch.float64)
    return tensor


def header():
    out = Header(
        "clip",
        ["clgrad/clip.h", "math.h"],
        f"Source: torch.nn.utils of\n * PyTorch {torch.__version__.split('+')[0]}, float64.",
        DECLARATION,
    )

    def entry(label, by_value, limit, norm_type, gradient, norm, tensor):
        out.entry(
            f'"{label}"',
            str(by_value).lower(),
            float_text(limit),
            float_text(norm_type),
            len(gradient),
            out.array("float", gradient),
            double_text(norm),
            out.array("double", tensor.grad.tolist()),
        )

    for label, gradient in GRADIENTS.items():
        for norm_type in NORM_TYPES:
            for max_norm in map(float32, MAX_NORMS):
                tensor = parameter(gradient)
                norm = torch.nn.utils.clip_grad_norm_(tensor, max_norm, norm_type).item()
                entry(f"{label}, norm {norm_type:g}", False, max_norm, norm_type, gradient, norm, tensor)
        for clip_value in map(float32, CLIP_VALUES):
            tensor = parameter(gradient)
            torch.nn.utils.clip_grad_value_(tensor, clip_value)
            entry(f"{label}, value", True, clip_value, 0.0, gradient, 0.0, tensor)
    return out
